//! `strongroom record`: the record of processing activities, drawn up from a policy file, without a vault.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use policy::record::{Cell, Language, Law, Record, Table};

use super::files::write_new_file;
use super::{Context, Exit};
use crate::ground::Problem;

/// What `record` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strongroom record --policy shop.toml --law gdpr-30 --lang en --format xlsx --out record.xlsx
  strongroom record --policy shop.toml --law cn --lang zh --format html --out record.html
  strongroom record --policy shop.toml --law cn --lang zh --format json | jq '.tasks | length'

What the policy does not say stands as a task for a person, in its cell and once more at the end. A file that is there already is left
alone: somebody may have filled it in. Exit code 4 when the policy has errors. docs/guide/record.md describes the sheets and the JSON.")]
pub(super) struct RecordArgs {
    /// The policy file
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Whose record: of GDPR 30, or the Chinese 个人信息处理活动台账
    #[arg(long, value_enum, value_name = "LAW")]
    law: LawChoice,
    /// Language of the record
    #[arg(long, value_enum, default_value_t = LanguageChoice::En, value_name = "LANGUAGE")]
    lang: LanguageChoice,
    /// A workbook, a page, or JSON for programs
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Format,
    /// Write into a new file (0600) instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Judge agreements and reviews as of this day (2026-11-22) instead of today
    #[arg(long, value_name = "DATE")]
    as_of: Option<jiff::civil::Date>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LawChoice {
    #[value(name = "gdpr-30")]
    Gdpr30,
    Cn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LanguageChoice {
    En,
    Zh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Xlsx,
    Html,
    Json,
}

pub(super) fn run(args: &RecordArgs, context: &Context) -> Result<Exit, Problem> {
    let text = super::init::read_policy(&args.policy)?;
    let today = args.as_of.unwrap_or_else(super::check::today);
    let report = policy::check(&text, &args.policy.display().to_string(), today);
    let Some(policy) = &report.policy else {
        context.voice.say(super::check::rendered(&report));
        return Ok(Exit::Found);
    };
    let law = match args.law {
        LawChoice::Gdpr30 => Law::Gdpr30,
        LawChoice::Cn => Law::Cn,
    };
    let language = match args.lang {
        LanguageChoice::En => Language::En,
        LanguageChoice::Zh => Language::Zh,
    };
    let record = Record::of(policy, law, language, today);
    let bytes = written(&record, args.format)?;
    match &args.out {
        Some(file) => {
            write_new_file(file, &bytes, 0o600)?;
            let (known, open) = (record.count_known(), record.tasks().count());
            context.voice.say(format!(
                "{}: {known} cells filled in from the policy, {open} for a person to fill in",
                file.display()
            ));
        }
        None => print(&bytes, args.format)?,
    }
    Ok(Exit::Done)
}

fn written(record: &Record, format: Format) -> Result<Vec<u8>, Problem> {
    match format {
        Format::Xlsx => book(record).to_bytes().map_err(no_workbook),
        Format::Html => Ok(record.to_html().into_bytes()),
        Format::Json => {
            let mut text = serde_json::to_string_pretty(&record.to_json()).unwrap_or_default();
            text.push('\n');
            Ok(text.into_bytes())
        }
    }
}

/// The record as a workbook. Its date is that of the policy's review, so that one policy makes one workbook.
fn book(record: &Record) -> workbook::Book {
    let sheets = record.tables().into_iter().map(|table| sheet(table, record.language)).collect();
    workbook::Book { title: record.title().to_owned(), made_on: record.reviewed, sheets }
}

fn sheet(table: Table, language: Language) -> workbook::Sheet {
    let cell = |cell: &Cell| match cell {
        Cell::Known(_) => workbook::Cell::plain(cell.shown(language)),
        Cell::Task(_) => workbook::Cell::open(cell.shown(language)),
    };
    workbook::Sheet {
        name: table.title,
        columns: table.head.into_iter().map(|(title, width)| workbook::Column { title, width }).collect(),
        rows: table.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    }
}

fn print(bytes: &[u8], format: Format) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    if format == Format::Xlsx && out.is_terminal() {
        return Err(Problem::new("SR-CLI-014", 400, "a workbook is no text for a terminal")
            .help("name a file for it with `--out`, or pass it on to a program"));
    }
    // A reader that went away (`| head`) is no fault of the command's.
    let _ = out.write_all(bytes);
    let _ = out.flush();
    Ok(())
}

fn no_workbook(fault: workbook::Fault) -> Problem {
    Problem::new("SR-CLI-015", 500, format!("the record does not fit into a workbook: {fault}"))
        .help("ask for it with `--format html` or `--format json`, which have no limits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 22);

    #[test]
    fn every_format_of_an_example_can_be_written() {
        let text = include_str!("../../../../examples/zh-shop/shop.toml");
        let policy = policy::check(text, "shop.toml", TODAY).policy.unwrap();
        let record = Record::of(&policy, Law::Cn, Language::Zh, TODAY);
        for (format, begins) in
            [(Format::Xlsx, "PK\u{3}\u{4}"), (Format::Html, "<!DOCTYPE html>"), (Format::Json, "{\n")]
        {
            let bytes = written(&record, format).unwrap();
            assert!(bytes.starts_with(begins.as_bytes()), "{format:?}");
        }
    }
}
