//! Policies at random: a small shape that proptest can shrink, written out as a policy file, so that the whole way from
//! text to table is under test.

use crate::policy_of;
use policy::{
    Act, ActSet, Age, Agreement, Bar, Barred, Bars, Basis, Compiled, Facts, FieldMask, Flow, Home, Name,
    Person, Policy, PurposeSet, Reach, Registry, Standing, Training,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt::Write as _;

/// Kinds: `a`, `b` of `a`, `c` by itself. Each holds some of the fields `f0` … `f5`.
pub(crate) const KINDS: [&str; 3] = ["a", "b", "c"];
const FIELDS: usize = 6;
const MOST_PURPOSES: usize = 5;
const RECIPIENTS: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    /// For each kind, the fields it holds; never none.
    pub(crate) holds: [[bool; FIELDS]; 3],
    pub(crate) indexed: [bool; FIELDS],
    pub(crate) purposes: Vec<SketchPurpose>,
}

#[derive(Clone, Debug)]
pub(crate) struct SketchPurpose {
    pub(crate) basis: Basis,
    /// For each kind and field: not used, plain, masked.
    pub(crate) uses: [[u8; FIELDS]; 3],
    pub(crate) withdrawn_ends: bool,
    pub(crate) must_keep: bool,
    pub(crate) at_most: bool,
    /// Which of the anchors that fit is taken.
    pub(crate) anchor: u8,
    pub(crate) recipients: [bool; RECIPIENTS],
}

pub(crate) fn sketches() -> impl Strategy<Value = Sketch> {
    let holds = proptest::array::uniform3(proptest::array::uniform6(any::<bool>()));
    let purposes = proptest::collection::vec(purposes(), 3..=MOST_PURPOSES);
    (holds, proptest::array::uniform6(any::<bool>()), purposes).prop_map(|(mut holds, indexed, purposes)| {
        for (kind, fields) in holds.iter_mut().enumerate() {
            fields[kind] = true;
        }
        Sketch { holds, indexed, purposes }
    })
}

fn purposes() -> impl Strategy<Value = SketchPurpose> {
    let uses = proptest::array::uniform3(proptest::array::uniform6(0u8..3));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (select(Basis::ALL), uses, flags, any::<u8>(), proptest::array::uniform3(any::<bool>())).prop_map(
        |(basis, uses, (withdrawn_ends, must_keep, at_most), anchor, recipients)| SketchPurpose {
            basis,
            uses,
            withdrawn_ends,
            must_keep: must_keep && !basis.can_be_refused(),
            at_most,
            anchor,
            recipients,
        },
    )
}

impl Sketch {
    /// The policy file, its declarations in this order or in the opposite one.
    pub(crate) fn to_toml(&self, backwards: bool) -> String {
        let mut parts = Vec::new();
        for (kind, name) in KINDS.iter().enumerate() {
            let held =
                (0..FIELDS).filter(|field| self.holds[kind][*field]).map(|field| format!("\"f{field}\""));
            let fields = ordered(held.collect(), backwards).join(", ");
            let of = if *name == "b" { "of = \"a\"\n" } else { "" };
            let events = ordered(vec!["\"done\"", "\"seen\""], backwards).join(", ");
            parts.push(format!(
                "[record.{name}]\n{of}label = {{ en = \"Kind\" }}\nfields = [{fields}]\nevents = [{events}]\n"
            ));
        }
        for field in 0..FIELDS {
            let index = if self.indexed[field] { "index = \"exact\"\n" } else { "" };
            parts.push(format!(
                "[field.f{field}]\ncategory = \"user.contact\"\nlabel = {{ en = \"Field\" }}\nmask = \"first\"\n{index}"
            ));
        }
        for (number, purpose) in self.purposes.iter().enumerate() {
            parts.push(self.purpose(number, purpose, backwards));
        }
        for number in 0..RECIPIENTS {
            let kind = if number == 0 { "authority" } else { "processor" };
            parts.push(format!(
                "[recipient.r{number}]\nkind = \"{kind}\"\nname = {{ en = \"Them\" }}\nin = \"cn\"\n"
            ));
        }
        let head = "format = 1\n[shop]\nid = \"sketch\"\nname = { en = \"Sketch\" }\nlanguages = [\"en\"]\n\
                    zone = \"Asia/Shanghai\"\nregion = \"cn\"\nserves = [\"cn\"]\nkept_in = \"cn\"\n\
                    officer = { name = \"a\", contact = \"b\" }\nreviewed = 2026-11-01\nreview = \"12mo\"\n";
        head.to_owned() + &ordered(parts, backwards).concat()
    }

