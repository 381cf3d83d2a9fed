//! The keyring: the small secret on which everything else stands. It lives outside the data folder and outside every
//! backup, locked by a key file, a passphrase, shares of officers, or a key that a holder outside keeps.
//!
//! ```text
//! "SRKEYRNG" ‖ 1 ‖ lock(1) ‖ salt(16) ‖ argon2 m,t,p (4 each)  ‖ nonce(12) ‖ AES-256-GCM(body)      locks 1 and 2
//! "SRKEYRNG" ‖ 2 ‖ lock(1) ‖ salt(16) ‖ length(2) ‖ about      ‖ nonce(12) ‖ AES-256-GCM(body)      locks 3 to 5
//! ```
//! Everything before the sealed body is its associated data. SOURCE: docs/spec/seal.md, "Keyring".

use std::fmt;

use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::{Random, Secret};
use crate::shares::Split;
use crate::suite::{Cipher, Keyed, Suite, derive};

/// What unlocks a keyring.
pub enum Lock {
    /// The bytes of a key file; 32 random ones when made here.
    KeyFile(Zeroizing<Vec<u8>>),
    /// Words that people keep.
    Passphrase(Zeroizing<String>),
    /// What officers' shares give together. As a key file it opens the same keyring.
    Shared {
        /// The secret.
        secret: Secret<32>,
        /// How it was split.
        split: Split,
    },
    /// A random key that somebody outside wrapped under a key that they do not give away.
    Held {
        /// Who.
        by: Holder,
        /// The key.
        key: Secret<32>,
        /// The same as its holder wrapped it.
        wrapped: Vec<u8>,
    },
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lock::KeyFile(_) => "Lock::KeyFile",
            Lock::Passphrase(_) => "Lock::Passphrase",
            Lock::Shared { .. } => "Lock::Shared",
            Lock::Held { .. } => "Lock::Held",
        })
    }
}

/// Who can hold a key for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The transit of an OpenBao or Vault server.
    OpenBao,
    /// A token that speaks PKCS#11.
    Pkcs11,
}

/// How a keyring is locked: what its file says before anything is opened. Nobody vouches for it until it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// By a key file.
    ByKeyFile,
    /// By a passphrase.
    ByPassphrase,
    /// By shares of officers.
    ByShares(Split),
    /// By a key that somebody outside holds.
    ByHolder {
        /// Who.
        by: Holder,
        /// The key as its holder wrapped it.
        wrapped: Vec<u8>,
    },
}

impl Locked {
    /// In words of ours.
    pub fn name(&self) -> &'static str {
        match self {
            Locked::ByKeyFile => "a key file",
            Locked::ByPassphrase => "a passphrase",
            Locked::ByShares(_) => "shares of officers",
            Locked::ByHolder { by: Holder::OpenBao, .. } => "a key that OpenBao holds",
            Locked::ByHolder { by: Holder::Pkcs11, .. } => "a key in a PKCS#11 token",
        }
    }
}

/// The least bytes of a key file.
pub const KEY_FILE_LEAST: usize = 32;
/// The least characters of a passphrase. SOURCE: ASVS 5.0, 6.2.1 advises 15.
pub const PASSPHRASE_LEAST: usize = 15;

/// Cost of Argon2id. SOURCE: RFC 9106 §4, second recommended option, with one lane.
const ARGON_MEMORY_KIB: u32 = 65_536;
const ARGON_PASSES: u32 = 3;
const ARGON_LANES: u32 = 1;

const MAGIC: &[u8; 8] = b"SRKEYRNG";
/// Locks that earlier releases know are still written as those read them.
const FORMAT: u8 = 1;
const FORMAT_ABOUT: u8 = 2;
const BODY_FORMAT: u8 = 1;
/// Longest `about`. What OpenBao makes of 32 bytes is about 90 long.
const ABOUT_LIMIT: usize = 4_096;

/// One epoch.
#[derive(Debug)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: u32,
    /// When it began, µs UTC.
    pub since: i64,
    /// Its key.
    pub key: Secret<32>,
}

