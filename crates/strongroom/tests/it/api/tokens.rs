//! Tokens: random or from the value, for one recipient and field, dead with the subject's key.

use serde_json::{Value as Json, json};
use strongroom::ground::Role;

use crate::support::{Bench, Key, Reply};

fn with_order() -> (Bench, Key) {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    bench.order(&by, "42", "O-1");
    (bench, by)
}

fn make(bench: &Bench, by: &Key, more: &Json) -> Reply {
    let mut body = json!({ "purpose": "delivery", "record": { "kind": "order", "external_id": "O-1" }, "field": "phone" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bench.post(by, "/v1/tokens", &body)
}

fn resolve(bench: &Bench, by: &Key, token: &Json, more: &Json) -> Reply {
    let mut body = json!({ "purpose": "delivery", "token": token });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bench.post(by, "/v1/tokens:resolve", &body)
}

#[test]
fn a_token_resolves_for_its_purpose_and_recipient_and_for_no_other() {
    let (bench, by) = with_order();
    let courier = json!({ "recipient": "sf-express" });
    let token = make(&bench, &by, &courier).is(201)["token"].clone();
    assert!(token.as_str().unwrap().starts_with("tok_"));
    let shown = resolve(&bench, &by, &token, &courier).is(200);
    // Delivery sees the number masked, by whichever way it comes.
    assert_eq!(shown["records"][0]["fields"], json!({ "phone": "139****9000" }));
    resolve(&bench, &by, &token, &json!({})).problem(404, "SR-KEEP-001");
    resolve(&bench, &by, &token, &json!({ "recipient": "harbour-pay" })).problem(404, "SR-KEEP-001");
    resolve(&bench, &by, &token, &json!({ "recipient": "nobody" })).problem(422, "SR-REVEAL-011");
    resolve(&bench, &by, &token, &json!({ "recipient": "sf-express", "purpose": "after_sales" }))
        .problem(403, "SR-REVEAL-001");
    resolve(&bench, &bench.service_for(&["account"]), &token, &courier).problem(404, "SR-KEEP-001");
}

#[test]
fn random_tokens_differ_and_tokens_from_the_value_do_not() {
    let (bench, by) = with_order();
    let random = json!({ "purpose": "after_sales" });
    assert_ne!(make(&bench, &by, &random).is(201)["token"], make(&bench, &by, &random).is(201)["token"]);
    let from_value = json!({ "purpose": "after_sales", "made": "from_value" });
    let token = make(&bench, &by, &from_value).is(201)["token"].clone();
    assert_eq!(make(&bench, &by, &from_value).is(201)["token"], token);
    let shown = resolve(&bench, &by, &token, &json!({ "purpose": "after_sales" })).is(200);
    assert_eq!(shown["records"][0]["fields"]["phone"], "+8613900139000");
    // Another field, and another subject's same value, are other tokens.
    let name = json!({ "purpose": "after_sales", "made": "from_value", "field": "recipient_name" });
    assert_ne!(make(&bench, &by, &name).is(201)["token"], token);
    bench.customer(&by, "43");
    bench.order(&by, "43", "O-2");
    let other = json!({ "purpose": "after_sales", "made": "from_value", "record": { "kind": "order", "external_id": "O-2" } });
    assert_ne!(make(&bench, &by, &other).is(201)["token"], token);
}

#[test]
fn a_token_from_a_value_that_changed_is_gone() {
    let (bench, by) = with_order();
    let token =
        make(&bench, &by, &json!({ "purpose": "after_sales", "made": "from_value" })).is(201)["token"]
            .clone();
    let changed = json!({ "kind": "order", "external_id": "O-1", "fields": { "phone": "13700137000" } });
    bench.post(&by, "/v1/records", &changed).is(200);
    resolve(&bench, &by, &token, &json!({ "purpose": "after_sales" })).problem(410, "SR-REVEAL-007");
}

#[test]
fn a_share_takes_a_recipient_of_the_purpose_with_an_agreement_in_force() {
    let (bench, by) = with_order();
    let reasons = |reply: Reply| reply.problem(403, "SR-REVEAL-001")["reasons"][0]["name"].clone();
    let pay = json!({ "recipient": "harbour-pay" });
    assert_eq!(reasons(make(&bench, &by, &pay)), "recipient_not_listed");
    let courier = json!({ "recipient": "sf-express" });
    let token = make(&bench, &by, &courier).is(201)["token"].clone();
    // The agreement with the courier ends on 1 March 2027.
    bench.pass(crate::support::at("2027-03-01T16:00:00Z") - bench.now());
    assert_eq!(reasons(make(&bench, &by, &courier)), "agreement_ended");
    assert_eq!(reasons(resolve(&bench, &by, &token, &courier)), "agreement_ended");
}

#[test]
fn a_token_is_dead_with_the_subjects_key_before_anything_is_cleaned_up() {
    let (bench, by) = with_order();
    let tokens: Vec<Json> = ["random", "from_value"]
        .iter()
        .map(|made| {
            make(&bench, &by, &json!({ "purpose": "after_sales", "made": made })).is(201)["token"].clone()
        })
        .collect();
    let subject = bench
        .post(&by, "/v1/subjects:find", &json!({ "subject": { "external_id": "42" } }))
        .is(200)["subject"]
        .clone();
    let officer = bench.key(Role::Officer, &[]);
    bench.post(&officer, &format!("/v1/subjects/{}:erase", subject.as_str().unwrap()), &json!({})).is(200);
    for token in &tokens {
        let dead =
            resolve(&bench, &by, token, &json!({ "purpose": "after_sales" })).problem(403, "SR-REVEAL-001");
        assert_eq!(dead["reasons"][0]["name"], "erased");
    }
    bench.round();
    for token in &tokens {
        resolve(&bench, &by, token, &json!({ "purpose": "after_sales" })).problem(404, "SR-KEEP-001");
    }
}

#[test]
fn what_is_not_a_token_is_not_found() {
    let (bench, by) = with_order();
    for token in ["", "tok_", "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa", "tok_!!", "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        resolve(&bench, &by, &json!(token), &json!({})).problem(404, "SR-KEEP-001");
    }
    make(&bench, &by, &json!({ "field": "beard" })).problem(422, "SR-REVEAL-008");
    make(&bench, &by, &json!({ "made": "by_hand" })).problem(422, "SR-HTTP-003");
}
