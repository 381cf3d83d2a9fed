//! `strongroom diff`: what a new policy says otherwise, without a vault.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use policy::UnderLaw;
use serde_json::{Value as Json, json};

use super::answers::{list, text, texts};
use super::changes::cited;
use super::{Context, Exit, Voice};
use crate::desk::operator::change_json;
use crate::ground::Problem;

/// What `diff` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "A change is material when it lets more happen with data, or otherwise than before: people must be told of it.
Exit code 4 when one of the files has errors. `policy plan` counts what a policy would change about data that is kept already."
)]
pub(super) struct DiffArgs {
    /// The policy that was
    old: PathBuf,
    /// The policy that is to be
    new: PathBuf,
}

pub(super) fn run(args: &DiffArgs, context: &Context) -> Result<Exit, Problem> {
    let (Some(old), Some(new)) = (read(&args.old, context)?, read(&args.new, context)?) else {
        return Ok(Exit::Found);
    };
    let changes = policy::diff(&old, &new);
    let void: Vec<String> = policy::void_choices(&changes).iter().map(ToString::to_string).collect();
    let shelf = super::law::packs(context)?;
    let under = policy::diff_lawful(&new, &changes, &shelf.packs()?, super::check::today());
    let found = json!({
        "changes": changes.iter().map(change_json).collect::<Vec<_>>(),
        "choices_void": void,
        "under_law": under,
    });
    if context.voice.json {
        context.voice.print_json(&found);
        return Ok(Exit::Done);
    }
    show_changes(&found, context.voice);
    let void = texts(&found, "choices_void");
    if !void.is_empty() {
        context.voice.print(format!("granted choices become void: {}", void.join(", ")));
    }
    show_law(&under, context.voice);
    Ok(Exit::Done)
}

/// What the changes mean under each law that applies.
fn show_law(under: &[UnderLaw], voice: Voice) {
    for law in under {
        let names = |names: &BTreeSet<policy::Name>| {
            names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        voice.print(format!("\nunder {}", law.pack));
        if !law.material.is_empty() {
            voice.print(format!("  other than people were told: {}", names(&law.material)));
        }
        if !law.void.is_empty() {
            voice.print(format!("  to be asked again: {} ({})", names(&law.void), cited(&law.laws)));
        }
        for due in &law.owed {
            let when = match (&due.within, due.soon) {
                (Some(within), _) => format!(", within {within}"),
                (None, Some(soon)) => format!(", {}", soon.text().en),
                (None, None) => String::new(),
            };
            let to = due.to.as_ref().map(|to| format!(", to {}", to.en)).unwrap_or_default();
            let note = if due.en.is_empty() { String::new() } else { format!(". {}", due.en) };
            voice.print(format!("  {}{to}{when} ({}){note}", due.name.en, cited(&due.laws)));
        }
    }
}

fn read(file: &Path, context: &Context) -> Result<Option<policy::Policy>, Problem> {
    let report =
        policy::check(&super::init::read_policy(file)?, &file.display().to_string(), super::check::today());
    if report.policy.is_none() {
        context.voice.say(super::check::rendered(&report));
    }
    Ok(report.policy)
}

/// The changes as a table, the material ones first.
pub(super) fn show_changes(found: &Json, voice: Voice) {
    let mut changes: Vec<&Json> = list(found, "changes").collect();
    if changes.is_empty() {
        return voice.print("nothing changes but dates of review and comments");
    }
    let is_material = |change: &Json| change.get("material").and_then(Json::as_bool).unwrap_or_default();
    changes.sort_by_key(|change| !is_material(change));
    let row = |change: &&Json| {
        let tell = if is_material(change) { "material" } else { "" };
        vec![
            text(change, "code"),
            tell.to_owned(),
            text(change, "about"),
            text(change, "title"),
            text(change, "before"),
            text(change, "after"),
        ]
    };
    voice.table(
        &["code", "tell people", "about", "what", "before", "after"],
        changes.iter().map(row).collect(),
    );
}
