//! The command line, run as a process.

#![cfg(test)]

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::vault::{Ran, Vault, customer, order, read_answer, reveal, signal, strongroom};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

// ── First start ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn init_prints_the_verifier_key_and_the_admins_credential_once_and_keeps_the_secret_nowhere() {
    let vault = Vault::bare();
    let made = vault.run(&["init", "--policy", "shop.toml", "--keys", "keys"]).ends(0);
    let line = |name: &str| {
        let found: Vec<&str> =
            made.out.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim).collect();
        assert_eq!(found.len(), 1, "{}", made.out);
        found[0].to_owned()
    };
    let (verifier, admin) = (line("verifier key"), line("admin"));
    assert!(verifier.starts_with("strongroom/harbour-hill+"), "{verifier}");
    assert!(admin.starts_with("srk_"), "{admin}");
    let secret = admin.rsplit('_').next().unwrap();
    assert!(!made.err.contains(secret), "talk repeats the secret");
    for file in files(vault.root()) {
        assert!(!holds(&std::fs::read(&file).unwrap(), secret), "{} holds the secret", file.display());
    }
    assert_eq!((mode(&vault.data()), mode(&vault.keys())), (0o700, 0o700));
    for file in files(&vault.data()).iter().chain(&files(&vault.keys())) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    let server = vault.serve();
    server.caller(&admin).get("/v1/credentials").has(200);
}

#[test]
fn init_writes_the_credential_into_a_closed_file_when_asked() {
    let vault = Vault::bare();
    let made = vault
        .run(&["init", "--policy", "shop.toml", "--keys", "keys", "--credential-out", "admin.credential"])
        .ends(0);
    let admin = std::fs::read_to_string(vault.path("admin.credential")).unwrap();
    assert!(admin.starts_with("srk_") && !made.out.contains(&admin) && !made.err.contains(&admin));
    assert_eq!(mode(&vault.path("admin.credential")), 0o600);
    vault.serve().caller(&admin).get("/v1/credentials").has(200);
}

#[test]
fn a_new_key_is_never_made_over_old_data_or_old_keys() {
    let vault = Vault::new();
    let before: Vec<_> =
        files(vault.root()).into_iter().map(|file| (std::fs::read(&file).unwrap(), file)).collect();
    let init = |data: &str, keys: &str| {
        vault.run(&["init", "--policy", "shop.toml", "--data", data, "--keys", keys])
    };
    init("vault", "other-keys").fails("SR-STORE-017");
    init("other-vault", "keys").fails("SR-KEYS-003");
    init("vault", "keys").fails("SR-STORE-017");
    assert!(!vault.path("other-keys").exists() && !vault.path("other-vault").exists(), "nothing was made");
    for (bytes, file) in before {
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "{}", file.display());
    }
}

#[test]
fn keys_and_data_lie_apart() {
    let vault = Vault::bare();
    std::fs::create_dir(vault.path("place")).unwrap();
    std::os::unix::fs::symlink(vault.path("place"), vault.path("link")).unwrap();
    for (data, keys) in [
        ("vault", "vault/keys"),
        ("vault", "vault"),
        ("keys/vault", "keys"),
        ("place/v", "link/v/keys"),
        ("a", "b/../a/k"),
    ] {
        let init = vault.run(&["init", "--policy", "shop.toml", "--data", data, "--keys", keys]);
        init.fails("SR-OPEN-004");
    }
    assert!(!vault.data().exists() && !vault.keys().exists(), "nothing was made");
}

