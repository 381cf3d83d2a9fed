//! Which engine a run of the tests is for: a folder, or the PostgreSQL whose version `STRONGROOM_TEST_PG` names.

#![cfg(test)]

use std::collections::HashMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use store::Server;
use strongroom::open::{self, Rows};
use testbed::{Database, Postgres, Version};

/// The version that the run is for; nothing when it is for folders.
#[expect(
    clippy::disallowed_methods,
    reason = "which engine a run of the tests is for stands in its environment"
)]
fn asked() -> Option<Version> {
    match std::env::var("STRONGROOM_TEST_PG").ok()?.as_str() {
        "15" => Some(Version::V15),
        "18" => Some(Version::V18),
        other => panic!("STRONGROOM_TEST_PG is 15 or 18, and not {other:?}"),
    }
}

/// Is the run for two servers behind one address?
#[expect(clippy::disallowed_methods, reason = "what a run of the tests is for stands in its environment")]
pub(crate) fn two_servers() -> bool {
    std::env::var("STRONGROOM_TEST_SERVERS").is_ok_and(|servers| servers == "2")
}

/// Is the run for two servers? Then a test of what each process has for itself is over: `why` says what that is.
pub(crate) fn only_of_one(why: &str) -> bool {
    let over = asked().is_some() && two_servers();
    if over {
        eprintln!("of two servers each has its own: {why}");
    }
    over
}

/// Is the run for a server?
pub(crate) fn is_for_a_server() -> bool {
    asked().is_some()
}

/// Is the run for a server? Then a test of what only a folder has is over: `why` says what that is.
pub(crate) fn only_in_a_folder(why: &str) -> bool {
    let over = is_for_a_server();
    if over {
        eprintln!("on a server there is nothing to test: {why}");
    }
    over
}

/// A database of a vault's own, made by its owner; the vault serves from it as a role that may not change its schema.
#[derive(Debug)]
pub(crate) struct Home {
    database: Database,
    address: String,
}

impl Home {
    /// A fresh one, when the run is for a server.
    pub(crate) fn new() -> Option<Home> {
        let database =
            Postgres::shared(asked()?).expect("`cargo xtask test --only needs` brings it").database();
        let address = database.run_url();
        Some(Home::at(database, &address))
    }

    /// The same on a server of the test's own, which the vault reaches by this address.
    pub(crate) fn at(database: Database, address: &str) -> Home {
        let owner = Server::parse(&without_password(&database.owner_socket_url()), Some(database.password()))
            .unwrap();
        owner.migrate(open::MIGRATIONS, open::FENCES, Some(&database.run())).unwrap();
        Home { database, address: without_password(address) }
    }

    /// The address of the role that serves, without its password, over TLS where the server has it.
    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// The password.
    pub(crate) fn password(&self) -> &str {
        self.database.password()
    }

    /// The name of the database.
    pub(crate) fn name(&self) -> &str {
        self.database.name()
    }

    /// Where a vault has its rows.
    pub(crate) fn rows(&self) -> Rows {
        Rows::OnServer(self.server())
    }

    fn server(&self) -> Server {
        Server::parse(&without_password(&self.database.run_socket_url()), Some(self.database.password()))
            .unwrap()
    }

    /// Whoever asks for the database of this data folder gets this one.
    pub(crate) fn stands_for(&self, data: &Path) {
        let mut homes = HOMES.lock().unwrap_or_else(PoisonError::into_inner);
        homes.insert(data.join(store::DATABASE), self.server());
        let mut owners = OWNERS.lock().unwrap_or_else(PoisonError::into_inner);
        owners.insert(
            data.join(store::DATABASE),
            (self.database.server().clone(), self.database.name().to_owned()),
        );
    }
}

pub(crate) fn without_password(url: &str) -> String {
    let (user, rest) = url.split_once('@').unwrap();
    let (user, _) = user.rsplit_once(':').unwrap();
    format!("{user}@{rest}")
}

/// Changes the schema of a data folder's database, as nobody should.
pub(crate) fn change_schema(data: &Path, sql: &str) {
    let file = data.join(store::DATABASE);
    let owners = OWNERS.lock().unwrap_or_else(PoisonError::into_inner);
    match owners.get(&file) {
        Some((server, name)) => drop(server.sql(name, sql)),
        None => drop(behind_the_back(file).unwrap().execute(sql, []).unwrap()),
    }
}

