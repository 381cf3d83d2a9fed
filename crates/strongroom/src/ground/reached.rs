//! Whom each credential has lately reached: how many distinct persons in the last hour and in the last day, for a purpose.
//!
//! INVARIANT: made again out of the ledger whenever the house opens, so that neither a crash nor a restore sets it back. A
//! person who was counted for something that was then rolled back stays counted: that can take allowance, and never give.
//!
//! It is changed on the writer's thread only, inside the transaction that enters what is counted; the caretaker tidies it up.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use policy::Limit;

use super::clock;

/// Somebody is about to be reached.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// By which credential.
    pub credential: u64,
    /// For which purpose.
    pub purpose: u16,
    /// Who: the pseudonym that the entry names.
    pub alias: [u8; 16],
    /// When, µs UTC, by the time that can be believed.
    pub at: i64,
}

/// So many persons are about to be asked about at once, of whom nobody is named.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// By which credential.
    pub credential: u64,
    /// For which purpose.
    pub purpose: u16,
    /// How many; whoever of them is known counts again.
    pub persons: u32,
    /// When, µs UTC, by the time that can be believed.
    pub at: i64,
}

/// As many persons were reached as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// So many persons.
    pub limit: u32,
    /// In so many hours: 1 or 24.
    pub hours: u32,
}

/// An approval that stands: so many persons above the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    /// Its number.
    pub id: u64,
    /// Which credential may.
    pub credential: u64,
    /// For which purpose.
    pub purpose: u16,
    /// Persons at the most.
    pub subjects: u32,
    /// Until when, µs UTC.
    pub ends_at: i64,
}

/// Whom the credentials of a shop have reached.
#[derive(Default)]
pub struct Reached(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    /// For one purpose.
    by_purpose: HashMap<(u64, u16), Window>,
    /// For all purposes together, of credentials that have a limit of their own.
    in_all: HashMap<u64, Window>,
    /// By credential and purpose, and then by number: the earliest first.
    approvals: HashMap<(u64, u16), BTreeMap<u64, Given>>,
}

/// What an approval gave.
struct Given {
    approved: Approved,
    persons: HashSet<u64, BuildHasherDefault<Plain>>,
    /// Persons of batches: they are not named, so each counts by itself.
    unnamed: u32,
}

impl Given {
    /// Has it this person already, or room for one more?
    fn has_room_for(&self, person: u64) -> bool {
        self.left() > 0 || self.persons.contains(&person)
    }

    /// So many more it has room for.
    fn left(&self) -> u32 {
        let named = u32::try_from(self.persons.len()).unwrap_or(u32::MAX);
        self.approved.subjects.saturating_sub(named).saturating_sub(self.unnamed)
    }
}

impl std::fmt::Debug for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reached(..)")
    }
}

impl Reached {
    /// Counts a person, if the credential may reach one more. Who was reached within the hour costs nothing.
    ///
    /// Takes: the purpose's limit, and the credential's own over all its purposes.
    pub fn take(&self, reach: &Reach, purpose: Limit, own: Option<Limit>) -> Result<(), Full> {
        let (person, minute) = (person(&reach.alias), minute(reach.at));
        let inside = &mut *self.lock();
        let for_purpose = inside.by_purpose.entry((reach.credential, reach.purpose)).or_default();
        for_purpose.move_to(minute);
        for_purpose.room_for(person, purpose)?;
        if let Some(own) = own {
            let in_all = inside.in_all.entry(reach.credential).or_default();
            in_all.move_to(minute);
            in_all.room_for(person, own)?;
            in_all.count(person);
        }
        for_purpose.count(person);
        Ok(())
    }

