//! `strongroom interview`: what docs/guide/interview.md says, typed; a vault that begins with answers; and what it refuses.

#![cfg(test)]

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::vault::{Ran, strongroom};

const GUIDE: &str = include_str!("../../../../docs/guide/interview.md");

/// What somebody types who sells tea in a shop of their own and on Tmall.
const TYPED: &str = "海港茶行 / Harbour Tea\n\ncn\nown tmall\ncn, 海港茶行有限公司\n\nmany\n2万\n1\n\
    courier: 顺丰速运 / SF Express (cn) <95338>; tmall: 天猫 / Tmall (cn) <400-8608608>\n林月 <privacy@harbour-tea.example>\n";

/// The file of answers in the guide.
fn answers() -> &'static str {
    GUIDE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap()
}

fn run(folder: &Path, words: &[&str]) -> Ran {
    Ran::of(strongroom().current_dir(folder).args(words).output().unwrap())
}

fn typed(folder: &Path, words: &[&str], lines: &str) -> Ran {
    let mut command = strongroom();
    command.current_dir(folder).args(words);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn the_answers_of_the_guide_give_a_policy_that_the_check_takes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("answers.toml"), answers()).unwrap();
    let words = ["interview", "--answers", "answers.toml", "--out", "shop.toml"];
    let ran = run(folder.path(), &words).ends(0);
    assert!(ran.out.contains("recipient.courier.agreement"), "{}", ran.out);
    run(folder.path(), &["check", "shop.toml"]).ends(0);
    // The same answers again: the file that is there stays.
    let before = std::fs::read(folder.path().join("shop.toml")).unwrap();
    run(folder.path(), &words).fails("SR-CLI-009");
    assert_eq!(std::fs::read(folder.path().join("shop.toml")).unwrap(), before);
}

#[test]
fn a_vault_begins_with_answers_that_were_typed() {
    let folder = tempfile::tempdir().unwrap();
    let ran = typed(folder.path(), &["interview", "--lang", "zh"], TYPED).ends(0);
    assert!(ran.err.contains("10/10") && ran.err.contains("请填写整数"), "{}", ran.err);
    assert!(ran.out.contains("签订数据处理协议"), "{}", ran.out);
    run(folder.path(), &["check", "shop.toml"]).ends(0);
    let made = ["init", "--policy", "shop.toml", "--data", "vault", "--keys", "keys", "--json"];
    let made = run(folder.path(), &made).ends(0).json();
    assert!(made["admin"].is_string() && made["shop"].is_string(), "{made}");
}

#[test]
fn tasks_are_json_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = typed(folder.path(), &["interview", "--json"], TYPED).ends(0).json();
    let first = &tasks["tasks"][0];
    assert_eq!((first["id"].as_str(), first["key"].as_str()), (Some("read"), Some("shop.reviewed")));
}

#[test]
fn an_interview_that_was_broken_off_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    typed(folder.path(), &["interview"], "海港茶行 / Harbour Tea\n").fails("SR-CLI-011");
    std::fs::write(folder.path().join("answers.toml"), "serves = [\"cn\"]\n").unwrap();
    run(folder.path(), &["interview", "--answers", "answers.toml"]).fails("SR-CLI-013");
    std::fs::write(folder.path().join("answers.toml"), "serve = [\"cn\"]\n").unwrap();
    run(folder.path(), &["interview", "--answers", "answers.toml"]).fails("SR-CLI-012");
    assert!(!folder.path().join("shop.toml").exists());
}
