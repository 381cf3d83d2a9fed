//! Names of durable jobs. Rooms ask for them in their transactions; `erase` and the scheduler do them.

/// Lay a subject's records out again: a choice was made, so what may be kept, and until when, may have moved.
pub const RECLOCK: &str = "reclock";
/// Lay every record of a shop out again: another policy is in force.
pub const LAY_OUT: &str = "lay-out";
/// Remove what is left of an erased subject.
pub const CLEAN_SUBJECT: &str = "clean-subject";
/// Remove what is left of records whose term is over.
pub const CLEAN_TERMS: &str = "clean-terms";
/// Change to a new epoch.
pub const ROTATE: &str = "rotate";
