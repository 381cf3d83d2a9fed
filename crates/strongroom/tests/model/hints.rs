//! Hints beside commits that are taken back and a subject that is erased: they show what was committed, and nobody who was forgotten.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use policy::Person;

use crate::acts::{enter, erase, is_erased, work};
use crate::database::{Database, Without};
use crate::error::Error;
use crate::ground::hints::{Forgotten, Hint, Hints};
use crate::ground::ids::{Id, SubjectId};
use crate::queue::Queue;
use crate::schedules::{fails, holds};
use crate::serving::Serving;
use crate::session::{CLAIM_NAME, Faults, Where};
use crate::sync::thread;

/// A guard that is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    Nothing,
    /// What a look has found is remembered only when nothing was forgotten since it looked.
    LateLooks,
    /// Hints hear of a change after its COMMIT.
    Commits,
    /// A subject is forgotten after the COMMIT of its erasure, and not before.
    Order,
}

const KIND: u8 = 1;
/// The keys of a row that was never committed.
const NEVER: &[u8] = b"never";
const COMMITTED: &[u8] = b"committed";

fn subject() -> SubjectId {
    SubjectId::from_number(7)
}

fn shows_what_was_committed(hints: &Hints) {
    let shown = hints.subject(subject());
    assert!(shown.is_none_or(|hint| *hint.keys != *NEVER), "a hint shows what was never committed");
}

/// Looks, and learns from what it found; then writes by it.
fn write(out: Out, queue: &Queue, hints: &Arc<Hints>) {
    let looking = Arc::clone(hints);
    let found = work(queue, move |tx| Ok((!is_erased(tx)?).then(|| looking.forgotten())));
    let Some(Some(then)) = found else { return };
    // What would be asked now is what nobody has forgotten anything since.
    let then: Forgotten = if out == Out::LateLooks { hints.forgotten() } else { then };
    hints.found(subject(), Hint::of(COMMITTED, 0, Person::default()), KIND, 0, then);
    hints.take_place(subject(), KIND, 0);
    shows_what_was_committed(hints);
    let seeing = Arc::clone(hints);
    work(queue, move |tx| {
        if is_erased(tx)? {
            return Ok(());
        }
        enter(tx, 1);
        let seeing = Arc::clone(&seeing);
        tx.after_commit(move || {
            let mut hint = seeing.subject(subject()).unwrap_or_else(|| Hint::of(&[], 0, Person::default()));
            hint.keys = COMMITTED.into();
            seeing.saw(subject(), hint);
        });
        Ok(())
    });
}

/// Writes and is taken back.
fn write_in_vain(out: Out, queue: &Queue, hints: &Arc<Hints>) {
    let seeing = Arc::clone(hints);
    work(queue, move |tx| -> Result<(), Error> {
        tx.claim(&CLAIM_NAME, crate::params![1_i64, 1_i64])?;
        enter(tx, 2);
        let seeing = Arc::clone(&seeing);
        let show = move || seeing.saw(subject(), Hint::of(NEVER, 0, Person::default()));
        if out == Out::Commits {
            show();
        } else {
            tx.after_commit(show);
        }
        Err(Error::Busy)
    });
    shows_what_was_committed(hints);
}

fn forget(out: Out, queue: &Queue, hints: &Arc<Hints>) -> bool {
    let forgetting = Arc::clone(hints);
    let erased = work(queue, move |tx| {
        let forgetting = Arc::clone(&forgetting);
        erase(tx)?;
        if out == Out::Order {
            forgetting.forget(subject());
        } else {
            tx.after_commit(move || forgetting.forget(subject()));
        }
        Ok(())
    });
    erased.is_some()
}

/// One server, where the subject is erased.
fn run_here(out: Out) {
    let database = Arc::new(Database::new(Without::Nothing));
    let server = Serving::start(&database, Where::Folder, Faults::NONE, None);
    let hints = Arc::new(Hints::default());
    let acts: [fn(Out, &Queue, &Arc<Hints>); 4] = [write, write, write_in_vain, |out, queue, hints| {
        assert!(forget(out, queue, hints), "nothing fails here");
    }];
    let threads = acts.map(|act| {
        let (queue, hints) = (Arc::clone(&server.queue), Arc::clone(&hints));
        thread::spawn(move || act(out, &queue, &hints))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(hints.subject(subject()).is_none(), "a forgotten subject came back");
    server.close();
}

/// Two servers: what the other one erases is forgotten here when the pen is taken up.
fn run_there(out: Out) {
    let database = Arc::new(Database::new(Without::Nothing));
    let faults = Faults { most: 1, one_in: 12 };
    let (hints, has_heard) = (Arc::new(Hints::default()), Arc::new(AtomicBool::new(false)));
    let (forgetting, hears) = (Arc::clone(&hints), Arc::clone(&has_heard));
    let here = Serving::start(
        &database,
        Where::Server,
        faults,
        Some(Box::new(move |view| {
            // It is news once.
            if is_erased(view)? && !hears.load(Ordering::Relaxed) {
                forgetting.forget_all();
                hears.store(true, Ordering::Relaxed);
            }
            Ok(())
        })),
    );
    let there = Serving::start(&database, Where::Server, faults, None);
    let mut threads = Vec::new();
    for _ in 0..2 {
        let (queue, hints) = (Arc::clone(&here.queue), Arc::clone(&hints));
        threads.push(thread::spawn(move || write(out, &queue, &hints)));
    }
    // Somebody whose work lets the pen come back.
    let queue = Arc::clone(&here.queue);
    threads.push(thread::spawn(move || {
        for _ in 0..3 {
            work(&queue, |tx| {
                enter(tx, 3);
                Ok(())
            });
        }
    }));
    let (queue, others) = (Arc::clone(&there.queue), Arc::new(Hints::default()));
    threads.push(thread::spawn(move || {
        let _ = forget(out, &queue, &others);
    }));
    for thread in threads {
        thread.join().unwrap();
    }
    let is_forgotten = hints.subject(subject()).is_none();
    assert!(is_forgotten || !has_heard.load(Ordering::Relaxed), "a forgotten subject came back");
    here.close();
    there.close();
    database.settle();
}

#[test]
fn hints_show_what_was_committed_and_nobody_who_was_forgotten() {
    holds(|| run_here(Out::Nothing));
}

#[test]
fn hints_forget_whom_another_server_has_erased() {
    holds(|| run_there(Out::Nothing));
}

#[test]
fn without_a_look_at_what_was_forgotten_a_subject_comes_back() {
    fails(|| run_here(Out::LateLooks), &["a forgotten subject came back"]);
}

#[test]
fn without_it_a_subject_comes_back_that_another_server_has_erased() {
    fails(|| run_there(Out::LateLooks), &["a forgotten subject came back"]);
}

#[test]
fn without_waiting_for_commits_a_hint_shows_what_was_taken_back() {
    fails(|| run_here(Out::Commits), &["a hint shows what was never committed"]);
}

#[test]
fn without_forgetting_behind_the_commit_a_subject_comes_back() {
    fails(|| run_here(Out::Order), &["a forgotten subject came back"]);
}
