//! What the files promise, tried on SQLite itself.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::faults::{Answer, Call, FaultyDisk, Lasts, Unsynced};
use crate::{DAMAGED, Disk, Walked, damaged_pages, has_checksums, keep_room, last_damage, stamp};

const ROWS: i64 = 400;

fn open(file: &Path, disk: Disk) -> Connection {
    let connection = Connection::open_with_flags_and_vfs(file, OpenFlags::default(), disk.name()).unwrap();
    assert!(keep_room(&connection));
    connection
}

/// A database of some pages, with a value that takes several, and pages that hold nothing any more.
fn filled(file: &Path, disk: Disk) -> Connection {
    filled_with(file, disk, "EXTRA")
}

fn filled_with(file: &Path, disk: Disk, synchronous: &str) -> Connection {
    let connection = open(file, disk);
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
        .unwrap();
    fill(&connection, 0..ROWS);
    connection.execute("INSERT INTO t VALUES (9999, ?1)", [vec![7_u8; 20_000]]).unwrap();
    connection.execute("DELETE FROM t WHERE id BETWEEN 100 AND 200", []).unwrap();
    connection
}

fn fill(connection: &Connection, ids: std::ops::Range<i64>) {
    connection.execute_batch("BEGIN").unwrap();
    for id in ids {
        connection.execute("INSERT INTO t VALUES (?1, ?2)", (id, vec![id.to_le_bytes()[0]; 200])).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn read_all(connection: &Connection) -> Result<i64, rusqlite::Error> {
    // Every byte is looked at: a length alone stands in the row's header.
    let all = "SELECT sum(length(body)) + count(*) + sum(instr(body, x'fefdfcfb')) FROM t";
    connection.query_row(all, [], |row| row.get(0))
}

fn code(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().map_or(0, |error| error.extended_code)
}

fn size(file: &Path) -> usize {
    usize::try_from(std::fs::metadata(file).unwrap().len()).unwrap()
}

fn flip(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[at] ^= 0x10;
    std::fs::write(file, bytes).unwrap();
}

fn is_checked(connection: &Connection) -> bool {
    has_checksums(connection).unwrap()
}

fn checked() -> Disk {
    Disk::checked().unwrap()
}

#[test]
fn every_page_carries_a_checksum_and_a_changed_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    drop(filled(&file, checked()));
    let pages = size(&file) / 4_096;
    let clean = open(&file, checked());
    assert!(is_checked(&clean));
    let sum = read_all(&clean).unwrap();
    let walked = damaged_pages(&clean).unwrap();
    assert_eq!((walked.pages, walked.damaged.len()), (pages as u64, 0));
    drop(clean);
    let plain = open(&file, Disk::plain());
    assert_eq!(read_all(&plain).unwrap(), sum, "the file is a database for everybody");
    drop(plain);
    for page in 0..pages {
        for at in [0, 20, 2_000, 4_090] {
            let at = page * 4_096 + at;
            flip(&file, at);
            let connection = open(&file, checked());
            let _ = has_checksums(&connection);
            let damaged = damaged_pages(&connection).map(|walked| walked.damaged);
            let named = damaged.as_ref().is_ok_and(|damaged| *damaged == [page as u64 + 1]);
            // A first page that is not what it was is refused by everything, the walk's question for the page size included.
            let refused = page == 0 && read_all(&connection).is_err();
            assert!(named || refused, "byte {at} (page {}) of {pages}: {damaged:?}", page + 1);
            drop(connection);
            flip(&file, at);
        }
    }
}

#[test]
fn a_read_of_a_damaged_page_fails_with_its_number_and_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    let connection = filled(&file, checked());
    let root: i64 = connection.query_row("SELECT rootpage FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    drop(connection);
    let pages = size(&file) / 4_096;
    flip(&file, (pages - 1) * 4_096 + 1_000); // an overflow page of the last, large value
    let connection = open(&file, checked());
    let fault = read_all(&connection).unwrap_err();
    assert_eq!(code(&fault), DAMAGED);
    assert_eq!(last_damage().unwrap().page, pages as u64);
    assert!(root > 1);
    let first: i64 =
        connection.query_row("SELECT count(*) FROM t WHERE id < 50", [], |row| row.get(0)).unwrap();
    assert_eq!(first, 50);
}

#[test]
fn a_page_that_cannot_be_read_is_not_whole() {
    let faulty = FaultyDisk::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let connection = filled(&folder.path().join("a.db"), faulty.disk());
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let pages = damaged_pages(&connection).unwrap().pages;
    // The third page, as often as it is tried; then the first, whose place in memory holds zeros before.
    for page in [3_u64, 1] {
        for _ in 0..5 {
            faulty.fail(Call::Read, page - 1, Answer::Failed, Lasts::Once);
        }
        assert_eq!(damaged_pages(&connection).unwrap(), Walked { pages, damaged: vec![page] });
    }
    faulty.fail(Call::Read, 2, Answer::Failed, Lasts::Once);
    assert_eq!(damaged_pages(&connection).unwrap().damaged, [0_u64; 0], "it is read again");
}

/// The twin: without checksums the same flips pass.
#[test]
fn without_checksums_a_flip_in_a_value_is_read_as_if_nothing_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    drop(filled(&file, Disk::plain()));
    let pages = size(&file) / 4_096;
    flip(&file, (pages - 1) * 4_096 + 1_000);
    let connection = open(&file, Disk::plain());
    read_all(&connection).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn a_header_that_says_that_there_are_no_checksums_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    drop(filled(&file, checked()));
    let whole = std::fs::read(&file).unwrap();
    assert_eq!(whole[20], 8);
    // Alone, and with another byte of the first page: then the second page tells.
    for others in [&[][..], &[2_000], &[40, 4_090]] {
        let mut bytes = whole.clone();
        bytes[20] = 0;
        for at in others {
            bytes[*at] ^= 0x10;
        }
        std::fs::write(&file, bytes).unwrap();
        let connection = open(&file, checked());
        assert_eq!(code(&read_all(&connection).unwrap_err()), DAMAGED, "{others:?}");
        assert_eq!(last_damage().unwrap().page, 1);
        assert_eq!(code(&has_checksums(&connection).unwrap_err()), DAMAGED);
    }
}

