//! Which engine a run of the tests is for: a folder, or a server when `STRONGROOM_TEST_PG` says so.

#![cfg(test)]

use std::sync::atomic::{AtomicUsize, Ordering};

use strongroom::open::Rows;

/// Is the run for a server?
#[expect(
    clippy::disallowed_methods,
    reason = "which engine a run of the tests is for stands in its environment"
)]
fn asked() -> Option<String> {
    std::env::var("STRONGROOM_TEST_PG").ok()
}

/// The address of a fresh database, when the run is for a server.
pub(crate) fn address() -> Option<String> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let address = asked()?;
    let name = format!("t{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let made = std::process::Command::new("psql")
        .args([&address, "-qc", &format!("CREATE DATABASE {name}")])
        .status();
    assert!(made.unwrap().success());
    Some(format!("{}/{name}", address.rsplit_once('/').unwrap().0))
}

/// Where a new vault has its rows.
pub(crate) fn rows() -> Rows {
    match address() {
        Some(address) => Rows::OnServer(store::Server::parse(&address, None).unwrap()),
        None => Rows::InFolder,
    }
}
