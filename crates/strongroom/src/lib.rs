//! Strongroom: the privacy policy that runs.
//!
//! The rooms follow the life of personal data; `ARCHITECTURE.md` walks one datum through them. Rooms stand on
//! [`ground`] and call each other only along the arrows that `cargo xtask arrows` checks.

pub mod account;
pub mod answer;
pub mod backup;
pub mod caretaker;
pub mod choose;
pub mod cli;
pub mod collect;
pub mod config;
pub mod desk;
pub mod erase;
pub mod ground;
pub mod keep;
pub mod law;
pub mod moves;
pub mod neighbours;
pub mod notice;
pub mod open;
pub mod people;
pub mod process;
pub mod reveal;
pub mod witness;
