//! Calendars: on which days a place works, as far as that is known.
//!
//! A calendar is `computed`, where law gives rules that hold for any year, or `listed`, where somebody publishes each year
//! by itself. What no rule reaches and nobody has published is unknown, and the calendar says so instead of guessing.
//!
//! Where a file keeps fewer holidays than somebody has, a due in working days, or one that moves to the next working day, is
//! early and never late. The files lean to that side. A due that moves to the working day before is not helped by it.
//!
//! INVARIANT: for a known year, both sets of days agree. For an unknown one, `works` is the estimate (the holidays that law
//! fixes, else the plain week), and `may_work` has every day that may turn out to be a working day.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::civil::{Date, Weekday};
use serde::ser::{Serialize, Serializer};
use serde::{Deserialize, Serialize as DeriveSerialize};

use super::days::DaySet;
use super::read::Coverage;
use super::rule::{Rule, holidays};
use crate::pack::Confidence;

pub use super::read::{CalendarFault, Flaw};

/// The first year that a calendar reaches.
pub const FIRST_YEAR: i16 = 2000;

/// The last year that a calendar reaches.
pub const LAST_YEAR: i16 = 2149;

/// A calendar's id: `cn`, `eu-de`. Small letters, digits and single hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarId(Arc<str>);

impl CalendarId {
    /// Nothing if that is not an id.
    pub fn parse(text: &str) -> Option<CalendarId> {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        (text.len() <= LONGEST_ID && text.split('-').all(part)).then(|| CalendarId(text.into()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CalendarId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CalendarId {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_str(&self.0)
    }
}

/// May a day of the weekend become a working day?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, DeriveSerialize)]
#[serde(rename_all = "snake_case")]
pub enum MakeUp {
    /// Never: the law that counts with this calendar says which weekdays are never working days.
    Never,
    /// It may, so in an unknown year it is not relied on.
    #[default]
    Possible,
}

/// What a calendar is called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, DeriveSerialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// What a calendar knows of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Year<'c> {
    /// Reckoned or published. If not, results that rest on it are provisional.
    pub known: bool,
    /// Where that stands.
    pub source: &'c str,
    /// How sure we are.
    pub confidence: Confidence,
}

/// Weekdays on which nobody works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weekend(u8);

impl Weekend {
    /// The usual one.
    #[cfg(test)]
    pub(super) const SATURDAY_SUNDAY: Weekend = Weekend(0b110_0000);

    /// Nothing if one is named twice, or if no working day is left.
    pub(super) fn of(days: &[Weekday]) -> Option<Weekend> {
        let bits = days.iter().fold(0, |bits, day| bits | Weekend::bit(*day));
        (usize::try_from(bits.count_ones()).ok()? == days.len() && days.len() < 7).then_some(Weekend(bits))
    }

    pub(super) fn has(self, day: Weekday) -> bool {
        self.0 & Weekend::bit(day) != 0
    }

    fn bit(day: Weekday) -> u8 {
        1_u8.checked_shl(u32::from(day.to_monday_zero_offset().unsigned_abs())).unwrap_or(0)
    }
}

/// The days on which a place works, from [`FIRST_YEAR`] to [`LAST_YEAR`].
#[derive(Clone, Debug)]
pub struct Calendar {
    pub(super) id: CalendarId,
    pub(super) names: Names,
    pub(super) source: String,
    pub(super) confidence: Confidence,
    pub(super) weekend: Weekend,
    pub(super) coverage: Coverage,
    pub(super) rules: Vec<Rule>,
    pub(super) years: Vec<YearTable>,
    pub(super) works: DaySet,
    /// Nothing if every year is known.
    pub(super) may_work: Option<DaySet>,
    pub(super) unknown: Unknown,
}

/// A year that its file says something of.
#[derive(Clone, Debug)]
pub(super) struct YearTable {
    pub(super) number: i16,
    pub(super) source: Option<String>,
    pub(super) confidence: Option<Confidence>,
    pub(super) off: Vec<(RangeInclusive<Date>, Option<String>)>,
}

/// Which days a question takes for working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// What is known, and the estimate for the rest.
    Estimate,
    /// What is known, and for the rest every day that may turn out to be one. Counting with it ends earliest.
    Widest,
}

impl Calendar {
    /// Its id.
    pub fn id(&self) -> &CalendarId {
        &self.id
    }

