//! A stolen credential cannot empty the vault: it reaches as many persons as its limit and is frozen at the next. More takes
//! somebody else's approval, and afterwards the ledger says whom it reached.

#![cfg(test)]

mod approvals;
mod blast;
mod killed;
mod stolen;

use serde_json::{Value as Json, json};
use strongroom::account;

use crate::support::{Bench, Key, POLICY, Reply};

/// The example's policy with a limit for one purpose.
pub(crate) fn policy(purpose: &str, limit: &str) -> String {
    let head = format!("[purpose.{purpose}]\n");
    assert!(POLICY.contains(&head));
    POLICY.replacen(&head, &format!("{head}limit = \"{limit}\"\n"), 1)
}

/// A house with a limit for `account`, and so many customers: `c-0`, `c-1`, …
fn house(limit: &str, customers: usize) -> (Bench, Key) {
    let bench = Bench::with_policy(&policy("account", limit));
    let intake = bench.key(strongroom::ground::Role::Intake, &[]);
    let items: Vec<Json> = (0..customers)
        .map(|number| {
            json!({ "kind": "customer", "external_id": format!("c-{number}"),
                    "fields": { "name": "Ann Lee", "email": format!("ann{number}@shop.example"), "phone": "138 1234 5678" } })
        })
        .collect();
    bench.post(&intake, "/v1/records:batch", &json!({ "items": items })).is(200);
    (bench, intake)
}

fn reveal(bench: &Bench, by: &Key, number: usize) -> Reply {
    let subject = json!({ "external_id": format!("c-{number}") });
    bench.post(by, "/v1/records:reveal", &json!({ "purpose": "account", "subject": subject }))
}

/// Reveals one customer behind the other, until one is refused. Gives how many were opened.
#[track_caller]
fn reveal_until_frozen(bench: &Bench, by: &Key, numbers: std::ops::Range<usize>) -> usize {
    for (opened, number) in numbers.enumerate() {
        let reply = reveal(bench, by, number);
        if reply.status != 200 {
            reply.problem(403, "SR-PEOPLE-009");
            return opened;
        }
    }
    panic!("all were opened");
}

/// Codes of what the deep check finds.
fn deep_codes(bench: &Bench) -> Vec<&'static str> {
    let report = account::deep_check(bench.house(), &bench.shop(), &mut |_, _| {}).unwrap();
    report.findings.iter().map(|finding| finding.code).collect()
}

/// What the list of credentials says of one.
fn listed(bench: &Bench, key: &Key) -> Json {
    let all = bench.get(&bench.admin, "/v1/credentials").is(200);
    all.as_array().unwrap().iter().find(|one| one["id"] == key.id()).unwrap().clone()
}

fn unfreeze(bench: &Bench, by: &Key, key: &Key) -> Reply {
    bench.post(by, &format!("/v1/credentials/{}:unfreeze", key.id()), &json!({ "reason": "incident-17" }))
}
