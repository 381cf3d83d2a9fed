//! What a policy would change about what is kept already, counted before it is published. Reads only, page by page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy::{Change, Compiled, End, FieldMask, Layout, Policy, PurposeSet, Registry, RegistryFault};
use seal::Envelope;
use serde::{Deserialize, Serialize};

use crate::choose;
use crate::ground::house::House;
use crate::ground::{Chosen, InForce, OPEN_END, Problem, RecordId, Shop, SubjectId};
use crate::keep::plan::{end_column, term_end};
use crate::keep::{self, RecordRow};

/// Records looked at in one page.
const PAGE: u32 = 512;

/// What a policy would change about what is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Records looked at.
    pub records: u64,
    /// Records that cannot be read: they, or their subjects, were edited. Nothing is counted about them.
    pub unreadable: u64,
    /// Records that would end sooner.
    pub end_sooner: u64,
    /// Records that would end later.
    pub end_later: u64,
    /// Records of which nothing would be left.
    pub go: u64,
    /// Fields that would go, by kind and name: in how many records.
    pub fields_go: BTreeMap<String, u64>,
    /// Granted choices that would become void, by purpose: of how many subjects.
    pub choices_void: BTreeMap<String, u64>,
    /// Retention ends that no key is there for yet.
    pub new_terms: u64,
    /// Retention ends into which or out of which records move.
    pub terms: u64,
    /// What each change does by itself, in the order in which they were given. Changes bear on each other, so this need not
    /// add up to the above.
    pub changes: Vec<Effect>,
}

/// What one change does by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Records that hold data which the change is about.
    pub records: u64,
    /// Of all records: those that would end sooner.
    pub end_sooner: u64,
    /// Records that would end later.
    pub end_later: u64,
    /// Records of which nothing would be left.
    pub go: u64,
    /// Records that would lose fields and keep others.
    pub lose_fields: u64,
    /// Granted choices that would become void.
    pub choices: u64,
    /// Retention ends into which or out of which records move.
    pub terms: u64,
}

/// One change, ready to be counted.
#[derive(Debug)]
pub struct Part {
    compiled: Compiled,
    voids: PurposeSet,
    about: Vec<(u8, FieldMask)>,
}

/// The changes between two policies, each by itself.
///
/// Takes: the registry of the new policy.
pub fn parts_of(
    changes: &[Change],
    (old, new): (&Policy, &Policy),
    registry: &Registry,
) -> Result<Vec<Part>, RegistryFault> {
    let part = |change: &Change| {
        let alone = change.alone(old, new);
        let mut about: Vec<(u8, FieldMask)> = Vec::new();
        for (kind, field) in &alone.about {
            let Some(entry) = registry.find_kind(kind.as_str()) else { continue };
            let Some(field) = entry.find_field(field.as_str()) else { continue };
            match about.iter_mut().find(|(of, _)| *of == entry.ordinal()) {
                Some((_, fields)) => fields.add(field),
                None => about.push((entry.ordinal(), FieldMask::only(field))),
            }
        }
        Ok(Part {
            compiled: policy::compile(&alone.policy, registry)?,
            voids: change.voids.iter().filter_map(|name| registry.find_purpose(name.as_str())).collect(),
            about,
        })
    };
    changes.iter().map(part).collect()
}

