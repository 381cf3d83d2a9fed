//! The words of a policy, and what Strongroom does and grants, as terms of DPV.

use super::pipl;
use super::term::{Mapped, Match, Term, Vocabulary};
use crate::taxonomy::DataSubject;
use crate::words::{Basis, Consideration, RecipientKind};
use Match::{Broad, Close, Exact};

/// The legal basis of DPV that a basis is, whatever the law.
pub fn basis(basis: Basis) -> Mapped {
    let (by, name) = match basis {
        Basis::Consent => (Exact, "Consent"),
        Basis::SeparateConsent => (Close, "ExplicitlyExpressedConsent"),
        Basis::Contract => (Exact, "Contract"),
        Basis::LegalObligation => (Exact, "LegalObligation"),
        Basis::LegitimateInterest => (Exact, "LegitimateInterestOfController"),
        Basis::VitalInterest => (Exact, "VitalInterest"),
        Basis::PublicTask => (Close, "PublicInterest"),
    };
    Mapped::new(by, Term::dpv(name))
}

/// The basis under the GDPR that a basis is.
///
/// LAW: GDPR 6(1).
pub fn gdpr_basis(basis: Basis) -> Mapped {
    let (by, name) = match basis {
        Basis::Consent => (Exact, "A6-1-a"),
        Basis::SeparateConsent => (Close, "A6-1-a-explicit-consent"),
        Basis::Contract => (Exact, "A6-1-b"),
        Basis::LegalObligation => (Exact, "A6-1-c"),
        Basis::LegitimateInterest => (Exact, "A6-1-f-controller"),
        Basis::VitalInterest => (Exact, "A6-1-d"),
        Basis::PublicTask => (Exact, "A6-1-e"),
    };
    Mapped::new(by, Term::new(Vocabulary::Gdpr, name))
}

/// The basis under the PIPL that a basis is; `None` for a legitimate interest, which that law does not know.
///
/// LAW: PIPL 13(1), 14(1).
pub fn pipl_basis(basis: Basis) -> Option<Mapped> {
    let (by, name) = match basis {
        Basis::Consent => (Exact, "A13-1-1"),
        Basis::SeparateConsent => (Exact, "SeparateConsent"),
        Basis::Contract => (Broad, "A13-1-2"),
        Basis::LegalObligation => (Broad, "A13-1-3"),
        Basis::LegitimateInterest => return None,
        Basis::VitalInterest => (Broad, "A13-1-4"),
        Basis::PublicTask => (Close, "A13-1-3"),
    };
    Some(Mapped::new(by, pipl::term(name)))
}

/// What a recipient of that kind is in DPV.
///
/// Only of a processor and an authority is it certain; whether a courier or a payment institution follows instructions or has purposes
/// of its own, the kind does not say.
pub fn recipient(kind: RecipientKind) -> Mapped {
    let (by, name) = match kind {
        RecipientKind::Processor => (Exact, "DataProcessor"),
        RecipientKind::Authority => (Close, "Authority"),
        RecipientKind::Logistics
        | RecipientKind::Payment
        | RecipientKind::Marketing
        | RecipientKind::Marketplace => (Broad, "ServiceProvider"),
        RecipientKind::Other => (Broad, "Recipient"),
    };
    Mapped::new(by, Term::dpv(name))
}

/// The further purpose that lies in taking something for data; `None` when the shop takes nothing.
pub fn consideration(consideration: Consideration) -> Option<Mapped> {
    let by = match consideration {
        Consideration::None => return None,
        Consideration::Sale => Exact,
        Consideration::Exchange => Close,
    };
    Some(Mapped::new(by, Term::dpv("SellDataToThirdParties")))
}

/// Who a data subject is in DPV.
pub fn data_subject(subject: &DataSubject) -> Mapped {
    let (by, name) = match subject.key() {
        "anonymous_user" => (Broad, "User"),
        "citizen_voter" => (Broad, "Citizen"),
        "customer" => (Exact, "Customer"),
        "employee" => (Exact, "Employee"),
        "job_applicant" => (Exact, "JobApplicant"),
        "patient" => (Exact, "Patient"),
        "visitor" => (Close, "Visitor"),
        _ => (Broad, "DataSubject"),
    };
    Mapped::new(by, Term::dpv(name))
}

