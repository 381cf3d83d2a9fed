//! Who is sending or taking a file right now. Each file on its way holds memory, so there are so many places and no more; and
//! one caller holds a part of them at the most, so that there is one left for the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::actor::Actor;
use super::ids::{CredentialId, SubjectId};

/// Files on their way in or out at once. Each holds half a megabyte of memory at the most.
const PLACES: usize = 64;
/// Places that one caller holds at the most.
const OF_ONE: usize = PLACES / 4;

/// The places.
#[derive(Debug, Default)]
pub struct Streams(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by: HashMap<Who, usize>,
}

/// Who has places: a credential, somebody at the machine itself, a person who has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Credential(CredentialId),
    Inside,
    Subject(SubjectId),
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct StreamPlace {
    streams: Arc<Streams>,
    who: Who,
}

impl Streams {
    /// A place for a caller; `None` when all are taken, or all that one caller may have.
    pub fn take(self: &Arc<Streams>, actor: &Actor) -> Option<StreamPlace> {
        let who = match actor {
            Actor::Credential(presented) => Who::Credential(presented.id),
            Actor::Operator | Actor::House => Who::Inside,
            Actor::Subject(subject) => Who::Subject(*subject),
        };
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by.get(&who).copied().unwrap_or(0);
        if taken.all >= PLACES || own >= OF_ONE {
            return None;
        }
        taken.all = taken.all.saturating_add(1);
        taken.by.insert(who, own.saturating_add(1));
        Some(StreamPlace { streams: Arc::clone(self), who })
    }

    /// How many are taken.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut taken = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        match taken.by.get_mut(&self.who) {
            Some(own) if *own > 1 => *own = own.saturating_sub(1),
            _ => {
                taken.by.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::actor::Presented;
    use crate::ground::ids::Id;

    fn credential(number: u64) -> Actor {
        let hash = Arc::new(seal::Secret::new([0; 32]));
        let id = CredentialId::from_number(number);
        Actor::Credential(Presented { id, hash, on_behalf_of: None })
    }

    #[test]
    fn one_caller_has_a_quarter_and_all_together_have_all() {
        let streams = Arc::new(Streams::default());
        let mut held = Vec::new();
        for caller in [credential(1), credential(2), Actor::Operator, credential(3), credential(4)] {
            let own: Vec<StreamPlace> = std::iter::from_fn(|| streams.take(&caller)).collect();
            held.push(own);
        }
        let counts: Vec<usize> = held.iter().map(Vec::len).collect();
        assert_eq!((counts, streams.count()), (vec![16, 16, 16, 16, 0], 64));
        // What one gives back is another's to take.
        held.swap_remove(0);
        assert_eq!(streams.count(), 48);
        let fourth: Vec<StreamPlace> = std::iter::from_fn(|| streams.take(&credential(4))).collect();
        assert_eq!(fourth.len(), 16);
        drop((held, fourth));
        assert_eq!(streams.count(), 0);
        assert!(streams.0.lock().unwrap().by.is_empty(), "nobody who has gone is remembered");
    }
}
