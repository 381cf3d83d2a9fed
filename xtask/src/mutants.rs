//! Are the numbers of the law tested? Each number, day and comparison of each pack is made another, one at a time, and a scenario has to
//! notice.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use jiff::civil::Date;
use rulebook::{FILES, Pack, Scenario};

use crate::shell::print;

#[derive(Debug, Args)]
pub(crate) struct MutantsArgs {
    /// Only this pack
    #[arg(long, value_name = "PACK")]
    pack: Option<String>,
    /// So many of a hundred have to be noticed
    #[arg(long, value_name = "N", default_value_t = 98)]
    least: usize,
}

/// One change of a pack's text.
struct Mutant {
    line: usize,
    /// The table in which it is: `[law.pipl]`.
    table: String,
    what: String,
    text: String,
}

pub(crate) fn run(args: &MutantsArgs) -> Result<()> {
    let begun = Instant::now();
    let (mut tried, mut survived, mut idle) = (0_usize, Vec::new(), 0_usize);
    for files in FILES.iter().filter(|files| args.pack.as_ref().is_none_or(|pack| pack == files.id)) {
        let scenarios = files.scenarios().map_err(|bad| anyhow::anyhow!("{bad}"))?;
        let pack = files.read().map_err(|bad| anyhow::anyhow!("{bad}"))?;
        let (mut of_this, mut left) = (0_usize, Vec::new());
        for mutant in mutants(files.pack) {
            if is_idle(&pack, &mutant.table) {
                idle += 1;
                continue;
            }
            of_this += 1;
            if !is_noticed(&mutant.text, &scenarios) {
                left.push(format!("packs/{}/pack.toml:{}: {}", files.id, mutant.line, mutant.what));
            }
        }
        print(format!("{:>12} {of_this:>5} changed, {:>3} not noticed", files.id, left.len()));
        tried += of_this;
        survived.extend(left);
    }
    for one in &survived {
        print(one);
    }
    let noticed = tried - survived.len();
    print(format!(
        "{idle} not changed: first days of laws with which no rule begins, because another law is cited before them, or as they are drafts"
    ));
    print(format!("{noticed} of {tried} noticed, in {:.1} s", begun.elapsed().as_secs_f64()));
    if noticed * 100 < tried * args.least {
        bail!("fewer than {} of a hundred are noticed", args.least);
    }
    Ok(())
}

/// Is it a law whose days decide nothing? A rule begins with the first law that it cites.
fn is_idle(pack: &Pack, table: &str) -> bool {
    let Some(law) = table.strip_prefix("[law.").and_then(|rest| rest.strip_suffix(']')) else { return false };
    let Some(number) = pack.laws.iter().position(|known| known.id == law) else { return false };
    let begins = |rule: &rulebook::Rule| rule.cites.first().is_some_and(|first| first.law == number);
    !pack.rules.iter().any(|rule| rule.decides() && begins(rule))
}

fn is_noticed(text: &str, scenarios: &[Scenario]) -> bool {
    let Ok(pack) = rulebook::read_pack("changed", text) else { return true };
    scenarios.iter().any(|scenario| !scenario.differs(&pack).is_empty())
}

/// Every change of a text, with the line in which it is.
fn mutants(text: &str) -> Vec<Mutant> {
    let mut all = Vec::new();
    let (mut offset, mut table) = (0, String::new());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.starts_with('[') {
            line.trim().clone_into(&mut table);
        }
        for Change { at, length, new } in changes(line, table == "[define]") {
            let (before, behind) = (part(text, 0, offset + at), part(text, offset + at + length, text.len()));
            let mut what = String::new();
            let _ = write!(what, "`{}` made `{new}` in `{}`", part(line, at, at + length), line.trim());
            all.push(Mutant {
                line: number + 1,
                table: table.clone(),
                what,
                text: format!("{before}{new}{behind}"),
            });
        }
        offset += line.len();
    }
    all
}

/// A part of a line, and what stands there instead.
struct Change {
    at: usize,
    length: usize,
    new: String,
}

