//! Units of work of the model that erase, enter and look: what its worlds have in common.

#![cfg(test)]

use crate::book::log_of;
use crate::error::Error;
use crate::params;
use crate::queue::{Lane, Queue, Unit};
use crate::session::{FIND_NAME, TAKE_NAME};
use crate::tx::{Tx, View};

/// The one shop.
pub(crate) const SHOP: i64 = 1;
/// The one subject: the row of this name says that it was erased.
const SUBJECT: i64 = 7;

/// Runs a unit of work and waits for its answer. `None`, when it failed.
pub(crate) fn work<T: Send + 'static>(
    queue: &Queue,
    act: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Option<T> {
    let (unit, answer) = Unit::new(SHOP, Vec::new(), act);
    queue.submit(Lane::High, unit).unwrap();
    let done = shuttle::future::block_on(answer).expect("what was accepted is answered");
    match done.into_outcome() {
        Ok(done) => Some(done.into_value()),
        Err(Error::Panicked) => panic!("a unit of work failed"),
        Err(_) => None,
    }
}

/// Enters something.
pub(crate) fn enter(tx: &mut Tx<'_>, what: u8) {
    tx.append(log_of(SHOP), vec![what]);
}

/// Was the subject erased?
pub(crate) fn is_erased(view: &View<'_>) -> Result<bool, Error> {
    view.find(&FIND_NAME, params![SUBJECT], |row| row.int(0)).map(|found| found.is_some())
}

/// Erases the subject.
pub(crate) fn erase(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.change(&TAKE_NAME, params![SUBJECT, 1_i64])?;
    enter(tx, 0);
    Ok(())
}
