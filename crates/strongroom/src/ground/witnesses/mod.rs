//! Witnesses: somebody elsewhere who is told of every log's head, and who notices if this house is ever set back.
//!
//! A witness is a file on another disk, or a server that speaks C2SP tlog-witness. Each is held against at the start, before
//! anybody is served: a log that is shorter than what a witness has seen, or another one, is refused. While the house serves,
//! each witness has a thread of its own; nobody who calls ever waits for one.
//!
//! INVARIANT: a witness is offered only what is committed, and all of them the same heads, so that their cosignatures meet.

mod file;
mod http;
mod kept;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::cosign::WitnessKey;
use seal::KeyId;
use serde::{Deserialize, Serialize};

use self::file::FileWitness;
pub use self::file::note_in;
use self::http::HttpWitness;
use self::kept::Kept;
use super::clock::{HOUR, SECOND};
use super::heads::SignedHead;
use super::house::House;
use super::keys_folder::KeysFolder;
use super::log::{generation_of_log, log_number};
use super::note::OurName;
use super::problem::Problem;
use super::shop::Shop;

/// One witness, as it is configured.
#[derive(Debug, Clone)]
pub struct WitnessPlace {
    /// Its name here.
    pub name: String,
    /// Where it is.
    pub at: WitnessAt,
    /// Between two heads that it is told, µs.
    pub every: i64,
    /// Somebody should look when it was not heard for so long, µs.
    pub red_after: i64,
    /// What a start does when it cannot be heard.
    pub duty: Duty,
}

/// Where a witness is.
#[derive(Debug, Clone)]
pub enum WitnessAt {
    /// A file, best on a disk that this machine can add to and nothing else.
    File(PathBuf),
    /// A server that speaks C2SP tlog-witness.
    Http {
        /// Its address, with the path before `add-checkpoint`.
        url: String,
        /// The authorities to trust there; the system's, if it is left out.
        ca_file: Option<PathBuf>,
        /// The key that its cosignatures hold under.
        key: WitnessKey,
    },
}

/// What a start does when a witness cannot be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// It is refused.
    Required,
    /// It serves, says so, and somebody should look.
    Wanted,
}

/// The shop's log is shorter than a witness has seen it.
pub const SHORTER: &str = "SR-WITNESS-001";
/// The shop's log is not the one that a witness has seen.
pub const FORKED: &str = "SR-WITNESS-002";
/// A witness knows of destroyed keys that this house does not know of.
pub const LIST_AHEAD: &str = "SR-WITNESS-008";

/// Says a problem that no network and no restart of the witness explains: this house, or somebody in its name, was set back.
pub fn is_contradiction(code: &str) -> bool {
    matches!(code, SHORTER | FORKED | LIST_AHEAD)
}

/// How a witness stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Seconds since it last had every log's head; `None` before it ever had.
    pub age_seconds: Option<i64>,
    /// Was it not heard for too long, or not at the last start?
    pub is_unheard: bool,
    /// Why it was not heard when it was last told: a code.
    pub fault: Option<String>,
    /// It contradicts this house: a code. It stays until the next start.
    pub contradicts: Option<String>,
}

/// The witnesses of a house.
pub struct Witnesses {
    all: Vec<Witness>,
    kept: Mutex<Kept>,
    /// Held while the file of cosignatures is written.
    writing: Mutex<Writing>,
}

/// May the file of cosignatures be written?
#[derive(PartialEq, Eq)]
enum Writing {
    Open,
    /// The house is closed: another process may own the keys folder.
    Closed,
}

impl std::fmt::Debug for Witnesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witnesses").field("count", &self.all.len()).finish_non_exhaustive()
    }
}

struct Witness {
    place: WitnessPlace,
    way: Way,
    memory: Mutex<Memory>,
}

enum Way {
    File(FileWitness),
    Http(HttpWitness),
}

/// What is remembered of a witness while the process runs.
#[derive(Default)]
struct Memory {
    seen: HashMap<i64, Seen>,
    failed: u32,
    /// By the clock that nobody can set, µs.
    next_at: i64,
    fault: Option<&'static str>,
    contradicts: Option<&'static str>,
}

/// The newest head of a log that a witness has, and when it got it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    size: u64,
    at: i64,
}

