//! The articles for which a record has its columns. How sure we are of each comes from the fact base, as in `law.rs`.

use crate::law::{Citation, NETWORK_12, gdpr, pipl};

/// One article of each law.
macro_rules! cites {
    ($($(#[$doc:meta])* $name:ident = $law:ident $article:literal;)+) => {
        $($(#[$doc])* pub(super) const $name: &[Citation] = &[$law($article)];)+
    };
}

cites! {
    /// Who keeps the data, and whom to turn to.
    GDPR_WHO = gdpr "30(1)(a)";
    GDPR_JOINT = gdpr "26";
    GDPR_REPRESENTATIVE = gdpr "27";
    GDPR_PURPOSE = gdpr "30(1)(b)";
    GDPR_CATEGORIES = gdpr "30(1)(c)";
    GDPR_RECIPIENTS = gdpr "30(1)(d)";
    GDPR_TRANSFERS = gdpr "30(1)(e)";
    GDPR_LIMITS = gdpr "30(1)(f)";
    GDPR_MEASURES = gdpr "30(1)(g)";
    GDPR_BASIS = gdpr "6(1)";
    GDPR_INTERESTS = gdpr "6(1)(f)";
    GDPR_NOTICE = gdpr "13";
    GDPR_AUTOMATED = gdpr "22";
    GDPR_PROCESSORS = gdpr "28(3)";
    GDPR_BREACHES = gdpr "33(5)";
    GDPR_ASSESSMENT = gdpr "35";
    GDPR_PROCESSOR_RECORD = gdpr "30(2)";
    PIPL_BASIS = pipl "13";
    PIPL_CONSENT = pipl "14";
    PIPL_WITHDRAWAL = pipl "15";
    PIPL_NOTICE = pipl "17";
    PIPL_RETENTION = pipl "19";
    PIPL_JOINT = pipl "20";
    PIPL_AUTOMATED = pipl "24";
    PIPL_SENSITIVE = pipl "28";
    PIPL_EXPORT = pipl "39";
    PIPL_MEASURES = pipl "51";
    PIPL_OFFICER = pipl "52";
    PIPL_REPRESENTATIVE = pipl "53";
    PIPL_ASSESSMENT = pipl "55-56";
    PIPL_ENTRUSTED = pipl "59";
}

/// Special categories, and criminal convictions.
pub(super) const GDPR_SPECIAL: &[Citation] = &[gdpr("9"), gdpr("10")];
/// How a person ends it: withdraws, objects.
pub(super) const GDPR_REFUSAL: &[Citation] = &[gdpr("7(3)"), gdpr("21")];
/// The three ways of passing data on that need separate consent and that a policy can show.
pub(super) const PIPL_SEPARATE: &[Citation] = &[pipl("23"), pipl("29"), pipl("39")];
/// Entrusting, and providing to another.
pub(super) const PIPL_RECIPIENTS: &[Citation] = &[pipl("21"), pipl("23")];
/// What has to be agreed with those who get data, and for how long the record of it is kept.
pub(super) const CN_AGREEMENTS: &[Citation] = &[pipl("21"), NETWORK_12];
