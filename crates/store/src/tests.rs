//! What the store promises, stated and tried.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::{
    Appended, Ask, Error, Folder, FullTile, Job, Lane, Limits, LogBook, Migration, Options, STORE, Step,
    Store, Turns, Tx, Unpack, View, Waiting, Witness, WorkersTime, params,
};

crate::statements! {
    ADD_ROW = "INSERT INTO row (id, body) VALUES ($1, $2)";
    COUNT_ROWS = "SELECT count(*) FROM row";
    ALL_ROWS = "SELECT id FROM row ORDER BY id";
    WIPE_ROW = "UPDATE row SET body = $1 WHERE id = $2";
    ADD_FREE = "INSERT INTO row (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    FIND_ROW = "SELECT body FROM row WHERE id = $1", rests on ["row"];
    OUT_OF_ORDER = "SELECT body FROM row WHERE id = $2 AND body = $1";
}

pub(crate) const ROWS: Migration = Migration {
    number: 2,
    name: "0002_test_rows",
    sql: "CREATE TABLE row (id {id}, body {bytes} NOT NULL) {rows};",
};

/// A book that counts, makes a tile of every 256 leaves, and has a root that is its size.
#[derive(Default)]
pub(crate) struct Counting {
    kept: u64,
    now: u64,
}

impl Counting {
    /// A book that goes on from a log of this size.
    pub(crate) fn at(size: u64) -> Counting {
        Counting { kept: size, now: size }
    }
}

impl LogBook for Counting {
    fn size(&self, _log: i64) -> u64 {
        self.kept
    }

    fn append(&mut self, _log: i64, leaves: &[&[u8]]) -> Result<Appended, Error> {
        let first = self.now;
        self.now += leaves.len() as u64;
        let tiles = (first / 256..self.now / 256)
            .map(|index| FullTile { level: 0, index, bytes: vec![1; 8_192] })
            .collect();
        let mut root = [0; 32];
        root[..8].copy_from_slice(&self.now.to_be_bytes());
        Ok(Appended { first, size: self.now, root, tiles })
    }

    fn keep(&mut self) {
        self.kept = self.now;
    }

    fn discard(&mut self) {
        self.now = self.kept;
    }

    fn catch_up(&mut self, view: &View<'_>, _shop: i64) -> Result<(), Error> {
        self.kept = view.log_head(1)?.map_or(0, |head| head.size);
        self.now = self.kept;
        Ok(())
    }
}

#[derive(Default, Clone)]
pub(crate) struct Named(Arc<Mutex<Vec<[u8; 16]>>>, Arc<std::sync::atomic::AtomicBool>);

impl Witness for Named {
    fn destroyed(&mut self, key_ids: &[[u8; 16]]) -> Result<(), Error> {
        if self.1.load(Ordering::SeqCst) {
            return Err(Error::NotWitnessed);
        }
        self.0.lock().unwrap().extend_from_slice(key_ids);
        Ok(())
    }
}

/// A database opened past the store.
fn behind_the_back(file: impl AsRef<Path>) -> rusqlite::Result<rusqlite::Connection> {
    let disk = vfs::Disk::checked().unwrap();
    rusqlite::Connection::open_with_flags_and_vfs(file, rusqlite::OpenFlags::default(), disk.name())
}

struct Bench {
    store: Store,
    named: Named,
    folder: tempfile::TempDir,
    _database: Option<testbed::Database>,
}

/// A store: in a folder, or on a server when the run is for one.
fn bench() -> Bench {
    bench_with(Options::default())
}

fn bench_with(options: Options) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let named = Named::default();
    let (store, database) = match server() {
        Some((database, server)) => (open_on(server, options, named.clone()), Some(database)),
        None => (open(folder.path(), options, named.clone()), None),
    };
    Bench { store, named, folder, _database: database }
}

/// A store in a folder, for what is so in a folder only. Nothing, when the run is for a server.
fn bench_in_folder(options: Options) -> Option<Bench> {
    let folder = tempfile::tempdir().unwrap();
    let named = Named::default();
    let store = open(folder.path(), options, named.clone());
    Some(Bench { store, named, folder, _database: None }).filter(|_| !on_a_server())
}

fn open(path: &Path, options: Options, named: Named) -> Store {
    let owned = Folder::own(path).unwrap();
    owned.migrate(&[STORE, ROWS]).unwrap();
    open_on(owned, options, named)
}

fn open_on(home: impl Into<crate::Home>, options: Options, named: Named) -> Store {
    let books = |_: &View<'_>, writers| {
        Ok((0..writers).map(|_| Box::new(Counting::default()) as Box<dyn LogBook>).collect())
    };
    Store::open::<Error>(home, options, Box::new(named), books).unwrap()
}

