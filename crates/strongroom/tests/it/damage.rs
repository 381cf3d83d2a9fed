//! What is wrong is named: keys, rows, logs, disks.

#![cfg(test)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value as Json, json};
use strongroom::caretaker::Caretaker;
use strongroom::ground::clock::{Clock, DAY, MachineClock, SetClock};
use strongroom::ground::keys_folder::{LockSource, UNLOCK};
use strongroom::open::{self, Places};

use crate::engine::{read_rows, write_rows};
use crate::vault::{Ran, Vault, choice, customer, order, reveal};

/// A stopped vault with some customers in it, and how it was.
struct Scene {
    vault: Vault,
    officer: String,
    service: String,
    intake: String,
    database: Vec<u8>,
    keys: Vec<(PathBuf, Vec<u8>)>,
}

/// Customers of a scene.
const CUSTOMERS: u64 = 4;

impl Scene {
    fn new() -> Scene {
        let vault = Vault::new();
        let (officer, intake) = (vault.credential("officer", &[]), vault.credential("intake", &[]));
        let service = vault.credential("service", &["account", "after_sales", "marketing_email"]);
        let server = vault.serve();
        for number in 0..CUSTOMERS {
            server.caller(&intake).post("/v1/records", &customer(number)).has(201);
            server.caller(&intake).post("/v1/records", &order(number)).has(201);
            server.caller(&officer).post("/v1/choices", &choice(number, "granted")).has(201);
        }
        server.stop();
        let mut scene = Scene { vault, officer, service, intake, database: Vec::new(), keys: Vec::new() };
        scene.keep();
        scene
    }

    /// From now on this is how it was.
    fn keep(&mut self) {
        self.vault.is_well();
        self.database = read_rows(&self.vault.database());
        let files = std::fs::read_dir(self.vault.keys()).unwrap().map(|entry| entry.unwrap().path());
        self.keys = files.map(|file| (file.clone(), std::fs::read(&file).unwrap())).collect();
    }

    /// Puts everything back.
    fn back(&self) {
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(self.vault.data().join(format!("strongroom.db{suffix}")));
        }
        write_rows(&self.vault.database(), &self.database);
        for (file, bytes) in &self.keys {
            write_private(file, bytes);
        }
    }

    /// What the vault says to an act behind its back: that it does not start, and why; or the codes that the deep look names.
    fn verdict(&self, act: impl FnOnce(&Connection)) -> Vec<String> {
        self.back();
        self.vault.tamper(act);
        self.look()
    }

    fn look(&self) -> Vec<String> {
        let looked = self.vault.run(&["doctor", "--deep", "--json"]);
        if looked.out.is_empty() {
            // Before the problem, the house may have logged that something behind the scenes met it, too.
            let problem: Json = serde_json::from_str(looked.err.lines().last().unwrap()).unwrap();
            return vec![format!("start {}", problem["code"].as_str().unwrap())];
        }
        let looks = looked.json();
        let wrong = looks.as_array().unwrap().iter().filter(|look| look["well"] == false);
        let wrong: Vec<String> = wrong.map(|look| look["what"].as_str().unwrap().to_owned()).collect();
        assert_eq!(looked.code, if wrong.is_empty() { 0 } else { 4 });
        wrong
    }

    /// It is named, and by this code.
    #[track_caller]
    fn names(&self, what: &str, code: &str, act: impl FnOnce(&Connection)) {
        let verdict = self.verdict(act);
        assert!(verdict.iter().any(|said| said == code), "{what}: wanted {code}, found {verdict:?}");
    }

    /// What a reveal of a customer answers: the status, and the code of its problem.
    fn reveals(&self, number: u64, purpose: &str) -> (u16, String) {
        let server = self.vault.serve();
        let answer = server.caller(&self.service).post("/v1/records:reveal", &reveal(number, purpose));
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        server.stop();
        (answer.status, code)
    }
}

