//! A witness of our own: a small server that speaks C2SP tlog-witness and cosigns what only grew. It knows the logs whose keys it
//! was given, and of each the newest head that it has cosigned; nothing else of whoever runs them.
//!
//! INVARIANT: what it has cosigned is on its disk before it answers, and what it compares with is what is on its disk; both in
//! one step, so that two requests at once cannot set a log back.

use std::collections::HashMap;
use std::fs::{self, File};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::{get, post};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use ledger::checkpoint::Checkpoint;
use ledger::cosign::{Cosigner, WitnessKey, cosignatures};
use ledger::note::Verifier;
use ledger::witness::{AddCheckpoint, Declined, MAX_REQUEST_BYTES, SIZE_TYPE, judge};
use sha2::{Digest, Sha256};

use crate::ground::clock::{Clock, SECOND};
use crate::ground::{Problem, hex, keys_folder, private_key};

/// A request must have arrived within this time.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Requests a second, of all callers together, and at once after a pause.
const PER_SECOND: u32 = 50;
const BURST: u32 = 200;
/// The type of a cosignature's key (C2SP tlog-cosignature).
const KEY_TYPE: u8 = 0x04;
/// Held while a witness owns its folder.
const LOCK: &str = "lock";

/// Makes a witness's key and writes it into a new file, 0600. Gives: the verifier key, for everybody.
///
/// Fails: `SR-KEYS-003` when the file is there, `SR-LEDGER-011` for what is no name.
pub fn make_key(file: &Path, name: &str) -> Result<WitnessKey, Problem> {
    private_key::make(file, KEY_TYPE, name, |seed| {
        let key = Cosigner::from_seed(name, seed)?.witness_key().clone();
        let id = key.key_id();
        Ok((key, id))
    })
}

/// Reads a witness's key. Fails: `SR-KEYS-001` when others can read the file, `SR-WITNESS-009` when it is no such key.
pub fn read_key(file: &Path) -> Result<Cosigner, Problem> {
    let key = private_key::read(file, KEY_TYPE, |name, seed| {
        let cosigner = Cosigner::from_seed(name, seed).ok()?;
        let id = cosigner.witness_key().key_id();
        Some((cosigner, id))
    })?;
    key.ok_or_else(|| {
        Problem::new("SR-WITNESS-009", 500, "the file holds no private key of a witness")
            .help("`strongroom witness --key FILE --new-key NAME` makes one")
    })
}

/// A witness.
pub struct Witness {
    cosigner: Cosigner,
    logs: Vec<Verifier>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    seen: Mutex<HashMap<String, Seen>>,
    limiter: DefaultDirectRateLimiter,
    _lock: File,
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness").field("logs", &self.logs.len()).finish_non_exhaustive()
    }
}

/// The newest head of a log that was cosigned, with the log's signatures and this witness's.
struct Seen {
    checkpoint: Checkpoint,
    note: String,
}

/// What it answers.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Answer {
    fn text(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, kind: "text/plain; charset=utf-8", body: body.into() }
    }
}

