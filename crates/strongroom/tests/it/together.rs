//! Everything about one subject at the same time, from many threads: each answer is one that some order of the acts explains, and after
//! an erasure was answered nothing gives anything of the subject.

#![cfg(test)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};

use serde_json::{Value as Json, json};
use strongroom::ground::Role;
use testbed::{Postgres, Version};

use crate::engine::{Home, is_for_a_server, only_in_a_folder};
use crate::support::{Bench, Key, Reply};
use crate::vault::Vault;

/// Rounds, each with a subject of its own. On a server an erasure is answered two seconds after its commit.
fn rounds() -> u64 {
    if is_for_a_server() { 20 } else { 200 }
}

/// What an answer says of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Its name is this since this version.
    Wrote { version: u64, name: u64 },
    /// Its name was this at this version.
    Showed { version: u64, name: u64 },
    /// A token of its name gave this.
    Resolved { name: u64 },
    /// It said yes or no to letters.
    Chose { yes: bool },
    /// It may be written letters, or may not.
    Letters { yes: bool },
    /// It is not there any more.
    Gone,
    /// It was erased.
    Erased,
    /// Come again.
    Busy,
}

/// An act, and when it was asked for and answered: by one count of all such instants.
#[derive(Debug, Clone, Copy)]
struct Seen {
    begun: u64,
    ended: u64,
    what: What,
}

struct Round<'a> {
    bench: &'a Bench,
    service: &'a Key,
    officer: &'a Key,
    external: String,
    subject: String,
    ticks: AtomicU64,
    /// When the erasure was answered; `u64::MAX` before.
    erased: AtomicU64,
    seen: Mutex<Vec<Seen>>,
}

impl Round<'_> {
    /// Does one act and notes it. Gives what came of it, and whether it began after the erasure was answered.
    fn act(&self, act: impl FnOnce() -> What) -> (What, bool) {
        let begun = self.ticks.fetch_add(1, Ordering::SeqCst);
        let what = act();
        let ended = self.ticks.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().unwrap().push(Seen { begun, ended, what });
        (what, begun > self.erased.load(Ordering::SeqCst))
    }

    /// Acts until one began after the erasure was answered.
    fn until_gone(&self, mut act: impl FnMut(u64) -> What) {
        for turn in 0..20_000 {
            if self.act(|| act(turn)).1 {
                return;
            }
            std::thread::yield_now();
        }
        panic!("nobody erases it");
    }

    fn write(&self, name: u64) -> What {
        let body = json!({ "kind": "customer", "external_id": self.external, "fields": { "name": format!("Name {name}") } });
        let reply = self.bench.post(self.service, "/v1/records", &body);
        match reply.status {
            // Whoever comes under this name after the erasure is somebody else.
            200 | 201 if reply.json()["subject"] != self.subject => What::Gone,
            200 => What::Wrote { version: reply.json()["version"].as_u64().unwrap(), name },
            _ => not_there(&reply),
        }
    }

    fn show(&self) -> What {
        let body = json!({ "purpose": "account", "subject": { "id": self.subject } });
        let reply = self.bench.post(self.service, "/v1/records:reveal", &body);
        if reply.status != 200 {
            return not_there(&reply);
        }
        let record = &reply.json()["records"][0];
        What::Showed {
            version: record["version"].as_u64().unwrap(),
            name: name_in(&record["fields"]["name"]),
        }
    }

    fn choose(&self, yes: bool) -> What {
        let said = if yes { "granted" } else { "withdrawn" };
        let body = json!({
            "subject": { "id": self.subject }, "purpose": "marketing_email", "choice": said,
            "notice": { "version": 1, "language": "en" },
        });
        let reply = self.bench.post(self.officer, "/v1/choices", &body);
        if matches!(reply.status, 200 | 201) { What::Chose { yes } } else { not_there(&reply) }
    }

    fn letter(&self) -> What {
        let body = json!({ "purpose": "marketing_email", "subject": { "id": self.subject } });
        let reply = self.bench.post(self.service, "/v1/records:reveal", &body);
        match reply.status {
            200 => {
                assert!(reply.text().contains(&format!("{}@", self.external)), "{}", reply.text());
                What::Letters { yes: true }
            }
            403 if reply.json()["reasons"][0]["name"] != "erased" => What::Letters { yes: false },
            _ => not_there(&reply),
        }
    }

    /// Makes a token of the name, or resolves the one that was made.
    fn token(&self, token: &mut Option<Json>) -> What {
        let Some(made) = token.take() else {
            let record = json!({ "kind": "customer", "external_id": self.external });
            let body = json!({ "purpose": "account", "record": record, "field": "name" });
            let reply = self.bench.post(self.service, "/v1/tokens", &body);
            if reply.status == 201 {
                *token = Some(reply.json()["token"].clone());
                return What::Busy;
            }
            return not_there(&reply);
        };
        let body = json!({ "purpose": "account", "token": made });
        let reply = self.bench.post(self.service, "/v1/tokens:resolve", &body);
        match reply.status {
            200 => What::Resolved { name: name_in(&reply.json()["records"][0]["fields"]["name"]) },
            _ => not_there(&reply),
        }
    }

    fn erase(&self) {
        let (what, _) = self.act(|| {
            let erase = format!("/v1/subjects/{}:erase", self.subject);
            self.bench.post(self.officer, &erase, &json!({})).is(200);
            What::Erased
        });
        assert_eq!(what, What::Erased);
        self.erased.store(self.ticks.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
    }
}

