//! Files behind a move to another suite: their chunks are sealed again one by one, as another file, which takes the place of the
//! old one in its record. Until then the old one opens.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ledger::entry::{Act, Figure, Outcome};
use policy::{FieldMask, Standing};
use seal::{FileMove, FilePlace, FileStands, Personal, SealedChunk, Value};
use store::Lane;

use super::clocks::{Planned, TRIES, refill, write};
use crate::choose;
use crate::ground::house::{House, Numbered};
use crate::ground::random::SystemRandom;
use crate::ground::{Actor, Chosen, Problem, RecordId, Shop, Work};
use crate::keep::{self, Change, FileMark, Planner, RecordRow, SubjectRow, files};

/// Chunks that are read at once.
const CHUNKS: u32 = 8;

/// What came of the files of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moved {
    /// Files that are sealed with another suite now.
    pub(super) files: u32,
    /// Files whose chunks do not open, and that stay as they are.
    pub(super) stepped_over: u32,
}

/// Seals the files of a record again that are sealed with another suite than their shop's.
///
/// Records: *resealed* for the version of the record that names the new file; *opening_failed* for a file that does not open.
pub(super) fn move_files(house: &Arc<House>, shop: &Arc<Shop>, record: RecordId) -> Result<Moved, Problem> {
    let mut moved = Moved::default();
    let Some(seen) = Seen::look(house, shop, record)? else { return Ok(moved) };
    for mark in &seen.record.clear.files {
        match move_file(house, shop, &seen, mark) {
            Ok(true) => moved.files = moved.files.saturating_add(1),
            Ok(false) => {}
            Err(problem) if problem.is_of_a_row() => {
                moved.stepped_over = moved.stepped_over.saturating_add(1);
                step_over(house, shop)?;
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(moved)
}

fn step_over(house: &House, shop: &Arc<Shop>) -> Result<(), Problem> {
    house.rows_stepped_over.fetch_add(1, Ordering::Relaxed);
    house.work_blocking(Lane::Low, shop, &Actor::House, |work| {
        let mut entry = work.entry(Act::OpeningFailed, Outcome::No);
        entry.figures = vec![(Figure::Records, 1)];
        work.enter_plain(entry)
    })?;
    Ok(())
}

/// A record, and what a plan for it takes.
struct Seen {
    subject: SubjectRow,
    chosen: Chosen,
    record: RecordRow,
}

impl Seen {
    /// Gives `None` where there is nothing that could be opened: it was looked over already, and entered if it was edited.
    fn look(house: &House, shop: &Arc<Shop>, record: RecordId) -> Result<Option<Seen>, Problem> {
        let (reading, now) = (Arc::clone(shop), house.clock.now());
        let looked = house.store.look_blocking(move |view| {
            let Some(subject) = keep::find_subject(view, &reading, record.subject())? else {
                return Ok(None);
            };
            let chosen = choose::chosen(view, &reading, record.subject(), now)?;
            let record = keep::find_record(view, &reading, record)?;
            Ok(record.map(|record| Seen { subject, chosen, record }))
        });
        match looked {
            Err(problem) if Problem::is_of_a_row(&problem) => Ok(None),
            looked => looked,
        }
    }
}

/// Gives whether the file was sealed again. One that is of the shop's suite, or that its record names no more, is left.
fn move_file(house: &Arc<House>, shop: &Arc<Shop>, seen: &Seen, mark: &FileMark) -> Result<bool, Problem> {
    let to = shop.keys.suite();
    let (field, id) = (mark.field, seen.record.id);
    let is_of = keep::with_envelope(shop, &seen.subject, &seen.record, |origin, keys| {
        seal::file_suite(origin, |head| keys.find(head), field)
    })?;
    if is_of.is_none_or(|suite| suite == to) {
        return Ok(false);
    }
    let file = loop {
        match house.number(Numbered::File) {
            Ok(file) => break file,
            Err(empty) => house.refill_blocking(empty.0)?,
        }
    };
    house
        .work_blocking(Lane::Low, shop, &Actor::House, move |work| files::add_file(file, id, field, work))?;
    let moved = seal_again(house, shop, seen, mark, file)
        .and_then(|(value, new)| put_in_place(house, shop, id, mark, (&value, new)));
    // What did not come to be named by its record is given up; of one that did, this changes nothing.
    let given_up =
        house.work_blocking(Lane::Low, shop, &Actor::House, move |work| files::give_up(file, work));
    let moved = moved?;
    given_up?;
    Ok(moved)
}

/// Seals the chunks of a file again, as another one. Gives the value for the record, and what stands beside its envelope.
fn seal_again(
    house: &House,
    shop: &Arc<Shop>,
    seen: &Seen,
    mark: &FileMark,
    file: u64,
) -> Result<(Personal<Value>, FileMark), Problem> {
    let place = |file| FilePlace { shop: shop.number, file };
    let stands = FileStands { field: mark.field, place: place(mark.file), seal: &mark.seal };
    let mut moving = keep::with_envelope(shop, &seen.subject, &seen.record, |origin, keys| {
        let to = (shop.keys.suite(), place(file));
        FileMove::begin(origin, |head| keys.find(head), &stands, to, &mut SystemRandom::new())
    })?;
    let keep = |chunk: SealedChunk| {
        let add = move |work: &mut Work<'_, '_>| files::add_chunk(file, &chunk, work);
        house.work_blocking(Lane::Low, shop, &Actor::House, add).map(drop)
    };
    let mut first = 0;
    while first < mark.seal.chunks {
        let (old, count) = (mark.file, CHUNKS.min(mark.seal.chunks.saturating_sub(first)));
        let chunks = house.store.look_blocking(move |view| files::read_chunks(view, old, first, count))?;
        if chunks.is_empty() {
            return Err(Problem::edited("file_chunk"));
        }
        for sealed in &chunks {
            if let Some(chunk) = moving.take(sealed)? {
                keep(chunk)?;
            }
        }
        first = first.saturating_add(u32::try_from(chunks.len()).unwrap_or(u32::MAX));
    }
    let (last, value, seal) = moving.finish()?;
    keep(last)?;
    Ok((value, FileMark { field: mark.field, file, seal }))
}

/// Lets the record name the new file. Gives whether it does: one that was replaced or removed meanwhile is not brought back.
fn put_in_place(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    id: RecordId,
    old: &FileMark,
    (value, new): (&Personal<Value>, FileMark),
) -> Result<bool, Problem> {
    for _ in 0..TRIES {
        let Some(seen) = Seen::look(house, shop, id)? else { return Ok(false) };
        if !seen.record.clear.files.contains(old) {
            return Ok(false);
        }
        let (policy, random) = (shop.policy(), &mut SystemRandom::new());
        let erased = seen.subject.standing == Standing::Erased;
        let now = house.clock.now();
        let mut planner = Planner::for_subject(house, shop, &policy, seen.subject, seen.chosen, now, random);
        let change = Change {
            record: id,
            before: Some(&seen.record),
            set: &[(new.field, value)],
            unset: FieldMask::EMPTY,
            blinds: &[],
            files: &[new],
            events: &[],
        };
        let plan = match planner.change(&change).and_then(|_| planner.finish()) {
            Ok(plan) => plan,
            Err(halt) => {
                refill(house, halt)?;
                continue;
            }
        };
        if write(house, shop, id.subject(), Planned::of(plan, erased))?.is_some() {
            return Ok(true);
        }
    }
    Err(keep::error::too_busy())
}
