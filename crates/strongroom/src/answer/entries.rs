//! What the ledger says of one person: who used their data, for what, and when.
//!
//! An entry names nobody; it stands under the alias of the person's key. So only whoever can open that key finds them.

use std::sync::Arc;

use ledger::entry::{Act, Entry};
use store::Unpack;

use crate::ground::house::House;
use crate::ground::log::{first_since, shop_of_log};
use crate::ground::web::Caller;
use crate::ground::{Id, Problem, Shop, SubjectId};
use crate::keep;

/// So many are shown, the newest.
pub(super) const SHOWN: usize = 200;
/// Entries that are read at once.
const CHUNK: u64 = 1 << 14;

/// The newest entries about a person, the newest first, since an instant (µs UTC). Enters nothing: it is they who look, at what is theirs.
///
/// Fails: `SR-HTTP-015` when too many look at once.
pub(super) async fn about(
    house: &Arc<House>,
    caller: &Caller,
    subject: SubjectId,
    since: i64,
) -> Result<Vec<Entry>, Problem> {
    // A long log takes its time to read: there are so many places for that and no more.
    let _place = house.stream(&caller.actor)?;
    let Some(alias) = alias_of(house, &caller.shop, subject).await? else { return Ok(Vec::new()) };
    let number = caller.shop.number;
    let ranges = house
        .look(move |view| {
            let mut ranges = Vec::new();
            for log in view.logs()?.into_iter().filter(|log| shop_of_log(*log) == number) {
                let size = view.log_head(log)?.map_or(0, |head| head.size);
                ranges.push((log, first_since(view, log, size, since)?, size));
            }
            Ok::<_, Problem>(ranges)
        })
        .await?;
    let mut found = Vec::new();
    for (log, first, end) in ranges.into_iter().rev() {
        let mut to = end;
        while to > first && found.len() < SHOWN {
            let from = to.saturating_sub(CHUNK).max(first) / store::LEAVES_PER_TILE * store::LEAVES_PER_TILE;
            let packed = house.look(move |view| Ok::<_, Problem>(view.leaves_packed(log, from, to)?)).await?;
            let mut here: Vec<Entry> = Vec::new();
            for leaf in Unpack(&packed) {
                // Most are of others, and need not be decoded.
                if leaf.windows(alias.len()).any(|window| window == alias) {
                    let entry = Entry::decode(leaf)?;
                    if entry.alias == Some(alias) && entry.at >= since && is_told(&entry) {
                        here.push(entry);
                    }
                }
            }
            found.extend(here.into_iter().rev());
            to = from;
        }
    }
    found.truncate(SHOWN);
    Ok(found)
}

async fn alias_of(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    subject: SubjectId,
) -> Result<Option<[u8; 16]>, Problem> {
    let looking = Arc::clone(shop);
    let row = house.look(move |view| keep::find_subject(view, &looking, subject)).await?;
    let Some(row) = row else { return Ok(None) };
    let Some(key) = row.marking_key() else { return Ok(None) };
    Ok(Some(shop.keys.alias_of(subject.number(), key)?))
}

/// Is this something that was done with the person's data, or by them? The house's own upkeep is not shown.
fn is_told(entry: &Entry) -> bool {
    !matches!(entry.act, Act::Resealed | Act::Cleaned)
}
