//! What can go wrong below the rooms. Every variant has a stable code and holds numbers only:
//! the engine's own message can quote a value, so it never travels further than this file.

use thiserror::Error;

/// A failure of the store. Nothing of the failed unit of work is left behind, unless the variant says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The database file could not be opened.
    #[error("the database cannot be opened (engine code {})", shown(*engine_code))]
    CannotOpen {
        /// The engine's extended result code.
        engine_code: i32,
    },
    /// The database was written by a newer release.
    #[error("the database has schema {found}, this release knows up to {known}")]
    NewerSchema {
        /// Schema number in the database.
        found: u32,
        /// Highest schema number that this release knows.
        known: u32,
    },
    /// Another process owns the folder.
    #[error("another process owns this data folder")]
    Owned,
    /// The disk is full. Nothing was kept; try again when there is room.
    #[error("the disk is full")]
    DiskFull,
    /// The database or its folder cannot be written.
    #[error("the database cannot be written")]
    ReadOnly,
    /// The engine found its file damaged.
    #[error("the database file is damaged (engine code {})", shown(*engine_code))]
    Damaged {
        /// The engine's extended result code.
        engine_code: i32,
    },
    /// A page is not what was written to it.
    #[error("page {page} of the database is damaged")]
    DamagedPage {
        /// Its number, from 1; 0 when it is not known.
        page: u64,
    },
    /// Reading or writing the file failed.
    #[error("reading or writing the database failed (engine code {})", shown(*engine_code))]
    InputOutput {
        /// The engine's extended result code.
        engine_code: i32,
    },
    /// More work is waiting than is allowed to wait.
    #[error("too much work is waiting")]
    Busy,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// The unit of work panicked; it was rolled back, the others were not touched.
    #[error("a unit of work failed unexpectedly")]
    Panicked,
    /// A statement was refused by the engine: a defect of ours, or a row that breaks a constraint.
    #[error("a statement was refused (engine code {})", shown(*engine_code))]
    Refused {
        /// The engine's extended result code.
        engine_code: i32,
    },
    /// A column did not hold what the statement promises.
    #[error("column {column} does not hold what it should")]
    WrongColumn {
        /// Position of the column in the statement, from 0.
        column: usize,
    },
    /// A unit of work changed data and entered nothing in the ledger.
    #[error("a change without an entry was refused")]
    ChangeWithoutEntry,
    /// The log's rows do not fit together.
    #[error("log {log} is broken at leaf {leaf}")]
    BrokenLog {
        /// Which log.
        log: i64,
        /// First leaf that is missing or wrong.
        leaf: u64,
    },
    /// The work was committed, but what must follow it (the list of destroyed keys) could not be made durable.
    #[error("committed, but the list of destroyed keys could not be written")]
    NotWitnessed,
    /// A file of the folder could not be read or written.
    #[error("a file of the data folder could not be read or written ({kind:?})")]
    File {
        /// What kind of failure.
        kind: std::io::ErrorKind,
    },
    /// The folder holds something already.
    #[error("the folder holds a database already")]
    NotEmpty,
    /// There is no database in the folder.
    #[error("the folder holds no database")]
    Empty,
    /// The server of the database cannot be reached, or does not let us in now. Nothing was kept; try again.
    #[error("the database cannot be reached")]
    Unreachable,
    /// The connection was lost, or other work was in the way. Nothing was kept; the same work is run again.
    #[error("the transaction did not come to its end")]
    Lost,
    /// The answer to a COMMIT was lost, and what came of it could not be found out: it was done, or it was not.
    #[error("whether the work was committed is not known")]
    InDoubt,
    /// What another server has entered could not be taken over. Nothing was kept; try again.
    #[error("what another server has entered could not be taken over")]
    NotCaughtUp,
    /// Another process uses the database that was to stand still.
    #[error("another process uses this database")]
    Served,
    /// The rows are being moved elsewhere, or were: nobody writes them here.
    #[error("the rows of this database are being moved, or were moved")]
    Away,
    /// The address of the database says something that cannot be.
    #[error("the address of the database is wrong: {why}")]
    WrongAddress {
        /// What is wrong; it quotes nothing of the address.
        why: &'static str,
    },
    /// The server of the database is not set up as it has to be.
    #[error("the database's server is not as it has to be: {why}")]
    UnfitServer {
        /// What is wrong.
        why: &'static str,
    },
}

