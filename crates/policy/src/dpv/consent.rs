//! The record of one choice as JSON-LD: the fields of ISO/IEC TS 27560 that are known, in terms of DPV.
//!
//! SOURCE: the guide of the W3C's community group for 27560 (`guides/consent-27560` of DPV) and its profiles
//! (`schema/dpv-27560`). The text of the standard itself was not read. `docs/spec/receipt.md` has every member.

use super::json_ld::{Laws, kinds, node, process, receiver, rights};
use super::place::location;
use super::term::{Term, Vocabulary};
use super::{pipl, with};
use crate::model::{Policy, Purpose, Recipient, Shop};
use crate::record::{Language, Words};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// What the addresses of the profiles for 27560 begin with.
pub const PROFILES: &str = "https://w3id.org/dpv/schema/dpv-27560#";

/// What the addresses of our own terms for receipts begin with: `choice`, `shown`, `variant`, `policyDigest`.
///
/// Like the extension for the PIPL it is **not yet registered** with w3id.org.
pub const RECEIPT_NAMESPACE: &str = "https://w3id.org/strongroom/receipt#";

/// What somebody said about a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Yes.
    Granted,
    /// No; about an interest of the shop's: an objection.
    Refused,
    /// No longer.
    Withdrawn,
}

/// A choice, and what is known of how it was made.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'c> {
    /// Its public id.
    pub id: &'c str,
    /// The public id of whoever made it.
    pub subject: &'c str,
    /// The name of the purpose.
    pub purpose: &'c str,
    /// What was said.
    pub said: Said,
    /// When.
    pub said_at: Timestamp,
    /// When it was entered into the ledger.
    pub entered_at: Timestamp,
    /// When it ends by itself; `None` if it stands until something is said.
    pub ends_at: Option<Timestamp>,
    /// Where: `banner`, `preferences`, `signal`, `my_data`, `link`, `api`, `import`.
    pub way: &'c str,
    /// The version of the notice.
    pub version: u32,
    /// When that version was published.
    pub published: Timestamp,
    /// SHA-256 of its file, hex.
    pub digest: &'c str,
    /// Its language.
    pub language: &'c str,
    /// What was seen, where a page of ours showed it.
    pub seen: Seen<'c>,
}

/// What somebody saw who chose on a page; empty where nobody knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'c> {
    /// SHA-256 of the words that were shown, hex.
    pub shown: &'c str,
    /// Which form of the page.
    pub variant: &'c str,
    /// The law by which it was asked.
    pub law: &'c str,
}

/// The record of a choice: who said what, when and where, about which purpose of the notice that was shown, and what that
/// purpose is. In the notice's language; a text that the notice has not in it stands in the shop's first.
///
/// Takes: the policy of the version that was shown. Gives: one document, the same each time; `None` if that policy has no such
/// purpose, so that nobody can have been shown it. What is not known is not in it. It says that it follows the profile for 27560
/// only where each field is known that the guide calls mandatory.
pub fn consent_record(policy: &Policy, choice: &Choice<'_>) -> Option<Json> {
    let purpose = policy.purposes.iter().find(|purpose| purpose.name.as_str() == choice.purpose)?;
    let laws = Laws::of(policy);
    let recipients: Vec<&Recipient> =
        purpose.recipients.iter().filter_map(|name| policy.find_recipient(name.as_str())).collect();
    let is_consent = purpose.basis.is_consent();
    let record = json!({
        "@context": context(),
        "@type": if is_consent { "dpv:ConsentRecord" } else { "dpv:DataProcessingRecord" },
        "dct:identifier": choice.id,
        "dct:created": instant(choice.entered_at),
        "dct:language": choice.language,
        "dpv:hasDataSubject": subject(choice),
        "dpv:hasNotice": notice(choice, is_consent),
        "dpv:hasDataController": controller(&policy.shop, laws),
        "dpv:hasJurisdiction": policy.shop.serves.iter().map(|place| node(&location(place))).collect::<Vec<_>>(),
        "dpv:hasRight": rights(laws),
        "dpv:hasProcess": what_is_done(policy, purpose, &recipients, choice, laws),
    });
    let law = json!({ "@type": "dpv:Law", "dct:identifier": choice.seen.law });
    let law = (!choice.seen.law.is_empty()).then_some(("dpv:hasApplicableLaw", law));
    let follows = is_consent && policy.shop.address.is_some() && recipients.is_empty();
    let profile = follows.then(|| ("dct:conformsTo", json!({ "@id": "dpv-27560:record" })));
    Some(in_language(with(record, law.into_iter().chain(profile)), choice.language))
}

