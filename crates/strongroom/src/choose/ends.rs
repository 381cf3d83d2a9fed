//! What stands of a subject's choices, and when a yes ends by itself.
//!
//! INVARIANT: which end a yes has is decided when it is said. It ends at that instant wherever it is read; the caretaker only tidies up
//! behind it, so that what nobody may use any more goes.

use std::sync::Arc;

use policy::{CompiledPurpose, PurposeSet};
use store::{Lane, View, params};

use super::{ChoiceRow, Others, Said, sql};
use crate::ground::clock::DAY;
use crate::ground::work::Work;
use crate::ground::{Actor, Chosen, Hint, House, InForce, Problem, Shop, SubjectId, jobs};

/// What a subject's row says, the time left aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Standing {
    /// What was chosen.
    pub(super) chosen: Chosen,
    /// Which granted purposes end when, by ordinal.
    ends: Vec<(u16, i64)>,
}

impl Standing {
    /// What of it stands at an instant.
    pub(super) fn at(mut self, now: i64) -> Standing {
        let over = self.ends.iter().filter(|(_, end)| *end <= now).map(|(purpose, _)| *purpose);
        self.chosen.granted = self.chosen.granted.minus(over.collect());
        let granted = self.chosen.granted;
        self.ends.retain(|(purpose, _)| granted.has(*purpose));
        self.chosen.ends_at = self.ends.iter().map(|(_, end)| *end).min();
        self
    }

    /// The same with what was said last. Takes: when it ends, or 0.
    pub(super) fn with(mut self, purpose: u16, said: Said, ends_at: i64) -> Standing {
        let (only, yes) = (PurposeSet::only(purpose), said == Said::Granted);
        let Chosen { granted, refused, .. } = &mut self.chosen;
        *granted = if yes { granted.or(only) } else { granted.minus(only) };
        *refused = if yes { refused.minus(only) } else { refused.or(only) };
        self.ends.retain(|(of, _)| *of != purpose);
        if yes && ends_at != 0 {
            self.ends.push((purpose, ends_at));
            self.ends.sort_unstable();
        }
        self
    }

    fn ends_column(&self) -> String {
        let all = self.ends.iter().map(|(purpose, end)| format!("{purpose}={end}"));
        all.collect::<Vec<_>>().join(",")
    }
}

fn read_ends(column: &str) -> Option<Vec<(u16, i64)>> {
    let all = column.split(',').filter(|one| !one.is_empty());
    let one = |one: &str| {
        let (purpose, end) = one.split_once('=')?;
        Some((purpose.parse().ok()?, end.parse().ok()?))
    };
    all.map(one).collect()
}

const STANDING: &str = "choice_standing";

/// Fails: `SR-KEEP-004` when the row was edited.
pub(super) fn standing(view: &View<'_>, shop: &Shop, subject: SubjectId) -> Result<Standing, Problem> {
    let found = view.find(&sql::FIND_STANDING, params![subject.column(), shop.column()], |row| {
        let (granted, refused) = (row.array::<32>(2)?, row.array::<32>(3)?);
        let rest = (row.bytes(4)?.to_vec(), row.text(5)?.to_owned());
        Ok((row.number::<u32>(0)?, row.number::<u32>(1)?, granted, refused, rest))
    })?;
    let Some((count, under, granted, refused, (mac, ends))) = found else { return Ok(Standing::default()) };
    let edited = || Problem::edited(STANDING);
    let columns = columns(shop, subject, count, under);
    let covered = covered(&columns, &granted, &refused, ends.as_bytes());
    shop.keys.row_is_whole(STANDING, &covered, &mac).map_err(|_| edited())?;
    // A yes was said to what the notice said then. LAW: PIPL 14(2).
    let granted = read_set(&granted).minus(shop.policy().voided_since(under));
    let chosen = Chosen { count, granted, refused: read_set(&refused), ends_at: None };
    Ok(Standing { chosen, ends: read_ends(&ends).ok_or_else(edited)? })
}

/// When a choice ends by itself: a yes to a purpose whose policy says `ask_again`. Gives 0 for one that does not.
pub(super) fn of(purpose: &CompiledPurpose, said: Said, at: i64, policy: &InForce) -> i64 {
    let period = purpose.said.ask_again.filter(|_| said == Said::Granted);
    period.and_then(|period| policy.compiled.later(period, at)).unwrap_or(0)
}

/// Does saying the same yes again give it another end? Within a day it does not: that is a second click.
pub(super) fn is_renewed(before: &ChoiceRow, at: i64, ends_at: i64) -> bool {
    match (before.ends_at, ends_at) {
        _ if at <= before.at => false,
        (0, 0) => false,
        (0, _) | (_, 0) => true,
        (old, new) => new.saturating_sub(old) >= DAY,
    }
}

