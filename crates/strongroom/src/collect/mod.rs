//! Room `collect`.
pub mod draft;
pub mod error;
pub mod write;
