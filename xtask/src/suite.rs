//! `cargo xtask test`: everything that every change must pass, step by step, with what each step took and what was skipped.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::need::{self, Install};
use crate::shell::{answers, cargo, made, program, root, run, say, shown};
use crate::{alone, arrows, dist, docs, judges, postgres, python, secrets, tables};

/// What `test` takes.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only this step; may be said several times
    #[arg(long, value_enum, value_name = "STEP")]
    only: Vec<Step>,
    /// Install nothing
    #[arg(long)]
    no_install: bool,
    /// Seconds that each of the quick fuzz targets runs
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    fuzz_seconds: u32,
}

/// What `fuzz` takes.
#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// Only this target (policy_parser, import, envelope, ledger_formats, ids, bodies); all of them, if it is left out
    target: Option<String>,
    /// Seconds that each target runs
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// What tests need beside Rust: Debian's packages, a Python, judges from PyPI and npm, and PostgreSQL
    Needs,
    /// cargo fmt --check
    Format,
    /// cargo clippy, warnings are errors
    Clippy,
    /// arrows, tables, datamap, secrets
    Guards,
    /// docs --check
    Generated,
    /// All tests, by nextest if it is there; those of the store and the house with their rows in folders
    Tests,
    /// Those tests of the store and the house again that ask most of the engine, with their rows on PostgreSQL 15
    Postgres,
    /// All of them on PostgreSQL 15; only when it is asked for, as what follows, for each takes a quarter of an hour
    PostgresWhole,
    /// All of them on PostgreSQL 18
    Newest,
    /// All of them on PostgreSQL 18, where two houses on one database take turns to answer
    Servers,
    /// Tests in documentation
    Doctests,
    /// The static program alone in an empty folder, without a network; systemd's checks of the unit
    Alone,
    /// A short run of the fuzz targets that are built quickly
    Fuzz,
    /// The script of the shop's pages: what is committed is what its sources give, and what needs no browser
    Window,
    /// All of its tests, in a real browser; only when it is asked for, for it takes minutes
    WindowWhole,
}

const STEPS: &[Step] = &[
    Step::Needs,
    Step::Format,
    Step::Guards,
    Step::Clippy,
    Step::Generated,
    Step::Doctests,
    Step::Alone,
    Step::Fuzz,
    Step::Window,
    Step::Tests,
    Step::Postgres,
    Step::PostgresWhole,
    Step::Newest,
    Step::Servers,
    Step::WindowWhole,
];

/// Steps that run only when they are asked for by name.
const ASKED_FOR: &[Step] = &[Step::PostgresWhole, Step::Newest, Step::Servers, Step::WindowWhole];

/// Tests of the window that run with every change: those that open no browser.
const OF_THE_WINDOW: &[&str] = &[
    "test/build.test.mjs",
    "test/contract.test.mjs",
    "test/core.test.mjs",
    "test/gpp.test.mjs",
    "test/mini.test.mjs",
    "test/texts.test.mjs",
];

/// Tests of the house that run on a server with every change: what asks most of the engine, and where each kind of row is changed.
const ON_POSTGRES: &str = "package(store) - binary(model) + package(strongroom) & binary(it) & test(/^(api|erasure|neighbours|edited_rows|copies|batches|flipped_pages|weak_servers)::/)";
/// All whose rows can lie on a server.
const ALL_ON_POSTGRES: &str = "package(store) - binary(model) + package(strongroom) & binary(it)";

/// What is built in for lints and tests, and not into a static release: so one build has all of it, and no second one is made.
const FEATURES: &[&str] = &["--features", "strongroom/pkcs11"];

/// How a step ended.
#[derive(Debug, Default)]
struct Ended {
    skipped: Vec<String>,
    passed: u64,
    failed: u64,
}

impl Ended {
    fn skipped(why: impl Into<String>) -> Ended {
        Ended { skipped: vec![why.into()], ..Ended::default() }
    }
}

