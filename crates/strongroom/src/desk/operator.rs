//! The operator's commands, behind the socket in the data folder: imports, backups, epochs, checks.
//!
//! Each answers with lines of JSON while it works: progress, rejected rows, and at the end what came of it. Whoever can open the
//! socket has the data folder in their hands; what they do is entered as the operator's.

use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, Request as HttpRequest, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::BodyExt;
use seal::Suite;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::Desk;
use crate::account::{BlastAsk, Persons};
use crate::collect::import::encoding::{Encoding, unknown_encoding};
use crate::collect::import::rows::Format;
use crate::collect::import::{Import, Said, run};
use crate::erase::{self, RotationStep};
use crate::ground::clock::{instant, parse_instant};
use crate::ground::key_holder::LockSource;
use crate::ground::web::{Caller, answer};
use crate::ground::witnesses::Standing;
use crate::ground::{Actor, Problem, Shop, heads};
use crate::{account, backup, notice, open};

/// One line of a command's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// How far it has come.
    Progress {
        /// What is being done.
        what: String,
        /// So much is done.
        done: u64,
        /// Of so much; 0 when that is not known.
        of: u64,
    },
    /// It goes on behind rows that were done before.
    Resumed {
        /// So many.
        rows: u64,
        /// Line of the first that is not; rejects from here on come again.
        line: u64,
    },
    /// Something to be kept: a rejected row.
    Item(Json),
    /// Says nothing. Whoever takes it in this process has done with every line before it.
    Heard,
    /// What came of it. The last line.
    Done(Json),
    /// It failed. The last line.
    Problem(Json),
}

/// Says lines to whoever waits; somebody who went away is not waited for.
#[derive(Debug, Clone)]
struct Talk(mpsc::Sender<Bytes>);

impl Talk {
    /// Says a line. Gives whether there is anybody to hear it.
    fn say(&self, line: &Line) -> bool {
        let mut bytes = serde_json::to_vec(line).unwrap_or_default();
        bytes.push(b'\n');
        self.0.blocking_send(Bytes::from(bytes)).is_ok()
    }

    fn progress(&self, what: &str, done: u64, of: u64) {
        let _ = self.say(&Line::Progress { what: what.to_owned(), done, of });
    }
}

/// Lines that may wait to be read.
const LINES_WAITING: usize = 64;
/// Longest mapping file, bytes.
const MAPPING_LIMIT: usize = 256 << 10;

pub(super) fn router(desk: &Arc<Desk>) -> Router {
    Router::new()
        .route("/operator/import", post(import))
        .route("/operator/backup", post(make_backup))
        .route("/operator/rotate", post(rotate))
        .route("/operator/suites", post(suites))
        .route("/operator/relock", post(relock))
        .route("/operator/verify", post(verify))
        .route("/operator/deep", post(deep))
        .route("/operator/server", post(server))
        .route("/operator/pages", post(pages))
        .route("/operator/export", post(export))
        .route("/operator/blast-radius", post(blast_radius))
        .route("/operator/status", get(status))
        .route("/operator/clock-is-right", post(clock_is_right))
        .route("/operator/plan", post(plan))
        .route("/operator/lay-out", post(lay_out))
        .route("/operator/shops", get(shops).post(add_shop))
        .route("/operator/round", post(round))
        .with_state(Arc::clone(desk))
}

/// Does something long on a thread of its own, and answers with its lines.
fn work(act: impl FnOnce(&TalkBack) -> Result<Json, Problem> + Send + 'static) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(LINES_WAITING);
    tokio::task::spawn_blocking(move || {
        let talk = TalkBack { talk: Talk(sender), handle: tokio::runtime::Handle::current() };
        let last = match act(&talk) {
            Ok(done) => Line::Done(done),
            Err(problem) => Line::Problem(serde_json::to_value(problem.to_body()).unwrap_or_default()),
        };
        let _ = talk.talk.say(&last);
    });
    let mut response = Response::new(Body::new(Lines(receiver)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}

struct TalkBack {
    talk: Talk,
    handle: tokio::runtime::Handle,
}

impl TalkBack {
    /// Waits until every line was taken, and whoever takes them came back for more. Gives whether that was so.
    ///
    /// Behind a socket it means that they were sent: what a caller had not read when it was killed is lost to it.
    fn is_heard(&self) -> bool {
        let Talk(lines) = &self.talk;
        // ORDER: a line that was only taken need not be in any file yet. Who takes the next has written it there.
        self.talk.say(&Line::Heard) && self.handle.block_on(lines.reserve_many(lines.max_capacity())).is_ok()
    }
}

/// A body made of lines that come as they come.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(hyper::body::Frame::data(line))))
    }
}

