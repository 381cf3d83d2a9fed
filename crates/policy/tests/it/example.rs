//! The example that people read first.

use crate::{SHOP, TODAY, compiled_of, policy_of};
use policy::{Act, ActSet, Answer, Basis, Facts, FieldMask, Flow, Options, Registry, check, decide};

#[test]
fn the_example_has_nothing_to_find_fault_with() {
    let report = check(SHOP, "shop.toml", TODAY);
    assert_eq!(report.render(&Options::default()), "shop.toml: nothing to find fault with\n");
}

#[test]
fn every_text_exists_in_both_languages() {
    let policy = policy_of(SHOP);
    let texts = policy
        .fields
        .iter()
        .map(|field| &field.label)
        .chain(policy.purposes.iter().map(|purpose| &purpose.says));
    for text in texts {
        assert!(text.find("zh").is_some() && text.find("en").is_some(), "{text:?}");
    }
}

#[test]
fn a_new_order_is_kept_without_what_nobody_needs() {
    let compiled = compiled_of(SHOP);
    let order = compiled.find_kind("order").unwrap();
    let given: FieldMask = order.fields().map(|field| field.ordinal).collect();
    let facts = Facts { acts: ActSet::ALL, ..Facts::default() };
    let flow =
        Flow { act: Act::Collect, kind: order.ordinal(), fields: given, purpose: None, recipient: None };
    assert_eq!(decide(&compiled, &facts, &flow).fields, given);

    let customer = compiled.find_kind("customer").unwrap();
    let email = customer.find_field("email").unwrap().ordinal;
    let decision = decide(
        &compiled,
        &facts,
        &Flow { kind: customer.ordinal(), fields: FieldMask::only(email).with(200), ..flow },
    );
    assert_eq!((decision.answer, decision.fields), (Answer::Yes, FieldMask::only(email)));
}

#[test]
fn names_lead_to_ordinals_and_back() {
    let policy = policy_of(SHOP);
    let registry = Registry::default().extended_by(&policy).unwrap();
    let compiled = policy::compile(&policy, &registry).unwrap();
    for kind in &policy.kinds {
        let found = compiled.find_kind(kind.name.as_str()).unwrap();
        assert_eq!(compiled.kind(found.ordinal()).unwrap().name(), &kind.name);
        for field in &kind.fields {
            let ordinal = found.find_field(field.as_str()).unwrap().ordinal;
            assert_eq!(&found.field(ordinal).unwrap().name, field);
            assert!(found.declared().has(ordinal));
        }
    }
    for purpose in &policy.purposes {
        let found = compiled.find_purpose(purpose.name.as_str()).unwrap();
        assert_eq!(compiled.purpose(found.ordinal).unwrap().said, *purpose);
        assert_eq!(compiled.purposes_by_consent().has(found.ordinal), purpose.basis == Basis::Consent);
    }
    assert_eq!(compiled.find_kind("nothing").map(policy::CompiledKind::ordinal), None);
    assert_eq!(compiled.find_role("support").unwrap().purposes.count(), 2);
    assert_eq!(compiled.find_recipient("harbour-pay").unwrap().said.place.as_str(), "cn");
}

#[test]
fn a_value_comes_to_one_form() {
    let compiled = compiled_of(SHOP);
    let phone = compiled.find_kind("order").unwrap().find_field("phone").unwrap();
    let canonical = phone.canonical(policy::Given::Text(" 138 0013 8000 ")).unwrap();
    assert_eq!(canonical, "+8613800138000");
    assert_eq!(phone.mask.unwrap().apply(&canonical), "138****8000");
}
