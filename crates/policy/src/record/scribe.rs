//! Who writes a record: the policy, for which law, in which language, as of which day; and what several sheets ask of a
//! purpose or a recipient.

use super::{Cell, Language, Law, words};
use crate::law::Citation;
use crate::model::{Agreed, Field, Kind, Policy, Purpose, Recipient};
use crate::period::{After, Anchor, Keep, Period};
use crate::text::{Place, Text};
use jiff::civil::Date;

/// What a record is written from.
#[derive(Clone, Copy)]
pub(super) struct Scribe<'a> {
    pub(super) policy: &'a Policy,
    pub(super) law: Law,
    pub(super) language: Language,
    pub(super) today: Date,
}

impl Scribe<'_> {
    /// One of two texts, by the language.
    pub(super) fn say(&self, en: impl Into<String>, zh: impl Into<String>) -> String {
        match self.language {
            Language::En => en.into(),
            Language::Zh => zh.into(),
        }
    }

    pub(super) fn known(&self, en: impl Into<String>, zh: impl Into<String>) -> Cell {
        Cell::Known(self.say(en, zh))
    }

    pub(super) fn task(&self, en: impl Into<String>, zh: impl Into<String>) -> Cell {
        Cell::Task(self.say(en, zh))
    }

    /// A text of the policy in the language of the record, else in the shop's first.
    pub(super) fn text<'t>(&self, text: &'t Text) -> &'t str {
        text.find(self.language.as_str())
            .or_else(|| {
                // `zh-Hant` where there is no `zh`.
                let is_kin = |tag: &str| tag.split('-').next() == Some(self.language.as_str());
                text.iter().find(|(language, _)| is_kin(language.as_str())).map(|(_, text)| text)
            })
            .unwrap_or_else(|| text.or_first(self.language.as_str()))
    }

    /// Names one behind the other.
    pub(super) fn list<T: AsRef<str>>(&self, names: &[T]) -> String {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        names.join(&self.say(", ", "、"))
    }

    /// What something is, and what there is to say of it.
    pub(super) fn with(&self, what: &str, more: &str) -> String {
        self.say(format!("{what} ({more})"), format!("{what}（{more}）"))
    }

    /// A heading, and what stands behind it.
    pub(super) fn headed(&self, heading: &str, what: &str) -> String {
        self.say(format!("{heading}: {what}"), format!("{heading}：{what}"))
    }

    pub(super) fn country(&self, place: &Place) -> String {
        let country = words::country(place.country(), self.language);
        match place.as_str().split_once('-') {
            Some((_, state)) => self.with(country, &state.to_uppercase()),
            None => country.to_owned(),
        }
    }

    pub(super) fn cite(&self, cites: &[Citation]) -> String {
        words::citations(cites, self.language)
    }

    fn label(&self, kind: &str) -> String {
        self.policy.find_kind(kind).map_or_else(|| kind.to_owned(), |kind| self.text(&kind.label).to_owned())
    }
}

/// How long.
impl Scribe<'_> {
    pub(super) fn period(&self, period: Period) -> String {
        words::period(period, self.language)
    }

    pub(super) fn after(&self, after: &After) -> String {
        let period = self.period(after.period);
        match &after.anchor {
            Anchor::Collected => self.say(
                format!("{period} after the record was last collected"),
                format!("最近一次收集后{period}"),
            ),
            Anchor::KindCollected(kind) => {
                let kind = self.label(kind.as_str());
                self.say(
                    format!("{period} after “{kind}” was last collected"),
                    format!("最近一次收集“{kind}”后{period}"),
                )
            }
            Anchor::Event(kind, event) => {
                let kind = self.label(kind.as_str());
                let event = words::event(event.as_str(), self.language);
                self.say(
                    format!("{period} after the latest “{kind}: {event}”"),
                    format!("最近一次{kind}{event}后{period}"),
                )
            }
        }
    }

    pub(super) fn keep(&self, keep: &Keep) -> String {
        match keep {
            Keep::UntilWithdrawn => self.say("until consent is withdrawn", "至撤回同意时止"),
            Keep::After(after) => self.after(after),
        }
    }

    /// The day of the last review and the day of the next, judged as of today.
    pub(super) fn review(&self, reviewed: Date, review: Period) -> String {
        let next = review.after(reviewed);
        if next < self.today {
            return self.say(
                format!("last: {reviewed}\noverdue since {next}"),
                format!("上次：{reviewed}\n已逾期，应于{next}前完成"),
            );
        }
        self.say(
            format!("last: {reviewed}\nnext, by: {next}"),
            format!("上次：{reviewed}\n下次不晚于：{next}"),
        )
    }

    /// From when, until when, and whether it holds today.
    pub(super) fn agreement(&self, agreed: Agreed) -> String {
        let signed = agreed.signed;
        let term = match agreed.until {
            Some(until) => {
                self.say(format!("signed {signed}, until {until}"), format!("{signed}签订，至{until}"))
            }
            None => self.say(format!("signed {signed}, without an end"), format!("{signed}签订，未定终止日")),
        };
        let today = self.today;
        if agreed.in_force(today) {
            return term;
        }
        self.say(format!("{term}; not in force on {today}"), format!("{term}；{today}未生效或已失效"))
    }
}

