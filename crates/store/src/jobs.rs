//! Durable jobs with leases, blocks of dense numbers, and answers kept for repeated requests.

use std::collections::VecDeque;

use crate::error::Error;
use crate::sql::{Ask, Row, Sql};
use crate::tx::{Tx, View};

/// A job that a worker has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// Whose job.
    pub shop: i64,
    /// What is to be done.
    pub kind: String,
    /// Number of what it is done to; 0 when that is the shop.
    pub subject: i64,
    /// How often it was begun, this time included.
    pub attempts: u32,
    /// How often it had been asked for when it was begun from its beginning.
    pub asked: i64,
    /// When it was begun from its beginning, µs UTC.
    pub begun_at: i64,
    /// Where to go on; empty at the beginning.
    pub progress: Vec<u8>,
}

/// Whose turn it is: a worker keeps this in memory from one claim to the next.
///
/// Jobs that wait to be begun come in the order in which they were first asked for. Those that have had a turn and go on stay
/// under the worker's lease and take turns: one of them behind each [`BETWEEN`] of the others. So neither a long job nor one that
/// is asked for again and again holds up the others, of its shop or of another, nor do many short ones hold up a long one. No
/// clock has a say in it.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    /// Numbers of those that go on, the one first that has waited longest.
    going_on: VecDeque<i64>,
    /// How many others were begun since one of them had a turn.
    since: usize,
}

impl Turns {
    /// This job has its turn.
    pub fn begun(&mut self, job: &Job) {
        match self.going_on.iter().position(|id| *id == job.id) {
            Some(place) => {
                // Whoever stood before it is not there any more.
                self.going_on.drain(..=place);
                self.since = 0;
            }
            None => self.since = self.since.saturating_add(1),
        }
    }

    /// It has had its turn, and goes on.
    pub fn goes_on(&mut self, job: &Job) {
        self.going_on.push_back(job.id);
    }
}

/// Jobs that are begun between two turns of jobs that go on, while so many wait.
pub const BETWEEN: usize = 64;

/// Time as a worker has it who claims a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkersTime {
    /// By a clock that nobody can set, µs since some beginning: turns and leases go by it.
    pub steady: i64,
    /// The time that can be believed, µs UTC: jobs are dated by it, and never later.
    pub believed: i64,
}

impl Job {
    /// What its row keeps of how far it has come: for which asking that holds, and where to go on.
    fn kept(&self, progress: &[u8]) -> Vec<u8> {
        [&self.asked.to_be_bytes(), &self.begun_at.to_be_bytes(), progress].concat()
    }
}

/// What is known of a job that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Whose job.
    pub shop: i64,
    /// What is to be done.
    pub kind: String,
    /// Number of what it is done to.
    pub subject: i64,
    /// When it was first asked for since it was last done, µs UTC.
    pub due_at: i64,
    /// How often it was begun.
    pub attempts: u32,
    /// Where it goes on; empty at the beginning.
    pub progress: Vec<u8>,
}

/// A kept answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Keyed hash of the request that it answered.
    pub request: Vec<u8>,
    /// Numbers from which the answer is made again.
    pub answer: Vec<u8>,
}

crate::statements! {
    TAKE_NUMBERS = "INSERT INTO number_block (name, last) VALUES ($1, $2)
                    ON CONFLICT (name) DO UPDATE SET last = number_block.last + excluded.last RETURNING last";
    RAISE_NUMBERS = "UPDATE number_block SET last = $1 WHERE name = $2 AND last < $1";
    ADD_JOB = "INSERT INTO job (shop, kind, subject, due_at, leased_until, attempts, asked, progress)
               VALUES ($1, $2, $3, $4, 0, 0, 1, $5) ON CONFLICT (shop, kind, subject) DO UPDATE
               SET due_at = CASE WHEN excluded.due_at < job.due_at THEN excluded.due_at ELSE job.due_at END,
                   asked = job.asked + 1";
    FIND_FREE_JOB = "SELECT id, shop, kind, subject, attempts, asked, progress FROM job
                     WHERE leased_until <= $1 OR leased_until > $2 ORDER BY id LIMIT 1";
    FIND_OWN_JOB = "SELECT id, shop, kind, subject, attempts, asked, progress FROM job WHERE id = $1";
    LEASE_JOB = "UPDATE job SET leased_until = $1, attempts = attempts + 1,
                 due_at = CASE WHEN due_at > $2 THEN $2 ELSE due_at END WHERE id = $3";
    KEEP_PROGRESS = "UPDATE job SET progress = $1, leased_until = $2, attempts = 0 WHERE id = $3";
    PUT_OFF_JOB = "UPDATE job SET leased_until = $1 WHERE id = $2";
    REMOVE_JOB = "DELETE FROM job WHERE id = $1 AND asked = $2";
    BEGIN_JOB_ANEW = "UPDATE job SET attempts = 0, due_at = $1, progress = $2 WHERE id = $3";
    LIST_JOBS = "SELECT shop, kind, subject, due_at, attempts, progress FROM job ORDER BY due_at LIMIT $1";
    FIND_JOB = "SELECT shop, kind, subject, due_at, attempts, progress FROM job WHERE shop = $1 AND kind = $2 AND subject = $3";
    FIRST_ASKED = "SELECT due_at FROM job WHERE shop = $1 AND kind = $2 ORDER BY due_at LIMIT 1";
    FREE_LEASES = "UPDATE job SET leased_until = 0 WHERE leased_until > 0";
    FIND_KEPT = "SELECT request, answer FROM idempotency WHERE id = $1", rests on ["idempotency"];
    KEEP_ANSWER = "INSERT INTO idempotency (id, at, request, answer) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (id) DO UPDATE SET at = excluded.at, request = excluded.request, answer = excluded.answer";
    DROP_OLD_ANSWERS = "DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency WHERE at < $1 LIMIT $2)";
}

