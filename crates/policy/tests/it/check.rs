//! The check, on policies that are broken on purpose. `tests/broken/NNN-what.toml` shows chiefly `SR-POL-NNN`, and
//! `NNN-what.txt` is what a person sees. After a change that is meant, move the `.new` files over the `.txt` ones.

use crate::{SHOP, TODAY};
use policy::{Code, Colour, LARGEST_FILE, MOST_FINDINGS, Options, Report, Severity, check};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken")
}

fn broken() -> Vec<(String, String)> {
    crate::policies_of(&folder())
}

fn codes(report: &Report) -> Vec<Code> {
    report.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn every_broken_policy_looks_as_approved() {
    let rendered = |text: &str| check(text, "shop.toml", TODAY).render(&Options::default());
    let shown = |(name, text): (String, String)| (format!("{name}.txt"), rendered(&text));
    crate::look_as_approved(&folder(), broken().into_iter().map(shown));
}

#[test]
fn every_broken_policy_shows_the_code_it_is_named_after_first() {
    for (name, text) in broken() {
        let report = check(&text, "shop.toml", TODAY);
        let first = report.findings.first().map(|finding| finding.code.id());
        assert_eq!(first, Some(format!("SR-POL-{}", &name[..3])), "{name}");
    }
}

#[test]
fn every_code_is_shown_by_some_broken_policy() {
    let mut shown: BTreeSet<Code> =
        broken().iter().flat_map(|(_, text)| codes(&check(text, "shop.toml", TODAY))).collect();
    shown.extend(codes(&check(&" ".repeat(LARGEST_FILE + 1), "shop.toml", TODAY)));
    // Those of law are shown by `tests/unlawful`.
    let own = Code::ALL.iter().filter(|code| **code < Code::NoPack);
    let missing: Vec<_> = own.filter(|code| !shown.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_policy_comes_out_exactly_when_no_finding_is_an_error() {
    for (name, text) in broken() {
        let report = check(&text, "shop.toml", TODAY);
        assert_eq!(report.policy.is_some(), report.count(Severity::Error) == 0, "{name}");
    }
}

#[test]
fn every_finding_says_how_to_mend_it() {
    for (name, text) in broken() {
        for finding in check(&text, "shop.toml", TODAY).findings {
            // TOML's own faults say what they expect in the message.
            let told = finding.help.is_some() || matches!(finding.code, Code::Syntax | Code::WrongType);
            assert!(told && !finding.labels.is_empty(), "{name}: {}", finding.message);
        }
    }
}

#[test]
fn messages_are_written_as_the_house_writes_them() {
    for (name, text) in broken() {
        for finding in check(&text, "shop.toml", TODAY).findings {
            let first = finding.message.chars().next().unwrap();
            assert!(!first.is_uppercase() && !finding.message.ends_with('.'), "{name}: {}", finding.message);
            assert!(
                finding.help.as_ref().is_none_or(|help| !help.ends_with('.')),
                "{name}: {:?}",
                finding.help
            );
        }
    }
}

#[test]
fn places_lie_within_the_text() {
    for (name, text) in broken() {
        for label in check(&text, "shop.toml", TODAY).findings.iter().flat_map(|finding| &finding.labels) {
            assert!(text.get(label.at.start..label.at.end).is_some(), "{name}: {label:?}");
        }
    }
}

#[test]
fn nothing_hidden_in_a_file_reaches_the_terminal() {
    let text = "format = 1\n# \u{1b}[2J \u{202e}\u{85}\nshop = \u{1b}]0;x\u{7}\r\n";
    let report = check(text, "a\u{1b}b.toml", TODAY);
    for width in [40, 100] {
        let rendered = report.render(&Options { colour: Colour::None, width });
        let hidden = rendered.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(hidden, None, "{rendered:?}");
    }
}

#[test]
fn a_narrow_terminal_gets_lines_of_text() {
    let text = SHOP.replace("basis = \"consent\"", "basis = \"contract\"");
    let rendered = check(&text, "shop.toml", TODAY).render(&Options { colour: Colour::None, width: 40 });
    let expected = "error[SR-POL-062] shop.toml:154:8\n  `marketing_email` rests on `contract`, which nobody can withdraw\n  \
                    not a consent: shop.toml:151:9\n  help: say how long: a period after an event, such as `2y after \
                    collected`\n  law: PIPL 19, GDPR 5(1)(e) (unverified)\n";
    assert!(rendered.starts_with(expected), "{rendered}");
    assert!(!rendered.contains('│'));
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let report = check("format = 2", "shop.toml", TODAY);
    assert!(!report.render(&Options { colour: Colour::None, width: 80 }).contains('\u{1b}'));
    assert!(report.render(&Options { colour: Colour::Ansi, width: 80 }).contains('\u{1b}'));
}

#[test]
fn the_same_file_gives_the_same_report() {
    for (_, text) in broken() {
        let (a, b) = (check(&text, "shop.toml", TODAY), check(&text, "shop.toml", TODAY));
        assert_eq!(a.render(&Options::default()), b.render(&Options::default()));
        assert_eq!(a.to_json().to_string(), b.to_json().to_string());
    }
}

#[test]
fn json_tells_places_in_bytes_and_in_lines() {
    let text = SHOP.replace("zone = \"Asia/Shanghai\"", "zone = \"Asia/Shangai\"");
    let json = check(&text, "shop.toml", TODAY).to_json();
    let finding = &json["findings"][0];
    assert_eq!((&json["ok"], &finding["code"]), (&false.into(), &"SR-POL-020".into()));
    assert_eq!(
        (&finding["severity"], &finding["help"]),
        (&"error".into(), &"did you mean `Asia/Shanghai`?".into())
    );
    let span = &finding["spans"][0];
    let at = text.find("\"Asia/Shangai\"").unwrap();
    assert_eq!((&span["start"], &span["end"]), (&at.into(), &(at + 14).into()));
    assert_eq!((&span["line"], &span["column"], &span["end_column"]), (&16.into(), &8.into(), &22.into()));
}

#[test]
fn json_carries_the_law_with_its_confidence() {
    let text = SHOP.replace("keep = \"30d after customer.closed\"\n", "");
    let json = check(&text, "shop.toml", TODAY).to_json();
    let citation = &json["findings"][0]["citations"][1];
    assert_eq!(
        *citation,
        serde_json::json!({ "law": "GDPR", "article": "5(1)(e)", "in_force": "2018-05-25", "confidence": "unverified" })
    );
}

#[test]
fn a_file_with_a_thousand_mistakes_is_told_in_good_time() {
    let names: Vec<String> = (0..40_000).map(|number| format!("\"marketing_emial{number}\"")).collect();
    let text = SHOP.replace("purposes = [\"delivery\"]", &format!("purposes = [{}]", names.join(",")));
    assert!(text.len() < LARGEST_FILE);
    let report = check(&text, "shop.toml", TODAY);
    assert!(report.findings.len() <= MOST_FINDINGS && report.policy.is_none());
}

#[test]
fn one_misspelt_name_is_one_mistake() {
    let recipient = check(
        &SHOP.replace("recipients = [\"sf-express\"]", "recipients = [\"sf-expres\"]"),
        "shop.toml",
        TODAY,
    );
    assert_eq!(codes(&recipient), [Code::UnknownRecipient]);
    let field = check(
        &SHOP.replace("\"invoice_title\", optional", "\"invoice_titel\", optional"),
        "shop.toml",
        TODAY,
    );
    assert_eq!(codes(&field), [Code::UnknownField]);
}

#[test]
fn limits_hold_at_their_last_entry() {
    let roles = |count: usize| {
        let role = |number| {
            format!("[role.r{number}]\nlabel = {{ zh = \"甲\", en = \"a\" }}\npurposes = [\"tax\"]\n")
        };
        SHOP.to_owned() + &(0..count).map(role).collect::<String>()
    };
    assert!(check(&roles(policy::MOST_ROLES - 4), "shop.toml", TODAY).policy.is_some());
    assert_eq!(codes(&check(&roles(policy::MOST_ROLES - 3), "shop.toml", TODAY)), [Code::TooMany]);
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_no_mistake() {
    let text = format!("\u{feff}{}", SHOP.replace('\n', "\r\n"));
    assert!(check(&text, "shop.toml", TODAY).findings.is_empty());
}

#[test]
fn a_fault_inside_a_text_with_escapes_marks_all_of_it() {
    let text = SHOP.replace("\"90d after order.delivered\"", "\"90days after order\\u002edelivered\"");
    let report = check(&text, "shop.toml", TODAY);
    let at = report.findings[0].labels[0].at;
    assert_eq!(&text[at.start..at.end], "\"90days after order\\u002edelivered\"");
}
