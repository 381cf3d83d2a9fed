//! Counting: where a term ends.
//!
//! | unit | from a day that is not counted | from a day that is day 1 |
//! |---|---|---|
//! | days, weeks | that many days later | one day less |
//! | months, years | the day of the same number, else the month's last | the day before that one; the month's last stays |
//! | working days | the n-th working day after it | the n-th working day from it on |
//!
//! SOURCE: Reg. 1182/71 Art. 3(2)(c) (month's last day for want of the same date); 民法典 202; BGB § 188(2), (3) and 民法 143
//! for periods that count their first day. (Regulation, BGB and 民法 143 unverified.)

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::calendar::{Calendar, CalendarId, FIRST_YEAR, LAST_YEAR, View};
use super::due::{By, Counting, Due, FirstDay, LastDay, Moment, Provisional};
use super::term::{Term, TermFault, Unit};

/// Reckons in one place, the way of one law.
#[derive(Clone, Copy, Debug)]
pub struct Clock<'c> {
    /// On which days the place works.
    pub calendar: &'c Calendar,
    /// When its days begin.
    pub zone: &'c TimeZone,
    /// How the law counts.
    pub counting: Counting,
}

/// Why a clock gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// Hours run from an instant.
    #[error("`{0}` is a term in hours: it needs an instant, and only a date is known")]
    InstantNeeded(Term),
    /// Working days are asked for beyond the calendar's years.
    #[error("the calendar `{0}` reaches from {FIRST_YEAR} to {LAST_YEAR}, and the term does not end within")]
    BeyondCalendar(CalendarId),
    /// The end is no date or instant that can be written.
    #[error("the term ends beyond the year 9999")]
    BeyondTime,
    /// The extension does not count like the term.
    #[error(transparent)]
    Extension(#[from] TermFault),
    /// A pause ends before it begins.
    #[error("a pause ends before it begins")]
    PauseBackwards,
}

/// Days during which something can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first of them.
    pub first: Date,
    /// The last of them.
    pub last: Date,
    /// Set if the first rests on a year whose calendar is not known.
    pub provisional: Option<Provisional>,
}

