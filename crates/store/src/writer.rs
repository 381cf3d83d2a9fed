//! The one thread that changes a SQLite database, or one of those that change a PostgreSQL database: there each has the shops
//! that are its own, so that a shop has one writer on a server, and the pen says which server's it is at a time.
//!
//! It drains what waits, runs it in one transaction and commits once, with one fsync; every caller is answered
//! after that commit. The order of the last steps is what the promises rest on:
//!
//! 1. the leaves of the batch are integrated into their logs, in the same transaction;
//! 2. COMMIT (WAL, synchronous=EXTRA; on a server synchronous_commit=on): from here on nothing acknowledged can be lost;
//! 3. caches are told; destroyed keys are named in a file that a restore will read;
//! 4. the callers are answered.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::checkpointer::Checkpoints;
use crate::engine::{Pen, Session, Standing};
use crate::error::Error;
use crate::log::{self, LogBook, Witness, Written};
use crate::queue::{Command, Next, Queue, Ran, Task};
use crate::sql::Ask;
use crate::sync::{Arc, Mutex, PoisonError, thread};
use crate::tx::{Effects, Sizes, Tx, View};

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
    /// The server of the database did not answer the last time; the next answer clears it.
    pub unreachable: AtomicBool,
    /// Transactions that were run again because the connection was lost or others were in the way.
    pub tried_again: AtomicU64,
    /// COMMITs whose answer was lost, and that were settled by looking.
    pub doubts_settled: AtomicU64,
    /// Times that another server had held the pen of a shop.
    pub pens_back: AtomicU64,
    /// Times that a writer waited for an answer of its server: for a batch it is a handful, however many units are in it.
    pub waits: AtomicU64,
}

const SLOW_UNIT_MICROS: u64 = 5_000;
/// A transaction is tried again for so long before its callers are told that the database cannot be reached: who asks again
/// later waits elsewhere than here.
const TRY_FOR: Duration = Duration::from_secs(2);
/// Whether a COMMIT was done is looked up for so long: a standby has to take over meanwhile.
const LOOK_FOR: Duration = Duration::from_secs(30);
/// Between two tries, at first; it doubles.
const PAUSE: Duration = Duration::from_millis(5);

/// Who is told of destroyed keys, by whichever writer destroyed them.
pub(crate) type SharedWitness = Arc<Mutex<Box<dyn Witness>>>;

pub(crate) struct Writer {
    pub(crate) queue: Arc<Queue>,
    pub(crate) stats: Arc<Stats>,
    /// Who moves the WAL, where there is one of ours.
    pub(crate) checkpoints: Option<Arc<Checkpoints>>,
    pub(crate) book: Box<dyn LogBook>,
    pub(crate) witness: SharedWitness,
    /// Keys that are destroyed and could not be named outside the database: tried again with every commit.
    pub(crate) unlisted: Vec<[u8; 16]>,
}

impl Writer {
    /// Runs until the queue is closed and empty, then leaves the WAL folded into the database.
    pub(crate) fn run(mut self, session: &dyn Session) {
        loop {
            match self.queue.next() {
                Next::Batch(mut tasks) => {
                    while !tasks.is_empty() {
                        tasks = self.batch(session, tasks);
                    }
                }
                Next::Command(Command::Checkpoint) => {
                    session.checkpoint(false);
                }
                Next::Command(Command::Truncate(caller)) => {
                    let done = session.checkpoint(true);
                    if done {
                        if let Some(checkpoints) = &self.checkpoints {
                            checkpoints.cut();
                        }
                        self.stats.wal_bytes.store(0, Ordering::Relaxed);
                    }
                    let _ = caller.send(done);
                }
                Next::Closed => break,
            }
        }
        session.checkpoint(true);
    }

    /// Runs what waits in one transaction. Gives what is left: work behind something that ends its batch, and work of other
    /// shops where each has a pen of its own.
    fn batch(&mut self, session: &dyn Session, tasks: Vec<Box<dyn Task>>) -> Vec<Box<dyn Task>> {
        if self.stats.broken.load(Ordering::Relaxed) {
            refuse(tasks, &Error::InputOutput { engine_code: 0 });
            return Vec::new();
        }
        let pen = tasks.first().map_or(0, |task| task.pen());
        let (mut tasks, others): (Vec<_>, Vec<_>) =
            tasks.into_iter().partition(|task| !session.is_served() || task.pen() == pen);
        let mut effects: Vec<Effects> = Vec::new();
        let numbers = self.try_batch(session, pen, &mut tasks, &mut effects);
        self.stats.waits.fetch_add(session.waits(), Ordering::Relaxed);
        let last = effects.iter().position(|effects| effects.ends_batch);
        let mut left = last.map_or_else(Vec::new, |last| tasks.split_off(last.saturating_add(1)));
        effects.truncate(tasks.len());
        left.extend(others);

        match numbers {
            Ok(numbers) => {
                self.settle(tasks, effects, numbers);
                if session.met_full_disk() {
                    self.stats.disk_full.store(true, Ordering::Relaxed);
                }
            }
            Err(error) => {
                self.book.discard();
                session.roll_back();
                self.stats.failed_commits.fetch_add(1, Ordering::Relaxed);
                self.stats.disk_full.store(error == Error::DiskFull, Ordering::Relaxed);
                self.stats.unreachable.store(error == Error::Unreachable, Ordering::Relaxed);
                if matches!(error, Error::InputOutput { .. } | Error::Damaged { .. }) && !session.is_served()
                {
                    // SOURCE: reliability list, fault 4: after a failed fsync the page cache may lie; only a restart re-reads the disk.
                    self.stats.broken.store(true, Ordering::Relaxed);
                }
                refuse(tasks, &error);
            }
        }
        left
    }

