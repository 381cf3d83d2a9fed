//! Backups and what becomes of them: a copy while serving, and a restore that brings back data but never an older ledger,
//! an erased person, a revoked credential or a withdrawn consent.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::checkpoint::Checkpoint;
use ledger::entry::{Act, Figure, Outcome, previous_root_figures};
use seal::KeyId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Folder, Lane};
use zeroize::Zeroizing;

use crate::ground::clock::{Clock, instant};
use crate::ground::heads::{self, SignedHead};
use crate::ground::house::House;
use crate::ground::keys_folder::{self, ERASED, HEADS, KeysFolder};
use crate::ground::log::{generation_of_log, log_number, shop_of_log};
use crate::ground::note::OurName;
use crate::ground::random::SystemRandom;
use crate::ground::witnesses;
use crate::ground::{Actor, CredentialId, Id, Numbered, Problem, Role, Shop, SubjectId, hex};
use crate::open::{self, Places, Rows};
use crate::people::NewCredential;
use crate::{answer, choose, collect, erase, keep, moves, notice, people};

/// `manifest.json` of a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `strongroom-backup/1`.
    pub format: String,
    /// When it was made (RFC 3339).
    pub at: String,
    /// Schema of the database.
    pub schema: u32,
    /// Release that made it.
    pub release: String,
    /// SHA-256 of the database file, hex.
    pub database_sha256: String,
    /// Its logs.
    pub logs: Vec<LogAt>,
}

/// A log as the backup has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogAt {
    /// Which log.
    pub log: i64,
    /// Entries in it.
    pub size: u64,
}

const FORMAT: &str = "strongroom-backup/1";
const MANIFEST: &str = "manifest.json";
/// The database that a restore replaces, until the restore is done.
const REPLACED: &str = "replaced.db";
/// The database that a restore is about to put in place.
const COMING: &str = "restore.db";
/// The folder in which a backup is restored before a server has it.
const BESIDE: &str = "restore.beside";
/// Stands in it when it holds what the server is to have.
const WHOLE: &str = "whole";
/// Stands in the data folder while a restore is under way.
const UNFINISHED: &str = "restore.unfinished";
/// Numbers skipped when the ledger is lost: nobody knows how many were handed out behind the backup.
const NUMBERS_SKIPPED: i64 = 1 << 24;
/// Subjects in one unit of work.
const PAGE: u32 = 128;

fn manifest_fault() -> Problem {
    Problem::new("SR-BACKUP-001", 422, "the folder holds no whole backup")
        .help("a backup is made with `strongroom backup --to DIR`")
}

/// Makes a backup into a new folder, while serving. Blocks.
///
/// Gives: its manifest. Records: *backed_up*. The keyring is not in it, and must not be kept beside it.
pub fn make(
    house: &Arc<House>,
    to: &Path,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Manifest, Problem> {
    let place = open::whole_path(to)?;
    for taken in [house.keys.path(), house.data.as_path()] {
        if place.starts_with(open::whole_path(taken)?) {
            return Err(Problem::new(
                "SR-BACKUP-007",
                422,
                "a backup does not lie in the keys folder or in the data folder",
            )
            .help("give a folder elsewhere, best on another disk, and never beside the keys"));
        }
    }
    if to.exists() && std::fs::read_dir(to)?.next().is_some() {
        return Err(Problem::new("SR-BACKUP-002", 409, "the folder for the backup is not empty"));
    }
    keys_folder::make_private_folder(to)?;
    for shop in house.shops() {
        house.work_blocking(Lane::High, &shop, &Actor::Operator, |work| {
            let entry = work.entry(Act::BackedUp, Outcome::Yes);
            work.enter_plain(entry)
        })?;
    }
    let database = to.join(store::DATABASE);
    house.store.copy_to(&database, open::MIGRATIONS, |step| progress(step.done, step.of))?;
    restrict(&database)?;
    let logs = store::look_into::<_, Problem>(&database, |view| {
        let mut logs = Vec::new();
        for log in view.logs()? {
            logs.extend(view.log_head(log)?.map(|head| LogAt { log, size: head.size }));
        }
        Ok(logs)
    })?;
    heads::write_heads(house)?;
    keys_folder::write_new(&to.join(ERASED), &house.keys.list_text()?)?;
    keys_folder::write_new(&to.join(HEADS), house.keys.read_heads()?.as_bytes())?;
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        at: instant(house.clock.now()),
        schema: store::inspect(&database)?,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        database_sha256: file_digest(&database)?,
        logs,
    };
    // ORDER: last, so that a folder with a manifest is a whole backup.
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    keys_folder::write_new(&to.join(MANIFEST), &text)?;
    Ok(manifest)
}

