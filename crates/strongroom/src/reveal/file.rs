//! A file on its way out: the reveal is entered, then the file leaves piece by piece, each piece under a permit of its own.
//!
//! A permit stands for two seconds, and a file may take longer to leave than that. So no permit is stretched: before each
//! piece the gate is asked again, in a transaction, on facts of that moment. A choice withdrawn, a subject erased, a term
//! that ended stops the file in the middle, and an erasure waits no longer than it does for any other permit. What was
//! asked first is entered; what goes on under it is not entered again, what stops it is.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use bytes::Bytes;
use futures_util::Stream;
use ledger::entry::Act;
use policy::{Answer, Decision, FieldKind, FieldMask};
use seal::{FileOpener, FilePlace, Personal, Value};
use serde::Deserialize;
use store::Lane;
use utoipa::ToSchema;

use super::http::purpose_of;
use super::permit::{Permit, broken};
use super::token::no_value;
use super::types::{Ask, Granted, Target};
use super::{Ended, chosen_for, decide, entered, granted, item, judge, open, refuse, refuse_stranger};
use crate::ground::house::House;
use crate::ground::problem::ProblemBody;
use crate::ground::streams::StreamPlace;
use crate::ground::web::{Caller, Request, read_json};
use crate::ground::work::Work;
use crate::ground::{Deed, EntryId, InForce, Problem, RecordId};
use crate::keep::{self, FileMark, files};

/// What the address of a file ends in when it is to be revealed.
pub(super) const REVEAL_FILE: &str = ":reveal";
/// Chunks that are opened under one permit, and are in memory at once.
const PIECE: u32 = 4;
/// A file must have left within this time.
const WHOLE_TIME: Duration = Duration::from_mins(10);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRevealIn<'b> {
    #[serde(borrow)]
    purpose: Cow<'b, str>,
}

/// Why a file is to be opened.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FileRevealIn)]
#[expect(dead_code, reason = "describes what `FileRevealIn` reads, for the OpenAPI document")]
pub struct FileRevealBody {
    /// The purpose. The credential must have it.
    #[schema(example = "after_sales")]
    purpose: String,
}

/// Open a file for a purpose.
///
/// The entry is durable before the first byte leaves. An answer that ends before its length was cut off: by the gate, which is
/// asked again as the file leaves, because another file took its place, or because a chunk of it does not open.
#[utoipa::path(post, path = "/v1/records/{id}/files/{field}:reveal", tag = "records", request_body = FileRevealBody,
    params(("id" = String, Path, description = "The record's public id"),
           ("field" = String, Path, description = "A field of kind `file`")),
    responses((status = 200, description = "The file, to be saved and not to be shown in place", content_type = "application/octet-stream", body = Vec<u8>),
              (status = 403, description = "The gate says no, or the purpose sees the field masked", body = ProblemBody),
              (status = 404, description = "No such record or file, or the credential lacks the purpose", body = ProblemBody),
              (status = 410, description = "The subject is erased", body = ProblemBody),
              (status = 422, description = "The policy has no such purpose or field", body = ProblemBody),
              (status = 503, description = "As many files are on their way as there may be", body = ProblemBody)))]
pub(crate) async fn post_file_reveal(request: Request) -> Result<Response<Body>, Problem> {
    let Request { house, caller, target, body, .. } = request;
    let named = target.strip_suffix(REVEAL_FILE).and_then(|target| target.split_once('/'));
    let (record, name) = named.ok_or_else(crate::ground::web::no_route)?;
    let input: FileRevealIn<'_> = read_json(&body)?;
    let purpose = purpose_of(&input.purpose, &caller.shop.policy())?;
    let place = house.stream(&caller.actor)?;
    // ORDER: whatever could be refused to anybody is refused by now. From here on an answer may tell of the record.
    let record: RecordId = house.ids.read(record)?;
    let permit = begin(&house, &caller, purpose, record, name.to_owned()).await?;
    let head = entered(&house, &caller, &permit, opened(&permit, name)).await?;
    let (entry, mark) = (permit.granted().entry, head.mark);
    let leaving = Leaving {
        house,
        caller,
        wanted: Wanted { purpose, record, entry, mark },
        next: 0,
        began: Instant::now(),
        ready: VecDeque::new(),
        _place: place,
    };
    let mut response = Response::new(Body::from_stream(stream(leaving)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, head.media);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(head.size_bytes));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_DISPOSITION, head.disposition);
    Ok(response)
}

