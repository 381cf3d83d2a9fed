//! Files: sealed as they come, there when their record says so, and gone with it.

#![cfg(test)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, Response, header};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use ledger::entry::{Act, Outcome};
use seal::Suite;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use strongroom::account::{count_suites, deep_check};
use strongroom::erase::Move;
use strongroom::ground::clock::{DAY, MINUTE};
use strongroom::ground::{Actor, RecordId, Role, SubjectId};
use tower::ServiceExt;

use crate::support::{Bench, Key, POLICY, Reply, checked, logged};

mod process;

/// Bytes of a chunk, as the specification says.
const CHUNK: usize = 64 << 10;

/// The example's policy with files: one by contract, which another purpose sees masked; one by consent; one that a
/// law keeps, and that is used by consent, too.
pub(crate) fn policy() -> String {
    let kinds = "fields = [\"name\", \"email\", \"phone\"]";
    assert!(POLICY.contains(kinds));
    let more = r#"
[field.id_scan]
kind = "file"
media = ["image/jpeg", "application/pdf"]
category = "user.government_id"
label = { zh = "证件", en = "Identity paper" }
mask = "all"

[field.selfie]
kind = "file"
media = ["image/jpeg"]
at_most = "2 MB"
category = "user.content.self_image"
label = { zh = "自拍", en = "Picture" }

[field.passport]
kind = "file"
media = ["application/pdf"]
category = "user.government_id.passport_number"
label = { zh = "护照", en = "Passport" }
mask = "all"

[purpose.age_check]
use = "essential.service"
basis = "contract"
says = { zh = "核实您的年龄", en = "To see that you are old enough" }
fields = ["customer.id_scan"]
keep = "30d after customer.closed"
at_most = "2y after collected"

[purpose.look_over]
use = "essential.service"
basis = "contract"
says = { zh = "检查资料是否齐全", en = "To see whether your papers are all there" }
fields = [{ field = "customer.id_scan", as = "masked" }]
keep = "30d after customer.closed"
at_most = "2y after collected"

[purpose.picture]
use = "functional.service"
basis = "consent"
says = { zh = "在您的账户中显示照片", en = "To show your picture in your account" }
fields = ["customer.selfie"]
keep = "until withdrawn"

[purpose.travel]
use = "functional.service"
basis = "separate_consent"
says = { zh = "为您预订旅行", en = "To book your travels" }
fields = ["customer.passport"]
keep = "until withdrawn"

[purpose.know_your_customer]
use = "essential.legal_obligation"
basis = "legal_obligation"
says = { zh = "法律要求核实身份", en = "The law asks us to know who you are" }
fields = ["customer.passport"]
keep = "5y after collected"
must_keep = "5y after collected"
law = "AML law 2025 art. 34"
"#;
    let longer = "fields = [\"name\", \"email\", \"phone\", \"id_scan\", \"selfie\", \"passport\"]";
    format!("{}{more}", POLICY.replacen(kinds, longer, 1))
}

const PURPOSES: [&str; 6] = ["account", "age_check", "look_over", "picture", "travel", "know_your_customer"];

/// A customer in a house that keeps files.
struct Fixture {
    bench: Bench,
    service: Key,
    subject: String,
    record: String,
}

impl Fixture {
    fn new() -> Fixture {
        let bench = Bench::with_policy(&policy());
        let service = bench.service_for(&PURPOSES);
        let body = json!({ "kind": "customer", "external_id": "42", "fields": { "name": "Ann Lee" } });
        let made = bench.post(&service, "/v1/records", &body).is(201);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Fixture { subject: text("subject"), record: text("record"), service, bench }
    }

    fn put_request(&self, field: &str, media: &str, length: usize, body: Body) -> Request<Body> {
        let path = format!("/v1/records/{}/files/{field}", self.record);
        let request = self.service.request(Method::PUT, &path);
        request.header(header::CONTENT_TYPE, media).header(header::CONTENT_LENGTH, length).body(body).unwrap()
    }

    fn put(&self, field: &str, media: &str, bytes: &[u8]) -> Reply {
        self.bench.send(self.put_request(field, media, bytes.len(), in_pieces(bytes)))
    }

    fn get_request(&self, field: &str, purpose: &str) -> Request<Body> {
        let path = format!("/v1/records/{}/files/{field}:reveal", self.record);
        self.service.posts(&path).body(Body::from(json!({ "purpose": purpose }).to_string())).unwrap()
    }

    fn get(&self, field: &str, purpose: &str) -> Reply {
        self.bench.send(self.get_request(field, purpose))
    }

    /// The answer with its body still to come.
    fn begin(&self, field: &str, purpose: &str) -> Response<Body> {
        let request = self.get_request(field, purpose);
        self.bench.block_on(self.bench.api().oneshot(request)).unwrap()
    }

    /// What a reveal says of the customer for a purpose.
    fn fields(&self, purpose: &str) -> Json {
        let ask = json!({ "purpose": purpose, "record": self.record });
        let reply = self.bench.post(&self.service, "/v1/records:reveal", &ask);
        if reply.status == 200 { reply.json()["records"][0]["fields"].clone() } else { Json::Null }
    }

    fn rows(&self, sql: &str) -> i64 {
        let database = self.bench.places.data.join("strongroom.db");
        crate::vault::behind_the_back(database).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn chunks(&self) -> i64 {
        self.rows("SELECT count(*) FROM file_chunk")
    }

    /// The caretaker takes away what nobody needs, a minute after it last did.
    fn tidy(&self) {
        self.bench.pass(2 * MINUTE);
        self.bench.round();
    }
}

/// Bytes that are no two alike for long.
pub(crate) fn bytes_of(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    })
    .take(length)
    .collect()
}

