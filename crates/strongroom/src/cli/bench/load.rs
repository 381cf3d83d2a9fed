//! The load generator: closed loops over keep-alive connections, on one thread, bounded in number and time.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::ground::Problem;

/// Longest time that one answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    pub(super) async fn connect(address: SocketAddr) -> std::io::Result<Wire> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Wire { stream, buffer: Vec::with_capacity(4 << 10) })
    }

    /// Sends a request and reads its answer whole: the status, and the body until the next request.
    pub(super) async fn ask(&mut self, request: &[u8]) -> std::io::Result<(u16, &[u8])> {
        use std::io::{Error, ErrorKind};
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, from, to) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Error::from(ErrorKind::UnexpectedEof));
            }
            if let Some(head) = Head::read(&self.buffer) {
                let to = head.length.saturating_add(head.body_at);
                while self.buffer.len() < to {
                    if self.stream.read_buf(&mut self.buffer).await? == 0 {
                        return Err(Error::from(ErrorKind::UnexpectedEof));
                    }
                }
                break (head.status, head.body_at, to);
            }
        };
        Ok((status, self.buffer.get(from..to).unwrap_or_default()))
    }
}

/// What has to be known of an answer's head.
struct Head {
    status: u16,
    body_at: usize,
    length: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Head> {
        let body_at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?.saturating_add(4);
        let head = std::str::from_utf8(bytes.get(..body_at)?).ok()?;
        let status = head.get(9..12)?.parse().ok()?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then_some(value)
        });
        // An answer without a body need not say so. SOURCE: RFC 9112 section 6.3.
        let length = if status == 204 { 0 } else { length?.trim().parse().ok()? };
        Some(Head { status, body_at, length })
    }
}

/// Writes the next request into an empty buffer.
pub(super) type Next = Rc<RefCell<dyn FnMut(&mut Vec<u8>)>>;
/// Sees the body of an answer.
pub(super) type Seen = Rc<RefCell<dyn FnMut(&[u8])>>;

/// How much is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) connections: usize,
    pub(super) time: Duration,
    pub(super) requests: u64,
    /// Which answers are as they should be. A figure of refusals is no figure; a soak sends some to be refused.
    pub(super) expected: fn(u16) -> bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) requests: u64,
    /// Requests that were answered with what they asked for: 2xx.
    pub(super) granted: u64,
    pub(super) seconds: f64,
    pub(super) p50_micros: u32,
    pub(super) p99_micros: u32,
}

struct Run {
    until: Instant,
    left: u64,
    micros: Vec<u32>,
    granted: u64,
    fault: Option<String>,
}

/// Runs closed loops until the time or the requests are used up, their connections to these servers in turn. Blocks.
///
/// Fails: when an answer is not an expected one.
pub(super) fn run(
    addresses: &[SocketAddr],
    bounds: Bounds,
    next: &Next,
    seen: Option<&Seen>,
) -> Result<Load, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = Rc::new(RefCell::new(Run {
        until: Instant::now(),
        left: bounds.requests,
        micros: Vec::with_capacity(1 << 16),
        granted: 0,
        fault: None,
    }));
    let set = LocalSet::new();
    let seconds = set.block_on(&runtime, async {
        let mut wires = Vec::with_capacity(bounds.connections);
        for address in addresses.iter().cycle().take(bounds.connections) {
            wires.push(Wire::connect(*address).await?);
        }
        let began = Instant::now();
        run.borrow_mut().until = began.checked_add(bounds.time).unwrap_or(began);
        let loops = wires.into_iter().map(|wire| {
            let (run, next, seen) = (Rc::clone(&run), Rc::clone(next), seen.map(Rc::clone));
            tokio::task::spawn_local(closed_loop(wire, run, next, seen, bounds.expected))
        });
        for one in loops.collect::<Vec<_>>() {
            let _ = one.await;
        }
        Ok::<_, std::io::Error>(began.elapsed().as_secs_f64())
    })?;
    let mut run = run.borrow_mut();
    if let Some(fault) = run.fault.take() {
        return Err(super::fault(fault));
    }
    run.micros.sort_unstable();
    Ok(Load {
        requests: run.micros.len() as u64,
        granted: run.granted,
        seconds,
        p50_micros: percentile(&run.micros, 50),
        p99_micros: percentile(&run.micros, 99),
    })
}

async fn closed_loop(
    mut wire: Wire,
    run: Rc<RefCell<Run>>,
    next: Next,
    seen: Option<Seen>,
    expected: fn(u16) -> bool,
) {
    let mut request = Vec::with_capacity(2 << 10);
    loop {
        {
            let mut run = run.borrow_mut();
            if run.left == 0 || run.fault.is_some() || Instant::now() >= run.until {
                return;
            }
            run.left -= 1;
        }
        request.clear();
        (next.borrow_mut())(&mut request);
        let began = Instant::now();
        let answered = match tokio::time::timeout(ANSWER_TIME, wire.ask(&request)).await {
            Ok(Ok((status, body))) if expected(status) => {
                if let Some(seen) = &seen {
                    (seen.borrow_mut())(body);
                }
                Ok((200..300).contains(&status))
            }
            // The server's own words are ours: codes and titles, never values.
            Ok(Ok((status, body))) => {
                Err(format!("an answer was {status}: {}", String::from_utf8_lossy(body)))
            }
            Ok(Err(error)) => Err(format!("a connection broke ({:?})", error.kind())),
            Err(_) => Err(String::from("an answer did not come within 30 seconds")),
        };
        let mut run = run.borrow_mut();
        match answered {
            Ok(granted) => run.granted = run.granted.saturating_add(u64::from(granted)),
            Err(fault) => {
                run.fault.get_or_insert(fault);
                return;
            }
        }
        run.micros.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}

fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let at = sorted.len().saturating_mul(percent) / 100;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_only_when_it_is_whole() {
        let whole = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{";
        let head = Head::read(whole).unwrap();
        assert_eq!((head.status, head.length, head.body_at), (201, 12, whole.len() - 1));
        assert!(Head::read(&whole[..whole.len() - 3]).is_none());
        let other = Head::read(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n").unwrap();
        assert_eq!((other.status, other.length), (200, 7));
        assert_eq!(Head::read(b"HTTP/1.1 204 No Content\r\n\r\n").map(|head| head.length), Some(0));
    }

    #[test]
    fn percentiles_of_a_sorted_list() {
        let hundred: Vec<u32> = (0..100).collect();
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 99), percentile(&[], 50)), (50, 99, 0));
    }
}
