//! Judges of receipts that are not ours: joserfc and jose verify the signature, pyshacl holds the record against the shapes
//! that we publish. Each is shown something wrong as well, and must say no.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::jws;
use ledger::note::Signer;
use serde_json::{Value as Json, json};
use strongroom::choose::Way;
use strongroom::ground::Role;

use crate::judges::{kept, ours, run_with, there};
use crate::support::{Bench, POLICY};
use crate::vault::Ran;

/// A shop with every sort of choice: a consent, a separate one that ends by itself, an interest; an address, and a recipient.
fn policy() -> String {
    let more = "\n[purpose.fraud]\nuse = \"essential.fraud_detection\"\nbasis = \"legitimate_interest\"\n\
        says = { zh = \"防范欺诈\", en = \"To prevent fraud\" }\nfields = [\"email\"]\nkeep = \"30d after customer.closed\"\n\
        \n[purpose.sharing]\nuse = \"marketing.advertising.third_party\"\nbasis = \"separate_consent\"\n\
        label = { zh = \"广告合作\", en = \"Advertising\" }\n\
        says = { zh = \"与物流伙伴共享信息用于广告\", en = \"To share your address for advertising\" }\n\
        fields = [\"email\"]\nrecipients = [\"sf-express\"]\nkeep = \"until withdrawn\"\n\
        ask_again = \"30d\"\n";
    let policy = POLICY.replacen("[shop]\n", "[shop]\naddress = \"上海市淮海中路 1 号\"\n", 1);
    assert_ne!(policy, POLICY);
    policy + more
}

/// Receipts of a real house, each with what it is of.
fn receipts(bench: &Bench) -> Vec<(String, Json)> {
    let by = bench.service();
    bench.customer(&by, "42");
    let choices = [
        ("marketing_email", "granted"),
        ("marketing_email", "withdrawn"),
        ("recommendations", "refused"),
        ("fraud", "refused"),
        ("sharing", "granted"),
    ];
    let made =
        choices.iter().flat_map(|(purpose, said)| ["zh", "en"].map(|language| (purpose, said, language)));
    let mut all = Vec::new();
    for (purpose, said, language) in made {
        let body = json!({ "subject": { "external_id": "42" }, "purpose": purpose, "choice": said,
                           "notice": { "version": 1, "language": language } });
        let kept = bench.post(&by, "/v1/choices", &body).is(201);
        let path = format!("/v1/choices/{}/receipt", kept["choice"].as_str().unwrap());
        all.push((format!("{purpose} {said} {language}"), bench.get(&by, &path).is(200)));
        bench.pass(1_000_000);
    }
    all.push(("a visitor's choice".to_owned(), of_a_visitor(bench)));
    all
}

/// What a visitor of a page chose, with all that is known of what was shown.
fn of_a_visitor(bench: &Bench) -> Json {
    let key = bench.key(Role::Window, &[]).0;
    let shown = bench.get_as_stranger(&format!("/w/{key}/init?lang=en&home=cn")).is(200);
    let body = json!({ "id": "choice-of-a-visitor-000001", "snapshot": shown["snapshot"], "source": "banner",
        "choices": { "marketing_email": true }, "variant": shown["variant"], "language": "en",
        "claimed_at": "2026-11-22T08:00:00Z" });
    let request = axum::http::Request::builder().method("POST").uri(format!("/w/{key}/choices"));
    let request = request.header("content-type", "application/json");
    let reply = bench.send(request.body(axum::body::Body::from(body.to_string())).unwrap());
    let cookies = reply.headers.get_all("set-cookie").iter();
    let cookies: Vec<&str> = cookies.map(|set| set.to_str().unwrap().split(';').next().unwrap()).collect();
    let request =
        axum::http::Request::builder().uri(format!("/w/{key}/receipts")).header("cookie", cookies.join("; "));
    bench.send(request.body(axum::body::Body::empty()).unwrap()).is(200)["receipts"][0].clone()
}

fn keys_of(bench: &Bench, folder: &Path) -> PathBuf {
    let path = folder.join("privacy.json");
    std::fs::write(&path, bench.get_as_stranger("/.well-known/privacy.json").is(200).to_string()).unwrap();
    path
}

