//! Packs: what one law, or one marketplace, says about the questions, as data with citations and dates.
//!
//! A pack is a TOML file. It is read once ([`Pack::read`]), which checks all that can be checked without asking it: names, words,
//! citations, dates. What it says is asked of it in [`decide`](crate::decide).

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::clock::{Calendar, Counting, MonthDay, Term};
use crate::expr::{self, Expr};
use crate::fact::{Kind, Text};
use crate::question::{self, AnswerKind, Question};

/// What is said in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl From<Text> for Words {
    fn from(text: Text) -> Words {
        Words { en: text.en.to_owned(), zh: text.zh.to_owned() }
    }
}

/// How sure is it that this is what the law says?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// From knowledge; to be verified before it is relied on.
    Unverified,
    /// A secondary source was read.
    Secondary,
    /// The text, or verbatim quotes of it, was read.
    Verified,
}

/// Does it decide?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Law: it decides.
    #[default]
    InForce,
    /// A recommended standard or an authority's guideline: it speaks where the law is silent, and says so.
    Guideline,
    /// Made, and not in force yet: shown, and never decides.
    Pending,
    /// Proposed: shown, and never decides.
    Draft,
}

/// Law, or a marketplace's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackKind {
    /// A law.
    Law,
    /// A marketplace.
    Platform,
}

/// How much of the law is in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Every topic that the law has was worked through.
    Deep,
    /// The clocks and figures that a shop meets first.
    Thin,
}

/// How soon, where a law gives no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Soon {
    /// At once (立即).
    AtOnce,
    /// Without undue delay.
    WithoutUndueDelay,
    /// Promptly, timely (及时).
    Promptly,
    /// As soon as practicable.
    AsSoonAsPracticable,
    /// Together with something else, or after it.
    SameTime,
    /// Before it begins.
    Beforehand,
    /// Within a reasonable time.
    ReasonableTime,
    /// All the time.
    Always,
}

/// A law that rules rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Law {
    /// Its name in the pack.
    pub id: String,
    /// Its usual short name.
    pub short: String,
    /// Its full name.
    pub name: Words,
    /// First day on which it is in force.
    pub from: Date,
    /// Last day.
    pub until: Option<Date>,
    /// How well it was read.
    pub confidence: Confidence,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// Number of the law in the pack.
    pub law: usize,
    /// Article and paragraph.
    pub article: String,
}

/// Something that an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Yes or no.
    YesNo(bool),
    /// One word, by its number.
    Word(u32),
    /// Some words, one bit each.
    Words(u64),
}

/// A clock behind a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// So long.
    pub within: Term,
    /// The fact from which it runs, by its number in the question.
    pub after: usize,
    /// Counted like this.
    pub counting: Counting,
    /// So much longer, from the same beginning, when this holds.
    pub extend: Option<(Term, Expr)>,
    /// The days between these two facts do not count.
    pub pause: Option<(usize, usize)>,
    /// It is a window that begins so long before the end.
    pub before: Option<Term>,
    /// The end moves on to this day (month, day) of that year, or of the next one.
    pub yearly: Option<MonthDay>,
}

/// What somebody has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// What, by its number in the question's list.
    pub act: usize,
    /// To whom, by its number in the pack.
    pub to: Option<usize>,
    /// By when.
    pub clock: Option<Clock>,
    /// An earlier time to aim at, by a guideline.
    pub aim: Option<Clock>,
    /// How soon, where there is no number.
    pub soon: Option<Soon>,
    /// What has to be in it, by the list's number in the pack.
    pub list: Option<usize>,
    /// Only when this holds, besides the rule's own condition.
    pub when: Expr,
    /// What else there is to say.
    pub note: Option<Words>,
}

