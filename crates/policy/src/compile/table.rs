//! The table of a policy: what the gate, the seal and the pages look things up in. Immutable once built.

use super::law::LawTable;
use crate::file::FileRule;
use crate::model::{Officer, Purpose, Recipient, Role, Shop, Window};
use crate::name_table::NameTable;
use crate::normalise::Normaliser;
use crate::registry::{COLLECTED_EVENT, EXTERNAL_ID};
use crate::set::{FieldMask, PurposeSet, RecipientSet};
use crate::taxonomy::Category;
use crate::text::{Name, Text};
use crate::words::{FieldKind, Index, Mask, Unit};
use crate::zone::Zone;

/// A policy ready for use. Immutable; share it behind an `Arc`.
#[derive(Debug)]
pub struct Compiled {
    pub(super) shop: Shop,
    pub(super) window: Window,
    pub(crate) zone: Zone,
    pub(super) kinds: Vec<Option<CompiledKind>>,
    pub(super) kind_names: NameTable,
    pub(super) purposes: Vec<Option<CompiledPurpose>>,
    pub(super) purpose_names: NameTable,
    pub(super) recipients: Vec<Option<CompiledRecipient>>,
    pub(super) recipient_names: NameTable,
    pub(super) roles: Vec<Option<CompiledRole>>,
    pub(super) role_names: NameTable,
    pub(crate) sets: PurposeSets,
    /// What the laws that apply let nobody do.
    pub(crate) law: LawTable,
}

/// Purposes by what the gate asks about them.
#[derive(Debug, Default)]
pub(crate) struct PurposeSets {
    pub(crate) in_force: PurposeSet,
    pub(crate) consent: PurposeSet,
    pub(crate) objectable: PurposeSet,
    pub(crate) standing_alone: PurposeSet,
    pub(crate) legal: PurposeSet,
}

/// A record kind in force.
#[derive(Debug)]
pub struct CompiledKind {
    pub(super) ordinal: u8,
    pub(super) name: Name,
    pub(super) label: Text,
    pub(super) of: Option<u8>,
    pub(super) fields: Vec<Option<CompiledField>>,
    pub(super) field_names: NameTable,
    pub(super) events: Vec<(Name, u8)>,
    pub(super) event_names: NameTable,
    pub(crate) declared: FieldMask,
    pub(crate) indexed: FieldMask,
    /// What each purpose may use here, by its ordinal.
    pub(crate) grants: Vec<Grant>,
    /// The purposes that use anything here, with their clocks; by ordinal.
    pub(crate) terms: Vec<Terms>,
    pub(crate) listing: PurposeSet,
}

/// What one purpose may use of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// The fields it may use.
    pub allowed: FieldMask,
    /// Those of them that it sees masked.
    pub masked: FieldMask,
    /// Those of them that people may leave out.
    pub optional: FieldMask,
}

/// How long one purpose may, and must, keep what it uses of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The purpose.
    pub purpose: u16,
    /// How long it may; `None` until withdrawn.
    pub keep: Option<Clock>,
    /// How long it must.
    pub must_keep: Option<Clock>,
    /// The end of `keep` where its event never comes.
    pub at_most: Option<Clock>,
}

/// A period after an event, in ordinals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
    /// From when.
    pub from: Start,
}

/// The event a clock runs from, seen from the record whose clock it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// An event of the record itself.
    Own(u8),
    /// The latest such event among the records that belong to it.
    Child {
        /// Their kind.
        kind: u8,
        /// The event.
        event: u8,
    },
}

/// A field of a kind in force.
#[derive(Clone, Debug)]
pub struct CompiledField {
    /// Its ordinal within the kind.
    pub ordinal: u8,
    /// Its name.
    pub name: Name,
    /// What its values are.
    pub kind: FieldKind,
    /// How its texts are brought into one form.
    pub normaliser: Normaliser,
    /// How it is shown to those who need not see it all.
    pub mask: Option<Mask>,
    /// Which files it takes, if it holds files.
    pub file: Option<FileRule>,
    /// How it can be searched.
    pub index: Option<Index>,
    /// May no two subjects have the same value?
    pub unique: bool,
    /// Does it need special care?
    pub sensitive: bool,
    /// Its Fideslang data category.
    pub category: Category,
    /// Its name for people.
    pub label: Text,
}

impl CompiledField {
    /// A value of this field in its one form: parsed to the field's kind, then normalised.
    pub fn canonical(&self, given: crate::value::Given<'_>) -> Result<String, crate::value::ValueFault> {
        let text = self.kind.parse_given(given)?;
        if self.kind == FieldKind::Text { self.normaliser.apply(&text) } else { Ok(text) }
    }
}

/// A purpose in force.
#[derive(Clone, Debug)]
pub struct CompiledPurpose {
    /// Its ordinal.
    pub ordinal: u16,
    /// The purpose as the policy says it.
    pub said: Purpose,
    /// The recipients it may share with.
    pub recipients: RecipientSet,
    /// Does it outlive an erasure or a restriction?
    pub legal: bool,
}

/// A recipient in force.
#[derive(Clone, Debug)]
pub struct CompiledRecipient {
    /// Its ordinal.
    pub ordinal: u16,
    /// The recipient as the policy says it.
    pub said: Recipient,
    /// Is it a public authority, which signs no agreement?
    pub authority: bool,
}

/// A role in force.
#[derive(Clone, Debug)]
pub struct CompiledRole {
    /// Its ordinal.
    pub ordinal: u8,
    /// The role as the policy says it.
    pub said: Role,
    /// The purposes its holders may use.
    pub purposes: PurposeSet,
}

