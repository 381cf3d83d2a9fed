//! A primary and its standby.

#![cfg(test)]

use testbed::{Pair, Proxy, Version, Waits};

#[test]
fn what_is_committed_is_on_the_standby_and_the_old_primary_rejoins_without_what_only_it_had() {
    for version in Version::ALL {
        let Some(mut pair) = Pair::new(version, Waits::ForTheStandby) else { continue };
        let read_only =
            |pair: &Pair| pair.standby().try_sql("postgres", "INSERT INTO a VALUES (0)").unwrap_err();
        pair.primary().sql("postgres", "CREATE TABLE a (n bigint); INSERT INTO a VALUES (1)");
        assert!(read_only(&pair).contains("read-only transaction"));

        // Only the primary gets 2: nobody was told that it is kept.
        pair.cut_standby();
        pair.primary().sql("postgres", "SET synchronous_commit = local; INSERT INTO a VALUES (2)");
        let (old, new) = (pair.primary().port(), pair.standby().port());
        pair.kill_primary();
        pair.promote();
        assert_eq!((pair.primary().port(), pair.standby().port()), (new, old));
        pair.primary().sql("postgres", "INSERT INTO a VALUES (3)");

        pair.rejoin();
        assert_eq!(pair.sync_state(), "sync");
        pair.primary().sql("postgres", "INSERT INTO a VALUES (4)");
        let rows = "SELECT string_agg(n::text, ' ' ORDER BY n) FROM a";
        assert_eq!(pair.primary().sql("postgres", rows), "1 3 4");
        // What the standby has on its disk it shows a moment later.
        while pair.standby().sql("postgres", rows) != "1 3 4" {}
        assert!(read_only(&pair).contains("read-only transaction"));

        // And back again.
        pair.kill_primary();
        pair.promote();
        assert_eq!(pair.primary().port(), old);
        assert_eq!(pair.primary().sql("postgres", rows), "1 3 4");
    }
}

#[test]
fn one_url_leads_to_whichever_can_be_written_to() {
    let Some(mut pair) = Pair::new(Version::V15, Waits::ForTheStandby) else { return };
    let database = pair.primary().database();
    let url = pair.url(&database, &database.run());
    let asks = "SELECT setting FROM pg_settings WHERE name = 'port'";
    let server = pair.primary();
    assert_eq!(server.ask(&url, asks).unwrap(), server.port().to_string());
    pair.kill_primary();
    assert!(pair.standby().ask(&url, asks).unwrap_err().contains("read-only"), "nobody can be written to");
    pair.promote();
    let server = pair.primary();
    assert_eq!(server.ask(&url, asks).unwrap(), server.port().to_string());
}

#[test]
fn an_address_that_moves_leads_to_the_new_primary() {
    let Some(mut pair) = Pair::new(Version::V15, Waits::ForTheStandby) else { return };
    let database = pair.primary().database();
    let address = Proxy::before(pair.primary());
    let url = database.plain_url(&database.run(), address.port());
    let is_standby = "SELECT pg_is_in_recovery()";
    assert_eq!(pair.primary().ask(&url, is_standby).unwrap(), "f");
    pair.kill_primary();
    pair.primary().ask(&url, is_standby).unwrap_err();
    address.lead_to(pair.standby());
    assert_eq!(pair.standby().ask(&url, is_standby).unwrap(), "t");
    pair.promote();
    assert_eq!(pair.primary().ask(&url, is_standby).unwrap(), "f");
}
