//! Files: sealed and opened chunk by chunk, so that nobody has to hold one whole.
//!
//! A file has a content key of its own. That key is part of the value that the record's envelope seals, so a file opens
//! with its record and dies with it; its chunks need not be touched when the record is sealed again. Number and end of a
//! chunk are its nonce: one that is missing, exchanged, doubled, appended or of another file does not open.
//! SOURCE: docs/spec/seal.md, "Files".

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::error::Error;
use crate::personal::{Permit, Personal, Value};
use crate::secret::{Random, same};
use crate::suite::{Cipher, Suite, TAG};

/// Plain bytes of a chunk. Every chunk but the last has exactly so many.
pub const CHUNK: usize = 64 << 10;
/// Sealed bytes of a chunk at the most.
pub const SEALED_CHUNK: usize = CHUNK + TAG;
/// Chunks of a file at the most: a number of one has sixteen bits.
const CHUNKS_LIMIT: u32 = 1 << 16;

/// Which file, bound into its key and into every chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FilePlace {
    /// Number of the shop.
    pub shop: u32,
    /// Number of the file.
    pub file: u64,
}

impl FilePlace {
    /// `lp8(u32(shop)) ‖ lp8(u64(file))`.
    fn encode(self) -> [u8; 14] {
        let mut out = [0; 14];
        let bytes = [4].into_iter().chain(self.shop.to_be_bytes()).chain([8]).chain(self.file.to_be_bytes());
        for (slot, byte) in out.iter_mut().zip(bytes) {
            *slot = byte;
        }
        out
    }
}

/// What a record's sealed value says of a file: everything that opening it takes.
pub struct FileHead {
    suite: u16,
    key: [u8; 32],
    sha256: [u8; 32],
    size_bytes: u64,
    media: String,
}

/// In a time that does not say how much of the key, or of what the file is, is right.
impl PartialEq for FileHead {
    fn eq(&self, other: &FileHead) -> bool {
        let plainly =
            (self.suite, self.size_bytes, &self.media) == (other.suite, other.size_bytes, &other.media);
        // Both are looked at, whatever the first says.
        plainly & same(&self.key, &other.key) & same(&self.sha256, &other.sha256)
    }
}

impl Eq for FileHead {}

impl std::fmt::Debug for FileHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileHead(..)")
    }
}

impl FileHead {
    pub(crate) fn suite(&self) -> u16 {
        self.suite
    }

    /// SHA-256 of its plain bytes.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Its length.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Its media type.
    pub fn media(&self) -> &str {
        &self.media
    }

    /// Bytes of its encoding.
    pub(crate) fn encoded_len(&self) -> usize {
        (2 + 32 + 32 + 8_usize).saturating_add(self.media.len())
    }

    /// `u16(suite) ‖ key ‖ sha256 ‖ u64(size) ‖ media`, into memory that has room for them.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.suite.to_be_bytes());
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.sha256);
        out.extend_from_slice(&self.size_bytes.to_be_bytes());
        out.extend_from_slice(self.media.as_bytes());
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<FileHead, Error> {
        let (suite, rest) = bytes.split_first_chunk::<2>().ok_or(Error::Malformed)?;
        let (key, rest) = rest.split_first_chunk::<32>().ok_or(Error::Malformed)?;
        let (sha256, rest) = rest.split_first_chunk::<32>().ok_or(Error::Malformed)?;
        let (size, media) = rest.split_first_chunk::<8>().ok_or(Error::Malformed)?;
        Ok(FileHead {
            suite: u16::from_be_bytes(*suite),
            key: *key,
            sha256: *sha256,
            size_bytes: u64::from_be_bytes(*size),
            media: std::str::from_utf8(media).map_err(|_| Error::Malformed)?.to_owned(),
        })
    }
}

impl Zeroize for FileHead {
    fn zeroize(&mut self) {
        self.key.zeroize();
        self.sha256.zeroize();
        self.size_bytes.zeroize();
        self.media.zeroize();
    }
}

/// What is known of a sealed file without opening it. It stands beside the envelope, bound into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSeal {
    /// How many chunks.
    pub chunks: u32,
    /// Commitment to its key.
    pub commitment: [u8; 32],
    /// Digest of its sealed chunks.
    pub digest: [u8; 32],
}

/// The digest of sealed chunks, in their order.
#[derive(Debug, Clone)]
pub struct FileDigest(Sha256);

impl Default for FileDigest {
    fn default() -> FileDigest {
        FileDigest(Sha256::new_with_prefix(b"strongroom/file-digest/1"))
    }
}

