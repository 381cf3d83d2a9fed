//! Checks proofs against roots. Everything given may come from an enemy.

use crate::Error;
use crate::hash::{Hash, empty_root, node_hash};

/// Is this leaf entry `index` of the tree with this root?
///
/// Takes: the leaf's hash, its index, the tree's size and root, and the proof, nearest to the leaf first.
/// Fails: `SR-LEDGER-003` if the index is outside the tree, `SR-LEDGER-006` if the proof does not lead to the root.
/// Source: RFC 9162 §2.1.3.2.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Error> {
    if index >= size {
        return Err(Error::OutsideTree { index, size });
    }
    // Position of the current node at its height, and of the last node at that height.
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(Error::InclusionWrong);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            // A node at the right edge without a sibling rises until it has one.
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(Error::InclusionWrong) }
}

/// Did the tree with the new root only add to the tree with the old root?
///
/// Takes: size and root of both trees, and the proof. From an empty old tree, and between equal sizes, the proof must
/// be empty. Fails: `SR-LEDGER-003` if the old tree is the larger one, `SR-LEDGER-007` if the proof does not join the
/// roots. Source: RFC 9162 §2.1.4.2.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), Error> {
    if old_size > new_size {
        return Err(Error::OutsideTree { index: old_size, size: new_size });
    }
    let joined = match (old_size, new_size) {
        (0, 0) => proof.is_empty() && *old_root == empty_root() && old_root == new_root,
        (0, _) => proof.is_empty() && *old_root == empty_root(),
        _ if old_size == new_size => proof.is_empty() && old_root == new_root,
        _ => join(old_size, new_size, old_root, proof) == Some((*old_root, *new_root)),
    };
    if joined { Ok(()) } else { Err(Error::ConsistencyWrong) }
}

/// The old and the new root to which the proof leads, for 0 < `old_size` < `new_size`.
fn join(old_size: u64, new_size: u64, old_root: &Hash, proof: &[Hash]) -> Option<(Hash, Hash)> {
    let mut hashes = proof.iter();
    // An old tree that is one full subtree is its own first hash.
    let first = if old_size.is_power_of_two() { *old_root } else { *hashes.next()? };
    let (mut place, mut last) = (old_size - 1, new_size - 1);
    let shared = place.trailing_ones();
    place >>= shared;
    last >>= shared;
    let (mut old, mut new) = (first, first);
    for sibling in hashes {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old, new))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::leaf_hash;

    #[test]
    fn an_index_outside_the_tree_is_refused() {
        let hash = leaf_hash(b"");
        assert_eq!(verify_inclusion(&hash, 1, 1, &[], &hash), Err(Error::OutsideTree { index: 1, size: 1 }));
        assert_eq!(verify_inclusion(&hash, 0, 0, &[], &hash), Err(Error::OutsideTree { index: 0, size: 0 }));
        assert_eq!(
            verify_consistency(2, &hash, 1, &hash, &[]),
            Err(Error::OutsideTree { index: 2, size: 1 })
        );
    }

    #[test]
    fn an_empty_old_tree_must_have_the_empty_root_and_no_proof() {
        let hash = leaf_hash(b"");
        assert_eq!(verify_consistency(0, &empty_root(), 1, &hash, &[]), Ok(()));
        assert_eq!(verify_consistency(0, &hash, 1, &hash, &[]), Err(Error::ConsistencyWrong));
        assert_eq!(verify_consistency(0, &empty_root(), 1, &hash, &[hash]), Err(Error::ConsistencyWrong));
        assert_eq!(verify_consistency(0, &empty_root(), 0, &hash, &[]), Err(Error::ConsistencyWrong));
    }

    #[test]
    fn a_proof_that_is_longer_or_shorter_than_the_tree_is_refused() {
        let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
        let root = node_hash(&a, &b);
        assert_eq!(verify_inclusion(&a, 0, 2, &[b], &root), Ok(()));
        assert_eq!(verify_inclusion(&a, 0, 2, &[b, b], &root), Err(Error::InclusionWrong));
        assert_eq!(verify_inclusion(&root, 0, 2, &[], &root), Err(Error::InclusionWrong));
        assert_eq!(verify_consistency(1, &a, 2, &root, &[b]), Ok(()));
        assert_eq!(verify_consistency(1, &a, 2, &root, &[b, b]), Err(Error::ConsistencyWrong));
        assert_eq!(verify_consistency(1, &a, 2, &root, &[]), Err(Error::ConsistencyWrong));
    }

    proptest! {
        #[test]
        fn hostile_numbers_and_proofs_are_refused_calmly(
            a: u64, b: u64, leaf: [u8; 32], root: [u8; 32],
            proof in prop::collection::vec(any::<[u8; 32]>(), 0..130),
        ) {
            let proof: Vec<Hash> = proof.into_iter().map(Hash).collect();
            prop_assume!(leaf != root);
            prop_assert!(verify_inclusion(&Hash(leaf), a, b, &proof, &Hash(root)).is_err());
            prop_assume!(a != 0);
            prop_assert!(verify_consistency(a, &Hash(leaf), b, &Hash(root), &proof).is_err());
        }
    }
}
