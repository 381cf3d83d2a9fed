//! What a connection does not wait for: answers that it has been given already, and rows that it sends later, with others.
//!
//! A statement costs the server a few microseconds and its message ten times that. So what a batch is going to ask is asked at once,
//! and what it adds to a table goes in one statement. Both hold within one transaction, under the pen.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use tokio_postgres::types::{ToSql, Type};

use crate::engine::AddressHasher;
use crate::error::Error;
use crate::sql::{Params, Sql, Value};

/// Answers that hold until a table on which they rest is changed.
#[derive(Default)]
pub(super) struct Answers(HashMap<usize, OfStatement, BuildHasherDefault<AddressHasher>>);

struct OfStatement {
    sql: &'static Sql,
    answers: HashMap<Params, Arc<Answer>>,
}

/// The rows of an answer; what was asked for begins behind `skip` columns.
pub(super) struct Answer {
    pub(super) rows: Vec<tokio_postgres::Row>,
    pub(super) skip: usize,
}

impl Answers {
    pub(super) fn find(&self, sql: &'static Sql, asked: &Params) -> Option<Arc<Answer>> {
        self.0.get(&sql.address())?.answers.get(asked).map(Arc::clone)
    }

    pub(super) fn keep(&mut self, sql: &'static Sql, asked: Params, answer: Answer) -> Arc<Answer> {
        let answer = Arc::new(answer);
        let of = self.0.entry(sql.address()).or_insert_with(|| OfStatement { sql, answers: HashMap::new() });
        of.answers.insert(asked, Arc::clone(&answer));
        answer
    }

    /// A statement may have changed tables: forgets what rests on them.
    pub(super) fn changed(&mut self, by: &Sql) {
        self.0.retain(|_, of| !of.rests_on_what(by));
    }

