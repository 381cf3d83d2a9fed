//! One of two houses on a database stands still with a shop's pen in hand.

use std::time::{Duration, Instant};

use ledger::hash::Hash;
use ledger::tree::verify_consistency;
use serde_json::Value as Json;
use testbed::{Postgres, Version};

use super::{ITEMS, Writing, is_elsewhere, is_whole, pause};
use crate::engine::Home;
use crate::vault::{Server, Vault, signal};

/// So long it stands still.
const STANDS: Duration = Duration::from_secs(30);

#[test]
fn a_house_that_is_paused_with_the_pen_in_hand_holds_up_the_other_for_seconds_and_forks_nothing() {
    if is_elsewhere() {
        return;
    }
    let Some(own) = Postgres::own(Version::V15, &[]) else { return };
    let database = own.database();
    let address = database.run_url();
    let vault = Vault::on(Home::at(database, &address));
    let (intake, officer, auditor) =
        (vault.credential("intake", &[]), vault.credential("officer", &[]), vault.credential("auditor", &[]));
    let beside = vault.beside("other");
    let (one, other) = (vault.serve(), vault.serve_with(&["--data", &beside]).unwrap());
    let (at_one, at_other) = (Writing::among(0, 2, &one, &intake), Writing::among(1, 2, &other, &intake));
    at_one.wait_for(200, STANDS);
    at_other.wait_for(200, STANDS);
    let before = head(&one, &auditor);
    // Stopped while its transaction is open and waits for its next statement: that is, with the pen in hand.
    let held = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND application_name = 'strongroom'";
    let mut tries = 0;
    loop {
        signal(one.id(), "STOP");
        pause(300);
        let idle = || own.sql("postgres", held) == "1";
        // The other's transactions end in between.
        if idle()
            && {
                pause(300);
                idle()
            }
            && {
                pause(300);
                idle()
            }
        {
            break;
        }
        signal(one.id(), "CONT");
        tries += 1;
        assert!(tries < 200, "it is never stopped with the pen in hand");
        pause(17);
    }
    let stopped = Instant::now();
    at_other.wait_for(1, Duration::from_secs(20));
    let held_up = stopped.elapsed();
    at_other.wait_for(ITEMS * 4, STANDS);
    while stopped.elapsed() < STANDS {
        pause(100);
    }
    let between = head(&other, &auditor);
    signal(one.id(), "CONT");
    at_one.wait_for(100, STANDS);
    at_other.wait_for(100, STANDS);
    let verdicts = [at_one.end(&other, &officer), at_other.end(&one, &officer)];
    eprintln!(
        "held up for {:.1} s after {tries} tries; {}; {}",
        held_up.as_secs_f64(),
        verdicts[0],
        verdicts[1]
    );
    for verdict in verdicts {
        assert_eq!((verdict.lost, verdict.phantoms), (0, 0), "{verdict}");
    }
    assert!(held_up < Duration::from_secs(14), "the other waited for {held_up:?}");
    assert!(verdicts[0].acked > 8 && verdicts[1].acked > 8);
    // Whatever either of them has signed, each is the continuation of the one before. One may be a second behind the other.
    let mut heads = [before, between, head(&one, &auditor), head(&other, &auditor)];
    heads.sort_unstable_by_key(|(size, _)| *size);
    for pair in heads.windows(2) {
        let ((from, old), (to, new)) = (&pair[0], &pair[1]);
        for server in [&one, &other] {
            let path = format!("/v1/ledger/consistency?from={from}&to={to}");
            let proof = server.caller(&auditor).get(&path).has(200).json();
            let proof: Vec<Hash> = proof["proof"].as_array().unwrap().iter().map(hash).collect();
            verify_consistency(*from, old, *to, new, &proof).unwrap();
            if from != to {
                // The check can fail.
                verify_consistency(*from, new, *to, new, &proof).unwrap_err();
            }
        }
    }
    for server in [one, other] {
        let (status, said) = server.stop();
        assert!(status.success(), "{said}");
    }
    is_whole(&vault);
}

fn hash(text: &Json) -> Hash {
    text.as_str().unwrap().parse().unwrap()
}

/// The head that a server signs now: size and root.
fn head(server: &Server, auditor: &str) -> (u64, Hash) {
    let found = server.caller(auditor).get("/v1/ledger/checkpoint").has(200).json();
    let verifier = found["verifier_key"].as_str().unwrap().parse().unwrap();
    let note = found["checkpoint"].as_str().unwrap();
    let head =
        ledger::checkpoint::Checkpoint::open(note, &verifier, found["origin"].as_str().unwrap()).unwrap();
    (head.size(), *head.root())
}
