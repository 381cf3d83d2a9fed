//! Copies of a database in use, and the surgery of a restore.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use vfs::Disk;

use crate::error::Error;
use crate::sqlite::{self, Sqlite};
use crate::tx::View;

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Pages copied.
    pub done: u64,
    /// Pages in all.
    pub of: u64,
}

const PAGES_PER_STEP: i32 = 512;

/// Copies a database as it stands now into a new file, and syncs it.
///
/// The source is read in one read transaction, so the copy is one state of it however much is written meanwhile.
pub(crate) fn copy(
    disk: Disk,
    source: &Connection,
    file: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<(), Error> {
    if file.exists() {
        return Err(Error::NotEmpty);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut target = sqlite::open(disk, file, flags)?;
    if vfs::has_checksums(source)? && !vfs::stamp(&target) {
        return Err(Error::CannotOpen { engine_code: 0 });
    }
    {
        let backup = Backup::new(source, &mut target)?;
        loop {
            let step = backup.step(PAGES_PER_STEP)?;
            let left = backup.progress();
            let of = u64::try_from(left.pagecount).unwrap_or(0);
            let remaining = u64::try_from(left.remaining).unwrap_or(0);
            progress(Progress { done: of.saturating_sub(remaining), of });
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(Error::Refused { engine_code: 0 }),
            }
        }
    }
    // The copy is one file, without a WAL beside it.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, error)| Error::from(error))?;
    std::fs::File::open(file)?.sync_all()?;
    Ok(())
}

/// Copies a database that nobody else writes.
pub(crate) fn copy_whole(disk: Disk, source: &Connection, file: &Path) -> Result<(), Error> {
    copy(disk, source, file, |_| {})
}

/// Is this file a whole, undamaged database? Gives its schema number.
pub fn inspect(file: &Path) -> Result<u32, Error> {
    let connection = sqlite::open(sqlite::disk()?, file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Error::Damaged { engine_code: 0 });
    }
    if let Some(page) = vfs::damaged_pages(&connection)?.damaged.first().copied() {
        return Err(Error::DamagedPage { page });
    }
    let schema = crate::migrate::schema_of(&connection)?;
    if schema == 0 { Err(Error::Empty) } else { Ok(schema) }
}

/// Gives `target` (a closed database file) the logs and number blocks of `source`, in place of its own: a restore brings back
/// data, never an older ledger. Then runs `more`, statements of the rooms for what else is taken over; in them the source is
/// called `kept` and the target `main`.
pub fn graft(source: &Path, target: &Path, more: &[&'static str]) -> Result<(), Error> {
    let mut connection = sqlite::open(sqlite::disk()?, target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "EXTRA")?; // with a rollback journal, its folder is synced, too
    connection.pragma_update(None, "secure_delete", true)?;
    let source = source.to_str().ok_or(Error::CannotOpen { engine_code: 0 })?;
    connection.execute("ATTACH DATABASE ?1 AS kept", [source])?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "DELETE FROM main.leaf; INSERT INTO main.leaf SELECT * FROM kept.leaf;
         DELETE FROM main.tile; INSERT INTO main.tile SELECT * FROM kept.tile;
         DELETE FROM main.log_head; INSERT INTO main.log_head SELECT * FROM kept.log_head;
         INSERT INTO main.number_block SELECT * FROM kept.number_block WHERE true
            ON CONFLICT (name) DO UPDATE SET last = max(last, excluded.last);
         DELETE FROM main.idempotency;",
    )?;
    for statements in more {
        transaction.execute_batch(statements)?;
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| Error::from(error))
}

/// Reads a database file that nobody writes.
pub fn look_into<T, E: From<Error>>(
    file: &Path,
    read: impl FnOnce(&View<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let connection = sqlite::open(sqlite::disk()?, file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    read(&View::new(&Sqlite::new(&connection)))
}
