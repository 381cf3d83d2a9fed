//! A record as one page: no script, nothing fetched, to be read on a phone, at a desk and on paper.

use super::tables::{ABOUT, COLUMN, MADE_ON, NOTES, OPEN_TASKS, REVIEWED, SHEET, SHOP, TASK};
use super::{Cell, Column, Language, Record, Row, Sheet, TO_FILL_IN, Task, Words, both, words};
use std::fmt::Write as _;

impl Record {
    /// The record as a page of HTML.
    ///
    /// Texts of the policy stand in it as text, whatever they hold; the page forbids itself scripts and everything from
    /// elsewhere.
    pub fn to_html(&self) -> String {
        let mut page = Page { out: String::new(), language: self.language };
        page.begin(self);
        for sheet in &self.sheets {
            page.sheet(sheet);
        }
        page.tasks(self);
        page.notes(self);
        page.out.push_str("</main>\n</body>\n</html>\n");
        page.out
    }
}

/// How a table takes its room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// It wraps to fit, everywhere.
    Narrow,
    /// It fits on paper, and scrolls on a phone.
    List,
    /// It scrolls on every screen; on paper each row becomes a list.
    Wide,
}

/// A page as it is being written.
struct Page {
    out: String,
    language: Language,
}

impl Page {
    fn begin(&mut self, record: &Record) {
        let (title, shop) = (escaped(record.title()), escaped(&record.shop_name));
        let tag = self.language.tag();
        self.add(format_args!(
            "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n\
             <title>{title} – {shop}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        ));
        self.facts(record);
        self.contents(record);
    }

    /// What it is of, as of when, and how much of it is still open.
    fn facts(&mut self, record: &Record) {
        self.out.push_str("<dl class=\"facts\">\n");
        let facts = [
            (SHOP, record.shop_name.clone()),
            (MADE_ON, record.made_on.to_string()),
            (REVIEWED, record.reviewed.to_string()),
            (FILLED, record.count_known().to_string()),
            (OPEN, record.tasks().count().to_string()),
        ];
        for (what, text) in facts {
            let what = self.of(what);
            self.add(format_args!("<div><dt>{what}</dt><dd>{}</dd></div>\n", escaped(&text)));
        }
        self.out.push_str("</dl>\n");
    }

    fn contents(&mut self, record: &Record) {
        let label = self.of(CONTENTS);
        self.add(format_args!("<nav aria-label=\"{label}\">\n<ul>\n"));
        let sheets = record.sheets.iter().map(|sheet| (sheet.key, sheet.title));
        for (key, title) in sheets.chain([("tasks", OPEN_TASKS), ("notes", NOTES)]) {
            let title = self.of(title);
            self.add(format_args!("<li><a href=\"#{key}\">{title}</a></li>\n"));
        }
        self.out.push_str("</ul>\n</nav>\n");
    }

    fn sheet(&mut self, sheet: &Sheet) {
        let shape = if sheet.columns.len() > MOST_ON_PAPER { Shape::Wide } else { Shape::Narrow };
        self.open(sheet.key, sheet.title, shape);
        self.out.push_str("<thead>\n<tr>");
        for column in &sheet.columns {
            self.heading(column, shape);
        }
        self.out.push_str("</tr>\n</thead>\n<tbody>\n");
        for row in &sheet.rows {
            self.row(sheet, row);
        }
        self.close();
    }

    fn heading(&mut self, column: &Column, shape: Shape) {
        self.out.push_str("<th scope=\"col\"");
        if shape == Shape::Wide {
            // So that a sentence is not cut into a tower of words.
            let width = column.width.saturating_mul(WIDTH_SHARE.0) / WIDTH_SHARE.1;
            self.add(format_args!(" style=\"min-width:{width}em\""));
        }
        let title = self.of(column.title);
        self.add(format_args!(">{title}"));
        let cites = words::citations(column.cites, self.language);
        if !cites.is_empty() {
            self.add(format_args!("<small>{}</small>", escaped(&cites)));
        }
        self.out.push_str("</th>");
    }

    fn row(&mut self, sheet: &Sheet, row: &Row) {
        self.out.push_str("<tr>");
        // Where rows are numbered, what a row is about stands behind the number.
        let heads = 1 + usize::from(sheet.columns.first().is_some_and(|column| column.key == "number"));
        for (at, (column, cell)) in sheet.columns.iter().zip(&row.cells).enumerate() {
            let (tag, scope) = if at + 1 == heads { ("th", " scope=\"row\"") } else { ("td", "") };
            let label = self.of(column.title);
            self.add(format_args!("<{tag}{scope} data-label=\"{label}\""));
            self.cell(cell);
            self.add(format_args!("</{tag}>"));
        }
        self.out.push_str("</tr>\n");
    }

    /// The rest of the tag, and what stands in it.
    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Known(text) => self.add(format_args!("><div>{}</div>", escaped(text))),
            Cell::Task(text) => {
                let mark = self.of(TO_FILL_IN);
                self.add(format_args!(" class=\"task\"><div><b>{mark}</b> {}</div>", escaped(text)));
            }
        }
    }

