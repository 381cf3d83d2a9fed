//! What holds of every pack, for any facts.

#![cfg(test)]

use std::collections::BTreeSet;

use jiff::civil::Date;
use proptest::prelude::*;
use proptest::sample::select;
use rulebook::{Explained, Expr, Facts, Kind, Outcome, Pack, built_in, decide, explain, question};
use serde_json::{Map, Value as Json, json};

fn any_value(kind: Kind) -> BoxedStrategy<Json> {
    match kind {
        Kind::Flag => any::<bool>().prop_map(Json::from).boxed(),
        // Bounds of laws are round numbers: one more and one less are tried more often than others.
        Kind::Count => prop_oneof![
            0_u64..40,
            (0_u32..10, 1_u64..10, -1_i64..=1)
                .prop_map(|(zeros, digit, by)| (digit * 10_u64.pow(zeros)).saturating_add_signed(by)),
        ]
        .prop_map(Json::from)
        .boxed(),
        Kind::Day => (0_i32..8_000).prop_map(|days| json!(day(days).to_string())).boxed(),
        Kind::Moment => prop_oneof![
            (0_i32..8_000).prop_map(|days| json!(day(days).to_string())),
            (1_262_304_000_i64..1_900_000_000)
                .prop_map(|second| json!(jiff::Timestamp::from_second(second).unwrap().to_string())),
        ]
        .boxed(),
        Kind::Word(known) => select(known).prop_map(Json::from).boxed(),
        Kind::Words(known) => {
            proptest::collection::btree_set(select(known), 0..4).prop_map(|words| json!(words)).boxed()
        }
    }
}

