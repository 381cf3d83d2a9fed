//! How the house is made, and how it is opened again: everything that must be true before anybody is served.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ledger::entry::{Act, Entry, Figure, Outcome, policy_digest_figures};
use ledger::note::Verifier;
use policy::PurposeSet;
use seal::{Destroyed, EpochKey, KeyId, Random, Secret, Suite};
use store::{Fence, Folder, Home, Lane, Migration, Store, View};
use zeroize::Zeroizing;

use crate::ground::clock::{Clock, ClockWatch};
use crate::ground::heads::{self, SignedHead};
use crate::ground::house::{HOUSE, House, Parts};
use crate::ground::keys_folder::{self, KeysFolder, LockSource};
use crate::ground::law::under_law;
use crate::ground::log::{Book, generation_of_log, log_number, shop_of_log};
use crate::ground::neighbours::Neighbours;
use crate::ground::packs::Packs;
use crate::ground::random::SystemRandom;
use crate::ground::witnesses::{WitnessAt, WitnessPlace, Witnesses};
use crate::ground::{Actor, CredentialId, Id, Ids, InForce, Problem, Role, Shop};
use crate::people::NewCredential;
use crate::{backup, erase, keep, moves, notice, people};

/// Every step of the schema, in order.
pub const MIGRATIONS: &[Migration] = &[
    store::STORE,
    migration(2, "0002_keep_subjects", include_str!("../../../migrations/0002_keep_subjects.sql")),
    migration(3, "0003_notice_policies", include_str!("../../../migrations/0003_notice_policies.sql")),
    migration(4, "0004_choose_choices", include_str!("../../../migrations/0004_choose_choices.sql")),
    migration(5, "0005_people_credentials", include_str!("../../../migrations/0005_people_credentials.sql")),
    migration(6, "0006_erase_erasures", include_str!("../../../migrations/0006_erase_erasures.sql")),
    migration(7, "0007_collect_imports", include_str!("../../../migrations/0007_collect_imports.sql")),
    migration(8, "0008_people_limits", include_str!("../../../migrations/0008_people_limits.sql")),
    migration(9, "0009_keep_files", include_str!("../../../migrations/0009_keep_files.sql")),
    store::PENS,
    migration(11, "0011_keep_homes", include_str!("../../../migrations/0011_keep_homes.sql")),
    migration(12, "0012_choose_seen", include_str!("../../../migrations/0012_choose_seen.sql")),
    migration(13, "0013_answer_sign_ins", include_str!("../../../migrations/0013_answer_sign_ins.sql")),
    migration(14, "0014_choose_ends", include_str!("../../../migrations/0014_choose_ends.sql")),
];

/// Of which shop each row of a server's database is: what a statement leaves out in its WHERE, the server leaves out all the same.
/// Rows of the store's furniture that are no shop's (the schema's number, blocks of numbers, kept answers under keyed hashes)
/// stand outside.
pub const FENCES: &[Fence] = &[
    fence("shop", "id"),
    fence("shop_key", "shop"),
    fence("term", "shop"),
    fence("subject", "shop"),
    fence("record", "shop"),
    fence("lookup", "shop"),
    fence("token", "shop"),
    fence("destroyed", "shop"),
    fence("file", "shop"),
    fence("file_chunk", keep::SHOP_OF_CHUNK),
    fence("policy", "shop"),
    fence("choice", "shop"),
    fence("choice_standing", "shop"),
    fence("credential", "shop"),
    fence("approval", "shop"),
    fence("erasure", "shop"),
    fence("code_asked", "shop"),
    fence("sign_in", "shop"),
    fence("import", "shop"),
    fence("job", "shop"),
    fence("pen", "shop"),
    fence("leaf", "id >> 46"), // a leaf's number begins with its log's, and that with its shop's
    fence("tile", "log >> 6"),
    fence("log_head", "log >> 6"),
];

const fn fence(table: &'static str, shop: &'static str) -> Fence {
    Fence { table, shop }
}

const fn migration(number: u32, name: &'static str, sql: &'static str) -> Migration {
    Migration { number, name, sql }
}

/// Where the rows are.
#[derive(Debug, Clone)]
pub enum Rows {
    /// In the data folder.
    InFolder,
    /// On a server; the data folder then holds the configuration and the operator's socket.
    OnServer(store::Server),
}

