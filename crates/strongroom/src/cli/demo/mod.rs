//! `strongroom demo`: a vault in a temporary folder, the real server on loopback, made-up customers, and a walk through it.
//!
//! Nothing in it is played: what is shown comes from answers over HTTP, got with credentials that have the roles they
//! name. An answer that is not what it must be ends the walk-through with exit code 4. The folder goes when it ends,
//! also on Ctrl-C.

mod end;
mod made_up;
mod paper;
mod shop;
mod stage;
mod walk;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::Args;

use super::ending::Ending;
use super::{Context, Exit, blocking};
use crate::caretaker::Caretaker;
use crate::config::{Config, FILE, Flags};
use crate::desk::{Desk, serve};
use crate::ground::Problem;
use crate::ground::clock::{Clock, MachineClock};
use crate::ground::keys_folder::write_new;
use crate::{notice, open};
use paper::{Language, Paper, both};
use stage::{Stage, Stop};

/// The policy of the shop that it is about.
const POLICY: &str = include_str!("../../../../../examples/harbour-hill/shop.toml");

/// What `demo` takes.
#[derive(Debug, Args)]
#[command(after_help = "Everything lives in a temporary folder that is removed at the end, also on Ctrl-C.
Exit code 4 when a step's answer was not what it must be; 1 when it was interrupted before its end.")]
pub(super) struct DemoArgs {
    /// The language of the walk-through
    #[arg(long, value_enum, default_value = "en")]
    lang: Language,
    /// How many customers to make up
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(3..=100_000))]
    customers: u32,
    /// The same seed makes up the same customers
    #[arg(long, value_name = "N", default_value_t = 2026)]
    seed: u64,
    /// End after the walk-through, instead of serving until interrupted
    #[arg(long)]
    once: bool,
    /// Wait so many seconds between the steps
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=600))]
    pace: u32,
}

pub(super) async fn run(args: DemoArgs, context: &Context) -> Result<Exit, Problem> {
    // ORDER: a signal that comes from here on ends in removing the folder, so this precedes making it.
    let mut ending = Ending::listen()?;
    let folder = tempfile::Builder::new().prefix("strongroom-demo-").tempdir()?;
    let outcome = in_folder(&args, context, folder.path(), &mut ending).await;
    folder.close()?;
    outcome
}

async fn in_folder(
    args: &DemoArgs,
    context: &Context,
    folder: &Path,
    ending: &mut Ending,
) -> Result<Exit, Problem> {
    let (data, keys) = (folder.join("vault"), folder.join("keys"));
    let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
    let mut config = Config::default();
    config.keys.folder = Some(keys);
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    (config.server.listen, config.server.admin) = (anywhere, anywhere);
    let places = config.places(&Flags::default(), &data)?;
    let (checked, _) = notice::check(POLICY, "shop.toml", super::check::today()).map_err(|fault| fault.0)?;
    let limits = config.limits.clone();
    let (made, desk) = blocking({
        let clock = Arc::clone(&clock);
        move || {
            let made = open::init(&places, &checked, seal::Suite::Aes256Gcm, Arc::clone(&clock))?;
            let house = open::open(&places, clock)?;
            let caretaker = Caretaker::start(Arc::clone(&house))?;
            Ok((made, Desk::new(house, caretaker, &limits)))
        }
    })
    .await?;
    // Commands that are told of this folder find their way.
    write_new(&data.join(FILE), toml::to_string_pretty(&config).unwrap_or_default().as_bytes())?;
    write_new(&folder.join("shop.toml"), POLICY.as_bytes())?;
    let server = serve(&desk, &config, &data).await?;

    let paper = Paper::new(args.lang, context.voice);
    let mut stage = Stage::new(paper, server.listening, folder, Arc::clone(&desk), made, clock.now());
    let outcome = tokio::select! {
        outcome = walk::walk(args, &mut stage) => outcome,
        () = ending.asked() => Err(Stop::Asked),
    };
    let exit = match outcome {
        Ok(()) if args.once => Ok(Exit::Done),
        Ok(()) => {
            ending.asked().await;
            Ok(Exit::Done)
        }
        Err(stop) => stopped(stop, &stage, context),
    };
    let farewell = both!(
        args.lang,
        "The server has stopped, and its folder is removed.",
        "服务已停止，临时文件夹已删除。"
    );
    drop(stage);
    drop(desk);
    server.close().await;
    context.voice.say(farewell);
    exit
}

/// How a walk-through ends that did not come to its end.
fn stopped(stop: Stop, stage: &Stage, context: &Context) -> Result<Exit, Problem> {
    let step = stage.number();
    match stop {
        Stop::Problem(problem) => Err(problem),
        Stop::Asked => {
            context.voice.say(both!(
                stage.language(),
                "\nStopped at step {step}.",
                "\n已在第 {step} 步停止。"
            ));
            Ok(Exit::Failed)
        }
        Stop::Wrong(what) => {
            let said = both!(
                stage.language(),
                "\nStep {step} is not as it must be. This does not hold: {what}",
                "\n第 {step} 步与预期不符，以下一项不成立：{what}"
            );
            context.voice.say(said);
            Ok(Exit::Found)
        }
    }
}
