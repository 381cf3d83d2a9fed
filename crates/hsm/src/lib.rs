//! A key in a PKCS#11 token: an AES key that never leaves it, and wraps what 32 bytes are worth. SOURCE: PKCS #11 v2.40, v3.0.
//!
//! What is held: the drivers that were loaded, for the life of the process. PKCS#11 is made so: a driver is initialised once for a
//! process, and whoever unloads it takes it from all others.
//!
//! A driver is foreign code in our own memory, and may hang or crash the process. Whoever builds this in trusts it as the program.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Failed, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why the token did not do it. Holds no text of the driver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// The driver cannot be loaded.
    #[error("its driver cannot be loaded")]
    Driver,
    /// No token of this label is in any slot.
    #[error("no token of this label is there")]
    NoToken,
    /// The PIN is wrong, or locked.
    #[error("it does not take this PIN")]
    Pin,
    /// No secret key of this label.
    #[error("it has no AES key of this label")]
    NoKey,
    /// The key may leave the token, or may not encrypt and decrypt, or is no AES key of 256 bits.
    #[error("its key of this label may leave it, or may not encrypt and decrypt, or is not AES-256")]
    Unfit,
    /// The key is there, and it did not wrap this.
    #[error("its key of this label did not wrap this")]
    OtherKey,
    /// Something else of the token's.
    #[error("it failed")]
    Failed,
}

/// Where a key is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The token's driver, a shared library.
    pub driver: &'a Path,
    /// The token's label.
    pub token: &'a str,
    /// The key's label.
    pub key: &'a str,
}

const NONCE: usize = 12;
const TAG: usize = 16;
const TAG_BITS: u64 = 128;
const KEY: usize = 32;

/// Wraps 32 bytes, bound to a context: `nonce ‖ AES-256-GCM(key, nonce, context, secret)`.
///
/// Takes: `nonce`, random; it is not left to the token, for not every one makes a good one. Fails: also when the key may leave the
/// token, for then it is no better than a file.
pub fn wrap(
    place: Place<'_>,
    pin: &str,
    context: &[u8],
    nonce: [u8; NONCE],
    secret: &[u8; KEY],
) -> Result<Vec<u8>, Error> {
    let (session, key) = open(place, pin)?;
    must_be_fit(&session, key)?;
    let mut iv = nonce;
    let mechanism = gcm(&mut iv, context)?;
    let sealed =
        session.encrypt(&Mechanism::AesGcm(mechanism), key, secret).map_err(|error| meaning_of(&error))?;
    // A token that hands out the plain text as its answer would be found out here, and not by whoever steals the keyring.
    if sealed.len() != KEY.saturating_add(TAG) {
        return Err(Error::Failed);
    }
    Ok([&nonce[..], &sealed].concat())
}

/// Opens what [`wrap`] made.
pub fn unwrap(
    place: Place<'_>,
    pin: &str,
    context: &[u8],
    wrapped: &[u8],
) -> Result<Zeroizing<[u8; KEY]>, Error> {
    let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>().ok_or(Error::OtherKey)?;
    let (session, key) = open(place, pin)?;
    let mut iv = *nonce;
    let mechanism = gcm(&mut iv, context)?;
    let opened = session.decrypt(&Mechanism::AesGcm(mechanism), key, sealed).map(Zeroizing::new);
    let opened = opened.map_err(|error| match meaning_of(&error) {
        // Drivers have many names for a tag that does not fit.
        Error::Failed => Error::OtherKey,
        other => other,
    })?;
    let secret: [u8; KEY] = opened.as_slice().try_into().map_err(|_| Error::OtherKey)?;
    Ok(Zeroizing::new(secret))
}

fn gcm<'a>(iv: &'a mut [u8; NONCE], context: &'a [u8]) -> Result<GcmParams<'a>, Error> {
    let bits = TAG_BITS.try_into().map_err(|_| Error::Failed)?;
    GcmParams::new(iv, context, bits).map_err(|_| Error::Failed)
}

/// Logs in at the token, and finds the key. The session ends with the value.
fn open(place: Place<'_>, pin: &str) -> Result<(Session, ObjectHandle), Error> {
    let driver = load(place.driver)?;
    let slots = driver.get_slots_with_token().map_err(|error| meaning_of(&error))?;
    let has_label = |slot: &cryptoki::slot::Slot| {
        driver.get_token_info(*slot).is_ok_and(|info| info.label().trim_end() == place.token)
    };
    let slot = slots.into_iter().find(has_label).ok_or(Error::NoToken)?;
    let session = driver.open_ro_session(slot).map_err(|error| meaning_of(&error))?;
    match session.login(UserType::User, Some(&AuthPin::from(pin.to_owned()))) {
        Ok(()) | Err(Failed::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
        Err(error) => return Err(meaning_of(&error)),
    }
    let wanted = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(place.key.as_bytes().to_vec()),
    ];
    let found = session.find_objects(&wanted).map_err(|error| meaning_of(&error))?;
    let key = found.first().copied().ok_or(Error::NoKey)?;
    Ok((session, key))
}

fn must_be_fit(session: &Session, key: ObjectHandle) -> Result<(), Error> {
    let asked = [
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::Encrypt,
        AttributeType::Decrypt,
        AttributeType::ValueLen,
    ];
    let said = session.get_attributes(key, &asked).map_err(|error| meaning_of(&error))?;
    let fit = said.iter().all(|attribute| match attribute {
        Attribute::Sensitive(is) | Attribute::Encrypt(is) | Attribute::Decrypt(is) => *is,
        Attribute::Extractable(is) => !*is,
        Attribute::ValueLen(length) => u64::from(*length) == KEY as u64,
        _ => true,
    });
    let told = |kind: AttributeType| said.iter().any(|attribute| attribute.attribute_type() == kind);
    let says_enough = told(AttributeType::Sensitive) && told(AttributeType::Extractable);
    if fit && says_enough { Ok(()) } else { Err(Error::Unfit) }
}

/// Drivers that were loaded, each once.
static LOADED: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());

fn load(driver: &Path) -> Result<Pkcs11, Error> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, found)) = loaded.iter().find(|(path, _)| path == driver) {
        return Ok(found.clone());
    }
    let fresh = Pkcs11::new(driver).map_err(|_| Error::Driver)?;
    match fresh.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Failed::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(_) => return Err(Error::Driver),
    }
    loaded.push((driver.to_path_buf(), fresh.clone()));
    Ok(fresh)
}

fn meaning_of(error: &Failed) -> Error {
    let Failed::Pkcs11(code, _) = error else { return Error::Failed };
    match code {
        RvError::PinIncorrect
        | RvError::PinLocked
        | RvError::PinExpired
        | RvError::PinInvalid
        | RvError::PinLenRange
        | RvError::UserPinNotInitialized
        | RvError::UserNotLoggedIn => Error::Pin,
        RvError::TokenNotPresent
        | RvError::TokenNotRecognized
        | RvError::DeviceRemoved
        | RvError::SlotIdInvalid => Error::NoToken,
        RvError::KeyFunctionNotPermitted
        | RvError::KeyTypeInconsistent
        | RvError::KeySizeRange
        | RvError::MechanismInvalid
        | RvError::MechanismParamInvalid => Error::Unfit,
        RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange => Error::OtherKey,
        _ => Error::Failed,
    }
}

#[cfg(test)]
mod tests;