/// Where everything is, and how it is unlocked.
#[derive(Debug, Clone)]
pub struct Places {
    /// The data folder.
    pub data: PathBuf,
    /// Where the rows are.
    pub rows: Rows,
    /// The keys folder.
    pub keys: PathBuf,
    /// What unlocks the keyring.
    pub lock: LockSource,
    /// Days of an epoch.
    pub epoch_days: u32,
    /// Page cache of the writer, MiB.
    pub cache_mib: u32,
    /// Who elsewhere is told of the logs' heads.
    pub witnesses: Vec<WitnessPlace>,
    /// Whose bundles of packs are taken.
    pub trusted: Vec<Verifier>,
}

/// What `init` has to say once and never again.
#[derive(Debug)]
pub struct Made {
    /// The shop's id.
    pub shop: String,
    /// The key that verifies the ledger.
    pub verifier_key: String,
    /// The admin's credential. It is kept nowhere.
    pub admin: Zeroizing<String>,
}

/// Makes a vault: keyring, ledger key, shop, policy, and the first admin.
///
/// Takes: with which suite the shop seals.
/// Fails: `SR-STORE-017` or `SR-KEYS-003` when there is one already: a new key is never made over old data; `SR-BACKUP-008` when
/// a restore of one was cut off; `SR-OPEN-004` when one folder lies in the other. Then nothing was made.
pub fn init(
    places: &Places,
    checked: &notice::Checked,
    suite: Suite,
    clock: Arc<dyn Clock>,
) -> Result<Made, Problem> {
    lie_apart(places)?;
    backup::must_be_finished(&places.data)?;
    if places.data.join(store::DATABASE).exists() {
        return Err(store::Error::NotEmpty.into());
    }
    if let Rows::OnServer(server) = &places.rows {
        // ORDER: before there is a keyring. A database that somebody else made, who owns it, is used as it is.
        if server.schema()? != newest_schema() {
            server.migrate(MIGRATIONS, FENCES, None)?;
        }
        if server.look(|view| keep::list_shops(view).map(|shops| !shops.is_empty()))? {
            return Err(store::Error::NotEmpty.into());
        }
    }
    keys_folder::check_empty(&places.keys)?;
    keys_folder::make_private_folder(&places.data)?;
    let now = clock.now();
    KeysFolder::create(&places.keys, &places.lock, now)?;
    if let Rows::InFolder = places.rows {
        Folder::own(&places.data)?.migrate(MIGRATIONS)?;
    }
    let house = open(places, clock)?;
    let made = add_shop(&house, checked, suite)?;
    heads::write_heads(&house)?;
    house.close();
    Ok(made)
}

/// Makes a shop in an open house, with its policy, its suite and its first admin.
///
/// Records: *opened*, with the number of its suite when that is not the first.
/// Fails: `SR-OPEN-001` when there is a shop of this id.
pub fn add_shop(house: &Arc<House>, checked: &notice::Checked, suite: Suite) -> Result<Made, Problem> {
    let name = checked.policy.shop.id.clone();
    let shops = house.shops();
    if shops.iter().any(|shop| shop.name == name) {
        return Err(Problem::new("SR-OPEN-001", 409, "there is a shop of this id already"));
    }
    let number = shops.iter().map(|shop| shop.number).max().unwrap_or(0).saturating_add(1);
    let (mut random, now) = (SystemRandom::new(), house.clock.now());
    house.keys.change(|ring, random| {
        if ring.ledger_seed(number).is_none() {
            ring.ledger_seeds.push((number, Secret::random(random)?));
        }
        Ok(())
    })?;
    let (new, keys, epoch) = house.keys.with(|ring| -> Result<_, Problem> {
        let newest = ring.epochs.last().ok_or(seal::Error::KeyringDamaged)?;
        let epoch = EpochKey::new(newest.number, &newest.key)?;
        let new = keep::new_shop(number, &name, suite, &epoch, &mut random)?;
        let keys = seal::ShopKeys::open(number, &[epoch], &new.keys)?;
        Ok((new, keys, newest.number))
    })?;
    let looking = Arc::clone(house);
    let in_force = under_law(notice::ready(checked, None, now)?, &house.packs, now)?;
    let row = notice::ready(checked, None, now)?;
    let packs = Arc::clone(&house.packs);
    let shop = house.add_shop(Shop::new(number, name.clone(), keys, packs, in_force, 1, 0));
    house.refill_blocking(crate::ground::Numbered::Credential)?;
    let id = house.number(crate::ground::Numbered::Credential).map_err(|_| store::Error::Busy)?;
    let id = CredentialId::from_number(id);
    let credential =
        NewCredential::new(id, Role::Admin, "first-admin", PurposeSet::EMPTY, false, &mut random)?;
    let admin = credential.shown(&house.ids);
    let made = house.work_blocking(Lane::High, &shop, &Actor::Operator, move |work| {
        // ORDER: the shop is in the house before its keys are in the database. A change of epoch that begins from here on
        // finds it; one that began before would end the key that these keys hang on.
        if looking.keys.with(|ring| ring.epochs.last().map(|newest| newest.number)) != Some(epoch) {
            return Err(store::Error::Busy.into());
        }
        keep::add_shop(&new, work)?;
        notice::write(work.shop, &row, work.tx)?;
        let mut opened = work.entry(Act::Opened, Outcome::Yes);
        opened.figures = vec![(Figure::Generation, 1)];
        if suite != Suite::Aes256Gcm {
            opened.figures.push((Figure::Suite, u64::from(suite.number())));
        }
        work.enter_plain(opened)?;
        let mut published = work.entry(Act::Published, Outcome::Yes);
        published.figures = policy_digest_figures(&row.digest).to_vec();
        work.enter_plain(published)?;
        people::add(&credential, work)?;
        Ok(())
    });
    if made.is_err() {
        house.remove_shop(number);
    }
    made?;
    let verifier_key = heads::verifier(house, &shop, shop.log())?.to_string();
    Ok(Made { shop: name, verifier_key, admin })
}

