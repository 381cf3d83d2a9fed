//! The workshop of this repository: tests, guards, references, benchmarks, releases. `cargo xtask --help` lists them.

mod arrows;
mod dist;
mod docs;
mod judges;
mod need;
mod release;
mod sample;
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
    /// Write docs/reference anew: errors, commands, configuration, columns, OpenAPI
    Docs(docs::DocsArgs),
    /// Fuzz with cargo-fuzz, on a nightly toolchain
    Fuzz(suite::FuzzArgs),
    /// Build for release, and run `strongroom bench` with the arguments behind `--`
    Bench {
        /// What `strongroom bench` is given
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
    /// Build the archive of a release: programs, documents, examples, licences, sums
    Dist(dist::DistArgs),
    /// Keep a small vault written by this release, which the tests of every later one open
    Sample(sample::SampleArgs),
    /// What a release must pass beside the tests: licences, advisories, dependencies that nobody uses
    ReleaseCheck,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test(args) => suite::test(&args),
        Command::Arrows => arrows::run(),
        Command::Tables => tables::run(),
        Command::Datamap => tables::run_datamap(),
        Command::Docs(args) => docs::run(&args),
        Command::Fuzz(args) => suite::fuzz(&args),
        Command::Bench { arguments } => bench(&arguments),
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

fn bench(arguments: &[OsString]) -> anyhow::Result<()> {
    let mut cargo =
        shell::cargo(&["run", "--release", "--package", "strongroom", "--bin", "strongroom", "--", "bench"]);
    shell::run(cargo.args(arguments))
}