/// Which shop, for the operator of several.
#[derive(Debug, Default, Deserialize)]
struct Which {
    shop: Option<String>,
}

fn shop_of(desk: &Desk, which: &Which) -> Result<Arc<Shop>, Problem> {
    desk.house.shop(which.shop.as_deref()).ok_or_else(|| {
        Problem::new("SR-OPEN-003", 400, "there is no such shop, or there are several: say which")
            .help("give `--shop NAME`")
    })
}

#[derive(Debug, Deserialize)]
struct ImportQuery {
    shop: Option<String>,
    format: String,
    /// Length of the file in bytes, to tell how much is left.
    size: Option<u64>,
    encoding: Option<String>,
}

/// Header with the SHA-256 of the file, hex: the same file goes on where it was.
pub const DIGEST: &str = "strongroom-file-digest";

/// Takes a file in. The body is the length of the mapping (four bytes), the mapping, and the file.
async fn import(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let begun = begin_import(&desk, &query, &headers);
    let (shop, format, encoding, digest) = match begun {
        Ok(begun) => begun,
        Err(problem) => return problem.into_response(),
    };
    let (sender, receiver) = mpsc::channel(16);
    let mut body = request.into_body();
    tokio::spawn(async move {
        while let Some(frame) = body.frame().await {
            let piece = match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => Ok(data),
                Ok(Err(_)) => continue,
                Err(_) => Err(CutOff),
            };
            let over = piece.is_err();
            if sender.send(piece).await.is_err() || over {
                return;
            }
        }
    });
    work(move |back| {
        // One at a time: two of the same file would count each other's rows.
        let _turn = desk.importing.try_lock().or_else(|_| {
            back.talk.progress("waiting for another import", 0, 0);
            desk.importing.lock()
        });
        let mut file = Arriving { receiver, now: Bytes::new(), bytes: Arc::default() };
        let mapping = read_mapping(&mut file)?;
        let bytes = Arc::clone(&file.bytes);
        bytes.store(0, Ordering::Relaxed);
        // How many rows there are is known at the end only; how long the file is, at once.
        let of = |rows: u64| match (query.size, bytes.load(Ordering::Relaxed)) {
            (Some(size), read) if read > 0 => {
                rows.saturating_mul(size).checked_div(read).unwrap_or(0).max(rows)
            }
            _ => 0,
        };
        let caller = Caller { shop, actor: Actor::Operator };
        let import = Import { file, format, encoding, mapping, digest };
        let mut expected = None;
        let counts = run(&back.handle, &desk.house, &caller, import, |said| {
            let heard = match said {
                Said::Resumed { rows, line } => back.talk.say(&Line::Resumed { rows, line }),
                Said::Expected(rows) => {
                    expected = Some(rows);
                    true
                }
                Said::Progress(done) => {
                    let of = expected.unwrap_or_else(|| of(done));
                    back.talk.say(&Line::Progress { what: "rows".to_owned(), done, of })
                }
                Said::Reject(reject) => {
                    back.talk.say(&Line::Item(serde_json::to_value(reject).unwrap_or_default()))
                }
                Said::Going => back.is_heard(),
            };
            if heard { Ok(()) } else { Err(cut_off()) }
        })?;
        Ok(serde_json::to_value(counts).unwrap_or_default())
    })
}

/// Nobody hears any more what becomes of the rows, so the import ends where it is.
fn cut_off() -> Problem {
    Problem::new("SR-IMPORT-008", 500, "the import was interrupted")
        .help("run the same command again: it goes on where it was")
}

type Begun = (Arc<Shop>, Format, Option<Encoding>, [u8; 32]);

