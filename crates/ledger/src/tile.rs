//! Names of tiles and bundles, as C2SP tlog-tiles writes them: `tile/0/x001/x234/067`, `tile/entries/000.p/17`.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::tree::TILE_WIDTH;

/// The name of one tile or bundle. It can be printed in one way only, and nothing else is read.
///
/// ```
/// # use ledger::tile::TilePath;
/// let path = TilePath::hashes(0, 1_234_067, 17)?;
/// assert_eq!(path.to_string(), "tile/0/x001/x234/067.p/17");
/// assert_eq!("tile/0/x001/x234/067.p/17".parse(), Ok(path));
/// assert!("tile/0/../checkpoint".parse::<TilePath>().is_err());
/// # Ok::<(), ledger::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of one level: 0 for the leaves, and one hash per full tile of the level below.
    Hashes(u8),
    /// The entries themselves: a bundle.
    Entries,
}

impl TilePath {
    /// The name of a hash tile.
    ///
    /// Takes: level 0 to 63, index in the level, width 1 to 256. Fails: `SR-LEDGER-008`.
    pub fn hashes(level: u8, index: u64, width: u16) -> Result<Self, Error> {
        if level > HIGHEST_LEVEL {
            return Err(Error::PathMalformed);
        }
        Self::new(TileKind::Hashes(level), index, width)
    }

    /// The name of a bundle of entries.
    ///
    /// Takes: index of the bundle, width 1 to 256. Fails: `SR-LEDGER-008`.
    pub fn entries(index: u64, width: u16) -> Result<Self, Error> {
        Self::new(TileKind::Entries, index, width)
    }

    /// What does it hold?
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Which one of its level is it?
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries does it hold? 256 when full.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// The name it has once it is full.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, Error> {
        if width == 0 || width > TILE_WIDTH {
            return Err(Error::PathMalformed);
        }
        Ok(Self { kind, index, width })
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tile/")?;
        match self.kind {
            TileKind::Hashes(level) => write!(f, "{level}/")?,
            TileKind::Entries => f.write_str("entries/")?,
        }
        // Groups of three digits, all but the last behind an `x`: no file ever has the name of a folder.
        let mut group = 1u64;
        while self.index / group >= 1000 {
            group *= 1000;
        }
        while group > 1 {
            write!(f, "x{:03}/", self.index / group % 1000)?;
            group /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TilePath {
    type Err = Error;

    /// Reads what `Display` writes and nothing else: no leading zeroes, no empty groups, no `..`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let path = read(text).ok_or(Error::PathMalformed)?;
        // Whatever slipped through the reader, a path with a second spelling does not.
        if path.to_string() == text { Ok(path) } else { Err(Error::PathMalformed) }
    }
}

fn read(text: &str) -> Option<TilePath> {
    if text.len() > LONGEST_PATH {
        return None;
    }
    let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let (number, width) = match rest.split_once(".p/") {
        None => (rest, TILE_WIDTH),
        // 256 is not written as a partial width; printing again refuses it.
        Some((number, width)) => (number, digits(width)?.try_into().ok()?),
    };
    let mut index = 0u64;
    let mut groups = number.split('/').peekable();
    while let Some(group) = groups.next() {
        let group = if groups.peek().is_some() { group.strip_prefix('x')? } else { group };
        if group.len() != 3 {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits(group)?)?;
    }
    if kind == "entries" {
        TilePath::entries(index, width).ok()
    } else {
        TilePath::hashes(digits(kind)?.try_into().ok()?, index, width).ok()
    }
}

/// A number of plain digits; Rust's own reader would also take a sign.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

// SOURCE: C2SP tlog-tiles, "Merkle Tree": a level is an integer between 0 and 63.
const HIGHEST_LEVEL: u8 = 63;
/// `tile/entries/`, six groups of five characters and one of three, `.p/255`.
const LONGEST_PATH: usize = 52;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_tiles_document_is_read_and_printed() {
        let path = TilePath::hashes(0, 1_234_067, 256).unwrap();
        assert_eq!(path.to_string(), "tile/0/x001/x234/067");
        assert_eq!("tile/0/x001/x234/067".parse(), Ok(path));
        let partial = TilePath::entries(0, 17).unwrap();
        assert_eq!(partial.to_string(), "tile/entries/000.p/17");
        assert_eq!(partial.full().to_string(), "tile/entries/000");
    }

    #[test]
    fn a_path_in_any_other_form_is_refused() {
        for text in [
            "",
            "tile/0/",
            "tile/0/0",
            "tile/0/1000",
            "tile/00/000",
            "tile/64/000",
            "tile/256/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/0/+01",
            "tile/0/x000/001",
            "tile/0/x001",
            "tile/0/001/002",
            "tile/0/X001/002",
            "tile/0/x01/002",
            "tile/0/x001//002",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/",
            "tile/0/000.p/1/",
            "tile/0/000.p",
            "tile/0/../000",
            "tile/entries/../../etc/passwd",
            "/tile/0/000",
            "tile/0/000/",
            " tile/0/000",
            "tile/8/0/000",
            "tile/data/000",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/0/x001/x001/x001/x001/x001/x001/x001/000",
        ] {
            assert_eq!(text.parse::<TilePath>(), Err(Error::PathMalformed), "{text}");
        }
    }

    #[test]
    fn the_largest_index_is_read() {
        let path = TilePath::entries(u64::MAX, 255).unwrap();
        assert_eq!(path.to_string().len(), LONGEST_PATH);
        assert_eq!(path.to_string().parse(), Ok(path));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            level in prop::option::of(0u8..64), index: u64, shift in 0u32..64, width in 1u16..=256,
        ) {
            let index = index >> shift;
            let path = match level {
                Some(level) => TilePath::hashes(level, index, width).unwrap(),
                None => TilePath::entries(index, width).unwrap(),
            };
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn what_is_read_is_printed_back(text in "tile/([0-9]{1,3}|entries)/(x[0-9]{3}/){0,7}[0-9]{3}(\\.p/[0-9]{1,3})?") {
            if let Ok(path) = text.parse::<TilePath>() {
                prop_assert_eq!(path.to_string(), text);
            }
        }

        #[test]
        fn hostile_text_is_refused_calmly(text: String) {
            prop_assert!(text.parse::<TilePath>().is_err());
        }
    }
}
