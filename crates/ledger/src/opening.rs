//! What the commitment of an entry commits to: the facts that an entry must not hold, behind a salt.
//!
//! The log keeps the commitment for ever; salt and opening live with the subject's sealed data and die with its key, or
//! with the person who holds a receipt. Since an opening holds public ids and a person's choices, it has no Display, and
//! its Debug shows its length only.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::Error;
use crate::entry::{Act, Part};
use crate::numbered::numbered;

/// How many random bytes hide an opening.
pub const SALT_BYTES: usize = 16;

/// The most bytes of an opening.
pub const MAX_OPENING_BYTES: usize = 65_535;

/// The facts behind a commitment, in their one order.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    bytes: Vec<u8>,
}

/// Collects the facts of an opening; they may come in any order.
#[derive(Clone)]
pub struct OpeningBuilder {
    bytes: Vec<u8>,
    refused: Option<Error>,
}

numbered! {
    /// What a part of an opening says.
    Tag, unknown UnknownTag;
    /// The act: its number, one byte.
    Act = 1, "act";
    /// Public id of the subject, text.
    Subject = 2, "subject";
    /// Public id of the record, text.
    Record = 3, "record";
    /// Version of the record, four bytes.
    Version = 4, "version";
    /// A digest of what was written or certified, 32 bytes.
    Digest = 5, "digest";
    /// Name of the purpose, text.
    Purpose = 6, "purpose";
    /// What was chosen, text.
    Choice = 7, "choice";
    /// The notice that was shown, text.
    Notice = 8, "notice";
    /// The language in which it was shown, text.
    Language = 9, "language";
    /// An instant in microseconds since the Unix epoch, eight bytes.
    At = 10, "at";
    /// Kind and fields, as in an entry's part; may stand there more than once.
    Fields = 11, "fields";
    /// A token; may stand there more than once.
    Token = 12, "token";
    /// Anything else; may stand there more than once.
    Extra = 13, "extra";
}

/// What is the commitment to this opening?
///
/// Takes: 16 fresh random bytes, since openings are guessable. Gives: the 32 bytes for `Entry::commitment`.
pub fn commitment(salt: &[u8; SALT_BYTES], opening: &Opening) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(COMMITMENT_PREFIX);
    hasher.update(SALT_LENGTH);
    hasher.update(salt);
    hasher.update(&opening.bytes);
    hasher.finalize().into()
}

impl Opening {
    /// An opening without facts, to be filled.
    pub fn builder() -> OpeningBuilder {
        OpeningBuilder::new()
    }

