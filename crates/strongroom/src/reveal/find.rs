//! What is kept about a subject, without a single value: kinds, versions, ends, choices.

use std::sync::Arc;

use ledger::entry::{Act, Outcome};
use policy::{End, Person, Standing};
use seal::Envelope;
use store::Lane;

use super::search::enter_under;
use super::types::Target;
use crate::choose::{self, ChoiceRow};
use crate::ground::house::House;
use crate::ground::web::Caller;
use crate::ground::work::Work;
use crate::ground::{Deed, EntryId, Problem, RecordId, SubjectId};
use crate::keep::{self, Listing};

/// What is kept about a subject.
#[derive(Debug)]
pub struct Summary {
    /// The subject.
    pub subject: SubjectId,
    /// Where it stands.
    pub standing: Standing,
    /// Where it lives, and whether it is of age.
    pub person: Person,
    /// When it was made, µs UTC.
    pub since: i64,
    /// Its records.
    pub records: Vec<RecordSummary>,
    /// There are more records than are listed.
    pub more: bool,
    /// Its choices.
    pub choices: Vec<ChoiceRow>,
    /// The entry of this look.
    pub entry: EntryId,
}

/// What is kept in a record.
#[derive(Debug)]
pub struct RecordSummary {
    /// The record.
    pub record: RecordId,
    /// Its version.
    pub version: u32,
    /// Its fields.
    pub fields: policy::FieldMask,
    /// Purposes that use it, and when each is over; `None` while that is not known.
    pub purposes: Vec<(u16, Option<i64>)>,
    /// Events: ordinal and instant.
    pub events: Vec<(u8, i64)>,
}

const RECORDS_LISTED: u32 = 200;
const CHOICES_LISTED: u32 = 200;

/// Looks at what is kept about a subject. Records: *found*.
///
/// Takes: the record behind which to go on, for a subject of many. Fails: `SR-REVEAL-013` when it is not the subject's.
pub async fn find(
    house: &Arc<House>,
    caller: &Caller,
    target: Target,
    after: Option<RecordId>,
) -> Result<Summary, Problem> {
    house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::Find)?;
            summarise(&target, after, work)
        })
        .await?
        .into_value()
}

/// The inner problem is that of a match that led to nobody, or to several: it was entered.
fn summarise(
    target: &Target,
    after: Option<RecordId>,
    work: &mut Work<'_, '_>,
) -> Result<Result<Summary, Problem>, Problem> {
    let (subject, _) = match super::resolve_or_enter(target, Act::Found, None, work)? {
        Ok(led) => led,
        Err(problem) => return Ok(Err(problem)),
    };
    if let Some(other) = after.map(RecordId::subject).filter(|other| *other != subject) {
        // Another shop's record is one that nobody has.
        keep::find_subject(work.tx, work.shop, other)?.ok_or_else(keep::error::not_found)?;
        return Err(Problem::new("SR-REVEAL-013", 422, "this is not a record of the subject").at("/after"));
    }
    let row = keep::find_subject(work.tx, work.shop, subject)?.ok_or_else(keep::error::not_found)?;
    let chosen = choose::chosen(work.tx, work.shop, subject, work.now)?;
    let mut listed = Listing::of_at_most(RECORDS_LISTED);
    listed.add_behind(work.tx, work.shop, subject, after)?;
    let compiled = &work.policy.compiled;
    let mut records = Vec::with_capacity(listed.records.len());
    for record in &listed.records {
        let kind = record.id.kind();
        let happenings = record.clear.happenings(kind);
        let life = happenings.life(&chosen, row.standing);
        let purposes = compiled
            .purposes()
            .filter_map(|purpose| {
                compiled.end_of(kind, purpose.ordinal, &life).map(|end| (purpose.ordinal, end))
            })
            .map(|(purpose, end)| (purpose, if let End::At(at) = end { Some(at) } else { None }))
            .collect();
        let envelope = Envelope::parse(&record.sealed).map_err(|_| Problem::edited("record"))?;
        let fields = keep::types::to_policy(envelope.fields())
            .minus(policy::FieldMask::only(keep::types::EXTERNAL_ID));
        records.push(RecordSummary {
            record: record.id,
            version: record.version,
            fields,
            purposes,
            events: happenings.own,
        });
    }
    let choices = choose::list(work.tx, work.shop, subject, CHOICES_LISTED)?;
    let entry = enter_under(subject, work.entry(Act::Found, Outcome::Yes), work)?;
    Ok(Ok(Summary {
        subject,
        standing: row.standing,
        person: row.person,
        since: row.since,
        records,
        more: listed.more,
        choices,
        entry,
    }))
}
