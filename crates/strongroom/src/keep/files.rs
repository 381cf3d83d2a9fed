//! Files: their chunks, and what is to become of them.
//!
//! A file arrives chunk by chunk, each in a unit of work of its own; until a record names it, nobody sees it. The record's
//! seal says what its chunks are. When a record names it no more, or it never came to that, it is *gone*: nothing opens it,
//! and the caretaker takes its chunks away a few at a time, so that no unit of work holds up the writer.

use std::sync::Arc;

use seal::{FileDigest, SealedChunk};
use store::{Row, Step, View, params};

use super::plan::Plan;
use super::types::FileMark;
use super::{error, sql};
use crate::ground::problem::Looked;
use crate::ground::work::Work;
use crate::ground::{House, Problem, RecordId, Shop};

const FILE: &str = "file";

/// Bits of a chunk's number within its file.
const CHUNK_BITS: u32 = 16;
/// Files in an installation at the most.
const FILES_LIMIT: u64 = 1 << (63 - CHUNK_BITS);

/// What is to become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Its chunks come in; no record names it yet.
    Arriving,
    /// A record names it.
    Kept,
    /// No record names it, and none ever will.
    Gone,
}

impl FileState {
    fn column(self) -> i64 {
        match self {
            FileState::Arriving => 0,
            FileState::Kept => 1,
            FileState::Gone => 2,
        }
    }

    fn from_column(column: i64) -> Option<FileState> {
        let all = [FileState::Arriving, FileState::Kept, FileState::Gone];
        all.into_iter().find(|state| state.column() == column)
    }
}

/// Is the record this shop's? What a route says of a field must not tell which records others have.
///
/// Fails: `SR-KEEP-001` when it is not, as for an id that nobody has.
pub async fn must_be_of(house: &House, shop: &Arc<Shop>, record: RecordId) -> Result<(), Problem> {
    let shop = Arc::clone(shop);
    let found = house.look(move |view| super::find_version(view, &shop, record)).await?;
    found.map(drop).ok_or_else(error::not_found)
}

/// A file's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRow {
    /// Its number.
    pub file: u64,
    /// The record that it came in for.
    pub record: RecordId,
    /// The field.
    pub field: u8,
    /// What is to become of it.
    pub state: FileState,
    /// When it began to arrive, µs UTC.
    pub since: i64,
}

/// A file of this shop. Fails: `SR-KEEP-004` when its row was edited.
pub fn find_file(view: &View<'_>, shop: &Shop, file: u64) -> Result<Option<FileRow>, Problem> {
    let found = view.find(&sql::FIND_FILE, params![signed(file), shop.column()], read_row)?;
    found.map(|raw| whole(shop, file, &raw)).transpose()
}

/// A row as it stands: record, field, state, since, MAC.
type RawFile = (i64, i64, i64, i64, Vec<u8>);

fn read_row(row: &Row<'_>) -> Result<RawFile, store::Error> {
    Ok((row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?, row.bytes(4)?.to_vec()))
}

fn whole(shop: &Shop, file: u64, (record, field, state, since, mac): &RawFile) -> Result<FileRow, Problem> {
    let edited = || Problem::edited(FILE);
    let row = FileRow {
        file,
        record: RecordId::from_column(*record),
        field: u8::try_from(*field).map_err(|_| edited())?,
        state: FileState::from_column(*state).ok_or_else(edited)?,
        since: *since,
    };
    shop.keys.row_is_whole(FILE, &[&columns(shop, &row)], mac).map_err(|_| edited())?;
    Ok(row)
}

/// The same for a number as the database has it.
fn whole_at(shop: &Shop, file: i64, raw: &RawFile) -> Result<FileRow, Problem> {
    let file = u64::try_from(file).map_err(|_| Problem::edited(FILE))?;
    whole(shop, file, raw)
}

fn columns(shop: &Shop, row: &FileRow) -> Vec<u8> {
    let numbers = [
        shop.column(),
        signed(row.file),
        row.record.column(),
        i64::from(row.field),
        row.state.column(),
        row.since,
    ];
    numbers.iter().flat_map(|column| column.to_be_bytes()).collect()
}

