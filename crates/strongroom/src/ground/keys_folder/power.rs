//! What a disk holds of the keys folder when the power goes behind each step: bytes that were not synced may be missing, and so
//! may names, from any of them on. Whatever is left, the folder opens, with what it was or with what it was to become.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::ground::clock::{Clock, SetClock};

/// One thing that was done. A file is known by its number: its name can pass to another.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Made {
        name: PathBuf,
        file: u64,
    },
    Wrote {
        file: u64,
        at: u64,
        bytes: Vec<u8>,
    },
    Synced {
        file: u64,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    /// A second name of a file.
    Linked {
        from: PathBuf,
        to: PathBuf,
    },
    Removed {
        name: PathBuf,
    },
    MadeFolder {
        name: PathBuf,
    },
    SyncedFolder {
        name: PathBuf,
    },
}

thread_local! {
    static DONE: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn did(step: Step) {
    DONE.with_borrow_mut(|done| done.push(step));
}

pub(super) fn id(file: &File) -> u64 {
    file.metadata().unwrap().ino()
}

/// What is done in here, step by step.
fn steps_of<T>(act: impl FnOnce() -> T) -> Vec<Step> {
    DONE.with_borrow_mut(Vec::clear);
    let _ = act();
    DONE.with_borrow_mut(std::mem::take)
}

/// A folder on a disk.
#[derive(Debug, Clone, Default)]
struct Disk {
    /// Bytes that are on it.
    files: BTreeMap<u64, Vec<u8>>,
    /// Bytes that are only in memory.
    unsynced: Vec<(u64, u64, Vec<u8>)>,
    names: BTreeMap<PathBuf, u64>,
    /// Changes of names that are only in memory, in order: the name that goes, the name that comes, and of which file.
    unsynced_names: Vec<NameChange>,
    /// Folders that were made, be their names on the disk or not.
    made: BTreeSet<PathBuf>,
}

/// In the place of a file's number, for a folder.
const FOLDER: u64 = u64::MAX;

type NameChange = (Option<PathBuf>, Option<PathBuf>, u64);

fn folder_of_change((from, to, _): &NameChange) -> Option<&Path> {
    to.as_deref().or(from.as_deref()).and_then(Path::parent)
}

impl Disk {
    fn of(folder: &Path) -> Disk {
        let mut disk = Disk::default();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let number = fs::metadata(&path).unwrap().ino();
            disk.files.insert(number, fs::read(&path).unwrap());
            disk.names.insert(path, number);
        }
        disk
    }

    fn take(&mut self, step: &Step) {
        match step.clone() {
            Step::Made { name, file } => {
                self.files.insert(file, Vec::new());
                self.unsynced_names.push((None, Some(name), file));
            }
            Step::Wrote { file, at, bytes } => self.unsynced.push((file, at, bytes)),
            Step::Synced { file } => {
                let (of_it, others) =
                    std::mem::take(&mut self.unsynced).into_iter().partition(|w| w.0 == file);
                self.unsynced = others;
                self.write(of_it);
            }
            Step::Renamed { from, to } => {
                let file = self.named(&from);
                self.unsynced_names.push((Some(from), Some(to), file));
            }
            Step::Linked { from, to } => {
                let file = self.named(&from);
                self.unsynced_names.push((None, Some(to), file));
            }
            Step::Removed { name } => {
                let file = self.named(&name);
                self.unsynced_names.push((Some(name), None, file));
            }
            Step::MadeFolder { name } => {
                self.made.insert(name.clone());
                self.unsynced_names.push((None, Some(name), FOLDER));
            }
            Step::SyncedFolder { name } => {
                let changes = std::mem::take(&mut self.unsynced_names);
                let (here, others) =
                    changes.into_iter().partition(|change| folder_of_change(change) == Some(name.as_path()));
                self.unsynced_names = others;
                self.rename(here);
            }
        }
    }

    /// The file that has a name now, as a process sees it.
    fn named(&self, name: &Path) -> u64 {
        let latest = self.unsynced_names.iter().rev().find(|change| change.1.as_deref() == Some(name));
        latest.map_or_else(|| self.names[name], |change| change.2)
    }

    fn write(&mut self, writes: Vec<(u64, u64, Vec<u8>)>) {
        for (file, at, bytes) in writes {
            let file = self.files.entry(file).or_default();
            let at = usize::try_from(at).unwrap();
            let end = at + bytes.len();
            file.resize(file.len().max(end), 0);
            file[at..end].copy_from_slice(&bytes);
        }
    }

    fn rename(&mut self, changes: Vec<NameChange>) {
        for (from, to, file) in changes {
            if let Some(from) = from {
                self.names.remove(&from);
            }
            if let Some(to) = to {
                self.names.insert(to, file);
            }
        }
    }

    /// The power goes: so many of the changes of names reached the disk, and of the bytes all, none, or the first half of each.
    fn after_a_cut(mut self, names: usize, bytes: u8, into: &Path) {
        let mut writes = std::mem::take(&mut self.unsynced);
        match bytes {
            0 => writes.clear(),
            1 => writes.iter_mut().for_each(|(_, _, bytes)| bytes.truncate(bytes.len() / 2)),
            _ => {}
        }
        self.write(writes);
        let mut changes = std::mem::take(&mut self.unsynced_names);
        if names > changes.len() {
            // Folders reach the disk each by itself: only the last one's names did.
            let last = changes.last().and_then(folder_of_change).map(Path::to_path_buf);
            changes.retain(|change| folder_of_change(change) == last.as_deref());
        } else {
            changes.truncate(names);
        }
        self.rename(changes);
        for entry in fs::read_dir(into).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        // What is in a folder without a name is lost with it.
        let is_lost = |name: &Path| {
            name.ancestors().any(|folder| self.made.contains(folder) && !self.names.contains_key(folder))
        };
        let files = self.names.iter().filter(|(name, file)| **file != FOLDER && !is_lost(name));
        for (name, file) in files {
            write_new(&into.join(name.file_name().unwrap()), &self.files[file]).unwrap();
        }
    }
}

