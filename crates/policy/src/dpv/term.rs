//! A term of a vocabulary, and how close it is to what it stands for.

use std::fmt;

/// A vocabulary whose terms are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vocabulary {
    /// The Data Privacy Vocabulary itself.
    Dpv,
    /// Its kinds of personal data.
    PersonalData,
    /// Its module for the GDPR.
    Gdpr,
    /// Its places.
    Places,
    /// Our own extension for the PIPL.
    Pipl,
    /// SKOS, for names and for what is broader than what.
    Skos,
    /// DCMI Metadata Terms, for sources and descriptions.
    DublinCore,
}

impl Vocabulary {
    /// Every vocabulary.
    pub const ALL: &'static [Self] =
        &[Self::Dpv, Self::PersonalData, Self::Gdpr, Self::Places, Self::Pipl, Self::Skos, Self::DublinCore];

    /// The usual prefix: `eu-gdpr`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Dpv => "dpv",
            Self::PersonalData => "pd",
            Self::Gdpr => "eu-gdpr",
            Self::Places => "loc",
            Self::Pipl => "pipl",
            Self::Skos => "skos",
            Self::DublinCore => "dct",
        }
    }

    /// What its terms' addresses begin with.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Dpv => "https://w3id.org/dpv#",
            Self::PersonalData => "https://w3id.org/dpv/pd#",
            Self::Gdpr => "https://w3id.org/dpv/legal/eu/gdpr#",
            Self::Places => "https://w3id.org/dpv/loc#",
            Self::Pipl => super::pipl::NAMESPACE,
            Self::Skos => "http://www.w3.org/2004/02/skos/core#",
            Self::DublinCore => "http://purl.org/dc/terms/",
        }
    }
}

/// A term of one of the vocabularies, shown as `dpv:Consent`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    vocabulary: Vocabulary,
    name: std::borrow::Cow<'static, str>,
}

impl Term {
    pub(super) const fn new(vocabulary: Vocabulary, name: &'static str) -> Self {
        Self { vocabulary, name: std::borrow::Cow::Borrowed(name) }
    }

    pub(super) const fn dpv(name: &'static str) -> Self {
        Self::new(Vocabulary::Dpv, name)
    }

    pub(super) fn place(name: String) -> Self {
        Self { vocabulary: Vocabulary::Places, name: name.into() }
    }

    /// The vocabulary that it is of.
    pub fn vocabulary(&self) -> Vocabulary {
        self.vocabulary
    }

    /// Its name there: `Consent`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address: `https://w3id.org/dpv#Consent`.
    pub fn iri(&self) -> String {
        format!("{}{}", self.vocabulary.namespace(), self.name)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.vocabulary.prefix(), self.name)
    }
}

/// How close a term is to the word that it stands for.
///
/// SOURCE: SKOS Reference, section 10 (mapping properties).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// The same thing.
    Exact,
    /// Near enough to be used in its place; neither contains the other.
    Close,
    /// The term contains the word: the nearest above it that the vocabulary has.
    Broad,
}

impl Match {
    /// The property of SKOS that leads from the word to the term.
    pub const fn property(self) -> Term {
        Term::new(
            Vocabulary::Skos,
            match self {
                Self::Exact => "exactMatch",
                Self::Close => "closeMatch",
                Self::Broad => "broadMatch",
            },
        )
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Close => "close",
            Self::Broad => "broad",
        })
    }
}

/// A term, and how close it is to what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The term.
    pub term: Term,
    /// How close it is.
    pub by: Match,
}

impl Mapped {
    pub(super) const fn new(by: Match, term: Term) -> Self {
        Self { term, by }
    }
}
