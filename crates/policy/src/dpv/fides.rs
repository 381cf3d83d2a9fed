//! A policy as a Fides system with its privacy declarations.
//!
//! SOURCE: package fideslang 3.1.4, `fideslang.models` (`System`, `PrivacyDeclaration`, `DataFlow`).

use super::with;
use crate::model::{Field, Policy, Purpose, Recipient};
use crate::text::Text;
use crate::words::Basis;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// The policy as a Fides manifest: the shop as a system with one privacy declaration for each purpose, and each recipient as a system that
/// declares nothing.
///
/// Takes: a policy without errors. Gives: `{ "system": [...] }` with the keys of Fideslang 3.1.4; the same policy gives the same. Texts
/// are in the shop's first language. Left out: what Fideslang has no key for, such as events, masks, what may be left out, and that a consent
/// was separate.
pub fn fideslang(policy: &Policy) -> Json {
    let systems: Vec<Json> = std::iter::once(shop(policy))
        .chain(policy.recipients.iter().map(|one| third_party(policy, one)))
        .collect();
    json!({ "system": systems })
}

/// What Fides calls the basis.
///
/// SOURCE: fideslang 3.1.4, `LegalBasisForProcessingEnum`: the six of GDPR 6(1).
const fn fides_basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent | Basis::SeparateConsent => "Consent",
        Basis::Contract => "Contract",
        Basis::LegalObligation => "Legal obligations",
        Basis::LegitimateInterest => "Legitimate interests",
        Basis::VitalInterest => "Vital interests",
        Basis::PublicTask => "Public interest",
    }
}

fn shop(policy: &Policy) -> Json {
    let shop = &policy.shop;
    let abroad = policy.recipients.iter().any(|one| one.place.country() != shop.kept_in.country());
    let flow = |one| json!({ "fides_key": key(policy, one), "type": "system" });
    let made = json!({
        "fides_key": shop.id,
        "name": first(&shop.name),
        "system_type": "Service",
        "legal_name": first(&shop.name),
        "dpo": format!("{} <{}>", shop.officer.name, shop.officer.contact),
        "does_international_transfers": abroad,
        "privacy_declarations":
            policy.purposes.iter().map(|purpose| declaration(policy, purpose)).collect::<Vec<_>>(),
    });
    // Fides refuses a list of flows that is empty.
    let flows = (!policy.recipients.is_empty()).then(|| policy.recipients.iter().map(flow).collect());
    with(made, flows.map(|flows| ("egress", flows)))
}

fn declaration(policy: &Policy, purpose: &Purpose) -> Json {
    let fields: Vec<&Field> =
        purpose.fields.iter().filter_map(|used| policy.find_field(used.field.as_str())).collect();
    let categories: BTreeSet<&str> = fields.iter().map(|field| field.category.key()).collect();
    // LAW: GDPR 9(1)
    let special =
        fields.iter().flat_map(|field| field.sensitive_by).any(|law| law.law == "GDPR" && law.article == "9");
    let recipients: Vec<&Recipient> =
        purpose.recipients.iter().filter_map(|name| policy.find_recipient(name.as_str())).collect();
    let made = json!({
        "name": purpose.name.as_str(),
        "data_categories": categories,
        "data_use": purpose.data_use.key(),
        "data_subjects": ["customer"],
        "legal_basis_for_processing": fides_basis(purpose.basis),
        "flexible_legal_basis_for_processing": false,
        "retention_period": purpose.keep.to_string(),
        "processes_special_category_data": special,
        "data_shared_with_third_parties": !recipients.is_empty(),
    });
    if recipients.is_empty() {
        return made;
    }
    let titles: Vec<&str> = recipients.iter().map(|one| first(&one.title)).collect();
    let flows: Vec<String> = recipients.iter().map(|one| key(policy, one)).collect();
    with(
        made,
        [
            ("third_parties", Json::from(titles.join(", "))),
            ("shared_categories", json!(categories)),
            ("egress", json!(flows)),
        ],
    )
}

fn third_party(policy: &Policy, recipient: &Recipient) -> Json {
    json!({
        "fides_key": key(policy, recipient),
        "name": first(&recipient.title),
        "system_type": "Third Party",
        "privacy_declarations": [],
    })
}

/// The key of a recipient's system: its name below the shop's id, since two shops may call theirs the same.
fn key(policy: &Policy, recipient: &Recipient) -> String {
    format!("{}.{}", policy.shop.id, recipient.name)
}

fn first(text: &Text) -> &str {
    text.or_first("")
}
