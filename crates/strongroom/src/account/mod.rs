//! Room `account`: the ledger as people and auditors see it.
//!
//! What is held: nothing of its own. It reads all, and writes only that it was read.
//!
//! Invariants:
//! - checkpoint and hash tiles are public; entries take the auditor's credential, and reading them is entered;
//! - a log is verified by the same code that a stranger runs offline;
//! - the deep check opens nothing for anybody: it authenticates every row, and holds each record against its last entry.
//!
//! Who may call: the desk. It reads every room.

pub mod blast;
pub mod deep;
mod deep_files;
pub mod http;
pub mod live;
pub mod server;
pub mod suites;

pub use blast::{BlastAsk, BlastRadius, Persons, blast_radius};
pub use deep::{DeepReport, Finding, deep_check};
pub use live::{LiveLog, export, verify_live, verify_log};
pub use server::{ServerFinding, ServerReport, look_at_pages, look_at_server};
pub use suites::{SuiteCount, count_suites};

use std::sync::Arc;

use ledger::entry::{Act, Entry, Figure, Outcome};
use store::Lane;

use crate::ground::house::House;
use crate::ground::web::Caller;
use crate::ground::{EntryId, Problem};

/// Enters that entries were read. Gives the entry's id.
pub async fn enter_reading(
    house: &Arc<House>,
    caller: &Caller,
    first: u64,
    last: u64,
) -> Result<EntryId, Problem> {
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            let mut entry = work.entry(Act::LedgerRead, Outcome::Yes);
            entry.figures = vec![(Figure::FirstIndex, first), (Figure::LastIndex, last)];
            work.enter_plain(entry)
        })
        .await?;
    Ok(committed.into_value())
}

/// The entry at a leaf, decoded.
pub async fn read_entry(house: &Arc<House>, id: EntryId) -> Result<Option<Entry>, Problem> {
    let bytes = house.look(move |view| Ok(view.leaf(id.log(), id.leaf())?)).await?;
    bytes.map(|bytes| Ok(Entry::decode(&bytes)?)).transpose()
}
