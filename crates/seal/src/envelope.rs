//! The envelope: one version of one record, sealed field by field.
//!
//! ```text
//! 'S' ‖ 1 ‖ suite(2) ‖ message id(32) ‖ groups(1) ‖ group… ‖ field…
//! group = class(1) ‖ subject key id(16) ‖ term key id(16) ‖ commitment(32) ‖ n(1) ‖ bitmap(n)
//! field = length(varint) ‖ sealed value          in ascending order of ordinals
//! ```
//!
//! A group is what shares a subject key and a term key, and so dies together. One derivation per group gives its key and
//! its commitment; the field's ordinal is the nonce. SOURCE: docs/spec/seal.md, "Envelope".

use crate::error::Error;
use crate::keys::{Class, DataKey, KeyId};
use crate::personal::{Permit, Personal, Place, Value};
use crate::secret::same;
use crate::suite::{Cipher, Suite, TAG};

/// A set of field ordinals, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fields(pub [u64; 4]);

impl Fields {
    /// No field.
    pub const NONE: Fields = Fields([0; 4]);

    /// The set of these ordinals.
    pub fn of(ordinals: impl IntoIterator<Item = u8>) -> Fields {
        let mut fields = Fields::NONE;
        for ordinal in ordinals {
            fields.add(ordinal);
        }
        fields
    }

    /// Adds an ordinal.
    pub fn add(&mut self, ordinal: u8) {
        if let Some(word) = self.0.get_mut(usize::from(ordinal >> 6)) {
            *word |= 1 << (ordinal & 63);
        }
    }

    /// Is it in the set?
    pub fn has(self, ordinal: u8) -> bool {
        self.0.get(usize::from(ordinal >> 6)).is_some_and(|word| word >> (ordinal & 63) & 1 == 1)
    }

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Fields) -> Fields {
        self.zip(other, |one, two| one | two)
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Fields) -> Fields {
        self.zip(other, |one, two| one & two)
    }

    /// What is here and not there.
    #[must_use]
    pub fn without(self, other: Fields) -> Fields {
        self.zip(other, |one, two| one & !two)
    }

    /// Is nothing in it?
    pub fn is_none(self) -> bool {
        self == Fields::NONE
    }

    /// How many.
    pub fn count(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The ordinals, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().zip([0_u8, 64, 128, 192]).flat_map(|(word, base)| {
            let mut left = word;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros();
                left &= left - 1;
                Some(base | u8::try_from(bit).unwrap_or(0))
            })
        })
    }

    fn zip(mut self, other: Fields, join: impl Fn(u64, u64) -> u64) -> Fields {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = join(*mine, theirs);
        }
        self
    }

    /// Little-endian bitmap without trailing zero bytes.
    fn bitmap(self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        bytes
    }

    fn from_bitmap(bytes: &[u8]) -> Result<Fields, Error> {
        if bytes.is_empty() || bytes.len() > 32 || bytes.last() == Some(&0) {
            return Err(Error::Malformed);
        }
        let mut words = [0_u64; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
            for (shift, byte) in chunk.iter().enumerate() {
                *word |= u64::from(*byte) << (8 * shift);
            }
        }
        Ok(Fields(words))
    }
}

/// Fields that share a subject key and a term key.
#[derive(Debug, Clone, Copy)]
pub struct Group<'k> {
    /// The subject's key; its class is the group's.
    pub subject: &'k DataKey,
    /// The term's key.
    pub term: &'k DataKey,
    /// Which fields.
    pub fields: Fields,
}

/// What a header says of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupHead {
    /// Class of the subject's key.
    pub class: Class,
    /// Which key of the subject.
    pub subject: KeyId,
    /// Which key of a term.
    pub term: KeyId,
    /// Which fields.
    pub fields: Fields,
    commitment: [u8; 32],
}

/// A sealed record, taken apart but not opened.
#[derive(Debug)]
pub struct Envelope<'b> {
    suite: Suite,
    message_id: &'b [u8],
    header: &'b [u8],
    groups: Vec<GroupHead>,
    fields: Vec<(u8, &'b [u8])>,
}

/// Groups in an envelope at the most.
pub const GROUPS_LIMIT: usize = 64;
const MAGIC: u8 = b'S';
const VERSION: u8 = 1;

/// What a version of a record is sealed to.
#[derive(Debug, Clone, Copy)]
pub struct Sealing<'c> {
    /// With which mechanisms.
    pub suite: Suite,
    /// Where it belongs.
    pub place: Place,
    /// The row's clear columns, which are bound in too.
    pub clear: &'c [u8],
}

