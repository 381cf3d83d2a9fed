//! Room `reveal`: **the only door from sealed to plain.**
//!
//! What is held: nothing. Every use of personal data comes through here: for one purpose, by somebody who has it, while
//! the subject's choices and the retention allow it, masked where the policy says so.
//!
//! Invariants:
//! - the gate decides inside the transaction that enters the act; the entry is durable before a value is plain;
//! - a permit covers the fields, records and versions that the transaction saw, for two seconds, and nothing else;
//! - a refusal is entered too, with its reasons; so is an opening that fails;
//! - who lacks the purpose learns nothing, not even whether the record is there;
//! - nobody is shown anything of one more person than their credential may reach: it is frozen instead;
//! - a person sees all that is kept about them, when it is they who ask.
//!
//! Who may call: `share`, `answer`, and the desk. It may call `keep`, `choose` and `people`.

pub mod file;
mod find;
pub mod http;
mod may;
pub mod may_http;
mod own;
mod permit;
pub mod receipt;
mod render;
mod search;
mod token;
mod types;

pub use find::{RecordSummary, Summary, find};
pub use may::{Answered, May, MayAsk, Whom, may};
pub use own::{Sensitive, nothing_kept, reveal_own};
pub use permit::{Opened, Permit, open};
pub use render::{render_reveal, tell_value, write_value};
pub use search::{Found, SearchAsk, search};
pub use token::{MakeToken, make_token, resolve_token};
pub use types::{Ask, Granted, GroupKey, Item, Target};

use std::sync::Arc;

use ledger::entry::{Act, Figure, Outcome, Part};
use ledger::opening::Opening;
use policy::{Answer, Basis, Decision, End, Facts, FieldMask, Flow, PurposeSet, ReasonId, Standing};
use seal::Envelope;
use store::Lane;

use crate::choose;
use crate::ground::house::House;
use crate::ground::web::Caller;
use crate::ground::work::{Moment, Work, outcome, reason_numbers, reasons_for_caller};
use crate::ground::{Chosen, Deed, Id, InForce, OPEN_END, Problem, RecordId, Shop, SubjectId};
use crate::keep::{self, Listing, Order, RecordRow, SubjectRow};
use crate::people;

/// How a request at the door ended, in its transaction.
#[derive(Debug)]
pub enum Ended {
    /// Yes: what was granted.
    Granted(Box<Granted>),
    /// No, and entered.
    Refused(Problem),
}

/// Opens fields for a purpose.
///
/// Gives: the opened records and the entry. Fails: 404 when the subject is not there or the caller lacks the purpose, 403
/// with reasons when the gate says no, 410 when the subject is erased and no law keeps anything.
/// Records: *revealed*, before anything is plain.
pub async fn reveal(house: &Arc<House>, caller: &Caller, ask: Ask) -> Result<Permit, Problem> {
    let (asks, ask) = (house.foresees(|| asks_of(&ask, &caller.shop)), Arc::new(ask));
    let committed = house
        .work_foreseen(Lane::High, &caller.shop, &caller.actor, asks, move |work| {
            work.must_be_allowed(Deed::Reveal)?;
            decide(&ask, policy::Act::Reveal, None, Act::Revealed, work)
        })
        .await?;
    granted(committed)
}

/// A permit out of a committed grant, or the problem of a committed refusal.
pub(crate) fn granted(committed: store::Committed<Ended>) -> Result<Permit, Problem> {
    // The value is taken apart under its proof: only a committed grant becomes a permit.
    let granted = committed.try_map(|ended| match ended {
        Ended::Granted(granted) => Ok(*granted),
        Ended::Refused(problem) => Err(problem),
    })?;
    Ok(Permit::new(granted))
}

/// Gives what opening came to. That it failed is entered: somebody edited the database.
pub(crate) async fn entered<T>(
    house: &House,
    caller: &Caller,
    permit: &Permit,
    opened: Result<T, Problem>,
) -> Result<T, Problem> {
    if opened.as_ref().is_err_and(|problem| problem.status == 500) {
        enter_failure(house, caller, permit).await;
    }
    opened
}

