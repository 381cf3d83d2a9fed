//! The mapping file of an import: which column is which field. What it does not name is dropped at the door.

use std::collections::{BTreeMap, HashMap};

use policy::{CompiledKind, FieldKind, Home};
use serde::Deserialize;

use super::cells::{Epoch, Reading, Use};
use super::encoding::Encoding;
use crate::choose::Said;
use crate::ground::clock::DAY;
use crate::ground::{InForce, Problem};

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    #[serde(default)]
    encoding: Option<Encoding>,
    #[serde(default)]
    sheet: Option<String>,
    #[serde(default)]
    header_row: Option<std::num::NonZero<u32>>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    skip_when_empty: Vec<String>,
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    known_only: bool,
    #[serde(default)]
    shift_dates: Option<ShiftFile>,
    #[serde(default)]
    time: TimeFile,
    #[serde(default)]
    subject: Option<SubjectFile>,
    #[serde(default)]
    fields: BTreeMap<String, FieldFile>,
    #[serde(default)]
    events: BTreeMap<String, String>,
    #[serde(default)]
    choice: BTreeMap<String, ChoiceFile>,
    #[serde(default)]
    home: Option<HomeFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HomeFile {
    #[serde(default)]
    always: Option<String>,
    #[serde(default)]
    column: Option<String>,
    #[serde(default)]
    is: BTreeMap<String, String>,
}

/// A field: a column or a template, or that with what is done to it.
#[derive(Debug)]
enum FieldFile {
    Short(String),
    Long(LongField),
}

