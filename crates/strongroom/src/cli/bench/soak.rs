//! `strongroom bench --soak N`: a server gets so many mixed requests, good ones and refused ones, over connections that come
//! and go, and must not grow by them.
//!
//! How it is judged. The requests are sent in fifty parts; behind each the server's anonymous memory, its handles and its
//! threads are read. Caches are filled before, so the first half is for the allocator to settle. Over the last half a line is
//! laid through the samples of memory: it may rise by 8 bytes a request, or by 4 MiB where that is more. Handles and threads
//! of the last half may be no more than the most of the first half, and a few that happened to be open.
//!
//! Seven of a hundred requests are there to be refused, and with them fall those for people who were erased on the way. When
//! less than four of five get what they ask for, the run proves nothing and has failed: refusing costs next to no memory.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::load::{self, Bounds, Next, Wire};
use super::server::{Server, Size};
use super::vault::{Vault, post};
use super::{fault, float, on_this_thread};
use crate::cli::Voice;
use crate::config::StoreConfig;
use crate::ground::Problem;

/// Parts of a run, and samples.
const PARTS: u64 = 50;
/// Connections of a part. Each part makes its own.
const CONNECTIONS: usize = 32;
/// Customers in the vault before: more than any cache remembers.
const CUSTOMERS: usize = 40_000;
/// Orders in the vault before.
const ORDERS: usize = 4_000;
/// Between two looks at the server behind a part.
const LOOK: Duration = Duration::from_millis(50);
/// Memory may grow by so many bytes a request.
const BYTES_A_REQUEST: f64 = 8.0;
/// Memory may grow by so much in any case: the allocator's own coming and going.
const BYTES_ANYHOW: f64 = 4.0 * 1024.0 * 1024.0;
/// More handles, and more threads, than were ever seen in the first half.
const HANDLES_MORE: u64 = 8;
const THREADS_MORE: u64 = 2;
/// Of a hundred requests, at least so many get what they ask for.
const GRANTED_OF_A_HUNDRED: u64 = 80;

/// Runs it. Fails: when the server grows, or answers with a fault of its own.
pub(super) fn run(requests: u64, folder: PathBuf, voice: Voice) -> Result<(), Problem> {
    let vault = Vault::make(folder, StoreConfig::default())?;
    let server = vault.serve()?;
    voice.say(format!("  filling a vault: {CUSTOMERS} customers, {ORDERS} orders"));
    let (customers, orders) = on_this_thread(async {
        let mut wire = Wire::connect(server.api).await?;
        let customers = vault.add_customers(&mut wire, 0, CUSTOMERS).await?;
        let orders = vault.add_orders(&mut wire, &customers, ORDERS).await?;
        Ok((customers, orders))
    })?;
    let next = mixed(&vault, customers, orders);
    let (began, mut samples) = (Instant::now(), Vec::new());
    let part = requests.div_ceil(PARTS).max(1);
    let mut answers = Answers::default();
    for number in 1..=PARTS {
        let bounds = Bounds {
            connections: CONNECTIONS,
            time: Duration::from_mins(30),
            requests: part,
            // A refusal is what some are sent for; a fault of the server's is none of them.
            expected: |status| (200..500).contains(&status),
        };
        answers.add(&load::run(&[server.api], bounds, &next, None)?);
        let size = settled(&server)?;
        if number.is_multiple_of(5) {
            voice.say(format!(
                "  {:>9} requests  {:>6.1} MiB  {} handles  {} threads",
                answers.all,
                mebibytes(size.memory),
                size.handles,
                size.threads
            ));
        }
        samples.push(size);
    }
    let seconds = began.elapsed().as_secs_f64();
    let judged = judge(&samples, part, answers);
    let all = answers.all;
    voice.print(format!("{all} requests in {seconds:.0} s, {:.0} a second", float(all) / seconds));
    voice.print(judged.to_string());
    server.close()?;
    match judged.fault() {
        Some(what) => Err(fault(what)),
        None => Ok(()),
    }
}

/// The size of the server once it has noticed that the connections of the last part are gone: the least of ten looks.
fn settled(server: &Server) -> Result<Size, Problem> {
    let mut least = server.size()?;
    for _ in 0..9 {
        on_this_thread(async {
            tokio::time::sleep(LOOK).await;
            Ok(())
        })?;
        let size = server.size()?;
        least = Size {
            memory: least.memory.min(size.memory),
            handles: least.handles.min(size.handles),
            threads: least.threads.min(size.threads),
        };
    }
    Ok(least)
}

/// What came back.
#[derive(Debug, Clone, Copy, Default)]
struct Answers {
    all: u64,
    granted: u64,
}

