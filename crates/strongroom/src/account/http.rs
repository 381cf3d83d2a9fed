//! Routes of the room: the log in the layout of C2SP tlog-tiles, and entries and proofs by id.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use ledger::entry::{Entry, Part};
use ledger::tile::{TileKind, TilePath};
use ledger::tree::{consistency_proof, inclusion_proof};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};

use super::live::{describe, tile_bytes};
use super::{BlastAsk, BlastRadius, Persons, blast_radius, enter_reading, read_entry};
use crate::ground::clock::{instant, parse_instant};
use crate::ground::log::StoredTiles;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Request, Route, Visit, answer, no_route};
use crate::ground::work::field_names;
use crate::ground::{Deed, EntryId, House, InForce, Problem, Shop, heads};
use crate::notice::http::RegistryBody;

/// What the room answers to.
pub fn routes() -> Vec<Route> {
    vec![
        Route::open("/ledger/checkpoint", |visit| Box::pin(get_head(visit))),
        Route::open("/ledger/log.json", |visit| Box::pin(get_log(visit))),
        Route::open("/ledger/{*target}", |visit| Box::pin(get_file(visit))),
        Route::get("/v1/ledger/checkpoint", Deed::ReadPolicy, |request| Box::pin(get_checkpoint(request))),
        Route::get("/v1/ledger/entries", Deed::ReadLedger, |request| Box::pin(get_entries(request))),
        Route::get("/v1/ledger/entries/{target}", Deed::ReadLedger, |request| Box::pin(get_entry(request))),
        Route::get("/v1/ledger/proof", Deed::ReadPolicy, |request| Box::pin(get_proof(request))),
        Route::get("/v1/ledger/blast-radius", Deed::ReadLedger, |request| {
            Box::pin(get_blast_radius(request))
        }),
        Route::get("/v1/ledger/consistency", Deed::ReadPolicy, |request| Box::pin(get_consistency(request))),
    ]
}

/// The signed head of the log, as a note: what a witness keeps. Witnesses that have cosigned this very head stand below.
#[utoipa::path(get, path = "/ledger/checkpoint", tag = "ledger",
    responses((status = 200, description = "The signed head (C2SP tlog-checkpoint)", body = String, content_type = "text/plain"),
              (status = 404, description = "There are several shops: say whose", body = ProblemBody)))]
pub(crate) async fn get_head(visit: Visit) -> Result<Response<Body>, Problem> {
    get_file(Visit { target: "checkpoint".to_owned(), ..visit }).await
}

/// What a log is: for the document; the ledger's own type writes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Log)]
pub struct LogBody {
    /// Name of the log.
    pub origin: String,
    /// Key that verifies its heads. Compare it with the one that `init` printed.
    pub vkey: String,
    /// Its generation, from 1.
    pub generation: u64,
    /// Which name has which number in its entries.
    #[schema(nullable = false)]
    pub names: Option<RegistryBody>,
}

/// A tile or a bundle of entries, as the OpenAPI document has it.
#[derive(Debug)]
pub struct TileBytes;

impl utoipa::PartialSchema for TileBytes {
    fn schema() -> RefOr<Schema> {
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).into()
    }
}

impl ToSchema for TileBytes {}

/// What the log is, and names for the numbers in its entries.
#[utoipa::path(get, path = "/ledger/log.json", tag = "ledger",
    responses((status = 200, description = "The description", body = LogBody),
              (status = 404, description = "There are several shops: say whose", body = ProblemBody)))]
pub(crate) async fn get_log(visit: Visit) -> Result<Response<Body>, Problem> {
    get_file(Visit { target: "log.json".to_owned(), ..visit }).await
}

/// The signed head of the log of this shop, where there are several.
#[utoipa::path(get, path = "/ledger/{shop}/checkpoint", tag = "ledger",
    params(("shop" = String, Path, description = "The shop's id")),
    responses((status = 200, description = "The signed head (C2SP tlog-checkpoint)", body = String, content_type = "text/plain"),
              (status = 404, description = "There is no such shop", body = ProblemBody)))]
