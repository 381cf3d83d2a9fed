//! `strongroom check`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use policy::{Colour, Options, Report, Severity, Task};

use super::changes::cited;
use super::{Context, Exit, Voice};
use crate::ground::Problem;
use crate::ground::clock::{Clock, MachineClock};

/// What `check` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Every law and every marketplace that the policy names is asked about it, as of the day. What a law forbids is `unlawful`, what it may forbid is
`risky`, what rests on law that could not be verified is `unverified`. What no file can show (to sign, to file, to assess) is a task: --tasks lists them.
Exit code 4 when the policy has errors, or says what a law forbids. docs/spec/policy.md describes the format and every code. Not legal advice."
)]
pub(super) struct CheckArgs {
    /// The policy file
    file: PathBuf,
    /// Judge dates as of this day (2026-11-22) instead of today, and by the law of that day
    #[arg(long, value_name = "DATE")]
    as_of: Option<jiff::civil::Date>,
    /// List what laws ask for that no file can show
    #[arg(long)]
    tasks: bool,
    /// Look only whether the file holds together, and ask no law
    #[arg(long, conflicts_with = "tasks")]
    no_law: bool,
}

pub(super) fn run(args: &CheckArgs, context: &Context) -> Result<Exit, Problem> {
    let text = super::init::read_policy(&args.file)?;
    let (name, on) = (args.file.display().to_string(), args.as_of.unwrap_or_else(today));
    let report = if args.no_law {
        policy::check(&text, &name, on)
    } else {
        policy::check_lawful(&text, &name, on, &super::law::packs(context)?.packs()?)
    };
    if context.voice.json {
        context.voice.print_json(&report.to_json());
    } else {
        context.voice.print(rendered(&report).trim_end());
        match report.tasks.len() {
            0 => {}
            _ if args.tasks => show_tasks(&report.tasks, context.voice),
            1 => context.voice.say("1 task for a person: --tasks shows it"),
            count => context.voice.say(format!("{count} tasks for people: --tasks lists them")),
        }
    }
    let is_lawful = report.count(Severity::Unlawful) == 0;
    Ok(if report.policy.is_some() && is_lawful { Exit::Done } else { Exit::Found })
}

/// Tasks by the packs that ask for them.
fn show_tasks(tasks: &[Task], voice: Voice) {
    for of_pack in tasks.chunk_by(|a, b| a.pack == b.pack) {
        voice.print(format!("\n{}", of_pack.first().map_or("", |task| task.pack.as_str())));
        for task in of_pack {
            let about = if task.about.is_empty() { String::new() } else { format!(" for `{}`", task.about) };
            let law = if task.laws.is_empty() { String::new() } else { format!("   {}", cited(&task.laws)) };
            voice.print(format!("  [ ] {}: {}{about}{law}", task.question, task.name.en));
            if !task.en.is_empty() {
                voice.print(format!("      {}", task.en));
            }
        }
    }
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
