//! How many persons one credential may reach for a purpose: `200 subjects per hour, 1000 per day`.
//!
//! SOURCE: docs/spec/policy.md, "How many".

use crate::code::Code;
use crate::period::Fault;
use crate::text::quoted;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

const LIMIT: &str = "a limit reads `200 subjects per hour, 1000 per day`; one of the two is enough";

/// How many persons may be reached in any hour, and in any day of 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Persons in any hour; at least 1.
    pub per_hour: u32,
    /// Persons in any 24 hours; at least as many.
    pub per_day: u32,
}

impl Limit {
    /// What holds where a purpose says nothing, so that nobody is without protection.
    pub const USUAL: Self = Self { per_hour: 1_000, per_day: 5_000 };
    /// The most persons a limit can name.
    pub const MOST: u32 = 10_000_000;

    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let (mut per_hour, mut per_day) = (None, None);
        let mut from = 0;
        for part in text.split(',') {
            let at = from..from + part.len();
            from = at.end + 1;
            let (count, per) = one(part, &at)?;
            let slot = match per {
                Per::Hour => &mut per_hour,
                Per::Day => &mut per_day,
            };
            if slot.replace(count).is_some() {
                return Err(fault(&at, format!("`{}` is said twice", quoted(part.trim())), LIMIT));
            }
        }
        let whole = 0..text.len();
        match (per_hour, per_day) {
            (Some(per_hour), Some(per_day)) if per_hour > per_day => Err(fault(
                &whole,
                format!("{per_hour} per hour are more than {per_day} per day"),
                "a day has 24 hours: let the day allow at least as many as the hour",
            )),
            (Some(per_hour), Some(per_day)) => Ok(Self { per_hour, per_day }),
            (Some(per_hour), None) => {
                Ok(Self { per_hour, per_day: per_hour.saturating_mul(24).min(Self::MOST) })
            }
            (None, Some(per_day)) => Ok(Self { per_hour: per_day, per_day }),
            (None, None) => Err(fault(&whole, String::from("there is no limit in it"), LIMIT)),
        }
    }
}

#[derive(Clone, Copy)]
enum Per {
    Hour,
    Day,
}

/// `200 subjects per hour`, or without `subjects`.
fn one(part: &str, at: &Range<usize>) -> Result<(u32, Per), Fault> {
    let mut words: Vec<&str> = part.split_ascii_whitespace().collect();
    if words.get(1) == Some(&"subjects") {
        words.remove(1);
    }
    let &[count, "per", per] = words.as_slice() else {
        return Err(fault(at, format!("`{}` is not a limit", quoted(part.trim())), LIMIT));
    };
    let per = match per {
        "hour" => Per::Hour,
        "day" => Per::Day,
        other => return Err(fault(at, format!("`{}` is neither `hour` nor `day`", quoted(other)), LIMIT)),
    };
    let plain = count.bytes().all(|byte| byte.is_ascii_digit());
    match count.parse::<u32>() {
        Ok(count) if plain && (1..=Limit::MOST).contains(&count) => Ok((count, per)),
        _ => Err(fault(
            at,
            format!("`{}` is out of range", quoted(count)),
            "the least is 1, the most 10000000; a purpose that nobody may use is taken out of the policy",
        )),
    }
}

fn fault(at: &Range<usize>, message: String, help: &str) -> Fault {
    Fault { code: Code::Limit, at: at.clone(), message, help: help.to_owned() }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} subjects per hour, {} per day", self.per_hour, self.per_day)
    }
}

/// A text that is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotALimit;

impl FromStr for Limit {
    type Err = NotALimit;

    fn from_str(text: &str) -> Result<Self, NotALimit> {
        Self::parse(text).map_err(|_| NotALimit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_back_as_it_is_shown() {
        for (text, per_hour, per_day) in [
            ("200 subjects per hour, 1000 per day", 200, 1_000),
            ("200 per hour,1000 subjects per day", 200, 1_000),
            ("1000 per day, 200 per hour", 200, 1_000),
            ("5 subjects per hour", 5, 120),
            ("1000 per day", 1_000, 1_000),
            ("10000000 per hour", 10_000_000, 10_000_000),
        ] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(limit, Limit { per_hour, per_day }, "{text}");
            assert_eq!(limit.to_string().parse(), Ok(limit));
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in [
            "",
            "none",
            "0 per day",
            "-1 per hour",
            "+5 per hour",
            "10000001 per day",
            "200",
            "200 per week",
            "200 people per hour",
            "200 per hour, 100 per day",
            "200 per hour, 300 per hour",
            "200 per hour,",
            "1,000 per day",
        ] {
            assert_eq!(text.parse::<Limit>(), Err(NotALimit), "{text}");
        }
    }
}
