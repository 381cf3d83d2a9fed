//! The shop itself: who stands for it where it has no seat, how it treats minors, and what its notice cannot say yet.

use super::Found;
use super::applies::Applied;
use super::asking::ask;
use super::purposes::recipients;
use super::tasks::Task;
use super::words;
use crate::check::Checked;
use crate::code::Code;
use crate::draft::DraftRecipient;
use crate::finding::Finding;
use crate::words::{RecipientKind, RecipientRole};
use serde_json::json;

pub(super) fn check(checked: &Checked<'_>, applied: &Applied<'_>, found: &mut Found) {
    representative(checked, applied, found);
    notice(checked, applied, found);
}

fn representative(checked: &Checked<'_>, applied: &Applied<'_>, found: &mut Found) {
    let shop = &checked.draft.shop;
    let Some(seat) = shop.seat().filter(|_| applied.is_served) else { return };
    let facts = json!({
        "established_in": words::place(seat.country()),
        "targets_persons_here": true,
        "occasional_low_risk": false,
        "persons": shop.persons.map(|count| count.value),
    });
    let Some(heard) = ask(applied.pack, "representative", &facts, found.on) else { return };
    let Some((true, rule)) = heard.yes("representative") else { return };
    if applied.is_represented(shop) {
        return;
    }
    let message = "people here are served from abroad, and nobody stands for the shop";
    let finding = Finding::new(Code::NoRepresentative, applied.at, message);
    let help =
        format!("name one there: `[shop.representative.{}]` with `name` and `contact`", applied.pack.id);
    found.add(finding.help(help).by(applied.pack, rule));
}

/// What a notice has to say about recipients, and the file does not.
fn notice(checked: &Checked<'_>, applied: &Applied<'_>, found: &mut Found) {
    for recipient in &checked.draft.recipients {
        let is_used = checked
            .purposes()
            .any(|(purpose, _)| recipients(checked, purpose).any(|named| std::ptr::eq(named, recipient)));
        if !is_used || recipient.contact.is_some() || recipient.kind == Some(RecipientKind::Authority) {
            continue;
        }
        contact(checked, applied, recipient, found);
    }
}

fn contact(checked: &Checked<'_>, applied: &Applied<'_>, recipient: &DraftRecipient, found: &mut Found) {
    let facts = json!({
        "categories": [],
        "shares_with_handler": recipient.role() == Some(RecipientRole::Handler),
        "exports": applied.is_abroad(recipient),
        "handles_minors": words::lets_minors_in(checked.draft.shop.minors.as_ref().map(|how| how.value)),
        "sells": false,
        "automated_decisions": false,
        "persons": checked.draft.shop.persons.map(|count| count.value),
        "to": recipient.place.as_ref().map(|place| words::place(place.value.country())),
    });
    let Some(heard) = ask(applied.pack, "notice", &facts, found.on) else { return };
    for (_, rule, owed) in heard.owed() {
        let list = rule.duties.get(owed.duty).and_then(|duty| duty.list);
        let Some(list) = list.and_then(|list| applied.pack.lists.get(list)) else { continue };
        let mut items = list.items.iter();
        let Some(item) = items.find(|item| item.key.as_deref() == Some("recipient.contact")) else {
            continue;
        };
        let message = format!("the notice cannot tell people how to reach `{}`", recipient.name.value);
        let finding = Finding::new(Code::NotTold, recipient.name.at, message);
        let help = format!("the law asks for {}: add `contact = \"…\"`", item.en);
        found.add(finding.help(help).by(applied.pack, rule));
    }
}

/// What is owed to minors where they are let in.
fn duties_to_minors(applied: &[Applied<'_>], found: &mut Found) {
    for applied in applied.iter().filter(|applied| applied.is_law()) {
        for age in words::MINORS {
            let facts = json!({ "age": age, "basis": "consent", "member_state": applied.member });
            let Some(heard) = ask(applied.pack, "minor", &facts, found.on) else { continue };
            if let Some((true, rule)) = heard.yes("guardian_consent") {
                found.add_task(Task::of_rule(applied.pack, rule, "guardian_consent", ""));
            }
            for (act, rule, owed) in heard.owed() {
                found.add_task(Task::of_duty(applied.pack, rule, owed, act));
            }
        }
    }
}

/// Minors: does the policy say how they are treated, and do its fields agree?
pub(super) fn minors(checked: &Checked<'_>, applied: &[Applied<'_>], found: &mut Found) {
    let shop = &checked.draft.shop;
    let how = shop.minors.as_ref().map(|how| how.value);
    if words::lets_minors_in(how) {
        return duties_to_minors(applied, found);
    }
    let facts = json!({ "age": 8, "basis": "consent" });
    for applied in applied.iter().filter(|applied| applied.is_law()) {
        let Some(heard) = ask(applied.pack, "minor", &facts, found.on) else { continue };
        let Some((true, rule)) = heard.yes("guardian_consent") else { continue };
        if how.is_none() {
            let message = "the policy does not say how minors are treated";
            let finding = Finding::new(Code::MinorsUnsaid, shop.at, message);
            let help = "add `minors = \"not_served\"`, or `minors = \"with_guardian\"` where a parent or guardian consents";
            found.add(finding.help(help).by(applied.pack, rule));
        }
        for field in &checked.draft.fields {
            let Some(category) = field.category.as_ref() else { continue };
            if category.value.is_within("user.childrens") {
                let message =
                    format!("`{}` is data of children, whom the shop does not serve", field.name.value);
                let finding = Finding::new(Code::MinorsUsed, category.at, message);
                let help = "write `minors = \"with_guardian\"` to `[shop]`, or take the field out";
                found.add(finding.help(help).by(applied.pack, rule));
            }
        }
    }
}
