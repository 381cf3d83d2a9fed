//! `strongroom verify`: receipts of a real house, true and forged in every way, without a vault and without a network.

#![cfg(test)]

use std::process::Stdio;

use ledger::choice::ChoiceReceipt;
use ledger::jws;
use ledger::note::Signer;
use serde_json::{Value as Json, json};

use crate::support::{Bench, POLICY};
use crate::vault::{Ran, strongroom};

/// Two receipts of choices that two customers made, and the key of the shop.
pub(crate) struct Given {
    pub(crate) key: String,
    pub(crate) receipt: Json,
    pub(crate) other: Json,
}

/// A shop whose yeses to letters end by themselves, so that a receipt has every fact that one from the API can have.
pub(crate) fn bench() -> Bench {
    let head = "[purpose.marketing_email]\n";
    assert!(POLICY.contains(head));
    Bench::with_policy(&POLICY.replacen(head, &format!("{head}ask_again = \"30d\"\n"), 1))
}

pub(crate) fn given(bench: &Bench) -> Given {
    let by = bench.service();
    let mut receipts = ["42", "43"].map(|customer| {
        bench.customer(&by, customer);
        let kept = bench.choose(&by, customer, "marketing_email", "granted");
        bench.get(&by, &format!("/v1/choices/{}/receipt", kept["choice"].as_str().unwrap())).is(200)
    });
    let [receipt, other] = receipts.each_mut().map(Json::take);
    Given { key: bench.verifier.clone(), receipt, other }
}

/// Runs `strongroom verify` in a folder that holds nothing but the receipt.
fn verify(text: &str, more: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("receipt.json"), text).unwrap();
    let mut command = strongroom();
    command.args(["verify", "receipt.json"]).args(more).current_dir(folder.path()).stdin(Stdio::null());
    Ran::of(command.output().unwrap())
}

/// Every forgery that this file and the page in the browser have to refuse: what was done, the text, and the code.
pub(crate) fn forgeries(given: &Given) -> Vec<(&'static str, String, &'static str)> {
    let changed = |change: &dyn Fn(&mut Json)| {
        let mut forged = given.receipt.clone();
        change(&mut forged);
        forged.to_string()
    };
    let foreign = Signer::from_seed("strongroom/harbour-hill", &[7; 32]).unwrap();
    let signed_by_a_stranger = {
        let receipt = ChoiceReceipt::from_json(&given.receipt.to_string()).unwrap();
        let signed = jws::sign(receipt.record.to_string().as_bytes(), &foreign).unwrap();
        changed(&|forged| forged["jws"] = json!(signed))
    };
    // A payload of another record under the signature of this one.
    let spliced = {
        let parts = |receipt: &Json| {
            receipt["jws"].as_str().unwrap().split('.').map(str::to_owned).collect::<Vec<_>>()
        };
        let (mine, theirs) = (parts(&given.receipt), parts(&given.other));
        changed(&|forged| {
            forged["jws"] = json!(format!("{}.{}.{}", mine[0], theirs[1], mine[2]));
            forged["record"] = given.other["record"].clone();
        })
    };
    let whole = given.receipt.to_string();
    let (half, _) = whole.split_at(whole.len() / 2);
    vec![
        (
            "another purpose",
            changed(&|forged| {
                forged["record"]["dpv:hasProcess"]["dpv:hasPurpose"][0]["dct:identifier"] =
                    json!("recommendations");
            }),
            "SR-LEDGER-039",
        ),
        (
            "another subject",
            changed(&|forged| {
                forged["record"]["dpv:hasDataSubject"] = given.other["record"]["dpv:hasDataSubject"].clone();
            }),
            "SR-LEDGER-039",
        ),
        ("a record of somebody else", spliced, "SR-LEDGER-038"),
        ("a foreign key", signed_by_a_stranger, "SR-LEDGER-037"),
        (
            "the entry of somebody else",
            changed(&|forged| forged["ledger"] = given.other["ledger"].clone()),
            "SR-LEDGER-040",
        ),
        (
            "the proof of another entry",
            changed(&|forged| forged["ledger"]["proof"] = given.other["ledger"]["proof"].clone()),
            "SR-LEDGER-006",
        ),
        ("another place", changed(&|forged| forged["ledger"]["entry_index"] = json!(1)), "SR-LEDGER-006"),
        (
            "another salt",
            changed(&|forged| forged["ledger"]["salt"] = given.other["ledger"]["salt"].clone()),
            "SR-LEDGER-025",
        ),
        (
            "another head",
            changed(&|forged| {
                let note = forged["ledger"]["checkpoint"].as_str().unwrap().to_owned();
                let size = note.lines().nth(1).unwrap().to_owned();
                let larger = format!("\n{}\n", size.parse::<u64>().unwrap() + 1);
                forged["ledger"]["checkpoint"] = json!(note.replacen(&format!("\n{size}\n"), &larger, 1));
            }),
            "SR-LEDGER-015",
        ),
        ("half of it", half.to_owned(), "SR-LEDGER-027"),
        ("a member more", changed(&|forged| forged["note"] = json!("trust me")), "SR-LEDGER-027"),
        (
            "another format",
            changed(&|forged| forged["format"] = json!("strongroom/choice-receipt/2")),
            "SR-LEDGER-027",
        ),
    ]
}

