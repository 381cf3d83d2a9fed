//! Personal values are in no file, log, error, URL or metric.

#![cfg(test)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use crate::vault::{Answer, Ran, Vault};

/// Values that stand nowhere else: of a person who stays, and of one who is erased.
const VALUES: &[&str] = &[
    "Zyxquill Wobblethorpe",
    "zyxquill.wobblethorpe@canary-post.example",
    "13987651234",
    "77 Canaryfold Passage",
    "EXT-CANARY-0007731",
    "Quorvex Blimpington",
    "quorvex.blimpington@canary-post.example",
    "13912348765",
    "88 Flutterby Crescent",
    "EXT-CANARY-0008842",
];

fn person(which: usize) -> Json {
    let values = &VALUES[which * 5..which * 5 + 5];
    json!({
        "kind": "customer", "external_id": values[4],
        "fields": { "name": values[0], "email": values[1], "phone": values[2] },
    })
}

fn order(which: usize) -> Json {
    let values = &VALUES[which * 5..which * 5 + 5];
    json!({
        "kind": "order", "external_id": format!("{}-order", values[4]), "subject": { "external_id": values[4] },
        "fields": {
            "recipient_name": values[0], "phone": values[2], "address": values[3], "items": "a kettle", "amount": "12.00",
            "payment_reference": format!("{}-pay", values[4]),
        },
    })
}

// ── The search ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Every way in which a value could stand in bytes.
fn forms_of(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = value.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent = value.replace('@', "%40").replace(' ', "%20");
    let mut forms = vec![
        ("plain", bytes.to_vec()),
        ("lower case", value.to_lowercase().into_bytes()),
        ("upper case", value.to_uppercase().into_bytes()),
        ("UTF-16LE", value.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", value.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("hex", hex.to_uppercase().into_bytes()),
        ("hex", hex.into_bytes()),
        ("URL", percent.replace("%20", "+").into_bytes()),
        ("URL", percent.into_bytes()),
    ];
    // Base64 has three alignments; of each the letters that hang on the value alone.
    for shift in 0..3 {
        let text = base64(&[&[0; 3][..shift], bytes].concat());
        let skip = [0, 2, 3][shift];
        let whole = (bytes.len() + shift) / 3 * 4;
        forms.push(("base64", text[skip..whole].as_bytes().to_vec()));
        forms.push(("base64", text[skip..whole].replace('+', "-").replace('/', "_").into_bytes()));
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| (group << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[((group >> (18 - 6 * place)) & 63) as usize]));
        }
    }
    text
}

/// What to look for, by its first byte.
fn wanted() -> &'static [Vec<(String, Vec<u8>)>] {
    static WANTED: OnceLock<Vec<Vec<(String, Vec<u8>)>>> = OnceLock::new();
    WANTED.get_or_init(|| {
        let mut wanted = vec![Vec::new(); 256];
        for value in VALUES {
            for (form, bytes) in forms_of(value) {
                wanted[usize::from(bytes[0])].push((format!("{value} ({form})"), bytes));
            }
        }
        wanted
    })
}

/// What was found of the values in some bytes, as they stand and in whatever is packed in them.
fn found_in(bytes: &[u8]) -> Vec<String> {
    let mut found = found_plain(bytes);
    for packed in unpacked(bytes) {
        found.extend(found_plain(&packed).into_iter().map(|what| format!("{what}, packed")));
    }
    found
}

/// Everything that begins like a gzip, zlib or zip stream and can be inflated, each up to a limit.
fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    const LIMIT: u64 = 1 << 20;
    let inflated = |stream: &mut dyn Read| {
        let mut out = Vec::new();
        // What breaks off is as good as what does not: a leak may be cut.
        let _ = stream.take(LIMIT).read_to_end(&mut out);
        out
    };
    let mut found = Vec::new();
    for position in 0..bytes.len().saturating_sub(4) {
        let rest = &bytes[position..];
        let out = match rest {
            [0x1f, 0x8b, 8, ..] => inflated(&mut flate2::read::MultiGzDecoder::new(rest)),
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => inflated(&mut flate2::read::ZlibDecoder::new(rest)),
            [b'P', b'K', 3, 4, ..] if rest.len() > 30 => {
                let length = |at: usize| usize::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
                let from = 30 + length(26) + length(28);
                inflated(&mut flate2::read::DeflateDecoder::new(rest.get(from..).unwrap_or_default()))
            }
            _ => continue,
        };
        if out.len() >= 8 {
            found.push(out);
        }
    }
    found
}

