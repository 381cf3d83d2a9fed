//! Killed under load, nothing acknowledged is lost.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::vault::{Caller, Server, Vault, behind_the_back, choice, customer, order, reveal};

/// Times that the server is killed.
const ROUNDS: u64 = 50;
/// Callers at once.
const CALLERS: usize = 4;
/// All rounds together take no longer than this; a slow machine makes fewer.
const BUDGET: Duration = Duration::from_secs(75);
/// The least rounds, however slow the machine is.
const ROUNDS_LEAST: u64 = 5;

/// What the server has acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Customers: number, and the version that the last answer named.
    customers: BTreeMap<u64, u64>,
    /// Customers who have an order.
    orders: Vec<u64>,
    /// What was last said about letters: number, word.
    choices: BTreeMap<u64, &'static str>,
    /// Subjects erased: number, public id.
    erased: BTreeMap<u64, String>,
    /// Entries that answers named.
    entries: Vec<String>,
    /// Customers that were sent, whether or not anything came back.
    sent: Vec<u64>,
    /// Requests that were under way when the connection broke: what became of them is not known.
    unknown: Vec<u64>,
}

#[test]
fn killed_under_load_it_starts_again_by_itself_and_has_everything_it_acknowledged() {
    let vault = Vault::new();
    let officer = vault.credential("officer", &[]);
    let intake = vault.credential("intake", &[]);
    let service = vault.credential("service", &["account", "marketing_email"]);
    let mut all = Acknowledged::default();
    let next = Arc::new(AtomicU64::new(1));
    let began = Instant::now();
    let mut rounds = 0;
    let mut server = vault.serve();
    while rounds < ROUNDS && (rounds < ROUNDS_LEAST || began.elapsed() < BUDGET) {
        let kept = Arc::new(Mutex::new(Acknowledged::default()));
        let callers: Vec<JoinHandle<()>> = (0..CALLERS)
            .map(|_| load(&server, [&intake, &officer], Arc::clone(&next), Arc::clone(&kept)))
            .collect();
        // Killed at another point of the load each time: in the first commits, and far into them.
        let wanted = 3 + (rounds * 37) % 90;
        while acknowledged(&kept) < wanted {
            assert!(
                began.elapsed() < Duration::from_secs(180),
                "the load does not get on: {}",
                server.said()
            );
            std::thread::yield_now();
        }
        server.kill();
        for caller in callers {
            caller.join().unwrap();
        }
        server = vault.serve();
        let kept = std::mem::take(&mut *kept.lock().unwrap());
        everything_is_there(&server, &service, &officer, &kept);
        all.add(kept);
        rounds += 1;
    }
    everything_is_there(&server, &service, &officer, &all);
    let auditor = vault.credential("auditor", &[]);
    every_entry_is_there(&server, &auditor, &all.entries);
    assert_eq!(vault.ask(&["ledger", "verify"])["verified"], true);
    vault.is_well();
    // The twin: had a request been acknowledged when it came, and not when it was committed, some would be missing now.
    let mut looking = server.caller(&service);
    let unanswered = all.sent.iter().filter(|number| !all.customers.contains_key(*number));
    let missing = unanswered
        .filter(|number| looking.post("/v1/records:reveal", &reveal(**number, "account")).status != 200);
    let missing = missing.count();
    assert!(
        missing > 0 || rounds < 20,
        "nothing was lost by {rounds} kills: they come at no time that matters"
    );
    let kept = all;
    eprintln!("{missing} requests that were under way left nothing");
    eprintln!(
        "killed {rounds} times: {} customers, {} orders, {} choices, {} erasures, {} entries acknowledged and there",
        kept.customers.len(),
        kept.orders.len(),
        kept.choices.len(),
        kept.erased.len(),
        kept.entries.len(),
    );
    // On a server an erasure is answered two seconds after it is done: most are killed before.
    let erased = !kept.erased.is_empty() || crate::engine::is_for_a_server();
    assert!(kept.customers.len() > 20 && kept.choices.len() > 10 && erased);
}

impl Acknowledged {
    fn add(&mut self, more: Acknowledged) {
        self.customers.extend(more.customers);
        self.orders.extend(more.orders);
        self.choices.extend(more.choices);
        self.erased.extend(more.erased);
        self.entries.extend(more.entries);
        self.sent.extend(more.sent);
        self.unknown.extend(more.unknown);
    }
}

fn acknowledged(kept: &Mutex<Acknowledged>) -> u64 {
    kept.lock().unwrap().entries.len() as u64
}

/// One caller, until the connection breaks.
fn load(
    server: &Server,
    [intake, officer]: [&str; 2],
    next: Arc<AtomicU64>,
    kept: Arc<Mutex<Acknowledged>>,
) -> JoinHandle<()> {
    let (mut intake, mut officer) = (server.caller(intake), server.caller(officer));
    std::thread::spawn(move || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if one_customer(&mut intake, &mut officer, number, &kept).is_err() {
                kept.lock().unwrap().unknown.push(number);
                return;
            }
        }
    })
}

