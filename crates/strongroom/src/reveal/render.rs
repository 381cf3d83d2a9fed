//! Opened values as JSON: the last step before they leave, and the only place where they are written down.

use policy::{FieldMask, ReasonId};
use seal::{Personal, Value};

use super::permit::{Opened, Permit};
use crate::ground::clock::instant;
use crate::ground::work::{field_names, named_reasons};
use crate::ground::{Ids, Problem, Reason, hex};

/// The answer to a reveal, as JSON.
///
/// Fails: `SR-SEAL-005` when the permit's time is over before everything is written.
pub fn render_reveal(permit: &Permit, opened: &[Opened<'_>], ids: &Ids) -> Result<Vec<u8>, Problem> {
    let granted = permit.granted();
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"{\"subject\":\"");
    out.extend_from_slice(ids.show(granted.subject).as_bytes());
    out.extend_from_slice(b"\",\"entry\":\"");
    out.extend_from_slice(ids.show(granted.entry).as_bytes());
    out.extend_from_slice(b"\",\"records\":[");
    for (position, record) in opened.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        render_record(permit, record, ids, &mut out)?;
    }
    out.push(b']');
    write_more(granted.more, &mut out);
    out.push(b'}');
    Ok(out)
}

/// Says that there are more records than the answer has, if there are.
pub(super) fn write_more(more: bool, out: &mut Vec<u8>) {
    if more {
        out.extend_from_slice(b",\"more\":true");
    }
}

fn render_record(permit: &Permit, record: &Opened<'_>, ids: &Ids, out: &mut Vec<u8>) -> Result<(), Problem> {
    let granted = permit.granted();
    let (row, decision) = (&record.item.row, &record.item.decision);
    let kind_ordinal = row.id.kind();
    let kind = granted.policy.registry.kind_of(kind_ordinal);
    out.extend_from_slice(b"{\"record\":\"");
    out.extend_from_slice(ids.show(row.id).as_bytes());
    out.extend_from_slice(b"\",\"kind\":\"");
    out.extend_from_slice(kind.map_or("", |(name, _)| name.as_str()).as_bytes());
    out.extend_from_slice(b"\",\"version\":");
    out.extend_from_slice(row.version.to_string().as_bytes());
    if let Some(external_id) = &record.external_id {
        out.extend_from_slice(b",\"external_id\":");
        write_value(permit, external_id, out)?;
    }
    out.extend_from_slice(b",\"fields\":{");
    let mut first = true;
    for (field, value) in &record.fields {
        let Some(name) = kind.and_then(|(_, kind)| kind.field_name(*field)) else { continue };
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(name.as_str().as_bytes()); // a declared name: letters, digits, `_` and `-`
        out.extend_from_slice(b"\":");
        write_value(permit, value, out)?;
    }
    out.push(b'}');
    let shown = record.fields.iter().fold(FieldMask::EMPTY, |all, (field, _)| all.with(*field));
    let masked = field_names(&granted.policy, kind_ordinal, record.masked.and(shown));
    if !masked.is_empty() {
        out.extend_from_slice(b",\"masked\":");
        write_json(&masked, out);
    }
    let mut refused = named_reasons(decision.reasons.iter(), &granted.policy, kind_ordinal);
    if !record.item.gone.is_empty() {
        refused.push(gone(field_names(&granted.policy, kind_ordinal, record.item.gone)));
    }
    if !refused.is_empty() {
        out.extend_from_slice(b",\"refused\":");
        write_json(&refused, out);
    }
    if let Some(until) = record.item.until {
        out.extend_from_slice(b",\"until\":");
        write_json(&instant(until), out);
    }
    out.push(b'}');
    Ok(())
}

/// Fields whose key is destroyed.
fn gone(fields: Vec<String>) -> Reason {
    let id = ReasonId::Ended;
    Reason { name: id.name(), text: id.english(), text_zh: id.chinese(), fields, law: Vec::new() }
}

/// Writes one value, for a permit that still stands.
pub fn write_value(permit: &Permit, value: &Personal<Value>, out: &mut Vec<u8>) -> Result<(), Problem> {
    match value.show(permit)? {
        Value::Text(text) | Value::Date(text) | Value::Decimal(text) => write_json(text, out),
        Value::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Boolean(yes) => out.extend_from_slice(if *yes { b"true" } else { b"false" }),
        Value::File(head) => write_json(
            &FileSaid { media: head.media(), size_bytes: head.size_bytes(), sha256: hex(head.sha256()) },
            out,
        ),
    }
    Ok(())
}

/// Tells one value as people read it, for a permit that still stands. Takes: where a text goes, and the words for yes and no.
pub fn tell_value(
    permit: &Permit,
    value: &Personal<Value>,
    (yes, no): (&str, &str),
    tell: &mut dyn FnMut(&str),
) -> Result<(), Problem> {
    match value.show(permit)? {
        Value::Text(text) | Value::Date(text) | Value::Decimal(text) => tell(text),
        Value::Integer(number) => tell(&number.to_string()),
        Value::Boolean(is) => tell(if *is { yes } else { no }),
        Value::File(head) => tell(&format!("{} ({} kB)", head.media(), head.size_bytes().div_ceil(1024))),
    }
    Ok(())
}

/// What a reveal says of a file. Its bytes have an address of their own.
#[derive(serde::Serialize)]
struct FileSaid<'h> {
    media: &'h str,
    size_bytes: u64,
    sha256: String,
}

/// Writing to memory cannot fail; what serde could refuse (a map with keys that are not text) is never given to it here.
fn write_json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.extend_from_slice(b"null");
    }
}
