//! Time is an argument. Instants are microseconds UTC since the Unix epoch.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Microseconds in common spans.
pub const SECOND: i64 = 1_000_000;
/// One minute.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour.
pub const HOUR: i64 = 60 * MINUTE;
/// One day of 24 hours.
pub const DAY: i64 = 24 * HOUR;
/// Seven days.
pub const WEEK: i64 = 7 * DAY;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// What the wall clock says, µs UTC.
    fn now(&self) -> i64;
    /// What a clock that nobody can set says, µs since some beginning.
    fn steady(&self) -> i64;
    /// Both at one instant: the wall clock, then the steady one.
    fn both(&self) -> (i64, i64) {
        (self.now(), self.steady())
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct MachineClock {
    began: Instant,
}

impl MachineClock {
    /// Starts the steady clock.
    pub fn new() -> MachineClock {
        MachineClock { began: Instant::now() }
    }
}

impl Default for MachineClock {
    fn default() -> MachineClock {
        MachineClock::new()
    }
}

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that reads the machine's")]
    fn now(&self) -> i64 {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
    }

    fn steady(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// A clock that only moves when told: for tests and for the demo's walk through time.
#[derive(Debug)]
pub struct SetClock(Mutex<(i64, i64)>);

impl SetClock {
    /// Stands at an instant.
    pub fn at(now: i64) -> SetClock {
        SetClock(Mutex::new((now, 0)))
    }

    /// Time passes: both clocks move.
    pub fn pass(&self, micros: i64) {
        let (wall, steady) = &mut *self.clocks();
        *wall = wall.saturating_add(micros);
        *steady = steady.saturating_add(micros);
    }

    /// Somebody sets the wall clock: only that one moves.
    pub fn set_wall(&self, now: i64) {
        self.clocks().0 = now;
    }

    fn clocks(&self) -> MutexGuard<'_, (i64, i64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SetClock {
    fn now(&self) -> i64 {
        self.clocks().0
    }

    fn steady(&self) -> i64 {
        self.clocks().1
    }

    fn both(&self) -> (i64, i64) {
        *self.clocks()
    }
}

/// Watches whether the wall clock can be believed. While it is in doubt nothing is destroyed.
///
/// SOURCE: DESIGN section 6, "Clock in doubt".
#[derive(Debug)]
pub struct ClockWatch {
    wall_at_base: AtomicI64,
    steady_at_base: AtomicI64,
    doubted: AtomicBool,
}

/// The wall clock may differ from the steady one by this much.
const DRIFT_ALLOWED: i64 = 10 * MINUTE;
/// At start, the wall clock may be this much later than the last entry.
const SILENCE_ALLOWED: i64 = 30 * DAY;

impl ClockWatch {
    /// Begins to watch.
    ///
    /// Takes: the time of the ledger's last entry, if it has one. The clock is in doubt from the start when it is
    /// earlier than that, or more than 30 days later.
    pub fn begin(clock: &dyn Clock, last_entry_at: Option<i64>) -> ClockWatch {
        let (wall, steady) = clock.both();
        let doubted =
            last_entry_at.is_some_and(|last| wall < last || wall.saturating_sub(last) > SILENCE_ALLOWED);
        // What can be believed at a start in doubt is that the last entry was made, and no more.
        let base = if doubted { last_entry_at.unwrap_or(wall) } else { wall };
        ClockWatch {
            wall_at_base: AtomicI64::new(base),
            steady_at_base: AtomicI64::new(steady),
            doubted: AtomicBool::new(doubted),
        }
    }

    /// Looks at both clocks. Gives whether the wall clock is in doubt; a doubt stays until somebody settles it.
    pub fn look(&self, clock: &dyn Clock) -> bool {
        self.compare(clock);
        self.in_doubt()
    }

    /// The time that can be believed, by which data may be left out for good and entries are made: `now`, and while the clock is in doubt the earlier of what it says
    /// and what it should say.
    pub fn believed(&self, clock: &dyn Clock, now: i64) -> i64 {
        self.believed_and_counted(clock, now).0
    }

    /// The time that can be believed, and the time by which it is counted how much was done in an hour or a day: while the
    /// clock is in doubt, what it should say. So a clock that somebody sets, forwards or back, gives nobody another hour.
    pub fn believed_and_counted(&self, clock: &dyn Clock, now: i64) -> (i64, i64) {
        let expected = self.compare(clock);
        if self.in_doubt() { (now.min(expected), expected) } else { (now, now) }
    }

    /// Doubts, if the clocks have gone apart. Gives what the wall clock should say.
    fn compare(&self, clock: &dyn Clock) -> i64 {
        let (wall, steady) = clock.both();
        let passed = steady.saturating_sub(self.steady_at_base.load(Ordering::SeqCst));
        let expected = self.wall_at_base.load(Ordering::SeqCst).saturating_add(passed);
        if wall.abs_diff(expected) > DRIFT_ALLOWED.unsigned_abs() {
            self.doubted.store(true, Ordering::SeqCst);
        }
        expected
    }

    /// Was the clock in doubt when last looked at?
    pub fn in_doubt(&self) -> bool {
        self.doubted.load(Ordering::SeqCst)
    }

    /// Somebody has looked at the clock and says that it is right.
    pub fn settle(&self, clock: &dyn Clock) {
        let (wall, steady) = clock.both();
        self.wall_at_base.store(wall, Ordering::SeqCst);
        self.steady_at_base.store(steady, Ordering::SeqCst);
        self.doubted.store(false, Ordering::SeqCst);
    }
}

/// An instant for people and for JSON: RFC 3339 in UTC, to the microsecond where there is one.
pub fn instant(at: i64) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| String::from("never"), |at| at.to_string())
}

