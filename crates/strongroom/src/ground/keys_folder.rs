//! The keys folder: what must outlive the data folder and must never be in a backup of it.
//!
//! | file | what |
//! |---|---|
//! | `keyring` | the keyring, locked by a key file, a passphrase, shares of officers, or a key that a holder outside keeps |
//! | `unlock.key` | the key file, unless the operator keeps it elsewhere |
//! | `erased.log` | ids of destroyed keys; copied to every backup |
//! | `heads` | the last signed head of every log |
//! | `cosigned` | the newest head of every log that witnesses have cosigned; there if there are witnesses |
//!
//! The folder is 0700 and its files 0600; anything laxer is refused.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use seal::{Destroyed, DestroyedList, EpochKey, KeyId, Keyring, Lock, Locked, Secret, Split, Unlocked};
use thiserror::Error;
use zeroize::Zeroizing;

pub use super::key_holder::LockSource;
use super::key_holder::watch::Attending;
use super::key_holder::{Attendance, HolderFault, KeyHolder};
use super::problem::Problem;
use super::random::SystemRandom;

/// File names.
pub const KEYRING: &str = "keyring";
/// The key file that `init` makes when nothing else locks the keyring.
pub const UNLOCK: &str = "unlock.key";
/// The list of destroyed keys.
pub const ERASED: &str = "erased.log";
/// The last signed heads.
pub const HEADS: &str = "heads";
/// Locked while one of several processes changes a file of the folder. There is nothing in it.
const HELD: &str = "held";
/// The newest heads that witnesses have cosigned.
pub const COSIGNED: &str = "cosigned";

/// What can be wrong with the keys folder.
#[derive(Debug, Error)]
pub enum KeysError {
    /// Others than the owner may get at it.
    #[error("`{name}` is open to others (mode {mode:o}, wanted {wanted:o})")]
    TooOpen {
        /// Which folder or file.
        name: String,
        /// Its mode.
        mode: u32,
        /// What it must be at the most.
        wanted: u32,
    },
    /// A file that must be there is not.
    #[error("`{name}` is missing from the keys folder")]
    Missing {
        /// Which file.
        name: String,
    },
    /// A file that must not be there is.
    #[error("`{name}` is there already")]
    Exists {
        /// Which file.
        name: String,
    },
    /// A file could not be read or written.
    #[error("`{name}` could not be read or written ({kind:?})")]
    File {
        /// Which file.
        name: String,
        /// What kind of failure.
        kind: std::io::ErrorKind,
    },
    /// The passphrase is shorter than allowed.
    #[error("the passphrase has fewer than {least} characters")]
    ShortPassphrase {
        /// The least length.
        least: usize,
    },
    /// The keyring is locked by shares, and what was given is none of that.
    #[error("the keyring is locked by any {need} of the {of} shares of set {set}")]
    Split {
        /// So many open it.
        need: u8,
        /// So many there are.
        of: u8,
        /// The set.
        set: String,
    },
    /// An officer's share.
    #[error("`{name}`: {error}")]
    Share {
        /// Its file.
        name: String,
        /// What is wrong with it.
        error: seal::Error,
    },
    /// Who holds the key of the keyring does not give it.
    #[error("{who} holds the key of the keyring: {fault}")]
    Holder {
        /// Who it is, and where.
        who: String,
        /// What is wrong.
        fault: HolderFault,
    },
    /// This program was built without drivers of tokens.
    #[error("this program was built without PKCS#11")]
    NotBuilt,
    /// The keyring itself.
    #[error(transparent)]
    Seal(#[from] seal::Error),
}

impl KeysError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            KeysError::TooOpen { .. } => "SR-KEYS-001",
            KeysError::Missing { .. } => "SR-KEYS-002",
            KeysError::Exists { .. } => "SR-KEYS-003",
            KeysError::File { .. } => "SR-KEYS-004",
            KeysError::ShortPassphrase { .. } => "SR-KEYS-005",
            KeysError::Split { .. } => "SR-KEYS-016",
            KeysError::NotBuilt => "SR-KEYS-022",
            KeysError::Holder { fault, .. } => fault.code(),
            KeysError::Share { error, .. } | KeysError::Seal(error) => error.code(),
        }
    }
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Problem {
        let (code, title) = (error.code(), error.to_string());
        let help = match error {
            KeysError::TooOpen { .. } => {
                "chmod 0700 the folder and 0600 its files, then look who could have read them"
            }
            KeysError::Missing { .. } => {
                "put back the copy of the keys folder that you keep apart; without it nothing can be opened"
            }
            KeysError::Exists { .. } => "a new key is never written over an old one: choose an empty folder",
            KeysError::File { .. } => "see that the folder belongs to the user that runs this process",
            KeysError::ShortPassphrase { .. } => "use a few words more",
            KeysError::Split { .. } => {
                "give the shares that officers keep: `--share FILE`, once for each of them"
            }
            KeysError::NotBuilt => {
                "build it with `--features pkcs11`, for a target that loads shared libraries"
            }
            KeysError::Share { error, .. } => Problem::from(error).help.unwrap_or_default(),
            KeysError::Holder { fault, .. } => fault.help(),
            KeysError::Seal(error) => return Problem::from(error),
        };
        Problem::new(code, 500, title).help(help)
    }
}