/// Counts what `next` would change, if it were put in force now.
///
/// Takes: the policy as it would be, and its changes one by one; who is told how many records of how many were looked at.
pub fn preview(
    house: &House,
    shop: &Arc<Shop>,
    next: InForce,
    parts: Vec<Part>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Preview, Problem> {
    let (next, parts, reading) = (Arc::new(next), Arc::new(parts), Arc::clone(shop));
    let total: u64 =
        house.store.look_blocking::<_, Problem, _>(move |view| keep::count_records(view, &reading))?;
    let mut sums = Sums::of(parts.len());
    let mut after: Option<RecordId> = None;
    loop {
        let (reading, rules, alone) = (Arc::clone(shop), Arc::clone(&next), Arc::clone(&parts));
        let now = house.clock.now();
        let (looked, last) = house.store.look_blocking::<_, Problem, _>(move |view| {
            let records = keep::look_records_after(view, &reading, after, PAGE)?;
            let mut subject: Option<Whose> = None;
            let mut looked = Vec::with_capacity(records.len());
            for (id, record) in &records {
                let known = match subject.take().filter(|known| known.subject == id.subject()) {
                    Some(known) => Ok(known),
                    None => Whose::find(id.subject(), now, view, &reading),
                };
                let compared = known.and_then(|known| {
                    let known = subject.insert(known);
                    let record = record.as_ref().map_err(Clone::clone)?;
                    compare(record, known, &reading.policy(), &rules, &alone, now)
                });
                match compared {
                    Ok(compared) => looked.push(Some(compared)),
                    Err(problem) if problem.is_of_a_row() => looked.push(None),
                    Err(problem) => return Err(problem),
                }
            }
            Ok((looked, records.last().map(|(id, _)| *id)))
        })?;
        for compared in looked {
            match compared {
                Some(compared) => sums.add(compared, &next),
                None => sums.cannot_read(),
            }
        }
        progress(sums.preview.records, total.max(sums.preview.records));
        let Some(last) = last else { break };
        after = Some(last);
    }
    let known: BTreeSet<i64> = shop.terms.all().iter().map(|term| term.ends_at).collect();
    sums.preview.new_terms = sums.ends.difference(&known).count() as u64;
    sums.preview.terms = sums.moved.len() as u64;
    for (effect, moved) in sums.preview.changes.iter_mut().zip(&sums.moved_alone) {
        effect.terms = moved.len() as u64;
    }
    count_void(house, shop, &next, &parts, &mut sums.preview)?;
    Ok(sums.preview)
}

/// What clocks rest on, of one subject.
struct Whose {
    subject: SubjectId,
    standing: policy::Standing,
    chosen: Chosen,
}

impl Whose {
    fn find(subject: SubjectId, now: i64, view: &store::View<'_>, shop: &Shop) -> Result<Whose, Problem> {
        let row = keep::find_subject(view, shop, subject)?.ok_or_else(|| Problem::edited("record"))?;
        Ok(Whose { subject, standing: row.standing, chosen: choose::chosen(view, shop, subject, now)? })
    }
}

/// One record under both policies, and under the old one with each change alone.
struct Compared {
    kind: u8,
    before: Kept,
    after: Kept,
    /// Per change: is the record about it, and what would it be?
    alone: Vec<(bool, Kept)>,
}

/// Which fields stay, and until when.
struct Kept {
    fields: FieldMask,
    until: i64,
    ends: BTreeSet<i64>,
}

impl Kept {
    fn of(layout: &Layout, unknown: FieldMask) -> Kept {
        let fields = layout.groups.iter().fold(unknown, |all, group| all.or(group.fields));
        let until = layout.groups.iter().map(|group| end_column(group.end)).max();
        let term = |end: &End| if let End::At(at) = end { term_end(*at) } else { OPEN_END };
        let ends = layout.groups.iter().map(|group| term(&group.end)).collect();
        Kept { fields, until: until.unwrap_or(OPEN_END), ends }
    }

    /// The ends at which something moves on the way from here to there.
    fn moved<'k>(&'k self, after: &'k Kept) -> impl Iterator<Item = i64> + 'k {
        self.ends.symmetric_difference(&after.ends).copied()
    }
}

fn compare(
    record: &RecordRow,
    whose: &Whose,
    now_in_force: &InForce,
    next: &InForce,
    parts: &[Part],
    now: i64,
) -> Result<Compared, Problem> {
    let envelope = Envelope::parse(&record.sealed).map_err(|_| Problem::edited("record"))?;
    let present = keep::types::to_policy(envelope.fields()).minus(FieldMask::only(keep::types::EXTERNAL_ID));
    let kind = record.id.kind();
    let happenings = record.clear.happenings(kind);
    let under = |compiled: &Compiled, void: PurposeSet| {
        let chosen = Chosen { granted: whose.chosen.granted.minus(void), ..whose.chosen };
        let unknown = compiled.kind(kind).map_or(present, |kind| kind.unknown_among(present));
        let layout =
            compiled.layout(kind, present.minus(unknown), &happenings.life(&chosen, whose.standing), now);
        Kept::of(&layout, unknown)
    };
    let alone = |part: &Part| {
        let about = part.about.iter().any(|(of, fields)| *of == kind && !fields.and(present).is_empty());
        (about, under(&part.compiled, part.voids))
    };
    Ok(Compared {
        kind,
        before: under(&now_in_force.compiled, PurposeSet::EMPTY),
        after: under(&next.compiled, newly_void(next)),
        alone: parts.iter().map(alone).collect(),
    })
}

/// The purposes whose granted choices this version makes void.
fn newly_void(next: &InForce) -> PurposeSet {
    next.voids
        .last()
        .filter(|(version, _)| *version == next.version)
        .map_or(PurposeSet::EMPTY, |(_, purposes)| *purposes)
}

#[derive(Default)]
struct Sums {
    preview: Preview,
    ends: BTreeSet<i64>,
    moved: BTreeSet<i64>,
    moved_alone: Vec<BTreeSet<i64>>,
}

fn one_more(count: &mut u64) {
    *count = count.saturating_add(1);
}

impl Sums {
    fn of(changes: usize) -> Sums {
        let mut sums = Sums::default();
        sums.preview.changes.resize_with(changes, Effect::default);
        sums.moved_alone.resize_with(changes, BTreeSet::new);
        sums
    }

    fn cannot_read(&mut self) {
        one_more(&mut self.preview.records);
        one_more(&mut self.preview.unreadable);
    }

    fn add(&mut self, compared: Compared, next: &InForce) {
        let Compared { kind, before, after, alone } = compared;
        let sums = &mut self.preview;
        one_more(&mut sums.records);
        if after.fields.is_empty() && !before.fields.is_empty() {
            one_more(&mut sums.go);
        } else if after.until < before.until {
            one_more(&mut sums.end_sooner);
        } else if after.until > before.until {
            one_more(&mut sums.end_later);
        }
        let kind_name = next.registry.kind_of(kind).map(|(name, _)| name.to_string()).unwrap_or_default();
        for field in crate::ground::work::field_names(next, kind, before.fields.minus(after.fields)) {
            one_more(sums.fields_go.entry(format!("{kind_name}.{field}")).or_default());
        }
        self.moved.extend(before.moved(&after));
        self.ends.extend(after.ends.iter().filter(|end| **end != OPEN_END));
        let effects = sums.changes.iter_mut().zip(&mut self.moved_alone);
        for ((effect, moved), (about, after)) in effects.zip(alone) {
            effect.records = effect.records.saturating_add(u64::from(about));
            if after.fields.is_empty() && !before.fields.is_empty() {
                one_more(&mut effect.go);
            } else {
                if !before.fields.minus(after.fields).is_empty() {
                    one_more(&mut effect.lose_fields);
                }
                if after.until < before.until {
                    one_more(&mut effect.end_sooner);
                } else if after.until > before.until {
                    one_more(&mut effect.end_later);
                }
            }
            moved.extend(before.moved(&after));
        }
    }
}

/// Counts the choices that would become void: of how many subjects, by purpose; and by change.
fn count_void(
    house: &House,
    shop: &Arc<Shop>,
    next: &InForce,
    parts: &[Part],
    preview: &mut Preview,
) -> Result<(), Problem> {
    let void = newly_void(next);
    if void.is_empty() && parts.iter().all(|part| part.voids.is_empty()) {
        return Ok(());
    }
    let mut after: Option<SubjectId> = None;
    loop {
        let (reading, now) = (Arc::clone(shop), house.clock.now());
        let page: Vec<(SubjectId, PurposeSet)> = house.store.look_blocking::<_, Problem, _>(move |view| {
            let subjects = choose::list_standings_after(view, &reading, after, PAGE)?;
            let granted = |subject| match choose::chosen(view, &reading, subject, now) {
                Ok(chosen) => Ok((subject, chosen.granted)),
                Err(problem) if problem.is_of_a_row() => Ok((subject, PurposeSet::EMPTY)), // whose yes it is cannot be told
                Err(problem) => Err(problem),
            };
            subjects.into_iter().map(granted).collect()
        })?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (_, granted) in &page {
            for purpose in &granted.and(void) {
                let name = next.registry.purpose_name(purpose).map(ToString::to_string);
                one_more(preview.choices_void.entry(name.unwrap_or_default()).or_default());
            }
            for (effect, part) in preview.changes.iter_mut().zip(parts) {
                effect.choices = effect.choices.saturating_add(granted.and(part.voids).iter().count() as u64);
            }
        }
    }
}
