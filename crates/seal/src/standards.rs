//! Vectors of the standards themselves, for what Wycheproof has no vectors of.

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use sm3::Sm3;

use crate::error::Error;
use crate::suite::{Cipher, Suite, derive};

fn bytes(hex: &str) -> Vec<u8> {
    HEX.decode(hex.as_bytes()).unwrap()
}

/// SOURCE: RFC 8998, appendix A.1.
#[test]
fn sm4_gcm_seals_as_rfc_8998_says() {
    let key: [u8; 16] = bytes("0123456789ABCDEFFEDCBA9876543210").try_into().unwrap();
    let nonce: [u8; 12] = bytes("00001234567800000000ABCD").try_into().unwrap();
    let aad = bytes("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2");
    let plain = bytes(concat!(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD",
        "EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA",
    ));
    let sealed = bytes(concat!(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735",
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D",
        "83DE3541E4C2B58177E065A9BF7B62EC",
    ));
    let cipher = Cipher::sm4(&key);
    let mut buffer = plain.clone();
    cipher.seal(nonce, &aad, &mut buffer, 0).unwrap();
    assert_eq!(buffer, sealed);
    assert_eq!(*cipher.open(nonce, &aad, &sealed).unwrap(), plain);
    for position in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[position] ^= 1;
        assert_eq!(cipher.open(nonce, &aad, &flipped).err(), Some(Error::Broken), "byte {position}");
    }
}

/// SOURCE: GB/T 32905-2016, appendix A.
#[test]
fn sm3_hashes_as_gb_t_32905_says() {
    let one = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    assert_eq!(Suite::Sm4Gcm.digest(&[b"a", b"bc"]).as_slice(), bytes(one));
    let two = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
    assert_eq!(Suite::Sm4Gcm.digest(&[b"abcd".repeat(16).as_slice()]).as_slice(), bytes(two));
}

/// Made by Python's `hmac` over OpenSSL's SM3, by the text of RFC 5869: no standard has vectors of HKDF with this hash.
/// The document's own vectors are held against Python in another test, with all that hangs on them.
#[test]
fn hkdf_sm3_derives_as_openssl_does() {
    let okm = derive::<Sm3, 48>(&[0xa5; 32], &[0x0b; 22], &[b"in", b"fo"]).unwrap();
    assert_eq!(okm.as_slice(), bytes(HKDF));
    let none = derive::<Sm3, 16>(&[], &[0x0b; 32], &[b"info"]).unwrap();
    assert_eq!(none.as_slice(), bytes(HKDF_WITHOUT_SALT));
}

const HKDF: &str = concat!(
    "70f75148d5f4efd02326db8e4738ef1b6486b22cac1a88a0bae3fa470af1616d",
    "6e2f027a69e468a87af70f9bb20a4fe1",
);
const HKDF_WITHOUT_SALT: &str = "6af52944b1000a0e2e76b4755c0cc9ca";
