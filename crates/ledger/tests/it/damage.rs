//! Every kind of damage to a log, and what it is called. The large log has 65,836 entries: 257 full bundles and one of
//! 44, a full tile of level 1, and right edges on levels 0, 1 and 2.

use ledger::archive::{Finding, Options, Problem, verify_whole};
use ledger::checkpoint::Checkpoint;
use ledger::tile::TilePath;
use proptest::prelude::*;

use crate::support::{
    Memory, bundles_of, checkpoint_of, entries, entry, export, forged, large, tiles_of, trust, verify,
};

fn path(text: &str) -> TilePath {
    text.parse().unwrap()
}

fn once(problem: Problem) -> Vec<Finding> {
    vec![Finding { problem, times: 1 }]
}

fn findings(archive: &Memory) -> Vec<Finding> {
    verify(archive).findings
}

#[test]
fn a_flipped_tile_byte_is_named_by_its_tile() {
    for (file, position, index) in [
        ("tile/0/000", 0, 0),
        ("tile/0/003", 77, 3 * 256 + 77),
        ("tile/0/257.p/44", 43, 65_835),
        ("tile/1/000", 255, 255 * 256),
        ("tile/1/001.p/1", 0, 65_536),
        ("tile/2/000.p/1", 0, 0),
    ] {
        let (_, mut archive) = large();
        archive.0.get_mut(file).unwrap()[position * 32 + 9] ^= 0x10;
        let position = u16::try_from(position).unwrap();
        let file = path(file);
        assert_eq!(findings(&archive), once(Problem::TileDamaged { file, position, index }), "{file}");
    }
}

#[test]
fn a_tile_of_wrong_length_is_named() {
    // A file that is longer than any tile says as much as an empty one.
    for (length, position) in [(0, 0), (32, 1), (8191, 255), (8193, 0)] {
        let (_, mut archive) = large();
        archive.0.get_mut("tile/0/002").unwrap().resize(length, 0);
        let (file, index) = (path("tile/0/002"), 512 + u64::from(position));
        assert_eq!(findings(&archive), once(Problem::TileDamaged { file, position, index }), "{length}");
    }
    for (file, width, index) in [("tile/0/257.p/44", 44u16, 65_835), ("tile/1/001.p/1", 1, 65_536)] {
        let (_, mut archive) = large();
        archive.0.get_mut(file).unwrap().push(0);
        let damaged = Problem::TileDamaged { file: path(file), position: width, index };
        assert_eq!(findings(&archive), once(damaged), "{file}");
    }
}

#[test]
fn an_edited_entry_is_named() {
    for index in [0usize, 255, 256, 1000, 65_535, 65_536, 65_800, 65_835] {
        let (all, _) = large();
        let mut edited = all.to_vec();
        edited[index] = entry(1_000_000 + index).encode().unwrap();
        let report = verify(&forged(&edited));
        let index = index as u64;
        let edits: Vec<_> =
            report.findings.iter().filter(|finding| !finding.problem.is_warning()).copied().collect();
        assert_eq!(edits, once(Problem::EntryEdited { index }));
    }
}

#[test]
fn several_edited_entries_are_counted_and_the_first_is_named() {
    let (all, _) = large();
    let mut edited = all.to_vec();
    for index in [700, 5, 65_830] {
        edited[index][60] ^= 1;
    }
    let expected = vec![Finding { problem: Problem::EntryEdited { index: 5 }, times: 3 }];
    assert_eq!(findings(&forged(&edited)), expected);
}

#[test]
fn a_removed_entry_is_named_although_all_others_moved_up() {
    for index in [0usize, 100, 255, 256, 511, 65_535, 65_536, 65_700, 65_800] {
        let (all, _) = large();
        let mut rest = all.to_vec();
        rest.remove(index);
        let removed = Problem::EntryRemoved { index: index as u64 };
        assert_eq!(findings(&forged(&rest)), once(removed), "{index}");
    }
}

#[test]
fn an_entry_removed_from_its_bundle_alone_is_named() {
    let (all, mut archive) = large();
    let mut part = all[512..768].to_vec();
    part.remove(200);
    archive.0.insert("tile/entries/002".to_owned(), bundles_of(&part).0.into_values().next().unwrap());
    assert_eq!(findings(&archive), once(Problem::EntryRemoved { index: 712 }));
}

