//! A shop as the rooms see it while they work: its keys, the policy in force, and caches of small tables.
//!
//! INVARIANT: a cache is filled when the house opens and changed after a COMMIT only. It answers "probably"; what
//! decides is read again in the transaction.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use policy::{Compiled, Language, PurposeSet, Registry};
use seal::{KeyId, ShopKeys, Wrapped};

use super::actor::Role;
use super::hints::Hints;
use super::law::AskedLaw;
use super::log::log_number;
use super::packs::Packs;
use super::reached::Reached;

/// A published policy, ready for use.
#[derive(Debug)]
pub struct InForce {
    /// Its version, from 1.
    pub version: u32,
    /// When it was published, µs UTC.
    pub at: i64,
    /// The file, byte for byte.
    pub text: String,
    /// SHA-256 of the text.
    pub digest: [u8; 32],
    /// The table that the gate uses.
    pub compiled: Compiled,
    /// Which name has which ordinal, also of names that are gone.
    pub registry: Registry,
    /// Versions that made granted choices void, and for which purposes.
    pub voids: Vec<(u32, PurposeSet)>,
    /// As of when the laws that apply were asked, and which packs: `None` for a policy that is not put in force, such as a plan.
    pub law: Option<AskedLaw>,
}

impl InForce {
    /// The language of the shop that is nearest to the one wanted, by its tag: itself, else one of its kin, else the shop's first.
    pub fn nearest_language(&self, wanted: &str) -> Option<&Language> {
        let languages = &self.compiled.shop().languages;
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let same = languages.iter().find(|own| own.as_str().eq_ignore_ascii_case(wanted));
        let kin = || languages.iter().find(|own| primary(own.as_str()) == primary(wanted));
        same.or_else(kin).or_else(|| languages.first())
    }

    /// The same policy, compiled anew, with no law asked yet.
    pub(super) fn again(&self) -> Option<InForce> {
        let published = jiff::Timestamp::from_microsecond(self.at).unwrap_or_default();
        let day = published.to_zoned(jiff::tz::TimeZone::UTC).date();
        let policy = policy::check(&self.text, "policy", day).policy?;
        let compiled = policy::compile(&policy, &self.registry).ok()?;
        let (text, registry, voids) = (self.text.clone(), self.registry.clone(), self.voids.clone());
        Some(InForce { compiled, text, registry, voids, law: None, ..*self })
    }

    /// Purposes for which a yes that was given under a version does not stand any more: a later version asks for more.
    pub fn voided_since(&self, version: u32) -> PurposeSet {
        let later = self.voids.iter().filter(|(by, _)| *by > version);
        later.fold(PurposeSet::EMPTY, |all, (_, purposes)| all.or(*purposes))
    }
}

/// A policy that is ready to be put in force: the laws that apply have been asked.
///
/// INVARIANT: made only by [`under_law`](super::law::under_law), so no gate ever works without its legal facts.
#[derive(Debug)]
pub struct UnderLaw(pub(super) InForce);

/// A shop.
#[derive(Debug)]
pub struct Shop {
    /// Its number.
    pub number: u32,
    /// Its id in its policy.
    pub name: String,
    /// Its keys.
    pub keys: ShopKeys,
    /// Its living terms.
    pub terms: Terms,
    /// Its credentials.
    pub doors: Doors,
    /// Rows of credentials that were found whole.
    pub credentials: WholeRows<CredentialStanding>,
    /// What was lately seen of its subjects.
    pub hints: Hints,
    /// Whom its credentials have lately reached.
    pub reached: Reached,
    packs: Arc<Packs>,
    in_force: RwLock<Arc<InForce>>,
    stepped_over: Mutex<Option<u64>>,
    generation: AtomicU32,
    last_entry_at: AtomicI64,
}

impl Shop {
    /// A shop from its rows.
    pub fn new(
        number: u32,
        name: String,
        keys: ShopKeys,
        packs: Arc<Packs>,
        in_force: UnderLaw,
        generation: u32,
        last_entry_at: i64,
    ) -> Shop {
        Shop {
            number,
            name,
            keys,
            terms: Terms::default(),
            doors: Doors::default(),
            credentials: WholeRows::default(),
            hints: Hints::default(),
            reached: Reached::default(),
            packs,
            in_force: RwLock::new(Arc::new(in_force.0)),
            stepped_over: Mutex::new(None),
            generation: AtomicU32::new(generation),
            last_entry_at: AtomicI64::new(last_entry_at),
        }
    }

