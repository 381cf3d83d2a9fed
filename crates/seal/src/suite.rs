//! The mechanisms behind a suite number. Suite 1: AES-256-GCM, HKDF-SHA256, HMAC-SHA256.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::Error;

/// Which mechanisms seal a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Suite {
    /// AES-256-GCM, HKDF-SHA256, HMAC-SHA256.
    Aes256Gcm = 1,
}

impl Suite {
    /// The number in headers.
    pub fn number(self) -> u16 {
        self as u16
    }

    pub(crate) fn parse(number: u16) -> Result<Suite, Error> {
        match number {
            1 => Ok(Suite::Aes256Gcm),
            suite => Err(Error::UnknownSuite { suite }),
        }
    }
}

/// Bytes that a sealed text is longer than its plain one.
pub(crate) const TAG: usize = 16;

/// An AES-256-GCM key, set up once for many fields.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Cipher, Error> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Broken)?;
        Ok(Cipher(LessSafeKey::new(key)))
    }

    /// Seals `buffer[from..]` in place and appends the tag.
    pub(crate) fn seal(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        buffer: &mut Vec<u8>,
        from: usize,
    ) -> Result<(), Error> {
        let plain = buffer.get_mut(from..).ok_or(Error::Malformed)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag =
            self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), plain).map_err(|_| Error::Broken)?;
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens `sealed` (text, then tag) into a buffer that is wiped when dropped.
    pub(crate) fn open(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let split = sealed.len().checked_sub(TAG).ok_or(Error::Malformed)?;
        let (text, tag) = sealed.split_at_checked(split).ok_or(Error::Malformed)?;
        let mut plain = Zeroizing::new(vec![0; text.len()]);
        self.0
            .open_separate_gather(Nonce::assume_unique_for_key(nonce), Aad::from(aad), text, tag, &mut plain)
            .map_err(|_| Error::Broken)?;
        Ok(plain)
    }
}

/// HKDF-SHA256. `L` is 64 at most here.
pub(crate) fn derive<const L: usize>(
    salt: &[u8],
    secret: &[u8],
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; L]>, Error> {
    let mut out = Zeroizing::new([0; L]);
    let hkdf = Hkdf::<Sha256>::new(Some(salt), secret);
    hkdf.expand_multi_info(info, out.as_mut()).map_err(|_| Error::Malformed)?;
    Ok(out)
}

/// A keyed HMAC-SHA256 whose key schedule is done once.
#[derive(Clone)]
pub(crate) struct Keyed(Hmac<Sha256>);

impl Keyed {
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes a key of any length; the error is for MACs that do not"
    )]
    pub(crate) fn new(key: &[u8]) -> Keyed {
        Keyed(<Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length is a key"))
    }

    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The first 16 bytes of the MAC.
    pub(crate) fn mac16(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mac = self.mac(parts);
        let mut short = [0; 16];
        short.copy_from_slice(mac.first_chunk::<16>().unwrap_or(&[0; 16]));
        short
    }
}

/// SHA-256 over the parts, one after another.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
