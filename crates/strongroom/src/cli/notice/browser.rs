//! A browser without a window that makes pictures of pages, driven over a pipe by its own protocol.
//!
//! SOURCE: Chrome DevTools Protocol, <https://chromedevtools.github.io/devtools-protocol/>.
//! It gets our page as text, and fetches nothing: the page's own policy for its content forbids it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use policy::notice::export::{Frame, MEASURE, Sheet, Span};
use selftest::link::{Link, NAMES, Sandbox};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::ground::Problem;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser that there is. *Gives* `None` where none is found.
pub(super) fn find(named: Option<&Path>) -> Option<PathBuf> {
    let is_there = |name: &PathBuf| {
        let mut asked = Command::new(name);
        let quiet = asked.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    match named {
        Some(named) => Some(named.to_path_buf()).filter(is_there),
        None => NAMES.iter().map(PathBuf::from).find(is_there),
    }
}

/// A browser with one page.
#[derive(Debug)]
pub(super) struct Browser {
    // ORDER: the browser ends before its profile is removed.
    link: Link,
    session: Option<String>,
    _profile: tempfile::TempDir,
}

/// A page as the browser measured it.
#[derive(Debug, Deserialize)]
struct Measured {
    height: u32,
    has_chinese: bool,
    spans: Vec<Span>,
}

impl Browser {
    /// Starts it. Fails: `SR-EXPORT-003`.
    pub(super) fn open(program: &Path) -> Result<Browser, Problem> {
        let profile = tempfile::tempdir()?;
        // As root it refuses to start with a sandbox; all that it opens is our own page.
        let sandbox = if rustix::process::geteuid().is_root() { Sandbox::Off } else { Sandbox::On };
        // The same colours on every machine.
        let more = ["--force-color-profile=srgb"];
        let link = Link::start(Some(program), profile.path(), sandbox, &more).map_err(|_| no_answer())?;
        let mut browser = Browser { link, session: None, _profile: profile };
        let target = browser.ask("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": target.get("targetId"), "flatten": true });
        let attached = browser.ask("Target.attachToTarget", &attach)?;
        browser.session = attached.get("sessionId").and_then(Json::as_str).map(str::to_owned);
        browser.ask("Page.enable", &json!({}))?;
        Ok(browser)
    }

    /// Pictures of a sheet, from the top to the bottom.
    ///
    /// Fails: `SR-EXPORT-003` when the browser does not answer, `SR-EXPORT-004` when it has no font for the sheet's language.
    pub(super) fn pictures(&mut self, sheet: &Sheet, frame: Frame) -> Result<Vec<Vec<u8>>, Problem> {
        let width = frame.width.div_euclid(Frame::SCALE);
        let metrics =
            json!({ "width": width, "height": 800, "deviceScaleFactor": Frame::SCALE, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", &metrics)?;
        let light = json!({ "features": [{ "name": "prefers-color-scheme", "value": "light" }] });
        self.ask("Emulation.setEmulatedMedia", &light)?;
        let tree = self.ask("Page.getFrameTree", &json!({}))?;
        let page = json!({ "frameId": tree.pointer("/frameTree/frame/id"), "html": sheet.picture_page() });
        self.ask("Page.setDocumentContent", &page)?;
        let measured: Measured = serde_json::from_value(self.look(MEASURE)?).map_err(|_| no_answer())?;
        if !measured.has_chinese && sheet.language.as_str().starts_with("zh") {
            return Err(no_font());
        }
        let slices = sheet.slices(frame, measured.height, &measured.spans);
        let of = slices.len();
        let mut pictures = Vec::with_capacity(of);
        for (at, slice) in slices.into_iter().enumerate() {
            let height = self.look(&sheet.showing(slice, at.saturating_add(1), of))?;
            let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
            let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
            let taken = self.ask("Page.captureScreenshot", &shot)?;
            let data = taken.get("data").and_then(Json::as_str).unwrap_or_default();
            let picture = BASE64.decode(data.as_bytes()).map_err(|_| no_answer())?;
            let is_right = super::png::size_of(&picture)
                .is_some_and(|(wide, high)| wide == frame.width && high <= frame.height);
            pictures.push(is_right.then_some(picture).ok_or_else(no_answer)?);
        }
        Ok(pictures)
    }

    /// What an expression comes to in the page.
    fn look(&mut self, expression: &str) -> Result<Json, Problem> {
        let found =
            self.ask("Runtime.evaluate", &json!({ "expression": expression, "returnByValue": true }))?;
        found.pointer("/result/value").cloned().ok_or_else(no_answer)
    }

    /// Asks, and waits for the answer.
    fn ask(&mut self, method: &str, params: &Json) -> Result<Json, Problem> {
        let id = self.link.send(self.session.as_deref(), method, params).map_err(|_| no_answer())?;
        let until = Instant::now().checked_add(PATIENCE).ok_or_else(no_answer)?;
        loop {
            let said = self.link.receive(until).ok().flatten().ok_or_else(no_answer)?;
            if said.id == Some(id) {
                return if said.error.is_none() { Ok(said.result) } else { Err(no_answer()) };
            }
        }
    }
}

fn no_answer() -> Problem {
    Problem::new("SR-EXPORT-003", 500, "the browser that makes the pictures did not start, or stopped")
        .help("see whether it starts by itself with `--headless`; name another with `--browser`, or leave the pictures out with `--no-pictures`")
}

fn no_font() -> Problem {
    Problem::new("SR-EXPORT-004", 500, "this machine has no font for Chinese, so pictures would show boxes")
        .help("install one, for example `apt-get install fonts-noto-cjk`, or leave the pictures out with `--no-pictures`")
}
