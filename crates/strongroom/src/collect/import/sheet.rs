//! Rows of a sheet of an .xlsx workbook (ECMA-376, ISO/IEC 29500), one after another.
//!
//! A workbook is a zip of XML, so a small file can unfold to any size and any number of cells. The file and its shared texts
//! are held in memory, within limits; the sheet is read as a stream, twice: once to its end to see that it is whole and within
//! the limits, how many rows it has and which cells are merged, and only then for its rows. So a workbook that is refused is
//! refused before anything of it was taken in. Nothing of it is written anywhere else.
//!
//! What a cell says is what its user sees in it: a formula is its value, a date is a date, `007` stays `007`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read};
use std::sync::Arc;

use jiff::civil::DateTime;
use quick_xml::events::{BytesStart, Event};
use zeroize::Zeroizing;

use super::cells::{BadCell, Epoch, Reading, Use, day_counted, day_text, number_text};
use super::rows::{BadRow, Budgeted, COLUMNS_LIMIT, no_header, unreadable};
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
    /// Those that began above the row and go on into it.
    covering: Vec<(Merge, RawCell)>,
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
        let mut rows = 0_u64;
        while let Some(row) = first.next()? {
            let is_known =
                |cell: &RawCell| !matches!(cell.what, What::Shared(at) if book.texts.find(at).is_none());
            if !row.cells.iter().all(|(_, cell)| is_known(cell)) {
                return Err(damaged());
            }
            rows = rows.saturating_add(u64::from(row.cells.iter().any(|(_, cell)| book.is_filled(cell))));
        }
        let mut merges = first.merges(header_row)?;
        merges.sort_by_key(|merge| std::cmp::Reverse(merge.first_row));
        let raw = RawRows::open(&parts, &path, limits)?;
        Ok(Sheet { raw, book, names, header_row, merges, covering: Vec::new(), rows, others })
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
            let Some(mut row) = self.raw.next()? else { return Ok(None) };
            if row.number <= self.header_row {
                continue;
            }
            let filled = row.cells.iter().any(|(_, cell)| self.book.is_filled(cell));
            self.spread(&mut row);
            if !filled {
                continue; // only formatted, as the many rows below a table often are
            }
            let line = u64::from(row.number);
            let mut cells: Vec<SheetCell> = Vec::with_capacity(self.names.len());
            cells.resize_with(self.names.len(), || SheetCell::Empty);
            for (column, cell) in row.cells {
                if !self.book.is_filled(&cell) {
                    continue;
                }
                let column = usize::try_from(column).unwrap_or(usize::MAX);
                let Some(slot) = cells.get_mut(column) else {
                    let what = "the row has another number of cells than the header";
                    return Ok(Some(Err(BadRow { line, code: "SR-IMPORT-010", what })));
                };
                *slot = match uses.get(column).copied().flatten() {
                    None => SheetCell::Unread,
                    Some(used) => match self.book.text(cell, used, reading) {
                        Ok(text) => SheetCell::Text(text),
                        Err(bad) => SheetCell::Bad(bad),
                    },
                };
            }
            return Ok(Some(Ok(SheetRow { line, hidden: row.hidden, cells })));
        }
    }

    /// Gives the rows below it what a merged cell shows, for it is shown beside each of them.
    fn spread(&mut self, row: &mut RawRow) {
        self.covering.retain(|(merge, _)| merge.last_row >= row.number);
        while self.merges.last().is_some_and(|merge| merge.last_row < row.number) {
            self.merges.pop();
        }
        for (merge, cell) in &self.covering {
            row.cells.retain(|(column, _)| *column != merge.column);
            row.cells.push((merge.column, cell.clone()));
        }
        while let Some(merge) = self.merges.pop_if(|merge| merge.first_row <= row.number) {
            let begins = merge.first_row == row.number
                // Merged cells do not overlap. Without this a file of nothing but merges would cost the square of them.
                && self.covering.iter().all(|(other, _)| other.column != merge.column);
            let cell = row.cells.iter().find(|(column, _)| begins && *column == merge.column);
            if let Some((_, cell)) = cell {
                self.covering.push((merge, cell.clone()));
            }
        }
    }
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
        let mut names = Vec::new();
        for (column, cell) in row.cells.into_iter().filter(|(_, cell)| book.is_filled(cell)) {
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            if column >= COLUMNS_LIMIT {
                return Err(no_header());
            }
            let name = book.text(cell, Use::Other, &Reading::default()).map_err(|_| no_header())?;
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
            What::Shared(at) => self.texts.find(*at).is_some_and(|text| !text.trim().is_empty()),
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

// ── The zip ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The parts of a workbook, by name.
struct Parts {
    bytes: Arc<Zeroizing<Vec<u8>>>,
    parts: HashMap<String, Part>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    from: usize,
    to: usize,
    crc: u32,
    deflated: bool,
}

impl Parts {
    fn read(file: impl Read, limits: &Limits) -> Result<Parts, Problem> {
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(limits.file_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|_| unreadable())?;
        if bytes.len() as u64 > limits.file_bytes {
            return Err(too_large());
        }
        if bytes.starts_with(COMPOUND) {
            return Err(no_workbook("the workbook is locked with a password, or of before 2007")
                .help("open it in its program and save it as .xlsx without a password"));
        }
        // ORDER: the number of parts is looked at before the directory is read, which takes memory for each of them.
        if parts_said(&bytes).is_none_or(|parts| parts > limits.parts) {
            return Err(damaged());
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes.as_slice())).map_err(|_| damaged())?;
        if archive.len() > limits.parts {
            return Err(damaged());
        }
        let mut parts = HashMap::new();
        for position in 0..archive.len() {
            let entry = archive.by_index_raw(position).map_err(|_| damaged())?;
            let from = entry.data_start().and_then(|from| usize::try_from(from).ok()).ok_or_else(damaged)?;
            let length = usize::try_from(entry.compressed_size()).map_err(|_| damaged())?;
            let to = from.checked_add(length).filter(|to| *to <= bytes.len()).ok_or_else(damaged)?;
            let deflated = match entry.compression() {
                _ if entry.encrypted() => return Err(damaged()),
                zip::CompressionMethod::Stored => false,
                zip::CompressionMethod::DEFLATE => true,
                _ => return Err(damaged()),
            };
            // Names are compared without regard to case. SOURCE: ECMA-376 Part 2, 6.2.2.3.
            let name = entry.name().map_err(|_| damaged())?.to_ascii_lowercase();
            parts.insert(name, Part { from, to, crc: entry.crc32(), deflated });
        }
        Ok(Parts { bytes: Arc::new(bytes), parts })
    }

    fn open(&self, path: &str, limit: u64) -> Option<Xml> {
        let part = self.parts.get(&path.to_ascii_lowercase())?;
        let slice = Slice { bytes: Arc::clone(&self.bytes), at: part.from, end: part.to };
        let body = if part.deflated {
            Body::Deflated(Box::new(flate2::bufread::DeflateDecoder::new(slice)))
        } else {
            Body::Stored(slice)
        };
        let unfolding = Unfolding { body, left: limit, crc: flate2::Crc::new(), wanted: part.crc };
        let mut reader =
            quick_xml::Reader::from_reader(BufReader::with_capacity(1 << 16, Budgeted::new(unfolding)));
        reader.config_mut().expand_empty_elements = true;
        Some(Xml { reader, buffer: Vec::new(), depth: 0 })
    }

    fn must_open(&self, path: &str, limit: u64) -> Result<Xml, Problem> {
        self.open(path, limit).ok_or_else(damaged)
    }
}