fn in_pieces(bytes: &[u8]) -> Body {
    let pieces: Vec<Result<Bytes, std::io::Error>> =
        bytes.chunks(10_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Body::from_stream(stream::iter(pieces))
}

/// Reads an answer to its end, or to where it breaks off. Gives the bytes, and whether it came whole.
async fn read(body: Body) -> (Vec<u8>, bool) {
    let mut body = body.into_data_stream();
    let mut all = Vec::new();
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => all.extend_from_slice(&piece),
            Err(_) => return (all, false),
        }
    }
    (all, true)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_file_comes_back_as_it_was_and_is_entered_once_each_way() {
    let fixture = Fixture::new();
    for length in [1, CHUNK, 4 * CHUNK, 9 * CHUNK + 17] {
        let bytes = bytes_of(length, 7);
        let before = (fixture.bench.count(Act::Collected), fixture.bench.count(Act::Revealed));
        let written = fixture.put("id_scan", "image/jpeg", &bytes).is(200);
        assert_eq!(written["kept"], json!(["id_scan"]), "{written}");
        let reply = fixture.get("id_scan", "age_check");
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.body == bytes, "{length} bytes come back otherwise");
        let head = |name: &str| reply.headers[name].to_str().unwrap().to_owned();
        assert_eq!(head("content-type"), "image/jpeg");
        assert_eq!(head("content-length"), length.to_string());
        assert_eq!(head("content-disposition"), "attachment; filename=\"id_scan.jpg\"");
        assert_eq!(
            (head("x-content-type-options"), head("cache-control")),
            ("nosniff".into(), "no-store".into())
        );
        let after = (fixture.bench.count(Act::Collected), fixture.bench.count(Act::Revealed));
        assert_eq!(after, (before.0 + 1, before.1 + 1), "{length} bytes");
        let said = fixture.fields("age_check");
        let wanted = json!({ "media": "image/jpeg", "size_bytes": length, "sha256": hex(&bytes) });
        assert_eq!(said["id_scan"], wanted);
    }
    fixture.tidy();
    assert_eq!(fixture.chunks(), 10, "files that were replaced are taken away");
}

#[test]
fn nothing_plain_of_a_file_is_in_the_folders() {
    let fixture = Fixture::new();
    let mark = b"-----this stands in the scan and nowhere else-----";
    let mut bytes = bytes_of(3 * CHUNK, 3);
    for place in [100, CHUNK + 200, 2 * CHUNK + 300] {
        bytes[place..place + mark.len()].copy_from_slice(mark);
    }
    fixture.put("id_scan", "application/pdf", &bytes).is(200);
    let root = fixture.bench.places.data.parent().unwrap().to_owned();
    crate::engine::folder_of_rows(&fixture.bench.places.data);
    let mut looked = 0;
    for entry in walk(&root) {
        let found = std::fs::read(&entry).unwrap();
        looked += found.len();
        assert!(!found.windows(mark.len()).any(|window| window == mark), "in {}", entry.display());
    }
    assert!(looked > 3 * CHUNK, "the sealed bytes were looked at");
    assert!(fixture.get("id_scan", "age_check").body == bytes);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn the_door_takes_only_what_the_field_takes() {
    let fixture = Fixture::new();
    let small = b"scan";
    fixture.put("id_scan", "image/png", small).problem(415, "SR-COLLECT-020");
    fixture.put("id_scan", "text/html", small).problem(415, "SR-COLLECT-020");
    fixture.put("name", "image/jpeg", small).problem(422, "SR-COLLECT-019");
    fixture.put("no_such", "image/jpeg", small).problem(422, "SR-COLLECT-019");
    fixture.put("id_scan", "image/jpeg", b"").problem(422, "SR-COLLECT-022");
    let long =
        |field, length| fixture.bench.send(fixture.put_request(field, "image/jpeg", length, Body::empty()));
    long("id_scan", 10_000_001).problem(413, "SR-HTTP-001");
    long("selfie", 2_000_001).problem(413, "SR-HTTP-001");
    let path = format!("/v1/records/{}/files/id_scan", fixture.record);
    let unsaid = fixture.service.request(Method::PUT, &path).header(header::CONTENT_TYPE, "image/jpeg");
    fixture.bench.send(unsaid.body(in_pieces(small)).unwrap()).problem(411, "SR-COLLECT-021");
    for (said, sent) in [(10, 9), (10, 11), (2 * CHUNK, CHUNK), (CHUNK, CHUNK + 1)] {
        let request = fixture.put_request("id_scan", "image/jpeg", said, in_pieces(&bytes_of(sent, 1)));
        fixture.bench.send(request).problem(400, "SR-COLLECT-023");
    }
    let stranger = format!("/v1/records/{}/files/id_scan", fixture.record.replace("rec_", "rec_aaaa"));
    let request = fixture.service.request(Method::PUT, &stranger).header(header::CONTENT_TYPE, "image/jpeg");
    let request = request.header(header::CONTENT_LENGTH, 4).body(in_pieces(small)).unwrap();
    fixture.bench.send(request).problem(404, "SR-KEEP-001");
    assert_eq!(fixture.fields("age_check")["id_scan"], Json::Null);
    fixture.tidy();
    assert_eq!((fixture.chunks(), fixture.rows("SELECT count(*) FROM file")), (0, 0));
}

#[test]
fn a_file_that_no_purpose_keeps_is_refused_before_a_byte_of_it_is_read() {
    let fixture = Fixture::new();
    let body = Body::from_stream(stream::poll_fn(|_| -> Poll<Option<Result<Bytes, std::io::Error>>> {
        panic!("the body was read")
    }));
    let refused = fixture.bench.send(fixture.put_request("selfie", "image/jpeg", 1_000, body));
    let problem = refused.problem(422, "SR-COLLECT-012");
    assert!(!problem["reasons"].as_array().unwrap().is_empty(), "{problem}");
    let last = fixture.bench.entries().pop().unwrap();
    assert_eq!((last.act, last.outcome), (Act::Collected, Outcome::No));
    fixture.bench.choose(&fixture.service, "42", "picture", "granted");
    fixture.put("selfie", "image/jpeg", b"now it may").is(200);
    assert_eq!(fixture.get("selfie", "picture").body, &b"now it may"[..]);
    fixture.bench.round();
}

#[test]
fn a_file_that_breaks_off_is_never_seen_and_goes_by_itself() {
    let fixture = Fixture::new();
    let kept = bytes_of(CHUNK + 5, 1);
    fixture.put("id_scan", "image/jpeg", &kept).is(200);
    let half: Vec<Result<Bytes, std::io::Error>> = (0..60)
        .map(|_| Ok(Bytes::from(bytes_of(10_000, 9))))
        .chain([Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))])
        .collect();
    let request =
        fixture.put_request("id_scan", "image/jpeg", 1_000_000, Body::from_stream(stream::iter(half)));
    fixture.bench.send(request).problem(400, "SR-COLLECT-023");
    assert!(fixture.chunks() > 2, "chunks of it are there");
    assert!(fixture.get("id_scan", "age_check").body == kept, "what was there before stays");
    fixture.tidy();
    assert_eq!(fixture.chunks(), 2);
}