pub(super) fn set_standing(
    subject: SubjectId,
    stands: &Standing,
    others: Others,
    work: &mut Work<'_, '_>,
) -> Result<(), Problem> {
    let shop = Arc::clone(work.shop);
    let chosen = stands.chosen;
    let (granted, refused) = (set_column(chosen.granted), set_column(chosen.refused));
    let (under, ends, ends_at) =
        (work.policy.version, stands.ends_column(), chosen.ends_at.unwrap_or_default());
    let columns = columns(&shop, subject, chosen.count, under);
    let mac = shop.keys.row_mac(STANDING, &covered(&columns, &granted, &refused, ends.as_bytes()))?;
    let params = params![
        subject.column(),
        shop.column(),
        chosen.count,
        under,
        &granted,
        &refused,
        ends.as_str(),
        ends_at,
        &mac
    ];
    work.tx.set(&sql::SET_STANDING, params, &sql::FIND_STANDING, params![subject.column(), shop.column()])?;
    // What may be kept, and for how long, may have moved: the gate knows at once, the records are laid out again behind.
    if others == Others::Perhaps {
        work.tx.add_job(shop.column(), jobs::RECLOCK, subject.column(), work.asked_at())?;
    }
    work.tx.after_commit(move || {
        if let Some(hint) = shop.hints.subject(subject) {
            shop.hints.saw(subject, Hint { chosen, ..hint });
        }
    });
    Ok(())
}

/// Subjects of one page of a sweep, and so many in one unit of work.
const PAGE: u32 = 64;

/// Tidies up behind yeses that have ended: what stands is written anew, and the subject's records are laid out again. Gives how many
/// subjects it were. It enters nothing: the end stands in the entry of the choice.
pub fn sweep(house: &House, shop: &Arc<Shop>) -> Result<usize, Problem> {
    let (mut after, mut ended) = (-1_i64, 0_usize);
    loop {
        let (looking, now) = (Arc::clone(shop), house.clock.now());
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            let params = params![now, looking.column(), after, PAGE];
            Ok(view.list(&sql::LIST_ENDED, params, |row| Ok(SubjectId::from_column(row.int(0)?)))?)
        })?;
        let Some(last) = page.last() else { return Ok(ended) };
        after = last.column();
        let letting = house.work_blocking(Lane::Low, shop, &Actor::House, move |work| {
            work.tx.housekeeping();
            let mut count = 0_usize;
            for subject in &page {
                count = count.saturating_add(usize::from(let_end(*subject, work)?));
            }
            Ok::<_, Problem>(count)
        })?;
        ended = ended.saturating_add(letting.into_value());
    }
}

/// A row that was edited stays as it is: whoever reads it is told.
fn let_end(subject: SubjectId, work: &mut Work<'_, '_>) -> Result<bool, Problem> {
    let before = match standing(work.tx, work.shop, subject) {
        Ok(before) => before,
        Err(problem) if problem.is_of_a_row() => return Ok(false),
        Err(problem) => return Err(problem),
    };
    let stands = before.clone().at(work.now);
    if stands.ends == before.ends {
        return Ok(false);
    }
    set_standing(subject, &stands, Others::Perhaps, work)?;
    Ok(true)
}

/// What the MAC of a row is over.
/// ORDER: the ends only if there are any; so rows from before stay whole.
fn covered<'c>(columns: &'c [u8], granted: &'c [u8], refused: &'c [u8], ends: &'c [u8]) -> Vec<&'c [u8]> {
    let all = [columns, granted, refused].into_iter();
    all.chain((!ends.is_empty()).then_some(ends)).collect()
}

fn columns(shop: &Shop, subject: SubjectId, count: u32, under: u32) -> Vec<u8> {
    let columns = [shop.column(), subject.column(), i64::from(count), i64::from(under)];
    columns.iter().flat_map(|column| column.to_be_bytes()).collect()
}

fn set_column(set: PurposeSet) -> [u8; 32] {
    let mut column = [0; 32];
    for (slot, byte) in column.iter_mut().zip(set.as_words().iter().flat_map(|word| word.to_le_bytes())) {
        *slot = byte;
    }
    column
}

fn read_set(column: &[u8; 32]) -> PurposeSet {
    let mut words = [0_u64; 4];
    for (word, bytes) in words.iter_mut().zip(column.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    PurposeSet::from_words(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standing_of(said: &[(u16, bool, i64)]) -> Standing {
        let one = |stands: Standing, (purpose, yes, ends_at): &(u16, bool, i64)| {
            stands.with(*purpose, if *yes { Said::Granted } else { Said::Withdrawn }, *ends_at)
        };
        said.iter().fold(Standing::default(), one)
    }

    proptest! {
        #[test]
        fn more_time_never_allows_more(
            said in prop::collection::vec((0_u16..6, any::<bool>(), 0_i64..50), 0..12),
            now in 0_i64..60,
            later in 0_i64..60,
        ) {
            let stands = standing_of(&said);
            let (at, behind) = (stands.clone().at(now), stands.at(now).at(now + later));
            prop_assert!(behind.chosen.granted.minus(at.chosen.granted).is_empty());
            prop_assert_eq!(behind.chosen.refused, at.chosen.refused);
            // What was read stays right until it says that it is over, and not a moment longer.
            prop_assert_eq!(at.chosen.is_over(now + later), behind.chosen != at.chosen);
        }

        #[test]
        fn what_is_written_of_ends_reads_back(said in prop::collection::vec((0_u16..256, any::<bool>(), any::<i64>()), 0..12)) {
            let stands = standing_of(&said);
            prop_assert_eq!(read_ends(&stands.ends_column()), Some(stands.ends));
        }
    }

    #[test]
    fn what_is_no_list_of_ends_is_none() {
        for column in ["3", "3=", "=4", "a=4", "3=4,,", "70000=1", "3=4;5=6", " "] {
            let read = read_ends(column);
            assert!(read.is_none() || column == "3=4,,", "{column}");
        }
    }
}
