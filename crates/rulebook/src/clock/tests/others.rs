//! The other calendars against PyPI holidays: every weekday off, and every day of the weekend worked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday, date};

use super::*;

const HOLIDAYS: &str = include_str!("../../../tests/calendars/holidays-2020-2035.txt");

/// Days that count differently here on purpose, `-` where only the package has them and `+` where only we do. The calendar's
/// file says why.
const DIFFERENT: &[(&str, &str)] = &[
    // Declared free by the government, once.
    ("eu-bg", "-2025-12-31 -2026-01-02"),
    // Moves of Labour Day that nobody has decided.
    ("eu-gr", "-2027-05-04 -2032-05-04 -2033-05-02"),
    // Rest days swapped for Saturdays are no public holidays under Reg. 1182/71, nor are those Saturdays working days.
    (
        "eu-hu",
        "-2020-08-21 -2020-08-29 -2020-12-12 -2020-12-24 -2021-12-11 -2021-12-24 -2022-03-14 \
         -2022-03-26 -2022-10-15 -2022-10-31 -2024-08-03 -2024-08-19 -2024-12-07 -2024-12-14 \
         -2024-12-24 -2024-12-27 -2025-05-02 -2025-05-17 -2025-10-18 -2025-10-24 -2025-12-13 \
         -2025-12-24 -2026-01-02 -2026-01-10 -2026-08-08 -2026-08-21",
    ),
    // Likewise.
    (
        "eu-lv",
        "-2020-06-13 -2020-06-22 -2021-05-03 -2021-05-08 -2021-06-19 -2021-06-25 -2021-11-13 \
         -2021-11-19 -2023-05-05 -2023-05-20 -2024-12-14 -2024-12-23 -2024-12-28 -2024-12-30 \
         -2025-05-02 -2025-05-10 -2025-11-08 -2025-11-17 -2026-01-02 -2026-01-17 -2026-06-22 \
         -2026-06-27",
    ),
    // Offices are closed, 29 December to 3 January.
    (
        "jp",
        "+2025-01-02 +2025-01-03 +2025-12-29 +2025-12-30 +2025-12-31 +2026-01-02 +2026-12-29 \
         +2026-12-30 +2026-12-31 +2027-12-29 +2027-12-30 +2027-12-31",
    ),
    // Susan B. Anthony Day, Juneteenth, Diwali, Fridays before a Saturday.
    (
        "us-ca",
        "-2020-07-03 -2021-06-18 -2021-12-24 -2021-12-31 -2022-02-15 -2022-06-20 -2023-02-15 \
         -2023-06-19 -2023-11-10 -2024-02-15 -2024-06-19 -2025-06-19 -2026-06-19 -2026-07-03 \
         -2027-06-18 -2027-10-29 -2027-12-24 -2027-12-31 -2028-02-15 -2028-06-19 -2028-10-17 \
         -2028-11-10 -2029-02-15 -2029-06-19 -2029-11-05 -2030-02-15 -2030-06-19 -2031-06-19 \
         -2031-11-14 -2032-06-18 -2032-11-02 -2032-12-24 -2032-12-31 -2033-02-15 -2033-06-20 \
         -2034-02-15 -2034-06-19 -2034-11-10 -2035-02-15 -2035-06-19 -2035-10-30",
    ),
];

fn weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// What the package says of a calendar's year: the weekdays off and the days of the weekend worked.
fn package() -> BTreeMap<(&'static str, i16), BTreeSet<Date>> {
    let mut years = BTreeMap::new();
    for line in HOLIDAYS.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (calendar, year) = (words.next().unwrap(), words.next().unwrap());
        let day = |word: &str| format!("{year}-{}", word.trim_start_matches('+')).parse().unwrap();
        years.insert((calendar, year.parse().unwrap()), words.map(day).collect());
    }
    years
}

/// The same of the calendar here.
fn ours(calendar: &Calendar, year: i16) -> BTreeSet<Date> {
    let days = std::iter::successors(Some(date(year, 1, 1)), |day| day.tomorrow().ok());
    let days = days.take_while(|day| day.year() == year);
    days.filter(|day| calendar.works(*day).unwrap() == weekend(*day)).collect()
}

#[test]
fn every_known_year_is_as_the_package_says() {
    let mut different = BTreeMap::<&str, Vec<String>>::new();
    for ((id, year), theirs) in package() {
        let calendar = calendar(id);
        if calendar.year(year).known {
            let ours = ours(calendar, year);
            let days = ours.symmetric_difference(&theirs);
            let days = days.map(|day| format!("{}{day}", if ours.contains(day) { "+" } else { "-" }));
            different.entry(id).or_default().extend(days);
        }
    }
    different.retain(|_, days| !days.is_empty());
    let expected = DIFFERENT.iter().map(|(id, days)| (*id, days.split(' ').map(str::to_owned).collect()));
    assert_eq!(different, expected.collect());
}

#[test]
fn what_the_package_only_estimates_is_not_published() {
    let package = package();
    for calendar in SHIPPED.list() {
        let id = calendar.id().as_str();
        for year in 2025..=2027 {
            let confirmed = package.contains_key(&(id, year));
            assert!(!calendar.year(year).known || confirmed, "{id} {year}");
        }
    }
}

#[test]
fn no_calendar_rests_longer_than_a_safe_day_takes_for_granted() {
    let (mut longest, mut longest_known) = (0, 0);
    for calendar in SHIPPED.list() {
        let mut run = 0;
        let days = std::iter::successors(Some(date(FIRST_YEAR, 1, 1)), |day| day.tomorrow().ok());
        for day in days.take_while(|day| day.year() <= 2060) {
            run = if calendar.works(day).unwrap() { 0 } else { run + 1 };
            longest = run.max(longest);
            longest_known =
                if calendar.year(day.year()).known { run.max(longest_known) } else { longest_known };
        }
    }
    assert_eq!(longest_known, 10); // China, 24 January to 2 February 2020
    assert!(longest < count::LONGEST_REST, "{longest}");
}

#[test]
fn every_file_is_shipped() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/packs/calendars");
    let files =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.collect();
    let shipped = SHIPPED.list().map(|calendar| format!("{}.toml", calendar.id())).collect();
    assert_eq!(files, shipped);
}

#[test]
fn every_member_state_has_the_holidays_of_the_calendar_without_one() {
    let members: Vec<_> =
        SHIPPED.list().filter(|calendar| calendar.id().as_str().starts_with("eu-")).collect();
    assert_eq!(members.len(), 27);
    for year in 2024..2036 {
        for day in [date(year, 1, 1), date(year, 12, 25)] {
            assert!(members.iter().all(|member| member.works(day) == Some(false)));
        }
    }
    assert!((FIRST_YEAR..=LAST_YEAR).all(|year| !calendar("eu").year(year).known));
}
