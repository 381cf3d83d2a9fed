//! `strongroom law`: what the packs say, asked without a vault.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use ledger::note::Verifier;
use rulebook::question::{self, AnswerKind, Question};
use rulebook::{Confidence, Explained, Facts, Kind, Pack, Rule, Text, Words, names};
use serde_json::{Map, Value as Json, json};

use super::{Context, Exit, Voice};
use crate::config::Config;
use crate::ground::packs::{self, Installed, Packs, Shelf};
use crate::ground::{Problem, keys_folder};
use crate::law::travel::{self, Older, Update};
use crate::law::{Answered, Asked, answer, answers_to, bad_fact, cannot, find_pack, find_question, packs_of};

/// What `law` takes.
#[derive(Debug, Subcommand)]
pub(super) enum LawCommand {
    /// List the packs: laws and marketplaces, how deep each goes, and how sure it is
    List,
    /// Show a pack: its laws with their dates, and its rules with their articles
    Show {
        /// The pack: `cn`, `us-ca`, `taobao`
        pack: String,
        #[command(flatten)]
        words: LanguageArgs,
    },
    /// Ask a question, and see every step of the answer; without facts: which facts it knows
    Explain(ExplainArgs),
    /// All deadlines behind an event as a timeline, each in the time of its place and in UTC
    Clock(ExplainArgs),
    /// Answer questions from a file, as JSON
    Decide(DecideArgs),
    /// Run the scenarios of one pack or of all, and look for rules that say nothing
    Test {
        /// The pack; all when none is named
        pack: Option<String>,
        /// A pack's file and its scenarios, instead of one that is built in
        #[arg(long, value_name = "PACK.toml", requires = "scenarios", conflicts_with = "pack")]
        file: Option<PathBuf>,
        /// The scenarios of that file
        #[arg(long, value_name = "SCENARIOS.toml")]
        scenarios: Option<PathBuf>,
    },
    /// What law that changes after a day breaks in a policy, and when
    #[command(
        after_help = "Law that is made and has its first day counts from that day on; drafts do not. Exit code 4 when something will be unlawful."
    )]
    Changes {
        /// The day; today when not said
        #[arg(long, value_name = "DATE")]
        since: Option<Date>,
        /// The policy file
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
    },
    /// Packs by questions: how many rules each has, so that nobody takes thin for deep
    Coverage,
    /// Make a key that signs bundles of packs, and print its verifier key
    Keygen {
        /// The file for the private key; it must not be there yet
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The name under which it signs: `packs.example/law`
        #[arg(long, value_name = "NAME")]
        name: String,
    },
    /// Put packs into one signed file, for vaults elsewhere
    #[command(
        after_help = "Each folder has pack.toml, scenarios.toml and CHANGELOG.md; a folder `calendars` beside it may have its calendar, else the one that is
built in goes along. A pack that fails its own test is not signed."
    )]
    Bundle {
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The private key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The packs' folders
        #[arg(value_name = "PACKDIR", required = true)]
        folders: Vec<PathBuf>,
    },
    /// Take packs out of a signed bundle, once they have passed their own test; nothing is fetched
    #[command(
        after_help = "The packs stand in the data folder, in the place of those that are built in, and are held against their signatures each time they are
read. Keys are trusted in strongroom.toml: `[law] trusted = [\"NAME+HASH+KEY\"]`. A server that runs takes new packs up by itself."
    )]
    Update {
        /// The bundle
        bundle: PathBuf,
        /// Take it only if this key signed it, whatever other keys are trusted; once for each key
        #[arg(long, value_name = "VKEY", value_parser = Verifier::parse)]
        trusted: Vec<Verifier>,
        /// Take packs also where those that answer now are newer
        #[arg(long)]
        allow_older: bool,
        /// Say what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// In which language.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct LanguageArgs {
    /// Language of what is for people to read
    #[arg(long, value_enum, default_value_t = Language::En, value_name = "LANGUAGE")]
    lang: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    En,
    Zh,
}

impl Language {
    fn of(self, words: &Words) -> &str {
        match self {
            Language::En => &words.en,
            Language::Zh => &words.zh,
        }
    }

