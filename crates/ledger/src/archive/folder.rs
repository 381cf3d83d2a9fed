//! The one reader of files in this crate: an exported log in a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::archive::Archive;
use crate::error::ArchiveFile;

/// An exported log in a folder of the file system. It is only read.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The log in this folder; nothing is read yet.
    pub fn new(root: impl AsRef<Path>) -> Self {
        Self { root: root.as_ref().to_owned() }
    }
}

impl Archive for Folder {
    fn read(&self, file: ArchiveFile, most: u64) -> Result<Option<Vec<u8>>, Error> {
        // Names come from `ArchiveFile`, which has no way to spell `..` or an absolute path.
        match read(&self.root.join(file.to_string()), most) {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => Err(Error::FileTooLong { file, most }),
            Err(error) if is_absent(error.kind()) => Ok(None),
            Err(error) => Err(Error::FileUnreadable { file, kind: error.kind() }),
        }
    }
}

/// The bytes of a file, or `None` if it is longer than `most`.
fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    // ORDER: look before opening. Opening a pipe that somebody left in the folder would wait for ever.
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if about.len() > most {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0).saturating_add(1));
    // The file may have grown since.
    let length = File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|_| u64::try_from(length).is_ok_and(|length| length <= most)))
}

fn is_absent(kind: io::ErrorKind) -> bool {
    // A file where a folder should be means that what lies below it is not there.
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::TilePath;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("checkpoint"), b"twelve bytes").unwrap();
        let archive = Folder::new(folder.path());
        let file = ArchiveFile::Checkpoint;
        assert_eq!(archive.read(file, 12), Ok(Some(b"twelve bytes".to_vec())));
        assert_eq!(archive.read(file, 11), Err(Error::FileTooLong { file, most: 11 }));
        assert_eq!(archive.read(ArchiveFile::Log, 12), Ok(None));
    }

    #[test]
    fn a_file_where_a_folder_should_be_means_absent_and_a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tile"), b"").unwrap();
        let archive = Folder::new(folder.path());
        let tile = ArchiveFile::Tile(TilePath::hashes(0, 0, 256).unwrap());
        assert_eq!(archive.read(tile, 9), Ok(None));
        fs::create_dir(folder.path().join("log.json")).unwrap();
        let file = ArchiveFile::Log;
        let kind = io::ErrorKind::InvalidInput;
        assert_eq!(archive.read(file, 9), Err(Error::FileUnreadable { file, kind }));
    }
}