fn write_private(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

fn run(connection: &Connection, sql: &str) {
    let changed = connection.execute(sql, []).unwrap();
    assert!(changed > 0, "the act changed nothing: {sql}");
}

/// Flips one bit in the middle of a column of the first row that holds it.
fn flip(connection: &Connection, table: &str, column: &str) {
    let whole: Vec<u8> =
        connection.query_row(&format!("SELECT {column} FROM {table} LIMIT 1"), [], |row| row.get(0)).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let changed = connection
        .execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {column} = ?2"), (flipped, whole));
    assert!(changed.unwrap() > 0);
}

/// The rows of one kind of record: (id, version, clear, sealed). Orders are longer than customers.
fn records(connection: &Connection) -> Vec<(i64, i64, Vec<u8>, Vec<u8>)> {
    let mut statement =
        connection.prepare("SELECT id, version, clear, sealed FROM record ORDER BY id").unwrap();
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Where each field stands in an envelope. SOURCE: docs/spec/seal.md, "Envelope".
fn fields_of(sealed: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut position = 4 + 32;
    let groups = sealed[position];
    position += 1;
    for _ in 0..groups {
        position += 1 + 16 + 16 + 32;
        position += 1 + usize::from(sealed[position]);
    }
    let mut fields = Vec::new();
    while position < sealed.len() {
        assert!(sealed[position] < 0x80, "the values here are short");
        let end = position + 1 + usize::from(sealed[position]);
        fields.push(position..end);
        position = end;
    }
    assert_eq!(position, sealed.len());
    fields
}

// ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn wrong_missing_and_broken_key_files_are_refused_at_the_start_with_a_code() {
    let scene = Scene::new();
    let key = |name: &str| scene.vault.keys().join(name);
    let refused = |act: &dyn Fn(), code: &str, what: &str| {
        scene.back();
        act();
        let ran = scene.vault.serve_with(&[]).unwrap_err();
        assert!(ran.err.contains(&format!("error[{code}]")), "{what}: {}", ran.err);
        ran.fails(code);
        scene.vault.run(&["ledger", "verify"]).fails(code);
    };
    for name in ["keyring", "unlock.key", "erased.log", "heads"] {
        refused(&|| std::fs::remove_file(key(name)).unwrap(), "SR-KEYS-002", name);
    }
    refused(&|| write_private(&key("unlock.key"), &[7; 32]), "SR-SEAL-011", "another key");
    let keyring = std::fs::read(key("keyring")).unwrap();
    for length in [0, 1, 40] {
        refused(&|| write_private(&key("keyring"), &keyring[..length]), "SR-SEAL-009", "a keyring cut short");
    }
    let long = [&keyring[..], b"more"].concat();
    scene.back();
    write_private(&key("keyring"), &long);
    assert!(scene.vault.serve_with(&[]).unwrap_err().err.contains("error[SR-SEAL-0"));
    for length in [keyring.len() / 2, keyring.len() - 1] {
        scene.back();
        write_private(&key("keyring"), &keyring[..length]);
        let ran = scene.vault.serve_with(&[]).unwrap_err();
        assert!(
            ran.err.contains("error[SR-SEAL-009]") || ran.err.contains("error[SR-SEAL-011]"),
            "cut at {length}: {}",
            ran.err
        );
    }
    for position in (0..keyring.len()).step_by(17) {
        scene.back();
        let mut flipped = keyring.clone();
        flipped[position] ^= 4;
        write_private(&key("keyring"), &flipped);
        let ran = scene.vault.serve_with(&[]).unwrap_err();
        assert!(ran.err.contains("error[SR-SEAL-0"), "a flipped bit at {position}: {}", ran.err);
    }
    refused(&|| write_private(&key("heads"), b"[{]"), "SR-ACCOUNT-003", "heads that are no heads");
    scene.back();
    let heads = String::from_utf8(std::fs::read(key("heads")).unwrap()).unwrap();
    let signature = heads.rfind("\\n\"").unwrap() - 9;
    let mut forged = heads.clone().into_bytes();
    forged[signature] = if forged[signature] == b'A' { b'B' } else { b'A' };
    refused(&|| write_private(&key("heads"), &forged), "SR-ACCOUNT-002", "a head that nobody signed");
    scene.back();
    scene.vault.is_well();
}

#[test]
fn a_list_of_destroyed_keys_that_was_edited_is_refused() {
    let mut scene = Scene::new();
    for number in 0..3 {
        scene.vault.ask(&["erase", &format!("c-{number}"), "--yes"]);
    }
    scene.keep();
    let list = scene.vault.keys().join("erased.log");
    let text = std::fs::read_to_string(&list).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() >= 3);
    for (what, edited) in [
        ("a line taken out", [&lines[..1], &lines[2..]].concat().join("\n") + "\n"),
        ("two lines exchanged", [&[lines[1], lines[0]], &lines[2..]].concat().join("\n") + "\n"),
        ("a line edited", text.replacen('1', "2", 1)),
        ("a line of somebody's own", format!("{text}{}\n", lines[0])),
    ] {
        scene.back();
        write_private(&list, edited.as_bytes());
        let ran = scene.vault.serve_with(&[]).unwrap_err();
        assert!(ran.err.contains("error[SR-SEAL-0"), "{what}: {}", ran.err);
    }
    // A line cut short by a crash was never answered for: it is cut off, and the database names the key again.
    scene.back();
    write_private(&list, &text.as_bytes()[..text.len() - 5]);
    scene.vault.is_well();
    assert_eq!(std::fs::read_to_string(&list).unwrap().lines().count(), lines.len());
}

// ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_ciphertext_that_was_moved_or_edited_is_noticed_and_named() {
    let scene = Scene::new();
    let rows = scene.vault.database();
    let rows = records(&crate::vault::behind_the_back(rows).unwrap());
    let set = |connection: &Connection, id: i64, column: &str, bytes: &[u8]| {
        let sql = format!("UPDATE record SET {column} = ?1 WHERE id = ?2");
        assert_eq!(connection.execute(&sql, (bytes, id)).unwrap(), 1);
    };
    // Whole envelopes exchanged: between two customers, and between a customer and their order.
    for (one, other) in [(0, 2), (0, 1)] {
        scene.names("envelopes exchanged", "SR-DEEP-009", |connection| {
            set(connection, rows[one].0, "sealed", &rows[other].3);
            set(connection, rows[other].0, "sealed", &rows[one].3);
        });
    }
    scene.names("a whole row in another's place", "SR-DEEP-009", |connection| {
        set(connection, rows[0].0, "sealed", &rows[2].3);
        set(connection, rows[0].0, "clear", &rows[2].2);
    });
    let server = scene.vault.serve();
    let shown = server.caller(&scene.service).post("/v1/records:reveal", &reveal(0, "account")).text();
    assert!(!shown.contains("Customer"), "another's data is not shown: {shown}");
    server.stop();
    // Two fields of one order exchanged inside their envelope, and any byte of it flipped.
    let (id, _, _, sealed) = &rows[1];
    let fields = fields_of(sealed);
    assert!(fields.len() > 4, "{fields:?}");
    scene.names("fields exchanged", "SR-DEEP-009", |connection| {
        let (one, two) = (fields[1].clone(), fields[2].clone());
        let exchanged =
            [&sealed[..one.start], &sealed[two.clone()], &sealed[one], &sealed[two.end..]].concat();
        assert_eq!(exchanged.len(), sealed.len());
        set(connection, *id, "sealed", &exchanged);
    });
    for position in (0..sealed.len()).step_by(sealed.len() / 24) {
        let verdict = scene.verdict(|connection| {
            let mut flipped = sealed.clone();
            flipped[position] ^= 0x10;
            set(connection, *id, "sealed", &flipped);
        });
        assert!(verdict.iter().any(|code| code.starts_with("SR-DEEP-00")), "byte {position}: {verdict:?}");
    }
    scene.names("an envelope cut short", "SR-DEEP-008", |connection| {
        set(connection, *id, "sealed", &sealed[..20]);
    });
}

#[test]
fn clear_columns_that_were_edited_are_noticed_and_named() {
    let scene = Scene::new();
    let flips = |table: &'static str, column: &'static str| {
        move |connection: &Connection| flip(connection, table, column)
    };
    scene.names("events of a record", "SR-DEEP-009", flips("record", "clear"));
    scene.names("a record's version", "SR-DEEP-009", |db| {
        run(db, "UPDATE record SET version = version + 1 WHERE rowid = (SELECT min(rowid) FROM record)");
    });
    scene.names("a subject's keys", "SR-DEEP-005", flips("subject", "keys"));
    scene.names("a subject's standing", "SR-DEEP-005", |db| run(db, "UPDATE subject SET standing = 1"));
    scene.names("whose law is a subject's", "SR-DEEP-005", |db| run(db, "UPDATE subject SET home = 'us-ca'"));
    scene.names("a subject's age", "SR-DEEP-005", |db| run(db, "UPDATE subject SET age = 2"));
    scene.names("since when a subject is known", "SR-DEEP-005", |db| {
        run(db, "UPDATE subject SET since = since - 1");
    });
    scene.names("what a subject granted", "SR-DEEP-004", |db| {
        run(db, "UPDATE choice_standing SET granted = refused, refused = granted");
    });
    assert_eq!(scene.reveals(1, "marketing_email"), (500, "SR-KEEP-004".to_owned()));
    for (what, act) in [
        ("a term's end", "UPDATE term SET ends_at = ends_at + 1000000 WHERE ends_at < 9000000000000000000"),
        ("a credential that was revoked", "UPDATE credential SET revoked_at = 5"),
        ("a credential's role", "UPDATE credential SET role = 5"),
        ("a credential's own limit", "UPDATE credential SET per_hour = 9, per_day = 9"),
        ("a credential that was frozen", "UPDATE credential SET frozen_at = 5"),
        ("why a credential was frozen", "UPDATE credential SET said = 'other'"),
        (
            "a credential's purposes",
            "UPDATE credential SET purposes = zeroblob(length(purposes)) WHERE role = 2",
        ),
    ] {
        scene.names(what, "start SR-KEEP-004", |db| run(db, act));
    }
    let verdict = scene.verdict(|db| flip(db, "shop_key", "wrapped"));
    assert!(verdict[0].starts_with("start SR-SEAL-"), "{verdict:?}");
    scene.names("another generation", "start SR-KEEP-004", |db| run(db, "UPDATE shop SET generation = 2"));
    scene.names("a shop's name", "start SR-KEEP-004", |db| run(db, "UPDATE shop SET name = 'other'"));
}

