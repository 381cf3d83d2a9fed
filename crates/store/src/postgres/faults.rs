//! Connections that are cut, servers that are away, and writers of several processes: what was acknowledged is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testbed::{Moment, Pair, Postgres, Proxy, Version, Waits, What};

use crate::tests::{Counting, Named, database_on};
use crate::{Ask, Error, Fence, Lane, LogBook, Options, Server, Sql, Store, Tx, View, params};

static ADD_ROW: Sql = Sql::new("INSERT INTO row (id, body) VALUES ($1, $2)");
static ADD_FREE: Sql = Sql::new("INSERT INTO row (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING");
static FIND_ROW: Sql = Sql::new("SELECT body FROM row WHERE id = $1").resting_on(&["row"]);
static COUNT_ROWS: Sql = Sql::new("SELECT count(*) FROM row");

fn open(server: &Server) -> Store {
    let books = |view: &View<'_>, writers| {
        let size = view.log_head(1)?.map_or(0, |head| head.size);
        Ok((0..writers).map(|_| Box::new(Counting::at(size)) as Box<dyn LogBook>).collect())
    };
    Store::open::<Error>(server.clone(), Options::default(), Box::new(Named::default()), books).unwrap()
}

/// A server's database, and a way to it through a proxy.
struct Led {
    proxy: Proxy,
    direct: Server,
    through: Server,
    _database: testbed::Database,
}

impl Led {
    fn new() -> Option<Led> {
        let server = Postgres::shared(Version::V15)?;
        let (database, direct) = database_on(&server);
        let proxy = Proxy::before(&server);
        let through = plain(&database.plain_url(&database.owner(), proxy.port()), database.password());
        Some(Led { proxy, direct, through, _database: database })
    }
}

/// An address without its password, and that beside.
fn plain(url: &str, password: &str) -> Server {
    Server::parse(&url.replace(&format!(":{password}@"), "@"), Some(password)).unwrap()
}

fn add(id: i64) -> impl FnMut(&mut Tx<'_>) -> Result<i64, Error> + Send + 'static {
    move |tx| {
        tx.change(&ADD_ROW, params![id, &id.to_be_bytes()])?;
        tx.append(1, id.to_be_bytes().to_vec());
        Ok(id)
    }
}

fn count(store: &Store) -> i64 {
    store.look_blocking(|view| view.find(&COUNT_ROWS, &[], |row| row.int(0)).map(Option::unwrap)).unwrap()
}

/// The rows and the log say the same, each once.
#[track_caller]
fn holds_exactly(server: &Server, rows: i64) {
    let (count, head) = server
        .look::<_, Error>(|view| {
            let count = view.find(&COUNT_ROWS, &[], |row| row.int(0))?.unwrap();
            Ok((count, view.log_head(1)?.map_or(0, |head| head.size)))
        })
        .unwrap();
    assert_eq!((count, head), (rows, u64::try_from(rows).unwrap()));
}

#[test]
fn a_connection_that_is_cut_at_any_message_leaves_each_unit_done_once() {
    let Some(led) = Led::new() else { return };
    let store = open(&led.through);
    store.work_blocking(1, Lane::High, add(0)).unwrap();
    let mut done = 1;
    for moment in [Moment::Before, Moment::Half, Moment::Answered, Moment::HalfAnswered] {
        for nth in 1..=20 {
            led.proxy.cut(moment, What::Any, nth);
            store.work_blocking(1, Lane::High, add(done)).unwrap();
            done += 1;
            led.proxy.forget_cuts();
            holds_exactly(&led.direct, done);
        }
    }
    let tried = store.stats().tried_again.load(Ordering::Relaxed);
    let settled = store.stats().doubts_settled.load(Ordering::Relaxed);
    assert!(tried > 40, "{tried} were cut before their COMMIT");
    assert!(settled >= 4, "{settled} were cut at it");
}

#[test]
fn a_commit_whose_answer_is_lost_is_settled_by_looking() {
    let Some(led) = Led::new() else { return };
    let store = open(&led.through);
    store.work_blocking(1, Lane::High, add(1)).unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    for (moment, again) in [(Moment::Answered, 1), (Moment::Before, 2)] {
        led.proxy.cut(moment, What::Sql("COMMIT".to_owned()), 1);
        runs.store(0, Ordering::Relaxed);
        let (counting, id) = (Arc::clone(&runs), 10 + again);
        let unit = move |tx: &mut Tx<'_>| {
            counting.fetch_add(1, Ordering::Relaxed);
            add(id)(tx)
        };
        let done = store.work_blocking(1, Lane::High, unit).unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), usize::try_from(again).unwrap(), "{moment:?}");
        assert_eq!(done.numbers().len(), 1);
        assert!(led.proxy.has_cut());
    }
    assert_eq!(store.stats().doubts_settled.load(Ordering::Relaxed), 2);
    holds_exactly(&led.direct, 3);
}

