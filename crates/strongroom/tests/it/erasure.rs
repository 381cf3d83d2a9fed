//! Erasure, terms, epochs: what is gone is gone, on time, for everybody, and can be shown to be.

#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::indexing_slicing,
    reason = "tests stop at the first thing that is not as they say"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use ledger::entry::{Act, Figure, Outcome};
use ledger::note::Verifier;
use ledger::opening::Tag;
use ledger::receipt::Receipt;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use strongroom::collect::import::rows::Format;
use strongroom::collect::import::{self, Import};
use strongroom::erase::{Rotated, RotationStep};
use strongroom::ground::clock::{DAY, parse_instant};
use strongroom::ground::keys_folder::KeysFolder;
use strongroom::ground::permits::Permits;
use strongroom::ground::web::Caller;
use strongroom::ground::{Actor, Problem, Role};
use strongroom::{keep, open, people, reveal};
use tokio::runtime::Handle;

use crate::support::{ALL_PURPOSES, Bench, Key, Reply, answer, at, longer_policy};

const REVEAL: &str = "/v1/records:reveal";

/// A customer with an order that was completed, and who may do what.
struct House {
    bench: Bench,
    service: Key,
    officer: Key,
    subject: String,
    order: String,
}

impl House {
    fn new() -> House {
        House::with(Bench::new())
    }

    fn with(bench: Bench) -> House {
        let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
        let subject = bench.customer(&service, "42");
        let order = bench.order(&service, "42", "O-1");
        bench.event(&service, "O-1", "completed");
        House { bench, service, officer, subject, order }
    }

    fn erase(&self) -> Reply {
        self.bench.post(&self.officer, &format!("/v1/subjects/{}:erase", self.subject), &json!({}))
    }

    fn reveal(&self, purpose: &str) -> Reply {
        self.bench.post(
            &self.service,
            REVEAL,
            &json!({ "purpose": purpose, "subject": { "id": self.subject } }),
        )
    }

    fn find(&self) -> Reply {
        self.bench.post(&self.officer, "/v1/subjects:find", &json!({ "subject": { "id": self.subject } }))
    }
}

fn until(reply: &Json) -> i64 {
    parse_instant(reply["records"][0]["until"].as_str().unwrap()).unwrap()
}

fn first_reason(reply: &Reply) -> String {
    reply.problem(403, "SR-REVEAL-001")["reasons"][0]["name"].as_str().unwrap().to_owned()
}

// ── A person ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_certificate_gives_both_dates_and_what_a_law_keeps_and_a_stranger_can_verify_it() {
    let house = House::new();
    let certificate = house.erase().is(200);
    assert_eq!(certificate["format"], "strongroom-certificate/1");
    let text = certificate["body"].as_str().unwrap();
    let body: Json = serde_json::from_str(text).unwrap();
    assert_eq!((&body["shop"], &body["subject"]), (&json!("harbour-hill"), &json!(house.subject)));
    assert_eq!(body["unreadable_here_since"], "2026-11-23T02:00:00Z");
    assert_eq!(body["unreadable_everywhere_by"], "2026-12-23T02:00:00Z", "thirty days later, with the epoch");
    assert_eq!(body["retained"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&body["retained"][0]["purpose"], &body["retained"][0]["must_keep"]),
        (&json!("tax"), &json!("10y after order.completed"))
    );
    assert!(body["retained"][0]["law"].as_str().unwrap().contains("税收征收管理法"));
    assert_eq!(
        body["retained"][0]["fields"],
        json!([
            "order.amount",
            "order.invoice_title",
            "order.items",
            "order.tax_number",
            "order.external_id"
        ])
    );

    let receipt = Receipt::from_json(&certificate["receipt"].to_string()).unwrap();
    let proved =
        receipt.verify(&Verifier::parse(&house.bench.verifier).unwrap(), "strongroom/harbour-hill").unwrap();
    assert_eq!((proved.entry.act, proved.entry.alias), (Act::Erased, None), "the entry leads nowhere");
    assert_eq!(proved.opening.text(Tag::Subject), Some(house.subject.as_str()));
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    assert_eq!(proved.opening.digest(), Some(digest), "the entry commits to these very bytes");
    let named: Vec<String> = proved
        .entry
        .destroyed
        .iter()
        .map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    let told: Vec<&str> =
        body["destroyed_keys"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!((told.len(), named[0].as_str()), (1, told[0]));
}