async fn enter_failure(house: &House, caller: &Caller, permit: &Permit) {
    let subject = permit.granted().subject;
    let entered = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            let entry = work.entry(Act::OpeningFailed, Outcome::No);
            let opening =
                Opening::builder().act(Act::OpeningFailed).subject(&work.ids.show(subject)).build()?;
            let key =
                keep::find_subject(work.tx, work.shop, subject)?.and_then(|row| row.marking_key().cloned());
            match key.and_then(|key| work.shop.keys.open_key(subject.number(), &key).ok()) {
                Some(key) => work.enter_about(&key, entry, &opening).map(|_| ()),
                None => work.enter_plain(entry).map(|_| ()),
            }
        })
        .await;
    if entered.is_err() {
        crate::note!(ERROR, "a failed opening could not be entered");
    }
}

/// What [`decide`] is going to ask, as far as the target itself says it.
pub(crate) fn asks_of(ask: &Ask, shop: &Shop) -> Vec<store::Ask> {
    let (subject, record) = match &ask.target {
        Target::Record(record) => (record.subject(), Some(*record)),
        Target::Subject(subject) => (*subject, None),
        Target::External(blind) | Target::SubjectExternal(blind) => {
            return vec![keep::asks_lookup(shop, blind)];
        }
        Target::Matching(_) => return Vec::new(),
    };
    let mut asks = vec![keep::asks_subject(shop, subject)];
    asks.extend(record.map(|record| keep::asks_record(shop, record)));
    if rests_on_a_choice(ask.purpose, &shop.policy()) {
        asks.push(choose::asks_chosen(shop, subject));
    }
    asks
}

/// Asks the gate about everything that is wanted, and enters its answer.
pub(crate) fn decide(
    ask: &Ask,
    act: policy::Act,
    recipient: Option<u16>,
    entered_as: Act,
    work: &mut Work<'_, '_>,
) -> Result<Ended, Problem> {
    if !work.actor.purposes.has(ask.purpose) {
        return refuse_stranger(ask.purpose, entered_as, work);
    }
    let (subject, only) = match resolve_or_enter(&ask.target, entered_as, Some(ask.purpose), work)? {
        Ok(found) => found,
        Err(problem) => return Ok(Ended::Refused(problem)),
    };
    let row = keep::find_subject(work.tx, work.shop, subject)?.ok_or_else(keep::error::not_found)?;
    let policy = Arc::clone(&work.policy);
    let chosen = chosen_for(ask.purpose, subject, work)?;
    let Listing { records: rows, more, .. } = wanted_rows(ask, subject, only, work)?;
    let agreement = token::agreement_of(&policy, recipient, work.now);
    let (mut items, mut refusals): (Vec<Item>, Vec<(u8, Decision)>) = (Vec::new(), Vec::new());
    for record in rows {
        let kind = record.id.kind();
        let asked = asked_fields(ask, kind, work);
        let (decision, until) =
            judge(ask.purpose, act, recipient, agreement, asked, &record, &row, &chosen, &work.moment());
        if decision.answer == Answer::Yes && !decision.fields.is_empty() {
            items.push(item(record, &decision, until, &row, work)?);
        } else {
            refusals.push((kind, decision));
        }
    }
    if items.is_empty() {
        return refuse(ask, entered_as, recipient, &row, &refusals, work).map(Ended::Refused);
    }
    grant(ask, entered_as, recipient, &row, (items, more), work)
}

/// Who lacks the purpose gets the answer of somebody who guessed: not found. It is entered, without a look at any subject.
fn refuse_stranger(purpose: u16, act: Act, work: &mut Work<'_, '_>) -> Result<Ended, Problem> {
    let mut entry = work.entry(act, Outcome::No);
    entry.purpose = Some(purpose);
    entry.reasons = vec![ReasonId::PurposeNotYours.number()];
    work.enter_plain(entry)?;
    Ok(Ended::Refused(keep::error::not_found()))
}

