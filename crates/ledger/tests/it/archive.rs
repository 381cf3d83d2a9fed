//! Archives that are whole, and archives that cannot be verified at all.

use std::sync::atomic::{AtomicU64, Ordering};

use ledger::archive::{Folder, Log, Options, verify_consistency_in, verify_inclusion_in, verify_whole};
use ledger::archive::{Problem, Trust};
use ledger::checkpoint::Checkpoint;
use ledger::entry::Entry;
use ledger::hash::leaf_hash;
use ledger::note::{self, Signer};
use ledger::{ArchiveFile, Error};

use crate::support::{
    Memory, ORIGIN, START, checkpoint_of, entries, entry, export, large, root_of, signer, trust, verify,
    write_to,
};

#[test]
fn a_whole_log_of_any_size_is_verified() {
    for count in [0, 1, 2, 255, 256, 257, 511, 512, 600] {
        let entries = entries(count);
        let report = verify(&export(&entries));
        assert_eq!(report.findings, [], "{count} entries");
        assert!(report.is_verified());
        assert_eq!((report.size, report.entries), (count as u64, count as u64));
        assert_eq!(report.root, root_of(&entries));
        assert_eq!(report.first_at, (count > 0).then_some(START));
        assert_eq!(report.last_at, (count > 0).then(|| entry(count - 1).at));
    }
}

#[test]
fn any_number_of_threads_gives_the_same_report() {
    let (_, mut archive) = large();
    archive.0.get_mut("tile/entries/100").unwrap()[77] ^= 1;
    let report = |threads| {
        let options = Options { threads, ..Options::default() };
        verify_whole(&archive, &trust(), &options, &|_| {}).unwrap()
    };
    let one = report(1);
    assert!(!one.is_verified());
    for threads in [0, 2, 7] {
        assert_eq!(report(threads), one);
    }
}

#[test]
fn progress_counts_up_to_all_entries() {
    let (_, archive) = large();
    let highest = AtomicU64::new(0);
    let progress = |entries| {
        highest.fetch_max(entries, Ordering::Relaxed);
    };
    let options = Options { threads: 2, ..Options::default() };
    verify_whole(&archive, &trust(), &options, &progress).unwrap();
    assert_eq!(highest.into_inner(), 65_836);
}

#[test]
fn a_full_tile_stands_in_for_its_partial_form() {
    // A log goes on growing while it is exported: the partial files of the checkpoint are already gone.
    let all = entries(600);
    let mut archive = export(&all);
    let older = export(&all[..500]);
    archive.0.insert("checkpoint".to_owned(), older.0["checkpoint"].clone());
    archive.0.insert("tile/1/000.p/1".to_owned(), older.0["tile/1/000.p/1"].clone());
    assert_eq!(verify(&archive).findings, []);
    assert_eq!(verify_inclusion_in(&archive, &trust(), 499).unwrap().bytes, all[499]);
    assert_eq!(
        verify_inclusion_in(&archive, &trust(), 500),
        Err(Error::OutsideTree { index: 500, size: 500 })
    );
}

#[test]
fn a_folder_is_read_like_memory() {
    let folder = tempfile::tempdir().unwrap();
    let archive = export(&entries(300));
    write_to(&archive, folder.path());
    let options = Options { threads: 2, ..Options::default() };
    let report = verify_whole(&Folder::new(folder.path()), &trust(), &options, &|_| {}).unwrap();
    assert_eq!(report, verify(&archive));
    assert!(report.is_verified());
    assert_eq!(Log::read(&archive).unwrap().generation, 1);
}

#[test]
fn every_entry_is_proved_alone() {
    let (all, archive) = large();
    for index in [0usize, 255, 256, 65_535, 65_536, 65_835] {
        let included = verify_inclusion_in(&archive, &trust(), index as u64).unwrap();
        assert_eq!(included.bytes, all[index]);
        assert_eq!(included.entry, Entry::decode(&all[index]).unwrap());
        assert_eq!(included.checkpoint.size(), 65_836);
    }
    let refused = verify_inclusion_in(&archive, &trust(), 65_836);
    assert_eq!(refused, Err(Error::OutsideTree { index: 65_836, size: 65_836 }));
}

