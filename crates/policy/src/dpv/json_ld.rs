//! A policy as JSON-LD in the terms of DPV.

use super::place::{is_under_gdpr, location};
use super::term::{Term, Vocabulary};
use super::{Measure, Right, basis, consideration, gdpr_basis, pipl, pipl_basis, tables, taxonomy, with};
use crate::model::{Agreed, Field, Policy, Purpose, Recipient, Used};
use crate::period::{After, Keep, Period};
use crate::text::Text;
use crate::words::{Basis, RecipientKind, Unit};
use serde_json::{Value as Json, json};

/// The policy as JSON-LD: who keeps the data, for which purposes, on which ground, which data, who gets it, how long, where, with
/// which measures, and which rights people have.
///
/// Takes: a policy without errors. Gives: one document; the same policy gives the same. Addresses in it that begin with `#` belong to the
/// address under which it is published. Terms of the GDPR and of the PIPL stand in it where the shop serves people under them. Left out:
/// roles of staff, limits, dates of review, and how values are brought into form, searched and shown.
pub fn json_ld(policy: &Policy) -> Json {
    let laws = Laws::of(policy);
    let measures = |technical: bool| -> Vec<Json> {
        Measure::ALL
            .iter()
            .filter(|measure| measure.is_technical() == technical)
            .map(|measure| node(&measure.term().term))
            .collect()
    };
    json!({
        "@context": context(),
        "@id": "#policy",
        "@type": "dpv:DataProcessingPolicy",
        "dpv:hasDataController": controller(policy, laws),
        "dpv:hasJurisdiction": policy.shop.serves.iter().map(|place| node(&location(place))).collect::<Vec<_>>(),
        "dpv:hasStorageCondition": {
            "@type": "dpv:StorageLocation",
            "dpv:hasLocation": node(&location(&policy.shop.kept_in)),
        },
        "dpv:hasPersonalDataProcess":
            policy.purposes.iter().map(|purpose| process(policy, purpose, laws)).collect::<Vec<_>>(),
        "dpv:hasRecipient":
            policy.recipients.iter().map(|recipient| receiver(recipient, laws)).collect::<Vec<_>>(),
        "dpv:hasTechnicalMeasure": measures(true),
        "dpv:hasOrganisationalMeasure": measures(false),
        "dpv:hasRight": rights(laws),
    })
}

/// Which laws with terms of their own protect those whom the shop serves?
#[derive(Clone, Copy)]
pub(super) struct Laws {
    pub(super) gdpr: bool,
    pub(super) pipl: bool,
}

impl Laws {
    pub(super) fn of(policy: &Policy) -> Self {
        let serves = &policy.shop.serves;
        Self {
            gdpr: serves.iter().any(is_under_gdpr),
            pipl: serves.iter().any(|place| place.country() == "cn"),
        }
    }
}

fn context() -> Json {
    let prefixes = Vocabulary::ALL
        .iter()
        .map(|vocabulary| (vocabulary.prefix().to_owned(), Json::from(vocabulary.namespace())));
    Json::Object(prefixes.collect())
}

fn controller(policy: &Policy, laws: Laws) -> Json {
    let shop = &policy.shop;
    json!({
        "@id": "#shop",
        "@type": kinds(Term::dpv("DataController"), laws.pipl.then(|| pipl::term("Handler"))),
        "dpv:hasIdentifier": shop.id,
        "dpv:hasName": text(&shop.name),
        "dpv:hasDataProtectionOfficer": {
            "@id": "#officer",
            "@type":
                kinds(Term::dpv("DataProtectionOfficer"), laws.pipl.then(|| pipl::term("ProtectionOfficer"))),
            "dpv:hasName": shop.officer.name,
            "dpv:hasContact": shop.officer.contact,
        },
    })
}

