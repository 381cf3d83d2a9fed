//! The way in of a file: the gate is asked before a byte is taken, each chunk is sealed as it comes and committed by itself,
//! and when the last one is there the record is written that names them.
//!
//! At most four chunks of a file are in memory: what the connection has read, the one that fills, and a sealed one on its
//! way through the writer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt;
use policy::{CompiledField, FileRule};
use seal::{FilePlace, FileSealer, SealedChunk};
use store::Lane;

use super::draft::Draft;
use super::error;
use super::http::{RecordWritten, body_of};
use super::write::{refused_now, write_known};
use crate::ground::house::{House, Numbered};
use crate::ground::problem::ProblemBody;
use crate::ground::random::SystemRandom;
use crate::ground::web::{Caller, Sent, answer, too_large};
use crate::ground::{Actor, Deed, Problem, RecordId};
use crate::keep::refs::unknown_kind;
use crate::keep::{self, FileMark, files};

/// The longest body: no field takes a longer file.
pub const FILE_LIMIT: usize = 10_000_000;
/// The next bytes of a file must arrive within this time.
const PIECE_TIME: Duration = Duration::from_secs(30);
/// A whole file must arrive within this time. INVARIANT: shorter than what the caretaker waits before it gives one up.
const WHOLE_TIME: Duration = Duration::from_mins(10);

/// Send a file for a field of a record.
///
/// The body is the file. It is sealed as it comes, and is there when the answer says so, or not at all. Sending another one
/// takes its place.
#[utoipa::path(put, path = "/v1/records/{id}/files/{field}", tag = "records",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, at most 10 MB"),
    params(("id" = String, Path, description = "The record's public id"),
           ("field" = String, Path, description = "A field of kind `file`"),
           ("Content-Type" = String, Header, description = "Its media type: one that the field takes"),
           ("Content-Length" = u64, Header, description = "Its length, bytes")),
    responses((status = 200, description = "It is there", body = RecordWritten),
              (status = 403, description = "The role does not include this", body = ProblemBody),
              (status = 404, description = "No such record", body = ProblemBody),
              (status = 408, description = "It did not arrive in time", body = ProblemBody),
              (status = 410, description = "The subject is erased", body = ProblemBody),
              (status = 411, description = "Its length is not said", body = ProblemBody),
              (status = 413, description = "Longer than the field takes", body = ProblemBody),
              (status = 415, description = "Of a media type that the field does not take", body = ProblemBody),
              (status = 422, description = "No such field, or nothing may be kept", body = ProblemBody),
              (status = 503, description = "As many files are on their way as there may be", body = ProblemBody)))]
pub(crate) async fn put_file(request: Sent) -> Result<Response<Body>, Problem> {
    let Sent { house, caller, headers, target, body } = request;
    let (record, name) = target.split_once('/').ok_or_else(keep::error::not_found)?;
    let record: RecordId = house.ids.read(record)?;
    files::must_be_of(&house, &caller.shop, record).await?;
    let policy = caller.shop.policy();
    let kind = policy.compiled.kind(record.kind()).ok_or_else(|| unknown_kind("/id"))?;
    let (field, rule) = kind
        .find_field(name)
        .and_then(|field| Some((field, field.file.as_ref()?)))
        .ok_or_else(error::no_file_field)?;
    let media = media_of(&headers, rule)?;
    let length = length_of(&headers, rule)?;
    let _place = house.stream(&caller.actor)?;
    let draft = || Draft::of_file(kind, &policy, record, field.ordinal);
    let arriving = Arriving::begin(&house, &caller, draft(), field, record).await?;
    let (value, mark) = match tokio::time::timeout(WHOLE_TIME, take_in(&arriving, body, length, media)).await
    {
        Ok(taken) => taken?,
        Err(_) => return Err(error::file_too_slow()),
    };
    let draft = Arc::new(draft().with_file(value, mark));
    let written = write_known(&house, &caller, Lane::High, draft, None, None).await?;
    if !written.kept.has(mark.field) {
        // The layout left it out: its time is over, whatever happened to the record.
        return Err(error::nothing_to_keep(true));
    }
    arriving.arrived();
    Ok(answer(StatusCode::OK, &body_of(&house, &caller.shop, &written, Vec::new(), 0)))
}

