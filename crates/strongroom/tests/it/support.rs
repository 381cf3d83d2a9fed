//! What the tests stand on: a house in a folder of its own, its clock, its callers, and what must be true of it at the end.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "tests stop at the first thing that is not as they say"
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::engine::Home;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use ledger::entry::{Act, Entry};
use serde_json::{Value as Json, json};
use strongroom::caretaker::Caretaker;
use strongroom::config::{Config, LimitsConfig};
use strongroom::desk::{Desk, Server};
use strongroom::ground::clock::{Clock, SetClock};
use strongroom::ground::keys_folder::{LockSource, UNLOCK};
use strongroom::ground::{House, Role, Shop, heads};
use strongroom::open::{self, Places, Rows};
use strongroom::{account, notice};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// The example's policy: two kinds, nine purposes, two recipients.
pub(crate) const POLICY: &str = include_str!("../../../../examples/harbour-hill/shop.toml");
/// More of it: a field that takes a consent, and a purpose whose clock runs from what happens to orders.
const MORE: &str = r#"
[field.birth_date]
kind = "date"
category = "user.demographic.date_of_birth"
label = { zh = "生日", en = "Birthday" }

[purpose.birthday]
use = "marketing.communications.email"
basis = "consent"
says = { zh = "在您生日时问候您", en = "To wish you well on your birthday" }
fields = ["birth_date"]
keep = "until withdrawn"

[purpose.loyalty]
use = "essential.service"
basis = "contract"
says = { zh = "管理您的会员等级", en = "To keep your standing with us" }
fields = ["customer.name"]
keep = "5y after order.completed"
at_most = "6y after collected"
"#;
/// When every house begins: Monday 2026-11-23, 10:00 in the shop's zone.
pub(crate) const START: &str = "2026-11-23T02:00:00Z";

/// A house on a bench. When it is dropped it is opened once more from disk, and everything in it is checked.
pub(crate) struct Bench {
    /// The clock: it moves when it is told to.
    pub(crate) clock: Arc<SetClock>,
    /// Where everything is.
    pub(crate) places: Places,
    /// The first admin of the first shop.
    pub(crate) admin: Key,
    /// The key that verifies the first shop's ledger, as `init` printed it.
    pub(crate) verifier: String,
    runtime: Runtime,
    limits: LimitsConfig,
    inside: Option<Inside>,
    /// Another house on the same rows, when the run is for two servers behind one address; and whose turn it is.
    beside: Option<Inside>,
    turn: AtomicUsize,
    server: Option<Server>,
    at_the_end: AtTheEnd,
    _home: Option<Home>,
    _folder: TempDir,
}

struct Inside {
    desk: Arc<Desk>,
    api: Router,
    admin: Router,
}

/// What is looked at when a bench is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtTheEnd {
    Everything,
    Nothing,
}

/// A credential.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) String);

impl Bench {
    /// A house with the example's shop.
    pub(crate) fn new() -> Bench {
        Bench::with_policy(POLICY)
    }

    /// A house whose shop has this policy.
    pub(crate) fn with_policy(policy: &str) -> Bench {
        Bench::with(
            policy,
            LimitsConfig { requests_per_second: 0, anonymous_per_second: 0, ..LimitsConfig::default() },
        )
    }

    /// A house whose shop has this policy, and seals with this suite.
    pub(crate) fn of_suite(policy: &str, suite: seal::Suite) -> Bench {
        let limits =
            LimitsConfig { requests_per_second: 0, anonymous_per_second: 0, ..LimitsConfig::default() };
        Bench::make(policy, suite, limits)
    }

    /// A house in which a credential may ask for so much.
    pub(crate) fn with(policy: &str, limits: LimitsConfig) -> Bench {
        Bench::make(policy, seal::Suite::Aes256Gcm, limits)
    }

    fn make(policy: &str, suite: seal::Suite, limits: LimitsConfig) -> Bench {
        hear_the_log();
        let folder = folder();
        let keys = folder.path().join("keys");
        let home = Home::new();
        if let Some(home) = &home {
            home.stands_for(&folder.path().join("data"));
        }
        let places = Places {
            data: folder.path().join("data"),
            rows: home.as_ref().map_or(Rows::InFolder, Home::rows),
            lock: LockSource::KeyFile(keys.join(UNLOCK)),
            keys,
            epoch_days: 30,
            cache_mib: 8,
            witnesses: Vec::new(),
            trusted: Vec::new(),
        };
        let start: jiff::Timestamp = START.parse().unwrap();
        let clock = Arc::new(SetClock::at(start.as_microsecond()));
        let made = open::init(&places, &checked(policy), suite, clock.clone()).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut bench = Bench {
            clock,
            places,
            admin: Key(made.admin.to_string()),
            verifier: made.verifier_key,
            runtime,
            limits,
            inside: None,
            beside: None,
            turn: AtomicUsize::new(0),
            server: None,
            at_the_end: AtTheEnd::Everything,
            _home: home,
            _folder: folder,
        };
        bench.open();
        bench
    }

