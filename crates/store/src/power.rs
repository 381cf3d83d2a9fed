//! Power that goes, and calls that fail, at every call of a run of work: what was acknowledged is there, and nothing is half there.

use std::path::Path;
use std::sync::atomic::Ordering;

use vfs::faults::{Answer, Call, FaultyDisk, Lasts, Unsynced};

use crate::queue::Command;
use crate::sqlite::{Use, connect};
use crate::tests::{Counting, Named, ROWS};
use crate::{Damage, Error, Folder, Lane, Options, STORE, Sql, Step, Store, Tx, params};

static ADD_HALF: Sql = Sql::new("INSERT INTO row (id, body) VALUES ($1, $2)");
static ALL_HALVES: Sql = Sql::new("SELECT id, body FROM row ORDER BY id");

/// Units of work in a run.
const UNITS: i64 = 14;
/// Ids of a unit's two rows are this far apart.
const OTHER_HALF: i64 = 1_000;

/// A folder in memory where there is such a place: the syncs that count are those of the disk of the test.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    tempfile::tempdir_in(place).unwrap()
}

fn open_on(disk: vfs::Disk, path: &Path) -> Result<Store, Error> {
    let owned = Folder::own_on(disk, path)?;
    owned.migrate(&[STORE, ROWS])?;
    Store::open::<Error>(owned, Options::default(), Box::new(Named::default()), |view, _| {
        let size = view.log_head(1)?.map_or(0, |head| head.size);
        Ok(vec![Box::new(Counting::at(size))])
    })
}

/// What stands in both rows of a unit.
fn body_of(id: i64) -> Vec<u8> {
    vec![id.to_le_bytes()[0]; 3_000]
}

/// Writes two rows and a leaf: all of them, or none.
fn unit(id: i64) -> impl FnMut(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
    move |tx| {
        let body = body_of(id);
        tx.change(&ADD_HALF, params![id, &body])?;
        tx.change(&ADD_HALF, params![id + OTHER_HALF, &body])?;
        tx.append(1, id.to_be_bytes().to_vec());
        Ok(())
    }
}

/// Does the work, with checkpoints between. Gives what was acknowledged.
fn run(disk: &FaultyDisk, path: &Path) -> Vec<i64> {
    let mut acknowledged = Vec::new();
    let Ok(store) = open_on(disk.disk(), path) else { return acknowledged };
    for id in 1..=UNITS {
        if store.work_blocking(1, Lane::High, unit(id)).is_ok() {
            acknowledged.push(id);
        }
        if id % 4 == 0 {
            store.queues[0].command(Command::Checkpoint);
        }
    }
    store.close();
    acknowledged
}

/// Looks at what is left. Gives the units that are there; each is whole, its leaf is in the log, and no page is damaged.
fn look(path: &Path) -> Vec<i64> {
    let store = open_on(vfs::Disk::checked().unwrap(), path).unwrap();
    let (rows, leaves) = store
        .look_blocking(|view| {
            let rows = view.list(&ALL_HALVES, &[], |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())))?;
            let size = view.log_head(1)?.map_or(0, |head| head.size);
            let leaves: Result<Vec<_>, Error> = (0..size).map(|leaf| view.leaf(1, leaf)).collect();
            Ok::<_, Error>((rows, leaves?))
        })
        .unwrap();
    for (id, body) in &rows {
        assert!(*body == body_of(id % OTHER_HALF), "the row {id} is not what was written");
    }
    let (first, other): (Vec<i64>, Vec<i64>) =
        rows.iter().map(|(id, _)| *id).partition(|id| *id < OTHER_HALF);
    assert_eq!(first, other.iter().map(|id| id - OTHER_HALF).collect::<Vec<_>>(), "a unit is half there");
    let entered: Vec<i64> =
        leaves.into_iter().map(|leaf| i64::from_be_bytes(leaf.unwrap()[..8].try_into().unwrap())).collect();
    assert_eq!(entered, first, "rows and leaves are not of the same units");
    assert_eq!(store.damage().unwrap(), []);
    // It goes on from there.
    store.work_blocking(1, Lane::High, unit(500)).unwrap();
    store.close();
    first
}