#[test]
fn a_sender_who_goes_away_leaves_nothing_behind() {
    let fixture = Fixture::new();
    let never =
        stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes_of(3 * CHUNK, 9)))]).chain(stream::pending());
    let request = fixture.put_request("id_scan", "image/jpeg", 5 * CHUNK, Body::from_stream(never));
    let api = fixture.bench.api();
    fixture.bench.block_on(async {
        let sent = tokio::time::timeout(Duration::from_millis(500), api.oneshot(request)).await;
        assert!(sent.is_err(), "it waits for more");
    });
    assert_eq!(fixture.rows("SELECT count(*) FROM file WHERE state = 1"), 0);
    assert_eq!(fixture.fields("age_check")["id_scan"], Json::Null);
    fixture.tidy();
    assert_eq!((fixture.chunks(), fixture.rows("SELECT count(*) FROM file")), (0, 0));
}

#[test]
fn what_arrived_when_the_house_went_down_goes_at_its_next_start() {
    if crate::engine::only_in_a_folder(
        "of several servers another may still be sent it: it goes when its time is over",
    ) {
        return;
    }
    let mut fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", &bytes_of(3 * CHUNK, 9)).is(200);
    // As if the process had ended between the last chunk and the record: the row stands as it did then.
    let never =
        stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes_of(3 * CHUNK, 9)))]).chain(stream::pending());
    let request = fixture.put_request("id_scan", "image/jpeg", 5 * CHUNK, Body::from_stream(never));
    let api = fixture.bench.api();
    let mut sending = None;
    fixture.bench.block_on(async {
        sending = Some(tokio::spawn(async move { api.oneshot(request).await }));
        tokio::time::sleep(Duration::from_millis(500)).await;
    });
    let sending = sending.unwrap();
    let arriving = fixture.rows("SELECT count(*) FROM file WHERE state = 0");
    assert_eq!(arriving, 1, "it is arriving");
    fixture.bench.close();
    sending.abort();
    assert!(fixture.bench.block_on(sending).is_err(), "it went away with its house");
    fixture.bench.open();
    assert_eq!(fixture.rows("SELECT count(*) FROM file WHERE state = 0"), 0, "nobody sends it any more");
    fixture.tidy();
    assert_eq!(fixture.chunks(), 3);
}

#[test]
fn a_masked_purpose_sees_that_a_file_is_there_and_no_byte_of_it() {
    let fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", b"scan").is(200);
    assert_eq!(fixture.fields("look_over")["id_scan"], "****");
    fixture.get("id_scan", "look_over").problem(403, "SR-REVEAL-015");
    let last = fixture.bench.entries().pop().unwrap();
    assert_eq!((last.act, last.outcome), (Act::Revealed, Outcome::No));
}

#[test]
fn who_lacks_the_purpose_does_not_learn_that_a_file_is_there() {
    let fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", b"scan").is(200);
    let other = fixture.bench.service_for(&["account"]);
    let path = format!("/v1/records/{}/files/id_scan:reveal", fixture.record);
    for purpose in ["age_check", "look_over"] {
        fixture.bench.post(&other, &path, &json!({ "purpose": purpose })).problem(404, "SR-KEEP-001");
    }
    fixture.get("id_scan", "account").problem(403, "SR-REVEAL-001");
    fixture.get("selfie", "picture").is_a_problem();
    fixture.get("passport", "know_your_customer").problem(404, "SR-REVEAL-006");
    fixture.get("name", "account").problem(422, "SR-REVEAL-014");
    let intake = fixture.bench.key(Role::Intake, &[]);
    fixture.bench.post(&intake, &path, &json!({ "purpose": "age_check" })).problem(403, "SR-PEOPLE-003");
}

