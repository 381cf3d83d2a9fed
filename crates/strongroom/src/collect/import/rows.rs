//! Rows of a file, one after another: CSV or JSONL, plain or gzip. Cells are looked at by column and never printed.

use std::io::{BufRead, BufReader, Read};

use serde_json::value::RawValue;
use zeroize::Zeroize;

use crate::ground::Problem;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON object per line.
    Jsonl,
}

impl Format {
    /// From a file's name: `.csv`, `.jsonl`, `.ndjson`, each also with `.gz`.
    pub fn of_name(name: &str) -> Option<Format> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            _ => None,
        }
    }
}

/// A row: its line, and its cells in the order of the columns.
#[derive(Debug)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    cells: Cells,
}

enum Cells {
    Csv(csv::ByteRecord),
    Json(Vec<(String, Option<String>)>),
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

/// A cell is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotText;

impl Row {
    /// A cell. `None` when the row does not have the column. Fails: with the column's name when it is not UTF-8.
    pub fn cell<'r>(&'r self, columns: &Columns, name: &str) -> Result<Option<&'r str>, NotText> {
        match &self.cells {
            Cells::Csv(record) => {
                let cell = columns.position(name).and_then(|position| record.get(position));
                cell.map(|cell| std::str::from_utf8(cell).map_err(|_| NotText)).transpose()
            }
            Cells::Json(cells) => {
                Ok(cells.iter().find(|(key, _)| key == name).and_then(|(_, cell)| cell.as_deref()))
            }
        }
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
        }
    }
}

/// The columns of a file. A JSONL file has none of its own; each row brings its keys.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    names: Vec<String>,
}

impl Columns {
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

type Plain<R> = Box<BufReader<Budgeted<MaybeGzip<R>>>>;

enum Source<R: Read> {
    Csv(Box<csv::Reader<Plain<R>>>),
    Jsonl(Plain<R>, u64),
}

/// Longest line of a JSONL file, bytes.
const LINE_LIMIT: usize = 1 << 20;
/// Columns of a CSV file at the most.
const COLUMNS_LIMIT: usize = 4_096;

impl<R: Read> Rows<R> {
    /// Begins to read.
    ///
    /// Fails: `SR-IMPORT-003` when the file has no readable header, `SR-IMPORT-004` when it cannot be read.
    pub fn open(file: R, format: Format) -> Result<Rows<R>, Problem> {
        let mut plain = Box::new(BufReader::with_capacity(1 << 16, Budgeted::new(MaybeGzip::detect(file)?)));
        skip_byte_order_mark(&mut plain)?;
        match format {
            Format::Jsonl => Ok(Rows { source: Source::Jsonl(plain, 0), columns: Columns::default() }),
            Format::Csv => {
                let delimiter = delimiter(plain.fill_buf().map_err(|_| unreadable())?);
                let mut reader =
                    csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(plain);
                let header = reader.byte_headers().map_err(|_| no_header())?;
                let names: Option<Vec<String>> = header
                    .iter()
                    .map(|name| std::str::from_utf8(name).ok().map(|name| name.trim().to_owned()))
                    .collect();
                let names = names
                    .filter(|names| !names.is_empty() && names.len() <= COLUMNS_LIMIT)
                    .ok_or_else(no_header)?;
                Ok(Rows { source: Source::Csv(Box::new(reader)), columns: Columns { names } })
            }
        }
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The next row; `None` at the end.
    ///
    /// Fails: `SR-IMPORT-004` when the file cannot be read on. A row that is not one is given as such.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, BadRow>>, Problem> {
        match &mut self.source {
            Source::Csv(reader) => {
                reader.get_mut().get_mut().renew();
                next_csv(reader, self.columns.names.len())
            }
            Source::Jsonl(reader, line) => {
                reader.get_mut().renew(); // a line has a limit of its own
                next_json(reader, line)
            }
        }
    }
}

/// Lets one row take so many bytes and no more: a quote that is never closed would else take the whole file into memory.
struct Budgeted<R> {
    file: R,
    left: usize,
}

/// Bytes that one row of a CSV file may take, with what is read ahead.
const ROW_LIMIT: usize = 4 << 20;
/// Bytes that are read together, if there are so many.
const ENOUGH: usize = 4_096;

impl<R: Read> Budgeted<R> {
    fn new(file: R) -> Budgeted<R> {
        Budgeted { file, left: ROW_LIMIT }
    }

