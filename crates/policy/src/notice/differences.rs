//! What a newer notice says otherwise than an older one, word by word.
//!
//! Sections are held against each other by their ids, their lines against each other, and within a line that changed its
//! words: in Chinese, where no blanks part them, its characters, so that a changed number or name stands out and nothing
//! else. Whoever hears the page instead of seeing it hears “added” and “taken out”.

use super::html::Writer;
use super::{Notice, Section};
use crate::record::{Language, Words, both};
use similar::{Algorithm, DiffTag, capture_diff_slices};
use std::collections::BTreeSet;
use std::ops::Range;

/// What changed between two notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences {
    /// The sections in which something changed, in the order of the newer notice, those that are gone at the end.
    pub sections: Vec<SectionDifferences>,
    title: String,
    words: Language,
    tag: String,
}

/// What changed in a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionDifferences {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its lines in the order in which they are read; what stayed is there too.
    pub lines: Vec<Vec<Segment>>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// It stands in both.
    Same(String),
    /// It is new.
    Added(String),
    /// It is gone.
    Removed(String),
}

impl Segment {
    fn text(&self) -> &str {
        let (Self::Same(text) | Self::Added(text) | Self::Removed(text)) = self;
        text
    }

    /// Begins a heading with it, or what a row is about?
    fn is_head(&self) -> bool {
        HEADS.iter().any(|marker| self.text().starts_with(marker))
    }
}

/// What changed from one notice to another?
///
/// *Takes* two notices in the same language; of notices in two languages everything is different. *Gives* the sections that
/// changed; that of changes among them where version or day are others.
pub fn differences(old: &Notice, new: &Notice) -> Differences {
    let find = |sections: &[Section], id: &str| sections.iter().find(|one| one.id == id).cloned();
    let mut sections = Vec::new();
    for now in &new.sections {
        sections.extend(compare(find(&old.sections, &now.id).as_ref(), Some(now), new.words));
    }
    for before in old.sections.iter().filter(|before| find(&new.sections, &before.id).is_none()) {
        sections.extend(compare(Some(before), None, new.words));
    }
    Differences {
        sections,
        title: new.shop_name.clone(),
        words: new.words,
        tag: new.language.as_str().to_owned(),
    }
}

impl Differences {
    /// Did nothing change?
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// The differences as part of a page, under [`NOTICE_STYLE`](super::NOTICE_STYLE).
    pub fn to_html_fragment(&self) -> String {
        let mut page = Writer::plain(&self.tag, self.words);
        page.open_article(&self.tag);
        page.put(format_args!("<header>\n<h1>{}</h1>\n<p class=\"shop\">", TITLE.of(self.words)));
        page.text(&self.title);
        page.add("</p>\n</header>\n");
        if self.is_empty() {
            page.put(format_args!("<p>{}</p>\n", NOTHING.of(self.words)));
        }
        for section in &self.sections {
            self.section(section, &mut page);
        }
        page.add("</article>\n");
        page.out
    }

    /// What a page with them is called, as text.
    pub fn title(&self) -> String {
        format!("{} – {}", TITLE.of(self.words), self.title)
    }

    /// The differences as a page by itself.
    pub fn to_html_page(&self) -> String {
        let tag = Writer::plain(&self.tag, self.words).tag.to_owned();
        super::page(&tag, &self.title(), &self.to_html_fragment())
    }

    fn section(&self, section: &SectionDifferences, page: &mut Writer<'_>) {
        page.add("<section>\n<h2>");
        page.text(&section.title);
        page.add("</h2>\n");
        for shown in shown(&section.lines) {
            match shown {
                Shown::Skipped => {
                    page.put(format_args!("<p class=\"skipped\">{}</p>\n", SAME.of(self.words)));
                }
                Shown::Head(text) => {
                    page.add("<p class=\"head\">");
                    page.text(without_marker(text));
                    page.add("</p>\n");
                }
                Shown::Changed(line) => self.changed(line, page),
            }
        }
        page.add("</section>\n");
    }

    fn changed(&self, line: &[Segment], page: &mut Writer<'_>) {
        page.add("<p>");
        for (at, segment) in line.iter().enumerate() {
            let text = if at == 0 { without_marker(segment.text()) } else { segment.text() };
            self.segment(segment, text, page);
        }
        page.add("</p>\n");
    }

