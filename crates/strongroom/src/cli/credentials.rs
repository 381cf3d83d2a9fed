//! `strongroom credentials …` and `strongroom shops …`.

use std::path::PathBuf;

use axum::body::Body;
use clap::Subcommand;
use seal::Suite;
use serde_json::{Value as Json, json};

use super::answers::{list, text, texts};
use super::init::suites;
use super::{Context, Exit};
use crate::ground::keys_folder::write_new;
use crate::ground::{Problem, Role};

/// What `credentials` can do.
#[derive(Debug, Subcommand)]
pub(super) enum CredentialsCommand {
    /// Make a credential; its secret is shown once
    #[command(
        after_help = "Roles: intake puts data in and reads nothing · service uses data for its purposes · officer sees what is kept,
records choices, erases · auditor reads the ledger · admin publishes policies and makes credentials, and sees no data · window is for
the pages of the shop: its key begins with srp_ and is no secret, shows what can be chosen and takes choices, and nothing else"
    )]
    Add {
        /// What it may do
        #[arg(long, value_parser = ["intake", "service", "officer", "auditor", "admin", "window"])]
        role: String,
        /// What it is for: a technical name, never a person's
        #[arg(long)]
        label: String,
        /// A purpose that it may use; may be said several times
        #[arg(long = "purpose", value_name = "PURPOSE")]
        purposes: Vec<String>,
        /// It may say on whose behalf it acts (header Strongroom-On-Behalf-Of)
        #[arg(long)]
        on_behalf_of: bool,
        /// Persons that it may reach over all its purposes: "200 per hour, 1000 per day"; the policy's limits hold besides
        #[arg(long, value_name = "LIMIT")]
        limit: Option<String>,
        /// Write the credential into a new file (0600) instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List credentials, without their secrets
    List,
    /// Revoke a credential: it does nothing from now on
    Revoke {
        /// Its id: what stands before the secret
        id: String,
    },
    /// Freeze a credential: it does nothing until somebody unfreezes it
    Freeze {
        /// Its id: what stands before the secret
        id: String,
        /// Why: a ticket or a job, 1 to 60 of a-z 0-9 - _ . ; never a person's name
        #[arg(long)]
        reason: String,
    },
    /// Let a frozen credential go on; it begins to be counted anew
    #[command(
        after_help = "Look at what it did first: strongroom account blast-radius --credential ID --since …"
    )]
    Unfreeze {
        /// Its id: what stands before the secret
        id: String,
        /// Why: a ticket or a job, 1 to 60 of a-z 0-9 - _ . ; never a person's name
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(command: CredentialsCommand, context: &Context) -> Result<Exit, Problem> {
    let client = context.reach().await?;
    let voice = context.voice;
    match command {
        CredentialsCommand::Add { role, label, purposes, on_behalf_of, limit, out } => {
            let asked = json!({ "role": role, "label": label, "purposes": purposes,
                                "on_behalf_of": on_behalf_of, "limit": limit });
            let mut made: Json = client.post("/v1/credentials", &asked).await?;
            if let (Some(file), Some(said)) = (out, made.get_mut("credential")) {
                write_new(&file, said.as_str().unwrap_or_default().as_bytes())?;
                *said = json!(format!("written to {}", file.display()));
            }
            if voice.json {
                voice.print_json(&made);
            } else {
                voice.print(text(&made, "credential"));
                // A window's key stands in every page: it opens nothing but what the page may show and take.
                let what = if role == Role::Window.name() {
                    "this key is no secret: put it into the pages of the shop"
                } else {
                    "the secret is kept nowhere"
                };
                voice.say(format!("made {}; {what}", text(&made, "id")));
            }
        }
        CredentialsCommand::List => {
            let found: Vec<Json> = client.get("/v1/credentials").await?;
            if voice.json {
                voice.print_json(&found);
            } else {
                let row = |found: &Json| {
                    let purposes: Vec<&str> = texts(found, "purposes");
                    let state = if found.get("revoked").is_some() {
                        format!("revoked {}", text(found, "revoked"))
                    } else if found.get("frozen").is_some() {
                        format!("FROZEN {}: {}", text(found, "frozen"), text(found, "reason"))
                    } else {
                        String::from("valid")
                    };
                    vec![
                        text(found, "id"),
                        text(found, "role"),
                        text(found, "label"),
                        purposes.join(", "),
                        text(found, "limit"),
                        text(found, "since"),
                        state,
                    ]
                };
                voice.table(
                    &["id", "role", "label", "purposes", "limit", "since", "state"],
                    found.iter().map(row).collect(),
                );
            }
        }
        CredentialsCommand::Revoke { id } => {
            let revoked: Json =
                client.post(&format!("/v1/credentials/{}:revoke", safe(&id)), &json!({})).await?;
            if voice.json {
                voice.print_json(&revoked);
            } else {
                voice.print(format!("revoked; entry {}", text(&revoked, "entry")));
            }
        }
        CredentialsCommand::Freeze { id, reason } => {
            let path = format!("/v1/credentials/{}:freeze", safe(&id));
            let frozen: Json = client.post(&path, &json!({ "reason": reason })).await?;
            entered(&frozen, "frozen", context);
        }
        CredentialsCommand::Unfreeze { id, reason } => {
            let path = format!("/v1/credentials/{}:unfreeze", safe(&id));
            let unfrozen: Json = client.post(&path, &json!({ "reason": reason })).await?;
            entered(&unfrozen, "it may go on", context);
        }
    }
    client.close().await;
    Ok(Exit::Done)
}

/// Says what was done, and under which entry.
pub(super) fn entered(answer: &Json, what: &str, context: &Context) {
    if context.voice.json {
        context.voice.print_json(answer);
    } else {
        context.voice.print(format!("{what}; entry {}", text(answer, "entry")));
    }
}

/// An id as part of a path: letters, digits and `_` only; anything else cannot be an id and is not found.
pub(super) fn safe(id: &str) -> String {
    id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

/// What `shops` can do.
#[derive(Debug, Subcommand)]
pub(super) enum ShopsCommand {
    /// List the shops of this vault
    List,
    /// Add a shop with a policy, a ledger and an admin of its own
    Add {
        /// Its policy
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// What it seals with; `keys rotate` moves it later
        #[arg(long, value_name = "SUITE", default_value = Suite::Aes256Gcm.name(), value_parser = suites())]
        suite: Suite,
    },
}

pub(super) async fn shops(command: ShopsCommand, context: &Context) -> Result<Exit, Problem> {
    let client = context.reach().await?;
    let voice = context.voice;
    match command {
        ShopsCommand::List => {
            let found: Json = client.get("/operator/shops").await?;
            if voice.json {
                voice.print_json(&found);
            } else {
                for name in list(&found, "shops").filter_map(Json::as_str) {
                    voice.print(name);
                }
            }
        }
        ShopsCommand::Add { policy, suite } => {
            let asked = json!({ "text": super::init::read_policy(&policy)?, "suite": suite.name() });
            let body = serde_json::to_vec(&asked).unwrap_or_default();
            let made = client.run("/operator/shops", &[], Body::from(body), |_| {}).await?;
            if voice.json {
                voice.print_json(&made);
            } else {
                voice.print(format!("shop           {}", text(&made, "shop")));
                voice.print(format!("verifier key   {}", text(&made, "verifier_key")));
                voice.print(format!("admin          {}", text(&made, "admin")));
            }
        }
    }
    client.close().await;
    Ok(Exit::Done)
}
