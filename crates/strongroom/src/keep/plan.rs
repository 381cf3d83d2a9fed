//! Planning what a record becomes: which fields stay, under which keys, until when. Runs on the request's thread and
//! writes nothing; [`super::put`] does, in the transaction, after it has seen that nothing moved meanwhile.
//!
//! One function serves everything that changes a record: a write, an event, a changed choice, an erasure behind which only
//! retained fields stay, a new epoch for what is open-ended. So there is one answer to "what may be kept, and for how long".

use std::sync::Arc;

use policy::{End, FieldMask, Layout, Person, Standing};
use seal::{
    Class, DataKey, Envelope, Fields, Group, GroupHead, Origin, Personal, Random, Sealing, Suite, Value,
};

use super::types::{Clear, EXTERNAL_ID, Event, FileMark, RecordRow, SubjectRow, place, to_policy, to_seal};
use crate::ground::clock::{DAY, WEEK};
use crate::ground::house::{Empty, House, Numbered};
use crate::ground::{Chosen, Id, InForce, OPEN_END, Problem, RecordId, Shop, SubjectId, Term};

/// Why a plan could not be made now.
#[derive(Debug)]
pub enum Halt {
    /// A block of numbers is used up: refill it and plan again.
    Empty(Empty),
    /// It cannot be made.
    Problem(Problem),
}

impl From<Empty> for Halt {
    fn from(empty: Empty) -> Halt {
        Halt::Empty(empty)
    }
}

impl From<seal::Error> for Halt {
    fn from(error: seal::Error) -> Halt {
        Halt::Problem(Problem::from(error))
    }
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Halt {
        Halt::Problem(problem)
    }
}

/// What is to become of one subject's records, sealed and ready to be written.
#[derive(Debug)]
pub struct Plan {
    /// The subject.
    pub subject: SubjectId,
    /// Its row before; `None` when the plan makes it.
    pub subject_before: Option<SubjectRow>,
    /// Its row after, when that differs.
    pub subject_after: Option<SubjectRow>,
    /// How many choices it had made; the plan is stale when it has made another since.
    pub choices: u32,
    /// The policy version that the plan follows.
    pub policy: u32,
    /// The version of the wrap key when the plan was begun. A plan over a change of epoch is made again: what it seals
    /// would hang on keys that end with the old epoch.
    pub wrap: u32,
    /// The key whose alias stands in the entry.
    pub marking_key: Arc<DataKey>,
    /// Terms that the plan makes.
    pub new_terms: Vec<Term>,
    /// Open terms that it uses: they must still live.
    pub open_terms: Vec<u64>,
    /// Records to write.
    pub writes: Vec<RecordWrite>,
    /// Records of which nothing is left.
    pub removes: Vec<RecordRemove>,
}

/// A version of a record, ready to be written.
#[derive(Debug)]
pub struct RecordWrite {
    /// Which record.
    pub id: RecordId,
    /// Its version before; `None` for a new record.
    pub before: Option<u32>,
    /// Its version after.
    pub version: u32,
    /// Its clear columns.
    pub clear: Clear,
    /// The same, as stored.
    pub clear_bytes: Vec<u8>,
    /// Its envelope.
    pub sealed: Vec<u8>,
    /// What its entry commits to.
    pub digest: [u8; 32],
    /// Its fields, without the external id.
    pub fields: FieldMask,
    /// Lookups to claim: hash, and whether the value may stand once only.
    pub claims: Vec<Claim>,
    /// Lookups to remove.
    pub unclaims: Vec<Claim>,
    /// Files that it names from now on.
    pub files_in: Vec<FileMark>,
    /// Files that it names no more.
    pub files_out: Vec<FileMark>,
}

/// A lookup of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The field; 255 for the external id.
    pub field: u8,
    /// The hash.
    pub blind: [u8; 16],
    /// May it stand for one record only?
    pub once: bool,
}

