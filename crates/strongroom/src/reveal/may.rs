//! May these many be used for a purpose, now? Asked before a mailing, of up to 100,000 at once; it opens nothing.
//!
//! The gate decides about each, as it would at a reveal. It is asked beside the writer, in parts, so that nobody waits for a long list;
//! every answer was true at some instant between the question and its answer. One entry stands for all of them.
//!
//! INVARIANT: nobody is told whether somebody is known whom the gate refuses for lack of a choice; and a batch costs the credential as many
//! persons of its limit as it names, known or not: it is no way round that limit.

use std::sync::Arc;

use ledger::entry::{Act, Figure, Outcome};
use ledger::opening::{Opening, commitment};
use policy::{Agreement, Answer, Basis, Decision, FieldMask, ReasonId};
use store::{Lane, View};

use super::{judge, rests_on_a_choice, token};
use crate::choose;
use crate::ground::house::House;
use crate::ground::web::Caller;
use crate::ground::work::{Moment, Work};
use crate::ground::{ActorFacts, Chosen, Deed, EntryId, InForce, Problem, RecordId, Shop, SubjectId};
use crate::keep::{self, Listing, Order, RecordRow, SubjectRow};
use crate::people;

/// Whom a question is about.
#[derive(Debug, Clone)]
pub enum Whom {
    /// Nobody: what was sent can be no such value.
    Nobody,
    /// This subject.
    Subject(SubjectId),
    /// The subject of the record with this hash of an external id.
    External([u8; 16]),
    /// Whoever has this value: by field and hash, one for each kind that has the field and indexes it.
    Value(Vec<(u8, [u8; 16])>),
}

/// A question about many.
#[derive(Debug)]
pub struct MayAsk {
    /// For which purpose.
    pub purpose: u16,
    /// To whom it would go, if it would leave the shop.
    pub recipient: Option<u16>,
    /// About whom, in the caller's order.
    pub whom: Vec<Whom>,
    /// Keyed hash of the question as it was sent.
    pub sent: [u8; 16],
}

/// The answer about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// It may be used now.
    Yes,
    /// The gate says no.
    No(ReasonId),
    /// There is nothing that the purpose would use, or nobody.
    Nothing,
}

impl May {
    /// The reason's name; `None` for a yes.
    ///
    /// Takes: does the purpose wait for a yes? Then who is not known looks like who said nothing.
    pub fn reason(self, waits_for_a_yes: bool) -> Option<&'static str> {
        match self {
            May::Yes => None,
            May::No(reason) => Some(reason.name()),
            May::Nothing if waits_for_a_yes => Some(ReasonId::NoChoice.name()),
            May::Nothing => Some("nothing_kept"),
        }
    }

    fn number(self) -> u16 {
        match self {
            May::Yes => 0,
            May::No(reason) => reason.number(),
            May::Nothing => u16::MAX,
        }
    }
}

/// What became of a question.
#[derive(Debug)]
pub struct Answered {
    /// The answers, in the order of the question.
    pub answers: Vec<May>,
    /// How many of them are yes.
    pub allowed: usize,
    /// Does the purpose wait for a yes?
    pub waits_for_a_yes: bool,
    /// The entry.
    pub entry: EntryId,
}

/// So many are looked at in one state of the database.
const PART: usize = 512;
/// Records that are looked at to find one that may be used: the latest, as a reveal would.
const RECORDS_LOOKED: u32 = 100;
/// Records that may share a value. With more of them nobody could say that all were looked at.
const SHARING: u32 = 1_000;
/// Times that all is looked at again because a policy was published meanwhile.
const TRIES: usize = 4;

/// Asks whether a purpose may use these now.
///
/// Fails: 404 when the caller lacks the purpose; `SR-REVEAL-019` for more than the credential may reach at all, and `SR-PEOPLE-009` for more
/// than it may still reach: then it is frozen, and nothing is answered. Records: *asked_may*, once.
pub async fn may(house: &Arc<House>, caller: &Caller, ask: MayAsk) -> Result<Answered, Problem> {
    let ask = Arc::new(ask);
    let begun = begin(house, caller, &ask).await?;
    for _ in 0..TRIES {
        let policy = caller.shop.policy();
        let answers = look_at_all(house, caller, &ask, &policy, begun.actor).await?;
        let allowed = answers.iter().filter(|answer| **answer == May::Yes).count();
        let said: Vec<u8> = answers.iter().flat_map(|answer| answer.number().to_be_bytes()).collect();
        let digest = caller.shop.keys.request_hash("may", &[&ask.sent, &said])?;
        let end = End { approval: begun.approval, allowed, digest, version: policy.version };
        let asked = Arc::clone(&ask);
        let ended = house
            .work(Lane::High, &caller.shop, &caller.actor, move |work| enter(&asked, &end, work))
            .await?
            .into_value()?;
        if let Some(entry) = ended {
            let basis = policy.compiled.purpose(ask.purpose).map(|purpose| purpose.said.basis);
            let waits_for_a_yes = matches!(basis, Some(Basis::Consent | Basis::SeparateConsent));
            return Ok(Answered { answers, allowed, waits_for_a_yes, entry });
        }
    }
    Err(keep::error::too_busy())
}