/// Keys and data must not lie one in the other: a copy of the data folder would hold what opens it.
///
/// Fails: `SR-OPEN-004`.
fn lie_apart(places: &Places) -> Result<(), Problem> {
    let (data, keys) = (whole_path(&places.data)?, whole_path(&places.keys)?);
    if keys.starts_with(&data) || data.starts_with(&keys) {
        return Err(Problem::new(
            "SR-OPEN-004",
            500,
            "the keys folder and the data folder lie one in the other",
        )
        .help("keep the keys outside the data folder: whoever copies the data must not copy what opens it"));
    }
    Ok(())
}

/// A witness that lies in what may be set back is set back with it. Fails: `SR-WITNESS-014`.
pub(crate) fn witnesses_lie_apart(places: &Places) -> Result<(), Problem> {
    for witness in &places.witnesses {
        let WitnessAt::File(file) = &witness.at else { continue };
        let file = whole_path(file)?;
        if file.starts_with(whole_path(&places.data)?) || file.starts_with(whole_path(&places.keys)?) {
            let title =
                format!("the file of the witness `{}` lies in the data or in the keys folder", witness.name);
            return Err(Problem::new("SR-WITNESS-014", 500, title)
                .help("put it on another disk, best where this machine can add to it and not change it"));
        }
    }
    Ok(())
}

/// The path without `..` and links, as far as it is there.
pub(crate) fn whole_path(path: &Path) -> Result<PathBuf, Problem> {
    let mut whole = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        if part == Component::ParentDir {
            whole.pop(); // what stands before it is without links by now
            continue;
        }
        whole.push(part);
        if let Ok(found) = whole.canonicalize() {
            whole = found;
        }
    }
    Ok(whole)
}

/// Opens a vault. Everything that must be true is looked at first: modes, lock, schema, keys, heads, destroyed keys.
///
/// Fails: with a code for whatever is not as it must be; then nothing was served and nothing changed.
pub fn open(places: &Places, clock: Arc<dyn Clock>) -> Result<Arc<House>, Problem> {
    let folder = own(places)?;
    open_as(folder, places, clock, Opening::Serving)
}

/// The same, with the database on another disk than everybody's: for tests of faults.
pub fn open_on(
    disk: store::vfs::Disk,
    places: &Places,
    clock: Arc<dyn Clock>,
) -> Result<Arc<House>, Problem> {
    lie_apart(places)?;
    let folder = Folder::own_on(disk, &places.data)?;
    open_as(folder, places, clock, Opening::Serving)
}

/// Opens a vault whose database was just put in place by a restore, to destroy what the list of destroyed keys names.
pub fn open_for_restore(places: &Places, clock: Arc<dyn Clock>) -> Result<Arc<House>, Problem> {
    let folder = own(places)?;
    open_as(folder, places, clock, Opening::Restoring)
}