    /// Runs a batch, and again as a whole while what kept it from its COMMIT passes.
    fn try_batch(
        &mut self,
        session: &dyn Session,
        pen: i64,
        tasks: &mut Vec<Box<dyn Task>>,
        effects: &mut Vec<Effects>,
    ) -> Result<Vec<Vec<u64>>, Error> {
        let (mut first_failed, mut pause) = (None, PAUSE);
        loop {
            let started = Instant::now();
            effects.clear();
            effects.resize_with(tasks.len(), Effects::default);
            let applied = self.apply(session, pen, tasks, effects);
            let applied_at = Instant::now();
            let numbers = applied.and_then(|()| self.commit(session, pen, effects));
            add_micros(&self.stats.apply_micros, started, applied_at);
            add_micros(&self.stats.commit_micros, applied_at, Instant::now());
            match numbers {
                Err(error)
                    if error.may_be_tried_again()
                        && first_failed.get_or_insert_with(Instant::now).elapsed() < self.patience() =>
                {
                    self.book.discard();
                    session.roll_back();
                    self.stats.tried_again.fetch_add(1, Ordering::Relaxed);
                    thread::park_timeout(pause);
                    pause = pause.saturating_mul(2).min(Duration::from_millis(250));
                }
                numbers => return numbers,
            }
        }
    }

    /// For how long a batch is tried again. While the database does not answer anyway, nobody waits for it twice.
    fn patience(&self) -> Duration {
        if self.stats.unreachable.load(Ordering::Relaxed) { Duration::ZERO } else { TRY_FOR }
    }

    /// Takes the pen of a shop. What another server has entered meanwhile is taken over first.
    fn begin(&mut self, session: &dyn Session, pen: i64) -> Result<Pen, Error> {
        let before = session.begin(pen)?;
        if before == Pen::CameBack {
            self.stats.pens_back.fetch_add(1, Ordering::Relaxed);
            self.book.catch_up(&View::new(session.engine()), pen)?;
        }
        Ok(before)
    }

    /// Runs every unit in one transaction. A unit that fails before its first write costs nothing; one that fails
    /// after writing takes the batch down, and the others run again, each in a savepoint.
    fn apply(
        &mut self,
        session: &dyn Session,
        pen: i64,
        tasks: &mut Vec<Box<dyn Task>>,
        effects: &mut Vec<Effects>,
    ) -> Result<(), Error> {
        if self.begin(session, pen)? == Pen::CameBack {
            self.queue.take_along(tasks);
            effects.resize_with(tasks.len(), Effects::default);
        }
        let mut failed = vec![false; tasks.len()];
        let mut spoiled = false;
        let mut ahead = Ahead::default();
        if session.engine().foresees() {
            let asks: Vec<&Ask> = tasks.iter().flat_map(|task| task.foresees()).collect();
            if let Err(error) = session.engine().foresee(&asks) {
                if session.standing() == Standing::Gone {
                    return Err(error);
                }
                // What one of them is going to meet is none of the others' business.
                return self.apply_in_savepoints(session, pen, tasks, effects, &failed);
            }
        }
        for ((task, effects), failed) in tasks.iter_mut().zip(effects.iter_mut()).zip(failed.iter_mut()) {
            if self.run_one(session, task, effects, &ahead) == Ran::Kept {
                ahead.count(effects);
                if effects.ends_batch {
                    break;
                }
                continue;
            }
            let standing = session.standing();
            if standing == Standing::Gone {
                return Err(gone(session)); // the engine gave up the whole transaction
            }
            *failed = !session.was_wrong();
            let wrote = effects.changes > 0;
            *effects = Effects::default();
            if wrote || standing == Standing::Spoiled {
                spoiled = true;
                break;
            }
        }
        if !spoiled && let Err(error) = session.send_rows() {
            if session.standing() == Standing::Gone {
                return Err(error);
            }
            spoiled = true;
        }
        if spoiled { self.apply_in_savepoints(session, pen, tasks, effects, &failed) } else { Ok(()) }
    }

