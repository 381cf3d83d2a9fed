//! Moves: from the data folder to a server's database, and back.
//!
//! Nobody is served while rows move. A folder is this process's own for that time; a server's database is made to stand still by a mark
//! that every writer meets (`store::Mark`). The rows are compared, table by table, and the ledger is verified where they have come to,
//! before the configuration names the new place.
//!
//! INVARIANT: at every moment there is one place at the most that a start accepts, and `strongroom move` that is run again makes it
//! one. To a server, that changes with the configuration: before, the rows there are marked as coming; after it, the folder's are
//! set aside before they are free. To the folder, it changes with the mark at the server: a copy that is not whole lies beside.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::entry::{Act, Outcome};
use seal::Random;
use store::{Folder, Lane, Mark, Marked, Server, TableSum};

use crate::config::Rewrite;
use crate::ground::clock::Clock;
use crate::ground::keys_folder::{self, sync_folder};
use crate::ground::random::SystemRandom;
use crate::ground::{Actor, Problem, heads};
use crate::open::{self, Places, Rows};
use crate::{account, backup, keep};

/// Which way a move goes that was begun, and its number.
const UNDER_WAY: &str = "move.unfinished";
/// The folder in which rows stand before they are in place, and in which they are verified.
const BESIDE: &str = "move.beside";
/// The database of a folder whose rows were moved.
pub const MOVED: &str = "moved.db";
/// Says where they went.
const WENT_TO: &str = "moved.to";

/// What a move takes.
#[derive(Debug)]
pub struct Moving {
    /// Where everything is.
    pub places: Places,
    /// Where the rows are to be.
    pub to: Rows,
    /// The configuration that says so.
    pub rewrite: Rewrite,
}

/// What a move came to.
#[derive(Debug)]
pub struct Moved {
    /// Where the rows were.
    pub from: String,
    /// Where they are.
    pub to: String,
    /// Every table, as it was there and is here.
    pub tables: Vec<TableSum>,
    /// Entries of the ledger that were verified.
    pub entries: u64,
}

/// Who is told what is being done, and how much of it is done.
pub type Telling<'t> = dyn FnMut(&'static str, u64, u64) + Send + 't;

/// Moves all rows, or brings a move that was cut off to its end.
///
/// Records: *moved*, before the rows are read. Fails: `SR-STORE-003` when a process serves from this folder, `SR-STORE-026` when
/// another one uses the database; `SR-STORE-017` when there are rows where they are to go; `SR-MOVE-006` and `SR-MOVE-007` when what
/// came there is not what was here. Then the old place serves as before.
pub fn run(moving: &Moving, clock: &Arc<dyn Clock>, tell: &mut Telling<'_>) -> Result<Moved, Problem> {
    backup::must_be_finished(&moving.places.data)?;
    match (&moving.places.rows, &moving.to) {
        (Rows::InFolder, Rows::OnServer(server)) => to_server(moving, server, clock, tell),
        (Rows::OnServer(server), Rows::InFolder) => to_folder(moving, server, clock, tell),
        (Rows::InFolder, Rows::InFolder) => end_in_folder(moving),
        (Rows::OnServer(named), Rows::OnServer(server)) if named.shown() == server.shown() => {
            end_on_server(moving, server, clock, tell)
        }
        (Rows::OnServer(_), Rows::OnServer(_)) => {
            Err(Problem::new("SR-MOVE-003", 409, "rows do not move from one server's database to another's")
                .help("move them to the folder first, then from there; or copy the database with the server's own tools"))
        }
    }
}

/// Takes back a move away from a server that was cut off: the server's rows are served again.
///
/// Fails: `SR-MOVE-005` when there is none.
pub fn take_back(places: &Places) -> Result<(), Problem> {
    let nothing = || Problem::new("SR-MOVE-005", 409, "no move is under way that could be taken back");
    let Rows::OnServer(server) = &places.rows else { return Err(nothing()) };
    let folder = Folder::own(&places.data)?;
    let Some(marked) = server.mark()? else { return Err(nothing()) };
    if marked.mark != Mark::Leaving {
        return must_not_be_away(&places.data, &places.rows);
    }
    if let Some(under_way) =
        UnderWay::read(folder.path())?.filter(|is| is.is_of(Way::ToFolder, marked.errand))
    {
        // ORDER: before the server is free: this copy is not to be served from beside it.
        backup::remove_database(&folder.database())?;
        under_way.end()?;
    }
    if server.change_mark(marked, None)? { Ok(()) } else { Err(nothing()) }
}

