//! A server of the model, and what all its units of work have in common.

#![cfg(test)]

use std::sync::Arc;

use crate::book::{Book, Told, log_of};
use crate::database::Database;
use crate::error::Error;
use crate::log::Witness;
use crate::params;
use crate::queue::{Lane, Limits, Queue, Unit};
use crate::session::{Connection, FIND_NAME, Faults, TAKE_NAME, Where};
use crate::sync::{Mutex, thread};
use crate::tx::{Tx, View};
use crate::writer::{SharedWitness, Stats, Writer};

/// The one shop.
pub(crate) const SHOP: i64 = 1;
/// The one subject: the row of this name says that it was erased.
const SUBJECT: i64 = 7;

struct Nobody;

impl Witness for Nobody {
    fn destroyed(&mut self, _: &[[u8; 16]]) -> Result<(), Error> {
        Ok(())
    }
}

pub(crate) struct Server {
    pub(crate) queue: Arc<Queue>,
    writer: thread::JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(
        database: &Arc<Database>,
        place: Where,
        faults: Faults,
        told: Option<Told>,
    ) -> Server {
        let queue = Arc::new(Queue::new(Limits { batch: 3, ..Limits::default() }));
        let witness: SharedWitness = Arc::new(Mutex::new(Box::new(Nobody)));
        let writer = Writer {
            queue: Arc::clone(&queue),
            stats: Arc::new(Stats::default()),
            checkpoints: None,
            book: Box::new(Book::telling(told)),
            witness,
            unlisted: Vec::new(),
        };
        let database = Arc::clone(database);
        let writer = thread::spawn(move || writer.run(&Connection::new(&database, place, faults)));
        Server { queue, writer }
    }

    pub(crate) fn close(self) {
        self.queue.close();
        self.writer.join().unwrap();
    }
}

/// Runs a unit of work and waits for its answer. `None`, when it failed.
pub(crate) fn work<T: Send + 'static>(
    queue: &Queue,
    act: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Option<T> {
    let (unit, answer) = Unit::new(SHOP, Vec::new(), act);
    queue.submit(Lane::High, unit).unwrap();
    let done = shuttle::future::block_on(answer).expect("what was accepted is answered");
    match done.into_outcome() {
        Ok(done) => Some(done.into_value()),
        Err(Error::Panicked) => panic!("a unit of work failed"),
        Err(_) => None,
    }
}

/// Enters something.
pub(crate) fn enter(tx: &mut Tx<'_>, what: u8) {
    tx.append(log_of(SHOP), vec![what]);
}

/// Was the subject erased?
pub(crate) fn is_erased(view: &View<'_>) -> Result<bool, Error> {
    view.find(&FIND_NAME, params![SUBJECT], |row| row.int(0)).map(|found| found.is_some())
}

/// Erases the subject.
pub(crate) fn erase(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.change(&TAKE_NAME, params![SUBJECT, 1_i64])?;
    enter(tx, 0);
    Ok(())
}