/// Reads an instant as RFC 3339 gives it. `None` for anything else.
pub fn parse_instant(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_by_an_hour_is_doubted_until_somebody_settles_it() {
        let clock = SetClock::at(1_000 * DAY);
        let watch = ClockWatch::begin(&clock, Some(999 * DAY));
        clock.pass(5 * HOUR);
        assert!(!watch.look(&clock), "time passed as it should");
        clock.set_wall(clock.now() + HOUR);
        assert!(watch.look(&clock));
        clock.set_wall(clock.now() - HOUR);
        assert!(watch.look(&clock), "a doubt stays");
        watch.settle(&clock);
        assert!(!watch.look(&clock));
    }

    #[test]
    fn a_clock_in_doubt_leaves_nothing_out_that_a_right_one_would_keep() {
        let clock = SetClock::at(1_000 * DAY);
        let watch = ClockWatch::begin(&clock, Some(999 * DAY));
        clock.pass(DAY);
        assert_eq!(watch.believed(&clock, clock.now()), 1_001 * DAY);
        clock.set_wall(1_400 * DAY);
        assert_eq!(watch.believed(&clock, clock.now()), 1_001 * DAY, "a year forward");
        clock.set_wall(600 * DAY);
        assert_eq!(watch.believed(&clock, clock.now()), 600 * DAY, "a year back");
        let late = ClockWatch::begin(&SetClock::at(1_400 * DAY), Some(999 * DAY));
        assert_eq!(late.believed(&SetClock::at(1_400 * DAY), 1_400 * DAY), 999 * DAY, "from the start");
    }

    #[test]
    fn a_start_before_the_last_entry_or_a_month_after_it_is_in_doubt() {
        let clock = SetClock::at(100 * DAY);
        assert!(ClockWatch::begin(&clock, Some(101 * DAY)).in_doubt());
        assert!(ClockWatch::begin(&clock, Some(69 * DAY)).in_doubt());
        assert!(!ClockWatch::begin(&clock, Some(71 * DAY)).in_doubt());
        assert!(!ClockWatch::begin(&clock, None).in_doubt());
    }

    #[test]
    fn instants_read_back() {
        assert_eq!(instant(1_763_769_600_000_000), "2025-11-22T00:00:00Z");
        assert_eq!(parse_instant("2025-11-22T08:00:00+08:00"), Some(1_763_769_600_000_000));
        assert_eq!(parse_instant("2025-11-22"), None);
    }
}
