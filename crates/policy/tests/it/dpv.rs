//! A policy in the words of others: every term exists in the vocabulary itself, every word of a policy has one, and what
//! is written is what the policy says. Files that are generated are held against the source; after a change that is meant,
//! move the `.new` over.

use crate::{SHOP, policy_of};
use policy::dpv::{self, Mapped, Match, Measure, Right, Term, Vocabulary, pipl};
use policy::taxonomy::{Category, DataSubject, DataUse};
use policy::{Basis, Consideration, Place, Policy, RecipientKind};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const ZH_SHOP: &str = include_str!("../../../../examples/zh-shop/shop.toml");
const ADVENTUREWORKS: &str = include_str!("../../../../examples/adventureworks/shop.toml");

/// The vocabulary as extracted, by address: the classes that a term is an instance of, and the terms above it.
pub(crate) struct Extracted(BTreeMap<&'static str, Row>);

struct Row {
    kinds: Vec<&'static str>,
    broader: Vec<&'static str>,
}

impl Extracted {
    pub(crate) fn read() -> Self {
        let text = include_str!("../../data/dpv/terms.tsv");
        let rows = text.lines().skip(1).map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            (cells[0], Row { kinds: cells[3].split(' ').collect(), broader: cells[4].split(' ').collect() })
        });
        Self(rows.collect())
    }

    pub(crate) fn has(&self, iri: &str) -> bool {
        self.0.contains_key(iri)
    }

    /// Is it an instance of that class of DPV?
    fn is(&self, iri: &str, kind: &str) -> bool {
        self.0.get(iri).is_some_and(|row| row.kinds.contains(&kind))
    }

    /// Is it that class of DPV, or below it?
    fn is_below(&self, term: &str, above: &str) -> bool {
        let iri = term.replacen("dpv:", Vocabulary::Dpv.namespace(), 1);
        term == above
            || self.0.get(iri.as_str()).is_some_and(|row| {
                row.broader.iter().any(|next| next.starts_with("dpv:") && self.is_below(next, above))
            })
    }
}

pub(crate) fn own(term: &Term) -> Option<pipl::Own> {
    pipl::terms().find(|own| own.term() == *term)
}

fn examples() -> [Policy; 3] {
    [SHOP, ZH_SHOP, ADVENTUREWORKS].map(policy_of)
}

#[test]
fn the_vocabulary_is_whole() {
    let extracted = Extracted::read();
    let count = |vocabulary: Vocabulary| {
        extracted.0.keys().filter(|iri| iri.starts_with(vocabulary.namespace())).count()
    };
    assert_eq!(count(Vocabulary::Dpv), 1106);
    assert_eq!(count(Vocabulary::PersonalData), 221);
    assert_eq!(count(Vocabulary::Gdpr), 223);
    assert_eq!(count(Vocabulary::Places), 584);
    assert!(
        extracted.0.keys().all(|iri| !iri.starts_with(Vocabulary::Pipl.namespace())),
        "ours is not theirs"
    );
}

#[test]
fn every_basis_is_a_legal_basis_of_dpv_and_of_both_laws() {
    let extracted = Extracted::read();
    for basis in Basis::ALL {
        for mapped in [dpv::basis(*basis), dpv::gdpr_basis(*basis)] {
            assert!(extracted.is(&mapped.term.iri(), "dpv:LegalBasis"), "{basis}: {}", mapped.term);
        }
        match dpv::pipl_basis(*basis) {
            Some(mapped) => {
                let kind = own(&mapped.term).and_then(|own| own.kind());
                assert_eq!(kind.map(|kind| kind.to_string()).as_deref(), Some("dpv:LegalBasis"), "{basis}");
            }
            None => assert_eq!(*basis, Basis::LegitimateInterest, "a basis that the PIPL does not know"),
        }
    }
}

#[test]
fn a_basis_under_the_gdpr_lies_below_the_same_basis_of_dpv() {
    let extracted = Extracted::read();
    for basis in Basis::ALL {
        let gdpr = &extracted.0[dpv::gdpr_basis(*basis).term.iri().as_str()];
        let general = dpv::basis(*basis).term.to_string();
        let above = gdpr.broader.iter().any(|above| extracted.is_below(above, &general));
        assert!(above, "{basis}: {:?} does not lie below {general}", gdpr.broader);
    }
}

