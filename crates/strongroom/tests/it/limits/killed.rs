//! The limit against the real binary: killed under load, restarted, restored from a backup.

#![cfg(test)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use sha2::Digest as _;

use super::policy;
use crate::vault::{Server, Vault, customer, reveal};

const CUSTOMERS: u64 = 240;
const LIMIT: u64 = 60;

/// A vault with a limit and its customers.
fn vault() -> (Vault, String) {
    let vault = Vault::new();
    std::fs::write(vault.path("next.toml"), policy("account", &format!("{LIMIT} subjects per hour")))
        .unwrap();
    vault.ask(&["policy", "publish", "next.toml", "--yes"]);
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    let mut caller = server.caller(&intake);
    for first in (0..CUSTOMERS).step_by(60) {
        let items: Vec<Json> = (first..first + 60).map(customer).collect();
        caller.post("/v1/records:batch", &json!({ "items": items })).has(200);
    }
    server.stop();
    let made = vault.credential("service", &["account"]);
    (vault, made)
}

/// Eight connections reveal one customer behind the other, each from where the last left off, until the connection breaks or
/// all are through. Whom they got is noted.
fn load(
    server: &Server,
    stolen: &str,
    next: &Arc<AtomicU64>,
    got: &Arc<Mutex<BTreeSet<u64>>>,
) -> Vec<std::thread::JoinHandle<()>> {
    (0..8)
        .map(|_| {
            let (mut caller, next, got) = (server.caller(stolen), Arc::clone(next), Arc::clone(got));
            std::thread::spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CUSTOMERS {
                        return;
                    }
                    let Ok(answer) = caller.try_post("/v1/records:reveal", &reveal(number, "account")) else {
                        return;
                    };
                    match answer.status {
                        200 => drop(got.lock().unwrap().insert(number)),
                        403 => assert_eq!(answer.json()["code"], "SR-PEOPLE-009"),
                        other => panic!("{other} {}", answer.text()),
                    }
                }
            })
        })
        .collect()
}

fn radius(vault: &Vault, credential: &str) -> Json {
    let id = credential.rsplit_once('_').unwrap().0;
    vault.ask(&["account", "blast-radius", "--credential", id, "--since", "2020-01-01"])
}

#[test]
fn killed_again_and_again_at_full_speed_a_stolen_credential_still_reaches_its_limit_only() {
    let (vault, stolen) = vault();
    let (next, got) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(BTreeSet::new())));
    for wanted in [8, 25, 45] {
        let server = vault.serve();
        let callers = load(&server, &stolen, &next, &got);
        let began = Instant::now();
        while got.lock().unwrap().len() < wanted {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", server.said());
            std::thread::yield_now();
        }
        server.kill();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    }
    let server = vault.serve();
    load(&server, &stolen, &next, &got).into_iter().for_each(|caller| caller.join().unwrap());
    server.stop();
    let got = got.lock().unwrap().len() as u64;
    let found = radius(&vault, &stolen);
    // Whom the ledger names was counted, also if the answer was lost in a kill.
    assert_eq!(found["persons"], LIMIT, "{found}");
    assert!((45..=LIMIT).contains(&got), "{got}");
    let looks = vault.run(&["doctor", "--deep", "--json"]).ends(4).json();
    let wrong: Vec<&Json> = looks.as_array().unwrap().iter().filter(|look| look["well"] == false).collect();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0]["what"], "credentials");
}

#[test]
fn a_restore_neither_gives_back_allowance_nor_thaws_a_credential() {
    let (vault, stolen) = vault();
    vault.ask(&["backup", "--to", "copy"]);
    let (next, got) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(BTreeSet::new())));
    next.store(CUSTOMERS - 30, Ordering::Relaxed);
    let server = vault.serve();
    load(&server, &stolen, &next, &got).into_iter().for_each(|caller| caller.join().unwrap());
    server.stop();
    assert_eq!(got.lock().unwrap().len(), 30);
    vault.run(&["restore", "--from", "copy", "--yes"]).ends(0);
    next.store(0, Ordering::Relaxed);
    let server = vault.serve();
    load(&server, &stolen, &next, &got).into_iter().for_each(|caller| caller.join().unwrap());
    server.stop();
    assert_eq!(got.lock().unwrap().len() as u64, LIMIT, "thirty before the restore, and what was left");
    vault.run(&["restore", "--from", "copy", "--yes"]).ends(0);
    let server = vault.serve();
    let refused = server.caller(&stolen).post("/v1/records:reveal", &reveal(0, "account")).has(403);
    assert_eq!(refused.json()["code"], "SR-PEOPLE-009");
}

