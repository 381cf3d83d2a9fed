//! Verifies a whole log: every entry, every tile, the root, the times, and older checkpoints if there are some.

use crate::Error;
use crate::archive::damage::name_damage;
use crate::archive::files::Files;
use crate::archive::reconcile::{edge_root, tile_root};
use crate::archive::report::{Problem, Report};
use crate::archive::scan::{Scan, Sum, runs_back, scan, times_that_run_back};
use crate::archive::{Archive, Trust};
use crate::bundle::Bundle;
use crate::checkpoint::Checkpoint;
use crate::hash::{HASH_BYTES, Hash, leaf_hash};
use crate::tree::{LEVELS, ReadError, TILE_WIDTH, Tiles, root_at};

/// How a whole log is verified.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// How many threads read the entries.
    pub threads: usize,
    /// Checkpoints of the same log that the caller got earlier and opened with the same trust.
    pub since: &'a [Checkpoint],
    /// By how many microseconds an entry may be older than one before it.
    pub skew_micros: u64,
}

impl Default for Options<'_> {
    /// One thread, no older checkpoints, ten minutes: the doubt that Strongroom allows its clock.
    fn default() -> Self {
        Self { threads: 1, since: &[], skew_micros: 600_000_000 }
    }
}

/// Is this archive, entry by entry, the log that was signed?
///
/// Takes: whom to believe, and a callback that any thread may call with the number of entries done. Uses about half a byte
/// of memory per entry. Gives: a report, also of a damaged log: the first problem of every kind.
/// Fails: as `Trust::checkpoint_of`, when nothing can be verified at all; `SR-LEDGER-029` if a file is there and cannot be
/// read.
pub fn verify_whole(
    archive: &impl Archive,
    trust: &Trust,
    options: &Options<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report, Error> {
    let checkpoint = trust.checkpoint_of(archive)?;
    let mut report = Report::new(&checkpoint);
    let files = Files::new(archive, checkpoint.size());
    let scan = scan(&files, options.threads, options.skew_micros, progress)?;
    let sums = || scan.full.iter().chain(scan.tail.iter().map(|(sum, _)| sum));
    report.entries = sums().map(|sum| u64::from(sum.entries)).sum();
    report.first_at = sums().next().and_then(|sum| sum.times).map(|times| times.first);
    report.last_at = sums().last().and_then(|sum| sum.times).map(|times| times.last);
    report_times(&files, sums(), options.skew_micros, &mut report)?;
    for since in options.since.iter().filter(|since| since.size() > checkpoint.size()) {
        report.add(Problem::Shortened { size: checkpoint.size(), known: since.size() });
    }
    if scan.gave_up {
        report_missing(&files, &scan, &mut report)?;
        return Ok(report);
    }
    let rebuilt = Rebuilt::of(&scan);
    let is_clean = sums().all(|sum| sum.is_clean)
        && rebuilt.root() == Some(*checkpoint.root())
        && upper_tiles_agree(&files, &rebuilt)?;
    if !is_clean {
        name_damage(&files, &scan, &rebuilt, checkpoint.root(), &mut report)?;
        // INVARIANT: what is not clean is never verified, even if its damage has no name.
        if report.is_verified() {
            report.add(Problem::Undecided { index: 0 });
        }
    }
    for since in options.since.iter().filter(|since| since.size() <= checkpoint.size()) {
        report_history(&files, &rebuilt, since, &mut report)?;
    }
    Ok(report)
}

/// The rows of hashes above the entries, rebuilt from the entries alone; `None` where entries are lacking.
pub(super) struct Rebuilt {
    /// The leaf hashes of the partial bundle at the end; as many as it has entries.
    tail: Vec<Option<Hash>>,
    /// The rows of level 1 and above.
    upper: Vec<Vec<Option<Hash>>>,
}

impl Rebuilt {
    fn of(scan: &Scan) -> Self {
        let tail = scan.tail.iter().flat_map(|(_, leaves)| leaves.iter().copied().map(Some)).collect();
        let mut row: Vec<Option<Hash>> = scan.full.iter().map(|sum| sum.root).collect();
        let mut upper = Vec::new();
        while !row.is_empty() {
            let above = row
                .chunks_exact(usize::from(TILE_WIDTH))
                .map(|tile| tile.iter().copied().collect::<Option<Vec<Hash>>>().map(|tile| tile_root(&tile)))
                .collect();
            upper.push(std::mem::replace(&mut row, above));
        }
        Self { tail, upper }
    }

    /// The whole row of a level above 0.
    pub(super) fn row(&self, level: u8) -> &[Option<Hash>] {
        let place = usize::from(level).checked_sub(1);
        place.and_then(|place| self.upper.get(place)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The hashes of the partial tile at the right edge of a level; for level 0, those of the entries that are there.
    pub(super) fn edge(&self, level: u8) -> &[Option<Hash>] {
        if level == 0 {
            return &self.tail;
        }
        let row = self.row(level);
        row.get(row.len() - row.len() % usize::from(TILE_WIDTH)..).unwrap_or_default()
    }

    fn root(&self) -> Option<Hash> {
        let edge: Option<Vec<Vec<Hash>>> =
            (0..LEVELS).map(|level| self.edge(level).iter().copied().collect()).collect();
        edge.map(|edge| edge_root(&edge))
    }
}

/// Do the stored tiles above level 0 hold the rebuilt hashes?
fn upper_tiles_agree<A: Archive>(files: &Files<'_, A>, rebuilt: &Rebuilt) -> Result<bool, Error> {
    for level in 1..LEVELS {
        for (index, hashes) in (0u64..).zip(rebuilt.row(level).chunks(usize::from(TILE_WIDTH))) {
            let Some(stored) = files.tile(level, index)? else {
                return Ok(false);
            };
            let (row, rest) = stored.bytes.as_chunks::<HASH_BYTES>();
            let same = row.iter().zip(hashes).all(|(stored, rebuilt)| *rebuilt == Some(Hash(*stored)));
            let long_enough = row.len() == hashes.len() || (stored.is_wider && row.len() > hashes.len());
            if !same || !rest.is_empty() || !long_enough {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn report_missing<A: Archive>(files: &Files<'_, A>, scan: &Scan, report: &mut Report) -> Result<(), Error> {
    for (index, _) in (0u64..).zip(&scan.full).filter(|(_, sum)| sum.is_missing) {
        report.add(Problem::FileMissing { file: files.bundle_path(index)? });
    }
    Ok(())
}

fn report_times<'a, A: Archive>(
    files: &Files<'_, A>,
    sums: impl Iterator<Item = &'a Sum>,
    skew_micros: u64,
    report: &mut Report,
) -> Result<(), Error> {
    let mut highest: Option<i64> = None;
    for (tile, times) in (0u64..).zip(sums).filter_map(|(tile, sum)| Some((tile, sum.times?))) {
        let across = highest.is_some_and(|highest| runs_back(highest, times.lowest, skew_micros));
        if times.run_back || across {
            for (index, by_micros) in times_that_run_back(files, tile, highest, skew_micros)? {
                report.add(Problem::TimeRunsBack { index, by_micros });
            }
        }
        highest = Some(highest.map_or(times.highest, |highest| highest.max(times.highest)));
    }
    Ok(())
}

/// Are the first entries still those of the older checkpoint?
fn report_history<A: Archive>(
    files: &Files<'_, A>,
    rebuilt: &Rebuilt,
    since: &Checkpoint,
    report: &mut Report,
) -> Result<(), Error> {
    // The entries themselves are asked first: a damaged tile alone does not change the history.
    let root = match root_at(&mut AsRebuilt { files, rebuilt }, since.size()) {
        Ok(root) => Some(root),
        Err(ReadError::Tiles(Lacking::File(error))) => return Err(error),
        Err(_) => root_at(&mut Files::new(files.archive(), files.size()), since.size()).ok(),
    };
    if root != Some(*since.root()) {
        report.add(Problem::HistoryDiffers { known: since.size() });
    }
    Ok(())
}

/// Tiles as the entries give them.
struct AsRebuilt<'a, A> {
    files: &'a Files<'a, A>,
    rebuilt: &'a Rebuilt,
}

enum Lacking {
    Entries,
    File(Error),
}

impl<A: Archive> Tiles for AsRebuilt<'_, A> {
    type Error = Lacking;

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Lacking> {
        let mut bytes = Vec::new();
        if level == 0 {
            let found = self.files.bundle(index).map_err(Lacking::File)?.ok_or(Lacking::Entries)?;
            for entry in Bundle::new(&found.bytes).map_while(Result::ok) {
                bytes.extend_from_slice(leaf_hash(entry).as_bytes());
            }
            return Ok(bytes);
        }
        let first =
            usize::try_from(index.saturating_mul(u64::from(TILE_WIDTH))).map_err(|_| Lacking::Entries)?;
        for hash in self.rebuilt.row(level).iter().skip(first).take(usize::from(width)) {
            bytes.extend_from_slice(hash.ok_or(Lacking::Entries)?.as_bytes());
        }
        Ok(bytes)
    }
}
