//! One server: made, started, asked.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::binaries::{Binaries, RunsAs, Version};
use crate::process::wait_until;
use crate::tls;

/// The role that may do everything. It comes in over the Unix socket only, whose folder is closed to others.
pub(crate) const SUPERUSER: &str = "postgres";

/// What every server is told. What a test asks for stands behind it, and the last word counts.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 400
shared_buffers = 64MB
max_wal_size = 256MB
fsync = on
autovacuum = on
password_encryption = 'scram-sha-256'
log_statement = 'none'
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
";

/// Who may come in, and how. Plain text over TCP is let in for the proxy, which reads along.
const DOORS: &str = "
local  all          postgres                trust
local  replication  postgres                trust
local  all          all                     scram-sha-256
host   all          all       127.0.0.1/32  scram-sha-256
";

/// A running PostgreSQL server. Copies are handles to the same one.
#[derive(Debug, Clone)]
pub struct Postgres {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) version: Version,
    pub(crate) binaries: Binaries,
    pub(crate) base: PathBuf,
    pub(crate) port: u16,
}

impl Postgres {
    /// Which version it is.
    #[must_use]
    pub fn version(&self) -> Version {
        self.inner.version
    }

    /// The port on 127.0.0.1, which also stands in the name of the Unix socket.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// The folder of the Unix socket.
    #[must_use]
    pub fn socket_folder(&self) -> PathBuf {
        self.inner.base.join("sockets")
    }

    /// The certificate of who signed the server's: for `sslrootcert`.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.inner.tls().join(tls::CA)
    }

    /// The certificate of somebody who signed nothing: with it as `sslrootcert`, no client may connect.
    #[must_use]
    pub fn stranger_ca(&self) -> PathBuf {
        self.inner.tls().join(tls::STRANGER)
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.inner.data()
    }

    /// All that the server has logged so far.
    #[must_use]
    pub fn log_text(&self) -> String {
        self.inner.log_text()
    }

    /// Runs statements in a database as superuser, each in a transaction of its own. Gives the rows, a line each, their columns
    /// parted by `|`.
    /// Stops the test when a statement fails.
    #[track_caller]
    pub fn sql(&self, database: &str, statements: &str) -> String {
        match self.try_sql(database, statements) {
            Ok(rows) => rows,
            Err(error) => panic!("{error}\nin: {statements}"),
        }
    }

    /// The same, and gives what psql said when one fails.
    ///
    /// # Errors
    /// When a statement fails, or the server cannot be reached.
    pub fn try_sql(&self, database: &str, statements: &str) -> Result<String, String> {
        self.inner.try_sql(database, statements)
    }

    /// Runs statements as whoever a URL names, and by the way that it names.
    ///
    /// # Errors
    /// With what psql said, when a statement fails, or the server cannot be reached.
    pub fn ask(&self, url: &str, statements: &str) -> Result<String, String> {
        self.inner.psql(&[url], statements)
    }
}

impl Inner {
    pub(crate) fn data(&self) -> PathBuf {
        self.base.join("data")
    }

    pub(crate) fn tls(&self) -> PathBuf {
        self.base.join("tls")
    }

