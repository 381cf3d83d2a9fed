//! What goes into a clock and what comes out: moments, ways of counting, dues.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::calendar::CalendarId;

/// From when a term runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// A day, where no more is known or needed. Hours cannot run from it.
    Date(Date),
    /// An instant. Days run from its date in the zone of the clock.
    Instant(Timestamp),
}

impl Moment {
    /// Its date in that zone.
    pub fn date(self, zone: &TimeZone) -> Date {
        match self {
            Moment::Date(date) => date,
            Moment::Instant(at) => zone.to_datetime(at).date(),
        }
    }
}

impl From<Date> for Moment {
    fn from(date: Date) -> Moment {
        Moment::Date(date)
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Moment {
        Moment::Instant(at)
    }
}

/// How a law counts days. Hours are the same everywhere and heed none of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Counting {
    /// Whether the day of the event is day 1.
    pub first_day: FirstDay,
    /// What becomes of a last day on which nobody works.
    pub last_day: LastDay,
}

/// Is the day of the event counted?
///
/// SOURCE: not counted: Reg. (EEC, Euratom) 1182/71 Art. 3(1); 民法典 201. Counted: DPA 2018 s. 164A (unverified: "beginning when the
/// complaint is received"); 個人情報保護法ガイドライン(通則編) 3-5-3, where the day of knowledge is day 1 (unverified).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum FirstDay {
    /// No: the day after it is day 1.
    #[serde(rename = "excludes_first_day")]
    Excluded,
    /// Yes: it is day 1.
    #[serde(rename = "includes_first_day")]
    Included,
}

/// What becomes of a last day on which nobody works. A term in working days cannot end on one.
///
/// SOURCE: to the next working day: Reg. 1182/71 Art. 3(4); 民法典 203.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LastDay {
    /// It stays the last day.
    AsItFalls,
    /// The next working day is the last day.
    NextWorkingDay,
    /// The working day before is the last day; it can lie before the start.
    PreviousWorkingDay,
}

/// Until when something has to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The end of a day, or an instant.
    pub by: By,
    /// Set if that rests on a year whose calendar is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisional: Option<Provisional>,
}

/// Until when: `2026-03-09` means until that day ends, `2026-03-02T13:00:00+08:00` means until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The end of that date, in the zone of the clock.
    EndOf(Date),
    /// That instant.
    Instant {
        /// When.
        at: Timestamp,
        /// The zone's distance from UTC then, for showing it.
        offset: Offset,
    },
}

/// A result is not final: it rests on a calendar that is not known for that year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provisional {
    /// The calendar.
    pub calendar: CalendarId,
    /// The first year that it does not know.
    pub year: i16,
    /// The day that is right whatever the calendar of that year will be. Of a due: whoever acts by its end is in time. Of a
    /// window: on this day it is open.
    pub safe: Date,
}

impl Due {
    /// The instant by which it has to be done. A day ends with the last second before the next one starts.
    pub fn instant(&self, zone: &TimeZone) -> Timestamp {
        self.by.instant(zone)
    }

    /// The day on which it is due.
    pub fn date(&self) -> Date {
        match self.by {
            By::EndOf(date) => date,
            By::Instant { at, offset } => offset.to_datetime(at).date(),
        }
    }

    /// The day by which to act to be surely in time: the due day itself, or if it is provisional, the safe one.
    pub fn safe_date(&self) -> Date {
        self.provisional.as_ref().map_or_else(|| self.date(), |provisional| provisional.safe)
    }
}

impl By {
    fn instant(self, zone: &TimeZone) -> Timestamp {
        match self {
            By::Instant { at, .. } => at,
            By::EndOf(date) => {
                // Midnight, or where a change of clocks skips it, the first instant behind it.
                let next = date.tomorrow().and_then(|next| next.to_zoned(zone.clone()));
                let end =
                    next.and_then(|next| next.timestamp().checked_sub(jiff::SignedDuration::from_secs(1)));
                end.unwrap_or(Timestamp::MAX) // of the last day of the year 9999
            }
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::EndOf(date) => date.fmt(f),
            By::Instant { at, offset } => at.display_with_offset(*offset).fmt(f),
        }
    }
}

impl Serialize for By {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(self)
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.by.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn end_of(day: Date, name: &str) -> String {
        let zone = zone(name);
        let due = Due { by: By::EndOf(day), provisional: None };
        due.instant(&zone).to_zoned(zone).datetime().to_string()
    }

    #[test]
    fn a_day_ends_a_second_before_the_next_one() {
        assert_eq!(end_of(date(2026, 3, 9), "Asia/Shanghai"), "2026-03-09T23:59:59");
        assert_eq!(end_of(date(2026, 3, 29), "Europe/Berlin"), "2026-03-29T23:59:59");
        assert_eq!(end_of(date(2024, 2, 28), "UTC"), "2024-02-28T23:59:59");
        assert_eq!(end_of(Date::MAX, "UTC").get(..10), Some("9999-12-30")); // as far as instants go
    }

    #[test]
    fn a_day_whose_successor_has_no_midnight_ends_where_that_begins() {
        // SOURCE: tzdb: America/Sao_Paulo skipped from 0:00 to 1:00 on 4 November 2018.
        assert_eq!(end_of(date(2018, 11, 3), "America/Sao_Paulo"), "2018-11-03T23:59:59");
    }

    #[test]
    fn an_instant_has_its_date_in_the_zone() {
        let at: Timestamp = "2026-03-01T20:00:00Z".parse().unwrap();
        assert_eq!(Moment::Instant(at).date(&zone("Asia/Shanghai")), date(2026, 3, 2));
        assert_eq!(Moment::from(at).date(&zone("America/Los_Angeles")), date(2026, 3, 1));
        assert_eq!(Moment::from(date(2026, 3, 3)).date(&zone("UTC")), date(2026, 3, 3));
    }

    #[test]
    fn dues_are_written_as_a_date_or_an_instant_with_its_offset() {
        let json = |due: &Due| serde_json::to_string(due).unwrap();
        let mut due = Due { by: By::EndOf(date(2026, 3, 9)), provisional: None };
        assert_eq!(json(&due), r#"{"by":"2026-03-09"}"#);
        let calendar = CalendarId::parse("cn").unwrap();
        due.provisional = Some(Provisional { calendar, year: 2027, safe: date(2026, 3, 6) });
        assert_eq!(
            json(&due),
            r#"{"by":"2026-03-09","provisional":{"calendar":"cn","year":2027,"safe":"2026-03-06"}}"#
        );
        let at = "2026-03-02T05:00:00Z".parse().unwrap();
        let due = Due { by: By::Instant { at, offset: jiff::tz::offset(8) }, provisional: None };
        assert_eq!(due.to_string(), "2026-03-02T13:00:00+08:00");
        assert_eq!(due.date(), date(2026, 3, 2));
    }

    #[test]
    fn a_pack_names_its_counting_in_words() {
        let text = "first_day = 'includes_first_day'\nlast_day = 'next_working_day'";
        let counting = Counting { first_day: FirstDay::Included, last_day: LastDay::NextWorkingDay };
        assert_eq!(toml::from_str::<Counting>(text).unwrap(), counting);
        assert!(toml::from_str::<Counting>("first_day = 'excluded'\nlast_day = 'as_it_falls'").is_err());
        assert!(toml::from_str::<Counting>("first_day = 'includes_first_day'").is_err());
    }
}
