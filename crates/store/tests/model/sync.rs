//! What `src/sync.rs` names, of the scheduler.

#![cfg(test)]

pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub(crate) mod thread {
    use std::time::Duration;

    pub(crate) use shuttle::thread::{JoinHandle, spawn};

    /// A pause. There is no time here: it ends when others have had a turn.
    pub(crate) fn park_timeout(_: Duration) {
        shuttle::thread::yield_now();
    }

    /// A point at which others may be run.
    pub(crate) fn step() {
        shuttle::thread::sleep(Duration::ZERO);
    }
}
