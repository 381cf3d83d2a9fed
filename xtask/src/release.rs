//! `cargo xtask release-check`: what a release must pass beside the tests, as far as the tools for it are here.

use anyhow::{Result, bail};

use crate::shell::{answers, cargo, print, run as run_program, say};

/// What is checked, by which of cargo's own commands, and how that is called.
const CHECKS: &[(&str, &str, &[&str])] = &[
    ("licences, advisories, bans and sources", "deny", &["deny", "--workspace", "check"]),
    ("dependencies that nobody uses", "machete", &["machete", "--skip-target-dir"]),
];

/// Runs every check whose tool is here, and says which were skipped.
pub(crate) fn run() -> Result<()> {
    let (mut well, mut failed, mut skipped) = (0_usize, Vec::new(), 0_usize);
    for (what, tool, arguments) in CHECKS {
        say(format!("\n── {what} ──"));
        if !answers("cargo", &[tool, "--version"]) {
            print(format!("SKIPPED: {what}: cargo-{tool} is not here (cargo install cargo-{tool})"));
            skipped = skipped.saturating_add(1);
            continue;
        }
        match run_program(&mut cargo(arguments)) {
            Ok(()) => well = well.saturating_add(1),
            Err(_) => failed.push(*what),
        }
    }
    print(format!("{well} checks passed, {} failed, {skipped} skipped", failed.len()));
    if !failed.is_empty() {
        bail!("failed: {}", failed.join("; "));
    }
    Ok(())
}