/// A rule: when this holds, that is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name in the pack.
    pub id: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Which question it answers.
    pub question: &'static Question,
    /// When it applies, and when it does not, as written.
    pub text: String,
    /// Both together.
    pub when: Expr,
    /// What it says, by the answers' numbers.
    pub says: Vec<(usize, Says)>,
    /// What is owed.
    pub duties: Vec<Duty>,
    /// Where that stands. Never empty.
    pub cites: Vec<Citation>,
    /// Does it decide?
    pub status: Status,
    /// How sure?
    pub confidence: Confidence,
    /// First day on which it decides.
    pub from: Date,
    /// Last day.
    pub until: Option<Date>,
    /// What else there is to say.
    pub note: Option<Words>,
}

impl Rule {
    /// Is it in force on that day?
    pub fn is_in_force(&self, on: Date) -> bool {
        self.decides() && self.from <= on && self.until.is_none_or(|until| on <= until)
    }

    /// Is it of a kind that decides at all?
    pub fn decides(&self) -> bool {
        matches!(self.status, Status::InForce | Status::Guideline)
    }
}

/// Keys of a shop's policy file that packs may name: what a list asks for can be told from there.
pub const POLICY_KEYS: &[&str] = &["shop.address", "recipient.contact"];

/// Something that has to be in something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
    /// The key of a policy file, of [`POLICY_KEYS`], without which it cannot be there.
    #[serde(default)]
    pub key: Option<String>,
}

impl Item {
    /// What it is.
    pub fn words(&self) -> Words {
        Words { en: self.en.clone(), zh: self.zh.clone() }
    }
}

/// A list of what has to be in something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its name in the pack.
    pub id: String,
    /// What has to be in it.
    pub items: Vec<Item>,
}

/// Whom somebody has to turn to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Its name in the pack.
    pub id: String,
    /// Who that is.
    pub name: Words,
}

/// A pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its id: `cn`, `us-ca`, `taobao`.
    pub id: String,
    /// Law or platform.
    pub kind: PackKind,
    /// Its name.
    pub name: Words,
    /// How much of it there is.
    pub depth: Depth,
    /// The day of the sources.
    pub checked_on: Date,
    /// What a reader has to know of it.
    pub about: Words,
    /// The zone in which days begin.
    pub zone: TimeZone,
    /// Its working days.
    pub calendar: Calendar,
    /// How it counts, unless a clock says otherwise.
    pub counting: Counting,
    /// Laws.
    pub laws: Vec<Law>,
    /// Recipients.
    pub recipients: Vec<Recipient>,
    /// Lists.
    pub lists: Vec<List>,
    /// Rules, in their order.
    pub rules: Vec<Rule>,
    /// The rules of each question, by the question's number.
    by_question: Vec<Vec<usize>>,
}

/// A pack that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct BadPack {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Why.
    pub why: String,
}

