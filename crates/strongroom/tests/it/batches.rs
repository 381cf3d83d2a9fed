//! How often a server is waited for: for a batch a handful of times, however many units are in it. A statement that somebody adds to
//! a hot path without foreseeing it shows here, and in no test that looks at answers.

#![cfg(test)]

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value as Json, json};
use store::Lane;
use strongroom::ground::{Actor, Role};

use crate::engine::{is_for_a_server, only_of_one};
use crate::support::{Bench, Key};

/// Units in a batch.
const MANY: usize = 40;
/// A batch begins, asks for what its units foresee and for their credential, sends its rows, enters and commits. What a unit
/// knows only when it has looked is asked for once more.
const HANDFUL: u64 = 8;

/// Posts all bodies so that they begin in one transaction. Gives how many transactions it took, and how often the server was
/// waited for.
fn together(bench: &Bench, key: &Key, path: &str, bodies: &[Json], status: u16) -> (u64, u64) {
    let (house, shop) = (bench.house(), bench.shop());
    let before = counted(bench);
    std::thread::scope(|scope| {
        let (let_go, wait) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = std::sync::mpsc::channel();
        scope.spawn(|| {
            let hold = move |_: &mut strongroom::ground::Work<'_, '_>| {
                let _ = begun.send(());
                let _ = wait.recv();
                Ok(())
            };
            house.work_blocking(Lane::High, &shop, &Actor::House, hold).unwrap();
        });
        has_begun.recv().unwrap();
        let callers: Vec<_> =
            bodies.iter().map(|body| scope.spawn(|| drop(bench.post(key, path, body).is(status)))).collect();
        // Who is refused before it waits has panicked, and is not waited for.
        while house.store.waiting() < bodies.len()
            && !callers.iter().any(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        drop(let_go);
    });
    let after = counted(bench);
    (after.0 - before.0, after.1 - before.1)
}

fn counted(bench: &Bench) -> (u64, u64) {
    let stats = bench.house().store.stats();
    (stats.commits.load(Ordering::Relaxed), stats.waits.load(Ordering::Relaxed))
}

#[test]
fn however_many_are_done_together_a_server_is_waited_for_a_handful_of_times() {
    if !is_for_a_server() || only_of_one("each counts its own") {
        return;
    }
    let bench = Bench::new();
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let customer = |number: usize| {
        json!({
            "kind": "customer", "external_id": format!("c-{number}"),
            "fields": { "name": "Ann Lee", "email": format!("c-{number}@shop.example"), "phone": "138 1234 5678" },
        })
    };
    // Statements are prepared, and numbers and terms are there, when it is counted.
    let (mut subjects, mut records) = (Vec::new(), Vec::new());
    for number in 0..MANY {
        let written = bench.post(&service, "/v1/records", &customer(number)).is(201);
        let of = |name: &str| written[name].as_str().unwrap().to_owned();
        subjects.push(of("subject"));
        records.push(of("record"));
    }
    let order = |subject: &String, turn: usize| {
        json!({
            "kind": "order", "external_id": format!("o-{turn}-{subject}"), "subject": { "id": subject },
            "fields": { "recipient_name": "Ann Lee", "items": "Longjing 100 g", "amount": "128.50" },
        })
    };
    let choice = |subject: &String, said: &str| {
        let notice = json!({ "version": 1, "language": "zh" });
        json!({ "subject": { "id": subject }, "purpose": "marketing_email", "choice": said, "notice": notice })
    };
    let reveal = |record: &String| json!({ "purpose": "account", "record": record });
    for turn in 0..2 {
        let all = |of: &[String], body: &dyn Fn(&String) -> Json| of.iter().map(body).collect::<Vec<Json>>();
        let new: Vec<Json> = (1..=MANY).map(|number| customer((turn + 1) * 1_000 + number)).collect();
        let said = ["granted", "withdrawn"][turn];
        let counted = [
            ("new subjects", together(&bench, &service, "/v1/records", &new, 201)),
            (
                "orders",
                together(&bench, &service, "/v1/records", &all(&subjects, &|of| order(of, turn)), 201),
            ),
            (
                "choices",
                together(&bench, &officer, "/v1/choices", &all(&subjects, &|of| choice(of, said)), 201),
            ),
            ("reveals", together(&bench, &service, "/v1/records:reveal", &all(&records, &reveal), 200)),
        ];
        eprintln!("{counted:?}");
        // What has to be prepared is prepared in the first turn.
        if turn == 1 {
            for (what, (commits, waits)) in counted {
                assert!(commits < MANY as u64 / 2, "{what} were not done together: {commits}");
                assert!(waits <= HANDFUL * commits, "{what}: {waits} times in {commits} transactions");
            }
        }
    }
}
