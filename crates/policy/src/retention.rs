//! Retention: when each purpose's time with a record is over, and which fields therefore share a term.
//!
//! The end of a purpose is the later of its `keep` and its `must_keep`. `at_most` cuts `keep`; a `must_keep` that has
//! started is never cut. One whose event has not come waits no longer than `at_most`: an order that was never completed
//! starts no legal period, and must not be kept for ever in wait of one. After an erasure only `must_keep` counts.
//!
//! SOURCE: docs/spec/policy.md, "How long".

use crate::compile::{Clock, Compiled, CompiledKind, Start, Terms};
use crate::gate::Standing;
use crate::period::Period;
use crate::set::{FieldMask, PurposeSet};
use crate::zone::{Until, Zone};
use jiff::Timestamp;
use jiff::civil::Date;

/// What has happened to a record so far, and what its subject has chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Life<'l> {
    /// The record's own events with their instants (µs since 1970, UTC); of several the latest counts. `collected` is
    /// event 63.
    pub events: &'l [(u8, i64)],
    /// The latest events of the records that belong to it: kind, event, instant.
    pub children: &'l [(u8, u8, i64)],
    /// The purposes to which the subject's yes stands.
    pub granted: PurposeSet,
    /// The purposes that the subject has refused, withdrawn from or objected to.
    pub refused: PurposeSet,
    /// Where the subject stands.
    pub standing: Standing,
}

/// When something is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// From this instant on (µs since 1970, UTC).
    At(i64),
    /// Not known yet: until withdrawn, or until an event that has not come.
    Open,
}

impl End {
    /// Is it over at this instant?
    pub const fn is_over(self, now: i64) -> bool {
        matches!(self, Self::At(end) if end <= now)
    }
}

/// Fields that share an end and a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Does a law hold them beyond an erasure?
    pub retained: bool,
    /// When they go.
    pub end: End,
    /// Which.
    pub fields: FieldMask,
}

/// Most records have no more groups than this; they are held without allocation.
const FEW: usize = 6;

/// The groups of a record, the longest kept first.
#[derive(Clone, Debug)]
pub struct Groups {
    few: [Group; FEW],
    count: usize,
    many: Vec<Group>,
}

impl Groups {
    const NONE: Group = Group { retained: false, end: End::Open, fields: FieldMask::EMPTY };

    const fn new() -> Self {
        Self { few: [Self::NONE; FEW], count: 0, many: Vec::new() }
    }

    fn push(&mut self, group: Group) {
        if let Some(place) = self.few.get_mut(self.count).filter(|_| self.many.is_empty()) {
            *place = group;
            self.count += 1;
        } else {
            if self.many.is_empty() {
                self.many.extend_from_slice(&self.few);
            }
            self.many.push(group);
        }
    }

    /// The groups as a slice.
    pub fn as_slice(&self) -> &[Group] {
        if self.many.is_empty() { self.few.get(..self.count).unwrap_or_default() } else { &self.many }
    }
}

impl std::ops::Deref for Groups {
    type Target = [Group];
    fn deref(&self) -> &[Group] {
        self.as_slice()
    }
}

impl PartialEq for Groups {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

/// How the fields of a record are to be kept. Every field that is present stands in exactly one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The fields that stay, by end: those a law holds apart from those it does not.
    pub groups: Groups,
    /// Fields that no purpose uses which is in force for this subject: not to be kept.
    pub without_purpose: FieldMask,
    /// Fields whose last purpose is over: not to be kept any longer.
    pub ended: FieldMask,
}

impl Compiled {
    /// When is this purpose's time with this record over?
    ///
    /// Gives: `None` when the purpose has no business with the record: it uses nothing of its kind, its consent is not
    /// granted, it was refused, or the subject is erased and no law demands anything.
    pub fn end_of(&self, kind: u8, purpose: u16, life: &Life<'_>) -> Option<End> {
        let kind = self.kind(kind)?;
        let terms = kind.terms.iter().find(|terms| terms.purpose == purpose)?;
        self.active(kind, life).has(purpose).then(|| self.end(terms, life))
    }

    /// When a period ends that began at an instant, at the same time of day on the shop's clock; `None` beyond the calendar.
    pub fn later(&self, period: Period, from: i64) -> Option<i64> {
        let clock = Clock { count: period.count, unit: period.unit, from: Start::Own(0) };
        self.zone.end_of(clock, from, Until::SameTime)
    }

    /// The day on the shop's calendar at an instant.
    pub fn day_of(&self, at: i64) -> Option<Date> {
        let at = Timestamp::from_microsecond(at).ok()?;
        Some(at.to_zoned(self.zone.as_jiff().clone()).date())
    }

    /// The first instant behind a day of the shop's calendar.
    pub fn end_of_day(&self, day: Date) -> Option<i64> {
        let next = day.tomorrow().ok()?.to_zoned(self.zone.as_jiff().clone()).ok()?;
        Some(next.timestamp().as_microsecond())
    }

