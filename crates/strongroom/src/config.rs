//! Configuration: `strongroom.toml` in the data folder. Flags win; secrets stand in files of their own; of the environment
//! only `STRONGROOM_CONFIG` is read, here and nowhere else.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::cosign::WitnessKey;
use serde::{Deserialize, Serialize};

use crate::ground::Problem;
use crate::ground::clock::SECOND;
use crate::ground::key_holder::{LockSource, OpenBaoPlace};
use crate::ground::keys_folder::UNLOCK;
use crate::ground::witnesses::{Duty, WitnessAt, WitnessPlace};
use crate::open::Places;

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
    /// The embedded store.
    pub store: StoreConfig,
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
}

impl Default for KeysConfig {
    fn default() -> KeysConfig {
        KeysConfig { folder: None, key_file: None, passphrase_file: None, grace_seconds: 900, openbao: None }
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

/// The embedded store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Page cache of the writer, MiB.
    pub cache_mib: u32,
}

impl Default for StoreConfig {
    fn default() -> StoreConfig {
        StoreConfig { cache_mib: 64 }
    }
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
        let config: Config = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| {
                text.get(..span.start).unwrap_or_default().matches('\n').count().saturating_add(1)
            });
            fault(format!("the configuration is wrong in line {line}: {}", error.message()))
        })?;
        config.check()?;
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

    /// Is what it says possible? Fails: `SR-CONFIG-002` or `SR-CONFIG-003`.
    pub fn check(&self) -> Result<(), Problem> {
        self.witnesses()?;
        let impossible = |title: &'static str| Err(Problem::new("SR-CONFIG-002", 500, title));
        if !(1..=365).contains(&self.epoch.days) {
            return impossible("`epoch.days` is 1 to 365");
        }
        let keys = &self.keys;
        let locks = [keys.key_file.is_some(), keys.passphrase_file.is_some(), keys.openbao.is_some()];
        if locks.into_iter().filter(|lock| *lock).count() > 1 {
            return impossible(
                "the keyring has one lock: `keys.key_file`, `keys.passphrase_file` or `keys.openbao`",
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
            keys,
            lock,
            epoch_days: self.epoch.days,
            cache_mib: self.store.cache_mib,
            witnesses: self.witnesses()?,
        })
    }

    /// Says what locks the keyring, as the command line said it, in paths that hold from anywhere.
    pub fn lock_with(&mut self, flags: &Flags) -> Result<(), Problem> {
        let absolute = |file: &mut PathBuf| -> Result<(), Problem> {
            *file = std::path::absolute(&*file)?;
            Ok(())
        };
        let keys = &mut self.keys;
        if flags.key_file.is_some() || flags.passphrase_file.is_some() {
            keys.key_file.clone_from(&flags.key_file);
            keys.passphrase_file.clone_from(&flags.passphrase_file);
            keys.openbao = None;
        }
        let openbao =
            keys.openbao.iter_mut().flat_map(|bao| bao.ca_file.iter_mut().chain([&mut bao.token_file]));
        keys.key_file.iter_mut().chain(&mut keys.passphrase_file).chain(openbao).try_for_each(absolute)
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
        let KeysConfig { key_file, passphrase_file, openbao, .. } = &self.keys;
        match (passphrase_file, openbao) {
            (Some(file), _) => LockSource::PassphraseFile(file.clone()),
            (None, Some(openbao)) => LockSource::OpenBao(openbao.place()),
            (None, None) => LockSource::KeyFile(key_file.clone().unwrap_or_else(|| keys.join(UNLOCK))),
        }
    }
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
        for other in ["key_file = \"/f\"", "passphrase_file = \"/f\"", "grace_seconds = 86401"] {
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
