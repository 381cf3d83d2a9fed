//! The handle that the house holds: opens the folder, takes work, answers reads, closes.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use vfs::Disk;

use crate::backup::Progress;
use crate::checkpointer::Checkpoints;
use crate::error::Error;
use crate::log::{LogBook, Witness};
use crate::migrate::{self, Migrated, Migration};
use crate::postgres::{Postgres, Server};
use crate::queue::{Answer, Committed, Lane, Limits, Queue, Unit};
use crate::reader::{Readers, Source};
use crate::sql::Ask;
use crate::sqlite::{self, Sqlite, Use};
use crate::tx::{Tx, View};
use crate::writer::{SharedWitness, Stats, Writer};

/// Name of the database file in its folder.
pub const DATABASE: &str = "strongroom.db";
/// Name of the file whose lock says who owns the folder.
pub const LOCK: &str = "owner.lock";

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Page cache of the writer, KiB.
    pub cache_kib: u32,
    /// How much may wait, and how much is committed at once.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Options {
        Options { cache_kib: 64 << 10, limits: Limits::default() }
    }
}

/// The right to a data folder: one process at a time.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    disk: Disk,
    _lock: File,
}

impl Folder {
    /// Takes the folder for this process, until the value is dropped.
    ///
    /// Fails: `SR-STORE-003` when another process has it.
    pub fn own(path: &Path) -> Result<Folder, Error> {
        Folder::own_on(sqlite::disk()?, path)
    }

    /// The same, on another disk than everybody's: for tests of faults.
    pub fn own_on(disk: Disk, path: &Path) -> Result<Folder, Error> {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { path: path.to_path_buf(), disk, _lock: lock }),
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::Owned),
            Err(std::fs::TryLockError::Error(error)) => Err(Error::from(error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its database file.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Does it hold a database?
    pub fn has_database(&self) -> bool {
        self.database().exists()
    }

    /// Schema of the database in it; 0 when there is none.
    pub fn schema(&self) -> Result<u32, Error> {
        if !self.has_database() {
            return Ok(0);
        }
        migrate::schema_of(&sqlite::connect(self.disk, &self.database(), 1_024, Use::Write)?)
    }

    /// Creates the database, or brings an older one up to the last of `steps`, after a copy.
    ///
    /// Fails: `SR-STORE-002` when the database is newer; then nothing was touched.
    pub fn migrate(&self, steps: &[Migration]) -> Result<Migrated, Error> {
        let mut connection = sqlite::connect(self.disk, &self.database(), 8_192, Use::Write)?;
        let migrated = migrate::migrate(self.disk, &mut connection, &self.path, steps)?;
        if !vfs::has_checksums(&connection)? {
            // Written by a release before page checksums: every page is written anew, with room for one.
            connection.execute_batch("VACUUM")?;
        }
        // ORDER: closed before the store opens its own. The last connection to close folds the WAL into the database and removes
        // it: a key that died just before a crash is on no disk any more when the first caller is served.
        connection.close().map_err(|(_, error)| Error::from(error))?;
        Ok(migrated)
    }
}

/// Where a store has its rows.
#[derive(Debug)]
pub enum Home {
    /// In a folder of this process's own.
    Folder(Folder),
    /// In a database that a server has, and other processes use as well.
    Server(Server),
}

impl From<Folder> for Home {
    fn from(folder: Folder) -> Home {
        Home::Folder(folder)
    }
}

impl From<Server> for Home {
    fn from(server: Server) -> Home {
        Home::Server(server)
    }
}

impl Home {
    /// Is there anything in it?
    pub fn has_database(&self) -> Result<bool, Error> {
        match self {
            Home::Folder(folder) => Ok(folder.has_database()),
            Home::Server(server) => Ok(server.schema()? > 0),
        }
    }
}

/// Writers on a server's database: each has the shops whose numbers leave the same remainder.
const WRITERS: usize = 4;
/// While a server's database has let a writer wait for so long, whoever comes is told at once to come back later. Longer than a pen
/// is waited for.
const STALLS: Duration = Duration::from_secs(10);

/// An open store. Dropping it without [`Store::close`] leaves its threads to end by themselves.
pub struct Store {
    home: Home,
    pub(crate) queues: Vec<Arc<Queue>>,
    readers: Readers,
    checkpoints: Option<Arc<Checkpoints>>,
    stats: Arc<Stats>,
    threads: Mutex<Option<Threads>>,
}

/// The threads of an open store.
struct Threads {
    writers: Vec<JoinHandle<()>>,
    checkpoints: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("home", &self.home).finish_non_exhaustive()
    }
}

