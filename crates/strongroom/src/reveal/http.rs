//! Routes of the room: reveal, search, tokens, and what is kept about a subject.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use policy::FieldMask;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::file::{REVEAL_FILE, post_file_reveal};
use super::permit::Permit;
use super::receipt::get_receipt;
use super::render::{render_reveal, write_more, write_value};
use super::search::{Found, SearchAsk, search};
use super::token::{MakeToken, PREFIX, make_token, resolve_token};
use super::types::{Ask, Target};
use super::{Summary, entered, find, open, reveal};
use crate::choose;
use crate::ground::clock::instant;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Caller, Request, Route, answer, json_bytes, read_json};
use crate::ground::work::field_names;
use crate::ground::{Deed, House, Ids, InForce, Problem};
use crate::keep::refs::{
    RecordRef, RecordRefBody, Scalar, SubjectBody, SubjectIn, Which, Whose, matching_blinds, parse_which,
    parse_whose, unknown_kind,
};
use crate::keep::{self, Made};

/// What the room answers to.
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/records:reveal", Deed::Reveal, |request| Box::pin(post_reveal(request))),
        Route::post("/v1/records/{target}/files/{field}", Deed::Reveal, |request| {
            Box::pin(post_file_reveal(request))
        })
        .ending_in(REVEAL_FILE),
        super::may_http::route(),
        Route::post("/v1/records:search", Deed::Search, |request| Box::pin(post_search(request))),
        Route::post("/v1/subjects:find", Deed::Find, |request| Box::pin(post_find(request))),
        Route::get("/v1/choices/{target}/receipt", Deed::Find, |request| Box::pin(get_receipt(request))),
        Route::post("/v1/tokens", Deed::Token, |request| Box::pin(post_token(request))),
        Route::post("/v1/tokens:resolve", Deed::Token, |request| Box::pin(post_resolve(request))),
    ]
}

/// Records of one reveal at the most.
const RECORDS_LIMIT: u32 = 100;
/// Records of one reveal when nothing is said.
const RECORDS_USUAL: u32 = 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevealIn<'b> {
    #[serde(borrow)]
    purpose: Cow<'b, str>,
    #[serde(borrow, default)]
    record: Option<RecordRef<'b>>,
    #[serde(borrow, default)]
    subject: Option<SubjectIn<'b>>,
    #[serde(borrow, default)]
    kinds: Option<Vec<Cow<'b, str>>>,
    #[serde(borrow, default)]
    fields: Option<Vec<Cow<'b, str>>>,
    #[serde(default)]
    masked: bool,
    #[serde(default)]
    limit: Option<u32>,
}

/// What is to be opened, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RevealIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `RevealIn` reads, for the OpenAPI document")]
pub struct RevealBody {
    /// The purpose. The credential must have it.
    #[schema(example = "delivery")]
    purpose: String,
    /// One record: its public id, or `{"kind": …, "external_id": …}`. The record that it belongs to comes along, if the purpose uses it.
    #[schema(example = json!({"kind": "order", "external_id": "SO43659"}))]
    record: Option<RecordRefBody>,
    /// Or records of a subject, the latest first.
    #[schema(example = json!({"external_id": "11000"}))]
    subject: Option<SubjectBody>,
    /// Only records of these kinds.
    kinds: Option<Vec<String>>,
    /// Only these fields: `phone`, or `order.address`. All that the purpose uses, if it is left out.
    fields: Option<Vec<String>>,
    /// Mask everything, also what the purpose shows in full.
    #[serde(default)]
    masked: bool,
    /// Records at the most, 1 to 100; 20 if it is left out.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Opened records. (Written by hand on the hot path; this describes it.)
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revealed)]
pub struct RevealedBody {
    /// The subject's public id.
    pub subject: String,
    /// The ledger's entry: durable before this answer was written.
    pub entry: String,
    /// The records.
    pub records: Vec<RevealedRecord>,
    /// There are more records: past `limit`, or past 8 MiB of sealed fields. Left out, if there are not.
    pub more: Option<bool>,
}

/// An opened record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevealedRecord {
    /// Its public id.
    pub record: String,
    /// Its kind.
    pub kind: String,
    /// Its version.
    pub version: u32,
    /// The shop's own id of it.
    pub external_id: Option<String>,
    /// Values by field name.
    #[schema(value_type = BTreeMap<String, Scalar>)]
    pub fields: serde_json::Value,
    /// Which of them are masked.
    pub masked: Option<Vec<String>>,
    /// Fields that were asked for and are not shown, and why.
    pub refused: Option<Vec<crate::ground::Reason>>,
    /// When the purpose's time with this record is over (RFC 3339); left out while that is not known.
    pub until: Option<String>,
}

