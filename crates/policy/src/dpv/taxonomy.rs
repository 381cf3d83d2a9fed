//! The categories and uses of Fideslang as terms of DPV.

use super::term::{Mapped, Match, Term, Vocabulary};
use crate::taxonomy::{Category, DataUse};
use Match::{Broad, Close, Exact};
use Vocabulary::{Dpv, PersonalData};

/// The personal data of DPV that a category is.
pub fn personal_data(category: &Category) -> Mapped {
    let all = Term::dpv("PersonalData");
    find(CATEGORIES, category.key()).unwrap_or(Mapped::new(Broad, all))
}

/// The purpose of DPV that a data use is.
pub fn purpose(data_use: &DataUse) -> Mapped {
    find(USES, data_use.key()).unwrap_or(Mapped::new(Broad, Term::dpv("Purpose")))
}

/// A key of Fideslang, how close the term is, and the term.
type Row = (&'static str, Match, Vocabulary, &'static str);

fn find(rows: &[Row], key: &str) -> Option<Mapped> {
    let (_, by, vocabulary, name) = rows.iter().find(|(known, ..)| *known == key)?;
    Some(Mapped::new(*by, Term::new(*vocabulary, name)))
}

/// What the system knows of itself (`system`) is personal data only where a policy declares it: of DPV it is data.
const CATEGORIES: &[Row] = &[
    ("system", Broad, Dpv, "Data"),
    ("system.authentication", Broad, Dpv, "Data"),
    ("system.operations", Broad, Dpv, "Data"),
    ("user", Close, Dpv, "PersonalData"),
    ("user.account", Broad, Dpv, "PersonalData"),
    ("user.account.settings", Broad, PersonalData, "Preference"),
    ("user.account.username", Exact, PersonalData, "Username"),
    ("user.authorization", Close, PersonalData, "Authenticating"),
    ("user.authorization.biometric", Broad, PersonalData, "Biometric"),
    ("user.authorization.credentials", Broad, PersonalData, "Authenticating"),
    ("user.authorization.password", Exact, PersonalData, "Password"),
    ("user.behavior", Exact, PersonalData, "Behavioural"),
    ("user.behavior.browsing_history", Close, PersonalData, "BrowsingBehaviour"),
    ("user.behavior.media_consumption", Broad, PersonalData, "ServiceConsumptionBehaviour"),
    ("user.behavior.purchase_history", Close, PersonalData, "Purchase"),
    ("user.behavior.search_history", Broad, PersonalData, "BrowsingBehaviour"),
    ("user.biometric", Exact, PersonalData, "Biometric"),
    ("user.biometric.fingerprint", Exact, PersonalData, "Fingerprint"),
    ("user.biometric.health", Broad, PersonalData, "Biometric"),
    ("user.biometric.retinal", Exact, PersonalData, "Retina"),
    ("user.biometric.voice", Broad, PersonalData, "Biometric"),
    ("user.childrens", Broad, Dpv, "PersonalData"),
    ("user.contact", Exact, PersonalData, "Contact"),
    ("user.contact.address", Exact, PersonalData, "PhysicalAddress"),
    ("user.contact.address.city", Exact, PersonalData, "City"),
    ("user.contact.address.country", Close, PersonalData, "Country"),
    ("user.contact.address.postal_code", Exact, PersonalData, "PostalCode"),
    ("user.contact.address.state", Close, PersonalData, "Region"),
    ("user.contact.address.street", Exact, PersonalData, "Street"),
    ("user.contact.email", Exact, PersonalData, "EmailAddress"),
    ("user.contact.fax_number", Broad, PersonalData, "Contact"),
    ("user.contact.organization", Broad, PersonalData, "Contact"),
    ("user.contact.phone_number", Exact, PersonalData, "TelephoneNumber"),
    ("user.contact.url", Broad, PersonalData, "Contact"),
    ("user.content", Broad, Dpv, "PersonalData"),
    ("user.content.private", Broad, Dpv, "PersonalData"),
    ("user.content.public", Broad, Dpv, "PersonalData"),
    ("user.content.self_image", Broad, PersonalData, "Picture"),
    ("user.criminal_history", Close, PersonalData, "Criminal"),
    ("user.demographic", Close, PersonalData, "Demographic"),
    ("user.demographic.age_range", Exact, PersonalData, "AgeRange"),
    ("user.demographic.date_of_birth", Exact, PersonalData, "BirthDate"),
    ("user.demographic.gender", Exact, PersonalData, "Gender"),
    ("user.demographic.language", Exact, PersonalData, "Language"),
    ("user.demographic.marital_status", Exact, PersonalData, "MaritalStatus"),
    ("user.demographic.political_opinion", Close, PersonalData, "PoliticalOpinion"),
    ("user.demographic.profile", Close, PersonalData, "Profile"),
    ("user.demographic.race_ethnicity", Close, PersonalData, "Ethnicity"),
    ("user.demographic.religious_belief", Close, PersonalData, "ReligiousBelief"),
    ("user.demographic.sexual_orientation", Close, PersonalData, "SexualPreference"),
    ("user.device", Close, PersonalData, "DeviceBased"),
    ("user.device.cookie", Broad, PersonalData, "DeviceBased"),
    ("user.device.cookie_id", Broad, PersonalData, "Identifier"),
    ("user.device.device_id", Broad, PersonalData, "DeviceBased"),
    ("user.device.ip_address", Exact, PersonalData, "IPAddress"),
    ("user.financial", Close, PersonalData, "Financial"),
    ("user.financial.bank_account", Exact, PersonalData, "BankAccount"),
    ("user.financial.credit_card", Broad, PersonalData, "PaymentCard"),
    ("user.government_id", Exact, PersonalData, "OfficialID"),
    ("user.government_id.birth_certificate", Broad, PersonalData, "OfficialID"),
    ("user.government_id.drivers_license_number", Broad, PersonalData, "OfficialID"),
    ("user.government_id.immigration", Broad, PersonalData, "OfficialID"),
    ("user.government_id.national_identification_number", Broad, PersonalData, "OfficialID"),
    ("user.government_id.passport_number", Broad, PersonalData, "Passport"),
    ("user.government_id.vehicle_registration", Close, PersonalData, "VehicalLicenseRegistration"),
    ("user.health_and_medical", Close, PersonalData, "MedicalHealth"),
    ("user.health_and_medical.genetic", Exact, PersonalData, "Genetic"),
    ("user.health_and_medical.insurance_beneficiary_id", Broad, PersonalData, "MedicalHealth"),
    ("user.health_and_medical.record_id", Broad, PersonalData, "HealthRecord"),
    ("user.job_title", Broad, PersonalData, "Job"),
    ("user.location", Exact, PersonalData, "Location"),
    ("user.location.imprecise", Broad, PersonalData, "Location"),
    ("user.location.precise", Close, PersonalData, "GPSCoordinate"),
    ("user.name", Exact, PersonalData, "Name"),
    ("user.name.first", Broad, PersonalData, "Name"),
    ("user.name.last", Broad, PersonalData, "Name"),
    ("user.payment", Broad, PersonalData, "Transactional"),
    ("user.privacy_preferences", Exact, PersonalData, "PrivacyPreference"),
    ("user.sensor", Broad, Dpv, "PersonalData"),
    ("user.social", Broad, PersonalData, "Social"),
    ("user.telemetry", Broad, PersonalData, "Tracking"),
    ("user.unique_id", Close, PersonalData, "UID"),
    ("user.unique_id.pseudonymous", Broad, PersonalData, "Identifier"),
    ("user.user_sensor", Broad, Dpv, "PersonalData"),
    ("user.workplace", Close, PersonalData, "CurrentEmployment"),
];

