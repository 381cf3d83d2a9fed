//! Approvals: for a while a credential may reach more persons than its limit, because somebody asked and somebody else
//! said yes.

use std::sync::Arc;

use ledger::entry::{Act, Figure, Outcome};
use policy::Limit;
use store::{Row, View, params};

use super::limits::{enter_with_reason, must_be_a_reason};
use super::{find, sql};
use crate::ground::clock::{DAY, HOUR};
use crate::ground::reached::{Approved, Reach};
use crate::ground::work::Work;
use crate::ground::{ApprovalId, CredentialId, Deed, EntryId, Id, Problem, Shop};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct AskApproval {
    /// Which credential may reach more.
    pub credential: CredentialId,
    /// For which purpose.
    pub purpose: u16,
    /// Persons at the most.
    pub subjects: u32,
    /// For how long, hours.
    pub hours: u32,
    /// Why: a reference.
    pub said: String,
}

/// An approval's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Its number.
    pub id: ApprovalId,
    /// Which credential may.
    pub credential: CredentialId,
    /// For which purpose.
    pub purpose: u16,
    /// Persons at the most.
    pub subjects: u32,
    /// For how long it stands once approved, hours.
    pub hours: u32,
    /// Why: a reference.
    pub said: String,
    /// The credential that asked; 0 for the operator.
    pub asked_by: u64,
    /// When it was asked for, µs UTC.
    pub asked_at: i64,
    /// What became of it.
    pub state: ApprovalState,
    /// The credential that decided; 0 for the operator, and while nobody has.
    pub decided_by: u64,
    /// When that was, µs UTC; 0 while nobody has.
    pub decided_at: i64,
    /// Until when it can be approved, then until when it stands, µs UTC.
    pub ends_at: i64,
}

/// What became of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalState {
    /// Somebody asked.
    Asked,
    /// Somebody else approved.
    Approved,
    /// Somebody refused to.
    Refused,
}

/// How somebody decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// Yes.
    Approve,
    /// No.
    Refuse,
}

impl ApprovalState {
    fn number(self) -> i64 {
        match self {
            ApprovalState::Asked => 1,
            ApprovalState::Approved => 2,
            ApprovalState::Refused => 3,
        }
    }

    fn from_number(number: i64) -> Option<ApprovalState> {
        [ApprovalState::Asked, ApprovalState::Approved, ApprovalState::Refused]
            .into_iter()
            .find(|state| state.number() == number)
    }
}

impl ApprovalRow {
    /// Nobody was reached by it before, µs UTC; of one that was approved. A clock that was ahead when that was does not move it.
    pub(super) fn stands_from(&self) -> i64 {
        self.decided_at.min(self.ends_at.saturating_sub(i64::from(self.hours).saturating_mul(HOUR)))
    }

    /// What it gives, if it was approved.
    pub fn approved(&self) -> Option<Approved> {
        (self.state == ApprovalState::Approved).then(|| Approved {
            id: self.id.number(),
            credential: self.credential.number(),
            purpose: self.purpose,
            subjects: self.subjects,
            ends_at: self.ends_at,
        })
    }
}

/// The longest that an approval stands, hours.
pub const HOURS_LIMIT: u32 = 7 * 24;
/// What was asked for can be approved within this time.
const ASK_STANDS: i64 = 7 * DAY;
/// What numbers of approvals are called.
const NUMBERED: &str = "approval";
const APPROVAL: &str = "approval";

