//! The key file, split among officers.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{epoch, lives, opens};
use crate::opener::Opener;
use crate::vault::Vault;

/// A vault whose key is split among five, any three of whom open it; and their files.
fn split(vault: &Vault, folder: &str, more: &[&str]) -> Vec<PathBuf> {
    let arguments = ["keys", "split", "--of", "5", "--need", "3", "--out", folder];
    let made = vault.ask(&[&arguments[..], more].concat());
    let files = made["shares"].as_array().unwrap().iter();
    files.map(|file| vault.path(file.as_str().unwrap())).collect()
}

/// `--share FILE` for each of these officers, counted from 1.
fn given(files: &[PathBuf], officers: &[usize]) -> Vec<String> {
    officers
        .iter()
        .flat_map(|number| ["--share".to_owned(), files[number - 1].display().to_string()])
        .collect()
}

fn as_arguments(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn any_three_of_five_officers_start_the_house_and_no_two_and_no_old_key_file() {
    let vault = Vault::new();
    let files = split(&vault, "shares", &[]);
    assert_eq!(files.len(), 5);
    for file in &files {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The key file of before is still there, and opens nothing any more.
    let refused = vault.serve_with(&[]).unwrap_err().fails("SR-KEYS-016");
    assert!(
        refused.err.contains("any 3 of the 5 shares") && refused.err.contains("--share"),
        "{}",
        refused.err
    );
    vault.serve_with(&as_arguments(&given(&files, &[2, 5]))).unwrap_err().fails("SR-SEAL-018");

    let server = vault.serve_with(&as_arguments(&given(&files, &[5, 1, 3]))).unwrap();
    lives(&vault, &server, 1);
    server.stop();
    // Others, after an epoch that was written while the first three were gone.
    let server = vault.serve_with(&as_arguments(&given(&files, &[2, 3, 4, 5]))).unwrap();
    let service = vault.credential("service", &["account"]);
    opens(&server, &service, 1);
    assert_eq!(epoch(&vault), 2);
    server.stop();
    let looked = vault.run(&[&["doctor", "--deep"][..], &as_arguments(&given(&files, &[1, 2, 3]))].concat());
    assert_eq!(looked.code, 0, "{}{}", looked.out, looked.err);
}

#[test]
fn a_mistyped_share_a_doubled_one_and_one_of_another_set_are_refused_by_name() {
    let vault = Vault::new();
    let first = split(&vault, "first", &[]);
    let second = split(&vault, "second", &as_arguments(&given(&first, &[1, 2, 3])));
    let serve = |files: &[&PathBuf]| {
        let words: Vec<String> =
            files.iter().flat_map(|file| ["--share".to_owned(), file.display().to_string()]).collect();
        vault.serve_with(&as_arguments(&words)).unwrap_err()
    };
    let says = |files: &[&PathBuf], code: &str, name: &str| {
        let ran = serve(files).fails(code);
        assert!(ran.err.contains(name), "{}", ran.err);
    };
    says(&[&second[0], &second[1], &second[0]], "SR-SEAL-017", "share-1-of-5.txt");
    // Issued anew: the old set is worthless, also when all of it comes together, and named when one of it slips in.
    says(&[&first[0], &first[1], &first[2], &first[3], &first[4]], "SR-SEAL-016", "first/share-1-of-5.txt");
    says(&[&second[0], &second[1], &first[2]], "SR-SEAL-016", "first/share-3-of-5.txt");

    let text = std::fs::read_to_string(&second[2]).unwrap();
    let row = text.lines().find(|line| line.starts_with("3:")).unwrap();
    let letter = if row.ends_with('Z') { "Y" } else { "Z" };
    let mistyped =
        vault.private_file("typed", &text.replace(row, &format!("{}{letter}", &row[..row.len() - 1])));
    let ran = serve(&[&second[0], &second[1], &mistyped]).fails("SR-SEAL-015");
    assert!(ran.err.contains("typed") && ran.err.contains("row 3"), "{}", ran.err);
    assert!(!ran.err.contains(&row[3..]), "what is in a share is not repeated");
    let nothing = vault.private_file("nothing", "no share at all\n");
    says(&[&second[0], &second[1], &nothing], "SR-SEAL-015", "nothing");
    let open = vault.private_file("open", &text);
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    says(&[&second[0], &second[1], &open], "SR-KEYS-001", "open");
    says(&[&second[0], &second[1], &vault.path("none")], "SR-KEYS-002", "none");

    // As a person types it: without the lines for people, in small letters.
    let typed: String =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.to_lowercase() + "\n").collect();
    let typed = vault.private_file("by-hand", &typed);
    let words = given(&[second[0].clone(), second[1].clone(), typed], &[1, 2, 3]);
    vault.serve_with(&as_arguments(&words)).unwrap().stop();
}

#[test]
fn shares_become_a_key_file_when_officers_say_so_and_only_shares_that_open() {
    let vault = Vault::new();
    let old = split(&vault, "old", &[]);
    let files = split(&vault, "shares", &as_arguments(&given(&old, &[3, 4, 5])));
    let paths: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let olds: Vec<&str> = old.iter().map(|file| file.to_str().unwrap()).collect();
    vault.run(&["keys", "join", paths[0], paths[1], "--out", "joined"]).fails("SR-SEAL-018");
    vault.run(&["keys", "join", olds[0], olds[1], olds[2], "--out", "joined"]).fails("SR-SEAL-016");
    assert!(!vault.path("joined").exists());
    vault.run(&["keys", "join", paths[0], paths[3], paths[4], "--out", "joined"]).ends(0);
    assert_eq!(std::fs::metadata(vault.path("joined")).unwrap().permissions().mode() & 0o777, 0o600);
    vault.run(&["keys", "join", paths[0], paths[3], paths[4], "--out", "joined"]).fails("SR-KEYS-003");

    let server = vault.serve_with(&["--key-file", "joined"]).unwrap();
    lives(&vault, &server, 7);
    server.stop();
    // A new set, or any other lock, ends both: the shares, and the file that was made of them.
    let arguments = ["keys", "relock", "--new-passphrase-file", "words", "--key-file", "joined"];
    vault.private_file("words", "seven quiet harbours\n");
    vault.run(&arguments).ends(0);
    vault.serve_with(&["--key-file", "joined"]).unwrap_err().fails("SR-SEAL-012");
    vault.serve_with(&as_arguments(&given(&files, &[1, 2, 3]))).unwrap_err().fails("SR-SEAL-012");
    vault.serve_with(&["--passphrase-file", "words"]).unwrap().stop();
}

#[test]
fn nothing_is_locked_anew_while_a_server_owns_the_vault_nor_by_impossible_numbers() {
    let vault = Vault::new();
    let server = vault.serve();
    let split =
        |need: &str, of: &str| vault.run(&["keys", "split", "--need", need, "--of", of, "--out", "shares"]);
    split("2", "3").fails("SR-STORE-003");
    server.stop();
    split("4", "3").fails("SR-SEAL-019");
    split("1", "3").ends(2);
    split("2", "17").ends(2);
    vault.serve().stop();
    // Shares of before are never written over.
    split("2", "3").ends(0);
    let ran = vault.run(&[
        "keys",
        "split",
        "--need",
        "2",
        "--of",
        "3",
        "--out",
        "shares",
        "--share",
        "shares/share-1-of-3.txt",
        "--share",
        "shares/share-2-of-3.txt",
    ]);
    ran.fails("SR-KEYS-003");
    let words = ["--share", "shares/share-3-of-3.txt", "--share", "shares/share-2-of-3.txt"];
    vault.serve_with(&words).unwrap().stop();
}

#[test]
fn a_stranger_puts_the_shares_together_by_the_document() {
    let Some(opener) = Opener::find() else { return };
    let vault = Vault::new();
    let files = split(&vault, "shares", &[]);
    let server = vault.serve_with(&as_arguments(&given(&files, &[1, 2, 3]))).unwrap();
    lives(&vault, &server, 3);
    server.stop();
    let opens = |officers: &[usize]| {
        let mut script = opener.script();
        script
            .arg(crate::engine::folder_of_rows(&vault.data()))
            .arg("--keys")
            .arg(vault.keys())
            .args(given(&files, officers))
            .output()
            .unwrap()
    };
    let output = opens(&[2, 4, 5]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(opens(&[2, 4]).status.code(), Some(2), "two of three open nothing");
}
