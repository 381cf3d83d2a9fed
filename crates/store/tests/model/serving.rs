//! A queue with its writer on a thread of its own: what a server of the model has.

#![cfg(test)]

use std::sync::Arc;

use crate::book::{Book, Told};
use crate::database::Database;
use crate::error::Error;
use crate::log::Witness;
use crate::queue::{Limits, Queue};
use crate::session::{Connection, Faults, Where};
use crate::sync::{Mutex, thread};
use crate::writer::{SharedWitness, Stats, Writer};

struct Nobody;

impl Witness for Nobody {
    fn destroyed(&mut self, _: &[[u8; 16]]) -> Result<(), Error> {
        Ok(())
    }
}

pub(crate) struct Serving {
    pub(crate) queue: Arc<Queue>,
    writer: thread::JoinHandle<()>,
}

impl Serving {
    pub(crate) fn start(
        database: &Arc<Database>,
        place: Where,
        faults: Faults,
        told: Option<Told>,
    ) -> Serving {
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
        Serving { queue, writer }
    }

    /// Closes the queue, and waits until what it had accepted is answered.
    pub(crate) fn close(self) {
        self.queue.close();
        self.writer.join().unwrap();
    }
}
