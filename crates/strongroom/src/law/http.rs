//! The route: questions of law, for programs.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use rulebook::Explained;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};

use super::{Answered, Asked, answers_to, count_packs};
use crate::ground::packs::Shelf;
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Request, Route, answer, read_json};
use crate::ground::{Deed, Problem};

/// Longest body, bytes.
pub const BODY_LIMIT: usize = 256 << 10;
/// Questions of one request at the most.
pub const QUESTION_LIMIT: usize = 100;
/// Answers to one request at the most: questions times the packs that each is put to.
pub const ANSWER_LIMIT: usize = 400;

/// What there is to ask.
pub fn routes() -> Vec<Route> {
    let decide = Route::post("/v1/law:decide", Deed::AskLaw, |request| Box::pin(post_decide(request)));
    vec![Route { body_limit: BODY_LIMIT, ..decide }]
}

/// One question, or a list of up to 100 of them, as the OpenAPI document has it.
#[derive(Debug)]
pub struct AskedBody;

impl utoipa::PartialSchema for AskedBody {
    fn schema() -> RefOr<Schema> {
        let one = || Ref::from_schema_name("LawQuestion");
        let several = ArrayBuilder::new().items(one()).min_items(Some(1)).max_items(Some(QUESTION_LIMIT));
        OneOfBuilder::new().item(one()).item(several).into()
    }
}

impl ToSchema for AskedBody {}

/// A question of law: for the document; [`Asked`] reads it.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = LawQuestion)]
#[serde(deny_unknown_fields)]
pub struct QuestionBody {
    /// Which one; docs/reference/questions.md has all of them.
    #[schema(example = "breach")]
    pub question: String,
    /// The packs that are asked; all of them when none is named.
    #[serde(default)]
    #[schema(required = false, example = json!(["cn"]))]
    pub packs: Vec<String>,
    /// The day whose law is asked, where the facts do not say when it happened.
    #[schema(required = false, format = Date)]
    pub on: Option<String>,
    /// What is known, by the names of the question's facts. What is not given is asked; `null` is not given.
    #[serde(default)]
    #[schema(required = false, value_type = Object)]
    pub facts: serde_json::Map<String, Json>,
}

/// What was answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct LawAnswers {
    /// One for each question, in their order.
    pub results: Vec<LawResult>,
}

/// What the packs answered to one question.
#[derive(Debug, Serialize, ToSchema)]
pub struct LawResult {
    /// Which question, from 0.
    pub index: usize,
    /// One answer for each pack that was asked.
    #[schema(value_type = Vec<AnswerBody>)]
    pub answers: Vec<Explained>,
}

/// Ask what laws and marketplaces want: answers and duties with their deadlines, articles and steps.
///
/// Nothing of it is kept, logged or entered. A fact that is not given is not taken for granted; law that was not in force on the day on which it
/// happened does not decide. Not legal advice: `confidence` says how sure the rules are.
#[utoipa::path(post, path = "/v1/law:decide", tag = "law", request_body = inline(AskedBody),
    responses((status = 200, description = "What each pack answers", body = LawAnswers),
              (status = 422, description = "No such question, pack or fact, or more than may be asked at once", body = ProblemBody),
              (status = 503, description = "A pack that was installed is not as it was signed, and does not answer", body = ProblemBody)))]
pub(crate) async fn post_decide(request: Request) -> Result<Response<Body>, Problem> {
    let house = std::sync::Arc::clone(&request.house);
    // Files may have to be read, and a hundred questions take longer than a thread that serves others should be held.
    let decided = tokio::task::spawn_blocking(move || decide(&request.body, &*house.packs.shelf()?)).await;
    Ok(answer(StatusCode::OK, &decided.map_err(|_| Problem::from(store::Error::Panicked))??))
}

fn decide(body: &[u8], shelf: &Shelf) -> Result<LawAnswers, Problem> {
    let is_list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let all: Vec<Asked> = if is_list { read_json(body)? } else { vec![read_json(body)?] };
    let answers = all.iter().map(|asked| count_packs(asked, shelf)).fold(0, usize::saturating_add);
    if all.is_empty() || all.len() > QUESTION_LIMIT || answers > ANSWER_LIMIT {
        return Err(Problem::new(
            "SR-LAW-005",
            422,
            "a request asks 1 to 100 questions, and has up to 400 answers",
        )
        .help("ask in several requests, or name the packs that matter"));
    }
    let mut results = Vec::with_capacity(all.len());
    for (index, asked) in all.iter().enumerate() {
        let here = |problem: Problem| match &problem.pointer {
            Some(pointer) if is_list => {
                let pointer = format!("/{index}{pointer}");
                problem.at(pointer)
            }
            None if is_list => problem.at(format!("/{index}")),
            _ => problem,
        };
        let answers = answers_to(asked, shelf).map_err(here)?;
        results.push(LawResult {
            index,
            answers: answers.into_iter().map(|Answered { got, .. }| got).collect(),
        });
    }
    Ok(LawAnswers { results })
}

