//! Everything that can be refused here, each with a stable code. Messages hold numbers and nothing else of the input.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::choice::Fact;
use crate::tile::TilePath;

/// Why the ledger refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// Text or bytes that should be one hash are not.
    #[error("not a hash of 32 bytes")]
    HashMalformed,

    /// A tree size is above `MAX_SIZE`.
    #[error("a tree cannot have {size} entries")]
    SizeOutOfRange {
        /// The size asked for.
        size: u64,
    },

    /// An index or an older size is not inside the tree.
    #[error("{index} is not inside a tree of {size} entries")]
    OutsideTree {
        /// The index or older size asked for.
        index: u64,
        /// Entries in the tree.
        size: u64,
    },

    /// The stored right edge does not belong to a tree of the stated size.
    #[error("the stored edge does not fit a tree of {size} entries")]
    EdgeMalformed {
        /// Entries in the tree.
        size: u64,
    },

    /// A tile is shorter than its width, or not a whole number of hashes.
    #[error("tile {index} of level {level} has the wrong length")]
    TileMalformed {
        /// Level of the tile.
        level: u8,
        /// Index of the tile in its level.
        index: u64,
    },

    /// An inclusion proof does not lead to the root.
    #[error("the inclusion proof does not lead to the root")]
    InclusionWrong,

    /// A consistency proof does not join the two roots.
    #[error("the consistency proof does not join the two roots")]
    ConsistencyWrong,

    /// A tile path is not in its one correct form.
    #[error("not a tile path")]
    PathMalformed,

    /// A bundle ends inside an entry.
    #[error("the bundle ends inside its entry {entry}")]
    BundleCut {
        /// Position of the cut entry in the bundle, from 0.
        entry: u16,
    },

    /// A bundle has more than 256 entries, or an entry is too long for one.
    #[error("a bundle holds 256 entries of 65535 bytes at most")]
    BundleTooLarge,

    /// A key name is empty or has a space, a plus or a control character.
    #[error("not a key name")]
    NameMalformed,

    /// A verifier key is not in its one correct form, or its parts do not belong together.
    #[error("not a verifier key for Ed25519")]
    KeyMalformed,

    /// A note is not in the form of a signed note.
    #[error("not a signed note")]
    NoteMalformed,

    /// A note is longer than the limit.
    #[error("the note is longer than {most} bytes or {most_lines} signatures")]
    NoteTooLong {
        /// Most bytes of a note.
        most: usize,
        /// Most signature lines of a note.
        most_lines: usize,
    },

    /// A signature by a known key is wrong.
    #[error("a signature by a known key is wrong")]
    SignatureWrong,

    /// No known key signed the note.
    #[error("no known key signed the note")]
    NotSigned,

    /// The signature library refused to sign.
    #[error("the key cannot sign")]
    CannotSign,

    /// A signed text is not in the form of a checkpoint.
    #[error("not a checkpoint")]
    CheckpointMalformed,

    /// A checkpoint is of another log than the one expected.
    #[error("the checkpoint is of another log")]
    OriginWrong,

    /// An entry is longer than the limit.
    #[error("an entry of {bytes} bytes is longer than {most}")]
    EntryTooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },

    /// Bytes are not the one correct form of any entry.
    #[error("not an entry: byte {at_byte} is wrong")]
    EntryMalformed {
        /// Where the reader stopped.
        at_byte: usize,
    },

    /// An entry was written by a later version of the format.
    #[error("the entry has format {version}, which this reader does not know")]
    EntryVersion {
        /// The format's number.
        version: u8,
    },

    /// Bytes are not the one correct form of any opening.
    #[error("not an opening: byte {at_byte} is wrong")]
    OpeningMalformed {
        /// Where the reader stopped.
        at_byte: usize,
    },

    /// A part of an opening is too long, or stands there twice.
    #[error("part {tag} of the opening is too long or stands there twice")]
    OpeningPart {
        /// The part's tag.
        tag: u8,
    },

    /// The opening and salt do not give the entry's commitment.
    #[error("the opening does not give the entry's commitment")]
    CommitmentWrong,

    /// The opened act is not the act of the entry.
    #[error("the opening names another act than the entry")]
    ActWrong,

    /// A receipt's JSON is not a receipt.
    #[error("not a receipt")]
    ReceiptMalformed,

    /// A file of the archive is not there.
    #[error("the archive has no `{file}`")]
    FileMissing {
        /// Which file.
        file: ArchiveFile,
    },

    /// A file of the archive cannot be read.
    #[error("`{file}` cannot be read: {kind}")]
    FileUnreadable {
        /// Which file.
        file: ArchiveFile,
        /// What the operating system said.
        kind: io::ErrorKind,
    },

    /// A file of the archive is longer than any such file may be.
    #[error("`{file}` is longer than {most} bytes")]
    FileTooLong {
        /// Which file.
        file: ArchiveFile,
        /// The limit.
        most: u64,
    },

    /// `log.json` is not in its form.
    #[error("`log.json` is not a description of a log")]
    LogMalformed,

    /// What was sent to a witness is not a request in its form.
    #[error("not a request to a witness")]
    RequestMalformed,

    /// A quorum asks for no witness, for more than there are, or names one twice.
    #[error("a quorum is 1 to as many as there are witnesses, and names each once")]
    QuorumImpossible,

    /// Too few of the named witnesses have cosigned.
    #[error("{have} of the named witnesses have cosigned, and {least} are needed")]
    QuorumMissed {
        /// How many have.
        have: usize,
        /// How many are needed.
        least: usize,
    },

    /// A record is not signed in the form that is read.
    #[error("not a signed record")]
    JwsMalformed,

    /// A record names another key than the one given.
    #[error("the record is signed by another key")]
    JwsOtherKey,

    /// A record's signature does not hold.
    #[error("the record's signature is wrong")]
    JwsWrong,

    /// What stands beside a signed record as its text is something else.
    #[error("the record that is shown is not the one that was signed")]
    RecordOther,

    /// A record and the ledger's entry state a fact differently.
    #[error("the record and the ledger state another {fact}")]
    RecordUnlike {
        /// Which fact.
        fact: Fact,
    },
}

