//! Who writes a notice: a policy in one language, under the laws that apply; and what several sections say of a purpose,
//! a recipient or a time.

use super::edition::Edition;
use super::line::{Line, Mark};
use crate::lawful::{ask, is_home, packs_that_apply, place_word, sensitive_words};
use crate::model::{Field, Kind, Policy, Purpose, Recipient, Used};
use crate::period::{After, Anchor, Keep};
use crate::record::{Language, words};
use crate::text::{Language as Tag, Name, Place, Text};
use crate::words::{Consideration, RecipientKind, RecipientRole};
use jiff::civil::Date;
use rulebook::{Pack, PackKind};
use serde_json::json;
use std::collections::BTreeMap;

/// What a notice is written from.
pub(super) struct Scribe<'a> {
    pub(super) policy: &'a Policy,
    pub(super) edition: &'a Edition,
    pub(super) words: Language,
    pub(super) on: Date,
    /// The laws that apply, without the rules of marketplaces.
    pub(super) laws: Vec<&'a Pack>,
    tag: &'a Tag,
    /// What each purpose uses, by its name. Found once: a policy may have 256 purposes of a thousand uses.
    uses: BTreeMap<&'a Name, Vec<(&'a Field, Used)>>,
    /// Which purposes use a field, by its name.
    users: BTreeMap<&'a Name, Vec<&'a Purpose>>,
    /// The laws for whose people a country is abroad.
    abroad: BTreeMap<&'a str, Vec<&'a Pack>>,
}

impl<'a> Scribe<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        tag: &'a Tag,
        edition: &'a Edition,
        packs: &[&'a Pack],
        on: Date,
    ) -> Self {
        let laws = packs_that_apply(policy, packs);
        let laws: Vec<&Pack> = laws.into_iter().filter(|pack| pack.kind == PackKind::Law).collect();
        let uses: BTreeMap<_, _> =
            policy.purposes.iter().map(|purpose| (&purpose.name, uses_of(policy, purpose))).collect();
        let mut users: BTreeMap<_, Vec<&Purpose>> = BTreeMap::new();
        for purpose in &policy.purposes {
            for (field, _) in uses.get(&purpose.name).into_iter().flatten() {
                users.entry(&field.name).or_default().push(purpose);
            }
        }
        Self {
            policy,
            edition,
            words: Language::beside(tag.as_str()),
            on,
            abroad: abroad(policy, &laws, on),
            laws,
            tag,
            uses,
            users,
        }
    }

    /// One of two texts, by the language of the fixed words.
    pub(super) fn say(&self, en: &str, zh: &str) -> Line {
        Line::own(self.of(en, zh))
    }

    /// The same, with `{0}`, `{1}`, … filled in.
    pub(super) fn fill(&self, en: &str, zh: &str, with: &[Line]) -> Line {
        Line::filled(self.of(en, zh), with)
    }

    pub(super) fn of<'t>(&self, en: &'t str, zh: &'t str) -> &'t str {
        match self.words {
            Language::En => en,
            Language::Zh => zh,
        }
    }

    pub(super) fn words(&self, words: crate::record::Words) -> Line {
        Line::own(words.of(self.words))
    }

    /// A text of the policy.
    pub(super) fn text(&self, text: &Text) -> Line {
        Line::shop(text.or_first(self.tag.as_str()))
    }

    /// The law behind a duty to keep.
    pub(super) fn law_of(&self, purpose: &Purpose) -> Option<Line> {
        let in_each = purpose.law_text.as_ref().map(|law| self.text(law));
        in_each.or(purpose.law.as_ref().map(|law| Line::shop(law.clone())))
    }

    pub(super) fn shop(&self) -> Line {
        self.text(&self.policy.shop.name)
    }

    pub(super) fn list(&self, lines: impl IntoIterator<Item = Line>) -> Line {
        Line::joined(lines, self.of(", ", "、"))
    }

    pub(super) fn link(&self, en: &str, zh: &str, path: &str) -> Line {
        Line::link(self.of(en, zh), self.edition.links.to(path))
    }

    pub(super) fn mark(&self, line: Line, mark: Mark) -> Line {
        line.marked(mark, mark.words().of(self.words))
    }

    pub(super) fn country(&self, place: &Place) -> Line {
        let country = words::country(place.country(), self.words).to_owned();
        match place.as_str().split_once('-') {
            Some((_, state)) => {
                self.fill("{0} ({1})", "{0}（{1}）", &[Line::own(country), Line::own(state.to_uppercase())])
            }
            None => Line::own(country),
        }
    }

    /// The name of the place whose law a pack has.
    pub(super) fn law(&self, pack: &Pack) -> Line {
        Line::own(self.of(&pack.name.en, &pack.name.zh))
    }

    pub(super) fn day(&self, day: Date) -> Line {
        match self.words {
            Language::En => Line::own(day.strftime("%-d %B %Y").to_string()),
            Language::Zh => Line::own(day.strftime("%Y年%-m月%-d日").to_string()),
        }
    }

    pub(super) fn is_under(&self, law: &str) -> bool {
        self.laws.iter().any(|pack| pack.id == law)
    }
}