fn changes(line: &str, is_definition: bool) -> Vec<Change> {
    let mut all = Vec::new();
    let mut conditions: Vec<(usize, &str)> =
        ["when", "unless"].iter().flat_map(|key| behind(line, key)).collect();
    if is_definition && let Some(begin) = line.find("= \"") {
        conditions.extend(text_from(line, begin + 3));
    }
    for (begin, condition) in conditions {
        all.extend(
            of_condition(condition).into_iter().map(|change| Change { at: begin + change.at, ..change }),
        );
    }
    for (at, term) in ["within", "before", "by"].iter().flat_map(|key| behind(line, key)) {
        let digits = term.find(|c: char| !c.is_ascii_digit()).unwrap_or(term.len());
        let count: u32 = part(term, 0, digits).parse().unwrap_or_default();
        let others = [count.saturating_sub(1), count + 1].into_iter().filter(|other| *other > 0 && count > 0);
        all.extend(others.map(|other| Change { at, length: digits, new: other.to_string() }));
    }
    for key in ["from = ", "until = "] {
        if let Some(Ok(day)) = line.strip_prefix(key).map(|rest| part(rest, 0, DAY).parse::<Date>()) {
            all.extend(days_beside(day).map(|new| Change { at: key.len(), length: DAY, new }));
        }
    }
    all
}

/// Length of a day as it is written.
const DAY: usize = "2026-03-02".len();

fn days_beside(day: Date) -> impl Iterator<Item = String> {
    [day.yesterday(), day.tomorrow()].into_iter().flatten().map(|other| other.to_string())
}

fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to.min(text.len())).unwrap_or_default()
}

/// The text that begins here, up to its quotation mark.
fn text_from(line: &str, begin: usize) -> Option<(usize, &str)> {
    let rest = part(line, begin, line.len());
    rest.find('"').map(|end| (begin, part(rest, 0, end)))
}

/// Texts behind a key: `key = "text"`; not behind a longer key that ends like it.
fn behind<'l>(line: &'l str, key: &str) -> Vec<(usize, &'l str)> {
    let sought = format!("{key} = \"");
    let found = line
        .match_indices(&sought)
        .filter(|(at, _)| !part(line, 0, *at).ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    found.filter_map(|(at, _)| text_from(line, at + sought.len())).collect()
}

/// Comparisons, numbers and days of a condition.
fn of_condition(text: &str) -> Vec<Change> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = part(text, at, text.len());
        let other = [(">=", ">"), ("<=", "<"), ("!=", "="), (">", ">="), ("<", "<="), ("=", "!=")];
        if let Some((sign, new)) = other.iter().find(|(sign, _)| rest.starts_with(sign)) {
            found.push(Change { at, length: sign.len(), new: (*new).to_owned() });
            at += sign.len();
            continue;
        }
        let length =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
        let written = part(rest, 0, length);
        if let Ok(count) = written.replace('_', "").parse::<u64>() {
            let others = [count.checked_sub(1), Some(count + 1)].into_iter().flatten();
            found.extend(others.map(|other| Change { at, length, new: other.to_string() }));
        } else if let Ok(day) = written.parse::<Date>() {
            found.extend(days_beside(day).map(|new| Change { at, length, new }));
        }
        at += if length > 0 { length } else { rest.chars().next().map_or(1, char::len_utf8) };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        mutants(line).into_iter().map(|mutant| mutant.text).collect()
    }

    #[test]
    fn numbers_comparisons_and_days_are_changed_and_words_are_not() {
        assert_eq!(
            texts("when = \"persons >= 1_000 and age14 = x\"\n"),
            [
                "when = \"persons > 1_000 and age14 = x\"\n",
                "when = \"persons >= 999 and age14 = x\"\n",
                "when = \"persons >= 1001 and age14 = x\"\n",
                "when = \"persons >= 1_000 and age14 != x\"\n",
            ]
        );
        assert_eq!(texts("from = 2026-03-01\n"), ["from = 2026-02-28\n", "from = 2026-03-02\n"]);
        assert_eq!(
            texts("{ within = \"1d\", note = \"by = 7\" }"),
            ["{ within = \"2d\", note = \"by = 7\" }"]
        );
        assert_eq!(texts("cite = [\"pipl 13\"]\n"), [""; 0]);
    }
}
