//! One change by itself: the old policy with this change and no other, and which data it is about. So that what a new policy
//! does to data that is kept can be counted change by change.
//!
//! Changes can bear on each other (a purpose that goes, and a longer `keep` of another that uses the same field), so what they
//! do one by one need not add up to what they do together.

use std::collections::BTreeSet;

use super::{Change, ChangeCode};
use crate::model::{Policy, Purpose, Used};
use crate::text::Name;

/// The old policy with one change alone.
#[derive(Clone, Debug)]
pub struct Alone {
    /// What it says.
    pub policy: Policy,
    /// The data that the change is about: kind and field. Empty for changes of words.
    pub about: BTreeSet<(Name, Name)>,
}

impl Change {
    /// The old policy with this change alone.
    ///
    /// Takes: both policies between which it was found. Gives: a policy that can be compiled with the registry of the new
    /// one; it need not pass the check.
    pub fn alone(&self, old: &Policy, new: &Policy) -> Alone {
        let mut alone = Alone { policy: old.clone(), about: BTreeSet::new() };
        let (section, name) = self.about.split_once('.').unwrap_or((self.about.as_str(), ""));
        match section {
            "shop" => alone.shop(self.code, old, new),
            "record" => alone.kind(self, name, old, new),
            "field" => alone.uses_of_field(name, old, new),
            "purpose" => alone.purpose(self, name, old, new),
            "recipient" => {
                let shares = |purpose: &&Purpose| purpose.recipients.iter().any(|to| to.as_str() == name);
                let purposes = old.purposes.iter().chain(&new.purposes).filter(shares);
                alone.about.extend(purposes.flat_map(|purpose| places(&purpose.fields)));
            }
            "role" => alone.role(self, name, old, new),
            _ => {}
        }
        if self.code == ChangeCode::Words {
            alone.about.clear();
        }
        alone
    }
}

fn places(used: &[Used]) -> impl Iterator<Item = (Name, Name)> {
    used.iter().map(|used| (used.kind.clone(), used.field.clone()))
}

/// All fields of all kinds.
fn everything(policy: &Policy) -> impl Iterator<Item = (Name, Name)> {
    policy.kinds.iter().flat_map(|kind| kind.fields.iter().map(|field| (kind.name.clone(), field.clone())))
}

impl Alone {
    fn shop(&mut self, code: ChangeCode, old: &Policy, new: &Policy) {
        let shop = &mut self.policy.shop;
        match code {
            ChangeCode::ShopServes => shop.serves.clone_from(&new.shop.serves),
            ChangeCode::ShopKeptIn => shop.kept_in.clone_from(&new.shop.kept_in),
            // Days and years end when they end in the shop's zone.
            ChangeCode::ShopFacts if shop.zone != new.shop.zone => shop.zone.clone_from(&new.shop.zone),
            _ => return,
        }
        self.about.extend(everything(old));
    }

    fn kind(&mut self, change: &Change, name: &str, old: &Policy, new: &Policy) {
        let (was, is) = (old.find_kind(name), new.find_kind(name));
        let all = was.or(is).into_iter().flat_map(|kind| {
            kind.fields.iter().map(|field| (kind.name.clone(), field.clone())).collect::<Vec<_>>()
        });
        match change.code {
            ChangeCode::KindAdded => {
                self.policy.kinds.extend(is.cloned());
                self.about.extend(all);
            }
            ChangeCode::KindRemoved => {
                self.policy.kinds.retain(|kind| kind.name.as_str() != name);
                self.about.extend(all);
            }
            ChangeCode::KindFieldAdded | ChangeCode::KindFieldRemoved => {
                let adds = change.code == ChangeCode::KindFieldAdded;
                let field = if adds { &change.after } else { &change.before };
                let Some(kind) = self.policy.kinds.iter_mut().find(|kind| kind.name.as_str() == name) else {
                    return;
                };
                let of = if adds { new } else { old };
                let Some(declared) = of.find_field(field) else { return };
                if adds {
                    kind.fields.push(declared.name.clone());
                } else {
                    kind.fields.retain(|one| one != &declared.name);
                }
                self.about.insert((kind.name.clone(), declared.name.clone()));
                if adds && old.find_field(field).is_none() {
                    self.policy.fields.push(declared.clone());
                }
            }
            _ => {}
        }
    }