#[test]
fn every_use_is_a_purpose_and_every_category_is_data() {
    let extracted = Extracted::read();
    for data_use in DataUse::all() {
        let term = dpv::purpose(&data_use).term;
        let fits = term.to_string() == "dpv:Purpose" || extracted.is(&term.iri(), "dpv:Purpose");
        assert!(fits, "{}: {term}", data_use.key());
    }
    for category in Category::all() {
        let term = dpv::personal_data(&category).term;
        let fits = match term.to_string().as_str() {
            "dpv:Data" => category.is_within("system"),
            "dpv:PersonalData" => category.is_within("user"),
            _ => extracted.is(&term.iri(), "dpv:PersonalData"),
        };
        assert!(fits, "{}: {term}", category.key());
    }
}

/// Two words for the same thing would be one word.
#[test]
fn no_two_categories_and_no_two_uses_are_exactly_the_same_term() {
    let exact = |mapped: Vec<Mapped>| {
        let terms: Vec<Term> =
            mapped.into_iter().filter(|mapped| mapped.by == Match::Exact).map(|mapped| mapped.term).collect();
        let different: BTreeSet<&Term> = terms.iter().collect();
        assert_eq!(different.len(), terms.len(), "{terms:?}");
    };
    exact(Category::all().map(|category| dpv::personal_data(&category)).collect());
    exact(DataUse::all().map(|data_use| dpv::purpose(&data_use)).collect());
    exact(Measure::ALL.iter().map(|measure| measure.term()).collect());
}

#[test]
fn recipients_subjects_measures_and_rights_are_of_the_right_sort() {
    let extracted = Extracted::read();
    for kind in RecipientKind::ALL {
        let term = dpv::recipient(*kind).term.to_string();
        assert!(extracted.is_below(&term, "dpv:LegalEntity"), "{kind}: {term}");
    }
    for subject in DataSubject::all() {
        let term = dpv::data_subject(&subject).term.to_string();
        assert!(extracted.is_below(&term, "dpv:HumanSubject"), "{}: {term}", subject.key());
    }
    for measure in Measure::ALL {
        let kind = if measure.is_technical() { "dpv:TechnicalMeasure" } else { "dpv:OrganisationalMeasure" };
        assert!(extracted.is(&measure.term().term.iri(), kind), "{}", measure.as_str());
    }
    for right in Right::ALL {
        assert!(right.gdpr().is_none_or(|term| extracted.is(&term.iri(), "dpv:Right")), "{}", right.as_str());
        let kind = own(&right.pipl()).and_then(|own| own.kind()).map(|kind| kind.to_string());
        assert_eq!(kind.as_deref(), Some("dpv:Right"), "{}", right.as_str());
    }
}

#[test]
fn data_given_for_something_has_a_purpose_of_its_own() {
    let extracted = Extracted::read();
    for consideration in Consideration::ALL {
        let mapped = dpv::consideration(*consideration);
        assert_eq!(mapped.is_none(), *consideration == Consideration::None);
        assert!(
            mapped.is_none_or(|mapped| extracted.is(&mapped.term.iri(), "dpv:Purpose")),
            "{consideration}"
        );
    }
}

#[test]
fn every_place_that_a_policy_can_name_exists() {
    let extracted = Extracted::read();
    let letters = || b'a'..=b'z';
    let codes =
        letters().flat_map(|one| letters().map(move |two| String::from_utf8(vec![one, two]).unwrap()));
    let codes: Vec<String> = codes.collect();
    let states = codes.iter().flat_map(|code| [format!("us-{code}"), format!("ca-{code}")]);
    let places: Vec<Place> =
        codes.iter().cloned().chain(states).filter_map(|code| Place::parse(&code)).collect();
    assert!(places.len() > 1_000);
    for place in &places {
        let iri = dpv::location(place).iri();
        assert!(extracted.has(&iri), "{place}: {iri}");
        // A region that the vocabulary has is named, and not its country.
        let region = format!("{}{}", Vocabulary::Places.namespace(), place.as_str().to_ascii_uppercase());
        assert!(iri == region || !extracted.has(&region), "{place}: {iri}");
    }
    let shown = |code| dpv::location(&Place::parse(code).unwrap()).to_string();
    assert_eq!(
        ["cn", "eu", "uk", "us-ca", "ca-qc", "us-zz"].map(shown),
        ["loc:CN", "loc:EU", "loc:GB", "loc:US-CA", "loc:CA-QC", "loc:US"]
    );
}

