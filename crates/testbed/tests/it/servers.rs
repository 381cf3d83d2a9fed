//! Servers and databases.

#![cfg(test)]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testbed::{Database, Postgres, Version};

/// Runs a check on a shared server of each version that is here.
fn on_all(check: impl Fn(&Postgres)) {
    Version::ALL.into_iter().filter_map(Postgres::shared).for_each(|server| check(&server));
}

#[test]
fn a_server_is_what_its_version_says_and_holds_its_settings() {
    on_all(|server| {
        let says = |what: &str| server.sql("postgres", &format!("SHOW {what}"));
        assert!(says("server_version").starts_with(server.version().number()));
        let settings = ["data_checksums", "fsync", "autovacuum", "max_connections", "shared_buffers"];
        assert_eq!(settings.map(says), ["on", "on", "on", "400", "64MB"]);
        assert_eq!(says("ssl") == "on", server.version().has_tls());
        let settings = ["password_encryption", "lc_messages", "log_statement", "server_encoding"];
        assert_eq!(settings.map(says), ["scram-sha-256", "C", "none", "UTF8"]);
    });
}

#[test]
fn the_owner_makes_tables_and_the_role_that_runs_only_uses_them() {
    on_all(|server| {
        let database = server.database();
        let (owner, run) = (database.owner(), database.run());
        database.try_sql_as(&owner, "CREATE TABLE a (n bigint); INSERT INTO a VALUES (1)").unwrap();
        let used = "INSERT INTO a VALUES (2); UPDATE a SET n = 3 WHERE n = 2; DELETE FROM a WHERE n = 1; SELECT n FROM a";
        assert_eq!(database.try_sql_as(&run, used).unwrap(), "3");
        for refused in [
            "CREATE TABLE b (n bigint)",
            "CREATE TEMPORARY TABLE b (n bigint)",
            "ALTER TABLE a ADD COLUMN m bigint",
            "CREATE INDEX ON a (n)",
            "TRUNCATE a",
            "DROP TABLE a",
            "CREATE SCHEMA b",
            "CREATE DATABASE b",
            "CREATE ROLE b",
            "SET ROLE postgres",
        ] {
            let said = database.try_sql_as(&run, refused).unwrap_err();
            assert!(
                said.contains("permission denied") || said.contains("must be owner"),
                "{refused}: {said}"
            );
        }
        let rights = "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname";
        for role in [owner, run] {
            assert_eq!(database.sql(&format!("{rights} = '{role}'")), "f|f|f|f");
        }
    });
}

#[test]
fn a_database_is_reached_by_each_of_its_urls_and_by_no_wrong_one() {
    on_all(|server| {
        let (database, other) = (server.database(), server.database());
        let over_tcp = if server.version().has_tls() { "t" } else { "f" };
        let tls = "SELECT ssl, current_user FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        for (url, ssl, role) in [
            (database.owner_url(), over_tcp, database.owner()),
            (database.run_url(), over_tcp, database.run()),
            (database.owner_socket_url(), "f", database.owner()),
            (database.run_socket_url(), "f", database.run()),
            (database.plain_url(&database.run(), server.port()), "f", database.run()),
        ] {
            assert_eq!(server.ask(&url, tls).unwrap(), format!("{ssl}|{role}"), "{url}");
        }
        let guessed = database.run_url().replace(database.password(), "guessed");
        let path = |database: &Database| format!("/{}?", database.name());
        let elsewhere = database.run_url().replace(&path(&database), &path(&other));
        for (url, why) in
            [(guessed, "password authentication failed"), (elsewhere, "permission denied for database")]
        {
            let said = server.ask(&url, tls).unwrap_err();
            assert!(said.contains(why), "{url}: {said}");
        }
    });
}

#[test]
fn a_certificate_of_a_stranger_for_another_host_or_past_its_end_is_refused() {
    for version in Version::ALL.into_iter().filter(|version| version.has_tls()) {
        let Some(server) = Postgres::own(version, &[]) else { continue };
        let database = server.database();
        let stranger = database.url(&database.run(), &server.stranger_ca());
        assert!(server.ask(&stranger, "SELECT 1").unwrap_err().contains("certificate verify failed"));
        server.ask(&database.run_url(), "SELECT 1").unwrap();
        for (name, why) in
            [("elsewhere", "does not match host name"), ("expired", "certificate verify failed")]
        {
            server.show_certificate(name);
            let said = server.ask(&database.run_url(), "SELECT 1").unwrap_err();
            assert!(said.contains(why), "{name}: {said}");
        }
    }
}

