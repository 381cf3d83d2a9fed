//! The demonstration, run as a process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value as Json;

const POLICY: &str = include_str!("../../../../examples/harbour-hill/shop.toml");

/// The demonstration with temporary files in a folder of its own.
pub(crate) fn demo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", folder)
        .env_remove("STRONGROOM_CONFIG")
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (Output, usize) {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path(), arguments).output().unwrap();
    (output, left_in(folder.path()))
}

fn left_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Words of people in Latin letters that are no names of the policy or of formats: `(line, words)`.
fn english_in(output: &str) -> Vec<(String, String)> {
    const NAMES: [&str; 9] =
        ["Strongroom", "SHA", "KiB", "GET", "POST", "intake", "service", "officer", "OpenAPI"];
    let mut found = Vec::new();
    for line in output.lines() {
        // JSON, bytes, lines of the policy and of the signed head; requests; commands.
        if ["   │", "   ▸", "   $", "       --", "       -H", "       -d"]
            .iter()
            .any(|begin| line.starts_with(begin))
        {
            continue;
        }
        // Addresses, paths, dates, keys and expressions of the policy are the same in every language.
        let plain = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        for piece in plain.split(|letter: char| !letter.is_ascii_graphic()) {
            // Addresses, and ids of keys in hex.
            if piece.contains(['/', '.', ':', '_'])
                || (piece.len() == 32 && piece.bytes().all(|byte| byte.is_ascii_hexdigit()))
            {
                continue;
            }
            for word in piece.split(|letter: char| !letter.is_ascii_alphabetic()) {
                if word.len() > 1
                    && !POLICY.contains(&format!("{word}\""))
                    && !POLICY.contains(&format!(".{word}]"))
                    && !NAMES.contains(&word)
                {
                    found.push((line.to_owned(), word.to_owned()));
                }
            }
        }
    }
    found
}

#[test]
fn it_walks_to_its_end_in_both_languages_and_leaves_nothing() {
    for language in ["en", "zh"] {
        let (output, left) = run(&["--once", "--customers", "12", "--lang", language]);
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(0), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(left, 0, "the temporary folder is gone");
        assert!(!shown.contains('\u{1b}'), "no colour where nobody watches");
        assert!(!shown.contains("srk_"), "no credential is shown when the server does not stay");
        let steps = shown
            .lines()
            .filter(|line| {
                line.len() > 3 && line.get(..3).is_some_and(|begin| begin.trim().parse::<u8>().is_ok())
            })
            .count();
        assert_eq!(steps, 11, "{shown}");
        assert!(shown.matches(" ✓ ").count() >= 33, "{shown}");
        let words = english_in(&shown);
        if language == "zh" {
            assert!(words.is_empty(), "{words:?}");
        } else {
            assert!(words.len() > 300, "the look for English finds English");
        }
    }
}

/// The exchanges of a step: who, path, status, answer.
fn exchanges(step: &Json) -> Vec<(&str, &str, u64, &Json)> {
    let all = step["exchanges"].as_array().unwrap();
    let known = all.iter().filter(|one| one.get("status").is_some());
    known
        .map(|one| {
            (
                one["who"].as_str().unwrap(),
                one["path"].as_str().unwrap(),
                one["status"].as_u64().unwrap(),
                &one["answer"],
            )
        })
        .collect()
}

