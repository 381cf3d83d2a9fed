//! `strongroom ledger …`.

use std::path::PathBuf;

use axum::body::Body;
use clap::Subcommand;
use serde_json::Value as Json;

use super::answers::{list, part, text};
use super::credentials::safe;
use super::{Context, Exit};
use crate::desk::operator::Line;
use crate::ground::Problem;

/// What `ledger` can do.
#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Verify every entry of the ledger against its signed head
    #[command(
        after_help = "Exit code 4 when something is wrong. An auditor verifies without this vault: `ledger export`, then `ledger-verify`."
    )]
    Verify,
    /// Prove that an entry is in the ledger
    Prove {
        /// The entry's id, ent_…
        entry: String,
    },
    /// Show an entry; the look is entered
    Show {
        /// The entry's id, ent_…
        entry: String,
    },
    /// Print the signed head: keep one elsewhere, and nobody can shorten the ledger unnoticed
    Checkpoint,
    /// Write the whole ledger into a folder, for `ledger-verify`
    Export {
        /// The new folder
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
}

pub(super) async fn run(command: LedgerCommand, context: &Context) -> Result<Exit, Problem> {
    let client = context.reach().await?;
    let voice = context.voice;
    let mut exit = Exit::Done;
    match command {
        LedgerCommand::Verify => {
            let mut bar = voice.bar("entries");
            let outcome = client.run("/operator/verify", &[], Body::empty(), progress(&mut bar)).await;
            bar.finish();
            let found = outcome?;
            let verified = part(&found, "verified").as_bool().unwrap_or_default();
            if voice.json {
                voice.print_json(&found);
            } else {
                let report = part(&found, "report");
                let word = if verified { "verified" } else { "NOT verified" };
                voice.print(format!(
                    "{word}: {} of {} entries · {} · root {}",
                    part(report, "entries"),
                    part(report, "size"),
                    text(report, "origin"),
                    text(report, "root")
                ));
                for finding in list(report, "findings") {
                    voice.print(format!("  {finding}"));
                }
            }
            if !verified {
                exit = Exit::Found;
            }
        }
        LedgerCommand::Prove { entry } => {
            let proof: Json = client.get(&format!("/v1/ledger/proof?entry={}", safe(&entry))).await?;
            voice.print_json(&proof);
        }
        LedgerCommand::Show { entry } => {
            let entry: Json = client.get(&format!("/v1/ledger/entries/{}", safe(&entry))).await?;
            voice.print_json(&entry);
        }
        LedgerCommand::Checkpoint => {
            let found: Json = client.get("/v1/ledger/checkpoint").await?;
            if voice.json {
                voice.print_json(&found);
            } else {
                voice.print(text(&found, "checkpoint").trim_end());
            }
        }
        LedgerCommand::Export { to } => {
            let to = std::path::absolute(&to)?;
            let mut bar = voice.bar("entries");
            let path = format!("/operator/export?to={}", encode(&to.to_string_lossy()));
            let outcome = client.run(&path, &[], Body::empty(), progress(&mut bar)).await;
            bar.finish();
            let done = outcome?;
            if voice.json {
                voice.print_json(&done);
            } else {
                voice.print(format!("{} entries in {}", part(&done, "entries"), to.display()));
                voice.say(format!(
                    "verify it anywhere: ledger-verify whole {} --key '{}'",
                    to.display(),
                    text(&done, "verifier_key")
                ));
            }
        }
    }
    client.close().await;
    Ok(exit)
}

/// Shows progress lines in a bar.
pub(super) fn progress(bar: &mut super::print::Bar) -> impl FnMut(Line) + '_ {
    move |line| {
        if let Line::Progress { what, done, of } = line {
            bar.set(&what, done, of);
        }
    }
}

/// A value of a query: everything but plain letters, digits and `-._~/` as percent codes.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
