//! What a pack answers: rules in their order, three truth values, the law of the day on which it happened.

use jiff::civil::Date;

use crate::clock::{self, Due};
use crate::expr::Truth;
use crate::fact::{Facts, Value, When};
use crate::pack::{Clock, Confidence, Pack, Rule, Says, Status};
use crate::question::{self, AnswerKind, Question};

/// What came of a question as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that the pack has rules for is decided.
    Answered,
    /// A person has to say what is missing: see what it [asks](Ruling::asks).
    AskAPerson,
    /// No rule about it was in force on that day; the first one is from this day on.
    NotInForce(Date),
    /// The pack says nothing about it.
    Silent,
}

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which, by its number in the question.
    pub answer: usize,
    /// What it says; `None` when a person has to be asked first.
    pub says: Option<Says>,
    /// The rule that decided, by its number in the pack. For a list of words the first of them.
    pub rule: Option<usize>,
}

/// One duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The rule, by its number in the pack.
    pub rule: usize,
    /// Which of its duties.
    pub duty: usize,
    /// It is owed; else that depends on what is asked.
    pub is_certain: bool,
    /// By when, where it has a clock and the clock's beginning is known.
    pub due: Option<Due>,
    /// The window, where it has one.
    pub opens: Option<clock::Window>,
    /// An earlier time to aim at.
    pub aim: Option<Due>,
}

/// What a pack answers to a question. Numbers lead into the pack; [`explain`](crate::explain) makes words of them.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// The question.
    pub question: &'static Question,
    /// As a whole.
    pub outcome: Outcome,
    /// The day whose law was asked.
    pub on: Option<Date>,
    /// Answers, in the question's order; those about which the pack says nothing are not there.
    pub answers: Vec<Said>,
    /// Duties, in the order of the rules.
    pub duties: Vec<Owed>,
    /// Facts that a person has to give, by their numbers.
    pub asks: Vec<usize>,
    /// Rules that hold, by their numbers in the pack.
    pub rules: Vec<usize>,
    /// Rules that would hold, and are not in force on that day.
    pub coming: Vec<usize>,
    /// The least sure of the rules that hold.
    pub confidence: Option<Confidence>,
}

/// A question that cannot be put like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuestion {
    /// A clock cannot be set like this.
    #[error("the clock of `{duty}` cannot be set: {why}")]
    Clock {
        /// What is owed.
        duty: &'static str,
        /// Why not.
        why: String,
    },
}

/// Asks a pack.
///
/// Takes the pack; the question; what is known; and the day whose law is asked, where the facts do not say when it happened. Gives an answer to
/// everything that the pack has rules for. Fails only where a clock cannot be set: beyond the calendar, or with a pause that ends before it begins.
pub fn decide(
    pack: &Pack,
    question: &'static Question,
    facts: &Facts,
    on: Option<Date>,
) -> Result<Ruling, BadQuestion> {
    let mut local;
    let facts = if facts.has_instants() {
        local = facts.clone();
        local.in_zone(&pack.zone);
        &local
    } else {
        facts
    };
    let happened = question::happened(question).iter().find_map(|fact| moment_of(facts, *fact));
    let on = happened.map(When::day).or(on);
    let mut ruling = Ruling {
        question,
        outcome: Outcome::Silent,
        on,
        answers: Vec::with_capacity(question.answers.len()),
        duties: Vec::with_capacity(8),
        asks: Vec::new(),
        rules: Vec::with_capacity(16),
        coming: Vec::new(),
        confidence: None,
    };
    let Some(on) = on else {
        // Which law applies depends on the day.
        ruling.asks.extend(question::happened(question).first());
        ruling.outcome = Outcome::AskAPerson;
        return Ok(ruling);
    };
    let mut deciding = Deciding { pack, facts, ruling, in_force: Vec::with_capacity(32) };
    deciding.weigh(on);
    deciding.answer();
    deciding.owe()?;
    Ok(deciding.finish(on))
}

fn moment_of(facts: &Facts, fact: usize) -> Option<&When> {
    match facts.at(fact)? {
        Value::Moment(when) => Some(when),
        _ => None,
    }
}

