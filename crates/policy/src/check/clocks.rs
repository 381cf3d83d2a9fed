//! How long: whether every purpose says it, whether its clocks run from events that reach its records, and whether
//! they agree with each other.

use super::names::{Use, find_kind, unknown_kind};
use super::{Checked, listing, with_meant};
use crate::code::Code;
use crate::draft::{Draft, DraftClock, DraftKeep, DraftKind, DraftPurpose};
use crate::finding::{Finding, Sink};
use crate::law;
use crate::period::{After, Anchor};

pub(super) fn check(checked: &Checked<'_>, sink: &mut Sink) {
    for (purpose, uses) in checked.purposes() {
        keep(purpose, sink);
        asking(purpose, sink);
        duty(purpose, sink);
        let mut all_reach = true;
        for (key, clock) in clocks(purpose) {
            all_reach &= event_exists(checked.draft, clock, sink)
                && reaches(checked.draft, purpose, key, clock, uses, sink);
        }
        if all_reach {
            caps(purpose, sink);
            ends(purpose, uses, sink);
        }
    }
    for recipient in &checked.draft.recipients {
        if let Some(keep) = &recipient.keep {
            event_exists(checked.draft, keep, sink);
        }
    }
}

/// The clocks that a purpose names, with the keys they stand under.
fn clocks(purpose: &DraftPurpose) -> impl Iterator<Item = (&'static str, &DraftClock)> {
    let keep = match &purpose.keep {
        Some(DraftKeep::After(clock)) => Some(clock),
        _ => None,
    };
    let named =
        [("keep", keep), ("must_keep", purpose.must_keep.as_ref()), ("at_most", purpose.at_most.as_ref())];
    named.into_iter().filter_map(|(key, clock)| Some((key, clock?)))
}

fn keep(purpose: &DraftPurpose, sink: &mut Sink) {
    let name = &purpose.name.value;
    if !purpose.keep_written {
        let finding = Finding::new(
            Code::NoKeep,
            purpose.name.at,
            format!("`{name}` does not say how long it keeps data"),
        );
        let help = "add `keep = \"90d after order.delivered\"`, with your own period and event; a purpose by consent may say `until withdrawn`";
        sink.add(finding.help(help).cite(law::STORAGE_LIMIT));
    }
    let (Some(keep), Some(basis)) = (&purpose.keep, &purpose.basis) else { return };
    match (keep, basis.value.is_consent()) {
        (DraftKeep::UntilWithdrawn(at), false) => {
            let message = format!("`{name}` rests on `{}`, which nobody can withdraw", basis.value);
            let finding = Finding::new(Code::NotWithdrawable, *at, message).also(basis.at, "not a consent");
            sink.add(
                finding
                    .help("say how long: a period after an event, such as `2y after collected`")
                    .cite(law::STORAGE_LIMIT),
            );
        }
        (DraftKeep::After(clock), true) => {
            let message = format!("`{name}` rests on consent, and its retention does not mention withdrawal");
            let finding = Finding::new(Code::ConsentClock, clock.at, message);
            let help = "withdrawing ends it at once, whatever stands here; `until withdrawn` says so to your customers";
            sink.add(finding.help(help).cite(law::WITHDRAWAL));
        }
        _ => {}
    }
}

/// A yes can end where there is one; and whoever can say no can be left in peace.
fn asking(purpose: &DraftPurpose, sink: &mut Sink) {
    let (name, Some(basis)) = (&purpose.name.value, &purpose.basis) else { return };
    let ends = purpose.ask_again.as_ref().filter(|_| !basis.value.is_consent());
    let waits = purpose.wait.as_ref().filter(|_| !basis.value.can_be_refused());
    for (key, period) in [("ask_again", ends), ("wait", waits)] {
        let Some(period) = period else { continue };
        let message =
            format!("`{name}` says `{key}`, and rests on `{}`, about which nobody is asked", basis.value);
        let finding = Finding::new(Code::NotWithdrawable, period.at, message).also(basis.at, "not a consent");
        sink.add(finding.help(format!("leave `{key}` out")));
    }
}

