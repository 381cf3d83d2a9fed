//! `strongroom files put`, `files get`.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use clap::{Args, Subcommand};
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::answers::{part, text};
use super::client::Client;
use super::credentials::safe;
use super::data::credential_of;
use super::{Context, Exit};
use crate::ground::Problem;

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
    after_help = "Opening personal data always takes a credential that has the purpose, also at the machine itself. It is entered before
the first byte leaves. What is saved is plain: Strongroom no longer watches over it."
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
    let file =
        std::fs::File::open(&args.file).map_err(|error| super::init::unreadable(&args.file, error.kind()))?;
    let length = file.metadata()?.len();
    let mut headers = vec![("content-type", args.media), ("content-length", length.to_string())];
    if let Some(credential) = &args.credential_file {
        headers.push(("authorization", format!("Bearer {}", credential_of(credential)?)));
    }
    let path = path_of(&args.record, &args.field);
    let client = context.reach().await?;
    let answer = client.send(Method::PUT, &path, &headers, body_of(file)).await;
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
    // ORDER: before it is asked for, so that nothing is opened and entered that cannot be saved.
    let mut options = std::fs::OpenOptions::new();
    let mut to = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.to)
        .map_err(|error| unwritable(&args.to, &error))?;
    let client = context.reach().await?;
    let saved = save(&client, &path, &bearer, asked, &mut to).await;
    client.close().await;
    let bytes = match saved {
        Ok(bytes) => bytes,
        Err(problem) => {
            let _ = std::fs::remove_file(&args.to); // half of it is none
            return Err(problem);
        }
    };
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
    to: &mut std::fs::File,
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

/// The file piece by piece.
fn body_of(mut file: std::fs::File) -> Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let piece = match file.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => Ok(Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default())),
                Err(error) => Err(error),
            };
            if sender.blocking_send(piece).is_err() {
                return;
            }
        }
    });
    Body::from_stream(futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    }))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new("SR-CLI-009", 500, format!("`{}` cannot be made ({:?})", path.display(), error.kind()))
        .help("choose a name that is not taken, in a folder that you can write to")
}

fn cut_off() -> Problem {
    Problem::new("SR-CLI-008", 500, "the file was cut off as it came; nothing was saved")
        .help("the ledger says why: it may have been erased, or not be allowed any more, or be broken")
}