fn add(id: i64) -> impl FnMut(&mut Tx<'_>) -> Result<i64, Error> + Send + 'static {
    move |tx| {
        tx.change(&ADD_ROW, params![id, &id.to_be_bytes()])?;
        tx.append(1, id.to_be_bytes().to_vec());
        Ok(id)
    }
}

async fn rows(store: &Store) -> i64 {
    store.look(|view| view.find(&COUNT_ROWS, &[], |row| row.int(0)).map(Option::unwrap)).await.unwrap()
}

fn count(store: &Store) -> i64 {
    store.look_blocking(|view| view.find(&COUNT_ROWS, &[], |row| row.int(0)).map(Option::unwrap)).unwrap()
}

#[test]
fn an_answer_comes_after_the_commit_and_with_its_leaf_number() {
    let bench = bench();
    let first = bench.store.work_blocking(1, Lane::High, add(10)).unwrap();
    let second = bench.store.work_blocking(1, Lane::High, add(11)).unwrap();

    assert_eq!((first.numbers(), second.numbers()), (&[0][..], &[1][..]));
    assert_eq!(count(&bench.store), 2);
    let (head, leaf) = bench
        .store
        .look_blocking(|view| Ok::<_, Error>((view.log_head(1)?.unwrap(), view.leaf(1, 1)?.unwrap())))
        .unwrap();
    assert_eq!((head.size, leaf), (2, 11_i64.to_be_bytes().to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_arrives_together_is_committed_together() {
    let bench = bench();
    let work: Vec<_> = (0..1_000).map(|id| bench.store.work(1, Lane::High, add(id))).collect();
    for unit in work {
        unit.await.unwrap();
    }
    let commits = bench.store.stats().commits.load(Ordering::Relaxed);
    assert!(commits < 500, "{commits} commits for 1000 units");
    assert_eq!(rows(&bench.store).await, 1_000);
}

/// The body of a row, asked for twice.
fn body(tx: &Tx<'_>, id: i64) -> Result<Option<Vec<u8>>, Error> {
    let find = || tx.find(&FIND_ROW, params![id], |row| Ok(row.bytes(0)?.to_vec()));
    let (first, again) = (find()?, find()?);
    assert_eq!(first, again);
    Ok(again)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_asked_for_again_is_as_the_transaction_has_left_it() {
    let bench = bench();
    let hold = hold_the_writer(&bench.store);
    // They run in one transaction, and then again, for one of them fails after it has changed the row.
    let first = bench.store.work(1, Lane::High, |tx: &mut Tx<'_>| {
        assert_eq!(body(tx, 7)?, None);
        add(7)(tx)?;
        assert_eq!(body(tx, 7)?, Some(7_i64.to_be_bytes().to_vec()));
        tx.change(&WIPE_ROW, params![&[1_u8], 7])?;
        assert_eq!(body(tx, 7)?, Some(vec![1]));
        Ok::<_, Error>(())
    });
    let failing = bench.store.work(1, Lane::High, |tx: &mut Tx<'_>| {
        tx.change(&WIPE_ROW, params![&[2_u8], 7])?;
        assert_eq!(body(tx, 7)?, Some(vec![2]));
        Err::<(), Error>(Error::Busy)
    });
    let last = bench.store.work(1, Lane::High, |tx: &mut Tx<'_>| {
        assert_eq!((body(tx, 7)?, body(tx, 8)?), (Some(vec![1]), None));
        tx.append(1, b"read".to_vec());
        Ok::<_, Error>(())
    });
    drop(hold);
    first.await.unwrap();
    assert_eq!(failing.await.unwrap_err(), Error::Busy);
    last.await.unwrap();
    // What another transaction left is asked for anew.
    bench
        .store
        .work_blocking(1, Lane::High, |tx: &mut Tx<'_>| {
            assert_eq!(body(tx, 7)?, Some(vec![1]));
            tx.append(1, b"read again".to_vec());
            Ok::<_, Error>(())
        })
        .unwrap();
}

/// Adds a row if its key is free, and enters whether it was.
fn add_free(id: i64, body: u8) -> impl FnMut(&mut Tx<'_>) -> Result<bool, Error> + Send + 'static {
    move |tx| {
        let added = tx.add(&ADD_FREE, params![id, &[body]], &FIND_ROW, params![id])?;
        tx.append(1, vec![body]);
        Ok(added)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_added_twice_belongs_to_who_came_first_whoever_foresaw_what() {
    let bench = bench();
    let asks = |ids: &[i64]| ids.iter().map(|id| Ask::new(&FIND_ROW, params![*id])).collect::<Vec<Ask>>();
    bench.store.work_blocking(1, Lane::High, add_free(1, 1)).unwrap();
    let hold = hold_the_writer(&bench.store);
    let work = |id, body, asks| bench.store.work_foreseen(1, Lane::High, asks, add_free(id, body));
    let there = work(1, 2, asks(&[1, 1, 9]));
    let first = work(2, 3, asks(&[2]));
    let second = work(2, 4, asks(&[2]));
    let unforeseen = work(2, 5, Vec::new());
    let others: Vec<_> = (10..60).map(|id| work(id, 6, asks(&[id]))).collect();
    let reads = bench.store.work_foreseen(1, Lane::High, asks(&[2, 10, 99]), |tx: &mut Tx<'_>| {
        let read = (body(tx, 2)?, body(tx, 10)?, body(tx, 99)?);
        tx.change(&WIPE_ROW, params![&[7_u8], 10])?;
        tx.append(1, Vec::new());
        Ok::<_, Error>((read, body(tx, 10)?))
    });
    drop(hold);
    assert!(!there.await.unwrap().into_value());
    assert!(first.await.unwrap().into_value());
    assert!(!second.await.unwrap().into_value());
    assert!(!unforeseen.await.unwrap().into_value());
    for other in others {
        assert!(other.await.unwrap().into_value());
    }
    let (read, changed) = reads.await.unwrap().into_value();
    assert_eq!((read, changed), ((Some(vec![3]), Some(vec![6]), None), Some(vec![7])));
    let rows = bench.store.look_blocking(|view| view.list(&ALL_ROWS, &[], |row| row.int(0))).unwrap();
    assert_eq!(rows, [1, 2].into_iter().chain(10..60).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_fails_behind_what_it_added_leaves_nothing_and_takes_nobody_down() {
    let bench = bench();
    let hold = hold_the_writer(&bench.store);
    let before = bench.store.work(1, Lane::High, add_free(1, 1));
    let failing = bench.store.work(1, Lane::High, |tx: &mut Tx<'_>| {
        assert!(add_free(2, 2)(tx)?);
        Err::<(), Error>(Error::Busy)
    });
    let behind = bench.store.work(1, Lane::High, add_free(2, 3));
    drop(hold);
    assert!(before.await.unwrap().into_value());
    assert_eq!(failing.await.unwrap_err(), Error::Busy);
    assert!(behind.await.unwrap().into_value());
    let read =
        bench.store.look_blocking(|view| view.find(&FIND_ROW, params![2], |row| Ok(row.bytes(0)?.to_vec())));
    assert_eq!(read.unwrap(), Some(vec![3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_after_writing_takes_nobody_down() {
    let bench = bench();
    let runs = Arc::new(AtomicUsize::new(0));
    let hold = hold_the_writer(&bench.store);
    let before = bench.store.work(1, Lane::High, add(1));
    let expecting = bench.store.work(1, Lane::High, |tx: &mut Tx<'_>| {
        tx.append(1, b"one".to_vec());
        let expected = tx.next_number(1);
        tx.append(1, b"two".to_vec());
        Ok::<_, Error>(expected)
    });
    let fails = bench.store.work(1, Lane::High, |tx: &mut Tx<'_>| {
        tx.change(&ADD_ROW, params![2, &[0_u8]])?;
        tx.append(1, b"never".to_vec());
        Err::<(), Error>(Error::Busy)
    });
    let counted = Arc::clone(&runs);
    let after = bench.store.work(1, Lane::High, move |tx: &mut Tx<'_>| {
        counted.fetch_add(1, Ordering::SeqCst);
        add(3)(tx)
    });
    drop(hold);

    assert_eq!(before.await.unwrap().numbers(), [0]);
    let expecting = expecting.await.unwrap();
    assert_eq!(
        (expecting.numbers(), *expecting.value()),
        (&[1, 2][..], 2),
        "a number foretold is the number given"
    );
    assert_eq!(fails.await.unwrap_err(), Error::Busy);
    assert_eq!(
        after.await.unwrap().numbers(),
        [3],
        "leaves are numbered as if the failed one had never been"
    );
    assert_eq!(rows(&bench.store).await, 2);
    assert_eq!(bench.store.stats().reruns.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_before_writing_costs_the_others_nothing() {
    let bench = bench();
    let hold = hold_the_writer(&bench.store);
    let fails = bench.store.work(1, Lane::High, |_: &mut Tx<'_>| Err::<(), Error>(Error::Busy));
    let kept = bench.store.work(1, Lane::High, add(1));
    drop(hold);

    assert!(fails.await.is_err());
    assert!(kept.await.is_ok());
    assert_eq!(bench.store.stats().reruns.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_fails_its_caller_only() {
    let bench = bench();
    let hold = hold_the_writer(&bench.store);
    let panics = bench.store.work(1, Lane::High, |tx: &mut Tx<'_>| -> Result<(), Error> {
        tx.change(&ADD_ROW, params![7, &[0_u8]])?;
        panic!("on purpose")
    });
    let kept = bench.store.work(1, Lane::High, add(8));
    drop(hold);

    assert_eq!(panics.await.unwrap_err(), Error::Panicked);
    assert_eq!(kept.await.unwrap().value(), &8);
    assert_eq!(rows(&bench.store).await, 1);
}

#[test]
fn a_change_that_enters_nothing_is_refused_and_undone() {
    let bench = bench();
    let silent =
        bench.store.work_blocking(1, Lane::High, |tx: &mut Tx<'_>| tx.change(&ADD_ROW, params![1, &[0_u8]]));
    assert_eq!(silent.unwrap_err(), Error::ChangeWithoutEntry);
    assert_eq!(count(&bench.store), 0);
}

#[test]
fn a_statement_that_breaks_a_constraint_is_refused_without_its_values() {
    let bench = bench();
    bench.store.work_blocking(1, Lane::High, add(1)).unwrap();
    let error = bench.store.work_blocking(1, Lane::High, add(1)).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }));
    let code = if on_a_server() { "23505" } else { "1555" };
    assert_eq!(error.to_string(), format!("a statement was refused (engine code {code})"));
}

#[test]
fn parameters_must_stand_in_order() {
    let Some(bench) = bench_in_folder(Options::default()) else { return };
    let out_of_order =
        bench.store.look_blocking(|view| view.find(&OUT_OF_ORDER, params![1, 2], |row| row.int(0)));
    assert_eq!(out_of_order.unwrap_err(), Error::Refused { engine_code: 0 });
}

#[test]
fn every_statement_of_the_store_can_be_prepared() {
    let all: Vec<_> = crate::log::ALL.iter().chain(crate::jobs::ALL).chain(&ALL[..2]).copied().collect();
    assert!(all.len() > 20);
    for (name, sql) in all.iter().filter(|(_, sql)| !sql.rests_on().is_empty()) {
        assert!(sql.says_what_it_rests_on(), "{name}");
    }
    let of_two = |tables| crate::Sql::new("SELECT a FROM b JOIN (SELECT c FROM d)").resting_on(tables);
    let told = [&["b", "d"][..], &["b"], &["d"], &[]].map(|tables| of_two(tables).says_what_it_rests_on());
    assert_eq!(told, [true, false, false, false]);
    if let Some((_database, server)) = server() {
        assert_eq!(server.cannot_prepare(&all).unwrap(), [""; 0], "also for many");
    }
    let Some(bench) = bench_in_folder(Options::default()) else { return };
    let connection = behind_the_back(bench.folder.path().join(crate::DATABASE)).unwrap();
    for (name, sql) in all {
        connection.prepare(sql.text()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn leaves_are_packed_in_rows_that_never_cross_a_tile() {
    let bench = bench();
    for round in 0..5_u8 {
        bench
            .store
            .work_blocking(1, Lane::High, move |tx: &mut Tx<'_>| {
                for n in 0..100_u8 {
                    tx.append(1, vec![round, n]);
                }
                Ok::<_, Error>(())
            })
            .unwrap();
    }
    let (bundle, rest, tile, leaf) = bench
        .store
        .look_blocking(|view| {
            Ok::<_, Error>((
                view.leaves_packed(1, 0, 256)?,
                view.leaves_packed(1, 256, 500)?,
                view.tile(1, 0, 0)?,
                view.leaf(1, 499)?,
            ))
        })
        .unwrap();
    assert_eq!(Unpack(&bundle).count(), 256);
    assert_eq!(Unpack(&rest).last().unwrap(), [4, 99]);
    assert_eq!((tile.unwrap().len(), leaf.unwrap()), (8_192, vec![4, 99]));
    let past = bench.store.look_blocking(|view| view.leaf(1, 500)).unwrap();
    assert_eq!(past, None);
}

#[test]
fn a_missing_run_of_leaves_is_named() {
    let Some(bench) = bench_in_folder(Options::default()) else { return };
    for id in 0..3 {
        bench.store.work_blocking(1, Lane::High, add(id)).unwrap();
    }
    bench.store.close();
    let connection = behind_the_back(bench.folder.path().join(crate::DATABASE)).unwrap();
    connection.execute("DELETE FROM leaf WHERE id = ?1", [(1_i64 << 40) | 1]).unwrap();
    drop(connection);
    let Bench { store, folder, .. } = bench;
    drop(store);
    let again = open(folder.path(), Options::default(), Named::default());
    let found = again.look_blocking(|view| view.leaves_packed(1, 0, 3));
    assert_eq!(found.unwrap_err(), Error::BrokenLog { log: 1, leaf: 1 });
}

#[test]
fn a_key_that_dies_is_named_outside_before_the_answer_and_leaves_the_wal() {
    let Some(bench) = bench_in_folder(Options::default()) else { return };
    bench.store.work_blocking(1, Lane::High, add(1)).unwrap();
    let secret = [0xA5_u8; 64];
    bench
        .store
        .work_blocking(1, Lane::High, move |tx: &mut Tx<'_>| {
            tx.append(1, b"written".to_vec());
            tx.change(&WIPE_ROW, params![&secret, 1])
        })
        .unwrap();
    assert!(contains(&bench.folder.path().join("strongroom.db-wal"), &secret));
    bench
        .store
        .work_blocking(1, Lane::High, |tx: &mut Tx<'_>| {
            tx.append(1, b"destroyed".to_vec());
            tx.destroyed([7; 16]);
            tx.change(&WIPE_ROW, params![&[0_u8; 1], 1])
        })
        .unwrap();

    assert_eq!(*bench.named.0.lock().unwrap(), [[7; 16]]);
    wait_until(|| bench.store.truncations() == 1);
    for file in ["strongroom.db", "strongroom.db-wal"] {
        assert!(!contains(&bench.folder.path().join(file), &secret), "{file} still holds the key");
    }
    assert!(!bench.store.key_in_wal());
}

#[test]
fn a_caller_is_not_told_done_when_the_list_of_destroyed_keys_could_not_be_written() {
    let bench = bench();
    bench.named.1.store(true, Ordering::SeqCst);
    let outcome = bench.store.work_blocking(1, Lane::High, |tx: &mut Tx<'_>| {
        tx.append(1, b"destroyed".to_vec());
        tx.destroyed([7; 16]);
        Ok::<_, Error>(())
    });
    assert_eq!(outcome.unwrap_err(), Error::NotWitnessed);
}

#[test]
fn only_one_process_owns_a_folder() {
    let Some(bench) = bench_in_folder(Options::default()) else { return };
    assert_eq!(Folder::own(bench.folder.path()).unwrap_err(), Error::Owned);
}

#[test]
fn a_newer_schema_is_refused_naming_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let owned = Folder::own(folder.path()).unwrap();
    owned.migrate(&[STORE, ROWS]).unwrap();
    let error = owned.migrate(&[STORE]).unwrap_err();
    assert_eq!(error, Error::NewerSchema { found: 2, known: 1 });
    assert_eq!(error.to_string(), "the database has schema 2, this release knows up to 1");
}

#[test]
fn an_older_database_is_copied_before_it_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let owned = Folder::own(folder.path()).unwrap();
    assert_eq!(owned.migrate(&[STORE]).unwrap().copy, None, "an empty folder has nothing to copy");
    let migrated = owned.migrate(&[STORE, ROWS]).unwrap();
    assert_eq!((migrated.from, migrated.to), (1, 2));
    let copy = folder.path().join(migrated.copy.unwrap());
    assert_eq!(crate::inspect(&copy).unwrap(), 1);
    assert_eq!(owned.migrate(&[STORE, ROWS]).unwrap().steps, Vec::<&str>::new());
}

#[test]
fn too_much_waiting_work_is_refused_at_once() {
    let bench =
        bench_with(Options { limits: Limits { high_waiting: 2, ..Limits::default() }, ..Options::default() });
    let hold = hold_the_writer(&bench.store);
    let accepted: Vec<_> = (0..2).map(|id| bench.store.work(1, Lane::High, add(id))).collect();
    assert_eq!(bench.store.work_blocking(1, Lane::High, add(9)).unwrap_err(), Error::Busy);
    drop(hold);
    drop(accepted);
}

#[test]
fn what_was_accepted_is_done_when_the_store_closes() {
    let Some(bench) = bench_in_folder(Options::default()) else { return };
    let hold = hold_the_writer(&bench.store);
    let work: Vec<_> = (0..100).map(|id| bench.store.work(1, Lane::High, add(id))).collect();
    drop(hold);
    bench.store.close();
    drop(work);
    let connection = behind_the_back(bench.folder.path().join(crate::DATABASE)).unwrap();
    let rows: i64 = connection.query_row("SELECT count(*) FROM row", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 100);
    assert_eq!(bench.store.work_blocking(1, Lane::High, add(101)).unwrap_err(), Error::Closed);
}

#[test]
fn a_closed_store_leaves_nothing_in_the_wal_while_checkpoints_run() {
    let Some(bench) = bench_in_folder(Options::default()) else { return };
    let body = vec![7; 1 << 20];
    for id in 0..24 {
        let body = body.clone();
        let write = move |tx: &mut Tx<'_>| {
            tx.change(&ADD_ROW, params![id, &body])?;
            tx.append(1, vec![1]);
            Ok::<_, Error>(())
        };
        bench.store.work_blocking(1, Lane::High, write).unwrap();
    }
    bench.store.close();
    let wal = bench.folder.path().join("strongroom.db-wal");
    assert_eq!(std::fs::metadata(wal).map_or(0, |wal| wal.len()), 0);
}

#[test]
fn the_low_lane_gives_way_and_never_starves() {
    let bench = bench();
    let hold = hold_the_writer(&bench.store);
    let low = bench.store.work(1, Lane::Low, add(-1));
    let high: Vec<_> = (0..2_000).map(|id| bench.store.work(1, Lane::High, add(id))).collect();
    drop(hold);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let low = low.await.unwrap().numbers()[0];
        assert!(low >= 256, "a full batch of the high lane goes first");
        assert!(low < 2_000, "but the low lane is taken along before the high lane is empty");
        for unit in high {
            unit.await.unwrap();
        }
    });
}

#[test]
fn a_copy_is_one_state_of_the_database_while_work_goes_on() {
    let Some(bench) = bench_in_folder(Options::default()) else { return };
    for id in 0..500 {
        bench.store.work_blocking(1, Lane::High, add(id)).unwrap();
    }
    let copy = bench.folder.path().join("copy.db");
    let mut steps = 0;
    bench
        .store
        .copy_to(&copy, &[STORE, ROWS], |_| {
            steps += 1;
            bench.store.work_blocking(1, Lane::High, add(10_000 + steps)).unwrap();
        })
        .unwrap();
    let connection = behind_the_back(&copy).unwrap();
    let rows: i64 = connection.query_row("SELECT count(*) FROM row", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 500);
    assert_eq!(crate::inspect(&copy).unwrap(), 2);
}

#[test]
fn numbers_are_handed_out_once() {
    let bench = bench();
    let take = |count| move |tx: &mut Tx<'_>| tx.take_numbers("subject", count);
    let first = bench.store.work_blocking(1, Lane::High, take(100)).unwrap().into_value();
    let second = bench.store.work_blocking(1, Lane::High, take(5)).unwrap().into_value();
    bench.store.work_blocking(1, Lane::High, |tx: &mut Tx<'_>| tx.raise_numbers("subject", 5_000)).unwrap();
    let third = bench.store.work_blocking(1, Lane::High, take(1)).unwrap().into_value();
    assert_eq!((first, second, third), (1, 101, 5_001));
}

/// A worker with its clock, which is also the time that it believes.
struct Worker<'b> {
    bench: &'b Bench,
    turns: std::cell::RefCell<Turns>,
}

impl Worker<'_> {
    fn of(bench: &Bench) -> Worker<'_> {
        Worker { bench, turns: std::cell::RefCell::default() }
    }

    /// Claims a job for five ticks.
    fn claim(&self, now: i64) -> Option<Job> {
        self.claim_by(WorkersTime { steady: now, believed: now })
    }

    fn claim_by(&self, now: WorkersTime) -> Option<Job> {
        let turns = self.turns.borrow().clone();
        let claimed = self
            .bench
            .store
            .work_blocking(1, Lane::High, move |tx: &mut Tx<'_>| tx.claim_job(&turns, now, now.steady + 5));
        let job = claimed.unwrap().into_value();
        if let Some(job) = &job {
            self.turns.borrow_mut().begun(job);
        }
        job
    }

    fn ask(&self, shop: i64, kind: &'static str, subject: i64, at: i64) {
        self.act(move |tx| tx.add_job(shop, kind, subject, at));
    }

    fn finish(&self, job: &Job) {
        let finished = job.clone();
        if self.act(move |tx| tx.finish_job(&finished)) {
            self.turns.borrow_mut().goes_on(job);
        }
    }

    /// Gets on with a job, and not to its end.
    fn get_on(&self, job: &Job, progress: &'static [u8]) {
        let kept = job.clone();
        self.act(move |tx| tx.keep_progress(&kept, progress, 1_000));
        self.turns.borrow_mut().goes_on(job);
    }

    fn act<T: Send + 'static>(
        &self,
        mut act: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        let done = self.bench.store.work_blocking(1, Lane::High, move |tx: &mut Tx<'_>| {
            tx.housekeeping();
            act(tx)
        });
        done.unwrap().into_value()
    }

    fn waiting(&self, shop: i64, kind: &'static str, subject: i64) -> Option<Waiting> {
        self.bench.store.look_blocking(move |view| view.job(shop, kind, subject)).unwrap()
    }
}

