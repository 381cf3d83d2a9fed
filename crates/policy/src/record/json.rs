//! A record as JSON. docs/guide/record.md describes the form; what is there stays, and more may come.

use super::{Cell, Column, Record, Row, Sheet, Words};
use crate::law::Citation;
use serde::{Serialize, Serializer};

/// The form's version.
const FORMAT: u32 = 1;

impl Record {
    /// The record for programs: sheets with columns and rows, then the open tasks, then the notes.
    pub fn to_json(&self) -> serde_json::Value {
        let written = Written {
            format: FORMAT,
            law: self.law.as_str(),
            language: self.language.as_str(),
            title: self.title(),
            shop: Shop { id: &self.shop, name: &self.shop_name },
            as_of: self.made_on.to_string(),
            reviewed: self.reviewed.to_string(),
            known: self.count_known(),
            sheets: self.sheets.iter().map(WrittenSheet::of).collect(),
            tasks: self
                .tasks()
                .map(|task| WrittenTask {
                    sheet: task.sheet.key,
                    row: &task.row.key,
                    column: task.column.key,
                    text: task.text,
                })
                .collect(),
            notes: &self.notes,
        };
        // Every key of it is a text, so there is nothing at which this can fail.
        serde_json::to_value(written).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    law: &'static str,
    language: &'static str,
    title: &'static str,
    shop: Shop<'a>,
    as_of: String,
    reviewed: String,
    known: usize,
    sheets: Vec<WrittenSheet<'a>>,
    tasks: Vec<WrittenTask<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Shop<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct WrittenSheet<'a> {
    key: &'static str,
    title: Words,
    columns: Vec<WrittenColumn>,
    rows: Vec<WrittenRow<'a>>,
}

impl<'a> WrittenSheet<'a> {
    fn of(sheet: &'a Sheet) -> Self {
        Self {
            key: sheet.key,
            title: sheet.title,
            columns: sheet.columns.iter().map(WrittenColumn::of).collect(),
            rows: sheet.rows.iter().map(|row| WrittenRow::of(row, &sheet.columns)).collect(),
        }
    }
}

#[derive(Serialize)]
struct WrittenColumn {
    key: &'static str,
    title: Words,
    cites: &'static [Citation],
}

impl WrittenColumn {
    fn of(column: &Column) -> Self {
        Self { key: column.key, title: column.title, cites: column.cites }
    }
}

#[derive(Serialize)]
struct WrittenRow<'a> {
    key: &'a str,
    title: &'a str,
    cells: Vec<WrittenCell<'a>>,
}

impl<'a> WrittenRow<'a> {
    fn of(row: &'a Row, columns: &[Column]) -> Self {
        let cells = columns.iter().zip(&row.cells).map(|(column, cell)| match cell {
            Cell::Known(text) => WrittenCell { column: column.key, known: Some(text), task: None },
            Cell::Task(text) => WrittenCell { column: column.key, known: None, task: Some(text) },
        });
        Self { key: &row.key, title: &row.title, cells: cells.collect() }
    }
}

/// A cell has one of the two.
#[derive(Serialize)]
struct WrittenCell<'a> {
    column: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
}

#[derive(Serialize)]
struct WrittenTask<'a> {
    sheet: &'static str,
    row: &'a str,
    column: &'static str,
    text: &'a str,
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("en", self.en), ("zh", self.zh)])
    }
}
