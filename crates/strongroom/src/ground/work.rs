//! One unit of work, as a room sees it: a transaction, the shop, the policy in force, the time, and who acts.

use std::sync::Arc;

use ledger::entry::{Act, Entry, Outcome};
use ledger::opening::Opening;
use policy::{Decision, FieldMask, Person, PurposeSet};
use seal::DataKey;
use store::{Tx, View};

use super::actor::{ActorFacts, Deed};
use super::ids::{EntryId, Ids, SubjectId};
use super::permits::{InUse, Permits};
use super::problem::{Problem, Reason};
use super::shop::{InForce, Shop};

/// A unit of work in the writer. Changes that enter nothing are refused by the store.
pub struct Work<'w, 't> {
    /// The transaction.
    pub tx: &'w mut Tx<'t>,
    /// Whose data.
    pub shop: &'w Arc<Shop>,
    /// The policy in force.
    pub policy: Arc<InForce>,
    /// Now, µs UTC, as the wall clock has it: what is over is judged by it.
    pub now: i64,
    /// The time of entries, µs UTC: never before the last one, so that a log's times do not run back.
    pub entered_at: i64,
    /// The time by which it is counted whom a credential reaches, µs UTC: while the clock is in doubt, what it should say.
    pub counted_at: i64,
    /// Who acts, as found in this transaction.
    pub actor: ActorFacts,
    /// Public ids.
    pub ids: &'w Ids,
    pub(super) permits: &'w Arc<Permits>,
}

/// What a decision rests on beside subject and record: the policy, the time, and who asks.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'m> {
    /// The policy in force.
    pub policy: &'m InForce,
    /// Now, µs UTC.
    pub now: i64,
    /// Who asks.
    pub actor: &'m ActorFacts,
}

/// What a receipt shows of an entry.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Opens its commitment.
    pub salt: [u8; 16],
    /// The entry, as it stands in the log.
    pub leaf: Vec<u8>,
}

impl std::fmt::Debug for Work<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work")
            .field("shop", &self.shop.number)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Work<'_, '_> {
    /// Reads.
    pub fn view(&self) -> &View<'_> {
        self.tx
    }

    /// What a decision in this unit of work rests on.
    pub fn moment(&self) -> Moment<'_> {
        Moment { policy: &self.policy, now: self.now, actor: &self.actor }
    }

    /// An entry of this actor, at this time, under this policy; to be completed.
    pub fn entry(&self, act: Act, outcome: Outcome) -> Entry {
        Entry { policy: self.policy.version, ..Entry::new(self.entered_at, act, outcome, self.actor.entered) }
    }

    /// Enters. Gives the entry's id, which stands if this transaction does.
    ///
    /// Fails: `SR-LEDGER-…` when the entry is larger than an entry may be.
    pub fn enter(&mut self, entry: &Entry) -> Result<EntryId, Problem> {
        let leaf = entry.encode()?;
        Ok(self.append(leaf))
    }

    fn append(&mut self, leaf: Vec<u8>) -> EntryId {
        let log = self.shop.log();
        let number = self.tx.next_number(log);
        self.tx.append(log, leaf);
        EntryId::of(log, number)
    }

    /// Enters something about a subject: under the alias of its key, committed to what `opening` says.
    pub fn enter_about(
        &mut self,
        key: &DataKey,
        entry: Entry,
        opening: &Opening,
    ) -> Result<EntryId, Problem> {
        let Shown { leaf, .. } = self.about(key, entry, opening)?;
        Ok(self.append(leaf))
    }

    /// The same for an entry of which there will be a receipt. Gives what that shows, too.
    pub fn enter_to_show(
        &mut self,
        key: &DataKey,
        entry: Entry,
        opening: &Opening,
    ) -> Result<(EntryId, Shown), Problem> {
        let shown = self.about(key, entry, opening)?;
        Ok((self.append(shown.leaf.clone()), shown))
    }

    fn about(&self, key: &DataKey, mut entry: Entry, opening: &Opening) -> Result<Shown, Problem> {
        let salt = key.salt(self.entered_at, opening.as_bytes());
        entry.alias = Some(key.alias());
        entry.commitment = ledger::opening::commitment(&salt, opening);
        Ok(Shown { salt, leaf: entry.encode()? })
    }

    /// Enters something that is about nobody, or about somebody of whom no key is left: it commits to its act alone.
    pub fn enter_plain(&mut self, mut entry: Entry) -> Result<EntryId, Problem> {
        let opening = Opening::builder().act(entry.act).build()?;
        entry.commitment = ledger::opening::commitment(&[0; 16], &opening);
        self.enter(&entry)
    }

    /// When what is asked for now was asked for, for jobs: never later than it was. Of a clock that is ahead the believed time,
    /// of one that is behind its own.
    pub fn asked_at(&self) -> i64 {
        self.now.min(self.entered_at)
    }

    /// Marks that a permit is about to be given.
    pub fn begin_permit(&self) -> InUse {
        self.permits.begin()
    }

    /// Fails as for what is not there when somebody who has signed in reaches for what is another's.
    pub fn must_be_its_own(&self, subject: SubjectId) -> Result<(), Problem> {
        if self.actor.may_touch(subject) {
            return Ok(());
        }
        Err(Problem::new("SR-PEOPLE-017", 404, "this is not yours, or it is not there"))
    }

    /// Fails with 403 when the actor's role does not let it do this at all. Nothing is entered: no data was near.
    pub fn must_be_allowed(&self, deed: Deed) -> Result<(), Problem> {
        if self.actor.may(deed) { Ok(()) } else { Err(not_your_role()) }
    }
}

