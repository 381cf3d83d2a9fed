//! What always holds, whatever the calendar, the counting and the dates.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

const FIRST_DAYS: [FirstDay; 2] = [FirstDay::Excluded, FirstDay::Included];
const LAST_DAYS: [LastDay; 3] = [LastDay::AsItFalls, LastDay::NextWorkingDay, LastDay::PreviousWorkingDay];
const CALENDARS: [&str; 6] = ["cn", "eu-de", "eu", "uk", "jp", "us-ca"];

fn some_day() -> impl Strategy<Value = Date> {
    (0_i64..9_000).prop_map(|days| date(2016, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap())
}

fn some_term() -> impl Strategy<Value = Term> {
    let units = [Unit::Days, Unit::WorkingDays, Unit::Weeks, Unit::Months, Unit::Years];
    (1_u32..80, prop::sample::select(units.to_vec())).prop_map(|(count, unit)| {
        Term::new(if unit == Unit::Years { count.min(5) } else { count }, unit).unwrap()
    })
}

fn some_counting() -> impl Strategy<Value = Counting> {
    (prop::sample::select(FIRST_DAYS.to_vec()), prop::sample::select(LAST_DAYS.to_vec()))
        .prop_map(|(first_day, last_day)| Counting { first_day, last_day })
}

fn some_clock() -> impl Strategy<Value = Clock<'static>> {
    (prop::sample::select(CALENDARS.to_vec()), some_counting())
        .prop_map(|(id, counting)| clock(id, "UTC", counting))
}

fn some_pauses() -> impl Strategy<Value = Vec<Pause>> {
    let pause = (some_day(), 0_i64..40).prop_map(|(from, days)| Pause {
        from: from.into(),
        until: from.checked_add(jiff::Span::new().days(days)).unwrap().into(),
    });
    prop::collection::vec(pause, 0..4)
}

/// Each day from `first` through `last`.
fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(move |day| *day <= last)
}

