//! Fuzz target: any bytes as a part of a ledger.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the test that replays the corpus uses more of it")]
#[path = "../src/ledger_formats.rs"]
mod ledger_formats;

fuzz_target!(|data: &[u8]| ledger_formats::look_at(data));
