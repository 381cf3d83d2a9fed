//! Who keeps what locks the keyring: a file, words, officers with shares, a server, a token. One trait for all of them.
//!
//! What is local (file, passphrase, shares) is asked once, when the vault is opened. Who is outside can be gone later: the house
//! serves on the keys that it has for a stated grace, asks again and again, and closes when the grace is over ([`watch`]).
//!
//! INVARIANT: a holder outside never sees more than 32 random bytes, which lock the keyring and nothing else; and no holder is ever
//! replaced by another, or by none, because it does not answer.

mod local;
mod openbao;
mod pkcs11;
pub mod watch;

use std::fmt::Debug;
use std::path::PathBuf;

use seal::{Lock, Locked};
use thiserror::Error;

pub use openbao::OpenBaoPlace;
pub use pkcs11::Pkcs11Place;

use super::keys_folder::KeysError;
use super::outward::OutwardError;

/// What is bound to everything that a holder has wrapped for us, so that nobody else's use of the same key opens it.
const CONTEXT: &[u8] = b"strongroom/keyring/1";

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
    #[error("it does not let us use the key")]
    Denied,
    /// It has no such key.
    #[error("it has no key of this name")]
    NoKey,
    /// It has a key of this name, and what is locked does not open with it.
    #[error("its key of this name did not wrap what locks this keyring")]
    OtherKey,
    /// Its key binds nothing to what it wraps, or may leave its token.
    #[error("its key of this name is not of a kind that can hold this")]
    UnfitKey,
    /// It answers, and not as it should.
    #[error("it answers {status}")]
    Unwell {
        /// The status of its answer.
        status: u16,
    },
    /// The driver of a token cannot be loaded.
    #[error("its driver cannot be loaded")]
    NoDriver,
    /// The token is in no slot.
    #[error("no token of this label is there")]
    NoToken,
    /// The token failed.
    #[error("it failed, and its driver says no more")]
    Failed,
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
            HolderFault::NoDriver => "SR-KEYS-019",
            HolderFault::NoToken => "SR-KEYS-020",
            HolderFault::Failed => "SR-KEYS-021",
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
                "look into `token_file` or `pin_file`: the token may be over, or lack the policy of docs/guide/key-custody.md; a PIN that was refused is not tried again"
            }
            HolderFault::NoKey => {
                "look whether `key` (and `mount`) are spelled right; a deleted key comes back out of a backup of the holder only"
            }
            HolderFault::OtherKey => {
                "look whether a key of this name was made anew, or `min_decryption_version` raised; the old one comes back out of a backup of the holder only"
            }
            HolderFault::UnfitKey => {
                "make a key as docs/guide/key-custody.md says: `aes256-gcm96` in OpenBao; in a token AES-256, sensitive, not extractable"
            }
            HolderFault::NoDriver => {
                "`module` takes the shared library that came with the token; a static program can load none"
            }
            HolderFault::NoToken => "see that the token is connected, and that `token` is its label",
            HolderFault::Failed => "look into the log of the token's driver",
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
    /// A PKCS#11 token.
    Pkcs11(Pkcs11Place),
}

impl LockSource {
    /// Who holds it. Nobody is asked yet.
    pub fn holder(&self) -> Result<Box<dyn KeyHolder>, KeysError> {
        Ok(match self {
            LockSource::KeyFile(file) => Box::new(local::KeyFile(file.clone())),
            LockSource::PassphraseFile(file) => Box::new(local::PassphraseFile(file.clone())),
            LockSource::Shares(files) => Box::new(local::Shares(files.clone())),
            LockSource::OpenBao(place) => Box::new(openbao::OpenBao::new(place)?),
            #[cfg(feature = "pkcs11")]
            LockSource::Pkcs11(place) => Box::new(pkcs11::Pkcs11::new(place)),
            #[cfg(not(feature = "pkcs11"))]
            LockSource::Pkcs11(_) => return Err(KeysError::NotBuilt),
        })
    }
}