#[test]
fn who_lacks_the_purpose_learns_neither_of_a_record_nor_of_its_fields() {
    let fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", b"scan").is(200);
    let other = fixture.bench.service_for(&["account"]);
    let ids = &fixture.bench.house().ids;
    let kind = ids.read::<RecordId>(&fixture.record).unwrap().kind();
    let nobodys = |kind| ids.show(RecordId::of(SubjectId::from_column(900_000), kind, 0));
    let records = [fixture.record.clone(), nobodys(kind), nobodys(200), "rec_aaaa".to_owned()];
    let ask = |by: &Key, record: &str, field: &str| {
        let path = format!("/v1/records/{record}/files/{field}:reveal");
        fixture.bench.post(by, &path, &json!({ "purpose": "age_check" }))
    };
    let plainly = json!({ "purpose": "age_check", "record": fixture.record });
    let plainly = fixture.bench.post(&other, "/v1/records:reveal", &plainly);
    plainly.problem(404, "SR-KEEP-001");
    for record in &records {
        for field in ["id_scan", "selfie", "name", "no_such"] {
            let reply = ask(&other, record, field);
            assert_eq!(
                (reply.status, &reply.headers, &reply.body),
                (plainly.status, &plainly.headers, &plainly.body),
                "{record} {field}: {}",
                reply.text()
            );
        }
    }
    let last = fixture.bench.entries().pop().unwrap();
    assert_eq!((last.act, last.outcome), (Act::Revealed, Outcome::No), "it is entered");
    // Who has the purpose learns of the record first, and of its field then.
    for field in ["id_scan", "name", "no_such"] {
        ask(&fixture.service, &records[1], field).problem(404, "SR-KEEP-001");
    }
    ask(&fixture.service, &fixture.record, "name").problem(422, "SR-REVEAL-014");
}

#[test]
fn another_shop_neither_sends_nor_gets_a_file_of_this_one() {
    let fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", b"scan").is(200);
    let other = policy().replace("id = \"harbour-hill\"", "id = \"elsewhere\"");
    let admin = strongroom::open::add_shop(fixture.bench.house(), &checked(&other), Suite::Aes256Gcm)
        .unwrap()
        .admin
        .to_string();
    let fixture = Fixture { service: fixture.bench.key_by(&Key(admin), Role::Service, &PURPOSES), ..fixture };
    fixture.put("id_scan", "image/jpeg", b"mine").problem(404, "SR-KEEP-001");
    fixture.get("id_scan", "age_check").problem(404, "SR-KEEP-001");
    fixture.get("id_scan", "look_over").problem(404, "SR-KEEP-001");
}

#[test]
fn a_file_is_no_value_and_no_token_stands_for_it() {
    let fixture = Fixture::new();
    let write = |value: Json| {
        let body = json!({ "kind": "customer", "external_id": "42", "fields": { "id_scan": value } });
        fixture.bench.post(&fixture.service, "/v1/records", &body)
    };
    write(json!("QUJD")).problem(422, "SR-KEEP-016");
    write(json!({ "media": "image/jpeg" })).is_a_problem();
    fixture.put("id_scan", "image/jpeg", b"scan").is(200);
    let token =
        json!({ "purpose": "age_check", "record": fixture.record, "field": "id_scan", "made": "from_value" });
    fixture.bench.post(&fixture.service, "/v1/tokens", &token).problem(422, "SR-REVEAL-017");
    write(Json::Null).is(200);
    fixture.get("id_scan", "age_check").problem(404, "SR-REVEAL-006");
    fixture.tidy();
    assert_eq!(fixture.chunks(), 0, "a field that is taken away takes its file along");
}

#[test]
fn an_erasure_stops_a_file_in_the_middle_and_its_bytes_go() {
    let fixture = Fixture::new();
    let bytes = bytes_of(40 * CHUNK, 5);
    fixture.put("id_scan", "image/jpeg", &bytes).is(200);
    let mut body = fixture.begin("id_scan", "age_check").into_body();
    let first = fixture.bench.block_on(body.frame()).unwrap().unwrap().into_data().unwrap();
    assert!(bytes.starts_with(&first));
    let officer = fixture.bench.key(Role::Officer, &[]);
    let erase = format!("/v1/subjects/{}:erase", fixture.subject);
    fixture.bench.post(&officer, &erase, &json!({})).is(200);
    let (rest, whole) = fixture.bench.block_on(read(body));
    assert!(!whole, "an answer that is cut off does not look whole");
    assert!(first.len() + rest.len() <= 4 * CHUNK, "no more than was open when it was erased");
    let last = fixture.bench.entries().pop().unwrap();
    assert_eq!((last.act, last.outcome), (Act::Revealed, Outcome::No));
    fixture.get("id_scan", "age_check").is_a_problem();
    fixture.tidy();
    fixture.tidy();
    assert_eq!((fixture.chunks(), fixture.rows("SELECT count(*) FROM file")), (0, 0));
}

#[test]
fn a_withdrawal_stops_a_file_in_the_middle() {
    let fixture = Fixture::new();
    fixture.bench.choose(&fixture.service, "42", "picture", "granted");
    let bytes = bytes_of(20 * CHUNK, 5);
    fixture.put("selfie", "image/jpeg", &bytes).is(200);
    let mut body = fixture.begin("selfie", "picture").into_body();
    let first = fixture.bench.block_on(body.frame()).unwrap().unwrap().into_data().unwrap();
    fixture.bench.pass(1_000_000);
    fixture.bench.choose(&fixture.service, "42", "picture", "withdrawn");
    let (rest, whole) = fixture.bench.block_on(read(body));
    assert!(!whole && first.len() + rest.len() <= 4 * CHUNK);
    fixture.tidy();
    assert_eq!(fixture.chunks(), 0, "what was kept for that purpose alone goes");
}

#[test]
fn a_file_that_leaves_goes_on_while_its_record_is_sealed_again() {
    let fixture = Fixture::new();
    let bytes = bytes_of(20 * CHUNK, 5);
    fixture.put("id_scan", "image/jpeg", &bytes).is(200);
    let mut body = fixture.begin("id_scan", "age_check").into_body();
    let first = fixture.bench.block_on(body.frame()).unwrap().unwrap().into_data().unwrap();
    let body_of = json!({ "kind": "customer", "external_id": "42", "fields": { "name": "Ann Other" } });
    fixture.bench.post(&fixture.service, "/v1/records", &body_of).is(200);
    let (rest, whole) = fixture.bench.block_on(read(body));
    assert!(whole && [&first[..], &rest].concat() == bytes);
}

