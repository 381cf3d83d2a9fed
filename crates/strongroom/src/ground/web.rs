//! What the rooms' HTTP handlers share: who calls, strict reading of bodies, answers and problems.
//!
//! Personal data stands in bodies only. A fault in a body is told by code and JSON pointer; the pointer names what the
//! format declares and positions, never a value.

use std::sync::Arc;

use axum::BoxError;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::actor::{Actor, Deed};
use super::house::House;
use super::ids::{Id, Ids};
use super::problem::Problem;
use super::shop::Shop;

/// Longest body of one request, bytes.
pub const BODY_LIMIT: usize = 1 << 20;
/// Longest body of a batch, bytes.
pub const BATCH_BODY_LIMIT: usize = 8 << 20;
/// Items of a batch at the most.
pub const BATCH_LIMIT: usize = 1_000;

/// Who calls, and of which shop: put on the request by the front door.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The shop of the credential.
    pub shop: Arc<Shop>,
    /// The credential, or the operator at the machine.
    pub actor: Actor,
}

/// A request that may come twice: its `Idempotency-Key`, hashed together with the credential, and a hash of its body.
#[derive(Debug, Clone, Copy)]
pub struct Repeat {
    /// Under which id the answer is kept.
    pub id: [u8; 16],
    /// What was asked.
    pub request: [u8; 16],
}

/// The longest `Idempotency-Key`.
const KEY_LIMIT: usize = 255;

impl Repeat {
    /// Reads the header, if it is there.
    ///
    /// Fails: `SR-HTTP-007` when the key is not 1 to 255 visible characters.
    pub fn read(
        headers: &HeaderMap,
        caller: &Caller,
        route: &str,
        body: &[u8],
    ) -> Result<Option<Repeat>, Problem> {
        let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
        let key = key.as_bytes();
        if key.is_empty() || key.len() > KEY_LIMIT || !key.iter().all(u8::is_ascii_graphic) {
            return Err(Problem::new(
                "SR-HTTP-007",
                400,
                "an Idempotency-Key is 1 to 255 visible characters",
            ));
        }
        let who = match &caller.actor {
            Actor::Credential(presented) => presented.id.number().to_be_bytes(),
            Actor::Operator | Actor::House => [0; 8],
        };
        let keys = &caller.shop.keys;
        Ok(Some(Repeat {
            id: keys.request_hash("idempotency", &[&who, key])?,
            request: keys.request_hash("body", &[route.as_bytes(), body])?,
        }))
    }
}

impl Repeat {
    /// The same for one item of a batch: the key holds for each item by its position.
    pub fn of_item(self, index: usize, caller: &Caller) -> Result<Repeat, Problem> {
        let index = (index as u64).to_be_bytes();
        Ok(Repeat { id: caller.shop.keys.request_hash("item", &[&self.id, &index])?, ..self })
    }
}

/// The problem of a key that was used for another request.
pub fn other_request() -> Problem {
    Problem::new("SR-HTTP-008", 422, "this Idempotency-Key was used for another request within 24 hours")
        .help("use a new key for a new request")
}

/// Reads a JSON body strictly: UTF-8, no unknown or repeated keys, no nesting beyond what the format has.
///
/// Fails: `SR-HTTP-002` for what is not JSON, `SR-HTTP-003` for JSON of another shape, with a pointer.
pub fn read_json<'b, T: serde::Deserialize<'b>>(body: &'b [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|_| json_problem::<T>(body))
}

/// Reads the body once more, slowly, to say where it is wrong.
#[cold]
fn json_problem<'b, T: serde::Deserialize<'b>>(body: &'b [u8]) -> Problem {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let outcome: Result<T, _> = serde_path_to_error::deserialize(&mut reader);
    let (pointer, error) = match outcome {
        Err(error) => (pointer_of(error.path()), error.into_inner()),
        Ok(_) => match reader.end() {
            Err(error) => (String::new(), error),
            Ok(()) => return Problem::new("SR-HTTP-003", 400, "the body is not of the expected form"),
        },
    };
    if std::str::from_utf8(body).is_err() {
        return Problem::new("SR-HTTP-002", 400, "the body is not UTF-8");
    }
    // The parser's own text can quote what was sent; what it is about is told in words of ours.
    if error.is_data() {
        let text = error.to_string();
        return Problem::new("SR-HTTP-003", 422, data_fault(&text)).at(pointer + &declared_key(&text));
    }
    let title = format!("the body is not JSON (line {}, column {})", error.line(), error.column());
    Problem::new("SR-HTTP-002", 400, title)
}

