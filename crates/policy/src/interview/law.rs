//! What the interview asks the packs: routes abroad, representatives, how long books are kept, and where all of it stands.

use super::choices::Served;
use crate::lawful::{ask, ids_of, is_home, place_of_seat, place_word};
use crate::period::Period;
use crate::text::Place;
use crate::words::Route;
use jiff::civil::Date;
use rulebook::question::MEMBERS;
use rulebook::{Confidence, Pack};
use serde_json::json;
use std::collections::BTreeSet;

/// What somebody abroad gets data for, as laws on exports tell purposes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExportFor {
    /// The contract with the person: shopping, parcels, payment.
    Contract,
    /// The same, where it rests on consent.
    Consent,
    /// The same with identity numbers, where it rests on consent.
    Customs,
    /// Advertising.
    Marketing,
}

/// The law that an interview asks: packs, and a day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law<'p> {
    pub(super) packs: &'p [&'p Pack],
    pub(super) on: Date,
}

impl<'p> Law<'p> {
    fn find(self, id: &str) -> Option<&'p Pack> {
        self.packs.iter().copied().find(|pack| pack.id == id)
    }
}

/// The laws that reach a shop: of those whom it serves, and of its seat.
pub(super) fn laws<'p>(serves: &BTreeSet<Served>, seat: &Place, law: Law<'p>) -> Vec<&'p Pack> {
    let mut ids: Vec<&str> = serves.iter().map(|law| law.as_str()).collect();
    for id in place_of_seat(seat).map(|seat| ids_of(seat, law.packs)).unwrap_or_default() {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.into_iter().filter_map(|id| law.find(id)).collect()
}

/// By which route data under this law reaches a place; `None` where it asks for none, or knows none.
///
/// It is taken that a shop is no operator of critical infrastructure and has no important data, and that a recipient is on no list of those held
/// to protect data well enough.
pub(super) fn route(law: &Pack, to: &Place, purpose: ExportFor, persons: u64, on: Date) -> Option<Route> {
    if is_home(&law.id, to.country()) {
        return None;
    }
    let (export_for, basis) = match purpose {
        ExportFor::Contract => ("contract_with_person", "contract"),
        ExportFor::Consent | ExportFor::Customs => ("other", "consent"),
        ExportFor::Marketing => ("marketing", "consent"),
    };
    let facts = json!({
        "is_ciio": false, "important_data": false, "personal_data": true, "collected_abroad_only": false,
        "outside_negative_list": false, "recipient_certified": false, "persons_since_january": persons,
        "sensitive_since_january": if purpose == ExportFor::Customs { persons } else { 0 },
        "export_for": export_for, "basis": basis, "to": place_word(to.country()),
    });
    let heard = ask(law, "transfer", &facts, on)?;
    if !heard.answers("route") {
        return None;
    }
    match heard.word("route").map(|(word, _)| word) {
        Some("exempt") => Some(Route::Exempt),
        Some("adequacy") => Some(Route::Adequacy),
        Some("security_assessment") => Some(Route::SecurityAssessment),
        Some("comparable_protection" | "consent_or_equivalent") => Some(Route::ComparableContract),
        Some("assessment_filing") => Some(Route::AssessmentFiling),
        Some("free" | "restricted") => None,
        Some(_) | None => Some(Route::StandardContract),
    }
}

/// Does a law want consent before data is given to somebody there who decides by himself what he does with it, even where the contract needs that?
///
/// Where the text asks for it and what the authority says of it differs, the answer is no, and a task tells of it.
pub(super) fn wants_consent_to_share(law: &Pack, to: &Place, on: Date) -> bool {
    let facts = json!({
        "basis": "contract", "categories": [], "age": 30, "shares_with_handler": true, "publishes": false,
        "public_place_images": false, "purpose_or_method_changed": false, "refused_before": false,
        "exports": !is_home(&law.id, to.country()),
    });
    let Some(heard) = ask(law, "consent", &facts, on) else { return false };
    heard.word("consent").is_some_and(|(word, rule)| {
        rule.confidence != Confidence::Secondary && matches!(word, "explicit" | "separate" | "written")
    })
}