#[test]
fn a_withdrawal_stops_a_file_in_the_middle_although_a_law_keeps_it() {
    let fixture = Fixture::new();
    fixture.bench.choose(&fixture.service, "42", "travel", "granted");
    let bytes = bytes_of(20 * CHUNK, 5);
    fixture.put("passport", "application/pdf", &bytes).is(200);
    let mut body = fixture.begin("passport", "travel").into_body();
    let first = fixture.bench.block_on(body.frame()).unwrap().unwrap().into_data().unwrap();
    fixture.bench.pass(1_000_000);
    fixture.bench.choose(&fixture.service, "42", "travel", "withdrawn");
    let (rest, whole) = fixture.bench.block_on(read(body));
    assert!(!whole && first.len() + rest.len() <= 4 * CHUNK);
    let last = fixture.bench.entries().pop().unwrap();
    assert_eq!((last.act, last.outcome, last.reasons.is_empty()), (Act::Revealed, Outcome::No, false));
    assert!(logged().contains("SR-REVEAL-001"));
    assert!(fixture.get("passport", "know_your_customer").body == bytes, "its key lives");
}

#[test]
fn another_file_in_its_place_stops_a_file_in_the_middle_and_nothing_is_broken() {
    let fixture = Fixture::new();
    let (one, other) = (bytes_of(20 * CHUNK, 5), bytes_of(20 * CHUNK, 6));
    fixture.put("id_scan", "image/jpeg", &one).is(200);
    let mut body = fixture.begin("id_scan", "age_check").into_body();
    let first = fixture.bench.block_on(body.frame()).unwrap().unwrap().into_data().unwrap();
    fixture.put("id_scan", "image/jpeg", &other).is(200);
    let (rest, whole) = fixture.bench.block_on(read(body));
    let came = [&first[..], &rest].concat();
    assert!(!whole && came.len() <= 4 * CHUNK && one.starts_with(&came));
    let last = fixture.bench.entries().pop().unwrap();
    // The gate has nothing against it, so there is no reason of its.
    assert_eq!((last.act, last.outcome, last.reasons), (Act::Revealed, Outcome::No, Vec::new()));
    assert!(logged().contains("SR-REVEAL-018") && !logged().contains("SR-REVEAL-001"));
    assert_eq!(fixture.bench.count(Act::OpeningFailed), 0);
    assert!(fixture.get("id_scan", "age_check").body == other);
}

#[test]
fn a_file_dies_with_its_term() {
    let fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", &bytes_of(2 * CHUNK, 5)).is(200);
    let closed = json!({ "record": fixture.record, "event": "closed" });
    fixture.bench.post(&fixture.service, "/v1/records:event", &closed).is(200);
    assert_eq!(fixture.get("id_scan", "age_check").status, 200);
    fixture.bench.pass(31 * DAY);
    fixture.get("id_scan", "age_check").is_a_problem();
    fixture.bench.pass(7 * DAY);
    fixture.bench.round();
    fixture.tidy();
    fixture.tidy();
    assert_eq!(fixture.chunks(), 0);
}

#[test]
fn what_a_law_keeps_stays_behind_an_erasure_for_that_law_only() {
    let fixture = Fixture::new();
    let bytes = bytes_of(CHUNK + 1, 5);
    fixture.put("passport", "application/pdf", &bytes).is(200);
    fixture.put("id_scan", "image/jpeg", &bytes_of(2 * CHUNK, 6)).is(200);
    let officer = fixture.bench.key(Role::Officer, &[]);
    fixture.bench.post(&officer, &format!("/v1/subjects/{}:erase", fixture.subject), &json!({})).is(200);
    fixture.tidy();
    fixture.tidy();
    assert_eq!(fixture.chunks(), 2);
    assert!(fixture.get("passport", "know_your_customer").body == bytes);
    fixture.get("id_scan", "age_check").is_a_problem();
}

#[test]
fn a_change_of_epoch_seals_the_record_again_and_touches_no_chunk() {
    let fixture = Fixture::new();
    fixture.bench.choose(&fixture.service, "42", "picture", "granted");
    let bytes = bytes_of(3 * CHUNK, 5);
    fixture.put("selfie", "image/jpeg", &bytes).is(200);
    let chunk = "SELECT sealed FROM file_chunk ORDER BY id LIMIT 1";
    let sealed = |sql: &str| {
        let database =
            crate::vault::behind_the_back(fixture.bench.places.data.join("strongroom.db")).unwrap();
        database.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).unwrap()
    };
    let envelope = "SELECT sealed FROM record LIMIT 1";
    let before = (sealed(chunk), sealed(envelope));
    let caretaker = fixture.bench.desk().caretaker.lock().unwrap();
    caretaker.rotate(|_| {}).unwrap();
    drop(caretaker);
    assert!(sealed(chunk) == before.0 && sealed(envelope) != before.1);
    assert!(fixture.get("selfie", "picture").body == bytes);
}

#[test]
fn a_file_moves_to_another_suite_behind_its_record_and_back() {
    let fixture = Fixture::new();
    let bench = &fixture.bench;
    bench.choose(&fixture.service, "42", "picture", "granted");
    let (picture, scan) = (bytes_of(3 * CHUNK, 5), bytes_of(10, 6));
    fixture.put("selfie", "image/jpeg", &picture).is(200);
    fixture.put("id_scan", "image/jpeg", &scan).is(200);
    let counted = |suite: Suite| {
        let count = count_suites(bench.house(), &bench.shop(), &mut |_, _| {}).unwrap();
        assert_eq!((count.behind(), count.unreadable), (0, 0), "{count:?}");
        assert_eq!((count.suite.as_str(), count.files[suite.name()]), (suite.name(), 2));
    };
    counted(Suite::Aes256Gcm);
    for to in [Suite::Sm4Gcm, Suite::Aes256Gcm] {
        let moving = Move { shop: bench.shop(), to };
        bench.desk().caretaker.lock().unwrap().rotate_and_move(&moving, |_| {}).unwrap();
        assert!(fixture.get("selfie", "picture").body == picture, "also before it has moved");
        bench.round();
        counted(to);
        assert!(fixture.get("selfie", "picture").body == picture);
        assert!(fixture.get("id_scan", "age_check").body == scan);
        fixture.tidy();
        fixture.tidy();
        assert_eq!(fixture.chunks(), 4, "nothing is left of the files that they were");
    }
}