/// A subject, and the one record, if one was named.
pub(crate) type Led = (SubjectId, Option<RecordId>);

/// The same as [`resolve`]. A match that leads to nobody, or to several, tells the caller something about a value all the same,
/// so it is entered; the problem is then the outcome of a unit of work that commits.
pub(crate) fn resolve_or_enter(
    target: &Target,
    act: Act,
    purpose: Option<u16>,
    work: &mut Work<'_, '_>,
) -> Result<Result<Led, Problem>, Problem> {
    let problem = match resolve(target, work) {
        Ok(led) => return Ok(Ok(led)),
        Err(problem) => problem,
    };
    let several = keep::error::several_subjects().code;
    if !matches!(target, Target::Matching(_))
        || (problem.code != several && problem.code != keep::error::no_such_subject().code)
    {
        return Err(problem);
    }
    let mut entry = work.entry(act, Outcome::No);
    entry.purpose = purpose;
    // Two stand for as many as there are: whoever reads the ledger need not learn how many share a value.
    entry.figures = vec![(Figure::Subjects, if problem.code == several { 2 } else { 0 })];
    work.enter_plain(entry)?;
    Ok(Err(problem))
}

/// The subject that a target leads to, and the one record, if it names one.
pub(crate) fn resolve(target: &Target, work: &Work<'_, '_>) -> Result<Led, Problem> {
    let lookup = |blind: &[u8; 16]| {
        keep::find_lookup(work.view(), work.shop, blind)?.ok_or_else(keep::error::not_found)
    };
    Ok(match target {
        Target::Record(record) => (record.subject(), Some(*record)),
        Target::External(blind) => {
            let record = lookup(blind)?;
            (record.subject(), Some(record))
        }
        Target::Subject(subject) => (*subject, None),
        Target::SubjectExternal(blind) => (lookup(blind)?.subject(), None),
        Target::Matching(blinds) => (keep::refs::only_subject(work.view(), work.shop, blinds)?, None),
    })
}

/// What a subject chose, for a purpose whose basis asks for it: the others stand on something else.
fn chosen_for(purpose: u16, subject: SubjectId, work: &Work<'_, '_>) -> Result<Chosen, Problem> {
    if rests_on_a_choice(purpose, &work.policy) {
        choose::chosen(work.view(), work.shop, subject, work.now)
    } else {
        Ok(Chosen::default())
    }
}

pub(crate) fn rests_on_a_choice(purpose: u16, policy: &InForce) -> bool {
    let basis = policy.compiled.purpose(purpose).map(|purpose| purpose.said.basis);
    matches!(basis, Some(Basis::Consent | Basis::SeparateConsent | Basis::LegitimateInterest))
}

/// The rows that are wanted: one record and what it belongs to, or records of the kinds that the purpose uses.
fn wanted_rows(
    ask: &Ask,
    subject: SubjectId,
    only: Option<RecordId>,
    work: &Work<'_, '_>,
) -> Result<Listing, Problem> {
    let (view, shop, compiled) = (work.view(), work.shop, &work.policy.compiled);
    let wanted = |kind: u8| ask.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
    let uses = |kind: u8| compiled.kind(kind).is_some_and(|kind| !kind.grant(ask.purpose).allowed.is_empty());
    if let Some(record) = only {
        let row = keep::find_record(view, shop, record)?.ok_or_else(keep::error::not_found)?;
        let mut rows = Listing::of_at_most(1);
        let parent = compiled.kind(record.kind()).and_then(policy::CompiledKind::of);
        if let Some(parent) = parent.filter(|parent| uses(*parent) && wanted(*parent)) {
            rows.add(view, shop, subject, Some(parent), Order::NewestFirst)?;
        }
        rows.records.insert(0, row);
        rows.more = false; // what was asked for is there
        return Ok(rows);
    }
    let mut rows = Listing::of_at_most(ask.limit);
    for kind in
        compiled.kinds().map(policy::CompiledKind::ordinal).filter(|kind| uses(*kind) && wanted(*kind))
    {
        rows.add(view, shop, subject, Some(kind), Order::NewestFirst)?;
    }
    Ok(rows)
}

