//! The fast pass over a log: every entry is read, hashed, decoded and compared with its tile, by several threads.
//!
//! It only tells clean tiles from others; what is wrong with the others is found by `damage`, which may be slow.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::{panic, thread};

use crate::Error;
use crate::archive::Archive;
use crate::archive::files::Files;
use crate::bundle::Bundle;
use crate::entry::{Act, Actor, Entry, Outcome};
use crate::hash::{HASH_BYTES, Hash, leaf_hash};
use crate::tree::{Frontier, TILE_WIDTH, tile_width};

/// What the fast pass keeps of one bundle and its tile.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    /// The root over the entries as they are, if there are as many as there should be.
    pub(super) root: Option<Hash>,
    /// Entries that were read.
    pub(super) entries: u16,
    /// Bundle and tile are there, whole, readable, and agree.
    pub(super) is_clean: bool,
    /// The bundle is not there.
    pub(super) is_missing: bool,
    /// The times of its entries, if any could be read.
    pub(super) times: Option<Times>,
}

/// The times in one bundle, in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) lowest: i64,
    pub(super) highest: i64,
    /// Some entry is older than one before it in the same bundle by more than the allowed skew.
    pub(super) run_back: bool,
}

/// The sums of a whole log.
pub(super) struct Scan {
    /// One for each full bundle, in order. Shorter if too many files were missing to go on.
    pub(super) full: Vec<Sum>,
    /// The partial bundle at the end and the hashes of its entries.
    pub(super) tail: Option<(Sum, Vec<Hash>)>,
    /// So many files were missing that the rest was not looked at.
    pub(super) gave_up: bool,
}

/// Reads the whole log once.
///
/// Takes: how many threads, the allowed skew, and a callback that is told, by any thread, how many entries are done.
/// Fails: with the error of the first file that is there and cannot be read.
pub(super) fn scan<A: Archive>(
    files: &Files<'_, A>,
    threads: usize,
    skew_micros: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Scan, Error> {
    let width = u64::from(TILE_WIDTH);
    let shared = Shared {
        files,
        skew_micros,
        progress,
        full_tiles: files.size() / width,
        next_run: AtomicU64::new(0),
        missing: AtomicU64::new(0),
        entries: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    };
    let mut runs = Vec::new();
    thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(|| shared.work())).collect();
        runs.push(shared.work());
        for helper in helpers {
            runs.push(helper.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        }
    });
    let mut runs: Vec<Run> = runs.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    runs.sort_unstable_by_key(|run| run.number);
    let full: Vec<Sum> = runs.into_iter().flat_map(|run| run.sums).collect();
    let gave_up = shared.too_many_missing();
    let mut tail = None;
    if !gave_up && !files.size().is_multiple_of(width) {
        let mut worker = Worker::new(files, skew_micros);
        let sum = worker.read(shared.full_tiles)?;
        tail = Some((sum, worker.leaves.iter().map(|leaf| Hash(*leaf)).collect()));
        shared.report(u64::from(sum.entries));
    }
    Ok(Scan { full, tail, gave_up })
}

/// The first entry of a bundle that is older than one before it by more than the skew, and by how much.
///
/// Takes: the highest time before the bundle. Gives: every such entry; used only on bundles known to hold one.
pub(super) fn times_that_run_back<A: Archive>(
    files: &Files<'_, A>,
    tile: u64,
    mut highest: Option<i64>,
    skew_micros: u64,
) -> Result<Vec<(u64, u64)>, Error> {
    let mut found = Vec::new();
    let bytes = files.bundle(tile)?.map(|found| found.bytes).unwrap_or_default();
    let first = tile.saturating_mul(u64::from(TILE_WIDTH));
    let width = usize::from(tile_width(files.size(), 0, tile));
    for (index, entry) in (first..).zip(Bundle::new(&bytes).take(width).map_while(Result::ok)) {
        let Ok(entry) = Entry::decode(entry) else { continue };
        let before = highest.unwrap_or(entry.at);
        let back = before.saturating_sub(entry.at);
        if let Some(by) = u64::try_from(back).ok().filter(|by| *by > skew_micros) {
            found.push((index, by));
        }
        highest = Some(before.max(entry.at));
    }
    Ok(found)
}

/// Consecutive bundles that one thread read.
struct Run {
    number: u64,
    sums: Vec<Sum>,
}

struct Shared<'a, A> {
    files: &'a Files<'a, A>,
    skew_micros: u64,
    progress: &'a (dyn Fn(u64) + Sync),
    full_tiles: u64,
    next_run: AtomicU64,
    missing: AtomicU64,
    entries: AtomicU64,
    stop: AtomicBool,
}

