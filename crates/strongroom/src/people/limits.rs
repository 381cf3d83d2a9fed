//! How many persons a credential may reach, and what becomes of one that reaches for more: it is frozen.
//!
//! A credential that was stolen opens at full speed what its purposes allow. Its limit ends that within the hour, and the
//! freeze tells somebody. What is counted are distinct persons whom an entry names as reached: revealed, found by a search,
//! made into a token, or turned back from one.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::entry::{Act, Actor as EnteredActor, ActorKind, Entry, Figure, Outcome};
use ledger::opening::Opening;
use policy::Limit;
use store::{Unpack, View, params};

use super::{CredentialRow, approvals, find, is_technical, list, mac_of, sql};
use crate::ground::clock::{DAY, MINUTE};
use crate::ground::log::first_since;
use crate::ground::neighbours::News;
use crate::ground::reached::{Approved, Batch, Full, Reach};
use crate::ground::work::Work;
use crate::ground::{CredentialId, Deed, EntryId, Id, Problem, Shop};

/// What is counted: acts whose entry names a person as reached. Of a search without a find it names nobody. The blast radius
/// goes by the same acts.
pub const COUNTED: [Act; 4] = [Act::Revealed, Act::Searched, Act::Tokenised, Act::Resolved];

/// Why a credential was frozen that reached for more than it may.
const REACHED_ITS_LIMIT: &str = "reached-its-limit";

/// The problem of a credential that is frozen.
pub fn frozen() -> Problem {
    Problem::new("SR-PEOPLE-009", 403, "this credential is frozen: it reached as many persons as it may, or somebody froze it")
        .help("an admin looks at what it did (`strongroom account blast-radius`), then unfreezes it or revokes it; for more persons than its limit, ask for an approval first")
}

/// Counts the person whom an entry is about to name as reached. The entry is complete but for what this adds to it.
///
/// Gives: the refusal, when the credential may reach no more; then it is frozen, which this transaction has to commit.
/// Records: *frozen*, in that case.
pub fn reach(entry: &mut Entry, work: &mut Work<'_, '_>) -> Result<Option<Problem>, Problem> {
    let (ActorKind::Credential(credential), Some(purpose), Some(alias)) =
        (entry.actor.kind, entry.purpose, entry.alias)
    else {
        return Ok(None);
    };
    let reach = Reach { credential, purpose, alias, at: work.counted_at };
    for approval in work.shop.reached.approvals(&reach) {
        if approvals::stands(approval, &reach, work)? && work.shop.reached.take_approved(approval, &reach) {
            entry.figures.push((Figure::Approval, approval));
            return Ok(None);
        }
    }
    let limit = work.policy.compiled.purpose(purpose).map_or(Limit::USUAL, |purpose| purpose.said.limit());
    match work.shop.reached.take(&reach, limit, work.actor.limit) {
        Ok(()) => Ok(None),
        Err(full) => {
            freeze_full(&reach, full, work)?;
            Ok(Some(frozen()))
        }
    }
}

/// Counts a batch that is about to be asked about: as many persons as it names, whoever of them is known. A miss tells somebody who
/// guesses something as well.
///
/// Gives: the approval under which it was counted, if it was. The inner problem is the refusal of a batch for which there is no room
/// left: then the credential is frozen, which this transaction has to commit. Fails: `SR-REVEAL-019` for one that is larger than
/// the whole limit: that is a mistake, and freezes nobody.
/// Records: *frozen*, in that case.
pub fn reach_batch(
    purpose: u16,
    persons: u32,
    work: &mut Work<'_, '_>,
) -> Result<Result<Option<u64>, Problem>, Problem> {
    let ActorKind::Credential(credential) = work.actor.entered.kind else { return Ok(Ok(None)) };
    let batch = Batch { credential, purpose, persons, at: work.counted_at };
    let of = Reach { credential, purpose, alias: [0; 16], at: batch.at };
    for approval in work.shop.reached.approvals_for_batch(&batch) {
        if approvals::stands(approval, &of, work)? && work.shop.reached.take_batch_approved(approval, &batch)
        {
            return Ok(Ok(Some(approval)));
        }
    }
    let limit = work.policy.compiled.purpose(purpose).map_or(Limit::USUAL, |purpose| purpose.said.limit());
    let own = work.actor.limit;
    let most = own.map_or(limit.per_hour, |own| own.per_hour.min(limit.per_hour));
    if persons > most {
        return Err(Problem::new(
            "SR-REVEAL-019",
            422,
            "this is about more persons than the credential may reach in an hour",
        )
        .help("give the purpose a `limit` in the policy, ask for an approval first, or send smaller parts over several hours"));
    }
    match work.shop.reached.take_batch(&batch, limit, own) {
        Ok(()) => Ok(Ok(None)),
        Err(full) => {
            freeze_full(&of, full, work)?;
            Ok(Err(frozen()))
        }
    }
}

