//! Names the damage of a log that the fast pass found wanting.
//!
//! It walks from the signed root down: the hashes at the right edge are settled against the root, the hashes of every
//! full tile against the settled hash above it, and the entries against the settled hashes of their tile.

use std::collections::HashMap;

use crate::Error;
use crate::archive::Archive;
use crate::archive::compare::{Change, Shift, compare};
use crate::archive::files::Files;
use crate::archive::reconcile::{Row, edge_root, reconcile, tile_root};
use crate::archive::report::{Problem, Report};
use crate::archive::scan::Scan;
use crate::archive::whole::Rebuilt;
use crate::bundle::Bundle;
use crate::entry::Entry;
use crate::hash::{HASH_BYTES, Hash, leaf_hash};
use crate::tree::{LEVELS, TILE_WIDTH, row_length, tile_width};

/// Adds to the report what is wrong with entries and tiles.
///
/// Fails: only if a file is there and cannot be read.
pub(super) fn name_damage<A: Archive>(
    files: &Files<'_, A>,
    scan: &Scan,
    rebuilt: &Rebuilt,
    root: &Hash,
    report: &mut Report,
) -> Result<(), Error> {
    let mut walk = Walk { files, scan, rebuilt, report, foreign: Vec::new(), at_end: None, shifted: None };
    walk.edge(root)?;
    walk.settle_end();
    walk.name_foreign();
    Ok(())
}

struct Walk<'a, A> {
    files: &'a Files<'a, A>,
    scan: &'a Scan,
    rebuilt: &'a Rebuilt,
    report: &'a mut Report,
    /// Entries whose hash was not signed for their bundle; they may come from another one.
    foreign: Vec<Foreign>,
    /// The last entry of the bundle before, if it was the only wrong one there: perhaps a shift begins with it.
    at_end: Option<Foreign>,
    /// The bundle before ended in the middle of a shift of this kind.
    shifted: Option<Kind>,
}

#[derive(Clone, Copy)]
struct Foreign {
    index: u64,
    found: Hash,
    signed: Hash,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Removed,
    Added,
}

/// The entries of one bundle, as far as they can be read.
#[derive(Default)]
struct Read {
    leaves: Vec<Hash>,
    unreadable: Vec<usize>,
    /// The bytes stop making sense behind these entries.
    is_cut: bool,
}