    fn text(self, text: Text) -> &'static str {
        match self {
            Language::En => text.en,
            Language::Zh => text.zh,
        }
    }

    /// What stands around what is said: headings and joints.
    fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Language::En => en,
            Language::Zh => zh,
        }
    }
}

/// What `law explain` and `law clock` take.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strongroom law explain breach
  strongroom law explain breach --pack cn detected_at=2026-03-02T09:00:00+08:00 persons=1200000
  strongroom law clock breach --pack cn,eu,us-ca detected_at=2026-03-02T09:00:00+08:00 persons=1200000 risk=high

A fact that is not given is not taken for granted: the answer asks for it. Law that was not in force on the day on which it happened does
not decide. Not legal advice: rules that rest on unverified sources say so.")]
pub(super) struct ExplainArgs {
    /// The question: `strongroom law coverage` lists them
    question: String,
    /// Facts: `persons=1200000 role=controller`
    #[arg(value_name = "FACT=VALUE")]
    facts: Vec<String>,
    /// Packs, with commas between them; all of them when none is named
    #[arg(long, value_name = "PACK,…", value_delimiter = ',')]
    pack: Vec<String>,
    /// The day whose law is asked, where the facts do not say when it happened; today when not said
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    #[command(flatten)]
    words: LanguageArgs,
}

/// What `law decide` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Each question is an object: {\"question\": \"breach\", \"packs\": [\"cn\"], \"on\": \"2026-11-21\", \"facts\": {\"persons\": 1200000}}
Without `packs` all are asked; `on` is needed where the facts do not say when it happened. Several questions stand on a line each.
One answer a line and pack. docs/guide/law.md has every question with its facts and answers."
)]
pub(super) struct DecideArgs {
    /// The questions, JSON or JSONL; `-` for standard input
    #[arg(long, value_name = "FILE")]
    facts: PathBuf,
}

pub(super) fn run(command: &LawCommand, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    match command {
        LawCommand::List => return Ok(list(&*packs(context)?, voice)),
        LawCommand::Show { pack, words } => {
            let shelf = packs(context)?;
            show(find_pack(pack, &shelf)?, &shelf, words.lang, voice);
        }
        LawCommand::Explain(args) if args.facts.is_empty() => {
            about(find_question(&args.question)?, args.words.lang, voice);
        }
        LawCommand::Explain(args) => {
            let shelf = packs(context)?;
            let all = ask(args, &shelf)?;
            if voice.json {
                voice.print_json(&all.iter().map(|answered| &answered.got).collect::<Vec<_>>());
            } else {
                for answered in &all {
                    show_answer(answered.pack, &answered.got, args.words.lang, voice);
                }
            }
        }
        LawCommand::Clock(args) => clock(args, &*packs(context)?, voice)?,
        LawCommand::Decide(args) => {
            for line in answers(&read_text(&args.facts)?, &*packs(context)?)? {
                voice.print(line.to_string());
            }
        }
        LawCommand::Test { pack, file, scenarios } => {
            let shelf = packs(context)?;
            return test(pack.as_deref(), file.as_deref().zip(scenarios.as_deref()), &shelf, voice);
        }
        LawCommand::Coverage => coverage(&packs(context)?.packs()?, voice),
        LawCommand::Changes { since, policy } => return super::changes::run(*since, policy, context),
        LawCommand::Keygen { key, name } => keygen(key, name, voice)?,
        LawCommand::Bundle { out, key, folders } => bundle(out, key, folders, voice)?,
        LawCommand::Update { bundle, trusted, allow_older, dry_run } => {
            let older = if *allow_older { Older::Allowed } else { Older::Refused };
            update(bundle, trusted, older, *dry_run, context)?;
        }
    }
    Ok(Exit::Done)
}

/// The packs that answer here: those of the data folder over those that are built in. It needs no vault.
///
/// Gives a shelf: [`Shelf::packs`] are all of them, [`Shelf::find`] is one. Fails: `SR-CONFIG-…` when the configuration cannot be read by which
/// installed packs are trusted; without installed packs it is not read.
pub(super) fn packs(context: &Context) -> Result<Arc<Shelf>, Problem> {
    if context.data.join(packs::FOLDER).exists() { installed(context)?.shelf() } else { Ok(Arc::default()) }
}

