//! Callers, queues and writers of one or two servers on one database: what holds on every schedule, and the guards that it needs.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex as Plain, PoisonError};

use crate::book::{Edge, log_of};
use crate::database::{Cell, Database, Tables, Without};
use crate::error::Error;
use crate::log::Unpack;
use crate::queue::{Committed, Lane, Queue, Unit};
use crate::schedules;
use crate::serving::Serving;
use crate::session::{CLAIM_NAME, FIND_NAME, Faults, TAKE_NAME, Where};
use crate::sync::thread;
use crate::tx::Tx;

/// What is run on each schedule.
#[derive(Debug, Clone, Copy)]
struct World {
    place: Where,
    servers: i64,
    callers: i64,
    units: i64,
    shops: i64,
    faults: Faults,
    close: Close,
    without: Without,
}

/// When the queues are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    AtTheEnd,
    AtAnyTime,
}

/// Two servers, whose writers share two shops; each connection may fail twice.
const SERVERS: World = World {
    place: Where::Server,
    servers: 2,
    callers: 2,
    units: 2,
    shops: 2,
    faults: Faults { most: 2, one_in: 12 },
    close: Close::AtTheEnd,
    without: Without::Nothing,
};

/// A folder, whose disk may be full once.
const FOLDER: World =
    World { place: Where::Folder, servers: 1, callers: 3, faults: Faults { most: 1, one_in: 4 }, ..SERVERS };

/// A unit of work, by a number that no other has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Number(i64);

impl Number {
    fn shop(self, world: &World) -> i64 {
        self.0 % world.shops + 1
    }

    /// The name that it would like to have in its shop: few, so that others want it as well.
    fn name(self, world: &World) -> i64 {
        self.shop(world) * 10 + i64::from(self.0 % 4 == 3)
    }

    fn lane(self) -> Lane {
        if self.0 % 3 == 2 { Lane::Low } else { Lane::High }
    }

    /// Does it say no after it has written? Some do at once, some only when they are run again.
    fn says_no(self, run: i64) -> bool {
        self.0 % 5 == 3 || self.0 % 5 == 2 && run > 1
    }

    fn leaf(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
}

/// What a unit was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    /// Its leaf will have this number, if this run commits.
    number: u64,
    /// The name is its own.
    is_mine: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    Store(Error),
    Refused,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Store(error)
    }
}

/// What a server's cache shows.
#[derive(Debug, Default)]
struct Shown(Plain<Cache>);

#[derive(Debug, Default)]
struct Cache {
    /// The units whose change it has heard of.
    units: BTreeSet<Number>,
    /// It has heard of a change that was not committed then.
    too_early: bool,
}

impl Shown {
    fn add(&self, unit: Number, is_committed: bool) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.units.insert(unit);
        cache.too_early |= !is_committed;
    }

    fn look_at(&self, unit: Number) -> (bool, bool) {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (cache.units.contains(&unit), cache.too_early)
    }
}

struct Server {
    serving: Serving,
    shown: Arc<Shown>,
}

impl Server {
    fn start(world: World, database: &Arc<Database>) -> Server {
        let serving = Serving::start(database, world.place, world.faults, None);
        Server { serving, shown: Arc::default() }
    }
}

/// What a caller was answered.
type Answered = Result<Committed<Told>, Failure>;

/// Everything that happens on one schedule.
fn run(world: World) {
    let database = Arc::new(Database::new(world.without));
    let servers: Vec<Server> = (0..world.servers).map(|_| Server::start(world, &database)).collect();
    let answers: Arc<Plain<BTreeMap<Number, Answered>>> = Arc::default();
    let mut callers = Vec::new();
    for caller in 0..world.servers * world.callers {
        let server = &servers[usize::try_from(caller % world.servers).unwrap()];
        let (queue, shown) = (Arc::clone(&server.serving.queue), Arc::clone(&server.shown));
        let (database, answers) = (Arc::clone(&database), Arc::clone(&answers));
        callers.push(thread::spawn(move || {
            for turn in 0..world.units {
                let unit = Number(caller * world.units + turn);
                let answer = ask(world, unit, &queue, &shown, &database);
                // What follows looks before anybody else can be run.
                look_at(world, unit, &answer, &shown, &database.committed());
                answers.lock().unwrap_or_else(PoisonError::into_inner).insert(unit, answer);
            }
        }));
    }
    if world.close == Close::AtAnyTime {
        for server in &servers {
            thread::step();
            server.serving.queue.close();
        }
    }
    for caller in callers {
        caller.join().unwrap();
    }
    for server in servers {
        server.serving.close();
    }
    database.settle();
    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    look_back(world, &answers, &database);
}