#[test]
fn a_job_is_claimed_once_and_again_when_its_lease_ran_out() {
    let bench = bench();
    let worker = Worker::of(&bench);
    assert_eq!(worker.claim(99), None, "nothing waits");
    worker.ask(1, "clean", 42, 100);
    let claimed = worker.claim(100).unwrap();
    assert_eq!((claimed.kind.as_str(), claimed.subject, claimed.attempts), ("clean", 42, 1));
    assert_eq!(worker.claim(104), None, "leased");
    assert_eq!(worker.claim(105).unwrap().attempts, 2, "the lease ran out");
}

#[test]
fn a_job_asked_for_while_it_runs_runs_again() {
    let bench = bench();
    let worker = Worker::of(&bench);
    worker.ask(1, "reclock", 7, 0);
    let job = worker.claim(1).unwrap();
    worker.ask(1, "reclock", 7, 1);
    worker.finish(&job);
    assert_eq!(worker.claim(2).map(|job| job.attempts), Some(1));
}

#[test]
fn a_job_asked_for_again_while_it_is_half_done_is_done_from_its_beginning() {
    let bench = bench();
    let worker = Worker::of(&bench);
    let waiting = || worker.waiting(1, "lay-out", 0);
    worker.ask(1, "lay-out", 0, 10);
    worker.get_on(&worker.claim(20).unwrap(), b"half");
    worker.ask(1, "lay-out", 0, 30);
    let second_half = worker.claim(40).unwrap();
    assert_eq!((second_half.progress.as_slice(), second_half.begun_at), (&b"half"[..], 20));
    assert_eq!(waiting().unwrap().due_at, 10, "it waits since it was first asked for");
    worker.finish(&second_half);
    let again = waiting().unwrap();
    assert_eq!(
        (again.progress.len(), again.due_at),
        (0, 20),
        "what was asked for at 30 was not asked for before 20"
    );
    worker.finish(&worker.claim(50).unwrap());
    assert_eq!(waiting(), None);
}

