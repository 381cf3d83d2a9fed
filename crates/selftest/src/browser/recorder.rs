//! What a browser tells of the network, as it tells it: requests, what made it send them, and which of them are still open.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use serde_json::Value;

use super::address::Address;
use crate::trace::{Request, Stage, Way};

/// The most requests that are recorded of one visit; a page that sends more is judged by these.
const MAX_REQUESTS: usize = 50_000;
/// The most initiators that are kept of a request.
const MAX_INITIATORS: usize = 16;

/// A request, and what is not known of it yet.
#[derive(Debug)]
struct Sent {
    request: Request,
    /// As the browser says; `None` where it does not say.
    own_site: Option<bool>,
    /// The browser kept it back: the page's policy forbids it.
    kept_back: bool,
}

/// What was recorded.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) stage: Stage,
    sent: Vec<Sent>,
    /// Requests without an answer, by their numbers; with their places above. A frame of another site tells the end of what the page
    /// began, so the session does not count; numbers are the browser's own, and none is given twice.
    open: HashMap<String, usize>,
    pub(super) last_sent: Instant,
    /// Addresses of style sheets.
    styles: BTreeSet<String>,
    /// Addresses that a style sheet asked for, as the page's own record of its resources says.
    styled: BTreeSet<String>,
    /// The status of the page itself, of its last load.
    pub(super) page_status: Option<u16>,
    /// Answers of `init` whose bodies can be asked for: session and number.
    pub(super) inits: Vec<(String, String)>,
}

impl Recorder {
    pub(super) fn new(now: Instant) -> Recorder {
        Recorder {
            stage: Stage::Before,
            sent: Vec::new(),
            open: HashMap::new(),
            last_sent: now,
            styles: BTreeSet::new(),
            styled: BTreeSet::new(),
            page_status: None,
            inits: Vec::new(),
        }
    }

    /// Is any request still without its answer?
    pub(super) fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }

    /// Hears what happened. Takes: the session; the event; now; the id of the frame that is the page.
    pub(super) fn hear(&mut self, session: &str, method: &str, params: &Value, now: Instant, frame: &str) {
        match method {
            "Network.requestWillBeSent" => self.is_sent(params, now),
            "Network.webSocketCreated" | "Network.webTransportCreated" => self.is_opened(method, params, now),
            "Network.responseReceived" => self.is_answered(session, params, frame),
            "Network.loadingFinished" => drop(self.open.remove(&id_of(params))),
            "Network.loadingFailed" => {
                let at = self.open.remove(&id_of(params));
                if let Some(sent) = at.and_then(|at| self.sent.get_mut(at)) {
                    // Blocked by the page's own policy, it never left the browser.
                    sent.kept_back = params.get("blockedReason").is_some();
                }
            }
            _ => {}
        }
    }

    /// A page was left: what it had open is not waited for.
    pub(super) fn leave(&mut self) {
        self.open.clear();
    }

    /// The page's own record says that a style sheet asked for these.
    pub(super) fn are_styled(&mut self, addresses: impl IntoIterator<Item = String>) {
        self.styled.extend(addresses);
    }

    /// The requests, in the order in which they were sent. Takes: the host of the page.
    pub(super) fn requests(&self, host: &str) -> Vec<Request> {
        let left = self.sent.iter().filter(|sent| !sent.kept_back);
        left.map(|sent| {
            let own = || crate::pattern::is_in(&sent.request.host, host);
            let mut request = Request { own_site: sent.own_site.unwrap_or_else(own), ..sent.request.clone() };
            if request.way == Way::Plain && request.kind == "image" && self.is_of_a_style(&request) {
                request.way = Way::Style;
            }
            request
        })
        .collect()
    }

    fn is_of_a_style(&self, request: &Request) -> bool {
        self.styled.contains(&request.address())
            || request.initiators.first().is_some_and(|first| self.styles.contains(first))
    }

    fn is_sent(&mut self, params: &Value, now: Instant) {
        self.last_sent = now;
        let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let before = self.open.remove(&id_of(params));
        let Some(address) = Address::parse(text("/request/url")) else { return };
        let kind = text("/type").to_ascii_lowercase();
        let mut initiators = initiators(params);
        // Where a redirection came from comes first: it made the browser ask here.
        let redirected = params.get("redirectResponse").is_some();
        if let Some(from) = before.filter(|_| redirected).and_then(|at| self.sent.get(at)) {
            initiators.insert(0, from.request.address());
        }
        if kind == "stylesheet" {
            self.styles.insert(address.text());
        }
        let own_site = params.pointer("/request/isSameSite").and_then(Value::as_bool);
        // The page itself is always of its own site, whoever led there.
        let is_page = kind == "document" && params.get("loaderId") == params.get("requestId");
        let way = if kind == "ping" { Way::Beacon } else { Way::Plain };
        let request = self.request(address, kind, way, initiators);
        let at = self.add(request, if is_page { None } else { own_site });
        if let Some(at) = at {
            self.open.insert(id_of(params), at);
        }
    }

    fn is_opened(&mut self, method: &str, params: &Value, now: Instant) {
        self.last_sent = now;
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
        let Some(address) = Address::parse(url) else { return };
        let kind = if method.contains("Socket") { "websocket" } else { "webtransport" };
        let request = self.request(address, kind.to_owned(), Way::Plain, initiators(params));
        self.add(request, None);
    }

    fn is_answered(&mut self, session: &str, params: &Value, frame: &str) {
        let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let status = params.pointer("/response/status").and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok());
        if text("/type") == "Document" && text("/frameId") == frame {
            self.page_status = status;
        }
        let Some(address) = Address::parse(text("/response/url")) else { return };
        if status == Some(200) && is_init(&address.path) {
            self.inits.push((session.to_owned(), id_of(params)));
        }
    }

    fn request(&self, address: Address, kind: String, way: Way, initiators: Vec<String>) -> Request {
        let Address { origin, host, path } = address;
        Request { stage: self.stage, origin, host, path, kind, way, initiators, own_site: false }
    }

    fn add(&mut self, request: Request, own_site: Option<bool>) -> Option<usize> {
        let at = self.sent.len();
        if at >= MAX_REQUESTS {
            return None;
        }
        self.sent.push(Sent { request, own_site, kept_back: false });
        Some(at)
    }
}