impl<'de> Deserialize<'de> for FieldFile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> serde::de::Visitor<'de> for Read {
            type Value = FieldFile;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a column, a text with `{columns}` in it, or a table with `from`")
            }

            fn visit_str<E>(self, text: &str) -> Result<FieldFile, E> {
                Ok(FieldFile::Short(text.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<FieldFile, A::Error> {
                LongField::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(FieldFile::Long)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LongField {
    from: String,
    #[serde(default)]
    check: Option<Check>,
    #[serde(default)]
    last: Option<u8>,
    #[serde(default)]
    bad: Bad,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShiftFile {
    from: String,
    to: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeFile {
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    zone: Option<String>,
    #[serde(default)]
    serials: Option<SerialsFile>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum SerialsFile {
    #[serde(rename = "1900")]
    Y1900,
    #[serde(rename = "1904")]
    Y1904,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectFile {
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default, rename = "match")]
    matching: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceFile {
    column: String,
    #[serde(default)]
    granted: Vec<String>,
    #[serde(default)]
    refused: Vec<String>,
    notice: NoticeFile,
    #[serde(default)]
    at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticeFile {
    version: u32,
    language: String,
}

/// A mapping, held against the policy in force.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Ordinal of the kind.
    pub kind: u8,
    /// Column of the external id.
    pub external_id: Option<String>,
    /// A row in which one of these columns is empty is not a record.
    pub skip_when_empty: Vec<String>,
    /// A row is a record only if each of these columns holds one of its cells.
    pub only: Vec<(String, Vec<String>)>,
    /// Does a row only add to records that are here, and never make one?
    pub known_only: bool,
    /// How many microseconds to add to every instant, once it is known which day is today.
    pub shift: Option<Shift>,
    /// How instants are written: a `strftime` pattern; RFC 3339 or a plain date without one.
    pub time_format: Option<String>,
    /// Where the clock hung that wrote them.
    pub zone: jiff::tz::TimeZone,
    /// Whose record.
    pub subject: Subject,
    /// Fields, ascending.
    pub fields: Vec<Filling>,
    /// Events: ordinal, column.
    pub events: Vec<(u8, String)>,
    /// Choices.
    pub choices: Vec<Choice>,
    /// Where the subjects live, if the file or the mapping says it.
    pub home: Option<HomeOf>,
    /// How the file and its columns are read.
    pub reading: Reading,
}

/// How a field is filled.
#[derive(Debug, Clone)]
pub struct Filling {
    /// Its ordinal.
    pub ordinal: u8,
    /// Its name.
    pub name: String,
    /// What its value is made of.
    pub template: Template,
    /// What the value must be before anything of it is kept.
    pub check: Option<Check>,
    /// Keep only so many of its last characters.
    pub last: Option<u8>,
    /// What happens to the row when the value is not what it should be.
    pub bad: Bad,
}

impl Filling {
    /// What is to blame when the value is bad: its column, or the field when it is made of several.
    pub fn column(&self) -> &str {
        let mut columns = self.template.columns();
        match (columns.next(), columns.next()) {
            (Some(only), None) => only,
            _ => &self.name,
        }
    }

    /// Is the value what it must be? The whole value is checked, also where only its end is kept.
    pub fn holds(&self, value: &str) -> bool {
        self.check.is_none_or(|Check::Luhn| luhn(value))
    }

    /// What is kept of a value.
    pub fn kept<'v>(&self, value: &'v str) -> &'v str {
        let Some(last) = self.last else { return value };
        let from =
            value.char_indices().rev().nth(usize::from(last).saturating_sub(1)).map_or(0, |(at, _)| at);
        value.get(from..).unwrap_or(value)
    }
}

/// What a value can be checked for beyond what the policy says of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The check digit that payment cards carry.
    Luhn,
}

/// What a bad value does to its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bad {
    /// The row is rejected.
    #[default]
    Reject,
    /// The value is dropped and told; the rest of the row is taken.
    Drop,
}

/// Is this a number with a right check digit? SOURCE: ISO/IEC 7812-1, Annex B. Blanks and dashes do not count.
fn luhn(text: &str) -> bool {
    let (mut sum, mut count) = (0_u32, 0_u32);
    for letter in text.trim().chars().rev().filter(|letter| !matches!(letter, ' ' | '-')) {
        let Some(digit) = letter.to_digit(10) else { return false };
        let doubled = digit.saturating_mul(2);
        let digit = if count.is_multiple_of(2) {
            digit
        } else {
            doubled.saturating_sub(if doubled > 9 { 9 } else { 0 })
        };
        sum = sum.saturating_add(digit);
        count = count.saturating_add(1);
    }
    count > 1 && sum.is_multiple_of(10)
}

/// Whose record a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Its own: the external id says.
    Own,
    /// The subject of the record of this kind whose external id stands in this column.
    External(u8, String),
    /// The subject that has the value of this column in this field: kind, field, column.
    Matching(Vec<(u8, u8)>, String),
}

/// Days between the data and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    from: jiff::civil::Date,
    to: Option<jiff::civil::Date>,
}

impl Shift {
    /// In microseconds. Takes: today, for a shift to `today`.
    pub fn micros(&self, today: jiff::civil::Date) -> i64 {
        let days = self.to.unwrap_or(today).since(self.from).map_or(0, |span| span.get_days());
        i64::from(days).saturating_mul(DAY)
    }
}

impl Mapping {
    /// An instant, so many whole days later by the calendar and the clocks of the data's zone: a midnight stays a midnight, also where
    /// summer time begins or ends in between.
    ///
    /// Takes: the instant and the shift, µs.
    pub fn shifted(&self, at: i64, shift: i64) -> i64 {
        if shift == 0 {
            at
        } else {
            shifted_in(&self.zone, at, shift).unwrap_or_else(|| at.saturating_add(shift))
        }
    }
}

fn shifted_in(zone: &jiff::tz::TimeZone, at: i64, shift: i64) -> Option<i64> {
    let local = jiff::Timestamp::from_microsecond(at).ok()?.to_zoned(zone.clone());
    let days = jiff::Span::new().try_days(shift / DAY).ok()?;
    Some(local.checked_add(days).ok()?.timestamp().as_microsecond())
}

/// A choice that a column tells.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Ordinal of the purpose.
    pub purpose: u16,
    /// The column.
    pub column: String,
    /// Cells that mean yes, and cells that mean no. Any other says nothing.
    pub said: Vec<(String, Said)>,
    /// The notice that the subjects saw.
    pub notice: (u32, String),
    /// Column of the time at which it was said; the time of the import, if there is none.
    pub at: Option<String>,
}

