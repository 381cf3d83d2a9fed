//! The record of a choice: it says what the notice of that version says in the language that was shown, what was said, and
//! nothing that nobody knows; every term exists.

use std::collections::BTreeSet;

use jiff::Timestamp;
use policy::Policy;
use policy::dpv::{Choice, PROFILES, RECEIPT_NAMESPACE, Said, Seen, Vocabulary, consent_record, pipl};
use serde_json::{Value as Json, json};

use crate::dpv::Extracted;
use crate::{SHOP, look_as_approved, policy_of};

const CROSS_BORDER: &str = include_str!("../../../../examples/cross-border/shop.toml");

fn choice<'c>(purpose: &'c str, said: Said, language: &'c str) -> Choice<'c> {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    Choice {
        id: "cho_jxutd2a4p36teapfi7ppx3p4q",
        subject: "sub_ooamlir2s3hiszmzlpd4542ydy",
        purpose,
        said,
        said_at: at("2026-11-28T08:00:00Z"),
        entered_at: at("2026-11-28T08:00:01.25Z"),
        ends_at: None,
        way: "banner",
        version: 3,
        published: at("2026-11-01T00:00:00Z"),
        digest: "aa00",
        language,
        seen: Seen { shown: "bb11", variant: "arc", law: "gdpr" },
    }
}

/// An objection can be made to an interest, which the example's shop has not.
fn with_an_interest() -> Policy {
    policy_of(&SHOP.replace(
        "[purpose.recommendations]",
        "[purpose.fraud]\nuse = \"essential.fraud_detection\"\nbasis = \"legitimate_interest\"\n\
         says = { zh = \"防范欺诈\", en = \"To prevent fraud\" }\nfields = [\"email\"]\nkeep = \"30d after customer.closed\"\n\n\
         [purpose.recommendations]",
    ))
}

