//! Judges that are not ours: tools that strangers wrote hold Strongroom to what it says. Each of them is also shown something
//! wrong, and must say no. docs/guide/judges.md says who judges what; `cargo xtask test` brings the tools, and what is not
//! there is skipped aloud.

#![cfg(test)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ledger::entry::Act;
use ledger::note::Verifier;
use ledger::receipt::Receipt;
use serde_json::{Value as Json, json};

use crate::vault::{POLICY, Ran, Server, Vault, customer, order};

/// Where judges and their pins are.
pub(crate) fn ours(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges").join(name)
}

/// Where `cargo xtask test` keeps what it brought.
pub(crate) fn kept(name: &str) -> PathBuf {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    checkout.join("target/judges").join(name)
}

/// Is this there? Says aloud what is skipped if it is not.
pub(crate) fn there(path: impl AsRef<Path>, judge: &str) -> bool {
    let (path, found) = (path.as_ref(), path.as_ref().exists());
    if !found {
        eprintln!(
            "SKIPPED: {judge}: {} is not there (`cargo xtask test --only needs` brings it)",
            path.display()
        );
    }
    found
}

/// A program on the path that ends well with these words.
fn answers(program: &str, words: &[&str], judge: &str) -> bool {
    let mut command = Command::new(program);
    let asked = command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let well = asked.is_ok_and(|status| status.success());
    if !well {
        eprintln!("SKIPPED: {judge}: `{program}` is not here (`cargo xtask test --only needs` installs it)");
    }
    well
}

/// Runs a command to its end, with this on stdin.
pub(crate) fn run_with(command: &mut Command, stdin: &[u8]) -> Ran {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    // A judge that does not read to the end is judged by how it ends.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let ran = Ran::of(child.wait_with_output().unwrap());
    writer.join().unwrap();
    ran
}

fn run(command: &mut Command) -> Ran {
    run_with(command, b"")
}

#[track_caller]
fn refuses(ran: Ran, what: &str) -> Ran {
    assert_ne!(ran.code, 0, "{what} is taken:\n{}\n{}", ran.out, ran.err);
    ran
}

/// Makes a credential over the API. Gives its secret.
fn credential(server: &Server, vault: &Vault, role: &str, purposes: &[&str]) -> String {
    let body = json!({ "role": role, "label": role, "purposes": purposes, "on_behalf_of": true });
    let made = server.caller(&vault.admin).post("/v1/credentials", &body).has(201).json();
    made["credential"].as_str().unwrap().to_owned()
}

fn document(server: &Server) -> Json {
    server.caller("").get("/openapi.json").has(200).json()
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::write(path, bytes).unwrap();
}

// ── Metrics: promtool ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn promtool_takes_the_metrics_and_refuses_them_with_one_line_broken() {
    if !answers("promtool", &["--version"], "promtool") {
        return;
    }
    let check = |text: &str| run_with(Command::new("promtool").args(["check", "metrics"]), text.as_bytes());
    let vault = Vault::new();
    let server = vault.serve();
    server.caller(&vault.admin).get("/v1/policy").has(200);
    server.caller("srk_x_y").get("/v1/policy").has(401);
    let asked = |more: &str| {
        let mut caller = crate::vault::Caller::new(server.admin, "");
        caller.send("GET", "/metrics", more, b"").unwrap().has(200)
    };

    let plain = asked("");
    assert!(plain.head.contains("content-type: text/plain; version=0.0.4"), "{}", plain.head);
    let text = plain.text();
    assert!(text.contains("strongroom_refused_at_the_door_total{why=\"credential\"} 1\n"), "{text}");
    let ran = check(&text).ends(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "promtool has nothing to say");
    // What Prometheus itself asks for.
    let open = asked("accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n");
    assert!(open.head.contains("content-type: application/openmetrics-text"), "{}", open.head);
    assert!(open.text().ends_with("# EOF\n"));

    let has_help = |line: &&str| line.starts_with("# HELP strongroom_store_units ");
    let without_help: String = text.split_inclusive('\n').filter(|line| !has_help(line)).collect();
    assert_ne!(without_help, text);
    for (what, broken) in [
        (
            "a figure that is no number",
            text.replace("strongroom_store_waiting 0", "strongroom_store_waiting none"),
        ),
        ("a figure without help", without_help),
        ("a counter under another name", text.replace("strongroom_requests_total", "strongroom_requests")),
        ("the format that was not asked for", open.text()),
    ] {
        assert_ne!(broken, text, "{what}");
        refuses(check(&broken), what);
    }
}

