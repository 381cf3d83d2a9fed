//! What the packs demand in a notice, and where this one says it.

use super::Section;
use super::scribe::Scribe;
use crate::lawful::{Cited, ask, cited};
use crate::model::{Policy, Recipient};
use crate::words::{Consideration, Minors, SectionId as S};
use rulebook::Pack;
use serde_json::json;

/// Something that has to stand in the notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// The pack that demands it.
    pub pack: String,
    /// What is owed by it, an act of the question `notice`: `notice`, `notice_transfer`.
    pub act: &'static str,
    /// What has to be said, in English; empty where the act itself is all.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
    /// Where that stands in the law.
    pub laws: Vec<Cited>,
    /// Where the notice says it.
    pub place: Place,
}

/// Where a notice says what it has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this section.
    Section(S),
    /// It is the notice as a whole that answers.
    Whole,
    /// Nowhere: no policy file says it, so that the shop has to add a note.
    Nowhere,
}

/// Asks every law what the notice has to say. The places are still those of a notice that has every section.
pub(super) fn asked(scribe: &Scribe<'_>) -> Vec<Required> {
    scribe.laws.iter().flat_map(|law| of_law(scribe, law)).collect()
}

fn of_law(scribe: &Scribe<'_>, law: &Pack) -> Vec<Required> {
    let shop = &scribe.policy.shop;
    let recipients = scribe.used_recipients();
    let exports = std::iter::once(&shop.kept_in)
        .chain(recipients.iter().map(|recipient| &recipient.place))
        .any(|place| Scribe::is_abroad(law, place));
    let facts = json!({
        "categories": scribe.sensitive_words(),
        "shares_with_handler": recipients.iter().any(|recipient| Scribe::is_handler(recipient)),
        "exports": exports,
        "handles_minors": shop.minors == Some(Minors::WithGuardian),
        "sells": recipients.iter().any(|recipient| recipient.consideration != Consideration::None),
        "automated_decisions": !scribe.automated().is_empty(),
        "persons": shop.persons,
    });
    let Some(heard) = ask(law, "notice", &facts, scribe.on) else { return Vec::new() };
    let mut found = Vec::new();
    for (act, rule, owed) in heard.owed() {
        let laws = cited(law, rule);
        let items =
            rule.duties.get(owed.duty).and_then(|duty| duty.list).and_then(|list| law.lists.get(list));
        let of = |en: &str, zh: &str, place: Place| Required {
            pack: law.id.clone(),
            act,
            en: en.to_owned(),
            zh: zh.to_owned(),
            laws: laws.clone(),
            place,
        };
        match items {
            Some(list) => found.extend(list.items.iter().map(|item| {
                let is_said = item.key.is_none() || contacts_are_known(scribe, law, act);
                let place = place_of(&item.en).filter(|_| is_said);
                of(&item.en, &item.zh, place.unwrap_or(Place::Nowhere))
            })),
            None => found.push(of("", "", of_act(act, &law.id, scribe.policy))),
        }
    }
    found
}

/// Does the file say how people reach those of whom a list wants that: recipients abroad, or those that decide by themselves?
fn contacts_are_known(scribe: &Scribe<'_>, law: &Pack, act: &str) -> bool {
    let is_meant = |recipient: &&&Recipient| {
        if act == "notice_transfer" {
            Scribe::is_abroad(law, &recipient.place)
        } else {
            Scribe::is_handler(recipient)
        }
    };
    let recipients = scribe.used_recipients();
    recipients.iter().filter(is_meant).all(|recipient| recipient.contact.is_some())
}

/// The same, each with its place in these sections: a section that is not there says nothing.
pub(super) fn placed(required: Vec<Required>, sections: &[Section]) -> Vec<Required> {
    let stands = |id: S| sections.iter().any(|section| section.id == id.as_str());
    let with_place = |mut one: Required| {
        if matches!(one.place, Place::Section(id) if !stands(id)) {
            one.place = Place::Nowhere;
        }
        one
    };
    required.into_iter().map(with_place).collect()
}