    /// The number as a column.
    pub fn column(&self) -> i64 {
        i64::from(self.number)
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another policy in force. Called after its COMMIT.
    pub fn put_in_force(&self, policy: UnderLaw) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy.0);
    }

    /// Puts the policy in force under newer law, unless another version was published meanwhile.
    pub fn put_under_newer_law(&self, policy: UnderLaw) {
        let mut in_force = self.in_force.write().unwrap_or_else(PoisonError::into_inner);
        if in_force.version == policy.0.version {
            *in_force = Arc::new(policy.0);
        }
    }

    /// The packs whose law its gate goes by.
    pub fn packs(&self) -> &Packs {
        &self.packs
    }

    /// All records were laid out by the policy in force, but for rows that do not open: so many were stepped over.
    pub fn laid_out(&self, stepped_over: u64) {
        *self.stepped_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(stepped_over);
    }

    /// How many rows were stepped over when all records were last laid out; `None` when they were not since the start.
    pub fn stepped_over(&self) -> Option<u64> {
        *self.stepped_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log that is written.
    pub fn log(&self) -> i64 {
        log_number(self.number, self.generation.load(Ordering::Relaxed))
    }

    /// Goes on in another generation of the log.
    pub fn begin_generation(&self, generation: u32) {
        self.generation.store(generation, Ordering::Relaxed);
    }

    /// The instant for a new entry: never before the last one.
    pub fn entry_time(&self, now: i64) -> i64 {
        self.last_entry_at.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// When the last entry was made, µs UTC.
    pub fn last_entry_at(&self) -> i64 {
        self.last_entry_at.load(Ordering::Relaxed)
    }
}

/// A term: a retention end whose data shares one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its number.
    pub number: u64,
    /// When its key is destroyed, µs UTC; [`OPEN_END`] while that is not known.
    pub ends_at: i64,
    /// The epoch of an open term, else 0.
    pub epoch: u32,
    /// Its key.
    pub key: Wrapped,
}

/// The end of an open term.
pub const OPEN_END: i64 = i64::MAX;

/// The living terms of a shop, by end and by key.
#[derive(Debug, Default)]
pub struct Terms(RwLock<TermsInside>);

#[derive(Debug, Default)]
struct TermsInside {
    by_end: HashMap<(i64, u32), Arc<Term>>,
    by_key: HashMap<KeyId, Arc<Term>>,
}

impl Terms {
    /// The term of an end.
    pub fn ending(&self, ends_at: i64, epoch: u32) -> Option<Arc<Term>> {
        self.read(|terms| terms.by_end.get(&(ends_at, epoch)).cloned())
    }

    /// The term of a key.
    pub fn of_key(&self, key: KeyId) -> Option<Arc<Term>> {
        self.read(|terms| terms.by_key.get(&key).cloned())
    }

    /// All of them, in order of their ends.
    pub fn all(&self) -> Vec<Arc<Term>> {
        let mut all: Vec<_> = self.read(|terms| terms.by_key.values().cloned().collect());
        all.sort_by_key(|term| (term.ends_at, term.epoch));
        all
    }

    /// Adds a term, or replaces it after its key was wrapped again.
    pub fn add(&self, term: Term) {
        let term = Arc::new(term);
        let mut inside = self.0.write().unwrap_or_else(PoisonError::into_inner);
        inside.by_end.insert((term.ends_at, term.epoch), Arc::clone(&term));
        inside.by_key.insert(term.key.id, term);
    }

    /// Forgets a term whose key is destroyed.
    pub fn remove(&self, key: KeyId) {
        let mut inside = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(term) = inside.by_key.remove(&key) {
            inside.by_end.remove(&(term.ends_at, term.epoch));
        }
    }

    fn read<T>(&self, read: impl FnOnce(&TermsInside) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the front door knows of a credential, to turn strangers away before they cost a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// Its role.
    pub role: Role,
    /// May it say on whose behalf it acts?
    pub for_others: bool,
    /// Is it frozen?
    pub frozen: bool,
}

/// The credentials of a shop that are not revoked, by number.
#[derive(Debug, Default)]
pub struct Doors(RwLock<HashMap<u64, Door>>);

impl Doors {
    /// A credential.
    pub fn find(&self, number: u64) -> Option<Door> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&number).copied()
    }

    /// Adds a credential.
    pub fn add(&self, number: u64, door: Door) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(number, door);
    }

    /// How many of them are frozen.
    pub fn count_frozen(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().filter(|door| door.frozen).count()
    }

    /// Forgets a revoked one.
    pub fn remove(&self, number: u64) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

/// Rows that were lately found whole, byte for byte, and what they say: the same bytes need no look at their MAC again.
#[derive(Debug)]
pub struct WholeRows<T>(RwLock<HashMap<u64, (Vec<u8>, T)>>);

/// Rows remembered at the most.
const WHOLE_ROWS: usize = 1_024;

impl<T> Default for WholeRows<T> {
    fn default() -> WholeRows<T> {
        WholeRows(RwLock::default())
    }
}

impl<T: Copy> WholeRows<T> {
    /// What a row says, if these are its bytes.
    pub fn find(&self, number: u64, bytes: &[u8]) -> Option<T> {
        let rows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rows.get(&number).filter(|(known, _)| known == bytes).map(|(_, says)| *says)
    }

    /// Remembers a row that was found whole.
    pub fn saw(&self, number: u64, bytes: Vec<u8>, says: T) {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= WHOLE_ROWS && !rows.contains_key(&number) {
            rows.clear();
        }
        rows.insert(number, (bytes, says));
    }
}

/// What the transaction needs to know of a credential's row.
#[derive(Debug, Clone, Copy)]
pub struct CredentialStanding {
    /// What the front door knows.
    pub door: Door,
    /// The purposes that it may use.
    pub purposes: PurposeSet,
    /// How many persons it may reach, if it has a limit of its own.
    pub limit: Option<policy::Limit>,
    /// Was it revoked?
    pub revoked: bool,
}
