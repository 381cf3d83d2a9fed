//! Reveals beside an erasure: after it was answered no permit is given, and none that was given stands.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::acts::{enter, erase, is_erased, work};
use crate::database::{Database, Without};
use crate::ground::permits::{InUse, PERMIT_LIFE, Permits};
use crate::ground::sync;
use crate::queue::Queue;
use crate::schedules::{fails, holds};
use crate::serving::Serving;
use crate::session::{Faults, Where};
use crate::sync::thread;

/// A guard that is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    Nothing,
    /// An erasure waits for permits that were given before it.
    Waiting,
    /// Who asks again for an erasure waits, too.
    WaitingAgain,
    /// An erasure waits for permits that other servers have given.
    WaitingForOthers,
    /// A permit is marked in the transaction that gives it.
    MarkInside,
    /// A permit is looked at before a value is opened.
    Age,
    /// An erasure is committed before it waits.
    Order,
}

#[derive(Debug, Clone, Copy)]
struct World {
    place: Where,
    servers: usize,
    faults: Faults,
    out: Out,
}

const FOLDER: World = World { place: Where::Folder, servers: 1, faults: Faults::NONE, out: Out::Nothing };
const SERVERS: World =
    World { place: Where::Server, servers: 2, faults: Faults { most: 1, one_in: 12 }, out: Out::Nothing };

/// A reveal: permitted in the transaction, opened piece by piece behind its commit.
fn reveal(world: World, queue: &Queue, permits: &Arc<Permits>, erased: &AtomicBool) {
    let giving = Arc::clone(permits);
    let granted = work(queue, move |tx| {
        let granted = !is_erased(tx)?;
        enter(tx, 1);
        Ok(granted.then(|| (world.out != Out::MarkInside).then(|| giving.begin())))
    });
    let Some(Some(permit)) = granted else { return };
    let permit: InUse = permit.unwrap_or_else(|| permits.begin());
    for _ in 0..2 {
        if permit.stands() || world.out == Out::Age {
            assert!(!erased.load(Ordering::Relaxed), "a value came out after the erasure was answered");
        }
        thread::step();
    }
}

/// An erasure, as it is answered.
fn answer_erasure(world: World, queue: &Queue, permits: &Permits, erased: &AtomicBool, is_again: bool) {
    let wait = || {
        if world.place == Where::Server && world.out != Out::WaitingForOthers {
            shuttle::future::block_on(sync::sleep(PERMIT_LIFE));
        }
        shuttle::future::block_on(permits.older_ones_have_ended());
    };
    if world.out == Out::Order {
        wait();
    }
    let done = work(queue, move |tx| {
        if !is_erased(tx)? {
            erase(tx)?;
        }
        Ok(())
    });
    if done.is_none() {
        return;
    }
    let waits = match world.out {
        Out::Waiting | Out::Order => false,
        Out::WaitingAgain => !is_again,
        _ => true,
    };
    if waits {
        wait();
    }
    erased.store(true, Ordering::Relaxed);
}

fn run(world: World) {
    sync::begin_time();
    let database = Arc::new(Database::new(Without::Nothing));
    let erased = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    let mut servers = Vec::new();
    for number in 0..world.servers {
        let server = Serving::start(&database, world.place, world.faults, None);
        let permits = Arc::new(Permits::default());
        for _ in 0..2 {
            let (queue, permits, erased) =
                (Arc::clone(&server.queue), Arc::clone(&permits), Arc::clone(&erased));
            threads.push(thread::spawn(move || {
                reveal(world, &queue, &permits, &erased);
                reveal(world, &queue, &permits, &erased);
            }));
        }
        // On the last server two ask for the erasure.
        for is_again in [false, true].into_iter().filter(|_| number + 1 == world.servers) {
            let (queue, permits, erased) =
                (Arc::clone(&server.queue), Arc::clone(&permits), Arc::clone(&erased));
            threads.push(thread::spawn(move || answer_erasure(world, &queue, &permits, &erased, is_again)));
        }
        // Meanwhile somebody else is erased.
        threads.push(thread::spawn(move || shuttle::future::block_on(permits.older_ones_have_ended())));
        servers.push(server);
    }
    for _ in 0..4 {
        sync::pass(Duration::from_millis(900));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    for server in servers {
        server.close();
    }
    database.settle();
}

/// Erasures of others, one behind another, and one that is asked for when a permit was given.
fn run_behind_others() {
    sync::begin_time();
    let permits = Arc::new(Permits::default());
    let erased = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    for _ in 0..2 {
        let permits = Arc::clone(&permits);
        threads.push(thread::spawn(move || shuttle::future::block_on(permits.older_ones_have_ended())));
    }
    threads.push(thread::spawn(|| (0..4).for_each(|_| sync::pass(Duration::from_millis(900)))));
    let permit = permits.begin();
    let (waiting, answered) = (Arc::clone(&permits), Arc::clone(&erased));
    threads.push(thread::spawn(move || {
        shuttle::future::block_on(waiting.older_ones_have_ended());
        answered.store(true, Ordering::Relaxed);
    }));
    for _ in 0..4 {
        let opens = permit.stands();
        assert!(!opens || !erased.load(Ordering::Relaxed), "a value came out after the erasure was answered");
        sync::pass(Duration::from_millis(300));
    }
    drop(permit);
    for thread in threads {
        thread.join().unwrap();
    }
}

const SAYS: &[&str] = &["a value came out after the erasure was answered"];

#[test]
fn after_an_erasure_was_answered_no_value_comes_out() {
    holds(|| run(FOLDER));
}

#[test]
fn after_an_erasure_was_answered_no_server_gives_a_value() {
    holds(|| run(SERVERS));
}

#[test]
fn an_erasure_behind_others_waits_for_every_permit_given_before_it() {
    holds(run_behind_others);
}

#[test]
fn without_waiting_for_permits_a_value_comes_out() {
    fails(|| run(World { out: Out::Waiting, ..FOLDER }), SAYS);
}

#[test]
fn without_waiting_when_asked_again_a_value_comes_out() {
    fails(|| run(World { out: Out::WaitingAgain, ..FOLDER }), SAYS);
}

#[test]
fn without_waiting_for_other_servers_a_value_comes_out() {
    fails(|| run(World { out: Out::WaitingForOthers, ..SERVERS }), SAYS);
}

#[test]
fn without_the_mark_inside_the_transaction_a_value_comes_out() {
    fails(|| run(World { out: Out::MarkInside, ..FOLDER }), SAYS);
}

#[test]
fn without_a_look_at_its_age_a_permit_gives_a_value() {
    fails(|| run(World { out: Out::Age, ..FOLDER }), SAYS);
}

#[test]
fn without_the_commit_before_the_wait_a_value_comes_out() {
    fails(|| run(World { out: Out::Order, ..FOLDER }), SAYS);
}
