//! The way in of one record: look, prepare, apply.

use std::sync::Arc;

use ledger::entry::{Act, Outcome, Part};
use ledger::opening::Opening;
use policy::{ActSet, Answer, Decision, Facts, FieldMask, Flow, Person, PurposeSet, Standing, Start};
use seal::{Class, Random};
use store::{Ask, Lane};

use super::draft::Draft;
use super::error;
use crate::choose::{self, Others, Said};
use crate::ground::hints::Forgotten;
use crate::ground::house::House;
use crate::ground::random::SystemRandom;
use crate::ground::web::{Caller, Repeat, other_request};
use crate::ground::work::{Work, not_your_role, outcome, reason_numbers, reasons_for_caller};
use crate::ground::{
    ChoiceId, Chosen, Deed, EntryId, Hint, Id, InForce, Problem, RecordId, Role, Shop, SubjectId,
};
use crate::keep::refs::{Whose, named_subject};
use crate::keep::types::{EXTERNAL_ID, read_keys};
use crate::keep::{self, Change, Event, Halt, Order, Plan, Planned, Planner, Put, RecordRow, SubjectRow};

/// What a look at the database, or a hint, says about what a draft is about.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Was there a look, or is this a guess?
    pub looked: bool,
    /// How often hints had been forgotten when it looked.
    pub forgotten: Forgotten,
    /// The subject; `None` when the draft makes it.
    pub subject: Option<SubjectRow>,
    /// What it has chosen.
    pub chosen: Chosen,
    /// Purposes about which the draft's choice changes nothing, because another stands.
    pub overruled: PurposeSet,
    /// The record; `None` when the draft makes it.
    pub record: Option<RecordRow>,
    /// The next free place for a new record.
    pub next_place: u32,
    /// Events of records that belong to a new record.
    pub of_children: Vec<Event>,
    /// The records that the draft's record belongs to, when an event of it moves their clocks.
    pub parents: Vec<RecordRow>,
}

/// What is ready to be applied: sealed, with everything that it rests on.
#[derive(Debug)]
pub enum Prepared {
    /// Nothing is known yet: the transaction looks.
    Look,
    /// A plan.
    Plan(Box<Ready>),
    /// Nothing would be left of the record.
    Nothing(Box<Nothing>),
    /// The record has all of this already; what of it was dropped is in the decision.
    Unchanged(Box<Known>, Box<Decision>),
}

/// Why nothing would be left of a record.
#[derive(Debug)]
pub struct Nothing {
    /// What the gate said.
    decision: Decision,
    /// Fields whose time is over.
    ended: FieldMask,
    /// Whose law was asked.
    person: Person,
    /// Was there a look before?
    looked: bool,
}

/// A plan, and what the gate said when it was made.
#[derive(Debug)]
pub struct Ready {
    pub(super) plan: Plan,
    known: Known,
    decision: Decision,
    facts: Facts,
}

impl Ready {
    /// What the plan rests on.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }
}

/// How an application ended.
#[derive(Debug)]
pub enum Applied {
    /// Look again: this is what there is now.
    Stale(Box<Known>),
    /// Written, now or when the same request came before.
    Written(Box<Written>),
    /// Refused, and entered.
    Refused(Problem),
}

/// What became of a record: everything of its answer, numbers and no values, so that it can be given again when its request
/// comes twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Numbers of the answer.
    pub answered: Answered,
    /// The kind.
    pub kind: u8,
    /// Fields that are kept now because of this request.
    pub kept: FieldMask,
    /// Every field that the record has now.
    pub fields: FieldMask,
    /// Why fields were dropped at the door.
    pub dropped: Vec<policy::Reason>,
    /// Choices that were kept, each with its entry.
    pub choices: Vec<(ChoiceId, EntryId)>,
}

/// The numbers of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The subject.
    pub subject: SubjectId,
    /// The record.
    pub record: RecordId,
    /// Its version.
    pub version: u32,
    /// What happened to it.
    pub became: Became,
    /// The entry; `None` when nothing changed.
    pub entry: Option<EntryId>,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It is new.
    Created,
    /// It has a new version.
    Updated,
    /// It had all of this already.
    Unchanged,
    /// Nothing of it is left.
    Removed,
}

impl Became {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Became::Created => "created",
            Became::Updated => "updated",
            Became::Unchanged => "unchanged",
            Became::Removed => "removed",
        }
    }

    fn number(self) -> u8 {
        match self {
            Became::Created => 1,
            Became::Updated => 2,
            Became::Unchanged => 3,
            Became::Removed => 4,
        }
    }

    fn from_number(number: u8) -> Option<Became> {
        let all = [Became::Created, Became::Updated, Became::Unchanged, Became::Removed];
        all.into_iter().find(|became| became.number() == number)
    }
}

