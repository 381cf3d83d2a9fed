//! Files through the real binary: its memory, its death in the middle, its commands, its backups.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{CHUNK, bytes_of, policy};
use crate::vault::{Caller, Ran, Server, Vault, customer, signal};

/// The longest file that there is.
const LONGEST: usize = 10_000_000;
/// Files up and down at once.
const AT_ONCE: u32 = 8;
/// What the process may have grown by then. Held whole, they would be 80 MB.
const GROWS: u64 = 32 << 20;

fn vault() -> Vault {
    let vault = Vault::new();
    std::fs::write(vault.path("longer.toml"), policy()).unwrap();
    vault.ask(&["policy", "publish", "longer.toml", "--yes"]);
    vault
}

/// Writes a customer. Gives the record.
fn record(server: &Server, credential: &str, number: u64) -> String {
    let made = server.caller(credential).post("/v1/records", &customer(number)).has(201).json();
    made["record"].as_str().unwrap().to_owned()
}

fn put(caller: &mut Caller, record: &str, bytes: &[u8]) {
    let path = format!("/v1/records/{record}/files/id_scan");
    caller.send("PUT", &path, "content-type: image/jpeg\r\n", bytes).unwrap().has(200);
}

fn get(caller: &mut Caller, record: &str) -> Vec<u8> {
    let path = format!("/v1/records/{record}/files/id_scan:reveal");
    caller.post(&path, &json!({ "purpose": "age_check" })).has(200).body
}

/// The most memory that a process ever had, bytes.
fn most_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() << 10
}