/// The first answer of the gate, and its entry. Who lacks the purpose learns neither of the record nor of its fields, as at
/// any reveal. A purpose that sees the field masked sees no file: half of one is none.
async fn begin(
    house: &Arc<House>,
    caller: &Caller,
    purpose: u16,
    record: RecordId,
    name: String,
) -> Result<Permit, Problem> {
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::Reveal)?;
            // ORDER: the purpose, the record, the field: no answer tells of what comes behind it.
            if !work.actor.purposes.has(purpose) {
                return refuse_stranger(purpose, Act::Revealed, work);
            }
            keep::find_version(work.tx, work.shop, record)?.ok_or_else(keep::error::not_found)?;
            let field = file_field(record, &name, &work.policy)?;
            let ask = Ask {
                purpose,
                target: Target::Record(record),
                kinds: Some(vec![record.kind()]),
                fields: Some(vec![(record.kind(), FieldMask::only(field))]),
                mask_all: false,
                limit: 1,
            };
            let kind = work.policy.compiled.kind(record.kind());
            if kind.is_some_and(|kind| kind.grant(purpose).masked.has(field)) {
                let row = keep::find_subject(work.tx, work.shop, record.subject())?;
                let row = row.ok_or_else(keep::error::not_found)?;
                refuse(&ask, Act::Revealed, None, &row, &[], work)?;
                return Ok(Ended::Refused(masked()));
            }
            decide(&ask, policy::Act::Reveal, None, Act::Revealed, work)
        })
        .await?;
    granted(committed)
}

/// The field of kind `file` of this name; also one that only older policies had: the gate calls it a gap.
fn file_field(record: RecordId, name: &str, policy: &InForce) -> Result<u8, Problem> {
    let kind = policy.registry.kind_of(record.kind()).map(|(_, kind)| kind);
    let field = kind.and_then(|kind| {
        kind.find_field(name).filter(|field| kind.field_kind(*field) == Some(FieldKind::File))
    });
    field.ok_or_else(|| {
        Problem::new("SR-REVEAL-014", 422, "records of this kind have no such field of kind `file`")
            .at("/field")
    })
}

fn masked() -> Problem {
    Problem::new(
        "SR-REVEAL-015",
        403,
        "the purpose sees this field masked, and a file is shown whole or not at all",
    )
}

/// What is said of a file before its bytes.
struct Head {
    media: HeaderValue,
    disposition: HeaderValue,
    size_bytes: u64,
    mark: FileMark,
}

/// Opens the one field that was asked for, and makes of it all that is said before the bytes: from here on nothing fails.
fn opened(permit: &Permit, name: &str) -> Result<Head, Problem> {
    let records = open(permit)?;
    let record = records.first().ok_or_else(keep::error::not_found)?;
    let (field, value) = record.fields.first().ok_or_else(no_value)?;
    let mark = record.item.row.clear.files.iter().find(|mark| mark.field == *field).ok_or_else(broken)?;
    let Value::File(head) = value.show(permit)? else { return Err(broken()) };
    let disposition = format!("attachment; filename=\"{name}.{}\"", extension(head.media()));
    let text = |text: &str| HeaderValue::from_str(text).map_err(|_| broken());
    Ok(Head {
        media: text(head.media())?,
        disposition: text(&disposition)?,
        size_bytes: head.size_bytes(),
        mark: *mark,
    })
}

/// Which file goes on leaving, and under what it was entered.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    purpose: u16,
    record: RecordId,
    entry: EntryId,
    mark: FileMark,
}

/// A file that leaves.
struct Leaving {
    house: Arc<House>,
    caller: Caller,
    wanted: Wanted,
    next: u32,
    began: Instant,
    ready: VecDeque<Bytes>,
    _place: StreamPlace,
}

fn stream(leaving: Leaving) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send {
    futures_util::stream::try_unfold(leaving, |mut leaving| async move {
        let bytes = leaving.next().await.map_err(|problem| {
            crate::note!(WARN, "a file was cut off as it left", code = problem.code);
            std::io::Error::from(std::io::ErrorKind::ConnectionAborted)
        })?;
        Ok(bytes.map(|bytes| (bytes, leaving)))
    })
}

impl Leaving {
    /// The next bytes; `None` when all have left.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.ready.is_empty() && self.next < self.wanted.mark.seal.chunks {
            if self.began.elapsed() > WHOLE_TIME {
                return Err(too_slow());
            }
            self.open_piece().await?;
        }
        Ok(self.ready.pop_front())
    }

    /// Opens the next chunks under a permit of their own, which ends here.
    async fn open_piece(&mut self) -> Result<(), Problem> {
        let (file, first) = (self.wanted.mark.file, self.next);
        let count = self.wanted.mark.seal.chunks.saturating_sub(first).min(PIECE);
        // ORDER: read first, so that nothing slow stands between the permit and what it opens.
        let sealed = self.house.look(move |view| files::read_chunks(view, file, first, count)).await;
        let wanted = self.wanted;
        let committed = self
            .house
            .work(Lane::High, &self.caller.shop, &self.caller.actor, move |work| {
                work.must_be_allowed(Deed::Reveal)?;
                go_on(&wanted, work)
            })
            .await?;
        let permit = granted(committed)?;
        let opened = sealed.and_then(|sealed| open_chunks(&permit, &wanted, first, count, &sealed));
        let chunks = entered(&self.house, &self.caller, &permit, opened).await?;
        self.next = first.saturating_add(count);
        self.ready.extend(chunks);
        Ok(())
    }
}

