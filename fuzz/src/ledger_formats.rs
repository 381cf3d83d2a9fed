//! Any bytes as whatever a ledger is read from: notes, checkpoints, keys, tiles, bundles, entries, openings, receipts, proofs; and as
//! what a log and its witness say to each other.
//! Nothing unsigned is believed, and what is read is written in one way only.

use std::sync::LazyLock;

use ledger::bundle;
use ledger::checkpoint::Checkpoint;
use ledger::cosign::{Cosigner, WitnessKey, cosignatures, read_answer};
use ledger::entry::{Act, Actor, Entry, Outcome};
use ledger::hash::{HASH_BYTES, Hash, leaf_hash};
use ledger::note::{self, Signer, Verifier};
use ledger::opening::{Opening, commitment};
use ledger::receipt::Receipt;
use ledger::tile::TilePath;
use ledger::tree::{Frontier, TileBuffer, verify_consistency, verify_inclusion};
use ledger::witness::{AddCheckpoint, judge, read_size};

const ORIGIN: &str = "strongroom/fuzz";
/// When the witness cosigned, the one time that it did.
const COSIGNED_AT: u64 = 1_795_305_600;

/// A log of one entry with its signed head and a receipt.
pub(crate) struct Genuine {
    pub(crate) signer: Signer,
    pub(crate) checkpoint: String,
    pub(crate) receipt: String,
    pub(crate) entry: Vec<u8>,
    pub(crate) witness: WitnessKey,
    pub(crate) answer: String,
    root: Hash,
}

/// What was truly signed.
pub(crate) fn genuine() -> &'static Genuine {
    static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
        let facts =
            Opening::builder().act(Act::Chose).subject("sub_ann").choice("withdrawn").build().expect("facts");
        let mut entry = Entry::new(1_795_305_600_000_000, Act::Chose, Outcome::Yes, Actor::credential(42));
        entry.commitment = commitment(&[7; 16], &facts);
        let entry = entry.encode().expect("an entry");
        let mut tree = TileBuffer::new();
        tree.append(leaf_hash(&entry));
        let signer = Signer::from_seed(ORIGIN, &[1; 32]).expect("a name");
        let signed = Checkpoint::new(ORIGIN, tree.size(), tree.root()).and_then(|head| head.sign(&signer));
        let checkpoint = signed.expect("a head");
        let receipt = Receipt::new(0, entry.clone(), [7; 16], &facts, vec![], checkpoint.clone());
        let receipt = receipt.to_json().expect("short");
        let cosigner = Cosigner::from_seed("witness.example/w", &[2; 32]).expect("a name");
        let text = Checkpoint::new(ORIGIN, tree.size(), tree.root()).expect("a head").to_string();
        let answer = cosigner.cosign(&text, COSIGNED_AT).expect("a time");
        let witness = cosigner.witness_key().clone();
        Genuine { signer, checkpoint, receipt, entry, witness, answer, root: tree.root() }
    });
    &GENUINE
}

/// One input. Its first byte says as what the rest is read.
pub(crate) fn look_at(data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else { return };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match what {
        b'n' => notes(text),
        b'v' => {
            if let Ok(verifier) = Verifier::parse(text) {
                assert_eq!(verifier.to_string(), text, "there is one way to write it");
            }
        }
        b't' => {
            if let Ok(path) = text.parse::<TilePath>() {
                assert_eq!(path.to_string(), text, "there is one way to write it");
                assert!(!text.contains("..") && !text.starts_with('/'));
            }
        }
        b'b' => {
            if let Ok(entries) = bundle::decode(bytes) {
                assert_eq!(bundle::encode(entries.iter().copied()).as_deref(), Ok(bytes));
            }
        }
        b'e' => {
            if let Ok(entry) = Entry::decode(bytes) {
                assert_eq!(entry.encode().as_deref(), Ok(bytes), "there is one way to write it");
                let _ = serde_json::to_string(&entry);
            }
        }
        b'o' => {
            if let Ok(opening) = Opening::decode(bytes) {
                assert_eq!(opening.as_bytes(), bytes);
                let _ = (
                    opening.act(),
                    opening.version(),
                    opening.at(),
                    opening.digest(),
                    opening.fields().count(),
                );
            }
        }
        b'r' => receipts(text),
        b'p' => proofs(bytes),
        b'w' => requests(text),
        b'c' => answers(text),
        b'k' => {
            if let Ok(key) = WitnessKey::parse(text) {
                assert_eq!(key.to_string(), text, "there is one way to write it");
            }
        }
        _ => {}
    }
}