/// The problem of somebody whose role does not let them do something.
pub fn not_your_role() -> Problem {
    Problem::new("SR-PEOPLE-003", 403, "your role does not include this")
        .help("use a credential with another role; `strongroom credentials list` shows them")
}

/// The gate's answer as the ledger writes it.
pub fn outcome(answer: policy::Answer) -> Outcome {
    match answer {
        policy::Answer::Yes => Outcome::Yes,
        policy::Answer::No => Outcome::No,
        policy::Answer::Gap => Outcome::Gap,
    }
}

/// Reason ids for an entry.
pub fn reason_numbers(decision: &Decision) -> Vec<u16> {
    decision.reasons.iter().map(|reason| reason.id.number()).collect()
}

/// The reasons of a refusal for a caller, with names of fields, and with the articles where it is a law that refuses.
///
/// Takes besides: whose data it is, and to whom it was to be sent.
pub fn reasons_for_caller(
    decision: &Decision,
    policy: &InForce,
    kind: u8,
    person: Person,
    recipient: Option<u16>,
) -> Vec<Reason> {
    let compiled = &policy.compiled;
    let asked = |reason: &policy::Reason| match (reason.fields, compiled.kind(kind)) {
        // At the door nobody asks for a purpose: it is those that would have used the fields.
        (Some(fields), Some(kind)) => {
            let uses = |purpose: &u16| kind.grant(*purpose).allowed.meets(&fields);
            compiled.barred(person).iter().filter(uses).collect()
        }
        _ => decision.because.map(PurposeSet::only).unwrap_or_default(),
    };
    let articles = |reason: &policy::Reason| {
        let laws = compiled.barred_by(person.home, asked(reason), recipient);
        laws.iter().map(ToString::to_string).collect()
    };
    let mut named = named_reasons(decision.reasons.iter(), policy, kind);
    for (reason, named) in decision.reasons.iter().zip(&mut named).filter(|(reason, _)| reason.id.is_of_law())
    {
        named.law = articles(&reason);
    }
    named
}

/// Reasons for a caller, with names of fields.
pub fn named_reasons(
    reasons: impl Iterator<Item = policy::Reason>,
    policy: &InForce,
    kind: u8,
) -> Vec<Reason> {
    reasons
        .map(|reason| Reason {
            name: reason.id.name(),
            text: reason.id.english(),
            text_zh: reason.id.chinese(),
            fields: reason.fields.map(|fields| field_names(policy, kind, fields)).unwrap_or_default(),
            law: Vec::new(),
        })
        .collect()
}

/// Names of fields, also of those that the policy no longer declares.
pub fn field_names(policy: &InForce, kind: u8, fields: FieldMask) -> Vec<String> {
    let declared = policy.compiled.kind(kind);
    let gone = || policy.registry.kind_of(kind).map(|(_, kind)| kind);
    let name = |field: u8| match declared.and_then(|kind| kind.field(field)) {
        Some(field) => Some(field.name.as_str().to_owned()),
        None => gone()?.field_name(field).map(ToString::to_string),
    };
    fields.iter().filter_map(name).collect()
}
