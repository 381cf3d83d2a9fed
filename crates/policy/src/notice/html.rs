//! A notice as HTML: a fragment for a page of the shop's, or a page by itself. No script, nothing fetched, no style within
//! tags; every text of a policy stands in it as text.

use super::line::{Line, Piece, Voice};
use super::sections::NOT_SAID;
use super::{Author, Block, Notice, Section, Table};
use crate::record::{Language, Words, both, escaped};
use crate::text::Language as Tag;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The style of notices, of their differences and of learning pages: tokens, light and dark, narrow and wide, paper.
///
/// Everything in it is below `.notice` but the page itself (`.notice-page`) and the ways from it (`.notice-ways`), so that it can stand beside
/// other styles.
pub const NOTICE_STYLE: &str = include_str!("style.css");

/// What a page with forms has besides.
const FORM_STYLE: &str = include_str!("forms.css");

/// The policy for the content of a page that [`Notice::to_html_page`] gives, as a header says it: nothing but its own
/// style, which is named by its hash.
pub fn content_security_policy() -> String {
    security_policy(Forms::None)
}

/// The same for a page with these forms.
pub fn security_policy(forms: Forms) -> String {
    let hash = BASE64.encode(&Sha256::digest(style_of(forms).as_bytes()));
    let to = match forms {
        Forms::None => "'none'",
        Forms::Own => "'self'",
    };
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action {to}")
}

fn style_of(forms: Forms) -> Cow<'static, str> {
    match forms {
        Forms::None => Cow::Borrowed(NOTICE_STYLE),
        Forms::Own => Cow::Owned(format!("{NOTICE_STYLE}{FORM_STYLE}")),
    }
}

/// Where the forms of a page may send what people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    /// There are none.
    None,
    /// To the server that gave the page.
    Own,
}

impl Notice {
    /// The notice as part of a page: an `<article>` with its heading, a table of contents and every section under its id.
    ///
    /// The page that it is put into brings [`NOTICE_STYLE`], no other `<h1>`, and no element with an id of a section.
    pub fn to_html_fragment(&self) -> String {
        let mut writer = Writer::of(self);
        writer.open_article(self.language.as_str());
        writer.add("<header>\n<h1>");
        writer.line(&self.title);
        writer.add("</h1>\n<p class=\"shop\">");
        writer.line(&Line::shop(self.shop_name.clone()));
        writer.add("</p>\n<p>");
        writer.line(&self.lead);
        writer.add("</p>\n</header>\n");
        writer.contents(&self.sections);
        for section in &self.sections {
            writer.section(section);
        }
        writer.add("</article>\n");
        writer.out
    }

    /// The notice as a page by itself, with a policy for its content that lets in nothing else.
    pub fn to_html_page(&self) -> String {
        let title = format!("{} – {}", self.title.plain(), self.shop_name);
        page(Writer::of(self).tag, &title, &self.to_html_fragment())
    }
}

/// A page around a fragment. `tag` is a language's, `title` is text, `fragment` is HTML.
pub fn page(tag: &str, title: &str, fragment: &str) -> String {
    page_with(tag, title, fragment, Forms::None)
}

/// The same with forms.
pub fn page_with(tag: &str, title: &str, fragment: &str, forms: Forms) -> String {
    let (tag, title) = (escaped(tag), escaped(title));
    let (policy, style) = (security_policy(forms), style_of(forms));
    format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n\
         <body class=\"notice-page\">\n<main>\n{fragment}</main>\n</body>\n</html>\n"
    )
}

/// HTML as it is being written.
pub(super) struct Writer<'n> {
    pub(super) out: String,
    /// The language of the fixed words, for `lang`.
    pub(super) tag: &'n str,
    /// The language of the shop's texts, where it is another.
    shop_tag: Option<&'n str>,
    words: Language,
}

