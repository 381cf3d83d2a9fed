//! Page checksums.
//!
//! The last 8 bytes of a page are kept free by SQLite (byte 20 of the header says so) and hold XXH3-64 of the rest, joined with
//! the page's number: a flipped byte is noticed, and so is a page that lies in another's place. They are written when the page
//! is written to the database, and compared when it is read from there. A page in the WAL has SQLite's own checksum, which
//! SQLite compares when it recovers and never again; here it is compared with every read, so that damage is not carried from the
//! WAL into the database under a fresh checksum.
//!
//! It names damage, not deceit: whoever can write the file can write the checksum. Deceit is for the MACs and the ledger.
//!
//! SOURCE: sqlite.org/cksumvfs.html (the reserved bytes); sqlite.org/fileformat2.html (pages, frames of a WAL).

use std::cell::Cell;
use std::ffi::{CStr, c_int};

use rusqlite::ffi as sql;
use twox_hash::XxHash3_64;

use crate::shim::{self, Below, FileLayer, Kind, Layer};

/// What SQLite answers when a page is not what was written: a kind of `SQLITE_CORRUPT` that it does not use itself.
///
/// Not a kind of `SQLITE_IOERR`: that would end the transaction of everybody who shares it.
pub const DAMAGED: c_int = sql::SQLITE_CORRUPT | (0x53 << 8);

/// Bytes at the end of a page that hold its checksum.
const ROOM: usize = 8;
/// Where the header of a database says how many bytes at the end of each page are free.
const ROOM_SAID_AT: usize = 20;
/// Order: the pages of this database get checksums, though it has no header yet that says so.
const STAMP: c_int = 0x5352_0001;
/// Every n-th byte of a database, from here, is the first of the page that SQLite locks with. It is never written.
const LOCK_BYTE: i64 = 0x4000_0000;

/// Where damage was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Number of the page, from 1.
    pub page: u64,
    /// Was it read from the WAL?
    pub in_wal: bool,
}

thread_local! {
    static LAST: Cell<Option<Damage>> = const { Cell::new(None) };
}

/// The page that this thread last found damaged.
pub fn last_damage() -> Option<Damage> {
    LAST.get()
}

/// Forgets it: what is found from now on is of what begins now.
pub fn forget_damage() {
    LAST.set(None);
}

fn damaged(page: u64, in_wal: bool) -> c_int {
    LAST.set(Some(Damage { page, in_wal }));
    DAMAGED
}

/// Keeps room for checksums in a database that has no page yet, and in one that is vacuumed.
pub fn keep_room(connection: &rusqlite::Connection) -> bool {
    shim::reserve(connection, c_int::try_from(ROOM).unwrap_or(0))
}

/// Says that the pages of a new database get checksums before its first page, which says so, is written: for the target of a copy
/// out of a database that has them, whose pages can be written in any order. One that is put into the mode of the WAL before
/// anything else needs no such word, for that writes its first page.
pub fn stamp(connection: &rusqlite::Connection) -> bool {
    shim::order(connection, STAMP)
}

/// Do the pages of this database carry checksums? Begins to read, so that what is read behind it in the same transaction is of the
/// same state; but what the WAL holds of the first page does not count.
///
/// Fails: when the first page cannot be read, or is not believed.
pub fn has_checksums(connection: &rusqlite::Connection) -> Result<bool, rusqlite::Error> {
    connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0))?;
    let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let length = usize::try_from(page_size).unwrap_or(0);
    let said = shim::with_file(connection, |file| believed(file, length));
    said.unwrap_or(Err(sql::SQLITE_IOERR)).map_err(fault)
}

fn fault(rc: c_int) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(sql::Error::new(rc), None)
}

/// What a walk over all pages found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    /// Pages looked at.
    pub pages: u64,
    /// Numbers of those that are not what was written, or cannot be read; the first thousand.
    pub damaged: Vec<u64>,
}

