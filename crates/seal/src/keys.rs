//! Keys that live wrapped in the database: what a shop has, what a subject has, what a term has.
//!
//! All are random. What is derived cannot be destroyed, so nothing that must be able to die is derived.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::cached::Cached;
use crate::error::Error;
use crate::secret::{Random, Secret, same};
use crate::suite::{Cipher, Keyed, Suite, TAG};

/// The public name of a key: 16 random bytes. It stands in headers, entries and the list of destroyed keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 16]);

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// What a key is for. The numbers stand in rows and headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// A subject's fields.
    Main = 1,
    /// A subject's fields that a law says must stay.
    Retained = 2,
    /// A subject's fields while a legal hold lasts.
    Hold = 3,
    /// Everything whose retention ends at one time.
    Term = 4,
    /// A shop's key that wraps the keys above; a new one each epoch.
    Wrap = 16,
    /// A shop's key for blind indexes.
    Index = 17,
    /// A shop's key for the MACs of rows.
    Row = 18,
    /// A shop's key for hashes of requests and of names of staff.
    Request = 19,
}

impl Class {
    /// The number in rows and headers.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The class of a number.
    pub fn parse(number: u8) -> Result<Class, Error> {
        Ok(match number {
            1 => Class::Main,
            2 => Class::Retained,
            3 => Class::Hold,
            4 => Class::Term,
            16 => Class::Wrap,
            17 => Class::Index,
            18 => Class::Row,
            19 => Class::Request,
            _ => return Err(Error::Malformed),
        })
    }
}

/// A key as the database keeps it: sealed under another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Its public name.
    pub id: KeyId,
    /// What it is for.
    pub class: Class,
    /// What it is used with.
    pub suite: Suite,
    /// Version of the key that wraps it: of the shop's wrap key, or the number of the epoch.
    pub under: u32,
    /// The sealed key.
    pub sealed: [u8; SEALED_KEY],
}

/// A key's sealed length.
pub const SEALED_KEY: usize = 32 + TAG;
/// Length of [`Wrapped::encode`].
pub const WRAPPED: usize = 1 + 16 + 4 + SEALED_KEY;

impl Wrapped {
    /// `class and suite ‖ id ‖ under ‖ sealed`.
    pub fn encode(&self) -> [u8; WRAPPED] {
        let mut out = [0; WRAPPED];
        let head = [head(self.class, self.suite)];
        let parts: [&[u8]; 4] = [&head, &self.id.0, &self.under.to_be_bytes(), &self.sealed];
        let mut rest = out.as_mut_slice();
        for part in parts {
            let Some((place, behind)) = rest.split_at_mut_checked(part.len()) else { break };
            place.copy_from_slice(part);
            rest = behind;
        }
        out
    }

    /// Reads what [`Wrapped::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Wrapped, Error> {
        let (head, rest) = bytes.split_first().ok_or(Error::Malformed)?;
        let (id, rest) = rest.split_first_chunk::<16>().ok_or(Error::Malformed)?;
        let (under, rest) = rest.split_first_chunk::<4>().ok_or(Error::Malformed)?;
        Ok(Wrapped {
            id: KeyId(*id),
            class: Class::parse(head & CLASS_BITS)?,
            suite: Suite::parse(u16::from(head >> SUITE_SHIFT).saturating_add(1))?,
            under: u32::from_be_bytes(*under),
            sealed: rest.try_into().map_err(|_| Error::Malformed)?,
        })
    }
}

/// The lower six bits of a wrapped key's first byte are its class, the upper two its suite's number less one.
const CLASS_BITS: u8 = 0x3f;
const SUITE_SHIFT: u32 = 6;

fn head(class: Class, suite: Suite) -> u8 {
    let suite = u8::try_from(suite.number().saturating_sub(1)).unwrap_or(u8::MAX >> SUITE_SHIFT);
    class.number() | suite << SUITE_SHIFT
}

/// Who a key belongs to, bound into its wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Number of the shop.
    pub shop: u32,
    /// Number of the subject or term; 0 for the shop itself.
    pub of: u64,
}

/// An unwrapped key of a subject or a term. It cannot be printed, and is wiped when its last user lets go.
pub struct DataKey {
    id: KeyId,
    class: Class,
    suite: Suite,
    secret: Secret<32>,
    marks: Marks,
}