    /// Every task, those that ask the same of several rows together.
    fn tasks(&mut self, record: &Record) {
        self.open("tasks", OPEN_TASKS, Shape::List);
        let head = [SHEET, COLUMN, TASK, ABOUT].map(|words| self.of(words));
        self.out.push_str("<thead>\n<tr>");
        for title in head {
            self.add(format_args!("<th scope=\"col\">{title}</th>"));
        }
        self.out.push_str("</tr>\n</thead>\n<tbody>\n");
        for (task, rows) in gathered(record) {
            let (sheet, column) = (self.of(task.sheet.title), self.of(task.column.title));
            self.add(format_args!(
                "<tr><td>{sheet}</td><td>{column}</td><td class=\"task\">{}</td><td>{}</td></tr>\n",
                escaped(task.text),
                escaped(&rows.join("\n"))
            ));
        }
        self.close();
    }

    fn notes(&mut self, record: &Record) {
        let title = self.of(NOTES);
        self.add(format_args!("<section id=\"notes\">\n<h2>{title}</h2>\n<ul class=\"notes\">\n"));
        for note in &record.notes {
            self.add(format_args!("<li>{}</li>\n", escaped(note)));
        }
        self.out.push_str("</ul>\n</section>\n");
    }

    /// A section with a table, which scrolls by itself and can be reached by keyboard.
    fn open(&mut self, key: &str, title: Words, shape: Shape) {
        let title = self.of(title);
        let class = match shape {
            Shape::Narrow => "narrow",
            Shape::List => "list",
            Shape::Wide => "wide",
        };
        self.add(format_args!(
            "<section id=\"{key}\">\n<h2 id=\"{key}-title\">{title}</h2>\n\
             <div class=\"scroll {class}\" role=\"region\" aria-labelledby=\"{key}-title\" tabindex=\"0\">\n<table>\n"
        ));
    }

    fn close(&mut self) {
        self.out.push_str("</tbody>\n</table>\n</div>\n</section>\n");
    }

    fn of(&self, words: Words) -> &'static str {
        words.of(self.language)
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.out.write_fmt(text);
    }
}

/// Tasks with the rows that they are about, in the order in which they come first.
fn gathered(record: &Record) -> Vec<(Task<'_>, Vec<&str>)> {
    let mut gathered: Vec<(Task<'_>, Vec<&str>)> = Vec::new();
    for task in record.tasks() {
        let same = |other: &Task<'_>| {
            (other.sheet.key, other.column.key, other.text) == (task.sheet.key, task.column.key, task.text)
        };
        match gathered.iter_mut().find(|(other, _)| same(other)) {
            Some((_, rows)) => rows.push(&task.row.title),
            None => gathered.push((task, vec![&task.row.title])),
        }
    }
    gathered
}

/// A text as HTML shows it, between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

const CONTENTS: Words = both("Contents", "目录");
const FILLED: Words = both("Cells that the policy fills in", "政策已载明的单元格");
const OPEN: Words = both("Cells for a person to fill in", "待人工填写的单元格");

/// More columns than this do not fit on paper.
const MOST_ON_PAPER: usize = 4;
/// Of a column's width in characters, this share is its width in em.
const WIDTH_SHARE: (u8, u8) = (1, 2);

const STYLE: &str = include_str!("page.css");
