//! What a log and a witness say to each other, as C2SP tlog-witness writes it, and what a witness has to find before it cosigns.
//!
//! Pure: who keeps what a witness has seen, and who carries requests, is somebody else's matter.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::checkpoint::Checkpoint;
use crate::hash::{Hash, empty_root};
use crate::note::{self, MAX_NOTE_BYTES, Verifier};
use crate::tree::{MAX_SIZE, verify_consistency};

/// The longest request that is read: a note, and a proof before it.
pub const MAX_REQUEST_BYTES: usize = MAX_NOTE_BYTES + 4_096;

/// The content type of an answer that says which size the witness has seen.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// The most lines of a proof.
pub const MAX_PROOF_LINES: usize = 63;

/// `add-checkpoint`: a newer checkpoint of a log, and the proof that it only grew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Entries in the log when the witness last cosigned, as far as the sender knows; 0 for never.
    pub old_size: u64,
    /// Proof that the log only grew since.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declined {
    /// The request is not in its form, or the old size is above the new one.
    NotARequest,
    /// No key of the log has signed, or one wrongly.
    NotSigned,
    /// This log is none of the witness's.
    UnknownLog,
    /// The witness has last seen another size than the sender says.
    SeenOther {
        /// The size that it has seen.
        size: u64,
    },
    /// The new state is not what the old one grew into.
    NotGrown,
}

impl Declined {
    /// The status of the answer. Source: C2SP tlog-witness, "add-checkpoint".
    pub fn status(self) -> u16 {
        match self {
            Self::NotARequest => 400,
            Self::NotSigned => 403,
            Self::UnknownLog => 404,
            Self::SeenOther { .. } => 409,
            Self::NotGrown => 422,
        }
    }
}

impl AddCheckpoint {
    /// The origin that the checkpoint states; not believed yet.
    pub fn origin(&self) -> &str {
        self.note.split('\n').next().unwrap_or_default()
    }

    fn read(text: &str) -> Option<Self> {
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let size = lines.next()?.strip_prefix("old ")?;
        let is_plain = size.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain || (size.len() > 1 && size.starts_with('0')) {
            return None;
        }
        let old_size = size.parse().ok().filter(|size| *size <= MAX_SIZE)?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF_LINES {
                return None;
            }
            proof.push(Hash::from_base64(line).ok()?);
        }
        (!note.is_empty()).then(|| Self { old_size, proof, note: note.to_owned() })
    }
}

impl fmt::Display for AddCheckpoint {
    /// The body of the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for AddCheckpoint {
    type Err = Error;

    /// Reads the body of a request. Fails: `SR-LEDGER-033`. The note in it is not looked at yet.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_REQUEST_BYTES {
            return Err(Error::RequestMalformed);
        }
        Self::read(text).ok_or(Error::RequestMalformed)
    }
}

/// May a witness cosign what it is asked to?
///
/// Takes: the request; the key of the log whose origin it states, if the witness has one; and the checkpoint that it has last
/// cosigned of this log. Gives: the checkpoint to cosign, which the witness keeps before it answers; keeping and comparing is
/// one step. Fails: with what to answer instead.
pub fn judge(
    request: &AddCheckpoint,
    log: Option<&Verifier>,
    seen: Option<&Checkpoint>,
) -> Result<Checkpoint, Declined> {
    let log = log.ok_or(Declined::UnknownLog)?;
    let opened = note::open(&request.note, std::slice::from_ref(log)).map_err(|error| match error {
        Error::SignatureWrong | Error::NotSigned => Declined::NotSigned,
        _ => Declined::NotARequest,
    })?;
    let new: Checkpoint = opened.text.parse().map_err(|_| match opened.text.split('\n').nth(1) {
        // A log of no entry with another root than that of the empty tree.
        Some("0") => Declined::NotGrown,
        _ => Declined::NotARequest,
    })?;
    if new.origin() != log.name() {
        return Err(Declined::UnknownLog);
    }
    if request.old_size > new.size() {
        return Err(Declined::NotARequest);
    }
    let (old_size, old_root) = seen.map_or((0, empty_root()), |seen| (seen.size(), *seen.root()));
    if request.old_size != old_size {
        return Err(Declined::SeenOther { size: old_size });
    }
    verify_consistency(old_size, &old_root, new.size(), new.root(), &request.proof)
        .map_err(|_| Declined::NotGrown)?;
    Ok(new)
}

