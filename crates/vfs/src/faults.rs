//! A disk for tests: it keeps what was written apart from what was synced, loses power at a chosen call, and fails when told to.
//!
//! While it has power, everybody reads what was written last, as from an operating system's cache. When the power goes, every
//! call fails from then on, and [`FaultyDisk::survivors`] writes into another folder what a disk may then hold: all that was
//! synced, and of the rest any sectors, in any order. That folder is opened with an ordinary disk.
//!
//! A sync that fails loses what it was to make durable, for good: after that the cache holds what the disk never will.
//! SOURCE: Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi as sql;

use crate::Disk;
use crate::checked::Checks;
use crate::shim::{self, Below, FileLayer, Kind, Layer};

/// A call that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A read.
    Read,
    /// A write.
    Write,
    /// A file cut to a size.
    Truncate,
    /// A sync.
    Sync,
    /// A file deleted.
    Delete,
    /// A file opened.
    Open,
    /// The memory shared by connections mapped, or locked.
    SharedMemory,
}

/// What a failing call answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// There is no room left.
    Full,
    /// The device failed.
    Failed,
}

/// For how long a fault stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// One call.
    Once,
    /// Until [`FaultyDisk::mend`].
    UntilMended,
}

/// What becomes of sectors that were written and not synced when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// None reaches the disk.
    Lost,
    /// All do.
    Kept,
    /// Each does or does not.
    Mixed,
}

/// The disk.
#[derive(Debug)]
pub struct FaultyDisk {
    sim: Arc<Mutex<Sim>>,
    checked: &'static str,
    plain: &'static str,
}

impl FaultyDisk {
    /// A disk without faults. It stays registered for as long as the process runs, so a test makes one and uses it again.
    ///
    /// `None` when SQLite refuses to take it.
    pub fn new() -> Option<FaultyDisk> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let sim = Arc::new(Mutex::new(Sim::default()));
        let (plain, plain_name) = shim::lasting(&format!("faulty-{number}"))?;
        let (checked, checked_name) = shim::lasting(&format!("faulty-{number}-checked"))?;
        (shim::register(plain, None, Faults(Arc::clone(&sim)))
            && shim::register(checked, Some(plain), Checks))
        .then_some(FaultyDisk { sim, checked: checked_name, plain: plain_name })
    }

    /// The way to its files, with page checksums.
    pub fn disk(&self) -> Disk {
        Disk(self.checked)
    }

    /// The way to its files, without.
    pub fn plain(&self) -> Disk {
        Disk(self.plain)
    }

    /// Forgets all faults and files: for another round.
    pub fn begin(&self) {
        *self.sim() = Sim::default();
    }

    /// The power goes at the n-th call from now that changes something, from 0.
    pub fn cut_at(&self, call: u64) {
        let mut sim = self.sim();
        sim.cut_at = Some(sim.changes.saturating_add(call));
    }

    /// The power goes.
    pub fn cut(&self) {
        self.sim().off = true;
    }

    /// Has the power gone?
    pub fn is_off(&self) -> bool {
        self.sim().off
    }

    /// The n-th such call from now, from 0, fails.
    pub fn fail(&self, call: Call, nth: u64, answer: Answer, lasts: Lasts) {
        self.sim().faults.push(Fault { call, after: nth, answer, lasts });
    }

    /// No call fails any more.
    pub fn mend(&self) {
        self.sim().faults.clear();
    }

    /// From now on it answers every sync with yes and does none: what `synchronous = OFF` comes to.
    pub fn lie_about_syncs(&self) {
        self.sim().lies = true;
    }

    /// Calls so far that change something.
    pub fn changes(&self) -> u64 {
        self.sim().changes
    }

    /// Writes into a folder what the disk may hold after the power went.
    pub fn survivors(&self, unsynced: Unsynced, seed: u64, folder: &Path) -> std::io::Result<()> {
        let mut dice = Dice(seed);
        for (path, file) in &self.sim().files {
            let Some(name) = path.file_name() else { continue };
            if let Some(bytes) = file.after_a_cut(unsynced, &mut dice) {
                std::fs::write(folder.join(name), bytes)?;
            }
        }
        Ok(())
    }

    fn sim(&self) -> MutexGuard<'_, Sim> {
        self.sim.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Sim {
    files: BTreeMap<PathBuf, Image>,
    faults: Vec<Fault>,
    changes: u64,
    cut_at: Option<u64>,
    off: bool,
    lies: bool,
}