/// Asks the gate whether what was entered still goes. A yes enters nothing more. A no is entered with its reasons; what ends
/// although the gate has nothing against it, because the file is not there any more, without one.
fn go_on(wanted: &Wanted, work: &mut Work<'_, '_>) -> Result<Ended, Problem> {
    let Wanted { purpose, record, entry, mark } = *wanted;
    let subject =
        keep::find_subject(work.tx, work.shop, record.subject())?.ok_or_else(keep::error::not_found)?;
    let ask =
        Ask { purpose, target: Target::Record(record), kinds: None, fields: None, mask_all: false, limit: 1 };
    let stop = |refusals: &[(u8, Decision)], work: &mut Work<'_, '_>| {
        refuse(&ask, Act::Revealed, None, &subject, refusals, work)
    };
    let Some(row) = keep::find_record(work.tx, work.shop, record)? else {
        return stop(&[], work).map(Ended::Refused);
    };
    let chosen = chosen_for(purpose, subject.id, work)?;
    let (asked, none) = (FieldMask::only(mark.field), policy::Agreement::None);
    let (decision, until) =
        judge(purpose, policy::Act::Reveal, None, none, asked, &row, &subject, &chosen, &work.moment());
    let whole = decision.fields.has(mark.field) && !decision.masked.has(mark.field);
    if decision.answer != Answer::Yes || !whole {
        return stop(&[(record.kind(), decision)], work).map(Ended::Refused);
    }
    if !row.clear.files.contains(&mark) {
        stop(&[], work)?;
        return Ok(Ended::Refused(replaced()));
    }
    let item = item(row, &decision, until, &subject, work)?;
    if !item.there.has(mark.field) {
        return stop(&[], work).map(Ended::Refused);
    }
    Ok(Ended::Granted(Box::new(Granted {
        subject: subject.id,
        shop: Arc::clone(work.shop),
        policy: Arc::clone(&work.policy),
        entry,
        items: vec![item],
        more: false,
        mask_all: false,
        in_use: work.begin_permit(),
    })))
}

/// Another file has taken its place, or the field has none any more.
fn replaced() -> Problem {
    Problem::new("SR-REVEAL-018", 409, "the file was replaced or taken away while it left")
        .help("ask again: what comes then is what the record holds now")
}

/// Opens sealed chunks under a permit that covers the value which opens them.
fn open_chunks(
    permit: &Permit,
    wanted: &Wanted,
    first: u32,
    count: u32,
    sealed: &[Vec<u8>],
) -> Result<Vec<Bytes>, Problem> {
    let records = open(permit)?;
    let fields = records.first().map_or(&[][..], |record| record.fields.as_slice());
    let (_, value) = fields.iter().find(|(of, _)| *of == wanted.mark.field).ok_or_else(broken)?;
    let place = FilePlace { shop: permit.granted().shop.number, file: wanted.mark.file };
    let opener = FileOpener::new(permit, value, place, &wanted.mark.seal).map_err(not_opened)?;
    if sealed.len() != count as usize {
        return Err(broken());
    }
    let chunks = (first..).zip(sealed).map(|(number, sealed)| {
        let plain: Personal<Vec<u8>> = opener.open(permit, number, sealed).map_err(not_opened)?;
        // From here on it is in the buffers of the HTTP library, outside of our types.
        Ok(Bytes::copy_from_slice(plain.show(permit)?))
    });
    chunks.collect()
}

fn not_opened(error: seal::Error) -> Problem {
    if error == seal::Error::NotPermitted { Problem::from(error) } else { broken() }
}

fn too_slow() -> Problem {
    Problem::new("SR-REVEAL-016", 408, "the file was not taken within 10 minutes")
}

/// What names of files of a media type end with.
fn extension(media: &str) -> &'static str {
    match media {
        "application/json" => "json",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "audio/mpeg" => "mp3",
        "image/gif" => "gif",
        "image/heic" => "heic",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/tiff" => "tiff",
        "image/webp" => "webp",
        "text/csv" => "csv",
        "text/plain" => "txt",
        "video/mp4" => "mp4",
        _ => "bin",
    }
}
