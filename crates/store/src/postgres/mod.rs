//! PostgreSQL: where the server is, how it is reached, and what it has to be like.

mod ahead;
mod marks;
mod migrate;
mod session;
mod transfer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rusqlite::OpenFlags;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use marks::{Mark, Marked};
pub use migrate::Fence;
pub(crate) use session::Postgres;
pub(crate) use transfer::{quoted, tables_of};

use crate::backup::Progress;
use crate::engine::Session;
use crate::error::Error;
use crate::migrate::{Migrated, Migration};
use crate::sql::Sql;
use crate::sqlite;
use crate::sums::TableSum;
use crate::tx::View;

/// What a connection waits for at the most: until it stands, for a statement, for a lock, and between two statements of a
/// transaction. SOURCE: reliability list, rule 24; the last is how long a server that was paused can keep a shop's pen.
const CONNECTING: Duration = Duration::from_secs(2);
const SETTINGS: &str = "-c statement_timeout=60s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s \
                        -c synchronous_commit=on -c default_transaction_isolation=read\\ committed \
                        -c TimeZone=UTC -c row_security=on";

/// Where a PostgreSQL database is, and as whom it is used.
#[derive(Clone)]
pub struct Server {
    config: Arc<Config>,
    tls: Option<MakeRustlsConnect>,
    shown: String,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("at", &self.shown).finish_non_exhaustive()
    }
}

