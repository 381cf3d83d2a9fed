//! Imports: whole files of records, through the same door as everything else.
//!
//! A mapping says which column is which field. Columns that it does not name are dropped at the door and counted; a bad row
//! goes, with line, column and code and without its values, to whoever keeps the rejects; a record whose time is over is
//! refused and counted. How far a file has come is kept in the database, so an import that was cut off goes on, and one that
//! runs again changes nothing.

pub mod cells;
pub mod encoding;
pub mod mapping;
pub mod rows;
mod sheet;

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use ledger::entry::{Act, Figure, Outcome};
use serde::{Deserialize, Serialize};
use store::{Lane, params};
use tokio::runtime::Handle;

use self::cells::BadCell;
use self::encoding::Encoding;
use self::mapping::{Bad, HomeOf, Mapping, Subject};
use self::rows::{BadRow, Columns, Format, Row, Rows, told_name};
use super::draft::Draft;
use super::many::{self, write_many};
use super::sql;
use super::write::{Became, Written};
use crate::choose::{NewChoice, Seen, Way};
use crate::ground::clock::MINUTE;
use crate::ground::house::House;
use crate::ground::web::Caller;
use crate::ground::{InForce, Problem, Shop};
use crate::keep::Event;
use crate::keep::error::ERASED;
use crate::keep::refs::Whose;
use crate::keep::types::EXTERNAL_ID;

/// An import.
#[derive(Debug)]
pub struct Import<R> {
    /// The file.
    pub file: R,
    /// How it is written.
    pub format: Format,
    /// How its text is written, whatever the mapping says.
    pub encoding: Option<Encoding>,
    /// The mapping file.
    pub mapping: String,
    /// SHA-256 of the file: the same file with the same mapping goes on where it was.
    pub digest: [u8; 32],
}

/// What an import has to say while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It goes on behind rows that are done. Rejects from this line on, if an interrupted run told any, come again.
    Resumed {
        /// So many rows are done.
        rows: u64,
        /// Line of the first row that is not.
        line: u64,
    },
    /// There are so many rows.
    Expected(u64),
    /// So many rows are done.
    Progress(u64),
    /// A row was not taken, or not all of it.
    Reject(Reject),
    /// Everything told so far is about to count as done: it must have been heard.
    Going,
}

/// A row that was not taken, or a value of it. It holds nothing of the row but where it stands.
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
    /// Was every record of the file taken in by an earlier run? Then one that is not here any more was erased or has ended, and
    /// an old file must not bring it back.
    #[serde(default)]
    pub again: bool,
    /// Rows read.
    pub rows: u64,
    /// Rows among them that are hidden in their sheet.
    #[serde(default)]
    pub hidden_rows: u64,
    /// Sheets of the workbook that were not read.
    #[serde(default)]
    pub other_sheets: u64,
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
    /// Rows that could only add to a record, and it is not here.
    pub absent: u64,
    /// Rows refused because their time is over.
    pub past_end: u64,
    /// Rows of which no purpose in force keeps anything.
    pub nothing_kept: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Values dropped because they were not what their field holds, by column; the rest of their rows was taken.
    pub bad_values: BTreeMap<String, u64>,
    /// Cells dropped at the door because no mapping names their column, by column.
    pub dropped_columns: BTreeMap<String, u64>,
    /// Fields dropped by the gate, by field.
    pub dropped_fields: BTreeMap<String, u64>,
}

/// Rows between two commits of how far the import has come.
const CHUNK: u64 = 1_024;
/// Columns counted by name at the most.
const COUNTED: usize = 4_096;
/// Instants may lie this far in the future: clocks differ.
const AHEAD_ALLOWED: i64 = 5 * MINUTE;

/// Rows that are taken in together, and what there is to tell of them.
#[derive(Default)]
struct Chunk {
    rows: Vec<(u64, many::Row)>,
    rejects: Vec<Reject>,
}

/// Everything that turns a row into a draft. It reads no database.
#[derive(Debug)]
pub struct Drafting<'a> {
    mapping: &'a Mapping,
    named: HashSet<String>,
    policy: &'a InForce,
    shop: &'a Shop,
    shift: i64,
    known_only: bool,
}

/// Everything that turns a row into a draft, and a draft into a record.
struct Taking<'a> {
    drafting: Drafting<'a>,
    house: &'a Arc<House>,
    caller: &'a Caller,
}

struct State {
    id: [u8; 16],
    rows: u64,
    counts: Counts,
    shift: i64,
    done: bool,
}

