//! Routes of the room: credentials, for admins.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use policy::{Limit, PurposeSet};
use serde::{Deserialize, Serialize};
use store::Lane;
use utoipa::ToSchema;

use super::{CredentialRow, NewCredential};
use crate::ground::clock::instant;
use crate::ground::problem::ProblemBody;
use crate::ground::random::SystemRandom;
use crate::ground::web::{Request, Route, answer, id_before, no_route, read_json};
use crate::ground::work::Work;
use crate::ground::{CredentialId, Deed, EntryId, Id, Ids, InForce, Numbered, Problem, Role};

/// What the room answers to.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/credentials", Deed::Credentials, |request| Box::pin(get_credentials(request))),
        Route::post("/v1/credentials", Deed::Credentials, |request| Box::pin(post_credential(request))),
        Route::post("/v1/credentials/{target}", Deed::Credentials, |request| Box::pin(post_change(request))),
    ]
}

/// A credential, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialFound {
    /// Its public id: what stands before the secret.
    pub id: String,
    /// Its role.
    pub role: Role,
    /// What it is for.
    pub label: String,
    /// The purposes that it may use.
    pub purposes: Vec<String>,
    /// May it say on whose behalf it acts?
    pub on_behalf_of: bool,
    /// When it was made (RFC 3339).
    pub since: String,
    /// When it was revoked (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
    /// How many persons it may reach over all its purposes; left out, when only the policy's limits hold for each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// When it was frozen (RFC 3339); left out while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// Why it was last frozen or let go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A credential to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialIn {
    /// Its role.
    role: Role,
    /// What it is for: a technical name, 1 to 60 of `a-z 0-9 - _ .`; never a person's.
    #[schema(example = "warehouse")]
    label: String,
    /// The purposes that it may use, as the policy names them.
    #[serde(default)]
    purposes: Vec<String>,
    /// May it say on whose behalf it acts (header `Strongroom-On-Behalf-Of`)?
    #[serde(default)]
    on_behalf_of: bool,
    /// How many persons it may reach over all its purposes: `200 subjects per hour, 1000 per day`. Left out, only the policy's
    /// limits hold, for each purpose. They hold in any case.
    #[serde(default)]
    #[schema(example = "200 subjects per hour, 1000 per day")]
    limit: Option<String>,
}

/// A credential that was made. The secret is shown here and never again, so it has no Debug.
#[expect(missing_debug_implementations, reason = "it holds a secret")]
#[derive(Serialize, ToSchema)]
pub struct CredentialMade {
    /// Its public id.
    pub id: String,
    /// What its holder presents: `Authorization: Bearer srk_…`.
    pub credential: String,
    /// The ledger's entry.
    pub entry: String,
}

/// The credentials of the shop.
#[utoipa::path(get, path = "/v1/credentials", tag = "credentials",
    responses((status = 200, description = "The credentials, revoked ones too", body = Vec<CredentialFound>)))]
pub(crate) async fn get_credentials(request: Request) -> Result<Response<Body>, Problem> {
    let (shop, policy) = (request.caller.shop.clone(), request.caller.shop.policy());
    let rows = request.house.look(move |view| super::list(view, &shop, 10_000)).await?;
    let body: Vec<CredentialFound> = rows.iter().map(|row| found(row, &request.house.ids, &policy)).collect();
    Ok(answer(StatusCode::OK, &body))
}

fn found(row: &CredentialRow, ids: &Ids, policy: &InForce) -> CredentialFound {
    let name = |purpose: u16| policy.registry.purpose_name(purpose).map(ToString::to_string);
    CredentialFound {
        id: ids.show(row.id),
        role: row.role,
        label: row.label.clone(),
        purposes: row.purposes.iter().filter_map(name).collect(),
        on_behalf_of: row.for_others,
        since: instant(row.since),
        revoked: (row.revoked_at != 0).then(|| instant(row.revoked_at)),
        limit: row.limit.map(|limit| limit.to_string()),
        frozen: (row.frozen_at != 0).then(|| instant(row.frozen_at)),
        reason: (!row.said.is_empty()).then(|| row.said.clone()),
    }
}

/// Make a credential.
#[utoipa::path(post, path = "/v1/credentials", tag = "credentials", request_body = CredentialIn,
    responses((status = 201, description = "Made; the secret is shown here and never again", body = CredentialMade),
              (status = 422, description = "The policy has no such purpose, the label is not a technical name, or the limit is none", body = ProblemBody)))]