/// A round: the power goes at this call. Gives what was acknowledged and what is there after.
fn cut_at(disk: &FaultyDisk, call: u64, unsynced: Unsynced, lies: bool) -> (Vec<i64>, Vec<i64>) {
    let (live, after) = (folder(), folder());
    disk.begin();
    if lies {
        disk.lie_about_syncs();
    }
    disk.cut_at(call);
    let acknowledged = run(disk, live.path());
    disk.cut();
    disk.survivors(unsynced, call, after.path()).unwrap();
    (acknowledged, look(after.path()))
}

/// How many calls the run makes that change something.
fn calls(disk: &FaultyDisk) -> u64 {
    let live = folder();
    disk.begin();
    let acknowledged = run(disk, live.path());
    assert_eq!(acknowledged, (1..=UNITS).collect::<Vec<_>>());
    disk.changes()
}

#[test]
fn power_that_goes_at_any_call_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let disk = FaultyDisk::new().unwrap();
    let calls = calls(&disk);
    assert!(calls > 200, "{calls} calls");
    let mut cut_short = 0;
    for call in 0..calls {
        let unsynced =
            [Unsynced::Mixed, Unsynced::Lost, Unsynced::Mixed, Unsynced::Kept][(call % 4) as usize];
        let (acknowledged, found) = cut_at(&disk, call, unsynced, false);
        let all = acknowledged.iter().all(|id| found.contains(id));
        assert!(
            all,
            "cut at {call} of {calls}, {unsynced:?}: acknowledged {acknowledged:?}, found {found:?}"
        );
        cut_short += u64::from(found.last() != Some(&UNITS));
    }
    assert!(cut_short > calls / 2, "the cuts came where it matters: {cut_short} of {calls}");
}

/// The twin: a disk that does no syncs (what `synchronous = OFF` comes to) loses what was acknowledged, and this harness sees it.
#[test]
fn without_syncs_the_same_cuts_lose_what_was_acknowledged() {
    let disk = FaultyDisk::new().unwrap();
    let calls = calls(&disk);
    let mut rounds = 0;
    for call in (calls / 3..calls).step_by(23) {
        let (acknowledged, found) = cut_at(&disk, call, Unsynced::Lost, true);
        assert!(!acknowledged.is_empty(), "cut at {call} of {calls}: there was nothing to lose");
        let kept = acknowledged.iter().filter(|id| found.contains(id)).count();
        assert_eq!(kept, 0, "cut at {call} of {calls}: acknowledged {acknowledged:?}, found {found:?}");
        rounds += 1;
    }
    assert!(rounds >= 5, "{rounds} rounds");
}

#[test]
fn a_sync_that_fails_is_told_to_all_who_wait_and_nothing_is_written_after_it() {
    let disk = FaultyDisk::new().unwrap();
    for nth in 0..6 {
        disk.begin();
        let (live, after) = (folder(), folder());
        let store = open_on(disk.disk(), live.path()).unwrap();
        store.work_blocking(1, Lane::High, unit(1)).unwrap();
        disk.fail(Call::Sync, nth, Answer::Failed, Lasts::Once);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut acknowledged = vec![1];
        let mut refused = 0;
        for group in 0..8 {
            // Three at once: those who share the transaction share its end.
            let units = [0, 1, 2]
                .map(|of| (10 + group * 3 + of, store.work(1, Lane::High, unit(10 + group * 3 + of))));
            for (id, answer) in units {
                match runtime.block_on(answer) {
                    Ok(_) => acknowledged.push(id),
                    Err(error) => {
                        assert!(matches!(error, Error::InputOutput { .. }), "{error}");
                        refused += 1;
                    }
                }
            }
        }
        assert!(refused > 0, "the failure was told");
        assert!(store.stats().broken.load(Ordering::Relaxed));
        let before = disk.changes();
        let again = store.work_blocking(1, Lane::High, unit(90)).err();
        assert!(matches!(again, Some(Error::InputOutput { .. })), "{again:?}");
        assert_eq!(
            disk.changes(),
            before,
            "after a failed sync nothing is written and no sync is tried again"
        );
        disk.cut();
        store.close();
        disk.survivors(Unsynced::Lost, nth, after.path()).unwrap();
        let found = look(after.path());
        assert!(acknowledged.iter().all(|id| found.contains(id)), "{acknowledged:?} {found:?}");
    }
}

