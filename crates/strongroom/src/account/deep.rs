//! The deep check: every row is authenticated, and records, choices, credentials and policies are held against the ledger, so
//! that an old row put back, a row taken away, a row edited and a row moved are each named.
//!
//! It opens every envelope and shows nobody anything. Runs beside the writer, page by page; what changes while it runs is
//! looked at twice before it is called wrong.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ledger::entry::{Act, Entry, Figure, policy_digest_figures};
use policy::Standing;
use seal::{DataKey, Envelope, GroupHead, KeyId};
use serde::Serialize;

use crate::ground::house::House;
use crate::ground::{EntryId, Id, Problem, RecordId, Shop, SubjectId};
use crate::keep::types::place;
use crate::keep::{self, RecordRow, SubjectRow};
use crate::people::approvals::{ApprovalRow, ApprovalState};
use crate::{choose, erase, notice, people};

/// What the deep check found.
#[derive(Debug, Default, Serialize)]
pub struct DeepReport {
    /// Subjects looked at.
    pub subjects: u64,
    /// Records opened.
    pub records: u64,
    /// Entries read.
    pub entries: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// The public id of the record or subject that it is about, or the number of the page, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The entry that says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
}

/// What the ledger last says of a record.
#[derive(Debug, Clone, Copy)]
struct Last {
    version: u32,
    until: i64,
    leaf: u64,
    subject: [u8; 16],
    gone: bool,
}

/// What the ledger says that rows must agree with.
#[derive(Debug, Default)]
struct Said {
    /// Of records, by their alias.
    last: HashMap<[u8; 16], Last>,
    /// How many choices were entered, by the subject's alias.
    choices: HashMap<[u8; 16], u32>,
    /// Leaves that say that somebody was erased.
    erased: Vec<u64>,
    /// Of credentials and approvals.
    people: People,
    /// Entries that were read.
    size: u64,
    /// Digests of policies, by version.
    published: Vec<(u32, Vec<(Figure, u64)>)>,
    /// Ids of keys that were destroyed; the database's own list, which the house holds against the one beside the keyring.
    destroyed: HashSet<KeyId>,
}

/// What the ledger says of credentials and approvals, by their numbers.
#[derive(Debug, Default, Clone)]
struct People {
    revoked: HashSet<u64>,
    frozen: HashSet<u64>,
    /// Approvals that somebody gave or refused.
    decided: HashSet<u64>,
}

impl People {
    fn read(&mut self, entry: &Entry) {
        let credential = entry.figure(Figure::Credential);
        match entry.act {
            Act::CredentialRevoked => self.revoked.extend(credential),
            Act::Frozen => self.frozen.extend(credential),
            Act::Unfrozen => self.frozen.retain(|frozen| Some(*frozen) != credential),
            Act::Approved => self.decided.extend(entry.figure(Figure::Approval)),
            _ => {}
        }
    }
}

const PAGE: u32 = 256;
const LEAVES: u64 = store::LEAVES_PER_TILE;
/// Findings listed at the most.
const LISTED: usize = 1_000;

