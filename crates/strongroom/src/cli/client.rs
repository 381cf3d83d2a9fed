//! How commands reach the vault: over the operator's socket when a server owns the folder, else by opening it themselves.
//! Either way they speak to the same routes.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::caretaker::Caretaker;
use crate::config::{Config, Flags, LimitsConfig};
use crate::desk::operator::Line;
use crate::desk::{Desk, SOCKET};
use crate::ground::Problem;
use crate::ground::clock::MachineClock;
use crate::open;

/// A way to the vault.
pub(crate) struct Client {
    way: Way,
    shop: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.way {
            Way::Socket(_) => "Client(socket)",
            Way::Here(..) => "Client(here)",
        })
    }
}

enum Way {
    Socket(PathBuf),
    Here(Router, Arc<Desk>),
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

impl Client {
    /// Finds the server of a data folder, or opens the folder.
    ///
    /// Fails: as opening does; `SR-CLI-001` when a server owns the folder and does not answer.
    pub(crate) async fn reach(flags: &Flags, data: &Path, shop: Option<String>) -> Result<Client, Problem> {
        let socket = data.join(SOCKET);
        if UnixStream::connect(&socket).await.is_ok() {
            return Ok(Client { way: Way::Socket(socket), shop });
        }
        let config = Config::read(flags, data)?;
        let (folder, rows) = (data.to_path_buf(), config.store.rows()?);
        super::blocking(move || open::must_have_vault(&folder, &rows)).await?;
        let places = config.places(flags, data)?;
        let limits = LimitsConfig { requests_per_second: 0, ..config.limits };
        let desk = tokio::task::spawn_blocking(move || {
            let house = open::open(&places, Arc::new(MachineClock::new())).map_err(explain_owned)?;
            let caretaker = Caretaker::start(Arc::clone(&house))?;
            Ok::<_, Problem>(Desk::new(house, caretaker, &limits))
        })
        .await
        .map_err(|_| store::Error::Panicked)??;
        Ok(Client { way: Way::Here(desk.operator(), desk), shop })
    }

    /// Sends a request and reads its answer whole.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Body,
    ) -> Result<Answer, Problem> {
        let response = self.begin(method, path, headers, body).await?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|_| broke())?.to_bytes();
        Ok(Answer { status, body })
    }

    /// Sends a request and gives its answer as it comes. Fails: with the problem that it is.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Body,
    ) -> Result<Body, Problem> {
        let response = self.begin(method, path, headers, body).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response.into_body());
        }
        let body = response.into_body().collect().await.map_err(|_| broke())?.to_bytes();
        Err(Answer { status, body }.read::<Json>().err().unwrap_or_else(broke))
    }

    /// GET, and read what it says.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.send(Method::GET, path, &[], Body::empty()).await?.read()
    }

    /// POST JSON, and read what it says.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Problem> {
        let body = serde_json::to_vec(body).unwrap_or_default();
        self.send(Method::POST, path, &[], Body::from(body)).await?.read()
    }

    /// Sends a command and shows its lines as they come. Gives what came of it.
    pub(crate) async fn run(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        body: Body,
        mut each: impl FnMut(Line),
    ) -> Result<Json, Problem> {
        let response = self.begin(Method::POST, path, headers, body).await?;
        if !response.status().is_success() {
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|_| broke())?.to_bytes();
            return Answer { status, body }.read();
        }
        let mut body = response.into_body();
        let mut waiting = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| broke())?.into_data() else { continue };
            waiting.extend_from_slice(&data);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line = waiting.split_to(end.saturating_add(1));
                match serde_json::from_slice(&line).map_err(|_| broke())? {
                    Line::Done(done) => return Ok(done),
                    Line::Problem(problem) => return Err(problem_of(&problem)),
                    line => each(line),
                }
            }
        }
        Err(broke())
    }

    async fn begin(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        let mut all = HeaderMap::new();
        if let Some(shop) = &self.shop {
            all.insert("strongroom-shop", HeaderValue::from_str(shop).map_err(|_| bad_header())?);
        }
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| bad_header())?;
            all.insert(HeaderName::from_static(name), value);
        }
        let path = match &self.shop {
            Some(shop) if path.starts_with("/operator/") => {
                format!("{path}{}shop={shop}", if path.contains('?') { '&' } else { '?' })
            }
            _ => path.to_owned(),
        };
        let mut request =
            Request::builder().method(method).uri(&path).body(body).map_err(|_| bad_header())?;
        *request.headers_mut() = all;
        match &self.way {
            Way::Here(router, _) => {
                let Ok(response) = router.clone().oneshot(request).await;
                Ok(response)
            }
            Way::Socket(socket) => {
                request.headers_mut().insert("host", HeaderValue::from_static("strongroom"));
                let stream = UnixStream::connect(socket).await.map_err(|_| broke())?;
                send_over(TokioIo::new(stream), request).await
            }
        }
    }

    /// Closes what was opened for this command.
    pub(crate) async fn close(self) {
        if let Way::Here(router, desk) = self.way {
            drop(router);
            let _ = tokio::task::spawn_blocking(move || {
                desk.caretaker.lock().unwrap_or_else(std::sync::PoisonError::into_inner).stop();
                desk.house.close();
            })
            .await;
        }
    }
}

