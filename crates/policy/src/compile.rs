//! A policy and its ordinals as an immutable table: what the gate, the seal and the pages look things up in.

use crate::model::{Field, Officer, Policy, Purpose, Recipient, Role, Shop};
use crate::name_table::NameTable;
use crate::normalise::Normaliser;
use crate::period::{After, Anchor, Keep};
use crate::registry::{COLLECTED_EVENT, EXTERNAL_ID, KindEntry, Registry, RegistryFault};
use crate::set::{FieldMask, PurposeSet, RecipientSet};
use crate::taxonomy::Category;
use crate::text::{Name, Text};
use crate::words::{Basis, FieldKind, Index, Mask, RecipientKind, Unit};
use crate::zone::Zone;

/// A policy ready for use. Immutable; share it behind an `Arc`.
#[derive(Debug)]
pub struct Compiled {
    shop: Shop,
    pub(crate) zone: Zone,
    kinds: Vec<Option<CompiledKind>>,
    kind_names: NameTable,
    purposes: Vec<Option<CompiledPurpose>>,
    purpose_names: NameTable,
    recipients: Vec<Option<CompiledRecipient>>,
    recipient_names: NameTable,
    roles: Vec<Option<CompiledRole>>,
    role_names: NameTable,
    pub(crate) sets: PurposeSets,
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
    ordinal: u8,
    name: Name,
    label: Text,
    of: Option<u8>,
    fields: Vec<Option<CompiledField>>,
    field_names: NameTable,
    events: Vec<(Name, u8)>,
    event_names: NameTable,
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

/// The table of a policy.
///
/// Takes: a registry that has been extended by this policy (`SR-REG-004` otherwise). The order of declarations in the
/// file makes no difference to what the table allows.
pub fn compile(policy: &Policy, registry: &Registry) -> Result<Compiled, RegistryFault> {
    let mut compiled = Compiled {
        zone: Zone::find(&policy.shop.zone),
        shop: policy.shop.clone(),
        kinds: Vec::new(),
        kind_names: NameTable::default(),
        purposes: Vec::new(),
        purpose_names: NameTable::default(),
        recipients: Vec::new(),
        recipient_names: NameTable::default(),
        roles: Vec::new(),
        role_names: NameTable::default(),
        sets: PurposeSets::default(),
    };
    for recipient in &policy.recipients {
        let ordinal = known("recipient", &recipient.name, registry.find_recipient(recipient.name.as_str()))?;
        let authority = recipient.kind == RecipientKind::Authority;
        put(
            &mut compiled.recipients,
            usize::from(ordinal),
            CompiledRecipient { ordinal, said: recipient.clone(), authority },
        );
    }
    for purpose in &policy.purposes {
        compiled.add_purpose(purpose, registry)?;
    }
    for role in &policy.roles {
        let ordinal = known("role", &role.name, registry.find_role(role.name.as_str()))?;
        let purposes = role.purposes.iter().filter_map(|name| registry.find_purpose(name.as_str())).collect();
        put(
            &mut compiled.roles,
            usize::from(ordinal),
            CompiledRole { ordinal, said: role.clone(), purposes },
        );
    }
    for kind in &policy.kinds {
        let built = kind_of(kind, policy, registry, compiled.purposes.len())?;
        put(&mut compiled.kinds, usize::from(built.ordinal), built);
    }
    compiled.kind_names =
        NameTable::of(policy.kinds.iter().filter_map(|kind| {
            Some((&kind.name, u16::from(registry.find_kind(kind.name.as_str())?.ordinal())))
        }));
    compiled.purpose_names =
        NameTable::of(compiled.purposes().map(|purpose| (&purpose.said.name, purpose.ordinal)));
    compiled.recipient_names =
        NameTable::of(compiled.recipients().map(|found| (&found.said.name, found.ordinal)));
    compiled.role_names =
        NameTable::of(compiled.roles().map(|role| (&role.said.name, u16::from(role.ordinal))));
    Ok(compiled)
}

impl Compiled {
    fn add_purpose(&mut self, purpose: &Purpose, registry: &Registry) -> Result<(), RegistryFault> {
        let ordinal = known("purpose", &purpose.name, registry.find_purpose(purpose.name.as_str()))?;
        let recipients =
            purpose.recipients.iter().filter_map(|name| registry.find_recipient(name.as_str())).collect();
        let legal = purpose.is_legal();
        let sets = &mut self.sets;
        sets.in_force.add(ordinal);
        match purpose.basis {
            Basis::Consent | Basis::SeparateConsent => sets.consent.add(ordinal),
            Basis::LegitimateInterest => sets.objectable.add(ordinal),
            Basis::Contract | Basis::LegalObligation | Basis::VitalInterest | Basis::PublicTask => {
                sets.standing_alone.add(ordinal);
            }
        }
        if legal {
            sets.legal.add(ordinal);
        }
        put(
            &mut self.purposes,
            usize::from(ordinal),
            CompiledPurpose { ordinal, said: purpose.clone(), recipients, legal },
        );
        Ok(())
    }

