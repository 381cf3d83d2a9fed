//! A set of days that counts: how many of its days come before a date, and which is the n-th.
//!
//! One bit a day, and for every 64 days how many came before. Counting looks at one word; finding the n-th day searches
//! the sums and then looks at one word. So working days are added and subtracted without walking over them.

use std::sync::Arc;

use jiff::civil::{Date, Weekday};

use super::calendar::{FIRST_YEAR, LAST_YEAR};

/// Some of the days from 1 January [`FIRST_YEAR`] to 31 December [`LAST_YEAR`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DaySet {
    words: Arc<[Word]>,
}

/// 64 days, and how many days of the set come before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    bits: u64,
    before: u32,
}

/// A set while its days are put in.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    words: Vec<u64>,
}

/// The first day that a set can hold.
pub(super) const FIRST_DAY: Date = jiff::civil::date(FIRST_YEAR, 1, 1);

/// The last one.
pub(super) const LAST_DAY: Date = jiff::civil::date(LAST_YEAR, 12, 31);

impl Draft {
    /// The days of every week on which that holds.
    pub(super) fn weekly(holds: impl Fn(Weekday) -> bool) -> Draft {
        let (days, mut words) = (number(LAST_DAY).map_or(0, |last| last + 1), Vec::new());
        let mut weekday = FIRST_DAY.weekday();
        for first in (0..days).step_by(64) {
            let mut bits = 0_u64;
            for bit in 0..u64::BITS.min(days - first) {
                bits |= u64::from(holds(weekday)) << bit;
                weekday = weekday.next();
            }
            words.push(bits);
        }
        Draft { words }
    }

    /// From now on that day is in the set, or is not. A day that no set can hold does nothing.
    pub(super) fn put(&mut self, day: Date, is_in: bool) {
        let word = number(day).and_then(|days| Some((self.words.get_mut(index(days)?)?, days % u64::BITS)));
        if let Some((word, bit)) = word {
            *word = *word & !(1 << bit) | u64::from(is_in) << bit;
        }
    }

    /// The set, counted.
    pub(super) fn counted(self) -> DaySet {
        let mut before = 0;
        let counted = self.words.into_iter().map(|bits| {
            let word = Word { bits, before };
            before += bits.count_ones();
            word
        });
        DaySet { words: counted.collect() }
    }
}

/// The number of a day; the first has 0.
fn number(day: Date) -> Option<u32> {
    if !(FIRST_DAY..=LAST_DAY).contains(&day) {
        return None;
    }
    u32::try_from(day.duration_since(FIRST_DAY).as_hours() / 24).ok()
}

fn index(days: u32) -> Option<usize> {
    usize::try_from(days / u64::BITS).ok()
}

impl DaySet {
    /// Is that day among them? Nothing for a day that no set can hold.
    pub(super) fn has(&self, day: Date) -> Option<bool> {
        let (word, bit) = self.at(day)?;
        Some(word.bits >> bit & 1 == 1)
    }

    /// How many come before that day, itself not counted.
    pub(super) fn count_before(&self, day: Date) -> Option<u32> {
        let (word, bit) = self.at(day)?;
        let earlier = (1_u64 << bit) - 1;
        Some(word.before + (word.bits & earlier).count_ones())
    }

    /// How many come before that day or are it.
    pub(super) fn count_through(&self, day: Date) -> Option<u32> {
        Some(self.count_before(day)? + u32::from(self.has(day)?))
    }

    /// The n-th of them; the first is number 1.
    pub(super) fn nth(&self, number: u32) -> Option<Date> {
        let index = self.words.partition_point(|word| word.before < number).checked_sub(1)?;
        let word = self.words.get(index)?;
        let mut bits = word.bits;
        for _ in 1..number.checked_sub(word.before)? {
            bits &= bits.wrapping_sub(1); // clears the lowest one
        }
        if bits == 0 {
            return None;
        }
        let days = u32::try_from(index).ok()? * u64::BITS + bits.trailing_zeros();
        FIRST_DAY.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
    }

    fn at(&self, day: Date) -> Option<(Word, u32)> {
        let days = number(day)?;
        Some((*self.words.get(index(days)?)?, days % u64::BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn mondays() -> DaySet {
        Draft::weekly(|day| day == Weekday::Monday).counted()
    }

    /// The days for which that holds, put in one by one.
    fn days(holds: impl Fn(Date) -> bool) -> DaySet {
        let mut set = Draft::weekly(|_| false);
        let all = std::iter::successors(Some(FIRST_DAY), |day| day.tomorrow().ok());
        all.take_while(|day| *day <= LAST_DAY).for_each(|day| set.put(day, holds(day)));
        set.counted()
    }

    #[test]
    fn days_are_counted_and_found() {
        let set = mondays(); // 1 January 2000 was a Saturday
        assert_eq!(set.has(date(2000, 1, 3)), Some(true));
        assert_eq!(set.count_before(date(2000, 1, 3)), Some(0));
        assert_eq!(set.count_through(date(2000, 1, 3)), Some(1));
        assert_eq!(set.nth(1), Some(date(2000, 1, 3)));
        assert_eq!(set.nth(53), Some(date(2001, 1, 1)));
        assert_eq!(set.nth(0), None);
    }

    #[test]
    fn a_week_repeats_itself() {
        assert_eq!(mondays(), days(|day| day.weekday() == Weekday::Monday));
    }

    #[test]
    fn beyond_its_years_a_set_says_nothing() {
        let set = mondays();
        let last = set.count_through(LAST_DAY).unwrap();
        assert!(set.nth(last).is_some());
        assert_eq!(set.nth(last + 1), None);
        assert_eq!(set.has(date(1999, 12, 31)), None);
        assert_eq!(set.count_before(date(LAST_YEAR + 1, 1, 1)), None);
        assert_eq!(Draft::weekly(|_| false).counted().nth(1), None);
        assert_eq!(Draft::weekly(|_| true).counted().nth(1), Some(FIRST_DAY));
        assert_eq!(days(|day| day == LAST_DAY).nth(1), Some(LAST_DAY));
        let mut draft = Draft::weekly(|_| true);
        draft.put(date(LAST_YEAR + 1, 1, 1), false);
        draft.put(date(1999, 12, 31), false);
        assert_eq!(draft.counted(), days(|_| true));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_nth_day_is_where_counting_says(seed in any::<u64>(), starts in prop::collection::vec(0_i32..54_000, 16)) {
            let set = days(|day| (seed >> (day.day_of_year() % 61)) & 1 == 1);
            for start in starts {
                let day = FIRST_DAY.checked_add(jiff::Span::new().days(start)).unwrap();
                let through = set.count_through(day).unwrap();
                if set.has(day).unwrap() {
                    prop_assert_eq!(set.nth(through), Some(day));
                } else if let Some(last) = set.nth(through) {
                    prop_assert!(last < day);
                }
            }
        }
    }
}
