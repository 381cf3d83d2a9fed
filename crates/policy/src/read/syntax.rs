//! Faults of TOML itself, told so that one mistake is one finding.

use crate::code::Code;
use crate::finding::{At, Finding, Sink};
use std::ops::Range;

const TWICE: &str = "duplicate key";

/// Puts the parser's faults into the sink. A table that stands there twice is told once, with its first place, and not
/// again for each of its keys.
pub(super) fn tell(text: &str, faults: &[toml::de::Error], sink: &mut Sink) {
    let mut faults: Vec<(At, &str)> = faults
        .iter()
        .map(|fault| (settle(text, fault.span().map_or_else(At::default, At::from)), fault.message()))
        .collect();
    faults.sort_unstable();
    faults.dedup();
    let mut told_until = 0;
    for (at, message) in faults {
        let line = line_around(text, at.start);
        let heading = text.get(line.clone()).unwrap_or_default();
        if message == TWICE && is_heading(heading) {
            told_until = end_of_table(text, line.end);
            sink.add(table_twice(text, at, &line, heading));
        } else if message != TWICE || at.start >= told_until {
            let finding = Finding::new(Code::Syntax, at, message.replace('\n', "; "));
            sink.add(if message == TWICE {
                finding.help("each key stands once in its table; take one of them out")
            } else {
                finding
            });
        }
    }
}

fn table_twice(text: &str, at: At, line: &Range<usize>, heading: &str) -> Finding {
    let finding = Finding::new(Code::Syntax, at, "this table is already there").here("again here");
    let finding = finding.help("write all of its keys under one heading");
    let mut start = 0;
    for earlier in text.get(..line.start).unwrap_or_default().split_inclusive('\n') {
        if is_heading(earlier) && name(earlier) == name(heading) {
            let blanks = earlier.len() - earlier.trim_start().len();
            let length = name(earlier).len();
            return finding.also(At { start: start + blanks, end: start + blanks + length }, "first here");
        }
        start += earlier.len();
    }
    finding
}

fn is_heading(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// `[purpose.delivery]` of a line that may have a comment behind it.
fn name(line: &str) -> &str {
    line.split_inclusive(']').next().unwrap_or(line).trim()
}

/// The line, without its end, in which a byte lies.
fn line_around(text: &str, byte: usize) -> Range<usize> {
    let (before, after) = text.split_at_checked(byte).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    start..byte + after.find('\n').unwrap_or(after.len())
}

/// Where the next heading begins.
fn end_of_table(text: &str, from: usize) -> usize {
    let mut end = from;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        if is_heading(line) {
            break;
        }
        end += line.len();
    }
    end
}

/// A place that lies within the text and does not cut a character.
fn settle(text: &str, at: At) -> At {
    let start = text.floor_char_boundary(at.start.min(text.len()));
    let end = text.ceil_char_boundary(at.end.clamp(start, text.len()));
    At { start, end }
}
