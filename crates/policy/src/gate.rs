//! The gate: may this flow happen, and for which fields?
//!
//! [`decide`] is pure and total: every input has an answer, the same input the same answer. The yes is a handful of ands
//! on a table; reasons are collected only for a no. More withdrawal, refusal, restriction or erasure never allows more.
//!
//! SOURCE: docs/spec/policy.md, "The gate"; `tests/it/gate.rs` holds the same rules once more, slow and obvious, and compares.

use crate::compile::{Compiled, CompiledKind};
use crate::home::Person;
use crate::reason::{ReasonId, Reasons};
use crate::set::{FieldMask, PurposeSet};

/// What is about to happen with data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Act {
    /// It comes in.
    Collect,
    /// It is shown.
    Reveal,
    /// A record is looked up by it.
    Search,
    /// It goes to someone outside.
    Share,
    /// It is shown to the person whom it is about: all that is kept, whatever it is kept for. LAW: GDPR Art. 15; PIPL 45.
    Answer,
}

/// A set of acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ActSet(u8);

impl ActSet {
    /// None.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(0b1_1111);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, act: Act) -> Self {
        Self(self.0 | 1 << act as u8)
    }

    /// This set without one.
    #[must_use]
    pub const fn without(self, act: Act) -> Self {
        Self(self.0 & !(1 << act as u8))
    }

    /// Is it a member?
    pub const fn has(self, act: Act) -> bool {
        self.0 >> act as u8 & 1 == 1
    }
}

/// Has the actor learnt how to handle personal data?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Training {
    /// A program, which learns nothing.
    #[default]
    NotNeeded,
    /// Yes, and lately.
    Valid,
    /// Not, or too long ago.
    Lapsed,
}

/// Where the subject stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Standing {
    /// As usual.
    #[default]
    Present,
    /// The use of their data is restricted.
    Restricted,
    /// Erased; what a law demands is still there.
    Erased,
}

/// The agreement with the recipient of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Agreement {
    /// There is none.
    #[default]
    None,
    /// Signed, and not ended.
    InForce,
    /// Ended.
    Ended,
}

/// What is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Which act.
    pub act: Act,
    /// On a record of which kind.
    pub kind: u8,
    /// The fields given (collect), searched by (search) or asked for.
    pub fields: FieldMask,
    /// For which purpose. A collect may leave it open; then every purpose in force counts. An answer to the person asks for none.
    pub purpose: Option<u16>,
    /// Who gets it, for a share.
    pub recipient: Option<u16>,
}

/// What is known of actor, subject, record and recipient at this moment.
///
/// The default allows nothing: no acts, no purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Facts {
    /// What the actor may do at all.
    pub acts: ActSet,
    /// The purposes the actor may use (its credential's, of its roles'); a collect does not ask.
    pub purposes: PurposeSet,
    /// The actor's training.
    pub training: Training,
    /// The purposes to which the subject's yes stands now.
    pub granted: PurposeSet,
    /// The purposes that the subject has refused, withdrawn from or objected to.
    pub refused: PurposeSet,
    /// Where the subject stands.
    pub standing: Standing,
    /// Does a legal hold lie on the record? It keeps data from being destroyed; it opens nothing.
    pub held: bool,
    /// Does an incident freeze this actor?
    pub frozen: bool,
    /// The purposes whose time is over for this record. For a collect: as it will be after it.
    pub ended: PurposeSet,
    /// Fields that are stored but that the policy no longer declares.
    pub unknown_fields: FieldMask,
    /// The agreement with the recipient, for a share.
    pub agreement: Agreement,
    /// Where the subject lives, whose law is asked beside that of the shop's seat, and whether it is of age.
    pub person: Person,
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// For the fields of the decision, which may be fewer than asked.
    Yes,
    /// No.
    No,
    /// The policy cannot tell; refused, and a duty for the officer.
    Gap,
}

/// What the gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// The fields allowed, plain or masked.
    pub fields: FieldMask,
    /// Those of them that are shown masked.
    pub masked: FieldMask,
    /// The fields asked and not allowed.
    pub refused: FieldMask,
    /// Only what a law demands is left: opened with the retained key.
    pub retained_only: bool,
    /// Why not all, or why not at all.
    pub reasons: Reasons,
    /// The purpose it rests on; of a collect for any purpose, the first that needed a field.
    pub because: Option<u16>,
}

impl Decision {
    /// The line of the policy file it rests on, where one is known.
    pub fn line(&self, compiled: &Compiled) -> Option<u32> {
        compiled.purpose(self.because?).map(|purpose| purpose.said.line.0)
    }