/// Seals one version of a record.
///
/// Takes: with what, where it belongs, and its clear columns; groups with disjoint fields; the fields,
/// ascending, exactly those of the groups; a message id of 32 fresh random bytes, never used before.
/// Gives: the envelope. Fails: `SR-SEAL-006` when fields and groups do not fit, `SR-SEAL-007` for a value too long.
pub fn seal(
    to: &Sealing<'_>,
    groups: &[Group<'_>],
    fields: &[(u8, &Personal<Value>)],
    message_id: &[u8; 32],
) -> Result<Vec<u8>, Error> {
    if groups.len() > GROUPS_LIMIT || !fields.is_sorted_by(|(one, _), (two, _)| one < two) {
        return Err(Error::Mismatch);
    }
    let mut sealed = Fields::NONE;
    for group in groups {
        if group.fields.is_none() || !sealed.and(group.fields).is_none() || group.term.class() != Class::Term
        {
            return Err(Error::Mismatch);
        }
        sealed = sealed.with(group.fields);
    }
    if sealed != Fields::of(fields.iter().map(|(ordinal, _)| *ordinal)) {
        return Err(Error::Mismatch);
    }

    let context = Context::new(to.suite, &to.place, to.clear);
    let mut out = Vec::with_capacity(128 + fields.len() * 64);
    out.extend_from_slice(&[MAGIC, VERSION]);
    out.extend_from_slice(&context.suite.number().to_be_bytes());
    out.extend_from_slice(message_id);
    out.push(u8::try_from(groups.len()).map_err(|_| Error::Mismatch)?);
    let mut ciphers = Vec::with_capacity(groups.len());
    for group in groups {
        let (cipher, commitment) = context.derive(message_id, group.subject, group.term)?;
        let bitmap = group.fields.bitmap();
        out.push(group.subject.class().number());
        out.extend_from_slice(&group.subject.id().0);
        out.extend_from_slice(&group.term.id().0);
        out.extend_from_slice(&commitment);
        out.push(u8::try_from(bitmap.len()).map_err(|_| Error::Mismatch)?);
        out.extend_from_slice(&bitmap);
        ciphers.push((group.fields, cipher));
    }

    let aad = context.aad(&out);
    let mut plain = Value::room_for(fields.iter().map(|(_, value)| value.plain()));
    for (ordinal, value) in fields {
        let (_, cipher) = ciphers.iter().find(|(fields, _)| fields.has(*ordinal)).ok_or(Error::Mismatch)?;
        plain.clear();
        value.plain().encode_into(&mut plain)?;
        push_varint(&mut out, plain.len().saturating_add(TAG));
        let from = out.len();
        out.extend_from_slice(&plain);
        cipher.seal(nonce(*ordinal), &aad, &mut out, from)?;
    }
    Ok(out)
}

/// The keys of one group, as the caller found them in their rows. `None` where one is destroyed.
pub type GroupKeys<'k> = Option<(&'k DataKey, &'k DataKey)>;

impl<'b> Envelope<'b> {
    /// Takes sealed bytes apart. Hostile bytes are refused; nothing is opened.
    pub fn parse(bytes: &'b [u8]) -> Result<Envelope<'b>, Error> {
        let mut rest = bytes;
        let [magic, version] = *take::<2>(&mut rest)?;
        if (magic, version) != (MAGIC, VERSION) {
            return Err(Error::Malformed);
        }
        let suite = Suite::parse(u16::from_be_bytes(*take::<2>(&mut rest)?))?;
        let message_id = take::<32>(&mut rest)?;
        let [count] = *take::<1>(&mut rest)?;
        if usize::from(count) > GROUPS_LIMIT {
            return Err(Error::Malformed);
        }
        let mut groups = Vec::with_capacity(usize::from(count));
        let mut all = Fields::NONE;
        for _ in 0..count {
            let group = GroupHead::take(&mut rest)?;
            if !all.and(group.fields).is_none() {
                return Err(Error::Malformed);
            }
            all = all.with(group.fields);
            groups.push(group);
        }
        let header = bytes.get(..bytes.len().saturating_sub(rest.len())).ok_or(Error::Malformed)?;
        let mut fields = Vec::with_capacity(all.count());
        for ordinal in all.iter() {
            let length = take_varint(&mut rest)?;
            let (field, behind) = rest.split_at_checked(length).ok_or(Error::Malformed)?;
            fields.push((ordinal, field));
            rest = behind;
        }
        if !rest.is_empty() {
            return Err(Error::Malformed);
        }
        Ok(Envelope { suite, message_id, header, groups, fields })
    }

    /// With which suite it is sealed.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// What the header says of its groups.
    pub fn groups(&self) -> &[GroupHead] {
        &self.groups
    }

    /// Every sealed field.
    pub fn fields(&self) -> Fields {
        Fields::of(self.fields.iter().map(|(ordinal, _)| *ordinal))
    }

    /// What an entry commits to: a hash of the header, which holds the commitments to all keys.
    pub fn digest(&self) -> [u8; 32] {
        self.suite.digest(&[b"strongroom/record-digest/1", self.header])
    }

    /// Opens what a permit covers.
    ///
    /// Takes: the permit; where the record belongs and its clear columns as they stand in the row; the keys of each group.
    /// Gives: the wanted fields that the permit covers and whose keys live, ascending.
    /// Fails: `SR-SEAL-005` when the permit's time is over, `SR-SEAL-003` when anything was edited or moved.
    pub fn open<'k, P: Permit>(
        &self,
        permit: &P,
        place: &Place,
        clear: &[u8],
        keys: impl FnMut(&GroupHead) -> GroupKeys<'k>,
        wanted: Fields,
    ) -> Result<Vec<(u8, Personal<Value>)>, Error> {
        if !permit.stands() {
            return Err(Error::NotPermitted);
        }
        let covered = Fields::of(wanted.iter().filter(|field| permit.covers(place, *field)));
        self.open_all(place, clear, keys, covered)
    }

    /// Does everything open, for a record that nobody is shown? For the deep check.
    pub fn authenticate<'k>(
        &self,
        place: &Place,
        clear: &[u8],
        keys: impl FnMut(&GroupHead) -> GroupKeys<'k>,
    ) -> Result<(), Error> {
        self.open_all(place, clear, keys, self.fields()).map(drop)
    }

    pub(crate) fn open_all<'k>(
        &self,
        place: &Place,
        clear: &[u8],
        mut keys: impl FnMut(&GroupHead) -> GroupKeys<'k>,
        wanted: Fields,
    ) -> Result<Vec<(u8, Personal<Value>)>, Error> {
        let context = Context::new(self.suite, place, clear);
        let aad = context.aad(self.header);
        let mut ciphers = Vec::with_capacity(self.groups.len());
        for group in self.groups.iter().filter(|group| !group.fields.and(wanted).is_none()) {
            let Some((subject, term)) = keys(group) else { continue };
            if subject.id() != group.subject || subject.class() != group.class || term.id() != group.term {
                return Err(Error::Broken);
            }
            let (cipher, commitment) = context.derive(self.message_id, subject, term)?;
            // ORDER: the commitment first. GCM alone would let one ciphertext open under two keys.
            if !same(&commitment, &group.commitment) {
                return Err(Error::Broken);
            }
            ciphers.push((group.fields, cipher));
        }
        let mut opened = Vec::with_capacity(wanted.count());
        for (ordinal, sealed) in self.fields.iter().filter(|(ordinal, _)| wanted.has(*ordinal)) {
            let Some((_, cipher)) = ciphers.iter().find(|(fields, _)| fields.has(*ordinal)) else { continue };
            let plain = cipher.open(nonce(*ordinal), &aad, sealed)?;
            opened.push((*ordinal, Personal::new(Value::decode(&plain)?)));
        }
        Ok(opened)
    }
}

