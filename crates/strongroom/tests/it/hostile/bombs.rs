//! Little that would become much: compressed bodies, numbers and lists without end, letters that grow when they are normalised.
//! Each is refused, or taken, within a time that does not depend on what it would become.

use std::io::Write;
use std::time::{Duration, Instant};

use axum::body::Body;
use serde_json::json;

use crate::support::{Bench, Key, Reply};

/// A debug build on a busy machine does each of these in well under a second.
const SOON: Duration = Duration::from_secs(10);

fn post(bench: &Bench, by: &Key, path: &str, body: impl Into<Vec<u8>>) -> Reply {
    let (began, body) = (Instant::now(), body.into());
    let start = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    let reply = bench.post_bytes(by, path, body);
    assert!(began.elapsed() < SOON, "{path} {start}… took {:?}", began.elapsed());
    assert!(reply.status < 500, "{path} {start}…: {}", reply.text());
    reply
}

#[test]
fn a_compressed_body_is_never_inflated() {
    let bench = Bench::new();
    let by = bench.service();
    let plain =
        json!({ "kind": "customer", "external_id": "packed", "fields": { "name": "Ann" } }).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(plain.as_bytes()).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(plain.as_bytes()).unwrap();
    // A thousandth of what it would become: more than the limit of a body.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(b"{\"kind\":\"").unwrap();
    bomb.write_all(&vec![b'a'; 64 << 20]).unwrap();
    for (coding, body) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("gzip", bomb.finish().unwrap()),
        ("br", b"\x1b\x0e\x00\xf8\x25\x82\x82".to_vec()),
    ] {
        for header in ["content-encoding", "transfer-encoding-x"] {
            let began = Instant::now();
            let request = by.posts("/v1/records").header(header, coding);
            let reply = bench.send(request.body(Body::from(body.clone())).unwrap());
            assert_eq!(reply.is_a_problem()["code"], "SR-HTTP-002", "{coding}");
            assert!(began.elapsed() < SOON);
        }
    }
    let find = json!({ "subject": { "external_id": "packed" } });
    bench.post(&by, "/v1/subjects:find", &find).problem(404, "SR-KEEP-001");
    // The control: it is a good body, when it is not packed.
    post(&bench, &by, "/v1/records", plain).is(201);
    // No answer is compressed either: what a caller can put into one would tell of what stands beside it.
    bench.customer(&by, "42");
    let ask = json!({ "purpose": "account", "subject": { "external_id": "42" } }).to_string();
    let request = by.posts("/v1/records:reveal").header("accept-encoding", "gzip, deflate, br, zstd");
    let reply = bench.send(request.body(Body::from(ask)).unwrap());
    assert!(reply.status == 200 && !reply.headers.contains_key("content-encoding"));
}

#[test]
fn numbers_without_end_are_read_in_no_time() {
    let bench = Bench::new();
    let by = bench.service();
    let digits = "9".repeat(900_000);
    for number in [
        digits.as_str(),
        &format!("0.{digits}"),
        &format!("-{digits}"),
        "1e999999999",
        "1e-999999999",
        "-0.0e0",
    ] {
        for body in [
            format!("{{\"kind\":\"customer\",\"external_id\":\"1\",\"if_version\":{number}}}"),
            format!("{{\"kind\":\"customer\",\"external_id\":{number}}}"),
            format!(
                "{{\"kind\":\"order\",\"subject\":{{\"external_id\":\"42\"}},\"fields\":{{\"amount\":{number}}}}}"
            ),
            format!("{{\"kind\":\"customer\",\"external_id\":\"1\",\"events\":{{\"active\":{number}}}}}"),
        ] {
            post(&bench, &by, "/v1/records", body);
        }
        for path in ["/v1/records:search", "/v1/records:reveal", "/v1/tokens", "/v1/choices"] {
            let body = format!(
                "{{\"purpose\":\"account\",\"field\":\"phone\",\"value\":{number},\"limit\":{number}}}"
            );
            post(&bench, &by, path, body).is_a_problem();
        }
    }
}