    /// Opens the house from disk.
    pub(crate) fn open(&mut self) {
        let house = open::open(&self.places, self.clock.clone()).unwrap();
        self.inhabit(house);
    }

    /// Opens the house with its database on another disk.
    pub(crate) fn open_on(&mut self, disk: store::vfs::Disk) {
        let house = open::open_on(disk, &self.places, self.clock.clone()).unwrap();
        self.inhabit(house);
    }

    fn inhabit(&mut self, house: Arc<House>) {
        self.inside = Some(self.at_a_desk(house));
        if let Some(places) = self.places_beside() {
            let house = open::open(&places, self.clock.clone()).unwrap();
            self.beside = Some(self.at_a_desk(house));
        }
    }

    fn at_a_desk(&self, house: Arc<House>) -> Inside {
        let mut caretaker = Caretaker::start(Arc::clone(&house)).unwrap();
        // Its rounds are made when a test says so.
        caretaker.stop();
        let desk = Desk::new(house, caretaker, &self.limits);
        Inside { api: desk.api(), admin: desk.admin(), desk }
    }

    /// Where another process has its data folder, when the run is for two servers.
    fn places_beside(&self) -> Option<Places> {
        let data = self.places.data.with_file_name("data-beside");
        let places = Places { data, ..self.places.clone() };
        (crate::engine::two_servers() && matches!(places.rows, Rows::OnServer(_))).then(|| {
            strongroom::ground::keys_folder::make_private_folder(&places.data).unwrap();
            places
        })
    }

    /// Another house on the same rows and keys, as another process has it. Nothing, when the run is for a folder.
    pub(crate) fn another_house(&self) -> Option<Arc<House>> {
        let data = self.places.data.with_file_name("data-of-another");
        let places = Places { data, ..self.places.clone() };
        matches!(places.rows, Rows::OnServer(_)).then(|| {
            strongroom::ground::keys_folder::make_private_folder(&places.data).unwrap();
            open::open(&places, self.clock.clone()).unwrap()
        })
    }

