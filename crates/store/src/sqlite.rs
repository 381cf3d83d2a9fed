//! SQLite: a connection with its settings and its prepared statements.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql};
use vfs::Disk;

use crate::engine::{AddressHasher, Engine, Pen, Session, Standing, Step};
use crate::error::Error;
use crate::sql::{Columns, Row, Sql, Value};

/// How a connection is going to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Write,
    Read,
}

/// Opens a connection with the settings that every promise rests on.
///
/// SOURCE: DESIGN section 3; sqlite.org/pragma.html.
pub(crate) fn connect(disk: Disk, file: &Path, cache_kib: u32, how: Use) -> Result<Connection, Error> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    flags |= match how {
        Use::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Use::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connection = open(disk, file, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // A plan must not be made again because another value was bound: that costs more than most statements do.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?; // no value ever reaches a temporary file
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    if how == Use::Write {
        // An acknowledged write survives power loss. ORDER: before the mode of the journal. What makes a new database is
        // committed by deleting a journal, and only EXTRA syncs the folder after that; with a WAL it is the same as FULL.
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "secure_delete", true)?; // a destroyed key leaves no bytes in free pages
        connection.pragma_update(None, "wal_autocheckpoint", 0)?; // the checkpointer does that, off the writer's thread
    }
    Ok(connection)
}

/// Opens a file as it is. A database that gets its first page here, or is vacuumed, keeps room for checksums.
pub(crate) fn open(disk: Disk, file: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags_and_vfs(file, flags, disk.name())?;
    if !vfs::keep_room(&connection) {
        return Err(Error::CannotOpen { engine_code: 0 });
    }
    Ok(connection)
}

/// The disk that every database lies on, outside tests of faults.
pub(crate) fn disk() -> Result<Disk, Error> {
    Disk::checked().ok_or(Error::CannotOpen { engine_code: 0 })
}

/// A connection with its prepared statements, each found by the address of its `static`.
pub(crate) struct Sqlite<'c> {
    connection: &'c Connection,
    prepared: RefCell<HashMap<usize, Statement<'c>, BuildHasherDefault<AddressHasher>>>,
}

/// The statements that frame a transaction.
const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const SAVE: &str = "SAVEPOINT unit";
const TAKE_BACK: &str = "ROLLBACK TO unit";
const RELEASE: &str = "RELEASE unit";

impl<'c> Sqlite<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Sqlite<'c> {
        Sqlite { connection, prepared: RefCell::default() }
    }

    fn frame(&self, text: &'static str) -> Result<(), Error> {
        self.connection.prepare_cached(text)?.execute([]).map(|_| ()).map_err(Error::from)
    }

    fn prepare(&self, sql: &'static Sql) -> Result<Statement<'c>, Error> {
        let statement = self.connection.prepare(sql.text())?;
        // INVARIANT: `$1` is the first parameter, `$2` the second, …: PostgreSQL numbers them, SQLite only names them.
        for position in 1..=statement.parameter_count() {
            let in_order = statement.parameter_name(position).and_then(|name| name.strip_prefix('$'));
            if in_order.and_then(|digits| digits.parse().ok()) != Some(position) {
                return Err(Error::Refused { engine_code: 0 });
            }
        }
        Ok(statement)
    }

    fn run_prepared(
        statement: &mut Statement<'_>,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<Step, Error>,
    ) -> Result<(), Error> {
        if params.len() != statement.parameter_count() {
            return Err(Error::Refused { engine_code: 0 });
        }
        for (position, value) in params.iter().enumerate() {
            statement.raw_bind_parameter(position.saturating_add(1), Bound(value))?;
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if each(&Row(&SqliteRow(row)))? == Step::Stop {
                break;
            }
        }
        Ok(())
    }
}

impl Engine for Sqlite<'_> {
    fn run(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<Step, Error>,
    ) -> Result<usize, Error> {
        let address = sql.address();
        let known = self.prepared.borrow_mut().remove(&address);
        let mut statement = match known {
            Some(statement) => statement,
            None => self.prepare(sql)?,
        };
        let changes_before = self.connection.total_changes();
        let outcome = Self::run_prepared(&mut statement, params, each);
        statement.clear_bindings();
        self.prepared.borrow_mut().insert(address, statement);
        outcome?;
        let changes = self.connection.total_changes().saturating_sub(changes_before);
        Ok(usize::try_from(changes).unwrap_or(usize::MAX))
    }
}

impl Session for Sqlite<'_> {
    fn begin(&self, _pen: i64) -> Result<Pen, Error> {
        // One process owns the folder, and one thread of it writes: it holds every pen.
        self.frame(BEGIN).map(|()| Pen::Kept)
    }

    fn commit(&self) -> Result<(), Error> {
        self.frame(COMMIT)
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn save(&self) -> Result<(), Error> {
        self.frame(SAVE)
    }

    fn take_back(&self) -> Result<(), Error> {
        self.frame(TAKE_BACK)
    }

    fn release(&self) -> Result<(), Error> {
        self.frame(RELEASE)
    }

    fn standing(&self) -> Standing {
        // The engine gives up the whole transaction by itself when its disk fails it.
        if self.connection.is_autocommit() { Standing::Gone } else { Standing::Whole }
    }

    fn is_served(&self) -> bool {
        false
    }

    fn distrust(&self, _pen: i64) {}

    fn checkpoint(&self, cut: bool) -> bool {
        checkpoint(self.connection, cut).unwrap_or(false)
    }

    fn engine(&self) -> &dyn Engine {
        self
    }
}

/// Runs a checkpoint, and cuts the WAL to nothing if `cut`. Gives whether all frames of the WAL reached the database.
pub(crate) fn checkpoint(connection: &Connection, cut: bool) -> Result<bool, Error> {
    let sql = if cut { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };
    let mut statement = connection.prepare_cached(sql)?;
    let whole = statement.query_row([], |row| {
        let (busy, frames, moved): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && frames == moved)
    })?;
    Ok(whole)
}

struct SqliteRow<'r, 's>(&'r rusqlite::Row<'s>);

impl Columns for SqliteRow<'_, '_> {
    fn int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.0.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(Error::WrongColumn { column }),
        }
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        match self.0.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(value) => Ok(Some(value)),
            _ => Err(Error::WrongColumn { column }),
        }
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Error> {
        match self.0.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(value) => {
                std::str::from_utf8(value).map(Some).map_err(|_| Error::WrongColumn { column })
            }
            _ => Err(Error::WrongColumn { column }),
        }
    }
}

struct Bound<'a>(&'a Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(value),
            Value::Bytes(value) => ValueRef::Blob(value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}
