//! Routes of the room: records, batches, events, choices.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use policy::FieldMask;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::Lane;
use utoipa::ToSchema;

use super::draft::{AgeIn, ChoiceIn, Draft, EventIn, RecordIn, parse_choice};
use super::error;
use super::files::{FILE_LIMIT, put_file};
use super::many::{Row, write_many};
use super::write::{self, Became, Written};
use crate::choose::{self, Others, Said};
use crate::ground::clock::instant;
use crate::ground::heads::ReceiptBody;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{
    Answer, BATCH_BODY_LIMIT, BATCH_LIMIT, Caller, Repeat, Request, Route, answer, read_json,
};
use crate::ground::work::{field_names, named_reasons};
use crate::ground::{Deed, House, Id, InForce, Problem, Reason, Shop, SubjectId, heads};
use crate::keep;
use crate::keep::refs::{
    ExternalId, RecordRefBody, ScalarOrNull, SubjectBody, SubjectIn, Whose, named_subject, parse_whose,
};

/// What the room answers to.
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/records", Deed::Collect, |request| Box::pin(post_record(request))),
        Route {
            body_limit: BATCH_BODY_LIMIT,
            ..Route::post("/v1/records:batch", Deed::Collect, |request| Box::pin(post_batch(request)))
        },
        Route::put("/v1/records/{target}/files/{field}", Deed::Collect, FILE_LIMIT, |request| {
            Box::pin(put_file(request))
        }),
        Route::post("/v1/records:event", Deed::Happen, |request| Box::pin(post_event(request))),
        Route::post("/v1/choices", Deed::Choose, |request| -> Answer { Box::pin(post_choice(request)) }),
    ]
}

/// A record to write.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RecordIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `RecordIn` reads, for the OpenAPI document")]
pub struct RecordBody {
    /// Kind of the record, as the policy names it.
    #[schema(example = "order")]
    kind: String,
    /// The shop's own id of the record, 1 to 200 bytes. Writing the same id again changes that record.
    #[schema(example = "SO43659")]
    external_id: Option<ExternalId>,
    /// Whose record, when that does not follow from the external id.
    subject: Option<SubjectBody>,
    /// Values by field name; null takes a field away, a field that is left out stays.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, ScalarOrNull>)]
    fields: serde_json::Value,
    /// Instants (RFC 3339) by event name.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    events: serde_json::Value,
    /// What the subject chose in the same act.
    #[serde(default)]
    choices: Vec<ChoiceOfBody>,
    /// Where the subject lives, as far as you know: `cn`, `de`, `us-ca`. The law of that place is asked at every use, and is all that is kept of it;
    /// the empty text takes it back.
    #[schema(example = "us-ca")]
    home: Option<String>,
    /// Whether the subject is of age.
    age: Option<AgeIn>,
    /// Write only if the record has this version now; 0 for a record that must be new.
    if_version: Option<u32>,
}

/// A choice.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChoiceOf)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `ChoiceIn` reads, for the OpenAPI document")]
pub struct ChoiceOfBody {
    /// The purpose.
    #[schema(example = "marketing_email")]
    purpose: String,
    /// What was said.
    choice: Said,
    /// The notice that was seen.
    notice: NoticeBody,
    /// When it was said (RFC 3339); now, if it is left out.
    at: Option<String>,
}

/// A notice, exactly as it was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NoticeSeen)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `NoticeIn` reads, for the OpenAPI document")]
pub struct NoticeBody {
    /// Version of the policy.
    version: u32,
    /// Language.
    #[schema(example = "zh")]
    language: String,
}

/// What became of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordWritten {
    /// The subject's public id.
    pub subject: String,
    /// The record's public id.
    pub record: String,
    /// `created`, `updated`, `unchanged` or `removed`.
    pub outcome: &'static str,
    /// The record's version.
    pub version: u32,
    /// Fields that are kept because of this request.
    pub kept: Vec<String>,
    /// Fields that were dropped at the door, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Reason>,
    /// Names that the policy does not have for this kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// How many more keys there were that do not look like names; they are not repeated.
    #[serde(skip_serializing_if = "is_zero")]
    pub unknown_others: u32,
    /// Fields that a purpose needs and the record does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The ledger's entry; left out when nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Choices that were kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<ChoiceKept>,
}

/// A choice that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChoiceKept {
    /// Its public id.
    pub choice: String,
    /// The ledger's entry.
    pub entry: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Write a record: make it, or change what it says.
