//! The primary dies under load, and its standby takes over.

use std::time::{Duration, Instant};

use testbed::{Pair, Version, Waits};

use super::{ITEMS, Writing, is_elsewhere, is_whole, number_of, pause, reveals};
use crate::engine::Home;
use crate::vault::Vault;

const SOON: Duration = Duration::from_secs(240);

/// A vault whose address names both servers.
fn vault_on(pair: &Pair) -> Vault {
    let database = pair.primary().database();
    let address = pair.plain_url(&database, &database.run());
    Vault::on(Home::at(database, &address))
}

#[test]
fn when_a_primary_dies_under_load_the_house_goes_on_with_its_standby_and_has_all_that_it_acknowledged() {
    if is_elsewhere() {
        return;
    }
    let Some(mut pair) = Pair::new(Version::V15, Waits::ForTheStandby) else { return };
    let vault = vault_on(&pair);
    let intake = vault.credential("intake", &[]);
    let (officer, service) = (vault.credential("officer", &[]), vault.credential("service", &["account"]));
    let server = vault.serve();
    let writing = Writing::start(4, &server, &intake);
    writing.wait_for(6_000, SOON);
    pair.kill_primary();
    let killed = Instant::now();
    pair.promote();
    let promoted = killed.elapsed();
    writing.wait_for(1, SOON);
    let resumed = killed.elapsed();
    writing.wait_for(5_000, SOON);
    let verdict = writing.end(&server, &officer);
    eprintln!(
        "{} customers acknowledged, {} lost; batches of {ITEMS}: {verdict}; promoted after {:.2} s, first acknowledgement after {:.2} s",
        verdict.acked * ITEMS,
        verdict.lost * ITEMS,
        promoted.as_secs_f64(),
        resumed.as_secs_f64(),
    );
    assert!(verdict.acked * ITEMS >= 10_000, "{verdict}");
    assert_eq!((verdict.lost, verdict.phantoms), (0, 0), "{verdict}");
    assert!(verdict.longest_wait < Duration::from_secs(20), "{verdict}");
    reveals(&server, &service, (0..50).map(|item| number_of(0, item)));
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
    is_whole(&vault);
}

#[test]
fn the_twin_whose_commits_wait_for_nobody_loses_what_it_acknowledged_and_writes_no_second_history() {
    if is_elsewhere() {
        return;
    }
    let Some(mut pair) = Pair::new(Version::V15, Waits::ForNobody) else { return };
    let vault = vault_on(&pair);
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    let writing = Writing::start(4, &server, &intake);
    writing.wait_for(500, SOON);
    pair.cut_standby();
    writing.wait_for(500, SOON);
    // Long enough for the head beside the keyring to be signed anew: it is newer than what the standby has.
    pause(2_500);
    pair.kill_primary();
    let tally = writing.load.stop();
    pair.promote();
    let rows = pair.primary().sql(vault.database_name(), "SELECT count(*) FROM subject");
    let rows: u64 = rows.parse().unwrap();
    let acked = tally.judge([]).acked * ITEMS;
    eprintln!("{acked} customers acknowledged, {rows} there");
    assert!(rows < acked, "the test would not see a loss");
    // What this process knows of its log is more than there is: it adds nothing, for it would sign a second history.
    let mut caller = server.caller(&intake);
    for _ in 0..10 {
        let answer = caller.post("/v1/records", &crate::vault::customer(1 << 40));
        assert!(matches!(answer.status, 500 | 503), "{} {}", answer.status, answer.text());
        assert!(answer.text().contains("SR-STORE-0"), "{}", answer.text());
        pause(300);
    }
    let after = pair.primary().sql(vault.database_name(), "SELECT count(*) FROM subject");
    assert_eq!(after.parse::<u64>().unwrap(), rows);
    drop(caller);
    server.kill();
    // Nor does one that starts anew.
    let refused = vault.serve_with(&[]).expect_err("the ledger is shorter than its signed head");
    assert!(refused.err.contains("error[SR-ACCOUNT-001]"), "{}", refused.err);
}
