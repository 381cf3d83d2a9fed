//! The transit of an OpenBao or Vault server. SOURCE: OpenBao's API documentation, "Transit secrets engine".
//!
//! It wraps the key that locks the keyring, and is asked for nothing else: no data and no key of data goes there.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::Method;
use data_encoding::BASE64;
use seal::{Holder, Lock, Locked, Secret};
use serde_json::{Value as Json, json};
use zeroize::{Zeroize, Zeroizing};

use super::{Attendance, HolderFault, KeyHolder};
use crate::ground::keys_folder::{KeysError, read_private};
use crate::ground::outward::{Bounds, Outgoing, Outward};
use crate::ground::random::SystemRandom;

/// Where the server is, and what we may use there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBaoPlace {
    /// `https://HOST[:PORT]`.
    pub address: String,
    /// Where the transit is mounted.
    pub mount: String,
    /// The key's name.
    pub key: String,
    /// The namespace, when there is one.
    pub namespace: Option<String>,
    /// A file with the token; read anew for each request.
    pub token_file: PathBuf,
    /// The authorities to trust; the system's without it.
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What is bound to everything that we have wrapped, so that nobody else's use of the same key opens it.
pub(super) const CONTEXT: &[u8] = b"strongroom/keyring/1";
/// The longest answer. One is about 200 bytes long.
const ANSWER_LIMIT: usize = 64 << 10;
/// A token is renewed so often, while it can be.
const RENEW_EVERY: Duration = Duration::from_hours(1);

/// The holder.
#[derive(Debug)]
pub(super) struct OpenBao {
    place: OpenBaoPlace,
    outward: Outward,
    renewed: Mutex<Option<Instant>>,
}

impl OpenBao {
    pub(super) fn new(place: &OpenBaoPlace) -> Result<OpenBao, KeysError> {
        let bounds = Bounds { connect: place.timeout, whole: place.timeout, answer: ANSWER_LIMIT };
        let outward = Outward::new(&place.address, place.ca_file.as_deref(), bounds).map_err(|error| {
            let fault = HolderFault::from(error);
            KeysError::Holder { who: "OpenBao".to_owned(), fault }
        })?;
        Ok(OpenBao { place: place.clone(), outward, renewed: Mutex::new(None) })
    }

    fn fault(&self, fault: HolderFault) -> KeysError {
        KeysError::Holder { who: format!("OpenBao at {}", self.outward.peer()), fault }
    }

    fn encrypt(&self, key: &Secret<32>) -> Result<String, KeysError> {
        let mut plain = BASE64.encode(key.expose());
        let asked = json!({ "plaintext": plain, "associated_data": BASE64.encode(CONTEXT) });
        plain.zeroize();
        let answer = self.ask("encrypt", &asked)?;
        let wrapped = answer.pointer("/data/ciphertext").and_then(Json::as_str);
        wrapped.map(str::to_owned).ok_or_else(|| self.fault(HolderFault::Unwell { status: 200 }))
    }

    fn decrypt(&self, wrapped: &str) -> Result<Secret<32>, KeysError> {
        let asked = json!({ "ciphertext": wrapped, "associated_data": BASE64.encode(CONTEXT) });
        let mut answer = self.ask("decrypt", &asked)?;
        let plain = match answer.pointer_mut("/data/plaintext").map(Json::take) {
            Some(Json::String(plain)) => Zeroizing::new(plain),
            _ => return Err(self.fault(HolderFault::Unwell { status: 200 })),
        };
        let bytes = Zeroizing::new(BASE64.decode(plain.as_bytes()).unwrap_or_default());
        let key: Zeroizing<[u8; 32]> =
            Zeroizing::new(bytes.as_slice().try_into().map_err(|_| self.fault(HolderFault::OtherKey))?);
        Ok(Secret::new(*key))
    }

    /// Asks the transit. Gives its answer when it is a good one.
    fn ask(&self, verb: &str, body: &Json) -> Result<Json, KeysError> {
        let path = format!("/v1/{}/{verb}/{}", self.place.mount, self.place.key);
        let mut body = Zeroizing::new(body.to_string());
        let (status, answer) = self.send(&path, &body)?;
        body.zeroize();
        match status {
            200 => serde_json::from_slice(&answer).map_err(|_| self.fault(HolderFault::Unwell { status })),
            status => Err(self.fault(meaning_of(status, &answer))),
        }
    }

