//! Periods and retention expressions: `12mo`, `90d after order.delivered`, `until withdrawn`.
//!
//! SOURCE: docs/spec/policy.md, "How long".

use crate::code::Code;
use crate::suggest::closest;
use crate::text::Name;
use crate::words::Unit;
use std::fmt;
use std::ops::Range;

/// The built-in event: the record itself was collected (again).
pub const COLLECTED: &str = "collected";

const PERIOD: &str =
    "a period is a number and a unit without a blank: `d` days, `w` weeks, `mo` months, `y` years";
const RETENTION: &str =
    "a retention reads `<number><unit> after <event>`, for example `90d after order.delivered`";

/// The longest periods that make sense: a hundred years, in each unit.
const LONGEST: [(Unit, u32); 4] =
    [(Unit::Days, 36_500), (Unit::Weeks, 5_200), (Unit::Months, 1_200), (Unit::Years, 100)];

/// A length of time on the calendar: `90d`, `12mo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// How many; at least 1.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

impl Period {
    /// The day that many units after `day`; a month's end stays a month's end (31 January + 1 month = 28 February).
    pub fn after(self, day: jiff::civil::Date) -> jiff::civil::Date {
        day.saturating_add(self.span())
    }

    /// About how many days; only for telling longer from shorter.
    pub fn approximate_days(self) -> u32 {
        // Months and years are averages over the Gregorian cycle, in ten-thousandths of a day.
        let scale: u64 = match self.unit {
            Unit::Days => 10_000,
            Unit::Weeks => 70_000,
            Unit::Months => 304_369,
            Unit::Years => 3_652_425,
        };
        u32::try_from(u64::from(self.count).saturating_mul(scale) / 10_000).unwrap_or(u32::MAX)
    }

    pub(crate) fn span(self) -> jiff::Span {
        let count = i64::from(self.count);
        let span = jiff::Span::new();
        let made = match self.unit {
            Unit::Days => span.try_days(count),
            Unit::Weeks => span.try_weeks(count),
            Unit::Months => span.try_months(count),
            Unit::Years => span.try_years(count),
        };
        // A count beyond jiff's range cannot be written in a policy; should one be made by hand, it means "long".
        made.unwrap_or_else(|_| span.years(9_998))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit)
    }
}

/// Something in a record's life from which a clock runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// The record itself was collected, the last time: `collected`.
    Collected,
    /// A record of this kind was collected, the last time: `order.collected`.
    KindCollected(Name),
    /// A declared event of a kind: `order.delivered`.
    Event(Name, Name),
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collected => f.write_str(COLLECTED),
            Self::KindCollected(kind) => write!(f, "{kind}.{COLLECTED}"),
            Self::Event(kind, event) => write!(f, "{kind}.{event}"),
        }
    }
}

/// A period that starts with an event: `90d after order.delivered`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct After {
    /// How long.
    pub period: Period,
    /// From when.
    pub anchor: Anchor,
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {}", self.period, self.anchor)
    }
}

/// How long a purpose may use data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// While the person's yes stands: `until withdrawn`.
    UntilWithdrawn,
    /// A period after an event.
    After(After),
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UntilWithdrawn => f.write_str("until withdrawn"),
            Self::After(after) => after.fmt(f),
        }
    }
}

/// Why a period or an expression cannot be read, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Keep {
    /// The expression, and where in the text its event stands.
    pub(crate) fn parse_placed(text: &str) -> Result<(Self, Range<usize>), Fault> {
        let mut words = Words::of(text);
        let first = words.next_or("a period such as `90d`, or `until withdrawn`", RETENTION)?;
        if first.text == "until" {
            let second = words.next_or("`withdrawn`", RETENTION)?;
            if second.text != "withdrawn" {
                return Err(
                    second.fault("`until` can only be followed by `withdrawn`", "write `until withdrawn`")
                );
            }
            words.end()?;
            return Ok((Self::UntilWithdrawn, second.at));
        }
        let period = period_of(&first)?;
        let after = words.next_or("`after` and an event", RETENTION)?;
        if after.text != "after" {
            return Err(after.fault(&format!("`{}` where `after` is expected", shown(after.text)), RETENTION));
        }
        let event = words.next_or("an event such as `order.delivered`, or `collected`", RETENTION)?;
        let anchor = anchor_of(&event)?;
        words.end()?;
        Ok((Self::After(After { period, anchor }), event.at))
    }
}

impl Period {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let mut words = Words::of(text);
        let period = period_of(&words.next_or("a period such as `12mo`", PERIOD)?)?;
        words.end()?;
        Ok(period)
    }
}

fn period_of(word: &Piece<'_>) -> Result<Period, Fault> {
    let digits = word.text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = word.text.split_at_checked(digits).unwrap_or((word.text, ""));
    if number.is_empty() {
        return Err(word.fault(&format!("`{}` is not a period", shown(word.text)), PERIOD));
    }
    let unit_at = word.at.start + digits..word.at.end;
    if unit.is_empty() {
        return Err(Fault {
            code: Code::Retention,
            at: word.at.clone(),
            message: format!("`{}` has no unit", shown(number)),
            help: PERIOD.to_owned(),
        });
    }
    let Some(found) = Unit::find(unit) else {
        let help = match unit_meant(unit) {
            Some(meant) => format!("did you mean `{}{}`? {PERIOD}", shown(number), meant),
            None => PERIOD.to_owned(),
        };
        return Err(Fault {
            code: Code::Retention,
            at: unit_at,
            message: format!("`{}` is not a unit", shown(unit)),
            help,
        });
    };
    let longest = LONGEST.iter().find(|(unit, _)| *unit == found).map_or(1, |(_, most)| *most);
    match number.parse::<u32>() {
        Ok(count) if (1..=longest).contains(&count) => Ok(Period { count, unit: found }),
        _ => Err(word.fault(
            &format!("`{}` is out of range", shown(word.text)),
            &format!("the shortest period is `1{found}`, the longest a hundred years: `{longest}{found}`"),
        )),
    }
}

