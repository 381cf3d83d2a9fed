//! Roots and proofs of any size of the tree, read from its stored tiles.

use thiserror::Error as ThisError;

use crate::Error;
use crate::hash::{HASH_BYTES, Hash, empty_root, node_hash};
use crate::tree::{Frontier, LEVELS, MAX_SIZE, TILE_WIDTH, tile_width};

/// Where the hash tiles of a log are kept.
pub trait Tiles {
    /// What can go wrong while reading.
    type Error;

    /// The first `width` hashes of a tile.
    ///
    /// Takes: level (0 for leaf hashes), index in the level, and how many hashes are needed, 1 to 256.
    /// Gives: at least `width` × 32 bytes; a wider form of the same tile is as good, the rest is ignored.
    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Self::Error>;
}

/// Why a root or proof could not be read from tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum ReadError<E> {
    /// The reader's own error.
    #[error("a tile could not be read")]
    Tiles(E),
    /// The numbers asked for, or a tile's length, are wrong.
    #[error(transparent)]
    Ledger(#[from] Error),
}

/// What was the root when the tree had `size` entries?
///
/// Fails: `SR-LEDGER-002`, `SR-LEDGER-005`, or with the reader's error.
pub fn root_at<T: Tiles>(tiles: &mut T, size: u64) -> Result<Hash, ReadError<T::Error>> {
    Reader::new(tiles, size)?.range(0, size)
}

