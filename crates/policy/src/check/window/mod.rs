//! The banner, as far as a shop sets it: does anything in it lead people to one answer?
//!
//! LAW: to refuse is as easy as to accept (PIPL 15 and 16, GDPR 7(3), 11 CCR 7004); SOURCE: EDPB Guidelines 03/2022. How sure we
//! are of each stands beside it in `law.rs`.

mod phrases;

use super::{Checked, listing};
use crate::code::Code;
use crate::colour::{Colour, LEAST_CONTRAST};
use crate::draft::{DraftButton, DraftPurpose, DraftWindow};
use crate::finding::{Finding, Sink};
use crate::law;
use crate::read::table::S;
use crate::text::quoted;
use crate::words::{Basis, WindowAnswer as Answer};
use phrases::Fault;

pub(super) fn check(checked: &Checked<'_>, sink: &mut Sink) {
    let Some(window) = &checked.draft.window else { return };
    order(window, sink);
    for (answer, button) in window.buttons() {
        words(answer, button, sink);
        pair_of_colours(answer, button, sink);
        readable(answer, button, sink);
    }
    alike(window, sink);
    defaults(checked, window, sink);
}

/// Steps, layers, places.
fn order(window: &DraftWindow, sink: &mut Sink) {
    let Some(order) = &window.order else { return };
    let has = |answer: Answer| order.value.contains(&answer);
    // What is not on the first layer is behind `choose`, where it is set and saved.
    let steps = |answer: Answer| if has(answer) { 1 } else { 2 };
    let (accept, reject) = (steps(Answer::Accept), steps(Answer::Reject));
    if reject > accept {
        let message = format!("to reject takes {reject} steps, and to accept takes {accept}");
        let finding = Finding::new(Code::RejectSteps, order.at, message);
        sink.add(
            finding
                .help("put `reject` into `order`: whoever says no must not have to do more")
                .cite(law::SYMMETRY),
        );
    }
    let missing: Vec<&str> =
        Answer::ALL.iter().filter(|answer| !has(**answer)).map(|answer| answer.as_str()).collect();
    if !missing.is_empty() {
        let message = format!("the first layer lacks {}", listing(missing.iter().copied()));
        let finding = Finding::new(Code::FirstLayer, order.at, message);
        sink.add(
            finding
                .help("name all three, as in `order = [\"accept\", \"reject\", \"choose\"]`")
                .cite(law::SYMMETRY),
        );
    }
    if order.value.get(2) == Some(&Answer::Reject) {
        let finding = Finding::new(Code::RejectLast, order.at, "`reject` comes last");
        let help = "put it first or second: who reads on a telephone sees the first two at once";
        sink.add(finding.help(help).cite(law::SYMMETRY));
    }
}

/// What a button says.
fn words(answer: Answer, button: &DraftButton, sink: &mut Sink) {
    let Some(label) = &button.label else { return };
    for (language, said) in label.value.iter() {
        let Some(fault) = phrases::fault(answer, said) else { continue };
        let said = quoted(said);
        let (code, message, help, laws) = match fault {
            Fault::Presses(phrase) => (
                Code::PressingWords,
                format!("`{said}` (`{language}`) presses people, by `{phrase}`"),
                "say what the button does, and nothing else: `Reject all`, `全部拒绝`",
                law::DARK_PATTERNS,
            ),
            Fault::DoubleNegative => (
                Code::DoubleNegative,
                format!("`{said}` (`{language}`) says no twice"),
                "say it without turning it over: `Do not allow` instead of `Do not refuse`, `同意` instead of `不拒绝`",
                law::DARK_PATTERNS,
            ),
        };
        sink.add(Finding::new(code, label.at, message).help(help).cite(laws));
    }
}

/// One colour without the other cannot be judged.
fn pair_of_colours(answer: Answer, button: &DraftButton, sink: &mut Sink) {
    let (has, lacks, at) = match (&button.text, &button.background) {
        (Some(text), None) => ("text", "background", text.at),
        (None, Some(background)) => ("background", "text", background.at),
        _ => return,
    };
    // A colour that could not be read has its finding, and is missing here.
    if sink.failed() {
        return;
    }
    let message = format!("`window.{answer}` has a colour of its `{has}`, and none of its `{lacks}`");
    sink.add(
        Finding::new(Code::MissingKey, at, message)
            .help(format!("add `{lacks} = \"#…\"`, or leave both out")),
    );
}

/// Can its text be read?
fn readable(answer: Answer, button: &DraftButton, sink: &mut Sink) {
    let (Some(text), Some(background)) = (&button.text, &button.background) else { return };
    let contrast = text.value.contrast(background.value);
    if contrast < LEAST_CONTRAST {
        let message = format!("`window.{answer}` has a contrast of {} to 1", shown(contrast));
        let finding = Finding::new(Code::Contrast, text.at, message).also(background.at, "on this");
        sink.add(
            finding
                .help("text is read from 4.5 to 1 on: make one of the two darker or lighter")
                .cite(law::CONTRAST),
        );
    }
}