/// Where a notice answers a duty that comes without a list.
fn of_act(act: &str, law: &str, policy: &Policy) -> Place {
    let speaks = |wanted: &str| {
        policy.shop.languages.iter().any(|language| language.as_str().split('-').next() == Some(wanted))
    };
    match act {
        "notice" => Place::Whole,
        "notice_sensitive" => Place::Section(S::Sensitive),
        "notice_minors" => Place::Section(S::Minors),
        "notice_transfer" => Place::Section(S::Abroad),
        "notice_sale" => Place::Section(S::Sale),
        "notice_automated" => Place::Section(S::Automated),
        "update" => Place::Section(S::Changes),
        "language" => match LANGUAGES.iter().find(|(pack, _)| *pack == law) {
            Some((_, languages)) if languages.iter().all(|language| speaks(language)) => Place::Whole,
            _ => Place::Nowhere,
        },
        _ => Place::Nowhere,
    }
}

/// The languages in which packs demand a notice; their notes say so in words.
const LANGUAGES: &[(&str, &[&str])] = &[("ca-qc", &["fr"]), ("cn", &["zh"]), ("my", &["ms", "en"])];

/// Where a notice says what an item of a list demands, by the item's English words; `None` for an item that is not known.
pub(super) fn place_of(item: &str) -> Option<Place> {
    PLACES.iter().find(|(known, _)| *known == item).map(|(_, place)| *place)
}

/// Every item of the lists in the built-in packs; a test walks them.
const PLACES: &[(&str, Place)] = &[
    // PIPL 17; Network Data Security Management Regulations 21
    ("name and contact of the handler", Place::Section(S::Shop)),
    ("purpose and method of handling, kinds of personal information, retention", Place::Section(S::Purposes)),
    ("what happens when the time is over, or how it is determined", Place::Section(S::Retention)),
    (
        "rights and how to use them: see, copy, transfer, correct, delete, restrict, cancel the account, withdraw consent",
        Place::Section(S::Rights),
    ),
    (
        "a list of what is collected, and a list of what is given to others, with recipients",
        Place::Section(S::Data),
    ),
    ("contact of the officer in charge of personal information protection", Place::Section(S::Shop)),
    // PIPL 30
    ("why it is necessary to handle sensitive personal information", Place::Section(S::Sensitive)),
    ("what it means for the person's rights and interests", Place::Section(S::Sensitive)),
    // PIPL 31
    ("special rules for the personal information of minors under 14", Place::Section(S::Minors)),
    // PIPL 23
    ("name and contact of the recipient", Place::Section(S::Recipients)),
    ("purpose, method, and kinds of personal information", Place::Section(S::Recipients)),
    // PIPL 39
    ("name and contact of the recipient abroad", Place::Section(S::Abroad)),
    ("how persons use their rights against the recipient abroad", Place::Section(S::Abroad)),
    // GDPR 13, 14; UK GDPR 13, 14
    ("identity and contact of the controller, and of its representative", Place::Section(S::Shop)),
    ("contact of the data protection officer", Place::Section(S::Shop)),
    ("the purposes and, for each, the legal basis", Place::Section(S::Purposes)),
    ("the purposes and, for each, the lawful basis", Place::Section(S::Purposes)),
    ("the legitimate interests, where they are the basis", Place::Section(S::Purposes)),
    ("recipients or categories of recipients", Place::Section(S::Recipients)),
    (
        "transfers to third countries: the country, the mechanism, how to get a copy",
        Place::Section(S::Abroad),
    ),
    ("transfers abroad: the country, the mechanism, how to get a copy", Place::Section(S::Abroad)),
    ("how long it is kept, or the criteria", Place::Section(S::Retention)),
    (
        "rights: access, rectification, erasure, restriction, portability, objection",
        Place::Section(S::Rights),
    ),
    ("that consent can be withdrawn at any time", Place::Section(S::Rights)),
    ("the complaint to a supervisory authority", Place::Section(S::Complaints)),
    ("the complaint to the regulator", Place::Section(S::Complaints)),
    (
        "whether giving the data is required by law or contract, and what follows if it is not given",
        Place::Section(S::Purposes),
    ),
    (
        "automated decisions: that they exist, the logic, significance and consequences",
        Place::Section(S::Automated),
    ),
    ("what stands in the notice to persons from whom data is collected", Place::Whole),
    ("the categories of data", Place::Section(S::Data)),
    ("the source of the data", Place::Section(S::Data)),
    ("the country", Place::Section(S::Abroad)),
    ("the mechanism: adequacy decision or safeguards", Place::Section(S::Abroad)),
    ("the mechanism: adequacy regulations or safeguards", Place::Section(S::Abroad)),
    ("how to get a copy of the safeguards", Place::Section(S::Abroad)),
    ("that decisions are automated", Place::Section(S::Automated)),
    ("the logic involved", Place::Section(S::Automated)),
    ("what it means for the person, and the consequences", Place::Section(S::Automated)),
    // Cal. Civ. Code 1798.100, 1798.130(a)(5)
    ("categories of personal information that are collected", Place::Section(S::Data)),
    ("where they come from", Place::Section(S::Data)),
    ("purposes for which they are used", Place::Section(S::Purposes)),
    ("whether they are sold or shared, and with which third parties", Place::Section(S::Sale)),
    ("how long each category is kept, or how that is determined", Place::Section(S::Retention)),
    (
        "rights and how to use them: two ways to ask, for a shop that is only online an e-mail address",
        Place::Section(S::Rights),
    ),
    ("how opt-out signals (GPC) are handled", Place::Section(S::Signals)),
    // No policy file says whether a shop pays for data: one that does has to say so in a note.
    ("financial incentives for data, where there are some", Place::Nowhere),
    ("the day of the last update", Place::Section(S::Changes)),
    (LINK_SALE, Place::Section(S::Sale)),
    (LINK_SENSITIVE, Place::Section(S::Sensitive)),
];

