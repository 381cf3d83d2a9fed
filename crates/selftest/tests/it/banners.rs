//! Pages with banners that others wrote, as their guides have them: an honest one of each passes, one that cheats does not. The
//! libraries come from npm; `cargo xtask test --only needs` brings them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shop::{Answer, Shop, page, script, tracker};
use crate::{found, passes, visited};
use selftest::{Declared, Report};

/// What every such page declares. The shop's own clearing of storage is part of an honest page.
const EXPECT: &str = r#"
[[purpose]]
name = "statistics"
kind = "consent"
cookies = ["_count"]
storage = ["count_id"]
[[purpose.recipient]]
name = "counter"
hosts = ["tracker.localhost", "collector.localhost"]
"#;

/// Takes away what the tracker has left on the shop's page.
const CLEAR: &str = "const clear = () => { localStorage.removeItem('count_id'); document.cookie = '_count=;path=/;max-age=0;domain=shop.localhost'; };";

/// A cheat that waits for no answer, and one that does not clear.
const IMPATIENT: &str = "<script src=\"http://tracker.localhost:PORT/count.js\"></script>";

/// The folder of the libraries. `None` after saying aloud what is skipped.
fn libraries() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/judges/banners");
    if folder.join("whole").exists() {
        return Some(folder);
    }
    eprintln!(
        "SKIPPED: pages with other people's banners: {} is not there (`cargo xtask test --only needs` brings it)",
        folder.display()
    );
    None
}

fn library(kind: &'static str, path: impl AsRef<Path>) -> Answer {
    Answer(kind, String::new(), std::fs::read(path).unwrap())
}

fn visited_with(text: &str, files: &[(&str, Answer)]) -> Option<Report> {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Shop</title></head><body><h1>Shop</h1>{text}</body></html>"
    );
    let shop = Shop::open(&[&[("www.shop.localhost/", page(&text))][..], files, &tracker()[..]].concat());
    visited(&shop, Declared::read(EXPECT).unwrap()).map(|(_, report)| report)
}

#[track_caller]
fn is_caught(report: &Report, codes: &[&str]) {
    let found: Vec<&str> = found(report).into_iter().map(|(code, _)| code).collect();
    for code in codes {
        assert!(found.contains(code), "{code}: {:#?}", report.findings);
    }
}

// ── vanilla-cookieconsent ───────────────────────────────────────────────────────────────────────────────────────────────

fn with_cookieconsent(more: &str, on_change: &str) -> Option<Report> {
    let dist = libraries()?.join("node_modules/vanilla-cookieconsent/dist");
    let text = format!(
        r#"<link rel="stylesheet" href="/cc.css"><script src="/cc.js"></script>
        <script type="text/plain" data-category="statistics" data-src="http://tracker.localhost:PORT/count.js"></script>
        <button type="button" data-cc="show-preferencesModal">Cookie settings</button>{more}<script>{CLEAR}
        CookieConsent.run({{
          categories: {{ necessary: {{ readOnly: true }}, statistics: {{ autoClear: {{ cookies: [{{ name: '_count', domain: 'shop.localhost' }}] }} }} }},
          onChange: () => {{ {on_change} }},
          language: {{ default: 'en', translations: {{ en: {{
            consentModal: {{ title: 'Cookies', description: 'May we count?', acceptAllBtn: 'Accept all', acceptNecessaryBtn: 'Reject all', showPreferencesBtn: 'Choose' }},
            preferencesModal: {{ title: 'Cookies', acceptAllBtn: 'Accept all', acceptNecessaryBtn: 'Reject all', savePreferencesBtn: 'Save',
              sections: [{{ title: 'Statistics', linkedCategory: 'statistics' }}] }} }} }} }} }});</script>"#
    );
    let files = [
        ("www.shop.localhost/cc.js", library("text/javascript", dist.join("cookieconsent.umd.js"))),
        ("www.shop.localhost/cc.css", library("text/css", dist.join("cookieconsent.css"))),
    ];
    visited_with(&text, &files)
}

#[test]
fn an_honest_page_with_vanilla_cookieconsent_passes() {
    let Some(report) = with_cookieconsent("", "if (!CookieConsent.acceptedCategory('statistics')) clear()")
    else {
        return;
    };
    passes(&report);
    assert_eq!(report.banner.as_deref(), Some("vanilla-cookieconsent"));
}

