//! Configuration: `strongroom.toml` in the data folder. Flags win; secrets stand in files of their own; of the environment
//! only `STRONGROOM_CONFIG` is read, here and nowhere else.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::cosign::WitnessKey;
use ledger::note::Verifier;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ground::clock::SECOND;
use crate::ground::key_holder::{LockSource, OpenBaoPlace, Pkcs11Place};
use crate::ground::keys_folder::{UNLOCK, folder_of, read_private, sync_folder, write_new};
use crate::ground::mail::{MailPlace, MailTls, Mailer};
use crate::ground::signers::Signer;
use crate::ground::witnesses::{Duty, WitnessAt, WitnessPlace};
use crate::ground::{House, Problem};
use crate::open::{Places, Rows};

/// Name of the file in the data folder.
pub const FILE: &str = "strongroom.toml";
/// The one variable of the environment that is read: where the configuration is, when it is not in the data folder.
pub const VARIABLE: &str = "STRONGROOM_CONFIG";

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the keys are, and what unlocks them.
    pub keys: KeysConfig,
    /// Where to listen.
    pub server: ServerConfig,
    /// Certificate and key of TLS.
    pub tls: Option<TlsConfig>,
    /// What one caller, and all together, may ask for.
    pub limits: LimitsConfig,
    /// How long an epoch lasts.
    pub epoch: EpochConfig,
    /// Where the rows are.
    pub store: StoreConfig,
    /// Whose packs of law are taken.
    pub law: LawConfig,
    /// Where letters with one-time codes are handed in; without it nobody signs in to "My data" by a code.
    pub mail: Option<MailConfig>,
    /// Who signs people in to "My data" by a token: the shop's own program.
    // An empty list written out would forbid the `[[sign_in]]` that somebody adds behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sign_in: Vec<SignInConfig>,
    /// Who elsewhere is told of the ledger's heads, and notices if all of this is ever set back.
    // An empty list written out would forbid the `[[witness]]` that somebody adds behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub witness: Vec<WitnessConfig>,
}

/// Where the keys are, and what unlocks them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// The keys folder. It stands outside the data folder and outside every backup of it.
    pub folder: Option<PathBuf>,
    /// A key file kept elsewhere; `unlock.key` in the keys folder, if it is left out.
    pub key_file: Option<PathBuf>,
    /// A file whose first line is the passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// How long the house serves on when a holder outside (`[keys.openbao]`, `[keys.pkcs11]`) does not give the key any more; 0 to
    /// 86,400. Then it forgets its keys and refuses everything, until the holder gives it again.
    pub grace_seconds: u32,
    /// The transit of an OpenBao or Vault server holds the key that locks the keyring.
    pub openbao: Option<OpenBaoConfig>,
    /// A PKCS#11 token holds the key that locks the keyring; for a program that was built with the feature `pkcs11`.
    pub pkcs11: Option<Pkcs11Config>,
}

/// A mail server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// The server's name.
    pub host: String,
    /// Its port; 465, 587 or 25, as `tls` says, if it is left out.
    pub port: Option<u16>,
    /// `implicit` (from the first byte), `starttls`, or `none`, which is for loopback only.
    pub tls: MailTls,
    /// Who writes: `Harbour & Hill <privacy@shop.example>`.
    pub from: String,
    /// The user, if the server asks for one.
    pub user: Option<String>,
    /// A file whose first line is the password of that user; readable by its owner only.
    pub password_file: Option<PathBuf>,
    /// A PEM file with the authority whose certificates are trusted there; those of the system, if it is left out.
    pub ca_file: Option<PathBuf>,
}

impl MailConfig {
    /// Who hands letters in. Fails: `SR-MAIL-001`; `SR-KEYS-…` when the file of the password is not its owner's alone.
    pub fn mailer(&self) -> Result<Mailer, Problem> {
        let user = match (&self.user, &self.password_file) {
            (Some(user), Some(file)) => Some((user.clone(), first_line(file)?)),
            (None, None) => None,
            _ => {
                return Err(Problem::new(
                    "SR-CONFIG-002",
                    500,
                    "`mail.user` and `mail.password_file` stand together",
                ));
            }
        };
        let usual = match self.tls {
            MailTls::Implicit => 465,
            MailTls::Starttls => 587,
            MailTls::None => 25,
        };
        Mailer::new(&MailPlace {
            host: self.host.clone(),
            port: self.port.unwrap_or(usual),
            tls: self.tls,
            from: self.from.clone(),
            user,
            ca_file: self.ca_file.clone(),
        })
    }
}

