//! Dates that come again: every year on a day, or every so often from a start.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::de::{Deserialize, Deserializer, Error};

use super::calendar::View;
use super::count::{Clock, ClockFault};
use super::due::Due;
use super::term::{Term, Unit};

/// A day of every year: `01-31`. `02-29` is 28 February in a year without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    month: i8,
    day: i8,
}

impl MonthDay {
    /// Nothing if no year has that day.
    pub fn new(month: i8, day: i8) -> Option<MonthDay> {
        Date::new(LEAP_YEAR, month, day).ok().map(|_| MonthDay { month, day })
    }

    /// That day of that year.
    pub fn of(self, year: i16) -> Option<Date> {
        let first = Date::new(year, self.month, 1).ok()?;
        Date::new(year, self.month, self.day.min(first.days_in_month())).ok()
    }
}

impl FromStr for MonthDay {
    type Err = String;

    fn from_str(text: &str) -> Result<MonthDay, String> {
        let number = |text: &str| if text.len() == 2 { text.parse().ok() } else { None };
        let (month, day) = text.split_once('-').unwrap_or_default();
        number(month)
            .zip(number(day))
            .and_then(|(month, day)| MonthDay::new(month, day))
            .ok_or_else(|| "a day of the year is a month and a day, for example `01-31`".to_owned())
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<MonthDay, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl Clock<'_> {
    /// By that day of the year after `day`'s: "by 31 January of the next year".
    ///
    /// *Fails* beyond the calendar, if the last day is moved, and beyond time.
    pub fn due_in_next_year(&self, on: MonthDay, day: Date) -> Result<Due, ClockFault> {
        let year = day.year().checked_add(1);
        self.moved(year.and_then(|year| on.of(year)).ok_or(ClockFault::BeyondTime)?)
    }

    /// By that day of every year: the first due that is later than `day`.
    ///
    /// *Fails* like [`Clock::due_in_next_year`].
    pub fn due_yearly(&self, on: MonthDay, day: Date) -> Result<Due, ClockFault> {
        // The due of last year may have been moved behind `day`, that of this year before it.
        for years in -1..=2 {
            let year = day.year().checked_add(years);
            let due = self.moved(year.and_then(|year| on.of(year)).ok_or(ClockFault::BeyondTime)?)?;
            if due.date() > day {
                return Ok(due);
            }
        }
        Err(ClockFault::BeyondTime)
    }

    /// Every so often from `start`: the first due that is later than `day`.
    ///
    /// Each is counted from the start, not from the one before it, so that a month's last day stays a month's last day and no
    /// weekend adds up: 31 January, 28 February, 31 March.
    ///
    /// *Fails* with [`ClockFault::InstantNeeded`] for hours, and beyond the calendar or time.
    pub fn due_every(&self, every: Term, start: Date, day: Date) -> Result<Due, ClockFault> {
        if every.unit() == Unit::Hours {
            return Err(ClockFault::InstantNeeded(every));
        }
        let term = |times| Term::new(every.count().saturating_mul(times), every.unit());
        let last = |times| self.last_day(start, term(times).ok()?, View::Estimate).ok();
        // The number of the first that, before it is moved, is later than `day`.
        let (mut low, mut high) = (1_u32, MOST_TIMES);
        while low < high {
            let middle = low.midpoint(high);
            if last(middle).is_some_and(|last| last <= day) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        // The one before may have been moved behind `day`, this one and some further before it.
        let mut times = low.saturating_sub(1).max(1);
        loop {
            let due = self.due(start, term(times).map_err(|_| ClockFault::BeyondTime)?)?;
            if due.date() > day {
                return Ok(due);
            }
            times = times.saturating_add(1);
        }
    }
}

const LEAP_YEAR: i16 = 2000;

/// A hundred years of days.
const MOST_TIMES: u32 = 36_500;
