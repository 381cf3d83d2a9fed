//! Rows of a sheet of an .xlsx workbook (ECMA-376, ISO/IEC 29500), one after another.
//!
//! A workbook is a zip of XML, so a small file can unfold to any size and any number of cells. The file and its shared texts
//! are held in memory, within limits; the sheet is read as a stream, twice: once to its end to see that it is whole and within
//! the limits, how many rows it has and which cells are merged, and only then for its rows. So a workbook that is refused is
//! refused before anything of it was taken in. Nothing of it is written anywhere else.
//!
//! What a cell says is what its user sees in it: a formula is its value, a date is a date, `007` stays `007`.

mod parts;
mod raw;
#[cfg(test)]
mod tests;
mod workbook;

use std::collections::BTreeMap;
use std::io::Read;

use jiff::civil::DateTime;
use zeroize::Zeroizing;

use self::parts::Parts;
use self::raw::{Merge, RawCell, RawRows, What};
use self::workbook::{Shown, Texts, Workbook, read_styles};
use super::cells::{BadCell, Epoch, Reading, Use, day_counted, day_text, number_text};
use super::rows::{BadRow, COLUMNS_LIMIT, no_header};
use crate::ground::Problem;

/// What a compound file begins with: a workbook of before 2007, or one that is locked with a password.
/// SOURCE: [MS-CFB] 2.2.
pub(super) const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// How much a workbook may hold. The last row and column are Excel's own.
#[derive(Debug, Clone, Copy)]
struct Limits {
    file_bytes: u64,
    parts: usize,
    /// What is neither a sheet nor its texts, unfolded.
    part_bytes: u64,
    /// What one part has to do with others.
    relations: usize,
    sheets: usize,
    text_bytes: usize,
    texts: usize,
    sheet_bytes: u64,
    rows: u32,
    columns: u32,
    cells: u64,
    merges: usize,
}

const LIMITS: Limits = Limits {
    file_bytes: 128 << 20,
    parts: 4_096,
    part_bytes: 16 << 20,
    relations: 4_096,
    sheets: 4_096,
    text_bytes: 256 << 20,
    texts: 32 << 20,
    sheet_bytes: 4 << 30,
    rows: 1_048_576,
    columns: 16_384,
    cells: 100_000_000,
    merges: 1_000_000,
};
/// Longest text of a cell, bytes: Excel takes 32,767 characters.
const CELL_LIMIT: usize = 128 << 10;
/// Longest texts of a row together, bytes.
const ROW_LIMIT: usize = 4 << 20;
/// Formats of cells at the most; Excel takes 65,490.
const STYLES_LIMIT: usize = 1 << 16;
/// Elements within one another. A sheet has six.
const DEPTH_LIMIT: usize = 64;

/// A cell, as far as the mapping uses it.
#[derive(Clone)]
pub(super) enum SheetCell {
    /// There is nothing in it.
    Empty,
    /// There is something in it that no mapping names. It is not looked at.
    Unread,
    /// Its text.
    Text(Zeroizing<String>),
    /// It cannot be used.
    Bad(BadCell),
}

/// A row.
pub(super) struct SheetRow {
    /// Its number in the sheet, from 1.
    pub line: u64,
    /// Is it hidden from those who look at the sheet?
    pub hidden: bool,
    /// Its cells, by the columns of the header.
    pub cells: Vec<SheetCell>,
}

/// A sheet, and what its cells are made of.
pub(super) struct Sheet {
    raw: RawRows,
    book: Book,
    names: Vec<String>,
    header_row: u32,
    /// Columns that are merged over several rows, the next last.
    merges: Vec<Merge>,
    /// Those that began above the row, by column: until which row they go, and what they show.
    covering: BTreeMap<u32, (u32, SheetCell)>,
    rows: u64,
    others: u64,
}

impl Sheet {
    /// Opens the sheet that the mapping wants and reads it once to its end.
    ///
    /// Fails: `SR-IMPORT-030` when this is no workbook or a damaged one, `SR-IMPORT-031` when it is too large,
    /// `SR-IMPORT-032` when it does not have the sheet, `SR-IMPORT-003` when the sheet has no header.
    pub(super) fn open(file: impl Read, reading: &Reading) -> Result<Sheet, Problem> {
        Sheet::open_within(file, reading, &LIMITS)
    }