    const fn no(flow: &Flow, reasons: Reasons, because: Option<u16>) -> Self {
        Self {
            answer: Answer::No,
            fields: FieldMask::EMPTY,
            masked: FieldMask::EMPTY,
            refused: flow.fields,
            retained_only: false,
            reasons,
            because,
        }
    }
}

/// May this flow happen, and for which fields?
///
/// Takes: the policy in force; the facts of this moment, read in the same transaction; the flow. Gives: yes with the
/// fields allowed, no, or gap; never allows a field that the purpose does not list.
#[inline]
pub fn decide(compiled: &Compiled, facts: &Facts, flow: &Flow) -> Decision {
    match (flow.act, compiled.kind(flow.kind)) {
        (Act::Collect, kind) => collect(compiled, kind, facts, flow),
        (Act::Answer, Some(kind)) => answer(kind, facts, flow),
        (_, Some(kind)) => open(compiled, kind, facts, flow),
        (_, None) => open_unknown(facts, flow),
    }
}

/// The purposes whose basis holds for this subject.
#[inline]
fn satisfied(compiled: &Compiled, facts: &Facts) -> PurposeSet {
    let sets = &compiled.sets;
    sets.standing_alone.or(sets.consent.and(facts.granted).or(sets.objectable).minus(facts.refused))
}

/// The purposes that the laws that apply to this subject let nobody pursue on their ground.
#[inline]
fn barred(compiled: &Compiled, facts: &Facts) -> PurposeSet {
    if compiled.law.bars_nothing() { PurposeSet::EMPTY } else { compiled.barred(facts.person) }
}

/// Reveal, search, share.
#[inline]
fn open(compiled: &Compiled, kind: &CompiledKind, facts: &Facts, flow: &Flow) -> Decision {
    let Some(purpose) = flow.purpose else {
        return refuse(compiled, facts, flow, None);
    };
    let sets = &compiled.sets;
    let usable =
        satisfied(compiled, facts).minus(facts.ended).minus(barred(compiled, facts)).and(facts.purposes);
    let usable = if facts.standing == Standing::Present { usable } else { usable.and(sets.legal) };
    let actor_may = facts.acts.has(flow.act) && !facts.frozen && facts.training != Training::Lapsed;
    if !(actor_may
        && usable.has(purpose)
        && (flow.act != Act::Share || may_share(compiled, facts, flow, purpose)))
    {
        return refuse(compiled, facts, flow, Some(purpose));
    }
    let grant = kind.grant(purpose);
    let mut fields = flow.fields.and(grant.allowed).minus(facts.unknown_fields);
    if flow.act == Act::Search {
        fields = fields.and(kind.indexed);
    }
    let erased = facts.standing == Standing::Erased;
    if erased {
        fields = fields.and(retained(kind, facts));
    }
    let refused = flow.fields.minus(fields);
    let reasons = if refused.is_empty() { Reasons::NONE } else { left_out(kind, facts, flow, grant.allowed) };
    let answer = if !fields.is_empty() || flow.fields.is_empty() {
        Answer::Yes
    } else if flow.fields.meets(&facts.unknown_fields) {
        Answer::Gap
    } else {
        Answer::No
    };
    let masked = fields.and(grant.masked);
    Decision {
        answer,
        fields,
        masked,
        refused,
        retained_only: erased && answer == Answer::Yes,
        reasons,
        because: Some(purpose),
    }
}

/// Answer to the person: the law gives them what is kept about them, so no purpose is asked, no choice, and no bar. What was erased is not
/// there any more; what a law keeps of an erased person is.
#[cold]
fn answer(kind: &CompiledKind, facts: &Facts, flow: &Flow) -> Decision {
    let faults = actor_faults(facts, flow);
    if !faults.is_empty() {
        return Decision::no(flow, faults, None);
    }
    let erased = facts.standing == Standing::Erased;
    let declared = flow.fields.minus(facts.unknown_fields);
    let fields = if erased { declared.and(retained(kind, facts)) } else { declared };
    let refused = flow.fields.minus(fields);
    let reasons =
        if refused.is_empty() { Reasons::NONE } else { left_out(kind, facts, flow, FieldMask::ALL) };
    let answer =
        match (fields.is_empty() && !flow.fields.is_empty(), flow.fields.meets(&facts.unknown_fields)) {
            (false, _) => Answer::Yes,
            (true, true) => Answer::Gap,
            (true, false) => Answer::No,
        };
    let retained_only = erased && answer == Answer::Yes;
    Decision { answer, fields, masked: FieldMask::EMPTY, refused, retained_only, reasons, because: None }
}

