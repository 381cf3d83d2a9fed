//! Questions of law over HTTP: what is answered, who may ask, what is refused, and what is left behind, which is nothing.

use ledger::note::{self, Signer};
use rulebook::bundle::{Bundle, BundleFile, Manifest};
use serde_json::{Value as Json, json};
use strongroom::ground::Role;
use strongroom::ground::packs::{Packs, open};

use crate::support::{Bench, Key, Reply, logged};

const PATH: &str = "/v1/law:decide";

fn breach(packs: &[&str]) -> Json {
    json!({ "question": "breach", "packs": packs, "facts": {
        "detected_at": "2026-03-02T09:00:00+08:00", "persons": 1_200_000, "role": "controller", "is_ciio": false,
        "is_state_organ": false, "other_grading_criteria_met": false, "harm_avoided": false, "may_be_crime": false,
        "handles_minors": false } })
}

fn minor(age: u64) -> Json {
    json!({ "question": "minor", "packs": ["cn"], "on": "2026-11-21", "facts": { "age": age } })
}

fn ask(bench: &Bench, body: &Json) -> Reply {
    bench.post(&bench.admin, PATH, body)
}

#[test]
fn a_question_is_answered_with_deadlines_articles_steps_and_the_day_of_the_pack() {
    let bench = Bench::new();
    let answered = ask(&bench, &breach(&["cn"])).is(200);
    let answer = &answered["results"][0]["answers"][0];
    assert_eq!((&answer["pack"], &answer["outcome"]), (&json!("cn"), &json!("answered")));
    assert_eq!(answer["earliest"], "2026-03-02T13:00:00+08:00");
    let duties = answer["duties"].as_array().unwrap();
    let report = duties.iter().find(|duty| duty["by"] == "2026-03-02T13:00:00+08:00").unwrap();
    assert!(report["cites"][0].as_str().unwrap().contains("Incident Measures"), "{report}");
    assert!(report["certain"].as_bool().unwrap() && report["confidence"].is_string());
    assert!(answer["steps"].as_array().unwrap().iter().any(|step| step["used"] == true));
    let built_in = rulebook::built_in().find("cn").unwrap();
    assert_eq!(answer["checked_on"], built_in.checked_on.to_string());
}

#[test]
fn several_questions_are_answered_in_their_order_each_by_its_packs() {
    let bench = Bench::new();
    let asked =
        json!([minor(13), breach(&["cn", "eu", "us-ca"]), { "question": "minor", "on": "2026-11-21" }]);
    let results = ask(&bench, &asked).is(200)["results"].clone();
    let counts: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["answers"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [1, 3, rulebook::built_in().packs.len()]);
    assert_eq!((&results[1]["index"], &results[1]["answers"][2]["pack"]), (&json!(1), &json!("us-ca")));
    assert_eq!(results[0]["answers"][0]["answers"][0]["says"], true);
    let asks = &results[2]["answers"][0]["asks"];
    assert!(
        asks.as_array().unwrap().iter().any(|ask| ask["fact"] == "age"),
        "what is not given is asked: {asks}"
    );
}

#[test]
fn whoever_may_call_may_ask_and_a_stranger_may_not() {
    let bench = Bench::new();
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Window) {
        bench.post(&bench.key(role, &[]), PATH, &minor(13)).is(200);
    }
    bench.post(&bench.key(Role::Window, &[]), PATH, &minor(13)).problem(403, "SR-PEOPLE-003");
    bench.post(&Key(String::new()), PATH, &minor(13)).problem(401, "SR-PEOPLE-001");
    bench.get(&bench.admin, PATH).problem(405, "SR-HTTP-013");
}

#[test]
fn nothing_is_entered_and_no_fact_is_logged() {
    let bench = Bench::new();
    let before = bench.entries().len();
    ask(&bench, &minor(13)).is(200);
    ask(&bench, &json!({ "question": "minor", "facts": { "age": "Zhuangzi-40961" } }))
        .problem(422, "SR-LAW-003");
    ask(&bench, &json!({ "question": "minor", "facts": { "Zhuangzi 40961": 1 } })).problem(422, "SR-LAW-003");
    assert_eq!(bench.entries().len(), before);
    assert!(!logged().contains("40961"));
}

