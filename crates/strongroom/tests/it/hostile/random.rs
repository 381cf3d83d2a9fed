//! Random bodies, in the shape of good ones and in none: never a fault of ours.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use strongroom::ground::Role;

use crate::support::{Bench, Key};

/// Routes with bodies that they take, to be spoilt.
fn good() -> Vec<(&'static str, Json)> {
    let order = json!({ "kind": "order", "external_id": "O-1" });
    let notice = json!({ "version": 1, "language": "zh" });
    let customer = json!({ "kind": "customer", "external_id": "42", "fields": { "name": "Ann", "email": "a@b.example", "phone": "13812345678" },
        "events": { "active": "2026-11-22T00:00:00Z" }, "if_version": 3,
        "choices": [{ "purpose": "marketing_email", "choice": "granted", "notice": notice, "at": "2026-11-22T00:00:00Z" }] });
    let sold = json!({ "kind": "order", "external_id": "O-2", "subject": { "external_id": "42" },
        "fields": { "amount": "12.5", "items": "tea", "phone": "13900139000" } });
    vec![
        ("/v1/records", customer.clone()),
        ("/v1/records", sold.clone()),
        ("/v1/records:batch", json!({ "items": [customer, sold] })),
        ("/v1/records:event", json!({ "record": order, "event": "placed", "at": "2026-11-23T02:00:00Z" })),
        (
            "/v1/choices",
            json!({ "subject": { "match": { "phone": "13812345678" } }, "purpose": "marketing_email", "choice": "refused", "notice": notice }),
        ),
        (
            "/v1/records:reveal",
            json!({ "purpose": "delivery", "record": order, "kinds": ["order"], "fields": ["order.phone"], "masked": true, "limit": 1 }),
        ),
        (
            "/v1/records:reveal",
            json!({ "purpose": "account", "subject": { "external_id": "42", "kind": "customer" } }),
        ),
        (
            "/v1/records:search",
            json!({ "purpose": "account", "field": "phone", "value": "13812345678", "limit": 1 }),
        ),
        ("/v1/subjects:find", json!({ "subject": { "external_id": "42" } })),
        (
            "/v1/tokens",
            json!({ "purpose": "after_sales", "record": order, "field": "phone", "recipient": null, "made": "from_value" }),
        ),
        (
            "/v1/tokens:resolve",
            json!({ "purpose": "after_sales", "token": "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa" }),
        ),
        ("/v1/subjects/sub_aaaaaaaaaaaaaaaaaaaaaaaaaa:erase", json!({})),
        ("/v1/policies", json!({ "text": crate::support::POLICY })),
        (
            "/v1/credentials",
            json!({ "role": "service", "label": "x", "purposes": ["delivery"], "on_behalf_of": false }),
        ),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[a-z_:.-]{0,12}",
        "[0-9+ ()-]{0,20}",
        Just("2026-02-30T25:61:61Z".to_owned()),
        Just("-9999-01-01T00:00:00Z".to_owned()),
        Just("9999-12-31T23:59:59.999999999Z".to_owned()),
        Just("\u{0}\u{1f}\u{7f}\u{202e}\u{feff}\u{fffd}".to_owned()),
        Just("ﷺ".repeat(200)),
        Just("a".repeat(20_000)),
        Just("1e400".to_owned()),
    ]
}

fn leaf() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        text().prop_map(Json::from),
    ]
}

fn value() -> impl Strategy<Value = Json> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Every place in a document, as pointers.
fn places(value: &Json, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Json::Object(map) => map.iter().for_each(|(key, value)| {
            places(value, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), all);
        }),
        Json::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| places(value, &format!("{here}/{at}"), all));
        }
        _ => {}
    }
}

fn spoilt() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let good = good();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), value()), 0..3);
    let bytes = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
    (0..good.len(), changes, bytes).prop_map(move |(which, changes, byte)| {
        let (path, mut body) = good[which].clone();
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&body, "", &mut all);
            *body.pointer_mut(&all[place.index(all.len())]).unwrap() = value;
        }
        let mut bytes = body.to_string().into_bytes();
        if let Some((at, byte)) = byte {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        (path, bytes)
    })
}

struct Callers {
    bench: Bench,
    service: Key,
    officer: Key,
}

impl Callers {
    fn new() -> Callers {
        let bench = Bench::new();
        let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
        bench.customer(&service, "42");
        bench.order(&service, "42", "O-1");
        Callers { bench, service, officer }
    }

    fn ask(&self, path: &str, body: Vec<u8>) -> Result<(), TestCaseError> {
        let key = match path {
            "/v1/policies" | "/v1/credentials" => &self.bench.admin,
            path if path.ends_with(":erase") => &self.officer,
            _ => &self.service,
        };
        let shown = String::from_utf8_lossy(&body).into_owned();
        let reply = self.bench.post_bytes(key, path, body);
        prop_assert!(reply.status < 500, "{path} {shown}: {}", reply.text());
        if reply.status >= 400 {
            reply.is_a_problem();
        }
        if path.ends_with(":batch") && reply.status == 200 {
            for item in reply.json()["results"].as_array().unwrap() {
                prop_assert!(item["status"].as_u64().unwrap() < 500, "{shown}: {item}");
            }
        }
        Ok(())
    }
}

fn run<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    if let Err(error) = runner.run(&strategy, test) {
        panic!("{error}");
    }
}

#[test]
fn good_bodies_spoilt_anywhere_are_never_a_fault_of_ours() {
    let callers = Callers::new();
    run(600, spoilt(), |(path, body)| callers.ask(path, body));
    callers.bench.round();
}

#[test]
fn random_json_to_any_route_is_never_a_fault_of_ours() {
    let callers = Callers::new();
    let paths: Vec<&'static str> = good().into_iter().map(|(path, _)| path).collect();
    run(300, (prop::sample::select(paths), value()), |(path, body)| {
        callers.ask(path, body.to_string().into_bytes())
    });
    callers.bench.round();
}

#[test]
fn random_addresses_and_queries_are_never_a_fault_of_ours() {
    let bench = Bench::new();
    let auditor = bench.key(Role::Auditor, &[]);
    let path = prop_oneof![
        "/ledger/(tile/)?(entries/)?[0-9x/]{0,12}(\\.p/[0-9]{0,4})?",
        "/v1/ledger/(entries|proof|consistency)\\?(from|to|limit|entry)=[0-9a-z_-]{0,24}(&to=[0-9]{0,20})?",
        "/v1/policy\\?version=[0-9a-z-]{0,12}",
        "/[a-z0-9/:._%-]{0,24}",
    ];
    run(600, path, |path| {
        let Ok(uri) = path.parse::<axum::http::Uri>() else { return Ok(()) };
        let reply = bench.get(&auditor, &uri.to_string());
        prop_assert!(reply.status < 500, "{path}: {}", reply.text());
        if reply.status >= 400 {
            reply.is_a_problem();
        }
        Ok(())
    });
}
