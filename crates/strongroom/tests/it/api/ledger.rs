//! What a stranger can check with the key that `init` printed and nothing else.

use std::collections::HashMap;
use std::sync::Mutex;

use ledger::archive::{Archive, Options, Trust, verify_consistency_in, verify_inclusion_in, verify_whole};
use ledger::checkpoint::Checkpoint;
use ledger::entry::Act;
use ledger::hash::Hash;
use ledger::note::Verifier;
use ledger::tree::{Frontier, verify_consistency, verify_inclusion};
use ledger::{ArchiveFile, Error};
use serde_json::{Value as Json, json};
use strongroom::ground::Role;

use crate::support::{Bench, Key};

const ORIGIN: &str = "strongroom/harbour-hill";

/// The log as somebody elsewhere reads it, who keeps what they have fetched.
struct Remote<'b> {
    bench: &'b Bench,
    auditor: Key,
    fetched: Mutex<HashMap<String, Option<Vec<u8>>>>,
}

impl<'b> Remote<'b> {
    fn of(bench: &'b Bench) -> Remote<'b> {
        Remote { bench, auditor: bench.key(Role::Auditor, &[]), fetched: Mutex::default() }
    }

    fn trust(&self) -> Trust {
        Trust::new(Verifier::parse(&self.bench.verifier).unwrap())
    }

    fn fetch(&self, path: &str) -> Option<Vec<u8>> {
        let path = format!("/ledger/{path}");
        let public = self.bench.get_as_stranger(&path);
        let reply = if public.status == 401 { self.bench.get(&self.auditor, &path) } else { public };
        (reply.status == 200).then(|| reply.body.to_vec())
    }
}

impl Archive for Remote<'_> {
    fn read(&self, file: ArchiveFile, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let path = file.to_string();
        let mut fetched = self.fetched.lock().unwrap();
        let bytes = fetched.entry(path.clone()).or_insert_with(|| self.fetch(&path)).clone();
        assert!(bytes.as_ref().is_none_or(|bytes| bytes.len() as u64 <= most));
        Ok(bytes)
    }
}

/// A house with enough entries for a full tile and part of another.
fn busy() -> (Bench, Key) {
    let bench = Bench::new();
    let by = bench.service();
    let items: Vec<Json> = (0..300)
        .map(|id| json!({ "kind": "customer", "external_id": id.to_string(), "fields": { "name": "Ann Lee" } }))
        .collect();
    assert_eq!(bench.post(&by, "/v1/records:batch", &json!({ "items": items })).is(200)["written"], 300);
    (bench, by)
}

fn hashes(list: &Json) -> Vec<Hash> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|hash| Hash::from_slice(&unhex(hash.as_str().unwrap())).unwrap())
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_stranger_verifies_every_entry_over_http() {
    let (bench, _) = busy();
    let remote = Remote::of(&bench);
    let report = verify_whole(&remote, &remote.trust(), &Options::default(), &|_| {}).unwrap();
    assert!(report.is_verified(), "{report:?}");
    assert!(report.entries > 300);
    let included = verify_inclusion_in(&remote, &remote.trust(), 280).unwrap();
    assert_eq!(included.entry.act, Act::Collected);
}

