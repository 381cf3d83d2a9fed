//! A policy out of ten answers: what a shop is asked, the file that comes of it, and what is left for people to do.
//!
//! Answers come from a terminal, one by one ([`QUESTIONS`]), or whole from a file ([`Answers`]). [`interview`] makes of them a policy in Chinese
//! and English that the check has nothing to say against, but for agreements that nobody has signed yet, and a list of [`Task`]s: whatever a file
//! cannot show. Nothing is made up: who was not named is left out, and asked for by a task.
//!
//! Where two laws ask for different things the stricter is written: a purpose has one basis, and it has to stand everywhere. Routes abroad and the
//! time for books are asked of the packs, and so is every citation.

mod answers;
mod choices;
mod known;
mod law;
mod plan;
mod question;
mod task;
mod write;

use jiff::civil::Date;
use rulebook::{Pack, Text, Words};
use serde::Serialize;

pub use answers::{Answers, Partner, Person};
pub use choices::{Doing, PartnerRole, Served};
pub use question::{Choice, MOST_PARTNERS, QUESTIONS, Question, QuestionKind};
pub use task::Task;

use known::Known;
use law::Law;

/// What comes of an interview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interviewed {
    /// The policy: TOML, with comments in both languages.
    pub policy: String,
    /// What is left for people to do, in the order in which it is best done.
    pub tasks: Vec<Task>,
}

/// Why an answer cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The question, by its id.
    pub question: &'static str,
    /// What is wrong with the answer, and how to mend it.
    pub why: Words,
}

/// Makes a policy of answers.
///
/// Takes the answers; today: the law of that day is asked, and the policy counts as read on it; the packs that are asked. Gives the policy and
/// what is left to do. Fails with every answer that is missing or cannot be taken; nothing has to be asked twice.
pub fn interview(answers: &Answers, today: Date, packs: &[&Pack]) -> Result<Interviewed, Vec<Refused>> {
    let known = Known::of(answers)?;
    let law = Law { packs, on: today };
    let plan = plan::plan(&known, law);
    let tasks = task::tasks(&known, &plan, law);
    Ok(Interviewed { policy: write::write(&known, &plan, today), tasks })
}

/// The same in both languages.
const fn said(zh: &'static str, en: &'static str) -> Text {
    Text { en, zh }
}

/// The same in both languages, for what is put together.
fn words(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words { en: en.into(), zh: zh.into() }
}
