//! The gate's legal facts: a policy is put in force together with what the laws that apply bar, and asked again when a law turns.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::packs::{Packs, Shelf};
use super::problem::Problem;
use super::shop::{InForce, Shop, UnderLaw};

/// The law that was asked about a policy in force.
#[derive(Debug)]
pub struct AskedLaw {
    /// The packs that answered.
    shelf: Arc<Shelf>,
    /// The instant from which on a law says something else, µs UTC.
    until: i64,
    /// Laws that apply, and whose installed packs were refused: they bar nothing until that is mended.
    pub refused: Vec<String>,
}

/// A policy with what the laws that apply bar at this instant.
///
/// Takes: a policy that is about to be put in force. Fails: when the packs' folder cannot be read. It may read packs, which takes some
/// milliseconds for each law that no policy in this process had yet.
pub fn under_law(policy: InForce, packs: &Packs, now: i64) -> Result<UnderLaw, Problem> {
    let shelf = packs.shelf()?;
    let zone = policy.compiled.zone();
    let day_of = |at: i64| Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(zone.clone()).date();
    let (on, published) = (day_of(now), day_of(policy.at));
    let (bars, refused) = shelf.bars(policy.compiled.shop(), &policy.text, published, on);
    let refused = refused.into_iter().map(str::to_owned).collect();
    let until = bars.until.map_or(i64::MAX, |day| begins(day, &policy));
    let compiled = policy.compiled.under(&bars);
    Ok(UnderLaw(InForce { compiled, law: Some(AskedLaw { shelf, until, refused }), ..policy }))
}

/// When a day begins in a shop, µs UTC.
fn begins(day: Date, policy: &InForce) -> i64 {
    let zone = policy.compiled.zone().clone();
    day.to_zoned(zone).map_or(i64::MAX, |begin| begin.timestamp().as_microsecond())
}

/// Asks the law again where it has turned, or where other packs answer. Gives whether it was asked.
///
/// Fails: when the packs' folder cannot be read; the gate then goes on by what it knew.
pub fn follow(shop: &Shop, now: i64) -> Result<bool, Problem> {
    let policy = shop.policy();
    let shelf = shop.packs().shelf()?;
    let is_current = |law: &AskedLaw| now < law.until && Arc::ptr_eq(&law.shelf, &shelf);
    if policy.law.as_ref().is_some_and(is_current) {
        return Ok(false);
    }
    let Some(again) = policy.again() else { return Ok(false) };
    shop.put_under_newer_law(under_law(again, shop.packs(), now)?);
    Ok(true)
}
