//! Room `erase`: data leaves, and can be shown to have left.
//!
//! What is held: for each erased subject the certificate's body. No personal data: a subject's public id names nobody once
//! its keys are gone.
//!
//! Invariants:
//! - a person is erased by destroying the main key, in one act, however much there is; rows are cleaned up behind;
//! - a term's key is destroyed at its end, in one act, for everything that ends then; never while records wait to be laid
//!   out again, and never while the clock is in doubt;
//! - a destroyed key is named outside the database before anybody is told, and is never accepted again;
//! - whoever asks after an erasure is answered only when older permits have ended.
//!
//! Who may call: `answer`, the desk and the caretaker. It may call `keep`, `choose` and `share`.

mod certificate;
mod clocks;
mod epoch;
pub mod http;
mod preview;
mod sql;

pub(crate) use sql::KEEP_NEWEST;

#[cfg(test)]
pub(crate) use sql::ALL as STATEMENTS;

pub use certificate::{Certificate, CertificateBody, CertificateText, RetainedPurpose};
pub use clocks::{Page, clean_subject, clean_terms, lay_out_all, reclock, sweep};
pub use preview::{Preview, preview};
pub use epoch::{Rotated, RotationStep, rotate, rotation_is_due};

use std::sync::Arc;

use ledger::entry::{Act, Figure, Outcome};
use ledger::opening::{Opening, commitment};
use policy::Standing;
use seal::{Class, Random};
use sha2::{Digest, Sha256};
use store::{Lane, params};

use crate::ground::clock::DAY;
use crate::ground::house::House;
use crate::ground::random::SystemRandom;
use crate::ground::web::Caller;
use crate::ground::work::Work;
use crate::ground::{Deed, EntryId, Problem, SubjectId, heads, jobs};
use crate::keep::{self, SubjectRow};

/// An erasure that was committed, now or before.
#[derive(Debug)]
struct Erased {
    entry: EntryId,
    body: String,
    salt: [u8; 16],
}

/// Erases a subject: destroys its main key, for good.
///
/// Gives: a certificate with both dates, and what a law keeps. Asking again gives the same certificate.
/// Fails: 404 when there is no such subject. Records: *erased*, naming the destroyed key.
/// Law: the policy's; e.g. PIPL 47, GDPR 17.
pub async fn erase(house: &Arc<House>, caller: &Caller, subject: SubjectId) -> Result<Certificate, Problem> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt)?;
    let epoch_days = house.epoch_days;
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::Erase)?;
            apply(subject, salt, epoch_days, work)
        })
        .await?;
    let erased = committed.into_value();
    if house.store.keys_unlisted() > 0 {
        // Whoever asks again is not told either, until the key is named outside the database.
        return Err(store::Error::NotWitnessed.into());
    }
    // Whoever was let in before the key died has finished, or finds its permit too old. Somebody who asks again waits too:
    // the first answer may not have been given yet.
    house.permits.older_ones_have_ended().await;
    let opening = opening_of(&house.ids.show(subject), &erased.body)?;
    let receipt = heads::receipt(house, &caller.shop, erased.entry, erased.salt, &opening).await?;
    Ok(Certificate::new(erased.body, receipt))
}

fn opening_of(subject: &str, body: &str) -> Result<Opening, Problem> {
    let digest: [u8; 32] = Sha256::digest(body.as_bytes()).into();
    Ok(Opening::builder().act(Act::Erased).subject(subject).digest(&digest).build()?)
}

fn apply(subject: SubjectId, salt: [u8; 16], epoch_days: u32, work: &mut Work<'_, '_>) -> Result<Erased, Problem> {
    if let Some(before) = find_erasure(subject, work)? {
        return Ok(before);
    }
    let row = keep::find_subject(work.tx, work.shop, subject)?.ok_or_else(keep::error::not_found)?;
    if row.standing == Standing::Erased {
        return Err(keep::error::erased());
    }
    let everywhere_by = work.now.saturating_add(i64::from(epoch_days).saturating_mul(DAY));
    let (after, destroyed) = keep::destroy_main_key(&row, work)?;
    let ids: Vec<[u8; 16]> = destroyed.iter().map(|id| id.0).collect();
    let body = CertificateBody::of(&after, &destroyed, everywhere_by, work).to_text()?;

    // The entry names no alias: nothing that is left tells whose the entries before it are.
    let mut entry = work.entry(Act::Erased, Outcome::Yes);
    entry.figures = vec![(Figure::Keys, ids.len() as u64)];
    entry.destroyed = ids;
    entry.commitment = commitment(&salt, &opening_of(&work.ids.show(subject), &body)?);
    let id = work.enter(&entry)?;

    let leaf = i64::try_from(id.leaf()).unwrap_or(i64::MAX);
    let (shop, now) = (work.shop.column(), work.now);
    let params = params![subject.column(), shop, now, everywhere_by, leaf, body.as_str(), &salt];
    work.tx.change(&sql::ADD_ERASURE, params)?;
    work.tx.add_job(shop, jobs::CLEAN_SUBJECT, subject.column(), now)?;
    Ok(Erased { entry: id, body, salt })
}

fn find_erasure(subject: SubjectId, work: &Work<'_, '_>) -> Result<Option<Erased>, Problem> {
    let log = work.shop.log();
    let found = work.tx.find(&sql::FIND_ERASURE, params![subject.column(), work.shop.column()], |row| {
        Ok((row.number(0)?, row.text(1)?.to_owned(), row.array(2)?))
    })?;
    Ok(found.map(|(leaf, body, salt)| Erased { entry: EntryId::of(log, leaf), body, salt }))
}

/// How many subjects of a shop were erased.
pub fn count(view: &store::View<'_>, shop: &crate::ground::Shop) -> Result<u64, Problem> {
    Ok(view.find(&sql::COUNT_ERASURES, params![shop.column()], |row| row.number(0))?.unwrap_or(0))
}

/// Has the subject fields that a law keeps?
fn has_retained(row: &SubjectRow) -> bool {
    row.key(Class::Retained).is_some()
}