/// The unlocked keys folder.
pub struct KeysFolder {
    path: PathBuf,
    state: Mutex<State>,
    list: Arc<Mutex<ListFile>>,
    /// Who locks the keyring, and whether they still do.
    pub attending: Arc<Attending>,
}

impl std::fmt::Debug for KeysFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeysFolder").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Does this holder open the keyring of a folder now? What was opened is wiped at once.
pub fn must_unlock(path: &Path, holder: &dyn KeyHolder) -> Result<(), KeysError> {
    unlock(path, holder).map(|_| ())
}

fn unlock(path: &Path, holder: &dyn KeyHolder) -> Result<(Vec<u8>, Keyring, Unlocked), KeysError> {
    let file = read_private(&path.join(KEYRING))?;
    let locked = Keyring::how_locked(&file)?;
    let lock = holder.unlock(&locked)?;
    let unlocked = Keyring::unlock(&file, &lock).map_err(|error| match (locked, lock, error) {
        // Whoever keeps a share has to hear that it is wanted, and not that some old file does not fit.
        (Locked::ByShares(split), Lock::KeyFile(_), seal::Error::WrongLock) => wants_shares(split),
        (.., error) => KeysError::Seal(error),
    });
    unlocked.map(|(keyring, unlocked)| (file.to_vec(), keyring, unlocked))
}

/// The keyring is locked by shares of officers, and none were given.
pub(crate) fn wants_shares(split: Split) -> KeysError {
    KeysError::Split { need: split.need, of: split.of, set: split.name() }
}

struct State {
    keyring: Keyring,
    unlocked: Unlocked,
    /// The file that this is: another one was written by another process.
    file: Vec<u8>,
}

struct ListFile {
    path: PathBuf,
    file: File,
    length: u64,
    list: DestroyedList,
    key: Secret<32>,
}

/// The right to change files of a keys folder: several processes on one database share it. It is held for as long as one change
/// takes, and goes with the process that holds it.
struct Held(#[expect(dead_code, reason = "what counts is that it is open")] File);

impl Held {
    fn take(folder: &Path) -> Result<Held, KeysError> {
        let open =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join(HELD));
        let file = open.map_err(fault(HELD))?;
        file.lock().map_err(fault(HELD))?;
        Ok(Held(file))
    }
}

impl KeysFolder {
    /// Makes a new keyring in a folder that has none.
    ///
    /// Fails: `SR-KEYS-003` when there is one already: a new key is never written over an old one.
    pub fn create(path: &Path, lock: &LockSource, now: i64) -> Result<(), KeysError> {
        check_empty(path)?;
        let holder = lock.holder()?;
        // ORDER: whoever is outside is asked first. One who does not answer leaves no folder behind.
        let outside = match holder.attendance() {
            Attendance::Always => Some(holder.lock_anew()?),
            Attendance::AtTheStart => None,
        };
        make_private_folder(path)?;
        let mut random = SystemRandom::new();
        if let LockSource::KeyFile(file) = lock
            && !file.exists()
        {
            let mut bytes = Zeroizing::new([0_u8; 32]);
            seal::Random::fill(&mut random, bytes.as_mut())?;
            write_new(file, bytes.as_ref())?;
            // ORDER: the name of what opens the keyring is on the disk before the keyring is, in whatever folder it lies.
            sync_folder(folder_of(file))?;
        }
        let keyring = Keyring::new(now, &mut random)?;
        let lock = outside.map_or_else(|| holder.lock_anew(), Ok)?;
        let (file, _) = keyring.lock(&lock, &mut random)?;
        write_new(&path.join(ERASED), b"")?;
        write_new(&path.join(HEADS), b"")?;
        // ORDER: last, so that a folder with a keyring is a whole one.
        write_new(&path.join(KEYRING), &file)?;
        sync_folder(path)
    }