/// The unlocked keyring.
#[derive(Debug)]
pub struct Keyring {
    /// Epochs at hand, ascending: one, or two while one is being changed for the next.
    pub epochs: Vec<Epoch>,
    /// Seeds of the signing keys of the shops' logs.
    pub ledger_seeds: Vec<(u32, Secret<32>)>,
    /// Key of the chain in the list of destroyed keys.
    pub list_key: Secret<32>,
    /// Key of public ids.
    pub id_key: Secret<32>,
}

/// What a lock became: kept in memory so that the keyring can be written again without asking.
pub struct Unlocked {
    key: Secret<32>,
    head: Vec<u8>,
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlocked(..)")
    }
}

impl Unlocked {
    /// What a lock can be held against later, when this key may be gone.
    pub fn check(&self) -> LockCheck {
        LockCheck { head: self.head.clone(), digest: of_lock_key(&self.key) }
    }
}

/// Tells whether a lock is the one that a keyring was unlocked with. Opens nothing: it holds a digest of a random key.
#[derive(Clone)]
pub struct LockCheck {
    head: Vec<u8>,
    digest: [u8; 32],
}

impl fmt::Debug for LockCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockCheck(..)")
    }
}

impl LockCheck {
    /// How the keyring is locked.
    pub fn locked(&self) -> Result<Locked, Error> {
        Ok(Head::read(&self.head)?.0.locked)
    }

    /// Is it this lock? Fails: `SR-SEAL-011` when it is another, `SR-SEAL-012` when it is one of another kind.
    pub fn must_be(&self, lock: &Lock) -> Result<(), Error> {
        let key = Head::read(&self.head)?.0.key(lock)?;
        if crate::secret::same(&self.digest, &of_lock_key(&key)) { Ok(()) } else { Err(Error::WrongLock) }
    }
}

fn of_lock_key(key: &Secret<32>) -> [u8; 32] {
    Suite::Aes256Gcm.digest(&[b"strongroom/lock-check/1", key.expose()])
}

const NONCE: usize = 12;

/// What stands before the nonce.
struct Head {
    locked: Locked,
    salt: [u8; 16],
    costs: [u32; 3],
}

impl Head {
    fn write(&self) -> Result<Vec<u8>, Error> {
        let (format, kind, about) = match &self.locked {
            Locked::ByKeyFile => (FORMAT, 1, Vec::new()),
            Locked::ByPassphrase => (FORMAT, 2, Vec::new()),
            Locked::ByShares(split) => (FORMAT_ABOUT, 3, split.encode()),
            Locked::ByHolder { by: Holder::OpenBao, wrapped } => (FORMAT_ABOUT, 4, wrapped.clone()),
            Locked::ByHolder { by: Holder::Pkcs11, wrapped } => (FORMAT_ABOUT, 5, wrapped.clone()),
        };
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&[format, kind]);
        head.extend_from_slice(&self.salt);
        if format == FORMAT {
            head.extend(self.costs.iter().flat_map(|cost| cost.to_be_bytes()));
        } else {
            if about.len() > ABOUT_LIMIT {
                return Err(Error::TooLong { limit: ABOUT_LIMIT });
            }
            head.extend_from_slice(&u16::try_from(about.len()).map_err(|_| Error::Mismatch)?.to_be_bytes());
            head.extend_from_slice(&about);
        }
        Ok(head)
    }

    /// Reads the head of a file. Gives how long it is, too.
    fn read(file: &[u8]) -> Result<(Head, usize), Error> {
        let mut rest = file;
        if take::<8>(&mut rest)? != MAGIC {
            return Err(Error::KeyringDamaged);
        }
        let [format, kind] = *take::<2>(&mut rest)?;
        if format > FORMAT_ABOUT {
            return Err(Error::KeyringNewer { found: format, known: FORMAT_ABOUT });
        }
        let salt = *take::<16>(&mut rest)?;
        let mut costs = [0; 3];
        let locked = if format == FORMAT {
            for cost in &mut costs {
                *cost = u32::from_be_bytes(*take::<4>(&mut rest)?);
            }
            match kind {
                1 => Locked::ByKeyFile,
                2 => Locked::ByPassphrase,
                _ => return Err(Error::KeyringDamaged),
            }
        } else {
            let length = usize::from(u16::from_be_bytes(*take::<2>(&mut rest)?));
            let (about, behind) = rest.split_at_checked(length).ok_or(Error::KeyringDamaged)?;
            rest = behind;
            match (format, kind) {
                (FORMAT_ABOUT, 3) => Locked::ByShares(Split::decode(about).ok_or(Error::KeyringDamaged)?),
                (FORMAT_ABOUT, 4) => Locked::ByHolder { by: Holder::OpenBao, wrapped: about.to_vec() },
                (FORMAT_ABOUT, 5) => Locked::ByHolder { by: Holder::Pkcs11, wrapped: about.to_vec() },
                _ => return Err(Error::KeyringDamaged),
            }
        };
        Ok((Head { locked, salt, costs }, file.len().saturating_sub(rest.len())))
    }

    /// The key that a lock gives. Fails: `SR-SEAL-012` for a lock of another kind.
    fn key(&self, lock: &Lock) -> Result<Secret<32>, Error> {
        let fits = match (&self.locked, lock) {
            // What shares gave may have been written into a file.
            (Locked::ByKeyFile | Locked::ByShares(_), Lock::KeyFile(_))
            | (Locked::ByPassphrase, Lock::Passphrase(_)) => true,
            (Locked::ByShares(split), Lock::Shared { split: given, .. }) => {
                if split.set != given.set {
                    return Err(Error::OtherSet);
                }
                true
            }
            (Locked::ByHolder { by, .. }, Lock::Held { by: given, .. }) => by == given,
            _ => false,
        };
        if !fits {
            return Err(Error::OtherLock { wanted: self.locked.name() });
        }
        lock_key(lock, &self.salt, self.costs)
    }
}

