//! The reference: pages that are written from the sources, so that they cannot be wrong. `--check` fails when one is not as it
//! would be written now.

mod commands;
mod configuration;
mod datamap;
mod errors;
mod questions;

use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;

use crate::shell::{self, say};

/// What `docs` takes.
#[derive(Debug, Args)]
pub(crate) struct DocsArgs {
    /// Write nothing; fail when a page is not as it would be written now
    #[arg(long)]
    pub(crate) check: bool,
}

/// Where the pages are.
const FOLDER: &str = "docs/reference";

/// Writes or checks the reference.
pub(crate) fn run(args: &DocsArgs) -> Result<()> {
    let root = shell::root();
    // The same build as that of the tests, so that both together build once.
    let made = shell::build(&["--workspace", "--exclude", "xtask", "--bins", "--examples"], &[])?;
    let reference = shell::made(&made, "reference")?;
    let openapi = shell::output(&mut shell::program(&reference.to_string_lossy(), &["openapi"]))?;
    let defaults = shell::output(&mut shell::program(&reference.to_string_lossy(), &["configuration"]))?;
    let pages = [
        ("errors.md", errors::page(&root)?),
        ("cli.md", commands::page(shell::made(&made, "strongroom")?, shell::made(&made, "ledger-verify")?)?),
        ("configuration.md", configuration::page(&root, &defaults)?),
        ("datamap.md", datamap::page(&root)?),
        ("questions.md", questions::page()),
        ("openapi.json", openapi),
    ];
    let folder = root.join(FOLDER);
    if args.check {
        return check(&folder, &pages);
    }
    std::fs::create_dir_all(&folder)?;
    for (name, text) in &pages {
        std::fs::write(folder.join(name), text)?;
        say(format!("written: {FOLDER}/{name}"));
    }
    Ok(())
}

fn check(folder: &Path, pages: &[(&str, String)]) -> Result<()> {
    let mut stale = Vec::new();
    for (name, text) in pages {
        if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            stale.push(*name);
        }
    }
    if !stale.is_empty() {
        bail!(
            "not as the sources say: {} in {FOLDER}; run `cargo xtask docs`, and look at what changed",
            stale.join(", ")
        );
    }
    shell::print(format!("docs: {} pages as the sources say", pages.len()));
    Ok(())
}

/// A text inside a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_edited_by_hand_or_is_missing_is_not_clean() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.md"), "a\n").unwrap();
        assert!(check(folder.path(), &[("a.md", "a\n".into())]).is_ok());
        assert!(check(folder.path(), &[("a.md", "b\n".into())]).is_err());
        assert!(check(folder.path(), &[("b.md", "b\n".into())]).is_err());
    }
}