/// Which hashes prove that entry `index` is in the tree of `size` entries?
///
/// Gives: at most 63 hashes, nearest to the leaf first. Fails: `SR-LEDGER-003` if there is no such entry, else as
/// `root_at`. Source: RFC 6962 §2.1.1.
pub fn inclusion_proof<T: Tiles>(
    tiles: &mut T,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ReadError<T::Error>> {
    let mut reader = Reader::new(tiles, size)?;
    if index >= size {
        return Err(Error::OutsideTree { index, size }.into());
    }
    let mut proof = Vec::new();
    let (mut begin, mut end) = (0, size);
    while end - begin > 1 {
        let middle = begin + left_part(end - begin);
        if index < middle {
            proof.push(reader.range(middle, end)?);
            end = middle;
        } else {
            proof.push(reader.range(begin, middle)?);
            begin = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Which hashes prove that the tree of `new_size` entries only added to the tree of `old_size` entries?
///
/// Gives: nothing when the sizes are equal or the old tree is empty. Fails: `SR-LEDGER-003` if the old tree is the
/// larger one, else as `root_at`. Source: RFC 6962 §2.1.2.
pub fn consistency_proof<T: Tiles>(
    tiles: &mut T,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, ReadError<T::Error>> {
    let mut reader = Reader::new(tiles, new_size)?;
    if old_size > new_size {
        return Err(Error::OutsideTree { index: old_size, size: new_size }.into());
    }
    let mut proof = Vec::new();
    if old_size == 0 {
        return Ok(proof);
    }
    let (mut begin, mut end) = (0, new_size);
    // The verifier knows the old root, so it is left out as long as the old tree is a whole left part.
    let mut known = true;
    while old_size < end {
        let middle = begin + left_part(end - begin);
        if old_size <= middle {
            proof.push(reader.range(middle, end)?);
            end = middle;
        } else {
            proof.push(reader.range(begin, middle)?);
            begin = middle;
            known = false;
        }
    }
    if !known {
        proof.push(reader.range(begin, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// One tree size over a reader; remembers the tiles it has seen, since a proof returns to the same few.
struct Reader<'a, T> {
    tiles: &'a mut T,
    size: u64,
    seen: Vec<((u8, u64), Vec<u8>)>,
}

impl<'a, T: Tiles> Reader<'a, T> {
    fn new(tiles: &'a mut T, size: u64) -> Result<Self, Error> {
        if size > MAX_SIZE {
            return Err(Error::SizeOutOfRange { size });
        }
        Ok(Self { tiles, size, seen: Vec::new() })
    }

    /// The RFC 6962 hash of the entries `begin..end`, where `begin` is a multiple of the largest subtree in it.
    fn range(&mut self, begin: u64, end: u64) -> Result<Hash, ReadError<T::Error>> {
        let mut peaks = Vec::new();
        let mut next = begin;
        while next < end {
            let height = (end - next).ilog2();
            peaks.push(self.subtree(height, next >> height)?);
            next += 1 << height;
        }
        let root = peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
        Ok(root.unwrap_or_else(empty_root))
    }

    /// The root of the full subtree of 2^height entries that is the `index`-th of its height.
    fn subtree(&mut self, height: u32, index: u64) -> Result<Hash, ReadError<T::Error>> {
        let level = u8::try_from(height / 8).unwrap_or(LEVELS);
        let rest = height % 8;
        // Position of its first hash in the stored row of the level below.
        let first = index << rest;
        let tile = first / u64::from(TILE_WIDTH);
        let offset = usize::try_from(first % u64::from(TILE_WIDTH)).unwrap_or(0);
        let row = self.row(level, tile)?;
        let mut part = Frontier::new();
        for hash in row.iter().skip(offset).take(1 << rest) {
            part.append(Hash(*hash));
        }
        if part.size() != 1 << rest {
            return Err(Error::TileMalformed { level, index: tile }.into());
        }
        Ok(part.root())
    }

    fn row(&mut self, level: u8, index: u64) -> Result<&[[u8; HASH_BYTES]], ReadError<T::Error>> {
        let key = (level, index);
        let place = if let Some(place) = self.seen.iter().position(|(seen, _)| *seen == key) {
            place
        } else {
            let width = tile_width(self.size, level, index);
            let bytes = self.tiles.tile(level, index, width).map_err(ReadError::Tiles)?;
            self.seen.push((key, bytes));
            self.seen.len() - 1
        };
        let bytes = self.seen.get(place).map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() {
            return Err(Error::TileMalformed { level, index }.into());
        }
        Ok(hashes)
    }
}

/// The largest power of two below `count`, which is 2 or more. Source: RFC 6962 §2.1, "k".
fn left_part(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Stored, leaves, naive_consistency, naive_inclusion, naive_root};
    use crate::tree::{verify_consistency, verify_inclusion};

    #[test]
    fn every_proof_of_a_small_tree_is_the_recursive_formula() {
        let leaves = leaves(70);
        let mut stored = Stored::of(&leaves);
        for size in 1..=70usize {
            let n = u64::try_from(size).unwrap();
            assert_eq!(root_at(&mut stored, n).unwrap(), naive_root(&leaves[..size]));
            for index in 0..size {
                let i = u64::try_from(index).unwrap();
                let proof = inclusion_proof(&mut stored, i, n).unwrap();
                assert_eq!(proof, naive_inclusion(index, &leaves[..size]), "{index} of {size}");
            }
            for old in 1..=size {
                let m = u64::try_from(old).unwrap();
                let proof = consistency_proof(&mut stored, m, n).unwrap();
                assert_eq!(proof, naive_consistency(old, &leaves[..size]), "{old} to {size}");
            }
        }
    }

    #[test]
    fn the_empty_tree_has_a_root_and_no_proofs() {
        let mut stored = Stored::of(&[]);
        assert_eq!(root_at(&mut stored, 0).unwrap(), empty_root());
        assert_eq!(
            inclusion_proof(&mut stored, 0, 0),
            Err(ReadError::Ledger(Error::OutsideTree { index: 0, size: 0 }))
        );
        assert_eq!(consistency_proof(&mut stored, 0, 0), Ok(vec![]));
    }

    #[test]
    fn sizes_that_no_tree_has_are_refused_without_reading() {
        let mut stored = Stored::of(&[]);
        let refused = Err(ReadError::Ledger(Error::SizeOutOfRange { size: u64::MAX }));
        assert_eq!(root_at(&mut stored, u64::MAX), refused);
        assert_eq!(
            consistency_proof(&mut stored, 9, 8),
            Err(ReadError::Ledger(Error::OutsideTree { index: 9, size: 8 }))
        );
    }

    #[test]
    fn a_tile_that_is_too_short_is_named() {
        struct Short;
        impl Tiles for Short {
            type Error = ();
            fn tile(&mut self, _: u8, _: u64, _: u16) -> Result<Vec<u8>, ()> {
                Ok(vec![0; 33])
            }
        }
        let refused = Err(ReadError::Ledger(Error::TileMalformed { level: 0, index: 0 }));
        assert_eq!(root_at(&mut Short, 2), refused);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn proofs_of_any_size_verify_and_prove_nothing_else(size in 1u64..70_000, a: u64, b: u64) {
            let (leaves, mut stored) = Stored::large();
            let (index, old) = (a % size, b % size + 1);
            let root = root_at(&mut stored, size).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            let proof = inclusion_proof(&mut stored, index, size).unwrap();
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
            let other = (index + 1) % size;
            if other != index {
                prop_assert!(verify_inclusion(&leaf, other, size, &proof, &root).is_err());
            }
            let old_root = root_at(&mut stored, old).unwrap();
            let proof = consistency_proof(&mut stored, old, size).unwrap();
            prop_assert_eq!(verify_consistency(old, &old_root, size, &root, &proof), Ok(()));
            if old != size {
                prop_assert!(verify_consistency(old, &root, size, &root, &proof).is_err());
            }
        }
    }
}
