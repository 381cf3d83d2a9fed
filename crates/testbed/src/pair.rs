//! A primary and its standby.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::Postgres;
use crate::binaries::{Binaries, Version};
use crate::cluster::{Inner, SUPERUSER, done, new_base};
use crate::database::Database;
use crate::own::Own;
use crate::process::{Guard, wait_until};

/// What a COMMIT on the primary waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Until the standby has it on its disk, too: nothing that was acknowledged is lost with the primary.
    ForTheStandby,
    /// For nobody: what the standby has not got yet is lost with the primary. The must-fail twin.
    ForNobody,
}

/// The name by which the standby is known to its primary, and its slot.
const STANDBY: &str = "standby";
/// As long as a server takes at most to do what it was told.
const SOON: Duration = Duration::from_secs(20);

/// Two servers, of which one follows the other.
#[derive(Debug)]
pub struct Pair {
    primary: Own,
    standby: Own,
    waits: Waits,
}

impl Pair {
    /// Makes a primary and a standby that has caught up. Takes about two seconds.
    ///
    /// `None` after a line that begins with `SKIPPED`, when its programs are not here.
    #[must_use]
    pub fn new(version: Version, waits: Waits) -> Option<Pair> {
        // What the old primary needs to rejoin stays, however long it was away.
        let primary = Postgres::own(version, &[("wal_keep_size", "256MB")])?;
        let base = new_base();
        let guard = Guard::of(&base);
        let inner = Inner::lay_out(version, &Binaries::find(version)?, base);
        let mut copy = inner.binaries.servers("pg_basebackup");
        copy.arg("--pgdata").arg(inner.data()).arg("--dbname").arg(conninfo(&primary));
        copy.args(["--write-recovery-conf", "--create-slot", "--slot", STANDBY]);
        done(copy.args(["--wal-method=stream", "--checkpoint=fast", "--no-sync"]));
        inner.add("postgresql.conf", &inner.whereabouts());
        let pair = Pair { primary, standby: Own::begin(inner, guard), waits };
        pair.follow();
        Some(pair)
    }

    /// The one that is written to.
    #[must_use]
    pub fn primary(&self) -> &Own {
        &self.primary
    }

    /// The one that follows.
    #[must_use]
    pub fn standby(&self) -> &Own {
        &self.standby
    }

    /// Both hosts in one URL, for a role of a database that was made on the primary: a client finds out which can be written to.
    #[must_use]
    pub fn url(&self, database: &Database, role: &str) -> String {
        self.both(&database.url(role, &self.primary.ca()))
    }

    /// The same in plain text.
    #[must_use]
    pub fn plain_url(&self, database: &Database, role: &str) -> String {
        self.both(&database.plain_url(role, self.primary.port()))
    }

    fn both(&self, url: &str) -> String {
        let (one, two) = (self.primary.port(), self.standby.port());
        let hosts =
            url.replacen(&format!("@127.0.0.1:{one}/"), &format!("@127.0.0.1:{one},127.0.0.1:{two}/"), 1);
        assert_ne!(hosts, url, "the database was made on the primary");
        format!("{hosts}&target_session_attrs=read-write")
    }

    /// Kills the primary, with all its processes.
    pub fn kill_primary(&self) {
        self.primary.kill_9();
    }

    /// Lets the standby become a primary. The two change places: what was the primary is the standby from now on, down until
    /// [`Pair::rejoin`].
    pub fn promote(&mut self) {
        let mut promote = self.standby.inner.binaries.servers("pg_ctl");
        done(promote.arg("--pgdata").arg(self.standby.data_dir()).args(["--wait", "--silent", "promote"]));
        std::mem::swap(&mut self.primary, &mut self.standby);
    }

    /// Cuts the standby off from the primary. It is heard of no more; what it has got, it keeps.
    pub fn cut_standby(&self) {
        self.standby.sql("postgres", "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'");
        self.standby.inner.reload();
        wait_until("the standby is cut off", SOON, || self.sync_state().is_empty());
    }

    /// Brings what was the primary back as the standby of the new one: takes back what only it had, and lets it follow.
    pub fn rejoin(&mut self) {
        let (inner, source) = (Arc::clone(&self.standby.inner), conninfo(&self.primary));
        // A slot is not part of what a standby copies.
        self.primary.sql("postgres", &format!("SELECT pg_create_physical_replication_slot('{STANDBY}')"));
        // ORDER: before the rewinding, which asks the control file where the two parted; promotion writes it in its own time, and
        // until then it finds that nothing needs to be done.
        self.primary.sql("postgres", "CHECKPOINT");
        let mut rewind = inner.binaries.servers("pg_rewind");
        rewind.arg("--target-pgdata").arg(inner.data()).arg("--source-server").arg(source);
        done(rewind.args(["--write-recovery-conf", "--no-sync"]));
        // The settings of the new primary came along.
        inner.add("postgresql.conf", &inner.whereabouts());
        inner.start();
        self.follow();
    }

    /// Waits until the standby follows, and lets every COMMIT wait for it, if so it shall be.
    fn follow(&self) {
        wait_until("the standby follows", SOON, || !self.sync_state().is_empty());
        if self.waits == Waits::ForTheStandby {
            let names = format!("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({STANDBY})'");
            self.primary.sql("postgres", &names);
            self.primary.inner.reload();
            wait_until("every COMMIT waits for the standby", SOON, || self.sync_state() == "sync");
        }
    }

    /// How the primary sees its standby: `sync`, `async`, or nothing when it does not see it.
    #[must_use]
    pub fn sync_state(&self) -> String {
        self.primary.sql("postgres", "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")
    }
}

/// How a standby reaches its primary: by the socket whose folder is closed to others.
fn conninfo(primary: &Own) -> String {
    let (folder, port) = (primary.socket_folder(), primary.port());
    let folder: &Path = &folder;
    format!(
        "host={} port={port} user={SUPERUSER} dbname=postgres application_name={STANDBY}",
        folder.display()
    )
}