    fn uses_of_field(&mut self, name: &str, old: &Policy, new: &Policy) {
        let of_it = |(_, field): &(Name, Name)| field.as_str() == name;
        self.about.extend(everything(old).chain(everything(new)).filter(of_it));
    }

    fn purpose(&mut self, change: &Change, name: &str, old: &Policy, new: &Policy) {
        use ChangeCode as C;
        let (was, is) = (old.find_purpose(name), new.find_purpose(name));
        if let (Some(is), None) = (is, was) {
            self.about.extend(places(&is.fields));
            self.policy.purposes.push(is.clone());
            return;
        }
        let Some(purpose) = self.policy.purposes.iter_mut().find(|purpose| purpose.name.as_str() == name)
        else {
            return;
        };
        let Some(is) = is else {
            self.about.extend(places(&purpose.fields));
            self.policy.purposes.retain(|purpose| purpose.name.as_str() != name);
            return;
        };
        match change.code {
            C::PurposeSays | C::PurposeLaw | C::Words => return,
            C::PurposeFieldAdded | C::PurposeFieldRemoved | C::PurposeMask | C::PurposeOptional => {
                let said = if change.after.is_empty() { &change.before } else { &change.after };
                let path = said.split(' ').next().unwrap_or_default();
                let at = |used: &Used| format!("{}.{}", used.kind, used.field) == path;
                let used = is.fields.iter().find(|used| at(used)).cloned();
                let place = purpose.fields.iter_mut().find(|used| at(used));
                match (place, used) {
                    (Some(place), Some(used)) if change.code == C::PurposeMask => place.masked = used.masked,
                    (Some(place), Some(used)) => place.optional = used.optional,
                    (None, Some(used)) => purpose.fields.push(used),
                    (_, None) => {}
                }
                let about = places(&purpose.fields).filter(|(kind, field)| format!("{kind}.{field}") == path);
                self.about.extend(about.collect::<Vec<_>>());
                if change.code == C::PurposeFieldRemoved {
                    purpose.fields.retain(|used| !at(used));
                }
                return;
            }
            C::PurposeKeep => purpose.keep.clone_from(&is.keep),
            C::PurposeMustKeep => purpose.must_keep.clone_from(&is.must_keep),
            C::PurposeAtMost => purpose.at_most.clone_from(&is.at_most),
            C::PurposeBasis => purpose.basis = is.basis,
            C::PurposeUse => purpose.data_use = is.data_use,
            C::PurposeRecipientAdded | C::PurposeRecipientRemoved => {
                purpose.recipients.clone_from(&is.recipients);
            }
            _ => {}
        }
        self.about.extend(places(&purpose.fields));
    }

    fn role(&mut self, change: &Change, name: &str, old: &Policy, new: &Policy) {
        let of = |policy: &Policy| {
            let role = policy.roles.iter().find(|role| role.name.as_str() == name);
            role.map(|role| role.purposes.clone()).unwrap_or_default()
        };
        let purposes = match change.code {
            ChangeCode::RolePurposeAdded | ChangeCode::RolePurposeRemoved => {
                let said = if change.after.is_empty() { &change.before } else { &change.after };
                let both = of(old).into_iter().chain(of(new));
                both.filter(|purpose| purpose.as_str() == said).collect()
            }
            ChangeCode::RoleAdded => of(new),
            ChangeCode::RoleRemoved => of(old),
            _ => Vec::new(),
        };
        let found = |name: &Name| new.find_purpose(name.as_str()).or(old.find_purpose(name.as_str()));
        self.about.extend(purposes.iter().filter_map(found).flat_map(|purpose| places(&purpose.fields)));
    }
}