    /// Which opening has these bytes?
    ///
    /// Fails: `SR-LEDGER-023` for anything that a builder would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut rest = match bytes.strip_prefix(OPENING_PREFIX) {
            Some(rest) if bytes.len() <= MAX_OPENING_BYTES => rest,
            _ => return Err(Error::OpeningMalformed { at_byte: 0 }),
        };
        let mut last = None;
        while !rest.is_empty() {
            let malformed = Error::OpeningMalformed { at_byte: bytes.len().saturating_sub(rest.len()) };
            let (tag, value, after) = split_part(rest).ok_or(malformed)?;
            let in_order =
                last.is_none_or(|last| last < tag.number() || (last == tag.number() && tag.repeats()));
            if !in_order || !tag.allows(value) {
                return Err(malformed);
            }
            last = Some(tag.number());
            rest = after;
        }
        Ok(Self { bytes: bytes.to_vec() })
    }

    /// Its bytes, as receipts carry them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All its facts, in order.
    pub fn parts(&self) -> impl Iterator<Item = (Tag, &[u8])> {
        let mut rest = self.bytes.strip_prefix(OPENING_PREFIX).unwrap_or_default();
        std::iter::from_fn(move || {
            let (tag, value, after) = split_part(rest)?;
            rest = after;
            Some((tag, value))
        })
    }

    /// The first fact with this tag, as bytes.
    pub fn find(&self, tag: Tag) -> Option<&[u8]> {
        self.parts().find(|(found, _)| *found == tag).map(|(_, value)| value)
    }

    /// The first fact with this tag, as text; `None` also for tags that are not text.
    pub fn text(&self, tag: Tag) -> Option<&str> {
        if tag.is_text() { std::str::from_utf8(self.find(tag)?).ok() } else { None }
    }

    /// The act it tells of.
    pub fn act(&self) -> Option<Act> {
        self.find(Tag::Act)?.first().map(|number| Act::from_number(*number))
    }

    /// The version of the record it tells of.
    pub fn version(&self) -> Option<u32> {
        self.find(Tag::Version)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// The instant it tells of, in microseconds since the Unix epoch.
    pub fn at(&self) -> Option<i64> {
        self.find(Tag::At)?.try_into().ok().map(i64::from_be_bytes)
    }

    /// The digest it holds.
    pub fn digest(&self) -> Option<[u8; 32]> {
        self.find(Tag::Digest)?.try_into().ok()
    }

    /// The fields it names, by kind.
    pub fn fields(&self) -> impl Iterator<Item = Part> {
        self.parts().filter(|(tag, _)| *tag == Tag::Fields).filter_map(|(_, value)| {
            let (kind, mask) = value.split_first()?;
            let mut fields = [0u64; 4];
            for (word, bytes) in fields.iter_mut().zip(mask.chunks(8)) {
                *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            }
            Some(Part { kind: *kind, fields })
        })
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl OpeningBuilder {
    /// An opening without facts.
    pub fn new() -> Self {
        let mut bytes = Vec::with_capacity(TYPICAL_BYTES);
        bytes.extend_from_slice(OPENING_PREFIX);
        Self { bytes, refused: None }
    }

    /// The act.
    #[must_use]
    pub fn act(self, act: Act) -> Self {
        self.with(Tag::Act, &[act.number()])
    }

    /// Public id of the subject.
    #[must_use]
    pub fn subject(self, public_id: &str) -> Self {
        self.with(Tag::Subject, public_id.as_bytes())
    }

    /// Public id of the record.
    #[must_use]
    pub fn record(self, public_id: &str) -> Self {
        self.with(Tag::Record, public_id.as_bytes())
    }

    /// Version of the record.
    #[must_use]
    pub fn version(self, version: u32) -> Self {
        self.with(Tag::Version, &version.to_be_bytes())
    }

    /// A digest of what was written or certified.
    #[must_use]
    pub fn digest(self, digest: &[u8; 32]) -> Self {
        self.with(Tag::Digest, digest)
    }

    /// Name of the purpose.
    #[must_use]
    pub fn purpose(self, name: &str) -> Self {
        self.with(Tag::Purpose, name.as_bytes())
    }

    /// What was chosen.
    #[must_use]
    pub fn choice(self, choice: &str) -> Self {
        self.with(Tag::Choice, choice.as_bytes())
    }

    /// The notice that was shown.
    #[must_use]
    pub fn notice(self, notice: &str) -> Self {
        self.with(Tag::Notice, notice.as_bytes())
    }

    /// The language in which it was shown.
    #[must_use]
    pub fn language(self, language: &str) -> Self {
        self.with(Tag::Language, language.as_bytes())
    }

    /// An instant, in microseconds since the Unix epoch.
    #[must_use]
    pub fn at(self, at: i64) -> Self {
        self.with(Tag::At, &at.to_be_bytes())
    }

    /// Fields of one kind; may be called for several kinds.
    #[must_use]
    pub fn fields(self, part: &Part) -> Self {
        let mut value = vec![part.kind];
        value.extend(part.fields.iter().flat_map(|word| word.to_le_bytes()));
        while value.len() > 1 && value.last() == Some(&0) {
            value.pop();
        }
        self.with(Tag::Fields, &value)
    }

    /// A token; may be called again.
    #[must_use]
    pub fn token(self, token: &[u8]) -> Self {
        self.with(Tag::Token, token)
    }

    /// Anything else; may be called again.
    #[must_use]
    pub fn extra(self, extra: &[u8]) -> Self {
        self.with(Tag::Extra, extra)
    }

    /// The opening with all these facts, in their one order.
    ///
    /// Fails: `SR-LEDGER-024` with the tag of the first fact that is too long or stands there twice.
    pub fn build(self) -> Result<Opening, Error> {
        match self.refused {
            Some(refused) => Err(refused),
            None => Ok(Opening { bytes: self.bytes }),
        }
    }

    fn with(mut self, tag: Tag, value: &[u8]) -> Self {
        let refused = Error::OpeningPart { tag: tag.number() };
        let length = match u16::try_from(value.len()) {
            Ok(length) if self.bytes.len() + PART_HEAD_BYTES + value.len() <= MAX_OPENING_BYTES => length,
            _ => {
                self.refused.get_or_insert(refused);
                return self;
            }
        };
        // Where the facts with a higher tag begin. Mostly that is the end, and nothing is moved.
        let mut place = OPENING_PREFIX.len();
        while let Some((found, value, _)) = self.bytes.get(place..).and_then(split_part) {
            if found == tag && !tag.repeats() {
                self.refused.get_or_insert(refused);
                return self;
            }
            if found.number() > tag.number() {
                break;
            }
            place += PART_HEAD_BYTES + value.len();
        }
        let [high, low] = length.to_be_bytes();
        if place == self.bytes.len() {
            self.bytes.extend_from_slice(&[tag.number(), high, low]);
            self.bytes.extend_from_slice(value);
        } else {
            let part = [tag.number(), high, low].into_iter().chain(value.iter().copied());
            self.bytes.splice(place..place, part);
        }
        self
    }
}

impl Default for OpeningBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OpeningBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpeningBuilder").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Tag {
    fn repeats(self) -> bool {
        matches!(self, Self::Fields | Self::Token | Self::Extra | Self::Other(_))
    }

    fn is_text(self) -> bool {
        matches!(
            self,
            Self::Subject | Self::Record | Self::Purpose | Self::Choice | Self::Notice | Self::Language
        )
    }

    fn allows(self, value: &[u8]) -> bool {
        match self {
            Self::Act => value.len() == 1,
            Self::Version => value.len() == 4,
            Self::Digest => value.len() == 32,
            Self::At => value.len() == 8,
            // The kind, and a mask without zeroes at its end.
            Self::Fields => (1..=33).contains(&value.len()) && (value.len() == 1 || value.last() != Some(&0)),
            Self::Token | Self::Extra | Self::Other(_) => true,
            Self::Subject | Self::Record | Self::Purpose | Self::Choice | Self::Notice | Self::Language => {
                std::str::from_utf8(value).is_ok()
            }
        }
    }
}

/// Tag, value, and what follows.
fn split_part(bytes: &[u8]) -> Option<(Tag, &[u8], &[u8])> {
    let ([tag, high, low], rest) = bytes.split_first_chunk::<PART_HEAD_BYTES>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
    Some((Tag::from_number(*tag), value, rest))
}

const OPENING_PREFIX: &[u8] = b"strongroom/opening/1";
const COMMITMENT_PREFIX: &[u8] = b"strongroom/commitment/1";
/// `SALT_BYTES` in two bytes.
const SALT_LENGTH: [u8; 2] = [0, 16];
/// Tag and length.
const PART_HEAD_BYTES: usize = 3;
const TYPICAL_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn full() -> Opening {
        Opening::builder()
            .act(Act::Chose)
            .subject("sub_abc")
            .record("rec_abc")
            .version(3)
            .digest(&[7; 32])
            .purpose("marketing_email")
            .choice("withdrawn")
            .notice("2026-11-01")
            .language("zh-CN")
            .at(-5)
            .fields(&Part::of(1, [0, 9]))
            .fields(&Part::of(2, []))
            .token(b"tok")
            .extra(b"a")
            .extra(b"b")
            .build()
            .unwrap()
    }

    #[test]
    fn every_fact_comes_back() {
        let opening = Opening::decode(full().as_bytes()).unwrap();
        assert_eq!(opening, full());
        assert_eq!(opening.act(), Some(Act::Chose));
        assert_eq!(opening.text(Tag::Subject), Some("sub_abc"));
        assert_eq!(opening.text(Tag::Language), Some("zh-CN"));
        assert_eq!(opening.text(Tag::Digest), None);
        assert_eq!(opening.version(), Some(3));
        assert_eq!(opening.at(), Some(-5));
        assert_eq!(opening.digest(), Some([7; 32]));
        assert_eq!(opening.fields().collect::<Vec<_>>(), [Part::of(1, [0, 9]), Part::of(2, [])]);
        assert_eq!(opening.find(Tag::Extra), Some(&b"a"[..]));
        assert_eq!(opening.parts().count(), 15);
    }

    #[test]
    fn the_order_of_the_calls_does_not_matter() {
        let one = Opening::builder().act(Act::Chose).purpose("p").extra(b"1").extra(b"2").build().unwrap();
        let two = Opening::builder().extra(b"1").purpose("p").extra(b"2").act(Act::Chose).build().unwrap();
        assert_eq!(one, two);
    }

    #[test]
    fn a_fact_that_stands_there_twice_is_refused() {
        let twice = Opening::builder().subject("a").act(Act::Chose).subject("b").build();
        assert_eq!(twice, Err(Error::OpeningPart { tag: 2 }));
    }

    #[test]
    fn too_long_facts_are_refused() {
        let long = vec![0; 65_536];
        assert_eq!(Opening::builder().extra(&long).build(), Err(Error::OpeningPart { tag: 13 }));
        let half = &long[..40_000];
        let both = Opening::builder().token(half).extra(half).build();
        assert_eq!(both, Err(Error::OpeningPart { tag: 13 }));
    }

    #[test]
    fn anything_that_no_builder_writes_is_refused() {
        let prefixed = |parts: &[u8]| [OPENING_PREFIX, parts].concat();
        assert!(Opening::decode(&prefixed(&[])).is_ok());
        assert!(Opening::decode(&prefixed(&[200, 0, 1, 7])).is_ok(), "a tag from a later version");
        for (at_byte, parts) in [
            (20, &[1, 0][..]),
            (20, &[1, 0, 2, 6]),
            (20, &[1, 0, 2, 6, 6]),
            (24, &[2, 0, 1, b'a', 1, 0, 1, 6]),
            (24, &[2, 0, 1, b'a', 2, 0, 1, b'a']),
            (20, &[2, 0, 1, 0xff]),
            (20, &[11, 0, 0]),
            (20, &[11, 0, 2, 1, 0]),
        ] {
            assert_eq!(
                Opening::decode(&prefixed(parts)),
                Err(Error::OpeningMalformed { at_byte }),
                "{parts:?}"
            );
        }
        assert_eq!(Opening::decode(b"strongroom/opening/2"), Err(Error::OpeningMalformed { at_byte: 0 }));
    }

    #[test]
    fn salt_and_facts_both_change_the_commitment() {
        let opening = full();
        let one = commitment(&[1; 16], &opening);
        assert_ne!(one, commitment(&[2; 16], &opening));
        assert_ne!(one, commitment(&[1; 16], &Opening::builder().build().unwrap()));
    }

    #[test]
    fn the_debug_form_shows_no_fact() {
        assert!(!format!("{:?}", full()).contains("abc"));
        assert!(!format!("{:?}", Opening::builder().subject("abc")).contains("abc"));
    }

    proptest! {
        #[test]
        fn hostile_bytes_come_back_or_are_refused(parts in prop::collection::vec(0u8..15, 0..40)) {
            let bytes = [OPENING_PREFIX, &parts].concat();
            if let Ok(opening) = Opening::decode(&bytes) {
                let mut builder = Opening::builder();
                for (tag, value) in opening.parts() {
                    builder = builder.with(tag, value);
                }
                prop_assert_eq!(builder.build().unwrap(), Opening { bytes });
            }
        }
    }
}
