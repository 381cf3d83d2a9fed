//! Fuzz target: any bytes as an envelope or a key.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the test that replays the corpus uses more of it")]
#[path = "../src/envelope.rs"]
mod envelope;
#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../src/made.rs"]
mod made;

fuzz_target!(|data: &[u8]| envelope::look_at(data));
