//! Rows of a file, one after another: CSV or JSONL, plain or gzip, or a sheet of a workbook. Cells are looked at by column and
//! never printed.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};

use serde_json::value::RawValue;
use zeroize::{Zeroize, Zeroizing};

use super::cells::{BadCell, Reading, Use, counted_in_text, look, meant};
use super::encoding::Decoding;
use super::sheet::{Sheet, SheetCell};
use crate::ground::Problem;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Values between commas, semicolons or tabs, with a header line.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// A sheet of an Excel workbook.
    Xlsx,
}

impl Format {
    /// From a file's name: `.csv`, `.tsv`, `.jsonl`, `.ndjson`, each also with `.gz`; `.xlsx`, `.xlsm`.
    pub fn of_name(name: &str) -> Option<Format> {
        let name = name.to_ascii_lowercase();
        let unpacked = name.strip_suffix(".gz").unwrap_or(&name);
        match unpacked.rsplit_once('.')?.1 {
            "csv" | "tsv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "xlsx" | "xlsm" if unpacked == name => Some(Format::Xlsx),
            _ => None,
        }
    }

    /// From its own name, as `--format` takes it.
    pub fn of_word(word: &str) -> Option<Format> {
        [Format::Csv, Format::Jsonl, Format::Xlsx].into_iter().find(|format| format.word() == word)
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::Xlsx => "xlsx",
        }
    }
}

/// A row: its line, and its cells in the order of the columns.
#[derive(Debug)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// Is it hidden in its sheet?
    pub hidden: bool,
    cells: Cells,
}

enum Cells {
    Csv(csv::ByteRecord),
    Json(Vec<(String, Option<String>)>),
    Sheet(Vec<SheetCell>),
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cells(..)")
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        if let Cells::Json(cells) = &mut self.cells {
            for (_, cell) in cells {
                cell.zeroize();
            }
        }
    }
}

impl Row {
    /// A cell as it was meant. `None` when the row does not have the column. Fails: when it cannot be taken for what the column
    /// is used for.
    pub fn cell<'r>(&'r self, columns: &Columns, name: &str) -> Result<Option<&'r str>, BadCell> {
        let position = columns.position(name);
        let found = match &self.cells {
            Cells::Csv(record) => {
                let cell = position.and_then(|position| record.get(position));
                cell.map(|cell| std::str::from_utf8(cell).map_err(|_| BadCell::NOT_TEXT)).transpose()?
            }
            Cells::Json(cells) => {
                cells.iter().find(|(key, _)| key == name).and_then(|(_, cell)| cell.as_deref())
            }
            Cells::Sheet(cells) => match position.and_then(|position| cells.get(position)) {
                Some(SheetCell::Text(text)) => Some(text.as_str()),
                Some(SheetCell::Bad(bad)) => return Err(*bad),
                Some(SheetCell::Empty | SheetCell::Unread) | None => None,
            },
        };
        let Some(text) = found.map(meant) else { return Ok(None) };
        look(text, columns.reading.uses.get(name).copied().unwrap_or_default())?;
        Ok(Some(text))
    }

    /// Columns of this row that hold something.
    pub fn filled<'r>(&'r self, columns: &'r Columns) -> Box<dyn Iterator<Item = &'r str> + 'r> {
        match &self.cells {
            Cells::Csv(record) => Box::new(
                columns
                    .names
                    .iter()
                    .zip(record.iter())
                    .filter(|(_, cell)| !cell.is_empty())
                    .map(|(name, _)| name.as_str()),
            ),
            Cells::Json(cells) => {
                Box::new(cells.iter().filter(|(_, cell)| cell.is_some()).map(|(key, _)| key.as_str()))
            }
            Cells::Sheet(cells) => Box::new(
                columns
                    .names
                    .iter()
                    .zip(cells)
                    .filter(|(_, cell)| !matches!(cell, SheetCell::Empty))
                    .map(|(name, _)| name.as_str()),
            ),
        }
    }
}

