//! All rows of a database, from a server into a file and back: for moves, backups and restores.
//!
//! The file has the schema of this release, and says which tables and columns there are. What belongs to a server alone stays
//! there: the number of its schema, and who holds which pen.

use std::pin::pin;

use futures_util::StreamExt;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tokio_postgres::binary_copy::{BinaryCopyOutRow, BinaryCopyOutStream};
use tokio_postgres::types::{ToSql, Type};

use super::marks::{self, Mark, Marked};
use super::session::Postgres;
use crate::backup::Progress;
use crate::engine::{Engine, Session, Step};
use crate::error::Error;
use crate::sql::{Sql, Value};
use crate::sums::{Summing, TableSum};

/// Tables whose rows are a server's own.
const STAY: [&str; 2] = ["schema", "pen"];
/// Rows in one statement at the most, and bytes.
const ROWS: usize = 1_000;
const BYTES: usize = 4 << 20;

/// A table is read by one statement, however large it is.
const TAKES_LONG: &str = "SET LOCAL statement_timeout = 0";

static COUNT_UP: Sql = Sql::new(
    "SELECT setval(pg_get_serial_sequence('job', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM job), false)",
);

/// A table as the file has it.
pub(crate) struct Table {
    pub(crate) name: String,
    columns: Vec<(String, Type)>,
    /// What its rows are found by, so that they come in order.
    pub(crate) key: Vec<String>,
}

/// How rows come into a database.
#[derive(Clone, Copy)]
pub(super) enum Into {
    /// In the place of those that are there.
    Place,
    /// Where no shop is, by the move of this number.
    Empty { errand: i64 },
}

/// The tables whose rows move.
pub(crate) fn tables_of(file: &Connection) -> Result<Vec<Table>, Error> {
    let mut names = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut tables = Vec::new();
    for name in
        names.into_iter().filter(|name| !STAY.contains(&name.as_str()) && !name.starts_with("sqlite_"))
    {
        let mut columns = file.prepare("SELECT name, type, pk FROM pragma_table_info(?1)")?;
        let columns: Vec<(String, String, i64)> = columns
            .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let mut key: Vec<&(String, String, i64)> = columns.iter().filter(|(_, _, pk)| *pk > 0).collect();
        key.sort_by_key(|(_, _, pk)| *pk);
        let key: Vec<String> = if key.is_empty() {
            columns.first().map(|(name, ..)| name.clone()).into_iter().collect()
        } else {
            key.iter().map(|(name, ..)| name.clone()).collect()
        };
        let columns = columns.iter().map(|(name, kind, _)| Ok((name.clone(), type_of(kind)?)));
        tables.push(Table { columns: columns.collect::<Result<_, Error>>()?, name, key });
    }
    Ok(tables)
}

fn type_of(kind: &str) -> Result<Type, Error> {
    match kind {
        "INTEGER" => Ok(Type::INT8),
        "BLOB" => Ok(Type::BYTEA),
        "TEXT" => Ok(Type::TEXT),
        _ => Err(Error::Refused { engine_code: 0 }),
    }
}

/// A name as a statement quotes it. Somebody else's table may stand among ours, and be called whatever he likes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

impl Table {
    pub(crate) fn columns(&self) -> String {
        list(self.columns.iter().map(|(name, _)| name))
    }

    /// What its rows come in the order of, in SQLite.
    pub(crate) fn key(&self) -> String {
        list(self.key.iter())
    }

