//! Listening: sockets, TLS, how long a caller may take, and how the house closes.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Desk;
use super::enter::{Door, Front};
use super::patience::Patient;
use crate::collect::files::FILE_LIMIT;
use crate::config::{Config, TlsConfig};
use crate::ground::Problem;
use crate::ground::keys_folder::read_private;
use crate::ground::note::OurAddress;

/// Name of the operator's socket in the data folder.
pub const SOCKET: &str = "operator.sock";
/// The head of a request must arrive within this time; so long an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// A TLS handshake must be done within this time.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// An answer that a caller does not take for this time is given up, with the connection. Not at the operator's socket:
/// whoever owns the folder may read the lines of a long command when they like.
const TAKING_TIME: Duration = Duration::from_secs(30);
/// What is being answered when the house closes may take so long.
const CLOSING_TIME: Duration = Duration::from_secs(10);
/// What a caller still sends when the answer is out is read, and thrown away, for so long at the most.
const LINGER_TIME: Duration = Duration::from_secs(5);
/// And so many bytes of it: no body is longer that anybody takes.
const LINGER_BYTES: u64 = FILE_LIMIT as u64;
/// Longest head of a request, bytes.
const HEAD_LIMIT: usize = 16 << 10;
/// Headers of a request at the most.
const HEADERS_LIMIT: usize = 64;

/// Where the house listens.
#[derive(Debug, Clone, Copy)]
pub struct Listening {
    /// The API.
    pub api: SocketAddr,
    /// The admin door.
    pub admin: SocketAddr,
    /// Is TLS spoken at the API?
    pub tls: bool,
}

/// A serving house.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub listening: Listening,
    desk: Option<Arc<Desk>>,
    stop: watch::Sender<bool>,
    doors: JoinSet<()>,
    socket: PathBuf,
}

/// Opens the doors.
///
/// Fails: `SR-SERVE-001` when an address cannot be had, `SR-SERVE-002` when certificate or key cannot be used.
pub async fn serve(desk: &Arc<Desk>, config: &Config, data: &Path) -> Result<Server, Problem> {
    let api = Front::with_rooms(desk, Door::Public, desk.api());
    let [admin, operator] =
        [desk.admin(), desk.operator()].map(|router| Front::of(router).while_attended(desk));
    let mut server = open_doors([api, admin, operator], config, data).await?;
    server.desk = Some(Arc::clone(desk));
    let Listening { api, admin, tls } = server.listening;
    crate::note!(INFO, "serving", api = OurAddress(api), admin = OurAddress(admin), tls = tls);
    Ok(server)
}

/// Opens the same doors for a house that is shut: whoever comes is told so, and why.
pub async fn serve_shut(
    fault: Option<&'static str>,
    config: &Config,
    data: &Path,
) -> Result<Server, Problem> {
    let front = Front::of(super::health::shut_router(fault));
    open_doors([front.clone(), front.clone(), front], config, data).await
}

async fn open_doors(fronts: [Front; 3], config: &Config, data: &Path) -> Result<Server, Problem> {
    let [for_callers, for_admins, for_operators] = fronts;
    let tls = config.tls.as_ref().map(acceptor).transpose()?;
    let api = bind(config.server.listen).await?;
    let admin = bind(config.server.admin).await?;
    let socket = data.join(SOCKET);
    let operator = bind_socket(&socket)?;
    let listening = Listening { api: address(&api)?, admin: address(&admin)?, tls: tls.is_some() };
    let (stop, stopping) = watch::channel(false);
    let places = Arc::new(Semaphore::new(config.limits.connections));
    let mut doors = JoinSet::new();
    doors.spawn(tcp_door(api, for_callers, tls, places, stopping.clone()));
    doors.spawn(tcp_door(admin, for_admins, None, Arc::new(Semaphore::new(64)), stopping.clone()));
    doors.spawn(unix_door(operator, for_operators, stopping));
    Ok(Server { listening, desk: None, stop, doors, socket })
}

/// Serves any router on the same stack, until the process ends: the baseline of `strongroom bench`, and a witness.
pub async fn serve_router(
    listen: SocketAddr,
    router: Router,
    tls: Option<&TlsConfig>,
    connections: usize,
) -> Result<(), Problem> {
    let tls = tls.map(acceptor).transpose()?;
    let listener = bind(listen).await?;
    let at = address(&listener)?;
    // Nobody sends on it; while it lives, nobody is told to stop.
    let (_running, stopping) = watch::channel(false);
    crate::note!(INFO, "serving", api = OurAddress(at), admin = OurAddress(at), tls = tls.is_some());
    tcp_door(listener, Front::of(router), tls, Arc::new(Semaphore::new(connections)), stopping).await;
    Ok(())
}