pub(crate) fn get_head_of(house: &House, shop: &Shop) -> Result<Response<Body>, Problem> {
    let note = heads::sign(house, shop)?;
    Ok(file("text/plain; charset=utf-8", Freshness::Changes, note.into_bytes()))
}

/// The newest signed head that witnesses have cosigned, with a line of each (C2SP tlog-cosignature).
fn get_cosigned_of(house: &House, shop: &Shop) -> Result<Response<Body>, Problem> {
    let cosigned = house.witnesses.cosigned(shop.log()).ok_or_else(|| {
        Problem::new("SR-WITNESS-011", 404, "no witness has cosigned a head of this ledger yet").help(
            "`/ledger/checkpoint` has the newest head; docs/guide/ledger.md says how a witness is set up",
        )
    })?;
    Ok(file("text/plain; charset=utf-8", Freshness::Changes, cosigned.note.into_bytes()))
}

/// What the log of this shop is, where there are several.
#[utoipa::path(get, path = "/ledger/{shop}/log.json", tag = "ledger",
    params(("shop" = String, Path, description = "The shop's id")),
    responses((status = 200, description = "The description", body = LogBody),
              (status = 404, description = "There is no such shop", body = ProblemBody)))]
pub(crate) fn get_log_of(house: &House, shop: &Shop) -> Result<Response<Body>, Problem> {
    Ok(file("application/json", Freshness::Changes, describe(house, shop, shop.log())?))
}

/// A file of the log: `tile/<level>/<index>[.p/<width>]`; `cosigned`, the newest head that witnesses have cosigned; and, with an auditor's credential,
/// `tile/entries/<index>[.p/<width>]`. With several shops the shop's id stands before.
#[utoipa::path(get, path = "/ledger/{path}", tag = "ledger",
    params(("path" = String, Path, description = "C2SP tlog-tiles: `tile/…`, `tile/entries/…`", example = "tile/0/000.p/8")),
    responses((status = 200, description = "The file", body = inline(TileBytes), content_type = "application/octet-stream"),
              (status = 403, description = "The role does not include entries", body = ProblemBody),
              (status = 404, description = "The log has no such file", body = ProblemBody)))]
pub(crate) async fn get_file(visit: Visit) -> Result<Response<Body>, Problem> {
    let Visit { house, caller, target, .. } = visit;
    let (shop, path) = shop_and_path(&house, &target).ok_or_else(no_route)?;
    let log = shop.log();
    match path {
        "checkpoint" => get_head_of(&house, &shop),
        "log.json" => get_log_of(&house, &shop),
        "cosigned" => get_cosigned_of(&house, &shop),
        _ => {
            let path: TilePath = path.parse().map_err(|_| no_route())?;
            if path.kind() == TileKind::Entries {
                let caller = caller.filter(|caller| caller.shop.number == shop.number);
                let caller = caller.ok_or_else(crate::people::unknown)?;
                let first = path.index().saturating_mul(store::LEAVES_PER_TILE);
                must_read_entries(&house, &caller).await?;
                enter_reading(
                    &house,
                    &caller,
                    first,
                    first.saturating_add(u64::from(path.width()).saturating_sub(1)),
                )
                .await?;
            }
            let roots = Arc::clone(&house.tile_roots);
            let bytes = house.look(move |view| tile_bytes(view, log, &path, Some(&roots))).await?;
            let bytes = bytes.ok_or_else(no_route)?;
            let freshness = if path.width() == 256 && path.kind() != TileKind::Entries {
                Freshness::ForEver
            } else {
                Freshness::Changes
            };
            Ok(file("application/octet-stream", freshness, bytes))
        }
    }
}

/// The shop that a path names, or the only one, and what is left of the path.
fn shop_and_path<'t>(house: &House, target: &'t str) -> Option<(Arc<Shop>, &'t str)> {
    if let Some((name, rest)) = target.split_once('/')
        && let Some(shop) = house.shop(Some(name))
    {
        return Some((shop, rest));
    }
    house.shop(None).map(|shop| (shop, target))
}

