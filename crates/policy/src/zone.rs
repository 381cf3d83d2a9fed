//! Periods on the shop's own calendar: n days, months or years later, at the same time of day on the shop's clock.
//!
//! Most shops we serve live in zones whose clocks no longer change (Shanghai since 1991). There the offset is fixed, and
//! adding a period is arithmetic; elsewhere jiff looks up the transitions.

use crate::compile::Clock;
use crate::words::Unit;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

const DAY_MICROS: i64 = 86_400_000_000;

/// A moment after which a zone's offset no longer changes is looked for from here on.
const SETTLED_FROM_SECONDS: i64 = 946_684_800; // 2000-01-01T00:00:00Z

/// A time zone, and its offset if that no longer changes.
#[derive(Debug)]
pub(crate) struct Zone {
    zone: TimeZone,
    settled: Option<Offset>,
}

/// Where within its last day a period ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// At the time of day at which it began: what we promise ends no later.
    SameTime,
    /// At the end of the day: what a law demands ends no earlier, and laws count whole days.
    EndOfDay,
}

impl Zone {
    /// The zone of that IANA name. The check has made sure there is one; UTC stands in if not.
    pub(crate) fn find(name: &str) -> Self {
        let zone = TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC);
        let settled = Timestamp::from_second(SETTLED_FROM_SECONDS)
            .ok()
            .filter(|from| zone.following(*from).next().is_none())
            .map(|from| zone.to_offset(from));
        Self { zone, settled }
    }

    pub(crate) fn as_jiff(&self) -> &TimeZone {
        &self.zone
    }

    /// The instant a clock ends that started at `from`.
    ///
    /// Takes and gives microseconds since 1970 in UTC; `None` beyond the calendar (before -9999, after 9999). The end of a
    /// month stays within its month. Where the zone skips that time of day the next existing one is meant, where it has it
    /// twice the first.
    pub(crate) fn end_of(&self, clock: Clock, from: i64, until: Until) -> Option<i64> {
        let start = Timestamp::from_microsecond(from).ok()?;
        let settled = self.settled.filter(|_| from >= SETTLED_FROM_SECONDS * 1_000_000);
        let offset = settled.unwrap_or_else(|| self.zone.to_offset(start));
        let local = later(from + micros_of(offset), clock, until)?;
        let end = if let Some(offset) = settled {
            Timestamp::from_microsecond(local - micros_of(offset)).ok()?
        } else {
            let local = Offset::UTC.to_datetime(Timestamp::from_microsecond(local).ok()?);
            self.zone.to_ambiguous_timestamp(local).compatible().ok()?
        };
        Some(end.as_microsecond())
    }
}

fn micros_of(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * 1_000_000
}

/// The time on the wall, as microseconds since 1970 began there, when a clock ends that started at `local`.
fn later(local: i64, clock: Clock, until: Until) -> Option<i64> {
    let (day, time) = (local.div_euclid(DAY_MICROS), local.rem_euclid(DAY_MICROS));
    let count = i64::from(clock.count);
    let end = match clock.unit {
        Unit::Days => day.checked_add(count)?,
        Unit::Weeks => day.checked_add(count * 7)?,
        Unit::Months => months_later(day, count)?,
        Unit::Years => months_later(day, count * 12)?,
    };
    match until {
        Until::SameTime => end.checked_mul(DAY_MICROS)?.checked_add(time),
        Until::EndOfDay => end.checked_add(1)?.checked_mul(DAY_MICROS),
    }
}

/// The same day of a later month, or that month's last.
fn months_later(day: i64, months: i64) -> Option<i64> {
    let (year, month, date) = civil_of(day);
    let months = (year * 12 + month - 1).checked_add(months)?;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    Some(day_of(year, month, date.min(last)))
}

/// SOURCE: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil_of(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + i64::from(month <= 2), month, date)
}