/// Then the engine has its first page from the WAL, where it is whole, and the others from the file.
#[test]
fn a_header_is_not_believed_where_the_first_page_is_read_from_the_wal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    let writer = filled(&file, checked());
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    // A new table changes the first page, and no page of the other one.
    writer.execute_batch("CREATE TABLE u (id INTEGER)").unwrap();
    let flipped = size(&file) - 4_096 + 1_000;
    for changed in [vec![20], (0..512).collect()] {
        for at in &changed {
            flip_in_place(&file, *at);
        }
        flip_in_place(&file, flipped); // in the last, large value
        let reader = open(&file, checked());
        reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
        assert_eq!(code(&read_all(&reader).unwrap_err()), DAMAGED);
        assert_eq!(last_damage().unwrap().page, 1);
        assert_eq!(code(&has_checksums(&reader).unwrap_err()), DAMAGED, "it is not taken for an older file");
        assert_eq!(code(&reader.execute_batch("VACUUM").unwrap_err()), DAMAGED);
        drop(reader);
        for at in changed.into_iter().chain([flipped]) {
            flip_in_place(&file, at);
        }
    }
    fill(&writer, 20_000..20_200);
    drop(writer);
    let connection = open(&file, checked());
    assert_eq!(damaged_pages(&connection).unwrap().damaged, [0_u64; 0]);
    read_all(&connection).unwrap();
}

#[test]
fn a_first_page_without_room_is_not_written_over_one_with_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let (file, none) = (folder.path().join("a.db"), folder.path().join("none.db"));
    drop(filled(&file, checked()));
    let before = std::fs::read(&file).unwrap();
    let source = Connection::open(&none).unwrap();
    source.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)").unwrap();
    fill(&source, 0..ROWS);
    let mut target = open(&file, checked());
    target.pragma_update(None, "journal_mode", "DELETE").unwrap();
    let copied = rusqlite::backup::Backup::new(&source, &mut target).unwrap().step(-1);
    assert_eq!(code(&copied.unwrap_err()), DAMAGED);
    drop(target);
    let connection = open(&file, checked());
    assert!(is_checked(&connection));
    assert_eq!(damaged_pages(&connection).unwrap().damaged, [0_u64; 0]);
    assert_eq!(std::fs::read(&file).unwrap().len(), before.len());
    read_all(&connection).unwrap();
}

