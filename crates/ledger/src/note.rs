//! Signed notes: text with signature lines, as C2SP signed-note defines them, with Ed25519.
//!
//! Kept here: the signing key of a log while the program runs. It is never printed, and the library under it clears its
//! memory when it is dropped.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE64;

use crate::Error;
use crate::named_key::{KEY_BYTES, NamedKey};

/// The longest note that is read. The document asks for room for 16 signatures of 5 kB; this is twice that.
pub const MAX_NOTE_BYTES: usize = 262_144;

/// The most signature lines that are read.
pub const MAX_SIGNATURES: usize = 100;

/// A key that signs notes under a name.
pub struct Signer {
    verifier: Verifier,
    key: Ed25519KeyPair,
}

/// The public half: checks the notes that one named key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    key: NamedKey,
}

/// A note of which at least one signature was checked and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The signed text, with its last line break.
    pub text: String,
    /// Key ids whose signature was checked, in the order of the lines.
    pub signed_by: Vec<u32>,
    /// Signature lines of keys that were not given, and were therefore ignored.
    pub unknown_signatures: usize,
}

/// Signs a text.
///
/// Takes: text of printable lines that ends with a line break; at least one signer. Gives: the note.
/// Fails: `SR-LEDGER-013` if the text cannot be a note's, `SR-LEDGER-014`, `SR-LEDGER-017`.
///
/// ```
/// # use ledger::note::{self, Signer};
/// let signer = Signer::from_seed("shop.example/ledger", &[1; 32])?;
/// let note = note::sign("a text\n", &[&signer])?;
/// assert_eq!(note::open(&note, &[signer.verifier().clone()])?.text, "a text\n");
/// # Ok::<(), ledger::Error>(())
/// ```
pub fn sign(text: &str, signers: &[&Signer]) -> Result<String, Error> {
    if !text.ends_with('\n') || has_control(text) || signers.is_empty() {
        return Err(Error::NoteMalformed);
    }
    let mut note = String::from(text);
    note.push('\n');
    for signer in signers {
        note.push_str(&signer.signature_line(text)?);
    }
    if note.len() > MAX_NOTE_BYTES || signers.len() > MAX_SIGNATURES {
        return Err(TOO_LONG);
    }
    Ok(note)
}

/// Which text did these keys sign?
///
/// Takes: a note from anywhere, and the keys one trusts. Lines of other keys are ignored, but must have the right form.
/// Gives: the note, when at least one line of a given key holds and none of a given key is wrong.
/// Fails: `SR-LEDGER-013`, `SR-LEDGER-014`, `SR-LEDGER-015` for a wrong signature, `SR-LEDGER-016` if no given key
/// signed. Source: C2SP signed-note, "Format" and "Signatures".
pub fn open(note: &str, verifiers: &[Verifier]) -> Result<Note, Error> {
    let Parts { text, lines } = Parts::read(note)?;
    let mut signed_by = Vec::new();
    let mut unknown_signatures = 0;
    for line in &lines {
        let mut known = verifiers.iter().filter(|verifier| line.is_by(&verifier.key)).peekable();
        if known.peek().is_none() {
            unknown_signatures += 1;
        } else if known.any(|verifier| verifier.key.accepts(text.as_bytes(), &line.signature)) {
            if !signed_by.contains(&line.key_id) {
                signed_by.push(line.key_id);
            }
        } else {
            return Err(Error::SignatureWrong);
        }
    }
    if signed_by.is_empty() {
        Err(Error::NotSigned)
    } else {
        Ok(Note { text, signed_by, unknown_signatures })
    }
}

