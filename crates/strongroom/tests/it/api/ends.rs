//! A yes that has an end: at the very next read it is not there any more.

use ledger::choice::{ChoiceReceipt, Fact};
use ledger::entry::Act;
use ledger::note::Verifier;
use ledger::opening::Tag;
use ledger::receipt::Receipt;
use serde_json::{Value as Json, json};
use strongroom::ground::clock::{DAY, HOUR, MINUTE};

use crate::support::{Bench, Key, POLICY, Reply, longer_policy};

const MAIL: &str = "[purpose.marketing_email]\n";

/// A policy whose newsletter has these keys besides.
fn with(policy: &str, keys: &str) -> String {
    assert!(policy.contains(MAIL));
    policy.replacen(MAIL, &format!("{MAIL}{keys}\n"), 1)
}

fn house() -> (Bench, Key) {
    let bench = Bench::with_policy(&with(POLICY, "ask_again = \"30d\""));
    let by = bench.service();
    bench.customer(&by, "42");
    (bench, by)
}

fn reveal(bench: &Bench, by: &Key) -> Reply {
    let body = json!({ "purpose": "marketing_email", "subject": { "external_id": "42" } });
    bench.post(by, "/v1/records:reveal", &body)
}

fn say(bench: &Bench, by: &Key, choice: &str, at: Option<&str>) -> Reply {
    let mut body = json!({ "subject": { "external_id": "42" }, "purpose": "marketing_email", "choice": choice,
        "notice": { "version": 1, "language": "zh" } });
    if let Some(at) = at {
        body["at"] = json!(at);
    }
    bench.post(by, "/v1/choices", &body)
}

#[test]
fn a_yes_that_has_an_end_does_not_stand_from_that_instant_on() {
    let (bench, by) = house();
    let said = bench.choose(&by, "42", "marketing_email", "granted");
    assert_eq!(said["until"], "2026-12-23T02:00:00Z");
    let receipt = Receipt::from_json(&said["receipt"].to_string()).unwrap();
    let verifier = Verifier::parse(&bench.verifier).unwrap();
    let proved = receipt.verify(&verifier, "strongroom/harbour-hill").unwrap();
    assert_eq!(proved.opening.find(Tag::Extra), Some(&b"until 2026-12-23T02:00:00.000000Z"[..]));
    bench.pass(30 * DAY - MINUTE);
    reveal(&bench, &by).is(200);
    bench.pass(MINUTE);
    let refused = reveal(&bench, &by).problem(403, "SR-REVEAL-001");
    assert_eq!(refused["reasons"][0]["name"], "no_choice");
    let body = json!({ "purpose": "marketing_email", "external_ids": ["42"] });
    let may = bench.post(&by, "/v1/choices:may", &body).is(200);
    assert_eq!(may["answers"][0], json!({ "may": false, "reason": "no_choice" }));
    // A new yes stands again, and has an end of its own.
    assert_eq!(say(&bench, &by, "granted", None).is(201)["until"], "2027-01-22T02:00:00Z");
    reveal(&bench, &by).is(200);
    bench.round();
}

#[test]
fn the_receipt_of_a_yes_that_has_an_end_says_when_it_ends() {
    let (bench, by) = house();
    let verifier = Verifier::parse(&bench.verifier).unwrap();
    let ends_at = |choice: &Json| {
        let path = format!("/v1/choices/{}/receipt", choice["choice"].as_str().unwrap());
        let receipt = ChoiceReceipt::from_json(&bench.get(&by, &path).is(200).to_string()).unwrap();
        let proved = receipt.verify(&verifier, "strongroom/harbour-hill").unwrap();
        proved.text(Fact::EndsAt).map(str::to_owned)
    };
    let yes = bench.choose(&by, "42", "marketing_email", "granted");
    bench.pass(DAY);
    let no = bench.choose(&by, "42", "marketing_email", "withdrawn");
    assert_eq!(ends_at(&yes).as_deref(), Some("2026-12-23T02:00:00.000000Z"));
    assert_eq!(ends_at(&no), None);
    bench.round();
}

#[test]
fn a_later_policy_moves_no_end_that_was_given() {
    let (bench, by) = house();
    bench.choose(&by, "42", "marketing_email", "granted");
    for keys in ["", "ask_again = \"10y\"", "ask_again = \"1d\""] {
        let text = with(POLICY, keys);
        bench.post(&bench.admin, "/v1/policies", &json!({ "text": text })).is(201);
        reveal(&bench, &by).is(200);
    }
    bench.round();
    bench.pass(30 * DAY);
    reveal(&bench, &by).problem(403, "SR-REVEAL-001");
}

