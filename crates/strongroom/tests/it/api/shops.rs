//! Two shops in one house do not see each other, by any route.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value as Json, json};
use strongroom::desk::routes;
use strongroom::ground::Role;

use crate::support::{ALL_PURPOSES, Bench, Key, entries_of};

/// A house with two shops; the first has a customer with an order, whose ids the second knows.
struct Two {
    bench: Bench,
    first: Key,
    other_admin: Key,
    subject: String,
    record: String,
    token: Json,
    entry: String,
}

impl Two {
    fn new() -> Two {
        let bench = Bench::new();
        let first = bench.service();
        let other_admin = bench.add_shop("other-shop");
        let subject = bench.customer(&first, "42");
        let record = bench.order(&first, "42", "O-1");
        let body = json!({ "purpose": "after_sales", "record": record, "field": "phone" });
        let made = bench.post(&first, "/v1/tokens", &body).is(201);
        let (token, entry) = (made["token"].clone(), made["entry"].as_str().unwrap().to_owned());
        Two { bench, first, other_admin, subject, record, token, entry }
    }

    fn other(&self, role: Role) -> Key {
        let purposes: &[&str] =
            if matches!(role, Role::Service | Role::Officer) { &ALL_PURPOSES } else { &[] };
        self.bench.key_by(&self.other_admin, role, purposes)
    }
}

#[test]
fn what_is_named_by_the_other_shops_ids_is_not_found() {
    let two = Two::new();
    let (subject, record) = (json!({ "id": two.subject }), json!(two.record));
    let (service, officer) = (two.other(Role::Service), two.other(Role::Officer));
    let first_shop = two.bench.shop();
    let before = entries_of(two.bench.house(), &first_shop).len();
    for (key, path, body) in [
        (
            &service,
            "/v1/records".to_owned(),
            json!({ "kind": "order", "subject": subject, "fields": { "items": "tea" } }),
        ),
        (
            &service,
            "/v1/records".to_owned(),
            json!({ "kind": "order", "subject": { "external_id": "42" }, "fields": { "items": "tea" } }),
        ),
        (
            &service,
            "/v1/records".to_owned(),
            json!({ "kind": "order", "subject": { "match": { "email": "42@shop.example" } }, "fields": { "items": "tea" } }),
        ),
        (&service, "/v1/records:event".to_owned(), json!({ "record": record, "event": "placed" })),
        (
            &service,
            "/v1/records:event".to_owned(),
            json!({ "record": { "kind": "order", "external_id": "O-1" }, "event": "placed" }),
        ),
        (
            &service,
            "/v1/choices".to_owned(),
            json!({ "subject": subject, "purpose": "marketing_email", "choice": "granted", "notice": { "version": 1, "language": "zh" } }),
        ),
        (&service, "/v1/records:reveal".to_owned(), json!({ "purpose": "delivery", "record": record })),
        (&service, "/v1/records:reveal".to_owned(), json!({ "purpose": "account", "subject": subject })),
        (
            &service,
            "/v1/records:reveal".to_owned(),
            json!({ "purpose": "account", "subject": { "external_id": "42" } }),
        ),
        (
            &service,
            "/v1/records:reveal".to_owned(),
            json!({ "purpose": "account", "subject": { "match": { "phone": "13812345678" } } }),
        ),
        (&service, "/v1/subjects:find".to_owned(), json!({ "subject": subject })),
        (&service, "/v1/subjects:find".to_owned(), json!({ "record": record })),
        (
            &service,
            "/v1/tokens".to_owned(),
            json!({ "purpose": "after_sales", "record": record, "field": "phone" }),
        ),
        (&service, "/v1/tokens:resolve".to_owned(), json!({ "purpose": "after_sales", "token": two.token })),
        (&officer, format!("/v1/subjects/{}:erase", two.subject), json!({})),
        (&two.other_admin, format!("/v1/credentials/{}:revoke", two.first.id()), json!({})),
    ] {
        let reply = two.bench.post(key, &path, &body);
        assert_eq!(reply.is_a_problem()["status"], 404, "{path} {body}");
    }
    let auditor = two.other(Role::Auditor);
    for path in [format!("/v1/ledger/entries/{}", two.entry), format!("/v1/ledger/proof?entry={}", two.entry)]
    {
        two.bench.get(&auditor, &path).problem(404, "SR-ACCOUNT-006");
    }
    two.bench.get(&auditor, "/ledger/harbour-hill/tile/entries/000.p/1").problem(401, "SR-PEOPLE-001");
    assert_eq!(
        entries_of(two.bench.house(), &first_shop).len(),
        before,
        "the first shop's log knows nothing of it"
    );
    // It is all still there.
    two.bench
        .post(&two.first, "/v1/records:reveal", &json!({ "purpose": "delivery", "record": two.record }))
        .is(200);
}

