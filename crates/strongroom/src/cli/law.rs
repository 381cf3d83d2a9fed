//! `strongroom law`: what the packs say, asked without a vault.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use rulebook::question::{self, AnswerKind, Question};
use rulebook::{
    Confidence, Explained, Facts, Kind, Pack, Rule, Ruling, Text, Words, built_in, decide, explain, names,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::{Context, Exit, Voice};
use crate::ground::Problem;

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
    /// Packs by questions: how many rules each has, so that nobody takes thin for deep
    Coverage,
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

/// A question as JSON gives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    question: String,
    #[serde(default)]
    packs: Vec<String>,
    #[serde(default)]
    on: Option<String>,
    #[serde(default)]
    facts: Map<String, Json>,
}

pub(super) fn run(command: &LawCommand, context: &Context) -> Result<Exit, Problem> {
    let voice = context.voice;
    match command {
        LawCommand::List => list(voice),
        LawCommand::Show { pack, words } => show(find_pack(pack)?, words.lang, voice),
        LawCommand::Explain(args) if args.facts.is_empty() => {
            about(find_question(&args.question)?, args.words.lang, voice);
        }
        LawCommand::Explain(args) => {
            let all = ask(args)?;
            if voice.json {
                voice.print_json(&all.iter().map(|answered| &answered.got).collect::<Vec<_>>());
            } else {
                for answered in &all {
                    show_answer(answered.pack, &answered.got, args.words.lang, voice);
                }
            }
        }
        LawCommand::Clock(args) => clock(args, voice)?,
        LawCommand::Decide(args) => {
            for line in answers(&read_text(&args.facts)?)? {
                voice.print(line.to_string());
            }
        }
        LawCommand::Test { pack, file, scenarios } => {
            return test(pack.as_deref(), file.as_deref().zip(scenarios.as_deref()), voice);
        }
        LawCommand::Coverage => coverage(voice),
    }
    Ok(Exit::Done)
}

/// Answers questions, JSON or a line each: one object for each pack that is asked.
///
/// Fails: `SR-LAW-001` to `-004`, naming what is wrong; nothing of what was given stands in it but names.
pub(crate) fn answers(text: &str) -> Result<Vec<Json>, Problem> {
    let mut all = Vec::new();
    for asked in serde_json::Deserializer::from_str(text).into_iter::<Asked>() {
        let asked = asked.map_err(|error| {
            let title = format!("line {}, column {}: this is no question", error.line(), error.column());
            Problem::new("SR-LAW-004", 400, title).help("see `strongroom law decide --help`")
        })?;
        all.extend(answers_to(&asked)?);
    }
    Ok(all)
}

fn answers_to(asked: &Asked) -> Result<Vec<Json>, Problem> {
    let question = find_question(&asked.question)?;
    let facts = Facts::read(question.facts, &asked.facts).map_err(|bad| bad_fact(&bad))?;
    let on = asked.on.as_deref().map(str::parse::<Date>).transpose();
    let on = on.map_err(|_| bad_fact(&"`on`: a day like `2026-11-21` is expected"))?;
    let mut all = Vec::new();
    for pack in packs_of(&asked.packs)? {
        let answered = answer(pack, question, &facts, on)?;
        all.push(serde_json::to_value(answered.got).unwrap_or_default());
    }
    Ok(all)
}

/// What a pack answered.
struct Answered {
    pack: &'static Pack,
    ruling: Ruling,
    got: Explained,
}

fn answer(
    pack: &'static Pack,
    question: &'static Question,
    facts: &Facts,
    on: Option<Date>,
) -> Result<Answered, Problem> {
    let ruling = decide(pack, question, facts, on).map_err(|bad| bad_fact(&bad))?;
    let got = explain(pack, facts, &ruling);
    Ok(Answered { pack, ruling, got })
}

fn ask(args: &ExplainArgs) -> Result<Vec<Answered>, Problem> {
    let question = find_question(&args.question)?;
    let mut facts = Facts::none(question.facts);
    for fact in &args.facts {
        let (name, value) = fact
            .split_once('=')
            .ok_or_else(|| bad_fact(&"a fact is a name, `=` and a value: `persons=1200000`"))?;
        let kind = question.facts.iter().find(|fact| fact.name == name).map(|fact| fact.kind);
        facts.set(name, &as_json(kind, value)).map_err(|bad| bad_fact(&bad))?;
    }
    let on = args.on.unwrap_or_else(super::check::today);
    let packs = packs_of(&args.pack)?;
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

fn find_question(name: &str) -> Result<&'static Question, Problem> {
    question::find(name).ok_or_else(|| {
        let names: Vec<&str> = question::ALL.iter().map(|question| question.name).collect();
        let title = format!("there is no such question; they are: {}", names.join(", "));
        Problem::new("SR-LAW-001", 400, title)
    })
}

fn find_pack(id: &str) -> Result<&'static Pack, Problem> {
    built_in().find(id).ok_or_else(|| {
        let ids: Vec<&str> = built_in().packs.iter().map(|pack| pack.id.as_str()).collect();
        Problem::new("SR-LAW-002", 400, format!("there is no such pack; they are: {}", ids.join(", ")))
    })
}