async fn must_read_entries(house: &Arc<House>, caller: &crate::ground::web::Caller) -> Result<(), Problem> {
    // The role is read in a transaction, as everywhere; the reading that follows is entered in its own.
    house
        .work(store::Lane::High, &caller.shop, &caller.actor, |work| work.must_be_allowed(Deed::ReadLedger))
        .await
        .map(|_| ())
}

#[derive(Clone, Copy)]
enum Freshness {
    Changes,
    ForEver,
}

fn file(kind: &'static str, freshness: Freshness, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let control = match freshness {
        Freshness::Changes => "no-cache",
        Freshness::ForEver => "public, max-age=31536000, immutable",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    response
}

/// The log as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckpointFound {
    /// Name of the log.
    pub origin: String,
    /// Key that verifies its heads. Compare it with the one that `init` printed.
    pub verifier_key: String,
    /// Entries in the log.
    pub size: u64,
    /// The signed note (C2SP tlog-checkpoint).
    pub checkpoint: String,
}

/// The signed head of the log.
#[utoipa::path(get, path = "/v1/ledger/checkpoint", tag = "ledger",
    responses((status = 200, description = "The head", body = CheckpointFound)))]
#[expect(clippy::unused_async, reason = "handlers are")]
pub(crate) async fn get_checkpoint(request: Request) -> Result<Response<Body>, Problem> {
    let (house, shop) = (request.house, request.caller.shop);
    let checkpoint = heads::sign(&house, &shop)?;
    let verifier = heads::verifier(&house, &shop, shop.log())?;
    let origin = heads::origin(&shop.name, shop.log());
    let size = ledger::checkpoint::Checkpoint::open(&checkpoint, &verifier, &origin)?.size();
    let body = CheckpointFound { origin, verifier_key: verifier.to_string(), size, checkpoint };
    Ok(answer(StatusCode::OK, &body))
}

/// An entry, with names for its numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryFound {
    /// Its public id.
    pub id: String,
    /// Its place in the log, from 0.
    pub index: u64,
    /// When (RFC 3339).
    pub time: String,
    /// The purpose, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose_name: Option<String>,
    /// The recipient, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_name: Option<String>,
    /// The fields, by names: `order.address`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub field_names: Vec<String>,
    /// The gate's reasons, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reason_names: Vec<&'static str>,
    /// The entry itself: docs/spec/ledger.md.
    #[schema(value_type = EntryBody)]
    pub entry: Entry,
}

/// An entry as JSON: for the document; the ledger's own type writes it (docs/spec/ledger.md).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryBody {
    /// When, microseconds since 1970.
    pub at: i64,
    /// What was done.
    #[schema(example = "revealed")]
    pub act: String,
    /// `yes`, `no` or `gap`.
    #[schema(example = "yes")]
    pub outcome: String,
    /// Who did it.
    pub actor: ActorBody,
    /// Version of the policy that was in force.
    pub policy: u32,
    /// Number of the purpose.
    pub purpose: Option<u16>,
    /// Number of the recipient.
    pub recipient: Option<u16>,
    /// Numbers of fields, by kind.
    pub parts: Option<Vec<PartBody>>,
    /// Numbers of the gate's reasons, the deciding one first.
    pub reasons: Option<Vec<u16>>,
    /// Pseudonym of the subject, hex.
    pub alias: Option<String>,
    /// The record.
    pub record: Option<RecordMarkBody>,
    /// Ids of destroyed keys, hex.
    pub destroyed: Option<Vec<String>>,
    /// Counts.
    pub figures: Option<Vec<FigureBody>>,
    /// What the entry commits to, hex.
    pub commitment: String,
}

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
pub struct ActorBody {
    /// `credential`, `operator`, `house`, or `subject`: the person whom the entry is about.
    pub kind: String,
    /// Number of the credential.
    pub number: Option<u64>,
    /// Pseudonym of the person for whom was acted, hex.
    pub on_behalf_of: Option<String>,
}

