//! Schema numbers and how a database gets from one to the next.
//!
//! Forward only. A newer database is refused by name of both numbers; an older one is copied first, then changed,
//! each step in a transaction of its own.

use std::path::Path;

use rusqlite::Connection;

use crate::engine::{self, Use};
use crate::error::Error;

/// One step of the schema, written once for both engines. `{id}` is a dense integer primary key, `{int}` a 64-bit
/// integer, `{bytes}` a byte string; `{rows}` ends a table of larger rows, `{keyed}` one of small rows found by their key.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number; they run in order without gaps, from 1.
    pub number: u32,
    /// Its file name, for people.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// The store's own tables. Rooms add theirs behind.
pub const STORE: Migration = Migration {
    number: 1,
    name: "0001_store_furniture",
    sql: include_str!("../../../migrations/0001_store_furniture.sql"),
};

impl Migration {
    /// The text for SQLite.
    fn for_sqlite(&self) -> String {
        self.sql
            .replace("{id}", "INTEGER PRIMARY KEY")
            .replace("{int}", "INTEGER")
            .replace("{bytes}", "BLOB")
            .replace("{rows}", "STRICT")
            .replace("{keyed}", "STRICT, WITHOUT ROWID")
    }
}

/// Which schema a database has; 0 for an empty one.
pub(crate) fn schema_of(connection: &Connection) -> Result<u32, Error> {
    let known: bool = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema'")?
        .exists([])?;
    if !known {
        return Ok(0);
    }
    Ok(connection.query_row("SELECT number FROM schema", [], |row| row.get(0))?)
}

/// What a migration run did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Schema before.
    pub from: u32,
    /// Schema after.
    pub to: u32,
    /// Names of the steps between.
    pub steps: Vec<&'static str>,
    /// File name of the copy made before, in the data folder.
    pub copy: Option<String>,
}

/// How names of copies begin that a migration makes before its first step.
const COPY: &str = "before-schema-";

/// Removes the copies that migrations made, with whatever the engine left beside them. Gives how many there were.
pub fn remove_copies(folder: &Path) -> Result<usize, Error> {
    let mut removed = 0_usize;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(COPY) {
            std::fs::remove_file(entry.path())?;
            removed = removed.saturating_add(1);
        }
    }
    if removed > 0 {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(removed)
}

/// Brings the schema up to the last of `steps`.
///
/// Fails: `SR-STORE-002` when the database is newer; then nothing was touched.
pub(crate) fn migrate(
    disk: vfs::Disk,
    connection: &mut Connection,
    folder: &Path,
    steps: &[Migration],
) -> Result<Migrated, Error> {
    let from = schema_of(connection)?;
    let to = steps.last().map_or(0, |step| step.number);
    if from > to {
        return Err(Error::NewerSchema { found: from, known: to });
    }
    let due: Vec<&Migration> = steps.iter().filter(|step| step.number > from).collect();
    let mut copy = None;
    if from > 0 && !due.is_empty() {
        // The way back while steps run. It holds keys that may have to die: `remove_copies` ends it before any does.
        let name = format!("{COPY}{to}.db");
        let file = folder.join(&name);
        if file.exists() {
            std::fs::remove_file(&file)?; // left by a migration that was cut off before its first step
        }
        crate::backup::copy_whole(disk, connection, &file)?;
        copy = Some(name);
    }
    take_steps(connection, &due)?;
    Ok(Migrated { from, to, steps: due.iter().map(|step| step.name).collect(), copy })
}

/// Brings a database file that nobody else has open up to the last of `steps`, without a copy of it: for what a restore is
/// about to put together, in which both sides must have the same tables.
///
/// Fails: `SR-STORE-002` when it is newer; then nothing was touched.
pub fn migrate_file(file: &Path, steps: &[Migration]) -> Result<(), Error> {
    let mut connection = engine::connect(engine::disk()?, file, 8_192, Use::Write)?;
    let from = schema_of(&connection)?;
    let to = steps.last().map_or(0, |step| step.number);
    if from > to {
        return Err(Error::NewerSchema { found: from, known: to });
    }
    let due: Vec<&Migration> = steps.iter().filter(|step| step.number > from).collect();
    take_steps(&mut connection, &due)?;
    connection.close().map_err(|(_, error)| Error::from(error))
}

fn take_steps(connection: &mut Connection, due: &[&Migration]) -> Result<(), Error> {
    for step in due {
        let transaction = connection.transaction()?;
        transaction.execute_batch(&step.for_sqlite())?;
        transaction.execute("DELETE FROM schema", [])?;
        transaction.execute("INSERT INTO schema (number) VALUES (?1)", [step.number])?;
        transaction.commit()?;
    }
    Ok(())
}
