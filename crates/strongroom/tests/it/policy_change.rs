//! A new policy over data that is kept already: counted before, laid out again behind, and asked for anew where a yes is void.

use ledger::entry::Act;
use serde_json::json;
use strongroom::erase::{Preview, preview};
use strongroom::ground::Role;
use strongroom::ground::clock::{DAY, HOUR};
use strongroom::open;

use crate::support::{Bench, Key, checked};

const POLICY: &str = include_str!("../../../../examples/harbour-hill/shop.toml");

/// The policy with one part put in the place of another.
fn changed(from: &str, to: &str) -> String {
    assert!(POLICY.contains(from), "{from}");
    POLICY.replacen(from, to, 1)
}

fn count(bench: &Bench, policy: &str) -> Preview {
    let next = open::would_be(&checked(policy), &bench.shop(), bench.now()).unwrap();
    preview(bench.house(), &bench.shop(), next, |_, _| {}).unwrap()
}

fn publish(bench: &Bench, policy: &str) {
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": policy })).is(201);
}

/// A customer with a delivered order.
fn scene() -> (Bench, Key) {
    let bench = Bench::new();
    let service = bench.service();
    bench.customer(&service, "42");
    bench.order(&service, "42", "O-1");
    bench.event(&service, "O-1", "delivered");
    bench.event(&service, "O-1", "completed");
    (bench, service)
}

#[test]
fn a_policy_that_changes_nothing_counts_nothing() {
    let (bench, _) = scene();
    let counted = count(&bench, POLICY);
    assert_eq!(counted, Preview { records: 2, ..Preview::default() });
}

#[test]
fn what_no_purpose_keeps_any_more_is_counted_before_and_goes_after_it_is_published() {
    let (bench, service) = scene();
    let contract = "basis = \"contract\"\nsays = { zh = \"处理您的付款和退款\"";
    let policy = changed(contract, &contract.replace("contract", "consent"));
    let policy = policy.replacen(
        "keep = \"180d after order.completed\"\nat_most = \"2y after collected\"\n",
        "keep = \"until withdrawn\"\n",
        1,
    );
    let counted = count(&bench, &policy);
    assert_eq!(counted.fields_go.iter().collect::<Vec<_>>(), [(&"order.payment_reference".to_owned(), &1)]);
    assert_eq!((counted.records, counted.go), (2, 0));
    let asked = json!({ "subject": { "external_id": "42" } });
    let fields = |bench: &Bench| {
        let officer = bench.key(Role::Officer, &[]);
        let found = bench.post(&officer, "/v1/subjects:find", &asked).is(200);
        found["records"].as_array().unwrap().iter().find(|record| record["kind"] == "order").unwrap()["fields"].clone()
    };
    assert!(fields(&bench).as_array().unwrap().contains(&json!("payment_reference")));
    publish(&bench, &policy);
    bench.round();
    assert!(!fields(&bench).as_array().unwrap().contains(&json!("payment_reference")), "laid out again");
    let asked = json!({ "purpose": "tax", "record": { "kind": "order", "external_id": "O-1" } });
    let shown = bench.post(&service, "/v1/records:reveal", &asked).is(200);
    assert_eq!(shown["records"][0]["fields"]["amount"], "128.5", "what another purpose keeps is still there");
}

#[test]
fn a_longer_retention_is_counted_and_keeps_what_the_old_one_would_have_ended() {
    let (bench, service) = scene();
    let policy = changed(
        "keep = \"1y after order.completed\"\nat_most = \"2y after collected\"",
        "keep = \"3y after order.completed\"\nat_most = \"4y after collected\"",
    );
    let counted = count(&bench, &policy);
    assert!(counted.new_terms >= 1, "{counted:?}");
    publish(&bench, &policy);
    bench.round();
    for _ in 0..14 {
        bench.pass(29 * DAY);
        // Somebody is there all the time: a month of silence would put the clock in doubt at the next start.
        bench
            .post(
                &service,
                "/v1/records:reveal",
                &json!({ "purpose": "after_sales", "record": { "kind": "order", "external_id": "O-1" } }),
            )
            .is(200);
        bench.round();
    }
    let asked = json!({ "purpose": "after_sales", "record": { "kind": "order", "external_id": "O-1" } });
    let shown = bench.post(&service, "/v1/records:reveal", &asked).is(200);
    assert_eq!(shown["records"][0]["fields"]["items"], "Longjing 100 g", "thirteen months later");
}