fn found_plain(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for (position, first) in bytes.iter().enumerate() {
        for (what, wanted) in &wanted()[usize::from(*first)] {
            if bytes[position..].starts_with(wanted) {
                found.push(what.clone());
            }
        }
    }
    found.dedup();
    found
}

/// Looks through every file below a folder but the ones that the test itself wrote there.
fn search(folder: &Path, ours: &[PathBuf]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.extend(
            found_in(path.file_name().unwrap().as_encoded_bytes())
                .iter()
                .map(|what| format!("the name of a file: {what}")),
        );
        if ours.contains(&path) {
            continue;
        }
        if path.is_dir() {
            found.extend(search(&path, ours));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            found.extend(found_in(&bytes).iter().map(|what| format!("{}: {what}", path.display())));
        }
    }
    found
}

#[track_caller]
fn clean(what: &str, bytes: &[u8]) {
    let found = found_in(bytes);
    assert!(found.is_empty(), "{what} holds {found:?}: {}", String::from_utf8_lossy(bytes));
}

#[test]
fn the_search_finds_a_planted_leak_in_every_form() {
    let vault = Vault::new();
    assert_eq!(search(vault.root(), &[]), Vec::<String>::new());
    for value in [VALUES[0], VALUES[2]] {
        for (form, bytes) in forms_of(value) {
            let leak = vault.data().join("leak.bin");
            std::fs::write(&leak, [&[0xff, 0x00, 0x80][..], &bytes, &[0xfe; 7]].concat()).unwrap();
            assert!(!search(vault.root(), &[]).is_empty(), "a leak in the form of {form} is not found");
            std::fs::remove_file(leak).unwrap();
        }
    }
    // Packed, in the middle of something else.
    for value in [VALUES[0], VALUES[2]] {
        for (form, bytes) in packed_forms_of(format!("before {value} behind").as_bytes()) {
            let leak = vault.data().join("leak.bin");
            std::fs::write(&leak, [&[0xff, 0x78, 0x1f][..], &bytes, &[0xfe; 7]].concat()).unwrap();
            assert!(!search(vault.root(), &[]).is_empty(), "a leak in the form of {form} is not found");
            std::fs::write(&leak, [&[0xff, 0x78, 0x1f][..], &bytes[..bytes.len() - 3]].concat()).unwrap();
            assert!(!search(vault.root(), &[]).is_empty(), "a leak in the form of {form}, cut, is not found");
            std::fs::remove_file(leak).unwrap();
        }
    }
    // Base64 of a text that holds the value somewhere.
    for before in ["", "a", "ab"] {
        let leak = base64(format!("{before}{} and more", VALUES[1]).as_bytes());
        assert!(!found_in(leak.as_bytes()).is_empty(), "{leak}");
    }
}

fn packed_forms_of(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let level = flate2::Compression::best;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level());
    gzip.write_all(text).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level());
    zlib.write_all(text).unwrap();
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), level());
    deflate.write_all(text).unwrap();
    // SOURCE: PKWARE APPNOTE 4.3.7, a local file header; of it only the lengths of name and extra field are looked at.
    let mut zip = b"PK\x03\x04".to_vec();
    zip.resize(26, 0);
    zip.extend_from_slice(&[1, 0, 0, 0, b'a']);
    zip.extend(deflate.finish().unwrap());
    vec![("gzip", gzip.finish().unwrap()), ("zlib", zlib.finish().unwrap()), ("zip", zip)]
}

// ── The ways in, and everything that comes out ──────────────────────────────────────────────────────────────────────────

/// Everything that was said to anybody, and on what occasion.
type Told = Vec<(String, Vec<u8>)>;

/// Notes an answer, head and body.
fn note(told: &mut Told, what: &str, answer: Answer) -> Answer {
    told.push((what.to_owned(), [answer.head.as_bytes(), &answer.body].concat()));
    answer
}

/// Runs a command and notes all that it says.
fn command(told: &mut Told, vault: &Vault, arguments: &[&str]) {
    let Ran { out, err, .. } = vault.run(arguments);
    told.push((arguments.join(" "), [out, err].concat().into_bytes()));
}

