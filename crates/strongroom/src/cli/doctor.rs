//! `strongroom doctor`.

use axum::body::Body;
use axum::http::Method;
use clap::Args;
use serde::Serialize;
use serde_json::Value as Json;

use super::answers::{list, part, text};
use super::ledger::progress;
use super::{Context, Exit};
use crate::account::SuiteCount;
use crate::desk::operator::Status;
use crate::ground::{Problem, jobs};

/// What `doctor` takes.
#[derive(Debug, Args)]
#[command(after_help = "Exit code 4 when something is wrong.")]
pub(super) struct DoctorArgs {
    /// Authenticate every row, and hold every record against its last entry in the ledger
    #[arg(long)]
    deep: bool,
    /// Say that somebody has looked at the clock and that it is right; the doubt ends
    #[arg(long)]
    clock_is_right: bool,
}

#[derive(Debug, Serialize)]
struct Look {
    what: String,
    well: bool,
    said: String,
}

pub(super) async fn run(args: DoctorArgs, context: &Context) -> Result<Exit, Problem> {
    let (client, voice) = (context.reach().await?, context.voice);
    if args.clock_is_right {
        let _: Json =
            client.send(Method::POST, "/operator/clock-is-right", &[], Body::empty()).await?.read()?;
        voice.say("the clock is taken to be right from now on");
    }
    let status: Status = client.get("/operator/status").await?;
    let mut looks = looks_of(&status);
    let mut bar = voice.bar("ledger");
    let verified = client.run("/operator/verify", &[], Body::empty(), progress(&mut bar)).await;
    bar.finish();
    looks.push(match &verified {
        Ok(found) => Look {
            what: "ledger".into(),
            well: part(found, "verified").as_bool().unwrap_or_default(),
            said: format!("{} entries against a signed head", part(part(found, "report"), "entries")),
        },
        Err(problem) => Look { what: "ledger".into(), well: false, said: problem.to_string() },
    });
    if args.deep {
        let mut bar = voice.bar("records");
        let found = client.run("/operator/deep", &[], Body::empty(), progress(&mut bar)).await;
        bar.finish();
        let found = found?;
        let findings: Vec<&Json> = list(&found, "findings").collect();
        looks.push(Look {
            what: "rows".into(),
            well: findings.is_empty(),
            said: format!(
                "{} subjects, {} records, {} entries looked at",
                part(&found, "subjects"),
                part(&found, "records"),
                part(&found, "entries")
            ),
        });
        // Where rows cannot be read at all, what is found above says so.
        if let Ok(count) = super::keys::count(&client, context).await {
            looks.push(look_at_suites(&count, &status));
        }
        for finding in findings {
            let about = [text(finding, "id"), text(finding, "entry")].concat();
            looks.push(Look {
                what: text(finding, "code"),
                well: false,
                said: format!("{} {about}", text(finding, "what")),
            });
        }
    }
    client.close().await;
    let well = looks.iter().all(|look| look.well);
    if voice.json {
        voice.print_json(&looks);
    } else {
        for look in &looks {
            voice.print(format!(
                "{}  {:<14} {}",
                if look.well { "ok  " } else { "LOOK" },
                look.what,
                look.said
            ));
        }
    }
    Ok(if well { Exit::Done } else { Exit::Found })
}

/// What is sealed with another suite than the shop's is on its way, or it was stepped over.
fn look_at_suites(count: &SuiteCount, status: &Status) -> Look {
    let moving = status.jobs.iter().any(|(kind, _)| kind == jobs::LAY_OUT);
    let said = match (count.behind(), moving) {
        (0, _) => format!("all is sealed with {}", count.suite),
        (behind, true) => {
            format!(
                "{behind} records and files are still to be sealed with {}: it is being done",
                count.suite
            )
        }
        (behind, false) => format!(
            "{behind} records and files are not sealed with {}, and nothing is being done: `keys rotate --suite {}`",
            count.suite, count.suite
        ),
    };
    Look { what: "suite".into(), well: count.behind() == 0 || moving, said }
}

fn looks_of(status: &Status) -> Vec<Look> {
    let look = |what: &str, well: bool, said: String| Look { what: what.to_owned(), well, said };
    let stuck = status.jobs.iter().filter(|(_, attempts)| *attempts > 3).count();
    let mut looks = vec![
        look("schema", true, format!("{}", status.schema)),
        look(
            "clock",
            !status.clock_in_doubt,
            if status.clock_in_doubt {
                String::from("in doubt: nothing is destroyed; look at it, then say `doctor --clock-is-right`")
            } else {
                String::from("believed")
            },
        ),
        look("epoch", !status.epoch_due, format!("{} since {}", status.epoch, status.epoch_since)),
        look(
            "dead keys",
            !status.key_in_wal,
            if status.key_in_wal {
                String::from("the WAL still holds a key that died; a long read keeps it")
            } else {
                String::from("none in the WAL")
            },
        ),
        look(
            "credentials",
            status.credentials_frozen == 0,
            if status.credentials_frozen == 0 {
                String::from("none is frozen")
            } else {
                format!(
                    "{} frozen: `credentials list` shows which, `account blast-radius` whom they reached",
                    status.credentials_frozen
                )
            },
        ),
        look(
            "witnesses",
            true,
            if status.witnesses.is_empty() {
                String::from("none: an old copy of everything would not be noticed (docs/guide/ledger.md)")
            } else {
                format!("{} are told of the ledger's heads", status.witnesses.len())
            },
        ),
        look("jobs", stuck == 0, format!("{} wait, {stuck} fail again and again", status.jobs.len())),
    ];
    for witness in &status.witnesses {
        let age = witness
            .age_seconds
            .map_or_else(|| String::from("never heard"), |age| format!("has the heads of {age} s ago"));
        let why = witness.contradicts.as_ref().or(witness.fault.as_ref());
        let why = why.map(|code| format!(" ({code})")).unwrap_or_default();
        let what = if witness.contradicts.is_some() { "CONTRADICTS this house; it " } else { "" };
        looks.push(look(
            "witness",
            !witness.is_unheard && witness.contradicts.is_none(),
            format!("{}: {what}{age}{why}", witness.name),
        ));
    }
    for shop in &status.shops {
        let [present, restricted, erased] = shop.subjects;
        looks.push(look(
            "shop",
            true,
            format!("{}: policy {}, {present} subjects, {restricted} restricted, {erased} erased behind their law, {} records, {} erasures", shop.name, shop.policy, shop.records, shop.erasures),
        ));
    }
    looks
}