/// The fields that are asked of a kind: those named, or all that the purpose uses.
fn asked_fields(ask: &Ask, kind: u8, work: &Work<'_, '_>) -> FieldMask {
    match &ask.fields {
        Some(fields) => {
            fields.iter().find(|(of, _)| *of == kind).map_or(FieldMask::EMPTY, |(_, fields)| *fields)
        }
        None => {
            work.policy.compiled.kind(kind).map_or(FieldMask::EMPTY, |kind| kind.grant(ask.purpose).allowed)
        }
    }
}

/// Asks the gate about one record. Gives its answer, and when the purpose's time with the record is over.
#[expect(clippy::too_many_arguments, reason = "everything that one decision rests on, each of its own type")]
pub(crate) fn judge(
    purpose: u16,
    act: policy::Act,
    recipient: Option<u16>,
    agreement: policy::Agreement,
    asked: FieldMask,
    record: &RecordRow,
    subject: &SubjectRow,
    chosen: &Chosen,
    moment: &Moment<'_>,
) -> (Decision, Option<i64>) {
    let (compiled, kind) = (&moment.policy.compiled, record.id.kind());
    let happenings = record.clear.happenings(kind);
    let life = happenings.life(chosen, subject.standing);
    let end = compiled.end_of(kind, purpose, &life);
    let over = end.is_some_and(|end| end.is_over(moment.now));
    let facts = Facts {
        acts: moment.actor.acts(),
        purposes: moment.actor.purposes,
        granted: chosen.granted,
        refused: chosen.refused,
        standing: subject.standing,
        ended: if over { PurposeSet::only(purpose) } else { PurposeSet::EMPTY },
        unknown_fields: compiled.kind(kind).map_or(asked, |kind| kind.unknown_among(asked)),
        agreement,
        person: subject.person,
        ..Facts::default()
    };
    let flow = Flow { act, kind, fields: asked, purpose: Some(purpose), recipient };
    let until = match end {
        Some(End::At(at)) => Some(at),
        _ => None,
    };
    (policy::decide(compiled, &facts, &flow), until)
}

/// Gathers what opening a record takes: the keys of its groups, as this transaction sees their rows.
pub(crate) fn item(
    row: RecordRow,
    decision: &Decision,
    until: Option<i64>,
    subject: &SubjectRow,
    work: &Work<'_, '_>,
) -> Result<Item, Problem> {
    let envelope = Envelope::parse(&row.sealed).map_err(|_| Problem::edited("record"))?;
    let mut keys = Vec::with_capacity(envelope.groups().len());
    let mut openable = FieldMask::EMPTY;
    for head in envelope.groups() {
        let Some(key) = subject.key_named(head.subject) else { continue };
        let Some(term) = work.shop.terms.of_key(head.term) else { continue };
        // A term with a date lives until that date: its row needs no look. An open one may have ended with its epoch.
        let lives = if term.ends_at == OPEN_END {
            keep::find_term(work.view(), work.shop, term.number)?.is_some()
        } else {
            term.ends_at > work.now
        };
        if lives {
            openable = openable.or(keep::types::to_policy(head.fields));
            keys.push(GroupKey { head: *head, subject: key.clone(), term: (term.number, term.key.clone()) });
        }
    }
    let stored = keep::types::to_policy(envelope.fields());
    let allowed = decision.fields.and(stored);
    let decision = *decision;
    Ok(Item { row, decision, until, there: allowed.and(openable), gone: allowed.minus(openable), keys })
}

