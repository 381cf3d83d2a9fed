//! Ordinals that are never used again.

use crate::sketch::sketches;
use crate::{SHOP, policy_of};
use policy::{COLLECTED_EVENT, FieldKind, Registry, RegistryFault};
use proptest::prelude::*;

fn registry_of(text: &str) -> Registry {
    Registry::default().extended_by(&policy_of(text)).unwrap()
}

#[test]
fn new_names_are_numbered_by_the_alphabet() {
    let registry = registry_of(SHOP);
    let order = registry.find_kind("order").unwrap();
    assert_eq!((registry.find_kind("customer").unwrap().ordinal(), order.ordinal()), (0, 1));
    assert_eq!(order.find_field("address"), Some(0));
    assert_eq!(order.find_field("tax_number"), Some(7));
    assert_eq!(order.find_event("collected"), Some(COLLECTED_EVENT));
    assert_eq!(registry.find_purpose("account"), Some(0));
    assert_eq!(registry.purpose_name(6).unwrap().as_str(), "tax");
}

#[test]
fn a_name_keeps_its_ordinal_when_it_goes_and_gets_it_back_when_it_comes() {
    let first = registry_of(SHOP);
    let without =
        SHOP.replace("\"tax_number\"]\n", "]\n").replace(", { field = \"tax_number\", optional = true }", "");
    let without = without.replace(
        "\"items\", \"amount\", \"payment_reference\"",
        "\"items\", \"amount\", \"payment_reference\", \"gift_note\"",
    );
    let without = without.replace(
        "[field.tax_number]\ncategory = \"user.government_id\"",
        "[field.gift_note]\ncategory = \"user.content.private\"",
    );
    let second = first.extended_by(&policy_of(&without)).unwrap();
    let order = second.find_kind("order").unwrap();
    assert_eq!((order.find_field("tax_number"), order.find_field("gift_note")), (Some(7), Some(8)));
    assert_eq!(order.field_name(7).unwrap().as_str(), "tax_number");
    assert_eq!(order.field_kind(7), Some(FieldKind::Text));
    assert_eq!(second.extended_by(&policy_of(SHOP)).unwrap(), second);
    let compiled = policy::compile(&policy_of(&without), &second).unwrap();
    let order = compiled.find_kind("order").unwrap();
    assert!(order.field(7).is_none() && order.find_field("tax_number").is_none());
    assert_eq!(order.unknown_among(policy::FieldMask::only(7).with(8).with(255)), policy::FieldMask::only(7));
}

#[test]
fn stored_values_keep_their_type_and_records_their_place() {
    let registry = registry_of(SHOP);
    let retyped =
        policy_of(&SHOP.replace("[field.amount]\nkind = \"decimal\"", "[field.amount]\nkind = \"integer\""));
    let fault = registry.extended_by(&retyped).unwrap_err();
    assert_eq!(
        (fault.code(), fault.to_string()),
        ("SR-REG-001", "field `amount` of `order` is `decimal` and cannot become `integer`".to_owned())
    );
    let moved = policy_of(&SHOP.replace("of = \"customer\" ", "# "));
    assert_eq!(registry.extended_by(&moved).unwrap_err().code(), "SR-REG-002");
    // Nor does such a policy compile beside the old registry.
    assert_eq!(policy::compile(&retyped, &registry).unwrap_err().code(), "SR-REG-001");
    assert_eq!(policy::compile(&moved, &registry).unwrap_err().code(), "SR-REG-002");
}

#[test]
fn ordinals_run_out_rather_than_come_round() {
    let full =
        registry_of(SHOP).to_json().replace("\"address\":{\"ordinal\":0,", "\"address\":{\"ordinal\":254,");
    let full = Registry::from_json(&full).unwrap();
    let more =
        SHOP.replace("\"phone\", \"address\", \"items\"", "\"phone\", \"gift_note\", \"address\", \"items\"");
    let more = more.replace("[field.name]", "[field.gift_note]\ncategory = \"user.content\"\nlabel = { zh = \"赠言\", en = \"Note\" }\n[field.name]");
    let fault = full.extended_by(&policy_of(&more)).unwrap_err();
    assert_eq!(
        (fault.code(), fault.to_string()),
        ("SR-REG-003", "no ordinal is left for field `gift_note`".to_owned())
    );
}

#[test]
fn a_policy_that_is_not_registered_does_not_compile() {
    let fault = policy::compile(&policy_of(SHOP), &Registry::default()).unwrap_err();
    assert_eq!(fault.code(), "SR-REG-004");
    assert!(!fault.help().is_empty());
}

#[test]
fn a_registry_is_stored_in_one_way() {
    let registry = registry_of(SHOP);
    let json = registry.to_json();
    let start = r#"{"format":1,"kinds":{"customer":{"ordinal":0,"of":null,"fields":{"email":{"ordinal":0,"kind":"text"},"#;
    assert!(json.starts_with(start), "{json}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(Registry::from_json(&value.to_string()).unwrap(), registry);
}

#[test]
fn a_stored_registry_that_contradicts_itself_is_refused() {
    let json = registry_of(SHOP).to_json();
    for (from, to, code) in [
        ("\"email\":{\"ordinal\":0", "\"email\":{\"ordinal\":1", "SR-REG-005"),
        ("\"email\":{\"ordinal\":0", "\"email\":{\"ordinal\":255", "SR-REG-005"),
        ("\"closed\":1", "\"closed\":63", "SR-REG-005"),
        ("\"account\":0", "\"account\":256", "SR-REG-005"),
        ("\"of\":\"customer\"", "\"of\":\"nobody\"", "SR-REG-005"),
        ("\"format\":1", "\"format\":2", "SR-REG-006"),
        ("\"format\":1", "\"format\":1,\"more\":1", "SR-REG-006"),
        ("\"email\":", "\"E-mail\":", "SR-REG-006"),
    ] {
        assert!(json.contains(from), "{from}");
        let fault = Registry::from_json(&json.replacen(from, to, 1)).unwrap_err();
        assert_eq!(fault.code(), code, "{to}");
    }
    assert_eq!(Registry::from_json("{").unwrap_err(), RegistryFault::OtherFormat);
}

proptest! {
    #[test]
    fn a_registry_only_grows(a in sketches(), b in sketches()) {
        let first = Registry::default().extended_by(&a.policy()).unwrap();
        let second = first.extended_by(&b.policy()).unwrap();
        for (name, kind) in first.kinds() {
            let later = second.find_kind(name.as_str()).unwrap();
            prop_assert_eq!(kind.ordinal(), later.ordinal());
            prop_assert!(kind.all_fields().is_subset_of(&later.all_fields()));
            for field in &kind.all_fields() {
                prop_assert_eq!(kind.field_name(field), later.field_name(field));
            }
        }
        for purpose in 0..6 {
            prop_assert!(first.purpose_name(purpose).is_none_or(|name| second.find_purpose(name.as_str()) == Some(purpose)));
        }
        prop_assert_eq!(&Registry::from_json(&second.to_json()).unwrap(), &second);
        prop_assert_eq!(&second.extended_by(&a.policy()).unwrap(), &second);
        prop_assert_eq!(&second.extended_by(&b.policy()).unwrap(), &second);
    }
}
