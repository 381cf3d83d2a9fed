//! A server as a process of its own, so that its CPU time and its memory are its own; and what the system says of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::fault;
use crate::ground::Problem;

/// A server must say within this time where it listens.
const START_TIME: Duration = Duration::from_mins(1);

/// A serving child process. It ends with this value.
pub(super) struct Server {
    child: Child,
    /// Where it answers.
    pub(super) api: SocketAddr,
    /// Where its metrics are.
    pub(super) admin: SocketAddr,
    /// From the start of the process until it said where it listens.
    pub(super) started: Duration,
}

/// The line of the log that says where a server listens.
#[derive(Debug, Deserialize)]
struct Serving {
    api: SocketAddr,
    admin: SocketAddr,
}

impl Server {
    /// Starts this same program with other arguments, and waits until it says where it listens.
    pub(super) fn start<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Result<Server, Problem> {
        let began = Instant::now();
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let talk = child.stderr.take().ok_or_else(|| fault("a server has no stderr"))?;
        let (say, said) = mpsc::channel();
        std::thread::spawn(move || {
            // Read to its end, or the server would wait for somebody to listen.
            for line in BufReader::new(talk).lines().map_while(Result::ok) {
                let _ = match serde_json::from_str::<Serving>(&line) {
                    Ok(serving) => say.send(Ok(serving)),
                    Err(_) => say.send(Err(line)),
                };
            }
        });
        let mut last = String::new();
        while let Ok(line) = said.recv_timeout(START_TIME) {
            match line {
                Ok(Serving { api, admin }) => {
                    return Ok(Server { child, api, admin, started: began.elapsed() });
                }
                Err(line) => last = line,
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(fault(format!("a server did not start: {last}")))
    }

    /// Another program that was started, and answers or soon will: it has no metrics of ours.
    pub(super) fn adopt(child: Child, api: SocketAddr, began: Instant) -> Server {
        Server { child, api, admin: api, started: began.elapsed() }
    }

    /// CPU time of each of its threads so far, by the threads' names.
    pub(super) fn cpu(&self) -> Result<Cpu, Problem> {
        let mut cpu = Cpu::default();
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let thread = thread?.path();
            // A thread may end between being listed and being read.
            let (Ok(name), Ok(times)) = (
                std::fs::read_to_string(thread.join("comm")),
                std::fs::read_to_string(thread.join("schedstat")),
            ) else {
                continue;
            };
            let nanos: u64 = times.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0);
            let slot = cpu.0.entry(name.trim().to_owned()).or_default();
            *slot = slot.saturating_add(nanos);
        }
        if cpu.nanos() == 0 {
            Err(fault("this system does not say how much CPU time a thread took"))
        } else {
            Ok(cpu)
        }
    }

    /// Memory in use now, and the most that was ever in use, KiB.
    pub(super) fn memory_kib(&self) -> Result<(u64, u64), Problem> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let read = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").trim().parse().ok()
        };
        read("VmRSS:")
            .zip(read("VmHWM:"))
            .ok_or_else(|| fault("this system does not say how much memory is in use"))
    }

    /// How large it is now.
    pub(super) fn size(&self) -> Result<Size, Problem> {
        let unknown = || fault("this system does not say how large a process is");
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let read = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").trim().parse().ok()
        };
        let handles = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count() as u64;
        Ok(Size {
            memory: read("RssAnon:").ok_or_else(unknown)?.saturating_mul(1_024),
            handles,
            threads: read("Threads:").ok_or_else(unknown)?,
        })
    }

    /// Asks it to close, as an operator would, and waits until it has.
    pub(super) fn close(mut self) -> Result<(), Problem> {
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let ended = self.child.wait()?;
        if ended.success() { Ok(()) } else { Err(fault("a server did not close as it should")) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// How large a process is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    /// Anonymous memory in use, bytes: pages of mapped files are the system's to take back.
    pub(super) memory: u64,
    /// Open handles.
    pub(super) handles: u64,
    /// Threads.
    pub(super) threads: u64,
}

/// CPU time by name of thread, ns.
#[derive(Debug, Clone, Default)]
pub(super) struct Cpu(BTreeMap<String, u64>);

impl Cpu {
    pub(super) fn nanos(&self) -> u64 {
        self.0.values().sum()
    }

    /// Of the threads whose name begins so.
    pub(super) fn nanos_of(&self, name: &str) -> u64 {
        self.0.iter().filter(|(own, _)| own.starts_with(name)).map(|(_, nanos)| nanos).sum()
    }
}

/// Runs a command of this same program to its end. Gives its output, how long it took, and the CPU time that it took.
pub(super) fn command<S: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = S>,
) -> Result<(String, Duration, Duration), Problem> {
    let (began, cpu) = (Instant::now(), children_cpu());
    let output = Command::new(std::env::current_exe()?).args(arguments).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(fault(format!("a command failed: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((said, began.elapsed(), children_cpu().saturating_sub(cpu)))
}

/// CPU time of the child processes that have ended, to 10 ms.
fn children_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // SOURCE: proc_pid_stat(5): behind the name in brackets, fields 14 and 15 from the third are cutime and cstime.
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks: u64 =
        behind.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks.saturating_mul(1_000) / rustix::param::clock_ticks_per_second().max(1))
}

/// Size of the files of a folder, bytes.
pub(super) fn folder_bytes(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    files
        .filter_map(|file| file.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}