#[test]
fn an_added_entry_is_named_although_all_others_moved_down() {
    for index in [0usize, 100, 255, 256, 65_535, 65_790] {
        let (all, _) = large();
        let mut more = all.to_vec();
        more.insert(
            index,
            entry(index)
                .encode()
                .map(|mut bytes| {
                    bytes[60] ^= 1;
                    bytes
                })
                .unwrap(),
        );
        let added = Problem::EntryAdded { index: index as u64 };
        assert_eq!(findings(&forged(&more)), once(added), "{index}");
    }
}

#[test]
fn bytes_behind_the_last_entry_of_a_bundle_are_named() {
    for (file, index) in [("tile/entries/003", 1024), ("tile/entries/257.p/44", 65_836)] {
        for more in [&[0][..], &[0, 1, 2], &[0, 9]] {
            let (_, mut archive) = large();
            archive.0.get_mut(file).unwrap().extend_from_slice(more);
            assert_eq!(findings(&archive), once(Problem::EntryAdded { index }), "{file} {more:?}");
        }
    }
}

#[test]
fn swapped_entries_are_both_named() {
    for (index, other) in [(3, 4), (250, 255), (10, 5000), (255, 256), (0, 65_835), (65_800, 65_801)] {
        let (all, _) = large();
        let mut swapped = all.to_vec();
        swapped.swap(index, other);
        let found = findings(&forged(&swapped));
        let named = Problem::EntriesSwapped { index: index as u64, other: other as u64 };
        let damage: Vec<_> = found.into_iter().filter(|finding| !finding.problem.is_warning()).collect();
        assert_eq!(damage, once(named), "{index} and {other}");
    }
}

#[test]
fn entries_in_another_order_are_named_by_the_first() {
    let (all, _) = large();
    let mut turned = all.to_vec();
    turned[1000..1010].rotate_left(1);
    assert_eq!(findings(&forged(&turned)), once(Problem::EntriesReordered { index: 1000 }));
    let mut turned = all.to_vec();
    turned.swap(100, 400);
    turned.swap(400, 700);
    let report = verify(&forged(&turned));
    let expected = Finding { problem: Problem::EntriesReordered { index: 100 }, times: 3 };
    assert_eq!(report.findings, [expected]);
}

#[test]
fn a_truncated_bundle_is_named_by_its_first_lost_entry() {
    let (_, archive) = large();
    let whole = archive.0["tile/entries/001"].len();
    for (bytes, index) in [(whole - 1, 511), (whole / 2, 384), (1, 256), (0, 256)] {
        let mut archive = archive.clone();
        archive.0.get_mut("tile/entries/001").unwrap().truncate(bytes);
        assert_eq!(findings(&archive), once(Problem::BundleTruncated { index }), "{bytes} bytes");
    }
    let mut archive = archive;
    archive.0.get_mut("tile/entries/257.p/44").unwrap().truncate(100);
    assert_eq!(findings(&archive), once(Problem::BundleTruncated { index: 65_793 }));
}

#[test]
fn a_missing_file_is_named() {
    for file in [
        "tile/entries/000",
        "tile/entries/256",
        "tile/entries/257.p/44",
        "tile/0/007",
        "tile/0/257.p/44",
        "tile/1/000",
        "tile/1/001.p/1",
        "tile/2/000.p/1",
    ] {
        let (_, mut archive) = large();
        archive.0.remove(file).unwrap();
        assert_eq!(findings(&archive), once(Problem::FileMissing { file: path(file) }), "{file}");
    }
}

#[test]
fn a_shortened_log_is_noticed_by_whoever_has_an_older_checkpoint() {
    let all = entries(700);
    let since = trust().open(&checkpoint_of(&all)).unwrap();
    let options = Options { since: std::slice::from_ref(&since), ..Options::default() };
    let report = verify_whole(&export(&all[..600]), &trust(), &options, &|_| {}).unwrap();
    assert_eq!(report.findings, once(Problem::Shortened { size: 600, known: 700 }));
    assert!(!report.is_verified());
    assert_eq!(verify_whole(&export(&all), &trust(), &options, &|_| {}).unwrap().findings, []);
}

#[test]
fn a_rewritten_history_is_noticed_by_whoever_has_an_older_checkpoint() {
    let all = entries(700);
    for known in [1, 256, 300, 512, 700] {
        let since = trust().open(&checkpoint_of(&all[..known])).unwrap();
        let options = Options { since: std::slice::from_ref(&since), ..Options::default() };
        assert_eq!(verify_whole(&export(&all), &trust(), &options, &|_| {}).unwrap().findings, []);
        // The insider has the signing key, and signs a whole new log.
        let mut rewritten = all.clone();
        rewritten[0] = entry(9000).encode().unwrap();
        let archive = export(&rewritten);
        let report = verify_whole(&archive, &trust(), &options, &|_| {}).unwrap();
        let damage: Vec<_> =
            report.findings.into_iter().filter(|found| !found.problem.is_warning()).collect();
        assert_eq!(damage, once(Problem::HistoryDiffers { known: known as u64 }));
    }
}

