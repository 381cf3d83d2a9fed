//! What is kept about a person, shown to that person: all of it, whatever it is kept for.
//!
//! LAW: GDPR Art. 15; PIPL 45. The gate's act is *answer*: it asks neither for a purpose nor for a choice. The entry is as durable before a value
//! is plain as for everybody else.

use std::sync::Arc;

use ledger::entry::{Act, Outcome};
use ledger::opening::Opening;
use policy::{Answer, Decision, Facts, FieldMask, Flow};
use seal::Envelope;
use store::Lane;

use super::permit::Permit;
use super::types::{Granted, Item};
use super::{Ended, add_part, granted, item};
use crate::ground::house::House;
use crate::ground::web::Caller;
use crate::ground::work::{Work, outcome, reason_numbers};
use crate::ground::{Deed, Problem, SubjectId};
use crate::keep::{self, Listing, Order, RecordRow, SubjectRow};

/// What needs special care, in a page that the person looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitive {
    /// Is masked: they have not shown just now that it is them.
    Masked,
    /// Is shown as well.
    Shown,
}

/// Records that are shown at once.
const RECORDS_LIMIT: u32 = 100;

/// Opens all that is kept about the person who asks.
///
/// Fails: `SR-REVEAL-024` when nothing is kept. Records: *revealed*, to the person.
pub async fn reveal_own(
    house: &Arc<House>,
    caller: &Caller,
    subject: SubjectId,
    sensitive: Sensitive,
) -> Result<Permit, Problem> {
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::SeeOwn)?;
            work.must_be_its_own(subject)?;
            decide(subject, sensitive, work)
        })
        .await?;
    granted(committed)
}

fn decide(subject: SubjectId, sensitive: Sensitive, work: &mut Work<'_, '_>) -> Result<Ended, Problem> {
    let row = keep::find_subject(work.tx, work.shop, subject)?.ok_or_else(nothing_kept)?;
    let mut listed = Listing::of_at_most(RECORDS_LIMIT);
    listed.add(work.tx, work.shop, subject, None, Order::NewestFirst)?;
    let mut items: Vec<Item> = Vec::with_capacity(listed.records.len());
    for record in listed.records {
        let decision = judge(&record, &row, sensitive, work)?;
        if decision.answer == Answer::Yes && !decision.fields.is_empty() {
            items.push(item(record, &decision, None, &row, work)?);
        }
    }
    if items.is_empty() {
        return Err(nothing_kept());
    }
    grant(&row, items, listed.more, work)
}

/// Asks the gate about one record.
fn judge(
    record: &RecordRow,
    subject: &SubjectRow,
    sensitive: Sensitive,
    work: &Work<'_, '_>,
) -> Result<Decision, Problem> {
    let kind = record.id.kind();
    let compiled = &work.policy.compiled;
    let envelope = Envelope::parse(&record.sealed).map_err(|_| Problem::edited("record"))?;
    let stored = keep::types::to_policy(envelope.fields()).minus(FieldMask::only(keep::types::EXTERNAL_ID));
    let facts = Facts {
        acts: work.actor.acts(),
        standing: subject.standing,
        unknown_fields: compiled.kind(kind).map_or(stored, |kind| kind.unknown_among(stored)),
        person: subject.person,
        ..Facts::default()
    };
    let flow = Flow { act: policy::Act::Answer, kind, fields: stored, purpose: None, recipient: None };
    let mut decision = policy::decide(compiled, &facts, &flow);
    if sensitive == Sensitive::Masked {
        let careful = compiled.kind(kind).into_iter().flat_map(policy::CompiledKind::fields);
        let careful = careful.filter(|field| field.sensitive).map(|field| field.ordinal);
        decision.masked = careful.fold(FieldMask::EMPTY, FieldMask::with).and(decision.fields);
    }
    Ok(decision)
}

fn grant(row: &SubjectRow, items: Vec<Item>, more: bool, work: &mut Work<'_, '_>) -> Result<Ended, Problem> {
    let mut entry = work.entry(Act::Revealed, outcome(Answer::Yes));
    debug_assert_eq!(entry.outcome, Outcome::Yes);
    let mut opening = Opening::builder().act(Act::Revealed).subject(&work.ids.show(row.id));
    for item in &items {
        add_part(&mut entry.parts, item.row.id.kind(), item.there);
        for reason in reason_numbers(&item.decision) {
            if !entry.reasons.contains(&reason) {
                entry.reasons.push(reason);
            }
        }
        opening = opening.extra(&crate::ground::Id::number(item.row.id).to_be_bytes());
    }
    let marking = row.marking_key().ok_or_else(keep::error::erased)?;
    let key = work.shop.keys.open_key(crate::ground::Id::number(row.id), marking)?;
    let id = work.enter_about(&key, entry, &opening.build()?)?;
    Ok(Ended::Granted(Box::new(Granted {
        subject: row.id,
        shop: Arc::clone(work.shop),
        policy: Arc::clone(&work.policy),
        entry: id,
        items,
        more,
        mask_all: false,
        in_use: work.begin_permit(),
    })))
}

/// The problem of a person about whom nothing is kept that could be shown.
pub fn nothing_kept() -> Problem {
    Problem::new("SR-REVEAL-024", 404, "nothing is kept about this person that can be shown")
}