    /// The same on a server: text by its bytes, whatever the language of the database.
    fn key_on_server(&self) -> String {
        let is_text =
            |name: &String| self.columns.iter().any(|(column, kind)| column == name && *kind == Type::TEXT);
        let one = |name: &String| {
            let collate = if is_text(name) { " COLLATE \"C\"" } else { "" };
            format!("{}{collate}", quoted(name))
        };
        self.key.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Reads all rows from a server, in order.
    fn copy_out(
        &self,
        session: &Postgres,
        mut each: impl FnMut(&BinaryCopyOutRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let types: Vec<Type> = self.columns.iter().map(|(_, kind)| kind.clone()).collect();
        let copy = format!(
            "COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT binary)",
            self.columns(),
            quoted(&self.name),
            self.key_on_server()
        );
        session.copy_out(&copy, |stream, wait| {
            let mut rows = pin!(BinaryCopyOutStream::new(stream, &types));
            loop {
                let Some(row) = wait(Box::pin(async { rows.next().await.transpose() }))? else {
                    return Ok(());
                };
                each(&row)?;
            }
        })
    }
}

/// Copies all rows, in one state, into a file that has the schema and nothing else.
pub(super) fn pour(
    session: &Postgres,
    file: &mut Connection,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    session.begin_reading()?;
    session.batch(TAKES_LONG)?;
    let tables = tables_of(file)?;
    let of = tables.len() as u64;
    let transaction = file.transaction()?;
    for (done, table) in tables.iter().enumerate() {
        progress(Progress { done: done as u64, of });
        // A file that was just made holds what its migrations wrote.
        transaction.execute(&format!("DELETE FROM {}", quoted(&table.name)), [])?;
        pour_table(session, &transaction, table)?;
    }
    transaction.commit()?;
    progress(Progress { done: of, of });
    session.roll_back();
    Ok(())
}

fn pour_table(session: &Postgres, file: &Connection, table: &Table) -> Result<(), Error> {
    let places: Vec<String> = (1..=table.columns.len()).map(|place| format!("?{place}")).collect();
    let (name, columns) = (quoted(&table.name), table.columns());
    let mut insert =
        file.prepare(&format!("INSERT INTO {name} ({columns}) VALUES ({})", places.join(", ")))?;
    table.copy_out(session, |row| {
        for (place, (_, kind)) in table.columns.iter().enumerate() {
            let at = place.saturating_add(1);
            let wrong = |_| Error::WrongColumn { column: place };
            match *kind {
                Type::INT8 => {
                    insert.raw_bind_parameter(at, row.try_get::<Option<i64>>(place).map_err(wrong)?)?;
                }
                Type::BYTEA => {
                    insert.raw_bind_parameter(at, row.try_get::<Option<&[u8]>>(place).map_err(wrong)?)?;
                }
                _ => insert.raw_bind_parameter(at, row.try_get::<Option<&str>>(place).map_err(wrong)?)?,
            }
        }
        insert.raw_execute().map(|_| ()).map_err(Error::from)
    })
}

/// Counts and digests of all tables, in one state.
pub(super) fn sums(
    session: &Postgres,
    shape: &Connection,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<TableSum>, Error> {
    session.begin_reading()?;
    session.batch(TAKES_LONG)?;
    let tables = tables_of(shape)?;
    let of = tables.len() as u64;
    let mut sums = Vec::new();
    for (done, table) in tables.iter().enumerate() {
        progress(Progress { done: done as u64, of });
        let mut sum = Summing::of(&table.name);
        table.copy_out(session, |row| {
            for (place, (_, kind)) in table.columns.iter().enumerate() {
                let wrong = |_| Error::WrongColumn { column: place };
                let value = match *kind {
                    Type::INT8 => row.try_get::<Option<i64>>(place).map_err(wrong)?.map(Value::Int),
                    Type::BYTEA => row.try_get::<Option<&[u8]>>(place).map_err(wrong)?.map(Value::Bytes),
                    _ => row.try_get::<Option<&str>>(place).map_err(wrong)?.map(Value::Text),
                };
                sum.add(value.unwrap_or(Value::Null));
            }
            sum.end_row();
            Ok(())
        })?;
        sums.push(sum.finish());
    }
    progress(Progress { done: of, of });
    session.roll_back();
    Ok(sums)
}

/// Puts the rows of a file in the place of all that are there, in one transaction.
pub(super) fn fill(
    session: &Postgres,
    file: &Connection,
    how: Into,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let tables = tables_of(file)?;
    let of = tables.len() as u64;
    session.begin_schema()?;
    if let Into::Empty { errand } = how {
        marks::must_be_empty(session, errand)?;
    }
    // ORDER: first. Whoever writes has a pen, and is waited for; whoever wrote finds it gone, and reads everything again.
    session.batch("DELETE FROM pen")?;
    for table in &tables {
        session.batch(&format!("DELETE FROM {}", quoted(&table.name)))?;
    }
    // ORDER: a fence asks the table of files for a chunk's shop.
    let (chunks, others): (Vec<&Table>, Vec<&Table>) =
        tables.iter().partition(|table| table.name == "file_chunk");
    for (done, table) in others.into_iter().chain(chunks).enumerate() {
        progress(Progress { done: done as u64, of });
        fill_table(session, file, table)?;
    }
    session.run(&COUNT_UP, &[], &mut |_| Ok(Step::Next))?;
    if let Into::Empty { errand } = how {
        marks::put(session, Marked { mark: Mark::Coming, errand })?;
    }
    session.commit()?;
    progress(Progress { done: of, of });
    Ok(())
}

/// A column of a batch.
enum Column {
    Ints(Vec<Option<i64>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Texts(Vec<Option<String>>),
}

impl Column {
    fn of(kind: &Type) -> Column {
        match *kind {
            Type::INT8 => Column::Ints(Vec::new()),
            Type::BYTEA => Column::Bytes(Vec::new()),
            _ => Column::Texts(Vec::new()),
        }
    }

    /// Adds a value. Gives its length.
    fn push(&mut self, value: ValueRef<'_>, column: usize) -> Result<usize, Error> {
        let wrong = || Error::WrongColumn { column };
        match (self, value) {
            (Column::Ints(all), ValueRef::Null) => all.push(None),
            (Column::Bytes(all), ValueRef::Null) => all.push(None),
            (Column::Texts(all), ValueRef::Null) => all.push(None),
            (Column::Ints(all), ValueRef::Integer(value)) => all.push(Some(value)),
            (Column::Bytes(all), ValueRef::Blob(value)) => {
                all.push(Some(value.to_vec()));
                return Ok(value.len());
            }
            (Column::Texts(all), ValueRef::Text(value)) => {
                let text = std::str::from_utf8(value).map_err(|_| wrong())?;
                all.push(Some(text.to_owned()));
                return Ok(value.len());
            }
            _ => return Err(wrong()),
        }
        Ok(8)
    }

    fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Column::Ints(all) => all,
            Column::Bytes(all) => all,
            Column::Texts(all) => all,
        }
    }
}

fn fill_table(session: &Postgres, file: &Connection, table: &Table) -> Result<(), Error> {
    let (name, columns) = (quoted(&table.name), table.columns());
    let arrays: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(place, (_, kind))| format!("${}::{}[]", place.saturating_add(1), kind.name()))
        .collect();
    let insert = format!("INSERT INTO {name} ({columns}) SELECT * FROM unnest({})", arrays.join(", "));
    let fresh = || table.columns.iter().map(|(_, kind)| Column::of(kind)).collect::<Vec<_>>();
    let send = |batch: &[Column]| {
        let parameters: Vec<&(dyn ToSql + Sync)> = batch.iter().map(Column::parameter).collect();
        session.execute(&insert, &parameters)
    };
    let mut select = file.prepare(&format!("SELECT {columns} FROM {name} ORDER BY {}", table.key()))?;
    let mut rows = select.query([])?;
    let (mut batch, mut count, mut bytes) = (fresh(), 0_usize, 0_usize);
    while let Some(row) = rows.next()? {
        for (place, column) in batch.iter_mut().enumerate() {
            bytes = bytes.saturating_add(column.push(row.get_ref(place)?, place)?);
        }
        count = count.saturating_add(1);
        if count >= ROWS || bytes >= BYTES {
            send(&batch)?;
            (batch, count, bytes) = (fresh(), 0, 0);
        }
    }
    if count > 0 { send(&batch) } else { Ok(()) }
}