    pub(crate) fn log_text(&self) -> String {
        fs::read(self.base.join("log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Is somebody listening?
    pub(crate) fn answers(&self) -> bool {
        UnixStream::connect(self.base.join(format!("sockets/.s.PGSQL.{}", self.port))).is_ok()
    }

    pub(crate) fn try_sql(&self, database: &str, statements: &str) -> Result<String, String> {
        let folder = self.base.join("sockets");
        let (folder, port) = (folder.to_str().expect("paths here are UTF-8"), self.port.to_string());
        self.psql(
            &["--host", folder, "--port", &port, "--username", SUPERUSER, "--dbname", database],
            statements,
        )
    }

    fn psql(&self, whereto: &[&str], statements: &str) -> Result<String, String> {
        let mut psql = self.binaries.client("psql");
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password"]);
        psql.args(["--set=ON_ERROR_STOP=1", "--file=-"]).args(whereto);
        // A server that stands still takes connections and says nothing.
        psql.env("PGCONNECT_TIMEOUT", "5");
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = psql.spawn().expect("psql runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        let output = std::thread::scope(|scope| {
            // psql reads a statement and answers it before the next: both pipes have to flow.
            scope.spawn(move || drop(stdin.write_all(statements.as_bytes())));
            child.wait_with_output().expect("psql ends")
        });
        let text = |bytes| String::from_utf8(bytes).expect("everything is UTF-8");
        if output.status.success() {
            Ok(text(output.stdout).trim_end().to_owned())
        } else {
            Err(text(output.stderr))
        }
    }

    /// Lays out an empty folder for a cluster whose data folder is still to be filled.
    pub(crate) fn lay_out(version: Version, binaries: &Binaries, base: PathBuf) -> Inner {
        let binaries = binaries.clone().within_reach(&base);
        for folder in ["data", "sockets"] {
            fs::DirBuilder::new().mode(0o700).create(base.join(folder)).unwrap();
            give(&base.join(folder), binaries.runs_as());
        }
        fs::write(base.join("log"), "").unwrap();
        give(&base.join("log"), binaries.runs_as());
        Inner { version, binaries, base, port: free_port() }
    }

    /// Makes the certificates.
    pub(crate) fn certify(&self) {
        let folder = self.tls();
        fs::create_dir(&folder).unwrap();
        for key in tls::make(&folder) {
            // ORDER: closed before it has an owner whom we could no longer close it for.
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
            give(&key, self.binaries.runs_as());
        }
    }

    /// Makes a cluster in an empty folder, with the settings of every server and these behind them.
    pub(crate) fn make(version: Version, binaries: &Binaries, base: PathBuf, more: &[(&str, &str)]) -> Inner {
        let inner = Inner::lay_out(version, binaries, base);
        inner.certify();
        let mut initdb = inner.binaries.servers("initdb");
        initdb.arg("--pgdata").arg(inner.data()).args([
            "--username",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
        ]);
        done(initdb.args(["--no-locale", "--data-checksums", "--no-instructions", "--no-sync"]));
        let mut settings = String::from(SETTINGS);
        settings.push_str(&inner.whereabouts());
        if version.has_tls() {
            settings.push_str("ssl = on\n");
            settings.push_str(&inner.certificate(tls::SERVER));
        }
        for (name, value) in more {
            writeln!(settings, "{name} = '{}'", value.replace('\'', "''")).unwrap();
        }
        inner.add("postgresql.conf", &settings);
        fs::write(inner.data().join("pg_hba.conf"), DOORS).unwrap();
        inner
    }

    /// The settings that say where it is reached, and where it keeps shared memory: in its own folder, so that a server that was
    /// killed leaves none behind.
    pub(crate) fn whereabouts(&self) -> String {
        let sockets = self.base.join("sockets");
        let (port, sockets) = (self.port, sockets.display());
        format!("port = {port}\nunix_socket_directories = '{sockets}'\ndynamic_shared_memory_type = mmap\n")
    }

    /// The settings that show a certificate.
    pub(crate) fn certificate(&self, name: &str) -> String {
        let stem = self.tls().join(name);
        format!("ssl_cert_file = '{0}.pem'\nssl_key_file = '{0}.key'\n", stem.display())
    }

    /// Lets it read its files again.
    pub(crate) fn reload(&self) {
        // It reads them in its own time, and logs when it has.
        let marks = |log: &str| log.matches("received SIGHUP").count();
        let before = marks(&self.log_text());
        let mut reload = self.binaries.servers("pg_ctl");
        done(reload.arg("--pgdata").arg(self.data()).args(["--silent", "reload"]));
        wait_until("the server has read its files", Duration::from_secs(10), || {
            marks(&self.log_text()) > before
        });
    }

    /// Adds lines to a file in the data folder.
    pub(crate) fn add(&self, name: &str, lines: &str) {
        let mut file = fs::File::options().append(true).open(self.data().join(name)).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
    }

    /// Runs a shell script as the user who owns the server.
    pub(crate) fn shell(&self, script: &str) -> Result<String, String> {
        let mut shell = self.binaries.servers_shell();
        shell
            .args(["-e", "-u", "-c", script])
            .env("PGDATA", self.data())
            .env("PGHOST", self.base.join("sockets"));
        shell.env("PGPORT", self.port.to_string()).env("PGUSER", SUPERUSER).env("PGDATABASE", "postgres");
        let output = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("a shell runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Starts it, and waits until it takes connections.
    ///
    /// # Errors
    /// With its log, when it does not start.
    pub(crate) fn try_start(&self) -> Result<(), String> {
        let mut start = self.binaries.servers("pg_ctl");
        start.arg("--pgdata").arg(self.data()).arg("--log").arg(self.base.join("log"));
        start
            .args(["--wait", "--timeout=60", "--silent", "start"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if start.status().expect("pg_ctl runs").success() { Ok(()) } else { Err(self.log_text()) }
    }

    #[track_caller]
    pub(crate) fn start(&self) {
        if let Err(log) = self.try_start() {
            panic!("PostgreSQL {} does not start:\n{log}", self.version.number());
        }
    }

    /// Stops it: `fast`, or `immediate` as after a crash.
    pub(crate) fn stop(&self, mode: &str) {
        let mut stop = self.binaries.servers("pg_ctl");
        stop.arg("--pgdata").arg(self.data()).args([
            "--mode",
            mode,
            "--wait",
            "--timeout=60",
            "--silent",
            "stop",
        ]);
        done(&mut stop);
    }
}

/// Runs a program to its end. Stops the test, with what it said, when it fails.
#[track_caller]
pub(crate) fn done(command: &mut Command) {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{said}{}", String::from_utf8_lossy(&output.stdout));
}

/// Gives a file to the one who runs servers.
pub(crate) fn give(path: &Path, owner: Option<RunsAs>) {
    if let Some(RunsAs { user, group }) = owner {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// A number that nobody else has drawn.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// The least room in memory that a cluster needs.
const ROOM_BYTES: u64 = 1 << 30;

/// A new empty folder for a cluster: in memory if there is room, else where temporary files lie. Not below the checkout: the
/// server's user could not enter it in a home that is closed, and the path of a socket may have 107 bytes.
pub(crate) fn new_base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    let parent = if room >= ROOM_BYTES { memory.to_owned() } else { std::env::temp_dir() };
    let base = parent.join(format!("strongroom-testbed-{:016x}", random()));
    fs::DirBuilder::new().mode(0o755).create(&base).unwrap();
    base
}