/// Fields of one kind of record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Part)]
pub struct PartBody {
    /// Number of the kind.
    pub kind: u8,
    /// Numbers of the fields.
    #[schema(value_type = Vec<u16>)]
    pub fields: Vec<u8>,
}

/// A record, as an entry names it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordMark)]
pub struct RecordMarkBody {
    /// Its pseudonym, hex.
    pub alias: String,
    /// Its version.
    pub version: u32,
    /// When its retention ends, microseconds since 1970; null while that is open.
    #[schema(required)]
    pub until: Option<i64>,
}

/// A count.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Figure)]
pub struct FigureBody {
    /// What is counted.
    pub figure: String,
    /// How many.
    pub count: u64,
}

fn found(house: &House, policy: &InForce, id: EntryId, entry: Entry) -> EntryFound {
    let names = |part: &Part| {
        let kind = policy.registry.kind_of(part.kind).map(|(name, _)| name.to_string()).unwrap_or_default();
        let fields = field_names(policy, part.kind, policy::FieldMask::from_words(part.fields));
        fields.into_iter().map(move |field| format!("{kind}.{field}")).collect::<Vec<_>>()
    };
    EntryFound {
        id: house.ids.show(id),
        index: id.leaf(),
        time: instant(entry.at),
        purpose_name: entry.purpose.and_then(|p| policy.registry.purpose_name(p)).map(ToString::to_string),
        recipient_name: entry
            .recipient
            .and_then(|r| policy.registry.recipient_name(r))
            .map(ToString::to_string),
        field_names: entry.parts.iter().flat_map(names).collect(),
        reason_names: entry
            .reasons
            .iter()
            .filter_map(|reason| policy::ReasonId::from_number(*reason).map(policy::ReasonId::name))
            .collect(),
        entry,
    }
}

fn no_entry() -> Problem {
    Problem::new("SR-ACCOUNT-006", 404, "the log has no such entry")
}

/// An entry by its id. Reading it is entered.
#[utoipa::path(get, path = "/v1/ledger/entries/{id}", tag = "ledger",
    params(("id" = String, Path, description = "The entry's public id, `ent_…`")),
    responses((status = 200, description = "The entry", body = EntryFound),
              (status = 404, description = "No such entry", body = ProblemBody)))]
pub(crate) async fn get_entry(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, target, .. } = request;
    // What was never an id is answered as what is in another shop's log.
    let id: EntryId = house.ids.read(&target).map_err(|_| no_entry())?;
    if id.log() != caller.shop.log() {
        return Err(no_entry());
    }
    let entry = read_entry(&house, id).await?.ok_or_else(no_entry)?;
    enter_reading(&house, &caller, id.leaf(), id.leaf()).await?;
    Ok(answer(StatusCode::OK, &found(&house, &caller.shop.policy(), id, entry)))
}

/// Entries on one page.
const PAGE: u64 = 256;

/// A page of entries.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntriesFound {
    /// The entries, in the log's order.
    pub entries: Vec<EntryFound>,
    /// Where the next page begins; left out on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Entries of the log, a page at a time. Reading them is entered.
#[utoipa::path(get, path = "/v1/ledger/entries", tag = "ledger",
    params(("from" = Option<u64>, Query, nullable = false, description = "Index of the first entry; 0, if it is left out"),
           ("limit" = Option<u64>, Query, nullable = false, minimum = 1, maximum = 256, description = "Entries at the most, 1 to 256; 256, if it is left out")),
    responses((status = 200, description = "The page", body = EntriesFound),
              (status = 400, description = "Not a number", body = ProblemBody)))]