impl Pack {
    /// Reads a pack.
    ///
    /// Takes: the file's name, for messages; its text; the calendar of a name. Fails: with file, line and reason, on what is not TOML,
    /// an unknown key, a question, fact, word, law, recipient, list or calendar that there is not, a rule without a citation or
    /// without anything to say, and versions of a rule that are in force on one day.
    pub fn read(
        file: &str,
        text: &str,
        calendar: &dyn Fn(&str) -> Option<Calendar>,
    ) -> Result<Pack, BadPack> {
        let at = |offset: usize| text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1);
        let bad = |line: usize, why: String| BadPack { file: file.to_owned(), line, why };
        let written: Written = toml::from_str(text).map_err(|error| {
            bad(error.span().map_or(1, |span| at(span.start)), error.message().to_owned())
        })?;
        let head = written.pack;
        let zone = TimeZoneDatabase::bundled()
            .get(&head.zone)
            .map_err(|_| bad(1, format!("there is no time zone `{}`", head.zone)))?;
        let its = calendar(&head.calendar)
            .ok_or_else(|| bad(1, format!("there is no calendar `{}`", head.calendar)))?;
        let laws = written.law.into_iter().map(|(id, law)| Law {
            id,
            short: law.short,
            name: law.name,
            from: law.from,
            until: law.until,
            confidence: law.confidence,
        });
        let recipients = written.recipient.into_iter().map(|(id, name)| Recipient { id, name });
        let keys = written.list.values().flatten().filter_map(|item| item.key.as_deref());
        if let Some(key) = keys.into_iter().find(|key| !POLICY_KEYS.contains(key)) {
            return Err(bad(1, format!("a policy file has no key `{key}` that a list may name")));
        }
        let lists = written.list.into_iter().map(|(id, items)| List { id, items });
        let mut pack = Pack {
            id: head.id,
            kind: head.kind,
            name: head.name,
            depth: head.depth,
            checked_on: head.checked_on,
            about: head.about,
            zone,
            calendar: its,
            counting: head.counting,
            laws: laws.collect(),
            recipients: recipients.collect(),
            lists: lists.collect(),
            rules: Vec::new(),
            by_question: vec![Vec::new(); question::ALL.len()],
        };
        let defined: Vec<(String, String)> = written.define.into_iter().collect();
        for rule in written.rule {
            let line = at(rule.id.span().start);
            let rule = pack.rule(rule, line, &defined).map_err(|why| bad(line, why))?;
            pack.add(rule).map_err(|why| bad(line, why))?;
        }
        if pack.rules.is_empty() && pack.kind == PackKind::Law {
            return Err(bad(1, "it has no rules".to_owned()));
        }
        Ok(pack)
    }

    /// The rules that answer a question, in their order.
    pub fn rules_of(&self, question: &Question) -> impl Iterator<Item = &Rule> + Clone {
        self.numbered_rules_of(question).map(|(_, rule)| rule)
    }

    /// The same, each with its number in the pack.
    pub(crate) fn numbered_rules_of(
        &self,
        question: &Question,
    ) -> impl Iterator<Item = (usize, &Rule)> + Clone {
        let number = question::number(question);
        let numbers = number.and_then(|number| self.by_question.get(number)).map_or(&[][..], Vec::as_slice);
        numbers.iter().filter_map(|number| Some((*number, self.rules.get(*number)?)))
    }

    /// A citation, as one reads it: `PIPL 57(1)`.
    pub fn cited(&self, citation: &Citation) -> String {
        let law = self.laws.get(citation.law).map_or("", |law| law.short.as_str());
        format!("{law} {}", citation.article)
    }

    fn add(&mut self, rule: Rule) -> Result<(), String> {
        for other in self.rules.iter().filter(|other| other.id == rule.id) {
            let apart = rule.until.is_some_and(|until| until < other.from)
                || other.until.is_some_and(|until| until < rule.from);
            if !apart && rule.decides() && other.decides() {
                return Err(format!("`{}` is in force twice on one day: see line {}", rule.id, other.line));
            }
            if !std::ptr::eq(rule.question, other.question) {
                return Err(format!("`{}` answers another question in line {}", rule.id, other.line));
            }
        }
        let number = question::number(rule.question);
        if let Some(of_question) = number.and_then(|number| self.by_question.get_mut(number)) {
            of_question.push(self.rules.len());
        }
        self.rules.push(rule);
        Ok(())
    }

    fn rule(&self, written: WrittenRule, line: usize, defined: &expr::Defined) -> Result<Rule, String> {
        let id = written.id.into_inner();
        let name = &written.question;
        let question = question::find(name).ok_or_else(|| {
            let meant = crate::fact::closest(name, question::ALL.iter().map(|known| known.name));
            format!("there is no question `{name}`{meant}")
        })?;
        let read = |text: &str| expr::read(text, question.facts, defined).map_err(|bad| bad.to_string());
        let mut when = written.when.as_deref().map_or(Ok(Expr::Fixed(true)), read)?;
        if let Some(unless) = &written.unless {
            when = Expr::All(vec![when, Expr::Not(Box::new(read(unless)?))]);
        }
        let text = match (&written.when, &written.unless) {
            (None, None) => "always".to_owned(),
            (Some(when), None) => when.clone(),
            (None, Some(unless)) => format!("unless {unless}"),
            (Some(when), Some(unless)) => format!("({when}) unless {unless}"),
        };
        let cites = written.cite.iter().map(|cite| self.citation(cite)).collect::<Result<Vec<_>, _>>()?;
        let Some(law) = cites.first().and_then(|first| self.laws.get(first.law)) else {
            return Err(format!("`{id}` cites nothing"));
        };
        let says = written.says.iter().map(|(name, says)| said(question, name, says));
        let says = says.collect::<Result<Vec<_>, _>>()?;
        let duties = written.duty.into_iter().map(|duty| self.duty(question, duty, &read));
        let duties = duties.collect::<Result<Vec<_>, _>>()?;
        if says.is_empty() && duties.is_empty() {
            return Err(format!("`{id}` says nothing"));
        }
        let rule = Rule {
            line,
            question,
            text,
            when,
            says,
            duties,
            status: written.status,
            confidence: written.confidence.unwrap_or(law.confidence),
            from: written.from.unwrap_or(law.from),
            until: written.until.or(law.until),
            note: written.note,
            cites,
            id,
        };
        if rule.until.is_some_and(|until| until < rule.from) {
            return Err(format!("`{}` ends before it begins", rule.id));
        }
        Ok(rule)
    }

    fn citation(&self, cite: &str) -> Result<Citation, String> {
        let (law, article) = cite.split_once(' ').unwrap_or((cite, ""));
        let number = self.laws.iter().position(|known| known.id == law);
        let Some(number) = number else {
            return Err(format!("it cites `{law}`, which is no law of this pack"));
        };
        if article.trim().is_empty() {
            return Err(format!("it cites `{law}` without an article"));
        }
        Ok(Citation { law: number, article: article.trim().to_owned() })
    }

    fn duty(
        &self,
        question: &'static Question,
        written: WrittenDuty,
        read: &impl Fn(&str) -> Result<Expr, String>,
    ) -> Result<Duty, String> {
        let act = &written.act;
        let number = question.duties.iter().position(|known| known == act).ok_or_else(|| {
            let meant = crate::fact::closest(act, question.duties.iter().copied());
            format!("`{}` knows no duty `{act}`{meant}", question.name)
        })?;
        let to = written.to.map(|to| {
            let found = self.recipients.iter().position(|known| known.id == to);
            found.ok_or_else(|| format!("there is no recipient `{to}`"))
        });
        let list = written.list.map(|list| {
            let found = self.lists.iter().position(|known| known.id == list);
            found.ok_or_else(|| format!("there is no list `{list}`"))
        });
        let aim = written.aim.map(|aim| self.clock(question, aim, read)).transpose()?;
        let clock = match (written.within, written.after) {
            (None, None) => None,
            (Some(within), Some(after)) => Some(self.clock(
                question,
                WrittenClock {
                    within,
                    after,
                    counting: written.counting,
                    extend: written.extend,
                    pause: written.pause,
                    before: written.before,
                    yearly: written.yearly,
                },
                read,
            )?),
            _ => return Err(format!("the clock of `{act}` needs both `within` and `after`")),
        };
        Ok(Duty {
            act: number,
            to: to.transpose()?,
            clock,
            aim,
            soon: written.soon,
            list: list.transpose()?,
            when: written.when.as_deref().map_or(Ok(Expr::Fixed(true)), read)?,
            note: written.note,
        })
    }

    fn clock(
        &self,
        question: &Question,
        written: WrittenClock,
        read: &impl Fn(&str) -> Result<Expr, String>,
    ) -> Result<Clock, String> {
        let moment = |name: &str| {
            let number = question::number_of(question, name);
            let is_moment = |number: &usize| {
                question.facts.get(*number).is_some_and(|fact| matches!(fact.kind, Kind::Day | Kind::Moment))
            };
            number.filter(is_moment).ok_or_else(|| format!("`{name}` is no moment that the question knows"))
        };
        let extend =
            written.extend.map(|extend| Ok::<_, String>((extend.by, read(&extend.when)?))).transpose()?;
        Ok(Clock {
            within: written.within,
            after: moment(&written.after)?,
            counting: written.counting.unwrap_or(self.counting),
            extend,
            pause: written
                .pause
                .map(|(from, to)| Ok::<_, String>((moment(&from)?, moment(&to)?)))
                .transpose()?,
            before: written.before,
            yearly: written.yearly,
        })
    }
}