impl Keyring {
    /// A new keyring with its first epoch.
    pub fn new(now: i64, random: &mut impl Random) -> Result<Keyring, Error> {
        let (mut epochs, ledger_seeds) = room(1, 0);
        epochs.push(Epoch { number: 1, since: now, key: Secret::random(random)? });
        Ok(Keyring {
            epochs,
            ledger_seeds,
            list_key: Secret::random(random)?,
            id_key: Secret::random(random)?,
        })
    }

    /// The same once more in memory, for a change that may fail on its way to disk.
    #[must_use]
    pub fn copy(&self) -> Keyring {
        let copy = |secret: &Secret<32>| Secret::new(*secret.expose());
        let epoch = |epoch: &Epoch| Epoch { number: epoch.number, since: epoch.since, key: copy(&epoch.key) };
        let (mut epochs, mut ledger_seeds) = room(self.epochs.len(), self.ledger_seeds.len());
        epochs.extend(self.epochs.iter().map(epoch));
        ledger_seeds.extend(self.ledger_seeds.iter().map(|(shop, seed)| (*shop, copy(seed))));
        Keyring { epochs, ledger_seeds, list_key: copy(&self.list_key), id_key: copy(&self.id_key) }
    }

    /// Begins the next epoch. The one before stays until [`Keyring::end_epochs_before`].
    pub fn begin_epoch(&mut self, now: i64, random: &mut impl Random) -> Result<u32, Error> {
        let number = self.epochs.last().map_or(1, |epoch| epoch.number.saturating_add(1));
        self.epochs.push(Epoch { number, since: now, key: Secret::random(random)? });
        Ok(number)
    }

    /// Forgets older epochs. With their keys dies what was wrapped under them, wherever a copy lies.
    pub fn end_epochs_before(&mut self, number: u32) {
        // Swapped to the end and dropped there, where they are wiped: what is moved forward over them would leave a copy behind.
        while let Some(at) = self.epochs.iter().rposition(|epoch| epoch.number < number) {
            drop(self.epochs.swap_remove(at));
            self.epochs.sort_by_key(|epoch| epoch.number);
        }
    }

    /// The seed of a shop's log.
    pub fn ledger_seed(&self, shop: u32) -> Option<&Secret<32>> {
        self.ledger_seeds.iter().find(|(of, _)| *of == shop).map(|(_, seed)| seed)
    }

    /// How a keyring file is locked. Fails: as [`Keyring::unlock`] does for a damaged or newer file.
    pub fn how_locked(file: &[u8]) -> Result<Locked, Error> {
        Ok(Head::read(file)?.0.locked)
    }

