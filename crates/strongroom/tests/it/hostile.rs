//! Hostile requests get a code and a pointer, never a value, and the house goes on serving.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "tests stop at the first thing that is not as they say"
)]

mod bodies;
mod bombs;
mod files;
mod other_shop;
mod paths;
mod random;
mod replays;
mod wire;
