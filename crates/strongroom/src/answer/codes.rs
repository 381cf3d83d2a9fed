//! One-time codes: sent to the address that somebody gives, if one person is known by it, and given back within ten minutes.
//!
//! Invariants:
//! - whether an address is known makes no difference to what the asker sees: a row is made, and the same work is done, either way;
//! - of a code only a keyed hash is kept; five wrong tries end it, and one right one uses it up;
//! - one address is written to five times an hour at the most, and all together sixty times a minute.

use ledger::entry::{Act, Actor as Entered, Outcome};
use ledger::opening::Opening;
use seal::{Class, Random};
use store::{View, params};
use zeroize::Zeroizing;

use super::sql;
use crate::ground::clock::{HOUR, MINUTE};
use crate::ground::random::SystemRandom;
use crate::ground::work::Work;
use crate::ground::{Deed, Id, Problem, Shop, SubjectId};
use crate::keep;
use crate::keep::refs::LeadsTo;

/// So long a code counts.
const LIFETIME: i64 = 10 * MINUTE;
/// So many wrong codes are heard.
const TRIES: u32 = 5;
/// So often one address is written to in an hour.
const OF_ONE_ADDRESS: i64 = 5;
/// So many codes are sent in a minute, over all addresses.
const OF_ALL: i64 = 60;
/// Digits of a code.
const DIGITS: u32 = 8;
const TABLE: &str = "code_asked";

/// A code that is about to be sent, and the id under which it is given back.
pub(super) struct NewCode {
    /// The id.
    pub(super) id: [u8; 16],
    /// The digits.
    pub(super) code: Zeroizing<String>,
}

impl NewCode {
    /// Fails: `SR-SEAL-…` without randomness.
    pub(super) fn new() -> Result<NewCode, Problem> {
        let random = &mut SystemRandom::new();
        let (mut id, mut bytes) = ([0; 16], Zeroizing::new([0; 16]));
        random.fill(&mut id)?;
        random.fill(bytes.as_mut())?;
        // Of 2^128 numbers the remainder by 10^8 is as even as anybody can see.
        let number = u128::from_be_bytes(*bytes) % 10_u128.pow(DIGITS);
        Ok(NewCode { id, code: Zeroizing::new(format!("{number:08}")) })
    }
}

/// What came of asking for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The letter is to be sent.
    Send,
    /// Nobody is known by the address, or it was written to often enough: nothing is sent, and nobody is told.
    Keep,
}

/// A row.
#[derive(Clone)]
struct CodeRow {
    id: [u8; 16],
    address: [u8; 16],
    subject: i64,
    code: [u8; 16],
    asked_at: i64,
    tries: u32,
}

impl CodeRow {
    fn mac(&self, shop: &Shop) -> Result<[u8; 16], Problem> {
        Ok(shop.keys.row_mac(TABLE, &[&self.columns(shop)])?)
    }

    fn columns(&self, shop: &Shop) -> Vec<u8> {
        let mut columns = Vec::with_capacity(96);
        columns.extend_from_slice(&self.id);
        columns.extend_from_slice(&self.address);
        columns.extend_from_slice(&self.code);
        for number in [shop.column(), self.subject, self.asked_at, i64::from(self.tries)] {
            columns.extend_from_slice(&number.to_be_bytes());
        }
        columns
    }
}

fn hash_of(shop: &Shop, id: &[u8; 16], code: &str) -> Result<[u8; 16], Problem> {
    Ok(shop.keys.request_hash("code", &[id, code.as_bytes()])?)
}

