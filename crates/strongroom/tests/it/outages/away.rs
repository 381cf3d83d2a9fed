//! The database is slow, full of connections, or its disk is full: callers are told soon, and it goes on by itself.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::json;
use testbed::{Postgres, Proxy, Version};

use super::{Writing, is_elsewhere, is_whole, pause};
use crate::engine::Home;
use crate::vault::{Caller, Server, Vault, customer, reveal};

const SOON: Duration = Duration::from_secs(240);

/// Whether somebody who routes callers is told to route them elsewhere, and why.
fn says_that_it_is_away(server: &Server) -> bool {
    let mut nobody = server.caller("");
    nobody.get("/health/live").has(200);
    let ready = nobody.get("/health/ready");
    let is_away = ready.status == 503;
    if is_away {
        assert_eq!(ready.json(), json!({ "status": "down", "attention": ["store_unreachable"] }));
    }
    is_away
}

#[track_caller]
fn wait_until(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < within, "{what}: not within {within:?}");
        pause(50);
    }
}

/// What the process has in memory, KiB.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn while_the_database_is_slow_callers_are_told_to_come_back_and_when_it_is_quick_again_it_goes_on() {
    if is_elsewhere() {
        return;
    }
    let Some(postgres) = Postgres::own(Version::V15, &[]) else { return };
    let (proxy, database) = (Proxy::before(&postgres), postgres.database());
    let address = database.plain_url(&database.run(), proxy.port());
    let vault = Vault::on(Home::at(database, &address));
    let (intake, service) = (vault.credential("intake", &[]), vault.credential("service", &["account"]));
    let server = vault.serve();
    server.caller(&intake).post("/v1/records", &customer(0)).has(201);
    assert!(!says_that_it_is_away(&server));
    let before = memory(&server);
    proxy.delay_answers(Duration::from_secs(5));
    let slow_since = Instant::now();
    // Forty callers who come again whenever they are answered, for a minute less than what one transaction takes.
    let ask = |who: u64| {
        let mut caller = Caller::new(server.api, if who % 2 == 0 { &intake } else { &service });
        let mut waits = Vec::new();
        while slow_since.elapsed() < Duration::from_secs(25) {
            let asked = Instant::now();
            let answer = if who % 2 == 0 {
                caller.post("/v1/records", &customer(1_000 * who + waits.len() as u64))
            } else {
                caller.post("/v1/records:reveal", &reveal(0, "account"))
            };
            if answer.status == 503 {
                assert!(answer.head.contains("retry-after:"), "{}", answer.head);
            }
            waits.push((answer.status, asked.elapsed()));
            pause(100);
        }
        waits
    };
    let waits: Vec<(u16, Duration)> = std::thread::scope(|scope| {
        let ask = &ask;
        let all: Vec<_> = (1..=40).map(|who| scope.spawn(move || ask(who))).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    let longest = waits.iter().map(|(_, wait)| *wait).max().unwrap();
    let at_once = waits.iter().filter(|(_, wait)| *wait < Duration::from_secs(1)).count();
    let grown = memory(&server).saturating_sub(before);
    eprintln!(
        "{} answers, {at_once} of them at once, the longest after {:.1} s; {grown} KiB more in memory",
        waits.len(),
        longest.as_secs_f64()
    );
    assert!(waits.iter().all(|(status, _)| matches!(status, 200 | 201 | 503)), "{waits:?}");
    assert!(longest < Duration::from_secs(13), "{longest:?}");
    assert!(at_once > waits.len() / 2, "{at_once} of {}", waits.len());
    assert!(grown < 32 << 10, "{grown} KiB");
    // It may just have ended what it was at, in its slow way; with the next caller it is away again.
    std::thread::scope(|scope| {
        let (still, hears_no_more) = channel::<()>();
        let (server, intake) = (&server, &intake);
        scope.spawn(move || {
            for who in 100_000..200_000 {
                server.caller(intake).post("/v1/records", &customer(who));
                let heard = hears_no_more.recv_timeout(Duration::from_millis(100));
                if heard == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        });
        wait_until("it says that it is away", SOON, || says_that_it_is_away(server));
        drop(still);
    });
    proxy.delay_answers(Duration::ZERO);
    wait_until("it is back", SOON, || !says_that_it_is_away(&server));
    wait_until("it writes", SOON, || server.caller(&intake).post("/v1/records", &customer(1)).status == 201);
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
    is_whole(&vault);
}

#[test]
fn while_the_server_takes_no_connection_callers_are_told_and_it_goes_on_by_itself() {
    if is_elsewhere() {
        return;
    }
    let Some(postgres) = Postgres::own(Version::V15, &[]) else { return };
    let database = postgres.database();
    let (address, role) = (database.run_url(), database.run());
    let vault = Vault::on(Home::at(database, &address));
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    let mut caller = server.caller(&intake);
    caller.post("/v1/records", &customer(0)).has(201);
    // As where others have taken all connections (53300), and the house's were lost.
    postgres.sql("postgres", &format!("ALTER ROLE {role} CONNECTION LIMIT 0"));
    let ends =
        format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{role}'");
    postgres.sql("postgres", &ends);
    for number in 1..20 {
        let asked = Instant::now();
        let answer = caller.post("/v1/records", &customer(number)).has(503);
        assert!(answer.head.contains("retry-after:"), "{}", answer.head);
        assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    }
    assert!(says_that_it_is_away(&server));
    postgres.sql("postgres", &format!("ALTER ROLE {role} CONNECTION LIMIT -1"));
    // Nobody asks, and it finds out by itself.
    wait_until("it is back", SOON, || !says_that_it_is_away(&server));
    caller.post("/v1/records", &customer(50)).has(201);
    server.stop();
    is_whole(&vault);
}

#[test]
fn when_the_servers_disk_is_full_nothing_acknowledged_is_lost_and_it_goes_on_when_there_is_room() {
    if is_elsewhere() {
        return;
    }
    let small = [("min_wal_size", "32MB"), ("max_wal_size", "32MB"), ("shared_buffers", "16MB")];
    let Some(postgres) = Postgres::own_on_disk(Version::V15, 320 << 20, &small) else { return };
    let database = postgres.database();
    let address = database.run_url();
    let vault = Vault::on(Home::at(database, &address));
    let (intake, officer) = (vault.credential("intake", &[]), vault.credential("officer", &[]));
    let auditor = vault.credential("auditor", &[]);
    let server = vault.serve();
    let writing = Writing::start(2, &server, &intake);
    writing.wait_for(200, SOON);
    postgres.fill_disk();
    let began = Instant::now();
    let mut last = (writing.load.acked(), Instant::now());
    while last.1.elapsed() < Duration::from_secs(3) {
        let now = writing.load.acked();
        if now > last.0 {
            last = (now, Instant::now());
        }
        assert!(began.elapsed() < SOON, "the disk is never full");
        pause(50);
    }
    let answer = server.caller(&intake).post("/v1/records", &customer(1 << 50));
    eprintln!("full after {} batches: {} {}", last.0, answer.status, answer.text());
    assert!(matches!(answer.status, 503 | 507), "{}", answer.text());
    let mut nobody = server.caller("");
    nobody.get("/health/live").has(200);
    wait_until("it says so", SOON, || nobody.get("/health/ready").json()["status"] != "ok");
    // What is only read is served, as long as the server is up.
    let read = server.caller(&auditor).get("/v1/ledger/checkpoint");
    assert!(matches!(read.status, 200 | 503), "{}", read.text());
    postgres.empty_disk();
    if postgres.try_sql("postgres", "SELECT 1").is_err() {
        // It went down with its WAL's disk: whoever looks after it starts it again.
        postgres.kill_9();
        postgres.start();
    }
    writing.wait_for(500, SOON);
    let verdict = writing.end(&server, &officer);
    eprintln!("{verdict}");
    assert!(verdict.longest_wait > Duration::from_secs(3), "{verdict}");
    assert_eq!((verdict.lost, verdict.phantoms), (0, 0), "{verdict}");
    wait_until("it says that all is well", SOON, || {
        server.caller("").get("/health/ready").json()["status"] == "ok"
    });
    server.stop();
    is_whole(&vault);
}
