//! What `crates/seal/src/sync.rs` names, of the scheduler.

#![cfg(test)]

pub(super) use shuttle::sync::{PoisonError, RwLock};

pub(super) use crate::ground::sync::Cache;