    /// Locks a new keyring: the file's bytes, and what is needed to write it again.
    pub fn lock(&self, lock: &Lock, random: &mut impl Random) -> Result<(Vec<u8>, Unlocked), Error> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        let locked = match lock {
            Lock::KeyFile(_) => Locked::ByKeyFile,
            Lock::Passphrase(_) => Locked::ByPassphrase,
            Lock::Shared { split, .. } => Locked::ByShares(*split),
            Lock::Held { by, wrapped, .. } => Locked::ByHolder { by: *by, wrapped: wrapped.clone() },
        };
        let costs = match locked {
            Locked::ByPassphrase => [ARGON_MEMORY_KIB, ARGON_PASSES, ARGON_LANES],
            _ => [0; 3],
        };
        let head = Head { locked, salt, costs };
        let unlocked = Unlocked { key: head.key(lock)?, head: head.write()? };
        Ok((self.write(&unlocked, random)?, unlocked))
    }

    /// The file's bytes again, under the same lock.
    pub fn write(&self, unlocked: &Unlocked, random: &mut impl Random) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE];
        random.fill(&mut nonce)?;
        let mut file = Vec::with_capacity(512);
        file.extend_from_slice(&unlocked.head);
        file.extend_from_slice(&nonce);
        let aad = file.clone();
        // Sealed where it stands: of what was plain nothing is left behind.
        let mut body = self.encode()?;
        // Keys are sealed with a fresh random nonce; a keyring is written a few times a year.
        Cipher::aes(unlocked.key.expose())?.seal(nonce, &aad, &mut body, 0)?;
        file.extend_from_slice(&body);
        Ok(file)
    }

    /// Opens a keyring file that was written again under the lock that was opened before.
    ///
    /// Fails: `SR-SEAL-012` when it has another lock by now, `SR-SEAL-009` when it is damaged.
    pub fn unlock_again(file: &[u8], unlocked: &Unlocked) -> Result<Keyring, Error> {
        let wanted = Error::OtherLock { wanted: "the lock that it was given meanwhile" };
        let rest = file.strip_prefix(unlocked.head.as_slice()).ok_or(wanted)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(Error::KeyringDamaged)?;
        let aad = file.get(..unlocked.head.len().saturating_add(NONCE)).ok_or(Error::KeyringDamaged)?;
        let body = Cipher::aes(unlocked.key.expose())?.open(*nonce, aad, sealed);
        Keyring::decode(&body.map_err(|_| Error::KeyringDamaged)?)
    }

    /// Unlocks a keyring file.
    ///
    /// Fails: `SR-SEAL-009` when the file is damaged or cut short, `SR-SEAL-010` when it is newer,
    /// `SR-SEAL-011` when the lock is wrong, `SR-SEAL-012` when it wants another kind of lock, `SR-SEAL-016` when it wants shares of
    /// another set.
    pub fn unlock(file: &[u8], lock: &Lock) -> Result<(Keyring, Unlocked), Error> {
        let (head, length) = Head::read(file)?;
        let (written, rest) = file.split_at_checked(length).ok_or(Error::KeyringDamaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(Error::KeyringDamaged)?;
        let unlocked = Unlocked { key: head.key(lock)?, head: written.to_vec() };
        let aad = file.get(..length.saturating_add(NONCE)).ok_or(Error::KeyringDamaged)?;
        let body = match Cipher::aes(unlocked.key.expose())?.open(*nonce, aad, sealed) {
            Ok(body) => body,
            // A short file cannot hold a keyring; a long enough one that does not open has the wrong lock, or was edited.
            Err(Error::Malformed) => return Err(Error::KeyringDamaged),
            Err(_) => return Err(Error::WrongLock),
        };
        Ok((Keyring::decode(&body)?, unlocked))
    }

    /// `format ‖ (tag ‖ length ‖ bytes)…`
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        // Room for all of it and for the seal: a buffer that grows leaves copies of keys behind.
        let parts = self.epochs.len().saturating_add(self.ledger_seeds.len()).saturating_add(2);
        let mut body = Zeroizing::new(Vec::with_capacity(parts.saturating_mul(64)));
        body.push(BODY_FORMAT);
        let mut part = |tag: u8, parts: &[&[u8]]| -> Result<(), Error> {
            let length: usize = parts.iter().map(|part| part.len()).sum();
            body.push(tag);
            body.extend_from_slice(&u16::try_from(length).map_err(|_| Error::Mismatch)?.to_be_bytes());
            for part in parts {
                body.extend_from_slice(part);
            }
            Ok(())
        };
        for epoch in &self.epochs {
            part(1, &[&epoch.number.to_be_bytes(), &epoch.since.to_be_bytes(), epoch.key.expose()])?;
        }
        for (shop, seed) in &self.ledger_seeds {
            part(2, &[&shop.to_be_bytes(), seed.expose()])?;
        }
        part(3, &[self.list_key.expose()])?;
        part(4, &[self.id_key.expose()])?;
        Ok(body)
    }

    fn decode(body: &[u8]) -> Result<Keyring, Error> {
        let mut rest = body;
        let [format] = *take::<1>(&mut rest)?;
        if format != BODY_FORMAT {
            return Err(Error::KeyringNewer { found: format, known: BODY_FORMAT });
        }
        // No part is shorter than 32 bytes.
        let parts = body.len() / 32;
        let ((mut epochs, mut ledger_seeds), mut list_key, mut id_key) = (room(parts, parts), None, None);
        while !rest.is_empty() {
            let [tag] = *take::<1>(&mut rest)?;
            let length = usize::from(u16::from_be_bytes(*take::<2>(&mut rest)?));
            let (mut part, behind) = rest.split_at_checked(length).ok_or(Error::KeyringDamaged)?;
            rest = behind;
            match tag {
                1 => {
                    let number = u32::from_be_bytes(*take::<4>(&mut part)?);
                    let since = i64::from_be_bytes(*take::<8>(&mut part)?);
                    epochs.push(Epoch { number, since, key: Secret::new(*take::<32>(&mut part)?) });
                }
                2 => {
                    let shop = u32::from_be_bytes(*take::<4>(&mut part)?);
                    ledger_seeds.push((shop, Secret::new(*take::<32>(&mut part)?)));
                }
                3 => list_key = Some(Secret::new(*take::<32>(&mut part)?)),
                4 => id_key = Some(Secret::new(*take::<32>(&mut part)?)),
                _ => return Err(Error::KeyringDamaged),
            }
            if !part.is_empty() {
                return Err(Error::KeyringDamaged);
            }
        }
        let (Some(list_key), Some(id_key)) = (list_key, id_key) else { return Err(Error::KeyringDamaged) };
        if epochs.is_empty() || !epochs.is_sorted_by(|one, two| one.number < two.number) {
            return Err(Error::KeyringDamaged);
        }
        Ok(Keyring { epochs, ledger_seeds, list_key, id_key })
    }
}