/// SOURCE: the same, `days_from_civil`.
fn day_of(year: i64, month: i64, date: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + date - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::Start;
    use proptest::prelude::*;

    fn end(zone: &str, from: &str, count: u32, unit: Unit, until: Until) -> String {
        let from = from.parse::<Timestamp>().unwrap().as_microsecond();
        let zone = Zone::find(zone);
        let end = zone.end_of(Clock { count, unit, from: Start::Own(0) }, from, until).unwrap();
        Timestamp::from_microsecond(end).unwrap().to_zoned(zone.zone.clone()).strftime("%F %T%:z").to_string()
    }

    #[test]
    fn the_same_time_of_day_returns() {
        let shanghai = |from, count, unit| end("Asia/Shanghai", from, count, unit, Until::SameTime);
        assert_eq!(shanghai("2026-11-22T10:00+08:00", 90, Unit::Days), "2027-02-20 10:00:00+08:00");
        assert_eq!(shanghai("2026-11-22T10:00+08:00", 2, Unit::Weeks), "2026-12-06 10:00:00+08:00");
        assert_eq!(shanghai("2027-01-31T23:30+08:00", 1, Unit::Months), "2027-02-28 23:30:00+08:00");
        assert_eq!(shanghai("2028-02-29T00:00+08:00", 3, Unit::Years), "2031-02-28 00:00:00+08:00");
        // Shanghai's clocks changed in 1986: before 2000 the transitions are looked up.
        assert_eq!(shanghai("1986-05-01T12:00+08:00", 1, Unit::Months), "1986-06-01 12:00:00+09:00");
    }

    #[test]
    fn shops_whose_clocks_never_change_are_spared_the_lookup() {
        let settled = |name: &str| Zone::find(name).settled.is_some();
        assert!(settled("Asia/Shanghai") && settled("Asia/Tokyo") && settled("UTC"));
        assert!(!settled("Europe/Berlin") && !settled("America/New_York"));
    }

    #[test]
    fn summer_time_keeps_the_wall_clock() {
        let berlin = |from, count, unit| end("Europe/Berlin", from, count, unit, Until::SameTime);
        assert_eq!(berlin("2027-03-27T12:00+01:00", 1, Unit::Days), "2027-03-28 12:00:00+02:00");
        assert_eq!(berlin("2027-03-27T02:30+01:00", 1, Unit::Days), "2027-03-28 03:30:00+02:00"); // skipped
        assert_eq!(berlin("2026-10-24T02:30+02:00", 1, Unit::Days), "2026-10-25 02:30:00+02:00"); // twice
    }

    #[test]
    fn a_law_gets_its_last_day_whole() {
        let shanghai =
            |count, unit| end("Asia/Shanghai", "2026-11-22T10:00+08:00", count, unit, Until::EndOfDay);
        assert_eq!(shanghai(3, Unit::Years), "2029-11-23 00:00:00+08:00");
        assert_eq!(shanghai(90, Unit::Days), "2027-02-21 00:00:00+08:00");
        assert_eq!(
            end("Europe/Berlin", "2026-11-22T10:00+01:00", 6, Unit::Months, Until::EndOfDay),
            "2027-05-23 00:00:00+02:00"
        );
    }

    #[test]
    fn beyond_the_calendar_there_is_no_end() {
        let clock = Clock { count: 100, unit: Unit::Years, from: Start::Own(0) };
        for zone in ["Asia/Shanghai", "Europe/Berlin"] {
            for from in [i64::MAX, i64::MIN, Timestamp::MAX.as_microsecond()] {
                assert_eq!(Zone::find(zone).end_of(clock, from, Until::EndOfDay), None);
            }
        }
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_jiff(seconds in -5_000_000_000i64..20_000_000_000, micros in 0i64..1_000_000, count in 1u32..1_300, unit in proptest::sample::select(Unit::ALL), whole_day: bool, zone in proptest::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])) {
            let zone = Zone::find(zone);
            let (clock, from) = (Clock { count, unit, from: Start::Own(0) }, seconds * 1_000_000 + micros);
            let span = crate::period::Period { count, unit }.span();
            let local = Timestamp::from_microsecond(from).unwrap().to_zoned(zone.zone.clone()).datetime().checked_add(span).unwrap();
            let local = if whole_day { local.date().tomorrow().unwrap().to_datetime(jiff::civil::Time::midnight()) } else { local };
            let expected = local.to_zoned(zone.zone.clone()).unwrap().timestamp().as_microsecond();
            let until = if whole_day { Until::EndOfDay } else { Until::SameTime };
            prop_assert_eq!(zone.end_of(clock, from, until), Some(expected));
        }

        #[test]
        fn a_later_start_never_ends_earlier(seconds in 0i64..4_000_000_000, later in 0i64..10_000_000, count in 1u32..40, unit in proptest::sample::select(Unit::ALL), zone in proptest::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/New_York"])) {
            let (zone, clock) = (Zone::find(zone), Clock { count, unit, from: Start::Own(0) });
            let whole_day = |start: i64| zone.end_of(clock, start * 1_000_000, Until::EndOfDay).unwrap();
            prop_assert!(whole_day(seconds) <= whole_day(seconds + later));
            let same_time = |start: i64| zone.end_of(clock, start * 1_000_000, Until::SameTime).unwrap();
            prop_assert!(same_time(seconds) <= whole_day(seconds));
        }
    }
}