/// One purpose of the policy: a process with all that belongs to it.
pub(super) fn process(policy: &Policy, purpose: &Purpose, laws: Laws) -> Json {
    let recipients: Vec<&Recipient> =
        purpose.recipients.iter().filter_map(|name| policy.find_recipient(name.as_str())).collect();
    let used: Vec<(&Used, &Field)> = purpose
        .fields
        .iter()
        .filter_map(|used| Some((used, policy.find_field(used.field.as_str())?)))
        .collect();
    let mut processing = vec!["dpv:Collect", "dpv:Store", "dpv:Use"];
    if !recipients.is_empty() {
        processing.push("dpv:Share");
    }
    let made = json!({
        "@id": format!("#purpose.{}", purpose.name),
        "@type": "dpv:PersonalDataProcess",
        "dpv:hasPurpose": purposes(purpose, &recipients),
        "dpv:hasLegalBasis": bases(purpose, &used, laws),
        "dpv:hasProcessing": processing.iter().map(|name| json!({ "@id": name })).collect::<Vec<_>>(),
        "dpv:hasDataSubject": { "@id": "dpv:Customer" },
        "dpv:hasPersonalData": used.iter().map(|(used, field)| data(purpose, used, field, laws)).collect::<Vec<_>>(),
        "dpv:hasStorageCondition": storage(purpose),
    });
    let names = purpose.recipients.iter().map(|name| json!({ "@id": format!("#recipient.{name}") }));
    let names = (!recipients.is_empty()).then(|| names.collect());
    with(made, names.map(|names| ("dpv:hasRecipient", names)))
}

/// The purpose in the shop's own words, and a further one where data is given for something.
fn purposes(purpose: &Purpose, recipients: &[&Recipient]) -> Vec<Json> {
    let mut all = vec![json!({
        "@type": taxonomy::purpose(&purpose.data_use).term.to_string(),
        "skos:notation": purpose.data_use.key(),
        "skos:prefLabel": text(&purpose.says),
    })];
    let paid = recipients.iter().find_map(|recipient| consideration(recipient.consideration));
    all.extend(paid.map(|paid| json!({ "@type": paid.term.to_string() })));
    all
}

fn bases(purpose: &Purpose, used: &[(&Used, &Field)], laws: Laws) -> Vec<Json> {
    let separate = purpose.basis == Basis::SeparateConsent;
    let sensitive = |law: &str, article: &str| {
        let by_law = |field: &Field| {
            field.sensitive_by.iter().any(|citation| citation.law == law && citation.article == article)
        };
        separate && used.iter().any(|(_, field)| by_law(field))
    };
    let mut terms = vec![basis(purpose.basis).term];
    if laws.gdpr {
        terms.push(gdpr_basis(purpose.basis).term);
        // LAW: GDPR 9(2)(a)
        terms.extend(sensitive("GDPR", "9").then(|| Term::new(Vocabulary::Gdpr, "A9-2-a")));
    }
    if laws.pipl {
        terms.extend(pipl_basis(purpose.basis).map(|mapped| mapped.term));
        // LAW: PIPL 29
        terms.extend(sensitive("PIPL", "28").then(|| pipl::term("A29-separate-consent")));
    }
    terms.iter().map(node).collect()
}

fn data(purpose: &Purpose, used: &Used, field: &Field, laws: Laws) -> Json {
    let mut types = vec![taxonomy::personal_data(&field.category).term];
    if field.sensitive {
        types.push(Term::dpv("SensitivePersonalData"));
    }
    if laws.pipl && field.sensitive_by.iter().any(|citation| citation.law == "PIPL") {
        types.push(pipl::term("SensitivePersonalInformation"));
    }
    let made = json!({
        "@id": format!("#purpose.{}.{}.{}", purpose.name, used.kind, used.field),
        "@type": types.iter().map(Term::to_string).collect::<Vec<_>>(),
        "skos:notation": field.category.key(),
        "skos:prefLabel": text(&field.label),
        "dpv:hasNecessity": { "@id": if used.optional { "dpv:Optional" } else { "dpv:Required" } },
    });
    with(made, used.masked.then(|| ("dpv:hasTechnicalMeasure", node(&Measure::Masks.term().term))))
}

