//! An exported log, read back and verified by somebody who trusts nobody but a key.
//!
//! The layout is that of C2SP tlog-tiles (`checkpoint`, `tile/…`, `tile/entries/…`) and one file of our own, `log.json`.
//! Everything in it may be forged; only the signature on the checkpoint is believed, and it only for the expected log.

mod compare;
mod damage;
mod files;
mod folder;
mod reconcile;
mod report;
mod scan;
mod whole;

use serde::{Deserialize, Serialize};

pub use folder::Folder;
pub use report::{Finding, Problem, Report};
pub use whole::{Options, verify_whole};

use crate::Error;
use crate::bundle::Bundle;
use crate::checkpoint::Checkpoint;
use crate::cosign::{Cosignature, Quorum};
use crate::entry::Entry;
use crate::error::ArchiveFile;
use crate::hash::{Hash, leaf_hash};
use crate::note::{MAX_NOTE_BYTES, Verifier};
use crate::tree::{ReadError, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};

use files::Files;

/// Where the files of an exported log are read from.
pub trait Archive: Sync {
    /// The bytes of one file.
    ///
    /// Takes: which file, whose `Display` is its path with `/`, and the most bytes to read.
    /// Gives: `None` if it is not there. Fails: `SR-LEDGER-029`, or `SR-LEDGER-030` if it is longer.
    fn read(&self, file: ArchiveFile, most: u64) -> Result<Option<Vec<u8>>, Error>;
}

/// Whom the reader of an archive believes: one key, for one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    verifier: Verifier,
    origin: String,
}

/// `log.json`: what an archive says of itself. It proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The origin line of its checkpoints.
    pub origin: String,
    /// Its verifier key, for convenience; the reader must have the key from elsewhere.
    pub vkey: String,
    /// Its generation, counted from 1.
    pub generation: u64,
    /// Names for the numbers in its entries, in whatever form the shop exports them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<serde_json::Value>,
}

/// An entry that was found in an archive and proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The same, decoded.
    pub entry: Entry,
    /// The proof under the archive's checkpoint.
    pub proof: Vec<Hash>,
    /// The archive's checkpoint.
    pub checkpoint: Checkpoint,
}

/// Is the entry with this index in the log, and what does it say?
///
/// Fails: as `Trust::checkpoint_of`; `SR-LEDGER-003` if the log has no such entry; `SR-LEDGER-006` if tiles and bundle do
/// not prove it; `SR-LEDGER-028` if a file is missing; `SR-LEDGER-009`, `-021`, `-022` if it cannot be read.
pub fn verify_inclusion_in(archive: &impl Archive, trust: &Trust, index: u64) -> Result<Included, Error> {
    let checkpoint = trust.checkpoint_of(archive)?;
    let size = checkpoint.size();
    let mut files = Files::new(archive, size);
    let proof = inclusion_proof(&mut files, index, size).map_err(flatten)?;
    let (tile, position) = (index / 256, usize::try_from(index % 256).unwrap_or(0));
    let missing = Error::FileMissing { file: ArchiveFile::Tile(files.bundle_path(tile)?) };
    let found = files.bundle(tile)?.ok_or(missing)?;
    let cut = Error::BundleCut { entry: u16::try_from(position).unwrap_or(0) };
    let bytes = Bundle::new(&found.bytes).nth(position).ok_or(cut)??;
    verify_inclusion(&leaf_hash(bytes), index, size, &proof, checkpoint.root())?;
    Ok(Included { entry: Entry::decode(bytes)?, bytes: bytes.to_vec(), proof, checkpoint })
}

/// Did the log only grow between these two checkpoints?
///
/// Takes: the two signed notes, the older one first; both must be of the archive's log, and not beyond its size.
/// Gives: both checkpoints. Fails: as `Trust::checkpoint_of`; `SR-LEDGER-003`, `SR-LEDGER-007`, `SR-LEDGER-028`.
pub fn verify_consistency_in(
    archive: &impl Archive,
    trust: &Trust,
    old: &str,
    new: &str,
) -> Result<(Checkpoint, Checkpoint), Error> {
    let (old, new) = (trust.open(old)?, trust.open(new)?);
    let size = trust.checkpoint_of(archive)?.size();
    if new.size() > size {
        return Err(Error::OutsideTree { index: new.size(), size });
    }
    let mut files = Files::new(archive, size);
    let proof = consistency_proof(&mut files, old.size(), new.size()).map_err(flatten)?;
    verify_consistency(old.size(), old.root(), new.size(), new.root(), &proof)?;
    Ok((old, new))
}

