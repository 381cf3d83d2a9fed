//! More persons than the limit, because somebody asked and somebody else approved.

#![cfg(test)]

use ledger::entry::{Act, Figure, Outcome};
use serde_json::{Value as Json, json};
use strongroom::ground::Role;
use strongroom::ground::clock::{DAY, HOUR};

use super::{deep_codes, house, reveal, reveal_until_frozen};
use crate::support::{Bench, Key, Reply};

fn ask(bench: &Bench, by: &Key, of: &Key, subjects: u32) -> Reply {
    ask_for(bench, by, of, subjects, 24)
}

fn ask_for(bench: &Bench, by: &Key, of: &Key, subjects: u32, hours: u32) -> Reply {
    let body = json!({ "credential": of.id(), "purpose": "account", "subjects": subjects, "hours": hours,
                       "reason": "recall-of-batch-17" });
    bench.post(by, "/v1/approvals", &body)
}

fn decide(bench: &Bench, by: &Key, id: &Json, how: &str) -> Reply {
    bench.post(by, &format!("/v1/approvals/{}:{how}", id.as_str().unwrap()), &json!({}))
}

fn states(bench: &Bench) -> Vec<String> {
    let all = bench.get(&bench.admin, "/v1/approvals").is(200);
    all.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_somebody_else_approved_is_given_and_counted_apart_also_over_a_restart() {
    let (mut bench, _) = house("2 per hour", 60);
    let (service, officer) = (bench.service_for(&["account"]), bench.key(Role::Officer, &[]));
    let id = ask(&bench, &service, &service, 10).is(201)["id"].clone();
    assert_eq!(states(&bench), ["asked"]);
    reveal(&bench, &service, 50).is(200);
    let approved = decide(&bench, &officer, &id, "approve").is(200);
    assert!(approved["until"].is_string());
    assert_eq!(states(&bench), ["approved"]);
    (0..6).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.close();
    bench.open();
    reveal(&bench, &service, 3).is(200);
    assert_eq!(
        reveal_until_frozen(&bench, &service, 6..50),
        4 + 1,
        "ten approved, and one that its limit had left"
    );

    let entries = bench.entries();
    let under = entries.iter().filter(|entry| entry.figure(Figure::Approval) == Some(1));
    let acts: Vec<Act> = under.map(|entry| entry.act).collect();
    assert_eq!((acts[0], acts[1]), (Act::ApprovalAsked, Act::Approved));
    assert_eq!(
        acts.iter().filter(|act| **act == Act::Revealed).count(),
        6 + 1 + 4,
        "each use says on what it rests"
    );
}

#[test]
fn nobody_approves_what_they_asked_for_or_would_gain_by() {
    let (bench, _) = house("2 per hour", 20);
    let (one, two) = (bench.key(Role::Officer, &["account"]), bench.key(Role::Officer, &["account"]));
    let asked = ask(&bench, &one, &two, 10).is(201)["id"].clone();
    decide(&bench, &one, &asked, "approve").problem(403, "SR-PEOPLE-015");
    decide(&bench, &two, &asked, "approve").problem(403, "SR-PEOPLE-015");
    let service = bench.service_for(&["account"]);
    decide(&bench, &service, &asked, "approve").problem(403, "SR-PEOPLE-003");
    let auditor = bench.key(Role::Auditor, &[]);
    decide(&bench, &auditor, &asked, "approve").problem(403, "SR-PEOPLE-003");
    assert_eq!(reveal_until_frozen(&bench, &two, 0..20), 2, "an ask gives nothing");

    let third = bench.key(Role::Officer, &["account"]);
    let path = format!("/v1/credentials/{}:freeze", third.id());
    bench.post(&bench.admin, &path, &json!({ "reason": "laptop-lost" })).is(200);
    decide(&bench, &third, &asked, "approve").problem(403, "SR-PEOPLE-009");
    decide(&bench, &bench.admin, &asked, "approve").is(200);
    decide(&bench, &bench.admin, &asked, "approve").problem(409, "SR-PEOPLE-014");
    assert_eq!(bench.count(Act::Approved), 1);
}

#[test]
fn what_was_refused_or_ended_or_asked_for_too_long_ago_gives_nothing() {
    let (bench, _) = house("2 per hour", 60);
    let service = bench.service_for(&["account"]);
    let refused = ask(&bench, &service, &service, 10).is(201)["id"].clone();
    decide(&bench, &bench.admin, &refused, "refuse").is(200);
    decide(&bench, &bench.admin, &refused, "approve").problem(409, "SR-PEOPLE-014");
    let old = ask(&bench, &service, &service, 10).is(201)["id"].clone();
    bench.pass(7 * DAY + HOUR);
    decide(&bench, &bench.admin, &old, "approve").problem(409, "SR-PEOPLE-014");
    let ended = ask(&bench, &service, &service, 10).is(201)["id"].clone();
    decide(&bench, &bench.admin, &ended, "approve").is(200);
    reveal(&bench, &service, 0).is(200);
    bench.pass(24 * HOUR + 1);
    assert_eq!(states(&bench), ["ended", "ended", "refused"]);
    assert_eq!(reveal_until_frozen(&bench, &service, 1..60), 2);
    let no = bench.entries().into_iter().find(|entry| entry.act == Act::Approved).unwrap();
    assert_eq!(no.outcome, Outcome::No);
}

#[test]
fn an_approval_does_not_outlive_its_end_because_a_clock_was_set_back() {
    let (mut bench, _) = house("2 per hour", 60);
    let service = bench.service_for(&["account"]);
    let id = ask(&bench, &service, &service, 30).is(201)["id"].clone();
    decide(&bench, &bench.admin, &id, "approve").is(200);
    (0..5).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    bench.pass(25 * HOUR);
    bench.clock.set_wall(bench.now() - 10 * HOUR);
    assert_eq!(reveal_until_frozen(&bench, &service, 5..60), 2);
    bench.is_broken_on_purpose();
}

#[test]
fn whom_an_approval_gave_is_known_after_a_restart_although_a_clock_was_ahead_when_it_was_approved() {
    let (mut bench, _) = house("2 per hour", 60);
    let (service, other) = (bench.service_for(&["account"]), bench.service_for(&["account"]));
    let id = ask_for(&bench, &service, &service, 10, 72).is(201)["id"].clone();
    let right = bench.now();
    bench.clock.set_wall(right + 400 * DAY);
    decide(&bench, &bench.admin, &id, "approve").is(200);
    bench.clock.set_wall(right);
    bench.house().watch.settle(bench.clock.as_ref());
    (0..6).for_each(|number| drop(reveal(&bench, &service, number).is(200)));
    // So much is entered behind them that nobody looks so far back for the last day.
    (0..300).for_each(|_| drop(reveal(&bench, &other, 59).is(200)));
    bench.pass(2 * DAY);
    reveal(&bench, &other, 59).is(200);
    bench.close();
    bench.open();
    assert_eq!(reveal_until_frozen(&bench, &service, 6..50), 4 + 2, "six of ten were given before");
}

#[test]
fn an_approval_that_was_edited_or_is_asked_for_again_by_an_old_row_is_named_by_the_deep_check() {
    let (bench, _) = house("2 per hour", 2);
    let service = bench.service_for(&["account"]);
    let id = ask(&bench, &service, &service, 10).is(201)["id"].clone();
    let database = || crate::vault::behind_the_back(bench.places.data.join(store::DATABASE)).unwrap();
    let folder = crate::support::folder();
    let kept = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let keep = |name: &str| assert_eq!(database().execute("VACUUM INTO $1", [kept(name)]).unwrap(), 0);
    let put_back = |name: &str| {
        let database = database();
        database.execute("ATTACH $1 AS was", [kept(name)]).unwrap();
        assert_eq!(database.execute("DELETE FROM main.approval", []).unwrap(), 1);
        assert_eq!(database.execute("INSERT INTO main.approval SELECT * FROM was.approval", []).unwrap(), 1);
    };
    keep("asked");
    assert_eq!(deep_codes(&bench), [""; 0]);
    decide(&bench, &bench.admin, &id, "refuse").is(200);
    keep("refused");
    assert_eq!(deep_codes(&bench), [""; 0]);
    put_back("asked");
    assert_eq!(deep_codes(&bench), ["SR-DEEP-032"], "somebody else could be talked into a yes");
    database().execute("UPDATE approval SET subjects = 10000000", []).unwrap();
    assert_eq!(deep_codes(&bench), ["SR-DEEP-031"]);
    put_back("refused");
}

#[test]
fn what_cannot_be_approved_cannot_be_asked_for() {
    let (bench, _) = house("2 per hour", 2);
    let service = bench.service_for(&["delivery"]);
    ask(&bench, &service, &service, 10).problem(422, "SR-PEOPLE-012");
    let account = bench.service_for(&["account"]);
    ask(&bench, &service, &account, 0).problem(422, "SR-PEOPLE-013");
    ask(&bench, &service, &account, 10_000_001).problem(422, "SR-PEOPLE-013");
    let asked = |hours: u32, reason: &str| json!({ "credential": account.id(), "purpose": "account", "subjects": 5, "hours": hours, "reason": reason });
    for (hours, reason, code) in [
        (0, "a-job", "SR-PEOPLE-013"),
        (169, "a-job", "SR-PEOPLE-013"),
        (24, "for Ann Lee", "SR-PEOPLE-010"),
        (24, "", "SR-PEOPLE-010"),
    ] {
        bench.post(&service, "/v1/approvals", &asked(hours, reason)).problem(422, code);
    }
    assert_eq!(bench.count(Act::ApprovalAsked), 0);
}
