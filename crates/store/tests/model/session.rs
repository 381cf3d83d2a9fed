//! A writer's connection to the model's database, as `src/postgres/session.rs` is to a server; and what can go wrong on it.

#![cfg(test)]

use std::cell::{Cell as Slot, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use shuttle::rand::Rng;

use crate::database::{Cell, Change, Database, Tables, Without};
use crate::engine::{Engine, Pen, Session, Standing, Step};
use crate::error::Error;
use crate::log;
use crate::sql::{Columns, Row, Sql, Value};
use crate::sync::thread;

crate::statements! {
    CLAIM_NAME = "INSERT INTO name (name, unit) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    TAKE_NAME = "INSERT INTO name (name, unit) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET unit = excluded.unit";
    FIND_NAME = "SELECT unit FROM name WHERE name = $1";
}

/// Where the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Folder,
    Server,
}

/// What can go wrong, and how often on one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) most: u32,
    /// One in so many statements.
    pub(crate) one_in: u32,
}

impl Faults {
    pub(crate) const NONE: Faults = Faults { most: 0, one_in: 1 };
}

pub(crate) struct Connection {
    database: Arc<Database>,
    place: Where,
    faults: Faults,
    met: Slot<u32>,
    holder: i64,
    held: RefCell<BTreeSet<i64>>,
    transaction: Slot<Option<u64>>,
    pen: Slot<Option<i64>>,
    standing: Slot<Standing>,
    /// Rows that are sent together, later.
    put_off: RefCell<Vec<(i64, i64)>>,
    puts_off: Slot<bool>,
    was_wrong: Slot<bool>,
}

impl Connection {
    pub(crate) fn new(database: &Arc<Database>, place: Where, faults: Faults) -> Connection {
        Connection {
            database: Arc::clone(database),
            place,
            faults,
            met: Slot::new(0),
            holder: database.new_holder(),
            held: RefCell::default(),
            transaction: Slot::new(None),
            pen: Slot::new(None),
            standing: Slot::new(Standing::Gone),
            put_off: RefCell::default(),
            puts_off: Slot::new(false),
            was_wrong: Slot::new(false),
        }
    }

    /// Does something go wrong now?
    fn fault(&self) -> bool {
        if self.met.get() >= self.faults.most {
            return false;
        }
        let now = shuttle::rand::thread_rng().gen_ratio(1, self.faults.one_in);
        self.met.set(self.met.get() + u32::from(now));
        now
    }

    /// The transaction is gone, and its number with it.
    fn gone(&self) -> Option<u64> {
        self.put_off.take();
        self.standing.set(Standing::Gone);
        self.transaction.take()
    }

    fn lost(&self) -> Error {
        self.gone();
        Error::Lost
    }

    /// Runs a statement: others are run meanwhile, and the server may have ended the transaction.
    fn statement<T>(&self, run: impl FnOnce(u64) -> Option<T>) -> Result<T, Error> {
        thread::step();
        let whole = self.standing.get() == Standing::Whole;
        let transaction = self.transaction.get().filter(|_| whole).ok_or(Error::Lost)?;
        if self.place == Where::Server && self.fault() {
            // The server gives the transaction up; the client is told with its next statement.
            self.database.end(transaction, false);
        }
        run(transaction).ok_or_else(|| self.lost())
    }

    fn change(&self, change: Change) -> Result<usize, Error> {
        self.statement(|transaction| self.database.change(transaction, change).then_some(1))
    }

    fn show(
        &self,
        find: impl FnOnce(Tables) -> Vec<Vec<Cell>>,
        each: &mut dyn FnMut(&Row<'_>) -> Result<Step, Error>,
    ) -> Result<usize, Error> {
        let tables = self.statement(|transaction| self.database.seen_by(transaction))?;
        for row in find(tables) {
            if each(&Row(&Found(row)))? == Step::Stop {
                break;
            }
        }
        Ok(0)
    }
}

fn is(sql: &'static Sql, known: &'static Sql) -> bool {
    std::ptr::eq(sql, known)
}

impl Engine for Connection {
    fn run(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<Step, Error>,
    ) -> Result<usize, Error> {
        match params {
            [Value::Int(id), Value::Bytes(packed)] if is(sql, &log::ADD_LEAVES) => {
                self.change(Change::AddLeaves(*id, packed.to_vec()))
            }
            [Value::Int(log), Value::Int(size), Value::Bytes(root)] if is(sql, &log::SET_HEAD) => {
                self.change(Change::SetHead(*log, vec![Cell::Int(*size), Cell::Bytes(root.to_vec())]))
            }
            [Value::Int(log)] if is(sql, &log::FIND_HEAD) => {
                self.show(|tables| tables.head.get(log).cloned().into_iter().collect(), each)
            }
            [Value::Int(id)] if is(sql, &log::FIND_LEAVES_AT) => self.show(
                |tables| {
                    tables.leaf.range(..=*id).next_back().map(|(_, row)| row.clone()).into_iter().collect()
                },
                each,
            ),
            [Value::Int(from), Value::Int(to)] if is(sql, &log::LIST_LEAVES) => {
                self.show(|tables| tables.leaf.range(*from..*to).map(|(_, row)| row.clone()).collect(), each)
            }
            [Value::Int(name)] if is(sql, &FIND_NAME) => {
                self.show(|tables| tables.name.get(name).cloned().into_iter().collect(), each)
            }
            [Value::Int(name), Value::Int(unit)] if is(sql, &TAKE_NAME) => {
                self.change(Change::Claim(*name, *unit))
            }
            [Value::Int(name), Value::Int(unit)] if is(sql, &CLAIM_NAME) => self.statement(|transaction| {
                let is_taken = self.database.seen_by(transaction)?.name.contains_key(name);
                let claim = Change::Claim(*name, *unit);
                (is_taken || self.database.change(transaction, claim)).then_some(usize::from(!is_taken))
            }),
            _ => panic!("the model has no such statement: {}", sql.text()),
        }
    }

