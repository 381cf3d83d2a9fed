//! Following names: to kinds, fields, recipients, purposes.

use super::{listing, with_meant};
use crate::code::Code;
use crate::draft::{Draft, DraftField, DraftKind, DraftPurpose, DraftUse};
use crate::finding::{At, Finding, Sink};
use crate::read::table::S;
use crate::text::Name;
use std::collections::BTreeMap;

/// One field of one kind, as a purpose uses it.
pub(crate) struct Use<'d> {
    pub(crate) kind: &'d DraftKind,
    pub(crate) field: &'d DraftField,
    pub(crate) at: At,
    pub(crate) masked: bool,
    pub(crate) optional: bool,
}

/// Follows every name; gives the fields of each purpose, and the names of fields and recipients that led nowhere.
pub(super) fn follow<'d>(draft: &'d Draft, sink: &mut Sink) -> (Vec<Vec<Use<'d>>>, Vec<&'d str>) {
    let mut lost = Vec::new();
    kinds(draft, sink, &mut lost);
    for purpose in &draft.purposes {
        recipients(draft, purpose, sink, &mut lost);
    }
    roles(draft, sink);
    let uses = draft.purposes.iter().map(|purpose| fields_of(draft, purpose, sink, &mut lost)).collect();
    (uses, lost)
}

fn kinds<'d>(draft: &'d Draft, sink: &mut Sink, lost: &mut Vec<&'d str>) {
    for kind in &draft.kinds {
        for field in &kind.fields {
            if find_field(draft, field.value.as_str()).is_none() {
                lost.push(field.value.as_str());
                let message = format!("field `{}` is not declared", field.value);
                let finding = Finding::new(Code::UnknownField, field.at, message);
                let names = draft.fields.iter().map(|field| field.name.value.as_str());
                let help = || format!("declare it: `[field.{}]`", field.value);
                sink.add(with_meant(finding, field.value.as_str(), names, help, sink));
            }
        }
        if let Some(of) = &kind.of {
            parent(draft, kind, of, sink);
        }
    }
}

fn parent(draft: &Draft, kind: &DraftKind, of: &S<Name>, sink: &mut Sink) {
    let Some(above) = find_kind(draft, of.value.as_str()) else {
        sink.add(unknown_kind(draft, &of.value, of.at, sink));
        return;
    };
    if above.name.value == kind.name.value {
        let finding = Finding::new(Code::Parent, of.at, format!("`{}` belongs to itself", kind.name.value));
        sink.add(finding.help("take `of` out, or name the kind whose records these belong to"));
    } else if let Some(further) = &above.of {
        let message = format!(
            "`{}` belongs to `{}`, which itself belongs to `{}`",
            kind.name.value, of.value, further.value
        );
        let finding = Finding::new(Code::Parent, of.at, message).also(further.at, "belongs here");
        sink.add(finding.help("one level is possible: let both belong to the uppermost kind"));
    }
}

fn recipients<'d>(draft: &Draft, purpose: &'d DraftPurpose, sink: &mut Sink, lost: &mut Vec<&'d str>) {
    for recipient in &purpose.recipients {
        if !draft.recipients.iter().any(|declared| declared.name.value == recipient.value) {
            lost.push(recipient.value.as_str());
            let finding = Finding::new(
                Code::UnknownRecipient,
                recipient.at,
                format!("recipient `{}` is not declared", recipient.value),
            );
            let names = draft.recipients.iter().map(|declared| declared.name.value.as_str());
            let help = || format!("declare it: `[recipient.{}]`", recipient.value);
            sink.add(with_meant(finding, recipient.value.as_str(), names, help, sink));
        }
    }
}

fn roles(draft: &Draft, sink: &mut Sink) {
    for purpose in draft.roles.iter().flat_map(|role| &role.purposes) {
        if !draft.purposes.iter().any(|declared| declared.name.value == purpose.value) {
            let finding = Finding::new(
                Code::UnknownPurpose,
                purpose.at,
                format!("purpose `{}` is not declared", purpose.value),
            );
            let names = draft.purposes.iter().map(|declared| declared.name.value.as_str());
            let help = || format!("declare it: `[purpose.{}]`", purpose.value);
            sink.add(with_meant(finding, purpose.value.as_str(), names, help, sink));
        }
    }
}

