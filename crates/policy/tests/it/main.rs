//! What the crate promises, seen from outside.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::disallowed_macros,
    reason = "tests stop at the first thing that is not as they say, and the measurement prints"
)]

mod check;
mod consent;
mod corpus;
mod diff;
mod dpv;
mod example;
mod export;
mod gate;
mod interview;
mod lawful;
mod learn;
mod notice;
mod record;
mod registry;
mod retention;
mod sketch;
mod spec;
mod speed;
mod window;

use policy::{Compiled, Policy, Registry};
use std::path::{Path, PathBuf};

/// The day on which the checks are run.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 22);

const SHOP: &str = include_str!("../../../../examples/harbour-hill/shop.toml");

/// Compares each text with the file that somebody approved, and puts a `.new` one beside it where they differ.
fn look_as_approved(folder: &Path, made: impl Iterator<Item = (String, String)>) {
    let mut different = Vec::new();
    for (name, text) in made {
        let approved = folder.join(&name);
        if std::fs::read_to_string(&approved).ok().as_deref() != Some(text.as_str()) {
            std::fs::write(folder.join(format!("{name}.new")), text).unwrap();
            different.push(name);
        }
    }
    assert!(different.is_empty(), "look at the .new files of {different:?}");
}

/// The policies of a folder of tests, by name.
fn policies_of(folder: &Path) -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let policies = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let named = |path: PathBuf| {
        (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap())
    };
    let mut files: Vec<_> = policies.map(named).collect();
    files.sort();
    files
}

/// The policy in a text that has no errors.
fn policy_of(text: &str) -> Policy {
    let report = policy::check(text, "shop.toml", TODAY);
    let rendered = report.render(&policy::Options::default());
    report.policy.unwrap_or_else(|| panic!("{rendered}"))
}

/// The same, ready for use, with a registry of its own.
fn compiled_of(text: &str) -> Compiled {
    let policy = policy_of(text);
    policy::compile(&policy, &Registry::default().extended_by(&policy).unwrap()).unwrap()
}