#[test]
fn a_receipt_is_verified_by_who_has_nothing_but_the_file_and_the_key() {
    let bench = bench();
    let given = given(&bench);
    let text = given.receipt.to_string();
    let english = verify(&text, &["--key", &given.key]).ends(0).out;
    for said in [
        "This receipt holds ✓",
        "purpose: marketing_email",
        "said: granted",
        "ends by itself at: 2026-12-23T02:00:00.000000Z",
        "What it does not prove:",
    ] {
        assert!(english.contains(said), "{said}: {english}");
    }
    let chinese = verify(&text, &["--key", &given.key, "--lang", "zh"]).ends(0).out;
    for said in ["回执有效 ✓", "处理目的: marketing_email", "选择: 同意", "它不能证明："]
    {
        assert!(chinese.contains(said), "{said}: {chinese}");
    }
    let json = verify(&text, &["--key", &given.key, "--json"]).ends(0).json();
    assert_eq!(
        (&json["verified"], &json["receipts"][0]["facts"]["choice"]),
        (&json!(true), &json!("granted"))
    );
    assert_eq!(json["receipts"][0]["record"], given.receipt["record"]);
    // Several in one file, as a page of the shop gives them, and the ledger's receipt alone.
    let several = json!({ "receipts": [given.receipt, given.other] }).to_string();
    let json = verify(&several, &["--key", &given.key, "--json"]).ends(0).json();
    assert_eq!(json["receipts"].as_array().map(Vec::len), Some(2));
    let alone = verify(&given.receipt["ledger"].to_string(), &["--key", &given.key]).ends(0).out;
    assert!(alone.contains("act: chose"), "{alone}");
}

#[test]
fn every_forgery_is_refused_with_its_own_code() {
    let bench = bench();
    let given = given(&bench);
    for (what, text, code) in forgeries(&given) {
        let json = verify(&text, &["--key", &given.key, "--json"]).ends(4).json();
        assert_eq!((&json["verified"], &json["code"]), (&json!(false), &json!(code)), "{what}: {json}");
        let said = verify(&text, &["--key", &given.key, "--lang", "zh"]).ends(4).out;
        assert!(said.starts_with("回执无效 ✗") && said.contains(code), "{what}: {said}");
        // One that is false spoils the file.
        if let Ok(forged) = serde_json::from_str::<Json>(&text) {
            let both = json!({ "receipts": [given.other, forged] }).to_string();
            verify(&both, &["--key", &given.key, "--json"]).ends(4);
        }
    }
    let other_key = Signer::from_seed("strongroom/harbour-hill", &[7; 32]).unwrap().verifier().to_string();
    let json = verify(&given.receipt.to_string(), &["--key", &other_key, "--json"]).ends(4).json();
    assert_eq!(json["code"], "SR-LEDGER-037");
}

#[test]
fn what_cannot_be_read_is_not_called_false() {
    let bench = bench();
    let key = given(&bench).key;
    let mut command = strongroom();
    let ran =
        Ran::of(command.args(["verify", "/nowhere/receipt.json", "--key", &key]).output().unwrap()).ends(1);
    assert!(ran.err.contains("SR-VERIFY-001") && !ran.err.contains("nowhere"), "{}", ran.err);
    verify("{}", &["--key", "nonsense"]).ends(2);
    verify("{}", &[]).ends(2);
}
