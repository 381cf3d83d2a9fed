//! A folder of evidence: the report, the screenshots, and a text that is to be signed. Who signs is not known here.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::report::{Report, file_of, sha256};
use crate::{Error, Stage};

/// The report's file.
pub const REPORT: &str = "selftest.json";
/// The file with the signed text.
pub const SIGNED: &str = "selftest.note";
/// The first line of the signed text.
const BEGINS: &str = "strongroom/selftest/v1";
/// The longest report that is read.
const MAX_REPORT_BYTES: u64 = 268_435_456;

/// Makes the folder of evidence, so that a visit is not made in vain.
///
/// Takes: a folder that is empty or not there yet. Fails: `SR-SELFTEST-009`, `SR-SELFTEST-010`.
pub fn prepare(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|_| Error::EvidenceUnreachable)?;
    let mut entries = fs::read_dir(folder).map_err(|_| Error::EvidenceUnreachable)?;
    if entries.next().is_some() { Err(Error::EvidenceThere) } else { Ok(()) }
}

/// Writes the folder of evidence.
///
/// Takes: a folder that is empty or not there yet; the report; its screenshots. Gives: the text that is to be signed, three lines. Fails:
/// `SR-SELFTEST-009`, `SR-SELFTEST-010`; then what was written is left.
pub fn write(folder: &Path, report: &Report, screenshots: &[(Stage, Vec<u8>)]) -> Result<String, Error> {
    prepare(folder)?;
    for (stage, bytes) in screenshots {
        write_new(&folder.join(file_of(*stage)), bytes)?;
    }
    let mut json = serde_json::to_vec_pretty(report).map_err(|_| Error::EvidenceUnreachable)?;
    json.push(b'\n');
    write_new(&folder.join(REPORT), &json)?;
    Ok(text_of(&report.page, &json))
}

/// Writes the signed text beside the report. Fails: `SR-SELFTEST-010`.
pub fn write_signed(folder: &Path, note: &str) -> Result<(), Error> {
    write_new(&folder.join(SIGNED), note.as_bytes())
}

/// The signed text, as it lies there. Fails: `SR-SELFTEST-013` when there is none.
pub fn read_signed(folder: &Path) -> Result<String, Error> {
    fs::read_to_string(folder.join(SIGNED)).map_err(|_| Error::Unsigned)
}

/// Is the evidence what was signed?
///
/// Takes: the folder; the text of which the signature was checked. Gives: the report. Fails: `SR-SELFTEST-014` when the report is not what was
/// signed, `SR-SELFTEST-012` when a screenshot is not the report's, `SR-SELFTEST-010`, `SR-SELFTEST-011`.
pub fn check(folder: &Path, signed: &str) -> Result<Report, Error> {
    let path = folder.join(REPORT);
    let size = fs::metadata(&path).map_err(|_| Error::EvidenceUnreachable)?.len();
    if size > MAX_REPORT_BYTES {
        return Err(Error::EvidenceMalformed);
    }
    let json = fs::read(&path).map_err(|_| Error::EvidenceUnreachable)?;
    let report: Report = serde_json::from_slice(&json).map_err(|_| Error::EvidenceMalformed)?;
    // ORDER: the signature first: nothing of a report that was not signed is told.
    if signed != text_of(&report.page, &json) {
        return Err(Error::SignedOther);
    }
    for stage in &report.stages {
        // Its name comes from the stage, never from the file: a report leads nowhere else.
        let bytes = fs::read(folder.join(file_of(stage.stage))).map_err(|_| Error::ScreenshotWrong)?;
        if sha256(&bytes) != stage.screenshot.sha256 {
            return Err(Error::ScreenshotWrong);
        }
    }
    Ok(report)
}

/// What is signed: what this is, the page, and the report's hash. The report has the hashes of the screenshots.
fn text_of(page: &str, json: &[u8]) -> String {
    format!("{BEGINS}\n{page}\nsha256:{}\n", sha256(json))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let file = fs::File::create_new(path);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|_| Error::EvidenceUnreachable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Seen;
    use crate::visit::Visit;

    fn evidence() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let visit = Visit {
            page: "https://shop.example/".into(),
            browser: "Chrome/1".into(),
            seen: Seen::default(),
            declared: crate::Declared::default(),
            notice: None,
            banner: None,
            screenshots: vec![(Stage::Before, b"png".to_vec())],
        };
        let report = Report::of(&visit, "2026-11-28T12:00:00Z");
        let text = write(folder.path(), &report, &visit.screenshots).unwrap();
        (folder, text)
    }

    #[test]
    fn evidence_that_nobody_touched_is_what_was_signed() {
        let (folder, text) = evidence();
        let report = check(folder.path(), &text).unwrap();
        assert_eq!(report.page, "https://shop.example/");
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn evidence_with_one_byte_changed_is_refused() {
        let (folder, text) = evidence();
        fs::write(folder.path().join("1-before.png"), b"pnG").unwrap();
        assert_eq!(check(folder.path(), &text), Err(Error::ScreenshotWrong));
        let path = folder.path().join(REPORT);
        let changed = fs::read_to_string(&path).unwrap().replace("obeyed", "obeyed ");
        fs::write(&path, changed.replace("obeyed ", "not-obeyed")).unwrap();
        assert_eq!(check(folder.path(), &text), Err(Error::SignedOther));
        fs::write(&path, "{}").unwrap();
        assert_eq!(check(folder.path(), &text), Err(Error::EvidenceMalformed));
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let (folder, _) = evidence();
        let report: Report = serde_json::from_slice(&fs::read(folder.path().join(REPORT)).unwrap()).unwrap();
        assert_eq!(write(folder.path(), &report, &[]), Err(Error::EvidenceThere));
    }
}
