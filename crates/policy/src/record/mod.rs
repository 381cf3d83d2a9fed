//! The record of processing activities: what an officer keeps by GDPR 30, or as China's 个人信息处理活动台账, drawn up from
//! the policy alone.
//!
//! Nothing is invented. What the policy says is [`Cell::Known`]; what a record has to say and the policy does not is a
//! [`Cell::Task`] for a person, and all tasks stand once more at the end ([`Record::tasks`]). So an empty cell cannot be
//! overlooked, and a filled one can be looked up in the file.
//!
//! A record is made in one language and for one law; [`Record::to_json`] and [`Record::to_html`] write it down, and
//! [`Record::tables`] gives it as tables of plain text, for a workbook.

mod cites;
mod cn;
mod gdpr;
mod general;
mod html;
mod json;
mod processor;
mod purpose;
mod recipients;
mod scribe;
mod tables;
pub(crate) mod words;

use crate::law::Citation;
use crate::model::Policy;
pub use html::escaped;
use jiff::civil::Date;
use scribe::Scribe;
pub use tables::Table;
pub use words::{Words, basis as words_of_basis};

/// The law whose record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// GDPR, Article 30.
    Gdpr30,
    /// China: PIPL 55 and 56, the Network Data Security Management Regulations 12.
    Cn,
}

impl Law {
    /// The word for it: `gdpr-30`, `cn`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gdpr30 => "gdpr-30",
            Self::Cn => "cn",
        }
    }
}

/// The language that a record is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Chinese in simplified characters.
    Zh,
}

impl Language {
    /// The word for it: `en`, `zh`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of the fixed words beside texts in a language, by its tag: Chinese for `zh` and its kin, else English.
    pub fn beside(tag: &str) -> Self {
        if tag == "zh" || tag.starts_with("zh-") { Self::Zh } else { Self::En }
    }

    /// Its tag (BCP 47), as pages say it: `en`, `zh-CN`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }
}

/// The name of a country for people: in Chinese for `zh` and its kin, else in English; its code where it has none.
pub fn country_name<'p>(place: &'p crate::text::Place, language: &str) -> &'p str {
    words::country(place.country(), Language::beside(language))
}

/// What a language calls itself, by its tag; the tag itself where that is not known.
pub fn own_name(tag: &str) -> &str {
    let is_of =
        |kin: &str| tag.strip_prefix(kin).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    OWN_NAMES.iter().find(|(kin, _)| is_of(kin)).map_or(tag, |(_, name)| name)
}

/// Languages of shops' customers, those of a writing before those of its kin.
const OWN_NAMES: &[(&str, &str)] = &[
    ("zh-Hant", "繁體中文"),
    ("zh-TW", "繁體中文"),
    ("zh-HK", "繁體中文"),
    ("zh", "中文"),
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("id", "Bahasa Indonesia"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("ms", "Bahasa Melayu"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ru", "Русский"),
    ("th", "ไทย"),
    ("vi", "Tiếng Việt"),
];

/// A record of processing activities.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The law whose record it is.
    pub law: Law,
    /// The language it is written in.
    pub language: Language,
    /// The shop's id.
    pub shop: String,
    /// The shop's name, in that language.
    pub shop_name: String,
    /// The day as of which it was made: agreements and reviews are judged by it.
    pub made_on: Date,
    /// When a person last read the policy that it is drawn up from.
    pub reviewed: Date,
    /// The sheets, in the order in which an officer reads them.
    pub sheets: Vec<Sheet>,
    /// What whoever relies on it has to know.
    pub notes: Vec<String>,
}

/// One sheet of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// What it is called in programs: `activities`.
    pub key: &'static str,
    /// What it is called for people.
    pub title: Words,
    /// Its columns, from the left.
    pub columns: Vec<Column>,
    /// Its rows; one for each of what it is about.
    pub rows: Vec<Row>,
}

/// One column of a sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// What it is called in programs: `retention`.
    pub key: &'static str,
    /// What it is called for people.
    pub title: Words,
    /// The articles for which it is there.
    pub cites: &'static [Citation],
    /// How wide it is, in characters.
    pub width: u8,
}

