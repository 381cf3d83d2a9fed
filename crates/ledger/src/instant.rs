//! Instants as people and records write them.

/// Microseconds since the Unix epoch as a date with its zone: RFC 3339 in UTC, always with six decimals.
///
/// ```
/// assert_eq!(ledger::instant::text(951_782_400_000_000), "2000-02-29T00:00:00.000000Z");
/// ```
pub fn text(at: i64) -> String {
    let (days, micros) = (at.div_euclid(DAY_MICROS), at.rem_euclid(DAY_MICROS));
    let seconds = micros / 1_000_000;
    // SOURCE: the proleptic Gregorian calendar, counted in cycles of 400 years from 1 March of the year 0.
    let from_march = days + 719_468;
    let (cycle, day) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, year) =
        (month + if month < 10 { 3 } else { -9 }, year + cycle * 400 + i64::from(month >= 10));
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", micros % 1_000_000)
}

const DAY_MICROS: i64 = 86_400_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_dates_with_a_zone() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(text(951_782_400_000_000), "2000-02-29T00:00:00.000000Z");
        assert_eq!(text(1_795_311_296_000_007), "2026-11-22T01:34:56.000007Z");
        assert_eq!(text(4_107_542_400_000_000), "2100-03-01T00:00:00.000000Z");
        assert!(text(i64::MAX).starts_with("294247-01-10T"));
        assert!(text(i64::MIN).ends_with('Z'));
    }
}
