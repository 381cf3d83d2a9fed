//! `[record.…]`, `[field.…]`, `[recipient.…]`, `[role.…]`.

use super::purpose::clock;
use super::shop::{period, place, place_of};
use super::table::{Reading, S, Table};
use super::{
    MOST_EVENTS, MOST_FIELDS, MOST_FIELDS_OF_A_KIND, MOST_KINDS, MOST_NOTES, MOST_PURPOSES, MOST_RECIPIENTS,
    MOST_ROLES,
};
use super::{named, plain};
use crate::code::Code;
use crate::draft::{DraftAgreement, DraftField, DraftKind, DraftNote, DraftRecipient, DraftRole, DraftRoute};
use crate::file::{LARGEST_KEPT, MOST_MEDIA, MediaType, parse_size};
use crate::finding::Finding;
use crate::period::COLLECTED;
use crate::taxonomy::Category;
use crate::text::{Name, quoted};
use crate::words::FieldKind;

pub(super) fn kinds(root: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftKind> {
    let tables = named(root, "record", "a record kind", MOST_KINDS, reading);
    tables.into_iter().map(|(name, table)| kind(name, &table, reading)).collect()
}

fn kind(name: S<Name>, table: &Table<'_>, reading: &mut Reading<'_>) -> DraftKind {
    let fields = table.names("fields", "a field", MOST_FIELDS_OF_A_KIND, reading);
    if table.find("fields").and_then(|value| value.get_ref().as_array()).is_some_and(|list| list.is_empty()) {
        let finding =
            Finding::new(Code::Empty, table.key_at("fields"), format!("`{}` holds no field", table.path()));
        reading.add(finding.help("a record without fields holds nothing personal; take the kind out"));
    }
    let events = table.names("events", "an event", MOST_EVENTS, reading);
    for event in events.iter().filter(|event| event.value.as_str() == COLLECTED) {
        let finding =
            Finding::new(Code::BadName, event.at, format!("`{COLLECTED}` cannot name an event of yours"));
        reading.add(
            finding.help("it is built in: every record has it. Take it out and use it in `keep` right away"),
        );
    }
    let of = table.string("of", "the name of a record kind", reading);
    DraftKind {
        name,
        label: table.texts("label", reading),
        of: of.and_then(|of| reading.name(of.value, of.at, "a record kind")),
        fields,
        fields_at: table.key_at("fields"),
        fields_known: table.find("fields").is_some_and(|value| value.get_ref().is_array()),
        events,
        is: is(table, reading),
    }
}

/// What a kind of record is in law: the words that packs have rules for.
fn is(table: &Table<'_>, reading: &mut Reading<'_>) -> Vec<S<&'static str>> {
    let known = rulebook::question::RECORDS;
    let mut found = Vec::new();
    for text in table.strings("is", "a list such as `[\"transaction\"]`", reading) {
        match known.iter().find(|word| **word == text.value) {
            Some(word) => found.push(S { value: *word, at: text.at }),
            None => {
                let message = format!("`{}` is not a kind of record that laws know", quoted(text.value));
                let meant = reading.did_you_mean(text.value, known.iter().copied());
                let all = || known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
                let finding = Finding::new(Code::UnknownWord, text.at, message);
                reading.add(finding.help(meant.unwrap_or_else(|| format!("one of {}", all()))));
            }
        }
    }
    found
}

