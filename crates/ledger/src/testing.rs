//! What the tests of this crate share: the definitions of RFC 6962 as they stand there, slow and plain.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::hash::{Hash, empty_root, leaf_hash, node_hash};
use crate::tree::{TileBuffer, Tiles};

/// Leaf hashes of the entries "0", "1", "2", …
pub(crate) fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|number| leaf_hash(number.to_string().as_bytes())).collect()
}

/// MTH of RFC 6962 §2.1.
pub(crate) fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
pub(crate) fn naive_inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    let (mut proof, sibling) = if index < middle {
        (naive_inclusion(index, left), naive_root(right))
    } else {
        (naive_inclusion(index - middle, right), naive_root(left))
    };
    proof.push(sibling);
    proof
}

/// PROOF of RFC 6962 §2.1.2.
pub(crate) fn naive_consistency(old: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(old, leaves, true)
}

fn subproof(old: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    let (mut proof, sibling) = if old <= middle {
        (subproof(old, left, known), naive_root(right))
    } else {
        (subproof(old - middle, right, false), naive_root(left))
    };
    proof.push(sibling);
    proof
}

/// A log's tiles in memory, exactly as wide as the tree that wrote them.
#[derive(Debug, Clone)]
pub(crate) struct Stored(BTreeMap<(u8, u64), Vec<u8>>);

impl Stored {
    pub(crate) fn of(leaves: &[Hash]) -> Self {
        let mut tree = TileBuffer::new();
        for leaf in leaves {
            tree.append(*leaf);
        }
        let mut tiles = BTreeMap::new();
        for tile in tree.take_full_tiles() {
            tiles.insert((tile.level, tile.index), tile.bytes);
        }
        for tile in tree.partial_tiles() {
            tiles.insert((tile.level, tile.index), tile.bytes.to_vec());
        }
        Self(tiles)
    }

    /// A tree of 70,000 leaves, built once.
    pub(crate) fn large() -> (&'static [Hash], Self) {
        static LARGE: OnceLock<(Vec<Hash>, Stored)> = OnceLock::new();
        let (leaves, stored) = LARGE.get_or_init(|| {
            let leaves = leaves(70_000);
            let stored = Self::of(&leaves);
            (leaves, stored)
        });
        (leaves, stored.clone())
    }
}

impl Tiles for Stored {
    type Error = String;

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, String> {
        let tile = self.0.get(&(level, index)).ok_or(format!("no tile {level}/{index}"))?;
        if tile.len() < usize::from(width) * 32 || width == 0 {
            return Err(format!("tile {level}/{index} is not {width} wide"));
        }
        Ok(tile.clone())
    }
}
