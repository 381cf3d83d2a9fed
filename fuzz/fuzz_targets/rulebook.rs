//! Fuzz target: any text as a pack of law, and any facts asked of it.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/rulebook.rs"]
mod packs;

fuzz_target!(|data: &[u8]| packs::look_at(data));