/// Open fields for a purpose.
#[utoipa::path(post, path = "/v1/records:reveal", tag = "records", request_body = RevealBody,
    responses((status = 200, description = "Opened, and entered before", body = RevealedBody),
              (status = 403, description = "The gate says no", body = ProblemBody),
              (status = 404, description = "No such subject or record, or the credential lacks the purpose", body = ProblemBody),
              (status = 409, description = "Several subjects share the value", body = ProblemBody),
              (status = 410, description = "The subject is erased", body = ProblemBody),
              (status = 422, description = "The policy has no such purpose, kind or field", body = ProblemBody)))]
pub(crate) async fn post_reveal(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: RevealIn<'_> = read_json(&body)?;
    let policy = caller.shop.policy();
    let ask = Ask {
        purpose: purpose_of(&input.purpose, &policy)?,
        target: target(input.record.as_ref(), input.subject.as_ref(), &house, &caller, &policy)?,
        kinds: input.kinds.as_ref().map(|names| kinds_of(names, &policy)).transpose()?,
        fields: input.fields.as_ref().map(|names| fields_of(names, &policy)).transpose()?,
        mask_all: input.masked,
        limit: limit_of(input.limit)?,
    };
    let permit = reveal(&house, &caller, ask).await?;
    opened_answer(&house, &caller, &permit).await
}

/// Opens what a permit covers, and writes it down.
async fn opened_answer(
    house: &Arc<House>,
    caller: &Caller,
    permit: &Permit,
) -> Result<Response<Body>, Problem> {
    let opened = open(permit).and_then(|opened| render_reveal(permit, &opened, &house.ids));
    entered(house, caller, permit, opened).await.map(|bytes| json_bytes(StatusCode::OK, bytes))
}

pub(super) fn purpose_of(name: &str, policy: &InForce) -> Result<u16, Problem> {
    policy.compiled.find_purpose(name).map(|purpose| purpose.ordinal).ok_or_else(choose::unknown_purpose)
}

fn limit_of(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(RECORDS_USUAL) {
        limit @ 1..=RECORDS_LIMIT => Ok(limit),
        _ => Err(Problem::new("SR-REVEAL-009", 422, "a limit is 1 to 100").at("/limit")),
    }
}

fn target(
    record: Option<&RecordRef<'_>>,
    subject: Option<&SubjectIn<'_>>,
    house: &House,
    caller: &Caller,
    policy: &InForce,
) -> Result<Target, Problem> {
    match (record, subject) {
        (Some(record), None) => match parse_which(record, &caller.shop, policy, &house.ids, "/record")? {
            (_, Which::Record(record)) => Ok(Target::Record(record)),
            (_, Which::External(blind)) => Ok(Target::External(blind)),
        },
        (None, Some(subject)) => match parse_whose(subject, None, &caller.shop, policy, &house.ids)? {
            Whose::Subject(subject) => Ok(Target::Subject(subject)),
            Whose::External(blind) => Ok(Target::SubjectExternal(blind)),
            Whose::Matching(blinds) => Ok(Target::Matching(blinds)),
            Whose::Unsaid => Err(keep::error::no_such_subject()),
        },
        _ => Err(Problem::new("SR-REVEAL-010", 422, "say of what in one way: `record` or `subject`")),
    }
}

