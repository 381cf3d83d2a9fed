//! What the machine gives without us: the baselines, measured in the same run with the same parts.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::fault;
use crate::ground::Problem;

/// Rows of one durable write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Bytes of a record's row.
    pub(super) record: usize,
    /// Bytes of an entry.
    pub(super) entry: usize,
}

/// Rows a second by plain rusqlite, WAL and synchronous=FULL, `batch` rows a commit: a record's row and an entry each,
/// entries packed by commit, keys in order. Everything on one thread; the WAL starts anew every 16 MiB.
pub(super) fn group_commit(folder: &Path, sizes: Sizes, batch: u32, time: Duration) -> Result<f64, Problem> {
    let file = folder.join(format!("raw-{batch}.db"));
    let _ = std::fs::remove_file(&file);
    let connection = Connection::open(&file).map_err(store::Error::from)?;
    let rate = commit_rows(&connection, sizes, batch, time).map_err(store::Error::from)?;
    drop(connection);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("raw-{batch}.db{end}")));
    }
    Ok(rate)
}

fn commit_rows(connection: &Connection, sizes: Sizes, batch: u32, time: Duration) -> rusqlite::Result<f64> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.execute_batch(
        "CREATE TABLE bench_row (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
         CREATE TABLE bench_entries (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
    )?;
    let (mut begin, mut commit) = (connection.prepare("BEGIN IMMEDIATE")?, connection.prepare("COMMIT")?);
    let mut add_row = connection.prepare("INSERT INTO bench_row (id, bytes) VALUES (?1, ?2)")?;
    let mut add_entries = connection.prepare("INSERT INTO bench_entries (id, bytes) VALUES (?1, ?2)")?;
    let row = vec![7_u8; sizes.record];
    let entries = vec![9_u8; sizes.entry.saturating_mul(batch as usize)];
    let (began, mut id) = (Instant::now(), 0_i64);
    while began.elapsed() < time {
        begin.execute([])?;
        for _ in 0..batch {
            id = id.saturating_add(1);
            add_row.execute(params![id, row])?;
        }
        add_entries.execute(params![id, entries])?;
        commit.execute([])?;
    }
    Ok(super::float(id.unsigned_abs()) / began.elapsed().as_secs_f64())
}

/// How the rows of a commit are sent to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// Each when the one before is answered, as the store does.
    InTurn,
    /// All before the first is answered.
    Together,
}

/// Rows a second on a server by the plain driver: the rows of [`group_commit`], one connection, without TLS.
pub(super) fn group_commit_on(
    address: &str,
    sizes: Sizes,
    batch: u32,
    sent: Sent,
    time: Duration,
) -> Result<f64, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let connected = tokio_postgres::connect(address, tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|error| broke(&error))?;
        tokio::spawn(connection);
        commit_rows_on(&client, sizes, batch, sent, time).await.map_err(|error| broke(&error))
    })
}

async fn commit_rows_on(
    client: &tokio_postgres::Client,
    sizes: Sizes,
    batch: u32,
    sent: Sent,
    time: Duration,
) -> Result<f64, tokio_postgres::Error> {
    client
        .batch_execute(
            "DROP TABLE IF EXISTS bench_row, bench_entries;
             CREATE TABLE bench_row (id bigint PRIMARY KEY, bytes bytea NOT NULL);
             CREATE TABLE bench_entries (id bigint PRIMARY KEY, bytes bytea NOT NULL);",
        )
        .await?;
    let add_row = client.prepare("INSERT INTO bench_row (id, bytes) VALUES ($1, $2)").await?;
    let add_entries = client.prepare("INSERT INTO bench_entries (id, bytes) VALUES ($1, $2)").await?;
    let row = vec![7_u8; sizes.record];
    let entries = vec![9_u8; sizes.entry.saturating_mul(batch as usize)];
    let (began, mut id) = (Instant::now(), 0_i64);
    while began.elapsed() < time {
        client.batch_execute("BEGIN").await?;
        let ids: Vec<i64> = (0..batch).map(|_| next(&mut id)).collect();
        if sent == Sent::InTurn {
            for id in &ids {
                client.execute(&add_row, &[id, &row]).await?;
            }
        } else {
            let (add_row, row) = (&add_row, &row);
            let adds = ids.iter().map(async |id| client.execute(add_row, &[id, row]).await);
            futures_util::future::try_join_all(adds).await?;
        }
        client.execute(&add_entries, &[&id, &entries]).await?;
        client.batch_execute("COMMIT").await?;
    }
    Ok(super::float(id.unsigned_abs()) / began.elapsed().as_secs_f64())
}

