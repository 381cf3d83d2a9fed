//! Who asks whom: the callers of the walk-through, their credentials, and the wire.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;

use super::made_up::Customer;
use super::paper::{Language, Paper, both};
use crate::cli::client::send_over;
use crate::desk::{Desk, Listening};
use crate::ground::Problem;
use crate::open::Made;

/// Why a walk-through stops before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// This does not hold.
    Wrong(String),
    /// Something failed that has nothing to do with what is shown.
    Problem(Problem),
    /// Somebody asked for it.
    Asked,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Problem(problem)
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Admin,
    Checkout,
    Warehouse,
    Support,
    Marketing,
    Finance,
    Officer,
    /// Somebody without any credential.
    Stranger,
}

impl Who {
    /// Those who get a credential, each with its role and its purposes.
    pub(super) const HIRED: [(Who, &'static str, &'static [&'static str]); 6] = [
        (Who::Checkout, "intake", &[]),
        (Who::Warehouse, "service", &["delivery"]),
        (Who::Support, "service", &["account", "after_sales"]),
        (Who::Marketing, "service", &["marketing_email", "recommendations"]),
        (Who::Finance, "service", &["payment", "tax"]),
        (Who::Officer, "officer", &[]),
    ];

    /// The technical name of the credential.
    pub(super) fn label(self) -> &'static str {
        match self {
            Who::Admin => "admin",
            Who::Checkout => "checkout",
            Who::Warehouse => "warehouse",
            Who::Support => "support",
            Who::Marketing => "marketing",
            Who::Finance => "finance",
            Who::Officer => "officer",
            Who::Stranger => "stranger",
        }
    }

    /// How people call it.
    pub(super) fn name(self, language: Language) -> &'static str {
        if language == Language::En {
            return match self {
                Who::Stranger => "a stranger",
                known => known.label(),
            };
        }
        match self {
            Who::Admin => "管理员",
            Who::Checkout => "结账页面",
            Who::Warehouse => "仓库",
            Who::Support => "客服",
            Who::Marketing => "市场部",
            Who::Finance => "财务",
            Who::Officer => "隐私负责人",
            Who::Stranger => "陌生人",
        }
    }
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// What the walk-through stands on.
pub(super) struct Stage {
    pub(super) paper: Paper,
    pub(super) listening: Listening,
    pub(super) folder: PathBuf,
    pub(super) desk: Arc<Desk>,
    /// The key that `init` printed: all that a stranger has to trust.
    pub(super) verifier_key: String,
    pub(super) now: i64,
    credentials: Vec<(Who, String)>,
    number: usize,
    /// The customers who are made up; the walk-through follows the first.
    pub(super) customers: Vec<Customer>,
    /// The policy in force, read again from the answer of `/v1/policy`.
    pub(super) policy: Option<policy::Policy>,
    /// Public id of the first customer.
    pub(super) subject: String,
    /// Public id of the first customer's order.
    pub(super) record: String,
    /// The head that somebody kept at the beginning.
    pub(super) head_kept: String,
    /// The certificate of the erasure, as it was answered.
    pub(super) certificate: Json,
}

impl Stage {
    pub(super) fn new(
        paper: Paper,
        listening: Listening,
        folder: &Path,
        desk: Arc<Desk>,
        made: Made,
        now: i64,
    ) -> Stage {
        Stage {
            paper,
            listening,
            folder: folder.to_path_buf(),
            desk,
            verifier_key: made.verifier_key,
            now,
            credentials: vec![(Who::Admin, made.admin.to_string())],
            number: 0,
            customers: Vec::new(),
            policy: None,
            subject: String::new(),
            record: String::new(),
            head_kept: String::new(),
            certificate: Json::Null,
        }
    }

    pub(super) fn language(&self) -> Language {
        self.paper.language
    }

    /// The step that is being walked.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Begins the next step.
    pub(super) fn step(&mut self, title: &str) {
        self.number += 1;
        self.paper.step(Some(self.number), title);
    }

    /// The customer that the walk-through follows.
    pub(super) fn hero(&self) -> Result<Customer, Stop> {
        self.customers
            .first()
            .cloned()
            .ok_or_else(|| Stop::Wrong(both!(self.language(), "there is a customer", "至少有一位顾客")))
    }