#[test]
fn a_policy_with_errors_makes_no_vault() {
    let vault = Vault::bare();
    std::fs::write(vault.path("shop.toml"), "format = 1\n").unwrap();
    let ran = vault.run(&["init", "--policy", "shop.toml", "--keys", "keys"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("error[SR-NOTICE-") || ran.err.contains("error[SR-"), "{}", ran.err);
    vault.run(&["init", "--policy", "none.toml", "--keys", "keys"]).fails("SR-CLI-004");
    assert!(!vault.data().exists() && !vault.keys().exists());
}

#[test]
fn folders_and_key_files_that_are_open_to_others_are_refused() {
    let vault = Vault::new();
    for (path, laxer) in [
        (vault.data(), 0o750),
        (vault.data(), 0o701),
        (vault.keys(), 0o755),
        (vault.keys().join("keyring"), 0o640),
        (vault.keys().join("unlock.key"), 0o604),
        (vault.keys().join("erased.log"), 0o660),
        (vault.keys().join("heads"), 0o644),
    ] {
        let closed = mode(&path);
        set_mode(&path, laxer);
        vault.serve_with(&[]).unwrap_err().fails("SR-KEYS-001");
        vault.run(&["doctor"]).fails("SR-KEYS-001");
        set_mode(&path, closed);
    }
    vault.is_well();
    let open = Vault::bare();
    std::fs::create_dir(open.data()).unwrap();
    set_mode(&open.data(), 0o755);
    open.run(&["init", "--policy", "shop.toml", "--keys", "keys"]).fails("SR-KEYS-001");
}

#[test]
fn serve_on_an_empty_folder_only_says_so() {
    let vault = Vault::bare();
    vault.serve_with(&[]).unwrap_err().fails("SR-STORE-018");
    assert!(!vault.data().exists(), "nothing was made");
    std::fs::create_dir(vault.data()).unwrap();
    set_mode(&vault.data(), 0o700);
    let ran = vault.serve_with(&[]).unwrap_err().fails("SR-STORE-018");
    assert!(ran.err.contains("strongroom init"), "{}", ran.err);
    for command in [&["doctor"][..], &["keys", "status"], &["backup", "--to", "copy"], &["ledger", "verify"]]
    {
        vault.run(command).fails("SR-STORE-018");
    }
    assert_eq!(std::fs::read_dir(vault.data()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn one_process_owns_a_data_folder() {
    let vault = Vault::new();
    let server = vault.serve();
    vault.serve_with(&[]).unwrap_err().fails("SR-STORE-003");
    if !crate::engine::only_in_a_folder("a server migrates for several processes at once") {
        vault.run(&["migrate"]).fails("SR-STORE-003");
    }
    server.caller(&vault.admin).get("/v1/policy").has(200);
}

#[test]
fn a_socket_that_a_dead_server_left_is_in_nobodys_way() {
    let vault = Vault::new();
    vault.serve().kill();
    assert!(vault.data().join("operator.sock").exists());
    vault.ask(&["keys", "status"]);
    let server = vault.serve();
    assert_eq!(mode(&vault.data().join("operator.sock")), 0o600);
    vault.ask(&["keys", "status"]);
    let (status, _) = server.stop();
    assert!(status.success());
    assert!(!vault.data().join("operator.sock").exists(), "a server that stops takes its socket away");
}

// ── Every command ───────────────────────────────────────────────────────────────────────────────────────────────────────

const MAPPING: &str = "kind = \"customer\"\nexternal_id = \"id\"\n[fields]\nname = \"name\"\nemail = \"email\"\nphone = \"phone\"\n";

/// Every command of the book, with results as JSON. `turn` tells this vault's runs apart.
fn every_command(vault: &Vault, turn: u64) {
    let first = turn * 100;
    let named = |name: &str| format!("{name}-{turn}");
    // policy
    assert_eq!(vault.ask(&["check", "shop.toml"])["findings"].as_array().map(Vec::len), Some(0));
    let text = vault.ask(&["policy", "show"])["text"].as_str().unwrap().to_owned();
    let days = if text.contains("60d after order.delivered") { ["60d", "90d"] } else { ["90d", "60d"] };
    let next = text.replace(
        &format!("{} after order.delivered", days[0]),
        &format!("{} after order.delivered", days[1]),
    );
    std::fs::write(vault.path("next.toml"), next).unwrap();
    let versions = vault.ask(&["policy", "versions"]).as_array().unwrap().len();
    assert!(!vault.ask(&["policy", "plan", "next.toml"])["changes"].as_array().unwrap().is_empty());
    vault.run(&["policy", "publish", "next.toml", "--json"]).ends(1);
    assert_eq!(vault.ask(&["policy", "publish", "next.toml", "--yes"])["version"], versions + 1);
    assert_eq!(vault.ask(&["policy", "show", "--version", "1"])["version"], 1);
    // The same file is in force by now: it is followed, and not published again.
    let applied = vault.ask(&["policy", "apply", "next.toml", "--yes"]);
    assert_eq!((&applied["version"], &applied["entry"]), (&json!(versions + 1), &Json::Null));

    // import
    let rows = format!(
        "id,name,email,phone,birthday\nc-{first},Ann,ann{first}@x.example,13800{first:06},1990-01-01\nc-{},Bob,nothing,1,\n",
        first + 1
    );
    std::fs::write(vault.path("rows.csv"), rows).unwrap();
    std::fs::write(vault.path("rows.toml"), MAPPING).unwrap();
    let import = ["import", "rows.csv", "--mapping", "rows.toml", "--rejects", "rejects.csv"];
    let imported = vault.ask(&import);
    assert_eq!(
        (&imported["counts"]["created"], &imported["counts"]["rejected"]),
        (&json!(1), &json!(1)),
        "{imported}"
    );
    assert_eq!(imported["counts"]["dropped_columns"]["birthday"], 1);
    let rejects = std::fs::read_to_string(vault.path("rejects.csv")).unwrap();
    assert!(rejects.starts_with("line,column,code,what\n3,email,SR-KEEP-016,"), "{rejects}");
    assert_eq!(vault.ask(&import)["counts"]["created"], 0, "the same file makes nothing anew");

    // credentials
    let made =
        vault.ask(&["credentials", "add", "--role", "service", "--label", "support", "--purpose", "account"]);
    let file = vault.private_file(&named("support"), made["credential"].as_str().unwrap());
    let out = named("written");
    vault.ask(&["credentials", "add", "--role", "auditor", "--label", "audit", "--out", &out]);
    assert_eq!(mode(&vault.path(&out)), 0o600);

    // subject, reveal
    let who = format!("c-{first}");
    let found = vault.ask(&["subject", "show", &who]);
    assert_eq!(found["standing"], "present");
    let id = found["subject"].as_str().unwrap().to_owned();
    let matched = vault
        .run_with(&["subject", "show", "--match", "email", "--json"], &format!("ANN{first}@x.example\n"));
    assert_eq!(matched.ends(0).json()["subject"], id.as_str());
    let file = file.to_str().unwrap();
    let opening = ["reveal", "--purpose", "account", "--credential-file", file];
    let opened = vault.ask(&[&opening[..], &["--subject", &who]].concat());
    assert_eq!(opened["records"][0]["fields"]["name"], "Ann");
    let record = format!("customer:{who}");
    let opened = vault.ask(&[&opening[..], &["--record", &record, "--field", "phone", "--masked"]].concat());
    assert_eq!(opened["records"][0]["masked"], json!(["phone"]));
    vault
        .run(&["reveal", "--purpose", "tax", "--credential-file", file, "--subject", &who])
        .fails("SR-KEEP-001")
        .ends(3);
    vault.ask(&["credentials", "revoke", made["id"].as_str().unwrap()]);
    vault.run(&[&opening[..], &["--subject", &who]].concat()).ends(3);
    assert!(
        vault.ask(&["credentials", "list"]).as_array().unwrap().iter().any(|one| one["revoked"].is_string())
    );

    // erase
    vault.run(&["erase", &who]).ends(1);
    let certificate = vault.ask(&["erase", &id, "--yes", "--certificate", &named("certificate")]);
    assert_eq!(certificate["format"], "strongroom-certificate/1");
    let written: Json =
        serde_json::from_slice(&std::fs::read(vault.path(&named("certificate"))).unwrap()).unwrap();
    assert_eq!(written, certificate);

    // ledger
    let checkpoint = vault.ask(&["ledger", "checkpoint"]);
    assert_eq!(checkpoint["verifier_key"], vault.verifier.as_str());
    let verified = vault.ask(&["ledger", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    let entry = opened["entry"].as_str().unwrap();
    assert!(vault.ask(&["ledger", "prove", entry])["proof"].is_array());
    assert_eq!(vault.ask(&["ledger", "show", entry])["purpose_name"], "account");
    let exported = vault.ask(&["ledger", "export", "--to", &named("log")]);
    assert!(exported["entries"].as_u64().unwrap() > 10);
    assert!(vault.path(&named("log")).join("checkpoint").exists());

    // keys, shops, backup, doctor
    let epoch = vault.ask(&["keys", "status"])["epoch"].as_u64().unwrap();
    vault.run(&["keys", "rotate"]).ends(1);
    assert_eq!(vault.ask(&["keys", "rotate", "--yes"])["epoch"], epoch + 1);
    assert_eq!(vault.ask(&["shops", "list"])["shops"], json!(["harbour-hill"]));
    assert_eq!(vault.ask(&["backup", "--to", &named("copy")])["format"], "strongroom-backup/1");
    for deep in [&["doctor"][..], &["doctor", "--deep"], &["doctor", "--clock-is-right"]] {
        let looks = vault.ask(deep);
        assert!(looks.as_array().unwrap().iter().all(|look| look["well"] == true), "{looks}");
    }
}

#[test]
fn every_command_works_with_a_server_and_without_and_prints_json() {
    let vault = Vault::new();
    every_command(&vault, 1);
    vault.run(&["health"]).fails("SR-CLI-007").ends(1);
    let server = vault.serve();
    assert_eq!(vault.run(&["health"]).ends(0).out, "ok\n");
    assert_eq!(vault.ask(&["health"])["status"], "ok");
    every_command(&vault, 2);
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
    every_command(&vault, 3);
    assert_eq!(vault.ask(&["migrate", "--dry-run"])["steps"], json!([]));
    assert_eq!(vault.ask(&["migrate"])["from"], vault.ask(&["migrate"])["to"]);
    assert_eq!(vault.ask(&["restore", "--from", "copy-3", "--yes"])["new_generation"], false);
    vault.is_well();
}

#[test]
fn results_go_to_stdout_and_talk_to_stderr() {
    let vault = Vault::new();
    let shown = vault.run(&["policy", "show"]).ends(0);
    assert_eq!(
        shown.out.trim_end(),
        crate::vault::POLICY.trim_end(),
        "what is printed is the policy and nothing else"
    );
    assert!(shown.err.starts_with("# version 1"));
    let head = vault.run(&["ledger", "checkpoint"]).ends(0);
    assert!(head.out.starts_with("strongroom/harbour-hill\n") && head.err.is_empty(), "{head:?}");
    for quiet in
        [&["policy", "show", "--quiet"][..], &["-q", "backup", "--to", "copy"], &["-q", "doctor", "--deep"]]
    {
        assert_eq!(vault.run(quiet).ends(0).err, "", "{quiet:?}");
    }
    // Problems go to stderr, as JSON where results are.
    let failed = vault.run(&["subject", "show", "nobody", "--json"]).ends(3);
    assert_eq!(failed.out, "");
    let problem: Json = serde_json::from_str(&failed.err).unwrap();
    assert_eq!((&problem["code"], &problem["status"]), (&json!("SR-KEEP-001"), &json!(404)));
    vault.run(&["subject", "show", "nobody"]).fails("SR-KEEP-001");
}

#[test]
fn exit_codes_are_those_that_the_help_names() {
    let vault = Vault::new();
    let help = vault.run(&["--help"]).ends(0).out;
    assert!(
        help.contains("0 done · 1 failed · 2 wrong usage · 3 refused · 4 found something wrong"),
        "{help}"
    );
    vault.run(&["check", "shop.toml"]).ends(0);
    vault.run(&["check", "none.toml"]).fails("SR-CLI-004").ends(1);
    vault.run(&["reveal"]).ends(2);
    vault.run(&["no-such-command"]).ends(2);
    vault.run(&["credentials", "add", "--role", "boss", "--label", "x"]).ends(2);
    vault.run(&["subject", "show", "nobody"]).ends(3);
    std::fs::write(vault.path("wrong.toml"), "format = 1\n[shop]\n").unwrap();
    let checked = vault.run(&["check", "wrong.toml"]).ends(4);
    assert!(checked.out.contains("SR-") && checked.err.is_empty(), "findings are the result: {checked:?}");
    assert!(
        vault.run(&["check", "wrong.toml", "--json"]).ends(4).json()["findings"].as_array().unwrap().len()
            > 1
    );
}

/// What every command takes: its own words and flags, as its help lists them.
const TAKES: &str = "\
account blast-radius: --credential --list --since --until
approvals approve: <ID>
approvals ask: --credential --hours --purpose --reason --subjects
approvals list:
approvals refuse: <ID>
backup: --to
check: <FILE> --as-of --no-law --tasks
credentials add: --label --limit --on-behalf-of --out --purpose --role
credentials freeze: <ID> --reason
credentials list:
credentials revoke: <ID>
credentials unfreeze: <ID> --reason
diff: <OLD> <NEW>
doctor: --clock-is-right --deep
erase: [SUBJECT] --certificate --kind --match --yes
files get: <RECORD> <FIELD> --credential-file --purpose --to
files put: <RECORD> <FIELD> <FILE> --credential-file --media
health: --patience
import: <FILE> --encoding --format --mapping --rejects
init: --credential-out --lang --policy --suite
interchange: --format --policy
interview: --answers --lang --out
keys join: <SHARE>... --out
keys relock: --as-configured --new-key-file --new-passphrase-file
keys rotate: --suite --yes
keys split: --need --of --out
keys status:
keys suites:
law bundle: <PACKDIR>... --key --out
law changes: --policy --since
law clock: <QUESTION> [FACT=VALUE]... --lang --on --pack
law coverage:
law decide: --facts
law explain: <QUESTION> [FACT=VALUE]... --lang --on --pack
law keygen: --key --name
law list:
law show: <PACK> --lang
law test: [PACK] --file --scenarios
law update: <BUNDLE> --allow-older --dry-run --trusted
ledger checkpoint:
ledger export: --to
ledger prove: <ENTRY> --quorum --witness
ledger show: <ENTRY>
ledger verify: --quorum --witness
migrate: --dry-run --serving
move: --cancel --to --to-password-file --yes
notice compare: <DIR> [FILE]
notice export: [FILE] --browser --for --height --lang --no-pictures --out --site --width
policy apply: <FILE> --follows --yes
policy plan: <FILE>
policy publish: <FILE> --yes
policy show: --version
policy versions:
record: --as-of --format --lang --law --out --policy
restore: --from --lost-since --yes
reveal: --credential-file --field --kind --masked --match --purpose --record --subject
selftest: [URL] --browser --evidence --expect --key --lang --new-key --no-sandbox --sign --verify --wait
serve: --admin --listen
shops add: --policy --suite
shops list:
subject show: [SUBJECT] --kind --match
verify: <FILE> --key --lang --origin
witness: --behind-tls-proxy --certificate --key --listen --log --new-key --private-key --state
";

#[test]
fn the_help_of_every_command_lists_what_it_takes() {
    let everywhere = [
        "--config",
        "--data",
        "--help",
        "--json",
        "--key-file",
        "--keys",
        "--passphrase-file",
        "--quiet",
        "--share",
        "--shop",
        "--version",
    ];
    let mut takes: Vec<String> = Vec::new();
    let mut waiting: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = waiting.pop() {
        let help = Ran::of(strongroom().args(&path).arg("--help").output().unwrap()).ends(0).out;
        let commands = section(&help, "Commands:");
        for command in
            commands.iter().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '))
        {
            let name = command.split(' ').next().unwrap();
            if name != "help" {
                waiting.push([path.clone(), vec![name.to_owned()]].concat());
            }
        }
        if !commands.is_empty() || ["demo", "bench"].contains(&path[0].as_str()) {
            continue;
        }
        let mut words: Vec<String> = section(&help, "Options:")
            .iter()
            .flat_map(|line| line.split([' ', ',']))
            .filter(|word| word.starts_with("--"))
            .filter(|word| !everywhere.contains(word) || (*word == "--version" && path == ["policy", "show"]))
            .map(str::to_owned)
            .collect();
        words.sort();
        let own = section(&help, "Arguments:")
            .iter()
            .filter_map(|line| line.trim().split(' ').next())
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let own = own.into_iter().filter(|word| word.starts_with(['<', '[']));
        let words: Vec<String> = own.chain(words).collect();
        takes.push(format!("{}: {}", path.join(" "), words.join(" ")).trim_end().to_owned());
        assert!(help.contains("Usage: strongroom "), "{help}");
    }
    takes.sort();
    assert_eq!(takes.join("\n") + "\n", TAKES);
}

fn section(help: &str, name: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != name).skip(1);
    lines.take_while(|line| !line.is_empty()).map(str::to_owned).collect()
}

// ── Configuration, locks, TLS ───────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn flags_win_over_the_file_and_the_file_is_the_one_that_is_named() {
    let vault = Vault::new();
    let file = vault.data().join("strongroom.toml");
    assert_eq!(mode(&file), 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    // The keys folder that the file names is not there: a flag says where it is.
    std::fs::write(&file, text.replace("/keys\"", "/moved\"")).unwrap();
    vault.run(&["keys", "status"]).fails("SR-KEYS-002");
    vault.ask(&["keys", "status", "--keys", vault.keys().to_str().unwrap()]);
    // `--config` and STRONGROOM_CONFIG name another file; the flag wins.
    std::fs::write(vault.path("other.toml"), &text).unwrap();
    vault.ask(&["keys", "status", "--config", "other.toml"]);
    let mut command = vault.command(&["keys", "status"]);
    Ran::of(command.env("STRONGROOM_CONFIG", "other.toml").output().unwrap()).ends(0);
    let mut command = vault.command(&["keys", "status", "--config", "none.toml"]);
    Ran::of(command.env("STRONGROOM_CONFIG", "other.toml").output().unwrap()).fails("SR-CONFIG-001");
    let mut command = vault.command(&["keys", "status"]);
    Ran::of(command.env("STRONGROOM_CONFIG", "none.toml").output().unwrap()).fails("SR-CONFIG-001");
    // `--listen` wins over `[server] listen`.
    std::fs::write(&file, text.replace("127.0.0.1:8700", "127.0.0.1:1")).unwrap();
    let server = vault.serve_with(&["--listen", "127.0.0.1:0"]).unwrap();
    assert_ne!(server.api.port(), 1);
}

#[test]
fn a_key_that_the_configuration_does_not_have_is_refused_by_its_line() {
    let vault = Vault::new();
    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    for (wrong, code) in [
        (text.replace("listen =", "lissten ="), "SR-CONFIG-001"),
        (text.replace("days = 30", "days = 0"), "SR-CONFIG-002"),
        (text.replace("days = 30", "days = \"many\""), "SR-CONFIG-001"),
        (format!("{text}\n[secrets]\npassword = \"hunter2\"\n"), "SR-CONFIG-001"),
        (text.replace("admin = \"127.0.0.1", "admin = \"0.0.0.0"), "SR-CONFIG-002"),
    ] {
        std::fs::write(&file, &wrong).unwrap();
        let ran = vault.serve_with(&[]).unwrap_err().fails(code);
        assert!(code == "SR-CONFIG-002" || ran.err.contains("line "), "{}", ran.err);
        assert!(!ran.err.contains("hunter2"), "{}", ran.err);
    }
}

#[test]
fn a_passphrase_locks_the_keyring_and_another_can_take_its_place() {
    let vault = Vault::bare();
    vault.private_file("words", "seven quiet harbours\n");
    let init = |file: &str| {
        vault.run(&["init", "--policy", "shop.toml", "--keys", "keys", "--passphrase-file", file])
    };
    vault.private_file("short", "short\n");
    init("short").fails("SR-KEYS-005");
    vault.private_file("open", "seven quiet harbours\n");
    set_mode(&vault.path("open"), 0o644);
    init("open").fails("SR-KEYS-001");
    init("words").ends(0);
    assert!(!vault.keys().join("unlock.key").exists());
    vault.ask(&["keys", "status"]); // the configuration says where the words are
    vault.private_file("wrong", "seven loud harbours!\n");
    vault.run(&["keys", "status", "--passphrase-file", "wrong"]).fails("SR-SEAL-011");
    vault.private_file("key", "0123456789abcdef0123456789abcdef");
    vault.run(&["keys", "status", "--key-file", "key"]).fails("SR-SEAL-012");
    vault.private_file("new", "nine silent lighthouses\n");
    let server = vault.serve();
    vault.run(&["keys", "relock", "--as-configured"]).fails("SR-STORE-003");
    vault.run(&["keys", "relock", "--new-passphrase-file", "short"]).fails("SR-KEYS-005");
    vault.run(&["keys", "relock", "--new-passphrase-file", "new"]).ends(0);
    vault.run(&["keys", "rotate", "--yes"]).ends(0);
    server.stop();
    vault.run(&["keys", "status"]).fails("SR-SEAL-011");
    vault.ask(&["keys", "status", "--passphrase-file", "new"]);
}

#[test]
fn elsewhere_than_on_loopback_takes_tls_or_a_proxy_that_does_it() {
    let vault = Vault::new();
    vault.serve_with(&["--listen", "0.0.0.0:0"]).unwrap_err().fails("SR-CONFIG-003");
    vault.serve_with(&["--admin", "0.0.0.0:0"]).unwrap_err().fails("SR-CONFIG-002");
    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("behind_tls_proxy = false", "behind_tls_proxy = true")).unwrap();
    let server = vault.serve_with(&["--listen", "0.0.0.0:0"]).unwrap();
    assert!(!server.api.ip().is_loopback());
}

#[test]
fn tls_is_spoken_when_there_are_a_certificate_and_its_key() {
    let vault = Vault::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(vault.path("certificate.pem"), made.cert.pem()).unwrap();
    vault.private_file("tls.key", &made.signing_key.serialize_pem());
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    vault.private_file("other.key", &other.signing_key.serialize_pem());
    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let with = |key: &str| {
        let place = |name: &str| vault.path(name).display().to_string();
        let tls = format!(
            "\n[tls]\ncertificate_file = \"{}\"\nkey_file = \"{}\"\n",
            place("certificate.pem"),
            place(key)
        );
        std::fs::write(&file, format!("{text}{tls}")).unwrap();
    };
    with("other.key");
    vault.serve_with(&[]).unwrap_err().fails("SR-SERVE-002");
    with("none.key");
    vault.serve_with(&[]).unwrap_err().fails("SR-KEYS-002");
    with("tls.key");
    set_mode(&vault.path("tls.key"), 0o644);
    vault.serve_with(&[]).unwrap_err().fails("SR-KEYS-001");
    set_mode(&vault.path("tls.key"), 0o600);

    let server = vault.serve_with(&["--listen", "0.0.0.0:0"]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", server.api.port())).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, stream);
    write!(
        stream,
        "GET /v1/policy HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        vault.admin
    )
    .unwrap();
    read_answer(&mut BufReader::new(stream)).unwrap().has(200);
    // Plain HTTP gets nothing, and the others are still served.
    let mut plain = server.caller(&vault.admin);
    assert!(plain.send("GET", "/v1/policy", "", b"").is_err());
}

#[test]
fn a_vault_with_several_shops_wants_to_be_told_which() {
    let vault = Vault::new();
    let text = crate::vault::POLICY.replace("id = \"harbour-hill\"", "id = \"second-shop\"");
    std::fs::write(vault.path("second.toml"), text).unwrap();
    vault.run(&["policy", "show", "--shop", "nowhere"]).fails("SR-OPEN-003");
    let made = vault.ask(&["shops", "add", "--policy", "second.toml"]);
    vault.run(&["shops", "add", "--policy", "second.toml"]).fails("SR-OPEN-001");
    for command in
        [&["policy", "show"][..], &["ledger", "verify"], &["credentials", "list"], &["subject", "show", "x"]]
    {
        vault.run(command).fails("SR-OPEN-003");
        let named = [command, &["--shop", "second-shop"]].concat();
        assert!(matches!(vault.run(&named).code, 0 | 3), "{named:?}");
    }
    let server = vault.serve();
    let admin = made["admin"].as_str().unwrap();
    let policy = server.caller(admin).get("/v1/policy").has(200).json();
    assert!(policy["text"].as_str().unwrap().contains("second-shop"));
}

// ── Stopping ────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn stopped_under_load_it_answers_who_is_in_and_has_everything_it_acknowledged() {
    let vault = Vault::new();
    let (intake, service) =
        (vault.credential("intake", &[]), vault.credential("service", &["account", "after_sales"]));
    let server = vault.serve();
    let (acknowledged, stopping) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (1..=4_u64)
        .map(|lane| {
            let (mut caller, acknowledged, stopping) =
                (server.caller(&intake), Arc::clone(&acknowledged), Arc::clone(&stopping));
            std::thread::spawn(move || {
                for number in lane * 1_000_000.. {
                    for body in [customer(number), order(number)] {
                        match caller.try_post("/v1/records", &body) {
                            Ok(answer) => assert_eq!(answer.status, 201, "{}", answer.text()),
                            // Connections end only once the server was asked to stop.
                            Err(error) => return assert!(stopping.load(Ordering::SeqCst), "{error}"),
                        }
                    }
                    acknowledged.lock().unwrap().push(number);
                }
            })
        })
        .collect();
    while acknowledged.lock().unwrap().len() < 60 {
        std::thread::yield_now();
    }
    stopping.store(true, Ordering::SeqCst);
    let (status, said) = server.stop();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    assert!(status.success() && said.contains("\"closed\""), "{said}");
    assert!(!vault.data().join("strongroom.db-wal").exists(), "a closed vault is one file");

    let server = vault.serve();
    let mut service = server.caller(&service);
    let numbers = acknowledged.lock().unwrap().clone();
    for number in &numbers {
        let found = service.post("/v1/records:reveal", &reveal(*number, "account")).has(200).json();
        assert_eq!(found["records"][0]["fields"]["name"], format!("Customer {number}"));
        let asked = json!({ "purpose": "after_sales", "record": { "kind": "order", "external_id": format!("o-{number}") } });
        service.post("/v1/records:reveal", &asked).has(200);
    }
    eprintln!("stopped under load: {} customers and their orders acknowledged and there", numbers.len());
    vault.is_well();
}

#[test]
fn a_request_that_is_under_way_when_a_server_is_stopped_is_answered() {
    let vault = Vault::new();
    let intake = vault.credential("intake", &[]);
    let server = vault.serve();
    let (mut under_way, mut idle) = (connect(server.api), connect(server.api));
    let body = customer(7).to_string();
    let (first, rest) = body.split_at(20);
    write!(
        under_way,
        "POST /v1/records HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {intake}\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n{first}",
        body.len()
    )
    .unwrap();
    let mut asked_for = [0; 25];
    under_way.read_exact(&mut asked_for).unwrap();
    assert_eq!(&asked_for, b"HTTP/1.1 100 Continue\r\n\r\n", "it is in, and its body is waited for");
    signal(server.id(), "TERM");
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0, "who asks for nothing is let go at once");
    // Long enough for a server that would let go of both.
    std::thread::sleep(Duration::from_millis(300));
    under_way.write_all(rest.as_bytes()).unwrap();
    read_answer(&mut BufReader::new(under_way)).unwrap().has(201);
    let (status, said) = server.stop();
    assert!(status.success() && said.contains("\"closed\""), "{said}");
    vault.is_well();
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

#[test]
fn an_interrupt_stops_a_server_as_well() {
    let vault = Vault::new();
    let server = vault.serve();
    let waiting = server.caller(""); // somebody who only holds a connection open does not hold the server up
    signal(server.id(), "INT");
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
    drop(waiting);
}
