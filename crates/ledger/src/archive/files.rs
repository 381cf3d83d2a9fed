//! Tiles and bundles of an archive, under the names they have at the archive's size.

use crate::Error;
use crate::archive::Archive;
use crate::bundle::MAX_BUNDLED_BYTES;
use crate::error::ArchiveFile;
use crate::hash::HASH_BYTES;
use crate::tile::TilePath;
use crate::tree::{TILE_WIDTH, Tiles, tile_width};

/// The tiles and bundles of an archive of known size.
pub(super) struct Files<'a, A> {
    archive: &'a A,
    size: u64,
}

/// A tile or bundle that is there.
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    /// A full one stands where a partial one was looked for; what is beyond the width does not count.
    pub(super) is_wider: bool,
}

impl<'a, A: Archive> Files<'a, A> {
    pub(super) fn new(archive: &'a A, size: u64) -> Self {
        Self { archive, size }
    }

    pub(super) fn archive(&self) -> &'a A {
        self.archive
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn tile_path(&self, level: u8, index: u64) -> Result<TilePath, Error> {
        TilePath::hashes(level, index, tile_width(self.size, level, index))
    }

    pub(super) fn bundle_path(&self, index: u64) -> Result<TilePath, Error> {
        TilePath::entries(index, tile_width(self.size, 0, index))
    }

    pub(super) fn tile(&self, level: u8, index: u64) -> Result<Option<Found>, Error> {
        self.find(self.tile_path(level, index)?, u64::from(TILE_WIDTH) * HASH_SIZE)
    }

    pub(super) fn bundle(&self, index: u64) -> Result<Option<Found>, Error> {
        self.find(self.bundle_path(index)?, MAX_BUNDLE_BYTES)
    }

    fn find(&self, path: TilePath, most: u64) -> Result<Option<Found>, Error> {
        if let Some(bytes) = self.read(path, most)? {
            return Ok(Some(Found { bytes, is_wider: false }));
        }
        if path.width() == TILE_WIDTH {
            return Ok(None);
        }
        // SOURCE: C2SP tlog-tiles, "Partial Tiles": a partial one may go once the full one is there.
        Ok(self.read(path.full(), most)?.map(|bytes| Found { bytes, is_wider: true }))
    }

    fn read(&self, path: TilePath, most: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.archive.read(ArchiveFile::Tile(path), most) {
            // A file that no log writes says as much as an empty one, and is damage rather than a reason to stop.
            Err(Error::FileTooLong { .. }) => Ok(Some(Vec::new())),
            other => other,
        }
    }
}

impl<A: Archive> Tiles for Files<'_, A> {
    type Error = Error;

    fn tile(&mut self, level: u8, index: u64, _width: u16) -> Result<Vec<u8>, Error> {
        let missing = Error::FileMissing { file: ArchiveFile::Tile(self.tile_path(level, index)?) };
        Ok(Files::tile(self, level, index)?.ok_or(missing)?.bytes)
    }
}

const HASH_SIZE: u64 = HASH_BYTES as u64;
const MAX_BUNDLE_BYTES: u64 = TILE_WIDTH as u64 * (2 + MAX_BUNDLED_BYTES as u64);