/// Freezes a credential that reached for more than it may. The house does that by itself.
fn freeze_full(reach: &Reach, full: Full, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let id = CredentialId::from_number(reach.credential);
    let row = find(work.tx, work.shop, id)?.ok_or_else(super::unknown)?;
    let mut entry = work.entry(Act::Frozen, Outcome::Yes);
    entry.actor = EnteredActor::house();
    entry.purpose = Some(reach.purpose);
    entry.figures = vec![
        (Figure::Credential, reach.credential),
        (Figure::Limit, u64::from(full.limit)),
        (Figure::Hours, u64::from(full.hours)),
    ];
    set_frozen(row, work.now, REACHED_ITS_LIMIT, entry, work)?;
    let (number, limit, hours) = (reach.credential, full.limit, full.hours);
    work.tx.after_commit(move || {
        crate::note!(
            WARN,
            "a credential was frozen: it reached as many persons as it may",
            credential = number,
            persons = limit,
            hours = hours
        );
    });
    Ok(())
}

/// Freezes a credential by hand: it does nothing until somebody lets it go on. Records: *frozen*.
///
/// Fails: `SR-PEOPLE-002` when there is none; `SR-PEOPLE-010` when the reason is not a technical name; `SR-PEOPLE-011` when it
/// is frozen already.
pub fn freeze(id: CredentialId, said: &str, work: &mut Work<'_, '_>) -> Result<EntryId, Problem> {
    change(id, said, Change::Freeze, work)
}

/// Lets a frozen credential go on; whom it reached before is no longer counted. Records: *unfrozen*.
///
/// Fails: `SR-PEOPLE-002` when there is none; `SR-PEOPLE-010` when the reason is not a technical name; `SR-PEOPLE-011` when it
/// is not frozen. A frozen credential cannot do it: it does nothing.
pub fn unfreeze(id: CredentialId, said: &str, work: &mut Work<'_, '_>) -> Result<EntryId, Problem> {
    change(id, said, Change::Unfreeze, work)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Freeze,
    Unfreeze,
}

fn change(id: CredentialId, said: &str, change: Change, work: &mut Work<'_, '_>) -> Result<EntryId, Problem> {
    work.must_be_allowed(Deed::Credentials)?;
    must_be_a_reason(said)?;
    let row = find(work.tx, work.shop, id)?.filter(|row| row.revoked_at == 0).ok_or_else(super::missing)?;
    if (row.frozen_at != 0) == (change == Change::Freeze) {
        return Err(Problem::new("SR-PEOPLE-011", 409, "the credential is that already")
            .help("`strongroom credentials list` shows which are frozen"));
    }
    let (act, at) = match change {
        Change::Freeze => (Act::Frozen, work.now),
        Change::Unfreeze => (Act::Unfrozen, 0),
    };
    let mut entry = work.entry(act, Outcome::Yes);
    entry.figures = vec![(Figure::Credential, id.number())];
    set_frozen(row, at, said, entry, work)
}

fn set_frozen(
    mut row: CredentialRow,
    at: i64,
    said: &str,
    entry: Entry,
    work: &mut Work<'_, '_>,
) -> Result<EntryId, Problem> {
    (row.frozen_at, row.said) = (at, said.to_owned());
    let mac = mac_of(work.shop, &row)?;
    let params = params![at, said, &mac, row.id.column(), work.shop.column()];
    if work.tx.change(&sql::FREEZE_CREDENTIAL, params)? == 0 {
        return Err(super::missing());
    }
    let entry = enter_with_reason(entry, said, work)?;
    let (shop, number, door) = (Arc::clone(work.shop), row.id.number(), super::door_of(&row));
    if at == 0 {
        // What it reached is forgotten after the commit: behind it in the same one it would be frozen again on that account.
        work.tx.ends_batch();
        let shop = Arc::clone(work.shop);
        work.tx.after_commit(move || shop.reached.forget(number));
    }
    work.tx.after_commit(move || shop.doors.add(number, door));
    Ok(entry)
}

/// Enters something that is about nobody, and commits to the reason that was given: whoever knows it can prove it.
pub(super) fn enter_with_reason(
    mut entry: Entry,
    said: &str,
    work: &mut Work<'_, '_>,
) -> Result<EntryId, Problem> {
    let opening = Opening::builder().act(entry.act).extra(said.as_bytes()).build()?;
    entry.commitment = ledger::opening::commitment(&[0; 16], &opening);
    work.enter(&entry)
}

/// Fails: `SR-PEOPLE-010`.
pub(super) fn must_be_a_reason(said: &str) -> Result<(), Problem> {
    if is_technical(said) {
        return Ok(());
    }
    Err(Problem::new("SR-PEOPLE-010", 422, "a reason is 1 to 60 of `a-z 0-9 - _ .`")
        .help("name a ticket or a job, not a person: `incident-17`, `yearly-stocktaking`")
        .at("/reason"))
}