proptest! {
    #[test]
    fn whoever_starts_later_is_never_due_earlier(clock in some_clock(), term in some_term(), a in some_day(), b in some_day()) {
        let (early, late) = (clock.due(a.min(b), term).unwrap(), clock.due(a.max(b), term).unwrap());
        prop_assert!(early.date() <= late.date());
        prop_assert!(early.safe_date() <= late.safe_date() || clock.counting.last_day == LastDay::PreviousWorkingDay);
    }

    #[test]
    fn a_moved_due_is_a_working_day(clock in some_clock(), term in some_term(), start in some_day()) {
        let due = clock.due(start, term).unwrap().date();
        let moved = clock.counting.last_day != LastDay::AsItFalls || term.unit() == Unit::WorkingDays;
        prop_assert!(!moved || clock.calendar.works(due).unwrap(), "{due}");
    }

    #[test]
    fn moving_goes_to_the_nearest_working_day_of_its_side(clock in some_clock(), term in some_term(), start in some_day()) {
        let due = |last_day| {
            let counting = Counting { last_day, ..clock.counting };
            Clock { counting, ..clock }.due(start, term).unwrap().date()
        };
        let [plain, next, previous] = LAST_DAYS.map(due);
        prop_assert!(previous <= plain && plain <= next);
        let works = |day: Date| clock.calendar.works(day).unwrap();
        prop_assert!(days(plain, next).filter(|day| works(*day)).all(|day| day == next));
        prop_assert!(days(previous, plain).filter(|day| works(*day)).all(|day| day == previous));
    }

    #[test]
    fn hours_are_elapsed(seconds in 1_400_000_000_i64..2_000_000_000, hours in 1_u32..3_000, counting in some_counting(), zone_name in 0_usize..3) {
        let zone_name = ["Europe/Berlin", "America/Los_Angeles", "Asia/Shanghai"][zone_name];
        let clock = clock("cn", zone_name, counting);
        let start = Timestamp::from_second(seconds).unwrap();
        let due = clock.due(start, Term::new(hours, Unit::Hours).unwrap()).unwrap();
        prop_assert_eq!(due.instant(clock.zone).as_second() - seconds, i64::from(hours) * 3_600);
        prop_assert_eq!(due.by.to_string().parse::<Timestamp>().unwrap(), due.instant(clock.zone));
        prop_assert_eq!(due.provisional, None);
    }

    #[test]
    fn working_days_add_up(id in prop::sample::select(CALENDARS.to_vec()), start in some_day(), n in 1_u32..200, m in 1_u32..200) {
        let clock = clock(id, "UTC", USUAL);
        let after = |start, count| clock.due(start, Term::new(count, Unit::WorkingDays).unwrap()).unwrap().date();
        prop_assert_eq!(after(after(start, n), m), after(start, n + m));
    }

    #[test]
    fn a_window_of_working_days_has_that_many(clock in some_clock(), end in some_day(), count in 1_u32..120) {
        let window = clock.before(Term::new(count, Unit::WorkingDays).unwrap(), end).unwrap();
        let works = |day: &Date| clock.calendar.works(*day).unwrap();
        prop_assert!(works(&window.first));
        prop_assert_eq!(days(window.first, window.last).filter(works).count(), usize::try_from(count).unwrap());
        prop_assert_eq!(window.last == end, clock.counting.first_day == FirstDay::Included);
        prop_assert!(window.provisional.is_none_or(|p| window.first <= p.safe && p.safe <= window.last));
    }

    #[test]
    fn pauses_put_off_by_the_days_that_they_take(clock in some_clock(), term in some_term(), start in some_day(), pauses in some_pauses()) {
        let due = clock.due_paused(start, term, &[], &pauses).unwrap();
        prop_assert!(clock.due(start, term).unwrap().date() <= due.date());
        prop_assert!(due.safe_date() <= due.date());
        if matches!(term.unit(), Unit::Days | Unit::WorkingDays) {
            // By walking: the n-th day that counts.
            let paused = |day: Date| {
                pauses.iter().any(|pause| pause.from.date(clock.zone) <= day && day <= pause.until.date(clock.zone))
            };
            let counts = |day: &Date| !paused(*day) && (term.unit() == Unit::Days || clock.calendar.works(*day).unwrap());
            let first = if clock.counting.first_day == FirstDay::Included { start } else { start.tomorrow().unwrap() };
            let last = days(first, date(2060, 1, 1)).filter(counts).nth(usize::try_from(term.count()).unwrap() - 1);
            let plain = Clock { counting: Counting { last_day: LastDay::AsItFalls, ..clock.counting }, ..clock };
            let due = plain.due_paused(start, term, &[], &pauses).unwrap().date();
            prop_assert_eq!(due, last.unwrap());
        }
    }

    #[test]
    fn the_next_of_a_series_is_the_first_behind_the_day(clock in some_clock(), every in some_term(), start in some_day(), day in some_day()) {
        let due = clock.due_every(every, start, day).unwrap();
        let all = (1..).map(|times| clock.due(start, Term::new(every.count() * times, every.unit()).unwrap()).unwrap());
        let first = all.into_iter().find(|due| due.date() > day).unwrap();
        prop_assert_eq!(due, first);
    }

    #[test]
    fn the_next_of_a_year_is_the_first_behind_the_day(clock in some_clock(), month in 1_i8..=12, day_of_month in 1_i8..=31, day in some_day()) {
        if let Some(on) = MonthDay::new(month, day_of_month) {
            let of_year = |year| clock.due_in_next_year(on, date(year - 1, 6, 1)).unwrap();
            let first = (day.year() - 1..2100).map(of_year).find(|due| due.date() > day).unwrap();
            prop_assert_eq!(clock.due_yearly(on, day).unwrap(), first);
            prop_assert_eq!(on.to_string().parse::<MonthDay>(), Ok(on));
        }
    }

    #[test]
    fn a_day_due_ends_before_the_next_begins(start in some_day(), zone_name in 0_usize..4) {
        let zone_name = ["Europe/Berlin", "America/Sao_Paulo", "Asia/Shanghai", "Pacific/Apia"][zone_name];
        let clock = clock("cn", zone_name, PLAIN);
        let due = clock.due(start, term("1d")).unwrap();
        let end = due.instant(clock.zone);
        prop_assert_eq!(Moment::Instant(end).date(clock.zone), due.date());
        let next = end.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
        prop_assert!(Moment::Instant(next).date(clock.zone) > due.date());
    }
}

