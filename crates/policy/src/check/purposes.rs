//! Each purpose by itself: has it fields, may it show them as it says, is its basis enough for them?

use super::names::Use;
use super::{Checked, listing};
use crate::code::Code;
use crate::draft::DraftPurpose;
use crate::finding::{Finding, Sink};
use crate::law;
use crate::words::Basis;

pub(super) fn check(checked: &Checked<'_>, sink: &mut Sink) {
    for (purpose, uses) in checked.purposes() {
        if let Some(at) = purpose.no_fields_at {
            let finding = Finding::new(Code::NoFields, at, format!("`{}` uses no field", purpose.name.value));
            sink.add(finding.help("list the fields it needs: `fields = [\"phone\", \"order.address\"]`"));
        }
        masks(purpose, uses, sink);
        sensitive(purpose, uses, sink);
    }
}

fn masks(purpose: &DraftPurpose, uses: &[Use<'_>], sink: &mut Sink) {
    let mut told: Option<&str> = None;
    for used in uses.iter().filter(|used| used.masked && !used.field.mask_written) {
        let name = used.field.name.value.as_str();
        if told == Some(name) {
            continue;
        }
        told = Some(name);
        let message = format!("`{}` uses `{name}` masked, but the field has no mask", purpose.name.value);
        let finding = Finding::new(Code::MaskedNoMask, used.at, message)
            .also(used.field.name.at, "declared without `mask`");
        let fitting = match used.field.category.map(|category| category.value.key()) {
            Some("user.contact.email") => "email",
            Some("user.contact.phone_number") => "phone",
            Some(key) if key.starts_with("user.name") => "name",
            Some(key) if key.starts_with("user.financial") => "card",
            Some(key) if key.starts_with("user.government_id") => "id",
            _ => "first",
        };
        sink.add(finding.help(format!("add `mask = \"{fitting}\"` to `[field.{name}]`")));
    }
}

fn sensitive(purpose: &DraftPurpose, uses: &[Use<'_>], sink: &mut Sink) {
    let Some(basis) = &purpose.basis else { return };
    if matches!(basis.value, Basis::SeparateConsent | Basis::LegalObligation | Basis::Contract) {
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    let mut finding = Finding::new(Code::Sensitive, basis.at, String::new());
    for used in uses.iter().filter(|used| used.field.is_sensitive()) {
        let name = used.field.name.value.as_str();
        if !names.contains(&name) {
            names.push(name);
            finding = if names.len() <= 3 { finding.also(used.at, "sensitive") } else { finding };
        }
    }
    if names.is_empty() {
        return;
    }
    finding.message =
        format!("`{}` uses {} on the basis of `{}`", purpose.name.value, listing(names), basis.value);
    let help = "sensitive data needs a specific purpose, sufficient necessity and, where it rests on consent, a separate one: `basis = \"separate_consent\"`";
    sink.add(finding.help(help).cite(law::SENSITIVE));
}