/// The pen of what one server does for all: jobs, terms, epochs, heads.
const FOR_ALL: i64 = -1;
/// Makes a server the one that does it, unless another is. Times are of the database's clock: no two servers have the same.
static LEAD: Sql = Sql::new(
    "INSERT INTO pen AS held (shop, holder, held_until)
     VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $3)
     ON CONFLICT (shop) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
     WHERE held.holder = excluded.holder OR held.held_until < excluded.held_until - $3",
);

static RESIGN: Sql = Sql::new("UPDATE pen SET held_until = 0 WHERE shop = $1 AND holder = $2");

impl Tx<'_> {
    /// Another server may do for all what this one did.
    pub fn resign(&mut self, server: i64) -> Result<(), Error> {
        self.housekeeping();
        self.change(&RESIGN, crate::params![FOR_ALL, server]).map(|_| ())
    }

    /// Makes this server the one that does for all what one has to do, for so many microseconds, if no other is. Gives whether
    /// it is. On a server's database only.
    pub fn lead(&mut self, server: i64, lease: i64) -> Result<bool, Error> {
        self.housekeeping();
        self.change(&LEAD, crate::params![FOR_ALL, server, lease]).map(|changed| changed > 0)
    }

    /// Takes `count` numbers of a name, for good. Gives the first.
    pub fn take_numbers(&mut self, name: &str, count: u32) -> Result<i64, Error> {
        self.housekeeping();
        let count = i64::from(count);
        let last = self
            .change_and_find(&TAKE_NUMBERS, crate::params![name, count], |row| row.int(0))?
            .unwrap_or(count);
        Ok(last.saturating_sub(count).saturating_add(1))
    }

    /// Makes sure that no number up to `last` is ever handed out again.
    pub fn raise_numbers(&mut self, name: &str, last: i64) -> Result<(), Error> {
        self.take_numbers(name, 0)?;
        self.change(&RAISE_NUMBERS, crate::params![last, name]).map(|_| ())
    }

    /// Adds a job, or makes one that waits already due no later than `due_at`, which is when it is asked for.
    pub fn add_job(&mut self, shop: i64, kind: &str, subject: i64, due_at: i64) -> Result<(), Error> {
        let (row, key) =
            (crate::params![shop, kind, subject, due_at, &[0_u8; 0]], crate::params![shop, kind, subject]);
        self.set(&ADD_JOB, row, &FIND_JOB, key)
    }

    /// Claims the job whose turn it is, until `lease_until`: tell it to the [`Turns`] when this is committed.
    ///
    /// Gives: `None` when no job waits that is not leased or put off. One that says it was asked for later than now was dated by
    /// a clock that was ahead: it has its turn all the same, and is dated now.
    pub fn claim_job(
        &mut self,
        turns: &Turns,
        now: WorkersTime,
        lease_until: i64,
    ) -> Result<Option<Job>, Error> {
        self.housekeeping();
        let found = if turns.since < BETWEEN {
            self.find_free(now)?.map_or_else(|| self.find_own(turns, now), |job| Ok(Some(job)))?
        } else {
            self.find_own(turns, now)?.map_or_else(|| self.find_free(now), |job| Ok(Some(job)))?
        };
        let Some(mut job) = found else { return Ok(None) };
        self.change(&LEASE_JOB, crate::params![lease_until, now.believed, job.id])?;
        job.attempts = job.attempts.saturating_add(1);
        Ok(Some(job))
    }

    fn find_free(&self, now: WorkersTime) -> Result<Option<Job>, Error> {
        let too_far = now.steady.saturating_add(LONGEST_PAUSE);
        self.find(&FIND_FREE_JOB, crate::params![now.steady, too_far], |row| read_job(row, now.believed))
    }

    /// The first of those that go on.
    fn find_own(&self, turns: &Turns, now: WorkersTime) -> Result<Option<Job>, Error> {
        for id in &turns.going_on {
            let job = self.find(&FIND_OWN_JOB, crate::params![*id], |row| read_job(row, now.believed))?;
            if job.is_some() {
                return Ok(job);
            }
        }
        Ok(None)
    }

    /// Keeps how far a job has come, in the same transaction as what it did, and keeps it leased: it goes on. One that gets on
    /// has not failed.
    pub fn keep_progress(&mut self, job: &Job, progress: &[u8], lease_until: i64) -> Result<(), Error> {
        self.change(&KEEP_PROGRESS, crate::params![&job.kept(progress), lease_until, job.id]).map(|_| ())
    }

    /// Lets a job wait until `until` by the worker's clock, for [`LONGEST_PAUSE`] at the most. Since when it waits stays known.
    pub fn put_off_job(&mut self, job: i64, until: i64) -> Result<(), Error> {
        self.change(&PUT_OFF_JOB, crate::params![until, job]).map(|_| ())
    }

    /// The job is done. Gives whether it goes on: if it was asked for again since it was begun, it waits again from its
    /// beginning, and counts as asked for when it was begun: not later than it was.
    pub fn finish_job(&mut self, job: &Job) -> Result<bool, Error> {
        if self.change(&REMOVE_JOB, crate::params![job.id, job.asked])? > 0 {
            return Ok(false);
        }
        self.change(&BEGIN_JOB_ANEW, crate::params![job.begun_at, &[0_u8; 0], job.id]).map(|left| left > 0)
    }

    /// Gives back every lease: for the start of the only process that can hold one.
    pub fn free_leases(&mut self) -> Result<(), Error> {
        self.housekeeping();
        self.change(&FREE_LEASES, &[]).map(|_| ())
    }

    /// Keeps the answer to a request, replacing one of the same id.
    pub fn keep_answer(&mut self, id: &[u8], at: i64, request: &[u8], answer: &[u8]) -> Result<(), Error> {
        self.set(&KEEP_ANSWER, crate::params![id, at, request, answer], &FIND_KEPT, crate::params![id])
    }

    /// Drops at most `limit` answers kept before `before`. Gives how many went.
    pub fn drop_old_answers(&mut self, before: i64, limit: u32) -> Result<usize, Error> {
        self.housekeeping();
        self.change(&DROP_OLD_ANSWERS, crate::params![before, limit])
    }
}

