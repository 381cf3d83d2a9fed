//! Told to stop under load. (Killed under load: `kill.rs`, which a run for a server makes on one.)

use std::time::{Duration, Instant};

use testbed::{Postgres, Version};

use super::{Writing, found, is_elsewhere, is_whole};
use crate::engine::Home;
use crate::vault::Vault;

#[test]
fn told_to_stop_under_load_it_answers_what_it_has_accepted_and_all_that_it_acknowledged_is_there() {
    if is_elsewhere() {
        return;
    }
    let Some(postgres) = Postgres::shared(Version::V15) else { return };
    let database = postgres.database();
    let address = database.run_url();
    let vault = Vault::on(Home::at(database, &address));
    let (intake, officer) = (vault.credential("intake", &[]), vault.credential("officer", &[]));
    let server = vault.serve();
    let writing = Writing::start(4, &server, &intake);
    writing.wait_for(500, Duration::from_secs(120));
    let asked = Instant::now();
    let (status, said) = server.stop();
    let took = asked.elapsed();
    assert!(status.success(), "{said}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let tally = writing.load.stop();
    let sent = writing.sent.lock().unwrap().clone();
    let server = vault.serve();
    let verdict = tally.judge(found(&server, &officer, &sent));
    eprintln!("stopped within {:.2} s: {verdict}", took.as_secs_f64());
    assert!(verdict.acked > 20, "{verdict}");
    assert_eq!((verdict.lost, verdict.phantoms), (0, 0), "{verdict}");
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
    is_whole(&vault);
}