#[test]
fn a_header_that_cannot_be_read_says_nothing_of_checksums() {
    let faulty = FaultyDisk::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    let writer = filled(&file, faulty.disk());
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    writer.execute_batch("CREATE TABLE u (id INTEGER)").unwrap();
    // Between the cells of the table's first page, which is the first that is read from the file.
    flip_in_place(&file, 4_096 + 2_000);
    for nth in 0..20 {
        let reader = open(&file, faulty.disk());
        faulty.fail(Call::Read, nth, Answer::Failed, Lasts::Once);
        assert!(read_all(&reader).is_err(), "read {nth}");
        faulty.mend();
    }
}

#[test]
fn pages_that_changed_places_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    drop(filled(&file, checked()));
    let mut bytes = std::fs::read(&file).unwrap();
    let (three, four) = (bytes[2 * 4_096..3 * 4_096].to_vec(), bytes[3 * 4_096..4 * 4_096].to_vec());
    bytes[2 * 4_096..3 * 4_096].copy_from_slice(&four);
    bytes[3 * 4_096..4 * 4_096].copy_from_slice(&three);
    std::fs::write(&file, bytes).unwrap();
    let connection = open(&file, checked());
    assert!(is_checked(&connection));
    assert_eq!(damaged_pages(&connection).unwrap().damaged, [3, 4]);
}

#[test]
fn a_flip_in_the_wal_is_noticed_by_the_next_read_and_carried_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    let writer = filled(&file, checked());
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    fill(&writer, 20_000..20_200);
    let wal = folder.path().join("a.db-wal");
    // The last frame of each page: those before it are read by nobody.
    let bytes = std::fs::read(&wal).unwrap();
    let page_of =
        |frame: usize| bytes[32 + frame * 4_120..].first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes));
    let last: std::collections::BTreeMap<_, _> =
        (0..(bytes.len() - 32) / 4_120).map(|frame| (page_of(frame), frame)).collect();
    assert!(last.len() > 5);
    for frame in last.into_values() {
        for at in [0, 9, 17, 24 + 100, 24 + 4_000] {
            let at = 32 + frame * 4_120 + at;
            flip_in_place(&wal, at);
            let reader = open(&file, checked());
            let fault = read_all(&reader).err().map(|fault| code(&fault));
            assert_eq!(fault, Some(DAMAGED), "frame {frame}, byte {at}");
            let moved = reader.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            assert!(moved.is_err(), "frame {frame}, byte {at}: it was carried into the database");
            flip_in_place(&wal, at);
        }
    }
    drop(writer);
    let connection = open(&file, checked());
    assert!(is_checked(&connection));
    assert_eq!(damaged_pages(&connection).unwrap().damaged, [0_u64; 0]);
    read_all(&connection).unwrap();
}

fn flip_in_place(file: &Path, at: usize) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at as u64).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at as u64).unwrap();
}

/// A cache of a few pages makes SQLite write pages to the WAL and write them there again before it commits.
#[test]
fn a_transaction_larger_than_its_cache_reads_its_own_pages() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    let connection = filled(&file, checked());
    connection
        .execute_batch("PRAGMA cache_size = 6; PRAGMA cache_spill = 1; CREATE INDEX i ON t (body)")
        .unwrap();
    for round in 0..4 {
        connection.execute_batch("BEGIN").unwrap();
        for id in 0..1_500_i64 {
            let body = vec![id.to_le_bytes()[0]; 300];
            connection
                .execute("INSERT OR REPLACE INTO t VALUES (?1, ?2)", (id * 7_919 % 5_000, body))
                .unwrap();
            if id % 100 == 0 {
                read_all(&connection).unwrap();
            }
            if id == 700 {
                connection.execute_batch("SAVEPOINT s").unwrap();
            }
            if id == 900 {
                connection.execute_batch("ROLLBACK TO s").unwrap();
            }
        }
        let end = if round % 2 == 0 { "COMMIT" } else { "ROLLBACK" };
        connection.execute_batch(end).unwrap();
        let other = open(&file, checked());
        assert_eq!(read_all(&other).unwrap(), read_all(&connection).unwrap());
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(damaged_pages(&connection).unwrap().damaged, [0_u64; 0]);
}