/// A file of an exported log, named without using any text of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFile {
    /// `checkpoint`
    Checkpoint,
    /// `cosigned`
    Cosigned,
    /// `log.json`
    Log,
    /// A tile or a bundle.
    Tile(TilePath),
}

impl Error {
    /// Which code stands for this refusal in pages, logs and documents?
    pub fn code(&self) -> &'static str {
        match self {
            Self::HashMalformed => "SR-LEDGER-001",
            Self::SizeOutOfRange { .. } => "SR-LEDGER-002",
            Self::OutsideTree { .. } => "SR-LEDGER-003",
            Self::EdgeMalformed { .. } => "SR-LEDGER-004",
            Self::TileMalformed { .. } => "SR-LEDGER-005",
            Self::InclusionWrong => "SR-LEDGER-006",
            Self::ConsistencyWrong => "SR-LEDGER-007",
            Self::PathMalformed => "SR-LEDGER-008",
            Self::BundleCut { .. } => "SR-LEDGER-009",
            Self::BundleTooLarge => "SR-LEDGER-010",
            Self::NameMalformed => "SR-LEDGER-011",
            Self::KeyMalformed => "SR-LEDGER-012",
            Self::NoteMalformed => "SR-LEDGER-013",
            Self::NoteTooLong { .. } => "SR-LEDGER-014",
            Self::SignatureWrong => "SR-LEDGER-015",
            Self::NotSigned => "SR-LEDGER-016",
            Self::CannotSign => "SR-LEDGER-017",
            Self::CheckpointMalformed => "SR-LEDGER-018",
            Self::OriginWrong => "SR-LEDGER-019",
            Self::EntryTooLong { .. } => "SR-LEDGER-020",
            Self::EntryMalformed { .. } => "SR-LEDGER-021",
            Self::EntryVersion { .. } => "SR-LEDGER-022",
            Self::OpeningMalformed { .. } => "SR-LEDGER-023",
            Self::OpeningPart { .. } => "SR-LEDGER-024",
            Self::CommitmentWrong => "SR-LEDGER-025",
            Self::ActWrong => "SR-LEDGER-026",
            Self::ReceiptMalformed => "SR-LEDGER-027",
            Self::FileMissing { .. } => "SR-LEDGER-028",
            Self::FileUnreadable { .. } => "SR-LEDGER-029",
            Self::FileTooLong { .. } => "SR-LEDGER-030",
            Self::LogMalformed => "SR-LEDGER-031",
            // `ledger-verify` has -032.
            Self::RequestMalformed => "SR-LEDGER-033",
            Self::QuorumImpossible => "SR-LEDGER-034",
            Self::QuorumMissed { .. } => "SR-LEDGER-035",
            Self::JwsMalformed => "SR-LEDGER-036",
            Self::JwsOtherKey => "SR-LEDGER-037",
            Self::JwsWrong => "SR-LEDGER-038",
            Self::RecordOther => "SR-LEDGER-039",
            Self::RecordUnlike { .. } => "SR-LEDGER-040",
        }
    }

    /// What can the reader of this refusal do?
    ///
    /// Gives: one sentence, or `None` when the message says all there is.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::SignatureWrong => {
                Some("treat the checkpoint as forged; ask the shop's officer and a witness for theirs")
            }
            Self::JwsOtherKey => {
                Some("check that the verifier key is the one of the shop that gave this receipt")
            }
            Self::JwsWrong | Self::RecordOther | Self::RecordUnlike { .. } => {
                Some("treat the receipt as forged; ask the shop for another one")
            }
            Self::NotSigned => Some("check that the verifier key is the one of this log"),
            Self::OriginWrong => Some("check that the key and the folder are of the same log"),
            Self::EntryVersion { .. } => Some("use a newer ledger-verify"),
            Self::KeyMalformed => Some("a verifier key looks like name+8 hex digits+base64, on one line"),
            Self::QuorumMissed { .. } => Some(
                "the newest entries are cosigned within minutes; if not, ask the shop why its witnesses are silent",
            ),
            Self::FileMissing { .. } => {
                Some("check that this is the folder of an exported log, and complete")
            }
            _ => None,
        }
    }

    /// Does this refusal mean that nothing could be read, rather than that something is wrong?
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::FileMissing { .. } | Self::FileUnreadable { .. })
    }
}

