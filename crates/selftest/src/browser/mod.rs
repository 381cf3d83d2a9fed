//! A browser that visits one page: what it is told to do there, and what it tells of it.

mod address;
mod recorder;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use address::Address;
use recorder::Recorder;

use crate::link::{Link, Message, Sandbox};
use crate::trace::{Held, Kept, Place, Request, Stage};
use crate::{Error, Patience};

const LOOK: &str = include_str!("look.js");
/// The world in which [`LOOK`] runs.
const WORLD: &str = "strongroom-selftest";
/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(30);
/// How often a page is looked at for a button.
const GLANCE: Duration = Duration::from_millis(100);

/// Cookies of other sites are taken, as most people's browsers take them: what is turned away here would not be seen.
const PREFERENCES: &str = r#"{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}"#;

/// A place on the page where somebody can click.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Point {
    x: i64,
    y: i64,
}

/// A browser with a fresh profile, on one page.
#[derive(Debug)]
pub(crate) struct Browser {
    // ORDER: the browser ends before its profile is removed.
    link: Link,
    recorder: Recorder,
    /// Sessions with documents: the page and its frames of other sites; the page is first.
    sessions: Vec<String>,
    /// The id of the page's target and of its main frame.
    page: String,
    agent: String,
    product: String,
    loaded: bool,
    patience: Patience,
    _profile: TempDir,
}

impl Browser {
    /// Opens one on an empty page.
    ///
    /// Fails: `SR-SELFTEST-001` when there is none, `SR-SELFTEST-002` when it does not start, `SR-SELFTEST-004`.
    pub(crate) fn open(
        program: Option<&Path>,
        sandbox: Sandbox,
        patience: Patience,
    ) -> Result<Browser, Error> {
        let profile = tempfile::Builder::new().prefix("strongroom-selftest-").tempdir();
        let profile = profile.map_err(|_| Error::NoFolder)?;
        fs::create_dir(profile.path().join("Default"))
            .and_then(|()| fs::write(profile.path().join("Default/Preferences"), PREFERENCES))
            .map_err(|_| Error::NoFolder)?;
        let link = Link::start(program, profile.path(), sandbox, &[])?;
        let mut browser = Browser {
            link,
            recorder: Recorder::new(Instant::now()),
            sessions: Vec::new(),
            page: String::new(),
            agent: String::new(),
            product: String::new(),
            loaded: false,
            patience,
            _profile: profile,
        };
        match browser.greet() {
            Err(Error::BrowserSilent) if browser.link.found_none() => Err(Error::BrowserAbsent),
            other => other.map(|()| browser),
        }
    }

    /// Its name and version.
    pub(crate) fn product(&self) -> &str {
        &self.product
    }

    /// From now on, what is seen belongs to this stage.
    pub(crate) fn begin(&mut self, stage: Stage) {
        self.recorder.stage = stage;
    }

    /// Goes to an address, and waits until the page has settled. Gives: where it came to.
    ///
    /// Fails: `SR-SELFTEST-005` when it cannot be reached, `SR-SELFTEST-006` when it answers with an error.
    pub(crate) fn go(&mut self, url: &str) -> Result<Address, Error> {
        self.leave();
        let went = self.on_page("Page.navigate", &json!({ "url": url }))?;
        if went.get("errorText").is_some_and(|text| text.as_str().is_some_and(|text| !text.is_empty())) {
            return Err(Error::PageAbsent);
        }
        self.settle()?;
        self.arrived()
    }

    /// Loads the page anew, and waits until it has settled.
    pub(crate) fn again(&mut self) -> Result<(), Error> {
        self.leave();
        self.on_page("Page.reload", &json!({}))?;
        self.settle()?;
        self.arrived().map(drop)
    }