/// DPV has no purpose for collecting, sharing, training or running a business as such: there the match is with any purpose.
const USES: &[Row] = &[
    ("analytics", Close, Dpv, "ServiceUsageAnalytics"),
    ("analytics.reporting", Close, Dpv, "ServiceUsageAnalytics"),
    ("analytics.reporting.ad_performance", Broad, Dpv, "Advertising"),
    ("analytics.reporting.campaign_insights", Broad, Dpv, "Marketing"),
    ("analytics.reporting.content_performance", Broad, Dpv, "ServiceUsageAnalytics"),
    ("analytics.reporting.system", Broad, Dpv, "ServiceUsageAnalytics"),
    ("analytics.reporting.system.performance", Broad, Dpv, "ServiceUsageAnalytics"),
    ("collect", Broad, Dpv, "Purpose"),
    ("employment", Close, Dpv, "HumanResourceManagement"),
    ("employment.recruitment", Exact, Dpv, "RecruitmentManagement"),
    ("essential", Close, Dpv, "ServiceProvision"),
    ("essential.fraud_detection", Close, Dpv, "FraudPreventionAndDetection"),
    ("essential.legal_obligation", Close, Dpv, "LegalCompliance"),
    ("essential.service", Close, Dpv, "RequestedServiceProvision"),
    ("essential.service.authentication", Close, Dpv, "IdentityAuthentication"),
    ("essential.service.notifications", Broad, Dpv, "CommunicationManagement"),
    ("essential.service.notifications.email", Broad, Dpv, "CommunicationManagement"),
    ("essential.service.notifications.sms", Broad, Dpv, "CommunicationManagement"),
    ("essential.service.operations", Broad, Dpv, "ServiceProvision"),
    ("essential.service.operations.improve", Broad, Dpv, "ServiceOptimisation"),
    ("essential.service.operations.support", Close, Dpv, "CustomerCare"),
    ("essential.service.payment_processing", Close, Dpv, "PaymentManagement"),
    ("essential.service.security", Close, Dpv, "EnforceSecurity"),
    ("essential.service.upgrades", Broad, Dpv, "ServiceProvision"),
    ("finance", Broad, Dpv, "OrganisationGovernance"),
    ("functional", Broad, Dpv, "ServiceProvision"),
    ("functional.service", Close, Dpv, "ServiceProvision"),
    ("functional.service.improve", Exact, Dpv, "ImproveExistingProductsAndServices"),
    ("functional.storage", Broad, Dpv, "TechnicalServiceProvision"),
    ("functional.storage.privacy_preferences", Broad, Dpv, "TechnicalServiceProvision"),
    ("marketing", Close, Dpv, "Marketing"),
    ("marketing.advertising", Exact, Dpv, "Advertising"),
    ("marketing.advertising.first_party", Broad, Dpv, "PersonalisedAdvertising"),
    ("marketing.advertising.first_party.contextual", Broad, Dpv, "Advertising"),
    ("marketing.advertising.first_party.targeted", Broad, Dpv, "TargetedAdvertising"),
    ("marketing.advertising.frequency_capping", Broad, Dpv, "Advertising"),
    ("marketing.advertising.negative_targeting", Broad, Dpv, "Advertising"),
    ("marketing.advertising.profiling", Broad, Dpv, "PersonalisedAdvertising"),
    ("marketing.advertising.serving", Broad, Dpv, "Advertising"),
    ("marketing.advertising.third_party", Broad, Dpv, "PersonalisedAdvertising"),
    ("marketing.advertising.third_party.targeted", Broad, Dpv, "TargetedAdvertising"),
    ("marketing.communications", Close, Dpv, "DirectMarketing"),
    ("marketing.communications.email", Broad, Dpv, "DirectMarketing"),
    ("marketing.communications.sms", Broad, Dpv, "DirectMarketing"),
    ("operations", Broad, Dpv, "Purpose"),
    ("personalize", Exact, Dpv, "Personalisation"),
    ("personalize.content", Broad, Dpv, "ServicePersonalisation"),
    ("personalize.content.limited", Broad, Dpv, "ServicePersonalisation"),
    ("personalize.content.profiled", Broad, Dpv, "ServicePersonalisation"),
    ("personalize.content.profiling", Broad, Dpv, "ServicePersonalisation"),
    ("personalize.profiling", Broad, Dpv, "ServicePersonalisation"),
    ("personalize.system", Broad, Dpv, "ServicePersonalisation"),
    ("sales", Close, Dpv, "SellProducts"),
    ("third_party_sharing", Broad, Dpv, "Purpose"),
    ("third_party_sharing.legal_obligation", Broad, Dpv, "FulfilmentOfObligation"),
    ("train_ai_system", Broad, Dpv, "Purpose"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_fideslang_has_a_row_of_its_own() {
        let keys = |rows: &[Row]| rows.iter().map(|(key, ..)| *key).collect::<Vec<_>>();
        assert_eq!(keys(CATEGORIES), Category::all().map(|category| category.key()).collect::<Vec<_>>());
        assert_eq!(keys(USES), DataUse::all().map(|data_use| data_use.key()).collect::<Vec<_>>());
    }
}
