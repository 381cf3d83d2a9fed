//! Where threads meet over permits and hints: the standard library's, tokio's and the cache's, in one place.
//!
//! The model (`tests/model`) compiles the same sources with another module of this name, in which a scheduler of its own decides
//! at each of these who runs on, and time passes when it says so.

pub(super) use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
pub(super) use std::sync::{Arc, PoisonError, RwLock};
pub(super) use std::time::Instant;

pub(super) use quick_cache::sync::Cache;
pub(super) use tokio::time::sleep;