/// The link by which Californians stop sale and sharing, as its list names it.
pub(super) const LINK_SALE: &str = "the link “Do Not Sell or Share My Personal Information”";
/// The link by which Californians limit the use of sensitive data.
pub(super) const LINK_SENSITIVE: &str = "the link “Limit the Use of My Sensitive Personal Information”";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The items of every list that some rule of the question `notice` names, over all packs.
    fn items() -> BTreeSet<&'static str> {
        let mut items = BTreeSet::new();
        for pack in &rulebook::built_in().packs {
            let rules = pack.rules.iter().filter(|rule| rule.question.name == "notice");
            for list in rules.flat_map(|rule| &rule.duties).filter_map(|duty| duty.list) {
                items.extend(pack.lists[list].items.iter().map(|item| item.en.as_str()));
            }
        }
        items
    }

    #[test]
    fn every_content_that_a_pack_demands_has_its_place_and_no_place_is_for_nothing() {
        let items = items();
        assert!(items.len() > 30);
        for item in &items {
            assert!(place_of(item).is_some(), "no place for: {item}");
        }
        for (known, _) in PLACES {
            assert!(items.contains(known), "no pack demands: {known}");
        }
    }

    #[test]
    fn every_language_that_a_pack_demands_is_known() {
        for pack in &rulebook::built_in().packs {
            let demands = pack.rules.iter().filter(|rule| rule.question.name == "notice").any(|rule| {
                rule.duties.iter().any(|duty| rule.question.duties.get(duty.act) == Some(&"language"))
            });
            assert_eq!(demands, LANGUAGES.iter().any(|(known, _)| *known == pack.id), "{}", pack.id);
        }
    }
}
