//! docs/guide/operations.md, typed from its first command to its last; and a checkout through outages of every kind.

#![cfg(test)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use testbed::{Database, Postgres, Version};

use crate::vault::{POLICY, Ran, Server, Vault, customer, order, private_folder, strongroom};

const GUIDE: &str = include_str!("../../../../docs/guide/operations.md");

/// A frame of the guide.
#[derive(Debug)]
struct Frame {
    kind: String,
    text: String,
}

/// The frames that say something to do, in their order.
fn frames() -> Vec<Frame> {
    let (mut frames, mut is_inside): (Vec<Frame>, bool) = (Vec::new(), false);
    for line in GUIDE.lines().map(str::trim_start) {
        if let Some(kind) = line.strip_prefix("```") {
            is_inside = !is_inside;
            if is_inside {
                frames.push(Frame { kind: kind.to_owned(), text: String::new() });
            }
        } else if is_inside {
            let text = &mut frames.last_mut().unwrap().text;
            text.push_str(line);
            text.push('\n');
        }
    }
    frames
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/checkout")
}

fn without_password(url: &str) -> String {
    let (user, rest) = url.split_once('@').unwrap();
    format!("{}@{rest}", user.rsplit_once(':').unwrap().0)
}

/// The machine that the guide is typed on.
struct Machine {
    root: tempfile::TempDir,
    database: Database,
    /// The two servers, as they were started.
    lines: Vec<String>,
    servers: Vec<Server>,
    typed: usize,
}

