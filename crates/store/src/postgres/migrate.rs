//! The schema on PostgreSQL: the same steps, each in a transaction of its own, and a fence between shops.

use super::session::Postgres;
use crate::engine::{Engine, Session, Step};
use crate::error::Error;
use crate::migrate::{Migrated, Migration, PENS};
use crate::sql::Sql;

/// Of which shop a row is: the second fence behind every WHERE, as row-level security.
#[derive(Debug, Clone, Copy)]
pub struct Fence {
    /// The table.
    pub table: &'static str,
    /// An expression over its columns: the shop's number.
    pub shop: &'static str,
}

/// Migrations of several servers wait for each other by this lock of the session that ends with it.
static ONE_AT_A_TIME: Sql = Sql::new("SELECT holder FROM pen WHERE shop = 0 FOR UPDATE");
static HAS_SCHEMA: Sql =
    Sql::new("SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('schema')");
static FIND_SCHEMA: Sql = Sql::new("SELECT number FROM schema");
static CHECKSUMS: Sql = Sql::new("SELECT current_setting('data_checksums')");

/// Which schema a database has; 0 for an empty one.
pub(super) fn schema(session: &Postgres) -> Result<u32, Error> {
    session.begin_reading()?;
    let found = schema_now(session);
    session.roll_back();
    found
}

fn schema_now(session: &Postgres) -> Result<u32, Error> {
    let mut known = 0;
    session.run(&HAS_SCHEMA, &[], &mut |row| {
        known = row.int(0)?;
        Ok(Step::Next)
    })?;
    if known == 0 {
        return Ok(0);
    }
    let mut number = 0;
    session.run(&FIND_SCHEMA, &[], &mut |row| {
        number = row.number(0)?;
        Ok(Step::Next)
    })?;
    Ok(number)
}

pub(super) fn migrate(
    session: &Postgres,
    steps: &[Migration],
    fences: &[Fence],
    serving: Option<&str>,
) -> Result<Migrated, Error> {
    must_have_checksums(session)?;
    let from = schema(session)?;
    let to = steps.last().map_or(0, |step| step.number);
    if from > to {
        return Err(Error::NewerSchema { found: from, known: to });
    }
    if from == to && serving.is_none() {
        return Ok(Migrated { from, to, steps: Vec::new(), copy: None });
    }
    let mut taken = Vec::new();
    for step in steps {
        session.begin_schema()?;
        // ORDER: asked again under the lock: another server may have taken the step meanwhile.
        lock(session)?;
        if schema_now(session)? >= step.number {
            session.roll_back();
            continue;
        }
        session.batch(&step.for_postgres())?;
        session
            .batch(&format!("DELETE FROM schema; INSERT INTO schema (number) VALUES ({})", step.number))?;
        session.commit()?;
        taken.push(step.name);
    }
    raise(session, fences, serving)?;
    Ok(Migrated { from, to, steps: taken, copy: None })
}

/// Puts up the fences, and gives a role the rights to rows.
pub(super) fn raise(session: &Postgres, fences: &[Fence], serving: Option<&str>) -> Result<(), Error> {
    session.begin_schema()?;
    // ORDER: as the steps. Of two that put up one fence at the same time the server refuses one.
    lock(session)?;
    for fence in fences {
        session.batch(&fence.raise())?;
    }
    if let Some(role) = serving {
        session.batch(&grants(&quoted(role)?))?;
    }
    session.commit()
}

fn must_have_checksums(session: &Postgres) -> Result<(), Error> {
    session.begin_reading()?;
    let mut on = false;
    session.run(&CHECKSUMS, &[], &mut |row| {
        on = row.text(0)? == "on";
        Ok(Step::Next)
    })?;
    session.roll_back();
    if on {
        Ok(())
    } else {
        Err(Error::UnfitServer { why: "it was made without data checksums (`pg_checksums --enable`)" })
    }
}

/// Takes the lock of whoever changes the schema, and once there are tables the one of those who write.
fn lock(session: &Postgres) -> Result<(), Error> {
    // Of an empty database no table can be locked. It goes with the transaction.
    session.batch("SELECT pg_advisory_xact_lock(21330)")?;
    if schema_now(session)? >= PENS.number {
        session.run(&ONE_AT_A_TIME, &[], &mut |_| Ok(Step::Next))?;
    }
    Ok(())
}

impl Fence {
    fn raise(&self) -> String {
        let Fence { table, shop } = self;
        format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
             DROP POLICY IF EXISTS fence ON {table};
             CREATE POLICY fence ON {table}
             USING (current_setting('strongroom.fence', true) IN ('all', ({shop})::text))
             WITH CHECK (current_setting('strongroom.fence', true) IN ('all', ({shop})::text))"
        )
    }
}

/// What the role that serves may do: everything to rows, nothing to the schema.
fn grants(role: &str) -> String {
    format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
         GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role};
         REVOKE INSERT, UPDATE, DELETE ON schema FROM {role};
         REVOKE CREATE ON SCHEMA public FROM {role}"
    )
}

/// A role's name as a statement quotes it.
fn quoted(role: &str) -> Result<String, Error> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if role.is_empty() || role.len() > 63 || !role.chars().all(is_plain) {
        return Err(Error::WrongAddress { why: "a role has letters, digits, `_` and `-` only" });
    }
    Ok(format!("\"{role}\""))
}
