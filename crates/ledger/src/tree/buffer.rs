//! Turns appended leaves into tiles: every full tile exactly once, and the unfinished right edge of every level.

use std::fmt;

use crate::Error;
use crate::hash::{HASH_BYTES, Hash};
use crate::tree::proof::{ReadError, Tiles};
use crate::tree::{Frontier, LEVELS, MAX_SIZE, TILE_WIDTH, row_length};

/// A growing tree that hands out its tiles.
///
/// A database writer clones it at the start of a transaction (`clone_from` into a spare one allocates nothing),
/// appends the leaves, stores `full_tiles` and what it needs of `partial_tiles`, and keeps the clone only if the commit
/// succeeds. Every leaf costs one node hash on average, tiles and root included.
///
/// ```
/// # use ledger::{hash::leaf_hash, tree::TileBuffer};
/// let mut kept = TileBuffer::new();
/// let mut tried = kept.clone();
/// for number in 0..300u16 {
///     tried.append(leaf_hash(&number.to_be_bytes()));
/// }
/// let full = tried.take_full_tiles();
/// assert_eq!((full.len(), full[0].level, full[0].bytes.len()), (1, 0, 8192));
/// let widths: Vec<_> = tried.partial_tiles().map(|tile| (tile.level, tile.index, tile.width)).collect();
/// assert_eq!(widths, [(0, 1, 44), (1, 0, 1)]);
/// // COMMIT succeeded:
/// std::mem::swap(&mut kept, &mut tried);
/// assert_eq!(kept.size(), 300);
/// ```
pub struct TileBuffer {
    frontier: Frontier,
    // INVARIANT: row `l` holds the last `row_length(size, l) % 256` hashes of level `l`.
    rows: [Vec<[u8; HASH_BYTES]>; LEVELS as usize],
    full: Vec<FullTile>,
}

/// A tile that has just got its last hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    /// Level of the tile, 0 for leaf hashes.
    pub level: u8,
    /// Index of the tile in its level.
    pub index: u64,
    /// 256 hashes of 32 bytes.
    pub bytes: Vec<u8>,
}

/// The unfinished last tile of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialTile<'a> {
    /// Level of the tile, 0 for leaf hashes.
    pub level: u8,
    /// Index of the tile in its level.
    pub index: u64,
    /// How many hashes it holds, 1 to 255.
    pub width: u16,
    /// `width` hashes of 32 bytes.
    pub bytes: &'a [u8],
}