impl Witness {
    /// Opens the folder of a witness, and makes it if it is not there.
    ///
    /// Takes: its key, and the keys of the logs that it cosigns. Fails: `SR-WITNESS-010` when another process has the folder, `-012`
    /// when what lies in it is damaged; `SR-KEYS-001` when others may enter it.
    pub fn open(
        folder: &Path,
        cosigner: Cosigner,
        logs: Vec<Verifier>,
        clock: Arc<dyn Clock>,
    ) -> Result<Witness, Problem> {
        keys_folder::make_private_folder(folder)?;
        let lock = File::create(folder.join(LOCK))?;
        if lock.try_lock().is_err() {
            return Err(Problem::new("SR-WITNESS-010", 500, "another witness has this folder"));
        }
        let mut seen = HashMap::new();
        for log in &logs {
            let file = folder.join(file_of(log.name()));
            if !file.exists() {
                continue;
            }
            let bytes = keys_folder::read_private(&file)?;
            let note = String::from_utf8(bytes.to_vec()).unwrap_or_default();
            let own = std::slice::from_ref(cosigner.witness_key());
            let is_own = cosignatures(&note, own).is_ok_and(|found| found.len() == 1);
            let checkpoint = Checkpoint::open(&note, log, log.name()).ok().filter(|_| is_own);
            let checkpoint = checkpoint.ok_or_else(|| {
                Problem::new(
                    "SR-WITNESS-012",
                    500,
                    "a head that this witness kept is damaged, or another key's",
                )
                .help("put back the file as it was: a witness that forgets lets a log be set back")
            })?;
            seen.insert(log.name().to_owned(), Seen { checkpoint, note });
        }
        let per_second = NonZeroU32::new(PER_SECOND).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(BURST).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst));
        let (folder, seen) = (folder.to_owned(), Mutex::new(seen));
        Ok(Witness { cosigner, logs, folder, clock, seen, limiter, _lock: lock })
    }

    /// Its verifier key.
    pub fn key(&self) -> &WitnessKey {
        self.cosigner.witness_key()
    }

    /// Its two routes.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/add-checkpoint", post(add_checkpoint))
            .route("/{origin}/checkpoint", get(get_checkpoint))
            .with_state(Arc::clone(self))
    }

    /// SOURCE: C2SP tlog-witness, "add-checkpoint".
    fn add(&self, body: &[u8]) -> Answer {
        let request = std::str::from_utf8(body).ok().and_then(|text| text.parse::<AddCheckpoint>().ok());
        let Some(request) = request else { return declined(Declined::NotARequest) };
        let log = self.logs.iter().find(|log| log.name() == request.origin());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.get(request.origin()).map(|seen| &seen.checkpoint);
        let checkpoint = match judge(&request, log, before) {
            Ok(checkpoint) => checkpoint,
            Err(why) => {
                if why == Declined::NotGrown {
                    // Two histories were signed with one key: whoever runs the log, or the witness, has to know.
                    crate::note!(
                        ERROR,
                        "a log did not grow out of what was cosigned",
                        size = request.old_size
                    );
                }
                return declined(why);
            }
        };
        let at = u64::try_from(self.clock.now() / SECOND).unwrap_or(0);
        let text = checkpoint.to_string();
        let Ok(line) = self.cosigner.cosign(&text, at) else { return Answer::text(500, "") };
        // Of the lines that were sent only the log's own are kept: a note from outside must not grow here.
        let Some(own) = log.and_then(|log| own_lines(&request.note, log)) else {
            return declined(Declined::NotSigned);
        };
        let note = format!("{text}\n{own}{line}");
        // ORDER: on the disk before it is answered, and before it is compared with.
        if let Err(problem) = self.write(checkpoint.origin(), &note) {
            crate::note!(ERROR, "a head could not be kept, and is not cosigned", code = problem.code);
            return Answer::text(503, "");
        }
        seen.insert(checkpoint.origin().to_owned(), Seen { checkpoint, note });
        Answer::text(200, line)
    }

    fn write(&self, origin: &str, note: &str) -> Result<(), Problem> {
        let file = self.folder.join(file_of(origin));
        let fresh = file.with_extension("new");
        let _ = fs::remove_file(&fresh);
        keys_folder::write_new(&fresh, note.as_bytes())?;
        fs::rename(&fresh, &file)?;
        Ok(keys_folder::sync_folder(&self.folder)?)
    }

    fn latest(&self, origin_hash: &str) -> Answer {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let found = seen.iter().find(|(origin, _)| file_of(origin) == origin_hash);
        found.map_or_else(|| Answer::text(404, ""), |(_, seen)| Answer::text(200, seen.note.clone()))
    }
}

/// Name of a log's file, and of its address: the hash of its origin, hex. Origins are anybody's text.
fn file_of(origin: &str) -> String {
    hex(&Sha256::digest(origin))
}

/// The lines of a note that hold under the log's key. `None` if there is none.
fn own_lines(note: &str, log: &Verifier) -> Option<String> {
    let (text, lines) = note.rsplit_once("\n\n")?;
    let holds =
        |line: &&str| ledger::note::open(&format!("{text}\n\n{line}"), std::slice::from_ref(log)).is_ok();
    // One is enough: each of them is the same signature.
    lines.split_inclusive('\n').find(holds).map(str::to_owned)
}