    /// Waits until the page has loaded and asks for nothing more.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        let until = after(self.patience.limit);
        self.recorder.last_sent = Instant::now();
        loop {
            let quiet = self.recorder.last_sent.elapsed();
            // What stays open for long is a stream, and would never be over.
            let over = quiet >= self.patience.quiet
                && (!self.recorder.is_busy() || quiet >= self.patience.quiet.saturating_mul(4));
            if (self.loaded && over) || Instant::now() >= until {
                return Ok(());
            }
            self.wait(Duration::from_millis(50))?;
        }
    }

    /// Clicks, as a person does.
    pub(crate) fn click(&mut self, Point { x, y }: Point) -> Result<(), Error> {
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1 });
            self.on_page("Input.dispatchMouseEvent", &event)?;
        }
        Ok(())
    }

    /// Where can somebody click on the first of these? Looks for so long, until it stands still.
    pub(crate) fn find(&mut self, selectors: &[String], patience: Duration) -> Result<Option<Point>, Error> {
        if selectors.is_empty() {
            return Ok(None);
        }
        let call = format!("find({})", json!(selectors));
        self.find_by(&call, patience)
    }

    /// Where can somebody click to come back to the choices, by the words of links and buttons?
    pub(crate) fn find_way_back(&mut self) -> Result<Option<Point>, Error> {
        self.find_by("wayBack()", GLANCE.saturating_mul(4))
    }

    /// What the page marks as held.
    pub(crate) fn held(&mut self) -> Result<Vec<Held>, Error> {
        #[derive(Deserialize)]
        struct Mark {
            purpose: String,
            recipient: String,
            host: String,
            address: String,
        }
        let marks: Vec<Mark> = self.ask_page("held()")?.unwrap_or_default();
        let held = |Mark { purpose, recipient, host, address }| Held { purpose, recipient, host, address };
        Ok(marks.into_iter().map(held).collect())
    }

    /// Writes down which images the style sheets of the present documents have asked for.
    pub(crate) fn note_styles(&mut self) -> Result<(), Error> {
        for lists in self.ask_all::<Vec<String>>("styled()")? {
            self.recorder.are_styled(lists);
        }
        Ok(())
    }

    /// What is kept on the device now: all cookies, and the storage of all documents that are open.
    pub(crate) fn kept(&mut self) -> Result<Vec<Kept>, Error> {
        let mut kept = self.cookies()?;
        for device in self.ask_all::<Device>("kept()")? {
            kept.extend(device.into_kept());
        }
        kept.sort();
        kept.dedup();
        Ok(kept)
    }

    /// The page as it looks, PNG.
    pub(crate) fn screenshot(&mut self) -> Result<Vec<u8>, Error> {
        const ACT: &str = "Page.captureScreenshot";
        let shot = self.on_page(ACT, &json!({ "format": "png" }))?;
        let data = shot.get("data").and_then(Value::as_str).unwrap_or_default();
        BASE64.decode(data.as_bytes()).map_err(|_| Error::BrowserRefused { act: ACT })
    }

    /// The last answer of `init` that the page got, if it got one.
    pub(crate) fn init_body(&mut self) -> Option<String> {
        let (session, id) = self.recorder.inits.last().cloned()?;
        let asked = self.call(Some(&session), "Network.getResponseBody", &json!({ "requestId": id }));
        let Ok(answer) = asked else { return None };
        let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
        let is_encoded = answer.get("base64Encoded").and_then(Value::as_bool) == Some(true);
        if !is_encoded {
            return Some(body.to_owned());
        }
        let bytes = BASE64.decode(body.as_bytes()).unwrap_or_default();
        String::from_utf8(bytes).ok()
    }

    /// All requests so far. Takes: the host of the page.
    pub(crate) fn requests(&self, host: &str) -> Vec<Request> {
        self.recorder.requests(host)
    }

    fn greet(&mut self) -> Result<(), Error> {
        let version = self.call(None, "Browser.getVersion", &json!({}))?;
        let text = |name: &str| version.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.product = text("product");
        // Servers that treat a browser without a window as a robot would not show what people see.
        self.agent = text("userAgent").replace("HeadlessChrome", "Chrome");
        self.call(None, "Browser.setDownloadBehavior", &json!({ "behavior": "deny" }))?;
        self.call(None, "Target.setAutoAttach", &attach())?;
        let until = after(COMMAND);
        while self.sessions.is_empty() && Instant::now() < until {
            self.wait(GLANCE)?;
        }
        let tree = self.on_page("Page.getFrameTree", &json!({}))?;
        let frame = tree.pointer("/frameTree/frame/id").and_then(Value::as_str).unwrap_or_default();
        frame.clone_into(&mut self.page);
        Ok(())
    }

    fn leave(&mut self) {
        self.loaded = false;
        self.recorder.page_status = None;
        self.recorder.leave();
    }

    fn arrived(&mut self) -> Result<Address, Error> {
        match self.recorder.page_status {
            Some(status @ 400..) => return Err(Error::PageRefused { status }),
            None if !self.loaded => return Err(Error::PageAbsent),
            _ => {}
        }
        let tree = self.on_page("Page.getFrameTree", &json!({}))?;
        let url = tree.pointer("/frameTree/frame/url").and_then(Value::as_str).unwrap_or_default();
        Address::parse(url).ok_or(Error::PageAbsent)
    }

    fn find_by(&mut self, call: &str, patience: Duration) -> Result<Option<Point>, Error> {
        let until = after(patience);
        let mut last: Option<Point> = None;
        loop {
            let point: Option<Point> = self.ask_page(call)?.flatten();
            if point.is_some() && point == last {
                return Ok(point);
            }
            last = point;
            if Instant::now() >= until {
                return Ok(None);
            }
            self.wait(GLANCE)?;
        }
    }

    // INVARIANT: the browser is asked for names and domains; values are in its answer and are not read out of it.
    fn cookies(&mut self) -> Result<Vec<Kept>, Error> {
        let answer = self.call(None, "Storage.getCookies", &json!({}))?;
        let cookies = answer.get("cookies").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |cookie: &Value, name: &str| {
            cookie.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        Ok(cookies
            .iter()
            .map(|cookie| Kept {
                place: Place::Cookie,
                host: text(cookie, "domain").trim_start_matches('.').to_owned(),
                name: text(cookie, "name"),
                http_only: cookie.get("httpOnly").and_then(Value::as_bool) == Some(true),
            })
            .collect())
    }

    /// Asks the page itself. `None` when it cannot answer just now: it is being left.
    fn ask_page<T: DeserializeOwned>(&mut self, call: &str) -> Result<Option<T>, Error> {
        let Some(session) = self.sessions.first().cloned() else { return Err(Error::BrowserSilent) };
        let page = self.page.clone();
        self.ask(&session, &page, call)
    }

    /// Asks every document that is open: of the page, and of all its frames.
    fn ask_all<T: DeserializeOwned>(&mut self, call: &str) -> Result<Vec<T>, Error> {
        let mut answers = Vec::new();
        for session in self.sessions.clone() {
            let tree = match self.call(Some(&session), "Page.getFrameTree", &json!({})) {
                Ok(tree) => tree,
                Err(Error::BrowserSilent) => return Err(Error::BrowserSilent),
                // The frame has gone in the meantime.
                Err(_) => continue,
            };
            let mut frames = Vec::new();
            frames_of(tree.get("frameTree"), &mut frames);
            for frame in frames {
                answers.extend(self.ask(&session, &frame, call)?);
            }
        }
        Ok(answers)
    }

    fn ask<T: DeserializeOwned>(
        &mut self,
        session: &str,
        frame: &str,
        call: &str,
    ) -> Result<Option<T>, Error> {
        let world = json!({ "frameId": frame, "worldName": WORLD });
        let context = match self.call(Some(session), "Page.createIsolatedWorld", &world) {
            Ok(made) => made.get("executionContextId").cloned().unwrap_or_default(),
            Err(Error::BrowserSilent) => return Err(Error::BrowserSilent),
            Err(_) => return Ok(None),
        };
        let expression = format!("({LOOK}).{call}");
        let evaluate = json!({ "contextId": context, "expression": expression, "awaitPromise": true,
            "returnByValue": true });
        match self.call(Some(session), "Runtime.evaluate", &evaluate) {
            Ok(mut answer) => {
                let value = answer.pointer_mut("/result/value").map(Value::take).unwrap_or_default();
                Ok(serde_json::from_value(value).ok())
            }
            Err(Error::BrowserSilent) => Err(Error::BrowserSilent),
            Err(_) => Ok(None),
        }
    }

    fn on_page(&mut self, act: &'static str, params: &Value) -> Result<Value, Error> {
        let session = self.sessions.first().cloned().ok_or(Error::BrowserSilent)?;
        self.call(Some(&session), act, params)
    }

    /// Sends a command and waits for its answer; what happens meanwhile is heard.
    fn call(&mut self, session: Option<&str>, act: &'static str, params: &Value) -> Result<Value, Error> {
        let id = self.link.send(session, act, params)?;
        let until = after(COMMAND);
        while let Some(message) = self.link.receive(until)? {
            if message.id == Some(id) {
                return match message.error {
                    None => Ok(message.result),
                    Some(_) => Err(Error::BrowserRefused { act }),
                };
            }
            self.hear(&message)?;
        }
        Err(Error::BrowserRefused { act })
    }

    /// Hears what happens for so long.
    fn wait(&mut self, time: Duration) -> Result<(), Error> {
        let until = after(time);
        while let Some(message) = self.link.receive(until)? {
            self.hear(&message)?;
        }
        Ok(())
    }

    fn hear(&mut self, message: &Message) -> Result<(), Error> {
        let session = message.session.as_deref().unwrap_or_default();
        let text =
            |pointer: &str| message.params.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match message.method.as_str() {
            "Target.attachedToTarget" => self.attach(text("/sessionId"), text("/targetInfo/type"))?,
            "Target.detachedFromTarget" => {
                let gone = text("/sessionId");
                self.sessions.retain(|session| session != gone);
            }
            "Page.loadEventFired" if self.sessions.first().is_some_and(|page| page == session) => {
                self.loaded = true;
            }
            "Page.javascriptDialogOpening" => {
                self.link.send(Some(session), "Page.handleJavaScriptDialog", &json!({ "accept": true }))?;
            }
            method => self.recorder.hear(session, method, &message.params, Instant::now(), &self.page),
        }
        Ok(())
    }

    /// ORDER: everything is listened to before the new target may run.
    fn attach(&mut self, session: &str, kind: &str) -> Result<(), Error> {
        // Windows of the browser itself are none of the page's.
        if kind == "browser_ui" {
            self.link.send(Some(session), "Runtime.runIfWaitingForDebugger", &json!({}))?;
            self.link.send(None, "Target.detachFromTarget", &json!({ "sessionId": session }))?;
            return Ok(());
        }
        let agent = json!({ "userAgent": self.agent });
        let mut acts = vec![
            ("Network.enable", json!({})),
            ("Network.setUserAgentOverride", agent),
            ("Target.setAutoAttach", attach()),
            // Without it, a request that is sent a moment later does not say which script was behind it. Nothing ever pauses.
            ("Debugger.enable", json!({})),
            ("Debugger.setSkipAllPauses", json!({ "skip": true })),
            ("Debugger.setAsyncCallStackDepth", json!({ "maxDepth": 32 })),
        ];
        if kind == "page" || kind == "iframe" {
            self.sessions.push(session.to_owned());
            // A page may ask for more than the 250 resources that are remembered by default.
            let larger = "performance.setResourceTimingBufferSize(10000)";
            acts.push(("Page.enable", json!({})));
            acts.push((
                "Page.addScriptToEvaluateOnNewDocument",
                json!({ "source": larger, "worldName": WORLD }),
            ));
        }
        acts.push(("Runtime.runIfWaitingForDebugger", json!({})));
        for (act, params) in acts {
            self.link.send(Some(session), act, &params)?;
        }
        Ok(())
    }
}

