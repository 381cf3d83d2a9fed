//! `strongroom serve`.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Context, Exit, blocking};
use crate::caretaker::Caretaker;
use crate::config::Config;
use crate::desk::{Desk, Listening, serve, serve_shut};
use crate::ground::Problem;
use crate::ground::clock::{Clock, MachineClock};
use crate::ground::key_holder::KeyHolder;
use crate::ground::key_holder::watch::{self, Watch, shut};
use crate::ground::keys_folder::must_unlock;
use crate::open::{self, Places};

/// What `serve` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Stops on SIGINT or SIGTERM: what is being answered is answered, what was accepted is done. When a holder outside has not
given the key of the keyring for `keys.grace_seconds`, forgets all keys, answers 503, and opens again when the key is given."
)]
pub(super) struct ServeArgs {
    /// Where the API listens, instead of what the configuration says
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where metrics and documentation listen; loopback only
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// How this process ended before it replaced itself
    #[arg(long, hide = true)]
    after: Option<Before>,
}

/// What a house that shut hands over to the process that waits in its place: nothing that it knew, but why, and where it listened.
#[derive(Debug, Clone, Copy)]
struct Before {
    fault: Option<&'static str>,
    listen: SocketAddr,
    admin: SocketAddr,
}

/// The flag that hands it over.
const AFTER: &str = "--after=";

impl FromStr for Before {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Before, &'static str> {
        let mut parts = text.split(',');
        let (fault, listen, admin) = (parts.next(), parts.next(), parts.next());
        let address =
            |text: Option<&str>| text.and_then(|text| text.parse().ok()).ok_or("this is no address");
        // Once in the life of a process, and one of ours: it stands in every refusal.
        let fault = fault.filter(|code| code.starts_with("SR-")).map(|code| &*code.to_owned().leak());
        Ok(Before { fault, listen: address(listen)?, admin: address(admin)? })
    }
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
    let mut signals =
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? };
    if let Some(before) = args.after {
        // Ports that the system chose stay the same when the house shuts and opens again.
        (config.server.listen, config.server.admin) = (before.listen, before.admin);
    }
    let desk = match args.after {
        None => open_desk(&places, &config).await?,
        Some(before) => match wait_shut(before.fault, &places, &config, &context.data, &mut signals).await? {
            Some(desk) => desk,
            None => return Ok(Exit::Done),
        },
    };
    let server = serve(&desk, &config, &context.data).await?;
    let Listening { api, admin, tls } = server.listening;
    let scheme = if tls { "https" } else { "http" };
    context.voice.say(format!("serving {scheme}://{api} · metrics and documentation http://{admin}/docs"));
    let attending = Arc::clone(&desk.house.keys.attending);
    let watch =
        Watch::start(Arc::clone(&attending), Arc::clone(&desk.house.clock), config.keys.grace_seconds)?;
    drop(desk);
    let ended = tokio::select! {
        () = signals.any() => Ended::ByHand,
        () = watch.over() => Ended::ForNobodyHasTheKey,
    };
    if ended == Ended::ByHand {
        context.voice.say("stopping");
        server.close().await;
        return Ok(Exit::Done);
    }
    let fault = attending.fault();
    crate::note!(
        ERROR,
        "the grace is over: the house is shut, and forgets its keys",
        code = fault.unwrap_or("none")
    );
    server.close().await;
    // Whoever told it to stop while it closed is heard.
    if tokio::time::timeout(Duration::ZERO, signals.any()).await.is_ok() {
        return Ok(Exit::Done);
    }
    Err(replace_itself(Before { fault, listen: api, admin }))
}

/// Replaces this process by a new one of the same program, which waits for the holder: whatever was in memory, on stacks, in buffers of
/// libraries, is gone. Gives why that could not be done; then the process ends, and it is gone as well.
fn replace_itself(before: Before) -> Problem {
    let mut words = std::env::args_os();
    // The kernel's own name of the program that runs, also when its file was replaced meanwhile.
    let mut again = Command::new("/proc/self/exe");
    if let Some(name) = words.next() {
        again.arg0(name);
    }
    again.args(words.filter(|word| !word.as_encoded_bytes().starts_with(AFTER.as_bytes())));
    again.arg(format!("{AFTER}{},{},{}", before.fault.unwrap_or("-"), before.listen, before.admin));
    let _ = again.exec();
    shut(before.fault)
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    ByHand,
    ForNobodyHasTheKey,
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn open_desk(places: &Places, config: &Config) -> Result<Arc<Desk>, Problem> {
    let (places, config) = (places.clone(), config.clone());
    blocking(move || {
        let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
        let house = open::open(&places, clock)?;
        config.furnish(&house)?;
        let caretaker = Caretaker::start(Arc::clone(&house))?;
        Ok(Desk::new(house, caretaker, &config.limits))
    })
    .await
}

/// Tells whoever comes that the house is shut, and asks the holder until the key is given again. Gives the house, open again; none
/// when the process was told to stop.
async fn wait_shut(
    fault: Option<&'static str>,
    places: &Places,
    config: &Config,
    data: &Path,
    signals: &mut Signals,
) -> Result<Option<Arc<Desk>>, Problem> {
    // One for all the time: a token is not asked with a PIN that it has refused.
    let holder: Arc<dyn KeyHolder> = places.lock.holder()?.into();
    loop {
        let server = serve_shut(fault, config, data).await?;
        crate::note!(WARN, "the house is shut, and waits for the holder", code = fault.unwrap_or("none"));
        loop {
            tokio::select! {
                () = signals.any() => {
                    server.close().await;
                    return Ok(None);
                }
                () = tokio::time::sleep(watch::pause(config.keys.grace_seconds)) => {}
            }
            if gives(places, &holder).await {
                break;
            }
        }
        server.close().await;
        crate::note!(INFO, "the holder gives the key again: the house opens");
        match open_desk(places, config).await {
            Ok(desk) => return Ok(Some(desk)),
            // It was there a moment ago: go on waiting. What else is wrong is for whoever looks after the process.
            Err(_) if !gives(places, &holder).await => {}
            Err(problem) => return Err(problem),
        }
    }
}

/// Does the holder give the key now? What it opens is wiped at once.
async fn gives(places: &Places, holder: &Arc<dyn KeyHolder>) -> bool {
    let (keys, holder) = (places.keys.clone(), Arc::clone(holder));
    blocking(move || Ok(must_unlock(&keys, holder.as_ref())?)).await.is_ok()
}
