//! Against SoftHSM: a token in a folder of its own. What is not there is skipped aloud.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;

const CONTEXT: &[u8] = b"a context";
const PIN: &str = "1234";

/// Where systems have SoftHSM's driver.
fn driver() -> Option<PathBuf> {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ];
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    if found.is_none() {
        eprintln!(
            "SKIPPED: a PKCS#11 token: SoftHSM is not here (`cargo xtask test --only needs` installs it)"
        );
    }
    found
}

/// SoftHSM reads from the environment where its tokens are, and a process has one environment: what is tried with a token is tried in
/// a process of its own.
#[test]
fn a_token_of_softhsm_wraps_and_opens() {
    if driver().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let config = folder.path().join("softhsm2.conf");
    let text = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
    std::fs::write(&config, text).unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "vault", "--so-pin", "12345678", "--pin", PIN])
        .env("SOFTHSM2_CONF", &config)
        .stdout(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let within = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::within_a_process_that_has_a_token", "--ignored", "--nocapture"])
        .env("SOFTHSM2_CONF", &config)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&within.stdout);
    assert!(
        within.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&within.stderr)
    );
}

/// Makes an AES key as an operator does, who may do it otherwise than it should be.
fn make(driver: &Path, label: &str, bytes: u64, extractable: bool) {
    let loaded = load(driver).unwrap();
    let slots = loaded.get_slots_with_initialized_token().unwrap();
    let session = loaded.open_rw_session(slots[0]).unwrap();
    session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned()))).unwrap();
    let template = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(!extractable),
        Attribute::Extractable(extractable),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::ValueLen(bytes.into()),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
}

#[test]
#[ignore = "a_token_of_softhsm_wraps_and_opens runs it, in a process that has a token"]
fn within_a_process_that_has_a_token() {
    let driver = driver().unwrap();
    for (label, bytes, extractable) in
        [("good", 32, false), ("other", 32, false), ("open", 32, true), ("short", 16, false)]
    {
        make(&driver, label, bytes, extractable);
    }
    let at = |key: &'static str| Place { driver: &driver, token: "vault", key };
    let secret = [7; 32];
    let wrapped = wrap(at("good"), PIN, CONTEXT, [1; 12], &secret).unwrap();
    assert_eq!(wrapped.len(), 12 + 32 + 16);
    assert_ne!(wrap(at("good"), PIN, CONTEXT, [2; 12], &secret).unwrap(), wrapped);
    assert_eq!(*unwrap(at("good"), PIN, CONTEXT, &wrapped).unwrap(), secret);

    // Bound to its context, its key, and every byte.
    assert_eq!(unwrap(at("good"), PIN, b"another", &wrapped).unwrap_err(), Error::OtherKey);
    assert_eq!(unwrap(at("other"), PIN, CONTEXT, &wrapped).unwrap_err(), Error::OtherKey);
    for position in 0..wrapped.len() {
        let mut flipped = wrapped.clone();
        flipped[position] ^= 1;
        assert_eq!(
            unwrap(at("good"), PIN, CONTEXT, &flipped).unwrap_err(),
            Error::OtherKey,
            "byte {position}"
        );
        assert_eq!(unwrap(at("good"), PIN, CONTEXT, &wrapped[..position]).unwrap_err(), Error::OtherKey);
    }

    // A key that may leave the token is no better than a file; a short one is not what is promised.
    for key in ["open", "short"] {
        assert_eq!(wrap(at(key), PIN, CONTEXT, [1; 12], &secret).unwrap_err(), Error::Unfit, "{key}");
    }
    assert_eq!(wrap(at("none"), PIN, CONTEXT, [1; 12], &secret).unwrap_err(), Error::NoKey);
    assert_eq!(wrap(at("good"), "4321", CONTEXT, [1; 12], &secret).unwrap_err(), Error::Pin);
    let elsewhere = Place { token: "elsewhere", ..at("good") };
    assert_eq!(wrap(elsewhere, PIN, CONTEXT, [1; 12], &secret).unwrap_err(), Error::NoToken);
    let no_driver = Place { driver: Path::new("/none.so"), ..at("good") };
    assert_eq!(wrap(no_driver, PIN, CONTEXT, [1; 12], &secret).unwrap_err(), Error::Driver);
}
