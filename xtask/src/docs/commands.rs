//! `cli.md`: what every command says about itself.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::shell;

/// The page.
pub(super) fn page(strongroom: &Path, ledger_verify: &Path) -> Result<String> {
    let mut page = String::from(
        "# Commands\n\nWritten by `cargo xtask docs` from what each command says under `--help`.\n\nResults go to stdout, talk to \
         stderr. Exit codes: 0 done · 1 failed · 2 wrong usage · 3 refused · 4 found something wrong.\n",
    );
    describe(strongroom, &[], 2, &mut page)?;
    let help = help_of(ledger_verify, &[])?;
    write!(page, "\n## `ledger-verify`\n\n```text\n{}\n```\n", help.trim_end())?;
    Ok(page)
}

fn describe(program: &Path, path: &[&str], depth: usize, page: &mut String) -> Result<()> {
    let help = help_of(program, path)?;
    let name = [&["strongroom"], path].concat().join(" ");
    let marks = "#".repeat(depth);
    write!(page, "\n{marks} `{name}`\n\n```text\n{}\n```\n", without_everywhere(&help, path).trim_end())?;
    for command in commands_of(&help) {
        let path: Vec<&str> = path.iter().copied().chain([command]).collect();
        describe(program, &path, depth.saturating_add(1).min(4), page)?;
    }
    Ok(())
}

fn help_of(program: &Path, path: &[&str]) -> Result<String> {
    let mut command = shell::program(&program.to_string_lossy(), path);
    // No terminal is asked how wide it is, so the page is the same everywhere.
    command.arg("--help").env_remove("COLUMNS").env("NO_COLOR", "1").stderr(std::process::Stdio::piped());
    let output = command.output().with_context(|| program.display().to_string())?;
    anyhow::ensure!(output.status.success(), "`{} --help` failed", shell::shown(&command));
    let help = String::from_utf8(output.stdout)?;
    Ok(help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
}

/// The commands that a help text lists.
fn commands_of(help: &str) -> Vec<&str> {
    let list =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    list.filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect()
}

/// The options that every command takes are told once, at the top.
fn without_everywhere<'a>(help: &'a str, path: &[&str]) -> std::borrow::Cow<'a, str> {
    let Some((before, rest)) = help.split_once("Everywhere:\n").filter(|_| !path.is_empty()) else {
        return help.into();
    };
    // Paragraphs of the section are indented; what follows it is not.
    let behind = rest.split("\n\n").skip_while(|part| part.starts_with(' ')).collect::<Vec<_>>().join("\n\n");
    let gap = if behind.is_empty() { "" } else { "\n\n" };
    format!("{}\n\nEverywhere: see `strongroom --help`{gap}{behind}", before.trim_end()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "Does things\n\nUsage: x <COMMAND>\n\nCommands:\n  make   Make one\n         of them\n  break  Break one\n  help   Print this\n\nOptions:\n  -h  Help\n\nEverywhere:\n      --data <DIR>\n\n      --json\n          As JSON\n\nExamples:\n  x make";

    #[test]
    fn commands_are_found_and_help_is_not_one() {
        assert_eq!(commands_of(HELP), ["make", "break"]);
    }

    #[test]
    fn what_every_command_takes_is_told_once() {
        assert!(without_everywhere(HELP, &[]).contains("--data"));
        let shorter = without_everywhere(HELP, &["make"]);
        assert!(!shorter.contains("--data") && !shorter.contains("--json"));
        assert!(
            shorter.ends_with("  -h  Help\n\nEverywhere: see `strongroom --help`\n\nExamples:\n  x make")
        );
    }
}
