//! An exported log in memory, made the way the product makes one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use ledger::archive::{Archive, Options, Report, Trust, verify_whole};
use ledger::checkpoint::Checkpoint;
use ledger::entry::{Act, Actor, Entry, Outcome, Part};
use ledger::hash::{Hash, leaf_hash};
use ledger::note::Signer;
use ledger::tree::TileBuffer;
use ledger::{ArchiveFile, Error, bundle};

pub(crate) const ORIGIN: &str = "shop.example/ledger";

/// 2026-11-22T00:00:00Z
pub(crate) const START: i64 = 1_795_305_600_000_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, Vec<u8>>);

impl Archive for Memory {
    fn read(&self, file: ArchiveFile, most: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.0.get(&file.to_string()) {
            Some(bytes) if u64::try_from(bytes.len()).unwrap() > most => {
                Err(Error::FileTooLong { file, most })
            }
            found => Ok(found.cloned()),
        }
    }
}

pub(crate) fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &[42; 32]).unwrap()
}

pub(crate) fn trust() -> Trust {
    Trust::new(signer().verifier().clone())
}

/// Entry `number` of a shop's log: one a second, a reveal of seven fields.
pub(crate) fn entry(number: usize) -> Entry {
    let number = i64::try_from(number).unwrap();
    let mut entry = Entry::new(START + number * 1_000_000, Act::Revealed, Outcome::Yes, Actor::credential(7));
    entry.policy = 1;
    entry.purpose = Some(3);
    entry.parts.push(Part::of(1, [0, 1, 2, 4, 7, 9, 11]));
    entry.alias = Some([9; 16]);
    entry.commitment = leaf_hash(&number.to_be_bytes()).0;
    entry
}

pub(crate) fn entries(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| entry(number).encode().unwrap()).collect()
}

pub(crate) fn root_of(entries: &[Vec<u8>]) -> Hash {
    grow(entries).root()
}

pub(crate) fn checkpoint_of(entries: &[Vec<u8>]) -> String {
    let size = u64::try_from(entries.len()).unwrap();
    Checkpoint::new(ORIGIN, size, root_of(entries)).unwrap().sign(&signer()).unwrap()
}

/// Everything of the export but its bundles.
pub(crate) fn tiles_of(entries: &[Vec<u8>]) -> Memory {
    let mut files = BTreeMap::new();
    let mut tree = grow(entries);
    for tile in tree.take_full_tiles() {
        let path = ledger::tile::TilePath::hashes(tile.level, tile.index, 256).unwrap();
        files.insert(path.to_string(), tile.bytes);
    }
    for tile in tree.partial_tiles() {
        let path = ledger::tile::TilePath::hashes(tile.level, tile.index, tile.width).unwrap();
        files.insert(path.to_string(), tile.bytes.to_vec());
    }
    files.insert("checkpoint".to_owned(), checkpoint_of(entries).into_bytes());
    let log = serde_json::json!({
        "origin": ORIGIN, "vkey": signer().verifier().to_string(), "generation": 1,
        "names": { "purpose": ["delivery"] },
    });
    files.insert("log.json".to_owned(), log.to_string().into_bytes());
    Memory(files)
}

/// The bundles of these entries, in the layout of a log of `size` entries.
pub(crate) fn bundles_of(entries: &[Vec<u8>]) -> Memory {
    let mut files = BTreeMap::new();
    for (index, part) in (0u64..).zip(entries.chunks(256)) {
        let width = u16::try_from(part.len()).unwrap();
        let path = ledger::tile::TilePath::entries(index, width).unwrap();
        files.insert(path.to_string(), bundle::encode(part.iter().map(Vec::as_slice)).unwrap());
    }
    Memory(files)
}

pub(crate) fn export(entries: &[Vec<u8>]) -> Memory {
    let mut archive = tiles_of(entries);
    archive.0.extend(bundles_of(entries).0);
    archive
}

/// 65,836 entries: tiles on three levels, with a right edge on each.
pub(crate) fn large() -> (&'static [Vec<u8>], Memory) {
    static LARGE: OnceLock<(Vec<Vec<u8>>, Memory)> = OnceLock::new();
    let (entries, archive) = LARGE.get_or_init(|| {
        let entries = entries(65_836);
        let archive = export(&entries);
        (entries, archive)
    });
    (entries, archive.clone())
}

/// The large log as it was signed, with bundles that hold these entries instead.
pub(crate) fn forged(stored: &[Vec<u8>]) -> Memory {
    let (_, mut archive) = large();
    archive.0.retain(|path, _| !path.starts_with("tile/entries/"));
    let mut bundles = bundles_of(stored).0;
    // A longer or shorter last bundle keeps the name that readers will ask for.
    let (_, last) = bundles.pop_last().unwrap();
    bundles.insert("tile/entries/257.p/44".to_owned(), last);
    archive.0.extend(bundles);
    archive
}

pub(crate) fn verify(archive: &Memory) -> Report {
    verify_whole(archive, &trust(), &Options::default(), &|_| {}).unwrap()
}

pub(crate) fn write_to(archive: &Memory, folder: &Path) {
    for (path, bytes) in &archive.0 {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn grow(entries: &[Vec<u8>]) -> TileBuffer {
    let mut tree = TileBuffer::new();
    for entry in entries {
        tree.append(leaf_hash(entry));
    }
    tree
}
