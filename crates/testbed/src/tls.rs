//! Certificates for a server: its own, and those that a client must refuse.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

/// Who signed the server's certificate.
pub(crate) const CA: &str = "ca.pem";
/// Who signed nothing that a server here shows.
pub(crate) const STRANGER: &str = "stranger.pem";
/// Server certificates by their names: the right one, one for another host, one that is past its end. The key of each ends in
/// `.key`.
pub(crate) const SERVER: &str = "server";
const ELSEWHERE: &str = "elsewhere";
const EXPIRED: &str = "expired";

/// The names that the right certificate stands for.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// Writes them all. Gives the files that hold keys.
pub(crate) fn make(folder: &Path) -> Vec<PathBuf> {
    let write = |name: String, text: String| -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (ca, issuer) = authority("Test bed");
    write(CA.into(), ca.pem());
    write(STRANGER.into(), authority("Stranger").0.pem());

    let names = NAMES.map(String::from).to_vec();
    let right = CertificateParams::new(names.clone()).unwrap();
    let elsewhere = CertificateParams::new(vec![String::from("elsewhere.example")]).unwrap();
    let mut expired = CertificateParams::new(names).unwrap();
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let all = [(SERVER, right), (ELSEWHERE, elsewhere), (EXPIRED, expired)];
    let keys = all.into_iter().map(|(name, mut params)| {
        let key = KeyPair::generate().unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        write(format!("{name}.pem"), params.signed_by(&key, &issuer).unwrap().pem());
        write(format!("{name}.key"), key.serialize_pem())
    });
    keys.collect()
}

fn authority(name: &str) -> (Certificate, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate, Issuer::new(params, key))
}