/// The columns of a file. A JSONL file has none of its own; each row brings its keys.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    names: Vec<String>,
    /// What each is used for; `None` for one that the mapping does not name.
    uses: Vec<Option<Use>>,
    reading: Reading,
}

impl Columns {
    fn new(names: Vec<String>, reading: &Reading) -> Columns {
        let uses = names.iter().map(|name| reading.uses.get(name).copied()).collect();
        Columns { names, uses, reading: reading.clone() }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| own == name)
    }

    /// Their names; none of a JSONL file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Does the file have this column, as far as can be said before its rows are read?
    pub fn may_have(&self, name: &str) -> bool {
        self.names.is_empty() || self.position(name).is_some()
    }

    /// Does the file have two columns of this name? Then nobody knows which is meant.
    pub fn has_twice(&self, name: &str) -> bool {
        self.names.iter().filter(|own| *own == name).nth(1).is_some()
    }
}

/// Why a row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRow {
    /// Line in the file, from 1.
    pub line: u64,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong, in words of ours.
    pub what: &'static str,
}

/// Rows of a file.
pub struct Rows<R: Read> {
    source: Source<R>,
    columns: Columns,
}

impl<R: Read> std::fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rows(..)")
    }
}

type Plain<R> = Box<BufReader<Budgeted<Decoding<MaybeGzip<R>>>>>;
/// What stands before the cells is looked at before it is read.
type Begun<R> = Chain<Cursor<Vec<u8>>, Plain<R>>;

enum Source<R: Read> {
    /// With the lines that its reader does not count.
    Csv(Box<csv::Reader<Begun<R>>>, u64),
    Jsonl(Plain<R>, u64),
    Sheet(Box<Sheet>),
}

/// Longest line of a JSONL file, bytes.
const LINE_LIMIT: usize = 1 << 20;
/// Columns of a file at the most.
pub(super) const COLUMNS_LIMIT: usize = 4_096;

impl<R: Read> Rows<R> {
    /// Begins to read.
    ///
    /// Fails: `SR-IMPORT-003` when the file has no readable header, `SR-IMPORT-004` when it cannot be read, and as
    /// [`Sheet::open`] and [`Decoding::begin`] do.
    pub fn open(file: R, format: Format, reading: &Reading) -> Result<Rows<R>, Problem> {
        if format == Format::Xlsx {
            let sheet = Sheet::open(file, reading)?;
            let columns = Columns::new(sheet.names().to_owned(), reading);
            return Ok(Rows { source: Source::Sheet(Box::new(sheet)), columns });
        }
        let decoding = Decoding::begin(MaybeGzip::detect(file)?, reading.encoding)?;
        let mut plain = Box::new(BufReader::with_capacity(1 << 16, Budgeted::new(decoding)));
        if format == Format::Jsonl {
            return Ok(Rows { source: Source::Jsonl(plain, 0), columns: Columns::new(Vec::new(), reading) });
        }
        let (line, said, first) = header_line(&mut plain, reading.header_row)?;
        let delimiter = said.unwrap_or_else(|| delimiter(&first));
        // The reader leaves the second half of a line's end to the next line, and so counts each line but the first as the one
        // before it.
        let before = line.saturating_sub(u64::from(!first.ends_with(b"\r\n")));
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Cursor::new(first).chain(plain));
        let header = reader.byte_headers().map_err(|_| no_header())?;
        let names: Option<Vec<String>> = header
            .iter()
            .map(|name| std::str::from_utf8(name).ok().map(|name| name.trim().to_owned()))
            .collect();
        let names =
            names.filter(|names| !names.is_empty() && names.len() <= COLUMNS_LIMIT).ok_or_else(no_header)?;
        let source = Source::Csv(Box::new(reader), before);
        Ok(Rows { source, columns: Columns::new(names, reading) })
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// How many rows there are, where that is known before they are read.
    pub fn expected(&self) -> Option<u64> {
        if let Source::Sheet(sheet) = &self.source { Some(sheet.rows()) } else { None }
    }