/// A caller's unit of work, as [`Store::work`] takes it.
fn ask(world: World, unit: Number, queue: &Queue, shown: &Arc<Shown>, database: &Arc<Database>) -> Answered {
    let (shop, name) = (unit.shop(&world), unit.name(&world));
    let (shown, watched) = (Arc::clone(shown), Arc::clone(database));
    // Whoever looks before the transaction has looked too early.
    let looked =
        (world.without == Without::LooksInside).then(|| !database.committed().name.contains_key(&name));
    let mut runs = 0;
    let act = move |tx: &mut Tx<'_>| -> Result<Told, Failure> {
        runs += 1;
        let is_mine = match looked {
            None => {
                let row = crate::params![name, unit.0];
                tx.add(&CLAIM_NAME, row, &FIND_NAME, crate::params![name])?
            }
            Some(true) => tx.change(&TAKE_NAME, crate::params![name, unit.0]).map(|_| true)?,
            Some(false) => false,
        };
        let number = tx.next_number(log_of(shop));
        tx.append(log_of(shop), unit.leaf());
        let (shown, watched) = (Arc::clone(&shown), Arc::clone(&watched));
        let show = move || {
            thread::step();
            shown.add(unit, is_in(&watched.committed(), unit, &world));
        };
        if world.without == Without::PatientCaches {
            show();
        } else {
            tx.after_commit(show);
        }
        if unit.says_no(runs) {
            return Err(Failure::Refused);
        }
        Ok(Told { number, is_mine })
    };
    let (task, answer) = Unit::new(shop, Vec::new(), act);
    queue.submit(unit.lane(), task)?;
    shuttle::future::block_on(answer).expect("what was accepted is answered").into_outcome()
}

/// What has to hold when an answer arrives.
fn look_at(world: World, unit: Number, answer: &Answered, shown: &Shown, committed: &Tables) {
    let (is_shown, too_early) = shown.look_at(unit);
    assert!(!too_early, "a cache shows what was not committed");
    match answer {
        Ok(done) => {
            assert!(is_in(committed, unit, &world), "an answer came before its commit");
            assert!(is_shown, "an answer came before the caches were told");
            let [number] = done.numbers() else { panic!("one leaf has one number") };
            assert_eq!(*number, done.value().number, "a leaf got another number than its rows say");
        }
        Err(Failure::Refused) => assert!(unit.says_no(2), "nobody refused this"),
        Err(Failure::Store(Error::Closed)) => assert!(world.close == Close::AtAnyTime, "nobody closed it"),
        Err(Failure::Store(error)) => {
            let fails = matches!(error, Error::Lost | Error::Unreachable | Error::InDoubt | Error::DiskFull);
            let passes = fails && world.faults.most > 0;
            assert!(passes, "a unit failed for no reason that was given: {error}");
        }
    }
}

/// The leaves of a shop's log, in order, if they are the log that its head speaks of.
fn leaves(tables: &Tables, shop: i64) -> Vec<Vec<u8>> {
    let (log, mut edge, mut all) = (log_of(shop), Edge::default(), Vec::new());
    for row in tables.leaf.range(log << 40..(log + 1) << 40).map(|(_, row)| row) {
        let [Cell::Int(id), Cell::Bytes(packed)] = row.as_slice() else { panic!("no row of leaves") };
        assert_eq!(id - (log << 40), i64::try_from(edge.size).unwrap(), "the log has a gap, or was forked");
        for leaf in Unpack(packed) {
            edge.add(leaf);
            all.push(leaf.to_vec());
        }
    }
    let head = tables.head.get(&log).cloned().unwrap_or(vec![Cell::Int(0), Cell::Bytes(vec![0; 32])]);
    let size = i64::try_from(edge.size).unwrap();
    assert_eq!(head, [Cell::Int(size), Cell::Bytes(edge.root.to_vec())], "the head is of another log");
    all
}

fn is_in(tables: &Tables, unit: Number, world: &World) -> bool {
    let log = log_of(unit.shop(world));
    let rows = tables.leaf.range(log << 40..(log + 1) << 40).map(|(_, row)| row);
    rows.filter_map(|row| if let Some(Cell::Bytes(packed)) = row.get(1) { Some(packed) } else { None })
        .any(|packed| Unpack(packed).any(|leaf| leaf == unit.leaf()))
}

