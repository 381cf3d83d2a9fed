//! Letters that leave the house: one-time codes, to the address of whoever asked for one. One mail server, that the operator configured.
//!
//! - TLS, with a certificate that the operator's CA file vouches for, or the system's; without TLS to loopback only.
//! - A letter is kept in memory until it is sent, or was tried three times; nothing of it is written down. Whoever misses one asks again.
//! - An error says what kind of thing happened. It holds no address, and nothing that the server said.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, SmtpTransport, Transport};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::problem::Problem;

/// How long one step of a conversation may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Letters on their way at once; whoever asks for one more is not heard.
const AT_ONCE: usize = 32;
/// How often a letter is tried, and how long is waited before it is tried again.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(5), Duration::from_secs(30)];

/// Where letters are handed in.
#[derive(Debug, Clone)]
pub struct MailPlace {
    /// The server's name, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the conversation is protected.
    pub tls: MailTls,
    /// Who writes: `Harbour & Hill <privacy@shop.example>`.
    pub from: String,
    /// User, and the file whose first line is the password; if it asks for one.
    pub user: Option<(String, Zeroizing<String>)>,
    /// A PEM file with the authorities whose certificates are trusted there; those of the system, if it is left out.
    pub ca_file: Option<PathBuf>,
}

/// How a conversation with a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// TLS from the first byte.
    Implicit,
    /// TLS by `STARTTLS`, and nothing without it.
    Starttls,
    /// None: on loopback only.
    None,
}

/// An address that somebody wrote. It can be written to, and not printed.
#[derive(Clone)]
pub struct MailAddress(Zeroizing<String>);

impl MailAddress {
    /// Reads one. Gives: `None` for what is no address.
    pub fn parse(text: &str) -> Option<MailAddress> {
        let text = text.trim();
        let plain = text.len() <= 254 && !text.chars().any(char::is_control);
        (plain && text.parse::<Address>().is_ok()).then(|| MailAddress(Zeroizing::new(text.to_owned())))
    }
}

impl std::fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailAddress(..)")
    }
}

/// A letter.
pub struct Letter {
    /// To whom.
    pub to: MailAddress,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: Zeroizing<String>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter(..)")
    }
}

/// Hands letters in.
pub struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
    places: Arc<Semaphore>,
    sent: AtomicU64,
    failed: AtomicU64,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer")
            .field("sent", &self.sent)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl Mailer {
    /// Fails: `SR-MAIL-001` when what is configured is impossible; nothing is sent.
    pub fn new(place: &MailPlace) -> Result<Mailer, Problem> {
        let from: Mailbox =
            place.from.parse().map_err(|_| impossible("`mail.from` is `Name <name@shop.example>`"))?;
        let local =
            place.host == "localhost" || place.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let tls = match place.tls {
            MailTls::None if !local => {
                return Err(impossible("without TLS (`mail.tls = \"none\"`) only loopback is spoken to"));
            }
            MailTls::None => Tls::None,
            MailTls::Implicit => Tls::Wrapper(trusted(place)?),
            MailTls::Starttls => Tls::Required(trusted(place)?),
        };
        let mut builder = SmtpTransport::builder_dangerous(place.host.as_str())
            .port(place.port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        if let Some((user, password)) = &place.user {
            builder = builder.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        Ok(Mailer {
            transport: builder.build(),
            from,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            sent: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    /// Sends a letter behind: the caller does not wait, and does not hear how it went. Gives: whether there was room for it.
    pub fn post(self: &Arc<Mailer>, letter: Letter) -> bool {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.failed.fetch_add(1, Ordering::Relaxed);
            crate::note!(WARN, "too many letters are on their way: one was dropped");
            return false;
        };
        let mailer = Arc::clone(self);
        tokio::spawn(async move {
            let letter = Arc::new(letter);
            for wait in WAITS {
                tokio::time::sleep(wait).await;
                let (mailer, letter) = (Arc::clone(&mailer), Arc::clone(&letter));
                if matches!(tokio::task::spawn_blocking(move || mailer.send(&letter)).await, Ok(true)) {
                    break;
                }
            }
            drop(place);
        });
        true
    }

    fn send(&self, letter: &Letter) -> bool {
        let Ok(to) = letter.to.0.parse::<Address>() else { return false };
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.as_str())
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.to_string());
        let sent = message.is_ok_and(|message| self.transport.send(&message).is_ok());
        if sent {
            self.sent.fetch_add(1, Ordering::Relaxed);
        } else {
            self.failed.fetch_add(1, Ordering::Relaxed);
            crate::note!(WARN, "the mail server did not take a letter");
        }
        sent
    }

    /// Letters that the server took, and tries that failed.
    pub fn counts(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

fn impossible(title: &'static str) -> Problem {
    Problem::new("SR-MAIL-001", 500, title).help("docs/reference/configuration.md lists every key")
}

fn trusted(place: &MailPlace) -> Result<TlsParameters, Problem> {
    let mut builder = TlsParameters::builder(place.host.clone());
    if let Some(file) = &place.ca_file {
        let no_roots = || impossible("`mail.ca_file` holds no certificates of authorities that can be used");
        let pem = std::fs::read(file).map_err(|_| no_roots())?;
        let authority = Certificate::from_pem(&pem).map_err(|_| no_roots())?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    builder.build_rustls().map_err(|_| impossible("no TLS can be spoken with this mail server"))
}

/// Who hands letters in, once that is configured.
#[derive(Debug, Default)]
pub struct Post(RwLock<Option<Arc<Mailer>>>);

impl Post {
    /// From now on letters go this way.
    pub fn goes_by(&self, mailer: Mailer) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(mailer));
    }

    /// Who hands letters in; `None` where nobody does.
    pub fn mailer(&self) -> Option<Arc<Mailer>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_line_with_one_place_and_cannot_be_printed() {
        let address = MailAddress::parse(" ann@shop.example ").unwrap();
        assert_eq!(
            (address.0.as_str(), format!("{address:?}").as_str()),
            ("ann@shop.example", "MailAddress(..)")
        );
        for wrong in [
            "",
            "ann",
            "ann@",
            "ann@shop.example\r\nBcc: x@y.example",
            "a@b.example, c@d.example",
            "<a@b.example>",
        ] {
            assert!(MailAddress::parse(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn without_tls_only_loopback_is_written_to() {
        let place = |host: &str, tls| MailPlace {
            host: host.to_owned(),
            port: 25,
            tls,
            from: "Shop <privacy@shop.example>".to_owned(),
            user: None,
            ca_file: None,
        };
        assert!(Mailer::new(&place("127.0.0.1", MailTls::None)).is_ok());
        assert_eq!(Mailer::new(&place("mail.shop.example", MailTls::None)).unwrap_err().code, "SR-MAIL-001");
        let nobody = MailPlace { from: "Shop".to_owned(), ..place("127.0.0.1", MailTls::None) };
        assert_eq!(Mailer::new(&nobody).unwrap_err().code, "SR-MAIL-001");
    }
}
