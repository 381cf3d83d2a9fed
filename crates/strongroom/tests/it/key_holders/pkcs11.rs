//! A token of SoftHSM holds the key. Needs a program that was built with the feature `pkcs11`, as `cargo xtask test` does.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{epoch, lives, opens};
use crate::vault::{Ran, Server, Vault};

const PIN: &str = "1234";

/// A token in the vault's own folder.
struct Token {
    vault: Vault,
    driver: PathBuf,
}

impl Token {
    /// Makes one with a key; says aloud what is skipped when that cannot be.
    fn new() -> Option<Token> {
        let places = [
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib64/pkcs11/libsofthsm2.so",
            "/usr/local/lib/softhsm/libsofthsm2.so",
        ];
        let driver = places.iter().map(PathBuf::from).find(|path| path.exists());
        let skipped = |why: &str| eprintln!("SKIPPED: a PKCS#11 token holds the key: {why}");
        if !cfg!(feature = "pkcs11") {
            skipped("this program was built without it (`--features pkcs11`, as `cargo xtask test` does)");
            return None;
        }
        let Some(driver) = driver else {
            skipped("SoftHSM is not here (`cargo xtask test --only needs` installs it)");
            return None;
        };
        let vault = Vault::bare();
        std::fs::create_dir(vault.path("tokens")).unwrap();
        let config = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\n",
            vault.path("tokens").display()
        );
        std::fs::write(vault.path("softhsm2.conf"), config).unwrap();
        let token = Token { vault, driver };
        token.util(&["--init-token", "--free", "--label", "vault", "--so-pin", "12345678", "--pin", PIN]);
        token.import("strongroom", 1);
        token.vault.private_file("pin", PIN);
        token.vault.private_file("with-token.toml", &token.section(60, "strongroom"));
        Some(token)
    }

    fn util(&self, arguments: &[&str]) {
        let mut util = Command::new("softhsm2-util");
        let config = self.vault.path("softhsm2.conf");
        let ran = util.args(arguments).env("SOFTHSM2_CONF", config).stdout(Stdio::null()).status().unwrap();
        assert!(ran.success(), "{arguments:?}");
    }

    /// Gives the token a key, which it does not give away any more.
    fn import(&self, label: &str, byte: u8) {
        let file = self.vault.path("key-to-import");
        std::fs::write(&file, [byte; 32]).unwrap();
        let id = format!("{byte:02x}");
        self.util(&[
            "--import",
            file.to_str().unwrap(),
            "--aes",
            "--token",
            "vault",
            "--label",
            label,
            "--id",
            &id,
            "--pin",
            PIN,
        ]);
        std::fs::remove_file(file).unwrap();
    }

    fn section(&self, grace: u32, key: &str) -> String {
        format!(
            "[keys]\ngrace_seconds = {grace}\n[keys.pkcs11]\nmodule = {:?}\ntoken = \"vault\"\nkey = \"{key}\"\npin_file = {:?}\n",
            self.driver,
            self.vault.path("pin"),
        )
    }

    /// A command about the vault, which finds the token.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.vault.command(arguments);
        command.env("SOFTHSM2_CONF", self.vault.path("softhsm2.conf"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    fn init(&self) -> Ran {
        let arguments = ["init", "--policy", "shop.toml", "--keys", "keys", "--config", "with-token.toml"];
        self.run(&arguments)
    }

    fn serve(&self) -> Result<Server, Ran> {
        Server::start(self.command(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]))
    }

    fn configure(&self, change: impl FnOnce(&str) -> String) {
        let file = self.vault.data().join("strongroom.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let changed = change(&text);
        assert_ne!(changed, text);
        std::fs::write(file, changed).unwrap();
    }
}

#[test]
fn a_vault_lives_on_a_key_in_a_token() {
    let Some(token) = Token::new() else { return };
    token.init().ends(0);
    assert!(!token.vault.keys().join("unlock.key").exists());
    let server = token.serve().unwrap();
    lives(&token.vault, &server, 1);
    server.stop();
    let server = token.serve().unwrap();
    opens(&server, &token.vault.credential("service", &["account"]), 1);
    assert_eq!(epoch(&token.vault), 2);
    server.stop();
    // To a passphrase, and back with the token's other key.
    token.vault.private_file("words", "seven quiet harbours\n");
    token.run(&["keys", "relock", "--new-passphrase-file", "words"]).ends(0);
    token.import("second", 2);
    token.configure(|text| text.replace("key = \"strongroom\"", "key = \"second\""));
    token.run(&["keys", "relock", "--as-configured", "--passphrase-file", "words"]).ends(0);
    let looked = token.run(&["doctor", "--deep"]);
    assert_eq!(looked.code, 0, "{}{}", looked.out, looked.err);
}

#[test]
fn a_token_that_does_not_give_the_key_refuses_the_start_by_name_and_hears_no_wrong_pin_twice() {
    let Some(token) = Token::new() else { return };
    token.init().ends(0);
    let refused = |code: &str| {
        let ran = token.serve().unwrap_err().fails(code);
        assert!(ran.err.contains("the token `"), "{}", ran.err);
    };
    let saved = std::fs::read_to_string(token.vault.data().join("strongroom.toml")).unwrap();
    let with = |from: &str, to: &str, code: &str| {
        token.configure(|text| text.replace(from, to));
        refused(code);
        token.configure(|_| saved.clone());
    };
    with("token = \"vault\"", "token = \"elsewhere\"", "SR-KEYS-020");
    with("key = \"strongroom\"", "key = \"none\"", "SR-KEYS-012");
    with(token.driver.to_str().unwrap(), "/none.so", "SR-KEYS-019");
    token.vault.private_file("pin", "4321");
    refused("SR-KEYS-011");
    token.vault.private_file("pin", PIN);
    token.import("second", 2);
    with("key = \"strongroom\"", "key = \"second\"", "SR-KEYS-013");
    token.serve().unwrap().stop();

    // While it serves: shut by a PIN that was changed, and asked again with a right one only.
    token.configure(|text| text.replace("grace_seconds = 60", "grace_seconds = 1"));
    let server = token.serve().unwrap();
    token.vault.private_file("pin", "4321");
    super::grace::until_it_waits(&server, 1);
    token.vault.private_file("pin", PIN);
    super::grace::until_it_is_well(&server);
    server.stop();
    // A token that is gone, and comes back.
    let server = token.serve().unwrap();
    let (here, gone) = (token.vault.path("tokens"), token.vault.path("gone"));
    move_away(&here, &gone);
    super::grace::until_it_waits(&server, 1);
    std::fs::remove_dir_all(&here).unwrap();
    move_away(&gone, &here);
    super::grace::until_it_is_well(&server);
}

/// Takes a folder away and leaves an empty one in its place.
fn move_away(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir(to).unwrap();
    }
    std::fs::rename(from, to).unwrap();
    if !from.exists() {
        std::fs::create_dir(from).unwrap();
    }
}

#[test]
fn a_program_without_tokens_says_so() {
    if cfg!(feature = "pkcs11") {
        return;
    }
    let vault = Vault::new();
    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let section = "[keys.pkcs11]\nmodule = \"/m\"\ntoken = \"t\"\nkey = \"k\"\npin_file = \"/p\"\n";
    std::fs::write(&file, format!("{text}\n{section}")).unwrap();
    vault.serve_with(&[]).unwrap_err().fails("SR-KEYS-022");
}
