//! Pages with our own window: the real script, against a server that keeps docs/spec/window.md.

use serde_json::json;

use crate::shop::{Answer, SECRET, Shop, file, page, script, tracker};
use crate::{found, has_only, passes, visited};
use selftest::{Belongs, Declared, Place, Report, Stage, Verdict};

/// Opens a shop whose page has this in its body, and visits it.
fn visited_with(body: &str, more: &[(&str, Answer)]) -> Option<Report> {
    let init = json!({
        "format": 1, "shop": "Harbour & Hill", "law": "eu", "ask_again_at": null, "until": null,
        "notice": { "version": "3", "digest": "sha256:5b1c", "url": "/privacy", "language": "en",
            "languages": [{ "tag": "en", "name": "English" }] },
        "purposes": [
            { "name": "delivery", "label": "Delivery", "says": "To bring it.", "kind": "necessary", "recipients": [],
              "signals": [], "cookies": ["basket"], "storage": [] },
            { "name": "statistics", "label": "Statistics", "says": "To count.", "kind": "consent", "signals": [],
              "recipients": [{ "name": "counter", "label": "Counter Ltd", "in": "cn", "place": "China" }],
              "cookies": ["_count*"], "storage": ["count_*"] },
            { "name": "advertising", "label": "Advertising", "says": "To show.", "kind": "consent", "signals": [],
              "recipients": [{ "name": "ads", "label": "Ads Ltd", "in": "us", "place": "United States" }],
              "cookies": [], "storage": [] },
        ],
        "gpc": { "heard": false, "honoured": [], "conflict": [] },
        "texts": serde_json::from_slice::<serde_json::Value>(&file("", "window/texts/en.json").2).unwrap(),
        "snapshot": "snapshot", "variant": "arc",
    });
    let text = format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Harbour & Hill</title>
        <script src="/strongroom.js" data-key="srp_harbour" defer></script></head><body><main><h1>Pottery</h1>
        <script type="text/plain" data-purpose="statistics" data-recipient="counter" data-reload
            data-src="http://tracker.localhost:PORT/count.js"></script>
        <img data-purpose="advertising" data-recipient="ads" data-src="http://ads.localhost:PORT/pixel.gif?id=1" alt="">
        {body}</main><footer><a href="/privacy" data-strongroom-open>Privacy settings</a></footer></body></html>"#
    );
    let own = [
        ("init", Answer("", String::new(), init.to_string().into_bytes())),
        ("www.shop.localhost/", page(&text)),
        ("www.shop.localhost/strongroom.js", file("text/javascript", "window/dist/strongroom.js")),
        ("www.shop.localhost/strongroom.css", file("text/css", "window/dist/strongroom.css")),
    ];
    let shop = Shop::open(&[&own[..], &tracker()[..], more].concat());
    visited(&shop, Declared::default()).map(|(_, report)| report)
}

#[test]
fn an_honest_page_with_our_window_passes() {
    let Some(report) = visited_with("<script>document.cookie = 'basket=1;path=/'</script>", &[]) else {
        return;
    };
    passes(&report);
    assert_eq!((report.verdict, report.banner.as_deref()), (Verdict::Obeyed, Some("strongroom")));
    let clicks = report.clicks;
    assert_eq!((clicks.accept, clicks.refuse, clicks.withdraw), (Some(1), Some(1), Some(2)));
    assert_eq!(report.notice.unwrap().digest, "sha256:5b1c");
    // It has seen what it passes: the tracker, whom that called, and what both left, only after the yes.
    let accepted = &report.stages[2];
    let of = |path: &str| {
        let one = accepted.requests.iter().find(|one| one.seen.path == path);
        one.unwrap_or_else(|| panic!("{path}: {accepted:#?}")).belongs.clone()
    };
    let counter = Belongs::Purpose { purpose: "statistics".into(), recipient: Some("counter".into()) };
    assert_eq!((of("/count.js"), of("/collect")), (counter.clone(), counter.clone()));
    assert_eq!(
        of("/pixel.gif"),
        Belongs::Purpose { purpose: "advertising".into(), recipient: Some("ads".into()) }
    );
    let kept = |name: &str, place| {
        let one =
            accepted.stored.iter().find(|one| one.seen.kept.name == name && one.seen.kept.place == place);
        one.map(|one| one.belongs.clone())
    };
    assert_eq!(kept("srv", Place::Cookie), Some(Belongs::Window));
    assert_eq!(kept("uid", Place::Cookie), Some(counter));
    assert!(kept("_count", Place::Cookie).is_some() && kept("count_id", Place::Local).is_some());
    let others = |stage: usize| {
        let all = &report.stages[stage].requests;
        all.iter().filter(|one| one.belongs != Belongs::Shop).count()
    };
    assert_eq!((others(0), others(1), others(3)), (0, 0, 0));
    // What lies under the tracker's own name stays, and is said.
    assert_eq!(report.remarks.len(), 1);
    assert_eq!((report.remarks[0].stage, report.remarks[0].kept.name.as_str()), (Stage::Withdrawn, "uid"));
}

