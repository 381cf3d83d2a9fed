//! `strongroom witness`: a witness for other people's logs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use ledger::note::Verifier;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Context, Exit};
use crate::config::TlsConfig;
use crate::desk::serve_router;
use crate::ground::Problem;
use crate::ground::clock::MachineClock;
use crate::witness::{Witness, make_key, read_key};

/// Connections at once.
const CONNECTIONS: usize = 256;

/// What `witness` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Run it where whoever runs the vault cannot change it: on another machine, by somebody else. It speaks C2SP tlog-witness,
keeps the newest head of each log in its folder, and cosigns only what grew out of it. It needs no vault.

  strongroom witness --key w.key --new-key witness.example/w1
  strongroom witness --key w.key --state heads --log 'strongroom/harbour-hill+…' --listen 127.0.0.1:8710"
)]
pub(super) struct WitnessArgs {
    /// The file with its private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Make the key under this name, print its verifier key, and end
    #[arg(long, value_name = "NAME", conflicts_with_all = ["state", "log", "listen"])]
    new_key: Option<String>,
    /// The folder in which it keeps what it has seen
    #[arg(long, value_name = "DIR", required_unless_present = "new_key")]
    state: Option<PathBuf>,
    /// The verifier key of a log that it cosigns; once for each log
    #[arg(long, value_name = "VKEY", value_parser = Verifier::parse, required_unless_present = "new_key")]
    log: Vec<Verifier>,
    /// Where it listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8710")]
    listen: SocketAddr,
    /// The certificate chain of TLS, PEM
    #[arg(long, value_name = "FILE", requires = "private_key")]
    certificate: Option<PathBuf>,
    /// The private key of TLS, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    private_key: Option<PathBuf>,
    /// Listen elsewhere than on loopback without TLS, because something in front of it does TLS
    #[arg(long)]
    behind_tls_proxy: bool,
}

pub(super) async fn run(args: WitnessArgs, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    if let Some(name) = &args.new_key {
        let key = make_key(&args.key, name)?.to_string();
        if voice.json {
            voice.print_json(&json!({ "verifier_key": key }));
        } else {
            voice.print(&key);
            voice.say("Whoever runs the vault writes it into strongroom.toml: `[[witness]] key = …`");
        }
        return Ok(Exit::Done);
    }
    let tls = match (args.certificate, args.private_key) {
        (Some(certificate_file), Some(key_file)) => Some(TlsConfig { certificate_file, key_file }),
        _ => None,
    };
    if tls.is_none() && !args.listen.ip().is_loopback() && !args.behind_tls_proxy {
        return Err(Problem::new("SR-WITNESS-013", 500, "`--listen` is not on loopback, and there is no TLS")
            .help("give `--certificate` and `--private-key`; or, behind a proxy that does TLS, `--behind-tls-proxy`"));
    }
    let folder = args.state.unwrap_or_default();
    let logs = args.log.len();
    let witness = Witness::open(&folder, read_key(&args.key)?, args.log, Arc::new(MachineClock::new()))?;
    let witness = Arc::new(witness);
    voice.say(format!("{} · {logs} logs · listening on {}", witness.key(), args.listen));
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // What it has cosigned is on its disk: it may end at any time.
    tokio::select! {
        served = serve_router(args.listen, witness.router(), tls.as_ref(), CONNECTIONS) => served?,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(Exit::Done)
}