/// A file begins to arrive. Nobody sees it yet, so nothing is entered.
pub fn add_file(file: u64, record: RecordId, field: u8, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    if file >= FILES_LIMIT {
        return Err(Problem::new("SR-KEEP-006", 507, "this installation has no numbers left"));
    }
    work.tx.housekeeping();
    let row = FileRow { file, record, field, state: FileState::Arriving, since: work.now };
    let mac = work.shop.keys.row_mac(FILE, &[&columns(work.shop, &row)])?;
    let state = row.state.column();
    let params = params![signed(file), work.shop.column(), record.column(), field, state, row.since, &mac];
    if work.tx.claim(&sql::ADD_FILE, params)? { Ok(()) } else { Err(error::file_given_up()) }
}

/// A chunk of a file that is arriving.
///
/// Fails: `SR-KEEP-021` when the file has been given up.
pub fn add_chunk(file: u64, chunk: &SealedChunk, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    work.tx.housekeeping();
    let row = find_file(work.tx, work.shop, file)?;
    if row.is_none_or(|row| row.state != FileState::Arriving) {
        return Err(error::file_given_up());
    }
    let id = chunk_id(file, chunk.number);
    if work.tx.claim(&sql::ADD_CHUNK, params![id, &chunk.sealed])? {
        Ok(())
    } else {
        Err(error::file_given_up())
    }
}

/// After a plan was written: the files that its records name are kept, those that they name no more are gone.
pub(super) fn settle(plan: &Plan, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    for write in &plan.writes {
        for mark in &write.files_in {
            let row = find_file(work.tx, work.shop, mark.file)?.filter(|row| {
                (row.state, row.record, row.field) == (FileState::Arriving, write.id, mark.field)
            });
            set_state(&row.ok_or_else(error::file_given_up)?, FileState::Kept, work)?;
        }
        let_go_all(&write.files_out, work)?;
    }
    for remove in &plan.removes {
        let_go_all(&remove.files_out, work)?;
    }
    Ok(())
}

/// No record names these files any more.
pub(super) fn let_go_all(files: &[FileMark], work: &mut Work<'_, '_>) -> Result<(), Problem> {
    files.iter().try_for_each(|mark| let_go(mark.file, work))
}

/// No record names this file: it is to be taken away. What is gone already stays so, and so does a row that was edited: the
/// deep check names it, and a record does not have to stay for it.
fn let_go(file: u64, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    match find_file(work.tx, work.shop, file) {
        Ok(Some(row)) if row.state != FileState::Gone => set_state(&row, FileState::Gone, work),
        Err(problem) if !problem.is_of_a_row() => Err(problem),
        _ => Ok(()),
    }
}

/// Gives up a file that did not come in whole. One that a record names meanwhile stays.
pub fn give_up(file: u64, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    work.tx.housekeeping();
    match find_file(work.tx, work.shop, file)? {
        Some(row) if row.state == FileState::Arriving => set_state(&row, FileState::Gone, work),
        _ => Ok(()),
    }
}

/// Where a page of files in one state ended: since when the last of them is, and its number.
pub type StatePlace = (i64, i64);

/// Files in a state that began to arrive at an instant or before, page by page, and whether each is as it was written: one
/// row that was edited keeps nobody from the others.
pub fn list_in_state(
    view: &View<'_>,
    shop: &Shop,
    state: FileState,
    since: i64,
    after: Option<StatePlace>,
    limit: u32,
) -> Result<Looked<StatePlace, FileRow>, Problem> {
    let (from, file) = after.unwrap_or((i64::MIN, i64::MIN));
    let params = params![state.column(), shop.column(), since, from, file, limit];
    let rows =
        view.list(&sql::LIST_FILES_IN_STATE, params, |row| Ok(((row.int(3)?, row.int(5)?), read_row(row)?)))?;
    Ok(rows.into_iter().map(|(place, raw)| (place, whole_at(shop, place.1, &raw))).collect())
}

fn set_state(row: &FileRow, state: FileState, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let after = FileRow { state, ..*row };
    let mac = work.shop.keys.row_mac(FILE, &[&columns(work.shop, &after)])?;
    let (shop, before) = (work.shop.column(), row.state.column());
    let params = params![state.column(), &mac, signed(row.file), shop, before];
    if work.tx.change(&sql::SET_FILE_STATE, params)? == 1 { Ok(()) } else { Err(error::file_given_up()) }
}

