//! `[window]`: what of the banner a shop sets itself.

use super::MOST_PURPOSES;
use super::table::{Reading, S, Table, at, duplicate};
use crate::code::Code;
use crate::colour::Colour;
use crate::draft::{DraftButton, DraftWindow};
use crate::finding::Finding;
use crate::text::quoted;
use crate::words::WindowAnswer;

pub(super) fn window(root: &Table<'_>, reading: &mut Reading<'_>) -> Option<DraftWindow> {
    let value = root.find("window")?;
    let table = Table::open(value, root.key_at("window"), "window", "window", reading)?;
    Some(DraftWindow {
        at: root.key_at("window"),
        order: order(&table, reading),
        on: table.names("on", "a purpose", MOST_PURPOSES, reading),
        accept: button(&table, "accept", reading),
        reject: button(&table, "reject", reading),
        choose: button(&table, "choose", reading),
    })
}

/// The answers in their order; `None` where the file leaves it as it is.
fn order(table: &Table<'_>, reading: &mut Reading<'_>) -> Option<S<Vec<WindowAnswer>>> {
    table.find("order")?;
    let texts = table.strings("order", "a list such as `[\"reject\", \"accept\", \"choose\"]`", reading);
    let mut found: Vec<S<WindowAnswer>> = Vec::new();
    for text in &texts {
        let Some(word) = reading.word_of::<WindowAnswer>(text) else { continue };
        match found.iter().find(|before| before.value == word.value) {
            Some(before) => reading.add(duplicate(text.value, text.at, before.at, "window.order")),
            None => found.push(word),
        }
    }
    let value = found.into_iter().map(|word| word.value).collect();
    Some(S { value, at: table.key_at("order") })
}

fn button(table: &Table<'_>, key: &'static str, reading: &mut Reading<'_>) -> DraftButton {
    let Some(button) = table.find(key).and_then(|value| {
        Table::open(value, table.key_at(key), table.path_of(key), "window.button", reading)
    }) else {
        return DraftButton::default();
    };
    let label_at = button.find("label").map(at);
    let label = button.texts("label", reading);
    DraftButton {
        at: Some(table.key_at(key)),
        label: label.zip(label_at).map(|(value, at)| S { value, at }),
        text: colour(&button, "text", reading),
        background: colour(&button, "background", reading),
        weight: button.word("weight", reading),
        size: button.word("size", reading),
    }
}

fn colour(table: &Table<'_>, key: &str, reading: &mut Reading<'_>) -> Option<S<Colour>> {
    let text = table.string(key, "a colour such as `\"#17604f\"`", reading)?;
    let colour = Colour::parse(text.value);
    if colour.is_none() {
        let message = format!("`{}` is not a colour", quoted(text.value));
        let help = "write six digits behind `#`, as in `\"#17604f\"`: only of such a colour can the contrast be told";
        reading.add(Finding::new(Code::BadColour, text.at, message).help(help));
    }
    colour.map(|value| S { value, at: text.at })
}
