//! What leaves by itself: terms whose end has come, records laid out again after a choice, rows behind dead keys.
//!
//! Runs on the caretaker's thread, in pages: read beside the writer, sealed here, written in the low lane. Each page checks
//! in its transaction that nothing moved; a page that is stale is read again, and at last read and sealed in the writer, where
//! nothing can move. A row that does not open is entered and stepped over, so that it holds up nobody else's retention.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ledger::entry::{Act, Figure, Outcome};
use ledger::opening::Opening;
use policy::{FieldMask, Standing};
use seal::{Envelope, KeyId};
use store::{Committed, Lane, View};

use super::file_suites::move_files;
use crate::choose;
use crate::ground::clock::HOUR;
use crate::ground::house::House;
use crate::ground::problem::Looked;
use crate::ground::random::SystemRandom;
use crate::ground::work::Work;
use crate::ground::{Actor, Chosen, Id, Problem, RecordId, Shop, SubjectId, jobs};
use crate::keep::{self, Change, Halt, Order, Plan, Planner, Put, RecordRow, SubjectRow};

/// Records in one page.
const PAGE: u32 = 32;
/// Records looked over at once in a sweep of the whole table.
const LOOK_OVER: u32 = 512;
/// Tries beside the writer, and then in it, before a page waits for the next round.
pub(super) const TRIES: usize = 4;

/// What one page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page {
    /// The last record that was looked at; `None` when there was none.
    pub last: Option<RecordId>,
    /// Records that were looked at.
    pub looked_at: u32,
    /// Records that were sealed again.
    pub resealed: u32,
    /// Records that were removed.
    pub removed: u32,
    /// Rows that do not open, and were stepped over.
    pub stepped_over: u32,
}

impl Page {
    /// Counts what another page came to.
    fn count(&mut self, other: &Page) {
        self.resealed = self.resealed.saturating_add(other.resealed);
        self.removed = self.removed.saturating_add(other.removed);
        self.stepped_over = self.stepped_over.saturating_add(other.stepped_over);
    }
}

/// Lays the records of a subject out again: what may be kept, and until when, may have moved.
///
/// Takes: the record behind which to go on. Gives: what the page came to; no last record means that it is done.
/// Records: *resealed* per record version, *cleaned* per record of which nothing is left, *opening_failed* per row that does
/// not open: it is left as it is, for the deep check to name.
pub fn reclock(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    subject: SubjectId,
    after: Option<RecordId>,
) -> Result<Page, Problem> {
    for _ in 0..TRIES {
        let reading = Arc::clone(shop);
        let now = house.clock.now();
        let looked = house.store.look_blocking(move |view| look(view, &reading, subject, after, now))?;
        let planned = match plan_page(house, shop, looked) {
            Ok(Some(planned)) => planned,
            Ok(None) => return Ok(Page::default()),
            Err(halt) => {
                refill(house, halt)?;
                continue;
            }
        };
        if planned.is_nothing() {
            return Ok(planned.page);
        }
        if let Some(page) = write(house, shop, subject, planned)? {
            return Ok(page);
        }
    }
    // Somebody changes this subject without pause. In the writer nobody does: a caller who never rests must not be able to
    // hold up what ends with this subject's records.
    for _ in 0..TRIES {
        if let Some(page) = reclock_in_writer(house, shop, subject, after)? {
            return Ok(page);
        }
    }
    Err(keep::error::too_busy())
}

pub(super) fn refill(house: &House, halt: Halt) -> Result<(), Problem> {
    match halt {
        Halt::Empty(empty) => house.refill_blocking(empty.0),
        Halt::Problem(problem) => Err(problem),
    }
}

/// A subject with a page of its records, each with what is wrong with it.
enum Seen {
    /// There is no such subject, or nothing of it can be opened any more.
    Nobody,
    /// Its row, or what it chose, was edited.
    Edited,
    /// It is whole.
    Whole(Box<SubjectRow>, Chosen, Looked<RecordId, RecordRow>),
}

