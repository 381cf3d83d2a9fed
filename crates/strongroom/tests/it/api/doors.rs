//! The doors: what is told to whom, how much may be asked, and the policy as anybody with a credential reads it.

use axum::http::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use strongroom::config::LimitsConfig;
use strongroom::ground::Role;

use crate::support::{Bench, POLICY};

#[test]
fn health_is_told_at_both_doors_and_figures_and_documentation_at_the_admin_door_only() {
    let bench = Bench::new();
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(bench.get_as_stranger(path).is(200)["status"], "ok");
        assert_eq!(bench.get_at_admin_door(path).is(200)["status"], "ok");
    }
    for path in ["/metrics", "/docs", "/docs/style.css"] {
        bench.get_as_stranger(path).problem(404, "SR-HTTP-005");
        bench.get(&bench.admin, path).problem(404, "SR-HTTP-005");
        assert_eq!(bench.get_at_admin_door(path).status, 200, "{path}");
    }
    for path in ["/v1/policy", "/v1/records", "/ledger/checkpoint", "/operator/status"] {
        bench.get_at_admin_door(path).problem(404, "SR-HTTP-005");
    }
    bench.get(&bench.admin, "/operator/status").problem(404, "SR-HTTP-005");
}

#[test]
fn a_clock_in_doubt_shows_as_attention() {
    let bench = Bench::new();
    bench.clock.set_wall(bench.now() + 11 * 60 * 1_000_000);
    bench.round();
    let ready = bench.get_as_stranger("/health/ready").is(200);
    assert_eq!((&ready["status"], &ready["attention"]), (&json!("attention"), &json!(["clock_in_doubt"])));
}

