//! Taking typed values out of TOML, with a finding for everything that is not as it should be. A getter gives `None`
//! when the key is absent (a finding already says so if it must be there) or wrong (a finding says that too).

use crate::code::Code;
use crate::finding::{At, Finding, Sink};
use crate::law;
use crate::period::Fault;
use crate::read::keys;
use crate::suggest::closest;
use crate::text::{LONGEST_BODY, LONGEST_TEXT, Language, Name, Text, is_hidden, quoted};
use crate::words::Word;
use jiff::civil::Date;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct S<T> {
    pub(crate) value: T,
    pub(crate) at: At,
}

/// What the readers share: the text, and where findings go.
pub(crate) struct Reading<'t> {
    pub(crate) text: &'t str,
    pub(crate) sink: &'t mut Sink,
    pub(crate) languages: Vec<Language>,
}

/// A table of the file, its keys already compared with the format's.
pub(crate) struct Table<'t> {
    /// How messages call it: `purpose.delivery`.
    path: String,
    /// Where it is named, or written.
    at: At,
    items: &'t DeTable<'t>,
}

/// How long a text for people may be, and whether it may have lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// One line.
    Line,
    /// Paragraphs.
    Body,
}

impl Extent {
    const fn longest(self) -> usize {
        match self {
            Self::Line => LONGEST_TEXT,
            Self::Body => LONGEST_BODY,
        }
    }

    fn hides(self, character: char) -> bool {
        is_hidden(character) && !(self == Self::Body && character == '\n')
    }
}

pub(crate) fn at<T>(spanned: &Spanned<T>) -> At {
    spanned.span().into()
}

impl Reading<'_> {
    pub(crate) fn add(&mut self, finding: Finding) {
        self.sink.add(finding);
    }

    fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, what: &str, takes: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let finding =
            Finding::new(Code::WrongType, at(value), format!("`{what}` takes {takes}, not {found}"));
        self.add(finding.here(format!("this is {found}")));
    }

    /// How a text in each language is written: `{ zh = "…", en = "…" }`.
    fn example(&self) -> String {
        let texts: Vec<_> = self.languages.iter().map(|language| format!("{language} = \"…\"")).collect();
        if texts.is_empty() { "{ en = \"…\" }".to_owned() } else { format!("{{ {} }}", texts.join(", ")) }
    }

    /// A name, declared or referred to.
    pub(crate) fn name(&mut self, text: &str, at: At, what: &str) -> Option<S<Name>> {
        let name = Name::parse(text);
        if name.is_none() {
            let finding = Finding::new(Code::BadName, at, format!("`{}` cannot name {what}", quoted(text)));
            self.add(finding.help("a name begins with a letter a-z and goes on with a-z, 0-9, `_` or `-`; at most 40 characters"));
        }
        name.map(|value| S { value, at })
    }

    /// A text for people, on one line: not empty, not long, nothing hidden in it.
    pub(crate) fn text_for_people(&mut self, text: &str, at: At, what: &str) -> Option<String> {
        self.text_of(Extent::Line, text, at, what)
    }

    fn text_of(&mut self, extent: Extent, text: &str, at: At, what: &str) -> Option<String> {
        let longest = extent.longest();
        let (wrong, help) = if text.trim().is_empty() {
            ("is empty", "people read this; say it in a few words".to_owned())
        } else if text.chars().count() > longest {
            ("is too long", format!("at most {longest} characters; this has {}", text.chars().count()))
        } else if let Some(hidden) = text.chars().find(|character| extent.hides(*character)) {
            (
                "holds a hidden character",
                format!(
                    "take out U+{:04X}: it would not show, or would move other characters about",
                    u32::from(hidden)
                ),
            )
        } else {
            return Some(text.to_owned());
        };
        self.add(Finding::new(Code::BadText, at, format!("{what} {wrong}")).help(help));
        None
    }

    /// The finding for a text that is a small language of its own; its fault's place is within the text.
    pub(crate) fn fault(&mut self, fault: Fault, written: &S<&str>) {
        let place = self.within(written, &fault.at);
        self.add(Finding::new(fault.code, place, fault.message).help(fault.help));
    }

    /// Where in the file a part of a text stands. A text with escapes has no such place; then all of it is marked.
    pub(crate) fn within(&self, written: &S<&str>, part: &Range<usize>) -> At {
        let inside = written.at.start + 1;
        let verbatim = self.text.get(inside..written.at.end.saturating_sub(1)) == Some(written.value);
        if verbatim { At { start: inside + part.start, end: inside + part.end } } else { written.at }
    }

    /// One of the words of a fixed list.
    pub(crate) fn word_of<W: Word>(&mut self, text: &S<&str>) -> Option<S<W>> {
        let word = W::parse(text.value);
        if word.is_none() {
            let message = format!("`{}` is not {}", quoted(text.value), W::WHAT);
            let mut finding = Finding::new(Code::UnknownWord, text.at, message);
            let all = || W::WORDS.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            finding.help = Some(
                self.did_you_mean(text.value, W::WORDS.iter().copied())
                    .unwrap_or_else(|| format!("one of {}", all())),
            );
            self.add(finding);
        }
        word.map(|value| S { value, at: text.at })
    }

    /// `meant` and what to write instead, when something near is known.
    pub(crate) fn did_you_mean<'c>(
        &self,
        written: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<String> {
        if !self.sink.is_patient() {
            return None;
        }
        closest(written, candidates).map(|meant| format!("did you mean `{meant}`?"))
    }
}

