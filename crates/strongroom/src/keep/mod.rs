//! Room `keep`: subjects and what is kept about them, sealed.
//!
//! What is held: shops, subjects, records with their envelopes, blind indexes, tokens, and every table of keys.
//! Ground: whatever the policy's purposes give; the room keeps nothing that a purpose in force does not list.
//!
//! Invariants:
//! - a field is stored sealed, or not at all; clear columns are bound into the seal or carry a MAC;
//! - a row of a key that was destroyed is never written again;
//! - a shared contact (one phone, many people) never merges subjects;
//! - nothing here opens a field for anybody: that is `reveal`'s door.
//!
//! Who may call: `collect`, `reveal`, `share`, `erase`, `answer`, `incident`. It calls no room.

pub mod error;
pub mod files;
mod listing;
pub mod plan;
pub mod refs;
mod shops;
mod sql;
mod terms;
mod tokens;
pub mod types;

pub(crate) use sql::{KEEP_NEWEST, SHOP_OF_CHUNK};

#[cfg(test)]
pub(crate) use sql::ALL as STATEMENTS;

pub use listing::{LISTED_BYTES, Listing, Order, list_records, list_records_after, look_records_after};
pub use plan::{Change, Halt, OldKeys, Plan, Planned, Planner, with_envelope};
pub use shops::{
    NewShop, ShopRow, add_shop, begin_wrap, end_old_wraps, learn_wraps, list_shops, new_generation, new_shop,
    open_keys, read_shop_keys, rewrap_shop_keys,
};
pub use terms::{
    add_terms, ended_terms, find_term, learn_terms, list_terms, remove_term, remove_term_again, rewrap_term,
};
pub use tokens::{Made, TokenRow, add_token, find_token, list_tokens_after, remove_tokens};
pub use types::{Clear, Event, FileMark, RecordRow, SubjectRow};

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use ledger::entry::{Act, Entry, Outcome, Part, RecordMark};
use ledger::opening::Opening;
use policy::{Home, Person, Standing};
use seal::{Class, KeyId};
use store::{Ask, Row, Step, View, params};

use crate::ground::problem::Looked;
use crate::ground::work::Work;
use crate::ground::{EntryId, Hint, Id, Problem, RecordId, Shop, SubjectId};
use plan::{Claim, RecordWrite};
use types::{EXTERNAL_ID, age_column, read_age, read_keys, read_standing, standing_column};

const SUBJECT: &str = "subject";
const LOOKUP: &str = "lookup";

/// The row of a subject of this shop.
///
/// Gives: `None` when there is none, or it is another shop's. Fails: `SR-KEEP-004` when the row was edited.
pub fn find_subject(view: &View<'_>, shop: &Shop, id: SubjectId) -> Result<Option<SubjectRow>, Problem> {
    let found = view.find(&sql::FIND_SUBJECT, params![id.column(), shop.column()], |row| {
        let person = (row.text(2)?.to_owned(), row.int(3)?);
        Ok((row.int(0)?, row.int(1)?, person, row.bytes(4)?.to_vec(), row.bytes(5)?.to_vec()))
    })?;
    let edited = || Problem::edited(SUBJECT);
    let Some((standing, since, (home, age), keys, mac)) = found else { return Ok(None) };
    let home = Home::parse(&home).ok_or_else(edited)?;
    let person = Person { home, age: read_age(age).ok_or_else(edited)? };
    let columns = subject_columns(shop, id, standing, since);
    row_is_whole(shop, &columns, person, &keys, &mac).map_err(|_| edited())?;
    let standing = read_standing(standing).ok_or_else(edited)?;
    Ok(Some(SubjectRow { id, standing, since, person, keys: read_keys(&keys)? }))
}

/// Is the row of a subject still this one? It was found whole, or written, by this process: the same columns need no look at
/// their MAC, for it is they that a plan rests on. A row of which the MAC alone was edited is written under, and told as edited
/// by the next who finds it.
fn subject_is(view: &View<'_>, shop: &Shop, before: &SubjectRow) -> Result<bool, Problem> {
    let same = view.find(&sql::FIND_SUBJECT, params![before.id.column(), shop.column()], |row| {
        let (keys, rest) = row.bytes(4)?.as_chunks::<{ seal::WRAPPED }>();
        let same_keys = rest.is_empty()
            && keys.len() == before.keys.len()
            && keys.iter().zip(&before.keys).all(|(now, key)| *now == key.encode());
        let same_person =
            row.text(2)? == before.person.home.as_str() && row.int(3)? == age_column(before.person.age);
        let same_life = row.int(0)? == standing_column(before.standing) && row.int(1)? == before.since;
        Ok(same_keys && same_person && same_life)
    })?;
    Ok(same == Some(true))
}

