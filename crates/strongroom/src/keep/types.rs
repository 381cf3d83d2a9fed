//! Rows of the room, as values.

use policy::{Age, FieldMask, Life, Person, Standing};
use seal::{Class, Fields, FileSeal, KeyId, Place, Wrapped};

use crate::ground::{Chosen, Id, RecordId, SubjectId};

/// A subject's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectRow {
    /// Which subject.
    pub id: SubjectId,
    /// Where it stands.
    pub standing: Standing,
    /// When it was made, µs UTC.
    pub since: i64,
    /// Where it lives, and whether it is of age, as far as the shop said.
    pub person: Person,
    /// Its living keys, wrapped.
    pub keys: Vec<Wrapped>,
}

impl SubjectRow {
    /// Its key of a class, if that lives.
    pub fn key(&self, class: Class) -> Option<&Wrapped> {
        self.keys.iter().find(|key| key.class == class)
    }

    /// Its key of this name, if that lives.
    pub fn key_named(&self, id: KeyId) -> Option<&Wrapped> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The key whose alias stands in entries: the main one, or after an erasure the retained one.
    pub fn marking_key(&self) -> Option<&Wrapped> {
        self.key(Class::Main).or_else(|| self.key(Class::Retained)).or_else(|| self.key(Class::Hold))
    }

    /// The keys as one column.
    pub fn keys_column(&self) -> Vec<u8> {
        let mut column = Vec::with_capacity(self.keys.len().saturating_mul(seal::WRAPPED));
        for key in &self.keys {
            column.extend_from_slice(&key.encode());
        }
        column
    }
}

/// Reads a column of keys.
pub fn read_keys(column: &[u8]) -> Result<Vec<Wrapped>, seal::Error> {
    let (keys, rest) = column.as_chunks::<{ seal::WRAPPED }>();
    if !rest.is_empty() {
        return Err(seal::Error::Malformed);
    }
    keys.iter().map(|key| Wrapped::decode(key)).collect()
}

/// A standing as a column.
pub fn standing_column(standing: Standing) -> i64 {
    match standing {
        Standing::Present => 0,
        Standing::Restricted => 1,
        Standing::Erased => 2,
    }
}

/// The standing of a column.
pub fn read_standing(column: i64) -> Option<Standing> {
    Some(match column {
        0 => Standing::Present,
        1 => Standing::Restricted,
        2 => Standing::Erased,
        _ => return None,
    })
}

/// An age as a column.
pub fn age_column(age: Age) -> i64 {
    match age {
        Age::Unknown => 0,
        Age::Minor => 1,
        Age::Adult => 2,
    }
}

/// The age of a column.
pub fn read_age(column: i64) -> Option<Age> {
    Some(match column {
        0 => Age::Unknown,
        1 => Age::Minor,
        2 => Age::Adult,
        _ => return None,
    })
}

/// A record's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Which record.
    pub id: RecordId,
    /// Its version.
    pub version: u32,
    /// Its clear columns as stored: what the seal is bound to.
    pub clear_bytes: Vec<u8>,
    /// The same, read.
    pub clear: Clear,
    /// Its envelope.
    pub sealed: Vec<u8>,
}

impl RecordRow {
    /// Where it belongs.
    pub fn place(&self, shop: u32) -> Place {
        place(shop, self.id, self.version)
    }
}

/// Where a version of a record belongs.
pub fn place(shop: u32, record: RecordId, version: u32) -> Place {
    Place { shop, subject: record.subject().number(), kind: record.kind(), record: record.number(), version }
}

/// What a record's row says in the clear. It is bound into the seal, so a changed byte keeps the record from opening.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clear {
    /// When the last of its fields is over, µs UTC; the greatest number while that is not known.
    pub until: i64,
    /// The latest instant of each event: of the record's own kind, and of the kinds that belong to it.
    pub events: Vec<Event>,
    /// Blind indexes under which it can be found: the field (255 for the external id), and the hash.
    pub blinds: Vec<(u8, [u8; 16])>,
    /// The files of its fields.
    pub files: Vec<FileMark>,
}