impl Written {
    /// Fields that were dropped at the door.
    pub fn refused(&self) -> FieldMask {
        self.dropped.iter().filter_map(|reason| reason.fields).fold(FieldMask::EMPTY, FieldMask::or)
    }

    /// `became ‖ subject ‖ record ‖ version ‖ entry ‖ kept ‖ fields ‖ n ‖ (reason ‖ fields)… ‖ (choice ‖ entry)…`; an entry
    /// of which there is none is all ones.
    fn encode(&self) -> Vec<u8> {
        let answered = &self.answered;
        let mut out = Vec::with_capacity(128);
        out.push(answered.became.number());
        out.extend_from_slice(&answered.subject.number().to_be_bytes());
        out.extend_from_slice(&answered.record.number().to_be_bytes());
        out.extend_from_slice(&answered.version.to_be_bytes());
        out.extend_from_slice(&answered.entry.map_or(u64::MAX, Id::number).to_be_bytes());
        put_mask(self.kept, &mut out);
        put_mask(self.fields, &mut out);
        let dropped = || self.dropped.iter().filter_map(|reason| Some((reason.id, reason.fields?)));
        out.push(u8::try_from(dropped().count()).unwrap_or(0));
        for (id, fields) in dropped() {
            out.extend_from_slice(&id.number().to_be_bytes());
            put_mask(fields, &mut out);
        }
        for (choice, entry) in &self.choices {
            out.extend_from_slice(&choice.number().to_be_bytes());
            out.extend_from_slice(&entry.number().to_be_bytes());
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Written> {
        let (became, rest) = bytes.split_first()?;
        let (subject, rest) = take_number(rest)?;
        let (record, rest) = take_number(rest)?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let (entry, rest) = take_number(rest)?;
        let (kept, rest) = take_mask(rest)?;
        let (fields, rest) = take_mask(rest)?;
        let (count, mut rest) = rest.split_first()?;
        let mut dropped = Vec::with_capacity(usize::from(*count));
        for _ in 0..*count {
            let (id, behind) = rest.split_first_chunk::<2>()?;
            let (fields, behind) = take_mask(behind)?;
            let id = policy::ReasonId::from_number(u16::from_be_bytes(*id))?;
            dropped.push(policy::Reason { id, fields: Some(fields) });
            rest = behind;
        }
        let (choices, rest) = rest.as_chunks::<16>();
        let choices = choices.iter().filter_map(|choice| {
            let (choice, entry) = take_number(choice)?;
            Some((ChoiceId::from_number(choice), EntryId::from_number(take_number(entry)?.0)))
        });
        let record = RecordId::from_number(record);
        let answered = Answered {
            subject: SubjectId::from_number(subject),
            record,
            version: u32::from_be_bytes(*version),
            became: Became::from_number(*became)?,
            entry: (entry != u64::MAX).then(|| EntryId::from_number(entry)),
        };
        rest.is_empty().then(|| Written {
            answered,
            kind: record.kind(),
            kept,
            fields,
            dropped,
            choices: choices.collect(),
        })
    }
}

fn put_mask(mask: FieldMask, out: &mut Vec<u8>) {
    for word in mask.as_words() {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

fn take_mask(bytes: &[u8]) -> Option<(FieldMask, &[u8])> {
    let (mask, rest) = bytes.split_first_chunk::<32>()?;
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(mask.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    Some((FieldMask::from_words(words), rest))
}

fn take_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}

/// Tries before a request gives up on a subject that others keep changing.
pub const TRIES: usize = 8;

/// Takes one record in.
///
/// Records: *collected*, with the fields that were kept; a choice, if one came along; a refusal, with its reasons.
pub async fn write(
    house: &Arc<House>,
    caller: &Caller,
    draft: Draft,
    repeat: Option<Repeat>,
) -> Result<Written, Problem> {
    let known = guess(&caller.shop, &caller.shop.policy(), &draft);
    write_known(house, caller, Lane::High, Arc::new(draft), known, repeat).await
}

/// Takes one record in, of which something is known already.
pub(super) async fn write_known(
    house: &Arc<House>,
    caller: &Caller,
    lane: Lane,
    draft: Arc<Draft>,
    mut known: Option<Known>,
    repeat: Option<Repeat>,
) -> Result<Written, Problem> {
    let shop = &caller.shop;
    for _ in 0..TRIES {
        let prepared = prepare_with_numbers(house, shop, &draft, known.take()).await?;
        let asks = house.foresees(|| asks_of(&draft, &prepared, repeat, shop));
        let applying = Arc::clone(&draft);
        let applied = house
            .work_foreseen(lane, shop, &caller.actor, asks, move |work| {
                apply(&applying, &prepared, repeat, work)
            })
            .await;
        match applied.map(store::Committed::into_value) {
            Ok(Applied::Stale(mut found)) => {
                learn(shop, &draft, &mut found);
                known = Some(*found);
            }
            Ok(Applied::Written(written)) => return Ok(*written),
            Err(problem) if problem.code == keep::error::MOVED => {}
            Ok(Applied::Refused(problem)) | Err(problem) => return Err(problem),
        }
    }
    Err(keep::error::too_busy())
}

/// What can be assumed without a look: a record that was never seen is new; a subject that was lately seen is as it was.
/// The transaction checks every assumption.
pub fn guess(shop: &Shop, policy: &InForce, draft: &Draft) -> Option<Known> {
    if draft.act == Act::Happened || draft.known_only || draft.given().is_empty() {
        return None;
    }
    let seen_before = draft.external.is_some_and(|blind| shop.hints.lookup(&blind).is_some());
    if seen_before || draft.if_version.is_some_and(|version| version > 0) {
        return None;
    }
    let subject = match (&draft.whose, draft.of) {
        (Whose::Unsaid, None) => return Some(Known::default()),
        (Whose::Subject(subject), _) => *subject,
        (Whose::External(blind), _) => shop.hints.lookup(blind)?,
        _ => return None,
    };
    if !draft.choices.is_empty() {
        return None; // whether they stand depends on those before
    }
    let has_children = policy.compiled.kinds().any(|kind| kind.of() == Some(draft.kind));
    if has_children || moves_parents(policy, draft) {
        return None;
    }
    let hint = shop.hints.subject(subject)?;
    let next_place = shop.hints.take_place(subject, draft.kind, hint.next_place(draft.kind)?);
    Some(Known {
        subject: Some(SubjectRow {
            id: subject,
            standing: Standing::Present,
            since: hint.since,
            person: hint.person,
            keys: read_keys(&hint.keys).ok()?,
        }),
        chosen: hint.chosen, // one of which a yes has ended is found to be stale
        next_place,
        ..Known::default()
    })
}

/// Remembers what a look has found, so that the next draft about the same subject needs none. Others may be about to write for
/// that subject: each gets a place of its own.
pub(super) fn learn(shop: &Shop, draft: &Draft, found: &mut Known) {
    let (Some(row), None) = (&found.subject, &found.record) else { return };
    let hint = Hint { chosen: found.chosen, ..Hint::of(&row.keys_column(), row.since, row.person) };
    shop.hints.found(row.id, hint, draft.kind, found.next_place, found.forgotten);
    found.next_place = shop.hints.take_place(row.id, draft.kind, found.next_place);
    if let Whose::External(blind) = draft.whose {
        shop.hints.saw_lookup(blind, row.id);
    }
}

/// Does any clock of the parent's kind run from something that this draft says?
fn moves_parents(policy: &InForce, draft: &Draft) -> bool {
    let Some(parent) = draft.of.and_then(|of| policy.compiled.kind(of)) else { return false };
    parent.terms().iter().flat_map(|terms| [terms.keep, terms.must_keep, terms.at_most]).flatten().any(
        |clock| match clock.from {
            Start::Child { kind, event } => {
                kind == draft.kind
                    && (event == policy::COLLECTED_EVENT
                        || draft.events.iter().any(|happened| happened.event == event))
            }
            Start::Own(_) => false,
        },
    )
}

/// Refills before a request gives up: each is good for dozens of terms or thousands of subjects.
const REFILLS: usize = 8;

/// Prepares, and fetches numbers for new subjects and terms when they are used up.
pub(super) async fn prepare_with_numbers(
    house: &Arc<House>,
    shop: &Shop,
    draft: &Draft,
    mut known: Option<Known>,
) -> Result<Prepared, Problem> {
    let policy = shop.policy();
    for _ in 0..REFILLS {
        let random = &mut SystemRandom::new();
        match prepare(house, shop, &policy, draft, &mut known, house.clock.now(), random) {
            Ok(prepared) => return Ok(prepared),
            Err(Halt::Empty(empty)) => house.refill(empty.0).await?,
            Err(Halt::Problem(problem)) => return Err(problem),
        }
    }
    Err(keep::error::too_busy())
}

/// Seals what comes in, under everything that is known, and takes that over into what it prepares. Writes nothing.
fn prepare(
    house: &House,
    shop: &Shop,
    policy: &InForce,
    draft: &Draft,
    held: &mut Option<Known>,
    now: i64,
    random: &mut impl Random,
) -> Result<Prepared, Halt> {
    let Some(known) = held.as_ref() else { return Ok(Prepared::Look) };
    if draft.policy != policy.version {
        return Err(Halt::Problem(error::policy_changed()));
    }
    let chosen = chosen_after(known, draft);
    let standing = known.subject.as_ref().map_or(Standing::Present, |row| row.standing);
    let person = person_after(known, draft);
    let mut events = events_after(draft, known, now);
    let facts = Facts { person, ..facts_of(policy, draft, known, &chosen, standing, &events, now) };
    let flow = Flow {
        act: policy::Act::Collect,
        kind: draft.kind,
        fields: draft.given(),
        purpose: None,
        recipient: None,
    };
    // What the actor may is read in the transaction; here the question is only what there is to seal.
    let decision = policy::decide(&policy.compiled, &Facts { acts: ActSet::ALL, ..facts }, &flow);
    if decision.answer != Answer::Yes {
        let (ended, looked) = (FieldMask::EMPTY, known.looked);
        return Ok(Prepared::Nothing(Box::new(Nothing { decision, ended, person, looked })));
    }

    let mut planner = match &known.subject {
        Some(row) => Planner::for_subject(house, shop, policy, row.clone(), chosen, now, random),
        None => Planner::for_new_subject(house, shop, policy, chosen, now, random)?,
    };
    planner.place(person);
    let record = match &known.record {
        Some(row) => row.id,
        None if known.next_place >= crate::ground::ids::RECORDS_LIMIT => {
            return Err(Halt::Problem(keep::error::too_many_records()));
        }
        None => RecordId::of(planner.subject(), draft.kind, known.next_place),
    };
    let allowed = |field: u8| decision.fields.has(field) || (field == EXTERNAL_ID && known.record.is_none());
    let set: Vec<_> =
        draft.set.iter().filter(|(field, _)| allowed(*field)).map(|(field, value)| (*field, value)).collect();
    let blinds: Vec<_> = draft.blinds.iter().filter(|(field, _)| allowed(*field)).copied().collect();
    let files: Vec<_> =
        draft.file.and_then(|file| file.mark).into_iter().filter(|mark| allowed(mark.field)).collect();
    let change = |events: &[Event], planner: &mut Planner<'_, _>| {
        let (before, unset) = (known.record.as_ref(), draft.unset);
        planner.change(&Change { record, before, set: &set, unset, blinds: &blinds, files: &files, events })
    };
    if draft.from_file
        && let (Some(row), Some(_)) = (&known.subject, &known.record)
    {
        // A file that is read again collects nothing: it must not make what it holds last longer. So the clock of collection
        // moves only if anything else does.
        let others: Vec<Event> = events.iter().filter(|event| !is_collected(event)).copied().collect();
        let mut trial = Planner::for_subject(house, shop, policy, row.clone(), chosen, now, planner.random());
        if change(&others, &mut trial)? == Planned::Same {
            events = others;
        }
    }
    let planned = change(&events, &mut planner)?;
    match planned {
        Planned::Removed { ended, .. } if known.record.is_none() => {
            let looked = known.looked;
            return Ok(Prepared::Nothing(Box::new(Nothing { decision, ended, person, looked })));
        }
        Planned::Same if draft.choices.is_empty() && person == person_before(known) => {
            return Ok(held
                .take()
                .map_or(Prepared::Look, |known| Prepared::Unchanged(Box::new(known), Box::new(decision))));
        }
        _ => {}
    }
    let moved: Vec<Event> = events.iter().filter(|event| event.kind == draft.kind).copied().collect();
    for parent in &known.parents {
        planner.change(&Change {
            record: parent.id,
            before: Some(parent),
            set: &[],
            unset: FieldMask::EMPTY,
            blinds: &[],
            files: &[],
            events: &moved,
        })?;
    }
    let mut plan = planner.finish()?;
    plan.choices = known.chosen.count;
    Ok(held
        .take()
        .map_or(Prepared::Look, |known| Prepared::Plan(Box::new(Ready { plan, known, decision, facts }))))
}

fn is_collected(event: &Event) -> bool {
    event.event == policy::COLLECTED_EVENT
}

/// What the subject will have chosen once the draft's choices are kept.
fn chosen_after(known: &Known, draft: &Draft) -> Chosen {
    let mut chosen = known.chosen;
    for choice in draft.choices.iter().filter(|choice| !known.overruled.has(choice.purpose)) {
        let only = PurposeSet::only(choice.purpose);
        let yes = choice.said == Said::Granted;
        chosen.granted = if yes { chosen.granted.or(only) } else { chosen.granted.minus(only) };
        chosen.refused = if yes { chosen.refused.minus(only) } else { chosen.refused.or(only) };
    }
    chosen
}

/// What is known of the person.
fn person_before(known: &Known) -> Person {
    known.subject.as_ref().map(|row| row.person).unwrap_or_default()
}

/// What will be known of the person once the draft is kept.
fn person_after(known: &Known, draft: &Draft) -> Person {
    let before = person_before(known);
    Person { home: draft.home.unwrap_or(before.home), age: draft.age.unwrap_or(before.age) }
}

/// What will have happened to the record: what the draft says, that it was collected, and what its children bring.
fn events_after(draft: &Draft, known: &Known, now: i64) -> Vec<Event> {
    let mut events = draft.events.clone();
    if !draft.set.is_empty() || draft.file.is_some() {
        events.push(Event { kind: draft.kind, event: policy::COLLECTED_EVENT, at: now });
    }
    events.extend(known.of_children.iter().copied());
    events
}

fn facts_of(
    policy: &InForce,
    draft: &Draft,
    known: &Known,
    chosen: &Chosen,
    standing: Standing,
    events: &[Event],
    now: i64,
) -> Facts {
    let mut clear = known.record.as_ref().map(|row| row.clear.clone()).unwrap_or_default();
    for event in events {
        clear.happened(*event);
    }
    let happenings = clear.happenings(draft.kind);
    let life = happenings.life(chosen, standing);
    Facts {
        granted: chosen.granted,
        refused: chosen.refused,
        standing,
        ended: policy.compiled.ended_purposes(draft.kind, &life, now),
        ..Facts::default()
    }
}

/// Would the gate refuse this now? Asked before the bytes of a file are taken; when they are there it is asked again.
///
/// Gives: `None` when it would not. Records: a refusal, with its reasons.
pub(super) fn refused_now(draft: &Draft, work: &mut Work<'_, '_>) -> Result<Option<Problem>, Problem> {
    let known = look(draft, work)?;
    let chosen = chosen_after(&known, draft);
    let standing = known.subject.as_ref().map_or(Standing::Present, |row| row.standing);
    let events = events_after(draft, &known, work.now);
    let policy = Arc::clone(&work.policy);
    let facts = facts_of(&policy, draft, &known, &chosen, standing, &events, work.now);
    let facts = Facts { person: person_after(&known, draft), ..facts };
    let fields = draft.given();
    let flow = Flow { act: policy::Act::Collect, kind: draft.kind, fields, purpose: None, recipient: None };
    let facts = Facts { acts: work.actor.acts(), ..facts };
    let decision = policy::decide(&policy.compiled, &facts, &flow);
    if decision.answer == Answer::Yes && fields.minus(decision.fields).is_empty() {
        return Ok(None);
    }
    refuse(draft, &decision, FieldMask::EMPTY, facts.person, work).map(Some)
}

/// What [`apply`] is going to ask.
pub(super) fn asks_of(draft: &Draft, prepared: &Prepared, repeat: Option<Repeat>, shop: &Shop) -> Vec<Ask> {
    let mut asks: Vec<Ask> = repeat.iter().map(|repeat| store::asks_kept_answer(&repeat.id)).collect();
    match prepared {
        Prepared::Look | Prepared::Nothing(..) => asks.extend(asks_of_look(draft, shop)),
        Prepared::Unchanged(known, _) => {
            asks.extend(known.record.iter().map(|row| keep::asks_record(shop, row.id)));
        }
        Prepared::Plan(ready) => {
            asks.extend(keep::asks_of_plan(&ready.plan, shop));
            if ready.known.subject.is_some() {
                asks.push(choose::asks_chosen(shop, ready.plan.subject));
            }
        }
    }
    asks
}

/// What [`look`] is going to ask first: the rest depends on what it finds.
pub(super) fn asks_of_look(draft: &Draft, shop: &Shop) -> Vec<Ask> {
    let mut asks = Vec::new();
    match (draft.record, draft.external) {
        (Some(id), _) => asks.extend(asks_of_record(draft, id, shop)),
        (None, Some(blind)) => asks.push(keep::asks_lookup(shop, &blind)),
        (None, None) => {}
    }
    match &draft.whose {
        Whose::Subject(subject) => asks.extend(asks_of_subject(draft, *subject, shop)),
        Whose::External(blind) => asks.push(keep::asks_lookup(shop, blind)),
        Whose::Unsaid | Whose::Matching(_) => {}
    }
    asks
}

/// What [`look`] is going to ask when it knows what this transaction knows already.
pub(super) fn asks_behind_look(draft: &Draft, work: &Work<'_, '_>) -> Result<Vec<Ask>, Problem> {
    let (view, shop) = (work.view(), work.shop);
    // A row that was edited is told by the look. What cannot be read at all ends the transaction here.
    let lead = |blind: &[u8; 16]| match keep::find_lookup(view, shop, blind) {
        Err(problem) if problem.is_of_a_row() => Ok(None),
        found => found,
    };
    let record = match (draft.record, &draft.external) {
        (Some(record), _) => Some(record),
        (None, Some(blind)) => lead(blind)?,
        (None, None) => None,
    };
    if let Some(record) = record {
        return Ok(asks_of_record(draft, record, shop));
    }
    let Whose::External(blind) = &draft.whose else { return Ok(Vec::new()) };
    Ok(lead(blind)?.map(|record| asks_of_subject(draft, record.subject(), shop)).unwrap_or_default())
}

fn asks_of_record(draft: &Draft, id: RecordId, shop: &Shop) -> Vec<Ask> {
    let mut asks = asks_of_subject(draft, id.subject(), shop);
    asks.push(keep::asks_record(shop, id));
    asks
}

fn asks_of_subject(draft: &Draft, subject: SubjectId, shop: &Shop) -> Vec<Ask> {
    vec![
        keep::asks_subject(shop, subject),
        choose::asks_chosen(shop, subject),
        keep::asks_next_place(shop, subject, draft.kind),
    ]
}

/// Writes what was prepared, if everything it rests on still stands. Sees no plain value.
pub fn apply(
    draft: &Draft,
    prepared: &Prepared,
    repeat: Option<Repeat>,
    work: &mut Work<'_, '_>,
) -> Result<Applied, Problem> {
    work.must_be_allowed(if draft.act == Act::Happened { Deed::Happen } else { Deed::Collect })?;
    if !draft.choices.is_empty() {
        work.must_be_allowed(Deed::Choose)?;
    }
    if let Some(record) = draft.record {
        work.must_be_its_own(record.subject())?;
    }
    if let Some(answered) = answered_before(repeat, work)? {
        return Ok(Applied::Written(Box::new(answered)));
    }
    match prepared {
        Prepared::Look => Ok(Applied::Stale(Box::new(look(draft, work)?))),
        Prepared::Nothing(nothing) => {
            // What looks new may be there, with choices that allow what a new subject's do not.
            if !nothing.looked || work.policy.version != draft.policy {
                return Ok(Applied::Stale(Box::new(look(draft, work)?)));
            }
            refuse(draft, &nothing.decision, nothing.ended, nothing.person, work).map(Applied::Refused)
        }
        Prepared::Unchanged(known, decision) => unchanged(draft, known, decision, repeat, work),
        Prepared::Plan(ready) => apply_plan(draft, ready, repeat, work),
    }
}

fn apply_plan(
    draft: &Draft,
    ready: &Ready,
    repeat: Option<Repeat>,
    work: &mut Work<'_, '_>,
) -> Result<Applied, Problem> {
    let Ready { plan, known, decision, facts } = ready;
    let choices = match known.subject {
        Some(_) => choose::chosen(work.tx, work.shop, plan.subject, work.now)?.count,
        None => 0,
    };
    if known.chosen.is_over(work.now)
        || !keep::is_fresh(plan, choices, work)?
        || !kin_is_as_known(draft, known, plan.subject, work)?
    {
        return Ok(Applied::Stale(Box::new(look(draft, work)?)));
    }
    if draft.if_version.is_some_and(|wanted| wanted != known.record.as_ref().map_or(0, |row| row.version)) {
        return Err(error::other_version());
    }
    let flow = Flow {
        act: policy::Act::Collect,
        kind: draft.kind,
        fields: draft.given(),
        purpose: None,
        recipient: None,
    };
    let now = policy::decide(&work.policy.compiled, &Facts { acts: work.actor.acts(), ..*facts }, &flow);
    if now.answer != Answer::Yes {
        return refuse(draft, &now, FieldMask::EMPTY, facts.person, work).map(Applied::Refused);
    }
    if now.fields != decision.fields {
        return Ok(Applied::Stale(Box::new(look(draft, work)?)));
    }
    if keep::put(plan, work)? == Put::Stale {
        return Ok(Applied::Stale(Box::new(look(draft, work)?)));
    }
    let mut kept_choices = Vec::with_capacity(draft.choices.len());
    let others = if known.subject.is_none() { Others::None } else { Others::Perhaps };
    for choice in &draft.choices {
        let kept = choose::keep(plan.subject, &plan.marking_key, choice, others, work)?;
        kept_choices.extend(kept.map(|kept| (kept.id, kept.entry)));
    }
    if facts.person != person_before(known) {
        enter_placed(plan, facts.person, work)?;
    }
    let entry = keep::enter_writes(plan, draft.act, work)?;
    let write = plan.writes.first().filter(|write| write.id.kind() == draft.kind);
    let became = match (&known.record, write) {
        (None, Some(_)) => Became::Created,
        (Some(_), Some(_)) => Became::Updated,
        (_, None) if plan.removes.is_empty() => Became::Unchanged,
        (_, None) => Became::Removed,
    };
    let record = write
        .map(|write| (write.id, write.version))
        .or_else(|| known.record.as_ref().map(|row| (row.id, row.version)))
        .or_else(|| plan.removes.first().map(|remove| (remove.id, remove.version)));
    let Some((record, version)) = record else { return Err(keep::error::not_found()) };
    let answered = Answered { subject: plan.subject, record, version, became, entry };
    let written = Written {
        answered,
        kind: draft.kind,
        kept: write.map_or(FieldMask::EMPTY, |write| write.fields.and(draft.given())),
        fields: write.map_or(FieldMask::EMPTY, |write| write.fields),
        dropped: decision.reasons.iter().collect(),
        choices: kept_choices,
    };
    if let Some(repeat) = repeat {
        work.tx.keep_answer(&repeat.id, work.now, &repeat.request, &written.encode())?;
    }
    Ok(Applied::Written(Box::new(written)))
}

/// Enters that it was said where the subject lives or how old it is. What was said, the entry only commits to.
fn enter_placed(plan: &Plan, person: Person, work: &mut Work<'_, '_>) -> Result<EntryId, Problem> {
    let said = format!("{} {}", person.home, person.age.as_str());
    let subject = work.ids.show(plan.subject);
    let opening = Opening::builder().act(Act::Placed).subject(&subject).extra(said.as_bytes()).build()?;
    let entry = work.entry(Act::Placed, Outcome::Yes);
    work.enter_about(&plan.marking_key, entry, &opening)
}

/// Are the records that the draft's record belongs to, and those that belong to it, the ones that were known? Each of them
/// is checked by its version when it is written; here the question is whether one has come since.
fn kin_is_as_known(
    draft: &Draft,
    known: &Known,
    subject: SubjectId,
    work: &Work<'_, '_>,
) -> Result<bool, Problem> {
    if known.subject.is_none() {
        return Ok(true); // nobody else knows the subject yet
    }
    if let Some(of) = draft.of
        && moves_parents(&work.policy, draft)
    {
        let last = known.parents.last().map_or(0, |parent| parent.id.place().saturating_add(1));
        if keep::next_place(work.tx, work.shop, subject, of)? != last {
            return Ok(false);
        }
    }
    Ok(known.record.is_some() || events_of_children(draft, subject, work)? == known.of_children)
}

/// The latest events of records that a new record's children brought before it.
fn events_of_children(draft: &Draft, subject: SubjectId, work: &Work<'_, '_>) -> Result<Vec<Event>, Problem> {
    let children = work.policy.compiled.kinds().filter(|kind| kind.of() == Some(draft.kind));
    keep::events_of_kinds(work.tx, work.shop, subject, children.map(policy::CompiledKind::ordinal))
}

fn answered_before(repeat: Option<Repeat>, work: &Work<'_, '_>) -> Result<Option<Written>, Problem> {
    let Some(repeat) = repeat else { return Ok(None) };
    let Some(kept) = work.tx.kept_answer(&repeat.id)? else { return Ok(None) };
    if !seal::same(&kept.request, &repeat.request) {
        return Err(other_request());
    }
    Written::decode(&kept.answer).map(Some).ok_or_else(|| Problem::edited("idempotency"))
}

/// Everything is there already. Nothing is written, and nothing entered: an import that runs again leaves no trace.
fn unchanged(
    draft: &Draft,
    known: &Known,
    decision: &Decision,
    repeat: Option<Repeat>,
    work: &mut Work<'_, '_>,
) -> Result<Applied, Problem> {
    let Some(row) = &known.record else { return Ok(Applied::Stale(Box::new(look(draft, work)?))) };
    let now = keep::find_record(work.tx, work.shop, row.id)?;
    if now.as_ref() != Some(row) || work.policy.version != draft.policy {
        return Ok(Applied::Stale(Box::new(look(draft, work)?)));
    }
    if draft.if_version.is_some_and(|wanted| wanted != row.version) {
        return Err(error::other_version());
    }
    let answered = Answered {
        subject: row.id.subject(),
        record: row.id,
        version: row.version,
        became: Became::Unchanged,
        entry: None,
    };
    let written = Written {
        answered,
        kind: draft.kind,
        kept: FieldMask::EMPTY,
        fields: FieldMask::ALL,
        dropped: decision.reasons.iter().collect(),
        choices: Vec::new(),
    };
    if let Some(repeat) = repeat {
        work.tx.housekeeping(); // the answer is kept, and nothing else
        work.tx.keep_answer(&repeat.id, work.now, &repeat.request, &written.encode())?;
    }
    Ok(Applied::Written(Box::new(written)))
}

/// Enters a refusal, and says why.
fn refuse(
    draft: &Draft,
    decision: &Decision,
    ended: FieldMask,
    person: Person,
    work: &mut Work<'_, '_>,
) -> Result<Problem, Problem> {
    let mut entry = work.entry(Act::Collected, outcome(decision.answer));
    if entry.outcome == Outcome::Yes {
        entry.outcome = Outcome::No; // the gate allowed some fields, and the time of all of them is over
    }
    entry.parts = vec![Part { kind: draft.kind, fields: *draft.given().as_words() }];
    entry.reasons = reason_numbers(decision);
    let past_end = !ended.is_empty() || decision.reasons.has(policy::ReasonId::Ended);
    if !ended.is_empty() && entry.reasons.is_empty() {
        entry.reasons = vec![policy::ReasonId::Ended.number()];
    }
    work.enter_plain(entry)?;
    let reasons = reasons_for_caller(decision, &work.policy, draft.kind, person, None);
    Ok(error::nothing_to_keep(past_end).because(reasons))
}

/// Looks at everything that a draft is about, in one transaction.
///
/// Fails: 404 when the subject that it names is not there; 409 when what it names does not fit together.
pub fn look(draft: &Draft, work: &Work<'_, '_>) -> Result<Known, Problem> {
    let (view, shop) = (work.view(), work.shop);
    view.foresee(|| asks_behind_look(draft, work))?;
    let record = match (draft.record, draft.external) {
        (Some(id), _) => keep::find_record(view, shop, id)?,
        (None, Some(blind)) => match keep::find_lookup(view, shop, &blind)? {
            Some(id) => keep::find_record(view, shop, id)?.filter(|row| row.clear.has_blind(&blind)),
            None => None,
        },
        (None, None) => None,
    };
    if record.is_none() && (draft.act == Act::Happened || draft.known_only) {
        return Err(keep::error::not_found());
    }
    may_match(&draft.whose, work)?;
    let named = named_subject(view, shop, &draft.whose)?;
    let subject = match (&record, named) {
        (Some(row), Some(named)) if row.id.subject() != named => return Err(error::belongs_to_another()),
        (Some(row), _) => Some(row.id.subject()),
        (None, named) => named,
    };
    let Some(subject) = subject else {
        if draft.of.is_some() {
            return Err(keep::error::no_such_subject());
        }
        return Ok(Known { looked: true, ..Known::default() });
    };
    let row = keep::find_subject(view, shop, subject)?.ok_or_else(keep::error::no_such_subject)?;
    if row.standing == Standing::Erased || row.key(Class::Main).is_none() {
        return Err(keep::error::erased());
    }
    let next_place = if record.is_some() { 0 } else { keep::next_place(view, shop, subject, draft.kind)? };
    let of_children = if record.is_none() { events_of_children(draft, subject, work)? } else { Vec::new() };
    let parents = match draft.of {
        Some(of) if moves_parents(&work.policy, draft) => {
            let parents =
                keep::list_records(view, shop, subject, Some(of), Order::OldestFirst, PARENTS_LIMIT)?;
            if parents.more {
                return Err(error::too_many_parents()); // a clock that does not move would end too early
            }
            parents.records
        }
        _ => Vec::new(),
    };
    let chosen = choose::chosen(view, shop, subject, work.now)?;
    let mut overruled = PurposeSet::EMPTY;
    for choice in &draft.choices {
        if !choose::would_stand(subject, choice, work)? {
            overruled = overruled.or(PurposeSet::only(choice.purpose));
        }
    }
    Ok(Known {
        looked: true,
        forgotten: shop.hints.forgotten(),
        subject: Some(row),
        chosen,
        overruled,
        record,
        next_place,
        of_children,
        parents,
    })
}

/// Who only takes data in must not learn by a `match` whether somebody of this phone or address is there: that is a search,
/// and a search takes a purpose and is entered.
pub(super) fn may_match(whose: &Whose, work: &Work<'_, '_>) -> Result<(), Problem> {
    match (whose, work.actor.role) {
        (Whose::Matching(_), Some(Role::Intake)) => Err(not_your_role()),
        _ => Ok(()),
    }
}

/// Records that one record can belong to.
const PARENTS_LIMIT: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::draft::RecordIn;
    use crate::ground::Actor;
    use crate::ground::clock::MachineClock;
    use crate::ground::keys_folder::{LockSource, UNLOCK};
    use crate::{notice, open};

    #[tokio::test]
    async fn a_record_without_an_external_id_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        let lock = LockSource::KeyFile(keys.join(UNLOCK));
        let (rows, witnesses) = (open::Rows::InFolder, Vec::new());
        let trusted = Vec::new();
        let places =
            open::Places { data, rows, keys, lock, epoch_days: 30, cache_mib: 8, witnesses, trusted };
        let text = include_str!("../../../../examples/harbour-hill/shop.toml");
        let (checked, _) = notice::check(text, "shop.toml", jiff::civil::date(2026, 11, 26)).unwrap();
        open::init(&places, &checked, seal::Suite::Aes256Gcm, Arc::new(MachineClock::new())).unwrap();
        let house = open::open(&places, Arc::new(MachineClock::new())).unwrap();
        let caller = Caller { shop: house.shop(None).unwrap(), actor: Actor::House };

        let input: RecordIn<'_> =
            serde_json::from_str(r#"{"kind":"customer","fields":{"name":"Ann"}}"#).unwrap();
        let policy = caller.shop.policy();
        let draft = Draft::parse(&input, &caller.shop, &policy, &house.ids, house.clock.now()).unwrap();
        let written = write(&house, &caller, draft, None).await.unwrap();
        assert_eq!(written.answered.became, Became::Created);
        house.close();
    }
}
