//! Other servers on the same database: what they have entered is taken over into what this process remembers, under the pen of
//! the shop and before anything is decided by it.
//!
//! The ledger says what changed: every change of a shop is entered, so the leaves that others have appended are the news.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock, Weak};

use ledger::entry::{Act, Entry};
use store::{Unpack, View};

use super::house::House;
use super::problem::Problem;
use super::shop::Shop;

/// Takes news over. The top of the house gives it: it knows which room remembers what.
pub type TakeOver = fn(&House, &Shop, &View<'_>, &News) -> Result<(), Problem>;

/// What others have entered since this process had the pen.
#[derive(Debug, Default)]
pub struct News {
    acts: HashSet<u8>,
    leaves: Vec<u8>,
    is_whole: bool,
}

impl News {
    /// News whose leaves are all known.
    pub fn new() -> News {
        News { is_whole: true, ..News::default() }
    }

    /// Leaves of a log that begins here for this process: what was in it before is not known.
    pub fn begin_anew(&mut self) {
        self.is_whole = false;
    }

    /// Leaves that somebody has appended, packed.
    pub fn add(&mut self, packed: &[u8]) {
        for leaf in Unpack(packed) {
            match Entry::peek(leaf) {
                Some((act, _)) => drop(self.acts.insert(act.number())),
                None => self.is_whole = false,
            }
        }
        self.leaves.extend_from_slice(packed);
    }

    /// Was any of these done, as far as is known?
    pub fn any(&self, acts: &[Act]) -> bool {
        !self.is_whole || acts.iter().any(|act| self.acts.contains(&act.number()))
    }

    /// The leaves, packed.
    pub fn leaves(&self) -> &[u8] {
        &self.leaves
    }
}

/// The house that is to be told, once there is one.
#[derive(Clone, Default)]
pub struct Neighbours(Arc<OnceLock<(Weak<House>, TakeOver)>>);

impl std::fmt::Debug for Neighbours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Neighbours(..)")
    }
}

impl Neighbours {
    /// From now on this house is told.
    pub fn are_of(&self, house: &Arc<House>, take_over: TakeOver) {
        let _ = self.0.set((Arc::downgrade(house), take_over));
    }

    /// Tells the house what was entered for a shop.
    pub fn tell(&self, view: &View<'_>, shop: u32, news: &News) -> Result<(), Problem> {
        let Some((house, take_over)) = self.0.get() else { return Ok(()) };
        let Some(house) = house.upgrade() else { return Ok(()) };
        let shop = house.shops().into_iter().find(|one| one.number == shop);
        // A shop that another server has just made is not served here yet.
        shop.map_or(Ok(()), |shop| take_over(&house, &shop, view, news))
    }
}
