//! `strongroom law changes`: what law that changes breaks in a policy, and when.

use std::path::Path;

use jiff::civil::Date;
use policy::{Finding, Report, Severity, Turn};
use serde_json::{Value as Json, json};

use super::{Context, Exit, Voice};
use crate::ground::Problem;

pub(super) fn run(since: Option<Date>, file: &Path, context: &Context) -> Result<Exit, Problem> {
    let text = super::init::read_policy(file)?;
    let (name, since) = (file.display().to_string(), since.unwrap_or_else(super::check::today));
    let report = policy::check(&text, &name, since);
    let Some(checked) = &report.policy else {
        context.voice.say(super::check::rendered(&report));
        return Ok(Exit::Found);
    };
    let shelf = super::law::packs(context)?;
    let turns = policy::turns(&text, &name, since, &policy::packs_that_apply(checked, &shelf.packs()?));
    let voice = context.voice;
    if voice.json {
        voice.print_json(&turns.iter().map(|turn| as_json(turn, &report)).collect::<Vec<_>>());
    } else if turns.is_empty() {
        voice.print(format!("nothing that these packs know of changes for this policy after {since}"));
    } else {
        for turn in &turns {
            show(turn, &report, voice);
        }
    }
    let is_unlawful = |finding: &Finding| finding.severity() == Severity::Unlawful;
    let breaks = turns.iter().flat_map(|turn| &turn.findings).any(is_unlawful);
    Ok(if breaks { Exit::Found } else { Exit::Done })
}

fn as_json(turn: &Turn, report: &Report) -> Json {
    let of = |findings: &[Finding]| -> Vec<Json> {
        findings.iter().map(|finding| report.finding_json(finding)).collect()
    };
    json!({ "on": turn.on.to_string(), "found": of(&turn.findings), "tasks": turn.tasks, "found_no_more": of(&turn.mended) })
}

fn show(turn: &Turn, report: &Report, voice: Voice) {
    voice.print(format!("from {}", turn.on));
    let line = |finding: &Finding| {
        let place = finding.labels.first().map_or((1, 1), |label| report.line_and_column(label.at.start));
        format!("{} (line {}): {}", finding.message, place.0, cited(&finding.laws))
    };
    for finding in &turn.findings {
        voice.print(format!("  {} {}  {}", finding.severity().as_str(), finding.code, line(finding)));
        if let Some(help) = &finding.help {
            voice.print(format!("    {}", help.replace('\n', "\n    ")));
        }
    }
    for task in &turn.tasks {
        voice.print(format!("  task in {}: {} ({})", task.pack, task.name.en, cited(&task.laws)));
    }
    for finding in &turn.mended {
        voice.print(format!("  no longer {}  {}", finding.code, line(finding)));
    }
}

/// Where it stands, on a line.
pub(super) fn cited(laws: &[policy::Cited]) -> String {
    laws.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
