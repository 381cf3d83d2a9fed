//! Routes of the room: approvals of more persons than a limit.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use store::Lane;
use utoipa::ToSchema;

use super::approvals::{self, ApprovalRow, ApprovalState, AskApproval, Decided};
use crate::ground::clock::instant;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Request, Route, answer, id_before, no_route, read_json};
use crate::ground::{ApprovalId, CredentialId, Deed, EntryId, Id, Ids, InForce, Problem};

/// What the room answers to about approvals.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/approvals", Deed::AskApproval, |request| Box::pin(get_approvals(request))),
        Route::post("/v1/approvals", Deed::AskApproval, |request| Box::pin(post_approval(request))),
        Route::post("/v1/approvals/{target}", Deed::Approve, |request| Box::pin(post_decide(request))),
    ]
}

/// Approvals that are listed at the most.
const LISTED: u32 = 1_000;

/// What was asked for, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalFound {
    /// Its public id.
    pub id: String,
    /// `asked`, `approved` (it stands), `refused`, or `ended`.
    pub state: &'static str,
    /// The credential that may reach more.
    pub credential: String,
    /// For which purpose.
    pub purpose: String,
    /// Persons at the most.
    pub subjects: u32,
    /// For how long it stands once approved.
    pub hours: u32,
    /// Why.
    pub reason: String,
    /// Who asked: a credential's public id, or `operator`.
    pub asked_by: String,
    /// When (RFC 3339).
    pub asked: String,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<String>,
    /// Until when it can be approved, or stands, or stood (RFC 3339).
    pub until: String,
}

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalIn {
    /// Public id of the credential that shall reach more.
    #[schema(example = "srk_aaaaaaaaaaaaaaaaaaaaaaaaaa")]
    credential: String,
    /// For which purpose; it has to have it.
    #[schema(example = "delivery")]
    purpose: String,
    /// Persons at the most, 1 to 10,000,000. They are counted apart from its limit.
    #[schema(example = 5000)]
    subjects: u32,
    /// For how long, from when somebody approves: hours, 1 to 168.
    #[schema(example = 24)]
    hours: u32,
    /// A reference, 1 to 60 of `a-z 0-9 - _ .`: a ticket or a job; never a person's name.
    #[schema(example = "recall-of-batch-17")]
    reason: String,
}

/// An approval that was asked for or decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalChanged {
    /// Its public id.
    pub id: String,
    /// Until when it stands (RFC 3339), if it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The ledger's entry.
    pub entry: String,
}

/// What was asked for and decided, the latest first.
#[utoipa::path(get, path = "/v1/approvals", tag = "credentials",
    responses((status = 200, description = "The approvals", body = Vec<ApprovalFound>)))]
pub(crate) async fn get_approvals(request: Request) -> Result<Response<Body>, Problem> {
    let (shop, policy) = (request.caller.shop.clone(), request.caller.shop.policy());
    let rows = request.house.look(move |view| approvals::list(view, &shop, LISTED)).await?;
    let now = request.house.clock.now();
    let body: Vec<ApprovalFound> =
        rows.iter().map(|row| found(row, now, &request.house.ids, &policy)).collect();
    Ok(answer(StatusCode::OK, &body))
}

fn found(row: &ApprovalRow, now: i64, ids: &Ids, policy: &InForce) -> ApprovalFound {
    let who = |number: u64| match number {
        0 => String::from("operator"),
        number => ids.show(CredentialId::from_number(number)),
    };
    let decided = row.state != ApprovalState::Asked;
    ApprovalFound {
        id: ids.show(row.id),
        state: match row.state {
            ApprovalState::Refused => "refused",
            _ if row.ends_at <= now => "ended",
            ApprovalState::Asked => "asked",
            ApprovalState::Approved => "approved",
        },
        credential: ids.show(row.credential),
        purpose: policy.registry.purpose_name(row.purpose).map(ToString::to_string).unwrap_or_default(),
        subjects: row.subjects,
        hours: row.hours,
        reason: row.said.clone(),
        asked_by: who(row.asked_by),
        asked: instant(row.asked_at),
        decided_by: decided.then(|| who(row.decided_by)),
        decided: decided.then(|| instant(row.decided_at)),
        until: instant(row.ends_at),
    }
}

/// Ask that a credential may reach more persons for a while.
#[utoipa::path(post, path = "/v1/approvals", tag = "credentials", request_body = ApprovalIn,
    responses((status = 201, description = "Asked; somebody else has to approve within seven days", body = ApprovalChanged),
              (status = 422, description = "No such credential with this purpose, or a number is out of range", body = ProblemBody)))]
pub(crate) async fn post_approval(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: ApprovalIn = read_json(&body)?;
    let policy = caller.shop.policy();
    let purpose = policy
        .compiled
        .find_purpose(&input.purpose)
        .ok_or_else(|| super::no_such_purpose().at("/purpose"))?;
    let ask = AskApproval {
        credential: house.ids.read(&input.credential).map_err(|_| approvals::no_such_credential())?,
        purpose: purpose.ordinal,
        subjects: input.subjects,
        hours: input.hours,
        said: input.reason,
    };
    let committed =
        house.work(Lane::High, &caller.shop, &caller.actor, move |work| approvals::ask(&ask, work)).await?;
    let (id, entry) = committed.into_value();
    Ok(answer(StatusCode::CREATED, &changed(&house.ids, id, None, entry)))
}

fn changed(ids: &Ids, id: ApprovalId, until: Option<i64>, entry: EntryId) -> ApprovalChanged {
    ApprovalChanged { id: ids.show(id), until: until.map(instant), entry: ids.show(entry) }
}

/// `{id}:approve`, `{id}:refuse`.
async fn post_decide(request: Request) -> Result<Response<Body>, Problem> {
    match request.target.rsplit_once(':') {
        Some((_, "approve")) => post_approve(request).await,
        Some((_, "refuse")) => post_refuse(request).await,
        _ => Err(no_route()),
    }
}

async fn decide(request: Request, suffix: &'static str, decided: Decided) -> Result<Response<Body>, Problem> {
    let Request { house, caller, target, .. } = request;
    let id: ApprovalId = id_before(&house.ids, &target, suffix, |_| approvals::missing())?;
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| approvals::decide(id, decided, work))
        .await?;
    let (row, entry) = committed.into_value();
    let until = row.approved().map(|approved| approved.ends_at);
    Ok(answer(StatusCode::OK, &changed(&house.ids, id, until, entry)))
}

/// Approve what somebody else asked for.
#[utoipa::path(post, path = "/v1/approvals/{id}:approve", tag = "credentials",
    params(("id" = String, Path, description = "The approval's public id, `apr_…`")),
    responses((status = 200, description = "It stands from now on", body = ApprovalChanged),
              (status = 403, description = "It is one's own", body = ProblemBody),
              (status = 409, description = "It does not wait: decided, too old, or not there", body = ProblemBody)))]
pub(crate) async fn post_approve(request: Request) -> Result<Response<Body>, Problem> {
    decide(request, ":approve", Decided::Approve).await
}

/// Refuse what was asked for.
#[utoipa::path(post, path = "/v1/approvals/{id}:refuse", tag = "credentials",
    params(("id" = String, Path, description = "The approval's public id, `apr_…`")),
    responses((status = 200, description = "Refused", body = ApprovalChanged),
              (status = 409, description = "It does not wait: decided, too old, or not there", body = ProblemBody)))]
pub(crate) async fn post_refuse(request: Request) -> Result<Response<Body>, Problem> {
    decide(request, ":refuse", Decided::Refuse).await
}
