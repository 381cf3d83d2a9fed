//! The self-test against pages whose honesty is known: a server on loopback serves shops and fake trackers under several names, and a real
//! Chromium visits them. Every planted cheat has to be found under its code, and every honest page has to pass.

#![cfg(test)]
#![expect(clippy::disallowed_macros, reason = "what a test skips is said aloud")]

mod banners;
mod by_hand;
mod shop;
mod window;

use std::time::Duration;

use selftest::{Declared, Error, Patience, Report, Sandbox, Settings, Stage, Visit, visit};

use crate::shop::Shop;

/// Visits a page of a shop. `None` after saying aloud that no browser is here.
fn visited(shop: &Shop, declared: Declared) -> Option<(Visit, Report)> {
    let settings = Settings {
        url: format!("{}/?utm_id=ann%40mail.example#top", shop.url()),
        browser: None,
        // The tests run as root, in a container too.
        sandbox: Sandbox::Off,
        patience: Patience {
            quiet: Duration::from_millis(300),
            limit: Duration::from_secs(15),
            banner: Duration::from_secs(2),
        },
        declared,
    };
    let mut begun = Vec::new();
    match visit(&settings, &mut |stage| begun.push(stage)) {
        Err(Error::BrowserAbsent) => {
            eprintln!("SKIPPED: no Chromium is here (Debian: apt-get install chromium)");
            None
        }
        other => {
            let visit = other.unwrap();
            let looked: Vec<Stage> = visit.screenshots.iter().map(|(stage, _)| *stage).collect();
            assert!(begun.starts_with(&looked), "{begun:?} {looked:?}");
            assert!(visit.screenshots.iter().all(|(_, png)| png.starts_with(b"\x89PNG")));
            let report = Report::of(&visit, "2026-11-28T12:00:00Z");
            let text = serde_json::to_string(&report).unwrap();
            assert!(!text.contains("ann%40mail") && !text.contains(shop::SECRET), "a value is in the report");
            assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
            Some((visit, report))
        }
    }
}

/// The codes that were found, each with what was seen.
fn found(report: &Report) -> Vec<(&str, String)> {
    let one = |finding: &selftest::judge::Finding| {
        let address = finding.what.rsplit_once("://").map_or(finding.what.as_str(), |(_, rest)| rest);
        let (host, path) = address.split_once('/').map_or((address, None), |(host, path)| (host, Some(path)));
        let host = host.split(':').next().unwrap_or_default();
        path.map_or_else(|| host.to_owned(), |path| format!("{host}/{path}"))
    };
    report.findings.iter().map(|finding| (finding.fault.code(), one(finding))).collect()
}

/// The page passes at all four stages.
#[track_caller]
fn passes(report: &Report) {
    assert_eq!(found(report), [], "{:#?}", report.findings);
    assert_eq!(report.stages.len(), 4);
}

/// This is found, and under no other code.
#[track_caller]
fn has_only(report: &Report, code: &str, what: &str) {
    let found = found(report);
    assert!(found.iter().all(|(found, _)| *found == code), "{found:#?}");
    assert!(found.iter().any(|(_, seen)| seen == what), "{found:#?}");
}
