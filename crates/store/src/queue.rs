//! Where work waits for the writer: two lanes, bounded, drained in batches.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::sql::Ask;
use crate::sync::{AtomicU64, Condvar, Mutex, MutexGuard, Ordering, PoisonError, oneshot};
use crate::tx::{Ticket, Tx};

/// Which lane a unit of work waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Somebody waits for the answer.
    High,
    /// Long jobs in chunks: they give way, but never starve.
    Low,
}

/// A value whose transaction has committed. Only the writer makes one, so holding it proves the commit.
#[derive(Debug)]
pub struct Committed<T> {
    value: T,
    numbers: Vec<u64>,
}

impl<T> Committed<T> {
    pub(crate) fn new(value: T, numbers: Vec<u64>) -> Committed<T> {
        Committed { value, numbers }
    }

    /// What the unit of work answered.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Takes the value out of its proof.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The number that a leaf got in its log.
    pub fn number(&self, ticket: Ticket) -> Option<u64> {
        self.numbers.get(ticket.0).copied()
    }

    /// The numbers of all leaves of this work, in the order they were appended.
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// Changes the value under its proof, where that can fail.
    pub fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Committed<U>, E> {
        Ok(Committed { value: change(self.value)?, numbers: self.numbers })
    }
}

/// How a run of a unit of work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    Kept,
    Failed,
}

/// A unit of work in the queue. It can be run again: a batch that is rolled back runs its work anew.
pub(crate) trait Task: Send {
    /// Whose pen it writes with: the number of a shop, or 0 for the house.
    fn pen(&self) -> i64;
    /// What it is going to ask, where that is known before.
    fn foresees(&self) -> &[Ask];
    fn run(&mut self, tx: &mut Tx<'_>) -> Ran;
    fn fail(&mut self, error: Error);
    fn answer(self: Box<Self>, numbers: Vec<u64>);
}

/// One caller's work on its way to the writer and back. It goes back whole: what the caller made is given up on the caller's
/// thread, where that is cheap, and not between two commits.
pub(crate) struct Unit<T, E, F> {
    pen: i64,
    asks: Vec<Ask>,
    act: F,
    outcome: Option<Result<T, E>>,
    numbers: Vec<u64>,
    caller: Option<oneshot::Sender<Done<T, E, F>>>,
}

/// A unit of work that was answered.
pub(crate) type Done<T, E, F> = Box<Unit<T, E, F>>;

/// Where it arrives.
pub(crate) type Answer<T, E, F> = oneshot::Receiver<Done<T, E, F>>;

impl<T, E: From<Error>, F> Unit<T, E, F> {
    /// A unit, and where its answer arrives.
    pub(crate) fn new(pen: i64, asks: Vec<Ask>, act: F) -> (Done<T, E, F>, Answer<T, E, F>) {
        let (caller, answer) = oneshot::channel();
        (Box::new(Unit { pen, asks, act, outcome: None, numbers: Vec::new(), caller: Some(caller) }), answer)
    }

    /// What came of it.
    pub(crate) fn into_outcome(self) -> Result<Committed<T>, E> {
        let outcome = self.outcome.unwrap_or_else(|| Err(E::from(Error::Closed)));
        outcome.map(|value| Committed::new(value, self.numbers))
    }
}

impl<T, E, F> Task for Unit<T, E, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn pen(&self) -> i64 {
        self.pen
    }

    fn foresees(&self) -> &[Ask] {
        &self.asks
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Ran {
        let act = std::panic::AssertUnwindSafe(|| (self.act)(tx));
        let outcome = std::panic::catch_unwind(act).unwrap_or_else(|_| Err(E::from(Error::Panicked)));
        let ran = if outcome.is_ok() { Ran::Kept } else { Ran::Failed };
        self.outcome = Some(outcome);
        ran
    }

    fn fail(&mut self, error: Error) {
        self.outcome = Some(Err(E::from(error)));
    }

    fn answer(mut self: Box<Self>, numbers: Vec<u64>) {
        self.numbers = numbers;
        // A caller that went away still has its work done: it was committed.
        if let Some(caller) = self.caller.take() {
            let _ = caller.send(self);
        }
    }
}

/// What the writer does between batches when asked.
#[derive(Debug)]
pub(crate) enum Command {
    /// Move what is left of the WAL into the database, so that the WAL starts anew.
    Checkpoint,
    /// The same, and cut the WAL file to nothing. Answers whether it could.
    Truncate(std::sync::mpsc::Sender<bool>),
}

/// What the writer takes up next.
pub(crate) enum Next {
    Batch(Vec<Box<dyn Task>>),
    Command(Command),
    Closed,
}

pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    limits: Limits,
    turns: AtomicU64,
}

