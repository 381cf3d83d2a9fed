//! What the gate knows of the person itself: where they live and whether they are of age. Enough to say whose law is asked.

use crate::text::Place;
use rulebook::question::MEMBERS;
use std::fmt;

/// The longest code of a place, in bytes.
const LONGEST: usize = 5;

/// Where a subject lives, as far as the shop knows: no nearer than the law of a place needs.
///
/// A [`Place`] that is small enough to stand in every row. Who lives in a member state of the Union lives in `eu`: more is not kept. The default is
/// a home that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Home([u8; LONGEST]);

impl Home {
    /// Nobody knows.
    pub const UNKNOWN: Self = Self([0; LONGEST]);

    /// A home from the code of its place: `cn`, `de`, `us-ca`; the empty text is the home that nobody knows. Gives: `None` for
    /// anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() { Some(Self::UNKNOWN) } else { Place::parse(text).map(|place| Self::of(&place)) }
    }

    /// The home of those who live in a place.
    pub fn of(place: &Place) -> Self {
        let law = match place.country() {
            member if MEMBERS.contains(&member) => "eu",
            "gb" => "uk",
            _ => place.as_str(),
        };
        let mut code = [0; LONGEST];
        for (slot, byte) in code.iter_mut().zip(law.bytes()) {
            *slot = byte;
        }
        Self(code)
    }

    /// May the law of this pack be that of those who live there? Of a home that nobody knows, any may.
    pub(crate) fn may_be_under(self, pack: &str) -> bool {
        match self.as_str() {
            "" => true,
            "us" => pack.starts_with("us-"),
            // A province has its own law beside the country's; a state of the United States has no such law above it.
            code => {
                pack == code || code.split_once('-').is_some_and(|(above, _)| above != "us" && pack == above)
            }
        }
    }

    /// The code of the place; empty where nobody knows.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
        self.0.get(..end).and_then(|code| std::str::from_utf8(code).ok()).unwrap_or_default()
    }

    /// Does somebody know?
    pub fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_known() { write!(f, "`{self}`") } else { f.write_str("unknown") }
    }
}

/// How old a subject is, as far as the gate needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Age {
    /// Nobody knows: a grown-up customer, as far as the law is asked.
    #[default]
    Unknown,
    /// Not of age.
    Minor,
    /// Of age.
    Adult,
}

impl Age {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Minor => "minor",
            Self::Adult => "adult",
        }
    }
}

/// What the law asks of a person: where they live, and whether they are of age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Person {
    /// Where they live.
    pub home: Home,
    /// How old they are.
    pub age: Age,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_the_code_of_its_law_and_nothing_else() {
        for code in ["cn", "eu", "uk", "us-ca", "ca-qc"] {
            let home = Home::parse(code).unwrap();
            assert_eq!((home.as_str(), home.is_known()), (code, true));
        }
        for (nearer, law) in [("de", "eu"), ("at", "eu"), ("gb", "uk"), ("no", "no"), ("us", "us")] {
            assert_eq!(Home::parse(nearer).unwrap().as_str(), law);
        }
        assert_eq!(Home::parse(""), Some(Home::UNKNOWN));
        assert_eq!(Home::UNKNOWN.as_str(), "");
        for other in ["CN", "xx", "us-cal", "cn ", "us-", "c\0"] {
            assert_eq!(Home::parse(other), None, "{other:?}");
        }
    }
    #[test]
    fn a_law_is_that_of_its_place_and_of_no_other() {
        for (code, pack, may) in [
            ("cn", "cn", true),
            ("cn", "eu", false),
            ("de", "eu", true),
            ("eu", "eu", true),
            ("gb", "uk", true),
            ("gb", "eu", false),
            ("no", "eu", false),
            ("us-ca", "us-ca", true),
            ("us-ca", "us-tx", false),
            ("us", "us-ca", true),
            ("us", "cn", false),
            ("ca-qc", "ca-qc", true),
            ("ca-qc", "ca", true),
            ("ca", "ca-qc", false),
            ("", "cn", true),
        ] {
            assert_eq!(Home::parse(code).unwrap().may_be_under(pack), may, "{code} {pack}");
        }
    }
}
