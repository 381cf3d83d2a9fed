//! Replays what the fuzzer starts from, so that it holds where no fuzzer is installed.

#![cfg(test)]

use std::path::Path;

#[path = "../../../fuzz/src/rulebook.rs"]
mod packs;

/// What the fuzzer starts from: pieces of packs, and facts that they are asked about.
fn inputs() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/rulebook");
    let read = |entry: std::io::Result<std::fs::DirEntry>| std::fs::read(entry.unwrap().path()).unwrap();
    let inputs: Vec<Vec<u8>> = std::fs::read_dir(folder).unwrap().map(read).collect();
    inputs.into_iter().map(|input| String::from_utf8_lossy(&input).into_owned()).collect()
}

#[test]
fn every_input_of_the_corpus_is_survived() {
    let inputs = inputs();
    assert!(inputs.len() >= 8, "the corpus has {} inputs", inputs.len());
    for input in &inputs {
        packs::look_at(input.as_bytes());
    }
}

#[test]
fn every_seed_is_a_pack_that_answers_something_of_its_facts() {
    let seeds: Vec<String> = inputs().into_iter().filter(|input| input.starts_with("[pack]")).collect();
    assert!(seeds.len() >= 8);
    for seed in seeds {
        let (pack, facts) = seed.split_once("\n---\n").unwrap();
        let pack = rulebook::read_pack("pack.toml", pack).unwrap();
        let facts: serde_json::Map<_, _> = serde_json::from_str(facts).unwrap();
        let is_answered = rulebook::question::ALL.iter().any(|question| {
            let mut known = rulebook::Facts::none(question.facts);
            for (name, value) in &facts {
                let _ = known.set(name, value);
            }
            let on = Some(jiff::civil::date(2026, 11, 28));
            let ruling = rulebook::decide(&pack, question, &known, on).unwrap();
            !ruling.answers.is_empty() || !ruling.duties.is_empty()
        });
        assert!(is_answered, "{} answers nothing", pack.id);
    }
}

#[test]
fn a_seed_that_is_cut_anywhere_or_has_a_letter_changed_is_survived() {
    for seed in inputs() {
        for at in (0..seed.len()).step_by(37) {
            packs::look_at(&seed.as_bytes()[..at]);
            let mut changed = seed.clone().into_bytes();
            changed[at] ^= 1 << (at % 7);
            packs::look_at(&changed);
        }
    }
}
