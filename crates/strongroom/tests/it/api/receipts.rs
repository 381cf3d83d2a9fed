//! Receipts of choices: what a shop hands to the person, and what it says of a version that is no longer in force.

use axum::http::header;
use ledger::choice::{ChoiceReceipt, Fact};
use ledger::entry::Act;
use ledger::note::Verifier;
use serde_json::{Value as Json, json};
use strongroom::ground::Role;

use crate::support::{Bench, Key, POLICY};

/// A customer who said yes to letters, the key of who asks, and the choice's id.
fn chosen(bench: &Bench) -> (Key, String) {
    let by = bench.service();
    bench.customer(&by, "42");
    let kept = bench.choose(&by, "42", "marketing_email", "granted");
    (by, kept["choice"].as_str().unwrap().to_owned())
}

fn receipt(bench: &Bench, by: &Key, choice: &str) -> ChoiceReceipt {
    let said = bench.get(by, &format!("/v1/choices/{choice}/receipt")).is(200);
    ChoiceReceipt::from_json(&said.to_string()).unwrap()
}

fn verifier(bench: &Bench) -> Verifier {
    Verifier::parse(&bench.verifier).unwrap()
}

#[test]
fn a_shop_hands_out_a_receipt_that_proves_the_choice_and_the_look_is_entered() {
    let bench = Bench::new();
    let (by, choice) = chosen(&bench);
    let found = bench.count(Act::Found);
    let reply = bench.get(&by, &format!("/v1/choices/{choice}/receipt"));
    assert_eq!(reply.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"receipt.json\"");
    let receipt = ChoiceReceipt::from_json(&reply.is(200).to_string()).unwrap();
    assert_eq!(bench.count(Act::Found), found + 1);
    let proved = receipt.verify(&verifier(&bench), "strongroom/harbour-hill").unwrap();
    let said = |fact| proved.text(fact).unwrap();
    assert_eq!(
        [said(Fact::Purpose), said(Fact::Choice), said(Fact::Notice), said(Fact::Language), said(Fact::Way)],
        ["marketing_email", "granted", "1", "zh", "api"]
    );
    assert_eq!(proved.record["dct:identifier"], choice.as_str());
    bench.round();
}

#[test]
fn nothing_in_a_receipt_is_a_value_that_was_kept() {
    let bench = Bench::new();
    let (by, choice) = chosen(&bench);
    let text = serde_json::to_string(&receipt(&bench, &by, &choice)).unwrap();
    let signed = receipt(&bench, &by, &choice).jws;
    let payload =
        data_encoding::BASE64URL_NOPAD.decode(signed.split('.').nth(1).unwrap().as_bytes()).unwrap();
    for all in [text, String::from_utf8(payload).unwrap()] {
        for value in ["Ann Lee", "42@shop.example", "138 1234 5678", "13812345678", "\"42\""] {
            assert!(!all.contains(value), "{value}");
        }
    }
}

#[test]
fn a_receipt_says_what_the_notice_said_when_it_was_chosen_and_not_what_it_says_now() {
    let bench = Bench::new();
    let (by, choice) = chosen(&bench);
    let says = |receipt: &ChoiceReceipt| {
        receipt.record["dpv:hasProcess"]["dpv:hasPurpose"][0]["skos:prefLabel"]["@value"].clone()
    };
    let before = receipt(&bench, &by, &choice);
    let newer = POLICY.replace("给您发送新品和优惠邮件", "给您发送任何邮件");
    assert_ne!(newer, POLICY);
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": newer })).is(201);
    let after = receipt(&bench, &by, &choice);
    assert_eq!(
        [says(&before), says(&after)],
        [json!("给您发送新品和优惠邮件"), json!("给您发送新品和优惠邮件")]
    );
    assert_eq!(before.record, after.record);
    assert!(after.verify(&verifier(&bench), "strongroom/harbour-hill").is_ok());
    bench.round();
}

#[test]
fn who_is_erased_has_no_receipts_left_and_the_one_in_hand_still_holds() {
    let bench = Bench::new();
    let (by, choice) = chosen(&bench);
    let held = receipt(&bench, &by, &choice);
    let subject = held.record["dpv:hasDataSubject"]["dct:identifier"].as_str().unwrap().to_owned();
    let officer = bench.key(Role::Officer, &[]);
    bench.post(&officer, &format!("/v1/subjects/{subject}:erase"), &json!({})).is(200);
    bench.get(&by, &format!("/v1/choices/{choice}/receipt")).problem(410, "SR-KEEP-002");
    assert!(held.verify(&verifier(&bench), "strongroom/harbour-hill").is_ok());
    bench.round();
}

/// A purpose that came with the second version, and somebody who is said to have agreed under the first.
#[test]
fn nothing_is_said_of_what_a_notice_did_not_say() {
    let bench = Bench::new();
    let (by, _) = chosen(&bench);
    let more = "\n[purpose.birthday]\nuse = \"marketing.communications\"\nbasis = \"consent\"\n\
        says = { zh = \"生日祝福\", en = \"Birthday wishes\" }\nfields = [\"email\"]\nkeep = \"until withdrawn\"\n";
    bench.post(&bench.admin, "/v1/policies", &json!({ "text": format!("{POLICY}{more}") })).is(201);
    let kept = bench.choose(&by, "42", "birthday", "refused");
    let path = format!("/v1/choices/{}/receipt", kept["choice"].as_str().unwrap());
    bench.get(&by, &path).problem(409, "SR-CHOOSE-008");
    bench.get(&by, "/v1/choices/cho_aaaaaaaaaaaaaaaaaaaaaaaaaa/receipt").problem(404, "SR-KEEP-001");
    bench.get(&by, "/v1/choices/nothing/receipt").problem(404, "SR-KEEP-001");
    bench.round();
}

#[test]
fn a_stranger_finds_the_key_as_our_programs_and_as_libraries_of_others_read_it() {
    let bench = Bench::new();
    let said: Json = bench.get_as_stranger("/.well-known/privacy.json").is(200);
    assert_eq!(said["verifier_keys"], json!([bench.verifier]));
    let key = &said["keys"][0];
    assert_eq!([&key["kty"], &key["crv"], &key["alg"], &key["use"]], ["OKP", "Ed25519", "EdDSA", "sig"]);
    let (by, choice) = chosen(&bench);
    let header = receipt(&bench, &by, &choice).jws.split('.').next().unwrap().to_owned();
    let header: Json =
        serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
    assert_eq!(header["kid"], key["kid"]);
}
