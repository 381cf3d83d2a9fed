//! `[purpose.…]`.

use super::shop::period;
use super::table::{Reading, S, Table, at, duplicate};
use super::{MOST_PURPOSES, MOST_RECIPIENTS, MOST_USES, named, plain};
use crate::code::Code;
use crate::draft::{DraftClock, DraftKeep, DraftLaw, DraftPurpose, DraftUse};
use crate::finding::{At, Finding};
use crate::limit::Limit;
use crate::period::Keep;
use crate::taxonomy::DataUse;
use crate::text::{Name, quoted};
use crate::words::Word;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::DeValue;

pub(super) fn purposes(root: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftPurpose> {
    let tables = named(root, "purpose", "a purpose", MOST_PURPOSES, reading);
    tables.into_iter().map(|(name, table)| purpose(name, &table, reading)).collect()
}

fn purpose(name: S<Name>, table: &Table<'_>, reading: &mut Reading<'_>) -> DraftPurpose {
    plain(&name, "a purpose", reading);
    DraftPurpose {
        name,
        data_use: data_use(table, reading),
        use_at: table.find("use").map_or(table.key_at("use"), at),
        basis: table.word("basis", reading),
        says: table.texts("says", reading),
        fields: uses(table, reading),
        no_fields_at: table
            .find("fields")
            .is_none_or(|value| value.get_ref().as_array().is_some_and(|list| list.is_empty()))
            .then(|| table.key_at("fields")),
        keep: keep(table, "keep", reading),
        keep_written: table.find("keep").is_some(),
        must_keep: clock(table, "must_keep", reading),
        at_most: clock(table, "at_most", reading),
        law: law(table, reading),
        law_written: table.find("law").is_some(),
        recipients: table.names("recipients", "a recipient", MOST_RECIPIENTS, reading),
        limit: limit(table, reading),
        assessed: table.date("assessed", reading),
        similar: table.boolean("similar", reading),
        ask_again: period(table, "ask_again", reading),
        wait: period(table, "wait", reading),
        label: table.texts("label", reading),
        cookies: patterns(table, "cookies", reading),
        storage: patterns(table, "storage", reading),
    }
}

/// Names of cookies, or keys of a browser's storage, in which `*` stands for any characters.
fn patterns(table: &Table<'_>, key: &str, reading: &mut Reading<'_>) -> Vec<String> {
    let found = table.strings(key, "a list of names such as `_ga*`", reading);
    table.limit(key, found.len(), MOST_PATTERNS, reading);
    let is_one = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.*$:".contains(&byte);
        text.len() <= LONGEST_PATTERN && text.bytes().all(plain) && text.bytes().any(|byte| byte != b'*')
    };
    let mut patterns = Vec::new();
    for text in found.into_iter().take(MOST_PATTERNS) {
        if is_one(text.value) {
            patterns.push(text.value.to_owned());
        } else {
            let message = format!("an entry of `{}` is no such name", table.path_of(key));
            let help = "letters, digits and `_ - . $ :`, with `*` for any characters, and not `*` alone";
            reading.add(Finding::new(Code::WrongType, text.at, message).help(help));
        }
    }
    patterns
}

/// As many names of cookies, or of keys, a purpose has at the most, and as long is each, in bytes.
const MOST_PATTERNS: usize = 32;
const LONGEST_PATTERN: usize = 60;