fn subject_columns(shop: &Shop, id: SubjectId, standing: i64, since: i64) -> Vec<u8> {
    [shop.column(), id.column(), standing, since].iter().flat_map(|column| column.to_be_bytes()).collect()
}

/// ORDER: the MAC covers the person if something is known of it; so rows from before stay whole.
fn person_column(person: Person) -> Option<Vec<u8>> {
    let known = person != Person::default();
    known.then(|| [&age_column(person.age).to_be_bytes(), person.home.as_str().as_bytes()].concat())
}

fn row_is_whole(
    shop: &Shop,
    columns: &[u8],
    person: Person,
    keys: &[u8],
    mac: &[u8],
) -> Result<(), seal::Error> {
    match person_column(person) {
        Some(person) => shop.keys.row_is_whole(SUBJECT, &[columns, keys, &person], mac),
        None => shop.keys.row_is_whole(SUBJECT, &[columns, keys], mac),
    }
}

/// The row of a record of this shop. Its seal tells whether it was edited.
pub fn find_record(view: &View<'_>, shop: &Shop, id: RecordId) -> Result<Option<RecordRow>, Problem> {
    let found = view.find(&sql::FIND_RECORD, params![id.column(), shop.column()], |row| {
        Ok((row.number(0)?, row.bytes(1)?.to_vec(), row.bytes(2)?.to_vec()))
    })?;
    found.map(|(version, clear, sealed)| record_row(id, version, clear, sealed)).transpose()
}

/// The version of a record of this shop, and nothing else of it. Gives: `None` when there is none, or it is another shop's.
pub fn find_version(view: &View<'_>, shop: &Shop, id: RecordId) -> Result<Option<u32>, Problem> {
    Ok(view.find(&sql::FIND_VERSION, params![id.column(), shop.column()], |row| row.number(0))?)
}

fn record_row(
    id: RecordId,
    version: u32,
    clear_bytes: Vec<u8>,
    sealed: Vec<u8>,
) -> Result<RecordRow, Problem> {
    let clear = Clear::decode(&clear_bytes).map_err(|_| Problem::edited("record"))?;
    Ok(RecordRow { id, version, clear_bytes, clear, sealed })
}

/// Subjects behind a number, page by page.
pub fn list_subjects_after(
    view: &View<'_>,
    shop: &Shop,
    after: Option<SubjectId>,
    limit: u32,
) -> Result<Vec<SubjectId>, Problem> {
    let after = after.map_or(-1, SubjectId::column);
    Ok(view.list(&sql::LIST_SUBJECTS_AFTER, params![after, shop.column(), limit], |row| {
        Ok(SubjectId::from_column(row.int(0)?))
    })?)
}

/// Has any subject of a shop one of these keys? Looks at every subject, page by page.
pub fn any_subject_has<S: BuildHasher>(
    view: &View<'_>,
    shop: &Shop,
    keys: &HashSet<KeyId, S>,
) -> Result<bool, Problem> {
    const PAGE: u32 = 1_024;
    let mut after = None;
    loop {
        let page = list_subjects_after(view, shop, after, PAGE)?;
        for subject in &page {
            let row = find_subject(view, shop, *subject)?;
            if row.is_some_and(|row| row.keys.iter().any(|key| keys.contains(&key.id))) {
                return Ok(true);
            }
        }
        after = page.last().copied();
        if after.is_none() {
            return Ok(false);
        }
    }
}

/// How many subjects there are: present, restricted, erased.
pub fn count_subjects(view: &View<'_>, shop: &Shop) -> Result<[u64; 3], Problem> {
    let mut counts = [0; 3];
    for (standing, count) in view.list(&sql::COUNT_SUBJECTS, params![shop.column()], |row| {
        Ok((row.number::<usize>(0)?, row.number(1)?))
    })? {
        if let Some(slot) = counts.get_mut(standing) {
            *slot = count;
        }
    }
    Ok(counts)
}

