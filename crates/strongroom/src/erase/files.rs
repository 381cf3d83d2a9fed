//! Files that no record names any more: their chunks are taken away, a few in each unit of work.
//!
//! What opened them was a value of a record that is gone, or never was. So nothing here destroys anything: it tidies up.

use std::sync::Arc;

use store::{Lane, Step};

use crate::ground::clock::MINUTE;
use crate::ground::house::House;
use crate::ground::{Actor, Problem, Shop, Work};
use crate::keep::files::{self, FileState};

/// A file that began to arrive so long ago will not be whole any more: a request is given up before.
const ARRIVES_WITHIN: i64 = 15 * MINUTE;
/// Units of work of one round at the most. Each takes up to eight chunks away, about 0.4 ms and its commit.
const UNITS_PER_ROUND: u32 = 1_024;
/// Files that are looked at at once.
const PAGE: u32 = 64;

/// What came of tidying up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tidied {
    /// Files that were taken away.
    pub removed: usize,
    /// Files whose row was edited: nothing is done about them.
    pub edited: usize,
    /// Is there more to take away than one round does?
    pub more: bool,
}

/// Gives up files that have not come in whole, and takes away those that are gone, until all is done or the round is over.
///
/// Begun again after a crash it goes on: what is to be done stands in the rows themselves.
pub fn clean_files(house: &House, shop: &Arc<Shop>) -> Result<Tidied, Problem> {
    let older = house.watch.believed(house.clock.as_ref(), house.clock.now()).saturating_sub(ARRIVES_WITHIN);
    let unfinished = give_up_files(house, shop, older)?;
    let mut tidied = Tidied::default();
    let mut units = UNITS_PER_ROUND;
    let edited = for_each(house, shop, FileState::Gone, i64::MAX, |file| {
        let mut done = false;
        while !done {
            let Some(left) = units.checked_sub(1) else {
                tidied.more = true;
                return Ok(Step::Stop);
            };
            units = left;
            let some = move |work: &mut Work<'_, '_>| files::remove_some(file, work);
            done = house.work_blocking(Lane::Low, shop, &Actor::House, some)?.into_value();
        }
        tidied.removed = tidied.removed.saturating_add(1);
        Ok(Step::Next)
    })?;
    Ok(Tidied { edited: unfinished.saturating_add(edited), ..tidied })
}

/// Gives up files that began to arrive at this instant or before and are not whole. Gives how many rows were stepped over,
/// for they were edited.
pub fn give_up_files(house: &House, shop: &Arc<Shop>, since: i64) -> Result<usize, Problem> {
    for_each(house, shop, FileState::Arriving, since, |file| {
        let give_up = move |work: &mut Work<'_, '_>| files::give_up(file, work);
        house.work_blocking(Lane::Low, shop, &Actor::House, give_up)?;
        Ok(Step::Next)
    })
}

/// Does something about each file in a state. Gives how many rows were stepped over.
fn for_each(
    house: &House,
    shop: &Arc<Shop>,
    state: FileState,
    since: i64,
    mut act: impl FnMut(u64) -> Result<Step, Problem>,
) -> Result<usize, Problem> {
    let (mut after, mut edited) = (None, 0_usize);
    loop {
        let reading = Arc::clone(shop);
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            files::list_in_state(view, &reading, state, since, after, PAGE)
        })?;
        let Some((last, _)) = page.last() else { return Ok(edited) };
        after = Some(*last);
        for (_, row) in &page {
            let Ok(row) = row else {
                edited = edited.saturating_add(1);
                continue;
            };
            if act(row.file)? == Step::Stop {
                return Ok(edited);
            }
        }
    }
}