/// Must a shop with its seat there name somebody who stands for it where this law holds?
pub(super) fn needs_representative(served: Served, seat: &Place, law: Law<'_>) -> bool {
    let facts = json!({
        "established_in": place_word(seat.country()), "targets_persons_here": true, "occasional_low_risk": false,
    });
    let heard = law.find(served.as_str()).and_then(|pack| ask(pack, "representative", &facts, law.on));
    heard.and_then(|heard| heard.yes("representative")).is_some_and(|(needs, _)| needs)
}

/// How long the law of a place wants books and vouchers kept.
#[derive(Clone, Debug)]
pub(super) struct Books {
    pub(super) period: Period,
    /// The law as people are shown it, with how sure it is.
    pub(super) law: String,
}

/// How long books and orders are to be kept; `None` where no pack has a number.
///
/// Books go by the law of the seat, orders by every law that reaches the shop: the longest counts.
pub(super) fn books(laws: &[&Pack], seat: &Place, on: Date) -> Option<Books> {
    let of_orders = laws.iter().filter_map(|law| kept(law, "transaction", seat, on));
    let at_home = laws.iter().filter(|law| is_home(&law.id, seat.country()));
    let of_books = at_home.filter_map(|law| kept(law, "invoice", seat, on));
    let all = of_books.chain(of_orders);
    all.reduce(|longest, other| {
        if other.period.approximate_days() > longest.period.approximate_days() { other } else { longest }
    })
}

/// How long a law wants a record of a merchant's kept.
fn kept(law: &Pack, record: &str, seat: &Place, on: Date) -> Option<Books> {
    let mut facts = json!({ "record": record, "holder": "merchant", "began_on": on.to_string() });
    if let (true, Some(facts)) = (MEMBERS.contains(&seat.country()), facts.as_object_mut()) {
        facts.insert("member_state".to_owned(), json!(seat.country()));
    }
    let heard = ask(law, "retention", &facts, on)?;
    let (_, rule, owed) = heard.owed().find(|(act, ..)| *act == "keep_at_least")?;
    let clock = rule.duties.get(owed.duty)?.clock.as_ref()?;
    let period = Period::parse(&clock.within.to_string()).ok()?;
    let cite = rule.cites.first()?;
    let name = &law.laws.get(cite.law)?.name;
    let article = if cite.article == "passim" { String::new() } else { format!(" {}", cite.article) };
    let shown = format!("{}{article} ({}{article}){}", name.zh, name.en, sure(rule.confidence));
    Some(Books { period, law: shown })
}

/// Where rules of a pack stand, each once, with how sure it is.
///
/// Takes rules as `pack rule`. A rule that is not there gives nothing; a test holds every name against the packs.
pub(super) fn cites(rules: &[&str], law: Law<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (pack, rule) in rules.iter().filter_map(|rule| rule.split_once(' ')) {
        for cite in cites_of(law.find(pack), rule) {
            if !found.contains(&cite) {
                found.push(cite);
            }
        }
    }
    found
}

