//! Any text as a pack, and any facts asked of it: a pack is read or refused with a line of the file; what was read can be looked over, asked
//! about every question and put into words, and what it says keeps together. Nothing panics.
//!
//! An input is a pack, a line of three dashes, and facts as JSON. The fuzz target and the test that replays the corpus share this file.

use jiff::civil::{Date, date};
use rulebook::question::{self, Question};
use rulebook::{Explained, Facts, Outcome, Pack, decide, explain, lint, read_pack};
use serde_json::{Map, Value as Json};

/// What parts a pack from facts.
const PARTED: &str = "\n---\n";

/// One input.
pub(crate) fn look_at(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (pack, facts) = text.split_once(PARTED).unwrap_or((text, ""));
    let pack = match read_pack("pack.toml", pack) {
        Ok(pack) => pack,
        Err(bad) => {
            assert!((1..=pack.lines().count().max(1) + 1).contains(&bad.line), "{bad}");
            return;
        }
    };
    for fault in lint("pack.toml", &pack) {
        assert!(fault.line >= 1 && !fault.why.is_empty());
    }
    let facts: Map<String, Json> = serde_json::from_str(facts).unwrap_or_default();
    let turning = pack.turning_days();
    let days = [turning.first().copied(), turning.last().copied(), Some(date(2026, 11, 28)), None];
    for (pack, on) in [&pack, &pack.with_pending_law()].into_iter().flat_map(|pack| days.map(|on| (pack, on)))
    {
        for question in question::ALL {
            ask(pack, question, &facts, on);
        }
    }
}

/// Asks a question with those of the facts that it takes.
fn ask(pack: &Pack, question: &'static Question, given: &Map<String, Json>, on: Option<Date>) {
    let mut facts = Facts::none(question.facts);
    for (name, value) in given {
        let _ = facts.set(name, value);
    }
    let Ok(ruling) = decide(pack, question, &facts, on) else { return };
    let got = explain(pack, &facts, &ruling);
    assert_eq!((got.answers.len(), got.duties.len()), (ruling.answers.len(), ruling.duties.len()));
    assert_eq!(got.asks.len(), ruling.asks.len());
    if ruling.outcome == Outcome::Answered {
        assert!(got.asks.is_empty() && got.answers.iter().all(|answer| !answer.says.is_null()));
    }
    keeps_together(&got);
}

/// Whatever decided or is owed names a rule that was looked at, and where it stands; and is said in both languages.
fn keeps_together(got: &Explained) {
    let is_used = |rule: &str| got.steps.iter().any(|step| step.used && step.rule == rule);
    for answer in &got.answers {
        assert!(answer.rule.as_deref().is_none_or(is_used));
        assert!(!answer.in_words.en.is_empty() && !answer.in_words.zh.is_empty());
    }
    for duty in &got.duties {
        assert!(!duty.cites.is_empty() && (!duty.certain || is_used(&duty.rule)));
        assert_ne!(duty.name.en, duty.name.zh);
    }
    assert!(serde_json::to_string(got).is_ok());
}
