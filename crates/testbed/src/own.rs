//! A server of a test's own, that it may kill, stop, configure and fill.

use std::ops::Deref;
use std::sync::Arc;

use rustix::process::Signal;

use crate::binaries::{Binaries, Version};
use crate::cluster::{Inner, Postgres, new_base};
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
        let inner = Inner::make(version, binaries, base, settings);
        inner.start();
        Some(Own { server: Postgres { inner: Arc::new(inner) }, _guard: guard })
    }
}

impl Own {
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
