//! Cosignatures: what witnesses put under a checkpoint, as C2SP tlog-cosignature defines them, with Ed25519.
//!
//! A cosignature says: at this time, this was the largest state of this log that the witness had seen, and it had only
//! grown. Kept here: the key of a witness while the program runs, never printed.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use crate::Error;
use crate::named_key::{KEY_BYTES, NamedKey};
use crate::note::{Parts, SignatureLine, signature_line};

/// The public half of a witness's key: checks its cosignatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    key: NamedKey,
}

/// A witness's key: makes cosignatures under its name.
pub struct Cosigner {
    key: WitnessKey,
    pair: Ed25519KeyPair,
}

/// A cosignature that was checked and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name.
    pub witness: String,
    /// The id of its key.
    pub key_id: u32,
    /// When it cosigned, in seconds since the Unix epoch, by its own clock.
    pub at_seconds: u64,
}

/// Whom one believes that a checkpoint is what everybody sees: so many of these witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    witnesses: Vec<WitnessKey>,
    least: usize,
}

impl WitnessKey {
    /// The public half of a witness's key.
    ///
    /// Fails: `SR-LEDGER-011` if the name is empty or has a space, a plus or a control character.
    pub fn new(name: &str, public_key: [u8; KEY_BYTES]) -> Result<Self, Error> {
        Ok(Self { key: NamedKey::new(COSIGNATURE_TYPE, name, public_key)? })
    }

    /// Which witness does this verifier key name?
    ///
    /// Takes: `name+hash+base64` with signature type 4, in the one spelling that `Display` prints. Fails: `SR-LEDGER-012`,
    /// also for the key of a log.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self { key: NamedKey::parse(COSIGNATURE_TYPE, text)? })
    }

    /// The witness's name.
    pub fn name(&self) -> &str {
        self.key.name()
    }

    /// The first four bytes of the hash of name, type and key.
    pub fn key_id(&self) -> u32 {
        self.key.key_id()
    }

    /// The Ed25519 public key.
    pub fn public_key(&self) -> &[u8; KEY_BYTES] {
        self.key.public_key()
    }

    /// When was this text cosigned, if this line is this witness's and holds?
    ///
    /// Gives: `None` for another's line. Fails: `SR-LEDGER-015`.
    fn reads(&self, text: &str, line: &SignatureLine<'_>) -> Result<Option<Cosignature>, Error> {
        if !line.is_by(&self.key) {
            return Ok(None);
        }
        let (time, signature) = line.signature.split_first_chunk::<8>().ok_or(Error::SignatureWrong)?;
        let at_seconds = u64::from_be_bytes(*time);
        // SOURCE: C2SP tlog-cosignature, "Format": at most 2⁶³ − 1; tlog-witness: for a whole tree the time is never left out.
        let is_time = at_seconds > 0 && i64::try_from(at_seconds).is_ok();
        if !is_time || !self.key.accepts(message(text, at_seconds).as_bytes(), signature) {
            return Err(Error::SignatureWrong);
        }
        Ok(Some(Cosignature { witness: self.name().to_owned(), key_id: self.key_id(), at_seconds }))
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.key, f)
    }
}