// What the rulebook writes, for the document.

/// What a pack answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LawAnswer)]
pub struct AnswerBody {
    /// The pack.
    pub pack: String,
    /// The day of the pack's sources: which version of it answers.
    #[schema(format = Date)]
    pub checked_on: String,
    /// The question.
    pub question: String,
    /// `answered`, `ask_a_person`, `not_in_force` or `silent`.
    pub outcome: String,
    /// The day whose law was asked.
    #[schema(nullable = false, format = Date)]
    pub on: Option<String>,
    /// The first day on which there is law about it, when there was none then.
    #[schema(nullable = false, format = Date)]
    pub in_force_from: Option<String>,
    /// Answers by name.
    pub answers: Vec<SaidBody>,
    /// Duties.
    pub duties: Vec<DutyBody>,
    /// What a person is asked.
    pub asks: Vec<AskBody>,
    /// Rules of a law that is not in force on that day and that would hold. They decide nothing.
    pub coming: Vec<ComingBody>,
    /// `verified`, `secondary` or `unverified`: the least sure of the rules that it rests on.
    #[schema(nullable = false)]
    pub confidence: Option<String>,
    /// The first deadline: a day (its end) or an instant.
    #[schema(nullable = false)]
    pub earliest: Option<String>,
    /// The rules that were looked at, and what came of each.
    pub steps: Vec<StepBody>,
}

/// What is said in both languages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LawWords)]
pub struct WordsBody {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// One answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LawSaid)]
pub struct SaidBody {
    /// Its name.
    pub name: String,
    /// `true` or `false`, a word, or a list of words; `null` when a person has to be asked.
    #[schema(value_type = Value)]
    pub says: Json,
    /// The same for people to read.
    pub in_words: WordsBody,
    /// What it means.
    pub about: WordsBody,
    /// The rule that decided.
    #[schema(nullable = false)]
    pub rule: Option<String>,
}

/// One duty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LawDuty)]
pub struct DutyBody {
    /// What.
    pub r#do: String,
    /// What that is called.
    pub name: WordsBody,
    /// `false`: it depends on what is asked.
    pub certain: bool,
    /// To whom.
    #[schema(nullable = false)]
    pub to: Option<WordsBody>,
    /// By when: a day (its end) or an instant.
    #[schema(nullable = false)]
    pub by: Option<String>,
    /// The law's own number: `4h`, `1mo`.
    #[schema(nullable = false)]
    pub within: Option<String>,
    /// The first day of the window.
    #[schema(nullable = false, format = Date)]
    pub not_before: Option<String>,
    /// The deadline rests on a calendar that is not published yet; who acts by this day is safe whatever it says.
    #[schema(value_type = Object, required = false)]
    pub provisional: Option<Json>,
    /// An earlier time to aim at.
    #[schema(nullable = false)]
    pub aim: Option<String>,
    /// How soon, where the law has no number.
    #[schema(nullable = false)]
    pub soon: Option<String>,
    /// What has to be in it.
    #[schema(required = false)]
    pub contents: Vec<WordsBody>,
    /// What else there is to say.
    #[schema(nullable = false)]
    pub note: Option<WordsBody>,
    /// The rule.
    pub rule: String,
    /// Where it stands.
    pub cites: Vec<String>,
    /// `in_force` or `guideline`.
    pub status: String,
    /// How sure.
    pub confidence: String,
}

/// What a person is asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LawAsk)]
pub struct AskBody {
    /// The fact.
    pub fact: String,
    /// The question.
    pub asks: WordsBody,
    /// Words that can be the answer.
    #[schema(required = false)]
    pub one_of: Vec<String>,
}

/// A rule of a law that is not in force on that day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LawComing)]
pub struct ComingBody {
    /// The rule.
    pub rule: String,
    /// `in_force`, `guideline`, `pending` or `draft`.
    pub status: String,
    /// From when, where that is set.
    #[schema(nullable = false, format = Date)]
    pub from: Option<String>,
    /// Where it stands.
    pub cites: Vec<String>,
    /// What it would say.
    #[schema(nullable = false)]
    pub note: Option<WordsBody>,
}

/// One rule that was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LawStep)]
pub struct StepBody {
    /// The rule.
    pub rule: String,
    /// Its condition, as written.
    pub when: String,
    /// `yes`, `no` or `unknown`.
    pub holds: String,
    /// It decided an answer, or something is owed because of it.
    pub used: bool,
    /// Where it stands.
    pub cites: Vec<String>,
}