#[test]
fn a_dropped_database_is_gone_with_its_roles_though_somebody_is_connected() {
    on_all(|server| {
        let database = server.database();
        let name = database.name().to_owned();
        let count = format!(
            "SELECT (SELECT count(*) FROM pg_database WHERE datname = '{name}')
                  + (SELECT count(*) FROM pg_roles WHERE rolname LIKE '{name}%')"
        );
        let before = server.sql("postgres", &count);
        let cut = std::thread::scope(|scope| {
            let asleep = scope.spawn(|| database.try_sql_as(&database.run(), "SELECT pg_sleep(30)"));
            let connected = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
            while server.sql("postgres", &connected) != "1" {}
            server.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
            asleep.join().unwrap()
        });
        drop(database);
        assert_eq!(
            (before.as_str(), server.sql("postgres", &count).as_str()),
            ("3", "2"),
            "the first drop was ours"
        );
        assert!(cut.unwrap_err().contains("terminating connection"));
    });
}

#[test]
fn what_was_committed_outlives_a_kill_and_what_was_not_does_not() {
    for version in Version::ALL {
        let Some(server) = Postgres::own(version, &[("log_checkpoints", "off")]) else { continue };
        assert_eq!(server.sql("postgres", "SHOW log_checkpoints"), "off");
        server.sql("postgres", "CREATE TABLE a (n bigint); INSERT INTO a VALUES (1)");
        server.kill_9();
        assert!(server.try_sql("postgres", "SELECT 1").is_err(), "it is dead");
        server.start();
        assert_eq!(server.sql("postgres", "SELECT n FROM a"), "1");
        assert!(server.log_text().contains("was not properly shut down"), "{}", server.log_text());
        server.restart();
        assert_eq!(server.sql("postgres", "SELECT n FROM a"), "1");
    }
}

#[test]
fn a_server_that_is_paused_says_nothing_until_it_goes_on() {
    let Some(server) = Postgres::own(Version::V15, &[]) else { return };
    server.pause();
    std::thread::scope(|scope| {
        let begin = Instant::now();
        let asks = scope.spawn(|| server.try_sql("postgres", "SELECT 1"));
        let paused = Duration::from_millis(500);
        while begin.elapsed() < paused {
            assert!(!asks.is_finished(), "nobody answers");
            std::thread::yield_now();
        }
        server.resume();
        assert_eq!(asks.join().unwrap().unwrap(), "1");
    });
}

#[test]
fn a_full_disk_stops_writes_loses_nothing_and_lets_them_go_on_once_there_is_room() {
    let Some(server) = Postgres::own_on_disk(Version::V15, 160 << 20, &[]) else { return };
    server.sql("postgres", "CREATE TABLE a (n bigint, t text); INSERT INTO a VALUES (1)");
    server.fill_disk();
    let mut acked: u64 = 1;
    let full = loop {
        let row =
            format!("INSERT INTO a SELECT {}, repeat('x', 1000) FROM generate_series(1, 1000)", acked + 1);
        match server.try_sql("postgres", &row) {
            Ok(_) => acked += 1,
            Err(said) => break said,
        }
        assert!(acked < 100, "100 MB went onto a disk that is full");
    };
    assert!(full.contains("No space left on device") || full.contains("server closed"), "{full}");
    server.empty_disk();
    let begin = Instant::now();
    // Where its own log had no room it crashed, and starts by itself.
    while let Err(said) = server.try_sql("postgres", "INSERT INTO a VALUES (0)") {
        assert!(begin.elapsed() < Duration::from_secs(20), "{said}");
        std::thread::yield_now();
    }
    assert_eq!(server.sql("postgres", "SELECT count(DISTINCT n) - 1 FROM a"), acked.to_string());
}

#[test]
#[ignore = "not a test of its own: the next one starts it and kills it"]
fn somebody_who_has_a_server() {
    let Some(server) = Postgres::own(Version::V15, &[]) else { return };
    println!("\nlies in {}", server.data_dir().display());
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_private_server_ends_with_the_test_even_when_that_is_killed() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "servers::somebody_who_has_a_server", "--ignored", "--nocapture"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said: Option<PathBuf> =
        lines.map_while(Result::ok).find_map(|line| line.strip_prefix("lies in ").map(PathBuf::from));
    let lives = said.as_ref().map(|data| data.join("postmaster.pid").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let Some(data) = said else { return };
    assert_eq!(lives, Some(true));
    let begin = Instant::now();
    while data.parent().unwrap().exists() {
        assert!(begin.elapsed() < Duration::from_secs(10), "{} is still there", data.display());
        std::thread::yield_now();
    }
}
