//! Values as they come in: parsed to the kind their field declares, into one canonical text. A fault is a code;
//! it never carries the value, so it may be logged and shown.

use crate::words::FieldKind;
use serde::Serialize;
use std::fmt;

/// The longest value, in bytes of UTF-8.
pub const LONGEST_VALUE: usize = 16 * 1024;

/// The most digits of a decimal number.
pub const MOST_DIGITS: usize = 38;

/// Why a value cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueFault {
    /// Nothing but blanks.
    #[error("the value is empty")]
    Empty,
    /// Longer than 16 KiB.
    #[error("the value is too long")]
    TooLong,
    /// Given as another type than the field's.
    #[error("the value is of another type than the field")]
    WrongType,
    /// Not `2026-11-22`, or not a day of the calendar.
    #[error("the value is not a date such as 2026-11-22")]
    NotDate,
    /// Not a whole number of 64 bits.
    #[error("the value is not a whole number, or out of range")]
    NotInteger,
    /// Not a decimal number, or written with an exponent.
    #[error("the value is not a decimal number")]
    NotDecimal,
    /// More than 38 digits.
    #[error("the value has more than 38 digits")]
    TooManyDigits,
    /// Neither `true` nor `false`.
    #[error("the value is neither true nor false")]
    NotBoolean,
    /// Not shaped like an e-mail address.
    #[error("the value is not an e-mail address")]
    NotEmail,
    /// Not a telephone number.
    #[error("the value is not a telephone number")]
    NotPhone,
    /// A telephone number with too few digits.
    #[error("the telephone number is too short")]
    PhoneTooShort,
    /// A telephone number with too many digits.
    #[error("the telephone number is too long")]
    PhoneTooLong,
    /// Something else than digits.
    #[error("the value is not made of digits")]
    NotDigits,
    /// A value for a field that holds files.
    #[error("a file comes in by an address of its own")]
    IsFile,
}

/// A value as the caller gave it.
#[derive(Clone, Copy)]
pub enum Given<'v> {
    /// A JSON string, or a cell of a file.
    Text(&'v str),
    /// A JSON number without fraction or exponent.
    Integer(i64),
    /// A JSON number as written; a binary fraction would not survive.
    Number(&'v str),
    /// A JSON boolean.
    Boolean(bool),
}

impl fmt::Debug for Given<'_> {
    /// The type only: values are personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Integer(_) => "Integer(…)",
            Self::Number(_) => "Number(…)",
            Self::Boolean(_) => "Boolean(…)",
        })
    }
}

impl FieldKind {
    /// The value's canonical text: equal values have equal texts.
    ///
    /// Dates are `YYYY-MM-DD`, integers without sign or zeros that say nothing, decimals without trailing zeros
    /// after the point (`12.50` is `12.5`), booleans `true` or `false`. Texts are left to the field's normaliser.
    pub fn parse(self, text: &str) -> Result<String, ValueFault> {
        self.parse_given(Given::Text(text))
    }

    /// As [`FieldKind::parse`], from a value that already has a type.
    pub fn parse_given(self, given: Given<'_>) -> Result<String, ValueFault> {
        match (self, given) {
            (Self::Text, Given::Text(text)) => words(text).map(str::to_owned),
            (Self::Date, Given::Text(text)) => date(words(text)?.trim()),
            (Self::Integer, Given::Text(text)) => integer(words(text)?.trim()),
            (Self::Integer, Given::Number(text)) => integer(text),
            (Self::Integer | Self::Decimal, Given::Integer(number)) => Ok(number.to_string()),
            (Self::Decimal, Given::Text(text)) => decimal(words(text)?.trim()),
            (Self::Decimal, Given::Number(text)) => decimal(text),
            (Self::Boolean, Given::Boolean(truth)) => Ok(truth.to_string()),
            (Self::Boolean, Given::Text(text)) => match words(text)?.trim() {
                truth @ ("true" | "false") => Ok(truth.to_owned()),
                _ => Err(ValueFault::NotBoolean),
            },
            (Self::File, _) => Err(ValueFault::IsFile),
            _ => Err(ValueFault::WrongType),
        }
    }
}