/// Prefixes, and which texts are instants.
fn context() -> Json {
    let prefixes = Vocabulary::ALL
        .iter()
        .map(|vocabulary| (vocabulary.prefix(), vocabulary.namespace()))
        .chain([("dpv-27560", PROFILES), ("sr", RECEIPT_NAMESPACE), ("xsd", XSD)]);
    let mut all: serde_json::Map<String, Json> =
        prefixes.map(|(prefix, namespace)| (prefix.to_owned(), Json::from(namespace))).collect();
    for instant in ["created", "date", "issued"] {
        let name = format!("dct:{instant}");
        let term = Term::new(Vocabulary::DublinCore, instant).iri();
        all.insert(name, json!({ "@id": term, "@type": "xsd:dateTime" }));
    }
    Json::Object(all)
}

fn subject(choice: &Choice<'_>) -> Json {
    json!({ "@type": "dpv:DataSubject", "dct:identifier": choice.subject })
}

fn notice(choice: &Choice<'_>, is_consent: bool) -> Json {
    let made = json!({
        "@type": if is_consent { "dpv:ConsentNotice" } else { "dpv:PrivacyNotice" },
        "dct:identifier": choice.version.to_string(),
        "dct:issued": instant(choice.published),
        "dct:language": choice.language,
        "sr:policyDigest": choice.digest,
    });
    let seen = [("sr:shown", choice.seen.shown), ("sr:variant", choice.seen.variant)];
    with(
        made,
        seen.into_iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| (key, Json::from(text))),
    )
}

fn controller(shop: &Shop, laws: Laws) -> Json {
    let own = |name| laws.pipl.then(|| pipl::term(name));
    let made = json!({
        "@type": kinds(Term::dpv("DataController"), own("Handler")),
        "dct:identifier": shop.id,
        "dpv:hasName": said(&shop.name),
        "dpv:hasContact": shop.officer.contact,
        "dpv:hasDataProtectionOfficer": {
            "@type": kinds(Term::dpv("DataProtectionOfficer"), own("ProtectionOfficer")),
            "dpv:hasName": shop.officer.name,
            "dpv:hasContact": shop.officer.contact,
        },
    });
    let stands_for = shop.representatives.iter().map(|one| {
        json!({
            "@type": "dpv:Representative",
            "dpv:hasName": one.name,
            "dpv:hasContact": one.contact,
            "dpv:hasLocation": node(&location(&one.place)),
        })
    });
    let stands_for: Vec<Json> = stands_for.collect();
    let address = shop.address.as_ref().map(|address| ("dpv:hasAddress", Json::from(address.as_str())));
    let stands_for = (!stands_for.is_empty()).then_some(("dpv:hasRepresentative", Json::from(stands_for)));
    with(made, address.into_iter().chain(stands_for))
}

/// What the choice is about, and what was said.
fn what_is_done(
    policy: &Policy,
    purpose: &Purpose,
    recipients: &[&Recipient],
    choice: &Choice<'_>,
    laws: Laws,
) -> Json {
    let mut made = process(policy, purpose, laws);
    if let Some(first) = made.pointer_mut("/dpv:hasPurpose/0").and_then(Json::as_object_mut) {
        first.insert("dct:identifier".to_owned(), Json::from(purpose.name.as_str()));
        if let Some(label) = &purpose.label {
            first.insert("skos:prefLabel".to_owned(), said(label));
            first.insert("dct:description".to_owned(), said(&purpose.says));
        }
    }
    if let Some(conditions) = made.pointer_mut("/dpv:hasStorageCondition").and_then(Json::as_array_mut) {
        let place = node(&location(&policy.shop.kept_in));
        conditions.push(json!({ "@type": "dpv:StorageLocation", "dpv:hasLocation": place }));
    }
    let receivers: Vec<Json> = recipients
        .iter()
        .map(|one| {
            let contact =
                one.contact.as_ref().map(|contact| ("dpv:hasContact", Json::from(contact.as_str())));
            with(receiver(one, laws), contact)
        })
        .collect();
    let receivers = (!receivers.is_empty()).then_some(("dpv:hasRecipient", Json::from(receivers)));
    let states = if purpose.basis.is_consent() {
        [
            ("dpv:hasConsentStatus", status(choice, true)),
            ("dpv:hasConsentControl", control("dpv:WithdrawConsent", WITHDRAW, policy, choice)),
        ]
    } else {
        [
            ("dpv:hasEntityInvolvement", status(choice, false)),
            ("dpv:hasContext", control("dpv:ObjectingToProcess", OBJECT, policy, choice)),
        ]
    };
    with(made, receivers.into_iter().chain(states))
}

