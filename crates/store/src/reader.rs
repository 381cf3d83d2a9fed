//! Reads beside the writer, each in one consistent state, on connections of their own.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use vfs::Disk;

use crate::engine::Session;
use crate::error::Error;
use crate::postgres::{Postgres, Server};
use crate::sqlite::{self, Sqlite, Use};
use crate::tx::View;

type Reading = Box<dyn FnOnce(Result<&View<'_>, Error>) + Send>;

#[derive(Default)]
struct State {
    waiting: VecDeque<Reading>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

/// A few threads, each with a read-only connection.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

const READERS: usize = 2;
const READERS_WAITING: usize = 1_024;

/// What is read.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A file on a disk, with so much of it in memory.
    File(Disk, PathBuf, u32),
    /// A server's database.
    Server(Server),
}

impl Readers {
    pub(crate) fn start(source: &Source) -> Result<Readers, Error> {
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        for number in 0..READERS {
            let (shared, source) = (Arc::clone(&shared), source.clone());
            let thread = std::thread::Builder::new().name(format!("reader-{number}"));
            threads.push(thread.spawn(move || serve(&shared, &source))?);
        }
        Ok(Readers { shared, threads: Mutex::new(threads) })
    }

    /// Queues a read. Gives where its answer arrives.
    pub(crate) fn submit<T, E, F>(&self, read: F) -> Result<oneshot::Receiver<Result<T, E>>, Error>
    where
        F: FnOnce(&View<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let reading: Reading = Box::new(move |view| {
            let outcome = match view {
                Ok(view) => {
                    let read = std::panic::AssertUnwindSafe(|| read(view));
                    std::panic::catch_unwind(read).unwrap_or_else(|_| Err(E::from(Error::Panicked)))
                }
                Err(error) => Err(E::from(error)),
            };
            let _ = caller.send(outcome);
        });
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(Error::Closed);
        }
        if state.waiting.len() >= READERS_WAITING {
            return Err(Error::Busy);
        }
        state.waiting.push_back(reading);
        drop(state);
        self.shared.arrived.notify_one();
        Ok(answer)
    }

    pub(crate) fn close(&self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.arrived.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn serve(shared: &Shared, source: &Source) {
    // A connection is opened at the first read and again after a failure, so that a passing fault does not last.
    while let Some(first) = next(shared) {
        match source {
            Source::File(disk, database, cache_kib) => {
                match sqlite::connect(*disk, database, *cache_kib, Use::Read) {
                    Ok(connection) => serve_with(shared, &connection, first),
                    Err(error) => first(Err(error)),
                }
            }
            Source::Server(server) => match Postgres::new(server) {
                Ok(session) => serve_from(shared, &session, first),
                Err(error) => first(Err(error)),
            },
        }
    }
}

/// Serves reads from a server's database until the store closes: its session connects again by itself.
fn serve_from(shared: &Shared, session: &Postgres, first: Reading) {
    let mut reading = Some(first);
    while let Some(read) = reading.take().or_else(|| next(shared)) {
        // A connection that was lost while nobody read is noticed now; then it is made again, once.
        match session.begin_reading().or_else(|_| {
            session.roll_back();
            session.begin_reading()
        }) {
            Ok(()) => read(Ok(&View::new(session.engine()))),
            Err(error) => read(Err(error)),
        }
        session.roll_back();
    }
}

/// Serves reads until the connection fails or the store closes.
fn serve_with(shared: &Shared, connection: &rusqlite::Connection, first: Reading) {
    let engine = Sqlite::new(connection);
    let mut reading = Some(first);
    while let Some(read) = reading.take().or_else(|| next(shared)) {
        // A read transaction: everything this read sees is one state of the database.
        if let Err(error) = connection.execute_batch("BEGIN") {
            return read(Err(Error::from(error)));
        }
        read(Ok(&View::new(&engine)));
        if connection.execute_batch("ROLLBACK").is_err() {
            return;
        }
    }
}

fn next(shared: &Shared) -> Option<Reading> {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(reading) = state.waiting.pop_front() {
            return Some(reading);
        }
        if state.closed {
            return None;
        }
        state = shared.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}