fn kinds_of(names: &[Cow<'_, str>], policy: &InForce) -> Result<Vec<u8>, Problem> {
    let find = |(position, name): (usize, &Cow<'_, str>)| {
        let kind = policy.compiled.find_kind(name).map(policy::CompiledKind::ordinal);
        kind.ok_or_else(|| unknown_kind(&format!("/kinds/{position}")))
    };
    names.iter().enumerate().map(find).collect()
}

/// Fields by name: of every kind that has them, or of one. Names that only older policies had are known too: the gate calls
/// them gap.
fn fields_of(names: &[Cow<'_, str>], policy: &InForce) -> Result<Vec<(u8, FieldMask)>, Problem> {
    let mut masks: Vec<(u8, FieldMask)> = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let (kind, field) =
            name.split_once('.').map_or((None, name.as_ref()), |(kind, field)| (Some(kind), field));
        let mut found = false;
        let named = |own: &policy::Name| kind.is_none_or(|kind| own.as_str() == kind);
        for (_, entry) in policy.registry.kinds().filter(|(own, _)| named(own)) {
            let Some(ordinal) = entry.find_field(field) else { continue };
            found = true;
            match masks.iter_mut().find(|(of, _)| *of == entry.ordinal()) {
                Some((_, mask)) => mask.add(ordinal),
                None => masks.push((entry.ordinal(), FieldMask::only(ordinal))),
            }
        }
        if !found {
            return Err(Problem::new("SR-REVEAL-008", 422, "no kind of record has this field")
                .at(format!("/fields/{position}")));
        }
    }
    Ok(masks)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchIn<'b> {
    #[serde(borrow)]
    purpose: Cow<'b, str>,
    #[serde(borrow)]
    field: Cow<'b, str>,
    #[serde(borrow)]
    value: &'b RawValue,
    #[serde(default)]
    limit: Option<u32>,
}

/// What is looked for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SearchIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `SearchIn` reads, for the OpenAPI document")]
pub struct SearchBody {
    /// The purpose. The credential must have it, and the policy must let it use the field.
    #[schema(example = "after_sales")]
    purpose: String,
    /// A field with an index.
    #[schema(example = "phone")]
    field: String,
    /// The value; it is brought into its one form first.
    #[schema(example = "+86 138 1234 5678")]
    value: Scalar,
    /// Records at the most, 1 to 100; 20 if it is left out.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchFound {
    /// The ledger's entry.
    pub entry: String,
    /// The records that hold the value; their values take a reveal.
    pub matches: Vec<SearchMatch>,
    /// There are more records: past `limit`, or past 8 MiB of sealed fields. Left out, if there are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<bool>,
}

/// A record that holds the value.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchMatch {
    /// Its subject's public id.
    pub subject: String,
    /// Its public id.
    pub record: String,
    /// Its kind.
    pub kind: String,
    /// The shop's own id of it.
    pub external_id: Option<String>,
}

/// Find records by a value.
#[utoipa::path(post, path = "/v1/records:search", tag = "records", request_body = SearchBody,
    responses((status = 200, description = "What was found; perhaps nothing", body = SearchFound),
              (status = 404, description = "The credential lacks the purpose", body = ProblemBody),
              (status = 422, description = "The field has no index", body = ProblemBody)))]
pub(crate) async fn post_search(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: SearchIn<'_> = read_json(&body)?;
    let policy = caller.shop.policy();
    let ask = SearchAsk {
        purpose: purpose_of(&input.purpose, &policy)?,
        blinds: matching_blinds(&input.field, input.value, &caller.shop, &policy, "/value")?,
        limit: limit_of(input.limit)?,
    };
    let permit = match search(&house, &caller, ask).await? {
        Found::Some(permit) => permit,
        Found::Nothing(entry) => {
            let nothing = SearchFound { entry: house.ids.show(entry), matches: Vec::new(), more: None };
            return Ok(answer(StatusCode::OK, &nothing));
        }
    };
    let found = entered(&house, &caller, &permit, render_search(&permit, &house.ids, &policy)).await?;
    Ok(json_bytes(StatusCode::OK, found))
}

fn render_search(permit: &Permit, ids: &Ids, policy: &InForce) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(
        format!("{{\"entry\":\"{}\",\"matches\":[", ids.show(permit.granted().entry)).as_bytes(),
    );
    for (position, found) in open(permit)?.iter().enumerate() {
        let id = found.item.row.id;
        let kind = policy.registry.kind_of(id.kind()).map_or("", |(name, _)| name.as_str());
        let comma = if position > 0 { "," } else { "" };
        let (subject, record) = (ids.show(id.subject()), ids.show(id));
        out.extend_from_slice(
            format!("{comma}{{\"subject\":\"{subject}\",\"record\":\"{record}\",\"kind\":\"{kind}\"")
                .as_bytes(),
        );
        if let Some(external_id) = &found.external_id {
            out.extend_from_slice(b",\"external_id\":");
            write_value(permit, external_id, &mut out)?;
        }
        out.push(b'}');
    }
    out.push(b']');
    write_more(permit.granted().more, &mut out);
    out.push(b'}');
    Ok(out)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindIn<'b> {
    #[serde(borrow, default)]
    subject: Option<SubjectIn<'b>>,
    #[serde(borrow, default)]
    record: Option<RecordRef<'b>>,
    #[serde(borrow, default)]
    after: Option<Cow<'b, str>>,
}

/// Which subject is looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FindIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `FindIn` reads, for the OpenAPI document")]
pub struct FindBody {
    /// The subject.
    #[schema(example = json!({"external_id": "11000"}))]
    subject: Option<SubjectBody>,
    /// Or one of its records.
    record: Option<RecordRefBody>,
    /// Go on behind this record: the last one of an answer that said `more`.
    after: Option<String>,
}

