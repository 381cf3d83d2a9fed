//! The server that all tests of a run share, though each of them is a process of its own.
//!
//! The first who needs it starts it; the others find it through files in `target/testbed`; a watchman ends it when nobody has
//! held `users` for a while. A second checkout has a `target` of its own, and so a server of its own.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use crate::binaries::{Binaries, Version, root};
use crate::cluster::{Inner, Postgres, new_base};
use crate::process::{Guard, end, watch};

/// So long the server waits for another test.
const IDLE: Duration = Duration::from_secs(20);

/// What this process has found so far, with the lock that says that it is using it.
type Found = HashMap<Version, Option<(Postgres, File)>>;
static FOUND: LazyLock<Mutex<Found>> = LazyLock::new(Mutex::default);

impl Postgres {
    /// The server of this version that all tests of a run share. Starting it takes about a second, finding it a millisecond.
    ///
    /// `None` after a line that begins with `SKIPPED`, when its programs are not here. Nobody stops, fills or configures it:
    /// for that there is [`Postgres::own`].
    #[must_use]
    pub fn shared(version: Version) -> Option<Postgres> {
        let mut found = FOUND.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let join = || {
            let locks = root().join("target/testbed").join(version.number());
            Some(join(version, &Binaries::find(version)?, &locks, IDLE))
        };
        let joined = found.entry(version).or_insert_with(join);
        joined.as_ref().map(|(server, _)| server.clone())
    }
}

/// Finds the server of these locks, or starts it. Gives it with the lock that keeps it.
pub(crate) fn join(version: Version, binaries: &Binaries, locks: &Path, idle: Duration) -> (Postgres, File) {
    fs::create_dir_all(locks).unwrap();
    let lock = |name: &str| File::options().create(true).append(true).open(locks.join(name)).unwrap();
    // ORDER: `start` before `users`; the watchman takes them in the same order.
    let start = lock("start");
    start.lock().unwrap();
    let mut users = lock("users");
    users.lock_shared().unwrap();
    users.write_all(b".").unwrap();

    let known = read(&locks.join("server")).map(|(base, port)| Inner {
        version,
        binaries: binaries.clone(),
        base,
        port,
    });
    let (inner, guard) = match known {
        Some(inner) if inner.answers() => (inner, None),
        lost => {
            // It crashed, or its start was cut off.
            if let Some(lost) = lost {
                end(&lost.base);
            }
            start_new(version, binaries, locks)
        }
    };
    // Nobody else looks for the watchman while we hold `start`.
    watch(&inner.base, locks, idle);
    // ORDER: the guard goes when the watchman has come.
    if let Some(guard) = guard {
        guard.keep();
    }
    (Postgres { inner: Arc::new(inner) }, users)
}

/// Starts a server. Gives it with the guard that ends it if this process is killed before there is a watchman.
fn start_new(version: Version, binaries: &Binaries, locks: &Path) -> (Inner, Option<Guard>) {
    let mut log = String::new();
    // Between looking for a free port and listening on it, another program can take it.
    for _ in 0..3 {
        let base = new_base();
        let guard = Guard::of(&base);
        let inner = Inner::make(version, binaries, base, &[]);
        let line = format!("{} {}\n", inner.base.display(), inner.port);
        fs::write(locks.join("new"), line).unwrap();
        fs::rename(locks.join("new"), locks.join("server")).unwrap();
        match inner.try_start() {
            Ok(()) => return (inner, Some(guard)),
            Err(why) => log = why,
        }
    }
    panic!("PostgreSQL {} does not start:\n{log}", version.number());
}

fn read(file: &Path) -> Option<(PathBuf, u16)> {
    let line = fs::read_to_string(file).ok()?;
    let (base, port) = line.trim_end().rsplit_once(' ')?;
    Some((PathBuf::from(base), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use rustix::process::{Pid, Signal, kill_process};

    use super::*;
    use crate::process::{kill_all, members, pause, wait_until};

    const SECOND: Duration = Duration::from_secs(1);

    fn join_in(locks: &Path) -> Option<(Postgres, File)> {
        Some(join(Version::V15, &Binaries::find(Version::V15)?, locks, SECOND))
    }

    #[test]
    fn a_shared_server_stays_while_somebody_uses_it_and_goes_when_nobody_does() {
        let locks = tempfile::tempdir().unwrap();
        let Some((server, lock)) = join_in(locks.path()) else { return };
        let (same, other_lock) = join_in(locks.path()).unwrap();
        assert_eq!(same.data_dir(), server.data_dir(), "who comes second finds it");
        drop(lock);
        pause(3 * SECOND);
        assert_eq!(server.sql("postgres", "SELECT 1"), "1", "one still uses it");
        drop(other_lock);
        let (data, base) = (server.data_dir(), &server.inner.base);
        wait_until("it is gone", 20 * SECOND, || !base.exists());
        assert_eq!(members(&data), []);
        wait_until("nothing names it", 5 * SECOND, || !locks.path().join("server").exists());
    }

    #[test]
    fn another_checkout_has_another_server_and_one_that_crashed_is_replaced() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let Some((ours, _lock)) = join_in(here.path()) else { return };
        let (theirs, _their_lock) = join_in(there.path()).unwrap();
        assert_ne!(ours.data_dir(), theirs.data_dir());
        kill_all(&ours.inner.base);
        let (new, _new_lock) = join_in(here.path()).unwrap();
        assert_ne!(new.data_dir(), ours.data_dir());
        assert_eq!(new.sql("postgres", "SELECT 1"), "1");
        assert!(!ours.inner.base.exists(), "what crashed has left nothing");
        assert_eq!(theirs.sql("postgres", "SELECT 1"), "1", "theirs has not noticed");
    }

    #[test]
    fn a_server_whose_watchman_was_killed_gets_another() {
        let locks = tempfile::tempdir().unwrap();
        let Some((server, lock)) = join_in(locks.path()) else { return };
        let names_the_locks = |process: &fs::DirEntry| {
            let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&words).contains(locks.path().to_str().unwrap())
        };
        let number = |process: &fs::DirEntry| Pid::from_raw(process.file_name().to_str()?.parse().ok()?);
        let watchman = || -> Vec<Pid> {
            let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
            all.filter(names_the_locks).filter_map(|process| number(&process)).collect()
        };
        wait_until("there is a watchman", 5 * SECOND, || !watchman().is_empty());
        for process in watchman() {
            let _ = kill_process(process, Signal::KILL);
        }
        // A program that it had begun can hold its lock for a moment longer than it lives.
        let watch = || File::open(server.inner.base.join("watch")).is_ok_and(|file| file.try_lock().is_ok());
        wait_until("there is none", 5 * SECOND, || watchman().is_empty() && watch());
        let (_, other_lock) = join_in(locks.path()).unwrap();
        drop((lock, other_lock));
        wait_until("it is gone", 20 * SECOND, || !server.inner.base.exists());
    }
}
