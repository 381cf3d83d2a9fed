//! `strongroom keys …`.

use std::path::{Path, PathBuf};

use axum::body::Body;
use clap::Subcommand;
use seal::{Lock, Secret, Suite};
use serde_json::{Value as Json, json};

use super::answers::{part, text};
use super::client::Client;
use super::init::suites;
use super::ledger::{encode, progress};
use super::{Context, Exit, blocking};
use crate::account::SuiteCount;
use crate::config::Config;
use crate::desk::SOCKET;
use crate::desk::operator::Status;
use crate::ground::Problem;
use crate::ground::key_holder::LockSource;
use crate::ground::keys_folder::{
    KeysFolder, folder_of, make_private_folder, must_unlock, sync_folder, write_new,
};
use crate::ground::random::SystemRandom;
use crate::open::Places;

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
    /// Lock the keyring with something else
    #[command(
        after_help = "While a server has the vault it does so with the keys that it has, also when what locked them is gone; but for --as-configured,
which wants it stopped. Else what locks the keyring now is found as always: by strongroom.toml, or by --key-file,
--passphrase-file or --share."
    )]
    Relock {
        /// The new key file
        #[arg(long, value_name = "FILE", group = "new")]
        new_key_file: Option<PathBuf>,
        /// The file with the new passphrase
        #[arg(long, value_name = "FILE", group = "new")]
        new_passphrase_file: Option<PathBuf>,
        /// What strongroom.toml says under [keys], now that it says something else; a holder wraps a new key
        #[arg(long, group = "new", required_unless_present_any = ["new_key_file", "new_passphrase_file"])]
        as_configured: bool,
    },
    /// Split what opens the keyring among officers; the server must be stopped
    #[command(
        after_help = "Makes a new key, writes a share of it for each officer, and locks the keyring with it. What locked it before, a set of shares
too, opens nothing any more. Hand out the files and destroy them here; fewer than are needed tell nothing."
    )]
    Split {
        /// How many shares
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=16))]
        of: u8,
        /// How many of them open the keyring
        #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(2..=16))]
        need: u8,
        /// A new folder for the shares
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Put shares together into a key file, for a time in which nobody is there to give them
    #[command(
        after_help = "The file opens the keyring as the shares do, until it is split or locked anew: whoever has it needs no officer. Look that it is
destroyed when its time is over."
    )]
    Join {
        /// The shares, as many as are needed
        #[arg(value_name = "SHARE", required = true)]
        shares: Vec<PathBuf>,
        /// The new key file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
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
        KeysCommand::Relock { new_key_file, new_passphrase_file, as_configured: _ } => {
            let config = Config::read(&context.flags, &context.data)?;
            let places = config.places(&context.flags, &context.data)?;
            let file = match (&new_key_file, &new_passphrase_file) {
                (Some(file), _) => Some(("key_file", file)),
                (None, Some(file)) => Some(("passphrase_file", file)),
                (None, None) => None,
            };
            match file {
                // A server has the keys, also when nobody else gives them any more.
                Some((kind, file)) if context.data.join(SOCKET).exists() => {
                    let file = std::path::absolute(file)?;
                    let client = context.reach().await?;
                    let path =
                        format!("/operator/relock?lock={kind}&file={}", encode(&file.to_string_lossy()));
                    let relocked = client.run(&path, &[], Body::empty(), |_| {}).await;
                    client.close().await;
                    relocked?;
                }
                _ => {
                    let lock = match (new_key_file, new_passphrase_file) {
                        (Some(file), _) => LockSource::KeyFile(file),
                        (None, Some(file)) => LockSource::PassphraseFile(file),
                        (None, None) => config.configured_lock(&places.keys),
                    };
                    blocking(move || relock(&places, &lock)).await?;
                }
            }
            voice.print("the keyring has another lock now");
            voice.say(
                "Say so in strongroom.toml under [keys], and keep a fresh copy of the keys folder apart.",
            );
        }
        KeysCommand::Split { of, need, out } => {
            let config = Config::read(&context.flags, &context.data)?;
            let places = config.places(&context.flags, &context.data)?;
            let made = blocking(move || split(&places, need, of, &out)).await?;
            if voice.json {
                let files: Vec<String> = made.files.iter().map(|file| file.display().to_string()).collect();
                voice.print_json(&json!({ "set": made.set, "of": of, "need": need, "shares": files }));
                return Ok(Exit::Done);
            }
            voice.print(format!("set {}: any {need} of {of} shares open the keyring", made.set));
            for file in &made.files {
                voice.print(format!("  {}", file.display()));
            }
            voice.say(
                "\nWhat opened it before opens nothing any more. Hand out the shares and destroy them here; then keep a fresh copy\n\
                 of the keys folder apart. Start with: strongroom serve --share FILE … once for each share.",
            );
        }
        KeysCommand::Join { shares, out } => {
            let config = Config::read(&context.flags, &context.data)?;
            let places = config.places(&context.flags, &context.data)?;
            let shown = out.display().to_string();
            blocking(move || {
                let officers = LockSource::Shares(shares).holder()?;
                // ORDER: tried before it is written. A file that opens nothing would be found out when it is needed.
                must_unlock(&places.keys, officers.as_ref())?;
                let Lock::Shared { secret, .. } = officers.lock_anew()? else {
                    return Err(seal::Error::WrongLock.into());
                };
                write_new(&out, secret.expose())?;
                Ok(sync_folder(folder_of(&out))?)
            })
            .await?;
            voice.print(format!("written to {shown}"));
            voice.say(
                "It opens the keyring without any officer. Start with: strongroom serve --key-file FILE",
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

fn relock(places: &Places, lock: &LockSource) -> Result<(), Problem> {
    let _folder = store::Folder::own(&places.data)?;
    let (keys, _) = KeysFolder::open(&places.keys, &places.lock)?;
    Ok(keys.relock(lock)?)
}

/// What `split` made.
struct Made {
    set: String,
    files: Vec<PathBuf>,
}

fn split(places: &Places, need: u8, of: u8, out: &Path) -> Result<Made, Problem> {
    let _folder = store::Folder::own(&places.data)?;
    let (keys, _) = KeysFolder::open(&places.keys, &places.lock)?;
    let mut random = SystemRandom::new();
    let shares = seal::split(&Secret::random(&mut random)?, need, of, &mut random)?;
    make_private_folder(out)?;
    let mut files = Vec::with_capacity(shares.len());
    for share in &shares {
        let file = out.join(format!("share-{}-of-{of}.txt", share.number));
        write_new(&file, share.to_text().as_bytes())?;
        files.push(file);
    }
    sync_folder(out)?;
    // ORDER: the shares are on the disk, and are read back all of them, before the keyring opens with nothing else.
    keys.relock(&LockSource::Shares(files.clone()))?;
    let set = shares.first().map_or_else(String::new, |share| share.split.name());
    Ok(Made { set, files })
}