#[test]
fn a_long_job_waits_after_each_turn_until_all_others_had_theirs() {
    let bench = bench();
    let worker = Worker::of(&bench);
    worker.ask(1, "lay-out", 0, 10); // has waited longest, and has no end
    for (shop, subject) in [(1, 7), (2, 8), (2, 9)] {
        worker.ask(shop, "reclock", subject, 11);
    }
    worker.ask(3, "lay-out", 0, 12); // another without an end
    let mut turns = Vec::new();
    for _ in 0..9 {
        let job = worker.claim(20).unwrap(); // the clock stands still: turns do not hang on it
        turns.push((job.shop, job.subject));
        if job.kind == "reclock" { worker.finish(&job) } else { worker.get_on(&job, b"more") }
    }
    let first = [(1, 0), (1, 7), (2, 8), (2, 9), (3, 0)];
    assert_eq!(turns, [&first[..], &[(1, 0), (3, 0), (1, 0), (3, 0)]].concat());
}

#[test]
fn a_job_that_is_asked_for_again_and_again_holds_up_no_other() {
    let bench = bench();
    let worker = Worker::of(&bench);
    worker.ask(1, "reclock", 1, 10);
    worker.ask(2, "reclock", 2, 1_000); // by its date long behind the other
    let subjects: Vec<i64> = (0..4)
        .map(|_| {
            let job = worker.claim(2_000).unwrap();
            worker.ask(1, "reclock", 1, 10);
            worker.finish(&job);
            job.subject
        })
        .collect();
    assert_eq!(subjects, [1, 2, 1, 1]);
}