fn said(question: &'static Question, name: &str, says: &WrittenSays) -> Result<(usize, Says), String> {
    let found = question.answers.iter().enumerate().find(|(_, answer)| answer.name == name);
    let Some((number, answer)) = found else {
        let meant = crate::fact::closest(name, question.answers.iter().map(|answer| answer.name));
        return Err(format!("`{}` has no answer `{name}`{meant}", question.name));
    };
    let number_of = |word: &str, known: &'static [&'static str]| {
        let found = known.iter().position(|known| *known == word).and_then(|at| u32::try_from(at).ok());
        found.ok_or_else(|| {
            format!("`{name}` cannot be `{word}`{}", crate::fact::closest(word, known.iter().copied()))
        })
    };
    let says = match (answer.kind, says) {
        (AnswerKind::YesNo, WrittenSays::YesNo(is)) => Says::YesNo(*is),
        (AnswerKind::Word(known), WrittenSays::Word(word)) => Says::Word(number_of(word, known)?),
        (AnswerKind::Words(known), WrittenSays::Words(all)) => {
            let add = |bits: u64, word: &String| Ok::<_, String>(bits | 1 << number_of(word, known)?);
            Says::Words(all.iter().try_fold(0, add)?)
        }
        _ => return Err(format!("`{name}` is not of the kind that the question asks for")),
    };
    Ok((number, says))
}

