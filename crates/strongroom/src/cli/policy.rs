//! `strongroom policy …`.

use std::path::PathBuf;

use axum::body::Body;
use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::answers::{part, text};
use super::diff::show_changes;
use super::ledger::progress;
use super::{Context, Exit};
use crate::ground::Problem;

/// What `policy` can do.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Print the policy in force, or a published version of it
    Show {
        /// A published version
        #[arg(long)]
        version: Option<u32>,
    },
    /// List the published versions
    Versions,
    /// Say what a new policy would change, and count it over what is kept, change by change: records that end sooner or later
    /// or go, choices that become void, retention ends that move
    Plan {
        /// The new policy
        file: PathBuf,
    },
    /// Plan a policy, publish it, and see it through until everything that is kept is laid out by it
    #[command(
        after_help = "Callers are served all the while. Cut off, it goes on by itself when a server runs; the same command follows it
again, and publishes nothing twice."
    )]
    Apply {
        /// The new policy
        file: PathBuf,
        /// Apply without being asked
        #[arg(long)]
        yes: bool,
        /// The version that the plan was made against: nothing is applied when another is in force by now
        #[arg(long, value_name = "VERSION")]
        follows: Option<u32>,
    },
    /// Publish a policy: in force from now on
    Publish {
        /// The policy
        file: PathBuf,
        /// Publish without being asked
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(command: PolicyCommand, context: &Context) -> Result<Exit, Problem> {
    let client = context.reach().await?;
    let voice = context.voice;
    let outcome = match command {
        PolicyCommand::Show { version } => {
            let path = version.map_or_else(
                || String::from("/v1/policy"),
                |version| format!("/v1/policy?version={version}"),
            );
            let found: Json = client.get(&path).await?;
            if voice.json {
                voice.print_json(&found);
            } else {
                voice.say(format!(
                    "# version {}, published {}, SHA-256 {}",
                    part(&found, "version"),
                    text(&found, "published"),
                    text(&found, "digest")
                ));
                voice.print(text(&found, "text").trim_end());
            }
            Exit::Done
        }
        PolicyCommand::Versions => {
            let found: Vec<Json> = client.get("/v1/policies").await?;
            if voice.json {
                voice.print_json(&found);
            } else {
                let row = |found: &Json| {
                    vec![part(found, "version").to_string(), text(found, "published"), text(found, "digest")]
                };
                voice.table(&["version", "published", "SHA-256"], found.iter().map(row).collect());
            }
            Exit::Done
        }
        PolicyCommand::Plan { file } => {
            let plan = plan_of(&client, &file, context).await?;
            show_plan(&plan, context);
            Exit::Done
        }
        PolicyCommand::Apply { file, yes, follows } => {
            let applied = apply(&client, &file, yes, follows, context).await;
            client.close().await;
            return applied;
        }
        PolicyCommand::Publish { file, yes } => {
            if !yes {
                let plan = plan_of(&client, &file, context).await?;
                show_plan(&plan, context);
                client.close().await;
                return Err(Problem::new("SR-CLI-005", 400, "nothing was published")
                    .help("to publish this, say `--yes`"));
            }
            let policy = read_checked(&file, context)?;
            let published: Json = client.post("/v1/policies", &json!({ "text": policy })).await?;
            if voice.json {
                voice.print_json(&published);
            } else {
                voice.print(format!(
                    "version {} is in force; entry {}",
                    part(&published, "version"),
                    text(&published, "entry")
                ));
                voice.say("what is kept already is laid out again behind, while a server runs; `doctor` shows the job `lay-out` until it is done");
            }
            Exit::Done
        }
    };
    client.close().await;
    Ok(outcome)
}

/// Publishes a policy, unless it is in force already, and follows the job behind it to its end.
async fn apply(
    client: &super::client::Client,
    file: &std::path::Path,
    yes: bool,
    follows: Option<u32>,
    context: &Context,
) -> Result<Exit, Problem> {
    let voice = context.voice;
    let policy = super::init::read_policy(file)?;
    let in_force: Json = client.get("/v1/policy").await?;
    let (mut version, mut entry, mut plan) = (part(&in_force, "version").clone(), Json::Null, Json::Null);
    if text(&in_force, "text") == policy {
        voice.say(format!("this file is in force already, as version {version}"));
    } else {
        plan = plan_of(client, file, context).await?;
        if !voice.json {
            show_plan(&plan, context);
        }
        if !yes {
            if voice.json {
                show_plan(&plan, context);
            }
            return Err(Problem::new("SR-CLI-005", 400, "nothing was applied").help(
                "to apply what was planned, say `--yes`; with `--follows VERSION` only if no other was published meanwhile",
            ));
        }
        // What was planned is what is applied: against this version, or not at all.
        let follows = follows.map_or_else(|| part(&plan, "follows").clone(), Json::from);
        let body = json!({ "text": policy, "follows": follows });
        let published: Json = client.post("/v1/policies", &body).await?;
        version = part(&published, "version").clone();
        entry = part(&published, "entry").clone();
        voice.say(format!("version {version} is in force; what is kept is laid out by it"));
    }
    let mut bar = voice.bar("records");
    let followed = client.run("/operator/lay-out", &[], Body::empty(), progress(&mut bar)).await;
    bar.finish();
    let followed = followed?;
    let (records, stepped_over) = (part(&followed, "records"), part(&followed, "stepped_over"));
    if voice.json {
        voice.print_json(&json!({
            "version": version, "entry": entry, "laid_out": stepped_over.as_u64().is_none_or(|rows| rows == 0),
            "records": records, "stepped_over": stepped_over, "plan": plan,
        }));
        return Ok(Exit::Done);
    }
    voice.print(match stepped_over.as_u64() {
        Some(0) => format!("version {version} is in force, and all {records} records are laid out by it"),
        Some(rows) => format!(
            "version {version} is in force, and {records} records are laid out by it but for {rows} rows, which do not open and were stepped over: see doctor --deep"
        ),
        None => format!(
            "version {version} is in force, and nothing waits to be laid out by it; that was done before this start: rows that do not open are named by doctor --deep"
        ),
    });
    Ok(Exit::Done)
}

async fn plan_of(
    client: &super::client::Client,
    file: &std::path::Path,
    context: &Context,
) -> Result<Json, Problem> {
    let policy = read_checked(file, context)?;
    let body = serde_json::to_vec(&json!({ "text": policy })).unwrap_or_default();
    let mut bar = context.voice.bar("records");
    let planned = client.run("/operator/plan", &[], Body::from(body), progress(&mut bar)).await;
    bar.finish();
    planned
}

/// Reads a policy, and says what is wrong with it: the answer to a publication names its first fault only.
fn read_checked(file: &std::path::Path, context: &Context) -> Result<String, Problem> {
    let policy = super::init::read_policy(file)?;
    let report = policy::check(&policy, &file.display().to_string(), super::check::today());
    if report.policy.is_none() {
        context.voice.say(super::check::rendered(&report));
    }
    Ok(policy)
}

fn show_plan(plan: &Json, context: &Context) {
    let voice = context.voice;
    if voice.json {
        return voice.print_json(plan);
    }
    show_changes(plan, voice);
    show_effects(plan, voice);
    let counted = part(plan, "counted");
    let rows = [
        ("records looked at", "records"),
        ("which cannot be read: see doctor --deep", "unreadable"),
        ("would end sooner", "end_sooner"),
        ("would end later", "end_later"),
        ("of which nothing would be left", "go"),
        ("retention ends that records move", "terms"),
        ("keys of retention ends to be made", "new_terms"),
    ];
    voice.print(format!("version {} over what is kept already:", part(plan, "version")));
    for (what, key) in rows {
        voice.print(format!("  {what:<40} {}", part(counted, key)));
    }
    for (field, count) in part(counted, "fields_go").as_object().into_iter().flatten() {
        voice.print(format!("  {field} would go in {count} records"));
    }
    for (purpose, count) in part(counted, "choices_void").as_object().into_iter().flatten() {
        voice.print(format!("  {count} subjects said yes to {purpose}; that becomes void"));
    }
}

/// What each change does by itself to what is kept, of those that do something.
fn show_effects(plan: &Json, voice: super::Voice) {
    const COUNTS: [&str; 7] = ["records", "end_sooner", "end_later", "lose_fields", "go", "choices", "terms"];
    let row = |change: &Json| {
        let counted = part(change, "counted");
        let counts = COUNTS.map(|count| part(counted, count).as_u64().unwrap_or(0));
        let what = text(change, if text(change, "after").is_empty() { "before" } else { "after" });
        let head = [text(change, "code"), text(change, "about"), what];
        let all = head.into_iter().chain(counts.iter().map(ToString::to_string)).collect();
        counts.iter().any(|count| *count > 0).then_some(all)
    };
    let rows: Vec<Vec<String>> = super::answers::list(plan, "changes").filter_map(row).collect();
    if rows.is_empty() {
        return;
    }
    voice.print("each change by itself:");
    let head =
        ["code", "about", "what", "records", "sooner", "later", "lose fields", "go", "choices", "ends"];
    voice.table(&head, rows);
}
