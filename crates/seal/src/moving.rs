//! A file moves to another suite: each chunk is opened and sealed again in here, and nothing plain comes out, so no permit is
//! asked for.

use crate::envelope::{GroupHead, GroupKeys, Origin};
use crate::error::Error;
use crate::file::{FileOpener, FilePlace, FileSeal, FileSealer, SealedChunk};
use crate::personal::{Personal, Value};
use crate::secret::{Random, same};
use crate::suite::Suite;

/// A file as it stands: which one, and what stands beside the envelope of it.
#[derive(Debug, Clone, Copy)]
pub struct FileStands<'s> {
    /// Field of the record that holds it.
    pub field: u8,
    /// Which file.
    pub place: FilePlace,
    /// Its chunks.
    pub seal: &'s FileSeal,
}

/// With which suite the file of a field is sealed.
///
/// Gives: `None` when the field is not there, its key is destroyed, or it holds no file. Fails: `SR-SEAL-003` when the envelope
/// does not open, `SR-SEAL-002` for a suite that is not known.
pub fn file_suite<'k>(
    origin: &Origin<'_, '_>,
    keys: impl FnMut(&GroupHead) -> GroupKeys<'k>,
    field: u8,
) -> Result<Option<Suite>, Error> {
    match value_of(origin, keys, field)?.as_ref().map(Personal::plain) {
        Some(Value::File(head)) => Suite::parse(head.suite()).map(Some),
        _ => Ok(None),
    }
}

fn value_of<'k>(
    origin: &Origin<'_, '_>,
    keys: impl FnMut(&GroupHead) -> GroupKeys<'k>,
    field: u8,
) -> Result<Option<Personal<Value>>, Error> {
    let wanted = crate::Fields::of([field]);
    let mut opened = origin.envelope.open_all(&origin.place, origin.clear, keys, wanted)?;
    Ok(opened.pop().map(|(_, value)| value))
}

/// A file on its way from one suite to another.
pub struct FileMove {
    value: Personal<Value>,
    from: FileOpener,
    next: u32,
    sealer: FileSealer,
}

impl std::fmt::Debug for FileMove {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileMove(..)")
    }
}

impl FileMove {
    /// Begins to move the file of a field, under a fresh content key.
    ///
    /// Takes: the envelope that holds its key, with the keys of its groups; the file as it stands; the suite, and the place of
    /// the file that it becomes, whose number was never given to another.
    /// Fails: `SR-SEAL-004` when the field or its key is not there, `SR-SEAL-003` when file and value do not belong together.
    pub fn begin<'k>(
        origin: &Origin<'_, '_>,
        keys: impl FnMut(&GroupHead) -> GroupKeys<'k>,
        stands: &FileStands<'_>,
        to: (Suite, FilePlace),
        random: &mut impl Random,
    ) -> Result<FileMove, Error> {
        let value = value_of(origin, keys, stands.field)?.ok_or(Error::NoKey)?;
        let Value::File(head) = value.plain() else { return Err(Error::Broken) };
        let from = FileOpener::of(head, stands.place, stands.seal)?;
        Ok(FileMove { from, next: 0, sealer: FileSealer::new(to.0, to.1, random)?, value })
    }

    /// Takes the next sealed chunk, in order. Gives one of the new file when one is full and another follows it.
    ///
    /// Fails: `SR-SEAL-003` when it is not this chunk of this file.
    pub fn take(&mut self, sealed: &[u8]) -> Result<Option<SealedChunk>, Error> {
        let plain = self.from.plain_chunk(self.next, sealed)?;
        self.next = self.next.saturating_add(1);
        let mut rest: &[u8] = &plain;
        // All chunks but the last are full, so at the most one is given for one that is taken.
        let given = self.sealer.take(&mut rest)?;
        if rest.is_empty() { Ok(given) } else { Err(Error::Mismatch) }
    }

    /// Ends when all chunks were taken. Gives the last one, the value for the record, and what stands beside the envelope.
    ///
    /// Fails: `SR-SEAL-003` when it has not become what it was.
    pub fn finish(self) -> Result<(SealedChunk, Personal<Value>, FileSeal), Error> {
        let Value::File(before) = self.value.plain() else { return Err(Error::Broken) };
        let (last, value, seal) = self.sealer.finish(before.media())?;
        let Value::File(after) = value.plain() else { return Err(Error::Broken) };
        if before.size_bytes() != after.size_bytes() || !same(before.sha256(), after.sha256()) {
            return Err(Error::Broken);
        }
        Ok((last, value, seal))
    }
}
