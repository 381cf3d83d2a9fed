//! Each purpose under each law: has the law its ground, is its consent of the right form, may it begin by itself, can it
//! be ended, is more demanded than it needs?

use super::Found;
use super::applies::Applied;
use super::asking::{Heard, ask};
use super::bars::Barred;
use super::tasks::Task;
use super::words::{self, ADULT};
use crate::check::names::Use;
use crate::check::{Checked, listing};
use crate::code::Code;
use crate::draft::{DraftPurpose, DraftRecipient};
use crate::finding::Finding;
use crate::taxonomy::Category;
use crate::words::{Basis, Consideration, RecipientKind, RecipientRole};
use rulebook::{Confidence, Rule};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

pub(super) fn check(checked: &Checked<'_>, applied: &Applied<'_>, found: &mut Found) {
    for (purpose, uses) in checked.purposes() {
        let Some(basis) = purpose.basis.as_ref().map(|basis| basis.value) else { continue };
        let one = One { checked, applied, purpose, uses, basis };
        if one.ground(found) {
            let is_told_apart = one.consent(found);
            one.activity(is_told_apart, found);
        }
        one.necessary(found);
    }
}

/// One purpose under one law.
struct One<'c> {
    checked: &'c Checked<'c>,
    applied: &'c Applied<'c>,
    purpose: &'c DraftPurpose,
    uses: &'c [Use<'c>],
    basis: Basis,
}

impl<'c> One<'c> {
    fn name(&self) -> &str {
        self.purpose.name.value.as_str()
    }

    fn basis_at(&self) -> crate::finding::At {
        self.purpose.basis.as_ref().map_or(self.purpose.name.at, |basis| basis.at)
    }

