//! Who keeps what locks the keyring: a file, words, officers with shares, a server, a token. One trait for all of them.
//!
//! What is local (file, passphrase, shares) is asked once, when the vault is opened. Who is outside can be gone later: the house
//! serves on the keys that it has for a stated grace, asks again and again, and closes when the grace is over ([`watch`]).
//!
//! INVARIANT: a holder outside never sees more than 32 random bytes, which lock the keyring and nothing else; and no holder is ever
//! replaced by another, or by none, because it does not answer.

mod local;
mod openbao;
pub mod watch;

use std::fmt::Debug;
use std::path::PathBuf;

use seal::{Lock, Locked};
use thiserror::Error;

pub use openbao::OpenBaoPlace;

use super::keys_folder::KeysError;
use super::outward::OutwardError;

/// What every holder can do.
pub trait KeyHolder: Debug + Send + Sync {
    /// A lock for a keyring that is to be locked anew.
    fn lock_anew(&self) -> Result<Lock, KeysError>;

    /// The lock of a keyring that is locked so.
    fn unlock(&self, locked: &Locked) -> Result<Lock, KeysError>;

    /// Must it be there all the time, or when the vault is opened only?
    fn attendance(&self) -> Attendance {
        Attendance::AtTheStart
    }
}

/// When a holder must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attendance {
    /// When the vault is opened.
    AtTheStart,
    /// As long as it is open.
    Always,
}

/// What is wrong with a holder outside.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HolderFault {
    /// Nobody is there.
    #[error("nobody answers: {0}")]
    Unreachable(OutwardError),
    /// It takes too long.
    #[error("it takes too long: {0}")]
    Slow(OutwardError),
    /// It is not who it must be.
    #[error("it cannot be trusted: {0}")]
    NotTrusted(OutwardError),
    /// It is there, and its own keys are not.
    #[error("it is sealed")]
    Sealed,
    /// It does not let us use the key.
    #[error("it does not let this token use the key")]
    Denied,
    /// It has no such key.
    #[error("it has no key of this name")]
    NoKey,
    /// It has a key of this name, and what is locked does not open with it.
    #[error("its key of this name did not wrap what locks this keyring")]
    OtherKey,
    /// Its key is of a kind that binds nothing to what it wraps.
    #[error("its key of this name takes no associated data")]
    UnfitKey,
    /// It answers, and not as it should.
    #[error("it answers {status}")]
    Unwell {
        /// The status of its answer.
        status: u16,
    },
    /// It is configured in a way that cannot be.
    #[error("it is not set up rightly: {0}")]
    Setting(OutwardError),
}

impl HolderFault {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            HolderFault::Unreachable(_) => "SR-KEYS-007",
            HolderFault::Slow(_) => "SR-KEYS-008",
            HolderFault::NotTrusted(_) => "SR-KEYS-009",
            HolderFault::Sealed => "SR-KEYS-010",
            HolderFault::Denied => "SR-KEYS-011",
            HolderFault::NoKey => "SR-KEYS-012",
            HolderFault::OtherKey => "SR-KEYS-013",
            HolderFault::Unwell { .. } => "SR-KEYS-014",
            HolderFault::Setting(_) => "SR-KEYS-015",
            HolderFault::UnfitKey => "SR-KEYS-018",
        }
    }

    /// How to mend it.
    pub fn help(&self) -> &'static str {
        match self {
            HolderFault::Unreachable(_) => {
                "see that it runs and that this machine reaches it: nothing opens without it"
            }
            HolderFault::Slow(_) => "see what keeps it; or give it more `timeout_seconds`",
            HolderFault::NotTrusted(_) => {
                "see who answers at this address; `ca_file` names the authority that made its certificate"
            }
            HolderFault::Sealed => "unseal it: `bao operator unseal`",
            HolderFault::Denied => {
                "give the token the policy of docs/guide/key-custody.md; or write a fresh token into `token_file`: this one may be over"
            }
            HolderFault::NoKey => {
                "look whether `mount` and `key` are spelled right; a deleted key comes back out of a backup of the holder only"
            }
            HolderFault::OtherKey => {
                "look whether a key of this name was made anew, or `min_decryption_version` raised; the old one comes back out of a backup of the holder only"
            }
            HolderFault::UnfitKey => {
                "make a key of type `aes256-gcm96`: `bao write -f transit/keys/strongroom`"
            }
            HolderFault::Unwell { .. } => "look into its own log",
            HolderFault::Setting(_) => "docs/reference/configuration.md lists the keys of this section",
        }
    }
}

impl From<OutwardError> for HolderFault {
    fn from(error: OutwardError) -> HolderFault {
        match error {
            OutwardError::Slow { .. } => HolderFault::Slow(error),
            OutwardError::Untrusted { .. } => HolderFault::NotTrusted(error),
            OutwardError::Address | OutwardError::PlainText | OutwardError::Roots { .. } => {
                HolderFault::Setting(error)
            }
            OutwardError::Unreachable { .. } | OutwardError::TooLong { .. } | OutwardError::Broken { .. } => {
                HolderFault::Unreachable(error)
            }
        }
    }
}

/// How the keyring is unlocked: which holder, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockSource {
    /// A key file; `unlock.key` in the keys folder unless it is kept elsewhere.
    KeyFile(PathBuf),
    /// A file that holds a passphrase on its first line.
    PassphraseFile(PathBuf),
    /// Files with shares of officers, as many as are needed.
    Shares(Vec<PathBuf>),
    /// The transit of an OpenBao or Vault server.
    OpenBao(OpenBaoPlace),
}

impl LockSource {
    /// Who holds it. Nobody is asked yet.
    pub fn holder(&self) -> Result<Box<dyn KeyHolder>, KeysError> {
        Ok(match self {
            LockSource::KeyFile(file) => Box::new(local::KeyFile(file.clone())),
            LockSource::PassphraseFile(file) => Box::new(local::PassphraseFile(file.clone())),
            LockSource::Shares(files) => Box::new(local::Shares(files.clone())),
            LockSource::OpenBao(place) => Box::new(openbao::OpenBao::new(place)?),
        })
    }
}
