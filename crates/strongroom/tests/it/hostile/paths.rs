//! Addresses, methods, headers, guessed ids and credentials.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use serde_json::json;
use strongroom::desk::routes;
use strongroom::ground::Role;

use crate::support::Bench;

#[test]
fn a_method_that_an_address_does_not_have_is_405_and_an_address_that_is_none_404() {
    let bench = Bench::new();
    for route in routes() {
        let path =
            route.path.replace("{*target}", "checkpoint").replace("{target}", "x").replace("{field}", "x");
        let has = |method: &Method| {
            routes().iter().any(|other| other.path == route.path && other.method == method.as_str())
        };
        for method in
            [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE, Method::CONNECT]
        {
            if has(&method) {
                continue;
            }
            let reply = bench.send(bench.admin.request(method.clone(), &path).body(Body::empty()).unwrap());
            reply.problem(405, "SR-HTTP-013");
            assert!(reply.headers.contains_key("allow"), "{method} {path}");
        }
        let strange = Method::from_bytes(b"REVEAL").unwrap();
        bench
            .send(bench.admin.request(strange, &path).body(Body::empty()).unwrap())
            .problem(405, "SR-HTTP-013");
    }
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v2/records",
        "/v1/record",
        "/admin",
        "/.env",
        "/wp-login.php",
        "/favicon.ico",
        "/robots.txt",
    ] {
        bench.get(&bench.admin, path).problem(404, "SR-HTTP-005");
        bench.post(&bench.admin, path, &json!({})).problem(404, "SR-HTTP-005");
    }
}

#[test]
fn tricks_with_addresses_lead_nowhere() {
    let bench = Bench::new();
    let service = bench.service();
    let subject = bench.customer(&service, "42");
    let officer = bench.key(Role::Officer, &[]);
    for path in [
        "//v1/records",
        "/v1//records",
        "/v1/records/",
        "/v1/../v1/records",
        "/v1/./records",
        "/V1/RECORDS",
        "/v1/records%00",
        "/v1/records;x=1",
        "/v1/records%2f",
        "/v1%2frecords",
        "/v1/records:REVEAL",
        "/v1/records:",
        "/v1/records:reveal:reveal",
        "/v1/subjects",
        "/v1/subjects/",
        "/v1/subjects//:erase",
        "/v1/subjects/a/b:erase",
        "/health",
        "/health/live/",
    ] {
        let reply = bench.post(&service, path, &json!({}));
        assert_eq!(reply.is_a_problem()["status"], 404, "{path}");
    }
    for target in [
        "%00:erase",
        "%ff%fe:erase",
        "%c0%af:erase",
        "..%2f..:erase",
        &format!("{subject}%20:erase"),
        &format!("%20{subject}:erase"),
        &format!("{}:erase", subject.to_uppercase()),
        &format!("{subject}%00:erase"),
        &format!("{}:erase", "a".repeat(4_000)),
        &format!("{subject}:erase%00"),
        &format!("{subject}%3aERASE"),
        "%f0%9f%98%80:erase",
    ] {
        let reply = bench.post(&officer, &format!("/v1/subjects/{target}"), &json!({}));
        assert_eq!(reply.is_a_problem()["status"], 404, "{target}");
        let reply = bench.get(&bench.key(Role::Auditor, &[]), &format!("/v1/ledger/entries/{target}"));
        assert_eq!(reply.is_a_problem()["status"], 404, "{target}");
        let reply = bench.get_as_stranger(&format!("/ledger/{target}"));
        assert_eq!(reply.is_a_problem()["status"], 404, "{target}");
    }
    // Nothing of this has erased anybody.
    let ask = json!({ "purpose": "account", "subject": { "id": subject } });
    bench.post(&service, "/v1/records:reveal", &ask).is(200);
}

#[test]
fn queries_of_another_form_are_refused_and_never_repeated() {
    let bench = Bench::new();
    let auditor = bench.key(Role::Auditor, &[]);
    for query in [
        "from=geheim",
        "from=1&from=2",
        "limit=%31",
        "from=<script>",
        "limit=99999999999999999999",
        "from=1;2",
    ] {
        let path = format!("/v1/ledger/entries?{}", query.replace('<', "%3C").replace('>', "%3E"));
        let reply = bench.get(&auditor, &path);
        assert!(!reply.text().contains("geheim") && !reply.text().contains("script"));
        assert_eq!(reply.is_a_problem()["status"], 400, "{query}");
    }
    // Others are not looked at.
    for query in ["", "?", "?&&&", "?=", "?from", "?colour=blue", "?%00=%00"] {
        bench.get(&auditor, &format!("/v1/ledger/entries{query}")).is(200);
    }
}

