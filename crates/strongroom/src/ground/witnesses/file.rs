//! A witness that is a file: one line for each head, added and never changed, and beside it a copy of the list of destroyed keys.
//!
//! It is worth what its disk is worth: on a share that this machine can add to and not change, it notices what a server would.

use std::collections::{BTreeMap, HashSet};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::checkpoint::Checkpoint;
use seal::{DestroyedList, KeyId};
use serde::{Deserialize, Serialize};

use super::kept::{self, Offer};
use super::{Duty, list_ahead, shorter};
use crate::ground::clock::instant;
use crate::ground::heads::{self, SignedHead};
use crate::ground::house::House;
use crate::ground::keys_folder::{self, KeysFolder};
use crate::ground::log::{generation_of_log, log_number};
use crate::ground::note::OurName;
use crate::ground::problem::Problem;
use crate::ground::shop::Shop;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// When it was written (RFC 3339).
    at: String,
    /// The log.
    origin: String,
    /// The signed note.
    note: String,
}

/// Longest line, bytes: a note of three lines and some signatures.
const LINE_LIMIT: u64 = 64 << 10;
/// Heads of one log whose signature is looked at, from the largest on. Whoever may write to the file can claim what they like;
/// what was not signed says nothing.
const LOOKED_AT: usize = 64;
/// A generation's number has six bits.
const GENERATIONS: u32 = 63;

pub(super) struct FileWitness {
    name: String,
    path: PathBuf,
    duty: Duty,
    state: Mutex<State>,
}

/// What this process has seen of the file.
#[derive(Default)]
struct State {
    /// Its length when it was last read or written here; `None` before.
    length: Option<u64>,
    /// The last head of each log that was written.
    last: BTreeMap<i64, u64>,
    /// Bytes of the copy of the list.
    copied: Option<u64>,
}

impl FileWitness {
    pub(super) fn new(name: &str, path: &Path, duty: Duty) -> FileWitness {
        FileWitness { name: name.to_owned(), path: path.to_owned(), duty, state: Mutex::default() }
    }