#[utoipa::path(post, path = "/v1/records", tag = "records", request_body = RecordBody,
    params(("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$", description = "The same key and body within 24 hours gets the same answer")),
    responses((status = 200, description = "Changed, or as it was", body = RecordWritten), (status = 201, description = "Made", body = RecordWritten),
              (status = 403, description = "The role does not include this", body = ProblemBody),
              (status = 404, description = "No such subject", body = ProblemBody),
              (status = 409, description = "Another version, another subject, or a unique value that stands elsewhere", body = ProblemBody),
              (status = 410, description = "The subject is erased", body = ProblemBody),
              (status = 422, description = "A value is not what its field takes, or nothing may be kept", body = ProblemBody)))]
pub(crate) async fn post_record(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, headers, body, .. } = request;
    let repeat = Repeat::read(&headers, &caller, "/v1/records", &body)?;
    let input: RecordIn<'_> = read_json(&body)?;
    let read = |policy: &InForce| Draft::parse(&input, &caller.shop, policy, &house.ids, house.clock.now());
    let (written, unknown, unknown_others) = read_and_write(&house, &caller, repeat, read).await?;
    let status =
        if written.answered.became == Became::Created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer(status, &body_of(&house, &caller.shop, &written, unknown, unknown_others)))
}

/// Times that what came in is read anew because another policy was published meanwhile.
const TRIES: usize = 8;

/// Reads what came in and writes it. A caller who comes just when a policy is published is not sent away: it is read anew, by
/// the one that is in force now. Gives the names that the policy does not have, too.
async fn read_and_write(
    house: &Arc<House>,
    caller: &Caller,
    repeat: Option<Repeat>,
    read: impl Fn(&InForce) -> Result<Draft, Problem>,
) -> Result<(Written, Vec<String>, u32), Problem> {
    let mut tries = TRIES;
    loop {
        let draft = read(&caller.shop.policy())?;
        let (unknown, unknown_others) = (draft.unknown.clone(), draft.unknown_others);
        match write::write(house, caller, draft, repeat).await {
            Err(problem) if tries > 0 && problem.code == error::policy_changed().code => {
                tries = tries.saturating_sub(1);
            }
            written => return Ok((written?, unknown, unknown_others)),
        }
    }
}

/// The answer for a record.
pub(super) fn body_of(
    house: &House,
    shop: &Shop,
    written: &Written,
    unknown: Vec<String>,
    unknown_others: u32,
) -> RecordWritten {
    let (policy, answered, ids) = (shop.policy(), written.answered, &house.ids);
    RecordWritten {
        subject: ids.show(answered.subject),
        record: ids.show(answered.record),
        outcome: answered.became.name(),
        version: answered.version,
        kept: field_names(&policy, written.kind, written.kept),
        dropped: named_reasons(written.dropped.iter().copied(), &policy, written.kind),
        unknown,
        unknown_others,
        missing: field_names(&policy, written.kind, missing(shop, written)),
        entry: answered.entry.map(|entry| ids.show(entry)),
        choices: written
            .choices
            .iter()
            .map(|(choice, entry)| ChoiceKept { choice: ids.show(*choice), entry: ids.show(*entry) })
            .collect(),
    }
}

/// Fields that purposes need which ask nobody's leave, and that the record does not have.
fn missing(shop: &Shop, written: &Written) -> FieldMask {
    let policy = shop.policy();
    let Some(kind) = policy.compiled.kind(written.kind) else { return FieldMask::EMPTY };
    let by_consent = policy.compiled.purposes_by_consent();
    let needed = kind.purposes().minus(by_consent).iter().fold(FieldMask::EMPTY, |all, purpose| {
        let grant = kind.grant(purpose);
        all.or(grant.allowed.minus(grant.optional))
    });
    needed.minus(written.fields)
}

/// Many records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchIn<'b> {
    #[serde(borrow)]
    items: Vec<&'b RawValue>,
}

/// Many records to write.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = BatchIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `BatchIn` reads, for the OpenAPI document")]
pub struct BatchBody {
    /// At most 1,000 records; each is written, or not, by itself.
    items: Vec<RecordBody>,
}

/// What became of many records.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchWritten {
    /// One result per item, in their order.
    pub results: Vec<ItemWritten>,
    /// How many were written or unchanged.
    pub written: usize,
    /// How many were refused.
    pub refused: usize,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemWritten {
    /// Position of the item, from 0.
    pub index: usize,
    /// The status that the item alone would have got.
    pub status: u16,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordWritten>,
    /// Why it was not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemBody>,
}

/// Write many records. Each gets its own result.
#[utoipa::path(post, path = "/v1/records:batch", tag = "records", request_body = BatchBody,
    params(("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$", description = "Holds for every item by its position")),
    responses((status = 200, description = "A result per item", body = BatchWritten),
              (status = 413, description = "Longer than 8 MiB", body = ProblemBody),
              (status = 422, description = "More than 1,000 items", body = ProblemBody)))]