#[test]
fn a_policy_that_was_edited_behind_the_gate_is_noticed() {
    let scene = Scene::new();
    for (what, act) in [
        (
            "its text",
            "UPDATE policy SET text = replace(text, '30d after customer.closed', '3000d after customer.closed')",
        ),
        (
            "its text and digest",
            "UPDATE policy SET text = replace(text, '\"after_sales\"]', '\"after_sales\", \"tax\"]'), digest = zeroblob(32)",
        ),
        ("its names", "UPDATE policy SET registry = replace(registry, 'marketing_email', 'markering_email')"),
        ("what it made void", "UPDATE policy SET voids = CAST(zeroblob(31) || x'01' AS BLOB)"),
        ("when it was published", "UPDATE policy SET at = at - 1"),
    ] {
        let verdict = scene.verdict(|db| run(db, act));
        assert!(verdict.first().is_some_and(|code| code.starts_with("start SR-")), "{what}: {verdict:?}");
    }
}

#[test]
fn an_old_row_put_back_is_noticed_and_named() {
    let mut scene = Scene::new();
    let before = records(&crate::vault::behind_the_back(scene.vault.database()).unwrap());
    let standings = cells(&scene.vault, "choice_standing");
    let server = scene.vault.serve();
    let changed = json!({ "kind": "customer", "external_id": "c-1", "fields": { "name": "Another Name" } });
    server.caller(&scene.intake).post("/v1/records", &changed).has(200);
    server.caller(&scene.officer).post("/v1/choices", &choice(1, "withdrawn")).has(201);
    server.stop();
    scene.keep();
    let after = records(&crate::vault::behind_the_back(scene.vault.database()).unwrap());
    let (old, _) = before.iter().zip(&after).find(|(old, new)| old != new).expect("a record changed");
    scene.names("an older version of a record", "SR-DEEP-010", |connection| {
        let sql = "UPDATE record SET version = ?2, clear = ?3, sealed = ?4 WHERE id = ?1";
        assert_eq!(connection.execute(sql, (old.0, old.1, &old.2, &old.3)).unwrap(), 1);
    });
    scene.names("a withdrawn choice as it was before", "SR-DEEP-014", |connection| {
        put_cells(connection, "choice_standing", &standings);
        run(connection, "DELETE FROM choice WHERE said = 3");
    });
    scene.names("what was chosen taken away", "SR-DEEP-014", |connection| {
        run(connection, "DELETE FROM choice_standing");
    });
    scene.names("a record taken away", "SR-DEEP-012", |connection| {
        run(connection, "DELETE FROM record WHERE rowid = (SELECT min(rowid) FROM record)");
    });
    scene.names("a subject taken away", "SR-DEEP-007", |connection| {
        run(connection, "DELETE FROM subject WHERE rowid = (SELECT min(rowid) FROM subject)");
    });
    // A person who was erased, put back with everything that they had.
    let subjects = cells(&scene.vault, "subject");
    scene.back();
    scene.vault.ask(&["erase", "c-2", "--yes"]);
    scene.keep();
    scene.names("an erased person", "SR-DEEP-017", |connection| put_cells(connection, "subject", &subjects));
    scene.names("the name of a destroyed key", "start SR-OPEN-002", |connection| {
        run(connection, "DELETE FROM destroyed");
    });
}