/// The receipt with a record signed anew, so that only its content is judged.
fn signed(receipt: &Json, change: impl FnOnce(&mut Json), signer: &Signer) -> Json {
    let mut receipt = receipt.clone();
    change(&mut receipt["record"]);
    receipt["jws"] = json!(jws::sign(receipt["record"].to_string().as_bytes(), signer).unwrap());
    receipt
}

#[test]
fn joserfc_verifies_the_signatures_and_pyshacl_the_records_and_both_refuse_what_was_changed() {
    let python = kept("python/bin/pyshacl");
    if !there(&python, "pyshacl and joserfc, who judge receipts") {
        return;
    }
    let shapes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/receipt.shacl.ttl");
    let (bench, folder) = (Bench::with_policy(&policy()), tempfile::tempdir().unwrap());
    let keys = keys_of(&bench, folder.path());
    let judge = |receipt: &Json, keys: &Path| -> Ran {
        let mut command = Command::new(kept("python/bin/python"));
        command.arg(ours("python/receipt.py")).arg(&shapes).arg(keys).env("PYTHONDONTWRITEBYTECODE", "1");
        run_with(&mut command, receipt.to_string().as_bytes())
    };
    let receipts = receipts(&bench);
    for (what, receipt) in &receipts {
        let ran = judge(receipt, &keys);
        assert_eq!(ran.code, 0, "{what}: {}", ran.err);
        assert!(ran.out.trim().parse::<u32>().unwrap() > 50, "{what}: {} statements", ran.out);
    }
    let find = |what: &str| &receipts.iter().find(|(name, _)| name == what).unwrap().1;
    let consent = find("marketing_email granted en");
    assert_eq!(consent["record"]["dct:conformsTo"], json!({ "@id": "dpv-27560:record" }));
    assert_eq!(find("fraud refused zh")["record"]["@type"], "dpv:DataProcessingRecord");
    let ending = find("sharing granted zh");
    let duration = "/dpv:hasProcess/dpv:hasConsentStatus/dpv:hasDuration";
    assert_eq!(ending["record"].pointer(duration).unwrap()["@type"], "dpv:UntilTimeDuration");

    // Signatures: another byte, another key.
    let refused = |receipt: &Json, keys: &Path, why: &str, what: &str| {
        let ran = judge(receipt, keys);
        assert!(ran.code == 1 && ran.err.contains(why), "{what}: {} {}", ran.code, ran.err);
    };
    let mut changed = consent.clone();
    changed["record"]["dct:identifier"] = json!("cho_other");
    refused(&changed, &keys, "record: not the signed one", "another record beside the signature");
    let mut spliced = find("sharing granted en").clone();
    let parts =
        |receipt: &Json| receipt["jws"].as_str().unwrap().split('.').map(str::to_owned).collect::<Vec<_>>();
    let (mine, theirs) = (parts(consent), parts(&spliced));
    spliced["jws"] = json!(format!("{}.{}.{}", mine[0], theirs[1], mine[2]));
    refused(&spliced, &keys, "signature: BadSignatureError", "another record under the signature");

    // Records: signed by whoever made the key, and without one thing that a record has.
    let stranger = Signer::from_seed("strongroom/harbour-hill", &[7; 32]).unwrap();
    let own = folder.path().join("own.json");
    std::fs::write(&own, json!({ "keys": [jws::jwk(stranger.verifier())] }).to_string()).unwrap();
    assert_eq!(judge(&signed(consent, |_| {}, &stranger), &own).code, 0, "the control");
    refused(&signed(consent, |_| {}, &stranger), &keys, "signature: ", "a stranger's key");
    let at = |pointer: &'static str, value: Json| {
        move |record: &mut Json| {
            let (inside, member) = pointer.rsplit_once('/').unwrap();
            let object = record.pointer_mut(inside).unwrap().as_object_mut().unwrap();
            assert!(object.contains_key(member) || value != Json::Null, "{pointer}");
            if value == Json::Null {
                object.remove(member)
            } else {
                object.insert(member.to_owned(), value)
            };
        }
    };
    for (pointer, value) in [
        ("/dct:created", Json::Null),
        ("/dct:created", json!("yesterday")),
        ("/dpv:hasDataSubject/dct:identifier", json!("ann@shop.example")),
        ("/dpv:hasDataSubject/dpv:hasName", json!("Ann Lee")),
        ("/dpv:hasNotice/sr:policyDigest", Json::Null),
        ("/dpv:hasDataController/dpv:hasContact", Json::Null),
        ("/dpv:hasDataController/dpv:hasAddress", Json::Null),
        ("/dpv:hasProcess/dpv:hasPurpose", Json::Null),
        ("/dpv:hasProcess/dpv:hasPersonalData", Json::Null),
        (
            "/dpv:hasProcess/dpv:hasStorageCondition",
            json!([{ "@type": "dpv:StorageDuration", "dpv:hasDuration": "P1D" }]),
        ),
        ("/dpv:hasProcess/dpv:hasConsentControl", Json::Null),
        ("/dpv:hasProcess/dpv:hasConsentStatus/sr:choice", json!("perhaps")),
        ("/dpv:hasProcess/dpv:hasConsentStatus/sr:choice", json!("refused")),
        ("/dpv:hasProcess/dpv:hasConsentStatus/@type", json!("dpv:ConsentUnknown")),
        ("/dpv:hasProcess/dpv:hasConsentStatus/dpv:hasIndicationMethod", json!("hearsay")),
    ] {
        let wrong = signed(consent, at(pointer, value.clone()), &stranger);
        refused(&wrong, &own, "Conforms: False", &format!("{pointer} {value}"));
    }

    // How long it stands: an end without its date, a date that is none, and a no that ends by itself.
    for (pointer, value) in [
        ("/dpv:hasProcess/dpv:hasConsentStatus/dpv:hasDuration/dct:date", Json::Null),
        ("/dpv:hasProcess/dpv:hasConsentStatus/dpv:hasDuration/dct:date", json!("some day")),
        ("/dpv:hasProcess/dpv:hasConsentStatus/dpv:hasDuration/@type", json!("dpv:UntilEventDuration")),
    ] {
        let wrong = signed(ending, at(pointer, value.clone()), &stranger);
        refused(&wrong, &own, "Conforms: False", &format!("{pointer} {value}"));
    }
    let its = ending["record"].pointer(duration).unwrap();
    let ending_no = signed(
        find("marketing_email withdrawn en"),
        |record| *record.pointer_mut(duration).unwrap() = its.clone(),
        &stranger,
    );
    refused(&ending_no, &own, "Conforms: False", "a no that ends by itself");
    for way in Way::ALL {
        let said_so = signed(
            consent,
            at("/dpv:hasProcess/dpv:hasConsentStatus/dpv:hasIndicationMethod", json!(way.name())),
            &stranger,
        );
        assert_eq!(judge(&said_so, &own).code, 0, "{}", way.name());
    }
}