#[test]
fn asking_again_gives_the_same_certificate_also_after_everything_was_cleaned_up_and_the_house_reopened() {
    let mut house = House::new();
    let first = house.erase().is(200);
    let entries = house.bench.entries().len();
    house.bench.pass(5 * DAY);
    let second = house.erase().is(200);
    assert_eq!(house.bench.entries().len(), entries, "nothing is destroyed twice");
    house.bench.round();
    house.bench.close();
    house.bench.open();
    let third = house.erase().is(200);
    for later in [&second, &third] {
        assert_eq!(later["body"], first["body"]);
        for part in ["entry_index", "entry", "salt", "opening"] {
            assert_eq!(later["receipt"][part], first["receipt"][part], "{part}");
        }
    }
    let receipt = Receipt::from_json(&third["receipt"].to_string()).unwrap();
    receipt.verify(&Verifier::parse(&house.bench.verifier).unwrap(), "strongroom/harbour-hill").unwrap();
}

/// What no route may give after an erasure.
const VALUES: [&str; 9] = [
    "Ann Lee",
    "42@shop",
    "12345678",
    "陈小红",
    "淮海中路",
    "13900139000",
    "****9000",
    "PAY-2026",
    "shop.example",
];

fn nothing_comes_out(house: &House) {
    let (bench, by) = (&house.bench, &house.service);
    let subject = json!({ "id": house.subject });
    for purpose in ALL_PURPOSES.into_iter().filter(|purpose| *purpose != "tax") {
        for target in [
            json!({ "subject": subject }),
            json!({ "record": house.order }),
            json!({ "subject": { "external_id": "42" } }),
        ] {
            let mut ask = target.clone();
            ask["purpose"] = json!(purpose);
            let reply = bench.post(by, REVEAL, &ask);
            assert!([403, 404, 410].contains(&reply.status), "{ask}: {} {}", reply.status, reply.text());
        }
    }
    for (field, value) in [
        ("phone", "13812345678"),
        ("phone", "13900139000"),
        ("email", "42@shop.example"),
        ("payment_reference", "PAY-20261123-0001"),
    ] {
        for purpose in ["account", "after_sales", "payment", "tax"] {
            let ask = json!({ "purpose": purpose, "field": field, "value": value });
            assert_eq!(bench.post(by, "/v1/records:search", &ask).is(200)["matches"], json!([]));
        }
        let ask = json!({ "purpose": "account", "subject": { "match": { (field): value } } });
        bench.post(by, REVEAL, &ask).problem(404, "SR-KEEP-018");
    }
    let token = json!({ "purpose": "after_sales", "record": house.order, "field": "phone" });
    assert!([403, 404].contains(&bench.post(by, "/v1/tokens", &token).status));
    let auditor = bench.key(Role::Auditor, &[]);
    for key in [by, &house.officer, &auditor, &bench.admin] {
        for path in ["/v1/ledger/entries?from=0", "/v1/ledger/entries?from=10", "/v1/credentials"] {
            let text = bench.get(key, path).text();
            assert!(VALUES.iter().all(|value| !text.contains(value)), "{path}: {text}");
        }
    }
    let found = house.find().text();
    assert!(VALUES.iter().all(|value| !found.contains(value)), "{found}");
}