fn declined(why: Declined) -> Answer {
    match why {
        Declined::SeenOther { size } => Answer { status: 409, kind: SIZE_TYPE, body: format!("{size}\n") },
        why => Answer::text(why.status(), ""),
    }
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Body) -> Response<Body> {
    if witness.limiter.check().is_err() {
        return sent(Answer::text(429, ""));
    }
    let read = tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, MAX_REQUEST_BYTES)).await;
    let body = match read {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return sent(Answer::text(413, "")),
        Err(_) => return sent(Answer::text(408, "")),
    };
    // It waits for the disk.
    let answer = tokio::task::spawn_blocking(move || witness.add(&body)).await;
    sent(answer.unwrap_or_else(|_| Answer::text(500, "")))
}

async fn get_checkpoint(
    State(witness): State<Arc<Witness>>,
    UrlPath(origin): UrlPath<String>,
) -> Response<Body> {
    if witness.limiter.check().is_err() {
        return sent(Answer::text(429, ""));
    }
    // Whoever asks waits while a head is written; that must not be a thread of the runtime.
    let answer = tokio::task::spawn_blocking(move || witness.latest(&origin)).await;
    sent(answer.unwrap_or_else(|_| Answer::text(500, "")))
}

fn sent(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    response
}

#[cfg(test)]
mod tests {
    use ledger::hash::leaf_hash;
    use ledger::note::Signer;
    use ledger::tree::{TileBuffer, Tiles, consistency_proof};

    use super::*;
    use crate::ground::clock::SetClock;

    const ORIGIN: &str = "strongroom/a-shop";

    fn log() -> Signer {
        Signer::from_seed(ORIGIN, &[1; 32]).unwrap()
    }

    fn open(folder: &Path) -> Result<Witness, Problem> {
        let cosigner = Cosigner::from_seed("witness.example/w", &[2; 32]).unwrap();
        let clock = Arc::new(SetClock::at(1_795_305_600 * SECOND));
        Witness::open(&folder.join("state"), cosigner, vec![log().verifier().clone()], clock)
    }

    fn tree(size: u64, from: &[u8]) -> TileBuffer {
        let mut tree = TileBuffer::new();
        (0..size).for_each(|number| tree.append(leaf_hash(&[from, &number.to_be_bytes()].concat())));
        tree
    }

    struct Small(TileBuffer);

    impl Tiles for Small {
        type Error = ();
        fn tile(&mut self, level: u8, index: u64, _: u16) -> Result<Vec<u8>, ()> {
            let tile = self.0.partial_tiles().find(|tile| (tile.level, tile.index) == (level, index));
            tile.map(|tile| tile.bytes.to_vec()).ok_or(())
        }
    }

    fn note(size: u64, from: &[u8]) -> String {
        Checkpoint::new(ORIGIN, size, tree(size, from).root()).unwrap().sign(&log()).unwrap()
    }

    fn request(old_size: u64, size: u64) -> Vec<u8> {
        let proof = consistency_proof(&mut Small(tree(size, b"")), old_size, size).unwrap();
        AddCheckpoint { old_size, proof, note: note(size, b"") }.to_string().into_bytes()
    }