/// What a purpose is about.
impl<'a> Scribe<'a> {
    /// Each field that a purpose uses, once, in the order of the file.
    pub(super) fn fields(&self, purpose: &Purpose) -> &[(&'a Field, Used)] {
        self.uses.get(&purpose.name).map(Vec::as_slice).unwrap_or_default()
    }

    /// How a purpose uses a field, if it does.
    pub(super) fn use_of(&self, purpose: &Purpose, field: &Field) -> Option<&Used> {
        self.fields(purpose).iter().find(|(one, _)| one.name == field.name).map(|(_, used)| used)
    }

    /// A field as it stands in a list: its label, and what there is to say of it.
    pub(super) fn field(&self, field: &Field, used: &Used) -> Line {
        let mut line = self.text(&field.label);
        if field.sensitive {
            line = self.mark(line, Mark::Sensitive);
        }
        if used.masked {
            line = self.mark(line, Mark::Masked);
        }
        line
    }

    /// Who gets data for a purpose, in the order of the purpose.
    pub(super) fn recipients(&self, purpose: &Purpose) -> Vec<&'a Recipient> {
        purpose.recipients.iter().filter_map(|name| self.policy.find_recipient(name.as_str())).collect()
    }

    /// The recipients that some purpose names.
    pub(super) fn used_recipients(&self) -> Vec<&'a Recipient> {
        let is_used = |recipient: &&Recipient| !self.purposes_of(recipient).is_empty();
        self.policy.recipients.iter().filter(is_used).collect()
    }

    pub(super) fn purposes_of(&self, recipient: &Recipient) -> Vec<&'a Purpose> {
        self.policy.purposes.iter().filter(|purpose| purpose.recipients.contains(&recipient.name)).collect()
    }

    /// Does a recipient decide by itself what it does with the data?
    pub(super) fn is_handler(recipient: &Recipient) -> bool {
        recipient.acts_as == RecipientRole::Handler && recipient.kind != RecipientKind::Authority
    }

    /// Those that the shop gets something from for the data.
    pub(super) fn payers(&self) -> Vec<&'a Recipient> {
        let pays = |recipient: &&Recipient| recipient.consideration != Consideration::None;
        self.policy.recipients.iter().filter(pays).collect()
    }

    /// Is a place outside of where a law holds?
    pub(super) fn is_abroad(law: &Pack, place: &Place) -> bool {
        !is_home(&law.id, place.country())
    }

    /// The laws for whose people a place is abroad, of those that ask for a way by which data gets there.
    pub(super) fn abroad_under(&self, place: &Place) -> &[&'a Pack] {
        self.abroad.get(place.country()).map(Vec::as_slice).unwrap_or_default()
    }

    /// Purposes that recommend, profile, or aim advertisements at somebody.
    pub(super) fn automated(&self) -> Vec<&'a Purpose> {
        self.policy.purposes.iter().filter(|purpose| purpose.is_automated()).collect()
    }

    /// The fields that need special care, with the purposes that use them.
    pub(super) fn sensitive(&self) -> Vec<(&'a Field, &[&'a Purpose])> {
        let fields = self.policy.fields.iter().filter(|field| field.sensitive);
        let with = fields.map(|field| (field, self.purposes_using(field)));
        with.filter(|(_, purposes)| !purposes.is_empty()).collect()
    }

    pub(super) fn purposes_using(&self, field: &Field) -> &[&'a Purpose] {
        self.users.get(&field.name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The words of packs for what is sensitive among the data that is used.
    pub(super) fn sensitive_words(&self) -> Vec<&'static str> {
        let mut words: Vec<&str> =
            self.sensitive().iter().flat_map(|(field, _)| sensitive_words(field.category)).copied().collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// How long.
impl Scribe<'_> {
    /// `90 days after your order was delivered`.
    pub(super) fn after(&self, after: &After, purpose: &Purpose) -> Line {
        let period = Line::own(words::period(after.period, self.words));
        let begin = match &after.anchor {
            Anchor::Collected => self.say("we last received it", "我们最近一次收集该信息"),
            Anchor::KindCollected(kind) => self.fill(
                "we last received the record “{0}”",
                "我们最近一次收集“{0}”",
                &[self.label(kind.as_str())],
            ),
            Anchor::Event(kind, event) => self.event(kind.as_str(), event.as_str(), purpose),
        };
        self.fill("{0} after {1}", "{1}后{0}", &[period, begin])
    }

    fn event(&self, kind: &str, event: &str, purpose: &Purpose) -> Line {
        let of_person = OF_PERSONS.iter().find(|(known, _, _)| *known == event);
        if let Some((_, en, zh)) = of_person.filter(|_| PERSONS.contains(&kind)) {
            return self.say(en, zh);
        }
        let label = self.label_within(kind);
        // Of several orders the latest counts, where the data does not belong to one of them.
        let is_its_own = purpose.fields.iter().all(|used| used.kind.as_str() == kind);
        let said = Line::own(words::event(event, self.words));
        match (PASSIVE.contains(&event), is_its_own) {
            (true, true) => self.fill("the {0} was {1}", "{0}{1}", &[label, said]),
            (true, false) => self.fill("your latest {0} was {1}", "您最近一笔{0}{1}", &[label, said]),
            (false, true) => self.fill("the event “{0}: {1}”", "“{0}：{1}”", &[label, said]),
            (false, false) => self.fill("the latest event “{0}: {1}”", "最近一次“{0}：{1}”", &[label, said]),
        }
    }

    fn kind(&self, kind: &str) -> Option<&Kind> {
        self.policy.find_kind(kind)
    }

    pub(super) fn label(&self, kind: &str) -> Line {
        self.kind(kind).map_or_else(|| Line::own(kind), |kind| self.text(&kind.label))
    }

    /// The same in the middle of a sentence: `Order` is `order` there, `VIP card` stays as it is.
    fn label_within(&self, kind: &str) -> Line {
        let Some(label) = self.kind(kind).map(|kind| kind.label.or_first(self.tag.as_str())) else {
            return Line::own(kind);
        };
        let mut letters = label.chars();
        let is_word = self.tag.as_str().starts_with("en")
            && letters.next().is_some_and(|one| one.is_ascii_uppercase())
            && letters.all(|one| !one.is_uppercase());
        Line::shop(if is_word { label.to_lowercase() } else { label.to_owned() })
    }

    pub(super) fn keep(&self, purpose: &Purpose) -> Line {
        match &purpose.keep {
            Keep::UntilWithdrawn => self.say("Until you withdraw your consent", "直至您撤回同意"),
            Keep::After(after) => self.after(after, purpose),
        }
    }
}

/// Each field that a purpose uses, once, in the order of the file. It is needed if it is needed in any kind, and shown plain
/// if it is shown plain in any.
fn uses_of<'a>(policy: &'a Policy, purpose: &Purpose) -> Vec<(&'a Field, Used)> {
    let mut merged: BTreeMap<&Name, Used> = BTreeMap::new();
    for used in &purpose.fields {
        let all = merged.entry(&used.field).or_insert_with(|| used.clone());
        all.optional &= used.optional;
        all.masked &= used.masked;
    }
    let fields = policy.fields.iter();
    fields.filter_map(|field| Some((field, merged.remove(&field.name)?))).collect()
}

