//! The program `ledger-verify`, called as an auditor calls it.

use std::fs;
use std::path::Path;
use std::process::Command;

use ledger::checkpoint::Checkpoint;
use ledger::choice::ChoiceReceipt;
use ledger::cosign::Cosigner;
use ledger::entry::{Act, Actor, Entry, Outcome};
use ledger::hash::leaf_hash;
use ledger::opening::{Opening, commitment};
use ledger::receipt::Receipt;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{ORIGIN, checkpoint_of, entries, export, root_of, signer, write_to};

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn call(arguments: &[&str]) -> Said {
    let key = signer().verifier().to_string();
    let arguments =
        arguments.iter().map(|argument| if *argument == "VKEY" { key.as_str() } else { argument });
    let said = Command::new(env!("CARGO_BIN_EXE_ledger-verify")).args(arguments).output().unwrap();
    Said {
        code: said.status.code().unwrap(),
        out: String::from_utf8(said.stdout).unwrap(),
        err: String::from_utf8(said.stderr).unwrap(),
    }
}

/// An exported log of 600 entries, an older checkpoint beside it, and the path of both.
fn exported() -> (TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let all = entries(600);
    write_to(&export(&all), &folder.path().join("log"));
    fs::write(folder.path().join("old"), checkpoint_of(&all[..300])).unwrap();
    let text = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (log, old) = (text("log"), text("old"));
    (folder, log, old)
}

fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    bytes[60] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_whole_log_is_verified_with_code_0() {
    let (_folder, log, old) = exported();
    let said = call(&["whole", &log, "--key", "VKEY", "--since", &old, "--threads", "2"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.ends_with("verified\n"));
    assert!(said.out.contains("time      2026-11-22T00:00:00.000000Z to 2026-11-22T00:09:59.000000Z"));
    let said = call(&["whole", &log, "--key", "VKEY", "--json"]);
    let expected = json!({
        "verified": true, "origin": ORIGIN, "size": 600, "root": root_of(&entries(600)), "entries": 600,
        "first_at": 1_795_305_600_000_000i64, "last_at": 1_795_306_199_000_000i64, "findings": [],
    });
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), expected);
}

