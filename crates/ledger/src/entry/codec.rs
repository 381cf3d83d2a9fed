//! Entries as bytes. `docs/spec/ledger.md` describes the form byte by byte; this file and that one change together.

use crate::Error;
use crate::entry::{Act, Actor, ActorKind, Entry, Figure, Outcome, Part, RecordMark};

/// First byte of every entry of this format.
pub const ENTRY_VERSION: u8 = 1;

/// The most bytes an entry may have. A bundle could hold 65,535; a typical entry has 70 to 100.
pub const MAX_ENTRY_BYTES: usize = 4096;

impl Entry {
    /// Which bytes are this entry as a leaf?
    ///
    /// Fails: `SR-LEDGER-020` if they would be more than `MAX_ENTRY_BYTES`.
    ///
    /// ```
    /// # use ledger::entry::{Act, Actor, Entry, Outcome, Part};
    /// let mut entry = Entry::new(1_795_305_600_000_000, Act::Revealed, Outcome::Yes, Actor::credential(42));
    /// entry.parts.push(Part::of(1, [0, 1, 11]));
    /// entry.alias = Some([9; 16]);
    /// let bytes = entry.encode()?;
    /// assert_eq!(bytes.len(), 67);
    /// assert_eq!(Entry::decode(&bytes)?, entry);
    /// # Ok::<(), ledger::Error>(())
    /// ```
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(TYPICAL_BYTES);
        self.encode_into(&mut out)?;
        Ok(out)
    }

    /// Appends the bytes of this entry.
    ///
    /// Fails: `SR-LEDGER-020`; `out` is as before.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        out.reserve(TYPICAL_BYTES);
        self.write(out);
        let bytes = out.len().saturating_sub(start);
        if bytes > MAX_ENTRY_BYTES {
            out.truncate(start);
            return Err(Error::EntryTooLong { bytes, most: MAX_ENTRY_BYTES });
        }
        Ok(())
    }

    /// Which entry has these bytes?
    ///
    /// Takes: the whole leaf, from anywhere. Fails: `SR-LEDGER-020`, `SR-LEDGER-022` for a later format, and
    /// `SR-LEDGER-021` for anything that `encode` would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut entry = Self::new(0, Act::Opened, Outcome::Yes, Actor::house());
        entry.decode_from(bytes)?;
        Ok(entry)
    }

    /// What was done, and who did it, told by the first bytes: of most entries whoever reads a whole log needs no more.
    ///
    /// Gives: `None` for what does not begin as an entry of this format does. Whether the rest is one only `decode` tells.
    pub fn peek(bytes: &[u8]) -> Option<(Act, ActorKind)> {
        let mut reader = Reader { rest: bytes };
        reader.byte_where(|version| version == ENTRY_VERSION)?;
        let act = Act::from_number(reader.byte()?);
        let first = reader.first_flags()?;
        reader.array::<9>()?; // the second flags, and when it was
        Some((act, reader.actor(first)?))
    }

    /// Becomes the entry with these bytes; its lists keep their memory, for readers of long logs.
    ///
    /// Fails: as `decode`; the entry then holds nothing of use.
    pub fn decode_from(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(Error::EntryTooLong { bytes: bytes.len(), most: MAX_ENTRY_BYTES });
        }
        if let Some(version) = bytes.first().copied().filter(|version| *version != ENTRY_VERSION) {
            return Err(Error::EntryVersion { version });
        }
        let mut reader = Reader { rest: bytes };
        let read = self.read(&mut reader);
        if read.is_none() || !reader.rest.is_empty() {
            return Err(Error::EntryMalformed { at_byte: bytes.len() - reader.rest.len() });
        }
        Ok(())
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (actor_bits, number) = match self.actor.kind {
            ActorKind::Credential(number) => (0, Some(number)),
            ActorKind::Operator => (1, None),
            ActorKind::House => (2, None),
            ActorKind::Subject => (3, None),
        };
        let outcome_bits = match self.outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
            Outcome::Gap => 2,
        };
        let first = outcome_bits
            | actor_bits << 2
            | u8::from(self.actor.on_behalf_of.is_some()) << 4
            | u8::from(self.purpose.is_some()) << 5
            | u8::from(self.recipient.is_some()) << 6
            | u8::from(self.alias.is_some()) << 7;
        let second = u8::from(self.record.is_some())
            | u8::from(!self.parts.is_empty()) << 1
            | u8::from(!self.reasons.is_empty()) << 2
            | u8::from(!self.destroyed.is_empty()) << 3
            | u8::from(!self.figures.is_empty()) << 4;
        out.extend_from_slice(&[ENTRY_VERSION, self.act.number(), first, second]);
        out.extend_from_slice(&self.at.to_be_bytes());
        if let Some(number) = number {
            write_varint(out, number);
        }
        if let Some(alias) = &self.actor.on_behalf_of {
            out.extend_from_slice(alias);
        }
        write_varint(out, u64::from(self.policy));
        if let Some(purpose) = self.purpose {
            write_varint(out, u64::from(purpose));
        }
        if let Some(recipient) = self.recipient {
            write_varint(out, u64::from(recipient));
        }
        if !self.parts.is_empty() {
            write_count(out, self.parts.len());
            self.parts.iter().for_each(|part| write_part(out, part));
        }
        if !self.reasons.is_empty() {
            write_count(out, self.reasons.len());
            self.reasons.iter().for_each(|reason| write_varint(out, u64::from(*reason)));
        }
        if let Some(alias) = &self.alias {
            out.extend_from_slice(alias);
        }
        if let Some(record) = &self.record {
            out.extend_from_slice(&record.alias);
            write_varint(out, u64::from(record.version));
            out.extend_from_slice(&record.until.to_be_bytes());
        }
        if !self.destroyed.is_empty() {
            write_count(out, self.destroyed.len());
            self.destroyed.iter().for_each(|id| out.extend_from_slice(id));
        }
        if !self.figures.is_empty() {
            write_count(out, self.figures.len());
            for (figure, count) in &self.figures {
                out.push(figure.number());
                write_varint(out, *count);
            }
        }
        out.extend_from_slice(&self.commitment);
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        // The version was looked at by the caller.
        reader.byte()?;
        self.act = Act::from_number(reader.byte()?);
        let first = reader.first_flags()?;
        let second = reader.byte_where(|flags| flags >> 5 == 0)?;
        self.outcome = match first & 0b11 {
            0 => Outcome::Yes,
            1 => Outcome::No,
            _ => Outcome::Gap,
        };
        self.at = i64::from_be_bytes(reader.array()?);
        self.actor.kind = reader.actor(first)?;
        self.actor.on_behalf_of = if first >> 4 & 1 == 1 { Some(reader.array()?) } else { None };
        self.policy = reader.number()?;
        self.purpose = if first >> 5 & 1 == 1 { Some(reader.number()?) } else { None };
        self.recipient = if first >> 6 & 1 == 1 { Some(reader.number()?) } else { None };
        let listed = |bit: u8| second >> bit & 1 == 1;
        reader.list(&mut self.parts, listed(1), Reader::part)?;
        reader.list(&mut self.reasons, listed(2), Reader::number)?;
        self.alias = if first >> 7 == 1 { Some(reader.array()?) } else { None };
        self.record = if listed(0) { Some(reader.record()?) } else { None };
        reader.list(&mut self.destroyed, listed(3), Reader::array)?;
        reader.list(&mut self.figures, listed(4), Reader::figure)?;
        self.commitment = reader.array()?;
        Some(())
    }
}

