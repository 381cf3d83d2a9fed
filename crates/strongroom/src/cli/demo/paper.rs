//! How the walk-through looks: words wrapped to the width, JSON shortened, colour only where a person watches.

use std::io::IsTerminal;

use serde_json::{Value as Json, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::Voice;

/// The languages that it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// The same sentence in both languages; the one that is wanted is made.
macro_rules! both {
    ($language:expr, $en:literal, $zh:literal $(,)?) => {
        match $language {
            $crate::cli::demo::paper::Language::En => format!($en),
            $crate::cli::demo::paper::Language::Zh => format!($zh),
        }
    };
}
pub(super) use both;

/// The widest line, where the reader's screen is wider or nobody knows how wide it is.
const WIDEST: usize = 100;
/// The narrowest: below it lines are left to break by themselves.
const NARROWEST: usize = 44;
/// Before every word that is not a heading.
const MARGIN: &str = "   ";
/// Before every line of JSON.
const GUTTER: &str = "   │ ";

/// What a stroke of the pen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Bold,
    Quiet,
    Good,
    No,
    Mark,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "0",
            Ink::Bold => "1",
            Ink::Quiet => "2",
            Ink::Good => "32",
            Ink::No => "33",
            Ink::Mark => "36",
        }
    }
}

/// Where the walk-through is written.
#[derive(Debug)]
pub(super) struct Paper {
    pub(super) language: Language,
    voice: Voice,
    width: usize,
    colour: bool,
    /// The step that is being told, when results are wanted as JSON.
    step: Option<Json>,
}

impl Paper {
    /// Takes: the language, how the command talks, and whether somebody watches.
    pub(super) fn new(language: Language, voice: Voice) -> Paper {
        let screen = std::io::stdout();
        let watched = screen.is_terminal();
        let columns = if watched {
            rustix::termios::tcgetwinsize(&screen).map_or(0, |size| usize::from(size.ws_col))
        } else {
            0
        };
        let width = if columns == 0 { WIDEST } else { columns.clamp(NARROWEST, WIDEST) };
        Paper { language, voice, width, colour: watched && !voice.json, step: None }
    }

