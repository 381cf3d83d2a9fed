//! Figures about the house, for whoever watches it. No label holds anything of a subject, a credential or a shop.

use std::sync::atomic::Ordering;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::caretaker::Doing;
use crate::ground::house::House;

/// What is counted at the front door.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RouteLabels, Counter>,
    seconds: Family<RouteOnly, Histogram, fn() -> Histogram>,
    refused: Family<WhyLabels, Counter>,
    witness_age: Family<WitnessLabels, Gauge>,
    witness_contradicts: Family<WitnessLabels, Gauge>,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
    status: StatusClass,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteOnly {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhyLabels {
    why: &'static str,
}

/// The name that the operator gave a witness.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WitnessLabels {
    witness: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum StatusClass {
    Success,
    CallerFault,
    ServerFault,
}

/// Gauges read from the house when somebody asks.
#[derive(Debug, Default)]
struct State {
    commits: Gauge,
    units: Gauge,
    slow_units: Gauge,
    reruns: Gauge,
    apply_micros: Gauge,
    commit_micros: Gauge,
    failed_commits: Gauge,
    wal_bytes: Gauge,
    waiting: Gauge,
    key_in_wal: Gauge,
    jobs_done: Gauge,
    jobs_failed: Gauge,
    terms_ended: Gauge,
    terms_held: Gauge,
    files_held: Gauge,
    rows_stepped_over: Gauge,
    clock_in_doubt: Gauge,
    heads_failing: Gauge,
    store_unreachable: Gauge,
    credentials_frozen: Gauge,
    epoch_age_seconds: Gauge,
}

/// Counters of one route, looked up once.
#[derive(Debug, Clone)]
pub struct RouteCounters {
    success: Counter,
    caller_fault: Counter,
    server_fault: Counter,
    seconds: Histogram,
}

impl RouteCounters {
    /// Counts one answer.
    pub fn count(&self, status: u16, seconds: f64) {
        match status {
            500.. => self.server_fault.inc(),
            400.. => self.caller_fault.inc(),
            _ => self.success.inc(),
        };
        self.seconds.observe(seconds);
    }
}

fn histogram() -> Histogram {
    Histogram::new([0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0])
}

impl Metrics {
    /// Nothing is counted yet.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("strongroom");
        let requests = Family::<RouteLabels, Counter>::default();
        let seconds = Family::<RouteOnly, Histogram, fn() -> Histogram>::new_with_constructor(histogram);
        let refused = Family::<WhyLabels, Counter>::default();
        registry.register("requests", "Requests answered, by route and class of status", requests.clone());
        registry.register("request_seconds", "Time from the whole head to the answer", seconds.clone());
        registry.register("refused_at_the_door", "Requests refused before their route", refused.clone());
        let witness_age = Family::<WitnessLabels, Gauge>::default();
        let witness_contradicts = Family::<WitnessLabels, Gauge>::default();
        registry.register(
            "witness_age_seconds",
            "Time since a witness last had every log's head; -1 before it ever had",
            witness_age.clone(),
        );
        registry.register(
            "witness_contradicts",
            "1 since a witness has seen more of a log than there is, or another one",
            witness_contradicts.clone(),
        );
        let state = State::default();
        for (name, help, gauge) in [
            ("store_commits", "Transactions committed since the start", &state.commits),
            ("store_units", "Units of work answered since the start", &state.units),
            ("store_slow_units", "Units of work over 5 ms since the start", &state.slow_units),
            ("store_reruns", "Transactions run again since the start", &state.reruns),
            (
                "store_apply_micros",
                "Microseconds spent running units of work since the start",
                &state.apply_micros,
            ),
            ("store_commit_micros", "Microseconds spent committing since the start", &state.commit_micros),
            ("store_failed_commits", "Commits that failed since the start", &state.failed_commits),
            ("store_wal_bytes", "Bytes in the WAL", &state.wal_bytes),
            ("store_waiting", "Units of work that wait", &state.waiting),
            ("store_key_in_wal", "1 while the WAL holds pages of a key that died", &state.key_in_wal),
            ("jobs_done", "Durable jobs done since the start", &state.jobs_done),
            ("jobs_failed", "Durable jobs that failed since the start", &state.jobs_failed),
            ("terms_ended", "Terms whose key was destroyed since the start", &state.terms_ended),
            ("terms_held", "Terms that are over and wait for a job", &state.terms_held),
            ("files_held", "Files that should be taken away, and whose row was edited", &state.files_held),
            (
                "rows_stepped_over",
                "Rows that did not open, and were stepped over, since the start",
                &state.rows_stepped_over,
            ),
            (
                "clock_in_doubt",
                "1 while nothing is destroyed because the clock is in doubt",
                &state.clock_in_doubt,
            ),
            ("heads_failing", "1 while signed heads cannot be written", &state.heads_failing),
            ("store_unreachable", "1 while the database's server does not answer", &state.store_unreachable),
            ("credentials_frozen", "Credentials that are frozen", &state.credentials_frozen),
            ("epoch_age_seconds", "Age of the epoch", &state.epoch_age_seconds),
        ] {
            registry.register(name, help, gauge.clone());
        }
        Metrics { registry, requests, seconds, refused, witness_age, witness_contradicts, state }
    }

    /// The counters of a route.
    pub fn route(&self, route: &'static str) -> RouteCounters {
        let counter = |status| self.requests.get_or_create(&RouteLabels { route, status }).clone();
        RouteCounters {
            success: counter(StatusClass::Success),
            caller_fault: counter(StatusClass::CallerFault),
            server_fault: counter(StatusClass::ServerFault),
            seconds: self.seconds.get_or_create(&RouteOnly { route }).clone(),
        }
    }

    /// Counts a request that was refused before its route.
    pub fn refused(&self, why: &'static str) {
        self.refused.get_or_create(&WhyLabels { why }).inc();
    }

    /// Everything, as OpenMetrics text.
    pub fn text(&self, house: &House, doing: &Doing) -> String {
        let stats = house.store.stats();
        let state = &self.state;
        let set = |gauge: &Gauge, value: u64| {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&state.commits, stats.commits.load(Ordering::Relaxed));
        set(&state.units, stats.units.load(Ordering::Relaxed));
        set(&state.slow_units, stats.slow_units.load(Ordering::Relaxed));
        set(&state.reruns, stats.reruns.load(Ordering::Relaxed));
        set(&state.apply_micros, stats.apply_micros.load(Ordering::Relaxed));
        set(&state.commit_micros, stats.commit_micros.load(Ordering::Relaxed));
        set(&state.failed_commits, stats.failed_commits.load(Ordering::Relaxed));
        set(&state.wal_bytes, stats.wal_bytes.load(Ordering::Relaxed));
        set(&state.waiting, house.store.waiting() as u64);
        set(&state.key_in_wal, u64::from(house.store.key_in_wal()));
        set(&state.jobs_done, doing.jobs_done.load(Ordering::Relaxed));
        set(&state.jobs_failed, doing.jobs_failed.load(Ordering::Relaxed));
        set(&state.terms_ended, doing.terms_ended.load(Ordering::Relaxed));
        set(&state.terms_held, doing.terms_held.load(Ordering::Relaxed));
        set(&state.files_held, doing.files_held.load(Ordering::Relaxed));
        set(&state.rows_stepped_over, house.rows_stepped_over.load(Ordering::Relaxed));
        set(&state.clock_in_doubt, u64::from(house.watch.in_doubt()));
        set(&state.heads_failing, u64::from(doing.heads_failing.load(Ordering::Relaxed)));
        set(&state.store_unreachable, u64::from(house.store.is_away()));
        set(&state.credentials_frozen, house.count_frozen() as u64);
        let since = house.keys.with(|ring| ring.epochs.last().map_or(0, |epoch| epoch.since));
        let age = house.clock.now().saturating_sub(since) / crate::ground::clock::SECOND;
        state.epoch_age_seconds.set(age);
        for witness in house.witnesses.standings(house) {
            let labels = WitnessLabels { witness: witness.name };
            self.witness_age.get_or_create(&labels).set(witness.age_seconds.unwrap_or(-1));
            self.witness_contradicts.get_or_create(&labels).set(i64::from(witness.contradicts.is_some()));
        }
        let mut text = String::new();
        // Writing to memory cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// OpenMetrics text as the older text format (0.0.4), for readers that do not ask for OpenMetrics.
///
/// There a counter's help and type are told under the name that its samples have, and nothing marks the end. Source:
/// Prometheus, "Exposition formats"; OpenMetrics 1.0, "Counter".
pub(super) fn plain(open: &str) -> String {
    let counter = |name: &str| open.contains(&format!("# TYPE {name} counter\n"));
    let mut text = String::with_capacity(open.len());
    for line in open.lines().filter(|line| *line != "# EOF") {
        let told = ["# HELP ", "# TYPE "]
            .into_iter()
            .find_map(|word| Some((word, line.strip_prefix(word)?.split_once(' ')?)))
            .filter(|(_, (name, _))| counter(name));
        match told {
            Some((word, (name, rest))) => text.extend([word, name, "_total ", rest]),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_tells_counters_under_the_names_of_their_samples() {
        let open = "# HELP a_b Asked.\n# TYPE a_b counter\na_b_total{why=\"# TYPE a_b counter\"} 1\n# HELP c Is c.\n# TYPE c gauge\nc 2\n# EOF\n";
        let old = "# HELP a_b_total Asked.\n# TYPE a_b_total counter\na_b_total{why=\"# TYPE a_b counter\"} 1\n# HELP c Is c.\n# TYPE c gauge\nc 2\n";
        assert_eq!(plain(open), old);
    }
}