#[test]
fn after_an_erasure_no_route_gives_anything_but_what_a_law_keeps() {
    let house = House::new();
    house.bench.choose(&house.service, "42", "marketing_email", "granted");
    house.erase().is(200);
    assert_eq!(first_reason(&house.reveal("account")), "erased");
    for _ in 0..2 {
        nothing_comes_out(&house);
        let kept = house
            .bench
            .post(&house.service, REVEAL, &json!({ "purpose": "tax", "record": house.order }))
            .is(200);
        let kept_fields = json!({ "items": "Longjing 100 g", "amount": "128.5", "invoice_title": "Ann Lee", "tax_number": "110101199003070015" });
        assert_eq!(kept["records"][0]["fields"], kept_fields);
        house.bench.round();
    }
    // Behind the dead key everything else is gone from the rows too.
    let found = house.find().is(200);
    assert_eq!((&found["standing"], &found["choices"]), (&json!("erased"), &json!([])));
    assert_eq!(found["records"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["records"][0]["fields"], json!(["amount", "invoice_title", "items", "tax_number"]));
    assert_eq!(house.bench.count(Act::Cleaned), 2, "choices, and the customer's record");
}

#[test]
fn what_a_law_keeps_opens_only_for_who_has_its_purpose() {
    let house = House::new();
    house.erase().is(200);
    let others = house.bench.service_for(&["account", "delivery", "payment", "after_sales"]);
    let ask = json!({ "purpose": "tax", "record": house.order });
    house.bench.post(&others, REVEAL, &ask).problem(404, "SR-KEEP-001");
    let wide = json!({ "purpose": "tax", "record": house.order, "fields": ["address", "amount"] });
    let shown = house.bench.post(&house.service, REVEAL, &wide).is(200)["records"][0].clone();
    assert_eq!(
        (&shown["fields"], &shown["refused"][0]["fields"]),
        (&json!({ "amount": "128.5" }), &json!(["address"]))
    );
    house.bench.round();
}

#[test]
fn nothing_can_be_written_to_an_erased_subject() {
    let house = House::new();
    house.erase().is(200);
    let (bench, by) = (&house.bench, &house.service);
    let subject = json!({ "id": house.subject });
    let notice = json!({ "version": 1, "language": "zh" });
    for (path, body) in [
        ("/v1/records", json!({ "kind": "order", "subject": subject, "fields": { "items": "tea" } })),
        ("/v1/records", json!({ "kind": "order", "external_id": "O-1", "fields": { "items": "tea" } })),
        ("/v1/records:event", json!({ "record": house.order, "event": "delivered" })),
        (
            "/v1/choices",
            json!({ "subject": subject, "purpose": "marketing_email", "choice": "granted", "notice": notice }),
        ),
    ] {
        bench.post(by, path, &body).problem(410, "SR-KEEP-002");
    }
    bench.round();
    bench
        .post(
            by,
            "/v1/records",
            &json!({ "kind": "order", "external_id": "O-1", "fields": { "items": "tea" } }),
        )
        .problem(410, "SR-KEEP-002");
}

#[test]
fn a_row_of_somebody_erased_is_counted_as_absent_before_and_after_the_rows_are_gone() {
    let house = House::new();
    let import = || {
        let caller = Caller { shop: house.bench.shop(), actor: Actor::Operator };
        let import = Import {
            file: &b"number,name\n42,Ann\n"[..],
            format: Format::Csv,
            encoding: None,
            mapping: "kind = \"customer\"\nexternal_id = \"number\"\n[fields]\nname = \"name\"\n".to_owned(),
            digest: [7; 32],
        };
        house.bench.block_on(async {
            let here = Handle::current();
            let inside = Arc::clone(house.bench.house());
            let run = move || import::run(&here, &inside, &caller, import, |_| Ok(())).unwrap();
            tokio::task::spawn_blocking(run).await.unwrap()
        })
    };
    let first = import();
    assert_eq!((first.rows, first.updated, first.rejected), (1, 1, 0), "{first:?}");
    house.erase().is(200);
    for _ in 0..2 {
        let again = import();
        assert_eq!((again.rows, again.absent, again.rejected), (1, 1, 0), "{again:?}");
        house.bench.round();
    }
}

#[test]
fn who_was_erased_can_come_again_and_is_somebody_else() {
    let house = House::new();
    house.erase().is(200);
    house.bench.round();
    let again = house.bench.customer(&house.service, "42");
    assert_ne!(again, house.subject);
    let shown = house
        .bench
        .post(&house.service, REVEAL, &json!({ "purpose": "account", "subject": { "external_id": "42" } }))
        .is(200);
    assert_eq!(shown["subject"], again.as_str());
    house.reveal("account").problem(404, "SR-REVEAL-005");
}

#[test]
fn of_two_who_shared_a_number_the_living_one_is_found_before_anything_is_cleaned_up() {
    let house = House::new();
    let other = house.bench.customer(&house.service, "43");
    let ask = json!({ "purpose": "account", "subject": { "match": { "phone": "13812345678" } } });
    house.bench.post(&house.service, REVEAL, &ask).problem(409, "SR-KEEP-019");
    house.erase().is(200);
    assert_eq!(house.bench.post(&house.service, REVEAL, &ask).is(200)["subject"], other.as_str());
    house.bench.round();
}

#[test]
fn a_subject_of_whom_no_law_keeps_anything_is_forgotten_altogether() {
    let bench = Bench::new();
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let subject = bench.customer(&service, "42");
    let erase = || bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
    let first = erase();
    let body: Json = serde_json::from_str(first["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["retained"], json!([]));
    let ask = json!({ "purpose": "account", "subject": { "id": subject } });
    bench.post(&service, REVEAL, &ask).problem(410, "SR-KEEP-002");
    bench.round();
    bench.post(&service, REVEAL, &ask).problem(404, "SR-KEEP-001");
    assert_eq!(erase()["body"], first["body"]);
}

#[test]
fn only_a_subject_of_this_shop_can_be_erased_and_only_that_is_done_there() {
    let house = House::new();
    let path = |rest: &str| format!("/v1/subjects/{rest}");
    for rest in [
        "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa:erase".to_owned(),
        format!("{}:erase", house.order),
        ":erase".to_owned(),
    ] {
        house.bench.post(&house.officer, &path(&rest), &json!({})).problem(404, "SR-KEEP-001");
    }
    for rest in
        [house.subject.clone(), format!("{}:forget", house.subject), format!("{}:erase:erase", house.subject)]
    {
        assert_eq!(house.bench.post(&house.officer, &path(&rest), &json!({})).is_a_problem()["status"], 404);
    }
    let sure = json!({ "sure": true });
    house
        .bench
        .post(&house.officer, &path(&format!("{}:erase", house.subject)), &sure)
        .problem(422, "SR-HTTP-003");
    house.reveal("account").is(200);
    // An empty body is as good as `{}`.
    assert_eq!(
        house.bench.post_bytes(&house.officer, &path(&format!("{}:erase", house.subject)), "").status,
        200
    );
}

#[test]
fn a_destroyed_key_is_named_beside_the_keyring_before_anybody_is_told() {
    let mut house = House::new();
    let certificate = house.erase().is(200);
    house.bench.close();
    let (_, listed) = KeysFolder::open(&house.bench.places.keys, &house.bench.places.lock).unwrap();
    let body: Json = serde_json::from_str(certificate["body"].as_str().unwrap()).unwrap();
    let listed: Vec<String> = listed.iter().map(|destroyed| destroyed.id.to_string()).collect();
    assert_eq!(json!(listed), body["destroyed_keys"]);
    house.bench.open();
    house.bench.round();
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_purpose_is_over_at_its_exact_end_and_its_key_dies_on_the_monday_after() {
    let house = House::new();
    let (bench, by) = (&house.bench, &house.service);
    let closed =
        json!({ "kind": "customer", "external_id": "42", "events": { "closed": "2026-11-23T02:00:00Z" } });
    bench.post(by, "/v1/records", &closed).is(200);
    let end = until(&house.reveal("account").is(200));
    assert_eq!(end, at("2026-12-23T02:00:00Z"), "30 days after the account was closed");

    bench.pass(end - 1 - bench.now());
    house.reveal("account").is(200);
    bench.pass(1);
    assert_eq!(first_reason(&house.reveal("account")), "ended");
    bench.round();
    assert_eq!(bench.count(Act::Expired), 0, "the key is shared with all that ends in this week");

    bench.pass(at("2026-12-28T00:00:00Z") - bench.now());
    let before = bench.entries().len();
    bench.round();
    let expired: Vec<_> =
        bench.entries()[before..].iter().filter(|entry| entry.act == Act::Expired).cloned().collect();
    assert_eq!((expired.len(), expired[0].destroyed.len()), (1, 1));
    assert_eq!(expired[0].figure(Figure::TermEnd).map(u64::cast_signed), Some(at("2026-12-28T00:00:00Z")));
    // Of the customer's own record nothing is left; the order lives on.
    let found = house.find().is(200);
    let kinds: Vec<&str> =
        found["records"].as_array().unwrap().iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order"]);
}

#[test]
fn what_a_law_keeps_ends_with_its_term_also_of_an_erased_subject() {
    let house = House::new();
    let (bench, by) = (&house.bench, &house.service);
    let certificate = house.erase().is(200);
    bench.round();
    let ask = json!({ "purpose": "tax", "record": house.order });
    let end = until(&bench.post(by, REVEAL, &ask).is(200));
    // A law counts whole days on the shop's calendar: to the end of 23 November 2036 in Shanghai.
    assert_eq!(end, at("2036-11-23T16:00:00Z"));
    bench.pass(end - 1 - bench.now());
    bench.post(by, REVEAL, &ask).is(200);
    bench.pass(1);
    assert_eq!(first_reason(&bench.post(by, REVEAL, &ask)), "ended");
    bench.pass(7 * DAY);
    bench.round();
    bench.post(by, REVEAL, &ask).problem(404, "SR-KEEP-001");
    house.find().problem(404, "SR-KEEP-001");
    assert_eq!(house.erase().is(200)["body"], certificate["body"]);
}

#[test]
fn what_stands_until_it_is_withdrawn_goes_when_it_is_withdrawn() {
    let bench = Bench::with_policy(&longer_policy());
    let by = bench.service_for(&["birthday", "account"]);
    let notice = json!({ "version": 1, "language": "zh" });
    let body = json!({ "kind": "customer", "external_id": "42", "fields": { "name": "Ann Lee", "birth_date": "1990-03-07" },
                       "choices": [{ "purpose": "birthday", "choice": "granted", "notice": notice }] });
    bench.post(&by, "/v1/records", &body).is(201);
    let ask = json!({ "purpose": "birthday", "subject": { "external_id": "42" } });
    let shown = bench.post(&by, REVEAL, &ask).is(200);
    assert!(shown["records"][0].get("until").is_none(), "nobody knows when: {shown}");
    bench.pass(300 * DAY);
    bench.round();
    bench.post(&by, REVEAL, &ask).is(200);

    bench.choose(&by, "42", "birthday", "withdrawn");
    assert_eq!(first_reason(&bench.post(&by, REVEAL, &ask)), "objected");
    let fields = || {
        let find = json!({ "subject": { "external_id": "42" } });
        bench.post(&by, "/v1/subjects:find", &find).is(200)["records"][0]["fields"].clone()
    };
    assert_eq!(fields(), json!(["birth_date", "name"]), "it is still sealed, and opens for nobody");
    bench.round();
    assert_eq!(fields(), json!(["name"]));
    // Yes again brings nothing back.
    bench.choose(&by, "42", "birthday", "granted");
    assert_eq!(bench.post(&by, REVEAL, &ask).is(200)["records"][0]["fields"], json!({}));
    bench.round();
}

#[test]
fn while_the_clock_is_in_doubt_everybody_is_served_and_nothing_is_destroyed() {
    let house = House::new();
    let bench = &house.bench;
    let keys =
        || bench.house().keys.with(|ring| ring.epochs.iter().map(|epoch| epoch.number).collect::<Vec<_>>());
    let (epochs, now) = (keys(), bench.now());
    bench.clock.set_wall(now + 4_000 * DAY);
    house.erase().is(200);
    bench.round();
    assert_eq!((bench.count(Act::Expired), bench.count(Act::Cleaned), keys()), (0, 0, epochs));
    house.find().is(200);
    // Somebody says that it is right: then everything that waited is done.
    bench.house().watch.settle(bench.house().clock.as_ref());
    bench.pass(DAY);
    bench.round();
    assert!(bench.count(Act::Expired) > 0 && bench.count(Act::Cleaned) > 0);
    assert_ne!(keys(), vec![1]);
}

#[test]
fn a_clock_that_was_set_back_is_in_doubt_at_the_next_start() {
    let mut house = House::new();
    house.bench.close();
    house.bench.clock.set_wall(house.bench.now() - DAY);
    house.bench.open();
    assert!(house.bench.house().watch.in_doubt());
    house.reveal("account").is(200);
    // An entry is never older than the one before it.
    let entries = house.bench.entries();
    assert!(entries.is_sorted_by_key(|entry| entry.at));
}

// ── Epochs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

fn rotate(bench: &Bench, progress: impl FnMut(RotationStep)) -> Result<Rotated, Problem> {
    bench.desk().caretaker.lock().unwrap_or_else(std::sync::PoisonError::into_inner).rotate(progress)
}

fn epochs(bench: &Bench) -> Vec<u32> {
    bench.house().keys.with(|ring| ring.epochs.iter().map(|epoch| epoch.number).collect())
}

/// A house with several hundred subjects, some of whom have a consent that stands until it is withdrawn.
fn many() -> (Bench, Key) {
    let bench = Bench::with_policy(&longer_policy());
    let by = bench.service_for(&["birthday", "account"]);
    let notice = json!({ "version": 1, "language": "zh" });
    let items: Vec<Json> = (0..300)
        .map(|id| json!({ "kind": "customer", "external_id": id.to_string(), "fields": { "name": "Ann Lee", "birth_date": "1990-03-07" },
                          "choices": [{ "purpose": "birthday", "choice": "granted", "notice": notice }] }))
        .collect();
    assert_eq!(bench.post(&by, "/v1/records:batch", &json!({ "items": items })).is(200)["written"], 300);
    bench.round();
    (bench, by)
}

fn all_open(bench: &Bench, by: &Key) {
    for id in (0..300).step_by(17) {
        let ask = json!({ "purpose": "birthday", "subject": { "external_id": id.to_string() } });
        assert_eq!(
            bench.post(by, REVEAL, &ask).is(200)["records"][0]["fields"],
            json!({ "birth_date": "1990-03-07" })
        );
    }
}

#[test]
fn a_new_epoch_makes_every_older_copy_dark_and_leaves_everything_open_here() {
    let (mut bench, by) = many();
    let copy = crate::support::folder();
    bench.close();
    copy_folder(&bench.places.data, &copy.path().join("data"));
    crate::engine::rows_beside(&bench.places.data, &copy.path().join("data"));
    bench.open();
    let old_keys = std::fs::read(bench.places.keys.join("keyring")).unwrap();
    let rotated = rotate(&bench, |_| {}).unwrap();
    assert_eq!((rotated.epoch, rotated.records), (2, 300));
    assert_eq!(epochs(&bench), [2]);
    assert_ne!(std::fs::read(bench.places.keys.join("keyring")).unwrap(), old_keys);
    all_open(&bench, &by);
    assert_eq!((bench.count(Act::KeyringChanged), bench.count(Act::Rotated)), (1, 1));

    // The thief: an old copy of the data, and today's keys.
    let mut places = bench.places.clone();
    places.data = copy.path().join("data");
    places.rows = open::Rows::InFolder;
    bench.close();
    let problem = open::open(&places, bench.clock.clone()).unwrap_err();
    assert_eq!(problem.code, seal::Error::NoKey.code());
    assert!(problem.help.unwrap().contains("epoch that has ended"));
    bench.open();
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

#[test]
fn a_change_of_epoch_that_was_cut_off_anywhere_goes_on_at_the_next_start() {
    let cuts: [fn(&RotationStep) -> bool; 4] = [
        |step| matches!(step, RotationStep::Keys(128, _)),
        |step| matches!(step, RotationStep::Keys(300, _)),
        |step| matches!(step, RotationStep::Records(..)),
        |step| matches!(step, RotationStep::Done(_)),
    ];
    for (number, cut) in cuts.into_iter().enumerate() {
        let (mut bench, by) = many();
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            rotate(&bench, |step| assert!(!cut(&step), "cut off here, as the test wants it"))
        }));
        assert!(died.is_err(), "cut {number} was reached");
        // It serves as it is, before and after it is opened again; then the caretaker goes on by itself.
        all_open(&bench, &by);
        bench.customer(&by, "new");
        bench.close();
        bench.open();
        all_open(&bench, &by);
        bench.round();
        assert_eq!(epochs(&bench), [2], "cut {number}");
        all_open(&bench, &by);
    }
}

#[test]
fn the_epoch_changes_by_itself_before_a_certificates_second_date() {
    let house = House::new();
    let certificate = house.erase().is(200);
    let body: Json = serde_json::from_str(certificate["body"].as_str().unwrap()).unwrap();
    let by = parse_instant(body["unreadable_everywhere_by"].as_str().unwrap()).unwrap();
    while house.bench.now() < by - DAY {
        house.bench.pass(DAY / 2);
        house.bench.round();
    }
    assert_eq!(epochs(&house.bench), [2], "a day ahead of time");
}

#[test]
fn a_new_epoch_begins_while_everybody_is_served() {
    let (bench, by) = many();
    let stop = AtomicBool::new(false);
    let served = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (bench, by, stop, served) = (&bench, &by, &stop, &served);
            scope.spawn(move || {
                let mut turn = 0;
                while !stop.load(Ordering::SeqCst) {
                    turn += 1;
                    let id = ((thread * 97 + turn) % 300).to_string();
                    let ask = json!({ "purpose": "birthday", "subject": { "external_id": id } });
                    assert_eq!(bench.post(by, REVEAL, &ask).is(200)["records"][0]["fields"]["birth_date"], "1990-03-07");
                    let write = json!({ "kind": "customer", "external_id": id, "fields": { "name": format!("Ann {thread} {turn}") } });
                    bench.post(by, "/v1/records", &write).is(200);
                    served.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for epoch in 2..=4 {
            assert_eq!(rotate(&bench, |_| {}).unwrap().epoch, epoch);
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert!(served.load(Ordering::SeqCst) > 20, "somebody was served meanwhile");
    all_open(&bench, &by);
}

// ── At the same time ─────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn once_erased_has_been_answered_no_reveal_that_begins_gives_anything() {
    let bench = Bench::new();
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let revealed = AtomicUsize::new(0);
    for turn in 0..12 {
        let subject = bench.customer(&service, &format!("c-{turn}"));
        let erased = AtomicBool::new(false);
        let begun = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let ask = json!({ "purpose": "account", "subject": { "id": subject } });
                    for _ in 0..2_000 {
                        let already = erased.load(Ordering::SeqCst);
                        let reply = bench.post(&service, REVEAL, &ask);
                        begun.fetch_add(1, Ordering::SeqCst);
                        if already {
                            // Refused by the gate if it left an order that a law keeps, else gone.
                            assert!([403, 410].contains(&reply.status), "{}", reply.text());
                            return;
                        }
                        revealed.fetch_add(usize::from(reply.status == 200), Ordering::SeqCst);
                    }
                });
            }
            scope.spawn(|| {
                for version in 0..2_000 {
                    let already = erased.load(Ordering::SeqCst);
                    let write = json!({ "kind": "order", "subject": { "id": subject }, "fields": { "items": format!("tea {version}") } });
                    let reply = bench.post(&service, "/v1/records", &write);
                    if already {
                        reply.problem(410, "SR-KEEP-002");
                        return;
                    }
                    assert!([201, 410, 503].contains(&reply.status), "{}", reply.text());
                }
            });
            // Two ask for it at once; whoever is answered first, it holds from then on.
            for _ in 0..2 {
                scope.spawn(|| {
                    while begun.load(Ordering::SeqCst) < 5 {
                        std::thread::yield_now();
                    }
                    bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
                    erased.store(true, Ordering::SeqCst);
                });
            }
        });
    }
    assert!(revealed.load(Ordering::SeqCst) > 0, "somebody saw something before");
    assert_eq!(bench.count(Act::Erased), 12, "one of the two destroyed, the other found it done");
    bench.round();
}