/// A limit as an entry has it.
pub(super) fn figures(limit: Option<Limit>) -> Vec<(Figure, u64)> {
    let figure = |limit: u32, hours| [(Figure::Limit, u64::from(limit)), (Figure::Hours, hours)];
    limit.map_or_else(Vec::new, |limit| [figure(limit.per_hour, 1), figure(limit.per_day, 24)].concat())
}

/// Counts again whom the credentials of a shop have reached in the last day, out of its ledger; and knows which approvals
/// stand. Nobody is served before.
pub fn count_again(view: &View<'_>, shop: &Shop, last_entry_at: i64) -> Result<(), Problem> {
    // Of those that were revoked nothing is counted any more: they reach nobody.
    let rows = list(view, shop, u32::MAX)?.into_iter().filter(|row| row.revoked_at == 0);
    let own: HashMap<u64, Option<Limit>> = rows.map(|row| (row.id.number(), row.limit)).collect();
    let mut since = last_entry_at.saturating_sub(DAY).saturating_sub(2 * MINUTE);
    for row in approvals::list(view, shop, u32::MAX)? {
        let stands =
            |approved: &Approved| approved.ends_at > last_entry_at && own.contains_key(&approved.credential);
        if let Some(approved) = row.approved().filter(stands) {
            since = since.min(row.stands_from().saturating_sub(MINUTE));
            shop.reached.approve(approved);
        }
    }
    let log = shop.log();
    let size = view.log_head(log)?.map_or(0, |head| head.size);
    let mut first = first_since(view, log, size, since)? / store::LEAVES_PER_TILE * store::LEAVES_PER_TILE;
    while first < size {
        let end = size.min(first.saturating_add(store::LEAVES_PER_TILE));
        for leaf in Unpack(&view.leaves_packed(log, first, end)?) {
            if may_count(leaf) {
                count_entry(&Entry::decode(leaf)?, &own, shop);
            }
        }
        first = end;
    }
    Ok(())
}

/// Counts whom credentials have reached on another server, and knows which approvals it has given.
pub fn learn(view: &View<'_>, shop: &Shop, news: &News) -> Result<(), Problem> {
    if news.any(&[Act::Approved]) {
        for row in approvals::list(view, shop, u32::MAX)? {
            if let Some(approved) = row.approved().filter(|approved| approved.ends_at > shop.last_entry_at())
            {
                shop.reached.approve(approved);
            }
        }
    }
    let mut entries = Vec::new();
    for leaf in Unpack(news.leaves()) {
        let (at, counts) = (Entry::decode(leaf)?, may_count(leaf));
        shop.entry_time(at.at);
        if counts {
            entries.push(at);
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    let rows = list(view, shop, u32::MAX)?.into_iter().filter(|row| row.revoked_at == 0);
    let own: HashMap<u64, Option<Limit>> = rows.map(|row| (row.id.number(), row.limit)).collect();
    for entry in &entries {
        count_entry(entry, &own, shop);
    }
    Ok(())
}

/// Does an entry count, as far as its act tells? Most do not, and need not be decoded. What cannot be told is looked at.
fn may_count(leaf: &[u8]) -> bool {
    Entry::peek(leaf)
        .is_none_or(|(act, _)| matches!(act, Act::Unfrozen | Act::AskedMay) || COUNTED.contains(&act))
}

fn count_entry(entry: &Entry, own: &HashMap<u64, Option<Limit>>, shop: &Shop) {
    if entry.outcome != Outcome::Yes {
        return;
    }
    if entry.act == Act::Unfrozen {
        if let Some(credential) = entry.figure(Figure::Credential) {
            shop.reached.forget(credential);
        }
        return;
    }
    let (ActorKind::Credential(credential), Some(purpose)) = (entry.actor.kind, entry.purpose) else {
        return;
    };
    if entry.act == Act::AskedMay {
        return count_batch(entry, credential, purpose, own, shop);
    }
    let Some(alias) = entry.alias else { return };
    let Some(own) = own.get(&credential) else { return };
    let reach = Reach { credential, purpose, alias, at: entry.at };
    if let Some(approval) = entry.figure(Figure::Approval) {
        shop.reached.take_approved(approval, &reach);
        return;
    }
    shop.reached.saw(&reach, *own);
}

fn count_batch(entry: &Entry, credential: u64, purpose: u16, own: &HashMap<u64, Option<Limit>>, shop: &Shop) {
    let Some(own) = own.get(&credential) else { return };
    let persons = entry.figure(Figure::Subjects).and_then(|persons| u32::try_from(persons).ok());
    let batch = Batch { credential, purpose, persons: persons.unwrap_or(u32::MAX), at: entry.at };
    match entry.figure(Figure::Approval) {
        Some(approval) => {
            shop.reached.take_batch_approved(approval, &batch);
        }
        None => shop.reached.saw_batch(&batch, *own),
    }
}
