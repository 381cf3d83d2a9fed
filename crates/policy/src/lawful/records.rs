//! Records that laws know: are they kept for as long as the law demands, and no longer than it allows?

use super::Found;
use super::applies::Applied;
use super::asking::ask;
use super::tasks::Task;
use crate::check::Checked;
use crate::code::Code;
use crate::draft::{DraftKeep, DraftKind, DraftPurpose};
use crate::finding::Finding;
use crate::read::table::S;
use crate::words::ShopRole;
use jiff::civil::Date;
use serde_json::json;

pub(super) fn check(checked: &Checked<'_>, applied: &Applied<'_>, found: &mut Found) {
    for kind in &checked.draft.kinds {
        for is in &kind.is {
            one(checked, applied, (kind, is), found);
        }
        // What was paid is in a record that laws know; which, the file does not say.
        let holds_payments = checked.uses.iter().flatten().any(|used| {
            used.kind.name.value == kind.name.value
                && used
                    .field
                    .category
                    .as_ref()
                    .is_some_and(|category| category.value.is_within("user.payment"))
        });
        if kind.is.is_empty() && holds_payments && applied.is_law() {
            found.add_task(Task::of_kind(applied.pack, kind.name.value.as_str()));
        }
    }
}

fn one(
    checked: &Checked<'_>,
    applied: &Applied<'_>,
    (kind, is): (&DraftKind, &S<&'static str>),
    found: &mut Found,
) {
    let holder = match checked.draft.shop.acts_as.as_ref().map(|role| role.value) {
        Some(ShopRole::PlatformOperator) => "platform_operator",
        Some(ShopRole::Merchant) | None => "merchant",
    };
    let facts = json!({
        "record": is.value,
        "holder": holder,
        "began_on": found.on.to_string(),
        "member_state": applied.member,
        "on": found.on.to_string(),
    });
    let Some(heard) = ask(applied.pack, "retention", &facts, found.on) else { return };
    if heard.word("rule").is_none() && heard.is_open() {
        found.add_task(Task::of_asks(
            &heard,
            "keep_at_least",
            &format!("{} ({})", kind.name.value, is.value),
        ));
    }
    for (act, rule, owed) in heard.owed() {
        let Some(due) = owed.due.as_ref() else { continue };
        let name = &kind.name.value;
        let what = is.value;
        match act {
            "keep_at_least" => {
                let (longest, at) = longest_duty(checked, kind, found.on);
                if longest.is_some_and(|until| until >= due.date()) {
                    continue;
                }
                let message = format!("`{name}` is not kept for as long as a law demands of `{what}`");
                let mut finding = Finding::new(Code::KeptTooShort, is.at, message);
                if let Some(at) = at {
                    finding = finding.also(at, "too short");
                }
                let term = rule_term(rule, owed);
                let help = format!(
                    "a purpose that rests on a duty has to keep it: `basis = \"legal_obligation\"`, `must_keep = \"{term} after …\"`, and its `law`"
                );
                found.add(finding.help(help).by(applied.pack, rule));
            }
            "keep_at_most" => {
                for (purpose, at, until) in longest_uses(checked, kind, found.on) {
                    if until > due.date() {
                        let message = format!(
                            "`{}` keeps `{name}` for longer than a rule allows of `{what}`",
                            purpose.name.value
                        );
                        let finding = Finding::new(Code::KeptTooLong, at, message).also(is.at, "the record");
                        let help = format!("keep it for {} at most", rule_term(rule, owed));
                        found.add(finding.help(help).by(applied.pack, rule));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The law's own number: `3y`.
fn rule_term(rule: &rulebook::Rule, owed: &rulebook::Owed) -> String {
    let clock = rule.duties.get(owed.duty).and_then(|duty| duty.clock.as_ref());
    clock.map(|clock| clock.within.to_string()).unwrap_or_default()
}

/// Until when the longest duty keeps a record of this kind that begins on that day, and where it is written.
fn longest_duty(
    checked: &Checked<'_>,
    kind: &DraftKind,
    on: Date,
) -> (Option<Date>, Option<crate::finding::At>) {
    let clocks = using(checked, kind).filter_map(|purpose| purpose.must_keep.as_ref());
    let longest =
        clocks.map(|clock| (clock.value.period.after(on), clock.at)).max_by_key(|(until, _)| *until);
    (longest.map(|(until, _)| until), longest.map(|(_, at)| at))
}

/// Each purpose that keeps a record of this kind: where that is written, and until when; without end where nothing but a withdrawal ends it.
fn longest_uses<'c>(
    checked: &'c Checked<'_>,
    kind: &'c DraftKind,
    on: Date,
) -> impl Iterator<Item = (&'c DraftPurpose, crate::finding::At, Date)> {
    using(checked, kind).filter_map(move |purpose| {
        let (at, until) = match purpose.keep.as_ref()? {
            DraftKeep::After(clock) => (clock.at, clock.value.period.after(on)),
            DraftKeep::UntilWithdrawn(at) => (*at, Date::MAX),
        };
        let cap = purpose.at_most.as_ref().map_or(Date::MAX, |cap| cap.value.period.after(on));
        Some((purpose, at, until.min(cap)))
    })
}

fn using<'c>(checked: &'c Checked<'_>, kind: &'c DraftKind) -> impl Iterator<Item = &'c DraftPurpose> {
    let uses_it = |uses: &[crate::check::names::Use<'_>]| {
        uses.iter().any(|used| used.kind.name.value == kind.name.value)
    };
    checked.purposes().filter(move |(_, uses)| uses_it(uses)).map(|(purpose, _)| purpose)
}
