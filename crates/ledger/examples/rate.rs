//! How fast is the ledger on this machine? Prints one rate a line: the best of five rounds, since other programs run too.
//!
//! `cargo run -p ledger --release --example rate -- [ENTRIES] [FOLDER]`: without a folder the log is kept in memory, with
//! one it is exported there (the folder must be empty), verified, and left for `ledger-verify`.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use ledger::archive::{Archive, Folder, Options, Trust, verify_whole};
use ledger::bundle;
use ledger::checkpoint::Checkpoint;
use ledger::entry::{Act, Actor, Entry, OPEN, Outcome, Part, RecordMark};
use ledger::hash::{leaf_hash, node_hash};
use ledger::note::Signer;
use ledger::opening::{Opening, commitment};
use ledger::tile::TilePath;
use ledger::tree::{Frontier, TileBuffer, inclusion_proof, verify_inclusion};
use sha2::block_api::compress256;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let count = match arguments.next() {
        Some(count) => count.to_str().ok_or("ENTRIES is no number")?.parse()?,
        None => 1_000_000,
    };
    let folder = arguments.next().map(PathBuf::from);
    hashing()?;
    entries()?;
    growing()?;
    let (archive, key) = export(count, folder.as_deref())?;
    let trust = Trust::new(key.verifier().clone());
    proofs(&archive, &trust, count)?;
    for threads in [1, 2] {
        match &folder {
            Some(folder) => verify(&Folder::new(folder), &trust, count, threads, "folder")?,
            None => verify(&archive, &trust, count, threads, "memory")?,
        }
    }
    if let Some(folder) = folder {
        say(&format!("ledger-verify whole {} --key {}", folder.display(), key.verifier()))?;
    }
    Ok(())
}

struct Memory(BTreeMap<String, Vec<u8>>);

impl Archive for Memory {
    fn read(&self, file: ledger::ArchiveFile, _most: u64) -> Result<Option<Vec<u8>>, ledger::Error> {
        Ok(self.0.get(&file.to_string()).cloned())
    }
}

impl ledger::tree::Tiles for &Memory {
    type Error = String;
    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, String> {
        let path = TilePath::hashes(level, index, width).map_err(|error| error.to_string())?.to_string();
        self.0.get(&path).cloned().ok_or(path)
    }
}

fn hashing() -> Result<(), Box<dyn Error>> {
    let (revealed, collected) = (revealed(1), collected(1));
    let sizes = (revealed.encode()?.len(), collected.encode()?.len());
    say(&format!("revealed entry {} bytes, collected entry {} bytes", sizes.0, sizes.1))?;
    // The floor under everything: a leaf of up to 118 bytes and its node are two blocks each.
    let mut state = [0u32; 8];
    rate("four blocks of SHA-256 alone", 2_000_000, |_| {
        compress256(&mut state, black_box(&[[7u8; 64]; 4]));
    })?;
    for length in [sizes.0, sizes.1, 150] {
        let entry = vec![7u8; length];
        let mut node = leaf_hash(b"");
        rate(&format!("leaf of {length} bytes and node"), 2_000_000, |_| {
            node = node_hash(&node, &leaf_hash(black_box(&entry)));
        })?;
    }
    Ok(())
}

fn entries() -> Result<(), Box<dyn Error>> {
    let (revealed, collected) = (revealed(1), collected(1));
    let mut out = Vec::new();
    for (name, entry) in [("revealed", &revealed), ("collected", &collected)] {
        rate(&format!("encode {name}"), 5_000_000, |_| {
            out.clear();
            let _ = black_box(black_box(entry).encode_into(&mut out));
        })?;
        let bytes = entry.encode()?;
        let mut reused = entry.clone();
        rate(&format!("decode {name}"), 5_000_000, |_| {
            let _ = black_box(reused.decode_from(black_box(&bytes)));
        })?;
    }
    rate("opening of five facts and its commitment", 1_000_000, |number| {
        let opening = Opening::builder().act(Act::Revealed).subject("sub_abcdefghijklmnopqrstuvwxyz");
        let opening = opening.record("rec_abcdefghijklmnopqrstuvwxyz").version(3).purpose("delivery").build();
        black_box(opening.map(|opening| commitment(&[number.to_le_bytes()[0]; 16], &opening)).ok());
    })?;
    Ok(())
}

fn growing() -> Result<(), Box<dyn Error>> {
    let leaf = leaf_hash(b"leaf");
    let mut tree = Frontier::new();
    rate("frontier: append of a leaf hash", 4_000_000, |_| tree.append(leaf))?;
    let mut tree = TileBuffer::new();
    rate("tile buffer: append of a leaf hash", 4_000_000, |_| tree.append(leaf))?;
    tree.take_full_tiles();
    let mut spare = tree.clone();
    rate("tile buffer: clone_from, 250 appends, root, tiles taken", 10_000, |_| {
        spare.clone_from(&tree);
        for _ in 0..250 {
            spare.append(leaf);
        }
        black_box((spare.root(), spare.take_full_tiles()));
        std::mem::swap(&mut spare, &mut tree);
    })?;
    rate("tile buffer: clone_from alone", 200_000, |_| spare.clone_from(black_box(&tree)))?;
    Ok(())
}