impl Signer {
    /// The signing key that grows from this seed.
    ///
    /// Takes: the name under which it signs, and 32 secret bytes; the caller clears its own copy, and no other is made
    /// outside the signature library, which clears what it frees. Fails: `SR-LEDGER-011` for the name, `SR-LEDGER-012`.
    pub fn from_seed(name: &str, seed: &[u8; KEY_BYTES]) -> Result<Self, Error> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::KeyMalformed)?;
        let public_key = key.public_key().as_ref().try_into().map_err(|_| Error::KeyMalformed)?;
        Ok(Self { verifier: Verifier::new(name, public_key)?, key })
    }

    /// The public half, to be given to everybody.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    fn signature_line(&self, text: &str) -> Result<String, Error> {
        Ok(signature_line(&self.verifier.key, &self.signature(text)?))
    }

    /// INVARIANT: a text of a note ends with a line break, the signing input of a JWS has none (`jws`). Nothing else is
    /// signed with this key, so that no signature passes for one of the other sort.
    pub(crate) fn signature(&self, text: &str) -> Result<Vec<u8>, Error> {
        Ok(self.key.try_sign(text.as_bytes()).map_err(|_| Error::CannotSign)?.as_ref().to_vec())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.verifier.name()).finish_non_exhaustive()
    }
}

impl Verifier {
    /// The public half of a named Ed25519 key.
    ///
    /// Fails: `SR-LEDGER-011` if the name is empty or has a space, a plus or a control character.
    pub fn new(name: &str, public_key: [u8; KEY_BYTES]) -> Result<Self, Error> {
        Ok(Self { key: NamedKey::new(ED25519_TYPE, name, public_key)? })
    }

    /// Which key does this verifier key name?
    ///
    /// Takes: `name+hash+base64` as `Display` prints it, in that one spelling. Fails: `SR-LEDGER-012`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self { key: NamedKey::parse(ED25519_TYPE, text)? })
    }

    /// The name under which the key signs; for a log, its origin.
    pub fn name(&self) -> &str {
        self.key.name()
    }

    /// The first four bytes of the hash of name and key.
    pub fn key_id(&self) -> u32 {
        self.key.key_id()
    }

    /// What names the key without holding it: `name+hash`, the verifier key's first two parts.
    pub fn id(&self) -> String {
        self.key.id()
    }

    /// Did this key sign this message?
    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.accepts(message, signature)
    }

    /// The Ed25519 public key.
    pub fn public_key(&self) -> &[u8; KEY_BYTES] {
        self.key.public_key()
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.key, f)
    }
}

impl FromStr for Verifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// A note taken apart: nothing in it is believed yet.
pub(crate) struct Parts<'a> {
    /// The text, with its last line break.
    pub(crate) text: String,
    /// Its signature lines.
    pub(crate) lines: Vec<SignatureLine<'a>>,
}

impl<'a> Parts<'a> {
    /// Fails: `SR-LEDGER-013`, `SR-LEDGER-014`.
    pub(crate) fn read(note: &'a str) -> Result<Self, Error> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(TOO_LONG);
        }
        if has_control(note) {
            return Err(Error::NoteMalformed);
        }
        // The last empty line parts text and signatures; the text keeps its own line break.
        let (before, lines) = note.rsplit_once("\n\n").ok_or(Error::NoteMalformed)?;
        Ok(Self { text: format!("{before}\n"), lines: SignatureLine::read_all(lines)? })
    }
}

/// A line of a note that says that somebody signed it.
pub(crate) struct SignatureLine<'a> {
    name: &'a str,
    pub(crate) key_id: u32,
    pub(crate) signature: Vec<u8>,
}

impl<'a> SignatureLine<'a> {
    /// At least one line, each with its line break. Fails: `SR-LEDGER-013`, `SR-LEDGER-014`.
    pub(crate) fn read_all(text: &'a str) -> Result<Vec<Self>, Error> {
        let lines = text.strip_suffix('\n').ok_or(Error::NoteMalformed)?;
        let mut all = Vec::new();
        for line in lines.split('\n') {
            if all.len() == MAX_SIGNATURES {
                return Err(TOO_LONG);
            }
            all.push(Self::parse(line).ok_or(Error::NoteMalformed)?);
        }
        Ok(all)
    }

    fn parse(line: &'a str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix(LINE_START)?.split_once(' ')?;
        let bytes = BASE64.decode(bytes.as_bytes()).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        if !is_name(name) || signature.is_empty() {
            return None;
        }
        Some(Self { name, key_id: u32::from_be_bytes(*key_id), signature: signature.to_vec() })
    }

    pub(crate) fn is_by(&self, key: &NamedKey) -> bool {
        self.name == key.name() && self.key_id == key.key_id()
    }
}

