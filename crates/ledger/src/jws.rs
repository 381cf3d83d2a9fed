//! Signed records: compact JWS (RFC 7515) with Ed25519 (RFC 8037), by the key that signs the heads of a log.
//!
//! One key signs both, and no signature of one sort passes for the other: what a JWS signs is two texts of base64url with a
//! dot between them and has no line break; what a note signs ends with one. ADR 0051 says why there is no second key.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Error;
use crate::note::{Signer, Verifier};

/// What the header of a signed record says it is. SOURCE: RFC 8725 §3.11 (explicit types).
pub const TYPE: &str = "strongroom-record+jws";

/// The longest JWS that is read.
pub const MAX_JWS_BYTES: usize = 262_144;

/// Signs a record.
///
/// Takes: the record's bytes, JSON-LD in UTF-8. Gives: the compact form; the same bytes and key give the same.
/// Fails: `SR-LEDGER-017`; `SR-LEDGER-036` if it would be longer than `MAX_JWS_BYTES`.
///
/// ```
/// # use ledger::{jws, note::Signer};
/// let signer = Signer::from_seed("shop.example/ledger", &[1; 32])?;
/// let signed = jws::sign(b"{}", &signer)?;
/// assert_eq!(jws::open(&signed, signer.verifier())?, b"{}");
/// # Ok::<(), ledger::Error>(())
/// ```
pub fn sign(record: &[u8], signer: &Signer) -> Result<String, Error> {
    let header = Header {
        alg: ALGORITHM.to_owned(),
        cty: CONTENT.to_owned(),
        kid: signer.verifier().id(),
        typ: TYPE.to_owned(),
    };
    let header = serde_json::to_vec(&header).map_err(|_| Error::JwsMalformed)?;
    let input = format!("{}.{}", BASE64URL_NOPAD.encode(&header), BASE64URL_NOPAD.encode(record));
    let signature = BASE64URL_NOPAD.encode(&signer.signature(&input)?);
    let signed = format!("{input}.{signature}");
    if signed.len() > MAX_JWS_BYTES { Err(Error::JwsMalformed) } else { Ok(signed) }
}

/// Which record did this key sign?
///
/// Gives: the record's bytes. Fails: `SR-LEDGER-036` for any other form, also for a header with further members;
/// `SR-LEDGER-037` if the header names another key; `SR-LEDGER-038` if the signature is wrong.
pub fn open(signed: &str, verifier: &Verifier) -> Result<Vec<u8>, Error> {
    if signed.len() > MAX_JWS_BYTES {
        return Err(Error::JwsMalformed);
    }
    let malformed = || Error::JwsMalformed;
    let (input, signature) = signed.rsplit_once('.').ok_or_else(malformed)?;
    let (header, record) = input.split_once('.').ok_or_else(malformed)?;
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Error::JwsMalformed);
    let (header, record, signature) = (decode(header)?, decode(record)?, decode(signature)?);
    let header: Header = serde_json::from_slice(&header).map_err(|_| Error::JwsMalformed)?;
    if (header.alg.as_str(), header.cty.as_str(), header.typ.as_str()) != (ALGORITHM, CONTENT, TYPE) {
        return Err(Error::JwsMalformed);
    }
    if header.kid != verifier.id() {
        return Err(Error::JwsOtherKey);
    }
    if verifier.accepts(input.as_bytes(), &signature) { Ok(record) } else { Err(Error::JwsWrong) }
}

/// The public key as a JWK (RFC 8037), for libraries of others. Its `kid` is that of the headers.
pub fn jwk(verifier: &Verifier) -> Value {
    json!({
        "kty": "OKP", "crv": "Ed25519", "x": BASE64URL_NOPAD.encode(verifier.public_key()),
        "alg": ALGORITHM, "use": "sig", "kid": verifier.id(),
    })
}

/// The header, with exactly these members.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    cty: String,
    kid: String,
    typ: String,
}

