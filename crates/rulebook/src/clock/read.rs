//! How a calendar is read from its file, and what is refused.
//!
//! ```toml
//! id = "xx"
//! name = { en = "Example", zh = "示例" }
//! source = "Public Holidays Act, s. 2"
//! confidence = "unverified"           # verified, secondary, unverified
//! weekend = ["saturday", "sunday"]
//! coverage = "listed"                 # or "computed": the rules hold for every year
//! make_up_days = "possible"           # the default; or "never"
//! rules = [
//!     { on = "01-01", name = "New Year", on_weekend = "next_weekday", from = 2001, until = 2040, except = [2022] },
//! ]
//!
//! [year.2026]
//! published = true
//! source = "notice of 2025-11-04"     # of this year; likewise its own confidence
//! off = ["2026-02-15..2026-02-23 Spring Festival", "2026-10-01"]
//! working = ["2026-02-14"]
//! ```
//!
//! In a computed calendar a year's days are added to those of the rules, and `published = false` makes the year unknown. In
//! a listed one a published year is complete by itself; the rules, and what is said of years not yet published, only serve
//! the estimate.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use jiff::civil::{self, Date};
use serde::Deserialize;

use super::calendar::{
    Calendar, CalendarId, FIRST_YEAR, LAST_YEAR, MakeUp, Names, Unknown, Weekend, YearTable,
};
use super::days::Draft;
use super::rule::{Moves, On, Rule, RuleFault, holidays, weekday_of};
use crate::pack::Confidence;

/// Why a calendar cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`: {flaw}")]
pub struct CalendarFault {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What can be wrong with a calendar's file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not TOML, or keys and values that a calendar does not have.
    #[error("line {line}: {message}")]
    Form {
        /// Where, from 1.
        line: usize,
        /// What the reader says.
        message: String,
    },
    /// The id has other characters, or is not what the file is called.
    #[error("the id `{0}` has to be what the file is called, in small letters, digits and hyphens")]
    Id(String),
    /// A text that has to say something is empty.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// A weekday that is not one, or is named twice, or that leaves no working day.
    #[error("the weekend has to name some weekdays, each once, such as `saturday`")]
    Weekend,
    /// A rule that does not say when.
    #[error("the rule `{on}`: {fault}")]
    Rule {
        /// As it is written.
        on: String,
        /// Why.
        fault: RuleFault,
    },
    /// A year that a calendar does not reach.
    #[error("`{0}` is not a year from {FIRST_YEAR} to {LAST_YEAR}")]
    Year(String),
    /// A date or range that does not exist.
    #[error("`{0}` is not a date that exists, nor two of them in order (`2026-10-01..2026-10-07`)")]
    Date(String),
    /// A date that stands under another year.
    #[error("{day} stands under {year}")]
    OutsideYear {
        /// The date.
        day: Date,
        /// The year.
        year: i16,
    },
    /// A date that is given twice.
    #[error("{0} is given twice")]
    Twice(Date),
    /// A date that is both.
    #[error("{0} is both off and working")]
    OffAndWorking(Date),
    /// A make-up working day that works anyway.
    #[error("{0} is a working day that is no day of the weekend")]
    NotOfTheWeekend(Date),
    /// A make-up working day in a calendar that has none.
    #[error("{0} works, but this calendar says that it has no make-up days")]
    NoMakeUp(Date),
    /// A make-up working day that the rules make a holiday.
    #[error("{day} is a working day and, by a rule, `{name}`")]
    HolidayWorks {
        /// The date.
        day: Date,
        /// The holiday.
        name: String,
    },
}

