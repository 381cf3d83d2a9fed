//! When Easter is: in the west, and where the Julian reckoning is kept.
//!
//! SOURCE: the Gregorian computus as in Meeus, *Astronomical Algorithms*, ch. 8 ("valid for all years"); the Julian one
//! there too, moved to the Gregorian calendar by the days that both are apart.

use jiff::civil::Date;

/// Which reckoning a church keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Church {
    /// Gregorian: Rome and the Protestant churches.
    West,
    /// Julian: the Orthodox churches of Bulgaria, Cyprus, Greece and Romania.
    Orthodox,
}

/// Easter Sunday of that year, in the Gregorian calendar.
pub(super) fn easter(church: Church, year: i16) -> Option<Date> {
    let number = i32::from(year);
    match church {
        Church::West => {
            let (month, day) = west(number);
            Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
        }
        Church::Orthodox => {
            let (month, day) = julian(number);
            let julian = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
            julian.checked_add(jiff::Span::new().try_days(days_apart(number)).ok()?).ok()
        }
    }
}

fn west(year: i32) -> (i32, i32) {
    let golden = year % 19;
    let (century, rest) = (year / 100, year % 100);
    let (leap_centuries, century_rest) = (century / 4, century % 4);
    let moon = (century + 8) / 25;
    let moon = (century - moon + 1) / 3;
    let epact = (19 * golden + century - leap_centuries - moon + 15) % 30;
    let sunday = (32 + 2 * century_rest + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * sunday) / 451;
    let days = epact + sunday - 7 * late + 114;
    (days / 31, days % 31 + 1)
}

/// In the Julian calendar.
fn julian(year: i32) -> (i32, i32) {
    let moon = (19 * (year % 19) + 15) % 30;
    let sunday = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7;
    let days = moon + sunday + 114;
    (days / 31, days % 31 + 1)
}

/// How many days the Julian calendar is behind at Easter of that year: 13 until 2099, 14 from 2100.
fn days_apart(year: i32) -> i32 {
    year / 100 - year / 400 - 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    // SOURCE: the dates as calendars print them; from 2038 on as PyPI dateutil 2.9.0 reckons them.
    #[test]
    fn easter_falls_where_it_is_printed() {
        let west = |year| easter(Church::West, year).unwrap();
        assert_eq!(west(2000), date(2000, 4, 23));
        assert_eq!(west(2008), date(2008, 3, 23));
        assert_eq!(west(2011), date(2011, 4, 24));
        assert_eq!(west(2026), date(2026, 4, 5));
        assert_eq!(west(2027), date(2027, 3, 28));
        assert_eq!(west(2038), date(2038, 4, 25));
        assert_eq!(west(2049), date(2049, 4, 18));
        assert_eq!(west(2149), date(2149, 3, 30));
    }

    #[test]
    fn orthodox_easter_falls_where_it_is_printed() {
        let orthodox = |year| easter(Church::Orthodox, year).unwrap();
        assert_eq!(orthodox(2000), date(2000, 4, 30));
        assert_eq!(orthodox(2025), date(2025, 4, 20));
        assert_eq!(orthodox(2026), date(2026, 4, 12));
        assert_eq!(orthodox(2027), date(2027, 5, 2));
        assert_eq!(orthodox(2099), date(2099, 4, 12));
        assert_eq!(orthodox(2100), date(2100, 5, 2));
        assert_eq!(orthodox(2149), date(2149, 5, 4));
    }

    #[test]
    fn easter_is_a_sunday_in_spring() {
        for year in 1900..2200 {
            for (church, latest) in [(Church::West, date(year, 4, 25)), (Church::Orthodox, date(year, 5, 10))]
            {
                let day = easter(church, year).unwrap();
                assert_eq!(day.weekday(), jiff::civil::Weekday::Sunday, "{day}");
                assert!(date(year, 3, 22) <= day && day <= latest, "{day}");
            }
        }
    }
}
