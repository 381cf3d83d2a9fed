//! A new policy over data that is kept already: counted before, laid out again behind, and asked for anew where a yes is void.

use std::time::{Duration, Instant};

use ledger::entry::Act;
use serde_json::json;
use strongroom::erase::{Effect, Preview, parts_of, preview};
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
    let (before, after) = (checked(POLICY), checked(policy));
    let next = open::would_be(&after, &bench.shop(), bench.now()).unwrap();
    let changes = policy::diff(&before.policy, &after.policy);
    let parts = parts_of(&changes, (&before.policy, &after.policy), &next.registry).unwrap();
    preview(bench.house(), &bench.shop(), next, parts, |_, _| {}).unwrap()
}

pub(crate) fn publish(bench: &Bench, policy: &str) {
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
fn a_job_that_a_clock_dated_which_was_ahead_is_done_once_the_clock_is_right() {
    let (mut bench, service) = scene();
    bench.round();
    let right = bench.now();
    // Ahead by less than a month, and from the start: nobody can know.
    bench.close();
    bench.clock.set_wall(right + 20 * DAY);
    bench.open();
    assert!(!bench.house().watch.in_doubt());
    bench.choose(&service, "42", "marketing_email", "granted");
    bench.clock.set_wall(right + HOUR);
    bench.house().watch.settle(bench.clock.as_ref());
    let waiting = || bench.house().store.look_blocking(|view| view.jobs(10)).unwrap();
    assert!(waiting().iter().any(|job: &store::Waiting| job.due_at > bench.now() + 19 * DAY));
    bench.round();
    assert_eq!(waiting(), []);
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
        0,
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

#[test]
fn each_change_is_counted_by_itself() {
    let (bench, service) = scene();
    bench.customer(&service, "43");
    bench.choose(&service, "42", "marketing_email", "granted");
    let policy = changed(
        "fields = [\"email\"]\nkeep = \"until withdrawn\"",
        "fields = [\"email\", \"name\"]\nkeep = \"until withdrawn\"",
    );
    let policy =
        policy.replacen("keep = \"180d after order.completed\"", "keep = \"30d after order.completed\"", 1);
    let changes = policy::diff(&checked(POLICY).policy, &checked(&policy).policy);
    let counted = count(&bench, &policy);
    let of = |about: &str| {
        let place = changes.iter().position(|change| change.about == about).unwrap();
        counted.changes[place].clone()
    };
    assert_eq!((changes.len(), counted.changes.len()), (2, 2), "{changes:?}");
    // Payment ends sooner; what it shares with others stays for those. The one record has one field that only it uses.
    let payment = Effect { records: 1, terms: 2, ..Effect::default() };
    assert_eq!(of("purpose.payment"), payment, "from the one retention end to another");
    // The name was to go with the account; it would stay open-ended with the letters, if the yes still stood. It does not, so
    // the e-mail address goes back to the account's end.
    let letters = of("purpose.marketing_email");
    assert_eq!((letters.records, letters.choices), (2, 1), "{letters:?}");
    assert_eq!(counted.choices_void.get("marketing_email"), Some(&1));
    assert!(counted.terms >= 2, "{counted:?}");
}

#[test]
fn a_purpose_that_goes_is_counted_with_what_it_takes_along() {
    let (bench, service) = scene();
    bench.choose(&service, "42", "marketing_email", "granted");
    let from = POLICY.find("[purpose.marketing_email]").unwrap();
    let to = POLICY[from..].find("[purpose.recommendations]").unwrap() + from;
    let policy = POLICY
        .replacen(&POLICY[from..to], "", 1)
        .replace("\"marketing_email\", ", "")
        .replace(", \"marketing_email\"", "");
    let changes = policy::diff(&checked(POLICY).policy, &checked(&policy).policy);
    let place = changes.iter().position(|change| change.about == "purpose.marketing_email").unwrap();
    let gone = count(&bench, &policy).changes[place].clone();
    assert_eq!((gone.records, gone.choices), (1, 1), "{gone:?}");
}

#[test]
fn a_policy_that_does_not_follow_the_one_in_force_is_not_published() {
    let (bench, _) = scene();
    let longer = changed("keep = \"1y after order.completed\"", "keep = \"13mo after order.completed\"");
    let body = |text: &str, follows: u32| json!({ "text": text, "follows": follows });
    bench.post(&bench.admin, "/v1/policies", &body(&longer, 1)).is(201);
    bench.post(&bench.admin, "/v1/policies", &body(POLICY, 1)).problem(409, "SR-NOTICE-006");
    assert_eq!(bench.shop().policy().version, 2);
    bench.post(&bench.admin, "/v1/policies", &body(POLICY, 2)).is(201);
}

#[test]
fn a_shorter_keep_ends_what_was_collected_before_at_its_new_end_and_destroys_its_key() {
    let (bench, service) = scene();
    let collected = bench.now();
    let reveal = |bench: &Bench| {
        let asked = json!({ "purpose": "payment", "record": { "kind": "order", "external_id": "O-1" }, "fields": ["payment_reference"] });
        bench.post(&service, "/v1/records:reveal", &asked).status
    };
    bench.pass(10 * DAY);
    let policy = changed(
        "keep = \"180d after order.completed\"\nat_most = \"2y after collected\"",
        "keep = \"30d after order.completed\"\nat_most = \"2y after collected\"",
    );
    publish(&bench, &policy);
    bench.round();
    bench.pass(collected + 30 * DAY - 1 - bench.now());
    assert_eq!(reveal(&bench), 200, "until its new end");
    bench.pass(HOUR);
    assert_eq!(reveal(&bench), 403, "from its new end on");
    let before = bench.count(Act::Expired);
    // The Monday behind it: the key is destroyed, and no copy of the row opens any more.
    let monday = crate::support::at("2026-12-28T00:00:00Z");
    bench.pass(monday + HOUR - bench.now());
    bench.round();
    assert_eq!(bench.count(Act::Expired), before + 1);
    let officer = bench.key(Role::Officer, &[]);
    let found =
        bench.post(&officer, "/v1/subjects:find", &json!({ "subject": { "external_id": "42" } })).is(200);
    let order =
        found["records"].as_array().unwrap().iter().find(|record| record["kind"] == "order").unwrap().clone();
    assert!(!order["fields"].as_array().unwrap().contains(&json!("payment_reference")), "{order}");
    assert!(
        order["fields"].as_array().unwrap().contains(&json!("amount")),
        "what others keep stays: {order}"
    );
}

/// Asks for something just when a policy is published: while the writer is held, both wait for the same transaction, the
/// publication first.
fn behind_a_publication<T: Send>(bench: &Bench, policy: &str, ask: impl FnOnce() -> T + Send) -> T {
    let (lets_go, wait) = std::sync::mpsc::channel::<()>();
    let (began, begun) = std::sync::mpsc::channel();
    drop(bench.house().store.work(1, store::Lane::High, move |_: &mut store::Tx<'_>| {
        let _ = began.send(());
        let _ = wait.recv();
        Ok::<_, strongroom::ground::Problem>(())
    }));
    begun.recv().unwrap();
    let waiting = |count: usize| {
        let began = Instant::now();
        while bench.house().store.waiting() < count {
            assert!(began.elapsed() < Duration::from_mins(1), "it was never asked");
            std::thread::yield_now();
        }
    };
    let before = bench.house().store.waiting();
    std::thread::scope(|scope| {
        let publishing = scope.spawn(|| publish(bench, policy));
        waiting(before + 1);
        let asking = scope.spawn(ask);
        waiting(before + 2);
        lets_go.send(()).unwrap();
        publishing.join().unwrap();
        asking.join().unwrap()
    })
}

#[test]
fn what_comes_in_just_when_a_policy_is_published_is_taken_by_the_new_one() {
    if crate::engine::only_of_one("a commit: the other house is not behind this one's") {
        return;
    }
    let order = |id: &str| {
        json!({
            "kind": "order", "external_id": id, "subject": { "external_id": "42" },
            "fields": { "items": "tea", "tax_number": "110101199003070015" },
        })
    };
    let event = json!({ "record": { "kind": "order", "external_id": "O-1" }, "event": "delivered" });
    // The new policy has no purpose for the tax number.
    let policy = changed(", { field = \"tax_number\", optional = true }", "");
    for (path, body) in [
        ("/v1/records", order("O-2")),
        ("/v1/records:batch", json!({ "items": [order("O-2"), order("O-3")] })),
        ("/v1/records:event", event),
    ] {
        let (bench, service) = scene();
        let answer = behind_a_publication(&bench, &policy, || bench.post(&service, path, &body));
        assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text());
        let answer = answer.json();
        let taken =
            answer["results"].as_array().cloned().unwrap_or_else(|| vec![json!({ "record": answer })]);
        for item in taken {
            let kept = item["record"]["kept"].as_array().unwrap_or_else(|| panic!("{path}: {item}"));
            assert!(!kept.contains(&json!("tax_number")), "{path}: {item}");
        }
    }
}

#[test]
fn whoever_comes_behind_a_publication_in_the_same_commit_goes_by_the_new_policy() {
    if crate::engine::only_of_one("a commit: the other house is not behind this one's") {
        return;
    }
    let (bench, service) = scene();
    let policy = changed("\"address\", { field = \"order.phone\", as = \"masked\" }", "\"address\"");
    let asked = json!({ "purpose": "delivery", "record": { "kind": "order", "external_id": "O-1" } });
    let shown =
        behind_a_publication(&bench, &policy, || bench.post(&service, "/v1/records:reveal", &asked).is(200));
    assert_eq!(shown["records"][0]["fields"].get("phone"), None, "{shown}");
    let entries = bench.entries();
    let published = entries.iter().rposition(|entry| entry.act == Act::Published).unwrap();
    let behind: Vec<u32> = entries[published..].iter().map(|entry| entry.policy).collect();
    assert_eq!(behind, [2, 2], "nothing behind a publication goes by the old version");
}
