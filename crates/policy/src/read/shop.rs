//! `[shop]`.

use super::table::{Reading, S, Table};
use super::{MOST_LANGUAGES, MOST_SERVED};
use crate::code::Code;
use crate::draft::{DraftRepresentative, DraftShop};
use crate::finding::Finding;
use crate::period::Period;
use crate::region::Region;
use crate::text::{Language, Place, quoted};
use crate::words::Channel;

pub(super) fn shop(root: &Table<'_>, reading: &mut Reading<'_>) -> DraftShop {
    let Some(table) =
        root.find("shop").and_then(|value| Table::open(value, root.key_at("shop"), "shop", "shop", reading))
    else {
        return DraftShop::default();
    };
    let languages = languages(&table, reading);
    reading.languages.clone_from(&languages);
    let officer = table.find("officer").and_then(|value| {
        Table::open(value, table.key_at("officer"), "shop.officer", "shop.officer", reading)
    });
    DraftShop {
        id: id(&table, reading),
        name: table.texts("name", reading),
        languages,
        zone: zone(&table, reading),
        region: region(&table, reading),
        serves: serves(&table, reading),
        kept_in: place(&table, "kept_in", reading),
        established_in: place(&table, "established_in", reading),
        sells_on: sells_on(&table, reading),
        acts_as: table.word("acts_as", reading),
        address: table.words("address", reading),
        persons: table.count("persons", reading),
        minors: table.word("minors", reading),
        representatives: representatives(&table, reading),
        at: root.key_at("shop"),
        officer_name: officer.as_ref().and_then(|officer| officer.words("name", reading)),
        officer_contact: officer.as_ref().and_then(|officer| officer.words("contact", reading)),
        reviewed: table.date("reviewed", reading),
        review: period(&table, "review", reading),
    }
}

/// A period such as `12mo`.
pub(super) fn period(table: &Table<'_>, key: &str, reading: &mut Reading<'_>) -> Option<S<Period>> {
    let text = table.string(key, "a period such as `12mo`", reading)?;
    match Period::parse(text.value) {
        Ok(value) => Some(S { value, at: text.at }),
        Err(fault) => {
            reading.fault(fault, &text);
            None
        }
    }
}

/// A country or jurisdiction.
pub(super) fn place(table: &Table<'_>, key: &str, reading: &mut Reading<'_>) -> Option<S<Place>> {
    let text = table.string(key, "a country or jurisdiction", reading)?;
    place_of(&text, reading).map(|value| S { value, at: text.at })
}

pub(super) fn place_of(text: &S<&str>, reading: &mut Reading<'_>) -> Option<Place> {
    let place = Place::parse(text.value);
    if place.is_none() {
        let finding = Finding::new(
            Code::Place,
            text.at,
            format!("`{}` is not a country or jurisdiction", quoted(text.value)),
        );
        let lower = text.value.to_lowercase();
        let help = match Place::parse(&lower) {
            Some(meant) => format!("did you mean `{meant}`? codes are written small"),
            None => "write the ISO 3166-1 code, such as `cn`, `de`, `sg`; a state as `us-ca`; or `eu`, `uk`"
                .to_owned(),
        };
        reading.add(finding.help(help));
    }
    place
}