/// Refuses rows that were moved elsewhere, or are being moved.
///
/// Fails: `SR-MOVE-001`, `SR-MOVE-002`.
pub fn must_not_be_away(data: &Path, rows: &Rows) -> Result<(), Problem> {
    match rows {
        Rows::InFolder if !data.join(store::DATABASE).exists() && data.join(MOVED).exists() => {
            let to = fs::read_to_string(data.join(WENT_TO)).unwrap_or_default();
            Err(away(format!("the rows of this data folder were moved to {}", to.trim())))
        }
        Rows::InFolder => Ok(()),
        Rows::OnServer(server) => {
            if server.schema()? < store::PENS.number {
                return Ok(()); // nobody can have moved anything here
            }
            match server.mark()?.map(|marked| marked.mark) {
                None => Ok(()),
                Some(Mark::Moved) => {
                    Err(away(format!("the rows of {} were moved to a data folder", server.shown())))
                }
                Some(Mark::Coming) => Err(cut_off(
                    "the rows of this database came by a move that has not come to its end",
                    "run the same `strongroom move` again, with the data folder that it began in: it goes on where it was",
                )),
                Some(Mark::Leaving) => Err(cut_off(
                    "the rows of this database are being moved to a data folder",
                    "run the same `strongroom move` again, with the same data folder; or take it back: `strongroom move --cancel`",
                )),
            }
        }
    }
}

fn away(title: String) -> Problem {
    Problem::new("SR-MOVE-001", 500, title).help(
        "serve with the configuration that names the new place; to serve from here again, move the rows back",
    )
}

fn cut_off(title: &'static str, help: &'static str) -> Problem {
    Problem::new("SR-MOVE-002", 500, title).help(help)
}

fn there_already() -> Problem {
    Problem::new("SR-MOVE-004", 409, "the rows are there already")
}

// ── To a server ────────────────────────────────────────────────────────────────────────────────────────────────────────────

fn to_server(
    moving: &Moving,
    server: &Server,
    clock: &Arc<dyn Clock>,
    tell: &mut Telling<'_>,
) -> Result<Moved, Problem> {
    let places = &moving.places;
    must_not_be_away(&places.data, &places.rows)?;
    tell("looking", 0, 1);
    {
        let folder = Folder::own(&places.data)?;
        if !folder.has_database() {
            return Err(store::Error::Empty.into());
        }
    }
    make_ready(places, server)?;
    enter(places, clock)?;
    tell("owning", 0, 1);
    // ORDER: owned from here to the end. What somebody entered in between is moved, too.
    let folder = Folder::own(&places.data)?;
    folder.schema()?; // folds what a crash left in the WAL into the database
    let under_way = UnderWay::begin(folder.path(), Way::ToServer)?;
    tell("begun", 0, 1);
    server.move_in(&folder.database(), open::MIGRATIONS, under_way.errand, |step| {
        tell("writing", step.done, step.of);
    })?;
    tell("written", 0, 1);
    let verified = verify(moving, server, &folder.database(), &under_way, clock, tell)?;
    tell("verified", 0, 1);
    moving.rewrite.write()?;
    tell("named", 0, 1);
    set_aside(&folder, server)?;
    tell("set aside", 0, 1);
    free(server, &under_way)?;
    tell("freed", 0, 1);
    under_way.end()?;
    Ok(Moved { from: shown(folder.path()), to: server.shown().to_owned(), ..verified })
}

