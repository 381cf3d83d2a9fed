//! The one thread that changes a SQLite database.
//!
//! It drains what waits, runs it in one transaction and commits once, with one fsync; every caller is answered
//! after that commit. The order of the last steps is what the promises rest on:
//!
//! 1. the leaves of the batch are integrated into their logs, in the same transaction;
//! 2. COMMIT (WAL, synchronous=EXTRA): from here on nothing acknowledged can be lost;
//! 3. caches are told; destroyed keys are named in a file that a restore will read;
//! 4. the callers are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use rusqlite::{Connection, Statement};

use crate::checkpointer::Checkpoints;
use crate::engine::{Engine, Sqlite};
use crate::error::Error;
use crate::log::{self, LogBook, Witness};
use crate::queue::{Command, Next, Queue, Ran, Task};
use crate::tx::{Effects, Sizes, Tx};

/// What the writer has done, for metrics. All counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Units of work answered after a commit.
    pub units: AtomicU64,
    /// Transactions rolled back because one of their units failed after writing.
    pub reruns: AtomicU64,
    /// Units that held the writer for more than 5 ms.
    pub slow_units: AtomicU64,
    /// Microseconds spent running units of work.
    pub apply_micros: AtomicU64,
    /// Microseconds spent in COMMIT, integration included.
    pub commit_micros: AtomicU64,
    /// Bytes in the WAL after the latest commit.
    pub wal_bytes: AtomicU64,
    /// Destroyed keys that are not yet named outside the database.
    pub keys_unlisted: AtomicU64,
    /// COMMITs that failed.
    pub failed_commits: AtomicU64,
    /// The last commit failed because the disk is full; the next one that succeeds clears it.
    pub disk_full: AtomicBool,
    /// Set when the engine failed in a way that only a restart mends: the writer refuses everything.
    pub broken: AtomicBool,
}

const SLOW_UNIT_MICROS: u64 = 5_000;

pub(crate) struct Writer {
    pub(crate) queue: Arc<Queue>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) checkpoints: Arc<Checkpoints>,
    pub(crate) book: Box<dyn LogBook>,
    pub(crate) witness: Box<dyn Witness>,
    /// Keys that are destroyed and could not be named outside the database: tried again with every commit.
    pub(crate) unlisted: Vec<[u8; 16]>,
}

impl Writer {
    /// Runs until the queue is closed and empty, then leaves the WAL folded into the database.
    pub(crate) fn run(mut self, connection: Connection) {
        {
            let engine = Sqlite::new(&connection);
            match Frame::new(&connection) {
                Ok(mut frame) => self.serve(&engine, &mut frame),
                Err(error) => self.refuse_everything(&error),
            }
        }
        let _ = checkpoint(&connection, "TRUNCATE");
        let _ = connection.close();
    }

    fn serve(&mut self, engine: &Sqlite<'_>, frame: &mut Frame<'_>) {
        loop {
            match self.queue.next() {
                Next::Batch(mut tasks) => {
                    while !tasks.is_empty() {
                        tasks = self.batch(engine, frame, tasks);
                    }
                }
                Next::Command(Command::Checkpoint) => {
                    let _ = checkpoint(engine.connection(), "PASSIVE");
                }
                Next::Command(Command::Truncate(caller)) => {
                    let done = checkpoint(engine.connection(), "TRUNCATE").unwrap_or(false);
                    if done {
                        self.checkpoints.cut();
                        self.stats.wal_bytes.store(0, Ordering::Relaxed);
                    }
                    let _ = caller.send(done);
                }
                Next::Closed => return,
            }
        }
    }

    fn refuse_everything(&mut self, error: &Error) {
        self.stats.broken.store(true, Ordering::Relaxed);
        loop {
            match self.queue.next() {
                Next::Batch(tasks) => refuse(tasks, error),
                Next::Command(Command::Truncate(caller)) => drop(caller.send(false)),
                Next::Command(Command::Checkpoint) => {}
                Next::Closed => return,
            }
        }
    }