impl FromStr for WitnessKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Cosigner {
    /// The key that grows from this seed.
    ///
    /// Takes: the witness's name, and 32 secret bytes that sign nothing else: what is signed does not say under which name.
    /// Fails: `SR-LEDGER-011` for the name, `SR-LEDGER-012`.
    pub fn from_seed(name: &str, seed: &[u8; KEY_BYTES]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::KeyMalformed)?;
        let public_key = pair.public_key().as_ref().try_into().map_err(|_| Error::KeyMalformed)?;
        Ok(Self { key: WitnessKey::new(name, public_key)?, pair })
    }

    /// The public half, to be given to everybody.
    pub fn witness_key(&self) -> &WitnessKey {
        &self.key
    }

    /// Cosigns the text of a checkpoint.
    ///
    /// Takes: the text that the log signed, and the time in seconds since the Unix epoch, above 0. Gives: one signature line
    /// with its line break. The caller has seen to it that the log only grew. Fails: `SR-LEDGER-017`.
    ///
    /// ```
    /// # use ledger::{checkpoint::Checkpoint, cosign::{Cosigner, cosignatures}, hash::leaf_hash, note::Signer};
    /// let log = Signer::from_seed("shop.example/ledger", &[1; 32])?;
    /// let head = Checkpoint::new("shop.example/ledger", 1, leaf_hash(b"one"))?;
    /// let witness = Cosigner::from_seed("witness.example/w1", &[2; 32])?;
    /// let line = witness.cosign(&head.to_string(), 1_795_305_600)?;
    /// let note = head.sign(&log)? + &line;
    /// let found = cosignatures(&note, &[witness.witness_key().clone()])?;
    /// assert_eq!(found[0].at_seconds, 1_795_305_600);
    /// # Ok::<(), ledger::Error>(())
    /// ```
    pub fn cosign(&self, text: &str, at_seconds: u64) -> Result<String, Error> {
        if at_seconds == 0 || i64::try_from(at_seconds).is_err() {
            return Err(Error::CannotSign);
        }
        let signature =
            self.pair.try_sign(message(text, at_seconds).as_bytes()).map_err(|_| Error::CannotSign)?;
        let mut bytes = at_seconds.to_be_bytes().to_vec();
        bytes.extend_from_slice(signature.as_ref());
        Ok(signature_line(&self.key.key, &bytes))
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cosigner").field("name", &self.key.name()).finish_non_exhaustive()
    }
}

/// Which of these witnesses have cosigned this note, and when?
///
/// Takes: a note from anywhere; whether the log signed it is asked of `Checkpoint::open`. Gives: each witness once, with its
/// newest cosignature, in the order of the keys. Lines of others are ignored.
/// Fails: `SR-LEDGER-013`, `SR-LEDGER-014`; `SR-LEDGER-015` if a line of one of these witnesses does not hold.
pub fn cosignatures(note: &str, witnesses: &[WitnessKey]) -> Result<Vec<Cosignature>, Error> {
    let Parts { text, lines } = Parts::read(note)?;
    let mut found = Vec::new();
    for witness in witnesses {
        found.extend(newest(witness, &text, &lines)?);
    }
    Ok(found)
}

/// The cosignature that a witness answered with, and its line.
///
/// Takes: the text of the checkpoint that was sent, and the whole answer. Lines of other keys are ignored.
/// Fails: `SR-LEDGER-013` and `-014` for an answer in another form, `SR-LEDGER-015` for a line of this witness that does not
/// hold for this text, such as an older one sent again; `SR-LEDGER-016` if none is its. Source: C2SP tlog-witness, "add-checkpoint".
pub fn read_answer(text: &str, answer: &str, witness: &WitnessKey) -> Result<(Cosignature, String), Error> {
    let lines = SignatureLine::read_all(answer)?;
    let found = newest(witness, text, &lines)?.ok_or(Error::NotSigned)?;
    let own = lines.iter().filter(|line| line.is_by(&witness.key));
    let own = own.filter(|line| line.signature.starts_with(&found.at_seconds.to_be_bytes()));
    let line = own.map(|line| signature_line(&witness.key, &line.signature)).next();
    Ok((found, line.ok_or(Error::NotSigned)?))
}