#[test]
fn what_cannot_be_asked_is_refused_by_code_and_place_and_without_its_value() {
    let bench = Bench::new();
    for (asked, code, pointer) in [
        (json!({ "question": "Ann Lee" }), "SR-LAW-001", "/question"),
        (json!({ "question": "minor", "packs": ["cn", "Ann Lee"] }), "SR-LAW-002", "/packs/1"),
        (json!({ "question": "minor", "facts": { "age": "Ann Lee" } }), "SR-LAW-003", "/facts/age"),
        (json!({ "question": "minor", "facts": { "age": -1 } }), "SR-LAW-003", "/facts/age"),
        (json!({ "question": "minor", "facts": { "Ann Lee": 7 } }), "SR-LAW-003", "/facts/*"),
        (json!({ "question": "minor", "on": "Ann Lee" }), "SR-LAW-003", "/on"),
        (
            json!({ "question": "breach", "facts": { "detected_at": "2026-02-31" } }),
            "SR-LAW-003",
            "/facts/detected_at",
        ),
    ] {
        let reply = ask(&bench, &asked);
        assert_eq!(reply.problem(422, code)["pointer"], pointer);
        assert!(!reply.text().contains("Lee"), "{}", reply.text());
        let second = ask(&bench, &json!([minor(13), asked])).problem(422, code);
        assert_eq!(second["pointer"], format!("/1{pointer}"));
    }
}

#[test]
fn no_more_is_asked_at_once_than_may_be() {
    let bench = Bench::new();
    let many = |count: usize, question: Json| Json::Array(vec![question; count]);
    ask(&bench, &many(100, minor(13))).is(200);
    ask(&bench, &many(101, minor(13))).problem(422, "SR-LAW-005");
    ask(&bench, &json!([])).problem(422, "SR-LAW-005");
    ask(&bench, &many(100, breach(&["cn"; 5]))).problem(422, "SR-LAW-005");
    ask(&bench, &many(100, json!({ "question": "minor" }))).problem(422, "SR-LAW-005");
    let long = json!({ "question": "minor", "facts": { "age": "1".repeat(256 << 10) } });
    ask(&bench, &long).problem(413, "SR-HTTP-001");
}

#[test]
fn hostile_json_is_refused_and_repeats_nothing_of_itself() {
    let bench = Bench::new();
    let deep = format!(
        "{{\"question\": \"minor\", \"facts\": {{\"age\": {}1{}}}}}",
        "[".repeat(400),
        "]".repeat(400)
    );
    let long_name = format!("{{\"question\": \"minor\", \"facts\": {{\"{}\": 1}}}}", "a".repeat(200_000));
    let cases: [&[u8]; 16] = [
        b"",
        b" \n",
        b"null",
        b"7",
        b"\"minor\"",
        b"[null]",
        b"[[]]",
        b"{\"question\": \"minor\"",
        b"{\"question\": \"minor\"} {\"question\": \"minor\"}",
        b"{\"question\": \"minor\", \"question\": \"breach\"}",
        b"{\"question\": \"minor\", \"facts\": {\"age\": 13, \"age\": 18}}",
        b"{\"question\": \"minor\", \"Zhuangzi\": 1}",
        b"{\"question\": \"minor\", \"facts\": [\"Zhuangzi\"]}",
        b"{\"question\": \"minor\", \"facts\": {\"age\": 1e400}}",
        deep.as_bytes(),
        b"{\"question\": \"\xff\"}",
    ];
    for body in cases {
        let reply = bench.post_bytes(&bench.admin, PATH, body.to_vec());
        let code = reply.is_a_problem()["code"].as_str().unwrap().to_owned();
        assert!(
            ["SR-HTTP-002", "SR-HTTP-003"].contains(&code.as_str()),
            "{code}: {}",
            String::from_utf8_lossy(body)
        );
        assert!(!reply.text().contains("Zhuangzi"), "{}", reply.text());
    }
    let reply = bench.post_bytes(&bench.admin, PATH, long_name);
    reply.problem(422, "SR-LAW-003");
    assert!(reply.body.len() < 500, "{} bytes", reply.body.len());
}

