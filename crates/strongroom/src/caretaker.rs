//! What the house does by itself: signs heads, runs durable jobs, lets terms end, begins new epochs.
//!
//! One thread, awake once a second. While the clock is in doubt it signs heads and lays records out again, and destroys
//! nothing.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use store::{Job, Lane};

use crate::erase::{self, RotationStep};
use crate::ground::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::ground::house::House;
use crate::ground::{Problem, RecordId, Shop, SubjectId, heads, jobs};

/// How the caretaker is doing, for health and metrics.
#[derive(Debug, Default)]
pub struct Doing {
    /// Rounds made.
    pub rounds: AtomicU64,
    /// Jobs done.
    pub jobs_done: AtomicU64,
    /// Jobs that failed and wait to be tried again.
    pub jobs_failed: AtomicU64,
    /// Terms whose keys were destroyed.
    pub terms_ended: AtomicU64,
    /// Signed heads written.
    pub heads_written: AtomicU64,
    /// Heads could not be written outside the database.
    pub heads_failing: AtomicBool,
    /// A new epoch could not be begun or finished.
    pub rotation_failing: AtomicBool,
    /// A job fails again and again; while one waits that lays records out, no retention ends that it was asked for before.
    pub jobs_stuck: AtomicBool,
    /// Terms are over and are not ended yet: a job waits that was asked for before their end, or their row was edited.
    pub terms_held: AtomicU64,
    /// Files that should be taken away and are not: their row was edited.
    pub files_held: AtomicU64,
}

/// The caretaker's thread.
#[derive(Debug)]
pub struct Caretaker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    house: Arc<House>,
    doing: Arc<Doing>,
    rotating: Mutex<()>,
    stop: Mutex<bool>,
    called: Condvar,
    swept_at: AtomicI64,
    tidied_at: AtomicI64,
    /// There were more files to take away than a round does.
    files_left: AtomicBool,
    signed: AtomicU64,
}

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(1);
/// Between two looks for terms that ended.
const SWEEP_EVERY: i64 = MINUTE;
/// Between two looks for old idempotency answers.
const TIDY_EVERY: i64 = HOUR;
/// How long answers to repeated requests are kept.
const ANSWERS_KEPT: i64 = DAY;
/// A worker has a job so long before another may take it.
const LEASE: i64 = 10 * MINUTE;
/// Jobs in one round at the most, so that heads are signed in between.
const JOBS_PER_ROUND: usize = 256;
/// A job that failed so often in a row needs somebody who looks.
const STUCK_AFTER: u32 = 5;
/// Records of one job at a time: so much is done again after a crash.
const RECORDS_PER_TURN: u64 = 1_024;

