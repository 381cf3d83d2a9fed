//! What a unit of work sees of the engine: reads ([`View`]) and, inside the writer, changes ([`Tx`]).

use std::ops::Deref;

use crate::engine::{Engine, Step};
use crate::error::Error;
use crate::sql::{Ask, Row, Sql, Value};

/// Reads in one consistent state of the database.
pub struct View<'t> {
    engine: &'t dyn Engine,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View(..)")
    }
}

impl<'t> View<'t> {
    pub(crate) fn new(engine: &'t dyn Engine) -> View<'t> {
        View { engine }
    }

    /// The first row of an answer, if there is one.
    pub fn find<T>(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut read = Some(read);
        let mut found = None;
        self.engine.run(sql, params, &mut |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(Step::Stop)
        })?;
        Ok(found)
    }

    /// Every row of an answer. The statement bounds how many that can be.
    pub fn list<T>(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.engine.run(sql, params, &mut |row| {
            all.push(read(row)?);
            Ok(Step::Next)
        })?;
        Ok(all)
    }

    /// Shows each row to `each` until it answers [`Step::Stop`]; for answers too long to collect.
    pub fn each(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<Step, Error>,
    ) -> Result<(), Error> {
        self.engine.run(sql, params, &mut each).map(|_| ())
    }

    /// Says what is going to be asked in this transaction, of statements that [rest on](Sql::resting_on) their tables. A server
    /// is asked for all of it at once; in a folder nothing happens, and nobody is asked what it would be.
    pub fn foresee<E: From<Error>>(&self, asks: impl FnOnce() -> Result<Vec<Ask>, E>) -> Result<(), E> {
        if self.engine.foresees() {
            self.engine.foresee(&asks()?.iter().collect::<Vec<&Ask>>())?;
        }
        Ok(())
    }
}

/// Which leaf a unit of work has entered, before it has a number: the position among its own leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub(crate) usize);

/// What one unit of work leaves behind besides its rows. Discarded whole when the work fails or is run again.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) leaves: Vec<(i64, Vec<u8>)>,
    pub(crate) destroyed: Vec<[u8; 16]>,
    pub(crate) after_commit: Vec<Box<dyn FnOnce() + Send>>,
    pub(crate) changes: usize,
    pub(crate) housekeeping: bool,
    pub(crate) ends_batch: bool,
}

/// How many leaves each log will have before this unit of work, if what runs now is what commits.
pub(crate) trait Sizes {
    fn size(&self, log: i64) -> u64;
}

/// A transaction of the writer: reads, changes, leaves for the log.
pub struct Tx<'t> {
    view: View<'t>,
    effects: &'t mut Effects,
    sizes: &'t dyn Sizes,
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx(..)")
    }
}

impl<'t> Deref for Tx<'t> {
    type Target = View<'t>;

    fn deref(&self) -> &View<'t> {
        &self.view
    }
}

impl<'t> Tx<'t> {
    pub(crate) fn new(engine: &'t dyn Engine, effects: &'t mut Effects, sizes: &'t dyn Sizes) -> Tx<'t> {
        Tx { view: View::new(engine), effects, sizes }
    }

    /// Changes rows. Gives how many.
    pub fn change(&mut self, sql: &'static Sql, params: &[Value<'_>]) -> Result<usize, Error> {
        let changed = self.view.engine.run(sql, params, &mut |_| Ok(Step::Next))?;
        self.effects.changes = self.effects.changes.saturating_add(changed);
        Ok(changed)
    }

    /// Changes rows and reads what a `RETURNING` gives of the first.
    pub fn change_and_find<T>(
        &mut self,
        sql: &'static Sql,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut read = Some(read);
        let mut found = None;
        let changed = self.view.engine.run(sql, params, &mut |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            // ORDER: a statement with RETURNING must be run to its end, or SQLite does not finish its changes.
            Ok(Step::Next)
        })?;
        self.effects.changes = self.effects.changes.saturating_add(changed);
        Ok(found)
    }

    /// Adds a row unless its key is taken. Gives whether this transaction has added it.
    ///
    /// Takes: a statement that ends in `ON CONFLICT (full key) DO NOTHING`, with the row; the statement that finds the row of a
    /// key, with that key. On a server rows of one table go together, with those of other units of the same batch: a unit that
    /// adds rows of which it [foresaw](View::foresee) that their keys are free waits for none of them.
    pub fn add(
        &mut self,
        sql: &'static Sql,
        row: &[Value<'_>],
        found_by: &'static Sql,
        key: &[Value<'_>],
    ) -> Result<bool, Error> {
        let added = self.view.engine.add(sql, row, (found_by, key))?;
        self.effects.changes = self.effects.changes.saturating_add(usize::from(added));
        Ok(added)
    }

    /// Writes a row, in the place of the one of its key if there is one.
    ///
    /// Takes: a statement that ends in `ON CONFLICT (full key) DO UPDATE`, or that adds a row whose key is free, with the row; the
    /// statement that finds it, with its parameters or the first of them. On a server it goes as with [`Tx::add`].
    pub fn set(
        &mut self,
        sql: &'static Sql,
        row: &[Value<'_>],
        found_by: &'static Sql,
        key: &[Value<'_>],
    ) -> Result<(), Error> {
        self.view.engine.set(sql, row, (found_by, key))?;
        self.effects.changes = self.effects.changes.saturating_add(1);
        Ok(())
    }

    /// Inserts a row whose full key may be taken, now: for rows that are not put off. Gives whether this transaction owns the key.
    /// The statement ends in `ON CONFLICT (full key) DO NOTHING`.
    pub fn claim(&mut self, sql: &'static Sql, params: &[Value<'_>]) -> Result<bool, Error> {
        self.change(sql, params).map(|changed| changed > 0)
    }

    /// Appends a leaf to a log. It gets its number at COMMIT.
    pub fn append(&mut self, log: i64, leaf: Vec<u8>) -> Ticket {
        let ticket = Ticket(self.effects.leaves.len());
        self.effects.leaves.push((log, leaf));
        ticket
    }

    /// The number that a leaf appended now would get, if this run of the work is the one that commits: for rows of
    /// this same transaction, which stand or fall with it. Anybody else asks [`Committed`](crate::Committed).
    pub fn next_number(&self, log: i64) -> u64 {
        let own = self.effects.leaves.iter().filter(|(of, _)| *of == log).count() as u64;
        self.sizes.size(log).saturating_add(own)
    }

    /// Says that a key's row no longer holds its key: after COMMIT, and before the caller is answered,
    /// its id is written where a restore will find it, and the WAL is truncated soon after.
    pub fn destroyed(&mut self, key_id: [u8; 16]) {
        self.effects.destroyed.push(key_id);
    }

    /// Runs after COMMIT and before the caller is answered: for caches, which must never show what was rolled back.
    pub fn after_commit(&mut self, act: impl FnOnce() + Send + 'static) {
        self.effects.after_commit.push(Box::new(act));
    }

    /// Lets no other work run behind this in the same transaction: what others go by is put in force after its COMMIT, and
    /// nobody may be told by the old that comes behind the new.
    pub fn ends_batch(&mut self) {
        self.effects.ends_batch = true;
    }

    /// Says that this work moves the store's own furniture (jobs, number blocks, old idempotency keys)
    /// and no personal data, so that it may commit without an entry.
    pub fn housekeeping(&mut self) {
        self.effects.housekeeping = true;
    }
}
