//! The handle that the house holds: opens the folder, takes work, answers reads, closes.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use vfs::Disk;

use crate::backup::Progress;
use crate::checkpointer::Checkpoints;
use crate::engine::{self, Sqlite, Use};
use crate::error::Error;
use crate::log::{LogBook, Witness};
use crate::migrate::{self, Migrated, Migration};
use crate::queue::{Answer, Committed, Lane, Limits, Queue, Unit};
use crate::reader::Readers;
use crate::tx::{Tx, View};
use crate::writer::{Stats, Writer};

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
        Folder::own_on(engine::disk()?, path)
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
        migrate::schema_of(&engine::connect(self.disk, &self.database(), 1_024, Use::Write)?)
    }

    /// Creates the database, or brings an older one up to the last of `steps`, after a copy.
    ///
    /// Fails: `SR-STORE-002` when the database is newer; then nothing was touched.
    pub fn migrate(&self, steps: &[Migration]) -> Result<Migrated, Error> {
        let mut connection = engine::connect(self.disk, &self.database(), 8_192, Use::Write)?;
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

/// An open store. Dropping it without [`Store::close`] leaves its threads to end by themselves.
pub struct Store {
    folder: Folder,
    pub(crate) queue: Arc<Queue>,
    readers: Readers,
    checkpoints: Arc<Checkpoints>,
    stats: Arc<Stats>,
    threads: Mutex<Option<Threads>>,
}

/// The threads of an open store.
struct Threads {
    writer: JoinHandle<()>,
    checkpoints: JoinHandle<()>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.folder.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database of a folder whose schema is current.
    ///
    /// Takes: the folder; who is told of destroyed keys; and a closure that reads what it needs and gives who turns
    /// leaves into hashes. Both of them live on the writer's thread. Fails: as the closure does, with `SR-STORE-018`
    /// when there is no database, or as opening a file can.
    pub fn open<E: From<Error>>(
        folder: Folder,
        options: Options,
        witness: Box<dyn Witness>,
        book: impl FnOnce(&View<'_>) -> Result<Box<dyn LogBook>, E>,
    ) -> Result<Store, E> {
        if !folder.has_database() {
            return Err(Error::Empty.into());
        }
        let database = folder.database();
        let connection = engine::connect(folder.disk, &database, options.cache_kib, Use::Write)?;
        let book = book(&View::new(&Sqlite::new(&connection)))?;
        Ok(Store::start(folder, options, connection, witness, book)?)
    }

    fn start(
        folder: Folder,
        options: Options,
        mut connection: rusqlite::Connection,
        witness: Box<dyn Witness>,
        book: Box<dyn LogBook>,
    ) -> Result<Store, Error> {
        let database = folder.database();
        let queue = Arc::new(Queue::new(options.limits));
        let checkpoints = Arc::new(Checkpoints::new());
        checkpoints.watch(&mut connection)?;
        let stats = Arc::new(Stats::default());
        let writer = Writer {
            queue: Arc::clone(&queue),
            stats: Arc::clone(&stats),
            checkpoints: Arc::clone(&checkpoints),
            book,
            witness,
            unlisted: Vec::new(),
        };
        let writer = thread("writer").spawn(move || writer.run(connection))?;
        let (beside, waiting, file) = (Arc::clone(&checkpoints), Arc::clone(&queue), database.clone());
        let disk = folder.disk;
        let beside = thread("checkpoints").spawn(move || beside.run(disk, &file, &waiting))?;
        let readers = Readers::start(disk, &database, 4_096)?;
        let threads = Mutex::new(Some(Threads { writer, checkpoints: beside }));
        Ok(Store { folder, queue, readers, checkpoints, stats, threads })
    }

    /// Runs a unit of work in the writer and answers after its commit.
    ///
    /// Takes: a closure that may be run more than once and must then do the same. Gives what it gave, with the numbers
    /// of its leaves. Fails: as the closure does, and then nothing is left behind; or as the store does.
    pub fn work<T, E, F>(
        &self,
        lane: Lane,
        act: F,
    ) -> impl Future<Output = Result<Committed<T>, E>> + Send + use<T, E, F>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let answer = self.submit(lane, act);
        async move {
            match answer?.await {
                Ok(done) => done.into_outcome(),
                Err(_) => Err(E::from(Error::Closed)),
            }
        }
    }

    /// The same, waiting on this thread.
    pub fn work_blocking<T, E, F>(&self, lane: Lane, act: F) -> Result<Committed<T>, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match wait(self.submit(lane, act)?) {
            Ok(done) => done.into_outcome(),
            Err(_) => Err(E::from(Error::Closed)),
        }
    }

    fn submit<T, E, F>(&self, lane: Lane, act: F) -> Result<Answer<T, E, F>, Error>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (unit, answer) = Unit::new(act);
        self.queue.submit(lane, unit)?;
        Ok(answer)
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

    /// Copies the database as it stands now into a new file, while work goes on. Blocks.
    pub fn copy_to(&self, file: &Path, progress: impl FnMut(Progress)) -> Result<(), Error> {
        let connection = engine::connect(self.folder.disk, &self.folder.database(), 2_048, Use::Read)?;
        connection.execute_batch("BEGIN")?;
        crate::backup::copy(self.folder.disk, &connection, file, progress)
    }

    /// Reads every page of the database, also those that no read ever comes to, and gives the numbers of those that are
    /// damaged or cannot be read, a thousand at the most. Blocks.
    ///
    /// Fails: `SR-STORE-006` when each page is what was written and yet they do not fit together; or as reading does.
    pub fn damaged_pages(&self) -> Result<Vec<u64>, Error> {
        let connection = engine::connect(self.folder.disk, &self.folder.database(), 2_048, Use::Read)?;
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

    /// What the writer has done.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Units of work that wait.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Does the WAL still hold pages of a key that died?
    pub fn key_in_wal(&self) -> bool {
        self.checkpoints.key_in_wal.load(Ordering::Relaxed)
    }

    /// For how long the WAL has held pages of a key that died; zero when it holds none.
    pub fn key_in_wal_for(&self) -> std::time::Duration {
        self.checkpoints.key_in_wal_for()
    }

    /// Destroyed keys that are not yet named outside the database, because that could not be written.
    pub fn keys_unlisted(&self) -> u64 {
        self.stats.keys_unlisted.load(Ordering::Relaxed)
    }

    /// Times that the WAL was cut after a key had died.
    pub fn truncations(&self) -> u64 {
        self.checkpoints.truncations.load(Ordering::Relaxed)
    }

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Does what has been accepted, refuses the rest, folds the WAL into the database and ends the threads. Blocks.
    pub fn close(&self) {
        self.readers.close();
        self.checkpoints.close();
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Threads { writer, checkpoints }) = threads else { return };
        // ORDER: while another connection moves the WAL, or closes, the writer could not fold it into the database.
        let _ = checkpoints.join();
        self.queue.close();
        let _ = writer.join();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
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