/// Opens a vault whose rows have just been moved there, to look at it: everything is held as for serving, and nothing is written.
pub fn open_to_verify(places: &Places, clock: Arc<dyn Clock>) -> Result<Arc<House>, Problem> {
    let folder = own(places)?;
    open_as(folder, places, clock, Opening::Verifying)
}

fn own(places: &Places) -> Result<Folder, Problem> {
    lie_apart(places)?;
    keys_folder::check_private_folder(&places.data)?;
    Ok(Folder::own(&places.data)?)
}

/// Why a vault is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// Everything must be as it was left.
    Serving,
    /// Ledger and destroyed keys are about to be put right.
    Restoring,
    /// Everything must be as it was left, and nothing is changed.
    Verifying,
}

fn open_as(
    folder: Folder,
    places: &Places,
    clock: Arc<dyn Clock>,
    why: Opening,
) -> Result<Arc<House>, Problem> {
    witnesses_lie_apart(places)?;
    if why == Opening::Serving {
        backup::must_be_finished(&places.data)?;
        moves::must_not_be_away(&places.data, &places.rows)?;
    }
    must_hold_a_vault(&places.data, &places.rows)?;
    let (keys, listed) = KeysFolder::open(&places.keys, &places.lock)?;
    let (home, owned) = match &places.rows {
        Rows::InFolder => {
            let migrated = folder.migrate(MIGRATIONS)?;
            if !migrated.steps.is_empty() && migrated.from > 0 {
                crate::note!(INFO, "the schema was migrated", from = migrated.from, to = migrated.to);
            }
            (Home::Folder(folder), None)
        }
        Rows::OnServer(server) => {
            must_be_migrated(server)?;
            (Home::Server(server.clone()), Some(folder))
        }
    };
    let signed = match why {
        Opening::Serving | Opening::Verifying => heads::read_heads(&keys.read_heads()?)?,
        Opening::Restoring => Vec::new(),
    };
    let ids = Ids::new(&keys.with(|ring| Secret::new(*ring.id_key.expose())));
    let witness = Box::new(keys.witness(Arc::clone(&clock)));
    let options =
        store::Options { cache_kib: places.cache_mib.saturating_mul(1_024), ..store::Options::default() };
    let packs = Arc::new(Packs::new(&places.data, places.trusted.clone()));
    let (mut found, mut true_heads): (Option<Found>, _) = (None, None);
    let mut neighbours = Neighbours::default();
    let store = Store::open(home, options, witness, |view, writers| {
        let law = Law { packs: &packs, now: clock.now() };
        found = Some(look_around(view, &keys, &signed, &law)?);
        if let (Opening::Serving | Opening::Verifying, Some(found)) = (why, &found) {
            none_may_live(view, &found.shops, &found.destroyed, &listed)?;
        }
        let book = Book::read(view)?;
        true_heads = Some(book.heads());
        neighbours = book.neighbours();
        let others = (1..writers).map(|_| Box::new(book.another()) as Box<dyn store::LogBook>);
        let mut books: store::Books = others.collect();
        books.push(Box::new(book));
        Ok::<_, Problem>(books)
    })?;
    let Found { shops, destroyed, last_entry_at } = found.ok_or(store::Error::Empty)?;
    let witnesses = Witnesses::new(&places.witnesses, &keys)?;
    let watch = ClockWatch::begin(clock.as_ref(), last_entry_at);
    if watch.in_doubt() {
        crate::note!(
            WARN,
            "the clock is in doubt: nothing is destroyed until somebody says that it is right"
        );
    }
    let heads = true_heads.unwrap_or_default();
    let (data, epoch_days) = (places.data.clone(), places.epoch_days);
    let parts = Parts { store, data, owned, watch, keys, ids, heads, witnesses, packs, shops, epoch_days };
    let house = Arc::new(House::new(parts, clock, people::facts_of));
    neighbours.are_of(&house, crate::neighbours::take_over);
    if why != Opening::Restoring {
        // ORDER: before anything is written: a house that was set back stays as it was found.
        house.witnesses.hold(&house)?;
        let in_list: Vec<KeyId> = listed.iter().map(|line| line.id).collect();
        hold_lists_together(&house.keys, &house.clock, &destroyed, &in_list)?;
    }
    if why == Opening::Verifying {
        return Ok(house);
    }
    if !house.store.is_shared() {
        begin_alone(&house)?;
    }
    // ORDER: last. All that must be true was looked at, so the way back is not needed; and no key dies here while a copy in this
    // folder holds it.
    if store::remove_copies(&places.data)? > 0 {
        crate::note!(INFO, "the copy from before the migration was removed");
    }
    Ok(house)
}

