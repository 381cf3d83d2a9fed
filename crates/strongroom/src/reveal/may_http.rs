//! The route of [`may`](super::may).

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use seal::Value;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::http::{purpose_of, recipient_of};
use super::may::{MayAsk, Whom, may};
use crate::ground::house::House;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{BATCH_BODY_LIMIT, Caller, Request, Route, answer, read_json};
use crate::ground::{Deed, InForce, Problem, SubjectId};
use crate::keep::refs::{ExternalId, Scalar, canonical_json, root_kind, scalar};
use crate::keep::types::EXTERNAL_ID;

/// Persons of one question at the most.
const WHOM_LIMIT: usize = 100_000;

/// The route.
pub(super) fn route() -> Route {
    Route {
        body_limit: BATCH_BODY_LIMIT,
        ..Route::post("/v1/choices:may", Deed::Search, |request| Box::pin(post_may(request)))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MayIn<'b> {
    #[serde(borrow)]
    purpose: Cow<'b, str>,
    #[serde(borrow, default)]
    recipient: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    field: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    values: Option<Vec<&'b RawValue>>,
    #[serde(borrow, default)]
    external_ids: Option<Vec<&'b RawValue>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    ids: Option<Vec<Cow<'b, str>>>,
}

/// Whether a purpose may use these now: say whom in one way.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MayIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `MayIn` reads, for the OpenAPI document")]
pub struct MayBody {
    /// The purpose. The credential must have it.
    #[schema(example = "marketing_email")]
    purpose: String,
    /// To whom it would go, if it would leave the shop. Asking takes the role `service` then.
    recipient: Option<String>,
    /// A field with an index that the purpose uses, of which `values` are asked.
    #[schema(example = "email")]
    field: Option<String>,
    /// Its values, at most 100,000. What is no such value is nobody's.
    #[schema(min_items = 1, max_items = 100_000)]
    values: Option<Vec<Scalar>>,
    /// Or the shop's own ids of subjects' main records, at most 100,000.
    #[schema(min_items = 1, max_items = 100_000)]
    external_ids: Option<Vec<ExternalId>>,
    /// Kind of those records, when several kinds belong to nothing.
    kind: Option<String>,
    /// Or public ids of subjects, at most 100,000.
    #[schema(min_items = 1, max_items = 100_000)]
    ids: Option<Vec<String>>,
}

/// Whether they may be used.
#[derive(Debug, Serialize, ToSchema)]
pub struct MayAnswered {
    /// The ledger's entry: one for all of them.
    pub entry: String,
    /// How many may be used.
    pub allowed: usize,
    /// The answers, in the order of the question.
    pub answers: Vec<MayAnswer>,
}

/// Whether one may be used.
#[derive(Debug, Serialize, ToSchema)]
pub struct MayAnswer {
    /// True, if it may be used now.
    pub may: bool,
    /// Why not. Who is not known looks like who has chosen nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// Ask of up to 100,000 at once whether a purpose may use them now. It opens nothing.
#[utoipa::path(post, path = "/v1/choices:may", tag = "choices", request_body = MayBody,
    responses((status = 200, description = "The answers, in the order of the question", body = MayAnswered),
              (status = 404, description = "The credential lacks the purpose", body = ProblemBody),
              (status = 422, description = "The policy has no such purpose, field or recipient; or the question is about more than it may be", body = ProblemBody)))]
pub(crate) async fn post_may(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let (reader, for_caller) = (Arc::clone(&house), caller.clone());
    // Reading so many, and hashing each, would hold up everybody else's requests.
    let read = tokio::task::spawn_blocking(move || read(&body, &reader, &for_caller)).await;
    let ask = read.map_err(|_| Problem::new("SR-REVEAL-021", 500, "the question could not be read"))??;
    let answered = may(&house, &caller, ask).await?;
    let told = answered.answers.iter().map(|one| one.reason(answered.waits_for_a_yes));
    let body = MayAnswered {
        entry: house.ids.show(answered.entry),
        allowed: answered.allowed,
        answers: told.map(|reason| MayAnswer { may: reason.is_none(), reason }).collect(),
    };
    Ok(answer(StatusCode::OK, &body))
}

