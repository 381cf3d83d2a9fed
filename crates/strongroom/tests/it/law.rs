//! `strongroom law`: what docs/guide/law.md says, typed; and what it refuses.

#![cfg(test)]

use serde_json::{Value as Json, json};

use crate::vault::{Ran, Vault, strongroom};

const GUIDE: &str = include_str!("../../../../docs/guide/law.md");

/// What begins the part of the guide that is about a vault's own packs.
const UPDATING: &str = "\n## Updating packs\n";

/// The commands of a part of the guide, each on a line of its own.
fn commands(part: &str) -> Vec<Vec<String>> {
    let text = part.replace("\\\n", " ");
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
    let commands = commands(GUIDE.split(UPDATING).next().unwrap());
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
fn the_command_and_the_server_give_the_same_answers_to_the_same_questions() {
    let vault = Vault::new();
    let asked = json!([
        { "question": "breach", "packs": ["cn", "eu", "us-ca"], "facts": { "detected_at": "2026-03-02T09:00:00+08:00", "persons": 1_200_000 } },
        { "question": "minor", "on": "2026-11-21", "facts": { "age": 13 } },
        { "question": "transfer", "packs": ["cn"], "on": "2021-01-01" },
    ]);
    let lines: Vec<String> = asked.as_array().unwrap().iter().map(ToString::to_string).collect();
    std::fs::write(vault.path("questions.jsonl"), lines.join("\n")).unwrap();
    let out = vault.run(&["law", "decide", "--facts", "questions.jsonl"]).ends(0).out;
    let by_command: Vec<Json> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let server = vault.serve();
    let answered = server.caller(&vault.admin).post("/v1/law:decide", &asked).has(200).json();
    let results = answered["results"].as_array().unwrap();
    let by_server: Vec<Json> =
        results.iter().flat_map(|result| result["answers"].as_array().unwrap().clone()).collect();
    assert!(by_command.len() > 10);
    assert_eq!(by_command, by_server);
    let wrong = json!({ "question": "minor", "facts": { "age": "Ann-Lee" } });
    std::fs::write(vault.path("wrong.json"), wrong.to_string()).unwrap();
    let ran = vault.run(&["law", "decide", "--json", "--facts", "wrong.json"]).ends(1);
    let refused = server.caller(&vault.admin).post("/v1/law:decide", &wrong).has(422);
    assert_eq!(serde_json::from_str::<Json>(&ran.err).unwrap(), refused.json());
    assert!(!refused.text().contains("Ann-Lee"));
}

// ── Packs that were installed ───────────────────────────────────────────────────────────────────────────────────────────

/// A vault beside which the folders of some packs lie, as their maker has them: of a later day than what is built in.
fn with_packs(ids: &[&str]) -> Vault {
    let vault = Vault::new();
    for id in ids {
        let files = rulebook::FILES.iter().find(|files| files.id == *id).unwrap();
        let folder = vault.path(&format!("packs/{id}"));
        std::fs::create_dir_all(&folder).unwrap();
        let pack = files.pack.replacen("checked_on = 2026-11-21", "checked_on = 2026-11-27", 1);
        std::fs::write(folder.join("pack.toml"), pack).unwrap();
        std::fs::write(folder.join("scenarios.toml"), files.scenarios).unwrap();
        std::fs::write(folder.join("CHANGELOG.md"), files.changelog).unwrap();
    }
    vault
}

/// Writes into the configuration whose packs are taken.
fn trust(vault: &Vault, keys: &[&str]) {
    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once("trusted = [").unwrap();
    let behind = after.split_once(']').unwrap().1;
    std::fs::write(&file, format!("{before}trusted = {}{behind}", json!(keys))).unwrap();
}

fn listed(vault: &Vault, id: &str) -> Json {
    let all = vault.run(&["law", "list", "--json"]).json();
    all.as_array().unwrap().iter().find(|pack| pack["pack"] == id).unwrap().clone()
}

#[test]
fn the_guide_on_updating_packs_is_typed_from_its_first_command_to_its_last() {
    let vault = with_packs(&["cn", "sg"]);
    let part = GUIDE.split(UPDATING).nth(1).unwrap().split("\n## ").next().unwrap();
    let commands = commands(part);
    assert!(commands.len() >= 5, "{commands:?}");
    for words in &commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let out = vault.run(&words).ends(0).out;
        assert!(!out.is_empty(), "{words:?}");
        if words[1] == "keygen" {
            trust(&vault, &[out.trim()]);
        }
        if words.contains(&"--dry-run") {
            assert!(!vault.data().join("packs").exists(), "nothing is changed");
        }
    }
    let sg = listed(&vault, "sg");
    assert_eq!((&sg["checked_on"], &sg["signed_by"]), (&json!("2026-11-27"), &json!(["packs.example/law"])));
    assert!(sg["from"].as_str().unwrap().starts_with("bundle of 20"), "{sg}");
    assert_eq!(listed(&vault, "eu")["from"], "built in");
    let tested = vault.run(&["law", "test", "sg", "--json"]).ends(0).json();
    assert!(tested["scenarios"].as_u64().unwrap() > 0 && tested["faults"] == json!([]));
    vault.is_well();
    let looked = vault.run(&["doctor"]).ends(0).out;
    assert!(looked.contains("2 installed, as they were signed"), "{looked}");
}