    fn segment(&self, segment: &Segment, text: &str, page: &mut Writer<'_>) {
        let (tag, heard) = match segment {
            Segment::Same(_) => return page.text(text),
            Segment::Added(_) => ("ins", ADDED),
            Segment::Removed(_) => ("del", REMOVED),
        };
        let heard = heard.of(self.words);
        page.put(format_args!("<{tag}><span class=\"heard\">{heard}</span>"));
        page.text(text);
        page.put(format_args!("</{tag}>"));
    }

    /// The differences as plain text: `{+new+}` and `[-old-]`, as `git` and `wdiff` write them.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for section in &self.sections {
            out.push_str(&section.title);
            out.push('\n');
            for shown in shown(&section.lines) {
                match shown {
                    Shown::Skipped => continue,
                    Shown::Head(text) => out.extend(["  ", without_marker(text)]),
                    Shown::Changed(line) => {
                        out.push_str("    ");
                        for segment in line {
                            write_segment(segment, &mut out);
                        }
                    }
                }
                out.push('\n');
            }
        }
        out
    }
}

fn write_segment(segment: &Segment, out: &mut String) {
    let (before, text, after) = match segment {
        Segment::Same(text) => ("", text, ""),
        Segment::Added(text) => ("{+", text, "+}"),
        Segment::Removed(text) => ("[-", text, "-]"),
    };
    out.extend([before, without_marker(text), after]);
}

/// What of a section is shown: lines that changed, each under the heading or the row that it belongs to.
enum Shown<'l> {
    /// Something that did not change was left out here.
    Skipped,
    /// A heading, or what a row is about; unchanged.
    Head(&'l str),
    /// A line that changed.
    Changed(&'l [Segment]),
}

fn shown(lines: &[Vec<Segment>]) -> Vec<Shown<'_>> {
    let mut shown = Vec::new();
    let mut head: Option<&str> = None;
    let mut is_skipping = false;
    for line in lines {
        let same = match line.as_slice() {
            [Segment::Same(text)] => Some(text.as_str()),
            _ => None,
        };
        let is_head = line.first().is_some_and(Segment::is_head);
        match same {
            Some(text) => {
                if is_head {
                    head = Some(text);
                }
                is_skipping = true;
            }
            None => {
                shown.extend(is_skipping.then_some(Shown::Skipped));
                is_skipping = false;
                // A head that changed belongs to none before it.
                shown.extend(head.take().filter(|_| !is_head).map(Shown::Head));
                shown.push(Shown::Changed(line));
            }
        }
    }
    shown.extend(is_skipping.then_some(Shown::Skipped));
    shown
}

/// What lines of plain text begin with that others belong to: headings, and rows of tables.
const HEADS: [&str; 2] = ["# ", "* "];

/// A line without what it begins with in plain text.
fn without_marker(line: &str) -> &str {
    HEADS.iter().chain(&["  "]).find_map(|marker| line.strip_prefix(marker)).unwrap_or(line)
}

/// What changed in a section; `None` if nothing did.
fn compare(old: Option<&Section>, new: Option<&Section>, words: Language) -> Option<SectionDifferences> {
    let section = new.or(old)?;
    let is_in_both = old.is_some() && new.is_some();
    let lines_of = |section: Option<&Section>| -> Vec<String> {
        let Some(section) = section else { return Vec::new() };
        // A section that is new or gone has its title above it already.
        let title = is_in_both.then(|| section.title.plain());
        title.into_iter().chain(section.lines(words)).collect()
    };
    let (before, now) = (lines_of(old), lines_of(new));
    if before == now {
        return None;
    }
    Some(SectionDifferences {
        id: section.id.clone(),
        title: section.title.plain(),
        lines: line_by_line(&before, &now),
    })
}

fn line_by_line(old: &[String], new: &[String]) -> Vec<Vec<Segment>> {
    let mut lines = Vec::new();
    for change in capture_diff_slices(Algorithm::Myers, old, new) {
        let (tag, before, now) = change.as_tag_tuple();
        let (before, now) = (slice(old, before), slice(new, now));
        match tag {
            DiffTag::Equal => lines.extend(now.iter().map(|line| vec![Segment::Same(line.clone())])),
            _ => paired(before, now, &mut lines),
        }
    }
    lines
}