/// Up to where have enough witnesses seen this archive's log, and the same history?
///
/// Takes: the witnesses that one believes. Reads the note `cosigned`, or, if there is none, the checkpoint itself. The log has
/// grown out of what was cosigned; what came behind it no witness has seen yet.
/// Gives: the cosigned checkpoint, and who cosigned it when. Fails: as `Trust::checkpoint_of`, `Quorum::judge`;
/// `SR-LEDGER-003`, `SR-LEDGER-007` or `SR-LEDGER-028` when the log has not grown out of it.
pub fn verify_cosigned_in(
    archive: &impl Archive,
    trust: &Trust,
    quorum: &Quorum,
) -> Result<(Checkpoint, Vec<Cosignature>), Error> {
    let now = text_of(archive, ArchiveFile::Checkpoint, MAX_NOTE_BYTES, Error::NoteMalformed)?;
    let cosigned = match text_of(archive, ArchiveFile::Cosigned, MAX_NOTE_BYTES, Error::NoteMalformed) {
        Err(Error::FileMissing { .. }) => now.clone(),
        cosigned => cosigned?,
    };
    let found = quorum.judge(&cosigned)?;
    let (seen, _) = verify_consistency_in(archive, trust, &cosigned, &now)?;
    Ok((seen, found))
}

impl Trust {
    /// Believes this key, for the log that bears its name: the origin of a log's checkpoints is its key's name.
    pub fn new(verifier: Verifier) -> Self {
        let origin = verifier.name().to_owned();
        Self { verifier, origin }
    }

    /// The same key, for a log with another origin.
    #[must_use]
    pub fn for_origin(self, origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..self }
    }

    /// The key.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The origin that checkpoints must have.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Which state of the log does this signed note state?
    ///
    /// Fails: as `Checkpoint::open`.
    pub fn open(&self, note: &str) -> Result<Checkpoint, Error> {
        Checkpoint::open(note, &self.verifier, &self.origin)
    }

    /// Which state of the log does this archive claim to hold?
    ///
    /// Fails: `SR-LEDGER-028` without `log.json` or `checkpoint`, `SR-LEDGER-031` or `SR-LEDGER-019` if `log.json` is
    /// malformed or of another log, and as `open`.
    pub fn checkpoint_of(&self, archive: &impl Archive) -> Result<Checkpoint, Error> {
        if Log::read(archive)?.origin != self.origin {
            return Err(Error::OriginWrong);
        }
        let note = text_of(archive, ArchiveFile::Checkpoint, MAX_NOTE_BYTES, Error::NoteMalformed)?;
        self.open(&note)
    }
}

impl Log {
    /// What does this archive say of itself?
    ///
    /// Fails: `SR-LEDGER-028` if there is no `log.json`, `SR-LEDGER-031` if it is malformed.
    pub fn read(archive: &impl Archive) -> Result<Self, Error> {
        let text = text_of(archive, ArchiveFile::Log, MAX_LOG_BYTES, Error::LogMalformed)?;
        serde_json::from_str(&text).map_err(|_| Error::LogMalformed)
    }
}

fn text_of(
    archive: &impl Archive,
    file: ArchiveFile,
    most: usize,
    malformed: Error,
) -> Result<String, Error> {
    let bytes = archive.read(file, u64::try_from(most).unwrap_or(u64::MAX))?;
    String::from_utf8(bytes.ok_or(Error::FileMissing { file })?).map_err(|_| malformed)
}

fn flatten(error: ReadError<Error>) -> Error {
    match error {
        ReadError::Tiles(error) | ReadError::Ledger(error) => error,
    }
}

const MAX_LOG_BYTES: usize = 4_194_304;