/// What entries are marked with, so that only somebody with the key can tell whose they are.
struct Marks {
    alias: [u8; 16],
    keyed: Keyed,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({:?}, {})", self.class, self.id)
    }
}

impl DataKey {
    fn new(id: KeyId, class: Class, suite: Suite, secret: Secret<32>) -> DataKey {
        // The suite that the key was made with, whatever wraps it today: an alias is the same for as long as its key lives.
        // SOURCE: docs/spec/seal.md, "Aliases and salts".
        let both = Keyed::new(suite, secret.expose()).mac(&[b"strongroom/alias/1"]);
        let (alias, entry_key) = both.split_at(16);
        let mut marks = Marks { alias: [0; 16], keyed: Keyed::new(suite, entry_key) };
        marks.alias.copy_from_slice(alias);
        DataKey { id, class, suite, secret, marks }
    }

    /// Its public name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What it is for.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The pseudonym of its subject in the ledger.
    pub fn alias(&self) -> [u8; 16] {
        self.marks.alias
    }

    /// The pseudonym of one of its subject's records.
    pub fn record_alias(&self, record: u64) -> [u8; 16] {
        self.marks.keyed.mac16(&[b"record", &record.to_be_bytes()])
    }

    /// The salt of an entry's commitment. Whoever has the key can make it again; nobody else can guess the opening.
    pub fn salt(&self, at: i64, opening: &[u8]) -> [u8; 16] {
        self.marks.keyed.mac16(&[b"salt", &at.to_be_bytes(), opening])
    }

    /// A token that is the same for the same value, within one recipient and field, while this subject's key lives.
    pub fn token(
        &self,
        recipient: &[u8],
        field: &[u8],
        value: &crate::Personal<crate::Value>,
    ) -> Result<[u8; 16], Error> {
        let encoded = value.plain().encoded()?;
        let lengths = [length(recipient)?, length(field)?];
        let [first, second] = &lengths;
        Ok(self.marks.keyed.mac16(&[b"token", first, recipient, second, field, &encoded]))
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        self.secret.expose()
    }
}

pub(crate) fn length(part: &[u8]) -> Result<[u8; 2], Error> {
    u16::try_from(part.len())
        .map(u16::to_be_bytes)
        .map_err(|_| Error::TooLong { limit: usize::from(u16::MAX) })
}

/// What a key is, apart from its secret and from what wraps it.
#[derive(Clone, Copy)]
struct Described {
    owner: Owner,
    id: KeyId,
    class: Class,
    suite: Suite,
}

impl Described {
    fn of(owner: Owner, wrapped: &Wrapped) -> Described {
        Described { owner, id: wrapped.id, class: wrapped.class, suite: wrapped.suite }
    }

    /// `label ‖ len ‖ shop ‖ len ‖ of ‖ class and suite ‖ id ‖ under`. SOURCE: docs/spec/seal.md, "Wrapping".
    fn context(self, label: &[u8], under: u32) -> Vec<u8> {
        let mut context = Vec::with_capacity(64);
        context.extend_from_slice(label);
        context.push(4);
        context.extend_from_slice(&self.owner.shop.to_be_bytes());
        context.push(8);
        context.extend_from_slice(&self.owner.of.to_be_bytes());
        context.push(head(self.class, self.suite));
        context.extend_from_slice(&self.id.0);
        context.extend_from_slice(&under.to_be_bytes());
        context
    }
}

/// Wraps a secret. The nonce is the first 12 bytes of its random id: a wrap key seals each id once.
fn wrap(
    cipher: &Cipher,
    label: &[u8],
    key: Described,
    under: u32,
    secret: &Secret<32>,
) -> Result<Wrapped, Error> {
    let mut buffer = secret.expose().to_vec();
    cipher.seal(nonce_of(key.id), &key.context(label, under), &mut buffer, 0)?;
    let sealed = buffer.as_slice().try_into().map_err(|_| Error::Malformed)?;
    Ok(Wrapped { id: key.id, class: key.class, suite: key.suite, under, sealed })
}

