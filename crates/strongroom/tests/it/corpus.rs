//! Replays what the fuzzers start from and what they found worth keeping, so that it holds where no fuzzer is installed.

#![cfg(test)]

use std::path::PathBuf;

#[path = "../../../../fuzz/src/bodies.rs"]
mod bodies;
#[path = "../../../../fuzz/src/envelope.rs"]
mod envelope;
#[path = "../../../../fuzz/src/ids.rs"]
mod ids;
#[path = "../../../../fuzz/src/import.rs"]
mod import;
#[path = "../../../../fuzz/src/ledger_formats.rs"]
mod ledger_formats;
#[path = "../../../../fuzz/src/made.rs"]
mod made;

use made::PLANTED;

type Target = (&'static str, fn(&[u8]));

/// Every fuzz target but those of the policy and of packs, which their own crates replay.
const TARGETS: [Target; 5] = [
    ("bodies", bodies::look_at),
    ("envelope", envelope::look_at),
    ("ids", ids::look_at),
    ("import", import::look_at),
    ("ledger_formats", ledger_formats::look_at),
];

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// What each target starts from: everything that is genuine, in every form that it reads.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let order = r#"{"kind":"order","external_id":"O-1"}"#;
    let loud = PLANTED.to_uppercase();
    let named = |seeds: Vec<Vec<u8>>| {
        seeds.into_iter().enumerate().map(|(number, seed)| (format!("seed-{number:02}"), seed)).collect()
    };
    let tagged = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
    match target {
        "bodies" => {
            let seeds = [
                format!(
                    r#"{{"kind":"customer","external_id":"{loud}","fields":{{"name":"{loud}","email":"a@b.example","phone":"13812345678"}},"events":{{"active":"2026-11-22T00:00:00Z"}},"if_version":0}}"#
                ),
                format!(
                    r#"{{"kind":"order","subject":{{"match":{{"phone":"13812345678"}}}},"fields":{{"amount":"12.50","items":"{loud}"}},"choices":[{{"purpose":"marketing_email","choice":"granted","notice":{{"version":1,"language":"zh"}},"at":"2026-11-22T00:00:00Z"}}]}}"#
                ),
                format!(r#"{{"record":{order},"event":"placed","at":"2026-11-22T00:00:00Z"}}"#),
                r#"{"purpose":"marketing_email","choice":"refused","notice":{"version":1,"language":"zh"}}"#
                    .to_owned(),
                format!(r#"{{"external_id":"{loud}","kind":"customer"}}"#),
                format!(r#"{{"id":"{}"}}"#, made::ids().show(strongroom::ground::SubjectId::from_column(7))),
                format!("\"{}\"", made::ids().show(strongroom::ground::RecordId::from_column(7))),
                order.to_owned(),
                format!(
                    r#"{{"kind":"customer","fields":{{"email":"{loud}@","{loud}":1,"phone":[1e999,{{"a":null}}]}}}}"#
                ),
            ];
            named(seeds.into_iter().map(String::into_bytes).collect())
        }
        "envelope" => {
            let wrapped = seal::Wrapped {
                id: seal::KeyId([1; 16]),
                class: seal::Class::Main,
                suite: seal::Suite::Sm4Gcm,
                under: 1,
                sealed: [2; seal::SEALED_KEY],
            };
            let (mut list, _, _) = seal::DestroyedList::read(&seal::Secret::new([9; 32]), b"").unwrap();
            let lines = list.append(&[
                seal::Destroyed { at: made::NOW, id: seal::KeyId([3; 16]) },
                seal::Destroyed { at: made::NOW + 1, id: seal::KeyId([4; 16]) },
            ]);
            let mut random = strongroom::ground::random::SystemRandom::default();
            let keyring = seal::Keyring::new(made::NOW, &mut random).unwrap();
            let other = seal::Lock::KeyFile(vec![4; 32].into());
            let (keyring, _) = keyring.lock(&other, &mut random).unwrap();
            named(vec![
                tagged(b'e', &envelope::sealed()[0]),
                tagged(b'w', &wrapped.encode()),
                tagged(b'd', &lines),
                tagged(b'k', &keyring),
                tagged(b'e', &envelope::sealed()[1]),
            ])
        }
        "ids" => {
            let ids = made::ids();
            let credential = ids.show(strongroom::ground::CredentialId::from_column(7));
            let seeds = [
                ids.show(strongroom::ground::SubjectId::from_column(7)),
                ids.show(strongroom::ground::RecordId::from_column(7)),
                ids.show(strongroom::ground::EntryId::from_column(7)),
                format!("{credential}_{}", seal::base32(&[5; 32])),
                "2026-11-22T08:00:00.123456+08:00".to_owned(),
                "-9999-01-01T00:00:00Z".to_owned(),
                seal::base32(b"sixteen bytes !!"),
            ];
            named(seeds.into_iter().map(String::into_bytes).collect())
        }
        "import" => {
            let mapping = "kind = \"customer\"\nexternal_id = \"id\"\nskip_when_empty = [\"id\"]\n[fields]\nname = \"{first} {last}\"\nemail = { from = \"mail\", bad = \"drop\" }\nphone = \"phone\"\n[events]\nactive = \"seen\"\n[time]\nformat = \"%d.%m.%Y\"\nzone = \"Asia/Shanghai\"\n[choice.marketing_email]\ncolumn = \"ok\"\ngranted = [\"y\"]\nrefused = [\"n\"]\nnotice = { version = 1, language = \"zh\" }";
            let csv = format!(
                "id,first,last,mail,phone,seen,ok,note\n1,Ann,{PLANTED},a@b.example,13812345678,21.11.2026,y,{PLANTED}\n2,\"{PLANTED} \"\"x\"\"\n\",,{PLANTED},+1,2026-11-22T00:00:00Z,n,=1+1\n3,a\n"
            );
            let jsonl = format!(
                "{{\"id\":1,\"first\":\"Ann\",\"mail\":\"{PLANTED}\",\"phone\":13812345678,\"ok\":\"y\",\"13812345678\":1}}\n\n{{\"id\":[1]}}\n{{\"id\":\"2\",\"id\":3}}\n{{\n"
            );
            let orders = "kind = \"order\"\nexternal_id = \"no\"\nknown_only = true\nonly = { state = [\"paid\"] }\nshift_dates = { from = \"2014-06-30\", to = \"today\" }\n[subject]\nmatch = { phone = \"phone\" }\n[fields]\namount = \"sum\"\npayment_reference = { from = \"card\", check = \"luhn\", last = 4 }\n[events]\nplaced = \"at\"";
            let sold = format!(
                "no;state;phone;sum;card;at\r\nO-1;paid;13812345678;12,50;4111 1111 1111 1111;2014-06-30 10:00:00\r\nO-2;open;{PLANTED};{PLANTED};1;x\r\n"
            );
            named(
                [
                    format!("{mapping}\n---\n{csv}"),
                    format!("# jsonl\n{mapping}\n---\n{jsonl}"),
                    format!("{orders}\n---\n{sold}"),
                    format!("{mapping}\n---\n\u{feff}{csv}"),
                ]
                .into_iter()
                .map(String::into_bytes)
                .collect(),
            )
        }
        "ledger_formats" => {
            let genuine = ledger_formats::genuine();
            let bundle = ledger::bundle::encode([&genuine.entry[..], b"x"]).unwrap();
            let facts = ledger::opening::Opening::builder().purpose("delivery").version(3).at(made::NOW);
            let cosigned = format!("{}{}", genuine.checkpoint, genuine.answer);
            let request = format!("old 0\n\n{}", genuine.checkpoint);
            let again = format!("old 1\n{}=\n\n{cosigned}", "A".repeat(43));
            let proof = [&0_u64.to_be_bytes()[..], &1_u64.to_be_bytes(), &[7; 96]].concat();
            named(vec![
                tagged(b'n', genuine.checkpoint.as_bytes()),
                tagged(b'v', genuine.signer.verifier().to_string().as_bytes()),
                tagged(b't', b"tile/0/x001/x234/067.p/17"),
                tagged(b't', b"tile/entries/000"),
                tagged(b'b', &bundle),
                tagged(b'e', &genuine.entry),
                tagged(b'o', facts.build().unwrap().as_bytes()),
                tagged(b'r', genuine.receipt.as_bytes()),
                tagged(b'p', &proof),
                tagged(b'w', request.as_bytes()),
                tagged(b'w', again.as_bytes()),
                tagged(b'c', genuine.answer.as_bytes()),
                tagged(b'c', cosigned.as_bytes()),
                tagged(b'c', b"20852163\n"),
                tagged(b'k', genuine.witness.to_string().as_bytes()),
            ])
        }
        other => panic!("{other} has no seeds"),
    }
}

#[test]
fn every_input_of_the_corpora_is_survived() {
    for (target, look_at) in TARGETS {
        let inputs: Vec<Vec<u8>> = std::fs::read_dir(fuzz().join("corpus").join(target))
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect();
        assert!(inputs.len() >= seeds(target).len(), "the corpus of {target} has {} inputs", inputs.len());
        inputs.iter().for_each(|input| look_at(input));
    }
}

#[test]
fn what_is_genuine_cut_anywhere_and_with_any_byte_changed_is_survived_and_nothing_forged_is_believed() {
    for (target, look_at) in TARGETS {
        for (_, seed) in seeds(target) {
            look_at(&seed);
            for at in 0..seed.len() {
                look_at(&seed[..at]);
                let mut changed = seed.clone();
                changed[at] ^= 1 << (at % 8);
                look_at(&changed);
            }
        }
    }
}

#[test]
fn every_fuzz_target_is_replayed_somewhere() {
    let mut targets: Vec<String> = std::fs::read_dir(fuzz().join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    targets.sort();
    let mut replayed: Vec<&str> = TARGETS.iter().map(|(target, _)| *target).collect();
    replayed.extend(["policy_parser", "rulebook"]);
    replayed.sort_unstable();
    assert_eq!(targets, replayed);
}

/// Writes the seeds anew: by hand, when a format has changed.
#[test]
#[ignore = "writes into the source: run by hand when a format changes"]
fn write_seeds() {
    for (target, _) in TARGETS {
        let folder = fuzz().join("corpus").join(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, seed) in seeds(target) {
            std::fs::write(folder.join(name), seed).unwrap();
        }
    }
}
