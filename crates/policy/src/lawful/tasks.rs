//! What laws ask for that no policy file can show: to register, to assess, to sign, to file. Each is a task for a person.

use super::Found;
use super::applies::Applied;
use super::asking::{Cited, Heard, ask, cited};
use super::purposes::{recipients, sensitive_words};
use super::words;
use crate::check::Checked;
use crate::words::{RecipientKind, RecipientRole};
use rulebook::{Owed, Pack, Rule, Text, Words};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// Something that a person has to do, or to find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// The pack that asks for it.
    pub pack: String,
    /// The question that it answers: `assessment`, `officer`.
    pub question: &'static str,
    /// What: an act of the packs (`register`, `assess`, `contract`), or one of [`OWN`].
    #[serde(rename = "do")]
    pub act: String,
    /// What that is, in both languages.
    pub name: Text,
    /// The purpose, recipient or record that it is about; empty for the shop as a whole.
    pub about: String,
    /// What else there is to say, in English.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
    /// Where it stands.
    pub laws: Vec<Cited>,
}

/// What has to be done that is no act of the packs.
const OWN: &[(&str, Text)] = &[
    ("choose_route", Text { en: "choose a route abroad", zh: "选择出境路径" }),
    (
        "derogation",
        Text {
            en: "look whether it is rare enough to need no safeguards",
            zh: "确认是否属于偶发、可不采取保障措施的情形",
        },
    ),
    ("say_what_it_is", Text { en: "say what it is in law", zh: "写明其法律性质" }),
    ("written_consent", Text { en: "obtain the consent in writing", zh: "取得书面同意" }),
];

fn name_of(act: &str) -> Text {
    let own = OWN.iter().find(|(name, _)| *name == act).map(|(_, text)| *text);
    own.or_else(|| rulebook::names::find_act(act)).unwrap_or(Text { en: "", zh: "" })
}

impl Task {
    /// Something that follows from what a rule says.
    pub(super) fn of_rule(pack: &Pack, rule: &Rule, act: &str, about: &str) -> Self {
        let note = rule.duties.iter().find_map(|duty| duty.note.as_ref());
        Self::noted(pack, rule, act, about, note)
    }

    /// A duty of a rule.
    pub(super) fn of_duty(pack: &Pack, rule: &Rule, owed: &Owed, act: &str) -> Self {
        let note = rule.duties.get(owed.duty).and_then(|duty| duty.note.as_ref());
        Self::noted(pack, rule, act, "", note)
    }

    fn noted(pack: &Pack, rule: &Rule, act: &str, about: &str, note: Option<&Words>) -> Self {
        let note = note.or(rule.note.as_ref());
        Self {
            pack: pack.id.clone(),
            question: rule.question.name,
            act: act.to_owned(),
            name: name_of(act),
            about: about.to_owned(),
            en: note.map(|note| note.en.clone()).unwrap_or_default(),
            zh: note.map(|note| note.zh.clone()).unwrap_or_default(),
            laws: cited(pack, rule),
        }
    }

    /// A kind of record of which nobody has said what it is in law.
    pub(super) fn of_kind(pack: &Pack, kind: &str) -> Self {
        Self {
            pack: pack.id.clone(),
            question: "retention",
            act: "say_what_it_is".to_owned(),
            name: name_of("say_what_it_is"),
            about: kind.to_owned(),
            en: "Laws say how long records of payments are kept: write what it is, such as `is = [\"transaction\", \"invoice\"]`.".to_owned(),
            zh: "法律对交易、发票等记录规定了保存期限：请写明该类记录的法律性质，例如 `is = [\"transaction\", \"invoice\"]`。".to_owned(),
            laws: Vec::new(),
        }
    }

    /// What cannot be answered before a person says more.
    pub(super) fn of_asks(heard: &Heard<'_>, act: &str, about: &str) -> Self {
        let asks: Vec<Text> = heard.asks().collect();
        let joined = |of: fn(&Text) -> &'static str| asks.iter().map(of).collect::<Vec<_>>().join(" ");
        Self {
            pack: heard.pack.id.clone(),
            question: heard.question.name,
            act: act.to_owned(),
            name: name_of(act),
            about: about.to_owned(),
            en: format!("To be answered first: {}", joined(|text| text.en)),
            zh: format!("须先回答：{}", joined(|text| text.zh)),
            laws: Vec::new(),
        }
    }
}