#[test]
fn a_damaged_tile_does_not_make_the_history_differ() {
    let (all, mut archive) = large();
    archive.0.get_mut("tile/0/000").unwrap()[0] ^= 1;
    let since = trust().open(&checkpoint_of(&all[..300])).unwrap();
    let options = Options { since: std::slice::from_ref(&since), ..Options::default() };
    let report = verify_whole(&archive, &trust(), &options, &|_| {}).unwrap();
    let damaged = Problem::TileDamaged { file: path("tile/0/000"), position: 0, index: 0 };
    assert_eq!(report.findings, once(damaged));
}

#[test]
fn entries_rewritten_together_with_their_tile_are_named_as_a_range() {
    let (all, mut archive) = large();
    let mut rewritten = all[..65_536].to_vec();
    rewritten[300][60] ^= 1;
    let (tiles, bundles) = (tiles_of(&rewritten), bundles_of(&rewritten));
    archive.0.insert("tile/0/001".to_owned(), tiles.0["tile/0/001"].clone());
    archive.0.insert("tile/entries/001".to_owned(), bundles.0["tile/entries/001"].clone());
    assert_eq!(findings(&archive), once(Problem::EntriesRewritten { index: 256, last: 511 }));
    // One level more: the range grows with it.
    archive.0.insert("tile/1/000".to_owned(), tiles.0["tile/1/000"].clone());
    assert_eq!(findings(&archive), once(Problem::EntriesRewritten { index: 0, last: 65_535 }));
}

#[test]
fn a_log_rewritten_up_to_its_checkpoint_is_noticed_at_the_root() {
    let (all, archive) = large();
    let mut rewritten = all.to_vec();
    rewritten[300][60] ^= 1;
    let mut forged = export(&rewritten);
    forged.0.insert("checkpoint".to_owned(), archive.0["checkpoint"].clone());
    assert_eq!(findings(&forged), once(Problem::RootDiffers { size: 65_836 }));
}

#[test]
fn an_entry_that_nobody_can_read_is_named() {
    let mut all = entries(600);
    all[300] = vec![1, 2, 3];
    all[400] = vec![];
    let report = verify(&export(&all));
    let unreadable = Finding { problem: Problem::EntryUnreadable { index: 300 }, times: 2 };
    assert_eq!(report.findings, [unreadable]);
    assert!(!report.is_verified());
}

#[test]
fn time_that_runs_back_is_a_warning_with_its_index() {
    let mut all = entries(2000);
    let minute = 60_000_000;
    for (index, back) in [(300usize, 11 * minute), (301, 9 * minute), (1200, 30 * minute)] {
        let mut late = entry(index);
        late.at -= back;
        all[index] = late.encode().unwrap();
    }
    let report = verify(&export(&all));
    let by_micros = 11 * 60_000_000 - 1_000_000;
    let warning = Finding { problem: Problem::TimeRunsBack { index: 300, by_micros }, times: 2 };
    assert_eq!(report.findings, [warning]);
    assert!(report.is_verified());
    let options = Options { skew_micros: u64::MAX, ..Options::default() };
    assert_eq!(verify_whole(&export(&all), &trust(), &options, &|_| {}).unwrap().findings, []);
}

#[test]
fn extreme_times_are_compared_calmly() {
    let mut all = entries(3);
    for (index, at) in [(0usize, i64::MAX), (1, i64::MIN)] {
        let mut extreme = entry(index);
        extreme.at = at;
        all[index] = extreme.encode().unwrap();
    }
    let report = verify(&export(&all));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].times, 2);
}