fn look(
    view: &View<'_>,
    shop: &Shop,
    subject: SubjectId,
    after: Option<RecordId>,
    now: i64,
) -> Result<Seen, Problem> {
    let found = keep::find_subject(view, shop, subject)
        .and_then(|row| row.map(|row| Ok((row, choose::chosen(view, shop, subject, now)?))).transpose());
    let (row, chosen) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Seen::Nobody),
        Err(problem) if problem.is_of_a_row() => return Ok(Seen::Edited),
        Err(problem) => return Err(problem),
    };
    let mut records = keep::look_records_after(view, shop, after.or_else(|| before(subject)), PAGE)?;
    records.retain(|(id, _)| id.subject() == subject);
    if records.is_empty() || row.keys.is_empty() {
        return Ok(Seen::Nobody);
    }
    Ok(Seen::Whole(Box::new(row), chosen, records))
}

/// The number before a subject's first record.
fn before(subject: SubjectId) -> Option<RecordId> {
    let (first, _) = RecordId::all_of(subject);
    first.number().checked_sub(1).map(RecordId::from_number)
}

/// A page as it is to be written.
pub(super) struct Planned {
    page: Page,
    /// `None` when the subject's own row or key does not open.
    plan: Option<Plan>,
    /// Records that do not open: as they were seen, if that much could be read.
    faulty: Vec<(RecordId, Option<RecordRow>)>,
    erased: bool,
}

impl Planned {
    /// A plan that nothing is wrong with.
    pub(super) fn of(plan: Plan, erased: bool) -> Planned {
        Planned { page: Page::default(), plan: Some(plan), faulty: Vec::new(), erased }
    }

    fn is_nothing(&self) -> bool {
        self.faulty.is_empty()
            && self.plan.as_ref().is_some_and(|plan| plan.writes.is_empty() && plan.removes.is_empty())
    }

    fn of_nobody() -> Planned {
        Planned {
            page: Page { stepped_over: 1, ..Page::default() },
            plan: None,
            faulty: Vec::new(),
            erased: false,
        }
    }
}

/// Plans a page. Gives `None` when there is nothing to plan.
fn plan_page(house: &House, shop: &Shop, seen: Seen) -> Result<Option<Planned>, Halt> {
    let (row, chosen, records) = match seen {
        Seen::Nobody => return Ok(None),
        Seen::Edited => return Ok(Some(Planned::of_nobody())),
        Seen::Whole(row, chosen, records) => (*row, chosen, records),
    };
    let (policy, random) = (shop.policy(), &mut SystemRandom::new());
    let erased = row.standing == Standing::Erased;
    let (last, looked_at) = (records.last().map(|(id, _)| *id), records.len());
    let mut planner = Planner::for_subject(house, shop, &policy, row, chosen, house.clock.now(), random);
    let mut faulty = Vec::new();
    for (id, record) in records {
        let Ok(record) = record else {
            faulty.push((id, None));
            continue;
        };
        let unset = FieldMask::EMPTY;
        let change = Change {
            record: id,
            before: Some(&record),
            set: &[],
            unset,
            blinds: &[],
            files: &[],
            events: &[],
        };
        match planner.change(&change) {
            Ok(_) => {}
            Err(Halt::Problem(problem)) if problem.is_of_a_row() => faulty.push((id, Some(record))),
            Err(halt) => return Err(halt),
        }
    }
    let plan = match planner.finish() {
        Ok(plan) => plan,
        Err(Halt::Problem(problem)) if problem.is_of_a_row() => return Ok(Some(Planned::of_nobody())),
        Err(halt) => return Err(halt),
    };
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let page = Page {
        last,
        looked_at: count(looked_at),
        resealed: count(plan.writes.len()),
        removed: count(plan.removes.len()),
        stepped_over: count(faulty.len()),
    };
    Ok(Some(Planned { page, plan: Some(plan), faulty, erased }))
}

/// Writes a page. Gives `None` when something moved meanwhile.
pub(super) fn write(
    house: &House,
    shop: &Arc<Shop>,
    subject: SubjectId,
    planned: Planned,
) -> Result<Option<Page>, Problem> {
    let written =
        house.work_blocking(Lane::Low, shop, &Actor::House, move |work| put(subject, &planned, work));
    written_page(house, written)
}

