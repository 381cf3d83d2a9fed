//! `strongroom account …`.

use axum::body::Body;
use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::answers::{list, part, text};
use super::ledger::encode;
use super::{Context, Exit};
use crate::desk::operator::Line;
use crate::ground::Problem;

/// What `account` can do.
#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Say which persons a credential reached, and which of their fields, out of the ledger; the look is entered
    #[command(
        after_help = "Persons are named by their public ids. Of those who were erased since, nobody can say who they were: they are counted.
Subjects whose rows do not open are stepped over and counted, too: `doctor --deep` names them."
    )]
    BlastRadius {
        /// The credential's id: what stands before the secret
        #[arg(long, value_name = "ID")]
        credential: String,
        /// From when on: a day or an instant, 2026-11-26 or 2026-11-26T09:00:00Z
        #[arg(long, value_name = "INSTANT")]
        since: String,
        /// Until when; now, if it is left out
        #[arg(long, value_name = "INSTANT")]
        until: Option<String>,
        /// List the persons, one a line
        #[arg(long)]
        list: bool,
    },
}

pub(super) async fn run(command: AccountCommand, context: &Context) -> Result<Exit, Problem> {
    let AccountCommand::BlastRadius { credential, since, until, list: listed } = command;
    let (client, voice) = (context.reach().await?, context.voice);
    let mut path = format!(
        "/operator/blast-radius?credential={}&since={}&list={listed}",
        encode(&credential),
        encode(&instant_of(&since))
    );
    if let Some(until) = until {
        path = format!("{path}&until={}", encode(&instant_of(&until)));
    }
    let mut bar = voice.bar("entries");
    let mut subjects: Vec<Json> = Vec::new();
    let outcome = client
        .run(&path, &[], Body::empty(), |line| match line {
            Line::Progress { what, done, of } => bar.set(&what, done, of),
            Line::Item(subject) if voice.json => subjects.push(subject),
            Line::Item(subject) => voice.print(subject.as_str().unwrap_or_default()),
            _ => {}
        })
        .await;
    bar.finish();
    client.close().await;
    let mut found = outcome?;
    if voice.json {
        if let (true, Some(all)) = (listed, found.as_object_mut()) {
            all.insert(String::from("subjects"), json!(subjects));
        }
        voice.print_json(&found);
        return Ok(Exit::Done);
    }
    let line = |name: &str, said: String| {
        // A list of persons is data; what is said about it goes where talk goes.
        let line = format!("{name:<10} {said}");
        if listed { voice.say(line) } else { voice.print(line) }
    };
    line("credential", text(&found, "credential"));
    line(
        "persons",
        format!(
            "{}: {} who can be told, {} erased since (alias only)",
            text(&found, "persons"),
            text(&found, "living"),
            text(&found, "erased_since")
        ),
    );
    if part(&found, "unreadable").as_u64() > Some(0) {
        line("unreadable", format!("{} rows of subjects: see doctor --deep", text(&found, "unreadable")));
    }
    line("entries", format!("{}, and {} refused", text(&found, "entries"), text(&found, "refused")));
    line("first", text(&found, "first"));
    line("last", text(&found, "last"));
    if !listed {
        let row = |of: &Json, names: &[&str]| names.iter().map(|name| text(of, name)).collect();
        let purposes = ["purpose", "persons", "entries", "first", "last"];
        voice.table(&purposes, list(&found, "purposes").map(|of| row(of, &purposes)).collect());
        let fields = ["field", "persons"];
        voice.table(&fields, list(&found, "fields").map(|of| row(of, &fields)).collect());
    }
    voice.say(format!("entered as {}", part(&found, "entry").as_str().unwrap_or_default()));
    Ok(Exit::Done)
}

/// A day begins at midnight UTC.
fn instant_of(text: &str) -> String {
    if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") }
}