    /// A row was added or replaced that `found_by` finds, with parameters that are `key` or begin with it. Of that statement those
    /// answers are others now; of every other one that rests on the table nobody knows which.
    pub(super) fn added(&mut self, by: &Sql, found_by: &'static Sql, key: &Params) {
        self.0.retain(|address, of| {
            if *address == found_by.address() {
                if of.answers.remove(key).is_none() {
                    of.answers.retain(|asked, _| asked.len() == key.len() || !asked.begins_with(key));
                }
                return true;
            }
            !of.rests_on_what(by)
        });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl OfStatement {
    /// Does it rest on what a statement may have changed?
    fn rests_on_what(&self, by: &Sql) -> bool {
        self.sql.rests_on().iter().any(|table| by.may_change(table))
    }
}

/// Rows that are to be added, by the statement that adds one.
#[derive(Default)]
pub(super) struct PutOff {
    rows: Vec<RowsOf>,
    bytes: usize,
}

/// The rows of one statement.
pub(super) struct RowsOf {
    pub(super) sql: &'static Sql,
    pub(super) rows: Vec<Params>,
}

impl PutOff {
    /// More than this is not kept in memory.
    const BYTES: usize = 4 << 20;

    pub(super) fn push(&mut self, sql: &'static Sql, row: Params) {
        self.bytes = self.bytes.saturating_add(row.bytes());
        match self.rows.iter_mut().find(|of| of.sql.address() == sql.address()) {
            Some(of) => of.rows.push(row),
            None => self.rows.push(RowsOf { sql, rows: vec![row] }),
        }
    }

    /// Does a statement meet a table whose rows are not there yet?
    pub(super) fn concern(&self, sql: &Sql) -> bool {
        self.rows.iter().filter_map(|of| of.sql.adds_to()).any(|table| sql.may_meet(table))
    }

    pub(super) fn are_many(&self) -> bool {
        self.bytes > Self::BYTES
    }

    pub(super) fn take(&mut self) -> Vec<RowsOf> {
        self.bytes = 0;
        std::mem::take(&mut self.rows)
    }
}

/// A statement that adds one row, as one that adds many: each parameter is the column of all rows.
///
/// Gives: `None` when the statement is not of that form.
pub(super) fn adding_many(text: &str, types: &[Type]) -> Option<String> {
    let (before, rest) = text.split_once("VALUES (")?;
    let (values, behind) = rest.split_once(')')?;
    let values = named(values, "added", types.len());
    let columns = columns_of(types)?;
    Some(format!("{before}SELECT {values} FROM unnest({columns}) AS added ({}){behind}", names(types.len())))
}

/// A text in which each parameter is a column of a table instead.
fn named(text: &str, table: &str, count: usize) -> String {
    // From the last, or `$1` would be found in `$10`.
    (1..=count).rev().fold(text.to_owned(), |text, number| {
        text.replace(&format!("${number}"), &format!("{table}.p{number}"))
    })
}

fn names(count: usize) -> String {
    (1..=count).map(|number| format!("p{number}")).collect::<Vec<String>>().join(", ")
}

/// A statement that reads, as one that reads for many sets of parameters. Before each row stands which set it is for, from 1.
pub(super) fn asking_many(text: &str, types: &[Type]) -> Option<String> {
    let (of_one, names) = (named(text, "asked", types.len()), names(types.len()));
    // OFFSET 0 keeps the planner from making one join of it, which it would plan for tables as they were when it did.
    Some(format!(
        "SELECT asked.place, found.* FROM unnest({}) WITH ORDINALITY AS asked ({names}, place)
         CROSS JOIN LATERAL ({of_one} OFFSET 0) AS found",
        columns_of(types)?
    ))
}

fn columns_of(types: &[Type]) -> Option<String> {
    let mut columns = String::new();
    for (at, of) in types.iter().enumerate() {
        let name = match *of {
            Type::INT8 => "bigint",
            Type::BYTEA => "bytea",
            Type::TEXT => "text",
            _ => return None,
        };
        let comma = if at == 0 { "" } else { ", " };
        let _ = write!(columns, "{comma}${}::{name}[]", at.saturating_add(1));
    }
    Some(columns)
}

/// Sets of parameters, column by column. Fails when one is not of its column's type.
pub(super) fn columns<'r>(
    rows: &[&'r Params],
    types: &[Type],
) -> Result<Vec<Box<dyn ToSql + Sync + Send + 'r>>, Error> {
    if rows.iter().any(|row| row.len() != types.len()) {
        return Err(Error::Refused { engine_code: 0 });
    }
    let column = |at: usize, of: &Type| -> Result<Box<dyn ToSql + Sync + Send + 'r>, Error> {
        let values = rows.iter().map(|row| row.values().nth(at).unwrap_or(Value::Null));
        Ok(match *of {
            Type::INT8 => Box::new(values.map(int).collect::<Result<Vec<Option<i64>>, Error>>()?),
            Type::BYTEA => Box::new(values.map(bytes).collect::<Result<Vec<Option<&'r [u8]>>, Error>>()?),
            Type::TEXT => Box::new(values.map(text).collect::<Result<Vec<Option<&'r str>>, Error>>()?),
            _ => return Err(Error::Refused { engine_code: 0 }),
        })
    };
    types.iter().enumerate().map(|(at, of)| column(at, of)).collect()
}

fn int(value: Value<'_>) -> Result<Option<i64>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::Int(value) => Ok(Some(value)),
        _ => Err(Error::Refused { engine_code: 0 }),
    }
}

fn bytes(value: Value<'_>) -> Result<Option<&[u8]>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::Bytes(value) => Ok(Some(value)),
        _ => Err(Error::Refused { engine_code: 0 }),
    }
}

fn text(value: Value<'_>) -> Result<Option<&str>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::Text(value) => Ok(Some(value)),
        _ => Err(Error::Refused { engine_code: 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_many_by_its_columns() {
        let types = [Type::INT8, Type::BYTEA];
        let text = "INSERT INTO thing (id, body, n) VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING";
        assert_eq!(
            adding_many(text, &types).unwrap(),
            "INSERT INTO thing (id, body, n) SELECT added.p1, added.p2, 0 \
             FROM unnest($1::bigint[], $2::bytea[]) AS added (p1, p2) ON CONFLICT (id) DO NOTHING"
        );
        assert_eq!(adding_many("UPDATE thing SET body = $1", &types), None);
        assert_eq!(adding_many(text, &[Type::INT4, Type::BYTEA]), None);
    }

    #[test]
    fn the_tenth_parameter_is_not_the_first_with_a_nought_behind() {
        let types = vec![Type::INT8; 10];
        let many = asking_many("SELECT a FROM thing WHERE b = $1 AND c = $10", &types).unwrap();
        assert!(many.contains("WHERE b = asked.p1 AND c = asked.p10 OFFSET 0"), "{many}");
    }

    #[test]
    fn a_value_that_is_not_of_its_column_is_not_sent() {
        let rows = [Params::of(crate::params![1, "a"]), Params::of(crate::params![2, 3])];
        let rows: Vec<&Params> = rows.iter().collect();
        assert!(columns(&rows, &[Type::INT8, Type::TEXT]).is_err());
        assert!(columns(&rows[..1], &[Type::INT8, Type::TEXT]).is_ok());
        assert!(columns(&rows[..1], &[Type::INT8]).is_err());
    }
}