fn day(days: i32) -> Date {
    jiff::civil::date(2010, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap()
}

/// A question, and some of its facts.
fn any_question() -> impl Strategy<Value = (&'static question::Question, Map<String, Json>)> {
    (0..question::ALL.len()).prop_map(|number| &question::ALL[number]).prop_flat_map(|question| {
        let facts: Vec<_> = question
            .facts
            .iter()
            .map(|fact| {
                proptest::option::weighted(0.8, any_value(fact.kind)).prop_map(|value| (fact.name, value))
            })
            .collect();
        let facts = facts.prop_map(|facts| {
            facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
        });
        (Just(question), facts)
    })
}

fn ask(pack: &Pack, question: &'static question::Question, facts: &Map<String, Json>) -> Option<Explained> {
    let facts = Facts::read(question.facts, facts).unwrap();
    let ruling = decide(pack, question, &facts, Some(jiff::civil::date(2026, 11, 21))).ok()?;
    assert!(ruling.outcome != Outcome::Answered || ruling.asks.is_empty());
    Some(explain(pack, &facts, &ruling))
}

fn owed(got: &Explained) -> BTreeSet<(&str, &str)> {
    got.duties.iter().filter(|duty| duty.certain).map(|duty| (duty.act, duty.rule.as_str())).collect()
}

/// Does a condition of a rule, of a duty or of an extension ask whether this fact is known at all, by itself or by a name that the pack defines?
fn asks_whether_it_is_known(pack: &Pack, question: &'static question::Question, fact: &str) -> bool {
    fn asks(about: &Expr, question: &question::Question, fact: &str) -> bool {
        match about {
            Expr::Known(number) => question.facts[*number].name == fact,
            Expr::Not(inner) => asks(inner, question, fact),
            Expr::All(all) | Expr::Any(all) => all.iter().any(|one| asks(one, question, fact)),
            _ => false,
        }
    }
    pack.rules_of(question).any(|rule| {
        let of_duties = rule.duties.iter().map(|duty| &duty.when);
        std::iter::once(&rule.when).chain(of_duties).any(|about| asks(about, question, fact))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_explanation_names_every_rule_that_was_used_and_where_it_stands((question, facts) in any_question()) {
        for pack in &built_in().packs {
            let Some(got) = ask(pack, question, &facts) else { continue };
            let steps: BTreeSet<&str> = got.steps.iter().filter(|step| step.used).map(|step| step.rule.as_str()).collect();
            for rule in got.answers.iter().filter_map(|answer| answer.rule.as_deref()) {
                prop_assert!(steps.contains(rule), "{} {rule}", pack.id);
            }
            for duty in got.duties.iter().filter(|duty| duty.certain) {
                prop_assert!(steps.contains(duty.rule.as_str()) && !duty.cites.is_empty(), "{} {}", pack.id, duty.rule);
            }
            prop_assert!(got.steps.iter().all(|step| !step.cites.is_empty()));
        }
    }

    #[test]
    fn what_is_said_and_owed_is_there_in_chinese_too((question, facts) in any_question()) {
        let is_chinese = |text: &str| text.contains(|letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        for pack in &built_in().packs {
            let Some(got) = ask(pack, question, &facts) else { continue };
            for said in &got.answers {
                let words = said.says.as_array().map_or(1, |all| all.len().max(1));
                let chinese = said.in_words.zh.split('、').filter(|word| is_chinese(word)).count();
                prop_assert!(chinese >= words, "{} {}: {}", pack.id, said.name, said.in_words.zh);
                prop_assert!(!is_chinese(&said.in_words.en) && !said.in_words.en.contains('_'), "{} {}", pack.id, said.name);
            }
            for duty in &got.duties {
                prop_assert!(is_chinese(duty.name.zh) && !is_chinese(duty.name.en), "{} {}", pack.id, duty.act);
            }
        }
    }

    #[test]
    fn what_is_decided_stays_decided_when_more_is_known((question, facts) in any_question(), (_, more) in any_question()) {
        for pack in &built_in().packs {
            let Some(before) = ask(pack, question, &facts) else { continue };
            let mut all = facts.clone();
            for (name, value) in &more {
                let is_its = question.facts.iter().any(|fact| fact.name == name);
                // When it happened says which law is asked: that is another question.
                if is_its && !all.contains_key(name) && !question.happened.contains(&name.as_str()) && name != "on" {
                    all.insert(name.clone(), value.clone());
                }
            }
            // A condition that asks whether something is known at all is answered anew when it is.
            all.retain(|name, _| facts.contains_key(name) || !asks_whether_it_is_known(pack, question, name));
            let Some(after) = ask(pack, question, &all) else { continue };
            for said in before.answers.iter().filter(|answer| !answer.says.is_null()) {
                let now = after.answers.iter().find(|answer| answer.name == said.name);
                prop_assert_eq!(now.map(|now| &now.says), Some(&said.says), "{} {}", &pack.id, said.name);
            }
            prop_assert!(owed(&before).is_subset(&owed(&after)), "{}", pack.id);
        }
    }

    #[test]
    fn more_persons_never_lower_a_grade_nor_end_a_duty_to_tell(
        persons in 0_u64..200_000_000, more in 0_u64..200_000_000, known in any::<[bool; 4]>(),
    ) {
        let question = question::find("breach").unwrap();
        let facts = |persons: u64| {
            let facts = json!({
                "detected_at": "2026-03-02T09:00:00+08:00", "persons": persons, "is_ciio": known[0], "is_state_organ": known[1],
                "other_grading_criteria_met": known[2], "significant_harm": known[3], "role": "controller",
            });
            facts.as_object().unwrap().clone()
        };
        let grades = ["general", "larger", "major", "extremely_major"];
        for pack in &built_in().packs {
            let (few, many) = (ask(pack, question, &facts(persons)).unwrap(), ask(pack, question, &facts(persons + more)).unwrap());
            let grade = |got: &Explained| {
                let says = got.answers.iter().find(|answer| answer.name == "grade")?.says.as_str()?;
                grades.iter().position(|grade| *grade == says)
            };
            if let (Some(few), Some(many)) = (grade(&few), grade(&many)) {
                prop_assert!(few <= many, "{}", pack.id);
            }
            let acts = |got: &Explained| got.duties.iter().filter(|duty| duty.certain).map(|duty| duty.act).collect::<BTreeSet<_>>();
            prop_assert!(acts(&few).is_subset(&acts(&many)), "{}: {:?} {:?}", pack.id, acts(&few), acts(&many));
        }
    }

    #[test]
    fn who_finds_out_later_is_due_no_earlier(second in 1_700_000_000_i64..1_780_000_000, later in 0_i64..40_000_000) {
        let question = question::find("breach").unwrap();
        let facts = |second: i64| {
            let at = jiff::Timestamp::from_second(second).unwrap().to_string();
            json!({ "detected_at": at, "persons": 2_000_000, "role": "controller" }).as_object().unwrap().clone()
        };
        for pack in &built_in().packs {
            let dues = |second| {
                let known = Facts::read(question.facts, &facts(second)).unwrap();
                let ruling = decide(pack, question, &known, None).unwrap();
                let dues = ruling.duties.iter().filter_map(|owed| {
                    Some(((owed.rule, owed.duty), owed.due.as_ref()?.instant(&pack.zone)))
                });
                dues.collect::<Vec<_>>()
            };
            let (before, after) = (dues(second), dues(second + later));
            for (what, due) in before {
                if let Some((_, then)) = after.iter().find(|(same, _)| *same == what) {
                    prop_assert!(due <= *then, "{}", pack.id);
                }
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}", condition in "[a-z_ <>=()0-9,\\[\\]-]{0,80}") {
        let calendar = |_: &str| None;
        let _ = Pack::read("any.toml", &text, &calendar);
        let with = rulebook::FILES[0].pack.replacen("when = \"age < 14\"", &format!("when = {condition:?}"), 1);
        let _ = rulebook::read_pack("any.toml", &with);
    }
}

#[test]
fn another_law_that_is_asked_takes_no_duty_away() {
    // Packs are asked one by one, and each answers for itself: what one owes does not depend on whether another is asked.
    let question = question::find("breach").unwrap();
    let facts = json!({ "detected_at": "2026-03-02T09:00:00+08:00", "persons": 2_000_000, "role": "controller", "risk": "high" });
    let one_by_one = |packs: &[&Pack]| {
        let got = packs.iter().map(|pack| ask(pack, question, facts.as_object().unwrap()).unwrap());
        got.flat_map(|got| {
            owed(&got).into_iter().map(|(act, rule)| format!("{} {act} {rule}", got.pack)).collect::<Vec<_>>()
        })
        .collect::<BTreeSet<String>>()
    };
    let packs: Vec<&Pack> = built_in().packs.clone();
    for end in 1..packs.len() {
        assert!(one_by_one(&packs[..end]).is_subset(&one_by_one(&packs[..=end])));
    }
}