/// The fields of a kind that a law still holds for this record.
fn retained(kind: &CompiledKind, facts: &Facts) -> FieldMask {
    let duties =
        kind.terms.iter().filter(|terms| terms.must_keep.is_some() && !facts.ended.has(terms.purpose));
    duties.fold(FieldMask::EMPTY, |fields, terms| fields.or(kind.grant(terms.purpose).allowed))
}

fn may_share(compiled: &Compiled, facts: &Facts, flow: &Flow, purpose: u16) -> bool {
    share_faults(compiled, facts, flow, purpose).is_empty()
}

fn share_faults(compiled: &Compiled, facts: &Facts, flow: &Flow, purpose: u16) -> Reasons {
    let mut reasons = Reasons::NONE;
    let (Some(recipient), Some(found)) = (flow.recipient, compiled.purpose(purpose)) else {
        reasons.add(ReasonId::RecipientMissing);
        return reasons;
    };
    let Some(named) = compiled.recipient(recipient).filter(|_| found.recipients.has(recipient)) else {
        reasons.add(ReasonId::RecipientNotListed);
        return reasons;
    };
    match facts.agreement {
        Agreement::InForce => {}
        // An authority signs no agreement; the law behind the purpose stands in for it.
        _ if named.authority && found.legal => {}
        Agreement::None => reasons.add(ReasonId::NoAgreement),
        Agreement::Ended => reasons.add(ReasonId::AgreementEnded),
    }
    if !compiled.law.bars_nothing() && compiled.law.transfers(facts.person.home, recipient).has(purpose) {
        reasons.add(ReasonId::NoRoute);
    }
    reasons
}

/// Every reason why the flow as a whole may not happen.
#[cold]
fn refuse(compiled: &Compiled, facts: &Facts, flow: &Flow, purpose: Option<u16>) -> Decision {
    let mut reasons = actor_faults(facts, flow);
    let Some(purpose) = purpose else {
        reasons.add(ReasonId::PurposeMissing);
        return Decision::no(flow, reasons, None);
    };
    let sets = &compiled.sets;
    if !sets.in_force.has(purpose) {
        reasons.add(ReasonId::PurposeUnknown);
        return Decision::no(flow, reasons, None);
    }
    if !facts.purposes.has(purpose) {
        reasons.add(ReasonId::PurposeNotYours);
    }
    if !satisfied(compiled, facts).has(purpose) {
        reasons.add(if facts.refused.has(purpose) { ReasonId::Objected } else { ReasonId::NoChoice });
    }
    if barred(compiled, facts).has(purpose) {
        reasons.add(why_barred(compiled, facts, purpose));
    }
    if facts.ended.has(purpose) {
        reasons.add(ReasonId::Ended);
        if facts.held {
            reasons.add(ReasonId::KeptForHold);
        }
    }
    match facts.standing {
        Standing::Restricted if !sets.legal.has(purpose) => reasons.add(ReasonId::Restricted),
        Standing::Erased if !sets.legal.has(purpose) => reasons.add(ReasonId::Erased),
        _ => {}
    }
    if flow.act == Act::Share {
        reasons = reasons.and_whole(share_faults(compiled, facts, flow, purpose));
    }
    Decision::no(flow, reasons, Some(purpose))
}

/// Is it barred with everybody, or with minors?
fn why_barred(compiled: &Compiled, facts: &Facts, purpose: u16) -> ReasonId {
    if compiled.law.purposes(facts.person.home).has(purpose) {
        ReasonId::Unlawful
    } else {
        ReasonId::NotForMinors
    }
}

fn actor_faults(facts: &Facts, flow: &Flow) -> Reasons {
    let mut reasons = Reasons::NONE;
    if !facts.acts.has(flow.act) {
        reasons.add(ReasonId::ActNotAllowed);
    }
    if facts.frozen {
        reasons.add(ReasonId::Frozen);
    }
    if flow.act != Act::Collect && facts.training == Training::Lapsed {
        reasons.add(ReasonId::TrainingLapsed);
    }
    reasons
}

