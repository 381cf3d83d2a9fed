//! `strongroom approvals …`.

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::answers::text;
use super::credentials::{entered, safe};
use super::{Context, Exit};
use crate::ground::Problem;

/// What `approvals` can do.
#[derive(Debug, Subcommand)]
pub(super) enum ApprovalsCommand {
    /// Ask that a credential may reach more persons for a while; somebody else approves
    #[command(
        after_help = "Who asks at the machine is the operator, and cannot approve it: an officer or an admin does, with
their credential, at POST /v1/approvals/ID:approve."
    )]
    Ask {
        /// The credential's id: what stands before the secret
        #[arg(long, value_name = "ID")]
        credential: String,
        /// For which purpose
        #[arg(long)]
        purpose: String,
        /// Persons at the most
        #[arg(long)]
        subjects: u32,
        /// For how long, from when it is approved: hours, 1 to 168
        #[arg(long, default_value_t = 24)]
        hours: u32,
        /// Why: a ticket or a job, 1 to 60 of a-z 0-9 - _ . ; never a person's name
        #[arg(long)]
        reason: String,
    },
    /// List what was asked for, and what became of it
    List,
    /// Approve what somebody else asked for
    Approve {
        /// The approval's id, apr_…
        id: String,
    },
    /// Refuse what was asked for
    Refuse {
        /// The approval's id, apr_…
        id: String,
    },
}

pub(super) async fn run(command: ApprovalsCommand, context: &Context) -> Result<Exit, Problem> {
    let client = context.reach().await?;
    let voice = context.voice;
    match command {
        ApprovalsCommand::Ask { credential, purpose, subjects, hours, reason } => {
            let asked = json!({ "credential": credential, "purpose": purpose, "subjects": subjects,
                                "hours": hours, "reason": reason });
            let made: Json = client.post("/v1/approvals", &asked).await?;
            entered(&made, &format!("asked as {}", text(&made, "id")), context);
            voice.say("it stands once an officer or an admin approves it, within seven days");
        }
        ApprovalsCommand::List => {
            let found: Vec<Json> = client.get("/v1/approvals").await?;
            if voice.json {
                voice.print_json(&found);
            } else {
                let names = [
                    "id",
                    "state",
                    "credential",
                    "purpose",
                    "subjects",
                    "hours",
                    "reason",
                    "asked_by",
                    "decided_by",
                    "until",
                ];
                let row = |found: &Json| names.iter().map(|name| text(found, name)).collect();
                voice.table(&names, found.iter().map(row).collect());
            }
        }
        ApprovalsCommand::Approve { id } => {
            let path = format!("/v1/approvals/{}:approve", safe(&id));
            let approved: Json = client.post(&path, &json!({})).await?;
            entered(&approved, &format!("approved until {}", text(&approved, "until")), context);
        }
        ApprovalsCommand::Refuse { id } => {
            let path = format!("/v1/approvals/{}:refuse", safe(&id));
            let refused: Json = client.post(&path, &json!({})).await?;
            entered(&refused, "refused", context);
        }
    }
    client.close().await;
    Ok(Exit::Done)
}