impl FileDigest {
    /// The next chunk.
    pub fn add(&mut self, sealed: &[u8]) {
        self.0.update(u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.update(sealed);
    }

    /// The digest of all that were added.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// A sealed chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedChunk {
    /// Its number, from 0.
    pub number: u32,
    /// Its bytes.
    pub sealed: Vec<u8>,
}

/// Seals a file as its bytes come. Holds one chunk and no more.
pub struct FileSealer {
    context: Context,
    key: Zeroizing<[u8; 32]>,
    next: u32,
    buffer: Zeroizing<Vec<u8>>,
    size_bytes: u64,
    plain: Sha256,
    digest: FileDigest,
}

impl std::fmt::Debug for FileSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileSealer(..)")
    }
}

impl FileSealer {
    /// Begins a file under a fresh key. The number in its place was never given to another file.
    pub fn new(suite: Suite, place: FilePlace, random: &mut impl Random) -> Result<FileSealer, Error> {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut())?;
        Ok(FileSealer {
            context: Context::new(suite, place, &key)?,
            key,
            next: 0,
            buffer: Zeroizing::new(Vec::with_capacity(SEALED_CHUNK)),
            size_bytes: 0,
            plain: Sha256::new(),
            digest: FileDigest::default(),
        })
    }

    /// How many bytes have been taken.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Takes bytes from the front of `bytes`. Gives a chunk when one is full and there is more behind it: the last one is
    /// sealed by [`FileSealer::finish`] only. Call it until `bytes` is empty.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<SealedChunk>, Error> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let sealed = if self.buffer.len() == CHUNK { Some(self.seal(End::Further)?) } else { None };
        let room = CHUNK.saturating_sub(self.buffer.len()).min(bytes.len());
        let (taken, rest) = bytes.split_at_checked(room).ok_or(Error::Malformed)?;
        self.buffer.extend_from_slice(taken);
        self.plain.update(taken);
        self.size_bytes = self.size_bytes.saturating_add(taken.len() as u64);
        *bytes = rest;
        Ok(sealed)
    }

    /// Seals the last chunk. Gives it, the value for the record, and what stands beside the envelope.
    ///
    /// Fails: `SR-SEAL-001` for a file without a byte.
    pub fn finish(mut self, media: &str) -> Result<(SealedChunk, Personal<Value>, FileSeal), Error> {
        if self.size_bytes == 0 {
            return Err(Error::Malformed);
        }
        let last = self.seal(End::Last)?;
        let head = FileHead {
            suite: self.context.suite.number(),
            key: *self.key,
            sha256: self.plain.finalize().into(),
            size_bytes: self.size_bytes,
            media: media.to_owned(),
        };
        let seal =
            FileSeal { chunks: self.next, commitment: self.context.commitment, digest: self.digest.finish() };
        Ok((last, Personal::new(Value::File(Box::new(head))), seal))
    }

    fn seal(&mut self, end: End) -> Result<SealedChunk, Error> {
        let number = self.next;
        if number >= CHUNKS_LIMIT {
            return Err(Error::TooLong { limit: CHUNK * CHUNKS_LIMIT as usize });
        }
        self.next = number.saturating_add(1);
        let fresh = Zeroizing::new(Vec::with_capacity(if end == End::Last { 0 } else { SEALED_CHUNK }));
        let mut buffer = std::mem::replace(&mut self.buffer, fresh);
        // In place: where the plain bytes stood, the sealed ones do.
        let aad = self.context.aad(number, end);
        self.context.cipher.seal(nonce(number, end), &aad, &mut buffer, 0)?;
        let sealed = std::mem::take(&mut *buffer);
        self.digest.add(&sealed);
        Ok(SealedChunk { number, sealed })
    }
}

/// Opens the chunks of one file, in any order.
pub struct FileOpener {
    context: Context,
    chunks: u32,
    size_bytes: u64,
}

impl std::fmt::Debug for FileOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileOpener(..)")
    }
}

impl FileOpener {
    /// Sets a file up for opening.
    ///
    /// Takes: a permit that stands; the value that it opened; what stands beside the envelope. Fails: `SR-SEAL-005` when the
    /// permit's time is over, `SR-SEAL-003` when value and seal are not of one file, or of another one than this.
    pub fn new<P: Permit>(
        permit: &P,
        value: &Personal<Value>,
        place: FilePlace,
        seal: &FileSeal,
    ) -> Result<FileOpener, Error> {
        let Value::File(head) = value.show(permit)? else { return Err(Error::Broken) };
        FileOpener::of(head, place, seal)
    }