    fn open_within(file: impl Read, reading: &Reading, limits: &Limits) -> Result<Sheet, Problem> {
        let parts = Parts::read(file, limits)?;
        let workbook = Workbook::read(&parts, limits)?;
        let (path, others) = workbook.sheet(reading.sheet.as_deref())?;
        let book = Book {
            texts: Texts::read(&parts, workbook.texts.as_deref(), limits)?,
            styles: read_styles(&parts, workbook.styles.as_deref(), limits)?,
            epoch: workbook.epoch,
        };
        let mut first = RawRows::open(&parts, &path, limits)?;
        let (header_row, names) = find_header(&mut first, &book, reading.header_row)?;
        let mut filled = Vec::new();
        while let Some(row) = first.next()? {
            let is_known =
                |cell: &RawCell| !matches!(cell.what, What::Shared(at) if book.texts.find(at).is_none());
            if !row.cells.iter().all(|(_, cell)| is_known(cell)) {
                return Err(damaged());
            }
            if row.cells.iter().any(|(_, cell)| book.is_filled(cell)) {
                filled.push(row.number);
            }
        }
        let mut merges = first.merges(header_row)?;
        if first.cells().saturating_add(given_by(&merges, &filled)) > limits.cells {
            return Err(too_large());
        }
        merges.sort_by_key(|merge| std::cmp::Reverse(merge.first_row));
        let raw = RawRows::open(&parts, &path, limits)?;
        let (rows, covering) = (filled.len() as u64, BTreeMap::new());
        Ok(Sheet { raw, book, names, header_row, merges, covering, rows, others })
    }

    /// Names of its columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are below the header.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many other sheets the workbook has.
    pub(super) fn others(&self) -> u64 {
        self.others
    }

    /// The next row. Takes: what each column is used for; `None` for one that is not.
    pub(super) fn next_row(
        &mut self,
        uses: &[Option<Use>],
        reading: &Reading,
    ) -> Result<Option<Result<SheetRow, BadRow>>, Problem> {
        loop {
            let Some(row) = self.raw.next()? else { return Ok(None) };
            let filled = row.cells.iter().any(|(_, cell)| self.book.is_filled(cell));
            if row.number <= self.header_row || !filled {
                continue; // or only formatted, as the many rows below a table often are
            }
            let (line, hidden) = (u64::from(row.number), row.hidden);
            let mut cells: Vec<SheetCell> = Vec::with_capacity(self.names.len());
            cells.resize_with(self.names.len(), || SheetCell::Empty);
            for (column, cell) in row.cells {
                if !self.book.is_filled(&cell) {
                    continue;
                }
                let used = uses.get(usize::try_from(column).unwrap_or(usize::MAX)).copied().flatten();
                let shown = match used {
                    None => SheetCell::Unread,
                    Some(used) => match self.book.text(cell, used, reading) {
                        Ok(text) => SheetCell::Text(text),
                        Err(bad) => SheetCell::Bad(bad),
                    },
                };
                put(&mut cells, column, shown);
            }
            self.spread(row.number, &mut cells);
            if cells.len() > self.names.len() {
                let what = "the row has another number of cells than the header";
                return Ok(Some(Err(BadRow { line, code: "SR-IMPORT-010", what })));
            }
            return Ok(Some(Ok(SheetRow { line, hidden, cells })));
        }
    }

    /// Gives a row what the merged cells above it show, for that is shown beside it, and keeps what it shows itself in cells that
    /// are merged with those below.
    fn spread(&mut self, row: u32, cells: &mut Vec<SheetCell>) {
        self.covering.retain(|_, (last_row, _)| *last_row >= row);
        for (column, (_, shown)) in &self.covering {
            put(cells, *column, shown.clone());
        }
        while let Some(merge) = self.merges.pop_if(|merge| merge.first_row <= row) {
            let shown = usize::try_from(merge.column).ok().and_then(|column| cells.get(column));
            let shown = shown.filter(|cell| merge.first_row == row && !matches!(cell, SheetCell::Empty));
            if let Some(shown) = shown {
                // Merged cells do not overlap: the first of a column stays.
                self.covering.entry(merge.column).or_insert_with(|| (merge.last_row, shown.clone()));
            }
        }
    }
}

/// Puts a cell where it stands, if need be behind the columns of the header.
fn put(cells: &mut Vec<SheetCell>, column: u32, cell: SheetCell) {
    let column = usize::try_from(column).unwrap_or(usize::MAX);
    if column >= cells.len() {
        cells.resize_with(column.saturating_add(1), || SheetCell::Empty);
    }
    if let Some(slot) = cells.get_mut(column) {
        *slot = cell;
    }
}