#[test]
fn a_guessed_id_is_not_found_and_costs_no_entry() {
    let bench = Bench::new();
    let service = bench.service();
    let subject = bench.customer(&service, "42");
    let record = bench.order(&service, "42", "O-1");
    let officer = bench.key(Role::Officer, &[]);
    let before = bench.entries().len();
    let mut guesses: Vec<String> = vec![
        "sub_".to_owned(),
        String::new(),
        "sub_1".to_owned(),
        format!("{subject}a"),
        subject[..29].to_owned(),
    ];
    for position in 4..subject.len() {
        let mut guess = subject.clone().into_bytes();
        guess[position] = if guess[position] == b'a' { b'b' } else { b'a' };
        guesses.push(String::from_utf8(guess).unwrap());
    }
    // Of another type: the same bits under another name are another id.
    guesses.push(record.replace("rec_", "sub_"));
    for guess in &guesses {
        let ask = json!({ "purpose": "account", "subject": { "id": guess } });
        bench.post(&service, "/v1/records:reveal", &ask).problem(404, "SR-KEEP-001");
        let ask = json!({ "purpose": "account", "record": guess });
        bench.post(&service, "/v1/records:reveal", &ask).problem(404, "SR-KEEP-001");
        if !guess.is_empty() {
            bench
                .post(&officer, &format!("/v1/subjects/{guess}:erase"), &json!({}))
                .problem(404, "SR-KEEP-001");
        }
    }
    assert_eq!(bench.entries().len(), before, "no guess came as far as the ledger");
}

#[test]
fn a_guessed_credential_opens_nothing_and_is_told_nothing() {
    let bench = Bench::new();
    let real = bench.service();
    let (id, secret) = real.0.rsplit_once('_').unwrap();
    let other = bench.service();
    let other_secret = other.0.rsplit_once('_').unwrap().1;
    let guesses = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {}", real.0),
        format!("bearer {}", real.0),
        real.0.clone(),
        format!("Bearer {id}"),
        format!("Bearer {id}_"),
        format!("Bearer {id}_{other_secret}"),
        format!("Bearer {id}_{}", "a".repeat(52)),
        format!("Bearer {id}_{}", &secret[1..]),
        format!("Bearer {id}_{secret}a"),
        format!("Bearer srk_aaaaaaaaaaaaaaaaaaaaaaaaaa_{secret}"),
        format!("Bearer {secret}"),
        format!("Bearer {} {}", real.0, real.0),
        format!("Bearer {}", real.0.to_uppercase()),
        format!("Bearer {}", "x".repeat(8_000)),
    ];
    let mut answers = Vec::new();
    for guess in &guesses {
        let request = Request::get("/v1/policy").header("authorization", guess).body(Body::empty()).unwrap();
        let reply = bench.send(request);
        reply.problem(401, "SR-PEOPLE-001");
        assert!(!reply.text().contains(secret));
        answers.push(reply.body);
    }
    let request = Request::get("/v1/policy")
        .header("authorization", HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap());
    answers.push(bench.send(request.body(Body::empty()).unwrap()).body);
    answers.push(bench.get_as_stranger("/v1/policy").body);
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "the answer never says what was wrong");
}

#[test]
fn who_is_acted_for_is_named_in_so_many_bytes() {
    let bench = Bench::new();
    let made =
        json!({ "role": "service", "label": "support", "purposes": ["account"], "on_behalf_of": true });
    let made = bench.post(&bench.admin, "/v1/credentials", &made).is(201);
    let key = crate::support::Key(made["credential"].as_str().unwrap().to_owned());
    for (name, status) in [("", 400), (&*"n".repeat(129), 400), (&*"n".repeat(128), 200)] {
        let request = key.request(Method::GET, "/v1/policy").header("strongroom-on-behalf-of", name);
        assert_eq!(bench.send(request.body(Body::empty()).unwrap()).status, status);
    }
}
