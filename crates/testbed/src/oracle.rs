//! Who keeps count of what was acknowledged, while servers are killed.
//!
//! Writers write numbers, each once, and note what they were told: acknowledged, refused, or nothing that can be relied upon.
//! Afterwards what is there is held against the notes.

use std::collections::HashSet;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::process::wait_until;

/// What a writer was told of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is kept: whatever happens from now on, it must be there.
    Acked,
    /// The connection went while the answer was awaited, or the answer came with a warning: it may be there or not.
    Unknown,
    /// It is not kept, and must not be there.
    Refused,
}

/// Writers at work.
#[derive(Debug)]
pub struct Load {
    ended: Arc<AtomicBool>,
    acked: Arc<AtomicU64>,
    writers: Vec<JoinHandle<Tally>>,
}

/// So many numbers each writer has for itself.
const EACH: u64 = 1 << 32;

impl Load {
    /// Starts so many writers. Each is made on its own thread, from its place in the row, and is given numbers that no other is
    /// given; it connects, and connects again, by itself.
    pub fn start<W>(writers: u64, make: impl Fn(u64) -> W + Send + Sync + 'static) -> Load
    where
        W: FnMut(u64) -> Answer,
    {
        let (ended, acked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let make = Arc::new(make);
        let start = |place: u64| {
            let (ended, acked, make) = (Arc::clone(&ended), Arc::clone(&acked), Arc::clone(&make));
            std::thread::spawn(move || Tally::of(make(place), place * EACH, &ended, &acked))
        };
        let writers = (0..writers).map(start).collect();
        Load { ended, acked, writers }
    }

    /// How many have been acknowledged so far.
    #[must_use]
    pub fn acked(&self) -> u64 {
        self.acked.load(Ordering::Relaxed)
    }

    /// Waits until so many more have been acknowledged.
    #[track_caller]
    pub fn wait_for(&self, more: u64, within: Duration) {
        let goal = self.acked() + more;
        wait_until("so many more are acknowledged", within, || self.acked() >= goal);
    }

    /// Lets every writer finish the number that it is at. Gives all that was noted.
    #[must_use]
    pub fn stop(self) -> Tally {
        self.ended.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for writer in self.writers {
            let one = writer.join().expect("a writer does not panic");
            all.acked.extend(one.acked);
            all.unknown.extend(one.unknown);
            all.refused.extend(one.refused);
            all.longest_wait = all.longest_wait.max(one.longest_wait);
        }
        all
    }
}

/// What writers were told, number by number.
#[derive(Debug, Default)]
pub struct Tally {
    acked: HashSet<u64>,
    unknown: HashSet<u64>,
    refused: HashSet<u64>,
    longest_wait: Duration,
}

impl Tally {
    fn of(mut write: impl FnMut(u64) -> Answer, first: u64, ended: &AtomicBool, acked: &AtomicU64) -> Tally {
        let mut tally = Tally::default();
        let mut last = Instant::now();
        let mut number = first;
        while !ended.load(Ordering::Relaxed) {
            let answer = write(number);
            tally.note(number, answer);
            if answer == Answer::Acked {
                acked.fetch_add(1, Ordering::Relaxed);
                tally.longest_wait = tally.longest_wait.max(last.elapsed());
                last = Instant::now();
            }
            number += 1;
        }
        tally
    }

    /// Notes one answer: for who writes without a [`Load`].
    pub fn note(&mut self, number: u64, answer: Answer) {
        let list = match answer {
            Answer::Acked => &mut self.acked,
            Answer::Unknown => &mut self.unknown,
            Answer::Refused => &mut self.refused,
        };
        assert!(list.insert(number), "each number is written once");
    }

    /// Holds what is there against what was told.
    #[must_use]
    pub fn judge(&self, present: impl IntoIterator<Item = u64>) -> Verdict {
        let present: HashSet<u64> = present.into_iter().collect();
        let count = |size: usize| u64::try_from(size).expect("fewer than 2⁶⁴ fit in memory");
        let landed = self.unknown.intersection(&present).count();
        let expected = |number: &&u64| self.acked.contains(number) || self.unknown.contains(number);
        Verdict {
            acked: count(self.acked.len()),
            lost: count(self.acked.difference(&present).count()),
            unknown: count(self.unknown.len()),
            landed: count(landed),
            refused: count(self.refused.len()),
            phantoms: count(present.iter().filter(|number| !expected(number)).count()),
            longest_wait: self.longest_wait,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Acknowledged.
    pub acked: u64,
    /// Acknowledged, and not there. Must be none.
    pub lost: u64,
    /// Neither acknowledged nor refused.
    pub unknown: u64,
    /// How many of the unknown ones are there.
    pub landed: u64,
    /// Refused.
    pub refused: u64,
    /// There, though refused or never written. Must be none.
    pub phantoms: u64,
    /// The longest time that one writer waited between two acknowledgements.
    pub longest_wait: Duration,
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged, {} of them lost; {} unknown, {} of them there; {} refused; {} phantoms; longest wait {:.2} s",
            self.acked,
            self.lost,
            self.unknown,
            self.landed,
            self.refused,
            self.phantoms,
            self.longest_wait.as_secs_f64()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_acknowledged_and_is_not_there_is_lost_and_what_was_refused_and_is_there_is_a_phantom() {
        let mut tally = Tally::default();
        let told = [
            Answer::Acked,
            Answer::Acked,
            Answer::Unknown,
            Answer::Unknown,
            Answer::Refused,
            Answer::Refused,
        ];
        (0..).zip(told).for_each(|(number, answer)| tally.note(number, answer));
        let well = Verdict {
            acked: 2,
            lost: 0,
            unknown: 2,
            landed: 1,
            refused: 2,
            phantoms: 0,
            longest_wait: Duration::ZERO,
        };
        assert_eq!(tally.judge([0, 1, 2]), well);
        assert_eq!(tally.judge([1, 2]), Verdict { lost: 1, ..well });
        assert_eq!(tally.judge([0, 1, 3, 5]), Verdict { phantoms: 1, ..well });
        assert_eq!(tally.judge([0, 1, 3, 99]), Verdict { phantoms: 1, ..well });
    }

    #[test]
    fn writers_write_each_number_once_and_all_of_them_are_counted() {
        let load = Load::start(4, |_| |number| if number % 3 == 0 { Answer::Refused } else { Answer::Acked });
        load.wait_for(1_000, Duration::from_secs(10));
        let tally = load.stop();
        let verdict = tally.judge([]);
        assert!(verdict.acked >= 1_000 && verdict.lost == verdict.acked, "{verdict}");
        assert!(verdict.refused > 300 && verdict.refused < verdict.acked, "{verdict}");
    }
}
