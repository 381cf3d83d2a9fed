//! Scenarios: facts, and what a pack has to answer to them, written so that a lawyer can read and judge them.
//!
//! ```toml
//! [[scenario]]
//! name = "1,200,000 people's data leaked: 较大, four hours"
//! question = "breach"
//! facts = { detected_at = "2026-03-02T09:00:00+08:00", persons = 1_200_000, is_ciio = false }
//! says = { grade = "larger", report_incident = true }
//! by = { report_incident = "2026-03-02T13:00:00+08:00" }
//! cites = ["Incident Measures 4"]
//! ```
//!
//! `owes` and `owes_not` name duties; `asks` names exactly the facts that a person is asked; `outcome` is `answered` where nothing is said;
//! `by`, `aim`, `safe` and `not_before` give the days of a duty.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use crate::decide::decide;
use crate::explain::{Explained, ExplainedDuty, explain};
use crate::fact::Facts;
use crate::pack::{BadPack, Confidence, Pack};
use crate::question;

/// One scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, and what is expected.
    pub name: String,
    /// The question.
    pub question: String,
    /// The day whose law is asked, where the facts do not say it.
    #[serde(default)]
    pub on: Option<String>,
    /// What is known.
    #[serde(default)]
    pub facts: toml::Table,
    /// Answers by name.
    #[serde(default)]
    pub says: BTreeMap<String, serde_json::Value>,
    /// Answers that are open, or of which the pack says nothing.
    #[serde(default)]
    pub says_not: Vec<String>,
    /// Duties that are owed.
    #[serde(default)]
    pub owes: Vec<String>,
    /// Duties that are not.
    #[serde(default)]
    pub owes_not: Vec<String>,
    /// Deadlines of duties: a day or an instant.
    #[serde(default)]
    pub by: BTreeMap<String, String>,
    /// Earlier times to aim at.
    #[serde(default)]
    pub aim: BTreeMap<String, String>,
    /// First days of windows.
    #[serde(default)]
    pub not_before: BTreeMap<String, String>,
    /// Safe days of deadlines that are provisional.
    #[serde(default)]
    pub safe: BTreeMap<String, String>,
    /// Exactly what a person is asked.
    #[serde(default)]
    pub asks: Option<Vec<String>>,
    /// Rules that are coming.
    #[serde(default)]
    pub coming: Vec<String>,
    /// Rules that are not.
    #[serde(default)]
    pub coming_not: Vec<String>,
    /// Citations that must be among those given.
    #[serde(default)]
    pub cites: Vec<String>,
    /// How sure the answer is.
    #[serde(default)]
    pub confidence: Option<Confidence>,
    /// What comes of it as a whole; `answered` where it is not said and nothing is asked.
    #[serde(default)]
    pub outcome: Option<String>,
    /// What else a reader should know.
    #[serde(default)]
    pub note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    scenario: Vec<Scenario>,
}

/// Reads a file of scenarios. Fails like a pack does, with file and line.
pub fn read(file: &str, text: &str) -> Result<Vec<Scenario>, BadPack> {
    let read: Result<File, _> = toml::from_str(text);
    read.map(|file| file.scenario).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).map_or(1, |before| before.matches('\n').count().saturating_add(1));
        BadPack { file: file.to_owned(), line, why: error.message().to_owned() }
    })
}

impl Scenario {
    /// Asks the pack, and says how its answer differs from what is expected: nothing, when it does not.
    pub fn differs(&self, pack: &Pack) -> Vec<String> {
        match self.ask(pack) {
            Ok(explained) => self.compare(&explained),
            Err(why) => vec![why],
        }
    }

    /// Asks the pack. Fails, in words, on a question or facts that there are not.
    pub fn ask(&self, pack: &Pack) -> Result<Explained, String> {
        let question = question::find(&self.question)
            .ok_or_else(|| format!("there is no question `{}`", self.question))?;
        let mut facts = Facts::none(question.facts);
        for (name, value) in &self.facts {
            let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
            facts.set(name, &value).map_err(|bad| bad.to_string())?;
        }
        let on = self.on.as_deref().map(str::parse::<Date>).transpose().map_err(|error| error.to_string())?;
        let ruling = decide(pack, question, &facts, on).map_err(|bad| bad.to_string())?;
        Ok(explain(pack, &facts, &ruling))
    }

