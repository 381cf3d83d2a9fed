//! `strongroom interview`: ten questions, a policy, and what is left for people to do.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use policy::interview::{Answers, Interviewed, QUESTIONS, Question, QuestionKind, Refused, Task, interview};
use rulebook::{Pack, Text, Words};
use serde_json::json;

use super::files::{unwritable, write_new_file};
use super::{Context, Exit, Voice};
use crate::ground::Problem;

/// What `interview` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Asks at most ten questions on the terminal, or takes all answers from a file, and writes a policy in Chinese and English.
Nothing is made up: who is not named yet is left out, and stands in the list of tasks. docs/guide/interview.md shows both."
)]
pub(super) struct InterviewArgs {
    /// The language of the questions and of the tasks; the policy has both
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Take the answers from this file (TOML) instead of asking
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// The policy to write: a new file
    #[arg(long, value_name = "FILE", default_value = "shop.toml")]
    out: PathBuf,
}

impl InterviewArgs {
    /// What `init` without a policy asks: on the terminal, into `shop.toml`.
    pub(super) fn usual(lang: Lang) -> Self {
        Self { lang, answers: None, out: PathBuf::from("shop.toml") }
    }
}

/// A language in which is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Lang {
    Zh,
    En,
}

impl Lang {
    fn text(self, text: Text) -> &'static str {
        match self {
            Lang::Zh => text.zh,
            Lang::En => text.en,
        }
    }

    fn words(self, words: &Words) -> &str {
        match self {
            Lang::Zh => &words.zh,
            Lang::En => &words.en,
        }
    }
}

/// Asks, writes the policy, and tells what is left to do.
///
/// Fails: `SR-CLI-009` when there is such a file already, before anything is asked; `SR-CLI-011` when the answers end before the last question;
/// `SR-CLI-012` when the file of answers is none; `SR-CLI-013` when an answer in it cannot be taken. Nothing is written then.
pub(super) fn run(args: &InterviewArgs, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    if std::fs::symlink_metadata(&args.out).is_ok() {
        return Err(unwritable(&args.out, std::io::ErrorKind::AlreadyExists));
    }
    let today = super::check::today();
    let shelf = super::law::packs(context)?;
    let law = Law { packs: &shelf.packs()?, today };
    let answers = match &args.answers {
        Some(file) => read_answers(file)?,
        None => ask_all(&mut std::io::stdin().lock(), args.lang, law, voice)?,
    };
    let made =
        interview(&answers, today, law.packs).map_err(|refused| not_taken(&refused, args.lang, voice))?;
    // A policy is no secret: it has the usual mode.
    write_new_file(&args.out, made.policy.as_bytes(), 0o666)?;
    tell(&made, &args.out, args.lang, voice);
    Ok(Exit::Done)
}

/// The law that is asked.
#[derive(Clone, Copy)]
struct Law<'p> {
    packs: &'p [&'p Pack],
    today: Date,
}

fn read_answers(file: &Path) -> Result<Answers, Problem> {
    let text = super::init::read_policy(file)?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        Problem::new("SR-CLI-012", 400, format!("`{}` is not a file of answers", file.display()))
            .at(format!("line {line}"))
            .help("docs/guide/interview.md shows one, with every key")
    })
}

/// Asks every question; one whose answer cannot be taken is asked again.
fn ask_all(input: &mut impl BufRead, lang: Lang, law: Law<'_>, voice: Voice) -> Result<Answers, Problem> {
    let mut answers = Answers::default();
    for (number, question) in QUESTIONS.iter().enumerate() {
        let of = QUESTIONS.len();
        voice.say(format!("\n{}/{of}  {}", number.saturating_add(1), lang.text(question.asks)));
        show(question, &answers, lang, law, voice);
        loop {
            let Some(line) = answer(input, question, &answers, voice)? else {
                voice.say(format!("  ! {}", lang.text(NOT_UTF_8)));
                continue;
            };
            match question.take(&line, &mut answers) {
                Ok(()) => break,
                Err(refused) => voice.say(format!("  ! {}", lang.words(&refused.why))),
            }
        }
    }
    Ok(answers)
}

/// What helps to answer: an explanation, the choices by number, the answers so far.
fn show(question: &Question, so_far: &Answers, lang: Lang, law: Law<'_>, voice: Voice) {
    voice.say(format!("  {}", lang.text(question.help)));
    if let Some(hint) = question.hint(so_far, law.today, law.packs) {
        voice.say(format!("  {}", lang.words(&hint)));
    }
    for (number, choice) in question.kind.choices().iter().enumerate() {
        voice.say(format!("  {}  {} ({})", number.saturating_add(1), lang.text(choice.label), choice.word));
    }
    let how = match (question.kind, lang) {
        (QuestionKind::SeveralOf(_) | QuestionKind::AnyOf(_), Lang::Zh) => "  可多选，以空格分隔编号",
        (QuestionKind::SeveralOf(_) | QuestionKind::AnyOf(_), Lang::En) => {
            "  Several are possible: numbers with blanks between them"
        }
        (QuestionKind::Text | QuestionKind::Count, _) => return,
    };
    voice.say(how);
}

