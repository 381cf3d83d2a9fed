//! A server of a test's own, that it may kill, stop, configure and fill.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rustix::process::Signal;

use crate::binaries::{Binaries, Version};
use crate::cluster::{Inner, Postgres, done, new_base};
use crate::process::{Guard, kill_all, signal_all};

/// A private server. It ends, and its files go, when it is dropped or the test dies.
#[derive(Debug)]
pub struct Own {
    server: Postgres,
    _guard: Guard,
}

impl Postgres {
    /// A private server with settings of its own behind those of every server. Takes about a second.
    ///
    /// `None` after a line that begins with `SKIPPED`, when its programs are not here.
    #[must_use]
    pub fn own(version: Version, settings: &[(&str, &str)]) -> Option<Own> {
        let binaries = Binaries::find(version)?;
        let base = new_base();
        let guard = Guard::of(&base);
        Some(Own::begin(Inner::make(version, &binaries, base, settings), guard))
    }

    /// A private server on a disk of its own of so many bytes, for [`Own::fill_disk`]. A cluster needs 160 MB.
    ///
    /// `None` after a line that begins with `SKIPPED`, when its programs are not here or no disk can be mounted: that takes root.
    #[must_use]
    pub fn own_on_disk(version: Version, size_bytes: u64, settings: &[(&str, &str)]) -> Option<Own> {
        let binaries = Binaries::find(version)?;
        let base = new_base();
        // ORDER: before the disk is there, for the guard also takes it away.
        let guard = Guard::of(&base);
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size_bytes},mode=755"), "tmpfs"]).arg(&base);
        if !mount.output().is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: mounting a small disk takes root");
            return None;
        }
        Some(Own::begin(Inner::make(version, &binaries, base, settings), guard))
    }
}

/// What takes the room on a disk that is filled.
const BALLAST: &str = "ballast";

impl Own {
    /// Starts a cluster that is there.
    pub(crate) fn begin(inner: Inner, guard: Guard) -> Own {
        inner.start();
        Own { server: Postgres { inner: Arc::new(inner) }, _guard: guard }
    }

    /// Fills the disk of a server from [`Postgres::own_on_disk`] to the last byte.
    pub fn fill_disk(&self) {
        let ballast = self.ballast();
        let mut file = File::create(ballast).unwrap();
        let chunk = vec![0; 1 << 16];
        let mut size = chunk.len();
        while size > 0 {
            match file.write_all(&chunk[..size]) {
                Ok(()) => {}
                Err(full) if full.kind() == io::ErrorKind::StorageFull => size /= 2,
                Err(other) => panic!("the disk is not full but broken: {other}"),
            }
        }
    }

    /// Takes away what [`Own::fill_disk`] wrote.
    pub fn empty_disk(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        let base = &self.inner.base;
        let disk = |path| rustix::fs::stat(path).unwrap().st_dev;
        let above = base.parent().expect("it lies in a folder");
        assert_ne!(disk(base.as_path()), disk(above), "the server is on a small disk of its own");
        base.join(BALLAST)
    }

    /// Kills the server and all its processes at once, as a crash of the machine does, but for what the kernel still holds.
    pub fn kill_9(&self) {
        kill_all(&self.inner.base);
    }

    /// Stops its processes where they stand: connections stay open and nobody answers.
    pub fn pause(&self) {
        signal_all(&self.inner.data(), Signal::STOP);
    }

    /// Lets them go on.
    pub fn resume(&self) {
        signal_all(&self.inner.data(), Signal::CONT);
    }

    /// Shows another certificate from now on: `server` is the right one, `elsewhere` one for another host, `expired` one that is
    /// past its end. All are signed by the same authority.
    pub fn show_certificate(&self, name: &str) {
        self.inner.add("postgresql.conf", &self.inner.certificate(name));
        self.inner.reload();
    }

    /// Starts it after [`Own::kill_9`] or [`Own::stop`].
    #[track_caller]
    pub fn start(&self) {
        self.inner.start();
    }

    /// Shuts it down: connections are told, and cut.
    pub fn stop(&self) {
        self.inner.stop("fast");
    }

    /// Switches the checksums of a server off that is shut down: for the twin of a test that has them.
    pub fn without_checksums(&self) {
        let mut switch = self.inner.binaries.servers("pg_checksums");
        done(switch.arg("--disable").arg("--pgdata").arg(self.inner.data()));
    }

    /// Shuts it down and starts it again.
    #[track_caller]
    pub fn restart(&self) {
        self.stop();
        self.start();
    }
}

impl Deref for Own {
    type Target = Postgres;

    fn deref(&self) -> &Postgres {
        &self.server
    }
}
