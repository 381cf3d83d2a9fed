//! What the laws that apply let nobody do with what a policy says: the gate's legal facts.
//!
//! A bar is made where the check makes an *unlawful* finding about a purpose or about a transfer, by the same question and the same rule. What
//! rests on law that could not be verified is told, and bars nothing: nobody is cut off by a fact from memory.

use super::applies::Applied;
use super::asking::{Cited, cited};
use crate::text::Name;
use jiff::civil::Date;
use rulebook::{Confidence, Pack, Rule};

/// Something that a law does not let a shop do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Whose law: the id of its pack.
    pub pack: String,
    /// What may not be done.
    pub what: Barred,
    /// The articles.
    pub laws: Vec<Cited>,
}

/// What a law does not let a shop do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// Use anything for this purpose on its ground.
    Purpose(Name),
    /// The same, where the subject is a minor.
    PurposeForMinors(Name),
    /// Send anything for this purpose to this recipient abroad.
    Transfer {
        /// The purpose.
        purpose: Name,
        /// The recipient.
        recipient: Name,
    },
}

/// Whose law it is that a pack has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// That of the shop's seat, where nobody is served: it reaches everything that is done there.
    Seat,
    /// That of people who are served.
    Home,
    /// Both.
    SeatAndHome,
}

impl Reach {
    fn of(applied: &Applied<'_>) -> Self {
        match (applied.is_seat, applied.is_served) {
            (true, true) => Self::SeatAndHome,
            (true, false) => Self::Seat,
            (false, _) => Self::Home,
        }
    }

    /// Does it reach everybody, wherever they live?
    pub const fn is_of_seat(self) -> bool {
        matches!(self, Self::Seat | Self::SeatAndHome)
    }

    /// Does it reach those who live there?
    pub const fn is_of_home(self) -> bool {
        matches!(self, Self::Home | Self::SeatAndHome)
    }
}

/// What the laws that apply to a policy let nobody do, on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bars {
    /// The laws that apply, by the ids of their packs, and whom they reach.
    pub packs: Vec<(String, Reach)>,
    /// What they bar.
    pub bars: Vec<Bar>,
    /// The first day on which one of those laws says something else, as far as their packs know; ask again on that day.
    pub until: Option<Date>,
}

impl Bars {
    /// Those laws, with nothing barred yet.
    pub(super) fn of(applied: &[Applied<'_>], on: Date) -> Self {
        let laws = || applied.iter().filter(|applied| applied.is_law());
        let turns = laws().flat_map(|applied| applied.pack.turning_days());
        Self {
            packs: laws().map(|applied| (applied.pack.id.clone(), Reach::of(applied))).collect(),
            bars: Vec::new(),
            until: turns.filter(|day| *day > on).min(),
        }
    }

    /// Adds what a rule bars, if the rule is sure enough.
    pub(super) fn add(&mut self, pack: &Pack, rule: &Rule, what: Barred) {
        if rule.confidence == Confidence::Unverified {
            return;
        }
        let laws = cited(pack, rule);
        match self.bars.iter_mut().find(|bar| bar.pack == pack.id && bar.what == what) {
            Some(bar) => {
                let more: Vec<Cited> = laws.into_iter().filter(|law| !bar.laws.contains(law)).collect();
                bar.laws.extend(more);
            }
            None => self.bars.push(Bar { pack: pack.id.clone(), what, laws }),
        }
    }
}