/// A witness that cosigned twice counts once, by its newest cosignature.
fn newest(
    witness: &WitnessKey,
    text: &str,
    lines: &[SignatureLine<'_>],
) -> Result<Option<Cosignature>, Error> {
    let mut newest: Option<Cosignature> = None;
    for line in lines {
        let Some(found) = witness.reads(text, line)? else { continue };
        if newest.as_ref().is_none_or(|before| before.at_seconds < found.at_seconds) {
            newest = Some(found);
        }
    }
    Ok(newest)
}

impl Quorum {
    /// So many of these witnesses.
    ///
    /// Fails: `SR-LEDGER-034` for none, for more than there are, or when one public key stands there twice, under whatever
    /// names: it would count for two.
    pub fn new(witnesses: Vec<WitnessKey>, least: usize) -> Result<Self, Error> {
        let mut keys: Vec<_> = witnesses.iter().map(WitnessKey::public_key).collect();
        keys.sort_unstable();
        keys.dedup();
        if least == 0 || least > witnesses.len() || keys.len() < witnesses.len() {
            return Err(Error::QuorumImpossible);
        }
        Ok(Self { witnesses, least })
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[WitnessKey] {
        &self.witnesses
    }

    /// How many of them are needed?
    pub fn least(&self) -> usize {
        self.least
    }

    /// Have enough of the witnesses cosigned this note?
    ///
    /// Gives: who has, and when. Fails: as `cosignatures`, or `SR-LEDGER-035`.
    pub fn judge(&self, note: &str) -> Result<Vec<Cosignature>, Error> {
        let found = cosignatures(note, &self.witnesses)?;
        if found.len() < self.least {
            return Err(Error::QuorumMissed { have: found.len(), least: self.least });
        }
        Ok(found)
    }
}

/// What a witness signs. SOURCE: C2SP tlog-cosignature, "Ed25519 signed message".
fn message(text: &str, at_seconds: u64) -> String {
    format!("cosignature/v1\ntime {at_seconds}\n{text}")
}

const COSIGNATURE_TYPE: u8 = 0x04;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::hash::leaf_hash;
    use crate::note::{MAX_SIGNATURES, Signer, Verifier};

    const ORIGIN: &str = "log.example";
    const AT: u64 = 1_795_305_600;

    fn witness(number: u8) -> Cosigner {
        Cosigner::from_seed(&format!("witness.example/w{number}"), &[number; 32]).unwrap()
    }

    fn key(number: u8) -> WitnessKey {
        witness(number).witness_key().clone()
    }

    fn head(size: u64) -> Checkpoint {
        Checkpoint::new(ORIGIN, size, leaf_hash(&size.to_be_bytes())).unwrap()
    }

    fn signed(size: u64) -> String {
        head(size).sign(&Signer::from_seed(ORIGIN, &[9; 32]).unwrap()).unwrap()
    }

    fn line(number: u8, size: u64, at: u64) -> String {
        witness(number).cosign(&head(size).to_string(), at).unwrap()
    }

    #[test]
    fn a_cosigned_note_is_still_the_logs_note() {
        let note = signed(7) + &line(1, 7, AT) + &line(2, 7, AT + 5);
        let log = Signer::from_seed(ORIGIN, &[9; 32]).unwrap();
        assert_eq!(Checkpoint::open(&note, log.verifier(), ORIGIN), Ok(head(7)));
        let found = cosignatures(&note, &[key(2), key(1), key(3)]).unwrap();
        let who: Vec<_> = found.iter().map(|found| (found.witness.as_str(), found.at_seconds)).collect();
        assert_eq!(who, [("witness.example/w2", AT + 5), ("witness.example/w1", AT)]);
    }

    #[test]
    fn a_cosignature_holds_for_its_text_its_time_and_its_witness_only() {
        assert!(cosignatures(&(signed(7) + &line(1, 7, AT)), &[key(1)]).is_ok());
        let other_text = signed(8) + &line(1, 7, AT);
        assert_eq!(cosignatures(&other_text, &[key(1)]), Err(Error::SignatureWrong));
        let mut bytes = data_encoding::BASE64
            .decode(line(1, 7, AT).trim_end().rsplit_once(' ').unwrap().1.as_bytes())
            .unwrap();
        bytes[11] ^= 1; // the last byte of the time
        let moved = signature_line(&key(1).key, &bytes[4..]);
        assert_eq!(cosignatures(&(signed(7) + &moved), &[key(1)]), Err(Error::SignatureWrong));
        let forged = line(2, 7, AT).replace("w2", "w1");
        assert_eq!(cosignatures(&(signed(7) + &forged), &[key(1)]), Ok(Vec::new()));
    }

    #[test]
    fn a_key_of_a_log_is_none_of_a_witness_and_the_other_way_round() {
        let (log, witness) = (Signer::from_seed("name", &[1; 32]).unwrap(), witness(1));
        assert_eq!(WitnessKey::parse(&log.verifier().to_string()), Err(Error::KeyMalformed));
        assert_eq!(Verifier::parse(&witness.witness_key().to_string()), Err(Error::KeyMalformed));
        assert_eq!(witness.witness_key().to_string().parse(), Ok(key(1)));
        // A log that signs with a witness's key and name does not cosign.
        let posing = Signer::from_seed("witness.example/w1", &[1; 32]).unwrap();
        let note = crate::note::sign(&head(7).to_string(), &[&posing]).unwrap();
        assert_eq!(cosignatures(&note, &[key(1)]), Ok(Vec::new()));
    }

    #[test]
    fn times_that_no_cosignature_has_are_refused() {
        let text = head(7).to_string();
        for at in [0, 1 << 63, u64::MAX] {
            assert_eq!(witness(1).cosign(&text, at), Err(Error::CannotSign));
            let signature = witness(1).pair.sign(message(&text, at).as_bytes());
            let mut bytes = at.to_be_bytes().to_vec();
            bytes.extend_from_slice(signature.as_ref());
            let line = signature_line(&key(1).key, &bytes);
            assert_eq!(cosignatures(&(signed(7) + &line), &[key(1)]), Err(Error::SignatureWrong));
        }
        let short = signature_line(&key(1).key, &[7; 7]);
        assert_eq!(cosignatures(&(signed(7) + &short), &[key(1)]), Err(Error::SignatureWrong));
    }

    #[test]
    fn a_witness_that_signs_twice_counts_once() {
        let note = signed(7) + &line(1, 7, AT) + &line(1, 7, AT + 60) + &line(1, 7, AT + 30);
        let found = cosignatures(&note, &[key(1)]).unwrap();
        assert_eq!(found.iter().map(|found| found.at_seconds).collect::<Vec<_>>(), [AT + 60]);
        let quorum = Quorum::new(vec![key(1), key(2)], 2).unwrap();
        assert_eq!(quorum.judge(&note), Err(Error::QuorumMissed { have: 1, least: 2 }));
        assert_eq!(quorum.judge(&(note + &line(2, 7, AT))).unwrap().len(), 2);
    }

    #[test]
    fn a_quorum_names_each_witness_once_and_asks_for_one_at_least() {
        let renamed = WitnessKey::new("other.example", *key(1).public_key()).unwrap();
        for (witnesses, least) in
            [(vec![], 0), (vec![key(1)], 0), (vec![key(1)], 2), (vec![key(1), renamed], 1)]
        {
            assert_eq!(Quorum::new(witnesses, least), Err(Error::QuorumImpossible));
        }
    }

    #[test]
    fn more_lines_than_a_note_may_have_are_refused_unread() {
        let many = signed(7) + &line(1, 7, AT).repeat(MAX_SIGNATURES);
        assert!(matches!(cosignatures(&many, &[key(1)]), Err(Error::NoteTooLong { .. })));
        let answer = line(1, 7, AT).repeat(5_000);
        assert!(matches!(
            read_answer(&head(7).to_string(), &answer, &key(1)),
            Err(Error::NoteTooLong { .. })
        ));
    }

    #[test]
    fn an_answer_is_taken_for_the_text_that_was_sent_only() {
        let text = head(7).to_string();
        let answer = line(2, 7, AT) + &line(1, 7, AT) + &line(1, 7, AT + 1);
        let (found, own) = read_answer(&text, &answer, &key(1)).unwrap();
        assert_eq!((found.at_seconds, own), (AT + 1, line(1, 7, AT + 1)));
        assert_eq!(read_answer(&text, &line(1, 6, AT), &key(1)), Err(Error::SignatureWrong));
        assert_eq!(read_answer(&text, &line(2, 7, AT), &key(1)), Err(Error::NotSigned));
        for bad in ["", "\n", "sorry\n", line(1, 7, AT).trim_end()] {
            assert_eq!(read_answer(&text, bad, &key(1)), Err(Error::NoteMalformed), "{bad:?}");
        }
    }

    #[test]
    fn the_debug_form_of_a_cosigner_shows_its_name_only() {
        assert_eq!(format!("{:?}", witness(1)), r#"Cosigner { name: "witness.example/w1", .. }"#);
    }

    proptest! {
        #[test]
        fn a_changed_byte_of_a_cosignature_is_noticed(place in 0_usize..72, bit in 0_u8..8) {
            let good = line(1, 7, AT);
            let bytes = good.trim_end().rsplit_once(' ').unwrap().1;
            let mut bytes = data_encoding::BASE64.decode(bytes.as_bytes()).unwrap();
            bytes[4 + place] ^= 1 << bit;
            let changed = signature_line(&key(1).key, &bytes[4..]);
            prop_assert_eq!(cosignatures(&(signed(7) + &changed), &[key(1)]), Err(Error::SignatureWrong));
        }

        #[test]
        fn hostile_text_is_refused_calmly(text: String) {
            prop_assert!(read_answer("text\n", &text, &key(1)).is_err());
            prop_assert!(WitnessKey::parse(&text).is_err());
        }
    }
}
