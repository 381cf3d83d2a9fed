//! The Merkle log of a shop: entries, tiles, checkpoints, proofs, receipts, and the verification of a whole log.
//!
//! Kept here: formats and arithmetic, nothing else. No clock, no random source, no environment, no global state; only
//! `archive::Folder` and the program `ledger-verify` read files. The formats are written down in
//! `docs/spec/ledger.md`, so that a stranger can verify a log with a program of their own.
//!
//! Invariants: an entry has exactly one encoding; an entry never holds a subject, a record, an external id or a value;
//! whatever is read may come from an enemy, and is refused with an `Error` that repeats none of it but numbers.
//!
//! ```
//! use ledger::checkpoint::Checkpoint;
//! use ledger::entry::{Act, Actor, Entry, Outcome};
//! use ledger::hash::leaf_hash;
//! use ledger::note::Signer;
//! use ledger::opening::{Opening, commitment};
//! use ledger::receipt::Receipt;
//! use ledger::tree::TileBuffer;
//!
//! // A person withdraws a consent. What the log must not hold goes into the opening.
//! let salt = [7; 16];
//! let facts = Opening::builder().act(Act::Chose).subject("sub_ann").choice("withdrawn").build()?;
//! let mut entry = Entry::new(1_795_305_600_000_000, Act::Chose, Outcome::Yes, Actor::credential(42));
//! entry.commitment = commitment(&salt, &facts);
//! let leaf = entry.encode()?;
//!
//! // The log grows by one entry and is signed.
//! let mut tree = TileBuffer::new();
//! tree.append(leaf_hash(&leaf));
//! let signer = Signer::from_seed("shop.example/ledger", &[1; 32])?;
//! let checkpoint = Checkpoint::new("shop.example/ledger", tree.size(), tree.root())?.sign(&signer)?;
//!
//! // The person can prove it to anybody who has the log's public key.
//! let receipt = Receipt::new(0, leaf, salt, &facts, vec![], checkpoint);
//! let proved = receipt.verify(signer.verifier(), "shop.example/ledger")?;
//! assert_eq!(proved.entry.act, Act::Chose);
//! # Ok::<(), ledger::Error>(())
//! ```

pub mod archive;
pub mod bundle;
pub mod checkpoint;
pub mod choice;
pub mod cosign;
pub mod entry;
mod error;
pub mod hash;
pub mod instant;
pub mod jws;
mod named_key;
pub mod note;
mod numbered;
pub mod opening;
pub mod receipt;
#[cfg(test)]
mod testing;
pub mod tile;
pub mod tree;
pub mod witness;

pub use error::{ArchiveFile, Error};