/// How many records there are.
pub fn count_records(view: &View<'_>, shop: &Shop) -> Result<u64, Problem> {
    Ok(view.find(&sql::COUNT_RECORDS, params![shop.column()], |row| row.number(0))?.unwrap_or(0))
}

/// The next free place among a subject's records of a kind.
pub fn next_place(view: &View<'_>, shop: &Shop, subject: SubjectId, kind: u8) -> Result<u32, Problem> {
    let (first, last) = RecordId::all_of_kind(subject, kind);
    let found =
        view.find(&sql::FIND_LAST_RECORD, params![first.column(), last.column(), shop.column()], |row| {
            Ok(RecordId::from_column(row.int(0)?))
        })?;
    Ok(found.map_or(0, |record| record.place().saturating_add(1)))
}

/// Records that are looked at for the events of one that they belong to: this is done in the writer, one row after another.
const CHILDREN_LIMIT: u32 = 4_096;

/// The latest events of a subject's records of these kinds, for a record that they belong to.
///
/// Fails: `SR-KEEP-020` when there are more than 4,096 of them.
pub fn events_of_kinds(
    view: &View<'_>,
    shop: &Shop,
    subject: SubjectId,
    kinds: impl Iterator<Item = u8>,
) -> Result<Vec<Event>, Problem> {
    let mut all = Clear::default();
    let mut left = CHILDREN_LIMIT;
    for kind in kinds {
        let (first, last) = RecordId::all_of_kind(subject, kind);
        let (mut faulty, mut too_many) = (false, false);
        let limit = left.saturating_add(1);
        view.each(&sql::LIST_CLEAR, params![first.column(), last.column(), shop.column(), limit], |row| {
            let Some(rest) = left.checked_sub(1) else {
                too_many = true;
                return Ok(Step::Stop);
            };
            left = rest;
            let Ok(clear) = Clear::decode(row.bytes(2)?) else {
                faulty = true;
                return Ok(Step::Stop);
            };
            for event in clear.events.into_iter().filter(|event| event.kind == kind) {
                all.happened(event);
            }
            Ok(Step::Next)
        })?;
        if faulty {
            return Err(Problem::edited("record"));
        }
        if too_many {
            return Err(error::too_many_children());
        }
    }
    Ok(all.events)
}

/// The record that holds a value that may stand once only: an external id, or a unique field.
///
/// Fails: `SR-KEEP-004` when the row was edited: it may lead to somebody else.
pub fn find_lookup(view: &View<'_>, shop: &Shop, blind: &[u8; 16]) -> Result<Option<RecordId>, Problem> {
    let found = view.find(&sql::FIND_LOOKUP, params![shop.column(), blind], |row| read_lead(row, blind))?;
    Ok(found.map(|lead| led_to(shop, blind, &lead)).transpose()?.flatten())
}

