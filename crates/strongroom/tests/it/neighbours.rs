//! Two houses on one database: what one of them does, the other goes by.

#![cfg(test)]

use std::sync::Arc;

use axum::Router;
use ledger::entry::Act;
use serde_json::json;
use strongroom::config::LimitsConfig;
use strongroom::desk::Desk;
use strongroom::ground::{House, Role, heads};
use strongroom::{caretaker::Caretaker, neighbours};

use crate::support::{Bench, Key, POLICY, answer};

/// A bench on a server, and another house beside it. Nothing, when the run is for a folder.
struct Two {
    bench: Bench,
    other: Arc<House>,
    api: Router,
    _desk: Arc<Desk>,
}

impl Two {
    fn new() -> Option<Two> {
        Two::with_policy(POLICY)
    }

    fn with_policy(policy: &str) -> Option<Two> {
        let bench = Bench::with_policy(policy);
        let other = bench.another_house()?;
        let mut caretaker = Caretaker::start(Arc::clone(&other)).unwrap();
        caretaker.stop();
        let limits =
            LimitsConfig { requests_per_second: 0, anonymous_per_second: 0, ..LimitsConfig::default() };
        let desk = Desk::new(Arc::clone(&other), caretaker, &limits);
        Some(Two { bench, other, api: desk.api(), _desk: desk })
    }

    /// Asks the other house.
    fn ask(&self, key: &Key, path: &str, body: &serde_json::Value) -> crate::support::Reply {
        let request = key.posts(path).body(body.to_string().into()).unwrap();
        self.bench.block_on(answer(self.api.clone(), request))
    }

    fn reveal(&self, key: &Key, id: &str) -> crate::support::Reply {
        self.ask(key, "/v1/records:reveal", &ask_for(id))
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        self.other.close();
    }
}

fn ask_for(id: &str) -> serde_json::Value {
    json!({ "purpose": "account", "subject": { "external_id": id } })
}

#[test]
fn what_one_writes_the_other_reveals_changes_and_enters_in_the_same_log() {
    let Some(two) = Two::new() else { return };
    let service = two.bench.service();
    two.bench.customer(&service, "here");
    assert_eq!(two.reveal(&service, "here").is(200)["records"][0]["fields"]["name"], "Ann Lee");
    let there = json!({ "kind": "customer", "external_id": "there", "fields": { "name": "Bo Chen" } });
    two.ask(&service, "/v1/records", &there).is(201);
    let shown = two.bench.post(&service, "/v1/records:reveal", &ask_for("there")).is(200);
    assert_eq!(shown["records"][0]["fields"]["name"], "Bo Chen");
    let changed = json!({ "kind": "customer", "external_id": "here", "fields": { "name": "Ann Lee-Wong" } });
    two.ask(&service, "/v1/records", &changed).is(200);
    let shown = two.bench.post(&service, "/v1/records:reveal", &ask_for("here")).is(200);
    assert_eq!(shown["records"][0]["fields"]["name"], "Ann Lee-Wong");
    assert_eq!(two.bench.count(Act::Collected), 3);
}

#[test]
fn a_credential_made_by_one_is_known_to_the_other_and_one_that_is_revoked_or_frozen_does_nothing_there() {
    let Some(two) = Two::new() else { return };
    let service = two.bench.service();
    two.bench.customer(&service, "42");
    neighbours::keep_up(&two.other).unwrap();
    two.reveal(&service, "42").is(200);
    let path = format!("/v1/credentials/{}:freeze", service.id());
    two.bench.post(&two.bench.admin, &path, &json!({ "reason": "incident-17" })).is(200);
    assert_eq!(two.reveal(&service, "42").is(403)["code"], "SR-PEOPLE-009");
    let other = two.bench.service();
    two.bench.post(&two.bench.admin, &format!("/v1/credentials/{}:revoke", other.id()), &json!({})).is(200);
    two.reveal(&other, "42").is(401);
}

#[test]
fn a_policy_that_one_publishes_is_in_force_in_the_next_answer_of_the_other() {
    let Some(two) = Two::new() else { return };
    let service = two.bench.service();
    two.bench.customer(&service, "42");
    two.reveal(&service, "42").is(200);
    let next = POLICY.replace("To run your account", "To run the account that you have with us");
    assert_ne!(next, POLICY);
    crate::policy_change::publish(&two.bench, &next);
    two.reveal(&service, "42").is(200);
    assert_eq!(two.other.shops()[0].policy().version, 2);
    let entered = two.bench.entries();
    assert_eq!(entered.last().unwrap().policy, 2, "it is entered under the new one");
}

#[test]
fn whom_one_has_reached_counts_for_the_other() {
    let limited = crate::limits::policy("account", "3 per hour");
    let Some(two) = Two::with_policy(&limited) else { return };
    let service = two.bench.service();
    for id in ["1", "2", "3", "4", "5"] {
        two.bench.customer(&service, id);
    }
    neighbours::keep_up(&two.other).unwrap();
    two.bench.post(&service, "/v1/records:reveal", &ask_for("1")).is(200);
    two.reveal(&service, "2").is(200);
    two.bench.post(&service, "/v1/records:reveal", &ask_for("3")).is(200);
    assert_eq!(two.reveal(&service, "4").is(403)["code"], "SR-PEOPLE-009");
    two.bench.post(&service, "/v1/records:reveal", &ask_for("1")).is(403);
}