/// Done by what the file says already: it names an officer and how to reach them, the notice shows that, and the record of
/// processing is drawn from it.
const DONE: &[&str] = &["appoint", "publish_contact", "record_processing"];

/// Duties that are tasks where they are owed. Those of notices, choices and requests Strongroom does by itself.
const QUESTIONS: &[&str] = &["officer", "registration", "assessment", "audit", "contract", "representative"];

pub(super) fn find(checked: &Checked<'_>, applied: &Applied<'_>, found: &mut Found) {
    let facts = facts(checked);
    let is_represented = applied.is_represented(&checked.draft.shop);
    let is_assessed = checked.purposes().all(|(purpose, uses)| {
        let is_harmless = purpose.recipients.is_empty()
            && sensitive_words(uses).is_empty()
            && purpose.data_use.and_then(words::activity).is_none();
        is_harmless || purpose.assessed.is_some()
    });
    let mut recipients = checked.draft.recipients.iter();
    let is_agreed = recipients
        .all(|recipient| recipient.agreement.is_some() || recipient.kind == Some(RecipientKind::Authority));
    for question in QUESTIONS {
        if *question == "representative" && !applied.is_served {
            continue;
        }
        let Some(heard) = ask(applied.pack, question, &facts, found.on) else { continue };
        for (act, rule, owed) in heard.owed() {
            let is_done = DONE.contains(&act)
                || (act == "name_representative" && is_represented)
                || (act == "assess" && is_assessed)
                || (act == "contract" && is_agreed);
            if is_done {
                continue;
            }
            found.add_task(Task::of_duty(applied.pack, rule, owed, act));
        }
    }
}

/// What is true of the shop as a whole.
fn facts(checked: &Checked<'_>) -> Json {
    let draft = checked.draft;
    let is_sensitive = checked.uses.iter().any(|uses| !sensitive_words(uses).is_empty());
    let kept_in = draft.shop.kept_in.as_ref().map(|place| place.value.country());
    let shared_with = |wanted: RecipientRole| {
        let named = checked.purposes().flat_map(|(purpose, _)| recipients(checked, purpose));
        let mut named = named.filter(|recipient| recipient.kind != Some(RecipientKind::Authority));
        named.any(|recipient| recipient.role() == Some(wanted))
    };
    let exports = draft.recipients.iter().any(|recipient| {
        recipient.place.as_ref().is_some_and(|place| Some(place.value.country()) != kept_in)
    });
    let does_activity = |wanted: &str| {
        draft.purposes.iter().any(|purpose| purpose.data_use.and_then(words::activity) == Some(wanted))
    };
    let doings = [
        ("sensitive", is_sensitive),
        ("entrust", shared_with(RecipientRole::Processor)),
        ("share", shared_with(RecipientRole::Handler)),
        ("export", exports),
        ("automated_decision", does_activity("recommendation") || does_activity("profiling")),
        ("targeted_ads", does_activity("targeted_ads")),
        (
            "sale",
            draft.recipients.iter().any(|recipient| {
                recipient
                    .consideration
                    .as_ref()
                    .is_some_and(|got| got.value == crate::words::Consideration::Sale)
            }),
        ),
    ];
    let does: Vec<&str> = doings.iter().filter(|(_, does)| *does).map(|(word, _)| *word).collect();
    json!({
        "established_in": draft.shop.seat().map(|seat| words::place(seat.country())),
        "targets_persons_here": true,
        "occasional_low_risk": false,
        "persons": draft.shop.persons.map(|count| count.value),
        "handles_minors": words::lets_minors_in(draft.shop.minors.as_ref().map(|how| how.value)),
        "large_scale_monitoring": false,
        "does": does,
        "sells": does.contains(&"sale"),
        "contract_with": shared_with(RecipientRole::Processor).then_some("processor"),
    })
}
