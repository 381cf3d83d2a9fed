//! Power that goes while the whole house works: what it acknowledged is there, the ledger verifies, and nothing is half there.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};
use store::vfs::faults::{FaultyDisk, Unsynced};

use crate::support::{Bench, Key};

/// What the house has answered with yes.
#[derive(Default)]
struct Acknowledged {
    customers: Vec<u32>,
    orders: Vec<u32>,
    choices: BTreeMap<u32, &'static str>,
    erased: Vec<u32>,
    entries: Vec<String>,
}

/// Customers of a round.
const CUSTOMERS: u32 = 4;

impl Acknowledged {
    /// Customers come, order, say yes and take it back, and one is erased. Goes on when something is refused: nothing may be
    /// acknowledged when there is no power.
    fn work(bench: &Bench, by: &Key, officer: &Key, first: u32) -> Acknowledged {
        let mut kept = Acknowledged::default();
        for number in first..first + CUSTOMERS {
            let id = format!("p-{number}");
            let fields = json!({ "name": format!("Name {number}"), "email": format!("{id}@shop.example") });
            let customer = json!({ "kind": "customer", "external_id": id, "fields": fields });
            let Some(made) = kept.post(bench, by, "/v1/records", &customer) else { continue };
            kept.customers.push(number);
            let order = json!({
                "kind": "order", "external_id": format!("o-{number}"), "subject": { "external_id": id },
                "fields": { "recipient_name": "Ann", "phone": "+86 139 0013 9000", "address": "1 Harbour Road", "items": "Tea" },
            });
            if kept.post(bench, by, "/v1/records", &order).is_some() {
                kept.orders.push(number);
            }
            for said in ["granted", "withdrawn"].into_iter().take(1 + (number % 2) as usize) {
                let choice = json!({
                    "subject": { "external_id": id }, "purpose": "marketing_email", "choice": said,
                    "notice": { "version": 1, "language": "zh" },
                });
                if kept.post(bench, by, "/v1/choices", &choice).is_some() {
                    kept.choices.insert(number, said);
                }
            }
            let reveal = json!({ "purpose": "account", "subject": { "external_id": id } });
            kept.post(bench, by, "/v1/records:reveal", &reveal);
            if number % 4 == 3 {
                let erase = format!("/v1/subjects/{}:erase", made["subject"].as_str().unwrap());
                if kept.post(bench, officer, &erase, &json!({})).is_some() {
                    kept.erased.push(number);
                }
            }
        }
        kept
    }

    fn post(&mut self, bench: &Bench, by: &Key, path: &str, body: &Json) -> Option<Json> {
        let reply = bench.post(by, path, body);
        if reply.status >= 500 {
            let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
            assert!(code.starts_with("SR-"), "a clear code, not {}", reply.text());
            return None;
        }
        let answer = reply.json();
        self.entries.extend(answer["entry"].as_str().map(str::to_owned));
        (reply.status < 300).then_some(answer)
    }

    /// Everything acknowledged is there. Gives the first thing that is not.
    fn missing(&self, bench: &Bench, by: &Key, auditor: &Key) -> Option<String> {
        for number in &self.customers {
            let reveal = json!({ "purpose": "account", "subject": { "external_id": format!("p-{number}") } });
            let reply = bench.post(by, "/v1/records:reveal", &reveal);
            let erased = self.erased.contains(number);
            // The one who was being erased when the power went is there or is not.
            if (number % 4 != 3 && reply.status != 200) || (erased && reply.status == 200) {
                return Some(format!("customer {number}: {}", reply.text()));
            }
        }
        for number in self.orders.iter().filter(|number| **number % 4 != 3) {
            let find = json!({ "record": { "kind": "order", "external_id": format!("o-{number}") } });
            let reply = bench.post(
                by,
                "/v1/records:reveal",
                &json!({ "purpose": "delivery", "record": find["record"] }),
            );
            if reply.status != 200 {
                return Some(format!("order {number}: {}", reply.text()));
            }
        }
        for (number, said) in self.choices.iter().filter(|(number, _)| **number % 4 != 3) {
            let reveal =
                json!({ "purpose": "marketing_email", "subject": { "external_id": format!("p-{number}") } });
            let status = bench.post(by, "/v1/records:reveal", &reveal).status;
            if (status == 200) != (*said == "granted") && !(*said == "granted" && number % 2 == 1) {
                return Some(format!("choice of {number}: {said}, {status}"));
            }
        }
        self.entries
            .iter()
            .find(|entry| bench.get(auditor, &format!("/v1/ledger/proof?entry={entry}")).status != 200)
            .map(|entry| format!("entry {entry}"))
    }
}

