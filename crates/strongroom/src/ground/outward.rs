//! Requests that leave the house: to a holder of keys, to a witness of heads. Few, small, and to addresses that the operator
//! configured; nobody who calls the API can make one go anywhere.
//!
//! - TLS, with a certificate that a CA file of the operator's vouches for, or the system's; without TLS to loopback only.
//! - A time for connecting and a time for the whole, and a longest answer. Nothing is tried twice.
//! - A redirect is an answer like any other: nothing is followed. No proxy is asked, and the environment is not read.
//! - A connection is for one request. What comes back is wiped when dropped; what passed through the buffers of TLS and HTTP is not.
//! - An error says what kind of thing happened. It holds no address, no header, and nothing that was sent or answered.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Method, Request, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::problem::Problem;

/// Why a request that left the house was not answered. Which answer is a good one is for the caller to say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutwardError {
    /// The address is none.
    #[error("the address is not of the form `https://HOST[:PORT][/PATH]`")]
    Address,
    /// Without TLS to somewhere else than loopback.
    #[error("without TLS (`http://`) only loopback is spoken to")]
    PlainText,
    /// No certificates to trust.
    #[error("`{name}` holds no certificates of authorities that can be used")]
    Roots {
        /// The file; or what was looked for.
        name: String,
    },
    /// No connection came about, or it broke.
    #[error("it cannot be reached ({why})")]
    Unreachable {
        /// What kind of failure.
        why: io::ErrorKind,
    },
    /// The time was over.
    #[error("it did not {what} within {millis} ms")]
    Slow {
        /// `connect`, or `answer`.
        what: &'static str,
        /// The time it had.
        millis: u64,
    },
    /// The other side is not who it must be.
    #[error("its certificate is not to be trusted: {why}")]
    Untrusted {
        /// What is wrong with the certificate.
        why: &'static str,
    },
    /// The answer is longer than it may be.
    #[error("its answer has more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// It does not speak as it should.
    #[error("it does not speak {what}")]
    Broken {
        /// `TLS`, or `HTTP/1.1`.
        what: &'static str,
    },
}

impl OutwardError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            OutwardError::Address => "SR-OUT-001",
            OutwardError::PlainText => "SR-OUT-002",
            OutwardError::Roots { .. } => "SR-OUT-003",
            OutwardError::Unreachable { .. } => "SR-OUT-004",
            OutwardError::Slow { .. } => "SR-OUT-005",
            OutwardError::Untrusted { .. } => "SR-OUT-006",
            OutwardError::TooLong { .. } => "SR-OUT-007",
            OutwardError::Broken { .. } => "SR-OUT-008",
        }
    }
}

impl From<OutwardError> for Problem {
    fn from(error: OutwardError) -> Problem {
        let (status, help) = match &error {
            OutwardError::Address => (500, "write scheme, host and port; no name, no password, no `?`"),
            OutwardError::PlainText => (500, "give the other side a certificate, and write `https://`"),
            OutwardError::Roots { .. } => {
                (500, "`ca_file` takes a PEM file with the certificates of the authorities to trust")
            }
            OutwardError::Unreachable { .. } => {
                (502, "see that it runs, and that this machine can get there")
            }
            OutwardError::Slow { .. } => (504, "see what keeps it; or give it more time"),
            OutwardError::Untrusted { .. } => (
                502,
                "see who answers there; `ca_file` names the authority that made its certificate, and the certificate the host",
            ),
            OutwardError::TooLong { .. } | OutwardError::Broken { .. } => {
                (502, "see what answers at this address: it is not what was expected")
            }
        };
        Problem::new(error.code(), status, error.to_string()).help(help)
    }
}

/// How long a request may take, and how much may come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// To find the address, to connect, and to agree on TLS.
    pub connect: Duration,
    /// From beginning to end, connecting included.
    pub whole: Duration,
    /// Bytes of the answer's body.
    pub answer: usize,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// How.
    pub method: &'a Method,
    /// Where, behind the address: `/v1/…`. Names in it must be such as need no escaping.
    pub path: &'a str,
    /// Beside `host`, `content-length` and `connection`.
    pub headers: &'a [(&'static str, &'a str)],
    /// What is sent.
    pub body: &'a [u8],
}

/// What came back.
pub struct Incoming {
    /// Its status, whatever it is.
    pub status: u16,
    /// Its body, whole.
    pub body: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Somebody outside, at one address.
#[derive(Clone)]
pub struct Outward {
    host: String,
    port: u16,
    base: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    bounds: Bounds,
}

impl std::fmt::Debug for Outward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outward").field("peer", &self.peer()).finish_non_exhaustive()
    }
}

