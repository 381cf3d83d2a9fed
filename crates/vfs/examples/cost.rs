//! What page checksums cost: the same reads and writes with and without, in turns, as a ratio. On a folder in memory, so that no
//! disk hides them.
//!
//! `cargo run --release -p vfs --example cost`
#![expect(
    clippy::disallowed_macros,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement is a program of its own that prints, and stops where something is wrong"
)]

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, OpenFlags};
use vfs::Disk;

const ROWS: i64 = 60_000;
const TURNS: usize = 7;

fn open(file: &Path, disk: Disk) -> Connection {
    let connection = Connection::open_with_flags_and_vfs(file, OpenFlags::default(), disk.name()).unwrap();
    if disk == Disk::checked().unwrap() {
        assert!(vfs::keep_room(&connection));
    }
    // A cache of 64 pages: nearly every row that is looked for is on a page that has to be read.
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 64")
        .unwrap();
    connection
}

/// Seconds for: writing in transactions of 64 rows, moving the WAL into the database, reading rows from all over.
fn turn(disk: Disk) -> [f64; 3] {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let connection = open(&folder.path().join("a.db"), disk);
    connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)").unwrap();
    let body = [7_u8; 600];
    let began = Instant::now();
    let mut add = connection.prepare("INSERT INTO t VALUES (?1, ?2)").unwrap();
    for first in (0..ROWS).step_by(64) {
        connection.execute_batch("BEGIN").unwrap();
        for id in first..ROWS.min(first + 64) {
            add.execute((id, body)).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    let written = began.elapsed().as_secs_f64();
    let began = Instant::now();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let moved = began.elapsed().as_secs_f64();
    let mut find = connection.prepare("SELECT length(body) FROM t WHERE id = ?1").unwrap();
    let began = Instant::now();
    for number in 0..ROWS {
        let id = number.wrapping_mul(7_919).rem_euclid(ROWS);
        assert_eq!(find.query_row([id], |row| row.get::<_, i64>(0)).unwrap(), 600);
    }
    [written, moved, began.elapsed().as_secs_f64()]
}

fn main() {
    let disks = [Disk::plain(), Disk::checked().unwrap()];
    let mut turns: [Vec<[f64; 3]>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (turns, disk) in turns.iter_mut().zip(disks) {
            turns.push(turn(disk));
        }
    }
    for (position, what) in
        ["transactions of 64 rows", "checkpoint", "one row from anywhere"].iter().enumerate()
    {
        let [without, with] = &turns;
        let middle = |of: &Vec<[f64; 3]>| {
            let mut all: Vec<f64> = of.iter().filter_map(|turn| turn.get(position)).copied().collect();
            all.sort_by(f64::total_cmp);
            all.get(TURNS / 2).copied().unwrap_or_default()
        };
        let (without, with) = (middle(without), middle(with));
        println!(
            "{what}: {:.1} ms without, {:.1} ms with, ratio {:.3}",
            without * 1e3,
            with * 1e3,
            with / without
        );
    }
}