/// A book for each writer.
pub type Books = Vec<Box<dyn LogBook>>;

impl Store {
    /// Opens a database whose schema is current.
    ///
    /// Takes: where it is; who is told of destroyed keys; and a closure that reads what it needs and gives who turns
    /// leaves into hashes, for as many writers as it is told. They live on the writers' threads. Fails: as the closure does,
    /// with `SR-STORE-018` when there is no database, or as opening one can.
    pub fn open<E: From<Error> + Send>(
        home: impl Into<Home>,
        options: Options,
        witness: Box<dyn Witness>,
        books: impl FnOnce(&View<'_>, usize) -> Result<Books, E> + Send,
    ) -> Result<Store, E> {
        let home = home.into();
        if !home.has_database()? {
            return Err(Error::Empty.into());
        }
        let witness = Arc::new(Mutex::new(witness));
        match home {
            Home::Folder(folder) => {
                let database = folder.database();
                let connection = sqlite::connect(folder.disk, &database, options.cache_kib, Use::Write)?;
                let books = books(&View::new(&Sqlite::new(&connection)), 1)?;
                Ok(Store::start_in_folder(folder, options, connection, witness, books)?)
            }
            Home::Server(server) => {
                let books = server.look(|view| books(view, WRITERS))?;
                Ok(Store::start_on_server(server, options, &witness, books)?)
            }
        }
    }

    fn start_in_folder(
        folder: Folder,
        options: Options,
        mut connection: rusqlite::Connection,
        witness: SharedWitness,
        books: Books,
    ) -> Result<Store, Error> {
        let book = books.into_iter().next().ok_or(Error::Closed)?;
        let database = folder.database();
        let queue = Arc::new(Queue::new(options.limits));
        let checkpoints = Arc::new(Checkpoints::new());
        checkpoints.watch(&mut connection)?;
        let stats = Arc::new(Stats::default());
        let writer = Writer {
            queue: Arc::clone(&queue),
            stats: Arc::clone(&stats),
            checkpoints: Some(Arc::clone(&checkpoints)),
            book,
            witness,
            unlisted: Vec::new(),
        };
        let writer = thread("writer").spawn(move || {
            writer.run(&Sqlite::new(&connection));
            let _ = connection.close();
        })?;
        let (beside, waiting, file) = (Arc::clone(&checkpoints), Arc::clone(&queue), database.clone());
        let disk = folder.disk;
        let beside = thread("checkpoints").spawn(move || beside.run(disk, &file, &waiting))?;
        let readers = Readers::start(&Source::File(disk, database, 4_096))?;
        let threads = Mutex::new(Some(Threads { writers: vec![writer], checkpoints: Some(beside) }));
        let (queues, checkpoints) = (vec![queue], Some(checkpoints));
        Ok(Store { home: Home::Folder(folder), queues, readers, checkpoints, stats, threads })
    }

    fn start_on_server(
        server: Server,
        options: Options,
        witness: &SharedWitness,
        books: Books,
    ) -> Result<Store, Error> {
        let stats = Arc::new(Stats::default());
        let (mut queues, mut writers) = (Vec::new(), Vec::new());
        // A commit costs a server more than a few low chunks in it.
        let limits = Limits { stalls: Some(STALLS), low_turn: 1, low_along: 4, ..options.limits };
        for book in books {
            let queue = Arc::new(Queue::new(limits));
            let writer = Writer {
                queue: Arc::clone(&queue),
                stats: Arc::clone(&stats),
                checkpoints: None,
                book,
                witness: Arc::clone(witness),
                unlisted: Vec::new(),
            };
            let session = Postgres::to_write(&server)?;
            writers.push(thread("writer").spawn(move || writer.run(&session))?);
            queues.push(queue);
        }
        let readers = Readers::start(&Source::Server(server.clone()))?;
        let threads = Mutex::new(Some(Threads { writers, checkpoints: None }));
        Ok(Store { home: Home::Server(server), queues, readers, checkpoints: None, stats, threads })
    }

    /// Runs a unit of work in the writer and answers after its commit.
    ///
    /// Takes: the number of the shop whose rows it changes, 0 for the house's own; a closure that may be run more than once and
    /// must then do the same. Gives what it gave, with the numbers of its leaves. Fails: as the closure does, and then nothing
    /// is left behind; or as the store does.
    pub fn work<T, E, F>(
        &self,
        shop: i64,
        lane: Lane,
        act: F,
    ) -> impl Future<Output = Result<Committed<T>, E>> + Send + use<T, E, F>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.work_foreseen(shop, lane, Vec::new(), act)
    }

