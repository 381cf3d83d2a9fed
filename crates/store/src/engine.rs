//! What the store needs of an engine: statements ([`Engine`]), and transactions that are written in ([`Session`]).

use std::hash::Hasher;

use crate::error::Error;
use crate::sql::{Ask, Row, Sql, Value};

/// What a transaction needs of an engine.
pub(crate) trait Engine {
    /// Runs a statement and shows each row to `each` until it says stop. Gives the number of changed rows.
    fn run(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<Step, Error>,
    ) -> Result<usize, Error>;

    /// Runs changes of which nobody reads anything and none rests on another. A server is asked for all of them at once.
    fn run_all(&self, changes: &[(&'static Sql, &[Value<'_>])]) -> Result<(), Error> {
        changes.iter().try_for_each(|(sql, params)| self.run(sql, params, &mut |_| Ok(Step::Next)).map(drop))
    }

    /// Is it worth saying what will be asked? Not where asking is cheap.
    fn foresees(&self) -> bool {
        false
    }

    /// Is to be asked all of this soon. A server is asked at once, and what it answers is remembered.
    fn foresee(&self, _asks: &[&Ask]) -> Result<(), Error> {
        Ok(())
    }

    /// Adds a row unless its key is taken. Gives whether it was added.
    ///
    /// Takes: a statement that ends in `ON CONFLICT (full key) DO NOTHING`; and the one, with its parameters, that finds a row of
    /// that key. A server that says that there is none is told of the row later, together with others.
    fn add(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        _found_by: (&'static Sql, &[Value<'_>]),
    ) -> Result<bool, Error> {
        self.run(sql, params, &mut |_| Ok(Step::Next)).map(|changed| changed > 0)
    }

    /// Writes a row, in the place of the one of its key if there is one.
    ///
    /// Takes: a statement that ends in `ON CONFLICT (full key) DO UPDATE`, or that adds a row whose key is free; and the one that
    /// finds the row, with its parameters or the first of them. A server is told later, together with others.
    fn set(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        _found_by: (&'static Sql, &[Value<'_>]),
    ) -> Result<(), Error> {
        self.run(sql, params, &mut |_| Ok(Step::Next)).map(drop)
    }
}

/// Whether a reader wants the next row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Show the next row.
    Next,
    /// That was enough.
    Stop,
}

/// A connection that the writer has for itself: the frame of its transactions.
pub(crate) trait Session: Engine {
    /// Begins a transaction in which this writer, and no other one of any server, holds the pen of a shop.
    fn begin(&self, pen: i64) -> Result<Pen, Error>;
    /// Commits. Fails: [`Error::InDoubt`] when nobody said whether it was done; with anything else it was not.
    fn commit(&self) -> Result<(), Error>;
    /// Gives up what was done since the beginning. It never fails: what cannot be rolled back is not there any more.
    fn roll_back(&self);
    /// Begins a unit that can be taken back alone.
    fn save(&self) -> Result<(), Error>;
    /// Takes back what was done since [`Session::save`].
    fn take_back(&self) -> Result<(), Error>;
    /// Ends a unit.
    fn release(&self) -> Result<(), Error>;
    /// What a failure has made of the transaction.
    fn standing(&self) -> Standing;
    /// Is there a server? Then each shop has a pen of its own, and a lost connection is made again; without one everything is
    /// this process's, and a fault of the disk stays.
    fn is_served(&self) -> bool;

    /// Was a statement refused since this was last asked because the disk is full? A server goes on with the transaction without it.
    fn met_full_disk(&self) -> bool {
        false
    }

    /// Puts off no row from here to the end of the transaction: each is answered by itself.
    fn take_each_by_itself(&self) {}

    /// How often an answer of a server was waited for since this was last asked.
    fn waits(&self) -> u64 {
        0
    }

    /// Sends the rows that were put off.
    fn send_rows(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Has a row that was put off turned out to be refused? Then a unit was answered what is not so, and all have to run again,
    /// each of their rows by itself. Asked once.
    fn was_wrong(&self) -> bool {
        false
    }

    /// What is known of a shop has to be read again the next time.
    fn distrust(&self, pen: i64);
    /// Moves the WAL into the database, and cuts it to nothing if `cut`. Gives whether all of it arrived.
    fn checkpoint(&self, cut: bool) -> bool;
    /// As an engine.
    fn engine(&self) -> &dyn Engine;
}

/// Who held the pen of a shop before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pen {
    /// This writer: what it knows of the shop still holds.
    Kept,
    /// Somebody else, or this writer under a connection that was lost: what is known has to be read again.
    CameBack,
}

/// What a failure has made of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It stands, as if what failed had not been tried.
    Whole,
    /// It takes no statement any more until it is rolled back, whole or to where a unit began.
    Spoiled,
    /// It is gone.
    Gone,
}

/// Addresses are their own hash, but for the low bits that alignment keeps at zero.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_usize(&mut self, value: usize) {
        // Fibonacci hashing spreads the addresses over the table's high bits too.
        self.0 = (value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