/// The packs of the data folder, with the keys that the configuration trusts.
fn installed(context: &Context) -> Result<Packs, Problem> {
    Ok(Packs::new(&context.data, Config::read(&context.flags, &context.data)?.trusted()?))
}

/// Answers questions, JSON or a line each: one object for each pack that is asked.
///
/// Fails: `SR-LAW-001` to `-004` and `-010`, naming what is wrong; nothing of what was given stands in it but names.
fn answers(text: &str, shelf: &Shelf) -> Result<Vec<Json>, Problem> {
    let mut all = Vec::new();
    for asked in serde_json::Deserializer::from_str(text).into_iter::<Asked>() {
        let asked = asked.map_err(|error| {
            let title = format!("line {}, column {}: this is no question", error.line(), error.column());
            Problem::new("SR-LAW-004", 400, title).help("see `strongroom law decide --help`")
        })?;
        let answers = answers_to(&asked, shelf)?;
        all.extend(answers.iter().map(|answered| serde_json::to_value(&answered.got).unwrap_or_default()));
    }
    Ok(all)
}

fn ask<'p>(args: &ExplainArgs, shelf: &'p Shelf) -> Result<Vec<Answered<'p>>, Problem> {
    let question = find_question(&args.question)?;
    let mut facts = Facts::none(question.facts);
    for fact in &args.facts {
        let (name, value) = fact
            .split_once('=')
            .ok_or_else(|| cannot("a fact is a name, `=` and a value: `persons=1200000`"))?;
        let kind = question.facts.iter().find(|fact| fact.name == name).map(|fact| fact.kind);
        facts.set(name, &as_json(kind, value)).map_err(|bad| bad_fact(&bad))?;
    }
    let on = args.on.unwrap_or_else(super::check::today);
    let packs = packs_of(&args.pack, shelf)?;
    packs.into_iter().map(|pack| answer(pack, question, &facts, Some(on))).collect()
}

/// What was typed, as JSON has it for a fact of this kind.
fn as_json(kind: Option<Kind>, value: &str) -> Json {
    match kind {
        Some(Kind::Flag) => match value {
            "true" | "yes" => true.into(),
            "false" | "no" => false.into(),
            other => other.into(),
        },
        Some(Kind::Count) => value.replace('_', "").parse::<u64>().map_or_else(|_| value.into(), Json::from),
        Some(Kind::Words(_)) => value.split(',').filter(|word| !word.is_empty()).collect::<Vec<_>>().into(),
        _ => value.into(),
    }
}

/// A file, or what is piped in where it is called `-`.
fn read_text(file: &Path) -> Result<String, Problem> {
    if file != Path::new("-") {
        return super::data::read_text(file);
    }
    Ok(std::io::read_to_string(std::io::stdin().lock())?)
}

/// What `law list` shows of a pack, and what it is headed with.
const LISTED: [(&str, &str); 11] = [
    ("pack", "pack"),
    ("name", "name"),
    ("kind", "kind"),
    ("depth", "depth"),
    ("rules", "rules"),
    ("scenarios", "scenarios"),
    ("verified", "text read"),
    ("secondary", "secondary"),
    ("unverified", "unverified"),
    ("checked_on", "sources of"),
    ("from", "from"),
];

fn list(shelf: &Shelf, voice: Voice) -> Exit {
    let packs: Vec<Json> = shelf.sound().into_iter().map(|pack| summary(pack, shelf)).collect();
    let refused = shelf.refused().iter().map(|refused| {
        let problem = refused.problem();
        json!({ "pack": refused.id, "from": "refused", "code": problem.code, "why": problem.title })
    });
    let packs: Vec<Json> = packs.into_iter().chain(refused).collect();
    if voice.json {
        voice.print_json(&packs);
    } else {
        let row =
            |pack: &Json| LISTED.iter().map(|(key, _)| pack.get(key).map(word).unwrap_or_default()).collect();
        voice.table(&LISTED.map(|(_, head)| head), packs.iter().map(row).collect());
        voice.say("rules by how sure they are; not legal advice");
        for refused in shelf.refused() {
            voice.problem(&refused.problem());
        }
    }
    if shelf.refused().is_empty() { Exit::Done } else { Exit::Found }
}

