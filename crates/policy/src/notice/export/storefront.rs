//! Sheets as editors of storefronts keep them: HTML of a few tags without attributes, and plain text.

use super::super::line::Line;
use super::super::sections::NOT_SAID;
use super::super::{Block, Notice, Table};
use super::{Said, WHOLE, filled};
use crate::learn::Page;
use crate::record::{Language, escaped};
use std::fmt::Write as _;

/// The tags that the HTML of a sheet is made of. None has an attribute, so nothing is fetched, styled or run.
pub const TAGS: [&str; 11] = ["h2", "h3", "h4", "p", "br", "strong", "em", "ul", "ol", "li", "blockquote"];

/// A notice as HTML.
pub(super) fn notice_html(notice: &Notice, said: &Said<'_>) -> String {
    let mut out = head_html(&notice.title.plain(), &notice.shop_name, said);
    tagged(&mut out, "p", &notice.lead.plain());
    for section in &notice.sections {
        tagged(&mut out, "h3", &section.title.plain());
        for block in &section.blocks {
            block_html(&mut out, block, said.words);
        }
    }
    foot_html(&mut out, said);
    out
}

/// A learning page as HTML.
pub(super) fn card_html(page: &Page, shop_name: &str, said: &Said<'_>) -> String {
    let mut out = head_html(&page.title, shop_name, said);
    // A card's own headings stand below its title; code is text in a storefront.
    let swaps = [("<h3>", "<h4>"), ("</h3>", "</h4>"), ("<h2>", "<h3>"), ("</h2>", "</h3>")];
    let drops = ["<code>", "</code>", "<pre>", "</pre>", "<hr>"];
    let body = swaps.iter().fold(page.body_without_links(), |html, (from, to)| html.replace(from, to));
    out.push_str(&drops.iter().fold(body, |html, tag| html.replace(tag, "")));
    foot_html(&mut out, said);
    out
}

/// A notice as plain text.
pub(super) fn notice_text(notice: &Notice, said: &Said<'_>) -> String {
    let mut out = head_text(&notice.title.plain(), &notice.shop_name, said);
    // Writing into a string cannot fail.
    let _ = writeln!(out, "{}\n", notice.lead.plain());
    for section in &notice.sections {
        let _ = writeln!(out, "{}\n", bracketed(&section.title.plain(), said.words));
        for block in &section.blocks {
            block_text(&mut out, block, said.words);
        }
        out.push('\n');
    }
    foot_text(&mut out, said);
    out
}

/// A learning page as plain text.
pub(super) fn card_text(page: &Page, shop_name: &str, said: &Said<'_>) -> String {
    let mut out = head_text(&page.title, shop_name, said);
    out.push_str(&page.body_as_text());
    out.push_str("\n\n");
    foot_text(&mut out, said);
    out
}

fn head_html(title: &str, shop_name: &str, said: &Said<'_>) -> String {
    let mut out = String::new();
    tagged(&mut out, "h2", title);
    let _ = writeln!(out, "<p>{}<br>{}</p>", escaped(shop_name), escaped(said.edition));
    out
}

fn foot_html(out: &mut String, said: &Said<'_>) {
    if let Some(address) = said.address {
        tagged(out, "p", &filled(WHOLE.of(said.words), &[address]));
    }
}

fn head_text(title: &str, shop_name: &str, said: &Said<'_>) -> String {
    format!("{title}\n{shop_name}\n{}\n\n", said.edition)
}

fn foot_text(out: &mut String, said: &Said<'_>) {
    if let Some(address) = said.address {
        let _ = writeln!(out, "{}", filled(WHOLE.of(said.words), &[address]));
    } else {
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
}

/// Editors of plain text know no headings.
fn bracketed(title: &str, words: Language) -> String {
    match words {
        Language::En => title.to_uppercase(),
        Language::Zh => format!("【{title}】"),
    }
}

fn tagged(out: &mut String, tag: &str, text: &str) {
    let _ = writeln!(out, "<{tag}>{}</{tag}>", escaped(text));
}

fn block_html(out: &mut String, block: &Block, words: Language) {
    match block {
        Block::Heading { title, .. } => tagged(out, "h4", &title.plain()),
        Block::Paragraph(line) => tagged(out, "p", &line.with_whole_addresses()),
        Block::List(lines) => list(out, lines.iter().map(|line| escaped(&line.with_whole_addresses()))),
        Block::Facts(facts) => list(
            out,
            facts.iter().map(|(name, said)| {
                let name = format!("{}{}", name.plain(), colon(words));
                format!("<strong>{}</strong>{}", escaped(&name), escaped(&joined(said, words)))
            }),
        ),
        Block::Table(table) => table_html(out, table, words),
    }
}

fn list(out: &mut String, items: impl Iterator<Item = String>) {
    out.push_str("<ul>\n");
    for item in items {
        let _ = writeln!(out, "<li>{item}</li>");
    }
    out.push_str("</ul>\n");
}

/// A table as paragraphs, one for each row: a storefront is as narrow as a telephone.
fn table_html(out: &mut String, table: &Table, words: Language) {
    tagged(out, "p", &table.caption.plain());
    for row in &table.rows {
        let (head, cells) = cells(table, row, words);
        let _ = write!(out, "<p><strong>{}</strong>", escaped(&head));
        for cell in cells {
            let _ = write!(out, "<br>{}", escaped(&cell));
        }
        out.push_str("</p>\n");
    }
}

fn block_text(out: &mut String, block: &Block, words: Language) {
    match block {
        Block::Heading { title, .. } => {
            let _ = writeln!(out, "\n{}", title.plain());
        }
        Block::Paragraph(line) => {
            let _ = writeln!(out, "{}", line.with_whole_addresses());
        }
        Block::List(lines) => {
            for line in lines {
                let _ = writeln!(out, "· {}", line.with_whole_addresses());
            }
        }
        Block::Facts(facts) => {
            for (name, said) in facts {
                let _ = writeln!(out, "· {}{}{}", name.plain(), colon(words), joined(said, words));
            }
        }
        Block::Table(table) => {
            let _ = writeln!(out, "{}", table.caption.plain());
            for row in &table.rows {
                let (head, cells) = cells(table, row, words);
                let _ = writeln!(out, "· {head}");
                for cell in cells {
                    let _ = writeln!(out, "  {cell}");
                }
            }
        }
    }
}

/// What a row is about, and what else is said of it, each under the name of its column.
fn cells(table: &Table, row: &[Vec<Line>], words: Language) -> (String, Vec<String>) {
    let mut cells = table.columns.iter().zip(row);
    let head = cells.next().map(|(_, head)| joined(head, words)).unwrap_or_default();
    let said = cells.filter(|(_, cell)| **cell != [Line::own(NOT_SAID)]);
    let named =
        said.map(|(column, cell)| format!("{}{}{}", column.plain(), colon(words), joined(cell, words)));
    (head, named.collect())
}

const fn colon(words: Language) -> &'static str {
    match words {
        Language::En => ": ",
        Language::Zh => "：",
    }
}

/// Several lines as one.
fn joined(lines: &[Line], words: Language) -> String {
    let between = match words {
        Language::En => "; ",
        Language::Zh => "；",
    };
    let without_stop = |line: &Line| line.with_whole_addresses().trim_end_matches(['.', '。']).to_owned();
    match lines {
        [only] => only.with_whole_addresses(),
        several => several.iter().map(without_stop).collect::<Vec<_>>().join(between),
    }
}