#[test]
fn personal_values_are_in_no_file_log_error_url_or_metric() {
    let vault = Vault::new();
    let mut ours = Vec::new();
    let mut write_ours = |name: &str, text: &str| {
        std::fs::write(vault.path(name), text).unwrap();
        ours.push(vault.path(name));
    };
    let (intake, officer) = (vault.credential("intake", &[]), vault.credential("officer", &[]));
    let auditor = vault.credential("auditor", &[]);
    let service = vault.credential("service", &["account", "delivery", "after_sales"]);
    vault.private_file("service.credential", &service);
    let server = vault.serve();
    let (mut intake, mut officer, mut service) =
        (server.caller(&intake), server.caller(&officer), server.caller(&service));
    let mut told = Told::new();

    // In: one by one, in a batch, by files.
    let mut subjects = Vec::new();
    for which in 0..2 {
        let made = note(&mut told, "a record", intake.post("/v1/records", &person(which))).has(201).json();
        subjects.push(made["subject"].as_str().unwrap().to_owned());
        note(&mut told, "an order", intake.post("/v1/records", &order(which))).has(201);
    }
    let mut wrong = person(0);
    wrong["fields"]["email"] = json!(VALUES[0]);
    let batch =
        json!({ "items": [person(0), order(1), wrong, { "kind": VALUES[0] }, [VALUES[1]], VALUES[2]] });
    note(&mut told, "a batch", intake.post("/v1/records:batch", &batch)).has(200);
    let rows = format!(
        "id,name,email,phone,note\n{},{},{},{},{}\n\"{}\",{},not {},{},x\n{},\"{}\n",
        VALUES[4],
        VALUES[0],
        VALUES[1],
        VALUES[2],
        VALUES[3],
        VALUES[9],
        VALUES[5],
        VALUES[6],
        VALUES[8],
        VALUES[4],
        VALUES[3],
    );
    write_ours("rows.csv", &rows);
    let lines = format!(
        "{{\"id\":\"{}\",\"name\":[\"{}\"]}}\n{{\"id\":{}\n\"{}\"\n",
        VALUES[4], VALUES[0], VALUES[2], VALUES[1]
    );
    write_ours("rows.jsonl", &lines);
    let mapping = "kind = \"customer\"\nexternal_id = \"id\"\n[fields]\nname = \"name\"\nemail = \"email\"\nphone = \"phone\"\n";
    write_ours("rows.toml", mapping);
    write_ours("rows2.toml", &mapping[..mapping.find("email").unwrap()]);
    for (file, mapping) in [("rows.csv", "rows.toml"), ("rows.jsonl", "rows2.toml")] {
        command(&mut told, &vault, &["import", file, "--mapping", mapping]);
    }
    assert!(
        vault.path("rows.csv.rejects.csv").exists(),
        "rows were rejected, and their file is searched too"
    );

    // Wrong: what is malformed, unknown, too much, elsewhere.
    let mut refused = 0;
    for body in [
        format!(
            "{{\"kind\":\"customer\",\"external_id\":\"{}\",\"fields\":{{\"{}\":1}}}}",
            VALUES[4], VALUES[1]
        ),
        format!("{{\"kind\":\"customer\",\"external_id\":[\"{}\"]}}", VALUES[4]),
        format!("{{\"kind\":\"customer\",\"{}\":\"{}\"}}", VALUES[0], VALUES[1]),
        format!("{{\"kind\":\"{}\",\"external_id\":\"x\"}}", VALUES[0]),
        format!(
            "{{\"kind\":\"customer\",\"external_id\":\"{}\",\"fields\":{{\"email\":\"{} {}\"}}}}",
            VALUES[4], VALUES[0], VALUES[3]
        ),
        format!("{{\"kind\":\"customer\",\"fields\":{{\"phone\":\"{}x\"}}}}", VALUES[2]),
        format!("{{\"kind\":\"customer\",\"events\":{{\"active\":\"{}\"}}}}", VALUES[3]),
        format!("{{\"{}\": {}", VALUES[0], VALUES[2]),
        format!("{} {}", VALUES[0], VALUES[1]),
        format!("\"{}\u{0}\"", VALUES[1]),
    ] {
        for path in [
            "/v1/records",
            "/v1/records:reveal",
            "/v1/records:search",
            "/v1/choices",
            "/v1/tokens",
            "/v1/subjects:find",
        ] {
            for caller in [&mut intake, &mut officer, &mut service] {
                let answer = caller.send("POST", path, "", body.as_bytes()).unwrap();
                refused += u32::from(note(&mut told, "a malformed request", answer).status >= 400);
            }
        }
    }
    assert!(refused > 170, "{refused} of 180 were refused");
    for path in [
        "/v1/subjects/VALUE:erase",
        "/v1/ledger/entries/VALUE",
        "/v1/ledger/proof?entry=VALUE",
        "/VALUE",
        "/v1/policy?version=VALUE",
        "/ledger/VALUE",
    ] {
        for value in VALUES {
            let value = value.replace(' ', "%20").replace('@', "%40");
            let path = path.replace("VALUE", &value);
            for method in ["GET", "POST"] {
                let answer = officer.send(method, &path, "", b"{}").unwrap();
                assert!(answer.status >= 400 || path.starts_with("/v1/policy"), "{path}");
                note(&mut told, "an address with a value", answer);
            }
        }
    }
    let header = format!("strongroom-on-behalf-of: {}\r\nidempotency-key: {}\r\n", VALUES[0], VALUES[1]);
    note(
        &mut told,
        "headers with values",
        intake.send("POST", "/v1/records", &header, person(0).to_string().as_bytes()).unwrap(),
    );
    note(&mut told, "a credential that is a name", server.caller(VALUES[1]).get("/v1/policy"));

    // Out, as it should: these answers hold values. Nothing else may.
    let reveal = json!({ "purpose": "account", "subject": { "match": { "email": VALUES[1] } } });
    let shown = service.post("/v1/records:reveal", &reveal).has(200);
    assert!(shown.text().contains(VALUES[0]), "{}", shown.text());
    let search_for = json!({ "purpose": "after_sales", "field": "phone", "value": VALUES[2] });
    service.post("/v1/records:search", &search_for).has(200);
    let ran = vault.run_with(&["subject", "show", "--match", "email"], VALUES[1]);
    told.push(("subject show".to_owned(), ran.ends(0).out.into_bytes()));
    let ran = vault.run(&[
        "reveal",
        "--purpose",
        "account",
        "--credential-file",
        "service.credential",
        "--subject",
        VALUES[4],
    ]);
    assert!(ran.out.contains(VALUES[0]) && found_in(ran.err.as_bytes()).is_empty(), "{ran:?}");
    let token = json!({ "record": { "kind": "customer", "external_id": VALUES[4] }, "field": "email", "purpose": "account" });
    note(&mut told, "a token", service.post("/v1/tokens", &token));
    for (what, body) in [
        ("a refused purpose", json!({ "purpose": "tax", "subject": { "external_id": VALUES[4] } })),
        (
            "nobody",
            json!({ "purpose": "account", "subject": { "match": { "email": "nobody@canary-post.example" } } }),
        ),
        (
            "a field without an index",
            json!({ "purpose": "account", "subject": { "match": { "name": VALUES[0] } } }),
        ),
    ] {
        assert!(note(&mut told, what, service.post("/v1/records:reveal", &body)).status >= 400);
    }

    // While it serves, with everything in the WAL; then an erasure, a backup, the checks, the ledger, the figures.
    let found = search(vault.root(), &ours);
    assert!(found.is_empty(), "while it serves: {found:#?}");
    let certificate = officer.post(&format!("/v1/subjects/{}:erase", subjects[1]), &json!({}));
    note(&mut told, "a certificate", certificate.has(200));
    for arguments in [
        &["keys", "rotate", "--yes"][..],
        &["backup", "--to", "copy"],
        &["doctor", "--deep"],
        &["ledger", "verify", "--json"],
        &["ledger", "export", "--to", "log"],
        &["keys", "status"],
        &["credentials", "list"],
        &["erase", VALUES[4]],
    ] {
        command(&mut told, &vault, arguments);
    }
    let mut auditor = server.caller(&auditor);
    let entries = auditor.get("/v1/ledger/entries?from=0").has(200);
    told.push(("entries".to_owned(), entries.body));
    for path in ["/metrics", "/docs", "/openapi.json", "/health/ready"] {
        let mut admin = crate::vault::Caller::new(server.admin, "");
        told.push((path.to_owned(), admin.get(path).has(200).body));
    }
    if let Ok(limits) = std::fs::read_to_string(format!("/proc/{}/limits", server.id())) {
        let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(cores.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{cores}");
    }
    let (status, said) = server.stop();
    assert!(status.success());
    clean("what the server said on stderr", said.as_bytes());
    for (what, bytes) in &told {
        clean(what, bytes);
    }
    assert!(told.len() > 250, "{}", told.len());
    let found = search(vault.root(), &ours);
    assert!(found.is_empty(), "when it has stopped: {found:#?}");
    assert_eq!(std::fs::read_dir(vault.path("tmp")).unwrap().count(), 0, "temporary files are left behind");
    let ran = vault.run(&["restore", "--from", "copy", "--yes"]).ends(0);
    clean("a restore", [ran.out, ran.err].concat().as_bytes());
    let found = search(vault.root(), &ours);
    assert!(found.is_empty(), "after a restore: {found:#?}");
    if let Some(server) = crate::engine::folder_of_server() {
        let found = search(&server, &[]);
        assert!(found.is_empty(), "with the server of the database: {found:#?}");
    }
}

#[test]
fn a_panic_says_where_and_nothing_of_what_it_had_in_hand() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "canary::panics_with_a_value_in_hand",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .output()
        .unwrap();
    let said = [child.stdout, child.stderr].concat();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&said));
    assert!(
        String::from_utf8_lossy(&said).contains("a unit of work panicked at "),
        "{}",
        String::from_utf8_lossy(&said)
    );
    clean("a panic", &said);
}

