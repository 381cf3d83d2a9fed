//! The processes of a server, found by the folder that they work in, and the shell that outlives a test to end them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Ends a server and removes its folder, `$1`: first as PostgreSQL's immediate shutdown does, for that leaves nothing behind in
/// the kernel; after 5 s by force.
///
/// All of a server's processes work in its data folder, so they are found whoever their parent is.
const END: &str = r#"
members() { find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$1/data" 2>/dev/null | cut -d / -f 3; }
end() {
    first=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
    for process in $(members "$1"); do
        [ "$process" = "$first" ] && kill -QUIT "$process"
        kill -CONT "$process"
    done
    tries=0
    while [ -n "$(members "$1")" ]; do
        tries=$((tries + 1))
        [ "$tries" -gt 50 ] && kill -KILL $(members "$1")
        sleep 0.1
    done
    # One that was killed has left the mark by which PostgreSQL finds out whether another still runs.
    mark=$(sed -n 7p "$1/data/postmaster.pid" 2>/dev/null | awk '{ print $2 }')
    [ -n "$mark" ] && ipcrm --shmem-id "$mark"
    mountpoint -q "$1" && umount "$1"
    # A program that was making the cluster may still be writing.
    tries=0
    while [ -e "$1" ] && [ "$tries" -lt 50 ]; do
        rm -rf -- "$1" || sleep 0.1
        tries=$((tries + 1))
    done
}
trap '' HUP INT TERM
"#;

/// Ends a server when the process that holds the other end of stdin is gone, or lets go without a word.
const GUARD: &str = r#"
read -r word && [ "$word" = keep ] && exit
end "$1"
"#;

/// Ends a shared server once nobody has used it for a while, or another has taken its place. `$1`: its folder, `$2`: the folder of
/// its locks, `$3`: seconds.
///
/// Whoever uses the server holds `users` shared and adds a byte to it; who looks for one, starts one or ends one holds
/// `start`; `server` names the one that is used. The one watchman of a server holds `watch` in its folder.
const WATCH: &str = r#"
exec 9>>"$1/watch"
flock 9
while [ -d "$1" ]; do
    # Not before everybody is gone, and nobody has come and gone meanwhile.
    flock --exclusive "$2/users" true 9>&-
    before=$(wc -c <"$2/users")
    sleep "$3" 9>&-
    if [ ! -d "$2" ]; then
        end "$1"
        exit
    fi
    exec 8>>"$2/start"
    flock 8
    used=
    read -r used _ <"$2/server"
    if [ "$used" != "$1" ]; then
        end "$1"
        exit
    fi
    if flock --exclusive --nonblock "$2/users" true && [ "$(wc -c <"$2/users")" = "$before" ]; then
        end "$1"
        rm -f "$2/server"
        exit
    fi
    exec 8>&-
done
"#;

/// A shell in a session of its own, that neither a closed terminal nor the end of a test's process group reaches.
fn shell(script: &str, arguments: &[&Path]) -> Command {
    let mut command = Command::new("setsid");
    command.args(["sh", "-c"]).arg(format!("{END}{script}")).arg("testbed").args(arguments);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Ends what runs in a folder, and removes it.
pub(crate) fn end(base: &Path) {
    shell("end \"$1\"\n", &[base]).status().expect("a shell runs");
}

/// Ends a server when it is dropped, and also when this process dies.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    pub(crate) fn of(base: &Path) -> Guard {
        Guard(shell(GUARD, &[base]).stdin(Stdio::piped()).spawn().expect("a shell runs"))
    }

    /// Lets the server be: somebody else watches over it.
    pub(crate) fn keep(mut self) {
        let mut stdin = self.0.stdin.take().expect("it is piped");
        stdin.write_all(b"keep\n").expect("the guard listens");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Watches over a shared server from now on, unless somebody does.
pub(crate) fn watch(base: &Path, locks: &Path, idle: Duration) {
    let watch =
        fs::File::options().create(true).append(true).open(base.join("watch")).expect("the folder is ours");
    if watch.try_lock().is_ok() {
        watch.unlock().expect("it is ours");
        let seconds = idle.as_secs().to_string();
        // Nobody waits for it: it is to outlive this process.
        drop(shell(WATCH, &[base, locks, Path::new(&seconds)]).spawn().expect("a shell runs"));
    }
}

/// All processes that work in this data folder.
pub(crate) fn members(data: &Path) -> Vec<Pid> {
    let number = |name: &str| name.parse::<i32>().ok().and_then(Pid::from_raw);
    let all = fs::read_dir("/proc").expect("/proc can be read").filter_map(Result::ok);
    let works_there =
        |process: &fs::DirEntry| fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder == data);
    all.filter(works_there).filter_map(|process| number(process.file_name().to_str()?)).collect()
}

/// The process that has all others.
pub(crate) fn first(data: &Path) -> Option<Pid> {
    let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let first = Pid::from_raw(file.lines().next()?.trim().parse().ok()?)?;
    members(data).contains(&first).then_some(first)
}

/// Sends a signal to all of them, the first before its children: a process that is stopped, or dead, has no new ones.
pub(crate) fn signal_all(data: &Path, signal: Signal) {
    if let Some(first) = first(data) {
        let _ = kill_process(first, if signal == Signal::KILL { Signal::STOP } else { signal });
    }
    for process in members(data) {
        // One that has ended meanwhile needs no signal.
        let _ = kill_process(process, signal);
    }
}

/// Kills all of them, and takes away what a server that was killed leaves: the marks by which PostgreSQL finds out whether another
/// still runs. It would wait for the first process of this system to ask how its orphans ended, and not all do.
pub(crate) fn kill_all(base: &Path) {
    let data = &base.join("data");
    let mark = fs::read_to_string(data.join("postmaster.pid"));
    signal_all(data, Signal::KILL);
    wait_until("all processes of the server are gone", Duration::from_secs(10), || members(data).is_empty());
    let locks = fs::read_dir(base.join("sockets")).expect("the folder is there").filter_map(Result::ok);
    for file in locks.map(|file| file.path()).chain([data.join("postmaster.pid")]) {
        let _ = fs::remove_file(file);
    }
    // SOURCE: src/include/utils/pidfile.h: line 7 is the key and the id of its shared memory.
    let mark = mark.ok().and_then(|mark| Some(mark.lines().nth(6)?.split_whitespace().nth(1)?.to_owned()));
    if let Some(mark) = mark {
        let _ = Command::new("ipcrm").args(["--shmem-id", &mark]).stderr(Stdio::null()).status();
    }
}

/// Waits until something is so. Stops the test when it is not within the time.
#[track_caller]
pub(crate) fn wait_until(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < within, "{what}: not within {} s", within.as_secs_f64());
        pause(Duration::from_millis(10));
    }
}

/// Lets a time pass. What is waited for happens in another process, which can wake nobody here.
pub(crate) fn pause(time: Duration) {
    let (never, woken) = (Mutex::new(()), Condvar::new());
    let end = Instant::now() + time;
    let mut guard = never.lock().expect("nobody else has it");
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        guard = woken.wait_timeout(guard, left).expect("nobody else has it").0;
    }
}
