//! The window as it is built, on a page of a shop in a real browser, against the house: nothing before a choice, one click to refuse, what
//! was allowed runs, and what is withdrawn stops.

use std::net::SocketAddr;

use std::future::IntoFuture;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use ledger::entry::Act;
use strongroom::ground::Role;

use crate::browser::{Browser, OVERFLOW, find_browser};
use crate::support::{Bench, POLICY};

const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'";

/// The example's shop with statistics that begin by consent.
fn policy() -> String {
    format!(
        "{POLICY}\n[purpose.statistics]\nuse = \"analytics.reporting.content_performance\"\nbasis = \"consent\"\n\
         label = {{ zh = \"访问统计\", en = \"Visitor statistics\" }}\n\
         says = {{ zh = \"了解哪些页面有人看\", en = \"To see which pages are read\" }}\n\
         fields = [\"email\"]\nkeep = \"until withdrawn\"\ncookies = [\"_count*\"]\n"
    )
}

/// A shop's page in a language, with a tracker on it that waits for a yes.
fn page(key: &str, language: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>Shop</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"/strongroom.css\">\
         <script src=\"/strongroom.js\" data-key=\"{key}\" defer></script></head>\
         <body><h1>Tea</h1><p>Longjing</p>\
         <script type=\"text/plain\" data-purpose=\"statistics\" data-src=\"/tracker.js\"></script></body></html>"
    )
}

/// The API with a shop's pages beside it, as a shop has them behind one name.
struct Served {
    at: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The house can be closed when nothing serves from it any more.
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn serve(bench: &Bench, key: &str) -> Served {
    let (address, listening) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let shown = |language: &'static str| {
        let page = page(key, language);
        get(move || {
            let page = page.clone();
            async move {
                let headers = [
                    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                    (header::CONTENT_SECURITY_POLICY, STRICT),
                ];
                (headers, page)
            }
        })
    };
    let tracker = get(|| async {
        (
            [(header::CONTENT_TYPE, "text/javascript")],
            "document.cookie = '_count=1; path=/'; window.tracked = true;",
        )
    });
    let router: Router =
        bench.api().route("/zh", shown("zh-CN")).route("/en", shown("en")).route("/tracker.js", tracker);
    let thread = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(listener.local_addr().unwrap()).unwrap();
            tokio::select! {
                served = axum::serve(listener, router).into_future() => served.unwrap(),
                _ = stopped => {}
            }
        });
    });
    Served { at: listening.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
}

#[test]
fn a_visitor_refuses_in_one_click_allows_later_and_withdraws() {
    let Some(name) = find_browser() else { return };
    let bench = Bench::with_policy(&policy());
    let served = serve(&bench, &bench.key(Role::Window, &[]).0);
    let at = served.at;
    let mut seen: Vec<String> = Vec::new();
    for (language, refuse, width) in [
        ("zh", "全部拒绝", 390),
        ("zh", "全部拒绝", 1280),
        ("en", "Reject all", 390),
        ("en", "Reject all", 1280),
    ] {
        let mut browser = Browser::open(name);
        let chose = bench.count(Act::Chose);
        browser.go(&format!("http://localhost:{}/{language}", at.port()), width, "light");
        browser.until("document.querySelector('.sr-banner') !== null");
        assert_eq!(browser.look("document.cookie"), "", "no cookie before a choice");
        assert_eq!(browser.look("document.querySelector('[data-sr=reject]').textContent"), refuse);
        assert_eq!(browser.look(OVERFLOW)["more"], 0, "{language} {width}");
        assert_eq!(bench.count(Act::Chose), chose);

        browser.look("document.querySelector('[data-sr=reject]').click()");
        browser
            .until("document.cookie.includes('sr=1.1..') && document.querySelector('.sr-banner') === null");
        assert!(bench.count(Act::Chose) > chose, "it is in the ledger");
        assert_eq!(browser.look("window.tracked === undefined"), true);
        assert_eq!(browser.look("document.cookie.includes('srv=')"), false, "no script sees who it is");

        browser.go(&format!("http://localhost:{}/{language}", at.port()), width, "dark");
        browser.until("window.strongroom !== undefined && strongroom.state().ready");
        assert_eq!(
            browser.look("document.querySelector('.sr-banner') === null"),
            true,
            "nobody is asked again"
        );

        browser.look("void strongroom.choose({ statistics: true })");
        browser.until("window.tracked === true && document.cookie.includes('_count=1')");
        browser.look("void strongroom.withdraw('statistics')");
        browser.until("!document.cookie.includes('_count') && !strongroom.allows('statistics')");
        seen.append(&mut browser.requests);
    }
    let own = format!("http://localhost:{}/", at.port());
    assert!(seen.iter().all(|address| address.starts_with(&own)), "{seen:?}");
}

#[test]
fn a_self_test_finds_nothing_on_a_page_that_the_house_serves() {
    let Some(name) = find_browser() else { return };
    let bench = Bench::with_policy(&policy());
    let served = serve(&bench, &bench.key(Role::Window, &[]).0);
    let settings = selftest::Settings {
        url: format!("http://localhost:{}/zh", served.at.port()),
        browser: Some(name.into()),
        sandbox: selftest::Sandbox::Off,
        patience: selftest::Patience {
            quiet: std::time::Duration::from_millis(400),
            ..selftest::Patience::default()
        },
        declared: selftest::Declared::default(),
    };
    let visit = selftest::visit(&settings, &mut |_| {}).unwrap();
    let report = selftest::Report::of(&visit, "2026-11-28T12:00:00Z");
    assert_eq!(report.findings, [], "{:#?}", report.findings);
    let clicks = report.clicks;
    assert_eq!((clicks.accept, clicks.refuse, clicks.withdraw), (Some(1), Some(1), Some(2)));
    let counted = |stage: usize| {
        let mut stored = report.stages[stage].stored.iter();
        stored.any(|one| one.seen.kept.name == "_count")
    };
    assert_eq!([0, 1, 2, 3].map(counted), [false, false, true, false]);
    assert_eq!(report.notice.unwrap().version, "1");
}
