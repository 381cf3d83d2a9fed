//! Two other people's implementation of the same documents says the same, both ways.

use ledger::checkpoint::Checkpoint;
use ledger::hash::{Hash, empty_root, leaf_hash, node_hash};
use ledger::note::{self, Signer, Verifier};
use ledger::tile::TilePath;
use ledger::tree::{
    Frontier, TileBuffer, Tiles, consistency_proof, inclusion_proof, root_at, verify_consistency,
    verify_inclusion,
};
use signed_note::{Signer as _, Verifier as _};
use tlog_tiles::tlog;

use crate::support::{ORIGIN, signer};

const COUNT: u64 = 1_200;

/// The oracle's own store of a tree.
struct Stored(Vec<tlog::Hash>);

impl tlog::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

fn oracle() -> Stored {
    let mut stored = Stored(Vec::new());
    for number in 0..COUNT {
        let more = tlog::stored_hashes(number, &number.to_be_bytes(), &stored).unwrap();
        stored.0.extend(more);
    }
    stored
}

struct Ours(TileBuffer, Vec<ledger::tree::FullTile>);

impl Tiles for Ours {
    type Error = ();
    fn tile(&mut self, level: u8, index: u64, _: u16) -> Result<Vec<u8>, ()> {
        if let Some(tile) = self.1.iter().find(|tile| (tile.level, tile.index) == (level, index)) {
            return Ok(tile.bytes.clone());
        }
        let tile = self.0.partial_tiles().find(|tile| (tile.level, tile.index) == (level, index));
        tile.map(|tile| tile.bytes.to_vec()).ok_or(())
    }
}

fn ours() -> Ours {
    let mut tree = TileBuffer::new();
    for number in 0..COUNT {
        tree.append(leaf_hash(&number.to_be_bytes()));
    }
    let full = tree.take_full_tiles();
    Ours(tree, full)
}

fn same(hashes: &[Hash]) -> Vec<tlog::Hash> {
    hashes.iter().map(|hash| tlog::Hash(hash.0)).collect()
}

#[test]
fn hashes_are_those_of_tlog_tiles() {
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
    assert_eq!(tlog::record_hash(b"left"), tlog::Hash(left.0));
    assert_eq!(
        tlog::node_hash(tlog::Hash(left.0), tlog::Hash(right.0)),
        tlog::Hash(node_hash(&left, &right).0)
    );
    assert_eq!(tlog::EMPTY_HASH, tlog::Hash(empty_root().0));
}

#[test]
fn roots_are_those_of_tlog_tiles() {
    let stored = oracle();
    let mut reader = ours();
    let mut tree = Frontier::new();
    for size in 0..=COUNT {
        let theirs = tlog::tree_hash(size, &stored).unwrap();
        assert_eq!(theirs, tlog::Hash(tree.root().0), "size {size}");
        assert_eq!(theirs, tlog::Hash(root_at(&mut reader, size).unwrap().0), "size {size}");
        tree.append(leaf_hash(&size.to_be_bytes()));
    }
}

#[test]
fn inclusion_proofs_are_those_of_tlog_tiles_and_are_accepted_both_ways() {
    let (stored, mut reader) = (oracle(), ours());
    for size in (1..=COUNT).step_by(61) {
        let root = root_at(&mut reader, size).unwrap();
        for index in (0..size).step_by(37) {
            let proof = inclusion_proof(&mut reader, index, size).unwrap();
            assert_eq!(tlog::prove_record(size, index, &stored).unwrap(), same(&proof));
            let leaf = leaf_hash(&index.to_be_bytes());
            verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
            tlog::check_record(&same(&proof), size, tlog::Hash(root.0), index, tlog::Hash(leaf.0)).unwrap();
        }
    }
}

#[test]
fn consistency_proofs_are_those_of_tlog_tiles_and_are_accepted_both_ways() {
    let (stored, mut reader) = (oracle(), ours());
    for size in (1..=COUNT).step_by(61) {
        let root = root_at(&mut reader, size).unwrap();
        for old in (1..=size).step_by(37) {
            let old_root = root_at(&mut reader, old).unwrap();
            let proof = consistency_proof(&mut reader, old, size).unwrap();
            assert_eq!(tlog::prove_tree(size, old, &stored).unwrap(), same(&proof));
            verify_consistency(old, &old_root, size, &root, &proof).unwrap();
            let (theirs, old_theirs) = (tlog::Hash(root.0), tlog::Hash(old_root.0));
            tlog::check_tree(&same(&proof), size, theirs, old, old_theirs).unwrap();
        }
    }
}