// ── The ledger: sumdb/note and sumdb/tlog of the Go project ─────────────────────────────────────────────────────────────

/// Builds the judge of ledgers from Debian's packages, offline. `None` after saying so.
fn build_ledger_judge() -> Option<PathBuf> {
    const LIBRARY: &str = "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog";
    if !answers("go", &["version"], "the judge of ledgers") || !there(LIBRARY, "the judge of ledgers") {
        return None;
    }
    let (judge, cache) = (kept("go/judge"), kept("go/cache"));
    std::fs::create_dir_all(&cache).unwrap();
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&judge).arg("main.go").current_dir(ours("go"));
    go.envs([
        ("GO111MODULE", "off"),
        ("GOFLAGS", ""),
        ("GOPATH", "/usr/share/gocode"),
        ("GOTOOLCHAIN", "local"),
    ]);
    // Nothing is fetched: the libraries are Debian's.
    go.env("GOPROXY", "off").env("GOCACHE", cache);
    run(&mut go).ends(0);
    Some(judge)
}

/// An exported log, with what the API says of it.
struct Exported {
    vault: Vault,
    judge: PathBuf,
}

impl Exported {
    fn path(&self, name: &str) -> PathBuf {
        self.vault.path(name)
    }

    fn judge(&self, what: &str, path: &str, more: &[&str]) -> Ran {
        self.judge_by(&self.vault.verifier, what, path, more)
    }

    fn judge_by(&self, verifier: &str, what: &str, path: &str, more: &[&str]) -> Ran {
        run(Command::new(&self.judge).args([what, path, verifier]).args(more).current_dir(self.vault.root()))
    }

