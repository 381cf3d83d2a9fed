//! A notice as plain text, for where no page can be shown.

use super::line::Line;
use super::sections::NOT_SAID;
use super::{Block, Notice, Section, Table};
use crate::record::Language;

impl Notice {
    /// The notice as plain text: headings underlined, one empty line between paragraphs, a row of a table as a list.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        heading(&mut out, &format!("{} – {}", self.title.plain(), self.shop_name), '=');
        paragraph(&mut out, &self.lead.plain());
        for section in &self.sections {
            heading(&mut out, &section.title.plain(), '-');
            let lines = section.lines(self.words);
            out.push_str(&lines.join("\n"));
            out.push_str("\n\n");
        }
        let end = out.trim_end().len();
        out.truncate(end);
        out.push('\n');
        out
    }
}

fn paragraph(out: &mut String, text: &str) {
    out.push_str(text);
    out.push_str("\n\n");
}

fn heading(out: &mut String, text: &str, under: char) {
    // A Chinese character is as wide as two others.
    let width = text.chars().map(|one| if one.is_ascii() { 1 } else { 2 }).sum();
    paragraph(out, &format!("{text}\n{}", under.to_string().repeat(width)));
}

impl Section {
    /// What a section says, line by line: what plain text is made of, and what differences are found in.
    pub(super) fn lines(&self, words: Language) -> Vec<String> {
        let mut lines = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Heading { title, .. } => lines.push(format!("# {}", title.plain())),
                Block::Paragraph(line) => lines.push(line.with_addresses()),
                Block::List(all) => {
                    lines.extend(all.iter().map(|line| format!("* {}", line.with_addresses())));
                }
                Block::Facts(facts) => {
                    lines.extend(facts.iter().map(|(name, said)| named(&name.plain(), said, words)));
                }
                Block::Table(table) => lines.extend(rows(table, words)),
            }
        }
        lines
    }
}

fn rows(table: &Table, words: Language) -> Vec<String> {
    let mut lines = vec![format!("{}{}", table.caption.plain(), colon(words).trim_end())];
    for row in &table.rows {
        let mut cells = table.columns.iter().zip(row);
        let Some((_, head)) = cells.next() else { continue };
        lines.push(format!("* {}", joined(head, words)));
        let said = cells.filter(|(_, cell)| **cell != [Line::own(NOT_SAID)]);
        lines.extend(said.map(|(column, cell)| format!("  {}", named(&column.plain(), cell, words))));
    }
    lines
}

fn named(name: &str, said: &[Line], words: Language) -> String {
    format!("{name}{}{}", colon(words), joined(said, words))
}

const fn colon(words: Language) -> &'static str {
    match words {
        Language::En => ": ",
        Language::Zh => "：",
    }
}

/// Several lines as one: sentences one behind the other, anything else with a stroke between.
fn joined(lines: &[Line], words: Language) -> String {
    let between = match words {
        Language::En => " / ",
        Language::Zh => "／",
    };
    lines.iter().map(Line::with_addresses).collect::<Vec<_>>().join(between)
}
