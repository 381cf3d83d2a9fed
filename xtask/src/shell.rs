//! Where the repository is, how other programs are run, and where words go.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A line of talk, on stderr.
pub(crate) fn say(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
}

/// A line of a result, on stdout.
pub(crate) fn print(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", line.as_ref());
}

/// cargo, at the root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    program("cargo", arguments)
}

/// A program, at the root, without the variables by which cargo tells a program what package it is.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(variable);
    }
    command
}

/// A program as it would be typed.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Runs a program. Fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let words = shown(command);
    let status = command.status().with_context(|| format!("`{words}` cannot be run"))?;
    if !status.success() {
        bail!("`{words}` failed");
    }
    Ok(())
}

/// What a program writes on stdout. Fails when it does.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let words = shown(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("`{words}` cannot be run"))?;
    if !output.status.success() {
        bail!("`{words}` failed");
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{words}` did not write UTF-8"))
}

/// Is this program there, and does it answer?
pub(crate) fn answers(name: &str, arguments: &[&str]) -> bool {
    let mut command = program(name, arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What a build made: the name of a target and its file.
pub(crate) fn build(arguments: &[&str], variables: &[(&str, String)]) -> Result<Vec<(String, PathBuf)>> {
    let mut cargo = cargo(&["build", "--message-format=json-render-diagnostics"]);
    let messages = output(cargo.args(arguments).envs(variables.iter().map(|(name, value)| (name, value))))?;
    let mut made = Vec::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        if let (Some(file), Some(name)) =
            (at(&message, "/executable").as_str(), at(&message, "/target/name").as_str())
        {
            made.push((name.to_owned(), PathBuf::from(file)));
        }
    }
    Ok(made)
}

/// What stands at a JSON pointer; null when nothing does.
pub(crate) fn at<'a>(value: &'a serde_json::Value, pointer: &str) -> &'a serde_json::Value {
    const NOTHING: &serde_json::Value = &serde_json::Value::Null;
    value.pointer(pointer).unwrap_or(NOTHING)
}

/// The file of one target of a build.
pub(crate) fn made<'a>(made: &'a [(String, PathBuf)], name: &str) -> Result<&'a Path> {
    let found = made.iter().find(|(target, _)| target == name);
    found.map(|(_, file)| file.as_path()).with_context(|| format!("the build made no `{name}`"))
}

/// One thing that a guard found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Breach {
    /// File, from the root.
    pub(crate) file: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Says what a guard found. Fails when it found something.
pub(crate) fn verdict(guard: &str, breaches: &[Breach], well: &str) -> Result<()> {
    for breach in breaches {
        print(breach.to_string());
    }
    match breaches.len() {
        0 => {
            print(format!("{guard}: {well}"));
            Ok(())
        }
        1 => bail!("{guard}: 1 breach"),
        count => bail!("{guard}: {count} breaches"),
    }
}