/// Runs the steps. All of them run, whatever the ones before found.
pub(crate) fn test(args: &TestArgs) -> Result<()> {
    let begin = Instant::now();
    let (mut passed, mut failed, mut silent) = (0_u64, 0_u64, 0_u64);
    let mut lines = Vec::new();
    let mut skipped = Vec::new();
    let mut broken = Vec::new();
    let runs = |step: &&Step| {
        if args.only.is_empty() { !ASKED_FOR.contains(step) } else { args.only.contains(step) }
    };
    for step in STEPS.iter().filter(runs) {
        say(format!("\n── {} ──", name_of(*step)));
        let start = Instant::now();
        let ended = run_step(*step, args);
        let took = seconds(start.elapsed());
        let word = match &ended {
            Err(_) => "FAILED",
            Ok(ended) if ended.failed > 0 => "FAILED",
            Ok(ended) if !ended.skipped.is_empty() => "skipped",
            Ok(_) => "ok",
        };
        if word == "FAILED" {
            broken.push(name_of(*step));
        }
        match ended {
            Ok(ended) => {
                passed = passed.saturating_add(ended.passed);
                failed = failed.saturating_add(ended.failed);
                skipped.extend(ended.skipped);
                lines.push(format!("{word:>8}  {took:>8}  {}", name_of(*step)));
            }
            Err(error) => {
                silent = silent.saturating_add(1);
                say(format!("error: {error:#}"));
                lines.push(format!("{word:>8}  {took:>8}  {}: {error}", name_of(*step)));
            }
        }
    }
    say(format!("\n── summary ── {} in all", seconds(begin.elapsed())));
    for line in lines {
        say(line);
    }
    for why in &skipped {
        say(format!("SKIPPED: {why}"));
    }
    // A step that failed without counting counts as one, so that the closing line never says that nothing failed.
    failed = failed.saturating_add(silent);
    say(format!("{passed} passed, {failed} failed"));
    if !broken.is_empty() {
        bail!("failed: {}", broken.join(", "));
    }
    Ok(())
}

fn name_of(step: Step) -> &'static str {
    match step {
        Step::Needs => "needs",
        Step::Format => "format",
        Step::Clippy => "clippy",
        Step::Guards => "guards",
        Step::Generated => "generated",
        Step::Tests => "tests",
        Step::Postgres => "postgres",
        Step::PostgresWhole => "postgres-whole",
        Step::Newest => "newest",
        Step::Servers => "servers",
        Step::Doctests => "doctests",
        Step::Alone => "alone",
        Step::Fuzz => "fuzz",
        Step::Window => "window",
        Step::WindowWhole => "window-whole",
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn run_step(step: Step, args: &TestArgs) -> Result<Ended> {
    match step {
        Step::Needs => needs(if args.no_install { Install::Never } else { Install::IfMissing }),
        Step::Format if !answers("cargo", &["fmt", "--version"]) => Ok(Ended::skipped(
            "the format of the sources: rustfmt is not here (rustup component add rustfmt)",
        )),
        Step::Format => simple(&mut cargo(&["fmt", "--all", "--", "--check"])),
        Step::Clippy if !answers("cargo", &["clippy", "--version"]) => {
            Ok(Ended::skipped("all lints: clippy is not here (rustup component add clippy)"))
        }
        Step::Clippy => {
            let mut clippy = cargo(&["clippy", "--workspace", "--all-targets"]);
            simple(clippy.args(FEATURES).args(["--", "-D", "warnings"]))
        }
        Step::Guards => {
            let found = [arrows::run(), tables::run(), tables::run_datamap(), secrets::run()];
            let faults: Vec<String> =
                found.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
            if faults.is_empty() { Ok(Ended::default()) } else { bail!("{}", faults.join("; ")) }
        }
        Step::Generated => docs::run(&docs::DocsArgs { check: true }).map(|()| Ended::default()),
        Step::Tests if answers("cargo", &["nextest", "--version"]) => {
            counted(cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]).args(FEATURES))
        }
        Step::Tests => {
            say("cargo-nextest is not here; cargo test runs the same tests");
            counted(
                cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests", "--examples"])
                    .args(FEATURES),
            )
        }
        Step::Postgres => on_postgres("15", "1", ON_POSTGRES),
        Step::PostgresWhole => on_postgres("15", "1", ALL_ON_POSTGRES),
        Step::Newest => on_postgres("18", "1", ALL_ON_POSTGRES),
        Step::Servers => on_postgres("18", "2", ALL_ON_POSTGRES),
        Step::Doctests => counted(cargo(&["test", "--workspace", "--no-fail-fast", "--doc"]).args(FEATURES)),
        Step::Alone => {
            let what = ["--package", "strongroom", "--bin", "strongroom"];
            let built = dist::build_static("alone", &dist::host()?, &what)?;
            let skipped = alone::check(made(&built, "strongroom")?)?;
            Ok(Ended { skipped, ..Ended::default() })
        }
        Step::Window => of_the_window(
            &[&["--test", "--test-reporter=spec", "--test-concurrency=1"][..], OF_THE_WINDOW].concat(),
        ),
        Step::WindowWhole => of_the_window(&["--test", "--test-reporter=spec", "--test-concurrency=1"]),
        Step::Fuzz => match fuzz_is_missing() {
            Some(why) => {
                Ok(Ended::skipped(format!("fuzzing: {why}; the corpora are replayed among the tests")))
            }
            None => QUICK_TARGETS
                .iter()
                .try_for_each(|target| run_fuzz(Some(target), args.fuzz_seconds))
                .map(|()| Ended::default()),
        },
    }
}