#[test]
fn whatever_call_fails_what_was_acknowledged_is_there() {
    let disk = FaultyDisk::new().unwrap();
    let kinds =
        [Call::Write, Call::Read, Call::Truncate, Call::Sync, Call::Delete, Call::Open, Call::SharedMemory];
    for call in kinds {
        for (round, nth) in [0_u64, 1, 2, 3, 5, 8, 13, 21, 34, 55].into_iter().enumerate() {
            for (answer, lasts) in [(Answer::Full, Lasts::Once), (Answer::Failed, Lasts::UntilMended)] {
                let (live, after) = (folder(), folder());
                disk.begin();
                disk.fail(call, nth, answer, lasts);
                let acknowledged = run(&disk, live.path());
                disk.mend();
                disk.cut();
                let unsynced = if round % 2 == 0 { Unsynced::Lost } else { Unsynced::Mixed };
                disk.survivors(unsynced, nth, after.path()).unwrap();
                let found = look(after.path());
                let all = acknowledged.iter().all(|id| found.contains(id));
                assert!(all, "{call:?} {nth} {answer:?}: acknowledged {acknowledged:?}, found {found:?}");
            }
        }
    }
}

#[test]
fn a_full_disk_refuses_keeps_and_goes_on_when_there_is_room() {
    let disk = FaultyDisk::new().unwrap();
    disk.begin();
    let live = folder();
    let store = open_on(disk.disk(), live.path()).unwrap();
    store.work_blocking(1, Lane::High, unit(1)).unwrap();
    disk.fail(Call::Write, 0, Answer::Full, Lasts::UntilMended);
    for _ in 0..3 {
        assert_eq!(store.work_blocking(1, Lane::High, unit(2)).err(), Some(Error::DiskFull));
    }
    assert!(store.stats().disk_full.load(Ordering::Relaxed) && !store.stats().broken.load(Ordering::Relaxed));
    disk.mend();
    store.work_blocking(1, Lane::High, unit(3)).unwrap();
    assert!(!store.stats().disk_full.load(Ordering::Relaxed));
    store.close();
    drop(store);
    assert_eq!(look(live.path()), [1, 3]);
}

#[test]
fn a_damaged_page_is_named_refused_and_others_are_served() {
    let live = folder();
    let path = live.path();
    let store = open_on(vfs::Disk::checked().unwrap(), path).unwrap();
    for id in 1..=UNITS {
        store.work_blocking(1, Lane::High, unit(id)).unwrap();
    }
    store.close();
    drop(store);
    let file = path.join(crate::DATABASE);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() / 4_096;
    // The last page is of the table of rows: its rows are added at the end.
    bytes[(last - 1) * 4_096 + 2_000] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let store = open_on(vfs::Disk::checked().unwrap(), path).unwrap();
    let all = store.look_blocking(|view| view.each(&ALL_HALVES, &[], |row| row.bytes(1).map(|_| Step::Next)));
    assert_eq!(all, Err::<(), Error>(Error::DamagedPage { page: last as u64 }));
    assert_eq!(store.damage().unwrap(), [Damage::Page(last as u64)]);
    assert!(store.look_blocking(|view| view.log_head(1)).is_ok(), "what lies elsewhere is served");
    let copy = path.join("copy.db");
    assert_eq!(
        store.copy_to(&copy, |_| {}),
        Err(Error::DamagedPage { page: last as u64 }),
        "and is not copied"
    );
}