#[test]
fn who_was_erased_by_one_is_erased_for_the_other_and_both_name_their_keys_in_one_list() {
    let Some(mut two) = Two::new() else { return };
    let (service, officer) = (two.bench.service(), two.bench.key(Role::Officer, &[]));
    let (one, another) = (two.bench.customer(&service, "1"), two.bench.customer(&service, "2"));
    neighbours::keep_up(&two.other).unwrap();
    for id in ["1", "2"] {
        two.reveal(&service, id).is(200);
    }
    two.bench.post(&officer, &format!("/v1/subjects/{one}:erase"), &json!({})).is(200);
    assert_ne!(two.reveal(&service, "1").status, 200);
    two.ask(&officer, &format!("/v1/subjects/{another}:erase"), &json!({})).is(200);
    assert_ne!(two.bench.post(&service, "/v1/records:reveal", &ask_for("2")).status, 200);
    let destroyed = |house: &House| house.keys.list_lines().unwrap().len();
    assert!(destroyed(&two.other) >= 2);
    assert_eq!(destroyed(&two.other), destroyed(two.bench.house()));
    // Both lists are one, in which every line chains.
    two.bench.close();
    two.bench.open();
}

#[test]
fn an_epoch_that_one_begins_is_the_others_too_and_the_old_one_is_in_no_memory() {
    let Some(two) = Two::new() else { return };
    let service = two.bench.service();
    two.bench.customer(&service, "42");
    two.reveal(&service, "42").is(200);
    let epochs = |house: &House| {
        house.keys.with(|ring| ring.epochs.iter().map(|epoch| epoch.number).collect::<Vec<_>>())
    };
    strongroom::erase::rotate(two.bench.house(), None, |_| {}).unwrap();
    neighbours::keep_up(&two.other).unwrap();
    assert_eq!((epochs(two.bench.house()), epochs(&two.other)), (vec![2], vec![2]));
    two.reveal(&service, "42").is(200);
    let there = json!({ "kind": "customer", "external_id": "43", "fields": { "name": "Bo Chen" } });
    two.ask(&service, "/v1/records", &there).is(201);
    // The other begins one, and the first goes on.
    strongroom::erase::rotate(&two.other, None, |_| {}).unwrap();
    two.bench.post(&service, "/v1/records:reveal", &ask_for("43")).is(200);
    two.bench.customer(&service, "44");
    assert_eq!(epochs(two.bench.house()), [3]);
}

#[test]
fn a_shop_that_one_has_made_is_served_by_the_other() {
    let Some(two) = Two::new() else { return };
    let admin = two.bench.add_shop("hill-and-harbour");
    let list = || {
        two.bench.block_on(answer(
            two.api.clone(),
            admin
                .request(axum::http::Method::GET, "/v1/credentials")
                .body(axum::body::Body::empty())
                .unwrap(),
        ))
    };
    list().is(200);
    two.bench.post(&admin, "/v1/credentials", &json!({ "role": "auditor", "label": "of-a-test" })).is(201);
}

#[test]
fn one_of_them_does_what_one_does_for_all_and_hands_it_on_when_it_ends() {
    let Some(two) = Two::new() else { return };
    two.bench.round();
    assert!(two.bench.desk().doing.leads.load(std::sync::atomic::Ordering::Relaxed));
    let mut beside = Caretaker::start(Arc::clone(&two.other)).unwrap();
    beside.round().unwrap();
    assert!(!beside.doing().leads.load(std::sync::atomic::Ordering::Relaxed), "the first still does");
    two.bench.desk().caretaker.lock().unwrap().stop();
    beside.round().unwrap();
    assert!(beside.doing().leads.load(std::sync::atomic::Ordering::Relaxed));
    beside.stop();
}

#[test]
fn what_one_entered_last_is_signed_when_the_other_ends_and_when_it_ends_itself() {
    let Some(two) = Two::new() else { return };
    let service = two.bench.service();
    let mut leading = Caretaker::start(Arc::clone(two.bench.house())).unwrap();
    leading.round().unwrap();
    let mut beside = Caretaker::start(Arc::clone(&two.other)).unwrap();
    // The other one writes; gives what is entered and what is signed of it once this one has ended.
    let signed_after = |id: &str, ends: &mut Caretaker| {
        let body = json!({ "kind": "customer", "external_id": id, "fields": { "name": "Ann Lee" } });
        two.ask(&service, "/v1/records", &body).is(201);
        ends.stop();
        let log = two.bench.shop().log();
        let kept = heads::read_heads(&two.other.keys.read_heads().unwrap()).unwrap();
        let signed = kept.iter().find(|head| head.log == log).and_then(|head| heads::size_said(&head.note));
        (two.other.heads.find(log).unwrap().size, signed.unwrap())
    };
    let (entered, signed) = signed_after("C-1", &mut leading);
    assert_eq!(entered, signed, "the one that led ended");
    let (entered, signed) = signed_after("C-2", &mut beside);
    assert_eq!(entered, signed, "the one that never had to lead ended");
}
