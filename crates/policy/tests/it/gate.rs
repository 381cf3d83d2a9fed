//! The gate's promises, over policies and facts at random, and beside a second gate that is slow and obvious.

use crate::sketch::{Sketch, bars, facts, flows, sketches};
use crate::{SHOP, compiled_of};
use policy::{
    Act, ActSet, Age, Agreement, Answer, Barred, Bars, Basis, Compiled, Decision, Facts, FieldMask, Flow,
    Home, Person, Policy, PurposeSet, ReasonId, RecipientKind, Registry, Standing, Training, decide,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

/// The rules of docs/spec/policy.md, "The gate", written down once more: sets of names, no tables, no bits.
fn obvious(
    policy: &Policy,
    registry: &Registry,
    bars: &Bars,
    facts: &Facts,
    flow: &Flow,
) -> (Answer, BTreeSet<u8>, BTreeSet<u8>) {
    let asked: BTreeSet<u8> = flow.fields.iter().collect();
    let nothing = |answer| (answer, BTreeSet::new(), BTreeSet::new());
    let kind = policy
        .kinds
        .iter()
        .find(|kind| registry.find_kind(kind.name.as_str()).unwrap().ordinal() == flow.kind);
    let actor_may = facts.acts.has(flow.act) && !facts.frozen;
    let holds = |basis: Basis, ordinal: u16| match basis {
        Basis::Consent | Basis::SeparateConsent => facts.granted.has(ordinal) && !facts.refused.has(ordinal),
        Basis::LegitimateInterest => !facts.refused.has(ordinal),
        Basis::Contract | Basis::LegalObligation | Basis::VitalInterest | Basis::PublicTask => true,
    };
    // What the law of the seat bars; and what that of the home bars, or all that it may be.
    let is_barred = |is_it: &dyn Fn(&Barred) -> bool| {
        let bars_it = |pack: &str| bars.bars.iter().any(|bar| bar.pack == pack && is_it(&bar.what));
        let may_be_theirs = |pack: &str| match facts.person.home.as_str() {
            "" => true,
            "us" => pack == "us-ca" || pack == "us-co",
            code => pack == code,
        };
        let seat = bars.packs.iter().filter(|(_, reach)| reach.is_of_seat()).any(|(pack, _)| bars_it(pack));
        let homes: Vec<bool> = bars
            .packs
            .iter()
            .filter(|(pack, reach)| reach.is_of_home() && may_be_theirs(pack))
            .map(|(pack, _)| bars_it(pack))
            .collect();
        seat || (!homes.is_empty() && homes.iter().all(|barred| *barred))
    };
    let allowed_by_law = |purpose: &policy::Purpose| {
        !is_barred(&|what| match what {
            Barred::Purpose(name) => *name == purpose.name,
            Barred::PurposeForMinors(name) => *name == purpose.name && facts.person.age == Age::Minor,
            Barred::Transfer { .. } => false,
        })
    };
    let ordinal_of = |purpose: &policy::Purpose| registry.find_purpose(purpose.name.as_str()).unwrap();
    let fields_of = |purpose: &policy::Purpose, only_masked: bool| -> BTreeSet<u8> {
        let Some(kind) = kind else { return BTreeSet::new() };
        let entry = registry.find_kind(kind.name.as_str()).unwrap();
        let used =
            purpose.fields.iter().filter(|used| used.kind == kind.name && (used.masked || !only_masked));
        used.map(|used| entry.find_field(used.field.as_str()).unwrap()).collect()
    };
    if flow.act == Act::Collect {
        let named =
            |purpose: &&policy::Purpose| flow.purpose.is_none_or(|wanted| wanted == ordinal_of(purpose));
        let exists = flow
            .purpose
            .is_none_or(|wanted| policy.purposes.iter().any(|purpose| ordinal_of(purpose) == wanted));
        if !actor_may || kind.is_none() || facts.standing == Standing::Erased || !exists {
            return nothing(Answer::No);
        }
        let mut kept = BTreeSet::new();
        for purpose in policy.purposes.iter().filter(named) {
            let may_be_used = holds(purpose.basis, ordinal_of(purpose)) && allowed_by_law(purpose);
            if may_be_used && !facts.ended.has(ordinal_of(purpose)) {
                kept.extend(fields_of(purpose, false).intersection(&asked));
            }
        }
        let answer = if kept.is_empty() && !asked.is_empty() { Answer::No } else { Answer::Yes };
        return (answer, kept, BTreeSet::new());
    }
    if !actor_may || facts.training == Training::Lapsed {
        return nothing(Answer::No);
    }
    if kind.is_none() {
        return nothing(Answer::Gap);
    }
    let covered_by_duties = || -> BTreeSet<u8> {
        let duties = policy
            .purposes
            .iter()
            .filter(|duty| duty.must_keep.is_some() && !facts.ended.has(ordinal_of(duty)));
        duties.flat_map(|duty| fields_of(duty, false)).collect()
    };
    if flow.act == Act::Answer {
        let mut shown = asked.clone();
        shown.retain(|field| !facts.unknown_fields.has(*field));
        if facts.standing == Standing::Erased {
            let covered = covered_by_duties();
            shown.retain(|field| covered.contains(field));
        }
        let unknown = asked.iter().any(|field| facts.unknown_fields.has(*field));
        let answer = match (shown.is_empty() && !asked.is_empty(), unknown) {
            (false, _) => Answer::Yes,
            (true, true) => Answer::Gap,
            (true, false) => Answer::No,
        };
        return (answer, shown, BTreeSet::new());
    }
    let Some(purpose) = policy.purposes.iter().find(|purpose| Some(ordinal_of(purpose)) == flow.purpose)
    else {
        return nothing(Answer::No);
    };
    let ordinal = ordinal_of(purpose);
    let legal = purpose.must_keep.is_some() || purpose.basis == Basis::LegalObligation;
    if !facts.purposes.has(ordinal) || !holds(purpose.basis, ordinal) || facts.ended.has(ordinal) {
        return nothing(Answer::No);
    }
    if !allowed_by_law(purpose) || (facts.standing != Standing::Present && !legal) {
        return nothing(Answer::No);
    }
    if flow.act == Act::Share {
        let named =
            purpose.recipients.iter().find(|name| registry.find_recipient(name.as_str()) == flow.recipient);
        let Some(named) = named.filter(|_| flow.recipient.is_some()) else { return nothing(Answer::No) };
        let authority = policy.find_recipient(named.as_str()).unwrap().kind == RecipientKind::Authority;
        if facts.agreement != Agreement::InForce && !(authority && legal) {
            return nothing(Answer::No);
        }
        let sent = |what: &Barred| matches!(what, Barred::Transfer { purpose: of, recipient } if *of == purpose.name && recipient == named);
        if is_barred(&sent) {
            return nothing(Answer::No);
        }
    }
    let mut allowed: BTreeSet<u8> = asked.intersection(&fields_of(purpose, false)).copied().collect();
    allowed.retain(|field| !facts.unknown_fields.has(*field));
    if facts.standing == Standing::Erased {
        let covered = covered_by_duties();
        allowed.retain(|field| covered.contains(field));
    }
    if flow.act == Act::Search {
        let entry = registry.find_kind(kind.unwrap().name.as_str()).unwrap();
        allowed.retain(|field| {
            policy.find_field(entry.field_name(*field).unwrap().as_str()).unwrap().index.is_some()
        });
    }
    let masked = allowed.intersection(&fields_of(purpose, true)).copied().collect();
    let answer = match (
        allowed.is_empty() && !asked.is_empty(),
        asked.iter().any(|field| facts.unknown_fields.has(*field)),
    ) {
        (false, _) => Answer::Yes,
        (true, true) => Answer::Gap,
        (true, false) => Answer::No,
    };
    (answer, allowed, masked)
}

/// One way in which things get tighter for the actor or the subject.
#[derive(Clone, Copy, Debug)]
enum Tighter {
    Withdraw(u16),
    Refuse(u16),
    End(u16),
    LosePurpose(u16),
    LoseAct(Act),
    Freeze,
    LapseTraining,
    Restrict,
    Erase,
    EndAgreement,
    ForgetField(u8),
}

fn tighter() -> impl Strategy<Value = Tighter> {
    prop_oneof![
        (0u16..6).prop_map(Tighter::Withdraw),
        (0u16..6).prop_map(Tighter::Refuse),
        (0u16..6).prop_map(Tighter::End),
        (0u16..6).prop_map(Tighter::LosePurpose),
        proptest::sample::select(vec![Act::Collect, Act::Reveal, Act::Search, Act::Share, Act::Answer])
            .prop_map(Tighter::LoseAct),
        Just(Tighter::Freeze),
        Just(Tighter::LapseTraining),
        Just(Tighter::Restrict),
        Just(Tighter::Erase),
        Just(Tighter::EndAgreement),
        (0u8..8).prop_map(Tighter::ForgetField),
    ]
}

fn tighten(mut facts: Facts, how: Tighter) -> Facts {
    match how {
        Tighter::Withdraw(purpose) => facts.granted = facts.granted.without(purpose),
        Tighter::Refuse(purpose) => facts.refused.add(purpose),
        Tighter::End(purpose) => facts.ended.add(purpose),
        Tighter::LosePurpose(purpose) => facts.purposes = facts.purposes.without(purpose),
        Tighter::LoseAct(act) => facts.acts = facts.acts.without(act),
        Tighter::Freeze => facts.frozen = true,
        Tighter::LapseTraining => facts.training = Training::Lapsed,
        Tighter::Restrict if facts.standing == Standing::Present => facts.standing = Standing::Restricted,
        Tighter::Restrict => {}
        Tighter::Erase => facts.standing = Standing::Erased,
        Tighter::EndAgreement => facts.agreement = Agreement::Ended,
        Tighter::ForgetField(field) => facts.unknown_fields.add(field),
    }
    facts
}

fn plain(decision: &Decision) -> FieldMask {
    decision.fields.minus(decision.masked)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_gate_agrees_with_the_obvious_one(sketch in sketches(), bars in bars(), situations in proptest::collection::vec((facts(), flows()), 20)) {
        let (policy, registry, compiled) = sketch.compiled();
        let compiled = compiled.under(&bars);
        for (facts, flow) in situations {
            let decision = decide(&compiled, &facts, &flow);
            let fast = (decision.answer, decision.fields.iter().collect(), decision.masked.iter().collect());
            prop_assert_eq!(fast, obvious(&policy, &registry, &bars, &facts, &flow), "{:?} {:?}", facts, flow);
        }
    }

    #[test]
    fn tightening_never_allows_more(sketch in sketches(), bars in bars(), situations in proptest::collection::vec((facts(), flows(), tighter()), 20)) {
        let (_, _, compiled) = sketch.compiled();
        let compiled = compiled.under(&bars);
        for (facts, flow, how) in situations {
            let (before, after) = (decide(&compiled, &facts, &flow), decide(&compiled, &tighten(facts, how), &flow));
            prop_assert!(after.fields.is_subset_of(&before.fields), "{:?}: {:?} then {:?}", how, before, after);
            prop_assert!(plain(&after).is_subset_of(&plain(&before)), "{:?}: {:?} then {:?}", how, before, after);
            prop_assert!(before.answer == Answer::Yes || after.answer != Answer::Yes, "{:?}: {:?} then {:?}", how, before, after);
        }
    }

    #[test]
    fn a_law_that_bars_more_never_allows_more(sketch in sketches(), bars in bars(), situations in proptest::collection::vec((facts(), flows()), 20)) {
        let without = Bars { bars: bars.bars.iter().skip(1).cloned().collect(), ..bars.clone() };
        let (with, without) = (sketch.compiled().2.under(&bars), sketch.compiled().2.under(&without));
        for (facts, flow) in situations {
            let (less, more) = (decide(&with, &facts, &flow), decide(&without, &facts, &flow));
            prop_assert!(less.fields.is_subset_of(&more.fields), "{:?} then {:?}", more, less);
            let of_age = Facts { person: Person { age: Age::Adult, ..facts.person }, ..facts };
            prop_assert!(less.fields.is_subset_of(&decide(&with, &of_age, &flow).fields));
        }
    }

    #[test]
    fn every_decision_keeps_its_shape(sketch in sketches(), bars in bars(), situations in proptest::collection::vec((facts(), flows()), 20)) {
        let (_, _, compiled) = sketch.compiled();
        let compiled = compiled.under(&bars);
        for (facts, flow) in situations {
            let decision = decide(&compiled, &facts, &flow);
            prop_assert_eq!(decision, decide(&compiled, &facts, &flow));
            prop_assert_eq!(decision.fields.or(decision.refused), flow.fields);
            prop_assert!(!decision.fields.meets(&decision.refused));
            prop_assert!(decision.masked.is_subset_of(&decision.fields));
            prop_assert!(decision.answer == Answer::Yes || decision.fields.is_empty());
            prop_assert_eq!(decision.reasons.is_empty(), decision.refused.is_empty() && decision.answer == Answer::Yes);
            prop_assert!(!decision.retained_only || facts.standing == Standing::Erased);
            if decision.answer == Answer::Yes && flow.act != Act::Collect {
                let rests_on = flow.purpose.filter(|_| flow.act != Act::Answer);
                prop_assert_eq!(decision.because, rests_on);
                prop_assert_eq!(decision.retained_only, facts.standing == Standing::Erased);
            }
            // Of the reasons for some fields only, each refused field has exactly one.
            let partial: Vec<FieldMask> = decision.reasons.iter().filter_map(|reason| reason.fields).collect();
            if !partial.is_empty() {
                let all = partial.iter().fold(FieldMask::EMPTY, |all, fields| all.or(*fields));
                prop_assert_eq!(all, decision.refused);
                prop_assert_eq!(partial.iter().map(FieldMask::count).sum::<u32>(), all.count());
            }
        }
    }

    #[test]
    fn a_field_outside_the_purpose_is_never_allowed(sketch in sketches(), situations in proptest::collection::vec((facts(), flows()), 20)) {
        let (_, _, compiled) = sketch.compiled();
        for (facts, flow) in situations {
            let decision = decide(&compiled, &facts, &flow);
            let Some(kind) = compiled.kind(flow.kind) else { prop_assert!(decision.fields.is_empty()); continue };
            let listed = match flow.purpose {
                // What is shown to the person themself is asked for by no purpose.
                _ if flow.act == Act::Answer => FieldMask::ALL.minus(facts.unknown_fields),
                Some(purpose) => kind.grant(purpose).allowed,
                None => kind.purposes().iter().fold(FieldMask::EMPTY, |all, purpose| all.or(kind.grant(purpose).allowed)),
            };
            prop_assert!(decision.fields.is_subset_of(&listed));
        }
    }

    #[test]
    fn the_order_of_the_file_makes_no_difference(sketch in sketches(), situations in proptest::collection::vec((facts(), flows()), 20)) {
        let (_, registry, compiled) = sketch.compiled();
        let backwards = crate::policy_of(&sketch.to_toml(true));
        prop_assert_eq!(&Registry::default().extended_by(&backwards).unwrap(), &registry);
        let other = policy::compile(&backwards, &registry).unwrap();
        for (facts, flow) in situations {
            prop_assert_eq!(decide(&compiled, &facts, &flow), decide(&other, &facts, &flow));
        }
    }

    #[test]
    fn a_hold_changes_nothing_that_is_allowed(sketch in sketches(), facts in facts(), flow in flows()) {
        let (_, _, compiled) = sketch.compiled();
        let with = |held| decide(&compiled, &Facts { held, ..facts }, &flow);
        prop_assert_eq!((with(true).answer, with(true).fields, with(true).masked), (with(false).answer, with(false).fields, with(false).masked));
    }

    #[test]
    fn any_ordinals_have_an_answer(sketch in sketches(), facts in facts(), kind: u8, fields: [u64; 4], purpose: Option<u16>, recipient: Option<u16>) {
        let (_, _, compiled) = sketch.compiled();
        for act in [Act::Collect, Act::Reveal, Act::Search, Act::Share, Act::Answer] {
            let flow = Flow { act, kind, fields: FieldMask::from_words(fields), purpose, recipient };
            let decision = decide(&compiled, &facts, &flow);
            prop_assert_eq!(decision.fields.or(decision.refused), flow.fields);
        }
    }
}

#[test]
fn the_situations_at_random_are_worth_asking() {
    let mut runner = TestRunner::deterministic();
    let (mut yes, mut gap, mut masked, mut retained, mut asked) = (0, 0, 0, 0, 0);
    for _ in 0..100 {
        let sketch = sketches().new_tree(&mut runner).unwrap().current();
        let (_, _, compiled) = sketch.compiled();
        for _ in 0..50 {
            let (facts, flow) = (facts(), flows()).new_tree(&mut runner).unwrap().current();
            let decision = decide(&compiled, &facts, &flow);
            asked += 1;
            yes += usize::from(decision.answer == Answer::Yes && !decision.fields.is_empty());
            gap += usize::from(decision.answer == Answer::Gap);
            masked += usize::from(!decision.masked.is_empty());
            retained += usize::from(decision.retained_only);
        }
    }
    let told = format!("of {asked}: {yes} yes, {gap} gap, {masked} masked, {retained} retained");
    assert!(yes > asked / 10 && gap > asked / 200 && masked > asked / 50 && retained > asked / 200, "{told}");
}

#[test]
fn a_set_of_acts_has_what_was_put_in() {
    let acts = [Act::Collect, Act::Reveal, Act::Search, Act::Share, Act::Answer];
    for act in acts {
        let only = ActSet::NONE.with(act);
        assert!(acts.iter().all(|other| only.has(*other) == (*other == act)));
        assert!(acts.iter().all(|other| ActSet::ALL.without(act).has(*other) == (*other != act)));
        assert_eq!(only.with(act), only);
        assert_eq!(only.without(act).without(act), ActSet::NONE);
    }
    assert_eq!(acts.into_iter().fold(ActSet::NONE, ActSet::with), ActSet::ALL);
}

/// The example shop, and an order in it whose every field is asked for.
struct Desk {
    compiled: Compiled,
    facts: Facts,
    flow: Flow,
}

impl Desk {
    fn new(act: Act, purpose: &str) -> Self {
        let compiled = compiled_of(SHOP);
        let order = compiled.find_kind("order").unwrap();
        let purpose = compiled.find_purpose(purpose).unwrap().ordinal;
        let flow = Flow {
            act,
            kind: order.ordinal(),
            fields: order.declared(),
            purpose: Some(purpose),
            recipient: None,
        };
        let facts = Facts { acts: ActSet::ALL, purposes: PurposeSet::ALL, ..Facts::default() };
        Self { compiled, facts, flow }
    }

    fn decide(&self) -> Decision {
        decide(&self.compiled, &self.facts, &self.flow)
    }

    fn reasons(&self) -> Vec<ReasonId> {
        self.decide().reasons.iter().map(|reason| reason.id).collect()
    }

    fn names(&self, fields: FieldMask) -> Vec<&str> {
        let kind = self.compiled.kind(self.flow.kind).unwrap();
        fields.iter().filter_map(|field| Some(kind.field(field)?.name.as_str())).collect()
    }
}

#[test]
fn delivery_shows_where_to_bring_it_and_the_phone_masked() {
    let desk = Desk::new(Act::Reveal, "delivery");
    let decision = desk.decide();
    assert_eq!(desk.names(decision.fields), ["address", "phone", "recipient_name"]);
    assert_eq!(desk.names(decision.masked), ["phone"]);
    assert_eq!(desk.reasons(), [ReasonId::OutsidePurpose]);
    let line = decision.line(&desk.compiled).unwrap() as usize;
    assert_eq!(SHOP.lines().nth(line - 1), Some("[purpose.delivery]"));
}

#[test]
fn after_erasure_only_what_tax_law_demands_is_shown_and_only_for_it() {
    let mut desk = Desk::new(Act::Reveal, "tax");
    desk.facts.standing = Standing::Erased;
    let decision = desk.decide();
    assert!(decision.retained_only);
    assert_eq!(desk.names(decision.fields), ["amount", "invoice_title", "items", "tax_number"]);
    let mut desk = Desk::new(Act::Reveal, "delivery");
    desk.facts.standing = Standing::Erased;
    assert_eq!((desk.decide().answer, desk.reasons()), (Answer::No, vec![ReasonId::Erased]));
}

#[test]
fn a_person_is_shown_all_that_is_kept_about_them_whatever_they_refused_and_whoever_may_use_it() {
    let mut desk = Desk::new(Act::Answer, "delivery");
    (desk.flow.purpose, desk.facts.purposes) = (None, PurposeSet::EMPTY);
    (desk.facts.granted, desk.facts.refused) = (PurposeSet::EMPTY, PurposeSet::ALL);
    desk.facts.standing = Standing::Restricted;
    let decision = desk.decide();
    assert_eq!((decision.answer, decision.fields), (Answer::Yes, desk.flow.fields));
    assert!(decision.masked.is_empty() && decision.refused.is_empty());
    desk.facts.standing = Standing::Erased;
    let decision = desk.decide();
    assert_eq!(desk.names(decision.fields), ["amount", "invoice_title", "items", "tax_number"]);
    assert_eq!(desk.reasons(), [ReasonId::NotRetained]);
    desk.facts.acts = ActSet::ALL.without(Act::Answer);
    assert_eq!((desk.decide().answer, desk.reasons()), (Answer::No, vec![ReasonId::ActNotAllowed]));
}

#[test]
fn a_collect_rests_on_the_first_purpose_that_needed_a_field() {
    let mut desk = Desk::new(Act::Collect, "delivery");
    let order = desk.compiled.find_kind("order").unwrap();
    let field = |name: &str| FieldMask::only(order.find_field(name).unwrap().ordinal);
    let (address, reference) = (field("address"), field("payment_reference"));
    let ordinal = |name: &str| desk.compiled.find_purpose(name).map(|purpose| purpose.ordinal);
    let (after_sales, delivery, payment) = (ordinal("after_sales"), ordinal("delivery"), ordinal("payment"));
    let mut because = |fields, purpose| {
        (desk.flow.fields, desk.flow.purpose) = (fields, purpose);
        desk.decide().because
    };
    assert_eq!(because(address, None), after_sales);
    assert_eq!(because(reference, None), payment);
    assert_eq!(because(address.or(reference), None), after_sales);
    assert_eq!(because(FieldMask::EMPTY, None), None);
    assert_eq!(because(address, delivery), delivery);
}

#[test]
fn a_legal_purpose_is_never_told_of_erasure_or_restriction() {
    for standing in [Standing::Restricted, Standing::Erased] {
        let mut desk = Desk::new(Act::Reveal, "tax");
        desk.facts = Facts { standing, frozen: true, ..desk.facts };
        assert_eq!(desk.reasons(), [ReasonId::Frozen]);
    }
    let mut desk = Desk::new(Act::Reveal, "delivery");
    desk.facts.standing = Standing::Restricted;
    assert_eq!(desk.reasons(), [ReasonId::Restricted]);
}

#[test]
fn every_fault_is_told_and_not_only_the_first() {
    let mut desk = Desk::new(Act::Share, "recommendations");
    desk.facts = Facts {
        training: Training::Lapsed,
        frozen: true,
        ended: PurposeSet::ALL,
        held: true,
        ..Facts::default()
    };
    let names: Vec<_> = desk.reasons().iter().map(|reason| reason.name()).collect();
    let all = "act_not_allowed frozen training_lapsed purpose_not_yours no_choice ended recipient_missing kept_for_hold";
    assert_eq!(names.join(" "), all);
}

#[test]
fn a_share_needs_the_named_recipient_and_an_agreement() {
    let mut desk = Desk::new(Act::Share, "delivery");
    desk.flow.fields = FieldMask::EMPTY;
    let courier = desk.compiled.find_recipient("sf-express").unwrap().ordinal;
    assert_eq!(desk.reasons(), [ReasonId::RecipientMissing]);
    desk.flow.recipient = desk.compiled.find_recipient("harbour-pay").map(|other| other.ordinal);
    assert_eq!(desk.reasons(), [ReasonId::RecipientNotListed]);
    desk.flow.recipient = Some(courier);
    assert_eq!(desk.reasons(), [ReasonId::NoAgreement]);
    desk.facts.agreement = Agreement::Ended;
    assert_eq!(desk.reasons(), [ReasonId::AgreementEnded]);
    desk.facts.agreement = Agreement::InForce;
    assert_eq!(desk.decide().answer, Answer::Yes);
}

#[test]
fn only_indexed_fields_are_searched() {
    let desk = Desk::new(Act::Search, "after_sales");
    let decision = desk.decide();
    assert_eq!(desk.names(decision.fields), ["phone"]);
    assert_eq!(desk.reasons(), [ReasonId::OutsidePurpose, ReasonId::NotIndexed]);
}

#[test]
fn what_is_dropped_at_the_door_says_why() {
    let mut desk = Desk::new(Act::Collect, "delivery");
    let without_tax = SHOP.replace("purpose.tax]", "purpose.books]").replace("\"tax\"]", "\"books\"]");
    desk.compiled = compiled_of(&without_tax.replace(
        "basis = \"contract\"\nsays = { zh = \"处理退换货",
        "basis = \"legitimate_interest\"\nsays = { zh = \"处理退换货",
    ));
    desk.flow.purpose = None;
    let find = |name: &str| desk.compiled.find_purpose(name).unwrap().ordinal;
    let books = find("books");
    desk.facts.refused = PurposeSet::only(find("after_sales")).with(find("recommendations"));
    desk.facts.ended = PurposeSet::only(books);
    let decision = desk.decide();
    assert_eq!(desk.names(decision.refused), ["invoice_title", "items", "tax_number"]);
    let told: Vec<_> =
        decision.reasons.iter().map(|reason| (reason.id, desk.names(reason.fields.unwrap()))).collect();
    assert_eq!(
        told,
        [(ReasonId::Objected, vec!["items"]), (ReasonId::Ended, vec!["invoice_title", "tax_number"])]
    );
}

#[test]
fn a_record_of_a_kind_that_is_gone_is_a_gap() {
    let mut desk = Desk::new(Act::Reveal, "delivery");
    desk.flow.kind = 99;
    assert_eq!((desk.decide().answer, desk.reasons()), (Answer::Gap, vec![ReasonId::KindUnknown]));
    desk.facts.frozen = true;
    assert_eq!(desk.decide().answer, Answer::No);
    desk.flow.act = Act::Collect;
    desk.facts.frozen = false;
    assert_eq!(desk.decide().answer, Answer::No);
}

#[test]
fn a_field_that_is_gone_is_a_gap_and_the_others_are_shown() {
    let mut desk = Desk::new(Act::Reveal, "delivery");
    let gone = FieldMask::only(200);
    desk.facts.unknown_fields = gone;
    desk.flow.fields = gone;
    assert_eq!((desk.decide().answer, desk.reasons()), (Answer::Gap, vec![ReasonId::UnknownField]));
    let address = desk.compiled.find_kind("order").unwrap().find_field("address").unwrap().ordinal;
    desk.flow.fields = gone.with(address);
    let decision = desk.decide();
    assert_eq!(
        (decision.answer, decision.fields, decision.refused),
        (Answer::Yes, FieldMask::only(address), gone)
    );
}

#[test]
fn an_authority_needs_no_agreement_for_a_legal_purpose() {
    let text = SHOP.replace("law = \"税收", "recipients = [\"tax-office\"]\nlaw = \"税收")
        + "[recipient.tax-office]\nkind = \"authority\"\nname = { zh = \"税务局\", en = \"Tax office\" }\nin = \"cn\"\n";
    let mut desk = Desk::new(Act::Share, "tax");
    desk.compiled = compiled_of(&text);
    desk.flow.purpose = desk.compiled.find_purpose("tax").map(|purpose| purpose.ordinal);
    desk.flow.recipient = desk.compiled.find_recipient("tax-office").map(|office| office.ordinal);
    assert_eq!(desk.decide().answer, Answer::Yes);
}

#[test]
fn facts_say_nothing_by_default() {
    let sketch = Sketch { holds: [[true; 6]; 3], indexed: [true; 6], purposes: Vec::new() };
    assert_eq!(sketch.policy().purposes.len(), 0);
    let desk = Desk::new(Act::Reveal, "tax");
    assert_eq!(decide(&desk.compiled, &Facts::default(), &desk.flow).answer, Answer::No);
}

/// A table, and what `check` finds unlawful in the file it is of, on a day.
fn under_law(text: &str, packs: &[&str]) -> Compiled {
    let built_in = rulebook::built_in();
    let packs: Vec<_> = packs.iter().map(|id| built_in.find(id).unwrap()).collect();
    let today = jiff::civil::date(2026, 11, 28);
    compiled_of(text).under(&policy::bars(text, today, today, &packs))
}

#[test]
fn a_ground_that_the_law_of_a_home_does_not_have_opens_nothing_there() {
    // China's law has no legitimate interest; that of the Union has.
    let text = SHOP.replace(
        "serves = [\"cn\", \"eu\", \"us-ca\"]",
        "serves = [\"cn\", \"eu\"]\nestablished_in = \"sg\"",
    );
    let at = text.find("[purpose.recommendations]").unwrap();
    let (before, purpose) = text.split_at(at);
    let text = format!(
        "{before}{}",
        purpose.replacen("\"consent\"", "\"legitimate_interest\"", 1).replacen(
            "\"until withdrawn\"",
            "\"90d after collected\"",
            1
        )
    );
    let compiled = under_law(&text, &["cn", "eu"]);
    let purpose = compiled.find_purpose("recommendations").unwrap().ordinal;
    let kind = compiled.kinds().find(|kind| !kind.grant(purpose).allowed.is_empty()).unwrap();
    let flow = Flow {
        act: Act::Reveal,
        kind: kind.ordinal(),
        fields: kind.grant(purpose).allowed,
        purpose: Some(purpose),
        recipient: None,
    };
    let ask = |home: &str| {
        let person = Person { home: Home::parse(home).unwrap(), age: Age::Unknown };
        let facts = Facts { acts: ActSet::ALL, purposes: PurposeSet::ALL, person, ..Facts::default() };
        let decision = decide(&compiled, &facts, &flow);
        (decision.answer, decision.reasons.iter().map(|reason| reason.id).collect::<Vec<_>>())
    };
    assert_eq!(ask("cn"), (Answer::No, vec![ReasonId::Unlawful]));
    assert_eq!(ask("de"), (Answer::Yes, vec![]));
    // Where nobody knows, only what both forbid is refused.
    assert_eq!(ask(""), (Answer::Yes, vec![]));
    let cited = compiled.barred_by(Home::parse("cn").unwrap(), PurposeSet::only(purpose), None);
    assert!(
        cited.iter().any(|law| law.pack == "cn" && law.law == "PIPL" && law.article.starts_with("13")),
        "{cited:?}"
    );
    assert_eq!(
        compiled.barred_by(Home::parse("de").unwrap(), PurposeSet::only(purpose), None),
        Vec::<&policy::Cited>::new()
    );
}
