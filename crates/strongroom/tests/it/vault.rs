//! A vault as its operator has it: the real binary in a folder of its own, with its files, its answers and its talk.

#![cfg(test)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::engine::Home;
pub(crate) use crate::engine::behind_the_back;

/// The example's policy.
pub(crate) const POLICY: &str = include_str!("../../../../examples/harbour-hill/shop.toml");
/// A server says where it listens within this time, or has failed.
const STARTING: Duration = Duration::from_secs(60);
/// An answer comes within this time, or has failed.
const ANSWERING: Duration = Duration::from_secs(60);

/// A command of the binary, with an environment of its own.
pub(crate) fn strongroom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.env_remove("STRONGROOM_CONFIG").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// A folder that is its owner's alone; in memory, where there is such a place.
pub(crate) fn private_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut maker = tempfile::Builder::new();
    maker.prefix("srv-");
    if memory.is_dir() { maker.tempdir_in(memory).unwrap() } else { maker.tempdir().unwrap() }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It ended as it should.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// It failed with this code on stderr, and nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(self, code: &str) -> Ran {
        let wanted = format!("error[{code}]: ");
        assert!(self.err.contains(&wanted), "no {wanted}\nstdout:\n{}\nstderr:\n{}", self.out, self.err);
        assert!(matches!(self.code, 1 | 3), "exit code {}", self.code);
        assert_eq!(self.out, "", "a failure prints no result");
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}\nstdout:\n{}\nstderr:\n{}", self.out, self.err))
    }
}

/// A vault in a folder of its own.
#[derive(Debug)]
pub(crate) struct Vault {
    home: Option<Home>,
    root: TempDir,
    /// The admin's credential, as `init` printed it.
    pub(crate) admin: String,
    /// The verifier key, as `init` printed it.
    pub(crate) verifier: String,
}

impl Vault {
    /// A folder with a policy and nothing else.
    pub(crate) fn bare() -> Vault {
        let root = private_folder();
        std::fs::write(root.path().join("shop.toml"), POLICY).unwrap();
        std::fs::create_dir(root.path().join("tmp")).unwrap();
        Vault { home: None, root, admin: String::new(), verifier: String::new() }
    }

    /// A new vault.
    pub(crate) fn new() -> Vault {
        Vault::with(&[])
    }

    /// A new vault with a policy of its own.
    pub(crate) fn of(policy: &str) -> Vault {
        let vault = Vault::bare();
        std::fs::write(vault.path("shop.toml"), policy).unwrap();
        vault.init(&[])
    }

    /// A new vault, made with more arguments.
    pub(crate) fn with(more: &[&str]) -> Vault {
        Vault::bare().init(more)
    }

    /// A new vault that has its rows in its folder, whatever the run is for.
    pub(crate) fn in_folder(policy: &str) -> Vault {
        let vault = Vault::bare();
        std::fs::write(vault.path("shop.toml"), policy).unwrap();
        vault.init_at(None, &[])
    }

    /// With its rows on a server of the test's own, whatever the run is for.
    pub(crate) fn on(home: Home) -> Vault {
        let mut vault = Vault::bare();
        vault.home = Some(home);
        vault.init(&[])
    }

    /// A second data folder for these rows and keys, as another server has it. Gives its path.
    pub(crate) fn beside(&self, name: &str) -> String {
        use std::os::unix::fs::DirBuilderExt;
        let folder = self.path(name);
        std::fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        std::fs::copy(self.data().join("strongroom.toml"), folder.join("strongroom.toml")).unwrap();
        folder.to_str().unwrap().to_owned()
    }

    /// The name of its database on the server.
    pub(crate) fn database_name(&self) -> &str {
        self.home.as_ref().unwrap().name()
    }

    /// Makes it, with more arguments.
    pub(crate) fn init(self, more: &[&str]) -> Vault {
        let home = if self.home.is_none() { Home::new() } else { None };
        self.init_at(home, more)
    }

    fn init_at(self, home: Option<Home>, more: &[&str]) -> Vault {
        let mut vault = self;
        let keys = vault.keys();
        let mut arguments = vec!["init", "--json", "--policy", "shop.toml", "--keys", keys.to_str().unwrap()];
        vault.home = vault.home.take().or(home);
        let address = vault.home.as_ref().map(Home::address).unwrap_or_default();
        let words = vault.path("store-password");
        if let Some(home) = &vault.home {
            home.stands_for(&vault.data());
            vault.private_file("store-password", home.password());
            arguments.extend(["--store", &address, "--store-password-file", words.to_str().unwrap()]);
        }
        let made = vault.run(&[&arguments[..], more].concat()).ends(0).json();
        vault.admin = made["admin"].as_str().unwrap().to_owned();
        vault.verifier = made["verifier_key"].as_str().unwrap().to_owned();
        vault
    }