/// A record of which nothing is left.
#[derive(Debug)]
pub struct RecordRemove {
    /// Which record.
    pub id: RecordId,
    /// Its version.
    pub version: u32,
    /// Its lookups.
    pub unclaims: Vec<Claim>,
    /// Its files.
    pub files_out: Vec<FileMark>,
}

/// What is to change about one record.
#[derive(Debug)]
pub struct Change<'c> {
    /// Which record.
    pub record: RecordId,
    /// Its row now; `None` for a new record.
    pub before: Option<&'c RecordRow>,
    /// Fields to set, ascending; 255 is the external id.
    pub set: &'c [(u8, &'c Personal<Value>)],
    /// Fields to take away.
    pub unset: FieldMask,
    /// Blind indexes of those fields.
    pub blinds: &'c [(u8, [u8; 16])],
    /// Files of those fields.
    pub files: &'c [FileMark],
    /// What happened to it, and to records that belong to it.
    pub events: &'c [Event],
}

/// What a change came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// The record is written.
    Written {
        /// Fields that the layout left out because their time is over.
        ended: FieldMask,
        /// Fields that no purpose keeps.
        without_purpose: FieldMask,
    },
    /// Nothing of it is left.
    Removed {
        /// Fields whose time is over.
        ended: FieldMask,
        /// Fields that no purpose keeps.
        without_purpose: FieldMask,
    },
    /// It is as it was.
    Same,
}

/// Makes a plan for one subject, record by record.
pub struct Planner<'p, R: Random> {
    house: &'p House,
    shop: &'p Shop,
    policy: &'p InForce,
    chosen: Chosen,
    now: i64,
    random: &'p mut R,
    wrap: u32,
    suite: Suite,
    before: Option<SubjectRow>,
    row: SubjectRow,
    keys: Vec<Arc<DataKey>>,
    terms: Vec<(Term, Arc<DataKey>)>,
    new_terms: Vec<Term>,
    open_terms: Vec<u64>,
    writes: Vec<RecordWrite>,
    removes: Vec<RecordRemove>,
}

impl<R: Random> std::fmt::Debug for Planner<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Planner(..)")
    }
}

