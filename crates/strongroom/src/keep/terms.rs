//! Terms: retention ends whose data shares one key.

use std::collections::{HashMap, HashSet};

use seal::{KeyId, Wrapped};
use store::{Ask, Row, View, params};

use super::{key_destroyed, must_not_be_destroyed, sql};
use crate::ground::problem::Looked;
use crate::ground::work::Work;
use crate::ground::{Problem, Shop, Term};

const TERM: &str = "term";

/// A term of this shop that lives. Fails: `SR-KEEP-004` when its row was edited.
pub fn find_term(view: &View<'_>, shop: &Shop, number: u64) -> Result<Option<Term>, Problem> {
    let found = view.find(&sql::FIND_TERM, params![signed(number)], |row| {
        let columns = (row.int(1)?, row.number(2)?, row.bytes(3)?.to_vec(), row.bytes(4)?.to_vec());
        Ok((row.int(0)? == shop.column()).then_some(columns))
    })?;
    let Some((ends_at, epoch, wrapped, mac)) = found.flatten() else { return Ok(None) };
    whole(shop, number, ends_at, epoch, &wrapped, &mac).map(Some)
}

/// What [`find_term`] asks.
pub(super) fn asks_term(number: u64) -> Ask {
    Ask::new(&sql::FIND_TERM, params![signed(number)])
}

/// The living terms of a shop.
pub fn list_terms(view: &View<'_>, shop: &Shop) -> Result<Vec<Term>, Problem> {
    let rows = view.list(&sql::LIST_TERMS, params![shop.column()], |row: &Row<'_>| {
        Ok((row.number(0)?, row.int(1)?, row.number(2)?, row.bytes(3)?.to_vec(), row.bytes(4)?.to_vec()))
    })?;
    rows.iter()
        .map(|(number, ends_at, epoch, wrapped, mac)| whole(shop, *number, *ends_at, *epoch, wrapped, mac))
        .collect()
}

fn whole(
    shop: &Shop,
    number: u64,
    ends_at: i64,
    epoch: u32,
    wrapped: &[u8],
    mac: &[u8],
) -> Result<Term, Problem> {
    let key = Wrapped::decode(wrapped).map_err(|_| Problem::edited(TERM))?;
    let term = Term { number, ends_at, epoch, key };
    shop.keys.row_is_whole(TERM, &[&columns(shop, &term)], mac).map_err(|_| Problem::edited(TERM))?;
    Ok(term)
}

/// Takes over which terms there are, when another server may have made some or ended some.
///
/// Takes: whether each of them has to be read again, for its key may be wrapped anew.
pub fn learn_terms(view: &View<'_>, shop: &Shop, again: bool) -> Result<(), Problem> {
    let known: HashMap<u64, KeyId> = shop.terms.all().iter().map(|term| (term.number, term.key.id)).collect();
    let there: HashSet<u64> = view
        .list(&sql::LIST_TERM_NUMBERS, params![shop.column()], |row| row.number(0))?
        .into_iter()
        .collect();
    for (number, key) in &known {
        if !there.contains(number) {
            shop.keys.forget(*key);
            shop.terms.remove(*key);
        }
    }
    for number in there.into_iter().filter(|number| again || !known.contains_key(number)) {
        if let Some(term) = find_term(view, shop, number)? {
            shop.terms.add(term);
        }
    }
    Ok(())
}

fn columns(shop: &Shop, term: &Term) -> Vec<u8> {
    let mut columns = Vec::with_capacity(48);
    for number in [shop.column(), signed(term.number), term.ends_at, i64::from(term.epoch)] {
        columns.extend_from_slice(&number.to_be_bytes());
    }
    columns.extend_from_slice(&term.key.id.0);
    columns
}

/// Adds a term. Gives whether it is new; another may have made a term of the same end meanwhile.
pub(super) fn add_term(term: &Term, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    must_not_be_destroyed(term.key.id, work)?;
    let mac = work.shop.keys.row_mac(TERM, &[&columns(work.shop, term)])?;
    let wrapped = term.key.encode();
    let params = params![signed(term.number), work.shop.column(), term.ends_at, term.epoch, &wrapped, &mac];
    Ok(work.tx.claim(&sql::ADD_TERM, params)?)
}

/// Adds terms that many records are about to use, so that not each of them tries to. Holds no data yet, so nothing is
/// entered.
pub fn add_terms(terms: &[Term], work: &mut Work<'_, '_>) -> Result<(), Problem> {
    work.tx.housekeeping();
    for term in terms {
        if term.key.under == work.shop.keys.wrap_version() && add_term(term, work)? {
            let (shop, term) = (std::sync::Arc::clone(work.shop), term.clone());
            work.tx.after_commit(move || shop.terms.add(term));
        }
    }
    Ok(())
}

/// Terms whose end has come, each with what is wrong with its row.
pub fn ended_terms(view: &View<'_>, shop: &Shop, now: i64) -> Result<Looked<u64, Term>, Problem> {
    let numbers: Vec<u64> =
        view.list(&sql::LIST_ENDED_TERMS, params![shop.column(), now], |row| row.number(0))?;
    let mut ended = Vec::with_capacity(numbers.len());
    for number in numbers {
        match find_term(view, shop, number) {
            Ok(term) => ended.extend(term.map(|term| (number, Ok(term)))),
            Err(problem) if problem.is_of_a_row() => ended.push((number, Err(problem))),
            Err(problem) => return Err(problem),
        }
    }
    Ok(ended)
}

/// Destroys a term's key, and with it everything that was sealed under it, in one act.
pub fn remove_term(term: &Term, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    work.tx.change(&sql::REMOVE_TERM, params![signed(term.number)])?;
    key_destroyed(term.key.id, work)?;
    let (shop, id) = (std::sync::Arc::clone(work.shop), term.key.id);
    work.tx.after_commit(move || shop.terms.remove(id));
    Ok(())
}

/// Destroys once more a term that a restored backup brought back.
pub fn remove_term_again(term: &Term, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    work.tx.change(&sql::REMOVE_TERM, params![signed(term.number)])?;
    work.shop.keys.forget(term.key.id);
    work.shop.terms.remove(term.key.id);
    Ok(())
}

/// Wraps a term's key again under the newest wrap key. Gives whether anything changed.
pub fn rewrap_term(number: u64, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    let Some(mut term) = find_term(work.tx, work.shop, number)? else { return Ok(false) };
    let Some(again) = work.shop.keys.rewrap(number, &term.key)? else { return Ok(false) };
    term.key = again;
    let mac = work.shop.keys.row_mac(TERM, &[&columns(work.shop, &term)])?;
    work.tx.change(&sql::REWRAP_TERM, params![&term.key.encode(), &mac, signed(number)])?;
    let shop = std::sync::Arc::clone(work.shop);
    work.tx.after_commit(move || shop.terms.add(term));
    Ok(true)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