/// What the only process on these rows can know: nobody else does a job, and nobody else is being sent a file.
fn begin_alone(house: &House) -> Result<(), Problem> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method alone is not general enough over lifetimes"
    )]
    house.store.work_blocking(HOUSE, Lane::High, |tx| tx.free_leases())?;
    for shop in house.shops() {
        // Whoever sent it was served by a process that is no more.
        let edited = erase::give_up_files(house, &shop, i64::MAX)?;
        if edited > 0 {
            crate::note!(WARN, "rows of files were edited; the deep check names them", rows = edited);
        }
    }
    Ok(())
}

/// By which packs, and as of when, policies are put in force.
struct Law<'a> {
    packs: &'a Arc<Packs>,
    now: i64,
}

struct Found {
    shops: Vec<Shop>,
    destroyed: Vec<KeyId>,
    last_entry_at: Option<i64>,
}

/// Reads what the house stands on, and holds every log against its last signed head.
fn look_around(
    view: &View<'_>,
    keys: &KeysFolder,
    signed: &[SignedHead],
    law: &Law<'_>,
) -> Result<Found, Problem> {
    let epochs = living_epochs(keys)?;
    let (mut shops, mut last_entry_at) = (Vec::new(), None);
    for row in keep::list_shops(view)? {
        let (shop, last_at) = read_shop(view, row, &epochs, law)?;
        last_entry_at = last_entry_at.max(last_at);
        shops.push(shop);
    }
    for head in signed {
        let Some(shop) = shops.iter().find(|shop| shop.number == shop_of_log(head.log)) else {
            return Err(Problem::new(
                "SR-ACCOUNT-004",
                500,
                "a shop whose log was signed is not in this database",
            )
            .help("the data folder was exchanged: restore the latest backup"));
        };
        heads::hold_stored(view, head, &shop.name, keys)?;
    }
    Ok(Found { shops, destroyed: keep::list_destroyed(view)?, last_entry_at })
}

/// A shop as its rows have it, with what is remembered of it; and when its last entry was made.
fn read_shop(
    view: &View<'_>,
    row: keep::ShopRow,
    epochs: &[EpochKey],
    law: &Law<'_>,
) -> Result<(Shop, Option<i64>), Problem> {
    let keys_of_shop = keep::open_keys(view, row.number, epochs).map_err(explain_dark)?;
    row.must_be_whole(&keys_of_shop)?;
    let is_later = |log: &i64| shop_of_log(*log) == row.number && generation_of_log(*log) > row.generation;
    if view.logs()?.iter().any(is_later) {
        return Err(Problem::edited("shop")); // an older row was put back: its log has ended
    }
    let in_force = under_law(notice::load(view, row.number, &keys_of_shop)?, law.packs, law.now)?;
    let last = last_entry(view, log_number(row.number, row.generation))?.map(|entry| entry.at);
    let last_at = last.unwrap_or(0);
    let packs = Arc::clone(law.packs);
    let shop = Shop::new(row.number, row.name, keys_of_shop, packs, in_force, row.generation, last_at);
    fill_caches(view, &shop)?;
    people::limits::count_again(view, &shop, last_at)?;
    Ok((shop, last))
}

/// Names keys outside the database that were destroyed by a server which did not come to do so.
pub fn name_all_destroyed(house: &House) -> Result<(), Problem> {
    let in_database = house.store.look_blocking(keep::list_destroyed)?;
    let listed: HashSet<KeyId> = house.keys.list_lines()?.into_iter().map(|line| line.id).collect();
    let missing: Vec<[u8; 16]> =
        in_database.iter().filter(|id| !listed.contains(id)).map(|id| id.0).collect();
    if !missing.is_empty() {
        store::Witness::destroyed(&mut house.keys.witness(Arc::clone(&house.clock)), &missing)?;
    }
    Ok(())
}