impl Counts {
    /// What became of rows: every row read is in exactly one of these.
    pub fn by_outcome(&self) -> [(&'static str, u64); 9] {
        [
            ("created", self.created),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("removed", self.removed),
            ("skipped", self.skipped),
            ("absent", self.absent),
            ("past_end", self.past_end),
            ("nothing_kept", self.nothing_kept),
            ("rejected", self.rejected),
        ]
    }
}

/// Runs an import to the end of its file. Blocks; must not be called on a thread of the runtime.
///
/// Takes: the runtime that serves the store's answers, and who is told how it goes; an error from there ends the import.
/// Gives: what became of the rows. Records: *collected* per record, *imported* at the end.
pub fn run<R: Read>(
    handle: &Handle,
    house: &Arc<House>,
    caller: &Caller,
    import: Import<R>,
    mut say: impl FnMut(Said) -> Result<(), Problem>,
) -> Result<Counts, Problem> {
    let policy = caller.shop.policy();
    let mut mapping = Mapping::parse(&import.mapping, &policy)?;
    mapping.reading.encoding = import.encoding.or(mapping.reading.encoding);
    let mut rows = Rows::open(import.file, import.format, &mapping.reading)?;
    if mapping.columns().into_iter().any(|column| rows.columns().has_twice(column)) {
        let title = "two columns of the file have the same name, and the mapping names it";
        return Err(Problem::new("SR-IMPORT-033", 422, title)
            .help("give each a name of its own in the file, or take one away"));
    }
    if let Some(missing) = mapping.columns().into_iter().find(|column| !rows.columns().may_have(column)) {
        return Err(no_such_column(missing, rows.columns()));
    }
    let source = [&import.digest[..], import.encoding.map_or("", Encoding::name).as_bytes()].concat();
    let mut state = handle.block_on(begin(house, caller, &mapping, &import.mapping, &source))?;
    if state.done {
        let before = &state.counts;
        let all_taken =
            before.rejected.saturating_add(before.past_end).saturating_add(before.nothing_kept) == 0;
        let again = all_taken && mapping.subject == Subject::Own;
        state = State { rows: 0, counts: Counts { again, ..Counts::default() }, done: false, ..state }; // from the beginning
    }
    let mut drafting = Drafting::new(&mapping, &policy, &caller.shop, state.shift);
    drafting.known_only |= state.counts.again;
    let taking = Taking { drafting, house, caller };
    if let Some(rows) = rows.expected() {
        say(Said::Expected(rows))?;
    }
    state.counts.other_sheets = rows.other_sheets();
    let (done_before, mut read) = (state.rows, 0_u64);
    let mut told_to_resume = done_before == 0;
    let mut chunk = Chunk::default();
    while let Some(row) = rows.next_row()? {
        read = read.saturating_add(1);
        if read <= done_before {
            continue; // done before it was cut off
        }
        if !told_to_resume {
            told_to_resume = true;
            let line = row.as_ref().map_or_else(|bad| bad.line, |row| row.line);
            say(Said::Resumed { rows: done_before, line })?;
        }
        state.counts.rows = state.counts.rows.saturating_add(1);
        let hidden = row.as_ref().is_ok_and(|row| row.hidden);
        state.counts.hidden_rows = state.counts.hidden_rows.saturating_add(u64::from(hidden));
        let now = house.clock.now();
        match row.map_err(reject_row).and_then(|row| {
            taking.drafting.draft_of(&row, rows.columns(), now, &mut state.counts, &mut chunk.rejects)
        }) {
            Ok(Some((line, draft))) => {
                chunk.rows.push((line, many::Row { draft: Arc::new(draft), repeat: None }));
            }
            Ok(None) => state.counts.skipped = state.counts.skipped.saturating_add(1),
            Err(reject) => {
                state.counts.rejected = state.counts.rejected.saturating_add(1);
                chunk.rejects.push(reject);
            }
        }
        if read.saturating_sub(state.rows) >= CHUNK {
            state.rows = read;
            taking.take_in(handle, &mut chunk, &mut state, &mut say)?;
        }
    }
    state.rows = read;
    state.done = true;
    taking.take_in(handle, &mut chunk, &mut state, &mut say)?;
    handle.block_on(enter_end(house, caller, state.counts.clone()))?;
    Ok(state.counts)
}

fn no_such_column(missing: &str, columns: &Columns) -> Problem {
    // In a file without a header line, values stand in the place of names.
    let names = columns.names().filter(|name| told_name(name) == *name);
    let meant = policy::closest(missing, names);
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    let title = format!("the file has no column `{missing}`, which the mapping names{meant}");
    Problem::new("SR-IMPORT-005", 422, title)
}

/// Finds how far this import has come, or begins it.
async fn begin(
    house: &Arc<House>,
    caller: &Caller,
    mapping: &Mapping,
    mapping_text: &str,
    source: &[u8],
) -> Result<State, Problem> {
    let id = caller.shop.keys.request_hash("import", &[source, mapping_text.as_bytes()])?;
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

impl Taking<'_> {
    /// Takes a chunk in, tells of its rejects, and then keeps how far the file has come.
    fn take_in(
        &self,
        handle: &Handle,
        chunk: &mut Chunk,
        state: &mut State,
        say: &mut impl FnMut(Said) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        handle.block_on(self.write(chunk, &mut state.counts))?;
        // ORDER: a reject is told before its row counts as done. Who is cut off in between hears of it again, never not at all.
        chunk.rejects.sort_by_key(|reject| reject.line);
        chunk.rejects.drain(..).try_for_each(|reject| say(Said::Reject(reject)))?;
        say(Said::Going)?;
        handle.block_on(self.keep_progress(state))?;
        say(Said::Progress(state.rows))
    }

    /// Writes the records of a chunk and counts what became of them.
    async fn write(&self, chunk: &mut Chunk, counts: &mut Counts) -> Result<(), Problem> {
        let (lines, rows): (Vec<u64>, Vec<many::Row>) = chunk.rows.drain(..).unzip();
        for (line, written) in
            lines.into_iter().zip(write_many(self.house, self.caller, Lane::Low, &rows).await)
        {
            let problem = match written {
                Ok(written) => {
                    self.count_written(&written, counts);
                    continue;
                }
                Err(problem) => problem,
            };
            let counter = match problem.code {
                // What can be tried again ends the import; it goes on from here when it is run again.
                _ if problem.status >= 500 => return Err(problem),
                "SR-COLLECT-011" => &mut counts.past_end,
                "SR-COLLECT-012" => &mut counts.nothing_kept,
                // Somebody who was erased is first known as such, and then, when the rows are gone, not known.
                "SR-KEEP-001" | ERASED if self.drafting.known_only => &mut counts.absent,
                _ => {
                    let column = problem.pointer.as_deref();
                    let column = column.map(|pointer| self.drafting.mapping.column_of(pointer));
                    let what = problem.title.into_owned();
                    chunk.rejects.push(Reject { line, column, code: problem.code.to_owned(), what });
                    &mut counts.rejected
                }
            };
            *counter = counter.saturating_add(1);
        }
        Ok(())
    }

    fn count_written(&self, written: &Written, counts: &mut Counts) {
        let counter = match written.answered.became {
            Became::Created => &mut counts.created,
            Became::Updated => &mut counts.updated,
            Became::Unchanged => &mut counts.unchanged,
            Became::Removed => &mut counts.removed,
        };
        *counter = counter.saturating_add(1);
        counts.choices = counts.choices.saturating_add(written.choices.len() as u64);
        for field in crate::ground::work::field_names(self.drafting.policy, written.kind, written.refused()) {
            count(&mut counts.dropped_fields, &field);
        }
    }

    async fn keep_progress(&self, state: &State) -> Result<(), Problem> {
        let text = serde_json::to_string(&state.counts).unwrap_or_default();
        let (id, rows, shift, done) = (state.id, state.rows, state.shift, i64::from(state.done));
        self.house
            .work(Lane::Low, &self.caller.shop, &self.caller.actor, move |work| {
                work.tx.housekeeping(); // what the rows became is entered row by row
                let rows = i64::try_from(rows).unwrap_or(i64::MAX);
                let params = params![&id, work.shop.column(), work.now, rows, text.as_str(), shift, done];
                work.tx.change(&sql::SET_IMPORT, params)?;
                Ok(())
            })
            .await
            .map(|_| ())
    }
}

async fn enter_end(house: &Arc<House>, caller: &Caller, counts: Counts) -> Result<(), Problem> {
    house
        .work(Lane::Low, &caller.shop, &caller.actor, move |work| {
            let mut entry = work.entry(Act::Imported, Outcome::Yes);
            let dropped: u64 = counts.dropped_columns.values().sum();
            entry.figures = vec![
                (Figure::Lines, counts.rows),
                (Figure::Records, counts.created.saturating_add(counts.updated)),
                (
                    Figure::Refused,
                    counts.rejected.saturating_add(counts.past_end).saturating_add(counts.nothing_kept),
                ),
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

impl<'a> Drafting<'a> {
    /// By a mapping, into a shop. Takes: how many microseconds are added to every instant.
    pub fn new(mapping: &'a Mapping, policy: &'a InForce, shop: &'a Shop, shift: i64) -> Drafting<'a> {
        let named = mapping.columns().into_iter().map(str::to_owned).collect();
        Drafting { mapping, named, policy, shop, shift, known_only: mapping.known_only }
    }

    /// Makes a draft of a row. Gives `None` for a row that is no record.
    ///
    /// Takes: now, and where it is noted what was dropped of the row, and why.
    pub fn draft_of(
        &self,
        row: &Row,
        columns: &Columns,
        now: i64,
        counts: &mut Counts,
        dropped: &mut Vec<Reject>,
    ) -> Result<Option<(u64, Draft)>, Reject> {
        let (mapping, policy, shop) = (self.mapping, self.policy, self.shop);
        let reject = |column: &str, code: &str, what: &str| Reject {
            line: row.line,
            column: Some(column.to_owned()),
            code: code.to_owned(),
            what: what.to_owned(),
        };
        let cell = |column: &str| {
            row.cell(columns, column).map_err(|BadCell { code, what }| reject(column, code, what))
        };
        for column in &mapping.skip_when_empty {
            if cell(column)?.is_none_or(|cell| cell.trim().is_empty()) {
                return Ok(None);
            }
        }
        for (column, wanted) in &mapping.only {
            let found = cell(column)?.unwrap_or_default().trim();
            if !wanted.iter().any(|wanted| wanted == found) {
                return Ok(None);
            }
        }
        for column in row.filled(columns).filter(|column| !self.named.contains(*column)) {
            count(&mut counts.dropped_columns, told_name(column));
        }
        let Some(kind) = policy.compiled.kind(mapping.kind) else {
            return Err(reject("", "SR-COLLECT-017", "the policy changed while this was imported"));
        };
        let mut draft = Draft::new(kind, policy);
        draft.known_only = self.known_only;
        draft.from_file = true;
        if let Some(column) = &mapping.external_id {
            let id = cell(column)?.unwrap_or_default();
            draft
                .set_external_id(&seal::Personal::new(id.to_owned()), shop)
                .map_err(|problem| reject(column, problem.code, &problem.title))?;
        }
        for filling in &mapping.fields {
            // A cell that cannot be used is refused by its own name.
            if let Some(bad) = filling.template.columns().find_map(|column| cell(column).err()) {
                match filling.bad {
                    Bad::Reject => return Err(bad),
                    Bad::Drop => {
                        count(&mut counts.bad_values, filling.column());
                        dropped.push(Reject {
                            what: format!("{}; the rest of the row was taken", bad.what),
                            ..bad
                        });
                        continue;
                    }
                }
            }
            let Some(value) = filling.template.fill(|column| row.cell(columns, column).ok().flatten()) else {
                continue;
            };
            let Some(field) = kind.field(filling.ordinal) else { continue };
            let taken = if filling.holds(&value) {
                let taken = draft.set_cell(field, filling.kept(&value), shop);
                taken.map_err(|fault| ("SR-KEEP-016", fault.to_string()))
            } else {
                Err(("SR-IMPORT-018", String::from("the number's check digit is wrong")))
            };
            let Err((code, what)) = taken else { continue };
            let column = filling.column();
            match filling.bad {
                Bad::Reject => return Err(reject(column, code, &what)),
                Bad::Drop => {
                    count(&mut counts.bad_values, column);
                    dropped.push(reject(column, code, &format!("{what}; the rest of the row was taken")));
                }
            }
        }
        draft.sort();
        self.read_events(&cell, &reject, now, &mut draft)?;
        self.read_choices(&cell, &reject, now, &mut draft)?;
        draft.home = match &self.mapping.home {
            Some(HomeOf::All(home)) => Some(*home),
            Some(HomeOf::Column(column, said)) => HomeOf::read(said, cell(column)?.unwrap_or_default()),
            None => None,
        };
        draft.whose = whose(row, columns, mapping, policy, shop)
            .map_err(|(column, code, what)| reject(&column, code, &what))?;
        Ok(Some((row.line, draft)))
    }

    fn read_events<'r>(
        &self,
        cell: &impl Fn(&str) -> Result<Option<&'r str>, Reject>,
        reject: &impl Fn(&str, &str, &str) -> Reject,
        now: i64,
        draft: &mut Draft,
    ) -> Result<(), Reject> {
        for (event, column) in &self.mapping.events {
            let Some(text) = cell(column)?.map(str::trim).filter(|text| !text.is_empty()) else { continue };
            let at = read_instant(text, self.mapping).map(|at| self.mapping.shifted(at, self.shift));
            let at = at.ok_or_else(|| reject(column, "SR-IMPORT-016", "the cell is not an instant"))?;
            if at > now.saturating_add(AHEAD_ALLOWED) {
                return Err(reject(column, "SR-IMPORT-019", "the cell lies in the future"));
            }
            draft.events.push(Event { kind: self.mapping.kind, event: *event, at });
        }
        Ok(())
    }

    fn read_choices<'r>(
        &self,
        cell: &impl Fn(&str) -> Result<Option<&'r str>, Reject>,
        reject: &impl Fn(&str, &str, &str) -> Reject,
        now: i64,
        draft: &mut Draft,
    ) -> Result<(), Reject> {
        for choice in &self.mapping.choices {
            let text = cell(&choice.column)?.unwrap_or_default().trim();
            let Some((_, said)) = choice.said.iter().find(|(cell, _)| cell == text) else { continue };
            let said_at = choice.at.as_deref().map(|column| Ok((column, cell(column)?))).transpose()?;
            let at = match said_at
                .and_then(|(column, text)| Some((column, text?.trim())))
                .filter(|(_, text)| !text.is_empty())
            {
                Some((column, text)) => {
                    let at = read_instant(text, self.mapping)
                        .map(|at| self.mapping.shifted(at, self.shift).min(now));
                    Some(at.ok_or_else(|| reject(column, "SR-IMPORT-016", "the cell is not an instant"))?)
                }
                None => None,
            };
            let (notice, language) = choice.notice.clone();
            draft.choices.push(NewChoice {
                purpose: choice.purpose,
                said: *said,
                at,
                notice,
                language,
                way: Way::Import,
                seen: Seen::default(),
            });
        }
        Ok(())
    }
}

type Fault = (String, &'static str, String);

fn whose(
    row: &Row,
    columns: &Columns,
    mapping: &Mapping,
    policy: &InForce,
    shop: &Shop,
) -> Result<Whose, Fault> {
    let (column, places) = match &mapping.subject {
        Subject::Own => return Ok(Whose::Unsaid),
        Subject::External(kind, column) => (column, vec![(*kind, EXTERNAL_ID)]),
        Subject::Matching(places, column) => (column, places.clone()),
    };
    let text = row.cell(columns, column).map_err(|bad| (column.clone(), bad.code, bad.what.to_owned()))?;
    let text = text
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| (column.clone(), "SR-IMPORT-017", String::from("the row does not say whose it is")))?;
    let keys = &shop.keys;
    let mut blinds = Vec::with_capacity(places.len());
    for (kind, field) in places {
        let value = if field == EXTERNAL_ID {
            seal::Personal::new(seal::Value::Text(text.to_owned()))
        } else {
            let field = policy.compiled.kind(kind).and_then(|kind| kind.field(field));
            let field = field
                .ok_or_else(|| (column.clone(), "SR-COLLECT-017", String::from("the policy changed")))?;
            let canonical = field.canonical(policy::Given::Text(text));
            let canonical = canonical.and_then(|canonical| crate::keep::refs::typed(field, canonical));
            canonical.map_err(|fault| (column.clone(), "SR-KEEP-016", fault.to_string()))?
        };
        let blind = keys
            .blind(kind, field, &value)
            .map_err(|error| (column.clone(), error.code(), error.to_string()))?;
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

#[cfg(test)]
mod tests {
    use super::cells::Reading;
    use super::*;

    #[test]
    fn a_value_in_the_place_of_a_columns_name_is_not_what_was_meant() {
        let told = |first_line: &str, missing: &str| {
            let file = format!("{first_line}\n");
            let rows = Rows::open(file.as_bytes(), Format::Csv, &Reading::default()).unwrap();
            no_such_column(missing, rows.columns()).title
        };
        assert!(told("id,customer_name", "custmer_name").ends_with("; did you mean `customer_name`?"));
        for value in ["order 202611", "ann@shop.example"] {
            let mut missing = value.to_owned();
            missing.pop();
            assert!(!told(&format!("id,{value}"), &missing).contains(value), "{value}");
        }
    }
}
