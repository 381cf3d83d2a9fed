//! What happened to the entries of one bundle, told from the hashes they have and the hashes that were signed.

use std::collections::HashMap;

use crate::hash::Hash;

/// What happened in one bundle. Positions count from 0 within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// Every entry that is there is right, but the last ones are not there.
    Truncated(usize),
    /// Entries are gone from this position, and those behind moved up.
    Removed(Shift),
    /// Entries that were not signed stand at this position, and those behind moved down.
    Added(Shift),
    /// These two changed places.
    Swapped(usize, usize),
    /// The same entries in another order, first wrong here.
    Reordered(usize),
    /// Hashes that were not signed for this bundle, at these positions: edited, or from elsewhere in the log.
    Foreign(Vec<usize>),
}

/// Entries that moved up or down from a position on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) position: usize,
    /// How far they moved.
    pub(super) by: usize,
}

/// What happened between the signed hashes and those of the entries that are there?
pub(super) fn compare(found: &[Hash], signed: &[Hash]) -> Change {
    let differs = |position: &usize| found.get(*position) != signed.get(*position);
    let Some(first) = (0..found.len().max(signed.len())).find(differs) else {
        return Change::None;
    };
    if first == found.len() {
        return Change::Truncated(first);
    }
    if first == signed.len() {
        return Change::Added(Shift { position: first, by: found.len() - first });
    }
    let wrong: Vec<usize> = (first..found.len().min(signed.len())).filter(differs).collect();
    // ORDER: a new order before a shift. A swap with the last entry looks like a shift of one entry.
    if found.len() == signed.len() && same_hashes(found, signed) {
        return match wrong.as_slice() {
            [one, other] => Change::Swapped(*one, *other),
            _ => Change::Reordered(first),
        };
    }
    let (found_rest, signed_rest) = (found.get(first..), signed.get(first..));
    if let Some(by) = shift(found_rest, signed_rest) {
        return Change::Removed(Shift { position: first, by });
    }
    if let Some(by) = shift(signed_rest, found_rest) {
        return Change::Added(Shift { position: first, by });
    }
    Change::Foreign(wrong)
}

/// By how much do these hashes lag behind the others, all to the end of the shorter row?
fn shift(these: Option<&[Hash]>, others: Option<&[Hash]>) -> Option<usize> {
    let (these, others) = (these?, others?);
    (1..others.len()).find(|by| {
        let moved = others.get(*by..).unwrap_or_default();
        let both = moved.len().min(these.len());
        both > 0 && these.get(..both) == moved.get(..both)
    })
}

fn same_hashes(found: &[Hash], signed: &[Hash]) -> bool {
    let mut counts: HashMap<&Hash, i64> = HashMap::new();
    for hash in found {
        *counts.entry(hash).or_default() += 1;
    }
    for hash in signed {
        *counts.entry(hash).or_default() -= 1;
    }
    counts.values().all(|count| *count == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::leaves;

    fn changed(change: impl FnOnce(&mut Vec<Hash>)) -> Change {
        let signed = leaves(300);
        let (signed, more) = signed.split_at(256);
        let mut found = signed.to_vec();
        change(&mut found);
        // A shift brings the first entries of the next bundle in.
        if (250..256).contains(&found.len()) {
            found.extend(&more[..256 - found.len()]);
        }
        compare(&found, signed)
    }

    #[test]
    fn unchanged_entries_are_no_change() {
        assert_eq!(changed(|_| {}), Change::None);
        assert_eq!(compare(&[], &[]), Change::None);
    }

    #[test]
    fn entries_that_moved_up_or_down_are_a_shift() {
        let shift = |position, by| Shift { position, by };
        assert_eq!(changed(|found| drop(found.drain(7..8))), Change::Removed(shift(7, 1)));
        assert_eq!(changed(|found| drop(found.drain(7..10))), Change::Removed(shift(7, 3)));
        assert_eq!(changed(|found| found.insert(0, leaves(999)[998])), Change::Added(shift(0, 1)));
        assert_eq!(changed(|found| found.push(leaves(999)[998])), Change::Added(shift(256, 1)));
    }

    #[test]
    fn entries_in_another_order_are_told_from_a_shift() {
        assert_eq!(changed(|found| found.swap(250, 255)), Change::Swapped(250, 255));
        assert_eq!(changed(|found| found[10..20].rotate_left(1)), Change::Reordered(10));
    }

    #[test]
    fn missing_last_entries_and_foreign_ones_are_told_apart() {
        assert_eq!(changed(|found| found.truncate(200)), Change::Truncated(200));
        assert_eq!(changed(Vec::clear), Change::Truncated(0));
        assert_eq!(changed(|found| found[9] = leaves(999)[998]), Change::Foreign(vec![9]));
    }
}
