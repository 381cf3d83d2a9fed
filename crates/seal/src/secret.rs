//! Bytes that open something: keys, seeds. Wiped when dropped, compared by [`same`] only, never shown.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::error::Error;

/// Where random bytes come from. The seal never asks the system itself.
pub trait Random {
    /// Fills the buffer with bytes that nobody can predict.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error>;
}

impl<R: Random + ?Sized> Random for &mut R {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        (**self).fill(buffer)
    }
}

/// `N` secret bytes.
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes bytes in. The caller's copy is the caller's to wipe.
    pub fn new(bytes: [u8; N]) -> Secret<N> {
        Secret(bytes)
    }

    /// New random bytes.
    pub fn random(random: &mut impl Random) -> Result<Secret<N>, Error> {
        let mut secret = Secret([0; N]);
        random.fill(&mut secret.0)?;
        Ok(secret)
    }

    /// The bytes, for a mechanism that needs them.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>")
    }
}

/// Are two byte strings the same, in a time that depends on their lengths only?
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
pub(crate) mod counting {
    use super::{Error, Random};

    /// Bytes 0, 1, 2, … for vectors that a stranger can repeat.
    pub(crate) struct Counting(pub(crate) u8);

    impl Random for Counting {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
            for byte in buffer {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }
}