/// How many parts the end of the zip says there are. SOURCE: APPNOTE.TXT 4.3.16.
fn parts_said(bytes: &[u8]) -> Option<usize> {
    const END: &[u8] = b"PK\x05\x06";
    let tail = bytes.get(bytes.len().saturating_sub((1 << 16) + 22)..)?;
    let end = tail.windows(END.len()).rposition(|window| window == END)?;
    let count = tail.get(end.saturating_add(10)..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*count)))
}

/// A part as it lies in the file.
struct Slice {
    bytes: Arc<Zeroizing<Vec<u8>>>,
    at: usize,
    end: usize,
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Slice {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        Ok(self.bytes.get(self.at..self.end).unwrap_or_default())
    }

    fn consume(&mut self, read: usize) {
        self.at = self.at.saturating_add(read).min(self.end);
    }
}

enum Body {
    Stored(Slice),
    Deflated(Box<flate2::bufread::DeflateDecoder<Slice>>),
}

/// A part while it unfolds: no further than it may, and what came out is what went in.
struct Unfolding {
    body: Body,
    left: u64,
    crc: flate2::Crc,
    wanted: u32,
}

impl Read for Unfolding {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = match &mut self.body {
            Body::Stored(slice) => slice.read(buffer)?,
            Body::Deflated(decoder) => decoder.read(buffer)?,
        };
        if read == 0 && !buffer.is_empty() && self.crc.sum() != self.wanted {
            return Err(ErrorKind::InvalidData.into());
        }
        self.crc.update(buffer.get(..read).unwrap_or_default());
        self.left = self.left.checked_sub(read as u64).ok_or(ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

// ── The XML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The XML of a part, one piece after another.
struct Xml {
    reader: quick_xml::Reader<BufReader<Budgeted<Unfolding>>>,
    buffer: Vec<u8>,
    depth: usize,
}

impl Xml {
    /// The next piece. One that is endless, too deep, or declares a type ends the reading.
    fn next(&mut self) -> Result<Event<'_>, Problem> {
        self.buffer.clear();
        self.reader.get_mut().get_mut().renew();
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) if error.kind() == ErrorKind::FileTooLarge => too_large(),
            _ => damaged(),
        })?;
        match &event {
            Event::Start(_) => self.depth = self.depth.saturating_add(1),
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::DocType(_) => return Err(damaged()),
            _ => {}
        }
        if self.depth > DEPTH_LIMIT { Err(damaged()) } else { Ok(event) }
    }

    /// The text up to the end of the element that was begun.
    fn text(&mut self) -> Result<Zeroizing<String>, Problem> {
        let mut text = Zeroizing::new(String::new());
        let depth = self.depth;
        loop {
            match self.next()? {
                Event::Text(piece) => text.push_str(&piece.xml10_content()),
                Event::CData(piece) => text.push_str(&piece.xml10_content()),
                Event::GeneralRef(piece) => match piece.resolve_char_ref() {
                    Ok(Some(letter)) => text.push(letter),
                    Ok(None) => {
                        text.push_str(quick_xml::escape::resolve_xml_entity(&piece).ok_or_else(damaged)?);
                    }
                    Err(_) => return Err(damaged()),
                },
                Event::Eof => return Err(damaged()),
                _ => {}
            }
            if self.depth < depth {
                return Ok(text);
            }
            if text.len() > CELL_LIMIT {
                return Err(too_large());
            }
        }
    }

    /// A text with formatted runs in it, up to the end of the element that was begun; without what tells how it is spoken.
    fn rich_text(&mut self) -> Result<Zeroizing<String>, Problem> {
        let mut text = Zeroizing::new(String::new());
        let depth = self.depth;
        let mut spoken_at = None;
        loop {
            let is_run = match self.next()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "rPh" => {
                        spoken_at = spoken_at.or(Some(self.depth));
                        false
                    }
                    "t" => spoken_at.is_none(),
                    _ => false,
                },
                Event::Eof => return Err(damaged()),
                _ => false,
            };
            if is_run {
                text.push_str(&self.text()?);
            }
            if spoken_at.is_some_and(|spoken_at| self.depth < spoken_at) {
                spoken_at = None;
            }
            if self.depth < depth {
                return Ok(unescaped(text));
            }
            if text.len() > CELL_LIMIT {
                return Err(too_large());
            }
        }
    }
}

