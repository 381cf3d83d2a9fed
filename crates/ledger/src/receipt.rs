//! Receipts: all that a person needs to prove, to anybody and offline, what was entered about them.

use std::fmt;

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, MAX_ENTRY_BYTES};
use crate::hash::{Hash, leaf_hash};
use crate::note::Verifier;
use crate::opening::{Opening, SALT_BYTES, commitment};
use crate::tree::verify_inclusion;

/// The longest JSON text that is read as a receipt.
pub const MAX_RECEIPT_BYTES: usize = 1_048_576;

/// An entry, what it commits to, and the proof that it is in the log.
///
/// Whoever holds it knows the facts in it, so its Debug shows none of them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    format: Format,
    /// Index of the entry in its log.
    pub entry_index: u64,
    /// The entry's bytes.
    #[serde(with = "base64")]
    pub entry: Vec<u8>,
    /// The salt of its commitment.
    #[serde(with = "base64")]
    pub salt: [u8; SALT_BYTES],
    /// The opening of its commitment.
    #[serde(with = "base64")]
    pub opening: Vec<u8>,
    /// The inclusion proof under the checkpoint, nearest to the leaf first.
    pub proof: Vec<Hash>,
    /// A signed checkpoint of the log.
    pub checkpoint: String,
}

/// What a receipt has proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    /// Index of the entry in its log.
    pub entry_index: u64,
    /// The entry.
    pub entry: Entry,
    /// The facts that the entry commits to.
    pub opening: Opening,
    /// The signed state of the log in which it stands.
    pub checkpoint: Checkpoint,
}

impl Receipt {
    /// A receipt from its parts, which are checked only by `verify`.
    ///
    /// Takes: index and bytes of the entry, salt and opening of its commitment, its inclusion proof, and the signed
    /// checkpoint under which the proof was made.
    pub fn new(
        entry_index: u64,
        entry: Vec<u8>,
        salt: [u8; SALT_BYTES],
        opening: &Opening,
        proof: Vec<Hash>,
        checkpoint: String,
    ) -> Self {
        let opening = opening.as_bytes().to_vec();
        Self { format: Format, entry_index, entry, salt, opening, proof, checkpoint }
    }

    /// The receipt as JSON, as people keep it.
    ///
    /// Fails: `SR-LEDGER-027` if it would be longer than `MAX_RECEIPT_BYTES`.
    pub fn to_json(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self).map_err(|_| Error::ReceiptMalformed)?;
        if text.len() > MAX_RECEIPT_BYTES { Err(Error::ReceiptMalformed) } else { Ok(text) }
    }

    /// Which receipt does this JSON hold?
    ///
    /// Fails: `SR-LEDGER-027`, also for a later format or an unknown member. Nothing is proved yet.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_RECEIPT_BYTES {
            return Err(Error::ReceiptMalformed);
        }
        serde_json::from_str(text).map_err(|_| Error::ReceiptMalformed)
    }

    /// Is what this receipt says true?
    ///
    /// Takes: the key of the log, and the origin one expects. Gives: the entry, and the facts it commits to.
    /// Fails: as `Checkpoint::open`; `SR-LEDGER-003` or `SR-LEDGER-006` if the entry is not in the log; `SR-LEDGER-020`
    /// to `-022` and `-023` for malformed parts; `SR-LEDGER-025` if the facts are not those of the entry;
    /// `SR-LEDGER-026` if they name another act.
    pub fn verify(&self, verifier: &Verifier, origin: &str) -> Result<VerifiedReceipt, Error> {
        let checkpoint = Checkpoint::open(&self.checkpoint, verifier, origin)?;
        if self.entry.len() > MAX_ENTRY_BYTES {
            return Err(Error::EntryTooLong { bytes: self.entry.len(), most: MAX_ENTRY_BYTES });
        }
        let leaf = leaf_hash(&self.entry);
        verify_inclusion(&leaf, self.entry_index, checkpoint.size(), &self.proof, checkpoint.root())?;
        let entry = Entry::decode(&self.entry)?;
        let opening = Opening::decode(&self.opening)?;
        if commitment(&self.salt, &opening) != entry.commitment {
            return Err(Error::CommitmentWrong);
        }
        if opening.act().is_some_and(|act| act != entry.act) {
            return Err(Error::ActWrong);
        }
        Ok(VerifiedReceipt { entry_index: self.entry_index, entry, opening, checkpoint })
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("entry_index", &self.entry_index).finish_non_exhaustive()
    }
}

/// The first member of a receipt, by which a later form will be told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(FORMAT)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if String::deserialize(deserializer)? == FORMAT {
            Ok(Self)
        } else {
            Err(de::Error::custom("unknown format"))
        }
    }
}

mod base64 {
    use super::{BASE64, Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes.as_ref()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, B: TryFrom<Vec<u8>>>(
        deserializer: D,
    ) -> Result<B, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| de::Error::custom("not base64"))?;
        bytes.try_into().map_err(|_| de::Error::custom("wrong length"))
    }
}

