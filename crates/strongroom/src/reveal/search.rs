//! Search: which records hold this value? A search is a use: it takes a purpose, asks the gate about every record that it
//! would show, and is entered under every subject that it found.

use std::sync::Arc;

use ledger::entry::{Act, Figure, Outcome};
use ledger::opening::Opening;
use policy::{Answer, FieldMask};
use seal::DataKey;
use store::Lane;

use super::types::{Granted, Item};
use super::{Permit, add_part, item, judge};
use crate::choose;
use crate::ground::house::House;
use crate::ground::web::Caller;
use crate::ground::work::Work;
use crate::ground::{Deed, EntryId, Id, Problem, RecordId, SubjectId};
use crate::keep;
use crate::people;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct SearchAsk {
    /// For which purpose.
    pub purpose: u16,
    /// Hashes of the value, one per kind that has the field and indexes it: field, hash.
    pub blinds: Vec<(u8, [u8; 16])>,
    /// Records at the most.
    pub limit: u32,
}

/// What a search came to.
#[derive(Debug)]
pub enum Found {
    /// Something: the permit shows the records' external ids, and nothing else of them.
    Some(Box<Permit>),
    /// Nothing, or nothing that the gate lets the caller know of. The entry says so.
    Nothing(EntryId),
}

enum Looked {
    Granted(Box<Granted>),
    Nothing(EntryId),
    Refused(Problem),
}

/// Looks for a value.
///
/// Fails: 404 when the caller lacks the purpose. Records: *searched*, once per subject found; once without a subject when
/// nothing was found.
pub async fn search(house: &Arc<House>, caller: &Caller, ask: SearchAsk) -> Result<Found, Problem> {
    let ask = Arc::new(ask);
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::Search)?;
            look(&ask, work)
        })
        .await?;
    let nothing = match committed.value() {
        Looked::Nothing(entry) => Some(*entry),
        Looked::Granted(_) | Looked::Refused(_) => None,
    };
    if let Some(entry) = nothing {
        return Ok(Found::Nothing(entry));
    }
    let granted = committed.try_map(|looked| match looked {
        Looked::Granted(granted) => Ok(*granted),
        Looked::Refused(problem) => Err(problem),
        Looked::Nothing(_) => Err(keep::error::not_found()),
    })?;
    Ok(Found::Some(Box::new(Permit::new(granted))))
}

fn look(ask: &SearchAsk, work: &mut Work<'_, '_>) -> Result<Looked, Problem> {
    if !work.actor.purposes.has(ask.purpose) {
        let mut entry = work.entry(Act::Searched, Outcome::No);
        entry.purpose = Some(ask.purpose);
        entry.reasons = vec![policy::ReasonId::PurposeNotYours.number()];
        work.enter_plain(entry)?;
        return Ok(Looked::Refused(keep::error::not_found()));
    }
    let (mut items, more) = matching(ask, work)?;
    items.sort_by_key(|(_, item)| item.row.id);
    let Some(first) = items.first().map(|(_, item)| item.row.id.subject()) else {
        let mut entry = work.entry(Act::Searched, Outcome::Yes);
        entry.purpose = Some(ask.purpose);
        entry.figures = vec![(Figure::Subjects, 0)];
        return Ok(Looked::Nothing(work.enter_plain(entry)?));
    };
    let entry = match enter_all(ask.purpose, &items, work)? {
        Entered::Yes(entry) => entry,
        Entered::Frozen(problem) => return Ok(Looked::Refused(problem)),
    };
    Ok(Looked::Granted(Box::new(Granted {
        subject: first,
        shop: Arc::clone(work.shop),
        policy: Arc::clone(&work.policy),
        entry,
        items: items.into_iter().map(|(_, item)| item).collect(),
        more,
        mask_all: false,
        in_use: work.begin_permit(),
    })))
}

/// The records that hold the value and that the gate lets the caller know of, and whether there are more.
fn matching(ask: &SearchAsk, work: &Work<'_, '_>) -> Result<(Vec<(u8, Item)>, bool), Problem> {
    let (mut items, mut bytes): (Vec<(u8, Item)>, usize) = (Vec::new(), 0);
    for (field, blind) in &ask.blinds {
        let left = ask.limit.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for record in keep::list_lookups(work.view(), work.shop, blind, left.saturating_add(1))? {
            let Some(found) = judge_match(ask.purpose, *field, blind, record, work)? else { continue };
            bytes = bytes.saturating_add(found.row.sealed.len());
            if items.len() >= ask.limit as usize || (bytes > keep::LISTED_BYTES && !items.is_empty()) {
                return Ok((items, true));
            }
            items.push((*field, found));
        }
    }
    Ok((items, false))
}

