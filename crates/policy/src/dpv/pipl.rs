//! Our own extension of DPV for the Personal Information Protection Law of China (PIPL): bases, consents, parties, conditions
//! of export, duties and rights that DPV has no term for.
//!
//! [`turtle`] writes it as the file `docs/spec/pipl.ttl`. Terms are named as DPV's module for the GDPR names its own: `A13-1-2` is
//! article 13, paragraph 1, item 2.

use super::term::{Match, Term, Vocabulary};
use crate::law::Confidence;
use Confidence::{Secondary, Text, Unverified};
use Vocabulary::{Dpv, Pipl};
use std::fmt::Write as _;

/// What the addresses of the extension's terms begin with.
///
/// It follows the custom of DPV and its extensions. It is **not yet registered** with w3id.org: until it is, the addresses name the terms
/// and lead nowhere.
pub const NAMESPACE: &str = "https://w3id.org/strongroom/pipl#";

/// A term of the extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    name: &'static str,
    kind: Option<&'static str>,
    broader: &'static [(Vocabulary, &'static str)],
    english: &'static str,
    chinese: &'static str,
    source: &'static str,
    confidence: Confidence,
    near: Option<&'static str>,
}

impl Own {
    /// The term itself.
    pub fn term(&self) -> Term {
        term(self.name)
    }

    /// The class of DPV that it is an instance of, if it is of one: a legal basis, a measure, a right.
    pub fn kind(&self) -> Option<Term> {
        self.kind.map(Term::dpv)
    }

    /// The terms above it.
    pub fn broader(&self) -> impl Iterator<Item = Term> {
        self.broader.iter().map(|(vocabulary, name)| Term::new(*vocabulary, name))
    }

    /// The term of DPV that it is near to, where it reaches further than that: a contract, or human resources.
    pub fn near(&self) -> Option<Term> {
        self.near.map(Term::dpv)
    }

    /// Its name in English.
    pub fn english(&self) -> &'static str {
        self.english
    }

    /// Its name in Chinese.
    pub fn chinese(&self) -> &'static str {
        self.chinese
    }

    /// The law and article that it is from.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// How sure we are of the law.
    pub fn confidence(&self) -> Confidence {
        self.confidence
    }

    const fn near_to(self, name: &'static str) -> Self {
        Self { near: Some(name), ..self }
    }
}

/// Every term of the extension.
pub fn terms() -> impl Iterator<Item = Own> {
    TERMS.iter().copied()
}

pub(super) const fn term(name: &'static str) -> Term {
    Term::new(Pipl, name)
}

/// The extension as Turtle: the same text each time.
pub fn turtle() -> String {
    let mut out = HEAD.replace("NAMESPACE", NAMESPACE);
    for own in TERMS {
        // A string takes whatever is written to it.
        let _ = write_term(&mut out, own);
    }
    out
}

fn write_term(out: &mut String, own: &Own) -> std::fmt::Result {
    let above = own.broader().map(|term| term.to_string()).collect::<Vec<_>>().join(", ");
    let kind = own.kind().map(|kind| format!(", {kind}")).unwrap_or_default();
    writeln!(out, "\npipl:{} a rdfs:Class, skos:Concept{kind} ;", own.name)?;
    writeln!(out, "    rdfs:subClassOf {above} ;")?;
    writeln!(out, "    skos:broader {above} ;")?;
    if let Some(near) = own.near() {
        writeln!(out, "    {} {near} ;", Match::Close.property())?;
    }
    writeln!(out, "    skos:prefLabel \"{}\"@en, \"{}\"@zh ;", own.english, own.chinese)?;
    writeln!(out, "    dct:source \"{}\" ;", own.source)?;
    writeln!(out, "    skos:editorialNote \"{}\"@en ;", sure(own.confidence))?;
    writeln!(out, "    rdfs:isDefinedBy <{NAMESPACE}> ;\n    skos:inScheme <{NAMESPACE}> .")
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Text => "The text of the law was read.",
        Secondary => "A secondary source was read.",
        Unverified => "From knowledge: unverified.",
    }
}

const HEAD: &str = "\
# An extension of the W3C Data Privacy Vocabulary (DPV 2.2) for the Personal Information Protection Law of China.
# Written by `policy::dpv::pipl::turtle`; a test holds this file against it. Not legal advice.
# The namespace is not registered yet: the addresses name the terms and lead nowhere.

@prefix dct: <http://purl.org/dc/terms/> .
@prefix dpv: <https://w3id.org/dpv#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix pipl: <NAMESPACE> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .

<NAMESPACE> a owl:Ontology, skos:ConceptScheme ;
    dct:title \"PIPL extension of DPV\"@en, \"个人信息保护法扩展词汇\"@zh ;
    dct:license <https://www.apache.org/licenses/LICENSE-2.0> .