#[test]
fn a_cookie_before_a_choice_is_found() {
    // Again and again: the window clears what may not be there yet.
    let cheat = format!("<script>setInterval(() => document.cookie = '_count={SECRET};path=/', 20)</script>");
    let Some(report) = visited_with(&cheat, &[]) else { return };
    let found = found(&report);
    assert!(found.contains(&("SR-SELFTEST-121", "_count".into())), "{found:?}");
    assert_eq!(report.verdict, Verdict::NotObeyed);
}

#[test]
fn a_tracker_after_a_refusal_is_found() {
    let cheat = "<script>addEventListener('click', (event) => {
        if (event.target.closest('[data-sr=reject]')) fetch('http://ads.localhost:PORT/refused', { mode: 'no-cors' });
    }, true)</script>";
    let Some(report) = visited_with(cheat, &[]) else { return };
    let found = found(&report);
    assert!(found.contains(&("SR-SELFTEST-102", "ads.localhost/refused".into())), "{found:?}");
    // The same button withdraws.
    assert!(found.iter().all(|(code, _)| ["SR-SELFTEST-102", "SR-SELFTEST-104"].contains(code)), "{found:?}");
}

#[test]
fn a_cookie_that_is_left_after_a_withdrawal_is_found_though_no_script_can_see_it() {
    let cookie = format!("set-cookie: _count_id={SECRET}; Path=/; Max-Age=999; HttpOnly\r\n");
    let Answer(kind, _, text) = script("");
    let held = r#"<script type="text/plain" data-purpose="statistics" data-recipient="counter" data-src="/hidden.js"></script>"#;
    let hidden = [("www.shop.localhost/hidden.js", Answer(kind, cookie, text))];
    let Some(report) = visited_with(held, &hidden) else { return };
    has_only(&report, "SR-SELFTEST-124", "_count_id");
    assert!(report.stages[3].stored.iter().any(|one| one.seen.kept.http_only));
}

#[test]
fn a_pixel_through_a_style_sheet_is_found() {
    let cheat = "<link rel=\"stylesheet\" href=\"/shop.css\"><p style=\"background-image: url(http://ads.localhost:PORT/inline.gif)\">x";
    let text = "h1 { background: url(http://ads.localhost:PORT/sheet.gif?who=1) }";
    let sheet = [("www.shop.localhost/shop.css", Answer("text/css", String::new(), text.into()))];
    let Some(report) = visited_with(cheat, &sheet) else { return };
    let found = found(&report);
    for pixel in ["ads.localhost/sheet.gif", "ads.localhost/inline.gif"] {
        assert!(found.contains(&("SR-SELFTEST-111", pixel.into())), "{found:?}");
    }
    assert!(found.iter().all(|(code, _)| *code == "SR-SELFTEST-111"), "{found:?}");
}

#[test]
fn a_storage_key_is_found_in_every_place_where_one_can_be_kept() {
    let cheat = format!(
        "<script>setInterval(() => localStorage.setItem('count_id', '{SECRET}'), 20); sessionStorage.setItem('seen', '{SECRET}');
        indexedDB.open('profile'); caches.open('offline'); navigator.serviceWorker.register('/sw.js');</script>"
    );
    let Some(report) = visited_with(&cheat, &[("www.shop.localhost/sw.js", script(""))]) else { return };
    let before: Vec<_> = report.findings.iter().filter(|finding| finding.stage == Stage::Before).collect();
    let mut found: Vec<_> =
        before.iter().map(|finding| (finding.code.as_str(), finding.what.as_str())).collect();
    found.sort_unstable();
    let expected = [
        ("SR-SELFTEST-131", "count_id"),
        ("SR-SELFTEST-131", "offline"),
        ("SR-SELFTEST-131", "profile"),
        ("SR-SELFTEST-131", "seen"),
        ("SR-SELFTEST-141", "/"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_beacon_and_a_frame_and_whom_nobody_declared_are_found() {
    let cheat = "<iframe src=\"http://frames.localhost:PORT/frame\" title=\"x\"></iframe><script>
        addEventListener('load', () => navigator.sendBeacon('http://beacons.localhost:PORT/left', 'x'));</script>";
    let inner = format!(
        "<script>localStorage.setItem('who', '{SECRET}')</script><img src=\"/in-frame.gif\" alt=\"\">"
    );
    let Some(report) = visited_with(cheat, &[("frames.localhost/frame", page(&inner))]) else { return };
    let found = found(&report);
    for expected in [
        ("SR-SELFTEST-101", "frames.localhost/frame"),
        ("SR-SELFTEST-101", "frames.localhost/in-frame.gif"),
        ("SR-SELFTEST-105", "frames.localhost/frame"),
        ("SR-SELFTEST-112", "beacons.localhost/left"),
        ("SR-SELFTEST-131", "who"),
    ] {
        assert!(found.contains(&(expected.0, expected.1.into())), "{expected:?}: {found:#?}");
    }
}