fn unwrap(cipher: &Cipher, label: &[u8], owner: Owner, wrapped: &Wrapped) -> Result<Secret<32>, Error> {
    let context = Described::of(owner, wrapped).context(label, wrapped.under);
    let plain = cipher.open(nonce_of(wrapped.id), &context, &wrapped.sealed)?;
    Ok(Secret::new(plain.as_slice().try_into().map_err(|_| Error::Malformed)?))
}

fn nonce_of(id: KeyId) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (slot, byte) in nonce.iter_mut().zip(id.0) {
        *slot = byte;
    }
    nonce
}

const DATA_KEY: &[u8] = b"strongroom/data-key/1";
const SHOP_KEY: &[u8] = b"strongroom/shop-key/1";

/// An epoch key: it wraps the shops' keys, each with the suite of that key, and with it dies every backup of its time.
pub struct EpochKey {
    number: u32,
    aes: Cipher,
    sm4: Cipher,
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochKey({})", self.number)
    }
}

impl EpochKey {
    /// Sets the key of an epoch up for use.
    pub fn new(number: u32, secret: &Secret<32>) -> Result<EpochKey, Error> {
        let cipher = |suite| Cipher::wrapping(suite, secret);
        Ok(EpochKey { number, aes: cipher(Suite::Aes256Gcm)?, sm4: cipher(Suite::Sm4Gcm)? })
    }

    /// Which epoch.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Makes a new key for a shop. Gives it wrapped under this epoch.
    pub fn new_shop_key(
        &self,
        shop: u32,
        class: Class,
        suite: Suite,
        random: &mut impl Random,
    ) -> Result<Wrapped, Error> {
        let mut id = KeyId([0; 16]);
        random.fill(&mut id.0)?;
        let secret = Secret::random(random)?;
        let key = Described { owner: Owner { shop, of: 0 }, id, class, suite };
        wrap(self.cipher(suite), SHOP_KEY, key, self.number, &secret)
    }

    /// Wraps a shop's key, now wrapped under `old`, under this epoch. The key itself stays, and so does its suite.
    pub fn rewrap(&self, old: &EpochKey, shop: u32, wrapped: &Wrapped) -> Result<Wrapped, Error> {
        let secret = old.open(shop, wrapped)?;
        let key = Described::of(Owner { shop, of: 0 }, wrapped);
        wrap(self.cipher(wrapped.suite), SHOP_KEY, key, self.number, &secret)
    }

    fn open(&self, shop: u32, wrapped: &Wrapped) -> Result<Secret<32>, Error> {
        if wrapped.under != self.number {
            return Err(Error::NoKey);
        }
        unwrap(self.cipher(wrapped.suite), SHOP_KEY, Owner { shop, of: 0 }, wrapped)
    }

    fn cipher(&self, suite: Suite) -> &Cipher {
        match suite {
            Suite::Aes256Gcm => &self.aes,
            Suite::Sm4Gcm => &self.sm4,
        }
    }
}

/// One version of a shop's wrap key, ready for use.
struct WrapKey {
    version: u32,
    suite: Suite,
    cipher: Cipher,
}

impl WrapKey {
    fn new(version: u32, suite: Suite, secret: &Secret<32>) -> Result<WrapKey, Error> {
        Ok(WrapKey { version, suite, cipher: Cipher::wrapping(suite, secret)? })
    }
}

/// A shop's keys, unwrapped, and a cache of what they unwrapped.
pub struct ShopKeys {
    shop: u32,
    wraps: RwLock<Vec<WrapKey>>,
    index: Keyed,
    row: Keyed,
    request: Keyed,
    cache: Cached<KeyId, Arc<DataKey>>,
}

impl fmt::Debug for ShopKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShopKeys({})", self.shop)
    }
}

/// How many unwrapped keys are remembered per shop: about 450 bytes each.
const CACHED_KEYS: usize = 32_768;

/// The wrapped keys that a shop is opened with.
#[derive(Debug, Clone)]
pub struct ShopKeyRows {
    /// Wrap keys, with their version numbers.
    pub wraps: Vec<(u32, Wrapped)>,
    /// Key for blind indexes.
    pub index: Wrapped,
    /// Key for MACs of rows.
    pub row: Wrapped,
    /// Key for hashes of requests.
    pub request: Wrapped,
}