/// The line that is typed, or what is usual where none is; `None` when it is no text.
fn answer(
    input: &mut impl BufRead,
    question: &Question,
    so_far: &Answers,
    voice: Voice,
) -> Result<Option<String>, Problem> {
    let usual = question.usual(so_far);
    voice.say(match usual.as_deref() {
        Some(usual) if !usual.is_empty() => format!("  [{usual}]"),
        _ => String::from("  >"),
    });
    let mut line = Vec::new();
    let read = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Err(Problem::new(
            "SR-CLI-011",
            400,
            "the interview ended before its last question; nothing was written",
        )
        .help("answer all questions, or give the answers in a file: `--answers FILE`"));
    }
    let Ok(line) = String::from_utf8(line) else { return Ok(None) };
    let line = line.trim();
    Ok(Some(if line.is_empty() { usual.unwrap_or_default() } else { line.to_owned() }))
}

const NOT_UTF_8: Text =
    Text { zh: "无法读取：请以 UTF-8 编码输入", en: "this cannot be read: type it in UTF-8" };

/// Longer than anybody types; what comes behind it is the next line.
const LONGEST_LINE: u64 = 64 << 10;

fn not_taken(refused: &[Refused], lang: Lang, voice: Voice) -> Problem {
    for one in refused {
        voice.say(format!("{}: {}", one.question, lang.words(&one.why)));
    }
    let questions: Vec<&str> = refused.iter().map(|one| one.question).collect();
    Problem::new("SR-CLI-013", 400, format!("answers that cannot be taken: {}", questions.join(", ")))
        .help("mend them and run the command again; nothing was written")
}

fn tell(made: &Interviewed, out: &Path, lang: Lang, voice: Voice) {
    if voice.json {
        voice.print_json(&json!({ "policy": out.display().to_string(), "tasks": made.tasks }));
        return;
    }
    for (number, task) in made.tasks.iter().enumerate() {
        show_task(number.saturating_add(1), task, lang, voice);
    }
    let (written, next) = match lang {
        Lang::Zh => ("已写入", "完成上列事项前也可以先检查和试用；接下来"),
        Lang::En => ("written to", "It can be checked and tried before all of that is done. Next"),
    };
    let out = out.display();
    voice.say(format!("\n{written} {out}"));
    voice.say(format!("{next}:\n  strongroom check {out}\n  strongroom init --policy {out}"));
}

fn show_task(number: usize, task: &Task, lang: Lang, voice: Voice) {
    let key = task.key.as_ref().map(|key| format!("  ({key})")).unwrap_or_default();
    voice.print(format!("{number:>2}  {}{key}", lang.words(&task.text)));
    if !task.cites.is_empty() {
        voice.print(format!("    {}", task.cites.join("; ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Voice = Voice { json: false, quiet: true };
    const TODAY: Date = jiff::civil::date(2026, 11, 28);

    fn law() -> Law<'static> {
        Law { packs: &rulebook::built_in().packs, today: TODAY }
    }

    fn asked(typed: &str) -> Result<Answers, Problem> {
        ask_all(&mut typed.as_bytes(), Lang::Zh, law(), QUIET)
    }

    const TYPED: &str = "海港茶行 / Harbour Tea\n\n1\nown tmall\ncn, 上海市示例路1号\n\n2万\n-\n\n林月 <privacy@harbour-tea.example>\n";

    #[test]
    fn empty_lines_take_what_is_usual() {
        let answers = asked(TYPED).unwrap();
        assert_eq!(answers.id, "harbour-tea");
        assert_eq!(answers.kept_in, "cn");
        assert_eq!(answers.persons, Some(20_000));
        assert!(interview(&answers, TODAY, law().packs).is_ok());
    }

    #[test]
    fn a_question_whose_answer_cannot_be_taken_is_asked_again() {
        let answers = asked(&TYPED.replace("2万\n", "many\n\n2万\n")).unwrap();
        assert_eq!(answers, asked(TYPED).unwrap());
    }

    #[test]
    fn an_answer_in_another_encoding_is_asked_for_again() {
        let typed = [b"\xba\xa3\xb8\xdb\n", TYPED.as_bytes()].concat(); // GBK
        let answers = ask_all(&mut typed.as_slice(), Lang::Zh, law(), QUIET).unwrap();
        assert_eq!(answers, asked(TYPED).unwrap());
    }

    #[test]
    fn an_interview_that_ends_early_is_a_problem() {
        let early = TYPED.rsplit_once("林月").unwrap().0;
        assert_eq!(asked(early).unwrap_err().code, "SR-CLI-011");
        assert_eq!(asked("").unwrap_err().code, "SR-CLI-011");
    }

    #[test]
    fn a_policy_is_never_written_over_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.toml");
        write_new_file(&file, b"one", 0o666).unwrap();
        assert_eq!(write_new_file(&file, b"two", 0o666).unwrap_err().code, "SR-CLI-009");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one");
    }

    #[test]
    fn a_file_of_answers_that_is_none_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("answers.toml");
        std::fs::write(&file, "id = \"shop\"\nserve = [\"cn\"]\n").unwrap();
        let problem = read_answers(&file).unwrap_err();
        assert_eq!((problem.code, problem.pointer.as_deref()), ("SR-CLI-012", Some("line 2")));
    }
}