    fn apply_in_savepoints(
        &mut self,
        session: &dyn Session,
        pen: i64,
        tasks: &mut [Box<dyn Task>],
        effects: &mut [Effects],
        failed: &[bool],
    ) -> Result<(), Error> {
        self.stats.reruns.fetch_add(1, Ordering::Relaxed);
        session.roll_back();
        self.begin(session, pen)?;
        session.take_each_by_itself();
        let mut ahead = Ahead::default();
        for ((task, effects), failed) in tasks.iter_mut().zip(effects.iter_mut()).zip(failed) {
            *effects = Effects::default();
            if *failed {
                continue;
            }
            session.save()?;
            if self.run_one(session, task, effects, &ahead) == Ran::Failed {
                if session.standing() == Standing::Gone {
                    return Err(gone(session));
                }
                *effects = Effects::default();
                session.take_back()?;
            }
            ahead.count(effects);
            session.release()?;
            if effects.ends_batch {
                break;
            }
        }
        Ok(())
    }

    fn run_one(
        &self,
        session: &dyn Session,
        task: &mut Box<dyn Task>,
        effects: &mut Effects,
        ahead: &Ahead,
    ) -> Ran {
        let started = Instant::now();
        let sizes = SizesNow { book: self.book.as_ref(), ahead };
        let mut ran = task.run(&mut Tx::new(session.engine(), effects, &sizes));
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
        session: &dyn Session,
        pen: i64,
        effects: &[Effects],
    ) -> Result<Vec<Vec<u64>>, Error> {
        let written = log::integrate(session.engine(), self.book.as_mut(), effects)?;
        match session.commit() {
            Err(Error::InDoubt) => self.settle_doubt(session, pen, &written, effects)?,
            done => done?,
        }
        Ok(written.numbers)
    }

    /// Nobody said whether a COMMIT was done: looks for the leaves that it would have left.
    ///
    /// Fails: [`Error::Lost`] when it was not, so that it can be run again; [`Error::InDoubt`] when that cannot be found out.
    fn settle_doubt(
        &self,
        session: &dyn Session,
        pen: i64,
        written: &Written,
        effects: &[Effects],
    ) -> Result<(), Error> {
        let Some(sign) = &written.sign else {
            // Work that enters nothing moves furniture, and does the same when it is run again; but what keys it destroyed
            // is known from the run that destroyed them.
            let destroyed = effects.iter().any(|effects| !effects.destroyed.is_empty());
            return Err(if destroyed { Error::InDoubt } else { Error::Lost });
        };
        let began = Instant::now();
        loop {
            match look_for(session, pen, sign) {
                Ok(there) => {
                    self.stats.doubts_settled.fetch_add(1, Ordering::Relaxed);
                    return if there { Ok(()) } else { Err(Error::Lost) };
                }
                Err(error) if error.may_be_tried_again() || error == Error::InDoubt => {}
                Err(_) => return Err(Error::InDoubt),
            }
            session.roll_back();
            if began.elapsed() > LOOK_FOR {
                return Err(Error::InDoubt);
            }
            thread::park_timeout(Duration::from_millis(100));
        }
    }

    fn settle(&mut self, mut tasks: Vec<Box<dyn Task>>, mut effects: Vec<Effects>, numbers: Vec<Vec<u64>>) {
        self.book.keep();
        // A look that came by the writer needs no room.
        if effects.iter().any(|effects| effects.changes > 0) {
            self.stats.disk_full.store(false, Ordering::Relaxed);
        }
        self.stats.unreachable.store(false, Ordering::Relaxed);
        self.stats.commits.fetch_add(1, Ordering::Relaxed);
        self.stats.units.fetch_add(tasks.len() as u64, Ordering::Relaxed);
        if let Some(checkpoints) = &self.checkpoints {
            self.stats.wal_bytes.store(checkpoints.committed(), Ordering::Relaxed);
        }

        let known = self.unlisted.len();
        self.unlisted.extend(effects.iter().flat_map(|e| e.destroyed.iter().copied()));
        if self.unlisted.len() > known
            && let Some(checkpoints) = &self.checkpoints
        {
            checkpoints.key_died();
        }
        if !self.unlisted.is_empty() {
            // ORDER: named outside the database before anybody is told that the key is gone.
            let witnessed =
                self.witness.lock().unwrap_or_else(PoisonError::into_inner).destroyed(&self.unlisted);
            if witnessed.is_ok() {
                self.unlisted.clear();
            }
            // Several writers tell of theirs in one figure.
            let left = self.unlisted.len() as u64;
            self.stats.keys_unlisted.fetch_add(left, Ordering::Relaxed);
            self.stats.keys_unlisted.fetch_sub(known as u64, Ordering::Relaxed);
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

/// What a transaction that the engine gave up failed with.
fn gone(session: &dyn Session) -> Error {
    if session.is_served() { Error::Lost } else { Error::InputOutput { engine_code: 0 } }
}

/// Are the leaves there by which a COMMIT is known?
fn look_for(session: &dyn Session, pen: i64, sign: &log::Sign) -> Result<bool, Error> {
    // ORDER: under the pen. Whoever had it when the answer was lost is done with it, one way or the other.
    session.begin(pen)?;
    let there = sign.is_there(&View::new(session.engine()))?;
    // ORDER: committed, and not rolled back: taking the pen has written something, and when that has reached the standby, so has
    // what was written before it.
    session.commit()?;
    // What others have entered since is taken over with the next batch.
    session.distrust(pen);
    Ok(there)
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