#[test]
fn a_backup_from_before_there_were_limits_is_restored() {
    let (vault, stolen) = vault();
    vault.ask(&["backup", "--to", "copy"]);
    let file = vault.path("copy/strongroom.db");
    let database = crate::vault::behind_the_back(&file).unwrap();
    let back = "ALTER TABLE credential DROP COLUMN per_hour; ALTER TABLE credential DROP COLUMN per_day;
                ALTER TABLE credential DROP COLUMN frozen_at; ALTER TABLE credential DROP COLUMN said;
                ALTER TABLE subject DROP COLUMN home; ALTER TABLE subject DROP COLUMN age;
                ALTER TABLE choice DROP COLUMN shown; ALTER TABLE choice DROP COLUMN variant; ALTER TABLE choice DROP COLUMN law;
                DROP INDEX choice_ends; ALTER TABLE choice DROP COLUMN ends_at; ALTER TABLE choice_standing DROP COLUMN ends;
                ALTER TABLE choice_standing DROP COLUMN ends_at; DROP TABLE code_asked; DROP TABLE sign_in;
                DROP TABLE approval; DROP TABLE pen; DROP TABLE file_chunk; DROP TABLE file; UPDATE schema SET number = 7;";
    database.execute_batch(back).unwrap();
    database.close();
    let manifest = vault.path("copy/manifest.json");
    let mut said: Json = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    let digest = sha2::Sha256::digest(std::fs::read(&file).unwrap());
    said["database_sha256"] = json!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    std::fs::write(&manifest, said.to_string()).unwrap();
    vault.run(&["restore", "--from", "copy", "--yes"]).ends(0);
    let server = vault.serve();
    server.caller(&stolen).post("/v1/records:reveal", &reveal(1, "account")).has(200);
    server.stop();
    vault.is_well();
}

#[test]
fn the_commands_ask_approve_freeze_and_tell() {
    let (vault, service) = vault();
    let id = service.rsplit_once('_').unwrap().0;
    let ask = [
        "approvals",
        "ask",
        "--credential",
        id,
        "--purpose",
        "account",
        "--subjects",
        "100",
        "--reason",
        "a-job",
    ];
    let asked = vault.ask(&ask);
    let approval = asked["id"].as_str().unwrap().to_owned();
    vault.run(&["approvals", "approve", &approval]).fails("SR-PEOPLE-015");
    let server = vault.serve();
    server.caller(&vault.admin).post(&format!("/v1/approvals/{approval}:approve"), &json!({})).has(200);
    assert_eq!(vault.ask(&["approvals", "list"])[0]["state"], "approved");
    let (next, got) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(BTreeSet::new())));
    load(&server, &service, &next, &got).into_iter().for_each(|caller| caller.join().unwrap());
    assert_eq!(got.lock().unwrap().len() as u64, 100 + LIMIT);
    let told = vault.run(&["credentials", "list"]).ends(0);
    assert!(told.out.contains("FROZEN") && told.out.contains("reached-its-limit"), "{}", told.out);
    vault.ask(&["credentials", "unfreeze", id, "--reason", "job-known"]);
    vault.ask(&["credentials", "freeze", id, "--reason", "job-done"]);
    let listed = vault
        .run(&["account", "blast-radius", "--credential", id, "--since", "2020-01-01", "--list"])
        .ends(0);
    assert_eq!(listed.out.lines().filter(|line| line.starts_with("sub_")).count() as u64, 100 + LIMIT);
    let told = vault.run(&["account", "blast-radius", "--credential", id, "--since", "2020-01-01"]).ends(0);
    assert!(told.out.contains("customer.email") && told.out.contains("160 who can be told"), "{}", told.out);
    let asked = vault.ask(&ask);
    server
        .caller(&vault.admin)
        .post(
            "/v1/approvals",
            &json!({ "credential": id, "purpose": "account", "subjects": 5,
        "hours": 1, "reason": "another" }),
        )
        .has(201);
    vault.ask(&["approvals", "refuse", asked["id"].as_str().unwrap()]);
    let states: Vec<String> = vault
        .ask(&["approvals", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["asked", "refused", "approved"]);
}