#[test]
fn an_erasure_is_answered_when_older_permits_have_ended_and_an_old_permit_opens_nothing() {
    let house = House::new();
    let (bench, service) = (&house.bench, &house.service);
    let policy = bench.shop().policy();
    let ask = reveal::Ask {
        purpose: policy.compiled.find_purpose("account").unwrap().ordinal,
        target: reveal::Target::Subject(bench.house().ids.read(&house.subject).unwrap()),
        kinds: None,
        fields: None,
        mask_all: false,
        limit: 1,
    };
    let presented = people::read_presented(&bench.house().ids, &service.0).unwrap();
    let caller = Caller { shop: bench.shop(), actor: Actor::Credential(presented) };
    let permit = bench.block_on(reveal::reveal(bench.house(), &caller, ask)).unwrap();
    assert_eq!(reveal::open(&permit).unwrap().len(), 1);

    let request =
        house.officer.posts(&format!("/v1/subjects/{}:erase", house.subject)).body(Body::empty()).unwrap();
    let began = Instant::now();
    let reply = bench.block_on(answer(bench.api(), request));
    assert_eq!(reply.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(1_500), "it waited for whoever held the permit");
    assert_eq!(reveal::open(&permit).unwrap_err().code, seal::Error::NotPermitted.code());
    drop(permit);
    bench.round();
}