/// Makes the schema where there is none, and refuses what holds a shop, before anything is entered.
fn make_ready(places: &Places, server: &Server) -> Result<(), Problem> {
    if server.schema()? == 0 {
        match server.migrate(open::MIGRATIONS, open::FENCES, None) {
            // Whoever serves makes no tables: its owner is to do it.
            Err(store::Error::Refused { .. }) => {}
            made => drop(made?),
        }
    }
    open::must_be_migrated(server)?;
    let errand = UnderWay::read(&places.data)?.filter(|is| is.way == Way::ToServer).map(|is| is.errand);
    match server.mark()? {
        Some(Marked { mark: Mark::Coming, errand: found }) if Some(found) == errand => Ok(()),
        None if server.look(|view| keep::list_shops(view).map(|shops| shops.is_empty()))? => Ok(()),
        _ => Err(store::Error::NotEmpty.into()),
    }
}

/// The configuration names the server: what is left of a move that was cut off behind that.
fn end_on_server(
    moving: &Moving,
    server: &Server,
    clock: &Arc<dyn Clock>,
    tell: &mut Telling<'_>,
) -> Result<Moved, Problem> {
    let folder = Folder::own(&moving.places.data)?;
    let Some(under_way) = UnderWay::read(folder.path())?.filter(|is| is.way == Way::ToServer) else {
        must_not_be_away(&moving.places.data, &moving.to)?;
        return Err(there_already());
    };
    let database = if folder.has_database() { folder.database() } else { folder.path().join(MOVED) };
    let mut verified = None;
    if server.mark()? == Some(Marked { mark: Mark::Coming, errand: under_way.errand }) {
        // Somebody may have served from the folder since, and named the server by hand.
        verified = Some(verify(moving, server, &database, &under_way, clock, tell)?);
        if folder.has_database() {
            set_aside(&folder, server)?;
        }
        free(server, &under_way)?;
    } else {
        must_not_be_away(&moving.places.data, &moving.to)?;
    }
    under_way.end()?;
    let (from, to) = (shown(folder.path()), server.shown().to_owned());
    match verified {
        Some(verified) => Ok(Moved { from, to, ..verified }),
        None => Ok(Moved { from, to, tables: store::sums(&database, |_| {})?, entries: 0 }),
    }
}

/// Takes the folder's database out of the way of a start.
fn set_aside(folder: &Folder, server: &Server) -> Result<(), Problem> {
    let (data, database) = (folder.path(), folder.database());
    let said = data.join(WENT_TO);
    if said.exists() {
        fs::remove_file(&said)?;
    }
    keys_folder::write_new(&said, server.shown().as_bytes())?;
    let moved = data.join(MOVED);
    backup::remove_database(&moved)?;
    fs::rename(&database, &moved)?;
    for suffix in ["-wal", "-shm"] {
        let (from, to) = (backup::beside(&database, suffix), backup::beside(&moved, suffix));
        if from.exists() {
            fs::rename(from, to)?;
        }
    }
    Ok(sync_folder(data)?)
}

/// From here on the server's rows are served.
fn free(server: &Server, under_way: &UnderWay) -> Result<(), Problem> {
    let coming = Marked { mark: Mark::Coming, errand: under_way.errand };
    if server.change_mark(coming, None)? { Ok(()) } else { Err(store::Error::Away.into()) }
}

// ── To the folder ──────────────────────────────────────────────────────────────────────────────────────────────────────────

