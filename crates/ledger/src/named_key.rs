//! Public keys with a name, as C2SP signed-note writes them: what a log's key and a witness's key have in common.

use std::fmt;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::note::is_name;

pub(crate) const KEY_BYTES: usize = 32;
const MAX_NAME_BYTES: usize = 1024;
/// 33 bytes as base64.
const KEY_TEXT_BYTES: usize = 44;

/// An Ed25519 key for one use: the type says which, so that no key of a log passes for one of a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedKey {
    signature_type: u8,
    name: String,
    key_id: u32,
    public_key: [u8; KEY_BYTES],
}

impl NamedKey {
    /// Fails: `SR-LEDGER-011` if the name is empty or has a space, a plus or a control character.
    pub(crate) fn new(signature_type: u8, name: &str, public_key: [u8; KEY_BYTES]) -> Result<Self, Error> {
        if !is_name(name) || name.chars().any(char::is_control) || name.len() > MAX_NAME_BYTES {
            return Err(Error::NameMalformed);
        }
        // SOURCE: C2SP signed-note, "Ed25519 signatures"; tlog-cosignature, "Format".
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', signature_type]);
        hasher.update(public_key);
        let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
        let key_id = u32::from_be_bytes([a, b, c, d]);
        Ok(Self { signature_type, name: name.to_owned(), key_id, public_key })
    }

    /// Takes: `name+hash+base64` as `Display` prints it, in that one spelling. Fails: `SR-LEDGER-012`.
    pub(crate) fn parse(signature_type: u8, text: &str) -> Result<Self, Error> {
        Self::read(signature_type, text).filter(|key| key.to_string() == text).ok_or(Error::KeyMalformed)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn key_id(&self) -> u32 {
        self.key_id
    }

    pub(crate) fn id(&self) -> String {
        format!("{}+{}", self.name, HEXLOWER.encode(&self.key_id.to_be_bytes()))
    }

    pub(crate) fn public_key(&self) -> &[u8; KEY_BYTES] {
        &self.public_key
    }

    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public_key).verify(message, signature).is_ok()
    }

    fn read(signature_type: u8, text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        if key.len() > KEY_TEXT_BYTES {
            return None;
        }
        match BASE64.decode(key.as_bytes()).ok()?.split_first()? {
            (found, key) if *found == signature_type => {
                Self::new(signature_type, name, key.try_into().ok()?).ok()
            }
            _ => None,
        }
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.signature_type];
        key.extend_from_slice(&self.public_key);
        write!(f, "{}+{}", self.id(), BASE64.encode(&key))
    }
}
