//! Which suite seals what: counted over every record and file, so that a move to another suite can be seen to be done.

use std::collections::BTreeMap;
use std::sync::Arc;

use seal::{Envelope, Suite};
use serde::{Deserialize, Serialize};
use store::View;

use crate::ground::house::House;
use crate::ground::{Problem, RecordId, Shop};
use crate::keep::{self, RecordRow};

/// How much is sealed with which suite.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteCount {
    /// The suite that seals now.
    pub suite: String,
    /// Records, by the suite of their envelope.
    pub records: BTreeMap<String, u64>,
    /// Files, by the suite of their chunks.
    pub files: BTreeMap<String, u64>,
    /// Records and files that do not say, for they were edited.
    pub unreadable: u64,
}

impl SuiteCount {
    /// Records and files that are sealed with another suite than the one that seals now.
    pub fn behind(&self) -> u64 {
        let all = self.records.iter().chain(&self.files);
        all.filter(|(suite, _)| **suite != self.suite).map(|(_, count)| *count).sum()
    }

    fn add(&mut self, seen: &OneRecord) {
        let unreadable = &mut self.unreadable;
        let mut count = |suite: Option<Suite>, by_suite: &mut BTreeMap<String, u64>| {
            let counted = match suite {
                Some(suite) => by_suite.entry(suite.to_string()).or_default(),
                None => &mut *unreadable,
            };
            *counted = counted.saturating_add(1);
        };
        count(seen.envelope, &mut self.records);
        seen.files.iter().for_each(|suite| count(*suite, &mut self.files));
    }
}

/// The suites of a record and of its files; `None` where it cannot be told.
#[derive(Default)]
struct OneRecord {
    envelope: Option<Suite>,
    files: Vec<Option<Suite>>,
}

const PAGE: u32 = 512;

/// Counts a shop's records and files by their suites. Shows nobody anything, and reads every record: blocks.
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
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            let records = keep::look_records_after(view, &reading, after, PAGE)?;
            let look = |(id, record): (RecordId, Result<RecordRow, Problem>)| {
                Ok((
                    id,
                    record.map_or_else(
                        |_| Ok(OneRecord::default()),
                        |record| look_at(view, &reading, &record),
                    )?,
                ))
            };
            records.into_iter().map(look).collect::<Result<Vec<_>, Problem>>()
        })?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = Some(*last);
        done = done.saturating_add(page.len() as u64);
        for (_, seen) in &page {
            count.add(seen);
        }
        progress(done, total.max(done));
    }
}

fn look_at(view: &View<'_>, shop: &Shop, record: &RecordRow) -> Result<OneRecord, Problem> {
    let envelope = Envelope::parse(&record.sealed).map(|envelope| envelope.suite()).ok();
    if record.clear.files.is_empty() {
        return Ok(OneRecord { envelope, files: Vec::new() });
    }
    let subject = match keep::find_subject(view, shop, record.id.subject()) {
        Ok(subject) => subject,
        Err(problem) if problem.is_of_a_row() => None,
        Err(problem) => return Err(problem),
    };
    let mut files = Vec::with_capacity(record.clear.files.len());
    for mark in &record.clear.files {
        let suite = subject.as_ref().map(|subject| {
            keep::with_envelope(shop, subject, record, |origin, keys| {
                seal::file_suite(origin, |head| keys.find(head), mark.field)
            })
        });
        match suite {
            // Under a key that died it is no file any more.
            Some(Ok(None)) => {}
            Some(Ok(suite)) => files.push(suite),
            _ => files.push(None),
        }
    }
    Ok(OneRecord { envelope, files })
}