/// Lines that changed, each held against its like: the one that begins with the same name, else whole.
fn paired(old: &[String], new: &[String], lines: &mut Vec<Vec<Segment>>) {
    let mut left: Vec<&String> = old.iter().collect();
    for line in new {
        match like(&left, line) {
            Some(at) => {
                // Whatever stood before its like and has none itself is gone.
                lines.extend(left.drain(..at).map(|gone| vec![Segment::Removed(gone.clone())]));
                let before = left.remove(0);
                lines.push(word_by_word(before, line));
            }
            None => lines.push(vec![Segment::Added(line.clone())]),
        }
    }
    lines.extend(left.into_iter().map(|gone| vec![Segment::Removed(gone.clone())]));
}

/// The first of the lines that is like this one: at least half of the words of the longer are in both.
fn like(lines: &[&String], wanted: &str) -> Option<usize> {
    let theirs = words_of(wanted);
    lines.iter().take(MOST_COMPARED).position(|line| {
        let ours = words_of(line);
        let shared = ours.intersection(&theirs).count();
        shared.saturating_mul(2) >= ours.len().max(theirs.len()) && shared > 0
    })
}

/// The words of a line, each once.
fn words_of(line: &str) -> BTreeSet<&str> {
    let is_word = |token: &&str| token.chars().any(char::is_alphanumeric);
    tokens(line).into_iter().filter(is_word).collect()
}

fn word_by_word(old: &str, new: &str) -> Vec<Segment> {
    let (before, now) = (tokens(old), tokens(new));
    if before.len().saturating_add(now.len()) > MOST_WORDS {
        return vec![Segment::Removed(old.to_owned()), Segment::Added(new.to_owned())];
    }
    let mut segments = Segments::default();
    for change in capture_diff_slices(Algorithm::Myers, &before, &now) {
        let (tag, gone, come) = change.as_tag_tuple();
        let (gone, come) = (slice(&before, gone).concat(), slice(&now, come).concat());
        match tag {
            DiffTag::Equal => segments.same(come),
            _ => segments.changed(&gone, &come),
        }
    }
    segments.finish()
}

/// The parts of a line as they are found. A blank or a comma between two changes is part of one change, so that nobody has to
/// read every second word.
#[derive(Default)]
struct Segments {
    done: Vec<Segment>,
    gone: String,
    come: String,
    /// What stands behind the change, and is no word.
    between: String,
}

impl Segments {
    fn same(&mut self, text: String) {
        let is_open = !(self.gone.is_empty() && self.come.is_empty());
        if is_open && self.between.is_empty() && !text.chars().any(char::is_alphanumeric) {
            self.between = text;
            return;
        }
        self.close();
        self.done.push(Segment::Same(text));
    }

    fn changed(&mut self, gone: &str, come: &str) {
        let between = std::mem::take(&mut self.between);
        self.gone.extend([between.as_str(), gone]);
        self.come.extend([between.as_str(), come]);
    }

    /// Ends the change that is open.
    fn close(&mut self) {
        let (gone, come) = (std::mem::take(&mut self.gone), std::mem::take(&mut self.come));
        let between = std::mem::take(&mut self.between);
        self.done.extend((!gone.is_empty()).then_some(Segment::Removed(gone)));
        self.done.extend((!come.is_empty()).then_some(Segment::Added(come)));
        self.done.extend((!between.is_empty()).then_some(Segment::Same(between)));
    }

    fn finish(mut self) -> Vec<Segment> {
        self.close();
        self.done
    }
}

fn slice<T>(all: &[T], range: Range<usize>) -> &[T] {
    all.get(range).unwrap_or_default()
}

/// A line in tokens: words of letters and digits, each character of a writing without blanks by itself, and each character
/// that is neither. Together they are the line again.
fn tokens(line: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut begin = 0;
    let mut last = Kind::Alone;
    for (at, character) in line.char_indices() {
        let kind = Kind::of(character);
        if at > begin && (kind != last || kind == Kind::Alone) {
            tokens.extend(line.get(begin..at));
            begin = at;
        }
        last = kind;
    }
    tokens.extend(line.get(begin..).filter(|rest| !rest.is_empty()));
    tokens
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Belongs to a word.
    Word,
    /// Parts words.
    Blank,
    /// Stands by itself.
    Alone,
}

