//! What spreadsheets do to the cells of other people, undone where that can be done for sure, and refused where it cannot: ids
//! behind a tab, as a formula or in scientific notation, days as numbers.

use std::collections::HashMap;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::encoding::Encoding;

/// What the mapping says of the file and its columns, for whoever reads its rows.
#[derive(Debug, Clone)]
pub struct Reading {
    /// How its text is written, where that is said.
    pub encoding: Option<Encoding>,
    /// Name of the sheet; the first that is not hidden, if it is left out.
    pub sheet: Option<String>,
    /// Row with the names of the columns; the first, if it is left out.
    pub header_row: Option<u32>,
    /// Are numbers in columns of days and instants days that a spreadsheet has counted, and from when?
    pub serials: Option<Epoch>,
    /// Where the clock hung that days were counted by.
    pub zone: TimeZone,
    /// What the columns that the mapping names are used for.
    pub uses: HashMap<String, Use>,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            encoding: None,
            sheet: None,
            header_row: None,
            serials: None,
            zone: TimeZone::UTC,
            uses: HashMap::new(),
        }
    }
}

/// What a column is used for, most telling first: a column that is used for several things is what comes first here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// It names somebody or something.
    Id,
    /// It says when something happened.
    Instant,
    /// It holds days.
    Day,
    /// It holds numbers.
    Number,
    /// It holds text.
    Text,
    /// It is compared with cells of the mapping, or not used at all.
    #[default]
    Other,
}

/// From which day a spreadsheet counts days.
/// SOURCE: ECMA-376 Part 1, 18.17.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// 1 is the first of January 1900, and a 29th of February 1900 is counted that never was.
    Y1900,
    /// 0 is the first of January 1904.
    Y1904,
}

/// Why a cell cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadCell {
    /// Stable code.
    pub code: &'static str,
    /// What is wrong, in words of ours.
    pub what: &'static str,
}

impl BadCell {
    /// Bytes that are no text.
    pub const NOT_TEXT: BadCell =
        BadCell { code: "SR-IMPORT-015", what: "the cell is not UTF-8, or not in the encoding of its file" };
    /// Text that somebody else has broken.
    pub const BROKEN: BadCell = BadCell {
        code: "SR-IMPORT-023",
        what: "the cell holds U+FFFD: its text was broken before it came here",
    };
    /// An id or text that a spreadsheet has rounded.
    pub const ROUNDED: BadCell = BadCell {
        code: "SR-IMPORT-024",
        what: "a spreadsheet has rounded the cell to 15 digits or less: export it anew with the column as text",
    };
    /// A formula went wrong.
    pub const ERROR: BadCell =
        BadCell { code: "SR-IMPORT-025", what: "the cell holds an error such as #N/A" };
    /// A formula that nothing has worked out.
    pub const NOT_WORKED_OUT: BadCell = BadCell {
        code: "SR-IMPORT-026",
        what: "the cell holds a formula without its value: open the workbook in its program and save it",
    };
    /// A number where a day must stand.
    pub const NO_DAY: BadCell = BadCell {
        code: "SR-IMPORT-027",
        what: "the cell is a number and not formatted as a date: say `serials` under `[time]` if it is one",
    };
    /// A day where an id must stand, or a fraction.
    pub const NO_ID: BadCell = BadCell {
        code: "SR-IMPORT-028",
        what: "the cell is a date or a fraction, and no id: a spreadsheet may have made it of one",
    };
}

/// The text of a cell as it was meant. Blanks within and the form of letters are left to the field's normaliser.
///
/// Taobao, JD and others put a tab before or behind long numbers, and Excel's users an apostrophe or `="…"`, so that a
/// spreadsheet does not round them. Marks of direction and of no width come with numbers that were copied out of a page.
pub(super) fn meant(text: &str) -> &str {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b'\'');
    if text.as_bytes().first().is_some_and(is_plain)
        && text.as_bytes().last().is_some_and(u8::is_ascii_graphic)
    {
        return text; // nearly every cell
    }
    let text = bare(text);
    let quoted = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    let text = quoted.filter(|inner| !inner.contains('"')).map_or(text, bare);
    // 't Hooft is a name.
    match text.strip_prefix('\'') {
        Some(number) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => number,
        _ => text,
    }
}