impl<'p, R: Random> Planner<'p, R> {
    /// For a subject that is there.
    pub fn for_subject(
        house: &'p House,
        shop: &'p Shop,
        policy: &'p InForce,
        row: SubjectRow,
        chosen: Chosen,
        now: i64,
        random: &'p mut R,
    ) -> Planner<'p, R> {
        Planner::begin(house, shop, policy, Some(row.clone()), row, chosen, now, random)
    }

    /// For a subject that the plan makes, with a fresh main key.
    pub fn for_new_subject(
        house: &'p House,
        shop: &'p Shop,
        policy: &'p InForce,
        chosen: Chosen,
        now: i64,
        random: &'p mut R,
    ) -> Result<Planner<'p, R>, Halt> {
        let id = SubjectId::from_number(house.number(Numbered::Subject)?);
        if id.number() >= crate::ground::ids::SUBJECTS_LIMIT {
            return Err(Halt::Problem(Problem::new(
                "SR-KEEP-006",
                507,
                "this installation has no numbers left",
            )));
        }
        let (standing, person) = (Standing::Present, Person::default());
        let row = SubjectRow { id, standing, since: now, person, keys: Vec::new() };
        let mut planner = Planner::begin(house, shop, policy, None, row, chosen, now, random);
        planner.key(Class::Main)?;
        Ok(planner)
    }

    #[expect(clippy::too_many_arguments, reason = "the one constructor behind the two above")]
    fn begin(
        house: &'p House,
        shop: &'p Shop,
        policy: &'p InForce,
        before: Option<SubjectRow>,
        row: SubjectRow,
        chosen: Chosen,
        now: i64,
        random: &'p mut R,
    ) -> Planner<'p, R> {
        Planner {
            house,
            shop,
            policy,
            chosen,
            now,
            random,
            // ORDER: the version first. Should another come in between, the plan is stale, whatever suite it saw.
            wrap: shop.keys.wrap_version(),
            suite: shop.keys.suite(),
            before,
            row,
            keys: Vec::new(),
            terms: Vec::new(),
            new_terms: Vec::new(),
            open_terms: Vec::new(),
            writes: Vec::new(),
            removes: Vec::new(),
        }
    }

    /// The subject.
    pub fn subject(&self) -> SubjectId {
        self.row.id
    }

    /// The random source, for another plan beside this one.
    pub fn random(&mut self) -> &mut R {
        self.random
    }

    /// Plans one record.
    pub fn change(&mut self, change: &Change<'_>) -> Result<Planned, Halt> {
        let kind = change.record.kind();
        let before = change.before;
        let envelope = before.map(|row| Envelope::parse(&row.sealed)).transpose()?;

        let mut clear = before.map(|row| row.clear.clone()).unwrap_or_default();
        let moved = change.events.iter().fold(false, |moved, event| clear.happened(*event) | moved);
        let set = Fields::of(change.set.iter().map(|(field, _)| *field));
        let old = match &envelope {
            Some(envelope) => OldKeys::of(self.shop, &self.row, envelope)?,
            None => OldKeys(Vec::new()),
        };
        // What is under a destroyed key is not there any more.
        let there = to_policy(old.fields().with(set)).minus(change.unset);
        let present = there.minus(FieldMask::only(EXTERNAL_ID));

        let happenings = clear.happenings(kind);
        let life = happenings.life(&self.chosen, self.row.standing);
        let unknown = self.policy.compiled.kind(kind).map_or(present, |kind| kind.unknown_among(present));
        let now = self.house.watch.believed(self.house.clock.as_ref(), self.now);
        let layout = self.policy.compiled.layout(kind, present.minus(unknown), &life, now);
        let groups = self.groups(&layout, unknown, there.has(EXTERNAL_ID), envelope.as_ref())?;
        let left = groups.iter().fold(FieldMask::EMPTY, |all, group| all.or(to_policy(group.fields)));
        let (ended, without_purpose) = (layout.ended, layout.without_purpose);
        if left.minus(FieldMask::only(EXTERNAL_ID)).is_empty() {
            if let Some(row) = before {
                let unclaims = self.claims_of(kind, &row.clear.blinds);
                let files_out = row.clear.files.clone();
                self.removes.push(RecordRemove { id: row.id, version: row.version, unclaims, files_out });
            }
            return Ok(Planned::Removed { ended, without_purpose });
        }

        clear.blinds.retain(|(field, _)| left.has(*field) && !set.has(*field));
        clear.blinds.extend(change.blinds.iter().filter(|(field, _)| left.has(*field)));
        clear.files.retain(|mark| left.has(mark.field) && !set.has(mark.field));
        clear.files.extend(change.files.iter().filter(|mark| left.has(mark.field)));
        clear.until = layout.groups.iter().map(|group| end_column(group.end)).max().unwrap_or(OPEN_END);
        if !unknown.is_empty() {
            clear.until = clear.until.max(before.map_or(OPEN_END, |row| row.clear.until));
        }
        let from = envelope.as_ref().map(|envelope| (envelope, &old));
        self.write(change, from, &groups, clear, moved, left, (ended, without_purpose))
    }

    /// Says where the subject lives, and whether it is of age.
    pub fn place(&mut self, person: Person) {
        self.row.person = person;
    }

    /// The whole plan.
    pub fn finish(self) -> Result<Plan, Halt> {
        let Planner { row, before, mut keys, .. } = self;
        let marking = row.marking_key().cloned().ok_or(seal::Error::NoKey)?;
        let marking_key = match keys.iter().position(|key| key.id() == marking.id) {
            Some(position) => keys.swap_remove(position),
            None => self.shop.keys.open_key(row.id.number(), &marking)?,
        };
        let subject_after = (before.as_ref() != Some(&row)).then_some(row.clone());
        Ok(Plan {
            subject: row.id,
            subject_before: before,
            subject_after,
            choices: self.chosen.count,
            policy: self.policy.version,
            wrap: self.wrap,
            marking_key,
            new_terms: self.new_terms,
            open_terms: self.open_terms,
            writes: self.writes,
            removes: self.removes,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the second half of `change`, apart to be read apart")]
    fn write(
        &mut self,
        change: &Change<'_>,
        from: Option<(&Envelope<'_>, &OldKeys)>,
        groups: &[Sharing],
        clear: Clear,
        moved: bool,
        left: FieldMask,
        (ended, without_purpose): (FieldMask, FieldMask),
    ) -> Result<Planned, Halt> {
        let shop = self.shop.number;
        let version = change.before.map_or(1, |row| row.version.saturating_add(1));
        let clear_bytes = clear.encode()?;
        let to =
            Sealing { suite: self.suite, place: place(shop, change.record, version), clear: &clear_bytes };
        let keyed: Vec<Group<'_>> = groups
            .iter()
            .map(|group| Group { subject: &group.subject, term: &group.term, fields: group.fields })
            .collect();
        let set: Vec<(u8, &Personal<Value>)> =
            change.set.iter().filter(|(field, _)| left.has(*field)).copied().collect();
        let mut message_id = [0; 32];
        self.random.fill(&mut message_id)?;

        let sealed = match (change.before, from) {
            (Some(row), Some((envelope, old))) => {
                let origin = Origin { envelope, place: row.place(shop), clear: &row.clear_bytes };
                let resealed = seal::reseal(&origin, |head| old.find(head), &to, &keyed, &set, &message_id)?;
                // One that a shop sealed before it moved to another suite is sealed again with that, whatever it holds.
                let same_seal = same_groups(envelope, groups) && envelope.suite() == self.suite;
                if !moved && !resealed.changed && same_seal && clear == row.clear {
                    return Ok(Planned::Same);
                }
                resealed.sealed
            }
            _ => seal::seal(&to, &keyed, &set, &message_id)?,
        };
        let digest = Envelope::parse(&sealed)?.digest();
        let old_blinds = change.before.map_or(&[][..], |row| row.clear.blinds.as_slice());
        let gone: Vec<_> = old_blinds.iter().filter(|blind| !clear.blinds.contains(blind)).copied().collect();
        let fresh: Vec<_> =
            clear.blinds.iter().filter(|blind| !old_blinds.contains(blind)).copied().collect();
        let old_files = change.before.map_or(&[][..], |row| row.clear.files.as_slice());
        let files_out = old_files.iter().filter(|mark| !clear.files.contains(mark)).copied().collect();
        let files_in = clear.files.iter().filter(|mark| !old_files.contains(mark)).copied().collect();
        let kind = change.record.kind();
        self.writes.push(RecordWrite {
            id: change.record,
            before: change.before.map(|row| row.version),
            version,
            claims: self.claims_of(kind, &fresh),
            unclaims: self.claims_of(kind, &gone),
            files_in,
            files_out,
            clear,
            clear_bytes,
            sealed,
            digest,
            fields: left.minus(FieldMask::only(EXTERNAL_ID)),
        });
        Ok(Planned::Written { ended, without_purpose })
    }

    /// Which keys the fields share, after the layout. Fields that the policy no longer declares stay where they are.
    fn groups(
        &mut self,
        layout: &Layout,
        unknown: FieldMask,
        has_external_id: bool,
        envelope: Option<&Envelope<'_>>,
    ) -> Result<Vec<Sharing>, Halt> {
        let mut groups: Vec<Sharing> = Vec::with_capacity(layout.groups.len().saturating_add(1));
        for group in layout.groups.iter() {
            let class = if group.retained { Class::Retained } else { Class::Main };
            if class == Class::Main && self.row.standing == Standing::Erased {
                continue; // its key is destroyed
            }
            let subject = self.key(class)?;
            let term = self.term(group.end)?;
            join(&mut groups, subject, term, to_seal(group.fields));
        }
        for head in envelope.into_iter().flat_map(Envelope::groups) {
            let stay = head.fields.and(to_seal(unknown));
            if stay.is_none() {
                continue;
            }
            let (Some(key), Some(term)) =
                (self.row.key_named(head.subject), self.shop.terms.of_key(head.term))
            else {
                continue;
            };
            let subject = self.shop.keys.open_key(self.row.id.number(), key)?;
            // What is open-ended goes on in the open term of this epoch: the one before ends with its epoch.
            let term_key = match term.ends_at {
                OPEN_END => self.term(End::Open)?,
                _ => self.shop.keys.open_key(term.number, &term.key)?,
            };
            join(&mut groups, subject, term_key, stay);
        }
        // The external id stays as long as anything does: with what stays longest, which the layout gives first.
        if let Some(first) = groups.first_mut().filter(|_| has_external_id) {
            first.fields.add(EXTERNAL_ID);
        }
        Ok(groups)
    }

    /// The subject's key of a class, made when it is first needed.
    fn key(&mut self, class: Class) -> Result<Arc<DataKey>, Halt> {
        if let Some(key) = self.keys.iter().find(|key| key.class() == class) {
            return Ok(Arc::clone(key));
        }
        let of = self.row.id.number();
        let key = match self.row.key(class) {
            Some(wrapped) => self.shop.keys.open_key(of, wrapped)?,
            None => {
                let (wrapped, key) = self.shop.keys.new_key(class, of, self.random)?;
                self.row.keys.push(wrapped);
                key
            }
        };
        self.keys.push(Arc::clone(&key));
        Ok(key)
    }

    /// The key of the term that an end falls into, made when it is first needed.
    fn term(&mut self, end: End) -> Result<Arc<DataKey>, Halt> {
        let ends_at = end_column(end);
        let (ends_at, epoch) = if ends_at == OPEN_END {
            (OPEN_END, self.house.keys.with(|ring| ring.epochs.last().map_or(0, |epoch| epoch.number)))
        } else {
            (term_end(ends_at), 0)
        };
        if let Some((_, key)) =
            self.terms.iter().find(|(term, _)| (term.ends_at, term.epoch) == (ends_at, epoch))
        {
            return Ok(Arc::clone(key));
        }
        let (term, key) = if let Some(term) = self.shop.terms.ending(ends_at, epoch) {
            let key = self.shop.keys.open_key(term.number, &term.key)?;
            ((*term).clone(), key)
        } else {
            let number = self.house.number(Numbered::Term)?;
            let (wrapped, key) = self.shop.keys.new_key(Class::Term, number, self.random)?;
            let term = Term { number, ends_at, epoch, key: wrapped };
            self.new_terms.push(term.clone());
            (term, key)
        };
        if ends_at == OPEN_END && !self.new_terms.contains(&term) {
            self.open_terms.push(term.number);
        }
        self.terms.push((term, Arc::clone(&key)));
        Ok(key)
    }

    fn claims_of(&self, kind: u8, blinds: &[(u8, [u8; 16])]) -> Vec<Claim> {
        let kind = self.policy.compiled.kind(kind);
        let once = |field| {
            field == EXTERNAL_ID || kind.and_then(|kind| kind.field(field)).is_some_and(|field| field.unique)
        };
        blinds
            .iter()
            .map(|(field, blind)| Claim { field: *field, blind: *blind, once: once(*field) })
            .collect()
    }
}

/// Fields that share a subject key and a term key.
struct Sharing {
    subject: Arc<DataKey>,
    term: Arc<DataKey>,
    fields: Fields,
}

fn join(groups: &mut Vec<Sharing>, subject: Arc<DataKey>, term: Arc<DataKey>, fields: Fields) {
    match groups.iter_mut().find(|group| group.subject.id() == subject.id() && group.term.id() == term.id()) {
        Some(group) => group.fields = group.fields.with(fields),
        None => groups.push(Sharing { subject, term, fields }),
    }
}

/// Do the groups of an envelope share the same keys as these?
fn same_groups(envelope: &Envelope<'_>, groups: &[Sharing]) -> bool {
    let stored = envelope.fields();
    let same = |head: &GroupHead| {
        groups.iter().any(|group| {
            (group.subject.id(), group.term.id()) == (head.subject, head.term)
                && group.fields.and(stored) == head.fields
        })
    };
    envelope.groups().len() == groups.len() && envelope.groups().iter().all(same)
}

/// Takes a record's envelope apart and its keys out of their rows, for what is sealed again without being shown.
pub fn with_envelope<T>(
    shop: &Shop,
    subject: &SubjectRow,
    record: &RecordRow,
    act: impl FnOnce(&Origin<'_, '_>, &OldKeys) -> Result<T, seal::Error>,
) -> Result<T, Problem> {
    let envelope = Envelope::parse(&record.sealed)?;
    let keys = OldKeys::of(shop, subject, &envelope)?;
    let origin = Origin { envelope: &envelope, place: record.place(shop.number), clear: &record.clear_bytes };
    Ok(act(&origin, &keys)?)
}

/// The living keys of an envelope's groups.
#[derive(Debug)]
pub struct OldKeys(Vec<(GroupHead, Arc<DataKey>, Arc<DataKey>)>);

impl OldKeys {
    /// Unwraps what is there: keys of the subject's row, and of terms that live.
    pub(super) fn of(shop: &Shop, row: &SubjectRow, envelope: &Envelope<'_>) -> Result<OldKeys, seal::Error> {
        let mut keys = Vec::with_capacity(envelope.groups().len());
        for head in envelope.groups() {
            let (Some(subject), Some(term)) = (row.key_named(head.subject), shop.terms.of_key(head.term))
            else {
                continue;
            };
            let subject = shop.keys.open_key(row.id.number(), subject)?;
            let term = shop.keys.open_key(term.number, &term.key)?;
            keys.push((*head, subject, term));
        }
        Ok(OldKeys(keys))
    }

    /// Fields that can still be opened.
    fn fields(&self) -> Fields {
        self.0.iter().fold(Fields::NONE, |all, (head, _, _)| all.with(head.fields))
    }

    /// The keys of a group.
    pub fn find(&self, head: &GroupHead) -> seal::GroupKeys<'_> {
        let (_, subject, term) = self.0.iter().find(|(known, _, _)| known == head)?;
        Some((subject, term))
    }
}

/// An end as a column.
pub fn end_column(end: End) -> i64 {
    match end {
        End::At(at) => at,
        End::Open => OPEN_END,
    }
}

/// When the key of the term is destroyed that an end falls into: the next Monday 00:00 UTC, at most seven days later and
/// never earlier.
pub fn term_end(end: i64) -> i64 {
    // The epoch began on a Thursday; the first Monday came four days later.
    let first_monday = 4 * DAY;
    let since = end.saturating_sub(first_monday);
    let weeks = since.div_euclid(WEEK).saturating_add(i64::from(since.rem_euclid(WEEK) != 0));
    weeks.saturating_mul(WEEK).saturating_add(first_monday)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_term_ends_on_a_monday() {
        let sunday = jiff::civil::date(2026, 11, 22).at(12, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
        let monday = jiff::civil::date(2026, 11, 23).at(0, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
        assert_eq!(term_end(sunday.as_microsecond()), monday.as_microsecond());
        assert_eq!(term_end(monday.as_microsecond()), monday.as_microsecond());
    }

    proptest! {
        #[test]
        fn a_term_ends_never_before_and_at_most_seven_days_after(end in -1_000_000 * DAY..1_000_000 * DAY) {
            let rounded = term_end(end);
            prop_assert!(rounded >= end && rounded - end < WEEK);
            prop_assert_eq!(term_end(rounded), rounded);
        }
    }
}
