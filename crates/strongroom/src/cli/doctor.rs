//! `strongroom doctor`.

use axum::body::Body;
use axum::http::Method;
use clap::Args;
use serde::Serialize;
use serde_json::Value as Json;

use super::answers::{list, part, text};
use super::client::Client;
use super::ledger::progress;
use super::{Context, Exit, blocking};
use crate::account::{self, ServerReport, SuiteCount};
use crate::config::Config;
use crate::desk::operator::Status;
use crate::ground::{Problem, jobs};
use crate::open::{FENCES, Rows};

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
    /// Nothing is wrong, and something could be better.
    advice: bool,
    said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Look {
    fn new(what: impl Into<String>, well: bool, said: impl Into<String>) -> Look {
        Look { what: what.into(), well, advice: false, said: said.into(), help: None }
    }

    /// Part of the vault could not be looked at: this is why.
    fn of(problem: &Problem) -> Look {
        Look {
            help: problem.help.map(str::to_owned),
            ..Look::new(problem.code, false, problem.title.to_string())
        }
    }

    /// What the deep check found.
    fn of_finding(finding: &Json) -> Look {
        let about = [text(finding, "id"), text(finding, "entry")].concat();
        Look::new(text(finding, "code"), false, format!("{} {about}", text(finding, "what")))
    }
}

pub(super) async fn run(args: DoctorArgs, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    let client = match context.reach().await {
        Err(problem) if problem.is_of_the_disk() => return look_without_a_house(problem, context).await,
        reached => reached?,
    };
    if args.clock_is_right {
        let _: Json =
            client.send(Method::POST, "/operator/clock-is-right", &[], Body::empty()).await?.read()?;
        voice.say("the clock is taken to be right from now on");
    }
    // Where the disk gave something else than what was written, the rest is looked at all the same, and what is damaged is named.
    let mut damage = false;
    let (mut looks, status) = match client.get::<Status>("/operator/status").await {
        Ok(status) => (looks_of(&status), Some(status)),
        Err(problem) if problem.is_of_the_disk() => {
            damage = true;
            (vec![Look::of(&problem)], None)
        }
        Err(problem) => return Err(problem),
    };
    if let Some(report) = look_at_server(&client).await? {
        damage |= report.met_damage();
        looks.extend(looks_of_server(&report));
    }
    let mut bar = voice.bar("ledger");
    let verified = client.run("/operator/verify", &[], Body::empty(), progress(&mut bar)).await;
    bar.finish();
    damage |= verified.as_ref().is_err_and(Problem::is_of_the_disk);
    looks.push(match &verified {
        Ok(found) => Look::new(
            "ledger",
            part(found, "verified").as_bool().unwrap_or_default(),
            format!("{} entries against a signed head", part(part(found, "report"), "entries")),
        ),
        Err(problem) => Look::new("ledger", false, problem.to_string()),
    });
    if args.deep {
        let mut bar = voice.bar("records");
        let found = client.run("/operator/deep", &[], Body::empty(), progress(&mut bar)).await;
        bar.finish();
        let found = found?;
        let findings: Vec<&Json> = list(&found, "findings").collect();
        looks.push(Look::new(
            "rows",
            findings.is_empty(),
            format!(
                "{} subjects, {} records, {} entries looked at",
                part(&found, "subjects"),
                part(&found, "records"),
                part(&found, "entries")
            ),
        ));
        // Where rows cannot be read at all, what is found above says so.
        if let (Ok(count), Some(status)) = (super::keys::count(&client, context).await, &status) {
            looks.push(look_at_suites(&count, status));
        }
        looks.extend(findings.into_iter().map(Look::of_finding));
    } else if damage {
        let found = client.run("/operator/pages", &[], Body::empty(), |_| {}).await?;
        looks.extend(found.as_array().into_iter().flatten().map(Look::of_finding));
    }
    client.close().await;
    looks.extend(looks_of_packs(context));
    Ok(show(&looks, context))
}

/// A house that cannot be opened, because of what the disk gave: what of a server's database is damaged can be named all the same.
async fn look_without_a_house(problem: Problem, context: &Context) -> Result<Exit, Problem> {
    let Rows::OnServer(server) = Config::read(&context.flags, &context.data)?.store.rows()? else {
        return Err(problem);
    };
    let (report, found) =
        blocking(move || Ok((account::look_at_server(&server, FENCES)?, account::look_at_pages(&server)?)))
            .await?;
    let mut looks = vec![Look::of(&problem)];
    looks.extend(looks_of_server(&report));
    let found = serde_json::to_value(found).unwrap_or_default();
    looks.extend(found.as_array().into_iter().flatten().map(Look::of_finding));
    Ok(show(&looks, context))
}

/// The packs of law that were installed, if any were.
fn looks_of_packs(context: &Context) -> Vec<Look> {
    let shelf = match super::law::packs(context) {
        Ok(shelf) => shelf,
        Err(problem) => return vec![Look::of(&problem)],
    };
    let mut looks: Vec<Look> = shelf.refused().iter().map(|refused| Look::of(&refused.problem())).collect();
    let sound = shelf.count_installed();
    if sound > 0 {
        looks.push(Look::new("packs", true, format!("{sound} installed, as they were signed")));
    }
    looks
}

fn show(looks: &[Look], context: &Context) -> Exit {
    let voice = context.voice;
    if voice.json {
        voice.print_json(looks);
    } else {
        for look in looks {
            let word = match (look.well, look.advice) {
                (false, _) => "LOOK",
                (true, true) => "note",
                (true, false) => "ok  ",
            };
            voice.print(format!("{word}  {:<14} {}", look.what, look.said));
            if let Some(help) = &look.help {
                voice.print(format!("      help: {help}"));
            }
        }
    }
    if looks.iter().all(|look| look.well) { Exit::Done } else { Exit::Found }
}

/// How the server is set up, when one has the rows. A house of a release before this one does not know the question.
async fn look_at_server(client: &Client) -> Result<Option<ServerReport>, Problem> {
    match client.run("/operator/server", &[], Body::empty(), |_| {}).await {
        Ok(found) => Ok(serde_json::from_value(found).ok()),
        Err(problem) if problem.status == 404 => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn looks_of_server(report: &ServerReport) -> Vec<Look> {
    let amcheck = if report.amcheck {
        "indexes are held against their own order, too"
    } else {
        "without `amcheck` the order within an index is not looked at"
    };
    let well = report.findings.iter().all(|finding| finding.advice);
    let mut looks = vec![Look::new("server", well, format!("PostgreSQL {}; {amcheck}", report.version))];
    looks.extend(report.findings.iter().map(|finding| Look {
        advice: finding.advice,
        help: Some(finding.help.clone()),
        ..Look::new(&finding.code, finding.advice, &finding.what)
    }));
    looks
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
    Look::new("suite", count.behind() == 0 || moving, said)
}

fn looks_of(status: &Status) -> Vec<Look> {
    let look = |what: &str, well: bool, said: String| Look::new(what, well, said);
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