impl<'n> Writer<'n> {
    pub(super) fn of(notice: &'n Notice) -> Self {
        let (tag, shop_tag) = tags(&notice.language, notice.words);
        Self { out: String::new(), tag, shop_tag, words: notice.words }
    }

    /// A writer of text that is all in one language.
    pub(super) fn plain(language: &'n str, words: Language) -> Self {
        let tag = if language == "zh" { "zh-CN" } else { language };
        Self { out: String::new(), tag, shop_tag: None, words }
    }

    pub(super) fn add(&mut self, html: &str) {
        self.out.push_str(html);
    }

    pub(super) fn put(&mut self, html: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.out.write_fmt(html);
    }

    pub(super) fn text(&mut self, text: &str) {
        let text = escaped(text);
        self.add(&text);
    }

    /// Which language it is all in that has no other `lang`; and, for programs, which one the shop speaks in it.
    pub(super) fn open_article(&mut self, language: &str) {
        let (tag, language) = (escaped(self.tag), escaped(language));
        self.put(format_args!("<article class=\"notice\" lang=\"{tag}\" data-language=\"{language}\">\n"));
    }

    fn contents(&mut self, sections: &[Section]) {
        let label = CONTENTS.of(self.words);
        self.put(format_args!("<nav class=\"contents\" aria-label=\"{label}\">\n<ul>\n"));
        for section in sections {
            self.put(format_args!("<li><a href=\"#{}\">", escaped(&section.id)));
            // Marks belong to the heading itself.
            for piece in section.title.pieces().iter().filter(|piece| !matches!(piece, Piece::Mark(..))) {
                self.piece(piece);
            }
            self.add("</a></li>\n");
        }
        self.add("</ul>\n</nav>\n");
    }

    fn section(&mut self, section: &Section) {
        let id = escaped(&section.id);
        let class = match section.author {
            Author::Policy => "fact",
            Author::Shop => "note",
        };
        self.put(format_args!(
            "<section id=\"{id}\" class=\"{class}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">"
        ));
        self.line(&section.title);
        self.add("</h2>\n");
        for block in &section.blocks {
            self.block(block);
        }
        self.add("</section>\n");
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { id, title } => {
                self.put(format_args!("<h3 id=\"{}\">", escaped(id)));
                self.line(title);
                self.add("</h3>\n");
            }
            Block::Paragraph(line) => {
                self.add("<p>");
                self.line(line);
                self.add("</p>\n");
            }
            Block::List(lines) => self.list(lines),
            Block::Facts(facts) => self.facts(facts),
            Block::Table(table) => self.table(table),
        }
    }

    fn list(&mut self, lines: &[Line]) {
        self.add("<ul>\n");
        for line in lines {
            self.add("<li>");
            self.line(line);
            self.add("</li>\n");
        }
        self.add("</ul>\n");
    }

    fn facts(&mut self, facts: &[(Line, Vec<Line>)]) {
        self.add("<dl class=\"facts\">\n");
        for (name, lines) in facts {
            self.add("<div><dt>");
            self.line(name);
            self.add("</dt>");
            for line in lines {
                self.add("<dd>");
                self.line(line);
                self.add("</dd>");
            }
            self.add("</div>\n");
        }
        self.add("</dl>\n");
    }

    /// On a narrow screen each row becomes a card, and each cell says by `data-label` what it is.
    fn table(&mut self, table: &Table) {
        let class = if table.columns.len() > FEW_COLUMNS { "many" } else { "few" };
        self.put(format_args!("<table class=\"{class}\">\n<caption>"));
        self.line(&table.caption);
        self.add("</caption>\n<thead>\n<tr>");
        for column in &table.columns {
            self.add("<th scope=\"col\">");
            self.line(column);
            self.add("</th>");
        }
        self.add("</tr>\n</thead>\n<tbody>\n");
        for row in &table.rows {
            self.row(table, row);
        }
        self.add("</tbody>\n</table>\n");
    }

    fn row(&mut self, table: &Table, row: &[Vec<Line>]) {
        self.add("<tr>");
        for (at, (column, cell)) in table.columns.iter().zip(row).enumerate() {
            let tag = if at == 0 { "th" } else { "td" };
            let scope = if at == 0 { " scope=\"row\"" } else { "" };
            // What is not said needs no line of its own on a card.
            let class = if is_unsaid(cell) { " class=\"unsaid\"" } else { "" };
            let label = escaped(&column.plain());
            self.put(format_args!("<{tag}{scope}{class} data-label=\"{label}\">"));
            self.cell(cell);
            self.put(format_args!("</{tag}>"));
        }
        self.add("</tr>\n");
    }

    fn cell(&mut self, lines: &[Line]) {
        match lines {
            [only] => self.line(only),
            several => self.list(several),
        }
    }

    pub(super) fn line(&mut self, line: &Line) {
        for piece in line.pieces() {
            self.piece(piece);
        }
    }

    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Text(text, voice) => self.voiced(text, *voice),
            Piece::Link { text, voice, to } => {
                self.put(format_args!("<a href=\"{}\">", escaped(to)));
                self.voiced(text, *voice);
                self.add("</a>");
            }
            Piece::Mark(mark, words) => {
                self.put(format_args!(" <span class=\"mark {}\">{}</span>", mark.as_str(), escaped(words)));
            }
        }
    }

    fn voiced(&mut self, text: &str, voice: Voice) {
        match (voice, self.shop_tag) {
            (Voice::Shop, Some(tag)) => {
                self.put(format_args!(
                    "<span lang=\"{}\" dir=\"auto\">{}</span>",
                    escaped(tag),
                    escaped(text)
                ));
            }
            _ => self.text(text),
        }
    }
}