fn summary(pack: &Pack, shelf: &Shelf) -> Json {
    let of = |confidence| pack.rules.iter().filter(|rule| rule.confidence == confidence).count();
    let installed = shelf.installed(&pack.id);
    let scenarios = match (installed, rulebook::FILES.iter().find(|files| files.id == pack.id)) {
        (Some(installed), _) => installed.scenarios.len(),
        (None, files) => {
            files.and_then(|files| files.scenarios().ok()).map_or(0, |scenarios| scenarios.len())
        }
    };
    let origin = installed.map(|installed| &installed.origin);
    json!({
        "pack": pack.id, "name": pack.name.en, "name_zh": pack.name.zh, "kind": pack.kind, "depth": pack.depth,
        "rules": pack.rules.len(), "scenarios": scenarios, "verified": of(Confidence::Verified),
        "secondary": of(Confidence::Secondary), "unverified": of(Confidence::Unverified),
        "checked_on": pack.checked_on.to_string(), "about": pack.about, "from": where_from(installed),
        "bundle_of": origin.map(|origin| origin.made_on.to_string()),
        "signed_by": origin.map(|origin| &origin.signed_by),
    })
}

/// Where a pack is from, in words; and that what is built in is newer, where somebody has wanted it so.
fn where_from(installed: Option<&Installed>) -> String {
    let Some(Installed { pack, origin, .. }) = installed else { return "built in".to_owned() };
    let from = format!("bundle of {}, {}", origin.made_on, origin.signed_by.join(", "));
    match rulebook::built_in().find(&pack.id) {
        Some(built_in) if built_in.checked_on > pack.checked_on => {
            format!("{from}; the one that is built in is newer, of {}", built_in.checked_on)
        }
        _ => from,
    }
}

fn show(pack: &Pack, shelf: &Shelf, language: Language, voice: Voice) {
    let cites = |rule: &Rule| rule.cites.iter().map(|cite| pack.cited(cite)).collect::<Vec<_>>();
    if voice.json {
        let laws = pack.laws.iter().map(|law| {
            json!({ "law": law.short, "name": law.name, "from": law.from.to_string(),
                    "until": law.until.map(|day| day.to_string()), "confidence": law.confidence })
        });
        let mut all = summary(pack, shelf);
        if let Some(all) = all.as_object_mut() {
            all.insert("laws".to_owned(), laws.collect());
            let rules = pack.rules.iter().map(|rule| {
                json!({
                    "rule": rule.id, "question": rule.question.name, "when": rule.text, "cites": cites(rule), "status": rule.status,
                    "confidence": rule.confidence, "from": rule.from.to_string(), "until": rule.until.map(|day| day.to_string()),
                    "note": rule.note,
                })
            });
            all.insert("all_rules".to_owned(), rules.collect());
        }
        return voice.print_json(&all);
    }
    voice.print(format!("{} ({})\n{}\n", language.of(&pack.name), pack.id, language.of(&pack.about)));
    let laws = pack.laws.iter().map(|law| {
        vec![
            law.short.clone(),
            language.of(&law.name).to_owned(),
            law.from.to_string(),
            language.text(law.confidence.text()).to_owned(),
        ]
    });
    let head =
        language.pick(["law", "name", "in force from", "how sure"], ["简称", "名称", "施行日期", "核实程度"]);
    voice.table(&head, laws.collect());
    let row = |rule: &Rule| {
        let how_sure = language.text(rule.confidence.text());
        let status = format!("{}{}{how_sure}", language.text(rule.status.text()), language.pick(", ", "，"));
        vec![
            rule.question.name.to_owned(),
            rule.id.clone(),
            rule.text.clone(),
            cites(rule).join("; "),
            rule.from.to_string(),
            status,
        ]
    };
    voice.print("");
    let head = language.pick(
        ["question", "rule", "when", "stands in", "from", "status"],
        ["问题", "规则", "条件", "出处", "起始日", "状态"],
    );
    voice.table(&head, pack.rules.iter().map(row).collect());
}

