//! Suites: a shop seals with the one that it was made with, and moves to the other with a change of epoch.

#![cfg(test)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ledger::entry::{Act, Figure};
use seal::Suite;
use serde_json::{Value as Json, json};
use strongroom::account::{SuiteCount, count_suites, deep_check};
use strongroom::erase::{Move, Rotated, RotationStep};
use strongroom::ground::{Problem, Role};

use crate::opener::{Opener, Thief};
use crate::support::{Bench, Key, POLICY};
use crate::vault::{Vault, behind_the_back, customer, order};

const REVEAL: &str = "/v1/records:reveal";

fn rotate(bench: &Bench, progress: impl FnMut(RotationStep)) -> Result<Rotated, Problem> {
    bench.desk().caretaker.lock().unwrap_or_else(PoisonError::into_inner).rotate(progress)
}

fn move_to(bench: &Bench, to: Suite, progress: impl FnMut(RotationStep)) -> Result<Rotated, Problem> {
    let moving = Move { shop: bench.shop(), to };
    let caretaker = bench.desk().caretaker.lock().unwrap_or_else(PoisonError::into_inner);
    caretaker.rotate_and_move(&moving, progress)
}

fn count(bench: &Bench) -> SuiteCount {
    count_suites(bench.house(), &bench.shop(), &mut |_, _| {}).unwrap()
}

/// All records are sealed with this suite, so many.
#[track_caller]
fn all_are_of(bench: &Bench, suite: Suite, records: u64) {
    let count = count(bench);
    assert_eq!((count.behind(), count.unreadable), (0, 0), "{count:?}");
    assert_eq!((count.suite.as_str(), count.records.get(suite.name())), (suite.name(), Some(&records)));
}

