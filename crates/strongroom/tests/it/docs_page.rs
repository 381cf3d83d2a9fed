//! The documentation page in a real browser.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::demo::{end, stays_up};

/// Where a browser is; `None` after saying so.
fn find_browser() -> Option<&'static str> {
    let there = |name: &&str| {
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(there);
    if found.is_none() {
        eprintln!(
            "SKIPPED: no Chromium on this machine, so the documentation page was not looked at (apt-get install chromium)"
        );
    }
    found
}

/// A browser, driven over a pipe: one page of the width of a phone.
struct Browser {
    child: Child,
    asks: ChildStdin,
    says: Receiver<Json>,
    session: String,
    number: u64,
    /// Addresses that the page asked for.
    requests: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    fn open(name: &str) -> Browser {
        let profile = tempfile::tempdir().unwrap();
        // The protocol is spoken on file handles 3 and 4, which the shell makes of the pipes to us.
        let script = format!(
            "exec {name} --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
             --disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe \
             --user-data-dir='{}' about:blank 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null",
            profile.path().display()
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (asks, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, says) = channel();
        std::thread::spawn(move || {
            let (mut waiting, mut buffer) = (Vec::new(), [0; 1 << 16]);
            while let Ok(read @ 1..) = out.read(&mut buffer) {
                waiting.extend_from_slice(&buffer[..read]);
                while let Some(end) = waiting.iter().position(|byte| *byte == 0) {
                    let message: Vec<u8> = waiting.drain(..=end).collect();
                    if let Ok(message) = serde_json::from_slice(&message[..end])
                        && tell.send(message).is_err()
                    {
                        return;
                    }
                }
            }
        });
        let mut browser = Browser {
            child,
            asks,
            says,
            session: String::new(),
            number: 0,
            requests: Vec::new(),
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.ask("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        attached["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for domain in ["Page.enable", "Network.enable", "Runtime.enable"] {
            browser.ask(domain, json!({}));
        }
        browser
    }

    /// Asks, and waits for the answer.
    fn ask(&mut self, method: &str, params: Json) -> Json {
        self.number += 1;
        let number = self.number;
        let mut message = json!({ "id": number, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.asks.write_all(message.to_string().as_bytes()).unwrap();
        self.asks.write_all(&[0]).unwrap();
        self.wait(|said| said["id"] == number)["result"].clone()
    }

    fn wait(&mut self, is_it: impl Fn(&Json) -> bool) -> Json {
        loop {
            let said =
                self.says.recv_timeout(Duration::from_secs(60)).expect("the browser answers within a minute");
            if said["method"] == "Network.requestWillBeSent" {
                self.requests.push(said["params"]["request"]["url"].as_str().unwrap().to_owned());
            }
            if is_it(&said) {
                return said;
            }
        }
    }

    fn go(&mut self, address: &str, width: u32, scheme: &str) {
        let metrics = json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.ask("Emulation.setEmulatedMedia", features);
        self.ask("Page.navigate", json!({ "url": address }));
        self.wait(|said| said["method"] == "Page.loadEventFired");
    }

    /// What an expression comes to in the page.
    fn look(&mut self, expression: &str) -> Json {
        let found = self.ask("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(found.get("exceptionDetails").is_none(), "{found}");
        found["result"]["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How far the page is wider than its window, and the elements that stand out of it.
const OVERFLOW: &str = "(() => {
  const width = document.documentElement.clientWidth;
  const out = [...document.body.querySelectorAll('*')].filter(e => !e.closest('.skip'))
    .filter(e => e.getBoundingClientRect().right > width + 0.5 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
    .map(e => e.outerHTML.slice(0, 80));
  return { more: document.documentElement.scrollWidth - width, out: out.slice(0, 5) };
})()";

/// The least contrast of a text against what it stands on (WCAG 2), and where.
const CONTRAST: &str = "(() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => { const f = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const under = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255]; };
  let least = { ratio: 99 };
  for (const e of document.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(under(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least.ratio) least = { ratio, where: e.outerHTML.slice(0, 80) };
  }
  return least;
})()";

#[test]
fn the_page_shows_every_route_fits_a_phone_and_asks_nobody_else() {
    let Some(name) = find_browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (server, said) = stays_up(folder.path(), &["--customers", "3"], "ledger verify --data");
    let page = said.split_whitespace().find(|word| word.ends_with("/docs")).unwrap().to_owned();
    let home = page.strip_suffix("/docs").unwrap().to_owned();
    let mut browser = Browser::open(name);

    browser.go(&page, 390, "light");
    assert_eq!(browser.look("document.documentElement.lang"), "en");
    assert_eq!(browser.look("document.scripts.length"), 0);
    let flow = browser.look(OVERFLOW);
    assert_eq!(
        (&flow["more"], &flow["out"]),
        (&json!(0), &json!([])),
        "at 390 px nothing stands out of the page"
    );
    // The measure is worth something only if it sees what is too wide.
    let wide = format!(
        "{{ const p = document.createElement('p'); p.textContent = 'x'; p.style.width = '600px'; p.style.maxWidth = 'none';
           document.querySelector('main').append(p); }} {OVERFLOW}"
    );
    assert_ne!(browser.look(&wide)["more"], 0);

    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "dark")] {
        browser.go(&page, width, scheme);
        assert_eq!(browser.look(OVERFLOW)["more"], 0, "{width} {scheme}");
        let least = browser.look(CONTRAST);
        assert!(least["ratio"].as_f64().unwrap() >= 4.5, "{scheme}: {least}");
    }

    browser.go(&page, 1280, "light");
    let shown: Vec<String> = serde_json::from_value(browser.look(
        "[...document.querySelectorAll('main article h3')].map(h => h.textContent.trim().replace(/\\s+/g, ' '))",
    ))
    .unwrap();
    let examples = browser.look("[...document.querySelectorAll('main article')].filter(a => a.querySelector('h3 .method')).map(a => [a.id, a.querySelector('pre.ask').textContent, a.querySelector('pre.answer').textContent])");
    let broken = browser.look("[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1)).filter(id => !document.getElementById(id))");
    assert_eq!(broken, json!([]), "every anchor leads somewhere");
    assert_eq!(browser.look("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size === document.querySelectorAll('[id]').length"), true);

    browser.go(&format!("{home}/openapi.json"), 1280, "light");
    let document: Json =
        serde_json::from_str(browser.look("document.body.innerText").as_str().unwrap()).unwrap();
    let mut routes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            routes += 1;
            let head = format!("{} {path}", method.to_uppercase());
            assert!(shown.contains(&head), "{head} is not on the page");
            let id = &operation["operationId"];
            let example = examples.as_array().unwrap().iter().find(|example| example[0] == *id);
            let example = example.unwrap_or_else(|| panic!("{id} has no example"));
            assert!(
                example[1].as_str().unwrap().starts_with("curl -s") && example[2].as_str().unwrap().len() > 1,
                "{id}"
            );
        }
    }
    assert!(routes >= 24);
    let elsewhere: Vec<&String> = browser
        .requests
        .iter()
        .filter(|address| !address.starts_with(&home) && !address.starts_with("about:"))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(browser.requests.iter().any(|address| address.ends_with("/docs/style.css")), "requests are seen");
    drop(browser);
    assert_eq!(end(server, "-INT"), Some(0));
}
