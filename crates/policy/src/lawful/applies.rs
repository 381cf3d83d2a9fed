//! Which packs apply to a policy: those of the places whose people it serves, that of its seat, those of marketplaces.

use super::words;
use crate::check::Checked;
use crate::draft::{DraftRecipient, DraftShop};
use crate::finding::At;
use crate::home::Home;
use crate::model::{Policy, Shop};
use crate::text::Place;
use crate::words::Channel;
use rulebook::question::MEMBERS;
use rulebook::{Pack, PackKind};

/// A pack that applies, and because of what.
pub(super) struct Applied<'p> {
    pub(super) pack: &'p Pack,
    /// Where the policy names the place.
    pub(super) at: At,
    /// The member state, where one is named.
    pub(super) member: Option<&'static str>,
    /// People there are served. Otherwise the shop has its seat there.
    pub(super) is_served: bool,
    /// The shop has its seat there: the law reaches everything that it does, whoever it is about.
    pub(super) is_seat: bool,
}

impl Applied<'_> {
    /// Is this country in the territory whose law it is?
    pub(super) fn is_home(&self, country: &str) -> bool {
        is_home(&self.pack.id, country)
    }

    /// Is this recipient outside of that territory?
    pub(super) fn is_abroad(&self, recipient: &DraftRecipient) -> bool {
        recipient.place.as_ref().is_some_and(|place| !self.is_home(place.value.country()))
    }

    /// Does somebody stand for the shop in that territory?
    pub(super) fn is_represented(&self, shop: &DraftShop) -> bool {
        shop.representatives.iter().any(|named| self.is_home(named.place.value.country()))
    }

    pub(super) fn is_law(&self) -> bool {
        self.pack.kind == PackKind::Law
    }
}

/// Is this country in the territory whose law a pack has?
pub(crate) fn is_home(pack: &str, country: &str) -> bool {
    match pack {
        "eu" => country == "eu" || MEMBERS.contains(&country),
        "uk" => country == "gb",
        id => id.split('-').next() == Some(country),
    }
}

/// The place whose law reaches all that a shop with this seat does. Those of the United States go by the person's home.
pub(crate) fn place_of_seat(seat: &Place) -> Option<&Place> {
    Some(seat).filter(|seat| seat.country() != "us")
}

/// The ids of the packs of a place.
pub(crate) fn ids_of<'p>(place: &Place, packs: &[&'p Pack]) -> Vec<&'p str> {
    let home = Home::of(place);
    packs.iter().map(|pack| pack.id.as_str()).filter(|id| home.may_be_under(id)).collect()
}

/// What of a policy says which packs apply, each with its place in the file.
struct Reach<'a> {
    serves: Vec<(&'a Place, At)>,
    seat: Option<(&'a Place, At)>,
    sells_on: Vec<(Channel, At)>,
}

impl Reach<'_> {
    /// The packs that apply, each once, and the places that have none.
    fn find<'p>(&self, packs: &[&'p Pack]) -> (Vec<Applied<'p>>, Vec<At>) {
        let (mut found, mut without) = (Vec::new(), Vec::new());
        for (served, at) in &self.serves {
            let ids = ids_of(served, packs);
            if ids.is_empty() {
                without.push(*at);
            }
            for id in ids {
                add(
                    &mut found,
                    packs,
                    id,
                    &Because { at: *at, member: member(served), is_served: true, is_seat: false },
                );
            }
        }
        if let Some((seat, at)) = self.seat.and_then(|(seat, at)| Some((place_of_seat(seat)?, at))) {
            for id in ids_of(seat, packs) {
                add(
                    &mut found,
                    packs,
                    id,
                    &Because { at, member: member(seat), is_served: false, is_seat: true },
                );
            }
        }
        for (channel, at) in &self.sells_on {
            if let Some(id) = words::platform(*channel) {
                add(
                    &mut found,
                    packs,
                    id,
                    &Because { at: *at, member: None, is_served: false, is_seat: false },
                );
            }
        }
        (found, without)
    }
}

fn member(place: &Place) -> Option<&'static str> {
    MEMBERS.iter().find(|member| **member == place.country()).copied()
}

struct Because {
    at: At,
    member: Option<&'static str>,
    is_served: bool,
    is_seat: bool,
}

fn add<'p>(found: &mut Vec<Applied<'p>>, packs: &[&'p Pack], id: &str, because: &Because) {
    let Some(pack) = packs.iter().find(|pack| pack.id == id) else { return };
    let Because { at, member, is_served, is_seat } = *because;
    let known = found.iter_mut().find(|applied| applied.pack.id == id);
    match known {
        // Two member states: which of their differences counts depends on the person.
        Some(applied) => {
            applied.is_seat |= is_seat;
            if applied.member != member {
                applied.member = None;
            }
        }
        None => found.push(Applied { pack, at, member, is_served, is_seat }),
    }
}

/// The packs that apply to a draft, each once, and the places that have none.
pub(super) fn find<'p>(checked: &Checked<'_>, packs: &[&'p Pack]) -> (Vec<Applied<'p>>, Vec<At>) {
    let shop = &checked.draft.shop;
    let seat = shop.established_in.as_ref().or(shop.kept_in.as_ref());
    let reach = Reach {
        serves: shop.serves.iter().map(|place| (&place.value, place.at)).collect(),
        seat: seat.map(|place| (&place.value, place.at)),
        sells_on: shop.sells_on.iter().map(|channel| (channel.value, channel.at)).collect(),
    };
    reach.find(packs)
}

/// Is this the law of a place that a shop serves, or of its seat? By the pack's id, so that no other pack has to be read.
pub fn is_law_that_applies(shop: &Shop, pack: &str) -> bool {
    let places = shop.serves.iter().chain(place_of_seat(&shop.established_in));
    places.map(Home::of).any(|home| home.may_be_under(pack))
}

/// The packs that apply to a policy, each once: those of the places that it serves, that of its seat, those of marketplaces.
pub fn packs_that_apply<'p>(policy: &Policy, packs: &[&'p Pack]) -> Vec<&'p Pack> {
    let shop = &policy.shop;
    let reach = Reach {
        serves: shop.serves.iter().map(|place| (place, At::default())).collect(),
        seat: Some((&shop.established_in, At::default())),
        sells_on: shop.sells_on.iter().map(|channel| (*channel, At::default())).collect(),
    };
    reach.find(packs).0.iter().map(|applied| applied.pack).collect()
}