impl Server {
    /// Reads an address: `postgres://user@host:port/database?sslmode=verify-full&sslrootcert=FILE`. Several hosts stand with
    /// commas between; the one that can be written is used.
    ///
    /// Takes: the address; the password, unless the address has one or none is needed. Over a network it is TLS, and the
    /// server's certificate is held against `sslrootcert`; a Unix socket and loopback may go without. Fails: `SR-STORE-023`.
    pub fn parse(address: &str, password: Option<&str>) -> Result<Server, Error> {
        let (rest, mode, roots) = take_ssl(address)?;
        let mut config: Config =
            rest.parse().map_err(|_| wrong("it is not `postgres://user@host/database`"))?;
        if let Some(password) = password {
            config.password(password);
        }
        if config.get_dbname().is_none() || config.get_user().is_none() {
            return Err(wrong("it names no user or no database"));
        }
        if config.get_hosts().is_empty() {
            return Err(wrong("it names no host"));
        }
        let near = config.get_hosts().iter().all(is_near);
        let tls = match mode.as_deref() {
            Some("verify-full") | None if roots.is_some() => {
                Some(verified(roots.as_deref().unwrap_or_default())?)
            }
            Some("verify-full") => return Err(wrong("`sslmode=verify-full` needs `sslrootcert=FILE`")),
            Some("disable") | None if near => None,
            Some("disable") | None => {
                return Err(wrong("over a network it takes `sslmode=verify-full&sslrootcert=FILE`"));
            }
            Some(_) => return Err(wrong("`sslmode` is `verify-full`, or `disable` on this machine")),
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        config
            .application_name("strongroom")
            .connect_timeout(CONNECTING)
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3)
            .target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite)
            .options(SETTINGS);
        let shown = shown(&config);
        Ok(Server { config: Arc::new(config), tls, shown })
    }

    /// Host, port and database, for people. User and password are not in it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Does the address hold a password? Whoever lists processes reads what stands on a command line.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// Schema of the database; 0 for an empty one.
    pub fn schema(&self) -> Result<u32, Error> {
        apart(|| migrate::schema(&Postgres::new(self)?))
    }

    /// Reads in one state of what has been committed, on a connection of its own.
    pub fn look<T: Send, E: From<Error> + Send>(
        &self,
        read: impl FnOnce(&View<'_>) -> Result<T, E> + Send,
    ) -> Result<T, E> {
        apart(|| {
            let session = Postgres::new(self)?;
            session.begin_reading()?;
            let found = read(&View::new(session.engine()));
            session.roll_back();
            found
        })
    }

    /// Puts up fences between shops.
    #[cfg(test)]
    fn raise(&self, fences: &[Fence]) -> Result<(), Error> {
        apart(|| migrate::raise(&Postgres::new(self)?, fences, None))
    }

    /// Copies all rows, in one state, into a new file of the schema of `steps`.
    pub fn pour_into(
        &self,
        file: &Path,
        steps: &[Migration],
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Error> {
        if file.exists() {
            return Err(Error::NotEmpty);
        }
        self.must_have_schema_of(steps)?;
        crate::migrate::migrate_file(file, steps)?;
        let disk = sqlite::disk()?;
        let mut target = sqlite::open(disk, file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // The copy is one file, without a WAL beside it, and is synced when it is whole.
        target.pragma_update(None, "journal_mode", "DELETE")?;
        target.pragma_update(None, "synchronous", "EXTRA")?;
        target.pragma_update(None, "temp_store", "MEMORY")?;
        apart(|| transfer::pour(&Postgres::new(self)?, &mut target, &mut progress))?;
        target.close().map_err(|(_, error)| Error::from(error))
    }

    /// Puts the rows of a file in the place of all that are there, in one transaction: it is done, or nothing is.
    pub fn fill_from(
        &self,
        file: &Path,
        steps: &[Migration],
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Error> {
        let source = self.source(file, steps)?;
        apart(move || transfer::fill(&Postgres::new(self)?, &source, transfer::Into::Place, &mut progress))
    }

    /// Puts the rows of a file into a database that holds no shop, in one transaction, and marks it [`Mark::Coming`]: nobody
    /// serves from it until that is taken away. What came by a move of the same number before is replaced.
    ///
    /// Fails: `SR-STORE-017` when it holds a shop.
    pub fn move_in(
        &self,
        file: &Path,
        steps: &[Migration],
        errand: i64,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Error> {
        let source = self.source(file, steps)?;
        let how = transfer::Into::Empty { errand };
        apart(move || transfer::fill(&Postgres::new(self)?, &source, how, &mut progress))
    }

    /// A file whose rows are to come here.
    fn source(&self, file: &Path, steps: &[Migration]) -> Result<rusqlite::Connection, Error> {
        self.must_have_schema_of(steps)?;
        let source = sqlite::open(sqlite::disk()?, file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let newest = steps.last().map_or(0, |step| step.number);
        let found = crate::migrate::schema_of(&source)?;
        if found == newest { Ok(source) } else { Err(Error::NewerSchema { found, known: newest }) }
    }

    /// How a move stands that this database has a part in.
    pub fn mark(&self) -> Result<Option<Marked>, Error> {
        apart(|| marks::find(&Postgres::new(self)?))
    }

    /// Makes the database stand still: marks it [`Mark::Leaving`], and nobody writes to it from here on, not even a process that
    /// was paused or had lost its connection.
    ///
    /// Fails: `SR-STORE-026` when another process is connected; `SR-STORE-027` when it bears a mark.
    pub fn leave(&self, errand: i64) -> Result<(), Error> {
        apart(|| marks::leave(&Postgres::new(self)?, errand))
    }

    /// Takes a mark away, or puts another in its place. Gives whether there was this one.
    pub fn change_mark(&self, from: Marked, to: Option<Mark>) -> Result<bool, Error> {
        apart(|| marks::change(&Postgres::new(self)?, from, to))
    }

    /// Counts and digests of all tables, in one state. The file says which tables and columns there are.
    pub fn sums(
        &self,
        shape: &Path,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Vec<TableSum>, Error> {
        let shape = sqlite::open(sqlite::disk()?, shape, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        apart(move || transfer::sums(&Postgres::new(self)?, &shape, &mut progress))
    }

    fn must_have_schema_of(&self, steps: &[Migration]) -> Result<(), Error> {
        let (found, known) = (self.schema()?, steps.last().map_or(0, |step| step.number));
        if found == known { Ok(()) } else { Err(Error::NewerSchema { found, known }) }
    }

    /// Can each of these statements be prepared, and its form for many, where it has one? Gives the names of those that cannot.
    pub fn cannot_prepare(
        &self,
        statements: &[(&'static str, &'static Sql)],
    ) -> Result<Vec<&'static str>, Error> {
        apart(|| {
            let session = Postgres::new(self)?;
            let mut refused = Vec::new();
            for (name, sql) in statements {
                session.begin_reading()?;
                let prepared = session.prepare(sql).and_then(|of_one| {
                    let is_asked_for_many = !sql.rests_on().is_empty();
                    let is_sent_for_many = ahead::adding_many(sql.text(), of_one.params()).is_some();
                    if is_asked_for_many || is_sent_for_many {
                        session.prepare_for_many(sql).map(drop)
                    } else {
                        Ok(())
                    }
                });
                if prepared.is_err() {
                    refused.push(*name);
                }
                session.roll_back();
            }
            Ok(refused)
        })
    }

    /// Reads every row of every table, and gives the names of those that are not whole.
    pub(crate) fn damaged_tables(&self) -> Result<Vec<String>, Error> {
        apart(|| migrate::damaged_tables(&Postgres::new(self)?))
    }

    /// Creates the tables, or brings older ones up to the last of `steps`, and puts up the fences between shops.
    ///
    /// Takes: the steps; the fences; the role that serves, which gets rights to rows and none to the schema. Without one,
    /// whoever migrates serves. Fails: `SR-STORE-002` when the database is newer; then nothing was touched.
    pub fn migrate(
        &self,
        steps: &[Migration],
        fences: &[Fence],
        serving: Option<&str>,
    ) -> Result<Migrated, Error> {
        apart(|| migrate::migrate(&Postgres::new(self)?, steps, fences, serving))
    }
}

/// Does what waits for the driver on a thread of its own: on a thread of an asynchronous runtime nobody may wait.
fn apart<T: Send, E: From<Error> + Send>(act: impl FnOnce() -> Result<T, E> + Send) -> Result<T, E> {
    let done = std::thread::scope(|scope| scope.spawn(act).join());
    done.unwrap_or_else(|_| Err(E::from(Error::Panicked)))
}

/// Takes what says how TLS is done out of an address: the driver knows other words for it.
fn take_ssl(address: &str) -> Result<(String, Option<String>, Option<String>), Error> {
    let Some((base, query)) = address.split_once('?') else { return Ok((address.to_owned(), None, None)) };
    let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
    for part in query.split('&') {
        match part.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => roots = Some(decoded(value)?),
            _ => rest.push(part),
        }
    }
    let address = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    Ok((address, mode, roots))
}

/// A value of an address, its percent signs undone.
fn decoded(value: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit(), digit());
        let byte = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(byte.ok_or_else(|| wrong("a percent sign in it is not followed by two digits"))?);
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))
}

/// On this machine?
fn is_near(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn verified(roots: &str) -> Result<MakeRustlsConnect, Error> {
    let mut store = rustls::RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(roots)
        .map_err(|_| wrong("the file of `sslrootcert` cannot be read"))?;
    for certificate in certificates {
        let added = certificate.ok().and_then(|certificate| store.add(certificate).ok());
        added.ok_or_else(|| wrong("the file of `sslrootcert` is not a list of certificates"))?;
    }
    if store.is_empty() {
        return Err(wrong("the file of `sslrootcert` holds no certificate"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| wrong("TLS cannot be set up"))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn shown(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let ports: Vec<String> = config.get_ports().iter().map(ToString::to_string).collect();
    let ports = if ports.is_empty() { "5432".to_owned() } else { ports.join(",") };
    format!("{}:{ports}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

fn wrong(why: &'static str) -> Error {
    Error::WrongAddress { why }
}

impl Server {
    /// Connects. Gives the client, and who carries its messages; the latter runs beside.
    async fn connect(
        &self,
        warned: Arc<AtomicBool>,
    ) -> Result<(tokio_postgres::Client, session::Carrier), tokio_postgres::Error> {
        Ok(match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                (client, session::carrier(connection, warned))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                (client, session::carrier(connection, warned))
            }
        })
    }
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> &'static str {
        match Server::parse(address, None) {
            Err(Error::WrongAddress { why }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn over_a_network_the_server_has_to_show_who_it_is() {
        assert!(refused("postgres://app@db.example/shop").contains("verify-full"));
        assert!(refused("postgres://app@db.example/shop?sslmode=disable").contains("verify-full"));
        assert!(refused("postgres://app@db.example/shop?sslmode=require").contains("sslmode"));
        assert!(refused("postgres://app@db.example/shop?sslmode=verify-full").contains("sslrootcert"));
        assert!(Server::parse("postgres://app@127.0.0.1/shop", None).is_ok());
        assert!(Server::parse("postgres://app@%2Frun%2Fpostgresql/shop", None).is_ok());
    }

    #[test]
    fn an_address_names_who_and_what() {
        assert!(refused("postgres://db.example").contains("user"));
        assert!(refused("mysql://app@127.0.0.1/shop").contains("postgres://"));
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let server = Server::parse("postgres://app:hunter2hunter2@127.0.0.1:5/shop", None).unwrap();
        assert_eq!(server.shown(), "127.0.0.1:5/shop");
        assert!(server.has_password());
        assert!(!format!("{server:?}").contains("hunter2"));
    }
}
