//! The transit of a real OpenBao server holds the key: the life of a vault, and every way in which the server does not give it.

use axum::http::Method;
use serde_json::{Value as Json, json};

use super::bao::{Bao, KEY};
use super::{epoch, lives, opens};
use crate::vault::Vault;

#[test]
fn a_vault_lives_on_a_key_that_openbao_holds() {
    let Some(bao) = Bao::start() else { return };
    let vault = bao.vault(900);
    assert!(!vault.keys().join("unlock.key").exists(), "there is no key on this machine");
    let server = vault.serve();
    lives(&vault, &server, 1);
    // The transit's own key is rotated: what older versions wrapped is still opened.
    bao.post(&format!("transit/keys/{KEY}/rotate"), &Json::Null);
    vault.run(&["keys", "rotate", "--yes"]).ends(0);
    server.stop();
    let server = vault.serve();
    opens(&server, &vault.credential("service", &["account"]), 1);
    assert_eq!(epoch(&vault), 3);
    server.stop();
    vault.is_well();
    // Another key's file, and another holder's words, are told what it is locked by.
    vault.private_file("key", "0123456789abcdef0123456789abcdef");
    let ran = vault.serve_with(&["--key-file", "key"]).unwrap_err().fails("SR-SEAL-012");
    assert!(ran.err.contains("a key that OpenBao holds"), "{}", ran.err);
}

#[test]
fn a_keyring_goes_from_a_key_file_to_openbao_and_back() {
    let Some(bao) = Bao::start() else { return };
    let vault = Vault::new();
    let server = vault.serve();
    lives(&vault, &server, 1);
    server.stop();
    vault.private_file("token", &bao.token());
    let file = vault.data().join("strongroom.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    let without = before.replace("grace_seconds = 900\n", "");
    let section = bao.section(&vault, 900).replace("[keys]\ngrace_seconds = 900\n", "");
    std::fs::write(&file, format!("{without}\n{section}")).unwrap();
    let old = vault.keys().join("unlock.key");
    let old = old.to_str().unwrap();
    vault.serve_with(&[]).unwrap_err().fails("SR-SEAL-012");
    vault.run(&["keys", "relock", "--as-configured", "--key-file", old]).ends(0);
    vault.serve_with(&["--key-file", old]).unwrap_err().fails("SR-SEAL-012");
    vault.serve().stop();
    // Wrapped anew, after which older versions of the transit's key are not needed any more.
    bao.post(&format!("transit/keys/{KEY}/rotate"), &Json::Null);
    vault.run(&["keys", "relock", "--as-configured"]).ends(0);
    bao.post(&format!("transit/keys/{KEY}/config"), &json!({ "min_decryption_version": 2 }));
    vault.serve().stop();

    vault.run(&["keys", "relock", "--new-key-file", old]).ends(0);
    std::fs::write(&file, before).unwrap();
    let server = vault.serve();
    opens(&server, &vault.credential("service", &["account"]), 1);
}

#[test]
fn a_holder_that_does_not_give_the_key_refuses_the_start_by_name() {
    let Some(bao) = Bao::start() else { return };
    let vault = bao.vault(900);
    let refused = |code: &str, words: &str| {
        let ran = vault.serve_with(&[]).unwrap_err().fails(code);
        assert!(ran.err.contains("OpenBao at localhost:") && ran.err.contains(words), "{}", ran.err);
        assert!(ran.err.contains("help: "), "{}", ran.err);
    };
    bao.way.is_cut();
    refused("SR-KEYS-007", "cannot be reached");
    bao.way.holds();
    refused("SR-KEYS-008", "within 1000 ms");
    bao.way.opens();
    bao.seal();
    refused("SR-KEYS-010", "it is sealed");
    bao.unseal();

    let token = std::fs::read_to_string(vault.path("token")).unwrap();
    vault.private_file("token", "s.not-a-token");
    refused("SR-KEYS-011", "does not let this token");
    bao.post("auth/token/revoke", &json!({ "token": token }));
    vault.private_file("token", &token);
    refused("SR-KEYS-011", "does not let this token");
    vault.private_file("token", &bao.token());

    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
    };
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(vault.path("other.pem"), other.cert.pem()).unwrap();
    with("certificate.pem", "none.pem");
    vault.serve_with(&[]).unwrap_err().fails("SR-KEYS-015");
    let ca = text.lines().find(|line| line.starts_with("ca_file")).unwrap();
    with(ca, &format!("ca_file = {:?}", vault.path("other.pem")));
    refused("SR-KEYS-009", "no authority that is trusted here");
    with("https://localhost", "https://127.0.0.1");
    vault.serve_with(&[]).unwrap_err().fails("SR-KEYS-009");
    with("https://localhost", "http://bao.example");
    vault.serve_with(&[]).unwrap_err().fails("SR-KEYS-015");
    with(&format!("key = \"{KEY}\""), "key = \"another\"");
    refused("SR-KEYS-011", "does not let this token");
    std::fs::write(&file, &text).unwrap();
    vault.serve().stop();

    // A key of the same name, made anew: the name is right, and it opens nothing.
    bao.post(&format!("transit/keys/{KEY}/config"), &json!({ "deletion_allowed": true }));
    bao.ask(&Method::DELETE, &format!("transit/keys/{KEY}"), &Json::Null);
    refused("SR-KEYS-012", "no key of this name");
    bao.post(&format!("transit/keys/{KEY}"), &json!({ "type": "aes256-gcm96" }));
    refused("SR-KEYS-013", "did not wrap");
}

#[test]
fn nothing_is_made_where_the_holder_does_not_wrap() {
    let Some(bao) = Bao::start() else { return };
    let vault = Vault::bare();
    let init = || vault.run(&["init", "--policy", "shop.toml", "--keys", "keys", "--config", "bao.toml"]);
    vault.private_file("bao.toml", &bao.section(&vault, 900));
    init().fails("SR-KEYS-002");
    vault.private_file("token", &bao.token());
    bao.seal();
    init().fails("SR-KEYS-010");
    bao.unseal();
    // A key of a kind that binds nothing to what it wraps.
    bao.post("transit/keys/rsa", &json!({ "type": "rsa-2048" }));
    let root = bao.post("auth/token/create", &json!({ "policies": ["root"] }));
    vault.private_file("token", root["auth"]["client_token"].as_str().unwrap());
    vault.private_file(
        "bao.toml",
        &bao.section(&vault, 900).replace(&format!("key = \"{KEY}\""), "key = \"rsa\""),
    );
    init().fails("SR-KEYS-018");
    // One who may wrap and not unwrap would lock us out at the next start.
    let policy = format!("path \"transit/encrypt/{KEY}\" {{ capabilities = [\"update\"] }}");
    bao.post("sys/policies/acl/one-way", &json!({ "policy": policy }));
    let made = bao.post("auth/token/create", &json!({ "policies": ["one-way"] }));
    vault.private_file("token", made["auth"]["client_token"].as_str().unwrap());
    vault.private_file("bao.toml", &bao.section(&vault, 900));
    init().fails("SR-KEYS-011");
    assert!(!vault.keys().exists(), "no keys folder was left behind");
    vault.private_file("token", &bao.token());
    init().ends(0);
}