    /// The same within the seal, for a file that nobody is shown.
    pub(crate) fn of(head: &FileHead, place: FilePlace, seal: &FileSeal) -> Result<FileOpener, Error> {
        let context = Context::new(Suite::parse(head.suite)?, place, &head.key)?;
        // ORDER: the commitment first. GCM alone would let one ciphertext open under two keys.
        if !same(&context.commitment, &seal.commitment)
            || chunks_of(head.size_bytes) != u64::from(seal.chunks)
        {
            return Err(Error::Broken);
        }
        Ok(FileOpener { context, chunks: seal.chunks, size_bytes: head.size_bytes })
    }

    /// Opens one chunk.
    ///
    /// Fails: `SR-SEAL-005` when the permit's time is over, `SR-SEAL-003` when it is not this chunk of this file.
    pub fn open<P: Permit>(
        &self,
        permit: &P,
        number: u32,
        sealed: &[u8],
    ) -> Result<Personal<Vec<u8>>, Error> {
        if !permit.stands() {
            return Err(Error::NotPermitted);
        }
        let mut plain = self.plain_chunk(number, sealed)?;
        Ok(Personal::new(std::mem::take(&mut *plain)))
    }

    pub(crate) fn plain_chunk(&self, number: u32, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let end = if number.saturating_add(1) == self.chunks { End::Last } else { End::Further };
        let before = u64::from(number).saturating_mul(CHUNK as u64);
        let length = self.size_bytes.saturating_sub(before).min(CHUNK as u64);
        if number >= self.chunks || (sealed.len() as u64) != length.saturating_add(TAG as u64) {
            return Err(Error::Broken);
        }
        let aad = self.context.aad(number, end);
        self.context.cipher.open(nonce(number, end), &aad, sealed)
    }
}

/// How many chunks so many bytes have.
fn chunks_of(size_bytes: u64) -> u64 {
    size_bytes.div_ceil(CHUNK as u64)
}

/// Does another chunk follow?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Further,
    Last,
}

impl End {
    fn number(self) -> u8 {
        match self {
            End::Further => 0,
            End::Last => 1,
        }
    }
}

/// What binds chunks to their file.
struct Context {
    suite: Suite,
    place: [u8; 14],
    cipher: Cipher,
    commitment: [u8; 32],
}

impl Context {
    fn new(suite: Suite, place: FilePlace, key: &[u8; 32]) -> Result<Context, Error> {
        let (place, number) = (place.encode(), suite.number().to_be_bytes());
        let (cipher, commitment) = suite.derive(&place, key, &[b"strongroom/file/1", &number, &place])?;
        Ok(Context { suite, place, cipher, commitment })
    }

    /// `"strongroom/chunk/1" ‖ place ‖ commitment ‖ u32(number) ‖ u8(last)`.
    fn aad(&self, number: u32, end: End) -> Vec<u8> {
        let mut aad = Vec::with_capacity(80);
        aad.extend_from_slice(b"strongroom/chunk/1");
        aad.extend_from_slice(&self.place);
        aad.extend_from_slice(&self.commitment);
        aad.extend_from_slice(&number.to_be_bytes());
        aad.push(end.number());
        aad
    }
}