#[test]
fn pages_that_do_not_fit_together_are_told_and_no_page_of_an_earlier_check_is_named() {
    let (damaged, odd) = (folder(), folder());
    for live in [&damaged, &odd] {
        let store = open_on(vfs::Disk::checked().unwrap(), live.path()).unwrap();
        store.work_blocking(1, Lane::High, unit(1)).unwrap();
        store.close();
    }
    let file = damaged.path().join(crate::DATABASE);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() / 4_096;
    bytes[(last - 1) * 4_096 + 2_000] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let disk = vfs::Disk::checked().unwrap();
    let connection = connect(disk, &odd.path().join(crate::DATABASE), 1_024, Use::Write).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE odd (a INTEGER); INSERT INTO odd VALUES (NULL); PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE TABLE odd (a INTEGER NOT NULL)' WHERE name = 'odd'",
        )
        .unwrap();
    connection.close().unwrap();
    let check = |live: &tempfile::TempDir| {
        let store = open_on(vfs::Disk::checked().unwrap(), live.path()).unwrap();
        store.damage()
    };
    // On one thread, which remembers the last page that it found.
    let misfit = Err(Error::Damaged { engine_code: 0 });
    assert_eq!(
        [check(&odd), check(&damaged), check(&odd)],
        [misfit.clone(), Ok(vec![Damage::Page(last as u64)]), misfit]
    );
}

/// The twin: with SQLite's own files the same flip is read as if nothing was.
#[test]
fn without_checksums_a_damaged_page_is_served() {
    let live = folder();
    let file = live.path().join(crate::DATABASE);
    let store = open_on(vfs::Disk::plain(), live.path()).unwrap();
    for id in 1..=UNITS {
        store.work_blocking(1, Lane::High, unit(id)).unwrap();
    }
    store.close();
    drop(store);
    let mut bytes = std::fs::read(&file).unwrap();
    // In the middle of a value.
    let at = bytes
        .windows(600)
        .rposition(|window| window.iter().all(|byte| *byte == window[0] && *byte != 0))
        .unwrap();
    bytes[at + 300] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let store = open_on(vfs::Disk::plain(), live.path()).unwrap();
    let bodies = store
        .look_blocking(|view| view.list(&ALL_HALVES, &[], |row| Ok::<_, Error>(row.bytes(1)?.to_vec())))
        .unwrap();
    let changed = bodies.iter().filter(|body| body.iter().any(|byte| *byte != body[0])).count();
    assert_eq!(changed, 1);
}

#[test]
fn a_database_from_before_gets_checksums_when_it_is_opened() {
    let live = folder();
    let file = live.path().join(crate::DATABASE);
    let mut old = rusqlite::Connection::open(&file).unwrap();
    old.pragma_update(None, "journal_mode", "WAL").unwrap();
    crate::migrate::migrate(vfs::Disk::plain(), &mut old, live.path(), &[STORE, ROWS]).unwrap();
    old.execute("INSERT INTO row (id, body) VALUES (7, x'0707')", []).unwrap();
    assert!(!vfs::has_checksums(&old).unwrap());
    old.close().unwrap();
    let store = open_on(vfs::Disk::checked().unwrap(), live.path()).unwrap();
    let rows = store.look_blocking(|view| view.list(&ALL_HALVES, &[], |row| row.int(0))).unwrap();
    assert_eq!(rows, [7]);
    store.close();
    drop(store);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 4_096;
    bytes[last + 100] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let store = open_on(vfs::Disk::checked().unwrap(), live.path()).unwrap();
    assert_eq!(store.damage().unwrap().len(), 1);
}