/// One row of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about: the name of a purpose or of a recipient in the policy, or of an item of the sheet.
    pub key: String,
    /// The same for people.
    pub title: String,
    /// A cell for each column.
    pub cells: Vec<Cell>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// What the policy says.
    Known(String),
    /// What it does not say, and a person has to.
    Task(String),
}

/// A cell that a person has to fill in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task<'a> {
    /// The sheet that it is on.
    pub sheet: &'a Sheet,
    /// The row.
    pub row: &'a Row,
    /// The column.
    pub column: &'a Column,
    /// What has to be filled in.
    pub text: &'a str,
}

impl Record {
    /// The record that a policy makes for one law.
    ///
    /// *Takes* the policy, the law, the language to write in, and the day as of which agreements and reviews are judged.
    /// *Gives* every cell either from the policy or as a task. It cannot fail.
    pub fn of(policy: &Policy, law: Law, language: Language, today: Date) -> Self {
        let scribe = Scribe { policy, law, language, today };
        let activities = match law {
            Law::Gdpr30 => gdpr::sheet(&scribe),
            Law::Cn => cn::sheet(&scribe),
        };
        let sheets =
            vec![general::sheet(&scribe), activities, recipients::sheet(&scribe), processor::sheet(&scribe)];
        Self {
            law,
            language,
            shop: policy.shop.id.clone(),
            shop_name: scribe.text(&policy.shop.name).to_owned(),
            made_on: today,
            reviewed: policy.shop.reviewed,
            notes: general::notes(&scribe, &sheets),
            sheets,
        }
    }

    /// What it is, for people.
    pub fn title(&self) -> &'static str {
        let title = match self.law {
            Law::Gdpr30 => Words {
                en: "Record of processing activities (GDPR, Article 30)",
                zh: "处理活动记录（GDPR第30条）",
            },
            Law::Cn => {
                Words { en: "Record of processing activities (China)", zh: "个人信息处理活动台账" }
            }
        };
        title.of(self.language)
    }

    /// Every cell that a person has to fill in, in the order of the sheets.
    pub fn tasks(&self) -> impl Iterator<Item = Task<'_>> {
        self.sheets.iter().flat_map(|sheet| {
            sheet.rows.iter().flat_map(move |row| {
                sheet.columns.iter().zip(&row.cells).filter_map(move |(column, cell)| match cell {
                    Cell::Known(_) => None,
                    Cell::Task(text) => Some(Task { sheet, row, column, text }),
                })
            })
        })
    }

    /// How many cells the policy has filled in.
    pub fn count_known(&self) -> usize {
        let cells = self.sheets.iter().flat_map(|sheet| &sheet.rows).flat_map(|row| &row.cells);
        cells.filter(|cell| matches!(cell, Cell::Known(_))).count()
    }
}

impl Cell {
    /// What stands in the cell for people: a task says that it is one.
    pub fn shown(&self, language: Language) -> String {
        match (self, language) {
            (Self::Known(text), _) => text.clone(),
            (Self::Task(text), Language::En) => format!("{}: {text}", TO_FILL_IN.en),
            (Self::Task(text), Language::Zh) => format!("{}：{text}", TO_FILL_IN.zh),
        }
    }
}

/// What a task begins with.
const TO_FILL_IN: Words = Words { en: "To be filled in by a person", zh: "待人工填写" };

/// A column, and what fills it for whatever the rows of its sheet are about.
struct Filled<T> {
    column: Column,
    fill: fn(&Scribe<'_>, &T) -> Cell,
}

/// A column that is filled by a function.
const fn filled<T>(
    key: &'static str,
    title: Words,
    cites: &'static [Citation],
    width: u8,
    fill: fn(&Scribe<'_>, &T) -> Cell,
) -> Filled<T> {
    Filled { column: Column { key, title, cites, width }, fill }
}

/// English and Chinese.
pub(crate) const fn both(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

/// One row: every column filled for this.
fn row<T>(scribe: &Scribe<'_>, columns: &[Filled<T>], key: &str, title: &str, about: &T) -> Row {
    Row {
        key: key.to_owned(),
        title: title.to_owned(),
        cells: columns.iter().map(|column| (column.fill)(scribe, about)).collect(),
    }
}