fn export(count: usize, folder: Option<&Path>) -> Result<(Memory, Signer), Box<dyn Error>> {
    let mut files = BTreeMap::new();
    let mut tree = TileBuffer::new();
    let mut bundle = Vec::new();
    let start = Instant::now();
    for number in 0..count {
        let entry = if number % 2 == 0 { revealed(number) } else { collected(number) }.encode()?;
        bundle::push(&mut bundle, &entry)?;
        tree.append(leaf_hash(&entry));
        let (index, width) = (u64::try_from(number / 256)?, u16::try_from(number % 256 + 1)?);
        if width == 256 || number + 1 == count {
            files.insert(TilePath::entries(index, width)?.to_string(), std::mem::take(&mut bundle));
        }
        for tile in tree.take_full_tiles() {
            files.insert(TilePath::hashes(tile.level, tile.index, 256)?.to_string(), tile.bytes);
        }
    }
    for tile in tree.partial_tiles() {
        files.insert(TilePath::hashes(tile.level, tile.index, tile.width)?.to_string(), tile.bytes.to_vec());
    }
    say(&format!("{count} entries built in {:.2?}", start.elapsed()))?;
    let key = Signer::from_seed("shop.example/ledger", &[1; 32])?;
    let checkpoint = Checkpoint::new("shop.example/ledger", tree.size(), tree.root())?.sign(&key)?;
    files.insert("checkpoint".to_owned(), checkpoint.into_bytes());
    let log = format!(r#"{{"origin":"shop.example/ledger","vkey":"{}","generation":1}}"#, key.verifier());
    files.insert("log.json".to_owned(), log.into_bytes());
    if let Some(folder) = folder {
        for (path, bytes) in &files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().ok_or("no folder")?)?;
            fs::write(path, bytes)?;
        }
    }
    Ok((Memory(files), key))
}

fn proofs(archive: &Memory, trust: &Trust, count: usize) -> Result<(), Box<dyn Error>> {
    let checkpoint = trust.checkpoint_of(archive)?;
    let (size, index) = (checkpoint.size(), u64::try_from(count / 3)?);
    let proof = inclusion_proof(&mut &*archive, index, size)?;
    rate("inclusion proof from tiles", 2_000, |_| {
        black_box(inclusion_proof(&mut &*archive, index, size).ok());
    })?;
    let leaf = leaf_hash(b"other");
    rate("inclusion proof checked", 200_000, |_| {
        let _ = black_box(verify_inclusion(black_box(&leaf), index, size, &proof, checkpoint.root()));
    })
}

fn verify(
    archive: &impl Archive,
    trust: &Trust,
    count: usize,
    threads: usize,
    kind: &str,
) -> Result<(), Box<dyn Error>> {
    let options = Options { threads, ..Options::default() };
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        if !verify_whole(archive, trust, &options, &|_| {})?.is_verified() {
            return Err("the log is not whole".into());
        }
        best = best.min(start.elapsed());
    }
    say_rate(&format!("verify whole, {kind}, {threads} threads"), count, best)
}

fn revealed(number: usize) -> Entry {
    let at = 1_795_305_600_000_000 + i64::try_from(number).unwrap_or(0);
    let mut entry = Entry::new(at, Act::Revealed, Outcome::Yes, Actor::credential(42));
    entry.policy = 3;
    entry.purpose = Some(5);
    entry.parts.push(Part::of(1, [0, 1, 2, 4, 7, 9, 11]));
    entry.reasons.push(17);
    entry.alias = Some([0xaa; 16]);
    entry.commitment = leaf_hash(&number.to_be_bytes()).0;
    entry
}

fn collected(number: usize) -> Entry {
    let mut entry = revealed(number);
    entry.act = Act::Collected;
    entry.record = Some(RecordMark { alias: [0xbb; 16], version: 1, until: OPEN });
    entry
}

fn rate(what: &str, times: usize, mut one: impl FnMut(usize)) -> Result<(), Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for number in 0..times / ROUNDS {
            one(number);
        }
        best = best.min(start.elapsed());
    }
    say_rate(what, times / ROUNDS, best)
}

fn say_rate(what: &str, times: usize, time: Duration) -> Result<(), Box<dyn Error>> {
    let seconds = time.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
    let times = times as f64;
    say(&format!("{what}: {:.0} ns each, {:.3} million/s", seconds / times * 1e9, times / seconds / 1e6))
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

const ROUNDS: usize = 5;