impl<'t> Table<'t> {
    /// The table in a value, its keys compared with those of `shape`.
    pub(crate) fn open(
        value: &'t Spanned<DeValue<'t>>,
        named_at: At,
        path: impl Into<String>,
        shape: &'static str,
        reading: &mut Reading<'_>,
    ) -> Option<Self> {
        let path = path.into();
        let Some(items) = value.get_ref().as_table() else {
            reading.wrong_type(value, &path, "a table");
            return None;
        };
        let table = Self { path, at: named_at, items };
        table.compare_keys(shape, reading);
        Some(table)
    }

    /// The whole file as a table.
    pub(crate) fn root(items: &'t DeTable<'t>, reading: &mut Reading<'_>) -> Self {
        let table = Self { path: String::new(), at: At::default(), items };
        table.compare_keys("", reading);
        table
    }

    fn compare_keys(&self, shape: &'static str, reading: &mut Reading<'_>) {
        let place = if self.path.is_empty() { "the file".to_owned() } else { format!("`{}`", self.path) };
        for key in self.items.keys() {
            let known = keys::of_table(shape);
            if known.clone().any(|known| known.key == key.get_ref()) {
                continue;
            }
            let message = format!("{place} has no key `{}`", quoted(key.get_ref()));
            let mut finding = Finding::new(Code::UnknownKey, at(key), message);
            let names = || known.clone().map(|known| known.key);
            finding.help = Some(match reading.did_you_mean(key.get_ref(), names()) {
                Some(meant) => meant,
                None => format!(
                    "it takes {}",
                    names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                ),
            });
            reading.add(finding);
        }
        for key in keys::of_table(shape).filter(|key| key.default.is_none()) {
            // How long is worth a finding of its own: it rests on law.
            let told_elsewhere = matches!((shape, key.key), ("purpose", "keep" | "fields"));
            if !told_elsewhere && self.find(key.key).is_none() {
                let code = if (shape, key.key) == ("", "format") { Code::Format } else { Code::MissingKey };
                let finding = Finding::new(code, self.at, format!("{place} has no `{}`", key.key));
                reading.add(finding.help(match (shape, key.key, key.takes) {
                    ("", "format", _) => "begin the file with `format = 1`".to_owned(),
                    ("", name, _) => format!("add a table `[{name}]`"),
                    (_, name, "a table") => format!("add `{name} = {{ … }}`"),
                    (_, name, "a text in each language" | "a body in each language") => {
                        format!("add `{name} = {}`", reading.example())
                    }
                    (_, name, takes) => format!("add `{name} = …`: {takes}"),
                }));
            }
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// How messages call a key of this table.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key, whatever it is.
    pub(crate) fn find(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.items.get(key)
    }

    /// Where a key's own name is written.
    pub(crate) fn key_at(&self, key: &str) -> At {
        self.items.keys().find(|found| found.get_ref() == key).map_or(self.at, at)
    }

    /// A text of any kind.
    pub(crate) fn string(&self, key: &str, takes: &str, reading: &mut Reading<'_>) -> Option<S<&'t str>> {
        let value = self.find(key)?;
        if let Some(text) = value.get_ref().as_str() {
            return Some(S { value: text, at: at(value) });
        }
        reading.wrong_type(value, &self.path_of(key), takes);
        None
    }

    /// One of the words of a fixed list.
    pub(crate) fn word<W: Word>(&self, key: &str, reading: &mut Reading<'_>) -> Option<S<W>> {
        let text = self.string(key, W::WHAT, reading)?;
        reading.word_of(&text)
    }

    /// The entries of a table whose keys are the shop's to choose, or none where it is not a table.
    pub(crate) fn entries(
        &self,
        key: &str,
        reading: &mut Reading<'_>,
    ) -> Vec<(S<&'t str>, &'t Spanned<DeValue<'t>>)> {
        let Some(value) = self.find(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_table() else {
            reading.wrong_type(value, &self.path_of(key), "a table");
            return Vec::new();
        };
        items
            .iter()
            .map(|(name, value)| (S { value: name.get_ref().as_ref(), at: at(name) }, value))
            .collect()
    }

    /// A whole number, 0 or more.
    pub(crate) fn count(&self, key: &str, reading: &mut Reading<'_>) -> Option<S<u64>> {
        let value = self.find(key)?;
        let written = value.get_ref().as_integer();
        let count = written.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        if count.is_none() {
            reading.wrong_type(value, &self.path_of(key), "a whole number, 0 or more");
        }
        count.map(|count| S { value: count, at: at(value) })
    }

    pub(crate) fn boolean(&self, key: &str, reading: &mut Reading<'_>) -> Option<S<bool>> {
        let value = self.find(key)?;
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            reading.wrong_type(value, &self.path_of(key), "`true` or `false`");
        }
        truth.map(|truth| S { value: truth, at: at(value) })
    }

    /// A day, written without quotation marks: `2026-11-22`.
    pub(crate) fn date(&self, key: &str, reading: &mut Reading<'_>) -> Option<S<Date>> {
        let value = self.find(key)?;
        let Some(written) = value.get_ref().as_datetime() else {
            reading.wrong_type(
                value,
                &self.path_of(key),
                "a date without quotation marks, such as `2026-11-22`",
            );
            return None;
        };
        let date =
            written.date.filter(|_| written.time.is_none() && written.offset.is_none()).and_then(|date| {
                let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
                Date::new(i16::try_from(date.year).ok()?, month, day).ok()
            });
        if date.is_none() {
            let message = format!("`{}` takes a day, without a time", self.path_of(key));
            reading.add(Finding::new(Code::WrongType, at(value), message).help("write it as `2026-11-22`"));
        }
        date.map(|date| S { value: date, at: at(value) })
    }

    /// A list of anything.
    pub(crate) fn list(
        &self,
        key: &str,
        takes: &str,
        reading: &mut Reading<'_>,
    ) -> Option<Vec<&'t Spanned<DeValue<'t>>>> {
        let value = self.find(key)?;
        if let Some(list) = value.get_ref().as_array() {
            return Some(list.iter().collect());
        }
        reading.wrong_type(value, &self.path_of(key), takes);
        None
    }

    /// A list of texts without one twice.
    pub(crate) fn strings(&self, key: &str, takes: &str, reading: &mut Reading<'_>) -> Vec<S<&'t str>> {
        let mut found: Vec<S<&str>> = Vec::new();
        let mut seen = std::collections::BTreeMap::new();
        for value in self.list(key, takes, reading).unwrap_or_default() {
            let Some(text) = value.get_ref().as_str() else {
                reading.wrong_type(value, &format!("an entry of {}", self.path_of(key)), "a text");
                continue;
            };
            if let Some(before) = seen.insert(text, at(value)) {
                reading.add(duplicate(text, at(value), before, &self.path_of(key)));
            } else {
                found.push(S { value: text, at: at(value) });
            }
        }
        found
    }

    /// A list of names without one twice, at most `most`.
    pub(crate) fn names(
        &self,
        key: &str,
        what: &str,
        most: usize,
        reading: &mut Reading<'_>,
    ) -> Vec<S<Name>> {
        let texts = self.strings(key, "a list of names", reading);
        self.limit(key, texts.len(), most, reading);
        texts.iter().filter_map(|text| reading.name(text.value, text.at, what)).collect()
    }

    /// A finding if a list or set of tables has more entries than it may.
    pub(crate) fn limit(&self, key: &str, count: usize, most: usize, reading: &mut Reading<'_>) {
        if count > most {
            let message = format!("`{}` has {count} entries", self.path_of(key));
            reading.add(
                Finding::new(Code::TooMany, self.key_at(key), message)
                    .help(format!("at most {most} are possible")),
            );
        }
    }

    /// A text of the shop's own, in no particular language.
    pub(crate) fn words(&self, key: &str, reading: &mut Reading<'_>) -> Option<String> {
        let text = self.string(key, "a text", reading)?;
        reading.text_for_people(text.value, text.at, &format!("`{}`", self.path_of(key)))
    }

    /// A text for people in each language of the shop.
    pub(crate) fn texts(&self, key: &str, reading: &mut Reading<'_>) -> Option<Text> {
        self.in_each_language(Extent::Line, key, reading)
    }

    /// A text of several paragraphs in each language of the shop.
    pub(crate) fn bodies(&self, key: &str, reading: &mut Reading<'_>) -> Option<Text> {
        self.in_each_language(Extent::Body, key, reading)
    }

    fn in_each_language(&self, extent: Extent, key: &str, reading: &mut Reading<'_>) -> Option<Text> {
        let value = self.find(key)?;
        let path = self.path_of(key);
        let Some(items) = value.get_ref().as_table() else {
            let takes = format!("a text in each language, `{}`", reading.example());
            reading.wrong_type(value, &path, &takes);
            return None;
        };
        for language in items.keys() {
            let listed = reading.languages.iter().any(|known| known.as_str() == language.get_ref());
            if !listed && !reading.languages.is_empty() {
                let message = format!(
                    "`{path}` has a text in `{}`, which the shop does not list",
                    quoted(language.get_ref())
                );
                let known: Vec<_> = reading.languages.iter().map(Language::as_str).collect();
                let help = format!("`shop.languages` lists {}", known.join(", "));
                reading.add(Finding::new(Code::OtherLanguage, at(language), message).help(help));
            }
        }
        let mut missing = Vec::new();
        let mut texts = Vec::new();
        for language in reading.languages.clone() {
            let Some(text) = items.get(language.as_str()) else {
                missing.push(format!("`{language}`"));
                continue;
            };
            let what = format!("`{path}` in `{language}`");
            if let Some(words) = text.get_ref().as_str() {
                texts.extend(reading.text_of(extent, words, at(text), &what).map(|words| (language, words)));
            } else {
                reading.wrong_type(text, &what, "a text");
            }
        }
        if !missing.is_empty() {
            let message = format!("`{path}` is not said in {}", missing.join(", "));
            let finding = Finding::new(Code::Untranslated, at(value), message);
            let help = "every text for people exists in each language of `shop.languages`";
            reading.add(finding.help(help).cite(law::NOTICE));
            return None;
        }
        Some(Text::new(texts))
    }
}

pub(crate) fn duplicate(text: &str, at: At, before: At, path: &str) -> Finding {
    Finding::new(Code::Duplicate, at, format!("`{}` is listed twice in `{path}`", quoted(text)))
        .here("again here")
        .also(before, "first here")
        .help("take one of them out")
}
