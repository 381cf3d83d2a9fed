//! The line to a browser: a process of our own, with a profile of its own, spoken to over a pipe.
//!
//! A pipe, and no port: whoever else is on the machine could drive a browser that listens on one. Chromium reads from its third handle
//! and writes to its fourth; a shell moves them there, because that needs no `unsafe` here.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Error;

/// Names under which Chromium and Chrome are installed.
pub const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// The longest message that is read.
const MAX_MESSAGE_BYTES: u64 = 67_108_864;
/// Messages that wait to be read; a browser that says more waits itself.
const WAITING: usize = 1024;
/// How long a browser may take to end by itself.
const ENDING: Duration = Duration::from_secs(5);

/// Whether the browser keeps pages in its sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandbox {
    /// It does.
    On,
    /// It does not: for root, and for containers that allow none.
    Off,
}

/// A message of the browser: an answer, or something that happened. Its Debug shows nothing of the page.
#[derive(Deserialize)]
pub struct Message {
    /// Of an answer: the number of its command.
    pub id: Option<u64>,
    /// The session, of a page or a frame, that it belongs to.
    #[serde(rename = "sessionId")]
    pub session: Option<String>,
    /// Of what happened: its name.
    #[serde(default)]
    pub method: String,
    /// Of what happened: the rest of it.
    #[serde(default)]
    pub params: Value,
    /// Of an answer: what came of it.
    #[serde(default)]
    pub result: Value,
    /// Of an answer: why nothing did.
    pub error: Option<Value>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("method", &self.method).finish_non_exhaustive()
    }
}

/// The line. When it is dropped the browser ends; its profile has to last until then.
#[derive(Debug)]
pub struct Link {
    child: Child,
    // Taken when the line is closed.
    out: Option<ChildStdin>,
    incoming: Receiver<Message>,
    last_id: u64,
}

impl Link {
    /// Starts a browser.
    ///
    /// Takes: the program, or nothing to look for one on the path; the folder of its profile; switches besides those that every browser
    /// here gets. Fails: `SR-SELFTEST-001` without a shell; that there is no browser shows when it is asked for something.
    pub fn start(
        program: Option<&Path>,
        profile: &Path,
        sandbox: Sandbox,
        more: &[&str],
    ) -> Result<Link, Error> {
        let mut shell = Command::new("/bin/sh");
        // Of several names the first that is installed; a name with a slash is a file.
        shell.args(["-c", START, "sh"]);
        match program {
            Some(program) => drop(shell.arg("1").arg(program)),
            None => drop(shell.arg(NAMES.len().to_string()).args(NAMES)),
        }
        shell.arg(format!("--user-data-dir={}", profile.display())).args(FLAGS).args(more);
        if sandbox == Sandbox::Off {
            shell.arg("--no-sandbox");
        }
        shell.arg("about:blank").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = shell.spawn().map_err(|_| Error::BrowserAbsent)?;
        let out = child.stdin.take();
        let heard = child.stdout.take().ok_or(Error::BrowserSilent)?;
        let (tell, incoming) = sync_channel(WAITING);
        thread::spawn(move || listen(heard, &tell));
        Ok(Link { child, out, incoming, last_id: 0 })
    }

    /// Sends a command. Gives its number. Fails: `SR-SELFTEST-002`.
    pub fn send(&mut self, session: Option<&str>, method: &str, params: &Value) -> Result<u64, Error> {
        self.last_id = self.last_id.saturating_add(1);
        let mut command = json!({ "id": self.last_id, "method": method, "params": params });
        if let (Some(session), Some(command)) = (session, command.as_object_mut()) {
            command.insert("sessionId".into(), session.into());
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        let out = self.out.as_mut().ok_or(Error::BrowserSilent)?;
        out.write_all(&bytes).and_then(|()| out.flush()).map_err(|_| Error::BrowserSilent)?;
        Ok(self.last_id)
    }

    /// The next message, if one comes before this instant. Fails: `SR-SELFTEST-002` when the browser has ended.
    pub fn receive(&self, until: Instant) -> Result<Option<Message>, Error> {
        match self.incoming.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Error::BrowserSilent),
        }
    }

    /// Did the shell find no browser? Asked when the line has gone silent.
    pub fn found_none(&mut self) -> bool {
        self.out = None;
        self.child.wait().is_ok_and(|status| status.code() == Some(NOT_FOUND))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = self.send(None, "Browser.close", &json!({}));
        let until = Instant::now().checked_add(ENDING);
        // It closes its end of the pipe when it has ended.
        while let Some(until) = until
            && matches!(self.receive(until), Ok(Some(_)))
        {}
        self.out = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the shell exits with when no browser is installed.
const NOT_FOUND: i32 = 127;

/// Looks for the first of so many names, and becomes it, with the pipe on the handles where it listens.
const START: &str = "\
n=$1; shift; found=
while [ \"$n\" -gt 0 ]; do
  if [ -z \"$found\" ] && command -v \"$1\" >/dev/null 2>&1; then found=$1; fi
  shift; n=$((n - 1))
done
[ -n \"$found\" ] || exit 127
exec \"$found\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null";

/// Nothing of the browser's own on the network, no questions, and pages as people see them.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-search-engine-choice-screen",
    "--disable-features=AutofillServerCommunication,CertificateTransparencyComponentUpdater,MediaRouter,OptimizationHints,Translate,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
    // A page that behaves while it is watched would not be told by this.
    "--disable-blink-features=AutomationControlled",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
    "--window-size=1280,900",
];

fn listen(heard: ChildStdout, tell: &std::sync::mpsc::SyncSender<Message>) {
    let mut heard = BufReader::new(heard);
    loop {
        let mut bytes = Vec::new();
        let read = heard.by_ref().take(MAX_MESSAGE_BYTES).read_until(0, &mut bytes);
        if bytes.pop() != Some(0) || read.is_err() {
            return;
        }
        // One that cannot be read is none that is waited for.
        if let Ok(message) = serde_json::from_slice(&bytes)
            && tell.send(message).is_err()
        {
            return;
        }
    }
}
