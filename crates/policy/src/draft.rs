//! The policy as written: typed, with places, but its names not yet followed. What is `None` or left out was wrong
//! and has its finding already.

use crate::colour::Colour;
use crate::file::MediaType;
use crate::finding::At;
use crate::limit::Limit;
use crate::period::{After, Keep, Period};
use crate::read::table::S;
use crate::region::Region;
use crate::taxonomy::{Category, DataUse};
use crate::text::{Language, Name, Place, Text};
use crate::words::{
    Basis, Channel, Consideration, FieldKind, Index, Mask, Minors, Normalise, RecipientKind, RecipientRole,
    Route, SectionId, ShopRole, Size, Weight, WindowAnswer,
};
use jiff::civil::Date;

#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) shop: DraftShop,
    pub(crate) kinds: Vec<DraftKind>,
    pub(crate) fields: Vec<DraftField>,
    pub(crate) purposes: Vec<DraftPurpose>,
    pub(crate) recipients: Vec<DraftRecipient>,
    pub(crate) roles: Vec<DraftRole>,
    pub(crate) notes: Vec<DraftNote>,
    pub(crate) window: Option<DraftWindow>,
}

#[derive(Default)]
pub(crate) struct DraftShop {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<Text>,
    pub(crate) languages: Vec<Language>,
    pub(crate) zone: Option<String>,
    pub(crate) region: Option<Region>,
    pub(crate) serves: Vec<S<Place>>,
    pub(crate) kept_in: Option<S<Place>>,
    pub(crate) established_in: Option<S<Place>>,
    pub(crate) sells_on: Vec<S<Channel>>,
    pub(crate) acts_as: Option<S<ShopRole>>,
    pub(crate) address: Option<String>,
    pub(crate) persons: Option<S<u64>>,
    pub(crate) minors: Option<S<Minors>>,
    pub(crate) representatives: Vec<DraftRepresentative>,
    /// Where `[shop]` itself stands.
    pub(crate) at: At,
    pub(crate) officer_name: Option<String>,
    pub(crate) officer_contact: Option<String>,
    pub(crate) reviewed: Option<S<Date>>,
    pub(crate) review: Option<S<Period>>,
}

impl DraftShop {
    /// Where its business has its seat; where the data is kept, if the file does not say.
    pub(crate) fn seat(&self) -> Option<&Place> {
        self.established_in.as_ref().or(self.kept_in.as_ref()).map(|place| &place.value)
    }

    /// Where it sells: in a shop of its own, if the file does not say.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        if self.sells_on.is_empty() {
            return vec![Channel::Own];
        }
        self.sells_on.iter().map(|channel| channel.value).collect()
    }
}

/// Who stands for the shop where it has no seat.
pub(crate) struct DraftRepresentative {
    pub(crate) place: S<Place>,
    pub(crate) name: Option<String>,
    pub(crate) contact: Option<String>,
}

pub(crate) struct DraftKind {
    pub(crate) name: S<Name>,
    pub(crate) label: Option<Text>,
    pub(crate) of: Option<S<Name>>,
    pub(crate) fields: Vec<S<Name>>,
    pub(crate) fields_at: At,
    /// Could the list of fields be read at all?
    pub(crate) fields_known: bool,
    pub(crate) events: Vec<S<Name>>,
    /// What it is in law.
    pub(crate) is: Vec<S<&'static str>>,
}

impl DraftKind {
    pub(crate) fn holds(&self, field: &str) -> bool {
        self.fields.iter().any(|held| held.value.as_str() == field)
    }

    pub(crate) fn find_event(&self, event: &str) -> Option<&S<Name>> {
        self.events.iter().find(|declared| declared.value.as_str() == event)
    }
}

pub(crate) struct DraftField {
    pub(crate) name: S<Name>,
    /// `None` when it was written but is wrong.
    pub(crate) kind: Option<FieldKind>,
    pub(crate) category: Option<S<Category>>,
    pub(crate) label: Option<Text>,
    pub(crate) normalise: Option<S<Normalise>>,
    pub(crate) index: Option<S<Index>>,
    pub(crate) unique: Option<S<bool>>,
    pub(crate) mask: Option<S<Mask>>,
    /// A mask was written, whether or not it is one.
    pub(crate) mask_written: bool,
    pub(crate) sensitive: Option<S<bool>>,
    /// The media types that could be read.
    pub(crate) media: Vec<MediaType>,
    /// Where media types are written, whether or not they are some.
    pub(crate) media_at: Option<At>,
    /// The list is there, and is empty.
    pub(crate) media_is_empty: bool,
    /// `None` when it was left out, or could not be read.
    pub(crate) at_most: Option<u64>,
    pub(crate) at_most_at: Option<At>,
}

impl DraftField {
    /// Sensitive as declared, otherwise by its category.
    pub(crate) fn is_sensitive(&self) -> bool {
        match &self.sensitive {
            Some(said) => said.value,
            None => self.category.is_some_and(|category| !category.value.sensitive_by().is_empty()),
        }
    }
}

