//! How many questions a second: `cargo run --release -p rulebook --example questions`. One thread, packs read once, least of ten rounds.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use rulebook::{Facts, built_in, decide, question};
use serde_json::json;

const EACH: u32 = 200_000;

fn main() {
    let asked = [
        (
            "cn",
            "breach",
            json!({ "detected_at": "2026-03-02T09:00:00+08:00", "persons": 1_200_000, "is_ciio": false, "is_state_organ": false, "other_grading_criteria_met": false, "role": "controller", "harm_avoided": false, "may_be_crime": false, "handles_minors": false }),
        ),
        (
            "cn",
            "request",
            json!({ "right": "cancel_account", "received_at": "2026-02-10", "record": "payment", "holder": "merchant", "by_minor_or_guardian": false, "solely_automated": false }),
        ),
        (
            "cn",
            "transfer",
            json!({ "is_ciio": false, "important_data": false, "personal_data": true, "collected_abroad_only": false, "outside_negative_list": false, "export_for": "crm_analytics", "persons_since_january": 99_999, "sensitive_since_january": 0, "on": "2026-11-21" }),
        ),
    ];
    for (pack, name, facts) in asked {
        let (Some(pack), Some(question), Some(facts)) =
            (built_in().find(pack), question::find(name), facts.as_object())
        else {
            continue;
        };
        let Ok(facts) = Facts::read(question.facts, facts) else { continue };
        let mut best = f64::MAX;
        for _ in 0..10 {
            let begun = Instant::now();
            for _ in 0..EACH {
                let _ = black_box(decide(pack, question, black_box(&facts), None));
            }
            best = best.min(begun.elapsed().as_secs_f64() / f64::from(EACH));
        }
        let line = format!("{:>8} {name:<10} {:>6.0} ns   {:>10.0} /s", pack.id, best * 1e9, 1.0 / best);
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}