#[test]
fn to_say_yes_again_gives_it_a_new_end_and_a_second_click_does_not() {
    let (bench, by) = house();
    bench.choose(&by, "42", "marketing_email", "granted");
    bench.pass(HOUR);
    assert_eq!(say(&bench, &by, "granted", None).is(200)["outcome"], "unchanged");
    bench.pass(2 * DAY);
    assert_eq!(say(&bench, &by, "granted", None).is(201)["until"], "2026-12-25T03:00:00Z");
    bench.pass(29 * DAY);
    reveal(&bench, &by).is(200);
    bench.pass(DAY);
    reveal(&bench, &by).problem(403, "SR-REVEAL-001");
}

#[test]
fn a_yes_that_is_told_after_its_end_stands_at_no_time() {
    let (bench, by) = house();
    let said = say(&bench, &by, "granted", Some("2026-10-01T00:00:00Z")).is(201);
    assert_eq!(said["until"], "2026-10-31T00:00:00Z");
    reveal(&bench, &by).problem(403, "SR-REVEAL-001");
    // One that was said before it, and ends later, does not come back either.
    say(&bench, &by, "granted", Some("2026-09-30T00:00:00Z")).is(201);
    reveal(&bench, &by).problem(403, "SR-REVEAL-001");
}

#[test]
fn a_withdrawal_has_no_end() {
    let (bench, by) = house();
    bench.choose(&by, "42", "marketing_email", "granted");
    bench.pass(DAY);
    assert!(say(&bench, &by, "withdrawn", None).is(201)["until"].is_null());
    bench.pass(400 * DAY);
    let refused = reveal(&bench, &by).problem(403, "SR-REVEAL-001");
    assert_eq!(refused["reasons"][0]["name"], "objected");
}

#[test]
fn what_was_kept_for_a_yes_goes_when_it_has_ended_and_no_more_is_taken() {
    let head = "[purpose.birthday]\n";
    let policy = longer_policy().replacen(head, &format!("{head}ask_again = \"30d\"\n"), 1);
    let bench = Bench::with_policy(&policy);
    let by = bench.service();
    bench.customer(&by, "42");
    bench.choose(&by, "42", "birthday", "granted");
    let write = |name: &str| {
        let fields = json!({ "name": name, "birth_date": "1990-04-01" });
        let body = json!({ "kind": "customer", "external_id": "42", "fields": fields });
        bench.post(&by, "/v1/records", &body).is(200)
    };
    let kept = || {
        let found =
            bench.post(&by, "/v1/subjects:find", &json!({ "subject": { "external_id": "42" } })).is(200);
        found["records"][0]["fields"].to_string().contains("birth_date")
    };
    write("Ann Li");
    bench.round();
    assert!(kept());
    bench.pass(30 * DAY);
    bench.round();
    assert!(!kept(), "no purpose uses it any more");
    // What is known of the subject from before its yes ended decides nothing.
    let dropped = write("Ann Lin")["dropped"].to_string();
    assert!(dropped.contains("birth_date"), "{dropped}");
    assert!(!kept());
}

#[test]
fn what_a_process_knew_before_a_yes_ended_lets_nothing_in_behind_it() {
    let head = "[purpose.birthday]\n";
    let policy = longer_policy().replacen(head, &format!("{head}ask_again = \"30d\"\n"), 1);
    let bench = Bench::with_policy(&policy);
    let by = bench.service();
    bench.customer(&by, "42");
    bench.choose(&by, "42", "birthday", "granted");
    bench.pass(30 * DAY);
    // No round was made: the row still says yes, and so does what was seen of the subject.
    let body = json!({ "kind": "customer", "external_id": "42", "fields": { "birth_date": "1990-04-01" } });
    let refused = bench.post(&by, "/v1/records", &body).problem(422, "SR-COLLECT-012");
    assert_eq!(refused["reasons"][0]["name"], "no_choice");
}

#[test]
fn behind_an_end_the_row_is_written_anew_once_and_nothing_is_entered_for_it() {
    let (bench, by) = house();
    bench.choose(&by, "42", "marketing_email", "granted");
    bench.round();
    bench.pass(30 * DAY);
    bench.round();
    let (entries, chose) = (bench.entries().len(), bench.count(Act::Chose));
    bench.pass(2 * MINUTE);
    bench.round();
    assert_eq!((bench.entries().len(), bench.count(Act::Chose)), (entries, chose));
    let waiting = strongroom::choose::ends::sweep(bench.house(), &bench.shop()).unwrap();
    assert_eq!(waiting, 0, "it was tidied up");
    let found: Json =
        bench.post(&by, "/v1/subjects:find", &json!({ "subject": { "external_id": "42" } })).is(200);
    assert_eq!(found["choices"][0]["until"], "2026-12-23T02:00:00Z", "history stays as it was");
}
