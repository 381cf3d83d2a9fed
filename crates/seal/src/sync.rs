//! Where threads meet over unwrapped keys. The house's model compiles `cached.rs` with another module of this name, in which a
//! scheduler of its own decides who runs on.

pub(crate) use std::sync::{PoisonError, RwLock};

pub(crate) use quick_cache::sync::Cache;
