//! A model of the store: the very sources of the queue, the writer, its transactions and the logs, run by a scheduler that decides
//! at every lock, wait and statement who goes on, thousands of times and each time otherwise.
//!
//! Not a copy: the files are compiled once more, with `sync` below in the place of the standard library's locks, and with a
//! database in memory behind the traits of an engine. What has to hold on every schedule stands in `pens`; each of those sentences
//! has a twin there, for which one guard is taken out of the database or of the caller, and the scheduler has to find out.
//!
//! A schedule that fails is printed; `shuttle::replay` runs it again.

#![expect(
    dead_code,
    unreachable_pub,
    reason = "the sources are a library's, and the model asks for a part of it"
)]

#[path = "../../src/engine.rs"]
mod engine;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/log.rs"]
mod log;
#[path = "../../src/queue.rs"]
mod queue;
#[path = "../../src/sql.rs"]
mod sql;
#[path = "../../src/tx.rs"]
mod tx;
#[path = "../../src/writer.rs"]
mod writer;

mod book;
mod checkpointer;
mod database;
mod pens;
mod schedules;
mod serving;
mod session;
mod sync;

pub use error::Error;
pub use queue::Committed;
pub use sql::{Ask, Row, Sql, Value};
pub use tx::Ticket;