const ALGORITHM: &str = "EdDSA";
const CONTENT: &str = "ld+json";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::hash::Hash;
    use crate::note;

    fn signer(seed: u8) -> Signer {
        Signer::from_seed("shop.example/log", &[seed; 32]).unwrap()
    }

    /// A JWS with this header and payload, signed by this key whatever they are.
    fn forged(header: &str, payload: &[u8], signer: &Signer) -> String {
        let input =
            format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(payload));
        let signature = BASE64URL_NOPAD.encode(&signer.signature(&input).unwrap());
        format!("{input}.{signature}")
    }

    /// SOURCE: RFC 8037, Appendix A.4: the key, the input and the signature stand there.
    #[test]
    fn the_example_of_the_rfc_is_signed_as_the_rfc_signs_it() {
        let seed = BASE64URL_NOPAD.decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let signer = Signer::from_seed("rfc", &seed.try_into().unwrap()).unwrap();
        assert_eq!(jwk(signer.verifier())["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let signature = signer.signature("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
        assert_eq!(
            BASE64URL_NOPAD.encode(&signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn a_record_comes_back_as_it_was_signed() {
        let signed = sign(b"{\"a\":1}", &signer(1)).unwrap();
        assert_eq!(open(&signed, signer(1).verifier()).unwrap(), b"{\"a\":1}");
        assert_eq!(sign(b"{\"a\":1}", &signer(1)).unwrap(), signed);
    }

    #[test]
    fn another_key_another_record_and_another_header_are_refused() {
        let key = signer(1);
        let signed = sign(b"{}", &key).unwrap();
        assert_eq!(open(&signed, signer(2).verifier()), Err(Error::JwsOtherKey));
        let [header, _, signature] = signed.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let other = format!("{header}.{}.{signature}", BASE64URL_NOPAD.encode(b"{ }"));
        assert_eq!(open(&other, key.verifier()), Err(Error::JwsWrong));
        let kid = key.verifier().id();
        for header in [
            format!(r#"{{"alg":"none","cty":"ld+json","kid":"{kid}","typ":"{TYPE}"}}"#),
            format!(r#"{{"alg":"EdDSA","cty":"ld+json","kid":"{kid}","typ":"JWT"}}"#),
            format!(r#"{{"alg":"EdDSA","cty":"json","kid":"{kid}","typ":"{TYPE}"}}"#),
            format!(r#"{{"alg":"EdDSA","cty":"ld+json","kid":"{kid}","typ":"{TYPE}","crit":["b64"]}}"#),
            format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"{TYPE}"}}"#),
            String::new(),
        ] {
            let forged = forged(&header, b"{}", &key);
            assert_eq!(open(&forged, key.verifier()), Err(Error::JwsMalformed), "{header}");
        }
        for bad in
            ["", "a.b", "....", &format!("{signed}."), &format!("{signed}="), &signed.replacen('e', "", 1)]
        {
            assert_eq!(open(bad, key.verifier()), Err(Error::JwsMalformed), "{bad}");
        }
        let cut: String = signed.chars().take(signed.len() - 2).collect();
        assert_eq!(open(&cut, key.verifier()), Err(Error::JwsWrong));
        assert_eq!(open(&" ".repeat(MAX_JWS_BYTES + 1), key.verifier()), Err(Error::JwsMalformed));
        assert_eq!(sign(&vec![b' '; MAX_JWS_BYTES], &key), Err(Error::JwsMalformed));
    }

    /// A head's signature under a record, and a record's under a head: neither is taken.
    #[test]
    fn no_signature_of_a_head_passes_for_one_of_a_record() {
        let key = signer(1);
        let head = Checkpoint::new("shop.example/log", 3, Hash([7; 32])).unwrap().sign(&key).unwrap();
        let parts = note::Parts::read(&head).unwrap();
        let of_the_head = BASE64URL_NOPAD.encode(&parts.lines[0].signature);
        let signed = sign(b"{}", &key).unwrap();
        let (input, _) = signed.rsplit_once('.').unwrap();
        assert_eq!(open(&format!("{input}.{of_the_head}"), key.verifier()), Err(Error::JwsWrong));
        // The input is no text of a note: that must end with a line break.
        assert_eq!(note::sign(input, &[&key]), Err(Error::NoteMalformed));
        assert!(!input.contains('\n') && parts.text.ends_with('\n'));
    }

    proptest! {
        #[test]
        fn hostile_text_is_refused_calmly(text: String) {
            prop_assert!(open(&text, signer(1).verifier()).is_err());
        }

        /// Whatever record is signed, its input is not the text of any note.
        #[test]
        fn no_record_makes_an_input_with_a_line_break(record: Vec<u8>) {
            let signed = sign(&record, &signer(1)).unwrap();
            prop_assert!(!signed.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)));
        }
    }
}