fn name_in(text: &Json) -> u64 {
    text.as_str().unwrap().strip_prefix("Name ").unwrap().parse().unwrap()
}

/// An answer without data.
#[track_caller]
fn not_there(reply: &Reply) -> What {
    assert!(!reply.text().contains("Name "), "{}", reply.text());
    match reply.status {
        403 | 404 | 410 => What::Gone,
        503 => What::Busy,
        other => panic!("{other} {}", reply.text()),
    }
}

/// Is there an order of these acts, each between its question and its answer, in which every answer is right?
fn fault_in(seen: &[Seen]) -> Option<String> {
    let mut names: HashMap<u64, u64> = HashMap::from([(1, 0)]);
    for one in seen {
        if let What::Wrote { version, name } = one.what
            && names.insert(version, name).is_some()
        {
            return Some(format!("version {version} was written twice"));
        }
    }
    // A register whose versions are known: what came later in time is no older.
    let versions: Vec<(Seen, u64)> = seen
        .iter()
        .filter_map(|one| match one.what {
            What::Wrote { version, .. } | What::Showed { version, .. } => Some((*one, version)),
            What::Resolved { name } => {
                let version = names.iter().find(|(_, written)| **written == name);
                Some((*one, version.map_or(u64::MAX, |(version, _)| *version)))
            }
            _ => None,
        })
        .collect();
    for (one, version) in &versions {
        if let What::Showed { name, .. } = one.what
            && names.get(version) != Some(&name)
        {
            return Some(format!("{one:?}, and that version is {:?}", names.get(version)));
        }
        for (other, newer) in &versions {
            let both_write = matches!((one.what, other.what), (What::Wrote { .. }, What::Wrote { .. }));
            if one.ended < other.begun && (newer < version || (both_write && newer == version)) {
                return Some(format!("{one:?} was over when {other:?} began"));
            }
        }
    }
    // Once somebody was told that it is gone, nobody who asks then is told anything else.
    for one in seen.iter().filter(|one| matches!(one.what, What::Gone | What::Erased)) {
        for other in seen.iter().filter(|other| one.ended < other.begun) {
            if !matches!(other.what, What::Gone | What::Busy | What::Letters { yes: false }) {
                return Some(format!("{one:?}, and then {other:?}"));
            }
        }
    }
    // One thread chooses, so that choices have an order; a letter is written by the last one before it, or one beside it.
    let mut chosen: Vec<&Seen> = seen.iter().filter(|one| matches!(one.what, What::Chose { .. })).collect();
    chosen.sort_by_key(|one| one.begun);
    for one in seen {
        let What::Letters { yes } = one.what else { continue };
        let before = chosen.iter().rev().find(|choice| choice.ended < one.begun);
        let beside = chosen.iter().filter(|choice| choice.begun < one.ended && choice.ended > one.begun);
        let stands = before.map_or(What::Chose { yes: false }, |choice| choice.what);
        let may = std::iter::once(stands).chain(beside.map(|choice| choice.what));
        let over = !yes && seen.iter().any(|gone| gone.what == What::Erased && gone.begun < one.ended);
        if !over && !may.into_iter().any(|choice| choice == What::Chose { yes }) {
            return Some(format!("{one:?}, after {before:?}"));
        }
    }
    None
}

