//! What is lost when a primary dies under load: nothing that was acknowledged, if every COMMIT waits for the standby; and a great
//! deal, if none does. That the second test finds it says that the first one looks.

#![cfg(test)]

use std::time::{Duration, Instant};

use testbed::{Answer, Load, Pair, Verdict, Version, Waits};

use crate::sql::Sql;

const WRITERS: u64 = 4;
/// So many are acknowledged before the primary dies.
const BEFORE: u64 = 10_000;
/// And so many after another has taken its place.
const AFTER: u64 = 1_000;
const SOON: Duration = Duration::from_secs(40);

/// When the standby is cut off, seen from the death of the primary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Never,
    OneSecondBefore,
}

/// A writer that inserts into a table, and connects again, wherever it can write, when its connection is gone.
fn writer(url: String) -> impl FnMut(u64) -> Answer {
    let mut connection = None;
    move |number| {
        if connection.is_none() {
            connection = Sql::connect(&url);
        }
        // What was never sent was refused.
        let Some(sql) = &connection else { return Answer::Refused };
        let answer = sql.commit("INSERT INTO kept VALUES ($1)", &[&i64::try_from(number).unwrap()]);
        if answer != Answer::Acked {
            connection = None;
        }
        answer
    }
}

/// Kills a primary under load, lets its standby take over, and looks for what was acknowledged. `None` if there is no server.
fn failover(version: Version, waits: Waits, cut: Cut) -> Option<Verdict> {
    let mut pair = Pair::new(version, waits)?;
    let database = pair.primary().database();
    database.try_sql_as(&database.owner(), "CREATE TABLE kept (n bigint PRIMARY KEY)").unwrap();
    let url = pair.plain_url(&database, &database.run());
    let load = Load::start(WRITERS, move |_| writer(url.clone()));
    load.wait_for(BEFORE, SOON);
    let mut blocked = 0;
    if cut == Cut::OneSecondBefore {
        pair.cut_standby();
        let (begin, acked) = (Instant::now(), load.acked());
        while begin.elapsed() < Duration::from_secs(1) {
            std::thread::yield_now();
        }
        blocked = load.acked() - acked;
    }
    if (waits, cut) == (Waits::ForTheStandby, Cut::OneSecondBefore) {
        assert_eq!(blocked, 0, "without its standby the primary acknowledges nothing");
    }

    pair.kill_primary();
    let begin = Instant::now();
    pair.promote();
    let promoted = begin.elapsed();
    load.wait_for(AFTER, SOON);
    let tally = load.stop();
    let rows = pair.primary().sql(database.name(), "SELECT n FROM kept");
    let verdict = tally.judge(rows.lines().map(|row| row.parse().unwrap()));
    eprintln!("PostgreSQL {}: {verdict}; promoted in {:.2} s", version.number(), promoted.as_secs_f64());
    Some(verdict)
}

#[test]
fn nothing_acknowledged_is_lost_when_every_commit_waits_for_the_standby() {
    for version in Version::ALL {
        let Some(verdict) = failover(version, Waits::ForTheStandby, Cut::Never) else { continue };
        assert!(verdict.acked >= BEFORE + AFTER, "{verdict}");
        assert_eq!((verdict.lost, verdict.phantoms), (0, 0), "{verdict}");
    }
}

#[test]
fn nothing_is_acknowledged_and_nothing_lost_while_the_standby_is_gone() {
    let Some(verdict) = failover(Version::V15, Waits::ForTheStandby, Cut::OneSecondBefore) else { return };
    assert_eq!((verdict.lost, verdict.phantoms), (0, 0), "{verdict}");
    // Each of them waited for its answer when the primary died.
    assert!(verdict.unknown >= WRITERS && verdict.landed < verdict.unknown, "{verdict}");
}

#[test]
fn the_twin_that_waits_for_nobody_loses_what_it_acknowledged() {
    let Some(verdict) = failover(Version::V15, Waits::ForNobody, Cut::OneSecondBefore) else { return };
    assert!(verdict.lost > 0, "the test would not see a loss: {verdict}");
    assert_eq!(verdict.phantoms, 0, "{verdict}");
}
