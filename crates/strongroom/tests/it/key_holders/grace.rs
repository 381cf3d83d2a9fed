//! The holder goes away while the house serves: a stated grace, then nothing is served and no key is in memory, and it opens by
//! itself when the key is given again.

use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value as Json, json};

use super::bao::{Bao, KEY, pause};
use super::{lives, opens};
use crate::vault::{Caller, Server, Vault, customer};

const LONG: Duration = Duration::from_secs(60);

/// Waits until something is so.
#[track_caller]
fn until(what: &str, mut is: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < LONG, "it is not: {what}");
        pause();
    }
    began.elapsed()
}

/// What `/health/ready` says; nothing while the doors change.
fn health(server: &Server) -> Option<(u16, Json)> {
    let mut caller = Caller::connect(server.api, "").ok()?;
    let answer = caller.send("GET", "/health/ready", "", b"").ok()?;
    Some((answer.status, answer.json()))
}

fn attention(server: &Server) -> Vec<String> {
    let Some((_, health)) = health(server) else { return Vec::new() };
    health["attention"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn is_shut(server: &Server) -> bool {
    health(server).is_some_and(|(status, _)| status == 503)
}

/// Waits until it is shut and the process that waits for the holder is there, so often in the life of this server.
#[track_caller]
fn until_it_waits(server: &Server, times: usize) {
    until("it is shut", || is_shut(server));
    until("it waits", || server.said().matches("waits for the holder").count() >= times);
    until("it answers", || is_shut(server));
}

fn is_well(server: &Server) -> bool {
    health(server).is_some_and(|(status, health)| status == 200 && health["status"] == "ok")
}

#[test]
fn a_holder_that_is_away_for_less_than_the_grace_is_shown_and_keeps_nobody_out() {
    let Some(bao) = Bao::start() else { return };
    let vault = bao.vault(60);
    let server = vault.serve();
    let service = vault.credential("service", &["account"]);
    lives(&vault, &server, 1);
    bao.way.is_cut();
    until("the holder is shown to be away", || attention(&server) == ["key_holder_away"]);
    // Epochs are changed without asking it: the keyring is written again under the key that it is locked with.
    lives(&vault, &server, 2);
    opens(&server, &service, 1);
    bao.way.opens();
    until("all is well again", || is_well(&server));
    let (_, said) = server.stop();
    assert!(said.contains("SR-KEYS-007") && said.contains("gives it again"), "{said}");
}

#[test]
fn when_the_grace_is_over_nothing_is_served_until_the_key_is_given_again() {
    let Some(bao) = Bao::start() else { return };
    let vault = bao.vault(2);
    let ways = [("sealed", "SR-KEYS-010"), ("holds", "SR-KEYS-008"), ("cut", "SR-KEYS-007")];
    for (number, (way_away, code)) in (100..).zip(ways) {
        let server = vault.serve();
        let (service, intake) = (vault.credential("service", &["account"]), vault.credential("intake", &[]));
        let written = server.caller(&intake).post("/v1/records", &customer(5));
        assert!(matches!(written.status, 200 | 201), "{}", written.text());
        opens(&server, &service, 5);
        let began = Instant::now();
        match way_away {
            "sealed" => bao.seal(),
            "holds" => bao.way.holds(),
            _ => bao.way.is_cut(),
        }
        until_it_waits(&server, 1);
        assert!(began.elapsed() >= Duration::from_secs(1), "the grace is kept: {:?}", began.elapsed());
        // At every door, whoever comes and whatever they ask.
        for (path, body) in
            [("/v1/records", customer(6)), ("/v1/records:reveal", crate::vault::reveal(5, "account"))]
        {
            let refused = server.caller(&service).post(path, &body).has(503);
            assert!(refused.head.to_lowercase().contains("retry-after: 30"), "{}", refused.head);
            let refused = refused.json();
            assert_eq!(refused["code"], "SR-KEYS-017");
            assert!(refused["title"].as_str().unwrap().contains(code), "{refused}");
        }
        server.caller("").send("GET", "/health/live", "", b"").unwrap().has(200);
        Caller::new(server.admin, "").get("/metrics").has(503);
        vault.run(&["keys", "status"]).fails("SR-KEYS-017");
        vault.run(&["health"]).ends(4);
        match way_away {
            "sealed" => bao.unseal(),
            _ => bao.way.opens(),
        }
        until("it is open again", || is_well(&server));
        opens(&server, &service, 5);
        lives(&vault, &server, number);
        server.stop();
    }
    vault.is_well();
}

#[test]
fn a_token_that_is_taken_back_and_a_key_that_is_deleted_shut_the_house_after_the_same_grace() {
    let Some(bao) = Bao::start() else { return };
    let vault = bao.vault(2);
    let server = vault.serve();
    let token = std::fs::read_to_string(vault.path("token")).unwrap();
    bao.post("auth/token/revoke", &json!({ "token": token }));
    until_it_waits(&server, 1);
    // Another token, in the same file: nobody has to start anything again.
    vault.private_file("token", &bao.token());
    until("it is open again", || is_well(&server));
    bao.post(&format!("transit/keys/{KEY}/config"), &json!({ "deletion_allowed": true }));
    bao.ask(&Method::DELETE, &format!("transit/keys/{KEY}"), &Json::Null);
    until_it_waits(&server, 2);
    let refused = server.caller("").send("GET", "/v1/policy", "", b"").unwrap().has(503).json();
    assert!(refused["title"].as_str().unwrap().contains("SR-KEYS-012"), "{refused}");
    let (status, _) = server.stop();
    assert!(status.success(), "it stops as it should, while it is shut");
}

#[test]
fn without_a_grace_the_first_wrong_answer_shuts_the_house() {
    let Some(bao) = Bao::start() else { return };
    let vault = bao.vault(0);
    let server = vault.serve();
    for _ in 0..40 {
        assert!(is_well(&server), "a holder that answers rightly shuts nothing");
        pause();
    }
    bao.seal();
    let took = until("it is shut", || is_shut(&server));
    assert!(took < Duration::from_secs(10), "{took:?}");
}

/// Which of these secrets the memory of a process holds, and where.
fn remembered(process: u32, secrets: &[(&'static str, [u8; 32])]) -> Vec<(&'static str, String)> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let first: Vec<u8> = secrets.iter().map(|(_, secret)| secret[0]).collect();
    let (mut found, mut page) = (Vec::new(), vec![0; (64 << 10) + 31]);
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        for at in (from..to).step_by(64 << 10) {
            // Behind the end there is nothing; and pages that nobody has touched are read as zeros.
            let Ok(read) = memory.read_at(&mut page, at) else { continue };
            let bytes = &page[..read];
            if bytes == &[0; (64 << 10) + 31][..read] {
                continue;
            }
            for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| first.contains(byte)) {
                let here = secrets.iter().filter(|(_, secret)| bytes[at..].starts_with(secret));
                found.extend(here.map(|(name, _)| (*name, line.to_owned())));
            }
        }
    }
    found
}

/// The keys in a vault's keyring, each with its name, opened as its holder would.
fn secrets_of(vault: &Vault, bao: &Bao) -> Vec<(&'static str, [u8; 32])> {
    let file = std::fs::read(vault.keys().join("keyring")).unwrap();
    let seal::Locked::ByHolder { by, wrapped } = seal::Keyring::how_locked(&file).unwrap() else { panic!() };
    let ciphertext = String::from_utf8(wrapped.clone()).unwrap();
    let context = data_encoding::BASE64.encode(b"strongroom/keyring/1");
    let asked = json!({ "ciphertext": ciphertext, "associated_data": context });
    let opened = bao.post(&format!("transit/decrypt/{KEY}"), &asked);
    let key = data_encoding::BASE64.decode(opened["data"]["plaintext"].as_str().unwrap().as_bytes()).unwrap();
    let key: [u8; 32] = key.try_into().unwrap();
    let lock = seal::Lock::Held { by, key: seal::Secret::new(key), wrapped };
    let (keyring, _) = seal::Keyring::unlock(&file, &lock).unwrap();
    vec![
        ("the key that OpenBao holds", key),
        ("the epoch's key", *keyring.epochs[0].key.expose()),
        ("the seed of the ledger", *keyring.ledger_seeds[0].1.expose()),
        ("the key of the list", *keyring.list_key.expose()),
        ("the key of ids", *keyring.id_key.expose()),
    ]
}

#[test]
fn no_key_of_the_keyring_is_in_memory_when_the_house_is_shut() {
    let Some(bao) = Bao::start() else { return };
    let vault = bao.vault(2);
    let server = vault.serve();
    lives(&vault, &server, 1);
    let secrets = secrets_of(&vault, &bao);
    if std::fs::File::open(format!("/proc/{}/mem", server.id())).is_err() {
        eprintln!("SKIPPED: the memory of a server that is shut: only root may look into it");
        return;
    }
    let names = |found: &[(&'static str, String)]| found.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    // While it serves they are there, or this test could not find anything.
    let open = names(&remembered(server.id(), &secrets));
    assert!(open.contains(&"the epoch's key") && open.contains(&"the seed of the ledger"), "{open:?}");
    bao.way.is_cut();
    until_it_waits(&server, 1);
    let shut = remembered(server.id(), &secrets);
    assert_eq!(names(&shut), [""; 0], "a house that is shut remembers");
    bao.way.opens();
    until("it is open again", || is_well(&server));
    assert!(!remembered(server.id(), &secrets).is_empty(), "it is the same process, and looked at as before");
}