/// The engine's code as its own manual writes it: SQLite's numbers, PostgreSQL's five characters.
fn shown(engine_code: i32) -> String {
    let Some(mut rest) = engine_code.checked_neg().filter(|code| *code > 0).map(i32::cast_unsigned) else {
        return engine_code.to_string();
    };
    let mut characters = Vec::new();
    for _ in 0..5 {
        characters.push(char::from_digit(rest % 36, 36).unwrap_or('?').to_ascii_uppercase());
        rest /= 36;
    }
    characters.iter().rev().collect()
}

/// A code of PostgreSQL as a number below zero, so that one type holds the codes of both engines.
pub(crate) fn engine_code_of(state: &str) -> i32 {
    let digits = state.chars().take(5).map(|c| c.to_digit(36).unwrap_or(0));
    let number = digits.fold(0_u32, |all, digit| all.saturating_mul(36).saturating_add(digit));
    i32::try_from(number).unwrap_or(0).saturating_neg()
}

impl Error {
    /// The stable code printed beside the message.
    pub fn code(&self) -> &'static str {
        match self {
            Error::CannotOpen { .. } => "SR-STORE-001",
            Error::NewerSchema { .. } => "SR-STORE-002",
            Error::Owned => "SR-STORE-003",
            Error::DiskFull => "SR-STORE-004",
            Error::ReadOnly => "SR-STORE-005",
            Error::Damaged { .. } => "SR-STORE-006",
            Error::InputOutput { .. } => "SR-STORE-007",
            Error::Busy => "SR-STORE-008",
            Error::Closed => "SR-STORE-009",
            Error::Panicked => "SR-STORE-010",
            Error::Refused { .. } => "SR-STORE-011",
            Error::WrongColumn { .. } => "SR-STORE-012",
            Error::ChangeWithoutEntry => "SR-STORE-013",
            Error::BrokenLog { .. } => "SR-STORE-014",
            Error::NotWitnessed => "SR-STORE-015",
            Error::File { .. } => "SR-STORE-016",
            Error::NotEmpty => "SR-STORE-017",
            Error::Empty => "SR-STORE-018",
            Error::DamagedPage { .. } => "SR-STORE-019",
            Error::Unreachable => "SR-STORE-020",
            Error::Lost => "SR-STORE-021",
            Error::InDoubt => "SR-STORE-022",
            Error::WrongAddress { .. } => "SR-STORE-023",
            Error::UnfitServer { .. } => "SR-STORE-024",
            Error::NotCaughtUp => "SR-STORE-025",
            Error::Served => "SR-STORE-026",
            Error::Away => "SR-STORE-027",
        }
    }

    /// May the same work succeed later without anybody mending anything but space or load?
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Error::DiskFull
                | Error::Busy
                | Error::Closed
                | Error::NotWitnessed
                | Error::Unreachable
                | Error::Lost
                | Error::InDoubt
                | Error::NotCaughtUp
        )
    }

    /// May the same transaction be run again at once?
    pub(crate) fn may_be_tried_again(&self) -> bool {
        matches!(self, Error::Unreachable | Error::Lost)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode as Code;
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => {
                let engine_code = failure.extended_code;
                if engine_code == vfs::DAMAGED {
                    return Error::DamagedPage { page: vfs::last_damage().map_or(0, |damage| damage.page) };
                }
                match failure.code {
                    Code::DiskFull => Error::DiskFull,
                    Code::ReadOnly | Code::PermissionDenied => Error::ReadOnly,
                    Code::DatabaseCorrupt | Code::NotADatabase => Error::Damaged { engine_code },
                    Code::SystemIoFailure => Error::InputOutput { engine_code },
                    Code::CannotOpen => Error::CannotOpen { engine_code },
                    _ => Error::Refused { engine_code },
                }
            }
            rusqlite::Error::InvalidColumnType(column, ..)
            | rusqlite::Error::FromSqlConversionFailure(column, ..)
            | rusqlite::Error::InvalidColumnIndex(column) => Error::WrongColumn { column },
            _ => Error::Refused { engine_code: 0 },
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::DiskFull,
            std::io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly,
            kind => Error::File { kind },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_each_engine_is_shown_as_its_manual_writes_it() {
        assert_eq!(shown(engine_code_of("40P01")), "40P01");
        assert_eq!(shown(engine_code_of("0A000")), "0A000");
        assert_eq!(shown(2_067), "2067");
        assert_eq!(shown(0), "0");
    }
}
