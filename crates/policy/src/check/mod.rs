//! The check: reads the file, follows its names, and says everything that is wrong in one run.
//!
//! ORDER: names are followed first; the passes after it see only what leads somewhere, so that one mistake is told
//! once and not again by everything that hangs on it.

mod build;
mod clocks;
mod fields;
pub(crate) mod names;
mod partners;
mod purposes;
pub(crate) mod window;

use crate::draft::Draft;
use crate::finding::{Finding, Report, Sink};
use crate::lawful::Task;
use crate::read::read;
use jiff::civil::Date;

/// Does the policy hold together, and what does it say?
///
/// Takes: the file's text; its name, for messages; today's date, for reviews and agreements. Gives: every finding,
/// and the policy if none of them is an error. The same input gives the same report.
pub fn check(text: &str, file_name: &str, today: Date) -> Report {
    check_and(text, file_name, today, |_, _| Vec::new())
}

/// The check, and what is to be done where it has found no error.
pub(crate) fn check_and(
    text: &str,
    file_name: &str,
    today: Date,
    further: impl FnOnce(&Checked<'_>, &mut Sink) -> Vec<Task>,
) -> Report {
    let mut sink = Sink::default();
    let mut tasks = Vec::new();
    let policy = read(text, &mut sink).and_then(|draft| {
        let checked = Checked::follow(&draft, today, &mut sink);
        clocks::check(&checked, &mut sink);
        fields::check(&checked, &mut sink);
        purposes::check(&checked, &mut sink);
        partners::check(&checked, &mut sink);
        window::check(&checked, &mut sink);
        if sink.failed() {
            return None;
        }
        tasks = further(&checked, &mut sink);
        build::policy(&checked, text)
    });
    Report { tasks, ..sink.into_report(text, file_name, policy) }
}

/// The draft with its names followed.
pub(crate) struct Checked<'d> {
    pub(crate) draft: &'d Draft,
    pub(crate) today: Date,
    /// For each purpose, the fields it uses; a mention that leads nowhere is left out.
    pub(crate) uses: Vec<Vec<names::Use<'d>>>,
    /// The names of fields and recipients that led nowhere.
    lost: Vec<&'d str>,
}

impl<'d> Checked<'d> {
    fn follow(draft: &'d Draft, today: Date, sink: &mut Sink) -> Self {
        let (uses, lost) = names::follow(draft, sink);
        Self { draft, today, uses, lost }
    }

    /// Was this name probably meant where another led nowhere? Then its being unused is the same mistake once more.
    fn is_meant_elsewhere(&self, name: &str) -> bool {
        self.lost.iter().take(32).any(|lost| crate::suggest::closest(lost, [name]).is_some())
    }

    /// Each purpose with the fields it uses.
    pub(crate) fn purposes(
        &self,
    ) -> impl Iterator<Item = (&'d crate::draft::DraftPurpose, &[names::Use<'d>])> {
        self.draft.purposes.iter().zip(self.uses.iter().map(Vec::as_slice))
    }
}

/// `help`, or the nearest word that would have been right.
fn with_meant<'c>(
    finding: Finding,
    written: &str,
    candidates: impl IntoIterator<Item = &'c str>,
    help: impl FnOnce() -> String,
    sink: &Sink,
) -> Finding {
    let meant = if sink.is_patient() { crate::suggest::closest(written, candidates) } else { None };
    finding.help(meant.map_or_else(help, |meant| format!("did you mean `{meant}`?")))
}

/// Names for a message: `a`, `b` and 3 more.
pub(crate) fn listing<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [most @ .., last] if names.len() <= 5 => format!("{} and {last}", most.join(", ")),
        [a, b, c, d, rest @ ..] => format!("{a}, {b}, {c}, {d} and {} more", rest.len()),
        few => few.join(", "),
    }
}