/// The law as it was written: once, or in each language.
fn law(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<DraftLaw> {
    if table.find("law")?.get_ref().is_table() {
        return table.texts("law", reading).map(DraftLaw::InEach);
    }
    table.words("law", reading).map(DraftLaw::Once)
}

fn data_use(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<DataUse> {
    let text = table.string("use", "a Fideslang data use", reading)?;
    let Some(found) = DataUse::find(text.value) else {
        let finding =
            Finding::new(Code::UnknownUse, text.at, format!("`{}` is not a data use", quoted(text.value)));
        let meant = DataUse::closest(text.value).filter(|_| reading.sink.is_patient());
        reading.add(finding.help(match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "uses are those of Fideslang, such as `essential.service`; docs/spec/policy.md lists them all".to_owned(),
        }));
        return None;
    };
    if let Some(instead) = found.replaced_by() {
        let finding = Finding::new(
            Code::DeprecatedUse,
            text.at,
            format!("`{}` has been replaced in the taxonomy", found.key()),
        );
        reading.add(finding.help(format!("write `{instead}`")));
    }
    Some(found)
}

/// `90d after order.delivered` or `until withdrawn`.
fn keep(table: &Table<'_>, key: &str, reading: &mut Reading<'_>) -> Option<DraftKeep> {
    let text = table.string(key, "a retention such as `90d after order.delivered`", reading)?;
    match Keep::parse_placed(text.value) {
        Ok((Keep::After(value), event)) => {
            let event_at = reading.within(&text, &event);
            Some(DraftKeep::After(DraftClock { value, at: text.at, event_at }))
        }
        Ok((Keep::UntilWithdrawn, _)) => Some(DraftKeep::UntilWithdrawn(text.at)),
        Err(fault) => {
            reading.fault(fault, &text);
            None
        }
    }
}

/// `90d after order.delivered`.
pub(super) fn clock(table: &Table<'_>, key: &str, reading: &mut Reading<'_>) -> Option<DraftClock> {
    match keep(table, key, reading)? {
        DraftKeep::After(clock) => Some(clock),
        DraftKeep::UntilWithdrawn(at) => {
            let message = format!("`{}` takes a period after an event", table.path_of(key));
            let help = "only the `keep` of a purpose by consent can be `until withdrawn`";
            reading.add(Finding::new(Code::Retention, at, message).help(help));
            None
        }
    }
}

/// `200 subjects per hour, 1000 per day`.
fn limit(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<Limit> {
    let text = table.string("limit", "a limit such as `200 subjects per hour, 1000 per day`", reading)?;
    Limit::parse(text.value).map_err(|fault| reading.fault(fault, &text)).ok()
}

/// How a use shows its field.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Plain,
    Masked,
}

impl Word for Shown {
    const WHAT: &'static str = "a way to show a field";
    const WORDS: &'static [&'static str] = &["plain", "masked"];
    fn parse(text: &str) -> Option<Self> {
        match text {
            "plain" => Some(Self::Plain),
            "masked" => Some(Self::Masked),
            _ => None,
        }
    }
}

fn uses(table: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftUse> {
    let list = table.list("fields", "a list of fields", reading).unwrap_or_default();
    table.limit("fields", list.len(), MOST_USES, reading);
    let mut seen = BTreeMap::new();
    let mut uses = Vec::new();
    for value in list.into_iter().take(MOST_USES) {
        let Some(found) = one_use(table, value, reading) else { continue };
        let written = (found.kind.clone(), found.field.clone());
        if let Some(before) = seen.insert(written, found.at) {
            let name = found
                .kind
                .as_ref()
                .map_or_else(|| found.field.to_string(), |kind| format!("{kind}.{}", found.field));
            reading.add(duplicate(&name, found.at, before, &table.path_of("fields")));
        } else {
            uses.push(found);
        }
    }
    uses
}

fn one_use(table: &Table<'_>, value: &Spanned<DeValue<'_>>, reading: &mut Reading<'_>) -> Option<DraftUse> {
    if let Some(text) = value.get_ref().as_str() {
        return used(text, at(value), false, false, reading);
    }
    if !value.get_ref().is_table() {
        let message = format!("an entry of `{}` is a name, or a table", table.path_of("fields"));
        let help = "write `\"phone\"`, `\"order.phone\"` or `{ field = \"phone\", as = \"masked\" }`";
        reading.add(Finding::new(Code::WrongType, at(value), message).help(help));
        return None;
    }
    let entry = Table::open(value, at(value), table.path_of("fields"), "purpose.fields", reading)?;
    let masked = entry.word::<Shown>("as", reading).is_some_and(|shown| shown.value == Shown::Masked);
    let optional = entry.boolean("optional", reading).is_some_and(|optional| optional.value);
    let field = entry.string("field", "the name of a field", reading)?;
    used(field.value, field.at, masked, optional, reading)
}

fn used(text: &str, at: At, masked: bool, optional: bool, reading: &mut Reading<'_>) -> Option<DraftUse> {
    let (kind, field) = match text.split_once('.') {
        Some((kind, field)) => (Some(kind), field),
        None => (None, text),
    };
    let kind = match kind {
        Some(kind) => Some(reading.name(kind, at, "a record kind")?.value),
        None => None,
    };
    let field = reading.name(field, at, "a field")?.value;
    Some(DraftUse { at, kind, field, masked, optional })
}