/// How long the purpose may use data, the end of that where its event never comes, and how long a law keeps it.
fn storage(purpose: &Purpose) -> Vec<Json> {
    let id = |key: &str| format!("#purpose.{}.{key}", purpose.name);
    let mut all = vec![stored(&id("keep"), &until(&purpose.keep))];
    all.extend(purpose.at_most.as_ref().map(|after| stored(&id("at_most"), &after_event(after))));
    all.extend(purpose.must_keep.as_ref().map(|after| {
        let basis = ("dpv:hasLegalBasis", json!({ "@id": "dpv:LegalObligation" }));
        let in_each = purpose.law_text.as_ref().map(|law| Json::from(text(law)));
        let law = in_each.or(purpose.law.as_deref().map(Json::from)).map(|law| ("dct:source", law));
        with(stored(&id("must_keep"), &after_event(after)), std::iter::once(basis).chain(law))
    }));
    all
}

fn stored(id: &str, duration: &Json) -> Json {
    json!({ "@id": id, "@type": "dpv:StorageDuration", "dpv:hasDuration": duration })
}

fn until(keep: &Keep) -> Json {
    match keep {
        Keep::UntilWithdrawn => {
            json!({ "@type": "dpv:UntilEventDuration", "dct:description": keep.to_string() })
        }
        Keep::After(after) => after_event(after),
    }
}

fn after_event(after: &After) -> Json {
    json!({
        "@type": "dpv:UntilEventDuration",
        "dpv:hasDuration": iso(after.period),
        "dct:description": after.to_string(),
    })
}

/// The period as XML Schema writes durations, which has no weeks: `P90D`.
fn iso(period: Period) -> String {
    match period.unit {
        Unit::Days => format!("P{}D", period.count),
        Unit::Weeks => format!("P{}D", period.count.saturating_mul(7)),
        Unit::Months => format!("P{}M", period.count),
        Unit::Years => format!("P{}Y", period.count),
    }
}

pub(super) fn receiver(recipient: &Recipient, laws: Laws) -> Json {
    let is_processor = recipient.kind == RecipientKind::Processor;
    let own = (laws.pipl && is_processor).then(|| pipl::term("EntrustedParty"));
    let id = format!("#recipient.{}", recipient.name);
    let made = json!({
        "@id": id,
        "@type": kinds(tables::recipient(recipient.kind).term, own),
        "skos:notation": recipient.kind.as_str(),
        "dpv:hasName": text(&recipient.title),
        "dpv:hasLocation": node(&location(&recipient.place)),
    });
    let agreed = recipient.agreement.as_ref();
    let agreed = agreed.map(|agreed| ("dpv:hasLegalMeasure", agreement(agreed, is_processor)));
    let keep = recipient.keep.as_ref();
    let keep =
        keep.map(|keep| ("dpv:hasStorageCondition", stored(&format!("{id}.keep"), &after_event(keep))));
    with(made, agreed.into_iter().chain(keep))
}

fn agreement(agreed: &Agreed, is_processor: bool) -> Json {
    let until = agreed.until.map_or_else(|| "..".to_owned(), |until| until.to_string());
    json!({
        "@type": if is_processor { "dpv:ControllerProcessorAgreement" } else { "dpv:ThirdPartyAgreement" },
        "dct:valid": format!("{}/{until}", agreed.signed),
    })
}

/// The rights that the laws give; where none of them has terms of its own, that there are rights.
pub(super) fn rights(laws: Laws) -> Vec<Json> {
    let gdpr = Right::ALL.iter().filter(|_| laws.gdpr).filter_map(|right| right.gdpr());
    let pipl = Right::ALL.iter().filter(|_| laws.pipl).map(|right| right.pipl());
    let mut terms: Vec<Term> = gdpr.chain(pipl).collect();
    if terms.is_empty() {
        terms.push(Term::dpv("DataSubjectRight"));
    }
    // One article of the PIPL has several rights.
    terms.sort();
    terms.dedup();
    terms.iter().map(node).collect()
}

pub(super) fn kinds(term: Term, own: Option<Term>) -> Vec<String> {
    std::iter::once(term).chain(own).map(|term| term.to_string()).collect()
}

pub(super) fn node(term: &Term) -> Json {
    json!({ "@id": term.to_string() })
}

fn text(text: &Text) -> Vec<Json> {
    text.iter().map(|(language, said)| json!({ "@language": language.as_str(), "@value": said })).collect()
}
