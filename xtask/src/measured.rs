//! A PostgreSQL server to measure on: Debian's, on a disk, with fsync on as it comes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::need::is_root;
use crate::postgres::debian_programs;
use crate::shell::{program, run, say};

/// What it is told beside what PostgreSQL comes with: memory for what is measured, and checkpoints as on a server that is used. It
/// listens on its socket only, whose folder is closed to others.
const SETTINGS: &str = "
listen_addresses = ''
shared_buffers = 1GB
max_wal_size = 4GB
";
/// `strongroom bench` has a baseline and three vaults.
const DATABASES: usize = 4;

/// A running server. It ends, and its files go, when this is dropped.
pub(crate) struct Measured {
    folder: PathBuf,
    programs: &'static Path,
}

impl Measured {
    /// Makes one in `/var/tmp`, which is a disk where `/tmp` may be memory.
    pub(crate) fn start() -> Result<Measured> {
        let programs = debian_programs()?;
        let folder = PathBuf::from(format!("/var/tmp/strongroom-bench-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let server = Measured { folder, programs };
        let folder = server.shown();
        run(&mut program("chmod", &["0700", &folder]))?;
        if is_root() {
            run(&mut program("chown", &["postgres:", &folder]))?;
        }
        let data = format!("{folder}/data");
        say(format!("starting PostgreSQL in {folder}"));
        run(server.command("initdb").stdout(Stdio::null()).args([
            "--pgdata",
            &data,
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
        ]))?;
        let config = server.folder.join("data/postgresql.conf");
        let usual = fs::read_to_string(&config)?;
        fs::write(&config, format!("{usual}{SETTINGS}unix_socket_directories = '{folder}'\n"))?;
        let log = format!("{folder}/log");
        // ORDER: its words go into its log, or it would hold our stdout open.
        run(server
            .command("pg_ctl")
            .stdout(Stdio::null())
            .args(["--pgdata", &data, "--log", &log, "--wait", "start"]))?;
        for number in 0..DATABASES {
            let name = format!("bench{number}");
            run(server.command("createdb").args(["--host", &folder, "--username=postgres", &name]))?;
        }
        Ok(server)
    }

    /// The address of its databases, as `strongroom bench --store` takes it.
    pub(crate) fn address(&self) -> String {
        format!("postgres://postgres@{}/bench{{vault}}", self.shown().replace('/', "%2F"))
    }

    fn shown(&self) -> String {
        self.folder.display().to_string()
    }

    /// One of its programs, as the user whose files it has: PostgreSQL does not run as root.
    fn command(&self, name: &str) -> Command {
        let path = self.programs.join(name).display().to_string();
        let mut command = if is_root() {
            program("runuser", &["--user", "postgres", "--", &path])
        } else {
            program(&path, &[])
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let data = self.folder.join("data").display().to_string();
        let mut stop = self.command("pg_ctl");
        let _ = stop.stdout(Stdio::null()).args(["--pgdata", &data, "--mode=immediate", "stop"]).status();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
