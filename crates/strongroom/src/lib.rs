//! Strongroom: the privacy policy that runs.

pub mod ground;
pub mod choose;
pub mod keep;
pub mod notice;
pub mod people;
pub mod reveal;
pub mod collect;