fn word(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), |word| word.replace('_', " "))
}

fn about(question: &Question, language: Language, voice: Voice) {
    let facts = question.facts.iter().map(
        |fact| json!({ "fact": fact.name, "kind": kind_of(fact.kind, Language::En), "asks": fact.asks }),
    );
    let facts: Vec<Json> = facts.collect();
    if voice.json {
        let answers: Vec<Json> = question
            .answers
            .iter()
            .map(|answer| json!({ "answer": answer.name, "kind": answers_of(answer.kind, Language::En), "about": answer.about }))
            .collect();
        return voice.print_json(&json!({
            "question": question.name, "about": question.about, "facts": facts, "answers": answers, "duties": question.duties,
        }));
    }
    voice.print(format!("{}\n", language.text(question.about)));
    let rows = question.facts.iter().map(|fact| {
        vec![fact.name.to_owned(), kind_of(fact.kind, language), language.text(fact.asks).to_owned()]
    });
    voice.table(&language.pick(["fact", "value", "asks"], ["事实", "取值", "询问"]), rows.collect());
    let rows = question.answers.iter().map(|answer| {
        let says = answers_of(answer.kind, language);
        vec![answer.name.to_owned(), says, language.text(answer.about).to_owned()]
    });
    voice.print("");
    voice.table(&language.pick(["answer", "says", "about"], ["回答", "取值", "含义"]), rows.collect());
    let duties = listed(question.duties, names::find_act, language);
    voice.print(format!("\n{}{duties}", language.pick("duties: ", "义务：")));
}

/// What a fact of this kind can be, in words.
fn kind_of(kind: Kind, language: Language) -> String {
    match kind {
        Kind::Flag => language.pick("true or false", "true（是）或 false（否）").to_owned(),
        Kind::Count => language.pick("a number", "数字").to_owned(),
        Kind::Day => language.pick("a day", "日期").to_owned(),
        Kind::Moment => language.pick("an instant or a day", "时刻或日期").to_owned(),
        Kind::Word(words) => listed(words, names::find_word, language),
        Kind::Words(words) => some_of(words, language),
    }
}

/// What an answer of this kind can say, in words.
fn answers_of(kind: AnswerKind, language: Language) -> String {
    match kind {
        AnswerKind::YesNo => kind_of(Kind::Flag, language),
        AnswerKind::Word(words) => listed(words, names::find_word, language),
        AnswerKind::Words(words) => some_of(words, language),
    }
}

fn some_of(words: &[&str], language: Language) -> String {
    let words = listed(words, names::find_word, language);
    format!("{}{words}", language.pick("some of: ", "其中若干项："))
}

/// Names as one types them; in Chinese each with what it is called.
fn listed(names: &[&str], find: fn(&str) -> Option<Text>, language: Language) -> String {
    let shown = |name: &&str| match (language, find(name)) {
        (Language::Zh, Some(text)) => format!("{name}（{}）", text.zh),
        _ => (*name).to_owned(),
    };
    names.iter().map(shown).collect::<Vec<_>>().join(language.pick(", ", "、"))
}

fn show_answer(pack: &Pack, got: &Explained, language: Language, voice: Voice) {
    let on = got.on.as_deref().unwrap_or(language.pick("an unknown day", "日期不明"));
    let how_sure = got.confidence.map(|confidence| language.text(confidence.text()));
    let how_sure = how_sure.map(|text| format!("{}{text}", language.pick(", ", "，"))).unwrap_or_default();
    let law_of = language.pick("law of ", "所问法律的日期：");
    voice.print(format!("{} · {} · {law_of}{on}{how_sure}", language.of(&pack.name), got.question));
    match got.outcome {
        "silent" => {
            voice.print(language.pick("  this pack says nothing about it\n", "  该规则包没有相关规定\n"));
        }
        "not_in_force" => {
            let from = got.in_force_from.as_deref().unwrap_or_default();
            let then = language.pick("not in force then: from ", "当时尚未施行，施行日期：");
            voice.print(format!("  {then}{from}\n"));
        }
        _ => show_what_holds(got, language, voice),
    }
    for coming in &got.coming {
        let colon = language.pick(": ", "：");
        let note =
            coming.note.as_ref().map(|note| format!("{colon}{}", language.of(note))).unwrap_or_default();
        let (status, cites) = (language.text(coming.status.text()), coming.cites.join("; "));
        let from = coming.from.as_deref().map_or_else(
            || language.pick("no day is set", "施行日未定").to_owned(),
            |day| language.pick(format!("from {day}"), format!("{day} 起")),
        );
        voice.print(language.pick(
            format!("  coming ({status}, {from}): {cites}{note}"),
            format!("  尚未施行（{status}，{from}）：{cites}{note}"),
        ));
    }
    voice.print("");
}