/// What a purpose is about.
impl<'a> Scribe<'a> {
    /// The kinds of record that a purpose uses, in the order of the file.
    pub(super) fn kinds(&self, purpose: &Purpose) -> Vec<&'a Kind> {
        let uses = |kind: &&Kind| purpose.fields.iter().any(|used| used.kind == kind.name);
        self.policy.kinds.iter().filter(uses).collect()
    }

    /// The fields that a purpose uses, in the order of the file.
    pub(super) fn fields(&self, purpose: &Purpose) -> Vec<&'a Field> {
        let uses = |field: &&Field| purpose.fields.iter().any(|used| used.field == field.name);
        self.policy.fields.iter().filter(uses).collect()
    }

    /// Those of them that need special care.
    pub(super) fn sensitive(&self, purpose: &Purpose) -> Vec<&'a Field> {
        self.fields(purpose).into_iter().filter(|field| field.sensitive).collect()
    }

    /// Who may get data for a purpose, in the order of the purpose.
    pub(super) fn recipients(&self, purpose: &Purpose) -> Vec<&'a Recipient> {
        purpose.recipients.iter().filter_map(|name| self.policy.find_recipient(name.as_str())).collect()
    }

    /// The purposes for which a recipient gets data.
    pub(super) fn purposes_of(&self, recipient: &Recipient) -> Vec<&'a Purpose> {
        self.policy.purposes.iter().filter(|purpose| purpose.recipients.contains(&recipient.name)).collect()
    }

    /// A recipient with its kind and country.
    pub(super) fn recipient(&self, recipient: &Recipient) -> String {
        let kind = words::recipient_kind(recipient.kind).of(self.language);
        self.with(self.text(&recipient.title), &self.list(&[kind, &self.country(&recipient.place)]))
    }

    /// Where data of a purpose are or go to, and that lies outside of where this law holds: the shop's own place, then
    /// its recipients.
    pub(super) fn outside(&self, purpose: &Purpose) -> Vec<&'a Place> {
        let recipients = self.recipients(purpose).into_iter().map(|recipient| &recipient.place);
        let places = std::iter::once(&self.policy.shop.kept_in).chain(recipients);
        let mut outside: Vec<&Place> = Vec::new();
        for place in places.filter(|place| self.is_outside(place)) {
            if !outside.contains(&place) {
                outside.push(place);
            }
        }
        outside
    }

    pub(super) fn is_outside(&self, place: &Place) -> bool {
        match self.law {
            Law::Gdpr30 => !EEA.contains(&place.country()),
            Law::Cn => place.country() != "cn",
        }
    }

    /// The route that the file names for a recipient under this law.
    pub(super) fn route(&self, recipient: &Recipient) -> Option<String> {
        let law = match self.law {
            Law::Gdpr30 => "eu",
            Law::Cn => "cn",
        };
        let its = recipient.routes.iter().find(|one| one.law.as_ref().is_some_and(|at| at.as_str() == law));
        let named = its.or_else(|| recipient.routes.iter().find(|one| one.law.is_none()))?;
        Some(words::route(named.route).of(self.language).to_owned())
    }

    /// The routes of all recipients of a purpose that are outside; `None` where one has none, or the shop itself is outside.
    pub(super) fn routes(&self, purpose: &Purpose) -> Option<String> {
        if self.is_outside(&self.policy.shop.kept_in) {
            return None;
        }
        let recipients = self.recipients(purpose);
        let outside = recipients.into_iter().filter(|recipient| self.is_outside(&recipient.place));
        let said = |recipient: &Recipient| {
            let route = self.route(recipient)?;
            Some(self.with(&self.country(&recipient.place), &route))
        };
        let mut routes: Vec<String> = Vec::new();
        for recipient in outside {
            let route = said(recipient)?;
            if !routes.contains(&route) {
                routes.push(route);
            }
        }
        Some(routes.join("\n"))
    }

    /// Outside of what, in words.
    pub(super) fn where_outside(&self) -> String {
        match self.law {
            Law::Gdpr30 => self.say("outside the EEA", "欧洲经济区以外"),
            Law::Cn => self.say("outside mainland China", "境外"),
        }
    }
}

/// SOURCE: the member states of the Union, and Iceland, Liechtenstein and Norway by Decision 154/2018 of the EEA Joint
/// Committee; from knowledge.
const EEA: [&str; 31] = [
    "at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "eu", "fi", "fr", "gr", "hr", "hu", "ie", "is",
    "it", "li", "lt", "lu", "lv", "mt", "nl", "no", "pl", "pt", "ro", "se", "si", "sk",
];
