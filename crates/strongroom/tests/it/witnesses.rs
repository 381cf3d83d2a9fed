//! Witnesses: what they are told, what they notice, and what a hostile one can do, which is nothing but be absent.

#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::{get, post};
use ledger::checkpoint::Checkpoint;
use ledger::cosign::{Cosigner, Quorum, WitnessKey, cosignatures};
use ledger::note::Verifier;
use ledger::receipt::Receipt;
use ledger::witness::AddCheckpoint;
use serde_json::{Value as Json, json};
use strongroom::backup;
use strongroom::ground::clock::{Clock, HOUR, MINUTE, SECOND};
use strongroom::ground::witnesses::{Duty, WitnessAt, WitnessPlace};
use strongroom::ground::{Problem, Role};
use strongroom::open::{self, Places};
use strongroom::witness::Witness;
use tempfile::TempDir;

use crate::engine::{Home, home_of_copy, read_rows, write_rows};
use crate::judges::{kept, ours, run_with, there};
use crate::support::{Bench, folder, logged};
use crate::vault::{Caller, Vault, customer};

/// Serves a router on loopback until it is dropped.
struct At {
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl At {
    fn serve(router: Router) -> At {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        At { address, runtime: Some(runtime) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for At {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn cosigner(number: u8) -> Cosigner {
    Cosigner::from_seed(&format!("witness.example/w{number}"), &[number; 32]).unwrap()
}

fn key(number: u8) -> WitnessKey {
    cosigner(number).witness_key().clone()
}

fn place(name: &str, at: WitnessAt) -> WitnessPlace {
    WitnessPlace { name: name.into(), at, every: MINUTE, red_after: HOUR, duty: Duty::Wanted }
}

fn server(number: u8, at: &At) -> WitnessPlace {
    place(&format!("w{number}"), WitnessAt::Http { url: at.url(), ca_file: None, key: key(number) })
}

fn file(path: &Path) -> WitnessPlace {
    place("worm", WitnessAt::File(path.to_owned()))
}

/// A witness of ours that knows the bench's log.
fn witness(bench: &Bench, number: u8, folder: &Path) -> At {
    let log: Verifier = bench.verifier.parse().unwrap();
    let state = folder.join(format!("state-{number}"));
    let witness = Witness::open(&state, cosigner(number), vec![log], bench.clock.clone()).unwrap();
    At::serve(Arc::new(witness).router())
}

/// The bench, opened again with these witnesses.
fn with(bench: &mut Bench, witnesses: Vec<WitnessPlace>) {
    bench.close();
    bench.places.witnesses = witnesses;
    bench.open();
}

/// Tells the witnesses of what is there. Of two servers each has its own, and does that by itself.
fn tell(bench: &Bench) {
    for house in bench.houses() {
        if house.store.is_shared() {
            strongroom::neighbours::keep_up(house).unwrap();
        }
        house.witnesses.tell_now(house);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Both folders of a closed house as they are now, somewhere else; and its rows, where a server has them.
fn copy_of(places: &Places, to: &Path) -> (Places, Option<Home>) {
    let mut copy = places.clone();
    (copy.data, copy.keys) = (to.join("data"), to.join("keys"));
    copy.lock = strongroom::ground::key_holder::LockSource::KeyFile(copy.keys.join("unlock.key"));
    copy_folder(&places.data, &copy.data);
    copy_folder(&places.keys, &copy.keys);
    let home = home_of_copy(&places.data, &copy.data);
    if let Some(home) = &home {
        copy.rows = home.rows();
    }
    (copy, home)
}

/// Places where nothing is yet but these keys.
fn new_places(bench: &Bench, data: PathBuf, keys: PathBuf) -> (Places, Option<Home>) {
    let lock = strongroom::ground::key_holder::LockSource::KeyFile(keys.join("unlock.key"));
    let home = Home::new();
    let rows = home.as_ref().map_or_else(|| bench.places.rows.clone(), Home::rows);
    (Places { data, keys, lock, rows, ..bench.places.clone() }, home)
}

fn open_code(places: &Places, bench: &Bench) -> &'static str {
    match open::open(places, bench.clock.clone()) {
        Ok(house) => {
            house.close();
            "served"
        }
        Err(problem) => problem.code,
    }
}

fn attention(bench: &Bench) -> String {
    bench.get_as_stranger("/health/ready").is(200)["attention"].to_string()
}

fn cosigned_size(bench: &Bench) -> u64 {
    bench.house().witnesses.cosigned(bench.shop().log()).map_or(0, |cosigned| cosigned.size)
}

fn size(bench: &Bench) -> u64 {
    bench.house().heads.find(bench.shop().log()).unwrap().size
}

/// A house that both kinds of witnesses have seen grow, and a copy of all of it from before it grew.
struct SetBack {
    bench: Bench,
    place: TempDir,
    before: Places,
    _home: Option<Home>,
    _server: At,
}

fn set_back() -> SetBack {
    let (mut bench, place) = (Bench::new(), folder());
    let at = witness(&bench, 1, place.path());
    let worm = place.path().join("worm");
    with(&mut bench, vec![server(1, &at), file(&worm)]);
    let service = bench.service();
    bench.customer(&service, "c-1");
    tell(&bench);
    bench.close();
    let (before, home) = copy_of(&bench.places, &place.path().join("before"));
    bench.open();
    bench.customer(&service, "c-2");
    tell(&bench);
    bench.close();
    SetBack { bench, place, before, _home: home, _server: at }
}

#[test]
fn an_old_copy_of_everything_is_refused_by_name_when_a_witness_has_seen_more() {
    let SetBack { bench, before, place: _place, _home, _server: _at } = set_back();
    for witness in &bench.places.witnesses {
        let places = Places { witnesses: vec![witness.clone()], ..before.clone() };
        let problem = open::open(&places, bench.clock.clone()).unwrap_err();
        assert_eq!(problem.code, "SR-WITNESS-001", "{}", witness.name);
        assert!(
            problem.title.contains(&format!("the witness `{}` has seen", witness.name)),
            "{}",
            problem.title
        );
    }
    // The server shows what it has seen, signed with the shop's own key.
    let places = Places { witnesses: bench.places.witnesses[..1].to_vec(), ..before };
    let problem = open::open(&places, bench.clock.clone()).unwrap_err();
    assert!(problem.title.ends_with(", signed with the shop's key"), "{}", problem.title);
}

/// The twin: what the witnesses are for.
#[test]
fn the_same_old_copy_is_served_when_nobody_else_has_seen_more() {
    let SetBack { bench, before, place: _place, _home, _server: _at } = set_back();
    let places = Places { witnesses: Vec::new(), ..before };
    assert_eq!(open_code(&places, &bench), "served");
}

#[test]
fn an_old_copy_that_nobody_could_hold_at_its_start_is_named_when_a_witness_is_heard_again() {
    let SetBack { mut bench, before, place, _home, _server: at } = set_back();
    let state = place.path().join("state-1");
    drop(at);
    // The server is away, and comes back at another address only after the start.
    let hole = At::serve(Router::new());
    let answers = Arc::new(Mutex::new(Router::new()));
    let turning = Arc::clone(&answers);
    let front = At::serve(Router::new().fallback(move |request: axum::extract::Request| {
        let router = turning.lock().unwrap_or_else(PoisonError::into_inner).clone();
        async move { tower::ServiceExt::oneshot(router, request).await }
    }));
    drop(hole);
    let own = bench.places.clone();
    bench.places = Places { witnesses: vec![server(1, &front)], ..before };
    bench.open();
    assert!(attention(&bench).contains("witness_unheard") && !attention(&bench).contains("contradicts"));
    let log: Verifier = bench.verifier.parse().unwrap();
    // The one before may still hold its folder for a moment.
    let witness = (0..200).find_map(|_| {
        Witness::open(&state, cosigner(1), vec![log.clone()], bench.clock.clone()).map_or_else(
            |_| {
                std::thread::park_timeout(std::time::Duration::from_millis(50));
                None
            },
            Some,
        )
    });
    *answers.lock().unwrap() = Arc::new(witness.unwrap()).router();
    tell(&bench);
    assert!(attention(&bench).contains("witness_contradicts"), "{}", attention(&bench));
    assert!(
        bench
            .get_at_admin_door("/metrics")
            .text()
            .contains("strongroom_witness_contradicts{witness=\"w1\"} 1")
    );
    assert!(logged().contains("a witness contradicts this house"));
    bench.close();
    bench.places = own;
    bench.is_broken_on_purpose();
}

#[test]
fn another_history_with_the_same_key_is_refused_by_name() {
    let SetBack { mut bench, before, place: _place, _home, _server: _at } = set_back();
    let own = bench.places.clone();
    bench.places = Places { witnesses: Vec::new(), ..before };
    bench.open();
    let service = bench.service();
    for number in 0..9 {
        bench.customer(&service, &format!("other-{number}"));
    }
    bench.close();
    for witness in &own.witnesses {
        let places = Places { witnesses: vec![witness.clone()], ..bench.places.clone() };
        assert_eq!(open_code(&places, &bench), "SR-WITNESS-002", "{}", witness.name);
    }
    // And the twin: without them the fork goes on.
    assert_eq!(open_code(&bench.places, &bench), "served");
    bench.places = own;
}

#[test]
fn all_witnesses_cosign_one_head_and_receipts_prove_it() {
    let (mut bench, place) = (Bench::new(), folder());
    let (one, two) = (witness(&bench, 1, place.path()), witness(&bench, 2, place.path()));
    with(&mut bench, vec![server(1, &one), server(2, &two)]);
    let service = bench.service();
    bench.customer(&service, "c-1");
    let chosen = bench.choose(&service, "c-1", "marketing_email", "granted");
    tell(&bench);
    assert_eq!(cosigned_size(&bench), size(&bench));
    let quorum = Quorum::new(vec![key(1), key(2)], 2).unwrap();
    // The head as it is served to anybody.
    let head = bench.get_as_stranger("/ledger/checkpoint").text();
    assert_eq!(quorum.judge(&head).unwrap().len(), 2);
    assert_eq!(bench.get_as_stranger("/ledger/cosigned").text(), head);
    // A receipt of an entry under it; and the log goes on.
    bench.customer(&service, "c-2");
    let entry = chosen["entry"].as_str().unwrap();
    let proof = bench.get(&service, &format!("/v1/ledger/proof?entry={entry}")).is(200);
    assert!(quorum.judge(proof["checkpoint"].as_str().unwrap()).is_ok(), "{proof}");
    assert_eq!(quorum.judge(&bench.get_as_stranger("/ledger/checkpoint").text()), missed(0));
    let again = bench.choose(&service, "c-1", "marketing_email", "withdrawn");
    let receipt = Receipt::from_json(&again["receipt"].to_string()).unwrap();
    let log: Verifier = bench.verifier.parse().unwrap();
    receipt.verify(&log, log.name()).unwrap();
    assert_eq!(quorum.judge(&receipt.checkpoint), missed(0), "nobody has seen this entry yet");
    tell(&bench);
    let proof = bench.get(&service, &format!("/v1/ledger/proof?entry={}", again["entry"].as_str().unwrap()));
    assert!(quorum.judge(proof.is(200)["checkpoint"].as_str().unwrap()).is_ok());
}

fn missed(have: usize) -> Result<Vec<ledger::cosign::Cosignature>, ledger::Error> {
    Err(ledger::Error::QuorumMissed { have, least: 2 })
}

#[test]
fn what_was_cosigned_outlives_a_restart_and_an_export_holds_it() {
    let (mut bench, place) = (Bench::new(), folder());
    let at = witness(&bench, 1, place.path());
    with(&mut bench, vec![server(1, &at)]);
    bench.customer(&bench.service(), "c-1");
    tell(&bench);
    let before = bench.get_as_stranger("/ledger/cosigned").text();
    let kept = std::fs::read_to_string(bench.places.keys.join("cosigned")).unwrap();
    assert!(kept.contains(before.lines().last().unwrap()));
    drop(at);
    // Another one cosigns the same head; the line of the one that is away stays.
    let two = witness(&bench, 2, place.path());
    let away = bench.places.witnesses.clone();
    with(&mut bench, vec![away[0].clone(), server(2, &two)]);
    let both = bench.get_as_stranger("/ledger/cosigned").text();
    assert_eq!(cosignatures(&both, &[key(1), key(2)]).unwrap().len(), 2);
    assert!(both.starts_with(&before));
    let (house, shop) = (bench.house().clone(), bench.shop());
    let to = place.path().join("log");
    let note = strongroom::ground::heads::sign(&house, &shop).unwrap();
    strongroom::account::export(&house, &shop, note, &to, &mut |_, _| {}).unwrap();
    let trust = ledger::archive::Trust::new(bench.verifier.parse().unwrap());
    let quorum = Quorum::new(vec![key(1)], 1).unwrap();
    let archive = ledger::archive::Folder::new(&to);
    let (seen, by) = ledger::archive::verify_cosigned_in(&archive, &trust, &quorum).unwrap();
    assert_eq!((seen.size(), by.len()), (cosigned_size(&bench), 1));
}

#[test]
fn an_old_copy_of_what_was_cosigned_is_held_against_as_well() {
    // The keys folder is the newer one, and its `heads` was put back with the data; `cosigned` was forgotten.
    let SetBack { bench, before, place: _place, _home, _server: _at } = set_back();
    std::fs::copy(bench.places.keys.join("cosigned"), before.keys.join("cosigned")).unwrap();
    let places = Places { witnesses: vec![file(Path::new("/nowhere/at/all"))], ..before };
    assert_eq!(open_code(&places, &bench), "SR-WITNESS-001");
}

/// What a hostile witness answers with, made of the request that it got.
type Script = fn(&AddCheckpoint) -> (u16, String);

fn hostile(script: Script) -> At {
    let add = move |body: Bytes| async move {
        let request: AddCheckpoint = std::str::from_utf8(&body).unwrap().parse().unwrap();
        let (status, body) = script(&request);
        (StatusCode::from_u16(status).unwrap(), body)
    };
    At::serve(
        Router::new().route("/add-checkpoint", post(add)).route("/{x}/checkpoint", get(async || "no note")),
    )
}

fn text_of(request: &AddCheckpoint) -> String {
    format!("{}\n", request.note.rsplit_once("\n\n").unwrap().0)
}

/// 2026-11-23T02:00:00Z, when every bench begins.
const NOW: u64 = 1_795_399_200;

fn fault_of(bench: &Bench) -> String {
    bench.house().witnesses.standings(bench.house())[0].fault.clone().unwrap_or_default()
}

#[test]
fn answers_that_are_no_cosignature_of_what_was_sent_count_for_nothing() {
    let wrong: [(&str, Script); 10] = [
        ("another key", |request| (200, cosigner(2).cosign(&text_of(request), NOW).unwrap())),
        ("another key under the name", |request| {
            let posing = Cosigner::from_seed("witness.example/w1", &[9; 32]).unwrap();
            (200, posing.cosign(&text_of(request), NOW).unwrap())
        }),
        ("another head", |_| (200, cosigner(1).cosign("strongroom/harbour-hill\n1\nAAAA\n", NOW).unwrap())),
        ("an old time", |request| (200, cosigner(1).cosign(&text_of(request), NOW - 3_700).unwrap())),
        ("a time to come", |request| (200, cosigner(1).cosign(&text_of(request), NOW + 700).unwrap())),
        ("nothing", |_| (200, String::new())),
        ("a page", |_| (200, "<html>\n".into())),
        ("thousands of lines", |request| {
            (200, cosigner(1).cosign(&text_of(request), NOW).unwrap().repeat(400))
        }),
        ("a size that is none", |_| (409, "many\n".into())),
        ("another size each time", |request| (409, format!("{}\n", 1 - request.old_size.min(1)))),
    ];
    for (what, script) in wrong {
        let (mut bench, at) = (Bench::new(), hostile(script));
        with(&mut bench, vec![server(1, &at)]);
        assert_eq!(fault_of(&bench), "SR-WITNESS-003", "{what}");
        assert_eq!(
            (cosigned_size(&bench), attention(&bench).contains("witness_unheard")),
            (0, true),
            "{what}"
        );
        assert_eq!(bench.get_as_stranger("/ledger/cosigned").problem(404, "SR-WITNESS-011")["status"], 404);
        // Everything else goes on as if there were no witness.
        bench.customer(&bench.service(), "c-1");
        bench.places.witnesses.clear();
    }
}

#[test]
fn a_witness_that_declines_is_too_long_or_is_away_is_named_by_its_code() {
    let wrong: [(Script, &str); 4] = [
        (|_| (404, String::new()), "SR-WITNESS-006"),
        (|_| (403, String::new()), "SR-WITNESS-006"),
        (|_| (500, "sorry".into()), "SR-WITNESS-006"),
        (|_| (200, "x".repeat(70_000)), "SR-OUT-007"),
    ];
    for (script, code) in wrong {
        let (mut bench, at) = (Bench::new(), hostile(script));
        with(&mut bench, vec![server(1, &at)]);
        assert_eq!(fault_of(&bench), code);
        bench.places.witnesses.clear();
    }
    let mut bench = Bench::new();
    let away = At::serve(Router::new());
    let place = server(1, &away);
    drop(away);
    with(&mut bench, vec![place]);
    assert_eq!(fault_of(&bench), "SR-OUT-004");
    bench.places.witnesses.clear();
}

#[test]
fn a_witness_that_says_it_has_seen_more_is_believed_that_something_is_wrong() {
    let mut bench = Bench::new();
    let at = hostile(|_| (409, "1000000\n".into()));
    bench.close();
    bench.places.witnesses = vec![server(1, &at)];
    let problem = open::open(&bench.places, bench.clock.clone()).unwrap_err();
    assert_eq!(problem.code, "SR-WITNESS-001");
    assert!(problem.title.ends_with("has seen 1000000 of it, as it says"), "{}", problem.title);
    bench.places.witnesses.clear();
}

#[test]
fn doubled_and_foreign_lines_beside_the_right_one_do_no_harm() {
    let (mut bench, at) = (
        Bench::new(),
        hostile(|request| {
            let line = |number: u8, at: u64| cosigner(number).cosign(&text_of(request), at).unwrap();
            (200, [line(2, NOW), line(1, NOW - 5), line(1, NOW), line(1, NOW)].concat())
        }),
    );
    with(&mut bench, vec![server(1, &at)]);
    let head = bench.get_as_stranger("/ledger/cosigned").text();
    assert_eq!(head.lines().count(), 6, "{head}");
    assert_eq!(cosignatures(&head, &[key(1), key(2)]).unwrap().len(), 1);
    bench.places.witnesses.clear();
}

#[test]
fn a_required_witness_that_cannot_be_heard_keeps_the_house_shut() {
    let (mut bench, place) = (Bench::new(), folder());
    bench.close();
    let worm = place.path().join("worm");
    let away = At::serve(Router::new());
    let server = server(1, &away);
    drop(away);
    for witness in [file(&worm), server] {
        let required = WitnessPlace { duty: Duty::Required, ..witness };
        let places = Places { witnesses: vec![required], ..bench.places.clone() };
        assert_eq!(open_code(&places, &bench), "SR-WITNESS-005");
    }
    // A file that somebody made for it is enough to begin with.
    std::fs::write(&worm, "").unwrap();
    let required = WitnessPlace { duty: Duty::Required, ..file(&worm) };
    let places = Places { witnesses: vec![required], ..bench.places.clone() };
    assert_eq!(open_code(&places, &bench), "served");
    std::fs::remove_file(&worm).unwrap();
    assert_eq!(open_code(&places, &bench), "SR-WITNESS-005");
}

#[test]
fn a_witness_that_never_answers_holds_up_nobody_who_is_served() {
    let silent = At::serve(Router::new().fallback(async || std::future::pending::<StatusCode>().await));
    let mut bench = Bench::new();
    with(&mut bench, vec![server(1, &silent)]);
    assert_eq!(fault_of(&bench), "SR-OUT-005", "the start waited for its time, and served");
    let house = Arc::clone(bench.house());
    let asking = std::thread::spawn(move || house.witnesses.tell_now(&house));
    let service = bench.service();
    for number in 0..20 {
        bench.customer(&service, &format!("c-{number}"));
        bench.get_as_stranger("/ledger/checkpoint");
        bench.get_as_stranger("/health/ready");
    }
    assert!(!asking.is_finished(), "it is still being asked");
    asking.join().unwrap();
    bench.places.witnesses.clear();
}

#[test]
fn a_file_that_would_be_set_back_with_the_house_is_no_witness() {
    let mut bench = Bench::new();
    bench.close();
    for inside in [bench.places.data.join("heads-seen"), bench.places.keys.join("../keys/heads-seen")] {
        let places = Places { witnesses: vec![file(&inside)], ..bench.places.clone() };
        assert_eq!(open_code(&places, &bench), "SR-WITNESS-014", "{}", inside.display());
    }
}

#[test]
fn health_turns_red_when_a_witness_was_not_heard_for_its_time_and_green_when_it_is() {
    let (mut bench, place) = (Bench::new(), folder());
    let at = witness(&bench, 1, place.path());
    with(&mut bench, vec![server(1, &at)]);
    assert!(!attention(&bench).contains("witness"), "{}", attention(&bench));
    bench.pass(59 * MINUTE);
    assert!(!attention(&bench).contains("witness"));
    bench.pass(2 * MINUTE);
    assert!(attention(&bench).contains("witness_unheard"));
    let age = format!("strongroom_witness_age_seconds{{witness=\"w1\"}} {}", 61 * 60);
    assert!(bench.get_at_admin_door("/metrics").text().contains(&age));
    // A quiet log is cosigned again.
    tell(&bench);
    assert!(!attention(&bench).contains("witness"), "{}", attention(&bench));
}

#[test]
fn a_file_has_a_whole_note_on_each_line_and_is_only_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let (mut bench, place) = (Bench::new(), folder());
    let worm = place.path().join("worm");
    with(&mut bench, vec![file(&worm)]);
    let service = bench.service();
    for number in 0..3 {
        bench.customer(&service, &format!("c-{number}"));
        tell(&bench);
    }
    tell(&bench); // nothing is new, and nothing is added
    let log: Verifier = bench.verifier.parse().unwrap();
    let text = std::fs::read_to_string(&worm).unwrap();
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sizes: Vec<u64> = lines
        .iter()
        .map(|line| Checkpoint::open(line["note"].as_str().unwrap(), &log, log.name()).unwrap().size())
        .collect();
    assert!(sizes.len() >= 4 && sizes.is_sorted_by(|a, b| a < b), "{sizes:?}");
    assert_eq!(std::fs::metadata(&worm).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_strangers_add_to_a_file_says_nothing_and_a_line_cut_off_swallows_none() {
    let (mut bench, place) = (Bench::new(), folder());
    let worm = place.path().join("worm");
    with(&mut bench, vec![file(&worm)]);
    let whole = std::fs::read_to_string(&worm).unwrap();
    let forged = whole.lines().next().unwrap().replace("harbour-hill\\n", "harbour-hill\\n9");
    let junk = "x".repeat(200_000);
    std::fs::write(&worm, format!("{whole}{forged}\n{junk}\nnot json\n{{\"at\": \"cut off")).unwrap();
    bench.customer(&bench.service(), "c-1");
    tell(&bench);
    assert_eq!((fault_of(&bench).as_str(), attention(&bench).contains("witness")), ("", false));
    let last = std::fs::read_to_string(&worm).unwrap().lines().last().unwrap().to_owned();
    let last: Json = serde_json::from_str(&last).unwrap();
    assert!(last["note"].as_str().unwrap().contains(&format!("\n{}\n", size(&bench))));
}

#[test]
fn a_key_that_a_witness_knows_to_be_destroyed_stays_destroyed() {
    let (mut bench, place) = (Bench::new(), folder());
    let worm = place.path().join("worm");
    with(&mut bench, vec![file(&worm)]);
    let (service, officer) = (bench.service(), bench.key(Role::Officer, &[]));
    let subject = bench.customer(&service, "c-1");
    tell(&bench);
    bench.close();
    let (before, _home) = copy_of(&bench.places, &place.path().join("before"));
    bench.open();
    bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
    tell(&bench);
    bench.close();
    let list = std::fs::read(place.path().join("worm.erased")).unwrap();
    assert_eq!(list, std::fs::read(bench.places.keys.join("erased.log")).unwrap());
    // Whoever takes the heads away as well, and forgets the list, is found out by the list.
    std::fs::remove_file(&worm).unwrap();
    assert_eq!(open_code(&before, &bench), "SR-WITNESS-008");
    let without = Places { witnesses: Vec::new(), ..before };
    assert_eq!(open_code(&without, &bench), "served");
    bench.is_broken_on_purpose();
}

fn backup_of(bench: &Bench, to: &Path) {
    backup::make(bench.house(), to, |_, _| {}).unwrap();
}

fn restore(
    places: &Places,
    from: &Path,
    lost: Option<&str>,
    bench: &Bench,
) -> Result<backup::Restored, Problem> {
    let clock: Arc<dyn Clock> = bench.clock.clone();
    backup::restore(places, from, lost, &clock, |_, _, _| {})
}

#[test]
fn a_restore_stops_when_a_witness_has_seen_more_of_the_ledger_and_names_the_gap_when_told_to() {
    let (mut bench, place) = (Bench::new(), folder());
    let at = witness(&bench, 1, place.path());
    let worm = place.path().join("worm");
    with(&mut bench, vec![server(1, &at), file(&worm)]);
    let service = bench.service();
    bench.customer(&service, "c-1");
    let from: PathBuf = place.path().join("backup");
    backup_of(&bench, &from);
    bench.close();
    // The disk with the data dies, and so does the keys folder; what is left of that is a copy of the day of the backup.
    let keys = place.path().join("keys-of-that-day");
    copy_folder(&bench.places.keys, &keys);
    bench.open();
    bench.customer(&service, "c-2");
    tell(&bench);
    bench.close();
    let (places, _home) = new_places(&bench, place.path().join("new"), keys.clone());
    for witness in &bench.places.witnesses {
        let one = Places { witnesses: vec![witness.clone()], ..places.clone() };
        assert_eq!(restore(&one, &from, None, &bench).unwrap_err().code, "SR-BACKUP-004", "{}", witness.name);
    }
    // An older head than the one that they have seen is not taken for the last.
    let heads = std::fs::read_to_string(keys.join("heads")).unwrap();
    assert_eq!(restore(&places, &from, Some(&heads), &bench).unwrap_err().code, "SR-BACKUP-006");
    let seen = std::fs::read_to_string(&worm).unwrap();
    let restored = restore(&places, &from, Some(&seen), &bench).unwrap();
    assert!(restored.new_generation);
    // The file knows that the log before has ended; the server has to be given the new key.
    assert_eq!(open_code(&places, &bench), "served");
    let log: Verifier = restored.verifier_key.unwrap().parse().unwrap();
    let other =
        Witness::open(&place.path().join("state-3"), cosigner(3), vec![log], bench.clock.clone()).unwrap();
    let other = At::serve(Arc::new(other).router());
    let places = Places { witnesses: vec![file(&worm), server(3, &other)], ..places };
    assert_eq!(open_code(&places, &bench), "served");
    bench.places.witnesses.clear();
}

/// The twin of the one above.
#[test]
fn without_witnesses_the_same_restore_takes_the_old_ledger_for_the_newest() {
    let (mut bench, place) = (Bench::new(), folder());
    bench.customer(&bench.service(), "c-1");
    let from = place.path().join("backup");
    backup_of(&bench, &from);
    bench.close();
    let keys = place.path().join("keys-of-that-day");
    copy_folder(&bench.places.keys, &keys);
    let (places, _home) = new_places(&bench, place.path().join("new"), keys.clone());
    bench.open();
    bench.customer(&bench.service(), "c-2");
    bench.close();
    assert!(!restore(&places, &from, None, &bench).unwrap().new_generation);
}

#[test]
fn a_second_shop_has_its_own_head_with_each_witness() {
    let (mut bench, place) = (Bench::new(), folder());
    let worm = place.path().join("worm");
    with(&mut bench, vec![file(&worm)]);
    bench.add_shop("tea-house");
    tell(&bench);
    let text = std::fs::read_to_string(&worm).unwrap();
    assert!(text.contains("\"strongroom/tea-house\"") && text.contains("\"strongroom/harbour-hill\""));
    assert_eq!(bench.now() / SECOND, i64::try_from(NOW).unwrap());
}

/// `strongroom witness` as a process of its own. It is killed when it is dropped.
struct Process {
    child: std::process::Child,
    address: String,
}

impl Process {
    fn start(vault: &Vault, key: &str, state: &str, log: &str) -> Process {
        let arguments = ["witness", "--key", key, "--state", state, "--log", log, "--listen", "127.0.0.1:0"];
        let mut child = vault.command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address =
            said.find_map(|line| Some(line.split_once("\"api\":\"")?.1.split('"').next()?.to_owned()));
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || said.for_each(drop));
        Process { child, address: address.unwrap() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configure(vault: &Vault, witness: &str) {
    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[[witness]]\n{witness}\nevery_seconds = 1\n")).unwrap();
}

/// Looks again for a while, until it is as wanted.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    panic!("it did not come to be: {what}");
}

#[test]
fn a_witness_of_ours_watches_a_vault_that_serves_and_refuses_its_old_copy() {
    let vault = Vault::new();
    let made = vault.ask(&["witness", "--key", "w.key", "--new-key", "witness.example/w1"]);
    let key = made["verifier_key"].as_str().unwrap().to_owned();
    let witness = Process::start(&vault, "w.key", "heads-seen", &vault.verifier);
    let server =
        format!("name = \"w1\"\nkind = \"http\"\nurl = \"http://{}\"\nkey = \"{key}\"", witness.address);
    configure(&vault, &server);
    let worm = vault.path("worm");
    configure(&vault, &format!("name = \"worm\"\nkind = \"file\"\npath = {worm:?}"));
    let intake = vault.credential("intake", &[]);
    let serving = vault.serve();
    serving.caller(&intake).post("/v1/records", &customer(1)).has(201);
    let whole = vault.ask(&["ledger", "verify", "--witness", &key]);
    assert!(whole["cosigned_by"][0]["witness"] == "witness.example/w1", "{whole}");
    assert_eq!(serving.stop().0.code(), Some(0));
    let copy = vault.path("copy");
    copy_folder(&vault.data(), &copy.join("vault"));
    copy_folder(&vault.keys(), &copy.join("keys"));
    let rows = read_rows(&vault.database());

    let serving = vault.serve();
    serving.caller(&intake).post("/v1/records", &customer(2)).has(201);
    let size = vault.ask(&["ledger", "checkpoint"])["size"].as_u64().unwrap();
    until("the witness has cosigned the new head", || {
        let mut stranger = serving.caller("");
        let note = stranger.get("/ledger/cosigned").has(200).text();
        note.lines().nth(1).unwrap().parse::<u64>().is_ok_and(|seen| seen >= size).then_some(())
    });
    let metrics = Caller::new(serving.admin, "").get("/metrics").has(200).text();
    assert!(metrics.contains("strongroom_witness_contradicts{witness=\"worm\"} 0"), "{metrics}");
    assert!(vault.run(&["doctor"]).ends(0).out.contains("w1: has the heads of "));
    assert_eq!(serving.stop().0.code(), Some(0));

    for name in ["vault", "keys"] {
        std::fs::remove_dir_all(vault.path(name)).unwrap();
        copy_folder(&copy.join(name), &vault.path(name));
    }
    write_rows(&vault.database(), &rows);
    let refused = vault.serve_with(&[]).err().unwrap();
    assert!(refused.err.contains("error[SR-WITNESS-001]: "), "{}", refused.err);
    vault.run(&["ledger", "checkpoint"]).fails("SR-WITNESS-001");
    // The twin: nobody else has seen more.
    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.split("[[witness]]").next().unwrap()).unwrap();
    assert_eq!(vault.serve().stop().0.code(), Some(0));
}

#[test]
fn commands_say_which_witnesses_are_missing() {
    let vault = Vault::new();
    let key = key(1).to_string();
    let ran = vault.run(&["ledger", "verify", "--witness", &key]);
    assert!((ran.code, ran.err.contains("SR-LEDGER-035")) == (4, true), "{} {}", ran.out, ran.err);
    assert!(ran.out.starts_with("NOT verified: "));
    vault.run(&["ledger", "verify", "--witness", &key, "--witness", &key]).fails("SR-LEDGER-034");
    let doctor = vault.run(&["doctor"]).ends(0).out;
    assert!(doctor.contains("an old copy of everything would not be noticed"), "{doctor}");
    assert_eq!(vault.run(&["ledger", "verify", "--witness", &vault.verifier]).code, 2);
    assert_eq!(vault.run(&["witness", "--key", "none.key"]).code, 2);
    let anywhere =
        ["witness", "--key", "w", "--state", "s", "--log", &vault.verifier, "--listen", "0.0.0.0:0"];
    vault.run(&anywhere).fails("SR-WITNESS-013");
}

/// Does somebody else's library say that these keys have signed this note?
fn a_stranger_says(note: &str, keys: &[&str]) -> bool {
    let mut command = Command::new(kept("python/bin/python"));
    command.arg(ours("python/cosigned.py")).args(keys);
    let ran = run_with(&mut command, note.as_bytes());
    assert!(matches!(ran.code, 0 | 1) && !ran.err.contains("No module"), "{}", ran.err);
    ran.code == 0
}

#[test]
fn a_strangers_library_reads_what_our_witnesses_cosigned_and_nothing_else() {
    let judge = "somebody else's library for cosignatures (tlog-scales)";
    if !there(kept("python/whole"), judge) {
        return;
    }
    let (mut bench, place) = (Bench::new(), folder());
    let (one, two) = (witness(&bench, 1, place.path()), witness(&bench, 2, place.path()));
    with(&mut bench, vec![server(1, &one), server(2, &two)]);
    let note = bench.get_as_stranger("/ledger/cosigned").text();
    let (first, second, third) = (key(1).to_string(), key(2).to_string(), key(3).to_string());
    assert!(a_stranger_says(&note, &[&bench.verifier, &first, &second]));
    let size = note.lines().nth(1).unwrap();
    let changed = note.replacen(&format!("\n{size}\n"), &format!("\n{size}1\n"), 1);
    assert!(!a_stranger_says(&changed, &[&first]), "another size");
    assert!(!a_stranger_says(&note, &[&third]), "a witness that has not");
    let later = cosigner(1).cosign("another text\n", NOW).unwrap();
    let line = note.lines().find(|line| line.contains("witness.example/w1")).unwrap();
    assert!(!a_stranger_says(&note.replace(line, later.trim_end()), &[&first]), "a line of another text");
    // And what they made is read by us: `ledger` `a_public_logs_checkpoint_is_read_…`.
}
