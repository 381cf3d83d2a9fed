//! Who signs in people by a token of the shop's own: a JSON Web Token (RFC 7519) under a secret that the shop shares, or under one of its
//! public keys.
//!
//! A token counts for two minutes at the most, once, for one shop. The time is the house's, not the library's.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use seal::Personal;
use serde::Deserialize;

use super::clock::{MINUTE, SECOND};
use super::problem::Problem;

/// So long a token counts at the most, from when it was made.
const LIFETIME: i64 = 2 * MINUTE;
/// Clocks of the shop and the house differ by so much.
const ASIDE: i64 = MINUTE;
/// The longest token, bytes.
const LONGEST: usize = 4096;
/// The shortest secret, bytes. SOURCE: RFC 7518 §3.2, for HS256.
const SHORTEST_SECRET: usize = 32;

/// Who signs for one shop.
pub struct Signer(Keys);

enum Keys {
    Secret(DecodingKey),
    Public(JwkSet),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// What a token says: who it is, by the shop's own id of them.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    iat: i64,
    exp: i64,
}

/// One shop, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Signer {
    /// By a secret. Fails: `SR-CONFIG-002` when it is shorter than 32 bytes.
    pub fn by_secret(secret: &[u8]) -> Result<Signer, Problem> {
        let fault = || Problem::new("SR-CONFIG-002", 500, "the secret of `sign_in` is at least 32 bytes");
        if secret.len() < SHORTEST_SECRET {
            return Err(fault());
        }
        DecodingKey::from_secret(secret).map(|key| Signer(Keys::Secret(key))).map_err(|_| fault())
    }

    /// By public keys. Fails: `SR-CONFIG-002` when the file is no set of keys (RFC 7517), or none of them can sign.
    pub fn by_keys(jwks: &[u8]) -> Result<Signer, Problem> {
        let fault =
            || Problem::new("SR-CONFIG-002", 500, "the keys of `sign_in` are a JWK set with a public key");
        let set: JwkSet = serde_json::from_slice(jwks).map_err(|_| fault())?;
        let can_sign = set.keys.iter().any(|key| algorithm_of(key).is_some());
        if can_sign { Ok(Signer(Keys::Public(set))) } else { Err(fault()) }
    }

    /// Who a token names, by the shop's own id. Gives: `None` for every token that does not count here and now; why, nobody is told.
    pub fn names(&self, token: &str, shop: &str, now: i64) -> Option<Personal<String>> {
        if token.len() > LONGEST {
            return None;
        }
        let header = decode_header(token).ok()?;
        // ORDER: the key says which algorithm counts, and the token does not: a public key is never taken for a secret.
        let (algorithm, key) = match &self.0 {
            Keys::Secret(key) => (Algorithm::HS256, key.clone()),
            Keys::Public(set) => {
                let jwk = match &header.kid {
                    Some(kid) => set.find(kid)?,
                    None => set.keys.first().filter(|_| set.keys.len() == 1)?,
                };
                (algorithm_of(jwk)?, DecodingKey::from_jwk(jwk).ok()?)
            }
        };
        if header.alg != algorithm {
            return None;
        }
        let mut validation = Validation::new(algorithm);
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        validation.required_spec_claims.clear();
        let claims = decode::<Claims>(token, &key, &validation).ok()?.claims;
        let here = match &claims.aud {
            Audience::One(one) => one == shop,
            Audience::Several(several) => several.iter().any(|one| one == shop),
        };
        let (made, ends) = (claims.iat.checked_mul(SECOND)?, claims.exp.checked_mul(SECOND)?);
        let in_time = made <= now.saturating_add(ASIDE)
            && now < ends.saturating_add(ASIDE)
            && now < made.saturating_add(LIFETIME).saturating_add(ASIDE);
        (here && in_time && !claims.sub.is_empty()).then(|| Personal::new(claims.sub))
    }
}

/// What a key signs with; `None` for one that is secret, or that we do not take.
fn algorithm_of(jwk: &Jwk) -> Option<Algorithm> {
    use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve};
    match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => Some(Algorithm::ES256),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(_) => Some(Algorithm::EdDSA),
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        _ => None,
    }
}

/// Who signs, by the id of the shop.
#[derive(Debug, Default)]
pub struct Signers(RwLock<HashMap<String, Arc<Signer>>>);

impl Signers {
    /// From now on this one signs for a shop.
    pub fn add(&self, shop: &str, signer: Signer) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(shop.to_owned(), Arc::new(signer));
    }

    /// Who signs for a shop; `None` where nobody does.
    pub fn find(&self, shop: &str) -> Option<Arc<Signer>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(shop).cloned()
    }
}
