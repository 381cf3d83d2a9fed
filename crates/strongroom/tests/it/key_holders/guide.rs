//! What docs/guide/key-custody.md tells people to type is typed here, in its order.

use std::path::Path;
use std::process::{Command, Stdio};

use super::bao::Bao;
use crate::vault::{Ran, Vault};

const GUIDE: &str = include_str!("../../../../../docs/guide/key-custody.md");

/// What stands under a heading.
fn section(heading: &str) -> &'static str {
    let from = GUIDE.split(&format!("\n## {heading}\n")).nth(1).expect("the guide has this heading");
    from.split("\n## ").next().unwrap()
}

/// The blocks of one kind in a text.
fn blocks<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let opening = format!("```{kind}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Types every line behind `$`, and holds how it ends against the lines that follow. Gives how many there were.
fn type_all(text: &str, vault: &Vault, mut equip: impl FnMut(&mut Command, &str)) -> usize {
    let program = Path::new(env!("CARGO_BIN_EXE_strongroom")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.display());
    let mut typed = 0;
    for block in blocks(text, "console") {
        for step in block.split("$ ").skip(1) {
            let (line, follows) = step.split_once('\n').unwrap();
            let mut shell = Command::new("sh");
            shell.args(["-c", line]).current_dir(vault.root()).env_clear().env("PATH", &path);
            shell.env("NO_COLOR", "1").env("HOME", vault.root()).stdin(Stdio::null());
            equip(&mut shell, &path);
            let ran = Ran::of(shell.output().unwrap());
            let refusal = follows.lines().find(|line| line.starts_with("error["));
            match refusal {
                Some(refusal) => {
                    let code = refusal.split(']').next().unwrap();
                    assert!(ran.code != 0 && ran.err.contains(code), "{line}\n{ran:?}");
                }
                None => assert_eq!(ran.code, 0, "{line}\n{}\n{}", ran.out, ran.err),
            }
            typed += 1;
        }
    }
    typed
}

#[test]
fn officers_do_as_the_guide_says() {
    let vault = Vault::new();
    let typed = type_all(section("Officers with shares"), &vault, |_, _| {});
    assert_eq!(typed, 6, "every command of the section was typed");
}

#[test]
fn an_operator_of_openbao_does_as_the_guide_says() {
    let Some(bao) = Bao::bare() else { return };
    let vault = Vault::bare();
    let text = section("OpenBao or Vault");
    std::fs::write(vault.path("strongroom.hcl"), blocks(text, "hcl")[0]).unwrap();
    std::fs::copy(&bao.ca_file, vault.path("bao-ca.pem")).unwrap();
    let config = blocks(text, "toml")[0];
    assert!(config.contains("https://bao.example:8200"));
    vault.private_file("bao.toml", &config.replace("https://bao.example:8200", &bao.address()));
    let typed = type_all(text, &vault, |shell, path| bao.equip(shell, path));
    assert_eq!(typed, 10, "every command of the section was typed");
}

#[test]
fn what_the_guide_says_of_a_token_is_a_configuration() {
    let vault = Vault::new();
    let file = vault.data().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let section = blocks(section("A PKCS#11 token"), "toml")[0];
    std::fs::write(&file, format!("{text}\n{section}")).unwrap();
    // Read, and then refused for what the keyring is locked by, or for what this program was built with.
    let refused = vault.serve_with(&[]).unwrap_err();
    assert!(refused.err.contains("SR-SEAL-012") || refused.err.contains("SR-KEYS-022"), "{}", refused.err);
}
