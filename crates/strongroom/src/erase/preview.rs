//! What a policy would change about what is kept already, counted before it is published. Reads only, page by page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy::{End, FieldMask, Group, Layout, PurposeSet};
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
}

/// Counts what `next` would change, if it were put in force now.
///
/// Takes: the policy as it would be; who is told how many records of how many were looked at.
pub fn preview(
    house: &House,
    shop: &Arc<Shop>,
    next: InForce,
    mut progress: impl FnMut(u64, u64),
) -> Result<Preview, Problem> {
    let (next, reading) = (Arc::new(next), Arc::clone(shop));
    let total: u64 =
        house.store.look_blocking::<_, Problem, _>(move |view| keep::count_records(view, &reading))?;
    let mut sums = Sums { preview: Preview::default(), ends: BTreeSet::new() };
    let mut after: Option<RecordId> = None;
    loop {
        let (reading, rules, now) = (Arc::clone(shop), Arc::clone(&next), house.clock.now());
        let (looked, last) = house.store.look_blocking::<_, Problem, _>(move |view| {
            let records = keep::list_records_after(view, &reading, after, PAGE)?;
            let mut subject: Option<Whose> = None;
            let mut looked = Vec::with_capacity(records.len());
            for record in &records {
                let id = record.id.subject();
                let known = match subject.take().filter(|known| known.subject == id) {
                    Some(known) => known,
                    None => Whose::find(id, view, &reading)?,
                };
                looked.push(compare(record, &known, &reading.policy(), &rules, now)?);
                subject = Some(known);
            }
            Ok((looked, records.last().map(|record| record.id)))
        })?;
        for compared in looked {
            sums.add(compared, &next);
        }
        progress(sums.preview.records, total.max(sums.preview.records));
        let Some(last) = last else { break };
        after = Some(last);
    }
    let known: BTreeSet<i64> = shop.terms.all().iter().map(|term| term.ends_at).collect();
    sums.preview.new_terms = sums.ends.difference(&known).count() as u64;
    sums.preview.choices_void = count_void(house, shop, &next)?;
    Ok(sums.preview)
}

/// What clocks rest on, of one subject.
struct Whose {
    subject: SubjectId,
    standing: policy::Standing,
    chosen: Chosen,
}

impl Whose {
    fn find(subject: SubjectId, view: &store::View<'_>, shop: &Shop) -> Result<Whose, Problem> {
        let row = keep::find_subject(view, shop, subject)?.ok_or_else(|| Problem::edited("record"))?;
        Ok(Whose { subject, standing: row.standing, chosen: choose::chosen(view, shop, subject)? })
    }
}

/// One record under both policies.
struct Compared {
    kind: u8,
    before: Kept,
    after: Kept,
    ends: Vec<i64>,
}

/// Which fields stay, and until when the longest does.
struct Kept {
    fields: FieldMask,
    until: i64,
}

impl Kept {
    fn of(layout: &Layout, unknown: FieldMask) -> Kept {
        let fields = layout.groups.iter().fold(unknown, |all, group| all.or(group.fields));
        let until = layout.groups.iter().map(|group| end_column(group.end)).max();
        Kept { fields, until: until.unwrap_or(OPEN_END) }
    }
}

fn compare(
    record: &RecordRow,
    whose: &Whose,
    now_in_force: &InForce,
    next: &InForce,
    now: i64,
) -> Result<Compared, Problem> {
    let envelope = Envelope::parse(&record.sealed).map_err(|_| Problem::edited("record"))?;
    let present = keep::types::to_policy(envelope.fields()).minus(FieldMask::only(keep::types::EXTERNAL_ID));
    let kind = record.id.kind();
    let happenings = record.clear.happenings(kind);
    let under = |policy: &InForce, chosen: &Chosen| {
        let unknown = policy.compiled.kind(kind).map_or(present, |kind| kind.unknown_among(present));
        let life = happenings.life(chosen, whose.standing);
        let layout = policy.compiled.layout(kind, present.minus(unknown), &life, now);
        (Kept::of(&layout, unknown), layout)
    };
    let (before, _) = under(now_in_force, &whose.chosen);
    let granted = whose.chosen.granted.minus(newly_void(next));
    let (after, layout) = under(next, &Chosen { granted, ..whose.chosen });
    let ends = layout.groups.iter().filter_map(|Group { end, .. }| match end {
        End::At(at) => Some(term_end(*at)),
        End::Open => None,
    });
    Ok(Compared { kind, before, after, ends: ends.collect() })
}

/// The purposes whose granted choices this version makes void.
fn newly_void(next: &InForce) -> PurposeSet {
    next.voids
        .last()
        .filter(|(version, _)| *version == next.version)
        .map_or(PurposeSet::EMPTY, |(_, purposes)| *purposes)
}

struct Sums {
    preview: Preview,
    ends: BTreeSet<i64>,
}

impl Sums {
    fn add(&mut self, compared: Compared, next: &InForce) {
        let Compared { kind, before, after, ends } = compared;
        let sums = &mut self.preview;
        let one_more = |count: &mut u64| *count = count.saturating_add(1);
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
        self.ends.extend(ends);
    }
}

/// Subjects whose yes to a purpose would become void.
fn count_void(house: &House, shop: &Arc<Shop>, next: &InForce) -> Result<BTreeMap<String, u64>, Problem> {
    let void = newly_void(next);
    let mut counts = BTreeMap::new();
    if void.is_empty() {
        return Ok(counts);
    }
    let mut after: Option<SubjectId> = None;
    loop {
        let reading = Arc::clone(shop);
        let page: Vec<(SubjectId, PurposeSet)> = house.store.look_blocking::<_, Problem, _>(move |view| {
            let subjects = choose::list_standings_after(view, &reading, after, PAGE)?;
            let granted = |subject| Ok((subject, choose::chosen(view, &reading, subject)?.granted));
            subjects.into_iter().map(granted).collect()
        })?;
        let Some((last, _)) = page.last() else { return Ok(counts) };
        after = Some(*last);
        for purpose in page.iter().flat_map(|(_, granted)| granted.and(void).iter()) {
            let name = next
                .compiled
                .purpose(purpose)
                .map(|purpose| purpose.said.name.to_string())
                .unwrap_or_default();
            let count: &mut u64 = counts.entry(name).or_default();
            *count = count.saturating_add(1);
        }
    }
}