#[test]
fn a_yes_to_a_notice_that_was_replaced_by_one_that_asks_for_more_does_not_hold() {
    let (bench, service) = scene();
    bench.choose(&service, "42", "marketing_email", "granted");
    let policy = changed(
        "fields = [\"email\"]\nkeep = \"until withdrawn\"",
        "fields = [\"email\", \"name\"]\nkeep = \"until withdrawn\"",
    );
    let counted = count(&bench, &policy);
    assert_eq!(counted.choices_void.get("marketing_email"), Some(&1));
    publish(&bench, &policy);
    let asked = json!({ "purpose": "marketing_email", "subject": { "external_id": "42" } });
    bench.post(&service, "/v1/records:reveal", &asked).problem(403, "SR-REVEAL-001");
    let yes = |version: u32| {
        json!({
            "subject": { "external_id": "42" }, "purpose": "marketing_email", "choice": "granted",
            "notice": { "version": version, "language": "zh" },
        })
    };
    bench.post(&service, "/v1/choices", &yes(1)).problem(422, "SR-CHOOSE-007");
    bench.post(&service, "/v1/records:reveal", &asked).problem(403, "SR-REVEAL-001");
    bench.post(&service, "/v1/choices", &yes(2)).is(201);
    bench.post(&service, "/v1/records:reveal", &asked).is(200);
}

#[test]
fn a_withdrawal_stands_over_a_yes_whose_clock_runs_ahead() {
    let (bench, service) = scene();
    let ahead = strongroom::ground::clock::instant(bench.now() + 4 * strongroom::ground::clock::MINUTE);
    let body = json!({
        "subject": { "external_id": "42" }, "purpose": "marketing_email", "choice": "granted", "at": ahead,
        "notice": { "version": 1, "language": "zh" },
    });
    bench.post(&service, "/v1/choices", &body).is(201);
    bench.pass(strongroom::ground::clock::MINUTE);
    bench.choose(&service, "42", "marketing_email", "withdrawn");
    let asked = json!({ "purpose": "marketing_email", "subject": { "external_id": "42" } });
    bench.post(&service, "/v1/records:reveal", &asked).problem(403, "SR-REVEAL-001");
}

#[test]
fn a_doubt_about_the_clock_outlives_entries_and_a_restart() {
    let (mut bench, service) = scene();
    bench.close();
    bench.clock.set_wall(bench.now() + 3 * 365 * DAY);
    bench.open();
    assert!(bench.house().watch.in_doubt());
    let asked = json!({ "purpose": "account", "subject": { "external_id": "42" } });
    bench.post(&service, "/v1/records:reveal", &asked);
    bench.close();
    bench.open();
    assert!(bench.house().watch.in_doubt(), "an entry made in doubt does not make the clock right");
    bench.house().watch.settle(bench.clock.as_ref());
}

#[test]
fn a_clock_that_was_ahead_for_a_while_ends_nothing_early_once_it_is_put_right() {
    let (bench, service) = scene();
    let right = bench.now();
    bench.clock.set_wall(right + 365 * DAY);
    bench.round();
    let asked = json!({ "purpose": "after_sales", "record": { "kind": "order", "external_id": "O-1" } });
    bench.post(&service, "/v1/records:reveal", &asked);
    bench.clock.set_wall(right + HOUR);
    bench.house().watch.settle(bench.clock.as_ref());
    bench.round();
    assert_eq!(bench.count(Act::Expired), 0);
    bench.post(&service, "/v1/records:reveal", &asked).is(200);
}

#[test]
fn an_epoch_that_could_not_be_written_is_not_used() {
    let (bench, service) = scene();
    let in_the_way = bench.places.keys.join("keyring.new");
    std::fs::create_dir(&in_the_way).unwrap();
    let caretaker = || bench.desk().caretaker.lock().unwrap().rotate(|_| {});
    caretaker().unwrap_err();
    caretaker().unwrap_err();
    assert_eq!(bench.house().keys.with(|ring| ring.epochs.len()), 1);
    std::fs::remove_dir(&in_the_way).unwrap();
    caretaker().unwrap();
    let asked = json!({ "purpose": "account", "subject": { "external_id": "42" } });
    bench.post(&service, "/v1/records:reveal", &asked).is(200);
    let _ = bench.key(Role::Auditor, &[]);
}

#[test]
fn a_job_that_fails_again_and_again_is_shown() {
    let (mut bench, _) = scene();
    let (shop, now) = (bench.shop().column(), bench.now());
    let ready = |bench: &Bench| bench.get_as_stranger("/health/ready").is(200)["attention"].clone();
    let added = bench.house().store.work_blocking::<_, strongroom::ground::Problem, _>(
        store::Lane::High,
        move |tx| {
            tx.housekeeping();
            Ok(tx.add_job(shop, "of-a-newer-release", 0, now)?)
        },
    );
    added.unwrap();
    assert_eq!(ready(&bench), json!([]));
    for _ in 0..8 {
        bench.pass(5 * strongroom::ground::clock::MINUTE);
        bench.round();
    }
    assert_eq!(ready(&bench), json!(["jobs_stuck"]));
    bench.is_broken_on_purpose();
}