/// Asks for an approval. Gives its id, and the entry's. Records: *approval_asked*.
///
/// Fails: `SR-PEOPLE-012` when there is no such credential, or it lacks the purpose; `SR-PEOPLE-013` when numbers are out of
/// range; `SR-PEOPLE-010` when the reason is not a technical name.
pub fn ask(ask: &AskApproval, work: &mut Work<'_, '_>) -> Result<(ApprovalId, EntryId), Problem> {
    work.must_be_allowed(Deed::AskApproval)?;
    must_be_a_reason(&ask.said)?;
    if !(1..=Limit::MOST).contains(&ask.subjects) {
        return Err(out_of_range().at("/subjects"));
    }
    if !(1..=HOURS_LIMIT).contains(&ask.hours) {
        return Err(out_of_range().at("/hours"));
    }
    let credential = find(work.tx, work.shop, ask.credential)?.filter(|row| row.revoked_at == 0);
    if !credential.is_some_and(|row| row.purposes.has(ask.purpose)) {
        return Err(no_such_credential());
    }
    let id = ApprovalId::from_column(work.tx.take_numbers(NUMBERED, 1)?);
    let row = ApprovalRow {
        id,
        credential: ask.credential,
        purpose: ask.purpose,
        subjects: ask.subjects,
        hours: ask.hours,
        said: ask.said.clone(),
        asked_by: work.actor.entered.number(),
        asked_at: work.now,
        state: ApprovalState::Asked,
        decided_by: 0,
        decided_at: 0,
        ends_at: work.counted_at.saturating_add(ASK_STANDS),
    };
    let mac = mac_of(work.shop, &row)?;
    let params = params![
        id.column(),
        work.shop.column(),
        row.credential.column(),
        row.purpose,
        row.subjects,
        row.hours,
        row.said.as_str(),
        signed(row.asked_by),
        row.asked_at,
        row.ends_at,
        &mac
    ];
    work.tx.change(&sql::ADD_APPROVAL, params)?;
    let entry = enter(&row, Act::ApprovalAsked, Outcome::Yes, work)?;
    Ok((id, entry))
}

/// The problem of a credential for which nothing can be asked: none of this shop's, or without the purpose.
pub(super) fn no_such_credential() -> Problem {
    Problem::new("SR-PEOPLE-012", 422, "there is no credential of this id that has the purpose")
        .at("/credential")
}

/// The problem of an approval that cannot be decided: none of this shop's, or decided, or too old.
pub(super) fn missing() -> Problem {
    Problem::new("SR-PEOPLE-014", 409, "nothing of this id waits to be approved")
        .help("it was decided, or nobody did within seven days: `strongroom approvals list` shows it; then ask again")
}

/// Approves what somebody else asked for, or refuses to. Records: *approved*, yes or no.
///
/// Fails: `SR-PEOPLE-014` when there is no such ask, or it was decided, or it is too old; `SR-PEOPLE-015` when it is one's own.
pub fn decide(
    id: ApprovalId,
    decided: Decided,
    work: &mut Work<'_, '_>,
) -> Result<(ApprovalRow, EntryId), Problem> {
    work.must_be_allowed(Deed::Approve)?;
    let mut row = find_approval(work.tx, work.shop, id)?.ok_or_else(missing)?;
    if row.state != ApprovalState::Asked || row.ends_at <= work.counted_at {
        return Err(missing());
    }
    let by = work.actor.entered.number();
    // LAW: four eyes. Whoever asked, or would reach more by it, has no say in a yes.
    if decided == Decided::Approve && (by == row.asked_by || by == row.credential.number()) {
        return Err(Problem::new("SR-PEOPLE-015", 403, "who asked for it cannot approve it")
            .help("another officer or admin does, or the operator at the machine"));
    }
    let (state, outcome) = match decided {
        Decided::Approve => (ApprovalState::Approved, Outcome::Yes),
        Decided::Refuse => (ApprovalState::Refused, Outcome::No),
    };
    (row.state, row.decided_by, row.decided_at) = (state, by, work.now);
    row.ends_at = work.counted_at;
    if decided == Decided::Approve {
        row.ends_at = row.ends_at.saturating_add(i64::from(row.hours).saturating_mul(HOUR));
    }
    let mac = mac_of(work.shop, &row)?;
    let params = params![
        state.number(),
        signed(by),
        row.decided_at,
        row.ends_at,
        &mac,
        id.column(),
        work.shop.column()
    ];
    if work.tx.change(&sql::DECIDE_APPROVAL, params)? == 0 {
        return Err(missing());
    }
    let entry = enter(&row, Act::Approved, outcome, work)?;
    if let Some(approved) = row.approved() {
        work.tx.ends_batch(); // whoever comes behind it is not frozen for what was just approved
        let shop = Arc::clone(work.shop);
        work.tx.after_commit(move || shop.reached.approve(approved));
    }
    Ok((row, entry))
}

