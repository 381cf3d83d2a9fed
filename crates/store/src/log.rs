//! The rows of the logs: leaves packed as they were committed, full hash tiles, one head per log.
//!
//! What a leaf says, and how hashes are made of leaves, is not known here: a [`LogBook`] does that.

use crate::engine::{Engine, Step};
use crate::error::Error;
use crate::sql::{Sql, Value};
use crate::tx::{Effects, View};

/// Leaves in one row and in one tile at the most. SOURCE: C2SP tlog-tiles, tile height 8.
pub const LEAVES_PER_TILE: u64 = 256;
/// Numbers of one log: 2^40 leaves, so that (log, leaf) fits one integer key.
const LEAF_BITS: u32 = 40;
const LOGS: i64 = 1 << 22;

/// Turns leaves into hashes. Everything between two calls of [`LogBook::keep`] or [`LogBook::discard`] is tentative.
pub trait LogBook: Send {
    /// Leaves in a log, as of the last [`LogBook::keep`].
    fn size(&self, log: i64) -> u64;
    /// Takes the next leaves of a log. Gives what is to be stored of them.
    fn append(&mut self, log: i64, leaves: &[&[u8]]) -> Result<Appended, Error>;
    /// The transaction committed.
    fn keep(&mut self);
    /// The transaction was rolled back: forget what was appended since the last `keep`.
    fn discard(&mut self);
    /// Another server may have entered something for a shop: read the ends of its logs again.
    fn catch_up(&mut self, view: &View<'_>, shop: i64) -> Result<(), Error>;
}

/// Is told of destroyed keys after COMMIT and before the caller is answered.
pub trait Witness: Send {
    /// Writes the ids where a restore will read them, and syncs.
    fn destroyed(&mut self, key_ids: &[[u8; 16]]) -> Result<(), Error>;
}

/// What a log has become.
#[derive(Debug)]
pub struct Appended {
    /// Number of the first new leaf.
    pub first: u64,
    /// Leaves in the log now.
    pub size: u64,
    /// Merkle root over them.
    pub root: [u8; 32],
    /// Hash tiles that became full.
    pub tiles: Vec<FullTile>,
}

/// A full hash tile.
#[derive(Debug)]
pub struct FullTile {
    /// Level, 0 for hashes of leaves.
    pub level: u8,
    /// Position in the level.
    pub index: u64,
    /// 256 hashes.
    pub bytes: Vec<u8>,
}

/// Size and root of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Leaves in the log.
    pub size: u64,
    /// Merkle root over them.
    pub root: [u8; 32],
}

crate::statements! {
    /// A run of leaves, as committed together.
    ADD_LEAVES = "INSERT INTO leaf (id, packed) VALUES ($1, $2)";
    ADD_TILE = "INSERT INTO tile (log, level, position, hashes) VALUES ($1, $2, $3, $4)";
    SET_HEAD = "INSERT INTO log_head (log, size, root) VALUES ($1, $2, $3)
                ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root";
    FIND_HEAD = "SELECT size, root FROM log_head WHERE log = $1";
    LIST_LOGS = "SELECT log FROM log_head ORDER BY log";
    /// The run of leaves that begins at or before a number.
    FIND_LEAVES_AT = "SELECT id, packed FROM leaf WHERE id <= $1 ORDER BY id DESC LIMIT 1";
    LIST_LEAVES = "SELECT id, packed FROM leaf WHERE id >= $1 AND id < $2 ORDER BY id";
    FIND_TILE = "SELECT hashes FROM tile WHERE log = $1 AND level = $2 AND position = $3";
}

/// Key of a leaf row. Fails: `SR-STORE-014` past the last number.
fn leaf_key(log: i64, leaf: u64) -> Result<i64, Error> {
    let broken = Error::BrokenLog { log, leaf };
    let leaf = i64::try_from(leaf).map_err(|_| broken.clone())?;
    if leaf >> LEAF_BITS != 0 || !(0..LOGS).contains(&log) {
        return Err(broken);
    }
    Ok((log << LEAF_BITS) | leaf)
}

/// What the leaves of a batch have become.
pub(crate) struct Written {
    /// The numbers of each unit's leaves.
    pub(crate) numbers: Vec<Vec<u64>>,
    /// By what it is known afterwards whether the batch was committed; nothing, when it entered nothing.
    pub(crate) sign: Option<Sign>,
}

/// A row of leaves. They hold salted commitments, so that nobody else's row can be the same by chance, and its place says when.
pub(crate) struct Sign {
    id: i64,
    packed: Vec<u8>,
}

impl Sign {
    /// Does the row stand in its place?
    pub(crate) fn is_there(&self, view: &View<'_>) -> Result<bool, Error> {
        let found = view.find(&FIND_LEAVES_AT, crate::params![self.id], |row| {
            Ok((row.int(0)?, row.bytes(1)? == self.packed))
        })?;
        Ok(found == Some((self.id, true)))
    }
}

