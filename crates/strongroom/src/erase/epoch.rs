//! A new epoch: afterwards every copy of the database made before holds only keys that nothing can unwrap.
//!
//! Online and resumable: each step finds out what is left to do, so one that was cut off is simply begun again. The old
//! epoch key is overwritten last, when nothing that lives hangs on it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ledger::entry::{Act, Figure, Outcome};
use seal::{Class, Envelope, EpochKey, KeyId, Secret, Suite};
use store::Lane;

use super::clocks::reclock;
use crate::ground::clock::{DAY, HOUR};
use crate::ground::house::House;
use crate::ground::random::SystemRandom;
use crate::ground::{Actor, OPEN_END, Problem, RecordId, Shop, SubjectId, jobs};
use crate::keep;

/// How far a change of epoch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationStep {
    /// Keys of subjects are wrapped again: how many of how many.
    Keys(u64, u64),
    /// Open-ended records are sealed again: looked over, of how many.
    Records(u64, u64),
    /// The old epoch's key is overwritten.
    Done(u32),
}

/// A shop that is to seal with another suite, from the change of epoch on.
#[derive(Debug, Clone)]
pub struct Move {
    /// Which shop.
    pub shop: Arc<Shop>,
    /// With which suite.
    pub to: Suite,
}

/// What a change of epoch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// The epoch that began.
    pub epoch: u32,
    /// Keys that were wrapped again.
    pub keys: u64,
    /// Records that were sealed again.
    pub records: u64,
}

/// Subjects in one unit of work.
const SUBJECTS: u32 = 128;
/// Records looked over at once.
const LOOK_OVER: u32 = 512;
/// An epoch ends so long before its time, so that the change is done when a certificate says it is.
const AHEAD: i64 = DAY;

/// An epoch lasts at least so long, whatever it is asked for: a change takes its time.
const AT_LEAST: i64 = HOUR;

/// Is the epoch old enough for the next, or a change under way?
///
/// It is, at the latest, when a certificate that was given in this epoch says so: who makes epochs longer does not change what
/// was promised before. The dates are as far as [`look_up_promises`] has found them.
pub fn rotation_is_due(house: &House) -> bool {
    let life = i64::from(house.epoch_days).saturating_mul(DAY);
    let now = house.watch.believed(house.clock.as_ref(), house.clock.now());
    house.keys.with(|ring| {
        ring.epochs.len() > 1
            || ring.epochs.last().is_none_or(|epoch| {
                let end = epoch.since.saturating_add(life).min(house.promised.by());
                now >= end.saturating_sub(AHEAD).max(epoch.since.saturating_add(AT_LEAST))
            })
    })
}

/// Finds out by when certificates of this epoch say that it has ended. Once per epoch and process: those that are given while it
/// runs tell by themselves.
///
/// Fails: as the store does, after it has looked at every shop: what one says holds although another's cannot be read. It is
/// looked up again the next time.
pub fn look_up_promises(house: &House) -> Result<(), Problem> {
    let (number, since) =
        house.keys.with(|ring| ring.epochs.last().map_or((0, 0), |epoch| (epoch.number, epoch.since)));
    if !house.promised.is_new(number) {
        return Ok(());
    }
    let mut all = Ok(());
    for shop in house.shops() {
        let first = house.store.look_blocking(move |view| super::first_promise(view, &shop, since));
        match first {
            Ok(first) => house.promised.add(first.unwrap_or(i64::MAX)),
            Err(problem) => all = Err(problem),
        }
    }
    if all.is_ok() {
        house.promised.is_known(number);
    }
    all
}

/// Changes to a new epoch, or finishes a change that was cut off.
///
/// Takes: a shop that moves to another suite with it; who is told how far it has come. With the wrap key of that suite, what the
/// shop has sealed is asked to be laid out again, so that all of it moves. Records: *keyring_changed* at the beginning, *rotated* at the end, per shop.
/// Fails: as the store and the keys folder do; begun again, it goes on.
pub fn rotate(
    house: &Arc<House>,
    moving: Option<&Move>,
    mut progress: impl FnMut(RotationStep),
) -> Result<Rotated, Problem> {
    let (old, new) = begin(house)?;
    let (old, new) = (Arc::new(old), Arc::new(new));
    let mut rotated = Rotated { epoch: new.number(), keys: 0, records: 0 };
    for shop in house.shops() {
        let moves = moving.filter(|moving| moving.shop.number == shop.number).map(|moving| moving.to);
        let version = begin_shop(house, &shop, &old, &new, moves)?;
        rotated.keys = rotated.keys.saturating_add(rewrap_all(house, &shop, &mut progress)?);
        rotated.records =
            rotated.records.saturating_add(reseal_open(house, &shop, new.number(), &mut progress)?);
        end_shop(house, &shop, version, new.number())?;
    }
    // ORDER: last. From here on what was wrapped under the old epoch is dark everywhere.
    house.keys.change(|ring, _| {
        ring.end_epochs_before(new.number());
        Ok(())
    })?;
    progress(RotationStep::Done(new.number()));
    Ok(rotated)
}