    /// Closes the house, as a process that ends does.
    pub(crate) fn close(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.close());
        }
        if let Some(beside) = self.beside.take() {
            beside.desk.house.close();
        }
        if let Some(inside) = self.inside.take() {
            // It lets another do what one does for all.
            inside.desk.caretaker.lock().unwrap_or_else(PoisonError::into_inner).stop();
            if inside.desk.house.store.is_shared() {
                let _ = strongroom::neighbours::keep_up(&inside.desk.house);
            }
            let _ = heads::write_heads(&inside.desk.house);
            inside.desk.house.store.close();
        }
    }

    /// Leaves out the checks at the end: for a test that breaks the house on purpose.
    pub(crate) fn is_broken_on_purpose(&mut self) {
        self.at_the_end = AtTheEnd::Nothing;
    }

    /// The desk.
    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.inside.as_ref().expect("the house is open").desk
    }

    /// All houses on these rows: one, or two when the run is for two servers.
    pub(crate) fn houses(&self) -> impl Iterator<Item = &Arc<House>> {
        self.inside.iter().chain(&self.beside).map(|inside| &inside.desk.house)
    }

    /// The house.
    pub(crate) fn house(&self) -> &Arc<House> {
        &self.desk().house
    }

    /// The first shop.
    pub(crate) fn shop(&self) -> Arc<Shop> {
        self.house().shops().remove(0)
    }

    /// Runs something asynchronous.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Now, µs UTC.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Time passes.
    pub(crate) fn pass(&self, micros: i64) {
        self.clock.pass(micros);
    }

    /// The caretaker makes its round, and another for the jobs that the first one found.
    pub(crate) fn round(&self) {
        for _ in 0..2 {
            if let Some(beside) = &self.beside {
                // It keeps up; the one that was there first does what one does for all.
                strongroom::neighbours::keep_up(&beside.desk.house).unwrap();
            }
            self.desk().caretaker.lock().unwrap_or_else(PoisonError::into_inner).round().unwrap();
        }
    }

    /// Another shop in the same house. Gives its first admin.
    pub(crate) fn add_shop(&self, name: &str) -> Key {
        let policy = POLICY.replace("id = \"harbour-hill\"", &format!("id = \"{name}\""));
        Key(open::add_shop(self.house(), &checked(&policy), seal::Suite::Aes256Gcm)
            .unwrap()
            .admin
            .to_string())
    }

    /// A fresh credential of the first shop.
    pub(crate) fn key(&self, role: Role, purposes: &[&str]) -> Key {
        self.key_by(&self.admin, role, purposes)
    }

    /// A fresh credential that an admin makes.
    pub(crate) fn key_by(&self, admin: &Key, role: Role, purposes: &[&str]) -> Key {
        let body = json!({ "role": role.name(), "label": "of-a-test", "purposes": purposes });
        let made = self.post(admin, "/v1/credentials", &body).is(201);
        Key(made["credential"].as_str().unwrap().to_owned())
    }

    /// A service that may use everything.
    pub(crate) fn service(&self) -> Key {
        self.key(Role::Service, &ALL_PURPOSES)
    }

    /// A service that may use data for these purposes.
    pub(crate) fn service_for(&self, purposes: &[&str]) -> Key {
        self.key(Role::Service, purposes)
    }

    /// Posts JSON.
    pub(crate) fn post(&self, key: &Key, path: &str, body: &Json) -> Reply {
        self.send(key.posts(path).body(Body::from(body.to_string())).unwrap())
    }

    /// Posts JSON under an `Idempotency-Key`.
    pub(crate) fn post_once(&self, key: &Key, once: &str, path: &str, body: &Json) -> Reply {
        let request = key.posts(path).header("idempotency-key", once);
        self.send(request.body(Body::from(body.to_string())).unwrap())
    }

    /// Posts bytes as they are.
    pub(crate) fn post_bytes(&self, key: &Key, path: &str, body: impl Into<Bytes>) -> Reply {
        self.send(key.posts(path).body(Body::from(body.into())).unwrap())
    }

    /// Gets.
    pub(crate) fn get(&self, key: &Key, path: &str) -> Reply {
        self.send(key.request(Method::GET, path).body(Body::empty()).unwrap())
    }

    /// Gets without a credential.
    pub(crate) fn get_as_stranger(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap())
    }

    /// Gets at the admin door.
    pub(crate) fn get_at_admin_door(&self, path: &str) -> Reply {
        let router = self.inside.as_ref().expect("the house is open").admin.clone();
        self.runtime.block_on(answer(router, Request::get(path).body(Body::empty()).unwrap()))
    }

    /// Sends any request to the API.
    pub(crate) fn send(&self, request: Request<Body>) -> Reply {
        self.runtime.block_on(answer(self.api(), request))
    }

    /// The API's router, for tests that ask from several threads.
    pub(crate) fn api(&self) -> Router {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        if let Some(beside) = self.beside.as_ref().filter(|_| turn % 2 == 1) {
            return beside.api.clone();
        }
        self.inside.as_ref().expect("the house is open").api.clone()
    }

    /// Opens the doors on loopback. Gives where the API listens.
    pub(crate) fn serve(&mut self) -> std::net::SocketAddr {
        let mut config = Config::default();
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.server.admin = ([127, 0, 0, 1], 0).into();
        let served = strongroom::desk::serve(self.desk(), &config, &self.places.data);
        let server = self.runtime.block_on(served).unwrap();
        let api = server.listening.api;
        self.server = Some(server);
        api
    }

    /// Writes a customer of this external id. Gives the subject's public id.
    pub(crate) fn customer(&self, by: &Key, id: &str) -> String {
        let body = json!({
            "kind": "customer", "external_id": id,
            "fields": { "name": "Ann Lee", "email": format!("{id}@shop.example"), "phone": "138 1234 5678" },
        });
        self.post(by, "/v1/records", &body).is(201)["subject"].as_str().unwrap().to_owned()
    }

    /// Writes an order of a customer. Gives the record's public id.
    pub(crate) fn order(&self, by: &Key, customer: &str, id: &str) -> String {
        let body = json!({
            "kind": "order", "external_id": id, "subject": { "external_id": customer },
            "fields": {
                "recipient_name": "陈小红", "phone": "+86 139 0013 9000", "address": "上海市淮海中路 1 号",
                "items": "Longjing 100 g", "amount": "128.50", "payment_reference": "PAY-20261123-0001",
                "invoice_title": "Ann Lee", "tax_number": "110101199003070015",
            },
        });
        self.post(by, "/v1/records", &body).is(201)["record"].as_str().unwrap().to_owned()
    }

    /// Says that something happened to an order.
    pub(crate) fn event(&self, by: &Key, order: &str, event: &str) {
        let body = json!({ "record": { "kind": "order", "external_id": order }, "event": event });
        self.post(by, "/v1/records:event", &body).is(200);
    }

    /// Records what a customer chose.
    pub(crate) fn choose(&self, by: &Key, customer: &str, purpose: &str, choice: &str) -> Json {
        let body = json!({
            "subject": { "external_id": customer }, "purpose": purpose, "choice": choice,
            "notice": { "version": 1, "language": "zh" },
        });
        self.post(by, "/v1/choices", &body).is(201)
    }

    /// Every entry of the first shop's log, without entering that it was read.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        entries_of(self.house(), &self.shop())
    }

    /// How many entries of an act there are.
    pub(crate) fn count(&self, act: Act) -> usize {
        self.entries().iter().filter(|entry| entry.act == act).count()
    }
}