/// Letters that XML does not have are written `_x000D_`. SOURCE: ECMA-376 Part 1, 22.9.2.19 (`ST_Xstring`).
fn unescaped(text: Zeroizing<String>) -> Zeroizing<String> {
    if !text.contains("_x") {
        return text;
    }
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once("_x") {
        plain.push_str(before);
        let letter = behind
            .split_once('_')
            .filter(|(hex, _)| hex.len() == 4 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|(hex, behind)| Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, behind)));
        if let Some((letter, behind)) = letter {
            plain.push(letter);
            rest = behind;
        } else {
            plain.push_str("_x");
            rest = behind;
        }
    }
    plain.push_str(rest);
    plain
}

/// An attribute by its name, without regard to its namespace's prefix.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found = attributes.with_checks(false).filter_map(Result::ok);
    let mut found = found.filter(|attribute| attribute.key.local_name().as_ref() == name);
    let value = found.next()?.normalized_value(quick_xml::XmlVersion::Explicit1_0).ok()?;
    Some(value.into_owned())
}

fn is_true(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true"))
}

// ── The workbook ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What a workbook says of its parts.
struct Workbook {
    /// Name, path, hidden.
    sheets: Vec<(String, String, bool)>,
    texts: Option<String>,
    styles: Option<String>,
    epoch: Epoch,
}