fn show_what_holds(got: &Explained, language: Language, voice: Voice) {
    for answer in &got.answers {
        let says = language.of(&answer.in_words);
        // The English name is what one types; in Chinese it is said what it means.
        let meaning = answer.about.zh.trim_end_matches(['。', '？']);
        voice.print(language.pick(format!("  {}: {says}", answer.name), format!("  {meaning}：{says}")));
    }
    for duty in &got.duties {
        let mark = if duty.certain { "→" } else { "?" };
        voice.print(format!("  {mark} {}", duty_line(duty, language)));
    }
    for step in got.steps.iter().filter(|step| step.used) {
        let because = language.pick("because ", "依据规则 ");
        let colon = language.pick(": ", "：");
        voice.print(format!("    {because}{} ({}){colon}{}", step.rule, step.when, step.cites.join("; ")));
    }
    for ask in &got.asks {
        voice.print(format!("  {}", ask_line(ask, language)));
    }
}

fn ask_line(ask: &rulebook::Ask, language: Language) -> String {
    let to_be_answered = language.pick("to be answered: ", "待回答：");
    format!("{to_be_answered}{} — {}", ask.fact, language.text(ask.asks))
}

fn duty_line(duty: &rulebook::ExplainedDuty, language: Language) -> String {
    let mut line = duty_line_short(duty, language);
    match (&duty.by, duty.soon) {
        (Some(by), _) => line = format!("{line}{}{by}", language.pick(", by ", "，期限：")),
        (None, Some(soon)) => {
            line = format!("{line}{}{}", language.pick(", ", "，"), language.text(soon.text()));
        }
        (None, None) => {}
    }
    if let Some(provisional) = &duty.provisional {
        let (year, safe) = (provisional.year, provisional.safe);
        line = language.pick(
            format!("{line} (provisional: the calendar of {year} is not published; {safe} is safe)"),
            format!("{line}（暂定：{year}年日历尚未公布；不晚于 {safe} 即为稳妥）"),
        );
    }
    if let Some(aim) = &duty.aim {
        line = format!("{line}{}{aim}", language.pick("; aim at ", "；宜于此前完成："));
    }
    let cites = duty.cites.join("; ");
    format!("{line} [{cites}{}{}]", language.pick("; ", "；"), language.text(duty.confidence.text()))
}

/// One line of the timeline.
struct Tick {
    at: jiff::Timestamp,
    row: Vec<String>,
}

