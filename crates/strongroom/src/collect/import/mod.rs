//! Imports: whole files of records, through the same door as everything else.
//!
//! A mapping says which column is which field. Columns that it does not name are dropped at the door and counted; a bad row
//! goes, with line, column and code and without its values, to whoever keeps the rejects; a record whose time is over is
//! refused and counted. How far a file has come is kept in the database, so an import that was cut off goes on, and one that
//! runs again changes nothing.

pub mod mapping;
pub mod rows;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use ledger::entry::{Act, Figure, Outcome};
use serde::{Deserialize, Serialize};
use store::{Lane, params};
use tokio::runtime::Handle;

use self::mapping::{Mapping, Subject};
use self::rows::{BadRow, Columns, Format, Row, Rows};
use super::draft::Draft;
use super::many::{self, write_many};
use super::sql;
use super::write::Became;
use crate::choose::{NewChoice, Way};
use crate::ground::clock::MINUTE;
use crate::ground::house::House;
use crate::ground::web::Caller;
use crate::ground::{InForce, Problem};
use crate::keep::Event;
use crate::keep::refs::Whose;
use crate::keep::types::EXTERNAL_ID;

/// An import.
#[derive(Debug)]
pub struct Import<R> {
    /// The file.
    pub file: R,
    /// How it is written.
    pub format: Format,
    /// The mapping file.
    pub mapping: String,
    /// SHA-256 of the file: the same file with the same mapping goes on where it was.
    pub digest: [u8; 32],
}

/// What an import has to say while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It goes on behind this many rows.
    Resumed(u64),
    /// So many rows are done.
    Progress(u64),
    /// A row was not taken.
    Reject(Reject),
}

/// A row that was not taken. It holds nothing of the row but where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Line in the file, from 1.
    pub line: u64,
    /// The column, if one is to blame.
    pub column: Option<String>,
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub what: String,
}

/// What became of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows read.
    pub rows: u64,
    /// Records made.
    pub created: u64,
    /// Records changed.
    pub updated: u64,
    /// Records that had all of it already.
    pub unchanged: u64,
    /// Records of which nothing is left.
    pub removed: u64,
    /// Choices kept.
    pub choices: u64,
    /// Rows that the mapping says are no records.
    pub skipped: u64,
    /// Rows refused because their time is over.
    pub past_end: u64,
    /// Rows of which no purpose in force keeps anything.
    pub nothing_kept: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Cells dropped at the door because no mapping names their column, by column.
    pub dropped_columns: BTreeMap<String, u64>,
    /// Fields dropped by the gate, by field.
    pub dropped_fields: BTreeMap<String, u64>,
}

/// Rows between two commits of how far the import has come.
const CHUNK: usize = 1_024;
/// Columns counted by name at the most.
const COUNTED: usize = 4_096;
/// Instants may lie this far in the future: clocks differ.
const AHEAD_ALLOWED: i64 = 5 * MINUTE;

struct State {
    id: [u8; 16],
    rows: u64,
    counts: Counts,
    shift: i64,
    done: bool,
}

