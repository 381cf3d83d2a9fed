//! Routes of the room: the policy in force, published versions; publishing, for admins.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use store::Lane;
use utoipa::ToSchema;

use crate::ground::clock::instant;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Request, Route, answer, read_json};
use crate::ground::{Deed, InForce, Problem, hex};

/// What the room answers to.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/policy", Deed::ReadPolicy, |request| Box::pin(get_policy(request))),
        Route::get("/v1/policies", Deed::ReadPolicy, |request| Box::pin(get_policies(request))),
        Route::post("/v1/policies", Deed::Publish, |request| Box::pin(post_policy(request))),
    ]
}

/// A published policy.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyFound {
    /// The shop's id.
    pub shop: String,
    /// Its version, from 1.
    pub version: u32,
    /// When it was published (RFC 3339).
    pub published: String,
    /// SHA-256 of the file, hex; the entry of its publication holds it too.
    pub digest: String,
    /// The file, byte for byte.
    pub text: String,
    /// Which name has which ordinal, for ever: with it, entries can be read.
    #[schema(value_type = RegistryBody)]
    pub registry: serde_json::Value,
}

/// Which name has which number, for ever: for the document; the policy's own type writes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Registry)]
pub struct RegistryBody {
    /// Format of the registry.
    pub format: u32,
    /// Kinds of record, with their fields and events.
    pub kinds: BTreeMap<String, KindNumbers>,
    /// Purposes.
    pub purposes: BTreeMap<String, u16>,
    /// Recipients.
    pub recipients: BTreeMap<String, u16>,
    /// Roles.
    pub roles: BTreeMap<String, u16>,
}

/// The number of a kind of record, and those of its fields and events.
#[derive(Debug, Serialize, ToSchema)]
pub struct KindNumbers {
    /// Its number.
    pub ordinal: u8,
    /// The kind that its records belong to.
    #[schema(required)]
    pub of: Option<String>,
    /// Its fields.
    pub fields: BTreeMap<String, FieldNumber>,
    /// Its events.
    pub events: BTreeMap<String, u16>,
}

/// The number of a field, and what its values are.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldNumber {
    /// Its number.
    pub ordinal: u8,
    /// What its values are.
    #[schema(example = "text")]
    pub kind: String,
}

/// A published version.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionFound {
    /// Its version, from 1.
    pub version: u32,
    /// When it was published (RFC 3339).
    pub published: String,
    /// SHA-256 of the file, hex.
    pub digest: String,
}

/// The policy in force, or a published version of it.
#[utoipa::path(get, path = "/v1/policy", tag = "policy",
    params(("version" = Option<u32>, Query, nullable = false, description = "A published version; the one in force, if it is left out")),
    responses((status = 200, description = "The policy", body = PolicyFound),
              (status = 404, description = "No such version", body = ProblemBody)))]
pub(crate) async fn get_policy(request: Request) -> Result<Response<Body>, Problem> {
    let shop = request.caller.shop.clone();
    let body = match request.parameter("version")? {
        None => found(&shop.name, &shop.policy()),
        Some(version) => {
            let version: u32 = version.parse().map_err(|_| no_version())?;
            let (name, looking) = (shop.name.clone(), shop.clone());
            let policy = request.house.look(move |view| super::find(view, &looking, version)).await?;
            found(&name, &policy.ok_or_else(no_version)?)
        }
    };
    Ok(answer(StatusCode::OK, &body))
}

pub(super) fn no_version() -> Problem {
    Problem::new("SR-NOTICE-005", 404, "no policy of this version was published")
}

fn found(shop: &str, policy: &InForce) -> PolicyFound {
    PolicyFound {
        shop: shop.to_owned(),
        version: policy.version,
        published: instant(policy.at),
        digest: hex(&policy.digest),
        text: policy.text.clone(),
        registry: serde_json::from_str(&policy.registry.to_json()).unwrap_or_default(),
    }
}

/// Versions listed at the most.
const LISTED: u32 = 200;

/// Published versions, the latest first.
#[utoipa::path(get, path = "/v1/policies", tag = "policy",
    responses((status = 200, description = "The versions", body = Vec<VersionFound>)))]
pub(crate) async fn get_policies(request: Request) -> Result<Response<Body>, Problem> {
    let shop = request.caller.shop.clone();
    let versions = request.house.look(move |view| super::list(view, &shop, LISTED)).await?;
    let body: Vec<VersionFound> = versions
        .iter()
        .map(|(version, at, digest)| VersionFound {
            version: *version,
            published: instant(*at),
            digest: hex(digest),
        })
        .collect();
    Ok(answer(StatusCode::OK, &body))
}

/// A policy to publish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyIn {
    /// The file, byte for byte.
    text: String,
    /// The version that it follows: nothing is published when another one is in force by now.
    #[serde(default)]
    follows: Option<u32>,
}

/// A policy that was published.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyPublished {
    /// Its version.
    pub version: u32,
    /// The ledger's entry.
    pub entry: String,
    /// What the check had to say: warnings and advice.
    #[schema(value_type = Checked)]
    pub findings: serde_json::Value,
}

/// What the check of a policy had to say: for the document; the policy's own type writes it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checked {
    /// Name of the file.
    pub file: String,
    /// May it be published?
    pub ok: bool,
    /// How many findings of each severity.
    pub counts: BTreeMap<String, u32>,
    /// How many more there were that are not listed.
    pub left_out: u32,
    /// The findings: code, severity, message, help, and where.
    pub findings: Vec<BTreeMap<String, serde_json::Value>>,
}

/// Publish a policy: in force from now on.
#[utoipa::path(post, path = "/v1/policies", tag = "policy", request_body = PolicyIn,
    responses((status = 201, description = "Published", body = PolicyPublished),
              (status = 409, description = "A name would change its meaning, it is another shop's, or it does not follow the version in force", body = ProblemBody),
              (status = 422, description = "The policy has errors", body = ProblemBody)))]
pub(crate) async fn post_policy(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: PolicyIn = read_json(&body)?;
    let now = jiff::Timestamp::from_microsecond(house.clock.now()).unwrap_or_default();
    let today = now.to_zoned(caller.shop.policy().compiled.zone().clone()).date();
    let (checked, report) = super::check(&input.text, "policy", today).map_err(|fault| fault.0)?;
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            super::publish(&checked, input.follows, work)
        })
        .await?;
    let (version, entry) = committed.into_value();
    let findings = report.to_json();
    let published = PolicyPublished { version, entry: house.ids.show(entry), findings };
    Ok(answer(StatusCode::CREATED, &published))
}