    fn send(&self, path: &str, body: &str) -> Result<(u16, Zeroizing<Vec<u8>>), KeysError> {
        let token = read_private(&self.place.token_file)?;
        let token = std::str::from_utf8(&token).unwrap_or_default().trim();
        let mut headers = vec![("x-vault-token", token), ("content-type", "application/json")];
        if let Some(namespace) = &self.place.namespace {
            headers.push(("x-vault-namespace", namespace));
        }
        let outgoing = Outgoing { method: &Method::POST, path, headers: &headers, body: body.as_bytes() };
        let incoming = self.outward.send_blocking(outgoing).map_err(|error| self.fault(error.into()))?;
        Ok((incoming.status, incoming.body))
    }

    /// Makes the token last. One that does not have to, or cannot, is as good as before; one that is over is noticed when it is used.
    fn renew(&self) {
        let mut renewed = self.renewed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if renewed.is_none_or(|at| at.elapsed() >= RENEW_EVERY) {
            *renewed = Some(Instant::now());
            let _ = self.send("/v1/auth/token/renew-self", "{}");
        }
    }
}

/// What an answer that is not a good one says. The server tells some things apart in its text only.
fn meaning_of(status: u16, answer: &[u8]) -> HolderFault {
    let answer: Json = serde_json::from_slice(answer).unwrap_or(Json::Null);
    let errors = answer.get("errors").and_then(Json::as_array).into_iter().flatten();
    let says = |words: &str| errors.clone().filter_map(Json::as_str).any(|error| error.contains(words));
    match status {
        403 => HolderFault::Denied,
        // No such mount, or a route that only a transit has.
        404 => HolderFault::NoKey,
        400 if says("encryption key not found") => HolderFault::NoKey,
        400 if says("non-AEAD") => HolderFault::UnfitKey,
        400 => HolderFault::OtherKey,
        503 if says("sealed") => HolderFault::Sealed,
        status => HolderFault::Unwell { status },
    }
}

impl KeyHolder for OpenBao {
    fn lock_anew(&self) -> Result<Lock, KeysError> {
        let key = Secret::random(&mut SystemRandom::new())?;
        let wrapped = self.encrypt(&key)?;
        // ORDER: opened again before anything is locked with it. A token that may wrap and not unwrap would lock us out.
        if !seal::same(self.decrypt(&wrapped)?.expose(), key.expose()) {
            return Err(self.fault(HolderFault::OtherKey));
        }
        Ok(Lock::Held { by: Holder::OpenBao, key, wrapped: wrapped.into_bytes() })
    }

    fn unlock(&self, locked: &Locked) -> Result<Lock, KeysError> {
        let Locked::ByHolder { by: Holder::OpenBao, wrapped } = locked else {
            return Err(KeysError::Seal(seal::Error::OtherLock { wanted: locked.name() }));
        };
        let text = std::str::from_utf8(wrapped).map_err(|_| KeysError::Seal(seal::Error::KeyringDamaged))?;
        let key = self.decrypt(text)?;
        self.renew();
        Ok(Lock::Held { by: Holder::OpenBao, key, wrapped: wrapped.clone() })
    }

    fn attendance(&self) -> Attendance {
        Attendance::Always
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_has_one_meaning_each() {
        let errors = |text: &str| json!({ "errors": [text] }).to_string().into_bytes();
        for (status, text, code) in [
            (503, "Vault is sealed", "SR-KEYS-010"),
            (403, "permission denied", "SR-KEYS-011"),
            (400, "encryption key not found", "SR-KEYS-012"),
            (404, "no handler for route \"transit/decrypt/k\"", "SR-KEYS-012"),
            (400, "cipher: message authentication failed", "SR-KEYS-013"),
            (400, "'[0].associated_data' provided for non-AEAD cipher suite rsa-2048", "SR-KEYS-018"),
            (500, "internal error", "SR-KEYS-014"),
            (503, "local node not active", "SR-KEYS-014"),
            (307, "", "SR-KEYS-014"),
        ] {
            assert_eq!(meaning_of(status, &errors(text)).code(), code, "{status} {text}");
        }
        assert_eq!(meaning_of(503, b"<html>a proxy's page</html>").code(), "SR-KEYS-014");
    }
}