/// What says where a subject lives.
#[derive(Debug, Clone)]
pub enum HomeOf {
    /// The mapping: all of them there.
    All(Home),
    /// A cell of this column: by the words that the mapping explains, or by the code of a place.
    Column(String, Vec<(String, Home)>),
}

impl HomeOf {
    /// What a cell says; `None` when it is empty, or no place that anybody knows.
    pub fn read(said: &[(String, Home)], cell: &str) -> Option<Home> {
        let cell = cell.trim();
        let explained = said.iter().find(|(word, _)| word == cell).map(|(_, home)| *home);
        explained.or_else(|| Home::parse(&cell.to_ascii_lowercase()).filter(|home| home.is_known()))
    }
}

/// How a value is made of cells: a column's name, or text with `{columns}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(String),
}

impl Template {
    fn parse(text: &str) -> Option<Template> {
        if !text.contains('{') {
            return Some(Template(vec![Part::Column(text.to_owned())]));
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (column, behind) = behind.split_once('}')?;
            parts.push(Part::Column(column.to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Some(Template(parts))
    }

    /// The columns that it reads.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter_map(|part| if let Part::Column(column) = part { Some(column.as_str()) } else { None })
    }

    /// The value of a row. Text between columns stands only where both sides have something, so an empty cell leaves no
    /// stray comma; blanks are closed up. Nothing but blanks is no value.
    pub fn fill<'r>(&self, cell: impl Fn(&str) -> Option<&'r str>) -> Option<zeroize::Zeroizing<String>> {
        if let [Part::Column(column)] = self.0.as_slice() {
            return cell(column).filter(|cell| !cell.trim().is_empty()).map(|cell| cell.to_owned().into());
        }
        let mut filled = zeroize::Zeroizing::new(String::new());
        let (mut between, mut last_is_empty) = ("", false);
        for part in &self.0 {
            match part {
                Part::Text(text) => between = text,
                Part::Column(column) => {
                    let value = cell(column).unwrap_or_default();
                    last_is_empty = value.trim().is_empty();
                    if !last_is_empty {
                        let first = filled.is_empty()
                            && !matches!(self.0.first(), Some(Part::Text(text)) if text == between);
                        filled.push_str(if first { "" } else { between });
                        for word in value.split_whitespace() {
                            filled.push_str(word);
                            filled.push(' ');
                        }
                        filled.pop();
                        between = "";
                    }
                }
            }
        }
        if filled.is_empty() {
            return None;
        }
        if !last_is_empty {
            filled.push_str(between);
        }
        let trimmed = filled.trim_end().len();
        filled.truncate(trimmed);
        Some(filled)
    }
}

impl Mapping {
    /// Reads a mapping and holds it against a policy.
    ///
    /// Fails: `SR-IMPORT-001` when it is not a mapping, `SR-IMPORT-002` when it names what the policy does not have.
    pub fn parse(text: &str, policy: &InForce) -> Result<Mapping, Problem> {
        let file: File = toml::from_str(text).map_err(|error| {
            // A mapping holds names of columns and no data, so the parser's words may be shown.
            let line = error
                .span()
                .map_or(0, |span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
            fault(format!("the mapping cannot be read: {} (line {line})", error.message()))
        })?;
        let kind = policy
            .compiled
            .find_kind(&file.kind)
            .ok_or_else(|| unknown("kind", &file.kind, kinds(policy)))?;
        let mut fields = Vec::new();
        for (name, field) in file.fields {
            let found = kind.find_field(&name).ok_or_else(|| unknown("field", &name, fields_of(kind)))?;
            if found.file.is_some() {
                return Err(fault(format!("`{name}` holds files, which no column can fill")));
            }
            fields.push(filling(found.ordinal, name, field)?);
        }
        fields.sort_by_key(|filling| filling.ordinal);
        let mut events = Vec::new();
        for (name, column) in &file.events {
            events.push((
                kind.find_event(name)
                    .ok_or_else(|| unknown("event", name, kind.events().map(|(name, _)| name.as_str())))?,
                column.clone(),
            ));
        }
        let zone = file.time.zone.as_deref().unwrap_or("UTC");
        let reading = Reading {
            encoding: file.encoding,
            sheet: file.sheet,
            header_row: file.header_row.map(std::num::NonZero::get),
            serials: file.time.serials.map(|serials| match serials {
                SerialsFile::Y1900 => Epoch::Y1900,
                SerialsFile::Y1904 => Epoch::Y1904,
            }),
            ..Reading::default()
        };
        let mut mapping = Mapping {
            kind: kind.ordinal(),
            external_id: file.external_id,
            skip_when_empty: file.skip_when_empty,
            only: file.only.into_iter().collect(),
            known_only: file.known_only,
            shift: file.shift_dates.map(|shift| parse_shift(&shift)).transpose()?,
            time_format: file.time.format,
            zone: jiff::tz::TimeZone::get(zone)
                .map_err(|_| fault(format!("there is no time zone `{zone}`")))?,
            subject: parse_subject(file.subject, kind, policy)?,
            fields,
            events,
            choices: parse_choices(file.choice, policy)?,
            home: file.home.map(parse_home).transpose()?,
            reading,
        };
        mapping.reading.zone = mapping.zone.clone();
        mapping.reading.uses = mapping.uses(kind);
        Ok(mapping)
    }

    /// What each column is used for.
    fn uses(&self, kind: &CompiledKind) -> HashMap<String, Use> {
        let mut uses: HashMap<String, Use> = HashMap::new();
        let mut used = |column: &str, used: Use| {
            let known = uses.entry(column.to_owned()).or_default();
            *known = used.min(*known);
        };
        for column in self.columns() {
            used(column, Use::Other);
        }
        for filling in &self.fields {
            let holds = kind.field(filling.ordinal).map(|field| field.kind);
            let alone = matches!(filling.template.0.as_slice(), [Part::Column(_)]);
            let what = match holds {
                Some(FieldKind::Date) if alone => Use::Day,
                Some(FieldKind::Integer | FieldKind::Decimal) if alone => Use::Number,
                Some(FieldKind::Boolean) if alone => Use::Other,
                _ => Use::Text,
            };
            filling.template.columns().for_each(|column| used(column, what));
        }
        self.events.iter().for_each(|(_, column)| used(column, Use::Instant));
        self.choices.iter().filter_map(|choice| choice.at.as_deref()).for_each(|at| used(at, Use::Instant));
        self.external_id.iter().for_each(|column| used(column, Use::Id));
        match &self.subject {
            Subject::Own => {}
            Subject::External(_, column) | Subject::Matching(_, column) => used(column, Use::Id),
        }
        uses
    }

    /// The column behind a pointer into a record.
    pub fn column_of(&self, pointer: &str) -> String {
        let subject = match &self.subject {
            Subject::Own => None,
            Subject::External(_, column) | Subject::Matching(_, column) => Some(column.as_str()),
        };
        let column = match pointer.strip_prefix("/fields/") {
            Some(field) => self.fields.iter().find(|filling| filling.name == field).map(Filling::column),
            None if pointer.starts_with("/external_id") => self.external_id.as_deref(),
            None if pointer.starts_with("/subject") => subject.or(self.external_id.as_deref()),
            None => None,
        };
        column.unwrap_or_else(|| pointer.rsplit('/').next().unwrap_or_default()).to_owned()
    }

    /// Every column that it reads.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> =
            self.fields.iter().flat_map(|filling| filling.template.columns()).collect();
        columns.extend(self.external_id.as_deref());
        columns.extend(self.skip_when_empty.iter().map(String::as_str));
        columns.extend(self.only.iter().map(|(column, _)| column.as_str()));
        columns.extend(self.events.iter().map(|(_, column)| column.as_str()));
        for choice in &self.choices {
            columns.push(&choice.column);
            columns.extend(choice.at.as_deref());
        }
        if let Some(HomeOf::Column(column, _)) = &self.home {
            columns.push(column);
        }
        match &self.subject {
            Subject::Own => {}
            Subject::External(_, column) | Subject::Matching(_, column) => columns.push(column),
        }
        columns
    }
}

fn filling(ordinal: u8, name: String, field: FieldFile) -> Result<Filling, Problem> {
    let long = match field {
        FieldFile::Short(from) => LongField { from, check: None, last: None, bad: Bad::Reject },
        FieldFile::Long(long) => long,
    };
    let template = Template::parse(&long.from).ok_or_else(|| fault(format!("`{name}` has an open `{{`")))?;
    if long.last == Some(0) {
        return Err(fault(format!("`{name}` would keep none of its characters")));
    }
    Ok(Filling { ordinal, name, template, check: long.check, last: long.last, bad: long.bad })
}

fn parse_shift(shift: &ShiftFile) -> Result<Shift, Problem> {
    let date = |text: &str| {
        text.parse().map_err(|_| fault("`shift_dates` takes dates such as 2014-06-30, or `today`".into()))
    };
    let to = if shift.to == "today" { None } else { Some(date(&shift.to)?) };
    Ok(Shift { from: date(&shift.from)?, to })
}

fn parse_subject(
    subject: Option<SubjectFile>,
    kind: &CompiledKind,
    policy: &InForce,
) -> Result<Subject, Problem> {
    let Some(subject) = subject else {
        return if kind.of().is_some() {
            Err(fault("this kind belongs to another: say whose record a row is, under `[subject]`".into()))
        } else {
            Ok(Subject::Own)
        };
    };
    let mut matching = subject.matching.into_iter();
    match (subject.external_id, matching.next(), matching.next()) {
        (Some(column), None, None) => {
            let of = match &subject.kind {
                Some(name) => policy
                    .compiled
                    .find_kind(name)
                    .ok_or_else(|| unknown("kind", name, kinds(policy)))?
                    .ordinal(),
                None => kind.of().unwrap_or(kind.ordinal()),
            };
            Ok(Subject::External(of, column))
        }
        (None, Some((field, column)), None) => {
            let places: Vec<(u8, u8)> = policy
                .compiled
                .kinds()
                .filter_map(|kind| kind.find_field(&field).map(|found| (kind.ordinal(), found)))
                .filter(|(_, found)| found.index.is_some())
                .map(|(kind, found)| (kind, found.ordinal))
                .collect();
            if places.is_empty() {
                Err(unknown("searchable field", &field, searchable(policy)))
            } else {
                Ok(Subject::Matching(places, column))
            }
        }
        _ => Err(fault("`[subject]` takes either `external_id` or one `match`".into())),
    }
}

fn parse_choices(choices: BTreeMap<String, ChoiceFile>, policy: &InForce) -> Result<Vec<Choice>, Problem> {
    choices
        .into_iter()
        .map(|(name, choice)| {
            let purpose = policy.compiled.find_purpose(&name).ok_or_else(|| {
                unknown("purpose", &name, policy.compiled.purposes().map(|one| one.said.name.as_str()))
            })?;
            crate::choose::may_be_said(purpose, Said::Granted)?;
            let yes = choice.granted.into_iter().map(|cell| (cell, Said::Granted));
            let no = choice.refused.into_iter().map(|cell| (cell, Said::Refused));
            Ok(Choice {
                purpose: purpose.ordinal,
                column: choice.column,
                said: yes.chain(no).collect(),
                notice: (choice.notice.version, choice.notice.language),
                at: choice.at,
            })
        })
        .collect()
}

fn parse_home(file: HomeFile) -> Result<HomeOf, Problem> {
    let place = |code: &str| {
        let home = Home::parse(code).filter(|home| home.is_known());
        home.ok_or_else(|| fault("`home` has a code that no country or state has".into()))
    };
    match (file.always, file.column) {
        (Some(code), None) if file.is.is_empty() => Ok(HomeOf::All(place(&code)?)),
        (None, Some(column)) => {
            let said = file.is.into_iter().map(|(cell, code)| Ok((cell, place(&code)?)));
            Ok(HomeOf::Column(column, said.collect::<Result<_, Problem>>()?))
        }
        _ => {
            Err(fault("`home` takes either `always`, or `column` and what its cells mean under `is`".into()))
        }
    }
}

fn fault(title: String) -> Problem {
    Problem::new("SR-IMPORT-001", 422, title).help("docs/guide/import.md describes the mapping file")
}

fn kinds(policy: &InForce) -> impl Iterator<Item = &str> {
    policy.compiled.kinds().map(|kind| kind.name().as_str())
}

fn fields_of(kind: &CompiledKind) -> impl Iterator<Item = &str> {
    kind.fields().map(|field| field.name.as_str())
}

fn searchable(policy: &InForce) -> impl Iterator<Item = &str> {
    let fields = policy.compiled.kinds().flat_map(CompiledKind::fields);
    fields.filter(|field| field.index.is_some()).map(|field| field.name.as_str())
}

fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Problem {
    let meant =
        policy::closest(name, known).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    Problem::new(
        "SR-IMPORT-002",
        422,
        format!("the mapping names a {what} that the policy does not have: `{name}`{meant}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_closes_up_what_empty_cells_leave() {
        let template = Template::parse("{first} {middle} {last}, {suffix}").unwrap();
        let row = |column: &str| match column {
            "first" => Some("Ann"),
            "last" => Some("Beebe"),
            _ => Some(" "),
        };
        assert_eq!(template.fill(row).unwrap().as_str(), "Ann Beebe");
        assert_eq!(template.fill(|_| Some("")), None);
        assert_eq!(template.columns().collect::<Vec<_>>(), ["first", "middle", "last", "suffix"]);
        assert_eq!(Template::parse("{open"), None);
    }

    #[test]
    fn text_between_columns_stands_only_where_both_sides_have_something() {
        let template = Template::parse("c/o {company}, {line1} {line2}, {city} ({country})").unwrap();
        let filled = |row: &[(&str, &'static str)]| {
            let cell = |column: &str| row.iter().find(|(name, _)| *name == column).map(|(_, cell)| *cell);
            template.fill(cell).map(|filled| filled.to_string())
        };
        let all = [
            ("company", "Ebony"),
            ("line1", "1  Main St"),
            ("line2", "Unit 2"),
            ("city", "Leeds"),
            ("country", "GB"),
        ];
        assert_eq!(filled(&all).unwrap(), "c/o Ebony, 1 Main St Unit 2, Leeds (GB)");
        assert_eq!(filled(&all[..2]).unwrap(), "c/o Ebony, 1 Main St");
        assert_eq!(filled(&[all[1], all[3]]).unwrap(), "1 Main St, Leeds");
        assert_eq!(filled(&[("line1", " ")]), None);
    }

    #[test]
    fn a_check_digit_is_seen_and_only_the_end_of_a_number_is_kept() {
        let last4 = LongField { from: "n".into(), check: Some(Check::Luhn), last: Some(4), bad: Bad::Reject };
        let field = filling(0, "card".into(), FieldFile::Long(last4)).unwrap();
        assert!(field.holds("4111 1111-1111 1111") && field.holds("79927398713"));
        for wrong in ["4111111111111112", "79927398710", "", "0", "4111x11111111111"] {
            assert!(!field.holds(wrong), "{wrong}");
        }
        assert_eq!(
            (field.kept("4111111111111111"), field.kept("海港与山茶"), field.kept("12")),
            ("1111", "港与山茶", "12")
        );
    }

    #[test]
    fn a_midnight_in_summer_is_a_midnight_in_winter_when_it_is_shifted() {
        let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        // 2012-07-08 00:00 is 07:00 UTC; 4,525 days later, on 2024-11-27, midnight is 08:00 UTC.
        let shifted = shifted_in(&zone, at("2012-07-08T07:00:00Z"), 4_525 * DAY);
        assert_eq!(shifted, Some(at("2024-11-27T08:00:00Z")));
        assert_eq!(shifted_in(&zone, at("2012-07-08T07:00:00Z"), DAY), Some(at("2012-07-09T07:00:00Z")));
    }

    #[test]
    fn a_shift_counts_whole_days() {
        let shift = parse_shift(&ShiftFile { from: "2014-06-30".into(), to: "today".into() }).unwrap();
        assert_eq!(shift.micros(jiff::civil::date(2014, 7, 2)), 2 * DAY);
        let fixed = parse_shift(&ShiftFile { from: "2014-06-30".into(), to: "2014-06-30".into() }).unwrap();
        assert_eq!(fixed.micros(jiff::civil::date(2026, 1, 1)), 0);
    }
}