fn lock_key(lock: &Lock, salt: &[u8; 16], costs: [u32; 3]) -> Result<Secret<32>, Error> {
    match lock {
        Lock::KeyFile(bytes) => {
            if bytes.len() < KEY_FILE_LEAST {
                return Err(Error::WrongLock);
            }
            of_secret(salt, bytes)
        }
        Lock::Shared { secret, .. } => of_secret(salt, secret.expose()),
        Lock::Held { key, .. } => of_secret(salt, key.expose()),
        Lock::Passphrase(words) => {
            let [memory, passes, lanes] = costs;
            // A file that asks for gigabytes is not one of ours: refuse before the memory is taken.
            if memory > ARGON_MEMORY_KIB * 16 || passes > 64 || lanes > 16 {
                return Err(Error::KeyringDamaged);
            }
            let params =
                argon2::Params::new(memory, passes, lanes, Some(32)).map_err(|_| Error::KeyringDamaged)?;
            let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
            let mut key = Zeroizing::new([0; 32]);
            argon
                .hash_password_into(words.as_bytes(), salt, key.as_mut())
                .map_err(|_| Error::KeyringDamaged)?;
            Ok(Secret::new(*key))
        }
    }
}

/// Lists of keys with room for a few more: one that grows leaves copies of its keys behind.
fn room(epochs: usize, seeds: usize) -> (Vec<Epoch>, Vec<(u32, Secret<32>)>) {
    (Vec::with_capacity(epochs.saturating_add(2)), Vec::with_capacity(seeds.saturating_add(2)))
}