/// The key that is missing or stands twice: one that the format declares, which the path to it does not have yet.
fn declared_key(text: &str) -> String {
    let named =
        ["duplicate field `", "missing field `"].into_iter().find_map(|start| text.strip_prefix(start));
    let name = named.and_then(|rest| rest.split('`').next()).filter(|name| looks_like_a_name(name));
    name.map_or_else(String::new, |name| format!("/{name}"))
}

fn data_fault(text: &str) -> &'static str {
    for (start, ours) in [
        ("unknown field", "there is a key here that the format does not have"),
        ("missing field", "a key is missing here"),
        ("duplicate field", "a key stands here twice"),
        ("unknown variant", "this is none of the words that can stand here"),
        ("recursion limit", "this is nested too deeply"),
        ("invalid length", "this has another length than it must have"),
    ] {
        if text.starts_with(start) {
            return ours;
        }
    }
    "this is of another type than it must be"
}

/// Where in the document, by keys that the format declares. Keys of maps that the caller chose are shown only where
/// they look like names; a value used as a key is not repeated.
fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } if looks_like_a_name(key) => pointer.push_str(key),
            Segment::Enum { variant } if looks_like_a_name(variant) => pointer.push_str(variant),
            _ => pointer.push('*'),
        }
    }
    pointer
}

/// Is this a name as policies have them, and not somebody's address or number?
pub fn looks_like_a_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 40
        && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-')
}

/// Reads a whole body, or as much of it as is allowed.
///
/// Fails: `SR-HTTP-001` when it is longer, `SR-HTTP-009` when the connection broke.
pub async fn read_body<B>(body: B, limit: usize) -> Result<Bytes, Problem>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    let limited = http_body_util::Limited::new(body, limit);
    match http_body_util::BodyExt::collect(limited).await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err(Problem::new("SR-HTTP-009", 400, "the body did not arrive whole")),
    }
}

/// The problem of a path that leads nowhere.
pub fn no_route() -> Problem {
    Problem::new("SR-HTTP-005", 404, "there is nothing at this address")
        .help("`/openapi.json` lists what there is")
}

/// The id that stands before a verb in a path: `{id}:erase`.
///
/// Takes: the problem of what was never an id. Fails: with it, and 404 when the verb is not there.
pub fn id_before<I: Id>(
    ids: &Ids,
    target: &str,
    verb: &str,
    no_id: impl FnOnce(seal::Error) -> Problem,
) -> Result<I, Problem> {
    ids.read(target.strip_suffix(verb).ok_or_else(no_route)?).map_err(no_id)
}

/// The problem of a body that is too long.
pub fn too_large(limit: usize) -> Problem {
    Problem::new("SR-HTTP-001", 413, format!("the body is longer than {limit} bytes"))
}

/// An answer: JSON, never to be stored on the way.
pub fn answer<T: Serialize>(status: StatusCode, body: &T) -> Response<Body> {
    match serde_json::to_vec(body) {
        Ok(bytes) => json_bytes(status, bytes),
        Err(_) => Problem::new("SR-HTTP-010", 500, "the answer could not be written").into_response(),
    }
}

/// An answer whose JSON is already written.
pub fn json_bytes(status: StatusCode, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.to_body()).unwrap_or_default();
        let mut response = json_bytes(status, body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status.is_server_error() {
            crate::note!(ERROR, "a request failed", code = self.code, status = self.status);
        }
        response
    }
}

/// A request that has been let in: who, on what, with which body.
#[derive(Debug)]
pub struct Request {
    /// The house.
    pub house: Arc<House>,
    /// Who calls.
    pub caller: Caller,
    /// The headers.
    pub headers: HeaderMap,
    /// What stood in the path for its parameters, with `/` between them.
    pub target: String,
    /// The query, undecoded; it never holds personal data.
    pub query: String,
    /// The body, whole.
    pub body: Bytes,
}