#[test]
fn an_entry_that_is_not_the_signed_one_is_refused_alone() {
    let (_, mut archive) = large();
    archive.0.get_mut("tile/entries/000").unwrap()[80] ^= 1;
    assert_eq!(verify_inclusion_in(&archive, &trust(), 1), Err(Error::InclusionWrong));
    archive.0.insert("tile/entries/000".to_owned(), vec![0]);
    assert_eq!(verify_inclusion_in(&archive, &trust(), 1), Err(Error::BundleCut { entry: 1 }));
    let file = archive.0.remove_entry("tile/entries/000").unwrap().0.parse().unwrap();
    let file = ArchiveFile::Tile(file);
    assert_eq!(verify_inclusion_in(&archive, &trust(), 1), Err(Error::FileMissing { file }));
}

#[test]
fn the_way_between_two_checkpoints_is_verified() {
    let (all, archive) = large();
    for (old, new) in [(1, 65_836), (300, 301), (256, 65_536), (65_535, 65_836), (77, 77)] {
        let (old_note, new_note) = (checkpoint_of(&all[..old]), checkpoint_of(&all[..new]));
        let (old_seen, new_seen) = verify_consistency_in(&archive, &trust(), &old_note, &new_note).unwrap();
        assert_eq!((old_seen.size(), new_seen.size()), (old as u64, new as u64));
    }
}

#[test]
fn checkpoints_of_another_history_or_beyond_the_archive_are_refused() {
    let (all, archive) = large();
    let mut other = all[..400].to_vec();
    other.swap(0, 1);
    let (old, new) = (checkpoint_of(&other), checkpoint_of(all));
    assert_eq!(verify_consistency_in(&archive, &trust(), &old, &new), Err(Error::ConsistencyWrong));
    let shorter = export(&all[..300]);
    let refused = verify_consistency_in(&shorter, &trust(), &checkpoint_of(&all[..10]), &new);
    assert_eq!(refused, Err(Error::OutsideTree { index: 65_836, size: 300 }));
    let refused = verify_consistency_in(&archive, &trust(), &new, &checkpoint_of(&all[..10]));
    assert_eq!(refused, Err(Error::OutsideTree { index: 65_836, size: 10 }));
}

#[test]
fn an_archive_without_a_valid_checkpoint_of_its_log_is_refused() {
    let good = export(&entries(10));
    let refused = |archive: &Memory, trust: &Trust| {
        verify_whole(archive, trust, &Options::default(), &|_| {}).unwrap_err()
    };
    let without = |name: &str| {
        let mut archive = good.clone();
        archive.0.remove(name);
        archive
    };
    let with = |name: &str, text: &str| {
        let mut archive = good.clone();
        archive.0.insert(name.to_owned(), text.as_bytes().to_vec());
        archive
    };
    let missing = |file| Error::FileMissing { file };
    assert_eq!(refused(&without("checkpoint"), &trust()), missing(ArchiveFile::Checkpoint));
    assert_eq!(refused(&without("log.json"), &trust()), missing(ArchiveFile::Log));
    assert_eq!(refused(&with("log.json", "{}"), &trust()), Error::LogMalformed);
    assert_eq!(refused(&with("checkpoint", "text"), &trust()), Error::NoteMalformed);
    let forged = checkpoint_of(&entries(9)).replace("\n9\n", "\n10\n");
    assert_eq!(refused(&with("checkpoint", &forged), &trust()), Error::SignatureWrong);
    let stranger = Trust::new(Signer::from_seed(ORIGIN, &[1; 32]).unwrap().verifier().clone());
    assert_eq!(refused(&good, &stranger), Error::NotSigned);
    let other = trust().for_origin("other.example");
    assert_eq!(refused(&good, &other), Error::OriginWrong);
}

#[test]
fn a_checkpoint_of_another_log_of_the_same_key_is_refused() {
    let mut archive = export(&entries(10));
    let text = Checkpoint::new("other.example", 10, leaf_hash(b"")).unwrap().to_string();
    let note = note::sign(&text, &[&signer()]).unwrap();
    archive.0.insert("checkpoint".to_owned(), note.into_bytes());
    let refused = verify_whole(&archive, &trust(), &Options::default(), &|_| {});
    assert_eq!(refused, Err(Error::OriginWrong));
}

#[test]
fn a_checkpoint_that_promises_the_moon_is_answered_soon() {
    let mut archive = export(&entries(300));
    let note = Checkpoint::new(ORIGIN, 1 << 60, leaf_hash(b"")).unwrap().sign(&signer()).unwrap();
    archive.0.insert("checkpoint".to_owned(), note.into_bytes());
    let report = verify(&archive);
    let file = "tile/entries/001".parse().unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].problem, Problem::FileMissing { file });
    assert!(report.findings[0].times > 1000);
}