    /// A fact: shown when it holds, the end of the walk-through when it does not.
    pub(super) fn must(&mut self, holds: bool, fact: String) -> Result<(), Stop> {
        if !holds {
            return Err(Stop::Wrong(fact));
        }
        self.paper.fact(&fact);
        Ok(())
    }

    pub(super) fn hire(&mut self, who: Who, credential: String) {
        self.credentials.push((who, credential));
    }

    /// The credential of a caller; `None` for a stranger.
    pub(super) fn credential(&self, who: Who) -> Option<&str> {
        self.credentials.iter().find(|(known, _)| *known == who).map(|(_, credential)| credential.as_str())
    }

    /// Asks, shows question and answer, and gives the answer. It must have this status.
    pub(super) async fn ask(
        &mut self,
        who: Who,
        path: &str,
        body: &Json,
        must_be: u16,
    ) -> Result<Json, Stop> {
        let answer = self.send(who, "POST", path, Some(body)).await?;
        self.show(who, "POST", path, Some(body), &answer, must_be)
    }

    /// The same without a body.
    pub(super) async fn get(&mut self, who: Who, path: &str, must_be: u16) -> Result<Json, Stop> {
        let answer = self.send(who, "GET", path, None).await?;
        self.show(who, "GET", path, None, &answer, must_be)
    }

    fn show(
        &mut self,
        who: Who,
        method: &str,
        path: &str,
        body: Option<&Json>,
        answer: &Answer,
        must_be: u16,
    ) -> Result<Json, Stop> {
        let read: Json = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
        let shown_path = super::paper::shortened_ids(path);
        self.paper.asked(who.name(self.language()), method, &shown_path, body);
        self.paper.answered(answer.status, &read);
        self.status(answer.status, must_be)?;
        Ok(read)
    }

    fn status(&self, is: u16, must_be: u16) -> Result<(), Stop> {
        if is == must_be {
            return Ok(());
        }
        Err(Stop::Wrong(both!(
            self.language(),
            "the answer is {must_be} (it was {is})",
            "应答为 {must_be}（实际为 {is}）"
        )))
    }

    /// Asks without showing it. The answer must be yes.
    pub(super) async fn quietly(&self, who: Who, path: &str, body: &Json) -> Result<Json, Stop> {
        let answer = self.send(who, "POST", path, Some(body)).await?;
        if !(200..300).contains(&answer.status) {
            self.status(answer.status, 200)?;
        }
        Ok(serde_json::from_slice(&answer.body).unwrap_or(Json::Null))
    }

    /// Fetches bytes. The answer must be yes.
    pub(super) async fn fetch(&self, who: Who, path: &str) -> Result<Bytes, Stop> {
        let answer = self.send(who, "GET", path, None).await?;
        self.status(answer.status, 200)?;
        Ok(answer.body)
    }

    /// One request over a connection of its own, as any client would send it.
    pub(super) async fn send(
        &self,
        who: Who,
        method: &str,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Answer, Problem> {
        send(self.listening.api, self.credential(who), method, path, body).await
    }

    /// One request to the admin door.
    pub(super) async fn send_to_admin_door(&self, path: &str) -> Result<Answer, Problem> {
        send(self.listening.admin, None, "GET", path, None).await
    }
}

async fn send(
    door: SocketAddr,
    credential: Option<&str>,
    method: &str,
    path: &str,
    body: Option<&Json>,
) -> Result<Answer, Problem> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, door.to_string());
    if let Some(credential) = credential {
        request = request.header(header::AUTHORIZATION, format!("Bearer {credential}"));
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = request.body(body).map_err(|_| unsent())?;
    let stream = TcpStream::connect(door).await?;
    let response = send_over(TokioIo::new(stream), request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|_| unsent())?.to_bytes();
    Ok(Answer { status, body })
}

fn unsent() -> Problem {
    Problem::new("SR-CLI-002", 500, "the server's answer did not arrive whole")
        .help("look into the server's log, and try again")
}

/// A text at a pointer; empty when it is not there.
pub(super) fn text<'v>(value: &'v Json, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

/// The texts of a list at a pointer.
pub(super) fn texts<'v>(value: &'v Json, pointer: &str) -> Vec<&'v str> {
    value.pointer(pointer).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
}

/// An order by the shop's own id.
pub(super) fn order(customer: &Customer) -> Json {
    json!({ "kind": "order", "external_id": customer.order })
}