#[test]
fn the_same_ids_values_and_keys_are_others_in_another_shop() {
    let two = Two::new();
    let service = two.other(Role::Service);
    let search = json!({ "purpose": "account", "field": "phone", "value": "13812345678" });
    assert_eq!(two.bench.post(&service, "/v1/records:search", &search).is(200)["matches"], json!([]));
    // The same external id, and an address that is unique in each shop by itself.
    let subject = two.bench.customer(&service, "42");
    assert_ne!(subject, two.subject);
    let body = json!({ "kind": "customer", "external_id": "7", "fields": { "name": "Seven" } });
    let here = two.bench.post_once(&two.first, "k-1", "/v1/records", &body).is(201);
    let there = two.bench.post_once(&service, "k-1", "/v1/records", &body).is(201);
    assert_ne!(here["record"], there["record"]);
    assert_eq!(
        two.bench.post(&service, "/v1/records:search", &search).is(200)["matches"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn lists_show_the_callers_shop_only() {
    let two = Two::new();
    let listed = two.bench.get(&two.other_admin, "/v1/credentials").is(200);
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert!(!listed.to_string().contains(two.first.id()));
    let more =
        crate::support::POLICY.replacen("id = \"harbour-hill\"", "id = \"other-shop\"", 1) + "\n# more\n";
    two.bench.post(&two.other_admin, "/v1/policies", &json!({ "text": more })).is(201);
    assert_eq!(two.bench.get(&two.first, "/v1/policies").is(200).as_array().map(Vec::len), Some(1));
    assert_eq!(two.bench.get(&two.other_admin, "/v1/policy").is(200)["shop"], "other-shop");

    let auditor = two.other(Role::Auditor);
    let page = two.bench.get(&auditor, "/v1/ledger/entries").is(200);
    let shops: Vec<_> = two.bench.house().shops();
    let own = entries_of(two.bench.house(), &shops[1]).len() - 1; // that the page was read came after it
    assert_eq!(page["entries"].as_array().map(Vec::len), Some(own));
}

#[test]
fn each_shop_has_its_own_log_under_its_own_name() {
    let two = Two::new();
    two.bench.get_as_stranger("/ledger/checkpoint").problem(404, "SR-HTTP-005");
    let first = two.bench.get_as_stranger("/ledger/harbour-hill/checkpoint").text();
    let other = two.bench.get_as_stranger("/ledger/other-shop/checkpoint").text();
    assert!(
        first.starts_with("strongroom/harbour-hill\n") && other.starts_with("strongroom/other-shop\n"),
        "{first}{other}"
    );
    let head = two.bench.get(&two.other_admin, "/v1/ledger/checkpoint").is(200);
    assert_eq!(head["origin"], "strongroom/other-shop");
    assert_ne!(head["verifier_key"], two.bench.verifier.as_str());
}

#[test]
fn no_route_gives_the_other_shop_anything_of_the_first() {
    let two = Two::new();
    let callers: Vec<Key> = Role::ALL.into_iter().map(|role| two.other(role)).collect();
    let secrets = [
        "Ann Lee",
        "42@",
        "12345678",
        "00139000",
        "陈小红",
        "Longjing",
        &two.subject,
        &two.record,
        two.first.id(),
    ];
    // The files of the window are the same for everybody, and have an alphabet in them.
    for route in routes().into_iter().filter(|route| !route.path.starts_with("/strongroom")) {
        for target in [
            two.subject.as_str(),
            two.record.as_str(),
            two.entry.as_str(),
            two.first.id(),
            "harbour-hill/tile/entries/000.p/1",
        ] {
            for suffix in ["", ":erase", ":revoke"] {
                let path =
                    route.path.replace("{*target}", target).replace("{target}", &format!("{target}{suffix}"));
                for key in &callers {
                    let method: Method = route.method.parse().unwrap();
                    let reply = two.bench.send(key.request(method, &path).body(Body::empty()).unwrap());
                    assert!(reply.status < 500, "{path}: {}", reply.text());
                    for secret in secrets {
                        assert!(!reply.text().contains(secret), "{secret} in {path}: {}", reply.text());
                    }
                }
            }
        }
    }
}