    /// How many sheets of the workbook are not read.
    pub fn other_sheets(&self) -> u64 {
        if let Source::Sheet(sheet) = &self.source { sheet.others() } else { 0 }
    }

    /// The next row; `None` at the end.
    ///
    /// Fails: `SR-IMPORT-004` when the file cannot be read on. A row that is not one is given as such.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, BadRow>>, Problem> {
        match &mut self.source {
            Source::Csv(reader, before) => {
                reader.get_mut().get_mut().1.get_mut().renew();
                next_csv(reader, &self.columns, *before)
            }
            Source::Jsonl(reader, line) => {
                reader.get_mut().renew(); // a line has a limit of its own
                next_json(reader, line)
            }
            Source::Sheet(sheet) => {
                let row = sheet.next_row(&self.columns.uses, &self.columns.reading)?;
                Ok(row.map(|row| {
                    row.map(|row| Row { line: row.line, hidden: row.hidden, cells: Cells::Sheet(row.cells) })
                }))
            }
        }
    }
}

/// Finds the line with the names of the columns. Gives its number, what Excel says stands between cells (`sep=;` in the first
/// line), and the line.
fn header_line(file: &mut impl BufRead, wanted: Option<u32>) -> Result<(u64, Option<u8>, Vec<u8>), Problem> {
    let wanted = wanted.map(u64::from);
    let (mut number, mut said) = (1, None);
    loop {
        let mut line = Vec::new();
        file.read_until(b'\n', &mut line).map_err(|_| unreadable())?;
        let text = line.trim_ascii_end();
        let separator = match text.split_at_checked(4) {
            Some((key, [separator @ (b',' | b';' | b'\t' | b'|')])) if key.eq_ignore_ascii_case(b"sep=") => {
                Some(*separator)
            }
            // A tab is trimmed off.
            Some((key, [])) if key.eq_ignore_ascii_case(b"sep=") => Some(b'\t'),
            _ => None,
        };
        let is_said = number == 1 && separator.is_some();
        if is_said {
            said = separator;
        } else if wanted.is_none_or(|wanted| number >= wanted) || line.is_empty() {
            return Ok((number, said, line));
        }
        number = number.saturating_add(1);
    }
}

/// Lets one row take so many bytes and no more: a quote that is never closed would else take the whole file into memory.
pub(super) struct Budgeted<R> {
    file: R,
    left: usize,
}

/// Bytes that one row of a CSV file may take, with what is read ahead.
const ROW_LIMIT: usize = 4 << 20;
/// Bytes that are read together, if there are so many.
const ENOUGH: usize = 4_096;

impl<R: Read> Budgeted<R> {
    pub(super) fn new(file: R) -> Budgeted<R> {
        Budgeted { file, left: ROW_LIMIT }
    }

    pub(super) fn renew(&mut self) {
        self.left = ROW_LIMIT;
    }
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let length = buffer.len().min(self.left);
        let space = buffer.get_mut(..length).unwrap_or_default();
        let mut read = 0;
        // Enough at once for whoever looks at the beginning: a byte order mark, a header line.
        while read < length.min(ENOUGH) {
            match self.file.read(space.get_mut(read..).unwrap_or_default())? {
                0 => break,
                more => read = read.saturating_add(more),
            }
        }
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}

fn next_csv<R: Read>(
    reader: &mut csv::Reader<R>,
    columns: &Columns,
    before: u64,
) -> Result<Option<Result<Row, BadRow>>, Problem> {
    let mut record = csv::ByteRecord::new();
    let line_of =
        |position: Option<&csv::Position>| position.map_or(0, csv::Position::line).saturating_add(before);
    match reader.read_byte_record(&mut record) {
        Ok(false) => Ok(None),
        Ok(true) => {
            let line = line_of(record.position());
            if record.len() != columns.names.len() {
                let what = "the row has another number of cells than the header";
                return Ok(Some(Err(BadRow { line, code: "SR-IMPORT-010", what })));
            }
            Ok(Some(Ok(Row { line, hidden: false, cells: counted(record, columns) })))
        }
        Err(error) => match error.kind() {
            csv::ErrorKind::Io(_) => Err(unreadable()),
            _ => {
                let line = line_of(error.position());
                Ok(Some(Err(BadRow { line, code: "SR-IMPORT-011", what: "the row is not CSV" })))
            }
        },
    }
}

