//! Files that no record names any more: their chunks are taken away, a few in each unit of work.
//!
//! What opened them was a value of a record that is gone, or never was. So nothing here destroys anything: it tidies up.

use std::sync::Arc;

use store::Lane;

use crate::ground::clock::MINUTE;
use crate::ground::house::House;
use crate::ground::{Actor, Problem, Shop};
use crate::keep::files;

/// A file that began to arrive so long ago will not be whole any more: a request is given up before.
const ARRIVES_WITHIN: i64 = 15 * MINUTE;
/// Files taken away in one round at the most.
const FILES_PER_ROUND: u32 = 32;

/// Gives up files that have not come in whole, and takes away those that are gone. Gives how many went.
///
/// Begun again after a crash it goes on: what is to be done stands in the rows themselves.
pub fn clean_files(house: &House, shop: &Arc<Shop>) -> Result<usize, Problem> {
    let older = house.watch.believed(house.clock.as_ref(), house.clock.now()).saturating_sub(ARRIVES_WITHIN);
    let reading = Arc::clone(shop);
    let (unfinished, gone) = house.store.look_blocking::<_, Problem, _>(move |view| {
        let unfinished = files::any_older(view, &reading, older)?;
        Ok((unfinished, files::list_gone(view, &reading, FILES_PER_ROUND)?))
    })?;
    if unfinished {
        house.work_blocking(Lane::Low, shop, &Actor::House, move |work| files::give_up_older(older, work))?;
    }
    for file in &gone {
        let file = *file;
        let some = move || {
            house.work_blocking(Lane::Low, shop, &Actor::House, move |work| files::remove_some(file, work))
        };
        while !some()?.into_value() {}
    }
    Ok(gone.len())
}
