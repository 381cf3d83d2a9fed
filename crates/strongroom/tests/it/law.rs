//! `strongroom law`: what docs/guide/law.md says, typed; and what it refuses.

#![cfg(test)]

use serde_json::{Value as Json, json};

use crate::vault::{Ran, strongroom};

const GUIDE: &str = include_str!("../../../../docs/guide/law.md");

/// The commands of the guide, each on a line of its own.
fn commands() -> Vec<Vec<String>> {
    let text = GUIDE.replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("strongroom "));
    lines
        .map(|line| {
            let line = line.split('#').next().unwrap_or_default();
            line.split_whitespace().map(str::to_owned).collect()
        })
        .collect()
}

fn type_in(folder: &std::path::Path, words: &[&str]) -> Ran {
    Ran::of(strongroom().current_dir(folder).args(words).output().unwrap())
}

#[test]
fn the_guide_is_typed_from_its_first_command_to_its_last() {
    let folder = tempfile::tempdir().unwrap();
    let commands = commands();
    assert!(commands.len() >= 5, "{commands:?}");
    for words in &commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran = type_in(folder.path(), &words).ends(0);
        assert!(!ran.out.is_empty(), "{words:?}");
        let with_json = [&words[..], &["--json"]].concat();
        let parsed: Json = serde_json::from_str(&type_in(folder.path(), &with_json).ends(0).out).unwrap();
        assert!(parsed.is_array() || parsed.is_object());
    }
    let clock = commands.iter().find(|words| words[1] == "clock").unwrap();
    let words: Vec<&str> = clock.iter().map(String::as_str).collect();
    let shown = type_in(folder.path(), &words).ends(0).out;
    assert!(shown.contains("2026-03-02T13:00:00+08:00") && shown.contains("2026-03-02T05:00:00Z"), "{shown}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it needs no vault, and makes none");
}

#[test]
fn in_chinese_answers_duties_and_what_stands_around_them_are_chinese() {
    let folder = tempfile::tempdir().unwrap();
    let facts = ["detected_at=2026-03-02T09:00:00+08:00", "persons=1200000", "role=controller"];
    let words = [&["law", "explain", "breach", "--pack", "cn", "--lang", "zh"][..], &facts].concat();
    let shown = type_in(folder.path(), &words).ends(0).out;
    for said in ["须报告监管机构：是", "→ 提交总结报告，对象：", "待回答：is_ciio", "已核对原文"]
    {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    for english in ["notify", "report", ", to ", "because", "verified"] {
        // The condition of a rule is shown as it is written.
        let mut lines = shown.lines().filter(|line| !line.contains("依据规则"));
        assert!(!lines.any(|line| line.contains(english)), "{english}: {shown}");
    }
}

#[test]
fn questions_come_as_json_and_each_pack_answers_on_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let example = GUIDE.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let file = folder.path().join("questions.jsonl");
    std::fs::write(
        &file,
        format!("{example}{{\"question\": \"minor\", \"on\": \"2026-11-21\", \"facts\": {{\"age\": 13}}}}\n"),
    )
    .unwrap();
    let out = type_in(folder.path(), &["law", "decide", "--facts", "questions.jsonl"]).ends(0).out;
    let answers: Vec<Json> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 1 + rulebook::built_in().packs.len());
    assert_eq!((&answers[0]["pack"], &answers[0]["outcome"]), (&json!("cn"), &json!("answered")));
    assert_eq!(answers[0]["answers"][0]["says"], "standard_contract_or_certification");
    let minor =
        answers.iter().find(|answer| answer["pack"] == "cn" && answer["question"] == "minor").unwrap();
    assert_eq!(minor["answers"][0]["says"], true);
    assert!(
        minor["steps"].as_array().unwrap().iter().all(|step| !step["cites"].as_array().unwrap().is_empty())
    );
}

#[test]
fn what_cannot_be_asked_is_refused_with_a_code_and_without_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |words: &[&str], code: &str| {
        let ran = type_in(folder.path(), words).fails(code).ends(1);
        assert!(!ran.err.contains("Ann-Lee"), "{}", ran.err);
    };
    refused(&["law", "explain", "leak"], "SR-LAW-001");
    refused(&["law", "show", "atlantis"], "SR-LAW-002");
    refused(&["law", "explain", "breach", "persons=-1"], "SR-LAW-003");
    refused(&["law", "explain", "breach", "detected_at=2026-02-31"], "SR-LAW-003");
    refused(&["law", "explain", "breach", "detected_at=2026-03-02T09:00"], "SR-LAW-003");
    refused(&["law", "explain", "breach", "role=Ann-Lee"], "SR-LAW-003");
    refused(&["law", "explain", "breach", "peoples=7"], "SR-LAW-003");
    std::fs::write(folder.path().join("bad.json"), "{\"question\": \"breach\", \"fact\": \"Ann-Lee\"}")
        .unwrap();
    refused(&["law", "decide", "--facts", "bad.json"], "SR-LAW-004");
    refused(&["law", "decide", "--facts", "none.json"], "SR-CLI-004");
}

#[test]
fn a_pack_of_ones_own_is_tested_and_its_faults_are_named_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let own = |pack: &str, scenarios: &str| {
        std::fs::write(folder.path().join("own.toml"), pack).unwrap();
        std::fs::write(folder.path().join("s.toml"), scenarios).unwrap();
        type_in(folder.path(), &["law", "test", "--file", "own.toml", "--scenarios", "s.toml"])
    };
    let pack = rulebook::FILES[0].pack;
    let good = "[[scenario]]\nname = \"a child\"\nquestion = \"minor\"\non = \"2026-11-21\"\nfacts = { age = 13 }\nsays = { guardian_consent = true }\n";
    own(pack, good).ends(0);
    let faults = [
        (pack.replacen("when = \"age < 14\"", "when = \"age < 14 and age > 20\"", 1), "can never hold"),
        (pack.replacen("cite = [\"pipl 13\"]", "cite = []", 1), "cites nothing"),
        (
            pack.replacen("cite = [\"pipl 13\"]", "cite = [\"nowhere 13\"]", 1),
            "`nowhere`, which is no law of this pack",
        ),
        (pack.replacen("question = \"basis\"", "question = \"basis\"\nwhy = 1", 1), "unknown field `why`"),
        (pack.replacen("list = \"breach-57\"", "list = \"breach-58\"", 1), "no list `breach-58`"),
        (pack.replacen("id = \"basis.others\"", "id = \"basis.known\"", 1), "in force twice on one day"),
    ];
    for (text, why) in faults {
        let ran = own(&text, good).ends(4);
        assert!(ran.out.contains("own.toml:") && ran.out.contains(why), "{why}: {}", ran.out);
    }
    let wrong = own(pack, &good.replace("true", "false")).ends(4);
    assert!(wrong.out.contains("cn: a child: `guardian_consent` is true"), "{}", wrong.out);
}

#[test]
fn everything_that_is_built_in_passes_its_own_test() {
    let folder = tempfile::tempdir().unwrap();
    let ran = type_in(folder.path(), &["law", "test", "--json"]).ends(0);
    let counts: Json = serde_json::from_str(&ran.out).unwrap();
    assert!(counts["scenarios"].as_u64().unwrap() >= 300 && counts["faults"] == json!([]), "{counts}");
}
