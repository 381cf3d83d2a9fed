//! Files that are none: pipes, devices, folders and links where a file is named; cells that a spreadsheet would run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::engine::read_rows;
use crate::vault::{Ran, Vault};

/// A command ends within this time, or waits for something that never comes.
const SOON: Duration = Duration::from_secs(30);

/// Runs a command that must not hang.
#[track_caller]
fn soon(vault: &Vault, arguments: &[&str]) -> Ran {
    let mut command: Command = vault.command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > SOON {
            let _ = child.kill();
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ran::of(child.wait_with_output().unwrap())
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}

const MAPPING: &str = "kind = \"customer\"\nexternal_id = \"id\"\n[fields]\nemail = \"email\"\n";

#[test]
fn what_is_imported_is_a_file() {
    let vault = Vault::new();
    std::fs::write(vault.path("map.toml"), MAPPING).unwrap();
    pipe(&vault.path("pipe.csv"));
    std::fs::create_dir(vault.path("folder.csv")).unwrap();
    link(Path::new("/dev/zero"), &vault.path("zero.csv"));
    link(&vault.path("nowhere"), &vault.path("dangling.csv"));
    link(&vault.path("loop.csv"), &vault.path("loop.csv"));
    for file in
        ["pipe.csv", "folder.csv", "zero.csv", "dangling.csv", "loop.csv", "../none/../x.csv", "/dev/null"]
    {
        let ran = soon(&vault, &["import", file, "--mapping", "map.toml", "--format", "csv"]);
        ran.fails("SR-CLI-004");
    }
    std::fs::write(vault.path("rows.csv"), "id,email\n1,a@b.example\n").unwrap();
    for mapping in ["/dev/zero", "folder.csv", "dangling.csv"] {
        soon(&vault, &["import", "rows.csv", "--mapping", mapping]).fails("SR-CLI-004");
    }
    // A policy may come through a pipe, as long as it ends.
    soon(&vault, &["check", "/dev/zero"]).fails("SR-CLI-004");
    // A link to a file is that file.
    link(&vault.path("rows.csv"), &vault.path("linked.csv"));
    soon(&vault, &["import", "linked.csv", "--mapping", "map.toml"]).ends(0);
    vault.is_well();
}

#[test]
fn what_is_sent_for_a_field_is_a_file() {
    let vault = Vault::new();
    pipe(&vault.path("pipe.jpg"));
    std::fs::create_dir(vault.path("folder.jpg")).unwrap();
    link(Path::new("/dev/zero"), &vault.path("zero.jpg"));
    for file in ["pipe.jpg", "folder.jpg", "zero.jpg", "/dev/null", "nowhere.jpg"] {
        let put =
            ["files", "put", "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa", "id_scan", file, "--media", "image/jpeg"];
        soon(&vault, &put).fails("SR-CLI-004");
    }
}

#[test]
fn what_is_restored_is_files() {
    let vault = Vault::new();
    soon(&vault, &["backup", "--to", "copy"]).ends(0);
    let before = read_rows(&vault.database());
    let (manifest, database) = (vault.path("copy/manifest.json"), vault.path("copy/strongroom.db"));
    for (file, code) in [(&manifest, "SR-BACKUP-001"), (&database, "SR-BACKUP-003")] {
        let kept = std::fs::read(file).unwrap();
        std::fs::remove_file(file).unwrap();
        pipe(file);
        soon(&vault, &["restore", "--from", "copy", "--yes"]).fails(code);
        std::fs::remove_file(file).unwrap();
        link(Path::new("/dev/zero"), file);
        soon(&vault, &["restore", "--from", "copy", "--yes"]).fails(code);
        std::fs::remove_file(file).unwrap();
        std::fs::create_dir(file).unwrap();
        soon(&vault, &["restore", "--from", "copy", "--yes"]).fails(code);
        std::fs::remove_dir(file).unwrap();
        std::fs::write(file, kept).unwrap();
    }
    soon(&vault, &["restore", "--from", "copy", "--yes", "--lost-since", "/dev/zero"]).fails("SR-CLI-004");
    assert!(read_rows(&vault.database()) == before, "the vault was touched");
    soon(&vault, &["restore", "--from", "copy", "--yes"]).ends(0);
    vault.is_well();
}

#[test]
fn a_backup_and_an_export_are_made_where_nothing_is() {
    let vault = Vault::new();
    std::fs::create_dir(vault.path("there")).unwrap();
    std::fs::write(vault.path("there/mine"), "mine").unwrap();
    std::fs::write(vault.path("file"), "mine").unwrap();
    link(&vault.path("there"), &vault.path("link"));
    link(&vault.path("nowhere"), &vault.path("dangling"));
    for to in
        ["there", "file", "link", "dangling", "there/../vault/copy", "vault/../keys/copy", "link/../vault/x"]
    {
        let ran = soon(&vault, &["backup", "--to", to]);
        assert!(ran.code != 0, "a backup was made at {to}: {ran:?}");
    }
    for to in ["file", "dangling"] {
        let ran = soon(&vault, &["ledger", "export", "--to", to]);
        assert!(ran.code != 0, "a ledger was written to {to}: {ran:?}");
    }
    assert!(!vault.path("nowhere").join("strongroom.db").exists());
    assert!(!vault.data().join("copy").exists() && !vault.keys().join("copy").exists());
    for file in ["there/mine", "file"] {
        assert_eq!(std::fs::read_to_string(vault.path(file)).unwrap(), "mine");
    }
    vault.is_well();
}

#[test]
fn rejected_rows_are_written_through_no_link_and_into_no_pipe() {
    let vault = Vault::new();
    std::fs::write(vault.path("map.toml"), MAPPING).unwrap();
    std::fs::write(vault.path("rows.csv"), "id,email\n1,not an address\n").unwrap();
    std::fs::write(vault.path("victim"), "of great worth").unwrap();
    link(&vault.path("victim"), &vault.path("rows.csv.rejects.csv"));
    soon(&vault, &["import", "rows.csv", "--mapping", "map.toml"]).fails("SR-CLI-006");
    assert_eq!(std::fs::read_to_string(vault.path("victim")).unwrap(), "of great worth");
    pipe(&vault.path("rejects.pipe"));
    let ran = soon(&vault, &["import", "rows.csv", "--mapping", "map.toml", "--rejects", "rejects.pipe"]);
    ran.fails("SR-CLI-006");
    soon(&vault, &["import", "rows.csv", "--mapping", "map.toml", "--rejects", "rejects.csv"]).ends(0);
    assert!(std::fs::read_to_string(vault.path("rejects.csv")).unwrap().contains("SR-KEEP-016"));
}

#[test]
fn no_cell_of_a_file_that_is_written_is_a_formula() {
    let vault = Vault::new();
    for (number, column) in
        ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "＝1+1", "=HYPERLINK(\"http://x\")"]
            .into_iter()
            .enumerate()
    {
        let quoted = format!("\"{}\"", column.replace('"', "\"\""));
        std::fs::write(vault.path("rows.csv"), format!("id,{quoted}\n{number},=1+1\n")).unwrap();
        let named = format!("'''{}'''", column.trim());
        let mapping = format!("kind = \"customer\"\nexternal_id = \"id\"\n[fields]\nemail = {named}\n");
        std::fs::write(vault.path("map.toml"), mapping).unwrap();
        soon(&vault, &["import", "rows.csv", "--mapping", "map.toml"]).ends(0);
        let written = std::fs::read_to_string(vault.path("rows.csv.rejects.csv")).unwrap();
        let mut rows = csv::Reader::from_reader(written.as_bytes());
        let mut cells = 0;
        for row in rows.records() {
            for cell in &row.unwrap() {
                cells += 1;
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']), "{column}: {written}");
            }
        }
        assert!(cells >= 4, "{written}");
        assert!(!written.contains("1+1\n") && !written.contains(",=1"), "no value is told: {written}");
    }
}

#[test]
fn a_packed_file_takes_no_more_memory_than_a_row_may() {
    use std::io::Write;
    let vault = Vault::new();
    std::fs::write(vault.path("map.toml"), MAPPING).unwrap();
    let mut packed = flate2::write::GzEncoder::new(
        std::fs::File::create(vault.path("bomb.csv.gz")).unwrap(),
        flate2::Compression::best(),
    );
    packed.write_all(b"id,email\n1,\"").unwrap();
    for _ in 0..256 {
        packed.write_all(&vec![b'a'; 1 << 20]).unwrap();
    }
    packed.finish().unwrap();
    assert!(std::fs::metadata(vault.path("bomb.csv.gz")).unwrap().len() < 1 << 20);
    let server = vault.serve();
    let most = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    };
    let before = most();
    soon(&vault, &["import", "bomb.csv.gz", "--mapping", "map.toml"]).fails("SR-IMPORT-004");
    let grown = most() - before;
    assert!(grown < 64 << 10, "the server took {grown} KiB more");
    assert!(server.stop().0.success());
}
