//! What the proxy does to a connection, and what has become of the transaction then.

#![cfg(test)]

use std::sync::mpsc;
use std::time::{Duration, Instant};

use testbed::{Database, Moment, Postgres, Proxy, Version, What};

use crate::sql::Sql;

/// A database with an empty table, and a proxy in front of its server.
struct Bed {
    proxy: Proxy,
    database: Database,
}

impl Bed {
    /// `None` after saying so.
    fn find(version: Version) -> Option<Bed> {
        let database = Postgres::shared(version)?.database();
        database.try_sql_as(&database.owner(), "CREATE TABLE a (n bigint)").unwrap();
        Some(Bed { proxy: Proxy::before(database.server()), database })
    }

    fn connect(&self) -> Sql {
        Sql::connect(&self.url()).unwrap()
    }

    fn url(&self) -> String {
        self.database.plain_url(&self.database.run(), self.proxy.port())
    }

    fn rows(&self) -> String {
        self.database.sql("SELECT count(*) FROM a")
    }

    /// The server has noticed that its clients are gone, and taken back what they had not committed.
    fn is_left_alone(&self) {
        let name = self.database.name();
        let others = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
        while self.database.server().sql("postgres", &others) != "0" {}
    }
}

/// One row in one transaction, by simple queries.
const ONE: [&str; 3] = ["BEGIN", "INSERT INTO a VALUES (1)", "COMMIT"];

fn write(sql: &Sql) -> Result<(), tokio_postgres::Error> {
    ONE.into_iter().try_for_each(|statement| sql.run(statement))
}

#[test]
fn a_commit_that_is_cut_is_done_or_not_as_the_moment_says_and_the_client_never_knows() {
    for (moment, rows) in
        [(Moment::Before, "0"), (Moment::Half, "0"), (Moment::Answered, "1"), (Moment::HalfAnswered, "1")]
    {
        for version in Version::ALL {
            let Some(bed) = Bed::find(version) else { continue };
            bed.proxy.cut(moment, What::Sql("commit".into()), 1);
            let error = write(&bed.connect()).unwrap_err();
            assert!(error.code().is_none(), "{moment:?}: not a word of the server's: {error}");
            assert!(bed.proxy.has_cut());
            bed.is_left_alone();
            assert_eq!(bed.rows(), rows, "{moment:?}");
        }
    }
}

#[test]
fn without_a_cut_the_same_transaction_goes_through_and_is_counted() {
    let Some(bed) = Bed::find(Version::V15) else { return };
    let sql = bed.connect();
    write(&sql).unwrap();
    assert_eq!(sql.execute("INSERT INTO a VALUES ($1)", &[&2_i64]).unwrap(), 1);
    assert_eq!(bed.rows(), "2");
    let counts = bed.proxy.counts();
    let of = |letter| counts.messages.get(&letter).copied().unwrap_or_default();
    assert_eq!((of('Q'), of('P'), of('B'), of('E'), of('S')), (3, 1, 1, 1, 2));
    assert_eq!((counts.connections, counts.answers), (1, 1 + 3 + 2), "its start, its queries, its syncs");
}

#[test]
fn a_statement_that_commits_by_itself_is_done_from_its_sync_on() {
    for (moment, what, rows) in [
        (Moment::Before, What::Bind, "0"),
        (Moment::Before, What::Execute, "0"),
        (Moment::Answered, What::Sql("INSERT".into()), "1"),
        (Moment::Answered, What::Sync, "1"),
    ] {
        let Some(bed) = Bed::find(Version::V15) else { return };
        // The first sync ends the preparation.
        bed.proxy.cut(moment, what.clone(), if what == What::Sync { 2 } else { 1 });
        bed.connect().execute("INSERT INTO a VALUES ($1)", &[&1_i64]).unwrap_err();
        bed.is_left_alone();
        assert_eq!(bed.rows(), rows, "{moment:?} {what:?}");
    }
}

#[test]
fn a_cut_before_each_message_in_turn_leaves_all_of_a_transaction_or_nothing() {
    let Some(bed) = Bed::find(Version::V15) else { return };
    let transaction = |sql: &Sql| {
        sql.run("BEGIN")?;
        sql.execute("INSERT INTO a VALUES ($1)", &[&1_i64])?;
        sql.execute("INSERT INTO a VALUES ($1)", &[&2_i64])?;
        sql.run("COMMIT")
    };
    let mut cuts = 0;
    loop {
        let sql = bed.connect();
        bed.proxy.cut(Moment::Before, What::Any, cuts + 1);
        let done = transaction(&sql);
        if done.is_ok() {
            break;
        }
        cuts += 1;
        bed.is_left_alone();
        assert_eq!(bed.rows(), "0", "cut before message {cuts}");
    }
    assert_eq!(bed.proxy.forget_cuts(), 1, "the last one did not come");
    assert!(cuts >= 10, "a query, two series and a query have more messages than {cuts}");
    assert_eq!(bed.rows(), "2");
}

#[test]
fn the_n_th_message_is_counted_over_all_connections_and_only_that_one_is_cut() {
    let Some(bed) = Bed::find(Version::V15) else { return };
    bed.proxy.cut(Moment::Answered, What::Sql("COMMIT".into()), 2);
    let (one, two) = (bed.connect(), bed.connect());
    write(&one).unwrap();
    write(&two).unwrap_err();
    write(&one).unwrap();
    assert_eq!(bed.rows(), "3");
}

#[test]
fn an_answer_is_held_back_for_the_time_that_it_is_told() {
    let Some(bed) = Bed::find(Version::V15) else { return };
    let sql = bed.connect();
    let took = |sql: &Sql| {
        let begin = Instant::now();
        sql.run("SELECT 1").unwrap();
        begin.elapsed()
    };
    let delay = Duration::from_millis(300);
    assert!(took(&sql) < delay);
    bed.proxy.delay_answers(delay);
    assert!(took(&sql) >= delay);
    bed.proxy.delay_answers(Duration::ZERO);
    assert!(took(&sql) < delay);
}

#[test]
fn a_network_that_parts_says_nothing_and_goes_on_where_it_was() {
    let Some(bed) = Bed::find(Version::V15) else { return };
    let sql = bed.connect();
    bed.proxy.part();
    let (says, said) = mpsc::channel();
    let begin = Instant::now();
    let writer = std::thread::spawn(move || {
        let wrote = write(&sql);
        says.send(wrote.is_ok()).unwrap();
    });
    said.recv_timeout(Duration::from_millis(500)).unwrap_err();
    assert!(Sql::connect(&bed.url()).is_none(), "nobody new gets an answer within its two seconds");
    assert_eq!(bed.rows(), "0");
    bed.proxy.heal();
    assert!(said.recv_timeout(Duration::from_secs(5)).unwrap());
    assert!(begin.elapsed() >= Duration::from_secs(2));
    writer.join().unwrap();
    assert_eq!(bed.rows(), "1");
}

#[test]
fn all_connections_are_cut_at_once_and_new_ones_are_taken() {
    let Some(bed) = Bed::find(Version::V15) else { return };
    let (one, two) = (bed.connect(), bed.connect());
    one.run("BEGIN; INSERT INTO a VALUES (1)").unwrap();
    bed.proxy.cut_all();
    one.run("COMMIT").unwrap_err();
    two.run("SELECT 1").unwrap_err();
    bed.is_left_alone();
    write(&bed.connect()).unwrap();
    assert_eq!(bed.rows(), "1");
}
