//! The window: what pages of the shop show visitors to choose from, and what they choose there.
//!
//! A visitor who chooses for the first time becomes a subject of whom nothing is known but that; what tells them again is a
//! cookie with a MAC of the shop's, which a page's scripts cannot read. Before a choice nothing is kept, and no cookie is set.
//!
//! Invariants:
//! - a choice is bound to what was shown: the snapshot is ours, of this key, of the version in force, and not old;
//! - a yes that a law wants asked for by itself comes alone; one to what a signal has stopped counts only if it was said in
//!   spite of the signal;
//! - a publishable key tells nothing about anybody but whoever sends the cookie.
//!
//! SOURCE: docs/spec/window.md.

pub mod http;
mod offer;
mod snapshot;
mod standing;
mod visitor;

pub use offer::{Offer, OfferedLook, OfferedPurpose, OfferedRecipient};

use crate::ground::Problem;

/// The problem of a key that is none: `SR-WINDOW-001`.
pub fn no_such_key() -> Problem {
    Problem::new("SR-WINDOW-001", 404, "there is no such key, or nothing at this address")
}

fn stale() -> Problem {
    Problem::new("SR-WINDOW-002", 409, "what was shown is not what the shop shows now")
        .help("ask for `init` again, and show that")
}

fn not_of_this_form() -> Problem {
    Problem::new("SR-WINDOW-003", 422, "this is no choice among what was shown")
        .help("docs/spec/window.md says what stands in it")
}

fn another_choice() -> Problem {
    Problem::new("SR-WINDOW-004", 422, "this id stands for another choice").at("/id")
}

fn not_alone() -> Problem {
    Problem::new("SR-WINDOW-005", 422, "a consent that is asked for by itself stands beside others")
        .help("send it in a request of its own")
        .at("/choices")
}

fn of_a_robot() -> Problem {
    Problem::new("SR-WINDOW-007", 403, "a robot makes no choice")
}

fn from_another_site() -> Problem {
    Problem::new("SR-WINDOW-008", 403, "a page of another site makes no choice here")
}