fn notes(text: &str) {
    let verifier = genuine().signer.verifier();
    if let Ok(head) = Checkpoint::open(text, verifier, ORIGIN) {
        let same = head.size() == 1 && *head.root() == genuine().root && head.extensions().is_empty();
        assert!(same, "one head was signed, and this is another");
    }
    if let Ok(opened) = note::open(text, std::slice::from_ref(verifier)) {
        assert!(text.starts_with(opened.text.as_str()));
        assert!(
            genuine().checkpoint.starts_with(opened.text.as_str()),
            "one text was signed, and this is another"
        );
    }
}

fn requests(text: &str) {
    let Ok(request) = text.parse::<AddCheckpoint>() else { return };
    assert_eq!(request.to_string(), text, "there is one way to write it");
    let log = genuine().signer.verifier();
    if let Ok(head) = judge(&request, Some(log), None) {
        let same = head.size() == 1 && *head.root() == genuine().root && head.extensions().is_empty();
        assert!(same, "one head was signed, and this is another");
    }
    let head = Checkpoint::new(ORIGIN, 1, genuine().root).expect("a head");
    if let Ok(new) = judge(&request, Some(log), Some(&head)) {
        assert_eq!(new, head, "nothing grew out of this head");
    }
}

fn answers(text: &str) {
    let genuine = genuine();
    let (signed, _) = genuine.checkpoint.rsplit_once("\n\n").expect("a note");
    if let Ok((found, line)) = read_answer(&format!("{signed}\n"), text, &genuine.witness) {
        assert!(found.at_seconds == COSIGNED_AT && line == genuine.answer, "one cosignature was made");
    }
    if let Ok(found) = cosignatures(text, std::slice::from_ref(&genuine.witness)) {
        assert!(found.iter().all(|found| found.at_seconds == COSIGNED_AT));
    }
    if let Some(size) = read_size(text) {
        assert_eq!(format!("{size}\n"), text, "there is one way to write it");
    }
}

fn receipts(text: &str) {
    let Ok(receipt) = Receipt::from_json(text) else { return };
    if let Ok(written) = receipt.to_json() {
        assert!(Receipt::from_json(&written).as_ref() == Ok(&receipt));
    }
    if let Ok(proved) = receipt.verify(genuine().signer.verifier(), ORIGIN) {
        assert_eq!(
            proved.entry.encode().as_deref(),
            Ok(genuine().entry.as_slice()),
            "one entry is in this log"
        );
        assert_eq!(proved.opening.text(ledger::opening::Tag::Choice), Some("withdrawn"));
    }
}

/// Sizes and hashes in a row: a proof that leads from one to the other would be a broken hash, unless it proves nothing new.
fn proofs(bytes: &[u8]) {
    let Some((sizes, rest)) = bytes.split_first_chunk::<16>() else { return };
    let (first, second) = sizes.split_at(8);
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
    let (index, size) = (number(first), number(second));
    let hashes: Vec<Hash> =
        rest.as_chunks::<HASH_BYTES>().0.iter().map(|bytes| Hash(*bytes)).take(200).collect();
    let Some((leaf, proof)) = hashes.split_first() else { return };
    if verify_inclusion(leaf, index, size, proof, &genuine().root).is_ok() {
        assert!((index, size) == (0, 1) && *leaf == genuine().root, "nothing else is in this tree");
    }
    if verify_consistency(index, leaf, size, &genuine().root, proof).is_ok() {
        assert!(index == 0 || (index == size && *leaf == genuine().root), "this tree grew out of no other");
    }
    if let Ok(frontier) = Frontier::from_parts(size, &hashes) {
        assert_eq!(frontier.size(), size);
        let _ = frontier.root();
    }
    let _ = TileBuffer::from_parts(size, &[rest]).map(|buffer| buffer.root());
}