impl Calendar {
    /// Reads a calendar.
    ///
    /// *Takes* the file's name, `cn.toml`, for messages and for the id, and its text. *Fails* with the first flaw.
    pub fn parse(file: &str, text: &str) -> Result<Calendar, CalendarFault> {
        read(file, text).map_err(|flaw| CalendarFault { file: file.to_owned(), flaw })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    name: Names,
    source: String,
    confidence: Confidence,
    weekend: Vec<String>,
    coverage: Coverage,
    #[serde(default)]
    make_up_days: MakeUp,
    #[serde(default)]
    rules: Vec<RuleDraft>,
    #[serde(default)]
    year: BTreeMap<String, YearDraft>,
}

/// What makes a year known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Coverage {
    /// The rules.
    Computed,
    /// That it is published.
    Listed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleDraft {
    on: String,
    name: String,
    #[serde(default)]
    on_weekend: Moves,
    from: Option<i16>,
    until: Option<i16>,
    #[serde(default)]
    except: Vec<i16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct YearDraft {
    published: bool,
    source: Option<String>,
    confidence: Option<Confidence>,
    #[serde(default)]
    off: Vec<String>,
    #[serde(default)]
    working: Vec<String>,
}

fn read(file: &str, text: &str) -> Result<Calendar, Flaw> {
    let draft: Written = toml::from_str(text).map_err(|fault| Flaw::Form {
        line: fault.span().map_or(1, |span| line_of(text, span.start)),
        message: fault.message().to_owned(),
    })?;
    let id = CalendarId::parse(&draft.id).filter(|id| file.strip_suffix(".toml") == Some(id.as_str()));
    let id = id.ok_or_else(|| Flaw::Id(draft.id.clone()))?;
    for (key, value) in [("name.en", &draft.name.en), ("name.zh", &draft.name.zh), ("source", &draft.source)]
    {
        if value.trim().is_empty() {
            return Err(Flaw::Empty(key));
        }
    }
    let weekend: Option<Vec<_>> = draft.weekend.iter().map(|day| weekday_of(day)).collect();
    let weekend = weekend.and_then(|days| Weekend::of(&days)).ok_or(Flaw::Weekend)?;
    let rules = draft.rules.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;

    let mut unknown = Unknown::default();
    if draft.coverage == Coverage::Listed {
        for year in FIRST_YEAR..=LAST_YEAR {
            unknown.set(year, true);
        }
    }
    let mut lists = Lists::default();
    let mut years = Vec::new();
    for (number, year) in draft.year {
        let table = lists.read(&number, &year, weekend)?;
        unknown.set(table.number, !year.published);
        years.push(table);
    }
    if let (MakeUp::Never, Some(day)) = (draft.make_up_days, lists.working.first()) {
        return Err(Flaw::NoMakeUp(*day));
    }

    let by_rule = holidays(&rules, weekend, FIRST_YEAR - 1..=LAST_YEAR + 1);
    let complete = |day: Date| draft.coverage == Coverage::Listed && !unknown.has(day.year());
    let ruled = |day: Date| by_rule.get(&day).filter(|_| !complete(day));
    if let Some((day, number)) = lists.working.iter().find_map(|day| Some((*day, *ruled(*day)?))) {
        let name = rules.get(number).map(|rule| rule.name.clone()).unwrap_or_default();
        return Err(Flaw::HolidayWorks { day, name });
    }
    let mut works = Draft::weekly(|day| !weekend.has(day));
    for day in by_rule.keys().filter(|day| !complete(**day)).chain(&lists.off) {
        works.put(*day, false);
    }
    for day in &lists.working {
        works.put(*day, true);
    }
    let works = works.counted();
    let may_work = (!unknown.is_empty()).then(|| {
        let mut may_work = Draft::weekly(|day| draft.make_up_days == MakeUp::Possible || !weekend.has(day));
        for year in (FIRST_YEAR..=LAST_YEAR).filter(|year| !unknown.has(*year)) {
            for day in each(&(civil::date(year, 1, 1)..=civil::date(year, 12, 31))) {
                may_work.put(day, works.has(day).unwrap_or(false));
            }
        }
        may_work.counted()
    });
    let (names, source, confidence, coverage) = (draft.name, draft.source, draft.confidence, draft.coverage);
    Ok(Calendar { id, names, source, confidence, weekend, coverage, rules, years, works, may_work, unknown })
}

fn rule(draft: RuleDraft) -> Result<Rule, Flaw> {
    let (from, until) = (draft.from.unwrap_or(i16::MIN), draft.until.unwrap_or(i16::MAX));
    let on = if from <= until { draft.on.parse::<On>() } else { Err(RuleFault::NoYears) };
    let on = on.map_err(|fault| Flaw::Rule { on: draft.on, fault })?;
    if draft.name.trim().is_empty() {
        return Err(Flaw::Empty("name of a rule"));
    }
    Ok(Rule { name: draft.name, on, moves: draft.on_weekend, from, until, except: draft.except })
}

/// The dates that the years of a file list.
#[derive(Default)]
struct Lists {
    off: BTreeSet<Date>,
    working: BTreeSet<Date>,
}

impl Lists {
    fn read(&mut self, number: &str, draft: &YearDraft, weekend: Weekend) -> Result<YearTable, Flaw> {
        let year = number.parse().ok().filter(|_| number.len() == 4);
        let year = year.filter(|year| (FIRST_YEAR..=LAST_YEAR).contains(year));
        let year: i16 = year.ok_or_else(|| Flaw::Year(number.to_owned()))?;
        let mut off = Vec::new();
        for text in &draft.off {
            let (days, name) = range(text)?;
            for day in each(&days) {
                within(day, year)?;
                if !self.off.insert(day) {
                    return Err(Flaw::Twice(day));
                }
            }
            off.push((days, name));
        }
        for text in &draft.working {
            for day in each(&range(text)?.0) {
                within(day, year)?;
                if self.off.contains(&day) {
                    return Err(Flaw::OffAndWorking(day));
                }
                if !weekend.has(day.weekday()) {
                    return Err(Flaw::NotOfTheWeekend(day));
                }
                if !self.working.insert(day) {
                    return Err(Flaw::Twice(day));
                }
            }
        }
        Ok(YearTable { number: year, source: draft.source.clone(), confidence: draft.confidence, off })
    }
}

/// `2026-10-01`, `2026-10-01..2026-10-07`, either with a name behind a blank.
fn range(text: &str) -> Result<(RangeInclusive<Date>, Option<String>), Flaw> {
    let bad = || Flaw::Date(text.to_owned());
    let (days, name) = text.split_once(' ').map_or((text, None), |(days, name)| (days, Some(name)));
    let (first, last) = days.split_once("..").unwrap_or((days, days));
    let (first, last) = (date(first).ok_or_else(bad)?, date(last).ok_or_else(bad)?);
    let short = first <= last && last.duration_since(first).as_hours() < 24 * 366;
    let name = name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    if short { Ok((first..=last, name)) } else { Err(bad()) }
}

fn date(text: &str) -> Option<Date> {
    // Ten characters: jiff reads more forms than a file may have.
    text.parse().ok().filter(|_| text.len() == 10)
}

fn within(day: Date, year: i16) -> Result<(), Flaw> {
    if day.year() == year { Ok(()) } else { Err(Flaw::OutsideYear { day, year }) }
}

fn each(days: &RangeInclusive<Date>) -> impl Iterator<Item = Date> + use<> {
    let last = *days.end();
    std::iter::successors(Some(*days.start()), |day| day.tomorrow().ok()).take_while(move |day| *day <= last)
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