#[test]
fn a_damaged_log_is_refused_with_code_1_and_its_damage_is_named() {
    let (folder, log, _) = exported();
    flip(&folder.path().join("log/tile/entries/001"));
    flip(&folder.path().join("log/tile/0/000"));
    let said = call(&["whole", &log, "--key", "VKEY"]);
    assert_eq!(said.code, 1);
    assert!(said.out.ends_with("NOT VERIFIED\n"));
    assert!(said.out.contains("damage    entry 256 was edited\n"), "{}", said.out);
    assert!(said.out.contains("damage    `tile/0/000` is damaged: its hash 1, above entry 1, is wrong\n"));
    let said = call(&["whole", &log, "--key", "VKEY", "--json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &json["verified"]), (1, &json!(false)));
    let findings = json!([
        { "problem": "tile_damaged", "file": "tile/0/000", "position": 1, "index": 1, "times": 1 },
        { "problem": "entry_edited", "index": 256, "times": 1 },
    ]);
    assert_eq!(json["findings"], findings);
}

#[test]
fn one_entry_is_shown_with_its_proof() {
    let (_folder, log, _) = exported();
    let said = call(&["entry", &log, "--key", "VKEY", "299"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.starts_with("entry     299: revealed at 2026-11-22T00:04:59.000000Z\n"));
    let said = call(&["entry", &log, "--key", "VKEY", "299", "--json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["verified"], json!(true));
    assert_eq!(json["leaf_hash"], json!(leaf_hash(&entries(300)[299])));
    assert_eq!(json["entry"]["act"], json!("revealed"));
    let said = call(&["entry", &log, "--key", "VKEY", "600"]);
    assert_eq!(said.code, 1);
    assert_eq!(said.out, "NOT VERIFIED: 600 is not inside a tree of 600 entries (SR-LEDGER-003)\n");
}

#[test]
fn the_way_between_two_checkpoints_is_verified() {
    let (folder, log, old) = exported();
    let now = folder.path().join("log/checkpoint").to_str().unwrap().to_owned();
    let said = call(&["consistency", &log, "--key", "VKEY", &old, &now]);
    assert_eq!((said.code, said.out.as_str()), (0, "verified  the log only grew, from 300 to 600 entries\n"));
    let mut other = entries(300);
    other.swap(0, 1);
    fs::write(&old, checkpoint_of(&other)).unwrap();
    let said = call(&["consistency", &log, "--key", "VKEY", &old, &now, "--json"]);
    let expected = json!({
        "verified": false, "read": true, "code": "SR-LEDGER-007",
        "message": "the consistency proof does not join the two roots",
    });
    assert_eq!((said.code, serde_json::from_str(&said.out).unwrap()), (1, expected));
}

#[test]
fn a_receipt_is_verified_without_the_log() {
    let salt = [3; 16];
    let facts = Opening::builder().act(Act::Chose).subject("sub_ann").choice("no\u{1b}[2J").at(0);
    let facts = facts.token(&[0xab]).fields(&ledger::entry::Part::of(1, [0, 9])).version(4).build().unwrap();
    let mut entry = Entry::new(0, Act::Chose, Outcome::Yes, Actor::house());
    entry.commitment = commitment(&salt, &facts);
    let entry = entry.encode().unwrap();
    let checkpoint = checkpoint_of(std::slice::from_ref(&entry));
    let receipt = Receipt::new(0, entry, salt, &facts, vec![], checkpoint);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("receipt.json");
    fs::write(&file, receipt.to_json().unwrap()).unwrap();
    let file = file.to_str().unwrap();
    let said = call(&["receipt", file, "--key", "VKEY"]);
    assert_eq!(said.code, 0, "{}", said.out);
    for line in [
        "act       chose",
        "subject   sub_ann",
        "version   4",
        "choice    no\u{fffd}[2J",
        "at        1970-01-01T00:00:00.000000Z",
        "fields    0 9 of kind 1",
        "token     ab",
        "verified  under the signed root of 1 entries of shop.example/ledger",
    ] {
        assert!(said.out.lines().any(|said| said == line), "{line} in {}", said.out);
    }
    let said = call(&["receipt", file, "--key", "VKEY", "--json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["facts"][1], json!({ "fact": "subject", "value": "sub_ann" }));
    let said = call(&["receipt", file, "--key", "VKEY", "--origin", "other.example"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("SR-LEDGER-019"));
}

#[test]
fn a_receipt_of_a_choice_is_verified_with_its_record_and_refused_with_another() {
    let facts = Opening::builder().act(Act::Chose).subject("sub_ann").purpose("letters").choice("granted");
    let facts = facts.notice("3").language("en").at(0).build().unwrap();
    let mut entry = Entry::new(0, Act::Chose, Outcome::Yes, Actor::house());
    entry.commitment = commitment(&[3; 16], &facts);
    let entry = entry.encode().unwrap();
    let note = Checkpoint::new(ORIGIN, 1, leaf_hash(&entry)).unwrap().sign(&signer()).unwrap();
    let at = "1970-01-01T00:00:00.000000Z";
    let record = json!({
        "dct:created": at,
        "dpv:hasDataSubject": { "dct:identifier": "sub_ann" },
        "dpv:hasNotice": { "dct:identifier": "3", "dct:language": "en" },
        "dpv:hasProcess": {
            "dpv:hasPurpose": [{ "dct:identifier": "letters" }],
            "dpv:hasConsentStatus": { "@type": "dpv:ConsentGiven", "sr:choice": "granted", "dct:date": at },
        },
    });
    let ledger = Receipt::new(0, entry, [3; 16], &facts, vec![], note);
    let receipt = serde_json::to_string(&ChoiceReceipt::new(record, ledger, &signer()).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ask = |text: &str| {
        let file = folder.path().join("receipt.json");
        fs::write(&file, text).unwrap();
        call(&["receipt", file.to_str().unwrap(), "--key", "VKEY"])
    };
    let said = ask(&receipt);
    assert_eq!((said.code, said.out.contains("record    signed by")), (0, true), "{}", said.out);
    let several = ask(&format!("{{\"receipts\":[{receipt},{receipt}]}}"));
    assert_eq!((several.code, several.out.matches("record    signed by").count()), (0, 2));
    let other = ask(&receipt.replace("letters", "others"));
    assert_eq!((other.code, other.out.contains("SR-LEDGER-039")), (1, true), "{}", other.out);
}

fn witness(number: u8) -> Cosigner {
    Cosigner::from_seed(&format!("witness.example/w{number}"), &[number; 32]).unwrap()
}

/// The checkpoint of the first `size` entries, cosigned by these witnesses at 2026-11-22T00:00:00Z.
fn cosigned(size: usize, by: &[u8]) -> String {
    let all = entries(size);
    let head = Checkpoint::new(ORIGIN, size as u64, root_of(&all)).unwrap();
    let lines = by.iter().map(|by| witness(*by).cosign(&head.to_string(), 1_795_305_600).unwrap());
    head.sign(&signer()).unwrap() + &lines.collect::<String>()
}

#[test]
fn a_log_that_witnesses_have_seen_says_who_and_when() {
    let (folder, log, old) = exported();
    fs::write(folder.path().join("log/cosigned"), cosigned(400, &[1, 2])).unwrap();
    let keys = [1, 2, 3].map(|number| witness(number).witness_key().to_string());
    let (one, two, three) = (&keys[0], &keys[1], &keys[2]);
    let said = call(&["whole", &log, "--key", "VKEY", "--witness", one, "--witness", two, "--since", &old]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("cosigned  400 entries by witness.example/w1 at 2026-11-22T00:00:00.000000Z\n")
    );
    assert!(said.out.contains("by witness.example/w2 at "));
    let said = call(&["entry", &log, "--key", "VKEY", "--witness", one, "399", "--json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["cosigned"]["by"][0]["witness"], "witness.example/w1");
    // No witness has seen this one yet.
    let said = call(&["entry", &log, "--key", "VKEY", "--witness", one, "400"]);
    assert_eq!((said.code, said.out.contains("SR-LEDGER-003")), (1, true), "{}", said.out);
    let all = ["--witness", one, "--witness", two, "--witness", three];
    let said = call(&[&["whole", log.as_str(), "--key", "VKEY", "--quorum", "2"][..], &all[..]].concat());
    assert_eq!(said.code, 0, "{}", said.out);
    let said = call(&[&["whole", log.as_str(), "--key", "VKEY"][..], &all[..]].concat());
    assert_eq!((said.code, said.out.contains("SR-LEDGER-035")), (1, true), "{}", said.out);
}

#[test]
fn a_log_that_did_not_grow_out_of_what_was_cosigned_is_refused() {
    let (folder, log, _) = exported();
    let key = witness(1).witness_key().to_string();
    let ask = |note: &str| {
        fs::write(folder.path().join("log/cosigned"), note).unwrap();
        call(&["whole", &log, "--key", "VKEY", "--witness", &key])
    };
    assert_eq!(ask(&cosigned(600, &[1])).code, 0);
    let fork = Checkpoint::new(ORIGIN, 300, leaf_hash(b"another")).unwrap();
    let note = fork.sign(&signer()).unwrap() + &witness(1).cosign(&fork.to_string(), 1).unwrap();
    assert!(ask(&note).out.contains("SR-LEDGER-007"));
    // The export is older than what the witness saw.
    assert!(ask(&cosigned(601, &[1])).out.contains("SR-LEDGER-003"));
    assert!(ask(&cosigned(300, &[2])).out.contains("SR-LEDGER-035"));
    assert!(ask(&cosigned(300, &[1]).replace("\n300\n", "\n301\n")).out.contains("SR-LEDGER-015"));
}

#[test]
fn a_receipt_says_who_has_cosigned_its_checkpoint() {
    let facts = Opening::builder().act(Act::Chose).build().unwrap();
    let mut entry = Entry::new(0, Act::Chose, Outcome::Yes, Actor::house());
    entry.commitment = commitment(&[3; 16], &facts);
    let entry = entry.encode().unwrap();
    let head = Checkpoint::new(ORIGIN, 1, leaf_hash(&entry)).unwrap();
    let note = head.sign(&signer()).unwrap() + &witness(1).cosign(&head.to_string(), 60).unwrap();
    let receipt = Receipt::new(0, entry, [3; 16], &facts, vec![], note);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("receipt.json");
    fs::write(&file, receipt.to_json().unwrap()).unwrap();
    let ask = |number| {
        let key = witness(number).witness_key().to_string();
        call(&["receipt", file.to_str().unwrap(), "--key", "VKEY", "--witness", &key])
    };
    assert!(ask(1).out.contains("cosigned  1 entries by witness.example/w1 at 1970-01-01T00:01:00.000000Z"));
    assert_eq!((ask(2).code, ask(2).out.contains("SR-LEDGER-035")), (1, true));
}

#[test]
fn what_cannot_be_read_has_code_3() {
    let (folder, log, old) = exported();
    let said = call(&["whole", "/nowhere", "--key", "VKEY"]);
    assert_eq!(said.code, 3);
    assert!(said.out.starts_with("NOT READ: the archive has no `log.json` (SR-LEDGER-028)\nhelp: "));
    let said = call(&["whole", &log, "--key", "VKEY", "--since", "/nowhere"]);
    assert_eq!(said.code, 3);
    assert!(said.out.contains("`/nowhere` cannot be read: entity not found (SR-LEDGER-032)"), "{}", said.out);
    fs::write(&old, [0xff]).unwrap();
    assert_eq!(call(&["receipt", &old, "--key", "VKEY"]).code, 3);
    fs::write(&old, "{}").unwrap();
    assert_eq!(call(&["receipt", &old, "--key", "VKEY"]).code, 1);
    fs::remove_file(folder.path().join("log/tile/entries/000")).unwrap();
    assert_eq!(call(&["entry", &log, "--key", "VKEY", "0"]).code, 3);
}

#[test]
fn what_is_not_understood_has_code_2_and_says_nothing_on_stdout() {
    let (_folder, log, _) = exported();
    for arguments in [
        &[][..],
        &["whole"],
        &["whole", &log],
        &["whole", &log, "--key", "nonsense"],
        &["whole", &log, "--key", "VKEY", "--threads", "0"],
        &["entry", &log, "--key", "VKEY"],
        &["entry", &log, "--key", "VKEY", "-1"],
        &["entry", &log, "--key", "VKEY", "1", "2"],
        &["nonsense", &log, "--key", "VKEY"],
        // A log's key is no witness's, and nobody can be asked for twice.
        &["whole", &log, "--key", "VKEY", "--witness", "VKEY"],
        &["whole", &log, "--key", "VKEY", "--quorum", "1"],
    ] {
        let said = call(arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(said.err.starts_with("ledger-verify: ") && said.err.contains("--help"), "{}", said.err);
    }
}

#[test]
fn help_names_every_command_and_exit_code() {
    let said = call(&["--help"]);
    assert_eq!(said.code, 0);
    for word in [
        "whole",
        "entry",
        "consistency",
        "receipt",
        "--since",
        "--witness",
        "--quorum",
        "--json",
        "0  verified",
        "1  not",
        "2  ",
        "3  ",
    ] {
        assert!(said.out.contains(word), "{word}");
    }
    assert!(said.out.lines().all(|line| line.len() <= 80));
}
