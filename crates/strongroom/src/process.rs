//! What a process that holds keys must not do by default: dump its memory, or print what a panic has in its hands.

use std::io::Write;

use tracing_subscriber::filter::LevelFilter;

use crate::ground::Problem;

/// No core dumps, no reading of our memory by others of the same user, and panics that say where and nothing more.
pub fn harden() {
    // Whatever this process makes is its owner's alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    // A kernel that refuses leaves the process as it was; TRUST.md says what that means.
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    std::panic::set_hook(Box::new(|panic| {
        // A panic's message can quote a value; its place cannot.
        let place =
            panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let _ = writeln!(
            std::io::stderr().lock(),
            "{{\"level\":\"ERROR\",\"message\":\"a unit of work panicked{place}\"}}"
        );
    }));
}

/// Files that a process may have open at the least: a house with its doors has about twenty before anybody calls.
const HANDLES_LEAST: u64 = 64;

/// May this process have as many files open as it needs? Fails: `SR-OPEN-006`.
///
/// ORDER: before anything is opened. What runs out in the middle of opening is told by whatever happened to come last.
pub fn has_enough_handles() -> Result<(), Problem> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    if limit >= HANDLES_LEAST {
        return Ok(());
    }
    let title = format!("this process may have {limit} files open, and needs at least {HANDLES_LEAST}");
    Err(Problem::new("SR-OPEN-006", 500, title)
        .help("raise the limit: `ulimit -n`, or `LimitNOFILE` of the service"))
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// What happens, and what is wrong.
    All,
    /// Only what is wrong: for a command that a person reads along with.
    Wrong,
}

/// Structured logs, one JSON object per line, on stderr. Only [`crate::note!`] writes them, and only what is safe.
pub fn log_to_stderr(logged: Logged) {
    let level = if logged == Logged::All { LevelFilter::INFO } else { LevelFilter::WARN };
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .finish();
    // A second call (a test that runs two houses) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
