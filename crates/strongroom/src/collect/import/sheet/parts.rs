//! The parts of a workbook: the directory of its zip, a part while it unfolds, and its XML.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read};
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use zeroize::Zeroizing;

use super::super::rows::{Budgeted, unreadable};
use super::{CELL_LIMIT, COMPOUND, DEPTH_LIMIT, Limits, damaged, no_workbook, too_large};
use crate::ground::Problem;

/// The parts of a workbook, by name.
pub(super) struct Parts {
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
    pub(super) fn read(file: impl Read, limits: &Limits) -> Result<Parts, Problem> {
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
        let said = parts_said(&bytes).filter(|said| *said <= limits.parts).ok_or_else(damaged)?;
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes.as_slice())).map_err(|_| damaged())?;
        // One of two parts with the same name is not counted here.
        if archive.len() != said {
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
            if parts.insert(name, Part { from, to, crc: entry.crc32(), deflated }).is_some() {
                return Err(damaged());
            }
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

    pub(super) fn must_open(&self, path: &str, limit: u64) -> Result<Xml, Problem> {
        self.open(path, limit).ok_or_else(damaged)
    }
}

/// How many parts the end of the zip says there are.
///
/// Gives `None` when there is not one end, right behind the directory that it names, with nothing behind it. Some readers look for
/// the end from the front and others from the back, some go by where the directory begins and others by where it stops: each
/// would find another workbook in the same file. SOURCE: APPNOTE.TXT 4.3.16.
fn parts_said(bytes: &[u8]) -> Option<usize> {
    const END: &[u8] = b"PK\x05\x06";
    const END_LENGTH: usize = 22;
    let tail_at = bytes.len().saturating_sub(END_LENGTH.saturating_add(usize::from(u16::MAX)));
    let windows = bytes.get(tail_at..)?.windows(END.len()).enumerate();
    let ends = windows.filter(|(_, window)| *window == END).map(|(at, _)| tail_at.saturating_add(at));
    let ends: Vec<usize> = ends.collect();
    let end = *ends.last()?;
    // A part that is a zip has an end, too, but not one whose comment goes up to the end of the file.
    let goes_to_the_end = |at: &usize| {
        let comment = number::<2>(bytes, at.saturating_add(20));
        comment.is_some_and(|comment| at.saturating_add(END_LENGTH).saturating_add(comment) == bytes.len())
    };
    if !ends.into_iter().filter(goes_to_the_end).eq([end]) {
        return None;
    }
    let parts = number::<2>(bytes, end.checked_add(10)?)?;
    let (length, from) =
        (number::<4>(bytes, end.checked_add(12)?)?, number::<4>(bytes, end.checked_add(16)?)?);
    let stops = from.checked_add(length)?;
    let is_right_behind = stops == end || is_same_end(bytes, stops, end, [parts, length, from]);
    is_right_behind.then_some(parts)
}

/// Does what stands between a directory and its end say the same once more, in the numbers of larger files? Some writers add that
/// to every workbook. SOURCE: APPNOTE.TXT 4.3.14, 4.3.15.
fn is_same_end(bytes: &[u8], at: usize, end: usize, said: [usize; 3]) -> bool {
    const RECORD: &[u8] = b"PK\x06\x06";
    const RECORD_LENGTH: usize = 56;
    const LOCATOR: &[u8] = b"PK\x06\x07";
    let begins = |at: usize, with: &[u8]| bytes.get(at..).is_some_and(|bytes| bytes.starts_with(with));
    let locator = at.saturating_add(RECORD_LENGTH);
    let found = [32, 40, 48].map(|field| number::<8>(bytes, at.saturating_add(field)));
    begins(at, RECORD)
        && begins(locator, LOCATOR)
        && locator.saturating_add(20) == end
        && number::<8>(bytes, locator.saturating_add(8)) == Some(at)
        && found == said.map(Some)
}

/// A number of so many bytes, the lowest first.
fn number<const BYTES: usize>(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = bytes.get(at..)?.first_chunk::<BYTES>()?;
    let add = |sum: usize, digit: &u8| sum.checked_mul(256)?.checked_add(usize::from(*digit));
    digits.iter().rev().try_fold(0, add)
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
pub(super) struct Xml {
    reader: quick_xml::Reader<BufReader<Budgeted<Unfolding>>>,
    buffer: Vec<u8>,
    pub(super) depth: usize,
}

impl Xml {
    /// The next piece. One that is endless, too deep, or declares a type ends the reading.
    pub(super) fn next(&mut self) -> Result<Event<'_>, Problem> {
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
    pub(super) fn text(&mut self) -> Result<Zeroizing<String>, Problem> {
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
    pub(super) fn rich_text(&mut self) -> Result<Zeroizing<String>, Problem> {
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
pub(super) fn unescaped(text: Zeroizing<String>) -> Zeroizing<String> {
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
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found = attributes.with_checks(false).filter_map(Result::ok);
    let mut found = found.filter(|attribute| attribute.key.local_name().as_ref() == name);
    let value = found.next()?.normalized_value(quick_xml::XmlVersion::Explicit1_0).ok()?;
    Some(value.into_owned())
}

pub(super) fn is_true(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true"))
}
