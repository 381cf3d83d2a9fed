//! Entry bundles of C2SP tlog-tiles: up to 256 entries, each behind its length in two bytes, big-endian.

use crate::Error;
use crate::tree::TILE_WIDTH;

/// The most bytes an entry in a bundle can have.
pub const MAX_BUNDLED_BYTES: usize = 65_535;

/// The entries of one bundle, in order.
///
/// It yields each entry, or once an error that names the position where the bytes stop making sense. Nothing is copied.
#[derive(Debug, Clone)]
pub struct Bundle<'a> {
    rest: &'a [u8],
    next: u16,
}

/// Appends one entry to a bundle.
///
/// Fails: `SR-LEDGER-010` if the entry is longer than 65,535 bytes; `out` is as before. The caller counts to 256.
pub fn push(out: &mut Vec<u8>, entry: &[u8]) -> Result<(), Error> {
    let length = u16::try_from(entry.len()).map_err(|_| Error::BundleTooLarge)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(entry);
    Ok(())
}

/// Which bytes hold these entries as one bundle?
///
/// Fails: `SR-LEDGER-010` for more than 256 entries or one above 65,535 bytes.
pub fn encode<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for (count, entry) in (0u16..).zip(entries) {
        if count == TILE_WIDTH {
            return Err(Error::BundleTooLarge);
        }
        push(&mut out, entry)?;
    }
    Ok(out)
}

/// Which entries does this bundle hold?
///
/// Fails: `SR-LEDGER-009` if it ends inside an entry, `SR-LEDGER-010` if it has more than 256.
pub fn decode(bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    Bundle::new(bytes).collect()
}

impl<'a> Bundle<'a> {
    /// Reads a bundle from bytes that may come from an enemy.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, next: 0 }
    }

    fn read(&mut self) -> Result<&'a [u8], Error> {
        if self.next == TILE_WIDTH {
            return Err(Error::BundleTooLarge);
        }
        let cut = Error::BundleCut { entry: self.next };
        let (length, rest) = self.rest.split_first_chunk::<2>().ok_or(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(cut)?;
        self.rest = rest;
        self.next += 1;
        Ok(entry)
    }
}

impl<'a> Iterator for Bundle<'a> {
    type Item = Result<&'a [u8], Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.read();
        if entry.is_err() {
            self.rest = &[];
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_stands_behind_its_length() {
        let bytes = encode([&b"ab"[..], &b""[..]]).unwrap();
        assert_eq!(bytes, [0, 2, b'a', b'b', 0, 0]);
        assert_eq!(decode(&bytes).unwrap(), [&b"ab"[..], &b""[..]]);
    }

    #[test]
    fn more_than_256_entries_or_a_too_long_one_are_refused() {
        let (entry, long) = (&b""[..], vec![0u8; 65_536]);
        let full = encode(vec![entry; 256]).unwrap();
        assert_eq!(encode(vec![entry; 257]), Err(Error::BundleTooLarge));
        let mut over = full.clone();
        push(&mut over, entry).unwrap();
        assert_eq!(decode(&full).map(|entries| entries.len()), Ok(256));
        assert_eq!(decode(&over), Err(Error::BundleTooLarge));
        assert_eq!(encode([&long[..]]), Err(Error::BundleTooLarge));
        assert!(encode([&long[1..]]).is_ok());
    }

    #[test]
    fn a_cut_bundle_names_the_entry_that_is_not_whole() {
        let bytes = encode([&b"first"[..], &b"second"[..]]).unwrap();
        for cut in 8..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), Err(Error::BundleCut { entry: 1 }), "cut at {cut}");
        }
        let mut reader = Bundle::new(&bytes[..9]);
        assert_eq!(reader.next(), Some(Ok(&b"first"[..])));
        assert_eq!(reader.next(), Some(Err(Error::BundleCut { entry: 1 })));
        assert_eq!(reader.next(), None);
    }

    proptest! {
        #[test]
        fn what_is_bundled_comes_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..257)) {
            let bytes = encode(entries.iter().map(Vec::as_slice)).unwrap();
            prop_assert_eq!(decode(&bytes).unwrap(), entries);
        }

        #[test]
        fn hostile_bytes_come_back_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(entries) = decode(&bytes) {
                prop_assert_eq!(encode(entries).unwrap(), bytes);
            }
        }
    }
}