impl Request {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read_json(&self.body)
    }

    /// A parameter of the query: letters, digits and a few signs, as they stand.
    ///
    /// Fails: `SR-HTTP-011` when it stands there twice or holds other signs.
    pub fn parameter(&self, name: &str) -> Result<Option<&str>, Problem> {
        parameter(&self.query, name)
    }
}

fn parameter<'q>(query: &'q str, name: &str) -> Result<Option<&'q str>, Problem> {
    let fault = || Problem::new("SR-HTTP-011", 400, "a parameter of the query is not of the expected form");
    let mut found = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
    let value = found.next().map(|(_, value)| value);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    if found.next().is_some() || value.is_some_and(|value| value.len() > 128 || !value.bytes().all(plain)) {
        return Err(fault());
    }
    Ok(value)
}

/// A request of anybody, with or without a credential.
#[derive(Debug)]
pub struct Visit {
    /// The house.
    pub house: Arc<House>,
    /// Who calls, if they showed a valid credential.
    pub caller: Option<Caller>,
    /// The headers.
    pub headers: HeaderMap,
    /// What stood in the path for its parameter, if the route has one.
    pub target: String,
    /// The query, undecoded; it never holds personal data.
    pub query: String,
    /// The body, whole; empty where the route takes none.
    pub body: Bytes,
}

impl Visit {
    /// A parameter of the query. Fails: `SR-HTTP-011`, see [`Request::parameter`].
    pub fn parameter(&self, name: &str) -> Result<Option<&str>, Problem> {
        parameter(&self.query, name)
    }
}

/// What a handler gives, later.
pub type Answer = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Problem>> + Send>>;

/// Who may use a route, and what does it.
#[derive(Debug, Clone, Copy)]
pub enum Handler {
    /// Callers whose role includes a deed.
    Callers(Deed, fn(Request) -> Answer),
    /// Callers whose role includes a deed, who send more than anybody should hold at once: the body is not read before.
    Senders(Deed, fn(Sent) -> Answer),
    /// Everybody.
    Anybody(fn(Visit) -> Answer),
    /// Pages of a shop: its publishable key stands in the path.
    Pages(fn(Request) -> Answer),
}

/// A request that has been let in, whose body is still on its way.
#[derive(Debug)]
pub struct Sent {
    /// The house.
    pub house: Arc<House>,
    /// Who calls.
    pub caller: Caller,
    /// The headers.
    pub headers: HeaderMap,
    /// What stood in the path for its parameters, with `/` between them.
    pub target: String,
    /// The body, as it comes. If its length was said, it is what the route allows, and no more comes than was said; if it was
    /// not, there may be more than that: the handler counts.
    pub body: Body,
}

