//! What was lately seen of subjects, so that a new record can be sealed before the transaction looks.
//!
//! INVARIANT: it shows what was committed, and nobody whom it was told to forget. What was found out before a subject was forgotten
//! may arrive behind it, from another thread: then it is not taken.

use std::sync::Arc;

use policy::{Person, PurposeSet};

use super::ids::{Id, SubjectId};
use super::sync::{Cache, PoisonError, RwLock};

/// What a subject has chosen, as far as retention and the gate need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chosen {
    /// How many choices it made; another number means that something changed.
    pub count: u32,
    /// Purposes that it granted.
    pub granted: PurposeSet,
    /// Purposes that it refused, withdrew from or objected to.
    pub refused: PurposeSet,
    /// When the first of its yeses ends, µs UTC; from then on this is out of date.
    pub ends_at: Option<i64>,
}

impl Chosen {
    /// Has a yes ended since this was read? Then it has to be read again.
    pub fn is_over(&self, now: i64) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }
}

/// What was lately seen of a subject: enough to seal a new record for it before the transaction looks.
#[derive(Debug, Clone)]
pub struct Hint {
    /// The subject's row of keys, as stored.
    pub keys: Arc<[u8]>,
    /// When the subject was made, µs UTC.
    pub since: i64,
    /// Where it lives, and whether it is of age.
    pub person: Person,
    /// What it had chosen.
    pub chosen: Chosen,
    /// The next free place per kind that was seen.
    pub next_places: Vec<(u8, u32)>,
    /// It was made by this process, so of kinds that were not seen there are no records.
    pub made_here: bool,
}

impl Hint {
    /// A subject with these keys of which no choice and no record was seen yet.
    pub fn of(keys: &[u8], since: i64, person: Person) -> Hint {
        Hint {
            keys: keys.into(),
            since,
            person,
            chosen: Chosen::default(),
            next_places: Vec::new(),
            made_here: false,
        }
    }

    /// The next free place among its records of a kind, as far as was seen.
    pub fn next_place(&self, kind: u8) -> Option<u32> {
        let seen = self.next_places.iter().find(|(of, _)| *of == kind).map(|(_, place)| *place);
        seen.or(self.made_here.then_some(0))
    }

    /// A record stands at this place.
    pub fn saw_place(&mut self, kind: u8, place: u32) {
        self.set_next_place(kind, place.saturating_add(1));
    }

    /// The next free place of a kind is at least this.
    pub fn set_next_place(&mut self, kind: u8, next: u32) {
        match self.next_places.iter_mut().find(|(of, _)| *of == kind) {
            Some((_, known)) => *known = next.max(*known),
            None => self.next_places.push((kind, next)),
        }
    }
}

/// Hints by subject, and subjects by lookup. Wrong hints cost one more try, never a wrong answer.
#[derive(Debug)]
pub struct Hints {
    subjects: Cache<u64, Hint>,
    lookups: Cache<[u8; 16], u64>,
    /// How often something was forgotten.
    forgotten: RwLock<u64>,
}

/// How often something had been forgotten when somebody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten(u64);

const HINTS: usize = 32_768;

impl Default for Hints {
    fn default() -> Hints {
        Hints { subjects: Cache::new(HINTS), lookups: Cache::new(HINTS), forgotten: RwLock::new(0) }
    }
}

impl Hints {
    /// What was seen of a subject.
    pub fn subject(&self, subject: SubjectId) -> Option<Hint> {
        self.subjects.get(&key(subject))
    }

    /// Which subject a lookup led to.
    pub fn lookup(&self, blind: &[u8; 16]) -> Option<SubjectId> {
        self.lookups.get(blind).map(Id::from_number)
    }

    /// Remembers a subject. Called after the COMMIT, on the thread that commits and forgets.
    pub fn saw(&self, subject: SubjectId, hint: Hint) {
        self.subjects.insert(key(subject), hint);
    }

    /// How often something was forgotten so far. Asked in the transaction that looks.
    pub fn forgotten(&self) -> Forgotten {
        Forgotten(*self.forgotten.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers what a look has found of a subject, with the next free place of a kind. Places that are known to be taken stay so.
    ///
    /// Takes: how often something had been forgotten when it looked. When that has happened since, nothing is remembered.
    pub fn found(&self, subject: SubjectId, fresh: Hint, kind: u8, next_place: u32, then: Forgotten) {
        let mut hint = match self.subject(subject) {
            Some(known) => {
                let Hint { keys, since, person, chosen, .. } = fresh;
                Hint { keys, since, person, chosen, ..known }
            }
            None => fresh,
        };
        hint.set_next_place(kind, next_place);
        self.saw_since(then, subject, hint);
    }

    /// Takes a place for a new record of a subject that was lately seen: at least `least`, and none that was taken here before.
    ///
    /// A place that is taken and not used stays empty. Two threads that take at the same instant can get the same one; then
    /// the transaction tells the second to look again.
    pub fn take_place(&self, subject: SubjectId, kind: u8, least: u32) -> u32 {
        let then = self.forgotten();
        let Some(mut hint) = self.subject(subject) else { return least };
        let place = hint.next_place(kind).map_or(least, |next| next.max(least));
        hint.saw_place(kind, place);
        self.saw_since(then, subject, hint);
        place
    }

    /// Remembers a subject, if nothing was forgotten since.
    fn saw_since(&self, then: Forgotten, subject: SubjectId, hint: Hint) {
        // ORDER: compared and put in under one lock. A hint that stood here for an instant could be taken up by somebody else.
        let forgotten = self.forgotten.read().unwrap_or_else(PoisonError::into_inner);
        if *forgotten == then.0 {
            self.saw(subject, hint);
        }
    }

    fn forget_by(&self, forget: impl FnOnce()) {
        let mut forgotten = self.forgotten.write().unwrap_or_else(PoisonError::into_inner);
        *forgotten = forgotten.saturating_add(1);
        forget();
    }

    /// Remembers where a lookup leads.
    pub fn saw_lookup(&self, blind: [u8; 16], subject: SubjectId) {
        self.lookups.insert(blind, key(subject));
    }

    /// Forgets a subject.
    pub fn forget(&self, subject: SubjectId) {
        self.forget_by(|| drop(self.subjects.remove(&key(subject))));
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.forget_by(|| {
            self.subjects.clear();
            self.lookups.clear();
        });
    }
}

fn key(subject: SubjectId) -> u64 {
    Id::number(subject)
}