#[test]
fn a_file_that_does_not_open_stays_behind_a_move_and_holds_up_nothing() {
    let mut fixture = Fixture::new();
    let (damaged, whole) = (bytes_of(CHUNK + 9, 5), bytes_of(10, 6));
    fixture.put("id_scan", "image/jpeg", &damaged).is(200);
    fixture.bench.choose(&fixture.service, "42", "picture", "granted");
    fixture.put("selfie", "image/jpeg", &whole).is(200);
    let path = fixture.bench.places.data.join("strongroom.db");
    let database = crate::vault::behind_the_back(path).unwrap();
    let edit = "UPDATE file_chunk SET sealed = zeroblob(25) WHERE length(sealed) = 25";
    assert_eq!(database.execute(edit, []).unwrap(), 1);
    drop(database);
    let moving = Move { shop: fixture.bench.shop(), to: Suite::Sm4Gcm };
    fixture.bench.desk().caretaker.lock().unwrap().rotate_and_move(&moving, |_| {}).unwrap();
    fixture.bench.round();
    let count = count_suites(fixture.bench.house(), &fixture.bench.shop(), &mut |_, _| {}).unwrap();
    assert_eq!((count.files[Suite::Sm4Gcm.name()], count.behind()), (1, 1), "{count:?}");
    assert_eq!(fixture.bench.shop().stepped_over(), Some(1));
    assert!(fixture.bench.count(Act::OpeningFailed) >= 1);
    assert!(fixture.get("selfie", "picture").body == whole);
    fixture.tidy();
    assert_eq!(fixture.chunks(), 3, "what had been begun of the new file is taken away");
    fixture.bench.is_broken_on_purpose();
}

#[test]
fn a_policy_without_the_field_answers_with_a_gap() {
    let fixture = Fixture::new();
    let bytes = bytes_of(10, 5);
    fixture.put("id_scan", "image/jpeg", &bytes).is(200);
    fixture.bench.post(&fixture.bench.admin, "/v1/policies", &json!({ "text": POLICY })).is(201);
    fixture.bench.round();
    let ask = json!({ "purpose": "account" });
    let path = format!("/v1/records/{}/files/id_scan:reveal", fixture.record);
    let reply = fixture.bench.post(&fixture.service, &path, &ask);
    reply.problem(403, "SR-REVEAL-002");
    fixture.put("id_scan", "image/jpeg", &bytes).problem(422, "SR-COLLECT-019");
    // The field comes back, and with it the file: it stayed sealed.
    fixture.bench.post(&fixture.bench.admin, "/v1/policies", &json!({ "text": policy() })).is(201);
    fixture.bench.round();
    assert!(fixture.get("id_scan", "age_check").body == bytes);
}

/// What is done to the database, what the reader gets of ten chunks, and what the deep check calls it.
type Damage = (&'static str, &'static str, usize, &'static [&'static str]);

const DAMAGES: [Damage; 10] = [
    (
        "a chunk overwritten",
        "UPDATE file_chunk SET sealed = zeroblob(65552) WHERE {file} AND id & 65535 = 5",
        4,
        &["SR-DEEP-026"],
    ),
    ("a missing chunk", "DELETE FROM file_chunk WHERE {file} AND id & 65535 = 5", 4, &["SR-DEEP-026"]),
    ("a missing end", "DELETE FROM file_chunk WHERE {file} AND id & 65535 = 9", 8, &["SR-DEEP-026"]),
    (
        "two chunks exchanged",
        "UPDATE file_chunk SET id = -7 WHERE {file} AND id & 65535 = 0;
         UPDATE file_chunk SET id = id - 1 WHERE {file} AND id & 65535 = 1;
         UPDATE file_chunk SET id = (SELECT min(id) FROM file) * 65536 + 1 WHERE id = -7",
        0,
        &["SR-DEEP-026"],
    ),
    (
        "a chunk doubled",
        "UPDATE file_chunk SET sealed = (SELECT sealed FROM file_chunk AS other WHERE other.id = file_chunk.id - 1)
         WHERE {file} AND id & 65535 = 6",
        4,
        &["SR-DEEP-026"],
    ),
    (
        "a chunk appended",
        "INSERT INTO file_chunk SELECT id + 1, sealed FROM file_chunk WHERE {file} AND id & 65535 = 9",
        10,
        &["SR-DEEP-026"],
    ),
    (
        "a chunk of another file",
        "UPDATE file_chunk SET sealed = (SELECT sealed FROM file_chunk AS other WHERE other.id & 65535 = 5
         AND other.id >> 16 <> file_chunk.id >> 16) WHERE {file} AND id & 65535 = 5",
        4,
        &["SR-DEEP-026"],
    ),
    (
        "a file said to be gone",
        "UPDATE file SET state = 2",
        10,
        &["SR-DEEP-029", "SR-DEEP-030", "SR-DEEP-030"],
    ),
    ("a row taken away", "DELETE FROM file", 10, &["SR-DEEP-027", "SR-DEEP-027", "SR-DEEP-029"]),
    (
        "chunks of nobody",
        "INSERT INTO file_chunk SELECT id + (1 << 40), sealed FROM file_chunk WHERE id & 65535 = 5",
        10,
        &["SR-DEEP-027", "SR-DEEP-027"],
    ),
];