    /// Holds the log against the file if the file is not as this process left it, then adds the offer.
    pub(super) fn append(&self, house: &House, shop: &Arc<Shop>, offer: &Offer) -> Result<(), Problem> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let log = shop.log();
        let length = self.length()?;
        if state.length != length || !state.last.contains_key(&log) {
            // ORDER: before anything is added: a house that was set back must not look like the newest.
            let known = self.hold(house, shop)?;
            state.last.insert(log, known);
            state.length = length;
        }
        if state.last.get(&log) == Some(&offer.size) && length.is_some() {
            return Ok(());
        }
        if length.is_none() {
            crate::note!(WARN, "the file of a witness is begun anew", witness = OurName(&self.name));
        }
        let line = Line {
            at: instant(house.clock.now()),
            origin: heads::origin(&shop.name, log),
            note: offer.note.clone(),
        };
        // What was cut off when the power went must not swallow the line that follows it.
        let mut text = if self.ends_amid_a_line()? { vec![b'\n'] } else { Vec::new() };
        text.extend(serde_json::to_vec(&line).unwrap_or_default());
        text.push(b'\n');
        state.length = Some(self.add(&self.path, &text)?);
        state.last.insert(log, offer.size);
        Ok(())
    }

    /// Fails: `SR-WITNESS-001` and `-002`. Gives: the size of the newest head in the file.
    fn hold(&self, house: &House, shop: &Arc<Shop>) -> Result<u64, Problem> {
        let own = shop.log();
        let found = self.newest(&house.keys, shop.number, &shop.name)?;
        let Some((head, size)) = found else { return Ok(0) };
        let generation = generation_of_log(head.log);
        if generation > generation_of_log(own) {
            let have = house.heads.find(own).map_or(0, |head| head.size);
            return Err(shorter(&self.name, have, size, &format!(" in its generation {generation}")));
        }
        if generation < generation_of_log(own) {
            return Ok(0); // of a log that was lost, as the first entry of this one says
        }
        kept::hold_note(house, shop, &head.note, &self.name)?;
        Ok(size)
    }

    /// The newest head of a shop's newest generation that the file has and the shop's key has signed.
    fn newest(
        &self,
        keys: &KeysFolder,
        number: u32,
        shop: &str,
    ) -> Result<Option<(SignedHead, u64)>, Problem> {
        let file = match keys_folder::open_plain(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound && self.duty == Duty::Wanted => {
                return Ok(None);
            }
            Err(error) => return Err(self.fault(error.kind())),
        };
        let logs: BTreeMap<String, i64> = (1..=GENERATIONS)
            .map(|generation| log_number(number, generation))
            .map(|log| (heads::origin(shop, log), log))
            .collect();
        let mut candidates: BTreeMap<(i64, u64), String> = BTreeMap::new();
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line);
            if read.map_err(|error| self.fault(error.kind()))? == 0 {
                break;
            }
            let Ok(Line { origin, note, .. }) = serde_json::from_slice(&line) else { continue };
            let size = note.split('\n').nth(1).and_then(|size| size.parse::<u64>().ok());
            if let (Some(log), Some(size)) = (logs.get(&origin), size) {
                candidates.insert((*log, size), note);
                if candidates.len() > LOOKED_AT {
                    candidates.pop_first();
                }
            }
        }
        for ((log, size), note) in candidates.into_iter().rev() {
            let Some(verifier) = heads::verifier_in(keys, shop, log) else { continue };
            if Checkpoint::open(&note, &verifier, &heads::origin(shop, log)).is_ok() {
                return Ok(Some((SignedHead { log, note }, size)));
            }
        }
        Ok(None)
    }

    /// What the file knows, for a restore: heads, and destroyed keys.
    pub(super) fn ask(
        &self,
        keys: &KeysFolder,
        shops: &[(u32, String, u32)],
    ) -> Result<(Vec<SignedHead>, Vec<KeyId>), Problem> {
        let mut found = Vec::new();
        for (number, name, _) in shops {
            found.extend(self.newest(keys, *number, name)?.map(|(head, _)| head));
        }
        let listed = self.listed(keys, &self.read_list()?)?;
        Ok((found, listed))
    }

    /// Adds to the copy of the list of destroyed keys what is new in it. A line that was cut off goes on where it ended.
    ///
    /// Fails: `SR-WITNESS-008` when the copy names a key that this house does not know to be destroyed.
    pub(super) fn copy_list(&self, keys: &KeysFolder) -> Result<(), Problem> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let copied = if let Some(copied) = state.copied {
            copied
        } else {
            let (theirs, ours) = (self.read_list()?, keys.list_after(0)?);
            if !ours.starts_with(&theirs) {
                let own: HashSet<KeyId> = self.listed(keys, &ours)?.into_iter().collect();
                let ahead = self.listed(keys, &theirs)?.iter().filter(|id| !own.contains(id)).count();
                if ahead > 0 {
                    return Err(list_ahead(&self.name, ahead));
                }
                return Err(self.fault(ErrorKind::InvalidData));
            }
            theirs.len() as u64
        };
        state.copied = Some(copied);
        let more = keys.list_after(copied)?;
        if !more.is_empty() {
            state.copied = Some(self.add(&self.list_path(), &more)?);
        }
        Ok(())
    }

    fn listed(&self, keys: &KeysFolder, list: &[u8]) -> Result<Vec<KeyId>, Problem> {
        let read = keys.with(|ring| DestroyedList::read(&ring.list_key, list));
        let (_, destroyed, _) = read.map_err(|_| self.fault(ErrorKind::InvalidData))?;
        Ok(destroyed.into_iter().map(|line| line.id).collect())
    }

    fn read_list(&self) -> Result<Vec<u8>, Problem> {
        let mut list = Vec::new();
        match keys_folder::open_plain(&self.list_path()) {
            Ok(mut file) => {
                file.read_to_end(&mut list).map_err(|error| self.fault(error.kind()))?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(self.fault(error.kind())),
        }
        Ok(list)
    }

    fn list_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".erased");
        name.into()
    }

    fn length(&self) -> Result<Option<u64>, Problem> {
        match keys_folder::open_plain(&self.path).and_then(|file| file.metadata()) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound && self.duty == Duty::Wanted => Ok(None),
            Err(error) => Err(self.fault(error.kind())),
        }
    }

    /// Adds bytes at the end, and syncs. Gives: the length behind them.
    fn add(&self, path: &Path, bytes: &[u8]) -> Result<u64, Problem> {
        let fault = |error: std::io::Error| self.fault(error.kind());
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(fault)?;
        file.write_all(bytes).map_err(fault)?;
        file.sync_data().map_err(fault)?;
        Ok(file.metadata().map_err(fault)?.len())
    }

    fn ends_amid_a_line(&self) -> Result<bool, Problem> {
        let fault = |error: std::io::Error| self.fault(error.kind());
        let mut file = match keys_folder::open_plain(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            file => file.map_err(fault)?,
        };
        if file.metadata().map_err(fault)?.len() == 0 {
            return Ok(false);
        }
        let mut last = [0];
        file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(fault)?;
        Ok(last != [b'\n'])
    }

    fn fault(&self, kind: ErrorKind) -> Problem {
        let title = format!("the file of the witness `{}` cannot be read or added to ({kind:?})", self.name);
        Problem::new("SR-WITNESS-007", 500, title)
            .help("see that its disk is there; a required witness begins with an empty file that you make")
    }
}

/// The newest note of a log in the text of such a file, or of some lines of it. Nothing in it is believed yet.
pub fn note_in(text: &str, origin: &str) -> Option<String> {
    let notes = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let size = |note: &String| note.split('\n').nth(1).and_then(|size| size.parse::<u64>().ok());
    notes.filter(|line| line.origin == origin).map(|line| line.note).max_by_key(size)
}
