//! One connection with its transaction, as a thread of the store has it: it waits for each answer.
//!
//! The driver is asynchronous; what it has to do is done while the thread waits, on a runtime of the thread's own.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tokio_postgres::binary_copy::BinaryCopyOutRow;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Client, Connection, CopyOutStream, Statement};

use super::Server;
use super::ahead::{self, Answer, Answers, PutOff, RowsOf};
use crate::engine::{AddressHasher, Engine, Pen, Session, Standing, Step};
use crate::error::{Error, engine_code_of};
use crate::sql::{Ask, Columns, Params, Row, Sql, Value};

/// Who held the pen of a shop; from here until the end of the transaction nobody else does.
static TAKE_PEN: Sql = Sql::new("SELECT holder FROM pen WHERE shop = $1 FOR UPDATE");
static ADD_PEN: Sql =
    Sql::new("INSERT INTO pen (shop, holder, held_until) VALUES ($1, 0, 0) ON CONFLICT (shop) DO NOTHING");
static HOLD_PEN: Sql = Sql::new("UPDATE pen SET holder = $1 WHERE shop = $2");
static NEXT_HOLDER: Sql = Sql::new(
    "INSERT INTO number_block (name, last) VALUES ('holder', 1)
     ON CONFLICT (name) DO UPDATE SET last = number_block.last + excluded.last RETURNING last",
);
/// Whose rows this transaction can see: the fence behind every WHERE.
static FENCE: Sql = Sql::new("SELECT set_config('strongroom.fence', $1, true)");

/// Who carries a connection's messages.
pub(super) type Carrier = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The next row of a copy, when it comes.
pub(super) type NextRow<'r> =
    Pin<Box<dyn Future<Output = Result<Option<BinaryCopyOutRow>, tokio_postgres::Error>> + 'r>>;

/// Rows that are fetched at once.
const ROWS: usize = 256;
/// A statement that has not been answered after this is not going to be: the server gives up before. A COMMIT waits as long.
const PATIENCE: Duration = Duration::from_secs(65);
/// Of a writer, whose statements are short: behind a server that hangs nobody waits longer than this to be told.
const WRITERS_PATIENCE: Duration = Duration::from_secs(10);
/// Of whose rows a transaction sees all.
pub(super) const EVERYBODY: &str = "all";

/// A connection to a server, made when it is needed and made again when it was lost.
pub(crate) struct Postgres {
    server: Server,
    runtime: Runtime,
    client: RefCell<Option<Client>>,
    prepared: RefCell<Prepared>,
    /// The same statements, for many rows or sets of parameters.
    prepared_for_many: RefCell<Prepared>,
    standing: Cell<Standing>,
    /// The server said that what it did may not have reached its standby.
    warned: Arc<AtomicBool>,
    /// By which number this writer is known to the pens; 0 before the first.
    holder: Cell<i64>,
    /// Pens that were held at the last commit.
    held: RefCell<HashSet<i64>>,
    /// The pen of this transaction.
    pen: Cell<Option<i64>>,
    /// What was answered in this transaction.
    answers: RefCell<Answers>,
    /// Rows of this transaction that are not sent yet.
    put_off: RefCell<PutOff>,
    /// May rows be put off in this transaction?
    puts_off: Cell<bool>,
    /// A row that was put off was refused.
    was_wrong: Cell<bool>,
    patience: Duration,
    waits: Cell<u64>,
    /// A statement was refused because the disk is full.
    met_full_disk: Cell<bool>,
}

type Prepared = HashMap<usize, Statement, BuildHasherDefault<AddressHasher>>;

