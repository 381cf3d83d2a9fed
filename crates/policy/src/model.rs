//! A checked policy: what the shop promises, as types. Only the check makes one, so whoever holds a [`Policy`]
//! knows that every name in it leads somewhere and every text exists in every language of the shop.

use crate::colour::Colour;
use crate::file::FileRule;
use crate::law::Citation;
use crate::lawful::activity;
use crate::limit::Limit;
use crate::period::{After, Keep, Period};
use crate::region::Region;
use crate::taxonomy::{Category, DataUse};
use crate::text::{Language, Name, Place, Text};
use crate::words::{
    Basis, Channel, Consideration, FieldKind, Index, Mask, Minors, Normalise, RecipientKind, RecipientRole,
    Route, SectionId, ShopRole, Size, Weight, WindowAnswer,
};
use jiff::civil::Date;

/// A policy without errors, in the order of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Who keeps the data.
    pub shop: Shop,
    /// The kinds of record.
    pub kinds: Vec<Kind>,
    /// The fields, each perhaps held by several kinds.
    pub fields: Vec<Field>,
    /// Why data is used.
    pub purposes: Vec<Purpose>,
    /// Who outside the shop gets data.
    pub recipients: Vec<Recipient>,
    /// What staff may use data for.
    pub roles: Vec<Role>,
    /// What the shop adds to its notice in its own words.
    pub notes: Vec<Note>,
    /// What it sets of the window, if anything.
    pub window: Window,
}

/// A line of the policy file, from 1. Two policies that differ only in lines are equal.
#[derive(Clone, Copy, Debug, Eq)]
pub struct Line(pub u32);

impl PartialEq for Line {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The shop: the controller whose policy this is.
#[derive(Clone, Debug, PartialEq)]
pub struct Shop {
    /// Its id: `[a-z][a-z0-9-]*`, 2 to 40 characters.
    pub id: String,
    /// Its name for people.
    pub name: Text,
    /// The languages every text exists in; the first is the shop's own.
    pub languages: Vec<Language>,
    /// The IANA name of its time zone.
    pub zone: String,
    /// Where phone numbers without a calling code belong.
    pub region: Region,
    /// Whose consumers it serves: the packs that apply.
    pub serves: Vec<Place>,
    /// Where the data is kept.
    pub kept_in: Place,
    /// Where its business has its seat.
    pub established_in: Place,
    /// Where it sells: the rules of marketplaces that apply.
    pub sells_on: Vec<Channel>,
    /// What it is in the eyes of laws on electronic commerce.
    pub acts_as: ShopRole,
    /// The name of the business and its address.
    pub address: Option<String>,
    /// Of how many persons it has data.
    pub persons: Option<u64>,
    /// How people are treated who may not decide for themselves yet.
    pub minors: Option<Minors>,
    /// Who stands for it where it has no seat.
    pub representatives: Vec<Representative>,
    /// Whom people turn to.
    pub officer: Officer,
    /// When a person last read this policy from end to end.
    pub reviewed: Date,
    /// How often that must happen.
    pub review: Period,
}

/// Who stands for the shop where it has no seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Representative {
    /// Where: `eu`, `uk`, `cn`.
    pub place: Place,
    /// Their name.
    pub name: String,
    /// How to reach them.
    pub contact: String,
}

/// The person responsible for personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officer {
    /// Their name or office.
    pub name: String,
    /// How to reach them.
    pub contact: String,
}

/// A kind of record.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Its name.
    pub name: Name,
    /// Its name for people.
    pub label: Text,
    /// The kind its records belong to, one level up.
    pub of: Option<Name>,
    /// The fields it holds.
    pub fields: Vec<Name>,
    /// What can happen to its records.
    pub events: Vec<Name>,
    /// What it is in law, in the words of the packs: `transaction`, `invoice`.
    pub is: Vec<&'static str>,
    /// Where it is declared.
    pub line: Line,
}

/// A declared personal datum.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// What its values are.
    pub kind: FieldKind,
    /// Its Fideslang data category.
    pub category: Category,
    /// Its name for people.
    pub label: Text,
    /// How its texts are brought into one form.
    pub normalise: Normalise,
    /// How it can be searched.
    pub index: Option<Index>,
    /// May no two subjects have the same value?
    pub unique: bool,
    /// How it is shown to those who need not see it all.
    pub mask: Option<Mask>,
    /// Which files it takes, if it holds files.
    pub file: Option<FileRule>,
    /// Does it need special care?
    pub sensitive: bool,
    /// The laws that say so, if it is sensitive by its category.
    pub sensitive_by: &'static [Citation],
    /// Where it is declared.
    pub line: Line,
}

/// Why data is used, on what ground, for how long, and who gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Purpose {
    /// Its name.
    pub name: Name,
    /// Its Fideslang data use.
    pub data_use: DataUse,
    /// Why the shop may.
    pub basis: Basis,
    /// What it is, for people.
    pub says: Text,
    /// The fields it uses, every mention resolved to the kinds that hold them.
    pub fields: Vec<Used>,
    /// How long it may use them.
    pub keep: Keep,
    /// How long a law demands that they stay.
    pub must_keep: Option<After>,
    /// The end of `keep` where its event never comes.
    pub at_most: Option<After>,
    /// The law behind `must_keep`, in the words of the shop's first language where there are several.
    pub law: Option<String>,
    /// The same in each language, where the file says it in each.
    pub law_text: Option<Text>,
    /// The recipients it may share them with.
    pub recipients: Vec<Name>,
    /// How many persons one credential may reach for it, as the file says; [`Purpose::limit`] is what holds.
    pub limit: Option<Limit>,
    /// When its impact on people was assessed.
    pub assessed: Option<Date>,
    /// Advertising for the shop's own similar goods, to addresses out of a sale, with a way out each time.
    pub similar: bool,
    /// How long a yes stands; `None` until it is withdrawn.
    pub ask_again: Option<Period>,
    /// How long whoever said no is not asked again on a page; `None` for ever.
    pub wait: Option<Period>,
    /// What it is called, for people; what it says serves as that where it has no name.
    pub label: Option<Text>,
    /// Cookies that a page sets for it; `*` stands for any characters. Whoever withdraws has them cleared.
    pub cookies: Vec<String>,
    /// Keys of a browser's storage for it, likewise.
    pub storage: Vec<String>,
    /// Where it is declared.
    pub line: Line,
}