    fn inked(&self, ink: Ink, text: &str) -> String {
        if self.colour && ink != Ink::Plain {
            format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code())
        } else {
            text.to_owned()
        }
    }

    fn line(&self, text: &str) {
        if !self.voice.json {
            self.voice.print(text.trim_end());
        }
    }

    /// Adds to the step that is being told, where results are JSON.
    fn note(&mut self, part: &str, value: Json) {
        if let Some(list) =
            self.step.as_mut().and_then(|step| step.get_mut(part)).and_then(Json::as_array_mut)
        {
            list.push(value);
        }
    }

    /// The head of the whole.
    pub(super) fn title(&self, title: &str, under: &str) {
        self.line("");
        self.line(&format!(" {}", self.inked(Ink::Bold, title)));
        self.line(&format!(" {}", self.inked(Ink::Quiet, &"━".repeat(self.width.saturating_sub(2)))));
        self.words(Ink::Plain, MARGIN, MARGIN, under);
    }

    /// The head of a step, or of a part without a number.
    pub(super) fn step(&mut self, number: Option<usize>, title: &str) {
        self.end_step();
        self.step =
            self.voice.json.then(|| json!({ "step": number, "title": title, "exchanges": [], "facts": [] }));
        self.line("");
        self.line("");
        let number = number.map_or_else(|| String::from(" ▪ "), |number| format!("{number:>2} "));
        self.line(&format!("{}{}", self.inked(Ink::Mark, &number), self.inked(Ink::Bold, title)));
        self.line(&format!(" {}", self.inked(Ink::Quiet, &"─".repeat(self.width.saturating_sub(2)))));
    }

    /// Where results are JSON, a step is printed when it is over.
    pub(super) fn end_step(&mut self) {
        if let Some(step) = self.step.take() {
            self.voice.print(step.to_string());
        }
    }

    /// A paragraph.
    pub(super) fn say(&self, text: &str) {
        self.words(Ink::Plain, MARGIN, MARGIN, text);
        self.line("");
    }

    /// Why the step matters.
    pub(super) fn why(&self, text: &str) {
        self.line("");
        let word = both!(self.language, "Why  ", "意义  ");
        let indent = " ".repeat(MARGIN.width() + word.width());
        self.words(Ink::Mark, &format!("{MARGIN}{word}"), &indent, text);
    }

    /// A fact that was looked at and holds.
    pub(super) fn fact(&mut self, text: &str) {
        self.note("facts", json!(text));
        self.words(Ink::Good, &format!("{MARGIN}✓ "), &format!("{MARGIN}  "), text);
    }

    /// What was asked, by whom.
    pub(super) fn asked(&mut self, who: &str, method: &str, path: &str, body: Option<&Json>) {
        self.note("exchanges", json!({ "who": who, "method": method, "path": path, "body": body }));
        self.line(&format!(
            "{MARGIN}{} {}  {}",
            self.inked(Ink::Mark, "▸"),
            self.inked(Ink::Bold, who),
            self.inked(Ink::Plain, &format!("{method} {path}")),
        ));
        if let Some(body) = body {
            self.json(body);
        }
    }

    /// What was answered.
    pub(super) fn answered(&mut self, status: u16, answer: &Json) {
        let exchanges = self.step.as_mut().and_then(|step| step.pointer_mut("/exchanges")?.as_array_mut());
        if let Some(last) = exchanges.and_then(|all| all.last_mut()?.as_object_mut()) {
            last.insert(String::from("status"), json!(status));
            last.insert(String::from("answer"), answer.clone());
        }
        let (ink, word) = match status {
            200..300 => (Ink::Good, both!(self.language, "yes", "是")),
            _ => (Ink::No, both!(self.language, "no", "否")),
        };
        self.line(&format!(
            "{MARGIN}{} {}",
            self.inked(ink, "◂"),
            self.inked(ink, &format!("{status} {word}"))
        ));
        self.json(answer);
    }

    /// Bytes as they are, with their place.
    pub(super) fn bytes(&self, bytes: &[u8]) {
        for (row, bytes) in bytes.chunks(16).enumerate() {
            let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            let text: String = bytes
                .iter()
                .map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '·' })
                .collect();
            self.line(&format!(
                "{}{}",
                self.inked(Ink::Quiet, GUTTER),
                self.inked(Ink::Quiet, &format!("{:04x}  {hex:<47}  {text}", row * 16))
            ));
        }
    }

    /// A line that is shown as it is, but for the middle of one that is too long: a line of the policy, of a signed head.
    pub(super) fn quote(&self, text: &str) {
        let room = self.width.saturating_sub(GUTTER.width());
        let letters: Vec<char> = text.chars().collect();
        let shown = if text.width() <= room {
            text.to_owned()
        } else {
            let half = room.saturating_sub(1) / 2;
            // Wide letters take two columns: the beginning is all that is shown of such a line.
            let begin = letters.iter().scan(0, |taken, letter| {
                *taken += letter.width().unwrap_or(0);
                (*taken <= if text.is_ascii() { half } else { room.saturating_sub(1) }).then_some(*letter)
            });
            let end = if text.is_ascii() {
                letters.get(letters.len().saturating_sub(half)..).unwrap_or_default()
            } else {
                &[]
            };
            begin.chain(['…']).chain(end.iter().copied()).collect()
        };
        self.line(&self.inked(Ink::Quiet, &format!("{GUTTER}{shown}")));
    }

    /// A command to type. Its parts stand on lines of their own where one line is too short for them.
    pub(super) fn command(&self, parts: &[&str]) {
        let together = parts.join(" ");
        let text = if together.width() + 5 <= self.width {
            together
        } else {
            parts.join(&format!(" \\\n{MARGIN}    "))
        };
        self.line(&format!("{MARGIN}{} {text}", self.inked(Ink::Quiet, "$")));
    }

    /// Names and values under each other.
    pub(super) fn table(&mut self, head: &[String], rows: &[Vec<String>]) {
        self.note("facts", json!({ "head": head, "rows": rows }));
        let columns = head.len();
        let widest = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).chain(head.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..columns).map(widest).collect();
        // What does not fit is taken from the last column, which wraps.
        let before: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
        let room = self.width.saturating_sub(before + MARGIN.width()).max(12);
        if let Some(last) = widths.last_mut() {
            *last = (*last).min(room);
        }
        let print = |cells: &[String], ink: Ink| {
            let folded: Vec<Vec<String>> =
                cells.iter().zip(&widths).map(|(cell, width)| wrap(cell, *width)).collect();
            let height = folded.iter().map(Vec::len).max().unwrap_or(1);
            for row in 0..height {
                let mut line = String::from(MARGIN);
                for (cell, width) in folded.iter().zip(&widths) {
                    let part = cell.get(row).map_or("", String::as_str);
                    line.push_str(part);
                    line.push_str(&" ".repeat(width.saturating_sub(part.width()) + 2));
                }
                self.line(&self.inked(ink, line.trim_end()));
            }
        };
        print(head, Ink::Quiet);
        for row in rows {
            print(row, Ink::Plain);
        }
    }

    /// Nothing, for the eye.
    pub(super) fn gap(&self) {
        self.line("");
    }

    fn words(&self, ink: Ink, first: &str, rest: &str, text: &str) {
        let room = self.width.saturating_sub(rest.width()).max(20);
        for (position, line) in wrap(text, room).iter().enumerate() {
            let lead = if position == 0 { self.inked(ink, first) } else { rest.to_owned() };
            self.line(&format!("{lead}{line}"));
        }
    }

    fn json(&self, value: &Json) {
        let room = self.width.saturating_sub(GUTTER.width());
        for line in json_lines(&shortened(value, self.language), room) {
            self.line(&self.inked(Ink::Quiet, &format!("{GUTTER}{line}")));
        }
    }
}

