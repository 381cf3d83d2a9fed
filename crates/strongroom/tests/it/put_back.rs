//! Rows as they once were, put back by somebody who can write the database: each carries a good MAC, and the ledger knows better.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;

const MAPPING: &str = r#"
kind = "customer"
external_id = "no"
[fields]
name = "name"
email = "mail"
[events]
active = "seen"
[choice.marketing_email]
column = "news"
granted = ["yes"]
refused = ["no"]
notice = { version = 1, language = "en" }
at = "seen"
"#;

struct Vault {
    folder: TempDir,
}

impl Vault {
    fn new() -> Vault {
        let vault = Vault { folder: tempfile::tempdir().unwrap() };
        std::fs::write(vault.path("shop.toml"), include_str!("../../../../examples/harbour-hill/shop.toml"))
            .unwrap();
        std::fs::write(vault.path("mapping.toml"), MAPPING).unwrap();
        vault.well(&["init", "--policy", "shop.toml", "--keys", "keys"]);
        vault
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_strongroom"))
            .args(arguments)
            .args(["--json", "--quiet"])
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn well(&self, arguments: &[&str]) -> Json {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn import(&self, row: &str) {
        std::fs::write(self.path("customers.csv"), format!("no,name,mail,news,seen\n{row}\n")).unwrap();
        self.well(&["import", "customers.csv", "--mapping", "mapping.toml"]);
    }

    fn database(&self) -> crate::engine::Behind {
        crate::vault::behind_the_back(self.path("vault/strongroom.db")).unwrap()
    }

    fn copy_database(&self) -> PathBuf {
        let copy = self.path("copy.db");
        std::fs::write(&copy, crate::engine::read_rows(&self.path("vault/strongroom.db"))).unwrap();
        copy
    }

    /// Puts a table back as it was in a copy.
    fn put_back(&self, table: &str, copy: &Path) {
        let database = self.database();
        database.execute("ATTACH $1 AS was", [copy.to_str().unwrap()]).unwrap();
        database
            .execute_batch(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM was.{table};"))
            .unwrap();
    }

    fn deep_findings(&self) -> String {
        let output = self.run(&["doctor", "--deep"]);
        assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn a_policy_edited_in_the_database_opens_nothing() {
    let vault = Vault::new();
    let changed = vault
        .database()
        .execute("UPDATE policy SET text = replace(text, ', as = \"masked\"', '')", [])
        .unwrap();
    assert_eq!(changed, 1);
    let output = vault.run(&["policy", "show"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("SR-KEEP-004"));
}

#[test]
fn a_policy_taken_away_is_missed() {
    let vault = Vault::new();
    let again = std::fs::read_to_string(vault.path("shop.toml"))
        .unwrap()
        .replace("reviewed = 2026-11-01", "reviewed = 2026-11-02");
    std::fs::write(vault.path("again.toml"), again).unwrap();
    vault.well(&["policy", "publish", "again.toml", "--yes"]);
    vault.database().execute("DELETE FROM policy WHERE version = 2", []).unwrap();
    assert!(vault.deep_findings().contains("SR-DEEP-016"));
}

#[test]
fn a_revoked_credential_that_is_put_back_is_noticed() {
    let vault = Vault::new();
    let made = vault.well(&["credentials", "add", "--role", "intake", "--label", "form"]);
    let copy = vault.copy_database();
    vault.well(&["credentials", "revoke", made["id"].as_str().unwrap()]);
    vault.put_back("credential", &copy);
    assert!(vault.deep_findings().contains("SR-DEEP-013"));
}

#[test]
fn a_frozen_credential_that_is_thawed_behind_the_vaults_back_is_noticed() {
    let vault = Vault::new();
    let made = vault.well(&["credentials", "add", "--role", "intake", "--label", "form"]);
    let copy = vault.copy_database();
    vault.well(&["credentials", "freeze", made["id"].as_str().unwrap(), "--reason", "laptop-lost"]);
    vault.put_back("credential", &copy);
    assert!(vault.deep_findings().contains("SR-DEEP-028"));
}

#[test]
fn a_withdrawn_choice_that_is_put_back_is_noticed() {
    let vault = Vault::new();
    vault.import("1,Ann,ann@shop.example,yes,2026-11-01T00:00:00Z");
    let copy = vault.copy_database();
    vault.import("1,Ann,ann@shop.example,no,2026-11-02T00:00:00Z");
    vault.put_back("choice_standing", &copy);
    vault.put_back("choice", &copy);
    assert!(vault.deep_findings().contains("SR-DEEP-014"));
}

#[test]
fn an_erased_subject_that_is_put_back_is_noticed() {
    let vault = Vault::new();
    vault.import("1,Ann,ann@shop.example,yes,2026-11-01T00:00:00Z");
    let copy = vault.copy_database();
    vault.well(&["erase", "1", "--yes"]);
    vault.database().execute("DELETE FROM job", []).unwrap(); // nobody cleans up behind it
    vault.put_back("subject", &copy);
    assert!(vault.deep_findings().contains("SR-DEEP-017"));
}

#[test]
fn an_epoch_begun_by_hand_is_one_epoch() {
    let vault = Vault::new();
    let rotated = vault.well(&["keys", "rotate", "--yes"]);
    let status = vault.well(&["keys", "status"]);
    assert_eq!((&rotated["epoch"], &status["epoch"]), (&Json::from(2), &Json::from(2)));
}