    /// Runs what waits in one transaction. Gives what is left: work behind something that ends its batch.
    fn batch(
        &mut self,
        engine: &Sqlite<'_>,
        frame: &mut Frame<'_>,
        mut tasks: Vec<Box<dyn Task>>,
    ) -> Vec<Box<dyn Task>> {
        if self.stats.broken.load(Ordering::Relaxed) {
            refuse(tasks, &Error::InputOutput { engine_code: 0 });
            return Vec::new();
        }
        let started = Instant::now();
        let mut effects: Vec<Effects> = Vec::new();
        effects.resize_with(tasks.len(), Effects::default);

        let applied = self.apply(engine, frame, &mut tasks, &mut effects);
        let last = effects.iter().position(|effects| effects.ends_batch);
        let left = last.map_or_else(Vec::new, |last| tasks.split_off(last.saturating_add(1)));
        effects.truncate(tasks.len());
        let applied_at = Instant::now();
        let numbers = applied.and_then(|()| self.commit(engine, frame, &effects));
        add_micros(&self.stats.apply_micros, started, applied_at);
        add_micros(&self.stats.commit_micros, applied_at, Instant::now());

        match numbers {
            Ok(numbers) => self.settle(tasks, effects, numbers),
            Err(error) => {
                self.book.discard();
                frame.roll_back(engine.connection());
                self.stats.failed_commits.fetch_add(1, Ordering::Relaxed);
                self.stats.disk_full.store(error == Error::DiskFull, Ordering::Relaxed);
                if matches!(error, Error::InputOutput { .. } | Error::Damaged { .. }) {
                    // SOURCE: reliability list, fault 4: after a failed fsync the page cache may lie; only a restart re-reads the disk.
                    self.stats.broken.store(true, Ordering::Relaxed);
                }
                refuse(tasks, &error);
            }
        }
        left
    }

    /// Runs every unit in one transaction. A unit that fails before its first write costs nothing; one that fails
    /// after writing takes the batch down, and the others run again, each in a savepoint.
    fn apply(
        &mut self,
        engine: &Sqlite<'_>,
        frame: &mut Frame<'_>,
        tasks: &mut [Box<dyn Task>],
        effects: &mut [Effects],
    ) -> Result<(), Error> {
        frame.begin()?;
        let mut failed = vec![false; tasks.len()];
        let mut spoiled = false;
        let mut ahead = Ahead::default();
        for ((task, effects), failed) in tasks.iter_mut().zip(effects.iter_mut()).zip(failed.iter_mut()) {
            if self.run_one(engine, task, effects, &ahead) == Ran::Kept {
                ahead.count(effects);
                if effects.ends_batch {
                    break;
                }
                continue;
            }
            *failed = true;
            if engine.connection().is_autocommit() {
                return Err(Error::InputOutput { engine_code: 0 }); // the engine gave up the whole transaction
            }
            let wrote = effects.changes > 0;
            *effects = Effects::default();
            if wrote {
                spoiled = true;
                break;
            }
        }
        if spoiled { self.apply_in_savepoints(engine, frame, tasks, effects, &failed) } else { Ok(()) }
    }

    fn apply_in_savepoints(
        &mut self,
        engine: &Sqlite<'_>,
        frame: &mut Frame<'_>,
        tasks: &mut [Box<dyn Task>],
        effects: &mut [Effects],
        failed: &[bool],
    ) -> Result<(), Error> {
        self.stats.reruns.fetch_add(1, Ordering::Relaxed);
        frame.roll_back(engine.connection());
        frame.begin()?;
        let mut ahead = Ahead::default();
        for ((task, effects), failed) in tasks.iter_mut().zip(effects.iter_mut()).zip(failed) {
            *effects = Effects::default();
            if *failed {
                continue;
            }
            frame.save()?;
            if self.run_one(engine, task, effects, &ahead) == Ran::Failed {
                if engine.connection().is_autocommit() {
                    return Err(Error::InputOutput { engine_code: 0 });
                }
                *effects = Effects::default();
                frame.undo()?;
            }
            ahead.count(effects);
            frame.release()?;
            if effects.ends_batch {
                break;
            }
        }
        Ok(())
    }

    fn run_one(
        &self,
        engine: &Sqlite<'_>,
        task: &mut Box<dyn Task>,
        effects: &mut Effects,
        ahead: &Ahead,
    ) -> Ran {
        let started = Instant::now();
        let sizes = SizesNow { book: self.book.as_ref(), ahead };
        let mut ran = task.run(&mut Tx::new(engine, effects, &sizes));
        if ran == Ran::Kept && effects.changes > 0 && effects.leaves.is_empty() && !effects.housekeeping {
            task.fail(Error::ChangeWithoutEntry);
            ran = Ran::Failed;
        }
        if started.elapsed().as_micros() > u128::from(SLOW_UNIT_MICROS) {
            self.stats.slow_units.fetch_add(1, Ordering::Relaxed);
        }
        ran
    }

    /// Integrates the leaves and commits. Gives each unit's leaf numbers.
    fn commit(
        &mut self,
        engine: &Sqlite<'_>,
        frame: &mut Frame<'_>,
        effects: &[Effects],
    ) -> Result<Vec<Vec<u64>>, Error> {
        let engine: &dyn Engine = engine;
        let numbers = log::integrate(engine, self.book.as_mut(), effects)?;
        frame.commit()?;
        Ok(numbers)
    }