/// Breaks words into lines. Chinese breaks between any two characters, but no line begins with a closing mark.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    const NEVER_FIRST: &str = "，。、；：！？）」』”’》…,.;:!?)";
    let mut pieces: Vec<String> = Vec::new();
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0) > 1;
        match pieces.last_mut() {
            Some(piece) if NEVER_FIRST.contains(letter) && piece != " " => piece.push(letter),
            // Latin letters cling to each other; a wide one stands alone.
            Some(piece)
                if !wide
                    && letter != ' '
                    && piece != " "
                    && !piece.chars().any(|letter| letter.width() == Some(2)) =>
            {
                piece.push(letter);
            }
            _ => pieces.push(letter.to_string()),
        }
    }
    let (mut lines, mut line) = (Vec::new(), String::new());
    for piece in pieces {
        if line.width() + piece.width() > room && !line.is_empty() {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        if !(piece == " " && line.is_empty()) {
            line.push_str(&piece);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Items of a list that are shown; the others are counted.
const ITEMS_SHOWN: usize = 4;
/// A word longer than this is an id, a hash or a key: its middle says nothing to people.
const WORD_SHOWN: usize = 28;
/// A text longer than this is cut at its end.
const TEXT_SHOWN: usize = 64;

/// JSON as it is shown: true, and shorter. Where something is left out stands `…`.
pub(super) fn shortened(value: &Json, language: Language) -> Json {
    match value {
        Json::String(text) => Json::String(shortened_text(text)),
        Json::Array(items) => {
            let mut shown: Vec<Json> =
                items.iter().take(ITEMS_SHOWN).map(|item| shortened(item, language)).collect();
            let left = items.len().saturating_sub(ITEMS_SHOWN);
            if left > 0
                && items
                    .iter()
                    .any(|item| item.is_object() || item.as_str().is_some_and(|text| text.len() > WORD_SHOWN))
            {
                shown.push(Json::String(format!("… +{left}")));
                return Json::Array(shown);
            }
            Json::Array(items.iter().map(|item| shortened(item, language)).collect())
        }
        Json::Object(pairs) => {
            let other = if language == Language::En { "text_zh" } else { "text" };
            // A reason is told in both languages; the reader has one.
            let is_reason = pairs.contains_key("text") && pairs.contains_key("text_zh");
            let kept = pairs.iter().filter(|(key, _)| !(is_reason && key.as_str() == other));
            Json::Object(
                kept.map(|(key, value)| (key.clone(), shortened_under(key, value, language))).collect(),
            )
        }
        other => other.clone(),
    }
}

/// Two parts are long and say nothing at a glance: the registry of names, and a receipt.
fn shortened_under(key: &str, value: &Json, language: Language) -> Json {
    match (key, value) {
        ("registry", Json::Object(_)) => json!({ "…": "…" }),
        ("receipt", Json::Object(parts)) => {
            let hashes = parts.get("proof").and_then(Json::as_array).map_or(0, Vec::len);
            json!({ "entry_index": parts.get("entry_index"), "proof": [format!("… +{hashes}")], "…": "…" })
        }
        _ => shortened(value, language),
    }
}

/// A string: ids and hashes lose their middle, texts of several lines all but the first.
fn shortened_text(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let more = if first.len() < text.trim_end().len() { " …" } else { "" };
    let is_said = first.contains(' ') || !first.is_ascii() || first.starts_with("urn:");
    if first.starts_with('{') || is_said || first.len() <= WORD_SHOWN {
        let mut kept: String = first.chars().take(TEXT_SHOWN).collect();
        if kept.len() < first.len() {
            kept.push('…');
        }
        return format!("{kept}{more}");
    }
    let letters: Vec<char> = first.chars().collect();
    let begin: String = letters.iter().take(12).collect();
    let end: String = letters.iter().skip(letters.len().saturating_sub(4)).collect();
    format!("{begin}…{end}{more}")
}

/// A path in which ids are shortened as in JSON.
pub(super) fn shortened_ids(path: &str) -> String {
    let short = |part: &str| {
        let (id, rest) =
            part.split_once(':').map_or((part, String::new()), |(id, verb)| (id, format!(":{verb}")));
        format!("{}{rest}", shortened_text(id))
    };
    path.split('/').map(short).collect::<Vec<_>>().join("/")
}

/// Keys in the order in which people read them; all others follow by the alphabet.
const KEYS_FIRST: [&str; 29] = [
    "kind",
    "external_id",
    "purpose",
    "record",
    "field",
    "value",
    "event",
    "outcome",
    "version",
    "code",
    "status",
    "title",
    "subject",
    "standing",
    "fields",
    "name",
    "recipient_name",
    "email",
    "phone",
    "address",
    "items",
    "amount",
    "events",
    "kept",
    "unknown",
    "choice",
    "notice",
    "masked",
    "until",
];

/// The pairs of an object as they are shown.
fn in_order(pairs: &serde_json::Map<String, Json>) -> Vec<(&String, &Json)> {
    let rank = |key: &str| KEYS_FIRST.iter().position(|first| *first == key).unwrap_or(KEYS_FIRST.len());
    let mut pairs: Vec<(&String, &Json)> = pairs.iter().collect();
    pairs.sort_by_key(|(key, _)| rank(key));
    pairs
}

/// JSON in lines that fit: what fits on one line stands on one.
pub(super) fn json_lines(value: &Json, room: usize) -> Vec<String> {
    let flat = spaced(value);
    if flat.width() <= room { vec![flat] } else { json_block(value, room) }
}

/// JSON with a line for each part. A word stays whole, however long it is.
fn json_block(value: &Json, room: usize) -> Vec<String> {
    let (open, close, parts): (_, _, Vec<(String, &Json)>) = match value {
        Json::Object(pairs) => (
            "{",
            "}",
            in_order(pairs)
                .into_iter()
                .map(|(key, value)| (format!("{}: ", Json::from(key.as_str())), value))
                .collect(),
        ),
        Json::Array(items) => ("[", "]", items.iter().map(|item| (String::new(), item)).collect()),
        other => return vec![other.to_string()],
    };
    let mut lines = vec![open.to_owned()];
    let last = parts.len().saturating_sub(1);
    for (position, (key, value)) in parts.iter().enumerate() {
        let comma = if position == last { "" } else { "," };
        let (flat, left) = (spaced(value), room.saturating_sub(2 + key.width() + comma.len()));
        // A value that takes several lines begins behind its key and goes on under it.
        let mut inner = if flat.width() <= left {
            vec![flat]
        } else {
            json_block(value, room.saturating_sub(2 + comma.len()))
        };
        if let Some(first) = inner.first_mut() {
            first.insert_str(0, key);
        }
        if let Some(end) = inner.last_mut() {
            end.push_str(comma);
        }
        lines.extend(inner.into_iter().map(|line| format!("  {line}")));
    }
    lines.push(close.to_owned());
    lines
}

/// JSON on one line, with air.
fn spaced(value: &Json) -> String {
    match value {
        Json::Object(pairs) if pairs.is_empty() => String::from("{}"),
        Json::Object(pairs) => {
            let pairs: Vec<String> = in_order(pairs)
                .into_iter()
                .map(|(key, value)| format!("{}: {}", Json::from(key.as_str()), spaced(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_its_room_and_no_word_is_lost() {
        let text = "Erasing 顾客 takes one key，此后任何人都读不到；backups go dark by 2026-12-26.";
        for room in 20..60 {
            let lines = wrap(text, room);
            assert!(lines.iter().all(|line| line.width() <= room), "{room}: {lines:?}");
            let all = |text: &str| text.chars().filter(|letter| *letter != ' ').collect::<String>();
            assert_eq!(all(&lines.concat()), all(text));
            assert!(lines.iter().all(|line| !line.starts_with(['，', '；', '。'])), "{lines:?}");
        }
    }

    #[test]
    fn what_is_left_out_is_marked_and_what_stays_is_true() {
        let value = json!({
            "id": "sub_abcdefghijklmnopqrstuvwxyz", "name": "Ann Lee", "list": [{"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}, {"a": 5}],
            "reason": {"name": "erased", "text": "gone", "text_zh": "已删除"},
        });
        let shown = shortened(&value, Language::Zh);
        assert_eq!(shown["id"], "sub_abcdefgh…wxyz");
        assert_eq!(shown["name"], "Ann Lee");
        assert_eq!(shown["list"][4], "… +1");
        assert_eq!(shown["reason"], json!({"name": "erased", "text_zh": "已删除"}));
    }

    #[test]
    fn shown_json_fits_and_reads_back() {
        let value = json!({"purpose": "delivery", "record": {"kind": "order", "external_id": "HH-1001"}, "fields": ["address", "phone"]});
        for room in 30..120 {
            let lines = json_lines(&value, room);
            assert!(lines.iter().all(|line| line.width() <= room), "{room}: {lines:?}");
            assert_eq!(serde_json::from_str::<Json>(&lines.concat()).unwrap(), value);
        }
    }
}