    /// Every tile and bundle, below `log`.
    fn tiles(&self) -> Vec<PathBuf> {
        let (mut found, mut folders) = (Vec::new(), vec![self.path("log/tile")]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }

    /// The judge refuses the log while this file is another, and takes it again when it is as it was.
    #[track_caller]
    fn refused_with(&self, file: &Path, other: &[u8]) {
        let whole = std::fs::read(file).unwrap();
        assert_ne!(whole, other);
        write(file, other);
        refuses(self.judge("log", "log", &[]), &format!("a log with another {}", file.display()));
        write(file, whole);
    }
}

/// A log of more than two full tiles, with an old head, and the API's proofs.
fn exported(judge: PathBuf) -> Exported {
    let vault = Vault::new();
    let server = vault.serve();
    let by = credential(&server, &vault, "service", &["account"]);
    let head = |name: &str| {
        let head = server.caller("").get("/ledger/checkpoint").has(200).text();
        write(&vault.path(name), &head);
        head.lines().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let older = head("older");
    let items: Vec<Json> = (0..600).map(customer).collect();
    let mut caller = server.caller(&by);
    let written = caller.post("/v1/records:batch", &json!({ "items": items })).has(200).json();
    assert_eq!(written["written"], 600);
    let entry = written["results"][321]["record"]["entry"].as_str().unwrap();
    vault.run(&["ledger", "export", "--to", "log"]).ends(0);
    let exported = std::fs::read_to_string(vault.path("log/checkpoint")).unwrap();
    let newer: u64 = exported.lines().nth(1).unwrap().parse().unwrap();
    assert!(newer > 600, "{newer}");
    let mut keep = |name: &str, path: &str| write(&vault.path(name), caller.get(path).has(200).body);
    keep("proof.json", &format!("/v1/ledger/proof?entry={entry}"));
    keep("consistency.json", &format!("/v1/ledger/consistency?from={older}&to={newer}"));
    write(&vault.path("cli.json"), vault.run(&["ledger", "prove", entry]).ends(0).out);
    assert!(server.stop().0.success());
    Exported { vault, judge }
}

/// A verifier key of somebody else: the one of the specification's example.
const OTHER_KEY: &str = "shop.example/ledger+4b450770+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

#[test]
fn a_judge_in_go_confirms_an_exported_ledger_and_refuses_it_with_any_byte_changed() {
    let Some(judge) = build_ledger_judge() else { return };
    let log = exported(judge);
    let said = log.judge("log", "log", &[]).ends(0).out;
    assert!(said.starts_with("confirmed: ") && said.contains(" 4 hash tiles on 2 levels"), "{said}");
    let flips = log.judge("flips", "log", &[]).ends(0).out;
    assert!(flips.starts_with("confirmed: ") && flips.contains(" flips, each of them refused"), "{flips}");

    // On disk too: one bit of each file, in another place of each.
    let tiles = log.tiles();
    assert_eq!(tiles.len(), 7, "four hash tiles and three bundles: {tiles:?}");
    for (number, file) in tiles.iter().enumerate() {
        let mut other = std::fs::read(file).unwrap();
        let at = (number * 7_919) % other.len();
        other[at] ^= 1 << (number % 8);
        log.refused_with(file, &other);
        log.refused_with(file, &other[..other.len() - 1]);
    }
    let checkpoint = log.path("log/checkpoint");
    let head = std::fs::read_to_string(&checkpoint).unwrap();
    let size: u64 = head.lines().nth(1).unwrap().parse().unwrap();
    log.refused_with(&checkpoint, head.replacen(&size.to_string(), &(size - 1).to_string(), 1).as_bytes());
    log.refused_with(&checkpoint, std::fs::read_to_string(log.path("older")).unwrap().as_bytes());
    refuses(log.judge_by(OTHER_KEY, "log", "log", &[]), "a log under somebody else's key");
    let (hidden, tile) = (log.path("hidden"), log.path("log/tile/1/000.p/2"));
    std::fs::rename(&tile, &hidden).unwrap();
    refuses(log.judge("log", "log", &[]), "a log without one of its tiles");
    std::fs::rename(&hidden, &tile).unwrap();
    log.judge("log", "log", &[]).ends(0);
}

#[test]
fn a_judge_in_go_confirms_the_proofs_of_the_api_and_refuses_changed_ones() {
    let Some(judge) = build_ledger_judge() else { return };
    let log = exported(judge);
    log.judge("inclusion", "proof.json", &["log"]).ends(0);
    log.judge("inclusion", "cli.json", &["log"]).ends(0);
    log.judge("consistency", "consistency.json", &["older", "log/checkpoint"]).ends(0);

    let twin = |of: &str, change: &dyn Fn(&mut Json)| {
        let mut answer: Json = serde_json::from_slice(&std::fs::read(log.path(of)).unwrap()).unwrap();
        change(&mut answer);
        write(&log.path("twin.json"), answer.to_string());
    };
    let flip = |hash: &mut Json| {
        let text = hash.as_str().unwrap();
        let other = if text.starts_with('0') { "1" } else { "0" };
        *hash = json!(format!("{other}{}", &text[1..]));
    };
    let inclusion: [(&str, &dyn Fn(&mut Json)); 4] = [
        ("another leaf", &|answer| flip(&mut answer["leaf"])),
        ("another hash on the way", &|answer| flip(&mut answer["proof"][3])),
        ("another place", &|answer| answer["index"] = json!(answer["index"].as_u64().unwrap() ^ 1)),
        ("a hash too few", &|answer| drop(answer["proof"].as_array_mut().unwrap().pop())),
    ];
    for (what, change) in inclusion {
        twin("proof.json", change);
        refuses(log.judge("inclusion", "twin.json", &["log"]), what);
    }
    refuses(log.judge_by(OTHER_KEY, "inclusion", "proof.json", &["log"]), "somebody else's key");
    let consistency: [(&str, &dyn Fn(&mut Json)); 2] = [
        ("another hash on the way", &|answer| flip(&mut answer["proof"][0])),
        ("another size", &|answer| answer["from"] = json!(answer["from"].as_u64().unwrap() + 1)),
    ];
    for (what, change) in consistency {
        twin("consistency.json", change);
        refuses(log.judge("consistency", "twin.json", &["older", "log/checkpoint"]), what);
    }
    refuses(log.judge("consistency", "consistency.json", &["log/checkpoint", "older"]), "heads exchanged");
}

// ── The document: generated clients walk the guide's way ────────────────────────────────────────────────────────────────

/// What a walk is given on stdin.
fn given(vault: &Vault, server: &Server) -> Vec<u8> {
    let given = json!({ "api": format!("http://{}", server.api), "admin": vault.admin, "policy": POLICY });
    given.to_string().into_bytes()
}

/// Holds what a walk saw against what the vault has.
fn walked(vault: &Vault, server: Server, ran: Ran) {
    let seen = ran.ends(0).json();
    assert!(seen["answers"].as_u64().unwrap() >= 60, "{seen}");
    let certificate = &seen["certificate"];
    assert_eq!(certificate["format"], "strongroom-certificate/1");
    // What came through the generated client is still a receipt that proves itself.
    let receipt = Receipt::from_json(&certificate["receipt"].to_string()).unwrap();
    let verifier = Verifier::parse(&vault.verifier).unwrap();
    let proved = receipt.verify(&verifier, verifier.name()).unwrap();
    assert_eq!(proved.entry.act, Act::Erased);
    let body: Json = serde_json::from_str(certificate["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["shop"], &body["policy"]), (&json!("harbour-hill"), &json!(2)));
    assert!(server.stop().0.success());
    vault.is_well();
}

/// A generator and the walk that its client makes.
struct Generated<'f> {
    folder: &'f Path,
    document: Json,
}

impl Generated<'_> {
    fn document(&self, change: impl FnOnce(&mut Json)) -> PathBuf {
        let mut document = self.document.clone();
        change(&mut document);
        let path = self.folder.join("openapi.json");
        write(&path, document.to_string());
        path
    }

    /// Makes the Python client.
    fn python(&self, change: impl FnOnce(&mut Json)) -> Ran {
        let document = self.document(change);
        write(&self.folder.join("generator.yml"), "post_hooks: []\n");
        let mut generator = Command::new(kept("python/bin/openapi-python-client"));
        generator.args(["generate", "--meta", "none", "--overwrite", "--fail-on-warning"]);
        generator.args(["--output-path", "strongroom_client", "--config", "generator.yml", "--path"]);
        run(generator.arg(document).current_dir(self.folder))
    }

    fn walk_python(&self, given: &[u8]) -> Ran {
        let mut walk = Command::new(kept("python/bin/python"));
        walk.arg(ours("python/walk.py")).env("PYTHONPATH", self.folder).env("PYTHONDONTWRITEBYTECODE", "1");
        run_with(walk.current_dir(self.folder), given)
    }

    /// Makes the types of the TypeScript client, and compiles the walk with them.
    fn typescript(&self, change: impl FnOnce(&mut Json)) -> Ran {
        let document = self.document(change);
        for name in ["package.json", "tsconfig.json", "walk.ts"] {
            std::fs::copy(ours("typescript").join(name), self.folder.join(name)).unwrap();
        }
        let modules = self.folder.join("node_modules");
        if !modules.exists() {
            std::os::unix::fs::symlink(kept("typescript/node_modules"), &modules).unwrap();
        }
        let mut generator = Command::new(modules.join(".bin/openapi-typescript"));
        run(generator.arg(document).args(["--output", "schema.ts"]).current_dir(self.folder)).ends(0);
        run(Command::new(modules.join(".bin/tsc")).current_dir(self.folder))
    }

    fn walk_typescript(&self, given: &[u8]) -> Ran {
        run_with(Command::new("node").arg("out/walk.js").current_dir(self.folder), given)
    }
}

/// The schema of this name in a document.
fn schema<'d>(document: &'d mut Json, name: &str) -> &'d mut Json {
    &mut document["components"]["schemas"][name]
}