fn duty(purpose: &DraftPurpose, sink: &mut Sink) {
    let (name, Some(must_keep)) = (&purpose.name.value, &purpose.must_keep) else { return };
    if !purpose.law_written {
        let finding = Finding::new(
            Code::NoLaw,
            must_keep.at,
            format!("`{name}` must keep data, but does not say which law demands it"),
        );
        sink.add(finding.help("add `law = \"E-Commerce Law 31\"`, with the law and article that bind you; people are shown it when they ask for deletion"));
    }
    if let Some(basis) = purpose.basis.as_ref().filter(|basis| basis.value.can_be_refused()) {
        let message = format!(
            "`{name}` must keep data by law, but rests on `{}`, which people can refuse",
            basis.value
        );
        let finding =
            Finding::new(Code::RefusableDuty, must_keep.at, message).also(basis.at, "can be refused");
        sink.add(
            finding
                .help("give the duty a purpose of its own, with `basis = \"legal_obligation\"`")
                .cite(law::WITHDRAWAL),
        );
    }
}

/// Is the clock's kind declared, and its event?
fn event_exists(draft: &Draft, clock: &DraftClock, sink: &mut Sink) -> bool {
    let place = clock.event_at;
    let (name, event) = match &clock.value.anchor {
        Anchor::Collected => return true,
        Anchor::KindCollected(kind) => (kind, None),
        Anchor::Event(kind, event) => (kind, Some(event)),
    };
    let Some(kind) = find_kind(draft, name.as_str()) else {
        sink.add(unknown_kind(draft, name, place, sink));
        return false;
    };
    let Some(event) = event.filter(|event| kind.find_event(event.as_str()).is_none()) else { return true };
    let finding =
        Finding::new(Code::UnknownEvent, place, format!("records of kind `{name}` have no event `{event}`"));
    let finding = finding.also(kind.name.at, "declared here");
    let known = || kind.events.iter().map(|event| event.value.as_str());
    let help = || match kind.events.len() {
        0 => format!("add it: `events = [\"{event}\"]`"),
        _ => format!("it has {}; or add `{event}` to its `events`", listing(known())),
    };
    sink.add(with_meant(finding, event.as_str(), known().chain(["collected"]), help, sink));
    false
}

