//! A model of what the house remembers beside the store: permits and hints, over the store's own queue and writer.
//!
//! As in the store's model (`crates/store/tests/model`), whose database and scheduler are used here, nothing is a copy: the sources
//! are compiled once more, with `sync` and `ground::sync` in the place of real locks, counters and clocks. What has to hold on
//! every schedule stands in `erasures`, `hints` and `keys`, each with the guards that it needs.

#![expect(
    dead_code,
    unreachable_pub,
    reason = "the sources are a library's, and the model asks for a part of it"
)]

#[path = "../../../store/src/engine.rs"]
mod engine;
#[path = "../../../store/src/error.rs"]
mod error;
#[path = "../../../store/src/log.rs"]
mod log;
#[path = "../../../store/src/queue.rs"]
mod queue;
#[path = "../../../store/src/sql.rs"]
mod sql;
#[path = "../../../store/src/tx.rs"]
mod tx;
#[path = "../../../store/src/writer.rs"]
mod writer;

#[path = "../../../store/tests/model/book.rs"]
mod book;
#[path = "../../../store/tests/model/checkpointer.rs"]
mod checkpointer;
#[path = "../../../store/tests/model/database.rs"]
mod database;
#[path = "../../../store/tests/model/schedules.rs"]
mod schedules;
#[path = "../../../store/tests/model/serving.rs"]
mod serving;
#[path = "../../../store/tests/model/session.rs"]
mod session;
#[path = "../../../store/tests/model/sync.rs"]
mod sync;

mod acts;
mod erasures;
mod ground;
mod hints;
mod keys;
mod seal;

// The sources of the store name this crate, of which the house knows nothing by itself.
extern crate self as vfs;
pub use store::vfs::{DAMAGED, last_damage};

pub use error::Error;
pub use queue::Committed;
pub use sql::{Ask, Row, Sql, Value};
pub use tx::Ticket;