/// Checks every row of a shop. Blocks.
///
/// Takes: who is told how far it has come (subjects and records done, of how many).
pub fn deep_check(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<DeepReport, Problem> {
    let mut report = DeepReport::default();
    // ORDER: first. What rows say can be believed when the pages that they lie on are those that were written.
    let damage = house.store.damage().map_err(Problem::from)?;
    report.findings.extend(damage.iter().take(LISTED).map(super::server::damage_words));
    if !report.findings.is_empty() {
        return Ok(report);
    }
    let mut said = read_log(house, shop, &mut report)?;
    check_small_tables(house, shop, &said, &mut report)?;
    check_people(house, shop, &said, &mut report)?;
    check_leads(house, shop, &mut report)?;
    check_erasures(house, shop, &said, &mut report)?;
    check_policies(house, shop, &said, &mut report)?;
    let reading = Arc::clone(shop);
    let total: u64 =
        house.store.look_blocking::<_, Problem, _>(move |view| keep::count_records(view, &reading))?;
    let mut living: HashSet<[u8; 16]> = HashSet::new();
    check_subjects(house, shop, &said, &mut report, &mut living)?;
    check_records(house, shop, &mut report, &mut said.last, &mut |done| progress(done, total.max(done)))?;
    check_missing(house, shop, &said.last, &living, &mut report);
    super::deep_files::check_files(house, shop, &mut report)?;
    Ok(report)
}

pub(super) fn found(report: &mut DeepReport, code: &'static str, what: &'static str, id: Option<String>) {
    if report.findings.len() < LISTED {
        report.findings.push(Finding { code, what, id, entry: None });
    }
}

/// Reads the whole log.
fn read_log(house: &House, shop: &Arc<Shop>, report: &mut DeepReport) -> Result<Said, Problem> {
    let log = shop.log();
    let size = house
        .store
        .look_blocking::<_, Problem, _>(move |view| Ok(view.log_head(log)?.map_or(0, |head| head.size)))?;
    let destroyed = house.store.look_blocking::<_, Problem, _>(keep::list_destroyed)?.into_iter().collect();
    let mut said = Said { size, destroyed, ..Said::default() };
    let mut first = 0;
    while first < size {
        let end = size.min(first.saturating_add(LEAVES));
        let packed = house
            .store
            .look_blocking::<_, Problem, _>(move |view| Ok(view.leaves_packed(log, first, end)?))?;
        for (leaf, bytes) in (first..).zip(store::Unpack(&packed)) {
            let entry = Entry::decode(bytes)?;
            report.entries = report.entries.saturating_add(1);
            said.people.read(&entry);
            match (entry.act, entry.alias) {
                (Act::Restored, _) => forget_lost(&mut said.last, &entry),
                (Act::Published, _) => said.published.push((entry.policy, entry.figures.clone())),
                (Act::Erased, _) => said.erased.push(leaf),
                (Act::Chose, Some(subject)) => {
                    let choices = said.choices.entry(subject).or_default();
                    *choices = choices.saturating_add(1);
                }
                _ => {}
            }
            if let (Some(mark), Some(subject)) = (entry.record, entry.alias) {
                let gone = entry.act == Act::Cleaned;
                said.last.insert(
                    mark.alias,
                    Last { version: mark.version, until: mark.until, leaf, subject, gone },
                );
            }
        }
        first = end;
    }
    Ok(said)
}

/// A restore says which entries speak of rows that it did not bring back.
fn forget_lost(last: &mut HashMap<[u8; 16], Last>, restored: &Entry) {
    let from = restored.figure(Figure::LostFrom).unwrap_or(u64::MAX);
    // A record written behind the backup has an older version now, or none: what it was before is not known here.
    last.retain(|_, known| known.leaf < from);
}

/// Terms and choices: each row carries a MAC.
fn check_small_tables(
    house: &House,
    shop: &Arc<Shop>,
    said: &Said,
    report: &mut DeepReport,
) -> Result<(), Problem> {
    let reading = Arc::clone(shop);
    let terms = house.store.look_blocking::<_, Problem, _>(move |view| Ok(keep::list_terms(view, &reading)));
    match terms? {
        Ok(terms) => {
            for term in terms {
                if said.destroyed.contains(&term.key.id) {
                    found(report, "SR-DEEP-017", "a key that was destroyed is back", None);
                }
                if shop.keys.authenticate(term.number, &term.key).is_err() {
                    found(report, "SR-DEEP-001", "the key of a term does not unwrap", None);
                }
            }
        }
        Err(_) => found(report, "SR-DEEP-002", "a row of `term` was edited", None),
    }
    let mut after: Option<SubjectId> = None;
    loop {
        let reading = Arc::clone(shop);
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            let page = choose::list_standings_after(view, &reading, after, PAGE)?;
            let look = |subject| {
                let chosen = choose::chosen(view, &reading, subject, 0);
                let choices =
                    chosen.as_ref().map(|chosen| choose::list_all(view, &reading, subject, chosen.count));
                (subject, chosen.is_ok(), choices.is_ok_and(|choices| choices.is_ok()))
            };
            Ok(page.into_iter().map(look).collect::<Vec<_>>())
        })?;
        let Some((last, _, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (subject, stands_whole, choices_whole) in page {
            let id = Some(house.ids.show(subject));
            if !stands_whole {
                found(report, "SR-DEEP-004", "a row of `choice_standing` was edited", id);
            } else if !choices_whole {
                found(report, "SR-DEEP-021", "a row of `choice` was edited, or taken away", id);
            }
        }
    }
}

/// Credentials and approvals: each row carries a MAC, and is as the ledger last says.
fn check_people(
    house: &House,
    shop: &Arc<Shop>,
    said: &Said,
    report: &mut DeepReport,
) -> Result<(), Problem> {
    let (reading, read) = (Arc::clone(shop), said.size);
    // ORDER: the rows, and what was entered since the log was read, in one state of the database: who is let go on while this
    // runs was not thawed behind the vault's back.
    let (credentials, approvals, later) = house.store.look_blocking::<_, Problem, _>(move |view| {
        let log = reading.log();
        let size = view.log_head(log)?.map_or(0, |head| head.size);
        let credentials = people::list(view, &reading, u32::MAX);
        let approvals = people::approvals::list(view, &reading, u32::MAX);
        Ok((credentials, approvals, view.leaves_packed(log, read, size)?))
    })?;
    let mut said = said.people.clone();
    for leaf in store::Unpack(&later) {
        said.read(&Entry::decode(leaf)?);
    }
    match credentials {
        Ok(rows) => {
            for row in rows.iter().filter(|row| row.revoked_at == 0) {
                let (id, number) = (Some(house.ids.show(row.id)), row.id.number());
                if said.revoked.contains(&number) {
                    found(
                        report,
                        "SR-DEEP-013",
                        "an older row of a credential was put back: the ledger says that it was revoked",
                        id,
                    );
                } else if row.frozen_at == 0 && said.frozen.contains(&number) {
                    found(
                        report,
                        "SR-DEEP-028",
                        "an older row of a credential was put back: the ledger says that it is frozen",
                        id,
                    );
                }
            }
        }
        Err(_) => found(report, "SR-DEEP-003", "a row of `credential` was edited", None),
    }
    match approvals {
        Ok(rows) => {
            let asked = |row: &&ApprovalRow| row.state == ApprovalState::Asked;
            for row in rows.iter().filter(asked).filter(|row| said.decided.contains(&row.id.number())) {
                let id = Some(house.ids.show(row.id));
                found(
                    report,
                    "SR-DEEP-032",
                    "an older row of an approval was put back: the ledger says that it was decided",
                    id,
                );
            }
        }
        Err(_) => found(report, "SR-DEEP-031", "a row of `approval` was edited", None),
    }
    Ok(())
}

/// Lookups and tokens: each row leads to a record, and carries a MAC that says that it is this one.
fn check_leads(house: &House, shop: &Arc<Shop>, report: &mut DeepReport) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let (reading, from) = (Arc::clone(shop), after.take());
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            keep::list_lookups_after(view, &reading, from, PAGE)
        })?;
        for _ in page.iter().filter(|(_, row)| row.is_err()) {
            found(report, "SR-DEEP-019", "a row of `lookup` was edited", None);
        }
        let Some((last, _)) = page.into_iter().last() else { break };
        after = Some(last);
    }
    let mut after = Vec::new();
    loop {
        let (reading, from) = (Arc::clone(shop), std::mem::take(&mut after));
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            keep::list_tokens_after(view, &reading, &from, PAGE)
        })?;
        for _ in page.iter().filter(|(_, row)| row.is_err()) {
            found(report, "SR-DEEP-020", "a row of `token` was edited", None);
        }
        let Some((last, _)) = page.into_iter().last() else { return Ok(()) };
        after = last;
    }
}