impl Workbook {
    fn read(parts: &Parts, limits: &Limits) -> Result<Workbook, Problem> {
        let of_package = read_relations(parts, "_rels/.rels", "", limits)?;
        let path = of_package.into_iter().find(|one| one.kind == "officeDocument").ok_or_else(damaged)?.path;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let slash = if folder.is_empty() { "" } else { "/" };
        let relations = read_relations(parts, &format!("{folder}{slash}_rels/{name}.rels"), folder, limits)?;
        let find = |kind: &str| relations.iter().find(|one| one.kind == kind).map(|one| one.path.clone());
        let mut book = Workbook {
            sheets: Vec::new(),
            texts: find("sharedStrings"),
            styles: find("styles"),
            epoch: Epoch::Y1900,
        };
        let mut xml = parts.must_open(&path, limits.part_bytes)?;
        loop {
            match xml.next()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "workbookPr" if is_true(attribute(&element, "date1904").as_deref()) => {
                        book.epoch = Epoch::Y1904;
                    }
                    "sheet" => {
                        let id = attribute(&element, "id").ok_or_else(damaged)?;
                        let hidden = attribute(&element, "state").is_some_and(|state| state != "visible");
                        let name = attribute(&element, "name").unwrap_or_default();
                        // A sheet that is a chart has no rows.
                        let mut sheets = relations.iter().filter(|one| one.kind == "worksheet");
                        if let Some(sheet) = sheets.find(|one| one.id == id) {
                            book.sheets.push((name, sheet.path.clone(), hidden));
                        }
                    }
                    _ => {}
                },
                Event::Eof => return Ok(book),
                _ => {}
            }
        }
    }

    /// The path of the sheet that is wanted, and how many others there are.
    fn sheet(&self, wanted: Option<&str>) -> Result<(String, u64), Problem> {
        let found = match wanted {
            Some(wanted) => self.sheets.iter().find(|(name, ..)| name.trim() == wanted.trim()),
            None => self.sheets.iter().find(|(.., hidden)| !hidden),
        };
        let (_, path, _) = found.ok_or_else(|| {
            Problem::new("SR-IMPORT-032", 422, "the workbook has no such sheet, or none that is not hidden")
                .help("say `sheet = \"…\"` in the mapping, as its tab is named")
        })?;
        Ok((path.clone(), self.sheets.len().saturating_sub(1) as u64))
    }
}

/// What one part has to do with another.
struct Relation {
    id: String,
    kind: String,
    path: String,
}

fn read_relations(
    parts: &Parts,
    path: &str,
    folder: &str,
    limits: &Limits,
) -> Result<Vec<Relation>, Problem> {
    let mut xml = parts.must_open(path, limits.part_bytes)?;
    let mut relations = Vec::new();
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                let value = |name| attribute(&element, name).unwrap_or_default();
                // Two namespaces are in use for the same kinds, and only their ends are alike.
                let kind = value("Type").rsplit('/').next().unwrap_or_default().to_owned();
                relations.push(Relation { id: value("Id"), kind, path: resolved(folder, &value("Target")) });
            }
            Event::Eof => return Ok(relations),
            _ => {}
        }
    }
}

/// A path within the zip.
fn resolved(folder: &str, target: &str) -> String {
    let whole = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut path: Vec<&str> = Vec::new();
    for step in whole.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.join("/")
}

/// The texts that cells share, one behind the other.
#[derive(Default)]
struct Texts {
    text: Zeroizing<String>,
    ends: Vec<u32>,
}

impl Texts {
    fn read(parts: &Parts, path: Option<&str>, limits: &Limits) -> Result<Texts, Problem> {
        let mut texts = Texts::default();
        let Some(path) = path else { return Ok(texts) };
        let mut xml = parts.must_open(path, limits.sheet_bytes)?;
        loop {
            let is_text = match xml.next()? {
                Event::Start(element) => element.local_name().as_ref() == "si",
                Event::Eof => return Ok(texts),
                _ => false,
            };
            if is_text {
                texts.text.push_str(&xml.rich_text()?);
                if texts.text.len() > limits.text_bytes || texts.ends.len() >= limits.texts {
                    return Err(too_large());
                }
                texts.ends.push(u32::try_from(texts.text.len()).map_err(|_| too_large())?);
            }
        }
    }

