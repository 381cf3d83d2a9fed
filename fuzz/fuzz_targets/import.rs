//! Fuzz target: any mapping over any file.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/import.rs"]
mod import;
#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../src/made.rs"]
mod made;

fuzz_target!(|data: &[u8]| import::look_at(data));