    /// Where its rows are.
    pub(crate) fn rows(&self) -> strongroom::open::Rows {
        self.home.as_ref().map_or(strongroom::open::Rows::InFolder, Home::rows)
    }

    /// The folder that everything is in.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.path("vault")
    }

    /// The keys folder.
    pub(crate) fn keys(&self) -> PathBuf {
        self.path("keys")
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data().join("strongroom.db")
    }

    /// A command about this vault, called from its folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = strongroom();
        // Temporary files would stand in the vault's folder, too, where a test finds them.
        command.current_dir(self.root()).env("TMPDIR", self.path("tmp")).args(arguments);
        if !arguments.contains(&"--data") {
            command.arg("--data").arg(self.data());
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs a command that reads stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Runs a command that must succeed, and reads what it printed.
    #[track_caller]
    pub(crate) fn ask(&self, arguments: &[&str]) -> Json {
        self.run(&[arguments, &["--json"]].concat()).ends(0).json()
    }

    /// Makes a credential. Gives its secret.
    #[track_caller]
    pub(crate) fn credential(&self, role: &str, purposes: &[&str]) -> String {
        let mut arguments = vec!["credentials", "add", "--role", role, "--label", "tests"];
        for purpose in purposes {
            arguments.extend(["--purpose", *purpose]);
        }
        self.ask(&arguments)["credential"].as_str().unwrap().to_owned()
    }

    /// A file that only its owner can read.
    pub(crate) fn private_file(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt;
        let path = self.path(name);
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path
    }

    /// Starts a server on ports of its own, and waits until it serves.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[]).unwrap_or_else(|ran| panic!("it does not serve: {}", ran.err))
    }

    /// The same with more arguments. Gives how it ended when it does not come to serve.
    pub(crate) fn serve_with(&self, more: &[&str]) -> Result<Server, Ran> {
        let mut arguments = vec!["serve"];
        for (flag, address) in [("--listen", "127.0.0.1:0"), ("--admin", "127.0.0.1:0")] {
            if !more.contains(&flag) {
                arguments.extend([flag, address]);
            }
        }
        arguments.extend(more);
        Server::start(self.command(&arguments))
    }

    /// The same for a process that may have so many files open, and no more.
    pub(crate) fn serve_with_handles(&self, handles: u32) -> Result<Server, Ran> {
        let inner = self.command(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {handles}; exec \"$@\""), "sh"]);
        command.arg(inner.get_program()).args(inner.get_args()).current_dir(self.root()).stdin(Stdio::null());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Server::start(command)
    }

    /// Every check that the vault has of itself finds nothing.
    #[track_caller]
    pub(crate) fn is_well(&self) {
        let looked = self.run(&["doctor", "--deep"]);
        assert_eq!(looked.code, 0, "{}\n{}", looked.out, looked.err);
    }

    /// Changes the database behind the vault's back. Nothing may have it open.
    pub(crate) fn tamper(&self, act: impl FnOnce(&rusqlite::Connection)) {
        let connection = behind_the_back(self.database()).unwrap();
        act(&connection);
        connection.close();
    }
}

/// A serving process. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    /// Where the API listens.
    pub(crate) api: SocketAddr,
    /// Where metrics and documentation are.
    pub(crate) admin: SocketAddr,
}

impl Server {
    /// Starts a command that serves.
    pub(crate) fn start(mut command: Command) -> Result<Server, Ran> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (listens, listening) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let keeping = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            for line in stderr.lines() {
                let Ok(line) = line else { return };
                if let Some(addresses) = addresses_in(&line) {
                    let _ = listens.send(addresses);
                }
                let mut said = keeping.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
            }
        });
        match listening.recv_timeout(STARTING) {
            Ok((api, admin)) => Ok(Server { child, said, reader: Some(reader), api, admin }),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let mut out = String::new();
                child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
                let status = child.wait().unwrap();
                reader.join().unwrap();
                let err = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Err(Ran { code: status.code().unwrap_or(-1), out, err })
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("a server said for a minute neither that it serves nor why it does not");
            }
        }
    }

    /// Number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on stderr so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A connection to the API.
    pub(crate) fn caller(&self, credential: &str) -> Caller {
        Caller::new(self.api, credential)
    }

    /// Asks it to stop, as an operator does, and waits. Gives how it ended, and what it said.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        signal(self.child.id(), "TERM");
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let said = self.said();
        (status, said)
    }

    /// Ends it as a fault of its own would: by a signal that makes a core. Gives how it ended.
    pub(crate) fn fail(mut self, name: &str) -> ExitStatus {
        signal(self.child.id(), name);
        let status = self.child.wait().unwrap();
        assert!(status.signal().is_some(), "{status}");
        status
    }

    /// Ends it at once, as a power failure does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        assert_eq!(self.child.wait().unwrap().signal(), Some(9), "{}", self.said());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that these tests started.
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status().unwrap();
    assert!(sent.success());
}

