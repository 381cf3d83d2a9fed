//! The Merkle tree of a log: growing it, reading it from stored tiles, and checking its proofs.
//!
//! Shape and hashes are those of RFC 6962, the stored form is C2SP tlog-tiles: rows of 256 hashes per level, each
//! level standing for eight heights of the tree. Nothing here reads or writes a file.

mod buffer;
mod frontier;
mod proof;
mod verify;

pub use buffer::{FullTile, PartialTile, TileBuffer};
pub use frontier::Frontier;
pub use proof::{ReadError, Tiles, consistency_proof, inclusion_proof, root_at};
pub use verify::{verify_consistency, verify_inclusion};

/// The most entries a tree can have; sizes and indexes stay inside a signed 64-bit number, as databases keep them.
pub const MAX_SIZE: u64 = u64::MAX >> 1;

/// How many hashes a full tile holds.
pub const TILE_WIDTH: u16 = 256;

/// Levels of tiles that a tree of `MAX_SIZE` entries can reach: 256⁸ is above it.
pub const LEVELS: u8 = 8;

/// How many hashes stand in the whole row of `level`, in a tree of `size` entries?
pub fn row_length(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// How wide is this tile in a tree of `size` entries?
///
/// Gives: 256 for a full tile, 1 to 255 for the right edge, 0 if the tree does not reach it.
pub fn tile_width(size: u64, level: u8, index: u64) -> u16 {
    let before = index.saturating_mul(u64::from(TILE_WIDTH));
    let left = row_length(size, level).saturating_sub(before);
    u16::try_from(left).map_or(TILE_WIDTH, |width| width.min(TILE_WIDTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_tiles_document_has_its_widths() {
        // SOURCE: C2SP tlog-tiles, "Partial Tiles": a tree of size 70,000.
        assert_eq!(tile_width(70_000, 0, 272), 256);
        assert_eq!(tile_width(70_000, 0, 273), 112);
        assert_eq!(tile_width(70_000, 1, 0), 256);
        assert_eq!(tile_width(70_000, 1, 1), 17);
        assert_eq!(tile_width(70_000, 2, 0), 1);
        assert_eq!(tile_width(70_000, 3, 0), 0);
        assert_eq!(tile_width(256, 0, 0), 256);
        assert_eq!(tile_width(256, 1, 0), 1);
    }

    #[test]
    fn extreme_numbers_have_a_width_too() {
        assert_eq!(tile_width(u64::MAX, 0, u64::MAX), 0);
        assert_eq!(tile_width(u64::MAX, 255, 0), 0);
        assert_eq!(tile_width(0, 0, 0), 0);
    }
}