impl Machine {
    fn private_file(&self, name: &str, text: &str) {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = std::fs::OpenOptions::new();
        let path = self.root.path().join(name);
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    fn type_line(&mut self, line: &str) {
        let program = Path::new(env!("CARGO_BIN_EXE_strongroom")).parent().unwrap();
        let line = line.replace("strongroom_run", &self.database.run());
        let line = match self.servers.first() {
            Some(server) => line.replace("127.0.0.1:8700", &server.api.to_string()),
            None => line,
        };
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(self.root.path()).env_clear().stdin(Stdio::null());
        let path = format!("{}:{}:/usr/bin:/bin", checkout().display(), program.display());
        shell.env("PATH", path).env("NO_COLOR", "1").env("HOME", self.root.path());
        shell.env("OWNER", without_password(&self.database.owner_socket_url()));
        shell.env("ADDRESS", without_password(&self.database.run_socket_url()));
        let ran = Ran::of(shell.output().unwrap());
        assert_eq!(ran.code, 0, "{line}\n{}\n{}", ran.out, ran.err);
        assert!(!ran.err.contains("refused"), "{line}\n{}", ran.err);
        self.typed += 1;
    }

    fn start(&mut self, line: &str) {
        let words = line.strip_prefix("strongroom ").expect("it starts a server");
        let kept = words.split(" --listen").next().unwrap();
        let mut command = strongroom();
        command.args(kept.split_whitespace()).args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        command.current_dir(self.root.path());
        self.servers.push(Server::start(command).unwrap_or_else(|ran| panic!("{line}: {}", ran.err)));
    }

    fn stop_all(&mut self) {
        for server in self.servers.drain(..) {
            assert!(server.stop().0.success());
        }
    }

    fn follow(&mut self, frame: &Frame) {
        let lines: Vec<&str> = frame.text.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        match frame.kind.as_str() {
            "console" => lines.iter().for_each(|line| self.type_line(line)),
            "console stopped" => {
                self.stop_all();
                lines.iter().for_each(|line| self.type_line(line));
                for line in self.lines.clone() {
                    self.start(&line);
                }
            }
            "sh background" => {
                let line = frame.text.trim().to_owned();
                self.start(&line);
                self.lines.push(line);
            }
            "toml" => {
                let ca = self.database.server().ca().display().to_string();
                let text = frame.text.replace("/etc/strongroom/ca.pem", &ca);
                let config: toml::Value = toml::from_str(&text).unwrap();
                let address = config["store"]["address"].as_str().unwrap();
                let server = store::Server::parse(address, None).unwrap();
                assert!(server.shown().starts_with("db1.internal,db2.internal:"), "{}", server.shown());
            }
            other => panic!("nobody knows what to do with `{other}`"),
        }
    }
}

#[test]
fn every_command_of_the_guide_can_be_typed_in_its_order() {
    let Some(own) = Postgres::own(Version::V15, &[]) else { return };
    let database = own.database();
    let root = private_folder();
    std::fs::write(root.path().join("shop.toml"), POLICY).unwrap();
    for (name, body) in [("customer.json", customer(1)), ("order.json", order(1))] {
        std::fs::write(root.path().join(name), body.to_string()).unwrap();
    }
    let mut machine = Machine { root, database, lines: Vec::new(), servers: Vec::new(), typed: 0 };
    let password = machine.database.password().to_owned();
    machine.private_file("owner.password", &password);
    machine.private_file("run.password", &password);
    let frames = frames();
    for frame in &frames {
        machine.follow(frame);
    }
    let said = GUIDE.lines().filter(|line| line.trim_start().starts_with("$ ")).count();
    assert_eq!((machine.typed, machine.servers.len()), (said, 2), "every command was typed");
    // What the checkout sent is there, whichever of the two is asked.
    for data in ["a", "b"] {
        let mut show = strongroom();
        show.args(["subject", "show", "c-1", "--json", "--data", data]).current_dir(machine.root.path());
        let shown = Ran::of(show.output().unwrap()).ends(0).json();
        assert_eq!(kinds(&shown), ["customer", "order"], "{shown}");
    }
}

/// The kinds of a subject's records, in order.
fn kinds(shown: &Json) -> Vec<String> {
    let records = shown["records"].as_array().unwrap();
    let mut kinds: Vec<String> =
        records.iter().map(|record| record["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

/// A shop's checkout, with its key pair, its credential and its queue.
struct Checkout<'v> {
    vault: &'v Vault,
}

impl Checkout<'_> {
    fn new(vault: &Vault) -> Checkout<'_> {
        let credential = vault.credential("intake", &[]);
        vault.private_file("bearer", &format!("Authorization: Bearer {credential}\n"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"])
            .args(["-subj", "/CN=checkout", "-days", "2", "-keyout", "open.key", "-out", "seal.pem"])
            .current_dir(vault.root())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Checkout { vault }
    }

    fn command(&self, at: SocketAddr, arguments: &[&str]) -> Command {
        let mut command = Command::new(checkout().join("checkout.sh"));
        command.args(arguments).current_dir(self.vault.root());
        command.env("STRONGROOM", format!("http://{at}")).env("BEARER", "bearer").env("QUEUE", "queue");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A sale. Gives what the checkout was told.
    fn take(&self, at: SocketAddr, number: &str, body: &Json) -> Ran {
        let mut child = self.command(at, &["take", number]).env("SEAL_TO", "seal.pem").spawn().unwrap();
        child.stdin.take().unwrap().write_all(body.to_string().as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    fn deliver(&self, at: SocketAddr) -> Ran {
        Ran::of(self.command(at, &["deliver"]).env("OPEN_WITH", "open.key").output().unwrap())
    }

    /// What waits.
    fn waiting(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.vault.path("queue")).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|end| end == "cms")).collect()
    }
}

fn has_tools() -> bool {
    let there = |name: &str, argument: &str| Command::new(name).arg(argument).output().is_ok();
    let all = there("curl", "--version") && there("openssl", "version") && there("flock", "--version");
    if !all {
        eprintln!("SKIPPED: the checkout needs curl, openssl and flock");
    }
    all
}

/// Passes one request on to a house, waits for its answer, and hangs up on the caller without a word.
fn swallow_an_answer(house: SocketAddr) -> (SocketAddr, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let one = std::thread::spawn(move || {
        let (mut caller, _) = listener.accept().unwrap();
        let mut behind = TcpStream::connect(house).unwrap();
        let (mut request, mut chunk) = (Vec::new(), [0; 4_096]);
        loop {
            let read = caller.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&request).to_lowercase();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() >= length.trim().parse().unwrap() {
                break;
            }
        }
        behind.write_all(&request).unwrap();
        let read = behind.read(&mut chunk).unwrap();
        String::from_utf8_lossy(&chunk[..read]).lines().next().unwrap_or_default().to_owned()
    });
    (at, one)
}

#[test]
fn a_checkout_goes_on_through_an_outage_and_loses_no_order_and_writes_none_twice() {
    if !has_tools() {
        return;
    }
    let vault = Vault::new();
    let server = vault.serve();
    let at = server.api;
    let shop = Checkout::new(&vault);
    let of_first = |number: u64| {
        let mut order = order(number);
        order["subject"]["external_id"] = json!("c-1");
        order
    };
    assert_eq!(shop.take(at, "c-1", &customer(1)).ends(0).out, "kept\n");
    assert_eq!(shop.take(at, "o-1", &of_first(1)).ends(0).out, "kept\n");

    // Its answer is lost on the way: it is kept there and does not know it.
    let (swallowing, swallowed) = swallow_an_answer(at);
    assert_eq!(shop.take(swallowing, "o-2", &of_first(2)).ends(0).out, "waiting\n");
    assert_eq!(swallowed.join().unwrap(), "HTTP/1.1 201 Created");

    server.kill();
    for number in 3..=5 {
        let said = shop.take(at, &format!("o-{number}"), &of_first(number)).ends(0).out;
        assert_eq!(said, "waiting\n");
    }
    // Somebody presses the button twice.
    assert_eq!(shop.take(at, "o-4", &of_first(4)).ends(0).out, "waiting\n");
    let waiting = shop.waiting();
    assert_eq!(waiting.len(), 4);
    for path in &waiting {
        let sealed = std::fs::read(path).unwrap();
        let has = |text: &str| sealed.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!has("Recipient") && !has("Quiet Lane") && !has("c-1"), "it is sealed");
    }
    assert_eq!(shop.deliver(at).code, 75, "nobody is there yet");
    assert_eq!(shop.waiting().len(), 4);

    let listen = at.to_string();
    let server = vault.serve_with(&["--listen", &listen]).unwrap();
    // A sale while others wait goes behind them; one that the policy refuses does not block the rest.
    assert_eq!(shop.take(at, "o-6", &of_first(6)).ends(0).out, "waiting\n");
    assert_eq!(shop.take(at, "o-7", &json!({ "kind": "nothing" })).ends(0).out, "waiting\n");
    assert_eq!(shop.take(at, "o-8", &of_first(8)).ends(0).out, "waiting\n");
    let delivered = shop.deliver(at).ends(1);
    assert_eq!(delivered.out, "o-2 kept\no-3 kept\no-4 kept\no-5 kept\no-6 kept\no-8 kept\n");
    assert!(delivered.err.contains("o-7 refused: 4"), "{}", delivered.err);
    assert_eq!((shop.waiting().len(), shop.deliver(at).ends(0).out.len()), (0, 0));
    let shown = vault.ask(&["subject", "show", "c-1"]);
    assert_eq!(kinds(&shown), ["customer", "order", "order", "order", "order", "order", "order", "order"]);
    let versions = shown["records"].as_array().unwrap().iter().map(|record| record["version"].clone());
    assert!(versions.into_iter().all(|version| version == json!(1)), "none was written twice: {shown}");
    // Long after, when the house has forgotten the key, the number still names the one order.
    let again = server.caller(&vault.credential("intake", &[])).post("/v1/records", &of_first(2)).has(200);
    assert_eq!(again.json()["outcome"], "updated");
    assert_eq!(kinds(&vault.ask(&["subject", "show", "c-1"])), kinds(&shown));
    server.stop();
    vault.is_well();
}

#[test]
fn who_asks_while_the_database_is_away_is_told_when_to_ask_again() {
    let Some(own) = Postgres::own(Version::V15, &[]) else { return };
    if !has_tools() {
        return;
    }
    let database = own.database();
    let owner = without_password(&database.owner_socket_url());
    let address = without_password(&database.run_socket_url());
    let vault = Vault::bare();
    let words = vault.private_file("store-password", database.password());
    let words = words.to_str().unwrap();
    vault
        .run(&["migrate", "--store", &owner, "--store-password-file", words, "--serving", &database.run()])
        .ends(0);
    vault
        .run(&[
            "init",
            "--policy",
            "shop.toml",
            "--keys",
            "keys",
            "--store",
            &address,
            "--store-password-file",
            words,
        ])
        .ends(0);
    let server = vault.serve();
    let shop = Checkout::new(&vault);
    assert_eq!(shop.take(server.api, "c-1", &customer(1)).ends(0).out, "kept\n");

    own.stop();
    let credential = std::fs::read_to_string(vault.path("bearer")).unwrap();
    let credential = credential.trim().strip_prefix("Authorization: Bearer ").unwrap().to_owned();
    let refused = server.caller(&credential).post("/v1/records", &order(1)).has(503);
    assert!(refused.head.contains("retry-after: 2\r\n"), "{}", refused.head);
    assert_eq!(refused.json()["code"], "SR-STORE-020");
    let ready = || server.caller("").get("/health/ready");
    assert_eq!(ready().has(503).json(), json!({ "status": "down", "attention": ["store_unreachable"] }));
    assert_eq!(shop.take(server.api, "o-1", &order(1)).ends(0).out, "waiting\n");
    assert_eq!(shop.deliver(server.api).code, 75);

    own.start();
    let began = Instant::now();
    while ready().status != 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "it comes back by itself: {}", server.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(shop.deliver(server.api).ends(0).out, "o-1 kept\n");
    assert_eq!(kinds(&vault.ask(&["subject", "show", "c-1"])), ["customer", "order"]);
    server.stop();
}