    /// The key of an epoch, also of one that another process has just begun.
    ///
    /// Fails: `SR-SEAL-…` when the keyring has none of this number.
    pub fn epoch(&self, number: u32) -> Result<EpochKey, Problem> {
        let has = |ring: &Keyring| ring.epochs.iter().any(|epoch| epoch.number == number);
        if !self.with(has) {
            self.keep_up()?;
        }
        self.with(|ring| {
            let epoch = ring.epochs.iter().find(|epoch| epoch.number == number);
            let epoch = epoch.ok_or(seal::Error::NoKey)?;
            Ok(EpochKey::new(epoch.number, &epoch.key)?)
        })
    }

    /// Takes over what another process has written into the keyring: an epoch that ended there ends in this memory, too.
    ///
    /// Fails: `SR-SEAL-012` when it is locked otherwise than when it was unlocked here; then a new start unlocks it.
    pub fn keep_up(&self) -> Result<(), KeysError> {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.read_again(&mut guard)
    }

    fn read_again(&self, state: &mut State) -> Result<(), KeysError> {
        let file = read_private(&self.path.join(KEYRING))?;
        if *state.file != **file {
            state.keyring = Keyring::unlock_again(&file, &state.unlocked)?;
            state.file = file.to_vec();
        }
        Ok(())
    }

    /// Unlocks an existing folder.
    ///
    /// Gives: the folder, and every destroyed key that its list names. Fails: with a code for a missing, damaged,
    /// too-open file or a wrong lock.
    pub fn open(path: &Path, lock: &LockSource) -> Result<(KeysFolder, Vec<Destroyed>), KeysError> {
        check_private_folder(path)?;
        let holder = lock.holder()?;
        let (file, keyring, unlocked) = unlock(path, holder.as_ref())?;
        // ORDER: from here on nobody else changes what is looked at; before it the holder may have taken its time.
        let _held = Held::take(path)?;
        // ORDER: after it was unlocked. Without a good keyring what a crash left may be all that there is.
        overwrite_leftovers(path, KEYRING)?;
        let text = read_private(&path.join(ERASED))?;
        let (list, destroyed, whole) = DestroyedList::read(&keyring.list_key, &text)?;
        let erased = OpenOptions::new().write(true).open(path.join(ERASED)).map_err(fault(ERASED))?;
        let length = whole as u64;
        erased.set_len(length).map_err(fault(ERASED))?; // a line cut short was never answered for
        let key = Secret::new(*keyring.list_key.expose());
        let list = ListFile { path: path.to_path_buf(), file: erased, length, list, key };
        let list = Arc::new(Mutex::new(list));
        let attending = Arc::new(Attending::new(holder, unlocked.check()));
        let state = Mutex::new(State { keyring, unlocked, file });
        Ok((KeysFolder { path: path.to_path_buf(), state, list, attending }, destroyed))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads something of the keyring.
    pub fn with<T>(&self, read: impl FnOnce(&Keyring) -> T) -> T {
        read(&self.state.lock().unwrap_or_else(PoisonError::into_inner).keyring)
    }

    /// Changes the keyring, on disk first. The file before is overwritten where it lies, not only replaced.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Keyring, &mut SystemRandom) -> Result<T, seal::Error>,
    ) -> Result<T, KeysError> {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *guard;
        let _held = Held::take(&self.path)?;
        // ORDER: what another process has written is changed, and not what was here before it.
        self.read_again(state)?;
        let mut random = SystemRandom::new();
        let mut next = state.keyring.copy();
        let outcome = change(&mut next, &mut random)?;
        let bytes = next.write(&state.unlocked, &mut random)?;
        // ORDER: on disk before in memory. An epoch key that only memory had would take with it all that it wraps.
        replace_and_overwrite(&self.path, KEYRING, &bytes)?;
        state.keyring = next;
        state.file = bytes;
        Ok(outcome)
    }