#[test]
fn a_bundle_is_installed_by_nobody_who_does_not_trust_its_maker() {
    let vault = with_packs(&["sg"]);
    let key = |name: &str| {
        let file = format!("{name}.key");
        vault
            .run(&["law", "keygen", "--key", &file, "--name", "packs.example/law"])
            .ends(0)
            .out
            .trim()
            .to_owned()
    };
    let (ours, others) = (key("ours"), key("others"));
    vault.run(&["law", "bundle", "--out", "b", "--key", "ours.key", "packs/sg"]).ends(0);
    let update = |more: &[&str]| vault.run(&[&["law", "update", "b"], more].concat());
    update(&[]).fails("SR-LAW-007");
    update(&["--trusted", &others, "--dry-run"]).fails("SR-LAW-007");
    update(&["--trusted", &ours, "--dry-run"]).ends(0);
    update(&["--trusted", &ours]).fails("SR-LAW-012");
    trust(&vault, &[&others]);
    update(&["--trusted", &ours]).fails("SR-LAW-012");
    assert!(!vault.data().join("packs").exists(), "nothing was written");
    trust(&vault, &[&others, &ours]);
    update(&["--trusted", &others]).fails("SR-LAW-007");
    update(&["--trusted", &ours]).ends(0);
    assert_eq!(listed(&vault, "sg")["checked_on"], "2026-11-27");
    trust(&vault, &["no key"]);
    vault.run(&["law", "list"]).fails("SR-CONFIG-002");
}

#[test]
fn a_pack_that_was_changed_on_the_disk_is_named_and_answers_no_more_until_somebody_says_what_to_do() {
    let vault = with_packs(&["sg"]);
    let key = vault.run(&["law", "keygen", "--key", "k", "--name", "packs.example/law"]).ends(0).out;
    trust(&vault, &[key.trim()]);
    vault.run(&["law", "bundle", "--out", "b", "--key", "k", "packs/sg"]).ends(0);
    vault.run(&["law", "update", "b"]).ends(0);
    let file = vault.data().join("packs/sg/pack.bundle");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("kind = \"law\"", "kind = \"lex\"", 1)).unwrap();
    vault.run(&["law", "show", "sg"]).fails("SR-LAW-010");
    vault.run(&["law", "explain", "minor", "age=13"]).fails("SR-LAW-010");
    vault.run(&["law", "test"]).fails("SR-LAW-010");
    vault.run(&["law", "explain", "minor", "age=13", "--pack", "cn"]).ends(0);
    let shown = vault.run(&["law", "list"]).ends(4);
    assert!(shown.err.contains("error[SR-LAW-010]") && shown.err.contains("`sg`"), "{}", shown.err);
    let looked = vault.run(&["doctor"]).ends(4).out;
    assert!(looked.contains("LOOK  SR-LAW-010"), "{looked}");
    let refused = listed(&vault, "sg");
    assert_eq!((&refused["from"], &refused["code"]), (&json!("refused"), &json!("SR-LAW-010")));
    vault.run(&["law", "update", "b"]).ends(0);
    assert_eq!(listed(&vault, "sg")["checked_on"], "2026-11-27");
    std::fs::remove_dir_all(vault.data().join("packs/sg")).unwrap();
    assert_eq!(listed(&vault, "sg")["from"], "built in");
}

#[test]
fn a_pack_of_another_law_is_added_and_an_older_one_is_taken_only_where_somebody_says_so() {
    let vault = with_packs(&["sg"]);
    let folder = vault.path("packs/atlantis");
    std::fs::rename(vault.path("packs/sg"), &folder).unwrap();
    let edit = |from: &str, to: &str| {
        let text = std::fs::read_to_string(folder.join("pack.toml")).unwrap();
        assert!(text.contains(from));
        std::fs::write(folder.join("pack.toml"), text.replacen(from, to, 1)).unwrap();
    };
    edit("id = \"sg\"", "id = \"atlantis\"");
    let key = vault.run(&["law", "keygen", "--key", "k", "--name", "packs.example/law"]).ends(0).out;
    trust(&vault, &[key.trim()]);
    let bundle =
        |out: &str| vault.run(&["law", "bundle", "--out", out, "--key", "k", "packs/atlantis"]).ends(0);
    bundle("new");
    vault.run(&["law", "bundle", "--out", "new", "--key", "k", "packs/atlantis"]).fails("SR-KEYS-003");
    vault.run(&["law", "update", "new"]).ends(0);
    assert_eq!(listed(&vault, "atlantis")["checked_on"], "2026-11-27");
    edit("checked_on = 2026-11-27", "checked_on = 2026-11-26");
    bundle("old");
    vault.run(&["law", "update", "old"]).fails("SR-LAW-009");
    vault.run(&["law", "update", "old", "--allow-older"]).ends(0);
    assert_eq!(listed(&vault, "atlantis")["checked_on"], "2026-11-26");
    edit("kind = \"law\"", "kind = \"platform\"");
    std::fs::write(folder.join("scenarios.toml"), "").unwrap();
    vault.run(&["law", "bundle", "--out", "bare", "--key", "k", "packs/atlantis"]).fails("SR-LAW-008");
    vault.run(&["law", "update", "none"]).fails("SR-CLI-004");
    vault.run(&["law", "update", "shop.toml"]).fails("SR-LAW-006");
}

