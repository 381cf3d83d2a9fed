//! `strongroom selftest` as somebody calls it: what it prints, how it ends, and evidence that proves itself. What a browser sees on
//! which page is tested in the crate `selftest`.

#![cfg(test)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use crate::vault::{Ran, private_folder, strongroom};

/// Serves one page, for as long as the test lasts. Gives its address.
fn page(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n", text.len());
            let _ = write!(stream, "{head}connection: close\r\n\r\n{text}");
        }
    });
    format!("http://shop.localhost:{port}/?mail=ann%40mail.example")
}

fn run(arguments: &[&str]) -> Ran {
    let mut command = strongroom();
    Ran::of(command.arg("selftest").args(["--no-sandbox", "--wait", "1"]).args(arguments).output().unwrap())
}

/// Did it find a browser? Says aloud what is skipped if it did not.
fn looked(ran: &Ran) -> bool {
    let looked = !ran.err.contains("SR-SELFTEST-001");
    if !looked {
        eprintln!("SKIPPED: the self-test of a page: no Chromium is here (Debian: apt-get install chromium)");
    }
    looked
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn evidence_is_signed_and_verified_and_a_changed_byte_is_told() {
    let folder = private_folder();
    let (key, proof) = (folder.path().join("proof.key"), folder.path().join("proof"));
    let vkey = run(&["--sign", text(&key), "--new-key", "shop.example/selftest"]).ends(0).out;
    let cheat = page("<!doctype html><title>Shop</title><script>document.cookie = 'who=4711'</script>");
    let ran = run(&[&cheat, "--evidence", text(&proof), "--sign", text(&key), "--lang", "zh"]);
    if !looked(&ran) {
        return;
    }
    let ran = ran.ends(4);
    assert!(ran.out.contains("SR-SELFTEST-121") && ran.out.contains("who"), "{}", ran.out);
    assert!(ran.out.contains("尚未选择，就已写入 Cookie"), "{}", ran.out);
    assert!(!ran.out.contains("4711") && !ran.out.contains("mail"), "{}", ran.out);

    let verify = || run_verify(&proof, vkey.trim());
    let report = verify().ends(4).json();
    assert_eq!(report["verdict"], "not-obeyed");
    assert_eq!(report["findings"][0]["code"], "SR-SELFTEST-121");
    // Another key, another picture, another report.
    let other =
        run(&["--sign", text(&folder.path().join("other.key")), "--new-key", "shop.example/selftest"]);
    run_verify(&proof, other.ends(0).out.trim()).fails_as_json("SR-LEDGER-016");
    run(&[&cheat, "--evidence", text(&proof)]).fails("SR-SELFTEST-009");
    let picture = proof.join("1-before.png");
    let mut bytes = std::fs::read(&picture).unwrap();
    let last = bytes.last_mut().unwrap();
    *last ^= 1;
    std::fs::write(&picture, bytes).unwrap();
    verify().fails_as_json("SR-SELFTEST-012");
    let report = proof.join("selftest.json");
    let changed = std::fs::read_to_string(&report).unwrap().replace("not-obeyed", "obeyed");
    std::fs::write(&report, changed).unwrap();
    verify().fails_as_json("SR-SELFTEST-014");
    std::fs::remove_file(proof.join("selftest.note")).unwrap();
    verify().fails_as_json("SR-SELFTEST-013");
}

fn run_verify(proof: &Path, key: &str) -> Ran {
    let mut command = strongroom();
    Ran::of(command.args(["selftest", "--json", "--verify", text(proof), "--key", key]).output().unwrap())
}

impl Ran {
    #[track_caller]
    fn fails_as_json(self, code: &str) {
        assert!(self.err.contains(code), "no {code}\nstdout:\n{}\nstderr:\n{}", self.out, self.err);
        assert_eq!((self.code, self.out.as_str()), (1, ""));
    }
}

#[test]
fn a_page_that_asks_for_nothing_passes_and_ends_with_zero() {
    let ran = run(&[&page("<!doctype html><title>Shop</title><h1>Pottery</h1>"), "--json"]);
    if !looked(&ran) {
        return;
    }
    let report = ran.ends(0).json();
    assert_eq!(
        (report["verdict"].as_str(), report["page"].as_str().map(|page| page.contains('?'))),
        (Some("obeyed"), Some(false))
    );
}

#[test]
fn what_cannot_be_tested_is_told_with_how_to_mend_it() {
    let folder = private_folder();
    let ran = run(&["http://shop.localhost:9/", "--browser", "/nowhere/chromium"]).fails("SR-SELFTEST-001");
    assert!(ran.err.contains("apt-get install chromium"), "{}", ran.err);
    run(&["ftp://shop.example/"]).fails("SR-SELFTEST-007");
    let expect = folder.path().join("expect.toml");
    std::fs::write(&expect, "[[purpose]]\nname = \"x\"\nkinds = \"y\"\n").unwrap();
    let ran = run(&["http://shop.localhost:9/", "--expect", text(&expect)]).fails("SR-SELFTEST-008");
    assert!(ran.err.contains("line 3"), "{}", ran.err);
    let key = folder.path().join("k");
    run(&["--sign", text(&key), "--new-key", "a.example/b"]).ends(0);
    run(&["http://shop.localhost:9/", "--sign", text(&key)]).fails("SR-SELFTEST-016");
    let ran = run(&["http://shop.localhost:9/"]);
    if looked(&ran) {
        ran.fails("SR-SELFTEST-005");
    }
}
