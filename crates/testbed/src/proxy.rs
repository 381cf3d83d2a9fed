//! Stands between a client and a server, in plain text, and does to their connection what networks do: at a chosen message, and
//! always the same.

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::cluster::Postgres;
use crate::frames::{Frame, Prepared, STARTUP};
use crate::process::{pause, wait_until};

/// Which message of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Any, but the first of a connection and those that answer its questions about who the client is.
    Any,
    /// One simple query.
    Query,
    /// The parsing of a statement.
    Parse,
    /// The binding of values.
    Bind,
    /// The execution of what was bound.
    Execute,
    /// The end of a series, at which what stands in no transaction is committed.
    Sync,
    /// A query, or an execution, whose SQL begins with this, in capitals or not.
    Sql(String),
}

impl What {
    fn is(&self, kind: u8, sql: &str) -> bool {
        let begins = |with: &str| sql.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
        match self {
            What::Any => true,
            What::Query => kind == b'Q',
            What::Parse => kind == b'P',
            What::Bind => kind == b'B',
            What::Execute => kind == b'E',
            What::Sync => kind == b'S',
            What::Sql(with) => matches!(kind, b'Q' | b'E') && begins(with),
        }
    }
}

/// When a connection is cut, seen from one message of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The server never hears it.
    Before,
    /// The server hears half of it.
    Half,
    /// The server has done what it says and answered; the client never hears the answer.
    Answered,
    /// The client hears half of the answer.
    HalfAnswered,
}

/// What has gone through so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were let through.
    pub connections: u64,
    /// Answers that were whole: one to each query and each sync, and one to each start.
    pub answers: u64,
    /// Messages of clients, by the letter that the protocol has for them: `Q`uery, `P`arse, `B`ind, `E`xecute, `S`ync.
    pub messages: HashMap<char, u64>,
}

/// A listener of ours in front of a server.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The port that connections lead to.
    server: u16,
    cuts: Vec<Cut>,
    delay: Duration,
    is_parted: bool,
    counts: Counts,
    /// Both sockets of every connection, to end them.
    open: HashMap<u64, [TcpStream; 2]>,
}

#[derive(Debug)]
struct Cut {
    what: What,
    left: u64,
    moment: Moment,
}

