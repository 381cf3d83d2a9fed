//! `strongroom ledger …`.

use std::path::PathBuf;

use axum::body::Body;
use clap::{Args, Subcommand};
use ledger::cosign::{Cosignature, Quorum, WitnessKey};
use serde_json::{Value as Json, json};

use super::answers::{list, part, text};
use super::credentials::safe;
use super::{Context, Exit};
use crate::desk::operator::Line;
use crate::ground::Problem;
use crate::ground::clock::{SECOND, instant};

/// What `ledger` can do.
#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Verify every entry of the ledger against its signed head
    #[command(
        after_help = "Exit code 4 when something is wrong. An auditor verifies without this vault: `ledger export`, then `ledger-verify`."
    )]
    Verify {
        #[command(flatten)]
        witnesses: WitnessesArgs,
    },
    /// Prove that an entry is in the ledger
    Prove {
        /// The entry's id, ent_…
        entry: String,
        #[command(flatten)]
        witnesses: WitnessesArgs,
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

/// Which witnesses must have cosigned.
#[derive(Debug, Args)]
pub(super) struct WitnessesArgs {
    /// The verifier key of a witness that must have cosigned; once for each
    #[arg(long, value_name = "VKEY", value_parser = WitnessKey::parse)]
    witness: Vec<WitnessKey>,
    /// How many of them are enough; all, if it is left out
    #[arg(long, value_name = "K", requires = "witness")]
    quorum: Option<usize>,
}

impl WitnessesArgs {
    /// `None` when nobody asked for witnesses.
    fn quorum(self) -> Result<Option<Quorum>, Problem> {
        if self.witness.is_empty() {
            return Ok(None);
        }
        let least = self.quorum.unwrap_or(self.witness.len());
        Ok(Some(Quorum::new(self.witness, least)?))
    }
}

/// Who has cosigned a note, or why that is not enough.
fn judged(quorum: &Quorum, note: &str) -> Result<Vec<Cosignature>, Problem> {
    if note.is_empty() {
        return Err(ledger::Error::QuorumMissed { have: 0, least: quorum.least() }.into());
    }
    Ok(quorum.judge(note)?)
}

fn cosigned_at(cosignature: &Cosignature) -> String {
    instant(i64::try_from(cosignature.at_seconds).unwrap_or(i64::MAX).saturating_mul(SECOND))
}

pub(super) async fn run(command: LedgerCommand, context: &Context) -> Result<Exit, Problem> {
    let client = context.reach().await?;
    let voice = context.voice;
    let mut exit = Exit::Done;
    match command {
        LedgerCommand::Verify { witnesses } => {
            let quorum = witnesses.quorum()?;
            let mut bar = voice.bar("entries");
            let outcome = client.run("/operator/verify", &[], Body::empty(), progress(&mut bar)).await;
            bar.finish();
            let mut found = outcome?;
            let note = text(&found, "cosigned");
            let judged = quorum.map(|quorum| judged(&quorum, &note)).transpose();
            let verified = part(&found, "verified").as_bool().unwrap_or_default() && judged.is_ok();
            let cosigned = judged.as_ref().ok().and_then(Option::as_deref).unwrap_or_default();
            if voice.json {
                let by = cosigned.iter().map(|by| json!({ "witness": by.witness, "at": cosigned_at(by) }));
                if let Json::Object(all) = &mut found {
                    all.insert("verified".into(), verified.into());
                    all.insert("cosigned_by".into(), by.collect());
                }
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
                let size = note.lines().nth(1).unwrap_or_default();
                for by in cosigned {
                    voice.print(format!("cosigned: {size} entries by {} at {}", by.witness, cosigned_at(by)));
                }
            }
            if let Err(problem) = &judged {
                voice.problem(problem);
            }
            if !verified {
                exit = Exit::Found;
            }
        }
        LedgerCommand::Prove { entry, witnesses } => {
            let quorum = witnesses.quorum()?;
            let proof: Json = client.get(&format!("/v1/ledger/proof?entry={}", safe(&entry))).await?;
            voice.print_json(&proof);
            match quorum.map(|quorum| judged(&quorum, &text(&proof, "checkpoint"))).transpose() {
                Ok(cosigned) => {
                    for by in cosigned.iter().flatten() {
                        voice.say(format!("cosigned by {} at {}", by.witness, cosigned_at(by)));
                    }
                }
                Err(problem) => {
                    voice.problem(&problem);
                    exit = Exit::Found;
                }
            }
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
