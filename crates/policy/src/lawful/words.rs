//! The words of the policy format in the words of the packs.

use crate::taxonomy::{Category, DataUse};
use crate::words::{Basis, Channel, Minors, Route};

/// The ground, as packs name it.
pub(super) const fn ground(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent | Basis::SeparateConsent => "consent",
        Basis::Contract => "contract",
        Basis::LegalObligation => "legal_duty",
        Basis::LegitimateInterest => "legitimate_interest",
        Basis::VitalInterest => "vital_interest",
        Basis::PublicTask => "public_task",
    }
}

/// The bases of the format that are one of these grounds.
pub(super) fn bases_of<'w>(grounds: &'w [&'w str]) -> impl Iterator<Item = Basis> + 'w {
    let is_plain = |basis: &Basis| *basis != Basis::SeparateConsent;
    Basis::ALL.iter().copied().filter(is_plain).filter(|basis| grounds.contains(&ground(*basis)))
}

/// Kinds of data that laws treat apart, by the Fideslang category at or above which they stand.
const SENSITIVE: &[(&str, &[&str])] = &[
    ("user.authorization.biometric", &["biometric"]),
    ("user.authorization.credentials", &["credentials"]),
    ("user.authorization.password", &["credentials"]),
    ("user.biometric", &["biometric"]),
    ("user.childrens", &["minor"]),
    ("user.content.private", &["message_content"]),
    ("user.criminal_history", &["criminal_record"]),
    ("user.demographic.political_opinion", &["political_opinion"]),
    ("user.demographic.race_ethnicity", &["race_ethnicity"]),
    ("user.demographic.religious_belief", &["religion"]),
    ("user.demographic.sexual_orientation", &["sex_life"]),
    ("user.financial", &["financial_account"]),
    ("user.government_id.immigration", &["id_document", "citizenship"]),
    ("user.government_id", &["id_document"]),
    ("user.health_and_medical.genetic", &["genetic", "health"]),
    ("user.health_and_medical", &["health"]),
    ("user.location.precise", &["location_track", "precise_location"]),
];

/// The words of packs for a category that laws treat apart.
pub(crate) fn sensitive(category: Category) -> &'static [&'static str] {
    SENSITIVE.iter().find(|(key, _)| category.is_within(key)).map_or(&[], |(_, words)| words)
}

/// What is done that has a default of its own, by the Fideslang use at or above which it stands.
const ACTIVITIES: &[(&str, &str)] = &[
    ("marketing.advertising.first_party.contextual", ""),
    ("marketing.advertising.first_party.targeted", "targeted_ads"),
    ("marketing.advertising.profiling", "profiling"),
    ("marketing.advertising.third_party.targeted", "targeted_ads"),
    ("marketing.communications.email", "marketing_email"),
    ("marketing.communications.sms", "marketing_sms"),
    ("personalize.content", "recommendation"),
    ("personalize.profiling", "profiling"),
    ("personalize.system", "recommendation"),
    ("personalize", "recommendation"),
];

/// What is done, in the words of packs.
pub(crate) fn activity(data_use: DataUse) -> Option<&'static str> {
    let found = ACTIVITIES.iter().find(|(key, _)| data_use.is_within(key))?;
    Some(found.1).filter(|word| !word.is_empty())
}

/// Categories that a rule about necessary data names, and those that the shop gives by itself.
const NECESSARY: &[(&str, &[&str])] = &[
    ("user.contact.phone_number", &["registered_mobile", "consignee_phone"]),
    ("user.name", &["consignee_name"]),
    ("user.contact.address", &["consignee_address"]),
    ("user.payment", &["payment_time", "payment_amount", "payment_channel"]),
];

/// Nobody gives these: the shop makes them.
const OWN: &[&str] =
    &["user.unique_id", "user.behavior", "user.account", "user.privacy_preferences", "system"];

/// Does nobody give data of this category, since it comes about when the shop is used?
pub(crate) fn is_own(category: Category) -> bool {
    OWN.iter().any(|key| category.is_within(key))
}

