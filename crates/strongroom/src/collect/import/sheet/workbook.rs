//! What a workbook says of its sheets, the texts that cells share, and how numbers are shown.

use std::collections::HashMap;
use std::rc::Rc;

use quick_xml::events::Event;
use zeroize::Zeroizing;

use super::super::cells::Epoch;
use super::parts::{Parts, attribute, is_true};
use super::{Limits, STYLES_LIMIT, damaged, too_large};
use crate::ground::Problem;

/// What a workbook says of its parts.
pub(super) struct Workbook {
    /// Name, path, hidden. Many sheets can name one path.
    sheets: Vec<(String, Rc<str>, bool)>,
    pub(super) texts: Option<String>,
    pub(super) styles: Option<String>,
    pub(super) epoch: Epoch,
}

impl Workbook {
    pub(super) fn read(parts: &Parts, limits: &Limits) -> Result<Workbook, Problem> {
        let of_package = read_relations(parts, "_rels/.rels", "", limits)?;
        let path = of_package.into_iter().find(|one| one.kind == "officeDocument").ok_or_else(damaged)?.path;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let slash = if folder.is_empty() { "" } else { "/" };
        let relations = read_relations(parts, &format!("{folder}{slash}_rels/{name}.rels"), folder, limits)?;
        let find = |kind: &str| relations.iter().find(|one| one.kind == kind).map(|one| one.path.clone());
        // A sheet that is a chart has no rows. By their ids: to look through all relations for each sheet costs the square.
        let with_rows = relations.iter().filter(|one| one.kind == "worksheet");
        let with_rows: HashMap<&str, Rc<str>> =
            with_rows.rev().map(|one| (one.id.as_str(), Rc::from(one.path.as_str()))).collect();
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
                        if let Some(path) = with_rows.get(id.as_str()) {
                            book.sheets.push((name, Rc::clone(path), hidden));
                        }
                        if book.sheets.len() > limits.sheets {
                            return Err(too_large());
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
    pub(super) fn sheet(&self, wanted: Option<&str>) -> Result<(String, u64), Problem> {
        let found = match wanted {
            Some(wanted) => self.sheets.iter().find(|(name, ..)| name.trim() == wanted.trim()),
            None => self.sheets.iter().find(|(.., hidden)| !hidden),
        };
        let (_, path, _) = found.ok_or_else(|| {
            Problem::new("SR-IMPORT-032", 422, "the workbook has no such sheet, or none that is not hidden")
                .help("say `sheet = \"…\"` in the mapping, as its tab is named")
        })?;
        Ok((path.to_string(), self.sheets.len().saturating_sub(1) as u64))
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
                if relations.len() > limits.relations {
                    return Err(too_large());
                }
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
pub(super) struct Texts {
    text: Zeroizing<String>,
    ends: Vec<u32>,
}

impl Texts {
    pub(super) fn read(parts: &Parts, path: Option<&str>, limits: &Limits) -> Result<Texts, Problem> {
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
                let text = xml.rich_text()?;
                // Blanks are nothing, and that is seen here once, not by each of a hundred million cells that share them.
                if !text.trim().is_empty() {
                    texts.text.push_str(&text);
                }
                if texts.text.len() > limits.text_bytes || texts.ends.len() >= limits.texts {
                    return Err(too_large());
                }
                texts.ends.push(u32::try_from(texts.text.len()).map_err(|_| too_large())?);
            }
        }
    }

    pub(super) fn find(&self, position: usize) -> Option<&str> {
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
pub(super) enum Shown {
    /// As a number, with so many digits at least.
    Number(usize),
    /// As a day, an instant or a time of day.
    Day,
}

pub(super) fn read_styles(parts: &Parts, path: Option<&str>, limits: &Limits) -> Result<Vec<Shown>, Problem> {
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
pub(super) fn shown_by_number(id: u32) -> Shown {
    match id {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Shown::Day,
        _ => Shown::Number(0),
    }
}

/// How a code shows numbers: with letters of a date outside of quotes and brackets, it is one. `[h]` counts hours. A code of
/// nothing but zeros shows that many digits: `000000` for postcodes.
pub(super) fn shown_by(code: &str) -> Shown {
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
