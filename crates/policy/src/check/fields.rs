//! Each field by itself: does anyone hold it, does anyone use it, is it masked and indexed as its nature asks?

use super::{Checked, listing};
use crate::code::Code;
use crate::draft::DraftField;
use crate::finding::{Finding, Sink};
use crate::law;
use crate::words::{FieldKind, Mask, Normalise};
use std::collections::BTreeSet;

pub(super) fn check(checked: &Checked<'_>, sink: &mut Sink) {
    let used: BTreeSet<(&str, &str)> = checked
        .uses
        .iter()
        .flatten()
        .map(|used| (used.kind.name.value.as_str(), used.field.name.value.as_str()))
        .collect();
    for field in &checked.draft.fields {
        held_and_used(checked, field, &used, sink);
        search(field, sink);
        mask(field, sink);
        texts_only(field, sink);
        files(field, sink);
        sensitivity(field, sink);
    }
}

fn held_and_used(checked: &Checked<'_>, field: &DraftField, used: &BTreeSet<(&str, &str)>, sink: &mut Sink) {
    let name = field.name.value.as_str();
    let holders: Vec<&str> = checked
        .draft
        .kinds
        .iter()
        .filter(|kind| kind.holds(name))
        .map(|kind| kind.name.value.as_str())
        .collect();
    let all_known = checked.draft.kinds.iter().all(|kind| kind.fields_known);
    if holders.is_empty() && (!all_known || checked.is_meant_elsewhere(name)) {
        return;
    }
    if holders.is_empty() {
        let finding = Finding::new(Code::HeldByNone, field.name.at, format!("no record kind holds `{name}`"));
        sink.add(finding.help("add it to the `fields` of a record kind, or take it out"));
        return;
    }
    let idle: Vec<&str> = holders.iter().copied().filter(|kind| !used.contains(&(*kind, name))).collect();
    if idle.is_empty() || checked.is_meant_elsewhere(name) {
        return;
    }
    let message = if idle.len() == holders.len() {
        format!("`{name}` is used by no purpose")
    } else {
        format!("`{name}` is used by no purpose in records of kind {}", listing(idle.iter().copied()))
    };
    let mut finding = Finding::new(Code::Purposeless, field.name.at, message);
    let places = checked.draft.kinds.iter().filter(|kind| idle.contains(&kind.name.value.as_str()));
    for held in places.filter_map(|kind| kind.fields.iter().find(|held| held.value.as_str() == name)).take(3)
    {
        finding = finding.also(held.at, "held here");
    }
    let help = "what has no purpose is not kept: it is dropped at the door. Name the purpose it serves, or take it out of the record kind";
    sink.add(finding.help(help).cite(law::MINIMISATION));
}

fn search(field: &DraftField, sink: &mut Sink) {
    let name = &field.name.value;
    if let Some(index) = field.index.as_ref().filter(|_| field.kind == Some(FieldKind::Boolean)) {
        let finding =
            Finding::new(Code::BadIndex, index.at, format!("`{name}` is a boolean and cannot be indexed"));
        sink.add(finding.help("an index over two values tells everyone's value apart; take `index` out"));
    }
    if let Some(index) = field.index.as_ref().filter(|_| field.kind == Some(FieldKind::File)) {
        let finding =
            Finding::new(Code::BadIndex, index.at, format!("`{name}` is a file and cannot be indexed"));
        sink.add(finding.help("nobody looks for a file by its bytes; take `index` out"));
    }
    let unindexed_text = field.kind == Some(FieldKind::Text)
        && field.normalise.as_ref().is_none_or(|how| how.value == Normalise::None);
    if let Some((index, category)) =
        field.index.as_ref().zip(field.category.as_ref()).filter(|_| unindexed_text)
    {
        let fitting = match category.value.key() {
            "user.contact.email" => Some("email"),
            "user.contact.phone_number" | "user.contact.fax_number" => Some("phone"),
            _ => None,
        };
        if let Some(fitting) = fitting {
            let message = format!("the index of `{name}` finds only what is typed exactly as it was");
            let finding = Finding::new(Code::IndexUnnormalised, index.at, message);
            sink.add(finding.help(format!(
                "add `normalise = \"{fitting}\"`, so that a blank or a capital letter makes no difference"
            )));
        }
    }
    let Some(unique) = field.unique.as_ref().filter(|unique| unique.value) else { return };
    if field.index.is_none() {
        let finding = Finding::new(
            Code::UniqueNoIndex,
            unique.at,
            format!("`{name}` is unique, but has no index to find out by"),
        );
        sink.add(finding.help("add `index = \"exact\"`"));
    }
    if let Some(category) = field.category.as_ref().filter(|category| category.value.is_shared()) {
        let message = format!("`{name}` is unique, but people share it");
        let finding = Finding::new(Code::UniqueShared, unique.at, message)
            .also(category.at, "shared by families and colleagues");
        sink.add(finding.help(
            "the second person to give it would be refused; take `unique` out unless that is what you want",
        ));
    }
}