/// A record that holds the value, if the gate lets the caller know of it.
fn judge_match(
    purpose: u16,
    field: u8,
    blind: &[u8; 16],
    record: RecordId,
    work: &Work<'_, '_>,
) -> Result<Option<Item>, Problem> {
    let Some(row) =
        keep::find_record(work.view(), work.shop, record)?.filter(|row| row.clear.has_blind(blind))
    else {
        return Ok(None);
    };
    // A lookup is dead with its subject's key, whether or not its row was cleaned up yet.
    let Some(subject) = keep::find_subject(work.view(), work.shop, record.subject())? else {
        return Ok(None);
    };
    let chosen = choose::chosen(work.view(), work.shop, subject.id, work.now)?;
    let asked = FieldMask::only(field);
    let none = policy::Agreement::None;
    let (mut decision, until) =
        judge(purpose, policy::Act::Search, None, none, asked, &row, &subject, &chosen, &work.moment());
    if decision.answer != Answer::Yes || decision.fields.is_empty() {
        return Ok(None);
    }
    // The search shows that the value is there, and the shop's own id. Values take a reveal.
    decision.fields = FieldMask::EMPTY;
    item(row, &decision, until, &subject, work).map(Some)
}

/// What a search that found somebody comes to.
enum Entered {
    /// Entered under each of them; the first entry's id.
    Yes(EntryId),
    /// They are more than the credential may reach: it is frozen, and nobody is shown.
    Frozen(Problem),
}

fn enter_all(purpose: u16, items: &[(u8, Item)], work: &mut Work<'_, '_>) -> Result<Entered, Problem> {
    let mut entries = Vec::new();
    for of_one in items.chunk_by(|(_, one), (_, two)| one.row.id.subject() == two.row.id.subject()) {
        let Some(subject) = of_one.first().map(|(_, item)| item.row.id.subject()) else { continue };
        let mut entry = work.entry(Act::Searched, Outcome::Yes);
        entry.purpose = Some(purpose);
        for (field, item) in of_one {
            add_part(&mut entry.parts, item.row.id.kind(), FieldMask::only(*field));
        }
        let key = marking_key(subject, work)?;
        entry.alias = key.as_ref().map(|key| key.alias());
        entries.push((subject, key, entry));
    }
    // ORDER: all are counted before one is entered, so that no entry says of somebody that they were shown who were not.
    for (_, _, entry) in &mut entries {
        if let Some(problem) = people::limits::reach(entry, work)? {
            return Ok(Entered::Frozen(problem));
        }
    }
    let mut first = None;
    for (subject, key, entry) in entries {
        let id = enter_with(subject, key.as_deref(), entry, work)?;
        first.get_or_insert(id);
    }
    first.map(Entered::Yes).ok_or_else(keep::error::not_found)
}

/// Enters something about a subject, under its alias.
pub(super) fn enter_under(
    subject: SubjectId,
    entry: ledger::entry::Entry,
    work: &mut Work<'_, '_>,
) -> Result<EntryId, Problem> {
    let key = marking_key(subject, work)?;
    enter_with(subject, key.as_deref(), entry, work)
}

/// The key under whose alias a subject is entered, if it has one left.
fn marking_key(subject: SubjectId, work: &Work<'_, '_>) -> Result<Option<Arc<DataKey>>, Problem> {
    let row = keep::find_subject(work.view(), work.shop, subject)?.ok_or_else(keep::error::not_found)?;
    let open = |marking| work.shop.keys.open_key(subject.number(), marking);
    Ok(row.marking_key().map(open).transpose()?)
}

fn enter_with(
    subject: SubjectId,
    key: Option<&DataKey>,
    entry: ledger::entry::Entry,
    work: &mut Work<'_, '_>,
) -> Result<EntryId, Problem> {
    let opening = Opening::builder().act(entry.act).subject(&work.ids.show(subject)).build()?;
    match key {
        Some(key) => work.enter_about(key, entry, &opening),
        None => work.enter_plain(entry),
    }
}
