//! How long a question about 100,000 addresses takes: `cargo run --release -p strongroom --example may`.
//!
//! It makes a vault in the temporary folder, with so many customers of whom half said yes, and asks of all of them in one request,
//! several times. It prints; it judges nothing.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};
use strongroom::caretaker::Caretaker;
use strongroom::config::LimitsConfig;
use strongroom::desk::Desk;
use strongroom::ground::clock::{Clock, MachineClock};
use strongroom::ground::keys_folder::{LockSource, UNLOCK};
use strongroom::notice;
use strongroom::open::{self, Places, Rows};
use tower::ServiceExt;

type Failed = Box<dyn std::error::Error>;

const CUSTOMERS: usize = 100_000;
const POLICY: &str = include_str!("../../../examples/harbour-hill/shop.toml");
const HEAD: &str = "[purpose.marketing_email]\n";

fn main() -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let keys = folder.path().join("keys");
    let places = Places {
        data: folder.path().join("data"),
        rows: Rows::InFolder,
        lock: LockSource::KeyFile(keys.join(UNLOCK)),
        keys,
        epoch_days: 30,
        cache_mib: 64,
        witnesses: Vec::new(),
        trusted: Vec::new(),
    };
    let limit = format!("{HEAD}limit = \"10000000 subjects per hour, 10000000 per day\"\n");
    let clock = Arc::new(MachineClock::new());
    let today = jiff::Timestamp::from_microsecond(clock.now())?.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (policy, _) = notice::check(&POLICY.replacen(HEAD, &limit, 1), "shop.toml", today)
        .map_err(|_| "the policy of the example has errors")?;
    let made = open::init(&places, &policy, seal::Suite::Aes256Gcm, clock.clone())?;
    let house = open::open(&places, clock)?;
    let caretaker = Caretaker::start(Arc::clone(&house))?;
    let limits = LimitsConfig { requests_per_second: 0, anonymous_per_second: 0, ..LimitsConfig::default() };
    let api = Desk::new(house, caretaker, &limits).api();
    runtime.block_on(measure(&api, made.admin.as_ref()))
}

async fn measure(api: &Router, admin: &str) -> Result<(), Failed> {
    let add = |purposes: Json| json!({ "role": "service", "label": "of-a-bench", "purposes": purposes });
    let added = ask(api, admin, "/v1/credentials", &add(json!(["account", "marketing_email"]))).await?;
    let service = added.get("credential").and_then(Json::as_str).ok_or("no credential")?;
    let address = |number: usize| format!("c-{number}@shop.example");
    for first in (0..CUSTOMERS).step_by(1_000) {
        let one = |number: usize| {
            let choice = if number.is_multiple_of(2) { "granted" } else { "refused" };
            json!({ "kind": "customer", "external_id": format!("C-{number}"),
                    "fields": { "name": "Ann Lee", "email": address(number) },
                    "choices": [{ "purpose": "marketing_email", "choice": choice, "notice": { "version": 1, "language": "en" } }] })
        };
        let items: Vec<Json> = (first..first + 1_000).map(one).collect();
        ask(api, service, "/v1/records:batch", &json!({ "items": items })).await?;
    }
    let values: Vec<String> = (0..CUSTOMERS).map(address).collect();
    let question = json!({ "purpose": "marketing_email", "field": "email", "values": values });
    let mut out = std::io::stdout().lock();
    for round in 1..=5 {
        let began = Instant::now();
        let answer = ask(api, service, "/v1/choices:may", &question).await?;
        let took = began.elapsed();
        writeln!(
            out,
            "round {round}: {CUSTOMERS} addresses in {} ms, {} may",
            took.as_millis(),
            answer.get("allowed").unwrap_or(&Json::Null)
        )?;
    }
    Ok(())
}

async fn ask(api: &Router, by: &str, path: &str, body: &Json) -> Result<Json, Failed> {
    let request = Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {by}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))?;
    let answer = api.clone().oneshot(request).await?;
    let status = answer.status();
    let bytes = answer.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        return Err(format!("{path}: {status}").into());
    }
    Ok(serde_json::from_slice(&bytes)?)
}
