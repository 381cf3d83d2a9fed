//! What stands of a visitor's choices, until when, and when they may be asked again.

use std::collections::BTreeMap;
use std::sync::Arc;

use store::View;

use super::{Offer, OfferedPurpose};
use crate::choose::{self, ChoiceRow, Said, Way};
use crate::ground::packs::Packs;
use crate::ground::{InForce, Problem, Shop, SubjectId};

/// What stands of what a visitor chose.
#[derive(Debug, Default)]
pub(super) struct Stands {
    /// By name of purpose.
    pub(super) choices: BTreeMap<String, bool>,
    /// Purposes to which they said yes in spite of a signal.
    pub(super) in_spite: Vec<String>,
    /// When each yes ends that ends by itself, µs UTC.
    ends: BTreeMap<String, i64>,
    /// When each no was said, µs UTC.
    said_no_at: BTreeMap<String, i64>,
}

/// What stands of a subject's choices at an instant.
pub(super) fn stands_in(
    view: &View<'_>,
    shop: &Shop,
    subject: SubjectId,
    now: i64,
) -> Result<Stands, Problem> {
    let chosen = choose::chosen(view, shop, subject, now)?;
    let policy = shop.policy();
    let mut stands = Stands::default();
    let named = |ordinal: u16| policy.registry.purpose_name(ordinal).map(ToString::to_string);
    for ordinal in &chosen.granted {
        stands.choices.extend(named(ordinal).map(|name| (name, true)));
    }
    for ordinal in &chosen.refused {
        stands.choices.extend(named(ordinal).map(|name| (name, false)));
    }
    for row in last_of(choose::list_all(view, shop, subject, chosen.count)?).into_values() {
        let Some(name) = named(row.purpose) else { continue };
        if row.said != Said::Granted {
            stands.said_no_at.insert(name, row.at);
            continue;
        }
        if row.way == Way::Signal.name() {
            stands.in_spite.push(name.clone());
        }
        if row.ends_at != 0 {
            stands.ends.insert(name, row.ends_at);
        }
    }
    Ok(stands)
}

/// The last choice about each purpose, by its ordinal.
pub(super) fn last_of(rows: Vec<ChoiceRow>) -> BTreeMap<u16, ChoiceRow> {
    let mut last: BTreeMap<u16, ChoiceRow> = BTreeMap::new();
    for row in rows {
        let is_later = last.get(&row.purpose).is_none_or(|before| (before.at, before.id) <= (row.at, row.id));
        if is_later {
            last.insert(row.purpose, row);
        }
    }
    last
}

/// When a visitor is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Now: something has no answer that stands.
    Now,
    /// From an instant on, µs UTC; `None` while nothing changes.
    Later(Option<i64>),
}

impl Stands {
    /// What is offered of it.
    pub(super) fn offered(&self, offer: &Offer) -> BTreeMap<String, bool> {
        let is_offered = |name: &String| offer.find(name).is_some_and(OfferedPurpose::is_choice);
        let offered = self.choices.iter().filter(|(name, _)| is_offered(name));
        offered.map(|(name, yes)| (name.clone(), *yes)).collect()
    }

    /// When the first yes of what is offered ends, µs UTC.
    pub(super) fn until(&self, offer: &Offer) -> Option<i64> {
        let yes = offer.purposes.iter().filter(|purpose| self.choices.get(&purpose.name) == Some(&true));
        yes.filter_map(|purpose| self.ends.get(&purpose.name).copied()).min()
    }

    /// When are they asked unasked, of all that is asked together?
    ///
    /// Takes: until when whoever said no to a purpose at an instant is left in peace, by policy and law; `None` for good.
    pub(super) fn asking(
        &self,
        offer: &Offer,
        now: i64,
        peace_until: impl Fn(&OfferedPurpose, i64) -> Option<i64>,
    ) -> Asking {
        let mut first: Option<i64> = None;
        for purpose in offer.purposes.iter().filter(|purpose| purpose.is_asked_together()) {
            let at = match self.choices.get(&purpose.name) {
                None => return Asking::Now,
                Some(true) => self.ends.get(&purpose.name).copied(),
                Some(false) => {
                    let said_at = self.said_no_at.get(&purpose.name);
                    said_at.and_then(|said_at| peace_until(purpose, *said_at))
                }
            };
            match at {
                Some(at) if at <= now => return Asking::Now,
                Some(at) => first = Some(first.map_or(at, |first| first.min(at))),
                None => {}
            }
        }
        Asking::Later(first)
    }
}

/// Until when is somebody left in peace who said no? By the policy's `wait`, and not before the law lets it; `None` for good.
///
/// Law: that of the visitor; where nobody knows which it is, the longest wait of those there are. Fails: when packs cannot be read.
pub(super) fn peace_until(
    purpose: &OfferedPurpose,
    said_at: i64,
    (policy, packs): (&InForce, &Packs),
    law: Option<&str>,
    now: i64,
) -> Result<Option<i64>, Problem> {
    let compiled = &policy.compiled;
    let wait = compiled.purpose(purpose.ordinal).and_then(|purpose| purpose.said.wait);
    let Some(until) = wait.and_then(|wait| compiled.later(wait, said_at)) else { return Ok(None) };
    let (Some(said_on), Some(today)) = (compiled.day_of(said_at), compiled.day_of(now)) else {
        return Ok(None);
    };
    if !purpose.is_sold {
        return Ok(Some(until));
    }
    let shelf: Arc<_> = packs.shelf()?;
    let asked = match law {
        Some(id) => shelf.find(id)?.into_iter().collect(),
        None => shelf.packs()?,
    };
    let through = asked.into_iter().filter_map(|pack| policy::no_asking_through(pack, said_on, today)).max();
    let law = through.and_then(|day| compiled.end_of_day(day));
    Ok(Some(law.map_or(until, |law| law.max(until))))
}
