//! `strongroom move`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::{Context, Exit, blocking};
use crate::config::{Config, Rewrite, StoreConfig};
use crate::ground::clock::{Clock, MachineClock};
use crate::ground::{Problem, hex};
use crate::moves::{self, MOVED, Moved, Moving};
use crate::open::Rows;

/// What `move` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Stop the server first: a move is refused while a process serves from this data folder (SR-STORE-003), and while any other
uses the database that the rows leave (SR-STORE-026). Nobody is served until it is done. The rows are compared table by table and the
whole ledger is verified where they have come to, before strongroom.toml names the new place. Cut off, it is run again.

A database needs this release's schema (`strongroom migrate --store ADDRESS --serving ROLE`, as its owner) and holds no shop
(SR-STORE-017). The old rows stay where they were, and a start refuses them (SR-MOVE-001); what removes them is printed."
)]
pub(super) struct MoveArgs {
    /// Where to: the address of a PostgreSQL database, or `folder` for the data folder
    #[arg(long, value_name = "ADDRESS", required_unless_present = "cancel")]
    to: Option<String>,
    /// A file whose first line is the password of that database's user
    #[arg(long, value_name = "FILE", requires = "to")]
    to_password_file: Option<PathBuf>,
    /// Take back a move to the folder that was cut off: the database serves again
    #[arg(long, conflicts_with = "to")]
    cancel: bool,
    /// Move without being asked
    #[arg(long)]
    yes: bool,
}

/// The word for the data folder.
const FOLDER: &str = "folder";

pub(super) async fn run(args: MoveArgs, context: &Context) -> Result<Exit, Problem> {
    let (voice, config) = (context.voice, Config::read(&context.flags, &context.data)?);
    let places = config.places(&context.flags, &context.data)?;
    if args.cancel {
        blocking(move || moves::take_back(&places)).await?;
        if voice.json {
            voice.print_json(&json!({ "cancelled": true }));
        } else {
            voice.print("the move was taken back: the database serves again");
        }
        return Ok(Exit::Done);
    }
    let address = args.to.filter(|to| to != FOLDER);
    let password_file = match &address {
        // The one that is named already, when a move there goes on.
        Some(_) => args.to_password_file.or_else(|| config.store.password_file.clone()),
        None => None,
    };
    let store = StoreConfig {
        password_file: password_file.map(std::path::absolute).transpose()?,
        address,
        ..config.store
    };
    let rewrite =
        Rewrite::of(&context.flags, &context.data, store.address.as_deref(), store.password_file.as_deref())?;
    let moving = Moving { to: store.rows()?, places, rewrite };
    let (from, to) = (shown(&moving.places.rows, context), shown(&moving.to, context));
    voice.say(format!("all rows of {from} move to {to}"));
    if !args.yes {
        return Err(Problem::new("SR-CLI-005", 400, "nothing was moved")
            .help("nobody is served while rows move; to do it, say `--yes`"));
    }
    let mut bar = voice.bar("moving");
    let moved = blocking(move || {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
        let moved = moves::run(&moving, &clock, &mut |what, done, of| bar.set(what, done, of));
        bar.finish();
        moved
    })
    .await?;
    let rows: u64 = moved.tables.iter().map(|table| table.rows).sum();
    if voice.json {
        let tables: Vec<_> = moved
            .tables
            .iter()
            .map(|sum| json!({ "table": sum.table, "rows": sum.rows, "sha256": hex(&sum.digest) }))
            .collect();
        voice.print_json(&json!({
            "from": moved.from, "to": moved.to, "rows": rows, "tables": tables, "entries_verified": moved.entries,
        }));
    } else {
        let Moved { from, to, entries, tables } = &moved;
        voice.print(format!("moved {rows} rows of {} tables from {from} to {to}", tables.len()));
        voice.print(format!("{entries} entries of the ledger verified there, each row compared"));
    }
    say_what_is_left(context, store.address.is_some(), config.epoch.days);
    Ok(Exit::Done)
}

fn shown(rows: &Rows, context: &Context) -> String {
    match rows {
        Rows::InFolder => context.data.display().to_string(),
        Rows::OnServer(server) => server.shown().to_owned(),
    }
}

/// The old rows hold sealed values, and what opens those: until the epoch ends.
fn say_what_is_left(context: &Context, is_on_server: bool, days: u32) {
    let voice = context.voice;
    if is_on_server {
        let old = context.data.join(MOVED);
        voice.say(format!(
            "\nThe old rows are in {}; a start refuses them. When all is well: rm {}",
            old.display(),
            old.display()
        ));
    } else {
        voice.say("\nThe old rows are in the database; a start refuses them. When all is well, as its owner: DROP DATABASE");
    }
    voice.say(format!(
        "Removing is not overwriting: what a disk, a snapshot, an archive or a backup still has of them goes dark when the epoch ends,
in {days} days at the most, or with `strongroom keys rotate`."
    ));
}
