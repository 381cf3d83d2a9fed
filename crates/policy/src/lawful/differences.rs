//! What a change of the policy means under each law: is it material there, which choices no longer cover what they were
//! given for, whom has the shop to tell, and how long before?

use super::applies::packs_that_apply;
use super::asking::{Cited, Heard, ask, cited};
use super::words::{self, ADULT};
use crate::diff::Change;
use crate::model::{Policy, Purpose};
use crate::text::Name;
use jiff::civil::Date;
use rulebook::{Pack, Rule, Soon, Text, Words};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// What a change means under one law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnderLaw {
    /// The pack.
    pub pack: String,
    /// The purposes whose meaning the law holds to have changed.
    pub material: BTreeSet<Name>,
    /// Those of them whose granted choices no longer cover them.
    pub void: BTreeSet<Name>,
    /// What the shop has to do about it.
    pub owed: Vec<Due>,
    /// Where it stands that choices have to be asked for again.
    pub laws: Vec<Cited>,
}

/// Something that a change makes due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// What, in the words of the packs.
    #[serde(rename = "do")]
    pub act: String,
    /// What that is, in English and in Chinese.
    pub name: Text,
    /// To whom; `None` where it is nobody in particular.
    pub to: Option<Words>,
    /// The law's own number, `30d`, where it has one.
    pub within: Option<String>,
    /// How soon, where it has none.
    pub soon: Option<Soon>,
    /// What else there is to say, in English.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
    /// Where it stands.
    pub laws: Vec<Cited>,
}

/// What do these changes mean under the laws that apply to the new policy?
///
/// Takes: the policy that is to be, the [changes](crate::diff()) that lead to it, the packs there are, and the day whose law is asked. Gives:
/// an entry for each law that applies, in the order of the packs; none where nothing is material.
pub fn diff_lawful(new: &Policy, changes: &[Change], packs: &[&Pack], on: Date) -> Vec<UnderLaw> {
    if !changes.iter().any(Change::is_material) {
        return Vec::new();
    }
    let changed = changed_purposes(new, changes);
    packs_that_apply(new, packs).into_iter().filter_map(|pack| under(pack, &changed, on)).collect()
}

/// The purposes whose purpose, method or kinds of data some change alters.
fn changed_purposes<'p>(new: &'p Policy, changes: &[Change]) -> Vec<&'p Purpose> {
    let material: Vec<&Change> = changes.iter().filter(|change| change.is_material()).collect();
    let concerns = |purpose: &Purpose, change: &Change| {
        let is_named = |kind: &str, name: &Name| change.about == format!("{kind}.{name}");
        is_named("purpose", &purpose.name)
            || change.voids.contains(&purpose.name)
            || purpose.recipients.iter().any(|recipient| is_named("recipient", recipient))
            || purpose.fields.iter().any(|used| is_named("field", &used.field))
    };
    let is_changed = |purpose: &&Purpose| material.iter().any(|change| concerns(purpose, change));
    new.purposes.iter().filter(is_changed).collect()
}

fn under(pack: &Pack, changed: &[&Purpose], on: Date) -> Option<UnderLaw> {
    let mut found = UnderLaw {
        pack: pack.id.clone(),
        material: BTreeSet::new(),
        void: BTreeSet::new(),
        owed: Vec::new(),
        laws: Vec::new(),
    };
    for purpose in changed {
        let Some(heard) = ask(pack, "consent", &facts(purpose), on) else { continue };
        let Some((is_again, rule)) = heard.yes("ask_again") else { continue };
        found.material.insert(purpose.name.clone());
        if is_again && purpose.basis.is_consent() {
            found.void.insert(purpose.name.clone());
            for law in cited(pack, rule) {
                if !found.laws.contains(&law) {
                    found.laws.push(law);
                }
            }
        }
        // Only what is owed because something changed; the rest was owed before.
        let because_of_it = |rule: &Rule| rule.text.contains("purpose_or_method_changed");
        found.add_owed(&heard, &["inform", "confirm_again"], because_of_it);
    }
    let notice = ask(pack, "notice", &json!({}), on);
    if let Some(heard) = notice {
        found.add_owed(&heard, &["update"], |_| true);
    }
    (!found.material.is_empty() || !found.owed.is_empty()).then_some(found)
}

impl UnderLaw {
    fn add_owed(&mut self, heard: &Heard<'_>, acts: &[&str], counts: impl Fn(&Rule) -> bool) {
        let its = heard.owed().filter(|(act, rule, _)| acts.contains(act) && counts(rule));
        for (act, rule, owed) in its {
            let Some(duty) = rule.duties.get(owed.duty) else { continue };
            let to = duty.to.and_then(|to| heard.pack.recipients.get(to));
            let note = duty.note.as_ref().or(rule.note.as_ref());
            let due = Due {
                act: act.to_owned(),
                name: rulebook::names::find_act(act).unwrap_or(Text { en: "", zh: "" }),
                to: to.map(|to| to.name.clone()),
                within: duty.clock.as_ref().map(|clock| clock.within.to_string()),
                soon: duty.soon,
                en: note.map(|note| note.en.clone()).unwrap_or_default(),
                zh: note.map(|note| note.zh.clone()).unwrap_or_default(),
                laws: cited(heard.pack, rule),
            };
            if !self.owed.contains(&due) {
                self.owed.push(due);
            }
        }
    }
}

fn facts(purpose: &Purpose) -> Json {
    json!({
        "basis": words::ground(purpose.basis),
        "categories": [],
        "age": ADULT,
        "shares_with_handler": false,
        "publishes": false,
        "exports": false,
        "public_place_images": false,
        "purpose_or_method_changed": true,
        "refused_before": false,
    })
}