fn to_folder(
    moving: &Moving,
    server: &Server,
    clock: &Arc<dyn Clock>,
    tell: &mut Telling<'_>,
) -> Result<Moved, Problem> {
    let places = &moving.places;
    open::must_be_migrated(server)?;
    let begun = UnderWay::read(&places.data)?.filter(|is| is.way == Way::ToFolder);
    let marked = server.mark()?;
    let is_ours = |marked: &Marked| begun.as_ref().is_some_and(|begun| begun.errand == marked.errand);
    let database = places.data.join(store::DATABASE);
    match marked {
        Some(marked) if marked.mark != Mark::Coming && is_ours(&marked) => {}
        Some(_) => {
            must_not_be_away(&places.data, &places.rows)?;
        }
        None if begun.is_none() && database.exists() => return Err(store::Error::NotEmpty.into()),
        None => {
            tell("looking", 0, 1);
            enter(places, clock)?;
        }
    }
    tell("owning", 0, 1);
    let folder = Folder::own(&places.data)?;
    let under_way = UnderWay::begin(folder.path(), Way::ToFolder)?;
    tell("begun", 0, 1);
    let leaving = Marked { mark: Mark::Leaving, errand: under_way.errand };
    let verified = if marked.is_some_and(|marked| marked.mark == Mark::Moved) {
        None
    } else {
        if marked.is_none() {
            leave(server, &under_way)?;
        }
        tell("standing still", 0, 1);
        let verified = match bring(moving, server, &under_way, clock, tell) {
            Ok(verified) => verified,
            Err(problem) => {
                // Nothing has changed yet. Where even that cannot be done, the move is run again or taken back.
                if server.change_mark(leaving, None)? {
                    under_way.end()?;
                }
                return Err(problem);
            }
        };
        tell("verified", 0, 1);
        fs::rename(under_way.beside().join(store::DATABASE), &database)?;
        sync_folder(&places.data)?;
        tell("in place", 0, 1);
        if !server.change_mark(leaving, Some(Mark::Moved))? {
            return Err(store::Error::Away.into()); // somebody took it back meanwhile
        }
        Some(verified)
    };
    tell("marked", 0, 1);
    moving.rewrite.write()?;
    tell("named", 0, 1);
    under_way.end()?;
    let (from, to) = (server.shown().to_owned(), shown(&places.data));
    match verified {
        Some(verified) => Ok(Moved { from, to, ..verified }),
        None => Ok(Moved { from, to, tables: store::sums(&database, |_| {})?, entries: 0 }),
    }
}

fn leave(server: &Server, under_way: &UnderWay) -> Result<(), Problem> {
    match server.leave(under_way.errand) {
        Err(refused @ (store::Error::Served | store::Error::Away)) => {
            under_way.end()?;
            Err(refused.into())
        }
        // Anything else may have left the mark: the number by which it is known stays.
        outcome => Ok(outcome?),
    }
}

/// Reads the server into a database beside, and verifies it.
fn bring(
    moving: &Moving,
    server: &Server,
    under_way: &UnderWay,
    clock: &Arc<dyn Clock>,
    tell: &mut Telling<'_>,
) -> Result<Moved, Problem> {
    let beside = under_way.beside();
    backup::remove_folder(&beside)?;
    keys_folder::make_private_folder(&beside)?;
    let database = beside.join(store::DATABASE);
    server.pour_into(&database, open::MIGRATIONS, |step| tell("reading", step.done, step.of))?;
    backup::restrict(&database)?;
    tell("read", 0, 1);
    let verified = verify(moving, server, &database, under_way, clock, tell)?;
    fs::File::open(&database)?.sync_all()?;
    Ok(verified)
}

/// The configuration names the folder: what is left of a move that was cut off behind that.
fn end_in_folder(moving: &Moving) -> Result<Moved, Problem> {
    let folder = Folder::own(&moving.places.data)?;
    let under_way =
        UnderWay::read(folder.path())?.filter(|is| is.way == Way::ToFolder && folder.has_database());
    let Some(under_way) = under_way else { return Err(there_already()) };
    let tables = store::sums(&folder.database(), |_| {})?;
    under_way.end()?;
    Ok(Moved { from: "a server".to_owned(), to: shown(folder.path()), tables, entries: 0 })
}

// ── Both ways ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Enters *moved* in every shop's ledger where the rows are now, and signs the heads.
fn enter(places: &Places, clock: &Arc<dyn Clock>) -> Result<(), Problem> {
    let house = open::open(places, Arc::clone(clock))?;
    let entered = house.shops().iter().try_for_each(|shop| {
        let entered = house.work_blocking(Lane::High, shop, &Actor::Operator, |work| {
            let entry = work.entry(Act::Moved, Outcome::Yes);
            work.enter_plain(entry)
        });
        entered.map(|_| ())
    });
    let signed = entered.and_then(|()| heads::write_heads(&house).map(|_| ()));
    house.close();
    signed
}

