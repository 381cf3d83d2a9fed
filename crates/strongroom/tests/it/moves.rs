//! Moves between a data folder and a server's database. They need a server whatever the run is for.

#![cfg(test)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use strongroom::config::{Config, Flags, Rewrite};
use strongroom::ground::clock::{Clock, MachineClock};
use strongroom::ground::{Actor, Problem};
use strongroom::moves::{self, Moving};
use strongroom::open::{self, Places, Rows};
use testbed::{Database, Postgres, Version};

use crate::engine::without_password;
use crate::files::{bytes_of, policy};
use crate::vault::{Server, Vault, choice, customer, order, reveal};

/// A database that somebody may move to, with its owner's and its user's way in.
struct There {
    database: Database,
    address: String,
}

impl There {
    /// Without tables; nothing where there is no server to test on.
    fn without_tables() -> Option<There> {
        let database = Postgres::shared(Version::V15)?.database();
        let address = without_password(&database.run_url());
        Some(There { database, address })
    }

    /// With this release's schema, as its owner makes it.
    fn new() -> Option<There> {
        let there = There::without_tables()?;
        let owner = without_password(&there.database.owner_socket_url());
        let owner = store::Server::parse(&owner, Some(there.database.password())).unwrap();
        owner.migrate(open::MIGRATIONS, open::FENCES, Some(&there.database.run())).unwrap();
        Some(there)
    }

    fn server(&self) -> store::Server {
        store::Server::parse(&self.address, Some(self.database.password())).unwrap()
    }

    fn count(&self, table: &str) -> u64 {
        let said = self.database.sql(&format!("SELECT count(*) FROM {table}"));
        said.lines().find_map(|line| line.trim().parse().ok()).unwrap_or_else(|| panic!("{said}"))
    }
}

/// A vault in its folder, and the arguments that move it to a database.
fn vault_for(there: &There) -> (Vault, Vec<String>) {
    let vault = Vault::in_folder(&policy());
    let words = vault.private_file("words", there.database.password());
    let to = ["move", "--to", &there.address, "--to-password-file", words.to_str().unwrap(), "--yes"];
    (vault, to.map(str::to_owned).to_vec())
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

const BACK: [&str; 4] = ["move", "--to", "folder", "--yes"];

fn clock() -> Arc<dyn Clock> {
    Arc::new(MachineClock::new())
}

/// Where everything is, with the rows here or there.
fn places(vault: &Vault, rows: Rows) -> Places {
    let config = Config::read(&Flags::default(), &vault.data()).unwrap();
    let lock = config.configured_lock(&vault.keys());
    Places {
        data: vault.data(),
        rows,
        keys: vault.keys(),
        lock,
        epoch_days: 30,
        cache_mib: 4,
        witnesses: Vec::new(),
        trusted: Vec::new(),
    }
}

/// How a start ends: `served`, or its code.
fn start(vault: &Vault, rows: Rows) -> &'static str {
    match open::open(&places(vault, rows), clock()) {
        Ok(house) => {
            house.close();
            "served"
        }
        Err(problem) => problem.code,
    }
}

/// Does each place serve: the folder, the server?
fn served(vault: &Vault, there: &There) -> (&'static str, &'static str) {
    (start(vault, Rows::InFolder), start(vault, Rows::OnServer(there.server())))
}