    /// The purposes whose time with this record is over: what the gate is told as `ended`.
    pub fn ended_purposes(&self, kind: u8, life: &Life<'_>, now: i64) -> PurposeSet {
        let Some(kind) = self.kind(kind) else { return PurposeSet::EMPTY };
        let active = self.active(kind, life);
        let over =
            kind.terms.iter().filter(|terms| active.has(terms.purpose) && self.end(terms, life).is_over(now));
        over.map(|terms| terms.purpose).collect()
    }

    /// How are these fields to be kept?
    ///
    /// Takes: the fields that are present, and the instant at which to judge. Gives: each field's end, the latest over
    /// the purposes that use it. A field is retained if a purpose uses it whose `must_keep` is not over.
    pub fn layout(&self, kind: u8, present: FieldMask, life: &Life<'_>, now: i64) -> Layout {
        let mut layout = Layout { groups: Groups::new(), without_purpose: present, ended: FieldMask::EMPTY };
        let Some(kind) = self.kind(kind) else { return layout };
        let active = self.active(kind, life);
        let mut retained = FieldMask::EMPTY;
        let mut ends: Vec<(End, FieldMask)> = Vec::with_capacity(kind.terms.len());
        for terms in kind.terms.iter().filter(|terms| active.has(terms.purpose)) {
            let fields = kind.grant(terms.purpose).allowed.and(present);
            if !fields.is_empty() {
                let duty = duty_end(&self.zone, terms, life);
                ends.push((end(&self.zone, terms, life, duty), fields));
                retained =
                    if duty.is_some_and(|duty| !duty.is_over(now)) { retained.or(fields) } else { retained };
            }
        }
        ends.sort_unstable_by_key(|(end, _)| std::cmp::Reverse(*end));
        let mut rest = present;
        for same_end in ends.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((end, _)) = same_end.first() else { continue };
            let fields = same_end.iter().fold(FieldMask::EMPTY, |all, (_, fields)| all.or(*fields)).and(rest);
            rest = rest.minus(fields);
            if end.is_over(now) {
                layout.ended = layout.ended.or(fields);
                continue;
            }
            for (retained, fields) in [(true, fields.and(retained)), (false, fields.minus(retained))] {
                if !fields.is_empty() {
                    layout.groups.push(Group { retained, end: *end, fields });
                }
            }
        }
        layout.without_purpose = rest;
        layout
    }

    fn end(&self, terms: &Terms, life: &Life<'_>) -> End {
        end(&self.zone, terms, life, duty_end(&self.zone, terms, life))
    }

    /// The purposes that have business with a record of this kind and life.
    fn active(&self, kind: &CompiledKind, life: &Life<'_>) -> PurposeSet {
        let sets = &self.sets;
        let chosen = sets.consent.and(life.granted).or(sets.objectable).minus(life.refused);
        let active = kind.listing.and(sets.standing_alone.or(chosen));
        if life.standing != Standing::Erased {
            return active;
        }
        let duties = kind.terms.iter().filter(|terms| terms.must_keep.is_some()).map(|terms| terms.purpose);
        active.and(duties.collect())
    }
}

/// The end of a purpose's `must_keep`, if it has one.
fn duty_end(zone: &Zone, terms: &Terms, life: &Life<'_>) -> Option<End> {
    let clock = terms.must_keep?;
    let begun = clock_end(zone, clock, life, Until::EndOfDay);
    Some(begun.unwrap_or_else(|| cap(zone, terms, life)))
}

/// The end of a purpose, given that of its `must_keep`.
fn end(zone: &Zone, terms: &Terms, life: &Life<'_>, duty: Option<End>) -> End {
    if let (Standing::Erased, Some(duty)) = (life.standing, duty) {
        return duty;
    }
    let keep =
        terms.keep.and_then(|clock| clock_end(zone, clock, life, Until::SameTime)).unwrap_or(End::Open);
    let keep = keep.min(cap(zone, terms, life));
    duty.map_or(keep, |duty| duty.max(keep))
}

fn cap(zone: &Zone, terms: &Terms, life: &Life<'_>) -> End {
    terms.at_most.and_then(|clock| clock_end(zone, clock, life, Until::SameTime)).unwrap_or(End::Open)
}

/// When a clock ends; `None` while its event has not come.
fn clock_end(zone: &Zone, clock: Clock, life: &Life<'_>, until: Until) -> Option<End> {
    started(clock, life).and_then(|from| zone.end_of(clock, from, until)).map(End::At)
}

/// When the clock's event happened last.
fn started(clock: Clock, life: &Life<'_>) -> Option<i64> {
    match clock.from {
        Start::Own(event) => life.events.iter().filter(|(found, _)| *found == event).map(|(_, at)| *at).max(),
        Start::Child { kind, event } => {
            let children = life.children.iter().filter(|(of, found, _)| *of == kind && *found == event);
            children.map(|(_, _, at)| *at).max()
        }
    }
}