/// A customer comes, orders, says yes and no to letters; every eighth is erased. What is acknowledged is noted at once.
fn one_customer(
    intake: &mut Caller,
    officer: &mut Caller,
    number: u64,
    kept: &Mutex<Acknowledged>,
) -> std::io::Result<()> {
    let entered = |answer: &Json, kept: &mut Acknowledged| {
        kept.entries.extend(answer["entry"].as_str().map(str::to_owned));
    };
    kept.lock().unwrap().sent.push(number);
    let answer = intake.try_post("/v1/records", &customer(number))?.has(201).json();
    {
        let mut kept = kept.lock().unwrap();
        kept.customers.insert(number, answer["version"].as_u64().unwrap());
        entered(&answer, &mut kept);
    }
    let subject = answer["subject"].as_str().unwrap().to_owned();
    let answer = intake.try_post("/v1/records", &order(number))?.has(201).json();
    {
        let mut kept = kept.lock().unwrap();
        kept.orders.push(number);
        entered(&answer, &mut kept);
    }
    for said in ["granted", if number % 3 == 0 { "withdrawn" } else { "granted" }] {
        let answer = officer.try_post("/v1/choices", &choice(number, said))?;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        let mut kept = kept.lock().unwrap();
        kept.choices.insert(number, said);
        entered(&answer.json(), &mut kept);
    }
    if number % 8 == 0 {
        officer.try_post(&format!("/v1/subjects/{subject}:erase"), &serde_json::json!({}))?.has(200);
        kept.lock().unwrap().erased.insert(number, subject);
    }
    Ok(())
}

fn everything_is_there(server: &Server, service_key: &str, officer: &str, kept: &Acknowledged) {
    let mut service = server.caller(service_key);
    for (number, version) in &kept.customers {
        let answer = service.post("/v1/records:reveal", &reveal(*number, "account"));
        if kept.erased.contains_key(number) {
            assert_ne!(answer.status, 200, "customer {number} was erased: {}", answer.text());
            continue;
        }
        if kept.unknown.contains(number) && answer.status != 200 {
            continue; // it was being erased when the connection broke
        }
        let found = answer.has(200).json();
        let record = &found["records"][0];
        assert_eq!(record["fields"]["name"], format!("Customer {number}"));
        assert!(record["version"].as_u64() >= Some(*version), "customer {number}");
    }
    // A connection that nobody used while the others were looked at would have been closed.
    let mut at_erasures = server.caller(officer);
    for (number, subject) in &kept.erased {
        let again = at_erasures.post(&format!("/v1/subjects/{subject}:erase"), &serde_json::json!({}));
        again.has(200); // the certificate that was given is given again
        assert!(number % 8 == 0);
    }
    let mut service = server.caller(service_key);
    for (number, said) in &kept.choices {
        if kept.erased.contains_key(number) || kept.unknown.contains(number) {
            continue;
        }
        let answer = service.post("/v1/records:reveal", &reveal(*number, "marketing_email"));
        let wanted = if *said == "granted" { 200 } else { 403 };
        assert_eq!(answer.status, wanted, "customer {number} said {said}: {}", answer.text());
    }
    let mut officer = server.caller(officer);
    let found = |number: &u64| {
        let asked =
            serde_json::json!({ "record": { "kind": "order", "external_id": format!("o-{number}") } });
        (asked, *number)
    };
    for (asked, number) in kept.orders.iter().filter(|number| !kept.erased.contains_key(number)).map(found) {
        if !kept.unknown.contains(&number) {
            officer.post("/v1/subjects:find", &asked).has(200);
        }
    }
}

fn every_entry_is_there(server: &Server, auditor: &str, entries: &[String]) {
    let mut auditor = server.caller(auditor);
    for entry in entries {
        let proof = auditor.get(&format!("/v1/ledger/proof?entry={entry}")).has(200).json();
        assert!(proof["leaf"].is_string());
    }
}

#[test]
fn a_key_that_died_just_before_a_crash_is_in_no_wal_after_the_next_start() {
    if crate::engine::only_in_a_folder("a server's WAL goes dark with the epoch") {
        return;
    }
    let vault = Vault::new();
    let (intake, officer) = (vault.credential("intake", &[]), vault.credential("officer", &[]));
    let server = vault.serve();
    let made = server.caller(&intake).post("/v1/records", &customer(1)).has(201).json();
    // Until the key has died, its row stands in the WAL.
    let database = behind_the_back(vault.database()).unwrap();
    let keys: Vec<u8> = database.query_row("SELECT keys FROM subject", [], |row| row.get(0)).unwrap();
    drop(database);
    let wal = vault.data().join("strongroom.db-wal");
    let holds = || {
        let files = [wal.clone(), vault.database()].map(|file| std::fs::read(file).unwrap_or_default());
        files.concat().windows(keys.len()).any(|window| window == keys)
    };
    assert!(holds(), "the search finds a key that lives");
    let erase = format!("/v1/subjects/{}:erase", made["subject"].as_str().unwrap());
    server.caller(&officer).post(&erase, &serde_json::json!({})).has(200);
    server.kill();
    let server = vault.serve();
    assert!(!holds(), "a dead key is left on the disk");
    server.stop();
    assert!(!holds());
}
