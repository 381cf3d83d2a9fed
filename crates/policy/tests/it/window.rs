//! The banner, as far as a shop sets it: what leads people to one answer is never published, and what is mended is.

use crate::{SHOP, TODAY, policy_of};
use policy::{Code, Effect, Rgb, Severity, WindowAnswer, check, diff, void_choices};

fn with(window: &str) -> String {
    format!("{SHOP}\n{window}")
}

/// The codes of errors.
fn errors(text: &str) -> Vec<Code> {
    let report = check(text, "shop.toml", TODAY);
    let errors = report.findings.iter().filter(|finding| finding.severity() == Severity::Error);
    errors.map(|finding| finding.code).collect()
}

/// A bad banner is refused by this code and no other, with the law behind it; the mended one is a policy.
#[track_caller]
fn is_refused_until_mended(code: Code, bad: &str, mended: &str) {
    let report = check(&with(bad), "shop.toml", TODAY);
    assert_eq!(errors(&with(bad)), [code], "{}", report.render(&policy::Options::default()));
    assert!(report.policy.is_none());
    let finding = report.findings.iter().find(|finding| finding.code == code).unwrap();
    let has_law = code == Code::Untranslated
        || finding.citations.iter().any(|citation| citation.law == "PIPL" || citation.law == "WCAG");
    assert!(has_law && finding.help.is_some(), "{finding:?}");
    assert_eq!(errors(&with(mended)), [], "mended");
}

const EQUAL: &str = r##"
[window.accept]
text = "#ffffff"
background = "#17604f"
[window.reject]
text = "#ffffff"
background = "#17604f"
"##;

#[test]
fn to_reject_takes_no_more_steps_than_to_accept() {
    let report = errors(&with("[window]\norder = [\"accept\", \"choose\"]"));
    assert_eq!(report, [Code::RejectSteps, Code::FirstLayer]);
    assert_eq!(errors(&with("[window]\norder = [\"accept\", \"reject\", \"choose\"]")), []);
}

#[test]
fn all_three_answers_stand_on_the_first_layer() {
    let good = "[window]\norder = [\"reject\", \"choose\", \"accept\"]";
    is_refused_until_mended(Code::FirstLayer, "[window]\norder = [\"choose\"]", good);
    is_refused_until_mended(Code::FirstLayer, "[window]\norder = [\"reject\", \"accept\"]", good);
}

#[test]
fn reject_is_never_last() {
    let good = "[window]\norder = [\"choose\", \"reject\", \"accept\"]";
    is_refused_until_mended(Code::RejectLast, "[window]\norder = [\"accept\", \"choose\", \"reject\"]", good);
}

#[test]
fn accept_and_reject_weigh_the_same() {
    for key in ["weight = \"strong\"", "size = \"large\""] {
        let good = format!("[window.accept]\n{key}\n[window.reject]\n{key}");
        is_refused_until_mended(Code::UnequalButtons, &format!("[window.accept]\n{key}"), &good);
        is_refused_until_mended(Code::UnequalButtons, &format!("[window.reject]\n{key}"), &good);
    }
}

#[test]
fn accept_and_reject_stand_out_equally() {
    let pale = EQUAL.replacen(
        "[window.reject]\ntext = \"#ffffff\"\nbackground = \"#17604f\"",
        "[window.reject]\ntext = \"#4d4d4d\"\nbackground = \"#fcf9f4\"",
        1,
    );
    assert!(errors(&with(&pale)).contains(&Code::UnequalButtons));
    let alone = "[window.accept]\ntext = \"#ffffff\"\nbackground = \"#17604f\"";
    is_refused_until_mended(Code::UnequalButtons, alone, EQUAL);
}

#[test]
fn every_button_can_be_read() {
    let grey = |text: &str| EQUAL.replace("#ffffff", text).replace("#17604f", "#ffffff");
    let report = errors(&with(&grey("#777777")));
    assert_eq!(report, [Code::Contrast, Code::Contrast], "4.48 to 1, on both");
    assert_eq!(errors(&with(&grey("#767676"))), [], "4.54 to 1");
    let choose = "[window.choose]\ntext = \"#ffff00\"\nbackground = \"#ffffff\"";
    is_refused_until_mended(Code::Contrast, choose, &choose.replace("#ffff00", "#000000"));
}

