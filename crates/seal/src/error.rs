//! Why something could not be sealed or opened. Never what was in it.

use thiserror::Error;

/// A failure of the seal. Holds numbers and names of mechanisms only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The sealed bytes are not an envelope, or are cut short.
    #[error("the sealed bytes are malformed")]
    Malformed,
    /// The suite of the envelope is not known to this release.
    #[error("suite {suite} is not known")]
    UnknownSuite {
        /// Suite number in the header.
        suite: u16,
    },
    /// The seal is broken: another place, another key, an edited byte, a removed field.
    #[error("the seal is broken")]
    Broken,
    /// The key is destroyed, or not the one that was asked for.
    #[error("the key is not there")]
    NoKey,
    /// The permit does not cover this field, or its time is over.
    #[error("the permit does not cover this")]
    NotPermitted,
    /// Fields and groups do not fit together: a defect of the caller.
    #[error("fields and groups do not fit together")]
    Mismatch,
    /// A value is longer than a field may be.
    #[error("a value is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The random source failed.
    #[error("the random source failed")]
    NoRandomness,
    /// The keyring file is not one, or is damaged.
    #[error("the keyring is damaged")]
    KeyringDamaged,
    /// The keyring was written by a newer release.
    #[error("the keyring has format {found}, this release knows up to {known}")]
    KeyringNewer {
        /// Format in the file.
        found: u8,
        /// Highest format that this release knows.
        known: u8,
    },
    /// The key file or passphrase does not unlock the keyring.
    #[error("the key file or passphrase does not unlock this keyring")]
    WrongLock,
    /// The keyring wants the other kind of lock.
    #[error("the keyring is locked by {wanted}")]
    OtherLock {
        /// What it is locked by.
        wanted: &'static str,
    },
    /// The list of destroyed keys does not chain.
    #[error("the list of destroyed keys is broken at line {line}")]
    ListBroken {
        /// First line that does not fit, from 1.
        line: usize,
    },
    /// An id was not made here.
    #[error("not an id of this kind")]
    NotAnId,
    /// A row of a share is not as it was written.
    #[error("row {row} of the share is not as it was written")]
    ShareMistyped {
        /// The first row that is wrong.
        row: u8,
    },
    /// The rows of a share are each as they were written, and the whole is none.
    #[error("this is no share, or one of a newer release")]
    NotAShare,
    /// Shares of two splittings.
    #[error("the shares are of different sets")]
    OtherSet,
    /// One share stands there twice.
    #[error("share {number} is given twice")]
    SharedTwice {
        /// Its number.
        number: u8,
    },
    /// Fewer shares than are needed.
    #[error("{given} of the {need} shares that are needed are given")]
    TooFewShares {
        /// How many there are.
        given: u8,
        /// How many there must be.
        need: u8,
    },
    /// A secret is not split by such numbers.
    #[error("shares are 2 to {most}, and 2 to all of them are needed")]
    NoSplit {
        /// Shares at the most.
        most: u8,
    },
    /// A share is none of those that the others were made with.
    #[error("share {number} does not fit the others")]
    ShareDoesNotFit {
        /// Its number.
        number: u8,
    },
}

impl Error {
    /// The stable code printed beside the message.
    pub fn code(self) -> &'static str {
        match self {
            Error::Malformed => "SR-SEAL-001",
            Error::UnknownSuite { .. } => "SR-SEAL-002",
            Error::Broken => "SR-SEAL-003",
            Error::NoKey => "SR-SEAL-004",
            Error::NotPermitted => "SR-SEAL-005",
            Error::Mismatch => "SR-SEAL-006",
            Error::TooLong { .. } => "SR-SEAL-007",
            Error::NoRandomness => "SR-SEAL-008",
            Error::KeyringDamaged => "SR-SEAL-009",
            Error::KeyringNewer { .. } => "SR-SEAL-010",
            Error::WrongLock => "SR-SEAL-011",
            Error::OtherLock { .. } => "SR-SEAL-012",
            Error::ListBroken { .. } => "SR-SEAL-013",
            Error::NotAnId => "SR-SEAL-014",
            Error::ShareMistyped { .. } => "SR-SEAL-015",
            Error::OtherSet => "SR-SEAL-016",
            Error::SharedTwice { .. } => "SR-SEAL-017",
            Error::TooFewShares { .. } => "SR-SEAL-018",
            Error::NoSplit { .. } => "SR-SEAL-019",
            Error::ShareDoesNotFit { .. } => "SR-SEAL-020",
            Error::NotAShare => "SR-SEAL-021",
        }
    }
}
