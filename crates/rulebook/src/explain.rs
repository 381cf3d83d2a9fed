//! A ruling in words, with the steps that led to it and every place where it stands.

use serde::Serialize;

use crate::clock::{Due, Provisional};
use crate::decide::{Outcome, Owed, Ruling, Said};
use crate::expr::Truth;
use crate::fact::{Facts, Kind, Text};
use crate::names;
use crate::pack::{Confidence, Item, Pack, Rule, Says, Soon, Status, Words};
use crate::question::AnswerKind;

/// A ruling in words.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The pack.
    pub pack: String,
    /// The day of the pack's sources: which version of it answers.
    pub checked_on: String,
    /// The question.
    pub question: &'static str,
    /// `answered`, `ask_a_person`, `not_in_force` or `silent`.
    pub outcome: &'static str,
    /// The day whose law was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// The first day on which there is law about it, when there was none then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force_from: Option<String>,
    /// Answers by name.
    pub answers: Vec<ExplainedAnswer>,
    /// Duties.
    pub duties: Vec<ExplainedDuty>,
    /// What a person is asked.
    pub asks: Vec<Ask>,
    /// Rules of a law that is not in force on that day and that would hold. They decide nothing.
    pub coming: Vec<Coming>,
    /// The least sure of the rules that it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// The first deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earliest: Option<String>,
    /// The rules that were looked at, and what came of each.
    pub steps: Vec<Step>,
}

/// One answer.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedAnswer {
    /// Its name.
    pub name: &'static str,
    /// What it says: `true`, a word, or a list of words; `null` when a person has to be asked.
    pub says: serde_json::Value,
    /// The same for people to read.
    pub in_words: Words,
    /// What it means.
    pub about: Text,
    /// The rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// One duty.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedDuty {
    /// What.
    #[serde(rename = "do")]
    pub act: &'static str,
    /// What that is called.
    pub name: Text,
    /// `false`: it depends on what is asked.
    pub certain: bool,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Words>,
    /// By when: a day (its end) or an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The law's own number: `4h`, `1mo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// The first day of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// The deadline rests on a calendar that is not published yet; who acts by this day is safe whatever it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisional: Option<Provisional>,
    /// An earlier time to aim at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<String>,
    /// How soon, where the law has no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soon: Option<Soon>,
    /// What has to be in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Words>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Words>,
    /// The rule.
    pub rule: String,
    /// Where it stands.
    pub cites: Vec<String>,
    /// Law or guideline.
    pub status: Status,
    /// How sure.
    pub confidence: Confidence,
}

/// What a person is asked.
#[derive(Clone, Debug, Serialize)]
pub struct Ask {
    /// The fact.
    pub fact: &'static str,
    /// The question.
    pub asks: Text,
    /// Words that can be the answer.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub one_of: &'static [&'static str],
}

/// A rule of a law that is not in force on that day.
#[derive(Clone, Debug, Serialize)]
pub struct Coming {
    /// The rule.
    pub rule: String,
    /// In force, pending or draft.
    pub status: Status,
    /// From when, where that is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where it stands.
    pub cites: Vec<String>,
    /// What it would say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Words>,
}

/// One rule that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// Its condition, as written.
    pub when: String,
    /// `yes`, `no` or `unknown`.
    pub holds: &'static str,
    /// It decided an answer, or something is owed because of it. One that holds may come too late to decide.
    pub used: bool,
    /// Where it stands.
    pub cites: Vec<String>,
}

/// Puts a ruling of a pack into words.
pub fn explain(pack: &Pack, facts: &Facts, ruling: &Ruling) -> Explained {
    let (outcome, from) = match ruling.outcome {
        Outcome::Answered => ("answered", None),
        Outcome::AskAPerson => ("ask_a_person", None),
        Outcome::NotInForce(from) => ("not_in_force", Some(from.to_string())),
        Outcome::Silent => ("silent", None),
    };
    let rule_id = |number: &usize| pack.rules.get(*number).map(|rule| rule.id.clone());
    let answers = ruling.answers.iter().filter_map(|said| answer(ruling, said, rule_id)).collect();
    let duties: Vec<ExplainedDuty> =
        ruling.duties.iter().filter_map(|owed| duty(pack, ruling, owed)).collect();
    let asks = ruling.asks.iter().filter_map(|number| ruling.question.facts.get(*number));
    let mut local = facts.clone();
    local.in_zone(&pack.zone);
    let in_force = |rule: &Rule| ruling.on.is_some_and(|on| rule.is_in_force(on));
    let steps = pack.numbered_rules_of(ruling.question).filter(|(_, rule)| in_force(rule));
    let step = |(number, rule): (usize, &Rule)| Step {
        rule: rule.id.clone(),
        when: rule.text.clone(),
        holds: word_of(rule.when.truth(&local)),
        used: ruling.rules.contains(&number),
        cites: cites(pack, rule),
    };
    let coming = ruling.coming.iter().filter_map(|number| pack.rules.get(*number));
    let firm = ruling.duties.iter().filter(|owed| owed.is_certain).filter_map(|owed| owed.due.as_ref());
    let earliest = firm.min_by_key(|due| due.instant(&pack.zone)).map(ToString::to_string);
    Explained {
        pack: pack.id.clone(),
        checked_on: pack.checked_on.to_string(),
        question: ruling.question.name,
        outcome,
        on: ruling.on.map(|on| on.to_string()),
        in_force_from: from,
        answers,
        duties,
        asks: asks.map(|fact| ask(fact)).collect(),
        coming: coming.map(|rule| coming_of(pack, rule)).collect(),
        confidence: ruling.confidence,
        earliest,
        steps: steps.map(step).collect(),
    }
}