/// What a re-sealing came to.
#[derive(Debug)]
pub struct Resealed {
    /// The new envelope.
    pub sealed: Vec<u8>,
    /// Its fields.
    pub fields: Fields,
    /// Did any field get another value than it had?
    pub changed: bool,
}

/// Where an envelope comes from when it is sealed again.
#[derive(Debug)]
pub struct Origin<'o, 'b> {
    /// The old envelope.
    pub envelope: &'o Envelope<'b>,
    /// Where it belongs.
    pub place: Place,
    /// Its clear columns.
    pub clear: &'o [u8],
}

/// Seals a record again, from sealed to sealed: under other keys, with another suite, with some fields replaced, and without
/// those that no group names. Nothing plain comes out, so no permit is asked for.
///
/// Takes: the old envelope; the keys of its groups (`None` where destroyed: those fields are gone); what it is sealed to from
/// now on; new groups, of which fields that are not there any more are left out; values that replace old ones; a fresh
/// message id. Fails: `SR-SEAL-003` when the old envelope does not open with its keys.
pub fn reseal<'k>(
    origin: &Origin<'_, '_>,
    old_keys: impl FnMut(&GroupHead) -> GroupKeys<'k>,
    to: &Sealing<'_>,
    groups: &[Group<'_>],
    replacing: &[(u8, &Personal<Value>)],
    message_id: &[u8; 32],
) -> Result<Resealed, Error> {
    let old = origin.envelope.open_all(&origin.place, origin.clear, old_keys, origin.envelope.fields())?;
    let mut changed = false;
    let mut fields: Vec<(u8, &Personal<Value>)> =
        Vec::with_capacity(old.len().saturating_add(replacing.len()));
    for (ordinal, value) in &old {
        match replacing.iter().find(|(new, _)| new == ordinal) {
            // Whoever writes may not read: how long this takes must not say how much of a guess is right.
            Some((_, new)) => changed |= !new.plain().same_as(value.plain())?,
            None => fields.push((*ordinal, value)),
        }
    }
    changed |= replacing.iter().any(|(new, _)| !old.iter().any(|(ordinal, _)| ordinal == new));
    fields.extend_from_slice(replacing);
    fields.sort_by_key(|(ordinal, _)| *ordinal);
    let named = groups.iter().fold(Fields::NONE, |all, group| all.with(group.fields));
    fields.retain(|(ordinal, _)| named.has(*ordinal));

    let there = Fields::of(fields.iter().map(|(ordinal, _)| *ordinal));
    let groups: Vec<Group<'_>> = groups
        .iter()
        .map(|group| Group { fields: group.fields.and(there), ..*group })
        .filter(|group| !group.fields.is_none())
        .collect();
    Ok(Resealed { sealed: seal(to, &groups, &fields, message_id)?, fields: there, changed })
}