impl Purpose {
    /// How many persons one credential may reach for it.
    pub fn limit(&self) -> Limit {
        self.limit.unwrap_or(Limit::USUAL)
    }

    /// Does a program work out from it what somebody sees: recommendations, a profile, advertisements aimed at them?
    pub fn is_automated(&self) -> bool {
        matches!(activity(self.data_use), Some("recommendation" | "profiling" | "targeted_ads"))
    }

    /// Is there a law behind it that outlives an erasure or a restriction?
    pub fn is_legal(&self) -> bool {
        self.must_keep.is_some() || self.basis == Basis::LegalObligation
    }
}

/// One field of one kind, as a purpose uses it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    /// The kind of record.
    pub kind: Name,
    /// The field.
    pub field: Name,
    /// Shown masked?
    pub masked: bool,
    /// May people leave it out?
    pub optional: bool,
}

/// Someone outside the shop who gets data.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipient {
    /// Its name in the file.
    pub name: Name,
    /// What it does for the shop.
    pub kind: RecipientKind,
    /// Its name for people.
    pub title: Text,
    /// The country it is in.
    pub place: Place,
    /// Does it act on instructions, or decide by itself?
    pub acts_as: RecipientRole,
    /// How people reach it.
    pub contact: Option<String>,
    /// By which route data of people elsewhere reaches it.
    pub routes: Vec<RouteAbroad>,
    /// The agreement with it.
    pub agreement: Option<Agreed>,
    /// How long it may keep what it got.
    pub keep: Option<After>,
    /// What the shop gets for the data.
    pub consideration: Consideration,
    /// When it was last reviewed.
    pub reviewed: Option<Date>,
    /// How often it must be reviewed.
    pub review: Option<Period>,
    /// Where it is declared.
    pub line: Line,
}

impl Recipient {
    /// Must there be an agreement before it gets anything? An authority signs none.
    pub fn needs_agreement(&self) -> bool {
        self.kind != RecipientKind::Authority
    }
}

/// A route abroad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAbroad {
    /// Under whose law; `None` under every one.
    pub law: Option<Place>,
    /// Which.
    pub route: Route,
}

/// An agreement with a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The day it was signed.
    pub signed: Date,
    /// Its last day; without one it runs on.
    pub until: Option<Date>,
}

impl Agreed {
    /// Is it in force on this day? Both its first and its last day count.
    pub fn in_force(&self, day: Date) -> bool {
        self.signed <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// What a group of staff may use data for.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Its name.
    pub name: Name,
    /// Its name for people.
    pub label: Text,
    /// The purposes it may use.
    pub purposes: Vec<Name>,
    /// Where it is declared.
    pub line: Line,
}

/// What the shop adds to its notice in its own words. It decides nothing: the gate does not know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Its name.
    pub name: Name,
    /// Its heading.
    pub title: Text,
    /// What it says, in paragraphs with an empty line between them.
    pub body: Text,
    /// The section of the notice behind which it stands; `None` at the end.
    pub after: Option<SectionId>,
    /// Where it is declared.
    pub line: Line,
}

/// What a shop sets of the window: of the banner's first layer. Without it the window is as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The answers, in their order: all three.
    pub order: [WindowAnswer; 3],
    /// Purposes whose switch is on before anybody touched it, where a law is one of opting out.
    pub on: Vec<Name>,
    /// What accepts.
    pub accept: Button,
    /// What rejects.
    pub reject: Button,
    /// What leads to the choices one by one.
    pub choose: Button,
}

impl Default for Window {
    fn default() -> Self {
        let order = [WindowAnswer::Accept, WindowAnswer::Reject, WindowAnswer::Choose];
        let [accept, reject, choose] = [const { Button::USUAL }; 3];
        Self { order, on: Vec::new(), accept, reject, choose }
    }
}

impl Window {
    /// A button by its answer.
    pub const fn button(&self, answer: WindowAnswer) -> &Button {
        match answer {
            WindowAnswer::Accept => &self.accept,
            WindowAnswer::Reject => &self.reject,
            WindowAnswer::Choose => &self.choose,
        }
    }
}

/// A button of the window, as far as a shop sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says; the window's own words, if nothing.
    pub label: Option<Text>,
    /// The colours of its text and of what is behind it; the window's own, if none.
    pub colours: Option<(Colour, Colour)>,
    /// How heavy its text is.
    pub weight: Weight,
    /// How large it is.
    pub size: Size,
}

impl Button {
    const USUAL: Self = Self { label: None, colours: None, weight: Weight::Usual, size: Size::Usual };
}

impl Policy {
    /// The kind of that name.
    pub fn find_kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name.as_str() == name)
    }

    /// The field of that name.
    pub fn find_field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.as_str() == name)
    }

    /// The purpose of that name.
    pub fn find_purpose(&self, name: &str) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.name.as_str() == name)
    }

    /// The recipient of that name.
    pub fn find_recipient(&self, name: &str) -> Option<&Recipient> {
        self.recipients.iter().find(|recipient| recipient.name.as_str() == name)
    }
}