/// Somebody asks for a code. Takes: a keyed hash of the address, and the lookups by which people are known who have it.
///
/// Fails: `SR-ANSWER-003` when all together ask for more codes than are sent in a minute. Enters nothing: no data was near.
pub(super) fn ask(
    new: &NewCode,
    address: &[u8; 16],
    blinds: &[[u8; 16]],
    work: &mut Work<'_, '_>,
) -> Result<Asked, Problem> {
    work.must_be_allowed(Deed::Challenge)?;
    let (shop, now) = (work.shop, work.now);
    work.tx.housekeeping();
    work.tx.change(&sql::REMOVE_OLD_CODES, params![shop.column(), now.saturating_sub(HOUR)])?;
    let lately = params![shop.column(), now.saturating_sub(MINUTE)];
    if count(work.tx, &sql::COUNT_CODES, lately)? >= OF_ALL {
        return Err(Problem::new("SR-ANSWER-003", 429, "too many codes are asked for at the moment")
            .help("try again in a minute")
            .retry_after(60));
    }
    let of_address = params![shop.column(), now.saturating_sub(HOUR), address];
    let often = count(work.tx, &sql::COUNT_CODES_OF_ADDRESS, of_address)? >= OF_ONE_ADDRESS;
    let known = match keep::refs::leads_to(work.tx, shop, blinds)? {
        LeadsTo::One(subject) => Some(subject),
        LeadsTo::Nobody | LeadsTo::Several => None,
    };
    let row = CodeRow {
        id: new.id,
        address: *address,
        subject: known.filter(|_| !often).map_or(0, SubjectId::column),
        code: hash_of(shop, &new.id, &new.code)?,
        asked_at: now,
        tries: 0,
    };
    let mac = row.mac(shop)?;
    let columns =
        params![&row.id, shop.column(), &row.address, row.subject, &row.code, row.asked_at, row.tries, &mac];
    work.tx.change(&sql::ADD_CODE, columns)?;
    Ok(if row.subject == 0 { Asked::Keep } else { Asked::Send })
}

fn count(view: &View<'_>, sql: &'static store::Sql, params: &[store::Value<'_>]) -> Result<i64, Problem> {
    Ok(view.find(sql, params, |row| row.int(0))?.unwrap_or(0))
}

/// Somebody gives a code back. Gives: who it was sent to; `None` for every code that does not count, whatever the reason.
///
/// Records: *signed_in*, *no*, when as many wrong ones were given as are heard.
pub(super) fn give_back(
    id: &[u8; 16],
    code: &str,
    work: &mut Work<'_, '_>,
) -> Result<Option<SubjectId>, Problem> {
    work.must_be_allowed(Deed::Challenge)?;
    let shop = work.shop;
    work.tx.housekeeping();
    let hash = hash_of(shop, id, code.trim())?;
    let found = work.tx.find(&sql::FIND_CODE, params![id, shop.column()], |row| {
        let read = CodeRow {
            id: *id,
            address: row.array(0)?,
            subject: row.int(1)?,
            code: row.array(2)?,
            asked_at: row.int(3)?,
            tries: row.number(4)?,
        };
        Ok((read, row.bytes(5)?.to_vec()))
    })?;
    let Some((mut row, mac)) = found else { return Ok(None) };
    shop.keys.row_is_whole(TABLE, &[&row.columns(shop)], &mac).map_err(|_| Problem::edited(TABLE))?;
    if work.now > row.asked_at.saturating_add(LIFETIME) || row.tries >= TRIES {
        return Ok(None);
    }
    if seal::same(&row.code, &hash) && row.subject != 0 {
        work.tx.change(&sql::REMOVE_CODE, params![id, shop.column()])?;
        return Ok(Some(SubjectId::from_column(row.subject)));
    }
    row.tries = row.tries.saturating_add(1);
    let mac = row.mac(shop)?;
    work.tx.change(&sql::SET_TRIES, params![row.tries, &mac, id, shop.column()])?;
    if row.tries >= TRIES && row.subject != 0 {
        enter(SubjectId::from_column(row.subject), Outcome::No, "code", work)?;
    }
    Ok(None)
}

/// Enters that a person signed in, or that somebody tried to in their name.
pub(super) fn enter(
    subject: SubjectId,
    outcome: Outcome,
    how: &str,
    work: &mut Work<'_, '_>,
) -> Result<(), Problem> {
    let Some(row) = keep::find_subject(work.tx, work.shop, subject)? else { return Ok(()) };
    let Some(main) = row.key(Class::Main) else { return Ok(()) };
    let key = work.shop.keys.open_key(subject.number(), main)?;
    let opening = Opening::builder()
        .act(Act::SignedIn)
        .subject(&work.ids.show(subject))
        .extra(how.as_bytes())
        .build()?;
    let mut entry = work.entry(Act::SignedIn, outcome);
    if work.actor.role.is_none() {
        // By a page of the house's own: it is they who do it.
        entry.actor = Entered::subject();
    }
    work.enter_about(&key, entry, &opening)?;
    Ok(())
}