/// What a server says to a question, in psql's form, when it has the rows of this data folder: for whoever asks again and again.
pub(crate) fn ask_server(data: &Path, sql: &str) -> Option<String> {
    let owners = OWNERS.lock().unwrap_or_else(PoisonError::into_inner);
    let (server, name) = owners.get(&data.join(store::DATABASE))?;
    Some(server.sql(name, sql))
}

/// The databases themselves, by the file that a folder would have.
static OWNERS: LazyLock<Mutex<HashMap<PathBuf, (Postgres, String)>>> = LazyLock::new(Mutex::default);

/// Databases of servers, by the file that a folder would have.
static HOMES: LazyLock<Mutex<HashMap<PathBuf, Server>>> = LazyLock::new(Mutex::default);

/// A database opened past the store, by somebody who knows its format down to the checksums of its pages. A server's is poured into
/// a file, and what was changed in that is put back.
pub(crate) struct Behind {
    connection: Option<Connection>,
    back: Option<(Server, tempfile::TempDir)>,
}

/// Opens the database that would lie in this file.
pub(crate) fn behind_the_back(file: impl AsRef<Path>) -> rusqlite::Result<Behind> {
    let disk = store::vfs::Disk::checked().unwrap();
    let open = |file: &Path| Connection::open_with_flags_and_vfs(file, OpenFlags::default(), disk.name());
    let homes = HOMES.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(server) = homes.get(file.as_ref()).cloned() else {
        return Ok(Behind { connection: Some(open(file.as_ref())?), back: None });
    };
    let folder = crate::vault::private_folder();
    let poured = folder.path().join(store::DATABASE);
    server.pour_into(&poured, open::MIGRATIONS, |_| {}).unwrap();
    Ok(Behind { connection: Some(open(&poured)?), back: Some((server, folder)) })
}

impl Behind {
    /// Closes it: what was changed is in the database.
    pub(crate) fn close(self) {
        drop(self);
    }
}

impl Deref for Behind {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().unwrap()
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let is_changed = connection.total_changes() > 0;
        if let Some((server, folder)) = self.back.take().filter(|_| is_changed) {
            connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
            connection.close().unwrap();
            server.fill_from(&folder.path().join(store::DATABASE), open::MIGRATIONS, |_| {}).unwrap();
        }
    }
}

/// The bytes of a database that would lie in this file: of a server's, those of the file that it is poured into.
pub(crate) fn read_rows(file: &Path) -> Vec<u8> {
    let homes = HOMES.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(server) = homes.get(file) else { return std::fs::read(file).unwrap() };
    let folder = crate::vault::private_folder();
    let poured = folder.path().join(store::DATABASE);
    server.pour_into(&poured, open::MIGRATIONS, |_| {}).unwrap();
    std::fs::read(&poured).unwrap()
}

/// Puts a database in the place of the one that would lie in this file.
pub(crate) fn write_rows(file: &Path, bytes: &[u8]) {
    let homes = HOMES.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(server) = homes.get(file) else { return write_private(file, bytes) };
    let folder = crate::vault::private_folder();
    let poured = folder.path().join(store::DATABASE);
    write_private(&poured, bytes);
    server.fill_from(&poured, open::MIGRATIONS, |_| {}).unwrap();
}

/// A home for a copy of a data folder, when the run is for a server: with the rows of the one that was copied.
pub(crate) fn home_of_copy(data: &Path, copy: &Path) -> Option<Home> {
    let home = Home::new()?;
    home.stands_for(copy);
    write_rows(&copy.join(store::DATABASE), &read_rows(&data.join(store::DATABASE)));
    Some(home)
}

/// Writes a file that its owner alone can read.
fn write_private(file: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(file, bytes).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A folder that holds the rows of this data folder as a file: itself, or one beside it that a server was poured into.
pub(crate) fn folder_of_rows(data: &Path) -> PathBuf {
    let beside = data.with_file_name(format!("poured-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    if !HOMES.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&data.join(store::DATABASE)) {
        return data.to_owned();
    }
    std::fs::create_dir(&beside).unwrap();
    rows_beside(data, &beside);
    beside
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Puts the rows of a data folder that was copied beside what was copied of it, if a server has them.
pub(crate) fn rows_beside(data: &Path, copy: &Path) {
    let homes = HOMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = homes.get(&data.join(store::DATABASE)) {
        server.pour_into(&copy.join(store::DATABASE), open::MIGRATIONS, |_| {}).unwrap();
    }
}

/// Where the server has its files, its log among them, when the run is for one.
pub(crate) fn folder_of_server() -> Option<PathBuf> {
    Some(Postgres::shared(asked()?)?.data_dir())
}