pub(crate) fn restrict(file: &Path) -> Result<(), Problem> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(file, mode)?;
    Ok(())
}

fn file_digest(file: &Path) -> Result<String, Problem> {
    use std::io::Read;
    let mut file = keys_folder::open_plain(file)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
    Ok(hex(&hash.finalize()))
}

/// Reads and checks a backup's manifest, and that its database is what it says.
pub fn read_manifest(from: &Path) -> Result<Manifest, Problem> {
    let manifest = from.join(MANIFEST);
    let is_file = keys_folder::open_plain(&manifest).map_err(|_| manifest_fault()).map(drop);
    let text = is_file.and_then(|()| keys_folder::read_text(&manifest).map_err(|_| manifest_fault()))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|_| manifest_fault())?;
    if manifest.format != FORMAT {
        return Err(manifest_fault());
    }
    must_be_the_one_named(&from.join(store::DATABASE), &manifest)?;
    Ok(manifest)
}

fn must_be_the_one_named(database: &Path, manifest: &Manifest) -> Result<(), Problem> {
    if file_digest(database).is_ok_and(|digest| digest == manifest.database_sha256) {
        return Ok(());
    }
    Err(Problem::new("SR-BACKUP-003", 422, "the backup's database is not the one that its manifest names")
        .help("it was changed or damaged: use another backup"))
}

/// What a restore came to.
#[derive(Debug)]
pub struct Restored {
    /// When the backup was made (RFC 3339).
    pub backup_at: String,
    /// Entries of the ledger that speak of rows which the backup does not have.
    pub lost_entries: u64,
    /// Keys of erased people and ended terms that the backup had, destroyed again.
    pub destroyed_again: u64,
    /// The ledger was lost too: its new generation begins with an entry that names the gap.
    pub new_generation: bool,
    /// The verifier key of the new generation.
    pub verifier_key: Option<String>,
    /// With a lost ledger nobody knows which credentials were revoked: all are, and this is the new admin's.
    pub admin: Option<Zeroizing<String>>,
}