/// A move in this process, whose steps a test can look at and break off.
fn run(
    vault: &Vault,
    there: &There,
    is_to_server: bool,
    tell: &mut (dyn FnMut(&'static str, u64, u64) + Send),
) -> Result<moves::Moved, Problem> {
    let password = vault.path("words");
    let server = Rows::OnServer(there.server());
    let config = Config::read(&Flags::default(), &vault.data()).unwrap();
    let rows = if config.store.address.is_some() { server.clone() } else { Rows::InFolder };
    let (to, said) = if is_to_server {
        (server, Rewrite::of(&Flags::default(), &vault.data(), Some(&there.address), Some(&password)))
    } else {
        (Rows::InFolder, Rewrite::of(&Flags::default(), &vault.data(), None, None))
    };
    let moving = Moving { places: places(vault, rows), to, rewrite: said.unwrap() };
    moves::run(&moving, &clock(), tell)
}

/// What was done before a move, to be found again after it.
struct Done {
    intake: String,
    service: String,
    officer: String,
    record: String,
    token: Json,
    certificate: Json,
    second: String,
}

const PHOTOGRAPH: usize = 150_000;

/// Data of every kind, in two shops.
fn live(vault: &Vault) -> Done {
    let (intake, officer) = (vault.credential("intake", &[]), vault.credential("officer", &[]));
    let service = vault.credential("service", &["account", "marketing_email", "age_check"]);
    let server = vault.serve();
    let mut caller = server.caller(&intake);
    let mut record = String::new();
    for number in 0..12 {
        let made = caller.post("/v1/records", &customer(number)).has(201).json();
        record = made["record"].as_str().unwrap().to_owned();
        caller.post("/v1/records", &order(number)).has(201);
    }
    for (number, said) in [(1, "granted"), (2, "granted"), (2, "withdrawn")] {
        server.caller(&officer).post("/v1/choices", &choice(number, said)).has(201);
    }
    let path = format!("/v1/records/{record}/files/id_scan");
    let photograph = bytes_of(PHOTOGRAPH, 1);
    server.caller(&service).send("PUT", &path, "content-type: image/jpeg\r\n", &photograph).unwrap().has(200);
    let asked = json!({ "record": { "kind": "customer", "external_id": "c-1" }, "field": "email", "purpose": "account" });
    let token = server.caller(&service).post("/v1/tokens", &asked).has(201).json()["token"].clone();
    server.stop();
    let certificate = vault.ask(&["erase", "c-7", "--yes"]);
    let gone =
        vault.ask(&["credentials", "add", "--role", "service", "--label", "gone", "--purpose", "account"]);
    vault.ask(&["credentials", "revoke", gone["id"].as_str().unwrap()]);
    std::fs::write(
        vault.path("second.toml"),
        policy().replace("id = \"harbour-hill\"", "id = \"second-shop\""),
    )
    .unwrap();
    let second = vault.ask(&["shops", "add", "--policy", "second.toml"]);
    let add = ["credentials", "add", "--role", "intake", "--label", "two", "--shop", "second-shop"];
    let second_intake = vault.ask(&add)["credential"].as_str().unwrap().to_owned();
    let server = vault.serve();
    server.caller(&second_intake).post("/v1/records", &customer(1)).has(201);
    server.stop();
    let second = second["verifier_key"].as_str().unwrap().to_owned();
    Done { intake, service, officer, record, token, certificate, second }
}

/// Everything opens as before, by whoever could before.
fn is_all_there(vault: &Vault, done: &Done, customers: u64) {
    let server = vault.serve();
    opens(&server, done, customers);
    server.stop();
    for shop in ["harbour-hill", "second-shop"] {
        let looked = vault.run(&["doctor", "--deep", "--shop", shop]);
        assert_eq!(looked.code, 0, "{}\n{}", looked.out, looked.err);
        assert_eq!(vault.ask(&["ledger", "verify", "--shop", shop])["verified"], true);
    }
    let receipt = ledger::receipt::Receipt::from_json(&done.certificate["receipt"].to_string()).unwrap();
    let verifier = vault.verifier.parse::<ledger::note::Verifier>().unwrap();
    receipt.verify(&verifier, "strongroom/harbour-hill").unwrap();
    for (shop, key) in [("harbour-hill", &vault.verifier), ("second-shop", &done.second)] {
        let head = vault.ask(&["ledger", "checkpoint", "--shop", shop]);
        let note = head["checkpoint"].as_str().or(head["note"].as_str()).unwrap();
        let verifier = key.parse::<ledger::note::Verifier>().unwrap();
        ledger::checkpoint::Checkpoint::open(note, &verifier, &format!("strongroom/{shop}")).unwrap();
    }
}

fn opens(server: &Server, done: &Done, customers: u64) {
    let mut service = server.caller(&done.service);
    for number in (0..customers).filter(|number| *number != 7) {
        let opened = service.post("/v1/records:reveal", &reveal(number, "account")).has(200).text();
        assert!(opened.contains(&format!("customer{number}@harbour.example")), "{opened}");
    }
    assert_ne!(
        service.post("/v1/records:reveal", &reveal(7, "account")).status,
        200,
        "an erased person is back"
    );
    service.post("/v1/records:reveal", &reveal(1, "marketing_email")).has(200);
    service.post("/v1/records:reveal", &reveal(2, "marketing_email")).has(403);
    let path = format!("/v1/records/{}/files/id_scan:reveal", done.record);
    let photograph = service.post(&path, &json!({ "purpose": "age_check" })).has(200).body;
    assert!(photograph == bytes_of(PHOTOGRAPH, 1), "a file opens otherwise");
    let resolved = json!({ "token": done.token, "purpose": "account" });
    assert!(
        service.post("/v1/tokens:resolve", &resolved).has(200).text().contains("customer1@harbour.example")
    );
    let body: Json = serde_json::from_str(done.certificate["body"].as_str().unwrap()).unwrap();
    let again = format!("/v1/subjects/{}:erase", body["subject"].as_str().unwrap());
    let again = server.caller(&done.officer).post(&again, &json!({})).has(200).json();
    assert_eq!(again["body"], done.certificate["body"], "the certificate that was given stands");
}

/// A job that waits.
fn leave_a_job(vault: &Vault) {
    let house = open::open(&places(vault, Rows::InFolder), clock()).unwrap();
    let shop = house.shops().remove(0);
    let asked = house.work_blocking(store::Lane::High, &shop, &Actor::Operator, |work| {
        work.tx.housekeeping();
        let (shop, now) = (work.shop.number.into(), 1_700_000_000_000_000);
        Ok(work.tx.add_job(shop, strongroom::ground::jobs::CLEAN_TERMS, 0, now)?)
    });
    asked.unwrap();
    house.close();
}

#[test]
fn everything_moves_to_a_server_and_back_and_opens_as_before() {
    let Some(there) = There::new() else { return };
    let (vault, to) = vault_for(&there);
    let done = live(&vault);
    leave_a_job(&vault);
    let moved = vault.ask(&words(&to));
    assert!(there.count("job") >= 1, "jobs that wait move, too");
    let entries = moved["entries_verified"].as_u64().unwrap();
    assert!(entries > 40, "{moved}");
    for table in moved["tables"].as_array().unwrap() {
        assert_eq!(there.count(table["table"].as_str().unwrap()), table["rows"].as_u64().unwrap(), "{table}");
    }
    assert_eq!(served(&vault, &there), ("SR-MOVE-001", "served"));
    is_all_there(&vault, &done, 12);
    vault.run(&words(&to)).fails("SR-MOVE-004");

    // What comes in there comes back with the rest.
    let server = vault.serve();
    for number in 12..15 {
        server.caller(&done.intake).post("/v1/records", &customer(number)).has(201);
    }
    server.stop();
    let back = vault.ask(&BACK);
    assert!(back["entries_verified"].as_u64().unwrap() > entries, "{back}");
    assert_eq!(served(&vault, &there), ("served", "SR-MOVE-001"));
    is_all_there(&vault, &done, 15);
    vault.run(&BACK).fails("SR-MOVE-004");
    // Old rows there are in the way of another move, until their owner has removed them.
    vault.run(&words(&to)).fails("SR-STORE-017");
    let restricted = ["serve", "--store", &there.address, "--store-password-file", "words"];
    vault.run(&restricted).fails("SR-MOVE-001");
}

/// Every step of a move, in order.
fn steps(run: impl FnOnce(&mut (dyn FnMut(&'static str, u64, u64) + Send))) -> Vec<&'static str> {
    let mut steps = Vec::new();
    run(&mut |what, _, of| {
        if of == 1 {
            steps.push(what);
        }
    });
    steps
}

/// Cuts a move off at a step, as a kill does: nothing behind it is done.
fn cut_off_at(step: &'static str, vault: &Vault, there: &There, is_to_server: bool) {
    let cut = catch_unwind(AssertUnwindSafe(|| {
        run(vault, there, is_to_server, &mut |what, _, of| {
            assert!(of != 1 || what != step, "cut off at {step}");
        })
    }));
    assert!(cut.is_err(), "it was not cut off at {step}");
}

#[test]
fn cut_off_at_any_step_it_never_has_two_places_that_serve_and_run_again_it_has_one() {
    let Some(mut there) = There::new() else { return };
    let (vault, _) = vault_for(&there);
    let intake = vault.credential("intake", &[]);
    {
        let server = vault.serve();
        (0..5)
            .for_each(|number| drop(server.caller(&intake).post("/v1/records", &customer(number)).has(201)));
        server.stop();
    }
    let steps_there = steps(|tell| drop(run(&vault, &there, true, tell).unwrap()));
    assert_eq!(served(&vault, &there), ("SR-MOVE-001", "served"));
    let steps_back = steps(|tell| drop(run(&vault, &there, false, tell).unwrap()));
    assert_eq!(served(&vault, &there), ("served", "SR-MOVE-001"));
    assert!(steps_there.len() > 7 && steps_back.len() > 7, "{steps_there:?} {steps_back:?}");
    for round in 0..steps_there.len().max(steps_back.len()) {
        there = fresh(&vault); // one that was moved from is not moved to
        for (steps, is_to_server) in [(&steps_there, true), (&steps_back, false)] {
            let step = steps.get(round).copied().unwrap_or("verified");
            cut_off_at(step, &vault, &there, is_to_server);
            let now = served(&vault, &there);
            assert!(now != ("served", "served"), "cut off at {step}, both serve");
            eprintln!("cut off at {step}: {now:?}");
            let to = ["move", "--to", &there.address, "--to-password-file", "words", "--yes"];
            let ran = vault.run(if is_to_server { &to } else { &BACK });
            // Cut off behind its end, it has nothing more to do.
            assert!(ran.code == 0 || ran.err.contains("SR-MOVE-004"), "{}", ran.err);
            let one = if is_to_server { ("SR-MOVE-001", "served") } else { ("served", "SR-MOVE-001") };
            assert_eq!(served(&vault, &there), one, "run again after {step}");
        }
    }
    vault.is_well();
    let left: Vec<_> =
        std::fs::read_dir(vault.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("move.")), "{left:?}");
}

/// Another database, whose password the vault has.
fn fresh(vault: &Vault) -> There {
    let there = There::new().unwrap();
    vault.private_file("words", there.database.password());
    there
}

#[test]
fn killed_at_any_moment_it_is_run_again_and_comes_to_its_end() {
    let Some(there) = There::new() else { return };
    let (vault, to) = vault_for(&there);
    let service = vault.credential("service", &["account"]);
    {
        let intake = vault.credential("intake", &[]);
        let server = vault.serve();
        (0..50)
            .for_each(|number| drop(server.caller(&intake).post("/v1/records", &customer(number)).has(201)));
        server.stop();
    }
    for arguments in [words(&to), BACK.to_vec()] {
        let (mut cut_off, (_nobody, never)) = (0, std::sync::mpsc::channel::<()>());
        for millis in std::iter::successors(Some(20_u64), |millis| Some(millis + millis / 4)).take(30) {
            let mut command = vault.command(&arguments);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // Not by parking: what a house did on this thread before may wake it at once.
            let _ = never.recv_timeout(Duration::from_millis(millis));
            child.kill().unwrap();
            if child.wait().unwrap().success() {
                break;
            }
            cut_off += 1;
            assert!(served(&vault, &there) != ("served", "served"), "after {millis} ms both serve");
        }
        assert!(cut_off >= 3, "a move was cut off {cut_off} times only");
        eprintln!("a move was cut off {cut_off} times");
        let ran = vault.run(&arguments);
        assert!(ran.code == 0 || ran.err.contains("SR-MOVE-004"), "{}", ran.err);
        let server = vault.serve();
        for number in 0..50 {
            server.caller(&service).post("/v1/records:reveal", &reveal(number, "account")).has(200);
        }
        server.stop();
        vault.is_well();
    }
    assert_eq!(served(&vault, &there), ("served", "SR-MOVE-001"));
}

#[test]
fn a_database_that_holds_a_shop_is_not_moved_to() {
    let Some(there) = There::new() else { return };
    let (vault, to) = vault_for(&there);
    let other = Vault::bare();
    other.private_file("words", there.database.password());
    let init = ["init", "--policy", "shop.toml", "--keys", "keys", "--store", &there.address];
    other.run(&[&init[..], &["--store-password-file", "words"]].concat()).ends(0);
    let shops = there.database.sql("SELECT * FROM shop");
    let size = vault.ask(&["ledger", "checkpoint"])["size"].clone();
    vault.run(&words(&to)).fails("SR-STORE-017");
    assert_eq!(there.database.sql("SELECT * FROM shop"), shops, "it is as it was");
    assert_eq!(vault.ask(&["ledger", "checkpoint"])["size"], size, "and nothing was entered here");
    vault.is_well();
}

#[test]
fn tables_are_made_by_who_may_and_asked_for_by_who_may_not() {
    let Some(there) = There::without_tables() else { return };
    let (vault, to) = vault_for(&there);
    vault.run(&words(&to)).fails("SR-OPEN-008");
    vault.is_well();
    let owner = without_password(&there.database.owner_url());
    vault.run(&["move", "--to", &owner, "--to-password-file", "words"]).fails("SR-CLI-005");
    vault.run(&["move", "--to", &owner, "--to-password-file", "words", "--yes"]).ends(0);
    vault.is_well();
    assert_eq!(there.count("shop"), 1);
    let elsewhere = there.address.replace("/t_", "/other_");
    vault.run(&["move", "--to", &elsewhere, "--to-password-file", "words", "--yes"]).fails("SR-MOVE-003");
}

#[test]
fn a_folder_that_a_process_serves_from_is_not_moved() {
    let Some(there) = There::new() else { return };
    let (vault, to) = vault_for(&there);
    let server = vault.serve();
    vault.run(&words(&to)).fails("SR-STORE-003");
    vault.run(&["move", "--cancel"]).fails("SR-MOVE-005");
    server.stop();
    assert_eq!(there.count("shop"), 0);
    vault.run(&words(&to)).ends(0);
}

#[test]
fn a_database_that_another_process_serves_from_is_not_moved_and_one_that_comes_back_writes_nothing() {
    let Some(there) = There::new() else { return };
    let (vault, to) = vault_for(&there);
    vault.run(&words(&to)).ends(0);
    // Another machine on the same database, with a data folder of its own.
    let elsewhere =
        Places { data: vault.path("elsewhere"), ..places(&vault, Rows::OnServer(there.server())) };
    strongroom::ground::keys_folder::make_private_folder(&elsewhere.data).unwrap();
    let other = open::open(&elsewhere, clock()).unwrap();
    let write = || {
        let shop = other.shops().remove(0);
        other.work_blocking(store::Lane::High, &shop, &Actor::Operator, |work| {
            let entry = work.entry(ledger::entry::Act::BackedUp, ledger::entry::Outcome::Yes);
            work.enter_plain(entry)
        })
    };
    write().unwrap();
    vault.run(&BACK).fails("SR-STORE-026");
    write().unwrap(); // it serves as before
    assert_eq!(start(&vault, Rows::OnServer(there.server())), "served");

    // Its connections are lost, so nobody sees it any more; when it comes back the rows are not its to write.
    let name = there.database.name();
    there.database.server().sql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
    vault.run(&BACK).ends(0);
    assert_eq!(write().map(|_| ()).unwrap_err().code, "SR-STORE-027");
    other.close();
    vault.is_well();
    assert_eq!(served(&vault, &there), ("served", "SR-MOVE-001"));
}

#[test]
fn a_row_that_was_changed_on_the_way_is_noticed_and_the_old_place_serves_on() {
    let Some(there) = There::new() else { return };
    let (vault, to) = vault_for(&there);
    let intake = vault.credential("intake", &[]);
    {
        let server = vault.serve();
        server.caller(&intake).post("/v1/records", &customer(1)).has(201);
        server.stop();
    }
    let changes = [
        "UPDATE record SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)",
        "DELETE FROM lookup",
        "UPDATE number_block SET last = last + 1 WHERE name = 'credential'",
    ];
    for change in changes {
        let changed = run(&vault, &there, true, &mut |what, _, _| {
            if what == "written" {
                let said = there.database.sql(change);
                assert!(!said.contains("UPDATE 0") && !said.contains("DELETE 0"), "{said}");
            }
        });
        assert_eq!(changed.unwrap_err().code, "SR-MOVE-006", "{change}");
        assert_eq!(served(&vault, &there), ("served", "SR-MOVE-002"), "{change}");
    }
    // The twin: with nobody in between, the same move comes to its end, over what the others have left.
    vault.run(&words(&to)).ends(0);
    vault.is_well();
    // And on the way back.
    let changed = run(&vault, &there, false, &mut |what, _, _| {
        if what == "read" {
            let database = vault.data().join("move.beside").join(store::DATABASE);
            let database = crate::vault::behind_the_back(database).unwrap();
            assert_eq!(database.execute("UPDATE subject SET since = since + 1", []).unwrap(), 1);
            database.close();
        }
    });
    assert_eq!(changed.unwrap_err().code, "SR-MOVE-006");
    assert_eq!(start(&vault, Rows::OnServer(there.server())), "served");
    vault.is_well();
}

#[test]
fn a_move_to_the_folder_that_was_cut_off_can_be_taken_back() {
    let Some(there) = There::new() else { return };
    let (vault, to) = vault_for(&there);
    vault.run(&words(&to)).ends(0);
    for step in ["standing still", "read", "in place"] {
        cut_off_at(step, &vault, &there, false);
        vault.run(&["subject", "show", "c-1"]).fails("SR-MOVE-002");
        vault.run(&["move", "--cancel"]).ends(0);
        assert_eq!(start(&vault, Rows::OnServer(there.server())), "served", "{step}");
        assert_ne!(start(&vault, Rows::InFolder), "served", "{step}");
        vault.is_well();
    }
    // Behind the point where the folder has them it is too late.
    cut_off_at("marked", &vault, &there, false);
    vault.run(&["move", "--cancel"]).fails("SR-MOVE-001");
    vault.run(&BACK).ends(0);
    vault.is_well();
}

#[test]
fn a_ledger_that_was_edited_does_not_move() {
    let Some(there) = There::new() else { return };
    let (vault, to) = vault_for(&there);
    let intake = vault.credential("intake", &[]);
    {
        let server = vault.serve();
        let mut caller = server.caller(&intake);
        (0..300).for_each(|number| drop(caller.post("/v1/records", &customer(number)).has(201)));
        server.stop();
    }
    // An entry far behind the head: a start reads the hashes above it and not the entry.
    let flip = || {
        vault.tamper(|database| {
            let first = "SELECT packed FROM leaf ORDER BY id LIMIT 1";
            let mut packed: Vec<u8> = database.query_row(first, [], |row| row.get(0)).unwrap();
            *packed.last_mut().unwrap() ^= 1;
            let write = "UPDATE leaf SET packed = ?1 WHERE id = (SELECT min(id) FROM leaf)";
            assert_eq!(database.execute(write, [&packed]).unwrap(), 1);
        });
    };
    flip();
    vault.run(&words(&to)).fails("SR-MOVE-007");
    assert_eq!(served(&vault, &there), ("served", "SR-MOVE-002"));
    // The twin: with the entry as it was the same move comes to its end.
    flip();
    vault.run(&words(&to)).ends(0);
    assert_eq!(served(&vault, &there), ("SR-MOVE-001", "served"));
}
