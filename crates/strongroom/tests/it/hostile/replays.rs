//! What was said once is said again: by somebody else, as something else, after it has ceased to hold.

use serde_json::json;
use strongroom::ground::Role;

use crate::support::Bench;

#[test]
fn a_request_that_is_sent_again_after_an_erasure_brings_nobody_back() {
    let bench = Bench::new();
    let (by, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let body = json!({ "kind": "customer", "external_id": "42", "fields": { "name": "Ann Lee", "email": "42@shop.example" } });
    let first = bench.post_once(&by, "k-1", "/v1/records", &body).is(201);
    let subject = first["subject"].as_str().unwrap().to_owned();
    bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
    bench.round();
    let entries = bench.entries().len();
    // The answer of then: ids, and nothing of the person. Nothing is done.
    let again = bench.post_once(&by, "k-1", "/v1/records", &body);
    assert_eq!(again.is(201), first);
    for value in ["Ann", "42@"] {
        assert!(!again.text().contains(value));
    }
    assert_eq!(bench.entries().len(), entries);
    let find = json!({ "subject": { "external_id": "42" } });
    bench.post(&by, "/v1/subjects:find", &find).problem(404, "SR-KEEP-001");
    // Under a new key it is a new person, under new keys.
    let anew = bench.post_once(&by, "k-2", "/v1/records", &body).is(201);
    assert_ne!(anew["subject"], first["subject"]);
    // The key of then stands for what was then, and so for nothing else.
    let other = json!({ "kind": "customer", "external_id": "42", "fields": { "name": "Bea" } });
    bench.post_once(&by, "k-1", "/v1/records", &other).problem(422, "SR-HTTP-008");
}

#[test]
fn a_repeated_key_holds_for_its_route_its_bytes_and_its_credential() {
    let bench = Bench::new();
    let (by, other) = (bench.service(), bench.key(Role::Intake, &[]));
    bench.customer(&by, "42");
    bench.order(&by, "42", "O-1");
    let event = json!({ "record": { "kind": "order", "external_id": "O-1" }, "event": "placed", "at": "2026-11-22T00:00:00Z" });
    bench.post_once(&by, "k-1", "/v1/records:event", &event).is(200);
    // The same bytes to another route; other bytes of the same meaning.
    bench.post_once(&by, "k-1", "/v1/records", &event).is_a_problem();
    let spaced = event.to_string().replacen(':', ": ", 1);
    let request = by.posts("/v1/records:event").header("idempotency-key", "k-1");
    bench.send(request.body(spaced.into()).unwrap()).problem(422, "SR-HTTP-008");
    // Another credential is told nothing of what the first one did: its request is done.
    let before = bench.entries().len();
    let later = json!({ "record": { "kind": "order", "external_id": "O-1" }, "event": "placed", "at": "2026-11-22T01:00:00Z" });
    bench.post_once(&other, "k-1", "/v1/records:event", &later).is(200);
    assert_eq!(bench.entries().len(), before + 1);
    // A credential that was revoked is not told what it once was.
    bench.post(&bench.admin, &format!("/v1/credentials/{}:revoke", by.id()), &json!({})).is(200);
    bench.post_once(&by, "k-1", "/v1/records:event", &event).problem(401, "SR-PEOPLE-001");
}

#[test]
fn a_receipt_proves_its_own_log_its_own_facts_and_nothing_that_came_later() {
    let bench = Bench::new();
    let (by, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let subject = bench.customer(&by, "42");
    let kept = bench.choose(&by, "42", "marketing_email", "granted");
    let text = kept["receipt"].to_string();
    let receipt = ledger::receipt::Receipt::from_json(&text).unwrap();
    let verifier = ledger::note::Verifier::parse(&bench.verifier).unwrap();
    let origin = "strongroom/harbour-hill";
    receipt.verify(&verifier, origin).unwrap();
    // As that of another shop of this house.
    let other_admin = bench.add_shop("other-shop");
    let head = bench.get(&other_admin, "/v1/ledger/checkpoint").is(200);
    let other = ledger::note::Verifier::parse(head["verifier_key"].as_str().unwrap()).unwrap();
    assert!(receipt.verify(&other, "strongroom/other-shop").is_err());
    assert!(receipt.verify(&verifier, "strongroom/other-shop").is_err());
    // With another's facts, another's entry, another place.
    bench.customer(&by, "43");
    let second = bench.choose(&by, "43", "marketing_email", "granted")["receipt"].clone();
    for part in ["entry", "opening", "salt", "entry_index", "proof"] {
        let mut mixed = kept["receipt"].clone();
        mixed[part] = second[part].clone();
        let mixed = ledger::receipt::Receipt::from_json(&mixed.to_string()).unwrap();
        assert!(mixed.verify(&verifier, origin).is_err(), "{part}");
    }
    // It outlives the person, and opens nothing: the gate never asks for one.
    bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
    receipt.verify(&verifier, origin).unwrap();
    let ask = json!({ "purpose": "account", "subject": { "id": subject } });
    bench.post(&by, "/v1/records:reveal", &ask).is_a_problem();
    let withdrawn = bench.post(
        &by,
        "/v1/choices",
        &json!({
            "subject": { "id": subject }, "purpose": "marketing_email", "choice": "granted",
            "notice": { "version": 1, "language": "zh" },
        }),
    );
    assert!((400..500).contains(&withdrawn.status), "{}", withdrawn.text());
}