#[test]
fn lists_without_end_are_refused_or_read_in_no_time() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let keys =
        |value: &str| (0..60_000).map(|key| format!("\"k{key}\":{value}")).collect::<Vec<_>>().join(",");
    let pairs = keys("1");
    let names = vec!["\"order\""; 100_000].join(",");
    for (path, body) in [
        ("/v1/records", format!("{{\"kind\":\"customer\",\"fields\":{{{pairs}}}}}")),
        ("/v1/records", format!("{{\"kind\":\"customer\",\"events\":{{{pairs}}}}}")),
        ("/v1/records", format!("{{\"kind\":\"order\",\"subject\":{{\"match\":{{{pairs}}}}}}}")),
        ("/v1/records", format!("{{{pairs}}}")),
        ("/v1/records:reveal", format!("{{\"purpose\":\"account\",\"record\":{{{pairs}}}}}")),
        (
            "/v1/records:search",
            format!("{{\"purpose\":\"account\",\"field\":\"phone\",\"value\":{{{pairs}}}}}"),
        ),
        (
            "/v1/records:search",
            format!("{{\"purpose\":\"account\",\"field\":\"phone\",\"value\":[{names}]}}"),
        ),
        ("/v1/records:batch", format!("{{\"items\":[{}]}}", vec!["{}"; 200_000].join(","))),
    ] {
        post(&bench, &by, path, body).is_a_problem();
    }
    // A list of kinds or fields that names the same over and over is no more than naming it once.
    for list in ["kinds", "fields"] {
        let word = if list == "kinds" { "\"customer\"" } else { "\"name\"" };
        let words = vec![word; 60_000].join(",");
        let body = format!(
            "{{\"purpose\":\"account\",\"subject\":{{\"external_id\":\"42\"}},\"{list}\":[{words}]}}"
        );
        post(&bench, &by, "/v1/records:reveal", body);
    }
}

#[test]
fn one_act_says_no_more_than_can_be_chosen() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let said = |choice: &str| {
        format!(
            "{{\"purpose\":\"marketing_email\",\"choice\":\"{choice}\",\"notice\":{{\"version\":1,\"language\":\"zh\"}}}}"
        )
    };
    let many: Vec<String> = (0..8_000).map(|turn| said(["granted", "refused"][turn % 2])).collect();
    let before = bench.entries().len();
    let body = format!("{{\"kind\":\"customer\",\"external_id\":\"42\",\"choices\":[{}]}}", many.join(","));
    assert_eq!(
        post(&bench, &by, "/v1/records", body).problem(422, "SR-COLLECT-025")["pointer"],
        "/choices/1/purpose"
    );
    assert_eq!(bench.entries().len(), before, "one body made thousands of entries");
    let other = said("granted").replace("marketing_email", "recommendations");
    let body =
        format!("{{\"kind\":\"customer\",\"external_id\":\"42\",\"choices\":[{},{other}]}}", said("granted"));
    assert_eq!(post(&bench, &by, "/v1/records", body).is(200)["choices"].as_array().map(Vec::len), Some(2));
}

#[test]
fn texts_without_end_are_refused_where_they_stand() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let long = "x".repeat(900_000);
    // One letter that normalising turns into eighteen.
    let growing = "\u{fdfa}".repeat(5_400);
    let zalgo = format!("a{}", "\u{301}".repeat(8_000));
    for text in [&long, &growing, &zalgo] {
        for body in [
            json!({ "kind": text }),
            json!({ "kind": "customer", "external_id": text }),
            json!({ "kind": "order", "subject": { "id": text } }),
            json!({ "kind": "order", "subject": { "match": { "email": text } } }),
            json!({ "kind": "customer", "events": { "active": text } }),
        ] {
            post(&bench, &by, "/v1/records", body.to_string()).is_a_problem();
        }
        for field in ["name", "email", "phone"] {
            let body = json!({ "kind": "customer", "external_id": "long", "fields": { (field): text } });
            post(&bench, &by, "/v1/records", body.to_string());
        }
        for body in [
            json!({ "purpose": text, "record": "rec_x" }),
            json!({ "purpose": "account", "record": text }),
            json!({ "purpose": "account", "field": text, "value": "1" }),
            json!({ "purpose": "account", "field": "email", "value": text }),
            json!({ "purpose": "account", "token": text }),
        ] {
            for path in ["/v1/records:reveal", "/v1/records:search", "/v1/tokens:resolve"] {
                post(&bench, &by, path, body.to_string()).is_a_problem();
            }
        }
    }
}