#[test]
fn the_extension_hangs_below_terms_that_exist() {
    let extracted = Extracted::read();
    let mut names = BTreeSet::new();
    for one in pipl::terms() {
        let term = one.term();
        assert!(names.insert(term.clone()), "{term} twice");
        assert!(one.broader().count() > 0, "{term} hangs below nothing");
        for above in one.broader() {
            assert!(extracted.has(&above.iri()) || own(&above).is_some(), "{term}: {above}");
        }
        assert!(one.kind().is_none_or(|kind| extracted.has(&kind.iri())), "{term}");
        assert!(one.near().is_none_or(|near| extracted.is(&near.iri(), "dpv:LegalBasis")), "{term}");
        assert!(one.chinese().chars().any(|sign| ('\u{4e00}'..='\u{9fff}').contains(&sign)), "{term}");
        assert!(one.english().is_ascii() && !one.english().is_empty(), "{term}");
        assert!(one.source().chars().any(|sign| sign.is_ascii_digit()), "{term} cites no article");
    }
}

/// Whatever is of a class of DPV hangs below a term of that class, or below the class itself.
#[test]
fn a_term_of_the_extension_is_of_the_class_of_those_above_it() {
    let extracted = Extracted::read();
    for one in pipl::terms() {
        let Some(kind) = one.kind() else { continue };
        let kind = kind.to_string();
        for above in one.broader() {
            let fits = above.to_string() == kind
                || extracted.is(&above.iri(), &kind)
                || own(&above).and_then(|own| own.kind()).is_some_and(|other| other.to_string() == kind);
            assert!(fits, "{} is {kind}, and {above} is not", one.term());
        }
    }
}

#[test]
fn every_term_of_what_is_written_exists() {
    let extracted = Extracted::read();
    for policy in examples() {
        let document = dpv::json_ld(&policy);
        let mut seen = Seen::default();
        seen.walk(&document);
        assert!(seen.terms.len() > 40 && seen.keys.len() > 15, "too little was looked at");
        for curie in &seen.terms {
            assert!(exists(&extracted, &document, curie), "{}: {curie}", policy.shop.id);
        }
        for curie in &seen.keys {
            assert!(extracted.is(&expanded(&document, curie), "property"), "{}: {curie}", policy.shop.id);
        }
        let undefined: Vec<_> = seen.mentioned.difference(&seen.defined).collect();
        assert!(undefined.is_empty(), "{}: {undefined:?}", policy.shop.id);
    }
}

/// What stands in a document: terms, properties, nodes that say something of themselves, and nodes that are mentioned.
#[derive(Default)]
struct Seen {
    terms: BTreeSet<String>,
    keys: BTreeSet<String>,
    defined: BTreeSet<String>,
    mentioned: BTreeSet<String>,
}