/// Rows of the database as they lie there.
fn rows(bench: &Bench, sql: &str) -> Vec<Vec<u8>> {
    let database = behind_the_back(bench.places.data.join("strongroom.db")).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn reveal(bench: &Bench, by: &Key, customer: &str) -> Json {
    let ask = json!({ "purpose": "account", "subject": { "external_id": customer } });
    bench.post(by, REVEAL, &ask).is(200)["records"].clone()
}

fn search(bench: &Bench, by: &Key) -> usize {
    let ask = json!({ "purpose": "account", "field": "phone", "value": "138 1234 5678" });
    bench.post(by, "/v1/records:search", &ask).is(200)["matches"].as_array().unwrap().len()
}

fn erase(bench: &Bench, by: &Key, subject: &str) {
    bench.post(by, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
}

#[test]
fn a_shop_of_the_second_suite_writes_finds_reveals_changes_its_epoch_and_erases() {
    let mut bench = Bench::of_suite(POLICY, Suite::Sm4Gcm);
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let erased = bench.customer(&service, "1");
    bench.customer(&service, "2");
    bench.order(&service, "2", "O-2");
    bench.event(&service, "O-2", "completed");
    bench.choose(&service, "2", "marketing_email", "granted");
    bench.round();
    assert_eq!(search(&bench, &service), 2);
    assert_eq!(reveal(&bench, &service, "2")[0]["fields"]["name"], "Ann Lee");
    assert_eq!(rotate(&bench, |_| {}).unwrap().epoch, 2, "a change of epoch moves nobody");

    bench.close();
    bench.open();
    assert_eq!(reveal(&bench, &service, "2")[0]["fields"]["phone"], "+8613812345678");
    all_are_of(&bench, Suite::Sm4Gcm, 3);
    for wrapped in rows(&bench, "SELECT wrapped FROM shop_key UNION ALL SELECT wrapped FROM term") {
        assert_eq!(wrapped[0] >> 6, 1, "a key of the second suite, and none of the first");
    }
    erase(&bench, &officer, &erased);
    bench.round();
    assert_eq!(search(&bench, &service), 1);
    let opened = &bench.entries()[0];
    assert_eq!((opened.act, opened.figure(Figure::Suite)), (Act::Opened, Some(2)));
}

#[test]
fn a_shop_moves_to_the_other_suite_and_back_with_all_that_it_keeps() {
    let mut bench = Bench::new();
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let first = bench.customer(&service, "1");
    bench.customer(&service, "2");
    bench.order(&service, "2", "O-2");
    bench.event(&service, "O-2", "completed");
    bench.customer(&service, "3");
    bench.order(&service, "3", "O-3");
    // Somebody of whom nothing is open-ended: the change of epoch itself seals none of it again.
    let alone = json!({ "kind": "customer", "external_id": "9", "fields": { "name": "Ann Lee" },
                        "events": { "active": "2026-11-22T00:00:00Z" } });
    bench.post(&service, "/v1/records", &alone).is(201);
    all_are_of(&bench, Suite::Aes256Gcm, 6);
    let revealed = |bench: &Bench, by: &Key| {
        let fields = reveal(bench, by, "2")[0]["fields"].clone();
        (fields, bench.entries().last().unwrap().alias) // who somebody is in the ledger stays
    };
    let before = revealed(&bench, &service);

    assert_eq!(move_to(&bench, Suite::Sm4Gcm, |_| {}).unwrap().epoch, 2);
    bench.customer(&service, "4");
    assert_eq!(bench.shop().keys.suite(), Suite::Sm4Gcm);
    let under_way = count(&bench);
    assert_eq!(
        (under_way.behind(), under_way.records[Suite::Sm4Gcm.name()]),
        (1, 6),
        "what has an end follows behind"
    );
    bench.round();
    all_are_of(&bench, Suite::Sm4Gcm, 7);
    assert_eq!((search(&bench, &service), revealed(&bench, &service)), (4, before.clone()));
    let changed: Vec<u64> = bench.entries().iter().filter_map(|entry| entry.figure(Figure::Suite)).collect();
    assert_eq!(changed, [2]);
    for wrapped in rows(&bench, "SELECT wrapped FROM shop_key WHERE class = 16") {
        assert_eq!(wrapped[0], 0x50, "one wrap key is left, of the second suite");
    }

    erase(&bench, &officer, &first);
    bench.round();
    bench.close();
    bench.open();
    assert_eq!(bench.shop().keys.suite(), Suite::Sm4Gcm, "it is what the keys say");
    assert_eq!(move_to(&bench, Suite::Aes256Gcm, |_| {}).unwrap().epoch, 3);
    bench.round();
    all_are_of(&bench, Suite::Aes256Gcm, 6);
    assert_eq!((search(&bench, &service), revealed(&bench, &service)), (3, before));
}

/// A house with some hundred customers, with ends that are known and ends that are not.
fn many(records: u32) -> (Bench, Key) {
    let bench = Bench::new();
    let by = bench.service();
    let customer = |id: u32| {
        let events = if id % 2 == 0 { json!({ "active": "2026-11-22T00:00:00Z" }) } else { json!({}) };
        json!({ "kind": "customer", "external_id": id.to_string(), "fields": { "name": "Ann Lee" }, "events": events })
    };
    let items: Vec<Json> = (0..records).map(customer).collect();
    assert_eq!(bench.post(&by, "/v1/records:batch", &json!({ "items": items })).is(200)["written"], records);
    bench.round();
    (bench, by)
}

fn all_open(bench: &Bench, by: &Key, records: u32) {
    for id in (0..records).step_by(17) {
        assert_eq!(reveal(bench, by, &id.to_string())[0]["fields"]["name"], "Ann Lee");
    }
}

#[test]
fn a_move_that_was_cut_off_anywhere_is_finished_by_the_caretaker() {
    let cuts: [fn(&RotationStep) -> bool; 3] = [
        |step| matches!(step, RotationStep::Keys(128, _)),
        |step| matches!(step, RotationStep::Keys(150, _)),
        |step| matches!(step, RotationStep::Done(_)),
    ];
    for (number, cut) in cuts.into_iter().enumerate() {
        let (mut bench, by) = many(150);
        let died = catch_unwind(AssertUnwindSafe(|| {
            move_to(&bench, Suite::Sm4Gcm, |step| assert!(!cut(&step), "cut off here, as the test wants it"))
        }));
        assert!(died.is_err(), "cut {number} was reached");
        all_open(&bench, &by, 150);
        bench.close();
        bench.open();
        all_open(&bench, &by, 150);
        bench.round();
        let epochs = bench.house().keys.with(|ring| ring.epochs.len());
        assert_eq!(epochs, 1, "cut {number}");
        all_are_of(&bench, Suite::Sm4Gcm, 150);
        all_open(&bench, &by, 150);
    }
}

#[test]
fn a_change_of_epoch_that_was_begun_without_a_move_is_finished_with_one() {
    let (bench, by) = many(150);
    let died = catch_unwind(AssertUnwindSafe(|| {
        rotate(&bench, |step| assert!(!matches!(step, RotationStep::Keys(128, _)), "cut off here"))
    }));
    assert!(died.is_err());
    assert_eq!(move_to(&bench, Suite::Sm4Gcm, |_| {}).unwrap().epoch, 2, "the same epoch");
    bench.round();
    all_are_of(&bench, Suite::Sm4Gcm, 150);
    all_open(&bench, &by, 150);
}

#[test]
fn a_shop_moves_while_everybody_is_served() {
    let (bench, by) = many(150);
    let (stop, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..3_usize {
            let (bench, by, stop, served) = (&bench, &by, &stop, &served);
            scope.spawn(move || {
                let mut turn = 0;
                while !stop.load(Ordering::SeqCst) {
                    turn += 1;
                    let id = ((thread * 97 + turn) % 150).to_string();
                    assert_eq!(reveal(bench, by, &id)[0]["fields"].as_object().unwrap().len(), 1);
                    let write = json!({ "kind": "customer", "external_id": id, "fields": { "name": format!("Ann {thread} {turn}") } });
                    bench.post(by, "/v1/records", &write).is(200);
                    served.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for to in [Suite::Sm4Gcm, Suite::Aes256Gcm, Suite::Sm4Gcm] {
            move_to(&bench, to, |_| {}).unwrap();
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert!(served.load(Ordering::SeqCst) > 20, "somebody was served meanwhile");
    bench.round();
    all_are_of(&bench, Suite::Sm4Gcm, 150);
}

#[test]
fn a_shop_moves_alone() {
    let bench = Bench::new();
    let other = bench.add_shop("other");
    let (mine, theirs) = (bench.service(), bench.key_by(&other, Role::Service, &["account"]));
    bench.customer(&mine, "1");
    bench.customer(&theirs, "1");
    move_to(&bench, Suite::Sm4Gcm, |_| {}).unwrap();
    bench.round();
    all_are_of(&bench, Suite::Sm4Gcm, 1);
    let shops = bench.house().shops();
    let other = shops.iter().find(|shop| shop.name == "other").unwrap();
    assert_eq!(other.keys.suite(), Suite::Aes256Gcm);
    let count = count_suites(bench.house(), other, &mut |_, _| {}).unwrap();
    assert_eq!(count.records[Suite::Aes256Gcm.name()], 1);
    assert_eq!(reveal(&bench, &theirs, "1")[0]["fields"]["name"], "Ann Lee");
}

#[test]
fn a_record_presented_as_of_the_other_suite_is_not_opened_and_is_named() {
    let mut bench = Bench::new();
    let service = bench.service();
    bench.customer(&service, "1");
    let database = behind_the_back(bench.places.data.join("strongroom.db")).unwrap();
    let mut sealed: Vec<u8> = database.query_row("SELECT sealed FROM record", [], |row| row.get(0)).unwrap();
    assert_eq!(sealed[2..4], [0, 1]);
    sealed[3] = 2;
    database.execute("UPDATE record SET sealed = ?1", [sealed]).unwrap();
    drop(database);
    let ask = json!({ "purpose": "account", "subject": { "external_id": "1" } });
    assert_eq!(bench.post(&service, REVEAL, &ask).is(500)["code"], "SR-REVEAL-004");
    let report = deep_check(bench.house(), &bench.shop(), &mut |_, _| {}).unwrap();
    assert_eq!(report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["SR-DEEP-009"]);
    // It holds up nobody's move. What no key opens ends with its epoch, as in every change of one.
    bench.customer(&service, "2");
    move_to(&bench, Suite::Sm4Gcm, |_| {}).unwrap();
    bench.round();
    assert_eq!(count(&bench).behind(), 0);
    assert!(
        bench.count(Act::OpeningFailed) >= 2,
        "entered for the reveal, and for each time it was stepped over"
    );
    bench.is_broken_on_purpose();
}

#[test]
fn the_operator_makes_a_shop_of_the_second_suite_and_moves_it_and_strangers_open_all_that_it_sealed() {
    let vault = Vault::with(&["--suite", "sm4-gcm-sm3"]);
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    for number in 0..3 {
        let mut caller = server.caller(&intake);
        for sent in [customer(number), order(number)] {
            caller.post("/v1/records", &sent).has(201);
        }
    }
    let strangers_open = |records: u64, moved: &str| {
        let Some(opener) = Opener::find() else { return };
        let keys = vault.keys();
        let found = opener.opens(
            &Thief { keys: &keys, passphrase: None },
            &[&crate::engine::folder_of_rows(&vault.data())],
        );
        let figures = ["records", "records_opened", "fields_closed", "broken"].map(|name| found.figure(name));
        assert_eq!(figures, [records, records, 0, 0], "{moved}");
    };
    strangers_open(6, "as it was made");
    assert_eq!(vault.ask(&["keys", "status"])["shops"][0]["suite"], "sm4-gcm-sm3");
    assert_eq!(vault.ask(&["keys", "suites"])["records"], json!({ "sm4-gcm-sm3": 6 }));
    vault.ask(&["backup", "--to", "before"]);
    let moved = vault.ask(&["keys", "rotate", "--yes", "--suite", "aes-256-gcm-sha256"]);
    let expected = json!({ "suite": "aes-256-gcm-sha256", "records": { "aes-256-gcm-sha256": 6 }, "files": {}, "unreadable": 0 });
    assert_eq!((&moved["epoch"], &moved["sealed_with"]), (&json!(2), &expected));
    strangers_open(6, "moved, beside the server");
    let looks = vault.ask(&["doctor", "--deep"]);
    let suite = looks.as_array().unwrap().iter().find(|look| look["what"] == "suite").unwrap();
    assert_eq!(suite["said"], "all is sealed with aes-256-gcm-sha256");
    if let Some(opener) = Opener::find() {
        let keys = vault.keys();
        let thief = Thief { keys: &keys, passphrase: None };
        let found = opener.opens(&thief, &[&vault.path("before")]);
        assert_eq!(
            (found.figure("records"), found.figure("records_opened")),
            (6, 0),
            "a copy from before is dark"
        );
    }
    server.stop();
    let moved = vault.ask(&["keys", "rotate", "--yes", "--suite", "sm4-gcm-sm3"]);
    assert_eq!(moved["sealed_with"]["records"], json!({ "sm4-gcm-sm3": 6 }), "without a server, too");
    strangers_open(6, "moved back");

    let policy = std::fs::read_to_string(vault.path("shop.toml")).unwrap();
    let policy = policy.replace("id = \"harbour-hill\"", "id = \"second\"");
    std::fs::write(vault.path("second.toml"), policy).unwrap();
    vault.ask(&["shops", "add", "--policy", "second.toml", "--suite", "sm4-gcm-sm3"]);
    assert_eq!(vault.ask(&["keys", "status"])["shops"][1]["suite"], "sm4-gcm-sm3");
    vault.run(&["keys", "rotate", "--yes", "--suite", "sm4-gcm-sm3"]).fails("SR-OPEN-003");
    vault.run(&["keys", "rotate", "--yes", "--suite", "des"]).ends(2);
    let to_first = ["keys", "rotate", "--yes", "--suite", "aes-256-gcm-sha256", "--shop", "second"];
    assert_eq!(vault.ask(&to_first)["sealed_with"]["suite"], "aes-256-gcm-sha256");
    let status = vault.ask(&["keys", "status"]);
    let suites = [0, 1].map(|shop: usize| status["shops"][shop]["suite"].as_str().unwrap());
    assert_eq!(suites, ["sm4-gcm-sm3", "aes-256-gcm-sha256"]);
    let said = vault.run(&["keys", "suites", "--shop", "harbour-hill"]).ends(0);
    assert!(said.out.contains("6 records with sm4-gcm-sm3"), "{said:?}");
    assert!(said.err.contains("none is sealed with another suite"), "{said:?}");
}