fn grant(
    ask: &Ask,
    act: Act,
    recipient: Option<u16>,
    row: &SubjectRow,
    (items, more): (Vec<Item>, bool),
    work: &mut Work<'_, '_>,
) -> Result<Ended, Problem> {
    let mut entry = work.entry(act, Outcome::Yes);
    entry.purpose = Some(ask.purpose);
    entry.recipient = recipient;
    let mut opening = Opening::builder().act(act).subject(&work.ids.show(row.id));
    for item in &items {
        // What is opened, not what might have been: after a breach this says which fields were seen.
        add_part(&mut entry.parts, item.row.id.kind(), item.there);
        for reason in reason_numbers(&item.decision) {
            if !entry.reasons.contains(&reason) {
                entry.reasons.push(reason);
            }
        }
        opening = opening.extra(&item.row.id.number().to_be_bytes());
    }
    let marking = row.marking_key().ok_or_else(keep::error::erased)?;
    let key = work.shop.keys.open_key(row.id.number(), marking)?;
    entry.alias = Some(key.alias());
    // ORDER: counted before it is entered, and both before anything can be opened.
    if let Some(refused) = people::limits::reach(&mut entry, work)? {
        return Ok(Ended::Refused(refused));
    }
    let id = work.enter_about(&key, entry, &opening.build()?)?;
    Ok(Ended::Granted(Box::new(Granted {
        subject: row.id,
        shop: Arc::clone(work.shop),
        policy: Arc::clone(&work.policy),
        entry: id,
        items,
        more,
        mask_all: ask.mask_all,
        in_use: work.begin_permit(),
    })))
}

/// Fields of one kind stand in one part of an entry.
pub(crate) fn add_part(parts: &mut Vec<Part>, kind: u8, fields: FieldMask) {
    let words = *fields.as_words();
    match parts.iter_mut().find(|part| part.kind == kind) {
        Some(part) => {
            for (word, more) in part.fields.iter_mut().zip(words) {
                *word |= more;
            }
        }
        None => parts.push(Part { kind, fields: words }),
    }
}

/// Enters that the gate said no, and tells the caller why.
fn refuse(
    ask: &Ask,
    act: Act,
    recipient: Option<u16>,
    row: &SubjectRow,
    refusals: &[(u8, Decision)],
    work: &mut Work<'_, '_>,
) -> Result<Problem, Problem> {
    let gap = refusals.iter().any(|(_, decision)| decision.answer == Answer::Gap);
    let mut entry = work.entry(act, outcome(if gap { Answer::Gap } else { Answer::No }));
    entry.purpose = Some(ask.purpose);
    entry.recipient = recipient;
    let mut reasons = Vec::new();
    for (kind, decision) in refusals {
        add_part(&mut entry.parts, *kind, decision.refused);
        for reason in reason_numbers(decision) {
            if !entry.reasons.contains(&reason) {
                entry.reasons.push(reason);
            }
        }
        for reason in reasons_for_caller(decision, &work.policy, *kind, row.person, recipient) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    let opening = Opening::builder().act(act).subject(&work.ids.show(row.id)).build()?;
    match row.marking_key() {
        Some(marking) => {
            let key = work.shop.keys.open_key(row.id.number(), marking)?;
            work.enter_about(&key, entry, &opening)?;
        }
        None => {
            work.enter_plain(entry)?;
        }
    }
    if row.standing == Standing::Erased && row.keys.is_empty() {
        return Ok(keep::error::erased());
    }
    if refusals.is_empty() {
        return Ok(nothing_there());
    }
    let problem = if gap {
        Problem::new(
            "SR-REVEAL-002",
            403,
            "the policy cannot tell whether this may be used; the officer has to say",
        )
    } else {
        Problem::new("SR-REVEAL-001", 403, "the gate says no")
    };
    Ok(problem.because(reasons))
}

/// The subject has nothing that the purpose uses.
fn nothing_there() -> Problem {
    Problem::new("SR-REVEAL-005", 404, "the subject has no record that this purpose uses")
}