pub(crate) struct DraftPurpose {
    pub(crate) name: S<Name>,
    pub(crate) data_use: Option<DataUse>,
    pub(crate) use_at: At,
    pub(crate) basis: Option<S<Basis>>,
    pub(crate) says: Option<Text>,
    pub(crate) fields: Vec<DraftUse>,
    /// Where an empty list of fields stands, or where one is missing.
    pub(crate) no_fields_at: Option<At>,
    pub(crate) keep: Option<DraftKeep>,
    /// `keep` was written, whether or not it could be read.
    pub(crate) keep_written: bool,
    pub(crate) must_keep: Option<DraftClock>,
    pub(crate) at_most: Option<DraftClock>,
    pub(crate) law: Option<DraftLaw>,
    pub(crate) law_written: bool,
    pub(crate) recipients: Vec<S<Name>>,
    pub(crate) limit: Option<Limit>,
    pub(crate) assessed: Option<S<Date>>,
    pub(crate) similar: Option<S<bool>>,
    pub(crate) ask_again: Option<S<Period>>,
    pub(crate) wait: Option<S<Period>>,
    pub(crate) label: Option<Text>,
    pub(crate) cookies: Vec<String>,
    pub(crate) storage: Vec<String>,
}

/// `90d after order.delivered`, and where its event stands.
#[derive(Clone)]
pub(crate) struct DraftClock {
    pub(crate) value: After,
    pub(crate) at: At,
    pub(crate) event_at: At,
}

/// The law behind a duty to keep, as people are shown it.
pub(crate) enum DraftLaw {
    /// The same words for everybody.
    Once(String),
    /// In each language.
    InEach(Text),
}

pub(crate) enum DraftKeep {
    UntilWithdrawn(At),
    After(DraftClock),
}

impl DraftKeep {
    pub(crate) fn to_keep(&self) -> Keep {
        match self {
            Self::UntilWithdrawn(_) => Keep::UntilWithdrawn,
            Self::After(clock) => Keep::After(clock.value.clone()),
        }
    }
}

pub(crate) struct DraftUse {
    pub(crate) at: At,
    pub(crate) kind: Option<Name>,
    pub(crate) field: Name,
    pub(crate) masked: bool,
    pub(crate) optional: bool,
}

pub(crate) struct DraftRecipient {
    pub(crate) name: S<Name>,
    pub(crate) kind: Option<RecipientKind>,
    pub(crate) title: Option<Text>,
    pub(crate) place: Option<S<Place>>,
    pub(crate) acts_as: Option<S<RecipientRole>>,
    pub(crate) contact: Option<String>,
    pub(crate) routes: Vec<DraftRoute>,
    pub(crate) agreement: Option<S<DraftAgreement>>,
    /// An agreement was written, whether or not it could be read.
    pub(crate) agreement_written: bool,
    pub(crate) keep: Option<DraftClock>,
    pub(crate) consideration: Option<S<Consideration>>,
    pub(crate) reviewed: Option<S<Date>>,
    pub(crate) review: Option<S<Period>>,
}

impl DraftRecipient {
    /// What it is in the eyes of the law.
    pub(crate) fn role(&self) -> Option<RecipientRole> {
        self.acts_as.map(|role| role.value).or_else(|| self.kind.map(RecipientKind::usual_role))
    }
}

/// A route abroad, under the law of one place or of all.
pub(crate) struct DraftRoute {
    pub(crate) law: Option<Place>,
    pub(crate) route: S<Route>,
}

#[derive(Clone, Copy)]
pub(crate) struct DraftAgreement {
    pub(crate) signed: S<Date>,
    pub(crate) until: Option<S<Date>>,
}

pub(crate) struct DraftRole {
    pub(crate) name: S<Name>,
    pub(crate) label: Option<Text>,
    pub(crate) purposes: Vec<S<Name>>,
}

pub(crate) struct DraftNote {
    pub(crate) name: S<Name>,
    pub(crate) title: Option<Text>,
    pub(crate) body: Option<Text>,
    pub(crate) after: Option<SectionId>,
}

/// `[window]`.
pub(crate) struct DraftWindow {
    pub(crate) at: At,
    pub(crate) order: Option<S<Vec<WindowAnswer>>>,
    pub(crate) on: Vec<S<Name>>,
    pub(crate) accept: DraftButton,
    pub(crate) reject: DraftButton,
    pub(crate) choose: DraftButton,
}

impl DraftWindow {
    pub(crate) fn buttons(&self) -> [(WindowAnswer, &DraftButton); 3] {
        [
            (WindowAnswer::Accept, &self.accept),
            (WindowAnswer::Reject, &self.reject),
            (WindowAnswer::Choose, &self.choose),
        ]
    }
}

/// `[window.ANSWER]`.
#[derive(Default)]
pub(crate) struct DraftButton {
    /// Where it is named, if it is.
    pub(crate) at: Option<At>,
    pub(crate) label: Option<S<Text>>,
    pub(crate) text: Option<S<Colour>>,
    pub(crate) background: Option<S<Colour>>,
    pub(crate) weight: Option<S<Weight>>,
    pub(crate) size: Option<S<Size>>,
}

impl DraftButton {
    pub(crate) fn weight(&self) -> Weight {
        self.weight.map_or(Weight::Usual, |weight| weight.value)
    }

    pub(crate) fn size(&self) -> Size {
        self.size.map_or(Size::Usual, |size| size.value)
    }
}
