//! The blast radius of a credential: which persons it reached, and which of their fields, out of the ledger.
//!
//! An entry names a person by an alias that is made with the person's key. So whoever still has a key is found again, by
//! making the aliases of all subjects anew; of those who were erased since it is known only that they were, and how many.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use ledger::entry::{Act, ActorKind, Entry, Figure, Outcome, Part};
use policy::FieldMask;
use serde::{Deserialize, Serialize};
use store::{LEAVES_PER_TILE, Lane, Unpack, View};
use utoipa::ToSchema;

use crate::ground::clock::instant;
use crate::ground::house::House;
use crate::ground::log::{first_since, shop_of_log};
use crate::ground::web::Caller;
use crate::ground::work::field_names;
use crate::ground::{CredentialId, Deed, EntryId, Id, InForce, Problem, Shop, SubjectId};
use crate::keep;
use crate::people::{self, limits::COUNTED};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct BlastAsk {
    /// Of which credential.
    pub credential: CredentialId,
    /// From when on, µs UTC.
    pub since: i64,
    /// Until when, µs UTC; not included.
    pub until: i64,
    /// Which persons, or only how many?
    pub persons: Persons,
}

/// How much is told of the persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persons {
    /// How many.
    Counted,
    /// Which: by their public ids.
    Listed,
}

/// Whom a credential reached.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BlastRadius {
    /// The credential's public id.
    pub credential: String,
    /// From when on was looked (RFC 3339).
    pub since: String,
    /// Until when (RFC 3339).
    pub until: String,
    /// Distinct persons that it reached.
    pub persons: u64,
    /// Of them, those who still have a key: they can be told.
    pub living: u64,
    /// Of them, those who are not found again: erased since, or nothing was left to keep of them, and only their alias is there.
    /// Where rows are `unreadable`, so many of these may be persons who are still there.
    pub erased_since: u64,
    /// Subjects whose rows do not open, and who were stepped over: `doctor --deep` names them. 0 when everybody was found before.
    pub unreadable: u64,
    /// Entries that say that it reached somebody, or looked and found nobody.
    pub entries: u64,
    /// Entries that say that it was refused.
    pub refused: u64,
    /// The first of what it did (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The last (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// For which purposes.
    pub purposes: Vec<PurposeReached>,
    /// Which fields.
    pub fields: Vec<FieldReached>,
    /// The entry that says who asked.
    pub entry: String,
}

/// What it did for a purpose.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PurposeReached {
    /// The purpose.
    pub purpose: String,
    /// Distinct persons.
    pub persons: u64,
    /// Entries.
    pub entries: u64,
    /// The first (RFC 3339).
    pub first: String,
    /// The last (RFC 3339).
    pub last: String,
}

/// Of how many persons it had a field.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FieldReached {
    /// The field: `order.address`.
    pub field: String,
    /// Distinct persons.
    pub persons: u64,
}

/// Entries read at once.
const CHUNK: u64 = 32 * LEAVES_PER_TILE;
/// Subjects looked at at once.
const PAGE: u32 = 1_024;