    fn find(&self, position: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(position)?).ok()?;
        let start = match position.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.text.get(start..end)
    }
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// As a number, with so many digits at least.
    Number(usize),
    /// As a day, an instant or a time of day.
    Day,
}

fn read_styles(parts: &Parts, path: Option<&str>, limits: &Limits) -> Result<Vec<Shown>, Problem> {
    let mut styles = Vec::new();
    let Some(path) = path else { return Ok(styles) };
    let mut xml = parts.must_open(path, limits.part_bytes)?;
    let mut own: HashMap<u32, Shown> = HashMap::new();
    let mut within = false; // of what cells are formatted with; there are other lists of the same elements
    loop {
        match xml.next()? {
            Event::Start(element) => {
                let number = || attribute(&element, "numFmtId").and_then(|id| id.parse().ok());
                match element.local_name().as_ref() {
                    "numFmt" => {
                        let code = attribute(&element, "formatCode").unwrap_or_default();
                        if let Some(id) = number().filter(|_| own.len() < STYLES_LIMIT) {
                            own.insert(id, shown_by(&code));
                        }
                    }
                    "cellXfs" => within = true,
                    "xf" if within => {
                        let id = number().unwrap_or(0);
                        styles.push(own.get(&id).copied().unwrap_or_else(|| shown_by_number(id)));
                        if styles.len() > STYLES_LIMIT {
                            return Err(too_large());
                        }
                    }
                    _ => {}
                }
            }
            Event::End(element) if element.local_name().as_ref() == "cellXfs" => within = false,
            Event::Eof => return Ok(styles),
            _ => {}
        }
    }
}

/// Formats that have a number and no code. SOURCE: ECMA-376 Part 1, 18.8.30; 27 to 36 and 50 to 58 are those of Chinese,
/// Japanese and Korean workbooks. 46 counts hours and is no time of day.
fn shown_by_number(id: u32) -> Shown {
    match id {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Shown::Day,
        _ => Shown::Number(0),
    }
}

/// How a code shows numbers: with letters of a date outside of quotes and brackets, it is one. `[h]` counts hours. A code of
/// nothing but zeros shows that many digits: `000000` for postcodes.
fn shown_by(code: &str) -> Shown {
    let first = code.split(';').next().unwrap_or_default();
    if first.len() > 1 && first.bytes().all(|byte| byte == b'0') {
        return Shown::Number(first.len().min(15));
    }
    if first.eq_ignore_ascii_case("general") {
        return Shown::Number(0);
    }
    let mut letters = first.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                letters.by_ref().find(|letter| *letter == '"');
            }
            '\\' | '_' | '*' => drop(letters.next()),
            '[' => {
                let within: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
                if !within.is_empty()
                    && within.chars().all(|letter| matches!(letter, 'h' | 'H' | 'm' | 'M' | 's' | 'S'))
                {
                    return Shown::Number(0);
                }
            }
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => return Shown::Day,
            _ => {}
        }
    }
    Shown::Number(0)
}

// ── The sheet ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A cell as it is written.
#[derive(Clone)]
struct RawCell {
    style: usize,
    what: What,
}

#[derive(Clone)]
enum What {
    Shared(usize),
    Text(Zeroizing<String>),
    Number(f64),
    Truth(bool),
    Day(DateTime),
    Error,
    NotWorkedOut,
}

/// A row as it is written: cells with something in them, by column from 0.
struct RawRow {
    number: u32,
    hidden: bool,
    cells: Vec<(u32, RawCell)>,
}

/// A column that is merged from one row to another.
#[derive(Debug, Clone, Copy)]
struct Merge {
    column: u32,
    first_row: u32,
    last_row: u32,
}

/// Rows of a sheet as they are written.
struct RawRows {
    xml: Xml,
    limits: Limits,
    row: u32,
    cells: u64,
}