/// Seven zero bytes, the chunk's number, and whether it is the last: the key is used for one file only.
fn nonce(number: u32, end: End) -> [u8; 12] {
    let [a, b, c, d] = number.to_be_bytes();
    [0, 0, 0, 0, 0, 0, 0, a, b, c, d, end.number()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Place;
    use crate::secret::counting::Counting;

    const HERE: FilePlace = FilePlace { shop: 1, file: 42 };

    struct Stands(bool);

    impl Permit for Stands {
        fn stands(&self) -> bool {
            self.0
        }

        fn covers(&self, _place: &Place, _field: u8) -> bool {
            true
        }
    }

    struct Sealed {
        chunks: Vec<Vec<u8>>,
        head: Personal<Value>,
        seal: FileSeal,
    }

    fn plain(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
    }

    fn seal_in(suite: Suite, pieces: usize, bytes: &[u8], place: FilePlace, seed: u8) -> Sealed {
        let mut sealer = FileSealer::new(suite, place, &mut Counting(seed)).unwrap();
        let mut chunks = Vec::new();
        for mut piece in bytes.chunks(pieces.max(1)) {
            while !piece.is_empty() {
                chunks.extend(sealer.take(&mut piece).unwrap());
            }
        }
        let (last, head, seal) = sealer.finish("image/jpeg").unwrap();
        chunks.push(last);
        assert!(chunks.iter().zip(0..).all(|(chunk, number)| chunk.number == number));
        Sealed { chunks: chunks.into_iter().map(|chunk| chunk.sealed).collect(), head, seal }
    }

    impl Sealed {
        fn open_as(&self, chunks: &[Vec<u8>], place: FilePlace) -> Result<Vec<u8>, Error> {
            let permit = Stands(true);
            // What the database says of how many there are is not believed: the seal says it.
            if chunks.len() != self.seal.chunks as usize {
                return Err(Error::Broken);
            }
            let opener = FileOpener::new(&permit, &self.head, place, &self.seal)?;
            let mut all = Vec::new();
            for (number, chunk) in (0..).zip(chunks) {
                all.extend_from_slice(opener.open(&permit, number, chunk)?.show(&permit)?);
            }
            Ok(all)
        }
    }

    crate::tests::in_every_suite! {
        a_file_opens_to_what_was_sealed_however_its_bytes_came
        no_plain_byte_is_left_in_a_sealed_chunk
        a_file_of_one_suite_presented_as_of_the_other_is_refused
        an_empty_file_is_none
        a_permit_that_is_over_opens_nothing
        another_files_key_place_or_commitment_is_noticed_before_a_chunk_is_opened
        the_digest_tells_where_one_chunk_ends
    }

    fn a_file_opens_to_what_was_sealed_however_its_bytes_came(suite: Suite) {
        for length in [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5] {
            let bytes = plain(length);
            for pieces in [1_000, CHUNK, CHUNK + 1, length] {
                let sealed = seal_in(suite, pieces, &bytes, HERE, 9);
                assert_eq!(sealed.chunks.len(), length.div_ceil(CHUNK), "{length} in pieces of {pieces}");
                assert!(sealed.open_as(&sealed.chunks, HERE).unwrap() == bytes);
                let Value::File(head) = sealed.head.show(&Stands(true)).unwrap() else { panic!() };
                assert_eq!((head.size_bytes(), head.media()), (length as u64, "image/jpeg"));
                assert_eq!(*head.sha256(), <[u8; 32]>::from(Sha256::digest(&bytes)));
            }
        }
    }

    fn no_plain_byte_is_left_in_a_sealed_chunk(suite: Suite) {
        let bytes = vec![b'x'; 2 * CHUNK];
        for chunk in seal_in(suite, CHUNK, &bytes, HERE, 9).chunks {
            assert!(!chunk.windows(16).any(|window| window == [b'x'; 16]));
        }
    }

    fn a_file_of_one_suite_presented_as_of_the_other_is_refused(suite: Suite) {
        let sealed = seal_in(suite, CHUNK, &plain(10), HERE, 9);
        let permit = Stands(true);
        let presented = |number: u16| {
            sealed.head.map(|value| {
                let Value::File(head) = value else { panic!() };
                let FileHead { key, sha256, size_bytes, .. } = **head;
                Value::File(Box::new(FileHead {
                    suite: number,
                    key,
                    sha256,
                    size_bytes,
                    media: head.media.clone(),
                }))
            })
        };
        assert!(FileOpener::new(&permit, &presented(suite.number()), HERE, &sealed.seal).is_ok());
        for other in Suite::ALL.into_iter().filter(|other| *other != suite) {
            let opener = FileOpener::new(&permit, &presented(other.number()), HERE, &sealed.seal);
            assert_eq!(opener.err(), Some(Error::Broken));
        }
        let unknown = FileOpener::new(&permit, &presented(3), HERE, &sealed.seal);
        assert_eq!(unknown.err(), Some(Error::UnknownSuite { suite: 3 }));
    }

    fn an_empty_file_is_none(suite: Suite) {
        let sealer = FileSealer::new(suite, HERE, &mut Counting(0)).unwrap();
        assert_eq!(sealer.finish("image/jpeg").err(), Some(Error::Malformed));
    }

    fn a_permit_that_is_over_opens_nothing(suite: Suite) {
        let sealed = seal_in(suite, CHUNK, &plain(10), HERE, 9);
        let stands = Stands(true);
        let opener = FileOpener::new(&stands, &sealed.head, HERE, &sealed.seal).unwrap();
        let over = Stands(false);
        assert_eq!(opener.open(&over, 0, &sealed.chunks[0]).err(), Some(Error::NotPermitted));
        let refused = FileOpener::new(&over, &sealed.head, HERE, &sealed.seal);
        assert_eq!(refused.err(), Some(Error::NotPermitted));
    }

    fn another_files_key_place_or_commitment_is_noticed_before_a_chunk_is_opened(suite: Suite) {
        let (one, other) =
            (seal_in(suite, CHUNK, &plain(10), HERE, 9), seal_in(suite, CHUNK, &plain(10), HERE, 10));
        let permit = Stands(true);
        let broken = |head: &Personal<Value>, place: FilePlace, seal: &FileSeal| {
            FileOpener::new(&permit, head, place, seal).err() == Some(Error::Broken)
        };
        assert!(broken(&other.head, HERE, &one.seal));
        for place in [FilePlace { shop: 2, ..HERE }, FilePlace { file: 43, ..HERE }] {
            assert!(broken(&one.head, place, &one.seal));
        }
        let mut commitment = one.seal.commitment;
        commitment[31] ^= 1;
        assert!(broken(&one.head, HERE, &FileSeal { commitment, ..one.seal }));
        assert!(broken(&one.head, HERE, &FileSeal { chunks: 2, ..one.seal }));
        let text = Personal::new(Value::Text("no file".into()));
        assert!(broken(&text, HERE, &one.seal));
    }

    #[test]
    fn what_is_said_of_a_file_is_the_same_only_if_all_of_it_is() {
        let head = |suite: u16, key: u8, sha256: u8, size_bytes: u64, media: &str| FileHead {
            suite,
            key: [key; 32],
            sha256: [sha256; 32],
            size_bytes,
            media: media.to_owned(),
        };
        let one = head(1, 2, 3, 4, "image/jpeg");
        assert!(one == head(1, 2, 3, 4, "image/jpeg"));
        for other in [
            head(2, 2, 3, 4, "image/jpeg"),
            head(1, 9, 3, 4, "image/jpeg"),
            head(1, 2, 9, 4, "image/jpeg"),
            head(1, 2, 3, 9, "image/jpeg"),
            head(1, 2, 3, 4, "image/png"),
        ] {
            assert!(one != other);
        }
    }

    fn the_digest_tells_where_one_chunk_ends(suite: Suite) {
        let digest = |chunks: &[&[u8]]| {
            let mut digest = FileDigest::default();
            for chunk in chunks {
                digest.add(chunk);
            }
            digest.finish()
        };
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        let sealed = seal_in(suite, CHUNK, &plain(CHUNK + 1), HERE, 9);
        let all: Vec<&[u8]> = sealed.chunks.iter().map(Vec::as_slice).collect();
        assert_eq!(digest(&all), sealed.seal.digest);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever is done to the chunks: the file does not open.
        #[test]
        fn nothing_opens_but_the_chunks_as_they_were(
            suite in prop::sample::select(Suite::ALL.as_slice()),
            length in 1_usize..4 * CHUNK,
            damage in 0_u8..7,
            at in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let bytes = plain(length);
            let sealed = seal_in(suite, CHUNK, &bytes, HERE, 9);
            let other = seal_in(suite, CHUNK, &bytes, FilePlace { file: 43, ..HERE }, 77);
            let mut chunks = sealed.chunks.clone();
            let (one, two) = (at.index(chunks.len()), to.index(chunks.len()));
            match damage {
                0 => chunks.truncate(one),                           // cut short
                1 => { chunks.remove(one); }                         // one is missing
                2 => chunks.swap(one, two),                          // exchanged
                3 => chunks.insert(two, chunks[one].clone()),        // doubled
                4 => chunks[one].clone_from(&other.chunks[one]),     // of another file
                5 => { let cut = to.index(chunks[one].len()); chunks[one].truncate(cut); }
                _ => { let place = to.index(chunks[one].len()); chunks[one][place] ^= 1 << bit; }
            }
            prop_assume!(chunks != sealed.chunks);
            prop_assert!(sealed.open_as(&chunks, HERE).is_err());
            // Also when the seal beside it is made to fit: then it is bound into the envelope, and this one is not.
            let mut digest = FileDigest::default();
            for chunk in &chunks {
                digest.add(chunk);
            }
            prop_assert_ne!(digest.finish(), sealed.seal.digest);
            let lying = Sealed { seal: FileSeal { chunks: u32::try_from(chunks.len()).unwrap(), ..sealed.seal }, ..sealed };
            prop_assert!(lying.open_as(&chunks, HERE).is_err());
        }
    }
}
