//! What the check found: findings with places in the text, and the report that holds them all.

use crate::code::{Code, Severity};
use crate::law::Citation;
use crate::lawful::{Cited, Task};
use crate::model::Policy;
use serde::Serialize;
use std::ops::Range;

/// A stretch of the policy's text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct At {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl From<Range<usize>> for At {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end.max(range.start) }
    }
}

/// A place in the text and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub at: At,
    /// What is there; may be empty.
    pub text: String,
}

/// One thing that the check has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// What is wrong, with the names it is wrong for.
    pub message: String,
    /// Where; the first is the place to look at, the others explain it.
    pub labels: Vec<Label>,
    /// How to mend it.
    pub help: Option<String>,
    /// The law it rests on, if it rests on law.
    pub citations: &'static [Citation],
    /// Rules of packs that it rests on.
    pub laws: Vec<Cited>,
    pub(crate) severity: Severity,
}

impl Finding {
    pub(crate) fn new(code: Code, at: At, message: impl Into<String>) -> Self {
        let label = Label { at, text: String::new() };
        Self {
            code,
            message: message.into(),
            labels: vec![label],
            help: None,
            citations: &[],
            laws: Vec::new(),
            severity: code.severity(),
        }
    }

    /// What stands at the finding's first place.
    #[must_use]
    pub(crate) fn here(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// Another place that explains the finding.
    #[must_use]
    pub(crate) fn also(mut self, at: At, text: impl Into<String>) -> Self {
        self.labels.push(Label { at, text: text.into() });
        self
    }

    #[must_use]
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    #[must_use]
    pub(crate) fn cite(mut self, citations: &'static [Citation]) -> Self {
        self.citations = citations;
        self
    }

    /// How bad is it? As bad as findings of its code are, unless it rests on law that could not be verified.
    pub fn severity(&self) -> Severity {
        self.severity
    }
}

/// The most findings a report holds; a file with more has told its story.
pub const MOST_FINDINGS: usize = 300;

/// Where the passes of the check put what they find.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    findings: Vec<Finding>,
    left_out: usize,
    failed: bool,
}

impl Sink {
    pub(crate) fn add(&mut self, finding: Finding) {
        self.failed |= finding.severity() == Severity::Error;
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Has anything been found that makes the policy unusable?
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// Is it still worth the time to look for the word that was meant?
    pub(crate) fn is_patient(&self) -> bool {
        self.findings.len() < MOST_FINDINGS
    }

    /// Leaves out what something else says better.
    pub(crate) fn leave_out(&mut self, which: impl Fn(&Finding) -> bool) {
        self.findings.retain(|finding| !which(finding));
    }

    pub(crate) fn into_report(self, text: &str, file_name: &str, policy: Option<Policy>) -> Report {
        let mut findings = self.findings;
        findings.sort_by_key(|finding| (finding.severity(), finding.labels.first().map(|label| label.at)));
        let policy = policy.filter(|_| !self.failed);
        Report {
            findings,
            left_out: self.left_out,
            policy,
            tasks: Vec::new(),
            text: text.to_owned(),
            file_name: file_name.to_owned(),
        }
    }
}

/// What the check has to say about one policy file.
#[derive(Clone, Debug)]
pub struct Report {
    /// The findings: errors, then warnings, then advice; each in the order of the file.
    pub findings: Vec<Finding>,
    /// How many more findings there were than a report holds.
    pub left_out: usize,
    /// The policy, if no finding is an error.
    pub policy: Option<Policy>,
    /// What laws ask for that no policy file can show; only where the law was asked.
    pub tasks: Vec<Task>,
    pub(crate) text: String,
    pub(crate) file_name: String,
}

impl Report {
    /// How many findings of this severity?
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity() == severity).count()
    }

    /// The line (from 1) and column (from 1, in characters) of a byte of the text.
    pub fn line_and_column(&self, byte: usize) -> (usize, usize) {
        line_and_column(&self.text, byte)
    }

    /// The report as JSON, for editors and pipelines.
    ///
    /// Gives: an object with `file`, `ok`, `counts`, `left_out`, `findings` and `tasks`; each finding has `code`,
    /// `severity`, `title`, `message`, `help`, `citations`, `laws`, and `spans` in bytes and in lines and columns.
    pub fn to_json(&self) -> serde_json::Value {
        let findings: Vec<_> = self.findings.iter().map(|finding| self.finding_json(finding)).collect();
        let counts: serde_json::Map<_, _> = (Severity::ALL.into_iter())
            .map(|severity| (severity.as_str().to_owned(), self.count(severity).into()))
            .collect();
        serde_json::json!({
            "file": self.file_name,
            "ok": self.policy.is_some(),
            "counts": counts,
            "left_out": self.left_out,
            "findings": findings,
            "tasks": self.tasks,
        })
    }

    /// One finding as [`Report::to_json`] gives it.
    pub fn finding_json(&self, finding: &Finding) -> serde_json::Value {
        let spans: Vec<_> = (finding.labels.iter().enumerate())
            .map(|(place, label)| {
                let (line, column) = self.line_and_column(label.at.start);
                let (end_line, end_column) = self.line_and_column(label.at.end);
                SpanJson {
                    primary: place == 0,
                    start: label.at.start,
                    end: label.at.end,
                    line,
                    column,
                    end_line,
                    end_column,
                    label: &label.text,
                }
            })
            .collect();
        serde_json::json!({
            "code": finding.code,
            "severity": finding.severity(),
            "title": finding.code.title(),
            "message": finding.message,
            "help": finding.help,
            "citations": finding.citations,
            "laws": finding.laws,
            "spans": spans,
        })
    }
}

#[derive(Serialize)]
struct SpanJson<'r> {
    primary: bool,
    start: usize,
    end: usize,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    label: &'r str,
}

pub(crate) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let byte = text.floor_char_boundary(byte.min(text.len()));
    let before = text.get(..byte).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