#[test]
fn many_writers_of_one_subject_each_get_an_answer_and_nothing_is_lost() {
    let bench = Bench::new();
    let service = bench.service();
    let subject = bench.customer(&service, "42");
    let written = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (bench, service, subject, written) = (&bench, &service, &subject, &written);
            scope.spawn(move || {
                for number in 0..25 {
                    let order = json!({ "kind": "order", "external_id": format!("O-{thread}-{number}"), "subject": { "id": subject },
                                        "fields": { "items": "tea" } });
                    let reply = bench.post(service, "/v1/records", &order);
                    assert!([201, 503].contains(&reply.status), "{}", reply.text());
                    written.fetch_add(usize::from(reply.status == 201), Ordering::SeqCst);
                }
            });
        }
    });
    let found =
        bench.post(&service, "/v1/subjects:find", &json!({ "subject": { "external_id": "42" } })).is(200);
    let orders =
        found["records"].as_array().unwrap().iter().filter(|record| record["kind"] == "order").count();
    assert_eq!(orders, written.load(Ordering::SeqCst));
    assert!(orders >= 25, "{orders} of 100: whoever is sent away was told to come again");
}

#[test]
fn a_subjects_row_says_nothing_of_whom_it_was_about_after_its_key_died() {
    let house = House::new();
    house.erase().is(200);
    house.bench.round();
    let (shop, id) = (house.bench.shop(), house.bench.house().ids.read(&house.subject).unwrap());
    let looking = Arc::clone(&shop);
    let row = house
        .bench
        .house()
        .store
        .look_blocking(move |view| keep::find_subject(view, &looking, id))
        .unwrap()
        .unwrap();
    assert!(row.key(seal::Class::Main).is_none());
    // Entries made before carry an alias that no living key gives any more.
    let living =
        row.marking_key().map(|key| shop.keys.open_key(row.id.column().unsigned_abs(), key).unwrap().alias());
    let collected: Vec<_> = house
        .bench
        .entries()
        .into_iter()
        .filter(|entry| entry.act == Act::Collected && entry.outcome == Outcome::Yes)
        .collect();
    assert!(
        !collected.is_empty() && collected.iter().all(|entry| entry.alias.is_some() && entry.alias != living)
    );
}

#[tokio::test]
async fn an_erasure_waits_for_permits_given_before_it_and_not_for_later_ones() {
    let permits = Arc::new(Permits::default());
    let older = permits.begin();
    let waiting = tokio::spawn({
        let permits = Arc::clone(&permits);
        async move { permits.older_ones_have_ended().await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!waiting.is_finished());
    let _later = permits.begin();
    drop(older);
    tokio::time::timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_erasure_does_not_wait_longer_than_a_permit_lives() {
    let permits = Arc::new(Permits::default());
    let forgotten = permits.begin();
    permits.older_ones_have_ended().await;
    assert!(!forgotten.stands());
}