fn enter(row: &ApprovalRow, act: Act, outcome: Outcome, work: &mut Work<'_, '_>) -> Result<EntryId, Problem> {
    let mut entry = work.entry(act, outcome);
    entry.purpose = Some(row.purpose);
    entry.figures = vec![
        (Figure::Approval, row.id.number()),
        (Figure::Credential, row.credential.number()),
        (Figure::Limit, u64::from(row.subjects)),
        (Figure::Hours, u64::from(row.hours)),
    ];
    enter_with_reason(entry, &row.said, work)
}

/// Does an approval stand for this? Its row is read: what is remembered of it does not decide.
pub(super) fn stands(id: u64, reach: &Reach, work: &Work<'_, '_>) -> Result<bool, Problem> {
    let row = find_approval(work.view(), work.shop, ApprovalId::from_number(id))?;
    Ok(row.and_then(|row| row.approved()).is_some_and(|approved| {
        (approved.credential, approved.purpose) == (reach.credential, reach.purpose)
            && approved.ends_at > reach.at
    }))
}

fn find_approval(view: &View<'_>, shop: &Shop, id: ApprovalId) -> Result<Option<ApprovalRow>, Problem> {
    view.find(&sql::FIND_APPROVAL, params![id.column(), shop.column()], read_row)?
        .map(|(row, mac)| whole(shop, row, &mac))
        .transpose()
}

/// What was asked for and decided, the latest first.
pub fn list(view: &View<'_>, shop: &Shop, limit: u32) -> Result<Vec<ApprovalRow>, Problem> {
    let rows = view.list(&sql::LIST_APPROVALS, params![shop.column(), limit], read_row)?;
    rows.into_iter().map(|(row, mac)| whole(shop, row, &mac)).collect()
}

fn read_row(row: &Row<'_>) -> Result<(ApprovalRow, Vec<u8>), store::Error> {
    let found = ApprovalRow {
        id: ApprovalId::from_column(row.int(0)?),
        credential: CredentialId::from_column(row.int(2)?),
        purpose: row.number(3)?,
        subjects: row.number(4)?,
        hours: row.number(5)?,
        said: row.text(6)?.to_owned(),
        asked_by: row.number(7)?,
        asked_at: row.int(8)?,
        state: ApprovalState::from_number(row.int(9)?).ok_or(store::Error::WrongColumn { column: 9 })?,
        decided_by: row.number(10)?,
        decided_at: row.int(11)?,
        ends_at: row.int(12)?,
    };
    Ok((found, row.bytes(13)?.to_vec()))
}

fn columns(shop: &Shop, row: &ApprovalRow) -> Vec<u8> {
    let numbers = [
        shop.column(),
        row.id.column(),
        row.credential.column(),
        i64::from(row.purpose),
        i64::from(row.subjects),
        i64::from(row.hours),
        signed(row.asked_by),
        row.asked_at,
        row.state.number(),
        signed(row.decided_by),
        row.decided_at,
        row.ends_at,
    ];
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn mac_of(shop: &Shop, row: &ApprovalRow) -> Result<[u8; 16], Problem> {
    Ok(shop.keys.row_mac(APPROVAL, &[&columns(shop, row), row.said.as_bytes()])?)
}

fn whole(shop: &Shop, row: ApprovalRow, mac: &[u8]) -> Result<ApprovalRow, Problem> {
    shop.keys
        .row_is_whole(APPROVAL, &[&columns(shop, &row), row.said.as_bytes()], mac)
        .map_err(|_| Problem::edited(APPROVAL))?;
    Ok(row)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn out_of_range() -> Problem {
    Problem::new("SR-PEOPLE-013", 422, "an approval is for 1 to 10,000,000 persons and for 1 to 168 hours")
}