#[test]
fn whatever_is_done_to_one_subject_at_the_same_time_some_order_explains_every_answer() {
    let bench = Bench::new();
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for turn in 0..rounds() {
        let external = format!("t-{turn}");
        let made = json!({
            "kind": "customer", "external_id": external,
            "fields": { "name": "Name 0", "email": format!("{external}@shop.example") },
        });
        let made = bench.post(&service, "/v1/records", &made).is(201);
        let round = Round {
            bench: &bench,
            service: &service,
            officer: &officer,
            external,
            subject: made["subject"].as_str().unwrap().to_owned(),
            ticks: AtomicU64::new(1),
            erased: AtomicU64::new(u64::MAX),
            seen: Mutex::default(),
        };
        std::thread::scope(|scope| {
            let round = &round;
            for writer in 1..=2 {
                scope.spawn(move || round.until_gone(|turn| round.write(2 * turn + writer)));
            }
            for _ in 0..2 {
                scope.spawn(|| round.until_gone(|_| round.show()));
            }
            scope.spawn(|| round.until_gone(|turn| round.choose(turn % 2 == 0)));
            scope.spawn(|| round.until_gone(|_| round.letter()));
            scope.spawn(|| {
                let mut token = None;
                round.until_gone(|_| round.token(&mut token));
            });
            scope.spawn(move || {
                // Each time at another point: at once, and far into the others' work.
                while round.seen.lock().unwrap().len() < usize::try_from(turn * 7 % 60).unwrap() {
                    std::thread::yield_now();
                }
                round.erase();
            });
        });
        let seen = round.seen.into_inner().unwrap();
        assert_eq!(fault_in(&seen), None, "round {turn}");
        for one in &seen {
            let name = match one.what {
                What::Wrote { .. } => "written",
                What::Showed { .. } => "shown",
                What::Resolved { .. } => "resolved",
                What::Chose { .. } => "chosen",
                What::Letters { yes: true } => "letters",
                What::Letters { yes: false } => "no letters",
                What::Gone => "gone",
                What::Erased => "erased",
                What::Busy => "busy",
            };
            *counts.entry(name).or_default() += 1;
        }
    }
    eprintln!("{} rounds: {counts:?}", rounds());
    for name in ["written", "shown", "resolved", "chosen", "letters", "no letters", "gone"] {
        assert!(counts.get(name).is_some_and(|count| *count > 10), "{name}: {counts:?}");
    }
    bench.round();
}

#[test]
fn an_answer_that_no_order_explains_is_seen() {
    let seen = |begun, ended, what| Seen { begun, ended, what };
    let (old, new) = (What::Wrote { version: 2, name: 5 }, What::Wrote { version: 3, name: 6 });
    let show = |version, name| What::Showed { version, name };
    let (yes, no) = (What::Chose { yes: true }, What::Letters { yes: false });
    let well = [
        vec![seen(1, 4, old), seen(2, 3, show(1, 0)), seen(5, 6, new), seen(7, 8, show(3, 6))],
        vec![seen(1, 4, old), seen(2, 3, show(2, 5)), seen(5, 6, What::Erased), seen(7, 8, What::Gone)],
        vec![seen(1, 4, yes), seen(2, 3, no), seen(5, 6, What::Letters { yes: true })],
    ];
    for acts in well {
        assert_eq!(fault_in(&acts), None);
    }
    let wrong = [
        vec![seen(1, 2, old), seen(3, 4, show(1, 0))],
        vec![seen(1, 2, old), seen(3, 4, show(2, 6))],
        vec![seen(1, 2, old), seen(3, 4, new), seen(5, 6, What::Resolved { name: 5 })],
        vec![seen(1, 2, old), seen(1, 3, What::Wrote { version: 2, name: 6 })],
        vec![seen(1, 2, old), seen(3, 4, What::Erased), seen(5, 6, show(2, 5))],
        vec![seen(1, 2, What::Gone), seen(3, 4, show(1, 0))],
        vec![seen(1, 2, yes), seen(3, 4, no)],
        vec![seen(1, 2, What::Letters { yes: true })],
    ];
    for acts in wrong {
        assert!(fault_in(&acts).is_some(), "{acts:?}");
    }
}