/// What is kept about a subject, without a value.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectFound {
    /// Its public id.
    pub subject: String,
    /// `present`, `restricted` or `erased`.
    pub standing: &'static str,
    /// Since when (RFC 3339).
    pub since: String,
    /// The law that is its own, as far as the shop said where it lives: `cn`, `eu`, `us-ca`. It is asked at every use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// `minor` or `adult`, as far as the shop said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<&'static str>,
    /// Its records.
    pub records: Vec<RecordFound>,
    /// There are more records than are listed: ask again with `after`.
    pub more: bool,
    /// Its choices, in order.
    pub choices: Vec<ChoiceFound>,
    /// The ledger's entry of this look.
    pub entry: String,
}

/// What is kept in a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordFound {
    /// Its public id.
    pub record: String,
    /// Its kind.
    pub kind: String,
    /// Its version.
    pub version: u32,
    /// Names of its fields.
    pub fields: Vec<String>,
    /// What happened to it (RFC 3339), by event.
    pub events: Vec<EventFound>,
    /// The purposes that use it, and until when.
    pub purposes: Vec<PurposeFound>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventFound {
    /// The event; `collected` for the last time that values came in.
    pub event: String,
    /// When (RFC 3339).
    pub at: String,
}

/// A purpose that uses a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct PurposeFound {
    /// The purpose.
    pub purpose: String,
    /// When its time is over (RFC 3339); left out while that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A choice.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChoiceFound {
    /// Its public id.
    pub choice: String,
    /// The purpose.
    pub purpose: String,
    /// What was said.
    pub said: choose::Said,
    /// When (RFC 3339).
    pub at: String,
    /// Version of the notice that was seen.
    pub notice: u32,
    /// Language of that notice.
    pub language: String,
    /// When this yes ends by itself (RFC 3339); left out, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// See what is kept about a subject, without a value.
#[utoipa::path(post, path = "/v1/subjects:find", tag = "subjects", request_body = FindBody,
    responses((status = 200, description = "What is kept", body = SubjectFound),
              (status = 404, description = "No such subject", body = ProblemBody)))]
pub(crate) async fn post_find(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: FindIn<'_> = read_json(&body)?;
    let policy = caller.shop.policy();
    let target = target(input.record.as_ref(), input.subject.as_ref(), &house, &caller, &policy)?;
    let after = input.after.map(|after| house.ids.read(&after)).transpose()?;
    let summary = find(&house, &caller, target, after).await?;
    Ok(answer(StatusCode::OK, &found_body(&summary, &house, &policy)))
}

fn found_body(summary: &Summary, house: &House, policy: &InForce) -> SubjectFound {
    let purpose_name =
        |purpose: u16| policy.registry.purpose_name(purpose).map(ToString::to_string).unwrap_or_default();
    let record = |record: &super::RecordSummary| {
        let kind = policy.registry.kind_of(record.record.kind());
        let compiled = policy.compiled.kind(record.record.kind());
        let event_name = |event: u8| {
            let named = compiled.and_then(|kind| kind.events().find(|(_, own)| *own == event));
            named.map_or_else(|| String::from("collected"), |(name, _)| name.to_string())
        };
        RecordFound {
            record: house.ids.show(record.record),
            kind: kind.map(|(name, _)| name.to_string()).unwrap_or_default(),
            version: record.version,
            fields: field_names(policy, record.record.kind(), record.fields),
            events: record
                .events
                .iter()
                .map(|(event, at)| EventFound { event: event_name(*event), at: instant(*at) })
                .collect(),
            purposes: record
                .purposes
                .iter()
                .map(|(purpose, until)| PurposeFound {
                    purpose: purpose_name(*purpose),
                    until: until.map(instant),
                })
                .collect(),
        }
    };
    SubjectFound {
        subject: house.ids.show(summary.subject),
        standing: match summary.standing {
            policy::Standing::Present => "present",
            policy::Standing::Restricted => "restricted",
            policy::Standing::Erased => "erased",
        },
        since: instant(summary.since),
        home: Some(summary.person.home).filter(|home| home.is_known()).map(|home| home.to_string()),
        age: Some(summary.person.age).filter(|age| *age != policy::Age::Unknown).map(policy::Age::as_str),
        records: summary.records.iter().map(record).collect(),
        more: summary.more,
        choices: summary
            .choices
            .iter()
            .map(|choice| ChoiceFound {
                choice: house.ids.show(choice.id),
                purpose: purpose_name(choice.purpose),
                said: choice.said,
                at: instant(choice.at),
                notice: choice.notice,
                language: choice.language.clone(),
                until: (choice.ends_at != 0).then(|| instant(choice.ends_at)),
            })
            .collect(),
        entry: house.ids.show(summary.entry),
    }
}