    /// A row that is put off is looked for among those that stand, and not among those that others have put off: so it can turn
    /// out to be refused.
    fn add(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        _found_by: (&'static Sql, &[Value<'_>]),
    ) -> Result<bool, Error> {
        let [Value::Int(name), Value::Int(unit)] = params else { panic!("no row of names") };
        if !self.puts_off.get() {
            return self.run(sql, params, &mut |_| Ok(Step::Next)).map(|added| added > 0);
        }
        let tables = self.statement(|transaction| self.database.seen_by(transaction))?;
        let is_free = !tables.name.contains_key(name);
        if is_free {
            self.put_off.borrow_mut().push((*name, *unit));
        }
        Ok(is_free)
    }
}

impl Session for Connection {
    fn begin(&self, pen: i64) -> Result<Pen, Error> {
        thread::step();
        if self.place == Where::Server && self.fault() {
            return Err(Error::Unreachable);
        }
        self.transaction.set(Some(self.database.begin(pen)));
        self.standing.set(Standing::Whole);
        self.pen.set(Some(pen));
        self.puts_off.set(self.place == Where::Server);
        if self.place == Where::Folder {
            return Ok(Pen::Kept);
        }
        let tables = self.statement(|transaction| self.database.seen_by(transaction))?;
        let before = tables.holder.get(&pen).map(Vec::as_slice);
        if before == Some(&[Cell::Int(self.holder)]) && self.held.borrow().contains(&pen) {
            return Ok(Pen::Kept);
        }
        self.change(Change::Hold(pen, self.holder))?;
        Ok(if self.database.without == Without::WordOfOthers { Pen::Kept } else { Pen::CameBack })
    }

    fn commit(&self) -> Result<(), Error> {
        thread::step();
        if self.standing.get() != Standing::Whole {
            return Err(Error::Lost);
        }
        assert!(self.put_off.borrow().is_empty(), "rows were put off, and never sent");
        let Some(transaction) = self.gone() else { return Err(Error::Lost) };
        let pen = self.pen.take();
        let fault = self.fault();
        if fault && self.place == Where::Folder {
            self.transaction.set(Some(transaction));
            return Err(Error::DiskFull);
        }
        if fault {
            pen.inspect(|pen| self.distrust(*pen));
            // It was done, or was not, or the server is still at it.
            let (done, is_late) = shuttle::rand::thread_rng().r#gen();
            if is_late {
                self.database.end_later(transaction, done);
            } else {
                self.database.end(transaction, done);
            }
            return Err(if self.database.without == Without::Doubts { Error::Lost } else { Error::InDoubt });
        }
        let done = if self.database.without == Without::Commits {
            self.database.end_later(transaction, true);
            true
        } else {
            self.database.end(transaction, true)
        };
        thread::step();
        if done {
            self.held.borrow_mut().extend(pen);
            Ok(())
        } else {
            // The server had ended it, and whoever asks a dead connection gets no answer.
            pen.inspect(|pen| self.distrust(*pen));
            Err(Error::InDoubt)
        }
    }

    fn roll_back(&self) {
        thread::step();
        let pen = self.pen.take();
        let was_there = self.gone().is_some_and(|transaction| self.database.end(transaction, false));
        if let Some(pen) = pen.filter(|_| !was_there) {
            self.distrust(pen);
        }
    }

    fn save(&self) -> Result<(), Error> {
        self.statement(|transaction| self.database.save(transaction).then_some(()))
    }

    fn take_back(&self) -> Result<(), Error> {
        self.statement(|transaction| self.database.take_back(transaction).then_some(()))
    }

    fn release(&self) -> Result<(), Error> {
        self.statement(|transaction| self.database.save(transaction).then_some(()))
    }

    fn standing(&self) -> Standing {
        self.standing.get()
    }

    fn is_served(&self) -> bool {
        self.place == Where::Server
    }

    fn take_each_by_itself(&self) {
        self.puts_off.set(false);
    }

    fn send_rows(&self) -> Result<(), Error> {
        for (name, unit) in self.put_off.take() {
            let is_taken = self.statement(|transaction| {
                let taken = self.database.seen_by(transaction)?.name.contains_key(&name);
                Some(taken && self.database.without != Without::Refusals)
            })?;
            if is_taken {
                self.standing.set(Standing::Spoiled);
                self.was_wrong.set(true);
                return Err(Error::Refused { engine_code: 0 });
            }
            self.change(Change::Claim(name, unit))?;
        }
        Ok(())
    }

    fn was_wrong(&self) -> bool {
        self.was_wrong.take()
    }

    fn distrust(&self, pen: i64) {
        if self.database.without != Without::Distrust {
            self.held.borrow_mut().remove(&pen);
        }
    }

    fn checkpoint(&self, _cut: bool) -> bool {
        false
    }

    fn engine(&self) -> &dyn Engine {
        self
    }
}

struct Found(Vec<Cell>);

impl Columns for Found {
    fn int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.0.get(column) {
            Some(Cell::Int(number)) => Ok(Some(*number)),
            _ => Err(Error::WrongColumn { column }),
        }
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        match self.0.get(column) {
            Some(Cell::Bytes(bytes)) => Ok(Some(bytes)),
            _ => Err(Error::WrongColumn { column }),
        }
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Error> {
        Err(Error::WrongColumn { column })
    }
}