#[test]
fn everything_that_is_built_in_passes_its_own_test() {
    let folder = tempfile::tempdir().unwrap();
    let ran = type_in(folder.path(), &["law", "test", "--json"]).ends(0);
    let counts: Json = serde_json::from_str(&ran.out).unwrap();
    assert!(counts["scenarios"].as_u64().unwrap() >= 300 && counts["faults"] == json!([]), "{counts}");
}

const UNLAWFUL: &str = include_str!("../../../../examples/unlawful/shop.toml");

/// An example, as `shop.toml` in a folder of its own.
fn with_policy(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.toml"), text).unwrap();
    folder
}

#[test]
fn a_policy_that_breaks_the_law_is_found_out_and_the_readme_shows_how() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shown = type_in(&root, &["check", "examples/unlawful/shop.toml"]).ends(4).out;
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = std::fs::read_to_string(root.join(readme)).unwrap();
        assert!(text.contains(shown.trim_end()), "{readme} has fallen behind:\n{shown}");
    }
    let json = type_in(&root, &["check", "examples/unlawful/shop.toml", "--json"]).ends(4).json();
    assert_eq!((&json["ok"], &json["counts"]["unlawful"]), (&json!(true), &json!(4)));
}

#[test]
fn the_law_of_the_day_is_asked_or_none() {
    let folder = with_policy(UNLAWFUL);
    type_in(folder.path(), &["check", "shop.toml", "--no-law"]).ends(0);
    let early = type_in(folder.path(), &["check", "shop.toml", "--as-of", "2018-01-01", "--json"]);
    let codes = |json: Json| -> Vec<String> {
        json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let early = codes(early.json());
    assert!(
        !early.contains(&"SR-POL-101".to_owned()) && !early.contains(&"SR-POL-107".to_owned()),
        "{early:?}"
    );
}

#[test]
fn tasks_are_listed_by_the_packs_that_ask_for_them() {
    let folder = with_policy(include_str!("../../../../examples/cross-border/shop.toml"));
    let shown = type_in(folder.path(), &["check", "shop.toml", "--tasks"]).ends(0);
    for said in ["\ncn\n", "\nvn\n", "[ ] assessment: ", "PIPL 55 (cn)"] {
        assert!(shown.out.contains(said), "{said}: {}", shown.out);
    }
    let without = type_in(folder.path(), &["check", "shop.toml"]).ends(0);
    assert!(without.err.contains("tasks for people: --tasks lists them"), "{}", without.err);
}

#[test]
fn a_change_says_under_which_law_people_are_told_and_asked_again() {
    let old = include_str!("../../../../examples/cross-border/shop.toml");
    let folder = with_policy(old);
    let new = old.replace(
        "use = \"marketing.communications.email\"",
        "use = \"marketing.advertising.first_party.targeted\"",
    );
    std::fs::write(folder.path().join("new.toml"), &new).unwrap();
    let shown = type_in(folder.path(), &["diff", "shop.toml", "new.toml"]).ends(0).out;
    for said in ["under cn\n", "to be asked again: marketing_email (PIPL 14(2) (cn)", "under eu\n"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let same = type_in(folder.path(), &["diff", "shop.toml", "shop.toml", "--json"]).ends(0).json();
    assert_eq!(same["under_law"], json!([]));
}

#[test]
fn what_coming_law_breaks_is_said_with_its_first_day() {
    let folder = with_policy(include_str!("../../../../examples/cross-border/shop.toml"));
    let found = type_in(
        folder.path(),
        &["law", "changes", "--policy", "shop.toml", "--since", "2026-11-28", "--json"],
    );
    let turns = found.ends(0).json();
    let turns = turns.as_array().unwrap();
    assert!(
        !turns.is_empty() && turns.iter().all(|turn| turn["on"].as_str().unwrap() > "2026-11-28"),
        "{turns:?}"
    );
    assert!(turns.windows(2).all(|pair| pair[0]["on"].as_str() < pair[1]["on"].as_str()));
    std::fs::write(folder.path().join("broken.toml"), "format = 2").unwrap();
    type_in(folder.path(), &["law", "changes", "--policy", "broken.toml"]).ends(4);
}

#[test]
fn a_policy_is_written_in_the_words_of_other_tools() {
    let folder = with_policy(include_str!("../../../../examples/zh-shop/shop.toml"));
    let dpv = type_in(folder.path(), &["interchange", "--policy", "shop.toml"]).ends(0).json();
    assert!(dpv["@context"].is_object() || dpv["@context"].is_array(), "{dpv}");
    let fides = type_in(folder.path(), &["interchange", "--policy", "shop.toml", "--format", "fideslang"]);
    assert!(fides.ends(0).json().is_object());
}
