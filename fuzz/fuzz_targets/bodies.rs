//! Fuzz target: any bytes as a body of the API.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/bodies.rs"]
mod bodies;
#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../src/made.rs"]
mod made;

fuzz_target!(|data: &[u8]| bodies::look_at(data));
