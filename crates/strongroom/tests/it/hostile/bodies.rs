//! Bodies: malformed, of other types, too long, too deep, with secrets where none belong.

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::{Value as Json, json};
use strongroom::ground::Role;

use crate::support::{Bench, Key, Reply, logged};

/// What a caller sent where it does not belong. It must never come back, and never be logged.
const SECRET: &str = "Zq7-geheim-绝密@plant.example";

/// Every route that reads a body, with a body that it takes.
fn bodies() -> Vec<(&'static str, Json)> {
    let order = json!({ "kind": "order", "external_id": "O-1" });
    let notice = json!({ "version": 1, "language": "zh" });
    vec![
        (
            "/v1/records",
            json!({ "kind": "customer", "external_id": "42", "fields": { "name": "Ann" }, "events": {}, "choices": [], "if_version": 0 }),
        ),
        ("/v1/records:batch", json!({ "items": [] })),
        ("/v1/records:event", json!({ "record": order, "event": "placed", "at": "2026-11-23T02:00:00Z" })),
        (
            "/v1/choices",
            json!({ "subject": { "external_id": "42" }, "purpose": "marketing_email", "choice": "granted", "notice": notice, "at": "2026-11-23T02:00:00Z" }),
        ),
        (
            "/v1/records:reveal",
            json!({ "purpose": "delivery", "record": order, "kinds": [], "fields": [], "masked": true, "limit": 1 }),
        ),
        (
            "/v1/records:search",
            json!({ "purpose": "account", "field": "phone", "value": "13812345678", "limit": 1 }),
        ),
        ("/v1/subjects:find", json!({ "subject": { "external_id": "42" } })),
        (
            "/v1/tokens",
            json!({ "purpose": "after_sales", "record": order, "field": "phone", "recipient": "sf-express", "made": "random" }),
        ),
        (
            "/v1/tokens:resolve",
            json!({ "purpose": "after_sales", "token": "tok_x", "recipient": "sf-express" }),
        ),
        ("/v1/subjects/sub_aaaaaaaaaaaaaaaaaaaaaaaaaa:erase", json!({})),
        ("/v1/policies", json!({ "text": "format = 1" })),
        (
            "/v1/credentials",
            json!({ "role": "auditor", "label": "x", "purposes": [], "on_behalf_of": false }),
        ),
    ]
}

/// Everybody whom one route or another lets in.
struct Callers {
    bench: Bench,
    service: Key,
    officer: Key,
}

impl Callers {
    fn new() -> Callers {
        let bench = Bench::new();
        let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
        Callers { bench, service, officer }
    }

    fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        let key = match path {
            "/v1/policies" | "/v1/credentials" => &self.bench.admin,
            path if path.ends_with(":erase") => &self.officer,
            _ => &self.service,
        };
        self.bench.post_bytes(key, path, body)
    }
}

fn tells_nothing(reply: &Reply) {
    for piece in [SECRET, "geheim", "绝密", "plant.example"] {
        assert!(!reply.text().contains(piece), "{}", reply.text());
        assert!(
            reply
                .headers
                .values()
                .all(|value| !value.as_bytes().windows(piece.len()).any(|part| part == piece.as_bytes()))
        );
    }
}

#[test]
fn what_is_not_json_is_told_with_line_and_column() {
    let callers = Callers::new();
    let cut = format!("{{\"kind\": \"customer\",\n \"fields\": {{\"name\": \"{SECRET}");
    for (path, _) in bodies() {
        for body in [
            "{",
            "[",
            "{\"a\":}",
            "nul",
            "{} {}",
            "\u{feff}{}",
            "{'a': 1}",
            "{\"a\": 01}",
            "{\"a\": NaN}",
            "{\"a\": \"\u{1}\"}",
            "{\"a\": \"\\ud800\"}",
            &cut,
            SECRET,
        ] {
            let reply = callers.post(path, body.to_owned());
            tells_nothing(&reply);
            let problem = reply.is_a_problem();
            assert!(
                ["SR-HTTP-002", "SR-HTTP-003"].contains(&problem["code"].as_str().unwrap()),
                "{path} {body}: {problem}"
            );
        }
    }
    let problem = callers.post("/v1/records", cut).problem(400, "SR-HTTP-002");
    assert!(problem["title"].as_str().unwrap().contains("line 2"), "{problem}");
    callers.post("/v1/records", "").problem(400, "SR-HTTP-002");
}