/// A file as its record names it: bound into the record's seal, and so into what the entry commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMark {
    /// The field that holds it.
    pub field: u8,
    /// Its number.
    pub file: u64,
    /// What its chunks are.
    pub seal: FileSeal,
}

/// That something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Kind of the record that it happened to.
    pub kind: u8,
    /// Ordinal of the event in that kind.
    pub event: u8,
    /// When it happened last, µs UTC.
    pub at: i64,
}

/// Of a record without files.
const CLEAR_FORMAT: u8 = 1;
/// Of one that has some. A record is written in one way: a list of files is never empty.
const CLEAR_WITH_FILES: u8 = 2;

impl Clear {
    /// `format ‖ until ‖ n ‖ (kind ‖ event ‖ at)… ‖ n ‖ (field ‖ blind)…`, and in format 2
    /// `‖ n ‖ (field ‖ file ‖ chunks ‖ commitment ‖ digest)…`
    ///
    /// Fails: `SR-SEAL-001` with more than 255 events, indexes or files, which the limits of a policy do not allow.
    pub fn encode(&self) -> Result<Vec<u8>, seal::Error> {
        let mut out =
            Vec::with_capacity(12 + self.events.len() * 10 + self.blinds.len() * 17 + self.files.len() * 77);
        out.push(if self.files.is_empty() { CLEAR_FORMAT } else { CLEAR_WITH_FILES });
        out.extend_from_slice(&self.until.to_be_bytes());
        out.push(u8::try_from(self.events.len()).map_err(|_| seal::Error::Malformed)?);
        for event in &self.events {
            out.extend_from_slice(&[event.kind, event.event]);
            out.extend_from_slice(&event.at.to_be_bytes());
        }
        out.push(u8::try_from(self.blinds.len()).map_err(|_| seal::Error::Malformed)?);
        for (field, blind) in &self.blinds {
            out.push(*field);
            out.extend_from_slice(blind);
        }
        if !self.files.is_empty() {
            out.push(u8::try_from(self.files.len()).map_err(|_| seal::Error::Malformed)?);
        }
        for FileMark { field, file, seal } in &self.files {
            out.push(*field);
            out.extend_from_slice(&file.to_be_bytes());
            out.extend_from_slice(&seal.chunks.to_be_bytes());
            out.extend_from_slice(&seal.commitment);
            out.extend_from_slice(&seal.digest);
        }
        Ok(out)
    }

    /// Reads what [`Clear::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Clear, seal::Error> {
        let broken = seal::Error::Malformed;
        let mut rest = bytes;
        let mut take = |count: usize| -> Result<&[u8], seal::Error> {
            let (taken, behind) = rest.split_at_checked(count).ok_or(broken)?;
            rest = behind;
            Ok(taken)
        };
        let with_files = match take(1)? {
            [CLEAR_FORMAT] => false,
            [CLEAR_WITH_FILES] => true,
            _ => return Err(broken),
        };
        let until = i64::from_be_bytes(take(8)?.try_into().map_err(|_| broken)?);
        let mut clear = Clear { until, ..Clear::default() };
        let events = take(1)?.first().copied().unwrap_or(0);
        for _ in 0..events {
            let (Some([kind, event]), at) = (take(2)?.first_chunk::<2>(), take(8)?) else {
                return Err(broken);
            };
            let at = i64::from_be_bytes(at.try_into().map_err(|_| broken)?);
            clear.events.push(Event { kind: *kind, event: *event, at });
        }
        let blinds = take(1)?.first().copied().unwrap_or(0);
        for _ in 0..blinds {
            let field = take(1)?.first().copied().ok_or(broken)?;
            clear.blinds.push((field, take(16)?.try_into().map_err(|_| broken)?));
        }
        let files = if with_files { take(1)?.first().copied().unwrap_or(0) } else { 0 };
        if with_files && files == 0 {
            return Err(broken);
        }
        for _ in 0..files {
            let field = take(1)?.first().copied().ok_or(broken)?;
            let file = u64::from_be_bytes(take(8)?.try_into().map_err(|_| broken)?);
            let chunks = u32::from_be_bytes(take(4)?.try_into().map_err(|_| broken)?);
            let commitment = take(32)?.try_into().map_err(|_| broken)?;
            let digest = take(32)?.try_into().map_err(|_| broken)?;
            clear.files.push(FileMark { field, file, seal: FileSeal { chunks, commitment, digest } });
        }
        if rest.is_empty() { Ok(clear) } else { Err(broken) }
    }

    /// Says that something happened. Of several instants the latest counts. Gives whether this moved anything.
    pub fn happened(&mut self, event: Event) -> bool {
        match self.events.iter_mut().find(|known| (known.kind, known.event) == (event.kind, event.event)) {
            Some(known) if known.at >= event.at => false,
            Some(known) => {
                known.at = event.at;
                true
            }
            None => {
                self.events.push(event);
                true
            }
        }
    }

    /// What happened to a record of this kind, as the policy wants it.
    pub fn happenings(&self, kind: u8) -> Happenings {
        let own = self.events.iter().filter(|event| event.kind == kind).map(|event| (event.event, event.at));
        let others = self.events.iter().filter(|event| event.kind != kind);
        let children = others.map(|event| (event.kind, event.event, event.at)).collect();
        Happenings { own: own.collect(), children }
    }

    /// Is it found under this hash?
    pub fn has_blind(&self, blind: &[u8; 16]) -> bool {
        self.blinds.iter().any(|(_, known)| seal::same(known, blind))
    }
}

