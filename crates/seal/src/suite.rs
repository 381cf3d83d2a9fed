//! The mechanisms behind a suite number. Suite 1: AES-256-GCM, HKDF-SHA256, HMAC-SHA256. Suite 2: SM4-GCM, HKDF-SM3, HMAC-SM3.

use std::fmt;

use aes_gcm::AesGcm;
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U12;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use sm3::Sm3;
use sm4::Sm4;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::Secret;

/// Which mechanisms seal a record, and what a key is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Suite {
    /// AES-256-GCM, HKDF-SHA256, HMAC-SHA256.
    Aes256Gcm = 1,
    /// SM4-GCM, HKDF-SM3, HMAC-SM3. SOURCE: GB/T 32907, GB/T 32905, RFC 8998.
    Sm4Gcm = 2,
}

impl Suite {
    /// All that this release knows, by their numbers.
    pub const ALL: [Suite; 2] = [Suite::Aes256Gcm, Suite::Sm4Gcm];

    /// The number in headers.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The suite of a number. Fails: `SR-SEAL-002` for one that this release does not know.
    pub fn parse(number: u16) -> Result<Suite, Error> {
        let known = Suite::ALL.into_iter().find(|suite| suite.number() == number);
        known.ok_or(Error::UnknownSuite { suite: number })
    }

    /// The name that people write.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Aes256Gcm => "aes-256-gcm-sha256",
            Suite::Sm4Gcm => "sm4-gcm-sm3",
        }
    }

    /// The suite of a name.
    pub fn find(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// The hash over the parts, one after another.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> [u8; 32] {
        match self {
            Suite::Aes256Gcm => digest::<Sha256>(parts).into(),
            Suite::Sm4Gcm => digest::<Sm3>(parts).into(),
        }
    }

    /// A cipher and the commitment to its key, of one derivation.
    pub(crate) fn derive(
        self,
        salt: &[u8],
        secret: &[u8],
        info: &[&[u8]],
    ) -> Result<(Cipher, [u8; 32]), Error> {
        match self {
            Suite::Aes256Gcm => {
                let both = derive::<Sha256, 64>(salt, secret, info)?;
                let (key, commitment) = both.split_first_chunk::<32>().ok_or(Error::Malformed)?;
                Ok((Cipher::aes(key)?, commitment.try_into().map_err(|_| Error::Malformed)?))
            }
            // A key of SM4 has 16 bytes. Its commitment has 32 all the same: half of it would leave 2⁶⁴ tries to collide.
            Suite::Sm4Gcm => {
                let both = derive::<Sm3, 48>(salt, secret, info)?;
                let (key, commitment) = both.split_first_chunk::<16>().ok_or(Error::Malformed)?;
                Ok((Cipher::sm4(key), commitment.try_into().map_err(|_| Error::Malformed)?))
            }
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Bytes that a sealed text is longer than its plain one, in every suite.
pub(crate) const TAG: usize = 16;

/// A key, set up once for many fields.
pub(crate) enum Cipher {
    Aes(LessSafeKey),
    Sm4(Box<Sm4Gcm>),
}

/// The mode takes any cipher with blocks of 16 bytes. SOURCE: NIST SP 800-38D; with SM4: RFC 8998.
pub(crate) type Sm4Gcm = AesGcm<Sm4, U12>;

impl Cipher {
    /// AES-256-GCM under these very bytes.
    pub(crate) fn aes(key: &[u8; 32]) -> Result<Cipher, Error> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Broken)?;
        Ok(Cipher::Aes(LessSafeKey::new(key)))
    }

    /// SM4-GCM under these very bytes.
    pub(crate) fn sm4(key: &[u8; 16]) -> Cipher {
        Cipher::Sm4(Box::new(Sm4Gcm::new(key.into())))
    }

    /// The cipher of a key that wraps others: 32 random bytes, whatever the suite.
    pub(crate) fn wrapping(suite: Suite, key: &Secret<32>) -> Result<Cipher, Error> {
        match suite {
            Suite::Aes256Gcm => Cipher::aes(key.expose()),
            // An epoch's key wraps shops' keys of both suites: no byte of it is a key of both.
            Suite::Sm4Gcm => {
                Ok(Cipher::sm4(&*derive::<Sm3, 16>(&[], key.expose(), &[b"strongroom/wrapping/2"])?))
            }
        }
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
        let tag: [u8; TAG] = match self {
            Cipher::Aes(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), plain);
                tag.map_err(|_| Error::Broken)?.as_ref().try_into().map_err(|_| Error::Broken)?
            }
            Cipher::Sm4(key) => {
                let tag = key.encrypt_inout_detached(&nonce.into(), aad, plain.into());
                tag.map_err(|_| Error::Broken)?.into()
            }
        };
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens `sealed` (text, then tag) into a buffer that is wiped when dropped.
    pub(crate) fn open(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (text, tag) = sealed.split_last_chunk::<TAG>().ok_or(Error::Malformed)?;
        match self {
            Cipher::Aes(key) => {
                let mut plain = Zeroizing::new(vec![0; text.len()]);
                let nonce = Nonce::assume_unique_for_key(nonce);
                let opened = key.open_separate_gather(nonce, Aad::from(aad), text, tag, &mut plain);
                opened.map_err(|_| Error::Broken)?;
                Ok(plain)
            }
            Cipher::Sm4(key) => {
                // What does not open stays sealed in here: the tag is compared, in constant time, before a byte is opened.
                let mut plain = Zeroizing::new(text.to_vec());
                let whole = plain.as_mut_slice().into();
                key.decrypt_inout_detached(&nonce.into(), aad, whole, tag.into())
                    .map_err(|_| Error::Broken)?;
                Ok(plain)
            }
        }
    }
}

/// HKDF. `L` is 64 at most here.
pub(crate) fn derive<H: hmac::EagerHash, const L: usize>(
    salt: &[u8],
    secret: &[u8],
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; L]>, Error> {
    let mut out = Zeroizing::new([0; L]);
    let hkdf = Hkdf::<H>::new(Some(salt), secret);
    hkdf.expand_multi_info(info, out.as_mut()).map_err(|_| Error::Malformed)?;
    Ok(out)
}

/// A keyed HMAC whose key schedule is done once.
#[derive(Clone)]
pub(crate) enum Keyed {
    Sha256(Hmac<Sha256>),
    Sm3(Hmac<Sm3>),
}

impl Keyed {
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes a key of any length; the error is for MACs that do not"
    )]
    pub(crate) fn new(suite: Suite, key: &[u8]) -> Keyed {
        const ANY: &str = "any length is a key";
        match suite {
            Suite::Aes256Gcm => Keyed::Sha256(<Hmac<Sha256> as KeyInit>::new_from_slice(key).expect(ANY)),
            Suite::Sm4Gcm => Keyed::Sm3(<Hmac<Sm3> as KeyInit>::new_from_slice(key).expect(ANY)),
        }
    }

    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        match self {
            Keyed::Sha256(mac) => finished(mac.clone(), parts).into(),
            Keyed::Sm3(mac) => finished(mac.clone(), parts).into(),
        }
    }

    /// The first 16 bytes of the MAC.
    pub(crate) fn mac16(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mac = self.mac(parts);
        let mut short = [0; 16];
        short.copy_from_slice(mac.first_chunk::<16>().unwrap_or(&[0; 16]));
        short
    }
}

fn finished<M: Mac>(mut mac: M, parts: &[&[u8]]) -> hmac::digest::Output<M> {
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes()
}

fn digest<H: Digest>(parts: &[&[u8]]) -> hmac::digest::Output<H> {
    let mut hash = H::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize()
}