/// Takes bytes from the front of an entry; on `None`, `rest` begins where it went wrong.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.byte_where(|_| true)
    }

    fn byte_where(&mut self, allowed: impl Fn(u8) -> bool) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        if !allowed(*byte) {
            return None;
        }
        self.rest = rest;
        Some(*byte)
    }

    fn first_flags(&mut self) -> Option<u8> {
        self.byte_where(|flags| flags & 0b11 != 0b11)
    }

    fn actor(&mut self, first_flags: u8) -> Option<ActorKind> {
        Some(match first_flags >> 2 & 0b11 {
            0 => ActorKind::Credential(self.varint()?),
            1 => ActorKind::Operator,
            2 => ActorKind::House,
            _ => ActorKind::Subject,
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*array)
    }

    /// LEB128, in its shortest form only.
    fn varint(&mut self) -> Option<u64> {
        // Most numbers are small, and readers of whole logs read many.
        if let Some((byte, rest)) = self.rest.split_first().filter(|(byte, _)| **byte < 0x80) {
            self.rest = rest;
            return Some(u64::from(*byte));
        }
        let mut value = 0u64;
        for (place, byte) in self.rest.iter().enumerate() {
            let shift = u32::try_from(place).ok()?.checked_mul(7)?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if shift > 63 || (shift == 63 && bits > 1) {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                // A last byte of zero would be a second spelling of a shorter number.
                if *byte == 0 && place > 0 {
                    return None;
                }
                self.rest = self.rest.get(place + 1..)?;
                return Some(value);
            }
        }
        None
    }

    fn number<T: TryFrom<u64>>(&mut self) -> Option<T> {
        let before = self.rest;
        let value = self.varint()?.try_into().ok();
        if value.is_none() {
            self.rest = before;
        }
        value
    }

    #[inline]
    fn list<T>(
        &mut self,
        items: &mut Vec<T>,
        is_there: bool,
        item: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<()> {
        items.clear();
        if is_there { self.items(items, item) } else { Some(()) }
    }

    /// A list that is there has at least one item; each item takes at least one byte, so memory is bounded by input.
    fn items<T>(&mut self, items: &mut Vec<T>, item: impl Fn(&mut Self) -> Option<T>) -> Option<()> {
        let before = self.rest;
        let count = self.number::<usize>()?;
        if count == 0 || count > self.rest.len() {
            self.rest = before;
            return None;
        }
        for _ in 0..count {
            items.push(item(self)?);
        }
        Some(())
    }

    fn part(&mut self) -> Option<Part> {
        let kind = self.byte()?;
        let width = usize::from(self.byte_where(|width| usize::from(width) <= MASK_BYTES)?);
        let (given, rest) = self.rest.split_at_checked(width)?;
        // A last byte of zero would be a second spelling of a narrower mask.
        if given.last() == Some(&0) {
            return None;
        }
        self.rest = rest;
        let mut words = given
            .chunks(8)
            .map(|bytes| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        let mut word = || words.next().unwrap_or(0);
        Some(Part { kind, fields: [word(), word(), word(), word()] })
    }

    fn record(&mut self) -> Option<RecordMark> {
        Some(RecordMark {
            alias: self.array()?,
            version: self.number()?,
            until: i64::from_be_bytes(self.array()?),
        })
    }

    fn figure(&mut self) -> Option<(Figure, u64)> {
        Some((Figure::from_number(self.byte()?), self.varint()?))
    }
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

fn write_count(out: &mut Vec<u8>, count: usize) {
    // No list of 2^64 items fits a memory; the limit of the whole entry refuses long ones anyway.
    write_varint(out, u64::try_from(count).unwrap_or(u64::MAX));
}

fn write_part(out: &mut Vec<u8>, part: &Part) {
    let mut mask = [0u8; MASK_BYTES];
    for (bytes, word) in mask.as_chunks_mut::<8>().0.iter_mut().zip(part.fields) {
        *bytes = word.to_le_bytes();
    }
    let width = mask.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    out.push(part.kind);
    // INVARIANT: width is 32 at most.
    out.push(u8::try_from(width).unwrap_or(u8::MAX));
    out.extend_from_slice(mask.get(..width).unwrap_or_default());
}

const MASK_BYTES: usize = 32;
const TYPICAL_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A revealed entry as shops write them: seven of twelve fields of one kind, an alias, no record mark.
    fn revealed() -> Entry {
        let mut entry = Entry::new(AT, Act::Revealed, Outcome::Yes, Actor::credential(42));
        entry.policy = 3;
        entry.purpose = Some(5);
        entry.parts.push(Part::of(1, [0, 1, 2, 4, 7, 9, 11]));
        entry.reasons.push(17);
        entry.alias = Some([0xaa; 16]);
        entry.commitment = [0xcc; 32];
        entry
    }

    fn collected() -> Entry {
        let mut entry = revealed();
        entry.act = Act::Collected;
        entry.record = Some(RecordMark { alias: [0xbb; 16], version: 1, until: AT + 1 });
        entry
    }

    #[test]
    fn typical_entries_are_small() {
        assert_eq!(revealed().encode().unwrap().len(), 70);
        assert_eq!(collected().encode().unwrap().len(), 95);
        let minimal = Entry::new(AT, Act::Rotated, Outcome::Yes, Actor::house());
        assert_eq!(minimal.encode().unwrap().len(), 45);
    }

    #[test]
    fn the_head_and_the_commitment_stand_at_fixed_places() {
        let bytes = revealed().encode().unwrap();
        assert_eq!(bytes[..2], [1, 3]);
        assert_eq!(bytes[4..12], AT.to_be_bytes());
        assert_eq!(bytes[bytes.len() - 32..], [0xcc; 32]);
    }

    #[test]
    fn a_too_long_entry_is_refused_and_leaves_nothing_behind() {
        let mut entry = revealed();
        entry.destroyed = vec![[1; 16]; 256];
        let mut out = vec![1, 2, 3];
        let refused = entry.encode_into(&mut out).unwrap_err();
        assert_eq!(refused, Error::EntryTooLong { bytes: 70 + 2 + 4096, most: 4096 });
        assert_eq!(out, [1, 2, 3]);
        entry.destroyed.truncate(250);
        assert_eq!(Entry::decode(&entry.encode().unwrap()), Ok(entry));
    }

    #[test]
    fn every_cut_and_every_trailing_byte_is_refused() {
        let bytes = collected().encode().unwrap();
        for cut in 0..bytes.len() {
            assert!(Entry::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(Entry::decode(&longer), Err(Error::EntryMalformed { at_byte: bytes.len() }));
        assert_eq!(Entry::decode(&[1; 5000]), Err(Error::EntryTooLong { bytes: 5000, most: 4096 }));
    }

    #[test]
    fn a_later_format_is_named_as_such() {
        let mut bytes = revealed().encode().unwrap();
        bytes[0] = 2;
        assert_eq!(Entry::decode(&bytes), Err(Error::EntryVersion { version: 2 }));
        assert_eq!((Entry::peek(&bytes), Entry::peek(&[])), (None, None));
    }

    #[test]
    fn second_spellings_are_refused() {
        // A minimal entry, ending in the policy's varint and the commitment, with one thing changed at a time.
        let entry = Entry::new(AT, Act::Rotated, Outcome::Yes, Actor::house());
        let good = entry.encode().unwrap();
        let changed = |place: usize, with: &[u8]| {
            let mut bytes = good.clone();
            bytes.splice(place..=place, with.iter().copied());
            Entry::decode(&bytes)
        };
        assert_eq!(changed(12, &[0]), Ok(entry));
        let refused = |at_byte| Err(Error::EntryMalformed { at_byte });
        assert_eq!(changed(12, &[0x80, 0x00]), refused(12), "a long zero");
        assert_eq!(changed(12, &[0x80, 0x80, 0x80, 0x80, 0x10]), refused(12), "a policy above 32 bits");
        assert_eq!(changed(12, &[0x80; 11]), refused(12), "a number above 64 bits");
        assert_eq!(changed(2, &[0b1011]), refused(2), "an unknown outcome");
        assert_eq!(changed(3, &[0b10_0000]), refused(3), "an unknown presence bit");
        for bit in 1..=4 {
            let mut bytes = good.clone();
            bytes[3] = 1 << bit;
            bytes.insert(13, 0);
            assert_eq!(Entry::decode(&bytes), refused(13), "an empty list {bit}");
        }
        let mut bytes = good.clone();
        bytes[3] = 0b10;
        for (mask, at_byte) in [(&[1, 7, 1, 0][..], 16), (&[1, 7, 2, 1, 0][..], 16), (&[1, 7, 33][..], 15)] {
            let mut bytes = bytes.clone();
            bytes.splice(13..13, mask.iter().copied());
            assert_eq!(Entry::decode(&bytes), refused(at_byte), "mask {mask:?}");
        }
    }

    fn id() -> impl Strategy<Value = [u8; 16]> {
        any::<[u8; 16]>()
    }

    fn part() -> impl Strategy<Value = Part> {
        (any::<u8>(), any::<[u64; 4]>(), 0usize..5).prop_map(|(kind, mut fields, words)| {
            fields.iter_mut().skip(words).for_each(|word| *word = 0);
            Part { kind, fields }
        })
    }

    fn small(bits: u32) -> impl Strategy<Value = u64> {
        (any::<u64>(), 0..bits).prop_map(move |(value, shift)| (value >> (64 - bits)) >> shift)
    }

    prop_compose! {
        fn entry()(
            at: i64, act: u8, outcome in 0usize..3, kind in 0usize..4, number in small(64),
            on_behalf_of in prop::option::of(id()), policy in small(32),
            purpose in prop::option::of(small(16)), recipient in prop::option::of(small(16)),
            parts in prop::collection::vec(part(), 0..4),
            reasons in prop::collection::vec(any::<u16>(), 0..4),
            (alias, record) in (
                prop::option::of(id()), prop::option::of((id(), any::<u32>(), any::<i64>())),
            ),
            destroyed in prop::collection::vec(id(), 0..4),
            figures in prop::collection::vec((any::<u8>(), small(64)), 0..4),
            commitment: [u8; 32],
        ) -> Entry {
            Entry {
                at,
                act: Act::from_number(act),
                outcome: [Outcome::Yes, Outcome::No, Outcome::Gap][outcome],
                actor: Actor {
                    kind: [
                        ActorKind::Credential(number),
                        ActorKind::Operator,
                        ActorKind::House,
                        ActorKind::Subject,
                    ][kind],
                    on_behalf_of,
                },
                policy: u32::try_from(policy).unwrap(),
                purpose: purpose.map(|ordinal| ordinal.try_into().unwrap()),
                recipient: recipient.map(|ordinal| ordinal.try_into().unwrap()),
                parts,
                reasons,
                alias,
                record: record.map(|(alias, version, until)| RecordMark { alias, version, until }),
                destroyed,
                figures: figures.into_iter().map(|(figure, count)| (Figure::from_number(figure), count)).collect(),
                commitment,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_is_encoded_is_decoded(entry in entry()) {
            let bytes = entry.encode().unwrap();
            prop_assert_eq!(Entry::peek(&bytes), Some((entry.act, entry.actor.kind)));
            prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
        }

        #[test]
        fn what_is_decoded_is_encoded_again(entry in entry(), place: usize, with: u8, cut in 0usize..3) {
            // Bytes near a good entry reach every corner of the reader, which random bytes do not.
            let mut bytes = entry.encode().unwrap();
            let place = place % bytes.len();
            bytes[place] = with;
            bytes.truncate(bytes.len() - cut.min(1));
            if let Ok(entry) = Entry::decode(&bytes) {
                prop_assert_eq!(entry.encode().unwrap(), bytes);
            }
        }

        #[test]
        fn hostile_bytes_are_refused_calmly(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Entry::decode(&bytes);
            bytes.insert(0, ENTRY_VERSION);
            if let Ok(entry) = Entry::decode(&bytes) {
                prop_assert_eq!(entry.encode().unwrap(), bytes);
            }
        }

        #[test]
        fn a_reused_entry_keeps_nothing_of_the_one_before(first in entry(), second in entry()) {
            let mut reused = first;
            reused.decode_from(&second.encode().unwrap()).unwrap();
            prop_assert_eq!(reused, second);
        }
    }

    const AT: i64 = 1_795_311_000_000_000;
}