/// Who signs people in to "My data" by a token (JWT).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInConfig {
    /// The id of the shop.
    pub shop: String,
    /// A file with the secret that the shop shares, 32 bytes at the least (HS256); readable by its owner only.
    pub secret_file: Option<PathBuf>,
    /// Or a file with the public keys of the shop, a JWK set (ES256, `EdDSA`, RS256).
    pub keys_file: Option<PathBuf>,
}

impl SignInConfig {
    /// Fails: `SR-CONFIG-002` when it is neither one thing nor the other.
    pub fn signer(&self) -> Result<Signer, Problem> {
        match (&self.secret_file, &self.keys_file) {
            (Some(secret), None) => Signer::by_secret(read_private(secret)?.trim_ascii()),
            (None, Some(keys)) => {
                let bytes = std::fs::read(keys);
                Signer::by_keys(&bytes.map_err(|_| fault("the keys of `sign_in` cannot be read".to_owned()))?)
            }
            _ => Err(Problem::new(
                "SR-CONFIG-002",
                500,
                "a `[[sign_in]]` has a `secret_file` or a `keys_file`",
            )),
        }
    }
}

/// The first line of a file that is its owner's alone.
fn first_line(file: &Path) -> Result<Zeroizing<String>, Problem> {
    let bytes = read_private(file)?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| fault("the file of a password is not text".to_owned()))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// A PKCS#11 token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Config {
    /// The token's driver, a shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The label of its key: AES-256, sensitive, not extractable.
    pub key: String,
    /// A file with the PIN, readable by its owner only.
    pub pin_file: PathBuf,
}

impl Default for KeysConfig {
    fn default() -> KeysConfig {
        KeysConfig {
            folder: None,
            key_file: None,
            passphrase_file: None,
            grace_seconds: 900,
            openbao: None,
            pkcs11: None,
        }
    }
}

/// The transit of an OpenBao or Vault server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenBaoConfig {
    /// `https://HOST[:PORT]`; without TLS on loopback only.
    pub address: String,
    /// The name of the transit's key, of a type that takes associated data: `aes256-gcm96`, `chacha20-poly1305`.
    pub key: String,
    /// A file with the token, readable by its owner only. It is read anew each time, so whoever renews it may exchange it.
    pub token_file: PathBuf,
    /// Where the transit is mounted; at `transit`, if it is left out.
    pub mount: Option<String>,
    /// The namespace, if the server has several.
    pub namespace: Option<String>,
    /// A PEM file with the authorities whose certificates are trusted there; those of the system, if it is left out.
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take, 1 to 60; 5, if it is left out.
    pub timeout_seconds: Option<u32>,
}

impl OpenBaoConfig {
    fn place(&self) -> OpenBaoPlace {
        OpenBaoPlace {
            address: self.address.clone(),
            mount: self.mount.clone().unwrap_or_else(|| "transit".to_owned()),
            key: self.key.clone(),
            namespace: self.namespace.clone(),
            token_file: self.token_file.clone(),
            ca_file: self.ca_file.clone(),
            timeout: Duration::from_secs(u64::from(self.timeout_seconds.unwrap_or(5))),
        }
    }

    fn is_possible(&self) -> bool {
        // They stand in the path of a URL as they are.
        let plain = |name: &str| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
                && !name.is_empty()
                && !name.split('/').any(|part| part.is_empty() || part.starts_with('.'))
        };
        plain(&self.key)
            && !self.key.contains('/')
            && self.mount.as_deref().is_none_or(plain)
            && self.namespace.as_deref().is_none_or(plain)
            && self.timeout_seconds.is_none_or(|seconds| (1..=60).contains(&seconds))
    }
}

/// Where to listen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// The API and the public ledger.
    pub listen: SocketAddr,
    /// Metrics and the documentation of the API; on loopback, whatever `listen` is.
    pub admin: SocketAddr,
    /// Listen elsewhere than on loopback without TLS, because something in front of it does TLS.
    pub behind_tls_proxy: bool,
    /// Threads that serve; as many as there are processors but one, if it is 0.
    pub threads: usize,
}

