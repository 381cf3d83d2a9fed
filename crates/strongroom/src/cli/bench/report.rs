//! The first table: every figure beside its baseline and its goal.

use serde::Serialize;
use serde_json::json;

use super::server::Cpu;
use super::{float, median};
use crate::cli::Voice;

/// What a figure should be. SOURCE: DESIGN section 11.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Goal {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
}

impl Goal {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Goal::AtMost(most) => figure <= most,
            Goal::AtLeast(least) => figure >= least,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    /// What was measured.
    pub(super) what: String,
    /// The figure.
    pub(super) figure: f64,
    /// Its unit.
    pub(super) unit: &'static str,
    /// What it is held against, measured in the same run.
    pub(super) baseline: f64,
    /// What that is.
    pub(super) against: &'static str,
    /// Figure by baseline.
    pub(super) ratio: f64,
    /// The goal, and whether it is one for the ratio or for the figure.
    pub(super) goal: Option<Goal>,
    /// Which of the two the goal is about.
    pub(super) goal_is_for: GoalFor,
}

/// Which number a goal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GoalFor {
    /// The figure.
    Figure,
    /// Its ratio to the baseline.
    Ratio,
}

impl Row {
    /// A line whose ratio is figure by baseline.
    pub(super) fn new(
        what: impl Into<String>,
        figure: f64,
        unit: &'static str,
        baseline: f64,
        against: &'static str,
    ) -> Row {
        let ratio = if baseline > 0.0 { figure / baseline } else { f64::NAN };
        Row {
            what: what.into(),
            figure,
            unit,
            baseline,
            against,
            ratio,
            goal: None,
            goal_is_for: GoalFor::Figure,
        }
    }

    /// With a goal for its figure.
    #[must_use]
    pub(super) fn goal(self, goal: Goal) -> Row {
        Row { goal: Some(goal), goal_is_for: GoalFor::Figure, ..self }
    }

    /// With a goal for its ratio.
    #[must_use]
    pub(super) fn goal_of_ratio(self, goal: Goal) -> Row {
        Row { goal: Some(goal), goal_is_for: GoalFor::Ratio, ..self }
    }

    fn is_met(&self) -> Option<bool> {
        let judged = if self.goal_is_for == GoalFor::Ratio { self.ratio } else { self.figure };
        self.goal.map(|goal| goal.is_met(judged))
    }

    fn cells(&self) -> Vec<String> {
        let unit = if self.goal_is_for == GoalFor::Ratio { "×" } else { self.unit };
        let goal = self.goal.map_or_else(String::new, |goal| match goal {
            Goal::AtMost(most) => format!("≤ {} {unit}", short(most)),
            Goal::AtLeast(least) => format!("≥ {} {unit}", short(least)),
        });
        let met = self.is_met().map_or("", |met| if met { "yes" } else { "not yet" });
        vec![
            self.what.clone(),
            format!("{} {}", short(self.figure), self.unit),
            format!("{} {} ({})", short(self.baseline), self.unit, self.against),
            format!("{} ×", short(self.ratio)),
            goal,
            met.to_owned(),
        ]
    }
}

/// One run of the load generator.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sample {
    /// What was asked for.
    pub(super) workload: &'static str,
    /// Connections.
    pub(super) connections: usize,
    /// Requests a second.
    pub(super) rate: f64,
    /// CPU time of the server, µs a request.
    pub(super) cpu_micros: f64,
    /// Of that, threads that speak HTTP, parse, seal, open and render.
    pub(super) http_micros: f64,
    /// Of that, the writer.
    pub(super) writer_micros: f64,
    /// Of that, checkpoints beside the writer.
    pub(super) checkpoint_micros: f64,
    /// Half of the answers took no longer, µs.
    pub(super) p50_micros: f64,
    /// All but one in a hundred took no longer, µs.
    pub(super) p99_micros: f64,
    /// What the store said about the run; nothing for the empty handler.
    pub(super) store: Option<StoreShare>,
    /// CPU time by that of the empty handler, in the same round.
    pub(super) cpu_ratio: f64,
    /// Rate by that of the empty handler, in the same round.
    pub(super) rate_ratio: f64,
}

/// What the store's own counters say about a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct StoreShare {
    /// Units of work in a commit.
    pub(super) batch: f64,
    /// Time to apply a unit in its transaction, µs.
    pub(super) apply_micros: f64,
    /// Time of a commit with its fsync, µs.
    pub(super) commit_micros: f64,
}

impl Sample {
    /// CPU shares of a run.
    pub(super) fn shares(&mut self, before: &Cpu, after: &Cpu, requests: u64) {
        let share = |name: &str| {
            let nanos = after.nanos_of(name).saturating_sub(before.nanos_of(name));
            float(nanos) / 1e3 / float(requests.max(1))
        };
        self.cpu_micros = share("");
        self.http_micros = share("tokio");
        self.writer_micros = share("store-writer");
        self.checkpoint_micros = share("store-check");
    }