    #[test]
    fn what_only_grew_is_cosigned_and_shown() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path()).unwrap();
        assert_eq!(witness.latest(&file_of(ORIGIN)).status, 404);
        for (old, new) in [(0, 3), (3, 3), (3, 9)] {
            let answer = witness.add(&request(old, new));
            let whole = note(new, b"") + &answer.body;
            let found = cosignatures(&whole, std::slice::from_ref(witness.key())).unwrap();
            assert_eq!((answer.status, found[0].at_seconds), (200, 1_795_305_600));
            assert_eq!(witness.latest(&file_of(ORIGIN)), Answer::text(200, whole));
        }
    }

    #[test]
    fn a_log_that_is_set_back_is_told_what_was_seen_also_behind_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open(folder.path()).unwrap().add(&request(0, 9)).status, 200);
        let witness = open(folder.path()).unwrap();
        let seen = Answer { status: 409, kind: SIZE_TYPE, body: "9\n".into() };
        assert_eq!(witness.add(&request(0, 3)), seen);
        assert_eq!(witness.add(&request(3, 3)), seen);
        assert_eq!(witness.add(&request(9, 12)).status, 200);
    }

    #[test]
    fn a_fork_is_refused_and_what_was_seen_stays() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path()).unwrap();
        witness.add(&request(0, 9));
        let before = witness.latest(&file_of(ORIGIN));
        let forked = AddCheckpoint { old_size: 9, proof: vec![], note: note(9, b"another") };
        assert_eq!(witness.add(forked.to_string().as_bytes()).status, 422);
        assert_eq!(witness.latest(&file_of(ORIGIN)), before);
    }

    #[test]
    fn strangers_and_what_is_no_request_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path()).unwrap();
        let stranger = Signer::from_seed(ORIGIN, &[8; 32]).unwrap();
        let head = Checkpoint::new(ORIGIN, 1, tree(1, b"").root()).unwrap();
        let note = head.sign(&stranger).unwrap();
        let request = AddCheckpoint { old_size: 0, proof: vec![], note };
        assert_eq!(witness.add(request.to_string().as_bytes()).status, 403);
        let unknown = request.to_string().replace(ORIGIN, "strongroom/another");
        assert_eq!(witness.add(unknown.as_bytes()).status, 404);
        for bad in [&b""[..], b"old 0\n", &[0xff; 90], b"GET / HTTP/1.1\r\n\r\n"] {
            assert_eq!(witness.add(bad).status, 400);
        }
    }

    #[test]
    fn lines_of_others_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path()).unwrap();
        let note = note(1, b"") + &"\u{2014} somebody.example AAAAAAA=\n".repeat(90);
        let request = AddCheckpoint { old_size: 0, proof: vec![], note };
        assert_eq!(witness.add(request.to_string().as_bytes()).status, 200);
        assert_eq!(witness.latest(&file_of(ORIGIN)).body.lines().count(), 6);
    }

    #[test]
    fn of_two_requests_at_once_one_is_cosigned_and_the_other_is_told_what_was_seen() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let witness = open(folder.path()).unwrap();
            witness.add(&request(0, 3));
            let both: Vec<Answer> = std::thread::scope(|scope| {
                let witness = &witness;
                let asked = [9, 12].map(|size| scope.spawn(move || witness.add(&request(3, size))));
                asked.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let size = witness.latest(&file_of(ORIGIN)).body.lines().nth(1).unwrap().to_owned();
            let told = Answer { status: 409, kind: SIZE_TYPE, body: format!("{size}\n") };
            assert_eq!(both.iter().filter(|answer| answer.status == 200).count(), 1);
            assert!(both.contains(&told), "{both:?}");
        }
    }

    #[test]
    fn a_head_that_cannot_be_kept_is_not_cosigned() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path()).unwrap();
        witness.add(&request(0, 3));
        fs::create_dir_all(folder.path().join("state").join(file_of(ORIGIN)).with_extension("new")).unwrap();
        assert_eq!(witness.add(&request(3, 9)), Answer::text(503, ""));
        assert!(witness.latest(&file_of(ORIGIN)).body.contains("\n3\n"));
    }

    #[test]
    fn a_folder_has_one_witness_and_what_was_changed_in_it_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path()).unwrap();
        witness.add(&request(0, 3));
        assert_eq!(open(folder.path()).unwrap_err().code, "SR-WITNESS-010");
        drop(witness);
        let file = folder.path().join("state").join(file_of(ORIGIN));
        let changed = fs::read_to_string(&file).unwrap().replace("\n3\n", "\n2\n");
        fs::write(&file, changed).unwrap();
        assert_eq!(open(folder.path()).unwrap_err().code, "SR-WITNESS-012");
    }

    #[test]
    fn a_key_is_read_as_it_was_made_and_no_other_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let key = make_key(&file, "witness.example/w").unwrap();
        assert_eq!(read_key(&file).unwrap().witness_key(), &key);
        assert_eq!(make_key(&file, "witness.example/w").unwrap_err().code, "SR-KEYS-003");
        let text = fs::read_to_string(&file).unwrap();
        for bad in [text.replace("/w+", "/v+"), text.replace("PRIVATE", "PUBLIC"), String::new()] {
            fs::write(&file, bad).unwrap();
            assert_eq!(read_key(&file).unwrap_err().code, "SR-WITNESS-009");
        }
    }
}