fn of_secret(salt: &[u8; 16], secret: &[u8]) -> Result<Secret<32>, Error> {
    Ok(Secret::new(*derive::<Sha256, 32>(salt, secret, &[b"strongroom/keyring/1"])?))
}

fn take<'b, const N: usize>(rest: &mut &'b [u8]) -> Result<&'b [u8; N], Error> {
    let (taken, behind) = rest.split_first_chunk::<N>().ok_or(Error::KeyringDamaged)?;
    *rest = behind;
    Ok(taken)
}

/// One line of the list of destroyed keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroyed {
    /// When it was written, µs UTC.
    pub at: i64,
    /// The key.
    pub id: crate::KeyId,
}

/// The list of destroyed keys: lines that chain, so that none can be taken out of the middle or changed.
///
/// ```text
/// 1 <at> <key id, hex> <HMAC-SHA256(list key, mac before ‖ the line so far), hex>
/// ```
/// A list that was cut at its end is noticed by the database, which names every destroyed key too.
pub struct DestroyedList {
    keyed: Keyed,
    last: [u8; 32],
}

impl fmt::Debug for DestroyedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DestroyedList(..)")
    }
}

impl DestroyedList {
    /// Reads a list. Gives the state to append with, its lines, and how many bytes of the file are whole lines:
    /// what comes behind them was cut off while it was written, and was never answered for.
    ///
    /// Fails: `SR-SEAL-013` naming the first line that does not chain.
    pub fn read(key: &Secret<32>, file: &[u8]) -> Result<(DestroyedList, Vec<Destroyed>, usize), Error> {
        let mut list = DestroyedList { keyed: Keyed::new(Suite::Aes256Gcm, key.expose()), last: [0; 32] };
        let mut all = Vec::new();
        let mut whole = 0_usize;
        for (position, line) in file.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let broken = Error::ListBroken { line: position.saturating_add(1) };
            let Some(text) = line.strip_suffix(b"\n") else { break };
            let text = std::str::from_utf8(text).map_err(|_| broken)?;
            let (said, mac) = text.rsplit_once(' ').ok_or(broken)?;
            let mac = data_encoding::HEXLOWER.decode(mac.as_bytes()).map_err(|_| broken)?;
            let next = list.mac(said);
            if !crate::secret::same(&next, &mac) {
                return Err(broken);
            }
            list.last = next;
            all.push(parse_line(said).ok_or(broken)?);
            whole = whole.saturating_add(line.len());
        }
        Ok((list, all, whole))
    }

    /// The bytes to append for more destroyed keys.
    pub fn append(&mut self, destroyed: &[Destroyed]) -> Vec<u8> {
        let mut out = Vec::with_capacity(destroyed.len().saturating_mul(128));
        for line in destroyed {
            let said = format!("1 {} {}", line.at, line.id);
            self.last = self.mac(&said);
            out.extend_from_slice(said.as_bytes());
            out.push(b' ');
            out.extend_from_slice(data_encoding::HEXLOWER.encode(&self.last).as_bytes());
            out.push(b'\n');
        }
        out
    }

    /// The state before and after an append that may fail: the file decides which one stands.
    pub fn mark(&self) -> [u8; 32] {
        self.last
    }

    /// Goes back to a state that [`DestroyedList::mark`] gave.
    pub fn back_to(&mut self, mark: [u8; 32]) {
        self.last = mark;
    }

    fn mac(&self, said: &str) -> [u8; 32] {
        self.keyed.mac(&[&self.last, said.as_bytes()])
    }
}

fn parse_line(said: &str) -> Option<Destroyed> {
    let mut words = said.split(' ');
    let (version, at, id) = (words.next()?, words.next()?, words.next()?);
    if version != "1" || words.next().is_some() {
        return None;
    }
    let id = data_encoding::HEXLOWER.decode(id.as_bytes()).ok()?;
    Some(Destroyed { at: at.parse().ok()?, id: crate::KeyId(id.try_into().ok()?) })
}
