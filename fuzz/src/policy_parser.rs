//! Any text at all: the check says something sensible about it and never panics; and if it is a policy, everything
//! that follows from a policy works: the law that it is held against, ordinals, the table, the gate, retention, differences,
//! masks, the record of processing, the notice in each language, other tools' words.
//!
//! The fuzz target and the test that replays the corpus share this file.

use policy::{
    Act, ActSet, Answer, Colour, Facts, FieldMask, Flow, Given, Life, Options, Policy, PurposeSet, Registry,
    Severity, Standing,
};

/// One input.
pub(crate) fn look_at(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let report = policy::check(text, "shop.toml", jiff::civil::date(2026, 11, 22));
    assert_eq!(report.policy.is_some(), report.count(Severity::Error) == 0);
    for finding in &report.findings {
        assert!(!finding.labels.is_empty());
        assert!(finding.labels.iter().all(|label| text.get(label.at.start..label.at.end).is_some()));
    }
    // Drawing costs far more than checking; most runs can do without.
    let drawn = [(Colour::None, 100), (Colour::Ansi, 60), (Colour::None, 20)];
    if let Some((colour, width)) = drawn.get(data.len() % 16) {
        let rendered = report.render(&Options { colour: *colour, width: *width });
        assert!(*colour == Colour::Ansi || !rendered.contains('\u{1b}'));
    }
    assert_eq!(report.to_json()["findings"].as_array().map(Vec::len), Some(report.findings.len()));
    if let Some(policy) = report.policy {
        meet_the_law(text);
        follow(&policy, data);
    }
}

fn meet_the_law(text: &str) {
    let packs: Vec<&rulebook::Pack> = rulebook::built_in().packs.clone();
    let report = policy::check_lawful(text, "shop.toml", jiff::civil::date(2026, 11, 22), &packs);
    let policy = report.policy.as_ref().expect("what a law says makes no policy a broken one");
    for finding in &report.findings {
        assert!(finding.labels.iter().all(|label| text.get(label.at.start..label.at.end).is_some()));
        assert!(finding.severity() != Severity::Unlawful || !finding.laws.is_empty());
    }
    assert!(policy::diff_lawful(policy, &[], &packs, jiff::civil::date(2026, 11, 22)).is_empty());
    let record = policy::record::Record::of(
        policy,
        policy::record::Law::Cn,
        policy::record::Language::Zh,
        jiff::civil::date(2026, 11, 22),
    );
    assert!(record.to_html().contains("</html>"));
    notices(policy, &packs);
    assert!(policy::dpv::json_ld(policy).is_object() && policy::fideslang(policy).is_object());
}

fn notices(policy: &Policy, packs: &[&rulebook::Pack]) {
    let mut before = None;
    for language in &policy.shop.languages {
        let on = jiff::civil::date(2026, 11, 22);
        let edition = policy::notice::Edition::default();
        let made = policy::notice::Notice::of(policy, language, &edition, packs, on);
        let notice = made.expect("every language that a shop lists has a notice");
        assert!(notice.to_html_page().contains("</html>") && !notice.to_text().is_empty());
        assert!(policy::notice::differences(&notice, &notice).is_empty());
        // Two languages share next to nothing: the hardest that there is to compare.
        if let Some(before) = before.replace(notice.clone()) {
            assert!(!policy::notice::differences(&before, &notice).to_html_fragment().is_empty());
        }
    }
}

fn follow(policy: &Policy, data: &[u8]) {
    assert!(policy::diff(policy, policy).is_empty());
    let registry = Registry::default().extended_by(policy).expect("an empty registry takes every policy");
    assert_eq!(Registry::from_json(&registry.to_json()).as_ref(), Ok(&registry));
    assert_eq!(registry.extended_by(policy).as_ref(), Ok(&registry));
    let compiled = policy::compile(policy, &registry).expect("the registry was extended by this policy");

    // Instants anywhere, from the bytes at hand.
    let instants: Vec<i64> = data
        .chunks_exact(8)
        .take(8)
        .filter_map(|eight| Some(i64::from_le_bytes(eight.try_into().ok()?)))
        .collect();
    let events: Vec<(u8, i64)> = (0..64).zip(instants.iter().copied().cycle()).collect();
    let children: Vec<(u8, u8, i64)> =
        events.iter().flat_map(|(event, at)| (0..4).map(move |kind| (kind, *event, *at))).collect();
    let now = instants.last().copied().unwrap_or(0);
    for kind in compiled.kinds() {
        for (granted, standing) in
            [(PurposeSet::ALL, Standing::Present), (PurposeSet::EMPTY, Standing::Erased)]
        {
            let life =
                Life { events: &events, children: &children, granted, refused: PurposeSet::EMPTY, standing };
            let layout = compiled.layout(kind.ordinal(), FieldMask::ALL, &life, now);
            let rest = layout.without_purpose.or(layout.ended);
            assert_eq!(layout.groups.iter().fold(rest, |all, group| all.or(group.fields)), FieldMask::ALL);
            let ended = compiled.ended_purposes(kind.ordinal(), &life, now);
            let facts = Facts {
                acts: ActSet::ALL,
                purposes: PurposeSet::ALL,
                granted,
                standing,
                ended,
                ..Facts::default()
            };
            for act in [Act::Collect, Act::Reveal, Act::Search, Act::Share] {
                for purpose in compiled.purposes() {
                    let recipient = purpose.recipients.first();
                    let flow = Flow {
                        act,
                        kind: kind.ordinal(),
                        fields: FieldMask::ALL,
                        purpose: Some(purpose.ordinal),
                        recipient,
                    };
                    let decision = policy::decide(&compiled, &facts, &flow);
                    assert!(decision.fields.is_subset_of(&kind.declared()));
                    assert!(decision.answer == Answer::Yes || decision.fields.is_empty());
                }
            }
        }
        let text = String::from_utf8_lossy(data.get(..64).unwrap_or(data));
        for field in kind.fields() {
            if let Ok(value) = field.canonical(Given::Text(&text)) {
                assert_eq!(field.canonical(Given::Text(&value)).as_ref(), Ok(&value));
                let _ = field.mask.map(|mask| mask.apply(&value));
            }
        }
    }
}