impl Default for ServerConfig {
    fn default() -> ServerConfig {
        ServerConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 8700)),
            admin: SocketAddr::from(([127, 0, 0, 1], 8701)),
            behind_tls_proxy: false,
            threads: 0,
        }
    }
}

/// Certificate and key of TLS, PEM.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate chain.
    pub certificate_file: PathBuf,
    /// The private key; readable by its owner only.
    pub key_file: PathBuf,
}

/// What one caller, and all together, may ask for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Requests of one credential per second; 0 for no limit.
    pub requests_per_second: u32,
    /// Requests of one credential at once, after a pause.
    pub burst: u32,
    /// Requests per second of all callers together who show no credential; 0 for no limit.
    pub anonymous_per_second: u32,
    /// Requests of theirs at once, after a pause.
    pub anonymous_burst: u32,
    /// Connections at once.
    pub connections: usize,
}

impl Default for LimitsConfig {
    fn default() -> LimitsConfig {
        LimitsConfig {
            requests_per_second: 2_000,
            burst: 4_000,
            anonymous_per_second: 500,
            anonymous_burst: 1_000,
            connections: 4_096,
        }
    }
}

/// How long an epoch lasts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EpochConfig {
    /// Days until every copy made before is dark; 1 to 365.
    pub days: u32,
}

impl Default for EpochConfig {
    fn default() -> EpochConfig {
        EpochConfig { days: 30 }
    }
}

/// Where the rows are: in the data folder, unless there is an address.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Page cache of the writer of a data folder, MiB.
    pub cache_mib: u32,
    /// A PostgreSQL database: `postgres://user@host:port/database?sslmode=verify-full&sslrootcert=FILE`. Without a password.
    pub address: Option<String>,
    /// A file whose first line is the password of that user; readable by its owner only.
    pub password_file: Option<PathBuf>,
}

impl Default for StoreConfig {
    fn default() -> StoreConfig {
        StoreConfig { cache_mib: 64, address: None, password_file: None }
    }
}

impl StoreConfig {
    /// Where the rows are. Fails: `SR-CONFIG-005` when the address holds a password; `SR-STORE-023`; `SR-KEYS-…` when the file of
    /// the password is not its owner's alone.
    pub fn rows(&self) -> Result<Rows, Problem> {
        let Some(address) = &self.address else { return Ok(Rows::InFolder) };
        let password = self.password_file.as_deref().map(read_private).transpose()?;
        let password = password.as_ref().map(|bytes| std::str::from_utf8(bytes));
        let password = password
            .transpose()
            .map_err(|_| fault("the file of the store's password is not text".to_owned()))?;
        if store::Server::parse(address, None)?.has_password() {
            return Err(Problem::new("SR-CONFIG-005", 500, "the address of the store holds a password")
                .help(
                    "write it into a file that is its owner's alone, and name that in `store.password_file`",
                ));
        }
        Ok(Rows::OnServer(store::Server::parse(
            address,
            password.map(|text| text.lines().next().unwrap_or_default()),
        )?))
    }
}

/// Whose packs of law are taken.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LawConfig {
    /// A list of verifier keys, `name+hash+base64`: packs are installed, and answer, if one of them signed their bundle.
    pub trusted: Vec<String>,
}

/// Who elsewhere is told of the ledger's heads.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// Its name here: small letters, digits, `-`.
    pub name: String,
    /// `file` or `http`.
    pub kind: WitnessKind,
    /// Of a file: where it is. One that is required must be there before the first start, empty.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// Of a server: the address before `/add-checkpoint`. Without TLS on loopback only.
    #[serde(default)]
    pub url: Option<String>,
    /// Of a server: the authorities to trust there, PEM; the system's, if it is left out.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Of a server: its verifier key, `name+hash+base64`.
    #[serde(default)]
    pub key: Option<String>,
    /// Seconds between two heads that it is told; 1 to 86,400.
    #[serde(default = "every_minute")]
    pub every_seconds: u32,
    /// Health turns red when it was not heard for so many seconds; 60 to 2,592,000, and three times `every_seconds` at the least.
    #[serde(default = "red_after_an_hour")]
    pub red_after_seconds: u32,
    /// A start is refused when it cannot be heard.
    #[serde(default)]
    pub required: bool,
}

