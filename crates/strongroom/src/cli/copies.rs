//! `strongroom backup`, `restore`, `migrate`.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use clap::Args;
use serde_json::{Value as Json, json};

use super::answers::{part, text};
use super::ledger::{encode, progress};
use super::{Context, Exit, blocking};
use crate::config::Config;
use crate::ground::Problem;
use crate::ground::clock::{Clock, MachineClock};
use crate::{backup, open};

/// What `backup` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "The keyring is not in a backup, and must not be kept beside one. A backup can be opened until its epoch ends
(30 days by default), and then by nobody: make them regularly."
)]
pub(super) struct BackupArgs {
    /// The new folder
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub(super) async fn backup(args: BackupArgs, context: &Context) -> Result<Exit, Problem> {
    let (client, voice) = (context.reach().await?, context.voice);
    let to = std::path::absolute(&args.to)?;
    let mut bar = voice.bar("pages");
    let path = format!("/operator/backup?to={}", encode(&to.to_string_lossy()));
    let outcome = client.run(&path, &[], Body::empty(), progress(&mut bar)).await;
    bar.finish();
    client.close().await;
    let manifest: Json = outcome?;
    if voice.json {
        voice.print_json(&manifest);
    } else {
        voice.print(format!(
            "backup of {} in {} (schema {}, SHA-256 {})",
            text(&manifest, "at"),
            to.display(),
            part(&manifest, "schema"),
            text(&manifest, "database_sha256")
        ));
    }
    Ok(Exit::Done)
}

/// What `restore` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Stop the server first, and leave the replaced data folder in place: its ledger, revoked credentials, withdrawn
consents and published policies are kept. Every key that was ever destroyed is destroyed again before anybody is served."
)]
pub(super) struct RestoreArgs {
    /// The backup's folder
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The signed head since which the ledger is lost for good: the file `heads` of the keys folder, or one head as `ledger
    /// checkpoint` printed it
    #[arg(long, value_name = "FILE")]
    lost_since: Option<PathBuf>,
    /// Restore without being asked
    #[arg(long)]
    yes: bool,
}

pub(super) async fn restore(args: RestoreArgs, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    let manifest = backup::read_manifest(&args.from)?;
    voice.say(format!(
        "backup of {}, made by release {}, schema {}",
        manifest.at, manifest.release, manifest.schema
    ));
    if !args.yes {
        return Err(Problem::new("SR-CLI-005", 400, "nothing was restored")
            .help("subjects and records become those of the backup; to do it, say `--yes`"));
    }
    let lost_since = args.lost_since.as_deref().map(super::data::read_text).transpose()?;
    let config = Config::read(&context.flags, &context.data)?;
    let places = config.places(&context.flags, &context.data)?;
    let from = args.from.clone();
    let mut bar = voice.bar("restoring");
    let restored = blocking(move || {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
        let restored = backup::restore(&places, &from, lost_since.as_deref(), &clock, |what, done, of| {
            bar.set(what, done, of);
        });
        bar.finish();
        restored
    })
    .await?;
    let admin = restored.admin.as_ref().map(|admin| admin.to_string());
    if voice.json {
        voice.print_json(&json!({
            "backup_at": restored.backup_at, "lost_entries": restored.lost_entries,
            "destroyed_again": restored.destroyed_again, "new_generation": restored.new_generation,
            "verifier_key": restored.verifier_key, "admin": admin,
        }));
        return Ok(Exit::Done);
    }
    voice.print(format!("restored the backup of {}", restored.backup_at));
    voice.print(format!("{} entries speak of what came after it and is lost", restored.lost_entries));
    voice.print(format!(
        "{} keys of erased people and ended terms were destroyed again",
        restored.destroyed_again
    ));
    if let (Some(key), Some(admin)) = (&restored.verifier_key, admin) {
        voice.print(format!("the ledger begins anew; its verifier key is {key}"));
        voice.print(format!("every credential is revoked; the new admin is {admin}"));
    }
    Ok(Exit::Done)
}

/// What `migrate` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "`serve` migrates by itself, after a copy; this command is for those who want to look first."
)]
pub(super) struct MigrateArgs {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// The role that serves from a server's database: it gets rights to rows, and none to the schema
    #[arg(long, value_name = "ROLE")]
    serving: Option<String>,
}

pub(super) async fn migrate(args: MigrateArgs, context: &Context) -> Result<Exit, Problem> {
    let (voice, data, dry_run) = (context.voice, context.data.clone(), args.dry_run);
    let known = open::MIGRATIONS.last().map_or(0, |step| step.number);
    let rows = Config::read(&context.flags, &context.data)?.store.rows()?;
    let outcome = blocking(move || {
        if let open::Rows::OnServer(server) = rows {
            return migrate_server(&server, &args);
        }
        let folder = store::Folder::own(&data)?;
        let schema = folder.schema()?;
        if schema == 0 {
            return Err(store::Error::Empty.into());
        }
        if schema > known {
            return Err(store::Error::NewerSchema { found: schema, known }.into());
        }
        let due = due_after(schema);
        let copy = if dry_run { None } else { folder.migrate(open::MIGRATIONS)?.copy };
        Ok((schema, due, copy))
    })
    .await?;
    let (schema, due, copy) = outcome;
    if voice.json {
        voice.print_json(&json!({ "from": schema, "to": known, "steps": due, "copy": copy }));
        return Ok(Exit::Done);
    }
    if due.is_empty() {
        voice.print(format!("the schema is {schema}, as this release wants it"));
    }
    for step in due {
        voice.print(if dry_run { format!("would run {step}") } else { format!("ran {step}") });
    }
    if let Some(copy) = copy {
        voice.print(format!(
            "the database before is in {copy}, until the next start finds everything in order"
        ));
    }
    Ok(Exit::Done)
}

fn due_after(schema: u32) -> Vec<&'static str> {
    open::MIGRATIONS.iter().filter(|step| step.number > schema).map(|step| step.name).collect()
}

/// A server's database is made by this command: who serves from it has no right to.
fn migrate_server(
    server: &store::Server,
    args: &MigrateArgs,
) -> Result<(u32, Vec<&'static str>, Option<String>), Problem> {
    if args.dry_run {
        let schema = server.schema()?;
        return Ok((schema, due_after(schema), None));
    }
    let migrated = server.migrate(open::MIGRATIONS, open::FENCES, args.serving.as_deref())?;
    Ok((migrated.from, migrated.steps, None))
}
