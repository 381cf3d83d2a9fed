//! Longer terms: extensions, and pauses in which a clock stands still.

use jiff::Timestamp;
use jiff::civil::Date;

use super::calendar::View;
use super::count::{Clock, ClockFault};
use super::due::{Due, Moment};
use super::term::{Term, Unit};

/// A time that does not count: the clock stands still.
///
/// For days and longer, no day counts that the pause touches, neither its first nor its last. For hours, the elapsed time
/// between both does not count.
///
/// A pause that has not ended has no due behind it; asked with today as its end, a clock gives the earliest one possible.
///
/// LAW: DPA 2018 s. 54(3C)(b), read: "the period beginning with the day on which the controller makes the request and ending
/// with the day on which the controller receives the information does not count". UK GDPR Art. 12A (unverified) says the
/// same of requests to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When the clock was stopped.
    pub from: Moment,
    /// When it went on.
    pub until: Moment,
}

impl Clock<'_> {
    /// Until when there is time, if `term` was extended.
    ///
    /// The terms are added, and run from `start` as one: a month and two further ones are three months from receipt, and only
    /// their last day is moved. Counting from the end of the first term would come to another day.
    ///
    /// *Fails* like [`Clock::due`], and with [`ClockFault::Extension`] if the units do not agree.
    ///
    /// LAW: GDPR Art. 12(3); Cal. Civ. Code 1798.130(a)(2); PDPA (Malaysia) s. 31 (all unverified).
    pub fn due_extended(
        &self,
        start: impl Into<Moment>,
        term: Term,
        extensions: &[Term],
    ) -> Result<Due, ClockFault> {
        self.due(start, sum(term, extensions)?)
    }

    /// Until when there is time, if `term` was extended, and its clock stood still meanwhile.
    ///
    /// Days that do not count are made up for at the end, before the last day is moved; so is every further pause that begins
    /// until then. Pauses may overlap; what is before the start or behind the end does nothing.
    ///
    /// *Fails* like [`Clock::due_extended`], with [`ClockFault::PauseBackwards`], and with [`ClockFault::InstantNeeded`] if a
    /// term in hours pauses between bare dates.
    pub fn due_paused(
        &self,
        start: impl Into<Moment>,
        term: Term,
        extensions: &[Term],
        pauses: &[Pause],
    ) -> Result<Due, ClockFault> {
        let term = sum(term, extensions)?;
        match start.into() {
            Moment::Instant(at) if term.unit() == Unit::Hours => self.hours_paused(at, term, pauses),
            start => self.days_paused(start.date(self.zone), term, pauses),
        }
    }

    fn days_paused(&self, start: Date, term: Term, pauses: &[Pause]) -> Result<Due, ClockFault> {
        let first = self.day_one(start)?;
        let days = pauses.iter().map(|pause| (pause.from.date(self.zone), pause.until.date(self.zone)));
        let pauses = merged(first, days, |day: Date| day.tomorrow().unwrap_or(Date::MAX))?;
        self.end(start, term, |mut end, view| {
            for (from, until) in &pauses {
                if *from > end {
                    break;
                }
                end = self.put_off(end, *from, *until, term.unit(), view)?;
            }
            Some(end)
        })
    }

    /// `end`, later by the days from `from` until `until`; of a term in working days, only those count.
    fn put_off(&self, end: Date, from: Date, until: Date, unit: Unit, view: View) -> Option<Date> {
        if unit == Unit::WorkingDays {
            let set = self.calendar.days(view);
            let paused = set.count_through(until)?.checked_sub(set.count_before(from)?)?;
            return set.nth(set.count_through(end)?.checked_add(paused)?);
        }
        let next = until.tomorrow().ok()?;
        end.checked_add(next.duration_since(from)).ok()
    }

    fn hours_paused(&self, start: Timestamp, term: Term, pauses: &[Pause]) -> Result<Due, ClockFault> {
        let instant = |moment| match moment {
            Moment::Instant(at) => Ok(at),
            Moment::Date(_) => Err(ClockFault::InstantNeeded(term)),
        };
        let instants = pauses.iter().map(|pause| Ok((instant(pause.from)?, instant(pause.until)?)));
        let instants = instants.collect::<Result<Vec<_>, ClockFault>>()?;
        let pauses = merged(start, instants.into_iter(), |at: Timestamp| at)?;
        let hours = jiff::SignedDuration::from_hours(i64::from(term.count()));
        let mut end = start.checked_add(hours).map_err(|_| ClockFault::BeyondTime)?;
        for (from, until) in pauses {
            if from > end {
                break;
            }
            end = end.checked_add(until.duration_since(from)).map_err(|_| ClockFault::BeyondTime)?;
        }
        Ok(self.instant(end))
    }
}

fn sum(term: Term, extensions: &[Term]) -> Result<Term, ClockFault> {
    Ok(extensions.iter().try_fold(term, |sum, further| sum.plus(*further))?)
}

/// Pauses in order, none touching another, none before `first`. `next` is what follows an end without a gap.
fn merged<T: Copy + Ord>(
    first: T,
    pauses: impl Iterator<Item = (T, T)>,
    next: impl Fn(T) -> T,
) -> Result<Vec<(T, T)>, ClockFault> {
    let mut pauses: Vec<(T, T)> = pauses.collect();
    if pauses.iter().any(|(from, until)| from > until) {
        return Err(ClockFault::PauseBackwards);
    }
    pauses.retain(|(_, until)| *until >= first);
    pauses.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(pauses.len());
    for (from, until) in pauses {
        match merged.last_mut() {
            Some(last) if from <= next(last.1) => last.1 = last.1.max(until),
            _ => merged.push((from.max(first), until)),
        }
    }
    Ok(merged)
}