    fn purpose(&self, number: usize, purpose: &SketchPurpose, backwards: bool) -> String {
        let mut uses: Vec<(usize, String)> = Vec::new();
        for (kind, name) in KINDS.iter().enumerate() {
            for field in (0..FIELDS).filter(|field| self.holds[kind][*field]) {
                match purpose.uses[kind][field] {
                    0 => {}
                    1 => uses.push((kind, format!("\"{name}.f{field}\""))),
                    _ => uses.push((kind, format!("{{ field = \"{name}.f{field}\", as = \"masked\" }}"))),
                }
            }
        }
        if uses.is_empty() {
            uses.push((0, "\"a.f0\"".to_owned()));
        }
        let kinds: Vec<&str> = KINDS
            .into_iter()
            .enumerate()
            .filter(|(kind, _)| uses.iter().any(|(of, _)| of == kind))
            .map(|(_, name)| name)
            .collect();
        let anchors: &[&str] = match kinds.as_slice() {
            ["a"] => &["collected", "a.done", "b.done", "b.collected"],
            ["b"] => &["collected", "b.done", "b.seen"],
            ["a", "b"] => &["collected", "b.done", "b.collected"],
            ["c"] => &["collected", "c.done"],
            _ => &["collected"],
        };
        let anchor = anchors[usize::from(purpose.anchor) % anchors.len()];
        let fields = ordered(uses.into_iter().map(|(_, text)| text).collect(), backwards).join(", ");
        let recipients = (0..RECIPIENTS).filter(|r| purpose.recipients[*r]).map(|r| format!("\"r{r}\""));
        let recipients = ordered(recipients.collect(), backwards).join(", ");
        let keep = if purpose.basis.is_consent() && purpose.withdrawn_ends {
            "until withdrawn".to_owned()
        } else {
            format!("{}mo after {anchor}", 1 + number)
        };
        let mut text = format!(
            "[purpose.p{number}]\nuse = \"essential.service\"\nbasis = \"{}\"\nsays = {{ en = \"Because\" }}\n\
             fields = [{fields}]\nkeep = \"{keep}\"\nrecipients = [{recipients}]\n",
            purpose.basis
        );
        if purpose.must_keep {
            let _ = write!(text, "must_keep = \"{}w after {anchor}\"\nlaw = \"A law\"\n", 3 + 5 * number);
        }
        if purpose.at_most {
            // Longer than any must_keep, so that no cap contradicts a law.
            text.push_str("at_most = \"2y after collected\"\n");
        }
        text
    }

    pub(crate) fn policy(&self) -> Policy {
        policy_of(&self.to_toml(false))
    }

    pub(crate) fn compiled(&self) -> (Policy, Registry, Compiled) {
        let policy = self.policy();
        let registry = Registry::default().extended_by(&policy).unwrap();
        let compiled = policy::compile(&policy, &registry).unwrap();
        (policy, registry, compiled)
    }
}

fn ordered<T>(mut items: Vec<T>, backwards: bool) -> Vec<T> {
    if backwards {
        items.reverse();
    }
    items
}

pub(crate) fn purpose_sets() -> impl Strategy<Value = PurposeSet> {
    any::<u8>().prop_map(|bits| PurposeSet::from_words([u64::from(bits), 0, 0, 0]))
}

pub(crate) fn field_masks() -> impl Strategy<Value = FieldMask> {
    any::<u8>().prop_map(|bits| FieldMask::from_words([u64::from(bits), 0, 0, 0]))
}

pub(crate) fn standings() -> impl Strategy<Value = Standing> {
    prop_oneof![3 => Just(Standing::Present), 1 => Just(Standing::Restricted), 1 => Just(Standing::Erased)]
}