impl Postgres {
    /// A connection that is not made yet.
    pub(crate) fn new(server: &Server) -> Result<Postgres, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Postgres {
            server: server.clone(),
            runtime,
            client: RefCell::new(None),
            prepared: RefCell::default(),
            prepared_for_many: RefCell::default(),
            standing: Cell::new(Standing::Gone),
            warned: Arc::default(),
            holder: Cell::new(0),
            held: RefCell::default(),
            pen: Cell::new(None),
            answers: RefCell::default(),
            put_off: RefCell::default(),
            puts_off: Cell::new(false),
            was_wrong: Cell::new(false),
            patience: PATIENCE,
            waits: Cell::new(0),
            met_full_disk: Cell::new(false),
        })
    }

    /// The same for a thread that writes.
    pub(crate) fn to_write(server: &Server) -> Result<Postgres, Error> {
        Ok(Postgres { patience: WRITERS_PATIENCE, ..Postgres::new(server)? })
    }

    /// The same for somebody who reads all there is, and waits for it.
    pub(super) fn to_read_all(server: &Server) -> Result<Postgres, Error> {
        Ok(Postgres { patience: super::damage::PATIENCE, ..Postgres::new(server)? })
    }

    /// Begins to read, in one state of what has been committed.
    pub(crate) fn begin_reading(&self) -> Result<(), Error> {
        self.begin_as("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", EVERYBODY, None).map(drop)
    }

    /// Begins to change the schema.
    pub(super) fn begin_schema(&self) -> Result<(), Error> {
        self.begin_as("BEGIN", EVERYBODY, None).map(drop)
    }

    /// Runs statements that are no statement of a room: the schema's.
    pub(super) fn batch(&self, text: &str) -> Result<(), Error> {
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Unreachable)?;
        self.wait(client.batch_execute(text))
    }

    /// Runs a statement that was made of the names in a schema.
    pub(super) fn execute(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<(), Error> {
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Unreachable)?;
        self.wait(client.execute(text, parameters)).map(|_| ())
    }

    /// Asks for one number. Gives 0 when there is none.
    pub(super) fn number(&self, sql: &'static Sql) -> Result<i64, Error> {
        let mut found = 0;
        self.run(sql, &[], &mut |row| {
            found = row.int(0)?;
            Ok(Step::Next)
        })?;
        Ok(found)
    }

    /// Asks for one row of numbers by a statement that was made of the names in a schema.
    pub(super) fn numbers(&self, text: &str) -> Result<Vec<i64>, Error> {
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Unreachable)?;
        let row = self.wait(client.query_one(text, &[]))?;
        let number = |column| row.try_get(column).map_err(|_| Error::WrongColumn { column });
        (0..row.len()).map(number).collect()
    }

    /// Copies what a statement gives out of the server. `read` takes the stream, and what waits for its next piece.
    pub(super) fn copy_out<T>(
        &self,
        text: &str,
        read: impl FnOnce(
            CopyOutStream,
            &dyn Fn(NextRow<'_>) -> Result<Option<BinaryCopyOutRow>, Error>,
        ) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Unreachable)?;
        let stream = self.wait(client.copy_out(text))?;
        read(stream, &|next| self.wait(next))
    }

    /// Begins a transaction, and asks for a pen with it. Gives who held that before, if it has a row.
    fn begin_as(&self, how: &str, whose: &str, pen: Option<i64>) -> Result<Option<i64>, Error> {
        self.connect()?;
        self.warned.store(false, Ordering::Relaxed);
        self.forget();
        let fence = self.prepare(&FENCE)?;
        let pen = pen.map(|pen| Ok::<_, Error>((self.prepare(&TAKE_PEN)?, pen))).transpose()?;
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Unreachable)?;
        self.standing.set(Standing::Whole);
        // All are sent before the first is answered.
        let all = async {
            let whose: [&(dyn ToSql + Sync); 1] = [&whose];
            let taken = async {
                let Some((take_pen, pen)) = &pen else { return Ok(None) };
                client.query_opt(take_pen, &[pen]).await
            };
            let (begun, fenced, taken) =
                tokio::join!(client.batch_execute(how), client.query(&fence, &whose), taken);
            begun?;
            fenced?;
            taken
        };
        let taken = self.wait(all)?;
        taken.map(|row| row.try_get(0).map_err(|_| Error::WrongColumn { column: 0 })).transpose()
    }

    fn connect(&self) -> Result<(), Error> {
        if self.client.borrow().as_ref().is_some_and(|client| !client.is_closed()) {
            return Ok(());
        }
        self.give_up();
        let warned = Arc::clone(&self.warned);
        // The driver's own limit ends with the connection of the network; a server that says nothing then is waited for no longer.
        let connecting = self.server.connect(warned);
        let connected = self
            .runtime
            .block_on(async { tokio::time::timeout(super::CONNECTING.saturating_mul(2), connecting).await });
        let (client, carrier) =
            connected.map_err(|_| Error::Unreachable)?.map_err(|error| cannot_connect(&error))?;
        // INVARIANT: it runs only while this thread waits for an answer, which is the only time there is something to carry.
        self.runtime.spawn(carrier);
        *self.client.borrow_mut() = Some(client);
        Ok(())
    }

    /// Forgets what was answered, and what was to be sent: another transaction begins, or this one is undone.
    fn forget(&self) {
        self.answers.borrow_mut().clear();
        let _ = self.put_off.borrow_mut().take();
    }

    /// Forgets a connection that was lost.
    fn give_up(&self) {
        self.forget_plans();
        *self.client.borrow_mut() = None;
        self.standing.set(Standing::Gone);
    }

    fn forget_plans(&self) {
        self.prepared.borrow_mut().clear();
        self.prepared_for_many.borrow_mut().clear();
    }

    pub(super) fn prepare(&self, sql: &'static Sql) -> Result<Statement, Error> {
        if let Some(known) = self.prepared.borrow().get(&sql.address()) {
            return Ok(known.clone());
        }
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Lost)?;
        let statement = self.wait(client.prepare(sql.text()))?;
        self.prepared.borrow_mut().insert(sql.address(), statement.clone());
        Ok(statement)
    }

    /// A statement for many rows, or for many sets of parameters.
    pub(super) fn prepare_for_many(&self, sql: &'static Sql) -> Result<Statement, Error> {
        if let Some(known) = self.prepared_for_many.borrow().get(&sql.address()) {
            return Ok(known.clone());
        }
        let of_one = self.prepare(sql)?;
        let many = match sql.adds_to() {
            Some(_) => ahead::adding_many(sql.text(), of_one.params()),
            None => ahead::asking_many(sql.text(), of_one.params()),
        };
        let many = many.ok_or(Error::Refused { engine_code: 0 })?;
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Lost)?;
        let statement = self.wait(client.prepare(&many))?;
        self.prepared_for_many.borrow_mut().insert(sql.address(), statement.clone());
        Ok(statement)
    }

    /// Keeps a row to be sent later.
    fn put_off(
        &self,
        sql: &'static Sql,
        row: &[Value<'_>],
        found_by: &'static Sql,
        key: &[Value<'_>],
    ) -> Result<(), Error> {
        self.answers.borrow_mut().added(sql, found_by, &Params::of(key));
        self.put_off.borrow_mut().push(sql, Params::of(row));
        if self.put_off.borrow().are_many() { self.send_rows() } else { Ok(()) }
    }

    /// Sends rows, each statement's together and all at once. Gives whether every one of them was added.
    fn send(&self, all: &[RowsOf]) -> Result<bool, Error> {
        let mut sendings = Vec::with_capacity(all.len());
        for RowsOf { sql, rows } in all {
            let of_one = self.prepare(sql)?;
            let statement = if rows.len() == 1 { of_one.clone() } else { self.prepare_for_many(sql)? };
            let rows: Vec<&Params> = rows.iter().collect();
            sendings.push((statement, of_one, rows));
        }
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Lost)?;
        let mut sent = Vec::with_capacity(sendings.len());
        for (statement, of_one, rows) in &sendings {
            let columns = bound(rows, of_one.params())?;
            sent.push(async move { client.execute_raw(statement, columns).await });
        }
        let added = self.wait(futures_util::future::try_join_all(sent))?;
        Ok(added.iter().zip(all).all(|(added, of)| *added == of.rows.len() as u64))
    }

    /// Asks a statement with one set of parameters, or its form for many with many. Gives what was answered to each.
    async fn ask(
        client: &Client,
        statement: &Statement,
        bound: Vec<Parameter<'_>>,
        asked: usize,
    ) -> Result<Vec<Answer>, tokio_postgres::Error> {
        let mut stream = pin!(client.query_raw(statement, bound).await?);
        let skip = usize::from(asked > 1);
        let mut answers: Vec<Answer> = (0..asked).map(|_| Answer { rows: Vec::new(), skip }).collect();
        while let Some(row) = stream.next().await {
            let row = row?;
            let place = if skip == 0 { 1 } else { row.try_get::<_, i64>(0)? };
            let place = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
            if let Some(answer) = place.and_then(|place| answers.get_mut(place)) {
                answer.rows.push(row);
            }
        }
        Ok(answers)
    }

    /// Waits for an answer, as long as one can come.
    fn wait<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        self.waits.set(self.waits.get().saturating_add(1));
        let answered = self.runtime.block_on(async { tokio::time::timeout(self.patience, answer).await });
        match answered {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => {
                self.standing.set(Standing::Gone);
                Err(Error::Lost)
            }
        }
    }

    /// What a failure is to the store, and what it makes of the transaction.
    fn failed(&self, error: &tokio_postgres::Error) -> Error {
        let Some(state) = error.code() else {
            self.standing.set(Standing::Gone);
            return Error::Lost;
        };
        let fault = fault_of(state);
        if fault == Error::DiskFull {
            self.met_full_disk.set(true);
        }
        if *state == SqlState::FEATURE_NOT_SUPPORTED {
            // A plan from before a migration: it is made again.
            self.forget_plans();
            self.standing.set(Standing::Gone);
            return Error::Lost;
        }
        self.standing.set(if fault == Error::Lost { Standing::Gone } else { Standing::Spoiled });
        fault
    }
}