#[test]
fn accept_and_reject_are_equally_easy_to_read() {
    let bad = "[window.accept]\ntext = \"#000000\"\nbackground = \"#f1eade\"\n[window.reject]\ntext = \"#5b5449\"\nbackground = \"#f1eade\"";
    is_refused_until_mended(Code::Contrast, bad, &bad.replace("#5b5449", "#000000"));
}

#[test]
fn a_consent_is_never_switched_on_for_people() {
    is_refused_until_mended(Code::OnByDefault, "[window]\non = [\"marketing_email\"]", "[window]\non = []");
    is_refused_until_mended(Code::OnByDefault, "[window]\non = [\"account\"]", "[window]\non = []");
    let in_states = with("[window]\non = [\"marketing_email\"]")
        .replace("serves = [\"cn\", \"eu\", \"us-ca\"]", "serves = [\"us-ca\"]");
    assert_eq!(errors(&in_states), [], "where the law is one of opting out");
    assert_eq!(errors(&with("[window]\non = [\"marketing_emails\"]")), [Code::UnknownPurpose]);
}

#[test]
fn words_that_press_and_words_that_confuse_are_refused() {
    for (code, bad, mended) in [
        (Code::PressingWords, "No thanks, I prefer a worse experience", "Reject all"),
        (Code::PressingWords, "Ask me later", "Reject all"),
        (Code::DoubleNegative, "Do not refuse", "Accept all"),
    ] {
        let label = |said: &str| format!("[window.reject]\nlabel = {{ zh = \"全部拒绝\", en = \"{said}\" }}");
        is_refused_until_mended(code, &label(bad), &label(mended));
    }
    for (code, bad, mended) in [
        (Code::PressingWords, "不，我不想要更好的体验", "全部拒绝"),
        (Code::PressingWords, "以后再说", "不同意"),
        (Code::DoubleNegative, "不拒绝", "同意"),
    ] {
        let label =
            |said: &str| format!("[window.reject]\nlabel = {{ zh = \"{said}\", en = \"Reject all\" }}");
        is_refused_until_mended(code, &label(bad), &label(mended));
    }
}

#[test]
fn a_label_is_there_in_every_language() {
    let bad = "[window.reject]\nlabel = { en = \"Reject all\" }";
    is_refused_until_mended(
        Code::Untranslated,
        bad,
        "[window.reject]\nlabel = { zh = \"全部拒绝\", en = \"Reject all\" }",
    );
}

#[test]
fn a_window_is_what_its_file_says() {
    let as_it_comes = policy_of(SHOP).window;
    assert_eq!(as_it_comes.order, [WindowAnswer::Accept, WindowAnswer::Reject, WindowAnswer::Choose]);
    assert!(as_it_comes.on.is_empty() && as_it_comes.reject.label.is_none());
    let text = with(&format!("[window]\norder = [\"reject\", \"accept\", \"choose\"]\n{EQUAL}"));
    let window = policy_of(&text).window;
    assert_eq!(window.order, [WindowAnswer::Reject, WindowAnswer::Accept, WindowAnswer::Choose]);
    assert_eq!(window.accept.colours, Some((Rgb::new(255, 255, 255), Rgb::new(0x17, 0x60, 0x4f))));
}

#[test]
fn another_look_is_a_change_that_voids_nothing() {
    let changes = diff(&policy_of(SHOP), &policy_of(&with(EQUAL)));
    let ids: Vec<String> = changes.iter().map(|change| change.code.to_string()).collect();
    assert_eq!(ids, ["SR-DIF-080"]);
    assert!(changes[0].effect == Effect::Neutral && void_choices(&changes).is_empty());
}

#[test]
fn a_switch_that_is_on_before_anybody_touched_it_lets_more_happen() {
    let states = |text: &str| text.replace("serves = [\"cn\", \"eu\", \"us-ca\"]", "serves = [\"us-ca\"]");
    let (old, new) = (states(SHOP), states(&with("[window]\non = [\"marketing_email\"]")));
    let changes = diff(&policy_of(&old), &policy_of(&new));
    assert_eq!(changes.len(), 1);
    assert!(changes[0].is_material() && changes[0].after == "marketing_email");
}