pub(super) fn fields(root: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftField> {
    let tables = named(root, "field", "a field", MOST_FIELDS, reading);
    tables.into_iter().map(|(name, table)| field(name, &table, reading)).collect()
}

fn field(name: S<Name>, table: &Table<'_>, reading: &mut Reading<'_>) -> DraftField {
    plain(&name, "a field", reading);
    DraftField {
        name,
        kind: field_kind(table, reading),
        category: category(table, reading),
        label: table.texts("label", reading),
        normalise: table.word("normalise", reading),
        index: table.word("index", reading),
        unique: table.boolean("unique", reading),
        mask: table.word("mask", reading),
        mask_written: table.find("mask").is_some(),
        sensitive: table.boolean("sensitive", reading),
        media: media(table, reading),
        media_at: table.find("media").map(|_| table.key_at("media")),
        media_is_empty: table
            .find("media")
            .and_then(|value| value.get_ref().as_array())
            .is_some_and(|list| list.is_empty()),
        at_most: at_most(table, reading),
        at_most_at: table.find("at_most").map(|_| table.key_at("at_most")),
    }
}

fn field_kind(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<FieldKind> {
    match table.find("kind") {
        None => Some(FieldKind::Text),
        Some(_) => table.word("kind", reading).map(|word| word.value),
    }
}

fn media(table: &Table<'_>, reading: &mut Reading<'_>) -> Vec<MediaType> {
    let texts = table.strings("media", "a list of media types such as `[\"image/jpeg\"]`", reading);
    table.limit("media", texts.len(), MOST_MEDIA, reading);
    let mut types = Vec::new();
    for text in texts.iter().take(MOST_MEDIA) {
        let media = MediaType::parse(text.value);
        if media.is_none() {
            let message = format!("`{}` is not a media type", quoted(text.value));
            reading.add(Finding::new(Code::Media, text.at, message).help(
                "write type and subtype in small letters, such as `image/jpeg` or `application/pdf`; no `*`, no parameters",
            ));
        }
        types.extend(media);
    }
    types
}

fn at_most(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<u64> {
    let text = table.string("at_most", "a size such as `2 MB`", reading)?;
    let size = parse_size(text.value).filter(|size| (1..=LARGEST_KEPT).contains(size));
    if size.is_none() {
        let message = format!("`{}` cannot be the size of a file", quoted(text.value));
        let finding = Finding::new(Code::FileSize, text.at, message);
        reading.add(finding.help("write a whole number of `B`, `kB` or `MB`, from `1 B` to `10 MB`"));
    }
    size
}

fn category(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<S<Category>> {
    let text = table.string("category", "a Fideslang data category", reading)?;
    if let Some(value) = Category::find(text.value) {
        return Some(S { value, at: text.at });
    }
    let finding = Finding::new(
        Code::UnknownCategory,
        text.at,
        format!("`{}` is not a data category", quoted(text.value)),
    );
    let meant = Category::closest(text.value).filter(|_| reading.sink.is_patient());
    reading.add(finding.help(match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "categories are those of Fideslang, such as `user.contact.email`; docs/spec/policy.md lists them all".to_owned(),
    }));
    None
}

pub(super) fn recipients(root: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftRecipient> {
    let tables = named(root, "recipient", "a recipient", MOST_RECIPIENTS, reading);
    tables.into_iter().map(|(name, table)| recipient(name, &table, reading)).collect()
}

fn recipient(name: S<Name>, table: &Table<'_>, reading: &mut Reading<'_>) -> DraftRecipient {
    DraftRecipient {
        name,
        kind: table.word("kind", reading).map(|word| word.value),
        title: table.texts("name", reading),
        place: place(table, "in", reading),
        acts_as: table.word("acts_as", reading),
        contact: table.words("contact", reading),
        routes: routes(table, reading),
        agreement: agreement(table, reading),
        agreement_written: table.find("agreement").is_some(),
        keep: clock(table, "keep", reading),
        consideration: table.word("consideration", reading),
        reviewed: table.date("reviewed", reading),
        review: period(table, "review", reading),
    }
}

/// One route, or one by each place whose law asks.
fn routes(table: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftRoute> {
    let Some(value) = table.find("route") else { return Vec::new() };
    if !value.get_ref().is_table() {
        return table
            .word("route", reading)
            .map(|route| DraftRoute { law: None, route })
            .into_iter()
            .collect();
    }
    let mut found = Vec::new();
    for (place, value) in table.entries("route", reading) {
        let law = place_of(&place, reading);
        let Some(text) = value.get_ref().as_str() else {
            let message =
                format!("`{}.{}` takes a route abroad", table.path_of("route"), quoted(place.value));
            reading.add(
                Finding::new(Code::WrongType, place.at, message).help("write `eu = \"standard_contract\"`"),
            );
            continue;
        };
        let route = reading.word_of(&S { value: text, at: super::table::at(value) });
        found.extend(law.zip(route).map(|(law, route)| DraftRoute { law: Some(law), route }));
    }
    found
}

fn agreement(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<S<DraftAgreement>> {
    let value = table.find("agreement")?;
    let at = table.key_at("agreement");
    let table = Table::open(value, at, table.path_of("agreement"), "recipient.agreement", reading)?;
    // Both are read before either is asked for, so that one run tells of both.
    let (signed, until) = (table.date("signed", reading), table.date("until", reading));
    Some(S { value: DraftAgreement { signed: signed?, until }, at })
}

pub(super) fn roles(root: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftRole> {
    let tables = named(root, "role", "a role", MOST_ROLES, reading);
    let role = |(name, table): (S<Name>, Table<'_>)| DraftRole {
        name,
        label: table.texts("label", reading),
        purposes: table.names("purposes", "a purpose", MOST_PURPOSES, reading),
    };
    tables.into_iter().map(role).collect()
}

pub(super) fn notes(root: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftNote> {
    let tables = named(root, "note", "a note", MOST_NOTES, reading);
    let note = |(name, table): (S<Name>, Table<'_>)| DraftNote {
        name,
        title: table.texts("title", reading),
        body: table.bodies("body", reading),
        after: table.word("after", reading).map(|section| section.value),
    };
    tables.into_iter().map(note).collect()
}
