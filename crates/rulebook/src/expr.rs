//! Conditions of rules: a small language that a lawyer can read, with three truth values.
//!
//! ```text
//! condition = all ("or" all)*
//! all       = one ("and" one)*
//! one       = "not" one | "(" condition ")" | flag | count op number | day op date | word "=" w | word "!=" w
//!           | word "in" "[" w, w "]" | words "has" w | words "has" "[" w, w "]" (any of them) | "known" fact
//! op        = ">=" (以上: includes the number) | ">" (超过) | "<" (不满) | "<=" (不超过) | "=" | "!="
//! ```
//!
//! `and` binds stronger than `or`. Numbers may have `_` between digits. Names that the pack defines stand for their condition.

use std::cmp::Ordering;

use jiff::civil::Date;

use crate::fact::{Fact, Facts, Kind, Value};

/// What a condition comes to when not every fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// That depends on facts that were not given.
    Unknown,
}

impl Truth {
    fn of(is: bool) -> Truth {
        if is { Truth::Yes } else { Truth::No }
    }

    /// Kleene's *and*: one *no* decides.
    #[must_use]
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Yes, Truth::Yes) => Truth::Yes,
            _ => Truth::Unknown,
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

/// How a number or a day is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// 以上, at least.
    AtLeast,
    /// 超过, more than.
    MoreThan,
    /// 不满, less than.
    LessThan,
    /// 不超过, at most.
    AtMost,
    /// The same.
    Is,
    /// Another.
    IsNot,
}

impl Op {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Op::AtLeast => order.is_ge(),
            Op::MoreThan => order.is_gt(),
            Op::LessThan => order.is_lt(),
            Op::AtMost => order.is_le(),
            Op::Is => order.is_eq(),
            Op::IsNot => order.is_ne(),
        }
    }
}

/// A condition over the facts of one question. Facts and words are their numbers in that question's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// Always, or never.
    Fixed(bool),
    /// A flag is set.
    Flag(usize),
    /// A number of things or people against a bound.
    Count(usize, Op, u64),
    /// A day against a day.
    Day(usize, Op, Date),
    /// One word is among these (bits).
    Word(usize, u64),
    /// Some of these words (bits) are among those given.
    Words(usize, u64),
    /// The fact was given.
    Known(usize),
    /// The other way round.
    Not(Box<Expr>),
    /// All of them.
    All(Vec<Expr>),
    /// At least one of them.
    Any(Vec<Expr>),
}

impl Expr {
    /// Does it hold, of these facts? A fact that was not given makes *unknown* what rests on it.
    pub fn truth(&self, facts: &Facts) -> Truth {
        match self {
            Expr::Fixed(is) => Truth::of(*is),
            Expr::Known(fact) => Truth::of(facts.at(*fact).is_some()),
            Expr::Not(inner) => !inner.truth(facts),
            Expr::All(all) => all.iter().fold(Truth::Yes, |so_far, one| match so_far {
                Truth::No => Truth::No,
                so_far => so_far.and(one.truth(facts)),
            }),
            Expr::Any(any) => !any.iter().fold(Truth::Yes, |none, one| match none {
                Truth::No => Truth::No,
                none => none.and(!one.truth(facts)),
            }),
            Expr::Flag(fact)
            | Expr::Count(fact, ..)
            | Expr::Day(fact, ..)
            | Expr::Word(fact, _)
            | Expr::Words(fact, _) => match facts.at(*fact) {
                None => Truth::Unknown,
                Some(value) => Truth::of(self.compares(value)),
            },
        }
    }

    fn compares(&self, value: &Value) -> bool {
        match (self, value) {
            (Expr::Flag(_), Value::Flag(is)) => *is,
            (Expr::Count(_, op, bound), Value::Count(count)) => op.holds(count.cmp(bound)),
            (Expr::Day(_, op, bound), Value::Moment(moment)) => op.holds(moment.day().cmp(bound)),
            (Expr::Word(_, among), Value::Word(word)) => among >> word & 1 == 1,
            (Expr::Words(_, among), Value::Words(words)) => among & words != 0,
            // A fact has the kind that its question gives it, and so has the condition: `read` makes no other.
            _ => false,
        }
    }