fn mask(field: &DraftField, sink: &mut Sink) {
    let name = &field.name.value;
    match (&field.mask, field.kind) {
        (Some(mask), Some(FieldKind::File)) if mask.value != Mask::All => {
            let message = format!("`{name}` is a file and is shown whole or not at all");
            let finding = Finding::new(Code::BadMask, mask.at, message);
            sink.add(finding.help("write `mask = \"all\"`, or take `mask` out"));
        }
        (Some(mask), Some(kind)) if !matches!(kind, FieldKind::Text | FieldKind::File) => {
            let finding =
                Finding::new(Code::BadMask, mask.at, format!("`{name}` is not text and cannot be masked"));
            sink.add(finding.help(
                "a masked number is another number; take `mask` out, or make the field `kind = \"text\"`",
            ));
        }
        _ => {}
    }
    let Some(category) = field.category.as_ref().filter(|category| category.value.needs_mask()) else {
        return;
    };
    if !field.mask_written {
        let finding = Finding::new(Code::NoMask, field.name.at, format!("`{name}` has no mask"));
        let fitting = match category.value.key() {
            _ if field.kind == Some(FieldKind::File) => "all",
            key if key.starts_with("user.financial") => "card",
            key if key.starts_with("user.government_id") => "id",
            _ => "all",
        };
        let help = format!("add `mask = \"{fitting}\"`; those who need not see all of it then see a part");
        sink.add(finding.also(category.at, "seldom needs to be seen in full").help(help).cite(law::SECURITY));
    }
}

fn texts_only(field: &DraftField, sink: &mut Sink) {
    let Some(how) = field.normalise.as_ref().filter(|how| how.value != Normalise::None) else { return };
    if field.kind.is_some_and(|kind| kind != FieldKind::Text) {
        let message = format!("`{}` is not text and needs no normaliser", field.name.value);
        let finding = Finding::new(Code::BadNormalise, how.at, message);
        sink.add(finding.help("dates, numbers and files have one form already; take `normalise` out"));
    }
}

/// A file says of which media types it can be; nothing else does.
fn files(field: &DraftField, sink: &mut Sink) {
    let name = &field.name.value;
    match field.kind {
        // One that is none was told where it stands.
        Some(FieldKind::File)
            if field.media.is_empty() && (field.media_at.is_none() || field.media_is_empty) =>
        {
            let place = field.media_at.unwrap_or(field.name.at);
            let finding = Finding::new(Code::Media, place, format!("`{name}` is a file of no media type"));
            sink.add(finding.help("say what is taken: `media = [\"image/jpeg\", \"application/pdf\"]`"));
        }
        Some(kind) if kind != FieldKind::File => {
            for (at, key) in [(field.media_at, "media"), (field.at_most_at, "at_most")] {
                let Some(at) = at else { continue };
                let finding =
                    Finding::new(Code::NotAFile, at, format!("`{name}` is not a file and takes no `{key}`"));
                sink.add(finding.help("take it out, or make the field `kind = \"file\"`"));
            }
        }
        _ => {}
    }
}

fn sensitivity(field: &DraftField, sink: &mut Sink) {
    let (Some(said), Some(category)) = (&field.sensitive, &field.category) else { return };
    let laws = category.value.sensitive_by();
    if !said.value && !laws.is_empty() {
        let message = format!("`{}` is declared not to be sensitive", field.name.value);
        let finding =
            Finding::new(Code::NotSensitive, said.at, message).also(category.at, "counts as sensitive");
        sink.add(
            finding.help("take `sensitive = false` out, unless counsel has told you otherwise").cite(laws),
        );
    }
}
