//! `strongroom init`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use seal::Suite;
use serde_json::json;

use super::interview::{self, InterviewArgs, Lang};
use super::{Context, Exit, blocking};
use crate::config::{Config, FILE};
use crate::ground::Problem;
use crate::ground::clock::{Clock, MachineClock};
use crate::ground::keys_folder::write_new;
use crate::{notice, open};

/// What `init` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Makes the data folder (0700) and the keys folder (0700), and prints the admin's credential once.
Keep a copy of the keys folder apart: without it nothing can be opened, and with it everything can."
)]
pub(super) struct InitArgs {
    /// The shop's policy; without one, ten questions make one, and it is for you to read before the vault is made
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The language of the questions
    #[arg(long, value_enum, default_value_t = Lang::En, conflicts_with = "policy")]
    lang: Lang,
    /// Write the admin's credential into a new file (0600) instead of printing it
    #[arg(long, value_name = "FILE")]
    credential_out: Option<PathBuf>,
    /// What the shop seals with; `keys rotate` moves it later
    #[arg(long, value_name = "SUITE", default_value = Suite::Aes256Gcm.name(), value_parser = suites())]
    suite: Suite,
}

/// The suites by their names.
pub(super) fn suites() -> impl TypedValueParser<Value = Suite> {
    let names = PossibleValuesParser::new(Suite::ALL.map(Suite::name));
    names.try_map(|name| Suite::find(&name).ok_or("no such suite"))
}

pub(super) async fn init(args: InitArgs, context: &Context) -> Result<Exit, Problem> {
    let Some(file) = &args.policy else {
        return interview::run(&InterviewArgs::usual(args.lang), context);
    };
    let text = read_policy(file)?;
    let name = file.display().to_string();
    let checked = match notice::check(&text, &name, super::check::today()) {
        Ok((checked, report)) => {
            let shelf = super::law::packs(context)?;
            let lawful = policy::check_lawful(&text, &name, super::check::today(), &shelf.packs()?);
            if !report.findings.is_empty() || !lawful.findings.is_empty() {
                context.voice.say(super::check::rendered(&lawful));
            }
            checked
        }
        Err(fault) => {
            context.voice.say(super::check::rendered(&fault.1));
            return Err(fault.0);
        }
    };
    let mut config = Config::read(&context.flags, &context.data)?;
    let places = config.places(&context.flags, &context.data)?;
    let making = places.clone();
    let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
    let made = blocking(move || open::init(&making, &checked, args.suite, clock)).await?;

    // From now on commands find the keys without being told.
    config.keys.folder = Some(std::path::absolute(&places.keys)?);
    config.lock_with(&context.flags)?;
    config.store.password_file = config.store.password_file.map(std::path::absolute).transpose()?;
    let file = context.data.join(FILE);
    if !file.exists() {
        let text = toml::to_string_pretty(&config).unwrap_or_default();
        write_new(
            &file,
            format!("# Strongroom: docs/reference/configuration.md lists every key.\n\n{text}").as_bytes(),
        )?;
    }
    let voice = context.voice;
    let shown = match &args.credential_out {
        Some(file) => {
            write_new(file, made.admin.as_bytes())?;
            format!("written to {}", file.display())
        }
        None => made.admin.to_string(),
    };
    if voice.json {
        voice.print_json(&json!({ "shop": made.shop, "verifier_key": made.verifier_key, "admin": shown }));
        return Ok(Exit::Done);
    }
    voice.print(format!("shop           {}", made.shop));
    voice.print(format!("verifier key   {}", made.verifier_key));
    voice.print(format!("admin          {shown}"));
    voice.say("\nThe admin's credential is kept nowhere: put it where you keep secrets.");
    voice.say("Give the verifier key to your auditor; with it, anybody can check the ledger.");
    voice.say(format!(
        "Keep a copy of {} apart from every backup. Then: strongroom serve --data {}",
        places.keys.display(),
        context.data.display()
    ));
    Ok(Exit::Done)
}

/// Reads a policy file.
pub(super) fn read_policy(file: &std::path::Path) -> Result<String, Problem> {
    crate::ground::keys_folder::read_text(file).map_err(|error| unreadable(file, error.kind()))
}

/// The problem of a file given on the command line that cannot be read.
pub(super) fn unreadable(file: &std::path::Path, why: std::io::ErrorKind) -> Problem {
    Problem::new("SR-CLI-004", 500, format!("`{}` cannot be read ({why:?})", file.display()))
}
