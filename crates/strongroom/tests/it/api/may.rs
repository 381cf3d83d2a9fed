//! May these many be used for a purpose, now?

use ledger::entry::{Act, Figure, Outcome};
use serde_json::{Value as Json, json};
use strongroom::ground::Role;
use strongroom::ground::clock::HOUR;

use crate::limits::policy;
use crate::support::{Bench, Key, POLICY, Reply};

fn ask(bench: &Bench, by: &Key, whom: &Json) -> Reply {
    let mut body = json!({ "purpose": "marketing_email" });
    body.as_object_mut().unwrap().extend(whom.as_object().unwrap().clone());
    bench.post(by, "/v1/choices:may", &body)
}

fn ask_mails(bench: &Bench, by: &Key, ids: &[&str]) -> Reply {
    let mails: Vec<String> = ids.iter().map(|id| format!("{id}@shop.example")).collect();
    ask(bench, by, &json!({ "field": "email", "values": mails }))
}

/// `yes`, or the reason, of each.
fn told(answer: &Json) -> Vec<String> {
    let all = answer["answers"].as_array().unwrap();
    assert!(all.iter().all(|one| one["may"] == one["reason"].is_null()));
    all.iter().map(|one| one["reason"].as_str().unwrap_or("yes").to_owned()).collect()
}

/// Customers `yes`, `no`, `silent`, `gone`, and a service.
fn some() -> (Bench, Key) {
    let bench = Bench::new();
    let by = bench.service();
    for id in ["yes", "no", "silent"] {
        bench.customer(&by, id);
    }
    let gone = bench.customer(&by, "gone");
    bench.choose(&by, "yes", "marketing_email", "granted");
    bench.choose(&by, "no", "marketing_email", "refused");
    bench.choose(&by, "gone", "marketing_email", "granted");
    let officer = bench.key(Role::Officer, &[]);
    bench.post(&officer, &format!("/v1/subjects/{gone}:erase"), &json!({})).is(200);
    (bench, by)
}

#[test]
fn a_shop_that_asks_of_many_is_answered_in_its_order_and_strangers_look_like_the_silent() {
    let (bench, by) = some();
    let answer = ask_mails(&bench, &by, &["nobody", "yes", "no", "silent", "gone", "yes"]).is(200);
    let wanted = ["no_choice", "yes", "objected", "no_choice", "no_choice", "yes"];
    assert_eq!(told(&answer), wanted);
    assert_eq!(answer["allowed"], 2);
    let ids = json!({ "external_ids": ["nobody", "yes", "no", "silent", "gone", "yes"] });
    assert_eq!(told(&ask(&bench, &by, &ids).is(200)), wanted);
    // A value in another form is the same value; what is no address is nobody's.
    let forms = json!({ "field": "email", "values": [" YES@Shop.Example ", "not an address", 7, ""] });
    assert_eq!(told(&ask(&bench, &by, &forms).is(200)), ["yes", "no_choice", "no_choice", "no_choice"]);
    bench.round();
    assert_eq!(told(&ask(&bench, &by, &ids).is(200)), wanted, "laid out again, it is the same");
}

#[test]
fn the_answer_about_somebody_is_that_of_a_reveal() {
    let (bench, by) = some();
    bench.customer(&by, "withdrawn");
    bench.choose(&by, "withdrawn", "marketing_email", "granted");
    bench.choose(&by, "withdrawn", "marketing_email", "withdrawn");
    bench.order(&by, "yes", "O-1");
    for purpose in ["account", "delivery", "tax", "marketing_email", "recommendations"] {
        for id in ["yes", "no", "silent", "gone", "withdrawn", "nobody"] {
            let subject = json!({ "purpose": purpose, "subject": { "external_id": id } });
            let opened = bench.post(&by, "/v1/records:reveal", &subject).status == 200;
            let body = json!({ "purpose": purpose, "external_ids": [id] });
            let answer = bench.post(&by, "/v1/choices:may", &body).is(200);
            assert_eq!(answer["answers"][0]["may"], opened, "{purpose} {id}: {answer}");
        }
    }
}