/// Every erasure is as it was written, and its entry commits to it; every one that was entered is there.
fn check_erasures(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    said: &Said,
    report: &mut DeepReport,
) -> Result<(), Problem> {
    let mut after: Option<SubjectId> = None;
    let mut entered_by_rows = HashSet::new();
    loop {
        let (reading, looking) = (Arc::clone(shop), Arc::clone(house));
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            let page = erase::list_erasures_after(view, &reading, after, PAGE)?;
            let entered = |row: &erase::ErasureRow| row.is_entered(view, &looking.ids).unwrap_or(false);
            Ok(page
                .into_iter()
                .map(|(subject, row)| {
                    (subject, row.as_ref().is_ok_and(entered), row.ok().map(|row| row.entry()))
                })
                .collect::<Vec<_>>())
        })?;
        let Some((last, _, _)) = page.last() else { break };
        after = Some(*last);
        let entries = page.iter().filter_map(|(_, _, entry)| *entry);
        entered_by_rows.extend(entries.filter(|entry| entry.log() == shop.log()).map(EntryId::leaf));
        for (subject, _, _) in page.iter().filter(|(_, whole, _)| !whole) {
            let id = Some(house.ids.show(*subject));
            found(report, "SR-DEEP-022", "a row of `erasure` was edited, or is not what its entry says", id);
        }
    }
    for leaf in said.erased.iter().filter(|leaf| !entered_by_rows.contains(leaf)) {
        if report.findings.len() < LISTED {
            report.findings.push(Finding {
                code: "SR-DEEP-024",
                what: "an erasure that the ledger knows is missing",
                id: None,
                entry: Some(house.ids.show(EntryId::of(shop.log(), *leaf))),
            });
        }
    }
    Ok(())
}

