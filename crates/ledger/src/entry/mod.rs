//! One entry of the ledger: who did what, when, for which purpose, to which fields, and with what outcome.
//!
//! Invariants: an entry never holds a subject, record or external id, nor a value; people appear only as an alias that
//! dies with their key. An entry has exactly one encoding, and its bytes decode to exactly one entry, so that "the same
//! entry" and "the same leaf" are one thing.

mod codec;
mod json;
mod numbers;

pub use codec::{ENTRY_VERSION, MAX_ENTRY_BYTES};
pub use numbers::{Act, Figure, UnknownAct, UnknownFigure};

use crate::hash::Hash;

/// One leaf of a shop's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was done: microseconds since the Unix epoch, UTC.
    pub at: i64,
    /// What was done.
    pub act: Act,
    /// What the gate answered.
    pub outcome: Outcome,
    /// Who did it.
    pub actor: Actor,
    /// Version of the shop's policy that was in force, 0 before the first.
    pub policy: u32,
    /// For which purpose: its ordinal in the shop's name registry.
    pub purpose: Option<u16>,
    /// To which recipient: its ordinal in the shop's name registry.
    pub recipient: Option<u16>,
    /// Which fields of which kinds of record, in the order of the act.
    pub parts: Vec<Part>,
    /// Why: reason ids of the gate, the deciding one first.
    pub reasons: Vec<u16>,
    /// Whose data: the pseudonym derived from the subject's key.
    pub alias: Option<[u8; 16]>,
    /// Which version of a record the act wrote.
    pub record: Option<RecordMark>,
    /// Ids of the keys that the act destroyed.
    pub destroyed: Vec<[u8; 16]>,
    /// Small named counts.
    pub figures: Vec<(Figure, u64)>,
    /// What the act was about, in full, behind a salt: see `opening`.
    pub commitment: [u8; 32],
}

/// What the gate answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done, perhaps for fewer fields.
    Yes,
    /// It was refused.
    No,
    /// The policy or a pack could not tell: it was refused and shown to the officer.
    Gap,
}

/// Who did it, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Who acted.
    pub kind: ActorKind,
    /// The alias of the person for whom a credential or operator acted.
    pub on_behalf_of: Option<[u8; 16]>,
}

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A credential of the API or of a member of staff, by its number.
    Credential(u64),
    /// Somebody at the machine itself, through the command line.
    Operator,
    /// The house by itself: its scheduler.
    House,
    /// The person whom the entry is about, who acts on what is their own.
    Subject,
}

/// Fields of one kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// Ordinal of the record kind in the shop's policy.
    pub kind: u8,
    /// Bit n of the 256, lowest word first, stands for the field with ordinal n.
    pub fields: [u64; 4],
}

/// The version of a record that an act wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordMark {
    /// Pseudonym of the record.
    pub alias: [u8; 16],
    /// Version, counted from 1.
    pub version: u32,
    /// When its retention ends, in microseconds since the Unix epoch; `OPEN` when that is not known yet.
    pub until: i64,
}

/// The retention end of data that is kept until something happens.
pub const OPEN: i64 = i64::MAX;

impl Entry {
    /// An entry of which only the core is known; the rest is empty and can be set field by field.
    pub fn new(at: i64, act: Act, outcome: Outcome, actor: Actor) -> Self {
        Self {
            at,
            act,
            outcome,
            actor,
            policy: 0,
            purpose: None,
            recipient: None,
            parts: Vec::new(),
            reasons: Vec::new(),
            alias: None,
            record: None,
            destroyed: Vec::new(),
            figures: Vec::new(),
            commitment: [0; 32],
        }
    }

    /// What is the first figure of this name?
    pub fn figure(&self, name: Figure) -> Option<u64> {
        self.figures.iter().find(|(figure, _)| *figure == name).map(|(_, count)| *count)
    }
}

impl Actor {
    /// A credential, by its number.
    pub fn credential(number: u64) -> Self {
        Self { kind: ActorKind::Credential(number), on_behalf_of: None }
    }