fn clock(args: &ExplainArgs, shelf: &Shelf, voice: Voice) -> Result<(), Problem> {
    let all = ask(args, shelf)?;
    if voice.json {
        let all: Vec<Json> = all
            .iter()
            .map(|Answered { got, .. }| json!({ "pack": got.pack, "outcome": got.outcome, "duties": got.duties, "asks": got.asks, "earliest": got.earliest }))
            .collect();
        voice.print_json(&all);
        return Ok(());
    }
    let language = args.words.lang;
    let mut ticks = Vec::new();
    for Answered { pack, ruling, got } in &all {
        for (owed, duty) in ruling.duties.iter().zip(&got.duties) {
            let Some(due) = &owed.due else { continue };
            let at = due.instant(&pack.zone);
            let depends = language.pick("depends", "视待回答的事实而定");
            let sure = if duty.certain { language.text(duty.confidence.text()) } else { depends };
            let row = vec![
                due.to_string(),
                at.to_string(),
                pack.id.clone(),
                duty_line_short(duty, language),
                duty.cites.join("; "),
                sure.to_owned(),
            ];
            ticks.push(Tick { at, row });
        }
    }
    ticks.sort_by_key(|tick| tick.at);
    let head = language.pick(
        ["by, there", "in UTC", "pack", "what", "stands in", "how sure"],
        ["当地期限", "协调世界时", "规则包", "义务", "出处", "核实程度"],
    );
    voice.table(&head, ticks.into_iter().map(|tick| tick.row).collect());
    for Answered { pack, got, .. } in &all {
        let soon = got
            .duties
            .iter()
            .filter(|duty| duty.certain && duty.by.is_none())
            .filter_map(|duty| Some((duty, duty.soon?)));
        for (duty, soon) in soon {
            voice.print(format!(
                "{}{}{}{}{} [{}]",
                pack.id,
                language.pick(": ", "："),
                duty_line_short(duty, language),
                language.pick(", ", "，"),
                language.text(soon.text()),
                duty.cites.join("; ")
            ));
        }
    }
    let mut asked: Vec<&rulebook::Ask> = Vec::new();
    for ask in all.iter().flat_map(|answered| &answered.got.asks) {
        if !asked.iter().any(|before| before.fact == ask.fact) {
            asked.push(ask);
        }
    }
    for ask in asked {
        voice.print(ask_line(ask, language));
    }
    Ok(())
}

fn duty_line_short(duty: &rulebook::ExplainedDuty, language: Language) -> String {
    let to_whom = language.pick(", to ", "，对象：");
    let to = duty.to.as_ref().map(|to| format!("{to_whom}{}", language.of(to))).unwrap_or_default();
    format!("{}{to}", language.text(duty.name))
}

fn test(
    pack: Option<&str>,
    own: Option<(&Path, &Path)>,
    shelf: &Shelf,
    voice: Voice,
) -> Result<Exit, Problem> {
    let mut tried = Tried::default();
    if let Some((file, scenarios)) = own {
        let (text, said) = (read_text(file)?, read_text(scenarios)?);
        let name = file.display().to_string();
        let all = rulebook::read_scenarios(&scenarios.display().to_string(), &said);
        tried.read(&name, rulebook::read_pack(&name, &text), all);
    } else {
        let wanted: Vec<&Pack> = match pack {
            Some(pack) => vec![find_pack(pack, shelf)?],
            None => shelf.packs()?,
        };
        for pack in wanted {
            let file = format!("packs/{}/pack.toml", pack.id);
            if let Some(installed) = shelf.installed(&pack.id) {
                tried.ask(&file, pack, &installed.scenarios);
            } else if let Some(files) = rulebook::FILES.iter().find(|files| files.id == pack.id) {
                tried.read(&file, files.read(), files.scenarios());
            }
        }
    }
    let Tried { packs, scenarios, faults } = tried;
    if voice.json {
        voice.print_json(&json!({ "packs": packs, "scenarios": scenarios, "faults": faults }));
    } else {
        for fault in &faults {
            voice.print(fault);
        }
        voice.print(format!("{packs} packs, {scenarios} scenarios, {} faults", faults.len()));
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Found })
}

/// What was tested, and what is wrong with it.
#[derive(Default)]
struct Tried {
    packs: usize,
    scenarios: usize,
    faults: Vec<String>,
}

impl Tried {
    fn read(
        &mut self,
        file: &str,
        pack: Result<Pack, rulebook::BadPack>,
        all: Result<Vec<rulebook::Scenario>, rulebook::BadPack>,
    ) {
        match (pack, all) {
            (Ok(pack), Ok(all)) => self.ask(file, &pack, &all),
            (pack, all) => {
                self.packs = self.packs.saturating_add(1);
                self.faults.extend([pack.err(), all.err()].into_iter().flatten().map(|bad| bad.to_string()));
            }
        }
    }