impl ShopKeys {
    /// Unwraps a shop's keys.
    ///
    /// Takes: the epoch keys at hand (two while an epoch is being changed). Fails: `SR-SEAL-004` when a key is under
    /// an epoch that is gone, `SR-SEAL-003` when a row was edited or belongs to another shop.
    pub fn open(shop: u32, epochs: &[EpochKey], rows: &ShopKeyRows) -> Result<ShopKeys, Error> {
        let open = |wrapped: &Wrapped, class: Class| {
            if wrapped.class != class {
                return Err(Error::Broken);
            }
            let epoch = epochs.iter().find(|epoch| epoch.number == wrapped.under).ok_or(Error::NoKey)?;
            epoch.open(shop, wrapped)
        };
        let mut wraps = rows
            .wraps
            .iter()
            .map(|(version, wrapped)| WrapKey::new(*version, wrapped.suite, &open(wrapped, Class::Wrap)?))
            .collect::<Result<Vec<_>, Error>>()?;
        if wraps.is_empty() {
            return Err(Error::NoKey);
        }
        wraps.sort_by_key(|wrap| wrap.version);
        let keyed = |wrapped: &Wrapped, class| {
            Ok::<_, Error>(Keyed::new(wrapped.suite, open(wrapped, class)?.expose()))
        };
        Ok(ShopKeys {
            shop,
            wraps: RwLock::new(wraps),
            index: keyed(&rows.index, Class::Index)?,
            row: keyed(&rows.row, Class::Row)?,
            request: keyed(&rows.request, Class::Request)?,
            cache: Cached::new(CACHED_KEYS),
        })
    }

    /// Number of the shop.
    pub fn shop(&self) -> u32 {
        self.shop
    }

    /// Adds a version of the wrap key: it wraps from now on, older ones still unwrap.
    pub fn add_wrap(&self, version: u32, epoch: &EpochKey, wrapped: &Wrapped) -> Result<(), Error> {
        let wrap = WrapKey::new(version, wrapped.suite, &epoch.open(self.shop, wrapped)?)?;
        let mut wraps = self.wraps.write().unwrap_or_else(PoisonError::into_inner);
        wraps.retain(|wrap| wrap.version != version);
        wraps.push(wrap);
        wraps.sort_by_key(|wrap| wrap.version);
        Ok(())
    }

    /// Forgets the versions of the wrap key before `version`, and every key in the cache.
    pub fn drop_wraps_before(&self, version: u32) {
        self.wraps.write().unwrap_or_else(PoisonError::into_inner).retain(|wrap| wrap.version >= version);
        self.cache.clear();
    }

    /// The version of the wrap key that wraps now.
    pub fn wrap_version(&self) -> u32 {
        self.wraps().last().map_or(0, |wrap| wrap.version)
    }

    /// The suite that seals now: that of the newest version of the wrap key.
    pub fn suite(&self) -> Suite {
        self.wraps().last().map_or(Suite::Aes256Gcm, |wrap| wrap.suite)
    }

    fn wraps(&self) -> RwLockReadGuard<'_, Vec<WrapKey>> {
        self.wraps.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a new key for a subject or a term: the row to keep, and the key to use at once.
    pub fn new_key(
        &self,
        class: Class,
        of: u64,
        random: &mut impl Random,
    ) -> Result<(Wrapped, Arc<DataKey>), Error> {
        let mut id = KeyId([0; 16]);
        random.fill(&mut id.0)?;
        let secret = Secret::random(random)?;
        let wraps = self.wraps();
        let current = wraps.last().ok_or(Error::NoKey)?;
        let key = Described { owner: Owner { shop: self.shop, of }, id, class, suite: current.suite };
        let wrapped = wrap(&current.cipher, DATA_KEY, key, current.version, &secret)?;
        Ok((wrapped, Arc::new(DataKey::new(id, class, current.suite, secret))))
    }

    /// Unwraps a key that a transaction has just seen in its row.
    ///
    /// INVARIANT: callers hold the row. The cache is asked by key id and answers only for a row that is there:
    /// a destroyed key has no row, [`ShopKeys::forget`] wipes it, and whoever saw its row before and comes to it late leaves
    /// nothing behind.
    pub fn open_key(&self, of: u64, wrapped: &Wrapped) -> Result<Arc<DataKey>, Error> {
        if let Some(key) = self.cache.find(&wrapped.id) {
            let is_it = (key.class, key.suite) == (wrapped.class, wrapped.suite);
            return if is_it { Ok(key) } else { Err(Error::Broken) };
        }
        let key = Arc::new(self.data_key(of, wrapped)?);
        self.cache.keep(wrapped.id, Arc::clone(&key));
        Ok(key)
    }