/// Is the record found under everything that it says it is found under?
pub fn is_found(view: &View<'_>, shop: &Shop, record: &RecordRow) -> Result<bool, Problem> {
    for (_, blind) in &record.clear.blinds {
        let found =
            view.find(&sql::HAS_LOOKUP, params![shop.column(), blind, record.id.column()], |row| row.int(0))?;
        if found.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The records that hold a searchable value. Fails: `SR-KEEP-004` when a row was edited.
pub fn list_lookups(
    view: &View<'_>,
    shop: &Shop,
    blind: &[u8; 16],
    limit: u32,
) -> Result<Vec<RecordId>, Problem> {
    let rows =
        view.list(&sql::LIST_LOOKUPS, params![shop.column(), blind, limit], |row| read_lead(row, blind))?;
    rows.iter().filter_map(|lead| led_to(shop, blind, lead).transpose()).collect()
}

/// A lookup's row, and whether the record to which it leads says so itself.
type Lead = (RawLookup, bool);

fn read_lead(row: &Row<'_>, blind: &[u8; 16]) -> Result<Lead, store::Error> {
    let clear = row.maybe_bytes(3)?.map(Clear::decode);
    Ok((read_lookup(row)?, clear.is_some_and(|clear| clear.is_ok_and(|clear| clear.has_blind(blind)))))
}

/// The record to which a lookup leads, if that record says so itself. A lookup of a value that has moved on, as it once
/// was, leads nowhere; one that was edited is told, and leads to nobody else either.
fn led_to(shop: &Shop, blind: &[u8; 16], (row, says_so): &Lead) -> Result<Option<RecordId>, Problem> {
    let record = whole_lookup(shop, blind, row)?;
    Ok(says_so.then_some(record))
}

/// A lookup's row: slot, record, MAC.
type RawLookup = (i64, i64, [u8; 16]);

fn read_lookup(row: &Row<'_>) -> Result<RawLookup, store::Error> {
    // A MAC of another length is none that fits.
    Ok((row.int(0)?, row.int(1)?, row.array(2).unwrap_or_default()))
}

fn whole_lookup(shop: &Shop, blind: &[u8], (slot, record, mac): &RawLookup) -> Result<RecordId, Problem> {
    shop.keys
        .row_is_whole(LOOKUP, &[&lookup_columns(shop, *slot, *record), blind], mac)
        .map_err(|_| Problem::edited(LOOKUP))?;
    Ok(RecordId::from_column(*record))
}

fn lookup_columns(shop: &Shop, slot: i64, record: i64) -> [u8; 24] {
    let mut columns = [0; 24];
    for (place, number) in columns.as_chunks_mut::<8>().0.iter_mut().zip([shop.column(), slot, record]) {
        *place = number.to_be_bytes();
    }
    columns
}

/// Where a page of lookups ended: hash and slot.
pub type LookupPlace = (Vec<u8>, i64);

/// Lookups behind a place, page by page, and whether each is as it was written; for the deep check.
pub fn list_lookups_after(
    view: &View<'_>,
    shop: &Shop,
    after: Option<LookupPlace>,
    limit: u32,
) -> Result<Looked<LookupPlace, RecordId>, Problem> {
    let (blind, slot) = after.unwrap_or((Vec::new(), i64::MIN));
    let rows = view.list(&sql::LIST_LOOKUPS_AFTER, params![shop.column(), &blind, slot, limit], |row| {
        Ok((row.bytes(3)?.to_vec(), read_lookup(row)?))
    })?;
    let look = |(blind, row): (Vec<u8>, RawLookup)| {
        let record = whole_lookup(shop, &blind, &row);
        ((blind, row.0), record)
    };
    Ok(rows.into_iter().map(look).collect())
}

/// Is everything that a plan rests on as it was when the plan was made? Reads only.
///
/// Takes: how many choices the subject has made, read in this transaction.
pub fn is_fresh(plan: &Plan, choices: u32, work: &Work<'_, '_>) -> Result<bool, Problem> {
    if plan.policy != work.policy.version
        || plan.choices != choices
        || plan.wrap != work.shop.keys.wrap_version()
    {
        return Ok(false);
    }
    if let Some(before) = &plan.subject_before
        && !subject_is(work.tx, work.shop, before)?
    {
        return Ok(false);
    }
    for term in &plan.open_terms {
        if find_term(work.tx, work.shop, *term)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What [`is_fresh`] and [`put`] are going to ask for a plan.
pub fn asks_of_plan(plan: &Plan, shop: &Shop) -> Vec<Ask> {
    let mut asks = vec![asks_subject(shop, plan.subject)];
    asks.extend(plan.open_terms.iter().map(|term| terms::asks_term(*term)));
    for write in &plan.writes {
        for claim in &write.claims {
            let slot = slot_of(claim, write.id);
            asks.push(Ask::new(&sql::HAS_CLAIM, params![shop.column(), &claim.blind, slot]));
        }
        if write.before.is_none() {
            asks.push(Ask::new(&sql::FIND_VERSION, params![write.id.column(), shop.column()]));
        }
    }
    asks.extend(new_keys(plan).map(|key| Ask::new(&sql::FIND_DESTROYED, params![&key.0])));
    asks
}

/// What [`find_subject`] asks.
pub fn asks_subject(shop: &Shop, id: SubjectId) -> Ask {
    Ask::new(&sql::FIND_SUBJECT, params![id.column(), shop.column()])
}

/// What [`find_record`] asks.
pub fn asks_record(shop: &Shop, id: RecordId) -> Ask {
    Ask::new(&sql::FIND_RECORD, params![id.column(), shop.column()])
}

/// What [`find_lookup`] asks.
pub fn asks_lookup(shop: &Shop, blind: &[u8; 16]) -> Ask {
    Ask::new(&sql::FIND_LOOKUP, params![shop.column(), blind])
}

/// What [`next_place`] asks.
pub fn asks_next_place(shop: &Shop, subject: SubjectId, kind: u8) -> Ask {
    let (first, last) = RecordId::all_of_kind(subject, kind);
    Ask::new(&sql::FIND_LAST_RECORD, params![first.column(), last.column(), shop.column()])
}

/// The keys that a plan brings to its subject.
fn new_keys(plan: &Plan) -> impl Iterator<Item = KeyId> {
    let known = plan.subject_before.as_ref().map_or(&[][..], |before| &before.keys);
    let keys = plan.subject_after.iter().flat_map(|row| &row.keys);
    keys.filter(|key| !known.contains(key)).map(|key| key.id)
}

/// Whether a plan was written. [`Put::Stale`] has written nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was.
    Done,
    /// Something it rests on has moved: look again, plan again.
    Stale,
}

/// Writes a plan that [`is_fresh`].
///
/// Fails: `SR-KEEP-003` when a value that may stand once only stands in another record; `SR-KEEP-009` when something moved
/// that only a write can notice, and then the caller looks and plans again. Either way all of this work is undone. Entering
/// is the caller's.
pub fn put(plan: &Plan, work: &mut Work<'_, '_>) -> Result<Put, Problem> {
    let mut wrote = false;
    // ORDER: lookups first, in the order of their keys, then the subject, then its records: every path locks the same way.
    let mut claims: Vec<(&Claim, RecordId)> =
        plan.writes.iter().flat_map(|write| write.claims.iter().map(|claim| (claim, write.id))).collect();
    claims.sort_by_key(|(claim, _)| claim.blind);
    for (claim, record) in claims {
        if !claim_lookup(claim, record, work)? {
            if !is_there_already(plan, record, work)? {
                must_not_be_anothers(claim, record, work)?;
            }
            return stale(wrote);
        }
        wrote = true;
    }
    for term in &plan.new_terms {
        if !terms::add_term(term, work)? {
            return stale(wrote);
        }
        wrote = true;
    }
    if let Some(row) = &plan.subject_after {
        for key in new_keys(plan) {
            must_not_be_destroyed(key, work)?;
        }
        if !write_subject(row, plan.subject_before.is_none(), work)? {
            return stale(wrote);
        }
        wrote = true;
    }
    for write in &plan.writes {
        if !write_record(write, work)? {
            return stale(wrote);
        }
        wrote = true;
    }
    for remove in &plan.removes {
        let params = params![remove.id.column(), work.shop.column(), remove.version];
        if work.tx.change(&sql::REMOVE_RECORD, params)? == 0 {
            return stale(wrote);
        }
        wrote = true;
        for claim in &remove.unclaims {
            unclaim_lookup(claim, remove.id, work)?;
        }
    }
    files::settle(plan, work)?;
    remember(plan, work);
    Ok(Put::Done)
}

/// Something that a plan rests on has moved: what was written before that was noticed is undone.
fn stale(wrote: bool) -> Result<Put, Problem> {
    if wrote { Err(error::moved()) } else { Ok(Put::Stale) }
}

/// Does the external id that this record would get lead to a record already? Then the record was taken for new without a look,
/// and the values that it would bring stand in that record, where they belong.
fn is_there_already(plan: &Plan, record: RecordId, work: &Work<'_, '_>) -> Result<bool, Problem> {
    let claims = plan.writes.iter().filter(|write| write.id == record).flat_map(|write| &write.claims);
    for claim in claims.filter(|claim| claim.field == EXTERNAL_ID) {
        // What this plan claimed itself leads to a record that is not written yet, and so to none.
        if find_lookup(work.view(), work.shop, &claim.blind)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A value that may stand once only stands somewhere. An external id leads the next look to its record, and in this very
/// record the value came in meanwhile; but in another record it is taken. A value that may stand often stands for this very record
/// already: its place was taken meanwhile, by whoever took it for free as well.
fn must_not_be_anothers(claim: &Claim, record: RecordId, work: &Work<'_, '_>) -> Result<(), Problem> {
    let here = !claim.once
        || claim.field == EXTERNAL_ID
        || find_lookup(work.view(), work.shop, &claim.blind)? == Some(record);
    if here {
        return Ok(());
    }
    let kind = work.policy.compiled.kind(record.kind());
    let name = kind.and_then(|kind| kind.field(claim.field)).map(|field| field.name.to_string());
    Err(error::taken(format!("/fields/{}", name.unwrap_or_default())))
}

/// After the commit: what was written is what will be asked for next.
fn remember(plan: &Plan, work: &mut Work<'_, '_>) {
    let row = plan.subject_after.as_ref().or(plan.subject_before.as_ref()).cloned();
    let lookups: Vec<[u8; 16]> = plan
        .writes
        .iter()
        .flat_map(|write| write.claims.iter().filter(|claim| claim.once).map(|claim| claim.blind))
        .collect();
    let created: Vec<RecordId> =
        plan.writes.iter().filter(|write| write.before.is_none()).map(|write| write.id).collect();
    let (shop, subject, terms) = (Arc::clone(work.shop), plan.subject, plan.new_terms.clone());
    let made_here = plan.subject_before.is_none();
    work.tx.after_commit(move || {
        for term in terms {
            shop.terms.add(term);
        }
        if let Some(row) = row {
            let mut hint =
                shop.hints.subject(subject).unwrap_or_else(|| Hint::of(&[], row.since, row.person));
            hint.keys = row.keys_column().into();
            hint.person = row.person;
            hint.made_here |= made_here;
            for record in created {
                hint.saw_place(record.kind(), record.place());
            }
            shop.hints.saw(subject, hint);
        }
        for blind in lookups {
            shop.hints.saw_lookup(blind, subject);
        }
    });
}

/// A value that may stand once only has one slot; of any other each record has its own.
fn slot_of(claim: &Claim, record: RecordId) -> i64 {
    if claim.once { 0 } else { record.column() }
}

fn claim_lookup(claim: &Claim, record: RecordId, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    let slot = slot_of(claim, record);
    let mac =
        work.shop.keys.row_mac(LOOKUP, &[&lookup_columns(work.shop, slot, record.column()), &claim.blind])?;
    let shop = work.shop.column();
    let row = params![shop, &claim.blind, slot, record.column(), &mac];
    Ok(work.tx.add(&sql::CLAIM_LOOKUP, row, &sql::HAS_CLAIM, params![shop, &claim.blind, slot])?)
}

fn unclaim_lookup(claim: &Claim, record: RecordId, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let slot = slot_of(claim, record);
    let params = params![work.shop.column(), &claim.blind, slot, record.column()];
    work.tx.change(&sql::REMOVE_LOOKUP, params)?;
    Ok(())
}

/// Writes a subject's row. Gives whether it could: a new one must not be there, an old one must.
pub fn write_subject(row: &SubjectRow, new: bool, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    let (shop, keys) = (work.shop, row.keys_column());
    let standing = standing_column(row.standing);
    let columns = subject_columns(shop, row.id, standing, row.since);
    let mac = match person_column(row.person) {
        Some(person) => shop.keys.row_mac(SUBJECT, &[&columns, &keys, &person])?,
        None => shop.keys.row_mac(SUBJECT, &[&columns, &keys])?,
    };
    let (home, age) = (row.person.home.as_str(), age_column(row.person.age));
    if new {
        let params = params![row.id.column(), shop.column(), standing, row.since, home, age, &keys, &mac];
        let key = params![row.id.column(), shop.column()];
        return Ok(work.tx.add(&sql::ADD_SUBJECT, params, &sql::FIND_SUBJECT, key)?);
    }
    let params = params![standing, home, age, &keys, &mac, row.id.column(), shop.column()];
    Ok(work.tx.change(&sql::CHANGE_SUBJECT, params)? > 0)
}

fn write_record(write: &RecordWrite, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    let shop = work.shop.column();
    let written = match write.before {
        None => {
            let params = params![write.id.column(), shop, write.version, &write.clear_bytes, &write.sealed];
            work.tx.add(&sql::ADD_RECORD, params, &sql::FIND_VERSION, params![write.id.column(), shop])?
        }
        Some(before) => {
            let params =
                params![write.version, &write.clear_bytes, &write.sealed, write.id.column(), shop, before];
            work.tx.change(&sql::CHANGE_RECORD, params)? > 0
        }
    };
    for claim in &write.unclaims {
        unclaim_lookup(claim, write.id, work)?;
    }
    Ok(written)
}

/// Says that a key is gone: its row holds it no more, its id is kept for ever, memory forgets it after the commit, and the
/// list outside the database gets it before anybody is told.
pub fn key_destroyed(id: KeyId, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    work.tx.change(&sql::ADD_DESTROYED, params![&id.0, work.shop.column(), work.now])?;
    work.tx.destroyed(id.0);
    let shop = Arc::clone(work.shop);
    work.tx.after_commit(move || shop.keys.forget(id));
    Ok(())
}

fn must_not_be_destroyed(id: KeyId, work: &Work<'_, '_>) -> Result<(), Problem> {
    let found = work.tx.find(&sql::FIND_DESTROYED, params![&id.0], |row| row.int(0))?;
    if found.is_some() { Err(error::revenant()) } else { Ok(()) }
}

/// Does the database say that this key is destroyed?
pub fn is_destroyed(view: &View<'_>, id: KeyId) -> Result<bool, Problem> {
    Ok(view.find(&sql::FIND_DESTROYED, params![&id.0], |row| row.int(0))?.is_some())
}

/// Every key that the database says is destroyed.
pub fn list_destroyed(view: &View<'_>) -> Result<Vec<KeyId>, Problem> {
    Ok(view.list(&sql::LIST_DESTROYED, &[], |row| row.array(0).map(KeyId))?)
}

/// Destroys once more what a restored backup brought back: every key of this subject that the list names.
///
/// Gives how many there were. The list has them already, so nobody is told again.
pub fn destroy_again<S: BuildHasher>(
    subject: SubjectId,
    listed: &HashSet<KeyId, S>,
    work: &mut Work<'_, '_>,
) -> Result<u64, Problem> {
    let Some(row) = find_subject(work.tx, work.shop, subject)? else { return Ok(0) };
    let (gone, left): (Vec<_>, Vec<_>) = row.keys.iter().cloned().partition(|key| listed.contains(&key.id));
    if gone.is_empty() {
        return Ok(0);
    }
    let erased = gone.iter().any(|key| key.class == Class::Main);
    let (standing, person) =
        if erased { (Standing::Erased, Person::default()) } else { (row.standing, row.person) };
    write_subject(&SubjectRow { keys: left, standing, person, ..row }, false, work)?;
    if erased {
        let (shop, now) = (work.shop.column(), work.asked_at());
        work.tx.add_job(shop, crate::ground::jobs::CLEAN_SUBJECT, subject.column(), now)?;
    }
    for key in &gone {
        work.shop.keys.forget(key.id);
    }
    Ok(gone.len() as u64)
}

/// Takes over the names of destroyed keys into the database, so that none of them is ever accepted again.
pub fn know_destroyed(listed: &[KeyId], work: &mut Work<'_, '_>) -> Result<(), Problem> {
    for id in listed {
        work.tx.change(&sql::ADD_DESTROYED, params![&id.0, work.shop.column(), work.now])?;
    }
    Ok(())
}

/// Destroys a subject's main key: nothing that it sealed opens any more. Retained fields stay behind theirs.
///
/// Gives: the row after, and the keys destroyed. The caller enters, and cleans up behind.
pub fn destroy_main_key(
    row: &SubjectRow,
    work: &mut Work<'_, '_>,
) -> Result<(SubjectRow, Vec<KeyId>), Problem> {
    let (gone, left): (Vec<_>, Vec<_>) = row.keys.iter().cloned().partition(|key| key.class == Class::Main);
    let (standing, person) = (Standing::Erased, Person::default());
    let after = SubjectRow { standing, person, keys: left, ..row.clone() };
    if !write_subject(&after, false, work)? {
        return Err(error::not_found());
    }
    forget_subject(row.id, work);
    let ids: Vec<KeyId> = gone.iter().map(|key| key.id).collect();
    for id in &ids {
        key_destroyed(*id, work)?;
    }
    Ok((after, ids))
}

fn forget_subject(subject: SubjectId, work: &mut Work<'_, '_>) {
    let shop = Arc::clone(work.shop);
    work.tx.after_commit(move || shop.hints.forget(subject));
}

/// Removes the rows of a subject of which no key is left: records with their lookups, a page at a time, then itself.
/// Gives how many records went; fewer than `limit` means that it is done.
pub fn remove_dead_subject(row: &SubjectRow, limit: u32, work: &mut Work<'_, '_>) -> Result<u32, Problem> {
    // Without their envelopes, which nothing opens any more.
    let (first, last) = RecordId::all_of(row.id);
    let records = work.tx.list(
        &sql::LIST_CLEAR,
        params![first.column(), last.column(), work.shop.column(), limit],
        |row| {
            Ok((RecordId::from_column(row.int(0)?), row.number::<u32>(1)?, Clear::decode(row.bytes(2)?).ok()))
        },
    )?;
    for (id, version, clear) in &records {
        let clear = clear.as_ref().ok_or_else(|| Problem::edited("record"))?;
        files::let_go_all(&clear.files, work)?;
        for (_, blind) in &clear.blinds {
            // Both forms of a lookup: whether the field was unique then is not known any more.
            for once in [true, false] {
                unclaim_lookup(&Claim { field: 0, blind: *blind, once }, *id, work)?;
            }
        }
        work.tx.change(&sql::REMOVE_RECORD, params![id.column(), work.shop.column(), *version])?;
    }
    let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
    if count < limit {
        work.tx.change(&sql::REMOVE_SUBJECT, params![row.id.column(), work.shop.column()])?;
        forget_subject(row.id, work);
    }
    Ok(count)
}

/// Destroys a retained key of which no field is left to open.
pub fn destroy_retained_key(row: &SubjectRow, work: &mut Work<'_, '_>) -> Result<Vec<KeyId>, Problem> {
    let ids: Vec<KeyId> = row.keys.iter().map(|key| key.id).collect();
    let after = SubjectRow { keys: Vec::new(), ..row.clone() };
    write_subject(&after, false, work)?;
    for id in &ids {
        key_destroyed(*id, work)?;
    }
    Ok(ids)
}

/// Wraps a subject's keys again under the newest wrap key. Gives whether anything changed.
pub fn rewrap_subject(subject: SubjectId, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    let Some(row) = find_subject(work.tx, work.shop, subject)? else { return Ok(false) };
    let mut after = row.clone();
    let mut changed = false;
    for key in &mut after.keys {
        if let Some(again) = work.shop.keys.rewrap(subject.number(), key)? {
            *key = again;
            changed = true;
        }
    }
    if changed {
        write_subject(&after, false, work)?;
        forget_subject(subject, work);
    }
    Ok(changed)
}

/// The part of an entry that says which record was written, and to what: the mark, the fields, and the opening.
pub fn mark_write(
    plan: &Plan,
    write: &RecordWrite,
    act: Act,
    work: &Work<'_, '_>,
) -> Result<(Entry, Opening), Problem> {
    let mut entry = work.entry(act, Outcome::Yes);
    entry.parts = vec![Part { kind: write.id.kind(), fields: *write.fields.as_words() }];
    entry.record = Some(RecordMark {
        alias: plan.marking_key.record_alias(write.id.number()),
        version: write.version,
        until: write.clear.until,
    });
    let opening = Opening::builder()
        .act(act)
        .subject(&work.ids.show(plan.subject))
        .record(&work.ids.show(write.id))
        .version(write.version)
        .digest(&write.digest)
        .build()?;
    Ok((entry, opening))
}

/// Enters everything that a plan wrote: one entry per record version.
///
/// Gives: the id of the first entry.
pub fn enter_writes(plan: &Plan, act: Act, work: &mut Work<'_, '_>) -> Result<Option<EntryId>, Problem> {
    let mut first = None;
    for write in &plan.writes {
        let act = if first.is_none() { act } else { Act::Resealed };
        let (entry, opening) = mark_write(plan, write, act, work)?;
        let id = work.enter_about(&plan.marking_key, entry, &opening)?;
        first.get_or_insert(id);
    }
    for remove in &plan.removes {
        let mut entry = work.entry(Act::Cleaned, Outcome::Yes);
        entry.record = Some(RecordMark {
            alias: plan.marking_key.record_alias(remove.id.number()),
            version: remove.version,
            until: work.now,
        });
        let opening = Opening::builder()
            .act(Act::Cleaned)
            .subject(&work.ids.show(plan.subject))
            .record(&work.ids.show(remove.id))
            .version(remove.version)
            .build()?;
        let id = work.enter_about(&plan.marking_key, entry, &opening)?;
        first.get_or_insert(id);
    }
    Ok(first)
}