/// Cuts the power behind each step, in every way, and looks at what opens. `look` is told whether all steps were done.
fn cut_everywhere(folder: &Path, steps: &[Step], before: &Disk, mut look: impl FnMut(&Path, bool)) -> usize {
    let mut cuts = 0;
    let mut disk = before.clone();
    for done in 0..=steps.len() {
        if done > 0 {
            disk.take(&steps[done - 1]);
        }
        for names in 0..=disk.unsynced_names.len() + 1 {
            for bytes in 0..3 {
                let outer = tempfile::tempdir().unwrap();
                let after = outer.path().join(folder.file_name().unwrap());
                make_private_folder(&after).unwrap();
                disk.clone().after_a_cut(names, bytes, &after);
                look(&after, done == steps.len());
                cuts += 1;
            }
        }
    }
    cuts
}

fn new_folder() -> (tempfile::TempDir, PathBuf, LockSource) {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("keys");
    let lock = LockSource::KeyFile(path.join(UNLOCK));
    KeysFolder::create(&path, &lock, 0).unwrap();
    (outer, path, lock)
}

fn opened(folder: &Path) -> Result<(KeysFolder, Vec<Destroyed>), KeysError> {
    KeysFolder::open(folder, &LockSource::KeyFile(folder.join(UNLOCK)))
}