/// Runs in a process of its own, where the binary's panic hook does not change the other tests'.
#[test]
#[ignore = "run by the test above, in a process of its own"]
fn panics_with_a_value_in_hand() {
    strongroom::process::harden();
    let caught = std::panic::catch_unwind(|| {
        let _ = std::io::stdout().flush();
        panic!("{}", VALUES[0]);
    });
    assert!(caught.is_err());
}

// ── A process that dies ─────────────────────────────────────────────────────────────────────────────────────────────────

/// A shell that takes away the limit of core files, then becomes the program.
fn may_dump(program: &std::process::Command) -> std::process::Command {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""]).arg(program.get_program());
    shell.args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(program.get_current_dir().unwrap());
    shell
}

/// Every file below a folder that begins like an ELF core.
fn cores(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(cores(&path));
        } else if path.is_file() {
            let mut head = [0; 18];
            let is_whole =
                std::fs::File::open(&path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok());
            // SOURCE: elf(5): the magic, and ET_CORE as the type.
            if is_whole && head.starts_with(b"\x7fELF") && head[16] == 4 {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_server_that_is_killed_by_a_fault_leaves_no_core_even_where_cores_are_written() {
    // The control: a process that asks for nothing, with a value in its memory.
    let place = crate::vault::private_folder();
    let mut plain = std::process::Command::new("sh");
    plain.args(["-c", "kill -ABRT $$; sleep 5"]).env("HELD", VALUES[0]).current_dir(place.path());
    let ended = may_dump(&plain).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(6));
    match cores(place.path()).as_slice() {
        [core] => {
            let found = found_in(&std::fs::read(core).unwrap());
            assert!(!found.is_empty(), "the control's core does not hold what the process held");
        }
        _ => {
            let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
            eprintln!(
                "SKIPPED: no core file can be had here (core_pattern {}, or the hard limit), so none can be missed",
                pattern.trim()
            );
            return;
        }
    }
    let vault = Vault::new();
    let service = vault.credential("service", &["account"]);
    for signal in ["ABRT", "QUIT", "TRAP"] {
        let serve = vault.command(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        let server = crate::vault::Server::start(may_dump(&serve)).unwrap();
        let mut caller = server.caller(&service);
        let status = caller.post("/v1/records", &person(0)).status;
        assert!([200, 201].contains(&status), "{status}");
        let ask = json!({ "purpose": "account", "subject": { "external_id": VALUES[4] } });
        assert!(caller.post("/v1/records:reveal", &ask).has(200).text().contains(VALUES[0]));
        let ended = server.fail(signal);
        assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&ended), "{signal}: {ended}");
        assert_eq!(cores(vault.root()), Vec::<PathBuf>::new(), "{signal}");
    }
    assert_eq!(search(vault.root(), &[]), Vec::<String>::new());
    vault.is_well();
}

#[test]
fn a_process_that_holds_keys_can_be_read_by_no_other_of_its_user() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "canary::is_hardened", "--ignored", "--test-threads=1"])
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

/// Runs in a process of its own: what it gives up, it cannot take back.
#[test]
#[ignore = "run by the test above, in a process of its own"]
fn is_hardened() {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable, "the control");
    strongroom::process::harden();
    // Not a core, not a helper that the kernel pipes one to (which no limit stops), and no reading of /proc/<id>/mem.
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    let limit = getrlimit(Resource::Core);
    assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
}