#[test]
fn many_short_jobs_do_not_hold_up_long_ones_and_long_ones_take_turns() {
    let bench = bench();
    let worker = Worker::of(&bench);
    for shop in 1..4 {
        worker.ask(shop, "lay-out", 0, 10);
        worker.get_on(&worker.claim(20).unwrap(), b"more");
    }
    let mut turns = Vec::new();
    for subject in 0..400 {
        worker.ask(9, "reclock", subject, 10);
        worker.ask(9, "reclock", 1_000 + subject, 10); // faster than they are done
        let job = worker.claim(20).unwrap();
        if job.kind == "reclock" {
            worker.finish(&job);
        } else {
            turns.push(job.shop);
            worker.get_on(&job, b"more");
        }
    }
    assert_eq!(turns, [1, 2, 3, 1, 2, 3], "one behind each 64 others");
}

#[test]
fn no_clock_that_was_ahead_puts_a_job_off_or_dates_it_later_than_it_was() {
    let bench = bench();
    let worker = Worker::of(&bench);
    worker.ask(1, "reclock", 7, 1_000_000);
    let ahead = WorkersTime { steady: 10, believed: 900_000 };
    worker.get_on(&worker.claim_by(ahead).unwrap(), b"half");
    assert_eq!(worker.waiting(1, "reclock", 7).unwrap().due_at, 900_000);
    worker.ask(1, "reclock", 7, 25);
    let job = worker.claim(20).expect("it is tried as soon as it can be");
    assert_eq!((job.begun_at, worker.waiting(1, "reclock", 7).unwrap().due_at), (20, 20));
    worker.finish(&job);
    assert_eq!(worker.waiting(1, "reclock", 7).unwrap().due_at, 20, "when it was begun, at the latest");
}