/// The event: what was said, when, by whom, where, and how long it stands.
fn status(choice: &Choice<'_>, is_consent: bool) -> Json {
    let term = match (choice.said, is_consent) {
        (Said::Granted, true) => "dpv:ConsentGiven",
        (Said::Refused, true) => "dpv:ConsentRefused",
        (Said::Withdrawn, true) => "dpv:ConsentWithdrawn",
        (Said::Granted, false) => "dpv:OptingInToProcess",
        (Said::Refused | Said::Withdrawn, false) => "dpv:ObjectingToProcess",
    };
    let said = match choice.said {
        Said::Granted => "granted",
        Said::Refused => "refused",
        Said::Withdrawn => "withdrawn",
    };
    json!({
        "@type": term,
        "sr:choice": said,
        "dct:date": instant(choice.said_at),
        "dpv:isIndicatedBy": subject(choice),
        "dpv:hasIndicationMethod": choice.way,
        "dpv:hasDuration": duration(choice),
    })
}

/// How long a choice stands: to its date, or until something is said.
fn duration(choice: &Choice<'_>) -> Json {
    let (term, stands) = match (choice.ends_at, choice.said) {
        (Some(_), _) => ("dpv:UntilTimeDuration", UNTIL_THEN),
        (None, Said::Granted) => ("dpv:UntilEventDuration", UNTIL_WITHDRAWN),
        (None, Said::Refused | Said::Withdrawn) => ("dpv:UntilEventDuration", UNTIL_OTHERWISE),
    };
    let made = json!({ "@type": term, "dct:description": words(stands, choice, "") });
    with(made, choice.ends_at.map(|end| ("dct:date", Json::from(instant(end)))))
}

/// How it is taken back: on the pages where it was said, and by the officer in any case.
fn control(term: &str, how: [Words; 2], policy: &Policy, choice: &Choice<'_>) -> Json {
    let [on_the_page, by_letter] = how;
    let is_on_a_page = matches!(choice.way, "banner" | "preferences" | "signal" | "my_data");
    let how = if is_on_a_page { on_the_page } else { by_letter };
    let contact = &policy.shop.officer.contact;
    json!({ "@type": term, "dct:description": words(how, choice, contact), "dpv:hasContact": contact })
}

fn words(words: Words, choice: &Choice<'_>, contact: &str) -> Json {
    let language = Language::beside(choice.language);
    json!({ "@language": language.tag(), "@value": words.of(language).replace("{contact}", contact) })
}

fn said(text: &crate::text::Text) -> Json {
    text.iter().map(|(language, said)| json!({ "@language": language.as_str(), "@value": said })).collect()
}

/// The document with each text in one language, and without addresses that lead into it: it stands alone.
fn in_language(json: Json, language: &str) -> Json {
    match json {
        Json::Array(all) if !all.is_empty() && all.iter().all(|one| one.get("@language").is_some()) => {
            let at = all.iter().position(|one| one.get("@language").and_then(Json::as_str) == Some(language));
            all.into_iter().nth(at.unwrap_or_default()).unwrap_or_default()
        }
        Json::Array(all) => all.into_iter().map(|one| in_language(one, language)).collect(),
        Json::Object(all) => {
            let leads_inside = |key: &str, value: &Json| {
                key == "@id" && value.as_str().is_some_and(|id| id.starts_with('#'))
            };
            let kept = all.into_iter().filter(|(key, value)| !leads_inside(key, value));
            Json::Object(kept.map(|(key, value)| (key, in_language(value, language))).collect())
        }
        other => other,
    }
}

/// RFC 3339 in UTC, always with six decimals: one instant has one text.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

const UNTIL_THEN: Words = Words {
    en: "until this date, unless it is withdrawn before, or a new version of the notice asks for more",
    zh: "至该日期止；在此之前本人撤回，或者隐私政策的新版本扩大了范围的，提前终止",
};
const UNTIL_WITHDRAWN: Words = Words {
    en: "until it is withdrawn, or a new version of the notice asks for more",
    zh: "直至本人撤回，或者隐私政策的新版本扩大了范围",
};
const UNTIL_OTHERWISE: Words =
    Words { en: "until the person says otherwise", zh: "直至本人另行选择" };
const WITHDRAW: [Words; 2] = [
    Words {
        en: "At any time, in the privacy settings of the shop’s pages, or by writing to {contact}",
        zh: "随时可以在店铺页面的“隐私设置”中撤回，也可以联系 {contact}",
    },
    Words { en: "At any time, by writing to {contact}", zh: "随时可以联系 {contact} 撤回" },
];
const OBJECT: [Words; 2] = [
    Words {
        en: "At any time, in the privacy settings of the shop’s pages, or by writing to {contact}",
        zh: "随时可以在店铺页面的“隐私设置”中拒绝，也可以联系 {contact}",
    },
    Words { en: "At any time, by writing to {contact}", zh: "随时可以联系 {contact} 提出拒绝" },
];