#[derive(Debug)]
struct Fault {
    call: Call,
    after: u64,
    answer: Answer,
    lasts: Lasts,
}

/// What becomes of a call.
enum Fate {
    Done,
    /// The power went while it was under way.
    Cut,
    Fails(Answer),
}

impl Sim {
    fn fate(&mut self, call: Call) -> Fate {
        if self.off {
            return Fate::Fails(Answer::Failed);
        }
        let changes = matches!(call, Call::Write | Call::Truncate | Call::Sync | Call::Delete);
        if changes {
            let number = self.changes;
            self.changes = self.changes.saturating_add(1);
            if self.cut_at == Some(number) {
                self.off = true;
                return Fate::Cut;
            }
        }
        let due = self.faults.iter_mut().position(|fault| {
            if fault.call != call {
                return false;
            }
            let now = fault.after == 0;
            fault.after = fault.after.saturating_sub(1);
            now
        });
        let Some(due) = due else { return Fate::Done };
        match self.faults.get(due).map(|fault| (fault.answer, fault.lasts)) {
            Some((answer, Lasts::Once)) => {
                self.faults.remove(due);
                Fate::Fails(answer)
            }
            Some((answer, Lasts::UntilMended)) => Fate::Fails(answer),
            None => Fate::Done,
        }
    }

    fn file(&mut self, path: &Path) -> &mut Image {
        self.files.entry(path.to_path_buf()).or_default()
    }
}

/// A file: what the disk holds of it, and what it was told since.
#[derive(Debug, Default)]
struct Image {
    /// `None`: there is no such file.
    durable: Option<Vec<u8>>,
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { size: usize },
    Delete,
}

/// What a disk writes as a whole.
const SECTOR: usize = 512;

impl Image {
    /// Everything so far is durable.
    fn synced(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &change, &mut |_| true);
        }
        self.durable.get_or_insert_default();
    }

    fn after_a_cut(&self, unsynced: Unsynced, dice: &mut Dice) -> Option<Vec<u8>> {
        let mut file = self.durable.clone();
        for change in &self.pending {
            let mut is_kept = |_: usize| match unsynced {
                Unsynced::Lost => false,
                Unsynced::Kept => true,
                Unsynced::Mixed => dice.roll() & 1 == 1,
            };
            apply(&mut file, change, &mut is_kept);
        }
        file
    }
}

/// Applies the sectors of a change that are kept.
fn apply(file: &mut Option<Vec<u8>>, change: &Change, is_kept: &mut dyn FnMut(usize) -> bool) {
    match change {
        Change::Write { at, bytes } => {
            let mut begin = *at;
            let end = at.saturating_add(bytes.len());
            while begin < end {
                let sector_ends = begin.saturating_add(1).next_multiple_of(SECTOR).min(end);
                let part = bytes.get(begin.saturating_sub(*at)..sector_ends.saturating_sub(*at));
                if let Some(part) = part.filter(|_| is_kept(begin)) {
                    let file = file.get_or_insert_default();
                    if file.len() < sector_ends {
                        file.resize(sector_ends, 0);
                    }
                    if let Some(place) = file.get_mut(begin..sector_ends) {
                        place.copy_from_slice(part);
                    }
                }
                begin = sector_ends;
            }
        }
        Change::Truncate { size } => {
            if is_kept(0) {
                file.get_or_insert_default().resize(*size, 0);
            }
        }
        Change::Delete => {
            if is_kept(0) {
                *file = None;
            }
        }
    }
}

/// A row of numbers that is the same for the same seed. SOURCE: Steele et al., SplitMix64, 2014.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The layer.
struct Faults(Arc<Mutex<Sim>>);