#[test]
fn while_the_server_cannot_be_reached_callers_are_told_soon_and_it_goes_on_by_itself() {
    let Some(led) = Led::new() else { return };
    let store = open(&led.through);
    store.work_blocking(1, Lane::High, add(1)).unwrap();
    led.proxy.cut_all();
    led.proxy.part();
    // The first connection after it is waited for; from then on nobody waits twice.
    let refused = store.work_blocking(1, Lane::High, add(2)).unwrap_err();
    assert!(matches!(refused, Error::Unreachable | Error::Lost), "{refused:?}");
    assert!(refused.is_passing());
    let begin = Instant::now();
    store.work_blocking(1, Lane::High, add(3)).unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    led.proxy.heal();
    let begin = Instant::now();
    while store.work_blocking(1, Lane::High, add(4)).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it does not come back");
    }
    holds_exactly(&led.direct, 2);
}

#[test]
fn a_read_is_made_again_on_a_new_connection() {
    let Some(led) = Led::new() else { return };
    let store = open(&led.through);
    store.work_blocking(1, Lane::High, add(1)).unwrap();
    assert_eq!(count(&store), 1);
    led.proxy.cut_all();
    assert_eq!((count(&store), count(&store), count(&store)), (1, 1, 1));
}

#[test]
fn writers_of_several_processes_number_the_leaves_of_one_log_without_gap_or_fork() {
    let Some(server) = Postgres::shared(Version::V15) else { return };
    let (_database, address) = database_on(&server);
    let stores: Vec<Store> = (0..3).map(|_| open(&address)).collect();
    let mut numbers: Vec<(u64, i64)> = std::thread::scope(|scope| {
        let work = |(place, store): (usize, &'_ Store)| {
            let first = i64::try_from(place).unwrap() * 1_000;
            (first..first + 120)
                .map(|id| {
                    let done = store.work_blocking(1, Lane::High, add(id)).unwrap();
                    (done.numbers()[0], id)
                })
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = stores.iter().enumerate().map(|one| scope.spawn(move || work(one))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (0..360).collect::<Vec<_>>());
    for (number, id) in numbers {
        let leaf = address.look::<_, Error>(|view| view.leaf(1, number)).unwrap().unwrap();
        assert_eq!(leaf, id.to_be_bytes(), "leaf {number}");
    }
    holds_exactly(&address, 360);
    let back = |store: &Store| store.stats().pens_back.load(Ordering::Relaxed);
    assert!(stores.iter().all(|store| back(store) > 1), "the pen went from one to the other");
}

#[test]
fn different_shops_write_at_the_same_time() {
    let Some(server) = Postgres::shared(Version::V15) else { return };
    let (_database, address) = database_on(&server);
    let (one, other) = (open(&address), open(&address));
    let holds = Arc::new(AtomicBool::new(true));
    let holding = Arc::clone(&holds);
    let (entered, entering) = std::sync::mpsc::channel();
    let waits = one.work(1, Lane::High, move |tx: &mut Tx<'_>| {
        let _ = entered.send(());
        while holding.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        add(1)(tx)
    });
    entering.recv().unwrap();
    // Shop 2 has another writer here, and another pen there.
    let of_another = |tx: &mut Tx<'_>| {
        tx.housekeeping();
        tx.change(&ADD_ROW, params![2, &[0_u8]])
    };
    one.work_blocking(2, Lane::High, of_another).unwrap();
    other
        .work_blocking::<_, Error, _>(3, Lane::High, |tx: &mut Tx<'_>| {
            tx.housekeeping();
            tx.change(&ADD_ROW, params![3, &[0_u8]])
        })
        .unwrap();
    holds.store(false, Ordering::SeqCst);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(waits).unwrap();
    assert_eq!(count(&other), 3);
}