    /// The shop as the policy says it.
    pub fn shop(&self) -> &Shop {
        &self.shop
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

fn kind_of(
    kind: &crate::model::Kind,
    policy: &Policy,
    registry: &Registry,
    purposes: usize,
) -> Result<CompiledKind, RegistryFault> {
    let entry = known_kind(&kind.name, registry)?;
    let of = kind.of.as_ref().map(|of| known_kind(of, registry).map(KindEntry::ordinal)).transpose()?;
    let mut built = CompiledKind {
        ordinal: entry.ordinal(),
        name: kind.name.clone(),
        label: kind.label.clone(),
        of,
        fields: Vec::new(),
        field_names: NameTable::default(),
        events: Vec::new(),
        event_names: NameTable::default(),
        declared: FieldMask::EMPTY,
        indexed: FieldMask::EMPTY,
        grants: vec![Grant::default(); purposes],
        terms: Vec::new(),
        listing: PurposeSet::EMPTY,
    };
    for name in &kind.fields {
        let ordinal = known("field", name, entry.find_field(name.as_str()))?;
        let Some(field) = policy.find_field(name.as_str()) else { continue };
        built.declared.add(ordinal);
        if field.index.is_some() {
            built.indexed.add(ordinal);
        }
        put(&mut built.fields, usize::from(ordinal), field_of(field, ordinal, &policy.shop));
    }
    for event in &kind.events {
        let ordinal = known("event", event, entry.find_event(event.as_str()))?;
        built.events.push((event.clone(), ordinal));
    }
    for purpose in &policy.purposes {
        let ordinal = known("purpose", &purpose.name, registry.find_purpose(purpose.name.as_str()))?;
        add_grant(&mut built, purpose, ordinal, entry, registry)?;
    }
    // By ordinal, not by place in the file: the order of declarations must not show.
    built.terms.sort_by_key(|terms| terms.purpose);
    let fields = built.fields.iter().flatten();
    built.field_names = NameTable::of(fields.map(|field| (&field.name, u16::from(field.ordinal))));
    built.event_names = NameTable::of(built.events.iter().map(|(name, ordinal)| (name, u16::from(*ordinal))));
    Ok(built)
}

fn field_of(field: &Field, ordinal: u8, shop: &Shop) -> CompiledField {
    CompiledField {
        ordinal,
        name: field.name.clone(),
        kind: field.kind,
        normaliser: Normaliser::new(field.normalise, shop.region),
        mask: field.mask,
        index: field.index,
        unique: field.unique,
        sensitive: field.sensitive,
        category: field.category,
        label: field.label.clone(),
    }
}

fn add_grant(
    kind: &mut CompiledKind,
    purpose: &Purpose,
    ordinal: u16,
    entry: &KindEntry,
    registry: &Registry,
) -> Result<(), RegistryFault> {
    let mut grant = Grant::default();
    for used in purpose.fields.iter().filter(|used| used.kind == kind.name) {
        let field = known("field", &used.field, entry.find_field(used.field.as_str()))?;
        grant.allowed.add(field);
        if used.masked {
            grant.masked.add(field);
        }
        if used.optional {
            grant.optional.add(field);
        }
    }
    if grant.allowed.is_empty() {
        return Ok(());
    }
    if let Some(place) = kind.grants.get_mut(usize::from(ordinal)) {
        *place = grant;
    }
    kind.listing.add(ordinal);
    let clock = |after: &After| clock_of(after, kind.ordinal, registry);
    let keep = match &purpose.keep {
        Keep::UntilWithdrawn => None,
        Keep::After(after) => Some(clock(after)?),
    };
    let must_keep = purpose.must_keep.as_ref().map(clock).transpose()?;
    let at_most = purpose.at_most.as_ref().map(clock).transpose()?;
    kind.terms.push(Terms { purpose: ordinal, keep, must_keep, at_most });
    Ok(())
}

/// The clock in ordinals. The check has made sure that its event reaches this kind.
fn clock_of(after: &After, kind: u8, registry: &Registry) -> Result<Clock, RegistryFault> {
    let place = |of: &Name, event: &Name| {
        let entry = known_kind(of, registry)?;
        let event = known("event", event, entry.find_event(event.as_str()))?;
        Ok(if entry.ordinal() == kind {
            Start::Own(event)
        } else {
            Start::Child { kind: entry.ordinal(), event }
        })
    };
    let from = match &after.anchor {
        Anchor::Collected => Start::Own(COLLECTED_EVENT),
        Anchor::KindCollected(of) => match known_kind(of, registry)?.ordinal() {
            own if own == kind => Start::Own(COLLECTED_EVENT),
            child => Start::Child { kind: child, event: COLLECTED_EVENT },
        },
        Anchor::Event(of, event) => place(of, event)?,
    };
    Ok(Clock { count: after.period.count, unit: after.period.unit, from })
}

fn known_kind<'r>(name: &Name, registry: &'r Registry) -> Result<&'r KindEntry, RegistryFault> {
    known("record kind", name, registry.find_kind(name.as_str()))
}

fn known<T>(what: &'static str, name: &Name, ordinal: Option<T>) -> Result<T, RegistryFault> {
    ordinal.ok_or_else(|| RegistryFault::Unregistered { what, name: name.clone() })
}

/// Puts an entry at its ordinal, with gaps where ordinals are not in force.
fn put<T>(list: &mut Vec<Option<T>>, place: usize, entry: T) {
    while list.len() <= place {
        list.push(None);
    }
    if let Some(slot) = list.get_mut(place) {
        *slot = Some(entry);
    }
}