#[test]
fn the_figures_count_requests_by_route_and_name_nobody() {
    if crate::engine::only_of_one("figures") {
        return;
    }
    let bench = Bench::new();
    let by = bench.service();
    let subject = bench.customer(&by, "42");
    bench.post(&by, "/v1/records", &json!({})).is_a_problem();
    bench.get_as_stranger("/v1/policy").problem(401, "SR-PEOPLE-001");
    let text = bench.get_at_admin_door("/metrics").text();
    assert!(text.contains("strongroom_requests_total{route=\"/v1/records\",status=\"Success\"} 1"), "{text}");
    assert!(text.contains("strongroom_requests_total{route=\"/v1/records\",status=\"CallerFault\"} 1"));
    assert!(text.contains("strongroom_refused_at_the_door_total{why=\"credential\"} 1"));
    assert!(text.contains("# TYPE strongroom_requests_total counter\n") && !text.contains("# EOF"));
    for secret in [subject.as_str(), by.id(), "42@shop", "harbour-hill"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn the_documentation_loads_nothing_from_elsewhere() {
    let bench = Bench::new();
    let page = bench.get_at_admin_door("/docs");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    let text = page.text();
    assert!(text.contains("/v1/records:reveal") && !text.contains("<script"));
    assert!(!text.contains("src=\"http") && !text.contains("url(http"), "nothing is fetched");
}

#[test]
fn one_credential_may_ask_for_so_much_and_another_is_not_held_up() {
    if crate::engine::only_of_one("what a caller may ask for") {
        return;
    }
    let bench =
        Bench::with(POLICY, LimitsConfig { requests_per_second: 1, burst: 4, ..LimitsConfig::default() });
    let (one, other) = (bench.key(Role::Auditor, &[]), bench.key(Role::Auditor, &[]));
    for _ in 0..4 {
        bench.get(&one, "/v1/policies").is(200);
    }
    let much = bench.get(&one, "/v1/policies");
    much.problem(429, "SR-HTTP-006");
    assert_eq!(much.headers["retry-after"], "1");
    bench.get(&other, "/v1/policies").is(200);
    // The files of the log are open to all, and a credential that is shown is counted there too.
    bench.get(&one, "/ledger/tile/entries/000.p/1").problem(429, "SR-HTTP-006");
    assert_eq!(bench.get_as_stranger("/ledger/checkpoint").status, 200);
}

#[test]
fn strangers_share_one_limit_and_hold_up_nobody_with_a_credential() {
    if crate::engine::only_of_one("what strangers may ask for") {
        return;
    }
    let limits = LimitsConfig { anonymous_per_second: 1, anonymous_burst: 3, ..LimitsConfig::default() };
    let bench = Bench::with(POLICY, limits);
    for _ in 0..3 {
        assert_eq!(bench.get_as_stranger("/ledger/checkpoint").status, 200);
    }
    let much = bench.get_as_stranger("/ledger/tile/0/000.p/1");
    much.problem(429, "SR-HTTP-014");
    assert_eq!(much.headers["retry-after"], "1");
    assert_eq!(bench.get(&bench.admin, "/ledger/checkpoint").status, 200);
    // Whoever restarts a process that seems dead must not be told so by a crowd.
    bench.get_as_stranger("/health/live").is(200);
}

#[test]
fn the_policy_is_given_byte_for_byte_with_every_version() {
    let bench = Bench::new();
    let intake = bench.key(Role::Intake, &[]);
    let now = bench.get(&intake, "/v1/policy").is(200);
    assert_eq!((now["text"].as_str(), now["version"].as_u64()), (Some(POLICY), Some(1)));
    let digest: String = Sha256::digest(POLICY.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(now["digest"], digest.as_str());

    let next = format!("{POLICY}\n# A word more.\n");
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": next })).is(201);
    assert_eq!(bench.get(&intake, "/v1/policy").is(200)["text"], next.as_str());
    assert_eq!(bench.get(&intake, "/v1/policy?version=1").is(200)["text"], POLICY);
    let versions = bench.get(&intake, "/v1/policies").is(200);
    assert_eq!((&versions[0]["version"], &versions[1]["version"]), (&json!(2), &json!(1)));
    for version in ["3", "0", "x", "-1"] {
        bench.get(&intake, &format!("/v1/policy?version={version}")).problem(404, "SR-NOTICE-005");
    }
}

#[test]
fn a_policy_with_errors_or_of_another_shop_is_not_published() {
    let bench = Bench::new();
    let broken = POLICY.replacen("basis = \"contract\"", "basis = \"because\"", 1);
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": broken })).problem(422, "SR-NOTICE-001");
    let other = POLICY.replacen("id = \"harbour-hill\"", "id = \"other-shop\"", 1);
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": other })).problem(409, "SR-NOTICE-003");
    assert_eq!(bench.get(&bench.admin, "/v1/policy").is(200)["version"], 1);
}

#[test]
fn a_credential_is_shown_once_and_listed_without_its_secret() {
    let bench = Bench::new();
    let by = bench.service();
    let secret = by.0.rsplit_once('_').unwrap().1.to_owned();
    let listed = bench.get(&bench.admin, "/v1/credentials");
    assert!(!listed.text().contains(&secret));
    let listed = listed.is(200);
    let row = listed.as_array().unwrap().iter().find(|row| row["id"] == by.id()).unwrap().clone();
    assert_eq!((&row["role"], row["purposes"].as_array().map(Vec::len)), (&json!("service"), Some(7)));
    for (body, status, code) in [
        (json!({ "role": "service", "label": "Ann Lee" }), 422, "SR-PEOPLE-004"),
        (json!({ "role": "intake", "label": "form", "purposes": ["delivery"] }), 422, "SR-PEOPLE-005"),
        (json!({ "role": "service", "label": "form", "purposes": ["dancing"] }), 422, "SR-PEOPLE-006"),
        (json!({ "role": "root", "label": "form" }), 422, "SR-HTTP-003"),
    ] {
        bench.post(&bench.admin, "/v1/credentials", &body).problem(status, code);
    }
}

#[test]
fn an_answer_is_never_to_be_stored_on_the_way() {
    let bench = Bench::new();
    let by = bench.service();
    bench.customer(&by, "42");
    let ask = json!({ "purpose": "account", "subject": { "external_id": "42" } });
    let shown = bench.post(&by, "/v1/records:reveal", &ask);
    assert_eq!(
        (&shown.headers["cache-control"], &shown.headers["x-content-type-options"]),
        (&"no-store".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    let head = bench.send(by.request(Method::HEAD, "/v1/policy").body(axum::body::Body::empty()).unwrap());
    assert_eq!((head.status, head.body.len()), (200, 0));
}