#[test]
fn copies_vacuums_and_older_files_get_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let old = filled(&path("old.db"), Disk::plain());
    drop(old);
    // Made without room: opened by `plain` it had room kept, so make one that has none.
    let none = Connection::open(path("none.db")).unwrap();
    none.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
        .unwrap();
    fill(&none, 0..ROWS);
    drop(none);
    let none = open(&path("none.db"), checked());
    assert!(!is_checked(&none), "an older file is read without");
    let sum = read_all(&none).unwrap();
    none.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert!(is_checked(&none));
    assert_eq!((read_all(&none).unwrap(), damaged_pages(&none).unwrap().damaged.len()), (sum, 0));

    let mut copy = open(&path("copy.db"), checked());
    assert!(stamp(&copy));
    copy.execute_batch("PRAGMA cache_size = 4").unwrap();
    rusqlite::backup::Backup::new(&none, &mut copy).unwrap().step(-1).unwrap();
    assert!(is_checked(&copy));
    assert_eq!((read_all(&copy).unwrap(), damaged_pages(&copy).unwrap().damaged.len()), (sum, 0));

    none.execute("VACUUM INTO ?1", [path("into.db").to_str().unwrap()]).unwrap();
    let into = open(&path("into.db"), checked());
    assert!(is_checked(&into));
    assert_eq!((read_all(&into).unwrap(), damaged_pages(&into).unwrap().damaged.len()), (sum, 0));
}

#[test]
fn a_disk_without_power_keeps_what_was_synced() {
    let faulty = FaultyDisk::new().unwrap();
    for (lies, unsynced) in [(false, Unsynced::Lost), (false, Unsynced::Mixed), (true, Unsynced::Lost)] {
        faulty.begin();
        let (live, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let connection = filled(&live.path().join("a.db"), faulty.disk());
        let kept = read_all(&connection).unwrap();
        if lies {
            faulty.lie_about_syncs();
        }
        fill(&connection, 20_000..20_200);
        let all = read_all(&connection).unwrap();
        faulty.cut();
        assert!(connection.execute("DELETE FROM t", []).is_err(), "nothing goes on without power");
        drop(connection);
        faulty.survivors(unsynced, 7, after.path()).unwrap();
        let found = read_all(&open(&after.path().join("a.db"), checked())).unwrap();
        assert_eq!(found, if lies { kept } else { all }, "{unsynced:?}");
    }
}

/// The twin: with FULL the folder is not synced when the journal of a new database is deleted. It comes back, and takes all.
#[test]
fn a_new_database_is_lost_with_a_journal_that_comes_back() {
    let faulty = FaultyDisk::new().unwrap();
    let (live, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let connection = filled_with(&live.path().join("a.db"), faulty.disk(), "FULL");
    faulty.cut();
    drop(connection);
    faulty.survivors(Unsynced::Lost, 7, after.path()).unwrap();
    assert!(read_all(&open(&after.path().join("a.db"), checked())).is_err());
}

#[test]
fn a_call_fails_once_or_until_mended() {
    let faulty = FaultyDisk::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let connection = filled(&folder.path().join("a.db"), faulty.disk());
    faulty.fail(Call::Write, 0, Answer::Full, Lasts::UntilMended);
    for _ in 0..2 {
        let fault = connection.execute("INSERT INTO t VALUES (70000, x'00')", []).unwrap_err();
        assert_eq!(fault.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    }
    faulty.mend();
    connection.execute("INSERT INTO t VALUES (70000, x'00')", []).unwrap();
    faulty.fail(Call::Sync, 0, Answer::Failed, Lasts::Once);
    assert!(connection.execute("INSERT INTO t VALUES (70001, x'00')", []).is_err());
}