    /// What it is called.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What it knows of that year, and from where.
    pub fn year(&self, year: i16) -> Year<'_> {
        let table = self.years.iter().find(|table| table.number == year);
        Year {
            known: !self.unknown.has(year),
            source: table.and_then(|table| table.source.as_deref()).unwrap_or(&self.source),
            confidence: table.and_then(|table| table.confidence).unwrap_or(self.confidence),
        }
    }

    /// Is that a working day? The estimate, where the year is unknown; nothing beyond the calendar's years.
    pub fn works(&self, day: Date) -> Option<bool> {
        self.works.has(day)
    }

    /// The name of the holiday that makes that day free, if its file names one.
    ///
    /// For explanations, not for counting: it looks at the rules again.
    pub fn holiday(&self, day: Date) -> Option<&str> {
        if self.works(day)? {
            return None;
        }
        let table = self.years.iter().find(|table| table.number == day.year());
        let listed = table.and_then(|table| table.off.iter().find(|(days, _)| days.contains(&day)));
        if let Some((_, name)) = listed {
            return name.as_deref();
        }
        if self.coverage == Coverage::Listed && !self.unknown.has(day.year()) {
            return None; // the list is complete
        }
        let around = day.year().saturating_sub(1)..=day.year().saturating_add(1);
        let number = *holidays(&self.rules, self.weekend, around).get(&day)?;
        self.rules.get(number).map(|rule| rule.name.as_str())
    }

    pub(super) fn days(&self, view: View) -> &DaySet {
        match (view, &self.may_work) {
            (View::Widest, Some(may_work)) => may_work,
            _ => &self.works,
        }
    }

    /// The first year of those that the calendar does not know.
    pub(super) fn first_unknown(&self, days: RangeInclusive<Date>) -> Option<i16> {
        (days.start().year()..=days.end().year()).find(|year| self.unknown.has(*year))
    }
}

/// Years that a calendar does not know, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unknown([u64; 3]);

impl Unknown {
    pub(super) fn set(&mut self, year: i16, unknown: bool) {
        if let Some((word, bit)) = place(year)
            && let Some(word) = self.0.get_mut(word)
        {
            *word = *word & !(1 << bit) | u64::from(unknown) << bit;
        }
    }

    pub(super) fn has(self, year: i16) -> bool {
        // What a calendar does not reach, it does not know.
        place(year).and_then(|(word, bit)| Some(self.0.get(word)? >> bit & 1 == 1)).unwrap_or(true)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == [0; 3]
    }
}

fn place(year: i16) -> Option<(usize, usize)> {
    let after = (FIRST_YEAR..=LAST_YEAR).contains(&year).then(|| year.abs_diff(FIRST_YEAR))?;
    Some((usize::from(after / 64), usize::from(after % 64)))
}

const LONGEST_ID: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_small_letters_digits_and_hyphens() {
        assert!(["cn", "eu-de", "ca-qc", "x1"].iter().all(|id| CalendarId::parse(id).is_some()));
        assert!(
            ["", "CN", "eu_de", "-cn", "eu--de", "中国", "a/b"]
                .iter()
                .all(|id| CalendarId::parse(id).is_none())
        );
        assert!(CalendarId::parse(&"a".repeat(LONGEST_ID + 1)).is_none());
    }

    #[test]
    fn a_weekend_leaves_a_working_day() {
        let weekend = Weekend::of(&[Weekday::Saturday, Weekday::Sunday]).unwrap();
        assert_eq!(weekend, Weekend::SATURDAY_SUNDAY);
        assert!(weekend.has(Weekday::Saturday) && !weekend.has(Weekday::Friday));
        assert!(Weekend::of(&[Weekday::Friday, Weekday::Friday]).is_none());
        assert!(
            Weekend::of(&[1, 2, 3, 4, 5, 6, 7].map(|d| Weekday::from_monday_one_offset(d).unwrap()))
                .is_none()
        );
    }

    #[test]
    fn years_beyond_a_calendar_are_unknown() {
        let mut unknown = Unknown::default();
        assert!(unknown.is_empty() && !unknown.has(2063) && unknown.has(1999) && unknown.has(2150));
        unknown.set(2063, true);
        unknown.set(2149, true);
        assert!(unknown.has(2063) && unknown.has(2149) && !unknown.has(2064));
        unknown.set(2063, false);
        assert!(!unknown.has(2063) && unknown.has(2149));
    }
}