    /// The alias that a key gives its subject in the ledger, for somebody who looks at all of them: no cache is filled.
    pub fn alias_of(&self, of: u64, wrapped: &Wrapped) -> Result<[u8; 16], Error> {
        Ok(self.data_key(of, wrapped)?.alias())
    }

    /// Does this row unwrap? For the deep check, which asks no cache.
    pub fn authenticate(&self, of: u64, wrapped: &Wrapped) -> Result<(), Error> {
        self.unwrap_row(of, wrapped).map(drop)
    }

    /// Wraps a key again under the newest version of the wrap key. The key itself stays, and so does its suite. Gives `None` when
    /// it is under that version already.
    pub fn rewrap(&self, of: u64, wrapped: &Wrapped) -> Result<Option<Wrapped>, Error> {
        let wraps = self.wraps();
        let current = wraps.last().ok_or(Error::NoKey)?;
        if wrapped.under == current.version {
            return Ok(None);
        }
        let secret = self.unwrap_row(of, wrapped)?;
        let key = Described::of(Owner { shop: self.shop, of }, wrapped);
        wrap(&current.cipher, DATA_KEY, key, current.version, &secret).map(Some)
    }

    fn data_key(&self, of: u64, wrapped: &Wrapped) -> Result<DataKey, Error> {
        Ok(DataKey::new(wrapped.id, wrapped.class, wrapped.suite, self.unwrap_row(of, wrapped)?))
    }

    fn unwrap_row(&self, of: u64, wrapped: &Wrapped) -> Result<Secret<32>, Error> {
        let wraps = self.wraps();
        let wrap = wraps.iter().find(|wrap| wrap.version == wrapped.under).ok_or(Error::NoKey)?;
        unwrap(&wrap.cipher, DATA_KEY, Owner { shop: self.shop, of }, wrapped)
    }

    /// Wipes a destroyed key from memory, for good.
    pub fn forget(&self, id: KeyId) {
        self.cache.forget(id);
    }

    /// Forgets every key that was unwrapped: some of them may have been destroyed elsewhere.
    pub fn forget_all(&self) {
        self.cache.clear();
    }

    /// The blind index of a value: what a search looks for. Values are normalised before.
    pub fn blind(
        &self,
        kind: u8,
        field: u8,
        value: &crate::Personal<crate::Value>,
    ) -> Result<[u8; 16], Error> {
        let encoded = value.plain().encoded()?;
        Ok(self.index.mac16(&[b"strongroom/index/1", &[kind, field], &encoded]))
    }

    /// The MAC of a row's clear columns, under the name of its table.
    pub fn row_mac(&self, table: &str, columns: &[&[u8]]) -> Result<[u8; 16], Error> {
        let name = table.as_bytes();
        let mut parts = Vec::with_capacity(64);
        parts.extend_from_slice(&length(name)?);
        parts.extend_from_slice(name);
        for column in columns {
            parts.extend_from_slice(&length(column)?);
            parts.extend_from_slice(column);
        }
        Ok(self.row.mac16(&[b"strongroom/row/1", &parts]))
    }

    /// Is this the MAC of that row? Constant time.
    pub fn row_is_whole(&self, table: &str, columns: &[&[u8]], mac: &[u8]) -> Result<(), Error> {
        if same(&self.row_mac(table, columns)?, mac) { Ok(()) } else { Err(Error::Broken) }
    }

    /// A keyed hash of a request or a name, which nobody without the shop's key can guess the input of.
    pub fn request_hash(&self, domain: &str, parts: &[&[u8]]) -> Result<[u8; 16], Error> {
        let mut input = Vec::with_capacity(64);
        for part in parts {
            let length = u32::try_from(part.len()).map_err(|_| Error::TooLong { limit: usize::MAX })?;
            input.extend_from_slice(&length.to_be_bytes());
            input.extend_from_slice(part);
        }
        Ok(self.request.mac16(&[b"strongroom/request/1", domain.as_bytes(), &[0], &input]))
    }
}
