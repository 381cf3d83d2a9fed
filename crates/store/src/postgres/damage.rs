//! Where a server's database is damaged. A server holds a page against its checksum when it comes from the disk, so all that is
//! to be noticed has to be read: every row whole, and every index along its leaves and down to each row.

use std::time::Duration;

use super::session::Postgres;
use super::{quoted, settings};
use crate::engine::{Engine, Session, Step};
use crate::error::{Error, engine_code_of};
use crate::sql::Sql;
use crate::store::Damage;

/// For how long one statement may read. A hand ends it before, or the network when the server is gone.
pub(super) const PATIENCE: Duration = Duration::from_hours(168);

static LIST_TABLES: Sql = Sql::new(
    "SELECT relname::text FROM pg_catalog.pg_class
     WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname",
);
/// Those that a probe by all of their columns can use: all of ours. (Nothing is equal to NULL.)
static LIST_INDEXES: Sql = Sql::new(
    "SELECT found.relname::text,
            (SELECT string_agg(attname, ',' ORDER BY place)
             FROM unnest(indkey::smallint[]) WITH ORDINALITY AS key(number, place)
             JOIN pg_catalog.pg_attribute ON attrelid = indrelid AND attnum = key.number)
     FROM pg_catalog.pg_index
     JOIN pg_catalog.pg_class AS found ON found.oid = indexrelid
     JOIN pg_catalog.pg_class AS owner ON owner.oid = indrelid
     JOIN pg_catalog.pg_am ON pg_am.oid = found.relam
     WHERE owner.relname::text = $1 AND owner.relnamespace = current_schema()::regnamespace
       AND amname = 'btree' AND indisvalid AND indpred IS NULL AND indexprs IS NULL
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                       WHERE attrelid = indrelid AND attnum = ANY (indkey::smallint[]) AND NOT attnotnull)
     ORDER BY found.relname",
);
/// Ways past an index are closed; which of them a version knows, it says itself.
static BY_INDEX_ONLY: Sql = Sql::new(
    "SELECT set_config(name, 'off', true) FROM pg_catalog.pg_settings
     WHERE name IN ('enable_seqscan', 'enable_bitmapscan', 'enable_tidscan', 'enable_sort', 'enable_incremental_sort', 'jit')",
);

struct Index {
    name: String,
    columns: Vec<String>,
}

/// Reads all of it. An index of a table whose rows cannot be read is not looked at: nobody could say of what a failure speaks.
pub(super) fn look(session: &Postgres) -> Result<Vec<Damage>, Error> {
    begin(session)?;
    let mut tables = Vec::new();
    let listed = session.run(&LIST_TABLES, &[], &mut |row| {
        tables.push(row.text(0)?.to_owned());
        Ok(Step::Next)
    });
    let amcheck = listed.and_then(|_| settings::has_amcheck(session));
    session.roll_back();
    let amcheck = amcheck?;
    let mut damaged = Vec::new();
    for table in tables {
        if rows(session, &table)? {
            damaged.push(Damage::Table(table));
            continue;
        }
        for index in indexes(session, &table)? {
            damaged.extend(look_at(session, &table, index, amcheck)?);
        }
    }
    Ok(damaged)
}

fn begin(session: &Postgres) -> Result<(), Error> {
    session.begin_reading()?;
    session.batch("SET LOCAL statement_timeout = 0; SET LOCAL max_parallel_workers_per_gather = 0")
}

/// Reads every row whole, larger values beside the pages included. Gives whether some cannot be.
fn rows(session: &Postgres, table: &str) -> Result<bool, Error> {
    begin(session)?;
    let read = session.batch(&format!("SELECT count(md5(row::text)) FROM {} AS row", quoted(table)));
    session.roll_back();
    is_damaged(read)
}

fn indexes(session: &Postgres, table: &str) -> Result<Vec<Index>, Error> {
    begin(session)?;
    let mut indexes = Vec::new();
    let listed = session.run(&LIST_INDEXES, crate::params![table], &mut |row| {
        let columns = row.text(1)?.split(',').map(quoted).collect();
        indexes.push(Index { name: row.text(0)?.to_owned(), columns });
        Ok(Step::Next)
    });
    session.roll_back();
    listed.map(|_| indexes)
}

/// Walks along an index, asks it for every row of its table, and has `amcheck` look at its order where that is here.
fn look_at(session: &Postgres, table: &str, index: Index, amcheck: bool) -> Result<Option<Damage>, Error> {
    let Index { name, columns } = index;
    let (of, listed) = (quoted(table), columns.join(", "));
    let same: Vec<String> = columns.iter().map(|column| format!("other.{column} = one.{column}")).collect();
    // All leaves from one end to the other. Nothing but this index gives that order.
    let walk = format!("SELECT count(*) FROM (SELECT {listed} FROM {of} ORDER BY {listed}) AS walked");
    // From each row, as it lies in the table and no index says it, down from the root. It has to be found, and no other in its place.
    let probe = format!(
        "SELECT count(*), count(found.there)
         FROM {of} AS one LEFT JOIN LATERAL
              (SELECT true AS there FROM {of} AS other WHERE {} AND other.ctid = one.ctid LIMIT 1) AS found ON true
         WHERE one.ctid >= '(0,0)'::tid",
        same.join(" AND ")
    );
    begin(session)?;
    let read = (|| {
        session.run(&BY_INDEX_ONLY, &[], &mut |_| Ok(Step::Next))?;
        let walked = session.numbers(&walk)?;
        Ok((walked, session.numbers(&probe)?))
    })();
    session.roll_back();
    let agree = match read {
        Ok((walked, probed)) => probed.iter().chain(&walked).all(|count| Some(count) == walked.first()),
        Err(error) => {
            is_damaged(Err(error))?;
            return Ok(Some(Damage::Index { index: name, table: table.to_owned() }));
        }
    };
    let in_order = !amcheck || {
        begin(session)?;
        let held = session.execute("SELECT bt_index_check($1::text::regclass)", &[&quoted(&name)]);
        session.roll_back();
        !is_damaged(held)?
    };
    Ok((!agree || !in_order).then(|| Damage::Astray { index: name, table: table.to_owned() }))
}

/// Is a failure one of what was read? Another one is none of ours to judge.
fn is_damaged(read: Result<(), Error>) -> Result<bool, Error> {
    match read {
        Ok(()) => Ok(false),
        Err(Error::Damaged { .. } | Error::InputOutput { .. }) => Ok(true),
        // What a page without a checksum makes the server stumble over.
        Err(Error::Refused { engine_code }) if engine_code == engine_code_of("XX000") => Ok(true),
        Err(error) => Err(error),
    }
}
