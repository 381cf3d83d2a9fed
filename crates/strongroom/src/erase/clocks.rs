//! What leaves by itself: terms whose end has come, records laid out again after a choice, rows behind dead keys.
//!
//! Runs on the caretaker's thread, in pages: read beside the writer, sealed here, written in the low lane. Each page checks
//! in its transaction that nothing moved; a page that is stale is read again.

use std::sync::Arc;

use ledger::entry::{Act, Figure, Outcome};
use policy::{FieldMask, Standing};
use seal::{Envelope, KeyId};
use store::{Committed, Lane};

use crate::choose;
use crate::ground::house::House;
use crate::ground::random::SystemRandom;
use crate::ground::work::Work;
use crate::ground::{Actor, Chosen, Id, Problem, RecordId, Shop, SubjectId, jobs};
use crate::keep::{self, Change, Halt, Order, Plan, Planner, Put, RecordRow, SubjectRow};

/// Records in one page.
const PAGE: u32 = 32;
/// Records looked over at once in a sweep of the whole table.
const LOOK_OVER: u32 = 512;
/// Tries before a page waits for the next round.
const TRIES: usize = 4;

/// What one page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The last record that was looked at; `None` when there was none.
    pub last: Option<RecordId>,
    /// Records that were sealed again.
    pub resealed: u32,
    /// Records that were removed.
    pub removed: u32,
}

/// Lays the records of a subject out again: what may be kept, and until when, may have moved.
///
/// Takes: the record behind which to go on. Gives: what the page came to; no last record means that it is done.
/// Records: *resealed* per record version, *cleaned* per record of which nothing is left.
pub fn reclock(
    house: &House,
    shop: &Arc<Shop>,
    subject: SubjectId,
    after: Option<RecordId>,
) -> Result<Page, Problem> {
    for _ in 0..TRIES {
        let Some((row, chosen, records)) = read_page(house, shop, subject, after)? else { return Ok(DONE) };
        if records.is_empty() || row.keys.is_empty() {
            return Ok(DONE);
        }
        if let Some(page) = lay_out(house, shop, &row, chosen, &records)? {
            return Ok(page);
        }
    }
    Err(keep::error::too_busy())
}

const DONE: Page = Page { last: None, resealed: 0, removed: 0 };

type Looked = (SubjectRow, Chosen, Vec<RecordRow>);

fn read_page(
    house: &House,
    shop: &Arc<Shop>,
    subject: SubjectId,
    after: Option<RecordId>,
) -> Result<Option<Looked>, Problem> {
    let shop = Arc::clone(shop);
    house.store.look_blocking(move |view| {
        let Some(row) = keep::find_subject(view, &shop, subject)? else { return Ok(None) };
        let chosen = choose::chosen(view, &shop, subject)?;
        let mut records = keep::list_records_after(view, &shop, after.or_else(|| before(subject)), PAGE)?;
        records.retain(|record| record.id.subject() == subject);
        Ok(Some((row, chosen, records)))
    })
}

/// The number before a subject's first record.
fn before(subject: SubjectId) -> Option<RecordId> {
    let (first, _) = RecordId::all_of(subject);
    first.number().checked_sub(1).map(RecordId::from_number)
}