/// Serves shops that another server on the same database has made.
pub fn find_new_shops(house: &House) -> Result<(), Problem> {
    // ORDER: first. The key that signs a new shop's log was put into the keyring before the shop was made.
    house.keys.keep_up()?;
    let known: HashSet<u32> = house.shops().iter().map(|shop| shop.number).collect();
    let found = house.store.look_blocking(move |view| {
        let rows = keep::list_shops(view)?;
        Ok::<_, Problem>(rows.into_iter().filter(|row| !known.contains(&row.number)).collect::<Vec<_>>())
    })?;
    for row in found {
        let epochs = living_epochs(&house.keys)?;
        let (packs, now) = (Arc::clone(&house.packs), house.clock.now());
        let (shop, _) = house
            .store
            .look_blocking(move |view| read_shop(view, row, &epochs, &Law { packs: &packs, now }))?;
        house.add_shop(shop);
    }
    Ok(())
}

fn living_epochs(keys: &KeysFolder) -> Result<Vec<EpochKey>, Problem> {
    let epochs = keys.with(|ring| {
        ring.epochs.iter().map(|epoch| EpochKey::new(epoch.number, &epoch.key)).collect::<Result<Vec<_>, _>>()
    });
    Ok(epochs?)
}

/// Can the keys of every shop in this database file still be opened? Fails: `SR-SEAL-…` when it is from an epoch that ended.
pub(crate) fn must_not_be_dark(database: &Path, keys: &KeysFolder) -> Result<(), Problem> {
    let epochs = living_epochs(keys)?;
    store::look_into(database, |view| {
        for row in keep::list_shops(view)? {
            keep::open_keys(view, row.number, &epochs).map_err(explain_dark)?;
        }
        Ok(())
    })
}

/// A shop whose keys hang on an epoch that is gone: the database is a copy from before it ended.
fn explain_dark(problem: Problem) -> Problem {
    if problem.code == seal::Error::NoKey.code() {
        return problem.help(
            "this copy is from an epoch that has ended: nothing can open it any more, as it should be",
        );
    }
    problem
}

fn fill_caches(view: &View<'_>, shop: &Shop) -> Result<(), Problem> {
    for term in keep::list_terms(view, shop)? {
        shop.terms.add(term);
    }
    for row in people::list(view, shop, u32::MAX)?.iter().filter(|row| row.revoked_at == 0) {
        shop.doors.add(row.id.number(), people::door_of(row));
    }
    Ok(())
}

fn last_entry(view: &View<'_>, log: i64) -> Result<Option<Entry>, Problem> {
    let Some(head) = view.log_head(log)? else { return Ok(None) };
    let Some(last) = head.size.checked_sub(1) else { return Ok(None) };
    let bytes = view.leaf(log, last)?.ok_or(store::Error::BrokenLog { log, leaf: last })?;
    Ok(Some(Entry::decode(&bytes)?))
}

/// A key that only the database says is destroyed must be gone from it: a real destruction took its row in the same
/// transaction. A row that somebody wrote by hand must not make the list outside name a key that lives.
fn none_may_live(
    view: &View<'_>,
    shops: &[Shop],
    in_database: &[KeyId],
    listed: &[Destroyed],
) -> Result<(), Problem> {
    let known: HashSet<KeyId> = listed.iter().map(|line| line.id).collect();
    let unlisted: HashSet<KeyId> = in_database.iter().filter(|id| !known.contains(id)).copied().collect();
    if unlisted.is_empty() {
        return Ok(());
    }
    for shop in shops {
        let in_terms = shop.terms.all().iter().any(|term| unlisted.contains(&term.key.id));
        // A long look; but it is needed after a crash only, and nobody is served yet.
        let in_subjects = keep::any_subject_has(view, shop, &unlisted)?;
        if in_terms || in_subjects {
            return Err(Problem::new("SR-OPEN-005", 500, "the database names a living key as destroyed")
                .help("its rows were edited: keep the folder as it is, and restore the latest backup"));
        }
    }
    Ok(())
}

/// The database and the list beside the keyring must name the same destroyed keys.
///
/// A key that only the database names was destroyed just before a crash: the list catches up. A key that only the list
/// names means that an older database was put in place: refuse, for erased people would be back.
fn hold_lists_together(
    keys: &KeysFolder,
    clock: &Arc<dyn Clock>,
    in_database: &[KeyId],
    in_list: &[KeyId],
) -> Result<(), Problem> {
    let known: HashSet<_> = in_database.iter().collect();
    let listed: HashSet<_> = in_list.iter().collect();
    if in_list.iter().any(|id| !known.contains(id)) {
        return Err(Problem::new("SR-OPEN-002", 500, "this database does not know keys that were destroyed")
            .help(
                "an older copy was put in place: use `strongroom restore`, which keeps erased people erased",
            ));
    }
    let missing: Vec<[u8; 16]> =
        in_database.iter().filter(|id| !listed.contains(id)).map(|id| id.0).collect();
    if !missing.is_empty() {
        store::Witness::destroyed(&mut keys.witness(Arc::clone(clock)), &missing)?;
    }
    Ok(())
}