    fn renew(&mut self) {
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
    width: usize,
) -> Result<Option<Result<Row, BadRow>>, Problem> {
    let mut record = csv::ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(false) => Ok(None),
        Ok(true) => {
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != width {
                let what = "the row has another number of cells than the header";
                return Ok(Some(Err(BadRow { line, code: "SR-IMPORT-010", what })));
            }
            Ok(Some(Ok(Row { line, cells: Cells::Csv(record) })))
        }
        Err(error) => match error.kind() {
            csv::ErrorKind::Io(_) => Err(unreadable()),
            _ => {
                let line = error.position().map_or(0, csv::Position::line);
                Ok(Some(Err(BadRow { line, code: "SR-IMPORT-011", what: "the row is not CSV" })))
            }
        },
    }
}

fn next_json(reader: &mut impl BufRead, line: &mut u64) -> Result<Option<Result<Row, BadRow>>, Problem> {
    loop {
        let mut bytes = zeroize::Zeroizing::new(Vec::new());
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
            Some(cells) => Ok(Some(Ok(Row { line: *line, cells: Cells::Json(cells) }))),
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

fn skip_byte_order_mark(reader: &mut impl BufRead) -> Result<(), Problem> {
    let start = reader.fill_buf().map_err(|_| unreadable())?;
    if start.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    Ok(())
}

/// What stands between cells: a comma, or a semicolon or tab where the header line has more of those.
fn delimiter(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: &u8| header.split(|byte| byte == wanted).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b',')
}

fn no_header() -> Problem {
    Problem::new("SR-IMPORT-003", 422, "the file has no header line that can be read as UTF-8")
        .help("the first line of a CSV file names its columns")
}

fn unreadable() -> Problem {
    Problem::new("SR-IMPORT-004", 422, "the file cannot be read on")
        .help("it is cut off, or not the gzip file that it begins as, or a quote in it is never closed")
}

/// A file that may be gzip: told by its first two bytes.
enum MaybeGzip<R: Read> {
    Plain(std::io::Chain<std::io::Cursor<Vec<u8>>, R>),
    Gzip(Box<flate2::read::MultiGzDecoder<std::io::Chain<std::io::Cursor<Vec<u8>>, R>>>),
}

impl<R: Read> MaybeGzip<R> {
    fn detect(mut file: R) -> Result<MaybeGzip<R>, Problem> {
        let mut start = Vec::with_capacity(2);
        file.by_ref().take(2).read_to_end(&mut start).map_err(|_| unreadable())?;
        let gzip = start == [0x1f, 0x8b];
        let whole = std::io::Cursor::new(start).chain(file);
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
        let mut rows = Rows::open(bytes, format).unwrap();
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
        let outcome = Rows::open(cut, Format::Csv).and_then(|mut rows| rows.next_row());
        assert!(outcome.is_err());
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_take_the_file_into_memory() {
        let mut file = b"id,name\n1,Ann\n2,\"".to_vec();
        file.resize(3 * ROW_LIMIT, b'x');
        let mut rows = Rows::open(&file[..], Format::Csv).unwrap();
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
        let mut rows = Rows::open(&b"id,name\n1,\xff\n"[..], Format::Csv).unwrap();
        let row = rows.next_row().unwrap().unwrap().unwrap();
        assert_eq!(row.cell(rows.columns(), "name"), Err(NotText));
        assert_eq!(row.cell(rows.columns(), "id"), Ok(Some("1")));
    }

    #[test]
    fn names_tell_formats() {
        assert_eq!(Format::of_name("orders.CSV.gz"), Some(Format::Csv));
        assert_eq!(Format::of_name("a.ndjson"), Some(Format::Jsonl));
        assert_eq!(Format::of_name("a.xlsx"), None);
    }
}