/// How much may wait, and how much is taken at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Units of work in one commit at the most.
    pub batch: usize,
    /// Units waiting in the high lane before more are refused with `SR-STORE-008`.
    pub high_waiting: usize,
    /// Units waiting in the low lane before more are refused.
    pub low_waiting: usize,
    /// How long what was taken at once may be under way before more in the high lane are refused with `SR-STORE-008`.
    pub stalls: Option<Duration>,
    /// With work in the high lane, every so many commits take low chunks along.
    pub low_turn: u64,
    /// How many of them.
    pub low_along: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { batch: 256, high_waiting: 8_192, low_waiting: 64, stalls: None, low_turn: 4, low_along: 1 }
    }
}

#[derive(Default)]
struct State {
    high: VecDeque<Box<dyn Task>>,
    low: VecDeque<Box<dyn Task>>,
    commands: VecDeque<Command>,
    writer_waits: bool,
    /// Since when the writer has been at what it took.
    at_work_since: Option<Instant>,
    closed: bool,
}

/// Chunks of the low lane in one commit when nobody waits in the high lane.
const LOW_CHUNKS_WHEN_IDLE: usize = 8;

impl Queue {
    pub(crate) fn new(limits: Limits) -> Queue {
        Queue { state: Mutex::default(), arrived: Condvar::new(), limits, turns: AtomicU64::new(0) }
    }

    pub(crate) fn submit(&self, lane: Lane, task: Box<dyn Task>) -> Result<(), Error> {
        let mut state = self.lock();
        if state.closed {
            return Err(Error::Closed);
        }
        if lane == Lane::High && self.is_stalled_in(&state) {
            return Err(Error::Busy);
        }
        let (waiting, limit) = match lane {
            Lane::High => (&mut state.high, self.limits.high_waiting),
            Lane::Low => (&mut state.low, self.limits.low_waiting),
        };
        if waiting.len() >= limit {
            return Err(Error::Busy);
        }
        waiting.push_back(task);
        self.wake(state);
        Ok(())
    }

    pub(crate) fn command(&self, command: Command) {
        let mut state = self.lock();
        if !state.closed {
            state.commands.push_back(command);
            self.wake(state);
        }
    }

    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.wake(state);
    }

    /// Has the writer been at what it took for longer than it may?
    pub(crate) fn is_stalled(&self) -> bool {
        self.is_stalled_in(&self.lock())
    }

    fn is_stalled_in(&self, state: &State) -> bool {
        let at_work = self.limits.stalls.zip(state.at_work_since);
        at_work.is_some_and(|(limit, since)| since.elapsed() > limit)
    }

    pub(crate) fn waiting(&self) -> usize {
        let state = self.lock();
        state.high.len().saturating_add(state.low.len())
    }

    /// Blocks until there is something to do. After [`Queue::close`] it still gives out what had been accepted.
    pub(crate) fn next(&self) -> Next {
        let mut state = self.lock();
        state.at_work_since = None;
        loop {
            if let Some(command) = state.commands.pop_front() {
                return Next::Command(command);
            }
            if !state.high.is_empty() || !state.low.is_empty() {
                state.at_work_since = Some(Instant::now());
                return Next::Batch(self.take(&mut state));
            }
            if state.closed {
                return Next::Closed;
            }
            state.writer_waits = true;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.writer_waits = false;
        }
    }

    fn take(&self, state: &mut State) -> Vec<Box<dyn Task>> {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let high = state.high.len().min(self.limits.batch);
        let mut batch: Vec<_> = state.high.drain(..high).collect();
        let low = if batch.is_empty() {
            LOW_CHUNKS_WHEN_IDLE
        } else if turn.is_multiple_of(self.limits.low_turn) {
            self.limits.low_along
        } else {
            0
        };
        let low = state.low.len().min(low);
        batch.extend(state.low.drain(..low));
        batch
    }

    /// Takes along what has come meanwhile for the pen of a batch, as far as a batch goes: somebody else had the pen, and whoever
    /// takes it up pays for that once.
    pub(crate) fn take_along(&self, batch: &mut Vec<Box<dyn Task>>) {
        let Some(pen) = batch.first().map(|task| task.pen()) else { return };
        let (mut state, mut at) = (self.lock(), 0);
        while batch.len() < self.limits.batch
            && let Some(task) = state.high.get(at)
        {
            if task.pen() == pen {
                batch.extend(state.high.remove(at));
            } else {
                at = at.saturating_add(1);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held; a poisoned lock would still guard whole values.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        // It is called once: until it is up, whoever comes meanwhile need not call again, which would cost a system call.
        let asleep = std::mem::take(&mut state.writer_waits);
        drop(state);
        if asleep {
            self.arrived.notify_one();
        }
    }
}