    /// Locks the keyring with another lock.
    pub fn relock(&self, lock: &LockSource) -> Result<(), KeysError> {
        let holder = lock.holder()?;
        // ORDER: asked before the keyring is held: whoever is outside may take their time.
        let lock = holder.lock_anew()?;
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let _held = Held::take(&self.path)?;
        self.read_again(&mut guard)?;
        let (bytes, unlocked) = guard.keyring.lock(&lock, &mut SystemRandom::new())?;
        replace_and_overwrite(&self.path, KEYRING, &bytes)?;
        self.attending.exchange(holder, unlocked.check());
        guard.unlocked = unlocked;
        guard.file = bytes;
        Ok(())
    }

    /// Who writes the list of destroyed keys, for the store's writer.
    pub fn witness(&self, clock: Arc<dyn super::clock::Clock>) -> ListWitness {
        ListWitness { list: Arc::clone(&self.list), clock }
    }

    /// The destroyed keys that the list names.
    pub fn list_lines(&self) -> Result<Vec<Destroyed>, KeysError> {
        let guard = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(DestroyedList::read(&guard.key, &read_private(&self.path.join(ERASED))?)?.1)
    }

    /// The list as it stands, for a backup.
    pub fn list_text(&self) -> Result<Vec<u8>, KeysError> {
        Ok(read_private(&self.path.join(ERASED))?.to_vec())
    }

    /// What of the list is safe on the disk, from a byte on: to be copied behind what was copied before.
    pub fn list_after(&self, from: u64) -> Result<Vec<u8>, KeysError> {
        let guard = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = File::open(self.path.join(ERASED)).map_err(fault(ERASED))?;
        let mut bytes = Vec::new();
        let more = file
            .seek(SeekFrom::Start(from))
            .and_then(|_| file.take(guard.length.saturating_sub(from)).read_to_end(&mut bytes));
        more.map_err(fault(ERASED))?;
        Ok(bytes)
    }

    /// Replaces the file of signed heads.
    pub fn write_heads(&self, text: &str) -> Result<(), KeysError> {
        self.write_whole(HEADS, text)
    }

    /// The file of signed heads.
    pub fn read_heads(&self) -> Result<String, KeysError> {
        self.read_whole(HEADS)
    }

    /// Replaces the file of heads that witnesses have cosigned.
    pub fn write_cosigned(&self, text: &str) -> Result<(), KeysError> {
        self.write_whole(COSIGNED, text)
    }

    /// The file of heads that witnesses have cosigned; empty before there was one.
    pub fn read_cosigned(&self) -> Result<String, KeysError> {
        match self.read_whole(COSIGNED) {
            Err(KeysError::Missing { .. }) => Ok(String::new()),
            read => read,
        }
    }

    fn write_whole(&self, name: &str, text: &str) -> Result<(), KeysError> {
        let fresh = self.path.join(format!("{name}.new"));
        let _ = fs::remove_file(&fresh);
        write_new(&fresh, text.as_bytes())?;
        rename(&fresh, &self.path.join(name)).map_err(fault(name))?;
        sync_folder(&self.path)
    }

    fn read_whole(&self, name: &str) -> Result<String, KeysError> {
        let bytes = read_private(&self.path.join(name))?;
        String::from_utf8(bytes.to_vec())
            .map_err(|_| KeysError::File { name: name.to_owned(), kind: std::io::ErrorKind::InvalidData })
    }
}

impl ListFile {
    /// Goes on behind what another process has appended.
    fn go_on(&mut self) -> Result<(), KeysError> {
        if self.file.metadata().map_err(fault(ERASED))?.len() == self.length {
            return Ok(());
        }
        let text = read_private(&self.path.join(ERASED))?;
        let (list, _, whole) = DestroyedList::read(&self.key, &text)?;
        let whole = whole as u64;
        // The list grows and nothing else: a shorter one is another.
        if whole < self.length {
            return Err(KeysError::Seal(seal::Error::ListBroken { line: 0 }));
        }
        self.file.set_len(whole).map_err(fault(ERASED))?; // of whoever was killed while it wrote
        (self.list, self.length) = (list, whole);
        Ok(())
    }
}

