//! The questions that packs of law answer: their facts, answers and duties, out of the types.

use std::fmt::Write as _;

use rulebook::names::{ACTS, Named, WORDS};
use rulebook::question::{self, AnswerKind, FACTS};
use rulebook::{Kind, built_in};

use super::cell;

/// The page.
pub(super) fn page() -> String {
    let mut page = String::from(
        "# Questions of law\n\nWritten by `cargo xtask docs` out of the types; [guide/law.md](../guide/law.md) says how to ask. Facts have one meaning in \
         all questions. What is not given is asked for.\n",
    );
    for question in question::ALL {
        let packs =
            built_in().packs.iter().filter(|pack| pack.rules_of(question).any(rulebook::Rule::decides));
        let packs: Vec<&str> = packs.map(|pack| pack.id.as_str()).collect();
        let _ = write!(page, "\n## {}\n\n{} {}\n\n", question.name, question.about.en, question.about.zh);
        let facts: Vec<String> = question.facts.iter().map(|fact| format!("`{}`", fact.name)).collect();
        let _ = writeln!(page, "Facts: {}.\n", facts.join(", "));
        if !question.answers.is_empty() {
            let _ = writeln!(page, "| answer | says | meaning | 含义 |\n|---|---|---|---|");
        }
        for answer in question.answers {
            let says = match answer.kind {
                AnswerKind::YesNo => "`true`, `false`".to_owned(),
                AnswerKind::Word(words) => list(words),
                AnswerKind::Words(words) => format!("some of {}", list(words)),
            };
            let _ = writeln!(
                page,
                "| `{}` | {says} | {} | {} |",
                answer.name,
                cell(answer.about.en),
                cell(answer.about.zh)
            );
        }
        let _ = write!(
            page,
            "\nDuties: {}.\n\nWhen it happened: {}.",
            list(question.duties),
            list(question.happened)
        );
        let _ = writeln!(
            page,
            " Packs with rules: {}.",
            if packs.is_empty() { "none".to_owned() } else { packs.join(", ") }
        );
    }
    let _ = writeln!(page, "\n## Facts\n\n| fact | value | a person is asked | 询问 |\n|---|---|---|---|");
    for fact in FACTS {
        let value = match fact.kind {
            Kind::Flag => "`true`, `false`".to_owned(),
            Kind::Count => "a whole number from 0".to_owned(),
            Kind::Day => "a day: `2026-03-02`".to_owned(),
            Kind::Moment => {
                "an instant with its offset, `2026-03-02T09:00:00+08:00`; a day where no hours are counted"
                    .to_owned()
            }
            Kind::Word(words) => list(words),
            Kind::Words(words) => format!("a list of some of {}", list(words)),
        };
        let _ =
            writeln!(page, "| `{}` | {value} | {} | {} |", fact.name, cell(fact.asks.en), cell(fact.asks.zh));
    }
    named(&mut page, "Acts", "act", ACTS);
    named(&mut page, "Words", "word", WORDS);
    page
}

/// What acts or words are called.
fn named(page: &mut String, title: &str, what: &str, all: &[Named]) {
    let _ = writeln!(page, "\n## {title}\n\n| {what} | meaning | 含义 |\n|---|---|---|");
    for named in all {
        let _ = writeln!(page, "| `{}` | {} | {} |", named.name, cell(named.text.en), cell(named.text.zh));
    }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