impl<A: Archive> Walk<'_, A> {
    /// The partial tiles at the right edge, which lead to the root only together.
    fn edge(&mut self, root: &Hash) -> Result<(), Error> {
        let size = self.files.size();
        let mut rows = Vec::new();
        for level in 0..LEVELS {
            let index = row_length(size, level) / WIDTH;
            let width = tile_width(size, level, index);
            let told =
                if width == 0 { Row::default() } else { self.row(level, index, self.rebuilt.edge(level))? };
            rows.push(told);
        }
        let signed = reconcile(&rows, |rows| edge_root(rows) == *root);
        if signed.is_none() {
            self.report.add(Problem::RootDiffers { size });
        }
        let signed_row = |level: u8| signed.as_ref().and_then(|rows| rows.get(usize::from(level)));
        // ORDER: from the highest level down, which is from the first entry to the last.
        for (level, told) in (0..LEVELS).zip(&rows).rev() {
            let index = row_length(size, level) / WIDTH;
            if told.rebuilt.is_empty() {
                continue;
            }
            if level == 0 {
                self.leaves(index, told, signed_row(level), None)?;
            } else {
                self.compare_tile(level, index, told, signed_row(level))?;
                self.children(level, index, told, signed_row(level))?;
            }
        }
        Ok(())
    }

    /// A full tile, below a hash that is settled, or `None` if nothing above is whole.
    fn tile(&mut self, level: u8, index: u64, above: Option<Hash>) -> Result<(), Error> {
        let first = index.saturating_mul(WIDTH);
        if level == 0 {
            let sum = usize::try_from(index).ok().and_then(|index| self.scan.full.get(index));
            let is_right = sum.is_some_and(|sum| sum.is_clean && (above.is_none() || sum.root == above));
            if is_right {
                self.settle_end();
                self.shifted = None;
                return Ok(());
            }
            let read = self.read(index)?;
            let leaves: Vec<Option<Hash>> = read.leaves.iter().copied().map(Some).collect();
            let told = self.row(0, index, &leaves)?;
            let signed = settle(&told, above);
            return self.leaves(index, &told, signed.as_ref(), above);
        }
        let below = usize::try_from(first).ok().and_then(|first| self.rebuilt.row(level).get(first..));
        let told = self.row(level, index, below.unwrap_or_default())?;
        let signed = settle(&told, above);
        if signed.is_none() && told.is_undisputed() && above.is_some() {
            let (index, last) = span(level, index);
            self.report.add(Problem::EntriesRewritten { index, last });
        }
        self.compare_tile(level, index, &told, signed.as_ref())?;
        self.children(level, index, &told, signed.as_ref())
    }

    fn children(
        &mut self,
        level: u8,
        index: u64,
        told: &Row,
        signed: Option<&Vec<Hash>>,
    ) -> Result<(), Error> {
        let below = level.saturating_sub(1);
        for position in 0..told.rebuilt.len() {
            let hash = match signed {
                Some(signed) => signed.get(position).copied(),
                None => told.agreed(position),
            };
            let child = index.saturating_mul(WIDTH).saturating_add(u64::try_from(position).unwrap_or(0));
            self.tile(below, child, hash)?;
        }
        Ok(())
    }

    /// Names the first stored hash of a tile that is not the signed one.
    fn compare_tile(
        &mut self,
        level: u8,
        index: u64,
        told: &Row,
        signed: Option<&Vec<Hash>>,
    ) -> Result<(), Error> {
        let file = self.files.tile_path(level, index)?;
        let below = |position: usize| {
            let position = u64::try_from(position).unwrap_or(0);
            span(level, index).0.saturating_add(position.saturating_mul(leaves_per_hash(level)))
        };
        if self.files.tile(level, index)?.is_none() {
            self.report.add(Problem::FileMissing { file });
        } else if let Some(signed) = signed {
            let wrong = (0..signed.len()).find(|position| {
                told.stored.get(*position).copied().flatten() != signed.get(*position).copied()
            });
            // A tile with all its hashes and more bytes behind them is damaged at its end.
            let wrong = wrong.or((!told.has_exact_length).then_some(signed.len()));
            if let Some(position) = wrong {
                let index = below(position.min(signed.len().saturating_sub(1)));
                let position = u16::try_from(position).unwrap_or(TILE_WIDTH);
                self.report.add(Problem::TileDamaged { file, position, index });
            }
        } else if !told.is_undisputed() {
            let disputed = (0..told.rebuilt.len())
                .find(|position| told.stored.get(*position) != told.rebuilt.get(*position));
            self.report.add(Problem::Undecided { index: below(disputed.unwrap_or(0)) });
        }
        Ok(())
    }

    /// Names what is wrong with the entries of one bundle and with their tile.
    fn leaves(
        &mut self,
        index: u64,
        told: &Row,
        signed: Option<&Vec<Hash>>,
        above: Option<Hash>,
    ) -> Result<(), Error> {
        self.compare_tile(0, index, told, signed)?;
        let first = index.saturating_mul(WIDTH);
        let at = |position: usize| first.saturating_add(u64::try_from(position).unwrap_or(0));
        let width = usize::from(tile_width(self.files.size(), 0, index));
        let read = self.read(index)?;
        if self.files.bundle(index)?.is_none() {
            self.report.add(Problem::FileMissing { file: self.files.bundle_path(index)? });
            self.settle_end();
            self.shifted = None;
            return Ok(());
        }
        let Some(signed) = signed else {
            if read.leaves.len() < width {
                self.report.add(Problem::BundleTruncated { index: at(read.leaves.len()) });
            } else if told.is_undisputed() && above.is_some() {
                self.report
                    .add(Problem::EntriesRewritten { index: first, last: at(width.saturating_sub(1)) });
            }
            self.settle_end();
            self.shifted = None;
            return Ok(());
        };
        for position in &read.unreadable {
            if read.leaves.get(*position) == signed.get(*position) {
                self.report.add(Problem::EntryUnreadable { index: at(*position) });
            }
        }
        self.name_change(first, &read.leaves, signed);
        if read.is_cut && read.leaves.len() == width {
            // All entries are there, and then bytes that are no entry.
            self.report.add(Problem::EntryAdded { index: at(width) });
        }
        Ok(())
    }

    fn name_change(&mut self, first: u64, found: &[Hash], signed: &[Hash]) {
        let at = |position: usize| first.saturating_add(u64::try_from(position).unwrap_or(0));
        let change = compare(found, signed);
        // Does a shift that began at the end of the bundle before, or further back, go on here?
        let goes_on = match change {
            Change::Removed(Shift { position: 0, .. }) | Change::Truncated(0) => {
                self.continues(Kind::Removed, signed.first())
            }
            Change::Added(Shift { position: 0, .. }) => self.continues(Kind::Added, found.first()),
            _ => false,
        };
        if !goes_on {
            self.settle_end();
            self.shifted = None;
        }
        let is_last = found.len() != signed.len();
        match change {
            Change::None => {}
            Change::Truncated(_) if goes_on => {}
            Change::Truncated(position) => self.report.add(Problem::BundleTruncated { index: at(position) }),
            Change::Removed(shift) => {
                if !goes_on {
                    self.report.add(Problem::EntryRemoved { index: at(shift.position) });
                }
                self.shifted = Some(Kind::Removed).filter(|_| !is_last);
            }
            Change::Added(shift) => {
                if !goes_on {
                    self.report.add(Problem::EntryAdded { index: at(shift.position) });
                }
                self.shifted = Some(Kind::Added).filter(|_| !is_last);
            }
            Change::Swapped(one, other) => {
                self.report.add(Problem::EntriesSwapped { index: at(one), other: at(other) });
            }
            Change::Reordered(position) => self.report.add(Problem::EntriesReordered { index: at(position) }),
            Change::Foreign(positions) => {
                let only_last = positions.as_slice() == [signed.len().saturating_sub(1)];
                for position in positions {
                    let hashes = found.get(position).zip(signed.get(position));
                    let Some((found, signed)) = hashes else { continue };
                    let foreign = Foreign { index: at(position), found: *found, signed: *signed };
                    if only_last {
                        self.at_end = Some(foreign);
                    } else {
                        self.push_foreign(foreign);
                    }
                }
            }
        }
    }

    /// Is a shift at the start of this bundle the rest of one that began before it?
    fn continues(&mut self, kind: Kind, first: Option<&Hash>) -> bool {
        if self.shifted == Some(kind) {
            return true;
        }
        let Some(end) = self.at_end else { return false };
        // The entry that the shift carried over the border between the two bundles.
        let carried = if kind == Kind::Removed { end.found } else { end.signed };
        if first != Some(&carried) {
            return false;
        }
        self.at_end = None;
        self.report.add(match kind {
            Kind::Removed => Problem::EntryRemoved { index: end.index },
            Kind::Added => Problem::EntryAdded { index: end.index },
        });
        true
    }

    /// A wrong last entry that did not begin a shift is wrong by itself.
    fn settle_end(&mut self) {
        if let Some(end) = self.at_end.take() {
            self.push_foreign(end);
        }
    }

    fn push_foreign(&mut self, foreign: Foreign) {
        if self.foreign.len() < MOST_FOREIGN {
            self.foreign.push(foreign);
        } else {
            self.report.add(Problem::EntryEdited { index: foreign.index });
        }
    }

    /// Tells entries that come from another bundle of this log from those that were edited.
    fn name_foreign(&mut self) {
        let homes: HashMap<Hash, (u64, Hash)> =
            self.foreign.iter().map(|foreign| (foreign.signed, (foreign.index, foreign.found))).collect();
        for foreign in &self.foreign {
            let problem = match homes.get(&foreign.found) {
                None => Problem::EntryEdited { index: foreign.index },
                Some((home, visitor)) if *visitor == foreign.signed => {
                    // Both halves of a swap come by here; one report is enough.
                    if *home < foreign.index {
                        continue;
                    }
                    Problem::EntriesSwapped { index: foreign.index, other: *home }
                }
                Some(_) => Problem::EntriesReordered { index: foreign.index },
            };
            self.report.add(problem);
        }
    }

    /// One row as its tile tells it, and as what lies below tells it.
    fn row(&self, level: u8, index: u64, rebuilt: &[Option<Hash>]) -> Result<Row, Error> {
        let width = usize::from(tile_width(self.files.size(), level, index));
        let stored = self.files.tile(level, index)?;
        let is_wider = stored.as_ref().is_some_and(|stored| stored.is_wider);
        let bytes = stored.map(|stored| stored.bytes).unwrap_or_default();
        let hashes = bytes.as_chunks::<HASH_BYTES>().0;
        let fill =
            |told: Vec<Option<Hash>>| told.into_iter().chain(std::iter::repeat(None)).take(width).collect();
        Ok(Row {
            stored: fill(hashes.iter().map(|hash| Some(Hash(*hash))).collect()),
            rebuilt: fill(rebuilt.to_vec()),
            has_exact_length: is_wider || bytes.len() == width * HASH_BYTES,
        })
    }

    fn read(&self, index: u64) -> Result<Read, Error> {
        let Some(found) = self.files.bundle(index)? else {
            return Ok(Read::default());
        };
        let most = if found.is_wider { tile_width(self.files.size(), 0, index) } else { TILE_WIDTH };
        let mut read = Read::default();
        for entry in Bundle::new(&found.bytes).take(usize::from(most) + usize::from(!found.is_wider)) {
            let Ok(entry) = entry else {
                read.is_cut = true;
                break;
            };
            if Entry::decode(entry).is_err() {
                read.unreadable.push(read.leaves.len());
            }
            read.leaves.push(leaf_hash(entry));
        }
        Ok(read)
    }
}

/// The signed hashes of a full tile, if the hash above it is settled.
fn settle(told: &Row, above: Option<Hash>) -> Option<Vec<Hash>> {
    let above = above?;
    let rows = reconcile(std::slice::from_ref(told), |rows| rows.iter().all(|row| tile_root(row) == above));
    rows.and_then(|rows| rows.into_iter().next())
}

/// First and last entry below a tile that is full.
fn span(level: u8, index: u64) -> (u64, u64) {
    let entries = leaves_per_hash(level).saturating_mul(WIDTH);
    let first = index.saturating_mul(entries);
    (first, first.saturating_add(entries - 1))
}

fn leaves_per_hash(level: u8) -> u64 {
    1u64.checked_shl(8 * u32::from(level)).unwrap_or(u64::MAX)
}

const WIDTH: u64 = TILE_WIDTH as u64;
/// Beyond so many it is no longer looked up where they come from: they count as edited.
const MOST_FOREIGN: usize = 65_536;