/// How many cells merges give to the rows below them: a few bytes of a file ask for a cell in each of a million rows.
fn given_by(merges: &[Merge], filled: &[u32]) -> u64 {
    let up_to = |last: u32| filled.partition_point(|row| *row <= last) as u64;
    merges.iter().map(|merge| up_to(merge.last_row).saturating_sub(up_to(merge.first_row))).sum()
}

/// Finds the row with the names of the columns.
fn find_header(raw: &mut RawRows, book: &Book, wanted: Option<u32>) -> Result<(u32, Vec<String>), Problem> {
    while let Some(row) = raw.next()? {
        let filled = row.cells.iter().any(|(_, cell)| book.is_filled(cell));
        match wanted {
            Some(wanted) if row.number < wanted => continue,
            Some(wanted) if row.number > wanted => return Err(no_header()),
            None if !filled => continue,
            _ => {}
        }
        let (mut names, mut bytes) = (Vec::new(), 0_usize);
        for (column, cell) in row.cells.into_iter().filter(|(_, cell)| book.is_filled(cell)) {
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            if column >= COLUMNS_LIMIT {
                return Err(no_header());
            }
            let name = book.text(cell, Use::Other, &Reading::default()).map_err(|_| no_header())?;
            // A text that cells share is counted for each of them: a few bytes of the file name it.
            bytes = bytes.saturating_add(name.len());
            if bytes > ROW_LIMIT {
                return Err(too_large());
            }
            names.resize(names.len().max(column.saturating_add(1)), String::new());
            if let Some(slot) = names.get_mut(column) {
                name.trim().clone_into(slot);
            }
        }
        return if names.is_empty() { Err(no_header()) } else { Ok((row.number, names)) };
    }
    Err(no_header())
}

/// What the cells of all sheets share.
struct Book {
    texts: Texts,
    styles: Vec<Shown>,
    epoch: Epoch,
}

impl Book {
    fn is_filled(&self, cell: &RawCell) -> bool {
        match &cell.what {
            What::Shared(at) => self.texts.find(*at).is_some_and(|text| !text.is_empty()),
            What::Text(text) => !text.trim().is_empty(),
            _ => true,
        }
    }

    fn text(&self, cell: RawCell, used: Use, reading: &Reading) -> Result<Zeroizing<String>, BadCell> {
        let shown = self.styles.get(cell.style).copied().unwrap_or(Shown::Number(0));
        let day = |at: Option<DateTime>| match at {
            Some(at) => day_text(at, used, &reading.zone),
            None => Err(BadCell::NO_DAY),
        };
        Ok(Zeroizing::new(match cell.what {
            What::Shared(at) => self.texts.find(at).unwrap_or_default().to_owned(),
            What::Text(text) => return Ok(text),
            What::Truth(truth) => truth.to_string(),
            What::Day(at) => day(Some(at))?,
            What::Number(days) if shown == Shown::Day => day(day_counted(days, self.epoch))?,
            What::Number(days) if matches!(used, Use::Instant | Use::Day) => match reading.serials {
                // The workbook says itself from when it counts.
                Some(_) => day(day_counted(days, self.epoch))?,
                None => return Err(BadCell::NO_DAY),
            },
            What::Number(number) => {
                let Shown::Number(digits) = shown else { return Err(BadCell::NO_DAY) };
                number_text(number, digits, used)?
            }
            What::Error => return Err(BadCell::ERROR),
            What::NotWorkedOut => return Err(BadCell::NOT_WORKED_OUT),
        }))
    }
}

/// A problem of a file that is no workbook.
pub(super) fn no_workbook(title: &'static str) -> Problem {
    Problem::new("SR-IMPORT-030", 422, title)
}

fn damaged() -> Problem {
    no_workbook("the file is not an .xlsx workbook that can be read, or it is damaged")
        .help("open it in its program and save it as .xlsx, or as CSV in UTF-8")
}

fn too_large() -> Problem {
    Problem::new("SR-IMPORT-031", 422, "the workbook is larger than a workbook may be, or unfolds to more")
        .help("a workbook may be 128 MiB large, and a sheet have 1,048,576 rows and 100 million cells; save a larger one as CSV in UTF-8")
}
