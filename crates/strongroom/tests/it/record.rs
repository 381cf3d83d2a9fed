//! `strongroom record`: what docs/guide/record.md says, as files.

#![cfg(test)]

use std::os::unix::fs::PermissionsExt;

use crate::vault::{Ran, strongroom};

fn run(folder: &std::path::Path, words: &[&str]) -> Ran {
    Ran::of(strongroom().current_dir(folder).args(words).output().unwrap())
}

fn with_policy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../../../../examples/cross-border/shop.toml");
    std::fs::write(folder.path().join("shop.toml"), text).unwrap();
    folder
}

#[test]
fn a_record_is_a_workbook_a_page_or_json_and_says_what_is_left_for_people() {
    let folder = with_policy();
    let whole = ["record", "--policy", "shop.toml", "--law", "cn", "--lang", "zh"];
    for (format, file, begins) in
        [("xlsx", "r.xlsx", "PK"), ("html", "r.html", "<!DOCTYPE html>"), ("json", "r.json", "{")]
    {
        let ran = run(folder.path(), &[&whole[..], &["--format", format, "--out", file]].concat()).ends(0);
        assert!(ran.out.is_empty() && ran.err.contains("for a person to fill in"), "{}", ran.err);
        let written = std::fs::read(folder.path().join(file)).unwrap();
        assert!(written.starts_with(begins.as_bytes()), "{format}");
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let json = run(folder.path(), &[&whole[..], &["--format", "json"]].concat()).ends(0).json();
    assert!(!json["tasks"].as_array().unwrap().is_empty());
    let page = std::fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert!(
        page.contains("lang=\"zh-CN\"") && page.contains("云帆茶具有限公司"),
        "the address of the business is on it"
    );
}

#[test]
fn a_record_that_somebody_may_have_filled_in_is_never_written_over() {
    let folder = with_policy();
    std::fs::write(folder.path().join("r.html"), "by hand").unwrap();
    let words =
        ["record", "--policy", "shop.toml", "--law", "gdpr-30", "--format", "html", "--out", "r.html"];
    run(folder.path(), &words).fails("SR-CLI-009").ends(1);
    assert_eq!(std::fs::read_to_string(folder.path().join("r.html")).unwrap(), "by hand");
}

#[test]
fn a_policy_with_errors_has_no_record() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.toml"), "format = 1\n").unwrap();
    let words = ["record", "--policy", "shop.toml", "--law", "gdpr-30", "--format", "json"];
    let ran = run(folder.path(), &words).ends(4);
    assert!(ran.out.is_empty() && ran.err.contains("SR-POL-"), "{}", ran.err);
}
