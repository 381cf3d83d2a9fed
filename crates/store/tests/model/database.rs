//! The database of the model: rows that were committed, transactions that are under way, and the lock of each shop's pen.
//!
//! A transaction sees what was committed and what it changed itself. It ends by its COMMIT, by its ROLLBACK, or because the server
//! ends it: a client that was paused for too long, or whose connection was lost, finds out with its next statement.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex as Plain, MutexGuard as PlainGuard, PoisonError};

use crate::sync::{Condvar, Mutex, thread};

/// A table: rows by their key, each a few columns.
pub(crate) type Table = BTreeMap<i64, Vec<Cell>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Int(i64),
    Bytes(Vec<u8>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    /// Rows of leaves.
    pub(crate) leaf: Table,
    /// Heads of logs.
    pub(crate) head: Table,
    /// Who owns a name.
    pub(crate) name: Table,
    /// Which server last held a shop's pen.
    pub(crate) holder: Table,
}

/// A change that a transaction has made.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    AddLeaves(i64, Vec<u8>),
    SetHead(i64, Vec<Cell>),
    Claim(i64, i64),
    Hold(i64, i64),
}

impl Tables {
    fn make(&mut self, change: Change) {
        match change {
            Change::AddLeaves(id, packed) => {
                self.leaf.insert(id, vec![Cell::Int(id), Cell::Bytes(packed)]);
            }
            Change::SetHead(log, columns) => {
                self.head.insert(log, columns);
            }
            Change::Claim(name, unit) => {
                self.name.insert(name, vec![Cell::Int(unit)]);
            }
            Change::Hold(pen, holder) => {
                self.holder.insert(pen, vec![Cell::Int(holder)]);
            }
        }
    }
}

/// A guard that is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    /// None is.
    Nothing,
    /// One transaction at a time has a shop's pen.
    Locks,
    /// Whoever takes a pen up is told that somebody else had it.
    WordOfOthers,
    /// What a writer knows of a shop is read again after a COMMIT whose answer was lost.
    Distrust,
    /// COMMIT answers when it is done.
    Commits,
    /// A COMMIT whose answer was lost is said to be in doubt, and not to have failed.
    Doubts,
    /// A cache hears of a change after its COMMIT.
    PatientCaches,
    /// A row that was put off is refused where there is one.
    Refusals,
    /// Whoever claims a name looks in the same transaction whether it is free.
    LooksInside,
}

struct Open {
    pen: i64,
    changes: Vec<Change>,
    saved: usize,
}

#[derive(Default)]
struct Inside {
    committed: Tables,
    open: BTreeMap<u64, Open>,
    transactions: u64,
    holders: i64,
    /// Rows that were added where there was one.
    collisions: u64,
}

pub(crate) struct Database {
    pub(crate) without: Without,
    /// INVARIANT: let go before anybody else can be run, so that it is a plain lock that nobody ever waits for.
    inside: Plain<Inside>,
    locked: Mutex<BTreeSet<i64>>,
    freed: Condvar,
    late: Plain<Vec<thread::JoinHandle<()>>>,
}

impl Database {
    pub(crate) fn new(without: Without) -> Database {
        Database {
            without,
            inside: Plain::default(),
            locked: Mutex::default(),
            freed: Condvar::new(),
            late: Plain::default(),
        }
    }

    /// What has been committed.
    pub(crate) fn committed(&self) -> Tables {
        self.inside().committed.clone()
    }

    pub(crate) fn collisions(&self) -> u64 {
        self.inside().collisions
    }

    /// A number for somebody who will hold pens.
    pub(crate) fn new_holder(&self) -> i64 {
        let mut inside = self.inside();
        inside.holders += 1;
        inside.holders
    }

    /// Begins a transaction under a pen, once nobody else has it.
    pub(crate) fn begin(&self, pen: i64) -> u64 {
        if self.without != Without::Locks {
            let mut locked = self.locked.lock().unwrap();
            while !locked.insert(pen) {
                locked = self.freed.wait(locked).unwrap();
            }
        }
        let mut inside = self.inside();
        inside.transactions += 1;
        let number = inside.transactions;
        inside.open.insert(number, Open { pen, changes: Vec::new(), saved: 0 });
        number
    }

    /// Ends a transaction, if it is still there. Gives whether it was.
    pub(crate) fn end(&self, transaction: u64, commit: bool) -> bool {
        let pen = {
            let mut inside = self.inside();
            let Some(open) = inside.open.remove(&transaction) else { return false };
            for change in open.changes.into_iter().filter(|_| commit) {
                if let Change::AddLeaves(id, _) = &change {
                    inside.collisions += u64::from(inside.committed.leaf.contains_key(id));
                }
                inside.committed.make(change);
            }
            open.pen
        };
        if self.without != Without::Locks {
            self.locked.lock().unwrap().remove(&pen);
            self.freed.notify_all();
        }
        true
    }

    /// The same, but later.
    pub(crate) fn end_later(self: &std::sync::Arc<Database>, transaction: u64, commit: bool) {
        let database = std::sync::Arc::clone(self);
        let late = thread::spawn(move || {
            thread::step();
            database.end(transaction, commit);
        });
        self.late.lock().unwrap_or_else(PoisonError::into_inner).push(late);
    }

    /// Waits for all that happens later.
    pub(crate) fn settle(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner));
        for late in late {
            late.join().unwrap();
        }
    }

    /// What a transaction sees; `None` when the server has ended it.
    pub(crate) fn seen_by(&self, transaction: u64) -> Option<Tables> {
        let inside = self.inside();
        let open = inside.open.get(&transaction)?;
        let mut tables = inside.committed.clone();
        open.changes.iter().cloned().for_each(|change| tables.make(change));
        Some(tables)
    }

    /// Adds a change to a transaction. Gives whether it is still there.
    pub(crate) fn change(&self, transaction: u64, change: Change) -> bool {
        let mut inside = self.inside();
        let open = inside.open.get_mut(&transaction);
        open.map(|open| open.changes.push(change)).is_some()
    }

    /// Begins a unit that can be taken back.
    pub(crate) fn save(&self, transaction: u64) -> bool {
        let mut inside = self.inside();
        inside.open.get_mut(&transaction).map(|open| open.saved = open.changes.len()).is_some()
    }

    /// Takes a unit back.
    pub(crate) fn take_back(&self, transaction: u64) -> bool {
        let mut inside = self.inside();
        inside.open.get_mut(&transaction).map(|open| open.changes.truncate(open.saved)).is_some()
    }

    fn inside(&self) -> PlainGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