fn is_unsaid(cell: &[Line]) -> bool {
    cell == [Line::own(NOT_SAID)]
}

/// The language of a notice's fixed words as `lang` wants it, and that of the shop's texts where it is another.
fn tags(language: &Tag, words: Language) -> (&str, Option<&str>) {
    let language = language.as_str();
    let is_kin = language.split('-').next() == Some(words.as_str());
    match (words, language) {
        (Language::Zh, "zh") => ("zh-CN", None),
        (Language::Zh, written) if written.starts_with("zh-CN") || written.starts_with("zh-Hans") => {
            (written, None)
        }
        (Language::Zh, written) => ("zh-CN", Some(written)),
        (Language::En, written) if is_kin => (written, None),
        (Language::En, written) => ("en", Some(written)),
    }
}

const CONTENTS: Words = both("Contents", "目录");

/// Tables with more columns become cards on a middling screen already.
const FEW_COLUMNS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_of_each_text_in_which_language_it_is() {
        let tags_of = |text: &str, words| {
            let tag = Tag::parse(text).unwrap();
            let (own, shop) = tags(&tag, words);
            (own.to_owned(), shop.map(str::to_owned))
        };
        assert_eq!(tags_of("zh", Language::Zh), ("zh-CN".to_owned(), None));
        assert_eq!(tags_of("zh-Hant", Language::Zh), ("zh-CN".to_owned(), Some("zh-Hant".to_owned())));
        assert_eq!(tags_of("en-GB", Language::En), ("en-GB".to_owned(), None));
        assert_eq!(tags_of("fr", Language::En), ("en".to_owned(), Some("fr".to_owned())));
    }

    #[test]
    fn the_style_is_small_and_asks_for_nothing() {
        assert!(NOTICE_STYLE.len() < 8_192, "{}", NOTICE_STYLE.len());
        assert!(FORM_STYLE.len() < 4_096, "{}", FORM_STYLE.len());
        for word in ["url(", "@import", "://", "</"] {
            assert!(!NOTICE_STYLE.contains(word) && !FORM_STYLE.contains(word), "{word}");
        }
        assert!(content_security_policy().contains("'sha256-"));
        assert!(!content_security_policy().contains("unsafe"));
    }
}