const FORMAT: &str = "strongroom/receipt/1";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::{Act, Actor, Outcome};
    use crate::note::Signer;
    use crate::opening::Tag;
    use crate::testing::{Stored, leaves};
    use crate::tree::{inclusion_proof, root_at};

    const ORIGIN: &str = "shop.example/log";

    fn signer() -> Signer {
        Signer::from_seed(ORIGIN, &[9; 32]).unwrap()
    }

    /// A withdrawal as entry 300 of 700.
    fn receipt() -> Receipt {
        let salt = [3; 16];
        let opening =
            Opening::builder().act(Act::Chose).subject("sub_ann").choice("withdrawn").build().unwrap();
        let mut entry = Entry::new(1_000, Act::Chose, Outcome::Yes, Actor::credential(1));
        entry.commitment = commitment(&salt, &opening);
        let entry = entry.encode().unwrap();
        let mut leaves = leaves(700);
        leaves[300] = leaf_hash(&entry);
        let mut stored = Stored::of(&leaves);
        let proof = inclusion_proof(&mut stored, 300, 700).unwrap();
        let root = root_at(&mut stored, 700).unwrap();
        let checkpoint = Checkpoint::new(ORIGIN, 700, root).unwrap().sign(&signer()).unwrap();
        Receipt::new(300, entry, salt, &opening, proof, checkpoint)
    }

    fn verify(receipt: &Receipt) -> Result<VerifiedReceipt, Error> {
        receipt.verify(signer().verifier(), ORIGIN)
    }

    #[test]
    fn a_receipt_proves_what_was_chosen() {
        let verified = verify(&receipt()).unwrap();
        assert_eq!(verified.entry.act, Act::Chose);
        assert_eq!(verified.opening.text(Tag::Choice), Some("withdrawn"));
        assert_eq!(verified.checkpoint.size(), 700);
    }

    #[test]
    fn a_receipt_survives_as_json() {
        let text = receipt().to_json().unwrap();
        assert!(text.contains(r#""format": "strongroom/receipt/1""#));
        assert_eq!(Receipt::from_json(&text), Ok(receipt()));
    }

    #[test]
    fn every_part_of_a_receipt_is_needed() {
        let mut wrong = receipt();
        wrong.entry_index = 301;
        assert_eq!(verify(&wrong), Err(Error::InclusionWrong));
        wrong.entry_index = 700;
        assert_eq!(verify(&wrong), Err(Error::OutsideTree { index: 700, size: 700 }));
        let mut wrong = receipt();
        wrong.entry[12] ^= 1;
        assert_eq!(verify(&wrong), Err(Error::InclusionWrong));
        let mut wrong = receipt();
        wrong.salt[0] ^= 1;
        assert_eq!(verify(&wrong), Err(Error::CommitmentWrong));
        let mut wrong = receipt();
        wrong.opening =
            Opening::builder().act(Act::Chose).choice("granted").build().unwrap().as_bytes().to_vec();
        assert_eq!(verify(&wrong), Err(Error::CommitmentWrong));
        wrong.opening.clear();
        assert_eq!(verify(&wrong), Err(Error::OpeningMalformed { at_byte: 0 }));
        let mut wrong = receipt();
        wrong.proof.pop();
        assert_eq!(verify(&wrong), Err(Error::InclusionWrong));
        let mut wrong = receipt();
        wrong.checkpoint = wrong.checkpoint.replace("700", "701");
        assert_eq!(verify(&wrong), Err(Error::SignatureWrong));
        let mut wrong = receipt();
        wrong.entry = vec![1; 5000];
        assert_eq!(verify(&wrong), Err(Error::EntryTooLong { bytes: 5000, most: 4096 }));
        assert_eq!(receipt().verify(signer().verifier(), "other.example"), Err(Error::OriginWrong));
    }

    #[test]
    fn facts_of_another_act_are_refused() {
        let salt = [3; 16];
        let opening = Opening::builder().act(Act::Revealed).build().unwrap();
        let mut entry = Entry::new(0, Act::Chose, Outcome::Yes, Actor::house());
        entry.commitment = commitment(&salt, &opening);
        let entry = entry.encode().unwrap();
        let root = leaf_hash(&entry);
        let checkpoint = Checkpoint::new(ORIGIN, 1, root).unwrap().sign(&signer()).unwrap();
        let receipt = Receipt::new(0, entry, salt, &opening, vec![], checkpoint);
        assert_eq!(verify(&receipt), Err(Error::ActWrong));
    }

    #[test]
    fn json_in_any_other_form_is_refused() {
        let good = receipt().to_json().unwrap();
        for bad in [
            String::new(),
            "{}".to_owned(),
            good.replace("receipt/1", "receipt/2"),
            good.replace("\"salt\": \"", "\"salt\": \"AAAA"),
            good.replace("entry_index", "index"),
            good.replacen('{', "{\"more\": 1,", 1),
            good.replace("300", "-300"),
            " ".repeat(MAX_RECEIPT_BYTES + 1),
        ] {
            assert_eq!(Receipt::from_json(&bad), Err(Error::ReceiptMalformed), "{}", bad.len());
        }
    }

    #[test]
    fn the_debug_form_shows_no_fact() {
        assert_eq!(format!("{:?}", receipt()), "Receipt { entry_index: 300, .. }");
    }

    proptest! {
        #[test]
        fn hostile_text_is_refused_calmly(text: String) {
            prop_assert_eq!(Receipt::from_json(&text), Err(Error::ReceiptMalformed));
        }
    }
}