/// The size in the body of an answer that says which one the witness has seen. `None` for anything else.
pub fn read_size(body: &str) -> Option<u64> {
    let digits = body.strip_suffix('\n')?;
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    digits.parse().ok().filter(|size| *size <= MAX_SIZE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::leaf_hash;
    use crate::note::Signer;
    use crate::tree::{TileBuffer, Tiles, consistency_proof};

    const ORIGIN: &str = "log.example";

    fn signer() -> Signer {
        Signer::from_seed(ORIGIN, &[9; 32]).unwrap()
    }

    fn tree(size: u64) -> TileBuffer {
        let mut tree = TileBuffer::new();
        (0..size).for_each(|number| tree.append(leaf_hash(&number.to_be_bytes())));
        tree
    }

    struct Small(TileBuffer);

    impl Tiles for Small {
        type Error = ();
        fn tile(&mut self, level: u8, index: u64, _: u16) -> Result<Vec<u8>, ()> {
            let tile = self.0.partial_tiles().find(|tile| (tile.level, tile.index) == (level, index));
            tile.map(|tile| tile.bytes.to_vec()).ok_or(())
        }
    }

    fn head(size: u64) -> Checkpoint {
        Checkpoint::new(ORIGIN, size, tree(size).root()).unwrap()
    }

    fn request(old_size: u64, size: u64) -> AddCheckpoint {
        let proof = consistency_proof(&mut Small(tree(size)), old_size, size).unwrap();
        AddCheckpoint { old_size, proof, note: head(size).sign(&signer()).unwrap() }
    }

    fn answer(request: &AddCheckpoint, seen: Option<u64>) -> Result<Checkpoint, Declined> {
        judge(request, Some(signer().verifier()), seen.map(head).as_ref())
    }

    #[test]
    fn a_log_that_only_grew_is_cosigned() {
        assert_eq!(answer(&request(0, 0), None), Ok(head(0)));
        assert_eq!(answer(&request(0, 5), None), Ok(head(5)));
        assert_eq!(answer(&request(0, 5), Some(0)), Ok(head(5)));
        for (old, new) in [(5, 5), (5, 6), (4, 200), (128, 200)] {
            assert_eq!(answer(&request(old, new), Some(old)), Ok(head(new)), "{old} to {new}");
        }
    }

    #[test]
    fn what_the_witness_has_seen_is_said_when_the_sender_does_not_know_it() {
        assert_eq!(answer(&request(0, 9), Some(5)), Err(Declined::SeenOther { size: 5 }));
        assert_eq!(answer(&request(5, 9), None), Err(Declined::SeenOther { size: 0 }));
        // A log that was set back: it knows less than its witness.
        assert_eq!(answer(&request(3, 4), Some(9)), Err(Declined::SeenOther { size: 9 }));
    }

    #[test]
    fn a_fork_is_not_cosigned() {
        let root = leaf_hash(b"another history");
        for size in [5, 9] {
            let note = Checkpoint::new(ORIGIN, size, root).unwrap().sign(&signer()).unwrap();
            let forked = AddCheckpoint { note, ..request(5, size) };
            assert_eq!(answer(&forked, Some(5)), Err(Declined::NotGrown), "{size}");
        }
        let mut longer = request(0, 5);
        longer.proof.push(root);
        assert_eq!(answer(&longer, None), Err(Declined::NotGrown));
    }

    #[test]
    fn who_did_not_sign_and_who_is_unknown_is_told_apart() {
        let stranger = Signer::from_seed(ORIGIN, &[8; 32]).unwrap();
        let unsigned = AddCheckpoint { note: head(5).sign(&stranger).unwrap(), ..request(0, 5) };
        assert_eq!(answer(&unsigned, None), Err(Declined::NotSigned));
        let wrong = AddCheckpoint { note: request(0, 5).note.replace("\n5\n", "\n6\n"), ..request(0, 5) };
        assert_eq!(answer(&wrong, None), Err(Declined::NotSigned));
        assert_eq!(judge(&request(0, 5), None, None), Err(Declined::UnknownLog));
        // A key that signs for another log than the one that bears its name.
        let note = Checkpoint::new("other.example", 5, tree(5).root()).unwrap().sign(&signer()).unwrap();
        assert_eq!(answer(&AddCheckpoint { note, ..request(0, 5) }, None), Err(Declined::UnknownLog));
    }

    #[test]
    fn an_empty_log_has_the_empty_root_and_nothing_runs_back() {
        let text = format!("{ORIGIN}\n0\n{}\n", leaf_hash(b"x").to_base64());
        let note = note::sign(&text, &[&signer()]).unwrap();
        assert_eq!(answer(&AddCheckpoint { note, ..request(0, 0) }, None), Err(Declined::NotGrown));
        let back = AddCheckpoint { old_size: 9, ..request(0, 5) };
        assert_eq!(answer(&back, Some(9)), Err(Declined::NotARequest));
        let note = note::sign("log.example\nmany\n", &[&signer()]).unwrap();
        assert_eq!(answer(&AddCheckpoint { note, ..request(0, 0) }, None), Err(Declined::NotARequest));
    }

    #[test]
    fn the_example_of_the_document_is_read() {
        // SOURCE: C2SP tlog-witness, "add-checkpoint".
        let text = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
            jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
            /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\nexample.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
        let request: AddCheckpoint = text.parse().unwrap();
        assert_eq!((request.old_size, request.proof.len()), (20_852_014, 4));
        assert_eq!(request.origin(), "example.com/behind-the-sofa");
        assert_eq!(request.to_string(), text);
    }

    #[test]
    fn requests_in_any_other_form_are_refused() {
        let good = request(5, 9).to_string();
        assert_eq!(good.parse(), Ok(request(5, 9)));
        let hash = leaf_hash(b"x").to_base64();
        for bad in [
            String::new(),
            "old 5\n".to_owned(),
            "old 5\n\n".to_owned(),
            good.replacen("old 5", "old 05", 1),
            good.replacen("old 5", "old +5", 1),
            good.replacen("old 5", "old -5", 1),
            good.replacen("old 5", "old  5", 1),
            good.replacen("old 5", "old ", 1),
            good.replacen("old 5", "new 5", 1),
            good.replacen("old 5", "old 9223372036854775808", 1),
            good.replacen("old 5\n", "old 5\r\n", 1),
            good.replacen("old 5\n", "old 5\nAAAA\n", 1),
            format!("old 5\n{}\n{}", format!("{hash}\n").repeat(64), request(5, 9).note),
            "x".repeat(MAX_REQUEST_BYTES + 1),
        ] {
            assert_eq!(bad.parse::<AddCheckpoint>(), Err(Error::RequestMalformed), "{}", bad.len());
        }
        assert!(format!("old 5\n{}\nnote", format!("{hash}\n").repeat(63)).parse::<AddCheckpoint>().is_ok());
    }

    #[test]
    fn a_size_has_one_spelling() {
        assert_eq!((read_size("0\n"), read_size("42\n")), (Some(0), Some(42)));
        for bad in ["", "\n", "42", "042\n", "+4\n", "4 \n", "4\n\n", "9223372036854775808\n"] {
            assert_eq!(read_size(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_request_that_is_read_is_written_back(text in "old [0-9]{1,3}\n([A-Za-z0-9+/=]{44}\n){0,2}\n[a-z\n]{0,20}") {
            if let Ok(request) = text.parse::<AddCheckpoint>() {
                prop_assert_eq!(request.to_string(), text);
            }
        }

        #[test]
        fn hostile_text_is_refused_calmly(text: String) {
            prop_assert!(text.parse::<AddCheckpoint>().is_err());
            let _ = read_size(&text);
        }

        #[test]
        fn whatever_two_sizes_there_are_growth_is_cosigned_and_nothing_else(old in 0_u64..200, more in 0_u64..56, place in 0_usize..8) {
            let good = request(old, old + more);
            prop_assert_eq!(answer(&good, (old > 0).then_some(old)), Ok(head(old + more)));
            let mut bad = good;
            if let Some(hash) = bad.proof.get_mut(place) {
                hash.0[0] ^= 1;
                prop_assert_eq!(answer(&bad, (old > 0).then_some(old)), Err(Declined::NotGrown));
            }
        }
    }
}
