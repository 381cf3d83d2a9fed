//! Holidays that can be reckoned for any year: on a date, around Easter, on the n-th weekday of a month.
//!
//! ```text
//! on = "12-25"                     a date of every year
//! on = "easter+39"                 days after (or before, -2) Easter Sunday; "orthodox-easter" likewise
//! on = "last monday of may"        or "1st", "2nd", "3rd", "4th"
//! on = "saturday from 06-20"       the first Saturday on or after a date
//! on = "monday until 05-24"        the last Monday on or before a date
//! ```

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use serde::Deserialize;

use super::calendar::Weekend;
use super::easter::{Church, easter};

/// A holiday, and in which years it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) on: On,
    pub(super) moves: Moves,
    pub(super) from: i16,
    pub(super) until: i16,
    pub(super) except: Vec<i16>,
}

/// On which day of a year a holiday falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Fixed { month: i8, day: i8 },
    Easter { church: Church, days: i32 },
    Nth { nth: i8, weekday: Weekday, month: i8 },
    From { weekday: Weekday, month: i8, day: i8 },
    Until { weekday: Weekday, month: i8, day: i8 },
}

/// Which further day is off when a holiday falls on a weekend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Moves {
    /// None.
    #[default]
    Stays,
    /// The next day that is neither of the weekend nor a holiday.
    NextWeekday,
    /// The Friday before a Saturday, the Monday after a Sunday.
    NearestWeekday,
    /// The Monday after a Saturday or a Sunday.
    NextMonday,
    /// The Monday after a Sunday; none for a Saturday.
    MondayAfterSunday,
}

/// Why a text does not say when a holiday is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// It has none of the forms.
    #[error("write `12-25`, `easter+1`, `orthodox-easter-2`, `last monday of may` or `saturday from 06-20`")]
    Form,
    /// Not every year has that day.
    #[error("that is not a day of every year")]
    NoSuchDay,
    /// More than a year away from Easter.
    #[error("that is more than 200 days away from Easter")]
    FarFromEaster,
    /// Its last year is before its first.
    #[error("its last year is before its first")]
    NoYears,
}

impl Rule {
    fn in_year(&self, year: i16) -> Option<Date> {
        let holds = (self.from..=self.until).contains(&year) && !self.except.contains(&year);
        if holds { self.on.in_year(year) } else { None }
    }
}

/// The holidays of those years, each with the number of the rule that makes it one.
///
/// Substitutes are given in the order of the holidays that they stand for, and never on another holiday: Christmas on a
/// Saturday takes Monday, Boxing Day on that Sunday takes Tuesday.
pub(super) fn holidays(
    rules: &[Rule],
    weekend: Weekend,
    years: impl Iterator<Item = i16>,
) -> BTreeMap<Date, usize> {
    let mut held = BTreeMap::new();
    let mut moving = BTreeMap::new();
    for year in years {
        for (number, rule) in rules.iter().enumerate() {
            let Some(day) = rule.in_year(year) else { continue };
            held.entry(day).or_insert(number);
            if rule.moves != Moves::Stays && weekend.has(day.weekday()) {
                moving.entry((day, number)).or_insert(rule.moves);
            }
        }
    }
    for ((day, number), moves) in moving {
        let substitute = match (moves, day.weekday()) {
            (Moves::NextWeekday, _) => {
                after(day, |next| !weekend.has(next.weekday()) && !held.contains_key(&next))
            }
            (Moves::NearestWeekday, Weekday::Saturday) => day.yesterday().ok(),
            (Moves::NextMonday, Weekday::Saturday)
            | (Moves::NearestWeekday | Moves::NextMonday | Moves::MondayAfterSunday, Weekday::Sunday) => {
                after(day, |next| next.weekday() == Weekday::Monday)
            }
            _ => None,
        };
        if let Some(substitute) = substitute {
            held.entry(substitute).or_insert(number);
        }
    }
    held
}

