//! The policy meets the law. `tests/unlawful/NNN-what.toml` shows chiefly `SR-POL-NNN`, and `NNN-what.txt` is what a person
//! sees. After a change that is meant, move the `.new` files over the `.txt` ones.

use policy::{Code, Options, Report, Severity, check, check_lawful};
use rulebook::Pack;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::TODAY;

const CROSS_BORDER: &str = include_str!("../../../../examples/cross-border/shop.toml");
const ZH_SHOP: &str = include_str!("../../../../examples/zh-shop/shop.toml");
const ADVENTURE_WORKS: &str = include_str!("../../../../examples/adventureworks/shop.toml");
const LAWFUL: &str = include_str!("../unlawful/000-lawful.toml");

fn packs() -> Vec<&'static Pack> {
    rulebook::built_in().packs.iter().collect()
}

fn lawful(text: &str) -> Report {
    check_lawful(text, "shop.toml", TODAY, &packs())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/unlawful")
}

fn unlawful() -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let policies = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let named = |path: PathBuf| {
        (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap())
    };
    let mut files: Vec<_> = policies.map(named).collect();
    files.sort();
    files
}

/// The base of the folder, with one thing said otherwise.
fn with(from: &str, to: &str) -> String {
    assert!(LAWFUL.contains(from), "{from}");
    LAWFUL.replacen(from, to, 1)
}

fn codes(report: &Report) -> Vec<Code> {
    report.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn the_examples_have_nothing_to_find_fault_with_under_any_law_that_applies() {
    for text in [crate::SHOP, CROSS_BORDER, ZH_SHOP, ADVENTURE_WORKS] {
        let report = lawful(text);
        assert_eq!(report.render(&Options::default()), "shop.toml: nothing to find fault with\n");
        assert!(report.policy.is_some() && !report.tasks.is_empty());
    }
}

#[test]
fn every_unlawful_policy_looks_as_approved() {
    let mut different = Vec::new();
    for (name, text) in unlawful() {
        let rendered = lawful(&text).render(&Options::default());
        let approved = folder().join(format!("{name}.txt"));
        if std::fs::read_to_string(&approved).ok().as_deref() != Some(rendered.as_str()) {
            std::fs::write(approved.with_extension("txt.new"), rendered).unwrap();
            different.push(name);
        }
    }
    assert!(different.is_empty(), "look at the .txt.new files of {different:?}");
}

#[test]
fn every_unlawful_policy_shows_the_code_it_is_named_after_and_no_other() {
    for (name, text) in unlawful() {
        let found: BTreeSet<String> = codes(&lawful(&text)).iter().map(|code| code.id()).collect();
        let expected = if name.starts_with("000") { vec![] } else { vec![format!("SR-POL-{}", &name[..3])] };
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{name}");
        assert!(check(&text, "shop.toml", TODAY).policy.is_some(), "{name}: what is unlawful is no error");
    }
}