pub(crate) async fn get_entries(request: Request) -> Result<Response<Body>, Problem> {
    let from = number(&request, "from")?.unwrap_or(0);
    let limit = number(&request, "limit")?.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(Problem::new("SR-HTTP-011", 400, "this must be a whole number, 1 to 256").at("?limit"));
    }
    let (house, caller) = (request.house, request.caller);
    let log = caller.shop.log();
    let (leaves, size) = house
        .look(move |view| {
            let size = view.log_head(log)?.map_or(0, |head| head.size);
            let end = size.min(from.saturating_add(limit));
            let mut leaves = Vec::new();
            for leaf in from..end {
                leaves.extend(view.leaf(log, leaf)?.map(|bytes| (leaf, bytes)));
            }
            Ok((leaves, size))
        })
        .await?;
    let policy = caller.shop.policy();
    let mut entries = Vec::with_capacity(leaves.len());
    for (leaf, bytes) in leaves {
        entries.push(found(&house, &policy, EntryId::of(log, leaf), Entry::decode(&bytes)?));
    }
    let next = from.saturating_add(entries.len() as u64);
    if let Some(last) = entries.last() {
        enter_reading(&house, &caller, from, last.index).await?;
    }
    Ok(answer(StatusCode::OK, &EntriesFound { entries, next: (next < size).then_some(next) }))
}

fn number(request: &Request, name: &'static str) -> Result<Option<u64>, Problem> {
    let text = request.parameter(name)?;
    text.map(|text| {
        // A log has 2⁶³ − 1 entries at the most.
        let number = text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| {
            Problem::new("SR-HTTP-011", 400, "this must be a whole number").at(format!("?{name}"))
        })
    })
    .transpose()
}

/// Persons that one answer lists at the most.
const LISTED: usize = 10_000;

/// Whom a credential reached, and perhaps which persons.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlastRadiusFound {
    /// What the ledger says.
    #[serde(flatten)]
    pub radius: BlastRadius,
    /// Public ids of the persons who still have a key; there if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
    /// There are more than were listed: the command lists all of them.
    pub more: bool,
}

/// Whom a credential reached, and which of their fields. Asking is entered.
#[utoipa::path(get, path = "/v1/ledger/blast-radius", tag = "ledger",
    params(("credential" = String, Query, description = "The credential's public id, without its secret"),
           ("since" = String, Query, description = "From when on (RFC 3339)"),
           ("until" = Option<String>, Query, description = "Until when (RFC 3339); now, if it is left out"),
           ("list" = Option<bool>, Query, description = "`true` lists the persons by their public ids, 10,000 at the most; for officers")),
    responses((status = 200, description = "What the ledger says", body = BlastRadiusFound),
              (status = 400, description = "Not an instant", body = ProblemBody),
              (status = 404, description = "The shop never had this credential", body = ProblemBody)))]
pub(crate) async fn get_blast_radius(request: Request) -> Result<Response<Body>, Problem> {
    let credential = request.parameter("credential")?.ok_or_else(no_credential)?;
    let ask = BlastAsk {
        credential: request.house.ids.read(credential)?,
        since: at(&request, "since")?.unwrap_or(0),
        until: at(&request, "until")?.unwrap_or(i64::MAX),
        persons: match request.parameter("list")? {
            Some("true") => Persons::Listed,
            _ => Persons::Counted,
        },
    };
    let (house, caller) = (request.house, request.caller);
    let found = tokio::task::spawn_blocking(move || {
        let (mut subjects, mut more) = (Vec::new(), false);
        let mut add = |subject| {
            if subjects.len() < LISTED {
                subjects.push(house.ids.show(subject));
            } else {
                more = true;
            }
        };
        let radius = blast_radius(&house, &caller, &ask, &mut add, &mut |_, _, _| {})?;
        let subjects = (ask.persons == Persons::Listed).then_some(subjects);
        Ok::<_, Problem>(BlastRadiusFound { radius, subjects, more })
    });
    Ok(answer(StatusCode::OK, &found.await.map_err(|_| store::Error::Panicked)??))
}

fn no_credential() -> Problem {
    Problem::new("SR-ACCOUNT-008", 400, "say of which credential").at("?credential")
}

