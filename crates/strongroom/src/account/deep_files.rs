//! The deep check of files: chunks are counted and hashed as they lie, and held against what the record's seal says of them.
//! Nothing is opened.

use std::sync::Arc;

use super::deep::{DeepReport, found};
use crate::ground::house::House;
use crate::ground::{Problem, Shop};
use crate::keep;
use crate::keep::files::{self, FileState};

const PAGE: u32 = 64;
/// Files whose chunks are looked for in one state of the database.
const STRAYS_AT_ONCE: usize = 256;

/// Every file of a shop, and every chunk that belongs to none.
pub(super) fn check_files(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    report: &mut DeepReport,
) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let reading = Arc::clone(shop);
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            files::list_files_after(view, &reading, after, PAGE)
        })?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (_, row) in page {
            let Ok(row) = row else {
                found(report, "SR-DEEP-030", "a row of `file` was edited", None);
                continue;
            };
            if let Some((code, what)) = wrong_with(house, shop, row.file)? {
                found(report, code, what, Some(house.ids.show(row.record)));
            }
        }
    }
    check_strays(house, shop, report)
}

/// What is wrong with a file that a record should name, if anything is. Row, record and chunks are of one state.
fn wrong_with(
    house: &House,
    shop: &Arc<Shop>,
    file: u64,
) -> Result<Option<(&'static str, &'static str)>, Problem> {
    let reading = Arc::clone(shop);
    house.store.look_blocking(move |view| {
        let row = files::find_file(view, &reading, file)?;
        let Some(row) = row.filter(|row| row.state == FileState::Kept) else { return Ok(None) };
        let record = keep::find_record(view, &reading, row.record)?;
        let marks = record.iter().flat_map(|record| &record.clear.files);
        let Some(mark) = marks.copied().find(|mark| mark.file == file) else {
            return Ok(Some(("SR-DEEP-025", "a file is kept that no record names")));
        };
        let whole = files::is_whole(view, &reading, row.record, &mark)?;
        Ok((!whole).then_some(("SR-DEEP-026", "the chunks of a file are not those that its record names")))
    })
}

/// Chunks that belong to no file. They carry no shop, so one shop's check looks for all.
fn check_strays(house: &House, shop: &Shop, report: &mut DeepReport) -> Result<(), Problem> {
    if house.shops().iter().any(|other| other.number < shop.number) {
        return Ok(());
    }
    let mut after = None;
    loop {
        let (last, strays) = house.store.look_blocking::<_, Problem, _>(move |view| {
            let (mut last, mut strays) = (after, 0_usize);
            for _ in 0..STRAYS_AT_ONCE {
                let Some(file) = files::next_file_with_chunks(view, last)? else { return Ok((None, strays)) };
                last = Some(file);
                strays = strays.saturating_add(usize::from(!files::has_row(view, file)?));
            }
            Ok((last, strays))
        })?;
        for _ in 0..strays {
            found(report, "SR-DEEP-027", "chunks lie here that belong to no file", None);
        }
        if last.is_none() {
            return Ok(());
        }
        after = last;
    }
}