impl Seen {
    fn walk(&mut self, json: &Json) {
        match json {
            Json::Array(all) => all.iter().for_each(|one| self.walk(one)),
            Json::Object(object) => {
                for (key, value) in object.iter().filter(|(key, _)| *key != "@context") {
                    match key.as_str() {
                        "@id" => self.id(value.as_str().unwrap(), object.len() > 1),
                        "@type" => self.types(value),
                        "@value" | "@language" => {}
                        key => {
                            self.keys.insert(key.to_owned());
                            self.walk(value);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn id(&mut self, id: &str, says_something: bool) {
        let into = match (id.starts_with('#'), says_something) {
            (true, true) => &mut self.defined,
            (true, false) => &mut self.mentioned,
            (false, _) => &mut self.terms,
        };
        assert!(into.insert(id.to_owned()) || !says_something, "{id} twice");
    }

    fn types(&mut self, value: &Json) {
        match value {
            Json::Array(all) => all.iter().for_each(|one| self.types(one)),
            one => {
                self.terms.insert(one.as_str().unwrap().to_owned());
            }
        }
    }
}

/// The address of a term as the document's own context gives it.
fn expanded(document: &Json, curie: &str) -> String {
    let (prefix, name) = curie.split_once(':').unwrap_or_else(|| panic!("{curie} is no term"));
    let namespace = document["@context"][prefix].as_str().unwrap_or_else(|| panic!("no prefix {prefix}"));
    format!("{namespace}{name}")
}

fn exists(extracted: &Extracted, document: &Json, curie: &str) -> bool {
    let iri = expanded(document, curie);
    extracted.has(&iri) || pipl::terms().any(|own| own.term().iri() == iri)
}

#[test]
fn a_process_says_what_its_purpose_says() {
    let document = dpv::json_ld(&policy_of(ZH_SHOP));
    let processes = document["dpv:hasPersonalDataProcess"].as_array().unwrap();
    let customs = processes.iter().find(|process| process["@id"] == "#purpose.customs").unwrap();
    let ids = |value: &Json| -> Vec<String> {
        value.as_array().unwrap().iter().map(|one| one["@id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        ids(&customs["dpv:hasLegalBasis"]),
        ["dpv:ExplicitlyExpressedConsent", "pipl:SeparateConsent"]
    );
    assert_eq!(ids(&customs["dpv:hasRecipient"]), ["#recipient.broker"]);
    assert_eq!(
        ids(&customs["dpv:hasPersonalData"]),
        ["#purpose.customs.customer.name", "#purpose.customs.customer.id_number"]
    );
    assert_eq!(
        customs["dpv:hasPersonalData"][1]["@type"],
        json!(["pd:OfficialID", "dpv:SensitivePersonalData"])
    );
    assert_eq!(
        customs["dpv:hasStorageCondition"][0]["dpv:hasDuration"]["dct:description"],
        "until withdrawn"
    );
}

#[test]
fn a_law_has_its_terms_where_the_shop_serves_people_under_it() {
    let has = |text: &str, prefix: &str| {
        let mut seen = Seen::default();
        seen.walk(&dpv::json_ld(&policy_of(text)));
        seen.terms.iter().any(|term| term.starts_with(prefix))
    };
    assert_eq!([has(SHOP, "eu-gdpr:"), has(SHOP, "pipl:")], [true, true]);
    assert_eq!([has(ZH_SHOP, "eu-gdpr:"), has(ZH_SHOP, "pipl:")], [false, true]);
    assert_eq!([has(ADVENTUREWORKS, "eu-gdpr:"), has(ADVENTUREWORKS, "pipl:")], [true, false]);
    let elsewhere = ZH_SHOP.replace(r#"serves = ["cn"]"#, r#"serves = ["jp"]"#);
    assert_eq!([has(&elsewhere, "eu-gdpr:"), has(&elsewhere, "pipl:")], [false, false]);
    assert!(has(&elsewhere, "dpv:DataSubjectRight"));
    for member in ["de", "no", "fr"] {
        assert!(has(
            &ZH_SHOP.replace(r#"serves = ["cn"]"#, &format!(r#"serves = ["{member}"]"#)),
            "eu-gdpr:"
        ));
    }
}

#[test]
fn sensitive_data_by_separate_consent_stands_on_the_articles_for_it() {
    let text = ZH_SHOP
        .replace(r#"serves = ["cn"]"#, r#"serves = ["cn", "eu"]"#)
        .replace("user.government_id.national_identification_number", "user.health_and_medical");
    let document = dpv::json_ld(&policy_of(&text));
    let processes = document["dpv:hasPersonalDataProcess"].as_array().unwrap();
    let customs = processes.iter().find(|process| process["@id"] == "#purpose.customs").unwrap();
    let bases = customs["dpv:hasLegalBasis"].to_string();
    assert!(bases.contains("eu-gdpr:A9-2-a") && bases.contains("pipl:A29-separate-consent"), "{bases}");
    let in_general = text
        .replace(r#"serves = ["cn", "eu"]"#, r#"serves = ["eu"]"#)
        .replace(r#"basis = "separate_consent""#, r#"basis = "consent""#);
    let document = dpv::json_ld(&policy_of(&in_general)).to_string();
    assert!(!document.contains("A9-2-a") && document.contains("SensitivePersonalData"), "{document}");
}

/// SOURCE: the Union has 27 members; Iceland, Liechtenstein and Norway have taken the GDPR over.
#[test]
fn the_gdpr_reaches_thirty_countries_and_the_union() {
    let letters = || b'a'..=b'z';
    let codes =
        letters().flat_map(|one| letters().map(move |two| String::from_utf8(vec![one, two]).unwrap()));
    let reached = codes.filter(|code| Place::parse(code).is_some()).filter(|code| {
        let text = ZH_SHOP.replace(r#"serves = ["cn"]"#, &format!(r#"serves = ["{code}"]"#));
        dpv::json_ld(&policy_of(&text)).to_string().contains("eu-gdpr:")
    });
    assert_eq!(reached.count(), 31);
}

#[test]
fn a_recipient_says_what_it_is_and_since_when_it_is_bound() {
    let receiver = |text: &str| {
        let document = dpv::json_ld(&policy_of(text));
        let all = document["dpv:hasRecipient"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["@id"] == "#recipient.broker").unwrap()
    };
    let courier = receiver(ZH_SHOP);
    assert_eq!(courier["@type"], json!(["dpv:ServiceProvider"]));
    assert_eq!(
        courier["dpv:hasLegalMeasure"],
        json!({ "@type": "dpv:ThirdPartyAgreement", "dct:valid": "2026-03-01/.." })
    );
    let (before, after) = ZH_SHOP.split_once("[recipient.broker]").unwrap();
    let after = after.replacen("logistics", "processor", 1).replacen("in = \"cn\"", "in = \"hk\"", 1);
    let processor = receiver(&format!("{before}[recipient.broker]{after}"));
    assert_eq!(processor["@type"], json!(["dpv:DataProcessor", "pipl:EntrustedParty"]));
    assert_eq!(processor["dpv:hasLegalMeasure"]["@type"], "dpv:ControllerProcessorAgreement");
    assert_eq!(processor["dpv:hasLocation"], json!({ "@id": "loc:HK" }));
}

#[test]
fn a_period_is_a_duration_and_weeks_are_days() {
    let durations = ["3d", "3w", "3mo", "3y"].map(|period| {
        let text = ZH_SHOP.replace("30d after customer.closed", &format!("{period} after customer.closed"));
        let document = dpv::json_ld(&policy_of(&text));
        let kept = &document["dpv:hasPersonalDataProcess"][0]["dpv:hasStorageCondition"][0];
        kept["dpv:hasDuration"]["dpv:hasDuration"].as_str().unwrap().to_owned()
    });
    assert_eq!(durations, ["P3D", "P21D", "P3M", "P3Y"]);
}

#[test]
fn a_fides_system_says_what_is_special_and_what_goes_abroad() {
    let said = |text: &str| {
        let written = dpv::fideslang(&policy_of(text));
        let shop = &written["system"][0];
        let special: Vec<bool> = shop["privacy_declarations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["processes_special_category_data"].as_bool().unwrap())
            .collect();
        (shop["does_international_transfers"].as_bool().unwrap(), special)
    };
    assert_eq!(said(ZH_SHOP), (false, vec![false; 4]));
    let special =
        ZH_SHOP.replace("user.government_id.national_identification_number", "user.health_and_medical");
    assert_eq!(said(&special), (false, vec![false, false, true, false]));
    let criminal = special.replace("user.health_and_medical", "user.criminal_history");
    assert_eq!(said(&criminal), (false, vec![false; 4]), "GDPR 10 is not GDPR 9");
    assert!(said(&ZH_SHOP.replacen("in = \"cn\"", "in = \"hk\"", 1)).0);
}

#[test]
fn a_sale_is_a_purpose_of_the_process_that_sells() {
    let sold = ZH_SHOP.replace("[recipient.broker]\n", "[recipient.broker]\nconsideration = \"sale\"\n");
    let sells = |text: &str| {
        let document = dpv::json_ld(&policy_of(text));
        let processes = document["dpv:hasPersonalDataProcess"].as_array().unwrap().clone();
        processes
            .iter()
            .filter(|process| process["dpv:hasPurpose"].to_string().contains("dpv:SellDataToThirdParties"))
            .map(|process| process["@id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!((sells(ZH_SHOP), sells(&sold)), (vec![], vec!["#purpose.customs".to_owned()]));
}

#[test]
fn a_fides_system_says_of_each_purpose_what_the_policy_says() {
    for policy in examples() {
        let written = dpv::fideslang(&policy);
        let shop = &written["system"][0];
        let declared = shop["privacy_declarations"].as_array().unwrap();
        assert_eq!(declared.len(), policy.purposes.len());
        for (declared, purpose) in declared.iter().zip(&policy.purposes) {
            let categories: BTreeSet<&str> = purpose
                .fields
                .iter()
                .map(|used| policy.find_field(used.field.as_str()).unwrap().category.key())
                .collect();
            let read = |key: &str| strings(&declared[key]);
            assert_eq!(read("data_categories"), categories.into_iter().collect::<Vec<_>>());
            assert!(read("data_categories").iter().all(|key| Category::find(key).is_some()));
            assert!(read("data_subjects").iter().all(|key| DataSubject::find(key).is_some()));
            assert_eq!(DataUse::find(declared["data_use"].as_str().unwrap()), Some(purpose.data_use));
            assert_eq!(declared["name"], purpose.name.as_str());
            assert_eq!(declared["retention_period"], purpose.keep.to_string());
            assert_eq!(declared["data_shared_with_third_parties"], !purpose.recipients.is_empty());
            let systems: Vec<&str> = written["system"]
                .as_array()
                .unwrap()
                .iter()
                .map(|system| system["fides_key"].as_str().unwrap())
                .collect();
            assert_eq!(read("egress").len(), purpose.recipients.len());
            assert!(read("egress").iter().all(|key| systems.contains(key)));
        }
    }
}

fn strings(json: &Json) -> Vec<&str> {
    json.as_array().into_iter().flatten().map(|one| one.as_str().unwrap()).collect()
}

/// Fideslang 3.1.4 refuses a declaration that names flows, be it none, of a system that has none.
#[test]
fn a_shop_without_recipients_names_no_flows() {
    let (text, _) = ZH_SHOP.split_once("[recipient.sf-express]").unwrap();
    let alone: String =
        text.lines().filter(|line| !line.starts_with("recipients =")).flat_map(|line| [line, "\n"]).collect();
    let written = dpv::fideslang(&policy_of(&alone));
    assert_eq!(written["system"].as_array().map(Vec::len), Some(1));
    assert!(!written.to_string().contains("egress"), "{written}");
}

/// SOURCE: fideslang 3.1.4, `LegalBasisForProcessingEnum`.
#[test]
fn every_basis_has_a_word_of_fides() {
    let words: BTreeSet<String> = Basis::ALL
        .iter()
        .map(|basis| {
            let text = ZH_SHOP.replace(r#"basis = "separate_consent""#, &format!(r#"basis = "{basis}""#));
            let text = if basis.is_consent() {
                text
            } else {
                text.replacen("keep = \"until withdrawn\"", "keep = \"1y after collected\"", 1)
            };
            let written = dpv::fideslang(&policy_of(&text));
            let customs = written["system"][0]["privacy_declarations"][2].clone();
            assert_eq!(customs["name"], "customs");
            customs["legal_basis_for_processing"].as_str().unwrap().to_owned()
        })
        .collect();
    let fides = [
        "Consent",
        "Contract",
        "Legal obligations",
        "Legitimate interests",
        "Public interest",
        "Vital interests",
    ];
    assert_eq!(words.into_iter().collect::<Vec<_>>(), fides);
}

#[test]
fn the_files_are_what_the_source_writes() {
    let policy = policy_of(SHOP);
    let pretty = |json: &Json| serde_json::to_string_pretty(json).unwrap() + "\n";
    let files = [
        ("../../docs/spec/pipl.ttl", pipl::turtle()),
        ("tests/dpv/harbour-hill.jsonld", pretty(&dpv::json_ld(&policy))),
        ("tests/dpv/harbour-hill.fides.json", pretty(&dpv::fideslang(&policy))),
        ("../../docs/spec/interchange.md", specification()),
    ];
    let behind: Vec<&str> =
        files.iter().filter(|(path, text)| !is_in_step(path, text)).map(|(path, _)| *path).collect();
    assert!(behind.is_empty(), "{behind:?} have fallen behind; look at the files `.new` beside them");
}

fn is_in_step(path: &str, text: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let is = std::fs::read_to_string(&path).is_ok_and(|there| there == text);
    if !is {
        std::fs::write(format!("{}.new", path.display()), text).unwrap();
    }
    is
}

/// The specification with its tables, between `<!-- NAME -->` and `<!-- end -->`, as the source has them.
fn specification() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/interchange.md");
    let mut text = std::fs::read_to_string(path).unwrap();
    let blocks = [
        ("bases", bases()),
        ("uses", table("data use", DataUse::all().map(|one| (one.key(), Some(dpv::purpose(&one)))))),
        (
            "categories",
            table("data category", Category::all().map(|one| (one.key(), Some(dpv::personal_data(&one))))),
        ),
        (
            "subjects",
            table("data subject", DataSubject::all().map(|one| (one.key(), Some(dpv::data_subject(&one))))),
        ),
        (
            "recipients",
            table(
                "kind of recipient",
                RecipientKind::ALL.iter().map(|one| (one.as_str(), Some(dpv::recipient(*one)))),
            ),
        ),
        (
            "considerations",
            table(
                "consideration",
                Consideration::ALL.iter().map(|one| (one.as_str(), dpv::consideration(*one))),
            ),
        ),
        ("measures", table("measure", Measure::ALL.iter().map(|one| (one.as_str(), Some(one.term()))))),
        ("rights", rights()),
        ("pipl", extension()),
    ];
    for (name, block) in blocks {
        let mark = format!("<!-- {name} -->\n");
        let start = text.find(&mark).unwrap_or_else(|| panic!("no {mark}")) + mark.len();
        let end = start + text[start..].find("<!-- end -->").unwrap();
        text.replace_range(start..end, &block);
    }
    text
}

fn head<const N: usize>(cells: [&str; N]) -> String {
    format!("| {} |\n|{}\n", cells.join(" | "), "---|".repeat(N))
}

fn shown(mapped: Option<&Mapped>) -> String {
    mapped.map_or_else(|| "– | –".to_owned(), |mapped| format!("`{}` | {}", mapped.term, mapped.by))
}

fn table<'w>(what: &str, rows: impl Iterator<Item = (&'w str, Option<Mapped>)>) -> String {
    let rows = rows.map(|(word, mapped)| format!("| `{word}` | {} |\n", shown(mapped.as_ref())));
    head([what, "DPV", "match"]) + &rows.collect::<String>()
}

fn bases() -> String {
    let rows = Basis::ALL.iter().map(|basis| {
        let laws = [Some(dpv::basis(*basis)), Some(dpv::gdpr_basis(*basis)), dpv::pipl_basis(*basis)];
        format!("| `{basis}` | {} |\n", laws.map(|mapped| shown(mapped.as_ref())).join(" | "))
    });
    head(["basis", "DPV", "match", "GDPR", "match", "PIPL", "match"]) + &rows.collect::<String>()
}

fn rights() -> String {
    let rows = Right::ALL.iter().map(|right| {
        let gdpr = right.gdpr().map_or_else(|| "–".to_owned(), |term| format!("`{term}`"));
        format!("| {} | {gdpr} | `{}` |\n", right.as_str(), right.pipl())
    });
    head(["right", "GDPR", "PIPL"]) + &rows.collect::<String>()
}

fn extension() -> String {
    let rows = pipl::terms().map(|own| {
        let near = own.near().map(|near| format!("near to `{near}`"));
        let above: Vec<String> = own.broader().map(|term| format!("`{term}`")).chain(near).collect();
        let sure = serde_json::to_value(own.confidence()).unwrap();
        let (term, above, sure) = (own.term(), above.join(", "), sure.as_str().unwrap().to_owned());
        format!(
            "| `{term}` | {} | {} | {above} | {} | {sure} |\n",
            own.english(),
            own.chinese(),
            own.source()
        )
    });
    head(["term", "English", "中文", "broader", "law", "how sure"]) + &rows.collect::<String>()
}