fn read(body: &[u8], house: &House, caller: &Caller) -> Result<MayAsk, Problem> {
    let input: MayIn<'_> = read_json(body)?;
    let policy = caller.shop.policy();
    let purpose = purpose_of(&input.purpose, &policy)?;
    let recipient = recipient_of(input.recipient.as_deref(), &policy)?;
    let whom = match (&input.field, &input.values, &input.external_ids, &input.kind, &input.ids) {
        (Some(field), Some(values), None, None, None) => of_values(field, values, purpose, caller, &policy)?,
        (None, None, Some(external), kind, None) => of_external(external, kind.as_deref(), caller, &policy)?,
        (None, None, None, None, Some(ids)) => of_ids(ids, house)?,
        _ => return Err(in_one_way()),
    };
    let sent = caller.shop.keys.request_hash("may-asked", &[body])?;
    Ok(MayAsk { purpose, recipient, whom, sent })
}

fn in_one_way() -> Problem {
    Problem::new("SR-REVEAL-022", 422, "say whom in one way: `field` and `values`, `external_ids`, or `ids`")
}

/// Fails: `SR-REVEAL-020`.
fn must_be_some<T>(list: &[T], pointer: &str) -> Result<(), Problem> {
    if (1..=WHOM_LIMIT).contains(&list.len()) {
        return Ok(());
    }
    Err(Problem::new("SR-REVEAL-020", 422, "a question is about 1 to 100,000").at(pointer))
}

fn of_values(
    name: &str,
    values: &[&RawValue],
    purpose: u16,
    caller: &Caller,
    policy: &InForce,
) -> Result<Vec<Whom>, Problem> {
    must_be_some(values, "/values")?;
    let of_kind = |kind: &policy::CompiledKind| kind.find_field(name).map(|field| field.ordinal);
    let used = policy.compiled.kinds().filter_map(|kind| {
        let field = kind.find_field(name).filter(|field| field.index.is_some())?;
        kind.grant(purpose).allowed.has(field.ordinal).then_some((kind, field))
    });
    let used: Vec<_> = used.collect();
    if used.is_empty() {
        let known = policy.compiled.kinds().any(|kind| of_kind(kind).is_some());
        let said = if known {
            "the purpose does not use this field, or nothing can be found by it"
        } else {
            "no kind of record has this field"
        };
        return Err(Problem::new("SR-REVEAL-023", 422, said).at("/field"));
    }
    let keys = &caller.shop.keys;
    let one = |(position, raw): (usize, &&RawValue)| {
        must_be_a_scalar(raw, "/values", position)?;
        let mut blinds = Vec::with_capacity(used.len());
        for (kind, field) in &used {
            // What is no such value is nobody's: a list may well have a line that is no address.
            let Ok(value) = canonical_json(field, raw) else { continue };
            blinds.push((field.ordinal, keys.blind(kind.ordinal(), field.ordinal, &value)?));
        }
        Ok(if blinds.is_empty() { Whom::Nobody } else { Whom::Value(blinds) })
    };
    values.iter().enumerate().map(one).collect()
}

/// Fails: `SR-KEEP-014`.
fn must_be_a_scalar(raw: &RawValue, list: &str, position: usize) -> Result<(), Problem> {
    if matches!(raw.get().as_bytes().first(), Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f')) {
        return Ok(());
    }
    Err(Problem::new("SR-KEEP-014", 422, "this must be a string or a number")
        .at(format!("{list}/{position}")))
}

fn of_external(
    ids: &[&RawValue],
    kind: Option<&str>,
    caller: &Caller,
    policy: &InForce,
) -> Result<Vec<Whom>, Problem> {
    must_be_some(ids, "/external_ids")?;
    let kind = root_kind(kind, None, policy, "/kind")?;
    let one = |(position, raw): (usize, &&RawValue)| {
        let id = scalar(raw, "/external_ids")
            .map_err(|problem| problem.at(format!("/external_ids/{position}")))?;
        let value = id.map(|id| Value::Text(id.trim().to_owned()));
        Ok(Whom::External(caller.shop.keys.blind(kind, EXTERNAL_ID, &value)?))
    };
    ids.iter().enumerate().map(one).collect()
}

/// What is no id is nobody's.
fn of_ids(ids: &[Cow<'_, str>], house: &House) -> Result<Vec<Whom>, Problem> {
    must_be_some(ids, "/ids")?;
    let one = |id: &Cow<'_, str>| house.ids.read::<SubjectId>(id).map_or(Whom::Nobody, Whom::Subject);
    Ok(ids.iter().map(one).collect())
}
