//! `strongroom notice export` and `compare`: what docs/guide/notice.md says, as files.

#![cfg(test)]

use std::path::Path;

use serde_json::Value as Json;

use crate::browser::find_browser;
use crate::vault::{POLICY, Ran, Vault, strongroom};

fn run(folder: &Path, words: &[&str]) -> Ran {
    Ran::of(strongroom().current_dir(folder).args(words).output().unwrap())
}

fn with_policy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.toml"), POLICY).unwrap();
    folder
}

const SITE: [&str; 2] = ["--site", "https://shop.example"];

fn export(folder: &Path, more: &[&str]) -> Ran {
    run(folder, &[&["notice", "export", "shop.toml", "--for", "tmall"], more].concat())
}

#[test]
fn an_export_is_html_text_and_a_code_in_each_language_and_says_what_was_not_verified() {
    let folder = with_policy();
    let ran = export(folder.path(), &[&SITE[..], &["--no-pictures", "--json"]].concat()).ends(0);
    assert!(ran.err.contains("not verified"), "{}", ran.err);
    let manifest = ran.json();
    let written: Json =
        serde_json::from_slice(&std::fs::read(folder.path().join("storefront/manifest.json")).unwrap())
            .unwrap();
    assert_eq!(manifest, written);
    assert_eq!((&manifest["marketplace"], &manifest["verified"]), (&"tmall".into(), &false.into()));
    assert_eq!((&manifest["version"], &manifest["frame"]), (&Json::Null, &Json::Null));
    let files = manifest["files"].as_array().unwrap();
    assert_eq!(files.len(), 2 * 9 * 3, "two languages; notice, summary and seven cards; HTML, text and code");
    for file in files {
        let bytes =
            std::fs::read(folder.path().join("storefront").join(file["path"].as_str().unwrap())).unwrap();
        assert_eq!(file["size_bytes"], bytes.len());
    }
}

#[test]
fn one_language_can_be_asked_for_and_only_one_that_the_shop_has() {
    let folder = with_policy();
    let ran = export(folder.path(), &["--no-pictures", "--lang", "en", "--json"]).ends(0);
    assert!(ran.err.contains("there is no code"), "{}", ran.err);
    assert_eq!(ran.json()["languages"], serde_json::json!(["en"]));
    assert!(!folder.path().join("storefront/zh").exists());
    export(folder.path(), &["--no-pictures", "--lang", "fr", "--out", "b"]).fails("SR-EXPORT-001");
    export(folder.path(), &["--width", "751", "--out", "b"]).fails("SR-EXPORT-002");
    assert!(!folder.path().join("b").exists());
}

#[test]
fn two_versions_never_lie_side_by_side() {
    let folder = with_policy();
    export(folder.path(), &["--no-pictures", "--out", "a"]).ends(0);
    export(folder.path(), &["--no-pictures", "--out", "a"]).fails("SR-EXPORT-005");
}

#[test]
fn without_a_browser_html_and_text_are_written_and_the_command_says_what_is_missing() {
    let folder = with_policy();
    let ran = export(folder.path(), &["--browser", "./no-such-browser", "--lang", "zh"]).ends(4);
    assert!(
        ran.err.contains("no pictures were made") && ran.err.contains("apt-get install chromium"),
        "{}",
        ran.err
    );
    assert!(folder.path().join("storefront/manifest.json").exists());
    // One that says its version and nothing else.
    export(folder.path(), &["--browser", "true", "--out", "b"]).fails("SR-EXPORT-003");
    assert!(!folder.path().join("b/manifest.json").exists(), "a folder without a manifest is not whole");
}

#[test]
fn an_export_is_held_against_what_is_in_force() {
    let vault = Vault::new();
    let out = vault.path("front");
    let words =
        ["notice", "export", "--for", "jd", "--no-pictures", "--out", out.to_str().unwrap(), "--json"];
    let manifest = vault.run(&words).ends(0).json();
    assert_eq!(manifest["version"], 1);
    assert!(manifest["in_force"].as_str().is_some_and(|day| day.len() == 10), "{manifest}");
    let compare = ["notice", "compare", out.to_str().unwrap(), "--json"];
    let found = vault.run(&compare).ends(0).json();
    assert_eq!((&found["current"], &found["changed"]), (&true.into(), &serde_json::json!([])));

    std::fs::write(out.join("zh/notice.txt"), "another").unwrap();
    let found = vault.run(&compare).ends(4).json();
    assert_eq!(found["changed"], serde_json::json!(["zh/notice.txt"]));

    std::fs::write(vault.path("shop.toml"), format!("{POLICY}\n# once more\n")).unwrap();
    vault.run(&["policy", "publish", "shop.toml", "--yes"]).ends(0);
    let found = vault.run(&compare).ends(4).json();
    assert_eq!(
        (&found["current"], &found["exported"], &found["in_force"]),
        (&false.into(), &1.into(), &2.into())
    );
    let said = vault.run(&compare[..3]).ends(4);
    assert!(said.out.contains("outdated: the export is of version 1"), "{}", said.out);
}

#[test]
fn a_manifest_leads_nowhere_but_into_its_folder() {
    let folder = with_policy();
    export(folder.path(), &["--no-pictures", "--lang", "en"]).ends(0);
    let path = folder.path().join("storefront/manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("en/notice.html", "../shop.toml", 1)).unwrap();
    let found =
        run(folder.path(), &["notice", "compare", "storefront", "shop.toml", "--json"]).ends(4).json();
    assert_eq!(found["changed"], serde_json::json!(["../shop.toml"]));
    std::fs::write(&path, "{}").unwrap();
    run(folder.path(), &["notice", "compare", "storefront", "shop.toml"]).fails("SR-EXPORT-006");
}

/// Width and height of a PNG.
fn size_of(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn pictures_are_exactly_as_wide_as_asked_and_never_higher() {
    let Some(browser) = find_browser() else { return };
    let folder = with_policy();
    let sizes = ["--width", "790", "--height", "1400", "--lang", "en", "--browser", browser];
    let manifest = export(folder.path(), &[&SITE[..], &sizes, &["--json"]].concat()).ends(0).json();
    assert_eq!(manifest["frame"], serde_json::json!([790, 1400]));
    let pictures: Vec<&Json> =
        manifest["files"].as_array().unwrap().iter().filter(|file| file["form"] == "picture").collect();
    assert!(pictures.len() > 20, "{}", pictures.len());
    for picture in pictures {
        let path = folder.path().join("storefront").join(picture["path"].as_str().unwrap());
        let (width, height) = size_of(&std::fs::read(path).unwrap());
        assert!(width == 790 && (100..=1400).contains(&height), "{width} × {height}: {picture}");
    }
}

#[test]
fn a_machine_without_a_chinese_font_makes_no_boxes() {
    let Some(browser) = find_browser() else { return };
    let latin = Path::new("/usr/share/fonts/truetype/dejavu");
    if !latin.is_dir() {
        eprintln!(
            "SKIPPED: the fonts that this test leaves alone are not here (apt-get install fonts-dejavu-core)"
        );
        return;
    }
    let folder = with_policy();
    let only_latin = format!("<fontconfig><dir>{}</dir></fontconfig>", latin.display());
    std::fs::write(folder.path().join("fonts.conf"), only_latin).unwrap();
    let words = ["notice", "export", "shop.toml", "--for", "jd", "--lang", "zh", "--browser", browser];
    let mut command = strongroom();
    let command = command.current_dir(folder.path()).env("FONTCONFIG_FILE", folder.path().join("fonts.conf"));
    Ran::of(command.args(words).output().unwrap()).fails("SR-EXPORT-004");
}
