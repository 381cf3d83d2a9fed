//! Moves the WAL into the database beside the writer, and cuts the WAL after a key has died.
//!
//! SOURCE: measured, peers/limits.md section 3: checkpoints on the writer's thread doubled p99. A passive checkpoint on a
//! second connection does the copying; a short one on the writer lets the WAL start anew.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::queue::{Command, Queue};
use crate::sqlite::checkpoint;
use crate::sqlite::{self, Use};

/// What the writer and the checkpointer tell each other.
pub(crate) struct Checkpoints {
    /// Pages in the WAL after the latest commit.
    pages: AtomicU64,
    state: Mutex<State>,
    called: Condvar,
    /// A key died and the WAL still holds old pages.
    pub(crate) key_in_wal: AtomicBool,
    /// Since when.
    died_at: Mutex<Option<Instant>>,
    /// Times that the WAL was cut after a key had died.
    pub(crate) truncations: AtomicU64,
}

#[derive(Default)]
struct State {
    large: bool,
    key_died: bool,
    closed: bool,
}

/// The WAL is moved when more than this is in it. The file does not shrink when it begins anew, so its length says nothing.
/// SOURCE: peers/limits.md section 3.
const BEGIN_AT_BYTES: u64 = 16 << 20;
/// A page, and the head of its frame in the WAL. SOURCE: sqlite.org/fileformat2.html, section 4.
const FRAME: u64 = 4_096 + 24;
/// Between two tries to cut the WAL while a reader holds it.
const RETRY: Duration = Duration::from_millis(250);
/// Keys that die together are cut from the WAL together.
const GATHER: Duration = Duration::from_millis(500);

impl Checkpoints {
    pub(crate) fn new() -> Checkpoints {
        Checkpoints {
            pages: AtomicU64::new(0),
            state: Mutex::default(),
            called: Condvar::new(),
            key_in_wal: AtomicBool::new(false),
            died_at: Mutex::default(),
            truncations: AtomicU64::new(0),
        }
    }

    /// Has the engine say after each commit of the writer how many pages are in the WAL.
    pub(crate) fn watch(self: &Arc<Self>, connection: &mut rusqlite::Connection) -> Result<(), Error> {
        let told = Arc::clone(self);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            told.pages.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(())
    }

    /// Called by the writer after each commit. Gives how many bytes are in the WAL.
    pub(crate) fn committed(&self) -> u64 {
        let bytes = self.pages.load(Ordering::Relaxed).saturating_mul(FRAME);
        if bytes > BEGIN_AT_BYTES {
            self.call(|state| state.large = true);
        }
        bytes
    }

    /// Called by the writer when it has cut the WAL.
    pub(crate) fn cut(&self) {
        self.pages.store(0, Ordering::Relaxed);
    }

    /// Called by the writer after a commit that destroyed a key.
    pub(crate) fn key_died(&self) {
        self.key_in_wal.store(true, Ordering::Relaxed);
        self.since().get_or_insert_with(Instant::now);
        self.call(|state| state.key_died = true);
    }

    /// For how long the WAL has held pages of a key that died.
    pub(crate) fn key_in_wal_for(&self) -> Duration {
        self.since().map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.died_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn close(&self) {
        self.call(|state| state.closed = true);
    }

    fn call(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        drop(state);
        self.called.notify_one();
    }

    /// The checkpointer's thread.
    pub(crate) fn run(self: &Arc<Self>, disk: vfs::Disk, database: &std::path::Path, queue: &Queue) {
        let mut opened = None;
        loop {
            let work = self.wait();
            if work.closed {
                return;
            }
            if opened.is_none() {
                opened = sqlite::connect(disk, database, 2_048, Use::Write).ok();
            }
            let Some(connection) = &opened else {
                // Too few file handles, for example: what is to be done waits until there is one.
                self.call(|state| {
                    state.large |= work.large;
                    state.key_died |= work.key_died;
                });
                if self.pause(RETRY) {
                    return;
                }
                continue;
            };
            if work.large {
                let _ = checkpoint(connection, false);
                queue.command(Command::Checkpoint);
            }
            if work.key_died && !self.truncate(connection, queue) {
                self.call(|state| state.key_died = true); // a reader held the WAL: again, soon
                if self.pause(RETRY) {
                    return;
                }
            }
        }
    }

    fn wait(&self) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .called
            .wait_while(state, |state| !state.large && !state.key_died && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if state.key_died && !state.closed {
            drop(state);
            if self.pause(GATHER) {
                return State { closed: true, ..State::default() };
            }
            state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        }
        let work = State { large: state.large, key_died: state.key_died, closed: state.closed };
        state.large = false;
        state.key_died = false;
        work
    }

    /// Waits, or less when the store closes. Gives whether it closes.
    fn pause(&self, for_how_long: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .called
            .wait_timeout_while(state, for_how_long, |state| !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        state.closed
    }

    fn truncate(&self, connection: &rusqlite::Connection, queue: &Queue) -> bool {
        let _ = checkpoint(connection, false);
        // ORDER: cleared before the cut, so that a key dying meanwhile sets it again.
        self.key_in_wal.store(false, Ordering::Relaxed);
        let since = self.since().take();
        let (caller, answer) = mpsc::channel();
        queue.command(Command::Truncate(caller));
        let done = answer.recv_timeout(Duration::from_secs(30)).unwrap_or(false);
        if done {
            self.truncations.fetch_add(1, Ordering::Relaxed);
        } else {
            self.key_in_wal.store(true, Ordering::Relaxed);
            *self.since() = since;
        }
        done
    }
}