#[test]
fn a_withdrawal_holds_for_the_very_next_question() {
    let (bench, by) = some();
    bench.choose(&by, "yes", "marketing_email", "withdrawn");
    assert_eq!(told(&ask_mails(&bench, &by, &["yes"]).is(200)), ["objected"]);
}

#[test]
fn of_those_who_share_an_address_one_who_said_no_is_heard() {
    let shared = POLICY.replacen("unique = true ", "unique = false ", 1);
    assert!(shared != POLICY);
    let bench = Bench::with_policy(&shared);
    let by = bench.service();
    bench.customer(&by, "yes");
    bench.choose(&by, "yes", "marketing_email", "granted");
    let other = json!({ "kind": "customer", "external_id": "other", "fields": { "name": "Bo", "email": "yes@shop.example" } });
    bench.post(&by, "/v1/records", &other).is(201);
    assert_eq!(told(&ask_mails(&bench, &by, &["yes"]).is(200)), ["yes"], "who is silent takes nothing away");
    bench.choose(&by, "other", "marketing_email", "refused");
    assert_eq!(told(&ask_mails(&bench, &by, &["yes"]).is(200)), ["objected"]);
}

#[test]
fn one_entry_stands_for_all_and_names_nobody() {
    let (bench, by) = some();
    let before = bench.entries().len();
    ask_mails(&bench, &by, &["yes", "no", "nobody"]).is(200);
    let entries = bench.entries();
    assert_eq!(entries.len(), before + 1);
    let entry = entries.last().unwrap();
    assert_eq!((entry.act, entry.outcome, entry.alias), (Act::AskedMay, Outcome::Yes, None));
    assert_eq!((entry.figure(Figure::Subjects), entry.figure(Figure::Allowed)), (Some(3), Some(1)));
    assert!(entry.purpose.is_some() && entry.parts.is_empty());
    // What was asked and answered is bound: another question has another commitment.
    ask_mails(&bench, &by, &["yes", "no", "somebody"]).is(200);
    assert_ne!(bench.entries().last().unwrap().commitment, entry.commitment);
}

#[test]
fn who_lacks_the_purpose_learns_nothing_and_it_is_entered() {
    let (bench, by) = some();
    let stranger = bench.service_for(&["delivery"]);
    ask_mails(&bench, &stranger, &["yes"]).problem(404, "SR-KEEP-001");
    let entries = bench.entries();
    let entry = entries.last().unwrap();
    assert_eq!((entry.act, entry.outcome), (Act::AskedMay, Outcome::No));
    let officer = bench.key(Role::Officer, &["marketing_email"]);
    assert_eq!(told(&ask_mails(&bench, &officer, &["yes"]).is(200)), ["yes"]);
    let sent = json!({ "external_ids": ["yes"], "recipient": "sf-express" });
    ask(&bench, &officer, &sent).problem(403, "SR-PEOPLE-003");
    let by_service = ask(&bench, &by, &sent).is(200);
    assert_eq!(told(&by_service), ["recipient_not_listed"]);
}

#[test]
fn a_batch_costs_as_many_persons_as_it_names_and_one_too_many_freezes() {
    let mut bench = Bench::with_policy(&policy("marketing_email", "5 subjects per hour, 8 per day"));
    let by = bench.service_for(&["marketing_email"]);
    // It could never be answered: that is a mistake, and tells nothing.
    let all = ["a", "b", "c", "d", "e", "f"];
    ask_mails(&bench, &by, &all).problem(422, "SR-REVEAL-019");
    ask_mails(&bench, &by, &all[..3]).is(200);
    bench.close();
    bench.open();
    ask_mails(&bench, &by, &all[..2]).is(200);
    bench.pass(HOUR + 120_000_000);
    ask_mails(&bench, &by, &all[..3]).is(200);
    ask_mails(&bench, &by, &all[..1]).problem(403, "SR-PEOPLE-009");
    ask_mails(&bench, &by, &all[..1]).problem(403, "SR-PEOPLE-009");
    assert_eq!(bench.count(Act::Frozen), 1);
    assert_eq!(bench.count(Act::AskedMay), 3, "of what was refused nothing is said");
}

