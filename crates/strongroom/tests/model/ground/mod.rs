//! The sources of the ground that threads meet over.

#[path = "../../../src/ground/hints.rs"]
pub(crate) mod hints;
#[path = "../../../src/ground/permits.rs"]
pub(crate) mod permits;

pub(crate) mod ids;
pub(crate) mod sync;