#[test]
fn a_generated_python_client_walks_from_the_policy_to_the_certificate() {
    if !there(kept("python/whole"), "the walk of a generated Python client") {
        return;
    }
    let (vault, folder) = (Vault::new(), tempfile::tempdir().unwrap());
    let server = vault.serve();
    let generated = Generated { folder: folder.path(), document: document(&server) };
    let given = given(&vault, &server);

    let stumbles = generated.python(|document| {
        schema(document, "RecordIn")["properties"]["subject"] =
            json!({ "$ref": "#/components/schemas/Nothing" });
    });
    refuses(stumbles, "a document that refers to nothing");
    generated
        .python(|document| {
            let written = schema(document, "PolicyFound");
            written["properties"]["ghost"] = json!({ "type": "string" });
            written["required"].as_array_mut().unwrap().push(json!("ghost"));
        })
        .ends(0);
    let ran = refuses(generated.walk_python(&given), "a document that promises what no answer has");
    assert!(ran.err.contains("KeyError: 'ghost'"), "{}", ran.err);

    generated.python(|_| {}).ends(0);
    let ran = generated.walk_python(&given);
    // Once more over the same vault: the answers are others, and the walk sees it.
    refuses(generated.walk_python(&given), "a walk over a vault where it was walked before");
    walked(&vault, server, ran);
}

