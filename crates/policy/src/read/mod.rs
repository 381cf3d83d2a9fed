//! From text to a [`Draft`]: TOML, keys, types, words. Names are followed later, by the check.

pub(crate) mod keys;
mod parts;
mod purpose;
mod shop;
mod syntax;
pub(crate) mod table;
mod window;

use crate::code::Code;
use crate::draft::Draft;
use crate::finding::{At, Finding, Sink};
use crate::text::Name;
use table::{Reading, S, Table};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The largest file, in bytes.
pub const LARGEST_FILE: usize = 1024 * 1024;
/// The most record kinds.
pub const MOST_KINDS: usize = 255;
/// The most fields of one kind; ordinal 255 is the sealed external id.
pub const MOST_FIELDS_OF_A_KIND: usize = 255;
/// The most declared fields.
pub const MOST_FIELDS: usize = 2048;
/// The most events of one kind; event 63 is `collected`.
pub const MOST_EVENTS: usize = 63;
/// The most purposes.
pub const MOST_PURPOSES: usize = 256;
/// The most entries in a purpose's list of fields.
pub const MOST_USES: usize = 1024;
/// The most recipients.
pub const MOST_RECIPIENTS: usize = 256;
/// The most roles.
pub const MOST_ROLES: usize = 64;
/// The most notes.
pub const MOST_NOTES: usize = 64;
/// The most languages.
pub const MOST_LANGUAGES: usize = 16;
/// The most jurisdictions served.
pub const MOST_SERVED: usize = 128;

/// The format number that this version reads.
pub const FORMAT: i64 = 1;

/// The policy as written; `None` when there is nothing to go on with.
pub(crate) fn read(text: &str, sink: &mut Sink) -> Option<Draft> {
    if text.len() > LARGEST_FILE {
        let finding =
            Finding::new(Code::TooLarge, At::default(), format!("the file has {} bytes", text.len()));
        sink.add(finding.help(format!(
            "at most {LARGEST_FILE} bytes are read; a policy of a large shop has some 50,000"
        )));
        return None;
    }
    let (root, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        // What the parser guessed on its way is not worth findings of its own: names would seem missing that are there.
        syntax::tell(text, &faults, sink);
        return None;
    }
    let mut reading = Reading { text, sink, languages: Vec::new() };
    let root = Table::root(root.get_ref(), &mut reading);
    format(&root, &mut reading)?;
    // ORDER: the shop first, since its languages decide which texts are missing everywhere else.
    let shop = shop::shop(&root, &mut reading);
    Some(Draft {
        shop,
        kinds: parts::kinds(&root, &mut reading),
        fields: parts::fields(&root, &mut reading),
        purposes: purpose::purposes(&root, &mut reading),
        recipients: parts::recipients(&root, &mut reading),
        roles: parts::roles(&root, &mut reading),
        notes: parts::notes(&root, &mut reading),
        window: window::window(&root, &mut reading),
    })
}

/// `None` when the file is of another format, whose keys mean other things.
fn format(root: &Table<'_>, reading: &mut Reading<'_>) -> Option<()> {
    let Some(value) = root.find("format") else { return Some(()) };
    let number = value
        .get_ref()
        .as_integer()
        .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
    if number == Some(FORMAT) {
        return Some(());
    }
    let finding =
        Finding::new(Code::Format, table::at(value), "this is not a format that this version reads");
    reading.add(finding.help(format!(
        "write `format = {FORMAT}`, or use the version of Strongroom that the file was written for"
    )));
    None
}

/// The tables `[key.NAME]`, each opened and with its name.
fn named<'t>(
    root: &Table<'t>,
    key: &'static str,
    what: &str,
    most: usize,
    reading: &mut Reading<'_>,
) -> Vec<(S<Name>, Table<'t>)> {
    let Some(items) = root.find(key).and_then(|value| table_of(value, key, reading)) else {
        return Vec::new();
    };
    root.limit(key, items.len(), most, reading);
    let mut found = Vec::new();
    for (name, value) in items.iter().take(most) {
        let Some(name) = reading.name(name.get_ref(), table::at(name), what) else { continue };
        let path = format!("{key}.{}", name.value);
        if let Some(table) = Table::open(value, name.at, path, key, reading) {
            found.push((name, table));
        }
    }
    found
}

fn table_of<'t>(
    value: &'t Spanned<DeValue<'t>>,
    key: &str,
    reading: &mut Reading<'_>,
) -> Option<&'t DeTable<'t>> {
    let items = value.get_ref().as_table();
    if items.is_none() {
        let message = format!("`{key}` takes a table for each name");
        reading.add(
            Finding::new(Code::WrongType, table::at(value), message).help(format!("write `[{key}.name]`")),
        );
    }
    items
}

/// A finding if this name of a field or purpose has a `-`.
fn plain(name: &S<Name>, what: &str, reading: &mut Reading<'_>) {
    if !name.value.is_plain() {
        let finding = Finding::new(Code::BadName, name.at, format!("`{}` cannot name {what}", name.value));
        reading.add(finding.help(format!(
            "write `{}`: fields and purposes go without `-`",
            name.value.as_str().replace('-', "_")
        )));
    }
}