/// What has to hold when all is over.
fn look_back(world: World, answers: &BTreeMap<Number, Answered>, database: &Database) {
    assert_eq!(database.collisions(), 0, "the log was forked: two writers gave a number each");
    let tables = database.committed();
    let logs: BTreeMap<i64, Vec<Vec<u8>>> =
        (1..=world.shops).map(|shop| (shop, leaves(&tables, shop))).collect();
    let mut owners: BTreeMap<i64, Vec<Number>> = BTreeMap::new();
    for (unit, answer) in answers {
        let log = &logs[&unit.shop(&world)];
        let places: Vec<usize> = (0..log.len()).filter(|place| log[*place] == unit.leaf()).collect();
        match answer {
            Ok(done) => {
                let number = usize::try_from(done.numbers()[0]).unwrap();
                assert_eq!(places, [number], "what was acknowledged is not there once, in its place");
                if done.value().is_mine {
                    owners.entry(unit.name(&world)).or_default().push(*unit);
                }
            }
            Err(Failure::Store(Error::InDoubt)) => assert!(places.len() < 2, "it was done twice"),
            Err(_) => assert!(places.is_empty(), "what was refused is there"),
        }
    }
    for (name, owners) in owners {
        let [owner] = owners.as_slice() else { panic!("a name has two owners: {owners:?}") };
        assert_eq!(tables.name.get(&name), Some(&vec![Cell::Int(owner.0)]), "a name is another's");
    }
    for row in tables.name.values() {
        let [Cell::Int(unit)] = row.as_slice() else { panic!("no row of names") };
        assert!(is_in(&tables, Number(*unit), &world), "a row stands without its entry");
    }
}

fn holds(world: World) {
    schedules::holds(move || run(world));
}

fn fails(world: World, says: &[&str]) {
    schedules::fails(move || run(world), says);
}

#[test]
fn two_servers_write_one_log_and_answer_for_it() {
    holds(SERVERS);
}

#[test]
fn more_callers_and_a_server_that_fails_often() {
    let faults = Faults { most: 5, one_in: 5 };
    holds(World { callers: 3, shops: 1, faults, ..SERVERS });
}

#[test]
fn where_nothing_fails_nobody_is_told_that_it_did() {
    holds(World { callers: 3, shops: 1, faults: Faults::NONE, ..SERVERS });
}

#[test]
fn a_folder_answers_after_its_commit() {
    holds(FOLDER);
}

#[test]
fn what_was_accepted_is_answered_when_the_queue_closes() {
    holds(World { close: Close::AtAnyTime, ..SERVERS });
    holds(World { close: Close::AtAnyTime, ..FOLDER });
}

#[test]
fn a_schedule_is_run_again_as_it_was() {
    shuttle::check_uncontrolled_nondeterminism(|| run(SERVERS), 100);
}

/// What is seen of a log with two ends: the one that was written last hides what the other had acknowledged, or does not fit.
const FORKED: &[&str] = &[
    "the log was forked",
    "the log has a gap",
    "the head is of another log",
    "is broken at leaf",
    "what was acknowledged is not there once",
    "an answer came before its commit",
    "a cache shows what was not committed",
];

#[test]
fn without_locks_a_log_is_forked() {
    let world = World { without: Without::Locks, faults: Faults::NONE, ..SERVERS };
    fails(world, FORKED);
}

#[test]
fn without_word_of_others_a_log_is_forked() {
    let world = World { without: Without::WordOfOthers, faults: Faults::NONE, ..SERVERS };
    fails(world, FORKED);
}

#[test]
fn without_distrust_a_log_is_forked_after_a_doubt() {
    fails(World { without: Without::Distrust, ..SERVERS }, FORKED);
}

#[test]
fn without_waiting_for_commits_an_answer_comes_too_early() {
    let world = World { without: Without::Commits, faults: Faults::NONE, ..SERVERS };
    fails(world, &["an answer came before its commit", "a cache shows what was not committed"]);
}

#[test]
fn without_word_of_doubts_work_is_done_twice() {
    let says = ["what was acknowledged is not there once", "what was refused is there", "it was done twice"];
    fails(World { without: Without::Doubts, ..SERVERS }, &says);
}

#[test]
fn without_patience_a_cache_shows_what_is_not_committed() {
    fails(World { without: Without::PatientCaches, ..SERVERS }, &["a cache shows what was not committed"]);
}

#[test]
fn without_looking_inside_a_name_has_two_owners() {
    let world = World { without: Without::LooksInside, faults: Faults::NONE, ..SERVERS };
    fails(world, &["a name has two owners", "a name is another's"]);
}

#[test]
fn without_refusals_of_rows_that_were_put_off_a_name_has_two_owners() {
    let world = World { without: Without::Refusals, callers: 3, shops: 1, faults: Faults::NONE, ..SERVERS };
    fails(world, &["a name has two owners", "a name is another's"]);
}
