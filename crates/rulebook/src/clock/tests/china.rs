//! China's working days against PyPI chinesecalendar: every day of 2020 to 2026, and counting over them.
//!
//! The counting here walks day by day over the package's letters and shares nothing with the calendar.

use jiff::civil::{Date, date};

use super::*;

const LETTERS: &str = include_str!("../../../tests/calendars/chinesecalendar-2020-2026.txt");

const FIRST: Date = date(2020, 1, 1);

/// Whether each day works, from [`FIRST`] on.
fn letters() -> Vec<bool> {
    let lines = LETTERS.lines().filter(|line| !line.starts_with('#'));
    let works: Vec<bool> = lines.flat_map(|line| line.chars().skip(5)).map(|letter| letter == 'w').collect();
    assert_eq!(works.len(), 7 * 365 + 2);
    works
}

fn day(index: usize) -> Date {
    FIRST.checked_add(jiff::Span::new().days(i64::try_from(index).unwrap())).unwrap()
}

/// The `count`-th working day from that one on, itself not counted; `step` is forwards or back.
fn walk(works: &[bool], from: usize, count: u32, step: isize) -> Option<usize> {
    let (mut at, mut left) = (from, count);
    while left > 0 {
        at = at.checked_add_signed(step)?;
        left -= u32::from(*works.get(at)?);
    }
    Some(at)
}

#[test]
fn every_day_from_2020_to_2026_is_as_the_package_says() {
    for (index, works) in letters().into_iter().enumerate() {
        assert_eq!(calendar("cn").works(day(index)), Some(works), "{}", day(index));
    }
    assert!((2020..=2026).all(|year| calendar("cn").year(year).known));
    assert!(!calendar("cn").year(2019).known && !calendar("cn").year(2027).known);
}

#[test]
fn working_days_are_counted_as_by_walking() {
    let works = letters();
    let clock = clock("cn", "Asia/Shanghai", USUAL);
    for from in 0..works.len() {
        for count in [1, 2, 3, 5, 10, 15, 30, 60, 250] {
            let term = Term::new(count, Unit::WorkingDays).unwrap();
            if let Some(end) = walk(&works, from, count, 1) {
                let due = clock.due(day(from), term).unwrap();
                assert_eq!((due.date(), due.provisional), (day(end), None), "{count} from {}", day(from));
            }
            if let Some(first) = walk(&works, from, count, -1) {
                let window = clock.before(term, day(from)).unwrap();
                assert_eq!(
                    (window.first, window.provisional),
                    (day(first), None),
                    "{count} before {}",
                    day(from)
                );
            }
        }
    }
}

#[test]
fn last_days_are_moved_as_by_walking() {
    let works = letters();
    let moved = |last_day| clock("cn", "Asia/Shanghai", Counting { last_day, ..USUAL });
    let (next, previous) = (moved(LastDay::NextWorkingDay), moved(LastDay::PreviousWorkingDay));
    let last = works.iter().rposition(|works| *works).unwrap();
    for from in 1..last {
        let at = (from + 1..works.len()).find(|at| works[*at]).unwrap();
        assert_eq!(next.due(day(from), term("1d")).unwrap().date(), day(at), "{}", day(from));
        if let Some(at) = (0..=from + 1).rev().find(|at| works[*at]) {
            assert_eq!(previous.due(day(from), term("1d")).unwrap().date(), day(at), "{}", day(from));
        }
    }
}
