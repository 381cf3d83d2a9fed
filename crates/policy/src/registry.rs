//! Names get numbers that are never used again. Sealed records, ledger entries and the gate speak in ordinals; a name
//! that is taken out of the policy keeps its ordinal, and when it comes back it gets the same one.
//!
//! The registry only grows. Stored beside the policy versions as canonical JSON: keys sorted, no blanks.

use crate::model::Policy;
use crate::set::FieldMask;
use crate::text::Name;
use crate::words::FieldKind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The ordinal of a record's sealed external id; no policy declares it.
pub const EXTERNAL_ID: u8 = 255;
/// The ordinal of the built-in event `collected`.
pub const COLLECTED_EVENT: u8 = 63;

/// Every name that any version of the policy has declared, with its ordinal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Registry {
    kinds: BTreeMap<Name, KindEntry>,
    purposes: BTreeMap<Name, u16>,
    recipients: BTreeMap<Name, u16>,
    roles: BTreeMap<Name, u8>,
}

/// A record kind's ordinal, and those of its fields and events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindEntry {
    ordinal: u8,
    of: Option<Name>,
    fields: BTreeMap<Name, FieldEntry>,
    events: BTreeMap<Name, u8>,
}

/// A field's ordinal, and what its values are for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldEntry {
    ordinal: u8,
    kind: FieldKind,
}

/// Why a registry cannot take a policy, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryFault {
    /// A field's values would change their type.
    #[error("field `{field}` of `{kind}` is `{was}` and cannot become `{now}`")]
    FieldKindChanged {
        /// The record kind.
        kind: Name,
        /// The field.
        field: Name,
        /// What its stored values are.
        was: FieldKind,
        /// What the policy says now.
        now: FieldKind,
    },
    /// A kind's records would belong elsewhere.
    #[error("records of kind `{kind}` cannot come to belong to another kind")]
    ParentChanged {
        /// The record kind.
        kind: Name,
    },
    /// All ordinals of some sort have been given out over the years.
    #[error("no ordinal is left for {what} `{name}`")]
    Exhausted {
        /// What the name names.
        what: &'static str,
        /// The name that found no place.
        name: Name,
    },
    /// The policy declares a name that the registry does not have; extend it first.
    #[error("{what} `{name}` has no ordinal yet")]
    Unregistered {
        /// What the name names.
        what: &'static str,
        /// The name.
        name: Name,
    },
    /// A stored registry contradicts itself.
    #[error("the stored registry gives an ordinal twice or out of range")]
    Contradictory,
    /// A stored registry is of another format.
    #[error("the stored registry is of another format")]
    OtherFormat,
}

impl RegistryFault {
    /// The code as people quote it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::FieldKindChanged { .. } => "SR-REG-001",
            Self::ParentChanged { .. } => "SR-REG-002",
            Self::Exhausted { .. } => "SR-REG-003",
            Self::Unregistered { .. } => "SR-REG-004",
            Self::Contradictory => "SR-REG-005",
            Self::OtherFormat => "SR-REG-006",
        }
    }

    /// How to mend it.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::FieldKindChanged { .. } => {
                "stored values keep their type: declare the field under a new name"
            }
            Self::ParentChanged { .. } => {
                "stored records keep their place: declare the kind under a new name"
            }
            Self::Exhausted { .. } => {
                "names that were ever used count: use an old name again instead of a new one"
            }
            Self::Unregistered { .. } => "extend the registry by this policy first",
            Self::Contradictory | Self::OtherFormat => {
                "restore the registry from the last published policy version"
            }
        }
    }
}

impl Registry {
    /// This registry and every name of the policy that it does not have yet.
    ///
    /// New names are numbered in the order of the alphabet, so that the order of the file does not matter.
    /// Fails: `SR-REG-001` to `SR-REG-003`; the registry itself stays as it was.
    pub fn extended_by(&self, policy: &Policy) -> Result<Self, RegistryFault> {
        let mut extended = self.clone();
        for kind in sorted(&policy.kinds, |kind| &kind.name) {
            extended.add_kind(kind, policy)?;
        }
        let purposes = policy.purposes.iter().map(|purpose| &purpose.name);
        add_all(&mut extended.purposes, purposes, 256, "purpose")?;
        let recipients = policy.recipients.iter().map(|recipient| &recipient.name);
        add_all(&mut extended.recipients, recipients, 256, "recipient")?;
        add_all(&mut extended.roles, policy.roles.iter().map(|role| &role.name), 256, "role")?;
        Ok(extended)
    }