    /// The same for work of which is known what it is going to ask: a server is asked for that together with what others of the
    /// same batch ask. It changes no answer.
    pub fn work_foreseen<T, E, F>(
        &self,
        shop: i64,
        lane: Lane,
        asks: Vec<Ask>,
        act: F,
    ) -> impl Future<Output = Result<Committed<T>, E>> + Send + use<T, E, F>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let answer = self.submit(shop, lane, asks, act);
        async move {
            match answer?.await {
                Ok(done) => done.into_outcome(),
                Err(_) => Err(E::from(Error::Closed)),
            }
        }
    }

    /// The same, waiting on this thread.
    pub fn work_blocking<T, E, F>(&self, shop: i64, lane: Lane, act: F) -> Result<Committed<T>, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match wait(self.submit(shop, lane, Vec::new(), act)?) {
            Ok(done) => done.into_outcome(),
            Err(_) => Err(E::from(Error::Closed)),
        }
    }

    fn submit<T, E, F>(&self, shop: i64, lane: Lane, asks: Vec<Ask>, act: F) -> Result<Answer<T, E, F>, Error>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (unit, answer) = Unit::new(shop, asks, act);
        self.queue_of(shop)?.submit(lane, unit)?;
        Ok(answer)
    }

    /// Where a shop's writer takes its work from.
    fn queue_of(&self, shop: i64) -> Result<&Queue, Error> {
        let writers = i64::try_from(self.queues.len()).unwrap_or(1).max(1);
        let place = usize::try_from(shop.rem_euclid(writers)).unwrap_or(0);
        self.queues.get(place).map(Arc::as_ref).ok_or(Error::Closed)
    }

    /// Reads beside the writer, in one consistent state of what has been committed.
    pub fn look<T, E, F>(&self, read: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&View<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let answer = self.readers.submit(read);
        async move { answer?.await.unwrap_or_else(|_| Err(E::from(Error::Closed))) }
    }

    /// The same, waiting on this thread.
    pub fn look_blocking<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: FnOnce(&View<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        wait(self.readers.submit(read)?).unwrap_or_else(|_| Err(E::from(Error::Closed)))
    }

    /// Copies the database as it stands now into a new file, while work goes on; from a server as well. Blocks.
    ///
    /// Takes: the file; the schema that it is to have, which is the database's. Fails: `SR-STORE-017` when there is a file.
    pub fn copy_to(
        &self,
        file: &Path,
        steps: &[Migration],
        progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Error> {
        match &self.home {
            Home::Folder(folder) => {
                let connection = sqlite::connect(folder.disk, &folder.database(), 2_048, Use::Read)?;
                connection.execute_batch("BEGIN")?;
                crate::backup::copy(folder.disk, &connection, file, progress)
            }
            Home::Server(server) => server.pour_into(file, steps, progress),
        }
    }

    /// Reads all of the database, also what no read ever comes to, and gives where it is damaged or cannot be read, a thousand
    /// places at the most. Blocks.
    ///
    /// Of a server every row is read, and every index: it holds a page against its checksum when it comes from the disk. A page that
    /// it has in memory it does not read again. Fails: `SR-STORE-006` when each page is what was written and yet they do not fit
    /// together; or as reading does.
    pub fn damage(&self) -> Result<Vec<Damage>, Error> {
        match &self.home {
            Home::Folder(folder) => Ok(damaged_pages(folder)?.into_iter().map(Damage::Page).collect()),
            Home::Server(server) => server.damage(),
        }
    }

    /// What the writer has done.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Units of work that wait.
    pub fn waiting(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiting()).sum()
    }

    /// Does a server's database not answer now, or has it let a writer wait for too long?
    pub fn is_away(&self) -> bool {
        self.stats.unreachable.load(Ordering::Relaxed) || self.queues.iter().any(|queue| queue.is_stalled())
    }

    /// Does the WAL still hold pages of a key that died?
    pub fn key_in_wal(&self) -> bool {
        self.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.key_in_wal.load(Ordering::Relaxed))
    }

    /// For how long the WAL has held pages of a key that died; zero when it holds none.
    pub fn key_in_wal_for(&self) -> Duration {
        let checkpoints = self.checkpoints.as_ref();
        checkpoints.map_or(Duration::ZERO, |checkpoints| checkpoints.key_in_wal_for())
    }

    /// Destroyed keys that are not yet named outside the database, because that could not be written.
    pub fn keys_unlisted(&self) -> u64 {
        self.stats.keys_unlisted.load(Ordering::Relaxed)
    }

    /// Times that the WAL was cut after a key had died.
    pub fn truncations(&self) -> u64 {
        self.checkpoints.as_ref().map_or(0, |checkpoints| checkpoints.truncations.load(Ordering::Relaxed))
    }

    /// Are there, or may there be, other processes on the same rows?
    pub fn is_shared(&self) -> bool {
        matches!(self.home, Home::Server(_))
    }

    /// Where the rows are.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Does what has been accepted, refuses the rest, folds the WAL into the database and ends the threads. Blocks.
    pub fn close(&self) {
        self.readers.close();
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.close();
        }
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Threads { writers, checkpoints }) = threads else { return };
        // ORDER: while another connection moves the WAL, or closes, the writer could not fold it into the database.
        if let Some(checkpoints) = checkpoints {
            let _ = checkpoints.join();
        }
        for queue in &self.queues {
            queue.close();
        }
        for writer in writers {
            let _ = writer.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

/// Reads every page, also those that no read ever comes to.
fn damaged_pages(folder: &Folder) -> Result<Vec<u64>, Error> {
    let connection = sqlite::connect(folder.disk, &folder.database(), 2_048, Use::Read)?;
    // ORDER: before the check, which says in words of its own that it could not read a page, and not which.
    vfs::forget_damage();
    // What stands in use is read by the engine first: it finds its pages in the WAL as well.
    let verdict = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    let (fits, page) = match verdict.map_err(Error::from) {
        Ok(verdict) => (verdict == "ok", vfs::last_damage().map(|damage| damage.page)),
        Err(Error::DamagedPage { page }) => (false, Some(page)),
        Err(error) => return Err(error),
    };
    let mut damaged = vfs::damaged_pages(&connection)?.damaged;
    damaged.extend(page);
    damaged.sort_unstable();
    damaged.dedup();
    if damaged.is_empty() && !fits { Err(Error::Damaged { engine_code: 0 }) } else { Ok(damaged) }
}

/// Where a database is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// A page of its file, from 1; 0 when it is not known which.
    Page(u64),
    /// A table of a server's database: some of its rows cannot be read.
    Table(String),
    /// An index there: some of its pages cannot be read.
    Index {
        /// Its name.
        index: String,
        /// The table's.
        table: String,
    },
    /// An index there that can be read, and does not lead to every row of its table, or is out of order.
    Astray {
        /// Its name.
        index: String,
        /// The table's.
        table: String,
    },
}

/// Waits on this thread, whatever thread it is. (Tokio's own way panics on a thread of its runtime, where the end of a house
/// can come to pass.)
fn wait<T>(mut answer: oneshot::Receiver<T>) -> Result<T, oneshot::error::RecvError> {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match Pin::new(&mut answer).poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn thread(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(format!("store-{name}"))
}
