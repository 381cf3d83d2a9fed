//! The log that is being written, read in the layout in which it is exported.

use std::path::Path;
use std::sync::Arc;

use ledger::archive::{Archive, Log, Options, Report, Trust, verify_whole};
use ledger::tile::{TileKind, TilePath};
use ledger::tree::Tiles;
use ledger::{ArchiveFile, Error as LedgerError};

use crate::ground::house::House;
use crate::ground::log::{StoredTiles, TileRoots, generation_of_log};
use crate::ground::{Problem, Shop, heads};

/// A log as of one signed head.
#[derive(Debug)]
pub struct LiveLog {
    house: Arc<House>,
    shop: Arc<Shop>,
    log: i64,
    note: String,
    cosigned: Option<String>,
}

impl LiveLog {
    /// The log of a shop, as of a head that is signed now. Must not be called on a thread of the runtime.
    pub fn new(house: &Arc<House>, shop: &Arc<Shop>, note: String) -> LiveLog {
        let size: u64 = note.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(0);
        // One that came while the head was signed may be newer than the head.
        let cosigned = house.witnesses.cosigned(shop.log()).filter(|cosigned| cosigned.size <= size);
        let cosigned = cosigned.map(|cosigned| cosigned.note);
        LiveLog { house: Arc::clone(house), shop: Arc::clone(shop), log: shop.log(), note, cosigned }
    }

    /// The newest head up to this one that witnesses have cosigned.
    pub fn cosigned(&self) -> Option<&str> {
        self.cosigned.as_deref()
    }

    /// Whom its reader believes.
    pub fn trust(&self) -> Result<Trust, Problem> {
        Ok(Trust::new(heads::verifier(&self.house, &self.shop, self.log)?))
    }

    fn file(&self, file: ArchiveFile) -> Result<Option<Vec<u8>>, Problem> {
        match file {
            ArchiveFile::Checkpoint => Ok(Some(self.note.clone().into_bytes())),
            ArchiveFile::Cosigned => Ok(self.cosigned.clone().map(String::into_bytes)),
            ArchiveFile::Log => describe(&self.house, &self.shop, self.log).map(Some),
            ArchiveFile::Tile(path) => {
                let log = self.log;
                self.house.store.look_blocking(move |view| tile_bytes(view, log, &path, None))
            }
        }
    }
}

impl Archive for LiveLog {
    fn read(&self, file: ArchiveFile, most: u64) -> Result<Option<Vec<u8>>, LedgerError> {
        let bytes = self
            .file(file)
            .map_err(|_| LedgerError::FileUnreadable { file, kind: std::io::ErrorKind::Other })?;
        match bytes {
            Some(bytes) if bytes.len() as u64 > most => Err(LedgerError::FileTooLong { file, most }),
            bytes => Ok(bytes),
        }
    }
}

/// The bytes of a tile or a bundle. `None` when the log does not have it, or not so wide.
///
/// Takes: roots that were made before, unless all is to be hashed afresh.
pub fn tile_bytes(
    view: &store::View<'_>,
    log: i64,
    path: &TilePath,
    roots: Option<&TileRoots>,
) -> Result<Option<Vec<u8>>, Problem> {
    let Some(head) = view.log_head(log)? else { return Ok(None) };
    let width = path.width();
    match path.kind() {
        TileKind::Hashes(level) => {
            if ledger::tree::tile_width(head.size, level, path.index()) < width {
                return Ok(None);
            }
            let mut bytes = StoredTiles { view, log, roots }.tile(level, path.index(), width)?;
            bytes.truncate(usize::from(width) * 32);
            Ok(Some(bytes))
        }
        TileKind::Entries => {
            let first = path.index().saturating_mul(store::LEAVES_PER_TILE);
            let have = head.size.saturating_sub(first).min(store::LEAVES_PER_TILE);
            if have < u64::from(width) {
                return Ok(None);
            }
            let packed = view.leaves_packed(log, first, first.saturating_add(have))?;
            let wanted: usize = store::Unpack(&packed)
                .take(usize::from(width))
                .map(|leaf| leaf.len().saturating_add(2))
                .sum();
            Ok(packed.get(..wanted).map(<[u8]>::to_vec))
        }
    }
}

/// `log.json`: what the log says of itself, with the names for its numbers.
pub fn describe(house: &House, shop: &Shop, log: i64) -> Result<Vec<u8>, Problem> {
    let policy = shop.policy();
    let described = Log {
        origin: heads::origin(&shop.name, log),
        vkey: heads::verifier(house, shop, log)?.to_string(),
        generation: u64::from(generation_of_log(log)),
        names: serde_json::from_str(&policy.registry.to_json()).ok(),
    };
    Ok(serde_json::to_vec_pretty(&described).unwrap_or_default())
}

/// Verifies a whole log, entry by entry, against a head that is signed now. Blocks.
///
/// Takes: who is told how many entries are done; any thread may tell.
pub fn verify_log(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    note: String,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report, Problem> {
    verify_live(&LiveLog::new(house, shop, note), progress)
}

/// The same for a log as of one head, which is also held against the newest that witnesses have cosigned.
pub fn verify_live(live: &LiveLog, progress: &(dyn Fn(u64) + Sync)) -> Result<Report, Problem> {
    let trust = live.trust()?;
    let cosigned = live.cosigned().map(|note| trust.open(note)).transpose()?;
    let options = Options { threads: 2, since: cosigned.as_slice(), ..Options::default() };
    Ok(verify_whole(live, &trust, &options, progress)?)
}

/// Writes a log into a folder, in the layout of C2SP tlog-tiles: everything that `ledger-verify` needs. Blocks.
///
/// Gives: how many entries. Fails: `SR-ACCOUNT-005` when the folder is there already.
pub fn export(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    note: String,
    folder: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Problem> {
    if folder.exists() {
        return Err(Problem::new("SR-ACCOUNT-005", 409, "the folder is there already"));
    }
    let live = LiveLog::new(house, shop, note);
    let size = live.trust()?.checkpoint_of(&live)?.size();
    let write = |file: ArchiveFile| -> Result<(), Problem> {
        let path = folder.join(file.to_string());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let bytes = live.file(file)?.ok_or(store::Error::BrokenLog { log: live.log, leaf: 0 })?;
        std::fs::write(path, bytes)?;
        Ok(())
    };
    let bundles = size.div_ceil(store::LEAVES_PER_TILE);
    for index in 0..bundles {
        let width = ledger::tree::tile_width(size, 0, index);
        write(ArchiveFile::Tile(TilePath::entries(index, width)?))?;
        progress(index.saturating_add(1).saturating_mul(store::LEAVES_PER_TILE).min(size), size);
    }
    for level in 0_u8..8 {
        let row = ledger::tree::row_length(size, level);
        if row == 0 {
            break;
        }
        for index in 0..row.div_ceil(store::LEAVES_PER_TILE) {
            let width = ledger::tree::tile_width(size, level, index);
            write(ArchiveFile::Tile(TilePath::hashes(level, index, width)?))?;
        }
    }
    write(ArchiveFile::Log)?;
    if live.cosigned().is_some() {
        write(ArchiveFile::Cosigned)?;
    }
    // ORDER: the checkpoint last: a folder that has one is whole.
    write(ArchiveFile::Checkpoint)?;
    Ok(size)
}
