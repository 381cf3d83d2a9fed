//! Room `erase`: data leaves, and can be shown to have left.
//!
//! What is held: for each erased subject the certificate's body. No personal data: a subject's public id names nobody once
//! its keys are gone.
//!
//! Invariants:
//! - a person is erased by destroying the main key, in one act, however much there is; rows are cleaned up behind;
//! - a term's key is destroyed at its end, in one act, for everything that ends then; never while a job waits that was asked
//!   for before that end and might move a record out of it, and never while the clock is in doubt;
//! - a row that does not open holds up nothing but itself;
//! - an epoch ends by the dates that certificates given in it name, also when epochs are made longer meanwhile;
//! - a destroyed key is named outside the database before anybody is told, and is never accepted again;
//! - whoever asks after an erasure is answered only when older permits have ended.
//!
//! Who may call: `answer`, the desk and the caretaker. It may call `keep`, `choose` and `share`.

mod certificate;
mod clocks;
mod epoch;
mod file_suites;
mod files;
pub mod http;
mod preview;
mod sql;

pub(crate) use sql::KEEP_NEWEST;

#[cfg(test)]
pub(crate) use sql::ALL as STATEMENTS;

pub use certificate::{Certificate, CertificateBody, CertificateText, RetainedPurpose};
pub use clocks::{Page, Progress, Swept, clean_beside, clean_rows, clean_terms, lay_out_all, reclock, sweep};
pub use epoch::{Move, Rotated, RotationStep, look_up_promises, rotate, rotation_is_due};
pub use files::{Tidied, clean_files, give_up_files};
pub use preview::{Effect, Part, Preview, parts_of, preview};

use std::sync::Arc;

use ledger::entry::{Act, Entry, Figure, Outcome};
use ledger::opening::{Opening, commitment};
use policy::Standing;
use seal::{Class, Random};
use sha2::{Digest, Sha256};
use store::{Lane, Row, View, params};

use crate::ground::clock::DAY;
use crate::ground::house::House;
use crate::ground::permits::PERMIT_LIFE;
use crate::ground::problem::Looked;
use crate::ground::random::SystemRandom;
use crate::ground::web::Caller;
use crate::ground::work::Work;
use crate::ground::{Deed, EntryId, Ids, Problem, Shop, SubjectId, heads, jobs};
use crate::keep::{self, SubjectRow};

/// An erasure that was committed, now or before.
#[derive(Debug)]
pub struct ErasureRow {
    /// Whose.
    pub subject: SubjectId,
    /// Unreadable here since, µs UTC.
    at: i64,
    /// Unreadable everywhere by, µs UTC.
    everywhere_by: i64,
    /// Its entry.
    entry: EntryId,
    /// The certificate's body.
    body: String,
    /// Opens the entry's commitment.
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
    let promising = Arc::clone(house);
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::Erase)?;
            let erased = apply(subject, salt, epoch_days, work)?;
            // One that was given before is known already, or of an epoch that is over.
            let (promising, by, now) = (Arc::clone(&promising), erased.everywhere_by, work.now);
            if erased.at == now {
                work.tx.after_commit(move || promising.promised.add(by));
            }
            Ok(erased)
        })
        .await?;
    let erased = committed.into_value();
    if house.store.keys_unlisted() > 0 {
        // Whoever asks again is not told either, until the key is named outside the database.
        return Err(store::Error::NotWitnessed.into());
    }
    // Whoever was let in before the key died has finished, or finds its permit too old. Somebody who asks again waits too:
    // the first answer may not have been given yet.
    if house.store.is_shared() {
        // Permits that other servers have given are not known here; none stands for longer than this.
        tokio::time::sleep(PERMIT_LIFE).await;
    }
    house.permits.older_ones_have_ended().await;
    let opening = erased.opening(&house.ids)?;
    let receipt = heads::receipt(house, &caller.shop, erased.entry, erased.salt, &opening).await?;
    // A row that says something else than its entry proves nothing, and nobody is told that they are erased by it.
    if !erased.is_entered_as(&receipt.entry, &house.ids)? {
        return Err(Problem::edited(ERASURE));
    }
    Ok(Certificate::new(erased.body, receipt))
}

fn opening_of(subject: &str, body: &str) -> Result<Opening, Problem> {
    let digest: [u8; 32] = Sha256::digest(body.as_bytes()).into();
    Ok(Opening::builder().act(Act::Erased).subject(subject).digest(&digest).build()?)
}

fn apply(
    subject: SubjectId,
    salt: [u8; 16],
    epoch_days: u32,
    work: &mut Work<'_, '_>,
) -> Result<ErasureRow, Problem> {
    let row = keep::find_subject(work.tx, work.shop, subject)?;
    // Of somebody who stands here as if nothing had been no certificate is true, even one that was: they are erased again.
    let is_gone = row.as_ref().is_none_or(|row| row.standing == Standing::Erased);
    if let Some(before) = find_erasure(subject, work)?.filter(|_| is_gone) {
        return Ok(before);
    }
    let row = row.ok_or_else(keep::error::not_found)?;
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

    let erased = ErasureRow { subject, at: work.now, everywhere_by, entry: id, body, salt };
    add_erasure(&erased, work)?;
    work.tx.add_job(work.shop.column(), jobs::CLEAN_SUBJECT, subject.column(), work.asked_at())?;
    Ok(erased)
}