/// A question that may be answered: it was counted.
struct Begun {
    actor: ActorFacts,
    approval: Option<u64>,
}

async fn begin(house: &Arc<House>, caller: &Caller, ask: &Arc<MayAsk>) -> Result<Begun, Problem> {
    let ask = Arc::clone(ask);
    let committed = house.work(Lane::High, &caller.shop, &caller.actor, move |work| {
        must_be_allowed(&ask, work)?;
        if let Some(refused) = refuse_stranger(&ask, work)? {
            return Ok(Err(refused));
        }
        // ORDER: counted before anybody is looked for, so that a refusal tells nothing of anybody.
        let counted = people::limits::reach_batch(ask.purpose, persons(&ask), work)?;
        Ok(counted.map(|approval| Begun { actor: work.actor, approval }))
    });
    committed.await?.into_value()
}

fn must_be_allowed(ask: &MayAsk, work: &Work<'_, '_>) -> Result<(), Problem> {
    work.must_be_allowed(Deed::Search)?;
    if ask.recipient.is_some() { work.must_be_allowed(Deed::Token) } else { Ok(()) }
}

/// Who lacks the purpose gets the answer of somebody who guessed, before anybody is looked for.
fn refuse_stranger(ask: &MayAsk, work: &mut Work<'_, '_>) -> Result<Option<Problem>, Problem> {
    if work.actor.purposes.has(ask.purpose) {
        return Ok(None);
    }
    let mut entry = work.entry(Act::AskedMay, Outcome::No);
    entry.purpose = Some(ask.purpose);
    entry.recipient = ask.recipient;
    entry.reasons = vec![ReasonId::PurposeNotYours.number()];
    work.enter_plain(entry)?;
    Ok(Some(keep::error::not_found()))
}

fn persons(ask: &MayAsk) -> u32 {
    u32::try_from(ask.whom.len()).unwrap_or(u32::MAX)
}

/// What is entered of the answers.
#[derive(Clone, Copy)]
struct End {
    approval: Option<u64>,
    allowed: usize,
    digest: [u8; 16],
    version: u32,
}

/// Enters what was answered. Gives `None` when another policy is in force by now, and the refusal when the caller has lost the purpose.
fn enter(
    ask: &MayAsk,
    end: &End,
    work: &mut Work<'_, '_>,
) -> Result<Result<Option<EntryId>, Problem>, Problem> {
    must_be_allowed(ask, work)?;
    if let Some(refused) = refuse_stranger(ask, work)? {
        return Ok(Err(refused));
    }
    if work.policy.version != end.version {
        return Ok(Ok(None));
    }
    let mut entry = work.entry(Act::AskedMay, Outcome::Yes);
    entry.purpose = Some(ask.purpose);
    entry.recipient = ask.recipient;
    entry.figures = vec![(Figure::Subjects, u64::from(persons(ask))), (Figure::Allowed, end.allowed as u64)];
    entry.figures.extend(end.approval.map(|approval| (Figure::Approval, approval)));
    let opening = Opening::builder().act(Act::AskedMay).extra(&end.digest).build()?;
    entry.commitment = commitment(&[0; 16], &opening);
    work.enter(&entry).map(|entry| Ok(Some(entry)))
}

/// Looks at all, two parts at a time: there are two readers.
async fn look_at_all(
    house: &Arc<House>,
    caller: &Caller,
    ask: &Arc<MayAsk>,
    policy: &Arc<InForce>,
    actor: ActorFacts,
) -> Result<Vec<May>, Problem> {
    let mut answers = Vec::with_capacity(ask.whom.len());
    let now = house.clock.now();
    let part = |first: usize| {
        let (shop, ask, policy) = (Arc::clone(&caller.shop), Arc::clone(ask), Arc::clone(policy));
        house.look(move |view| {
            let looking = Looking {
                view,
                shop: &shop,
                ask: &ask,
                moment: Moment { policy: &policy, now, actor: &actor },
            };
            ask.whom
                .iter()
                .skip(first)
                .take(PART)
                .map(|whom| looking.at(whom))
                .collect::<Result<Vec<May>, _>>()
        })
    };
    for first in (0..ask.whom.len()).step_by(2 * PART) {
        let (one, two) = tokio::join!(part(first), part(first.saturating_add(PART)));
        answers.extend(one?);
        answers.extend(two?);
    }
    Ok(answers)
}