impl Caretaker {
    /// Starts the thread.
    pub fn start(house: Arc<House>) -> Result<Caretaker, Problem> {
        let shared = Arc::new(Shared {
            house,
            doing: Arc::new(Doing::default()),
            rotating: Mutex::new(()),
            stop: Mutex::new(false),
            called: Condvar::new(),
            swept_at: AtomicI64::new(i64::MIN),
            tidied_at: AtomicI64::new(i64::MIN),
            files_left: AtomicBool::new(false),
            signed: AtomicU64::new(0),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("caretaker".into()).spawn(move || own.run())?;
        Ok(Caretaker { shared, thread: Some(thread) })
    }

    /// How it is doing.
    pub fn doing(&self) -> Arc<Doing> {
        Arc::clone(&self.shared.doing)
    }

    /// Makes one round now, on this thread: for tests and for commands that wait for it.
    pub fn round(&self) -> Result<(), Problem> {
        self.shared.round().map(|_| ())
    }

    /// Begins a new epoch, or finishes one, on this thread. Only one does so at a time.
    pub fn rotate(&self, progress: impl FnMut(RotationStep)) -> Result<erase::Rotated, Problem> {
        self.shared.rotate(progress)
    }

    /// Ends the thread, and signs the heads a last time.
    pub fn stop(&mut self) {
        *self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.called.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
            self.shared.sign_heads();
        }
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn run(&self) {
        loop {
            let pause = match self.round() {
                // There is more to do than one round does: the next begins at once.
                Ok(Left::More) => Duration::ZERO,
                Ok(Left::Nothing) => ROUND,
                Err(problem) => {
                    crate::note!(WARN, "a round of the caretaker failed", code = problem.code);
                    ROUND
                }
            };
            let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
            let (stop, _) = self
                .called
                .wait_timeout_while(stop, pause, |stop| !*stop)
                .unwrap_or_else(PoisonError::into_inner);
            if *stop {
                return;
            }
        }
    }

    fn round(&self) -> Result<Left, Problem> {
        let now = self.house.clock.now();
        let in_doubt = self.house.watch.look(self.house.clock.as_ref());
        self.doing.rounds.fetch_add(1, Ordering::Relaxed);
        self.sign_heads();
        let mut left = Left::More;
        for _ in 0..JOBS_PER_ROUND {
            if !self.one_job(now, in_doubt)? {
                left = Left::Nothing;
                break;
            }
        }
        if in_doubt {
            return Ok(left);
        }
        let sweeping = due(&self.swept_at, now, SWEEP_EVERY);
        if sweeping {
            let jobs = self.house.store.look_blocking::<_, Problem, _>(|view| Ok(view.jobs(1_000)?))?;
            let stuck = jobs.iter().any(|job| job.attempts >= STUCK_AFTER);
            self.doing.jobs_stuck.store(stuck, Ordering::Relaxed);
            let mut held = 0_usize;
            for shop in self.house.shops() {
                match erase::sweep(&self.house, &shop) {
                    Ok(swept) => {
                        self.doing.terms_ended.fetch_add(swept.ended as u64, Ordering::Relaxed);
                        held = held.saturating_add(swept.held).saturating_add(swept.edited);
                    }
                    // One shop's fault does not keep another's data.
                    Err(problem) => {
                        crate::note!(WARN, "terms of a shop could not be ended", code = problem.code);
                    }
                }
            }
            self.doing.terms_held.store(held as u64, Ordering::Relaxed);
            erase::look_up_promises(&self.house)?;
        }
        if sweeping || self.files_left.load(Ordering::Relaxed) {
            let more = self.clean_files();
            self.files_left.store(more, Ordering::Relaxed);
            if more {
                left = Left::More;
            }
        }
        if sweeping && erase::rotation_is_due(&self.house) {
            let changed = self.change_epoch_if_due();
            self.doing.rotation_failing.store(changed.is_err(), Ordering::Relaxed);
            changed?;
        }
        if due(&self.tidied_at, now, TIDY_EVERY) {
            self.house.store.work_blocking(Lane::Low, move |tx| {
                tx.drop_old_answers(now.saturating_sub(ANSWERS_KEPT), 10_000)
            })?;
        }
        Ok(left)
    }

    /// Takes files away that nobody names. Gives whether there are more.
    fn clean_files(&self) -> bool {
        let (mut held, mut more) = (0_u64, false);
        for shop in self.house.shops() {
            match erase::clean_files(&self.house, &shop) {
                Ok(tidied) => {
                    held = held.saturating_add(tidied.edited as u64);
                    more |= tidied.more;
                }
                // One shop's fault does not keep another's files.
                Err(problem) => {
                    crate::note!(WARN, "files of a shop could not be taken away", code = problem.code);
                }
            }
        }
        if self.doing.files_held.swap(held, Ordering::Relaxed) < held {
            crate::note!(WARN, "rows of files were edited; the deep check names them", rows = held);
        }
        more
    }

    fn rotate(&self, progress: impl FnMut(RotationStep)) -> Result<erase::Rotated, Problem> {
        let _one = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        erase::rotate(&self.house, progress)
    }

    /// Changes the epoch, unless somebody is doing so by hand.
    fn change_epoch_if_due(&self) -> Result<(), Problem> {
        let _one = match self.rotating.try_lock() {
            Ok(one) => one,
            Err(TryLockError::Poisoned(one)) => one.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        // ORDER: asked again under the lock: a change that was under way a moment ago looks due, and is done by now.
        if erase::rotation_is_due(&self.house) {
            erase::rotate(&self.house, |_| {})?;
        }
        Ok(())
    }

    /// Signs what is new and writes it outside the database.
    fn sign_heads(&self) {
        let units = self.house.store.stats().units.load(Ordering::Relaxed);
        if self.signed.swap(units, Ordering::Relaxed) == units && units > 0 {
            return; // nothing was committed since
        }
        match heads::write_heads(&self.house) {
            Ok(_) => {
                self.doing.heads_written.fetch_add(1, Ordering::Relaxed);
                self.doing.heads_failing.store(false, Ordering::Relaxed);
            }
            Err(problem) => {
                self.signed.store(0, Ordering::Relaxed);
                self.doing.heads_failing.store(true, Ordering::Relaxed);
                crate::note!(WARN, "signed heads could not be written", code = problem.code);
            }
        }
    }

    /// Does one job, or a turn of a long one. Gives whether there was one.
    fn one_job(&self, now: i64, in_doubt: bool) -> Result<bool, Problem> {
        let until = now.saturating_add(LEASE);
        let claimed = self.house.store.work_blocking(Lane::High, move |tx| tx.claim_job(now, until))?;
        let Some(job) = claimed.into_value() else { return Ok(false) };
        let shop = self.house.shops().into_iter().find(|shop| shop.column() == job.shop);
        let Some(shop) = shop else {
            self.put_off(&job, now.saturating_add(HOUR))?;
            return Ok(true);
        };
        if in_doubt && job.kind != jobs::RECLOCK {
            self.put_off(&job, now.saturating_add(MINUTE))?;
            return Ok(true);
        }
        match self.turn(&job, &shop) {
            Ok(Turn::Done) => {
                self.doing.jobs_done.fetch_add(1, Ordering::Relaxed);
                self.house.store.work_blocking(Lane::High, move |tx| {
                    tx.housekeeping();
                    tx.finish_job(&job)
                })?;
            }
            Ok(Turn::GoOn(progress)) => {
                self.house.store.work_blocking(Lane::High, move |tx| {
                    tx.housekeeping();
                    tx.keep_progress(&job, &progress, 0)
                })?;
            }
            Err(problem) => {
                self.doing.jobs_failed.fetch_add(1, Ordering::Relaxed);
                crate::note!(
                    WARN,
                    "a job failed and is tried again",
                    code = problem.code,
                    attempts = job.attempts
                );
                // 2, 4, 8 … seconds, at most an hour.
                let wait = SECOND.saturating_mul(1 << job.attempts.min(12)).min(HOUR);
                self.put_off(&job, now.saturating_add(wait))?;
            }
        }
        Ok(true)
    }

    fn put_off(&self, job: &Job, due_at: i64) -> Result<(), Problem> {
        let id = job.id;
        self.house.store.work_blocking(Lane::High, move |tx| {
            tx.housekeeping();
            tx.put_off_job(id, due_at)
        })?;
        Ok(())
    }

    fn turn(&self, job: &Job, shop: &Arc<Shop>) -> Result<Turn, Problem> {
        let subject = SubjectId::from_column(job.subject);
        match job.kind.as_str() {
            jobs::RECLOCK => Self::pages(job, |after| {
                let page = erase::reclock(&self.house, shop, subject, after)?;
                Ok(page.last.map(|last| (last, u64::from(page.looked_at))))
            }),
            jobs::LAY_OUT => Self::pages(job, |after| erase::lay_out_all(&self.house, shop, after)),
            jobs::CLEAN_TERMS => Self::pages(job, |after| erase::clean_terms(&self.house, shop, after)),
            jobs::CLEAN_SUBJECT => {
                let done = erase::clean_subject(&self.house, shop, subject)?;
                Ok(if done { Turn::Done } else { Turn::GoOn(Vec::new()) })
            }
            _ => Err(Problem::new("SR-JOB-001", 500, "a job of an unknown kind waits")
                .help("it was added by a newer release: use that one")),
        }
    }

    /// Runs a job that goes on behind the last record, a few pages at a time.
    fn pages(
        job: &Job,
        mut page: impl FnMut(Option<RecordId>) -> Result<erase::LookedOver, Problem>,
    ) -> Result<Turn, Problem> {
        let (mut after, mut looked_over) = erase::read_progress(&job.progress);
        let enough = looked_over.saturating_add(RECORDS_PER_TURN);
        while looked_over < enough {
            let Some((last, count)) = page(after)? else { return Ok(Turn::Done) };
            after = Some(last);
            looked_over = looked_over.saturating_add(count.max(1));
        }
        Ok(Turn::GoOn(erase::progress_of(after, looked_over)))
    }
}

enum Turn {
    Done,
    GoOn(Vec<u8>),
}

/// What a round has left to do.
enum Left {
    Nothing,
    /// It did as much as one round does; there may be more.
    More,
}

fn due(last: &AtomicI64, now: i64, every: i64) -> bool {
    let before = last.load(Ordering::Relaxed);
    // A clock that was set back does not silence the caretaker until it catches up.
    let due = now.saturating_sub(before) >= every || now < before;
    if due {
        last.store(now, Ordering::Relaxed);
    }
    due
}