#[test]
fn an_approval_lets_a_larger_batch_through_and_is_used_up() {
    let bench = Bench::with_policy(&policy("marketing_email", "2 subjects per hour"));
    let by = bench.service_for(&["marketing_email"]);
    let body = json!({ "credential": by.id(), "purpose": "marketing_email", "subjects": 4, "hours": 2, "reason": "mailing-7" });
    let asked = bench.post(&bench.admin, "/v1/approvals", &body).is(201);
    let officer = bench.key(Role::Officer, &[]);
    let approve = format!("/v1/approvals/{}:approve", asked["id"].as_str().unwrap());
    bench.post(&officer, &approve, &json!({})).is(200);
    ask_mails(&bench, &by, &["a", "b", "c", "d"]).is(200);
    assert!(bench.entries().last().unwrap().figure(Figure::Approval).is_some());
    ask_mails(&bench, &by, &["a", "b", "c"]).problem(422, "SR-REVEAL-019");
}

#[test]
fn what_is_no_question_is_told_where_and_enters_nothing() {
    let (bench, by) = some();
    let before = bench.entries().len();
    let many = vec!["a@shop.example"; 100_001];
    for (whom, code, pointer) in [
        (json!({}), "SR-REVEAL-022", Json::Null),
        (json!({ "field": "email" }), "SR-REVEAL-022", Json::Null),
        (json!({ "values": ["a"] }), "SR-REVEAL-022", Json::Null),
        (json!({ "field": "email", "values": ["a"], "ids": [] }), "SR-REVEAL-022", Json::Null),
        (json!({ "field": "email", "values": [] }), "SR-REVEAL-020", json!("/values")),
        (json!({ "field": "email", "values": many }), "SR-REVEAL-020", json!("/values")),
        (json!({ "ids": [] }), "SR-REVEAL-020", json!("/ids")),
        (json!({ "external_ids": [] }), "SR-REVEAL-020", json!("/external_ids")),
        (json!({ "field": "phone", "values": ["a"] }), "SR-REVEAL-023", json!("/field")),
        (json!({ "field": "dancing", "values": ["a"] }), "SR-REVEAL-023", json!("/field")),
        (
            json!({ "field": "email", "values": ["a", ["ann@shop.example"]] }),
            "SR-KEEP-014",
            json!("/values/1"),
        ),
        (json!({ "external_ids": ["a", { "b": 1 }] }), "SR-KEEP-014", json!("/external_ids/1")),
        (json!({ "ids": ["a", 3] }), "SR-HTTP-003", json!("/ids/1")),
        (json!({ "external_ids": ["a"], "kind": "dancing" }), "SR-KEEP-017", json!("/kind")),
        (json!({ "external_ids": ["a"], "recipient": "nobody" }), "SR-REVEAL-011", json!("/recipient")),
    ] {
        let problem = ask(&bench, &by, &whom).problem(422, code);
        assert_eq!(problem["pointer"], pointer, "{problem}");
        assert!(!problem.to_string().contains("ann@shop.example"));
    }
    assert_eq!(bench.entries().len(), before);
    let nested = format!("{{\"purpose\":\"marketing_email\",\"ids\":{}", "[".repeat(100_000));
    assert!(matches!(
        bench.post_bytes(&by, "/v1/choices:may", nested).is_a_problem()["status"].as_u64(),
        Some(400 | 422)
    ));
    let long = format!("{{\"purpose\":\"marketing_email\",\"ids\":[\"{}\"]}}", "a".repeat(9 << 20));
    bench.post_bytes(&by, "/v1/choices:may", long).problem(413, "SR-HTTP-001");
}

#[test]
fn a_thousand_and_more_are_answered_in_order_over_the_parts() {
    let bench = Bench::with_policy(&policy("marketing_email", "5000 subjects per hour"));
    let by = bench.service();
    for id in ["c-3", "c-511", "c-512", "c-1300"] {
        bench.customer(&by, id);
        bench.choose(&by, id, "marketing_email", "granted");
    }
    let ids: Vec<String> = (0..1_400).map(|number| format!("c-{number}")).collect();
    let answer = ask(&bench, &by, &json!({ "external_ids": ids })).is(200);
    let told = told(&answer);
    let allowed: Vec<usize> = (0..told.len()).filter(|place| told[*place] == "yes").collect();
    assert_eq!((told.len(), allowed), (1_400, vec![3, 511, 512, 1_300]));
}
