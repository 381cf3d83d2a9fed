//! Fuzz target: any text as an id or a credential.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/ids.rs"]
mod ids;
#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../src/made.rs"]
mod made;

fuzz_target!(|data: &[u8]| ids::look_at(data));
