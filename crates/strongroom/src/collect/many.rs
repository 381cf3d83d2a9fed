//! Many records at once: what a batch and an import share.
//!
//! One look for those of which nothing is known, one pass of sealing, then commits of a few dozen records each. A record
//! that cannot go with its group goes by itself, so every one gets its own answer.

use std::collections::HashSet;
use std::sync::Arc;

use store::{Ask, Lane};

use super::draft::Draft;
use super::write::{
    Applied, Known, Prepared, Written, apply, asks_behind_look, asks_of, asks_of_look, guess, learn, look,
    prepare_with_numbers, write_known,
};
use crate::ground::house::House;
use crate::ground::web::{Caller, Repeat};
use crate::ground::{Problem, Term};
use crate::keep;

/// Records in one unit of work: about a millisecond of the writer.
const GROUP: usize = 64;

/// A record with what is kept of its request.
#[derive(Debug, Clone)]
pub struct Row {
    /// What came in.
    pub draft: Arc<Draft>,
    /// The key of its request, if it has one.
    pub repeat: Option<Repeat>,
}

struct Member {
    position: usize,
    row: Row,
    prepared: Prepared,
}

/// Rounds before what is left goes one by one.
const ROUNDS: usize = 8;

/// Takes many records in. Gives what became of each, in their order.
///
/// What one subject's records rest on moves with every one of them, so each round takes one record of a subject, in order.
pub async fn write_many(
    house: &Arc<House>,
    caller: &Caller,
    lane: Lane,
    rows: &[Row],
) -> Vec<Result<Written, Problem>> {
    let mut answers: Vec<Option<Result<Written, Problem>>> = Vec::new();
    answers.resize_with(rows.len(), || None);
    let mut open: Vec<(usize, &Row)> = rows.iter().enumerate().collect();
    for _ in 0..ROUNDS {
        if open.is_empty() {
            break;
        }
        open = write_round(house, caller, lane, open, &mut answers).await;
    }
    for (position, row) in open {
        let written = write_known(house, caller, lane, Arc::clone(&row.draft), None, row.repeat).await;
        set(&mut answers, position, written);
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(keep::error::too_busy()))).collect()
}

/// Takes in the first record of every subject. Gives the rows that are left for another round.
async fn write_round<'r>(
    house: &Arc<House>,
    caller: &Caller,
    lane: Lane,
    rows: Vec<(usize, &'r Row)>,
    answers: &mut [Option<Result<Written, Problem>>],
) -> Vec<(usize, &'r Row)> {
    let known = match look_at_all(house, caller, lane, &rows).await {
        Ok(known) => known,
        Err(problem) => {
            for (position, _) in rows {
                set(answers, position, Err(problem.clone()));
            }
            return Vec::new();
        }
    };
    let (mut subjects, mut ids) = (HashSet::new(), HashSet::new());
    let (mut members, mut later, mut missing) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
    for ((position, row), known) in rows.into_iter().zip(known) {
        let known = match known {
            Ok(known) => known,
            Err(problem) => {
                missing.push((position, row, problem));
                continue;
            }
        };
        let first_of_subject =
            known.subject.as_ref().is_none_or(|subject| subjects.insert(subject.id.column()));
        let first_of_id = row.draft.external.is_none_or(|id| ids.insert(id));
        if !(first_of_subject && first_of_id) {
            later.push((position, row));
            continue;
        }
        match prepare_with_numbers(house, &caller.shop, &row.draft, Some(known)).await {
            Ok(prepared) => members.push(Member { position, row: row.clone(), prepared }),
            Err(problem) => set(answers, position, Err(problem)),
        }
    }
    for (position, row, problem) in missing {
        // Its subject may come in with this very batch, before it.
        if problem.code == keep::error::NO_SUCH_SUBJECT && !members.is_empty() {
            later.push((position, row));
        } else {
            set(answers, position, Err(problem));
        }
    }
    later.sort_by_key(|(position, _)| *position);
    if let Err(problem) = add_terms_first(house, caller, lane, &mut members).await {
        for member in &members {
            set(answers, member.position, Err(problem.clone()));
        }
        members.clear();
    }
    // All groups at once: what is ready together is committed together.
    let mut groups = Vec::new();
    while !members.is_empty() {
        let behind = members.split_off(members.len().min(GROUP));
        groups.push(apply_group(house, caller, lane, std::mem::replace(&mut members, behind)));
    }
    for (position, outcome) in futures_util::future::join_all(groups).await.into_iter().flatten() {
        let written = match outcome {
            Outcome::Answer(written) => written,
            Outcome::Alone(row, known) => {
                let known = known.map(|known| *known);
                write_known(house, caller, lane, row.draft, known, row.repeat).await
            }
        };
        set(answers, position, written);
    }
    later
}

fn set(answers: &mut [Option<Result<Written, Problem>>], position: usize, answer: Result<Written, Problem>) {
    if let Some(slot) = answers.get_mut(position) {
        *slot = Some(answer);
    }
}