impl<A: Archive> Shared<'_, A> {
    fn work(&self) -> Result<Vec<Run>, Error> {
        let mut worker = Worker::new(self.files, self.skew_micros);
        let mut runs = Vec::new();
        while !self.stop.load(Ordering::Relaxed) && !self.too_many_missing() {
            let number = self.next_run.fetch_add(1, Ordering::Relaxed);
            let first = number.saturating_mul(TILES_IN_A_RUN);
            let end = first.saturating_add(TILES_IN_A_RUN).min(self.full_tiles);
            if first >= end {
                break;
            }
            let sums = (first..end).map(|tile| worker.read(tile)).collect::<Result<Vec<Sum>, _>>();
            let sums = sums.inspect_err(|_| self.stop.store(true, Ordering::Relaxed))?;
            let missing = sums.iter().filter(|sum| sum.is_missing).count();
            self.missing.fetch_add(u64::try_from(missing).unwrap_or(0), Ordering::Relaxed);
            self.report(sums.iter().map(|sum| u64::from(sum.entries)).sum());
            runs.push(Run { number, sums });
        }
        Ok(runs)
    }

    /// A checkpoint may promise more entries than there are atoms; a folder without them must not keep us for ever.
    fn too_many_missing(&self) -> bool {
        self.missing.load(Ordering::Relaxed) > MOST_MISSING
    }

    fn report(&self, entries: u64) {
        let before = self.entries.fetch_add(entries, Ordering::Relaxed);
        (self.progress)(before.saturating_add(entries));
    }
}

/// Reads bundles, and keeps its memory from one to the next.
struct Worker<'a, A> {
    files: &'a Files<'a, A>,
    skew_micros: u64,
    entry: Entry,
    leaves: Vec<[u8; HASH_BYTES]>,
}

impl<'a, A: Archive> Worker<'a, A> {
    fn new(files: &'a Files<'a, A>, skew_micros: u64) -> Self {
        let entry = Entry::new(0, Act::Opened, Outcome::Yes, Actor::house());
        Self { files, skew_micros, entry, leaves: Vec::with_capacity(usize::from(TILE_WIDTH)) }
    }

    fn read(&mut self, tile: u64) -> Result<Sum, Error> {
        let width = usize::from(tile_width(self.files.size(), 0, tile));
        self.leaves.clear();
        let Some(found) = self.files.bundle(tile)? else {
            return Ok(Sum { is_missing: true, ..Sum::default() });
        };
        let mut sum = Sum { is_clean: true, ..Sum::default() };
        let mut tree = Frontier::new();
        for entry in Bundle::new(&found.bytes) {
            if self.leaves.len() == width {
                sum.is_clean &= found.is_wider;
                break;
            }
            let Ok(entry) = entry else {
                sum.is_clean = false;
                break;
            };
            let leaf = leaf_hash(entry);
            tree.append(leaf);
            self.leaves.push(leaf.0);
            match self.entry.decode_from(entry) {
                Ok(()) => sum.times = Some(with_time(sum.times, self.entry.at, self.skew_micros)),
                Err(_) => sum.is_clean = false,
            }
        }
        sum.entries = u16::try_from(self.leaves.len()).unwrap_or(TILE_WIDTH);
        if self.leaves.len() == width {
            sum.root = Some(tree.root());
        }
        sum.is_clean &= sum.root.is_some() && self.agrees(tile)?;
        Ok(sum)
    }

    /// Does the stored tile hold the hashes of the entries?
    fn agrees(&self, tile: u64) -> Result<bool, Error> {
        let leaves = self.leaves.as_flattened();
        Ok(self.files.tile(0, tile)?.is_some_and(|stored| {
            stored.bytes.get(..leaves.len()) == Some(leaves)
                && (stored.is_wider || stored.bytes.len() == leaves.len())
        }))
    }
}

fn with_time(times: Option<Times>, at: i64, skew_micros: u64) -> Times {
    let Some(times) = times else {
        return Times { first: at, last: at, lowest: at, highest: at, run_back: false };
    };
    Times {
        last: at,
        lowest: times.lowest.min(at),
        highest: times.highest.max(at),
        run_back: times.run_back || runs_back(times.highest, at, skew_micros),
        ..times
    }
}

/// Is `at` earlier than a time before it by more than the skew?
pub(super) fn runs_back(highest_before: i64, at: i64, skew_micros: u64) -> bool {
    u64::try_from(highest_before.saturating_sub(at)).is_ok_and(|by| by > skew_micros)
}

/// 16,384 entries: small enough to share evenly, large enough that threads rarely meet.
const TILES_IN_A_RUN: u64 = 64;
const MOST_MISSING: u64 = 1000;