/// Appends destroyed keys to their list, and syncs, before anybody is told.
pub struct ListWitness {
    list: Arc<Mutex<ListFile>>,
    clock: Arc<dyn super::clock::Clock>,
}

impl std::fmt::Debug for ListWitness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ListWitness(..)")
    }
}

impl store::Witness for ListWitness {
    fn destroyed(&mut self, key_ids: &[[u8; 16]]) -> Result<(), store::Error> {
        let at = self.clock.now();
        let lines: Vec<Destroyed> = key_ids.iter().map(|id| Destroyed { at, id: KeyId(*id) }).collect();
        let mut guard = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let not_witnessed = |_| store::Error::NotWitnessed;
        let _held = Held::take(&guard.path).map_err(not_witnessed)?;
        guard.go_on().map_err(not_witnessed)?;
        let ListFile { file, length, list, .. } = &mut *guard;
        let before = list.mark();
        let bytes = list.append(&lines);
        let written = write_at(file, *length, &bytes).and_then(|()| sync_bytes(file));
        match written {
            Ok(()) => {
                *length = length.saturating_add(bytes.len() as u64);
                Ok(())
            }
            Err(_) => {
                // What was written in part is cut off; the database still knows the keys, and the next start catches up.
                list.back_to(before);
                let _ = file.set_len(*length);
                Err(store::Error::NotWitnessed)
            }
        }
    }
}

fn fault(name: &str) -> impl Fn(std::io::Error) -> KeysError + '_ {
    move |error| match error.kind() {
        std::io::ErrorKind::NotFound => KeysError::Missing { name: name.to_owned() },
        std::io::ErrorKind::AlreadyExists => KeysError::Exists { name: name.to_owned() },
        kind => KeysError::File { name: name.to_owned(), kind },
    }
}

fn shown(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Makes a folder that only its owner can enter, with those above it that are missing, or checks that an existing one is.
pub fn make_private_folder(path: &Path) -> Result<(), KeysError> {
    if !path.exists() {
        make_folder(path)?;
    }
    check_private_folder(path)
}

fn make_folder(path: &Path) -> Result<(), KeysError> {
    let above = folder_of(path);
    if !above.exists() {
        make_folder(above)?;
    }
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if let Err(error) = builder.create(path)
        && !path.is_dir()
    {
        return Err(fault(&shown(path))(error)); // and nobody else made it meanwhile
    }
    #[cfg(test)]
    power::did(power::Step::MadeFolder { name: path.to_path_buf() });
    // ORDER: its name is on the disk before anything in it is answered for: a folder without a name loses all that it holds.
    sync_folder(above)
}

/// The folder in which a name stands.
pub fn folder_of(path: &Path) -> &Path {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.unwrap_or(Path::new(if path.has_root() { "/" } else { "." }))
}

/// Fails with `SR-KEYS-003` when the folder holds keys already.
pub fn check_empty(path: &Path) -> Result<(), KeysError> {
    for name in [KEYRING, ERASED, HEADS] {
        if path.join(name).exists() {
            return Err(KeysError::Exists { name: name.to_owned() });
        }
    }
    Ok(())
}

/// Fails with `SR-KEYS-001` when others may enter the folder.
pub fn check_private_folder(path: &Path) -> Result<(), KeysError> {
    let metadata = fs::metadata(path).map_err(fault(&shown(path)))?;
    if !metadata.is_dir() {
        return Err(KeysError::File { name: shown(path), kind: std::io::ErrorKind::NotADirectory });
    }
    check_mode(path, metadata.permissions().mode(), 0o700)
}

fn check_mode(path: &Path, mode: u32, wanted: u32) -> Result<(), KeysError> {
    let for_others = mode & 0o077;
    if for_others == 0 {
        Ok(())
    } else {
        Err(KeysError::TooOpen { name: shown(path), mode: mode & 0o7777, wanted })
    }
}

/// Is a file as systemd's `LoadCredential` hands it to a service: of root and root's group, which nobody may write? The one
/// service that may read it stands in its access list, and what an access list grants shows as the mode of the group.
fn is_handed_by_root(owner: u32, group: u32, mode: u32) -> bool {
    (owner, group) == (0, 0) && mode & 0o7777 == 0o440
}

/// Reads a file that only its owner can read. Fails with `SR-KEYS-001` otherwise.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let name = shown(path);
    let mut file = File::open(path).map_err(fault(&name))?;
    let metadata = file.metadata().map_err(fault(&name))?;
    if !is_handed_by_root(metadata.uid(), metadata.gid(), metadata.mode()) {
        check_mode(path, metadata.mode(), 0o600)?;
    }
    // Room for the whole file at once: a growing buffer would leave copies of a secret behind.
    let size = usize::try_from(metadata.len()).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.saturating_add(1)));
    file.read_to_end(&mut bytes).map_err(fault(&name))?;
    Ok(bytes)
}