#[test]
fn checkpoint_and_hash_tiles_are_public_and_entries_are_not() {
    let (bench, by) = busy();
    let checkpoint = bench.get_as_stranger("/ledger/checkpoint");
    let verifier = Verifier::parse(&bench.verifier).unwrap();
    let size = Checkpoint::open(&checkpoint.text(), &verifier, ORIGIN).unwrap().size();
    let tile = bench.get_as_stranger("/ledger/tile/0/000");
    assert_eq!((tile.status, tile.body.len()), (200, 256 * 32));
    assert!(tile.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let edge = bench.get_as_stranger(&format!("/ledger/tile/0/001.p/{}", size - 256));
    assert_eq!((edge.status, edge.body.len() as u64), (200, (size - 256) * 32));
    let described = bench.get_as_stranger("/ledger/log.json").is(200);
    assert_eq!((&described["origin"], &described["vkey"]), (&json!(ORIGIN), &json!(bench.verifier)));

    let entries = "/ledger/tile/entries/000";
    bench.get_as_stranger(entries).problem(401, "SR-PEOPLE-001");
    bench.get(&by, entries).problem(403, "SR-PEOPLE-003");
    let before = bench.entries().len();
    assert_eq!(bench.get(&bench.key(Role::Auditor, &[]), entries).status, 200);
    assert_eq!(bench.entries().len(), before + 2, "the auditor's credential, and that it read");
    assert_eq!(bench.entries().last().unwrap().act, Act::LedgerRead);
}

#[test]
fn the_edge_of_a_level_above_is_the_roots_of_its_full_tiles_however_often_it_is_asked_for() {
    let (bench, _) = busy();
    let below = bench.get_as_stranger("/ledger/tile/0/000").body;
    let mut tree = Frontier::new();
    for hash in below.chunks(32) {
        tree.append(Hash::from_slice(hash).unwrap());
    }
    for _ in 0..3 {
        let edge = bench.get_as_stranger("/ledger/tile/1/000.p/1");
        assert_eq!((edge.status, &edge.body[..]), (200, &tree.root().0[..]));
    }
    bench.get_as_stranger("/ledger/tile/1/000.p/2").problem(404, "SR-HTTP-005");
}

#[test]
fn what_the_log_does_not_have_is_not_found() {
    let (bench, _) = busy();
    for path in [
        "",
        "nothing",
        "checkpoint/",
        "tile",
        "tile/0",
        "tile/0/002",
        "tile/0/001",
        "tile/9/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/0",
        "tile/0/x000/0",
        "tile/-1/000",
        "tile/0/999",
        "tile/0/x999/x999/999",
        "tile/63/000",
        "tile/255/000",
        "other-shop/checkpoint",
        "../v1/policy",
        "tile/0/000/../000",
        "tile/0/%30%30%30x",
    ] {
        bench.get_as_stranger(&format!("/ledger/{path}")).problem(404, "SR-HTTP-005");
    }
    let auditor = bench.key(Role::Auditor, &[]);
    for path in ["tile/entries/009", "tile/entries/001"] {
        bench.get(&auditor, &format!("/ledger/{path}")).problem(404, "SR-HTTP-005");
    }
}

#[test]
fn every_answers_entry_can_be_proved_under_a_signed_head() {
    let (bench, by) = busy();
    let shown = bench
        .post(&by, "/v1/records:reveal", &json!({ "purpose": "account", "subject": { "external_id": "7" } }))
        .is(200);
    let entry = shown["entry"].as_str().unwrap();
    let proof = bench.get(&by, &format!("/v1/ledger/proof?entry={entry}")).is(200);
    let verifier = Verifier::parse(&bench.verifier).unwrap();
    let checkpoint = Checkpoint::open(proof["checkpoint"].as_str().unwrap(), &verifier, ORIGIN).unwrap();
    let leaf = Hash::from_slice(&unhex(proof["leaf"].as_str().unwrap())).unwrap();
    let (index, path) = (proof["index"].as_u64().unwrap(), hashes(&proof["proof"]));
    verify_inclusion(&leaf, index, checkpoint.size(), &path, checkpoint.root()).unwrap();
    assert!(verify_inclusion(&leaf, index - 1, checkpoint.size(), &path, checkpoint.root()).is_err());

    let read = bench.get(&bench.key(Role::Auditor, &[]), &format!("/v1/ledger/entries/{entry}")).is(200);
    assert_eq!((read["index"].as_u64(), &read["purpose_name"]), (Some(index), &json!("account")));
    assert_eq!(read["field_names"], json!(["customer.name"]));
}

#[test]
fn the_log_only_grows_and_a_stranger_can_tell() {
    let (bench, by) = busy();
    let verifier = Verifier::parse(&bench.verifier).unwrap();
    let head = || bench.get(&by, "/v1/ledger/checkpoint").is(200);
    let old = head();
    assert_eq!((&old["origin"], &old["verifier_key"]), (&json!(ORIGIN), &json!(bench.verifier)));
    bench.customer(&by, "new");
    let new = head();
    let open =
        |head: &Json| Checkpoint::open(head["checkpoint"].as_str().unwrap(), &verifier, ORIGIN).unwrap();
    let (old_head, new_head) = (open(&old), open(&new));
    assert!(new_head.size() > old_head.size());
    for from in [0, 1, 255, 256, 257, old_head.size(), new_head.size()] {
        let path = format!("/v1/ledger/consistency?from={from}&to={}", new_head.size());
        let found = bench.get(&by, &path).is(200);
        if from == old_head.size() {
            let proof = hashes(&found["proof"]);
            verify_consistency(from, old_head.root(), new_head.size(), new_head.root(), &proof).unwrap();
            assert!(
                verify_consistency(from, new_head.root(), new_head.size(), new_head.root(), &proof).is_err()
            );
        }
    }
    let remote = Remote::of(&bench);
    verify_consistency_in(
        &remote,
        &remote.trust(),
        old["checkpoint"].as_str().unwrap(),
        new["checkpoint"].as_str().unwrap(),
    )
    .unwrap();
}

#[test]
fn sizes_and_ids_that_are_not_of_this_log_are_refused() {
    let (bench, by) = busy();
    for query in ["", "?from=1", "?from=5&to=2", "?from=0&to=99999", "?to=5&from=", "?from=1&from=1&to=2"] {
        let reply = bench.get(&by, &format!("/v1/ledger/consistency{query}"));
        assert_eq!(reply.is_a_problem()["status"], 400, "{query}");
    }
    for entry in ["", "ent_", "ent_aaaaaaaaaaaaaaaaaaaaaaaaaa", "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        assert_eq!(bench.get(&by, &format!("/v1/ledger/proof?entry={entry}")).is_a_problem()["status"], 404);
        let auditor = bench.key(Role::Auditor, &[]);
        assert_eq!(
            bench.get(&auditor, &format!("/v1/ledger/entries/{entry}x")).is_a_problem()["status"],
            404
        );
    }
    bench.get(&by, "/v1/ledger/proof").problem(404, "SR-ACCOUNT-006");
    bench.get(&by, "/v1/ledger/proof?entry=%41").problem(400, "SR-HTTP-011");
}

#[test]
fn entries_are_read_page_by_page_in_order_and_reading_is_entered() {
    let (bench, _) = busy();
    let auditor = bench.key(Role::Auditor, &[]);
    let all = bench.entries();
    let (mut from, mut seen) = (0, 0);
    while seen < all.len() {
        let page = bench.get(&auditor, &format!("/v1/ledger/entries?from={from}&limit=100")).is(200);
        for found in page["entries"].as_array().unwrap() {
            assert_eq!(found["index"].as_u64(), Some(seen as u64));
            if let Some(entry) = all.get(seen) {
                assert_eq!(found["entry"]["act"], serde_json::to_value(entry).unwrap()["act"]);
            }
            seen += 1;
        }
        // Each page is entered, so there is always a next one: what the last page added.
        from = page["next"].as_u64().unwrap_or(u64::MAX);
    }
    assert!(bench.count(Act::LedgerRead) >= all.len() / 100);
    let empty = bench.get(&auditor, "/v1/ledger/entries?from=99999").is(200);
    assert_eq!((&empty["entries"], empty.get("next")), (&json!([]), None));
    for query in ["from=-1", "from=x", "limit=1.5", "from=18446744073709551616"] {
        bench.get(&auditor, &format!("/v1/ledger/entries?{query}")).problem(400, "SR-HTTP-011");
    }
}

#[test]
fn no_entry_holds_an_id_or_a_value() {
    let (bench, by) = busy();
    let subject = bench.customer(&by, "ann-of-the-ledger");
    let record = bench.order(&by, "ann-of-the-ledger", "O-77");
    bench.post(&by, "/v1/records:reveal", &json!({ "purpose": "delivery", "record": record })).is(200);
    let auditor = bench.key(Role::Auditor, &[]);
    let from = bench.entries().len() - 6;
    let page = bench.get(&auditor, &format!("/v1/ledger/entries?from={from}")).text();
    for secret in
        [subject.as_str(), record.as_str(), "O-77", "ann-of", "Ann Lee", "shop.example", "12345678", "陈小红"]
    {
        assert!(!page.contains(secret), "{secret} in {page}");
    }
}
