//! Room `collect`: the way in.
//!
//! What is held: how far each import has come. Records that come in are parsed here, brought into their one form, and sealed;
//! what no purpose in force needs, or what needs a choice that was not made, is dropped at the door and named.
//!
//! Invariants:
//! - plain values live in the parsed draft and nowhere else; a transaction sees sealed bytes only;
//! - the gate is asked inside the transaction that writes; what was sealed for another answer is sealed again;
//! - writing the same again changes nothing and enters nothing.
//!
//! Who may call: the desk. It may call `keep` and `choose`.

pub mod draft;
pub mod error;
pub mod files;
pub mod http;
pub mod import;
mod many;
mod sql;
pub mod unsubscribe;
pub mod window;
pub mod write;

pub(crate) use sql::FORGET;

#[cfg(test)]
pub(crate) use sql::ALL as STATEMENTS;

pub use many::{Row, write_many};