fn addresses_in(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line = line.strip_prefix("serving ")?;
    let mut found = line.split("://").skip(1).map(|rest| rest.split(['/', ' ']).next().unwrap_or_default());
    Some((found.next()?.parse().ok()?, found.next()?.parse().ok()?))
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// It has this status.
    #[track_caller]
    pub(crate) fn has(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// One connection to a server, kept open from request to request.
#[derive(Debug)]
pub(crate) struct Caller {
    stream: BufReader<TcpStream>,
    credential: String,
}

impl Caller {
    /// Connects.
    pub(crate) fn new(to: SocketAddr, credential: &str) -> Caller {
        Caller::connect(to, credential).unwrap()
    }

    /// Connects, or does not.
    pub(crate) fn connect(to: SocketAddr, credential: &str) -> std::io::Result<Caller> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(ANSWERING))?;
        stream.set_nodelay(true)?;
        Ok(Caller { stream: BufReader::new(stream), credential: credential.to_owned() })
    }

    /// Sends a request and reads its answer. Fails when the connection does.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        more: &str,
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let authorization = if self.credential.is_empty() {
            String::new()
        } else {
            format!("authorization: Bearer {}\r\n", self.credential)
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: tests\r\n{authorization}{more}content-length: {}\r\n\r\n",
            body.len()
        );
        let stream = self.stream.get_mut();
        stream.write_all(&[head.as_bytes(), body].concat())?;
        read_answer(&mut self.stream)
    }

    /// POST JSON.
    pub(crate) fn try_post(&mut self, path: &str, body: &Json) -> std::io::Result<Answer> {
        self.send("POST", path, "content-type: application/json\r\n", body.to_string().as_bytes())
    }

    /// POST JSON; the connection holds.
    #[track_caller]
    pub(crate) fn post(&mut self, path: &str, body: &Json) -> Answer {
        self.try_post(path, body).unwrap()
    }

    /// GET.
    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", b"").unwrap()
    }
}

/// Reads one answer: with a length, or in chunks.
pub(crate) fn read_answer(stream: &mut impl BufRead) -> std::io::Result<Answer> {
    let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(broken());
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line.to_lowercase());
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let mut body = Vec::new();
    if header("transfer-encoding:") == Some("chunked") {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16).map_err(|_| broken())?;
            let mut chunk = vec![0; length + 2];
            stream.read_exact(&mut chunk)?;
            if length == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..length]);
        }
    } else {
        body = vec![0; header("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0)];
        stream.read_exact(&mut body)?;
    }
    Ok(Answer { status, head, body })
}

/// A customer of the example's shop. Every value is another for another number.
pub(crate) fn customer(number: u64) -> Json {
    json!({
        "kind": "customer", "external_id": format!("c-{number}"),
        "fields": {
            "name": format!("Customer {number}"), "email": format!("customer{number}@harbour.example"),
            "phone": format!("138{:08}", number % 100_000_000),
        },
    })
}

/// An order of that customer.
pub(crate) fn order(number: u64) -> Json {
    json!({
        "kind": "order", "external_id": format!("o-{number}"), "subject": { "external_id": format!("c-{number}") },
        "fields": {
            "recipient_name": format!("Recipient {number}"), "phone": format!("139{:08}", number % 100_000_000),
            "address": format!("{number} Quiet Lane, Shanghai"), "items": "two teapots", "amount": "88.00",
            "payment_reference": format!("PAY{number:012}"),
        },
    })
}

/// What a customer says about letters by e-mail.
pub(crate) fn choice(number: u64, said: &str) -> Json {
    json!({
        "subject": { "external_id": format!("c-{number}") }, "purpose": "marketing_email", "choice": said,
        "notice": { "version": 1, "language": "en" },
    })
}

/// A reveal of a customer for a purpose.
pub(crate) fn reveal(number: u64, purpose: &str) -> Json {
    json!({ "purpose": purpose, "subject": { "external_id": format!("c-{number}") } })
}