fn at(request: &Request, name: &'static str) -> Result<Option<i64>, Problem> {
    let text = request.parameter(name)?;
    text.map(|text| parse_instant(text).ok_or_else(|| not_an_instant().at(format!("?{name}")))).transpose()
}

/// The problem of a text that is no instant.
pub(crate) fn not_an_instant() -> Problem {
    Problem::new("SR-ACCOUNT-009", 400, "this must be an instant")
        .help("as RFC 3339 has it: 2026-11-26T09:00:00Z")
}

/// An inclusion proof.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofFound {
    /// The entry's place in the log, from 0.
    pub index: u64,
    /// The hash of its leaf (RFC 6962), hex.
    pub leaf: String,
    /// The proof, nearest to the leaf first, hex.
    pub proof: Vec<String>,
    /// The signed head under which it holds.
    pub checkpoint: String,
}

/// Prove that an entry is in the log. Everybody with a credential may: a proof shows hashes only. It is made under the newest head
/// that witnesses have cosigned, if the entry is in it.
#[utoipa::path(get, path = "/v1/ledger/proof", tag = "ledger",
    params(("entry" = String, Query, description = "The entry's public id, `ent_…`")),
    responses((status = 200, description = "The proof", body = ProofFound),
              (status = 404, description = "No such entry", body = ProblemBody)))]
pub(crate) async fn get_proof(request: Request) -> Result<Response<Body>, Problem> {
    let asked = request.parameter("entry")?.ok_or_else(no_entry)?;
    let id: EntryId = request.house.ids.read(asked).map_err(|_| no_entry())?;
    let (house, shop) = (request.house, request.caller.shop);
    if id.log() != shop.log() {
        return Err(no_entry());
    }
    let (size, checkpoint) = heads::note_over(&house, &shop, id.log(), id.leaf())?;
    let roots = Arc::clone(&house.tile_roots);
    let (leaf, proof) = house
        .look(move |view| {
            let bytes = view.leaf(id.log(), id.leaf())?.ok_or_else(no_entry)?;
            let proof = inclusion_proof(
                &mut StoredTiles { view, log: id.log(), roots: Some(&roots) },
                id.leaf(),
                size,
            )?;
            Ok((ledger::hash::leaf_hash(&bytes), proof))
        })
        .await?;
    let body = ProofFound {
        index: id.leaf(),
        leaf: leaf.to_string(),
        proof: proof.iter().map(ToString::to_string).collect(),
        checkpoint,
    };
    Ok(answer(StatusCode::OK, &body))
}

/// A consistency proof.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsistencyFound {
    /// The older size.
    pub from: u64,
    /// The newer size.
    pub to: u64,
    /// The proof (RFC 6962 §2.1.2), hex.
    pub proof: Vec<String>,
}

/// Prove that the log only grew between two sizes.
#[utoipa::path(get, path = "/v1/ledger/consistency", tag = "ledger",
    params(("from" = u64, Query, description = "The older size"), ("to" = u64, Query, description = "The newer size")),
    responses((status = 200, description = "The proof", body = ConsistencyFound),
              (status = 400, description = "Not sizes of this log", body = ProblemBody)))]
pub(crate) async fn get_consistency(request: Request) -> Result<Response<Body>, Problem> {
    let sizes =
        || Problem::new("SR-ACCOUNT-007", 400, "these are not two sizes of this log, the older first");
    let from = number(&request, "from")?.ok_or_else(sizes)?;
    let to = number(&request, "to")?.ok_or_else(sizes)?;
    let log = request.caller.shop.log();
    let roots = Arc::clone(&request.house.tile_roots);
    let proof = request
        .house
        .look(move |view| {
            let size = view.log_head(log)?.map_or(0, |head| head.size);
            if from > to || to > size {
                return Err(sizes());
            }
            Ok(consistency_proof(&mut StoredTiles { view, log, roots: Some(&roots) }, from, to)?)
        })
        .await?;
    let body = ConsistencyFound { from, to, proof: proof.iter().map(ToString::to_string).collect() };
    Ok(answer(StatusCode::OK, &body))
}
