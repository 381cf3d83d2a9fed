//! The reference tree of Certificate Transparency. `vectors/SOURCE.md` says where the numbers come from.

use ledger::checkpoint::Checkpoint;
use ledger::cosign::{Quorum, WitnessKey, cosignatures};
use ledger::hash::{Hash, leaf_hash};
use ledger::note::Verifier;
use ledger::tree::{
    Frontier, TileBuffer, Tiles, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
use serde_json::Value;

/// All eight leaves fit one tile.
struct OneTile(Vec<u8>);

impl Tiles for OneTile {
    type Error = ();
    fn tile(&mut self, level: u8, index: u64, _: u16) -> Result<Vec<u8>, ()> {
        if (level, index) == (0, 0) { Ok(self.0.clone()) } else { Err(()) }
    }
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/rfc6962.json")).unwrap()
}

fn hashes(values: &Value) -> Vec<Hash> {
    values.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().parse().unwrap()).collect()
}

fn leaves(vectors: &Value) -> Vec<Hash> {
    let leaves = vectors["leaves"].as_array().unwrap().iter();
    let bytes = leaves.map(|leaf| data_encoding::HEXLOWER.decode(leaf.as_str().unwrap().as_bytes()).unwrap());
    bytes.map(|leaf| leaf_hash(&leaf)).collect()
}

fn stored(leaves: &[Hash]) -> OneTile {
    let mut tree = TileBuffer::new();
    for leaf in leaves {
        tree.append(*leaf);
    }
    let tile = tree.partial_tiles().next().unwrap();
    OneTile(tile.bytes.to_vec())
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn the_reference_leaves_have_their_hashes_and_roots() {
    let vectors = vectors();
    let leaves = leaves(&vectors);
    assert_eq!(leaves, hashes(&vectors["leaf_hashes"]));
    for (size, root) in hashes(&vectors["roots"]).iter().enumerate() {
        assert_eq!(Frontier::over(&leaves[..size]).root(), *root, "size {size}");
    }
}

#[test]
fn the_roots_are_the_published_ones() {
    // SOURCE: the Certificate Transparency reference tree, as every implementation of RFC 6962 lists it.
    let roots = hashes(&vectors()["roots"]);
    assert_eq!(roots[1].to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(roots[8].to_string(), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

#[test]
fn every_inclusion_proof_of_the_reference_tree_is_found_and_accepted() {
    let vectors = vectors();
    let (leaves, roots) = (leaves(&vectors), hashes(&vectors["roots"]));
    let cases = vectors["inclusion"].as_array().unwrap();
    assert_eq!(cases.len(), 36);
    for case in cases {
        let (index, size, proof) = (number(&case["index"]), number(&case["size"]), hashes(&case["proof"]));
        assert_eq!(inclusion_proof(&mut stored(&leaves), index, size).unwrap(), proof);
        let (leaf, root) = (leaves[usize::try_from(index).unwrap()], roots[usize::try_from(size).unwrap()]);
        assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
    }
}

#[test]
fn every_consistency_proof_of_the_reference_tree_is_found_and_accepted() {
    let vectors = vectors();
    let (leaves, roots) = (leaves(&vectors), hashes(&vectors["roots"]));
    let cases = vectors["consistency"].as_array().unwrap();
    assert_eq!(cases.len(), 36);
    for case in cases {
        let (old, new, proof) = (number(&case["old"]), number(&case["new"]), hashes(&case["proof"]));
        assert_eq!(consistency_proof(&mut stored(&leaves), old, new).unwrap(), proof);
        let root = |size| &roots[usize::try_from(size).unwrap()];
        assert_eq!(verify_consistency(old, root(old), new, root(new), &proof), Ok(()));
    }
}

const COSIGNED: &str = include_str!("../../vectors/cosigned.note");

/// Keys of three of its four witnesses, as they publish them.
const WITNESSES: [&str; 3] = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
];

fn strangers() -> Vec<WitnessKey> {
    WITNESSES.iter().map(|key| key.parse().unwrap()).collect()
}

#[test]
fn a_public_logs_checkpoint_is_read_with_the_cosignatures_of_its_public_witnesses() {
    let log = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
    let log: Verifier = log.parse().unwrap();
    assert_eq!(Checkpoint::open(COSIGNED, &log, log.name()).unwrap().size(), 1_432_088_532);
    let found = Quorum::new(strangers(), 3).unwrap().judge(COSIGNED).unwrap();
    // 2026-05-23T21:50:24Z, each.
    assert!(found.len() == 3 && found.iter().all(|found| found.at_seconds == 1_779_573_024), "{found:?}");
}

#[test]
fn the_same_cosignatures_do_not_hold_for_another_size() {
    let changed = COSIGNED.replace("1432088532", "1432088533");
    for witness in strangers() {
        assert_eq!(cosignatures(&changed, &[witness]), Err(ledger::Error::SignatureWrong));
    }
}
