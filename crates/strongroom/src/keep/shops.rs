//! Shops and their keys.

use std::sync::Arc;

use seal::{Class, EpochKey, Random, ShopKeyRows, ShopKeys, Suite, Wrapped};
use store::{Tx, View, params};

use super::sql;
use crate::ground::work::Work;
use crate::ground::{Problem, Shop};

/// A shop's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopRow {
    /// Its number.
    pub number: u32,
    /// Its id in its policy.
    pub name: String,
    /// When it was made, µs UTC.
    pub since: i64,
    /// The generation of its log that is written.
    pub generation: u32,
    mac: [u8; 16],
}

impl ShopRow {
    /// Is the row as it was written? It is read before the keys are there that can tell.
    ///
    /// Fails: `SR-KEEP-004` when it was edited.
    pub fn must_be_whole(&self, keys: &ShopKeys) -> Result<(), Problem> {
        let numbers = columns(self.number, self.since, self.generation);
        keys.row_is_whole(SHOP, &[&numbers, self.name.as_bytes()], &self.mac)
            .map_err(|_| Problem::edited(SHOP))
    }
}

const SHOP: &str = "shop";

fn columns(number: u32, since: i64, generation: u32) -> Vec<u8> {
    [i64::from(number), since, i64::from(generation)].iter().flat_map(|column| column.to_be_bytes()).collect()
}

/// A shop that is about to be made, with its keys.
#[derive(Debug, Clone)]
pub struct NewShop {
    /// Its number.
    pub number: u32,
    /// Its id in its policy.
    pub name: String,
    /// Its keys, wrapped.
    pub keys: ShopKeyRows,
}

/// Makes the keys of a new shop, all of one suite: it is the shop's until a change of epoch moves it.
pub fn new_shop(
    number: u32,
    name: &str,
    suite: Suite,
    epoch: &EpochKey,
    random: &mut impl Random,
) -> Result<NewShop, Problem> {
    let mut new = |class| epoch.new_shop_key(number, class, suite, random);
    let keys = ShopKeyRows {
        wraps: vec![(1, new(Class::Wrap)?)],
        index: new(Class::Index)?,
        row: new(Class::Row)?,
        request: new(Class::Request)?,
    };
    Ok(NewShop { number, name: name.to_owned(), keys })
}

/// Writes a new shop. Its first entry is the caller's.
pub fn add_shop(shop: &NewShop, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let (number, since, generation) = (i64::from(shop.number), work.now, 1);
    let numbers = columns(shop.number, since, generation);
    let mac = work.shop.keys.row_mac(SHOP, &[&numbers, shop.name.as_bytes()])?;
    work.tx.change(&sql::ADD_SHOP, params![number, shop.name.as_str(), since, generation, &mac])?;
    let rows = shop.keys.wraps.iter().map(|(version, key)| (*version, key)).chain([
        (1, &shop.keys.index),
        (1, &shop.keys.row),
        (1, &shop.keys.request),
    ]);
    for (version, key) in rows {
        write_key(number, version, key, work.tx)?;
    }
    Ok(())
}

fn write_key(shop: i64, version: u32, key: &Wrapped, tx: &mut Tx<'_>) -> Result<(), Problem> {
    let wrapped = key.encode();
    tx.change(&sql::ADD_SHOP_KEY, params![shop, key.class.number(), version, &wrapped])?;
    Ok(())
}

/// The shops of this installation. Whether each row [is whole](ShopRow::must_be_whole) is for the caller to see.
pub fn list_shops(view: &View<'_>) -> Result<Vec<ShopRow>, Problem> {
    Ok(view.list(&sql::LIST_SHOPS, &[], |row| {
        Ok(ShopRow {
            number: row.number(0)?,
            name: row.text(1)?.to_owned(),
            since: row.int(2)?,
            generation: row.number(3)?,
            mac: row.array(4).unwrap_or_default(), // a MAC of another length is none that fits
        })
    })?)
}