impl Faults {
    fn sim(&self) -> MutexGuard<'_, Sim> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Layer for Faults {
    type File = File;

    fn open(&self, path: Option<&CStr>, _kind: Kind) -> Result<File, c_int> {
        let mut sim = self.sim();
        match sim.fate(Call::Open) {
            Fate::Done => {}
            Fate::Cut | Fate::Fails(_) => return Err(sql::SQLITE_CANTOPEN),
        }
        // A temporary file has no name, and is lost anyway.
        let path = path.map(|path| PathBuf::from(std::ffi::OsStr::from_bytes(path.to_bytes())));
        if let Some(path) = &path
            && !sim.files.contains_key(path)
        {
            sim.file(path).durable = std::fs::read(path).ok();
        }
        drop(sim);
        Ok(File { sim: Arc::clone(&self.0), path })
    }

    fn delete(&self, path: &CStr, synced: bool) -> c_int {
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(path.to_bytes()));
        let mut sim = self.sim();
        let fate = sim.fate(Call::Delete);
        let lies = sim.lies;
        if matches!(fate, Fate::Done | Fate::Cut) {
            let file = sim.file(&path);
            file.pending.push(Change::Delete);
            if synced && matches!(fate, Fate::Done) && !lies {
                file.pending.clear();
                file.durable = None;
            }
        }
        match fate {
            Fate::Done => sql::SQLITE_OK,
            Fate::Cut | Fate::Fails(_) => sql::SQLITE_IOERR_DELETE,
        }
    }
}

/// An open file.
struct File {
    sim: Arc<Mutex<Sim>>,
    path: Option<PathBuf>,
}

impl File {
    /// Does a call, if it is to be done, and notes what it changed.
    fn change(&self, call: Call, failed: c_int, change: Change, act: impl FnOnce() -> c_int) -> c_int {
        let mut sim = self.sim.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = sim.fate(call);
        let rc = match fate {
            Fate::Done => act(),
            Fate::Cut => failed,
            Fate::Fails(Answer::Full) => return sql::SQLITE_FULL,
            Fate::Fails(Answer::Failed) => return failed,
        };
        if let Some(path) = &self.path {
            sim.file(path).pending.push(change);
        }
        rc
    }

    fn passes(&self, call: Call) -> bool {
        matches!(self.sim.lock().unwrap_or_else(PoisonError::into_inner).fate(call), Fate::Done)
    }
}

impl FileLayer for File {
    fn before_read(&mut self) -> c_int {
        if self.passes(Call::Read) { sql::SQLITE_OK } else { sql::SQLITE_IOERR_READ }
    }

    fn write(&mut self, below: &Below, bytes: &[u8], at: i64) -> c_int {
        let change = Change::Write { at: usize::try_from(at).unwrap_or(0), bytes: bytes.to_vec() };
        self.change(Call::Write, sql::SQLITE_IOERR_WRITE, change, || below.write(bytes, at))
    }

    fn truncate(&mut self, below: &Below, size: i64) -> c_int {
        let change = Change::Truncate { size: usize::try_from(size).unwrap_or(0) };
        self.change(Call::Truncate, sql::SQLITE_IOERR_TRUNCATE, change, || below.truncate(size))
    }

    fn sync(&mut self, _below: &Below, _flags: c_int) -> c_int {
        let mut sim = self.sim.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = sim.fate(Call::Sync);
        let lies = sim.lies;
        let file = self.path.as_deref().map(|path| sim.file(path));
        match fate {
            Fate::Done => {
                if let Some(file) = file.filter(|_| !lies) {
                    file.synced();
                }
                sql::SQLITE_OK
            }
            Fate::Cut => sql::SQLITE_IOERR_FSYNC,
            Fate::Fails(_) => {
                if let Some(file) = file {
                    file.pending.clear();
                }
                sql::SQLITE_IOERR_FSYNC
            }
        }
    }

    fn before_shared_memory(&mut self) -> c_int {
        if self.passes(Call::SharedMemory) { sql::SQLITE_OK } else { sql::SQLITE_IOERR_SHMMAP }
    }
}