/// Every policy that was published is there, as it was published.
fn check_policies(
    house: &House,
    shop: &Arc<Shop>,
    said: &Said,
    report: &mut DeepReport,
) -> Result<(), Problem> {
    let reading = Arc::clone(shop);
    let digests =
        house.store.look_blocking::<_, Problem, _>(move |view| Ok(notice::digests(view, &reading)))?;
    let Ok(digests) = digests else {
        found(report, "SR-DEEP-015", "a row of `policy` was edited", None);
        return Ok(());
    };
    for (version, figures) in &said.published {
        let digest =
            digests.iter().find(|(of, _)| of == version).map(|(_, digest)| policy_digest_figures(digest));
        if digest.is_none_or(|digest| digest.as_slice() != figures.as_slice()) {
            found(
                report,
                "SR-DEEP-016",
                "a published policy is missing, or is not the one that was published",
                None,
            );
        }
    }
    Ok(())
}

fn check_subjects(
    house: &House,
    shop: &Arc<Shop>,
    said: &Said,
    report: &mut DeepReport,
    living: &mut HashSet<[u8; 16]>,
) -> Result<(), Problem> {
    let mut after: Option<SubjectId> = None;
    loop {
        let reading = Arc::clone(shop);
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            let ids = keep::list_subjects_after(view, &reading, after, PAGE)?;
            let read =
                |id| (id, keep::find_subject(view, &reading, id), choose::chosen(view, &reading, id, 0));
            Ok(ids.into_iter().map(read).collect::<Vec<_>>())
        })?;
        let Some((last, _, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (id, row, chosen) in page {
            report.subjects = report.subjects.saturating_add(1);
            match row {
                Err(_) => {
                    found(report, "SR-DEEP-005", "a row of `subject` was edited", Some(house.ids.show(id)));
                }
                Ok(None) => {}
                Ok(Some(row)) => {
                    if row.keys.iter().any(|key| said.destroyed.contains(&key.id)) {
                        found(
                            report,
                            "SR-DEEP-017",
                            "a key that was destroyed is back",
                            Some(house.ids.show(id)),
                        );
                    }
                    let alias = check_keys(house, shop, &row, report, living);
                    let entered = alias.and_then(|alias| said.choices.get(&alias)).copied().unwrap_or(0);
                    if chosen.is_ok_and(|chosen| chosen.count < entered) {
                        let id = Some(house.ids.show(id));
                        found(
                            report,
                            "SR-DEEP-014",
                            "an older row of what a subject chose was put back: the ledger has later choices",
                            id,
                        );
                    }
                }
            }
        }
    }
}