/// The laws for whose people a country is abroad and that ask for a way there, for each country that has to do with the shop.
fn abroad<'a>(policy: &'a Policy, laws: &[&'a Pack], on: Date) -> BTreeMap<&'a str, Vec<&'a Pack>> {
    let places = policy.recipients.iter().map(|recipient| &recipient.place);
    let mut abroad = BTreeMap::new();
    for place in places.chain([&policy.shop.kept_in]) {
        abroad.entry(place.country()).or_insert_with(|| {
            let counts = |law: &&Pack| Scribe::is_abroad(law, place) && asks_for_route(law, place, on);
            laws.iter().copied().filter(counts).collect()
        });
    }
    abroad
}

/// Does a law ask for a route to a place? One that cannot say without more facts does.
fn asks_for_route(law: &Pack, place: &Place, on: Date) -> bool {
    let facts = json!({
        "is_ciio": false, "important_data": false, "personal_data": true, "collected_abroad_only": false,
        "outside_negative_list": false, "recipient_certified": false, "export_for": "contract_with_person",
        "basis": "contract", "to": place_word(place.country()),
    });
    let Some(heard) = ask(law, "transfer", &facts, on) else { return false };
    let is_free = matches!(heard.word("route"), Some(("free" | "restricted", _)));
    heard.answers("route") && !is_free
}

/// Kinds of record that are the person.
const PERSONS: &[&str] = &["account", "customer", "member", "subscriber", "user"];

/// What happens to such a record, in words to that person.
const OF_PERSONS: &[(&str, &str, &str)] = &[
    ("active", "you were last active with us", "您最近一次使用我们的服务"),
    ("closed", "you close your account", "您注销账户"),
    ("registered", "you signed up", "您注册账户"),
];

/// Events that can be said with “was”.
const PASSIVE: &[&str] = &[
    "cancelled",
    "closed",
    "completed",
    "delivered",
    "opened",
    "paid",
    "placed",
    "received",
    "refunded",
    "registered",
    "resolved",
    "returned",
    "shipped",
];