/// The cells of a row, with the days in them that a spreadsheet has counted, if the mapping says that there are such.
fn counted(record: csv::ByteRecord, columns: &Columns) -> Cells {
    if columns.reading.serials.is_none() {
        return Cells::Csv(record);
    }
    let cell = |(cell, used): (&[u8], &Option<Use>)| match (std::str::from_utf8(cell), used) {
        (Ok(""), _) => SheetCell::Empty,
        (_, None) => SheetCell::Unread,
        (Err(_), _) => SheetCell::Bad(BadCell::NOT_TEXT),
        (Ok(text), Some(used)) => {
            let counted = counted_in_text(text, *used, &columns.reading);
            SheetCell::Text(Zeroizing::new(counted.unwrap_or_else(|| text.to_owned())))
        }
    };
    Cells::Sheet(record.iter().zip(&columns.uses).map(cell).collect())
}

fn next_json(reader: &mut impl BufRead, line: &mut u64) -> Result<Option<Result<Row, BadRow>>, Problem> {
    loop {
        let mut bytes = Zeroizing::new(Vec::new());
        let limit = LINE_LIMIT as u64 + 1;
        reader.take(limit).read_until(b'\n', &mut bytes).map_err(|_| unreadable())?;
        if bytes.is_empty() {
            return Ok(None);
        }
        *line = line.saturating_add(1);
        let bad = |code, what| Ok(Some(Err(BadRow { line: *line, code, what })));
        if bytes.len() > LINE_LIMIT {
            skip_line(reader)?;
            return bad("SR-IMPORT-012", "the line is longer than 1 MiB");
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let pairs: Result<crate::keep::refs::Pairs<'_>, _> = serde_json::from_slice(&bytes);
        let Ok(pairs) = pairs else {
            return bad("SR-IMPORT-013", "the line is not a JSON object, or names a key twice");
        };
        let cells: Option<Vec<_>> =
            pairs.0.iter().map(|(key, raw)| Some((key.clone().into_owned(), json_cell(raw)?))).collect();
        return match cells {
            Some(cells) => Ok(Some(Ok(Row { line: *line, hidden: false, cells: Cells::Json(cells) }))),
            None => bad("SR-IMPORT-014", "the line holds a list or an object where a value must stand"),
        };
    }
}

/// A JSON scalar as a cell; null is an empty one.
#[expect(clippy::option_option, reason = "no cell can be made of a list; an empty one is a cell")]
fn json_cell(raw: &RawValue) -> Option<Option<String>> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(text).ok().map(Some),
        Some(b'[' | b'{') | None => None,
        Some(b'n') => Some(None),
        Some(_) => Some(Some(text.to_owned())),
    }
}

/// What stands for a column whose name looks like a value.
const UNTOLD: &str = "(looks like a value)";

/// A column's name as it is counted and told: a file without a header line has values in its place, and so has an object whose
/// keys are values.
pub fn told_name(name: &str) -> &str {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if name.len() <= 64 && digits < 5 && !name.contains('@') { name } else { UNTOLD }
}

fn skip_line(reader: &mut impl BufRead) -> Result<(), Problem> {
    loop {
        let buffer = reader.fill_buf().map_err(|_| unreadable())?;
        if buffer.is_empty() {
            return Ok(());
        }
        match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                reader.consume(end.saturating_add(1));
                return Ok(());
            }
            None => {
                let length = buffer.len();
                reader.consume(length);
            }
        }
    }
}