/// What nobody knows yet: for each day from 2027 to 2029, is it off (a weekday) or worked (of the weekend)?
#[derive(Clone, Debug)]
struct Future(Vec<bool>);

const FUTURE: [i16; 3] = [2027, 2028, 2029];

/// A calendar that knows 2025 and 2026 for certain, and if there is a future, that too.
fn written(future: Option<&Future>) -> Calendar {
    let mut text = "id = 'xx'\nname = { en = 'x', zh = 'x' }\nsource = 'x'\nconfidence = 'unverified'\n\
        weekend = ['saturday', 'sunday']\ncoverage = 'listed'\n\
        rules = [{ on = '01-01', name = 'x' }, { on = 'easter+1', name = 'x' }]\n\
        [year.2025]\npublished = true\noff = ['2025-12-25']\n\
        [year.2026]\npublished = true\noff = ['2026-12-21..2026-12-31']\nworking = ['2026-12-19', '2026-12-20']\n"
        .to_owned();
    let mut run = 11; // 21 to 31 December 2026
    for year in FUTURE.into_iter().filter(|_| future.is_some()) {
        let (mut off, mut working) = (String::new(), String::new());
        for (day, flipped) in days(date(year, 1, 1), date(year, 12, 31)).zip(future.unwrap().0.iter().cycle())
        {
            let weekend = day.weekday().to_monday_zero_offset() > 4;
            // No place rests longer than a safe day takes for granted.
            run = if weekend == *flipped { 0 } else { run + 1 };
            let must_work = run >= 16;
            if must_work {
                run = 0;
            }
            let works = weekend == *flipped || must_work;
            match (weekend, works) {
                (false, false) => write!(off, "'{day}',").unwrap(),
                (true, true) => write!(working, "'{day}',").unwrap(),
                _ => {}
            }
        }
        write!(text, "[year.{year}]\npublished = true\noff = [{off}]\nworking = [{working}]\n").unwrap();
    }
    Calendar::parse("xx.toml", &text).unwrap()
}

fn some_future() -> impl Strategy<Value = Future> {
    // From hardly any day off to hardly any worked, in runs.
    (prop::collection::vec((any::<bool>(), 1_usize..9), 20..60)).prop_map(|runs| {
        Future(runs.into_iter().flat_map(|(flipped, length)| std::iter::repeat_n(flipped, length)).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_safe_day_is_right_whatever_will_be_published(
        future in some_future(),
        asked in prop::collection::vec((0_i64..700, some_term(), some_counting(), some_pauses()), 30),
    ) {
        let (unknown, known) = (written(None), written(Some(&future)));
        let zone = zone("UTC");
        for (days, term, counting, pauses) in asked {
            let start = date(2026, 6, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let before = Clock { calendar: &unknown, zone, counting };
            let after = Clock { calendar: &known, zone, counting };
            for pauses in [&[][..], pauses.as_slice()] {
                let Ok(then) = after.due_paused(start, term, &[], pauses) else { continue };
                let now = before.due_paused(start, term, &[], pauses).unwrap();
                prop_assert!(now.safe_date() <= then.date(), "{start} {term} {counting:?}: {now:?} {then:?}");
                prop_assert!(now.safe_date() <= now.date());
                prop_assert!(now.provisional.is_some() || now.date() == then.date(), "{start} {term}");
            }
            let (now, then) = (before.before(term, start).unwrap(), after.before(term, start).unwrap());
            let safe = now.provisional.as_ref().map_or(now.first, |provisional| provisional.safe);
            prop_assert!(then.first <= safe && safe <= then.last);
            prop_assert!(now.provisional.is_some() || now.first == then.first);
        }
    }
}