/// Takes over the wrap keys of a shop, when another server may have begun or ended an epoch.
///
/// Takes: the key of an epoch, by its number. Fails: `SR-SEAL-…` when the keyring has none of this number.
pub fn learn_wraps(
    view: &View<'_>,
    shop: &Shop,
    epoch: impl Fn(u32) -> Result<EpochKey, Problem>,
) -> Result<(), Problem> {
    let rows = read_shop_keys(view, shop.number)?;
    for (version, wrapped) in &rows.wraps {
        if *version > shop.keys.wrap_version() {
            shop.keys.add_wrap(*version, &epoch(wrapped.under)?, wrapped)?;
        }
    }
    if let Some(first) = rows.wraps.iter().map(|(version, _)| *version).min() {
        shop.keys.drop_wraps_before(first);
    }
    Ok(())
}

/// A shop's keys, as their rows have them.
///
/// Fails: `SR-KEEP-004` when one is missing or malformed.
pub fn read_shop_keys(view: &View<'_>, shop: u32) -> Result<ShopKeyRows, Problem> {
    let rows: Vec<(u32, Vec<u8>)> = view.list(&sql::LIST_SHOP_KEYS, params![i64::from(shop)], |row| {
        Ok((row.number(1)?, row.bytes(2)?.to_vec()))
    })?;
    let broken = || Problem::edited("shop_key");
    let keys = rows
        .iter()
        .map(|(version, wrapped)| Ok((*version, Wrapped::decode(wrapped).map_err(|_| broken())?)))
        .collect::<Result<Vec<_>, Problem>>()?;
    let one = |class| {
        keys.iter().find(|(_, key)| key.class == class).map(|(_, key)| key.clone()).ok_or_else(broken)
    };
    Ok(ShopKeyRows {
        wraps: keys.iter().filter(|(_, key)| key.class == Class::Wrap).cloned().collect(),
        index: one(Class::Index)?,
        row: one(Class::Row)?,
        request: one(Class::Request)?,
    })
}

/// Begins a new version of the wrap key under a new epoch.
pub fn begin_wrap(
    epoch: &Arc<EpochKey>,
    wrapped: &Wrapped,
    version: u32,
    work: &mut Work<'_, '_>,
) -> Result<(), Problem> {
    write_key(work.shop.column(), version, wrapped, work.tx)?;
    let (shop, epoch, wrapped) = (Arc::clone(work.shop), Arc::clone(epoch), wrapped.clone());
    // ORDER: after the commit. What was wrapped under a key that no row holds would be lost at the next start.
    // The key was made under this epoch a moment ago; should it not open, the version before goes on wrapping.
    work.tx.after_commit(move || {
        let _ = shop.keys.add_wrap(version, &epoch, &wrapped);
    });
    Ok(())
}

/// Wraps the keys that stay over epochs (index, row, request) again, under the new epoch.
pub fn rewrap_shop_keys(old: &EpochKey, new: &EpochKey, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let rows = read_shop_keys(work.tx, work.shop.number)?;
    for key in [&rows.index, &rows.row, &rows.request] {
        if key.under != new.number() {
            let again = new.rewrap(old, work.shop.number, key)?;
            write_key(work.shop.column(), 1, &again, work.tx)?;
        }
    }
    Ok(())
}

/// Drops the wrap keys before a version: nothing is wrapped under them any more.
pub fn end_old_wraps(version: u32, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let params = params![work.shop.column(), Class::Wrap.number(), version];
    work.tx.change(&sql::REMOVE_OLD_WRAPS, params)?;
    let shop = Arc::clone(work.shop);
    work.tx.after_commit(move || shop.keys.drop_wraps_before(version));
    Ok(())
}

/// Goes on in another generation of a shop's log.
pub fn new_generation(generation: u32, work: &mut Work<'_, '_>) -> Result<(), Problem> {
    let shop = work.shop;
    let row = list_shops(work.tx)?.into_iter().find(|row| row.number == shop.number);
    let row = row.ok_or_else(|| Problem::edited(SHOP))?;
    row.must_be_whole(&shop.keys)?;
    let numbers = columns(row.number, row.since, generation);
    let mac = shop.keys.row_mac(SHOP, &[&numbers, row.name.as_bytes()])?;
    work.tx.change(&sql::SET_GENERATION, params![generation, &mac, shop.column()])?;
    Ok(())
}

/// Opens a shop's keys with the epochs at hand.
pub fn open_keys(view: &View<'_>, shop: u32, epochs: &[EpochKey]) -> Result<ShopKeys, Problem> {
    Ok(ShopKeys::open(shop, epochs, &read_shop_keys(view, shop)?)?)
}