impl Answers {
    fn add(&mut self, load: &load::Load) {
        self.all = self.all.saturating_add(load.requests);
        self.granted = self.granted.saturating_add(load.granted);
    }
}

/// What came of the samples.
#[derive(Debug)]
struct Judged {
    answers: Answers,
    first: Size,
    last: Size,
    /// By how much the line through the last half rises, bytes.
    rise: f64,
    rise_allowed: f64,
    /// The most of the first half, and of the last.
    handles: (u64, u64),
    threads: (u64, u64),
}

fn judge(samples: &[Size], part: u64, answers: Answers) -> Judged {
    let (first_half, last_half) = samples.split_at(samples.len() / 2);
    let most = |half: &[Size], of: fn(&Size) -> u64| half.iter().map(of).max().unwrap_or(0);
    let both = |of: fn(&Size) -> u64| (most(first_half, of), most(last_half, of));
    let memory: Vec<f64> = last_half.iter().map(|size| float(size.memory)).collect();
    let steps = float((memory.len() as u64).saturating_sub(1));
    Judged {
        answers,
        first: samples.first().copied().unwrap_or_default(),
        last: samples.last().copied().unwrap_or_default(),
        rise: slope(&memory) * steps,
        rise_allowed: (steps * float(part) * BYTES_A_REQUEST).max(BYTES_ANYHOW),
        handles: both(|size| size.handles),
        threads: both(|size| size.threads),
    }
}

/// Of the straight line that lies nearest to the figures, by least squares; per step.
fn slope(figures: &[f64]) -> f64 {
    let count = float(figures.len() as u64).max(1.0);
    let middle = (count - 1.0) / 2.0;
    let mean = figures.iter().sum::<f64>() / count;
    let (mut above, mut below) = (0.0, 0.0);
    for (at, figure) in (0_u64..).zip(figures) {
        let from_middle = float(at) - middle;
        above += from_middle * (figure - mean);
        below += from_middle * from_middle;
    }
    if below == 0.0 { 0.0 } else { above / below }
}

impl Judged {
    fn fault(&self) -> Option<String> {
        let Answers { all, granted } = self.answers;
        if granted.saturating_mul(100) < all.saturating_mul(GRANTED_OF_A_HUNDRED) {
            return Some(String::from(
                "the server refused more than it was asked to: the run proves nothing",
            ));
        }
        if self.rise > self.rise_allowed {
            return Some(String::from("the server's memory grows with the requests that it gets"));
        }
        if self.handles.1 > self.handles.0.saturating_add(HANDLES_MORE) {
            return Some(String::from("the server keeps handles open"));
        }
        let more = self.threads.1 > self.threads.0.saturating_add(THREADS_MORE);
        more.then(|| String::from("the server keeps threads running"))
    }
}

impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "answers  {} of {} were what was asked for", self.answers.granted, self.answers.all)?;
        writeln!(
            f,
            "memory   {:.1} MiB behind the first part, {:.1} MiB at the end; over the last half {:+.2} MiB (at most {:.2})",
            mebibytes(self.first.memory),
            mebibytes(self.last.memory),
            self.rise / 1_048_576.0,
            self.rise_allowed / 1_048_576.0
        )?;
        writeln!(f, "handles  {} at most in the first half, {} in the last", self.handles.0, self.handles.1)?;
        write!(f, "threads  {} at most in the first half, {} in the last", self.threads.0, self.threads.1)
    }
}

fn mebibytes(bytes: u64) -> f64 {
    float(bytes) / 1_048_576.0
}

