//! Holders on this machine: files that a person put there.

use std::path::{Path, PathBuf};

use seal::{Lock, Locked, Share};
use zeroize::Zeroizing;

use super::KeyHolder;
use crate::ground::keys_folder::{KeysError, read_private, wants_shares};

/// A key file.
#[derive(Debug)]
pub(super) struct KeyFile(pub(super) PathBuf);

impl KeyHolder for KeyFile {
    fn lock_anew(&self) -> Result<Lock, KeysError> {
        Ok(Lock::KeyFile(read_private(&self.0)?))
    }

    fn unlock(&self, locked: &Locked) -> Result<Lock, KeysError> {
        // Said before the file is looked for: whoever has shares, or a holder, has no such file.
        match locked {
            Locked::ByKeyFile => self.lock_anew(),
            // A file that `keys join` wrote.
            Locked::ByShares(_) if self.0.exists() => self.lock_anew(),
            Locked::ByShares(split) => Err(wants_shares(*split)),
            other => Err(other_lock(other)),
        }
    }
}

/// A file with a passphrase.
#[derive(Debug)]
pub(super) struct PassphraseFile(pub(super) PathBuf);

impl KeyHolder for PassphraseFile {
    fn lock_anew(&self) -> Result<Lock, KeysError> {
        let bytes = read_private(&self.0)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| KeysError::Seal(seal::Error::WrongLock))?;
        let words = text.lines().next().unwrap_or_default().trim();
        if words.chars().count() < seal::PASSPHRASE_LEAST {
            return Err(KeysError::ShortPassphrase { least: seal::PASSPHRASE_LEAST });
        }
        Ok(Lock::Passphrase(Zeroizing::new(words.to_owned())))
    }

    fn unlock(&self, locked: &Locked) -> Result<Lock, KeysError> {
        match locked {
            Locked::ByPassphrase => self.lock_anew(),
            other => Err(other_lock(other)),
        }
    }
}

/// Files with shares.
#[derive(Debug)]
pub(super) struct Shares(pub(super) Vec<PathBuf>);

impl KeyHolder for Shares {
    fn lock_anew(&self) -> Result<Lock, KeysError> {
        let shares = self.0.iter().map(|file| read_share(file)).collect::<Result<Vec<_>, _>>()?;
        let (secret, split) = seal::join(&shares).map_err(|error| self.name_of(&shares, error))?;
        Ok(Lock::Shared { secret, split })
    }

    fn unlock(&self, locked: &Locked) -> Result<Lock, KeysError> {
        let Locked::ByShares(split) = locked else { return Err(other_lock(locked)) };
        // Each file is held against the keyring, so that the one of another set is named and not only that there is one.
        for file in &self.0 {
            if read_share(file)?.split.set != split.set {
                return Err(KeysError::Share { name: shown(file), error: seal::Error::OtherSet });
            }
        }
        self.lock_anew()
    }
}

impl Shares {
    /// Names the file that an error is about, if it is about one.
    fn name_of(&self, shares: &[Share], error: seal::Error) -> KeysError {
        let at = match error {
            seal::Error::SharedTwice { number } | seal::Error::ShareDoesNotFit { number } => {
                shares.iter().rposition(|share| share.number == number)
            }
            seal::Error::OtherSet => {
                let first = shares.first().map(|share| share.split);
                shares.iter().position(|share| Some(share.split) != first)
            }
            _ => None,
        };
        match at.and_then(|at| self.0.get(at)) {
            Some(file) => KeysError::Share { name: shown(file), error },
            None => KeysError::Seal(error),
        }
    }
}

fn read_share(file: &Path) -> Result<Share, KeysError> {
    let bytes = read_private(file)?;
    let wrong = |error| KeysError::Share { name: shown(file), error };
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong(seal::Error::NotAShare))?;
    Share::parse(text).map_err(wrong)
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

fn other_lock(locked: &Locked) -> KeysError {
    KeysError::Seal(seal::Error::OtherLock { wanted: locked.name() })
}