/// What [`View::kept_answer`] asks.
pub fn asks_kept_answer(id: &[u8]) -> Ask {
    Ask::new(&FIND_KEPT, crate::params![id])
}

impl View<'_> {
    /// The answer kept under an id.
    pub fn kept_answer(&self, id: &[u8]) -> Result<Option<Kept>, Error> {
        self.find(&FIND_KEPT, crate::params![id], |row| {
            Ok(Kept { request: row.bytes(0)?.to_vec(), answer: row.bytes(1)?.to_vec() })
        })
    }

    /// Jobs that wait, the earliest asked for first.
    pub fn jobs(&self, limit: u32) -> Result<Vec<Waiting>, Error> {
        self.list(&LIST_JOBS, crate::params![limit], read_waiting)
    }

    /// A job, if it waits.
    pub fn job(&self, shop: i64, kind: &str, subject: i64) -> Result<Option<Waiting>, Error> {
        self.find(&FIND_JOB, crate::params![shop, kind, subject], read_waiting)
    }

    /// When that job of a kind was asked for that has waited longest, µs UTC.
    pub fn first_asked(&self, shop: i64, kind: &str) -> Result<Option<i64>, Error> {
        self.find(&FIRST_ASKED, crate::params![shop, kind], |row| row.int(0))
    }
}

/// No job is leased or put off for longer, µs. What says otherwise was written by another clock, or by hand.
pub const LONGEST_PAUSE: i64 = 2 * 3_600 * 1_000_000;

/// Bytes before the progress: how often it had been asked for when it was begun, and when that was.
const BEGUN: usize = 16;

fn read_waiting(row: &Row<'_>) -> Result<Waiting, Error> {
    Ok(Waiting {
        shop: row.int(0)?,
        kind: row.text(1)?.to_owned(),
        subject: row.int(2)?,
        due_at: row.int(3)?,
        attempts: row.number(4)?,
        progress: row.bytes(5)?.get(BEGUN..).unwrap_or_default().to_vec(),
    })
}

fn read_job(row: &Row<'_>, now: i64) -> Result<Job, Error> {
    let kept = row.bytes(6)?;
    let number = |from: usize| {
        let bytes = kept.get(from..)?.first_chunk::<8>()?;
        Some(i64::from_be_bytes(*bytes))
    };
    // What does not say when it was begun is begun now, from its beginning: a job may be done twice.
    let (asked, begun_at, progress) = match (number(0), number(8), kept.get(BEGUN..)) {
        // Nor was it begun later than now, whatever a clock said then.
        (Some(asked), Some(begun_at), Some(progress)) => (asked, begun_at.min(now), progress.to_vec()),
        _ => (row.int(5)?, now, Vec::new()),
    };
    Ok(Job {
        id: row.int(0)?,
        shop: row.int(1)?,
        kind: row.text(2)?.to_owned(),
        subject: row.int(3)?,
        attempts: row.number(4)?,
        asked,
        begun_at,
        progress,
    })
}