/// Writes a file that must not be there yet, readable by its owner only, and syncs it.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    let name = shown(path);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fault(&name))?;
    #[cfg(test)]
    power::did(power::Step::Made { name: path.to_path_buf(), file: power::id(&file) });
    write_at(&mut file, 0, bytes).and_then(|()| sync(&file)).map_err(fault(&name))
}

// ── What is done to a disk. Tests ask of each step what is left when the power goes behind it. ──────────────────────────────

fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)?;
    #[cfg(test)]
    power::did(power::Step::Wrote { file: power::id(file), at, bytes: bytes.to_vec() });
    Ok(())
}

fn sync(file: &File) -> std::io::Result<()> {
    file.sync_all()?;
    #[cfg(test)]
    power::did(power::Step::Synced { file: power::id(file) });
    Ok(())
}

/// Without what nobody needs to read the bytes again.
fn sync_bytes(file: &File) -> std::io::Result<()> {
    file.sync_data()?;
    #[cfg(test)]
    power::did(power::Step::Synced { file: power::id(file) });
    Ok(())
}

fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::rename(from, to)?;
    #[cfg(test)]
    power::did(power::Step::Renamed { from: from.to_path_buf(), to: to.to_path_buf() });
    Ok(())
}

fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::hard_link(from, to)?;
    #[cfg(test)]
    power::did(power::Step::Linked { from: from.to_path_buf(), to: to.to_path_buf() });
    Ok(())
}

fn remove(path: &Path) -> std::io::Result<()> {
    fs::remove_file(path)?;
    #[cfg(test)]
    power::did(power::Step::Removed { name: path.to_path_buf() });
    Ok(())
}

/// Opens a file to read it, if it is one: not a pipe that nobody writes into, nor a device that never ends.
pub fn open_plain(path: &Path) -> std::io::Result<File> {
    // Without waiting: a pipe would be opened only when somebody comes to write. To a file this makes no difference.
    let without_waiting = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(without_waiting).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::ErrorKind::InvalidInput.into()) }
}

/// Reads a text, also out of a pipe, but no more of it than anybody writes by hand.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(TEXT_LIMIT.saturating_add(1)).read_to_string(&mut text)?;
    if read as u64 > TEXT_LIMIT { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// Longest text: a policy, a mapping, a manifest, a list of heads.
const TEXT_LIMIT: u64 = 16 << 20;

/// Puts a new file in the place of an old one, then overwrites the old one's bytes where they lie.
///
/// The old file keeps a name until it is overwritten, so that a crash in between leaves something that [`overwrite_leftovers`]
/// finds: an epoch's key must not outlive its epoch in blocks that no file has any more.
fn replace_and_overwrite(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), KeysError> {
    overwrite_leftovers(folder, name)?;
    let (path, fresh, old) = (folder.join(name), beside(folder, name, NEW), beside(folder, name, OLD));
    write_new(&fresh, bytes)?;
    // ORDER: the old file stays open over the rename: where a file cannot have two names there is still something to overwrite.
    let mut opened = OpenOptions::new().write(true).open(&path).map_err(fault(name))?;
    let _ = link(&path, &old);
    rename(&fresh, &path).map_err(fault(name))?;
    // ORDER: the new file's name is on the disk before the old file's bytes go.
    sync_folder(folder)?;
    overwrite(&mut opened).map_err(fault(name))?;
    overwrite_leftovers(folder, name)
}

const NEW: &str = "new";
const OLD: &str = "old";

fn beside(folder: &Path, name: &str, end: &str) -> PathBuf {
    folder.join(format!("{name}.{end}"))
}

/// What a crash left of a file that was being replaced: the old one, or a new one that was not put in its place.
fn overwrite_leftovers(folder: &Path, name: &str) -> Result<(), KeysError> {
    let Ok(stands) = fs::metadata(folder.join(name)) else { return Ok(()) };
    let mut any = false;
    for end in [OLD, NEW] {
        let path = beside(folder, name, end);
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        any = true;
        // INVARIANT: a second name of the file that stands is taken away, and never written through.
        if found.is_file() && (found.dev(), found.ino()) != (stands.dev(), stands.ino()) {
            let mut leftover = OpenOptions::new().write(true).open(&path).map_err(fault(name))?;
            overwrite(&mut leftover).map_err(fault(name))?;
        }
        remove(&path).map_err(fault(name))?;
    }
    if any { sync_folder(folder) } else { Ok(()) }
}

fn overwrite(file: &mut File) -> std::io::Result<()> {
    let length = file.metadata()?.len();
    write_at(file, 0, &vec![0_u8; usize::try_from(length).unwrap_or(0)])?;
    sync(file)
}

/// Syncs a folder: the names in it are on the disk.
pub fn sync_folder(path: &Path) -> Result<(), KeysError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(fault(&shown(path)))?;
    #[cfg(test)]
    power::did(power::Step::SyncedFolder { name: path.to_path_buf() });
    Ok(())
}