/// Runs an import to the end of its file. Blocks; must not be called on a thread of the runtime.
///
/// Takes: the runtime that serves the store's answers, and who is told how it goes.
/// Gives: what became of the rows. Records: *collected* per record, *imported* at the end.
pub fn run<R: Read>(
    handle: &Handle,
    house: &Arc<House>,
    caller: &Caller,
    import: Import<R>,
    mut say: impl FnMut(Said),
) -> Result<Counts, Problem> {
    let policy = caller.shop.policy();
    let mapping = Mapping::parse(&import.mapping, &policy)?;
    let mut rows = Rows::open(import.file, import.format)?;
    if let Some(missing) = mapping.columns().into_iter().find(|column| !rows.columns().may_have(column)) {
        let title = format!("the file has no column `{missing}`, which the mapping names");
        return Err(Problem::new("SR-IMPORT-005", 422, title));
    }
    let mut state = handle.block_on(begin(house, caller, &mapping, &import.mapping, &import.digest))?;
    if state.done {
        state = State { rows: 0, counts: Counts::default(), done: false, ..state }; // once more, from the beginning
    }
    if state.rows > 0 {
        say(Said::Resumed(state.rows));
    }
    let mut chunk: Vec<(u64, many::Row)> = Vec::with_capacity(CHUNK);
    let mut read = 0_u64;
    while let Some(row) = rows.next()? {
        read = read.saturating_add(1);
        if read <= state.rows {
            continue; // done before it was cut off
        }
        state.counts.rows = state.counts.rows.saturating_add(1);
        match row.map_err(reject_row).and_then(|row| draft_of(&row, rows.columns(), &mapping, &policy, house, caller, state.shift, &mut state.counts)) {
            Ok(Some((line, draft))) => chunk.push((line, many::Row { draft: Arc::new(draft), repeat: None })),
            Ok(None) => state.counts.skipped = state.counts.skipped.saturating_add(1),
            Err(reject) => {
                state.counts.rejected = state.counts.rejected.saturating_add(1);
                say(Said::Reject(reject));
            }
        }
        if chunk.len() >= CHUNK {
            state.rows = read;
            let rejects = handle.block_on(take_in(house, caller, &mut chunk, &mut state))?;
            tell(rejects, &state, &mut say);
        }
    }
    state.rows = read;
    state.done = true;
    let rejects = handle.block_on(take_in(house, caller, &mut chunk, &mut state))?;
    tell(rejects, &state, &mut say);
    handle.block_on(enter_end(house, caller, state.counts.clone()))?;
    Ok(state.counts)
}

/// Finds how far this import has come, or begins it.
async fn begin(
    house: &Arc<House>,
    caller: &Caller,
    mapping: &Mapping,
    mapping_text: &str,
    digest: &[u8; 32],
) -> Result<State, Problem> {
    let id = caller.shop.keys.request_hash("import", &[digest, mapping_text.as_bytes()])?;
    let shop = caller.shop.column();
    let found = house
        .look(move |view| {
            Ok(view.find(&sql::FIND_IMPORT, params![&id, shop], |row| {
                Ok((row.number(0)?, row.text(1)?.to_owned(), row.int(2)?, row.int(3)? == 1))
            })?)
        })
        .await?;
    if let Some((rows, counts, shift, done)) = found {
        let counts = serde_json::from_str(&counts).map_err(|_| Problem::edited("import"))?;
        return Ok(State { id, rows, counts, shift, done });
    }
    let now = jiff::Timestamp::from_microsecond(house.clock.now()).unwrap_or_default();
    let today = now.to_zoned(mapping.zone.clone()).date();
    let shift = mapping.shift.map_or(0, |shift| shift.micros(today));
    Ok(State { id, rows: 0, counts: Counts::default(), shift, done: false })
}

fn tell(rejects: Vec<Reject>, state: &State, say: &mut impl FnMut(Said)) {
    rejects.into_iter().for_each(|reject| say(Said::Reject(reject)));
    say(Said::Progress(state.rows));
}

/// Takes a chunk in and keeps how far the file has come. Gives the rows that were not taken.
async fn take_in(
    house: &Arc<House>,
    caller: &Caller,
    chunk: &mut Vec<(u64, many::Row)>,
    state: &mut State,
) -> Result<Vec<Reject>, Problem> {
    let mut rejects = Vec::new();
    let (lines, rows): (Vec<u64>, Vec<many::Row>) = chunk.drain(..).unzip();
    let policy = caller.shop.policy();
    let counts = &mut state.counts;
    for (line, written) in lines.into_iter().zip(write_many(house, caller, Lane::Low, &rows).await) {
        match written {
            Ok(written) => {
                let counter = match written.answered.became {
                    Became::Created => &mut counts.created,
                    Became::Updated => &mut counts.updated,
                    Became::Unchanged => &mut counts.unchanged,
                    Became::Removed => &mut counts.removed,
                };
                *counter = counter.saturating_add(1);
                counts.choices = counts.choices.saturating_add(written.choices.len() as u64);
                for field in crate::ground::work::field_names(&policy, written.kind, written.refused()) {
                    count(&mut counts.dropped_fields, &field);
                }
            }
            // What can be tried again ends the import; it goes on from here when it is run again.
            Err(problem) if problem.status >= 500 => return Err(problem),
            Err(problem) if problem.code == "SR-COLLECT-011" => counts.past_end = counts.past_end.saturating_add(1),
            Err(problem) if problem.code == "SR-COLLECT-012" => {
                counts.nothing_kept = counts.nothing_kept.saturating_add(1);
            }
            Err(problem) => {
                counts.rejected = counts.rejected.saturating_add(1);
                let column = problem.pointer.as_deref().and_then(|at| at.rsplit('/').next()).map(str::to_owned);
                let what = problem.title.into_owned();
                rejects.push(Reject { line, column, code: problem.code.to_owned(), what });
            }
        }
    }
    let text = serde_json::to_string(&state.counts).unwrap_or_default();
    let (id, rows, shift, done) = (state.id, state.rows, state.shift, i64::from(state.done));
    house
        .work(Lane::Low, &caller.shop, &caller.actor, move |work| {
            work.tx.housekeeping(); // what the rows became is entered row by row
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            let params = params![&id, work.shop.column(), work.now, rows, text.as_str(), shift, done];
            work.tx.change(&sql::SET_IMPORT, params)?;
            Ok(())
        })
        .await?;
    Ok(rejects)
}