    fn add_kind(&mut self, kind: &crate::model::Kind, policy: &Policy) -> Result<(), RegistryFault> {
        let taken = self.kinds.values().map(|entry| entry.ordinal).max();
        if !self.kinds.contains_key(&kind.name) {
            let ordinal =
                next(taken.map(u32::from), 255).ok_or_else(|| exhausted("record kind", &kind.name))?;
            let entry =
                KindEntry { ordinal, of: kind.of.clone(), fields: BTreeMap::new(), events: BTreeMap::new() };
            self.kinds.insert(kind.name.clone(), entry);
        }
        let Some(entry) = self.kinds.get_mut(&kind.name) else { return Ok(()) };
        if entry.of != kind.of {
            return Err(RegistryFault::ParentChanged { kind: kind.name.clone() });
        }
        for name in sorted(&kind.fields, |name| name) {
            let Some(now) = policy.find_field(name.as_str()).map(|field| field.kind) else { continue };
            match entry.fields.get(name) {
                Some(known) if known.kind == now => {}
                Some(known) => {
                    let (kind, field) = (kind.name.clone(), name.clone());
                    return Err(RegistryFault::FieldKindChanged { kind, field, was: known.kind, now });
                }
                None => {
                    let taken = entry.fields.values().map(|field| u32::from(field.ordinal)).max();
                    let ordinal =
                        next(taken, u32::from(EXTERNAL_ID)).ok_or_else(|| exhausted("field", name))?;
                    entry.fields.insert(name.clone(), FieldEntry { ordinal, kind: now });
                }
            }
        }
        add_all(&mut entry.events, kind.events.iter(), u32::from(COLLECTED_EVENT), "event")
    }

    /// The kind of that name, whether or not a policy still declares it.
    pub fn find_kind(&self, name: &str) -> Option<&KindEntry> {
        self.kinds.get(name)
    }

    /// Every kind that was ever declared.
    pub fn kinds(&self) -> impl Iterator<Item = (&Name, &KindEntry)> {
        self.kinds.iter()
    }

    /// The ordinal of a purpose that was ever declared.
    pub fn find_purpose(&self, name: &str) -> Option<u16> {
        self.purposes.get(name).copied()
    }

    /// The ordinal of a recipient that was ever declared.
    pub fn find_recipient(&self, name: &str) -> Option<u16> {
        self.recipients.get(name).copied()
    }

    /// The ordinal of a role that was ever declared.
    pub fn find_role(&self, name: &str) -> Option<u8> {
        self.roles.get(name).copied()
    }

    /// The name of a purpose's ordinal, for entries written long ago.
    pub fn purpose_name(&self, ordinal: u16) -> Option<&Name> {
        self.purposes.iter().find(|(_, known)| **known == ordinal).map(|(name, _)| name)
    }

    /// The name of a recipient's ordinal.
    pub fn recipient_name(&self, ordinal: u16) -> Option<&Name> {
        self.recipients.iter().find(|(_, known)| **known == ordinal).map(|(name, _)| name)
    }

    /// The name and entry of a kind's ordinal.
    pub fn kind_of(&self, ordinal: u8) -> Option<(&Name, &KindEntry)> {
        self.kinds.iter().find(|(_, entry)| entry.ordinal == ordinal)
    }

    /// The canonical JSON in which a registry is stored.
    pub fn to_json(&self) -> String {
        // Maps with names for keys, and numbers: nothing in here can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A stored registry.
    pub fn from_json(text: &str) -> Result<Self, RegistryFault> {
        let stored: Stored = serde_json::from_str(text).map_err(|_| RegistryFault::OtherFormat)?;
        Self::try_from(stored)
    }
}

impl KindEntry {
    /// The kind's ordinal.
    pub const fn ordinal(&self) -> u8 {
        self.ordinal
    }

    /// The kind its records belong to.
    pub fn of(&self) -> Option<&Name> {
        self.of.as_ref()
    }

    /// The ordinal of a field that was ever declared here.
    pub fn find_field(&self, name: &str) -> Option<u8> {
        self.fields.get(name).map(|field| field.ordinal)
    }

