//! What cannot be seen while a pack is read: rules that can never hold, and rules that can never decide anything.
//!
//! A condition looks at few facts, and at each only through its bounds and words. So it is tried on every combination of facts that it
//! could tell apart.

use jiff::civil::Date;

use crate::expr::{Expr, Truth};
use crate::fact::{Facts, Kind};
use crate::pack::{BadPack, Pack, Rule};
use crate::question::AnswerKind;

/// So many combinations of facts are tried for one rule. One that needs more has to be taken apart.
const MOST: usize = 200_000;

/// Looks at every rule of a pack.
///
/// Gives what is wrong, with file and line: a rule that holds for no facts; a rule that says something which others before it have always said
/// already, and owes nothing; a law or a list that nobody uses.
pub fn lint(file: &str, pack: &Pack) -> Vec<BadPack> {
    let mut found = Vec::new();
    let mut bad = |line: usize, why: String| found.push(BadPack { file: file.to_owned(), line, why });
    for rule in &pack.rules {
        let trials = Trials::over(rule, &[&rule.when]);
        match trials {
            None => bad(
                rule.line,
                format!("`{}` looks at too many facts at once: make several rules of it", rule.id),
            ),
            Some(mut trials) => {
                if !trials.any(|facts| rule.when.truth(facts) == Truth::Yes) {
                    bad(rule.line, format!("`{}` can never hold", rule.id));
                    continue;
                }
                for (which, duty) in
                    rule.duties.iter().enumerate().filter(|(_, duty)| duty.when != Expr::Fixed(true))
                {
                    let both = Expr::All(vec![rule.when.clone(), duty.when.clone()]);
                    let trials = Trials::over(rule, &[&both]);
                    if trials.is_some_and(|mut trials| !trials.any(|facts| both.truth(facts) == Truth::Yes)) {
                        bad(
                            rule.line,
                            format!("duty {} of `{}` can never be owed", which.saturating_add(1), rule.id),
                        );
                    }
                }
            }
        }
        if let Some(why) = is_in_the_shadow(pack, rule) {
            bad(rule.line, why);
        }
    }
    for (number, law) in pack.laws.iter().enumerate() {
        if !pack.rules.iter().any(|rule| rule.cites.iter().any(|cite| cite.law == number)) {
            bad(1, format!("no rule cites `{}`", law.id));
        }
    }
    for (number, list) in pack.lists.iter().enumerate() {
        if !pack.rules.iter().any(|rule| rule.duties.iter().any(|duty| duty.list == Some(number))) {
            bad(1, format!("no duty uses the list `{}`", list.id));
        }
    }
    for (number, recipient) in pack.recipients.iter().enumerate() {
        if !pack.rules.iter().any(|rule| rule.duties.iter().any(|duty| duty.to == Some(number))) {
            bad(1, format!("no duty goes to `{}`", recipient.id));
        }
    }
    found
}

/// Is everything that the rule says always said before? Then it can never decide.
fn is_in_the_shadow(pack: &Pack, rule: &Rule) -> Option<String> {
    if !rule.duties.is_empty() || rule.says.is_empty() {
        return None;
    }
    let is_before = |other: &&Rule| {
        other.line < rule.line
            && other.status == rule.status
            && other.from <= rule.from
            && other.until.is_none_or(|until| rule.until.is_some_and(|ends| ends <= until))
    };
    let decides = rule.says.iter().any(|(answer, _)| {
        let kind = rule.question.answers.get(*answer).map(|answer| answer.kind);
        if matches!(kind, Some(AnswerKind::Words(_))) {
            return true;
        }
        let says_it = |other: &&Rule| other.says.iter().any(|(said, _)| said == answer);
        let before: Vec<&Rule> = pack.rules_of(rule.question).filter(is_before).filter(says_it).collect();
        let conditions: Vec<&Expr> = before.iter().map(|before| &before.when).chain([&rule.when]).collect();
        let Some(mut trials) = Trials::over(rule, &conditions) else {
            return true; // too many to try: nothing is said against it
        };
        trials.any(|facts| {
            rule.when.truth(facts) == Truth::Yes
                && before.iter().all(|before| before.when.truth(facts) == Truth::No)
        })
    });
    (!decides).then(|| format!("`{}` never decides: rules before it always do", rule.id))
}

/// Values of a fact that conditions can tell apart.
struct Values {
    fact: &'static str,
    values: Vec<serde_json::Value>,
}

/// Every combination of facts that some conditions can tell apart.
struct Trials {
    facts: Facts,
    values: Vec<Values>,
    turn: Vec<usize>,
    is_over: bool,
}

