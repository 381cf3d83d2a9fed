//! `strongroom check`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use policy::{Colour, Options, Report};

use super::{Context, Exit};
use crate::ground::Problem;
use crate::ground::clock::{Clock, MachineClock};

/// What `check` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 4 when the policy has errors. docs/spec/policy.md describes the format and every code."
)]
pub(super) struct CheckArgs {
    /// The policy file
    file: PathBuf,
    /// Judge dates as of this day (2026-11-22) instead of today
    #[arg(long, value_name = "DATE")]
    as_of: Option<jiff::civil::Date>,
}

pub(super) fn run(args: &CheckArgs, context: &Context) -> Result<Exit, Problem> {
    let text = super::init::read_policy(&args.file)?;
    let report = policy::check(&text, &args.file.display().to_string(), args.as_of.unwrap_or_else(today));
    if context.voice.json {
        context.voice.print_json(&report.to_json());
    } else {
        context.voice.print(rendered(&report).trim_end());
    }
    Ok(if report.policy.is_some() { Exit::Done } else { Exit::Found })
}

/// Today, in UTC.
pub(super) fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::from_microsecond(MachineClock::new().now()).unwrap_or_default();
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// A report as a person reads it here.
pub(super) fn rendered(report: &Report) -> String {
    let colour = if std::io::stdout().is_terminal() { Colour::Ansi } else { Colour::None };
    report.render(&Options { colour, width: 100 })
}