/// Looks whom a credential reached. Blocks.
///
/// Takes: who is told of each person that is found again, and who is told how far it has come.
/// Fails: 404 when the shop never had this credential; 403 when the caller may not read the ledger, or not see subjects and asks
/// which. Records: *ledger_read*, with the credential, before any entry is looked through: until then it was only found where the
/// time that is asked for begins and ends in the log.
pub fn blast_radius(
    house: &Arc<House>,
    caller: &Caller,
    ask: &BlastAsk,
    found: &mut dyn FnMut(SubjectId),
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<BlastRadius, Problem> {
    let shop = &caller.shop;
    let (number, since, until) = (shop.number, ask.since, ask.until);
    // A log that was lost and begun anew is of another generation; what is left of the earlier ones tells as well.
    let ranges = house.store.look_blocking::<_, Problem, _>(move |view| {
        let mut ranges = Vec::new();
        for log in view.logs()?.into_iter().filter(|log| shop_of_log(*log) == number) {
            let size = view.log_head(log)?.map_or(0, |head| head.size);
            ranges.push((log, first_since(view, log, size, since)?, first_since(view, log, size, until)?));
        }
        Ok(ranges)
    })?;
    let (_, first, end) = ranges.last().copied().unwrap_or_default();
    let entry = enter(house, caller, *ask, first, end)?;
    let mut tally = Tally::new(ask.credential.number());
    let of = ranges.iter().fold(0, |all, (_, first, end)| end.saturating_sub(*first).saturating_add(all));
    let mut before = 0_u64;
    for (log, first, end) in ranges {
        scan(house, log, (first, end), &mut tally, &mut |done| {
            progress("entries", before.saturating_add(done), of);
        })?;
        before = before.saturating_add(end.saturating_sub(first));
    }
    let again = resolve(house, shop, &tally, ask.persons, found, progress)?;
    Ok(report(house, shop, ask, &tally, again, entry))
}

/// Who asks must be allowed to, and is entered.
fn enter(
    house: &Arc<House>,
    caller: &Caller,
    ask: BlastAsk,
    first: u64,
    end: u64,
) -> Result<EntryId, Problem> {
    let committed = house.work_blocking(Lane::High, &caller.shop, &caller.actor, move |work| {
        work.must_be_allowed(Deed::ReadLedger)?;
        if ask.persons == Persons::Listed {
            work.must_be_allowed(Deed::Find)?; // an auditor sees no subject
        }
        if !people::is_of(work.tx, work.shop, ask.credential)? {
            return Err(keep::error::not_found());
        }
        let mut entry = work.entry(Act::LedgerRead, Outcome::Yes);
        entry.figures = vec![
            (Figure::FirstIndex, first),
            (Figure::LastIndex, end.saturating_sub(1).max(first)),
            (Figure::Credential, ask.credential.number()),
        ];
        work.enter_plain(entry)
    })?;
    Ok(committed.into_value())
}

/// Reads the entries, chunk by chunk, each in a look of its own so that no state of the database is held for long.
fn scan(
    house: &House,
    log: i64,
    (first, end): (u64, u64),
    tally: &mut Tally,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Problem> {
    let mut from = first / LEAVES_PER_TILE * LEAVES_PER_TILE;
    while from < end {
        let to = from.saturating_add(CHUNK);
        let packed = house.store.look_blocking::<_, Problem, _>(move |view| {
            let size = view.log_head(log)?.map_or(0, |head| head.size);
            Ok(view.leaves_packed(log, from, to.min(size))?)
        })?;
        for (index, leaf) in (from..end).zip(Unpack(&packed)) {
            if index >= first && may_be_of(leaf, tally.credential) {
                tally.count(&Entry::decode(leaf)?);
            }
        }
        from = to;
        progress(to.min(end).saturating_sub(first));
    }
    Ok(())
}

/// Can this be an entry of a credential that reached somebody? Most are not, and need not be decoded.
fn may_be_of(leaf: &[u8], credential: u64) -> bool {
    Entry::peek(leaf)
        .is_some_and(|(act, actor)| actor == ActorKind::Credential(credential) && COUNTED.contains(&act))
}

/// What is known of the entries so far.
struct Tally {
    credential: u64,
    entries: u64,
    refused: u64,
    span: Option<(i64, i64)>,
    purposes: HashMap<u16, Counted>,
    /// Of each person, by alias, which set of uses.
    persons: HashMap<[u8; 16], u32>,
    sets: Sets,
}

struct Counted {
    entries: u64,
    span: (i64, i64),
}

impl Tally {
    fn new(credential: u64) -> Tally {
        Tally {
            credential,
            entries: 0,
            refused: 0,
            span: None,
            purposes: HashMap::new(),
            persons: HashMap::new(),
            sets: Sets::default(),
        }
    }

    fn count(&mut self, entry: &Entry) {
        if entry.actor.kind != ActorKind::Credential(self.credential) {
            return;
        }
        if entry.outcome != Outcome::Yes {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        self.entries = self.entries.saturating_add(1);
        let widen = |(first, last): (i64, i64)| (first.min(entry.at), last.max(entry.at));
        self.span = Some(widen(self.span.unwrap_or((entry.at, entry.at))));
        if let Some(purpose) = entry.purpose {
            let counted =
                self.purposes.entry(purpose).or_insert(Counted { entries: 0, span: (entry.at, entry.at) });
            counted.entries = counted.entries.saturating_add(1);
            counted.span = widen(counted.span);
        }
        let Some(alias) = entry.alias else { return };
        let used = self.sets.number_of(Use { purpose: entry.purpose, parts: entry.parts.clone() });
        match self.persons.entry(alias) {
            Slot::Occupied(mut known) => {
                let set = self.sets.with(*known.get(), used);
                known.insert(set);
            }
            Slot::Vacant(new) => {
                new.insert(self.sets.with(Sets::NONE, used));
            }
        }
    }
}

/// What one entry says was used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Use {
    purpose: Option<u16>,
    parts: Vec<Part>,
}

/// Sets of uses, each held once: many persons were used in the same few ways, and so each costs a number and not a set.
struct Sets {
    uses: Vec<Use>,
    use_numbers: HashMap<Use, u32>,
    all: Vec<Vec<u32>>,
    set_numbers: HashMap<Vec<u32>, u32>,
    next: HashMap<(u32, u32), u32>,
}

impl Default for Sets {
    fn default() -> Sets {
        Sets {
            uses: Vec::new(),
            use_numbers: HashMap::new(),
            all: vec![Vec::new()],
            set_numbers: HashMap::from([(Vec::new(), Sets::NONE)]),
            next: HashMap::new(),
        }
    }
}

impl Sets {
    /// The set without uses.
    const NONE: u32 = 0;

    fn number_of(&mut self, used: Use) -> u32 {
        if let Some(number) = self.use_numbers.get(&used) {
            return *number;
        }
        let number = u32::try_from(self.uses.len()).unwrap_or(u32::MAX);
        self.uses.push(used.clone());
        self.use_numbers.insert(used, number);
        number
    }

    /// The set that has one use more.
    fn with(&mut self, set: u32, used: u32) -> u32 {
        if let Some(next) = self.next.get(&(set, used)) {
            return *next;
        }
        let mut uses = self.uses_of(set).to_vec();
        if let Err(place) = uses.binary_search(&used) {
            uses.insert(place, used);
        }
        let next = match self.set_numbers.entry(uses) {
            Slot::Occupied(known) => *known.get(),
            Slot::Vacant(new) => {
                let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
                self.all.push(new.key().clone());
                *new.insert(number)
            }
        };
        self.next.insert((set, used), next);
        next
    }

    fn uses_of(&self, set: u32) -> &[u32] {
        usize::try_from(set).ok().and_then(|set| self.all.get(set)).map_or(&[], Vec::as_slice)
    }

    fn each_use(&self, set: u32) -> impl Iterator<Item = &Use> {
        let at = |used: &u32| usize::try_from(*used).ok().and_then(|used| self.uses.get(used));
        self.uses_of(set).iter().filter_map(at)
    }
}

/// Who was found again.
#[derive(Debug, Clone, Copy, Default)]
struct Again {
    living: u64,
    /// Subjects whose rows do not open.
    unreadable: u64,
}

/// Makes the aliases of the living anew, and finds those who were reached among them.
///
/// A row that does not open is stepped over and counted: it hides one person, and nobody else.
fn resolve(
    house: &House,
    shop: &Arc<Shop>,
    tally: &Tally,
    persons: Persons,
    found: &mut dyn FnMut(SubjectId),
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<Again, Problem> {
    let wanted = tally.persons.len() as u64;
    let mut again = Again::default();
    if wanted == 0 {
        return Ok(again);
    }
    let reading = Arc::clone(shop);
    let of: u64 = house
        .store
        .look_blocking::<_, Problem, _>(move |view| Ok(keep::count_subjects(view, &reading)?.iter().sum()))?;
    let (mut done, mut after) = (0_u64, None);
    while again.living < wanted {
        let reading = Arc::clone(shop);
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            let mut page = Vec::new();
            for subject in keep::list_subjects_after(view, &reading, after, PAGE)? {
                match alias_of(view, &reading, subject) {
                    Err(problem) if !problem.is_of_a_row() => return Err(problem),
                    alias => page.push((subject, alias)),
                }
            }
            Ok(page)
        })?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        done = done.saturating_add(page.len() as u64);
        for (subject, alias) in page {
            let Ok(alias) = alias else {
                again.unreadable = again.unreadable.saturating_add(1);
                continue;
            };
            if alias.is_some_and(|alias| tally.persons.contains_key(&alias)) {
                again.living = again.living.saturating_add(1);
                if persons == Persons::Listed {
                    found(subject);
                }
            }
        }
        progress("subjects", done, of.max(done));
    }
    Ok(again)
}

/// The alias of a subject, if it has a key.
fn alias_of(view: &View<'_>, shop: &Shop, subject: SubjectId) -> Result<Option<[u8; 16]>, Problem> {
    let row = keep::find_subject(view, shop, subject)?;
    let key = row.as_ref().and_then(|row| row.marking_key());
    Ok(key.map(|key| shop.keys.alias_of(subject.number(), key)).transpose()?)
}

fn report(
    house: &House,
    shop: &Shop,
    ask: &BlastAsk,
    tally: &Tally,
    again: Again,
    entry: EntryId,
) -> BlastRadius {
    let policy = shop.policy();
    let mut in_sets: HashMap<u32, u64> = HashMap::new();
    for set in tally.persons.values() {
        let count = in_sets.entry(*set).or_default();
        *count = count.saturating_add(1);
    }
    let (mut by_purpose, mut by_field) = (HashMap::<u16, u64>::new(), HashMap::<(u8, u8), u64>::new());
    for (set, persons) in &in_sets {
        let (mut purposes, mut fields) = (Vec::new(), Vec::new());
        for used in tally.sets.each_use(*set) {
            purposes.extend(used.purpose);
            for part in &used.parts {
                fields.extend(part.ordinals().map(|field| (part.kind, field)));
            }
        }
        count_once(&mut by_purpose, purposes, *persons);
        count_once(&mut by_field, fields, *persons);
    }
    let mut purposes: Vec<PurposeReached> = tally
        .purposes
        .iter()
        .map(|(purpose, counted)| PurposeReached {
            purpose: policy.registry.purpose_name(*purpose).map(ToString::to_string).unwrap_or_default(),
            persons: by_purpose.get(purpose).copied().unwrap_or(0),
            entries: counted.entries,
            first: instant(counted.span.0),
            last: instant(counted.span.1),
        })
        .collect();
    purposes.sort_by(|one, two| one.purpose.cmp(&two.purpose));
    let mut fields: Vec<FieldReached> = by_field
        .iter()
        .map(|((kind, field), persons)| FieldReached {
            field: field_name(&policy, *kind, *field),
            persons: *persons,
        })
        .collect();
    fields.sort_by(|one, two| one.field.cmp(&two.field));
    let persons = tally.persons.len() as u64;
    BlastRadius {
        credential: house.ids.show(ask.credential),
        since: instant(ask.since),
        until: instant(ask.until),
        persons,
        living: again.living,
        erased_since: persons.saturating_sub(again.living),
        unreadable: again.unreadable,
        entries: tally.entries,
        refused: tally.refused,
        first: tally.span.map(|(first, _)| instant(first)),
        last: tally.span.map(|(_, last)| instant(last)),
        purposes,
        fields,
        entry: house.ids.show(entry),
    }
}

/// Counts persons under each name that stands in a list, however often it does.
fn count_once<K: Ord + std::hash::Hash>(counts: &mut HashMap<K, u64>, mut names: Vec<K>, persons: u64) {
    names.sort_unstable();
    names.dedup();
    for name in names {
        let count = counts.entry(name).or_default();
        *count = count.saturating_add(persons);
    }
}

fn field_name(policy: &InForce, kind: u8, field: u8) -> String {
    let kind_name = policy.registry.kind_of(kind).map(|(name, _)| name.to_string()).unwrap_or_default();
    let field_name = field_names(policy, kind, FieldMask::only(field)).pop().unwrap_or_default();
    format!("{kind_name}.{field_name}")
}

#[cfg(test)]
mod tests {
    use ledger::entry::Actor;

    use super::*;

    fn entry(credential: u64, act: Act, alias: u8, part: Part) -> Entry {
        let mut entry = Entry::new(7, act, Outcome::Yes, Actor::credential(credential));
        (entry.purpose, entry.alias, entry.parts) = (Some(3), Some([alias; 16]), vec![part]);
        entry
    }

    #[test]
    fn the_first_bytes_of_an_entry_tell_whose_it_is() {
        for number in [0, 1, 127, 128, 300, 16_384, u64::from(u32::MAX)] {
            for other in [0, 1, 127, 128, 300, 16_384, u64::from(u32::MAX)] {
                let leaf = entry(number, Act::Revealed, 1, Part::of(1, [2])).encode().unwrap();
                assert_eq!(may_be_of(&leaf, other), number == other, "{number} {other}");
            }
        }
        let collected = entry(1, Act::Collected, 1, Part::of(1, [2])).encode().unwrap();
        assert!(!may_be_of(&collected, 1));
        let operator = Entry::new(7, Act::Revealed, Outcome::Yes, Actor::operator()).encode().unwrap();
        assert!(!may_be_of(&operator, 0) && !may_be_of(&[], 0));
    }

    #[test]
    fn a_person_who_was_used_twice_is_one_person_with_both_uses() {
        let mut tally = Tally::new(1);
        for (alias, fields) in [(1, vec![2]), (1, vec![2, 5]), (2, vec![5]), (1, vec![2])] {
            tally.count(&entry(1, Act::Revealed, alias, Part::of(1, fields)));
        }
        assert_eq!((tally.persons.len(), tally.entries, tally.sets.all.len()), (2, 4, 4));
        let uses = |alias: u8| tally.sets.each_use(tally.persons[&[alias; 16]]).count();
        assert_eq!((uses(1), uses(2)), (2, 1));
    }
}