/// The old epoch and the new one; the keyring holds both from here until the end.
fn begin(house: &House) -> Result<(EpochKey, EpochKey), Problem> {
    if house.keys.with(|ring| ring.epochs.len()) < 2 {
        let now = house.watch.believed(house.clock.as_ref(), house.clock.now());
        house.keys.change(|ring, random| ring.begin_epoch(now, random))?;
    }
    house.keys.with(|ring| {
        let key = |secret: &Secret<32>, number| EpochKey::new(number, secret);
        match ring.epochs.as_slice() {
            [.., old, new] => Ok((key(&old.key, old.number)?, key(&new.key, new.number)?)),
            _ => Err(Problem::from(seal::Error::KeyringDamaged)),
        }
    })
}

/// Gives the shop its wrap key of the new epoch, and wraps the keys that stay again. Gives the wrap key's version.
///
/// The suite of that key is the shop's from here on. A change that was begun without a move, and is finished with one, takes
/// another wrap key: the newest counts.
fn begin_shop(
    house: &House,
    shop: &Arc<Shop>,
    old: &Arc<EpochKey>,
    new: &Arc<EpochKey>,
    moves: Option<Suite>,
) -> Result<u32, Problem> {
    let mut random = SystemRandom::new();
    let before = shop.keys.suite();
    let suite = moves.unwrap_or(before);
    let fresh = new.new_shop_key(shop.number, Class::Wrap, suite, &mut random)?;
    let (old, new) = (Arc::clone(old), Arc::clone(new));
    let committed = house.work_blocking(Lane::High, shop, &Actor::House, move |work| {
        let rows = keep::read_shop_keys(work.tx, work.shop.number)?;
        let newest = rows.wraps.iter().max_by_key(|(version, _)| *version);
        let of_new_epoch = newest.filter(|(_, key)| (key.under, key.suite) == (new.number(), suite));
        let version = match of_new_epoch {
            Some((version, _)) => *version,
            None => {
                let version = newest.map_or(0, |(version, _)| *version).saturating_add(1);
                keep::begin_wrap(&new, &fresh, version, work)?;
                version
            }
        };
        keep::rewrap_shop_keys(&old, &new, work)?;
        let mut entry = work.entry(Act::KeyringChanged, Outcome::Yes);
        entry.figures = vec![(Figure::Epoch, u64::from(new.number()))];
        if suite != before {
            entry.figures.push((Figure::Suite, u64::from(suite.number())));
        }
        if moves.is_some() {
            // What this change does not seal again by itself follows behind it, also if it is cut off from here on.
            work.tx.add_job(work.shop.column(), jobs::LAY_OUT, 0, work.asked_at())?;
        }
        work.enter_plain(entry)?;
        Ok(version)
    })?;
    Ok(committed.into_value())
}

