//! Files under the engine.
//!
//! What is held: nothing. A [`Disk`] names the way in which SQLite reads and writes its files.
//!
//! Invariants:
//! - on a [`Disk::checked`] every page of a database carries a checksum of its bytes and its place, and every page that the
//!   engine reads, from the database or from the WAL, was compared with one; [`DAMAGED`] is the answer when it differs, and
//!   [`last_damage`] says which page it was;
//! - a [`faults::FaultyDisk`] is for tests: it loses what was not synced when its power is cut, and fails when it is told to.
//!
//! Who may call: the store.

mod checked;
pub mod faults;
mod shim;

#[cfg(test)]
mod tests;

pub use checked::{
    DAMAGED, Damage, Walked, damaged_pages, forget_damage, has_checksums, keep_room, last_damage, stamp,
};

use std::sync::OnceLock;

/// A way to files, by the name under which SQLite knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk(&'static str);

impl Disk {
    /// SQLite's own files, with page checksums. `None` when SQLite refuses to take it, which happens without memory only.
    pub fn checked() -> Option<Disk> {
        static ONCE: OnceLock<bool> = OnceLock::new();
        let there = ONCE.get_or_init(|| shim::register(c"strongroom", None, checked::Checks));
        there.then_some(Disk("strongroom"))
    }

    /// SQLite's own files, as they are. What is read through it was compared with nothing.
    pub fn plain() -> Disk {
        Disk("unix")
    }

    /// The name.
    pub fn name(self) -> &'static str {
        self.0
    }
}
