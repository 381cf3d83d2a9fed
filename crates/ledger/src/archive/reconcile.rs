//! When two sources tell different hashes of the same place: which of them was signed?
//!
//! The hashes of a tile are stored in it, and can be rebuilt from what lies below. If both tell the same, but for a few
//! places, then the mixture that leads to the hash above is the truth; no forger can make a second one.

use crate::hash::{Hash, empty_root, node_hash};
use crate::tree::Frontier;

/// One row of hashes as two sources tell it. A source that does not know a hash has `None` there.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) stored: Vec<Option<Hash>>,
    pub(super) rebuilt: Vec<Option<Hash>>,
    /// The stored tile has the bytes of its hashes and no others.
    pub(super) has_exact_length: bool,
}

impl Row {
    /// What both say, or the only one that knows; `None` where they differ.
    pub(super) fn agreed(&self, position: usize) -> Option<Hash> {
        let at = |told: &[Option<Hash>]| told.get(position).copied().flatten();
        match (at(&self.stored), at(&self.rebuilt)) {
            (Some(stored), Some(rebuilt)) => Some(stored).filter(|_| stored == rebuilt),
            (stored, rebuilt) => stored.or(rebuilt),
        }
    }

    /// Do both know every hash, and tell the same?
    pub(super) fn is_undisputed(&self) -> bool {
        self.stored == self.rebuilt && self.stored.iter().all(Option::is_some)
    }
}

/// Which hashes were signed?
///
/// Takes: rows that were signed together, and the test that the signed ones pass. Gives: a mixture of both tellings that
/// passes, or `None` if none does or too many would have to be tried.
pub(super) fn reconcile(rows: &[Row], passes: impl Fn(&[Vec<Hash>]) -> bool) -> Option<Vec<Vec<Hash>>> {
    whole_rows(rows, &passes).or_else(|| single_hashes(rows, &passes))
}

/// The root of a tree, from the partial tiles at its right edge, lowest level first.
pub(super) fn edge_root(rows: &[Vec<Hash>]) -> Hash {
    let mut peaks = Vec::new();
    for row in rows.iter().rev() {
        peaks.extend_from_slice(Frontier::over(row).hashes());
    }
    peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
}

/// The root over the hashes of a full tile.
pub(super) fn tile_root(row: &[Hash]) -> Hash {
    Frontier::over(row).root()
}

/// Takes every row from one source or the other: the usual case is that one file is damaged.
fn whole_rows(rows: &[Row], passes: &impl Fn(&[Vec<Hash>]) -> bool) -> Option<Vec<Vec<Hash>>> {
    (0..1u32 << rows.len().min(MOST_ROWS)).find_map(|choice| {
        let mixture: Option<Vec<Vec<Hash>>> = (0u32..)
            .zip(rows)
            .map(|(bit, row)| {
                let source = if choice >> bit & 1 == 0 { &row.rebuilt } else { &row.stored };
                source.iter().copied().collect()
            })
            .collect();
        mixture.filter(|mixture| passes(mixture))
    })
}

/// Takes every disputed hash from one source or the other, if they are few.
fn single_hashes(rows: &[Row], passes: &impl Fn(&[Vec<Hash>]) -> bool) -> Option<Vec<Vec<Hash>>> {
    let mut disputed = Vec::new();
    let mut mixture = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let mut hashes = Vec::new();
        for (position, (stored, rebuilt)) in row.stored.iter().zip(&row.rebuilt).enumerate() {
            if let (Some(stored), Some(rebuilt)) = (stored, rebuilt)
                && stored != rebuilt
            {
                disputed.push((number, position, *stored));
            }
            hashes.push(rebuilt.or(*stored)?);
        }
        mixture.push(hashes);
    }
    if disputed.len() > MOST_DISPUTED {
        return None;
    }
    (0..1u32 << disputed.len()).find_map(|choice| {
        let mut mixture = mixture.clone();
        for (bit, (number, position, stored)) in (0u32..).zip(&disputed) {
            let place = mixture.get_mut(*number).and_then(|row| row.get_mut(*position));
            if let Some(place) = place.filter(|_| choice >> bit & 1 == 1) {
                *place = *stored;
            }
        }
        Some(mixture).filter(|mixture| passes(mixture))
    })
}

const MOST_ROWS: usize = 8;
/// 1,024 mixtures of at most 2,040 hashes: less than a second.
const MOST_DISPUTED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leaves, naive_root};

    fn row(hashes: &[Hash]) -> Row {
        let told: Vec<Option<Hash>> = hashes.iter().copied().map(Some).collect();
        Row { stored: told.clone(), rebuilt: told, has_exact_length: true }
    }

    #[test]
    fn the_edge_of_a_tree_gives_its_root() {
        let leaves = leaves(3 * 256 + 5);
        let tiles: Vec<Hash> = leaves.chunks_exact(256).map(naive_root).collect();
        let rows = vec![leaves[768..].to_vec(), tiles];
        assert_eq!(edge_root(&rows), naive_root(&leaves));
        assert_eq!(edge_root(&[]), empty_root());
    }

    #[test]
    fn damage_in_both_sources_is_settled_hash_by_hash() {
        let hashes = leaves(256);
        let root = naive_root(&hashes);
        let passes = |rows: &[Vec<Hash>]| rows.iter().all(|row| tile_root(row) == root);
        let mut damaged = row(&hashes);
        damaged.stored[3] = Some(root);
        damaged.rebuilt[7] = Some(root);
        damaged.rebuilt[8] = None;
        assert_eq!(reconcile(&[damaged.clone()], passes), Some(vec![hashes.clone()]));
        assert_eq!(
            (damaged.agreed(3), damaged.agreed(8), damaged.agreed(9)),
            (None, Some(hashes[8]), Some(hashes[9]))
        );
        damaged.stored[8] = None;
        assert_eq!(reconcile(&[damaged], passes), None);
    }

    #[test]
    fn a_forged_row_that_both_tell_is_no_truth() {
        let hashes = leaves(256);
        let root = naive_root(&leaves(255));
        assert_eq!(reconcile(&[row(&hashes)], |rows| rows.iter().all(|row| tile_root(row) == root)), None);
        assert!(row(&hashes).is_undisputed());
    }

    #[test]
    fn too_many_disputes_are_not_tried() {
        let hashes = leaves(256);
        let root = naive_root(&hashes);
        let mut damaged = row(&hashes);
        for position in 0..6 {
            damaged.stored[position] = Some(root);
            damaged.rebuilt[position + 6] = Some(root);
        }
        assert_eq!(reconcile(&[damaged], |rows| rows.iter().all(|row| tile_root(row) == root)), None);
    }
}