pub(crate) async fn post_batch(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, headers, body, .. } = request;
    let input: BatchIn<'_> = read_json(&body)?;
    if input.items.len() > BATCH_LIMIT {
        return Err(Problem::new("SR-HTTP-004", 422, "a batch has at most 1000 items").at("/items"));
    }
    let policy = caller.shop.policy();
    let mut rows = Vec::with_capacity(input.items.len());
    let mut faults: Vec<Option<Problem>> = Vec::with_capacity(input.items.len());
    let mut places = Vec::with_capacity(input.items.len());
    for (index, raw) in input.items.iter().enumerate() {
        let parsed = read_json::<RecordIn<'_>>(raw.get().as_bytes())
            .and_then(|input| Draft::parse(&input, &caller.shop, &policy, &house.ids, house.clock.now()));
        match parsed {
            Ok(draft) => {
                let route = format!("/v1/records:batch/{index}");
                let repeat = Repeat::read(&headers, &caller, &route, raw.get().as_bytes())?
                    .map(|repeat| repeat.of_item(index, &caller))
                    .transpose()?;
                places.push(index);
                rows.push(Row { draft: Arc::new(draft), repeat });
                faults.push(None);
            }
            Err(problem) => faults.push(Some(problem)),
        }
    }
    let mut written = write_many(&house, &caller, Lane::High, &rows).await.into_iter().zip(rows).peekable();
    let mut results = Vec::with_capacity(faults.len());
    for (index, fault) in faults.into_iter().enumerate() {
        let outcome = match fault {
            Some(problem) => Err(problem),
            None => match written.next() {
                Some((Ok(done), row)) => Ok(body_of(
                    &house,
                    &caller.shop,
                    &done,
                    row.draft.unknown.clone(),
                    row.draft.unknown_others,
                )),
                Some((Err(problem), row)) if problem.code == error::policy_changed().code => {
                    let read = |policy: &InForce| {
                        let raw = input.items.get(index).ok_or_else(error::policy_changed)?;
                        let input = read_json::<RecordIn<'_>>(raw.get().as_bytes())?;
                        Draft::parse(&input, &caller.shop, policy, &house.ids, house.clock.now())
                    };
                    let again = read_and_write(&house, &caller, row.repeat, read).await;
                    again.map(|(done, unknown, others)| body_of(&house, &caller.shop, &done, unknown, others))
                }
                Some((Err(problem), _)) => Err(problem),
                None => Err(error::policy_changed()),
            },
        };
        results.push(item(index, outcome));
    }
    let refused = results.iter().filter(|result| result.problem.is_some()).count();
    let all = BatchWritten { written: results.len() - refused, refused, results };
    Ok(answer(StatusCode::OK, &all))
}

fn item(index: usize, outcome: Result<RecordWritten, Problem>) -> ItemWritten {
    match outcome {
        Ok(record) => {
            let status = if record.outcome == Became::Created.name() { 201 } else { 200 };
            ItemWritten { index, status, record: Some(record), problem: None }
        }
        Err(problem) => {
            let status = problem.status;
            ItemWritten { index, status, record: None, problem: Some(problem.to_body()) }
        }
    }
}

/// Something that happened to a record.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EventIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `EventIn` reads, for the OpenAPI document")]
pub struct EventBody {
    /// The record: its public id, or `{"kind": …, "external_id": …}`.
    #[schema(example = json!({"kind": "order", "external_id": "SO43659"}))]
    record: RecordRefBody,
    /// The event, as the policy names it.
    #[schema(example = "delivered")]
    event: String,
    /// When (RFC 3339); now, if it is left out.
    at: Option<String>,
}

/// Say that something happened to a record: it starts or moves retention clocks.
#[utoipa::path(post, path = "/v1/records:event", tag = "records", request_body = EventBody,
    params(("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$", description = "The same key and body within 24 hours gets the same answer")),
    responses((status = 200, description = "Noted", body = RecordWritten),
              (status = 404, description = "No such record", body = ProblemBody),
              (status = 422, description = "The kind has no such event", body = ProblemBody)))]
pub(crate) async fn post_event(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, headers, body, .. } = request;
    let repeat = Repeat::read(&headers, &caller, "/v1/records:event", &body)?;
    let input: EventIn<'_> = read_json(&body)?;
    let read =
        |policy: &InForce| Draft::parse_event(&input, &caller.shop, policy, &house.ids, house.clock.now());
    let (written, _, _) = read_and_write(&house, &caller, repeat, read).await?;
    let mut body = body_of(&house, &caller.shop, &written, Vec::new(), 0);
    body.missing.clear();
    Ok(answer(StatusCode::OK, &body))
}