    /// Calls for each fact that it looks at, also one that does not matter for these facts.
    pub fn each_fact(&self, each: &mut impl FnMut(usize)) {
        match self {
            Expr::Fixed(_) => {}
            Expr::Not(inner) => inner.each_fact(each),
            Expr::All(all) | Expr::Any(all) => all.iter().for_each(|one| one.each_fact(each)),
            Expr::Flag(fact)
            | Expr::Count(fact, ..)
            | Expr::Day(fact, ..)
            | Expr::Word(fact, _)
            | Expr::Words(fact, _)
            | Expr::Known(fact) => each(*fact),
        }
    }

    /// Calls for each fact whose absence keeps it from being decided.
    pub fn each_missing(&self, facts: &Facts, each: &mut impl FnMut(usize)) {
        if self.truth(facts) != Truth::Unknown {
            return;
        }
        match self {
            Expr::Not(inner) => inner.each_missing(facts, each),
            Expr::All(all) | Expr::Any(all) => all.iter().for_each(|one| one.each_missing(facts, each)),
            one => one.each_fact(each),
        }
    }
}

/// A condition that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}, at column {column} of `{text}`")]
pub struct BadCondition {
    /// The condition.
    pub text: String,
    /// Where in it, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// Names that a pack defines, and the conditions that they stand for.
pub(crate) type Defined = [(String, String)];

/// Reads a condition over the facts of a question.
///
/// Fails: on a name, a word or an operator that the fact does not have, and where the text ends or goes on too early.
pub(crate) fn read(text: &str, facts: &[&'static Fact], defined: &Defined) -> Result<Expr, BadCondition> {
    Reader { text, rest: text, facts, defined, depth: 0, parts: 0 }.whole()
}

/// So deep may conditions be nested, definitions included.
const DEEPEST: usize = 24;
/// So many parts may a condition have, definitions included. Without a bound, names defined by twice a name that is defined by twice a name
/// come to more than any machine holds.
const MOST_PARTS: usize = 1_000;

struct Reader<'t> {
    text: &'t str,
    rest: &'t str,
    facts: &'t [&'static Fact],
    defined: &'t Defined,
    depth: usize,
    parts: usize,
}

impl<'t> Reader<'t> {
    fn whole(mut self) -> Result<Expr, BadCondition> {
        let read = self.condition()?;
        self.skip_blanks();
        if self.rest.is_empty() { Ok(read) } else { Err(self.bad("this is not expected here")) }
    }

    fn bad(&self, what: impl Into<String>) -> BadCondition {
        let before = self.text.len().saturating_sub(self.rest.len());
        let column = self.text.get(..before).map_or(0, |before| before.chars().count()).saturating_add(1);
        BadCondition { text: self.text.to_owned(), column, what: what.into() }
    }

