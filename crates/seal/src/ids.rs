//! Public ids: one AES block over a dense number and its type, so that an id looks random, needs no index, and a guessed
//! one is refused without a read.

use std::fmt;

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;

use crate::error::Error;
use crate::secret::Secret;

/// Makes and reads public ids.
pub struct IdKey(Aes256);

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(..)")
    }
}

/// Characters of a public id, without its prefix.
pub const ID_LENGTH: usize = 26;

/// RFC 4648 base32 without padding, in lower case; 26 characters hold 130 bits, the last two are zero.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    // The specification is a constant, and valid: a test reads its first id back.
    specification.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
});

impl IdKey {
    /// Sets the key up.
    pub fn new(key: &Secret<32>) -> IdKey {
        IdKey(Aes256::new(&Array::from(*key.expose())))
    }

    /// The id of a number. `kind` says what is numbered.
    pub fn show(&self, kind: u8, number: u64) -> String {
        // kind ‖ seven zero bytes ‖ number: 56 check bits.
        let mut block = [0; 16];
        let bytes = [kind, 0, 0, 0, 0, 0, 0, 0].into_iter().chain(number.to_be_bytes());
        for (slot, byte) in block.iter_mut().zip(bytes) {
            *slot = byte;
        }
        let mut block = Array::from(block);
        self.0.encrypt_block(&mut block);
        BASE32.encode(&block)
    }

    /// The number of an id. Fails: `SR-SEAL-014` when it was not made here, or for something else.
    pub fn read(&self, kind: u8, id: &str) -> Result<u64, Error> {
        if id.len() != ID_LENGTH {
            return Err(Error::NotAnId);
        }
        let bytes = BASE32.decode(id.as_bytes()).map_err(|_| Error::NotAnId)?;
        let mut block: Array<u8, _> = Array::from(<[u8; 16]>::try_from(bytes).map_err(|_| Error::NotAnId)?);
        self.0.decrypt_block(&mut block);
        let (head, number) = block.split_at(8);
        if !crate::secret::same(head, &[kind, 0, 0, 0, 0, 0, 0, 0]) {
            return Err(Error::NotAnId);
        }
        number.try_into().map(u64::from_be_bytes).map_err(|_| Error::NotAnId)
    }
}

/// Base32 as public ids use it, for secrets of credentials and tokens.
pub fn base32(bytes: &[u8]) -> String {
    BASE32.encode(bytes)
}

/// Reads what [`base32`] wrote.
pub fn from_base32(text: &str) -> Result<Vec<u8>, Error> {
    BASE32.decode(text.as_bytes()).map_err(|_| Error::NotAnId)
}