/// Chunks that are taken away in one unit of work: each is overwritten, about 0.4 ms for all of them.
const REMOVED_AT_ONCE: u32 = 8;

/// Takes some chunks of a file away that is gone, and at last its row. Gives whether it is done.
pub fn remove_some(file: u64, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    // What nothing opens is no data any more: that its record let go of it was entered.
    work.tx.housekeeping();
    let Some(row) = find_file(work.tx, work.shop, file)? else { return Ok(true) };
    if row.state != FileState::Gone {
        return Ok(true);
    }
    let params = params![chunk_id(file, 0), last_chunk_id(file), REMOVED_AT_ONCE];
    let removed = work.tx.change(&sql::REMOVE_CHUNKS, params)?;
    if removed >= REMOVED_AT_ONCE as usize {
        return Ok(false);
    }
    work.tx.change(&sql::REMOVE_FILE, params![signed(file), work.shop.column()])?;
    Ok(true)
}

/// Sealed chunks of a file, from one on, `count` of them or as many as there are.
///
/// Fails: `SR-KEEP-004` when one between them is missing.
pub fn read_chunks(view: &View<'_>, file: u64, first: u32, count: u32) -> Result<Vec<Vec<u8>>, Problem> {
    let (from, to) = (chunk_id(file, first), last_chunk_id(file));
    let rows = view
        .list(&sql::LIST_CHUNKS, params![from, to, count], |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())))?;
    if rows.iter().zip(from..).any(|((id, _), wanted)| *id != wanted) {
        return Err(Problem::edited("file_chunk"));
    }
    Ok(rows.into_iter().map(|(_, sealed)| sealed).collect())
}

/// Is a file that a record names there, whole, as the record's seal says? Opens nothing; for the deep check.
pub fn is_whole(view: &View<'_>, shop: &Shop, record: RecordId, mark: &FileMark) -> Result<bool, Problem> {
    let kept = find_file(view, shop, mark.file)
        .ok()
        .flatten()
        .is_some_and(|row| (row.state, row.record, row.field) == (FileState::Kept, record, mark.field));
    let (mut digest, mut next, mut in_order) = (FileDigest::default(), 0_u32, true);
    let params =
        params![chunk_id(mark.file, 0), last_chunk_id(mark.file), mark.seal.chunks.saturating_add(1)];
    view.each(&sql::LIST_CHUNKS, params, |row| {
        in_order &= row.int(0)? == chunk_id(mark.file, next);
        digest.add(row.bytes(1)?);
        next = next.saturating_add(1);
        Ok(Step::Next)
    })?;
    Ok(kept && in_order && next == mark.seal.chunks && digest.finish() == mark.seal.digest)
}

/// Files behind a number, page by page, and whether each is as it was written; for the deep check. A number is as the
/// database has it: one that was edited may be none that a file can have.
pub fn list_files_after(
    view: &View<'_>,
    shop: &Shop,
    after: Option<i64>,
    limit: u32,
) -> Result<Looked<i64, FileRow>, Problem> {
    let params = params![after.unwrap_or(i64::MIN), shop.column(), limit];
    let rows = view.list(&sql::LIST_FILES_AFTER, params, |row| Ok((row.int(5)?, read_row(row)?)))?;
    Ok(rows.into_iter().map(|(file, raw)| (file, whole_at(shop, file, &raw))).collect())
}

/// The file of the first chunk behind a file, if there is one; for the deep check.
pub fn next_file_with_chunks(view: &View<'_>, after: Option<u64>) -> Result<Option<u64>, Problem> {
    let behind = after.map_or(-1, last_chunk_id);
    let found = view.find(&sql::FIND_STRAY_CHUNK, params![behind], |row| row.number::<u64>(0))?;
    Ok(found.map(|chunk| chunk >> CHUNK_BITS))
}

/// Does any shop have a file of this number?
pub fn has_row(view: &View<'_>, file: u64) -> Result<bool, Problem> {
    Ok(view.find(&sql::HAS_FILE, params![signed(file)], |row| row.int(0))?.is_some())
}

fn chunk_id(file: u64, chunk: u32) -> i64 {
    signed((file << CHUNK_BITS) | u64::from(chunk))
}

fn last_chunk_id(file: u64) -> i64 {
    chunk_id(file, (1 << CHUNK_BITS) - 1)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
