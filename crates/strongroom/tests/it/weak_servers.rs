//! What `doctor` says of a server that is set up weakly: each thing by its code, and what somebody may choose as a note. It is served
//! from all the same.
//!
//! Each test has a server of its own, of the version that the run is for.

#![cfg(test)]

use serde_json::Value as Json;
use testbed::{Own, Postgres};

use crate::engine::{Home, version};
use crate::vault::{Vault, customer};

/// A server of the test's own. Nothing where the run is for none: it says so aloud.
fn server() -> Option<Own> {
    let Some(version) = version() else {
        eprintln!("SKIPPED: weak servers: this run is for folders (STRONGROOM_TEST_PG)");
        return None;
    };
    Postgres::own(version, &[])
}

/// What `doctor` finds to be wrong, and what it only advises: codes. Its exit code says whether there is something wrong.
#[track_caller]
fn looks(vault: &Vault) -> (Vec<String>, Vec<String>) {
    let looked = vault.run(&["doctor", "--json"]);
    let looks = looked.json();
    let codes = |is: fn(&Json) -> bool| -> Vec<String> {
        let looks = looks.as_array().unwrap().iter().filter(|look| is(look));
        let codes = looks.map(|look| look["what"].as_str().unwrap().to_owned());
        codes.filter(|what| what.starts_with("SR-")).collect()
    };
    let wrong = codes(|look| look["well"] == false);
    assert_eq!(looked.code, if wrong.is_empty() { 0 } else { 4 }, "{}", looked.out);
    let mended =
        looks.as_array().unwrap().iter().filter(|look| look["what"].as_str().unwrap().starts_with("SR-"));
    mended.for_each(|look| assert!(!look["help"].as_str().unwrap().is_empty(), "{look}"));
    (wrong, codes(|look| look["advice"] == true))
}

#[test]
fn what_is_weak_about_a_server_is_named_and_it_is_served_from_all_the_same() {
    let Some(own) = server() else { return };
    let database = own.database();
    let (address, run) = (database.run_socket_url(), database.run());
    let vault = Vault::on(Home::at(database, &address));
    let set = |act: &str| {
        own.sql(vault.database_name(), act);
        // It reads its files in its own time.
        own.restart();
    };
    assert_eq!(looks(&vault), (vec![], vec!["SR-SERVER-016".into()]), "as PostgreSQL comes");
    set("ALTER SYSTEM SET log_error_verbosity = terse");
    assert_eq!(looks(&vault), (vec![], vec![]), "as the guide has it");
    let said = vault.run(&["doctor"]).ends(0);
    assert!(said.out.contains("ok    server         PostgreSQL 1"), "{}", said.out);

    set(&format!(
        "ALTER SYSTEM SET fsync = off;
         ALTER SYSTEM SET full_page_writes = off;
         ALTER SYSTEM SET zero_damaged_pages = on;
         ALTER SYSTEM SET log_error_verbosity = default;
         ALTER SYSTEM SET log_statement = mod;
         ALTER SYSTEM SET synchronous_commit = off;
         ALTER ROLE {run} SET synchronous_commit = off;
         ALTER ROLE {run} CREATEDB BYPASSRLS;
         GRANT CREATE ON SCHEMA public TO {run};
         ALTER TABLE record NO FORCE ROW LEVEL SECURITY;
         CREATE POLICY gate ON leaf USING (true)"
    ));
    let (wrong, advised) = looks(&vault);
    let numbers = [2, 3, 4, 8, 9, 11, 12, 14];
    assert_eq!(
        wrong,
        numbers.map(|number| format!("SR-SERVER-{number:03}")),
        "not 005: we ask for it ourselves"
    );
    assert_eq!(advised, ["SR-SERVER-015", "SR-SERVER-016"]);
    let said = vault.run(&["doctor"]).ends(4);
    for line in [
        "LOOK  server ",
        "LOOK  SR-SERVER-012  row security of table `record`",
        "note  SR-SERVER-015  `log_statement`",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    server.caller(&intake).post("/v1/records", &customer(1)).has(201);
    assert_eq!(looks(&vault).0.len(), numbers.len(), "a house that serves says the same");
    // The note is true: what was bound is in the log, and nothing of it in plain text.
    let log = own.log_text().to_lowercase();
    assert!(log.contains("parameters: $1 = "), "values that are bound are logged");
    assert!(!log.contains("customer 1") && !log.contains("customer1@"), "and none of them is personal");
    server.stop();
}

#[test]
fn whoever_migrated_may_serve_and_is_told_what_that_means() {
    let Some(own) = server() else { return };
    let database = own.database();
    let address = database.owner_socket_url();
    let vault = Vault::on(Home::at(database, &address));
    let advised = vec!["SR-SERVER-016".to_owned(), "SR-SERVER-010".to_owned()];
    assert_eq!(looks(&vault), (vec![], advised), "a choice, and no fault");
}