    fn ask(&mut self, file: &str, pack: &Pack, all: &[rulebook::Scenario]) {
        self.packs = self.packs.saturating_add(1);
        self.faults.extend(rulebook::lint(file, pack).iter().map(ToString::to_string));
        for scenario in all {
            self.scenarios = self.scenarios.saturating_add(1);
            let differs = scenario.differs(pack);
            self.faults.extend(differs.iter().map(|what| format!("{}: {}: {what}", pack.id, scenario.name)));
        }
    }
}

fn keygen(file: &Path, name: &str, voice: Voice) -> Result<(), Problem> {
    let key = travel::make_key(file, name)?.to_string();
    if voice.json {
        voice.print_json(&json!({ "verifier_key": key }));
    } else {
        voice.print(&key);
        voice.say("Whoever takes packs from you writes it into strongroom.toml: `[law] trusted = [\"…\"]`");
    }
    Ok(())
}

fn bundle(out: &Path, key: &Path, folders: &[PathBuf], voice: Voice) -> Result<(), Problem> {
    let (text, contents) = travel::bundle(folders, &travel::read_key(key)?, super::check::today())?;
    keys_folder::write_new(out, text.as_bytes())?;
    if voice.json {
        voice.print_json(&contents);
    } else {
        let packs = contents.packs.join(", ");
        voice.print(format!(
            "{}: {packs}, {} bytes, of {}",
            out.display(),
            contents.size_bytes,
            contents.made_on
        ));
    }
    Ok(())
}

fn update(
    file: &Path,
    only: &[Verifier],
    older: Older,
    is_tried: bool,
    context: &Context,
) -> Result<(), Problem> {
    let (voice, here) = (context.voice, installed(context)?);
    let bytes = packs::read_bundle(file).map_err(|error| super::init::unreadable(file, error.kind()))?;
    let trusted = if only.is_empty() { here.trusted() } else { only };
    let update = Update::look(&bytes, trusted, &here, older)?;
    if !is_tried {
        update.install(&here)?;
    }
    let origin = update.origin();
    if voice.json {
        voice.print_json(&json!({
            "installed": !is_tried, "made_on": origin.made_on.to_string(), "signed_by": origin.signed_by, "packs": update.changes,
        }));
        return Ok(());
    }
    voice.print(format!("bundle of {}, signed by {}", origin.made_on, origin.signed_by.join(", ")));
    let row = |change: &travel::Change| {
        let from = change.from.clone().unwrap_or_else(|| "not there".to_owned());
        vec![
            change.pack.clone(),
            from,
            change.to.clone(),
            change.rules.to_string(),
            change.scenarios.to_string(),
        ]
    };
    let head = ["pack", "sources now of", "sources then of", "rules", "scenarios, all passed"];
    voice.table(&head, update.changes.iter().map(row).collect());
    voice.print(if is_tried { "nothing was changed" } else { "installed" });
    Ok(())
}

fn coverage(packs: &[&Pack], voice: Voice) {
    let count = |pack: &Pack, question: &Question| {
        let rules: Vec<_> = pack.rules_of(question).filter(|rule| rule.decides()).collect();
        let unverified = rules.iter().filter(|rule| rule.confidence == Confidence::Unverified).count();
        (rules.len(), unverified)
    };
    if voice.json {
        let all: Vec<Json> = packs
            .iter()
            .map(|pack| {
                let questions: Map<String, Json> = question::ALL
                    .iter()
                    .map(|question| {
                        let (rules, unverified) = count(pack, question);
                        (question.name.to_owned(), json!({ "rules": rules, "unverified": unverified }))
                    })
                    .collect();
                json!({ "pack": pack.id, "depth": pack.depth, "questions": questions })
            })
            .collect();
        return voice.print_json(&all);
    }
    let mut head = vec!["question"];
    head.extend(packs.iter().map(|pack| pack.id.as_str()));
    let rows = question::ALL.iter().map(|question| {
        let mut row = vec![question.name.to_owned()];
        row.extend(packs.iter().map(|pack| match count(pack, question) {
            (0, _) => "·".to_owned(),
            (rules, unverified) if rules == unverified => format!("{rules}?"),
            (rules, _) => rules.to_string(),
        }));
        row
    });
    voice.table(&head, rows.collect());
    voice.say("rules that decide; ? all of them unverified; · the pack says nothing about it");
}
