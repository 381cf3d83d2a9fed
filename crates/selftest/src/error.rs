//! Why a page could not be tested. Messages hold nothing of the page.

use thiserror::Error;

/// Why a page could not be tested.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// No Chromium was found.
    #[error("no Chromium is here to visit the page with")]
    BrowserAbsent,
    /// It was found, and does not answer, or went away.
    #[error("the browser does not start, or has ended")]
    BrowserSilent,
    /// It answered something else than it documents.
    #[error("the browser did not do `{act}`")]
    BrowserRefused {
        /// What it was asked: a method of its protocol.
        act: &'static str,
    },
    /// No temporary folder can be made.
    #[error("no temporary folder for the browser can be made")]
    NoFolder,
    /// The page cannot be reached.
    #[error("the page cannot be reached")]
    PageAbsent,
    /// The page answers with an error.
    #[error("the page answers with the status {status}")]
    PageRefused {
        /// The status of HTTP.
        status: u16,
    },
    /// What should be the page's address is none.
    #[error("the address of the page has to begin with `http://` or `https://`")]
    AddressMalformed,
    /// The file of expectations cannot be read as one.
    #[error("the file of expectations is not of its form (line {line})")]
    ExpectMalformed {
        /// The line, from 1; 0 when it is not known.
        line: usize,
    },
    /// The folder of evidence holds something already.
    #[error("the folder of evidence holds something already")]
    EvidenceThere,
    /// The folder of evidence cannot be written or read.
    #[error("the folder of evidence cannot be written or read")]
    EvidenceUnreachable,
    /// What lies in the folder is no evidence.
    #[error("`selftest.json` is not a report of a self-test")]
    EvidenceMalformed,
    /// A screenshot is not the one that was taken.
    #[error("a screenshot is missing, or is not the one that was taken")]
    ScreenshotWrong,
    /// There is no signature.
    #[error("the evidence is not signed, or its signature is not of this form")]
    Unsigned,
    /// What was signed is not what lies there.
    #[error("`selftest.json` is not what was signed")]
    SignedOther,
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BrowserAbsent => "SR-SELFTEST-001",
            Self::BrowserSilent => "SR-SELFTEST-002",
            Self::BrowserRefused { .. } => "SR-SELFTEST-003",
            Self::NoFolder => "SR-SELFTEST-004",
            Self::PageAbsent => "SR-SELFTEST-005",
            Self::PageRefused { .. } => "SR-SELFTEST-006",
            Self::AddressMalformed => "SR-SELFTEST-007",
            Self::ExpectMalformed { .. } => "SR-SELFTEST-008",
            Self::EvidenceThere => "SR-SELFTEST-009",
            Self::EvidenceUnreachable => "SR-SELFTEST-010",
            Self::EvidenceMalformed => "SR-SELFTEST-011",
            Self::ScreenshotWrong => "SR-SELFTEST-012",
            Self::Unsigned => "SR-SELFTEST-013",
            Self::SignedOther => "SR-SELFTEST-014",
        }
    }
}
