//! Backup and restore.

#![cfg(test)]

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value as Json, json};

use crate::engine::{read_rows, write_rows};
use crate::vault::{Ran, Server, Vault, choice, customer, order, reveal};

/// Customers, each with an order, come in over the API.
fn take_in(server: &Server, intake: &str, numbers: std::ops::Range<u64>) {
    let mut intake = server.caller(intake);
    for number in numbers {
        intake.post("/v1/records", &customer(number)).has(201);
        intake.post("/v1/records", &order(number)).has(201);
    }
}

/// Erases a customer. Gives the certificate.
fn erase(vault: &Vault, number: u64) -> Json {
    vault.ask(&["erase", &format!("c-{number}"), "--yes"])
}

fn restore(vault: &Vault, from: &str) -> Ran {
    vault.run(&["restore", "--from", from, "--yes"])
}

fn size_of_log(vault: &Vault) -> u64 {
    vault.ask(&["ledger", "checkpoint"])["size"].as_u64().unwrap()
}

/// Copies a folder as a thief, or a careless operator, does: file by file.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_backup_made_under_load_is_one_state_and_is_whole() {
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    take_in(&server, &intake, 0..20);
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let loads: Vec<_> = (1..=2_u64)
        .map(|lane| {
            let (mut caller, stop, written) =
                (server.caller(&intake), Arc::clone(&stop), Arc::clone(&written));
            std::thread::spawn(move || {
                for number in lane * 1_000_000.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    caller.post("/v1/records", &customer(number)).has(201);
                    caller.post("/v1/records", &order(number)).has(201);
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut before = 0;
    for copy in 0..3 {
        let manifest = vault.ask(&["backup", "--to", &format!("copy-{copy}")]);
        let after = written.load(Ordering::Relaxed);
        assert!(after > before, "the load went on while the copy was made");
        before = after;
        assert_eq!(manifest["format"], "strongroom-backup/1");
    }
    stop.store(true, Ordering::Relaxed);
    loads.into_iter().for_each(|load| load.join().unwrap());
    let (status, _) = server.stop();
    assert!(status.success());
    for copy in 0..3 {
        // The customers of a copy and their orders are of one instant: never an order without its customer.
        let database =
            crate::vault::behind_the_back(vault.path(&format!("copy-{copy}/strongroom.db"))).unwrap();
        let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let manifest: Json = serde_json::from_slice(
            &std::fs::read(vault.path(&format!("copy-{copy}/manifest.json"))).unwrap(),
        )
        .unwrap();
        assert_eq!(manifest["logs"][0]["size"], count("SELECT size FROM log_head"));
        let (subjects, records) =
            (count("SELECT count(*) FROM subject"), count("SELECT count(*) FROM record"));
        assert!(
            records <= 2 * subjects && records >= 2 * subjects - 4,
            "{subjects} subjects, {records} records"
        );
    }
    restore(&vault, "copy-1").ends(0);
    vault.is_well();
    assert_eq!(vault.ask(&["ledger", "verify"])["verified"], true);
}

#[test]
fn what_was_done_after_a_backup_is_not_undone_by_restoring_it() {
    let vault = Vault::new();
    let (intake, officer) = (vault.credential("intake", &[]), vault.credential("officer", &[]));
    let service = vault.credential("service", &["account", "marketing_email"]);
    let lost =
        vault.ask(&["credentials", "add", "--role", "service", "--label", "lost", "--purpose", "account"]);
    {
        let server = vault.serve();
        take_in(&server, &intake, 0..6);
        for number in 0..6 {
            server.caller(&officer).post("/v1/choices", &choice(number, "granted")).has(201);
        }
        vault.ask(&["backup", "--to", "copy"]);
        take_in(&server, &intake, 6..9);
        server.caller(&officer).post("/v1/choices", &choice(2, "withdrawn")).has(201);
        server.stop();
    }
    let certificate = erase(&vault, 1);
    vault.ask(&["credentials", "revoke", lost["id"].as_str().unwrap()]);
    let text = std::fs::read_to_string(vault.path("shop.toml")).unwrap();
    std::fs::write(
        vault.path("next.toml"),
        text.replace("90d after order.delivered", "60d after order.delivered"),
    )
    .unwrap();
    vault.ask(&["policy", "publish", "next.toml", "--yes"]);
    let before = size_of_log(&vault);

    let restored = vault.ask(&["restore", "--from", "copy", "--yes"]);
    assert!(restored["destroyed_again"].as_u64().unwrap() >= 1, "{restored}");
    assert!(restored["lost_entries"].as_u64().unwrap() > 6, "{restored}");
    assert_eq!(restored["new_generation"], false);

    let server = vault.serve();
    let mut service = server.caller(&service);
    service.post("/v1/records:reveal", &reveal(0, "account")).has(200);
    service.post("/v1/records:reveal", &reveal(7, "account")).has(404); // came after the backup
    assert_ne!(
        service.post("/v1/records:reveal", &reveal(1, "account")).status,
        200,
        "an erased person is back"
    );
    service.post("/v1/records:reveal", &reveal(0, "marketing_email")).has(200);
    service.post("/v1/records:reveal", &reveal(2, "marketing_email")).has(403); // withdrawn stays withdrawn
    server.caller(lost["credential"].as_str().unwrap()).get("/v1/policy").has(401);
    assert_eq!(server.caller(&officer).get("/v1/policy").has(200).json()["version"], 2);
    assert!(size_of_log(&vault) > before, "the ledger is the newest, and names the restore");
    take_in(&server, &intake, 6..9); // what is gone comes in again
    let body: Json = serde_json::from_str(certificate["body"].as_str().unwrap()).unwrap();
    let again = format!("/v1/subjects/{}:erase", body["subject"].as_str().unwrap());
    let again = server.caller(&officer).post(&again, &json!({})).has(200).json();
    assert_eq!(again["body"], certificate["body"], "the certificate that was given stands");
    server.stop();
    assert_eq!(vault.ask(&["ledger", "verify"])["verified"], true);
    vault.is_well();
}

#[test]
fn a_restore_that_is_cut_off_is_run_again_and_nobody_is_served_in_between() {
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    let service = vault.credential("service", &["account"]);
    {
        let server = vault.serve();
        take_in(&server, &intake, 0..200);
        vault.ask(&["backup", "--to", "copy"]);
        server.stop();
    }
    (0..5).for_each(|number| drop(erase(&vault, number)));
    let before = size_of_log(&vault);
    let (mut cut_off, mut unfinished) = (0, 0);
    for micros in (0..60_u64).map(|step| 1_000 + step * 1_500) {
        let mut command = vault.command(&["restore", "--from", "copy", "--yes"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::park_timeout(std::time::Duration::from_micros(micros));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            continue; // it was faster
        }
        cut_off += 1;
        match vault.serve_with(&[]) {
            // Either nothing had happened yet, or everything had.
            Ok(server) => {
                let mut service = server.caller(&service);
                service.post("/v1/records:reveal", &reveal(9, "account")).has(200);
                assert_ne!(service.post("/v1/records:reveal", &reveal(3, "account")).status, 200);
                server.stop();
            }
            Err(ran) => {
                ran.fails("SR-BACKUP-008");
                vault.run(&["subject", "show", "c-9"]).fails("SR-BACKUP-008");
                unfinished += 1;
            }
        }
    }
    assert!(cut_off >= 10, "a restore was cut off {cut_off} times only");
    eprintln!("a restore was cut off {cut_off} times, {unfinished} times half done");
    restore(&vault, "copy").ends(0);
    assert!(size_of_log(&vault) > before);
    let server = vault.serve();
    let mut service = server.caller(&service);
    for number in 0..5 {
        assert_ne!(
            service.post("/v1/records:reveal", &reveal(number, "account")).status,
            200,
            "an erased person is back"
        );
    }
    service.post("/v1/records:reveal", &reveal(150, "account")).has(200);
    server.stop();
    vault.is_well();
    let left: Vec<_> =
        std::fs::read_dir(vault.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("re")), "{left:?}");
}

/// The shortest moment of it: one database is aside, and the other not yet in its place.
#[test]
fn a_folder_without_a_database_in_the_midst_of_a_restore_is_not_taken_for_an_empty_one() {
    if crate::engine::only_in_a_folder("a server's rows are exchanged in one transaction") {
        return;
    }
    let vault = Vault::new();
    vault.ask(&["backup", "--to", "copy"]);
    std::fs::write(vault.data().join("restore.unfinished"), "").unwrap();
    std::fs::rename(vault.database(), vault.data().join("replaced.db")).unwrap();
    vault.serve_with(&[]).err().unwrap().fails("SR-BACKUP-008");
    vault.run(&["subject", "show", "c-9"]).fails("SR-BACKUP-008");
    let keys = vault.path("other-keys");
    let init = ["init", "--policy", "shop.toml", "--keys", keys.to_str().unwrap()];
    vault.run(&init).fails("SR-BACKUP-008");
    assert!(!keys.exists(), "nothing was made");
    restore(&vault, "copy").ends(0);
    vault.is_well();
}

#[test]
fn an_older_ledger_is_not_restored_unless_somebody_says_since_when_the_newer_is_lost() {
    let vault = Vault::new();
    let (intake, service) = (vault.credential("intake", &[]), vault.credential("service", &["account"]));
    {
        let server = vault.serve();
        take_in(&server, &intake, 0..4);
        vault.ask(&["backup", "--to", "copy"]);
        take_in(&server, &intake, 4..8);
        server.stop();
    }
    erase(&vault, 1);
    let old_head = older_head(&vault);
    std::fs::remove_dir_all(vault.data()).unwrap(); // the machine is lost; the keys folder was kept apart
    let keys = vault.keys();
    let with_keys = |more: &[&str]| {
        vault.run(&[&["restore", "--from", "copy", "--yes", "--keys", keys.to_str().unwrap()], more].concat())
    };

    with_keys(&[]).fails("SR-BACKUP-004");
    std::fs::write(vault.path("no-head"), "not a head").unwrap();
    with_keys(&["--lost-since", "no-head"]).fails("SR-BACKUP-005");
    std::fs::write(vault.path("old-head"), old_head).unwrap();
    with_keys(&["--lost-since", "old-head"]).fails("SR-BACKUP-006");

    let restored = with_keys(&["--lost-since", "keys/heads", "--json"]).ends(0).json();
    assert_eq!(restored["new_generation"], true);
    let admin = restored["admin"].as_str().unwrap();
    let verifier = restored["verifier_key"].as_str().unwrap();
    assert!(verifier.starts_with("strongroom/harbour-hill/2+"), "{verifier}");
    assert_ne!(verifier, vault.verifier);

    let server = vault.serve_with(&["--keys", keys.to_str().unwrap()]).unwrap();
    server.caller(&service).get("/v1/policy").has(401); // nobody knows which were revoked: all are
    let mut admin = server.caller(admin);
    let asked = json!({ "role": "service", "label": "after", "purposes": ["account"] });
    let service =
        admin.post("/v1/credentials", &asked).has(201).json()["credential"].as_str().unwrap().to_owned();
    let mut service = server.caller(&service);
    service.post("/v1/records:reveal", &reveal(0, "account")).has(200);
    assert_ne!(
        service.post("/v1/records:reveal", &reveal(1, "account")).status,
        200,
        "an erased person is back"
    );
    let verified = vault.ask(&["ledger", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert_eq!(verified["report"]["origin"], "strongroom/harbour-hill/2");
    server.stop();
    let looked = vault.run(&["doctor", "--deep", "--keys", keys.to_str().unwrap()]);
    assert_eq!(looked.code, 0, "{}{}", looked.out, looked.err);
}

/// A head that was signed before the last one: the backup's own.
fn older_head(vault: &Vault) -> String {
    let heads: Json = serde_json::from_slice(&std::fs::read(vault.path("copy/heads")).unwrap()).unwrap();
    heads[0]["note"].as_str().unwrap().to_owned()
}

#[test]
fn a_changed_backup_is_refused_and_nothing_is_touched() {
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    {
        let server = vault.serve();
        take_in(&server, &intake, 0..3);
        vault.ask(&["backup", "--to", "copy"]);
        server.stop();
    }
    let before = read_rows(&vault.database());
    let database = vault.path("copy/strongroom.db");
    let whole = std::fs::read(&database).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for changed in [&flipped[..], &whole[..whole.len() / 2], &[]] {
        std::fs::write(&database, changed).unwrap();
        restore(&vault, "copy").fails("SR-BACKUP-003");
    }
    std::fs::remove_file(&database).unwrap();
    restore(&vault, "copy").fails("SR-BACKUP-003");
    std::fs::write(&database, &whole).unwrap();

    let manifest = vault.path("copy/manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    for changed in ["", "{}", &text.replace("backup/1", "backup/9"), &text.replace("\"logs\"", "\"more\"")] {
        std::fs::write(&manifest, changed).unwrap();
        restore(&vault, "copy").fails("SR-BACKUP-001");
    }
    std::fs::remove_file(&manifest).unwrap();
    restore(&vault, "copy").fails("SR-BACKUP-001"); // a backup that was cut off has no manifest
    restore(&vault, "nowhere").fails("SR-BACKUP-001");
    assert!(read_rows(&vault.database()) == before, "the vault is not as it was");
    std::fs::write(&manifest, &text).unwrap();
    restore(&vault, "copy").ends(0);
    vault.is_well();
}

#[test]
fn a_backup_of_an_ended_epoch_opens_for_nobody_and_restoring_it_leaves_the_vault_as_it_was() {
    let vault = Vault::new();
    let (intake, service) = (vault.credential("intake", &[]), vault.credential("service", &["account"]));
    let server = vault.serve();
    take_in(&server, &intake, 0..3);
    vault.ask(&["backup", "--to", "dark"]);
    vault.ask(&["keys", "rotate", "--yes"]);
    server.stop();
    restore(&vault, "dark").fails("SR-SEAL-004");
    let server = vault.serve();
    server.caller(&service).post("/v1/records:reveal", &reveal(2, "account")).has(200);
    server.stop();
    vault.is_well();
}

#[test]
fn a_restore_waits_until_the_server_is_stopped_and_asks_before_it_acts() {
    let vault = Vault::new();
    let server = vault.serve();
    vault.ask(&["backup", "--to", "copy"]);
    restore(&vault, "copy").fails("SR-STORE-003");
    server.stop();
    vault.run(&["restore", "--from", "copy"]).fails("SR-CLI-005");
    restore(&vault, "copy").ends(0);
}

#[test]
fn a_backup_lies_neither_beside_the_keys_nor_in_the_data_folder() {
    let vault = Vault::new();
    std::os::unix::fs::symlink(vault.keys(), vault.path("link")).unwrap();
    for place in ["keys/copy", "keys", "vault/copy", "vault/../keys/copy", "link/copy", "other/../vault/copy"]
    {
        vault.run(&["backup", "--to", place]).fails("SR-BACKUP-007");
    }
    std::fs::create_dir(vault.path("full")).unwrap();
    std::fs::write(vault.path("full/letter"), "mine").unwrap();
    vault.run(&["backup", "--to", "full"]).fails("SR-BACKUP-002");
    assert_eq!(std::fs::read_to_string(vault.path("full/letter")).unwrap(), "mine");
    // The new folder may have a name with anything in it, and a path with `..`.
    std::fs::create_dir(vault.path("other")).unwrap();
    for place in ["other/../a copy & more?to=/etc#x", "海港 %2e%2e"] {
        vault.ask(&["backup", "--to", place]);
        assert!(vault.path(place).join("manifest.json").exists(), "{place}");
        restore(&vault, place).ends(0);
    }
}

#[test]
fn a_backup_is_its_owners_alone_and_holds_no_key_that_opens_it() {
    use std::os::unix::fs::PermissionsExt;
    let vault = Vault::new();
    vault.ask(&["backup", "--to", "copy"]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&vault.path("copy")), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(vault.path("copy")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["erased.log", "heads", "manifest.json", "strongroom.db"]);
}

#[test]
fn an_old_copy_of_the_data_folder_put_in_place_is_refused() {
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    {
        let server = vault.serve();
        take_in(&server, &intake, 0..3);
        server.stop();
    }
    copy_folder(&vault.data(), &vault.path("old"));
    let old = read_rows(&vault.database());
    erase(&vault, 1);
    std::fs::remove_dir_all(vault.data()).unwrap();
    std::fs::rename(vault.path("old"), vault.data()).unwrap();
    write_rows(&vault.database(), &old);
    vault.serve_with(&[]).unwrap_err().fails("SR-ACCOUNT-001");
    // Even with the heads of then in the keys folder, the list of destroyed keys knows.
    std::fs::write(vault.keys().join("heads"), "").unwrap();
    vault.serve_with(&[]).unwrap_err().fails("SR-OPEN-002");
}

#[test]
fn a_certificate_outlives_the_log_in_which_it_was_entered() {
    if crate::engine::only_in_a_folder("the data folder that is lost here has no rows in it") {
        return;
    }
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    {
        let server = vault.serve();
        take_in(&server, &intake, 0..4);
        server.stop();
    }
    let first = erase(&vault, 1);
    vault.ask(&["backup", "--to", "copy"]);
    {
        let server = vault.serve();
        take_in(&server, &intake, 4..8);
        server.stop();
    }
    std::fs::remove_dir_all(vault.data()).unwrap();
    let keys = vault.keys();
    let keys = keys.to_str().unwrap();
    let restore =
        ["restore", "--from", "copy", "--yes", "--keys", keys, "--lost-since", "keys/heads", "--json"];
    let restored = vault.run(&restore).ends(0).json();
    assert_eq!(restored["new_generation"], true);

    let server = vault.serve_with(&["--keys", keys]).unwrap();
    let mut admin = server.caller(restored["admin"].as_str().unwrap());
    let asked = json!({ "role": "officer", "label": "after", "purposes": [] });
    let officer =
        admin.post("/v1/credentials", &asked).has(201).json()["credential"].as_str().unwrap().to_owned();
    let body: Json = serde_json::from_str(first["body"].as_str().unwrap()).unwrap();
    let path = format!("/v1/subjects/{}:erase", body["subject"].as_str().unwrap());
    let again = server.caller(&officer).post(&path, &json!({})).has(200).json();
    server.stop();
    assert_eq!(again["body"], first["body"]);
    for part in ["entry_index", "entry", "salt", "opening"] {
        assert_eq!(again["receipt"][part], first["receipt"][part], "{part}");
    }
    // It is proved by the log that ended, under its own key.
    let receipt = ledger::receipt::Receipt::from_json(&again["receipt"].to_string()).unwrap();
    let verifier = vault.verifier.parse::<ledger::note::Verifier>().unwrap();
    receipt.verify(&verifier, "strongroom/harbour-hill").unwrap();
    let looked = vault.run(&["doctor", "--deep", "--keys", keys]);
    assert_eq!(looked.code, 0, "{}{}", looked.out, looked.err);

    // The shop's row as it was before, which is good by itself, would write into the log that ended.
    let copy = vault.path("copy/strongroom.db");
    vault.tamper(|connection| {
        connection.execute("ATTACH $1 AS was", [copy.to_str().unwrap()]).unwrap();
        connection
            .execute_batch("DELETE FROM main.shop; INSERT INTO main.shop SELECT * FROM was.shop;")
            .unwrap();
    });
    vault.run(&["policy", "show", "--keys", keys]).fails("SR-KEEP-004");
}