async fn enter_end(house: &Arc<House>, caller: &Caller, counts: Counts) -> Result<(), Problem> {
    house
        .work(Lane::Low, &caller.shop, &caller.actor, move |work| {
            let mut entry = work.entry(Act::Imported, Outcome::Yes);
            let dropped: u64 = counts.dropped_columns.values().sum();
            entry.figures = vec![
                (Figure::Lines, counts.rows),
                (Figure::Records, counts.created.saturating_add(counts.updated)),
                (Figure::Refused, counts.rejected.saturating_add(counts.past_end).saturating_add(counts.nothing_kept)),
                (Figure::Dropped, dropped),
            ];
            work.enter_plain(entry).map(|_| ())
        })
        .await
        .map(|_| ())
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(known) = counts.get_mut(name) {
        *known = known.saturating_add(1);
    } else if counts.len() < COUNTED {
        counts.insert(name.to_owned(), 1);
    }
}

fn reject_row(bad: BadRow) -> Reject {
    Reject { line: bad.line, column: None, code: bad.code.to_owned(), what: bad.what.to_owned() }
}

/// Makes a draft of a row. Gives `None` for a row that is no record.
#[expect(clippy::too_many_arguments, reason = "everything that turns a row into a draft")]
fn draft_of(
    row: &Row,
    columns: &Columns,
    mapping: &Mapping,
    policy: &InForce,
    house: &House,
    caller: &Caller,
    shift: i64,
    counts: &mut Counts,
) -> Result<Option<(u64, Draft)>, Reject> {
    let reject = |column: &str, code: &str, what: &str| Reject {
        line: row.line,
        column: Some(column.to_owned()),
        code: code.to_owned(),
        what: what.to_owned(),
    };
    let cell = |column: &str| row.cell(columns, column).map_err(|()| reject(column, "SR-IMPORT-015", "the cell is not UTF-8"));
    for column in &mapping.skip_when_empty {
        if cell(column)?.is_none_or(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
    }
    let named = mapping.columns();
    for column in row.filled(columns).filter(|column| !named.contains(column)) {
        count(&mut counts.dropped_columns, column);
    }
    let Some(kind) = policy.compiled.kind(mapping.kind) else {
        return Err(reject("", "SR-COLLECT-017", "the policy changed while this was imported"));
    };
    let (shop, now) = (&caller.shop, house.clock.now());
    let mut draft = Draft::new(kind, policy);
    if let Some(column) = &mapping.external_id {
        let id = cell(column)?.unwrap_or_default();
        draft
            .set_external_id(&seal::Personal::new(id.to_owned()), shop)
            .map_err(|problem| reject(column, problem.code, &problem.title))?;
    }
    for (ordinal, name, template) in &mapping.fields {
        for column in template.columns() {
            cell(column)?; // refused by its own name when it is not UTF-8
        }
        let Some(value) = template.fill(|column| row.cell(columns, column).ok().flatten()) else { continue };
        let Some(field) = kind.field(*ordinal) else { continue };
        draft
            .set_cell(field, &value, shop)
            .map_err(|fault| reject(name, "SR-KEEP-016", &fault.to_string()))?;
    }
    draft.sort();
    for (event, column) in &mapping.events {
        let Some(text) = cell(column)?.map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let at = read_instant(text, mapping).map(|at| at.saturating_add(shift));
        let at = at.filter(|at| *at <= now.saturating_add(AHEAD_ALLOWED));
        let at = at.ok_or_else(|| reject(column, "SR-IMPORT-016", "the cell is not an instant, or lies in the future"))?;
        draft.events.push(Event { kind: mapping.kind, event: *event, at });
    }
    for choice in &mapping.choices {
        let text = cell(&choice.column)?.unwrap_or_default().trim();
        let Some((_, said)) = choice.said.iter().find(|(cell, _)| cell == text) else { continue };
        let at = match &choice.at {
            Some(column) => match cell(column)?.map(str::trim).filter(|text| !text.is_empty()) {
                Some(text) => Some(
                    read_instant(text, mapping)
                        .map(|at| at.saturating_add(shift).min(now))
                        .ok_or_else(|| reject(column, "SR-IMPORT-016", "the cell is not an instant"))?,
                ),
                None => None,
            },
            None => None,
        };
        let (notice, language) = choice.notice.clone();
        draft.choices.push(NewChoice { purpose: choice.purpose, said: *said, at, notice, language, way: Way::Import });
    }
    draft.whose = whose(row, columns, mapping, policy, caller)
        .map_err(|(column, code, what)| reject(&column, code, &what))?;
    Ok(Some((row.line, draft)))
}

type Fault = (String, &'static str, String);

fn whose(
    row: &Row,
    columns: &Columns,
    mapping: &Mapping,
    policy: &InForce,
    caller: &Caller,
) -> Result<Whose, Fault> {
    let (column, places) = match &mapping.subject {
        Subject::Own => return Ok(Whose::Unsaid),
        Subject::External(kind, column) => (column, vec![(*kind, EXTERNAL_ID)]),
        Subject::Matching(places, column) => (column, places.clone()),
    };
    let text = row.cell(columns, column).ok().flatten().map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| (column.clone(), "SR-IMPORT-017", String::from("the row does not say whose it is")))?;
    let keys = &caller.shop.keys;
    let mut blinds = Vec::with_capacity(places.len());
    for (kind, field) in places {
        let value = if field == EXTERNAL_ID {
            seal::Personal::new(seal::Value::Text(text.to_owned()))
        } else {
            let field = policy.compiled.kind(kind).and_then(|kind| kind.field(field));
            let field = field.ok_or_else(|| (column.clone(), "SR-COLLECT-017", String::from("the policy changed")))?;
            let canonical = field.canonical(policy::Given::Text(text));
            let canonical = canonical.and_then(|canonical| crate::keep::refs::typed(field, canonical));
            canonical.map_err(|fault| (column.clone(), "SR-KEEP-016", fault.to_string()))?
        };
        let blind = keys.blind(kind, field, &value).map_err(|error| (column.clone(), error.code(), error.to_string()))?;
        blinds.push(blind);
    }
    match (&mapping.subject, blinds.as_slice()) {
        (Subject::External(..), [only]) => Ok(Whose::External(*only)),
        _ => Ok(Whose::Matching(blinds)),
    }
}

/// An instant as the mapping says it is written; RFC 3339, a date and time, or a date without a pattern.
fn read_instant(text: &str, mapping: &Mapping) -> Option<i64> {
    if let Some(at) = crate::ground::clock::parse_instant(text) {
        return Some(at);
    }
    let local = match &mapping.time_format {
        Some(format) => jiff::fmt::strtime::parse(format, text).ok().and_then(|parts| {
            parts.to_datetime().ok().or_else(|| parts.to_date().ok().map(jiff::civil::Date::into))
        }),
        None => text.parse::<jiff::civil::DateTime>().ok(),
    }?;
    let zoned = local.to_zoned(mapping.zone.clone()).ok()?;
    Some(zoned.timestamp().as_microsecond())
}
