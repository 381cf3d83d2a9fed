//! A key in a PKCS#11 token: a card, a box, a service that speaks like one.

use std::path::PathBuf;

#[cfg(feature = "pkcs11")]
pub(super) use token::Pkcs11;

/// Where the token is, and which key of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Place {
    /// The token's driver, a shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The key's label.
    pub key: String,
    /// A file with the PIN; read anew for each request.
    pub pin_file: PathBuf,
}

#[cfg(feature = "pkcs11")]
mod token {
    use std::sync::{Mutex, PoisonError};

    use seal::{Holder, Lock, Locked, Random, Secret};
    use sha2::{Digest, Sha256};

    use super::Pkcs11Place;
    use crate::ground::key_holder::{Attendance, CONTEXT, HolderFault, KeyHolder};
    use crate::ground::keys_folder::{KeysError, read_private};
    use crate::ground::random::SystemRandom;

    /// The holder.
    #[derive(Debug)]
    pub(crate) struct Pkcs11 {
        place: Pkcs11Place,
        /// A digest of the PIN that was refused. Tokens count wrong ones, and lock themselves: none is tried twice.
        refused: Mutex<Option<[u8; 32]>>,
    }

    impl Pkcs11 {
        pub(crate) fn new(place: &Pkcs11Place) -> Pkcs11 {
            Pkcs11 { place: place.clone(), refused: Mutex::new(None) }
        }

        fn fault(&self, fault: HolderFault) -> KeysError {
            KeysError::Holder { who: format!("the token `{}`", self.place.token), fault }
        }

        /// Does something at the token, with the PIN.
        fn at<T>(
            &self,
            act: impl FnOnce(hsm::Place<'_>, &str) -> Result<T, hsm::Error>,
        ) -> Result<T, KeysError> {
            let pin = read_private(&self.place.pin_file)?;
            let digest: [u8; 32] = Sha256::digest(&pin).into();
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.is_some_and(|refused| seal::same(&refused, &digest)) {
                return Err(self.fault(HolderFault::Denied));
            }
            let pin = std::str::from_utf8(&pin).unwrap_or_default().trim();
            let Pkcs11Place { module, token, key, .. } = &self.place;
            act(hsm::Place { driver: module, token, key }, pin).map_err(|error| {
                if error == hsm::Error::Pin {
                    *refused = Some(digest);
                }
                self.fault(meaning_of(error))
            })
        }
    }

    fn meaning_of(error: hsm::Error) -> HolderFault {
        match error {
            hsm::Error::Driver => HolderFault::NoDriver,
            hsm::Error::NoToken => HolderFault::NoToken,
            hsm::Error::Pin => HolderFault::Denied,
            hsm::Error::NoKey => HolderFault::NoKey,
            hsm::Error::Unfit => HolderFault::UnfitKey,
            hsm::Error::OtherKey => HolderFault::OtherKey,
            hsm::Error::Failed => HolderFault::Failed,
        }
    }

    impl KeyHolder for Pkcs11 {
        fn lock_anew(&self) -> Result<Lock, KeysError> {
            let mut random = SystemRandom::new();
            let key = Secret::random(&mut random)?;
            let mut nonce = [0; 12];
            random.fill(&mut nonce)?;
            let wrapped = self.at(|place, pin| hsm::wrap(place, pin, CONTEXT, nonce, key.expose()))?;
            // ORDER: opened again before anything is locked with it.
            let opened = self.at(|place, pin| hsm::unwrap(place, pin, CONTEXT, &wrapped))?;
            if !seal::same(opened.as_ref(), key.expose()) {
                return Err(self.fault(HolderFault::OtherKey));
            }
            Ok(Lock::Held { by: Holder::Pkcs11, key, wrapped })
        }

        fn unlock(&self, locked: &Locked) -> Result<Lock, KeysError> {
            let Locked::ByHolder { by: Holder::Pkcs11, wrapped } = locked else {
                return Err(KeysError::Seal(seal::Error::OtherLock { wanted: locked.name() }));
            };
            let key = self.at(|place, pin| hsm::unwrap(place, pin, CONTEXT, wrapped))?;
            Ok(Lock::Held { by: Holder::Pkcs11, key: Secret::new(*key), wrapped: wrapped.clone() })
        }

        fn attendance(&self) -> Attendance {
            Attendance::Always
        }
    }
}
