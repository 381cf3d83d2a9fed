//! Typed ids. Inside the house they are dense numbers; outside they look random and carry a prefix.

use seal::{Error, IdKey};

/// A number of one type.
pub trait Id: Copy {
    /// The type's number inside the sealed block. SOURCE: docs/spec/seal.md, "Public ids".
    const KIND: u8;
    /// What stands before it when shown.
    const PREFIX: &'static str;
    /// Wraps a number.
    fn from_number(number: u64) -> Self;
    /// The number.
    fn number(self) -> u64;
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal, $prefix:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        impl Id for $name {
            const KIND: u8 = $kind;
            const PREFIX: &'static str = $prefix;

            fn from_number(number: u64) -> $name {
                $name(number)
            }

            fn number(self) -> u64 {
                self.0
            }
        }

        impl $name {
            /// As a column. Numbers stay below 2^63.
            pub fn column(self) -> i64 {
                i64::try_from(self.0).unwrap_or(i64::MAX)
            }

            /// From a column.
            pub fn from_column(column: i64) -> $name {
                $name(u64::try_from(column).unwrap_or(0))
            }
        }
    )* };
}

typed_ids! {
    /// A subject.
    SubjectId = 1, "sub_";
    /// A record; it holds its subject's number, its kind and its place among that subject's records of that kind.
    RecordId = 2, "rec_";
    /// An entry: its log and its leaf.
    EntryId = 3, "ent_";
    /// A credential.
    CredentialId = 4, "srk_";
    /// A choice; it holds its subject's number.
    ChoiceId = 5, "cho_";
    /// An approval.
    ApprovalId = 8, "apr_";
}

/// Bits of a record's or a choice's place among those of its subject (and kind).
const PLACE_BITS: u32 = 20;
/// Bits of a record's kind.
const KIND_BITS: u32 = 8;
/// Subjects in an installation at the most.
pub const SUBJECTS_LIMIT: u64 = 1 << (63 - PLACE_BITS - KIND_BITS);
/// Records of one kind for one subject at the most.
pub const RECORDS_LIMIT: u32 = 1 << PLACE_BITS;

impl RecordId {
    /// The record of a subject, a kind, and a place among the subject's records of that kind.
    ///
    /// ORDER: subject first, then kind: one range of keys holds everything of a subject, one sub-range everything of a kind.
    pub fn of(subject: SubjectId, kind: u8, place: u32) -> RecordId {
        let place = u64::from(place) & (u64::from(RECORDS_LIMIT) - 1);
        RecordId((subject.0 << (KIND_BITS + PLACE_BITS)) | (u64::from(kind) << PLACE_BITS) | place)
    }

    /// Whose record.
    pub fn subject(self) -> SubjectId {
        SubjectId(self.0 >> (KIND_BITS + PLACE_BITS))
    }

    /// Which kind.
    pub fn kind(self) -> u8 {
        u8::try_from((self.0 >> PLACE_BITS) & 0xff).unwrap_or(0)
    }

    /// Its place among its subject's records of its kind.
    pub fn place(self) -> u32 {
        u32::try_from(self.0 & (u64::from(RECORDS_LIMIT) - 1)).unwrap_or(0)
    }

    /// First and last possible record of a subject.
    pub fn all_of(subject: SubjectId) -> (RecordId, RecordId) {
        (RecordId::of(subject, 0, 0), RecordId::of(subject, u8::MAX, RECORDS_LIMIT - 1))
    }

    /// First and last possible record of a subject and kind.
    pub fn all_of_kind(subject: SubjectId, kind: u8) -> (RecordId, RecordId) {
        (RecordId::of(subject, kind, 0), RecordId::of(subject, kind, RECORDS_LIMIT - 1))
    }
}

impl ChoiceId {
    /// A subject's choice by its place among the subject's choices.
    pub fn of(subject: SubjectId, place: u32) -> ChoiceId {
        ChoiceId((subject.0 << PLACE_BITS) | (u64::from(place) & (u64::from(RECORDS_LIMIT) - 1)))
    }

    /// Whose choice.
    pub fn subject(self) -> SubjectId {
        SubjectId(self.0 >> PLACE_BITS)
    }
}

/// Bits of a leaf's number within its log. SOURCE: the store's key of leaves.
const LEAF_BITS: u32 = 40;

impl EntryId {
    /// The entry at a leaf of a log.
    pub fn of(log: i64, leaf: u64) -> EntryId {
        EntryId((u64::try_from(log).unwrap_or(0) << LEAF_BITS) | (leaf & ((1 << LEAF_BITS) - 1)))
    }

    /// Which log.
    pub fn log(self) -> i64 {
        i64::try_from(self.0 >> LEAF_BITS).unwrap_or(0)
    }

    /// Which leaf.
    pub fn leaf(self) -> u64 {
        self.0 & ((1 << LEAF_BITS) - 1)
    }
}

/// Shows and reads public ids of one installation.
#[derive(Debug)]
pub struct Ids(IdKey);

impl Ids {
    /// With the installation's id key.
    pub fn new(key: &seal::Secret<32>) -> Ids {
        Ids(IdKey::new(key))
    }

    /// The public form.
    pub fn show<I: Id>(&self, id: I) -> String {
        let mut shown = String::with_capacity(I::PREFIX.len() + seal::ID_LENGTH);
        shown.push_str(I::PREFIX);
        shown.push_str(&self.0.show(I::KIND, id.number()));
        shown
    }

    /// Reads a public form. A guess fails without a look at the database.
    pub fn read<I: Id>(&self, text: &str) -> Result<I, Error> {
        let rest = text.strip_prefix(I::PREFIX).ok_or(Error::NotAnId)?;
        self.0.read(I::KIND, rest).map(I::from_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_id_holds_subject_kind_and_place() {
        let subject = SubjectId(SUBJECTS_LIMIT - 1);
        let record = RecordId::of(subject, 255, RECORDS_LIMIT - 1);
        assert_eq!((record.subject(), record.kind(), record.place()), (subject, 255, RECORDS_LIMIT - 1));
        assert_eq!(RecordId::from_column(record.column()), record);
        let (first, last) = RecordId::all_of(SubjectId(7));
        assert!(first < RecordId::of(SubjectId(7), 3, 9) && RecordId::of(SubjectId(7), 3, 9) < last);
        assert!(last < RecordId::all_of(SubjectId(8)).0);
    }

    #[test]
    fn ids_of_one_type_are_not_ids_of_another() {
        let ids = Ids::new(&seal::Secret::new([1; 32]));
        let shown = ids.show(SubjectId(42));
        assert!(shown.starts_with("sub_") && shown.len() == 30);
        assert_eq!(ids.read::<SubjectId>(&shown), Ok(SubjectId(42)));
        let forged = shown.replace("sub_", "rec_");
        assert_eq!(ids.read::<RecordId>(&forged), Err(Error::NotAnId));
    }

    #[test]
    fn an_entry_id_holds_log_and_leaf() {
        let entry = EntryId::of(65, 1 << 39);
        assert_eq!((entry.log(), entry.leaf()), (65, 1 << 39));
    }
}