/// Runs tests of the window by node, which counts them itself.
fn of_the_window(args: &[&str]) -> Result<Ended> {
    let folder = root().join("window");
    if !answers("node", &["--version"]) || !answers("npm", &["--version"]) {
        return Ok(Ended::skipped(
            "the tests of the window: node or npm is not here (Debian: apt-get install nodejs npm)",
        ));
    }
    if !folder.join("node_modules/.package-lock.json").exists() {
        let bring = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        if let Err(error) = run(Command::new("npm").args(bring).current_dir(&folder)) {
            return Ok(Ended::skipped(format!("the tests of the window: {error:#}")));
        }
    }
    run(Command::new("npm").args(["run", "--silent", "check"]).current_dir(&folder))?;
    counted(Command::new("node").args(args).current_dir(&folder))
}

fn needs(install: Install) -> Result<Ended> {
    if !["cc", "gcc", "clang"].iter().any(|compiler| answers(compiler, &["--version"])) {
        bail!(
            "a C compiler is needed, and there is neither cc nor gcc nor clang (Debian: apt-get install gcc libc6-dev)"
        );
    }
    let mut skipped = need::install(install);
    skipped.extend(python::install(install));
    skipped.extend(python::openbao_for_tests(install));
    skipped.extend(judges::install(install));
    skipped.extend(postgres::install(install));
    Ok(Ended { skipped, ..Ended::default() })
}

/// The tests whose rows can lie on a server, once more. What is so in a folder only says so and is over.
fn on_postgres(version: &str, servers: &str, which: &str) -> Result<Ended> {
    if !postgres::is_here(version) {
        return Ok(Ended::skipped(format!(
            "the tests of the store and the house on PostgreSQL {version}: it is not here (cargo xtask test --only needs)"
        )));
    }
    if !answers("cargo", &["nextest", "--version"]) {
        return Ok(Ended::skipped(format!(
            "the tests of the store and the house on PostgreSQL {version}: cargo-nextest is not here"
        )));
    }
    // The lines of the command are those of the tests in folders, so that nothing is built twice.
    let mut command = cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
    command.args(FEATURES).args(["--filterset", which]);
    counted(command.env("STRONGROOM_TEST_PG", version).env("STRONGROOM_TEST_SERVERS", servers))
}

fn simple(command: &mut Command) -> Result<Ended> {
    run(command).map(|()| Ended::default())
}

