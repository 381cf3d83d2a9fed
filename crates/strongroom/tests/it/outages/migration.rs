//! A migration that is cut off at any message, killed at any moment, or made twice at once; and binaries of other schemas.

use std::process::Stdio;

use store::Server;
use strongroom::open::{FENCES, MIGRATIONS};
use testbed::{Database, Moment, Postgres, Proxy, Version, What};

use super::{is_elsewhere, pause};
use crate::engine::without_password;
use crate::vault::{Ran, Vault, strongroom};

fn newest() -> u32 {
    MIGRATIONS.last().unwrap().number
}

/// The schema of a database as its owner sees it past every proxy.
fn schema(database: &Database) -> u32 {
    database.sql("SELECT number FROM schema").parse().unwrap()
}

/// Tables, columns and policies, as text.
fn shape(database: &Database) -> String {
    database.sql(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2;
         SELECT tablename, policyname, qual FROM pg_policies ORDER BY 1, 2;
         SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    )
}

#[test]
fn a_migration_that_is_cut_off_at_any_message_is_completed_by_the_next_run() {
    if is_elsewhere() {
        return;
    }
    let Some(postgres) = Postgres::shared(Version::V15) else { return };
    let proxy = Proxy::before(&postgres);
    let whole = postgres.database();
    let at = |database: &Database, port: u16| {
        let url = without_password(&database.plain_url(&database.owner(), port));
        Server::parse(&url, Some(database.password())).unwrap()
    };
    at(&whole, postgres.port()).migrate(MIGRATIONS, FENCES, Some(&whole.run())).unwrap();
    let wanted = shape(&whole);
    let (mut cuts, mut failed) = (0, 0);
    for (offset, moment) in [Moment::Before, Moment::Half, Moment::Answered].into_iter().enumerate() {
        // Each message in turn, and at each the next of the three moments.
        for nth in (1 + offset as u64..).step_by(3) {
            let database = postgres.database();
            proxy.cut(moment, What::Any, nth);
            let cut = at(&database, proxy.port()).migrate(MIGRATIONS, FENCES, Some(&database.run()));
            if proxy.forget_cuts() > 0 {
                cut.unwrap();
                break;
            }
            cuts += 1;
            failed += u64::from(cut.is_err());
            let again = at(&database, proxy.port()).migrate(MIGRATIONS, FENCES, Some(&database.run()));
            assert_eq!(again.unwrap().to, newest());
            assert_eq!((schema(&database), shape(&database)), (newest(), wanted.clone()), "{moment:?} {nth}");
        }
    }
    eprintln!("cut off at {cuts} messages, of which {failed} ended it");
    assert!(failed > 20, "{failed} of {cuts}");
}

#[test]
fn a_migration_that_is_killed_at_any_moment_or_made_twice_at_once_ends_whole() {
    if is_elsewhere() {
        return;
    }
    let Some(postgres) = Postgres::shared(Version::V15) else { return };
    let mut left_undone = 0;
    for round in 0..12 {
        let database = postgres.database();
        let vault = Vault::bare();
        let words = vault.private_file("words", database.password());
        let address = without_password(&database.plain_url(&database.owner(), postgres.port()));
        let migrate = || {
            let mut command = strongroom();
            command.current_dir(vault.root()).arg("migrate").arg("--data").arg(vault.data());
            command.args(["--store", &address, "--store-password-file"]).arg(&words);
            command.args(["--serving", &database.run()]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let mut killed = migrate();
        pause(10 + round * 25);
        killed.kill().unwrap();
        killed.wait().unwrap();
        let there = database.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'schema'");
        left_undone += u64::from(there == "0" || schema(&database) < newest());
        // Two at once, and both are content.
        let both = [migrate(), migrate()];
        for one in both {
            Ran::of(one.wait_with_output().unwrap()).ends(0);
        }
        assert_eq!(schema(&database), newest());
    }
    eprintln!("{left_undone} of 12 were killed before their end");
    assert!(left_undone > 0, "the kills come at no time that matters");
}

#[test]
fn a_binary_that_is_older_than_the_schema_is_refused_and_touches_nothing() {
    if is_elsewhere() {
        return;
    }
    let Some(postgres) = Postgres::shared(Version::V15) else { return };
    let database = postgres.database();
    let address = database.run_url();
    let owner = without_password(&database.owner_socket_url());
    let owner = Server::parse(&owner, Some(database.password())).unwrap();
    let vault = Vault::on(crate::engine::Home::at(database, &address));
    postgres.sql(vault.database_name(), "UPDATE schema SET number = number + 1");
    vault.serve_with(&[]).expect_err("the schema is newer").fails("SR-STORE-002");
    let refused = owner.migrate(MIGRATIONS, FENCES, None).unwrap_err();
    assert_eq!(refused, store::Error::NewerSchema { found: newest() + 1, known: newest() });
    postgres.sql(vault.database_name(), "UPDATE schema SET number = number - 1");
    let server = vault.serve();
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
}