/// Gives the alias of a subject that lives.
fn check_keys(
    house: &House,
    shop: &Shop,
    row: &SubjectRow,
    report: &mut DeepReport,
    living: &mut HashSet<[u8; 16]>,
) -> Option<[u8; 16]> {
    if row.keys.iter().any(|key| shop.keys.authenticate(row.id.number(), key).is_err()) {
        let id = Some(house.ids.show(row.id));
        found(report, "SR-DEEP-006", "a key of a subject does not unwrap", id);
        return None;
    }
    if row.standing == Standing::Erased {
        return None;
    }
    let alias = shop.keys.open_key(row.id.number(), row.marking_key()?).ok()?.alias();
    living.insert(alias);
    Some(alias)
}

fn check_records(
    house: &House,
    shop: &Arc<Shop>,
    report: &mut DeepReport,
    last: &mut HashMap<[u8; 16], Last>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Problem> {
    let mut after: Option<RecordId> = None;
    loop {
        let page = read_records(house, shop, after)?;
        let Some(newest) = page.last() else { return Ok(()) };
        after = Some(newest.record.id);
        for read in &page {
            let Read { record, subject, .. } = read;
            report.records = report.records.saturating_add(1);
            if let Some(wrong) = wrong_with(read, shop, last) {
                // Once more: it may have been written between the pages.
                let wrong = look_again(house, shop, record.id, last)?.map(|_| wrong);
                if let Some((code, what)) = wrong {
                    found(report, code, what, Some(house.ids.show(record.id)));
                }
            }
            settle(record, subject.as_ref(), shop, last);
        }
        progress(report.records);
    }
}

/// A record, and what stands around it in the same state of the database.
struct Read {
    record: RecordRow,
    subject: Option<SubjectRow>,
    /// It is sealed under a key that this subject does not have, and that nobody destroyed.
    astray: bool,
    /// It can be found under everything that it says.
    found: bool,
    /// The files that it names are there. Whether they are whole is looked at file by file.
    filed: bool,
}

fn read_around(view: &store::View<'_>, shop: &Shop, record: RecordRow) -> Result<Read, Problem> {
    let subject = keep::find_subject(view, shop, record.id.subject()).ok().flatten();
    let mut astray = false;
    if let (Some(subject), Ok(envelope)) = (&subject, Envelope::parse(&record.sealed)) {
        for head in envelope.groups() {
            let subject_lost =
                subject.key_named(head.subject).is_none() && !keep::is_destroyed(view, head.subject)?;
            let term_lost = shop.terms.of_key(head.term).is_none() && !keep::is_destroyed(view, head.term)?;
            astray |= subject_lost || term_lost;
        }
    }
    // What an erasure leaves is found by nobody.
    let living = subject.as_ref().is_some_and(|row| row.standing != Standing::Erased);
    let found = !living || keep::is_found(view, shop, &record)?;
    let filed = record.clear.files.iter().all(|mark| {
        let row = keep::files::find_file(view, shop, mark.file).ok().flatten();
        row.is_some_and(|row| row.state == keep::files::FileState::Kept && row.record == record.id)
    });
    Ok(Read { record, subject, astray, found, filed })
}

fn read_records(house: &House, shop: &Arc<Shop>, after: Option<RecordId>) -> Result<Vec<Read>, Problem> {
    let reading = Arc::clone(shop);
    house.store.look_blocking(move |view| {
        let records = keep::list_records_after(view, &reading, after, PAGE)?;
        let mut read = Vec::with_capacity(records.len());
        for record in records {
            read.push(read_around(view, &reading, record)?);
        }
        Ok(read)
    })
}

fn look_again(
    house: &House,
    shop: &Arc<Shop>,
    record: RecordId,
    last: &HashMap<[u8; 16], Last>,
) -> Result<Option<(&'static str, &'static str)>, Problem> {
    let reading = Arc::clone(shop);
    let read = house.store.look_blocking::<_, Problem, _>(move |view| {
        keep::find_record(view, &reading, record)?.map(|row| read_around(view, &reading, row)).transpose()
    })?;
    Ok(read.and_then(|read| wrong_with(&read, shop, last)))
}

/// What is wrong with a record, if anything is.
fn wrong_with(
    read: &Read,
    shop: &Shop,
    last: &HashMap<[u8; 16], Last>,
) -> Option<(&'static str, &'static str)> {
    let Read { record, subject, astray, found, filed } = read;
    let Some(subject) = subject else {
        return Some(("SR-DEEP-007", "a record's subject is missing or was edited"));
    };
    let Ok(envelope) = Envelope::parse(&record.sealed) else {
        return Some(("SR-DEEP-008", "a record's envelope is malformed"));
    };
    let Ok(keys) = open_groups(record, subject, shop, &envelope) else {
        return Some(("SR-DEEP-006", "a key of a subject does not unwrap"));
    };
    let find = |head: &GroupHead| {
        let (_, subject, term) = keys.iter().find(|(known, _, _)| known == head)?;
        Some((subject.as_ref(), term.as_ref()))
    };
    let here = place(shop.number, record.id, record.version);
    if *astray || !keys.is_empty() && envelope.authenticate(&here, &record.clear_bytes, find).is_err() {
        return Some(("SR-DEEP-009", "a record's seal is broken: it was edited or moved"));
    }
    let marking = subject.marking_key()?;
    let key = shop.keys.open_key(subject.id.number(), marking).ok()?;
    match last.get(&key.record_alias(record.id.number())) {
        Some(known) if known.version > record.version => {
            Some(("SR-DEEP-010", "an older version of a record was put back: the ledger has a later one"))
        }
        Some(known) if known.gone => Some(("SR-DEEP-011", "a record that was removed is back")),
        _ if !found => {
            Some(("SR-DEEP-018", "a record is not found under its own id or values: a lookup was edited"))
        }
        _ if !filed => Some(("SR-DEEP-029", "a record names a file that is not there")),
        _ => None,
    }
}

type GroupKeys = Vec<(GroupHead, Arc<DataKey>, Arc<DataKey>)>;

fn open_groups(
    record: &RecordRow,
    subject: &SubjectRow,
    shop: &Shop,
    envelope: &Envelope<'_>,
) -> Result<GroupKeys, seal::Error> {
    let mut keys = Vec::new();
    for head in envelope.groups() {
        let (Some(key), Some(term)) = (subject.key_named(head.subject), shop.terms.of_key(head.term)) else {
            continue;
        };
        let key = shop.keys.open_key(record.id.subject().number(), key)?;
        keys.push((*head, key, shop.keys.open_key(term.number, &term.key)?));
    }
    Ok(keys)
}

/// The record is there: what the ledger says of it is accounted for.
fn settle(record: &RecordRow, subject: Option<&SubjectRow>, shop: &Shop, last: &mut HashMap<[u8; 16], Last>) {
    let Some(marking) = subject.and_then(SubjectRow::marking_key) else { return };
    if let Ok(key) = shop.keys.open_key(record.id.subject().number(), marking) {
        last.remove(&key.record_alias(record.id.number()));
    }
}

/// Records that the ledger knows, of subjects that live, whose time is not over, and that are not there.
fn check_missing(
    house: &House,
    shop: &Shop,
    last: &HashMap<[u8; 16], Last>,
    living: &HashSet<[u8; 16]>,
    report: &mut DeepReport,
) {
    let now = house.clock.now();
    let missing =
        last.values().filter(|known| !known.gone && known.until > now && living.contains(&known.subject));
    for known in missing {
        if report.findings.len() < LISTED {
            let entry = EntryId::of(shop.log(), known.leaf);
            report.findings.push(Finding {
                code: "SR-DEEP-012",
                what: "a record that the ledger knows is missing",
                id: None,
                entry: Some(house.ids.show(entry)),
            });
        }
    }
}
