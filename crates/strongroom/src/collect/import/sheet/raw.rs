//! Rows of a sheet as they are written: each within the limits, in order, and at the place that it says.

use jiff::civil::DateTime;
use quick_xml::events::Event;
use zeroize::Zeroizing;

use super::parts::{Parts, Xml, attribute, is_true, unescaped};
use super::{Limits, ROW_LIMIT, damaged, too_large};
use crate::ground::Problem;

/// A cell as it is written.
pub(super) struct RawCell {
    pub(super) style: usize,
    pub(super) what: What,
}

pub(super) enum What {
    Shared(usize),
    Text(Zeroizing<String>),
    Number(f64),
    Truth(bool),
    Day(DateTime),
    Error,
    NotWorkedOut,
}

/// A row as it is written: cells with something in them, by column from 0.
pub(super) struct RawRow {
    pub(super) number: u32,
    pub(super) hidden: bool,
    pub(super) cells: Vec<(u32, RawCell)>,
}

/// A column that is merged from one row to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Merge {
    pub(super) column: u32,
    pub(super) first_row: u32,
    pub(super) last_row: u32,
}

/// Rows of a sheet as they are written.
pub(super) struct RawRows {
    xml: Xml,
    limits: Limits,
    row: u32,
    cells: u64,
}

impl RawRows {
    /// Begins before the first row.
    pub(super) fn open(parts: &Parts, path: &str, limits: &Limits) -> Result<RawRows, Problem> {
        let mut xml = parts.must_open(path, limits.sheet_bytes)?;
        loop {
            match xml.next()? {
                Event::Start(element) if element.local_name().as_ref() == "sheetData" => break,
                Event::Eof => return Err(damaged()),
                _ => {}
            }
        }
        Ok(RawRows { xml, limits: *limits, row: 0, cells: 0 })
    }

    /// How many cells there were so far.
    pub(super) fn cells(&self) -> u64 {
        self.cells
    }

    pub(super) fn next(&mut self) -> Result<Option<RawRow>, Problem> {
        loop {
            let (said, hidden) = match self.xml.next()? {
                Event::Start(element) if element.local_name().as_ref() == "row" => {
                    (attribute(&element, "r"), is_true(attribute(&element, "hidden").as_deref()))
                }
                Event::End(element) if element.local_name().as_ref() == "sheetData" => return Ok(None),
                Event::Eof => return Err(damaged()),
                _ => continue,
            };
            let number = match said {
                Some(said) => said.parse().map_err(|_| damaged())?,
                None => self.row.saturating_add(1),
            };
            if number <= self.row {
                return Err(damaged());
            }
            if number > self.limits.rows {
                return Err(too_large());
            }
            self.row = number;
            return Ok(Some(RawRow { number, hidden, cells: self.cells_of_row()? }));
        }
    }

    fn cells_of_row(&mut self) -> Result<Vec<(u32, RawCell)>, Problem> {
        let (mut cells, mut next_column, mut bytes) = (Vec::new(), 0_u32, 0_usize);
        loop {
            let (at, style, kind) = match self.xml.next()? {
                Event::Start(element) if element.local_name().as_ref() == "c" => {
                    (attribute(&element, "r"), attribute(&element, "s"), attribute(&element, "t"))
                }
                Event::End(element) if element.local_name().as_ref() == "row" => return Ok(cells),
                Event::Eof => return Err(damaged()),
                _ => continue,
            };
            let column = match at {
                Some(at) => match place(&at) {
                    Some((column, row)) if row == self.row => column,
                    _ => return Err(damaged()),
                },
                None => next_column,
            };
            if column < next_column {
                return Err(damaged());
            }
            self.cells = self.cells.saturating_add(1);
            if column >= self.limits.columns || self.cells > self.limits.cells {
                return Err(too_large());
            }
            next_column = column.saturating_add(1);
            let style = style.and_then(|style| style.parse().ok()).unwrap_or(0);
            if let Some(what) = self.cell(kind.as_deref().unwrap_or("n"))? {
                if let What::Text(text) = &what {
                    bytes = bytes.saturating_add(text.len());
                }
                if bytes > ROW_LIMIT {
                    return Err(too_large());
                }
                cells.push((column, RawCell { style, what }));
            }
        }
    }

    /// What stands in a cell that was begun.
    fn cell(&mut self, kind: &str) -> Result<Option<What>, Problem> {
        let (mut value, mut inline, mut formula) = (None, None, false);
        let depth = self.xml.depth;
        loop {
            let name = match self.xml.next()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "v" => b'v',
                    "is" => b'i',
                    "f" => b'f',
                    _ => b' ',
                },
                Event::Eof => return Err(damaged()),
                _ => b' ',
            };
            match name {
                b'v' => value = Some(self.xml.text()?),
                b'i' => inline = Some(self.xml.rich_text()?),
                b'f' => formula = true,
                _ => {}
            }
            if self.xml.depth < depth {
                break;
            }
        }
        if let Some(text) = inline {
            return Ok(Some(What::Text(text)));
        }
        let Some(value) = value else { return Ok(formula.then_some(What::NotWorkedOut)) };
        let text = value.trim();
        Ok(Some(match kind {
            "str" | "inlineStr" => What::Text(unescaped(value)),
            _ if text.is_empty() => return Ok(formula.then_some(What::NotWorkedOut)),
            "s" => What::Shared(text.parse().map_err(|_| damaged())?),
            "b" => What::Truth(is_true(Some(text))),
            "e" => What::Error,
            "d" => match text.trim_end_matches('Z').parse() {
                Ok(at) => What::Day(at),
                Err(_) => What::Text(value),
            },
            "n" => What::Number(text.parse().map_err(|_| damaged())?),
            _ => return Err(damaged()),
        }))
    }

    /// Columns that are merged over several rows below the header; to be asked once all rows are read. Reads to the end.
    pub(super) fn merges(&mut self, header_row: u32) -> Result<Vec<Merge>, Problem> {
        let mut merges = Vec::new();
        loop {
            let area = match self.xml.next()? {
                Event::Start(element) if element.local_name().as_ref() == "mergeCell" => {
                    attribute(&element, "ref").ok_or_else(damaged)?
                }
                Event::Eof => return Ok(merges),
                _ => continue,
            };
            let corners = area.split_once(':').and_then(|(from, to)| Some((place(from)?, place(to)?)));
            let Some(((column, first_row), (_, last_row))) = corners else { continue };
            if first_row > header_row && last_row > first_row && column < self.limits.columns {
                merges.push(Merge { column, first_row, last_row });
            }
            if merges.len() > self.limits.merges {
                return Err(too_large());
            }
        }
    }
}

/// Column (from 0) and row (from 1) of a place such as `AB12`.
pub(super) fn place(at: &str) -> Option<(u32, u32)> {
    let digits = at.find(|letter: char| letter.is_ascii_digit())?;
    let (letters, row) = at.split_at_checked(digits)?;
    let mut column = 0_u32;
    for letter in letters.bytes() {
        let letter = letter.to_ascii_uppercase();
        if !letter.is_ascii_uppercase() {
            return None;
        }
        column = column.checked_mul(26)?.checked_add(u32::from(letter.checked_sub(b'A')?))?.checked_add(1)?;
    }
    Some((column.checked_sub(1)?, row.parse().ok()?))
}