/// The shop's policy as it would be after another one: for a plan.
pub fn would_be(checked: &notice::Checked, shop: &Shop, now: i64) -> Result<InForce, Problem> {
    notice::ready(checked, Some(&shop.policy()), now)
}

/// A fresh random salt.
pub fn fresh_salt() -> Result<[u8; 16], Problem> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt)?;
    Ok(salt)
}

/// Fails with `SR-BACKUP-008` when a restore was cut off in this folder, with `SR-MOVE-001` or `SR-MOVE-002` when the rows were moved
/// elsewhere or are being moved, and with `SR-STORE-018` when there is no vault in it.
pub fn must_have_vault(data: &Path, rows: &Rows) -> Result<(), Problem> {
    // ORDER: a restore puts one database aside before it puts the other in its place. Nobody is to make a new vault in between.
    backup::must_be_finished(data)?;
    moves::must_not_be_away(data, rows)?;
    must_hold_a_vault(data, rows)
}

fn must_hold_a_vault(data: &Path, rows: &Rows) -> Result<(), Problem> {
    let there = match rows {
        Rows::InFolder => data.join(store::DATABASE).exists(),
        Rows::OnServer(server) => server.schema()? > 0,
    };
    if there { Ok(()) } else { Err(store::Error::Empty.into()) }
}

/// The schema that this release works with.
pub fn newest_schema() -> u32 {
    MIGRATIONS.last().map_or(0, |step| step.number)
}

/// Who serves has no right to change the schema of a server's database: that is done before, by whom it belongs to.
pub(crate) fn must_be_migrated(server: &store::Server) -> Result<(), Problem> {
    let (found, known) = (server.schema()?, newest_schema());
    if found > known {
        return Err(store::Error::NewerSchema { found, known }.into());
    }
    if found < known {
        let title = format!("the database has schema {found}, and this release works with {known}");
        return Err(Problem::new("SR-OPEN-008", 500, title)
            .help("as the database's owner: `strongroom migrate --store ADDRESS --serving ROLE`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{answer, choose, collect, erase};

    /// Every statement of every room.
    fn statements() -> Vec<(&'static str, &'static store::Sql)> {
        let rooms = [
            answer::STATEMENTS,
            choose::STATEMENTS,
            collect::STATEMENTS,
            erase::STATEMENTS,
            keep::STATEMENTS,
            notice::STATEMENTS,
            people::STATEMENTS,
        ];
        rooms.concat()
    }

    #[test]
    fn every_statement_of_every_room_can_be_prepared_on_the_schema_of_today() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::own(place.path()).unwrap();
        folder.migrate(MIGRATIONS).unwrap();
        let database = rusqlite::Connection::open(folder.database()).unwrap();
        for (name, sql) in statements() {
            database.prepare(sql.text()).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn every_statement_of_every_room_can_be_prepared_on_a_server_also_for_many() {
        let Some(server) = testbed::Postgres::shared(testbed::Version::V15) else { return };
        let database = server.database();
        let address = database.owner_socket_url();
        let server = store::Server::parse(&address, None).unwrap();
        server.migrate(MIGRATIONS, FENCES, None).unwrap();
        let all = [statements(), vec![("NOT_ONE", &NOT_ONE)]].concat();
        assert_eq!(server.cannot_prepare(&all).unwrap(), ["NOT_ONE"]);
    }

    static NOT_ONE: store::Sql = store::Sql::new("SELECT nothing FROM nowhere");

    #[test]
    fn an_answer_that_is_remembered_rests_on_every_table_that_its_statement_names() {
        let mut remembered = 0;
        for (name, sql) in statements().into_iter().filter(|(_, sql)| !sql.rests_on().is_empty()) {
            remembered += 1;
            assert!(sql.says_what_it_rests_on(), "{name}");
        }
        assert!(remembered > 8, "{remembered}");
    }
}
