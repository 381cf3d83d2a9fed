//! `strongroom interchange`: a policy in the words of other tools, without a vault.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Context, Exit};
use crate::ground::Problem;

/// What `interchange` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "The result is JSON with and without `--json`. Exit code 4 when the policy has errors. docs/spec/interchange.md has every table."
)]
pub(super) struct InterchangeArgs {
    /// The policy file
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// In whose words: JSON-LD in the terms of the W3C Data Privacy Vocabulary, or a manifest for Fides
    #[arg(long, value_enum, default_value_t = Format::Dpv, value_name = "FORMAT")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Dpv,
    Fideslang,
}

pub(super) fn run(args: &InterchangeArgs, context: &Context) -> Result<Exit, Problem> {
    let text = super::init::read_policy(&args.policy)?;
    let report = policy::check(&text, &args.policy.display().to_string(), super::check::today());
    let Some(checked) = &report.policy else {
        context.voice.say(super::check::rendered(&report));
        return Ok(Exit::Found);
    };
    context.voice.print_json(&match args.format {
        Format::Dpv => policy::dpv::json_ld(checked),
        Format::Fideslang => policy::fideslang(checked),
    });
    Ok(Exit::Done)
}
