//! The policy meets the law: every pack that applies is asked about every purpose, recipient, record and person in charge,
//! and what it answers becomes findings, or tasks where no policy file can show whether it was done.
//!
//! A finding is *unlawful* where a law forbids what the file says, *risky* where it may, *unverified* where that rests on
//! a fact about the law that could not be verified. What several packs say alike is one finding with all their articles.
//!
//! ORDER: only a policy without errors is asked about; what a broken file means nobody knows.

mod abroad;
mod applies;
mod asking;
mod bars;
mod differences;
mod purposes;
mod records;
mod shop;
mod tasks;
mod turns;
mod words;

pub(crate) use applies::{ids_of, is_home, place_of_seat};
pub use applies::{is_law_that_applies, packs_that_apply};
pub use asking::{Cited, no_asking_through};
pub(crate) use asking::{ask, cited};
pub use bars::{Bar, Barred, Bars, Reach};
pub use differences::{Due, UnderLaw, diff_lawful};
pub use tasks::Task;
pub use turns::{Turn, turns};
pub(crate) use words::{activity, is_own, place as place_word, sensitive as sensitive_words};

use crate::check::{Checked, check_and};
use crate::code::Code;
use crate::finding::{Finding, Report, Sink};
use jiff::civil::Date;
use rulebook::Pack;

/// Does the policy hold together, and do the laws that apply allow what it says?
///
/// Takes: the file's text; its name, for messages; the day whose law is asked; the packs there are. Gives: what
/// [`check`](crate::check()) gives, findings of law and tasks besides. The same input gives the same report. Not legal advice.
pub fn check_lawful(text: &str, file_name: &str, today: Date, packs: &[&Pack]) -> Report {
    check_and(text, file_name, today, |checked, sink| {
        let found = ask_all(checked, today, packs, sink);
        sink.leave_out(|finding| found.says_better(finding));
        found.tell(sink)
    })
}

/// What do the laws that apply let nobody do with what a policy says?
///
/// Takes: the file's text; the day on which it was published, as of which it has no errors; the day whose law is asked; the packs there
/// are. Gives: what the gate has to refuse, by [`Compiled::under`](crate::Compiled::under); nothing for a policy with errors.
pub fn bars(text: &str, published: Date, on: Date, packs: &[&Pack]) -> Bars {
    let mut bars = Bars::default();
    check_and(text, "policy", published, |checked, sink| {
        bars = ask_all(checked, on, packs, sink).bars;
        Vec::new()
    });
    bars
}

/// Asks every pack that applies.
fn ask_all(checked: &Checked<'_>, on: Date, packs: &[&Pack], sink: &mut Sink) -> Found {
    let (applied, without) = applies::find(checked, packs);
    for at in without {
        let finding = Finding::new(Code::NoPack, at, "no pack has the law of this place");
        sink.add(finding.help("nothing was checked against it; ask counsel there"));
    }
    let bars = Bars::of(&applied, on);
    let mut found = Found { on, findings: Vec::new(), tasks: Vec::new(), bars };
    for applied in &applied {
        if applied.is_law() {
            purposes::check(checked, applied, &mut found);
            abroad::check(checked, applied, &mut found);
            shop::check(checked, applied, &mut found);
        }
        records::check(checked, applied, &mut found);
        tasks::find(checked, applied, &mut found);
    }
    shop::minors(checked, &applied, &mut found);
    found
}

/// What has been found so far.
struct Found {
    /// The day whose law is asked.
    on: Date,
    findings: Vec<Finding>,
    tasks: Vec<Task>,
    bars: Bars,
}

impl Found {
    /// Adds a finding, or its articles to the one that says the same.
    fn add(&mut self, finding: Finding) {
        let same = |other: &&mut Finding| {
            (other.code, &other.message, &other.labels) == (finding.code, &finding.message, &finding.labels)
        };
        match self.findings.iter_mut().find(same) {
            Some(other) => {
                other.severity = other.severity.min(finding.severity);
                let more = finding.laws.into_iter().filter(|law| !other.laws.contains(law));
                other.laws.extend(more.collect::<Vec<_>>());
                other.help =
                    other.help.take().map(|help| both(help, finding.help.as_deref().unwrap_or_default()));
            }
            None => self.findings.push(finding),
        }
    }

    fn add_task(&mut self, task: Task) {
        if !self.tasks.contains(&task) {
            self.tasks.push(task);
        }
    }

    /// Does a law say at the same place what the check by itself could only suspect?
    fn says_better(&self, suspected: &Finding) -> bool {
        let is_suspicion = matches!(suspected.code, Code::Sensitive | Code::Sale);
        let shares_a_place = |law: &Finding| {
            law.labels.iter().any(|label| suspected.labels.iter().any(|other| other.at == label.at))
        };
        let of_grounds = |law: &&Finding| {
            matches!(
                law.code,
                Code::NoGround
                    | Code::SensitiveGround
                    | Code::SeparateConsent
                    | Code::NoConsent
                    | Code::NoWayOut
                    | Code::Banned
            )
        };
        is_suspicion && self.findings.iter().filter(of_grounds).any(shares_a_place)
    }

    fn tell(self, sink: &mut Sink) -> Vec<Task> {
        for finding in self.findings {
            sink.add(finding);
        }
        self.tasks
    }
}

/// The lines of one help, and those of another that are not among them.
fn both(mut help: String, other: &str) -> String {
    for line in other.lines() {
        if !help.lines().any(|known| known == line) {
            help = format!("{help}\n{line}");
        }
    }
    help
}