fn rows(vault: &Vault, sql: &str) -> i64 {
    crate::vault::behind_the_back(vault.database()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_longest_files_go_up_and_down_in_little_memory() {
    if !std::path::Path::new("/proc/self/status").exists() {
        eprintln!("SKIPPED: there is no /proc here to ask how much memory a process has");
        return;
    }
    let vault = vault();
    let service = vault.credential("service", &["account", "age_check"]);
    let server = vault.serve();
    let turn = |number: u32| {
        let record = record(&server, &service, u64::from(number));
        let (mut caller, bytes) = (server.caller(&service), bytes_of(LONGEST, number + 1));
        put(&mut caller, &record, &bytes);
        assert!(get(&mut caller, &record) == bytes, "file {number} comes back otherwise");
    };
    // More than the engine keeps of pages (64 MiB): from here on that grows no more, nor does what the allocator keeps.
    for number in 0..8 {
        turn(number);
    }
    let before = most_memory(server.id());
    std::thread::scope(|scope| {
        for number in 0..AT_ONCE {
            scope.spawn(move || turn(100 + number));
        }
    });
    let grown = most_memory(server.id()).saturating_sub(before);
    eprintln!("{AT_ONCE} files of 10 MB at once, up and down: {} KiB more than before", grown >> 10);
    assert!(grown < GROWS, "it grew by {grown} bytes");
    server.stop();
    vault.is_well();
}

#[test]
fn killed_in_the_middle_of_a_file_it_shows_nothing_of_it() {
    let vault = vault();
    let service = vault.credential("service", &["account", "age_check"]);
    let server = vault.serve();
    let record = record(&server, &service, 1);
    let kept = bytes_of(3 * CHUNK, 3);
    put(&mut server.caller(&service), &record, &kept);
    // Killed with more and more of it sent.
    let mut server = server;
    for sent in [CHUNK * 2, CHUNK * 30, CHUNK * 100] {
        let mut stream = TcpStream::connect(server.api).unwrap();
        let head = format!(
            "PUT /v1/records/{record}/files/id_scan HTTP/1.1\r\nhost: tests\r\nauthorization: Bearer {service}\r\n\
             content-type: image/jpeg\r\ncontent-length: {LONGEST}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&bytes_of(sent, 9)).unwrap();
        let wanted = i64::try_from(3 + sent / CHUNK - 1).unwrap();
        wait(
            || rows(&vault, "SELECT count(*) FROM file_chunk") >= wanted,
            "the chunks are committed as they come",
        );
        server.kill();
        assert_eq!(rows(&vault, "SELECT count(*) FROM file WHERE state = 0"), 1);
        server = vault.serve();
        assert!(get(&mut server.caller(&service), &record) == kept, "what was there is there");
        if crate::engine::is_for_a_server() {
            // Another server may still be sent it: it goes when its time is over, and nobody sees it meanwhile.
            server.stop();
            return vault.is_well();
        }
        wait(|| rows(&vault, "SELECT count(*) FROM file_chunk") == 3, "its chunks are taken away");
        assert_eq!(rows(&vault, "SELECT count(*) FROM file"), 1);
    }
    server.stop();
    vault.is_well();
}

fn wait(until: impl Fn() -> bool, what: &str) {
    let began = Instant::now();
    while !until() {
        assert!(began.elapsed() < Duration::from_mins(2), "it never comes that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_file_that_is_interrupted_as_it_comes_leaves_nothing() {
    const HALF: usize = 1_000_000;
    let vault = vault();
    let key = vault.private_file("service.credential", &vault.credential("service", &["age_check"]));
    let get = [
        "files",
        "get",
        "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "id_scan",
        "--purpose",
        "age_check",
        "--to",
        "a.jpg",
    ];
    let get = [&get[..], &["--credential-file", key.to_str().unwrap()]].concat();
    // In the place of a server: half a file, and then nothing more.
    let socket = UnixListener::bind(vault.data().join("operator.sock")).unwrap();
    let (part, whole) = (vault.path("a.jpg.part"), vault.path("a.jpg"));
    for name in ["INT", "TERM", "HUP"] {
        let mut command = vault.command(&get);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stream = loop {
            let mut stream = socket.accept().unwrap().0;
            if stream.read(&mut [0; 4_096]).unwrap() > 0 {
                break stream; // the first one only looks whether somebody listens
            }
        };
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 2 * HALF).unwrap();
        stream.write_all(&bytes_of(HALF, 1)).unwrap();
        let came = || std::fs::metadata(&part).is_ok_and(|part| part.len() == HALF as u64);
        wait(came, "half of it is there");
        assert_eq!(std::fs::metadata(&part).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!whole.exists(), "what has the name is whole");
        signal(child.id(), name);
        Ran::of(child.wait_with_output().unwrap()).fails("SR-CLI-010");
        assert!(!part.exists() && !whole.exists(), "{name}");
    }
    // Somebody else's file is not written over, nor taken away.
    std::fs::write(&part, "mine").unwrap();
    vault.run(&get).fails("SR-CLI-009");
    assert_eq!(std::fs::read(&part).unwrap(), b"mine");
}

#[test]
fn commands_send_and_save_files_and_a_backup_brings_them_back() {
    let vault = vault();
    let service = vault.credential("service", &["account", "age_check"]);
    let key = vault.private_file("service.credential", &service);
    let (key, bytes) = (key.to_str().unwrap(), bytes_of(5 * CHUNK + 1, 4));
    std::fs::write(vault.path("scan.jpg"), &bytes).unwrap();
    let server = vault.serve();
    let record = record(&server, &service, 1);
    let put = ["files", "put", &record, "id_scan", "scan.jpg", "--media", "image/jpeg"];
    let get = |to| {
        ["files", "get", &record, "id_scan", "--purpose", "age_check", "--credential-file", key, "--to", to]
    };
    // Over the socket of a server, as the operator and with a credential.
    vault.ask(&put);
    vault.ask(&[&put[..], &["--credential-file", key]].concat());
    vault.run(&get("a.jpg")).ends(0);
    assert!(std::fs::read(vault.path("a.jpg")).unwrap() == bytes);
    vault.run(&get("a.jpg")).fails("SR-CLI-009");
    assert!(!vault.path("a.jpg.part").exists());
    let mode = std::fs::metadata(vault.path("a.jpg")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    vault
        .run(&["files", "put", &record, "id_scan", "scan.jpg", "--media", "image/gif"])
        .fails("SR-COLLECT-020");
    std::fs::write(vault.path("rows.csv"), "id,scan\n1,x\n").unwrap();
    let mapping = "kind = \"customer\"\nexternal_id = \"id\"\n[fields]\nid_scan = \"scan\"\n";
    std::fs::write(vault.path("rows.toml"), mapping).unwrap();
    vault.run(&["import", "rows.csv", "--mapping", "rows.toml"]).fails("SR-IMPORT-001");
    vault.ask(&["backup", "--to", "copy"]);
    server.stop();
    // On the folder itself.
    vault.run(&get("b.jpg")).ends(0);
    assert!(std::fs::read(vault.path("b.jpg")).unwrap() == bytes);
    // Behind the backup: another file in its place, and one that was never in the backup.
    std::fs::write(vault.path("scan.jpg"), bytes_of(2 * CHUNK, 8)).unwrap();
    vault.ask(&put);
    vault.ask(&["restore", "--from", "copy", "--yes"]);
    vault.run(&get("c.jpg")).ends(0);
    assert!(std::fs::read(vault.path("c.jpg")).unwrap() == bytes);
    vault.is_well();
    // Numbers of files go on: what comes now takes nobody's place.
    vault.ask(&put);
    vault.run(&get("d.jpg")).ends(0);
    assert!(std::fs::read(vault.path("d.jpg")).unwrap() == bytes_of(2 * CHUNK, 8));
    vault.is_well();
}