/// The same with everything in one unit of work. Sealed values are sealed again there, and no plain one is seen.
fn reclock_in_writer(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    subject: SubjectId,
    after: Option<RecordId>,
) -> Result<Option<Page>, Problem> {
    let own = Arc::clone(house);
    let mut wanted = None;
    let (asks, asked) = std::sync::mpsc::channel();
    let written = house.work_blocking(Lane::Low, shop, &Actor::House, move |work| {
        let seen = look(work.tx, work.shop, subject, after, work.now)?;
        match plan_page(&own, work.shop, seen) {
            Ok(Some(planned)) if planned.is_nothing() => Ok(Some(planned.page)),
            Ok(Some(planned)) => put(subject, &planned, work),
            Ok(None) => Ok(Some(Page::default())),
            Err(Halt::Empty(empty)) => {
                let _ = asks.send(empty);
                Ok(None)
            }
            Err(Halt::Problem(problem)) => Err(problem),
        }
    });
    while let Ok(empty) = asked.try_recv() {
        wanted = Some(empty);
    }
    if let Some(empty) = wanted {
        house.refill_blocking(empty.0)?;
    }
    written_page(house, written)
}

fn written_page(
    house: &House,
    written: Result<Committed<Option<Page>>, Problem>,
) -> Result<Option<Page>, Problem> {
    match written.map(Committed::into_value) {
        Ok(Some(page)) => {
            if page.stepped_over > 0 {
                house.rows_stepped_over.fetch_add(u64::from(page.stepped_over), Ordering::Relaxed);
                crate::note!(
                    WARN,
                    "rows that do not open were stepped over; the deep check names them",
                    rows = page.stepped_over
                );
            }
            Ok(Some(page))
        }
        Ok(None) => Ok(None),
        Err(problem) if problem.code == keep::error::MOVED => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn put(subject: SubjectId, planned: &Planned, work: &mut Work<'_, '_>) -> Result<Option<Page>, Problem> {
    let Some(plan) = &planned.plan else {
        // Still so, in this transaction? What could be read a moment later was being changed, and is no fault.
        return match look(work.tx, work.shop, subject, None, work.now)? {
            Seen::Edited => {
                enter_edited(work)?;
                Ok(Some(planned.page))
            }
            Seen::Nobody => Ok(None),
            Seen::Whole(row, ..) => {
                let marking = row.marking_key().map(|key| work.shop.keys.open_key(subject.number(), key));
                if marking.is_none_or(|key| key.is_ok()) {
                    return Ok(None);
                }
                enter_edited(work)?;
                Ok(Some(planned.page))
            }
        };
    };
    let choices = choose::chosen(work.tx, work.shop, plan.subject, work.now)?.count;
    if !keep::is_fresh(plan, choices, work)? {
        return Ok(None);
    }
    for (id, seen) in &planned.faulty {
        let now = match keep::find_record(work.tx, work.shop, *id) {
            Ok(now) => now,
            Err(problem) if problem.is_of_a_row() => None,
            Err(problem) => return Err(problem),
        };
        if now != *seen {
            return Ok(None);
        }
    }
    if keep::put(plan, work)? != Put::Done {
        return Ok(None);
    }
    if planned.erased {
        enter_cleaning(plan, work)?;
    } else {
        keep::enter_writes(plan, Act::Resealed, work)?;
    }
    for (id, seen) in &planned.faulty {
        enter_faulty(plan, *id, seen.as_ref(), work)?;
    }
    Ok(Some(planned.page))
}

/// Enters that a record does not open, under the subject's alias. Without a mark: a mark says what a record has become.
fn enter_faulty(
    plan: &Plan,
    id: RecordId,
    seen: Option<&RecordRow>,
    work: &mut Work<'_, '_>,
) -> Result<(), Problem> {
    let entry = work.entry(Act::OpeningFailed, Outcome::No);
    let opening = Opening::builder()
        .act(Act::OpeningFailed)
        .subject(&work.ids.show(plan.subject))
        .record(&work.ids.show(id))
        .version(seen.map_or(0, |row| row.version))
        .build()?;
    work.enter_about(&plan.marking_key, entry, &opening)?;
    Ok(())
}

/// Enters that the row of a subject does not open: there is no key to name it by.
fn enter_edited(work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let mut entry = work.entry(Act::OpeningFailed, Outcome::No);
    entry.figures = vec![(Figure::Subjects, 1)];
    work.enter_plain(entry).map(|_| ())
}

/// Behind an erasure: what was sealed again is entered version by version, what went is entered as a number.
fn enter_cleaning(plan: &Plan, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    for write in &plan.writes {
        let (entry, opening) = keep::mark_write(plan, write, Act::Resealed, work)?;
        work.enter_about(&plan.marking_key, entry, &opening)?;
    }
    enter_removed(plan.removes.len(), &[], work)
}

fn enter_removed(records: usize, destroyed: &[KeyId], work: &mut Work<'_, '_>) -> Result<(), Problem> {
    if records == 0 && destroyed.is_empty() {
        return Ok(());
    }
    let mut entry = work.entry(Act::Cleaned, Outcome::Yes);
    entry.figures = vec![(Figure::Records, records as u64)];
    entry.destroyed = destroyed.iter().map(|id| id.0).collect();
    work.enter_plain(entry).map(|_| ())
}

/// Cleans up behind an erased subject, first step: tokens and choices, some at a time. Records lie behind it: [`reclock`] lays them
/// out again, for whatever a law keeps.
///
/// Gives whether it is done. Records: *cleaned*, with numbers only.
pub fn clean_beside(house: &Arc<House>, shop: &Arc<Shop>, subject: SubjectId) -> Result<bool, Problem> {
    let done =
        house.work_blocking(Lane::Low, shop, &Actor::House, move |work| beside_is_clean(subject, work))?;
    Ok(done.into_value())
}

/// Cleans up behind an erased subject, last step: the rows of a subject of which no key is left.
///
/// Gives whether it is done. Records: *cleaned*, with numbers only.
pub fn clean_rows(house: &Arc<House>, shop: &Arc<Shop>, subject: SubjectId) -> Result<bool, Problem> {
    let done =
        house.work_blocking(Lane::Low, shop, &Actor::House, move |work| rows_are_clean(subject, work))?;
    Ok(done.into_value())
}

fn beside_is_clean(subject: SubjectId, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    if keep::find_subject(work.tx, work.shop, subject)?.is_some_and(|row| row.standing != Standing::Erased) {
        return Ok(true); // no erasure asked for this: what this person refused stays refused
    }
    let tokens = keep::remove_tokens(subject, PAGE, work)?;
    let choices = choose::remove(subject, PAGE, work)?;
    if tokens > 0 || choices > 0 {
        enter_removed(0, &[], work)?;
        let mut entry = work.entry(Act::Cleaned, Outcome::Yes);
        entry.figures = vec![(Figure::Choices, choices as u64)];
        work.enter_plain(entry)?;
    } else {
        work.tx.housekeeping(); // at the most the row that says what stood, without a single choice behind it
    }
    Ok(tokens < PAGE as usize && choices < PAGE as usize)
}

fn rows_are_clean(subject: SubjectId, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    let Some(row) = keep::find_subject(work.tx, work.shop, subject)? else { return Ok(true) };
    if row.standing != Standing::Erased {
        return Ok(true);
    }
    if row.keys.is_empty() {
        let removed = keep::remove_dead_subject(&row, PAGE, work)?;
        enter_removed(usize::try_from(removed).unwrap_or(0), &[], work)?;
        if removed == 0 {
            work.enter_plain(work.entry(Act::Cleaned, Outcome::Yes))?;
        }
        return Ok(removed < PAGE);
    }
    if keep::list_records(work.tx, work.shop, subject, None, Order::OldestFirst, 1)?.records.is_empty() {
        let destroyed = keep::destroy_retained_key(&row, work)?;
        let after = SubjectRow { keys: Vec::new(), ..row };
        keep::remove_dead_subject(&after, PAGE, work)?;
        enter_removed(0, &destroyed, work)?;
    }
    Ok(true)
}

/// A job that lays records out again holds every term that ends later than so long before it was asked for, µs.
///
/// What ended before somebody asked was over then, and no answer moves it any more. The hour is for clocks: what was asked
/// for just before an end may carry a time just behind it.
const HELD_FROM: i64 = HOUR;

/// What a sweep came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Terms whose keys were destroyed.
    pub ended: usize,
    /// Terms that wait for a job that was asked for before they ended.
    pub held: usize,
    /// Terms whose row was edited: their end is not known, so nothing is done about them.
    pub edited: usize,
}

/// Destroys the keys of terms whose end has come: everything that was sealed under them is unreadable at once.
///
/// A term waits while a job waits that was asked for before it ended and lays records out again: one of them might have to
/// move to a later term. Jobs that are asked for afterwards hold nothing. Records: *expired* per term, naming its key.
pub fn sweep(house: &House, shop: &Arc<Shop>) -> Result<Swept, Problem> {
    // Looked at again here: the clock may have been set since the round began.
    let now = house.watch.believed(house.clock.as_ref(), house.clock.now());
    let committed = house.work_blocking(Lane::Low, shop, &Actor::House, move |work| {
        let mut swept = Swept::default();
        let mut asked = i64::MAX;
        for waiting in [jobs::RECLOCK, jobs::LAY_OUT] {
            asked = asked.min(work.tx.first_asked(work.shop.column(), waiting)?.unwrap_or(i64::MAX));
        }
        for (_, term) in keep::ended_terms(work.tx, work.shop, now)? {
            let Ok(term) = term else {
                swept.edited = swept.edited.saturating_add(1);
                continue;
            };
            if asked < term.ends_at.saturating_add(HELD_FROM) {
                swept.held = swept.held.saturating_add(1);
                continue;
            }
            keep::remove_term(&term, work)?;
            let mut entry = work.entry(Act::Expired, Outcome::Yes);
            entry.destroyed = vec![term.key.id.0];
            entry.figures = vec![(Figure::TermEnd, u64::try_from(term.ends_at).unwrap_or(0))];
            work.enter_plain(entry)?;
            swept.ended = swept.ended.saturating_add(1);
        }
        if swept.ended > 0 {
            work.tx.add_job(work.shop.column(), jobs::CLEAN_TERMS, 0, work.asked_at())?;
        }
        Ok(swept)
    })?;
    Ok(committed.into_value())
}

/// How far a job has come that goes over records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last record that was looked over; `None` at the beginning.
    pub last: Option<RecordId>,
    /// Records that were looked over so far.
    pub looked_over: u64,
    /// Rows among them that do not open, and were stepped over.
    pub stepped_over: u64,
}

