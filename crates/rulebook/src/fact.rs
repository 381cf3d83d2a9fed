//! Facts: what an answer rests on. Each has a name, a kind, and the question that is put to a person who has not given it.

use jiff::civil::Date;
use serde::Serialize;

use crate::clock::Moment;

/// The same in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// Says the same in both languages.
pub(crate) const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

/// What kind of thing a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no: `true`, `false`.
    Flag,
    /// How many: a whole number, 0 or more.
    Count,
    /// A day: `2026-03-02`.
    Day,
    /// An instant with its offset, `2026-03-02T09:00:00+08:00`, or a day, where the clock that runs from it counts days.
    Moment,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of some of these words.
    Words(&'static [&'static str]),
}

/// A fact that a question knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its name in facts and conditions.
    pub name: &'static str,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What a person is asked who has not given it.
    pub asks: Text,
}

/// The value of a fact. Words are numbers in the fact's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a flag.
    Flag(bool),
    /// Of a count.
    Count(u64),
    /// Of a day or a moment.
    Moment(When),
    /// Of one word.
    Word(u32),
    /// Of a list of words, one bit each.
    Words(u64),
}

/// A moment, and the day that it falls on where the law applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    moment: Moment,
    day: Date,
}

impl When {
    /// The moment as it was given.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// Its day in the zone in which it is asked.
    pub fn day(&self) -> Date {
        self.day
    }
}

/// The facts of a question, as far as they are known.
#[derive(Clone, Debug)]
pub struct Facts {
    known: &'static [&'static Fact],
    values: Vec<Option<Value>>,
}

/// A fact that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{fact}`: {what}")]
pub struct BadFact {
    /// Its name.
    pub fact: String,
    /// What is wrong with it. Never the value.
    pub what: String,
}

/// More people than there are is a slip of the pen.
const MOST: u64 = 1_000_000_000_000;

impl Facts {
    /// None known yet.
    pub fn none(known: &'static [&'static Fact]) -> Facts {
        Facts { known, values: vec![None; known.len()] }
    }

    /// Reads facts as JSON gives them, by name; `null` is not known.
    ///
    /// Fails: on a name that the question does not have, and on a value that is not of its kind: a number below 0, 31 February,
    /// a word that is not in the list.
    pub fn read(
        known: &'static [&'static Fact],
        given: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Facts, BadFact> {
        let mut facts = Facts::none(known);
        for (name, value) in given {
            facts.set(name, value)?;
        }
        Ok(facts)
    }

    /// Sets one fact as JSON gives it.
    pub fn set(&mut self, name: &str, given: &serde_json::Value) -> Result<(), BadFact> {
        let bad = |what: String| BadFact { fact: name.to_owned(), what };
        let Some(number) = self.known.iter().position(|fact| fact.name == name) else {
            let meant = closest(name, self.known.iter().map(|fact| fact.name));
            return Err(bad(format!("the question has no such fact{meant}")));
        };
        let (Some(fact), Some(slot)) = (self.known.get(number), self.values.get_mut(number)) else {
            return Ok(());
        };
        *slot = if given.is_null() { None } else { Some(value_of(fact.kind, given).map_err(bad)?) };
        Ok(())
    }

    /// The value of the fact with this number; `None` when it is not known.
    pub fn at(&self, number: usize) -> Option<&Value> {
        self.values.get(number)?.as_ref()
    }

    /// Puts days in the zone in which a law is asked.
    pub(crate) fn in_zone(&mut self, zone: &jiff::tz::TimeZone) {
        for value in self.values.iter_mut().flatten() {
            if let Value::Moment(when) = value {
                when.day = when.moment.date(zone);
            }
        }
    }

    /// Are some of them instants? Their day depends on the zone.
    pub(crate) fn has_instants(&self) -> bool {
        self.values
            .iter()
            .flatten()
            .any(|value| matches!(value, Value::Moment(When { moment: Moment::Instant(_), .. })))
    }
}

fn value_of(kind: Kind, given: &serde_json::Value) -> Result<Value, String> {
    let text = || given.as_str().ok_or_else(|| "a text is expected".to_owned());
    match kind {
        Kind::Flag => {
            given.as_bool().map(Value::Flag).ok_or_else(|| "`true` or `false` is expected".to_owned())
        }
        Kind::Count => match given.as_u64() {
            Some(count) if count <= MOST => Ok(Value::Count(count)),
            _ => Err("a whole number from 0 to a million million is expected".to_owned()),
        },
        Kind::Day => {
            let day: Date = text()?.parse().map_err(|_| "a day like `2026-03-02` is expected".to_owned())?;
            Ok(Value::Moment(When { moment: Moment::Date(day), day }))
        }
        Kind::Moment => {
            let moment = moment_of(text()?).ok_or_else(|| {
                "an instant with its offset like `2026-03-02T09:00:00+08:00`, or a day, is expected"
                    .to_owned()
            })?;
            Ok(Value::Moment(When { moment, day: moment.date(&jiff::tz::TimeZone::UTC) }))
        }
        Kind::Word(known) => {
            let number = number_of(text()?, known)?;
            Ok(Value::Word(number))
        }
        Kind::Words(known) => {
            let list = given.as_array().ok_or_else(|| "a list of words is expected".to_owned())?;
            let mut bits = 0_u64;
            for word in list {
                let word = word.as_str().ok_or_else(|| "a list of words is expected".to_owned())?;
                bits |= 1 << number_of(word, known)?;
            }
            Ok(Value::Words(bits))
        }
    }
}

/// An instant or a day. What has a time of day and no offset is neither: nobody knows when that was.
fn moment_of(text: &str) -> Option<Moment> {
    if text.len() <= "2026-03-02".len() {
        return text.parse::<Date>().ok().map(Moment::Date);
    }
    text.parse::<jiff::Timestamp>().ok().map(Moment::Instant)
}

fn number_of(word: &str, known: &'static [&'static str]) -> Result<u32, String> {
    let number = known.iter().position(|known| *known == word).and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| format!("one of {} is expected", known.join(", ")))
}

/// The nearest of some names, as the end of a sentence: `; did you mean …?`, or nothing.
pub(crate) fn closest(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    // No name is that long, and comparing costs the product of both lengths.
    if name.len() > 64 {
        return String::new();
    }
    let nearest = known.map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= 2.max(name.len() / 3) => format!("; did you mean `{known}`?"),
        _ => String::new(),
    }
}
