//! Tables of plain text as an Excel workbook (`.xlsx`).
//!
//! Every cell is text and stays text: a value that begins with `=`, `+`, `-` or `@` is no formula, neither when the
//! workbook is opened nor when somebody edits the cell. There are no numbers, dates, links, macros or formulas in what
//! is written. The same book makes the same bytes, on every machine and on every day.
//!
//! This crate knows nothing of what the tables are about. It touches no files and no network.
//!
//! ```
//! use workbook::{Book, Cell, Column, Sheet};
//!
//! let sheet = Sheet {
//!     name: String::from("Purposes"),
//!     columns: vec![Column { title: String::from("Purpose"), width: 40 }],
//!     rows: vec![vec![Cell::plain("to bring your parcel to you")]],
//! };
//! let book = Book { title: String::from("Record"), made_on: jiff::civil::date(2026, 11, 1), sheets: vec![sheet] };
//! assert!(book.to_bytes()?.starts_with(b"PK"));
//! # Ok::<(), workbook::Fault>(())
//! ```

mod write;

use jiff::civil::Date;

/// The longest text that a cell holds, in UTF-16 units. SOURCE: Excel specifications and limits.
pub const LONGEST_CELL: usize = 32_767;

/// A workbook: its tables, one a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// What it is, for its properties.
    pub title: String,
    /// The day that its properties give as the day on which it was made.
    pub made_on: Date,
    /// The sheets, the first one shown first.
    pub sheets: Vec<Sheet>,
}

/// A table: a heading that stays in sight, and rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its name on the tab: 1 to 31 characters, none of `[ ] : * ? / \`.
    pub name: String,
    /// The columns, from the left.
    pub columns: Vec<Column>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub title: String,
    /// How wide it is, in characters of the usual font; longer texts go on in the next line of the cell.
    pub width: u8,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What stands in it.
    pub text: String,
    /// How it looks.
    pub look: Look,
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As text does.
    Plain,
    /// As something that is still to be done: shaded, with a border.
    Open,
}

impl Cell {
    /// A cell that looks as text does.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), look: Look::Plain }
    }

    /// A cell that is still to be filled in.
    pub fn open(text: impl Into<String>) -> Self {
        Self { text: text.into(), look: Look::Open }
    }
}

/// Why a book cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It has no sheets, or more rows or columns than a sheet holds.
    #[error("a workbook needs a sheet, and a sheet has at most 1048576 rows and 16384 columns")]
    Size,
    /// A sheet's name is empty, too long, taken, or has a character in it that none may have.
    #[error(
        "a sheet's name has 1 to 31 characters, none of them one of `[]:*?/\\`, and stands once in its workbook"
    )]
    SheetName,
    /// A text is longer than [`LONGEST_CELL`].
    #[error("a cell holds at most 32767 characters")]
    CellTooLong,
    /// The workbook cannot be put together for another reason.
    #[error("the workbook cannot be put together")]
    Other,
}

impl Book {
    /// The bytes of the workbook, as a file with the ending `.xlsx` holds them.
    ///
    /// *Fails* when the book is larger than a workbook can be or a sheet's name is none; nothing is left behind.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        write::to_bytes(self)
    }
}