impl Kind {
    fn of(character: char) -> Self {
        match character {
            _ if character.is_whitespace() => Self::Blank,
            // Han, kana and hangul syllables, with what belongs to them.
            '\u{2e80}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}' => Self::Alone,
            // Thai, Lao, Burmese, Khmer are written without blanks, and their vowels belong to the letter before: by words
            // of letters is the best that can be done without a dictionary.
            _ if character.is_alphanumeric() || character == '_' => Self::Word,
            _ => Self::Alone,
        }
    }
}

const TITLE: Words = both("What has changed", "版本差异");
const NOTHING: Words = both("Nothing has changed.", "两个版本的内容相同。");
const SAME: Words = both("… unchanged …", "……未变更……");
const ADDED: Words = both("added: ", "新增：");
const REMOVED: Words = both("taken out: ", "删除：");

/// A line is held against so many others at the most.
const MOST_COMPARED: usize = 64;
/// Lines with more words than this are shown as a whole.
const MOST_WORDS: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use Segment::{Added, Removed, Same};

    fn owned(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn tokens_put_together_are_the_line() {
        for line in ["", "a b", "保存90天。", "Opt-out, 90 days (GDPR 13)", "  混 mixed 文字 ", "𠮷野家"]
        {
            assert_eq!(tokens(line).concat(), line);
        }
        assert_eq!(tokens("保存90天"), ["保", "存", "90", "天"]);
        assert_eq!(tokens("kept for 90 days"), ["kept", " ", "for", " ", "90", " ", "days"]);
    }

    #[test]
    fn a_changed_number_stands_out_and_nothing_else() {
        let changed = word_by_word("订单送达后90天", "订单送达后180天");
        assert_eq!(
            changed,
            [Same(owned("订单送达后")), Removed(owned("90")), Added(owned("180")), Same(owned("天"))]
        );
        let changed = word_by_word("90 days after", "180 days after");
        assert_eq!(changed, [Removed(owned("90")), Added(owned("180")), Same(owned(" days after"))]);
    }

    #[test]
    fn words_that_changed_together_are_shown_together() {
        let changed = word_by_word("To write to you, often", "To talk with her, seldom");
        let expected = [
            Same(owned("To ")),
            Removed(owned("write to you, often")),
            Added(owned("talk with her, seldom")),
        ];
        assert_eq!(changed, expected);
        let changed = word_by_word("a, b, c", "x, b, c");
        assert_eq!(changed, [Removed(owned("a")), Added(owned("x")), Same(owned(", b, c"))]);
    }

    #[test]
    fn a_line_that_has_no_like_is_new_or_gone_as_a_whole() {
        let lines = line_by_line(
            &[owned("Name: needed"), owned("Shop: Harbour")],
            &[owned("Shop: Harbour and Hill"), owned("Officer: Lin Yue")],
        );
        assert_eq!(lines[0], [Removed(owned("Name: needed"))]);
        assert_eq!(lines[1], [Same(owned("Shop: Harbour")), Added(owned(" and Hill"))]);
        assert_eq!(lines[2], [Added(owned("Officer: Lin Yue"))]);
    }

    #[test]
    fn a_head_that_changed_stands_under_no_head_before_it() {
        let old = ["# Rows", "* First", "  How long: 90 days", "* Second row", "  Who: nobody"].map(owned);
        let new = ["# Rows", "* First", "  How long: 90 days", "* Second line", "  Who: anybody"].map(owned);
        let lines = line_by_line(&old, &new);
        let heads = shown(&lines).into_iter().filter(|shown| matches!(shown, Shown::Head(_)));
        assert_eq!(heads.count(), 0);
        let lines = line_by_line(&old[..3], &["# Rows", "* First", "  How long: 60 days"].map(owned));
        assert!(matches!(
            shown(&lines).as_slice(),
            [Shown::Skipped, Shown::Head("* First"), Shown::Changed(_)]
        ));
    }

    #[test]
    fn both_texts_can_be_read_out_of_their_differences() {
        let (old, new) =
            ("We keep your phone for 90 days.", "We keep your e-mail address for 1 year, then erase it.");
        let segments = word_by_word(old, new);
        let read = |leave: fn(&Segment) -> bool| {
            let kept = segments.iter().filter(|segment| !leave(segment));
            kept.map(Segment::text).collect::<String>()
        };
        assert_eq!(read(|segment| matches!(segment, Added(_))), old);
        assert_eq!(read(|segment| matches!(segment, Removed(_))), new);
    }
}
