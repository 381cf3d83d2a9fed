//! Which suite seals what: counted over every record, so that a move to another suite can be seen to be done.

use std::collections::BTreeMap;
use std::sync::Arc;

use seal::{Envelope, Suite};
use serde::{Deserialize, Serialize};

use crate::ground::house::House;
use crate::ground::{Problem, RecordId, Shop};
use crate::keep;

/// How many records are sealed with which suite.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteCount {
    /// The suite that seals now.
    pub suite: String,
    /// Records, by the suite of their envelope.
    pub records: BTreeMap<String, u64>,
    /// Records that name no suite: they were edited.
    pub unreadable: u64,
}

impl SuiteCount {
    /// Records that are sealed with another suite than the one that seals now.
    pub fn behind(&self) -> u64 {
        self.records.iter().filter(|(suite, _)| **suite != self.suite).map(|(_, count)| *count).sum()
    }
}

const PAGE: u32 = 512;

/// Counts a shop's records by their suites. Opens nothing, and reads every record: blocks.
///
/// Takes: who is told how far it has come, records of how many.
pub fn count_suites(
    house: &House,
    shop: &Arc<Shop>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<SuiteCount, Problem> {
    let mut count = SuiteCount { suite: shop.keys.suite().to_string(), ..SuiteCount::default() };
    let reading = Arc::clone(shop);
    let total =
        house.store.look_blocking::<_, Problem, _>(move |view| keep::count_records(view, &reading))?;
    let (mut after, mut done): (Option<RecordId>, u64) = (None, 0);
    loop {
        let reading = Arc::clone(shop);
        let page: Vec<(RecordId, Option<Suite>)> =
            house.store.look_blocking::<_, Problem, _>(move |view| {
                let records = keep::look_records_after(view, &reading, after, PAGE)?;
                let suite =
                    |record: keep::RecordRow| Envelope::parse(&record.sealed).map(|it| it.suite()).ok();
                Ok(records.into_iter().map(|(id, record)| (id, record.ok().and_then(suite))).collect())
            })?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = Some(*last);
        done = done.saturating_add(page.len() as u64);
        for (_, suite) in page {
            let counted = match suite {
                Some(suite) => count.records.entry(suite.to_string()).or_default(),
                None => &mut count.unreadable,
            };
            *counted = counted.saturating_add(1);
        }
        progress(done, total.max(done));
    }
}