/// The database files of a data folder go, others come.
fn exchange(data: &Path, disk: &FaultyDisk, unsynced: Unsynced, seed: u64) {
    for name in ["strongroom.db", "strongroom.db-wal", "strongroom.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    disk.survivors(unsynced, seed, data).unwrap();
}

struct Round {
    bench: Bench,
    by: Key,
    officer: Key,
    auditor: Key,
    disk: FaultyDisk,
    number: u32,
}

impl Round {
    fn new() -> Round {
        let mut bench = Bench::new();
        let by = bench.service();
        let officer = bench.key(strongroom::ground::Role::Officer, &[]);
        let auditor = bench.key(strongroom::ground::Role::Auditor, &[]);
        bench.close();
        Round { bench, by, officer, auditor, disk: FaultyDisk::new().unwrap(), number: 0 }
    }

    /// Works on the disk; then the power is gone, and the house is opened from what is left. Gives the calls made, and what of the
    /// acknowledged is missing.
    fn run(&mut self, cut_at: Option<u64>, unsynced: Unsynced, lies: bool) -> (u64, Option<String>) {
        self.disk.begin();
        self.bench.open_on(self.disk.disk());
        if lies {
            self.disk.lie_about_syncs();
        }
        let before = self.disk.changes();
        if let Some(call) = cut_at {
            self.disk.cut_at(call);
        }
        let kept = Acknowledged::work(&self.bench, &self.by, &self.officer, self.number * CUSTOMERS);
        self.number += 1;
        let calls = self.disk.changes() - before;
        self.disk.cut();
        self.bench.close();
        exchange(&self.bench.places.data, &self.disk, unsynced, u64::from(self.number));
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.bench.open()));
        if opened.is_err() {
            return (calls, Some("it does not open".to_owned()));
        }
        let missing = kept.missing(&self.bench, &self.by, &self.auditor);
        self.bench.close();
        (calls, missing)
    }
}

#[test]
fn power_that_goes_while_the_house_works_loses_nothing_that_it_acknowledged() {
    if crate::engine::only_in_a_folder("the disk under the house is not the server's") {
        return;
    }
    let mut round = Round::new();
    let (calls, missing) = round.run(None, Unsynced::Lost, false);
    assert_eq!(missing, None);
    let rounds = 40;
    for number in 0..rounds {
        let unsynced = [Unsynced::Lost, Unsynced::Mixed][(number % 2) as usize];
        let call = (number * calls / rounds + number % 7).min(calls);
        let (_, missing) = round.run(Some(call), unsynced, false);
        assert_eq!(missing, None, "cut at {call} of {calls}, {unsynced:?}");
    }
    // When the bench is dropped, the log is verified entry by entry, and every row is held against it.
}

/// The twin: on a disk that does no syncs, the same harness finds what is missing.
#[test]
fn without_syncs_the_house_loses_what_it_acknowledged() {
    if crate::engine::only_in_a_folder("the disk under the house is not the server's") {
        return;
    }
    let mut round = Round::new();
    let (_, missing) = round.run(None, Unsynced::Lost, true);
    assert!(missing.is_some());
    round.bench.is_broken_on_purpose();
}