/// Longest head of an answer, bytes, and its headers at the most.
const HEAD_LIMIT: usize = 16 << 10;
const HEADERS_LIMIT: usize = 64;

/// Where systems keep the certificates of the authorities that they trust. SOURCE: the same places are looked at by Go,
/// crypto/x509/root_linux.go.
const SYSTEM_ROOTS: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl Outward {
    /// Reads an address and whom to trust there.
    ///
    /// Takes: `address` as `https://HOST[:PORT][/PATH]`; `ca_file` with the only authorities to trust, in PEM. Without it those of
    /// the system are. Nobody is asked yet.
    /// Fails: `SR-OUT-001` for what is no such address, `SR-OUT-002` for one without TLS that is not on loopback, `SR-OUT-003`
    /// when there is no authority to trust.
    pub fn new(address: &str, ca_file: Option<&Path>, bounds: Bounds) -> Result<Outward, OutwardError> {
        // `Uri` would take these away in silence; whoever writes them means something by them.
        if address.contains(['#', '@', '?']) {
            return Err(OutwardError::Address);
        }
        let uri: Uri = address.parse().map_err(|_| OutwardError::Address)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(OutwardError::Address);
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (tls, usual_port) = match scheme {
            "https" => {
                let name = ServerName::try_from(host.clone()).map_err(|_| OutwardError::Address)?;
                (Some((Arc::new(trusting(&roots(ca_file)?)?), name)), 443)
            }
            "http" if is_loopback(&host) => (None, 80),
            "http" => return Err(OutwardError::PlainText),
            _ => return Err(OutwardError::Address),
        };
        // What stands behind the host is a port or nothing: one that is none is not left to a guess.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => usual_port,
            Some(rest) => {
                rest.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or(OutwardError::Address)?
            }
            None => return Err(OutwardError::Address),
        };
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Outward { host, port, base, tls, bounds })
    }

    /// Host and port, for people.
    pub fn peer(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Sends a request, and gives what came back, whatever its status.
    pub async fn send(&self, outgoing: Outgoing<'_>) -> Result<Incoming, OutwardError> {
        let whole = self.bounds.whole;
        timeout(whole, self.exchange(outgoing))
            .await
            .unwrap_or_else(|_| Err(OutwardError::Slow { what: "answer", millis: millis(whole) }))
    }

    /// The same for a thread that is not part of an asynchronous runtime, or must not be.
    pub fn send_blocking(&self, outgoing: Outgoing<'_>) -> Result<Incoming, OutwardError> {
        // A thread of its own, for a thread that some runtime works on must not wait for another. Requests that leave are few.
        std::thread::scope(|scope| {
            let asked = std::thread::Builder::new().name("outward".into()).spawn_scoped(scope, || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let outcome = runtime.block_on(self.send(outgoing));
                // The system's search for a name cannot be called off, and must not be waited for.
                runtime.shutdown_background();
                Ok(outcome)
            });
            let broken = || io::Error::from(io::ErrorKind::Other);
            match asked.and_then(|thread| thread.join().unwrap_or_else(|_| Err(broken()))) {
                Ok(outcome) => outcome,
                Err(error) => Err(OutwardError::Unreachable { why: error.kind() }),
            }
        })
    }

    async fn exchange(&self, outgoing: Outgoing<'_>) -> Result<Incoming, OutwardError> {
        let request = self.request(outgoing)?;
        let connect = self.bounds.connect;
        let slow = |_| OutwardError::Slow { what: "connect", millis: millis(connect) };
        match &self.tls {
            None => {
                let stream = timeout(connect, self.connect()).await.map_err(slow)??;
                self.over(stream, request).await
            }
            Some((config, name)) => {
                let secured = async {
                    let stream = self.connect().await?;
                    let connector = TlsConnector::from(Arc::clone(config));
                    connector.connect(name.clone(), stream).await.map_err(|error| of_tls(&error))
                };
                self.over(timeout(connect, secured).await.map_err(slow)??, request).await
            }
        }
    }

    fn request(&self, outgoing: Outgoing<'_>) -> Result<Request<Full<Bytes>>, OutwardError> {
        let path = format!("{}{}", self.base, outgoing.path);
        let mut request = Request::builder()
            .method(outgoing.method)
            .uri(path)
            .header(header::HOST, self.peer())
            .header(header::CONNECTION, "close");
        for (name, value) in outgoing.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| OutwardError::Address)?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(outgoing.body));
        request.body(body).map_err(|_| OutwardError::Address)
    }

    /// Tries every address of the host, one after another.
    async fn connect(&self) -> Result<TcpStream, OutwardError> {
        let unreachable = |error: io::Error| OutwardError::Unreachable { why: error.kind() };
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(unreachable)?;
        let found: Vec<SocketAddr> = found.collect();
        let mut last = OutwardError::Unreachable { why: io::ErrorKind::AddrNotAvailable };
        for address in found {
            // INVARIANT: what goes without TLS goes to loopback, whatever a name leads to.
            if self.tls.is_none() && !address.ip().is_loopback() {
                return Err(OutwardError::PlainText);
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = unreachable(error),
            }
        }
        Err(last)
    }

    async fn over<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Incoming, OutwardError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut client = hyper::client::conn::http1::Builder::new();
        client.max_buf_size(HEAD_LIMIT).max_headers(HEADERS_LIMIT);
        let (mut sender, connection) =
            client.handshake(TokioIo::new(stream)).await.map_err(|error| of_http(&error))?;
        let answered = async {
            let response = sender.send_request(request).await.map_err(|error| of_http(&error))?;
            let status = response.status().as_u16();
            let limit = self.bounds.answer;
            let body = Limited::new(response.into_body(), limit).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    return OutwardError::TooLong { limit };
                }
                error.downcast_ref().map_or(OutwardError::Broken { what: "HTTP/1.1" }, of_http)
            })?;
            Ok(Incoming { status, body: Zeroizing::new(body.to_bytes().to_vec()) })
        };
        tokio::pin!(answered);
        // Driven here and not by a task of its own: with this future everything of the request ends.
        tokio::select! {
            biased;
            answered = &mut answered => answered,
            ended = connection => match ended {
                // The other side closed behind its answer; the answer is on its way out of the buffers.
                Ok(()) => answered.await,
                // The request itself may know better what was wrong with it than the connection does.
                Err(error) => Err(timeout(Duration::ZERO, answered).await.ok().and_then(Result::err).unwrap_or_else(|| of_http(&error))),
            },
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Is it loopback by its spelling? What a name leads to is looked at again when it is connected to.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The authorities to trust.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, OutwardError> {
    let unusable = |name: &Path| OutwardError::Roots { name: name.display().to_string() };
    let mut roots = RootCertStore::empty();
    if let Some(file) = ca_file {
        let pem = std::fs::read(file).map_err(|_| unusable(file))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| unusable(file))?;
            roots.add(certificate).map_err(|_| unusable(file))?;
        }
        return if roots.is_empty() { Err(unusable(file)) } else { Ok(roots) };
    }
    let system = SYSTEM_ROOTS.iter().map(PathBuf::from).find(|file| file.exists());
    let Some(pem) = system.as_ref().and_then(|file| std::fs::read(file).ok()) else {
        return Err(OutwardError::Roots { name: "the system's store".to_owned() });
    };
    // A store of many years has one or the other that nobody can read any more; the rest are as good as before.
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if roots.is_empty() {
        return Err(OutwardError::Roots { name: "the system's store".to_owned() });
    }
    Ok(roots)
}