#[test]
fn a_keyring_that_is_changed_is_the_old_or_the_new_one_whenever_the_power_goes() {
    let (_outer, path, lock) = new_folder();
    let (keys, _) = KeysFolder::open(&path, &lock).unwrap();
    let before = Disk::of(&path);
    let steps = steps_of(|| keys.change(|ring, random| ring.begin_epoch(9, random)).unwrap());
    assert!(steps.len() >= 7, "{steps:?}");
    let mut seen = [0; 2];
    cut_everywhere(&path, &steps, &before, |after, all_done| {
        let epochs = opened(after).unwrap().0.with(|ring| ring.epochs.len());
        assert!(epochs == 2 || (epochs == 1 && !all_done), "{epochs} epochs");
        seen[epochs - 1] += 1;
    });
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

/// The twin: were the old file's bytes overwritten before the new one's name is on the disk, there would be no keyring at all.
#[test]
fn without_the_sync_of_the_folder_a_changed_keyring_can_be_lost() {
    let (_outer, path, lock) = new_folder();
    let (keys, _) = KeysFolder::open(&path, &lock).unwrap();
    let before = Disk::of(&path);
    let mut steps = steps_of(|| keys.change(|ring, random| ring.begin_epoch(9, random)).unwrap());
    steps.retain(|step| !matches!(step, Step::SyncedFolder { .. }));
    let mut lost = 0;
    cut_everywhere(&path, &steps, &before, |after, _| lost += usize::from(opened(after).is_err()));
    assert!(lost > 0);
}

#[test]
fn heads_are_the_old_or_the_new_ones_whenever_the_power_goes() {
    let (_outer, path, lock) = new_folder();
    let (keys, _) = KeysFolder::open(&path, &lock).unwrap();
    keys.write_heads("old").unwrap();
    let before = Disk::of(&path);
    let steps = steps_of(|| keys.write_heads("new").unwrap());
    cut_everywhere(&path, &steps, &before, |after, all_done| {
        let heads = opened(after).unwrap().0.read_heads().unwrap();
        assert!(heads == "new" || (heads == "old" && !all_done), "{heads}");
    });
    // The twin: without the sync of the new file its name can be there before its bytes.
    let unsynced: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::Synced { .. })).collect();
    let mut lost = 0;
    cut_everywhere(&path, &unsynced, &before, |after, _| {
        let heads = opened(after).unwrap().0.read_heads().unwrap();
        lost += usize::from(heads != "new" && heads != "old");
    });
    assert!(lost > 0);
}

#[test]
fn a_destroyed_key_that_was_answered_for_is_named_whenever_the_power_goes() {
    let (_outer, path, lock) = new_folder();
    let clock: Arc<dyn Clock> = Arc::new(SetClock::at(5));
    let (keys, _) = KeysFolder::open(&path, &lock).unwrap();
    let mut witness = keys.witness(Arc::clone(&clock));
    store::Witness::destroyed(&mut witness, &[[1; 16]]).unwrap();
    let before = Disk::of(&path);
    let steps = steps_of(|| store::Witness::destroyed(&mut witness, &[[2; 16], [3; 16]]).unwrap());
    let named = |after: &Path| opened(after).unwrap().1.iter().map(|line| line.id.0[0]).collect::<Vec<_>>();
    cut_everywhere(&path, &steps, &before, |after, all_done| {
        let named = named(after);
        assert!([1, 2, 3].starts_with(&named) && !named.is_empty(), "{named:?}");
        assert!(!all_done || named == [1, 2, 3], "{named:?}");
    });
    // The twin: without the sync of the list, a key that was answered for can be missing from it.
    let unsynced: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::Synced { .. })).collect();
    let mut lost = 0;
    cut_everywhere(&path, &unsynced, &before, |after, all_done| {
        lost += usize::from(all_done && named(after) != [1, 2, 3]);
    });
    assert!(lost > 0);
}

#[test]
fn a_new_folder_is_whole_or_was_never_answered_for() {
    let (outer, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = outer.path().join("shops/harbour/keys");
    let unlock = elsewhere.path().join(UNLOCK);
    let steps = steps_of(|| KeysFolder::create(&path, &LockSource::KeyFile(unlock.clone()), 0).unwrap());
    let cuts = cut_everywhere(&path, &steps, &Disk::default(), |after, all_done| {
        let there = opened(after);
        // The key file has a name before the keyring has one: a keyring that nothing opens is never left.
        let stranded = after.join(KEYRING).exists() && !after.join(UNLOCK).exists();
        assert!(!stranded, "a keyring without its key");
        assert!(!all_done || there.is_ok(), "{:?}", there.err());
    });
    assert!(cuts > 20, "{cuts}");
    // The twin: without the sync of any one of the folders above it, what was answered for can be lost with its folder.
    for above in ["", "shops", "shops/harbour"] {
        let above = outer.path().join(above);
        let is_sync = |step: &Step| matches!(step, Step::SyncedFolder { name } if name.components().eq(above.components()));
        let unsynced: Vec<Step> = steps.iter().filter(|step| !is_sync(step)).cloned().collect();
        assert_eq!(unsynced.len() + 1, steps.len(), "{}", above.display());
        let (mut disk, after) = (Disk::default(), outer.path().join("after"));
        for step in &unsynced {
            disk.take(step);
        }
        make_private_folder(&after).unwrap();
        disk.after_a_cut(0, 0, &after);
        assert!(opened(&after).is_err(), "{}", above.display());
    }
}
