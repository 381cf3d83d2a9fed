//! Names to ordinals, looked up a dozen times a request: open addressing, at most half full.
//!
//! Without a random seed, since this crate has none to ask. Names come from the shop's own policy, so nobody outside
//! can choose them to collide; a name that is not there costs at most one run of neighbours.

use crate::text::Name;

/// An immutable table of names.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    slots: Box<[Option<(Name, u16)>]>,
    mask: usize,
}

impl NameTable {
    pub(crate) fn of<'n>(names: impl Iterator<Item = (&'n Name, u16)>) -> Self {
        let names: Vec<_> = names.collect();
        if names.is_empty() {
            return Self::default();
        }
        let size = (names.len() * 2).next_power_of_two();
        let mut table = Self { slots: vec![None; size].into_boxed_slice(), mask: size - 1 };
        for (name, ordinal) in names {
            let place = table
                .places(name.as_str())
                .find(|place| table.slots.get(*place).is_some_and(Option::is_none));
            if let Some(slot) = place.and_then(|place| table.slots.get_mut(place)) {
                *slot = Some((name.clone(), ordinal));
            }
        }
        table
    }

    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<u16> {
        for place in self.places(name) {
            match self.slots.get(place)? {
                Some((known, ordinal)) if known.as_str() == name => return Some(*ordinal),
                Some(_) => {}
                None => return None,
            }
        }
        None
    }

    /// Where a name may be: its own place, then the neighbours round the table.
    fn places(&self, name: &str) -> impl Iterator<Item = usize> + use<> {
        let (start, mask) = (hash(name.as_bytes()), self.mask);
        (0..=mask).map(move |step| start.wrapping_add(step) & mask)
    }
}

/// Eight bytes at a time; the length goes in first, so that the padding of the last bytes says nothing.
///
/// SOURCE: the hash of Firefox and rustc, "FxHash": rotate, xor, multiply.
fn hash(bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = mix(hash, rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low bits are all a table of at most 1,024 places needs"
    )]
    let place = (hash ^ (hash >> 32)) as usize;
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        let names: Vec<Name> = (0..255).map(|i| Name::parse(&format!("field_{i}")).unwrap()).collect();
        let table = NameTable::of(names.iter().zip(0..));
        for (name, ordinal) in names.iter().zip(0..) {
            assert_eq!(table.find(name.as_str()), Some(ordinal));
        }
        for other in ["", "field_", "field_255", "field_2 "] {
            assert_eq!(table.find(other), None, "{other}");
        }
        assert_eq!(NameTable::default().find("a"), None);
    }
}