fn next(id: &mut i64) -> i64 {
    *id = id.saturating_add(1);
    *id
}

/// Bytes of a database on a server, its indexes included and the log of the server not.
pub(super) fn database_bytes(address: &str) -> Result<u64, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bytes: i64 = runtime.block_on(async {
        let connected = tokio_postgres::connect(address, tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|error| broke(&error))?;
        tokio::spawn(connection);
        let row = client.query_one("SELECT pg_database_size(current_database())", &[]).await;
        row.and_then(|row| row.try_get(0)).map_err(|error| broke(&error))
    })?;
    Ok(bytes.unsigned_abs())
}

/// The driver's words may hold the address.
fn broke(error: &tokio_postgres::Error) -> Problem {
    let code = error.code().map_or("no answer", tokio_postgres::error::SqlState::code);
    fault(format!("the baseline's database does not do what it has to ({code})"))
}

/// Nanoseconds to seal `count` texts of `length` bytes under one fresh AES-256-GCM key, its set-up included.
pub(super) fn aes_gcm(count: u8, length: usize) -> Result<f64, Problem> {
    let broken = |_| fault("AES-256-GCM failed");
    let mut buffer = vec![7_u8; length];
    best(2_000, || {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, black_box(&[5; 32])).map_err(broken)?);
        for number in 0..count {
            let nonce = Nonce::assume_unique_for_key([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number]);
            let _ = black_box(
                key.seal_in_place_separate_tag(nonce, Aad::from([3; 32]), &mut buffer).map_err(broken)?,
            );
        }
        Ok(())
    })
}

/// Nanoseconds to hash a leaf of `length` bytes and one node above it, and no more.
pub(super) fn leaf_and_node(length: usize) -> Result<f64, Problem> {
    let (leaf, node) = (vec![7_u8; length.saturating_add(1)], [9_u8; 65]);
    best(20_000, || {
        black_box((Sha256::digest(black_box(&leaf)), Sha256::digest(black_box(&node))));
        Ok(())
    })
}

/// Microseconds to write and sync 4 KiB, the median of `times`.
pub(super) fn sync_micros(folder: &Path, times: usize) -> Result<f64, Problem> {
    use std::io::{Seek, SeekFrom, Write};
    let path = folder.join("sync.probe");
    let mut file = std::fs::File::create(&path)?;
    file.write_all(&vec![0; 1 << 20])?;
    file.sync_all()?;
    let mut taken = Vec::with_capacity(times);
    for number in 0..times {
        file.seek(SeekFrom::Start((number as u64 % 256) << 12))?;
        let began = Instant::now();
        file.write_all(&[7; 4 << 10])?;
        file.sync_data()?;
        taken.push(began.elapsed().as_secs_f64() * 1e6);
    }
    std::fs::remove_file(path)?;
    Ok(super::median(&mut taken))
}

/// The best of nine rounds, nanoseconds a call: what something costs when nothing else gets in its way.
pub(super) fn best(calls: u32, mut call: impl FnMut() -> Result<(), Problem>) -> Result<f64, Problem> {
    let mut best = f64::MAX;
    for _ in 0..9 {
        let began = Instant::now();
        for _ in 0..calls {
            call()?;
        }
        best = best.min(began.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
    }
    Ok(best)
}