impl Compiled {
    /// The shop as the policy says it.
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// What the shop sets of the window.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Whom people turn to.
    pub fn officer(&self) -> &Officer {
        &self.shop.officer
    }

    /// The shop's time zone.
    pub fn zone(&self) -> &jiff::tz::TimeZone {
        self.zone.as_jiff()
    }

    /// The kind of that name, if it is in force.
    pub fn find_kind(&self, name: &str) -> Option<&CompiledKind> {
        let ordinal = self.kind_names.find(name)?;
        self.kinds.get(usize::from(ordinal))?.as_ref()
    }

    /// The kind of that ordinal, if it is in force.
    pub fn kind(&self, ordinal: u8) -> Option<&CompiledKind> {
        self.kinds.get(usize::from(ordinal))?.as_ref()
    }

    /// Every kind in force.
    pub fn kinds(&self) -> impl Iterator<Item = &CompiledKind> {
        self.kinds.iter().flatten()
    }

    /// The purpose of that name, if it is in force.
    pub fn find_purpose(&self, name: &str) -> Option<&CompiledPurpose> {
        self.purpose(self.purpose_names.find(name)?)
    }

    /// The purpose of that ordinal, if it is in force.
    pub fn purpose(&self, ordinal: u16) -> Option<&CompiledPurpose> {
        self.purposes.get(usize::from(ordinal))?.as_ref()
    }

    /// Every purpose in force.
    pub fn purposes(&self) -> impl Iterator<Item = &CompiledPurpose> {
        self.purposes.iter().flatten()
    }

    /// The purposes in force, as a set.
    pub fn purposes_in_force(&self) -> PurposeSet {
        self.sets.in_force
    }

    /// The purposes that stand only while a choice grants them.
    pub fn purposes_by_consent(&self) -> PurposeSet {
        self.sets.consent
    }

    /// The recipient of that name, if it is in force.
    pub fn find_recipient(&self, name: &str) -> Option<&CompiledRecipient> {
        self.recipient(self.recipient_names.find(name)?)
    }

    /// The recipient of that ordinal, if it is in force.
    pub fn recipient(&self, ordinal: u16) -> Option<&CompiledRecipient> {
        self.recipients.get(usize::from(ordinal))?.as_ref()
    }

    /// Every recipient in force.
    pub fn recipients(&self) -> impl Iterator<Item = &CompiledRecipient> {
        self.recipients.iter().flatten()
    }

    /// The role of that name, if it is in force.
    pub fn find_role(&self, name: &str) -> Option<&CompiledRole> {
        let ordinal = self.role_names.find(name)?;
        self.roles.get(usize::from(ordinal))?.as_ref()
    }

    /// Every role in force.
    pub fn roles(&self) -> impl Iterator<Item = &CompiledRole> {
        self.roles.iter().flatten()
    }
}

impl CompiledKind {
    /// Its ordinal.
    pub const fn ordinal(&self) -> u8 {
        self.ordinal
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its name for people.
    pub fn label(&self) -> &Text {
        &self.label
    }

    /// The kind its records belong to.
    pub const fn of(&self) -> Option<u8> {
        self.of
    }

    /// The field of that name, if this kind holds it now.
    pub fn find_field(&self, name: &str) -> Option<&CompiledField> {
        let ordinal = self.field_names.find(name)?;
        self.fields.get(usize::from(ordinal))?.as_ref()
    }

    /// The field of that ordinal, if this kind holds it now.
    pub fn field(&self, ordinal: u8) -> Option<&CompiledField> {
        self.fields.get(usize::from(ordinal))?.as_ref()
    }

    /// Every field it holds now, by ordinal.
    pub fn fields(&self) -> impl Iterator<Item = &CompiledField> {
        self.fields.iter().flatten()
    }

    /// The fields it holds now.
    pub const fn declared(&self) -> FieldMask {
        self.declared
    }

    /// The fields that can be searched.
    pub const fn indexed(&self) -> FieldMask {
        self.indexed
    }

    /// Those of the stored fields whose meaning the policy no longer declares: what the gate answers with a gap.
    pub const fn unknown_among(&self, stored: FieldMask) -> FieldMask {
        stored.minus(self.declared).without(EXTERNAL_ID)
    }

    /// The ordinal of an event; `collected` is built in.
    pub fn find_event(&self, name: &str) -> Option<u8> {
        if name == crate::period::COLLECTED {
            return Some(COLLECTED_EVENT);
        }
        u8::try_from(self.event_names.find(name)?).ok()
    }

    /// The events it declares, with their ordinals.
    pub fn events(&self) -> impl Iterator<Item = (&Name, u8)> {
        self.events.iter().map(|(name, ordinal)| (name, *ordinal))
    }

    /// What a purpose may use here; nothing, if it has no business here.
    pub fn grant(&self, purpose: u16) -> &Grant {
        const NOTHING: &Grant =
            &Grant { allowed: FieldMask::EMPTY, masked: FieldMask::EMPTY, optional: FieldMask::EMPTY };
        self.grants.get(usize::from(purpose)).unwrap_or(NOTHING)
    }

    /// The purposes that use anything here.
    pub const fn purposes(&self) -> PurposeSet {
        self.listing
    }

    /// How long each of those purposes may and must keep what it uses here.
    pub fn terms(&self) -> &[Terms] {
        &self.terms
    }
}