#[cfg(test)]
mod power;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_systemd_hands_over_is_taken_and_no_other_that_a_group_can_read() {
        assert!(is_handed_by_root(0, 0, 0o100_440));
        for (owner, group, mode) in
            [(0, 0, 0o100_640), (0, 0, 0o100_444), (0, 100, 0o100_440), (1000, 0, 0o100_440)]
        {
            assert!(!is_handed_by_root(owner, group, mode), "{owner}:{group} {mode:o}");
        }
    }
    use crate::ground::clock::SetClock;

    fn folder() -> (tempfile::TempDir, PathBuf, LockSource) {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("keys");
        let lock = LockSource::KeyFile(path.join(UNLOCK));
        KeysFolder::create(&path, &lock, 0).unwrap();
        (outer, path, lock)
    }

    fn code<T>(outcome: Result<T, KeysError>) -> &'static str {
        outcome.err().map_or("none", |error| error.code())
    }

    #[test]
    fn a_new_key_is_never_written_over_an_old_one() {
        let (_outer, path, lock) = folder();
        let before = fs::read(path.join(KEYRING)).unwrap();
        assert_eq!(code(KeysFolder::create(&path, &lock, 0)), "SR-KEYS-003");
        assert_eq!(fs::read(path.join(KEYRING)).unwrap(), before);
    }

    #[test]
    fn a_folder_or_file_open_to_others_is_refused() {
        let (_outer, path, lock) = folder();
        for (name, mode) in [("", 0o750), (KEYRING, 0o640), (UNLOCK, 0o604), (ERASED, 0o660)] {
            let target = if name.is_empty() { path.clone() } else { path.join(name) };
            let closed = fs::metadata(&target).unwrap().permissions();
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(code(KeysFolder::open(&path, &lock)), "SR-KEYS-001", "{name}");
            fs::set_permissions(&target, closed).unwrap();
        }
        assert!(KeysFolder::open(&path, &lock).is_ok());
    }

    #[test]
    fn missing_wrong_and_truncated_key_files_are_told_apart() {
        let (_outer, path, lock) = folder();
        let other = path.join("other.key");
        write_new(&other, &[9; 32]).unwrap();
        assert_eq!(code(KeysFolder::open(&path, &LockSource::KeyFile(other))), "SR-SEAL-011");
        assert_eq!(code(KeysFolder::open(&path, &LockSource::KeyFile(path.join("none")))), "SR-KEYS-002");
        let keyring = fs::read(path.join(KEYRING)).unwrap();
        OpenOptions::new().write(true).open(path.join(KEYRING)).unwrap().set_len(40).unwrap();
        assert_eq!(code(KeysFolder::open(&path, &lock)), "SR-SEAL-009");
        fs::write(path.join(KEYRING), &keyring).unwrap();
        fs::remove_file(path.join(KEYRING)).unwrap();
        assert_eq!(code(KeysFolder::open(&path, &lock)), "SR-KEYS-002");
    }

    #[test]
    fn the_list_takes_keys_over_restarts_and_drops_a_line_cut_short() {
        let (_outer, path, lock) = folder();
        let clock: Arc<dyn super::super::clock::Clock> = Arc::new(SetClock::at(5));
        for round in 0..3_u8 {
            let (keys, known) = KeysFolder::open(&path, &lock).unwrap();
            assert_eq!(known.len(), usize::from(round));
            let mut witness = keys.witness(Arc::clone(&clock));
            store::Witness::destroyed(&mut witness, &[[round; 16]]).unwrap();
        }
        let mut file = OpenOptions::new().append(true).open(path.join(ERASED)).unwrap();
        file.write_all(b"1 7 0102").unwrap();
        let (keys, known) = KeysFolder::open(&path, &lock).unwrap();
        assert_eq!(known.iter().map(|line| line.id.0[0]).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(keys.list_text().unwrap().ends_with(b"\n"));
    }

    #[test]
    fn a_changed_keyring_leaves_no_old_bytes_in_its_file() {
        let (_outer, path, lock) = folder();
        let linked = path.join("old-inode");
        fs::hard_link(path.join(KEYRING), &linked).unwrap();
        let (keys, _) = KeysFolder::open(&path, &lock).unwrap();
        keys.change(|keyring, random| keyring.begin_epoch(9, random)).unwrap();
        assert!(fs::read(&linked).unwrap().iter().all(|byte| *byte == 0), "the old file is overwritten");
        let (keys, _) = KeysFolder::open(&path, &lock).unwrap();
        assert_eq!(keys.with(|keyring| keyring.epochs.len()), 2);
    }

    #[test]
    fn what_a_crash_left_of_an_old_keyring_is_overwritten_at_the_next_start() {
        let (_outer, path, lock) = folder();
        let whole = fs::read(path.join(KEYRING)).unwrap();
        // Cut off before the rename: the new file is there, and the one that stands has two names.
        write_new(&path.join("keyring.new"), &whole).unwrap();
        fs::hard_link(path.join("keyring.new"), path.join("seen-new")).unwrap();
        fs::hard_link(path.join(KEYRING), path.join("keyring.old")).unwrap();
        let (keys, _) = KeysFolder::open(&path, &lock).unwrap();
        assert_eq!(fs::read(path.join(KEYRING)).unwrap(), whole, "the one that stands is as it was");
        assert!(fs::read(path.join("seen-new")).unwrap().iter().all(|byte| *byte == 0));

        // Cut off behind the rename: the old one is still whole under its other name.
        drop(keys);
        write_new(&path.join("keyring.old"), &whole).unwrap();
        fs::hard_link(path.join("keyring.old"), path.join("seen-old")).unwrap();
        KeysFolder::open(&path, &lock).unwrap();
        assert!(fs::read(path.join("seen-old")).unwrap().iter().all(|byte| *byte == 0));
        for name in ["keyring.new", "keyring.old"] {
            assert!(!path.join(name).exists(), "{name}");
        }
        // Where no keyring stands, nothing is overwritten: it may be all that is left.
        fs::rename(path.join(KEYRING), path.join("keyring.new")).unwrap();
        assert_eq!(code(KeysFolder::open(&path, &lock)), "SR-KEYS-002");
        assert_eq!(fs::read(path.join("keyring.new")).unwrap(), whole);
    }

    #[test]
    fn a_passphrase_can_take_the_place_of_a_key_file() {
        let (_outer, path, lock) = folder();
        let words = path.join("words");
        write_new(&words, "seven quiet harbours\n".as_bytes()).unwrap();
        let (keys, _) = KeysFolder::open(&path, &lock).unwrap();
        let short = path.join("short");
        write_new(&short, b"too short").unwrap();
        assert_eq!(code(keys.relock(&LockSource::PassphraseFile(short))), "SR-KEYS-005");
        keys.relock(&LockSource::PassphraseFile(words.clone())).unwrap();
        assert_eq!(code(KeysFolder::open(&path, &lock)), "SR-SEAL-012");
        assert!(KeysFolder::open(&path, &LockSource::PassphraseFile(words)).is_ok());
    }
}