/// Do accept and reject weigh the same?
fn alike(window: &DraftWindow, sink: &mut Sink) {
    let (accept, reject) = (&window.accept, &window.reject);
    let at = reject.at.or(accept.at).unwrap_or(window.at);
    let help = "give `accept` and `reject` the same, or leave it out of both";
    let mut unequal = |message: String| {
        sink.add(Finding::new(Code::UnequalButtons, at, message).help(help).cite(law::SYMMETRY));
    };
    if accept.weight() != reject.weight() {
        unequal(format!(
            "`accept` has the weight `{}`, and `reject` has `{}`",
            accept.weight(),
            reject.weight()
        ));
    }
    if accept.size() != reject.size() {
        unequal(format!("`accept` has the size `{}`, and `reject` has `{}`", accept.size(), reject.size()));
    }
    match (colours(accept), colours(reject)) {
        (Some((accept_text, accept_ground)), Some((text, ground))) => {
            if let Some((one, two)) = stand_out(accept_ground.value, ground.value) {
                let (one, two) = (shown(one), shown(two));
                unequal(format!("`accept` stands out from the banner by {one} to 1, and `reject` by {two}"));
            }
            let (one, two) =
                (accept_text.value.contrast(accept_ground.value), text.value.contrast(ground.value));
            if !are_near(one, two) {
                let (one, two) = (shown(one), shown(two));
                let message = format!("`accept` has a contrast of {one} to 1, and `reject` of {two}");
                let finding = Finding::new(Code::Contrast, text.at, message).also(accept_text.at, "accept");
                sink.add(finding.help("bring both within 5 % of each other").cite(law::SYMMETRY));
            }
        }
        (None, None) => {}
        (Some(_), None) => unequal("`accept` has colours of its own, and `reject` has none".to_owned()),
        (None, Some(_)) => unequal("`reject` has colours of its own, and `accept` has none".to_owned()),
    }
}

fn colours(button: &DraftButton) -> Option<(&S<Colour>, &S<Colour>)> {
    button.text.as_ref().zip(button.background.as_ref())
}

/// How far each of two backgrounds stands out from the banner, where that differs: on its light paper, else on its dark one.
fn stand_out(accept: Colour, reject: Colour) -> Option<(f64, f64)> {
    let on = |paper: Colour| (accept.contrast(paper), reject.contrast(paper));
    PAPERS.into_iter().map(on).find(|(one, two)| !are_near(*one, *two))
}

/// The banner's own colours, light and dark.
///
/// SOURCE: `--sr-paper` in window/src/strongroom.css; a test holds both together.
pub(crate) const PAPERS: [Colour; 2] = [Colour::new(0xfc, 0xf9, 0xf4), Colour::new(0x23, 0x20, 0x1c)];

/// Are two ratios within 5 % of each other?
fn are_near(one: f64, two: f64) -> bool {
    let (less, more) = (one.min(two), one.max(two));
    (more - less) / more <= 0.05
}

fn shown(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// Which switches are on before anybody touched them?
fn defaults(checked: &Checked<'_>, window: &DraftWindow, sink: &mut Sink) {
    for name in &window.on {
        let Some((purpose, is_sensitive)) = find_purpose(checked, name.value.as_str()) else {
            let known = checked.draft.purposes.iter().map(|purpose| purpose.name.value.as_str());
            let message = format!("there is no purpose `{}`", name.value);
            let help = || "declare it, or take it out of `on`".to_owned();
            let finding = super::with_meant(
                Finding::new(Code::UnknownPurpose, name.at, message),
                name.value.as_str(),
                known,
                help,
                sink,
            );
            sink.add(finding);
            continue;
        };
        let Some(basis) = purpose.basis.as_ref().map(|basis| basis.value) else { continue };
        let Some(why) = why_not(checked, basis, is_sensitive) else { continue };
        let message = format!("the switch of `{}` is on before anybody touched it, {why}", name.value);
        let at = purpose.basis.as_ref().map_or(purpose.name.at, |basis| basis.at);
        let finding = Finding::new(Code::OnByDefault, name.at, message).also(at, "rests on this");
        sink.add(finding.help("take it out of `on`: silence is no consent").cite(law::PRE_TICKED));
    }
}

/// Why a switch must not be on by default; `None` where it may.
///
/// A consent may be where every law is one of opting out: in states of the USA.
fn why_not(checked: &Checked<'_>, basis: Basis, is_sensitive: bool) -> Option<&'static str> {
    let is_of_us = |place: &str| place == "us" || place.starts_with("us-");
    let opts_out = checked.draft.shop.serves.iter().all(|place| is_of_us(place.value.as_str()));
    match basis {
        Basis::SeparateConsent => Some("and it rests on a consent of its own"),
        Basis::Consent if !opts_out => {
            Some("and it rests on consent, which the shop asks where a law wants a yes first")
        }
        Basis::Consent if is_sensitive => Some("and it uses sensitive data"),
        Basis::Consent | Basis::LegitimateInterest => None,
        Basis::Contract | Basis::LegalObligation | Basis::VitalInterest | Basis::PublicTask => {
            Some("and it has no switch: nobody can refuse it")
        }
    }
}

fn find_purpose<'d>(checked: &Checked<'d>, name: &str) -> Option<(&'d DraftPurpose, bool)> {
    let found = checked.purposes().find(|(purpose, _)| purpose.name.value.as_str() == name);
    found.map(|(purpose, uses)| (purpose, uses.iter().any(|used| used.field.is_sensitive())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_are_those_of_the_window() {
        let style = include_str!("../../../../../window/src/strongroom.css");
        let written =
            style.lines().filter_map(|line| line.trim().strip_prefix("--sr-paper: ")?.strip_suffix(';'));
        let found: Vec<Colour> = written.map(|colour| Colour::parse(colour).unwrap()).collect();
        assert!(found.len() >= 2 && found.iter().all(|colour| PAPERS.contains(colour)), "{found:?}");
        assert!(PAPERS.iter().all(|paper| found.contains(paper)));
    }

    #[test]
    fn ratios_are_near_up_to_a_twentieth() {
        assert!(are_near(4.75, 5.0) && are_near(5.0, 4.75) && are_near(7.0, 7.0));
        assert!(!are_near(4.74, 5.0));
    }
}
