//! Replays what the fuzzer starts from, so that it holds where no fuzzer is installed.

#[expect(clippy::expect_used, reason = "a fuzz target stops at the first thing that is not as it says")]
#[path = "../../../../fuzz/src/policy_parser.rs"]
mod policy_parser;

#[test]
fn every_input_of_the_corpus_and_every_cut_of_the_example_is_survived() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/policy_parser");
    let inputs: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(inputs.len() > 50, "the corpus has {} inputs", inputs.len());
    for input in &inputs {
        policy_parser::look_at(input);
    }
    for cut in (0..crate::SHOP.len()).step_by(97) {
        policy_parser::look_at(&crate::SHOP.as_bytes()[..cut]);
    }
}