impl RawRows {
    /// Begins before the first row.
    fn open(parts: &Parts, path: &str, limits: &Limits) -> Result<RawRows, Problem> {
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

    fn next(&mut self) -> Result<Option<RawRow>, Problem> {
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
    fn merges(&mut self, header_row: u32) -> Result<Vec<Merge>, Problem> {
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
            if first_row > header_row && last_row > first_row {
                merges.push(Merge { column, first_row, last_row });
            }
            if merges.len() > self.limits.merges {
                return Err(too_large());
            }
        }
    }
}

/// Column (from 0) and row (from 1) of a place such as `AB12`.
fn place(at: &str) -> Option<(u32, u32)> {
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    const RELATIONS: &str = r#"<Relationships>
        <Relationship Id="a" Type="x/officeDocument" Target="/xl/workbook.xml"/></Relationships>"#;
    const OF_WORKBOOK: &str = r#"<Relationships>
        <Relationship Id="r1" Type="x/worksheet" Target="worksheets/one.xml"/>
        <Relationship Id="r2" Type="x/sharedStrings" Target="../xl/texts.xml"/>
        <Relationship Id="r3" Type="x/styles" Target="styles.xml"/></Relationships>"#;
    const WORKBOOK: &str = r#"<x:workbook xmlns:x="x" xmlns:r="r"><x:sheets><x:sheet name="One" sheetId="7" r:id="r1"/></x:sheets></x:workbook>"#;
    const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="00000"/></numFmts>
        <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>"#;

    /// A workbook of one sheet: what stands in it, and the texts that its cells share.
    fn book(sheet: &str, texts: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let parts = [
            ("_rels/.rels", RELATIONS),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", OF_WORKBOOK),
            ("xl/styles.xml", STYLES),
            ("xl/texts.xml", texts),
            ("xl/worksheets/one.xml", sheet),
        ];
        for (name, text) in parts {
            zip.start_file(name, stored).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn sheet(rows: &str) -> String {
        let header = r#"<row r="1"><c t="inlineStr"><is><t>id</t></is></c><c t="inlineStr"><is><t>name</t></is></c></row>"#;
        format!("<worksheet><sheetData>{header}{rows}</sheetData></worksheet>")
    }

    type Cells = (u64, Vec<Result<String, &'static str>>);

    fn read_all(book: &[u8], limits: &Limits) -> Result<Vec<Cells>, Problem> {
        let reading = Reading::default();
        let mut sheet = Sheet::open_within(book, &reading, limits)?;
        let mut all = Vec::new();
        while let Some(row) = sheet.next_row(&[Some(Use::Id), Some(Use::Text)], &reading)? {
            let Ok(row) = row else {
                all.push((0, Vec::new()));
                continue;
            };
            let cells = row.cells.iter().map(|cell| match cell {
                SheetCell::Text(text) => Ok(text.to_string()),
                SheetCell::Bad(bad) => Err(bad.code),
                SheetCell::Empty | SheetCell::Unread => Ok(String::new()),
            });
            all.push((row.line, cells.collect()));
        }
        assert_eq!(sheet.rows(), all.len() as u64, "rows are counted beforehand as they are read");
        Ok(all)
    }

    #[track_caller]
    fn is_refused(book: &[u8], limits: &Limits, code: &str) {
        assert_eq!(read_all(book, limits).map(|_| ()).unwrap_err().code, code);
    }

    fn texts(row: &str, shared: &str) -> Vec<Result<String, &'static str>> {
        let all = read_all(&book(&sheet(row), shared), &LIMITS).unwrap();
        all.into_iter().next().unwrap().1
    }

    #[test]
    fn texts_are_read_as_they_are_written() {
        let shared = r#"<sst><si><r><t>陈</t></r><rPh sb="0"><t>chen</t></rPh><r><t xml:space="preserve"> 玉&amp;&#x73CD;</t></r></si><si><t>a_x000D_b_x005F_x_xZZZZ_<![CDATA[<]]></t></si></sst>"#;
        let row = r#"<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" t="s"><v>0</v></c></row>"#;
        assert_eq!(texts(row, shared), [Ok("a\rb_x_xZZZZ_<".into()), Ok("陈 玉&珍".into())]);
        let row = r#"<row><c><f>1+1</f></c><c t="str"><f>"x"</f><v>x</v></c></row>"#;
        assert_eq!(texts(row, "<sst/>"), [Err("SR-IMPORT-026"), Ok("x".into())]);
        let row = r#"<row><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c></row>"#;
        assert_eq!(texts(row, "<sst/>"), [Ok("true".into()), Err("SR-IMPORT-025")]);
    }

    #[test]
    fn numbers_and_days_are_read_as_they_are_shown() {
        let row = r#"<row><c s="2"><v>2134</v></c><c s="1"><v>45231</v></c></row>"#;
        assert_eq!(texts(row, "<sst/>"), [Ok("02134".into()), Ok("2023-11-01".into())]);
        let row = r#"<row><c s="1"><v>45231</v></c><c t="d"><v>2023-11-01T00:00:00Z</v></c></row>"#;
        assert_eq!(texts(row, "<sst/>"), [Err("SR-IMPORT-028"), Ok("2023-11-01".into())]);
        let row = r"<row><c><v>2.0261122E17</v></c><c><v>1234567890123456</v></c></row>";
        assert_eq!(texts(row, "<sst/>"), [Err("SR-IMPORT-024"), Err("SR-IMPORT-024")]);
        let row = r"<row><c><v>1.5</v></c><c><v>0.1</v></c></row>";
        assert_eq!(texts(row, "<sst/>"), [Err("SR-IMPORT-028"), Ok("0.1".into())]);
    }

    #[test]
    fn formats_tell_days_from_numbers() {
        for day in
            ["yyyy\"年\"m\"月\"d\"日\"", "[$-804]yyyy/m/d;@", "h:mm AM/PM", "d-mmm-yy", "上午/下午h\"时\"mm"]
        {
            assert_eq!(shown_by(day), Shown::Day, "{day}");
        }
        for number in [
            "General",
            "0",
            "#,##0.00",
            "0.00E+00",
            "\"day \"0",
            "[Red]0.00",
            "@",
            "[h]:mm:ss",
            "\\d0",
            "_d0",
            "",
        ] {
            assert_eq!(shown_by(number), Shown::Number(0), "{number}");
        }
        assert_eq!(shown_by("000000"), Shown::Number(6));
        assert_eq!(shown_by("00000;-00000"), Shown::Number(5));
        for id in [14, 22, 31, 57] {
            assert_eq!(shown_by_number(id), Shown::Day);
        }
        assert_eq!((shown_by_number(46), shown_by_number(9)), (Shown::Number(0), Shown::Number(0)));
    }

    #[test]
    fn rows_of_nothing_are_none_and_cells_beyond_the_header_are_told() {
        let rows = r#"<row r="3"><c r="A3"><v>1</v></c></row><row r="9"><c r="B9" s="1"/></row><row r="10"><c r="B10" t="inlineStr"><is><t> </t></is></c></row>
            <row r="12"><c r="A12"><v>2</v></c><c r="C12"/></row><row r="13"><c r="A13"><v>3</v></c><c r="C13"><v>4</v></c></row>"#;
        let all = read_all(&book(&sheet(rows), "<sst/>"), &LIMITS).unwrap();
        assert_eq!(all.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 12, 0]);
    }

    #[test]
    fn a_workbook_that_unfolds_too_far_is_refused_before_its_first_row_is_given() {
        let rows = r"<row><c><v>1</v></c><c><v>2</v></c></row>".repeat(500);
        let shared = format!("<sst>{}</sst>", "<si><t>ten bytes!</t></si>".repeat(100));
        let file = book(&sheet(&rows), &shared);
        assert_eq!(read_all(&file, &LIMITS).unwrap().len(), 500);
        let limits = LIMITS;
        is_refused(&file, &Limits { file_bytes: 10_000, ..limits }, "SR-IMPORT-031");
        is_refused(&file, &Limits { sheet_bytes: 10_000, ..limits }, "SR-IMPORT-031");
        is_refused(&file, &Limits { part_bytes: 100, ..limits }, "SR-IMPORT-031");
        is_refused(&file, &Limits { cells: 1_001, ..limits }, "SR-IMPORT-031");
        is_refused(&file, &Limits { rows: 500, ..limits }, "SR-IMPORT-031");
        is_refused(&file, &Limits { columns: 1, ..limits }, "SR-IMPORT-031");
        is_refused(&file, &Limits { text_bytes: 999, ..limits }, "SR-IMPORT-031");
        is_refused(&file, &Limits { texts: 99, ..limits }, "SR-IMPORT-031");
        is_refused(&file, &Limits { parts: 5, ..limits }, "SR-IMPORT-030");
        let enough =
            Limits { cells: 1_002, rows: 501, columns: 2, text_bytes: 1_000, texts: 100, parts: 6, ..limits };
        assert_eq!(read_all(&file, &enough).unwrap().len(), 500);
    }

    #[test]
    fn texts_and_elements_without_end_are_refused() {
        let refused = |rows: &str, code| is_refused(&book(&sheet(rows), "<sst/>"), &LIMITS, code);
        let runs = "<r><t>0123456789</t></r>".repeat(CELL_LIMIT / 10 + 1);
        refused(&format!("<row><c t=\"inlineStr\"><is>{runs}</is></c></row>"), "SR-IMPORT-031");
        let long = "x".repeat(5 << 20);
        refused(&format!("<row><c t=\"str\"><v>{long}</v></c></row>"), "SR-IMPORT-031");
        refused(&format!("<row {long}=\"1\"/>"), "SR-IMPORT-031");
        let cell = format!("<c t=\"str\"><v>{}</v></c>", "x".repeat(100_000));
        refused(&format!("<row>{}</row>", cell.repeat(50)), "SR-IMPORT-031");
        let nested = |depth: usize| format!("<row><c/>{}{}</row>", "<a>".repeat(depth), "</a>".repeat(depth));
        refused(&nested(DEPTH_LIMIT), "SR-IMPORT-030");
        assert!(read_all(&book(&sheet(&nested(DEPTH_LIMIT - 3)), "<sst/>"), &LIMITS).is_ok());
    }

    #[test]
    fn a_workbook_that_contradicts_itself_is_damaged() {
        for rows in [
            "<row r=\"3\"/><row r=\"3\"/>",
            "<row r=\"0\"/>",
            "<row r=\"2\"><c r=\"A3\"/></row>",
            "<row><c t=\"s\"><v>x</v></c></row>",
            "<row><c r=\"B2\"/><c r=\"A2\"/></row>",
            "<row><c><v>x</v></c></row>",
            "<row><c t=\"str\"><v>&lol;</v></c></row>",
            "<row>",
            "</row>",
        ] {
            is_refused(&book(&sheet(rows), "<sst/>"), &LIMITS, "SR-IMPORT-030");
        }
        is_refused(&book(&sheet(""), "<!DOCTYPE sst [<!ENTITY a \"a\">]><sst/>"), &LIMITS, "SR-IMPORT-030");
        is_refused(b"PK\x03\x04", &LIMITS, "SR-IMPORT-030");
        is_refused(b"", &LIMITS, "SR-IMPORT-030");
        is_refused(COMPOUND, &LIMITS, "SR-IMPORT-030");
        let mut flipped = book(&sheet("<row><c><v>1234</v></c></row>"), "<sst/>");
        let at = flipped.windows(4).position(|window| window == b"1234").unwrap();
        flipped[at] = b'9';
        is_refused(&flipped, &LIMITS, "SR-IMPORT-030");
        is_refused(&book(&sheet("<row><c t=\"s\"><v>0</v></c></row>"), "<sst/>"), &LIMITS, "SR-IMPORT-030");
    }

    #[test]
    fn merges_without_end_cost_no_more_than_their_columns() {
        let rows = "<row><c><v>1</v></c></row>".repeat(2_000);
        let merges = "<mergeCell ref=\"A2:A2000\"/>".repeat(20_000);
        let whole =
            sheet(&rows).replace("</worksheet>", &format!("<mergeCells>{merges}</mergeCells></worksheet>"));
        let file = book(&whole, "<sst/>");
        let reading = Reading::default();
        let mut sheet = Sheet::open_within(&file[..], &reading, &LIMITS).unwrap();
        for _ in 0..2 {
            sheet.next_row(&[], &reading).unwrap();
            assert_eq!(sheet.covering.len(), 1);
        }
        is_refused(&file, &Limits { merges: 19_999, ..LIMITS }, "SR-IMPORT-031");
    }

    #[test]
    fn places_are_columns_and_rows() {
        assert_eq!(place("A1"), Some((0, 1)));
        assert_eq!(place("XFD1048576"), Some((16_383, 1_048_576)));
        for not in ["", "1", "A", "A-1", "Ä1", "AAAAAAAAAA1", "A99999999999"] {
            assert_eq!(place(not), None, "{not}");
        }
    }
}
