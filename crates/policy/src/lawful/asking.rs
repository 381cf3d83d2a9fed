//! Asking a pack about a policy, and what a finding takes from its answer.

use crate::code::Severity;
use crate::finding::Finding;
use jiff::civil::Date;
use rulebook::clock::By;
use rulebook::question::{self, AnswerKind, Question};
use rulebook::{Confidence, Facts, Owed, Pack, Rule, Ruling, Says, Text};
use serde::Serialize;
use serde_json::Value as Json;
use std::fmt;

/// A rule of a pack on which a finding or a task rests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cited {
    /// The pack: `cn`.
    pub pack: String,
    /// The law's usual short name.
    pub law: String,
    /// Article and paragraph.
    pub article: String,
    /// First day on which the law is in force.
    pub in_force: String,
    /// How sure it is that the law says so.
    pub confidence: Confidence,
}

impl fmt::Display for Cited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({}", self.law, self.article, self.pack)?;
        match self.confidence {
            Confidence::Verified => f.write_str(")"),
            Confidence::Secondary => f.write_str(", secondary source)"),
            Confidence::Unverified => f.write_str(", unverified)"),
        }
    }
}

/// What a pack answered to a question about the policy.
pub(crate) struct Heard<'p> {
    pub(super) pack: &'p Pack,
    pub(super) question: &'static Question,
    ruling: Ruling,
}

/// Asks a pack. Facts that the question does not have are left out; `None` where it cannot be asked like this.
pub(crate) fn ask<'p>(pack: &'p Pack, name: &str, facts: &Json, on: Date) -> Option<Heard<'p>> {
    let question = question::find(name)?;
    let mut known = Facts::none(question.facts);
    for fact in question.facts {
        known.set(fact.name, facts.get(fact.name).unwrap_or(&Json::Null)).ok()?;
    }
    let facts = known;
    let ruling = rulebook::decide(pack, question, &facts, Some(on)).ok()?;
    Some(Heard { pack, question, ruling })
}

impl<'p> Heard<'p> {
    fn says(&self, name: &str) -> Option<(AnswerKind, Says, &'p Rule)> {
        let said =
            self.ruling.answers.iter().find(|said| {
                self.question.answers.get(said.answer).is_some_and(|answer| answer.name == name)
            })?;
        let rule = self.pack.rules.get(said.rule?)?;
        Some((self.question.answers.get(said.answer)?.kind, said.says?, rule))
    }

    /// A yes or a no, and the rule that decided.
    pub(crate) fn yes(&self, name: &str) -> Option<(bool, &'p Rule)> {
        match self.says(name)? {
            (_, Says::YesNo(is), rule) => Some((is, rule)),
            _ => None,
        }
    }

    /// A word, and the rule that decided.
    pub(crate) fn word(&self, name: &str) -> Option<(&'static str, &'p Rule)> {
        match self.says(name)? {
            (AnswerKind::Word(known), Says::Word(number), rule) => {
                Some((known.get(usize::try_from(number).ok()?)?, rule))
            }
            _ => None,
        }
    }

    /// All the words that the rules say together; none when that is not known.
    pub(super) fn words(&self, name: &str) -> Vec<&'static str> {
        match self.says(name) {
            Some((AnswerKind::Words(known), Says::Words(bits), _)) => {
                let is_said = |number: usize| bits >> number & 1 == 1;
                known
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| is_said(*number))
                    .map(|(_, word)| *word)
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Does it speak of this at all, even if a person has to be asked first?
    pub(crate) fn answers(&self, name: &str) -> bool {
        let is_it = |at: usize| self.question.answers.get(at).is_some_and(|answer| answer.name == name);
        self.ruling.answers.iter().any(|said| is_it(said.answer))
    }

    /// The rule that decided an answer.
    pub(super) fn rule_of(&self, name: &str) -> Option<&'p Rule> {
        self.says(name).map(|(_, _, rule)| rule)
    }

    /// Does a person have to be asked first?
    pub(super) fn is_open(&self) -> bool {
        self.ruling.outcome == rulebook::Outcome::AskAPerson
    }

    /// What a person has to say first.
    pub(super) fn asks(&self) -> impl Iterator<Item = Text> {
        self.ruling.asks.iter().filter_map(|fact| Some(self.question.facts.get(*fact)?.asks))
    }

    /// What is owed for certain: the act, its rule, and the duty with its deadline.
    pub(crate) fn owed(&self) -> impl Iterator<Item = (&'static str, &'p Rule, &Owed)> {
        self.ruling.duties.iter().filter(|owed| owed.is_certain).filter_map(|owed| {
            let rule = self.pack.rules.get(owed.rule)?;
            let act = rule.duties.get(owed.duty)?.act;
            Some((*self.question.duties.get(act)?, rule, owed))
        })
    }
}

/// Through which day a law lets nobody ask somebody again for selling or sharing their data who said no to it on that day.
///
/// Takes: the pack; the day of the no; the day whose law is asked. Gives: `None` where the pack asks for no such wait, or none that has an end.
/// Law: an opt-out is one whether a browser's signal or the person says it (Cal. Civ. Code 1798.135(c)(4)).
pub fn no_asking_through(pack: &Pack, said_no_on: Date, today: Date) -> Option<Date> {
    let facts = serde_json::json!({ "gpc": true, "known_customer": true, "on": said_no_on.to_string() });
    let heard = ask(pack, "signal", &facts, today)?;
    // Law from memory counts as well: to be left in peace cuts nobody off.
    let waits = heard.owed().filter(|(act, ..)| *act == "wait_to_ask_again");
    let days = waits.filter_map(|(_, _, owed)| match owed.due.as_ref()?.by {
        By::EndOf(day) => Some(day),
        By::Instant { .. } => None,
    });
    days.max()
}

/// Where a rule stands.
pub(crate) fn cited(pack: &Pack, rule: &Rule) -> Vec<Cited> {
    let one = |cite: &rulebook::Citation| {
        let law = pack.laws.get(cite.law)?;
        Some(Cited {
            pack: pack.id.clone(),
            law: law.short.clone(),
            article: cite.article.clone(),
            in_force: law.from.to_string(),
            confidence: rule.confidence,
        })
    };
    rule.cites.iter().filter_map(one).collect()
}

impl Finding {
    /// The rule of a pack that it rests on. What rests on law that could not be verified says so.
    #[must_use]
    pub(super) fn by(mut self, pack: &Pack, rule: &Rule) -> Self {
        if rule.confidence == Confidence::Unverified && self.severity < Severity::Unverified {
            self.severity = Severity::Unverified;
        }
        self.laws.extend(cited(pack, rule));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn california_lets_nobody_ask_again_for_a_year_and_europe_says_nothing_of_it() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let through = |id: &str| {
            let pack = rulebook::find_built_in(id).unwrap();
            no_asking_through(pack, day("2026-11-23"), day("2026-12-01"))
        };
        assert_eq!(through("us-ca"), Some(day("2027-11-23")));
        assert_eq!(through("eu"), None);
    }
}