struct Deciding<'p> {
    pack: &'p Pack,
    facts: &'p Facts,
    ruling: Ruling,
    /// Rules in force on that day that may hold, and whether they do.
    in_force: Vec<(usize, &'p Rule, Truth)>,
}

impl Deciding<'_> {
    fn weigh(&mut self, on: Date) {
        for (number, rule) in self.pack.numbered_rules_of(self.ruling.question) {
            let is_coming = !rule.decides() || rule.from > on;
            if !is_coming && !rule.is_in_force(on) {
                continue; // of the past
            }
            let truth = rule.when.truth(self.facts);
            if truth == Truth::No {
                continue;
            }
            if is_coming {
                self.ruling.coming.push(number);
            } else {
                self.in_force.push((number, rule, truth));
            }
        }
    }

    /// Law first, in the order of its rules. Where it says nothing, a guideline speaks.
    fn answer(&mut self) {
        for (number, answer) in self.ruling.question.answers.iter().enumerate() {
            let said = match answer.kind {
                AnswerKind::Words(_) => self.together(number),
                AnswerKind::YesNo | AnswerKind::Word(_) => {
                    self.first(number, Status::InForce).or_else(|| self.first(number, Status::Guideline))
                }
            };
            self.ruling.answers.extend(said);
        }
    }

    fn first(&mut self, answer: usize, status: Status) -> Option<Said> {
        let mut before: Vec<(usize, Says)> = Vec::new();
        let mut decided = None;
        for (number, rule, truth) in self.in_force.iter().filter(|(_, rule, _)| rule.status == status) {
            let Some((_, says)) = rule.says.iter().find(|(said, _)| *said == answer) else { continue };
            if *truth == Truth::Yes {
                decided = Some((*number, *says));
                break;
            }
            before.push((*number, *says));
        }
        if decided.is_none() && before.is_empty() {
            return None;
        }
        // What is not known does not matter where it comes to the same.
        let says = decided.filter(|(_, says)| before.iter().all(|(_, other)| other == says));
        if says.is_none() {
            for (number, _) in before {
                self.ask_about(number);
            }
        }
        if let Some((rule, _)) = says {
            self.rests_on(rule);
        }
        Some(Said { answer, says: says.map(|(_, says)| says), rule: says.map(|(rule, _)| rule) })
    }

    fn together(&mut self, answer: usize) -> Option<Said> {
        let mut bits = 0;
        let (mut rules, mut unknown) = (Vec::new(), Vec::new());
        for (number, rule, truth) in &self.in_force {
            let Some((_, Says::Words(words))) = rule.says.iter().find(|(said, _)| *said == answer) else {
                continue;
            };
            if *truth == Truth::Yes {
                bits |= words;
                rules.push(*number);
            } else {
                unknown.push((*number, *words));
            }
        }
        if rules.is_empty() && unknown.is_empty() {
            return None;
        }
        unknown.retain(|(_, words)| words & !bits != 0);
        let is_known = unknown.is_empty();
        for (number, _) in unknown {
            self.ask_about(number);
        }
        for rule in &rules {
            self.rests_on(*rule);
        }
        Some(Said { answer, says: is_known.then_some(Says::Words(bits)), rule: rules.first().copied() })
    }

    fn owe(&mut self) -> Result<(), BadQuestion> {
        for at in 0..self.in_force.len() {
            let Some((number, rule, truth)) = self.in_force.get(at).copied() else { break };
            for (which, duty) in rule.duties.iter().enumerate() {
                let truth = truth.and(duty.when.truth(self.facts));
                if truth == Truth::No {
                    continue;
                }
                if truth == Truth::Yes {
                    self.rests_on(number);
                } else {
                    self.ask_about(number);
                    self.ask(&duty.when);
                }
                let act = self.ruling.question.duties.get(duty.act).copied().unwrap_or_default();
                let cannot = |why: clock::ClockFault| BadQuestion::Clock { duty: act, why: why.to_string() };
                let set = |clock: &Clock, asks: &mut Vec<usize>| self.set(clock, asks).map_err(cannot);
                let mut asks = Vec::new();
                let due = duty.clock.as_ref().map(|clock| set(clock, &mut asks)).transpose()?.flatten();
                let aim = duty.aim.as_ref().map(|clock| set(clock, &mut asks)).transpose()?.flatten();
                if truth == Truth::Yes {
                    for fact in asks {
                        note_once(&mut self.ruling.asks, fact);
                    }
                }
                let window = due.as_ref().zip(duty.clock.as_ref()).map(|(due, clock)| self.opens(due, clock));
                let opens = window.transpose().map_err(cannot)?.flatten();
                self.ruling.duties.push(Owed {
                    rule: number,
                    duty: which,
                    is_certain: truth == Truth::Yes,
                    due,
                    opens,
                    aim,
                });
            }
        }
        Ok(())
    }

    /// Sets a clock. `None` when its beginning is not known; that is then asked.
    fn set(&self, clock: &Clock, asks: &mut Vec<usize>) -> Result<Option<Due>, clock::ClockFault> {
        let Some(Value::Moment(from)) = self.facts.at(clock.after) else {
            note_once(asks, clock.after);
            return Ok(None);
        };
        let counts = self.counts(clock);
        let extension = clock.extend.as_ref().filter(|(_, when)| when.truth(self.facts) == Truth::Yes);
        let extensions = extension.map(|(by, _)| *by);
        let due = match self.pause(clock) {
            Some(pause) => counts.due_paused(from.moment(), clock.within, extensions.as_slice(), &[pause]),
            None => counts.due_extended(from.moment(), clock.within, extensions.as_slice()),
        };
        let due = match due {
            // Hours run from an instant, and only the day is known: the time of day is what a person is asked.
            Err(clock::ClockFault::InstantNeeded(_)) => {
                note_once(asks, clock.after);
                return Ok(None);
            }
            due => due?,
        };
        match clock.yearly {
            None => Ok(Some(due)),
            Some(on) => counts.due_yearly(on, due.date()).map(Some),
        }
    }

    /// The days that do not count, where both ends of them are known.
    fn pause(&self, clock: &Clock) -> Option<clock::Pause> {
        let (from, to) = clock.pause?;
        let (Some(Value::Moment(from)), Some(Value::Moment(to))) = (self.facts.at(from), self.facts.at(to))
        else {
            return None;
        };
        Some(clock::Pause { from: from.moment(), until: to.moment() })
    }

    /// The window before the end, where a clock has one.
    fn opens(&self, due: &Due, clock: &Clock) -> Result<Option<clock::Window>, clock::ClockFault> {
        clock.before.map(|before| self.counts(clock).before(before, due.date())).transpose()
    }

    fn counts(&self, clock: &Clock) -> clock::Clock<'_> {
        clock::Clock { calendar: &self.pack.calendar, zone: &self.pack.zone, counting: clock.counting }
    }

    fn rests_on(&mut self, number: usize) {
        if let Some(rule) = self.pack.rules.get(number) {
            let so_far = self.ruling.confidence.unwrap_or(Confidence::Verified);
            self.ruling.confidence = Some(so_far.min(rule.confidence));
        }
        note_once(&mut self.ruling.rules, number);
    }

    fn ask_about(&mut self, number: usize) {
        if let Some(rule) = self.pack.rules.get(number) {
            self.ask(&rule.when);
        }
    }

    fn ask(&mut self, about: &crate::expr::Expr) {
        about.each_missing(self.facts, &mut |fact| note_once(&mut self.ruling.asks, fact));
    }

    fn finish(self, on: Date) -> Ruling {
        let mut ruling = self.ruling;
        let is_open = ruling.answers.iter().any(|said| said.says.is_none())
            || ruling.duties.iter().any(|owed| !owed.is_certain)
            || !ruling.asks.is_empty();
        ruling.rules.sort_unstable();
        ruling.outcome = if is_open {
            Outcome::AskAPerson
        } else if !ruling.answers.is_empty() || !ruling.duties.is_empty() {
            Outcome::Answered
        } else {
            let would = ruling.coming.iter().filter_map(|number| self.pack.rules.get(*number));
            let first = would.filter(|rule| rule.decides() && rule.from > on).map(|rule| rule.from).min();
            first.map_or(Outcome::Silent, Outcome::NotInForce)
        };
        ruling
    }
}

fn note_once(list: &mut Vec<usize>, number: usize) {
    if !list.contains(&number) {
        list.push(number);
    }
}
