//! The sources of the seal that threads meet over.

#[path = "../../../../seal/src/cached.rs"]
pub(crate) mod cached;

mod sync;
