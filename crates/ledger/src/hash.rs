//! The three hashes of an RFC 6962 Merkle tree: a leaf, a node, the empty tree.
//!
//! A leaf and a node are told apart by their first byte, so no entry can pass for a node.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::Error;

/// How many bytes a hash has.
pub const HASH_BYTES: usize = 32;

/// One SHA-256 value of the tree: shown as hex, carried in text and JSON as base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// Which hash do these bytes hold?
    ///
    /// Fails: `SR-LEDGER-001` if there are not exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        bytes.try_into().map(Self).map_err(|_| Error::HashMalformed)
    }

    /// Which hash does this base64 text hold?
    ///
    /// Takes: standard base64 with padding, 44 characters. Fails: `SR-LEDGER-001`.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| Error::HashMalformed)?;
        Self::from_slice(&bytes)
    }

    /// How is this hash written in checkpoints, receipts and JSON?
    pub fn to_base64(self) -> String {
        BASE64.encode(&self.0)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }
}

/// What is the hash of an entry as a leaf of the tree?
///
/// Takes: the entry's bytes, of any length. Source: RFC 6962 §2.1, SHA-256(0x00 ‖ entry).
///
/// ```
/// # use ledger::hash::leaf_hash;
/// let hash = leaf_hash(b"");
/// assert_eq!(hash.to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
/// ```
pub fn leaf_hash(entry: &[u8]) -> Hash {
    // Entries are one to three blocks long. The streaming hasher would copy them through its buffer, which costs a fifth
    // of the time; the verifier and the database writer do nothing as often as this.
    let short = match (entry.len() + LEAF_EXTRA_BYTES).div_ceil(64) {
        1 => short_leaf::<1>(entry),
        2 => short_leaf::<2>(entry),
        3 => short_leaf::<3>(entry),
        4 => short_leaf::<4>(entry),
        _ => None,
    };
    short.unwrap_or_else(|| {
        let mut hasher = Sha256::new();
        hasher.update([LEAF_PREFIX]);
        hasher.update(entry);
        Hash(hasher.finalize().into())
    })
}

/// What is the hash of a node with these two children?
///
/// Source: RFC 6962 §2.1, SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    // The two blocks of a 65-byte message; only the children have to be filled in.
    let mut blocks = NODE_BLOCKS;
    let flat = blocks.as_flattened_mut();
    if let Some(place) = flat.get_mut(1..33) {
        place.copy_from_slice(&left.0);
    }
    if let Some(place) = flat.get_mut(33..65) {
        place.copy_from_slice(&right.0);
    }
    hash_blocks(&blocks)
}

/// What is the root of a tree without leaves?
///
/// Source: RFC 6962 §2.1, SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Hash(Sha256::digest(b"").into())
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = Error;

    /// Reads the hex form that `Display` writes: 64 lower-case digits.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| Error::HashMalformed)?;
        Self::from_slice(&bytes)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(de::Error::custom)
    }
}

/// The hash of an entry that fills `BLOCKS` blocks with its prefix and padding; `None` if it does not.
fn short_leaf<const BLOCKS: usize>(entry: &[u8]) -> Option<Hash> {
    let mut blocks = [[0u8; 64]; BLOCKS];
    // The leaf prefix is 0x00, which is there already.
    let message_bytes = entry.len() + 1;
    let flat = blocks.as_flattened_mut();
    flat.get_mut(1..message_bytes)?.copy_from_slice(entry);
    *flat.get_mut(message_bytes)? = 0x80;
    let bits = u16::try_from(message_bytes * 8).ok()?;
    *flat.last_chunk_mut::<2>()? = bits.to_be_bytes();
    Some(hash_blocks(&blocks))
}

fn hash_blocks(blocks: &[[u8; 64]]) -> Hash {
    let mut state = INITIAL;
    compress256(&mut state, blocks);
    let mut out = [0u8; HASH_BYTES];
    for (place, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    Hash(out)
}

const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;
/// The prefix, the end mark, and the length in bits in eight bytes.
const LEAF_EXTRA_BYTES: usize = 10;

// SOURCE: FIPS 180-4 §5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Prefix, room for two children, the end mark, and the length: 65 bytes are 520 = 0x0208 bits.
const NODE_BLOCKS: [[u8; 64]; 2] = {
    let mut blocks = [[0u8; 64]; 2];
    let [first, second] = &mut blocks;
    first[0] = NODE_PREFIX;
    second[1] = 0x80;
    second[62] = 0x02;
    second[63] = 0x08;
    blocks
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_of_any_length_has_the_hash_of_the_plain_formula() {
        for length in 0..600usize {
            let entry: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut message = vec![0u8];
            message.extend_from_slice(&entry);
            assert_eq!(leaf_hash(&entry).0, <[u8; 32]>::from(Sha256::digest(&message)), "length {length}");
        }
    }

    #[test]
    fn a_node_has_the_hash_of_the_plain_formula() {
        let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
        let mut message = vec![1u8];
        message.extend_from_slice(&left.0);
        message.extend_from_slice(&right.0);
        assert_eq!(node_hash(&left, &right).0, <[u8; 32]>::from(Sha256::digest(&message)));
        assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
    }

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(
            empty_root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn hex_and_base64_come_back() {
        let hash = leaf_hash(b"entry");
        assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
        assert_eq!(Hash::from_base64(&hash.to_base64()).unwrap(), hash);
    }

    #[test]
    fn a_hash_with_wrong_length_or_loose_bits_is_refused() {
        let good = leaf_hash(b"entry").to_base64();
        let loose = good.replace('=', "");
        for text in ["", "AAAA", loose.as_str(), "////////////////////////////////////////////"] {
            assert_eq!(Hash::from_base64(text), Err(Error::HashMalformed), "{text}");
        }
        assert_eq!("00".parse::<Hash>(), Err(Error::HashMalformed));
    }
}
