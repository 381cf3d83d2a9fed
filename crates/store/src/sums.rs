//! Counts and digests of tables: what two databases are compared by after rows were moved from one to the other.

use std::path::Path;

use rusqlite::OpenFlags;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use crate::backup::Progress;
use crate::error::Error;
use crate::postgres::{quoted, tables_of};
use crate::sql::Value;
use crate::sqlite;

/// How many rows a table has, and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 over every value of every row, in the order of their keys.
    pub digest: [u8; 32],
}

/// The sum of a table while its rows are read.
pub(crate) struct Summing {
    table: String,
    rows: u64,
    hash: Sha256,
}

impl Summing {
    pub(crate) fn of(table: &str) -> Summing {
        Summing { table: table.to_owned(), rows: 0, hash: Sha256::new() }
    }

    /// Adds a value: its kind, its length, itself, so that no two rows come to the same bytes.
    pub(crate) fn add(&mut self, value: Value<'_>) {
        let mut bytes = |kind: u8, bytes: &[u8]| {
            self.hash.update([kind]);
            self.hash.update((bytes.len() as u64).to_be_bytes());
            self.hash.update(bytes);
        };
        match value {
            Value::Null => bytes(0, &[]),
            Value::Int(number) => bytes(1, &number.to_be_bytes()),
            Value::Bytes(value) => bytes(2, value),
            Value::Text(text) => bytes(3, text.as_bytes()),
        }
    }

    pub(crate) fn end_row(&mut self) {
        self.rows = self.rows.saturating_add(1);
    }

    pub(crate) fn finish(self) -> TableSum {
        TableSum { table: self.table, rows: self.rows, digest: self.hash.finalize().into() }
    }
}

/// Counts and digests of all tables of a database file that nobody writes.
pub fn sums(file: &Path, mut progress: impl FnMut(Progress)) -> Result<Vec<TableSum>, Error> {
    let connection = sqlite::open(sqlite::disk()?, file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let tables = tables_of(&connection)?;
    let of = tables.len() as u64;
    let mut sums = Vec::new();
    for (done, table) in tables.iter().enumerate() {
        progress(Progress { done: done as u64, of });
        let (columns, name, key) = (table.columns(), quoted(&table.name), table.key());
        let mut select = connection.prepare(&format!("SELECT {columns} FROM {name} ORDER BY {key}"))?;
        let count = select.column_count();
        let mut rows = select.query([])?;
        let mut sum = Summing::of(&table.name);
        while let Some(row) = rows.next()? {
            for column in 0..count {
                sum.add(match row.get_ref(column)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => Value::Int(number),
                    ValueRef::Blob(bytes) => Value::Bytes(bytes),
                    ValueRef::Text(text) => {
                        Value::Text(std::str::from_utf8(text).map_err(|_| Error::WrongColumn { column })?)
                    }
                    ValueRef::Real(_) => return Err(Error::WrongColumn { column }),
                });
            }
            sum.end_row();
        }
        sums.push(sum.finish());
    }
    progress(Progress { done: of, of });
    Ok(sums)
}