/// Reads every page of the database file, past the engine: also those that hold nothing at present.
///
/// What is only in the WAL is not looked at. A page that is being written meanwhile is read again before it is called damaged. A
/// file without checksums has no page that is damaged, but may have some that cannot be read.
///
/// Fails: when it cannot be said how many pages there are.
pub fn damaged_pages(connection: &rusqlite::Connection) -> Result<Walked, rusqlite::Error> {
    let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let length = usize::try_from(page_size).ok().filter(|length| is_page(*length));
    let length = length.ok_or_else(|| fault(sql::SQLITE_CORRUPT))?;
    let walked = shim::with_file(connection, |file| {
        let pages = file.size()?.checked_div(page_size)?;
        let mut bytes = vec![0_u8; length];
        let mut walked = Walked::default();
        for page in 0..pages {
            let at = page.saturating_mul(page_size);
            if at == LOCK_BYTE.saturating_sub(LOCK_BYTE.rem_euclid(page_size)) {
                continue;
            }
            walked.pages = walked.pages.saturating_add(1);
            // Reads through our own file, which compares.
            let whole = (0..TRIES).any(|_| match file.read(&mut bytes, at) {
                sql::SQLITE_OK | sql::SQLITE_IOERR_SHORT_READ => true, // or the file has become shorter meanwhile
                DAMAGED => page > 0 && bytes.iter().all(|byte| *byte == 0), // never written
                _ => false,
            });
            if !whole && walked.damaged.len() < LISTED {
                walked.damaged.push(u64::try_from(page).unwrap_or(0).saturating_add(1));
            }
        }
        Some(walked)
    });
    walked.flatten().ok_or_else(|| fault(sql::SQLITE_IOERR_FSTAT))
}

/// Times that a page is read before it is called damaged.
const TRIES: usize = 5;
/// Damaged pages that are listed at the most.
const LISTED: usize = 1_000;

/// The layer.
pub(crate) struct Checks;

impl Layer for Checks {
    type File = File;

    fn open(&self, _path: Option<&CStr>, kind: Kind) -> Result<File, c_int> {
        Ok(match kind {
            Kind::Database => File::Database(Database { checks: false, page: Vec::new() }),
            Kind::Wal => File::Wal(Wal::default()),
            Kind::Other => File::Other,
        })
    }
}

/// An open file.
pub(crate) enum File {
    Database(Database),
    Wal(Wal),
    Other,
}

impl FileLayer for File {
    // INVARIANT: pages are read whole. With `SUBPAGE_READ` SQLite would read parts of large values past the checksum.
    const HIDDEN: c_int = sql::SQLITE_IOCAP_SUBPAGE_READ | sql::SQLITE_IOCAP_BATCH_ATOMIC;

    fn after_read(&mut self, below: &Below, bytes: &[u8], at: i64) -> c_int {
        match self {
            File::Database(database) => database.after_read(below, bytes, at),
            File::Wal(wal) => wal.after_read(below, bytes, at),
            File::Other => sql::SQLITE_OK,
        }
    }

    fn write(&mut self, below: &Below, bytes: &[u8], at: i64) -> c_int {
        match self {
            File::Database(database) => database.write(below, bytes, at),
            File::Wal(wal) => {
                wal.before_write(bytes.len(), at);
                below.write(bytes, at)
            }
            File::Other => below.write(bytes, at),
        }
    }

    fn order(&mut self, number: c_int) -> bool {
        match self {
            File::Database(database) if number == STAMP => {
                database.checks = true;
                true
            }
            _ => false,
        }
    }
}

/// Can this be a whole page? SQLite reads and writes smaller parts of a header, too.
fn is_page(length: usize) -> bool {
    (512..=65_536).contains(&length) && length.is_power_of_two()
}

/// Number of the page of this length that begins here, if one does.
fn page_at(length: usize, at: i64) -> Option<u64> {
    let (length, at) = (u64::try_from(length).ok()?, u64::try_from(at).ok()?);
    (at.checked_rem(length)? == 0).then(|| at.checked_div(length)?.checked_add(1)).flatten()
}