#[test]
fn a_cheating_page_with_vanilla_cookieconsent_is_caught() {
    let Some(report) = with_cookieconsent(IMPATIENT, "") else { return };
    is_caught(
        &report,
        &["SR-SELFTEST-101", "SR-SELFTEST-102", "SR-SELFTEST-104", "SR-SELFTEST-121", "SR-SELFTEST-134"],
    );
}

// ── Klaro ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

const KLARO_SHOWS: &str = "klaro.show(undefined, true)";
const KLARO_WITHDRAWS: &str =
    "klaro.getManager().changeAll(false); klaro.getManager().saveAndApplyConsents()";

fn with_klaro(more: &str, callback: &str, back: &str) -> Option<Report> {
    let dist = libraries()?.join("node_modules/klaro/dist");
    let text = format!(
        r##"<script>{CLEAR}
        window.klaroConfig = {{ version: 1, acceptAll: true, lang: 'en', privacyPolicy: '/privacy',
          translations: {{ en: {{ purposes: {{ statistics: 'Statistics' }} }} }},
          services: [{{ name: 'counter', title: 'Counter', purposes: ['statistics'], cookies: [['_count', '/', 'shop.localhost']],
            callback: (consent) => {{ {callback} }} }}] }};</script>
        <script defer src="/klaro.js"></script>
        <script type="text/plain" data-type="application/javascript" data-name="counter" data-src="http://tracker.localhost:PORT/count.js"></script>
        {more}<footer><a href="#klaro" onclick="{back}; return false">Privacy settings</a></footer>"##
    );
    visited_with(&text, &[("www.shop.localhost/klaro.js", library("text/javascript", dist.join("klaro.js")))])
}

#[test]
fn an_honest_page_with_klaro_passes() {
    let Some(report) = with_klaro("", "if (!consent) clear()", KLARO_WITHDRAWS) else { return };
    passes(&report);
    assert_eq!(report.banner.as_deref(), Some("klaro"));
}

#[test]
fn a_cheating_page_with_klaro_is_caught() {
    // It asks well, counts by a pixel of its style all the same, and leaves what it has kept.
    let pixel = "<style>h1 { background-image: url(http://tracker.localhost:PORT/seen.gif) }</style>";
    let Some(report) = with_klaro(pixel, "", KLARO_WITHDRAWS) else { return };
    is_caught(&report, &["SR-SELFTEST-111", "SR-SELFTEST-134"]);
}

#[test]
fn a_page_with_klaro_as_it_comes_takes_more_than_two_clicks_to_withdraw() {
    let Some(report) = with_klaro("", "if (!consent) clear()", KLARO_SHOWS) else { return };
    assert_eq!(found(&report), [("SR-SELFTEST-156", String::new())]);
}

// ── c15t ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

fn with_c15t(more: &str, revoked: &str) -> Option<Report> {
    let folder = libraries()?;
    let entry = Path::new(env!("CARGO_MANIFEST_DIR")).join("../strongroom/tests/judges/banners/c15t.js");
    let mut bundler = Command::new(folder.join("node_modules/.bin/esbuild"));
    bundler.args(["--bundle", "--minify", "--format=iife", "--define:process.env.NODE_ENV=\"production\""]);
    let made = bundler.arg(entry).env("NODE_PATH", folder.join("node_modules")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let style = library("text/css", folder.join("node_modules/@c15t/react/styles.css"));
    let text = format!(
        r#"<link rel="stylesheet" href="/c15t.css">{more}<script>{CLEAR}
        window.page = {{ scripts: [{{ id: 'counter', src: 'http://tracker.localhost:PORT/count.js', category: 'measurement' }}],
          revoked: () => {{ {revoked} }} }};</script><script defer src="/c15t.js"></script>"#
    );
    let bundle = script(std::str::from_utf8(&made.stdout).unwrap());
    visited_with(&text, &[("www.shop.localhost/c15t.js", bundle), ("www.shop.localhost/c15t.css", style)])
}

#[test]
fn an_honest_page_with_c15t_passes() {
    let Some(report) = with_c15t("", "clear()") else { return };
    passes(&report);
    assert_eq!(report.banner.as_deref(), Some("c15t"));
}

#[test]
fn a_cheating_page_with_c15t_is_caught() {
    let Some(report) = with_c15t(IMPATIENT, "") else { return };
    is_caught(&report, &["SR-SELFTEST-101", "SR-SELFTEST-102", "SR-SELFTEST-104", "SR-SELFTEST-131"]);
}
