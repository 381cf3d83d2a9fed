//! From a policy and its registry to the table.

mod law;
mod table;

pub use table::{
    Clock, Compiled, CompiledField, CompiledKind, CompiledPurpose, CompiledRecipient, CompiledRole, Grant,
    Start, Terms,
};

use crate::model::{Field, Kind, Policy, Purpose, Shop};
use crate::name_table::NameTable;
use crate::normalise::Normaliser;
use crate::period::{After, Anchor, Keep};
use crate::registry::{COLLECTED_EVENT, KindEntry, Registry, RegistryFault};
use crate::set::{FieldMask, PurposeSet};
use crate::text::Name;
use crate::words::{Basis, RecipientKind};
use crate::zone::Zone;
use law::LawTable;
use table::PurposeSets;

/// The table of a policy.
///
/// Takes: a registry that has been extended by this policy. Fails: `SR-REG-004` if it has not, `SR-REG-001` and
/// `SR-REG-002` if it could not have been. The order of declarations in the
/// file makes no difference to what the table allows.
pub fn compile(policy: &Policy, registry: &Registry) -> Result<Compiled, RegistryFault> {
    let mut compiled = Compiled {
        zone: Zone::find(&policy.shop.zone),
        shop: policy.shop.clone(),
        window: policy.window.clone(),
        kinds: Vec::new(),
        kind_names: NameTable::default(),
        purposes: Vec::new(),
        purpose_names: NameTable::default(),
        recipients: Vec::new(),
        recipient_names: NameTable::default(),
        roles: Vec::new(),
        role_names: NameTable::default(),
        sets: PurposeSets::default(),
        law: LawTable::default(),
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
}

fn kind_of(
    kind: &Kind,
    policy: &Policy,
    registry: &Registry,
    purposes: usize,
) -> Result<CompiledKind, RegistryFault> {
    let entry = known_kind(&kind.name, registry)?;
    if entry.of() != kind.of.as_ref() {
        return Err(RegistryFault::ParentChanged { kind: kind.name.clone() });
    }
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
        if let Some(was) = entry.field_kind(ordinal).filter(|was| *was != field.kind) {
            let (kind, field, now) = (kind.name.clone(), name.clone(), field.kind);
            return Err(RegistryFault::FieldKindChanged { kind, field, was, now });
        }
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
        file: field.file.clone(),
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
