//! Room `answer`: people who see, correct and decide about what is their own. (Their requests move in later.)
//!
//! What is held: who is signed in, and one-time codes that were asked for. No address, no name and no code stands in a row.
//!
//! Invariants:
//! - a person reaches what is their own and nothing else: who acts is the person, and every verb looks;
//! - every value that a page shows went through `reveal`, and is in the ledger before;
//! - what needs special care is masked until somebody has shown just now that it is them;
//! - nothing tells whether an address is known;
//! - a page has no script, and its forms count only with what the person's own browser holds.
//!
//! Who may call: the desk. It may call all rooms that keep what is a person's.

mod codes;
mod entries;
mod form;
mod html;
pub mod http;
mod letters;
mod pages;
mod sign_ins;
mod sql;

pub(crate) use sql::FORGET;

#[cfg(test)]
pub(crate) use sql::ALL as STATEMENTS;