/// What is known of each: by hint, or by one look for all the others.
async fn look_at_all(
    house: &Arc<House>,
    caller: &Caller,
    lane: Lane,
    rows: &[(usize, &Row)],
) -> Result<Vec<Result<Known, Problem>>, Problem> {
    let policy = caller.shop.policy();
    let mut known: Vec<Option<Result<Known, Problem>>> =
        rows.iter().map(|(_, row)| guess(&caller.shop, &policy, &row.draft).map(Ok)).collect();
    let open: Vec<usize> = known.iter().enumerate().filter(|(_, k)| k.is_none()).map(|(at, _)| at).collect();
    let looks = open.chunks(GROUP).map(|group| {
        let drafts: Vec<Arc<Draft>> =
            group.iter().filter_map(|at| rows.get(*at)).map(|(_, row)| Arc::clone(&row.draft)).collect();
        let asks = || drafts.iter().flat_map(|draft| asks_of_look(draft, &caller.shop)).collect();
        let asks = house.foresees(asks);
        house.work_foreseen(lane, &caller.shop, &caller.actor, asks, move |work| {
            work.tx.foresee(|| {
                let behind: Result<Vec<Vec<Ask>>, Problem> =
                    drafts.iter().map(|draft| asks_behind_look(draft, work)).collect();
                behind.map(|behind| behind.concat())
            })?;
            Ok(drafts.iter().map(|draft| look(draft, work)).collect::<Vec<_>>())
        })
    });
    let looks = futures_util::future::try_join_all(looks).await?;
    for (at, mut found) in open.iter().zip(looks.into_iter().flat_map(store::Committed::into_value)) {
        if let (Some(slot), Some((_, row))) = (known.get_mut(*at), rows.get(*at)) {
            if let Ok(found) = &mut found {
                learn(&caller.shop, &row.draft, found);
            }
            *slot = Some(found);
        }
    }
    Ok(known.into_iter().map(|known| known.unwrap_or_else(|| Err(keep::error::too_busy()))).collect())
}

/// Several records may want the same new term. It is made once, before all of them; then they are sealed again under it.
async fn add_terms_first(
    house: &Arc<House>,
    caller: &Caller,
    lane: Lane,
    members: &mut [Member],
) -> Result<(), Problem> {
    let mut terms: Vec<Term> = Vec::new();
    for member in members.iter() {
        for term in new_terms(member) {
            if !terms.iter().any(|known| (known.ends_at, known.epoch) == (term.ends_at, term.epoch)) {
                terms.push(term.clone());
            }
        }
    }
    if terms.is_empty() {
        return Ok(());
    }
    house.work(lane, &caller.shop, &caller.actor, move |work| keep::add_terms(&terms, work)).await?;
    for member in members.iter_mut().filter(|member| !new_terms(member).is_empty()) {
        if let Prepared::Plan(ready) = &member.prepared {
            let known = Some(ready.known().clone());
            member.prepared = prepare_with_numbers(house, &caller.shop, &member.row.draft, known).await?;
        }
    }
    Ok(())
}

fn new_terms(member: &Member) -> &[Term] {
    match &member.prepared {
        Prepared::Plan(ready) => &ready.plan.new_terms,
        _ => &[],
    }
}

/// What became of one member of a group.
enum Outcome {
    Answer(Result<Written, Problem>),
    Alone(Row, Option<Box<Known>>),
}

/// Applies a group in one unit of work. Who is stale, or spoils the group, goes alone.
async fn apply_group(
    house: &Arc<House>,
    caller: &Caller,
    lane: Lane,
    group: Vec<Member>,
) -> Vec<(usize, Outcome)> {
    let group = Arc::new(group);
    let applying = Arc::clone(&group);
    let asks =
        |member: &Member| asks_of(&member.row.draft, &member.prepared, member.row.repeat, &caller.shop);
    let asks = house.foresees(|| group.iter().flat_map(asks).collect());
    let applied = house
        .work_foreseen(lane, &caller.shop, &caller.actor, asks, move |work| {
            applying
                .iter()
                .map(|member| apply(&member.row.draft, &member.prepared, member.row.repeat, work))
                .collect::<Result<Vec<_>, Problem>>()
        })
        .await;
    let members = group.iter().map(|member| (member.position, member.row.clone()));
    match applied.map(store::Committed::into_value) {
        Ok(applied) => members
            .zip(applied)
            .map(|((position, row), applied)| {
                let outcome = match applied {
                    Applied::Stale(known) => Outcome::Alone(row, Some(known)),
                    Applied::Written(written) => Outcome::Answer(Ok(*written)),
                    Applied::Refused(problem) => Outcome::Answer(Err(problem)),
                };
                (position, outcome)
            })
            .collect(),
        // Nothing of the group was written. A fault of the store meets all of them; a fault of one meets that one alone.
        Err(problem) if problem.status >= 500 && problem.code != keep::error::MOVED => {
            members.map(|(position, _)| (position, Outcome::Answer(Err(problem.clone())))).collect()
        }
        Err(_) => members.map(|(position, row)| (position, Outcome::Alone(row, None))).collect(),
    }
}