impl Clock<'_> {
    /// Until when there is time, if `term` runs from `start`.
    ///
    /// *Fails* with [`ClockFault::InstantNeeded`] for hours from a bare date, and beyond the calendar or time.
    pub fn due(&self, start: impl Into<Moment>, term: Term) -> Result<Due, ClockFault> {
        match start.into() {
            Moment::Instant(at) if term.unit() == Unit::Hours => self.hours_after(at, term),
            start => self.end(start.date(self.zone), term, |end, _| Some(end)),
        }
    }

    /// The days within `term` before `end`: from which day on may one act?
    ///
    /// The mirror of [`Clock::due`]: the end itself is not of the window, unless the law counts the day of the event. The
    /// first day is not moved: a window may open on a Sunday. Its safe day is the latest on which it can open.
    ///
    /// *Fails* like [`Clock::due`].
    pub fn before(&self, term: Term, end: Date) -> Result<Window, ClockFault> {
        let last = match self.counting.first_day {
            FirstDay::Excluded => end.yesterday().map_err(|_| ClockFault::BeyondTime)?,
            FirstDay::Included => end,
        };
        let first = self.first_day(end, last, term, View::Estimate)?;
        let counts_working_days = term.unit() == Unit::WorkingDays;
        let unknown = self.calendar.first_unknown(first..=last).filter(|_| counts_working_days);
        let provisional = match unknown {
            Some(year) => Some(self.provisional(year, self.first_day(end, last, term, View::Widest)?)),
            None => None,
        };
        Ok(Window { first, last, provisional })
    }

    fn hours_after(&self, start: Timestamp, term: Term) -> Result<Due, ClockFault> {
        let hours = jiff::SignedDuration::from_hours(i64::from(term.count()));
        let at = start.checked_add(hours).map_err(|_| ClockFault::BeyondTime)?;
        Ok(self.instant(at))
    }

    pub(super) fn instant(&self, at: Timestamp) -> Due {
        Due { by: By::Instant { at, offset: self.zone.to_offset(at) }, provisional: None }
    }

    /// The due of a term in days or longer. `later` may put off its last day, before that is moved to a working day.
    pub(super) fn end(
        &self,
        start: Date,
        term: Term,
        later: impl Fn(Date, View) -> Option<Date>,
    ) -> Result<Due, ClockFault> {
        let end = |view| {
            let last = self.last_day(start, term, view)?;
            later(last, view).ok_or_else(|| self.beyond())
        };
        let last = end(View::Estimate)?;
        if term.unit() != Unit::WorkingDays {
            return self.moved(last);
        }
        let provisional = match self.calendar.first_unknown(self.day_one(start)?..=last) {
            Some(year) => Some(self.provisional(year, end(View::Widest)?)),
            None => None,
        };
        Ok(Due { by: By::EndOf(last), provisional })
    }

    /// The due, if `last` is the last day before it is moved to a working day.
    pub(super) fn moved(&self, last: Date) -> Result<Due, ClockFault> {
        let (day, unknown) = match self.counting.last_day {
            LastDay::AsItFalls => (last, None),
            LastDay::NextWorkingDay => {
                let day = self.next_working_day(last, View::Estimate)?;
                (day, self.calendar.first_unknown(last..=day))
            }
            LastDay::PreviousWorkingDay => {
                let set = self.calendar.days(View::Estimate);
                let day = set.count_through(last).and_then(|counted| set.nth(counted));
                let day = day.ok_or_else(|| self.beyond())?;
                (day, self.calendar.first_unknown(day..=last))
            }
        };
        let provisional = match (unknown, self.counting.last_day) {
            (None, _) => None,
            (Some(year), LastDay::PreviousWorkingDay) => {
                Some(self.provisional(year, self.surely_before(last)?))
            }
            (Some(year), _) => Some(self.provisional(year, self.next_working_day(last, View::Widest)?)),
        };
        Ok(Due { by: By::EndOf(day), provisional })
    }

    fn provisional(&self, year: i16, safe: Date) -> Provisional {
        Provisional { calendar: self.calendar.id().clone(), year, safe }
    }

    pub(super) fn beyond(&self) -> ClockFault {
        ClockFault::BeyondCalendar(self.calendar.id().clone())
    }

    /// The last day of a term, before it is moved.
    pub(super) fn last_day(&self, start: Date, term: Term, view: View) -> Result<Date, ClockFault> {
        let included = self.counting.first_day == FirstDay::Included;
        let plus = |span: Result<Span, jiff::Error>| {
            span.and_then(|span| start.checked_add(span)).map_err(|_| ClockFault::BeyondTime)
        };
        let days = |days: u32| plus(Span::new().try_days(days.saturating_sub(u32::from(included))));
        let months = |months: u32| {
            let end = plus(Span::new().try_months(months))?;
            let same = end.day() == start.day();
            if included && same { end.yesterday().map_err(|_| ClockFault::BeyondTime) } else { Ok(end) }
        };
        let count = term.count();
        match term.unit() {
            Unit::Hours => Err(ClockFault::InstantNeeded(term)),
            Unit::Days => days(count),
            Unit::Weeks => days(count.saturating_mul(7)),
            Unit::Months => months(count),
            Unit::Years => months(count.saturating_mul(12)),
            Unit::WorkingDays => {
                let set = self.calendar.days(view);
                let counted = if included { set.count_before(start) } else { set.count_through(start) };
                counted.and_then(|counted| set.nth(counted.checked_add(count)?)).ok_or_else(|| self.beyond())
            }
        }
    }

    /// The first day of a window of that length before `end`, of which `last` is the last day.
    fn first_day(&self, end: Date, last: Date, term: Term, view: View) -> Result<Date, ClockFault> {
        let minus = |span: Result<Span, jiff::Error>| {
            let day = span.and_then(|span| end.checked_sub(span)).map_err(|_| ClockFault::BeyondTime)?;
            match self.counting.first_day {
                FirstDay::Excluded => Ok(day),
                FirstDay::Included => day.tomorrow().map_err(|_| ClockFault::BeyondTime),
            }
        };
        match term.unit() {
            Unit::Hours => Err(ClockFault::InstantNeeded(term)),
            Unit::Days => minus(Span::new().try_days(term.count())),
            Unit::Weeks => minus(Span::new().try_weeks(term.count())),
            Unit::Months => minus(Span::new().try_months(term.count())),
            Unit::Years => minus(Span::new().try_years(term.count())),
            Unit::WorkingDays => {
                let set = self.calendar.days(view);
                let counted = set.count_through(last);
                let number = counted.and_then(|counted| (counted + 1).checked_sub(term.count()));
                number.and_then(|number| set.nth(number)).ok_or_else(|| self.beyond())
            }
        }
    }

    /// The first day that counts, if a term starts on `start`.
    pub(super) fn day_one(&self, start: Date) -> Result<Date, ClockFault> {
        match self.counting.first_day {
            FirstDay::Excluded => start.tomorrow().map_err(|_| ClockFault::BeyondTime),
            FirstDay::Included => Ok(start),
        }
    }

    /// The first working day from `day` on.
    fn next_working_day(&self, day: Date, view: View) -> Result<Date, ClockFault> {
        let set = self.calendar.days(view);
        set.count_before(day).and_then(|counted| set.nth(counted + 1)).ok_or_else(|| self.beyond())
    }

    /// A day by which a due on the last working day until `last` is surely met, though its year is unknown.
    ///
    /// Nobody knows which of its days are off, but no place stops for [`LONGEST_REST`] days: of so many there is a working
    /// one. A known working day on the way back is later, and as sure.
    fn surely_before(&self, last: Date) -> Result<Date, ClockFault> {
        let (mut day, mut unknown) = (last, 0);
        loop {
            if self.calendar.year(day.year()).known {
                if self.calendar.works(day) == Some(true) {
                    return Ok(day);
                }
            } else {
                unknown += 1;
                if unknown == LONGEST_REST {
                    return Ok(day);
                }
            }
            day = day.yesterday().map_err(|_| ClockFault::BeyondTime)?;
        }
    }
}

/// More days than any calendar here has in a row without a working day. The longest run since 2020 is ten days: China,
/// 24 January to 2 February 2020.
pub(super) const LONGEST_REST: u32 = 16;
