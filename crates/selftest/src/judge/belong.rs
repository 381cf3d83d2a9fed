//! To which purpose and recipient does what was seen belong?
//!
//! ORDER: what a page marks comes first, because it names one purpose for one address; then the hosts of the expectations; then the
//! site of the shop itself; then whoever made the browser ask: a script of a recipient that calls another host does so for its purpose.

use std::collections::BTreeMap;

use super::{Seen, record_fits};
use crate::expect::{Declared, Purpose};
use crate::pattern::is_in;
use crate::trace::{Belongs, Held, Kept, Place, Request, Stage, Stored};

/// The owners of everything that was seen, each in the order of what it belongs to.
#[derive(Debug)]
pub struct Owners {
    requests: Vec<Belongs>,
    stored: Vec<Belongs>,
}

impl Owners {
    /// Finds the owners.
    pub fn of(seen: &Seen, declared: &Declared) -> Owners {
        let mut known: BTreeMap<String, Belongs> = BTreeMap::new();
        let mut hosts: BTreeMap<String, Belongs> = BTreeMap::new();
        let mut requests = Vec::with_capacity(seen.requests.len());
        for request in &seen.requests {
            let belongs = of_request(request, seen, declared, &known);
            if matches!(belongs, Belongs::Purpose { .. }) {
                known.entry(request.address()).or_insert_with(|| belongs.clone());
                if !request.own_site {
                    hosts.entry(request.host.clone()).or_insert_with(|| belongs.clone());
                }
            }
            requests.push(belongs);
        }
        let stored = seen.stored.iter().map(|stored| of_stored(stored, seen, declared, &hosts)).collect();
        Owners { requests, stored }
    }

    /// Of the requests, in their order.
    pub fn of_requests(&self) -> &[Belongs] {
        &self.requests
    }

    /// Of what is kept, in its order.
    pub fn of_stored(&self) -> &[Belongs] {
        &self.stored
    }
}

/// Is this host the page's, or one whose cookies the page's host gets or that the browser counts to its site?
pub(super) fn is_of_the_site(host: &str, seen: &Seen) -> bool {
    is_in(&seen.host, host)
        || is_in(host, &seen.host)
        || seen.requests.iter().any(|request| request.own_site && is_in(&request.host, host))
}

fn of_request(
    request: &Request,
    seen: &Seen,
    declared: &Declared,
    known: &BTreeMap<String, Belongs>,
) -> Belongs {
    let address = request.address();
    let held = seen.held.iter().filter(|held| is_of_the_notice(held, declared));
    if let Some(held) = held.clone().find(|held| held.address == address) {
        return of_held(held);
    }
    if let Some(belongs) = of_hosts(request, declared) {
        return belongs;
    }
    if request.own_site {
        return Belongs::Shop;
    }
    if let Some(belongs) = request.initiators.iter().find_map(|initiator| known.get(initiator)) {
        return belongs.clone();
    }
    held.clone().find(|held| held.host == request.host).map_or(Belongs::Undeclared, of_held)
}

fn of_stored(
    stored: &Stored,
    seen: &Seen,
    declared: &Declared,
    hosts: &BTreeMap<String, Belongs>,
) -> Belongs {
    let kept = &stored.kept;
    if record_fits(seen, kept) {
        return Belongs::Window;
    }
    if !is_of_the_site(&kept.host, seen) {
        let by_host =
            hosts.iter().find(|(host, _)| is_in(host, &kept.host)).map(|(_, belongs)| belongs.clone());
        if let Some(belongs) = by_host.or_else(|| of_host(&kept.host, declared)) {
            return belongs;
        }
    }
    of_name(kept, stored.stage, declared)
}

/// By the names that purposes leave; of several the one that may run, as a window would let it stay.
fn of_name(kept: &Kept, stage: Stage, declared: &Declared) -> Belongs {
    let names = |purpose: &&Purpose| {
        let patterns = if kept.place == Place::Cookie { &purpose.cookies } else { &purpose.storage };
        patterns.iter().any(|pattern| pattern.fits(&kept.name))
    };
    one_of(declared.purposes.iter().filter(names), stage, declared)
}

fn of_hosts(request: &Request, declared: &Declared) -> Option<Belongs> {
    let fits = |pattern: &crate::Pattern| pattern.fits_address(&request.host, &request.path);
    by_hosts(fits, request.stage, declared)
}

fn of_host(host: &str, declared: &Declared) -> Option<Belongs> {
    by_hosts(|pattern| pattern.fits_host(host), Stage::Accepted, declared)
}

fn by_hosts(fits: impl Fn(&crate::Pattern) -> bool, stage: Stage, declared: &Declared) -> Option<Belongs> {
    let receives = |purpose: &&Purpose| {
        purpose.hosts.iter().any(&fits)
            || purpose.recipients.iter().any(|recipient| recipient.hosts.iter().any(&fits))
    };
    let all: Vec<&Purpose> = declared.purposes.iter().filter(receives).collect();
    let chosen = all.iter().find(|purpose| declared.may_run(&purpose.name, stage)).or_else(|| all.first())?;
    let recipient = chosen.recipients.iter().find(|recipient| recipient.hosts.iter().any(&fits));
    Some(Belongs::Purpose {
        purpose: chosen.name.clone(),
        recipient: recipient.map(|recipient| recipient.name.clone()),
    })
}

fn one_of<'p>(
    mut purposes: impl Iterator<Item = &'p Purpose> + Clone,
    stage: Stage,
    declared: &Declared,
) -> Belongs {
    let running = purposes.clone().find(|purpose| declared.may_run(&purpose.name, stage));
    match running.or_else(|| purposes.next()) {
        Some(purpose) => Belongs::Purpose { purpose: purpose.name.clone(), recipient: None },
        None => Belongs::Undeclared,
    }
}

/// A mark counts if the notice has its purpose, and its recipient among those of the purpose.
fn is_of_the_notice(held: &Held, declared: &Declared) -> bool {
    declared.purpose(&held.purpose).is_some_and(|purpose| {
        held.recipient.is_empty()
            || purpose.recipients.iter().any(|recipient| recipient.name == held.recipient)
    })
}

fn of_held(held: &Held) -> Belongs {
    let recipient = (!held.recipient.is_empty()).then(|| held.recipient.clone());
    Belongs::Purpose { purpose: held.purpose.clone(), recipient }
}