/// Wraps every living key of terms and subjects again.
fn rewrap_all(
    house: &House,
    shop: &Arc<Shop>,
    progress: &mut impl FnMut(RotationStep),
) -> Result<u64, Problem> {
    let mut keys = 0_u64;
    for term in shop.terms.all() {
        let number = term.number;
        let changed = house.work_blocking(Lane::Low, shop, &Actor::House, move |work| {
            work.tx.housekeeping(); // the change is entered as a whole, at its beginning and its end
            keep::rewrap_term(number, work)
        })?;
        keys = keys.saturating_add(u64::from(changed.into_value()));
    }
    let reading = Arc::clone(shop);
    let total: u64 = house
        .store
        .look_blocking::<_, Problem, _>(move |view| Ok(keep::count_subjects(view, &reading)?.iter().sum()))?;
    let (mut after, mut done) = (None, 0_u64);
    loop {
        let reading = Arc::clone(shop);
        let page: Vec<SubjectId> = house.store.look_blocking::<_, Problem, _>(move |view| {
            keep::list_subjects_after(view, &reading, after, SUBJECTS)
        })?;
        let Some(last) = page.last().copied() else { return Ok(keys) };
        done = done.saturating_add(page.len() as u64);
        let changed = house.work_blocking(Lane::Low, shop, &Actor::House, move |work| {
            work.tx.housekeeping();
            let (mut changed, mut edited) = (0_u64, 0_u64);
            for subject in &page {
                match keep::rewrap_subject(*subject, work) {
                    Ok(again) => changed = changed.saturating_add(u64::from(again)),
                    // A row that was edited opens for nobody. It ends with its epoch, as it would in every copy; the dates of
                    // everybody else do not wait for it.
                    Err(problem) if problem.is_of_a_row() => edited = edited.saturating_add(1),
                    Err(problem) => return Err(problem),
                }
            }
            if edited > 0 {
                let mut entry = work.entry(Act::OpeningFailed, Outcome::No);
                entry.figures = vec![(Figure::Subjects, edited)];
                work.enter_plain(entry)?;
            }
            Ok((changed, edited))
        })?;
        let (changed, edited) = changed.into_value();
        house.rows_stepped_over.fetch_add(edited, Ordering::Relaxed);
        keys = keys.saturating_add(changed);
        after = Some(last);
        progress(RotationStep::Keys(done, total.max(done)));
    }
}

/// Seals what is open-ended again, under the open term of the new epoch.
///
/// So that a key which lives on never opens an old copy: the open term of the old epoch dies with it.
fn reseal_open(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    epoch: u32,
    progress: &mut impl FnMut(RotationStep),
) -> Result<u64, Problem> {
    let old: Vec<KeyId> = shop
        .terms
        .all()
        .iter()
        .filter(|term| term.ends_at == OPEN_END && term.epoch < epoch)
        .map(|term| term.key.id)
        .collect();
    if old.is_empty() {
        return Ok(0);
    }
    let reading = Arc::clone(shop);
    let total: u64 =
        house.store.look_blocking::<_, Problem, _>(move |view| keep::count_records(view, &reading))?;
    let (mut after, mut done, mut resealed): (Option<RecordId>, u64, u64) = (None, 0, 0);
    loop {
        let (reading, old) = (Arc::clone(shop), old.clone());
        let (last, count, mut subjects) = house.store.look_blocking::<_, Problem, _>(move |view| {
            let records = keep::look_records_after(view, &reading, after, LOOK_OVER)?;
            let open = |(_, record): &&(RecordId, Result<keep::RecordRow, Problem>)| {
                let Ok(record) = record else { return true }; // stepped over, and entered
                Envelope::parse(&record.sealed)
                    .is_ok_and(|envelope| envelope.groups().iter().any(|head| old.contains(&head.term)))
            };
            let subjects: Vec<SubjectId> = records.iter().filter(open).map(|(id, _)| id.subject()).collect();
            Ok((records.last().map(|(id, _)| *id), records.len() as u64, subjects))
        })?;
        let Some(last) = last else { return Ok(resealed) };
        subjects.dedup();
        for subject in subjects {
            let mut from = None;
            loop {
                let page = reclock(house, shop, subject, from)?;
                resealed = resealed.saturating_add(u64::from(page.resealed));
                if page.last.is_none() {
                    break;
                }
                from = page.last;
            }
        }
        done = done.saturating_add(count);
        after = Some(last);
        progress(RotationStep::Records(done, total.max(done)));
    }
}

/// Destroys the open terms of older epochs and drops older wrap keys.
fn end_shop(house: &House, shop: &Arc<Shop>, version: u32, epoch: u32) -> Result<(), Problem> {
    house.work_blocking(Lane::High, shop, &Actor::House, move |work| {
        let mut destroyed = Vec::new();
        for term in keep::list_terms(work.tx, work.shop)? {
            if term.ends_at == OPEN_END && term.epoch < epoch {
                keep::remove_term(&term, work)?;
                destroyed.push(term.key.id.0);
            }
        }
        keep::end_old_wraps(version, work)?;
        let mut entry = work.entry(Act::Rotated, Outcome::Yes);
        entry.figures = vec![(Figure::Epoch, u64::from(epoch))];
        entry.destroyed = destroyed;
        work.enter_plain(entry)?;
        Ok(())
    })?;
    Ok(())
}