/// Every member, type and named node of a document.
fn terms(json: &Json, all: &mut BTreeSet<String>) {
    match json {
        Json::Array(many) => many.iter().for_each(|one| terms(one, all)),
        Json::Object(object) => {
            for (key, value) in object.iter().filter(|(key, _)| *key != "@context") {
                let of_value: Vec<&Json> =
                    value.as_array().map_or_else(|| vec![value], |many| many.iter().collect());
                match key.as_str() {
                    "@id" | "@type" => {
                        all.extend(of_value.iter().map(|one| one.as_str().unwrap().to_owned()));
                    }
                    "@value" | "@language" => {}
                    key => {
                        all.insert(key.to_owned());
                        terms(value, all);
                    }
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_term_of_every_record_exists() {
    let (extracted, policies) =
        (Extracted::read(), [policy_of(SHOP), policy_of(CROSS_BORDER), with_an_interest()]);
    let (mut met, mut records) = (BTreeSet::new(), 0);
    for policy in &policies {
        for purpose in &policy.purposes {
            for said in [Said::Granted, Said::Refused, Said::Withdrawn] {
                let standing = choice(purpose.name.as_str(), said, "zh");
                let ending = Choice { ends_at: Some(standing.entered_at), ..standing };
                for choice in [standing, ending] {
                    terms(&consent_record(policy, &choice).unwrap(), &mut met);
                    records += 1;
                }
            }
        }
    }
    assert!(records > 60 && met.len() > 60, "{records} {}", met.len());
    for term in &met {
        let (prefix, name) = term.split_once(':').unwrap();
        let exists = match prefix {
            "sr" => ["choice", "shown", "variant", "policyDigest"].contains(&name),
            "dpv-27560" => name == "record",
            "pipl" => pipl::terms().any(|own| own.term().name() == name),
            prefix => {
                let one = |vocabulary: &&Vocabulary| vocabulary.prefix() == prefix;
                let vocabulary = Vocabulary::ALL.iter().find(one).unwrap();
                extracted.has(&format!("{}{name}", vocabulary.namespace()))
            }
        };
        assert!(exists, "{term}");
    }
}

#[test]
fn a_record_says_who_said_what_when_and_under_which_notice() {
    let record = consent_record(&policy_of(SHOP), &choice("marketing_email", Said::Granted, "en")).unwrap();
    assert_eq!(record["@type"], "dpv:ConsentRecord");
    assert_eq!(record["dpv:hasDataSubject"]["dct:identifier"], "sub_ooamlir2s3hiszmzlpd4542ydy");
    assert_eq!(record["dct:created"], "2026-11-28T08:00:01.250000Z");
    let process = &record["dpv:hasProcess"];
    assert_eq!(process["dpv:hasPurpose"][0]["dct:identifier"], "marketing_email");
    let status = &process["dpv:hasConsentStatus"];
    assert_eq!([&status["@type"], &status["sr:choice"]], ["dpv:ConsentGiven", "granted"]);
    assert_eq!(
        [&status["dct:date"], &status["dpv:hasIndicationMethod"]],
        ["2026-11-28T08:00:00.000000Z", "banner"]
    );
    let notice = &record["dpv:hasNotice"];
    assert_eq!(
        [&notice["dct:identifier"], &notice["dct:language"], &notice["sr:shown"]],
        ["3", "en", "bb11"]
    );
    assert_eq!(record["dpv:hasApplicableLaw"]["dct:identifier"], "gdpr");
    assert_eq!(record["@context"]["dpv-27560"], PROFILES);
    assert_eq!(record["@context"]["sr"], RECEIPT_NAMESPACE);
}

#[test]
fn a_record_says_how_long_a_choice_stands() {
    let duration = |said, ends_at, language| {
        let choice = Choice { ends_at, ..choice("marketing_email", said, language) };
        let record = consent_record(&policy_of(SHOP), &choice).unwrap();
        record["dpv:hasProcess"]["dpv:hasConsentStatus"]["dpv:hasDuration"].clone()
    };
    let said = |duration: &Json| duration["dct:description"]["@value"].as_str().unwrap().to_owned();
    let end = "2027-11-28T08:00:00Z".parse().unwrap();
    for (language, words) in [("en", "until this date, unless "), ("zh", "至该日期止")] {
        let ending = duration(Said::Granted, Some(end), language);
        assert_eq!(
            [&ending["@type"], &ending["dct:date"]],
            ["dpv:UntilTimeDuration", "2027-11-28T08:00:00.000000Z"]
        );
        assert!(said(&ending).starts_with(words), "{ending}");
    }
    for (choice, words) in
        [(Said::Granted, "until it is withdrawn"), (Said::Withdrawn, "until the person says otherwise")]
    {
        let standing = duration(choice, None, "en");
        assert_eq!(standing["@type"], "dpv:UntilEventDuration");
        assert_eq!(standing.get("dct:date"), None);
        assert!(said(&standing).starts_with(words), "{standing}");
    }
}

#[test]
fn a_record_speaks_the_language_that_was_shown_and_no_other() {
    fn languages(json: &Json, met: &mut BTreeSet<String>) {
        match json {
            Json::Array(many) => many.iter().for_each(|one| languages(one, met)),
            Json::Object(object) => {
                met.extend(object.get("@language").and_then(Json::as_str).map(|tag| tag[..2].to_owned()));
                object.values().for_each(|one| languages(one, met));
            }
            _ => {}
        }
    }
    for language in ["zh", "en"] {
        let mut met = BTreeSet::new();
        languages(
            &consent_record(&policy_of(SHOP), &choice("marketing_email", Said::Refused, language)).unwrap(),
            &mut met,
        );
        assert_eq!(met.into_iter().collect::<Vec<_>>(), [language]);
    }
}

#[test]
fn an_objection_is_no_consent() {
    let record = consent_record(&with_an_interest(), &choice("fraud", Said::Refused, "zh")).unwrap();
    assert_eq!(record["@type"], "dpv:DataProcessingRecord");
    let process = &record["dpv:hasProcess"];
    assert!(process["dpv:hasConsentStatus"].is_null());
    assert_eq!(process["dpv:hasEntityInvolvement"]["@type"], "dpv:ObjectingToProcess");
    assert_eq!(record.get("dct:conformsTo"), None);
}

/// The profile asks for the address of each party; of recipients a policy knows the country.
#[test]
fn a_record_follows_the_profile_only_when_it_has_all_that_the_profile_asks_for() {
    let follows = |text: &str, purpose| {
        let record = consent_record(&policy_of(text), &choice(purpose, Said::Granted, "en")).unwrap();
        record.get("dct:conformsTo").cloned()
    };
    let at = "1 Hill Road, Leeds";
    let known = SHOP.replacen("[shop]\n", &format!("[shop]\naddress = \"{at}\"\n"), 1);
    assert_eq!(follows(SHOP, "recommendations"), None);
    assert_eq!(follows(&known, "recommendations"), Some(json!({ "@id": "dpv-27560:record" })));
    let record = consent_record(&policy_of(&known), &choice("recommendations", Said::Granted, "en")).unwrap();
    assert_eq!(record["dpv:hasDataController"]["dpv:hasAddress"], at);
    let shared = known.replace(
        "fields = [\"items\"]\nkeep = \"until withdrawn\"",
        "fields = [\"items\"]\nrecipients = [\"sf-express\"]\nkeep = \"until withdrawn\"",
    );
    assert_eq!(follows(&shared, "recommendations"), None);
    let record =
        consent_record(&policy_of(&shared), &choice("recommendations", Said::Granted, "en")).unwrap();
    let receiver = &record["dpv:hasProcess"]["dpv:hasRecipient"][0];
    assert_eq!(
        [&receiver["dpv:hasName"]["@value"], &receiver["dpv:hasContact"]],
        ["SF Express", "privacy@sf-express.example"]
    );
}

#[test]
fn what_nobody_knows_is_not_in_it() {
    let by_api =
        Choice { seen: Seen::default(), way: "api", ..choice("recommendations", Said::Granted, "en") };
    let record = consent_record(&policy_of(SHOP), &by_api).unwrap();
    let notice = record["dpv:hasNotice"].as_object().unwrap();
    assert!(!notice.contains_key("sr:shown") && !notice.contains_key("sr:variant"));
    assert_eq!(record.get("dpv:hasApplicableLaw"), None);
    let how =
        record["dpv:hasProcess"]["dpv:hasConsentControl"]["dct:description"]["@value"].as_str().unwrap();
    assert!(how.starts_with("At any time, by writing to "), "{how}");
    assert!(!record.to_string().contains("null") && !record.to_string().contains("\"\""));
    assert_eq!(consent_record(&policy_of(SHOP), &choice("nothing", Said::Granted, "en")), None);
}

#[test]
fn records_are_written_as_approved() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dpv");
    let shop = policy_of(SHOP);
    let made = [("zh", Said::Granted), ("en", Said::Withdrawn)].map(|(language, said)| {
        let record = consent_record(&shop, &choice("marketing_email", said, language)).unwrap();
        let text = serde_json::to_string_pretty(&record).unwrap() + "\n";
        (format!("consent.{language}.jsonld"), text)
    });
    look_as_approved(&folder, made.into_iter());
}