/// What a witness is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WitnessKind {
    /// A file.
    File,
    /// A server that speaks C2SP tlog-witness.
    Http,
}

fn every_minute() -> u32 {
    60
}

fn red_after_an_hour() -> u32 {
    3_600
}

impl WitnessConfig {
    /// Fails: `SR-CONFIG-002`.
    fn place(&self) -> Result<WitnessPlace, Problem> {
        let impossible = |what: &str| {
            Problem::new("SR-CONFIG-002", 500, format!("`[[witness]]` {}: {what}", self.shown()))
        };
        let is_name = !self.name.is_empty()
            && self.name.len() <= 64
            && self
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_name {
            return Err(impossible("`name` is 1 to 64 small letters, digits and `-`"));
        }
        let is_often = (1..=86_400).contains(&self.every_seconds);
        let is_soon = (60..=2_592_000).contains(&self.red_after_seconds);
        if !is_often || !is_soon || self.red_after_seconds / 3 < self.every_seconds {
            return Err(impossible(
                "`every_seconds` is 1 to 86,400, `red_after_seconds` 60 to 2,592,000 and three times as much at the least",
            ));
        }
        let at = match (self.kind, &self.path, &self.url, &self.key) {
            (WitnessKind::File, Some(path), None, None) if self.ca_file.is_none() => {
                WitnessAt::File(path.clone())
            }
            (WitnessKind::File, ..) => {
                return Err(impossible("a file has a `path`, and nothing of a server"));
            }
            (WitnessKind::Http, None, Some(url), Some(key)) => {
                let key = WitnessKey::parse(key)
                    .map_err(|_| impossible("`key` is the verifier key of a witness, `name+hash+base64`"))?;
                WitnessAt::Http { url: url.clone(), ca_file: self.ca_file.clone(), key }
            }
            (WitnessKind::Http, ..) => {
                return Err(impossible("a server has a `url` and a `key`, and no `path`"));
            }
        };
        let micros = |seconds: u32| i64::from(seconds).saturating_mul(SECOND);
        Ok(WitnessPlace {
            name: self.name.clone(),
            at,
            every: micros(self.every_seconds),
            red_after: micros(self.red_after_seconds),
            duty: if self.required { Duty::Required } else { Duty::Wanted },
        })
    }

    /// Its name, if it can be shown.
    fn shown(&self) -> String {
        self.name.chars().filter(|c| !c.is_control()).take(64).collect()
    }
}

/// What the command line says about places; it wins over the file.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// The data folder.
    pub data: Option<PathBuf>,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// The keys folder.
    pub keys: Option<PathBuf>,
    /// A key file.
    pub key_file: Option<PathBuf>,
    /// A file with a passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// Files with shares of officers.
    pub shares: Vec<PathBuf>,
    /// The address of a database.
    pub store: Option<String>,
    /// A file with the password of its user.
    pub store_password_file: Option<PathBuf>,
}

