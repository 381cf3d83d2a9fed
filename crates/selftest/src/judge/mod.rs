//! Was everything that was seen allowed at its stage? Pure: the same visit and the same declarations give the same findings.

mod belong;
mod finding;

use std::collections::BTreeMap;

pub use belong::Owners;
pub use finding::{Fault, Finding, Remark};

use crate::expect::Declared;
use crate::trace::{Belongs, Held, Kept, Place, Request, Stage, Stored, Way};

/// What is judged.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The host of the page.
    pub host: String,
    /// All requests, in the order in which they were sent.
    pub requests: Vec<Request>,
    /// What was kept at the end of each stage.
    pub stored: Vec<Stored>,
    /// What the page marks as held.
    pub held: Vec<Held>,
    /// Names that the banner itself needs to remember what was chosen.
    pub record: Vec<crate::Pattern>,
    /// What became of the banner.
    pub banner: Banner,
}

/// What became of the banner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Banner {
    /// The page has to ask: there is something to choose, and it says that it asks.
    pub has_to_ask: bool,
    /// A banner was found.
    pub was_found: bool,
    /// Clicks to accept; `None` when there is no way.
    pub accept_clicks: Option<u32>,
    /// Clicks to refuse; `None` when there is no way.
    pub refuse_clicks: Option<u32>,
    /// Clicks to withdraw what was accepted; `None` when there is no way.
    pub withdraw_clicks: Option<u32>,
    /// It asked again on the next page after a refusal.
    pub asked_again: bool,
}

/// The most clicks that it may take to withdraw.
const WITHDRAW_CLICKS_MOST: u32 = 2;

/// Judges what was seen.
///
/// Gives: the findings, by stage and code, the same thing once with how often it was seen; and what is worth saying without being a
/// finding. No findings: everything that was seen was allowed.
///
/// Law: GDPR Art. 7(3), ePrivacy Directive Art. 5(3), PIPL Art. 15.
pub fn judge(seen: &Seen, declared: &Declared) -> (Vec<Finding>, Vec<Remark>) {
    let owners = Owners::of(seen, declared);
    let mut findings: BTreeMap<Finding, u32> = BTreeMap::new();
    let mut remarks = Vec::new();
    let mut find = |finding: Finding| {
        let count = findings.entry(finding).or_default();
        *count = count.saturating_add(1);
    };
    for (fault, stage) in banner_faults(seen.banner) {
        find(Finding::of_the_banner(fault, stage));
    }
    for (request, belongs) in seen.requests.iter().zip(owners.of_requests()) {
        if !is_allowed(belongs, request.stage, declared) {
            find(Finding::of_a_request(fault_of_request(request, belongs), request, belongs));
        }
    }
    for (stored, belongs) in seen.stored.iter().zip(owners.of_stored()) {
        if is_allowed(belongs, stored.stage, declared) {
            continue;
        }
        if is_out_of_reach(stored, seen) {
            remarks.push(Remark { stage: stored.stage, kept: stored.kept.clone(), belongs: belongs.clone() });
        } else {
            find(Finding::of_stored(fault_of_stored(stored, belongs), stored, belongs));
        }
    }
    (findings.into_iter().map(|(finding, count)| Finding { count, ..finding }).collect(), remarks)
}

/// May what belongs so be seen at this stage?
fn is_allowed(belongs: &Belongs, stage: Stage, declared: &Declared) -> bool {
    match belongs {
        Belongs::Shop => true,
        // What was chosen is remembered once something was chosen, and not before.
        Belongs::Window => stage != Stage::Before,
        Belongs::Purpose { purpose, .. } => declared.may_run(purpose, stage),
        Belongs::Undeclared => false,
    }
}

/// Is it something of another site that was there before the withdrawal? No page can take it away; what counts is that nothing of
/// that site is asked for any more, and that is judged by the requests.
fn is_out_of_reach(stored: &Stored, seen: &Seen) -> bool {
    let accepted = |other: &Stored| other.stage == Stage::Accepted && other.kept == stored.kept;
    stored.stage == Stage::Withdrawn
        && !belong::is_of_the_site(&stored.kept.host, seen)
        && seen.stored.iter().any(accepted)
}

fn fault_of_request(request: &Request, belongs: &Belongs) -> Fault {
    match (request.way, request.stage) {
        (Way::Style, _) => Fault::StylePixel,
        (Way::Beacon, _) => Fault::Beacon,
        (Way::Plain, Stage::Before) => Fault::RequestBefore,
        (Way::Plain, Stage::Refused) => Fault::RequestRefused,
        (Way::Plain, Stage::Accepted) if *belongs == Belongs::Undeclared => Fault::RequestUndeclared,
        (Way::Plain, Stage::Accepted) => Fault::RequestBeyond,
        (Way::Plain, Stage::Withdrawn) => Fault::RequestWithdrawn,
    }
}

fn fault_of_stored(stored: &Stored, belongs: &Belongs) -> Fault {
    let undeclared = *belongs == Belongs::Undeclared;
    match (stored.kept.place, stored.stage) {
        (Place::Worker, _) => Fault::Worker,
        (Place::Cookie, Stage::Before) => Fault::CookieBefore,
        (Place::Cookie, Stage::Refused) => Fault::CookieRefused,
        (Place::Cookie, Stage::Accepted) if undeclared => Fault::CookieUndeclared,
        (Place::Cookie, Stage::Accepted) => Fault::CookieBeyond,
        (Place::Cookie, Stage::Withdrawn) => Fault::CookieLeft,
        (_, Stage::Before) => Fault::StorageBefore,
        (_, Stage::Refused) => Fault::StorageRefused,
        (_, Stage::Accepted) if undeclared => Fault::StorageUndeclared,
        (_, Stage::Accepted) => Fault::StorageBeyond,
        (_, Stage::Withdrawn) => Fault::StorageLeft,
    }
}

fn banner_faults(banner: Banner) -> Vec<(Fault, Stage)> {
    let mut faults = Vec::new();
    if !banner.was_found {
        if banner.has_to_ask {
            faults.push((Fault::BannerMissing, Stage::Before));
        }
        return faults;
    }
    match (banner.accept_clicks, banner.refuse_clicks) {
        (_, None) => faults.push((Fault::RefuseMissing, Stage::Refused)),
        (Some(accept), Some(refuse)) if refuse > accept => faults.push((Fault::RefuseLonger, Stage::Refused)),
        _ => {}
    }
    if banner.asked_again {
        faults.push((Fault::AskedAgain, Stage::Refused));
    }
    match (banner.accept_clicks, banner.withdraw_clicks) {
        (None, _) => faults.push((Fault::AcceptMissing, Stage::Accepted)),
        (_, Some(clicks)) if clicks <= WITHDRAW_CLICKS_MOST => {}
        _ => faults.push((Fault::WithdrawFar, Stage::Withdrawn)),
    }
    faults
}

/// The name of something kept, for its owner.
pub(crate) fn record_fits(seen: &Seen, kept: &Kept) -> bool {
    belong::is_of_the_site(&kept.host, seen) && seen.record.iter().any(|pattern| pattern.fits(&kept.name))
}

#[cfg(test)]
mod tests;