#[test]
fn jose_verifies_the_signatures_with_the_address_of_the_keys_as_a_set_and_refuses_what_was_changed() {
    if !there(kept("typescript/node_modules/jose"), "jose, who judges signatures of receipts") {
        return;
    }
    let (bench, folder) = (Bench::with_policy(&policy()), tempfile::tempdir().unwrap());
    let keys = keys_of(&bench, folder.path());
    let modules = folder.path().join("node_modules");
    std::os::unix::fs::symlink(kept("typescript/node_modules"), &modules).unwrap();
    std::fs::copy(ours("typescript/receipt.mjs"), folder.path().join("receipt.mjs")).unwrap();
    let judge = |receipt: &Json| -> Ran {
        let mut node = Command::new("node");
        node.arg("receipt.mjs").arg(&keys).current_dir(folder.path());
        run_with(&mut node, receipt.to_string().as_bytes())
    };
    for (what, receipt) in receipts(&bench) {
        let ran = judge(&receipt);
        assert_eq!((ran.code, ran.out.trim()), (0, "verified"), "{what}: {}", ran.err);
        let mut changed = receipt.clone();
        let text = receipt["jws"].as_str().unwrap();
        let other = if text.ends_with('A') { 'Q' } else { 'A' };
        changed["jws"] = json!(format!("{}{other}", &text[..text.len() - 1]));
        assert_eq!(judge(&changed).code, 1, "{what}");
        let mut shown = receipt;
        shown["record"]["dct:language"] = json!("fr");
        assert_eq!(judge(&shown).code, 1, "{what}");
    }
}