impl Config {
    /// Reads the configuration of a data folder; what is not said is as usual.
    ///
    /// Fails: `SR-CONFIG-001` when the file cannot be read, `SR-CONFIG-002` when it says something impossible.
    pub fn read(flags: &Flags, data: &Path) -> Result<Config, Problem> {
        let said = flags.config.clone().or_else(from_environment);
        let file = said.clone().unwrap_or_else(|| data.join(FILE));
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && said.is_none() => String::new(),
            Err(error) => {
                return Err(fault(format!("the configuration cannot be read ({:?})", error.kind())));
            }
        };
        let mut config: Config = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| {
                text.get(..span.start).unwrap_or_default().matches('\n').count().saturating_add(1)
            });
            fault(format!("the configuration is wrong in line {line}: {}", error.message()))
        })?;
        config.check()?;
        if let Some(address) = &flags.store {
            config.store.address = Some(address.clone());
        }
        if let Some(file) = &flags.store_password_file {
            config.store.password_file = Some(file.clone());
        }
        Ok(config)
    }

    /// The witnesses. Fails: `SR-CONFIG-002`.
    pub fn witnesses(&self) -> Result<Vec<WitnessPlace>, Problem> {
        let all = self.witness.iter().map(WitnessConfig::place).collect::<Result<Vec<_>, _>>()?;
        let names: HashSet<&str> = all.iter().map(|place| place.name.as_str()).collect();
        let mut keys: Vec<String> = Vec::new();
        for place in &all {
            if let WitnessAt::Http { key, .. } = &place.at {
                keys.push(key.to_string());
            }
        }
        let different: HashSet<&String> = keys.iter().collect();
        if names.len() < all.len() || different.len() < keys.len() {
            return Err(Problem::new(
                "SR-CONFIG-002",
                500,
                "two `[[witness]]` have one name or one key: each would count for the other",
            ));
        }
        Ok(all)
    }

    /// The keys whose bundles of packs are taken. Fails: `SR-CONFIG-002`.
    pub fn trusted(&self) -> Result<Vec<Verifier>, Problem> {
        let keys = self.law.trusted.iter().map(|key| Verifier::parse(key));
        keys.collect::<Result<_, _>>().map_err(|_| {
            Problem::new("SR-CONFIG-002", 500, "`law.trusted` is a list of verifier keys, `name+hash+base64`")
        })
    }

    /// Tells the house where letters go, and who signs people in. Fails: `SR-CONFIG-002`, `SR-MAIL-001`, `SR-KEYS-…`.
    pub fn furnish(&self, house: &House) -> Result<(), Problem> {
        if let Some(mail) = &self.mail {
            house.post.goes_by(mail.mailer()?);
        }
        for one in &self.sign_in {
            house.signers.add(&one.shop, one.signer()?);
        }
        Ok(())
    }

    /// Is what it says possible? Fails: `SR-CONFIG-002` or `SR-CONFIG-003`.
    pub fn check(&self) -> Result<(), Problem> {
        self.witnesses()?;
        self.trusted()?;
        let impossible = |title: &'static str| Err(Problem::new("SR-CONFIG-002", 500, title));
        if !(1..=365).contains(&self.epoch.days) {
            return impossible("`epoch.days` is 1 to 365");
        }
        let keys = &self.keys;
        let locks = [
            keys.key_file.is_some(),
            keys.passphrase_file.is_some(),
            keys.openbao.is_some(),
            keys.pkcs11.is_some(),
        ];
        if locks.into_iter().filter(|lock| *lock).count() > 1 {
            return impossible(
                "the keyring has one lock: `keys.key_file`, `keys.passphrase_file`, `keys.openbao` or `keys.pkcs11`",
            );
        }
        if keys.grace_seconds > 86_400 {
            return impossible("`keys.grace_seconds` is 0 to 86,400");
        }
        if keys.openbao.as_ref().is_some_and(|openbao| !openbao.is_possible()) {
            return impossible(
                "`keys.openbao` takes names of letters, digits, `-`, `_` and `.`, and a `timeout_seconds` of 1 to 60",
            );
        }
        if self.limits.connections == 0 || self.store.cache_mib == 0 {
            return impossible("`limits.connections` and `store.cache_mib` are at least 1");
        }
        if !self.server.admin.ip().is_loopback() {
            return impossible("`server.admin` listens on loopback only");
        }
        if !self.server.listen.ip().is_loopback() && self.tls.is_none() && !self.server.behind_tls_proxy {
            return Err(Problem::new("SR-CONFIG-003", 500, "`server.listen` is not on loopback, and there is no TLS")
                .help("give `[tls]` a certificate and a key; or, behind a proxy that does TLS, set `server.behind_tls_proxy = true`"));
        }
        Ok(())
    }

    /// Where everything is.
    ///
    /// Fails: `SR-CONFIG-004` when nobody said where the keys are.
    pub fn places(&self, flags: &Flags, data: &Path) -> Result<Places, Problem> {
        let keys = flags.keys.clone().or_else(|| self.keys.folder.clone()).ok_or_else(|| {
            Problem::new("SR-CONFIG-004", 500, "nobody said where the keys folder is")
                .help("give `--keys DIR`, or write `[keys] folder = …` into strongroom.toml")
        })?;
        let lock = self.lock(flags, &keys);
        Ok(Places {
            data: data.to_path_buf(),
            rows: self.store.rows()?,
            keys,
            lock,
            epoch_days: self.epoch.days,
            cache_mib: self.store.cache_mib,
            witnesses: self.witnesses()?,
            trusted: self.trusted()?,
        })
    }

    /// Says what locks the keyring, as the command line said it, in paths that hold from anywhere.
    pub fn lock_with(&mut self, flags: &Flags) -> Result<(), Problem> {
        let keys = &mut self.keys;
        if flags.key_file.is_some() || flags.passphrase_file.is_some() {
            keys.key_file.clone_from(&flags.key_file);
            keys.passphrase_file.clone_from(&flags.passphrase_file);
            (keys.openbao, keys.pkcs11) = (None, None);
        }
        let mut files: Vec<&mut PathBuf> =
            keys.key_file.iter_mut().chain(&mut keys.passphrase_file).collect();
        if let Some(openbao) = &mut keys.openbao {
            files.push(&mut openbao.token_file);
            files.extend(&mut openbao.ca_file);
        }
        if let Some(pkcs11) = &mut keys.pkcs11 {
            files.extend([&mut pkcs11.module, &mut pkcs11.pin_file]);
        }
        for file in files {
            *file = std::path::absolute(&*file)?;
        }
        Ok(())
    }

    /// What locks the keyring in this folder. What the command line says wins; of the file, the one lock that it names.
    fn lock(&self, flags: &Flags, keys: &Path) -> LockSource {
        if !flags.shares.is_empty() {
            return LockSource::Shares(flags.shares.clone());
        }
        match (&flags.key_file, &flags.passphrase_file) {
            (Some(file), _) => LockSource::KeyFile(file.clone()),
            (None, Some(file)) => LockSource::PassphraseFile(file.clone()),
            (None, None) => self.configured_lock(keys),
        }
    }

    /// What the file says that locks the keyring in this folder.
    pub fn configured_lock(&self, keys: &Path) -> LockSource {
        let KeysConfig { key_file, passphrase_file, openbao, pkcs11, .. } = &self.keys;
        match (passphrase_file, openbao, pkcs11) {
            (Some(file), ..) => LockSource::PassphraseFile(file.clone()),
            (None, Some(openbao), _) => LockSource::OpenBao(openbao.place()),
            (None, None, Some(Pkcs11Config { module, token, key, pin_file })) => {
                let (module, pin_file) = (module.clone(), pin_file.clone());
                LockSource::Pkcs11(Pkcs11Place { module, token: token.clone(), key: key.clone(), pin_file })
            }
            (None, None, None) => LockSource::KeyFile(key_file.clone().unwrap_or_else(|| keys.join(UNLOCK))),
        }
    }
}