impl Server {
    /// Closes: takes no more callers, answers those who are in, signs the heads, closes the store.
    pub async fn close(mut self) {
        let _ = self.stop.send(true);
        let all_done = async { while self.doors.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSING_TIME, all_done).await.is_err() {
            crate::note!(WARN, "callers were still being answered when the time for it was over");
        }
        self.doors.abort_all();
        let _ = std::fs::remove_file(&self.socket);
        let Some(desk) = self.desk.take() else { return };
        // The caretaker and the store end on threads of their own; waiting for them must not hold up the runtime.
        let _ = tokio::task::spawn_blocking(move || {
            desk.caretaker.lock().unwrap_or_else(std::sync::PoisonError::into_inner).stop();
            desk.house.close();
        })
        .await;
        crate::note!(INFO, "closed");
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Problem> {
    TcpListener::bind(address).await.map_err(|error| {
        Problem::new("SR-SERVE-001", 500, format!("`{address}` cannot be listened on ({:?})", error.kind()))
            .help("choose another address: `[server] listen = …`, or `--listen`")
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Problem> {
    Ok(listener.local_addr()?)
}

/// The operator's socket. Whoever owns the folder may open it, and nobody else.
fn bind_socket(path: &Path) -> Result<UnixListener, Problem> {
    // The folder is this process's own (its lock is held), so a socket that is there was left by one that died.
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).map_err(|error| {
        Problem::new(
            "SR-SERVE-003",
            500,
            format!("the socket in the data folder cannot be made ({:?})", error.kind()),
        )
        .help("a path of a socket has about 100 characters at the most: use a shorter data folder")
    })?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn tcp_door(
    listener: TcpListener,
    front: Front,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut callers = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => break,
        };
        while callers.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            // Too few file handles, or a caller that went away: breathe, then go on.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, TAKING_TIME);
        let (front, tls, stopping) = (front.clone(), tls.clone(), stopping.clone());
        callers.spawn(async move {
            match tls {
                None => caller(stream, front, stopping).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                        caller(stream, front, stopping).await;
                    }
                }
            }
            drop(place);
        });
    }
    while callers.join_next().await.is_some() {}
}

async fn unix_door(listener: UnixListener, front: Front, mut stopping: watch::Receiver<bool>) {
    let mut callers = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => break,
        };
        while callers.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            // Too few file handles: without a breath this loop would take a core until one is free.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        callers.spawn(caller(stream, front.clone(), stopping.clone()));
    }
    while callers.join_next().await.is_some() {}
}

/// One connection. HTTP/1.1 only: what is not spoken cannot be attacked.
async fn caller<S>(stream: S, front: Front, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| front.clone().answer(request));
    let mut connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_LIMIT)
        .max_headers(HEADERS_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        _ = stopping.changed() => None,
    };
    let Some(ended) = ended else {
        Pin::new(&mut connection).graceful_shutdown();
        let _ = connection.await;
        return;
    };
    if ended.is_ok() {
        let stream = connection.into_parts().io.into_inner();
        tokio::select! {
            () = linger(stream) => {}
            _ = stopping.changed() => {}
        }
    }
}

/// Hears a caller out who was answered before they had sent everything: a body that was refused at its first byte. Closed at
/// once, the connection would be reset under what they still send, and the answer be lost that they have not read yet.
async fn linger(stream: impl AsyncRead + Unpin) {
    let (mut rest, mut nowhere) = (stream.take(LINGER_BYTES), tokio::io::sink());
    let _ = tokio::time::timeout(LINGER_TIME, tokio::io::copy(&mut rest, &mut nowhere)).await;
}

/// TLS 1.2 and 1.3 with forward secrecy, by rustls as it comes.
fn acceptor(tls: &TlsConfig) -> Result<TlsAcceptor, Problem> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let fault = |what: &'static str| {
        Problem::new("SR-SERVE-002", 500, format!("the {what} of TLS cannot be used"))
            .help("`[tls]` takes PEM files: the certificate chain, and the private key that belongs to it")
    };
    let chain = std::fs::read(&tls.certificate_file).map_err(|_| fault("certificate"))?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().map_err(|_| fault("certificate"))?;
    let key = read_private(&tls.key_file)?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| fault("private key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| fault("protocol"))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| fault("private key"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    /// Serves one caller, who speaks through the other end. Ends when the connection does.
    async fn served(near: DuplexStream, body: &'static str) {
        let router = Router::new().route("/", get(move || async move { body }));
        let (_stop, stopping) = watch::channel(false);
        caller(Patient::new(near, Duration::from_millis(200)), Front::of(router), stopping).await;
    }

    #[test]
    fn a_caller_who_does_not_take_the_answer_loses_the_connection() {
        let long: &'static str = "x".repeat(1 << 20).leak();
        run(async {
            let (near, mut far) = duplex(512);
            far.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            // The far end stays open, and reads nothing.
            let ended = tokio::time::timeout(Duration::from_secs(20), served(near, long)).await;
            assert!(ended.is_ok(), "the connection is still held");
            drop(far);
        });
    }

    #[test]
    fn a_head_has_16_kib_at_the_most() {
        for (length, status) in [(12_000, "200"), (20_000, "431")] {
            let answer = run(async {
                let (near, mut far) = duplex(64 << 10);
                let head = format!(
                    "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nlong: {}\r\n\r\n",
                    "x".repeat(length)
                );
                far.write_all(head.as_bytes()).await.unwrap();
                let heard = async move {
                    let mut answer = String::new();
                    far.read_to_string(&mut answer).await.unwrap();
                    answer
                };
                tokio::join!(served(near, "short"), heard).1
            });
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{length}: {answer}");
        }
    }
}