fn words(text: &str) -> Result<&str, ValueFault> {
    if text.len() > LONGEST_VALUE {
        Err(ValueFault::TooLong)
    } else if text.trim().is_empty() {
        Err(ValueFault::Empty)
    } else {
        Ok(text)
    }
}

fn date(text: &str) -> Result<String, ValueFault> {
    // jiff also reads `20261122`, signs and more; one way to write a day is enough.
    let shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(place, byte)| if place == 4 || place == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    match text.parse::<jiff::civil::Date>() {
        Ok(day) if shaped => Ok(day.to_string()),
        _ => Err(ValueFault::NotDate),
    }
}

fn integer(text: &str) -> Result<String, ValueFault> {
    text.parse::<i64>().map(|number| number.to_string()).map_err(|_| ValueFault::NotInteger)
}

fn decimal(text: &str) -> Result<String, ValueFault> {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(ValueFault::NotDecimal);
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.len() + fraction.len() > MOST_DIGITS {
        return Err(ValueFault::TooManyDigits);
    }
    let sign = if minus && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    let whole = if whole.is_empty() { "0" } else { whole };
    Ok(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_of_each_kind_have_one_text() {
        for (kind, text, canonical) in [
            (FieldKind::Text, " a ", " a "),
            (FieldKind::Date, "2028-02-29", "2028-02-29"),
            (FieldKind::Integer, "+007", "7"),
            (FieldKind::Integer, "-9223372036854775808", "-9223372036854775808"),
            (FieldKind::Decimal, "0012.50", "12.5"),
            (FieldKind::Decimal, "-0.00", "0"),
            (FieldKind::Decimal, "0.10", "0.1"),
            (FieldKind::Boolean, "true", "true"),
        ] {
            assert_eq!(kind.parse(text).as_deref(), Ok(canonical), "{text}");
        }
        assert_eq!(FieldKind::Decimal.parse_given(Given::Number("3.140")).as_deref(), Ok("3.14"));
        assert_eq!(FieldKind::Boolean.parse_given(Given::Boolean(false)).as_deref(), Ok("false"));
    }

    #[test]
    fn what_is_of_another_kind_is_refused() {
        for (kind, text, fault) in [
            (FieldKind::Text, " ", ValueFault::Empty),
            (FieldKind::Date, "2027-02-29", ValueFault::NotDate),
            (FieldKind::Date, "20261122", ValueFault::NotDate),
            (FieldKind::Date, "22.11.2026", ValueFault::NotDate),
            (FieldKind::Integer, "1.0", ValueFault::NotInteger),
            (FieldKind::Integer, "9223372036854775808", ValueFault::NotInteger),
            (FieldKind::Decimal, "1e3", ValueFault::NotDecimal),
            (FieldKind::Decimal, "1.", ValueFault::NotDecimal),
            (FieldKind::Decimal, ".5", ValueFault::NotDecimal),
            (FieldKind::Decimal, "123456789012345678901234567890123456789", ValueFault::TooManyDigits),
            (FieldKind::Boolean, "yes", ValueFault::NotBoolean),
        ] {
            assert_eq!(kind.parse(text), Err(fault), "{text}");
        }
        assert_eq!(FieldKind::Text.parse_given(Given::Integer(1)), Err(ValueFault::WrongType));
        assert_eq!(FieldKind::Text.parse(&"x".repeat(LONGEST_VALUE + 1)), Err(ValueFault::TooLong));
    }

    #[test]
    fn a_given_value_is_not_printed() {
        assert_eq!(format!("{:?}", Given::Text("13800138000")), "Text(…)");
    }

    proptest! {
        #[test]
        fn parsing_a_canonical_text_gives_itself(text in "[-+]?[0-9.:-]{1,20}", kind in proptest::sample::select(FieldKind::ALL)) {
            if let Ok(canonical) = kind.parse(&text) {
                prop_assert_eq!(kind.parse(&canonical), Ok(canonical));
            }
        }
    }
}
