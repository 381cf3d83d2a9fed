//! A place for a server that a test makes by itself, with the commands that a guide gives.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use crate::binaries::{Binaries, Version};
use crate::cluster::{Inner, Postgres, give, new_base};
use crate::process::Guard;

/// An empty data folder, a folder for the socket, and a port. What runs there ends, and its files go, when it is dropped or the test
/// dies.
#[derive(Debug)]
pub struct Site {
    server: Postgres,
    _guard: Guard,
}

impl Site {
    /// `None` after a line that begins with `SKIPPED`, when the programs of this version are not here.
    #[must_use]
    pub fn new(version: Version) -> Option<Site> {
        let binaries = Binaries::find(version)?;
        let base = new_base();
        let guard = Guard::of(&base);
        let inner = Inner::lay_out(version, &binaries, base);
        inner.certify();
        Some(Site { server: Postgres { inner: Arc::new(inner) }, _guard: guard })
    }

    /// The server, once there is one.
    #[must_use]
    pub fn server(&self) -> &Postgres {
        &self.server
    }

    /// Makes a folder beside the data folder that the server's user owns. Gives its path.
    pub fn folder(&self, name: &str) -> PathBuf {
        let (inner, path) = (&self.server.inner, self.server.inner.base.join(name));
        fs::create_dir(&path).unwrap();
        give(&path, inner.binaries.runs_as());
        path
    }

    /// Adds lines to a file of settings in the data folder.
    pub fn add(&self, name: &str, lines: &str) {
        self.server.inner.add(name, lines);
    }

    /// The settings that say where this server is reached, which a copy of another does not have.
    #[must_use]
    pub fn whereabouts(&self) -> String {
        self.server.inner.whereabouts()
    }

    /// The stem of the files of the server's certificate, `.pem`, and its key, `.key`.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.server.inner.tls().join(crate::tls::SERVER)
    }

    /// Runs a shell script as the user who owns the server, with its programs first on the path, and its socket where they look.
    ///
    /// # Errors
    /// With what it said, when a command in it fails.
    pub fn shell(&self, script: &str) -> Result<String, String> {
        self.server.inner.shell(script)
    }

    /// Kills all that runs here.
    pub fn kill_9(&self) {
        crate::process::kill_all(&self.server.inner.base);
    }
}