fn trusting(roots: &RootCertStore) -> Result<ClientConfig, OutwardError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| OutwardError::Broken { what: "TLS" })?
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn of_tls(error: &io::Error) -> OutwardError {
    use CertificateError as E;
    let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return OutwardError::Unreachable { why: error.kind() };
    };
    let rustls::Error::InvalidCertificate(fault) = inner else {
        return OutwardError::Broken { what: "TLS" };
    };
    let why = match fault {
        E::NotValidForName | E::NotValidForNameContext { .. } => "it is for another name",
        E::Expired | E::ExpiredContext { .. } => "its time is over",
        E::NotValidYet | E::NotValidYetContext { .. } => "its time has not come",
        // Another authority of the same name has another key.
        E::UnknownIssuer | E::BadSignature => "no authority that is trusted here made it",
        _ => "it is not made as it should be",
    };
    OutwardError::Untrusted { why }
}

fn of_http(error: &hyper::Error) -> OutwardError {
    use std::error::Error as _;
    let of_stream = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match of_stream {
        Some(source) => of_tls(source),
        None if error.is_incomplete_message() || error.is_canceled() || error.is_closed() => {
            OutwardError::Unreachable { why: io::ErrorKind::UnexpectedEof }
        }
        None => OutwardError::Broken { what: "HTTP/1.1" },
    }
}

#[cfg(test)]
mod tests;
