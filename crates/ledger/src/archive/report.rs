//! What the verification of a whole log found.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::tile::TilePath;

/// The outcome of verifying a whole log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// Entries that the signed checkpoint promises.
    pub size: u64,
    /// Root that the signed checkpoint promises.
    pub root: Hash,
    /// Entries that were read and hashed.
    pub entries: u64,
    /// Time of the first entry, in microseconds since the Unix epoch, if it could be read.
    pub first_at: Option<i64>,
    /// Time of the last entry, in microseconds since the Unix epoch, if it could be read.
    pub last_at: Option<i64>,
    /// What is wrong: the first of each kind. Empty for a log that is whole.
    pub findings: Vec<Finding>,
}

/// The first problem of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong, and where first.
    #[serde(flatten)]
    pub problem: Problem,
    /// How many of this kind were seen.
    pub times: u64,
}

/// One kind of damage, with the place where it was seen.
///
/// Indexes count entries from 0; a position counts the hashes of a tile from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// A file is not there.
    FileMissing {
        /// Which file.
        file: TilePath,
    },
    /// A stored hash is not the one that was signed.
    TileDamaged {
        /// Which tile.
        file: TilePath,
        /// The first wrong hash in it.
        position: u16,
        /// The first entry below that hash.
        index: u64,
    },
    /// An entry says something else than what was signed.
    EntryEdited {
        /// Which entry.
        index: u64,
    },
    /// An entry that was signed is gone, and those behind it moved up.
    EntryRemoved {
        /// Which entry.
        index: u64,
    },
    /// An entry that was not signed stands between the others.
    EntryAdded {
        /// Which place.
        index: u64,
    },
    /// Two entries stand in each other's place.
    EntriesSwapped {
        /// The first one's place.
        index: u64,
        /// The second one's place.
        other: u64,
    },
    /// Entries stand in another order than the one that was signed.
    EntriesReordered {
        /// The first one out of place.
        index: u64,
    },
    /// A bundle ends too early.
    BundleTruncated {
        /// The first entry that is not there whole.
        index: u64,
    },
    /// A signed entry is not in a form that this program reads.
    EntryUnreadable {
        /// Which entry.
        index: u64,
    },
    /// Bundle and tile agree with each other and not with the tree above: both were rewritten.
    EntriesRewritten {
        /// First entry of the bundle.
        index: u64,
        /// Last entry of the bundle.
        last: u64,
    },
    /// Bundle and tile disagree, and nothing above them is whole enough to tell which is right.
    Undecided {
        /// First entry for which they disagree.
        index: u64,
    },
    /// Entries and tiles agree with each other, and not with the signed root.
    RootDiffers {
        /// Size of the tree.
        size: u64,
    },
    /// The log is shorter than a checkpoint that the caller has.
    Shortened {
        /// Entries in the archive's checkpoint.
        size: u64,
        /// Entries in the caller's checkpoint.
        known: u64,
    },
    /// The first entries do not give the root of a checkpoint that the caller has.
    HistoryDiffers {
        /// Entries in the caller's checkpoint.
        known: u64,
    },
    /// An entry is older than one before it by more than the allowed skew. A warning: clocks are set back.
    TimeRunsBack {
        /// Which entry.
        index: u64,
        /// By how many microseconds.
        by_micros: u64,
    },
}

impl Report {
    /// Is the log whole, warnings aside?
    pub fn is_verified(&self) -> bool {
        self.findings.iter().all(|finding| finding.problem.is_warning())
    }

    pub(super) fn new(checkpoint: &Checkpoint) -> Self {
        Self {
            origin: checkpoint.origin().to_owned(),
            size: checkpoint.size(),
            root: *checkpoint.root(),
            entries: 0,
            first_at: None,
            last_at: None,
            findings: Vec::new(),
        }
    }

    /// Counts a problem, and keeps it if it is the first of its kind in the log.
    pub(super) fn add(&mut self, problem: Problem) {
        let kind = std::mem::discriminant(&problem);
        let known = self.findings.iter_mut().find(|known| std::mem::discriminant(&known.problem) == kind);
        match known {
            None => self.findings.push(Finding { problem, times: 1 }),
            Some(known) => {
                known.times = known.times.saturating_add(1);
                if problem.place() < known.problem.place() {
                    known.problem = problem;
                }
            }
        }
    }
}

impl Problem {
    /// Is it worth knowing without being proof of damage?
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::TimeRunsBack { .. })
    }

    /// Where in the log is it? Among problems of one kind, the lowest place is the first.
    fn place(&self) -> (u64, u64) {
        match *self {
            Self::FileMissing { file } => (file.index(), 0),
            Self::EntryEdited { index }
            | Self::EntryRemoved { index }
            | Self::EntryAdded { index }
            | Self::EntriesReordered { index }
            | Self::BundleTruncated { index }
            | Self::EntryUnreadable { index }
            | Self::Undecided { index }
            | Self::EntriesRewritten { index, .. }
            | Self::TileDamaged { index, .. }
            | Self::TimeRunsBack { index, .. } => (index, 0),
            Self::EntriesSwapped { index, other } => (index, other),
            Self::RootDiffers { size } | Self::Shortened { size, .. } => (size, 0),
            Self::HistoryDiffers { known } => (known, 0),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileMissing { file } => write!(f, "`{file}` is missing"),
            Self::TileDamaged { file, position, index } => {
                write!(f, "`{file}` is damaged: its hash {position}, above entry {index}, is wrong")
            }
            Self::EntryEdited { index } => write!(f, "entry {index} was edited"),
            Self::EntryRemoved { index } => write!(f, "entry {index} was removed"),
            Self::EntryAdded { index } => write!(f, "an entry was added at {index}"),
            Self::EntriesSwapped { index, other } => write!(f, "entries {index} and {other} were swapped"),
            Self::EntriesReordered { index } => {
                write!(f, "entries were put in another order from {index} on")
            }
            Self::BundleTruncated { index } => write!(f, "the bundle of entry {index} ends before it"),
            Self::EntryUnreadable { index } => write!(f, "entry {index} is signed but not in a known form"),
            Self::EntriesRewritten { index, last } => {
                write!(f, "entries {index} to {last} were rewritten together with their tile")
            }
            Self::Undecided { index } => {
                write!(f, "entry {index} and its tile disagree, and the tiles above are damaged too")
            }
            Self::RootDiffers { size } => {
                write!(f, "the {size} entries and their tiles do not give the signed root")
            }
            Self::Shortened { size, known } => {
                write!(f, "the log has {size} entries, but the older checkpoint has {known}")
            }
            Self::HistoryDiffers { known } => {
                write!(f, "the first {known} entries do not give the root of the older checkpoint")
            }
            Self::TimeRunsBack { index, by_micros } => {
                write!(f, "entry {index} is {by_micros} microseconds older than one before it")
            }
        }
    }
}

impl Serialize for TilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
