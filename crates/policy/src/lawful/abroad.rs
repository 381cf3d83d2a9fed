//! Recipients outside the territory of a law: by which route do data of its people get there?

use super::Found;
use super::applies::Applied;
use super::asking::ask;
use super::bars::Barred;
use super::purposes::{recipients, sensitive_words};
use super::tasks::Task;
use super::words;
use crate::check::Checked;
use crate::check::names::Use;
use crate::code::Code;
use crate::draft::{DraftPurpose, DraftRecipient, DraftRoute};
use crate::finding::Finding;
use crate::words::{Basis, RecipientKind, Route};
use serde_json::{Value as Json, json};

pub(super) fn check(checked: &Checked<'_>, applied: &Applied<'_>, found: &mut Found) {
    let kept_in = checked.draft.shop.kept_in.as_ref();
    // LAW: a law of one of the United States speaks of what leaves the country; what never was there does not.
    let is_abroad_already = kept_in.is_some_and(|place| !applied.is_home(place.value.country()));
    if applied.pack.id.starts_with("us-") && is_abroad_already {
        return;
    }
    for recipient in &checked.draft.recipients {
        if !applied.is_abroad(recipient) || recipient.kind == Some(RecipientKind::Authority) {
            continue;
        }
        // The gate knows of each purpose for which nothing may be sent; the person who mends it, of the first.
        let mut is_told = false;
        for (purpose, uses) in checked.purposes() {
            let is_named = recipients(checked, purpose).any(|named| std::ptr::eq(named, recipient));
            if !is_named {
                continue;
            }
            match one(checked, applied, recipient, (purpose, uses), found) {
                Said::Task(task) if !is_told => {
                    found.add_task(task);
                    is_told = true;
                }
                Said::Derogation(task) if !is_told => found.add_task(task),
                Said::Finding(finding) if !is_told => {
                    found.add(*finding);
                    is_told = true;
                }
                Said::Nothing | Said::Task(_) | Said::Derogation(_) | Said::Finding(_) => {}
            }
        }
    }
}

/// What there is to say of one recipient for one purpose.
enum Said {
    Nothing,
    /// Somebody has to find out which route it is.
    Task(Task),
    /// It goes by an exemption for what is rare; whether it is, somebody has to see.
    Derogation(Task),
    Finding(Box<Finding>),
}

/// One recipient for one purpose.
fn one(
    checked: &Checked<'_>,
    applied: &Applied<'_>,
    recipient: &DraftRecipient,
    (purpose, uses): (&DraftPurpose, &[Use<'_>]),
    found: &mut Found,
) -> Said {
    let declared = route_of(recipient, applied);
    let Some(heard) =
        ask(applied.pack, "transfer", &facts(checked, recipient, purpose, uses, declared), found.on)
    else {
        return Said::Nothing;
    };
    let Some((asked, rule)) = heard.word("route") else {
        return Said::Task(Task::of_asks(&heard, "choose_route", recipient.name.value.as_str()));
    };
    if matches!(asked, "exempt" | "free" | "adequacy") {
        return Said::Nothing;
    }
    let (name, place) = (&recipient.name.value, recipient.place.as_ref());
    let at = place.map_or(recipient.name.at, |place| place.at);
    let named = purpose.recipients.iter().find(|named| named.value == *name);
    let to = place.map_or_else(String::new, |place| place.value.to_string());
    let finding = match declared {
        Some(route) if words::answers(asked, route) => return Said::Nothing,
        // LAW: GDPR 49(1)(b)-(c): what a contract with the person needs, now and then. Whether it is rare, the file does not say.
        Some(Route::Exempt) if asked == "safeguards" && purpose_is_contract(purpose) => {
            return Said::Derogation(Task::of_rule(applied.pack, rule, "derogation", name.as_str()));
        }
        Some(route) => {
            let message =
                format!("data goes to `{name}` in `{to}` by `{route}`, and the law asks for another route");
            Finding::new(Code::OtherRoute, at, message)
        }
        None => {
            let message = format!("data goes to `{name}` in `{to}`, and no route abroad is named");
            Finding::new(Code::NoRoute, at, message)
        }
    };
    let finding = match named {
        Some(named) => finding.also(named.at, format!("for `{}`", purpose.name.value)),
        None => finding,
    };
    let help = format!(
        "agree on a route, and name it to `route = {{ LAW = \"…\" }}`; or choose a recipient at home\n{}: {}",
        applied.pack.id,
        words::routes_for(asked)
    );
    let barred = Barred::Transfer { purpose: purpose.name.value.clone(), recipient: name.clone() };
    found.bars.add(applied.pack, rule, barred);
    Said::Finding(Box::new(finding.help(help).by(applied.pack, rule)))
}

fn purpose_is_contract(purpose: &DraftPurpose) -> bool {
    purpose.basis.as_ref().is_some_and(|basis| basis.value == Basis::Contract)
}

/// The route that the file names under this law.
fn route_of(recipient: &DraftRecipient, applied: &Applied<'_>) -> Option<Route> {
    let is_its = |route: &&DraftRoute| {
        route.law.as_ref().is_some_and(|law| {
            law.as_str() == applied.pack.id || (applied.pack.id == "uk" && law.country() == "gb")
        })
    };
    let own = recipient.routes.iter().find(is_its);
    let of_all = || recipient.routes.iter().find(|route| route.law.is_none());
    own.or_else(of_all).map(|route| route.route.value)
}

fn facts(
    checked: &Checked<'_>,
    recipient: &DraftRecipient,
    purpose: &DraftPurpose,
    uses: &[Use<'_>],
    declared: Option<Route>,
) -> Json {
    let persons = checked.draft.shop.persons.map(|count| count.value);
    let categories = sensitive_words(uses);
    // The file knows how many persons there are at most; whose data is sensitive is counted as sensitive.
    let (plain, sensitive) = match persons {
        Some(persons) if categories.is_empty() => (Some(persons), Some(0)),
        Some(persons) => (Some(persons), Some(persons)),
        None if categories.is_empty() => (None, Some(0)),
        None => (None, None),
    };
    let to = recipient.place.as_ref().map(|place| words::place(place.value.country()));
    json!({
        "is_ciio": false,
        "important_data": false,
        "personal_data": true,
        "collected_abroad_only": false,
        "outside_negative_list": false,
        "persons_since_january": plain,
        "sensitive_since_january": sensitive,
        "export_for": export_for(recipient, purpose),
        "to": to,
        "recipient_certified": declared == Some(Route::Adequacy),
        "basis": purpose.basis.as_ref().map(|basis| words::ground(basis.value)),
    })
}

/// What it is sent abroad for. A carrier or a payment institution that the contract needs serves the contract; somebody who
/// keeps or works on data for the shop serves the shop.
fn export_for(recipient: &DraftRecipient, purpose: &DraftPurpose) -> &'static str {
    let basis = purpose.basis.as_ref().map(|basis| basis.value);
    let is_within = |key: &str| purpose.data_use.is_some_and(|used| used.is_within(key));
    match (recipient.kind, basis) {
        (Some(RecipientKind::Processor), _) => "processing",
        (_, Some(Basis::Contract)) => "contract_with_person",
        (_, Some(Basis::LegalObligation)) => "legal_duty",
        _ if is_within("marketing") => "marketing",
        _ if is_within("analytics") => "crm_analytics",
        _ => "other",
    }
}