impl Trials {
    /// `None` when there are more than can be tried.
    fn over(rule: &Rule, conditions: &[&Expr]) -> Option<Trials> {
        let mut values = Vec::new();
        for (number, fact) in rule.question.facts.iter().enumerate() {
            let apart = tell_apart(conditions, number, fact.kind);
            if !apart.is_empty() {
                values.push(Values { fact: fact.name, values: apart });
            }
        }
        let trials = values.iter().try_fold(1_usize, |all, one| all.checked_mul(one.values.len()));
        trials.filter(|trials| *trials <= MOST)?;
        let turn = vec![0; values.len()];
        Some(Trials { facts: Facts::none(rule.question.facts), values, turn, is_over: false })
    }

    fn any(&mut self, holds: impl Fn(&Facts) -> bool) -> bool {
        for at in 0..self.values.len() {
            self.set(at);
        }
        while !self.is_over {
            if holds(&self.facts) {
                return true;
            }
            self.next();
        }
        false
    }

    fn next(&mut self) {
        for at in 0..self.values.len() {
            let Some(turn) = self.turn.get_mut(at) else { break };
            *turn = turn.saturating_add(1);
            let is_last = self.values.get(at).is_none_or(|values| *turn >= values.values.len());
            if is_last {
                *turn = 0;
            }
            self.set(at);
            if !is_last {
                return;
            }
        }
        self.is_over = true;
    }

    fn set(&mut self, at: usize) {
        if let (Some(values), Some(turn)) = (self.values.get(at), self.turn.get(at))
            && let Some(value) = values.values.get(*turn)
        {
            // A value that the fact does not take leaves it as it was.
            let _ = self.facts.set(values.fact, value);
        }
    }
}

/// Values of a fact, one for each way in which the conditions can look at it.
fn tell_apart(conditions: &[&Expr], fact: usize, kind: Kind) -> Vec<serde_json::Value> {
    let mut seen = Seen::default();
    for condition in conditions {
        seen.look(condition, fact);
    }
    let mut values: Vec<serde_json::Value> = Vec::new();
    if seen.is_asked_for {
        values.push(serde_json::Value::Null);
    }
    match kind {
        Kind::Flag if seen.any => values.extend([false.into(), true.into()]),
        Kind::Count if seen.any => {
            let around = |bound: u64| [bound.saturating_sub(1), bound, bound.saturating_add(1)];
            let mut counts: Vec<u64> = seen.counts.into_iter().flat_map(around).collect();
            counts.push(1);
            counts.sort_unstable();
            counts.dedup();
            values.extend(counts.into_iter().map(Into::into));
        }
        Kind::Day | Kind::Moment if seen.any => {
            let around = |day: Date| [day.yesterday().ok(), Some(day), day.tomorrow().ok()];
            let mut days: Vec<Date> = seen.days.into_iter().flat_map(around).flatten().collect();
            days.push(Date::constant(2026, 3, 2));
            days.sort_unstable();
            days.dedup();
            values.extend(days.into_iter().map(|day| day.to_string().into()));
        }
        // Words that no condition tells apart are tried once.
        Kind::Word(known) if seen.any => values.extend(apart(known, &seen.among).into_iter().map(Into::into)),
        Kind::Words(known) if seen.any => {
            values.push(serde_json::json!([]));
            values.extend(apart(known, &seen.among).into_iter().map(|word| serde_json::json!([word])));
            values.push(serde_json::json!(known));
        }
        _ => {}
    }
    values
}

fn apart(known: &'static [&'static str], among: &[u64]) -> Vec<&'static str> {
    let mut signs: Vec<Vec<bool>> = Vec::new();
    let mut words = Vec::new();
    for (number, word) in known.iter().enumerate() {
        let sign: Vec<bool> = among.iter().map(|among| among >> number & 1 == 1).collect();
        if !signs.contains(&sign) {
            signs.push(sign);
            words.push(*word);
        }
    }
    words
}

/// How conditions look at a fact.
#[derive(Default)]
struct Seen {
    any: bool,
    is_asked_for: bool,
    counts: Vec<u64>,
    days: Vec<Date>,
    among: Vec<u64>,
}

impl Seen {
    fn look(&mut self, condition: &Expr, fact: usize) {
        match condition {
            Expr::Not(inner) => self.look(inner, fact),
            Expr::All(all) | Expr::Any(all) => all.iter().for_each(|one| self.look(one, fact)),
            Expr::Flag(at) if *at == fact => self.any = true,
            Expr::Known(at) if *at == fact => (self.any, self.is_asked_for) = (true, true),
            Expr::Count(at, _, bound) if *at == fact => {
                self.any = true;
                self.counts.push(*bound);
            }
            Expr::Day(at, _, day) if *at == fact => {
                self.any = true;
                self.days.push(*day);
            }
            Expr::Word(at, among) | Expr::Words(at, among) if *at == fact => {
                self.any = true;
                self.among.push(*among);
            }
            _ => {}
        }
    }
}