/// Runs tests, shows what they write as they write it, and counts.
fn counted(command: &mut Command) -> Result<Ended> {
    let words = shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{words}` cannot be run"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (ended, of_err) = std::thread::scope(|scope| {
        let talk = scope.spawn(|| {
            err.map(|err| passed_on(BufReader::new(err), &mut std::io::stderr())).unwrap_or_default()
        });
        let results =
            out.map(|out| passed_on(BufReader::new(out), &mut std::io::stdout())).unwrap_or_default();
        (results, talk.join().unwrap_or_default())
    });
    let ended = Ended {
        passed: ended.passed.saturating_add(of_err.passed),
        failed: ended.failed.saturating_add(of_err.failed),
        ..Ended::default()
    };
    let status = child.wait().with_context(|| format!("`{words}` cannot be waited for"))?;
    if !status.success() && ended.failed == 0 {
        bail!("`{words}` failed");
    }
    Ok(ended)
}

fn passed_on(mut from: impl BufRead, to: &mut impl Write) -> Ended {
    let mut ended = Ended::default();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let _ = to.write_all(&line);
        let (passed, failed) = count(&String::from_utf8_lossy(&line));
        ended.passed = ended.passed.saturating_add(passed);
        ended.failed = ended.failed.saturating_add(failed);
        line.clear();
    }
    let _ = to.flush();
    ended
}

/// Passed and failed, from the closing line of nextest or of one binary of `cargo test`.
fn count(line: &str) -> (u64, u64) {
    let line = line.trim_start();
    // Node's own tests: `ℹ pass 25`.
    let of_node = |word: &str| {
        let number = line.strip_prefix("ℹ ").and_then(|rest| rest.strip_prefix(word))?;
        number.trim().parse::<u64>().ok()
    };
    if let Some(passed) = of_node("pass ") {
        return (passed, 0);
    }
    if let Some(failed) = of_node("fail ") {
        return (0, failed);
    }
    let rest = if line.starts_with("Summary [") {
        line.split_once(" run: ").map(|(_, rest)| rest)
    } else {
        line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")).map(|(_, rest)| rest)
    };
    let (mut passed, mut failed) = (0_u64, 0_u64);
    for part in rest.unwrap_or_default().split([',', ';', '(', ')']) {
        let mut words = part.split_whitespace();
        let Some(number) = words.next().and_then(|number| number.parse::<u64>().ok()) else { continue };
        match (words.next(), words.next()) {
            (Some("passed"), _) => passed = passed.saturating_add(number),
            (Some("failed"), _) | (Some("exec"), Some("failed")) | (Some("timed"), Some("out")) => {
                failed = failed.saturating_add(number);
            }
            _ => {}
        }
    }
    (passed, failed)
}

/// Runs fuzz targets. Fails when one finds something, or when they cannot be run.
pub(crate) fn fuzz(args: &FuzzArgs) -> Result<()> {
    if let Some(why) = fuzz_is_missing() {
        bail!("{why}");
    }
    run_fuzz(args.target.as_deref(), args.seconds)
}

/// The targets that are built within seconds. The others build the whole house with a sanitizer; every change replays their
/// corpora in a plain test (strongroom::it corpus).
const QUICK_TARGETS: [&str; 2] = ["policy_parser", "rulebook"];

fn fuzz_is_missing() -> Option<&'static str> {
    if answers("cargo", &["fuzz", "--version"]) {
        None
    } else {
        Some("cargo-fuzz is not here (cargo install cargo-fuzz)")
    }
}

fn run_fuzz(target: Option<&str>, seconds: u32) -> Result<()> {
    let root = root();
    let folder = root.join("fuzz/fuzz_targets");
    let names: Vec<String> = crate::source::files(&folder, "rs")?
        .iter()
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    if let Some(wanted) = target.filter(|wanted| !names.iter().any(|name| name == wanted)) {
        bail!("there is no fuzz target `{wanted}`; there are {}", names.join(", "));
    }
    let nightly = answers("cargo", &["+nightly", "--version"]);
    for name in names.iter().filter(|name| target.is_none_or(|wanted| wanted == *name)) {
        // What is found on the way goes to the first folder; the corpus that is kept stays as it is.
        let new = root.join("target/fuzz-corpus").join(name);
        std::fs::create_dir_all(&new)?;
        let (new, kept) = (new.to_string_lossy().into_owned(), format!("fuzz/corpus/{name}"));
        let mut command = program("cargo", &[]);
        if nightly {
            command.arg("+nightly");
        } else {
            // A sanitizer is asked for by flags that a stable compiler takes only when it is told to.
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command.args(["fuzz", "run"]);
        if !QUICK_TARGETS.contains(&name.as_str()) {
            command.args(["--features", "house"]);
        }
        command.args([name.as_str(), &new, &kept, "--"]);
        command.arg(format!("-max_total_time={seconds}"));
        let words = format!("fuzz/{name}.dict");
        if root.join(&words).exists() {
            command.arg(format!("-dict={words}"));
        }
        run(&mut command)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        for (line, counts) in [
            ("     Summary [  12.345s] 412 tests run: 412 passed (3 slow), 2 skipped", (412, 0)),
            (
                "     Summary [  12.345s] 10 tests run: 7 passed (1 slow, 1 flaky), 2 failed, 1 timed out, 0 skipped",
                (7, 3),
            ),
            ("     Summary [   0.100s] 3/10 tests run: 1 passed, 1 failed, 1 exec failed, 4 skipped", (1, 2)),
            (
                "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
                (5, 0),
            ),
            ("test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured", (5, 2)),
            ("9 passed, by the way", (0, 0)),
        ] {
            assert_eq!(count(line), counts, "{line}");
        }
    }

    #[test]
    fn every_step_is_on_the_list_once() {
        for step in Step::value_variants() {
            assert_eq!(STEPS.iter().filter(|listed| *listed == step).count(), 1, "{step:?}");
        }
    }
}