/// One route of a room. The desk lets callers in, reads bodies, counts, and renders problems; a room says what there is.
#[derive(Clone, Copy)]
pub struct Route {
    /// HTTP method.
    pub method: &'static str,
    /// Path; `{target}` or `{*target}` is its parameter. A part of a record is `{field}`, behind it.
    pub path: &'static str,
    /// What its addresses end in, where the end says which route of a path is meant: `:reveal`.
    pub verb: Option<&'static str>,
    /// Longest body, bytes.
    pub body_limit: usize,
    /// Who may use it, and what does it.
    pub handler: Handler,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Route {
    /// A POST route for callers whose role includes a deed.
    pub const fn post(path: &'static str, deed: Deed, handler: fn(Request) -> Answer) -> Route {
        let handler = Handler::Callers(deed, handler);
        Route { method: "POST", path, verb: None, body_limit: BODY_LIMIT, handler }
    }

    /// A GET route for callers whose role includes a deed.
    pub const fn get(path: &'static str, deed: Deed, handler: fn(Request) -> Answer) -> Route {
        Route { method: "GET", path, verb: None, body_limit: 0, handler: Handler::Callers(deed, handler) }
    }

    /// A PUT route for callers whose role includes a deed, and whose body is taken as it comes.
    pub const fn put(
        path: &'static str,
        deed: Deed,
        body_limit: usize,
        handler: fn(Sent) -> Answer,
    ) -> Route {
        Route { method: "PUT", path, verb: None, body_limit, handler: Handler::Senders(deed, handler) }
    }

    /// A GET route for pages of a shop, whose key is the path's parameter.
    pub const fn show(path: &'static str, handler: fn(Request) -> Answer) -> Route {
        Route { method: "GET", path, verb: None, body_limit: 0, handler: Handler::Pages(handler) }
    }

    /// A POST route for them. Takes: the longest body, bytes.
    pub const fn take(path: &'static str, body_limit: usize, handler: fn(Request) -> Answer) -> Route {
        Route { method: "POST", path, verb: None, body_limit, handler: Handler::Pages(handler) }
    }

    /// A GET route for everybody.
    pub const fn open(path: &'static str, handler: fn(Visit) -> Answer) -> Route {
        Route { method: "GET", path, verb: None, body_limit: 0, handler: Handler::Anybody(handler) }
    }

    /// A POST route for everybody. Takes: the longest body, bytes.
    pub const fn drop_in(path: &'static str, body_limit: usize, handler: fn(Visit) -> Answer) -> Route {
        Route { method: "POST", path, verb: None, body_limit, handler: Handler::Anybody(handler) }
    }

    /// The same for addresses that end in a verb. Other routes of its path take no address that ends so.
    #[must_use]
    pub const fn ending_in(self, verb: &'static str) -> Route {
        Route { verb: Some(verb), ..self }
    }

    /// Does it take an address that ends so? Takes: what stands in the address for the path's parameters, and the verbs of
    /// all routes of this path.
    pub fn takes(&self, target: &str, verbs: &[&str]) -> bool {
        match self.verb {
            Some(verb) => target.ends_with(verb),
            None => !verbs.iter().any(|verb| target.ends_with(verb)),
        }
    }

    /// What a caller's role must include; `None` where everybody may.
    pub fn deed(&self) -> Option<Deed> {
        match self.handler {
            Handler::Callers(deed, _) | Handler::Senders(deed, _) => Some(deed),
            Handler::Anybody(_) | Handler::Pages(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Form {
        name: String,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        numbers: Vec<u8>,
    }

    fn fault(body: &[u8]) -> (&'static str, u16, Option<String>, String) {
        let problem = read_json::<Form>(body).unwrap_err();
        (problem.code, problem.status, problem.pointer.clone(), problem.title.into_owned())
    }

    #[test]
    fn faults_have_a_code_and_a_pointer_and_never_the_value() {
        let secret = "ann@shop.example";
        let bodies: Vec<(Vec<u8>, &str, &str)> = vec![
            (br#"{"name":"ann@shop.example""#.to_vec(), "SR-HTTP-002", ""),
            (br#"{"name":["ann@shop.example"]}"#.to_vec(), "SR-HTTP-003", "/name"),
            (br#"{"name":"x","ann@shop.example":1}"#.to_vec(), "SR-HTTP-003", "/*"),
            (br#"{"name":"x","name":"ann@shop.example"}"#.to_vec(), "SR-HTTP-003", "/name"),
            (br#"{"inner":null}"#.to_vec(), "SR-HTTP-003", "/name"),
            (
                br#"{"name":"x","inner":{"numbers":[1,"ann@shop.example"]}}"#.to_vec(),
                "SR-HTTP-003",
                "/inner/numbers/1",
            ),
            (b"{\"name\":\"\xff\"}".to_vec(), "SR-HTTP-002", ""),
            (br#"{"name":"x"} trailing"#.to_vec(), "SR-HTTP-002", ""),
            ("[".repeat(100_000).into_bytes(), "SR-HTTP-003", ""),
        ];
        for (body, code, pointer) in bodies {
            let (found, status, at, title) = fault(&body);
            assert_eq!(found, code);
            assert!((400..500).contains(&status));
            assert!(!title.contains(secret) && !at.clone().unwrap_or_default().contains(secret), "{title}");
            if !pointer.is_empty() {
                assert_eq!(at.as_deref(), Some(pointer));
            }
        }
    }

    #[test]
    fn names_look_like_names_and_values_do_not() {
        for name in ["phone", "recipient_name", "sf-express"] {
            assert!(looks_like_a_name(name));
        }
        for value in ["", "13812345678", "ann@shop.example", "Ann", "安安", "a b"] {
            assert!(!looks_like_a_name(value));
        }
    }
}
