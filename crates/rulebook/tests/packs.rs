//! The packs that are built in: each can be read, has nothing that the lint finds, and answers its scenarios.

#![cfg(test)]

use rulebook::{FILES, Pack, built_in, lint, read_pack};

#[test]
fn every_pack_can_be_read_and_says_nothing_in_vain() {
    for files in FILES {
        let pack = files.read().unwrap_or_else(|bad| panic!("{bad}"));
        assert_eq!(pack.id, files.id);
        let found: Vec<String> =
            lint(&format!("packs/{}/pack.toml", files.id), &pack).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
    assert!(built_in().bad.is_empty());
}

#[test]
fn every_pack_answers_its_scenarios() {
    let mut differs = Vec::new();
    for files in FILES {
        let Ok(pack) = files.read() else { continue };
        for scenario in files.scenarios().unwrap_or_else(|bad| panic!("{bad}")) {
            for what in scenario.differs(&pack) {
                differs.push(format!("{}: {}: {what}", files.id, scenario.name));
            }
        }
    }
    assert!(differs.is_empty(), "\n{}", differs.join("\n"));
}

#[test]
fn every_pack_keeps_a_changelog_of_the_law() {
    for files in FILES {
        assert!(files.changelog.starts_with("# "), "{} has no changelog", files.id);
    }
}

// Was counted twice, and came out as another word.
#[test]
fn a_word_that_is_said_twice_is_said_once() {
    let once = "says = { required = [\"registered_mobile\", ";
    let pack = FILES[0].pack.replacen(once, &format!("{once}\"registered_mobile\", "), 1);
    assert_ne!(pack, FILES[0].pack);
    let (twice, once) = (read_pack("twice.toml", &pack).unwrap(), FILES[0].read().unwrap());
    let said = |pack: &Pack| pack.rules.iter().map(|rule| rule.says.clone()).collect::<Vec<_>>();
    assert_eq!(said(&twice), said(&once));
}