#[test]
fn a_generated_typescript_client_compiles_and_walks_from_the_policy_to_the_certificate() {
    let judge = "the walk of a generated TypeScript client";
    if !there(kept("typescript/whole"), judge) || !answers("node", &["--version"], judge) {
        return;
    }
    let (vault, folder) = (Vault::new(), tempfile::tempdir().unwrap());
    let server = vault.serve();
    let generated = Generated { folder: folder.path(), document: document(&server) };
    let given = given(&vault, &server);

    let ran = generated.typescript(|document| {
        schema(document, "Said")["enum"] = json!(["granted", "refused"]);
        document["paths"].as_object_mut().unwrap().remove("/v1/subjects:find");
    });
    let said = refuses(ran, "a document without a route and a word that the walk uses").out;
    for wrong in ["\"withdrawn\"", "\"/v1/subjects:find\""] {
        assert!(said.contains(wrong), "{wrong}: {said}");
    }

    let ran = generated.typescript(|_| {});
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let ran = generated.walk_typescript(&given);
    refuses(generated.walk_typescript(&given), "a walk over a vault where it was walked before");
    walked(&vault, server, ran);
}

// ── The document: schemathesis ──────────────────────────────────────────────────────────────────────────────────────────

/// Requests of one operation that are made up by chance, beside those that follow from the document's edges.
const EXAMPLES: &str = "20";