    /// Counts a batch, if the credential may reach so many more persons: all of it, or nothing.
    ///
    /// Takes: the purpose's limit, and the credential's own over all its purposes.
    pub fn take_batch(&self, batch: &Batch, purpose: Limit, own: Option<Limit>) -> Result<(), Full> {
        let inside = &mut *self.lock();
        let for_purpose = inside.by_purpose.entry((batch.credential, batch.purpose)).or_default();
        for_purpose.move_to(minute(batch.at));
        for_purpose.room_for_batch(batch.persons, purpose)?;
        if let Some(own) = own {
            let in_all = inside.in_all.entry(batch.credential).or_default();
            in_all.move_to(minute(batch.at));
            in_all.room_for_batch(batch.persons, own)?;
            in_all.count_batch(batch.persons);
        }
        for_purpose.count_batch(batch.persons);
        Ok(())
    }

    /// Counts a batch under an approval, if it has room for all of it. Gives whether it had.
    pub fn take_batch_approved(&self, approval: u64, batch: &Batch) -> bool {
        let inside = &mut *self.lock();
        let its = inside.approvals.get_mut(&(batch.credential, batch.purpose));
        let Some(given) = its.and_then(|its| its.get_mut(&approval)) else { return false };
        let room = given.left() >= batch.persons;
        if room {
            given.unnamed = given.unnamed.saturating_add(batch.persons);
        }
        room
    }

    /// The approvals that have room for all of a batch, the earliest first. It answers "probably": their rows decide.
    pub fn approvals_for_batch(&self, batch: &Batch) -> Vec<u64> {
        let inside = &mut *self.lock();
        let Some(its) = inside.approvals.get_mut(&(batch.credential, batch.purpose)) else {
            return Vec::new();
        };
        its.retain(|_, given| given.approved.ends_at > batch.at);
        its.iter().filter(|(_, given)| given.left() >= batch.persons).map(|(id, _)| *id).collect()
    }

    /// Counts a batch that the ledger says was asked about, whatever the limit; see [`Reached::saw`].
    pub fn saw_batch(&self, batch: &Batch, own: Option<Limit>) {
        let inside = &mut *self.lock();
        let for_purpose = inside.by_purpose.entry((batch.credential, batch.purpose)).or_default();
        for_purpose.move_to(minute(batch.at).max(for_purpose.now));
        for_purpose.count_batch(batch.persons);
        if own.is_some() {
            let in_all = inside.in_all.entry(batch.credential).or_default();
            in_all.move_to(minute(batch.at).max(in_all.now));
            in_all.count_batch(batch.persons);
        }
    }

    /// Counts a person under an approval, if it has room. Gives whether it had.
    pub fn take_approved(&self, approval: u64, reach: &Reach) -> bool {
        let person = person(&reach.alias);
        let inside = &mut *self.lock();
        let its = inside.approvals.get_mut(&(reach.credential, reach.purpose));
        let Some(given) = its.and_then(|its| its.get_mut(&approval)) else { return false };
        let room = given.has_room_for(person);
        if room {
            given.persons.insert(person);
        }
        room
    }

    /// The approvals under which a person may be reached, the earliest first; those that ended are forgotten.
    ///
    /// It answers "probably": their rows decide. One that is used up costs no look at its row.
    pub fn approvals(&self, reach: &Reach) -> Vec<u64> {
        let person = person(&reach.alias);
        let inside = &mut *self.lock();
        let Some(its) = inside.approvals.get_mut(&(reach.credential, reach.purpose)) else {
            return Vec::new();
        };
        its.retain(|_, given| given.approved.ends_at > reach.at);
        its.iter().filter(|(_, given)| given.has_room_for(person)).map(|(id, _)| *id).collect()
    }

    /// An approval stands from now on.
    pub fn approve(&self, approved: Approved) {
        let inside = &mut *self.lock();
        let its = inside.approvals.entry((approved.credential, approved.purpose)).or_default();
        its.entry(approved.id).or_insert_with(|| Given { approved, persons: HashSet::default(), unnamed: 0 });
    }

    /// Begins to count a credential anew: somebody has looked at it and lets it go on.
    pub fn forget(&self, credential: u64) {
        let inside = &mut *self.lock();
        inside.by_purpose.retain(|(of, _), _| *of != credential);
        inside.in_all.remove(&credential);
    }