fn cites_of(pack: Option<&Pack>, id: &str) -> Vec<String> {
    let rule = pack.and_then(|pack| Some((pack, pack.rules.iter().find(|rule| rule.id == id)?)));
    let Some((pack, rule)) = rule else { return Vec::new() };
    let cite = |cite| format!("{}{}", pack.cited(cite).replace(" passim", ""), sure(rule.confidence));
    rule.cites.iter().map(cite).collect()
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Verified => "",
        Confidence::Secondary => " (secondary source)",
        Confidence::Unverified => " (unverified)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use rulebook::built_in;

    const ON: Date = date(2026, 11, 28);

    fn law() -> Law<'static> {
        Law { packs: &built_in().packs, on: ON }
    }

    fn place(code: &str) -> Place {
        Place::parse(code).unwrap()
    }

    fn way(law: Served, to: &str, purpose: ExportFor, persons: u64) -> Option<Route> {
        route(built_in().find(law.as_str()).unwrap(), &place(to), purpose, persons, ON)
    }

    #[test]
    fn routes_abroad_are_those_of_the_packs() {
        use ExportFor::{Consent, Contract, Customs, Marketing};
        assert_eq!(way(Served::Cn, "cn", Contract, 5_000_000), None);
        assert_eq!(way(Served::Cn, "sg", Contract, 5_000_000), Some(Route::Exempt));
        assert_eq!(way(Served::Cn, "us", Marketing, 99_999), Some(Route::Exempt));
        assert_eq!(way(Served::Cn, "us", Marketing, 100_000), Some(Route::StandardContract));
        assert_eq!(way(Served::Cn, "us", Marketing, 1_000_000), Some(Route::SecurityAssessment));
        assert_eq!(way(Served::Cn, "sg", Consent, 99_999), Some(Route::Exempt));
        assert_eq!(way(Served::Cn, "sg", Consent, 100_000), Some(Route::StandardContract));
        assert_eq!(way(Served::Cn, "sg", Customs, 9_999), Some(Route::StandardContract));
        assert_eq!(way(Served::Cn, "sg", Customs, 10_000), Some(Route::SecurityAssessment));
        assert_eq!(way(Served::Eu, "de", Contract, 1), None);
        assert_eq!(way(Served::Eu, "no", Contract, 1), None);
        assert_eq!(way(Served::Eu, "jp", Contract, 1), Some(Route::Adequacy));
        assert_eq!(way(Served::Eu, "uk", Contract, 1), Some(Route::Adequacy));
        assert_eq!(way(Served::Eu, "gb", Contract, 1), Some(Route::Adequacy));
        assert_eq!(way(Served::Eu, "us", Contract, 1), Some(Route::StandardContract));
        assert_eq!(way(Served::Eu, "cn", Contract, 1), Some(Route::StandardContract));
        assert_eq!(way(Served::Sg, "cn", Contract, 1), Some(Route::ComparableContract));
        assert_eq!(way(Served::Vn, "cn", Contract, 1), Some(Route::AssessmentFiling));
        assert_eq!(way(Served::Vn, "vn", Contract, 1), None);
        assert_eq!(way(Served::UsCa, "cn", Contract, 1), None);
    }

    #[test]
    fn korea_wants_consent_to_sharing_and_china_is_not_sure_enough() {
        let wants = |law: &str| wants_consent_to_share(built_in().find(law).unwrap(), &place("cn"), ON);
        assert_eq!(["kr", "cn", "eu", "sg", "us-ca"].map(wants), [true, false, false, false, false]);
    }

    #[test]
    fn who_has_no_seat_in_china_or_the_union_needs_somebody_there() {
        for (served, seat, needs) in [
            (Served::Cn, "cn", false),
            (Served::Cn, "hk", true),
            (Served::Cn, "us-ca", true),
            (Served::Eu, "de", false),
            (Served::Eu, "no", false),
            (Served::Eu, "cn", true),
            (Served::UsCa, "cn", false),
            (Served::Sg, "cn", false),
            (Served::Vn, "cn", false),
        ] {
            assert_eq!(needs_representative(served, &place(seat), law()), needs, "{served} {seat}");
        }
    }

    #[test]
    fn books_are_kept_as_long_as_the_law_of_the_seat_wants() {
        let of = |seat: &str| books(&laws(&BTreeSet::new(), &place(seat), law()), &place(seat), ON);
        let china = of("cn").unwrap();
        assert_eq!(china.period.to_string(), "10y");
        assert!(china.law.contains("29") && !china.law.contains("unverified"), "{}", china.law);
        assert_eq!(of("sg").unwrap().period.to_string(), "5y");
        let germany = of("de").unwrap();
        assert_eq!(germany.period.to_string(), "8y");
        assert!(germany.law.ends_with(" (unverified)"), "{}", germany.law);
        for unknown in ["us", "us-ca", "vn", "at", "zw"] {
            assert!(of(unknown).is_none(), "{unknown}");
        }
    }
}
