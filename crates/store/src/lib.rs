//! One transaction over the engine.
//!
//! What is held: the rows of a data folder, moved as bytes; the rows of the logs, jobs, dense numbers and kept
//! answers are the store's own. It knows no room, no law and no key.
//!
//! Invariants:
//! - an answer is given only after the COMMIT of the transaction that it speaks of; [`Committed`] is the proof,
//!   and nothing else makes one;
//! - leaves get their numbers, and caches hear of changes, at COMMIT and never before;
//! - a change that appended no leaf is refused, but for the store's own housekeeping;
//! - one process owns a folder.
//!
//! Who may call: the house. Rooms reach it through their unit of work.

mod backup;
mod checkpointer;
mod engine;
mod error;
mod jobs;
mod log;
mod migrate;
mod postgres;
mod queue;
mod reader;
mod sql;
mod sqlite;
mod store;
mod sums;
mod sync;
mod tx;
mod writer;

#[cfg(test)]
mod power;
#[cfg(test)]
mod tests;

pub use backup::{Progress, graft, inspect, look_into};
pub use engine::Step;
pub use error::Error;
pub use jobs::{BETWEEN, Job, Kept, LONGEST_PAUSE, Turns, Waiting, WorkersTime, asks_kept_answer};
pub use log::{Appended, FullTile, Head, LEAVES_PER_TILE, LogBook, Unpack, Witness};
pub use migrate::{Migrated, Migration, PENS, STORE, migrate_file, remove_copies};
pub use postgres::{Fence, Mark, Marked, Server};
pub use queue::{Committed, Lane, Limits};
pub use sql::{Ask, Row, Sql, Value};
pub use store::{Books, DATABASE, Damage, Folder, Home, LOCK, Options, Store};
pub use sums::{TableSum, sums};
pub use tx::{Ticket, Tx, View};
pub use vfs;
pub use writer::Stats;
