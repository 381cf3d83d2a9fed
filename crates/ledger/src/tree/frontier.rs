//! The smallest thing from which a tree can go on growing: the roots of its full subtrees, largest first.

use std::fmt;

use crate::Error;
use crate::hash::{Hash, empty_root, node_hash};
use crate::tree::MAX_SIZE;

/// A tree reduced to the roots of its full subtrees: one hash per set bit of its size.
///
/// It lives on the stack and copies in one move, so a database writer can keep the old one until the commit.
///
/// ```
/// # use ledger::{hash::{leaf_hash, node_hash}, tree::Frontier};
/// let (one, two) = (leaf_hash(b"one"), leaf_hash(b"two"));
/// let mut tree = Frontier::over(&[one]);
/// tree.append(two);
/// assert_eq!((tree.size(), tree.root()), (2, node_hash(&one, &two)));
/// ```
#[derive(Clone)]
pub struct Frontier {
    size: u64,
    // INVARIANT: the first `size.count_ones()` places are in use, largest subtree first.
    peaks: [Hash; MOST_PEAKS],
}

impl Frontier {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self { size: 0, peaks: [Hash([0; 32]); MOST_PEAKS] }
    }

    /// The tree that was stored as its size and the hashes of `hashes()`.
    ///
    /// Fails: `SR-LEDGER-002` if the size is above `MAX_SIZE`, `SR-LEDGER-004` if the hashes are not as many as the
    /// size has set bits.
    pub fn from_parts(size: u64, hashes: &[Hash]) -> Result<Self, Error> {
        if size > MAX_SIZE {
            return Err(Error::SizeOutOfRange { size });
        }
        if hashes.len() != peak_count(size) {
            return Err(Error::EdgeMalformed { size });
        }
        let mut tree = Self::new();
        tree.size = size;
        for (place, hash) in tree.peaks.iter_mut().zip(hashes) {
            *place = *hash;
        }
        Ok(tree)
    }

    /// The tree over these leaves.
    pub fn over<'a>(leaves: impl IntoIterator<Item = &'a Hash>) -> Self {
        let mut tree = Self::new();
        for leaf in leaves {
            tree.append(*leaf);
        }
        tree
    }

    /// Adds one leaf at the right end.
    ///
    /// Takes: the leaf's hash, from `leaf_hash`.
    pub fn append(&mut self, leaf: Hash) {
        self.append_each(leaf, |_, _| {});
    }

    /// How many leaves does the tree have?
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What is the root of the tree now?
    pub fn root(&self) -> Hash {
        let mut from_right = self.hashes().iter().rev();
        let Some(last) = from_right.next() else {
            return empty_root();
        };
        from_right.fold(*last, |right, left| node_hash(left, &right))
    }

    /// The roots of the full subtrees, largest first: what has to be stored beside the size.
    pub fn hashes(&self) -> &[Hash] {
        self.peaks.get(..peak_count(self.size)).unwrap_or_default()
    }

    /// Adds one leaf and reports the root of every subtree it completes: height 0 is the leaf itself.
    pub(crate) fn append_each(&mut self, leaf: Hash, mut completed: impl FnMut(u32, Hash)) {
        completed(0, leaf);
        let mut hash = leaf;
        let mut place = peak_count(self.size);
        for height in 1..=self.size.trailing_ones() {
            place = place.saturating_sub(1);
            if let Some(left) = self.peaks.get(place) {
                hash = node_hash(left, &hash);
            }
            completed(height, hash);
        }
        if let Some(peak) = self.peaks.get_mut(place) {
            *peak = hash;
        }
        self.size += 1;
    }
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Frontier {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.hashes() == other.hashes()
    }
}

impl Eq for Frontier {}

impl fmt::Debug for Frontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frontier")
            .field("size", &self.size)
            .field("hashes", &self.hashes())
            .finish_non_exhaustive()
    }
}

fn peak_count(size: u64) -> usize {
    usize::try_from(size.count_ones()).unwrap_or(MOST_PEAKS)
}

const MOST_PEAKS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use crate::testing::{leaves, naive_root};

    #[test]
    fn the_root_is_the_recursive_formula_at_every_size() {
        let leaves = leaves(300);
        let mut tree = Frontier::new();
        for size in 0..=leaves.len() {
            assert_eq!(tree.root(), naive_root(&leaves[..size]), "size {size}");
            if let Some(leaf) = leaves.get(size) {
                tree.append(*leaf);
            }
        }
    }

    #[test]
    fn a_stored_tree_grows_on_as_if_it_had_never_been_stored() {
        let leaves = leaves(200);
        let mut whole = Frontier::new();
        for (index, leaf) in leaves.iter().enumerate() {
            let size = u64::try_from(index).unwrap();
            let mut stored = Frontier::from_parts(size, whole.hashes()).unwrap();
            stored.append(*leaf);
            whole.append(*leaf);
            assert_eq!(stored, whole);
        }
    }

    #[test]
    fn parts_that_do_not_fit_the_size_are_refused() {
        let hash = leaf_hash(b"");
        assert_eq!(Frontier::from_parts(3, &[hash]), Err(Error::EdgeMalformed { size: 3 }));
        assert_eq!(Frontier::from_parts(0, &[hash]), Err(Error::EdgeMalformed { size: 0 }));
        assert_eq!(
            Frontier::from_parts(u64::MAX, &[hash; 64]),
            Err(Error::SizeOutOfRange { size: u64::MAX })
        );
        assert!(Frontier::from_parts(MAX_SIZE, &[hash; 63]).is_ok());
    }
}
