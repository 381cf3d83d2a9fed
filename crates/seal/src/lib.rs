//! Keys, envelopes, blind indexes, tokens, and the type that personal data lives in.
//!
//! What is held: nothing. Every function takes what it needs and gives what it makes; randomness is an argument.
//!
//! Invariants:
//! - opening a sealed value without a [`Permit`] does not compile; with one, only the fields that it covers open;
//! - what must be able to die is random, never derived: subject keys and term keys;
//! - a key seals one version of one record once: its message id is 32 fresh random bytes;
//! - a ciphertext opens in its own place only; a field taken away, a byte edited, a clear column changed is noticed;
//! - secrets and plain values cannot be printed, and are wiped when dropped.
//!
//! The formats are specified in `docs/spec/seal.md`, with vectors.

mod cached;
mod envelope;
mod error;
mod file;
mod ids;
mod keyring;
mod keys;
mod moving;
mod personal;
mod secret;
mod shares;
mod suite;
mod sync;

#[cfg(test)]
mod standards;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;

pub use envelope::{
    Envelope, Fields, GROUPS_LIMIT, Group, GroupHead, GroupKeys, Origin, Resealed, Sealing, reseal, seal,
};
pub use error::Error;
pub use file::{
    CHUNK, FileDigest, FileHead, FileOpener, FilePlace, FileSeal, FileSealer, SEALED_CHUNK, SealedChunk,
};
pub use ids::{ID_LENGTH, IdKey, base32, from_base32};
pub use keyring::{
    Destroyed, DestroyedList, Epoch, Holder, KEY_FILE_LEAST, Keyring, Lock, LockCheck, Locked,
    PASSPHRASE_LEAST, Unlocked,
};
pub use keys::{Class, DataKey, EpochKey, KeyId, Owner, SEALED_KEY, ShopKeyRows, ShopKeys, WRAPPED, Wrapped};
pub use moving::{FileMove, FileStands, file_suite};
pub use personal::{Permit, Personal, Place, VALUE_LIMIT, Value};
pub use secret::{Random, Secret, same};
pub use shares::{SHARES_MOST, Share, Split, join, split};
pub use suite::Suite;
