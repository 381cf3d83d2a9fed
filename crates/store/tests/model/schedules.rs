//! On which schedules a world is run, and what is asked of them.

#![cfg(test)]

use std::panic::AssertUnwindSafe;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Schedules of each kind.
const SCHEDULES: usize = 1_500;
/// Points at which a schedule of the second kind changes its mind about who comes first.
const CHANGES: usize = 3;
/// Where schedules begin that are the same with every run.
const SEED: u64 = 7;

fn check_on(run: impl Fn() + Send + Sync + 'static, scheduler: impl Scheduler + 'static) {
    let mut config = Config::new();
    config.stack_size = 256 << 10;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(run);
}

/// Tries schedules that no run before has tried.
pub(crate) fn holds(run: impl Fn() + Copy + Send + Sync + 'static) {
    check_on(run, RandomScheduler::new(SCHEDULES));
    check_on(run, PctScheduler::new(CHANGES, SCHEDULES));
}

/// Without a guard some schedule among as many shows it: one of these sentences is what it says.
pub(crate) fn fails(run: impl Fn() + Copy + Send + Sync + 'static, says: &[&str]) {
    let tries = [
        std::panic::catch_unwind(AssertUnwindSafe(|| {
            check_on(run, RandomScheduler::new_from_seed(SEED, SCHEDULES));
        })),
        std::panic::catch_unwind(AssertUnwindSafe(|| {
            check_on(run, PctScheduler::new_from_seed(SEED, CHANGES, SCHEDULES));
        })),
    ];
    let heard: Vec<String> = tries
        .into_iter()
        .filter_map(Result::err)
        .map(|failure| {
            let text = failure.downcast_ref::<String>().map(String::as_str);
            text.or(failure.downcast_ref::<&str>().copied()).unwrap_or("?").to_owned()
        })
        .collect();
    assert!(!heard.is_empty(), "no schedule shows that the guard is missing");
    let is_known = heard.iter().any(|heard| says.iter().any(|says| heard.contains(says)));
    assert!(is_known, "it failed otherwise: {heard:?}");
}