/// The checksum of a page's bytes, without those that hold it, at its place.
fn checksum(rest: &[u8], page: u64) -> [u8; ROOM] {
    // The number is spread over all bits by an odd multiplier, so that neighbours differ in more than one.
    (XxHash3_64::oneshot(rest) ^ page.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes()
}

fn is_whole(bytes: &[u8], page: u64) -> bool {
    bytes.split_last_chunk::<ROOM>().is_some_and(|(rest, found)| *found == checksum(rest, page))
}

/// An open database file.
pub(crate) struct Database {
    /// Do its pages carry checksums? Once that was seen it holds, whatever a later read of the header says.
    checks: bool,
    /// Where a page gets its checksum before it is written: what SQLite gives is not ours to change.
    page: Vec<u8>,
}

impl Database {
    /// Takes: the length of a page. Fails: when the first page cannot be read, or is not believed.
    fn checks(&mut self, below: &Below, length: usize) -> Result<bool, c_int> {
        if !self.checks {
            self.checks = believed(below, length)?;
        }
        Ok(self.checks)
    }

    fn after_read(&mut self, below: &Below, bytes: &[u8], at: i64) -> c_int {
        let Some(page) = page_at(bytes.len(), at).filter(|_| is_page(bytes.len())) else {
            return sql::SQLITE_OK;
        };
        match self.checks(below, bytes.len()) {
            Ok(true) if !is_whole(bytes, page) => damaged(page, false),
            Ok(_) => sql::SQLITE_OK,
            Err(rc) => rc,
        }
    }

    fn write(&mut self, below: &Below, bytes: &[u8], at: i64) -> c_int {
        let Some(page) = page_at(bytes.len(), at).filter(|_| is_page(bytes.len())) else {
            return below.write(bytes, at);
        };
        if page == 1 && says_room(bytes) {
            self.checks = true; // a new database, or one that was vacuumed
        }
        match self.checks(below, bytes.len()) {
            Ok(true) => {}
            Ok(false) => return below.write(bytes, at),
            Err(rc) => return rc,
        }
        // INVARIANT: no write takes the checksums away. A journal can be damaged, too, and so can memory.
        if page == 1 && !says_room(bytes) {
            return damaged(1, false);
        }
        self.page.clear();
        self.page.extend_from_slice(bytes);
        if let Some((rest, room)) = self.page.split_last_chunk_mut::<ROOM>() {
            *room = checksum(rest, page);
        }
        below.write(&self.page, at)
    }
}

/// Does this first page, or as much of it as there is, say that there are checksums?
fn says_room(page: &[u8]) -> bool {
    page.get(ROOM_SAID_AT).copied().map(usize::from) == Some(ROOM)
}

/// What the first page of a file says of checksums.
///
/// One that says yes is believed: a database without any would be refused, which does no harm. One that says no is not when it, or
/// the page behind it, has one: then the byte that says so was changed, and every page would be read as it is. Whatever page is
/// asked for, the answer is then that the first one is damaged. Takes: the length of a page, as SQLite reads them now; it may
/// have it from the WAL, and the file's own header say something else.
fn believed(below: &Below, length: usize) -> Result<bool, c_int> {
    let mut page = vec![0_u8; length];
    if !read_there(below, page.get_mut(..=ROOM_SAID_AT).unwrap_or_default(), 0)? {
        return Ok(false); // there is no first page yet
    }
    if says_room(&page) {
        return Ok(true);
    }
    let first = read_there(below, &mut page, 0)? && {
        if let (Some(said), Ok(room)) = (page.get_mut(ROOM_SAID_AT), u8::try_from(ROOM)) {
            *said = room;
        }
        is_whole(&page, 1)
    };
    let second = i64::try_from(length).unwrap_or(i64::MAX);
    let had = first || read_there(below, &mut page, second)? && is_whole(&page, 2);
    if had { Err(damaged(1, false)) } else { Ok(false) }
}

/// Reads what is there. Gives whether it was all.
fn read_there(below: &Below, bytes: &mut [u8], at: i64) -> Result<bool, c_int> {
    match below.read(bytes, at) {
        sql::SQLITE_OK => Ok(true),
        sql::SQLITE_IOERR_SHORT_READ => Ok(false),
        rc => Err(rc),
    }
}

/// An open WAL: a header of 32 bytes, then frames, each a header of 24 bytes and a page. A frame's checksum goes on from the one
/// of the frame before.
#[derive(Default)]
pub(crate) struct Wal {
    /// Where the header of a frame was last written.
    header_at: Option<i64>,
    /// Pages from this frame on were written again in an open transaction. SQLite makes their checksums anew when it commits; until
    /// then there is nothing to compare them with. Only this connection can see them.
    anew_from: Option<i64>,
}

const WAL_HEADER: i64 = 32;
const FRAME_HEADER: i64 = 24;

impl Wal {
    /// Where the frame begins whose page of this length begins at `at`.
    fn frame_of(length: usize, at: i64) -> Option<i64> {
        let frame = at.checked_sub(FRAME_HEADER)?;
        let size = FRAME_HEADER.checked_add(i64::try_from(length).ok()?)?;
        let behind = frame.checked_sub(WAL_HEADER).filter(|behind| *behind >= 0)?;
        (behind.checked_rem(size)? == 0).then_some(frame)
    }

    fn before_write(&mut self, length: usize, at: i64) {
        if i64::try_from(length) == Ok(FRAME_HEADER) {
            self.header_at = Some(at);
            self.anew_from = self.anew_from.filter(|from| at > *from);
            return;
        }
        if let Some(frame) = Self::frame_of(length, at).filter(|_| is_page(length))
            && self.header_at != Some(frame)
        {
            self.anew_from = Some(self.anew_from.map_or(frame, |from| from.min(frame)));
        }
        self.header_at = None;
    }

    fn after_read(&mut self, below: &Below, bytes: &[u8], at: i64) -> c_int {
        let Some(frame) = Self::frame_of(bytes.len(), at).filter(|_| is_page(bytes.len())) else {
            return sql::SQLITE_OK;
        };
        if self.anew_from.is_some_and(|from| frame >= from) {
            return sql::SQLITE_OK;
        }
        match compare_frame(below, bytes, frame) {
            Some(Compared { page: _, whole: true }) => sql::SQLITE_OK,
            Some(Compared { page, whole: false }) => damaged(page, true),
            None => sql::SQLITE_IOERR_READ,
        }
    }
}

struct Compared {
    page: u64,
    whole: bool,
}

/// Does the frame go on from the one before it? `None` when a header cannot be read.
fn compare_frame(below: &Below, page: &[u8], frame: i64) -> Option<Compared> {
    let mut wal = [0_u8; 32];
    let mut header = [0_u8; 24];
    let read = |bytes: &mut [u8], at| (below.read(bytes, at) == sql::SQLITE_OK).then_some(());
    read(&mut wal, 0)?;
    read(&mut header, frame)?;
    let (of_wal, salts, first) = (word(&wal, 0)?, wal.get(16..24)?, wal.get(24..32)?);
    let mut before = [0_u8; 24];
    let from = if frame == WAL_HEADER {
        first
    } else {
        let size = FRAME_HEADER.checked_add(i64::try_from(page.len()).ok()?)?;
        read(&mut before, frame.checked_sub(size)?)?;
        before.get(16..24)?
    };
    // The lowest bit of the magic number says in which order the bytes of a word are summed.
    let sum = if of_wal & 1 == 1 { sum::<true> } else { sum::<false> };
    let state = (word(from, 0)?, word(from, 4)?);
    let (one, two) = sum(sum(state, header.get(..8)?), page);
    let whole = header.get(8..16)? == salts && (one, two) == (word(&header, 16)?, word(&header, 20)?);
    Some(Compared { page: u64::from(word(&header, 0)?), whole })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// SQLite's checksum of a WAL, over words of 32 bits.
fn sum<const BIG: bool>(state: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let (mut one, mut two) = state;
    let number = |bytes: &[u8; 4]| if BIG { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) };
    let (pairs, _) = bytes.as_chunks::<4>();
    let (pairs, _) = pairs.as_chunks::<2>();
    for [left, right] in pairs {
        one = one.wrapping_add(number(left)).wrapping_add(two);
        two = two.wrapping_add(number(right)).wrapping_add(one);
    }
    (one, two)
}