#[test]
fn a_job_that_is_put_off_keeps_since_when_it_waits_and_is_put_off_for_no_longer_than_any_may_be() {
    let bench = bench();
    let worker = Worker::of(&bench);
    let put_off = |until: i64| worker.act(move |tx| tx.put_off_job(1, until));
    worker.ask(1, "reclock", 7, 10);
    assert_eq!(worker.claim(20).unwrap().id, 1);
    put_off(1_000);
    assert_eq!(worker.claim(999), None);
    let first = bench.store.look_blocking(|view| view.first_asked(1, "reclock")).unwrap();
    assert_eq!(first, Some(10));
    assert!(worker.claim(1_001).is_some());
    put_off(1_002 + crate::LONGEST_PAUSE + 2);
    assert!(worker.claim(1_003).is_some(), "by another clock than this one");
}

#[test]
fn nothing_runs_behind_work_that_ends_its_batch_before_what_it_puts_in_force() {
    let bench = bench();
    let in_force = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let hold = hold_the_writer(&bench.store);
    let putting = Arc::clone(&in_force);
    let first = bench.store.work(1, Lane::High, move |tx: &mut Tx<'_>| {
        let putting = Arc::clone(&putting);
        tx.ends_batch();
        tx.after_commit(move || putting.store(true, Ordering::SeqCst));
        add(1)(tx)
    });
    let seen = Arc::clone(&in_force);
    let second = bench.store.work(1, Lane::High, move |tx: &mut Tx<'_>| {
        add(2)(tx)?;
        Ok::<_, Error>(seen.load(Ordering::SeqCst))
    });
    let commits = bench.store.stats().commits.load(Ordering::SeqCst);
    drop(hold);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(first).unwrap();
    assert!(runtime.block_on(second).unwrap().into_value(), "it goes by what was put in force before it");
    let after = bench.store.stats().commits.load(Ordering::SeqCst);
    assert_eq!((after - commits, count(&bench.store)), (3, 2), "the one that held the writer, and one each");
}