fn begin_import(desk: &Desk, query: &ImportQuery, headers: &HeaderMap) -> Result<Begun, Problem> {
    let shop = shop_of(desk, &Which { shop: query.shop.clone() })?;
    let format = Format::of_word(&query.format)
        .ok_or_else(|| Problem::new("SR-IMPORT-006", 400, "a format is `csv`, `jsonl` or `xlsx`"))?;
    let encoding = query.encoding.as_deref();
    let encoding = encoding.map(|name| Encoding::of_name(name).ok_or_else(unknown_encoding)).transpose()?;
    let digest = headers.get(DIGEST).and_then(|digest| digest.to_str().ok()).and_then(unhex);
    let digest = digest.ok_or_else(|| Problem::new("SR-IMPORT-007", 400, "the file's digest is missing"))?;
    Ok((shop, format, encoding, digest))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (slot, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *slot = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn read_mapping(file: &mut impl Read) -> Result<String, Problem> {
    let fault = || Problem::new("SR-IMPORT-001", 422, "the mapping cannot be read");
    let mut length = [0; 4];
    file.read_exact(&mut length).map_err(|_| fault())?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAPPING_LIMIT {
        return Err(fault());
    }
    let mut text = vec![0; length];
    file.read_exact(&mut text).map_err(|_| fault())?;
    String::from_utf8(text).map_err(|_| fault())
}

/// Whoever sent the file went away before its end.
#[derive(Debug)]
struct CutOff;

/// A file that arrives in pieces.
struct Arriving {
    receiver: mpsc::Receiver<Result<Bytes, CutOff>>,
    now: Bytes,
    bytes: Arc<AtomicU64>,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.now.is_empty() {
            match self.receiver.blocking_recv() {
                Some(Ok(piece)) => self.now = piece,
                // What is cut off is no end: half a row must not pass for a whole one.
                Some(Err(CutOff)) => return Err(std::io::ErrorKind::ConnectionAborted.into()),
                None => return Ok(0),
            }
        }
        let length = self.now.len().min(buffer.len());
        let piece = self.now.split_to(length);
        if let Some(space) = buffer.get_mut(..length) {
            space.copy_from_slice(&piece);
        }
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[derive(Debug, Deserialize)]
struct ToFolder {
    shop: Option<String>,
    to: PathBuf,
}

async fn make_backup(State(desk): State<Arc<Desk>>, Query(query): Query<ToFolder>) -> Response<Body> {
    work(move |back| {
        let manifest =
            backup::make(&desk.house, &query.to, |done, of| back.talk.progress("pages", done, of))?;
        Ok(serde_json::to_value(manifest).unwrap_or_default())
    })
}

#[derive(Debug, Deserialize)]
struct RotateQuery {
    shop: Option<String>,
    /// The suite to which the shop moves.
    suite: Option<String>,
}

/// The suite that the operator named. Fails: `SR-OPEN-007` when this release knows none of that name.
fn suite_of(name: &str) -> Result<Suite, Problem> {
    Suite::find(name).ok_or_else(|| {
        Problem::new("SR-OPEN-007", 400, "this release knows no such suite")
            .help("there are `aes-256-gcm-sha256` and `sm4-gcm-sm3`")
    })
}

/// Changes the epoch. A shop that moves to another suite does so with it; the job that takes all its records along is left behind.
async fn rotate(State(desk): State<Arc<Desk>>, Query(query): Query<RotateQuery>) -> Response<Body> {
    work(move |back| {
        let moving = match &query.suite {
            None => None,
            Some(name) => {
                let shop = shop_of(&desk, &Which { shop: query.shop.clone() })?;
                Some(erase::Move { shop, to: suite_of(name)? })
            }
        };
        let progress = |step| match step {
            RotationStep::Keys(done, of) => back.talk.progress("keys", done, of),
            RotationStep::Records(done, of) => back.talk.progress("records", done, of),
            RotationStep::Done(_) => {}
        };
        let caretaker = desk.caretaker.lock().unwrap_or_else(PoisonError::into_inner);
        let rotated = match &moving {
            Some(moving) => caretaker.rotate_and_move(moving, progress),
            None => caretaker.rotate(progress),
        }?;
        Ok(json!({ "epoch": rotated.epoch, "keys": rotated.keys, "records": rotated.records }))
    })
}

/// Counts a shop's records by the suites that seal them.
async fn suites(State(desk): State<Arc<Desk>>, Query(which): Query<Which>) -> Response<Body> {
    work(move |back| {
        let shop = shop_of(&desk, &which)?;
        let count = account::count_suites(&desk.house, &shop, &mut |done, of| {
            back.talk.progress("records", done, of);
        })?;
        Ok(serde_json::to_value(count).unwrap_or_default())
    })
}

/// Another lock for the keyring of a serving house.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLock {
    /// What kind of lock.
    lock: LockKind,
    /// Its file, from the root.
    file: PathBuf,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LockKind {
    KeyFile,
    PassphraseFile,
}

async fn relock(State(desk): State<Arc<Desk>>, Query(new): Query<NewLock>) -> Response<Body> {
    work(move |_| {
        let lock = match new.lock {
            LockKind::KeyFile => LockSource::KeyFile(new.file),
            LockKind::PassphraseFile => LockSource::PassphraseFile(new.file),
        };
        // An epoch that changes meanwhile writes the keyring under the one lock or the other, and both wait for each other.
        desk.house.keys.relock(&lock)?;
        Ok(json!({ "relocked": true }))
    })
}

async fn verify(State(desk): State<Arc<Desk>>, Query(which): Query<Which>) -> Response<Body> {
    work(move |back| {
        let shop = shop_of(&desk, &which)?;
        let note = heads::sign(&desk.house, &shop)?;
        let size = note.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
        let live = account::LiveLog::new(&desk.house, &shop, note);
        let report = account::verify_live(&live, &|done| back.talk.progress("entries", done, size))?;
        let verified = report.is_verified();
        let report = serde_json::to_value(report).unwrap_or_default();
        Ok(json!({ "verified": verified, "report": report, "cosigned": live.cosigned() }))
    })
}

async fn deep(State(desk): State<Arc<Desk>>, Query(which): Query<Which>) -> Response<Body> {
    work(move |back| {
        let shop = shop_of(&desk, &which)?;
        let report =
            account::deep_check(&desk.house, &shop, &mut |done, of| back.talk.progress("records", done, of))?;
        Ok(serde_json::to_value(report).unwrap_or_default())
    })
}

/// Looks at the settings of the server that has the rows. Nothing, when a folder has them.
async fn server(State(desk): State<Arc<Desk>>) -> Response<Body> {
    work(move |_| {
        let store::Home::Server(server) = desk.house.store.home() else { return Ok(Json::Null) };
        let report = account::look_at_server(server, open::FENCES)?;
        Ok(serde_json::to_value(report).unwrap_or_default())
    })
}

/// Names what of a server's database is damaged, as the deep check does before anything else.
async fn pages(State(desk): State<Arc<Desk>>) -> Response<Body> {
    work(move |_| {
        let store::Home::Server(server) = desk.house.store.home() else { return Ok(json!([])) };
        Ok(serde_json::to_value(account::look_at_pages(server)?).unwrap_or_default())
    })
}

async fn export(State(desk): State<Arc<Desk>>, Query(query): Query<ToFolder>) -> Response<Body> {
    work(move |back| {
        let shop = shop_of(&desk, &Which { shop: query.shop })?;
        let note = heads::sign(&desk.house, &shop)?;
        let entries = account::export(&desk.house, &shop, note, &query.to, &mut |done, of| {
            back.talk.progress("entries", done, of);
        })?;
        let verifier = heads::verifier(&desk.house, &shop, shop.log())?;
        Ok(json!({ "entries": entries, "verifier_key": verifier.to_string(), "folder": query.to }))
    })
}

#[derive(Debug, Deserialize)]
struct BlastQuery {
    shop: Option<String>,
    credential: String,
    since: String,
    until: Option<String>,
    #[serde(default)]
    list: bool,
}

/// Whom a credential reached. With `list` each person is an item.
async fn blast_radius(State(desk): State<Arc<Desk>>, Query(query): Query<BlastQuery>) -> Response<Body> {
    work(move |back| {
        let shop = shop_of(&desk, &Which { shop: query.shop })?;
        let at = |text: &str| parse_instant(text).ok_or_else(account::http::not_an_instant);
        let ask = BlastAsk {
            credential: desk.house.ids.read(&query.credential)?,
            since: at(&query.since)?,
            until: query.until.as_deref().map(at).transpose()?.unwrap_or(i64::MAX),
            persons: if query.list { Persons::Listed } else { Persons::Counted },
        };
        let caller = Caller { shop, actor: Actor::Operator };
        let radius = account::blast_radius(
            &desk.house,
            &caller,
            &ask,
            &mut |subject| {
                let _ = back.talk.say(&Line::Item(json!(desk.house.ids.show(subject))));
            },
            &mut |what, done, of| back.talk.progress(what, done, of),
        )?;
        Ok(serde_json::to_value(radius).unwrap_or_default())
    })
}

/// How the vault is: for `keys status` and `doctor`.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct Status {
    /// Schema of the database.
    pub schema: u32,
    /// The epoch that is written.
    pub epoch: u32,
    /// When it began (RFC 3339).
    pub epoch_since: String,
    /// Is a change of epoch under way?
    pub changing_epoch: bool,
    /// Is a change of epoch due?
    pub epoch_due: bool,
    /// Is the clock in doubt?
    pub clock_in_doubt: bool,
    /// Has the WAL held pages of a key that died for longer than it should?
    pub key_in_wal: bool,
    /// Credentials that are frozen.
    #[serde(default)]
    pub credentials_frozen: usize,
    /// The witnesses.
    #[serde(default)]
    pub witnesses: Vec<Standing>,
    /// Jobs that wait: kind, attempts.
    pub jobs: Vec<(String, u32)>,
    /// The shops.
    pub shops: Vec<ShopStatus>,
}

/// How a shop is.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShopStatus {
    /// Its id.
    pub name: String,
    /// The suite that seals.
    #[serde(default)]
    pub suite: String,
    /// Version of the policy in force.
    pub policy: u32,
    /// Subjects: present, restricted, erased.
    pub subjects: [u64; 3],
    /// Records.
    pub records: u64,
    /// Erasures.
    pub erasures: u64,
    /// Entries in its ledger.
    pub entries: u64,
    /// Living terms: when each ends (RFC 3339), `open` for what is open-ended.
    pub terms: Vec<String>,
    /// The key that verifies its ledger.
    pub verifier_key: String,
}

async fn status(State(desk): State<Arc<Desk>>) -> Response<Body> {
    match read_status(&desk).await {
        Ok(status) => answer(StatusCode::OK, &status),
        Err(problem) => problem.into_response(),
    }
}

/// Pages of a key that died may stand in the WAL for so long.
const KEY_IN_WAL_ALLOWED: std::time::Duration = std::time::Duration::from_mins(1);

async fn read_status(desk: &Arc<Desk>) -> Result<Status, Problem> {
    let house = &desk.house;
    let (epoch, since, changing) = house.keys.with(|ring| {
        let last = ring.epochs.last();
        (last.map_or(0, |epoch| epoch.number), last.map_or(0, |epoch| epoch.since), ring.epochs.len() > 1)
    });
    let mut shops = Vec::new();
    for shop in house.shops() {
        let reading = Arc::clone(&shop);
        let (subjects, records, erasures, entries) = house
            .look(move |view| {
                let entries = view.log_head(reading.log())?.map_or(0, |head| head.size);
                let subjects = crate::keep::count_subjects(view, &reading)?;
                Ok((
                    subjects,
                    crate::keep::count_records(view, &reading)?,
                    erase::count(view, &reading)?,
                    entries,
                ))
            })
            .await?;
        let ends = |at: i64| if at == crate::ground::OPEN_END { String::from("open") } else { instant(at) };
        shops.push(ShopStatus {
            name: shop.name.clone(),
            suite: shop.keys.suite().to_string(),
            policy: shop.policy().version,
            subjects,
            records,
            erasures,
            entries,
            terms: shop.terms.all().iter().map(|term| ends(term.ends_at)).collect(),
            verifier_key: heads::verifier(house, &shop, shop.log())?.to_string(),
        });
    }
    let jobs = house.look(|view| Ok(view.jobs(100)?)).await?;
    Ok(Status {
        schema: open::MIGRATIONS.last().map_or(0, |step| step.number),
        epoch,
        epoch_since: instant(since),
        changing_epoch: changing,
        epoch_due: erase::rotation_is_due(house),
        clock_in_doubt: house.watch.look(house.clock.as_ref()),
        credentials_frozen: house.count_frozen(),
        witnesses: house.witnesses.standings(house),
        key_in_wal: house.store.key_in_wal_for() > KEY_IN_WAL_ALLOWED,
        jobs: jobs.into_iter().map(|job| (job.kind, job.attempts)).collect(),
        shops,
    })
}

/// Somebody has looked at the clock and says that it is right.
async fn clock_is_right(State(desk): State<Arc<Desk>>) -> Response<Body> {
    for shop in desk.house.shops() {
        let entered = desk
            .house
            .work(store::Lane::High, &shop, &Actor::Operator, |work| {
                let entry = work.entry(ledger::entry::Act::ClockSettled, ledger::entry::Outcome::Yes);
                work.enter_plain(entry)
            })
            .await;
        if let Err(problem) = entered {
            return problem.into_response();
        }
    }
    desk.house.watch.settle(desk.house.clock.as_ref());
    answer(StatusCode::OK, &json!({ "clock_in_doubt": false }))
}

#[derive(Debug, Deserialize)]
struct PlanIn {
    text: String,
}

/// What a policy would change, before it is published: in words, and counted over what is kept.
async fn plan(State(desk): State<Arc<Desk>>, Query(which): Query<Which>, body: Bytes) -> Response<Body> {
    work(move |back| {
        let shop = shop_of(&desk, &which)?;
        let input: PlanIn = crate::ground::web::read_json(&body)?;
        let now = desk.house.clock.now();
        let today = jiff::Timestamp::from_microsecond(now).unwrap_or_default();
        let today = today.to_zoned(shop.policy().compiled.zone().clone()).date();
        let (checked, _) = notice::check(&input.text, "policy", today).map_err(|fault| fault.0)?;
        let in_force = policy::check(&shop.policy().text, "policy", today).policy;
        let next = open::would_be(&checked, &shop, now)?; // fails where a name would change its meaning
        let changes =
            in_force.as_ref().map(|before| policy::diff(before, &checked.policy)).unwrap_or_default();
        let parts = match &in_force {
            Some(before) => erase::parts_of(&changes, (before, &checked.policy), &next.registry),
            None => Ok(Vec::new()),
        };
        let parts = parts.map_err(|fault| notice::fault_problem(&fault))?;
        let version = next.version;
        let mut counted = erase::preview(&desk.house, &shop, next, parts, |done, of| {
            back.talk.progress("records", done, of);
        })?;
        let effects = std::mem::take(&mut counted.changes);
        let changes: Vec<Json> = changes
            .iter()
            .zip(effects)
            .map(|(change, effect)| {
                let mut row = change_json(change);
                if let Some(row) = row.as_object_mut() {
                    row.insert("counted".to_owned(), json!(effect));
                }
                row
            })
            .collect();
        let mut counted = json!(counted);
        if let Some(counted) = counted.as_object_mut() {
            counted.remove("changes"); // each stands with its change
        }
        let follows = version.saturating_sub(1);
        Ok(json!({ "version": version, "follows": follows, "changes": changes, "counted": counted }))
    })
}

/// Follows the job that lays records out by the policy in force, until it is done.
async fn lay_out(State(desk): State<Arc<Desk>>, Query(which): Query<Which>) -> Response<Body> {
    work(move |back| {
        let shop = shop_of(&desk, &which)?;
        let reading = Arc::clone(&shop);
        let total = desk
            .house
            .store
            .look_blocking::<_, Problem, _>(move |view| crate::keep::count_records(view, &reading))?;
        // Nobody sends on it: waiting for it to say something is waiting for time to pass.
        let (_quiet, pause) = std::sync::mpsc::channel::<()>();
        let mut waited = false;
        loop {
            let column = shop.column();
            let job = desk.house.store.look_blocking::<_, Problem, _>(move |view| {
                Ok(view.job(column, crate::ground::jobs::LAY_OUT, 0)?)
            })?;
            let Some(job) = job else {
                return Ok(json!({
                    "version": shop.policy().version, "waited": waited, "records": total,
                    "stepped_over": shop.stepped_over(),
                }));
            };
            if desk.house.watch.in_doubt() {
                return Err(Problem::new("SR-JOB-003", 503, "the clock is in doubt, so nothing is laid out")
                    .help("look at the clock; then `strongroom doctor --clock-is-right`, and the same command again"));
            }
            if job.attempts >= LOOK_AT_IT {
                return Err(Problem::new("SR-JOB-002", 503, "laying out fails again and again")
                    .help("the server's log has the code; it is tried again by itself, and this command follows it again"));
            }
            waited = true;
            let done = erase::Progress::read(&job.progress).looked_over;
            let line = Line::Progress { what: "records".to_owned(), done: done.min(total), of: total };
            if !back.talk.say(&line) {
                return Ok(Json::Null); // nobody follows any more; the job goes on
            }
            let _ = pause.recv_timeout(FOLLOWED_EVERY);
        }
    })
}

/// A job that failed so often in a row is not waited for.
const LOOK_AT_IT: u32 = 5;
/// How often somebody who follows a job is told.
const FOLLOWED_EVERY: std::time::Duration = std::time::Duration::from_millis(100);

/// A change as JSON, with its title and whether people must be told of it.
pub fn change_json(change: &policy::Change) -> Json {
    let mut row = json!(change);
    if let Some(row) = row.as_object_mut() {
        row.insert("title".to_owned(), json!(change.code.title()));
        row.insert("material".to_owned(), json!(change.is_material()));
    }
    row
}

async fn shops(State(desk): State<Arc<Desk>>) -> Response<Body> {
    let names: Vec<String> = desk.house.shops().iter().map(|shop| shop.name.clone()).collect();
    answer(StatusCode::OK, &json!({ "shops": names }))
}

#[derive(Debug, Deserialize)]
struct ShopIn {
    text: String,
    suite: Option<String>,
}

/// Makes another shop in the same vault.
async fn add_shop(State(desk): State<Arc<Desk>>, body: Bytes) -> Response<Body> {
    let made = (|| {
        let input: ShopIn = crate::ground::web::read_json(&body)?;
        let suite = input.suite.as_deref().map_or(Ok(Suite::Aes256Gcm), suite_of)?;
        let now = jiff::Timestamp::from_microsecond(desk.house.clock.now()).unwrap_or_default();
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let checked = notice::check(&input.text, "policy", today);
        checked.map(|(checked, _)| (checked, suite)).map_err(|fault| fault.0)
    })();
    let (checked, suite) = match made {
        Ok(made) => made,
        Err(problem) => return problem.into_response(),
    };
    work(move |_| {
        let made = open::add_shop(&desk.house, &checked, suite)?;
        heads::write_heads(&desk.house)?;
        Ok(json!({ "shop": made.shop, "verifier_key": made.verifier_key, "admin": made.admin.as_str() }))
    })
}

/// Makes a round of the caretaker now, and answers when it is done.
async fn round(State(desk): State<Arc<Desk>>) -> Response<Body> {
    work(move |_| {
        desk.caretaker.lock().unwrap_or_else(PoisonError::into_inner).round()?;
        Ok(json!({}))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_line_is_heard_when_whoever_takes_lines_has_done_with_it() {
        let heard = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&heard);
        let mut body = work(move |back| {
            back.talk.say(&Line::Item(json!({ "line": 7 })));
            asked.store(back.is_heard(), Ordering::SeqCst);
            Ok(json!({}))
        })
        .into_body();
        let mut lines = 0;
        while let Some(Ok(_)) = body.frame().await {
            // It is being written somewhere, slowly.
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(lines > 0 || !heard.load(Ordering::SeqCst), "heard before it was written");
            lines += 1;
        }
        assert_eq!((lines, heard.load(Ordering::SeqCst)), (3, true), "the line, what asks, and the last");
    }

    #[tokio::test]
    async fn nothing_is_heard_by_somebody_who_went_away() {
        let (told, answer) = std::sync::mpsc::channel();
        drop(work(move |back| {
            told.send(back.is_heard()).unwrap();
            Ok(json!({}))
        }));
        let heard = tokio::task::spawn_blocking(move || answer.recv().unwrap()).await.unwrap();
        assert!(!heard);
    }
}