    fn ask(&self, question: &str, facts: &Json, found: &Found) -> Option<Heard<'c>> {
        let mut all = self.facts();
        if let (Some(all), Some(more)) = (all.as_object_mut(), facts.as_object()) {
            all.extend(more.clone());
        }
        ask(self.applied.pack, question, &all, found.on)
    }

    /// What is the same in every question about it.
    fn facts(&self) -> Json {
        let recipients = || recipients(self.checked, self.purpose);
        let shares = recipients().any(|recipient| {
            recipient.role() == Some(RecipientRole::Handler)
                && recipient.kind != Some(RecipientKind::Authority)
        });
        json!({
            "basis": words::ground(self.basis),
            "categories": sensitive_words(self.uses),
            "age": ADULT,
            "member_state": self.applied.member,
            "shares_with_handler": shares,
            "publishes": false,
            "exports": recipients().any(|recipient| self.applied.is_abroad(recipient)),
            "public_place_images": false,
            "purpose_or_method_changed": false,
            "refused_before": false,
            "similar_own_products": self.purpose.similar.is_some_and(|similar| similar.value),
        })
    }

    /// Has the law this ground, for these data?
    fn ground(&self, found: &mut Found) -> bool {
        let Some(heard) = self.ask("basis", &json!({}), found) else { return true };
        let Some((false, rule)) = heard.yes("valid") else { return true };
        let plain = self.ask("basis", &json!({ "categories": [] }), found);
        let is_for_these_data = plain.is_some_and(|heard| heard.yes("valid").is_some_and(|(valid, _)| valid));
        let mut finding = if is_for_these_data {
            let names = self.sensitive_names();
            let message =
                format!("`{}` uses {} on the basis of `{}`", self.name(), listing(names), self.basis);
            let finding = Finding::new(Code::SensitiveGround, self.basis_at(), message);
            self.mark_sensitive(finding.here("not enough for these data"))
        } else {
            let message =
                format!("`{}` relies on `{}`, which the law does not have", self.name(), self.basis);
            Finding::new(Code::NoGround, self.basis_at(), message)
        };
        let instead: Vec<String> = words::bases_of(&heard.words("alternatives"))
            .filter(|basis| *basis != self.basis)
            .map(|basis| format!("`{basis}`"))
            .collect();
        finding = finding.help(if instead.is_empty() {
            "find another ground, or take the purpose out".to_owned()
        } else {
            format!("grounds that it has: {}; choose the one that is true", instead.join(", "))
        });
        self.bar(&heard, rule, None, found);
        found.add(finding.by(heard.pack, rule));
        false
    }

    /// What is unlawful about it, the gate refuses: the purpose as a whole, or sending anything for it to somebody.
    fn bar(&self, heard: &Heard<'_>, rule: &Rule, sent_to: Option<&DraftRecipient>, found: &mut Found) {
        let purpose = self.purpose.name.value.clone();
        let what = match sent_to {
            None => Barred::Purpose(purpose),
            Some(recipient) => Barred::Transfer { purpose, recipient: recipient.name.value.clone() },
        };
        found.bars.add(heard.pack, rule, what);
    }

    /// Is the consent of the form that the law wants? Gives whether it was told to be asked for apart.
    fn consent(&self, found: &mut Found) -> bool {
        let Some(heard) = self.ask("consent", &json!({}), found) else { return false };
        let Some((needed, rule)) = heard.word("consent") else { return false };
        let wants_separate = matches!(needed, "separate" | "written");
        let is_together = wants_separate && self.basis == Basis::Consent;
        if is_together {
            let message = format!("`{}` asks for consent together with everything else", self.name());
            let mut finding = Finding::new(Code::SeparateConsent, self.basis_at(), message);
            finding = self.mark_sensitive(self.mark_recipients(finding));
            let help = "ask for it apart from everything else: `basis = \"separate_consent\"`";
            self.bar(&heard, rule, None, found);
            found.add(finding.help(help).by(heard.pack, rule));
        } else if !self.basis.is_consent() && matches!(needed, "explicit" | "separate" | "written") {
            if rule.confidence == Confidence::Secondary {
                // The text and what the authority says of it differ: on the safe side, and no finding.
                found.add_task(Task::of_rule(heard.pack, rule, "separate_consent", self.name()));
                return false;
            }
            let message =
                format!("`{}` needs consent for these data, and rests on `{}`", self.name(), self.basis);
            let finding = self.mark_sensitive(Finding::new(Code::NoConsent, self.basis_at(), message));
            let instead = if wants_separate { "separate_consent" } else { "consent" };
            self.bar(&heard, rule, None, found);
            found.add(finding.help(format!("write `basis = \"{instead}\"`")).by(heard.pack, rule));
        }
        if needed == "written" {
            found.add_task(Task::of_rule(heard.pack, rule, "written_consent", self.name()));
        }
        is_together
    }

    /// May what it does begin by itself, and can people end it?
    fn activity(&self, is_told_apart: bool, found: &mut Found) {
        if let Some(activity) = self.purpose.data_use.and_then(words::activity) {
            self.default_of(activity, None, found);
            if words::lets_minors_in(self.checked.draft.shop.minors.as_ref().map(|how| how.value)) {
                self.banned_for_minors(activity, found);
            }
        }
        // That it is to be asked for apart was told once.
        for recipient in recipients(self.checked, self.purpose).filter(|_| !is_told_apart) {
            match recipient.consideration.map(|got| got.value) {
                Some(Consideration::Sale) => self.default_of("sale", Some(recipient), found),
                Some(Consideration::Exchange) => self.default_of("sharing", Some(recipient), found),
                Some(Consideration::None) | None => {}
            }
        }
    }

    fn default_of(&self, activity: &str, sold_to: Option<&DraftRecipient>, found: &mut Found) {
        let Some(heard) = self.ask("default", &json!({ "activity": activity }), found) else { return };
        let Some((model, rule)) = heard.word("model") else { return };
        let (code, what, help) = match model {
            "opt_in" if !self.basis.is_consent() => {
                (Code::NoConsent, "begins before people say yes", "write `basis = \"consent\"`")
            }
            "separate_consent" if self.basis != Basis::SeparateConsent => (
                Code::SeparateConsent,
                "needs a yes of its own",
                "ask for it apart from everything else: `basis = \"separate_consent\"`",
            ),
            "opt_out" | "soft_opt_in" if !self.basis.can_be_refused() => (
                Code::NoWayOut,
                "cannot be ended by those whom it concerns",
                "write `basis = \"consent\"`, or `\"legitimate_interest\"` where the law has it: people can then say no",
            ),
            "banned" => {
                (Code::Banned, "does what the law forbids", "take it out, or leave these people out of it")
            }
            _ => return,
        };
        // A way out that is missing has to be made; until then nobody has taken it.
        if code != Code::NoWayOut {
            self.bar(&heard, rule, sold_to, found);
        }
        let doing = activity.replace('_', " ");
        let message = format!("`{}` ({doing}) {what}", self.name());
        let finding = Finding::new(code, self.basis_at(), message);
        let finding = match sold_to {
            None => finding.also(self.purpose.use_at, doing),
            Some(recipient) => {
                let at = recipient.consideration.as_ref().map_or(recipient.name.at, |got| got.at);
                finding.also(at, "something is given for the data")
            }
        };
        found.add(finding.help(help).by(heard.pack, rule));
    }

    /// What a law lets nobody do to minors, in a shop that lets them in.
    fn banned_for_minors(&self, activity: &str, found: &mut Found) {
        let of_adults = self.ask("default", &json!({ "activity": activity }), found);
        if of_adults.and_then(|heard| heard.word("model")).is_some_and(|(model, _)| model == "banned") {
            return;
        }
        for age in words::MINORS {
            let Some(heard) = self.ask("default", &json!({ "activity": activity, "age": age }), found) else {
                continue;
            };
            let Some(("banned", rule)) = heard.word("model") else { continue };
            let doing = activity.replace('_', " ");
            let message = format!("`{}` ({doing}) does to minors what the law forbids", self.name());
            let finding =
                Finding::new(Code::Banned, self.basis_at(), message).also(self.purpose.use_at, doing);
            let help = "leave minors out of it, or write `minors = \"not_served\"`";
            let barred = Barred::PurposeForMinors(self.purpose.name.value.clone());
            found.bars.add(heard.pack, rule, barred);
            return found.add(finding.help(help).by(heard.pack, rule));
        }
    }

    /// Is somebody who buys asked for more than a rule holds necessary for that?
    fn necessary(&self, found: &mut Found) {
        let serves_by_contract = self.basis == Basis::Contract
            && self.purpose.data_use.is_some_and(|used| used.is_within("essential"));
        if !serves_by_contract {
            return;
        }
        let facts = json!({ "service": "online_shopping" });
        let Some(heard) = self.ask("necessary", &facts, found) else { return };
        let necessary = heard.words("required");
        if necessary.is_empty() {
            return;
        }
        let Some(rule) = heard.rule_of("required") else { return };
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for used in self.uses.iter().filter(|used| !used.optional) {
            let name = used.field.name.value.as_str();
            let Some(category) = category_of(used) else { continue };
            if words::is_necessary(category, &necessary) || !told.insert(name) {
                continue;
            }
            let message = format!("`{}` demands `{name}`, which is not needed for buying", self.name());
            let finding = Finding::new(Code::NotNecessary, used.at, message);
            let help = format!("let people leave it out: `{{ field = \"{name}\", optional = true }}`");
            found.add(finding.help(help).by(heard.pack, rule));
        }
    }

    fn sensitive_names(&self) -> Vec<&'c str> {
        let mut names: Vec<&str> = Vec::new();
        for used in self.uses.iter().filter(|used| is_sensitive(used)) {
            let name = used.field.name.value.as_str();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn mark_sensitive(&self, mut finding: Finding) -> Finding {
        for used in self.uses.iter().filter(|used| is_sensitive(used)).take(2) {
            finding = finding.also(used.at, "sensitive");
        }
        finding
    }

    fn mark_recipients(&self, mut finding: Finding) -> Finding {
        for recipient in recipients(self.checked, self.purpose).take(2) {
            let why = match (self.applied.is_abroad(recipient), recipient.role()) {
                (true, _) => "abroad",
                (false, Some(RecipientRole::Handler)) => "decides by itself",
                (false, _) => continue,
            };
            let named = self.purpose.recipients.iter().find(|named| named.value == recipient.name.value);
            finding = finding.also(named.map_or(recipient.name.at, |named| named.at), why);
        }
        finding
    }
}

/// The recipients that a purpose names.
pub(super) fn recipients<'c>(
    checked: &'c Checked<'_>,
    purpose: &'c DraftPurpose,
) -> impl Iterator<Item = &'c DraftRecipient> {
    let names = |recipient: &&DraftRecipient| {
        purpose.recipients.iter().any(|named| named.value == recipient.name.value)
    };
    checked.draft.recipients.iter().filter(names)
}

fn category_of(used: &Use<'_>) -> Option<Category> {
    used.field.category.as_ref().map(|category| category.value)
}

/// Treated apart by some law, unless the file says that it is not sensitive.
fn is_sensitive(used: &Use<'_>) -> bool {
    let said = used.field.sensitive.as_ref().is_none_or(|said| said.value);
    said && category_of(used).is_some_and(|category| !words::sensitive(category).is_empty())
}

/// The words of packs for what is sensitive among these fields.
pub(super) fn sensitive_words(uses: &[Use<'_>]) -> Vec<&'static str> {
    let of = |used: &Use<'_>| category_of(used).map_or(&[][..], words::sensitive);
    let all: BTreeSet<&str> = uses.iter().filter(|used| is_sensitive(used)).flat_map(of).copied().collect();
    all.into_iter().collect()
}