impl Engine for Postgres {
    fn run(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<Step, Error>,
    ) -> Result<usize, Error> {
        if self.standing.get() != Standing::Whole {
            return Err(Error::Lost);
        }
        // Under a pen only: whoever reads a whole table beside the writer would keep all of it.
        let is_remembered = self.foresees() && !sql.rests_on().is_empty();
        let asked = is_remembered.then(|| Params::of(params));
        let known = asked.as_ref().and_then(|asked| self.answers.borrow().find(sql, asked));
        if let Some(known) = known {
            show(&known.rows, known.skip, each)?;
            return Ok(0);
        }
        if self.put_off.borrow().concern(sql) {
            self.send_rows()?;
        }
        self.answers.borrow_mut().changed(sql);
        let statement = self.prepare(sql)?;
        if statement.params().len() != params.len() {
            return Err(Error::Refused { engine_code: 0 });
        }
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Lost)?;
        let stream = self.wait(client.query_raw(&statement, params.iter().map(|value| Bound(*value))))?;
        let mut stream = pin!(stream);
        loop {
            // ORDER: rows are shown when nothing is waited for: whoever is shown one may ask for others.
            let mut rows = Vec::new();
            let mut more = true;
            self.wait(async {
                while rows.len() < ROWS {
                    match stream.next().await {
                        Some(row) => rows.push(row?),
                        None => {
                            more = false;
                            break;
                        }
                    }
                }
                Ok(())
            })?;
            if let Some(asked) = &asked
                && !more
            {
                let answer = Answer { rows, skip: 0 };
                let answer = self.answers.borrow_mut().keep(sql, asked.clone(), answer);
                show(&answer.rows, 0, each)?;
                return Ok(0);
            }
            if show(&rows, 0, each)? == Step::Stop {
                return Ok(0);
            }
            if !more {
                return Ok(usize::try_from(stream.rows_affected().unwrap_or(0)).unwrap_or(usize::MAX));
            }
        }
    }

    fn run_all(&self, changes: &[(&'static Sql, &[Value<'_>])]) -> Result<(), Error> {
        if self.standing.get() != Standing::Whole {
            return Err(Error::Lost);
        }
        self.send_rows()?;
        self.answers.borrow_mut().clear();
        let statements =
            changes.iter().map(|(sql, _)| self.prepare(sql)).collect::<Result<Vec<Statement>, Error>>()?;
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Lost)?;
        let all = changes.iter().zip(&statements).map(async |((_, params), statement)| {
            let stream = client.query_raw(statement, params.iter().map(|value| Bound(*value))).await?;
            let mut stream = pin!(stream);
            while let Some(row) = stream.next().await {
                row?;
            }
            Ok(())
        });
        self.wait(futures_util::future::try_join_all(all)).map(drop)
    }

    fn foresees(&self) -> bool {
        self.pen.get().is_some()
    }

    fn foresee(&self, asks: &[&Ask]) -> Result<(), Error> {
        if !self.foresees() {
            return Ok(());
        }
        if self.standing.get() != Standing::Whole {
            return Err(Error::Lost);
        }
        let mut of: Vec<(&'static Sql, HashSet<&Params>)> = Vec::new();
        for Ask { sql, params } in asks {
            let is_known = sql.rests_on().is_empty() || self.answers.borrow().find(sql, params).is_some();
            match of.iter_mut().find(|(known, _)| known.address() == sql.address()) {
                _ if is_known => {}
                Some((_, all)) => drop(all.insert(params)),
                None => of.push((sql, HashSet::from([params]))),
            }
        }
        if of.iter().any(|(sql, _)| self.put_off.borrow().concern(sql)) {
            self.send_rows()?;
        }
        let mut sendings = Vec::with_capacity(of.len());
        for (sql, asks) in of {
            let of_one = self.prepare(sql)?;
            let statement = if asks.len() == 1 { of_one.clone() } else { self.prepare_for_many(sql)? };
            sendings.push((sql, statement, of_one, asks.into_iter().collect::<Vec<&Params>>()));
        }
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Lost)?;
        let mut sent = Vec::with_capacity(sendings.len());
        for (_, statement, of_one, asks) in &sendings {
            sent.push(Self::ask(client, statement, bound(asks, of_one.params())?, asks.len()));
        }
        let answered = self.wait(futures_util::future::try_join_all(sent))?;
        let mut known = self.answers.borrow_mut();
        for ((sql, _, _, asks), answers) in sendings.iter().zip(answered) {
            for (asked, answer) in asks.iter().zip(answers) {
                known.keep(sql, (*asked).clone(), answer);
            }
        }
        Ok(())
    }

    fn add(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        (found_by, key): (&'static Sql, &[Value<'_>]),
    ) -> Result<bool, Error> {
        if !self.puts_off.get() {
            return self.run(sql, params, &mut |_| Ok(Step::Next)).map(|changed| changed > 0);
        }
        let mut is_taken = false;
        self.run(found_by, key, &mut |_| {
            is_taken = true;
            Ok(Step::Stop)
        })?;
        if is_taken {
            return Ok(false);
        }
        self.put_off(sql, params, found_by, key).map(|()| true)
    }

    fn set(
        &self,
        sql: &'static Sql,
        params: &[Value<'_>],
        (found_by, key): (&'static Sql, &[Value<'_>]),
    ) -> Result<(), Error> {
        if !self.puts_off.get() {
            return self.run(sql, params, &mut |_| Ok(Step::Next)).map(drop);
        }
        if self.standing.get() != Standing::Whole {
            return Err(Error::Lost);
        }
        self.put_off(sql, params, found_by, key)
    }
}