#[test]
fn several_kinds_of_damage_are_all_named() {
    let (_, mut archive) = large();
    archive.0.get_mut("tile/0/004").unwrap()[40] ^= 1;
    archive.0.get_mut("tile/entries/004").unwrap()[50] ^= 1;
    archive.0.get_mut("tile/1/000").unwrap()[7 * 32] ^= 1;
    archive.0.get_mut("tile/entries/009").unwrap().truncate(5);
    archive.0.remove("tile/entries/020");
    let mut found = findings(&archive);
    found.sort_by_key(|finding| finding.problem.to_string());
    // Of one kind only the first is named: the tile of level 1 is the second damaged one.
    let expected = [
        (Problem::TileDamaged { file: path("tile/0/004"), position: 1, index: 4 * 256 + 1 }, 2),
        (Problem::FileMissing { file: path("tile/entries/020") }, 1),
        (Problem::EntryEdited { index: 4 * 256 }, 1),
        (Problem::BundleTruncated { index: 9 * 256 }, 1),
    ];
    assert_eq!(found, expected.map(|(problem, times)| Finding { problem, times }));
}

#[test]
fn two_damaged_halves_that_cannot_be_settled_are_still_reported() {
    let (_, mut archive) = large();
    let tile = archive.0.get_mut("tile/0/001").unwrap();
    for position in 0..20 {
        tile[position * 32] ^= 1;
    }
    archive.0.get_mut("tile/entries/001").unwrap()[50] ^= 1;
    assert_eq!(findings(&archive), once(Problem::Undecided { index: 256 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flipped_byte_in_any_file_is_noticed_near_its_place(file: prop::sample::Index, byte: prop::sample::Index, bit in 0u8..8) {
        let mut archive = export(&entries(600));
        let names: Vec<String> = archive.0.keys().filter(|name| name.starts_with("tile/")).cloned().collect();
        let name = file.get(&names);
        let bytes = archive.0.get_mut(name).unwrap();
        let place = byte.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let report = verify(&archive);
        prop_assert!(!report.is_verified(), "{name} {place}");
        let path: TilePath = name.parse().unwrap();
        if name.starts_with("tile/entries/") {
            // All that is named lies in the bundle with the flipped byte.
            for finding in &report.findings {
                let index = match finding.problem {
                    Problem::EntryEdited { index } | Problem::EntryRemoved { index } | Problem::EntryAdded { index }
                    | Problem::BundleTruncated { index } | Problem::EntryUnreadable { index }
                    | Problem::TimeRunsBack { index, .. } => index,
                    other => return Err(TestCaseError::fail(format!("{other}"))),
                };
                let time = matches!(finding.problem, Problem::TimeRunsBack { .. });
                prop_assert!(index / 256 == path.index() || time, "{}", finding.problem);
            }
        } else {
            let is_named = matches!(
                report.findings[..],
                [Finding { problem: Problem::TileDamaged { file, .. }, times: 1 }] if file == path
            );
            prop_assert!(is_named, "{:?}", report.findings);
        }
    }

    #[test]
    fn no_change_of_any_file_is_verified(
        file: prop::sample::Index, place: prop::sample::Index, cut in 0usize..300,
        put in prop::collection::vec(any::<u8>(), 0..5),
    ) {
        let mut archive = export(&entries(600));
        let names: Vec<String> = archive.0.keys().filter(|name| name.starts_with("tile/")).cloned().collect();
        let bytes = archive.0.get_mut(file.get(&names)).unwrap();
        let before = bytes.clone();
        let place = place.index(bytes.len() + 1);
        let end = bytes.len().min(place + cut);
        bytes.splice(place..end, put);
        prop_assume!(*bytes != before);
        let report = verify(&archive);
        prop_assert!(!report.is_verified());
        let unnamed = Finding { problem: Problem::Undecided { index: 0 }, times: 1 };
        prop_assert!(!report.findings.contains(&unnamed));
    }

    #[test]
    fn hostile_files_are_reported_calmly(
        size in 0u64..70_000,
        files in prop::collection::btree_map(
            prop_oneof![
                Just("tile/entries/000".to_owned()), Just("tile/0/000".to_owned()), Just("tile/1/000".to_owned()),
                (1u16..256).prop_map(|width| format!("tile/entries/000.p/{width}")),
                (1u16..256).prop_map(|width| format!("tile/0/000.p/{width}")),
            ],
            prop::collection::vec(any::<u8>(), 0..200),
            0..6,
        ),
    ) {
        let mut archive = export(&[]);
        let root = if size == 0 { ledger::hash::empty_root() } else { ledger::hash::Hash([7; 32]) };
        let note = Checkpoint::new(crate::support::ORIGIN, size, root).unwrap();
        archive.0.insert("checkpoint".to_owned(), note.sign(&crate::support::signer()).unwrap().into_bytes());
        archive.0.extend(files);
        prop_assert_eq!(verify(&archive).is_verified(), size == 0);
    }
}
