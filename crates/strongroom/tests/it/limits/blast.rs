//! Whom a credential reached, out of the ledger.

#![cfg(test)]

use ledger::entry::{Act, Figure};
use serde_json::{Value as Json, json};
use strongroom::ground::Role;
use strongroom::ground::clock::HOUR;

use super::{house, reveal};
use crate::support::{Bench, Key, Reply};

fn radius(bench: &Bench, by: &Key, of: &Key, more: &str) -> Reply {
    bench.get(by, &format!("/v1/ledger/blast-radius?credential={}{more}", of.id()))
}

fn of<'j>(found: &'j Json, list: &str, key: &str, name: &str) -> &'j Json {
    found[list].as_array().unwrap().iter().find(|one| one[key] == name).unwrap_or(&Json::Null)
}

#[test]
fn the_ledger_says_which_persons_and_fields_a_credential_reached() {
    let (bench, intake) = house("100 per hour", 12);
    let (service, other) = (bench.service_for(&["account", "delivery"]), bench.service_for(&["account"]));
    let (officer, auditor) = (bench.key(Role::Officer, &[]), bench.key(Role::Auditor, &[]));
    let mut subjects: Vec<String> = Vec::new();
    for number in 0..5 {
        let opened = reveal(&bench, &service, number).is(200);
        subjects.push(opened["subject"].as_str().unwrap().to_owned());
        reveal(&bench, &service, number).is(200);
        reveal(&bench, &other, number + 5).is(200);
    }
    bench.pass(HOUR);
    bench.order(&intake, "c-3", "O-3");
    let order = json!({ "kind": "order", "external_id": "O-3" });
    let ask = json!({ "purpose": "delivery", "record": order, "fields": ["order.address"] });
    bench.post(&service, "/v1/records:reveal", &ask).is(200);
    let ask = json!({ "purpose": "tax", "record": order });
    bench.post(&service, "/v1/records:reveal", &ask).is(404);

    let found = radius(&bench, &auditor, &service, "").is(200);
    assert_eq!(
        (&found["persons"], &found["living"], &found["erased_since"]),
        (&json!(5), &json!(5), &json!(0))
    );
    assert_eq!((&found["entries"], &found["refused"]), (&json!(11), &json!(1)), "{found}");
    assert_eq!(of(&found, "purposes", "purpose", "account")["persons"], 5);
    assert_eq!(of(&found, "purposes", "purpose", "delivery")["persons"], 1);
    assert_eq!(of(&found, "purposes", "purpose", "account")["first"], found["first"]);
    assert_eq!(of(&found, "fields", "field", "customer.email")["persons"], 5);
    assert_eq!(of(&found, "fields", "field", "order.address")["persons"], 1);
    assert_eq!(found["subjects"], json!(null), "an auditor sees no subject");
    let read = bench.entries().into_iter().rfind(|entry| entry.act == Act::LedgerRead).unwrap();
    assert!(read.figure(Figure::Credential).is_some(), "who asked, and about whom, is entered");

    radius(&bench, &auditor, &service, "&list=true").problem(403, "SR-PEOPLE-003");
    let found = radius(&bench, &officer, &service, "&list=true").is(200);
    let listed: Vec<&str> =
        found["subjects"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(listed, subjects);
    radius(&bench, &service, &service, "").problem(403, "SR-PEOPLE-003");
}

#[test]
fn who_was_erased_since_is_counted_and_cannot_be_named() {
    let (bench, _) = house("100 per hour", 6);
    let (service, officer) = (bench.service_for(&["account"]), bench.key(Role::Officer, &[]));
    let mut last = String::new();
    for number in 0..6 {
        last = reveal(&bench, &service, number).is(200)["subject"].as_str().unwrap().to_owned();
    }
    bench.post(&officer, &format!("/v1/subjects/{last}:erase"), &json!({})).is(200);
    let found = radius(&bench, &officer, &service, "&list=true").is(200);
    assert_eq!(
        (&found["persons"], &found["living"], &found["erased_since"]),
        (&json!(6), &json!(5), &json!(1))
    );
    assert!(!found["subjects"].as_array().unwrap().contains(&json!(last)));
}

#[test]
fn a_subject_whose_row_was_edited_hides_itself_and_nobody_else() {
    let (bench, _) = house("100 per hour", 6);
    let (service, officer) = (bench.service_for(&["account"]), bench.key(Role::Officer, &[]));
    for number in 0..6 {
        reveal(&bench, &service, number).is(200);
    }
    let database = || crate::vault::behind_the_back(bench.places.data.join(store::DATABASE)).unwrap();
    let edit = |by: i64| {
        let first = "UPDATE subject SET since = since + ?1 WHERE id = (SELECT min(id) FROM subject)";
        assert_eq!(database().execute(first, [by]).unwrap(), 1);
    };
    edit(1);
    let found = radius(&bench, &officer, &service, "&list=true").is(200);
    let counts = ["persons", "living", "erased_since", "unreadable"].map(|count| found[count].clone());
    assert_eq!(counts, [6, 5, 1, 1].map(|count| json!(count)), "{found}");
    assert_eq!(found["subjects"].as_array().map(Vec::len), Some(5));
    edit(-1);
    assert_eq!(radius(&bench, &officer, &service, "").is(200)["unreadable"], 0);
    let label =
        |to: &str| database().execute("UPDATE credential SET label = ?1 WHERE role = 2", [to]).unwrap();
    assert_eq!(label("of-a-thief"), 1, "nor does the credential's own row hide whom it reached");
    assert_eq!(radius(&bench, &officer, &service, "").is(200)["persons"], 6);
    label("of-a-test");
}

#[test]
fn only_the_time_that_is_asked_for_is_told() {
    let (bench, _) = house("100 per hour", 700);
    let (service, auditor) = (bench.service_for(&["account"]), bench.key(Role::Auditor, &[]));
    let instant = |bench: &Bench| strongroom::ground::clock::instant(bench.now());
    (0..3).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.pass(HOUR);
    let from = instant(&bench);
    (2..9).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.pass(HOUR);
    let until = instant(&bench);
    (9..20).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    let persons = |more: &str| radius(&bench, &auditor, &service, more).is(200)["persons"].clone();
    assert_eq!(persons(""), 20);
    assert_eq!(persons(&format!("&since={from}")), 18);
    assert_eq!(persons(&format!("&since={from}&until={until}")), 7);
    assert_eq!(persons(&format!("&until={from}")), 3);
    radius(&bench, &auditor, &service, "&since=yesterday").problem(400, "SR-ACCOUNT-009");
}

#[test]
#[ignore = "a measurement: how long a million entries take, and how much memory; run with --ignored --nocapture, optimised"]
fn a_million_entries_are_looked_through_in_bounded_memory() {
    const ENTRIES: u64 = 1_000_000;
    const PERSONS: u64 = 200_000;
    let (mut bench, _) = house("100 per hour", 900);
    bench.is_broken_on_purpose(); // the entries are made up: no rows stand behind them
    let (service, auditor) = (bench.service_for(&["account"]), bench.key(Role::Auditor, &[]));
    reveal(&bench, &service, 0).is(200);
    let revealed = bench.entries().into_iter().rfind(|entry| entry.act == Act::Revealed).unwrap();
    let shop = bench.shop();
    for first in (0..ENTRIES).step_by(5_000) {
        let like = revealed.clone();
        let filled = bench.house().work_blocking(
            store::Lane::High,
            &shop,
            &strongroom::ground::Actor::Operator,
            move |work| {
                for number in first..first + 5_000 {
                    let mut entry = like.clone();
                    entry.at = work.entered_at;
                    let person = (number % PERSONS).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                    entry.alias =
                        Some([person.to_be_bytes(), person.to_le_bytes()].concat().try_into().unwrap());
                    work.enter(&entry)?;
                }
                Ok(())
            },
        );
        filled.unwrap();
    }
    let memory = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    let (before, began) = (memory(), std::time::Instant::now());
    let found = radius(&bench, &auditor, &service, "").is(200);
    eprintln!(
        "{ENTRIES} entries, {} persons: {:?}, {} MiB more at the peak",
        found["persons"],
        began.elapsed(),
        memory() - before
    );
    let began = std::time::Instant::now();
    let other = radius(&bench, &auditor, &auditor, "").is(200);
    eprintln!("the same for somebody who reached nobody: {:?}", began.elapsed());
    let began = std::time::Instant::now();
    bench.close();
    bench.open();
    eprintln!("a start that counts them again: {:?}", began.elapsed());
    assert_eq!((&found["persons"], &other["persons"]), (&json!(PERSONS + 1), &json!(0)));
}

#[test]
#[ignore = "a measurement: what counting a person costs; run with --ignored --nocapture, optimised"]
fn counting_a_person_costs_little() {
    use strongroom::ground::reached::{Reach, Reached};
    const PERSONS: u64 = 1_000_000;
    let (reached, limit) = (Reached::default(), "10000000 per hour".parse().unwrap());
    for round in ["a million new persons", "the same again, a minute later"] {
        let began = std::time::Instant::now();
        for number in 0..PERSONS {
            let person = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
            let alias = [person, person].concat().try_into().unwrap();
            let at = if round.starts_with('a') { 0 } else { 60_000_000 };
            reached.take(&Reach { credential: 1, purpose: 2, alias, at }, limit, None).unwrap();
        }
        eprintln!("{round}: {:?} each", began.elapsed() / u32::try_from(PERSONS).unwrap());
    }
}