";

const BASIS: Option<&str> = Some("LegalBasis");
const MEASURE: Option<&str> = Some("OrganisationalMeasure");
const RIGHT: Option<&str> = Some("Right");

const fn own(
    name: &'static str,
    kind: Option<&'static str>,
    broader: &'static [(Vocabulary, &'static str)],
    english: &'static str,
    chinese: &'static str,
    source: &'static str,
    confidence: Confidence,
) -> Own {
    Own { name, kind, broader, english, chinese, source, confidence, near: None }
}

/// SOURCE: the project's fact base `law/regulations.md`, sections CN.1, CN.2, CN.5 to CN.7; its marks are kept. The numbers
/// of the items of article 13 and the names in Chinese are from knowledge.
const TERMS: &[Own] = &[
    // Parties and data
    own(
        "Handler",
        None,
        &[(Dpv, "DataController")],
        "Personal information handler",
        "个人信息处理者",
        "PIPL 73(1)",
        Unverified,
    ),
    own(
        "OtherHandler",
        None,
        &[(Dpv, "Recipient")],
        "Another handler that gets the data",
        "接收个人信息的其他处理者",
        "PIPL 23",
        Text,
    ),
    own("EntrustedParty", None, &[(Dpv, "DataProcessor")], "Entrusted party", "受托人", "PIPL 21, 59", Text),
    own(
        "ProtectionOfficer",
        None,
        &[(Dpv, "DataProtectionOfficer")],
        "Personal information protection officer",
        "个人信息保护负责人",
        "PIPL 52",
        Secondary,
    ),
    own(
        "DomesticRepresentative",
        None,
        &[(Dpv, "Representative")],
        "Agency or representative in China of a foreign handler",
        "境内专门机构或者指定代表",
        "PIPL 53",
        Text,
    ),
    own(
        "SensitivePersonalInformation",
        None,
        &[(Dpv, "SensitivePersonalData")],
        "Sensitive personal information",
        "敏感个人信息",
        "PIPL 28",
        Text,
    ),
    // Bases
    own("A13-1-1", BASIS, &[(Dpv, "Consent")], "Consent", "取得个人的同意", "PIPL 13(1)(1), 14(1)", Text),
    own(
        "A13-1-2",
        BASIS,
        &[(Dpv, "LegalBasis")],
        "Needed for a contract with the person, or for human resources",
        "订立、履行合同所必需,或者实施人力资源管理所必需",
        "PIPL 13(1)(2)",
        Text,
    )
    .near_to("Contract"),
    own(
        "A13-1-3",
        BASIS,
        &[(Dpv, "LegalObligation")],
        "Needed for a duty by law",
        "履行法定职责或者法定义务所必需",
        "PIPL 13(1)(3)",
        Text,
    ),
    own(
        "A13-1-4",
        BASIS,
        &[(Dpv, "LegalBasis")],
        "Public health or an emergency",
        "应对突发公共卫生事件,或者紧急情况下保护自然人的生命健康和财产安全所必需",
        "PIPL 13(1)(4)",
        Text,
    )
    .near_to("VitalInterest"),
    own(
        "A13-1-5",
        BASIS,
        &[(Dpv, "PublicInterest")],
        "News and public supervision",
        "为公共利益实施新闻报道、舆论监督",
        "PIPL 13(1)(5)",
        Text,
    ),
    own(
        "A13-1-6",
        BASIS,
        &[(Dpv, "LegalBasis")],
        "Already public, within reason",
        "在合理的范围内处理已经公开的个人信息",
        "PIPL 13(1)(6)",
        Text,
    ),
    own(
        "A13-1-7",
        BASIS,
        &[(Dpv, "LegalBasis")],
        "Other laws and administrative regulations",
        "法律、行政法规规定的其他情形",
        "PIPL 13(1)(7)",
        Text,
    ),
    // Consents
    own(
        "SeparateConsent",
        BASIS,
        &[(Dpv, "ExplicitlyExpressedConsent"), (Pipl, "A13-1-1")],
        "Separate consent",
        "单独同意",
        "PIPL 14(1); Network Data Security Management Regulations 62(7)",
        Text,
    ),
    own(
        "A23-separate-consent",
        BASIS,
        &[(Pipl, "SeparateConsent")],
        "Separate consent to giving data to another handler",
        "向其他个人信息处理者提供个人信息的单独同意",
        "PIPL 23",
        Text,
    ),
    own(
        "A25-separate-consent",
        BASIS,
        &[(Pipl, "SeparateConsent")],
        "Separate consent to making data public",
        "公开个人信息的单独同意",
        "PIPL 25",
        Text,
    ),
    own(
        "A26-separate-consent",
        BASIS,
        &[(Pipl, "SeparateConsent")],
        "Separate consent to another use of images and identities from public places",
        "将公共场所收集的个人图像、身份识别信息用于其他目的的单独同意",
        "PIPL 26",
        Text,
    ),
    own(
        "A29-separate-consent",
        BASIS,
        &[(Pipl, "SeparateConsent")],
        "Separate consent to handling sensitive personal information",
        "处理敏感个人信息的单独同意",
        "PIPL 29",
        Text,
    ),
    own(
        "A39-separate-consent",
        BASIS,
        &[(Pipl, "SeparateConsent")],
        "Separate consent to giving data abroad",
        "向境外提供个人信息的单独同意",
        "PIPL 39",
        Text,
    ),
    own(
        "WrittenConsent",
        BASIS,
        &[(Dpv, "ExplicitlyExpressedConsent"), (Pipl, "A13-1-1")],
        "Written consent",
        "书面同意",
        "PIPL 14(1)",
        Text,
    ),
    // Export
    own(
        "SecurityAssessment",
        BASIS,
        &[(Dpv, "DataTransferLegalBasis")],
        "Security assessment of data export",
        "数据出境安全评估",
        "Cross-border Provisions (CAC Order 16) 7",
        Text,
    ),
    own(
        "Certification",
        BASIS,
        &[(Dpv, "DataTransferLegalBasis")],
        "Certification of personal information export",
        "个人信息出境认证",
        "Personal Information Export Certification Measures (CAC Order 20) 5-8",
        Text,
    ),
    own(
        "StandardContract",
        BASIS,
        &[(Dpv, "DataTransferLegalBasis")],
        "Standard contract for personal information export",
        "个人信息出境标准合同",
        "Standard Contract Measures (CAC Order 13) 6-8",
        Text,
    ),
    own(
        "StandardContractFiling",
        MEASURE,
        &[(Dpv, "Notification")],
        "Filing of the standard contract",
        "个人信息出境标准合同备案",
        "Standard Contract Measures (CAC Order 13) 6-8",
        Text,
    ),
    // Duties
    own(
        "PIPIA",
        MEASURE,
        &[(Dpv, "PIA")],
        "Personal information protection impact assessment",
        "个人信息保护影响评估",
        "PIPL 55-56",
        Text,
    ),
    own(
        "HandlingRecord",
        MEASURE,
        &[(Dpv, "DataProcessingRecord")],
        "Record of handling",
        "处理情况记录",
        "PIPL 55-56",
        Text,
    ),
    own(
        "ComplianceAudit",
        MEASURE,
        &[(Dpv, "LegalComplianceAudit")],
        "Compliance audit",
        "个人信息保护合规审计",
        "PIPL 54",
        Secondary,
    ),
    // Rights
    own("A15", RIGHT, &[(Dpv, "DataSubjectRight")], "To withdraw a consent", "撤回同意", "PIPL 15", Text),
    own(
        "A24-3",
        RIGHT,
        &[(Dpv, "DataSubjectRight")],
        "To refuse a decision made by automation only",
        "拒绝仅通过自动化决策的方式作出决定",
        "PIPL 24(3)",
        Text,
    ),
    own(
        "A44",
        RIGHT,
        &[(Dpv, "DataSubjectRight")],
        "To know, decide, restrict and refuse",
        "知情权、决定权,限制或者拒绝处理",
        "PIPL 44",
        Text,
    ),
    own("A45-1", RIGHT, &[(Dpv, "DataSubjectRight")], "To see and copy", "查阅、复制", "PIPL 45", Text),
    own(
        "A45-3",
        RIGHT,
        &[(Dpv, "DataSubjectRight")],
        "To take data elsewhere",
        "个人信息转移",
        "PIPL 45(3)",
        Text,
    ),
    own("A46", RIGHT, &[(Dpv, "DataSubjectRight")], "To have data put right", "更正、补充", "PIPL 46", Text),
    own("A47", RIGHT, &[(Dpv, "DataSubjectRight")], "To have data erased", "删除", "PIPL 47", Text),
    own(
        "A48",
        RIGHT,
        &[(Dpv, "DataSubjectRight")],
        "To have the rules explained",
        "要求解释说明处理规则",
        "PIPL 48",
        Text,
    ),
    own(
        "A49",
        RIGHT,
        &[(Dpv, "DataSubjectRight")],
        "Of the relatives of somebody who has died",
        "死者近亲属的权利",
        "PIPL 49",
        Text,
    ),
    own(
        "A50",
        RIGHT,
        &[(Dpv, "DataSubjectRight")],
        "To be heard, be given reasons, and sue",
        "申请受理、说明理由和起诉",
        "PIPL 50",
        Text,
    ),
];
