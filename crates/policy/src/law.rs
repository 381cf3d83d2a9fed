//! The few laws this crate cites by itself. Everything else a law says comes with the packs.
//!
//! SOURCE: the project's fact base `law/regulations.md` (status 2026-11-21); each mark there is kept here:
//! [T] the statute's text was read, [S] a secondary source was read, [K] from knowledge, still to be verified.

use serde::Serialize;
use std::fmt;

/// How sure are we of what the law says?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The statute's own text, or verbatim quotes of it, was read.
    Text,
    /// A secondary source was read.
    Secondary,
    /// From knowledge; to be verified before it is relied on.
    Unverified,
}

/// A place in a law on which a finding rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Citation {
    /// The law's usual short name.
    pub law: &'static str,
    /// Article and paragraph.
    pub article: &'static str,
    /// The date it came into force, where the fact base gives one.
    pub in_force: Option<&'static str>,
    /// How sure we are.
    pub confidence: Confidence,
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.law, self.article)?;
        match self.confidence {
            Confidence::Text => Ok(()),
            Confidence::Secondary => f.write_str(" (secondary source)"),
            Confidence::Unverified => f.write_str(" (unverified)"),
        }
    }
}

pub(crate) const fn pipl(article: &'static str) -> Citation {
    Citation { law: "PIPL", article, in_force: None, confidence: Confidence::Text }
}

pub(crate) const fn gdpr(article: &'static str) -> Citation {
    Citation { law: "GDPR", article, in_force: Some("2018-05-25"), confidence: Confidence::Unverified }
}

/// Minimisation. The article stands in the design, not in the fact base: unverified until it does.
pub(crate) const MINIMISATION: &[Citation] =
    &[Citation { confidence: Confidence::Unverified, ..pipl("6") }, gdpr("5(1)(c)")];
/// Kept no longer than needed.
pub(crate) const STORAGE_LIMIT: &[Citation] = &[pipl("19"), gdpr("5(1)(e)")];
/// What a notice must say, and to whom.
pub(crate) const NOTICE: &[Citation] = &[pipl("17"), gdpr("13")];
/// Consent can be withdrawn as easily as given.
pub(crate) const WITHDRAWAL: &[Citation] = &[pipl("15"), gdpr("7(3)")];
/// Sensitive data needs separate consent and sufficient necessity.
pub(crate) const SENSITIVE: &[Citation] = &[pipl("28-30"), gdpr("9")];
/// What has to be agreed with those who get data, and for how long the record of it is kept.
pub(crate) const NETWORK_12: Citation = Citation {
    law: "Network Data Security Management Regulations",
    article: "12",
    in_force: Some("2025-01-01"),
    confidence: Confidence::Text,
};
/// What must be agreed with those who process for the shop.
pub(crate) const AGREEMENT: &[Citation] = &[pipl("21"), NETWORK_12, gdpr("28(3)")];
/// Selling Chinese consumers' data.
pub(crate) const SALE_CN: &[Citation] = &[pipl("23")];
/// Selling Californian consumers' data: they may opt out.
pub(crate) const SALE_US_CA: &[Citation] = &[Citation {
    law: "Cal. Civ. Code",
    article: "1798.120",
    in_force: None,
    confidence: Confidence::Unverified,
}];
/// De-identification and access rights as measures of security.
pub(crate) const SECURITY: &[Citation] = &[pipl("51")];

/// A rule of the Californian Privacy Protection Agency.
const fn ccr(article: &'static str) -> Citation {
    Citation { law: "11 CCR", article, in_force: Some("2023-03-29"), confidence: Confidence::Secondary }
}

/// The board's guidelines on deceptive patterns: no law, and what authorities go by.
const EDPB_PATTERNS: Citation = Citation {
    law: "EDPB Guidelines",
    article: "03/2022",
    in_force: None,
    confidence: Confidence::Secondary,
};

/// To say no is as easy as to say yes.
pub(crate) const SYMMETRY: &[Citation] =
    &[pipl("15"), pipl("16"), gdpr("7(3)"), ccr("7004(a)(2)"), EDPB_PATTERNS];
/// Words that confuse or press.
pub(crate) const DARK_PATTERNS: &[Citation] = &[pipl("14"), gdpr("4(11)"), ccr("7004(a)"), EDPB_PATTERNS];
/// Silence and boxes that are ticked already are no consent.
pub(crate) const PRE_TICKED: &[Citation] = &[pipl("14"), gdpr("4(11)"), EDPB_PATTERNS];
/// Text that can be read.
pub(crate) const CONTRAST: &[Citation] = &[
    Citation { law: "WCAG", article: "2.2, 1.4.3", in_force: None, confidence: Confidence::Unverified },
    ccr("7004(a)(1)"),
];

/// Sensitive under both laws.
pub(crate) const SPECIAL: &[Citation] = &[pipl("28"), gdpr("9")];
/// Sensitive under the Chinese list only (financial accounts, location tracks, children under 14).
pub(crate) const SPECIAL_CN: &[Citation] = &[pipl("28")];
/// Special under the European list only.
pub(crate) const SPECIAL_EU: &[Citation] = &[gdpr("9")];
/// Criminal records.
pub(crate) const CRIMINAL: &[Citation] = &[gdpr("10")];
/// Numbers of identity documents: the older Chinese standard counts them as sensitive, the newer no longer by
/// itself; the fact base advises the strict reading.
pub(crate) const IDENTITY: &[Citation] =
    &[Citation { law: "GB/T 35273", article: "Annex B", in_force: None, confidence: Confidence::Secondary }];