/// Does the event say something about the records of every kind that the purpose uses?
fn reaches(
    draft: &Draft,
    purpose: &DraftPurpose,
    key: &str,
    clock: &DraftClock,
    uses: &[Use<'_>],
    sink: &mut Sink,
) -> bool {
    let (Anchor::KindCollected(from) | Anchor::Event(from, _)) = &clock.value.anchor else { return true };
    let parent_of = |kind: &DraftKind| kind.of.as_ref().map(|of| of.value.clone());
    let from_kind = find_kind(draft, from.as_str());
    let above = from_kind.and_then(parent_of);
    let mut missed: Vec<&Use<'_>> = Vec::new();
    for used in uses {
        let kind = &used.kind.name.value;
        let reached = kind == from || above.as_ref() == Some(kind);
        let told =
            !parent_is_sound(draft, used.kind) || from_kind.is_some_and(|from| !parent_is_sound(draft, from));
        if !reached && !told && !missed.iter().any(|other| other.kind.name.value == *kind) {
            missed.push(used);
        }
    }
    let Some(first) = missed.first() else { return true };
    let kind = &first.kind.name.value;
    let names = listing(missed.iter().map(|used| used.kind.name.value.as_str()));
    let message = format!(
        "`{}` uses records of kind {names}, to which `{}` says nothing",
        purpose.name.value, clock.value.anchor
    );
    let because = if parent_of(first.kind).as_ref() == Some(from) {
        format!("`{kind}` belongs to `{from}`, and a clock never runs from what happens to the record above")
    } else {
        format!("`{from}` does not belong to `{kind}`")
    };
    let help = format!(
        "{because}; let `{key}` run from `collected`, from an event of `{kind}`, or of a kind that belongs to it, \
         or give the fields of {names} a purpose of their own"
    );
    let finding = Finding::new(Code::WrongAnchor, clock.event_at, message);
    sink.add(finding.also(first.at, format!("a field of `{kind}`")).help(help));
    false
}

/// Does its `of` lead to a kind that stands by itself? Otherwise it has its own finding.
fn parent_is_sound(draft: &Draft, kind: &DraftKind) -> bool {
    kind.of
        .as_ref()
        .is_none_or(|of| find_kind(draft, of.value.as_str()).is_some_and(|above| above.of.is_none()))
}

/// Do the caps leave room for what they cap?
fn caps(purpose: &DraftPurpose, sink: &mut Sink) {
    let Some(cap) = &purpose.at_most else { return };
    let shorter_than = |other: &After| {
        cap.value.anchor == other.anchor
            && cap.value.period.approximate_days() < other.period.approximate_days()
    };
    if let Some(must) = purpose.must_keep.as_ref().filter(|must| shorter_than(&must.value)) {
        let message = format!(
            "`{}` keeps data for {} at most, but a law demands {}",
            purpose.name.value, cap.value.period, must.value.period
        );
        let finding = Finding::new(Code::CapBelowLaw, cap.at, message)
            .here("ends first")
            .also(must.at, "demanded by law");
        sink.add(finding.help("lengthen `at_most`, or give the duty a purpose of its own with fewer fields"));
        return;
    }
    if let Some(DraftKeep::After(keep)) = &purpose.keep
        && shorter_than(&keep.value)
    {
        let message = format!(
            "`{}` says to keep data for {}, but for {} at most",
            purpose.name.value, keep.value.period, cap.value.period
        );
        let finding = Finding::new(Code::CapBelowKeep, cap.at, message)
            .here("ends first")
            .also(keep.at, "never reached");
        sink.add(finding.help("shorten `keep` to what is true, or lengthen `at_most`"));
    }
}

/// Is there a record for which a clock would never start, and nothing caps it?
fn ends(purpose: &DraftPurpose, uses: &[Use<'_>], sink: &mut Sink) {
    let cap = purpose.at_most.as_ref().map(|cap| &cap.value.anchor);
    let endless = |used: &Use<'_>, anchor: &Anchor| {
        let kind = used.kind.name.value.as_str();
        let capped = cap.is_some_and(|cap| is_certain(cap, kind) || (is_own(cap, kind) && cap != anchor));
        !is_certain(anchor, kind) && !capped
    };
    let waiting = clocks(purpose).filter(|(key, _)| *key != "at_most");
    for (key, clock) in waiting {
        let Some(used) = uses.iter().find(|used| endless(used, &clock.value.anchor)) else { continue };
        let (kind, anchor) = (&used.kind.name.value, &clock.value.anchor);
        let message = format!(
            "`{key}` of `{}` waits for `{anchor}`, which a record of kind `{kind}` may never see",
            purpose.name.value
        );
        let finding = Finding::new(Code::MayNeverEnd, clock.event_at, message);
        let help = match &purpose.at_most {
            None => "add a cap that surely comes: `at_most = \"2y after collected\"`",
            Some(_) => "let `at_most` run from `collected`, which every record has",
        };
        sink.add(finding.help(help).cite(law::STORAGE_LIMIT));
        return;
    }
}

/// Does every record of this kind have that event?
fn is_certain(anchor: &Anchor, kind: &str) -> bool {
    match anchor {
        Anchor::Collected => true,
        Anchor::KindCollected(of) => of.as_str() == kind,
        Anchor::Event(..) => false,
    }
}

fn is_own(anchor: &Anchor, kind: &str) -> bool {
    matches!(anchor, Anchor::Event(of, _) if of.as_str() == kind)
}
