//! Tools that strangers wrote and Debian does not package, for the tests `strongroom::it judges` and `selftest::banners`: installed once, in the
//! releases that `crates/strongroom/tests/judges` pins, and kept in `target/judges` between runs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::need::Install;
use crate::shell::{answers, program, root, run, say};

/// A set of tools from one registry.
struct Judges {
    /// Who is skipped without them.
    users: &'static str,
    /// The folder in which their releases are pinned, and the files that pin them.
    folder: &'static str,
    pins: &'static [&'static str],
    /// Brings them, from the pins, which lie in the folder where they are kept.
    bring: fn(&str) -> Result<()>,
}

const JUDGES: &[Judges] = &[
    Judges {
        users: "schemathesis, the walk of a generated Python client, a stranger who reads cosignatures, and those who judge receipts (strongroom::it)",
        folder: "python",
        pins: &["requirements.txt"],
        bring: from_pypi,
    },
    Judges {
        users: "the walk of a generated TypeScript client, and jose, who judges signatures of receipts (strongroom::it)",
        folder: "typescript",
        pins: &["package.json", "package-lock.json"],
        bring: from_npm,
    },
    Judges {
        users: "pages with other people's banners, honest and cheating (selftest::it banners)",
        folder: "banners",
        pins: &["package.json", "package-lock.json"],
        bring: from_npm,
    },
];

/// Sees to it that the judges from PyPI and npm are there. Gives what is skipped because they are not.
pub(crate) fn install(install: Install) -> Vec<String> {
    let bring = |judges: &Judges| match install {
        _ if is_there(judges) => Ok(()),
        Install::Never => bail!("nothing may be installed"),
        Install::IfMissing => brought(judges),
    };
    let outcome = JUDGES.iter().map(|judges| (judges.users, bring(judges)));
    outcome.filter_map(|(users, brought)| Some(format!("{users}: {:#}", brought.err()?))).collect()
}

/// Where a set is kept.
fn kept(folder: &str) -> PathBuf {
    root().join("target/judges").join(folder)
}

fn pin(folder: &str, name: &str) -> PathBuf {
    root().join("crates/strongroom/tests/judges").join(folder).join(name)
}

/// The file that is written when a set is whole, and holds its pins.
const WHOLE: &str = "whole";

fn pins_of(judges: &Judges) -> Result<String> {
    let read = |name: &&str| {
        let path = pin(judges.folder, name);
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    judges.pins.iter().map(read).collect()
}

fn is_there(judges: &Judges) -> bool {
    let whole = fs::read_to_string(kept(judges.folder).join(WHOLE));
    matches!((whole, pins_of(judges)), (Ok(whole), Ok(pins)) if whole == pins)
}

fn brought(judges: &Judges) -> Result<()> {
    let (folder, pins) = (kept(judges.folder), pins_of(judges)?);
    say(format!("installing {} into {}", judges.users, folder.display()));
    // What was pinned before, or came half, goes.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for name in judges.pins {
        fs::copy(pin(judges.folder, name), folder.join(name))?;
    }
    (judges.bring)(&folder.to_string_lossy())?;
    fs::write(folder.join(WHOLE), pins)?;
    Ok(())
}

fn from_pypi(folder: &str) -> Result<()> {
    if !answers("python3", &["-c", "import ensurepip, venv"]) {
        bail!("python3 with venv is not here (Debian: apt-get install python3-venv)");
    }
    run(&mut program("python3", &["-m", "venv", folder]))?;
    let (pip, pins) = (format!("{folder}/bin/pip"), format!("{folder}/requirements.txt"));
    run(&mut program(&pip, &["--quiet", "--disable-pip-version-check", "install", "--requirement", &pins]))
}

fn from_npm(folder: &str) -> Result<()> {
    if !answers("npm", &["--version"]) {
        bail!("npm is not here (Debian: apt-get install nodejs npm)");
    }
    run(&mut program(
        "npm",
        &["--prefix", folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    ))
}
