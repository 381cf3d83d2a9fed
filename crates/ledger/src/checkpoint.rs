//! Checkpoints: the signed size and root of a log, as C2SP tlog-checkpoint writes them.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::hash::{Hash, empty_root};
use crate::note::{self, MAX_NOTE_BYTES, Signer, Verifier};
use crate::tree::MAX_SIZE;

/// What a log says of itself: its name, how many entries it has, and their root. It has one printed form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// The checkpoint of a log at one size.
    ///
    /// Takes: `origin`, the log's name, one non-empty line. Fails: `SR-LEDGER-018` if the origin is not a line, or an
    /// empty log does not have the empty root; `SR-LEDGER-002`.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, Error> {
        if size > MAX_SIZE {
            return Err(Error::SizeOutOfRange { size });
        }
        if !is_line(origin) || (size == 0 && root != empty_root()) {
            return Err(Error::CheckpointMalformed);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Adds lines behind the root. Logs of Strongroom write none, since nobody can audit them.
    ///
    /// Fails: `SR-LEDGER-018` if one is empty or not a line.
    pub fn with_extensions(mut self, extensions: Vec<String>) -> Result<Self, Error> {
        if !extensions.iter().all(|line| is_line(line)) {
            return Err(Error::CheckpointMalformed);
        }
        self.extensions = extensions;
        Ok(self)
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries does the log have?
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree over these entries.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The lines behind the root.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// Writes and signs it.
    ///
    /// Gives: the note that is served as `checkpoint`. Fails: `SR-LEDGER-014`, `SR-LEDGER-017`.
    pub fn sign(&self, signer: &Signer) -> Result<String, Error> {
        note::sign(&self.to_string(), &[signer])
    }

    /// What does this log say of itself, if it is the expected log and signed by the expected key?
    ///
    /// Takes: a signed note from anywhere, the key of the log, and the origin one expects.
    /// Fails: as `note::open`, `SR-LEDGER-018`, or `SR-LEDGER-019` if another log signed it.
    pub fn open(note: &str, verifier: &Verifier, origin: &str) -> Result<Self, Error> {
        let note = note::open(note, std::slice::from_ref(verifier))?;
        let checkpoint: Self = note.text.parse()?;
        if checkpoint.origin != origin {
            return Err(Error::OriginWrong);
        }
        Ok(checkpoint)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let plain = size.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = size.len() > 1 && size.starts_with('0');
        if !plain || leading_zero {
            return None;
        }
        let root = Hash::from_base64(root).ok()?;
        let checkpoint = Self::new(origin, size.parse().ok()?, root).ok()?;
        checkpoint.with_extensions(lines.map(str::to_owned).collect()).ok()
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root.to_base64())?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = Error;

    /// Reads the text that is signed, without its signatures.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_NOTE_BYTES {
            return Err(Error::CheckpointMalformed);
        }
        Self::read(text).ok_or(Error::CheckpointMalformed)
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|byte| byte < 0x20)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::leaf_hash;

    fn signer() -> Signer {
        Signer::from_seed("shop.example/log", &[5; 32]).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint::new("shop.example/log", 7, leaf_hash(b"root")).unwrap()
    }

    #[test]
    fn a_checkpoint_is_three_lines() {
        let text = checkpoint().to_string();
        assert_eq!(text, format!("shop.example/log\n7\n{}\n", leaf_hash(b"root").to_base64()));
        assert_eq!(text.parse(), Ok(checkpoint()));
    }

    #[test]
    fn a_signed_checkpoint_is_opened_for_its_log_only() {
        let key = signer();
        let note = checkpoint().sign(&key).unwrap();
        assert_eq!(Checkpoint::open(&note, key.verifier(), "shop.example/log"), Ok(checkpoint()));
        assert_eq!(Checkpoint::open(&note, key.verifier(), "shop.example/lo"), Err(Error::OriginWrong));
        let other = Signer::from_seed("shop.example/log", &[6; 32]).unwrap();
        assert_eq!(Checkpoint::open(&note, other.verifier(), "shop.example/log"), Err(Error::NotSigned));
    }

    #[test]
    fn a_signed_text_that_is_no_checkpoint_is_refused() {
        let key = signer();
        let note = note::sign("shop.example/log\nseven\n", &[&key]).unwrap();
        let opened = Checkpoint::open(&note, key.verifier(), "shop.example/log");
        assert_eq!(opened, Err(Error::CheckpointMalformed));
    }

    #[test]
    fn a_checkpoint_in_any_other_form_is_refused() {
        let root = leaf_hash(b"root").to_base64();
        let empty = empty_root().to_base64();
        assert!(format!("o\n0\n{empty}\n").parse::<Checkpoint>().is_ok());
        for text in [
            String::new(),
            "\n".to_owned(),
            format!("o\n7\n{root}"),
            format!("\n7\n{root}\n"),
            format!("o\n07\n{root}\n"),
            format!("o\n+7\n{root}\n"),
            format!("o\n-7\n{root}\n"),
            format!("o\n\n{root}\n"),
            format!("o\n18446744073709551616\n{root}\n"),
            format!("o\n9223372036854775808\n{root}\n"),
            format!("o\n7\n{root}\n\n"),
            format!("o\n7\n{root}\n\nextension\n"),
            format!("o\r\n7\r\n{root}\r\n"),
            format!("o\n7\n{}\n", root.trim_end_matches('=')),
            format!("o\n0\n{root}\n"),
            "o\n7\n\n".to_owned(),
        ] {
            assert_eq!(text.parse::<Checkpoint>(), Err(Error::CheckpointMalformed), "{text:?}");
        }
    }

    #[test]
    fn lines_that_would_break_the_form_are_refused() {
        let root = leaf_hash(b"root");
        assert_eq!(Checkpoint::new("", 1, root), Err(Error::CheckpointMalformed));
        assert_eq!(Checkpoint::new("a\nb", 1, root), Err(Error::CheckpointMalformed));
        let size = u64::MAX;
        assert_eq!(Checkpoint::new("a", size, root), Err(Error::SizeOutOfRange { size }));
        assert_eq!(checkpoint().with_extensions(vec![String::new()]), Err(Error::CheckpointMalformed));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            origin in "[^\\p{Cc}]{1,30}", size in 1..=MAX_SIZE, root: [u8; 32],
            extensions in prop::collection::vec("[^\\p{Cc}]{1,10}", 0..3),
        ) {
            let checkpoint = Checkpoint::new(&origin, size, Hash(root)).unwrap().with_extensions(extensions).unwrap();
            prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        }

        #[test]
        fn what_is_read_is_printed_back(size in "[0-9]{0,20}", rest in "(\n|[a-z]){0,6}") {
            let text = format!("o\n{size}\n{}\n{rest}", leaf_hash(b"root").to_base64());
            if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }

        #[test]
        fn hostile_text_is_refused_calmly(text: String) {
            prop_assert!(text.parse::<Checkpoint>().is_err());
        }
    }
}