    /// The ordinal of an event; `collected` is built in.
    pub fn find_event(&self, name: &str) -> Option<u8> {
        if name == crate::period::COLLECTED { Some(COLLECTED_EVENT) } else { self.events.get(name).copied() }
    }

    /// The name of a field's ordinal, whether or not a policy still declares it.
    pub fn field_name(&self, ordinal: u8) -> Option<&Name> {
        self.fields.iter().find(|(_, field)| field.ordinal == ordinal).map(|(name, _)| name)
    }

    /// What a field's stored values are.
    pub fn field_kind(&self, ordinal: u8) -> Option<FieldKind> {
        self.fields.values().find(|field| field.ordinal == ordinal).map(|field| field.kind)
    }

    /// Every field that was ever declared here.
    pub fn all_fields(&self) -> FieldMask {
        self.fields.values().map(|field| field.ordinal).collect()
    }
}

fn sorted<T>(items: &[T], name: impl Fn(&T) -> &Name) -> Vec<&T> {
    let mut sorted: Vec<&T> = items.iter().collect();
    sorted.sort_by(|a, b| name(a).cmp(name(b)));
    sorted
}

fn exhausted(what: &'static str, name: &Name) -> RegistryFault {
    RegistryFault::Exhausted { what, name: name.clone() }
}

/// The ordinal after the highest taken, below `end`.
fn next<T: TryFrom<u32>>(taken: Option<u32>, end: u32) -> Option<T> {
    let free = taken.map_or(0, |taken| taken + 1);
    if free < end { T::try_from(free).ok() } else { None }
}

fn add_all<'n, T: Copy + Ord + Into<u32> + TryFrom<u32>>(
    map: &mut BTreeMap<Name, T>,
    names: impl Iterator<Item = &'n Name>,
    end: u32,
    what: &'static str,
) -> Result<(), RegistryFault> {
    let new: BTreeSet<&Name> = names.filter(|name| !map.contains_key(*name)).collect();
    for name in new {
        let taken = map.values().copied().max().map(Into::into);
        let ordinal = next(taken, end).ok_or_else(|| exhausted(what, name))?;
        map.insert(name.clone(), ordinal);
    }
    Ok(())
}

/// The stored form: the same, with its format number, and not yet trusted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    kinds: BTreeMap<Name, KindEntry>,
    purposes: BTreeMap<Name, u16>,
    recipients: BTreeMap<Name, u16>,
    roles: BTreeMap<Name, u8>,
}

impl From<Registry> for Stored {
    fn from(registry: Registry) -> Self {
        let Registry { kinds, purposes, recipients, roles } = registry;
        Self { format: 1, kinds, purposes, recipients, roles }
    }
}

impl TryFrom<Stored> for Registry {
    type Error = RegistryFault;

    fn try_from(stored: Stored) -> Result<Self, RegistryFault> {
        if stored.format != 1 {
            return Err(RegistryFault::OtherFormat);
        }
        let kinds_fit = stored.kinds.values().all(|kind| {
            let parent_known = kind.of.as_ref().is_none_or(|of| stored.kinds.contains_key(of));
            let fields_fit =
                distinct(kind.fields.values().map(|field| field.ordinal), u32::from(EXTERNAL_ID));
            parent_known && fields_fit && distinct(kind.events.values().copied(), u32::from(COLLECTED_EVENT))
        });
        let all_fit = kinds_fit
            && distinct(stored.kinds.values().map(|kind| kind.ordinal), 255)
            && distinct(stored.purposes.values().copied(), 256)
            && distinct(stored.recipients.values().copied(), 256)
            && distinct(stored.roles.values().copied(), 256);
        let Stored { kinds, purposes, recipients, roles, .. } = stored;
        if all_fit {
            Ok(Self { kinds, purposes, recipients, roles })
        } else {
            Err(RegistryFault::Contradictory)
        }
    }
}

/// Is every ordinal below the end, and none there twice?
fn distinct<T: Ord + Copy + Into<u32>>(ordinals: impl Iterator<Item = T>, end: u32) -> bool {
    let mut seen = BTreeSet::new();
    ordinals.into_iter().all(|ordinal| ordinal.into() < end && seen.insert(ordinal))
}