fn answer(
    ruling: &Ruling,
    said: &Said,
    rule_id: impl Fn(&usize) -> Option<String>,
) -> Option<ExplainedAnswer> {
    let answer = ruling.question.answers.get(said.answer)?;
    let says = match (said.says, answer.kind) {
        (Some(Says::YesNo(is)), _) => is.into(),
        (Some(Says::Word(number)), AnswerKind::Word(known)) => word(known, number).into(),
        (Some(Says::Words(bits)), AnswerKind::Words(known)) => {
            let all = known.iter().enumerate().filter(|(number, _)| bits >> number & 1 == 1);
            all.map(|(_, word)| *word).collect::<Vec<_>>().into()
        }
        _ => serde_json::Value::Null,
    };
    Some(ExplainedAnswer {
        name: answer.name,
        in_words: in_words(&says),
        says,
        about: answer.about,
        rule: said.rule.as_ref().and_then(rule_id),
    })
}

fn word(known: &[&'static str], number: u32) -> &'static str {
    usize::try_from(number).ok().and_then(|number| known.get(number)).copied().unwrap_or_default()
}

/// What an answer says, for people to read.
fn in_words(says: &serde_json::Value) -> Words {
    let named = |word: &str| {
        let text = names::find_word(word);
        text.map_or_else(|| Words { en: word.to_owned(), zh: word.to_owned() }, Words::from)
    };
    match says {
        serde_json::Value::Bool(is) => names::yes_or_no(*is).into(),
        serde_json::Value::String(word) => named(word),
        serde_json::Value::Array(all) if all.is_empty() => names::NOTHING.into(),
        serde_json::Value::Array(all) => {
            let all: Vec<Words> = all.iter().filter_map(|word| word.as_str()).map(named).collect();
            let joined = |of: fn(&Words) -> &str, by: &str| all.iter().map(of).collect::<Vec<_>>().join(by);
            Words { en: joined(|words| &words.en, ", "), zh: joined(|words| &words.zh, "、") }
        }
        _ => names::ASK_A_PERSON.into(),
    }
}

fn duty(pack: &Pack, ruling: &Ruling, owed: &Owed) -> Option<ExplainedDuty> {
    let rule = pack.rules.get(owed.rule)?;
    let duty = rule.duties.get(owed.duty)?;
    let show = |due: &Due| due.to_string();
    let of_window = owed.opens.as_ref().and_then(|window| window.provisional.as_ref());
    let provisional = owed.due.as_ref().and_then(|due| due.provisional.as_ref()).or(of_window);
    let act = *ruling.question.duties.get(duty.act)?;
    Some(ExplainedDuty {
        act,
        name: names::find_act(act).unwrap_or(Text { en: act, zh: act }),
        certain: owed.is_certain,
        to: duty.to.and_then(|to| pack.recipients.get(to)).map(|to| to.name.clone()),
        by: owed.due.as_ref().map(show),
        within: duty.clock.as_ref().map(|clock| clock.within.to_string()),
        not_before: owed.opens.as_ref().map(|window| window.first.to_string()),
        provisional: provisional.cloned(),
        aim: owed.aim.as_ref().map(show),
        soon: duty.soon,
        contents: duty
            .list
            .and_then(|list| pack.lists.get(list))
            .map_or(Vec::new(), |list| list.items.iter().map(Item::words).collect()),
        note: duty.note.clone(),
        rule: rule.id.clone(),
        cites: cites(pack, rule),
        status: rule.status,
        confidence: rule.confidence,
    })
}

fn cites(pack: &Pack, rule: &Rule) -> Vec<String> {
    rule.cites.iter().map(|cite| pack.cited(cite)).collect()
}

fn ask(fact: &'static crate::fact::Fact) -> Ask {
    let one_of = match fact.kind {
        Kind::Word(known) | Kind::Words(known) => known,
        _ => &[],
    };
    Ask { fact: fact.name, asks: fact.asks, one_of }
}

fn coming_of(pack: &Pack, rule: &Rule) -> Coming {
    Coming {
        rule: rule.id.clone(),
        status: rule.status,
        from: pack.first_day(rule).map(|day| day.to_string()),
        cites: cites(pack, rule),
        note: rule.note.clone(),
    }
}

fn word_of(truth: Truth) -> &'static str {
    match truth {
        Truth::Yes => "yes",
        Truth::No => "no",
        Truth::Unknown => "unknown",
    }
}