#[test]
fn whatever_is_done_to_chunks_is_noticed_where_it_was_done() {
    for (what, sql, opens, codes) in DAMAGES {
        let mut fixture = Fixture::new();
        let bytes = bytes_of(10 * CHUNK, 5);
        fixture.put("id_scan", "image/jpeg", &bytes).is(200);
        fixture.put("passport", "application/pdf", &bytes_of(10 * CHUNK, 6)).is(200);
        fixture.bench.is_broken_on_purpose();
        fixture.bench.close();
        let database =
            crate::vault::behind_the_back(fixture.bench.places.data.join("strongroom.db")).unwrap();
        database.execute_batch(&sql.replace("{file}", "id >> 16 = (SELECT min(id) FROM file)")).unwrap();
        assert!(database.total_changes() > 0, "{what}");
        database.close();
        fixture.bench.open();
        let before = fixture.bench.count(Act::OpeningFailed);
        let answer = fixture.begin("id_scan", "age_check");
        assert_eq!(answer.status(), 200, "{what}");
        let (read, whole) = fixture.bench.block_on(read(answer.into_body()));
        assert_eq!((read.len() / CHUNK, whole), (opens, opens == 10), "{what}");
        assert!(bytes.starts_with(&read), "{what}: never a byte that was not in the file");
        assert_eq!(
            fixture.bench.count(Act::OpeningFailed) - before,
            usize::from(opens < 10),
            "{what} is entered"
        );
        let deep = deep_check(fixture.bench.house(), &fixture.bench.shop(), &mut |_, _| {}).unwrap();
        let mut found: Vec<&str> = deep.findings.iter().map(|finding| finding.code).collect();
        found.sort_unstable();
        assert_eq!(found, codes, "{what}");
    }
}