#[test]
fn who_is_paused_with_the_pen_in_hand_loses_it_and_writes_behind_what_came_meanwhile() {
    let Some(server) = Postgres::shared(Version::V15) else { return };
    let (_database, address) = database_on(&server);
    let (paused, other) = (open(&address), open(&address));
    paused.work_blocking(1, Lane::High, add(1)).unwrap();
    let (first, (entered, entering)) = (Arc::new(AtomicBool::new(true)), std::sync::mpsc::channel());
    // As a process that is stopped: its transaction is open, and nothing is heard of it.
    let work = paused.work(1, Lane::High, move |tx: &mut Tx<'_>| {
        if first.swap(false, Ordering::SeqCst) {
            let _ = entered.send(());
            std::thread::park_timeout(Duration::from_secs(15));
        }
        add(2)(tx)
    });
    entering.recv().unwrap();
    let begin = Instant::now();
    let written = loop {
        match other.work_blocking(1, Lane::High, add(3)) {
            Ok(done) => break done,
            Err(error) => assert!(error.is_passing(), "{error:?}"),
        }
    };
    assert!(begin.elapsed() < Duration::from_secs(14), "it waited until the paused one was back");
    assert_eq!(written.numbers(), [1]);
    let done = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work).unwrap();
    assert_eq!(done.numbers(), [2], "behind what was entered meanwhile");
    holds_exactly(&address, 3);
}

#[test]
fn a_shop_sees_its_own_rows_only_also_where_a_statement_forgets_to_say_whose() {
    let Some(server) = Postgres::shared(Version::V15) else { return };
    let (_database, address) = database_on(&server);
    let store = open(&address);
    store.work_blocking(1, Lane::High, add(1)).unwrap();
    let sees = |store: &Store, shop: i64| {
        let read = |tx: &mut Tx<'_>| Ok::<_, Error>(tx.find(&COUNT_ROWS, &[], |row| row.int(0))?.unwrap());
        store.work_blocking(shop, Lane::High, read).unwrap().into_value()
    };
    assert_eq!((sees(&store, 1), sees(&store, 2)), (1, 1), "without a fence each sees all");
    address.raise(&[Fence { table: "row", shop: "id" }]).unwrap();
    assert_eq!((sees(&store, 1), sees(&store, 2), sees(&store, 0)), (1, 0, 1));
    let foreign = store.work_blocking(2, Lane::High, add(7)).unwrap_err();
    assert!(matches!(foreign, Error::Refused { .. }), "{foreign:?}");
    assert_eq!(sees(&store, 0), 1);
}

#[test]
fn what_may_not_be_on_the_standby_is_not_acknowledged_before_it_is() {
    let Some(pair) = Pair::new(Version::V15, Waits::ForTheStandby) else { return };
    let (database, _) = database_on(pair.primary());
    let address = plain(&pair.plain_url(&database, &database.owner()), database.password());
    let store = open(&address);
    store.work_blocking(1, Lane::High, add(1)).unwrap();
    pair.standby().stop();
    let acked = Arc::new(AtomicBool::new(false));
    let (told, work) = (Arc::clone(&acked), store.work(1, Lane::High, add(2)));
    let waiting = std::thread::spawn(move || {
        let done = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
        told.store(true, Ordering::SeqCst);
        done
    });
    // Somebody loses patience and tells the server to wait no longer: it answers the COMMIT, with a warning.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(4) {
        pair.primary().sql(
            "postgres",
            "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
        );
        assert!(!acked.load(Ordering::SeqCst), "it is on one disk only");
        std::thread::park_timeout(Duration::from_millis(100));
    }
    pair.standby().start();
    waiting.join().unwrap().unwrap();
    assert_eq!(store.stats().doubts_settled.load(Ordering::Relaxed), 1);
    holds_exactly(&address, 2);
}