/// A served vault with people in it, and what schemathesis is told of them.
struct Asked {
    vault: Vault,
    server: Server,
    credentials: Vec<(&'static str, String)>,
}

impl Asked {
    fn new() -> Asked {
        let vault = Vault::new();
        let server = vault.serve();
        let purposes = ["account", "after_sales", "delivery", "marketing_email"];
        let roles: [(&str, &[&str]); 5] = [
            ("intake", &[]),
            ("service", &purposes),
            ("officer", &purposes),
            ("auditor", &[]),
            ("admin", &[]),
        ];
        let credentials: Vec<(&str, String)> = roles
            .into_iter()
            .map(|(role, purposes)| (role, credential(&server, &vault, role, purposes)))
            .collect();
        let by = &credentials.iter().find(|(role, _)| *role == "service").unwrap().1;
        let mut caller = server.caller(by);
        let mut write = |items: Vec<Json>| {
            let written = caller.post("/v1/records:batch", &json!({ "items": items })).has(200).json();
            assert_eq!(written["refused"], 0, "{written}");
            let of = |name: &str| -> Vec<Json> {
                written["results"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["record"][name].clone())
                    .collect()
            };
            (of("subject"), of("record"), of("entry"))
        };
        let (subjects, ..) = write((0..20).map(customer).collect());
        let (doomed, ..) = write((100..110).map(customer).collect());
        let (_, records, entries) = write((0..20).map(order).collect());
        let token = |number: u64| {
            let body = json!({
                "purpose": "delivery", "record": { "kind": "order", "external_id": format!("o-{number}") },
                "field": "phone", "recipient": "sf-express",
            });
            server.caller(by).post("/v1/tokens", &body).has(201).json()["token"].clone()
        };
        let tokens: Vec<Json> = (0..3).map(token).collect();
        let choose = |number: u64| {
            let body = crate::vault::choice(number, "granted");
            server.caller(by).post("/v1/choices", &body).has(201).json()["choice"].clone()
        };
        let choices: Vec<Json> = (0..3).map(choose).collect();
        let body = json!({ "role": "intake", "label": "to-be-revoked" });
        let made =
            |_| server.caller(&vault.admin).post("/v1/credentials", &body).has(201).json()["id"].clone();
        let known = json!({
            "subjects": subjects, "records": records, "entries": entries, "doomed": doomed, "tokens": tokens,
            "choices": choices,
            "credentials": (0..5).map(made).collect::<Vec<_>>(), "policy": POLICY,
        });
        std::fs::write(vault.path("known.json"), known.to_string()).unwrap();
        Asked { vault, server, credentials }
    }

    fn credential(&self, role: &str) -> &str {
        &self.credentials.iter().find(|(own, _)| *own == role).unwrap().1
    }

    /// Lets schemathesis ask everything that a document has, as this role; as a stranger, if it is none.
    fn by_schemathesis(&self, document: &Json, role: &str, more: &[&str]) -> Ran {
        let path = self.vault.path("openapi.json");
        write(&path, document.to_string());
        let mut tool = Command::new(kept("python/bin/schemathesis"));
        tool.arg("--config-file").arg(ours("python/schemathesis.toml")).arg("run").arg(path);
        tool.args(["--url", &format!("http://{}", self.server.api), "--max-examples", EXAMPLES]).args(more);
        if role != "stranger" {
            tool.args(["--header", &format!("Authorization: Bearer {}", self.credential(role))]);
        }
        tool.env("STRONGROOM_KNOWN", self.vault.path("known.json")).env("PYTHONPATH", ours("python"));
        tool.env("PYTHONDONTWRITEBYTECODE", "1").env("SCHEMATHESIS_HOOKS", "hooks").env("NO_COLOR", "1");
        run(tool.current_dir(self.vault.path("tmp")))
    }

