//! Reading several records: as many as are wanted, and never more bytes than one unit of work may hold.

use store::{Row, Sql, Step, Value, View, params};

use super::{RecordRow, record_row, sql};
use crate::ground::problem::Looked;
use crate::ground::{Problem, RecordId, Shop, SubjectId};

/// Sealed bytes that are read at once. A record has up to 4 MiB: a hundred of them would hold up the writer, and fill
/// memory. One record is always read, whatever its length.
pub const LISTED_BYTES: usize = 8 << 20;

/// Which records of a subject are wanted first when not all can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were made.
    OldestFirst,
    /// The latest first.
    NewestFirst,
}

/// Records that were read, and whether there are more.
#[derive(Debug)]
pub struct Listing {
    /// The records.
    pub records: Vec<RecordRow>,
    /// There are more: past the number that was wanted, or past [`LISTED_BYTES`].
    pub more: bool,
    limit: u32,
    bytes: usize,
}

impl Listing {
    /// An empty one, that takes so many records.
    pub fn of_at_most(limit: u32) -> Listing {
        Listing { records: Vec::new(), more: false, limit, bytes: 0 }
    }

    /// Adds a subject's records: of one kind, or of all. Nothing comes behind a record that had no room.
    pub fn add(
        &mut self,
        view: &View<'_>,
        shop: &Shop,
        subject: SubjectId,
        kind: Option<u8>,
        order: Order,
    ) -> Result<(), Problem> {
        if self.more {
            return Ok(());
        }
        let (first, last) =
            kind.map_or_else(|| RecordId::all_of(subject), |kind| RecordId::all_of_kind(subject, kind));
        let sql = match order {
            Order::OldestFirst => &sql::LIST_RECORDS,
            Order::NewestFirst => &sql::LIST_NEWEST_RECORDS,
        };
        // One past the limit, to see whether there is one.
        let limit = self.left().saturating_add(1);
        self.read(view, sql, params![first.column(), last.column(), shop.column(), limit])
    }

    /// Adds a subject's records of all kinds as they were made, behind one of them.
    pub fn add_behind(
        &mut self,
        view: &View<'_>,
        shop: &Shop,
        subject: SubjectId,
        after: Option<RecordId>,
    ) -> Result<(), Problem> {
        let (first, last) = RecordId::all_of(subject);
        let first = after.map_or(first.column(), |after| after.column().saturating_add(1));
        let limit = self.left().saturating_add(1);
        self.read(view, &sql::LIST_RECORDS, params![first, last.column(), shop.column(), limit])
    }

    fn left(&self) -> u32 {
        self.limit.saturating_sub(u32::try_from(self.records.len()).unwrap_or(u32::MAX))
    }

    fn read(&mut self, view: &View<'_>, sql: &'static Sql, params: &[Value<'_>]) -> Result<(), Problem> {
        let mut left = self.left();
        let (mut rows, mut bytes, mut more) = (Vec::new(), self.bytes, false);
        let mut none = self.records.is_empty();
        view.each(sql, params, |row| {
            if left > 0 {
                bytes = bytes.saturating_add(row.bytes(3)?.len());
            }
            if left == 0 || (bytes > LISTED_BYTES && !none) {
                more = true;
                return Ok(Step::Stop);
            }
            rows.push(read_record(row)?);
            left = left.saturating_sub(1);
            none = false;
            Ok(Step::Next)
        })?;
        (self.bytes, self.more) = (bytes, more);
        for (id, version, clear, sealed) in rows {
            self.records.push(record_row(id, version, clear, sealed)?);
        }
        Ok(())
    }
}

type RawRecord = (RecordId, u32, Vec<u8>, Vec<u8>);

fn read_record(row: &Row<'_>) -> Result<RawRecord, store::Error> {
    Ok((RecordId::from_column(row.int(0)?), row.number(1)?, row.bytes(2)?.to_vec(), row.bytes(3)?.to_vec()))
}

/// Records of a subject: of one kind, or of all. At most `limit`.
pub fn list_records(
    view: &View<'_>,
    shop: &Shop,
    subject: SubjectId,
    kind: Option<u8>,
    order: Order,
    limit: u32,
) -> Result<Listing, Problem> {
    let mut listing = Listing::of_at_most(limit);
    listing.add(view, shop, subject, kind, order)?;
    Ok(listing)
}

/// Records behind a number, of all subjects of a shop; for sweeps and deep checks, page by page. Gives none at the end only.
pub fn list_records_after(
    view: &View<'_>,
    shop: &Shop,
    after: Option<RecordId>,
    limit: u32,
) -> Result<Vec<RecordRow>, Problem> {
    let after = after.map_or(-1, RecordId::column);
    let mut listing = Listing::of_at_most(limit);
    listing.read(view, &sql::LIST_RECORDS_AFTER, params![after, shop.column(), limit])?;
    Ok(listing.records)
}

/// The same, each record with what is wrong with it: for whoever steps over a row that cannot be read, instead of stopping at it.
pub fn look_records_after(
    view: &View<'_>,
    shop: &Shop,
    after: Option<RecordId>,
    limit: u32,
) -> Result<Looked<RecordId, RecordRow>, Problem> {
    let after = after.map_or(-1, RecordId::column);
    let (mut rows, mut bytes) = (Vec::new(), 0_usize);
    view.each(&sql::LIST_RECORDS_AFTER, params![after, shop.column(), limit], |row| {
        bytes = bytes.saturating_add(row.bytes(3)?.len());
        if bytes > LISTED_BYTES && !rows.is_empty() {
            return Ok(Step::Stop);
        }
        rows.push(read_record(row)?);
        Ok(Step::Next)
    })?;
    let look = |(id, version, clear, sealed): RawRecord| (id, record_row(id, version, clear, sealed));
    Ok(rows.into_iter().map(look).collect())
}