/// Facts that say yes often enough to be worth asking.
pub(crate) fn facts() -> impl Strategy<Value = Facts> {
    let seldom = || prop::bool::weighted(0.1);
    let few = || purpose_sets().prop_flat_map(|a| purpose_sets().prop_map(move |b| a.and(b)));
    let actor = (
        proptest::array::uniform5(seldom()),
        prop_oneof![9 => Just(Training::Valid), 9 => Just(Training::NotNeeded), 1 => Just(Training::Lapsed)],
        prop_oneof![3 => Just(PurposeSet::ALL), 1 => purpose_sets()],
        seldom(),
    );
    let subject = (purpose_sets(), few(), few(), standings(), any::<bool>(), field_masks());
    let agreement = select(vec![Agreement::None, Agreement::InForce, Agreement::InForce, Agreement::Ended]);
    let person = (select(vec![Age::Unknown, Age::Minor, Age::Adult]), homes());
    (actor, subject, agreement, person).prop_map(|(actor, subject, agreement, (age, home))| {
        let (lost, training, purposes, frozen) = actor;
        let (granted, refused, ended, standing, held, unknown) = subject;
        let acts = [Act::Collect, Act::Reveal, Act::Search, Act::Share, Act::Answer].into_iter().zip(lost);
        let acts = acts.filter(|(_, lost)| !lost).fold(ActSet::NONE, |set, (act, _)| set.with(act));
        // Fields 6 and 7 no sketch declares; now and then one that is declared is said to be unknown, too.
        let unknown_fields = unknown.and(FieldMask::from_words([0b1100_0001, 0, 0, 0]));
        Facts {
            acts,
            purposes,
            training,
            granted,
            refused,
            standing,
            held,
            frozen,
            ended,
            unknown_fields,
            agreement,
            person: Person { home, age },
        }
    })
}

/// Nobody knows, served and not, a country whose states have laws of their own.
pub(crate) fn homes() -> impl Strategy<Value = Home> {
    select(vec!["", "cn", "de", "us-ca", "us", "au"]).prop_map(|code| Home::parse(code).unwrap())
}

/// Laws of a seat and of homes, and what they bar of the purposes of a sketch.
pub(crate) fn bars() -> impl Strategy<Value = Bars> {
    let reach = || select(vec![Reach::Home, Reach::Home, Reach::Seat, Reach::SeatAndHome]);
    let packs = (reach(), any::<[bool; 4]>());
    let what = (0usize..4, 0u8..3, 0usize..MOST_PURPOSES, 0usize..RECIPIENTS);
    (packs, proptest::collection::vec(what, 0..8)).prop_map(|((seat, there), barred)| {
        let ids = ["cn", "eu", "us-ca", "us-co"];
        let packs: Vec<_> = ids
            .into_iter()
            .zip(there)
            .filter(|(_, is_there)| *is_there)
            .map(|(id, _)| (id.to_owned(), if id == "cn" { seat } else { Reach::Home }))
            .collect();
        let name = |prefix: &str, number: usize| Name::parse(&format!("{prefix}{number}")).unwrap();
        let bar = |(pack, what, purpose, recipient): (usize, u8, usize, usize)| Bar {
            pack: ids[pack].to_owned(),
            what: match what {
                0 => Barred::Purpose(name("p", purpose)),
                1 => Barred::PurposeForMinors(name("p", purpose)),
                _ => Barred::Transfer { purpose: name("p", purpose), recipient: name("r", recipient) },
            },
            laws: Vec::new(),
        };
        Bars { packs, bars: barred.into_iter().map(bar).collect(), until: None }
    })
}

pub(crate) fn flows() -> impl Strategy<Value = Flow> {
    let act = select(vec![Act::Collect, Act::Reveal, Act::Reveal, Act::Search, Act::Share, Act::Answer]);
    let kind = prop_oneof![20 => 0u8..3, 1 => Just(3u8)];
    let purpose = prop_oneof![12 => (0u16..3).prop_map(Some), 4 => (3u16..6).prop_map(Some), 2 => Just(None)];
    let recipient = prop_oneof![9 => (0u16..3).prop_map(Some), 1 => Just(Some(3)), 1 => Just(None)];
    (act, kind, field_masks(), purpose, recipient).prop_map(|(act, kind, fields, purpose, recipient)| Flow {
        act,
        kind,
        fields,
        purpose,
        recipient,
    })
}