/// Is somebody asked for more than a rule holds necessary?
pub(super) fn is_necessary(category: Category, held_necessary: &[&str]) -> bool {
    let named = NECESSARY.iter().find(|(key, _)| category.is_within(key));
    named.is_some_and(|(_, words)| words.iter().any(|word| held_necessary.contains(word))) || is_own(category)
}

/// A country, as packs name places.
pub(crate) fn place(country: &str) -> &'static str {
    let named = if country == "gb" { "uk" } else { country };
    rulebook::question::PLACES.iter().find(|place| **place == named).copied().unwrap_or("other")
}

/// The pack of a marketplace's rules.
pub(super) const fn platform(channel: Channel) -> Option<&'static str> {
    match channel {
        Channel::Own => None,
        Channel::Jd => Some("jd"),
        Channel::Taobao | Channel::Tmall => Some("taobao"),
        Channel::TiktokShop => Some("tiktok-shop"),
        Channel::Shopify => Some("shopify"),
        Channel::Amazon => Some("amazon"),
    }
}

/// Does this route answer what a pack asks for?
pub(super) fn answers(asked: &str, route: Route) -> bool {
    match asked {
        "exempt" | "free" | "adequacy" => true,
        "standard_contract_or_certification" => {
            matches!(route, Route::StandardContract | Route::Certification | Route::SecurityAssessment)
        }
        "security_assessment" => route == Route::SecurityAssessment,
        "safeguards" => {
            matches!(route, Route::StandardContract | Route::Certification | Route::BindingRules)
        }
        "comparable_protection" | "consent_or_equivalent" => route != Route::Exempt,
        "assessment_filing" => route == Route::AssessmentFiling,
        _ => false,
    }
}

/// What to write for a route that a pack asks for.
pub(super) fn routes_for(asked: &str) -> &'static str {
    match asked {
        "standard_contract_or_certification" => "`standard_contract` or `certification`",
        "security_assessment" => "`security_assessment`",
        "safeguards" => "`standard_contract`, `binding_rules` or `certification`",
        "comparable_protection" => "`comparable_contract`, `binding_rules` or `certification`",
        "consent_or_equivalent" => "`consent` or `comparable_contract`",
        "assessment_filing" => "`assessment_filing`",
        _ => "none that would be lawful",
    }
}

/// The age that facts give of a person: grown-up, unless minors are asked about.
pub(super) const ADULT: u64 = 30;

/// Ages at which minors are asked about: a child, and somebody who is almost grown up.
pub(super) const MINORS: [u64; 2] = [8, 15];

/// Does the policy let minors in?
pub(super) fn lets_minors_in(minors: Option<Minors>) -> bool {
    minors == Some(Minors::WithGuardian)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rulebook::question::{ACTIVITIES as KNOWN_ACTIVITIES, SENSITIVE as KNOWN_SENSITIVE};

    #[test]
    fn every_key_is_of_the_taxonomy_and_every_word_of_the_packs() {
        for (key, words) in SENSITIVE {
            assert!(Category::find(key).is_some(), "{key}");
            assert!(words.iter().all(|word| KNOWN_SENSITIVE.contains(word)), "{words:?}");
        }
        for (key, word) in ACTIVITIES {
            assert!(DataUse::find(key).is_some(), "{key}");
            assert!(word.is_empty() || KNOWN_ACTIVITIES.contains(word), "{word}");
        }
        for key in NECESSARY.iter().map(|(key, _)| key).chain(OWN) {
            assert!(Category::find(key).is_some(), "{key}");
        }
        for basis in Basis::ALL {
            assert!(rulebook::question::BASES.contains(&ground(*basis)));
        }
        for channel in Channel::ALL {
            assert!(platform(*channel).is_none_or(|id| rulebook::built_in().find(id).is_some()), "{channel}");
        }
    }

    #[test]
    fn a_country_that_no_pack_tells_apart_is_another() {
        assert_eq!((place("gb"), place("de"), place("cn"), place("zw")), ("uk", "de", "cn", "other"));
    }
}