/// What Strongroom does for the data that it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Values are sealed before they are written.
    EncryptionAtRest,
    /// A key for each record, which dies with it.
    Keys,
    /// Tokens and public ids stand for persons.
    Pseudonymisation,
    /// Values are masked for those who need not see them whole.
    Masks,
    /// A value opens for a named purpose only.
    PurposeControl,
    /// Every use leaves an entry in the ledger.
    Ledger,
    /// What may no longer be used is erased.
    Deletion,
    /// Choices are kept with what was shown.
    Choices,
    /// People open nothing before they have learnt how to handle personal data.
    Training,
}

impl Measure {
    /// Every measure, the technical ones first.
    pub const ALL: &'static [Self] = &[
        Self::EncryptionAtRest,
        Self::Keys,
        Self::Pseudonymisation,
        Self::Masks,
        Self::PurposeControl,
        Self::Ledger,
        Self::Deletion,
        Self::Choices,
        Self::Training,
    ];

    /// The measure in one word or two.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EncryptionAtRest => "encryption at rest",
            Self::Keys => "keys",
            Self::Pseudonymisation => "pseudonymisation",
            Self::Masks => "masks",
            Self::PurposeControl => "control by purpose",
            Self::Ledger => "ledger",
            Self::Deletion => "deletion",
            Self::Choices => "choices",
            Self::Training => "training",
        }
    }

    /// Is it a technical measure? If not, it is an organisational one.
    pub const fn is_technical(self) -> bool {
        !matches!(self, Self::Ledger | Self::Deletion | Self::Choices | Self::Training)
    }

    /// The measure of DPV that it is.
    pub fn term(self) -> Mapped {
        let (by, name) = match self {
            Self::EncryptionAtRest => (Exact, "EncryptionAtRest"),
            Self::Keys => (Exact, "CryptographicKeyManagement"),
            Self::Pseudonymisation => (Exact, "Pseudonymisation"),
            Self::Masks => (Close, "DataRedaction"),
            Self::PurposeControl => (Close, "UsageControl"),
            Self::Ledger => (Close, "DataProcessingRecord"),
            Self::Deletion => (Close, "DataErasurePolicy"),
            Self::Choices => (Exact, "ConsentRecord"),
            Self::Training => (Exact, "DataProtectionTraining"),
        };
        Mapped::new(by, Term::dpv(name))
    }
}

/// A right of those whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// To know what happens.
    Know,
    /// To have a copy.
    Access,
    /// To take it elsewhere.
    Port,
    /// To have it put right.
    Correct,
    /// To have it erased.
    Erase,
    /// To have its use restricted.
    Restrict,
    /// To object.
    Object,
    /// To take a consent back.
    Withdraw,
    /// Not to be decided about by machines alone.
    Decision,
    /// To have the rules explained.
    Explanation,
    /// Of the relatives of somebody who has died.
    Relatives,
    /// To complain.
    Complain,
}

impl Right {
    /// Every right.
    pub const ALL: &'static [Self] = &[
        Self::Know,
        Self::Access,
        Self::Port,
        Self::Correct,
        Self::Erase,
        Self::Restrict,
        Self::Object,
        Self::Withdraw,
        Self::Decision,
        Self::Explanation,
        Self::Relatives,
        Self::Complain,
    ];

    /// The right in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Know => "know",
            Self::Access => "access",
            Self::Port => "port",
            Self::Correct => "correct",
            Self::Erase => "erase",
            Self::Restrict => "restrict",
            Self::Object => "object",
            Self::Withdraw => "withdraw",
            Self::Decision => "decision",
            Self::Explanation => "explanation",
            Self::Relatives => "relatives",
            Self::Complain => "complain",
        }
    }

    /// The right under the GDPR, if it is one there.
    pub fn gdpr(self) -> Option<Term> {
        let name = match self {
            Self::Know => "A13",
            Self::Access => "A15",
            Self::Port => "A20",
            Self::Correct => "A16",
            Self::Erase => "A17",
            Self::Restrict => "A18",
            Self::Object => "A21",
            Self::Withdraw => "A7-3",
            Self::Decision => "A22",
            Self::Complain => "A77",
            Self::Explanation | Self::Relatives => return None,
        };
        Some(Term::new(Vocabulary::Gdpr, name))
    }

    /// The right under the PIPL.
    ///
    /// LAW: PIPL 15, 24(3), 44-50.
    pub fn pipl(self) -> Term {
        pipl::term(match self {
            Self::Know | Self::Restrict | Self::Object => "A44",
            Self::Access => "A45-1",
            Self::Port => "A45-3",
            Self::Correct => "A46",
            Self::Erase => "A47",
            Self::Withdraw => "A15",
            Self::Decision => "A24-3",
            Self::Explanation => "A48",
            Self::Relatives => "A49",
            Self::Complain => "A50",
        })
    }
}
