//! What all rooms stand on: the house, units of work, actors, ids, the clock, problems, and logging that cannot leak.
//!
//! It owns no table and knows no room. The caches in [`shop`] belong to the rooms that fill them.

pub mod actor;
pub mod clock;
pub mod heads;
mod hex;
pub mod hints;
pub mod house;
pub mod ids;
pub mod jobs;
pub mod key_holder;
pub mod keys_folder;
pub mod law;
pub mod log;
pub mod mail;
pub mod neighbours;
pub mod note;
pub mod outward;
pub mod packs;
pub mod permits;
pub mod private_key;
pub mod problem;
pub mod random;
pub mod reached;
pub mod shop;
pub mod signers;
pub mod streams;
mod sync;
pub mod web;
pub mod witnesses;
pub mod work;

pub use actor::{Actor, ActorFacts, Deed, Presented, Role};
pub use hex::hex;
pub use hints::{Chosen, Hint};
pub use house::{Empty, House, Numbered};
pub use ids::{ApprovalId, ChoiceId, CredentialId, EntryId, Id, Ids, RecordId, SubjectId};
pub use problem::{Problem, Reason};
pub use shop::{InForce, OPEN_END, Shop, Term};
pub use work::Work;