impl fmt::Display for ArchiveFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Cosigned => f.write_str("cosigned"),
            Self::Log => f.write_str("log.json"),
            Self::Tile(path) => fmt::Display::fmt(path, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_stands_for_one_refusal() {
        let file = ArchiveFile::Log;
        let all = [
            Error::HashMalformed,
            Error::SizeOutOfRange { size: 1 },
            Error::OutsideTree { index: 1, size: 1 },
            Error::EdgeMalformed { size: 1 },
            Error::TileMalformed { level: 0, index: 0 },
            Error::InclusionWrong,
            Error::ConsistencyWrong,
            Error::PathMalformed,
            Error::BundleCut { entry: 0 },
            Error::BundleTooLarge,
            Error::NameMalformed,
            Error::KeyMalformed,
            Error::NoteMalformed,
            Error::NoteTooLong { most: 1, most_lines: 1 },
            Error::SignatureWrong,
            Error::NotSigned,
            Error::CannotSign,
            Error::CheckpointMalformed,
            Error::OriginWrong,
            Error::EntryTooLong { bytes: 1, most: 1 },
            Error::EntryMalformed { at_byte: 0 },
            Error::EntryVersion { version: 2 },
            Error::OpeningMalformed { at_byte: 0 },
            Error::OpeningPart { tag: 1 },
            Error::CommitmentWrong,
            Error::ActWrong,
            Error::ReceiptMalformed,
            Error::FileMissing { file },
            Error::FileUnreadable { file, kind: io::ErrorKind::PermissionDenied },
            Error::FileTooLong { file, most: 1 },
            Error::LogMalformed,
            Error::RequestMalformed,
            Error::QuorumImpossible,
            Error::QuorumMissed { have: 1, least: 2 },
            Error::JwsMalformed,
            Error::JwsOtherKey,
            Error::JwsWrong,
            Error::RecordOther,
            Error::RecordUnlike { fact: Fact::Subject },
        ];
        let codes: BTreeSet<_> = all.iter().map(Error::code).collect();
        assert_eq!(codes.len(), all.len());
        assert_eq!(codes.last().copied(), Some("SR-LEDGER-040"));
    }

    #[test]
    fn messages_are_lower_case_without_a_full_stop() {
        let file = ArchiveFile::Checkpoint;
        for error in [Error::NotSigned, Error::FileMissing { file }, Error::EntryVersion { version: 9 }] {
            let text = error.to_string();
            assert!(text.starts_with(|c: char| !c.is_uppercase()) && !text.ends_with('.'), "{text}");
        }
    }
}