/// Sixteen at once: gives the statuses of their answers.
fn sixteen(ask: impl Fn(u64) -> u16 + Sync) -> Vec<u16> {
    let barrier = Barrier::new(16);
    std::thread::scope(|scope| {
        let (ask, barrier) = (&ask, &barrier);
        let asking = |who| {
            scope.spawn(move || {
                barrier.wait();
                ask(who)
            })
        };
        let asked: Vec<_> = (0..16).map(asking).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn record(external: &str, email: &str, who: u64) -> Json {
    json!({ "kind": "customer", "external_id": external, "fields": { "name": format!("Name {who}"), "email": email } })
}

/// One is made; of the others each is told what it is told when it comes later, or to come again (503).
#[track_caller]
fn one_wins(statuses: &[u16], others: u16) {
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(201), count(others) + count(503)), (1, 15), "{statuses:?}");
}

#[test]
fn of_sixteen_that_bring_one_unique_value_or_one_external_id_at_once_exactly_one_makes_a_record() {
    let bench = Bench::new();
    let service = bench.service();
    for turn in 0..12 {
        let email = format!("same{turn}@shop.example");
        one_wins(
            &sixteen(|who| {
                let external = format!("u-{turn}-{who}");
                bench.post(&service, "/v1/records", &record(&external, &email, who)).status
            }),
            409,
        );
        let external = format!("one-{turn}");
        one_wins(
            &sixteen(|who| {
                let email = format!("other{turn}.{who}@shop.example");
                bench.post(&service, "/v1/records", &record(&external, &email, who)).status
            }),
            200,
        );
        // The twin: different values make sixteen.
        let made = sixteen(|who| {
            let name = format!("d-{turn}-{who}");
            bench.post(&service, "/v1/records", &record(&name, &format!("{name}@shop.example"), who)).status
        });
        assert_eq!(made, [201; 16]);
    }
}

#[test]
fn of_sixteen_at_two_houses_on_one_database_exactly_one_makes_a_record() {
    if only_in_a_folder("a test with a server of its own runs once, with the run for folders") {
        return;
    }
    let Some(postgres) = Postgres::shared(Version::V15) else { return };
    let database = postgres.database();
    let address = database.run_url();
    let vault = Vault::on(Home::at(database, &address));
    let intake = vault.credential("intake", &[]);
    let beside = vault.beside("other");
    let houses = [vault.serve(), vault.serve_with(&["--data", &beside]).unwrap()];
    let at = |who: u64| houses[usize::try_from(who % 2).unwrap()].caller(&intake);
    for turn in 0..10 {
        let email = format!("same{turn}@shop.example");
        one_wins(
            &sixteen(|who| {
                at(who).post("/v1/records", &record(&format!("u-{turn}-{who}"), &email, who)).status
            }),
            409,
        );
        let external = format!("one-{turn}");
        one_wins(
            &sixteen(|who| {
                let email = format!("other{turn}.{who}@shop.example");
                at(who).post("/v1/records", &record(&external, &email, who)).status
            }),
            200,
        );
    }
    for house in houses {
        let (status, said) = house.stop();
        assert!(status.success(), "{said}");
    }
    assert_eq!(vault.ask(&["ledger", "verify"])["verified"], true);
    vault.is_well();
}
