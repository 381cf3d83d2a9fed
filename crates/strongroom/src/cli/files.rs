//! `strongroom files put`, `files get`.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use clap::{Args, Subcommand};
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};

use super::answers::{part, text};
use super::client::{Client, body_of};
use super::credentials::safe;
use super::data::credential_of;
use super::ending::Ending;
use super::{Context, Exit};
use crate::ground::{Problem, keys_folder};

/// What `files` can do.
#[derive(Debug, Subcommand)]
pub(super) enum FilesCommand {
    /// Send a file for a field of a record; one that is there is replaced
    Put(PutArgs),
    /// Open a file for a purpose, with a credential that has it, and save it
    Get(GetArgs),
}

/// What `files put` takes.
#[derive(Debug, Args)]
pub(super) struct PutArgs {
    /// The record: rec_…
    record: String,
    /// The field, of kind `file`
    field: String,
    /// The file
    file: PathBuf,
    /// Its media type, such as image/jpeg: one that the field takes
    #[arg(long, value_name = "TYPE")]
    media: String,
    /// A file that holds a credential; without one, the operator of the machine sends
    #[arg(long, value_name = "FILE")]
    credential_file: Option<PathBuf>,
}

/// What `files get` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Opening personal data always takes a credential that has the purpose, also at the machine itself.
It is entered before the first byte leaves. What is saved is plain: Strongroom no longer watches over it."
)]
pub(super) struct GetArgs {
    /// The record: rec_…
    record: String,
    /// The field, of kind `file`
    field: String,
    /// The purpose
    #[arg(long)]
    purpose: String,
    /// A file that holds the credential; readable by its owner only
    #[arg(long, value_name = "FILE")]
    credential_file: PathBuf,
    /// Where to save it; nothing may be there yet
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

pub(super) async fn run(command: FilesCommand, context: &Context) -> Result<Exit, Problem> {
    match command {
        FilesCommand::Put(args) => put(args, context).await,
        FilesCommand::Get(args) => get(args, context).await,
    }
}

async fn put(args: PutArgs, context: &Context) -> Result<Exit, Problem> {
    let file = keys_folder::open_plain(&args.file)
        .map_err(|error| super::init::unreadable(&args.file, error.kind()))?;
    let length = file.metadata()?.len();
    let mut headers = vec![("content-type", args.media), ("content-length", length.to_string())];
    if let Some(credential) = &args.credential_file {
        headers.push(("authorization", format!("Bearer {}", credential_of(credential)?)));
    }
    let path = path_of(&args.record, &args.field);
    let client = context.reach().await?;
    let answer = client.send(Method::PUT, &path, &headers, body_of(Bytes::new(), file)).await;
    client.close().await;
    let written: Json = answer?.read()?;
    if context.voice.json {
        context.voice.print_json(&written);
    } else {
        context.voice.print(format!("{} (version {})", text(&written, "record"), part(&written, "version")));
        context.voice.say(format!("entered as {}", text(&written, "entry")));
    }
    Ok(Exit::Done)
}

async fn get(args: GetArgs, context: &Context) -> Result<Exit, Problem> {
    let bearer = [("authorization", format!("Bearer {}", credential_of(&args.credential_file)?))];
    let path = format!("{}:reveal", path_of(&args.record, &args.field));
    let asked = serde_json::to_vec(&json!({ "purpose": args.purpose })).unwrap_or_default();
    // ORDER: a signal that comes from here on ends in removing what was begun, so this precedes beginning it.
    let mut ending = Ending::listen()?;
    // ORDER: before it is asked for, so that nothing is opened and entered that cannot be saved.
    let mut coming = Coming::begin(&args.to)?;
    let client = context.reach().await?;
    let saved = tokio::select! {
        saved = save(&client, &path, &bearer, asked, &mut coming.file) => saved,
        () = ending.asked() => Err(interrupted()),
    };
    client.close().await;
    let bytes = saved?;
    coming.stay(&args.to)?;
    if context.voice.json {
        context.voice.print_json(&json!({ "to": args.to, "size_bytes": bytes }));
    } else {
        context.voice.print(format!("{} ({bytes} bytes)", args.to.display()));
    }
    Ok(Exit::Done)
}

async fn save(
    client: &Client,
    path: &str,
    headers: &[(&'static str, String)],
    asked: Vec<u8>,
    to: &mut File,
) -> Result<u64, Problem> {
    let mut body = client.open(Method::POST, path, headers, Body::from(asked)).await?;
    let mut bytes = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| cut_off())?.into_data() else { continue };
        to.write_all(&piece)?;
        bytes = bytes.saturating_add(piece.len() as u64);
    }
    Ok(bytes)
}

fn path_of(record: &str, field: &str) -> String {
    let plain = |sign: &char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-');
    format!("/v1/records/{}/files/{}", safe(record), field.chars().filter(plain).collect::<String>())
}

/// A file that comes. It has a name of its own beside the one that it shall have, until it is whole; dropped before, it is removed.
struct Coming {
    file: File,
    part: PathBuf,
    stays: bool,
}

impl Coming {
    fn begin(to: &Path) -> Result<Coming, Problem> {
        if std::fs::symlink_metadata(to).is_ok() {
            return Err(unwritable(to, ErrorKind::AlreadyExists));
        }
        let mut name = to.file_name().unwrap_or_default().to_os_string();
        name.push(".part");
        let part = to.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let file = file.map_err(|error| unwritable(&part, error.kind()))?;
        Ok(Coming { file, part, stays: false })
    }

    /// It is whole: gives it its name, over nobody else's.
    fn stay(mut self, to: &Path) -> Result<(), Problem> {
        // ORDER: its bytes are on the disk before its name is, and its name before anybody is told of it.
        self.file.sync_all()?;
        rename_new(&self.part, to).map_err(|error| unwritable(to, error.kind()))?;
        self.stays = true;
        Ok(keys_folder::sync_folder(keys_folder::folder_of(to))?)
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        if !self.stays {
            let _ = std::fs::remove_file(&self.part); // half of it is none
        }
    }
}

/// Gives a file a name that none has.
fn rename_new(from: &Path, to: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot do both at once.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if std::fs::symlink_metadata(to).is_err() => {
            std::fs::rename(from, to)
        }
        done => Ok(done?),
    }
}

/// Writes a file that must not be there yet, with at most this mode, and syncs it. Fails: `SR-CLI-009` when it cannot be made.
pub(super) fn write_new_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Problem> {
    let made = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = made.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| unwritable(path, error.kind()))
}

/// The problem of a file that a command was to write and that cannot be made.
pub(super) fn unwritable(path: &Path, why: ErrorKind) -> Problem {
    Problem::new("SR-CLI-009", 500, format!("`{}` cannot be made ({why:?})", path.display()))
        .help("choose a name that is not taken, in a folder that you can write to")
}

fn interrupted() -> Problem {
    Problem::new("SR-CLI-010", 500, "interrupted before the file was whole; nothing was saved")
        .help("run the same command again; that it was opened may stand in the ledger twice then")
}

fn cut_off() -> Problem {
    Problem::new("SR-CLI-008", 500, "the file was cut off as it came; nothing was saved")
        .help("the ledger says why: it may have been erased, or not be allowed any more, or be broken")
}