#[test]
fn every_key_of_an_answer_stands_in_the_document() {
    let bench = Bench::new();
    let document = bench.get_as_stranger("/openapi.json").is(200);
    let schemas = &document["components"]["schemas"];
    let all =
        json!([breach(&["cn", "eu", "taobao"]), minor(13), { "question": "breach", "on": "2025-10-01" }]);
    let answered = ask(&bench, &all).is(200);
    let known = |value: &Json, schema: &str| {
        for key in value.as_object().unwrap().keys() {
            assert!(!schemas[schema]["properties"][key].is_null(), "{schema} has no `{key}`");
        }
        for key in schemas[schema]["required"].as_array().unwrap() {
            assert!(value.get(key.as_str().unwrap()).is_some(), "{schema} always has {key}: {value}");
        }
    };
    let mut parts = 0;
    for answer in answered["results"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|result| result["answers"].as_array().unwrap())
    {
        known(answer, "LawAnswer");
        for (list, schema) in [
            ("answers", "LawSaid"),
            ("duties", "LawDuty"),
            ("asks", "LawAsk"),
            ("coming", "LawComing"),
            ("steps", "LawStep"),
        ] {
            for part in answer[list].as_array().unwrap() {
                known(part, schema);
                parts += 1;
            }
        }
    }
    assert!(parts > 50, "{parts}");
}

// ── Installed packs ─────────────────────────────────────────────────────────────────────────────────────────────────────

fn signer() -> Signer {
    Signer::from_seed("packs.example/law", &[7; 32]).unwrap()
}

/// A bench whose configuration trusts a maker of packs.
pub(super) fn trusting() -> Bench {
    trusting_with(crate::support::POLICY)
}

/// The same for a shop with this policy.
pub(super) fn trusting_with(policy: &str) -> Bench {
    let mut bench = Bench::with_policy(policy);
    bench.close();
    bench.places.trusted = vec![signer().verifier().clone()];
    bench.open();
    bench
}

/// Installs a pack that is built in, of another day, into the data folder, as the command does.
fn install(bench: &Bench, id: &str, day: &str) {
    install_edited(bench, id, ("checked_on = 2026-11-21", &format!("checked_on = {day}")));
}

/// Installs a pack that is built in, with one thing written otherwise.
pub(super) fn install_edited(bench: &Bench, id: &str, (from, to): (&str, &str)) {
    let built = rulebook::FILES.iter().find(|files| files.id == id).unwrap();
    assert!(built.pack.contains(from), "{from}");
    let pack = built.pack.replacen(from, to, 1);
    let file = |name: &str, text: &str| BundleFile { path: format!("{id}/{name}"), text: text.to_owned() };
    let mut files = vec![
        file("pack.toml", &pack),
        file("scenarios.toml", built.scenarios),
        file("CHANGELOG.md", built.changelog),
    ];
    let manifest = Manifest::of(jiff::civil::date(2026, 11, 28), &mut files).unwrap();
    let note = note::sign(&manifest.text(), &[&signer()]).unwrap();
    let bytes = Bundle { note, files }.encode().unwrap().into_bytes();
    for house in bench.houses() {
        let packs = Packs::new(&house.data, vec![signer().verifier().clone()]);
        packs.install(&open(&bytes, packs.trusted(), rulebook::bundle::Extent::Whole).unwrap()).unwrap();
    }
}

#[test]
fn a_server_that_runs_answers_by_a_pack_as_soon_as_it_is_installed() {
    let bench = trusting();
    let day =
        |bench: &Bench| ask(bench, &minor(13)).is(200)["results"][0]["answers"][0]["checked_on"].clone();
    assert_eq!(day(&bench), "2026-11-21");
    install(&bench, "cn", "2026-11-27");
    assert_eq!(day(&bench), "2026-11-27");
}

#[test]
fn a_pack_that_was_changed_on_the_disk_is_refused_by_name_and_the_built_in_one_does_not_answer_for_it() {
    let bench = trusting();
    install(&bench, "cn", "2026-11-27");
    for house in bench.houses() {
        let file = house.data.join("packs/cn/pack.bundle");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen("age < 14", "age < 12", 1)).unwrap();
    }
    for asked in [minor(13), json!({ "question": "minor", "on": "2026-11-21" })] {
        let reply = ask(&bench, &asked);
        let problem = reply.json();
        assert_eq!((reply.status, problem["code"].as_str()), (503, Some("SR-LAW-010")), "{problem}");
        assert!(problem["title"].as_str().unwrap().contains("`cn`"), "{problem}");
    }
    let other = json!({ "question": "minor", "packs": ["eu"], "on": "2026-11-21" });
    assert_eq!(ask(&bench, &other).is(200)["results"][0]["answers"][0]["pack"], "eu");
}
