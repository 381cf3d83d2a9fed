//! What was lately unwrapped, by its id; and which of it is gone for good.
//!
//! INVARIANT: what was forgotten is not remembered again. Somebody may be at unwrapping it in that instant, or may have seen its row
//! before and come to it later: they get what they came for, and nothing of it stays.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

use super::sync::{Cache, PoisonError, RwLock};

/// So many that are gone are known by name, the latest. Nobody who has seen the row of an earlier one is still under way.
const GONE: usize = 32_768;

/// Values by their id.
#[derive(Debug)]
pub(crate) struct Cached<K, V> {
    values: Cache<K, V>,
    gone: RwLock<Gone<K>>,
}

#[derive(Debug)]
struct Gone<K> {
    known: HashSet<K>,
    in_order: VecDeque<K>,
}

impl<K: Copy + Eq + Hash, V: Clone> Cached<K, V> {
    /// A cache with room for so many.
    pub(crate) fn new(room: usize) -> Cached<K, V> {
        let gone = Gone { known: HashSet::new(), in_order: VecDeque::new() };
        Cached { values: Cache::new(room), gone: RwLock::new(gone) }
    }

    /// What is remembered.
    pub(crate) fn find(&self, id: &K) -> Option<V> {
        self.values.get(id)
    }

    /// Remembers, but for what is gone.
    pub(crate) fn keep(&self, id: K, value: V) {
        // ORDER: looked for and put in under one lock, so that it is not forgotten in between.
        let gone = self.gone.read().unwrap_or_else(PoisonError::into_inner);
        if !gone.known.contains(&id) {
            self.values.insert(id, value);
        }
    }

    /// Forgets one, for good.
    pub(crate) fn forget(&self, id: K) {
        let mut gone = self.gone.write().unwrap_or_else(PoisonError::into_inner);
        if gone.known.insert(id) {
            gone.in_order.push_back(id);
        }
        if gone.in_order.len() > GONE
            && let Some(oldest) = gone.in_order.pop_front()
        {
            gone.known.remove(&oldest);
        }
        self.values.remove(&id);
    }

    /// Forgets all of them. Each may be remembered again.
    pub(crate) fn clear(&self) {
        self.values.clear();
    }
}