/// What stands between cells: a comma, or a semicolon or tab where the header line has more of those outside of quotes.
fn delimiter(header: &[u8]) -> u8 {
    let outside = |wanted: u8| {
        let (mut quoted, mut count) = (false, 0_usize);
        for byte in header {
            quoted ^= *byte == b'"';
            count = count.saturating_add(usize::from(!quoted && *byte == wanted));
        }
        count
    };
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|wanted| outside(*wanted)).unwrap_or(b',')
}

pub(super) fn no_header() -> Problem {
    Problem::new("SR-IMPORT-003", 422, "the file has no header line that can be read as text")
        .help("the first line of a file or sheet names its columns, or the one that `header_row` says; a file that is not UTF-8 needs `--encoding`")
}

pub(super) fn unreadable() -> Problem {
    Problem::new("SR-IMPORT-004", 422, "the file cannot be read on")
        .help("it is cut off, or not the gzip file that it begins as, or a quote in it is never closed")
}

/// A file that may be gzip: told by its first two bytes.
enum MaybeGzip<R: Read> {
    Plain(Chain<Cursor<Vec<u8>>, R>),
    Gzip(Box<flate2::read::MultiGzDecoder<Chain<Cursor<Vec<u8>>, R>>>),
}

impl<R: Read> MaybeGzip<R> {
    fn detect(mut file: R) -> Result<MaybeGzip<R>, Problem> {
        let mut start = Vec::with_capacity(2);
        file.by_ref().take(2).read_to_end(&mut start).map_err(|_| unreadable())?;
        let gzip = start == [0x1f, 0x8b];
        let whole = Cursor::new(start).chain(file);
        Ok(if gzip {
            MaybeGzip::Gzip(Box::new(flate2::read::MultiGzDecoder::new(whole)))
        } else {
            MaybeGzip::Plain(whole)
        })
    }
}

