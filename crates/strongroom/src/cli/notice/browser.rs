//! A browser without a window that makes pictures of pages, driven over a pipe by its own protocol.
//!
//! SOURCE: Chrome DevTools Protocol, <https://chromedevtools.github.io/devtools-protocol/>: messages of JSON, each ended by a zero byte.
//! It gets our page as text, and fetches nothing: the page's own policy for its content forbids it.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use data_encoding::BASE64;
use policy::notice::export::{Frame, MEASURE, Sheet, Span};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::ground::Problem;

/// What browsers that can do this are called.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// What it is told: no window, no profile but an empty one, nothing asked of the network on its own account.
const SWITCHES: [&str; 11] = [
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
];

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
    child: Child,
    asks: ChildStdin,
    says: Receiver<Json>,
    session: Option<String>,
    number: u64,
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
        // The protocol is spoken on file handles 3 and 4, which the shell makes of the pipes to us.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"]).arg(program);
        command.args(SWITCHES);
        if rustix::process::geteuid().is_root() {
            command.arg("--no-sandbox"); // it refuses to start as root with one; all that it opens is our own page
        }
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|_| no_answer())?;
        let (asks, out) =
            (child.stdin.take().ok_or_else(no_answer)?, child.stdout.take().ok_or_else(no_answer)?);
        let (tell, says) = channel();
        std::thread::spawn(move || listen(out, &tell));
        let mut browser = Browser { child, asks, says, session: None, number: 0, _profile: profile };
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
        self.number = self.number.saturating_add(1);
        let mut message = json!({ "id": self.number, "method": method, "params": params });
        if let (Some(session), Some(message)) = (&self.session, message.as_object_mut()) {
            message.insert("sessionId".to_owned(), json!(session));
        }
        let mut message = message.to_string().into_bytes();
        message.push(0);
        self.asks.write_all(&message).map_err(|_| no_answer())?;
        loop {
            let said = self.says.recv_timeout(PATIENCE).map_err(|_| no_answer())?;
            if said.get("id").and_then(Json::as_u64) == Some(self.number) {
                return said.get("result").cloned().ok_or_else(no_answer);
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes on what the browser says, until one of the two ends.
fn listen(mut out: ChildStdout, tell: &Sender<Json>) {
    let (mut waiting, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(read @ 1..) = out.read(&mut buffer) {
        waiting.extend_from_slice(buffer.get(..read).unwrap_or_default());
        while let Some(end) = waiting.iter().position(|byte| *byte == 0) {
            let message: Vec<u8> = waiting.drain(..=end).collect();
            let message = message.get(..end).unwrap_or_default();
            if let Ok(message) = serde_json::from_slice(message)
                && tell.send(message).is_err()
            {
                return;
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