    /// Forgets a credential altogether: it was revoked.
    pub fn remove(&self, credential: u64) {
        self.forget(credential);
        self.lock().approvals.retain(|(of, _), _| *of != credential);
    }

    /// Lets go of whoever was reached longer ago than a day, and of approvals that have ended: a credential that is not used any
    /// more costs no memory. Takes: the time by which it is counted.
    pub fn tidy(&self, at: i64) {
        let minute = minute(at);
        let inside = &mut *self.lock();
        inside.by_purpose.retain(|_, window| window.holds_any(minute));
        inside.in_all.retain(|_, window| window.holds_any(minute));
        inside.approvals.retain(|_, its| {
            its.retain(|_, given| given.approved.ends_at > at);
            !its.is_empty()
        });
    }

    /// Counts what the ledger says was reached, whatever the limit: when the house opens, and when another server entered it.
    ///
    /// It sets no time back: while the clocks are in doubt an entry has an earlier time than the one by which is counted, and of
    /// going back and on again everybody would be forgotten. Who is counted later than they were reached takes allowance.
    pub fn saw(&self, reach: &Reach, own: Option<Limit>) {
        let (person, minute) = (person(&reach.alias), minute(reach.at));
        let inside = &mut *self.lock();
        let for_purpose = inside.by_purpose.entry((reach.credential, reach.purpose)).or_default();
        for_purpose.move_to(minute.max(for_purpose.now));
        for_purpose.count(person);
        if own.is_some() {
            let in_all = inside.in_all.entry(reach.credential).or_default();
            in_all.move_to(minute.max(in_all.now));
            in_all.count(person);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Nothing panics while the lock is held; counts that are one behind are mended when the house opens.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Persons by the first half of their alias. Two with the same half are counted as one: of a million, once in 2^25 shops.
type Persons<V> = HashMap<u64, V, BuildHasherDefault<Plain>>;

/// An alias looks random already: it is its own hash.
#[derive(Default)]
struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Distinct persons of the last hour and of the last day, each counted by the minute in which they were last reached.
///
/// Counted in whole minutes, rounded against the caller: an hour lasts up to a minute longer, and so does a day.
#[derive(Default)]
struct Window {
    now: u32,
    hour: u32,
    day: u32,
    /// Minutes in which somebody was last reached, ascending, and how many.
    minutes: VecDeque<(u32, u32)>,
    last: Persons<u32>,
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * 60;
/// The time may go back so many minutes without anything being moved along.
const SLACK: u32 = 1;
/// Persons beyond the last day are forgotten when there are more than twice as many as in it, and more than this.
const KEPT: usize = 1_024;

impl Window {
    /// Time has passed. Where it was set back everybody moves along, so that each stays as long ago as they were.
    fn move_to(&mut self, minute: u32) {
        if minute.saturating_add(SLACK) < self.now {
            let back = self.now.saturating_sub(minute);
            self.now = minute;
            for (at, _) in &mut self.minutes {
                *at = at.saturating_sub(back);
            }
            for at in self.last.values_mut() {
                *at = at.saturating_sub(back);
            }
        }
        if minute <= self.now {
            return;
        }
        self.now = minute;
        while let Some((at, count)) = self.minutes.front().copied() {
            if is_within(at, DAY, minute) {
                break;
            }
            self.day = self.day.saturating_sub(count);
            self.minutes.pop_front();
        }
        let of_the_hour = self.minutes.iter().rev().take_while(|(at, _)| is_within(*at, HOUR, minute));
        self.hour = of_the_hour.fold(0, |all, (_, count)| all.saturating_add(*count));
        let most = usize::try_from(self.day).unwrap_or(usize::MAX).saturating_mul(2).max(KEPT);
        if self.last.len() > most {
            self.last.retain(|_, at| is_within(*at, DAY, minute));
        }
    }

    /// Is there anybody of the last day left? All others are forgotten, and their room is given back.
    fn holds_any(&mut self, minute: u32) -> bool {
        let minute = minute.max(self.now); // whoever tidies up sets no time back
        self.move_to(minute);
        self.last.retain(|_, at| is_within(*at, DAY, minute));
        self.last.shrink_to_fit();
        !self.last.is_empty() || self.day > 0
    }

    /// When a person was last reached, if that was within the last day.
    fn last(&self, person: u64) -> Option<u32> {
        self.last.get(&person).copied().filter(|at| is_within(*at, DAY, self.now))
    }

    fn room_for(&self, person: u64, limit: Limit) -> Result<(), Full> {
        let last = self.last(person);
        if last.is_some_and(|at| is_within(at, HOUR, self.now)) {
            return Ok(());
        }
        if self.hour >= limit.per_hour {
            return Err(Full { limit: limit.per_hour, hours: 1 });
        }
        if last.is_none() && self.day >= limit.per_day {
            return Err(Full { limit: limit.per_day, hours: 24 });
        }
        Ok(())
    }

    fn room_for_batch(&self, persons: u32, limit: Limit) -> Result<(), Full> {
        if self.hour.saturating_add(persons) > limit.per_hour {
            return Err(Full { limit: limit.per_hour, hours: 1 });
        }
        if self.day.saturating_add(persons) > limit.per_day {
            return Err(Full { limit: limit.per_day, hours: 24 });
        }
        Ok(())
    }

    fn count_batch(&mut self, persons: u32) {
        self.hour = self.hour.saturating_add(persons);
        self.day = self.day.saturating_add(persons);
        match self.minutes.back_mut() {
            Some((minute, count)) if *minute == self.now => *count = count.saturating_add(persons),
            _ => self.minutes.push_back((self.now, persons)),
        }
    }

    fn count(&mut self, person: u64) {
        let last = self.last(person);
        if last == Some(self.now) {
            return;
        }
        match last {
            Some(at) => {
                if let Ok(place) = self.minutes.binary_search_by_key(&at, |(minute, _)| *minute)
                    && let Some((_, count)) = self.minutes.get_mut(place)
                {
                    *count = count.saturating_sub(1);
                }
                if !is_within(at, HOUR, self.now) {
                    self.hour = self.hour.saturating_add(1);
                }
            }
            None => {
                self.hour = self.hour.saturating_add(1);
                self.day = self.day.saturating_add(1);
            }
        }
        match self.minutes.back_mut() {
            Some((minute, count)) if *minute == self.now => *count = count.saturating_add(1),
            _ => self.minutes.push_back((self.now, 1)),
        }
        self.last.insert(person, self.now);
    }
}

fn is_within(at: u32, minutes: u32, now: u32) -> bool {
    at.saturating_add(minutes) >= now
}

fn person(alias: &[u8; 16]) -> u64 {
    alias.first_chunk().map_or(0, |half| u64::from_le_bytes(*half))
}

fn minute(at: i64) -> u32 {
    u32::try_from(at.max(0) / clock::MINUTE).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 20_000 * clock::DAY;

    fn reach(number: u64, at: i64) -> Reach {
        let mut alias = [7; 16];
        alias[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
        Reach { credential: 1, purpose: 2, alias, at }
    }

    fn limit(per_hour: u32, per_day: u32) -> Limit {
        Limit { per_hour, per_day }
    }

    #[test]
    fn the_same_person_costs_once_and_one_more_than_the_limit_is_refused() {
        let reached = Reached::default();
        for _ in 0..3 {
            for number in 0..5 {
                assert_eq!(reached.take(&reach(number, START), limit(5, 9), None), Ok(()));
            }
        }
        let full = reached.take(&reach(5, START), limit(5, 9), None);
        assert_eq!(full, Err(Full { limit: 5, hours: 1 }));
        assert_eq!(reached.take(&reach(4, START), limit(5, 9), None), Ok(()), "who is known is known");
    }

    #[test]
    fn an_hour_later_there_is_room_until_the_day_is_full() {
        let reached = Reached::default();
        let later = START + clock::HOUR + 2 * clock::MINUTE;
        for number in 0..5 {
            reached.take(&reach(number, START), limit(5, 9), None).unwrap();
        }
        for number in 5..9 {
            reached.take(&reach(number, later), limit(5, 9), None).unwrap();
        }
        let full = reached.take(&reach(9, later), limit(5, 9), None);
        assert_eq!(full, Err(Full { limit: 9, hours: 24 }));
        reached.take(&reach(0, later), limit(5, 9), None).unwrap();
        let next_day = START + clock::DAY + 2 * clock::MINUTE;
        for number in 10..13 {
            reached.take(&reach(number, next_day), limit(5, 9), None).unwrap();
        }
    }

    #[test]
    fn who_is_reached_again_and_again_counts_in_every_hour() {
        let reached = Reached::default();
        for minute in 0..100 {
            reached.take(&reach(1, START + minute * clock::MINUTE), limit(2, 2), None).unwrap();
        }
        let at = START + 100 * clock::MINUTE;
        reached.take(&reach(2, at), limit(2, 2), None).unwrap();
        assert!(reached.take(&reach(3, at), limit(2, 2), None).is_err(), "the first is still there");
    }

    #[test]
    fn what_another_server_entered_by_an_earlier_time_sets_no_time_back() {
        let reached = Reached::default();
        let counted_at = START + 10 * clock::HOUR;
        for number in 0..3 {
            reached.take(&reach(number, counted_at), limit(6, 9), Some(limit(6, 9))).unwrap();
            reached.saw(&reach(number + 3, START), Some(limit(6, 9)));
        }
        let full = reached.take(&reach(6, counted_at), limit(6, 9), None);
        assert_eq!(full, Err(Full { limit: 6, hours: 1 }));
        assert!(
            reached.take(&reach(6, counted_at), limit(9, 9), Some(limit(6, 9))).is_err(),
            "nor of its own"
        );
    }

    #[test]
    fn time_that_is_set_back_gives_nothing_back() {
        for back in [2 * clock::MINUTE, clock::HOUR, clock::DAY, 400 * clock::DAY] {
            let reached = Reached::default();
            for number in 0..5 {
                reached.take(&reach(number, START), limit(5, 5), None).unwrap();
            }
            let set = START - back;
            let takes = |at| reached.take(&reach(7, at), limit(5, 5), None).is_ok();
            assert!(!takes(set) && !takes(set + 23 * clock::HOUR), "back by {back}");
            assert!(takes(set + 25 * clock::HOUR), "and holds nobody for longer than a day");
        }
    }

    #[test]
    fn a_credentials_own_limit_holds_over_all_its_purposes() {
        let reached = Reached::default();
        let other = |number| Reach { purpose: 3, ..reach(number, START) };
        let own = Some(limit(3, 3));
        reached.take(&reach(1, START), limit(9, 9), own).unwrap();
        reached.take(&other(1), limit(9, 9), own).unwrap();
        reached.take(&other(2), limit(9, 9), own).unwrap();
        reached.take(&reach(3, START), limit(9, 9), own).unwrap();
        assert_eq!(reached.take(&other(4), limit(9, 9), own), Err(Full { limit: 3, hours: 1 }));
    }

    #[test]
    fn what_was_seen_in_any_order_of_minutes_is_counted_as_a_plain_set_would() {
        let reached = Reached::default();
        let (mut seen, mut random): (Vec<(u64, i64)>, u64) = (Vec::new(), 1);
        let mut at = START;
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            at += i64::try_from(random >> 60).unwrap() * 20 * clock::SECOND;
            let number = (random >> 33) % 400;
            let minute = at / clock::MINUTE;
            let known = |span: i64| {
                let persons = seen.iter().filter(|(_, then)| then + span >= minute).map(|(of, _)| *of);
                persons.collect::<HashSet<u64>>()
            };
            let (hour, day) = (known(60), known(24 * 60));
            let wanted =
                hour.contains(&number) || (hour.len() < 40 && (day.contains(&number) || day.len() < 200));
            assert_eq!(reached.take(&reach(number, at), limit(40, 200), None).is_ok(), wanted);
            if wanted {
                seen.push((number, minute));
            }
            seen.retain(|(_, then)| then + 24 * 60 >= minute);
        }
    }

    #[test]
    fn tidying_up_gives_the_room_back_and_no_allowance() {
        let reached = Reached::default();
        let own = Some(limit(9, 9));
        for number in 0..5 {
            reached.take(&reach(number, START), limit(5, 5), own).unwrap();
        }
        reached.approve(Approved {
            id: 9,
            credential: 1,
            purpose: 2,
            subjects: 2,
            ends_at: START + clock::DAY,
        });
        let left = || {
            let inside = reached.lock();
            (inside.by_purpose.len(), inside.in_all.len(), inside.approvals.len())
        };
        let later = START + 23 * clock::HOUR;
        reached.tidy(later);
        let full = reached.take(&reach(5, later), limit(5, 5), own);
        assert_eq!((full, left()), (Err(Full { limit: 5, hours: 24 }), (1, 1, 1)));
        assert_eq!(reached.approvals(&reach(5, later)), [9]);
        reached.tidy(START + clock::DAY + 2 * clock::MINUTE);
        assert_eq!(left(), (0, 0, 0));
    }

    #[test]
    fn a_batch_is_counted_whole_or_not_at_all_and_beside_persons() {
        let reached = Reached::default();
        let batch = |persons, at| Batch { credential: 1, purpose: 2, persons, at };
        let takes = |persons, at| reached.take_batch(&batch(persons, at), limit(10, 15), Some(limit(99, 99)));
        assert_eq!(takes(8, START), Ok(()));
        assert_eq!(takes(3, START), Err(Full { limit: 10, hours: 1 }));
        for number in 0..2 {
            reached.take(&reach(number, START), limit(10, 15), None).unwrap();
        }
        assert!(reached.take(&reach(2, START), limit(10, 15), None).is_err(), "the hour is full");
        let later = START + clock::HOUR + 2 * clock::MINUTE;
        assert_eq!(takes(6, later), Err(Full { limit: 15, hours: 24 }));
        assert_eq!(takes(5, later), Ok(()));
        reached.tidy(START + 23 * clock::HOUR);
        assert!(takes(1, START + 23 * clock::HOUR).is_err(), "tidying up gives nothing back");
        let next_day = START + clock::DAY + 2 * clock::HOUR;
        assert_eq!(takes(10, next_day), Ok(()), "and a day later everything is");
    }

    #[test]
    fn an_approval_has_room_for_all_of_a_batch_or_is_not_used() {
        let reached = Reached::default();
        reached.approve(Approved { id: 9, credential: 1, purpose: 2, subjects: 5, ends_at: START + 1 });
        let batch = |persons| Batch { credential: 1, purpose: 2, persons, at: START };
        assert!(reached.take_approved(9, &reach(1, START)));
        assert!(!reached.take_batch_approved(9, &batch(5)) && reached.take_batch_approved(9, &batch(4)));
        assert!(
            reached.approvals_for_batch(&batch(1)).is_empty() && !reached.take_approved(9, &reach(2, START))
        );
        assert!(reached.take_approved(9, &reach(1, START)), "who is in it stays in it");
    }

    #[test]
    fn an_approval_gives_as_many_persons_as_it_says() {
        let reached = Reached::default();
        let approved = Approved { id: 9, credential: 1, purpose: 2, subjects: 2, ends_at: START + 1 };
        reached.approve(approved);
        reached.approve(Approved { id: 8, ..approved });
        reached.approve(Approved { id: 7, purpose: 3, ..approved });
        let may = |number| reached.approvals(&reach(number, START));
        assert_eq!(may(1), [8, 9]);
        let takes = |number| reached.take_approved(9, &reach(number, START));
        assert!(takes(1) && takes(2) && takes(1) && !takes(3));
        assert_eq!((may(1), may(3)), (vec![8, 9], vec![8]), "what is used up is not even asked");
        assert!(reached.approvals(&reach(1, START + 1)).is_empty(), "they have ended");
        assert!(!takes(1), "and are forgotten");
    }
}