    /// Somebody at the machine itself.
    pub fn operator() -> Self {
        Self { kind: ActorKind::Operator, on_behalf_of: None }
    }

    /// The house by itself.
    pub fn house() -> Self {
        Self { kind: ActorKind::House, on_behalf_of: None }
    }

    /// The person whom the entry is about.
    pub fn subject() -> Self {
        Self { kind: ActorKind::Subject, on_behalf_of: None }
    }

    /// The same actor, acting for the person with this alias.
    #[must_use]
    pub fn on_behalf_of(self, alias: [u8; 16]) -> Self {
        Self { on_behalf_of: Some(alias), ..self }
    }

    /// Which credential was it? 0 for everybody else.
    pub fn number(&self) -> u64 {
        match self.kind {
            ActorKind::Credential(number) => number,
            ActorKind::Operator | ActorKind::House | ActorKind::Subject => 0,
        }
    }
}

impl Part {
    /// Some fields of one kind of record.
    ///
    /// Takes: ordinals of the kind and of the fields, in any order.
    pub fn of(kind: u8, ordinals: impl IntoIterator<Item = u8>) -> Self {
        let mut fields = [0u64; 4];
        for ordinal in ordinals {
            if let Some(word) = fields.get_mut(usize::from(ordinal / 64)) {
                *word |= 1 << (ordinal % 64);
            }
        }
        Self { kind, fields }
    }

    /// The ordinals of the fields, ascending.
    pub fn ordinals(&self) -> impl Iterator<Item = u8> {
        let fields = self.fields;
        (0..=u8::MAX).filter(move |ordinal| {
            fields.get(usize::from(ordinal / 64)).is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
        })
    }
}

/// How does a 32-byte digest stand among the figures of an entry?
///
/// Gives: the digest as four big-endian numbers under `policy_digest_0` to `_3`.
pub fn policy_digest_figures(digest: &[u8; 32]) -> [(Figure, u64); 4] {
    let [a, b, c, d] = words(digest);
    [
        (Figure::PolicyDigest0, a),
        (Figure::PolicyDigest1, b),
        (Figure::PolicyDigest2, c),
        (Figure::PolicyDigest3, d),
    ]
}

/// How does the root of the log generation before stand among the figures of its successor's first entry?
///
/// Gives: the root as four big-endian numbers under `previous_root_0` to `_3`.
pub fn previous_root_figures(root: &Hash) -> [(Figure, u64); 4] {
    let [a, b, c, d] = words(&root.0);
    [
        (Figure::PreviousRoot0, a),
        (Figure::PreviousRoot1, b),
        (Figure::PreviousRoot2, c),
        (Figure::PreviousRoot3, d),
    ]
}

fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let mut words = [0u64; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_bits_in_the_order_of_their_ordinals() {
        let part = Part::of(3, [255, 0, 64, 1]);
        assert_eq!(part.fields, [3, 1, 0, 1 << 63]);
        assert_eq!(part.ordinals().collect::<Vec<_>>(), [0, 1, 64, 255]);
    }

    #[test]
    fn only_a_credential_has_a_number() {
        assert_eq!(Actor::credential(7).number(), 7);
        assert_eq!(Actor::operator().number(), 0);
        assert_eq!(Actor::house().on_behalf_of([1; 16]).number(), 0);
        assert_eq!(Actor::subject().number(), 0);
    }

    #[test]
    fn a_digest_stands_in_four_figures() {
        let mut digest = [0u8; 32];
        digest[7] = 1;
        digest[31] = 2;
        let mut entry = Entry::new(0, Act::Published, Outcome::Yes, Actor::operator());
        entry.figures.extend(policy_digest_figures(&digest));
        entry.figures.extend(previous_root_figures(&Hash(digest)));
        assert_eq!(entry.figure(Figure::PolicyDigest0), Some(1));
        assert_eq!(entry.figure(Figure::PreviousRoot3), Some(2));
        assert_eq!(entry.figure(Figure::Records), None);
    }
}
