//! The keyring: the small secret on which everything else stands. It lives outside the data folder and outside every
//! backup, locked by a key file or a passphrase.
//!
//! ```text
//! "SRKEYRNG" ‖ 1 ‖ lock(1) ‖ salt(16) ‖ argon2 m,t,p (4 each) ‖ nonce(12) ‖ AES-256-GCM(body)
//! ```
//! Everything before the sealed body is its associated data. SOURCE: docs/spec/seal.md, "Keyring".

use std::fmt;

use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::{Random, Secret};
use crate::suite::{Cipher, Keyed, Suite, derive};

/// What unlocks a keyring.
pub enum Lock {
    /// The bytes of a key file; 32 random ones when made here.
    KeyFile(Zeroizing<Vec<u8>>),
    /// Words that people keep.
    Passphrase(Zeroizing<String>),
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lock::KeyFile(_) => "Lock::KeyFile",
            Lock::Passphrase(_) => "Lock::Passphrase",
        })
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
const FORMAT: u8 = 1;
const BODY_FORMAT: u8 = 1;

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
    head: [u8; HEAD],
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlocked(..)")
    }
}

const HEAD: usize = 8 + 1 + 1 + 16 + 12;
const NONCE: usize = 12;

impl Keyring {
    /// A new keyring with its first epoch.
    pub fn new(now: i64, random: &mut impl Random) -> Result<Keyring, Error> {
        Ok(Keyring {
            epochs: vec![Epoch { number: 1, since: now, key: Secret::random(random)? }],
            ledger_seeds: Vec::new(),
            list_key: Secret::random(random)?,
            id_key: Secret::random(random)?,
        })
    }

    /// The same once more in memory, for a change that may fail on its way to disk.
    #[must_use]
    pub fn copy(&self) -> Keyring {
        let copy = |secret: &Secret<32>| Secret::new(*secret.expose());
        let epoch = |epoch: &Epoch| Epoch { number: epoch.number, since: epoch.since, key: copy(&epoch.key) };
        Keyring {
            epochs: self.epochs.iter().map(epoch).collect(),
            ledger_seeds: self.ledger_seeds.iter().map(|(shop, seed)| (*shop, copy(seed))).collect(),
            list_key: copy(&self.list_key),
            id_key: copy(&self.id_key),
        }
    }

    /// Begins the next epoch. The one before stays until [`Keyring::end_epochs_before`].
    pub fn begin_epoch(&mut self, now: i64, random: &mut impl Random) -> Result<u32, Error> {
        let number = self.epochs.last().map_or(1, |epoch| epoch.number.saturating_add(1));
        self.epochs.push(Epoch { number, since: now, key: Secret::random(random)? });
        Ok(number)
    }

    /// Forgets older epochs. With their keys dies what was wrapped under them, wherever a copy lies.
    pub fn end_epochs_before(&mut self, number: u32) {
        self.epochs.retain(|epoch| epoch.number >= number);
    }

    /// The seed of a shop's log.
    pub fn ledger_seed(&self, shop: u32) -> Option<&Secret<32>> {
        self.ledger_seeds.iter().find(|(of, _)| *of == shop).map(|(_, seed)| seed)
    }

    /// Locks a new keyring: the file's bytes, and what is needed to write it again.
    pub fn lock(&self, lock: &Lock, random: &mut impl Random) -> Result<(Vec<u8>, Unlocked), Error> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        let (kind, costs) = match lock {
            Lock::KeyFile(_) => (1, [0; 3]),
            Lock::Passphrase(_) => (2, [ARGON_MEMORY_KIB, ARGON_PASSES, ARGON_LANES]),
        };
        let mut head = [0; HEAD];
        let bytes = MAGIC.iter().copied().chain([FORMAT, kind]).chain(salt);
        for (slot, byte) in head.iter_mut().zip(bytes.chain(costs.iter().flat_map(|cost| cost.to_be_bytes())))
        {
            *slot = byte;
        }
        let unlocked = Unlocked { key: lock_key(lock, &salt, costs)?, head };
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
        let mut body = self.encode()?;
        // Keys are sealed with a fresh random nonce; a keyring is written a few times a year.
        let cipher = Cipher::aes(unlocked.key.expose())?;
        let mut sealed = Vec::with_capacity(body.len().saturating_add(16));
        sealed.append(&mut body);
        cipher.seal(nonce, &aad, &mut sealed, 0)?;
        file.extend_from_slice(&sealed);
        Ok(file)
    }

    /// Unlocks a keyring file.
    ///
    /// Fails: `SR-SEAL-009` when the file is damaged or cut short, `SR-SEAL-010` when it is newer,
    /// `SR-SEAL-011` when the lock is wrong, `SR-SEAL-012` when it wants the other kind of lock.
    pub fn unlock(file: &[u8], lock: &Lock) -> Result<(Keyring, Unlocked), Error> {
        let (head, rest) = file.split_first_chunk::<HEAD>().ok_or(Error::KeyringDamaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(Error::KeyringDamaged)?;
        let mut parts = head.as_slice();
        if take::<8>(&mut parts)? != MAGIC {
            return Err(Error::KeyringDamaged);
        }
        let [format, kind] = *take::<2>(&mut parts)?;
        if format > FORMAT {
            return Err(Error::KeyringNewer { found: format, known: FORMAT });
        }
        let salt = *take::<16>(&mut parts)?;
        let mut costs = [0; 3];
        for cost in &mut costs {
            *cost = u32::from_be_bytes(*take::<4>(&mut parts)?);
        }
        match (kind, lock) {
            (1, Lock::KeyFile(_)) | (2, Lock::Passphrase(_)) => {}
            (1, _) => return Err(Error::OtherLock { wanted: "a key file" }),
            (2, _) => return Err(Error::OtherLock { wanted: "a passphrase" }),
            _ => return Err(Error::KeyringDamaged),
        }
        let unlocked = Unlocked { key: lock_key(lock, &salt, costs)?, head: *head };
        let aad = file.get(..HEAD + NONCE).ok_or(Error::KeyringDamaged)?;
        let body = match Cipher::aes(unlocked.key.expose())?.open(*nonce, aad, sealed) {
            Ok(body) => body,
            // A short file cannot hold a keyring; a long enough one that does not open has the wrong lock, or was edited.
            Err(Error::Malformed) => return Err(Error::KeyringDamaged),
            Err(_) => return Err(Error::WrongLock),
        };
        Ok((Keyring::decode(&body)?, unlocked))
    }

    /// `format ‖ (tag ‖ length ‖ bytes)…`
    fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut body = vec![BODY_FORMAT];
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
        let (mut epochs, mut ledger_seeds, mut list_key, mut id_key) = (Vec::new(), Vec::new(), None, None);
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
            Ok(Secret::new(*derive::<Sha256, 32>(salt, bytes, &[b"strongroom/keyring/1"])?))
        }
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