fn id_of(params: &Value) -> String {
    params.get("requestId").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// `/w/{key}/init`, also below a path. SOURCE: docs/spec/window.md.
fn is_init(path: &str) -> bool {
    path.ends_with("/init") && path.contains("/w/srp_")
}

/// What made the browser ask, nearest first: the scripts on the stack, also before it waited; the document or style sheet.
fn initiators(params: &Value) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |url: Option<&Value>| {
        let address = url.and_then(Value::as_str).and_then(Address::parse);
        if let Some(text) = address.map(|address| address.text())
            && !found.contains(&text)
            && found.len() < MAX_INITIATORS
        {
            found.push(text);
        }
    };
    let mut stack = params.pointer("/initiator/stack");
    while let Some(current) = stack {
        let frames = current.get("callFrames").and_then(Value::as_array);
        frames.into_iter().flatten().for_each(|frame| add(frame.get("url")));
        stack = current.get("parent");
    }
    add(params.pointer("/initiator/url"));
    add(params.get("documentURL"));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recorded(events: &[(&str, Value)]) -> Vec<Request> {
        let mut recorder = Recorder::new(Instant::now());
        for (method, params) in events {
            recorder.hear("s", method, params, Instant::now(), "f");
        }
        recorder.requests("shop.example")
    }

    fn sent(id: &str, url: &str, kind: &str) -> (&'static str, Value) {
        let initiator =
            json!({ "type": "script", "stack": { "callFrames": [{ "url": "https://t.example/t.js?k=1" }] } });
        let request = json!({ "url": url, "isSameSite": false });
        let params = json!({ "requestId": id, "type": kind, "request": request, "initiator": initiator });
        ("Network.requestWillBeSent", params)
    }

    #[test]
    fn a_request_keeps_who_made_the_browser_send_it_and_no_query() {
        let requests = recorded(&[sent("1", "https://x.example/p.gif?mail=a@b", "Image")]);
        assert_eq!(requests[0].address(), "https://x.example/p.gif");
        assert_eq!(requests[0].initiators, ["https://t.example/t.js"]);
        assert!(!format!("{requests:?}").contains("a@b"));
    }

    #[test]
    fn a_redirection_belongs_to_where_it_came_from() {
        let (method, mut second) = sent("1", "https://y.example/q", "Image");
        second["redirectResponse"] = json!({});
        let requests = recorded(&[sent("1", "https://x.example/p", "Image"), (method, second)]);
        assert_eq!(requests[1].initiators[0], "https://x.example/p");
    }

    #[test]
    fn what_the_pages_own_policy_keeps_back_was_not_sent() {
        let blocked = json!({ "requestId": "1", "blockedReason": "csp" });
        let failed = json!({ "requestId": "2", "errorText": "net::ERR_NAME_NOT_RESOLVED" });
        let requests = recorded(&[
            sent("1", "https://x.example/a", "Script"),
            sent("2", "https://x.example/b", "Script"),
            ("Network.loadingFailed", blocked),
            ("Network.loadingFailed", failed),
        ]);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].path, "/b");
    }

    #[test]
    fn an_image_that_a_style_sheet_asks_for_is_told_from_others() {
        let (method, mut image) = sent("2", "https://x.example/p.gif", "Image");
        image["initiator"] = json!({ "type": "parser", "url": "https://shop.example/shop.css" });
        let requests = recorded(&[sent("1", "https://shop.example/shop.css", "Stylesheet"), (method, image)]);
        assert_eq!(requests[1].way, Way::Style);
        assert_eq!(recorded(&[sent("3", "https://x.example/b", "Ping")])[0].way, Way::Beacon);
    }
}