/// The line of one signature, with its line break.
pub(crate) fn signature_line(key: &NamedKey, signature: &[u8]) -> String {
    let mut bytes = key.key_id().to_be_bytes().to_vec();
    bytes.extend_from_slice(signature);
    format!("{LINE_START}{} {}\n", key.name(), BASE64.encode(&bytes))
}

/// Is this a key name in the sense of the document? Names of our own keys have to be stricter still.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace())
}

/// Is there an ASCII control character other than the line break?
fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}

const ED25519_TYPE: u8 = 0x01;
/// An em dash and a space.
const LINE_START: &str = "\u{2014} ";
const TOO_LONG: Error = Error::NoteTooLong { most: MAX_NOTE_BYTES, most_lines: MAX_SIGNATURES };

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer(name: &str, seed: u8) -> Signer {
        Signer::from_seed(name, &[seed; 32]).unwrap()
    }

    #[test]
    fn a_signed_text_is_opened_by_its_key() {
        let key = signer("shop.example/log", 1);
        let note = sign("one\n\ntwo\n", &[&key]).unwrap();
        let opened = open(&note, &[key.verifier().clone()]).unwrap();
        assert_eq!(opened.text, "one\n\ntwo\n");
        assert_eq!(opened.signed_by, [key.verifier().key_id()]);
    }

    #[test]
    fn lines_of_unknown_keys_are_ignored() {
        let (log, witness) = (signer("log.example", 1), signer("witness.example", 2));
        let note = sign("text\n", &[&witness, &log]).unwrap();
        let opened = open(&note, &[log.verifier().clone()]).unwrap();
        assert_eq!((opened.signed_by.len(), opened.unknown_signatures), (1, 1));
        let both = open(&note, &[log.verifier().clone(), witness.verifier().clone()]).unwrap();
        assert_eq!((both.signed_by.len(), both.unknown_signatures), (2, 0));
        // The same key under another name is another key.
        let renamed = Verifier::new("other.example", *log.verifier().public_key()).unwrap();
        assert_eq!(open(&note, &[renamed]), Err(Error::NotSigned));
        assert_eq!(open(&note, &[]), Err(Error::NotSigned));
    }

    #[test]
    fn a_wrong_signature_of_a_known_key_spoils_the_note() {
        let (log, witness) = (signer("log.example", 1), signer("witness.example", 2));
        let keys = [log.verifier().clone(), witness.verifier().clone()];
        let note = sign("text\n", &[&log, &witness]).unwrap();
        assert_eq!(open(&note.replace("text", "Text"), &keys), Err(Error::SignatureWrong));
        let other = sign("other\n", &[&witness]).unwrap();
        let line = other.lines().last().unwrap();
        let mixed = format!("{}{line}\n", sign("text\n", &[&log]).unwrap());
        assert_eq!(open(&mixed, &keys), Err(Error::SignatureWrong));
        assert!(open(&mixed, &keys[..1]).is_ok());
    }

    #[test]
    fn notes_in_any_other_form_are_refused() {
        let key = signer("log.example", 1);
        let good = sign("text\n", &[&key]).unwrap();
        let (text, line) = good.rsplit_once("\n\n").unwrap();
        for bad in [
            String::new(),
            good.trim_end().to_owned(),
            good.replace("\n\n", "\n"),
            good.replace('\n', "\r\n"),
            good.replace('\u{2014}', "-"),
            good.replace("text", "te\txt"),
            format!("{text}\n\n"),
            format!("{text}\n\n{line}\n"),
            format!("{good}trailing\n"),
            format!("{text}\n\n\u{2014} log.example \n"),
            format!("{text}\n\n\u{2014} log.example AAAAAA==\n"),
            format!("{text}\n\n\u{2014} log+example AAAAAAA=\n"),
            format!("{text}\n\n\u{2014}  AAAAAAA=\n"),
            format!("{text}\n\n\u{2014} log\u{a0}example AAAAAAA=\n"),
        ] {
            assert_eq!(open(&bad, &[key.verifier().clone()]), Err(Error::NoteMalformed), "{bad:?}");
        }
    }

    #[test]
    fn sizes_are_limited_and_sixteen_large_signatures_are_not_too_many() {
        let key = signer("log.example", 1);
        let keys = [key.verifier().clone()];
        let good = sign("text\n", &[&key]).unwrap();
        let large = format!("\u{2014} witness.example {}\n", BASE64.encode(&[7; 5001]));
        assert!(open(&format!("{good}{}", large.repeat(16)), &keys).is_ok());
        assert_eq!(open(&format!("{good}{}", large.repeat(40)), &keys), Err(TOO_LONG));
        let small = "\u{2014} witness.example AAAAAAA=\n";
        assert!(open(&format!("{good}{}", small.repeat(99)), &keys).is_ok());
        assert_eq!(open(&format!("{good}{}", small.repeat(100)), &keys), Err(TOO_LONG));
        assert_eq!(sign(&"long\n".repeat(60_000), &[&key]), Err(TOO_LONG));
    }

    #[test]
    fn texts_that_no_note_can_hold_are_not_signed() {
        let key = signer("log.example", 1);
        for text in ["", "no line break", "bell\u{7}\n"] {
            assert_eq!(sign(text, &[&key]), Err(Error::NoteMalformed), "{text:?}");
        }
        assert_eq!(sign("text\n", &[]), Err(Error::NoteMalformed));
    }

    #[test]
    fn names_that_would_break_a_line_are_refused() {
        for name in ["", " ", "a b", "a+b", "a\nb", "a\u{7f}b", "a\u{3000}b", "a\u{85}b", &"a".repeat(1025)] {
            assert_eq!(Verifier::new(name, [0; 32]), Err(Error::NameMalformed), "{name:?}");
        }
        assert!(Verifier::new("海港.example/日志", [0; 32]).is_ok());
    }

    #[test]
    fn a_verifier_key_has_one_spelling() {
        let key = signer("log.example", 1);
        let text = key.verifier().to_string();
        assert_eq!(Verifier::parse(&text).as_ref(), Ok(key.verifier()));
        let (_, rest) = text.split_once('+').unwrap();
        let (id, public) = rest.split_once('+').unwrap();
        for bad in [
            String::new(),
            "log.example".to_owned(),
            format!("log.example+{id}"),
            format!("log.example+0{id}+{public}"),
            format!("log.example+00000000+{public}"),
            format!("other.example+{id}+{public}"),
            format!("log.example+{id}+{}", BASE64.encode(&[2; 33])),
            format!("log.example+{id}+{}", BASE64.encode(&[1; 32])),
            format!("{text}\n"),
            format!(" {text}"),
            format!("{text}+"),
        ] {
            assert_eq!(Verifier::parse(&bad), Err(Error::KeyMalformed), "{bad:?}");
        }
    }

    #[test]
    fn the_debug_form_of_a_signer_shows_its_name_only() {
        assert_eq!(format!("{:?}", signer("log.example", 1)), r#"Signer { name: "log.example", .. }"#);
    }

    proptest! {
        #[test]
        fn what_is_signed_is_opened(lines in prop::collection::vec("[^\\p{Cc}]{0,20}", 1..6), seed: [u8; 32]) {
            let text = lines.join("\n") + "\n";
            let key = Signer::from_seed("log.example", &seed).unwrap();
            let note = sign(&text, &[&key]).unwrap();
            prop_assert_eq!(open(&note, &[key.verifier().clone()]).unwrap().text, text);
        }

        #[test]
        fn a_changed_character_is_noticed(place in 0usize..100, with in "[ -~]") {
            let key = signer("log.example", 1);
            let note = sign("a text of some length\nin two lines\n", &[&key]).unwrap();
            let mut bytes: Vec<char> = note.chars().collect();
            let place = place % bytes.len();
            let changed = with.chars().next().unwrap();
            prop_assume!(bytes[place] != changed);
            bytes[place] = changed;
            let note: String = bytes.into_iter().collect();
            prop_assert!(open(&note, &[key.verifier().clone()]).is_err());
        }

        #[test]
        fn hostile_text_is_refused_calmly(text: String) {
            let key = signer("log.example", 1);
            prop_assert!(open(&text, &[key.verifier().clone()]).is_err());
            prop_assert!(Verifier::parse(&text).is_err());
        }
    }
}
