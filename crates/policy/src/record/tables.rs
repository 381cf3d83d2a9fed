//! A record as tables of plain text: for a workbook, and for whatever else holds tables.

use super::{Cell, Record, Words, both, words};

/// A table: a heading for every column, and rows with as many cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it is called; short enough for the tab of a sheet.
    pub title: String,
    /// The headings, each with how wide its column is, in characters.
    pub head: Vec<(String, u8)>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Record {
    /// The sheets of the record, then its open tasks and its notes, a table each.
    pub fn tables(&self) -> Vec<Table> {
        let mut tables: Vec<Table> = self.sheets.iter().map(|sheet| self.sheet(sheet)).collect();
        tables.push(self.open_tasks());
        tables.push(self.notes());
        tables
    }

    fn sheet(&self, sheet: &super::Sheet) -> Table {
        let head = sheet.columns.iter().map(|column| (self.heading(column), column.width)).collect();
        let rows = sheet.rows.iter().map(|row| row.cells.clone()).collect();
        Table { title: sheet.title.of(self.language).to_owned(), head, rows }
    }

    /// What stands above a column, with its articles in the next line.
    fn heading(&self, column: &super::Column) -> String {
        let title = column.title.of(self.language);
        match words::citations(column.cites, self.language) {
            cites if cites.is_empty() => title.to_owned(),
            cites => format!("{title}\n{cites}"),
        }
    }

    fn open_tasks(&self) -> Table {
        let of = |words: Words| words.of(self.language).to_owned();
        let row = |task: super::Task<'_>| {
            vec![
                Cell::Known(of(task.sheet.title)),
                Cell::Known(task.row.title.clone()),
                Cell::Known(of(task.column.title)),
                Cell::Task(task.text.to_owned()),
            ]
        };
        Table {
            title: of(OPEN_TASKS),
            head: vec![(of(SHEET), 26), (of(ABOUT), 34), (of(COLUMN), 30), (of(TASK), 80)],
            rows: self.tasks().map(row).collect(),
        }
    }

    fn notes(&self) -> Table {
        let of = |words: Words| words.of(self.language).to_owned();
        let line = |what: Words, text: &str| vec![Cell::Known(of(what)), Cell::Known(text.to_owned())];
        let mut rows = vec![
            line(RECORD, self.title()),
            line(SHOP, &self.shop_name),
            line(MADE_ON, &self.made_on.to_string()),
            line(REVIEWED, &self.reviewed.to_string()),
        ];
        rows.extend(self.notes.iter().map(|note| line(NOTE, note)));
        Table { title: of(NOTES), head: vec![(of(ABOUT), 30), (of(NOTE), 100)], rows }
    }
}

pub(super) const OPEN_TASKS: Words = both("Open tasks", "待办事项");
pub(super) const NOTES: Words = both("Notes", "说明");
pub(super) const SHOP: Words = both("Shop", "店铺");
pub(super) const MADE_ON: Words = both("As of", "截至日期");
pub(super) const REVIEWED: Words = both("Policy last read by a person on", "政策最近一次人工复核日期");
pub(super) const SHEET: Words = both("Sheet", "表");
pub(super) const ABOUT: Words = both("About", "对象");
pub(super) const COLUMN: Words = both("Column", "列");
pub(super) const TASK: Words = both("Task", "待填写内容");
const RECORD: Words = both("Record", "记录");
const NOTE: Words = both("Note", "说明");