/// Begins to send a file of a media type that the field does not take, on a connection of its own.
fn begin_to_send_a_refused_file(fixture: &Fixture, api: SocketAddr, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(api).unwrap();
    let head = format!(
        "PUT /v1/records/{}/files/id_scan HTTP/1.1\r\nhost: tests\r\nauthorization: Bearer {}\r\n\
         content-type: image/gif\r\ncontent-length: {length}\r\n\r\n",
        fixture.record, fixture.service.0
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[test]
fn who_sends_a_refused_file_to_its_end_and_reads_then_hears_why() {
    let mut fixture = Fixture::new();
    let api = fixture.bench.serve();
    let bytes = bytes_of(9_000_000, 5);
    for _ in 0..3 {
        let mut stream = begin_to_send_a_refused_file(&fixture, api, bytes.len());
        stream.write_all(&bytes).expect("it is heard out");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the answer comes whole");
        assert!(answer.starts_with("HTTP/1.1 415 ") && answer.contains("SR-COLLECT-020"), "{answer}");
    }
    assert_eq!(fixture.rows("SELECT count(*) FROM file"), 0);
}

#[test]
fn who_sends_without_end_what_was_refused_is_cut_off() {
    let mut fixture = Fixture::new();
    let api = fixture.bench.serve();
    // So much in a second; and a byte now and then.
    for (piece, pause) in [(1 << 20, Duration::ZERO), (1, Duration::from_millis(100))] {
        let mut stream = begin_to_send_a_refused_file(&fixture, api, 10_000_000);
        let (began, bytes, mut sent) = (Instant::now(), vec![0; piece], 0_usize);
        while stream.write_all(&bytes).is_ok() {
            assert_eq!(fixture.bench.house().streams.count(), 0, "it holds no place");
            sent += piece;
            assert!(sent < 100 << 20 && began.elapsed() < Duration::from_secs(15), "{sent} bytes are taken");
            std::thread::sleep(pause);
        }
    }
}

/// What is done to a row of `file` whose state was edited, too.
const EDITS: [&str; 5] = [
    "UPDATE file SET field = 256 WHERE id = {file}",
    "UPDATE file SET since = since - 1 WHERE id = {file}",
    "UPDATE file SET record = -1 WHERE id = {file}",
    "UPDATE file SET mac = x'' WHERE id = {file}",
    "UPDATE file SET id = -7 WHERE id = {file}",
];

#[test]
fn a_row_of_a_file_that_was_edited_keeps_no_start_and_no_other_file() {
    for edits in EDITS {
        for state in [0, 2] {
            let mut fixture = Fixture::new();
            for seed in [5, 6, 7] {
                fixture.put("id_scan", "image/jpeg", &bytes_of(2 * CHUNK, seed)).is(200);
            }
            fixture.bench.is_broken_on_purpose();
            fixture.bench.close();
            let database =
                crate::vault::behind_the_back(fixture.bench.places.data.join("strongroom.db")).unwrap();
            let first = "(SELECT min(id) FROM file WHERE id >= 0)";
            let to = format!("UPDATE file SET state = {state} WHERE id = {first}");
            database.execute_batch(&format!("{to};{}", edits.replace("{file}", first))).unwrap();
            database.close();
            fixture.bench.open();
            fixture.tidy();
            // The edited one stays, with its chunks; the other that nobody names is gone.
            assert_eq!(
                (fixture.rows("SELECT count(*) FROM file"), fixture.chunks()),
                (2, 4),
                "{edits} {state}"
            );
            assert!(fixture.get("id_scan", "age_check").body == bytes_of(2 * CHUNK, 7));
            let held = |bench: &Bench| bench.get_at_admin_door("/health/ready").is(200)["attention"].clone();
            fixture.bench.pass(20 * MINUTE);
            fixture.bench.round();
            assert_eq!(held(&fixture.bench), json!(["files_held"]), "{edits} {state}");
            let deep = deep_check(fixture.bench.house(), &fixture.bench.shop(), &mut |_, _| {}).unwrap();
            assert!(deep.findings.iter().any(|finding| finding.code == "SR-DEEP-030"), "{edits} {state}");
            let metrics = fixture.bench.get_at_admin_door("/metrics").text();
            assert!(metrics.contains("strongroom_files_held 1\n"), "{metrics}");
        }
    }
}

#[test]
fn a_record_goes_although_the_row_of_its_file_was_edited() {
    let mut fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", b"scan").is(200);
    fixture.bench.is_broken_on_purpose();
    fixture.bench.close();
    let database = crate::vault::behind_the_back(fixture.bench.places.data.join("strongroom.db")).unwrap();
    assert_eq!(database.execute("UPDATE file SET since = since + 1", []).unwrap(), 1);
    database.close();
    fixture.bench.open();
    let officer = fixture.bench.key(Role::Officer, &[]);
    fixture.bench.post(&officer, &format!("/v1/subjects/{}:erase", fixture.subject), &json!({})).is(200);
    fixture.tidy();
    assert_eq!(fixture.rows("SELECT count(*) FROM record"), 0, "what was erased is cleaned up");
    assert_eq!(fixture.rows("SELECT count(*) FROM job"), 0);
}

#[test]
fn a_round_takes_away_all_files_that_are_gone() {
    let fixture = Fixture::new();
    for seed in 0..70 {
        fixture.put("id_scan", "image/jpeg", &bytes_of(10, seed)).is(200);
    }
    assert_eq!(fixture.chunks(), 70);
    fixture.tidy();
    assert_eq!((fixture.chunks(), fixture.rows("SELECT count(*) FROM file")), (1, 1));
}

#[test]
fn what_a_round_has_no_time_for_the_next_one_takes_away_at_once() {
    if crate::engine::only_of_one("the round that each makes when it starts") {
        return;
    }
    let mut fixture = Fixture::new();
    for seed in 0..2 {
        fixture.put("id_scan", "image/jpeg", &bytes_of(10, seed)).is(200);
    }
    fixture.bench.close();
    let database = crate::vault::behind_the_back(fixture.bench.places.data.join("strongroom.db")).unwrap();
    let many = "INSERT INTO file_chunk WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
                SELECT (SELECT min(id) FROM file) * 65536 + n, x'00' FROM n";
    assert_eq!(database.execute(many, []).unwrap(), 20_000);
    database.close();
    fixture.bench.open();
    // One round is made at the start; the next one does not wait for its minute.
    let round = || fixture.bench.desk().caretaker.lock().unwrap().round().unwrap();
    let mut left = fixture.chunks();
    for _ in 0..2 {
        assert!((2..20_000).contains(&left), "{left} are left");
        round();
        assert!(fixture.chunks() < left);
        left = fixture.chunks();
    }
    assert_eq!((left, fixture.rows("SELECT count(*) FROM file")), (1, 1));
}

#[test]
fn more_files_at_once_than_there_are_places_for_are_asked_to_wait() {
    if crate::engine::only_of_one("places for files, in its own memory") {
        return;
    }
    let fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", b"scan").is(200);
    let mut places = Vec::new();
    for _ in 0..4 {
        let actor = actor_of(&fixture.bench, &fixture.bench.service_for(&["account"]));
        places.extend(std::iter::from_fn(|| fixture.bench.house().stream(&actor).ok()));
    }
    assert_eq!(places.len(), 64);
    for reply in [fixture.put("id_scan", "image/jpeg", b"more"), fixture.get("id_scan", "age_check")] {
        must_wait(&reply);
    }
    drop(places);
    assert_eq!(fixture.get("id_scan", "age_check").body, &b"scan"[..]);
    assert_eq!(fixture.bench.house().streams.count(), 0, "a place that was used is free again");
}

#[track_caller]
fn must_wait(reply: &Reply) {
    assert_eq!((reply.status, &reply.json()["code"]), (503, &json!("SR-HTTP-015")));
    assert_eq!(reply.headers["retry-after"], "5");
}

fn actor_of(bench: &Bench, key: &Key) -> Actor {
    Actor::Credential(strongroom::people::read_presented(&bench.house().ids, &key.0).unwrap())
}

#[test]
fn one_credential_takes_a_quarter_of_the_places_and_others_go_on() {
    if crate::engine::only_of_one("places for files, in its own memory") {
        return;
    }
    let fixture = Fixture::new();
    fixture.put("id_scan", "image/jpeg", b"scan").is(200);
    let (bench, api) = (&fixture.bench, fixture.bench.api());
    let mut sending = Vec::new();
    bench.block_on(async {
        for _ in 0..16 {
            let begin = Ok::<_, std::io::Error>(Bytes::from_static(b"x"));
            let never = Body::from_stream(stream::iter([begin]).chain(stream::pending()));
            let request = fixture.put_request("id_scan", "image/jpeg", 10, never);
            sending.push(tokio::spawn(api.clone().oneshot(request)));
        }
    });
    let began = Instant::now();
    while bench.house().streams.count() < 16 {
        assert!(began.elapsed() < Duration::from_mins(1), "they never begin");
        std::thread::yield_now();
    }
    for reply in [fixture.put("id_scan", "image/jpeg", b"more"), fixture.get("id_scan", "age_check")] {
        must_wait(&reply);
    }
    let other = bench.service_for(&PURPOSES);
    let path = format!("/v1/records/{}/files/id_scan:reveal", fixture.record);
    let reply = bench.post(&other, &path, &json!({ "purpose": "age_check" }));
    assert_eq!((reply.status, &reply.body[..]), (200, &b"scan"[..]), "another one does not wait for it");
    for one in sending {
        one.abort();
        assert!(bench.block_on(one).is_err());
    }
    assert_eq!(bench.house().streams.count(), 0);
    assert_eq!(fixture.get("id_scan", "age_check").body, &b"scan"[..]);
    fixture.tidy();
}