/// Plans a page and writes it. Gives `None` when something moved meanwhile.
fn lay_out(
    house: &House,
    shop: &Arc<Shop>,
    row: &SubjectRow,
    chosen: Chosen,
    records: &[RecordRow],
) -> Result<Option<Page>, Problem> {
    let last = records.last().map(|record| record.id);
    let plan = match plan_page(house, shop, row, chosen, records) {
        Ok(plan) => plan,
        Err(Halt::Empty(empty)) => {
            house.refill_blocking(empty.0)?;
            return Ok(None);
        }
        Err(Halt::Problem(problem)) => return Err(problem),
    };
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let page = Page { last, resealed: count(plan.writes.len()), removed: count(plan.removes.len()) };
    if plan.writes.is_empty() && plan.removes.is_empty() {
        return Ok(Some(page));
    }
    let erased = row.standing == Standing::Erased;
    let written = house.work_blocking(Lane::Low, shop, &Actor::House, move |work| {
        let choices = choose::chosen(work.tx, work.shop, plan.subject)?.count;
        if !keep::is_fresh(&plan, choices, work)? || keep::put(&plan, work)? != Put::Done {
            return Ok(false);
        }
        if erased {
            enter_cleaning(&plan, work)?;
        } else {
            keep::enter_writes(&plan, Act::Resealed, work)?;
        }
        Ok(true)
    });
    match written.map(Committed::into_value) {
        Ok(true) => Ok(Some(page)),
        Ok(false) => Ok(None),
        Err(problem) if problem.code == keep::error::MOVED => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn plan_page(
    house: &House,
    shop: &Shop,
    row: &SubjectRow,
    chosen: Chosen,
    records: &[RecordRow],
) -> Result<Plan, Halt> {
    let (policy, random) = (shop.policy(), &mut SystemRandom::new());
    let mut planner =
        Planner::for_subject(house, shop, &policy, row.clone(), chosen, house.clock.now(), random);
    for record in records {
        let unset = FieldMask::EMPTY;
        let change = Change {
            record: record.id,
            before: Some(record),
            set: &[],
            unset,
            blinds: &[],
            files: &[],
            events: &[],
        };
        planner.change(&change)?;
    }
    planner.finish()
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

/// Cleans up behind an erased subject: tokens, choices, and everything whose key is gone.
///
/// Gives whether it is done. Records: *cleaned*, with numbers only.
pub fn clean_subject(house: &House, shop: &Arc<Shop>, subject: SubjectId) -> Result<bool, Problem> {
    let rest =
        house.work_blocking(Lane::Low, shop, &Actor::House, move |work| clean_beside(subject, work))?;
    if rest.into_value() {
        return Ok(false);
    }
    let mut after = None;
    loop {
        let page = reclock(house, shop, subject, after)?;
        if page.last.is_none() {
            break;
        }
        after = page.last;
    }
    let done = house.work_blocking(Lane::Low, shop, &Actor::House, move |work| clean_rows(subject, work))?;
    Ok(done.into_value())
}

/// Tokens and choices go first. Gives whether there are more.
fn clean_beside(subject: SubjectId, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    if keep::find_subject(work.tx, work.shop, subject)?.is_some_and(|row| row.standing != Standing::Erased) {
        return Ok(false); // no erasure asked for this: what this person refused stays refused
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
    Ok(tokens == PAGE as usize || choices == PAGE as usize)
}

/// Removes the rows of a subject of which no key is left. Gives whether it is done.
fn clean_rows(subject: SubjectId, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
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

/// Destroys the keys of terms whose end has come: everything that was sealed under them is unreadable at once.
///
/// Gives: how many. Nothing is destroyed while records wait to be laid out again: one of them might have to move to a later
/// term. Records: *expired* per term, naming its key.
pub fn sweep(house: &House, shop: &Arc<Shop>) -> Result<usize, Problem> {
    // Looked at again here: the clock may have been set since the round began.
    let now = house.watch.believed(house.clock.as_ref(), house.clock.now());
    let committed = house.work_blocking(Lane::Low, shop, &Actor::House, move |work| {
        for waiting in [jobs::RECLOCK, jobs::LAY_OUT] {
            if work.tx.count_jobs(work.shop.column(), waiting)? > 0 {
                return Ok(0);
            }
        }
        let ended = keep::ended_terms(work.tx, work.shop, now)?;
        for term in &ended {
            keep::remove_term(term, work)?;
            let mut entry = work.entry(Act::Expired, Outcome::Yes);
            entry.destroyed = vec![term.key.id.0];
            entry.figures = vec![(Figure::TermEnd, u64::try_from(term.ends_at).unwrap_or(0))];
            work.enter_plain(entry)?;
        }
        if !ended.is_empty() {
            work.tx.add_job(work.shop.column(), jobs::CLEAN_TERMS, 0, work.now)?;
        }
        Ok(ended.len())
    })?;
    Ok(committed.into_value())
}

/// Cleans up behind terms that are over: looks the records over, page by page, and lays out again what is under a dead key.
///
/// Takes: the record behind which to go on. Gives: the last record looked at; `None` when it is done.
pub fn clean_terms(
    house: &House,
    shop: &Arc<Shop>,
    after: Option<RecordId>,
) -> Result<Option<RecordId>, Problem> {
    lay_out_some(house, shop, after, has_dead_group)
}

/// Lays every record of a shop out again, by the policy that is in force now: what no purpose keeps any more goes, what ends
/// sooner or later moves to another term.
///
/// Takes and gives: as [`clean_terms`].
pub fn lay_out_all(
    house: &House,
    shop: &Arc<Shop>,
    after: Option<RecordId>,
) -> Result<Option<RecordId>, Problem> {
    lay_out_some(house, shop, after, |_, _| true)
}

/// Looks a page of records over, and lays out again all records of the subjects of those that are meant.
fn lay_out_some(
    house: &House,
    shop: &Arc<Shop>,
    after: Option<RecordId>,
    is_meant: fn(&RecordRow, &Shop) -> bool,
) -> Result<Option<RecordId>, Problem> {
    let reading = Arc::clone(shop);
    let (last, mut subjects) = house.store.look_blocking::<_, Problem, _>(move |view| {
        let records = keep::list_records_after(view, &reading, after, LOOK_OVER)?;
        let meant = records.iter().filter(|record| is_meant(record, &reading));
        let subjects: Vec<SubjectId> = meant.map(|record| record.id.subject()).collect();
        Ok((records.last().map(|record| record.id), subjects))
    })?;
    subjects.dedup();
    for subject in subjects {
        let mut from = None;
        loop {
            let page = reclock(house, shop, subject, from)?;
            if page.last.is_none() {
                break;
            }
            from = page.last;
        }
        house.work_blocking(Lane::Low, shop, &Actor::House, move |work| forget_if_empty(subject, work))?;
    }
    Ok(last)
}

fn has_dead_group(record: &RecordRow, shop: &Shop) -> bool {
    Envelope::parse(&record.sealed)
        .is_ok_and(|envelope| envelope.groups().iter().any(|head| shop.terms.of_key(head.term).is_none()))
}

/// A subject of whom no record is left is forgotten altogether.
fn forget_if_empty(subject: SubjectId, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let Some(row) = keep::find_subject(work.tx, work.shop, subject)? else { return Ok(()) };
    if !keep::list_records(work.tx, work.shop, subject, None, Order::OldestFirst, 1)?.records.is_empty() {
        return Ok(());
    }
    choose::remove(subject, crate::ground::ids::RECORDS_LIMIT, work)?;
    keep::remove_tokens(subject, crate::ground::ids::RECORDS_LIMIT, work)?;
    let destroyed = keep::destroy_retained_key(&row, work)?;
    let after = SubjectRow { keys: Vec::new(), ..row };
    keep::remove_dead_subject(&after, PAGE, work)?;
    enter_removed(0, &destroyed, work)
}