/// How a token is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MadeBody {
    /// Two requests get two tokens.
    Random,
    /// The same value gets the same token, for one recipient and field, while the subject's key lives.
    FromValue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenIn<'b> {
    #[serde(borrow)]
    purpose: Cow<'b, str>,
    #[serde(borrow)]
    record: RecordRef<'b>,
    #[serde(borrow)]
    field: Cow<'b, str>,
    #[serde(borrow, default)]
    recipient: Option<Cow<'b, str>>,
    #[serde(default)]
    made: Option<MadeBody>,
}

/// A token that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TokenIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `TokenIn` reads, for the OpenAPI document")]
pub struct TokenBody {
    /// The purpose. The credential must have it.
    #[schema(example = "delivery")]
    purpose: String,
    /// The record: its public id, or `{"kind": …, "external_id": …}`.
    record: RecordRefBody,
    /// The field.
    #[schema(example = "phone")]
    field: String,
    /// Who will hold the token: a recipient of the purpose with an agreement in force. Left out, the shop itself.
    recipient: Option<String>,
    /// How it is made; at random, if it is left out.
    made: Option<MadeBody>,
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenMade {
    /// The token, `tok_…`.
    pub token: String,
    /// The ledger's entry.
    pub entry: String,
}

/// Exchange a field for a token.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = TokenBody,
    responses((status = 201, description = "Made", body = TokenMade),
              (status = 403, description = "The gate says no", body = ProblemBody),
              (status = 404, description = "No such record, or the credential lacks the purpose", body = ProblemBody),
              (status = 422, description = "The policy has no such purpose, field or recipient", body = ProblemBody)))]
pub(crate) async fn post_token(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: TokenIn<'_> = read_json(&body)?;
    let policy = caller.shop.policy();
    let wanted = MakeToken {
        purpose: purpose_of(&input.purpose, &policy)?,
        target: target(Some(&input.record), None, &house, &caller, &policy)?,
        field: input.field.into_owned(),
        recipient: recipient_of(input.recipient.as_deref(), &policy)?,
        made: if input.made == Some(MadeBody::FromValue) { Made::FromValue } else { Made::AtRandom },
    };
    let (token, permit) = make_token(&house, &caller, wanted).await?;
    let made = TokenMade { token, entry: house.ids.show(permit.granted().entry) };
    Ok(answer(StatusCode::CREATED, &made))
}

pub(super) fn recipient_of(name: Option<&str>, policy: &InForce) -> Result<Option<u16>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let found = policy.compiled.find_recipient(name).map(|recipient| recipient.ordinal);
    let unknown = || Problem::new("SR-REVEAL-011", 422, "the policy has no such recipient").at("/recipient");
    found.map(Some).ok_or_else(unknown)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolveIn<'b> {
    #[serde(borrow)]
    token: Cow<'b, str>,
    #[serde(borrow)]
    purpose: Cow<'b, str>,
    #[serde(borrow, default)]
    recipient: Option<Cow<'b, str>>,
}

/// A token to turn back.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResolveIn)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes what `ResolveIn` reads, for the OpenAPI document")]
pub struct ResolveBody {
    /// The token.
    #[schema(example = "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa")]
    token: String,
    /// The purpose. The credential must have it.
    #[schema(example = "delivery")]
    purpose: String,
    /// The recipient that the token was made for; left out for the shop's own.
    recipient: Option<String>,
}

/// Turn a token back into its field.
#[utoipa::path(post, path = "/v1/tokens:resolve", tag = "tokens", request_body = ResolveBody,
    responses((status = 200, description = "Opened, and entered before", body = RevealedBody),
              (status = 403, description = "The gate says no", body = ProblemBody),
              (status = 404, description = "No such token for this purpose and recipient", body = ProblemBody),
              (status = 410, description = "The value has changed, or the subject is erased", body = ProblemBody)))]
pub(crate) async fn post_resolve(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, body, .. } = request;
    let input: ResolveIn<'_> = read_json(&body)?;
    let policy = caller.shop.policy();
    let token = input.token.strip_prefix(PREFIX).and_then(|token| seal::from_base32(token).ok());
    let token: [u8; 16] = token.and_then(|token| token.try_into().ok()).ok_or_else(keep::error::not_found)?;
    let purpose = purpose_of(&input.purpose, &policy)?;
    let recipient = recipient_of(input.recipient.as_deref(), &policy)?;
    let permit = resolve_token(&house, &caller, token, purpose, recipient).await?;
    opened_answer(&house, &caller, &permit).await
}