fn bare(text: &str) -> &str {
    text.trim_matches(|letter| {
        matches!(letter, '\t' | '\r' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
    })
}

/// Looks whether a text can be taken as what it is used for.
pub(super) fn look(text: &str, used: Use) -> Result<(), BadCell> {
    if !text.is_ascii() && text.contains('\u{fffd}') {
        return Err(BadCell::BROKEN);
    }
    if matches!(used, Use::Id | Use::Text | Use::Number) && is_scientific(text) {
        return Err(BadCell::ROUNDED);
    }
    Ok(())
}

/// `1.23457E+17`, and as other programs and countries write it: one digit, perhaps a fraction, an exponent. An id `12E4` is none,
/// and a `5E3` without point and sign may be an id.
fn is_scientific(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix('-').unwrap_or(text);
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let unsigned = exponent.strip_prefix(['+', '-']);
    whole.len() == 1
        && digits(whole)
        && fraction.is_none_or(digits)
        && digits(unsigned.unwrap_or(exponent))
        && (fraction.is_some() || unsigned.is_some())
}

/// Whole numbers from here on have lost digits in a spreadsheet: it keeps 15.
/// SOURCE: Microsoft, "Excel specifications and limits", number precision.
const ROUNDED_FROM: f64 = 1e15;

/// A number of a sheet as the text that its user sees.
///
/// Fails: when digits of it are lost, or it is no id.
pub(super) fn number_text(number: f64, shown_digits: usize, used: Use) -> Result<String, BadCell> {
    if !number.is_finite() || number.abs() >= ROUNDED_FROM {
        return Err(BadCell::ROUNDED);
    }
    if number.fract() == 0.0 {
        // As `format!` writes an f64 without a fraction: all of its digits and no exponent.
        return Ok(format!("{:01$}", number.abs(), shown_digits))
            .map(|digits| if number < 0.0 { format!("-{digits}") } else { digits });
    }
    if used == Use::Id {
        return Err(BadCell::NO_ID);
    }
    // What a sum of fractions is off by is not shown there, and is no part of an amount: 0.1 + 0.2 is 0.3.
    let fifteen: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    Ok(fifteen.to_string())
}

/// The instant that a spreadsheet counts as this many days; `None` where there is none. A time of day alone is none.
pub(super) fn day_counted(days: f64, epoch: Epoch) -> Option<DateTime> {
    /// The last day of the year 9999.
    const LAST: f64 = 2_958_466.0;
    const DAY_MILLIS: i64 = 86_400_000;
    if !(0.0..LAST).contains(&days) {
        return None;
    }
    let (first, days) = match epoch {
        Epoch::Y1904 => (Date::constant(1904, 1, 1), days),
        Epoch::Y1900 if days >= 61.0 => (Date::constant(1899, 12, 30), days),
        Epoch::Y1900 if (1.0..60.0).contains(&days) => (Date::constant(1899, 12, 31), days),
        Epoch::Y1900 => return None,
    };
    // A spreadsheet counts in thousandths of a second; finer is the error of its arithmetic.
    let millis = (days * 86_400_000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^48")]
    let millis = millis as i64;
    let whole_days = millis.div_euclid(DAY_MILLIS);
    let rest = jiff::SignedDuration::from_millis(millis.rem_euclid(DAY_MILLIS));
    let day = first.checked_add(jiff::Span::new().try_days(whole_days).ok()?).ok()?;
    day.to_datetime(Time::midnight()).checked_add(rest).ok()
}

/// A counted day as the text that a column takes.
pub(super) fn day_text(at: DateTime, used: Use, zone: &TimeZone) -> Result<String, BadCell> {
    match used {
        // With its offset, so that no pattern of the mapping can read it otherwise.
        Use::Instant => match at.to_zoned(zone.clone()) {
            Ok(zoned) => Ok(zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()),
            Err(_) => Err(BadCell::NO_DAY),
        },
        Use::Id => Err(BadCell::NO_ID),
        _ if at.time() == Time::midnight() => Ok(at.date().to_string()),
        _ => Ok(at.to_string()),
    }
}

/// A cell of text that holds counted days, as the mapping says they are; `None` for any other.
pub(super) fn counted_in_text(text: &str, used: Use, reading: &Reading) -> Option<String> {
    let epoch = reading.serials.filter(|_| matches!(used, Use::Instant | Use::Day))?;
    let text = meant(text).trim();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let days: f64 = if is_number { text.parse().ok()? } else { return None };
    day_text(day_counted(days, epoch)?, used, &reading.zone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_number_whole_in_a_spreadsheet_is_taken_off() {
        for written in [
            "2026112200000001",
            "\t2026112200000001",
            "2026112200000001\t",
            "'2026112200000001",
            "=\"2026112200000001\"",
            "\u{feff}=\"\t2026112200000001\"",
            "\u{202d}2026112200000001\u{202c}",
        ] {
            assert_eq!(meant(written), "2026112200000001", "{written:?}");
        }
        for name in ["'t Hooft", "=1+2", "=\"a\"&\"b\"", "陈 玉珍", "'", "", " a "] {
            assert_eq!(meant(name), name);
        }
    }

    #[test]
    fn scientific_notation_is_told_from_ids() {
        for rounded in
            ["1.23457E+17", "1,23457E+17", "1E+15", "1.2345678901234567e+17", "2E-05", " 9.1E17 ", "-1.5E+3"]
        {
            assert_eq!(look(rounded, Use::Id), Err(BadCell::ROUNDED), "{rounded}");
            assert_eq!(look(rounded, Use::Text), Err(BadCell::ROUNDED), "{rounded}");
        }
        for id in ["12E4", "5E3", "E+5", "1.E+5", "ABC-1E+5", "1E+", "123456789012345678", "1.2.3E+4", ""] {
            assert_eq!(look(id, Use::Id), Ok(()), "{id}");
        }
        assert_eq!(look("1.5E+3", Use::Other), Ok(()));
        assert_eq!(look("陈\u{fffd}", Use::Text), Err(BadCell::BROKEN));
    }

    #[test]
    fn numbers_are_whole_or_refused() {
        let text = |number, digits, used| number_text(number, digits, used);
        assert_eq!(text(13_800_138_000.0, 0, Use::Text).unwrap(), "13800138000");
        assert_eq!(text(999_999_999_999_999.0, 0, Use::Id).unwrap(), "999999999999999");
        assert_eq!(text(1e15, 0, Use::Id), Err(BadCell::ROUNDED));
        assert_eq!(text(622_202_000_011_112_222.0, 0, Use::Text), Err(BadCell::ROUNDED));
        assert_eq!(text(2_134.0, 5, Use::Text).unwrap(), "02134");
        assert_eq!(text(-7.0, 0, Use::Number).unwrap(), "-7");
        assert_eq!(text(0.0, 0, Use::Number).unwrap(), "0");
        assert_eq!(text(0.1 + 0.2, 0, Use::Number).unwrap(), "0.3");
        assert_eq!(text(0.000_012, 0, Use::Number).unwrap(), "0.000012");
        assert_eq!(text(12.5, 0, Use::Id), Err(BadCell::NO_ID));
    }

    #[test]
    fn both_ways_to_count_days_and_the_day_that_never_was() {
        let day = |days, epoch| day_counted(days, epoch).map(|at| at.to_string());
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(day(1.0, Epoch::Y1900), is("1900-01-01T00:00:00"));
        assert_eq!(day(59.0, Epoch::Y1900), is("1900-02-28T00:00:00"));
        assert_eq!(day(60.0, Epoch::Y1900), None);
        assert_eq!(day(60.5, Epoch::Y1900), None);
        assert_eq!(day(61.0, Epoch::Y1900), is("1900-03-01T00:00:00"));
        assert_eq!(day(45_231.354_166_666_664, Epoch::Y1900), is("2023-11-01T08:30:00"));
        assert_eq!(day(45_231.354_166_666_664 - 1_462.0, Epoch::Y1904), is("2023-11-01T08:30:00"));
        assert_eq!(day(45_230.999_999_999, Epoch::Y1900), is("2023-11-01T00:00:00"));
        assert_eq!(day(0.5, Epoch::Y1900), None);
        assert_eq!(day(2_958_466.0, Epoch::Y1900), None);
        assert_eq!(day(1_700_000_000.0, Epoch::Y1904), None);
        assert_eq!(day(f64::NAN, Epoch::Y1904), None);
    }

    #[test]
    fn a_counted_day_is_written_as_its_column_takes_it() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = day_counted(45_231.354_166_666_664, Epoch::Y1900).unwrap();
        let day = day_counted(45_231.0, Epoch::Y1900).unwrap();
        assert_eq!(day_text(at, Use::Instant, &zone).unwrap(), "2023-11-01T08:30:00+08:00");
        assert_eq!(day_text(day, Use::Day, &zone).unwrap(), "2023-11-01");
        assert_eq!(day_text(at, Use::Day, &zone).unwrap(), "2023-11-01T08:30:00", "which is no day");
        assert_eq!(day_text(day, Use::Id, &zone), Err(BadCell::NO_ID));
    }

    #[test]
    fn numbers_in_text_are_days_only_where_the_mapping_says_so() {
        let said = Reading { serials: Some(Epoch::Y1900), ..Reading::default() };
        assert_eq!(counted_in_text("45231", Use::Day, &said).unwrap(), "2023-11-01");
        assert_eq!(counted_in_text("45231.5", Use::Instant, &said).unwrap(), "2023-11-01T12:00:00+00:00");
        for (text, used, reading) in [
            ("45231", Use::Day, &Reading::default()),
            ("45231", Use::Text, &said),
            ("20261122", Use::Day, &said),
            ("2023-11-01", Use::Day, &said),
            ("", Use::Day, &said),
            (".", Use::Day, &said),
        ] {
            assert_eq!(counted_in_text(text, used, reading), None, "{text}");
        }
    }
}