fn cells(vault: &Vault, table: &str) -> Vec<Vec<Cell>> {
    cells_of(&crate::vault::behind_the_back(vault.database()).unwrap(), &format!("SELECT * FROM {table}"))
}

fn put_cells(connection: &Connection, table: &str, rows: &[Vec<Cell>]) {
    for row in rows {
        let places = vec!["?"; row.len()].join(", ");
        connection
            .execute(
                &format!("INSERT OR REPLACE INTO {table} VALUES ({places})"),
                rusqlite::params_from_iter(row),
            )
            .unwrap();
    }
}

#[test]
fn a_lookup_that_leads_to_somebody_else_shows_nobody_else() {
    let scene = Scene::new();
    let verdict = scene.verdict(|connection| {
        // Every external id and every value leads to the same customer now.
        run(connection, "UPDATE lookup SET record = (SELECT min(record) FROM lookup)");
    });
    assert!(verdict.iter().any(|code| code == "SR-DEEP-018"), "{verdict:?}");
    let server = scene.vault.serve();
    let mut service = server.caller(&scene.service);
    let mut shown = 0;
    for number in 0..CUSTOMERS {
        let answer = service.post("/v1/records:reveal", &reveal(number, "account"));
        if answer.status == 200 {
            shown += 1;
            assert!(answer.text().contains(&format!("\"Customer {number}\"")), "{}", answer.text());
        }
    }
    assert_eq!(shown, 1, "the customer to whom it led is shown under their own id");
    server.stop();
    scene.names("a lookup taken away", "SR-DEEP-018", |connection| {
        run(connection, "DELETE FROM lookup WHERE record = (SELECT min(record) FROM lookup)");
    });
}

// ── The ledger ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_edited_entry_a_removed_one_and_a_shortened_log_are_noticed_and_named() {
    let scene = Scene::new();
    let wrong = |what: &str, act: &dyn Fn(&Connection)| {
        let verdict = scene.verdict(act);
        let named = verdict.iter().any(|code| code == "ledger" || code.starts_with("start SR-"));
        assert!(named, "{what}: {verdict:?}");
        let verified = scene.vault.run(&["ledger", "verify"]);
        assert!(matches!(verified.code, 1 | 4), "{what}: {}", verified.out);
    };
    wrong("an entry edited", &|db| flip(db, "leaf", "packed"));
    wrong("an entry removed", &|db| {
        run(
            db,
            "DELETE FROM leaf WHERE id = (SELECT max(id) FROM leaf WHERE id < (SELECT max(id) FROM leaf))",
        );
    });
    wrong("the last entry removed", &|db| run(db, "DELETE FROM leaf WHERE id = (SELECT max(id) FROM leaf)"));
    wrong("two entries exchanged", &|db| {
        let rows = cells_of(db, "SELECT id, packed FROM leaf ORDER BY id LIMIT 2");
        for (one, other) in [(0, 1), (1, 0)] {
            db.execute("UPDATE leaf SET packed = ?1 WHERE id = ?2", (&rows[one][1], &rows[other][0]))
                .unwrap();
        }
    });
    wrong("the head says less", &|db| run(db, "UPDATE log_head SET size = size - 1"));
    wrong("the head says another root", &|db| flip(db, "log_head", "root"));
    wrong("no head", &|db| run(db, "DELETE FROM log_head"));
    wrong("the whole log gone", &|db| {
        run(db, "DELETE FROM leaf");
        run(db, "DELETE FROM log_head");
    });
    // Shortened by somebody who knows how: the last entry gone, size and root as they were before it.
    let server = {
        scene.back();
        scene.vault.serve()
    };
    let head = |db: &Connection| cells_of(db, "SELECT size, root FROM log_head")[0].clone();
    let before = head(&crate::vault::behind_the_back(scene.vault.database()).unwrap());
    server.caller(&scene.intake).post("/v1/records", &customer(77)).has(201);
    server.stop();
    scene.vault.tamper(|db| {
        db.execute("UPDATE log_head SET size = ?1, root = ?2", rusqlite::params_from_iter(&before)).unwrap();
        let Cell::Integer(size) = before[0] else { panic!("a size is a number") };
        run(db, &format!("DELETE FROM leaf WHERE id & ((1 << 40) - 1) >= {size}"));
    });
    scene.vault.serve_with(&[]).unwrap_err().fails("SR-ACCOUNT-001");
}