impl TileBuffer {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self { frontier: Frontier::new(), rows: Default::default(), full: Vec::new() }
    }

    /// The tree whose right edge was stored.
    ///
    /// Takes: the size, and for every level from 0 the bytes of its partial tile (empty if it has none; levels above
    /// the last may be left out). Fails: `SR-LEDGER-002`, or `SR-LEDGER-004` if a width does not fit the size.
    pub fn from_parts<B: AsRef<[u8]>>(size: u64, partial_tiles: &[B]) -> Result<Self, Error> {
        if size > MAX_SIZE {
            return Err(Error::SizeOutOfRange { size });
        }
        if partial_tiles.len() > usize::from(LEVELS) {
            return Err(Error::EdgeMalformed { size });
        }
        let mut tree = Self::new();
        let mut given = partial_tiles.iter();
        for (level, row) in (0u8..).zip(tree.rows.iter_mut()) {
            let bytes = given.next().map_or(&[][..], AsRef::as_ref);
            let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
            let width = usize::from(edge_width(size, level));
            if !rest.is_empty() || hashes.len() != width {
                return Err(Error::EdgeMalformed { size });
            }
            row.extend_from_slice(hashes);
        }
        tree.frontier = frontier_of(size, &tree.rows)?;
        Ok(tree)
    }

    /// The tree whose tiles are stored, read at its right edge: one tile per level.
    ///
    /// Fails: as `from_parts`, or with the reader's own error.
    pub fn load<T: Tiles>(size: u64, tiles: &mut T) -> Result<Self, ReadError<T::Error>> {
        if size > MAX_SIZE {
            return Err(Error::SizeOutOfRange { size }.into());
        }
        let mut edge = Vec::new();
        for level in 0..LEVELS {
            let width = edge_width(size, level);
            let mut bytes = Vec::new();
            if width > 0 {
                let index = row_length(size, level) / u64::from(TILE_WIDTH);
                bytes = tiles.tile(level, index, width).map_err(ReadError::Tiles)?;
                // A reader may give a later, wider form of the same tile.
                bytes.truncate(usize::from(width) * HASH_BYTES);
            }
            edge.push(bytes);
        }
        Ok(Self::from_parts(size, &edge)?)
    }

    /// Adds one leaf at the right end.
    ///
    /// Takes: the leaf's hash, from `leaf_hash`.
    pub fn append(&mut self, leaf: Hash) {
        let index = self.frontier.size();
        let (rows, full) = (&mut self.rows, &mut self.full);
        self.frontier.append_each(leaf, |height, hash| {
            // Only every eighth height is stored; readers hash the seven between.
            if height % 8 != 0 {
                return;
            }
            let Ok(level) = u8::try_from(height / 8) else { return };
            let Some(row) = rows.get_mut(usize::from(level)) else { return };
            if row.capacity() == 0 {
                row.reserve_exact(usize::from(TILE_WIDTH));
            }
            row.push(hash.0);
            if row.len() == usize::from(TILE_WIDTH) {
                let bytes = std::mem::take(row).into_flattened();
                let index = row_length(index, level.saturating_add(1));
                full.push(FullTile { level, index, bytes });
            }
        });
    }

    /// How many leaves does the tree have?
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// What is the root of the tree now?
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The same tree without its tiles.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The tiles that were completed since the last `take_full_tiles`, in the order of completion.
    pub fn full_tiles(&self) -> &[FullTile] {
        &self.full
    }

    /// Hands over the completed tiles, and forgets them.
    pub fn take_full_tiles(&mut self) -> Vec<FullTile> {
        std::mem::take(&mut self.full)
    }

    /// The unfinished tile of every level that has one, lowest level first.
    pub fn partial_tiles(&self) -> impl Iterator<Item = PartialTile<'_>> {
        let size = self.size();
        (0u8..).zip(&self.rows).filter_map(move |(level, row)| {
            let width = u16::try_from(row.len()).ok().filter(|width| *width > 0)?;
            let index = row_length(size, level) / u64::from(TILE_WIDTH);
            Some(PartialTile { level, index, width, bytes: row.as_flattened() })
        })
    }
}

impl Default for TileBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for TileBuffer {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.clone_from(self);
        copy
    }

    fn clone_from(&mut self, source: &Self) {
        self.frontier.clone_from(&source.frontier);
        for (row, from) in self.rows.iter_mut().zip(&source.rows) {
            row.clear();
            if !from.is_empty() {
                // Room for a whole tile, so that the appends to come do not move it.
                row.reserve_exact(usize::from(TILE_WIDTH));
                row.extend_from_slice(from);
            }
        }
        self.full.clone_from(&source.full);
    }
}

impl fmt::Debug for TileBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = self.rows.iter().map(Vec::len).collect();
        f.debug_struct("TileBuffer")
            .field("size", &self.size())
            .field("widths", &widths)
            .field("full", &self.full.len())
            .finish_non_exhaustive()
    }
}

/// How wide is the partial tile at the right edge of `level`? 0 if the level ends with a full tile.
fn edge_width(size: u64, level: u8) -> u16 {
    u16::try_from(row_length(size, level) % u64::from(TILE_WIDTH)).unwrap_or(0)
}