/// Requests of every kind, as a busy and not always careful shop sends them.
fn mixed(vault: &Vault, customers: Vec<String>, orders: Vec<String>) -> Next {
    let customers = Rc::new(customers);
    let writes = vault.writes_known(&customers);
    let new = vault.writes_new(CUSTOMERS as u64);
    let reveals = vault.reveals(orders);
    let (service, officer) = (vault.service().to_owned(), vault.officer().to_owned());
    let (mut turn, mut body) = (0_u64, String::new());
    Rc::new(RefCell::new(move |request: &mut Vec<u8>| {
        turn = turn.wrapping_add(1);
        let customer = customers
            .get(usize::try_from(turn.wrapping_mul(7_919)).unwrap_or(0) % customers.len().max(1))
            .map_or("", String::as_str);
        body.clear();
        // Of 100: 40 writes, 38 reveals, and the rest.
        match turn % 100 {
            0..=39 => (writes.borrow_mut())(request),
            40..=77 => (reveals.borrow_mut())(request),
            78..=81 => (new.borrow_mut())(request),
            82..=86 => {
                let _ = write!(body, r#"{{"subject":{{"id":"{customer}"}}}}"#);
                post(request, "/v1/subjects:find", &service, body.as_bytes());
            }
            87..=89 => {
                let _ = write!(
                    body,
                    r#"{{"purpose":"delivery","field":"phone","value":"138{:08}"}}"#,
                    turn % 100_000_000
                );
                post(request, "/v1/records:search", &service, body.as_bytes());
            }
            // Refused: nobody's id, a purpose that was not given, no JSON, no credential, no address, too long a text.
            90..=91 => {
                let ask = br#"{"purpose":"delivery","record":"rec_aaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;
                post(request, "/v1/records:reveal", &service, ask);
            }
            92 => {
                let _ = write!(body, r#"{{"purpose":"tax","subject":{{"id":"{customer}"}}}}"#);
                post(request, "/v1/records:reveal", &service, body.as_bytes());
            }
            93 => post(request, "/v1/records", &service, br#"{"kind":"customer","fields":{"name":"#),
            94 => get(request, "/v1/policy", "srk_nobody_nothing"),
            95 => get(request, "/v1/nowhere", &service),
            96 => {
                let _ = write!(body, r#"{{"kind":"customer","external_id":"{}"}}"#, "x".repeat(4_000));
                post(request, "/v1/records", &service, body.as_bytes());
            }
            97 => get(request, "/v1/policy", &service),
            98 => get(request, "/ledger/checkpoint", &service),
            // One in two thousand is an erasure.
            _ if turn % 2_000 == 99 => {
                post(request, &format!("/v1/subjects/{customer}:erase"), &officer, b"{}");
            }
            _ => get(request, "/health/ready", &service),
        }
    }))
}

fn get(request: &mut Vec<u8>, path: &str, credential: &str) {
    use std::io::Write as _;
    // Writing to memory cannot fail.
    let _ =
        write!(request, "GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {credential}\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(
        memory: impl Fn(u64) -> u64,
        handles: impl Fn(u64) -> u64,
        threads: impl Fn(u64) -> u64,
    ) -> Judged {
        let all: Vec<Size> = (0..PARTS)
            .map(|at| Size { memory: memory(at), handles: handles(at), threads: threads(at) })
            .collect();
        judge(&all, 20_000, Answers { all: 1_000_000, granted: 920_000 })
    }

    const FLAT: u64 = 100 << 20;

    #[test]
    fn what_settles_is_let_through_and_what_grows_is_not() {
        let noise = |at: u64| FLAT + (at * 7_919 % 13) * (200 << 10);
        let settles = |at: u64| FLAT + (64 << 20) - (64 << 20) / (at * at + 1);
        for memory in [noise, settles, |at| FLAT - at] {
            assert_eq!(samples(memory, |_| 40, |_| 9).fault(), None);
        }
        // Sixteen bytes a request, with the same noise on it.
        let leak = |at: u64| noise(at) + at * 20_000 * 16;
        assert!(samples(leak, |_| 40, |_| 9).fault().is_some_and(|what| what.contains("memory")));
        let kept = |at: u64| 40 + at;
        assert!(samples(noise, kept, |_| 9).fault().is_some_and(|what| what.contains("handles")));
        let running = |at: u64| 9 + at / 5;
        assert!(samples(noise, |_| 40, running).fault().is_some_and(|what| what.contains("threads")));
    }

    #[test]
    fn a_run_that_was_mostly_refused_proves_nothing() {
        let of = |all, granted| {
            let sizes = vec![Size { memory: FLAT, handles: 40, threads: 9 }; 50];
            judge(&sizes, 20_000, Answers { all, granted }).fault()
        };
        assert_eq!(of(1_000_000, 800_000), None);
        for (all, granted) in [(1_000_000, 799_999), (50, 0)] {
            assert!(of(all, granted).is_some_and(|what| what.contains("refused")), "{granted} of {all}");
        }
        let load = |granted| load::Load { requests: 10, granted, seconds: 1.0, p50_micros: 1, p99_micros: 1 };
        let mut answers = Answers::default();
        answers.add(&load(10));
        answers.add(&load(0));
        assert_eq!((answers.all, answers.granted), (20, 10));
    }

    #[test]
    fn the_slope_is_that_of_the_line() {
        assert!((slope(&[1.0, 3.0, 5.0, 7.0]) - 2.0).abs() < 1e-9);
        assert!(slope(&[4.0]).abs() < 1e-9 && slope(&[]).abs() < 1e-9);
    }
}
