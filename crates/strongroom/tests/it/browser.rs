//! A real browser, driven over a pipe by its own protocol.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use selftest::link::{Link, Message, Sandbox};
use serde_json::{Value as Json, json};

/// Where a browser is; `None` after saying so.
pub(crate) fn find_browser() -> Option<&'static str> {
    let there = |name: &&str| {
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(there);
    if found.is_none() {
        eprintln!(
            "SKIPPED: no Chromium on this machine, so no page was looked at (apt-get install chromium)"
        );
    }
    found
}

/// A browser, driven over a pipe: one page of the width of a phone.
pub(crate) struct Browser {
    // It ends before its profile is removed.
    link: Link,
    session: Option<String>,
    /// Addresses that the page asked for.
    pub(crate) requests: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn open(name: &str) -> Browser {
        let profile = tempfile::tempdir().unwrap();
        let link =
            Link::start(Some(Path::new(name)), profile.path(), Sandbox::Off, &["--disable-quic"]).unwrap();
        let mut browser = Browser { link, session: None, requests: Vec::new(), _profile: profile };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.ask("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page.enable", "Network.enable", "Runtime.enable"] {
            browser.ask(domain, json!({}));
        }
        browser
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, method: &str, params: Json) -> Json {
        let id = self.link.send(self.session.as_deref(), method, &params).unwrap();
        self.wait(|said| said.id == Some(id)).result
    }

    fn wait(&mut self, is_it: impl Fn(&Message) -> bool) -> Message {
        loop {
            let until = Instant::now() + Duration::from_secs(60);
            let said = self.link.receive(until).unwrap().expect("the browser answers within a minute");
            if said.method == "Network.requestWillBeSent" {
                self.requests.push(said.params["request"]["url"].as_str().unwrap().to_owned());
            }
            if is_it(&said) {
                return said;
            }
        }
    }

    pub(crate) fn go(&mut self, address: &str, width: u32, scheme: &str) {
        let metrics = json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.ask("Emulation.setEmulatedMedia", features);
        self.ask("Page.navigate", json!({ "url": address }));
        self.wait(|said| said.method == "Page.loadEventFired");
    }

    /// Keeps a picture of the whole page: `target/look/NAME.png`.
    pub(crate) fn shoot(&mut self, name: &str) {
        let shot = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.ask("Page.captureScreenshot", shot);
        let bytes = data_encoding::BASE64.decode(shot["data"].as_str().unwrap().as_bytes()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/look");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }

    /// Waits for another page behind what an expression does: a form that is sent, a link that is followed.
    pub(crate) fn follow(&mut self, expression: &str) {
        self.ask("Runtime.evaluate", json!({ "expression": expression }));
        self.wait(|said| said.method == "Page.loadEventFired");
    }

    /// What an expression comes to in the page.
    pub(crate) fn look(&mut self, expression: &str) -> Json {
        let found = self.ask("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(found.get("exceptionDetails").is_none(), "{found}");
        found["result"]["value"].clone()
    }
}

impl Browser {
    /// Waits until an expression is true in the page.
    #[track_caller]
    pub(crate) fn until(&mut self, expression: &str) {
        let mut looks = 0;
        while self.look(expression) != true {
            looks += 1;
            assert!(looks < 600, "not within half a minute: {expression}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// How far the page is wider than its window, and the elements that stand out of it.
pub(crate) const OVERFLOW: &str = "(() => {
  const width = document.documentElement.clientWidth;
  const out = [...document.body.querySelectorAll('*')].filter(e => !e.closest('.skip'))
    .filter(e => e.getBoundingClientRect().right > width + 0.5 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
    .map(e => e.outerHTML.slice(0, 80));
  return { more: document.documentElement.scrollWidth - width, out: out.slice(0, 5) };
})()";