// As written.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    pack: WrittenHead,
    #[serde(default)]
    define: BTreeMap<String, String>,
    #[serde(default)]
    law: BTreeMap<String, WrittenLaw>,
    #[serde(default)]
    recipient: BTreeMap<String, Words>,
    #[serde(default)]
    list: BTreeMap<String, Vec<Item>>,
    #[serde(default)]
    rule: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHead {
    id: String,
    kind: PackKind,
    name: Words,
    depth: Depth,
    #[serde(deserialize_with = "day")]
    checked_on: Date,
    about: Words,
    zone: String,
    calendar: String,
    counting: Counting,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLaw {
    short: String,
    name: Words,
    #[serde(deserialize_with = "day")]
    from: Date,
    #[serde(default, deserialize_with = "some_day")]
    until: Option<Date>,
    confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: Spanned<String>,
    question: String,
    when: Option<String>,
    unless: Option<String>,
    #[serde(default)]
    says: BTreeMap<String, WrittenSays>,
    #[serde(default)]
    duty: Vec<WrittenDuty>,
    cite: Vec<String>,
    #[serde(default)]
    status: Status,
    confidence: Option<Confidence>,
    #[serde(default, deserialize_with = "some_day")]
    from: Option<Date>,
    #[serde(default, deserialize_with = "some_day")]
    until: Option<Date>,
    note: Option<Words>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenSays {
    YesNo(bool),
    Word(String),
    Words(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDuty {
    #[serde(rename = "do")]
    act: String,
    to: Option<String>,
    within: Option<Term>,
    after: Option<String>,
    counting: Option<Counting>,
    extend: Option<WrittenExtend>,
    pause: Option<(String, String)>,
    before: Option<Term>,
    yearly: Option<MonthDay>,
    aim: Option<WrittenClock>,
    soon: Option<Soon>,
    list: Option<String>,
    when: Option<String>,
    note: Option<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClock {
    within: Term,
    after: String,
    counting: Option<Counting>,
    extend: Option<WrittenExtend>,
    pause: Option<(String, String)>,
    before: Option<Term>,
    yearly: Option<MonthDay>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExtend {
    by: Term,
    when: String,
}

/// A day as TOML writes one: `2026-11-01`, without quotes.
fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    let bad = || serde::de::Error::custom("a day like 2026-11-01 is expected");
    if written.time.is_some() || written.offset.is_some() {
        return Err(bad());
    }
    written.date.and_then(|_| written.to_string().parse().ok()).ok_or_else(bad)
}

fn some_day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    day(deserializer).map(Some)
}