#[test]
fn a_read_sees_one_state_from_its_first_row_to_its_last() {
    let bench = bench();
    bench.store.work_blocking(1, Lane::High, add(1)).unwrap();
    std::thread::scope(|scope| {
        let (begun, wait_begun) = std::sync::mpsc::channel();
        let (go_on, wait_go_on) = std::sync::mpsc::channel::<()>();
        let store = &bench.store;
        let reading = scope.spawn(move || {
            store.look_blocking(move |view| {
                let before = view.find(&COUNT_ROWS, &[], |row| row.int(0))?;
                begun.send(()).unwrap();
                wait_go_on.recv().unwrap();
                Ok::<_, Error>((before, view.find(&COUNT_ROWS, &[], |row| row.int(0))?))
            })
        });
        wait_begun.recv().unwrap();
        bench.store.work_blocking(1, Lane::High, add(2)).unwrap();
        go_on.send(()).unwrap();
        let (before, after) = reading.join().unwrap().unwrap();
        assert_eq!(before, after);
    });
    assert_eq!(count(&bench.store), 2);
}

#[test]
fn each_stops_when_told() {
    let bench = bench();
    for id in 0..10 {
        bench.store.work_blocking(1, Lane::High, add(id)).unwrap();
    }
    let seen = bench
        .store
        .look_blocking(|view| {
            let mut seen = 0;
            view.each(&ALL_ROWS, &[], |_| {
                seen += 1;
                Ok(if seen == 3 { Step::Stop } else { Step::Next })
            })?;
            Ok::<_, Error>(seen)
        })
        .unwrap();
    assert_eq!(seen, 3);
}

