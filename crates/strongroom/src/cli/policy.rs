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
    /// Say what a new policy would change, and count it over what is kept: records that end sooner or later or go, void choices
    Plan {
        /// The new policy
        file: PathBuf,
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
        PolicyCommand::Publish { file, yes } => {
            let plan = plan_of(&client, &file, context).await?;
            if !yes {
                show_plan(&plan, context);
                client.close().await;
                return Err(Problem::new("SR-CLI-005", 400, "nothing was published")
                    .help("to publish this, say `--yes`"));
            }
            let policy = super::init::read_policy(&file)?;
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

async fn plan_of(
    client: &super::client::Client,
    file: &std::path::Path,
    context: &Context,
) -> Result<Json, Problem> {
    let policy = super::init::read_policy(file)?;
    let report = policy::check(&policy, &file.display().to_string(), super::check::today());
    if report.policy.is_none() {
        context.voice.say(super::check::rendered(&report));
    }
    let body = serde_json::to_vec(&json!({ "text": policy })).unwrap_or_default();
    let mut bar = context.voice.bar("records");
    let planned = client.run("/operator/plan", &[], Body::from(body), progress(&mut bar)).await;
    bar.finish();
    planned
}

fn show_plan(plan: &Json, context: &Context) {
    let voice = context.voice;
    if voice.json {
        return voice.print_json(plan);
    }
    show_changes(plan, voice);
    let counted = part(plan, "counted");
    let rows = [
        ("records looked at", "records"),
        ("would end sooner", "end_sooner"),
        ("would end later", "end_later"),
        ("of which nothing would be left", "go"),
        ("keys of retention ends to be made", "new_terms"),
    ];
    voice.print(format!("version {} over what is kept already:", part(plan, "version")));
    for (what, key) in rows {
        voice.print(format!("  {what:<36} {}", part(counted, key)));
    }
    for (field, count) in part(counted, "fields_go").as_object().into_iter().flatten() {
        voice.print(format!("  {field} would go in {count} records"));
    }
    for (purpose, count) in part(counted, "choices_void").as_object().into_iter().flatten() {
        voice.print(format!("  {count} subjects said yes to {purpose}; that becomes void"));
    }
}
