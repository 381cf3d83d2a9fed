//! `strongroom serve`.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Context, Exit, blocking};
use crate::caretaker::Caretaker;
use crate::config::Config;
use crate::desk::{Desk, serve};
use crate::ground::Problem;
use crate::ground::clock::{Clock, MachineClock};
use crate::open;

/// What `serve` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Stops on SIGINT or SIGTERM: what is being answered is answered, what was accepted is done."
)]
pub(super) struct ServeArgs {
    /// Where the API listens, instead of what the configuration says
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where metrics and documentation listen; loopback only
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
}

impl ServeArgs {
    /// Threads that serve: as configured, or as many as there are processors but one, which the writer has.
    pub(super) fn threads(context: &Context) -> usize {
        let said = Config::read(&context.flags, &context.data).map_or(0, |config| config.server.threads);
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        if said > 0 { said } else { processors.saturating_sub(1).max(1) }
    }
}

pub(super) async fn run(args: ServeArgs, context: &Context) -> Result<Exit, Problem> {
    let mut config = Config::read(&context.flags, &context.data)?;
    config.server.listen = args.listen.unwrap_or(config.server.listen);
    config.server.admin = args.admin.unwrap_or(config.server.admin);
    config.check()?;
    let (data, rows) = (context.data.clone(), config.store.rows()?);
    blocking(move || open::must_have_vault(&data, &rows)).await?;
    let places = config.places(&context.flags, &context.data)?;
    let limits = config.limits.clone();
    let desk = blocking(move || {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
        let house = open::open(&places, clock)?;
        let caretaker = Caretaker::start(Arc::clone(&house))?;
        Ok(Desk::new(house, caretaker, &limits))
    })
    .await?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let server = serve(&desk, &config, &context.data).await?;
    let scheme = if server.listening.tls { "https" } else { "http" };
    context.voice.say(format!(
        "serving {scheme}://{} · metrics and documentation http://{}/docs",
        server.listening.api, server.listening.admin
    ));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    context.voice.say("stopping");
    server.close().await;
    Ok(Exit::Done)
}
