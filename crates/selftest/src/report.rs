//! What a self-test hands on: all that was seen with whom it belongs to, what was found, and the screenshots' hashes.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::expect::Declared;
use crate::judge::{Finding, Owners, Remark, judge};
use crate::trace::{Belongs, Request, Stage, Stored};
use crate::visit::Visit;

/// A report. Its JSON is described in docs/spec/selftest.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// 1.
    pub format: u32,
    /// Origin and path of the page.
    pub page: String,
    /// When the visit ended, by the clock of whoever ran it: RFC 3339.
    pub at: String,
    /// The browser that visited.
    pub browser: String,
    /// The program that judged.
    pub program: String,
    /// The notice that the page showed, if it has our window.
    pub notice: Option<Notice>,
    /// Which banner was found.
    pub banner: Option<String>,
    /// How many clicks it took.
    pub clicks: Clicks,
    /// Was everything allowed?
    pub verdict: Verdict,
    /// What was not allowed.
    pub findings: Vec<Finding>,
    /// What is left on the device and out of the shop's reach.
    pub remarks: Vec<Remark>,
    /// What was seen, by stage.
    pub stages: Vec<StageReport>,
}

/// What a self-test comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything that was seen was allowed.
    Obeyed,
    /// There are findings.
    NotObeyed,
}

/// The notice that a page showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its version.
    pub version: String,
    /// What was shown, as a hash.
    pub digest: String,
    /// The law that governed.
    pub law: Option<String>,
}

/// How many clicks it took; nothing where there was no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clicks {
    /// To accept.
    pub accept: Option<u32>,
    /// To refuse.
    pub refuse: Option<u32>,
    /// To withdraw, from any page.
    pub withdraw: Option<u32>,
}

/// What was seen at one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    /// Which.
    pub stage: Stage,
    /// The requests, in the order in which they were sent.
    pub requests: Vec<Owned<Request>>,
    /// What was kept on the device at its end.
    pub stored: Vec<Owned<Stored>>,
    /// The page as it looked.
    pub screenshot: Screenshot,
}

/// Something that was seen, and to whom it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned<T> {
    /// The thing.
    #[serde(flatten)]
    pub seen: T,
    /// Its owner.
    pub belongs: Belongs,
}

/// A screenshot that lies beside the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screenshot {
    /// Its file.
    pub file: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How many bytes it has.
    pub size_bytes: usize,
}

impl Report {
    /// Judges a visit.
    ///
    /// Takes: the visit; when it ended, RFC 3339. Gives: the report.
    pub fn of(visit: &Visit, at: &str) -> Report {
        let Visit { seen, declared, .. } = visit;
        let (findings, remarks) = judge(seen, declared);
        let verdict = if findings.is_empty() { Verdict::Obeyed } else { Verdict::NotObeyed };
        let banner = seen.banner;
        Report {
            format: 1,
            page: visit.page.clone(),
            at: at.to_owned(),
            browser: visit.browser.clone(),
            program: format!("strongroom {}", env!("CARGO_PKG_VERSION")),
            notice: visit.notice.clone(),
            banner: visit.banner.map(str::to_owned),
            clicks: Clicks {
                accept: banner.accept_clicks,
                refuse: banner.refuse_clicks,
                withdraw: banner.withdraw_clicks,
            },
            verdict,
            findings,
            remarks,
            stages: stages(visit, declared),
        }
    }
}

impl Screenshot {
    fn of(stage: Stage, bytes: &[u8]) -> Screenshot {
        Screenshot { file: file_of(stage).to_owned(), sha256: sha256(bytes), size_bytes: bytes.len() }
    }
}

/// The name of a stage's screenshot.
pub(crate) fn file_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Before => "1-before.png",
        Stage::Refused => "2-refused.png",
        Stage::Accepted => "3-accepted.png",
        Stage::Withdrawn => "4-withdrawn.png",
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn stages(visit: &Visit, declared: &Declared) -> Vec<StageReport> {
    let seen = &visit.seen;
    let owners = Owners::of(seen, declared);
    let requests: Vec<Owned<Request>> = owned(&seen.requests, owners.of_requests());
    let stored: Vec<Owned<Stored>> = owned(&seen.stored, owners.of_stored());
    let at = |(stage, bytes): &(Stage, Vec<u8>)| StageReport {
        stage: *stage,
        requests: requests.iter().filter(|one| one.seen.stage == *stage).cloned().collect(),
        stored: stored.iter().filter(|one| one.seen.stage == *stage).cloned().collect(),
        screenshot: Screenshot::of(*stage, bytes),
    };
    visit.screenshots.iter().map(at).collect()
}

fn owned<T: Clone>(seen: &[T], owners: &[Belongs]) -> Vec<Owned<T>> {
    let one = |(seen, belongs): (&T, &Belongs)| Owned { seen: seen.clone(), belongs: belongs.clone() };
    seen.iter().zip(owners).map(one).collect()
}