/// Why some of the fields asked for are left out; each field has one reason.
#[cold]
fn left_out(kind: &CompiledKind, facts: &Facts, flow: &Flow, allowed: FieldMask) -> Reasons {
    let mut reasons = Reasons::NONE;
    let mut rest = flow.fields;
    let mut take = |id: ReasonId, fields: FieldMask| {
        reasons.add_fields(id, rest.and(fields));
        rest = rest.minus(fields);
    };
    take(ReasonId::UnknownField, facts.unknown_fields);
    take(ReasonId::OutsidePurpose, FieldMask::ALL.minus(allowed));
    if facts.standing == Standing::Erased {
        take(ReasonId::NotRetained, FieldMask::ALL.minus(retained(kind, facts)));
    }
    if flow.act == Act::Search {
        take(ReasonId::NotIndexed, FieldMask::ALL.minus(kind.indexed));
    }
    reasons
}

/// A record whose kind the policy no longer declares: nothing in it can be judged.
#[cold]
fn open_unknown(facts: &Facts, flow: &Flow) -> Decision {
    let mut reasons = actor_faults(facts, flow);
    let answer = if reasons.is_empty() { Answer::Gap } else { Answer::No };
    reasons.add(ReasonId::KindUnknown);
    Decision { answer, ..Decision::no(flow, reasons, None) }
}

/// Collect: what some purpose needs and may have comes in, the rest is dropped at the door.
#[inline]
fn collect(compiled: &Compiled, kind: Option<&CompiledKind>, facts: &Facts, flow: &Flow) -> Decision {
    let Some(kind) = kind else {
        let mut reasons = actor_faults(facts, flow);
        reasons.add(ReasonId::KindUnknown);
        return Decision::no(flow, reasons, None);
    };
    let known = flow.purpose.is_none_or(|purpose| compiled.sets.in_force.has(purpose));
    if !facts.acts.has(Act::Collect) || facts.frozen || facts.standing == Standing::Erased || !known {
        return refuse_collect(facts, flow, known);
    }
    let listing = flow.purpose.map_or(kind.listing, |purpose| kind.listing.and(PurposeSet::only(purpose)));
    let barred = barred(compiled, facts);
    let usable = listing.and(satisfied(compiled, facts)).minus(facts.ended).minus(barred);
    let mut fields = FieldMask::EMPTY;
    let mut because = flow.purpose;
    for purpose in &usable {
        let needed = flow.fields.and(kind.grant(purpose).allowed);
        if because.is_none() && !needed.is_empty() {
            because = Some(purpose);
        }
        fields = fields.or(needed);
    }
    let refused = flow.fields.minus(fields);
    let reasons = if refused.is_empty() {
        Reasons::NONE
    } else {
        dropped(compiled, kind, facts, refused, listing.minus(usable))
    };
    let answer = if !fields.is_empty() || flow.fields.is_empty() { Answer::Yes } else { Answer::No };
    Decision { answer, fields, masked: FieldMask::EMPTY, refused, retained_only: false, reasons, because }
}

#[cold]
fn refuse_collect(facts: &Facts, flow: &Flow, known: bool) -> Decision {
    let mut reasons = actor_faults(facts, flow);
    if facts.standing == Standing::Erased {
        reasons.add(ReasonId::Erased);
    }
    if !known {
        reasons.add(ReasonId::PurposeUnknown);
    }
    Decision::no(flow, reasons, flow.purpose.filter(|_| known))
}

/// Why fields are dropped at the door; each has one reason, the one that a choice or time could change first.
#[cold]
fn dropped(
    compiled: &Compiled,
    kind: &CompiledKind,
    facts: &Facts,
    refused: FieldMask,
    unusable: PurposeSet,
) -> Reasons {
    let mut reasons = Reasons::NONE;
    let mut rest = refused;
    let barred = unusable.and(barred(compiled, facts));
    let unlawful = barred.and(compiled.law.purposes(facts.person.home));
    let (ended, open) = (unusable.and(facts.ended).minus(barred), unusable.minus(facts.ended).minus(barred));
    let why = [
        (ReasonId::NoChoice, open.minus(facts.refused)),
        (ReasonId::Objected, open.and(facts.refused)),
        (ReasonId::Ended, ended),
        (ReasonId::NotForMinors, barred.minus(unlawful)),
        (ReasonId::Unlawful, unlawful),
    ];
    for (id, purposes) in why {
        let listed =
            purposes.iter().fold(FieldMask::EMPTY, |fields, purpose| fields.or(kind.grant(purpose).allowed));
        reasons.add_fields(id, rest.and(listed));
        rest = rest.minus(listed);
    }
    reasons.add_fields(ReasonId::NoPurpose, rest);
    reasons
}