/// What a document keeps on the device.
#[derive(Debug, Deserialize)]
struct Device {
    host: String,
    local: Vec<String>,
    session: Vec<String>,
    databases: Vec<String>,
    caches: Vec<String>,
    workers: Vec<String>,
}

impl Device {
    fn into_kept(self) -> impl Iterator<Item = Kept> {
        let Device { host, local, session, databases, caches, workers } = self;
        let of = |place: Place, names: Vec<String>| names.into_iter().map(move |name| (place, name));
        let all = of(Place::Local, local)
            .chain(of(Place::Session, session))
            .chain(of(Place::Database, databases))
            .chain(of(Place::Cache, caches))
            .chain(of(Place::Worker, workers));
        // A document without a host has no storage of its own.
        all.filter_map(move |(place, name)| {
            (!host.is_empty()).then(|| Kept { place, host: host.clone(), name, http_only: false })
        })
    }
}

fn frames_of(tree: Option<&Value>, frames: &mut Vec<String>) {
    let Some(tree) = tree else { return };
    frames.extend(tree.pointer("/frame/id").and_then(Value::as_str).map(str::to_owned));
    let children = tree.get("childFrames").and_then(Value::as_array);
    children.into_iter().flatten().for_each(|child| frames_of(Some(child), frames));
}

fn attach() -> Value {
    json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true })
}

fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}