/// Every entry of a shop's log.
pub(crate) fn entries_of(house: &House, shop: &Shop) -> Vec<Entry> {
    let log = shop.log();
    let packed = house.store.look_blocking::<_, strongroom::ground::Problem, _>(move |view| {
        let size = view.log_head(log)?.map_or(0, |head| head.size);
        let mut packed = Vec::new();
        for first in (0..size).step_by(256) {
            packed.extend(view.leaves_packed(log, first, size.min(first + 256))?);
        }
        Ok(packed)
    });
    store::Unpack(&packed.unwrap()).map(|leaf| Entry::decode(leaf).unwrap()).collect()
}

/// Every purpose of the example's policy.
pub(crate) const ALL_PURPOSES: [&str; 7] =
    ["account", "delivery", "payment", "after_sales", "tax", "marketing_email", "recommendations"];

impl Key {
    /// A request of this caller.
    pub(crate) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.0))
    }

    /// A POST of this caller.
    pub(crate) fn posts(&self, path: &str) -> axum::http::request::Builder {
        self.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json")
    }

    /// The credential's public id.
    pub(crate) fn id(&self) -> &str {
        self.0.rsplit_once('_').expect("a credential").0
    }
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The answer's JSON, when it has this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Json {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The problem of this status and code. Every problem is looked at closely.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Json {
        let problem = self.is_a_problem();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{problem}");
        problem
    }

    /// A problem, whatever its code: RFC 9457, a stable code, never a fault of ours.
    #[track_caller]
    pub(crate) fn is_a_problem(&self) -> Json {
        assert!((400..500).contains(&self.status), "{} {}", self.status, self.text());
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        let code = problem["code"].as_str().unwrap_or_default();
        assert!(code.starts_with("SR-"), "{problem}");
        assert_eq!(problem["type"], format!("urn:strongroom:problem:{code}"));
        assert_eq!(problem["status"], self.status);
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        problem
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a router answers.
pub(crate) async fn answer(router: Router, request: Request<Body>) -> Reply {
    let response = router.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: head.status.as_u16(), headers: head.headers, body }
}

/// A policy without errors.
pub(crate) fn checked(policy: &str) -> notice::Checked {
    let start: jiff::Timestamp = START.parse().unwrap();
    let today = start.to_zoned(jiff::tz::TimeZone::UTC).date();
    match notice::check(policy, "shop.toml", today) {
        Ok((checked, _)) => checked,
        Err(fault) => panic!("the policy of a test has errors: {:?}", fault.1.findings),
    }
}

/// The example's policy, and more: see [`MORE`].
pub(crate) fn longer_policy() -> String {
    let kinds = "fields = [\"name\", \"email\", \"phone\"]";
    assert!(POLICY.contains(kinds));
    format!(
        "{}{MORE}",
        POLICY.replacen(kinds, "fields = [\"name\", \"email\", \"phone\", \"birth_date\"]", 1)
    )
}

/// An instant, µs UTC.
pub(crate) fn at(instant: &str) -> i64 {
    instant.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// A fresh folder, in memory where there is such a place.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { PathBuf::from(memory) } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("strongroom-test-").tempdir_in(place).unwrap()
}

static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

/// Everything that any house of this process has logged.
pub(crate) fn logged() -> String {
    let heard = hear_the_log();
    let bytes = heard.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hear_the_log() -> &'static Arc<Mutex<Vec<u8>>> {
    LOG.get_or_init(|| {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Ear(Arc::clone(&heard));
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || ear.clone());
        // Another binary's subscriber would be somebody else's log; in this one there is no other.
        subscriber.init();
        heard
    })
}

#[derive(Clone)]
struct Ear(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let failed_jobs =
            self.inside.as_ref().map_or(0, |inside| inside.desk.doing.jobs_failed.load(Ordering::Relaxed));
        self.close();
        if std::thread::panicking() || self.at_the_end == AtTheEnd::Nothing {
            return;
        }
        assert_eq!(failed_jobs, 0, "jobs failed");
        let house = open::open(&self.places, self.clock.clone()).expect("the house opens again from disk");
        for shop in house.shops() {
            let note = heads::sign(&house, &shop).unwrap();
            let report = account::verify_log(&house, &shop, note, &|_| {}).unwrap();
            assert!(report.is_verified(), "the log does not verify: {report:?}");
            let deep = account::deep_check(&house, &shop, &mut |_, _| {}).unwrap();
            assert!(deep.findings.is_empty(), "the deep check finds: {:?}", deep.findings);
        }
        house.store.close();
    }
}
