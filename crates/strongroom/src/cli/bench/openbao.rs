//! The same work against OpenBao, in the same minute and on the same disk: a field opened, and a record kept.
//!
//! OpenBao runs as its operators run it: raft storage (2.7 has no other that keeps anything), a file for its audit, a token with a
//! policy. What is compared is not the same: its transit opens a text that the caller keeps, under one key, and its audit is not
//! synced; ours finds the record, asks the gate, enters, syncs, and opens under keys of that record alone.

use std::cell::RefCell;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::load::{Next, Wire};
use super::server::Server;
use super::vault::{Dice, order, pick};
use super::{fault, on_this_thread};
use crate::ground::Problem;
use crate::ground::keys_folder::{make_private_folder, write_new};

/// It must be unsealed within this time.
const START_TIME: Duration = Duration::from_mins(1);
/// Ciphertexts that are made before it is measured, to be picked from at random.
const CIPHERTEXTS: usize = 500;

/// An OpenBao server with a key, a store of secrets, and a token that may use both. It ends with this value.
pub(super) struct Bao {
    pub(super) server: Server,
    /// What it says of itself.
    pub(super) version: String,
    token: String,
    ciphertexts: Vec<String>,
}

impl Bao {
    /// Starts the binary on loopback, with everything in a new folder, and makes it ready.
    pub(super) fn start(binary: &Path, folder: &Path) -> Result<Bao, Problem> {
        make_private_folder(folder)?;
        let (api, cluster) = (free_address()?, free_address()?);
        let config = folder.join("bao.hcl");
        write_new(&config, configuration(folder, api, cluster).as_bytes())?;
        make_private_folder(&folder.join("data"))?;
        let began = Instant::now();
        let child = Command::new(binary)
            .arg("server")
            .arg(format!("-config={}", config.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Server::adopt(child, api, began);
        let (token, ciphertexts) = on_this_thread(make_ready(api))?;
        let version = Command::new(binary).arg("version").stdin(Stdio::null()).output()?;
        let version = String::from_utf8_lossy(&version.stdout);
        let version = version.split(" (").next().unwrap_or_default().trim().to_owned();
        Ok(Bao { server, version, token, ciphertexts })
    }

    /// Requests that open one of the ciphertexts, picked at random.
    pub(super) fn decrypts(&self) -> Next {
        let (token, ciphertexts, mut dice) = (self.token.clone(), self.ciphertexts.clone(), Dice(2));
        let mut body = Vec::with_capacity(256);
        Rc::new(RefCell::new(move |request: &mut Vec<u8>| {
            body.clear();
            let _ = write!(body, r#"{{"ciphertext":"{}"}}"#, pick(&ciphertexts, dice.roll()));
            write_request(request, "POST", "transit/decrypt/k", &token, &body);
        }))
    }

    /// Requests that keep twelve fields as a new secret: the fields of our own orders.
    pub(super) fn writes(&self) -> Next {
        let (token, mut dice, mut made) = (self.token.clone(), Dice(1), 0_u64);
        let (mut ours, mut body) = (Vec::with_capacity(1 << 10), Vec::with_capacity(1 << 10));
        Rc::new(RefCell::new(move |request: &mut Vec<u8>| {
            ours.clear();
            body.clear();
            order("", dice.roll(), &mut ours);
            made = made.saturating_add(1);
            body.extend_from_slice(b"{\"data\":");
            body.extend_from_slice(fields_of(&ours));
            body.push(b'}');
            write_request(request, "POST", &format!("kv/data/o{made}"), &token, &body);
        }))
    }
}

/// The fields of a body that [`order`] wrote: they stand last in it.
fn fields_of(body: &[u8]) -> &[u8] {
    let name = b"\"fields\":";
    let at = body.windows(name.len()).position(|window| window == name);
    let rest = at.and_then(|at| body.get(at.saturating_add(name.len())..));
    rest.and_then(|rest| rest.split_last()).map_or(b"{}", |(_, fields)| fields)
}

fn configuration(folder: &Path, api: SocketAddr, cluster: SocketAddr) -> String {
    let path = |name: &str| Json::String(folder.join(name).display().to_string());
    format!(
        "storage \"raft\" {{ path = {data}  node_id = \"n1\" }}
listener \"tcp\" {{ address = \"{api}\"  cluster_address = \"{cluster}\"  tls_disable = true }}
api_addr = \"http://{api}\"
cluster_addr = \"http://{cluster}\"
disable_mlock = true
ui = false
log_level = \"error\"
audit \"file\" \"main\" {{ options {{ file_path = {audit} }} }}
",
        data = path("data"),
        audit = path("audit.log"),
    )
}

/// An address on loopback that nobody listens on.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Unseals it, and makes a key, a store of secrets, a policy, a token of it, and ciphertexts. Gives the last two.
async fn make_ready(api: SocketAddr) -> Result<(String, Vec<String>), Problem> {
    let began = Instant::now();
    let mut wire = loop {
        match Wire::connect(api).await {
            Ok(wire) => break wire,
            Err(_) if began.elapsed() < START_TIME => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => return Err(error.into()),
        }
    };
    let made =
        ask(&mut wire, "PUT", "sys/init", "", &json!({ "secret_shares": 1, "secret_threshold": 1 })).await?;
    let text = |answer: &Json, pointer: &str| {
        let found = answer.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
        found.ok_or_else(|| fault("OpenBao did not answer as it was known to"))
    };
    let (root, key) = (text(&made, "/root_token")?, text(&made, "/keys/0")?);
    ask(&mut wire, "PUT", "sys/unseal", "", &json!({ "key": key })).await?;
    while ask(&mut wire, "GET", "sys/health", "", &Json::Null).await.is_err() {
        if began.elapsed() > START_TIME {
            return Err(fault("OpenBao was not ready within a minute"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let policy = r#"path "transit/*" { capabilities = ["create", "update"] } path "kv/data/*" { capabilities = ["create", "update"] }"#;
    for (path, body) in [
        ("sys/mounts/transit", json!({ "type": "transit" })),
        ("sys/mounts/kv", json!({ "type": "kv", "options": { "version": "2" } })),
        ("transit/keys/k", json!({ "type": "aes256-gcm96" })),
        ("sys/policies/acl/app", json!({ "policy": policy })),
    ] {
        ask(&mut wire, "POST", path, &root, &body).await?;
    }
    let asked = json!({ "policies": ["app"], "ttl": "2h" });
    let token =
        text(&ask(&mut wire, "POST", "auth/token/create", &root, &asked).await?, "/auth/client_token")?;
    let mut ciphertexts = Vec::with_capacity(CIPHERTEXTS);
    for number in 0..CIPHERTEXTS {
        // The plain text that one field of ours holds: a name of about 20 letters.
        let name = format!("Nobody Number {:06}", number * 1_999 % 1_000_000);
        let body = json!({ "plaintext": base64(name.as_bytes()) });
        let sealed = ask(&mut wire, "POST", "transit/encrypt/k", &token, &body).await?;
        ciphertexts.push(text(&sealed, "/data/ciphertext")?);
    }
    // A new store of secrets is upgraded behind its first use; nothing is measured before that is over.
    loop {
        let kept = ask(&mut wire, "POST", "kv/data/probe", &token, &json!({ "data": { "a": "b" } })).await;
        match kept {
            Ok(_) => break,
            Err(_) if began.elapsed() < START_TIME => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(problem) => return Err(problem),
        }
    }
    Ok((token, ciphertexts))
}

/// RFC 4648 base64: what the transit wants its plain texts in.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word =
            three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for position in 0..4 {
            let letter = usize::try_from(word >> (18 - 6 * position) & 63).unwrap_or(0);
            let letter = LETTERS.get(letter).copied().unwrap_or(b'=');
            out.push(if position <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

async fn ask(wire: &mut Wire, method: &str, path: &str, token: &str, body: &Json) -> Result<Json, Problem> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut request = Vec::with_capacity(body.len().saturating_add(256));
    write_request(&mut request, method, path, token, body.as_bytes());
    match wire.ask(&request).await? {
        (200..300, answer) => Ok(serde_json::from_slice(answer).unwrap_or(Json::Null)),
        (status, _) => Err(fault(format!("OpenBao answered {status} to {method} {path}"))),
    }
}

fn write_request(request: &mut Vec<u8>, method: &str, path: &str, token: &str, body: &[u8]) {
    // Writing to memory cannot fail.
    let _ = write!(
        request,
        "{method} /v1/{path} HTTP/1.1\r\nhost: bench\r\nx-vault-token: {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    request.extend_from_slice(body);
}

/// Where the binary is, if it is one that runs.
pub(super) fn must_run(binary: &Path) -> Result<PathBuf, Problem> {
    let mut command = Command::new(binary);
    let ran =
        command.arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if ran.is_ok_and(|status| status.success()) {
        Ok(binary.to_path_buf())
    } else {
        Err(fault("this is no `bao` that runs; `cargo xtask bench --against openbao` installs one"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_twelve_fields_are_kept_there() {
        let mut ours = Vec::new();
        order("sub_x", 5, &mut ours);
        let (ours, theirs): (Json, Json) =
            (serde_json::from_slice(&ours).unwrap(), serde_json::from_slice(fields_of(&ours)).unwrap());
        assert_eq!((&theirs, theirs.as_object().unwrap().len()), (&ours["fields"], 12));
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        let made: Vec<String> =
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes())).into();
        assert_eq!(made, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }
}