/// Which unit did they mean? Words as people write them, before spelling mistakes of ours.
fn unit_meant(unit: &str) -> Option<Unit> {
    match unit.to_ascii_lowercase().as_str() {
        "d" | "day" | "days" | "天" | "日" => Some(Unit::Days),
        "w" | "wk" | "wks" | "week" | "weeks" | "周" => Some(Unit::Weeks),
        "m" | "mo" | "mon" | "mth" | "mths" | "month" | "months" | "月" | "个月" => Some(Unit::Months),
        "y" | "yr" | "yrs" | "year" | "years" | "a" | "年" => Some(Unit::Years),
        _ => None,
    }
}

fn anchor_of(word: &Piece<'_>) -> Result<Anchor, Fault> {
    const HELP: &str = "name a kind and one of its events, `order.delivered`, or `collected`";
    let bad = || word.fault(&format!("`{}` is not an event", shown(word.text)), HELP);
    if word.text == COLLECTED {
        return Ok(Anchor::Collected);
    }
    let (kind, event) = word.text.split_once('.').ok_or_else(|| {
        let help = match closest(word.text, [COLLECTED]) {
            Some(meant) => format!("did you mean `{meant}`? {HELP}"),
            None => HELP.to_owned(),
        };
        Fault { help, ..bad() }
    })?;
    let (kind, event) = (Name::parse(kind).ok_or_else(bad)?, Name::parse(event).ok_or_else(bad)?);
    Ok(if event.as_str() == COLLECTED { Anchor::KindCollected(kind) } else { Anchor::Event(kind, event) })
}

/// A text cut at blanks, each piece with its place.
struct Words<'t> {
    text: &'t str,
    at: usize,
}

struct Piece<'t> {
    text: &'t str,
    at: Range<usize>,
}

impl Piece<'_> {
    fn fault(&self, message: &str, help: &str) -> Fault {
        Fault {
            code: Code::Retention,
            at: self.at.clone(),
            message: message.to_owned(),
            help: help.to_owned(),
        }
    }
}

impl<'t> Words<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn next(&mut self) -> Option<Piece<'t>> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + (rest.len() - rest.trim_start().len());
        let rest = self.text.get(start..)?;
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at = start + length;
        let text = rest.get(..length).filter(|piece| !piece.is_empty())?;
        Some(Piece { text, at: start..self.at })
    }

    fn next_or(&mut self, expected: &str, help: &str) -> Result<Piece<'t>, Fault> {
        let end = self.text.len();
        self.next().ok_or_else(|| Fault {
            code: Code::Retention,
            at: end..end,
            message: format!("{expected} is missing here"),
            help: help.to_owned(),
        })
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.next() {
            None => Ok(()),
            Some(more) => Err(Fault {
                at: more.at.start..self.text.trim_end().len(),
                ..more.fault(
                    "this says more than can be understood",
                    "end the expression here; one purpose has one retention",
                )
            }),
        }
    }
}

fn shown(text: &str) -> String {
    crate::text::quoted(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn keep(text: &str) -> Result<Keep, Fault> {
        Keep::parse_placed(text).map(|(keep, _)| keep)
    }

    fn fault(text: &str) -> (Range<usize>, String) {
        let fault = keep(text).unwrap_err();
        (fault.at, fault.help)
    }

    #[test]
    fn the_expressions_of_the_specification_are_read() {
        for text in [
            "90d after order.delivered",
            "3y after collected",
            "12mo after order.collected",
            "until withdrawn",
        ] {
            assert_eq!(keep(text).unwrap().to_string(), text);
        }
        assert_eq!(keep("  2w   after  collected ").unwrap().to_string(), "2w after collected");
    }

    #[test]
    fn a_fault_points_at_the_word_that_is_wrong() {
        assert_eq!(fault("90days after x.y").0, 2..6);
        assert!(fault("90days after x.y").1.contains("did you mean `90d`?"));
        assert_eq!(fault("90d of x.y").0, 4..6);
        assert_eq!(fault("90d after delivered").0, 10..19);
        assert_eq!(fault("90d after").0, 9..9);
        assert_eq!(fault("90 d after x.y").0, 0..2);
        assert_eq!(fault("until further notice").0, 6..13);
        assert_eq!(fault("1y after a.b or c.d").0, 13..19);
        assert_eq!(fault("0d after a.b").0, 0..2);
        assert_eq!(fault("101y after a.b").0, 0..4);
        assert_eq!(fault("").0, 0..0);
    }

    #[test]
    fn the_last_day_of_a_month_stays_within_its_month() {
        let month = Period { count: 1, unit: Unit::Months };
        assert_eq!(month.after(date(2027, 1, 31)), date(2027, 2, 28));
        assert_eq!(month.after(date(2028, 1, 31)), date(2028, 2, 29));
        assert_eq!(Period { count: 1, unit: Unit::Years }.after(date(2028, 2, 29)), date(2029, 2, 28));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_within_its_bounds(text in "\\PC{0,40}") {
            match keep(&text) {
                Ok(read) => prop_assert_eq!(keep(&read.to_string()).unwrap(), read),
                Err(fault) => prop_assert!(text.get(fault.at.clone()).is_some(), "{:?} in {:?}", fault.at, text),
            }
        }
    }
}
