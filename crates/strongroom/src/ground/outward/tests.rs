//! Against servers of our own: who they are, how slow they are, and how much they say.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

use super::*;

const BOUNDS: Bounds =
    Bounds { connect: Duration::from_secs(20), whole: Duration::from_secs(20), answer: 4_096 };

/// An authority, and the folder that its certificate lies in.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Authority {
        Authority::named("an authority of a test")
    }

    fn named(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server's configuration with a certificate for this name, as long as these years last.
    fn certificate(&self, name: &str, years: (i32, i32)) -> Arc<rustls::ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }
}

/// What a server does with whoever connects, once their head was read.
#[derive(Clone)]
enum Does {
    /// Says these bytes, and closes.
    Says(Vec<u8>),
    /// Says nothing, and holds the connection.
    Holds,
    /// Says a piece now and then, for ever.
    Drips,
}

/// A server for one test. Gives its port, and what it reads of the first head.
fn serve(tls: Option<Arc<rustls::ServerConfig>>, does: Does) -> (u16, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let (tls, does, sender) = (tls.clone(), does.clone(), sender.clone());
            std::thread::spawn(move || match tls {
                None => speak(stream, &does, &sender),
                Some(config) => {
                    let connection = rustls::ServerConnection::new(config).unwrap();
                    speak(rustls::StreamOwned::new(connection, stream), &does, &sender);
                }
            });
        }
    });
    (port, receiver)
}

fn speak(mut stream: impl Read + Write, does: &Does, sender: &std::sync::mpsc::Sender<String>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    sender.send(String::from_utf8(head).unwrap()).unwrap();
    match does {
        Does::Says(bytes) => {
            let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        }
        Does::Holds => while matches!(stream.read(&mut byte), Ok(1)) {},
        Does::Drips => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            let (_nobody, never) = std::sync::mpsc::channel::<()>();
            while stream.write_all(b"x").and_then(|()| stream.flush()).is_ok() {
                let _ = never.recv_timeout(Duration::from_millis(10));
            }
        }
    }
}

fn says(status: &str, headers: &str, body: &str) -> Does {
    Does::Says(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into())
}

fn ask(outward: &Outward) -> Result<Incoming, OutwardError> {
    outward.send_blocking(Outgoing {
        method: &Method::POST,
        path: "/v1/x",
        headers: &[("x-secret", "of-a-test")],
        body: b"{}",
    })
}

fn over_tls(authority: &Authority, config: Arc<rustls::ServerConfig>) -> Result<Incoming, OutwardError> {
    let (port, _heard) = serve(Some(config), says("200 OK", "", "well"));
    ask(&Outward::new(&format!("https://localhost:{port}"), Some(&authority.file()), BOUNDS).unwrap())
}

#[test]
fn whoever_has_a_certificate_of_the_authority_for_this_name_and_day_is_asked() {
    let authority = Authority::new();
    let (port, heard) =
        serve(Some(authority.certificate("localhost", (2020, 2100))), says("201 Created", "", "well"));
    let address = format!("https://localhost:{port}/base/");
    let answer = ask(&Outward::new(&address, Some(&authority.file()), BOUNDS).unwrap()).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (201, b"well".as_slice()));
    let head = heard.recv().unwrap();
    assert!(head.starts_with("POST /base/v1/x HTTP/1.1\r\n"), "{head}");
    for line in [format!("host: localhost:{port}"), "x-secret: of-a-test".into(), "content-length: 2".into()]
    {
        assert!(head.contains(&line), "{head}");
    }
}

#[test]
fn another_name_another_authority_and_another_time_are_each_refused_by_name() {
    let (authority, other, same_name) = (Authority::new(), Authority::named("another"), Authority::new());
    for (config, expected) in [
        (authority.certificate("elsewhere.example", (2020, 2100)), "it is for another name"),
        (authority.certificate("localhost", (2020, 2021)), "its time is over"),
        (authority.certificate("localhost", (2090, 2100)), "its time has not come"),
        (other.certificate("localhost", (2020, 2100)), "no authority that is trusted here made it"),
        (same_name.certificate("localhost", (2020, 2100)), "no authority that is trusted here made it"),
    ] {
        assert_eq!(over_tls(&authority, config).unwrap_err(), OutwardError::Untrusted { why: expected });
    }
}

#[test]
fn an_authority_of_the_operators_stands_alone() {
    // Whoever the system trusts besides is not trusted when a file was given, and the other way round.
    let authority = Authority::new();
    let (port, _heard) =
        serve(Some(authority.certificate("localhost", (2020, 2100))), says("200 OK", "", ""));
    match Outward::new(&format!("https://localhost:{port}"), None, BOUNDS) {
        Ok(outward) => assert_eq!(ask(&outward).unwrap_err().code(), "SR-OUT-006"),
        Err(error) => assert_eq!(error.code(), "SR-OUT-003", "a machine without a store has nobody to trust"),
    }
}

#[test]
fn without_tls_only_loopback_is_spoken_to() {
    let (port, _heard) = serve(None, says("200 OK", "", "well"));
    for host in ["127.0.0.1", "localhost"] {
        let outward = Outward::new(&format!("http://{host}:{port}"), None, BOUNDS).unwrap();
        assert_eq!(ask(&outward).unwrap().status, 200, "{host}");
    }
    for host in ["192.0.2.1", "bao.example", "localhost.example", "[2001:db8::1]"] {
        let refused = Outward::new(&format!("http://{host}:{port}"), None, BOUNDS).unwrap_err();
        assert_eq!(refused, OutwardError::PlainText, "{host}");
    }
}