impl Progress {
    /// Gets on by a page.
    pub fn add(&mut self, page: &Page) {
        self.last = page.last.or(self.last);
        self.looked_over = self.looked_over.saturating_add(u64::from(page.looked_at));
        self.stepped_over = self.stepped_over.saturating_add(u64::from(page.stepped_over));
    }

    /// As a job keeps it.
    pub fn to_bytes(self) -> Vec<u8> {
        let last = self.last.map_or(0, RecordId::number);
        [last, self.looked_over, self.stepped_over].iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// The same, read again; nothing at the beginning.
    pub fn read(kept: &[u8]) -> Progress {
        let mut numbers = kept.as_chunks::<8>().0.iter().map(|bytes| u64::from_be_bytes(*bytes));
        let mut next = || numbers.next().unwrap_or(0);
        let last = Some(next()).filter(|last| *last > 0).map(RecordId::from_number);
        Progress { last, looked_over: next(), stepped_over: next() }
    }
}

/// Cleans up behind terms that are over: looks the records over, page by page, and lays out again what is under a dead key.
///
/// Takes: the record behind which to go on. Gives: what the page came to; no last record means that it is done.
pub fn clean_terms(house: &Arc<House>, shop: &Arc<Shop>, after: Option<RecordId>) -> Result<Page, Problem> {
    let is_meant = |_, record: Result<&RecordRow, &Problem>, shop: &Shop| {
        record.is_ok_and(|record| has_dead_group(record, shop))
    };
    lay_out_some(house, shop, after, is_meant).map(|(page, _)| page)
}

/// Lays every record of a shop out again, by the policy that is in force now: what no purpose keeps any more goes, what ends
/// sooner or later moves to another term, what is sealed with another suite than the shop's is sealed again, and so are files.
///
/// Takes and gives: as [`clean_terms`].
pub fn lay_out_all(house: &Arc<House>, shop: &Arc<Shop>, after: Option<RecordId>) -> Result<Page, Problem> {
    // All records of whom the page before ended with were laid out with it.
    let done = after.map(RecordId::subject);
    let (mut page, with_files) =
        lay_out_some(house, shop, after, move |id, _, _| Some(id.subject()) != done)?;
    for record in with_files {
        let moved = move_files(house, shop, record)?;
        page.resealed = page.resealed.saturating_add(moved.files);
        page.stepped_over = page.stepped_over.saturating_add(moved.stepped_over);
    }
    Ok(page)
}

/// Looks a page of records over, and lays out again all records of the subjects of those that are meant. Gives which of the page
/// have files, too.
fn lay_out_some(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    after: Option<RecordId>,
    is_meant: impl Fn(RecordId, Result<&RecordRow, &Problem>, &Shop) -> bool + Send + 'static,
) -> Result<(Page, Vec<RecordId>), Problem> {
    let reading = Arc::clone(shop);
    let (mut looked, mut subjects, with_files) = house.store.look_blocking::<_, Problem, _>(move |view| {
        let records = keep::look_records_after(view, &reading, after, LOOK_OVER)?;
        let meant = records.iter().filter(|(id, record)| is_meant(*id, record.as_ref(), &reading));
        let subjects: Vec<SubjectId> = meant.map(|(id, _)| id.subject()).collect();
        let has_files = |record: &Result<RecordRow, Problem>| {
            record.as_ref().is_ok_and(|record| !record.clear.files.is_empty())
        };
        let with_files: Vec<RecordId> =
            records.iter().filter(|(_, record)| has_files(record)).map(|(id, _)| *id).collect();
        let looked_at = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let page = Page { last: records.last().map(|(id, _)| *id), looked_at, ..Page::default() };
        Ok((page, subjects, with_files))
    })?;
    subjects.dedup();
    // On a server work waits for messages, and for its turn behind those who wait for an answer: several subjects wait together.
    let at_once = if house.store.is_shared() { AT_ONCE } else { 1 };
    for some in subjects.chunks(at_once) {
        let pages: Vec<Result<Page, Problem>> = std::thread::scope(|scope| {
            let act = |subject: &SubjectId| lay_out_one(house, shop, *subject);
            // The first on this thread: in a folder there is no other.
            let behind: Vec<_> =
                some.iter().skip(1).map(|subject| scope.spawn(move || act(subject))).collect();
            let first = some.first().map(act).into_iter();
            let failed = |_| Err(store::Error::Panicked.into());
            first.chain(behind.into_iter().map(|thread| thread.join().unwrap_or_else(failed))).collect()
        });
        for page in pages {
            looked.count(&page?);
        }
    }
    Ok((looked, with_files))
}

/// Subjects that are laid out at once on a server.
const AT_ONCE: usize = 8;

/// Lays out again all records of a subject, and forgets it altogether if nothing of it is left.
fn lay_out_one(house: &Arc<House>, shop: &Arc<Shop>, subject: SubjectId) -> Result<Page, Problem> {
    let (mut all, mut from) = (Page::default(), None);
    loop {
        let page = reclock(house, shop, subject, from)?;
        all.count(&page);
        if page.last.is_none() {
            break;
        }
        from = page.last;
    }
    house.work_blocking(Lane::Low, shop, &Actor::House, move |work| forget_if_empty(subject, work))?;
    Ok(all)
}

fn has_dead_group(record: &RecordRow, shop: &Shop) -> bool {
    Envelope::parse(&record.sealed)
        .is_ok_and(|envelope| envelope.groups().iter().any(|head| shop.terms.of_key(head.term).is_none()))
}

/// A subject of whom no record is left is forgotten altogether. One whose rows do not open stays as it is.
fn forget_if_empty(subject: SubjectId, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let found = keep::find_subject(work.tx, work.shop, subject);
    let left = || keep::list_records(work.tx, work.shop, subject, None, Order::OldestFirst, 1);
    let row = match found.and_then(|row| Ok((row, left()?))) {
        Ok((Some(row), left)) if left.records.is_empty() => row,
        Ok(_) => return Ok(()),
        Err(problem) if problem.is_of_a_row() => return Ok(()),
        Err(problem) => return Err(problem),
    };
    choose::remove(subject, crate::ground::ids::RECORDS_LIMIT, work)?;
    keep::remove_tokens(subject, crate::ground::ids::RECORDS_LIMIT, work)?;
    let destroyed = keep::destroy_retained_key(&row, work)?;
    let after = SubjectRow { keys: Vec::new(), ..row };
    keep::remove_dead_subject(&after, PAGE, work)?;
    enter_removed(0, &destroyed, work)
}
