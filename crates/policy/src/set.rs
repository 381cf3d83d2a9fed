//! Sets of up to 256 ordinals in four machine words: fields of one kind, purposes, recipients.
//!
//! The gate is little else than ands and ors of these. They are `Copy`, never allocate, and their order of
//! iteration is the order of the ordinals.

use std::fmt;

macro_rules! set256 {
    ($(#[$doc:meta])* $name:ident of $index:ty, $iter:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name([u64; 4]);

        impl $name {
            /// The set without members.
            pub const EMPTY: Self = Self([0; 4]);
            /// The set of all 256 ordinals.
            pub const ALL: Self = Self([u64::MAX; 4]);

            /// A set from its words, the lowest ordinals first.
            pub const fn from_words(words: [u64; 4]) -> Self {
                Self(words)
            }

            /// The four words, the lowest ordinals first.
            pub const fn as_words(&self) -> &[u64; 4] {
                &self.0
            }

            /// The set with one member (none, if the ordinal is above 255).
            pub const fn only(ordinal: $index) -> Self {
                Self::EMPTY.with(ordinal)
            }

            /// Is this ordinal a member?
            #[expect(clippy::indexing_slicing, reason = "an ordinal below 256 has a word below 4")]
            pub const fn has(&self, ordinal: $index) -> bool {
                ordinal as usize <= 255 && self.0[ordinal as usize >> 6] >> (ordinal as u32 & 63) & 1 == 1
            }

            /// This set and one more member.
            #[must_use]
            #[expect(clippy::indexing_slicing, reason = "an ordinal below 256 has a word below 4")]
            pub const fn with(mut self, ordinal: $index) -> Self {
                if ordinal as usize <= 255 {
                    self.0[ordinal as usize >> 6] |= 1 << (ordinal as u32 & 63);
                }
                self
            }

            /// Adds a member in place.
            pub const fn add(&mut self, ordinal: $index) {
                *self = self.with(ordinal);
            }

            /// This set without one member.
            #[must_use]
            pub const fn without(self, ordinal: $index) -> Self {
                self.minus(Self::only(ordinal))
            }

            /// The members of both.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
                Self([a & e, b & f, c & g, d & h])
            }

            /// The members of either.
            #[must_use]
            pub const fn or(self, other: Self) -> Self {
                let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
                Self([a | e, b | f, c | g, d | h])
            }

            /// The members that the other does not have.
            #[must_use]
            pub const fn minus(self, other: Self) -> Self {
                let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
                Self([a & !e, b & !f, c & !g, d & !h])
            }

            /// Has it no members?
            pub const fn is_empty(&self) -> bool {
                let [a, b, c, d] = self.0;
                a | b | c | d == 0
            }

            /// How many members?
            pub const fn count(&self) -> u32 {
                let [a, b, c, d] = self.0;
                a.count_ones() + b.count_ones() + c.count_ones() + d.count_ones()
            }

            /// Is every member also in the other?
            pub const fn is_subset_of(&self, other: &Self) -> bool {
                self.minus(*other).is_empty()
            }

            /// Have they a member in common?
            pub const fn meets(&self, other: &Self) -> bool {
                !self.and(*other).is_empty()
            }

            /// The lowest member.
            pub const fn first(&self) -> Option<$index> {
                let [a, b, c, d] = self.0;
                let (word, base) = if a != 0 {
                    (a, 0)
                } else if b != 0 {
                    (b, 64)
                } else if c != 0 {
                    (c, 128)
                } else if d != 0 {
                    (d, 192)
                } else {
                    return None;
                };
                #[expect(clippy::cast_possible_truncation, reason = "below 256")]
                Some(base + word.trailing_zeros() as $index)
            }

            /// The members, ascending.
            pub const fn iter(&self) -> $iter {
                $iter(*self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_set().entries(self.iter()).finish()
            }
        }

        impl FromIterator<$index> for $name {
            fn from_iter<I: IntoIterator<Item = $index>>(ordinals: I) -> Self {
                ordinals.into_iter().fold(Self::EMPTY, Self::with)
            }
        }

        impl IntoIterator for &$name {
            type Item = $index;
            type IntoIter = $iter;
            fn into_iter(self) -> $iter {
                self.iter()
            }
        }

        /// The members of a set, ascending.
        #[derive(Clone, Debug)]
        pub struct $iter($name);

        impl Iterator for $iter {
            type Item = $index;
            fn next(&mut self) -> Option<$index> {
                for (word, base) in self.0.0.iter_mut().zip([0, 64, 128, 192]) {
                    if *word != 0 {
                        #[expect(clippy::cast_possible_truncation, reason = "below 64")]
                        let ordinal = base + word.trailing_zeros() as $index;
                        *word &= *word - 1;
                        return Some(ordinal);
                    }
                }
                None
            }
            fn size_hint(&self) -> (usize, Option<usize>) {
                let count = self.0.count() as usize;
                (count, Some(count))
            }
        }

        impl ExactSizeIterator for $iter {}
    };
}

set256! {
    /// Fields of one record kind, by ordinal. Ordinal 255 is the sealed external id, which no policy declares.
    FieldMask of u8, FieldMaskIter
}
set256! {
    /// Purposes, by ordinal.
    PurposeSet of u16, PurposeSetIter
}
set256! {
    /// Recipients, by ordinal.
    RecipientSet of u16, RecipientSetIter
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_last_ordinal_of_each_word_has_its_own_place() {
        for ordinal in [0, 63, 64, 127, 128, 191, 192, 255] {
            let set = FieldMask::only(ordinal);
            assert_eq!(set.iter().collect::<Vec<_>>(), [ordinal]);
            assert!(set.has(ordinal) && !set.has(ordinal ^ 1) && !set.has(ordinal ^ 64));
        }
    }

    #[test]
    fn an_ordinal_above_255_is_never_a_member() {
        assert!(PurposeSet::only(256).is_empty());
        assert!(!PurposeSet::ALL.has(256));
    }

    proptest! {
        #[test]
        fn sets_agree_with_btree_sets(a: BTreeSet<u8>, b: BTreeSet<u8>) {
            let (x, y) = (a.iter().copied().collect::<FieldMask>(), b.iter().copied().collect::<FieldMask>());
            prop_assert_eq!(x.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(x.and(y).iter().collect::<BTreeSet<_>>(), &a & &b);
            prop_assert_eq!(x.or(y).iter().collect::<BTreeSet<_>>(), &a | &b);
            prop_assert_eq!(x.minus(y).iter().collect::<BTreeSet<_>>(), &a - &b);
            prop_assert_eq!(x.count() as usize, a.len());
            prop_assert_eq!(x.is_subset_of(&y), a.is_subset(&b));
            prop_assert_eq!(x.meets(&y), !a.is_disjoint(&b));
        }
    }
}