#[test]
fn what_comes_while_another_server_has_the_pen_goes_with_the_batch_that_waits_for_it() {
    let Some(server) = Postgres::shared(Version::V15) else { return };
    let (_database, direct) = database_on(&server);
    let (one, other) = (open(&direct), open(&direct));
    one.work_blocking(1, Lane::High, add(1)).unwrap();
    other.work_blocking(1, Lane::High, add(2)).unwrap();
    let (let_go, wait) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = std::sync::mpsc::channel();
    drop(one.work(1, Lane::High, move |_: &mut Tx<'_>| {
        let _ = begun.send(());
        let _ = wait.recv();
        Ok::<_, Error>(())
    }));
    has_begun.recv().unwrap();
    let before = other.stats().commits.load(Ordering::Relaxed);
    let mut all = vec![other.work(1, Lane::High, add(3))];
    std::thread::park_timeout(Duration::from_millis(500)); // it waits for the pen now
    all.extend((4..=20).map(|id| other.work(1, Lane::High, add(id))));
    drop(let_go);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for work in all {
        runtime.block_on(work).unwrap();
    }
    assert_eq!(other.stats().commits.load(Ordering::Relaxed) - before, 1);
    holds_exactly(&direct, 20);
}

#[test]
fn a_row_that_was_put_off_and_is_refused_is_told_to_whom_it_was_promised() {
    let Some(server) = Postgres::shared(Version::V15) else { return };
    let (database, direct) = database_on(&server);
    // Behind the back: rows that nobody sees, and that are in the way all the same.
    server.sql(
        database.name(),
        "INSERT INTO row (id, body) VALUES (7, ''), (8, '');
         ALTER TABLE row ENABLE ROW LEVEL SECURITY; ALTER TABLE row FORCE ROW LEVEL SECURITY;
         CREATE POLICY hidden ON row USING (length(body) > 0) WITH CHECK (true)",
    );
    let store = open(&direct);
    let runs = Arc::new(AtomicUsize::new(0));
    let add_free = |id: i64| {
        let runs = Arc::clone(&runs);
        move |tx: &mut Tx<'_>| {
            runs.fetch_add(1, Ordering::Relaxed);
            let row = params![id, &[1_u8]];
            let added = tx.add(&ADD_FREE, row, &FIND_ROW, params![id])?;
            if added {
                tx.append(1, id.to_be_bytes().to_vec());
            }
            Ok::<_, Error>(added)
        }
    };
    let (hold, wait) = std::sync::mpsc::channel::<()>();
    drop(store.work(1, Lane::High, move |_: &mut Tx<'_>| {
        let _ = wait.recv();
        Ok::<_, Error>(())
    }));
    let foreseen = |id: i64| vec![Ask::new(&FIND_ROW, params![id])];
    let work = |id| store.work_foreseen(1, Lane::High, foreseen(id), add_free(id));
    let all: Vec<_> = (1..=20).map(|id| (id, work(id))).collect();
    drop(hold);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (id, work) in all {
        let added = runtime.block_on(work).unwrap().into_value();
        assert_eq!(added, id != 7 && id != 8, "{id}");
    }
    assert_eq!(runs.load(Ordering::Relaxed), 40, "first together, then each by itself");
    holds_exactly(&direct, 18);
}

#[test]
fn after_a_doubt_that_could_not_be_settled_what_was_done_is_taken_over_and_work_goes_on() {
    let Some(led) = Led::new() else { return };
    let store = open(&led.through);
    store.work_blocking(1, Lane::High, add(1)).unwrap();
    // The COMMIT is done, nobody hears so, and for half a minute nobody can be asked.
    led.proxy.cut(Moment::Answered, What::Sql("COMMIT".to_owned()), 1);
    let waiting = store.work(1, Lane::High, add(2));
    let begin = Instant::now();
    while !led.proxy.has_cut() {
        assert!(begin.elapsed() < Duration::from_secs(20), "it is not committed");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    led.proxy.part();
    let told = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(waiting);
    led.proxy.heal();
    // It was found out before the way was shut, or it was not; done it is.
    assert!(matches!(told, Ok(_) | Err(Error::InDoubt)), "{told:?}");
    let begin = Instant::now();
    while store.work_blocking(1, Lane::High, add(3)).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(30), "work does not go on behind a doubt");
    }
    holds_exactly(&led.direct, 3);
}