#[test]
fn what_is_not_utf8_is_told_so() {
    let callers = Callers::new();
    for (path, _) in bodies() {
        for bytes in [
            &b"{\"kind\": \"\xff\xfe\"}"[..],
            b"\xff",
            b"{\"\xc0\xaf\": 1}",
            b"{\"kind\": \"\xed\xa0\x80\"}",
            b"\x1f\x8b\x08\x00",
        ] {
            let reply = callers.post(path, bytes.to_vec());
            let problem = reply.is_a_problem();
            assert!(
                ["SR-HTTP-002", "SR-HTTP-003"].contains(&problem["code"].as_str().unwrap()),
                "{path}: {problem}"
            );
        }
    }
    callers.post("/v1/records", b"{\"kind\": \"\xff\"}".to_vec()).problem(400, "SR-HTTP-002");
}

#[test]
fn a_key_that_the_format_does_not_have_is_told_by_place_and_not_repeated() {
    let callers = Callers::new();
    for (path, good) in bodies() {
        let mut body = good.clone();
        body[SECRET] = json!(1);
        let reply = callers.post(path, body.to_string());
        tells_nothing(&reply);
        assert_eq!(reply.problem(422, "SR-HTTP-003")["pointer"], "/*", "{path}");
        let mut body = good;
        body["colour"] = json!(SECRET);
        let reply = callers.post(path, body.to_string());
        tells_nothing(&reply);
        assert_eq!(reply.problem(422, "SR-HTTP-003")["pointer"], "/colour", "{path}");
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_wherever_it_stands() {
    let callers = Callers::new();
    for (path, good) in bodies() {
        for (key, value) in good.as_object().unwrap() {
            let text = good.to_string();
            let twice = format!("{},\"{key}\":{value}}}", text.strip_suffix('}').unwrap());
            let problem = callers.post(path, twice).problem(422, "SR-HTTP-003");
            assert_eq!(problem["pointer"], format!("/{key}"), "{path}");
            assert_eq!(problem["title"], "a key stands here twice");
        }
    }
    for (body, pointer) in [
        (r#"{"kind":"customer","fields":{"name":"a","name":"b"}}"#, "/fields"),
        (r#"{"kind":"customer","fields":{"name":"a","n\u0061me":"b"}}"#, "/fields"),
        (
            r#"{"kind":"customer","events":{"active":"2026-11-22T00:00:00Z","active":"2026-11-22T00:00:00Z"}}"#,
            "/events",
        ),
        (r#"{"kind":"order","subject":{"id":"a","id":"b"}}"#, "/subject/id"),
        (r#"{"kind":"order","subject":{"match":{"phone":"1","phone":"2"}}}"#, "/subject/match"),
    ] {
        let problem = callers.post("/v1/records", body).problem(422, "SR-HTTP-003");
        assert!(problem["pointer"].as_str().unwrap().starts_with(pointer), "{body}: {problem}");
    }
}

#[test]
fn a_value_of_another_type_is_told_by_place_and_not_repeated() {
    let callers = Callers::new();
    let wrong = [
        json!(SECRET),
        json!([SECRET]),
        json!({ SECRET: SECRET }),
        json!(12.5),
        json!(-1),
        json!(true),
        Json::Null,
    ];
    for (path, good) in bodies() {
        for value in &wrong {
            for key in good.as_object().unwrap().keys() {
                let mut body = good.clone();
                body[key] = value.clone();
                let reply = callers.post(path, body.to_string());
                tells_nothing(&reply);
                assert!(reply.status < 500, "{path} {key} {value}: {}", reply.text());
                if reply.status >= 400 {
                    let problem = reply.is_a_problem();
                    let pointer = problem["pointer"].as_str().unwrap_or_default();
                    assert!(
                        reply.status != 422
                            || pointer.starts_with('/')
                            || problem["code"] == "SR-REVEAL-010"
                            || problem["code"] == "SR-NOTICE-001"
                            || problem["code"] == "SR-COLLECT-012",
                        "{path} {key} {value}: {problem}"
                    );
                }
            }
        }
        for whole in &wrong {
            let reply = callers.post(path, whole.to_string());
            tells_nothing(&reply);
            assert!([400, 422].contains(&reply.is_a_problem()["status"].as_u64().unwrap()), "{path} {whole}");
        }
    }
}

#[test]
fn a_value_that_its_field_does_not_take_is_told_by_field() {
    let callers = Callers::new();
    for (kind, field, value) in [
        ("customer", "email", json!(SECRET.replace('@', " "))),
        ("customer", "email", json!("a@b")),
        ("customer", "phone", json!("call me")),
        ("customer", "phone", json!("12")),
        ("customer", "name", json!("")),
        ("customer", "name", json!("   ")),
        ("customer", "name", json!(["Ann"])),
        ("customer", "name", json!({ "first": SECRET })),
        ("order", "amount", json!("a lot")),
        ("order", "amount", json!("1e999999999")),
        ("order", "amount", json!(true)),
    ] {
        let body =
            json!({ "kind": kind, "external_id": "1", "subject": Json::Null, "fields": { (field): value } });
        let reply = callers.post("/v1/records", body.to_string());
        tells_nothing(&reply);
        assert_eq!(reply.problem(422, "SR-KEEP-016")["pointer"], format!("/fields/{field}"), "{value}");
    }
}

#[test]
fn the_limits_are_what_they_say_to_the_byte() {
    let callers = Callers::new();
    let body = |name: usize, id: usize| {
        json!({ "kind": "customer", "external_id": "i".repeat(id), "fields": { "name": "n".repeat(name) } })
            .to_string()
    };
    assert_eq!(callers.post("/v1/records", body(16 << 10, 200)).is(201)["kept"], json!(["name"]));
    assert_eq!(
        callers.post("/v1/records", body((16 << 10) + 1, 1)).problem(422, "SR-KEEP-016")["pointer"],
        "/fields/name"
    );
    assert_eq!(
        callers.post("/v1/records", body(1, 201)).problem(422, "SR-COLLECT-003")["pointer"],
        "/external_id"
    );
    assert_eq!(
        callers.post("/v1/records", body(1, 0)).problem(422, "SR-COLLECT-003")["pointer"],
        "/external_id"
    );

    let padded = |length: usize| {
        let mut text =
            json!({ "kind": "customer", "external_id": "pad", "fields": { "name": "Ann" } }).to_string();
        text.push_str(&" ".repeat(length - text.len()));
        text
    };
    callers.post("/v1/records", padded(1 << 20)).is(201);
    callers.post("/v1/records", padded((1 << 20) + 1)).problem(413, "SR-HTTP-001");
    let batch = |length: usize| format!("{{\"items\":[]{}}}", " ".repeat(length - 13)) + " ";
    callers.post("/v1/records:batch", batch(8 << 20)).is(200);
    callers.post("/v1/records:batch", batch((8 << 20) + 1)).problem(413, "SR-HTTP-001");
    let names: serde_json::Map<String, Json> =
        (0..513).map(|number| (format!("f_{number}"), json!("x"))).collect();
    let many = json!({ "kind": "customer", "fields": names });
    assert_eq!(
        callers.post("/v1/records", many.to_string()).problem(422, "SR-HTTP-003")["pointer"],
        "/fields"
    );
}

#[test]
fn a_long_body_is_refused_whether_or_not_it_says_its_length() {
    let callers = Callers::new();
    let chunk = Bytes::from(vec![b' '; 64 << 10]);
    let chunks = stream::iter((0..40).map(move |_| Ok::<_, std::convert::Infallible>(chunk.clone())));
    let request = callers.service.posts("/v1/records").body(Body::from_stream(chunks)).unwrap();
    callers.bench.send(request).problem(413, "SR-HTTP-001");
    // One that only says so is not waited for.
    let request =
        callers.service.posts("/v1/records").header("content-length", "9999999999").body(Body::from("{}"));
    callers.bench.send(request.unwrap()).problem(413, "SR-HTTP-001");
    let broken = stream::iter([Ok(Bytes::from_static(b"{\"kind\":")), Err("gone")]);
    let request = callers.service.posts("/v1/records").body(Body::from_stream(broken)).unwrap();
    callers.bench.send(request).problem(400, "SR-HTTP-009");
}

#[test]
fn deep_nesting_is_refused_without_a_fall() {
    let callers = Callers::new();
    for depth in [100, 10_000, 400_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let maps = "{\"a\":".repeat(depth.min(100_000)) + "1" + &"}".repeat(depth.min(100_000));
        for nested in [&deep, &maps] {
            for (path, body) in [
                ("/v1/records", nested.clone()),
                ("/v1/records", format!("{{\"kind\":\"customer\",\"fields\":{{\"name\":{nested}}}}}")),
                ("/v1/records", format!("{{\"kind\":\"customer\",\"external_id\":{nested}}}")),
                ("/v1/records:batch", format!("{{\"items\":[{nested}]}}")),
                (
                    "/v1/records:search",
                    format!("{{\"purpose\":\"account\",\"field\":\"phone\",\"value\":{nested}}}"),
                ),
                ("/v1/records:reveal", format!("{{\"purpose\":\"account\",\"record\":{nested}}}")),
            ] {
                let reply = callers.post(path, body);
                if path.ends_with("batch") {
                    assert_eq!(reply.status, if depth > 100 { reply.status } else { 200 });
                    assert!(reply.status < 500);
                } else {
                    reply.is_a_problem();
                }
            }
        }
    }
}

#[test]
fn unknown_fields_of_any_shape_are_dropped_and_their_values_forgotten() {
    let callers = Callers::new();
    let nested = format!("{}\"{SECRET}\"{}", "[".repeat(5_000), "]".repeat(5_000));
    let body = format!(
        "{{\"kind\":\"customer\",\"external_id\":\"1\",\"fields\":{{\"name\":\"Ann\",\"other\":{nested},\"{SECRET}\":1}}}}"
    );
    let reply = callers.post("/v1/records", body);
    tells_nothing(&reply);
    let written = reply.is(201);
    assert_eq!((&written["unknown"], &written["unknown_others"]), (&json!(["other"]), &json!(1)));
}

#[test]
fn what_was_planted_is_in_no_answer_and_in_no_log() {
    let callers = Callers::new();
    let plant = |body: Json| {
        for (path, _) in bodies() {
            tells_nothing(&callers.post(path, body.to_string()));
        }
    };
    plant(json!({ "kind": SECRET, "external_id": SECRET, "fields": { "name": SECRET, SECRET: SECRET } }));
    plant(json!({ "purpose": SECRET, "record": SECRET, "field": SECRET, "value": SECRET }));
    plant(json!({ "purpose": "account", "subject": { "match": { "phone": SECRET } } }));
    plant(json!({ "purpose": "account", "field": "email", "value": SECRET }));
    plant(
        json!({ "subject": { "id": SECRET }, "purpose": "marketing_email", "choice": SECRET, "notice": { "version": 1, "language": SECRET } }),
    );
    plant(json!({ "text": SECRET }));
    plant(json!({ "role": "auditor", "label": SECRET }));
    plant(json!({ "token": SECRET, "purpose": "account", "recipient": SECRET }));
    let kept = json!({ "kind": "customer", "external_id": SECRET, "fields": { "name": SECRET, "email": "zq7-geheim@plant.example" } });
    callers.bench.post(&callers.service, "/v1/records", &kept).is(201);
    callers
        .bench
        .post(
            &callers.service,
            "/v1/records:reveal",
            &json!({ "purpose": "account", "subject": { "external_id": SECRET } }),
        )
        .is(200);
    let request =
        callers.service.posts("/v1/records").header("idempotency-key", "k").header("x-note", "geheim");
    tells_nothing(&callers.bench.send(request.body(Body::from("{}")).unwrap()));
    strongroom::note!(WARN, "somebody listens");
    let log = logged();
    assert!(log.contains("somebody listens"));
    for piece in
        ["geheim", "绝密", "plant.example", &callers.service.0, callers.service.0.rsplit_once('_').unwrap().1]
    {
        assert!(!log.contains(piece), "{piece} was logged");
    }
}