/// A head that enough was heard about to be shown: signed by the log, and by witnesses below.
#[derive(Debug, Clone)]
pub struct Cosigned {
    /// Entries in it.
    pub size: u64,
    /// The note with its cosignatures.
    pub note: String,
}

impl Witnesses {
    /// The witnesses of a configuration, with the cosignatures that were kept.
    ///
    /// Fails: `SR-OUT-001` to `-003` for an address that cannot be used; `SR-ACCOUNT-003` when what was kept is damaged.
    pub fn new(places: &[WitnessPlace], keys: &KeysFolder) -> Result<Witnesses, Problem> {
        let all = places.iter().map(Witness::new).collect::<Result<Vec<_>, _>>()?;
        let kept = if all.is_empty() { Kept::default() } else { Kept::read(keys)? };
        Ok(Witnesses { all, kept: Mutex::new(kept), writing: Mutex::new(Writing::Open) })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Holds every log against what every witness has seen, before anybody is served.
    ///
    /// A witness that can be heard is told of the heads as they stand, which it takes only if they grew out of what it has.
    /// Fails: `SR-WITNESS-001`, `-002`, `-008` when a witness knows better; `SR-WITNESS-005` when one that is required cannot be
    /// heard.
    pub fn hold(&self, house: &House) -> Result<(), Problem> {
        self.kept().hold(house)?;
        // Each on a thread of its own: one that does not answer must not make the others late.
        let outcomes = std::thread::scope(|scope| {
            let asked: Vec<_> =
                self.all.iter().map(|witness| scope.spawn(|| self.tell_all_logs(witness, house))).collect();
            let outcome = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join();
            asked.into_iter().map(outcome).collect::<Vec<_>>()
        });
        for (witness, outcome) in self.all.iter().zip(outcomes) {
            let outcome = outcome.unwrap_or_else(|_| Err(store::Error::Panicked.into()));
            let Err(problem) = outcome else { continue };
            if is_contradiction(problem.code) {
                return Err(problem);
            }
            if witness.place.duty == Duty::Required {
                return Err(required(&witness.place.name, &problem));
            }
        }
        Ok(())
    }

    /// Tells a witness of new heads, if it is time to. Blocks while it answers.
    ///
    /// Takes: which witness, counted from 0.
    pub fn tell_if_due(&self, which: usize, house: &House) {
        let Some(witness) = self.all.get(which) else { return };
        if witness.memory().next_at <= house.clock.steady() {
            let _ = self.tell_all_logs(witness, house);
        }
    }

    /// Tells every witness of the heads as they stand, due or not. Blocks. For tests, and for commands that wait.
    pub fn tell_now(&self, house: &House) {
        for witness in &self.all {
            self.kept().make_stale();
            let _ = self.tell_all_logs(witness, house);
        }
    }

    /// Tells those that are files, which takes no time: what is done when the house closes.
    pub fn tell_files(&self, house: &House) {
        for witness in self.all.iter().filter(|witness| matches!(witness.way, Way::File(_))) {
            self.kept().make_stale();
            let _ = self.tell_all_logs(witness, house);
        }
    }

    /// The newest head of a log that the witnesses have cosigned.
    pub fn cosigned(&self, log: i64) -> Option<Cosigned> {
        self.kept().best(log)
    }

    /// Lines of cosignatures for this very text of a checkpoint. Empty when nobody has cosigned it yet.
    pub fn lines_for(&self, log: i64, note: &str) -> String {
        self.kept().lines_for(log, note)
    }

    /// How each witness stands.
    pub fn standings(&self, house: &House) -> Vec<Standing> {
        let now = house.clock.now();
        let logs: Vec<i64> = house.shops().iter().map(|shop| shop.log()).collect();
        self.all.iter().map(|witness| witness.standing(now, &logs)).collect()
    }

    /// Nothing that is answered from now on is written: another process may own the keys folder soon.
    pub fn close(&self) {
        *self.writing() = Writing::Closed;
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, keys: &KeysFolder) -> Result<(), Problem> {
        let writing = self.writing();
        if *writing == Writing::Closed {
            return Ok(());
        }
        // ORDER: what is written is read under the lock of writing, so that nothing older follows it; and not under the lock of
        // what is kept, which those who are served take.
        let heads = self.kept().heads();
        Ok(keys.write_cosigned(&serde_json::to_string_pretty(&heads).unwrap_or_default())?)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_all_logs(&self, witness: &Witness, house: &House) -> Result<(), Problem> {
        let mut outcomes: Vec<Result<(), Problem>> =
            house.shops().iter().map(|shop| self.tell(witness, house, shop)).collect();
        outcomes.push(match &witness.way {
            Way::File(file) => file.copy_list(&house.keys),
            // The ledger that it cosigns names every destroyed key.
            Way::Http(_) => Ok(()),
        });
        // What contradicts the house is told before what is only out of reach.
        outcomes.sort_by_key(|outcome| match outcome {
            Err(problem) if is_contradiction(problem.code) => 0,
            Err(_) => 1,
            Ok(()) => 2,
        });
        let outcome = outcomes.into_iter().next().unwrap_or(Ok(()));
        let mut memory = witness.memory();
        let now = house.clock.steady();
        match &outcome {
            Ok(()) => {
                memory.failed = 0;
                memory.fault = None;
                memory.next_at = now.saturating_add(witness.place.every);
            }
            Err(problem) => {
                let is_new = memory.fault != Some(problem.code);
                memory.fault = Some(problem.code);
                memory.failed = memory.failed.saturating_add(1);
                // Twice as long each time, an hour at the most, and never less than it is told anyway.
                let wait = SECOND.saturating_mul(1 << memory.failed.min(12)).min(HOUR);
                memory.next_at = now.saturating_add(wait.max(witness.place.every));
                if is_contradiction(problem.code) {
                    memory.contradicts = Some(problem.code);
                    crate::note!(
                        ERROR,
                        "a witness contradicts this house: it was set back, or somebody else writes in its name",
                        witness = OurName(&witness.place.name),
                        code = problem.code
                    );
                } else if is_new {
                    crate::note!(
                        WARN,
                        "a witness cannot be heard",
                        witness = OurName(&witness.place.name),
                        code = problem.code
                    );
                }
            }
        }
        outcome
    }

    fn tell(&self, witness: &Witness, house: &House, shop: &Arc<Shop>) -> Result<(), Problem> {
        let log = shop.log();
        let now = house.clock.now();
        let period = self.all.iter().map(|witness| witness.place.every).min().unwrap_or(0);
        let offer = self.kept().offer(house, shop, period)?;
        let seen = witness.memory().seen.get(&log).copied();
        let name = witness.place.name.as_str();
        let heard_at = match &witness.way {
            Way::File(file) => {
                file.append(house, shop, &offer)?;
                now
            }
            Way::Http(http) => {
                // A quiet log is cosigned again before it looks forgotten.
                let is_fresh =
                    |seen: &Seen| (0..witness.place.red_after / 3).contains(&now.saturating_sub(seen.at));
                if seen.as_ref().is_some_and(|seen| seen.size == offer.size && is_fresh(seen)) {
                    return Ok(());
                }
                let known =
                    seen.map(|seen| seen.size).or_else(|| self.kept().size_of(log, http.key().name()));
                let (found, line) = http.submit(house, shop, &offer, known.unwrap_or(0), name)?;
                let at = http::time_of(&found, house.clock.now(), witness.place.red_after, name)?;
                let key = http.key().name();
                // ORDER: what is to be written is decided, and the lock let go, before it is written.
                let is_new = self.kept().add(log, &offer, key, line, house.clock.steady());
                if is_new {
                    self.write(&house.keys)?;
                }
                at
            }
        };
        witness.memory().seen.insert(log, Seen { size: offer.size, at: heard_at });
        Ok(())
    }
}

/// What witnesses know of the logs of these shops, for a restore: heads that are signed by the logs themselves.
#[derive(Debug, Default)]
pub struct Witnessed {
    /// The newest head of each shop's newest generation, from each witness that has one.
    pub heads: Vec<SignedHead>,
    /// Keys that copies of the list of destroyed keys name.
    pub destroyed: Vec<KeyId>,
    /// Witnesses that could not be heard, and why.
    pub unheard: Vec<(String, &'static str)>,
}

/// Asks the witnesses of a configuration what they have seen of these shops.
///
/// Takes: the shops by number, name and generation. Fails: `SR-WITNESS-005` when one that is required cannot be heard.
pub fn ask(
    places: &[WitnessPlace],
    keys: &KeysFolder,
    shops: &[(u32, String, u32)],
) -> Result<Witnessed, Problem> {
    let mut all = Witnessed::default();
    if places.is_empty() {
        return Ok(all);
    }
    all.heads.extend(Kept::read(keys)?.heads().into_iter().filter(|head| {
        shops.iter().any(|(number, _, generation)| head.log == log_number(*number, *generation))
    }));
    for place in places {
        let witness = Witness::new(place)?;
        let heard = match &witness.way {
            Way::File(file) => file.ask(keys, shops),
            Way::Http(http) => http.ask(keys, shops).map(|heads| (heads, Vec::new())),
        };
        match heard {
            Ok((heads, destroyed)) => {
                all.heads.extend(heads);
                all.destroyed.extend(destroyed);
            }
            Err(problem) if place.duty == Duty::Required => return Err(required(&place.name, &problem)),
            Err(problem) => all.unheard.push((place.name.clone(), problem.code)),
        }
    }
    // A generation that ended is as it is; only the newest must not be lost.
    let newest = |head: &SignedHead| {
        let of_shop = all.heads.iter().filter(|other| log_shop(other) == log_shop(head));
        of_shop.map(|other| generation_of_log(other.log)).max()
    };
    let kept: Vec<bool> =
        all.heads.iter().map(|head| newest(head) == Some(generation_of_log(head.log))).collect();
    let mut kept = kept.into_iter();
    all.heads.retain(|_| kept.next().unwrap_or(true));
    Ok(all)
}

fn log_shop(head: &SignedHead) -> u32 {
    super::log::shop_of_log(head.log)
}

impl Witness {
    fn new(place: &WitnessPlace) -> Result<Witness, Problem> {
        let way = match &place.at {
            WitnessAt::File(path) => Way::File(FileWitness::new(&place.name, path, place.duty)),
            WitnessAt::Http { url, ca_file, key } => {
                Way::Http(HttpWitness::new(url, ca_file.as_deref(), key.clone())?)
            }
        };
        Ok(Witness { place: place.clone(), way, memory: Mutex::default() })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, now: i64, logs: &[i64]) -> Standing {
        let memory = self.memory();
        // The log that it has heard of least: one that it never had counts as never.
        let oldest = logs.iter().map(|log| memory.seen.get(log).map(|seen| seen.at)).min().flatten();
        let age = oldest.map(|at| now.saturating_sub(at).max(0));
        let is_unheard = !logs.is_empty() && age.is_none_or(|age| age > self.place.red_after);
        Standing {
            name: self.place.name.clone(),
            age_seconds: age.map(|age| age / SECOND),
            is_unheard,
            fault: memory.fault.map(str::to_owned),
            contradicts: memory.contradicts.map(str::to_owned),
        }
    }
}

fn required(name: &str, why: &Problem) -> Problem {
    let title = format!("the witness `{name}` is required and cannot be heard ({})", why.code);
    Problem::new("SR-WITNESS-005", 500, title).help(
        "docs/reference/errors.md has the code in brackets; without `required = true` the house serves, and says so",
    )
}

fn shorter(name: &str, size: u64, seen: u64, how: &str) -> Problem {
    let title = format!("the ledger has {size} entries, and the witness `{name}` has seen {seen} of it{how}");
    Problem::new(SHORTER, 500, title).help(
        "an older copy of everything was put in place, or a second server writes in this one's name: restore the latest backup, and see who else has the keys",
    )
}

fn forked(name: &str, size: u64) -> Problem {
    let title = format!("the ledger is not the one that the witness `{name}` has seen at {size} entries");
    Problem::new(FORKED, 500, title).help(
        "two ledgers were signed with this shop's key: keep this folder as it is, compare it with what the witness kept, and see who else has the keys",
    )
}

fn list_ahead(name: &str, ahead: usize) -> Problem {
    let title =
        format!("the witness `{name}` knows of {ahead} destroyed keys that this house does not know of");
    Problem::new(LIST_AHEAD, 500, title).help(
        "an older copy of everything was put in place, and erased people would be back: restore the latest backup, which keeps them erased",
    )
}