fn id(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<String> {
    let text = table.string("id", "a text", reading)?;
    let shaped = text.value.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let begins = text.value.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if shaped && begins && (2..=40).contains(&text.value.len()) {
        return Some(text.value.to_owned());
    }
    let finding =
        Finding::new(Code::BadName, text.at, format!("`{}` cannot be a shop's id", quoted(text.value)));
    reading.add(
        finding.help("an id begins with a letter a-z and goes on with a-z, 0-9 or `-`; 2 to 40 characters"),
    );
    None
}

fn languages(table: &Table<'_>, reading: &mut Reading<'_>) -> Vec<Language> {
    let texts = table.strings("languages", "a list of language tags such as `[\"zh\", \"en\"]`", reading);
    table.limit("languages", texts.len(), MOST_LANGUAGES, reading);
    if texts.is_empty() && table.find("languages").is_some_and(|value| value.get_ref().is_array()) {
        let finding = Finding::new(Code::Empty, table.key_at("languages"), "the shop lists no language");
        reading.add(finding.help("name at least one, the shop's own first: `languages = [\"zh\", \"en\"]`"));
    }
    let mut languages = Vec::new();
    for text in texts.iter().take(MOST_LANGUAGES) {
        let language = Language::parse(text.value);
        if language.is_none() {
            let finding = Finding::new(
                Code::Language,
                text.at,
                format!("`{}` is not a language tag", quoted(text.value)),
            );
            reading.add(finding.help("write a BCP 47 tag, such as `zh`, `en`, `zh-Hant`"));
        }
        languages.extend(language);
    }
    languages
}

fn zone(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<String> {
    let text = table.string("zone", "an IANA time zone", reading)?;
    let database = jiff::tz::TimeZoneDatabase::bundled();
    if let Some(name) = database.get(text.value).ok().and_then(|zone| zone.iana_name().map(str::to_owned)) {
        return Some(name);
    }
    let finding = Finding::new(
        Code::Zone,
        text.at,
        format!("`{}` is not a time zone of the IANA database", quoted(text.value)),
    );
    if text.value.eq_ignore_ascii_case("Asia/Beijing") {
        reading.add(finding.help("did you mean `Asia/Shanghai`? The database names China's time after it"));
        return None;
    }
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    let meant = reading.did_you_mean(text.value, names.iter().map(String::as_str));
    reading.add(
        finding
            .help(meant.unwrap_or_else(|| "write a region and a city, such as `Asia/Shanghai`".to_owned())),
    );
    None
}

fn region(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<Region> {
    let text = table.string("region", "a country with a calling code", reading)?;
    let region = Region::find(text.value);
    if region.is_none() {
        let finding = Finding::new(
            Code::Region,
            text.at,
            format!("`{}` is not a region whose calling code is known", quoted(text.value)),
        );
        let help = match text.value {
            "uk" => "did you mean `gb`?".to_owned(),
            _ => format!("one of {}", Region::all().map(Region::code).collect::<Vec<_>>().join(", ")),
        };
        reading.add(finding.help(help));
    }
    region
}

fn serves(table: &Table<'_>, reading: &mut Reading<'_>) -> Vec<S<Place>> {
    let texts = table.strings("serves", "a list such as `[\"cn\", \"eu\"]`", reading);
    table.limit("serves", texts.len(), MOST_SERVED, reading);
    if texts.is_empty() && table.find("serves").is_some_and(|value| value.get_ref().is_array()) {
        let finding = Finding::new(Code::Empty, table.key_at("serves"), "the shop serves nobody");
        reading.add(finding.help("name the countries whose consumers may buy: `serves = [\"cn\", \"eu\"]`"));
    }
    let place = |text: &S<&str>| place_of(text, reading).map(|value| S { value, at: text.at });
    texts.iter().filter_map(place).collect()
}

fn sells_on(table: &Table<'_>, reading: &mut Reading<'_>) -> Vec<S<Channel>> {
    let texts = table.strings("sells_on", "a list such as `[\"own\", \"tmall\"]`", reading);
    texts.iter().filter_map(|text| reading.word_of(text)).collect()
}

/// `[shop.representative.PLACE]`.
fn representatives(table: &Table<'_>, reading: &mut Reading<'_>) -> Vec<DraftRepresentative> {
    let mut found = Vec::new();
    for (place, value) in table.entries("representative", reading) {
        let path = table.path_of("representative");
        let opened = Table::open(
            value,
            place.at,
            format!("{path}.{}", quoted(place.value)),
            "shop.representative",
            reading,
        );
        let (Some(place), Some(one)) =
            (place_of(&place, reading).map(|value| S { value, at: place.at }), opened)
        else {
            continue;
        };
        found.push(DraftRepresentative {
            place,
            name: one.words("name", reading),
            contact: one.words("contact", reading),
        });
    }
    found
}