    fn cells(&self) -> Vec<String> {
        let store = |pick: fn(&StoreShare) -> f64| {
            self.store.as_ref().map_or_else(String::new, |share| short(pick(share)))
        };
        vec![
            self.workload.to_owned(),
            self.connections.to_string(),
            short(self.rate),
            short(self.p50_micros / 1e3),
            short(self.p99_micros / 1e3),
            short(self.cpu_micros),
            short(self.http_micros),
            short(self.writer_micros),
            short(self.checkpoint_micros),
            store(|share| share.batch),
            store(|share| share.apply_micros),
            store(|share| share.commit_micros),
            short(self.cpu_ratio),
            short(self.rate_ratio),
        ]
    }
}

/// The median of each number over rounds of the same run.
pub(super) fn over_rounds(rounds: &[Sample]) -> Option<Sample> {
    let middle = |pick: &dyn Fn(&Sample) -> f64| median(&mut rounds.iter().map(pick).collect::<Vec<_>>());
    let share = |pick: fn(&StoreShare) -> f64| middle(&|sample| sample.store.as_ref().map_or(0.0, pick));
    let first = rounds.first()?;
    Some(Sample {
        workload: first.workload,
        connections: first.connections,
        rate: middle(&|sample| sample.rate),
        cpu_micros: middle(&|sample| sample.cpu_micros),
        http_micros: middle(&|sample| sample.http_micros),
        writer_micros: middle(&|sample| sample.writer_micros),
        checkpoint_micros: middle(&|sample| sample.checkpoint_micros),
        p50_micros: middle(&|sample| sample.p50_micros),
        p99_micros: middle(&|sample| sample.p99_micros),
        store: first.store.map(|_| StoreShare {
            batch: share(|share| share.batch),
            apply_micros: share(|share| share.apply_micros),
            commit_micros: share(|share| share.commit_micros),
        }),
        cpu_ratio: middle(&|sample| sample.cpu_ratio),
        rate_ratio: middle(&|sample| sample.rate_ratio),
    })
}

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// The machine, the release, the commit.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The first table.
    pub(super) rows: Vec<Row>,
    /// What the ratios of the runs are to.
    pub(super) ratios_to: &'static str,
    /// The runs under load, medians over rounds.
    pub(super) load: Vec<Sample>,
    /// Every round.
    pub(super) rounds: Vec<Sample>,
}

impl Report {
    /// Prints it.
    pub(super) fn print(&self, voice: Voice) {
        if voice.json {
            let met: Vec<_> = self.rows.iter().map(Row::is_met).collect();
            voice.print_json(&json!({ "report": self, "goals_met": met }));
            return;
        }
        for (name, fact) in &self.facts {
            voice.print(format!("{name:<12} {fact}"));
        }
        if !self.rows.is_empty() {
            let head = ["what", "figure", "baseline of the same run", "ratio", "goal", "reached"];
            voice.table(&head, self.rows.iter().map(Row::cells).collect());
        }
        if !self.load.is_empty() {
            voice.print(format!(
                "Under load: CPU is the server process's own, µs a request; times in ms; ratios to {}.",
                self.ratios_to
            ));
            let head = [
                "request",
                "conns",
                "per s",
                "p50",
                "p99",
                "CPU",
                "HTTP",
                "writer",
                "ckpt",
                "batch",
                "apply µs",
                "commit µs",
                "CPU ×",
                "rate ×",
            ];
            voice.table(&head, self.load.iter().map(Sample::cells).collect());
        }
    }
}

/// A number as people read it: three digits that count, large ones in full.
pub(super) fn short(number: f64) -> String {
    if !number.is_finite() {
        return String::from("–");
    }
    match number.abs() {
        1_000.0.. => {
            let digits = format!("{number:.0}");
            let mut out = String::new();
            for (position, digit) in digits.chars().enumerate() {
                if position > 0 && (digits.len() - position).is_multiple_of(3) && !out.ends_with('-') {
                    out.push(',');
                }
                out.push(digit);
            }
            out
        }
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown: Vec<_> =
            [0.123, 9.876, 54.32, 432.1, 1_234_567.8, f64::NAN].into_iter().map(short).collect();
        assert_eq!(shown, ["0.12", "9.88", "54.3", "432", "1,234,568", "–"]);
    }

    #[test]
    fn a_goal_is_held_against_what_it_is_about() {
        let row = Row::new("write", 30.0, "µs", 10.0, "empty handler");
        assert_eq!(row.clone().goal_of_ratio(Goal::AtMost(2.9)).is_met(), Some(false));
        assert_eq!(row.clone().goal(Goal::AtMost(40.0)).is_met(), Some(true));
        assert_eq!(row.is_met(), None);
    }
}