/// The full subtrees of a tree, from its partial tiles: the hashes of level `l` are subtrees of height 8·l.
fn frontier_of(size: u64, rows: &[Vec<[u8; HASH_BYTES]>]) -> Result<Frontier, Error> {
    let mut peaks = Vec::new();
    for row in rows.iter().rev() {
        let mut part = Frontier::new();
        for hash in row {
            part.append(Hash(*hash));
        }
        peaks.extend_from_slice(part.hashes());
    }
    Frontier::from_parts(size, &peaks)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{leaves, naive_root};

    fn grown(count: usize) -> TileBuffer {
        let mut tree = TileBuffer::new();
        for leaf in leaves(count) {
            tree.append(leaf);
        }
        tree
    }

    #[test]
    fn every_tile_holds_the_roots_that_the_document_defines() {
        let leaves = leaves(66_000);
        let mut tree = TileBuffer::new();
        for leaf in &leaves {
            tree.append(*leaf);
        }
        let mut tiles: BTreeMap<(u8, u64), Vec<u8>> = BTreeMap::new();
        for tile in tree.take_full_tiles() {
            assert_eq!(tile.bytes.len(), 8192);
            assert!(tiles.insert((tile.level, tile.index), tile.bytes).is_none());
        }
        for tile in tree.partial_tiles() {
            assert!(tiles.insert((tile.level, tile.index), tile.bytes.to_vec()).is_none());
        }
        assert_eq!(tiles.len(), 258 + 2 + 1);
        for ((level, index), bytes) in &tiles {
            let step = 256usize.pow(u32::from(*level));
            for (position, hash) in bytes.chunks(32).enumerate() {
                let first = (usize::try_from(*index).unwrap() * 256 + position) * step;
                assert_eq!(hash, naive_root(&leaves[first..first + step]).0, "level {level} hash {position}");
            }
        }
    }

    #[test]
    fn a_tree_rebuilt_from_its_edge_grows_on_as_the_original() {
        for count in [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537] {
            let mut tree = grown(count);
            tree.take_full_tiles();
            let mut edge = vec![Vec::new(); 8];
            for tile in tree.partial_tiles() {
                edge[usize::from(tile.level)] = tile.bytes.to_vec();
            }
            let mut again = TileBuffer::from_parts(tree.size(), &edge).unwrap();
            assert_eq!(again.frontier(), tree.frontier(), "size {count}");
            for leaf in leaves(300) {
                tree.append(leaf);
                again.append(leaf);
            }
            assert_eq!(again.full_tiles(), tree.full_tiles());
            assert_eq!(again.root(), tree.root());
        }
    }

    #[test]
    fn an_edge_that_does_not_fit_the_size_is_refused() {
        let hash = vec![0u8; 32];
        let none: Vec<Vec<u8>> = Vec::new();
        let refused = |size, edge: &[Vec<u8>]| TileBuffer::from_parts(size, edge).unwrap_err();
        assert_eq!(refused(1, &none), Error::EdgeMalformed { size: 1 });
        assert_eq!(refused(1, &[vec![0u8; 31]]), Error::EdgeMalformed { size: 1 });
        assert_eq!(refused(256, std::slice::from_ref(&hash)), Error::EdgeMalformed { size: 256 });
        assert_eq!(refused(1, &vec![hash; 9]), Error::EdgeMalformed { size: 1 });
        assert_eq!(refused(u64::MAX, &none), Error::SizeOutOfRange { size: u64::MAX });
    }

    #[test]
    fn a_discarded_clone_leaves_the_original_as_it_was() {
        let tree = grown(500);
        let before: Vec<_> = tree.partial_tiles().map(|tile| tile.bytes.to_vec()).collect();
        let mut tried = tree.clone();
        for leaf in leaves(600) {
            tried.append(leaf);
        }
        assert_ne!(tried.root(), tree.root());
        tried.clone_from(&tree);
        assert_eq!(tried.root(), tree.root());
        assert_eq!(tried.full_tiles(), tree.full_tiles());
        let after: Vec<_> = tried.partial_tiles().map(|tile| tile.bytes.to_vec()).collect();
        assert_eq!(before, after);
    }
}
