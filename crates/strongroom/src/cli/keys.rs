//! `strongroom keys …`.

use std::path::PathBuf;

use axum::body::Body;
use clap::Subcommand;
use seal::Suite;
use serde_json::{Value as Json, json};

use super::answers::{part, text};
use super::client::Client;
use super::init::suites;
use super::ledger::progress;
use super::{Context, Exit, blocking};
use crate::account::SuiteCount;
use crate::config::Config;
use crate::desk::operator::Status;
use crate::ground::Problem;
use crate::ground::keys_folder::{KeysFolder, LockSource};

/// What `keys` can do.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// See the epoch, when the next begins, and which terms live
    Status,
    /// Count the records and files of a shop by the suite that seals them; every record is read
    Suites,
    /// Begin a new epoch now: every copy made before goes dark
    #[command(
        after_help = "Runs while serving, and goes on where it was if it is cut off. Make a fresh backup afterwards: older ones cannot be opened any more.

With --suite a shop moves to other mechanisms: from now on it seals with them, and everything that it keeps is sealed again behind, by
the job `lay-out`, which this command follows. It can be cut off: the job goes on, and `keys suites` says how much is left."
    )]
    Rotate {
        /// Begin without being asked
        #[arg(long)]
        yes: bool,
        /// Move the shop to another suite
        #[arg(long, value_name = "SUITE", value_parser = suites())]
        suite: Option<Suite>,
    },
    /// Lock the keyring with another key file or passphrase; the server must be stopped
    Relock {
        /// The new key file
        #[arg(
            long,
            value_name = "FILE",
            conflicts_with = "new_passphrase_file",
            required_unless_present = "new_passphrase_file"
        )]
        new_key_file: Option<PathBuf>,
        /// The file with the new passphrase
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
}

pub(super) async fn run(command: KeysCommand, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    match command {
        KeysCommand::Status => {
            let client = context.reach().await?;
            let status: Status = client.get("/operator/status").await?;
            client.close().await;
            if voice.json {
                voice.print_json(&status);
                return Ok(Exit::Done);
            }
            let change = match (status.changing_epoch, status.epoch_due) {
                (true, _) => "a change is under way",
                (false, true) => "a change is due",
                (false, false) => "current",
            };
            voice.print(format!("epoch {} since {}: {change}", status.epoch, status.epoch_since));
            for shop in &status.shops {
                voice.print(format!(
                    "{}: seals with {}, {} living terms",
                    shop.name,
                    shop.suite,
                    shop.terms.len()
                ));
                for term in &shop.terms {
                    voice.print(format!("  ends {term}"));
                }
            }
        }
        KeysCommand::Suites => {
            let client = context.reach().await?;
            let count = count(&client, context).await;
            client.close().await;
            let count = count?;
            if voice.json {
                voice.print_json(&count);
            } else {
                show(&count, context);
            }
        }
        KeysCommand::Rotate { yes, suite } => {
            if !yes {
                return Err(Problem::new("SR-CLI-005", 400, "no epoch was begun")
                    .help("every backup made before will be unreadable; to begin, say `--yes`"));
            }
            let client = context.reach().await?;
            let rotated = rotate(&client, suite, context).await;
            client.close().await;
            rotated?;
        }
        KeysCommand::Relock { new_key_file, new_passphrase_file } => {
            let config = Config::read(&context.flags, &context.data)?;
            let places = config.places(&context.flags, &context.data)?;
            let lock = match (new_key_file, new_passphrase_file) {
                (Some(file), _) => LockSource::KeyFile(file),
                (None, Some(file)) => LockSource::PassphraseFile(file),
                (None, None) => places.lock.clone(),
            };
            blocking(move || {
                let _folder = store::Folder::own(&places.data)?;
                let (keys, _) = KeysFolder::open(&places.keys, &places.lock)?;
                Ok(keys.relock(&lock)?)
            })
            .await?;
            voice.print("the keyring has another lock now");
            voice.say(
                "Say so in strongroom.toml under [keys], and keep a fresh copy of the keys folder apart.",
            );
        }
    }
    Ok(Exit::Done)
}

/// Changes the epoch. Where a shop moves with it, follows the job that takes its records along, and counts what came of it.
async fn rotate(client: &Client, suite: Option<Suite>, context: &Context) -> Result<(), Problem> {
    let voice = context.voice;
    let path = match suite {
        Some(suite) => format!("/operator/rotate?suite={suite}"),
        None => String::from("/operator/rotate"),
    };
    let mut bar = voice.bar("keys");
    let rotated = client.run(&path, &[], Body::empty(), progress(&mut bar)).await;
    bar.finish();
    let rotated: Json = rotated?;
    let done = format!(
        "epoch {} · {} keys wrapped again · {} open-ended records sealed again",
        part(&rotated, "epoch"),
        text(&rotated, "keys"),
        text(&rotated, "records")
    );
    if suite.is_none() {
        if voice.json {
            voice.print_json(&rotated);
        } else {
            voice.print(done);
        }
        voice.say("Every copy made before is dark now. Make a backup.");
        return Ok(());
    }
    voice.say(done);
    voice.say("Every copy made before is dark now. Make a backup. What the shop keeps is sealed again:");
    let mut bar = voice.bar("records");
    let followed = client.run("/operator/lay-out", &[], Body::empty(), progress(&mut bar)).await;
    bar.finish();
    followed?;
    let count = count(client, context).await?;
    if voice.json {
        voice.print_json(&json!({
            "epoch": part(&rotated, "epoch"), "keys": part(&rotated, "keys"),
            "records": part(&rotated, "records"), "sealed_with": count,
        }));
    } else {
        show(&count, context);
    }
    Ok(())
}

/// Counts what a shop has sealed, by suite.
pub(super) async fn count(client: &Client, context: &Context) -> Result<SuiteCount, Problem> {
    let mut bar = context.voice.bar("records");
    let count = client.run("/operator/suites", &[], Body::empty(), progress(&mut bar)).await;
    bar.finish();
    serde_json::from_value(count?).map_err(|_| super::client::broke())
}

fn show(count: &SuiteCount, context: &Context) {
    let voice = context.voice;
    voice.print(format!("seals with {}", count.suite));
    for (suite, records) in &count.records {
        voice.print(format!("  {records} records with {suite}"));
    }
    for (suite, files) in &count.files {
        voice.print(format!("  {files} files with {suite}"));
    }
    if count.unreadable > 0 {
        voice.print(format!("  {} rows that were edited: see doctor --deep", count.unreadable));
    }
    voice.say(match count.behind() {
        0 => String::from("none is sealed with another suite"),
        behind => format!("{behind} are sealed with another suite: the job `lay-out` seals them again while a server runs; rows that do not open stay (doctor --deep)"),
    });
}