#[test]
fn what_is_no_address_is_refused_before_anybody_is_asked() {
    for address in [
        "",
        "bao",
        "bao.example:8200",
        "ftp://127.0.0.1",
        "https://",
        "https://:8200",
        "https://a b",
        "/v1",
        "https://user:word@bao.example",
        "https://bao.example/?token=x",
        "https://bao.example/#x",
        "https://bao.example:",
        "https://bao.example:99999",
        "http://user@127.0.0.1",
    ] {
        let refused = Outward::new(address, None, BOUNDS);
        assert_eq!(refused.map(|_| ()).unwrap_err(), OutwardError::Address, "{address}");
    }
    let outward = Outward::new("http://[::1]:8200", None, BOUNDS).unwrap();
    assert_eq!(outward.peer(), "[::1]:8200");
}

#[test]
fn a_file_that_names_no_authority_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, text) in [("empty", ""), ("words", "no certificate at all"), ("broken", broken)] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let refused = Outward::new("https://bao.example", Some(&file), BOUNDS).unwrap_err();
        assert_eq!(refused.code(), "SR-OUT-003", "{name}");
    }
    let missing = Outward::new("https://bao.example", Some(Path::new("/none")), BOUNDS).unwrap_err();
    assert_eq!(missing, OutwardError::Roots { name: "/none".into() });
}

#[test]
fn an_answer_has_a_longest_length_whatever_it_says_of_itself() {
    let bounds = Bounds { answer: 10, ..BOUNDS };
    let without_length = Does::Says(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(11)).into());
    for does in [says("200 OK", "", "12345678901"), without_length, Does::Drips] {
        let (port, _heard) = serve(None, does);
        let outward = Outward::new(&format!("http://127.0.0.1:{port}"), None, bounds).unwrap();
        assert_eq!(ask(&outward).unwrap_err(), OutwardError::TooLong { limit: 10 });
    }
    let (port, _heard) = serve(None, says("200 OK", "", "1234567890"));
    let outward = Outward::new(&format!("http://127.0.0.1:{port}"), None, bounds).unwrap();
    assert_eq!(ask(&outward).unwrap().body.len(), 10);
}

#[test]
fn an_answer_cut_short_is_none() {
    let (port, _heard) = serve(None, Does::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nwell".into()));
    let outward = Outward::new(&format!("http://127.0.0.1:{port}"), None, BOUNDS).unwrap();
    assert_eq!(ask(&outward).unwrap_err().code(), "SR-OUT-004");
}

#[test]
fn who_is_slow_is_given_up_in_the_stated_time() {
    let bounds = Bounds { whole: Duration::from_millis(300), answer: usize::MAX, ..BOUNDS };
    for does in [Does::Holds, Does::Drips] {
        let (port, _heard) = serve(None, does);
        let outward = Outward::new(&format!("http://127.0.0.1:{port}"), None, bounds).unwrap();
        let began = Instant::now();
        assert_eq!(ask(&outward).unwrap_err(), OutwardError::Slow { what: "answer", millis: 300 });
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
    // Takes the connection, and never says a word of TLS.
    let authority = Authority::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let bounds = Bounds { connect: Duration::from_millis(300), ..BOUNDS };
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let outward = Outward::new(&address, Some(&authority.file()), bounds).unwrap();
    assert_eq!(ask(&outward).unwrap_err(), OutwardError::Slow { what: "connect", millis: 300 });
}

#[test]
fn nobody_there_and_somebody_who_speaks_otherwise_are_told_apart() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let outward = Outward::new(&format!("http://127.0.0.1:{port}"), None, BOUNDS).unwrap();
    let refused = OutwardError::Unreachable { why: io::ErrorKind::ConnectionRefused };
    assert_eq!(ask(&outward).unwrap_err(), refused);

    let (port, _heard) = serve(None, Does::Says(b"SSH-2.0-OpenSSH_10\r\n\r\n".into()));
    let outward = Outward::new(&format!("http://127.0.0.1:{port}"), None, BOUNDS).unwrap();
    assert_eq!(ask(&outward).unwrap_err(), OutwardError::Broken { what: "HTTP/1.1" });

    // Plain HTTP where TLS is spoken: the other side would have to be believed without knowing who it is.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let authority = Authority::new();
    let outward =
        Outward::new(&format!("https://localhost:{port}"), Some(&authority.file()), BOUNDS).unwrap();
    assert_eq!(ask(&outward).unwrap_err(), OutwardError::Broken { what: "TLS" });
}

#[test]
fn nothing_is_followed() {
    let (elsewhere, heard_elsewhere) = serve(None, says("200 OK", "", "followed"));
    let (port, _heard) = serve(
        None,
        says("307 Temporary Redirect", &format!("location: http://127.0.0.1:{elsewhere}/\r\n"), ""),
    );
    let outward = Outward::new(&format!("http://127.0.0.1:{port}"), None, BOUNDS).unwrap();
    assert_eq!(ask(&outward).unwrap().status, 307);
    assert!(heard_elsewhere.try_recv().is_err());
}

#[test]
fn neither_errors_nor_debug_repeat_what_was_sent_or_where() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let outward = Outward::new(&format!("http://127.0.0.1:{port}/in-the-path"), None, BOUNDS).unwrap();
    let error = ask(&outward).unwrap_err();
    let said = format!("{outward:?} {error:?} {error} {:?}", Problem::from(error.clone()));
    for secret in ["of-a-test", "in-the-path", "/v1/x"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn it_can_be_asked_from_within_a_runtime() {
    let (port, _heard) = serve(None, says("204 No Content", "", ""));
    let outward = Outward::new(&format!("http://127.0.0.1:{port}"), None, BOUNDS).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(async { ask(&outward).unwrap().status }), 204);
}