    fn compare(&self, got: &Explained) -> Vec<String> {
        let mut differs = Vec::new();
        let mut must = |is: bool, what: String| {
            if !is {
                differs.push(what);
            }
        };
        let of =
            |name: &str| got.answers.iter().find(|answer| answer.name == name).map(|answer| &answer.says);
        for (name, wanted) in &self.says {
            let said = of(name);
            must(said == Some(wanted), format!("`{name}` is {}", said.unwrap_or(&serde_json::Value::Null)));
        }
        for name in &self.says_not {
            must(of(name).is_none_or(serde_json::Value::is_null), format!("`{name}` is said"));
        }
        let owed = |act: &str| -> Vec<&ExplainedDuty> {
            got.duties.iter().filter(|duty| duty.act == act && duty.certain).collect()
        };
        for act in &self.owes {
            must(!owed(act).is_empty(), format!("`{act}` is not owed"));
        }
        for act in &self.owes_not {
            must(owed(act).is_empty(), format!("`{act}` is owed"));
        }
        let mut days =
            |wanted: &BTreeMap<String, String>, what: &str, shown: &dyn Fn(&str) -> Vec<String>| {
                for (act, day) in wanted {
                    let shown = shown(act);
                    must(shown.contains(day), format!("`{act}` has {what} {}", shown.join(", ")));
                }
            };
        days(&self.by, "the deadline", &|act| {
            owed(act).into_iter().filter_map(|duty| duty.by.clone()).collect()
        });
        days(&self.aim, "the aim", &|act| {
            owed(act).into_iter().filter_map(|duty| duty.aim.clone()).collect()
        });
        days(&self.not_before, "the first day", &|act| {
            owed(act).into_iter().filter_map(|duty| duty.not_before.clone()).collect()
        });
        days(&self.safe, "the safe day", &|act| {
            owed(act)
                .into_iter()
                .filter_map(|duty| Some(duty.provisional.as_ref()?.safe.to_string()))
                .collect()
        });
        for duty in &got.duties {
            let is_provisional = duty.certain && duty.provisional.is_some();
            must(
                !is_provisional || self.safe.contains_key(duty.act),
                format!("`{}` is provisional", duty.act),
            );
        }
        let mut asked: Vec<&str> = got.asks.iter().map(|ask| ask.fact).collect();
        if let Some(asks) = &self.asks {
            let mut wanted: Vec<&str> = asks.iter().map(String::as_str).collect();
            asked.sort_unstable();
            wanted.sort_unstable();
            must(asked == wanted, format!("it asks {}", asked.join(", ")));
        }
        let cited = |wanted: &String| {
            let duties = got.duties.iter().flat_map(|duty| &duty.cites);
            let steps = got.steps.iter().filter(|step| step.holds == "yes").flat_map(|step| &step.cites);
            duties.chain(steps).any(|cite| cite == wanted)
        };
        for cite in &self.cites {
            must(cited(cite), format!("`{cite}` is not cited"));
        }
        for rule in &self.coming {
            must(got.coming.iter().any(|coming| coming.rule == *rule), format!("`{rule}` is not coming"));
        }
        for rule in &self.coming_not {
            must(!got.coming.iter().any(|coming| coming.rule == *rule), format!("`{rule}` is coming"));
        }
        if let Some(confidence) = self.confidence {
            must(got.confidence == Some(confidence), format!("it is {:?}", got.confidence));
        }
        let wanted = self.outcome.as_deref().or((self.asks.is_none()).then_some("answered"));
        must(wanted.is_none_or(|wanted| wanted == got.outcome), format!("it comes to `{}`", got.outcome));
        differs
    }
}
