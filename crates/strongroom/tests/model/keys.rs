//! Unwrapped keys beside their destruction: what was forgotten is in nobody's memory, whoever was at opening it.

#![cfg(test)]

use std::sync::Arc;

use crate::schedules::{fails, holds};
use crate::seal::cached::Cached;
use crate::sync::thread;

/// Does the cache know what is gone for good?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    IsKnown,
    IsForgotten,
}

const ROOM: usize = 64;

/// As `ShopKeys::open_key` does with the row of a key.
fn open(keys: &Cached<u8, u8>, id: u8) {
    thread::step();
    let key = keys.find(&id).unwrap_or_else(|| {
        thread::step(); // it is unwrapped
        keys.keep(id, id);
        id
    });
    assert_eq!(key, id);
}

fn run(gone: Gone) {
    let keys = Arc::new(Cached::new(ROOM));
    let mut threads = Vec::new();
    for _ in 0..2 {
        let keys = Arc::clone(&keys);
        threads.push(thread::spawn(move || {
            for id in [1, 2, 1] {
                open(&keys, id);
            }
        }));
    }
    let destroying = Arc::clone(&keys);
    threads.push(thread::spawn(move || match gone {
        Gone::IsKnown => destroying.forget(1),
        Gone::IsForgotten => destroying.clear(),
    }));
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(keys.find(&1).is_none(), "a destroyed key is in memory");
    open(&keys, 2);
    assert_eq!(keys.find(&2), Some(2), "a living key is not remembered");
}

#[test]
fn a_destroyed_key_is_in_nobodys_memory() {
    holds(|| run(Gone::IsKnown));
}

#[test]
fn without_knowing_what_is_gone_a_destroyed_key_comes_back() {
    fails(|| run(Gone::IsForgotten), &["a destroyed key is in memory"]);
}