impl<R: Read> Read for MaybeGzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            MaybeGzip::Plain(file) => file.read(buffer),
            MaybeGzip::Gzip(file) => file.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn all(bytes: &[u8], format: Format) -> Vec<Result<(u64, Option<String>), &'static str>> {
        let mut rows = Rows::open(bytes, format, &Reading::default()).unwrap();
        let mut all = Vec::new();
        while let Some(row) = rows.next_row().unwrap() {
            all.push(match row {
                Ok(row) => Ok((row.line, row.cell(rows.columns(), "name").unwrap().map(str::to_owned))),
                Err(bad) => Err(bad.code),
            });
        }
        all
    }

    #[test]
    fn csv_rows_have_lines_and_odd_ones_are_told_apart() {
        let file = "\u{feff}id,name\n1,\"Ann\nBeebe\"\n2\n3,安安\n".as_bytes();
        let rows = all(file, Format::Csv);
        assert_eq!(rows[0], Ok((2, Some("Ann\nBeebe".into()))));
        assert_eq!(rows[1], Err("SR-IMPORT-010"));
        assert_eq!(rows[2], Ok((5, Some("安安".into()))));
    }

    #[test]
    fn cells_may_stand_between_semicolons_or_tabs() {
        for file in ["id;name\n1;Ann, Bea\n", "id\tname\n1\tAnn, Bea\n", "id,name\n1,\"Ann, Bea\"\n"] {
            assert_eq!(all(file.as_bytes(), Format::Csv), [Ok((2, Some("Ann, Bea".into())))]);
        }
        assert_eq!(delimiter(b"name"), b',');
    }

    #[test]
    fn a_separator_inside_quotes_tells_nothing_and_excel_may_say_which_it_is() {
        for file in [
            "id;\"a,b,c\";name\n1;x;Ann, Bea\n",
            "\u{feff}SEP=;\r\nid;name\r\n1;Ann, Bea\r\n",
            "sep=\t\nid\tname\n1\tAnn, Bea\n",
        ] {
            let rows = all(file.as_bytes(), Format::Csv);
            let line = file.lines().count() as u64;
            assert_eq!(rows, [Ok((line, Some("Ann, Bea".into())))], "{file}");
        }
        // A column of that name is one.
        assert_eq!(all(b"name,sep=;\nAnn,1\n", Format::Csv), [Ok((2, Some("Ann".into())))]);
    }

    #[test]
    fn the_header_may_stand_below_other_lines() {
        let file = b"Bill of November\n,,,\nid,name\n1,Ann\n2\n";
        let reading = Reading { header_row: Some(3), ..Reading::default() };
        let mut rows = Rows::open(&file[..], Format::Csv, &reading).unwrap();
        let row = rows.next_row().unwrap().unwrap().unwrap();
        assert_eq!((row.line, row.cell(rows.columns(), "name")), (4, Ok(Some("Ann"))));
        assert_eq!(rows.next_row().unwrap().unwrap().unwrap_err().line, 5);
        let beyond = Reading { header_row: Some(9), ..Reading::default() };
        assert_eq!(
            Rows::open(&file[..], Format::Csv, &beyond).map(|_| ()).unwrap_err().code,
            "SR-IMPORT-003"
        );
    }

    #[test]
    fn json_lines_give_scalars_as_cells() {
        let file = b"{\"name\":\"Ann\",\"n\":1}\n\n{\"name\":null}\n[1]\n{\"name\":{}}\n{\"name\":1,\"name\":2}\nnot json\n{\"name\":12.50}";
        let rows = all(file, Format::Jsonl);
        assert_eq!(rows[0], Ok((1, Some("Ann".into()))));
        assert_eq!(rows[1], Ok((3, None)));
        assert_eq!(
            rows[2..6],
            [Err("SR-IMPORT-013"), Err("SR-IMPORT-014"), Err("SR-IMPORT-013"), Err("SR-IMPORT-013")]
        );
        assert_eq!(rows[6], Ok((8, Some("12.50".into()))));
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes_and_a_cut_one_is_named() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"id,name\n1,Ann\n").unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(all(&gzip, Format::Csv), [Ok((2, Some("Ann".into())))]);
        let cut = &gzip[..gzip.len() / 2];
        let outcome = Rows::open(cut, Format::Csv, &Reading::default()).and_then(|mut rows| rows.next_row());
        assert!(outcome.is_err());
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_take_the_file_into_memory() {
        let mut file = b"id,name\n1,Ann\n2,\"".to_vec();
        file.resize(3 * ROW_LIMIT, b'x');
        let mut rows = Rows::open(&file[..], Format::Csv, &Reading::default()).unwrap();
        assert!(rows.next_row().unwrap().unwrap().is_ok());
        assert_eq!(rows.next_row().map(|_| ()).unwrap_err().code, "SR-IMPORT-004");
    }

    #[test]
    fn names_of_columns_that_look_like_values_are_not_told() {
        for name in ["email", "Email Address", "收货人", "address_line_2"] {
            assert_eq!(told_name(name), name);
        }
        let long = "x".repeat(65);
        for value in ["ann@shop.example", "13812345678", "+86 138 1234 5678", long.as_str()] {
            assert_eq!(told_name(value), UNTOLD);
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_refused_by_column() {
        let mut rows = Rows::open(&b"id,name\n1,\xff\n"[..], Format::Csv, &Reading::default()).unwrap();
        let row = rows.next_row().unwrap().unwrap().unwrap();
        assert_eq!(row.cell(rows.columns(), "name"), Err(BadCell::NOT_TEXT));
        assert_eq!(row.cell(rows.columns(), "id"), Ok(Some("1")));
    }

    #[test]
    fn names_tell_formats() {
        assert_eq!(Format::of_name("orders.CSV.gz"), Some(Format::Csv));
        assert_eq!(Format::of_name("a.ndjson"), Some(Format::Jsonl));
        assert_eq!(Format::of_name("订单.XLSX"), Some(Format::Xlsx));
        assert_eq!(Format::of_name("a.tsv.gz"), Some(Format::Csv));
        for not in ["a.xls", "a.xlsx.gz", "a", "a.txt"] {
            assert_eq!(Format::of_name(not), None, "{not}");
        }
    }
}