fn media_of<'r>(headers: &HeaderMap, rule: &'r FileRule) -> Result<&'r str, Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    said.and_then(|said| rule.find(said)).map(policy::MediaType::as_str).ok_or_else(error::other_media)
}

fn length_of(headers: &HeaderMap, rule: &FileRule) -> Result<u64, Problem> {
    let said =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match said {
        None => Err(error::no_length()),
        Some(0) => Err(error::empty_file()),
        Some(length) if length > rule.at_most => {
            Err(too_large(usize::try_from(rule.at_most).unwrap_or(usize::MAX)))
        }
        Some(length) => Ok(length),
    }
}

/// Seals what comes, chunk by chunk, and commits each.
async fn take_in(
    arriving: &Arriving,
    mut body: Body,
    length: u64,
    media: &str,
) -> Result<(seal::Personal<seal::Value>, FileMark), Problem> {
    let place = FilePlace { shop: arriving.caller.shop.number, file: arriving.file };
    let suite = arriving.caller.shop.keys.suite();
    let mut sealer = FileSealer::new(suite, place, &mut SystemRandom::new())?;
    while !body.is_end_stream() {
        let next = tokio::time::timeout(PIECE_TIME, body.frame()).await;
        let Some(frame) = next.map_err(|_| error::file_too_slow())? else { break };
        let Ok(piece) = frame.map_err(|_| error::file_not_whole())?.into_data() else { continue };
        if sealer.size_bytes().saturating_add(piece.len() as u64) > length {
            return Err(error::file_not_whole());
        }
        let mut bytes = piece.as_ref();
        while !bytes.is_empty() {
            if let Some(chunk) = sealer.take(&mut bytes)? {
                arriving.keep(chunk).await?;
            }
        }
    }
    if sealer.size_bytes() != length {
        return Err(error::file_not_whole());
    }
    let (last, value, seal) = sealer.finish(media)?;
    arriving.keep(last).await?;
    Ok((value, FileMark { field: arriving.field, file: arriving.file, seal }))
}

/// A file that comes in. When it is dropped before it has arrived (its sender went away, or something failed), it is given up.
struct Arriving {
    house: Arc<House>,
    caller: Caller,
    file: u64,
    field: u8,
    arrived: bool,
}

impl Arriving {
    /// Asks the gate, and gives the file its number.
    ///
    /// Records: a refusal. What arrives is entered when it is there.
    async fn begin(
        house: &Arc<House>,
        caller: &Caller,
        draft: Draft,
        field: &CompiledField,
        record: RecordId,
    ) -> Result<Arriving, Problem> {
        let file = loop {
            match house.number(Numbered::File) {
                Ok(file) => break file,
                Err(empty) => house.refill(empty.0).await?,
            }
        };
        let (house, caller, field) = (Arc::clone(house), caller.clone(), field.ordinal);
        let begun = house
            .work(Lane::High, &caller.shop, &caller.actor, move |work| {
                work.must_be_allowed(Deed::Collect)?;
                if draft.policy != work.policy.version {
                    return Err(error::policy_changed());
                }
                if let Some(refused) = refused_now(&draft, work)? {
                    return Ok(Some(refused));
                }
                files::add_file(file, record, field, work)?;
                Ok(None)
            })
            .await?;
        match begun.into_value() {
            Some(refused) => Err(refused),
            None => Ok(Arriving { house, caller, file, field, arrived: false }),
        }
    }

    /// Commits one sealed chunk.
    async fn keep(&self, chunk: SealedChunk) -> Result<(), Problem> {
        let file = self.file;
        self.house
            .work(Lane::High, &self.caller.shop, &self.caller.actor, move |work| {
                work.must_be_allowed(Deed::Collect)?;
                files::add_chunk(file, &chunk, work)
            })
            .await
            .map(|_| ())
    }

    /// A record names it: it is no more ours to give up.
    fn arrived(mut self) {
        self.arrived = true;
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.arrived {
            let file = self.file;
            // It is done although nobody waits for it. If the writer takes no more work now, the caretaker finds the row later.
            drop(
                self.house.work(Lane::High, &self.caller.shop, &Actor::House, move |work| {
                    files::give_up(file, work)
                }),
            );
        }
    }
}