#[test]
fn what_it_shows_is_what_the_server_answered() {
    let (output, _) = run(&["--once", "--customers", "12", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let steps: Vec<Json> = text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        steps.iter().map(|step| step["step"].as_u64().unwrap()).collect::<Vec<_>>(),
        (1..=11).collect::<Vec<_>>()
    );
    let of = |step: usize| exchanges(&steps[step - 1]);

    let (_, path, status, collected) = of(2)[0];
    assert_eq!((path, status), ("/v1/records", 201));
    assert_eq!(collected["unknown"], serde_json::json!(["birth_date", "monthly_income"]));

    let (who, _, _, revealed) = of(4)[0];
    let fields = &revealed["records"][0]["fields"];
    assert_eq!(who, "warehouse");
    assert!(fields["phone"].as_str().unwrap().contains("****") && fields.get("amount").is_none());

    let refused: Vec<u64> = of(5).iter().map(|(_, _, status, _)| *status).collect();
    assert_eq!(refused, [403, 404]);
    assert_eq!(of(5)[0].3["reasons"][0]["name"], "outside_purpose");

    let chosen: Vec<u64> = of(6).iter().map(|(_, _, status, _)| *status).collect();
    assert_eq!(chosen, [201, 200, 201, 403], "granted, used, withdrawn, refused");
    assert_eq!(of(6)[3].3["reasons"][0]["name"], "objected");

    let subjects: std::collections::BTreeSet<&str> = of(8)[0].3["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["subject"].as_str().unwrap())
        .collect();
    let subject = collected["subject"].as_str().unwrap();
    assert!(subjects.len() == 2 && subjects.contains(subject), "one phone, two people");

    let certificate: Json = serde_json::from_str(of(9)[0].3["body"].as_str().unwrap()).unwrap();
    assert_eq!(certificate["subject"], subject);
    assert!(certificate["unreadable_here_since"].as_str() < certificate["unreadable_everywhere_by"].as_str());

    assert_eq!(of(10)[0].2, 403);
    assert_eq!(of(10)[0].3["reasons"][0]["name"], "erased");
    assert_eq!(of(10)[1].3["matches"].as_array().unwrap().len(), 1, "the other one is still found");
    let retained = of(10)[2].3["records"][0]["fields"].as_object().unwrap();
    assert_eq!(retained.keys().collect::<Vec<_>>(), ["amount", "items"]);
}

#[test]
fn the_same_seed_shows_the_same_customer() {
    let order = |seed: &str| {
        let (output, _) = run(&["--once", "--customers", "3", "--json", "--seed", seed]);
        let second: Json = serde_json::from_str(text(&output).lines().nth(1).unwrap()).unwrap();
        second["exchanges"][1]["body"]["fields"].clone()
    };
    assert_eq!(order("5"), order("5"));
    assert_ne!(order("5"), order("6"));
}

/// A demonstration that stays up. A test that fails leaves no server behind.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A demonstration that stays up, and what it said until it had said this.
pub(crate) fn stays_up(folder: &Path, arguments: &[&str], until: &str) -> (Running, String) {
    let child = demo(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut running = Running(child);
    let mut out = BufReader::new(running.0.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains(until) {
        let before = said.len();
        out.read_line(&mut said).unwrap();
        assert!(said.len() > before, "it ended before it said {until}: {said}");
    }
    // What comes later is read and let go, so that the process never waits for a reader.
    std::thread::spawn(move || {
        let _ = out.read_to_end(&mut Vec::new());
    });
    (running, said)
}

/// Sends a signal and waits. Gives the exit code.
pub(crate) fn end(mut running: Running, signal: &str) -> Option<i32> {
    let sent = Command::new("kill").args([signal, &running.0.id().to_string()]).status().unwrap();
    assert!(sent.success());
    running.0.wait().unwrap().code()
}

#[test]
fn interrupted_while_it_stays_up_it_cleans_up() {
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let (child, said) = stays_up(folder.path(), &["--customers", "3"], "ledger verify --data");
        assert_eq!(left_in(folder.path()), 1, "it works in one temporary folder");
        for address in ["/docs", "/metrics", "/openapi.json", "/ledger/checkpoint"] {
            assert!(said.contains(address), "{address}");
        }
        assert_eq!(end(child, signal), Some(0));
        assert_eq!(left_in(folder.path()), 0, "{signal}");
    }
}

#[test]
fn interrupted_on_its_way_it_cleans_up_and_does_not_call_that_success() {
    let folder = tempfile::tempdir().unwrap();
    let (child, _) = stays_up(folder.path(), &["--customers", "3", "--pace", "60"], "GET /v1/policy");
    assert_eq!(left_in(folder.path()), 1);
    assert_eq!(end(child, "-INT"), Some(1));
    assert_eq!(left_in(folder.path()), 0);
}

#[test]
fn the_commands_it_prints_do_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let (child, said) = stays_up(folder.path(), &["--customers", "3"], "ledger verify --data");
    let vault =
        said.lines().find_map(|line| line.split_once("ledger verify --data ")).unwrap().1.trim().to_owned();
    let ours =
        |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_strongroom")).args(arguments).output().unwrap();
    let verified = ours(&["ledger", "verify", "--data", &vault]);
    assert!(verified.status.success() && text(&verified).starts_with("verified"), "{}", text(&verified));
    let audit = folder.path().join("audit");
    let exported = ours(&["ledger", "export", "--data", &vault, "--to", audit.to_str().unwrap()]);
    assert!(exported.status.success());
    // Only its owner may read the receipt, as everything in the folder.
    let receipt = Path::new(&vault).parent().unwrap().join("receipt.json");
    let receipt = ledger::receipt::Receipt::from_json(&std::fs::read_to_string(receipt).unwrap()).unwrap();
    let key = said.lines().find_map(|line| line.split_once("│ strongroom/harbour-hill+")).unwrap().1.trim();
    let verifier = ledger::note::Verifier::parse(&format!("strongroom/harbour-hill+{key}")).unwrap();
    let proved = receipt.verify(&verifier, verifier.name()).unwrap();
    assert_eq!(proved.entry.act, ledger::entry::Act::Erased);
    assert_eq!(end(child, "-INT"), Some(0));
}