/// A configuration file that is about to name another place of the rows.
#[derive(Debug, Clone)]
pub struct Rewrite {
    file: PathBuf,
    text: String,
}

impl Rewrite {
    /// The file as it is, but for where the rows are. What people wrote beside that stays as they wrote it.
    ///
    /// Takes: address and password file of a server, or nothing for the data folder. Fails: `SR-CONFIG-006` when the file says
    /// where the rows are in a way that cannot be changed line by line.
    pub fn of(
        flags: &Flags,
        data: &Path,
        address: Option<&str>,
        password_file: Option<&Path>,
    ) -> Result<Rewrite, Problem> {
        let file = flags.config.clone().or_else(from_environment).unwrap_or_else(|| data.join(FILE));
        let before = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        let password_file = password_file.map(|file| file.to_string_lossy().into_owned());
        let said = [("address", address.map(str::to_owned)), ("password_file", password_file)];
        let text = with_store(&before, &said);
        let wanted = before.parse::<toml::Table>().ok().and_then(|mut table| {
            let store = table.entry("store").or_insert_with(|| toml::Table::new().into()).as_table_mut()?;
            for (key, value) in &said {
                store.remove(*key);
                if let Some(value) = value {
                    store.insert((*key).to_owned(), value.clone().into());
                }
            }
            Some(table)
        });
        let comes_to = text.parse::<toml::Table>().ok();
        if wanted.is_none() || comes_to != wanted {
            return Err(Problem::new(
                "SR-CONFIG-006",
                500,
                "the configuration cannot be changed line by line",
            )
            .help("write what belongs to the store below a line `[store]`, each key on a line of its own"));
        }
        Ok(Rewrite { file, text })
    }