pub(crate) async fn post_credential(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: CredentialIn = read_json(&body)?;
    let policy = caller.shop.policy();
    let mut purposes = PurposeSet::EMPTY;
    for (position, name) in input.purposes.iter().enumerate() {
        let purpose = policy
            .compiled
            .find_purpose(name)
            .ok_or_else(|| super::no_such_purpose().at(format!("/purposes/{position}")))?;
        purposes.add(purpose.ordinal);
    }
    let limit = input.limit.as_deref().map(limit_of).transpose()?;
    let number = loop {
        match house.number(Numbered::Credential) {
            Ok(number) => break number,
            Err(empty) => house.refill(empty.0).await?,
        }
    };
    let id = CredentialId::from_number(number);
    let random = &mut SystemRandom::new();
    let new = NewCredential::new(id, input.role, &input.label, purposes, input.on_behalf_of, random)?
        .limited(limit);
    let shown = new.shown(&house.ids);
    let committed =
        house.work(Lane::High, &caller.shop, &caller.actor, move |work| super::add(&new, work)).await?;
    let entry = house.ids.show(committed.into_value());
    let made = CredentialMade { id: house.ids.show(id), credential: shown.to_string(), entry };
    Ok(answer(StatusCode::CREATED, &made))
}

fn limit_of(text: &str) -> Result<Limit, Problem> {
    text.parse().map_err(|_| {
        Problem::new("SR-PEOPLE-016", 422, "this is not a limit")
            .help("a limit reads `200 subjects per hour, 1000 per day`; one of the two is enough")
            .at("/limit")
    })
}

/// `{id}:revoke`, `{id}:freeze`, `{id}:unfreeze`.
async fn post_change(request: Request) -> Result<Response<Body>, Problem> {
    match request.target.rsplit_once(':') {
        Some((_, "revoke")) => post_revoke(request).await,
        Some((_, "freeze")) => post_freeze(request).await,
        Some((_, "unfreeze")) => post_unfreeze(request).await,
        _ => Err(no_route()),
    }
}

/// Why somebody freezes a credential, or lets it go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeIn {
    /// A reference, 1 to 60 of `a-z 0-9 - _ .`: a ticket or a job; never a person's name.
    #[schema(example = "incident-17")]
    reason: String,
}

/// A credential that was frozen or let go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialChanged {
    /// Its public id.
    pub id: String,
    /// The ledger's entry.
    pub entry: String,
}

type Verb = fn(CredentialId, &str, &mut Work<'_, '_>) -> Result<EntryId, Problem>;

async fn change(request: Request, suffix: &'static str, verb: Verb) -> Result<Response<Body>, Problem> {
    let Request { house, caller, target, body, .. } = request;
    let input: FreezeIn = read_json(&body)?;
    let id: CredentialId = id_before(&house.ids, &target, suffix, |_| super::missing())?;
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| verb(id, &input.reason, work))
        .await?;
    let changed = CredentialChanged { id: house.ids.show(id), entry: house.ids.show(committed.into_value()) };
    Ok(answer(StatusCode::OK, &changed))
}

/// Freeze a credential: it does nothing until somebody lets it go on.
#[utoipa::path(post, path = "/v1/credentials/{id}:freeze", tag = "credentials", request_body = FreezeIn,
    params(("id" = String, Path, description = "The credential's public id, without its secret")),
    responses((status = 200, description = "Frozen", body = CredentialChanged),
              (status = 404, description = "No such credential that is not revoked", body = ProblemBody),
              (status = 409, description = "It is frozen already", body = ProblemBody),
              (status = 422, description = "The reason is not a technical name", body = ProblemBody)))]
pub(crate) async fn post_freeze(request: Request) -> Result<Response<Body>, Problem> {
    change(request, ":freeze", super::limits::freeze).await
}

/// Let a frozen credential go on: it begins to be counted anew.
#[utoipa::path(post, path = "/v1/credentials/{id}:unfreeze", tag = "credentials", request_body = FreezeIn,
    params(("id" = String, Path, description = "The credential's public id, without its secret")),
    responses((status = 200, description = "It may go on", body = CredentialChanged),
              (status = 404, description = "No such credential that is not revoked", body = ProblemBody),
              (status = 409, description = "It is not frozen", body = ProblemBody),
              (status = 422, description = "The reason is not a technical name", body = ProblemBody)))]
pub(crate) async fn post_unfreeze(request: Request) -> Result<Response<Body>, Problem> {
    change(request, ":unfreeze", super::limits::unfreeze).await
}

/// A credential that was revoked.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialRevoked {
    /// Its public id.
    pub id: String,
    /// The ledger's entry.
    pub entry: String,
}

/// Revoke a credential: it does nothing from now on.
#[utoipa::path(post, path = "/v1/credentials/{id}:revoke", tag = "credentials",
    params(("id" = String, Path, description = "The credential's public id, without its secret")),
    responses((status = 200, description = "Revoked", body = CredentialRevoked),
              (status = 404, description = "No such credential that is not revoked", body = ProblemBody)))]
pub(crate) async fn post_revoke(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, target, .. } = request;
    // What was never an id is answered as what is another shop's: both are nobody's here.
    let id: CredentialId = id_before(&house.ids, &target, ":revoke", |_| super::missing())?;
    let committed =
        house.work(Lane::High, &caller.shop, &caller.actor, move |work| super::revoke(id, work)).await?;
    let revoked = CredentialRevoked { id: house.ids.show(id), entry: house.ids.show(committed.into_value()) };
    Ok(answer(StatusCode::OK, &revoked))
}