const ERASURE: &str = "erasure";

impl ErasureRow {
    /// What its entry commits to.
    fn opening(&self, ids: &Ids) -> Result<Opening, Problem> {
        opening_of(&ids.show(self.subject), &self.body)
    }

    /// Does an entry commit to what this row says?
    fn is_entered_as(&self, entry: &[u8], ids: &Ids) -> Result<bool, Problem> {
        Ok(seal::same(&Entry::decode(entry)?.commitment, &commitment(&self.salt, &self.opening(ids)?)))
    }

    /// The entry that it names.
    pub fn entry(&self) -> EntryId {
        self.entry
    }

    /// Does the entry that this row names commit to what it says? For the deep check.
    pub fn is_entered(&self, view: &View<'_>, ids: &Ids) -> Result<bool, Problem> {
        let entry = view.leaf(self.entry.log(), self.entry.leaf())?;
        entry.map_or(Ok(false), |entry| self.is_entered_as(&entry, ids))
    }

    /// What its MAC is over. A body can be longer than a column of a MAC may be, so its digest stands for it.
    fn columns(&self, shop: &Shop) -> [Vec<u8>; 3] {
        let numbers =
            [self.subject.column(), shop.column(), self.at, self.everywhere_by, self.entry.column()];
        let numbers = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        [numbers, Sha256::digest(&self.body).to_vec(), self.salt.to_vec()]
    }
}

fn add_erasure(row: &ErasureRow, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let shop = work.shop;
    let mac = shop.keys.row_mac(ERASURE, &row.columns(shop).each_ref().map(Vec::as_slice))?;
    let (subject, entry, body) = (row.subject.column(), row.entry.column(), row.body.as_str());
    let params = params![subject, shop.column(), row.at, row.everywhere_by, entry, body, &row.salt, &mac];
    work.tx.change(&sql::ADD_ERASURE, params)?;
    Ok(())
}

fn find_erasure(subject: SubjectId, work: &Work<'_, '_>) -> Result<Option<ErasureRow>, Problem> {
    let found =
        work.tx.find(&sql::FIND_ERASURE, params![subject.column(), work.shop.column()], read_erasure)?;
    found.map(|row| whole_erasure(work.shop, row)).transpose()
}

/// Erasures behind a subject, page by page, and whether each is as it was written; for the deep check.
pub fn list_erasures_after(
    view: &View<'_>,
    shop: &Shop,
    after: Option<SubjectId>,
    limit: u32,
) -> Result<Looked<SubjectId, ErasureRow>, Problem> {
    let after = after.map_or(-1, SubjectId::column);
    let rows = view.list(&sql::LIST_ERASURES_AFTER, params![after, shop.column(), limit], read_erasure)?;
    Ok(rows.into_iter().map(|row| (row.0.subject, whole_erasure(shop, row))).collect())
}

fn read_erasure(row: &Row<'_>) -> Result<(ErasureRow, Vec<u8>), store::Error> {
    let erasure = ErasureRow {
        subject: SubjectId::from_column(row.int(0)?),
        at: row.int(1)?,
        everywhere_by: row.int(2)?,
        entry: EntryId::from_column(row.int(3)?),
        body: row.text(4)?.to_owned(),
        salt: row.array(5).unwrap_or_default(), // the MAC of no row that was edited fits
    };
    Ok((erasure, row.bytes(6)?.to_vec()))
}

fn whole_erasure(shop: &Shop, (row, mac): (ErasureRow, Vec<u8>)) -> Result<ErasureRow, Problem> {
    shop.keys
        .row_is_whole(ERASURE, &row.columns(shop).each_ref().map(Vec::as_slice), &mac)
        .map_err(|_| Problem::edited(ERASURE))?;
    Ok(row)
}

/// The earliest date that a certificate names of those given since an instant, µs UTC.
fn first_promise(view: &View<'_>, shop: &Shop, since: i64) -> Result<Option<i64>, Problem> {
    Ok(view.find(&sql::FIRST_PROMISE, params![shop.column(), since], |row| row.int(0))?)
}

/// How many subjects of a shop were erased.
pub fn count(view: &View<'_>, shop: &Shop) -> Result<u64, Problem> {
    Ok(view.find(&sql::COUNT_ERASURES, params![shop.column()], |row| row.number(0))?.unwrap_or(0))
}

/// Has the subject fields that a law keeps?
fn has_retained(row: &SubjectRow) -> bool {
    row.key(Class::Retained).is_some()
}