    /// Puts it in the place of the file: it is there whole, or the old one is.
    pub fn write(&self) -> Result<(), Problem> {
        let mut name = self.file.file_name().unwrap_or_default().to_os_string();
        name.push(".new");
        let coming = self.file.with_file_name(name);
        if coming.exists() {
            std::fs::remove_file(&coming)?; // of a move that was cut off
        }
        write_new(&coming, self.text.as_bytes())?;
        if let Ok(metadata) = std::fs::metadata(&self.file) {
            std::fs::set_permissions(&coming, metadata.permissions())?;
        }
        std::fs::rename(&coming, &self.file)?;
        Ok(sync_folder(folder_of(&self.file))?)
    }
}

/// A configuration with other keys below `[store]`.
fn with_store(before: &str, said: &[(&str, Option<String>)]) -> String {
    let is_header = |line: &str| line.split('#').next().unwrap_or_default().trim() == "[store]";
    let lines = || {
        said.iter().filter_map(|(key, value)| {
            let value = toml::Value::String(value.clone()?);
            Some(format!("{key} = {value}\n"))
        })
    };
    let (mut text, mut inside, mut found) = (String::new(), false, false);
    for line in before.lines() {
        if line.trim_start().starts_with('[') {
            inside = is_header(line);
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        if inside && said.iter().any(|(name, _)| *name == key) {
            continue;
        }
        text.push_str(line);
        text.push('\n');
        if inside && is_header(line) {
            found = true;
            text.extend(lines());
        }
    }
    if !found {
        text.push_str("\n[store]\n");
        text.extend(lines());
    }
    text
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn from_environment() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

fn fault(title: String) -> Problem {
    Problem::new("SR-CONFIG-001", 500, title).help("docs/reference/configuration.md lists every key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Problem> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        Config::read(&Flags::default(), folder.path())
    }

    #[test]
    fn another_place_of_the_rows_is_written_and_the_rest_stays_as_it_was() {
        let rewritten = |text: &str, address: Option<&str>| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let password = address.map(|_| Path::new("/p w"));
            Rewrite::of(&Flags::default(), folder.path(), address, password)?.write().unwrap();
            let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
            assert_eq!(left.len(), 1, "nothing is left beside it");
            Ok::<_, Problem>(std::fs::read_to_string(folder.path().join(FILE)).unwrap())
        };
        let text =
            "# mine\n[epoch]\ndays = 7 # short\n\n[store] # here\ncache_mib = 9\n\n[limits]\nburst = 3\n";
        let there = rewritten(text, Some("postgres://a@h/d")).unwrap();
        let added = "[store] # here\naddress = \"postgres://a@h/d\"\npassword_file = \"/p w\"\n";
        assert_eq!(there, text.replace("[store] # here\n", added));
        assert_eq!(rewritten(&there, None).unwrap(), text, "and back");
        assert!(rewritten("", Some("postgres://a@h/d")).unwrap().contains("[store]\naddress"));
        for one_line in ["store = { cache_mib = 9 }\n", "store.address = \"postgres://a@h/d\"\n"] {
            assert_eq!(rewritten(one_line, Some("postgres://b@h/d")).unwrap_err().code, "SR-CONFIG-006");
        }
    }

    #[test]
    fn an_absent_file_is_as_usual_and_an_unknown_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let usual = Config::read(&Flags::default(), folder.path()).unwrap();
        assert_eq!((usual.epoch.days, usual.server.listen.port()), (30, 8700));
        let problem = read("[server]\nlisten = \"127.0.0.1:1\"\nlissten = 1\n").unwrap_err();
        assert_eq!(problem.code, "SR-CONFIG-001");
        assert!(problem.title.contains("line 3"), "{}", problem.title);
    }

    #[test]
    fn elsewhere_than_on_loopback_takes_tls() {
        assert_eq!(read("[server]\nlisten = \"0.0.0.0:8700\"").unwrap_err().code, "SR-CONFIG-003");
        assert!(read("[server]\nlisten = \"0.0.0.0:8700\"\nbehind_tls_proxy = true").is_ok());
        assert_eq!(read("[server]\nadmin = \"0.0.0.0:8701\"").unwrap_err().code, "SR-CONFIG-002");
    }

    #[test]
    fn a_witness_is_a_file_or_a_server_with_a_key() {
        let key = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
        let file = "[[witness]]\nname = \"worm\"\nkind = \"file\"\npath = \"/mnt/worm/heads\"\n";
        let server = format!(
            "[[witness]]\nname = \"remora\"\nkind = \"http\"\nurl = \"https://remora.example\"\nkey = \"{key}\"\n"
        );
        let both = read(&format!("{file}{server}required = true\n")).unwrap().witnesses().unwrap();
        assert_eq!(both.iter().map(|place| place.duty).collect::<Vec<_>>(), [Duty::Wanted, Duty::Required]);
        let log = "strongroom/shop+1c5a9f3e+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
        for wrong in [
            format!("{file}{file}"),
            format!("{file}key = \"{key}\"\n"),
            format!("{file}every_seconds = 0\n"),
            format!("{file}every_seconds = 1201\n"),
            format!("{file}red_after_seconds = 59\n"),
            file.replace("worm\"\n", "a worm\"\n"),
            file.replace("path = \"/mnt/worm/heads\"\n", ""),
            server.replace(key, log),
            server.replace("url = \"https://remora.example\"\n", ""),
            format!("{server}{}", server.replace("\"remora\"", "\"again\"")),
        ] {
            assert_eq!(read(&wrong).unwrap_err().code, "SR-CONFIG-002", "{wrong}");
        }
        assert_eq!(read(&file.replace("\"file\"", "\"post\"")).unwrap_err().code, "SR-CONFIG-001");
    }

    #[test]
    fn flags_win_over_the_file() {
        let config = read("[keys]\nfolder = \"/file\"\npassphrase_file = \"/words\"").unwrap();
        let flags = Flags { keys: Some("/flag".into()), key_file: Some("/key".into()), ..Flags::default() };
        let places = config.places(&flags, Path::new("/data")).unwrap();
        assert_eq!((places.keys, places.lock), ("/flag".into(), LockSource::KeyFile("/key".into())));
        let places = config.places(&Flags::default(), Path::new("/data")).unwrap();
        assert_eq!(places.lock, LockSource::PassphraseFile("/words".into()));
        let flags = Flags { shares: vec!["/one".into(), "/two".into()], ..Flags::default() };
        let Ok(Places { lock: LockSource::Shares(files), .. }) = config.places(&flags, Path::new("/data"))
        else {
            panic!("shares win over what the file says")
        };
        assert_eq!(files.len(), 2);
    }

    #[test]
    fn the_keyring_has_one_lock_and_its_holder_a_name_that_can_stand_in_a_path() {
        let bao = |more: &str| {
            read(&format!(
                "[keys]\nfolder = \"/k\"\n{more}\n[keys.openbao]\naddress = \"https://bao.example:8200\"\nkey = \"strongroom\"\ntoken_file = \"/t\""
            ))
        };
        let config = bao("").unwrap();
        let LockSource::OpenBao(place) = config.places(&Flags::default(), Path::new("/d")).unwrap().lock
        else {
            panic!("OpenBao locks it")
        };
        assert_eq!(
            (place.mount.as_str(), place.timeout, config.keys.grace_seconds),
            ("transit", Duration::from_secs(5), 900)
        );
        let token = "pkcs11 = { module = \"/m\", token = \"t\", key = \"k\", pin_file = \"/p\" }";
        for other in ["key_file = \"/f\"", "passphrase_file = \"/f\"", "grace_seconds = 86401", token] {
            assert_eq!(bao(other).unwrap_err().code, "SR-CONFIG-002", "{other}");
        }
        for wrong in [
            "key = \"a/../b\"",
            "key = \"a b\"",
            "key = \"\"",
            "key = \"k?x=1\"",
            "key = \"k\"\nmount = \"../sys\"",
            "key = \"k\"\ntimeout_seconds = 0",
        ] {
            let text = format!("[keys.openbao]\naddress = \"https://b\"\ntoken_file = \"/t\"\n{wrong}");
            assert_eq!(read(&text).unwrap_err().code, "SR-CONFIG-002", "{wrong}");
        }
    }
}