/// A choice that comes in by itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceOnly<'b> {
    #[serde(borrow)]
    subject: SubjectIn<'b>,
    #[serde(borrow)]
    purpose: std::borrow::Cow<'b, str>,
    choice: Said,
    #[serde(borrow)]
    notice: super::draft::NoticeIn<'b>,
    #[serde(borrow, default)]
    at: Option<std::borrow::Cow<'b, str>>,
}

/// A choice of a subject.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChoiceIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `ChoiceOnly` reads, for the OpenAPI document")]
pub struct ChoiceBody {
    /// Whose choice.
    subject: SubjectBody,
    /// The purpose.
    #[schema(example = "marketing_email")]
    purpose: String,
    /// What was said.
    choice: Said,
    /// The notice that was seen.
    notice: NoticeBody,
    /// When it was said (RFC 3339); now, if it is left out.
    at: Option<String>,
}

/// A choice that was kept, with its receipt.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChoiceWritten {
    /// The subject's public id.
    pub subject: String,
    /// The choice's public id; left out when the same was said before and stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    /// The ledger's entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// `kept`, or `unchanged` when the same was said before and stands.
    pub outcome: &'static str,
    /// Proves to anybody what was chosen, when, and under which notice; `ledger-verify receipt` checks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReceiptBody>)]
    pub receipt: Option<ledger::receipt::Receipt>,
    /// When this yes ends by itself (RFC 3339); left out, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Record what a subject chose.
#[utoipa::path(post, path = "/v1/choices", tag = "choices", request_body = ChoiceBody,
    responses((status = 200, description = "The same was said before and stands", body = ChoiceWritten),
              (status = 201, description = "Kept", body = ChoiceWritten),
              (status = 404, description = "No such subject", body = ProblemBody),
              (status = 422, description = "The purpose leaves no choice, or the notice was never published", body = ProblemBody)))]
pub(crate) async fn post_choice(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: ChoiceOnly<'_> = read_json(&body)?;
    let (policy, now) = (caller.shop.policy(), house.clock.now());
    let whose = parse_whose(&input.subject, None, &caller.shop, &policy, &house.ids)?;
    let choice =
        ChoiceIn { purpose: input.purpose, choice: input.choice, notice: input.notice, at: input.at };
    let choice = parse_choice(&choice, &policy, now, "")?;
    let asks = house.foresees(|| match &whose {
        Whose::Subject(subject) => {
            let mut asks = choose::asks_keep(&caller.shop, *subject);
            asks.push(keep::asks_subject(&caller.shop, *subject));
            asks
        }
        _ => Vec::new(),
    });
    let committed = house
        .work_foreseen(Lane::High, &caller.shop, &caller.actor, asks, move |work| {
            work.must_be_allowed(Deed::Choose)?;
            write::may_match(&whose, work)?;
            let named = named_subject(work.view(), work.shop, &whose)?;
            let subject = named.ok_or_else(keep::error::no_such_subject)?;
            let row = keep::find_subject(work.tx, work.shop, subject)?.ok_or_else(keep::error::not_found)?;
            let marking = row.key(seal::Class::Main).ok_or_else(keep::error::erased)?;
            let key = work.shop.keys.open_key(subject.number(), marking)?;
            Ok((subject, choose::keep(subject, &key, &choice, Others::Perhaps, work)?))
        })
        .await?;
    let (subject, kept) = committed.into_value();
    choice_answer(&house, &caller, subject, kept).await
}

async fn choice_answer(
    house: &Arc<House>,
    caller: &Caller,
    subject: SubjectId,
    kept: Option<choose::Kept>,
) -> Result<Response<Body>, Problem> {
    let subject = house.ids.show(subject);
    let Some(kept) = kept else {
        let same = ChoiceWritten {
            subject,
            choice: None,
            entry: None,
            outcome: "unchanged",
            receipt: None,
            until: None,
        };
        return Ok(answer(StatusCode::OK, &same));
    };
    let receipt = heads::receipt_of(house, &caller.shop, kept.entry, kept.shown, &kept.opening).await?;
    let body = ChoiceWritten {
        subject,
        choice: Some(house.ids.show(kept.id)),
        entry: Some(house.ids.show(kept.entry)),
        outcome: "kept",
        receipt: Some(receipt),
        until: (kept.ends_at != 0).then(|| instant(kept.ends_at)),
    };
    Ok(answer(StatusCode::CREATED, &body))
}