/// The first later day for which that holds; it is looked for within a month.
fn after(day: Date, holds: impl Fn(Date) -> bool) -> Option<Date> {
    let mut next = day;
    for _ in 0..31 {
        next = next.tomorrow().ok()?;
        if holds(next) {
            return Some(next);
        }
    }
    None
}

impl On {
    fn in_year(self, year: i16) -> Option<Date> {
        match self {
            On::Fixed { month, day } => Date::new(year, month, day).ok(),
            On::Easter { church, days } => {
                easter(church, year)?.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
            }
            On::Nth { nth, weekday, month } => {
                Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()
            }
            On::From { weekday, month, day } => {
                Date::new(year, month, day).ok()?.yesterday().ok()?.nth_weekday(1, weekday).ok()
            }
            On::Until { weekday, month, day } => {
                Date::new(year, month, day).ok()?.tomorrow().ok()?.nth_weekday(-1, weekday).ok()
            }
        }
    }
}

impl FromStr for On {
    type Err = RuleFault;

    fn from_str(text: &str) -> Result<On, RuleFault> {
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            [one] => match one.strip_prefix("orthodox-easter") {
                Some(days) => Ok(On::Easter { church: Church::Orthodox, days: around(days)? }),
                None => match one.strip_prefix("easter") {
                    Some(days) => Ok(On::Easter { church: Church::West, days: around(days)? }),
                    None => month_day(one).map(|(month, day)| On::Fixed { month, day }),
                },
            },
            [weekday, "from", date] => {
                let (month, day) = month_day(date)?;
                Ok(On::From { weekday: weekday_of(weekday).ok_or(RuleFault::Form)?, month, day })
            }
            [weekday, "until", date] => {
                let (month, day) = month_day(date)?;
                Ok(On::Until { weekday: weekday_of(weekday).ok_or(RuleFault::Form)?, month, day })
            }
            [nth, weekday, "of", month] => {
                let place = |words: &[&str], word| words.iter().position(|known| *known == word);
                let nth = place(&NTH, *nth).ok_or(RuleFault::Form)?;
                let month = place(&MONTHS, *month).ok_or(RuleFault::Form)?;
                Ok(On::Nth {
                    nth: i8::try_from(nth).ok().filter(|nth| *nth > 0).unwrap_or(-1),
                    weekday: weekday_of(weekday).ok_or(RuleFault::Form)?,
                    month: i8::try_from(month + 1).map_err(|_| RuleFault::Form)?,
                })
            }
            _ => Err(RuleFault::Form),
        }
    }
}

fn around(days: &str) -> Result<i32, RuleFault> {
    if days.is_empty() {
        return Ok(0);
    }
    if !days.starts_with(['+', '-']) {
        return Err(RuleFault::Form);
    }
    let days: i32 = days.parse().map_err(|_| RuleFault::Form)?;
    if days.abs() <= 200 { Ok(days) } else { Err(RuleFault::FarFromEaster) }
}

/// A month and a day that every year has, `05-24`.
fn month_day(text: &str) -> Result<(i8, i8), RuleFault> {
    let (month, day) = text.split_once('-').ok_or(RuleFault::Form)?;
    if month.len() != 2 || day.len() != 2 {
        return Err(RuleFault::Form);
    }
    let number = |text: &str| text.parse::<i8>().map_err(|_| RuleFault::Form);
    let (month, day) = (number(month)?, number(day)?);
    Date::new(COMMON_YEAR, month, day).map_err(|_| RuleFault::NoSuchDay)?;
    Ok((month, day))
}

