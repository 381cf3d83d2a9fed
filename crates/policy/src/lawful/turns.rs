//! What a law that changes will break in a policy, and when.

use super::check_lawful;
use crate::finding::Finding;
use crate::lawful::{Cited, Task};
use jiff::civil::Date;
use rulebook::Pack;
use std::collections::BTreeSet;

/// What is found in a policy from a day on, and was not the day before.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The first day of it.
    pub on: Date,
    /// What is found from then on.
    pub findings: Vec<Finding>,
    /// What has to be done from then on.
    pub tasks: Vec<Task>,
    /// What is found no more.
    pub mended: Vec<Finding>,
}

/// What does law that changes after a day break in this policy, and when?
///
/// Takes: the file's text and name; the day; the packs there are. Law that is made and has its first day counts from that day on; drafts do not.
/// Gives: the days on which something is found that was not the day before, in their order; a broken policy has none.
pub fn turns(text: &str, file_name: &str, since: Date, packs: &[&Pack]) -> Vec<Turn> {
    let coming: Vec<Pack> = packs.iter().map(|pack| pack.with_pending_law()).collect();
    let coming: Vec<&Pack> = coming.iter().collect();
    let days: BTreeSet<Date> =
        coming.iter().flat_map(|pack| pack.turning_days()).filter(|day| *day > since).collect();
    let mut before = check_lawful(text, file_name, since, &coming);
    let mut found = Vec::new();
    for on in days {
        let after = check_lawful(text, file_name, on, &coming);
        if before.policy.is_none() || after.policy.is_none() {
            return found;
        }
        let turn = Turn {
            on,
            findings: but(&after.findings, &before.findings),
            tasks: after.tasks.iter().filter(|task| !before.tasks.contains(task)).cloned().collect(),
            mended: but(&before.findings, &after.findings),
        };
        if !(turn.findings.is_empty() && turn.tasks.is_empty() && turn.mended.is_empty()) {
            found.push(turn);
        }
        before = after;
    }
    found
}

/// The findings of law among the first, each with those laws only that do not say so among the others. What only grows old (a review, an
/// agreement) is not law's doing.
fn but(some: &[Finding], others: &[Finding]) -> Vec<Finding> {
    let left = |finding: &Finding| {
        let same = |other: &&Finding| (other.code, &other.message) == (finding.code, &finding.message);
        let known: Vec<&Cited> = others.iter().filter(same).flat_map(|other| &other.laws).collect();
        let laws: Vec<Cited> = finding.laws.iter().filter(|law| !known.contains(law)).cloned().collect();
        (!laws.is_empty()).then(|| Finding { laws, ..finding.clone() })
    };
    some.iter().filter_map(left).collect()
}