/// Keeps the writer busy until dropped, so that what is submitted meanwhile lands in one batch.
fn hold_the_writer(store: &Store) -> std::sync::mpsc::Sender<()> {
    let (let_go, wait) = std::sync::mpsc::channel::<()>();
    let (begun, wait_begun) = std::sync::mpsc::channel();
    drop(store.work(1, Lane::High, move |_: &mut Tx<'_>| {
        let _ = begun.send(());
        let _ = wait.recv();
        Ok::<_, Error>(())
    }));
    wait_begun.recv().unwrap();
    let_go
}

fn contains(file: &Path, needle: &[u8]) -> bool {
    std::fs::read(file).unwrap_or_default().windows(needle.len()).any(|window| window == needle)
}

#[expect(clippy::disallowed_methods, reason = "waits for a thread that has no clock to move")]
fn wait_until(mut happened: impl FnMut() -> bool) {
    for _ in 0..400 {
        if happened() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("it did not happen within ten seconds");
}

/// The version of PostgreSQL that the run is for; nothing when it is for folders.
#[expect(
    clippy::disallowed_methods,
    reason = "which engine a run of the tests is for stands in its environment"
)]
fn asked() -> Option<testbed::Version> {
    match std::env::var("STRONGROOM_TEST_PG").ok()?.as_str() {
        "15" => Some(testbed::Version::V15),
        "18" => Some(testbed::Version::V18),
        other => panic!("STRONGROOM_TEST_PG is 15 or 18, and not {other:?}"),
    }
}

pub(crate) fn on_a_server() -> bool {
    asked().is_some()
}

/// A database of a test's own, and who may change its schema and serves from it.
pub(crate) fn database_on(server: &testbed::Postgres) -> (testbed::Database, crate::Server) {
    let database = server.database();
    let url = database.owner_socket_url().replace(&format!(":{}@", database.password()), "@");
    let owner = crate::Server::parse(&url, Some(database.password())).unwrap();
    owner.migrate(&[STORE, ROWS, crate::PENS], &[], None).unwrap();
    (database, owner)
}

fn server() -> Option<(testbed::Database, crate::Server)> {
    let server = testbed::Postgres::shared(asked()?).expect("`cargo xtask test --only needs` brings it");
    Some(database_on(&server))
}
