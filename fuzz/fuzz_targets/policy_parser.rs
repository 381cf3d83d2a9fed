//! Fuzz target: any text is checked as a policy.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/policy_parser.rs"]
mod policy_parser;

fuzz_target!(|data: &[u8]| policy_parser::look_at(data));