    /// Requests answered on a route with this class of status.
    fn answered(&self, route: &str, class: &str) -> u64 {
        let text = crate::vault::Caller::new(self.server.admin, "").get("/metrics").has(200).text();
        let name = format!("strongroom_requests_total{{route=\"{route}\",status=\"{class}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    }
}

/// What a role's requests must reach at least once with success: else schemathesis saw refusals only.
fn schemathesis_finds_nothing_as(role: &str, reached: &[&str]) {
    if !there(kept("python/whole"), "schemathesis") {
        return;
    }
    let asked = Asked::new();
    let before: Vec<u64> = reached.iter().map(|route| asked.answered(route, "Success")).collect();
    let ran = asked.by_schemathesis(&document(&asked.server), role, &[]).ends(0);
    assert!(ran.out.contains("Fuzzing") && !ran.out.contains(" 0 generated"), "{}", ran.out);
    for (route, before) in reached.iter().zip(before) {
        assert!(
            asked.answered(route, "Success") > before,
            "{role} never got an answer of {route}:\n{}",
            ran.out
        );
        assert_eq!(asked.answered(route, "ServerFault"), 0, "{route}");
    }
    assert!(asked.server.stop().0.success());
    // Who may freeze credentials has frozen some, and `doctor` says so.
    for credential in asked.vault.ask(&["credentials", "list"]).as_array().unwrap() {
        if credential["frozen"].is_string() && credential["revoked"].is_null() {
            let id = credential["id"].as_str().unwrap();
            asked.vault.run(&["credentials", "unfreeze", id, "--reason", "of-a-test"]).ends(0);
        }
    }
    asked.vault.is_well();
}

#[test]
fn schemathesis_finds_nothing_as_intake() {
    schemathesis_finds_nothing_as(
        "intake",
        &[
            "/v1/records",
            "/v1/records:batch",
            "/v1/records:event",
            "/v1/choices",
            "/v1/ledger/proof",
            "/v1/policy",
        ],
    );
}

#[test]
fn schemathesis_finds_nothing_as_service() {
    schemathesis_finds_nothing_as(
        "service",
        &[
            "/v1/records",
            "/v1/records:batch",
            "/v1/records:event",
            "/v1/choices",
            "/v1/records:reveal",
            "/v1/records:search",
            "/v1/subjects:find",
            "/v1/tokens",
            "/v1/tokens:resolve",
        ],
    );
}

#[test]
fn schemathesis_finds_nothing_as_officer() {
    schemathesis_finds_nothing_as(
        "officer",
        &[
            "/v1/choices",
            "/v1/records:reveal",
            "/v1/records:search",
            "/v1/subjects:find",
            "/v1/subjects/{target}",
            "/v1/ledger/entries",
            "/v1/ledger/entries/{target}",
        ],
    );
}

#[test]
fn schemathesis_finds_nothing_as_auditor() {
    schemathesis_finds_nothing_as(
        "auditor",
        &[
            "/v1/ledger/entries",
            "/v1/ledger/entries/{target}",
            "/v1/ledger/checkpoint",
            "/v1/ledger/consistency",
            "/v1/policies",
            "/ledger/{*target}",
        ],
    );
}

#[test]
fn schemathesis_finds_nothing_as_admin() {
    schemathesis_finds_nothing_as(
        "admin",
        &["/v1/credentials", "/v1/credentials/{target}", "/v1/policies", "/v1/policy"],
    );
}

#[test]
fn schemathesis_finds_nothing_as_a_stranger() {
    schemathesis_finds_nothing_as(
        "stranger",
        &["/ledger/checkpoint", "/ledger/log.json", "/ledger/{*target}"],
    );
}

#[test]
fn schemathesis_finds_what_a_document_says_wrongly() {
    if !there(kept("python/whole"), "schemathesis") {
        return;
    }
    let asked = Asked::new();
    let found = |what: &str, words: &str, path: &str, change: &dyn Fn(&mut Json)| {
        let mut document = document(&asked.server);
        change(&mut document);
        let ran = refuses(asked.by_schemathesis(&document, "auditor", &["--include-path", path]), what);
        assert!(ran.out.contains(words), "{what}:\n{}\n{}", ran.out, ran.err);
    };
    found("a status that is not documented", "Undocumented status code", "/v1/records", &|document| {
        document["paths"]["/v1/records"]["post"]["responses"].as_object_mut().unwrap().remove("403");
    });
    found("another content type", "Undocumented Content-Type", "/v1/policies", &|document| {
        let answer = &mut document["paths"]["/v1/policies"]["get"]["responses"]["200"]["content"];
        *answer = json!({ "text/plain": { "schema": { "type": "string" } } });
    });
    found("another shape", "Response violates schema", "/v1/policy", &|document| {
        schema(document, "PolicyFound")["properties"]["digest"] = json!({ "type": "integer" });
    });
}
