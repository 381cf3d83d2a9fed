//! Where the threads of the queue and of the writer meet: the standard library's, in one place.
//!
//! The model (`tests/model`) compiles the same sources with another module of this name, whose locks and pauses are points at
//! which a scheduler of its own decides who runs on. Counters that nobody waits for are not among them.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
pub(crate) use std::thread;

pub(crate) use tokio::sync::oneshot;