/// What happened to a record: its own events, and the latest of records that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happenings {
    /// Event and instant.
    pub own: Vec<(u8, i64)>,
    /// Kind, event and instant.
    pub children: Vec<(u8, u8, i64)>,
}

impl Happenings {
    /// With what its subject chose and where it stands: all that clocks rest on.
    pub fn life(&self, chosen: &Chosen, standing: Standing) -> Life<'_> {
        let Chosen { granted, refused, .. } = *chosen;
        Life { events: &self.own, children: &self.children, granted, refused, standing }
    }
}

/// The policy's set of fields as the seal's.
pub fn to_seal(fields: FieldMask) -> Fields {
    Fields(*fields.as_words())
}

/// The seal's set of fields as the policy's.
pub fn to_policy(fields: Fields) -> FieldMask {
    FieldMask::from_words(fields.0)
}

/// The ordinal under which a record's external id is sealed and indexed.
pub const EXTERNAL_ID: u8 = policy::EXTERNAL_ID;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_columns_read_back_and_hostile_ones_do_not() {
        let clear = Clear {
            until: i64::MAX,
            events: vec![Event { kind: 1, event: 63, at: -5 }, Event { kind: 2, event: 0, at: 7 }],
            blinds: vec![(255, [3; 16]), (0, [4; 16])],
            files: Vec::new(),
        };
        let seal = FileSeal { chunks: 153, commitment: [5; 32], digest: [6; 32] };
        let with_files = Clear { files: vec![FileMark { field: 9, file: 1 << 40, seal }], ..clear.clone() };
        for clear in [clear, with_files] {
            let bytes = clear.encode().unwrap();
            assert_eq!(Clear::decode(&bytes).unwrap(), clear);
            for cut in 0..bytes.len() {
                assert!(Clear::decode(&bytes[..cut]).is_err(), "cut at {cut}");
            }
            assert!(Clear::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        }
    }

    #[test]
    fn a_record_without_files_is_written_as_it_always_was() {
        let clear = Clear { until: 1, ..Clear::default() };
        assert_eq!(clear.encode().unwrap(), [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert!(Clear::decode(&[2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]).is_err(), "another way to say the same");
    }

    #[test]
    fn of_several_instants_of_an_event_the_latest_counts() {
        let mut clear = Clear::default();
        assert!(clear.happened(Event { kind: 1, event: 2, at: 10 }));
        assert!(!clear.happened(Event { kind: 1, event: 2, at: 9 }));
        assert!(clear.happened(Event { kind: 1, event: 2, at: 11 }));
        assert!(clear.happened(Event { kind: 3, event: 2, at: 5 }));
        assert_eq!(clear.happenings(1), Happenings { own: vec![(2, 11)], children: vec![(3, 2, 5)] });
    }
}
