//! What other servers have entered, taken over room by room into what this process remembers.
//!
//! INVARIANT: it runs under the shop's pen, in the transaction that is about to decide by it. What it reads has been committed.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::entry::{Act, Entry};
use seal::KeyId;
use store::{Lane, Unpack, View};

use crate::ground::house::House;
use crate::ground::log::shop_of_log;
use crate::ground::neighbours::News;
use crate::ground::{Actor, Problem, Shop};
use crate::{keep, notice, open, people};

/// Takes the news of a shop over.
///
/// Fails: as reading does; then nobody decides by what was remembered before, for the transaction fails.
pub fn take_over(house: &House, shop: &Shop, view: &View<'_>, news: &News) -> Result<(), Problem> {
    if news.any(&[Act::KeyringChanged, Act::Rotated]) {
        keep::learn_wraps(view, shop, |epoch| house.keys.epoch(epoch))?;
    }
    // Terms come with the first record that needs them, which is entered as a record: whatever was entered, they are looked for.
    keep::learn_terms(view, shop, news.any(&[Act::KeyringChanged, Act::Rotated, Act::Expired]))?;
    if news.any(&[Act::Published]) {
        notice::learn(view, shop, house.clock.now())?;
    }
    if news.any(&[Act::CredentialAdded, Act::CredentialRevoked, Act::Frozen, Act::Unfrozen]) {
        people::learn(view, shop)?;
    }
    people::limits::learn(view, shop, news)?;
    // A key that died elsewhere is in nobody's memory any more, also when somebody here has just seen its row.
    for leaf in Unpack(news.leaves()) {
        for destroyed in Entry::decode(leaf)?.destroyed {
            shop.keys.forget(KeyId(destroyed));
        }
    }
    if news.any(&[Act::Erased]) {
        shop.keys.forget_all();
        shop.hints.forget_all();
    }
    Ok(())
}

/// Catches up with what others have entered, if there is anything: what was told by one of them is not taken back by another.
pub async fn see(house: &Arc<House>) -> Result<(), Problem> {
    let ends = house
        .look(|view| {
            let logs = view.logs()?.into_iter();
            let ends = logs.map(|log| Ok((log, view.log_head(log)?.map_or(0, |head| head.size))));
            Ok(ends.collect::<Result<Vec<_>, store::Error>>()?)
        })
        .await?;
    let is_later = |(log, size): &(i64, u64)| house.heads.find(*log).is_none_or(|known| known.size < *size);
    let behind: BTreeSet<u32> =
        ends.iter().filter(|end| is_later(end)).map(|(log, _)| shop_of_log(*log)).collect();
    for shop in behind {
        catch_up(house, shop).await?;
    }
    Ok(())
}

/// Catches up with what others have done for one shop, also with that it was made.
pub async fn catch_up(house: &Arc<House>, shop: u32) -> Result<(), Problem> {
    let find = |house: &House| house.shops().into_iter().find(|one| one.number == shop);
    let mut found = find(house);
    if found.is_none() {
        let looking = Arc::clone(house);
        let looked = tokio::task::spawn_blocking(move || open::find_new_shops(&looking)).await;
        looked.map_err(|_| store::Error::Panicked)??;
        found = find(house);
    }
    if let Some(shop) = found {
        house.work(Lane::High, &shop, &Actor::House, |_| Ok(())).await?;
    }
    Ok(())
}

/// Keeps up with the others while nobody asks for anything: with shops that they have made, with the keyring, and with what they
/// have entered. Called once a second.
pub fn keep_up(house: &House) -> Result<(), Problem> {
    for shop in house.shops() {
        // To hold the pen is to have taken over what others did with it.
        // ORDER: first, for it is how a house that nobody asks finds out that its database is away, and that it is back.
        house.work_blocking(Lane::High, &shop, &Actor::House, |_| Ok(()))?;
    }
    open::find_new_shops(house)
}