/// `saturday`.
pub(super) fn weekday_of(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// The place of a word is its number; `last` stands at 0 and means -1.
const NTH: [&str; 5] = ["last", "1st", "2nd", "3rd", "4th"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A year without a 29 February.
const COMMON_YEAR: i16 = 2001;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn rule(on: &str, moves: Moves) -> Rule {
        let name = on.to_owned();
        Rule { name, on: on.parse().unwrap(), moves, from: i16::MIN, until: i16::MAX, except: Vec::new() }
    }

    fn days(rules: &[Rule], year: i16) -> Vec<Date> {
        let days = holidays(rules, Weekend::SATURDAY_SUNDAY, year - 1..=year + 1);
        days.into_keys()
            .filter(|day| day.year() == year && !Weekend::SATURDAY_SUNDAY.has(day.weekday()))
            .collect()
    }

    #[test]
    fn every_form_finds_its_day() {
        let day = |on: &str| on.parse::<On>().unwrap().in_year(2026).unwrap();
        assert_eq!(day("12-25"), date(2026, 12, 25));
        assert_eq!(day("easter-2"), date(2026, 4, 3));
        assert_eq!(day("easter"), date(2026, 4, 5));
        assert_eq!(day("orthodox-easter+1"), date(2026, 4, 13));
        assert_eq!(day("3rd monday of january"), date(2026, 1, 19));
        assert_eq!(day("last monday of may"), date(2026, 5, 25));
        assert_eq!(day("saturday from 06-20"), date(2026, 6, 20));
        assert_eq!(day("saturday from 10-31"), date(2026, 10, 31));
        assert_eq!(day("saturday from 06-21"), date(2026, 6, 27));
        assert_eq!(day("monday until 05-24"), date(2026, 5, 18));
        assert_eq!(day("monday until 05-25"), date(2026, 5, 25));
    }

    #[test]
    fn a_text_of_another_form_is_refused() {
        let fault = |on: &str| on.parse::<On>().unwrap_err();
        for on in [
            "",
            "25",
            "1-1",
            "12-25 ",
            "easter1",
            "easter+",
            "5th monday of may",
            "1st monday of Mai",
            "monday 05-24",
        ] {
            assert_eq!(fault(on), RuleFault::Form, "{on}");
        }
        for on in ["02-31", "02-29", "13-01", "monday until 02-30"] {
            assert_eq!(fault(on), RuleFault::NoSuchDay, "{on}");
        }
        assert_eq!(fault("easter+999"), RuleFault::FarFromEaster);
    }

    #[test]
    fn christmas_at_the_weekend_takes_the_next_free_weekdays() {
        let rules = [rule("12-25", Moves::NextWeekday), rule("12-26", Moves::NextWeekday)];
        assert_eq!(days(&rules, 2026), [date(2026, 12, 25), date(2026, 12, 28)]);
        assert_eq!(days(&rules, 2027), [date(2027, 12, 27), date(2027, 12, 28)]);
        assert_eq!(days(&rules, 2033), [date(2033, 12, 26), date(2033, 12, 27)]);
    }

    #[test]
    fn the_nearest_weekday_can_be_in_the_year_before() {
        let rules = [rule("01-01", Moves::NearestWeekday)];
        assert_eq!(days(&rules, 2027), [date(2027, 1, 1), date(2027, 12, 31)]);
        assert_eq!(days(&rules, 2028), []);
        assert_eq!(days(&rules, 2034), [date(2034, 1, 2)]);
    }

    #[test]
    fn mondays_stand_for_sundays_and_where_it_is_so_for_saturdays() {
        let saturday_in_2026 = "07-04";
        assert_eq!(days(&[rule(saturday_in_2026, Moves::MondayAfterSunday)], 2026), []);
        assert_eq!(days(&[rule(saturday_in_2026, Moves::NextMonday)], 2026), [date(2026, 7, 6)]);
        assert_eq!(days(&[rule("07-05", Moves::MondayAfterSunday)], 2026), [date(2026, 7, 6)]);
    }

    #[test]
    fn a_rule_holds_in_its_years() {
        let rule = Rule { from: 2021, until: 2024, except: vec![2022], ..rule("06-15", Moves::Stays) };
        let years: Vec<i16> = (2019..2027).filter(|year| rule.in_year(*year).is_some()).collect();
        assert_eq!(years, [2021, 2023, 2024]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|(last|1st) (monday|sunday) (of|from|until) [a-z0-9-]{1,8}") {
            if let Ok(on) = text.parse::<On>() {
                prop_assert!((2000..2150).all(|year| on.in_year(year).is_some()));
            }
        }
    }
}