/// A body that is what stands before a file, and the file piece by piece.
pub(crate) fn body_of(before: Bytes, mut file: std::fs::File) -> Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(8);
    tokio::task::spawn_blocking(move || {
        if !before.is_empty() && sender.blocking_send(Ok(before)).is_err() {
            return;
        }
        let mut buffer = vec![0; 256 << 10];
        loop {
            let piece = match file.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => Ok(Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default())),
                Err(error) => Err(error),
            };
            if sender.blocking_send(piece).is_err() {
                return;
            }
        }
    });
    Body::from_stream(futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    }))
}

/// Sends one request over a connection of its own.
pub(crate) async fn send_over<S>(
    stream: TokioIo<S>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(|_| broke())?;
    tokio::spawn(async move {
        let _ = connection.await;
    });
    let response = sender.send_request(request).await.map_err(|_| broke())?;
    Ok(response.map(Body::new))
}

impl Answer {
    /// What the answer says. Fails: with the problem that it is.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.status.is_success() {
            return serde_json::from_slice(&self.body).map_err(|_| broke());
        }
        let problem: Json = serde_json::from_slice(&self.body).map_err(|_| broke())?;
        Err(problem_of(&problem))
    }
}

/// A problem out of its JSON. Codes and helps of ours are static words; those of a newer server are told by their text.
fn problem_of(said: &Json) -> Problem {
    let text = |name: &str| said.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let status = said
        .get("status")
        .and_then(Json::as_u64)
        .and_then(|status| u16::try_from(status).ok())
        .unwrap_or(500);
    let mut problem = Problem::new(leak_once(&text("code")), status, text("title"));
    problem.pointer = said.get("pointer").and_then(Json::as_str).map(str::to_owned);
    problem.help = said.get("help").and_then(Json::as_str).map(leak_once);
    for reason in said.get("reasons").and_then(Json::as_array).into_iter().flatten() {
        let text = |name: &str| leak_once(reason.get(name).and_then(Json::as_str).unwrap_or_default());
        let list = |name: &str| {
            let all = reason.get(name).and_then(Json::as_array).into_iter().flatten();
            all.filter_map(Json::as_str).map(str::to_owned).collect()
        };
        problem.reasons.push(crate::ground::Reason {
            name: text("name"),
            text: text("text"),
            text_zh: text("text_zh"),
            fields: list("fields"),
            law: list("law"),
        });
    }
    problem
}

/// A command shows at most one problem before it ends, so its few words may live as long as the process.
fn leak_once(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn explain_owned(problem: Problem) -> Problem {
    if problem.code == store::Error::Owned.code() {
        return Problem::new(
            "SR-CLI-001",
            500,
            "a server owns this data folder, and its socket does not answer",
        )
        .help("it may be starting or stopping; try again, or look whether it still runs");
    }
    problem
}

pub(super) fn broke() -> Problem {
    Problem::new("SR-CLI-002", 500, "the server's answer did not arrive whole")
        .help("look into the server's log, and try again")
}

fn bad_header() -> Problem {
    Problem::new("SR-CLI-003", 400, "a name given on the command line cannot be sent")
}