fn packs_of(ids: &[String]) -> Result<Vec<&'static Pack>, Problem> {
    if ids.is_empty() {
        return Ok(built_in().packs.iter().collect());
    }
    ids.iter().map(|id| find_pack(id)).collect()
}

fn bad_fact(why: &dyn std::fmt::Display) -> Problem {
    Problem::new("SR-LAW-003", 400, why.to_string()).help("`strongroom law explain QUESTION` lists its facts")
}

/// A file, or what is piped in where it is called `-`.
fn read_text(file: &Path) -> Result<String, Problem> {
    if file != Path::new("-") {
        return super::data::read_text(file);
    }
    Ok(std::io::read_to_string(std::io::stdin().lock())?)
}

/// What `law list` shows of a pack, and what it is headed with.
const LISTED: [(&str, &str); 10] = [
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
];

fn list(voice: Voice) {
    let packs: Vec<Json> = built_in().packs.iter().map(summary).collect();
    if voice.json {
        return voice.print_json(&packs);
    }
    let row =
        |pack: &Json| LISTED.iter().map(|(key, _)| pack.get(key).map(word).unwrap_or_default()).collect();
    voice.table(&LISTED.map(|(_, head)| head), packs.iter().map(row).collect());
    voice.say("rules by how sure they are; not legal advice");
}

fn summary(pack: &Pack) -> Json {
    let of = |confidence| pack.rules.iter().filter(|rule| rule.confidence == confidence).count();
    let files = rulebook::FILES.iter().find(|files| files.id == pack.id);
    let scenarios = files.and_then(|files| files.scenarios().ok()).map_or(0, |scenarios| scenarios.len());
    json!({
        "pack": pack.id, "name": pack.name.en, "name_zh": pack.name.zh, "kind": pack.kind, "depth": pack.depth,
        "rules": pack.rules.len(), "scenarios": scenarios, "verified": of(Confidence::Verified),
        "secondary": of(Confidence::Secondary), "unverified": of(Confidence::Unverified),
        "checked_on": pack.checked_on.to_string(), "about": pack.about,
    })
}

fn show(pack: &Pack, language: Language, voice: Voice) {
    let cites = |rule: &Rule| rule.cites.iter().map(|cite| pack.cited(cite)).collect::<Vec<_>>();
    if voice.json {
        let laws = pack.laws.iter().map(|law| {
            json!({ "law": law.short, "name": law.name, "from": law.from.to_string(),
                    "until": law.until.map(|day| day.to_string()), "confidence": law.confidence })
        });
        let mut all = summary(pack);
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

fn clock(args: &ExplainArgs, voice: Voice) -> Result<(), Problem> {
    let all = ask(args)?;
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

fn test(pack: Option<&str>, own: Option<(&Path, &Path)>, voice: Voice) -> Result<Exit, Problem> {
    let mut faults: Vec<String> = Vec::new();
    let (mut packs, mut scenarios) = (0_usize, 0_usize);
    let mut try_pack = |file: &str,
                        pack: Result<Pack, rulebook::BadPack>,
                        all: Result<Vec<rulebook::Scenario>, rulebook::BadPack>| {
        packs = packs.saturating_add(1);
        match (pack, all) {
            (Ok(pack), Ok(all)) => {
                faults.extend(rulebook::lint(file, &pack).iter().map(ToString::to_string));
                for scenario in all {
                    scenarios = scenarios.saturating_add(1);
                    let differs = scenario.differs(&pack);
                    faults
                        .extend(differs.iter().map(|what| format!("{}: {}: {what}", pack.id, scenario.name)));
                }
            }
            (pack, all) => {
                faults.extend([pack.err(), all.err()].into_iter().flatten().map(|bad| bad.to_string()));
            }
        }
    };
    if let Some((file, scenarios)) = own {
        let (text, said) = (read_text(file)?, read_text(scenarios)?);
        let name = file.display().to_string();
        let all = rulebook::read_scenarios(&scenarios.display().to_string(), &said);
        try_pack(&name, rulebook::read_pack(&name, &text), all);
    } else {
        if let Some(pack) = pack {
            find_pack(pack)?;
        }
        for files in rulebook::FILES.iter().filter(|files| pack.is_none_or(|pack| pack == files.id)) {
            try_pack(&format!("packs/{}/pack.toml", files.id), files.read(), files.scenarios());
        }
    }
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

fn coverage(voice: Voice) {
    let count = |pack: &Pack, question: &Question| {
        let rules: Vec<_> = pack.rules_of(question).filter(|rule| rule.decides()).collect();
        let unverified = rules.iter().filter(|rule| rule.confidence == Confidence::Unverified).count();
        (rules.len(), unverified)
    };
    if voice.json {
        let all: Vec<Json> = built_in()
            .packs
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
    head.extend(built_in().packs.iter().map(|pack| pack.id.as_str()));
    let rows = question::ALL.iter().map(|question| {
        let mut row = vec![question.name.to_owned()];
        row.extend(built_in().packs.iter().map(|pack| match count(pack, question) {
            (0, _) => "·".to_owned(),
            (rules, unverified) if rules == unverified => format!("{rules}?"),
            (rules, _) => rules.to_string(),
        }));
        row
    });
    voice.table(&head, rows.collect());
    voice.say("rules that decide; ? all of them unverified; · the pack says nothing about it");
}