/// A parameter on its way.
type Parameter<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// The parameters of a statement for one, or of its form for many. Fails when they are not its own.
fn bound<'p>(sets: &[&'p Params], types: &[Type]) -> Result<Vec<Parameter<'p>>, Error> {
    match sets {
        [one] if one.len() == types.len() => {
            Ok(one.values().map(|value| Box::new(Bound(value)) as Parameter<'_>).collect())
        }
        sets => ahead::columns(sets, types),
    }
}

/// Shows rows until somebody has seen enough, without the columns that stand before what was asked for.
fn show(
    rows: &[tokio_postgres::Row],
    skip: usize,
    each: &mut dyn FnMut(&Row<'_>) -> Result<Step, Error>,
) -> Result<Step, Error> {
    for row in rows {
        if each(&Row(&PostgresRow { row, skip }))? == Step::Stop {
            return Ok(Step::Stop);
        }
    }
    Ok(Step::Next)
}

impl Session for Postgres {
    fn begin(&self, pen: i64) -> Result<Pen, Error> {
        self.connect()?;
        if self.holder.get() == 0 {
            self.begin_as("BEGIN", EVERYBODY, None)?;
            let holder = self.number(&NEXT_HOLDER)?;
            self.commit()?;
            self.holder.set(holder);
        }
        let whose = if pen == 0 { EVERYBODY.to_owned() } else { pen.to_string() };
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
        let mut before = self.begin_as(begin, &whose, Some(pen))?;
        self.pen.set(Some(pen));
        self.puts_off.set(true);
        self.was_wrong.set(false);
        while before.is_none() {
            self.run(&ADD_PEN, crate::params![pen], &mut |_| Ok(Step::Next))?;
            self.run(&TAKE_PEN, crate::params![pen], &mut |row| {
                before = Some(row.int(0)?);
                Ok(Step::Next)
            })?;
        }
        if before == Some(super::marks::NOBODY) {
            return Err(Error::Away);
        }
        if before == Some(self.holder.get()) && self.held.borrow().contains(&pen) {
            return Ok(Pen::Kept);
        }
        // ORDER: written also where this writer is the holder by name: whoever commits to find out what became of a COMMIT waits
        // for the standby with it.
        self.run(&HOLD_PEN, crate::params![self.holder.get(), pen], &mut |_| Ok(Step::Next))?;
        Ok(Pen::CameBack)
    }

    fn commit(&self) -> Result<(), Error> {
        if self.standing.get() != Standing::Whole {
            return Err(Error::Lost);
        }
        self.send_rows()?;
        let client = self.client.borrow();
        let client = client.as_ref().ok_or(Error::Lost)?;
        // ORDER: what it warned of before was another statement's: of a page that is not whole, for one.
        self.warned.store(false, Ordering::Relaxed);
        let done = self.wait(client.batch_execute("COMMIT"));
        let warned = self.warned.load(Ordering::Relaxed);
        if let Some(pen) = self.pen.take() {
            let mut held = self.held.borrow_mut();
            if done.is_ok() && !warned {
                held.insert(pen);
            } else {
                // Whether it was done is found out, or is not: either way the ends of the logs are read again.
                held.remove(&pen);
            }
        }
        match done {
            Ok(()) if !warned => {
                self.standing.set(Standing::Gone);
                Ok(())
            }
            // Done here, and perhaps not on the standby: who is told that it is durable would be told too early.
            Ok(()) => {
                self.standing.set(Standing::Gone);
                Err(Error::InDoubt)
            }
            // A refusal that arrives is an answer. Without one nobody knows.
            Err(Error::Lost | Error::Unreachable) => Err(Error::InDoubt),
            Err(error) => Err(error),
        }
    }

    fn roll_back(&self) {
        let pen = self.pen.take();
        self.forget();
        let is_lost = {
            let client = self.client.borrow();
            match client.as_ref() {
                Some(client) if !client.is_closed() => self.wait(client.batch_execute("ROLLBACK")).is_err(),
                _ => true,
            }
        };
        self.standing.set(Standing::Gone);
        if is_lost {
            self.give_up();
            if let Some(pen) = pen {
                self.distrust(pen);
            }
        }
    }

    fn save(&self) -> Result<(), Error> {
        self.batch("SAVEPOINT unit")
    }

    fn take_back(&self) -> Result<(), Error> {
        self.forget();
        self.batch("ROLLBACK TO SAVEPOINT unit")?;
        self.standing.set(Standing::Whole);
        Ok(())
    }

    fn release(&self) -> Result<(), Error> {
        self.batch("RELEASE SAVEPOINT unit")
    }

    fn standing(&self) -> Standing {
        self.standing.get()
    }

    fn is_served(&self) -> bool {
        true
    }

    fn met_full_disk(&self) -> bool {
        self.met_full_disk.take()
    }

    fn waits(&self) -> u64 {
        self.waits.take()
    }

    fn take_each_by_itself(&self) {
        self.puts_off.set(false);
    }

    fn send_rows(&self) -> Result<(), Error> {
        let rows = self.put_off.borrow_mut().take();
        if rows.is_empty() {
            return Ok(());
        }
        if self.standing.get() != Standing::Whole {
            return Err(Error::Lost);
        }
        let sent = self.send(&rows);
        if sent != Ok(true) && self.standing.get() != Standing::Gone {
            // Somebody was told that a row was added that is not. What it was refused for is found out when it goes by itself.
            self.standing.set(Standing::Spoiled);
            self.was_wrong.set(true);
        }
        if sent? { Ok(()) } else { Err(Error::Refused { engine_code: 0 }) }
    }

    fn was_wrong(&self) -> bool {
        self.was_wrong.take()
    }

    fn distrust(&self, pen: i64) {
        self.held.borrow_mut().remove(&pen);
    }

    fn checkpoint(&self, _cut: bool) -> bool {
        false // the server does that
    }

    fn engine(&self) -> &dyn Engine {
        self
    }
}

/// What carries a connection's messages until it ends, and hears the server's warnings.
pub(super) fn carrier<S, T>(mut connection: Connection<S, T>, warned: Arc<AtomicBool>) -> Carrier
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Box::pin(async move {
        loop {
            let message = std::future::poll_fn(|context| connection.poll_message(context)).await;
            match message {
                Some(Ok(AsyncMessage::Notice(notice))) => {
                    if notice.parsed_severity() == Some(Severity::Warning) {
                        warned.store(true, Ordering::Relaxed);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    })
}

/// What a refusal of the server is to the store.
///
/// SOURCE: PostgreSQL's manual, appendix A; which may be run again: reliability list, rule 15.
fn fault_of(state: &SqlState) -> Error {
    let code = state.code();
    let engine_code = engine_code_of(code);
    match code {
        // Others were in the way, or the server is going down or has just come up.
        "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "57P05" | "25P02" | "25P03" | "25006" => {
            Error::Lost
        }
        "53100" => Error::DiskFull,
        "53000" | "53200" | "53300" | "53400" | "57014" => Error::Busy,
        "58030" => Error::InputOutput { engine_code },
        "XX001" | "XX002" => Error::Damaged { engine_code },
        _ if code.starts_with("08") => Error::Lost,
        _ => Error::Refused { engine_code },
    }
}

/// Why there is no connection.
fn cannot_connect(error: &tokio_postgres::Error) -> Error {
    match error.code().map(SqlState::code) {
        Some(code) if code.starts_with("28") => Error::UnfitServer { why: "it does not let this user in" },
        Some("3D000") => Error::UnfitServer { why: "it has no database of this name" },
        _ => Error::Unreachable,
    }
}

struct PostgresRow<'r> {
    row: &'r tokio_postgres::Row,
    /// Columns that are none of the statement's own.
    skip: usize,
}

impl PostgresRow<'_> {
    fn column<'a, T: tokio_postgres::types::FromSql<'a>>(
        &'a self,
        column: usize,
    ) -> Result<Option<T>, Error> {
        self.row.try_get(column.saturating_add(self.skip)).map_err(|_| Error::WrongColumn { column })
    }
}

impl Columns for PostgresRow<'_> {
    fn int(&self, column: usize) -> Result<Option<i64>, Error> {
        self.column(column)
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        self.column(column)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Error> {
        self.column(column)
    }
}

#[derive(Debug)]
struct Bound<'a>(Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        _type: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Int(value) => out.extend_from_slice(&value.to_be_bytes()),
            Value::Bytes(value) => out.extend_from_slice(value),
            Value::Text(value) => out.extend_from_slice(value.as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        // Which of them is which is settled by the statement; the server refuses a length that does not fit.
        matches!(*of, Type::INT8 | Type::BYTEA | Type::TEXT)
    }

    to_sql_checked!();
}
