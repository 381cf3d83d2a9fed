//! In which order readers look for things: that of the law that protects them.

use super::scribe::Scribe;
use crate::record::Language;
use crate::words::SectionId as S;

/// For whom the sections of a notice are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reader {
    /// As Chinese policies are: collected, shared, kept, protected, rights, minors, abroad, changes, contact.
    China,
    /// As GDPR 13 lists it: who, why, to whom, how long, rights, complaint, automated decisions.
    Europe,
    /// As Californian notices are: categories and sources first, then sale.
    California,
}

impl Reader {
    /// Whose order: of Chinese readers where the notice is in Chinese and that law applies, else of the first law that
    /// has one. LAW: PIPL 17; GDPR 13; Cal. Civ. Code 1798.130(a)(5).
    pub(super) fn of(scribe: &Scribe<'_>) -> Self {
        let mut laws = scribe.laws.iter().map(|law| law.id.as_str());
        if scribe.words == Language::Zh && laws.clone().any(|law| law == "cn") {
            return Self::China;
        }
        let elsewhere = laws.clone().any(|law| law != "cn");
        match laws.find(|law| *law != "cn" || !elsewhere) {
            Some("cn") => Self::China,
            Some(law) if law.starts_with("us-") => Self::California,
            _ => Self::Europe,
        }
    }

    /// The sections in that order; all of them, once.
    pub const fn order(self) -> &'static [S] {
        match self {
            Self::China => &[
                S::Summary,
                S::Shop,
                S::Purposes,
                S::Data,
                S::Sensitive,
                S::Choices,
                S::Automated,
                S::Recipients,
                S::Sale,
                S::Retention,
                S::Safety,
                S::Rights,
                S::Minors,
                S::Abroad,
                S::Signals,
                S::Changes,
                S::Complaints,
            ],
            Self::Europe => &[
                S::Summary,
                S::Shop,
                S::Purposes,
                S::Data,
                S::Sensitive,
                S::Recipients,
                S::Sale,
                S::Abroad,
                S::Retention,
                S::Rights,
                S::Choices,
                S::Complaints,
                S::Automated,
                S::Minors,
                S::Safety,
                S::Signals,
                S::Changes,
            ],
            Self::California => &[
                S::Summary,
                S::Data,
                S::Purposes,
                S::Recipients,
                S::Sale,
                S::Sensitive,
                S::Retention,
                S::Rights,
                S::Signals,
                S::Choices,
                S::Automated,
                S::Minors,
                S::Abroad,
                S::Safety,
                S::Shop,
                S::Complaints,
                S::Changes,
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_every_section_once() {
        for reader in [Reader::China, Reader::Europe, Reader::California] {
            let mut order = reader.order().to_vec();
            order.sort();
            assert_eq!(order, S::ALL, "{reader:?}");
        }
    }
}