fn fields_of<'d>(
    draft: &'d Draft,
    purpose: &'d DraftPurpose,
    sink: &mut Sink,
    lost: &mut Vec<&'d str>,
) -> Vec<Use<'d>> {
    let mut found: Vec<Use<'d>> = Vec::new();
    let mut seen: BTreeMap<(&str, &str), At> = BTreeMap::new();
    for mention in &purpose.fields {
        let Some((field, kinds)) = lead(draft, mention, sink) else {
            lost.push(mention.field.as_str());
            continue;
        };
        for kind in kinds {
            let place = (kind.name.value.as_str(), field.name.value.as_str());
            if let Some(before) = seen.insert(place, mention.at) {
                let message = format!(
                    "`{}.{}` is listed twice in `purpose.{}.fields`",
                    place.0, place.1, purpose.name.value
                );
                let finding = Finding::new(Code::Duplicate, mention.at, message)
                    .here("again here")
                    .also(before, "first here");
                sink.add(finding.help("a field without its kind means the field in every kind that has it; name the kinds one by one"));
                continue;
            }
            found.push(Use {
                kind,
                field,
                at: mention.at,
                masked: mention.masked,
                optional: mention.optional,
            });
        }
    }
    found
}

/// The field and the kinds a mention means; `None`, with a finding, when it means nothing.
fn lead<'d>(
    draft: &'d Draft,
    mention: &DraftUse,
    sink: &mut Sink,
) -> Option<(&'d DraftField, Vec<&'d DraftKind>)> {
    let name = mention.field.as_str();
    let field = find_field(draft, name);
    let kind = mention.kind.as_ref().map(|kind| (kind, find_kind(draft, kind.as_str())));
    if let Some((kind, None)) = kind {
        sink.add(unknown_kind(draft, kind, mention.at, sink));
        return None;
    }
    let kind = kind.and_then(|(_, found)| found);
    let Some(field) = field else {
        let finding = Finding::new(Code::UnknownField, mention.at, format!("field `{name}` is not declared"));
        let names = draft.fields.iter().map(|field| field.name.value.as_str());
        sink.add(with_meant(finding, name, names, || format!("declare it: `[field.{name}]`"), sink));
        return None;
    };
    let holders: Vec<_> = draft.kinds.iter().filter(|kind| kind.holds(name)).collect();
    match kind {
        // The kind that holds it may be one whose list could not be read.
        None if holders.is_empty() && !draft.kinds.iter().all(|kind| kind.fields_known) => None,
        None if holders.is_empty() => {
            let finding = Finding::new(Code::NotInKind, mention.at, format!("no record kind holds `{name}`"));
            sink.add(
                finding.also(field.name.at, "declared here").help("add it to the `fields` of a record kind"),
            );
            None
        }
        None => Some((field, holders)),
        Some(kind) if kind.holds(name) => Some((field, vec![kind])),
        Some(kind) if !kind.fields_known => None,
        Some(kind) => {
            let message = format!("records of kind `{}` do not hold `{name}`", kind.name.value);
            let mut finding =
                Finding::new(Code::NotInKind, mention.at, message).also(kind.fields_at, "they hold these");
            if !holders.is_empty() {
                finding = finding.help(format!(
                    "`{name}` is held by {}",
                    listing(holders.iter().map(|kind| kind.name.value.as_str()))
                ));
            }
            sink.add(finding);
            None
        }
    }
}

pub(super) fn find_kind<'d>(draft: &'d Draft, name: &str) -> Option<&'d DraftKind> {
    draft.kinds.iter().find(|kind| kind.name.value.as_str() == name)
}

fn find_field<'d>(draft: &'d Draft, name: &str) -> Option<&'d DraftField> {
    draft.fields.iter().find(|field| field.name.value.as_str() == name)
}

pub(super) fn unknown_kind(draft: &Draft, name: &Name, at: At, sink: &Sink) -> Finding {
    let finding = Finding::new(Code::UnknownKind, at, format!("record kind `{name}` is not declared"));
    let names = draft.kinds.iter().map(|kind| kind.name.value.as_str());
    with_meant(finding, name.as_str(), names, || format!("declare it: `[record.{name}]`"), sink)
}
