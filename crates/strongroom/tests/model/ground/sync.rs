//! What `src/ground/sync.rs` names, of the scheduler; and a time that passes when the schedule says so.

#![cfg(test)]

use std::cell::Cell;
use std::hash::Hash;
use std::time::Duration;

pub(super) use shuttle::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
pub(super) use shuttle::sync::{Arc, PoisonError, RwLock};

use crate::sync::thread;

thread_local! {
    /// Milliseconds. A schedule runs on one thread of the machine.
    static NOW: Cell<u64> = const { Cell::new(0) };
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

/// It is the beginning of time again.
pub(crate) fn begin_time() {
    NOW.set(0);
}

/// Time passes, whoever is at work.
pub(crate) fn pass(time: Duration) {
    thread::step();
    NOW.set(NOW.get() + millis(time));
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant(u64);

impl Instant {
    pub(crate) fn now() -> Instant {
        thread::step();
        Instant(NOW.get())
    }

    pub(crate) fn elapsed(self) -> Duration {
        thread::step();
        Duration::from_millis(NOW.get() - self.0)
    }
}

/// Sleeps at least so long.
pub(crate) async fn sleep(time: Duration) {
    let until = NOW.get() + millis(time);
    thread::park_timeout(time);
    NOW.set(NOW.get().max(until));
}

/// The cache of the house; others may be run before each of its acts.
#[derive(Debug)]
pub(crate) struct Cache<K, V>(quick_cache::sync::Cache<K, V>);

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn new(room: usize) -> Cache<K, V> {
        Cache(quick_cache::sync::Cache::new(room))
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        thread::step();
        self.0.get(key)
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        thread::step();
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&self, key: &K) -> Option<(K, V)> {
        thread::step();
        self.0.remove(key)
    }

    pub(crate) fn clear(&self) {
        thread::step();
        self.0.clear();
    }
}