/// One state of the database, and the question.
struct Looking<'l> {
    view: &'l View<'l>,
    shop: &'l Shop,
    ask: &'l MayAsk,
    moment: Moment<'l>,
}

impl Looking<'_> {
    fn at(&self, whom: &Whom) -> Result<May, Problem> {
        match whom {
            Whom::Nobody => Ok(May::Nothing),
            Whom::Subject(subject) => self.at_subject(*subject),
            Whom::External(blind) => match keep::find_lookup(self.view, self.shop, blind)? {
                Some(record) => self.at_subject(record.subject()),
                None => Ok(May::Nothing),
            },
            Whom::Value(blinds) => self.at_value(blinds),
        }
    }

    /// Somebody's records of the kinds that the purpose uses: one that may be used is enough, as for a reveal.
    fn at_subject(&self, subject: SubjectId) -> Result<May, Problem> {
        let Some(row) = keep::find_subject(self.view, self.shop, subject)? else { return Ok(May::Nothing) };
        let chosen = self.chosen(subject)?;
        let mut found = May::Nothing;
        // The latest is looked at first, by itself: mostly it is enough.
        for limit in [1, RECORDS_LOOKED] {
            for kind in self.moment.policy.compiled.kinds() {
                let asked = kind.grant(self.ask.purpose).allowed;
                if asked.is_empty() {
                    continue;
                }
                let mut rows = Listing::of_at_most(limit);
                rows.add(self.view, self.shop, subject, Some(kind.ordinal()), Order::NewestFirst)?;
                for record in &rows.records {
                    found = better(found, self.judge(asked, record, &row, &chosen));
                    if found == May::Yes {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Everybody who has a value. Who of them has said no is heard: it is one mailbox, one telephone.
    fn at_value(&self, blinds: &[(u8, [u8; 16])]) -> Result<May, Problem> {
        let mut found = May::Nothing;
        for (field, blind) in blinds {
            let records = keep::list_lookups(self.view, self.shop, blind, SHARING)?;
            if records.len() >= SHARING as usize {
                return Ok(May::Nothing);
            }
            for record in records {
                let answer = self.at_record(*field, blind, record)?;
                if answer == May::No(ReasonId::Objected) {
                    return Ok(answer);
                }
                found = better(found, answer);
            }
        }
        Ok(found)
    }

    fn at_record(&self, field: u8, blind: &[u8; 16], record: RecordId) -> Result<May, Problem> {
        let row = keep::find_record(self.view, self.shop, record)?;
        let Some(row) = row.filter(|row| row.clear.has_blind(blind)) else { return Ok(May::Nothing) };
        // A lookup is dead with its subject's key, whether or not its row was cleaned up yet.
        let Some(subject) = keep::find_subject(self.view, self.shop, record.subject())? else {
            return Ok(May::Nothing);
        };
        let chosen = self.chosen(subject.id)?;
        Ok(self.judge(FieldMask::only(field), &row, &subject, &chosen))
    }

    fn chosen(&self, subject: SubjectId) -> Result<Chosen, Problem> {
        if rests_on_a_choice(self.ask.purpose, self.moment.policy) {
            choose::chosen(self.view, self.shop, subject, self.moment.now)
        } else {
            Ok(Chosen::default())
        }
    }

    /// The gate's own answer, as for a reveal, or for sending it to the recipient.
    fn judge(&self, asked: FieldMask, record: &RecordRow, subject: &SubjectRow, chosen: &Chosen) -> May {
        let MayAsk { purpose, recipient, .. } = *self.ask;
        let (act, agreement) = match recipient {
            None => (policy::Act::Reveal, Agreement::None),
            Some(_) => {
                (policy::Act::Share, token::agreement_of(self.moment.policy, recipient, self.moment.now))
            }
        };
        let (decision, _) =
            judge(purpose, act, recipient, agreement, asked, record, subject, chosen, &self.moment);
        as_told(&decision)
    }
}

/// What is told of a decision. Who is erased is nobody; and where a choice is missing, that is what is told.
fn as_told(decision: &Decision) -> May {
    if decision.answer == Answer::Yes && !decision.fields.is_empty() {
        return May::Yes;
    }
    let has = |reason| decision.reasons.has(reason);
    if has(ReasonId::Erased) || has(ReasonId::NoChoice) {
        return May::Nothing;
    }
    decision.reasons.iter().next().map_or(May::Nothing, |reason| May::No(reason.id))
}

/// Of two answers about one person or value, the one that says more: a yes, then a reason.
fn better(one: May, two: May) -> May {
    match (one, two) {
        (May::Yes, _) | (_, May::Yes) => May::Yes,
        (May::Nothing, other) => other,
        (told, _) => told,
    }
}