#[test]
fn tiles_are_those_of_tlog_tiles() {
    let (stored, mut reader) = (oracle(), ours());
    let tiles = tlog_tiles::tile::Tile::new_tiles(8, 0, COUNT);
    assert_eq!(tiles.len(), 6);
    for tile in tiles {
        let width = u16::try_from(tile.width()).unwrap();
        let bytes = reader.tile(tile.level(), tile.level_index(), width).unwrap();
        assert_eq!(tile.read_data(&stored).unwrap(), bytes);
    }
}

#[test]
fn tile_paths_are_those_of_tlog_tiles_without_the_height() {
    for (level, index, width) in [(0, 0, 256), (0, 0, 1), (1, 999, 255), (2, 1000, 256), (7, 1_234_067, 17)] {
        let theirs = tlog_tiles::tile::Tile::new(8, level, index, width, false).path();
        let ours = TilePath::hashes(level, index, u16::try_from(width).unwrap()).unwrap();
        assert_eq!(theirs.replacen("tile/8/", "tile/", 1), ours.to_string());
    }
}

#[test]
fn checkpoints_are_those_of_tlog_tiles() {
    let root = leaf_hash(b"root");
    let ours =
        Checkpoint::new(ORIGIN, 77, root).unwrap().with_extensions(vec!["one".into(), "two".into()]).unwrap();
    let theirs =
        tlog_tiles::checkpoint::Checkpoint::new(ORIGIN, 77, tlog::Hash(root.0), "one\ntwo\n").unwrap();
    assert_eq!(theirs.to_bytes(), ours.to_string().into_bytes());
    assert_eq!(tlog_tiles::checkpoint::Checkpoint::from_bytes(ours.to_string().as_bytes()).unwrap(), theirs);
    assert_eq!(String::from_utf8(theirs.to_bytes()).unwrap().parse(), Ok(ours));
}

#[test]
fn our_notes_are_opened_by_signed_note() {
    let text = "a text\n\nwith an empty line\n";
    let note = note::sign(text, &[&signer()]).unwrap();
    let theirs = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let key = signed_note::StandardVerifier::new(&signer().verifier().to_string()).unwrap();
    assert_eq!((key.name(), key.key_id()), (ORIGIN, signer().verifier().key_id()));
    let known = signed_note::VerifierList::new(vec![Box::new(key)]);
    let (verified, unknown) = theirs.verify(&known).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 0));
    assert_eq!(theirs.text(), text.as_bytes());
}

#[test]
fn notes_of_signed_note_are_opened_by_us_and_are_the_same_bytes() {
    // Ed25519 is deterministic: the same seed gives the same key and signature.
    let mut secret = vec![1u8];
    secret.extend_from_slice(&[42; 32]);
    let key_id = signer().verifier().key_id();
    let key = format!("PRIVATE+KEY+{ORIGIN}+{key_id:08x}+{}", data_encoding::BASE64.encode(&secret));
    let theirs = signed_note::StandardSigner::new(&key).unwrap();
    assert_eq!(theirs.name(), ORIGIN);
    let mut signed = signed_note::Note::new(b"a text\n", &[]).unwrap();
    signed.add_sigs(&[&theirs]).unwrap();
    let signed = String::from_utf8(signed.to_bytes()).unwrap();
    assert_eq!(signed, note::sign("a text\n", &[&signer()]).unwrap());
    assert_eq!(note::open(&signed, &[signer().verifier().clone()]).unwrap().text, "a text\n");
}

#[test]
fn verifier_keys_of_signed_note_are_ours() {
    let ours = Signer::from_seed("海港.example/log", &[7; 32]).unwrap();
    let text = ours.verifier().to_string();
    assert!(signed_note::StandardVerifier::new(&text).is_ok());
    assert_eq!(Verifier::parse(&text).as_ref(), Ok(ours.verifier()));
}