impl Proxy {
    /// Listens on a port of its own in front of a server. Clients connect to it in plain text:
    /// [`Database::plain_url`](crate::Database::plain_url).
    #[must_use]
    pub fn before(server: &Postgres) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            state: Mutex::new(State { server: server.port(), ..State::default() }),
            changed: Condvar::new(),
            closed: AtomicBool::new(false),
        });
        let listens = Arc::clone(&shared);
        let listener = std::thread::spawn(move || listen(&listener, &listens));
        Proxy { port, shared, listener: Some(listener) }
    }

    /// The port that clients connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads new connections to another server, as an address does that moves from one machine to the next. Those that are open stay
    /// where they are.
    pub fn lead_to(&self, server: &Postgres) {
        self.shared.state().server = server.port();
    }

    /// Cuts the connection, once, at this moment of the n-th such message from now on, counted from 1 over all connections.
    pub fn cut(&self, moment: Moment, what: What, nth: u64) {
        assert!(nth > 0, "the first is 1");
        self.shared.state().cuts.push(Cut { what, left: nth, moment });
    }

    /// Cuts before the next statement that begins so is sent: it is never done.
    pub fn cut_before(&self, sql: &str) {
        self.cut(Moment::Before, What::Sql(sql.to_owned()), 1);
    }

    /// Cuts after the next statement that begins so was sent and done: its answer is lost.
    pub fn cut_after_sent(&self, sql: &str) {
        self.cut(Moment::Answered, What::Sql(sql.to_owned()), 1);
    }

    /// Takes back every cut that has not come. Gives how many those were.
    pub fn forget_cuts(&self) -> usize {
        std::mem::take(&mut self.shared.state().cuts).len()
    }

    /// Whether every cut has come.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        self.shared.state().cuts.is_empty()
    }

    /// Cuts every connection that is open now, wherever it stands.
    pub fn cut_all(&self) {
        for sockets in self.shared.state().open.values() {
            close(sockets);
        }
    }

    /// Holds each answer back for so long from now on.
    pub fn delay_answers(&self, time: Duration) {
        self.shared.state().delay = time;
    }

    /// Forwards nothing more, in neither direction, and says nothing: the network has parted. Connections stay open, and new ones
    /// are made and never answered.
    pub fn part(&self) {
        self.shared.state().is_parted = true;
    }

    /// Forwards again, first what was held.
    pub fn heal(&self) {
        self.shared.state().is_parted = false;
        self.shared.changed.notify_all();
    }

    /// What has gone through so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.state().counts.clone()
    }

    /// Waits until the server has answered so many more times.
    #[track_caller]
    pub fn wait_for_answers(&self, more: u64, within: Duration) {
        let goal = self.counts().answers + more;
        wait_until("so many answers have come", within, || self.counts().answers >= goal);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.cut_all();
        self.heal();
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Stands here while the network is parted.
    fn pass(&self) {
        let mut state = self.state();
        while state.is_parted && !self.is_closed() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The cut that comes at this message of a client.
    fn cut_at(&self, kind: u8, sql: &str) -> Option<Moment> {
        let mut state = self.state();
        for cut in &mut state.cuts {
            if cut.what.is(kind, sql) {
                cut.left -= 1;
            }
        }
        let due = state.cuts.iter().position(|cut| cut.left == 0)?;
        Some(state.cuts.remove(due).moment)
    }
}

fn close(sockets: &[TcpStream]) {
    for socket in sockets {
        let _ = socket.shutdown(Shutdown::Both);
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut number: u64 = 0;
    let mut pumps = Vec::new();
    for client in listener.incoming() {
        if shared.is_closed() {
            break;
        }
        let Ok(client) = client else { continue };
        // A server that is down is seen as a connection that ends at once.
        let port = shared.state().server;
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { continue };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        number += 1;
        let Some(connection) = Connection::new(number, client, server, shared) else { continue };
        pumps.extend(connection.pump());
    }
    for pump in pumps {
        let _ = pump.join();
    }
}

/// What the two directions of one connection know of each other.
#[derive(Debug, Default)]
struct Course {
    /// Answers that the client is owed: to its start, and to each query and sync.
    owed: u64,
    /// Answers that it got.
    given: u64,
    /// The answer, counted as above, that is lost, and whether half of it is let through.
    loses: Option<(u64, Moment)>,
}

struct Connection {
    number: u64,
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    course: Mutex<Course>,
}

impl Connection {
    fn new(
        number: u64,
        client: TcpStream,
        server: TcpStream,
        shared: &Arc<Shared>,
    ) -> Option<Arc<Connection>> {
        let sockets = [client.try_clone().ok()?, server.try_clone().ok()?];
        let mut state = shared.state();
        state.open.insert(number, sockets);
        state.counts.connections += 1;
        Some(Arc::new(Connection {
            number,
            client,
            server,
            shared: Arc::clone(shared),
            course: Mutex::default(),
        }))
    }

    /// One thread for each direction. Whichever ends first ends the connection.
    fn pump(self: Arc<Connection>) -> [JoinHandle<()>; 2] {
        let (up, down) = (Arc::clone(&self), self);
        [
            std::thread::spawn(move || up.ended(up.upward())),
            std::thread::spawn(move || down.ended(down.downward())),
        ]
    }

    fn ended(&self, _how: Option<()>) {
        let sockets = self.shared.state().open.remove(&self.number);
        close(sockets.as_ref().map_or(&[], |sockets| sockets.as_slice()));
        let _ = (self.client.shutdown(Shutdown::Both), self.server.shutdown(Shutdown::Both));
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, mut to: &TcpStream, bytes: &[u8]) -> Option<()> {
        self.shared.pass();
        to.write_all(bytes).ok()
    }

    /// From the client to the server, until one of them ends or a cut comes.
    fn upward(&self) -> Option<()> {
        let mut from = BufReader::new(&self.client);
        let mut prepared = Prepared::default();
        let mut first = true;
        loop {
            let frame = Frame::read(&mut from, first)?;
            if frame.asks_for_encryption() {
                // The proxy reads along, so nothing is encrypted.
                self.send(&self.client, b"N")?;
                continue;
            }
            first = false;
            let asks_for_answer = matches!(frame.kind, STARTUP | b'Q' | b'S');
            // A password and its like (`p`) come in answer to the server's questions, and a farewell (`X`) gets none.
            let counts = !matches!(frame.kind, STARTUP | b'p' | b'X');
            let moment = if counts {
                let sql = prepared.text(&frame);
                *self.shared.state().counts.messages.entry(char::from(frame.kind)).or_default() += 1;
                self.shared.cut_at(frame.kind, &sql)
            } else {
                None
            };
            match moment {
                Some(Moment::Before) => return None,
                Some(Moment::Half) => return self.send(&self.server, &frame.bytes[..frame.bytes.len() / 2]),
                Some(Moment::Answered | Moment::HalfAnswered) => {
                    let mut course = self.course();
                    course.loses = moment.map(|moment| (course.owed, moment));
                }
                None => {}
            }
            // ORDER: owed before it is sent, for the answer may be quick.
            self.course().owed += u64::from(asks_for_answer);
            self.send(&self.server, &frame.bytes)?;
        }
    }

    /// From the server to the client, until one of them ends or an answer is lost.
    fn downward(&self) -> Option<()> {
        let mut from = BufReader::new(&self.server);
        let mut lost: Vec<u8> = Vec::new();
        let mut begins = true;
        loop {
            let frame = Frame::read(&mut from, false)?;
            if std::mem::take(&mut begins) {
                let delay = self.shared.state().delay;
                pause(delay);
            }
            let is_whole = frame.kind == b'Z';
            let loses = {
                let mut course = self.course();
                let loses = course.loses.filter(|(answer, _)| *answer == course.given);
                course.given += u64::from(is_whole);
                loses
            };
            begins = is_whole;
            if let Some((_, moment)) = loses {
                lost.extend(&frame.bytes);
                if is_whole {
                    let let_through = if moment == Moment::HalfAnswered { lost.len() / 2 } else { 0 };
                    return self.send(&self.client, &lost[..let_through]);
                }
                continue;
            }
            self.shared.state().counts.answers += u64::from(is_whole);
            self.send(&self.client, &frame.bytes)?;
        }
    }
}