    fn condition(&mut self) -> Result<Expr, BadCondition> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            return Err(self.bad("it is nested too deeply, or a name is defined by itself"));
        }
        let mut any = vec![self.all()?];
        while self.eat_word("or") {
            any.push(self.all()?);
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(one_or(any, Expr::Any))
    }

    fn all(&mut self) -> Result<Expr, BadCondition> {
        let mut all = vec![self.one()?];
        while self.eat_word("and") {
            all.push(self.one()?);
        }
        Ok(one_or(all, Expr::All))
    }

    fn one(&mut self) -> Result<Expr, BadCondition> {
        self.parts = self.parts.saturating_add(1);
        if self.parts > MOST_PARTS {
            return Err(self.bad("it has too many parts, with those of the names that are defined"));
        }
        if self.eat_word("not") {
            self.depth = self.depth.saturating_add(1);
            if self.depth > DEEPEST {
                return Err(self.bad("it is nested too deeply"));
            }
            let inner = self.one()?;
            self.depth = self.depth.saturating_sub(1);
            return Ok(Expr::Not(Box::new(inner)));
        }
        if self.eat("(") {
            let inner = self.condition()?;
            return if self.eat(")") { Ok(inner) } else { Err(self.bad("`)` is missing")) };
        }
        if self.eat_word("known") {
            let (fact, _) = self.fact()?;
            return Ok(Expr::Known(fact));
        }
        if let Some(defined) = self.defined() {
            let mut inner = Reader { text: defined, rest: defined, depth: self.depth, ..*self };
            let read = inner.condition().map_err(|bad| self.bad(format!("in what is defined: {bad}")))?;
            self.parts = inner.parts;
            inner.skip_blanks();
            return if inner.rest.is_empty() {
                Ok(read)
            } else {
                Err(inner.bad("this is not expected here"))
            };
        }
        let (number, fact) = self.fact()?;
        match fact.kind {
            Kind::Flag => Ok(Expr::Flag(number)),
            Kind::Count => {
                let op = self.op()?;
                Ok(Expr::Count(number, op, self.count()?))
            }
            Kind::Day | Kind::Moment => {
                let op = self.op()?;
                Ok(Expr::Day(number, op, self.day()?))
            }
            Kind::Word(known) => match self.op_of_word()? {
                WordOp::Is => Ok(Expr::Word(number, self.word(known)?)),
                WordOp::IsNot => Ok(Expr::Not(Box::new(Expr::Word(number, self.word(known)?)))),
                WordOp::In => Ok(Expr::Word(number, self.words(known)?)),
            },
            Kind::Words(known) => {
                if !self.eat_word("has") {
                    return Err(self.bad(format!("`{}` is a list: write `has`", fact.name)));
                }
                let among = if self.next_is("[") { self.words(known)? } else { self.word(known)? };
                Ok(Expr::Words(number, among))
            }
        }
    }

    fn defined(&mut self) -> Option<&'t str> {
        self.skip_blanks();
        let name = self.name_ahead()?;
        let (name, text) = self.defined.iter().find(|(defined, _)| defined == name)?;
        self.advance(name.len());
        Some(text)
    }

    fn fact(&mut self) -> Result<(usize, &'static Fact), BadCondition> {
        self.skip_blanks();
        let Some(name) = self.name_ahead() else { return Err(self.bad("a fact is missing")) };
        let found = self.facts.iter().enumerate().find(|(_, fact)| fact.name == name);
        let Some((number, fact)) = found else {
            let meant = crate::fact::closest(name, self.facts.iter().map(|fact| fact.name));
            return Err(self.bad(format!("the question has no fact `{name}`{meant}")));
        };
        self.advance(name.len());
        Ok((number, fact))
    }

    fn op(&mut self) -> Result<Op, BadCondition> {
        let ops = [
            (">=", Op::AtLeast),
            ("<=", Op::AtMost),
            ("!=", Op::IsNot),
            (">", Op::MoreThan),
            ("<", Op::LessThan),
            ("=", Op::Is),
        ];
        let found = ops.into_iter().find(|(sign, _)| self.eat(sign));
        found.map(|(_, op)| op).ok_or_else(|| self.bad("`>=`, `>`, `<`, `<=`, `=` or `!=` is missing"))
    }

    fn op_of_word(&mut self) -> Result<WordOp, BadCondition> {
        if self.eat("!=") {
            Ok(WordOp::IsNot)
        } else if self.eat("=") {
            Ok(WordOp::Is)
        } else if self.eat_word("in") {
            Ok(WordOp::In)
        } else {
            Err(self.bad("`=`, `!=` or `in` is missing"))
        }
    }

    fn count(&mut self) -> Result<u64, BadCondition> {
        self.skip_blanks();
        let digits = self.ahead(|c| c.is_ascii_digit() || c == '_');
        let number = digits.replace('_', "").parse();
        let Ok(number) = number else { return Err(self.bad("a whole number is missing")) };
        self.advance(digits.len());
        Ok(number)
    }

    fn day(&mut self) -> Result<Date, BadCondition> {
        self.skip_blanks();
        let text = self.ahead(|c| c.is_ascii_digit() || c == '-');
        let Ok(day) = text.parse() else { return Err(self.bad("a day is missing, like 2026-03-02")) };
        self.advance(text.len());
        Ok(day)
    }

    /// The bit of a word.
    fn word(&mut self, known: &'static [&'static str]) -> Result<u64, BadCondition> {
        self.skip_blanks();
        let name = self.name_ahead().unwrap_or_default();
        let Some(number) = known.iter().position(|word| *word == name) else {
            let meant = crate::fact::closest(name, known.iter().copied());
            return Err(self.bad(format!("the fact has no word `{name}`{meant}")));
        };
        self.advance(name.len());
        Ok(1 << number)
    }

    fn words(&mut self, known: &'static [&'static str]) -> Result<u64, BadCondition> {
        if !self.eat("[") {
            return Err(self.bad("`[` is missing"));
        }
        let mut bits = self.word(known)?;
        while self.eat(",") {
            bits |= self.word(known)?;
        }
        if self.eat("]") { Ok(bits) } else { Err(self.bad("`]` or `,` is missing")) }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn next_is(&mut self, sign: &str) -> bool {
        self.skip_blanks();
        self.rest.starts_with(sign)
    }

    fn eat(&mut self, sign: &str) -> bool {
        let is = self.next_is(sign);
        if is {
            self.advance(sign.len());
        }
        is
    }

    fn eat_word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let is = self.name_ahead() == Some(word);
        if is {
            self.advance(word.len());
        }
        is
    }

    fn name_ahead(&self) -> Option<&'t str> {
        let name = self.ahead(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
    }

    fn ahead(&self, belongs: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        self.rest.get(..end).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

enum WordOp {
    Is,
    IsNot,
    In,
}

fn one_or(mut several: Vec<Expr>, make: impl FnOnce(Vec<Expr>) -> Expr) -> Expr {
    match several.pop() {
        Some(only) if several.is_empty() => only,
        Some(last) => {
            several.push(last);
            make(several)
        }
        None => Expr::Fixed(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question;

    fn read_with(text: &str, defined: &Defined) -> Result<Expr, String> {
        let question = question::find("breach").unwrap();
        read(text, question.facts, defined).map_err(|bad| bad.what)
    }

    // Was read for as long as memory lasted: each name doubled the one before.
    #[test]
    fn names_that_double_each_other_are_refused_and_not_read_to_the_end() {
        let defined: Vec<(String, String)> = (0..20)
            .map(|number| (format!("n{number}"), format!("n{0} or n{0}", number + 1)))
            .chain([("n20".to_owned(), "is_ciio".to_owned())])
            .collect();
        assert!(read_with("n0", &defined).unwrap_err().contains("too many parts"));
        assert!(read_with("n14", &defined).is_ok());
    }

    #[test]
    fn a_condition_of_a_thousand_parts_is_read_and_one_of_more_is_not() {
        let long = |parts: usize| vec!["is_ciio"; parts].join(" or ");
        assert!(read_with(&long(1_000), &[]).is_ok());
        assert_eq!(
            read_with(&long(1_001), &[]).unwrap_err(),
            "it has too many parts, with those of the names that are defined"
        );
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        let nested = |deep: usize| format!("{}is_ciio{}", "(".repeat(deep), ")".repeat(deep));
        assert!(read_with(&nested(23), &[]).is_ok());
        assert!(read_with(&nested(24), &[]).unwrap_err().contains("nested too deeply"));
        assert!(read_with(&format!("{}is_ciio", "not ".repeat(100_000)), &[]).is_err());
        let itself = [("itself".to_owned(), "not itself".to_owned())];
        assert!(read_with("itself", &itself).is_err());
    }
}
