//! Asking the law: how questions come in as JSON, which packs they are put to, and what is answered. And how packs travel.
//!
//! Held: nothing. A question is answered out of its own facts and the packs, so there is no gate to ask, nothing to open and nothing to
//! enter: no fact is kept, logged, or repeated in an error. Whoever may call at all may ask; the command line asks without a vault.

pub mod http;
pub mod travel;

use jiff::civil::Date;
use rulebook::question::{self, Question};
use rulebook::{BadFact, Explained, Facts, Pack, Ruling, decide, explain};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use crate::ground::Problem;
use crate::ground::packs::Shelf;
use crate::ground::web::looks_like_a_name;

/// A question as JSON gives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    question: String,
    #[serde(default)]
    packs: Vec<String>,
    #[serde(default)]
    on: Option<String>,
    #[serde(default)]
    facts: Given,
}

/// Facts by name, each given once: of two that contradict each other nobody knows which was meant.
#[derive(Debug, Default)]
struct Given(Map<String, Json>);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Given;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("facts by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Given, A::Error> {
                let mut given = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, Json>()? {
                    if given.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate field"));
                    }
                }
                Ok(Given(given))
            }
        }
        deserializer.deserialize_map(Once)
    }
}

/// What a pack answered.
#[derive(Debug)]
pub struct Answered<'p> {
    /// The pack.
    pub pack: &'p Pack,
    /// What it says, by numbers.
    pub ruling: Ruling,
    /// The same in words.
    pub got: Explained,
}

/// Puts a question to the packs that it names, or to all.
///
/// Fails: `SR-LAW-001` for no question, `-002` for no pack, `-003` for a fact or a day that cannot be taken, `-010` for a pack that is refused;
/// with a pointer to what it is about. Nothing of what was given stands in it but names.
pub fn answers_to<'p>(asked: &Asked, shelf: &'p Shelf) -> Result<Vec<Answered<'p>>, Problem> {
    let question = find_question(&asked.question).map_err(|problem| problem.at("/question"))?;
    let facts = Facts::read(question.facts, &asked.facts.0).map_err(|bad| bad_fact(&bad))?;
    let on = asked.on.as_deref().map(str::parse::<Date>).transpose();
    let on = on.map_err(|_| cannot("`on`: a day like `2026-11-21` is expected").at("/on"))?;
    let packs = packs_of(&asked.packs, shelf)?;
    packs.into_iter().map(|pack| answer(pack, question, &facts, on)).collect()
}

/// How many packs a question is put to.
pub fn count_packs(asked: &Asked, shelf: &Shelf) -> usize {
    if asked.packs.is_empty() { shelf.sound().len() } else { asked.packs.len() }
}

/// Asks one pack. Fails: `SR-LAW-003` when a clock cannot be set.
pub fn answer<'p>(
    pack: &'p Pack,
    question: &'static Question,
    facts: &Facts,
    on: Option<Date>,
) -> Result<Answered<'p>, Problem> {
    let ruling = decide(pack, question, facts, on).map_err(|bad| cannot(bad.to_string()))?;
    let got = explain(pack, facts, &ruling);
    Ok(Answered { pack, ruling, got })
}

/// The question of a name. Fails: `SR-LAW-001`.
pub fn find_question(name: &str) -> Result<&'static Question, Problem> {
    question::find(name).ok_or_else(|| {
        let names: Vec<&str> = question::ALL.iter().map(|question| question.name).collect();
        let title = format!("there is no such question; they are: {}", names.join(", "));
        Problem::new("SR-LAW-001", 422, title)
    })
}

/// The pack of an id. Fails: `SR-LAW-002`, `SR-LAW-010`.
pub fn find_pack<'p>(id: &str, shelf: &'p Shelf) -> Result<&'p Pack, Problem> {
    shelf.find(id)?.ok_or_else(|| {
        let ids: Vec<&str> = shelf.sound().iter().map(|pack| pack.id.as_str()).collect();
        Problem::new("SR-LAW-002", 422, format!("there is no such pack; they are: {}", ids.join(", ")))
    })
}

/// The packs of these ids; all of them when none is named. Fails: `SR-LAW-002`, `SR-LAW-010`.
pub fn packs_of<'p>(ids: &[String], shelf: &'p Shelf) -> Result<Vec<&'p Pack>, Problem> {
    if ids.is_empty() {
        return shelf.packs();
    }
    let found = ids.iter().enumerate();
    found.map(|(at, id)| find_pack(id, shelf).map_err(|problem| problem.at(format!("/packs/{at}")))).collect()
}

/// The problem of a fact. It names the fact where that is a name, and never its value.
pub fn bad_fact(bad: &BadFact) -> Problem {
    let name = if looks_like_a_name(&bad.fact) { &bad.fact } else { "*" };
    cannot(format!("`{name}`: {}", bad.what)).at(format!("/facts/{name}"))
}

/// The problem of something that cannot be asked like this. Takes: words of ours.
pub fn cannot(why: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new("SR-LAW-003", 422, why).help("`strongroom law explain QUESTION` lists its facts")
}

#[cfg(test)]
mod tests {
    use rulebook::built_in;

    use super::*;

    fn ask(text: &str) -> Result<Vec<Json>, Problem> {
        let shelf = Shelf::default();
        let asked: Asked = serde_json::from_str(text).unwrap();
        let answers = answers_to(&asked, &shelf)?;
        Ok(answers.iter().map(|answered| serde_json::to_value(&answered.got).unwrap()).collect())
    }

    #[test]
    fn a_question_without_packs_is_put_to_all() {
        let all = ask(r#"{"question": "minor", "on": "2026-11-21", "facts": {"age": 13}}"#).unwrap();
        assert_eq!(all.len(), built_in().packs.len());
        assert!(all.iter().all(|answer| answer["checked_on"].is_string()));
    }

    #[test]
    fn what_cannot_be_asked_is_said_with_its_place_and_without_its_value() {
        for (text, code, pointer) in [
            (r#"{"question": "Ann Lee"}"#, "SR-LAW-001", "/question"),
            (r#"{"question": "minor", "packs": ["cn", "Ann Lee"]}"#, "SR-LAW-002", "/packs/1"),
            (r#"{"question": "minor", "facts": {"age": "Ann Lee"}}"#, "SR-LAW-003", "/facts/age"),
            (r#"{"question": "minor", "facts": {"Ann Lee": 1}}"#, "SR-LAW-003", "/facts/*"),
            (r#"{"question": "minor", "on": "Ann Lee"}"#, "SR-LAW-003", "/on"),
        ] {
            let problem = ask(text).unwrap_err();
            assert_eq!(
                (problem.code, problem.status, problem.pointer.as_deref()),
                (code, 422, Some(pointer))
            );
            assert!(!format!("{problem:?}").contains("Lee"), "{problem:?}");
        }
    }

    #[test]
    fn a_fact_that_is_given_twice_is_not_taken() {
        let twice = r#"{"question": "minor", "facts": {"age": 13, "age": 18}}"#;
        assert!(serde_json::from_str::<Asked>(twice).is_err());
    }
}