/// Compares the server with a file, table by table, and opens the one of them that the rows have come to: every log is held against its last
/// signed head, every key against the list of destroyed ones, and every entry is verified.
fn verify(
    moving: &Moving,
    server: &Server,
    file: &Path,
    under_way: &UnderWay,
    clock: &Arc<dyn Clock>,
    tell: &mut Telling<'_>,
) -> Result<Moved, Problem> {
    let tables = store::sums(file, |step| tell("comparing", step.done, step.of))?;
    let there = server.sums(file, |step| tell("comparing", step.done, step.of))?;
    if let Some((table, _)) = tables.iter().zip(&there).find(|(here, there)| here != there) {
        let title = format!("the table `{}` is not the same in both places after the move", table.table);
        return Err(Problem::new("SR-MOVE-006", 500, title)
            .help("nothing was changed, and the old place serves as before: look at disk and memory, then move again"));
    }
    let beside = under_way.beside();
    keys_folder::make_private_folder(&beside)?;
    let places = Places { data: beside, rows: moving.to.clone(), ..moving.places.clone() };
    let house = open::open_to_verify(&places, Arc::clone(clock))?;
    let mut entries = 0_u64;
    let mut verified = Ok(());
    for shop in house.shops() {
        tell("verifying", entries, 0);
        verified = heads::sign(&house, &shop)
            .and_then(|note| account::verify_log(&house, &shop, note, &|_| {}))
            .and_then(|report| {
                entries = entries.saturating_add(report.entries);
                if report.is_verified() { Ok(()) } else { Err(not_verified(&shop.name)) }
            });
        if verified.is_err() {
            break;
        }
    }
    house.close();
    verified?;
    Ok(Moved { from: String::new(), to: String::new(), tables, entries })
}

fn not_verified(shop: &str) -> Problem {
    let title = format!("the ledger of `{shop}` does not verify where the rows have come to");
    Problem::new("SR-MOVE-007", 500, title)
        .help("nothing was changed, and the old place serves as before: run `strongroom ledger verify` there")
}

fn shown(folder: &Path) -> String {
    folder.display().to_string()
}

/// Which way a move goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToFolder,
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Way::ToServer => "server",
            Way::ToFolder => "folder",
        }
    }
}

/// A move that was begun in this folder, as a file in it says.
#[derive(Debug)]
struct UnderWay {
    data: PathBuf,
    way: Way,
    errand: i64,
}

impl UnderWay {
    fn read(data: &Path) -> Result<Option<UnderWay>, Problem> {
        let text = match fs::read_to_string(data.join(UNDER_WAY)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let said = text.trim().split_once(' ');
        // One that was cut off while it was written had not begun anything.
        Ok(said.and_then(|(way, errand)| {
            let way = [Way::ToServer, Way::ToFolder].into_iter().find(|known| known.word() == way)?;
            Some(UnderWay { data: data.to_owned(), way, errand: errand.parse().ok()? })
        }))
    }

    /// Goes on with the one that was begun this way, or begins another.
    fn begin(data: &Path, way: Way) -> Result<UnderWay, Problem> {
        if let Some(begun) = UnderWay::read(data)?.filter(|begun| begun.way == way) {
            return Ok(begun);
        }
        let mut bytes = [0; 8];
        SystemRandom::new().fill(&mut bytes)?;
        let errand = i64::from_be_bytes(bytes) & i64::MAX;
        let file = data.join(UNDER_WAY);
        if file.exists() {
            fs::remove_file(&file)?; // of one that went the other way, and of which nothing is left
        }
        keys_folder::write_new(&file, format!("{} {errand}\n", way.word()).as_bytes())?;
        sync_folder(data)?;
        Ok(UnderWay { data: data.to_owned(), way, errand })
    }

    fn is_of(&self, way: Way, errand: i64) -> bool {
        self.way == way && self.errand == errand
    }

    fn beside(&self) -> PathBuf {
        self.data.join(BESIDE)
    }

    /// Nothing is left of it.
    fn end(&self) -> Result<(), Problem> {
        backup::remove_folder(&self.beside())?;
        fs::remove_file(self.data.join(UNDER_WAY))?;
        Ok(sync_folder(&self.data)?)
    }
}