impl GroupHead {
    fn take(rest: &mut &[u8]) -> Result<GroupHead, Error> {
        let [class] = *take::<1>(rest)?;
        let class = Class::parse(class)?;
        if !matches!(class, Class::Main | Class::Retained | Class::Hold) {
            return Err(Error::Malformed);
        }
        let subject = KeyId(*take::<16>(rest)?);
        let term = KeyId(*take::<16>(rest)?);
        let commitment = *take::<32>(rest)?;
        let [length] = *take::<1>(rest)?;
        let (bitmap, behind) = rest.split_at_checked(usize::from(length)).ok_or(Error::Malformed)?;
        *rest = behind;
        Ok(GroupHead { class, subject, term, fields: Fields::from_bitmap(bitmap)?, commitment })
    }
}

/// What binds an envelope to its place.
struct Context {
    suite: Suite,
    place: [u8; 30],
    clear: [u8; 32],
}

impl Context {
    fn new(suite: Suite, place: &Place, clear: &[u8]) -> Context {
        let clear = suite.digest(&[b"strongroom/clear/1", clear]);
        Context { suite, place: place.encode(), clear }
    }

    /// The key and the commitment of a group.
    fn derive(
        &self,
        message_id: &[u8],
        subject: &DataKey,
        term: &DataKey,
    ) -> Result<(Cipher, [u8; 32]), Error> {
        let mut secret = zeroize::Zeroizing::new([0_u8; 64]);
        let (first, second) = secret.split_at_mut(32);
        first.copy_from_slice(subject.secret());
        second.copy_from_slice(term.secret());
        let (suite, class) = (self.suite.number().to_be_bytes(), [subject.class().number()]);
        let info: [&[u8]; 5] = [b"strongroom/record/1", &suite, &class, &self.place, &self.clear];
        self.suite.derive(message_id, secret.as_slice(), &info)
    }

    /// Associated data of every field: header, place and clear columns, hashed once for all of them.
    fn aad(&self, header: &[u8]) -> [u8; 32] {
        let length = u32::try_from(header.len()).unwrap_or(u32::MAX).to_be_bytes();
        self.suite.digest(&[b"strongroom/field/1", &length, header, &self.place, &self.clear])
    }
}

/// The nonce is the field's ordinal: the key is used for one record version and term only.
fn nonce(ordinal: u8) -> [u8; 12] {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ordinal]
}

fn take<'b, const N: usize>(rest: &mut &'b [u8]) -> Result<&'b [u8; N], Error> {
    let (taken, behind) = rest.split_first_chunk::<N>().ok_or(Error::Malformed)?;
    *rest = behind;
    Ok(taken)
}

/// LEB128, at most three bytes: fields are shorter than 2 MiB.
fn push_varint(out: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn take_varint(rest: &mut &[u8]) -> Result<usize, Error> {
    let mut number = 0_usize;
    for position in 0..3 {
        let [byte] = *take::<1>(rest)?;
        number |= usize::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            // One way to write a number: no padding with zero groups.
            return if position > 0 && byte == 0 { Err(Error::Malformed) } else { Ok(number) };
        }
    }
    Err(Error::Malformed)
}
