//! The policy meets the law. `tests/unlawful/NNN-what.toml` shows chiefly `SR-POL-NNN`, and `NNN-what.txt` is what a person
//! sees. After a change that is meant, move the `.new` files over the `.txt` ones.

use policy::{Code, Options, Report, Severity, check, check_lawful};
use rulebook::Pack;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::TODAY;

const CROSS_BORDER: &str = include_str!("../../../../examples/cross-border/shop.toml");
const ZH_SHOP: &str = include_str!("../../../../examples/zh-shop/shop.toml");
const ADVENTURE_WORKS: &str = include_str!("../../../../examples/adventureworks/shop.toml");
const LAWFUL: &str = include_str!("../unlawful/000-lawful.toml");

fn packs() -> Vec<&'static Pack> {
    rulebook::built_in().packs.clone()
}

fn lawful(text: &str) -> Report {
    check_lawful(text, "shop.toml", TODAY, &packs())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/unlawful")
}

fn unlawful() -> Vec<(String, String)> {
    crate::policies_of(&folder())
}

/// The base of the folder, with one thing said otherwise.
fn with(from: &str, to: &str) -> String {
    assert!(LAWFUL.contains(from), "{from}");
    LAWFUL.replacen(from, to, 1)
}

fn codes(report: &Report) -> Vec<Code> {
    report.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn the_examples_have_nothing_to_find_fault_with_under_any_law_that_applies() {
    for text in [crate::SHOP, CROSS_BORDER, ZH_SHOP, ADVENTURE_WORKS] {
        let report = lawful(text);
        assert_eq!(report.render(&Options::default()), "shop.toml: nothing to find fault with\n");
        assert!(report.policy.is_some() && !report.tasks.is_empty());
    }
}

#[test]
fn every_unlawful_policy_looks_as_approved() {
    let shown =
        |(name, text): (String, String)| (format!("{name}.txt"), lawful(&text).render(&Options::default()));
    crate::look_as_approved(&folder(), unlawful().into_iter().map(shown));
}

#[test]
fn every_unlawful_policy_shows_the_code_it_is_named_after_and_no_other() {
    for (name, text) in unlawful() {
        let found: BTreeSet<String> = codes(&lawful(&text)).iter().map(|code| code.id()).collect();
        let expected = if name.starts_with("000") { vec![] } else { vec![format!("SR-POL-{}", &name[..3])] };
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{name}");
        assert!(check(&text, "shop.toml", TODAY).policy.is_some(), "{name}: what is unlawful is no error");
    }
}

#[test]
fn every_code_of_law_is_shown_by_some_unlawful_policy() {
    let shown: BTreeSet<Code> = unlawful().iter().flat_map(|(_, text)| codes(&lawful(text))).collect();
    let of_law = Code::ALL.iter().filter(|code| **code >= Code::NoPack);
    let missing: Vec<_> = of_law.filter(|code| !shown.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_mended_as_the_finding_says_is_found_no_more() {
    for (from, wrong, right) in [
        ("basis = \"consent\"", "basis = \"contract\"", "basis = \"consent\""),
        ("minors = \"not_served\"\n", "", "minors = \"not_served\"\n"),
        (
            "kept_in = \"cn\"\n",
            "kept_in = \"cn\"\nestablished_in = \"us\"\n",
            "kept_in = \"cn\"\nestablished_in = \"us\"\nrepresentative.cn = { name = \"A\", contact = \"b@c.example\" }\n",
        ),
    ] {
        let wrong = with(from, wrong).replace("keep = \"until withdrawn\"", "keep = \"1y after collected\"");
        assert!(!lawful(&wrong).findings.is_empty(), "{from}");
        assert_eq!(codes(&lawful(&with(from, right))), [], "{right}");
    }
}

#[test]
fn the_law_of_the_day_is_asked() {
    // The standard contract and certification of Order 16 came on 22 March 2024; the Personal Information Protection Law on 1 November 2021.
    let text = with("basis = \"contract\"", "basis = \"legitimate_interest\"");
    let on = |day| codes(&check_lawful(&text, "shop.toml", day, &packs()));
    assert!(!on(jiff::civil::date(2021, 10, 31)).contains(&Code::NoGround));
    assert!(on(jiff::civil::date(2021, 11, 1)).contains(&Code::NoGround));
}

#[test]
fn without_packs_nothing_of_law_is_said_but_that() {
    let report = check_lawful(LAWFUL, "shop.toml", TODAY, &[]);
    assert_eq!(codes(&report), [Code::NoPack]);
    assert!(report.tasks.is_empty() && report.count(Severity::Unlawful) == 0);
}

#[test]
fn a_broken_policy_is_not_asked_about() {
    let report = lawful(&with("format = 1", "format = 2"));
    assert!(
        report.policy.is_none()
            && report.findings.iter().all(|finding| finding.severity() == Severity::Error)
    );
}

#[test]
fn what_several_laws_say_alike_is_one_finding_with_all_their_articles() {
    let text = with("serves = [\"cn\"]", "serves = [\"cn\", \"sg\", \"uk\", \"eu\"]")
        .replace("minors = \"not_served\"\n", "");
    let report = lawful(&text);
    let minors: Vec<_> =
        report.findings.iter().filter(|finding| finding.code == Code::MinorsUnsaid).collect();
    assert_eq!(minors.len(), 1);
    let packs: BTreeSet<&str> = minors[0].laws.iter().map(|law| law.pack.as_str()).collect();
    assert!(packs.is_superset(&["cn", "eu", "uk"].into()), "{packs:?}");
}

#[test]
fn a_sale_of_which_no_law_that_applies_speaks_is_still_warned_of() {
    let sold = "agreement = { signed = 2026-03-01 }";
    let text = with(sold, &format!("{sold}\nconsideration = \"sale\"")).replace("\"cn\"", "\"jp\"");
    let text = text.replace("region = \"jp\"", "region = \"cn\"");
    assert!(codes(&check(&text, "shop.toml", TODAY)).contains(&Code::Sale));
    let report = lawful(&text);
    let of_law = report
        .findings
        .iter()
        .any(|finding| finding.code >= Code::NoPack && finding.message.contains("sale"));
    assert!(of_law || codes(&report).contains(&Code::Sale), "{}", report.render(&Options::default()));
}

#[test]
fn what_only_a_withdrawal_ends_is_kept_longer_than_a_rule_allows_and_a_cap_ends_it() {
    let market = with("persons = 20_000", "sells_on = [\"own\", \"amazon\"]\npersons = 20_000")
        .replace("[record.customer]", "[record.customer]\nis = [\"order_personal_data\"]")
        .replace("keep = \"90d after", "keep = \"20d after");
    assert_eq!(codes(&lawful(&market)), [Code::KeptTooLong], "the newsletter, until withdrawn");
    let capped = market.replace(
        "keep = \"until withdrawn\"",
        "keep = \"until withdrawn\"\nat_most = \"30d after collected\"",
    );
    assert_eq!(codes(&lawful(&capped)), []);
}

#[test]
fn an_assessment_that_was_made_is_no_task_any_more() {
    let asks = |text: &str| lawful(text).tasks.iter().any(|task| task.act == "assess");
    assert!(asks(LAWFUL));
    assert!(!asks(
        &with("recipients = [\"courier\"]", "recipients = [\"courier\"]\nassessed = 2026-10-01")
            .replace("keep = \"until withdrawn\"", "keep = \"until withdrawn\"\nassessed = 2026-10-01")
    ));
}

#[test]
fn every_task_has_a_name_in_both_languages() {
    let texts = [crate::SHOP, CROSS_BORDER, ZH_SHOP, ADVENTURE_WORKS].map(str::to_owned);
    for text in texts.into_iter().chain(unlawful().into_iter().map(|(_, text)| text)) {
        for task in lawful(&text).tasks {
            assert!(!task.name.en.is_empty() && !task.name.zh.is_empty(), "{}", task.act);
        }
    }
}

#[test]
fn a_law_that_joins_another_is_told_by_itself_on_its_day() {
    // PIPL is in force, and the law of India comes in May 2027: minors are the same finding under both.
    let text =
        with("serves = [\"cn\"]", "serves = [\"cn\", \"in\"]").replace("minors = \"not_served\"\n", "");
    let turns = policy::turns(&text, "shop.toml", TODAY, &packs());
    let told: Vec<_> =
        turns.iter().flat_map(|turn| &turn.findings).filter(|one| one.code == Code::MinorsUnsaid).collect();
    assert!(
        !told.is_empty() && told.iter().all(|one| one.laws.iter().all(|law| law.pack == "in")),
        "{told:?}"
    );
    assert!(turns.iter().flat_map(|turn| &turn.mended).all(|one| one.code != Code::MinorsUnsaid));
}

#[test]
fn a_change_of_the_shop_itself_brings_every_notice_up_to_date() {
    let (old, new) = (
        crate::policy_of(CROSS_BORDER),
        crate::policy_of(&CROSS_BORDER.replace("kept_in = \"cn\"", "kept_in = \"sg\"")),
    );
    let under = policy::diff_lawful(&new, &policy::diff(&old, &new), &packs(), TODAY);
    assert!(
        under.iter().any(|law| law.pack == "cn" && law.owed.iter().any(|due| due.act == "update")),
        "{under:?}"
    );
    assert!(policy::diff_lawful(&old, &[], &packs(), TODAY).is_empty());
}

#[test]
fn a_report_is_json_with_the_rules_it_rests_on() {
    let json = lawful(&with("basis = \"contract\"", "basis = \"legitimate_interest\"")).to_json();
    let law = &json["findings"][0]["laws"][0];
    assert_eq!(
        (law["pack"].as_str(), law["law"].as_str(), law["article"].as_str()),
        (Some("cn"), Some("PIPL"), Some("13"))
    );
    assert_eq!(
        (law["in_force"].as_str(), law["confidence"].as_str()),
        (Some("2021-11-01"), Some("verified"))
    );
    assert_eq!(json["counts"]["unlawful"], 1);
}
