//! How a move stands that a server's database has a part in: a row among the pens, and who may take one.
//!
//! INVARIANT: while there is a mark, every pen is nobody's, and a writer that comes to take one is refused. Rows that are read to
//! be moved stand still, and rows that came by a move change no more than those.

use super::session::Postgres;
use crate::engine::{Engine, Session, Step};
use crate::error::Error;
use crate::sql::Sql;

/// Who holds the pens of a database that bears a mark. Writers have numbers from 1.
pub(super) const NOBODY: i64 = -2;

static FIND: Sql = Sql::new("SELECT holder, held_until FROM pen WHERE shop = -2");
/// A shop has a log from its beginning on.
static COUNT_LOGS: Sql = Sql::new("SELECT count(*) FROM log_head");
/// Processes that use this database beside this one. SOURCE: PostgreSQL's manual, 28.2.3: any role sees these columns.
static COUNT_OTHERS: Sql = Sql::new(
    "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database()
     AND application_name = 'strongroom' AND pid <> pg_backend_pid()",
);
static PUT: Sql = Sql::new(
    "INSERT INTO pen (shop, holder, held_until) VALUES (-2, $1, $2)
     ON CONFLICT (shop) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until",
);
/// A log's number begins with its shop's, as the fences have it. Also of those that nobody has taken yet, and of the shop that would be made next.
static TAKE_ALL: Sql = Sql::new("UPDATE pen SET holder = $1 WHERE shop <> -2");
static ADD_ALL: Sql = Sql::new(
    "INSERT INTO pen (shop, holder, held_until)
     SELECT log >> 6, $1::bigint, 0 FROM log_head UNION SELECT coalesce(max(log >> 6), 0) + 1, $1::bigint, 0 FROM log_head
     UNION SELECT 0, $1::bigint, 0 UNION SELECT -1, $1::bigint, 0
     ON CONFLICT (shop) DO NOTHING",
);

/// How often a process that is just going is looked for again, and for how long in between.
const LOOKS: u32 = 20;
const BETWEEN: std::time::Duration = std::time::Duration::from_millis(100);

/// How a move stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The rows came here, and the move has not come to its end.
    Coming,
    /// The rows are being read, to be moved elsewhere.
    Leaving,
    /// The rows were moved elsewhere, and these are old.
    Moved,
}

/// A mark, and by which move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// How it stands.
    pub mark: Mark,
    /// The number of the move.
    pub errand: i64,
}

impl Mark {
    fn number(self) -> i64 {
        match self {
            Mark::Coming => 1,
            Mark::Leaving => 2,
            Mark::Moved => 3,
        }
    }

    /// What no release has written says that the rows are not to be used.
    fn of(number: i64) -> Mark {
        match number {
            1 => Mark::Coming,
            2 => Mark::Leaving,
            _ => Mark::Moved,
        }
    }
}

/// The mark, in a transaction that has begun.
fn find_now(session: &Postgres) -> Result<Option<Marked>, Error> {
    let mut found = None;
    session.run(&FIND, &[], &mut |row| {
        found = Some(Marked { mark: Mark::of(row.int(0)?), errand: row.int(1)? });
        Ok(Step::Next)
    })?;
    Ok(found)
}

pub(super) fn find(session: &Postgres) -> Result<Option<Marked>, Error> {
    session.begin_reading()?;
    let found = find_now(session);
    session.roll_back();
    found
}

/// Puts a mark, and takes every pen.
pub(super) fn put(session: &Postgres, marked: Marked) -> Result<(), Error> {
    let Marked { mark, errand } = marked;
    session.run(&PUT, crate::params![mark.number(), errand], &mut |_| Ok(Step::Next))?;
    session.run(&ADD_ALL, crate::params![NOBODY], &mut |_| Ok(Step::Next))?;
    session.run(&TAKE_ALL, crate::params![NOBODY], &mut |_| Ok(Step::Next)).map(|_| ())
}

/// Begins a transaction beside which nobody takes a pen. Whoever has one is waited for.
fn begin_alone(session: &Postgres) -> Result<(), Error> {
    session.begin_schema()?;
    session.batch("LOCK TABLE pen IN EXCLUSIVE MODE")
}

/// Fails: `SR-STORE-017` when there is a shop, unless it came by the move of this number.
pub(super) fn must_be_empty(session: &Postgres, errand: i64) -> Result<(), Error> {
    session.batch("LOCK TABLE pen IN EXCLUSIVE MODE")?;
    if find_now(session)? == Some(Marked { mark: Mark::Coming, errand }) {
        return Ok(());
    }
    match session.number(&COUNT_LOGS)? {
        0 => Ok(()),
        _ => Err(Error::NotEmpty),
    }
}

pub(super) fn leave(session: &Postgres, errand: i64) -> Result<(), Error> {
    let (_nobody, never) = std::sync::mpsc::channel::<()>();
    for look in 1.. {
        begin_alone(session)?;
        if find_now(session)?.is_some() {
            session.roll_back();
            return Err(Error::Away);
        }
        if session.number(&COUNT_OTHERS)? == 0 {
            break;
        }
        session.roll_back();
        if look == LOOKS {
            return Err(Error::Served);
        }
        // The server hears of a connection that was just closed a moment later.
        let _ = never.recv_timeout(BETWEEN);
    }
    put(session, Marked { mark: Mark::Leaving, errand })?;
    session.commit()
}

pub(super) fn change(session: &Postgres, from: Marked, to: Option<Mark>) -> Result<bool, Error> {
    begin_alone(session)?;
    if find_now(session)? != Some(from) {
        session.roll_back();
        return Ok(false);
    }
    match to {
        Some(mark) => put(session, Marked { mark, errand: from.errand })?,
        // Whoever takes a pen again finds it new, and reads everything again.
        None => session.batch("DELETE FROM pen")?,
    }
    session.commit()?;
    Ok(true)
}