    fn settle(&mut self, mut tasks: Vec<Box<dyn Task>>, mut effects: Vec<Effects>, numbers: Vec<Vec<u64>>) {
        self.book.keep();
        self.stats.disk_full.store(false, Ordering::Relaxed);
        self.stats.commits.fetch_add(1, Ordering::Relaxed);
        self.stats.units.fetch_add(tasks.len() as u64, Ordering::Relaxed);
        self.stats.wal_bytes.store(self.checkpoints.committed(), Ordering::Relaxed);

        let known = self.unlisted.len();
        self.unlisted.extend(effects.iter().flat_map(|e| e.destroyed.iter().copied()));
        if self.unlisted.len() > known {
            self.checkpoints.key_died();
        }
        if !self.unlisted.is_empty() {
            // ORDER: named outside the database before anybody is told that the key is gone.
            let witnessed = self.witness.destroyed(&self.unlisted);
            if witnessed.is_ok() {
                self.unlisted.clear();
            }
            self.stats.keys_unlisted.store(self.unlisted.len() as u64, Ordering::Relaxed);
            if let Err(error) = witnessed {
                for (task, effects) in tasks.iter_mut().zip(&effects) {
                    if !effects.destroyed.is_empty() {
                        task.fail(error.clone());
                    }
                }
            }
        }
        for effects in &mut effects {
            for act in effects.after_commit.drain(..) {
                act();
            }
        }
        for (task, numbers) in tasks.into_iter().zip(numbers) {
            task.answer(numbers);
        }
    }
}

/// Leaves that units of this batch have appended so far, per log.
#[derive(Default)]
struct Ahead(Vec<(i64, u64)>);

impl Ahead {
    fn count(&mut self, effects: &Effects) {
        for (log, _) in &effects.leaves {
            match self.0.iter_mut().find(|(of, _)| of == log) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => self.0.push((*log, 1)),
            }
        }
    }
}

struct SizesNow<'w> {
    book: &'w dyn LogBook,
    ahead: &'w Ahead,
}

impl Sizes for SizesNow<'_> {
    fn size(&self, log: i64) -> u64 {
        let ahead = self.ahead.0.iter().find(|(of, _)| *of == log).map_or(0, |(_, count)| *count);
        self.book.size(log).saturating_add(ahead)
    }
}

fn refuse(tasks: Vec<Box<dyn Task>>, error: &Error) {
    for mut task in tasks {
        task.fail(error.clone());
        task.answer(Vec::new());
    }
}

fn add_micros(counter: &AtomicU64, from: Instant, to: Instant) {
    let micros = u64::try_from(to.duration_since(from).as_micros()).unwrap_or(u64::MAX);
    counter.fetch_add(micros, Ordering::Relaxed);
}

/// Runs a checkpoint. Gives whether all frames of the WAL reached the database.
pub(crate) fn checkpoint(connection: &Connection, mode: &'static str) -> Result<bool, Error> {
    let sql = match mode {
        "TRUNCATE" => "PRAGMA wal_checkpoint(TRUNCATE)",
        _ => "PRAGMA wal_checkpoint(PASSIVE)",
    };
    let mut statement = connection.prepare_cached(sql)?;
    let whole = statement.query_row([], |row| {
        let (busy, frames, moved): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && frames == moved)
    })?;
    Ok(whole)
}

/// The statements that frame a transaction, prepared once.
struct Frame<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    save: Statement<'c>,
    undo: Statement<'c>,
    release: Statement<'c>,
}

impl<'c> Frame<'c> {
    fn new(connection: &'c Connection) -> Result<Frame<'c>, Error> {
        Ok(Frame {
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            save: connection.prepare("SAVEPOINT unit")?,
            undo: connection.prepare("ROLLBACK TO unit")?,
            release: connection.prepare("RELEASE unit")?,
        })
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.begin.execute([]).map(|_| ()).map_err(Error::from)
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.commit.execute([]).map(|_| ()).map_err(Error::from)
    }

    fn save(&mut self) -> Result<(), Error> {
        self.save.execute([]).map(|_| ()).map_err(Error::from)
    }

    fn undo(&mut self) -> Result<(), Error> {
        self.undo.execute([]).map(|_| ()).map_err(Error::from)
    }

    fn release(&mut self) -> Result<(), Error> {
        self.release.execute([]).map(|_| ()).map_err(Error::from)
    }

    #[expect(clippy::unused_self, reason = "reads as one family with begin and commit")]
    fn roll_back(&mut self, connection: &Connection) {
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}
