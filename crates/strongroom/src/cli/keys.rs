//! `strongroom keys …`.

use std::path::PathBuf;

use axum::body::Body;
use clap::Subcommand;
use serde_json::Value as Json;

use super::answers::{part, text};
use super::{Context, Exit, blocking};
use crate::config::Config;
use crate::desk::operator::{Line, Status};
use crate::ground::Problem;
use crate::ground::keys_folder::{KeysFolder, LockSource};

/// What `keys` can do.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// See the epoch, when the next begins, and which terms live
    Status,
    /// Begin a new epoch now: every copy made before goes dark
    #[command(
        after_help = "Runs while serving, and goes on where it was if it is cut off. Make a fresh backup afterwards: older ones cannot be opened any more."
    )]
    Rotate {
        /// Begin without being asked
        #[arg(long)]
        yes: bool,
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
                voice.print(format!("{}: {} living terms", shop.name, shop.terms.len()));
                for term in &shop.terms {
                    voice.print(format!("  ends {term}"));
                }
            }
        }
        KeysCommand::Rotate { yes } => {
            if !yes {
                return Err(Problem::new("SR-CLI-005", 400, "no epoch was begun")
                    .help("every backup made before will be unreadable; to begin, say `--yes`"));
            }
            let client = context.reach().await?;
            let mut bar = voice.bar("keys");
            let rotated = client
                .run("/operator/rotate", &[], Body::empty(), |line| {
                    if let Line::Progress { what, done, of } = line {
                        bar.set(&what, done, of);
                    }
                })
                .await;
            bar.finish();
            client.close().await;
            let rotated: Json = rotated?;
            if voice.json {
                voice.print_json(&rotated);
            } else {
                voice.print(format!(
                    "epoch {} · {} keys wrapped again · {} open-ended records sealed again",
                    part(&rotated, "epoch"),
                    text(&rotated, "keys"),
                    text(&rotated, "records")
                ));
                voice.say("Every copy made before is dark now. Make a backup.");
            }
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