fn cells_of(connection: &Connection, sql: &str) -> Vec<Vec<Cell>> {
    read_cells(connection, sql).unwrap()
}

fn read_cells(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<Vec<Cell>>> {
    let mut statement = connection.prepare(sql)?;
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|column| row.get(column)).collect())?;
    rows.collect()
}

#[test]
fn an_old_database_put_back_is_refused() {
    let scene = Scene::new();
    scene.vault.ask(&["erase", "c-0", "--yes"]);
    write_rows(&scene.vault.database(), &scene.database);
    scene.vault.serve_with(&[]).unwrap_err().fails("SR-ACCOUNT-001");
    // Of another vault altogether.
    let other = Scene::new();
    write_rows(&scene.vault.database(), &other.database);
    let ran = scene.vault.serve_with(&[]).unwrap_err();
    assert!(ran.err.contains("error[SR-SEAL-"), "{}", ran.err);
}

#[test]
fn a_flipped_bit_anywhere_in_the_file_is_noticed_or_changes_nothing() {
    if crate::engine::only_in_a_folder("the file of the database is not a server's") {
        return;
    }
    let scene = Scene::new();
    let tables: Vec<String> = {
        let connection = crate::vault::behind_the_back(scene.vault.database()).unwrap();
        let names = cells_of(&connection, "SELECT name FROM sqlite_master WHERE type = 'table'");
        names
            .into_iter()
            .map(|row| if let Cell::Text(name) = &row[0] { name.clone() } else { panic!() })
            .collect()
    };
    let content = |vault: &Vault| -> rusqlite::Result<Vec<Vec<Vec<Cell>>>> {
        let connection = crate::vault::behind_the_back(vault.database())?;
        tables.iter().map(|table| read_cells(&connection, &format!("SELECT * FROM {table}"))).collect()
    };
    scene.back();
    let whole = content(&scene.vault).unwrap();
    let (mut noticed, mut harmless) = (0, 0);
    let mut missed = Vec::new();
    // A stride that meets every page at other places.
    for position in (0..scene.database.len()).step_by(1_511) {
        scene.back();
        let mut flipped = scene.database.clone();
        flipped[position] ^= 1 << (position % 8);
        write_private(&scene.vault.database(), &flipped);
        let same = content(&scene.vault).is_ok_and(|content| content == whole);
        scene.back();
        write_private(&scene.vault.database(), &flipped);
        if !scene.look().is_empty() {
            noticed += 1;
        } else if same {
            harmless += 1; // in a page's empty space
        } else {
            missed.push(position);
        }
    }
    eprintln!("{noticed} flipped bits noticed, {harmless} where nothing is kept, missed: {missed:?}");
    assert!(noticed > 5 && missed.is_empty(), "{missed:?}");
}

