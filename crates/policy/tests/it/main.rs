//! What the crate promises, seen from outside.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::disallowed_macros,
    reason = "tests stop at the first thing that is not as they say, and the measurement prints"
)]

mod check;
mod corpus;
mod diff;
mod dpv;
mod example;
mod gate;
mod interview;
mod lawful;
mod record;
mod registry;
mod retention;
mod sketch;
mod spec;
mod speed;

use policy::{Compiled, Policy, Registry};

/// The day on which the checks are run.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 22);

const SHOP: &str = include_str!("../../../../examples/harbour-hill/shop.toml");

/// The policy in a text that has no errors.
fn policy_of(text: &str) -> Policy {
    let report = policy::check(text, "shop.toml", TODAY);
    let rendered = report.render(&policy::Options::default());
    report.policy.unwrap_or_else(|| panic!("{rendered}"))
}

/// The same, ready for use, with a registry of its own.
fn compiled_of(text: &str) -> Compiled {
    let policy = policy_of(text);
    policy::compile(&policy, &Registry::default().extended_by(&policy).unwrap()).unwrap()
}
