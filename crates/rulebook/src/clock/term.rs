//! Terms: how much time a law gives, as packs write it: `72h`, `30d`, `15wd`, `2w`, `1mo`, `3y`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// What a term counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Elapsed hours, `h`: never moved, blind to holidays and to changes of clocks.
    Hours,
    /// Calendar days, `d`.
    Days,
    /// Days on which the calendar works, `wd`.
    WorkingDays,
    /// Seven calendar days, `w`.
    Weeks,
    /// Calendar months, `mo`: to the day of the same number, else the month's last.
    Months,
    /// Twelve calendar months, `y`.
    Years,
}

impl Unit {
    const ALL: [Unit; 6] =
        [Unit::Hours, Unit::Days, Unit::WorkingDays, Unit::Weeks, Unit::Months, Unit::Years];

    /// How it is written behind the number.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Hours => "h",
            Unit::Days => "d",
            Unit::WorkingDays => "wd",
            Unit::Weeks => "w",
            Unit::Months => "mo",
            Unit::Years => "y",
        }
    }

    /// The largest count of a term: a hundred years.
    pub fn most(self) -> u32 {
        match self {
            Unit::Hours => 876_000,
            Unit::Days => 36_500,
            Unit::WorkingDays => 26_000,
            Unit::Weeks => 5_200,
            Unit::Months => 1_200,
            Unit::Years => 100,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How much time is given: `15wd`. At least one of its unit, at most a hundred years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    count: u32,
    unit: Unit,
}

/// Why a text is not a term, or terms make none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermFault {
    /// It does not begin with a number.
    #[error("`{0}` is not a term: write a number and a unit without a blank, for example `30d`")]
    NoNumber(String),
    /// What follows the number is not a unit.
    #[error(
        "`{0}` has no unit that is known: `h` hours, `d` days, `wd` working days, `w` weeks, `mo` months, `y` years"
    )]
    NoUnit(String),
    /// None at all, or more than a hundred years.
    #[error("`{text}` is out of range: the shortest is `1{unit}`, the longest a hundred years, `{most}{unit}`", most = unit.most())]
    OutOfRange {
        /// What was written, or the sum.
        text: String,
        /// Its unit.
        unit: Unit,
    },
    /// Terms of different units have no sum.
    #[error("`{0}` and `{1}` do not count the same, and have no sum")]
    UnitsDisagree(Term, Term),
}

impl Term {
    /// *Fails* if there are none, or more than a hundred years of them.
    pub fn new(count: u32, unit: Unit) -> Result<Term, TermFault> {
        if (1..=unit.most()).contains(&count) {
            Ok(Term { count, unit })
        } else {
            Err(TermFault::OutOfRange { text: format!("{count}{unit}"), unit })
        }
    }

    /// How many; at least 1.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Of what.
    pub fn unit(self) -> Unit {
        self.unit
    }

    /// Both, one after the other: `1mo` and `2mo` are `3mo`, `2w` and `3d` are `17d`, `1y` and `6mo` are `18mo`.
    ///
    /// *Fails* if the units do not agree, or with the sum beyond a hundred years.
    pub fn plus(self, other: Term) -> Result<Term, TermFault> {
        let sum = |one: Term, two: Term| Term::new(one.count.saturating_add(two.count), one.unit);
        if self.unit == other.unit {
            return sum(self, other);
        }
        let (one, two) = (self.plain(), other.plain());
        if one.unit == two.unit { sum(one, two) } else { Err(TermFault::UnitsDisagree(self, other)) }
    }

    /// Weeks as days, years as months.
    fn plain(self) -> Term {
        match self.unit {
            Unit::Weeks => Term { count: self.count.saturating_mul(7), unit: Unit::Days },
            Unit::Years => Term { count: self.count.saturating_mul(12), unit: Unit::Months },
            _ => self,
        }
    }
}

impl FromStr for Term {
    type Err = TermFault;

    fn from_str(text: &str) -> Result<Term, TermFault> {
        let shown = || text.chars().take(LONGEST_SHOWN).collect::<String>();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, word) = text.split_at_checked(digits).unwrap_or(("", text));
        if number.is_empty() {
            return Err(TermFault::NoNumber(shown()));
        }
        let unit = Unit::ALL.into_iter().find(|unit| unit.word() == word);
        let unit = unit.ok_or_else(|| TermFault::NoUnit(shown()))?;
        let out_of_range = || TermFault::OutOfRange { text: shown(), unit };
        let count = number.parse().map_err(|_| out_of_range())?;
        Term::new(count, unit).map_err(|_| out_of_range())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit)
    }
}

impl<'de> Deserialize<'de> for Term {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Term, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Term {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(self)
    }
}

/// How much of a text that is no term an error repeats.
const LONGEST_SHOWN: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn term(text: &str) -> Term {
        text.parse().unwrap()
    }

    fn fault(text: &str) -> String {
        text.parse::<Term>().unwrap_err().to_string()
    }

    #[test]
    fn the_terms_of_the_packs_are_read_and_written_back() {
        for text in ["4h", "30d", "15wd", "2w", "1mo", "3y", "876000h", "100y"] {
            assert_eq!(term(text).to_string(), text);
        }
        assert_eq!((term("15wd").count(), term("15wd").unit()), (15, Unit::WorkingDays));
    }

    #[test]
    fn a_bad_text_is_refused_with_what_would_be_right() {
        assert!(fault("").contains("for example `30d`"));
        assert!(fault("-3d").contains("for example `30d`"));
        assert!(fault("30 d").contains("`d` days"));
        assert!(fault("30").contains("`d` days"));
        assert!(fault("1m").contains("`mo` months"));
        assert!(fault("30D").contains("`d` days"));
        assert!(fault("0d").contains("the shortest is `1d`"));
        assert!(fault("101y").contains("`100y`"));
        assert!(fault("99999999999999999999d").contains("out of range"));
        assert!(fault("三天").contains("`三天` is not a term"));
    }

    #[test]
    fn terms_add_up_when_their_units_agree() {
        assert_eq!(term("1mo").plus(term("2mo")), Ok(term("3mo")));
        assert_eq!(term("2w").plus(term("3d")), Ok(term("17d")));
        assert_eq!(term("1y").plus(term("6mo")), Ok(term("18mo")));
        assert_eq!(term("1mo").plus(term("30d")), Err(TermFault::UnitsDisagree(term("1mo"), term("30d"))));
        assert_eq!(term("30d").plus(term("5wd")), Err(TermFault::UnitsDisagree(term("30d"), term("5wd"))));
        assert!(matches!(term("100y").plus(term("1y")), Err(TermFault::OutOfRange { .. })));
    }

    #[test]
    fn a_pack_writes_a_term_as_a_string() {
        #[derive(serde::Deserialize)]
        struct Rule {
            within: Term,
        }
        assert_eq!(toml::from_str::<Rule>("within = '15wd'").unwrap().within, term("15wd"));
        assert!(toml::from_str::<Rule>("within = '15xd'").is_err());
        assert!(toml::from_str::<Rule>("within = 15").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|[0-9]{1,12}(h|d|wd|w|mo|y)") {
            if let Ok(read) = text.parse::<Term>() {
                prop_assert_eq!(read.to_string().parse::<Term>(), Ok(read));
                prop_assert!((1..=read.unit().most()).contains(&read.count()));
            }
        }
    }
}
