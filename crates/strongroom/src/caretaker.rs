//! What the house does by itself: signs heads, runs durable jobs, lets terms end, begins new epochs.
//!
//! Of several servers on one database, one does this for all, as long as it holds the lease; the others keep up with it.
//! One thread, awake once a second. While the clock is in doubt it signs heads and lays records out again, and destroys
//! nothing.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use store::{Job, Lane, Turns, WorkersTime};

use crate::choose;
use crate::erase::{self, RotationStep};
use crate::ground::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::ground::house::{HOUSE, House};
use crate::ground::{Problem, RecordId, Shop, SubjectId, heads, jobs, law};

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
    /// A new epoch could not be begun or finished, or it is not known by when certificates say that it has.
    pub rotation_failing: AtomicBool,
    /// A job fails again and again; while one waits that lays records out, no retention ends that it was asked for before.
    pub jobs_stuck: AtomicBool,
    /// Terms are over and are not ended yet: a job waits that was asked for before their end, or their row was edited.
    pub terms_held: AtomicU64,
    /// Files that should be taken away and are not: their row was edited.
    pub files_held: AtomicU64,
    /// This process does it, and no other one on the same rows.
    pub leads: AtomicBool,
}

/// The caretaker's thread.
#[derive(Debug)]
pub struct Caretaker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    witnesses: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    house: Arc<House>,
    doing: Arc<Doing>,
    rotating: Mutex<()>,
    turns: Mutex<Turns>,
    stop: Mutex<bool>,
    called: Condvar,
    swept_at: AtomicI64,
    law_asked_at: AtomicI64,
    tidied_at: AtomicI64,
    /// There were more files to take away than a round does.
    files_left: AtomicBool,
    signed: AtomicU64,
    /// This process among those that share a database: its number, 0 before it has one; and until when it does for all what one
    /// has to do, µs of the steady clock.
    server: AtomicI64,
    leads_until: AtomicI64,
    leading: Mutex<()>,
}

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(1);
/// Between two looks for terms that ended.
const SWEEP_EVERY: i64 = MINUTE;
/// Between two looks whether a law has turned, or other packs were installed.
const LAW_EVERY: i64 = 10 * SECOND;
/// Between two looks for what is old: answers to repeated requests, and persons who were reached.
const TIDY_EVERY: i64 = HOUR;
/// How long answers to repeated requests are kept.
const ANSWERS_KEPT: i64 = DAY;
/// A worker has a job so long before another may take it.
const LEASE: i64 = 10 * MINUTE;
/// Jobs in one round at the most, and for how long: heads are signed in between, and terms end on time.
const JOBS_PER_ROUND: usize = 256;
const JOBS_FOR: i64 = 5 * SECOND;
/// A job that failed so often in a row needs somebody who looks.
const STUCK_AFTER: u32 = 5;
/// For so long one of several servers does the caretaker's work for all; then another may, if it is not heard of.
const LEADS_FOR: i64 = 15 * SECOND;
/// Records of one job at a time: so much is done again after a crash.
const RECORDS_PER_TURN: u64 = 1_024;