/// Brings a backup back.
///
/// Takes: where; the backup; and, when no ledger as new as the last signed head is left, the checkpoint since which it is lost.
/// Keeps the newest ledger found, destroys every key that the list names, enters *restored*.
/// Fails: `SR-BACKUP-004` when the ledger would be older than its last signed head.
pub fn restore(
    places: &Places,
    from: &Path,
    lost_since: Option<&str>,
    clock: &Arc<dyn Clock>,
    mut progress: impl FnMut(&'static str, u64, u64) + Send,
) -> Result<Restored, Problem> {
    match &places.rows {
        Rows::InFolder => restore_folder(places, from, lost_since, clock, &mut progress),
        Rows::OnServer(server) => restore_server(server, places, from, lost_since, clock, &mut progress),
    }
}

/// Brings a backup back to a server: it is restored in a folder beside, and what came of it replaces the server's rows in one
/// transaction. So there is one way in which backups are restored, and nobody is served in the middle of it.
fn restore_server(
    server: &store::Server,
    places: &Places,
    from: &Path,
    lost_since: Option<&str>,
    clock: &Arc<dyn Clock>,
    progress: &mut (dyn FnMut(&'static str, u64, u64) + Send),
) -> Result<Restored, Problem> {
    read_manifest(from)?;
    moves::must_not_be_away(&places.data, &places.rows)?;
    keys_folder::make_private_folder(&places.data)?;
    let _owned = Folder::own(&places.data)?;
    let beside = places.data.join(BESIDE);
    let database = beside.join(store::DATABASE);
    if beside.join(WHOLE).exists() {
        // What a restore that was cut off had come to is newer than what the server has.
        server.fill_from(&database, open::MIGRATIONS, |_| {})?;
    }
    remove_folder(&beside)?;
    mark_unfinished(&places.data)?;
    keys_folder::make_private_folder(&beside)?;
    server
        .pour_into(&database, open::MIGRATIONS, |step| progress("reading the server", step.done, step.of))?;
    restrict(&database)?;
    let local = Places { data: beside.clone(), rows: Rows::InFolder, ..places.clone() };
    let restored = match restore_folder(&local, from, lost_since, clock, progress) {
        Ok(restored) => restored,
        Err(problem) if beside.join(UNFINISHED).exists() => return Err(problem),
        Err(problem) => {
            // Nothing was changed yet.
            remove_folder(&beside)?;
            std::fs::remove_file(places.data.join(UNFINISHED))?;
            return Err(problem);
        }
    };
    // ORDER: said before the server has it: the keys folder holds the heads of what was restored by now.
    std::fs::File::create(beside.join(WHOLE))?.sync_all()?;
    std::fs::File::open(&beside)?.sync_all()?;
    server.fill_from(&database, open::MIGRATIONS, |step| {
        progress("writing to the server", step.done, step.of);
    })?;
    remove_folder(&beside)?;
    std::fs::remove_file(places.data.join(UNFINISHED))?;
    Ok(restored)
}

pub(crate) fn remove_folder(folder: &Path) -> Result<(), Problem> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn restore_folder(
    places: &Places,
    from: &Path,
    lost_since: Option<&str>,
    clock: &Arc<dyn Clock>,
    mut progress: &mut (dyn FnMut(&'static str, u64, u64) + Send),
) -> Result<Restored, Problem> {
    let manifest = read_manifest(from)?;
    open::witnesses_lie_apart(places)?;
    keys_folder::make_private_folder(&places.data)?;
    let folder = Folder::own(&places.data)?;
    if folder.has_database() {
        // Folds what a crash left in the WAL into the database, so that it moves as one file. A damaged one stays as it is.
        let _ = folder.schema();
    }
    let (keys, listed) = KeysFolder::open(&places.keys, &places.lock)?;
    let mut listed: HashSet<KeyId> = listed.iter().map(|line| line.id).collect();
    let mut signed = heads::read_heads(&keys.read_heads()?)?;

    let coming = places.data.join(COMING);
    remove_database(&coming)?;
    progress("copying the backup", 0, 1);
    std::fs::copy(from.join(store::DATABASE), &coming)?;
    restrict(&coming)?;
    must_be_the_one_named(&coming, &manifest)?; // what was copied is what was looked at
    if let Err(problem) = open::must_not_be_dark(&coming, &keys) {
        remove_database(&coming)?;
        return Err(problem);
    }
    // ORDER: before anything is taken over from one to the other: both must have the tables of this release.
    if let Err(error) = store::migrate_file(&coming, open::MIGRATIONS) {
        remove_database(&coming)?;
        return Err(error.into());
    }
    let current = newest_current(&places.data);
    if let Some(current) = &current {
        store::migrate_file(current, open::MIGRATIONS)?;
    }
    // What witnesses have seen counts like what was signed and kept here: this folder may itself be an old copy.
    progress("asking the witnesses", 0, 1);
    let witnessed = witnesses::ask(&places.witnesses, &keys, &shops_in(current.as_deref(), &coming)?)?;
    for (name, code) in &witnessed.unheard {
        crate::note!(WARN, "a witness cannot be heard", witness = OurName(name), code = *code);
    }
    signed.extend(witnessed.heads);
    listed.extend(witnessed.destroyed);
    let keeps_ledger = match &current {
        // A ledger that was rewritten is not kept, and not signed: it is lost, and a restore has to say since when.
        Some(current) => as_new_as(current, &signed, &keys).is_ok_and(|new| new),
        None => false,
    };
    if keeps_ledger {
        if let Some(current) = &current {
            // A key that died just before a crash may be named in the database only.
            listed.extend(store::look_into(current, keep::list_destroyed)?);
            store::graft(current, &coming, GRAFTS)?;
        }
    } else if !as_new_as(&coming, &signed, &keys)? && lost_since.is_none() {
        remove_database(&coming)?;
        return Err(Problem::new("SR-BACKUP-004", 409, "the ledger of this backup is older than its last signed head")
            .help("restore with the replaced data folder in place, so that its ledger is kept; if that is lost for good, say since when: --lost-since KEYS/heads, or the newer head that a witness has"));
    }
    // ORDER: from before the backup's database stands in its place until everything in it that was destroyed is destroyed
    // again, nobody may be served.
    mark_unfinished(&places.data)?;
    put_in_place(&places.data, &coming)?;
    folder.migrate(open::MIGRATIONS)?;
    drop(folder);
    drop(keys);

    let house = open::open_for_restore(places, Arc::clone(clock))?;
    let mut restored = Restored {
        backup_at: manifest.at.clone(),
        lost_entries: 0,
        destroyed_again: 0,
        new_generation: false,
        verifier_key: None,
        admin: None,
    };
    for shop in house.shops() {
        let again = destroy_listed(&house, &shop, &listed, &mut progress)?;
        restored.destroyed_again = restored.destroyed_again.saturating_add(again);
        if !keeps_ledger && let Some(lost) = lost_since {
            begin_generation(&house, &shop, lost, &signed, &mut restored)?;
        }
        let at_backup = manifest.logs.iter().find(|at| at.log == shop.log()).map_or(0, |at| at.size);
        let lost = enter_restored(&house, &shop, at_backup, again)?;
        restored.lost_entries = restored.lost_entries.saturating_add(lost);
    }
    heads::write_heads(&house)?;
    house.close();
    remove_database(&places.data.join(REPLACED))?;
    std::fs::remove_file(places.data.join(UNFINISHED))?;
    Ok(restored)
}

/// The shops of the database that is replaced and of the one that comes, each with its newest generation.
fn shops_in(current: Option<&Path>, coming: &Path) -> Result<Vec<(u32, String, u32)>, Problem> {
    let mut shops: Vec<(u32, String, u32)> = Vec::new();
    for file in current.into_iter().chain([coming]) {
        for row in store::look_into::<_, Problem>(file, keep::list_shops)? {
            match shops.iter_mut().find(|(number, ..)| *number == row.number) {
                Some((_, _, generation)) => *generation = (*generation).max(row.generation),
                None => shops.push((row.number, row.name, row.generation)),
            }
        }
    }
    Ok(shops)
}

/// What is taken over from the replaced database besides the ledger.
const GRAFTS: &[&str] = &[
    keep::KEEP_NEWEST,
    notice::KEEP_NEWEST,
    people::KEEP_NEWEST,
    choose::KEEP_NEWEST,
    erase::KEEP_NEWEST,
    collect::FORGET,
    answer::FORGET,
];

/// The database that the data folder has now, or the one that a restore which was cut off put aside.
fn newest_current(data: &Path) -> Option<PathBuf> {
    let readable =
        |name: &str| Some(data.join(name)).filter(|file| file.exists() && store::inspect(file).is_ok());
    let size = |file: &PathBuf| {
        store::look_into::<_, store::Error>(file, |view| {
            let mut size = 0_u64;
            for log in view.logs()? {
                size = size.saturating_add(view.log_head(log)?.map_or(0, |head| head.size));
            }
            Ok(size)
        })
        .unwrap_or(0)
    };
    [readable(store::DATABASE), readable(REPLACED)].into_iter().flatten().max_by_key(size)
}

/// Does a database hold every log whose head was signed, at least as long, and is each the one that was signed?
///
/// Fails: `SR-ACCOUNT-002` when a log is another one: it was rewritten.
fn as_new_as(file: &Path, signed: &[SignedHead], keys: &KeysFolder) -> Result<bool, Problem> {
    store::look_into(file, |view| {
        let shops = keep::list_shops(view)?;
        for head in signed {
            let Some(shop) = shops.iter().find(|shop| shop.number == shop_of_log(head.log)) else {
                return Ok(false);
            };
            match heads::hold_stored(view, head, &shop.name, keys) {
                Err(problem) if problem.code == heads::SHORTENED => return Ok(false),
                held => held?,
            }
        }
        Ok(true)
    })
}

fn put_in_place(data: &Path, coming: &Path) -> Result<(), Problem> {
    let (database, replaced) = (data.join(store::DATABASE), data.join(REPLACED));
    if database.exists() {
        if replaced.exists() {
            remove_database(&database)?; // of a restore that was cut off; what it replaced still stands aside
        } else {
            std::fs::rename(&database, &replaced)?;
            for suffix in ["-wal", "-shm"] {
                let (from, to) = (beside(&database, suffix), beside(&replaced, suffix));
                if from.exists() {
                    std::fs::rename(from, to)?; // what a crash left there belongs to the database that moves
                }
            }
        }
    }
    std::fs::rename(coming, &database)?;
    std::fs::File::open(data)?.sync_all()?;
    Ok(())
}

fn mark_unfinished(data: &Path) -> Result<(), Problem> {
    std::fs::File::create(data.join(UNFINISHED))?.sync_all()?;
    std::fs::File::open(data)?.sync_all()?;
    Ok(())
}

/// Refuses a data folder in which a restore was cut off: keys of erased people may be back in it.
///
/// Fails: `SR-BACKUP-008`.
pub fn must_be_finished(data: &Path) -> Result<(), Problem> {
    if data.join(UNFINISHED).exists() {
        return Err(Problem::new("SR-BACKUP-008", 500, "a restore was cut off before it was done")
            .help("run the same `strongroom restore` again: it goes on where it was, and nobody is served before it is done"));
    }
    Ok(())
}

pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    database.with_file_name(name)
}

pub(crate) fn remove_database(database: &Path) -> Result<(), Problem> {
    for file in [database.to_path_buf(), beside(database, "-wal"), beside(database, "-shm")] {
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Destroys what the list names and the backup brought back. Nobody is served before this is done.
fn destroy_listed(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    listed: &HashSet<KeyId>,
    progress: &mut impl FnMut(&'static str, u64, u64),
) -> Result<u64, Problem> {
    let ids: Vec<KeyId> = listed.iter().copied().collect();
    let listed = Arc::new(listed.clone());
    let known = house.work_blocking(Lane::High, shop, &Actor::Operator, move |work| {
        work.tx.housekeeping(); // *restored* is entered when everything is destroyed
        let mut again = 0_u64;
        for term in keep::list_terms(work.tx, work.shop)? {
            if ids.contains(&term.key.id) {
                keep::remove_term_again(&term, work)?;
                again = again.saturating_add(1);
            }
        }
        keep::know_destroyed(&ids, work)?;
        Ok(again)
    })?;
    let mut again = known.into_value();
    let reading = Arc::clone(shop);
    let total: u64 = house
        .store
        .look_blocking::<_, Problem, _>(move |view| Ok(keep::count_subjects(view, &reading)?.iter().sum()))?;
    let (mut after, mut done): (Option<SubjectId>, u64) = (None, 0);
    loop {
        let reading = Arc::clone(shop);
        let page = house.store.look_blocking::<_, Problem, _>(move |view| {
            keep::list_subjects_after(view, &reading, after, PAGE)
        })?;
        let Some(last) = page.last().copied() else { return Ok(again) };
        after = Some(last);
        done = done.saturating_add(page.len() as u64);
        let listed = Arc::clone(&listed);
        let destroyed = house.work_blocking(Lane::High, shop, &Actor::Operator, move |work| {
            work.tx.housekeeping();
            let mut destroyed = 0_u64;
            for subject in &page {
                destroyed = destroyed.saturating_add(keep::destroy_again(*subject, &listed, work)?);
            }
            Ok(destroyed)
        })?;
        again = again.saturating_add(destroyed.into_value());
        progress("destroying what was erased", done, total.max(done));
    }
}

/// The ledger is lost since a checkpoint: a new generation begins, and its first entry names the gap.
fn begin_generation(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    lost_since: &str,
    signed: &[SignedHead],
    restored: &mut Restored,
) -> Result<(), Problem> {
    let old = shop.log();
    let (origin, verifier) = (heads::origin(&shop.name, old), heads::verifier(house, shop, old)?);
    // One head, or the whole file of them as it stands in the keys folder.
    let of_this_log =
        heads::read_heads(lost_since).ok().and_then(|all| all.into_iter().find(|head| head.log == old));
    let note = of_this_log.map(|head| head.note);
    let note = note.or_else(|| witnesses::note_in(lost_since, &origin));
    let note = note.unwrap_or_else(|| lost_since.to_owned());
    let lost = Checkpoint::open(&note, &verifier, &origin).map_err(|_| {
        Problem::new("SR-BACKUP-005", 422, "this is not a signed head of this shop's ledger").help(
            "take it from the keys folder (`heads`), from a witness, or from `strongroom ledger checkpoint`",
        )
    })?;
    let newest =
        signed.iter().filter(|head| head.log == old).filter_map(|head| heads::size_said(&head.note)).max();
    if newest.is_some_and(|newest| lost.size() < newest) {
        return Err(Problem::new(
            "SR-BACKUP-006",
            422,
            "a later head of this ledger was signed: name that one",
        )
        .help("the last one is in the keys folder (give its file `heads`), or with a witness (give its file, or what it shows)"));
    }
    let generation = generation_of_log(old).saturating_add(1);
    shop.begin_generation(generation);
    let mut random = SystemRandom::new();
    house.refill_blocking(Numbered::Credential)?;
    let number = house.number(Numbered::Credential).map_err(|_| store::Error::Busy)?;
    let id = CredentialId::from_number(number.saturating_add(NUMBERS_SKIPPED.unsigned_abs()));
    let none = policy::PurposeSet::EMPTY;
    let admin = NewCredential::new(id, Role::Admin, "after-restore", none, false, &mut random)?;
    restored.admin = Some(admin.shown(&house.ids));
    house.work_blocking(Lane::High, shop, &Actor::Operator, move |work| {
        keep::new_generation(generation, work)?;
        for name in Numbered::ALL {
            let first = work.tx.take_numbers(name.name(), 0)?;
            work.tx
                .raise_numbers(name.name(), first.saturating_add(NUMBERS_SKIPPED).saturating_add(1_024))?;
        }
        let mut opened = work.entry(Act::Opened, Outcome::Yes);
        opened.figures =
            vec![(Figure::Generation, u64::from(generation)), (Figure::PreviousSize, lost.size())];
        opened.figures.extend(previous_root_figures(lost.root()));
        work.enter_plain(opened)?;
        for row in people::list(work.tx, work.shop, u32::MAX)?.iter().filter(|row| row.revoked_at == 0) {
            people::revoke(row.id, work)?;
        }
        people::add(&admin, work)?;
        Ok(())
    })?;
    restored.new_generation = true;
    let log = log_number(shop.number, generation);
    restored.verifier_key = Some(heads::verifier(house, shop, log)?.to_string());
    Ok(())
}

fn enter_restored(
    house: &Arc<House>,
    shop: &Arc<Shop>,
    at_backup: u64,
    destroyed: u64,
) -> Result<u64, Problem> {
    let committed = house.work_blocking(Lane::High, shop, &Actor::Operator, move |work| {
        let now = work.tx.next_number(work.shop.log());
        let mut entry = work.entry(Act::Restored, Outcome::Yes);
        entry.figures = vec![(Figure::LostFrom, at_backup), (Figure::LostTo, now), (Figure::Keys, destroyed)];
        work.enter_plain(entry)?;
        Ok(now.saturating_sub(at_backup))
    })?;
    Ok(committed.into_value())
}