// ── Disks ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A small disk of its own, for as long as it lives. `None` where nobody may mount.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, kib: u32) -> Option<Disk> {
        std::fs::create_dir_all(at).unwrap();
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k,mode=0700"), "strongroom-tests"])
            .arg(at)
            .stderr(Stdio::null());
        let mounted = command.status().is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("SKIPPED: mounting a small disk takes root");
        }
        mounted.then(|| Disk(at.to_path_buf()))
    }

    fn remount(&self, how: &str) {
        assert!(
            Command::new("mount")
                .args(["-o", &format!("remount,{how}")])
                .arg(&self.0)
                .status()
                .unwrap()
                .success()
        );
    }

    /// Fills what is left, to the last page.
    fn fill(&self) -> PathBuf {
        let filler = self.0.join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        for size in [64 << 10, 4 << 10] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        filler
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_refused_with_a_code_and_when_there_is_room_again_everything_goes_on_by_itself() {
    let vault = Vault::bare();
    let Some(disk) = Disk::mount(&vault.data(), 6 << 10) else { return };
    vault.run(&["init", "--policy", "shop.toml", "--keys", "keys"]).ends(0);
    let intake = vault.credential("intake", &[]);
    let service = vault.credential("service", &["account"]);
    let server = vault.serve();
    let mut intake = server.caller(&intake);
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut write = |number: u64, acknowledged: &mut Vec<u64>| {
        let answer = intake.post("/v1/records", &customer(number));
        if answer.status == 201 {
            acknowledged.push(number);
        }
        answer
    };
    (0..20).for_each(|number| drop(write(number, &mut acknowledged).has(201)));
    for round in 1..=2_u64 {
        let filler = disk.fill();
        // What is still allotted in the WAL is used up first.
        let full = (0..5_000)
            .map(|number| write(round * 10_000 + number, &mut acknowledged))
            .find(|answer| answer.status != 201);
        let full = full.expect("a disk of 6 MiB is full at some time").has(507).json();
        assert_eq!(full["code"], "SR-STORE-004", "{full}");
        let health = server.caller("").get("/health/ready").json();
        assert!(health["attention"].as_array().unwrap().contains(&json!("disk_full")), "{health}");
        // A look into sealed data is not given without its entry.
        let mut service = server.caller(&service);
        let looks: Vec<_> =
            (0..200).map(|_| service.post("/v1/records:reveal", &reveal(3, "account"))).collect();
        assert!(
            looks.iter().any(|look| look.status == 507),
            "{:?}",
            looks.iter().map(|look| look.status).collect::<Vec<_>>()
        );
        for look in looks.iter().filter(|look| look.status != 200) {
            assert_eq!(look.status, 507, "{}", look.text());
            assert!(!look.text().contains("Customer"));
        }
        server.caller("").get("/health/live").has(200);
        std::fs::remove_file(filler).unwrap();
        (1..=20).for_each(|number| drop(write(round * 100_000 + number, &mut acknowledged).has(201)));
        assert_eq!(server.caller("").get("/health/ready").json()["status"], "ok");
    }
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
    let server = vault.serve();
    let mut service = server.caller(&service);
    for number in &acknowledged {
        service.post("/v1/records:reveal", &reveal(*number, "account")).has(200);
    }
    server.stop();
    eprintln!("filled twice: {} customers acknowledged and there", acknowledged.len());
    vault.is_well();
}

#[test]
fn nobody_is_told_that_a_key_is_destroyed_while_its_list_cannot_be_written() {
    let vault = Vault::bare();
    let Some(disk) = Disk::mount(&vault.keys(), 64) else { return };
    vault.run(&["init", "--policy", "shop.toml", "--keys", "keys"]).ends(0);
    let (intake, officer) = (vault.credential("intake", &[]), vault.credential("officer", &[]));
    let server = vault.serve();
    let mut subjects = Vec::new();
    for number in 0..80 {
        let made = server.caller(&intake).post("/v1/records", &customer(number)).has(201).json();
        subjects.push(made["subject"].as_str().unwrap().to_owned());
    }
    let filler = disk.fill();
    let mut officer = server.caller(&officer);
    let mut erase = |subject: &String| officer.post(&format!("/v1/subjects/{subject}:erase"), &json!({}));
    // The list's last page has room for some lines.
    let refused = subjects
        .iter()
        .find(|subject| erase(subject).status != 200)
        .expect("the list's page is full at some time");
    for _ in 0..3 {
        let answer = erase(refused).has(503).json();
        assert_eq!(answer["code"], "SR-STORE-015");
    }
    let health = server.caller("").get("/health/ready").json();
    assert!(health["attention"].as_array().unwrap().contains(&json!("destroyed_keys_unlisted")), "{health}");
    std::fs::remove_file(filler).unwrap();
    let certificate = erase(refused).has(200).json();
    let body: Json = serde_json::from_str(certificate["body"].as_str().unwrap()).unwrap();
    let key = body["destroyed_keys"][0].as_str().unwrap();
    let list = std::fs::read_to_string(vault.keys().join("erased.log")).unwrap();
    assert_eq!(list.matches(key).count(), 1, "the key is in the list, once");
    server.stop();
    vault.is_well();
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_at_the_start() {
    let vault = Vault::bare();
    let Some(disk) = Disk::mount(&vault.data(), 4 << 10) else { return };
    vault.run(&["init", "--policy", "shop.toml", "--keys", "keys"]).ends(0);
    disk.remount("ro");
    vault.serve_with(&[]).unwrap_err().fails("SR-STORE-005");
    vault.run(&["subject", "show", "x"]).fails("SR-STORE-005");
    disk.remount("rw");
    vault.is_well();
}

#[test]
fn too_few_file_handles_are_refused_with_a_code_or_serve_again_when_some_are_free() {
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    let mut served = 0;
    let mut number = 0;
    // With a few more than it needs, callers run out of them.
    for handles in [6, 20, 63, 64, 70] {
        let server = match vault.serve_with_handles(handles) {
            Ok(server) => server,
            Err(ran) => {
                ran.fails("SR-OPEN-006");
                assert!(handles < 64);
                continue;
            }
        };
        served += 1;
        // More callers than it can take: they wait, or are turned away; nobody is answered wrongly.
        let idle: Vec<_> = (0..100).filter_map(|_| std::net::TcpStream::connect(server.api).ok()).collect();
        drop(idle);
        for _ in 0..3 {
            number += 1;
            server.caller(&intake).post("/v1/records", &customer(number)).has(201);
        }
        server.caller("").get("/health/live").has(200);
        let (status, said) = server.stop();
        assert!(status.success() && !said.contains("panicked"), "{handles}: {said}");
    }
    assert_eq!(served, 2);
    vault.is_well();
}

// ── Clocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

fn places(vault: &Vault) -> Places {
    let lock = LockSource::KeyFile(vault.keys().join(UNLOCK));
    Places {
        data: vault.data(),
        rows: vault.rows(),
        keys: vault.keys(),
        lock,
        epoch_days: 30,
        cache_mib: 8,
        witnesses: Vec::new(),
        trusted: Vec::new(),
    }
}

/// Opens the vault here under a clock, lets the house do what it does by itself, and counts the keys that were destroyed.
fn keys_destroyed_under(
    vault: &Vault,
    clock: Arc<SetClock>,
    between: impl FnOnce(&SetClock),
) -> (usize, bool) {
    let list = vault.keys().join("erased.log");
    let lines = || std::fs::read_to_string(&list).unwrap().lines().count();
    let before = lines();
    let house = open::open(&places(vault), clock.clone()).unwrap();
    let mut caretaker = Caretaker::start(Arc::clone(&house)).unwrap();
    caretaker.round().unwrap();
    between(&clock);
    clock.pass(strongroom::ground::clock::HOUR);
    for _ in 0..3 {
        caretaker.round().unwrap();
    }
    let doubted = house.watch.in_doubt();
    caretaker.stop();
    house.store.close();
    (lines() - before, doubted)
}

#[test]
fn a_clock_that_jumps_a_year_destroys_nothing() {
    let scene = Scene::new();
    let now = MachineClock::new().now();
    let (year, years) = (365 * DAY, 13 * 365 * DAY);
    for (what, began, jump) in [
        ("a year forward over night", now + year, 0),
        ("a year back over night", now - year, 0),
        ("thirteen years forward over night", now + years, 0),
        ("a year forward while it serves", now, year),
        ("thirteen years forward while it serves", now, years),
        ("a year back while it serves", now, -year),
    ] {
        scene.back();
        let clock = Arc::new(SetClock::at(began));
        let (destroyed, doubted) =
            keys_destroyed_under(&scene.vault, clock, |clock| clock.set_wall(clock.now() + jump));
        assert_eq!((destroyed, doubted), (0, true), "{what}");
        assert_eq!(scene.reveals(1, "account").0, 200, "{what}: everything is still there");
    }
    // The control: thirteen years that pass day by day end every term, and a new epoch begins.
    scene.back();
    let clock = Arc::new(SetClock::at(now));
    let (destroyed, doubted) = keys_destroyed_under(&scene.vault, clock, |clock| clock.pass(years));
    assert!(destroyed > 0 && !doubted, "time that passes destroys what has ended");
}

#[test]
fn a_doubted_clock_is_shown_until_somebody_says_that_it_is_right() {
    let scene = Scene::new();
    // The last entry seems to be of next year: its clock was wrong then, or is wrong now.
    let house =
        open::open(&places(&scene.vault), Arc::new(SetClock::at(MachineClock::new().now() + 20 * DAY)))
            .unwrap();
    let shop = house.shops().remove(0);
    house
        .work_blocking(store::Lane::High, &shop, &strongroom::ground::Actor::Operator, |work| {
            let entry = work.entry(ledger::entry::Act::BackedUp, ledger::entry::Outcome::Yes);
            work.enter_plain(entry)
        })
        .unwrap();
    strongroom::ground::heads::write_heads(&house).unwrap();
    house.store.close();
    drop((shop, house));
    let server = scene.vault.serve();
    let health = server.caller("").get("/health/ready").has(200).json();
    assert_eq!(health["attention"], json!(["clock_in_doubt"]), "it serves, and says so");
    let looked: Ran = scene.vault.run(&["doctor"]).ends(4);
    assert!(looked.out.contains("LOOK  clock"), "{}", looked.out);
    scene.vault.run(&["doctor", "--clock-is-right"]).ends(0);
    assert_eq!(server.caller("").get("/health/ready").json()["status"], "ok");
}