impl Caretaker {
    /// Starts the thread.
    pub fn start(house: Arc<House>) -> Result<Caretaker, Problem> {
        let shared = Arc::new(Shared {
            house,
            doing: Arc::new(Doing::default()),
            rotating: Mutex::new(()),
            turns: Mutex::new(Turns::default()),
            stop: Mutex::new(false),
            called: Condvar::new(),
            swept_at: AtomicI64::new(i64::MIN),
            law_asked_at: AtomicI64::new(i64::MIN),
            tidied_at: AtomicI64::new(i64::MIN),
            files_left: AtomicBool::new(false),
            signed: AtomicU64::new(0),
            server: AtomicI64::new(0),
            leads_until: AtomicI64::new(0),
            leading: Mutex::new(()),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("caretaker".into()).spawn(move || own.run())?;
        let mut witnesses = Vec::new();
        for which in 0..shared.house.witnesses.count() {
            // Each has a thread of its own: one that is slow holds up neither the caretaker nor another.
            let own = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name("witness".into());
            witnesses.push(thread.spawn(move || own.tell_witness(which))?);
        }
        Ok(Caretaker { shared, thread: Some(thread), witnesses })
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
        self.shared.rotate(None, progress)
    }

    /// The same, and a shop moves to another suite with it.
    pub fn rotate_and_move(
        &self,
        moving: &erase::Move,
        progress: impl FnMut(RotationStep),
    ) -> Result<erase::Rotated, Problem> {
        self.shared.rotate(Some(moving), progress)
    }

    /// Ends the thread, and signs the heads a last time.
    pub fn stop(&mut self) {
        *self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.called.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
            self.shared.sign_a_last_time();
            self.shared.house.witnesses.tell_files(&self.shared.house);
        }
        self.shared.resign();
        // A server that is just being asked is not waited for: closing the house ends what its answer can do.
        self.witnesses.clear();
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// Tells one witness of new heads, until the house closes.
    fn tell_witness(&self, which: usize) {
        loop {
            let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
            let (stop, _) = self
                .called
                .wait_timeout_while(stop, ROUND, |stop| !*stop)
                .unwrap_or_else(PoisonError::into_inner);
            if *stop {
                return;
            }
            drop(stop);
            self.house.witnesses.tell_if_due(which, &self.house);
        }
    }

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

    /// Every server for itself: what its gate refuses is what the law says now.
    fn follow_law(&self, now: i64) {
        if !due(&self.law_asked_at, now, LAW_EVERY) {
            return;
        }
        for shop in self.house.shops() {
            match law::follow(&shop, now) {
                Ok(false) => {}
                Ok(true) => crate::note!(INFO, "the gate goes by the law of today", shop = shop.number),
                Err(problem) => {
                    crate::note!(WARN, "packs of law could not be read", code = problem.code);
                }
            }
        }
    }

    fn round(&self) -> Result<Left, Problem> {
        let now = self.house.clock.now();
        let in_doubt = self.house.watch.look(self.house.clock.as_ref());
        self.doing.rounds.fetch_add(1, Ordering::Relaxed);
        self.follow_law(now);
        if self.house.store.is_shared() {
            crate::neighbours::keep_up(&self.house)?;
            if !self.leads()? {
                self.doing.leads.store(false, Ordering::Relaxed);
                return Ok(Left::Nothing);
            }
        }
        self.doing.leads.store(true, Ordering::Relaxed);
        self.sign_heads();
        let mut left = Left::More;
        let until = self.house.clock.steady().saturating_add(JOBS_FOR);
        for _ in 0..JOBS_PER_ROUND {
            if !self.one_job(in_doubt)? {
                left = Left::Nothing;
                break;
            }
            if self.house.clock.steady() > until {
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
            for shop in self.house.shops() {
                if let Err(problem) = choose::ends::sweep(&self.house, &shop) {
                    crate::note!(WARN, "yeses that have ended could not be tidied up", code = problem.code);
                }
            }
            self.doing.terms_held.store(held as u64, Ordering::Relaxed);
        }
        if sweeping || self.files_left.load(Ordering::Relaxed) {
            let more = self.clean_files();
            self.files_left.store(more, Ordering::Relaxed);
            if more {
                left = Left::More;
            }
        }
        if sweeping {
            let failing = [self.know_promises(), self.change_epoch_if_due()].iter().any(Result::is_err);
            self.doing.rotation_failing.store(failing, Ordering::Relaxed);
        }
        if due(&self.tidied_at, now, TIDY_EVERY) {
            let (_, counted_at) = self.house.watch.believed_and_counted(self.house.clock.as_ref(), now);
            for shop in self.house.shops() {
                shop.reached.tidy(counted_at);
            }
            self.house.store.work_blocking(HOUSE, Lane::Low, move |tx| {
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

    /// Lets another server do it at once: until one does, nobody signs heads. One that cannot say so is waited for.
    fn resign(&self) {
        let server = self.server.load(Ordering::Relaxed);
        let led = self.leads_until.swap(0, Ordering::Relaxed) > 0;
        if led && !self.house.store.is_away() {
            let resigned = self
                .house
                .store
                .work_blocking::<_, Problem, _>(HOUSE, Lane::High, move |tx| Ok(tx.resign(server)?));
            if let Err(problem) = resigned {
                crate::note!(WARN, "another server waits for the end of a lease", code = problem.code);
            }
        }
    }

    /// Does this server do for all what one has to do? Asked again long before the lease is over; another that was paused finds
    /// that it is over for it, too, by a clock that went on.
    fn leads(&self) -> Result<bool, Problem> {
        let House { clock, store, .. } = &*self.house;
        // The thread, and whoever has a round made, are one server.
        let _one = self.leading.lock().unwrap_or_else(PoisonError::into_inner);
        let asked_at = clock.steady();
        if self.leads_until.load(Ordering::Relaxed) > asked_at.saturating_add(LEADS_FOR / 2) {
            return Ok(true);
        }
        if self.server.load(Ordering::Relaxed) == 0 {
            let number = store
                .work_blocking::<_, Problem, _>(HOUSE, Lane::High, |tx| Ok(tx.take_numbers("server", 1)?))?;
            self.server.store(number.into_value(), Ordering::Relaxed);
        }
        let server = self.server.load(Ordering::Relaxed);
        let is_new = self.leads_until.load(Ordering::Relaxed) < asked_at;
        let leads = store.work_blocking::<_, Problem, _>(HOUSE, Lane::High, move |tx| {
            let leads = tx.lead(server, LEADS_FOR)?;
            if leads && is_new {
                // Whoever had them does not do this any more. One that still does finds what it did done twice, which is as good.
                tx.free_leases()?;
            }
            Ok(leads)
        })?;
        let leads = leads.into_value();
        if leads && is_new {
            *self.turns() = Turns::default();
            crate::open::name_all_destroyed(&self.house)?;
        }
        let until = if leads { asked_at.saturating_add(LEADS_FOR) } else { 0 };
        self.leads_until.store(until, Ordering::Relaxed);
        Ok(leads)
    }

    fn rotate(
        &self,
        moving: Option<&erase::Move>,
        progress: impl FnMut(RotationStep),
    ) -> Result<erase::Rotated, Problem> {
        let _one = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        erase::rotate(&self.house, moving, progress)
    }

    /// Knows what certificates say of the epoch. While that cannot be looked up an epoch ends at its own time and not before it
    /// on account of a date; no key dies by a date that nobody knows.
    fn know_promises(&self) -> Result<(), Problem> {
        erase::look_up_promises(&self.house).inspect_err(|problem| {
            crate::note!(WARN, "the dates of certificates could not be looked up", code = problem.code);
        })
    }

    /// Changes the epoch if it is due, unless somebody is doing so by hand.
    fn change_epoch_if_due(&self) -> Result<(), Problem> {
        let _one = match self.rotating.try_lock() {
            Ok(one) => one,
            Err(TryLockError::Poisoned(one)) => one.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        // ORDER: asked under the lock: a change that was under way a moment ago looks due, and is done by now.
        if !erase::rotation_is_due(&self.house) {
            return Ok(());
        }
        erase::rotate(&self.house, None, |_| {}).map(|_| ()).inspect_err(|problem| {
            crate::note!(WARN, "the epoch could not be changed", code = problem.code);
        })
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

    /// Signs the heads as they are when this server ends. Of several the one that leads signs, also what the others have entered;
    /// one that does not is heard by it, or leads now, if nobody does any more.
    fn sign_a_last_time(&self) {
        if self.house.store.is_shared() {
            // ORDER: to lead first: what another entered before it let go is taken over behind that.
            let signs = !self.house.store.is_away()
                && self
                    .leads()
                    .and_then(|leads| crate::neighbours::keep_up(&self.house).map(|()| leads))
                    .unwrap_or(false);
            if !signs {
                return;
            }
        }
        self.sign_heads();
    }

    /// Does one job, or a turn of a long one. Gives whether there was one.
    fn one_job(&self, in_doubt: bool) -> Result<bool, Problem> {
        let Some(job) = self.claim()? else { return Ok(false) };
        let shop = self.house.shops().into_iter().find(|shop| shop.column() == job.shop);
        let Some(shop) = shop else {
            self.put_off(&job, HOUR)?;
            return Ok(true);
        };
        if in_doubt && job.kind != jobs::RECLOCK {
            self.put_off(&job, MINUTE)?;
            return Ok(true);
        }
        match self.turn(&job, &shop) {
            Ok(Turn::Done) => {
                self.doing.jobs_done.fetch_add(1, Ordering::Relaxed);
                let finished = job.clone();
                let goes_on = self.house.store.work_blocking(HOUSE, Lane::High, move |tx| {
                    tx.housekeeping();
                    tx.finish_job(&finished)
                })?;
                if goes_on.into_value() {
                    self.turns().goes_on(&job);
                }
            }
            Ok(Turn::GoOn(progress)) => {
                let (kept, until) = (job.clone(), self.house.clock.steady().saturating_add(LEASE));
                self.house.store.work_blocking(HOUSE, Lane::High, move |tx| {
                    tx.housekeeping();
                    tx.keep_progress(&kept, &progress, until)
                })?;
                self.turns().goes_on(&job);
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
                self.put_off(&job, wait)?;
            }
        }
        Ok(true)
    }

    /// The job whose turn it is. Leases go by the clock that nobody can set, dates by the time that can be believed: a wall clock
    /// that is wrong for a while makes no job wait.
    fn claim(&self) -> Result<Option<Job>, Problem> {
        let House { clock, watch, store, .. } = &*self.house;
        let believed = watch.believed(clock.as_ref(), clock.now());
        let now = WorkersTime { steady: clock.steady(), believed };
        let until = now.steady.saturating_add(LEASE);
        let mut turns = self.turns();
        let own = turns.clone();
        let claimed = store.work_blocking(HOUSE, Lane::High, move |tx| tx.claim_job(&own, now, until))?;
        let job = claimed.into_value();
        if let Some(job) = &job {
            turns.begun(job);
        }
        Ok(job)
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_off(&self, job: &Job, wait: i64) -> Result<(), Problem> {
        let (id, until) = (job.id, self.house.clock.steady().saturating_add(wait));
        self.house.store.work_blocking(HOUSE, Lane::High, move |tx| {
            tx.housekeeping();
            tx.put_off_job(id, until)
        })?;
        Ok(())
    }

    fn turn(&self, job: &Job, shop: &Arc<Shop>) -> Result<Turn, Problem> {
        let subject = SubjectId::from_column(job.subject);
        let reclock = |after| erase::reclock(&self.house, shop, subject, after);
        match job.kind.as_str() {
            jobs::RECLOCK => Ok(Self::pages(job, reclock)?.0),
            jobs::LAY_OUT => {
                let (turn, progress) =
                    Self::pages(job, |after| erase::lay_out_all(&self.house, shop, after))?;
                if matches!(turn, Turn::Done) {
                    // ORDER: before the job goes: whoever follows it asks for this when it is gone.
                    shop.laid_out(progress.stepped_over);
                }
                Ok(turn)
            }
            jobs::CLEAN_TERMS => {
                Ok(Self::pages(job, |after| erase::clean_terms(&self.house, shop, after))?.0)
            }
            jobs::CLEAN_SUBJECT => {
                let is_begun = !job.progress.is_empty();
                if !is_begun && !erase::clean_beside(&self.house, shop, subject)? {
                    return Ok(Turn::GoOn(Vec::new()));
                }
                match Self::pages(job, reclock)?.0 {
                    Turn::Done if !erase::clean_rows(&self.house, shop, subject)? => {
                        Ok(Turn::GoOn(Vec::new()))
                    }
                    turn => Ok(turn),
                }
            }
            _ => Err(Problem::new("SR-JOB-001", 500, "a job of an unknown kind waits")
                .help("it was added by a newer release: use that one")),
        }
    }

    /// Runs a job that goes on behind the last record, a few pages at a time. Gives how far it has come, too.
    fn pages(
        job: &Job,
        mut page: impl FnMut(Option<RecordId>) -> Result<erase::Page, Problem>,
    ) -> Result<(Turn, erase::Progress), Problem> {
        let mut progress = erase::Progress::read(&job.progress);
        let enough = progress.looked_over.saturating_add(RECORDS_PER_TURN);
        while progress.looked_over < enough {
            let page = page(progress.last)?;
            progress.add(&page);
            if page.last.is_none() {
                return Ok((Turn::Done, progress));
            }
        }
        Ok((Turn::GoOn(progress.to_bytes()), progress))
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