/// Integrates the leaves of a batch, log by log, and gives each unit its numbers.
pub(crate) fn integrate(
    engine: &dyn Engine,
    book: &mut dyn LogBook,
    effects: &[Effects],
) -> Result<Written, Error> {
    let mut sign = None;
    let mut numbers: Vec<Vec<u64>> = effects.iter().map(|effects| vec![0; effects.leaves.len()]).collect();
    let mut logs: Vec<i64> = effects.iter().flat_map(|e| e.leaves.iter().map(|(log, _)| *log)).collect();
    logs.sort_unstable();
    logs.dedup();
    for log in logs {
        let leaves: Vec<&[u8]> = effects
            .iter()
            .flat_map(|e| e.leaves.iter().filter(|(of, _)| *of == log).map(|(_, leaf)| leaf.as_slice()))
            .collect();
        let appended = book.append(log, &leaves)?;
        let written = write(engine, log, &leaves, &appended)?;
        sign = sign.or(written);
        let mut next = appended.first;
        for (effects, numbers) in effects.iter().zip(numbers.iter_mut()) {
            let of_this_log = effects.leaves.iter().zip(numbers.iter_mut()).filter(|((of, _), _)| *of == log);
            for (_, number) in of_this_log {
                *number = next;
                next = next.saturating_add(1);
            }
        }
    }
    Ok(Written { numbers, sign })
}

/// Writes the leaves, tiles and head of a log. Gives the first row.
fn write(
    engine: &dyn Engine,
    log: i64,
    leaves: &[&[u8]],
    appended: &Appended,
) -> Result<Option<Sign>, Error> {
    let mut rows = Vec::new();
    let mut first = appended.first;
    let mut rest = leaves;
    while !rest.is_empty() {
        // A row never crosses a tile's edge, so a bundle is a whole number of rows.
        let room = LEAVES_PER_TILE.saturating_sub(first % LEAVES_PER_TILE);
        let (now, later) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        let mut packed = Vec::with_capacity(now.iter().map(|leaf| leaf.len().saturating_add(2)).sum());
        for leaf in now {
            let length = u16::try_from(leaf.len()).map_err(|_| Error::BrokenLog { log, leaf: first })?;
            packed.extend_from_slice(&length.to_be_bytes());
            packed.extend_from_slice(leaf);
        }
        rows.push(Sign { id: leaf_key(log, first)?, packed });
        first = first.saturating_add(now.len() as u64);
        rest = later;
    }
    let adds: Vec<[Value<'_>; 2]> = rows.iter().map(|row| [row.id.into(), (&row.packed).into()]).collect();
    let tiles: Vec<[Value<'_>; 4]> = appended
        .tiles
        .iter()
        .map(|tile| [log.into(), tile.level.into(), signed(tile.index).into(), (&tile.bytes).into()])
        .collect();
    let head: [Value<'_>; 3] = [log.into(), signed(appended.size).into(), (&appended.root).into()];
    let mut changes: Vec<(&'static Sql, &[Value<'_>])> =
        adds.iter().map(|row| (&ADD_LEAVES, row.as_slice())).collect();
    changes.extend(tiles.iter().map(|tile| (&ADD_TILE, tile.as_slice())));
    changes.push((&SET_HEAD, &head));
    engine.run_all(&changes)?;
    Ok(rows.into_iter().next())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl View<'_> {
    /// Size and root of a log. `None` when nothing was ever entered in it.
    pub fn log_head(&self, log: i64) -> Result<Option<Head>, Error> {
        self.find(&FIND_HEAD, crate::params![log], |row| {
            Ok(Head { size: row.number(0)?, root: row.array(1)? })
        })
    }

    /// The logs that have a head, in order.
    pub fn logs(&self) -> Result<Vec<i64>, Error> {
        self.list(&LIST_LOGS, &[], |row| row.int(0))
    }

    /// One leaf. `None` past the end. Fails: `SR-STORE-014` when a leaf that must be there is not.
    pub fn leaf(&self, log: i64, leaf: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(head) = self.log_head(log)? else { return Ok(None) };
        if leaf >= head.size {
            return Ok(None);
        }
        let broken = Error::BrokenLog { log, leaf };
        let wanted = leaf_key(log, leaf)?;
        let found = self
            .find(&FIND_LEAVES_AT, crate::params![wanted], |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())))?;
        let (first, packed) = found.ok_or_else(|| broken.clone())?;
        let skip = usize::try_from(wanted.saturating_sub(first)).map_err(|_| broken.clone())?;
        let leaf = Unpack(&packed).nth(skip).ok_or(broken)?;
        Ok(Some(leaf.to_vec()))
    }

    /// The leaves `from..to`, packed as tlog-tiles bundles are (length as two bytes, then the leaf). The bounds
    /// lie on tile edges, or at the end of the log.
    pub fn leaves_packed(&self, log: i64, from: u64, to: u64) -> Result<Vec<u8>, Error> {
        let mut packed = Vec::new();
        let mut next = from;
        self.each(&LIST_LEAVES, crate::params![leaf_key(log, from)?, leaf_key(log, to)?], |row| {
            if row.int(0)? != leaf_key(log, next)? {
                return Err(Error::BrokenLog { log, leaf: next });
            }
            let bytes = row.bytes(1)?;
            next = next.saturating_add(Unpack(bytes).count() as u64);
            packed.extend_from_slice(bytes);
            Ok(Step::Next)
        })?;
        if next == to { Ok(packed) } else { Err(Error::BrokenLog { log, leaf: next }) }
    }

    /// A full hash tile.
    pub fn tile(&self, log: i64, level: u8, position: u64) -> Result<Option<Vec<u8>>, Error> {
        self.find(&FIND_TILE, crate::params![log, level, signed(position)], |row| Ok(row.bytes(0)?.to_vec()))
    }
}

/// Walks the leaves of a packed row. Stops at bytes that are not a whole leaf.
#[derive(Debug, Clone)]
pub struct Unpack<'a>(pub &'a [u8]);

impl<'a> Iterator for Unpack<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.0 = rest;
        Some(leaf)
    }
}
