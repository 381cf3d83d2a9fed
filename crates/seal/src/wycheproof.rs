//! Project Wycheproof's vectors, run through the very functions that seal, derive and mark.
//!
//! What our types do not admit (another key size, another nonce) cannot be run; it is counted, so that a vector that is
//! skipped without a reason fails the test.

use std::collections::BTreeMap;

use sha2::Sha256;
use wycheproof::TestResult;
use wycheproof::{aead, hkdf, mac};

use crate::error::Error;
use crate::secret::same;
use crate::suite::{Cipher, Keyed, Suite, TAG, derive};

/// What became of a set of vectors.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Vectors that must be taken, and were.
    valid: usize,
    /// Vectors that must be refused, and were.
    refused: usize,
    /// Groups and vectors that were not run, by reason.
    skipped: BTreeMap<&'static str, (usize, usize)>,
}

impl Tally {
    fn skip(&mut self, why: &'static str, vectors: usize) {
        let (groups, all) = self.skipped.entry(why).or_default();
        *groups += 1;
        *all += vectors;
    }

    #[track_caller]
    fn count(&mut self, result: TestResult, is_taken: bool, what: &str) {
        match (result, is_taken) {
            (TestResult::Valid, true) => self.valid += 1,
            (TestResult::Invalid, false) => self.refused += 1,
            _ => panic!("{what} is {result:?}, and taken: {is_taken}"),
        }
    }

    /// Says what was run and what was not, and that nothing is missing.
    #[expect(clippy::disallowed_macros, reason = "a test says what it skips")]
    #[track_caller]
    fn comes_to(&self, set: &str, all: usize, expected: &Tally) {
        println!("wycheproof {set}: {} taken, {} refused as they must be", self.valid, self.refused);
        for (why, (groups, vectors)) in &self.skipped {
            println!("wycheproof {set}: SKIPPED {vectors} vectors in {groups} groups: {why}");
        }
        let skipped: usize = self.skipped.values().map(|(_, vectors)| vectors).sum();
        assert_eq!(self.valid + self.refused + skipped, all, "every vector is run or counted");
        assert_eq!(self, expected);
    }
}

/// Runs the vectors that have the key's length that `cipher` takes.
fn seals_and_opens(set: &aead::TestSet, key_bits: usize, cipher: impl Fn(&[u8]) -> Cipher) -> Tally {
    let mut tally = Tally::default();
    for group in &set.test_groups {
        if group.key_size != key_bits {
            tally.skip("a key of another length than our type", group.tests.len());
            continue;
        }
        if group.nonce_size != 96 {
            tally.skip("a nonce that has not 96 bits: ours is an array of 12 bytes", group.tests.len());
            continue;
        }
        assert_eq!(group.tag_size, TAG * 8);
        for test in &group.tests {
            let nonce: [u8; 12] = test.nonce.as_slice().try_into().unwrap();
            let cipher = cipher(&test.key);
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened = cipher.open(nonce, &test.aad, &sealed);
            let is_taken = match &opened {
                Ok(plain) => plain.as_slice() == test.pt.as_slice(),
                Err(error) => {
                    assert_eq!(*error, Error::Broken, "vector {}", test.tc_id);
                    false
                }
            };
            tally.count(test.result, is_taken, &format!("vector {}", test.tc_id));
            if test.result == TestResult::Valid {
                // Behind other bytes, as fields stand in an envelope.
                let mut buffer = [b"header", test.pt.as_slice()].concat();
                cipher.seal(nonce, &test.aad, &mut buffer, 6).unwrap();
                assert_eq!(buffer, [b"header", sealed.as_slice()].concat(), "vector {}", test.tc_id);
            }
        }
    }
    tally
}

#[test]
fn aes_256_gcm_seals_and_opens_as_wycheproof_says() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let tally = seals_and_opens(&set, 256, |key| Cipher::aes(key.try_into().unwrap()).unwrap());
    let skipped = BTreeMap::from([
        ("a key of another length than our type", (30, 211)),
        ("a nonce that has not 96 bits: ours is an array of 12 bytes", (14, 39)),
    ]);
    tally.comes_to("AES-GCM", set.number_of_tests, &Tally { valid: 39, refused: 27, skipped });
}

#[test]
fn sm4_gcm_seals_and_opens_as_wycheproof_says() {
    let set = aead::TestSet::load(aead::TestName::Sm4Gcm).unwrap();
    let tally = seals_and_opens(&set, 128, |key| Cipher::sm4(key.try_into().unwrap()));
    let skipped = BTreeMap::from([("a nonce that has not 96 bits: ours is an array of 12 bytes", (14, 39))]);
    tally.comes_to("SM4-GCM", set.number_of_tests, &Tally { valid: 38, refused: 27, skipped });
}

/// Our derivation gives arrays; which lengths the vectors ask for is known.
fn derived(length: usize, salt: &[u8], secret: &[u8], info: &[u8]) -> Option<Result<Vec<u8>, Error>> {
    macro_rules! one_of {
        ($($known:literal)*) => { match length {
            $($known => Some(derive::<Sha256, $known>(salt, secret, &[info]).map(|okm| okm.to_vec())),)*
            _ => None,
        } };
    }
    one_of!(20 32 42 56 64 80 82 128 8160 8161)
}

#[test]
fn hkdf_sha256_derives_as_wycheproof_says() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let Some(okm) = derived(test.size, &test.salt, &test.ikm, &test.info) else {
            tally.skip("a length that this test does not list", 1);
            continue;
        };
        let what = format!("vector {}", test.tc_id);
        tally.count(test.result, okm.is_ok_and(|okm| okm == test.okm.as_slice()), &what);
        // Ours takes the info in parts: where they are cut must not matter.
        if test.size == 64 && test.result == TestResult::Valid {
            let (one, two) = test.info.split_at(test.info.len() / 2);
            let cut = derive::<Sha256, 64>(&test.salt, &test.ikm, &[one, two]).unwrap();
            assert_eq!(cut.as_slice(), test.okm.as_slice(), "{what}");
        }
    }
    tally.comes_to(
        "HKDF-SHA-256",
        set.number_of_tests,
        &Tally { valid: 83, refused: 3, skipped: BTreeMap::new() },
    );
}

/// Runs vectors of a MAC, whole and cut to 16 bytes.
fn marks(set: &mac::TestSet, suite: Suite) -> Tally {
    let mut tally = Tally::default();
    for group in &set.test_groups {
        for test in &group.tests {
            let keyed = Keyed::new(suite, &test.key);
            let (one, two) = test.msg.split_at(test.msg.len() / 2);
            let is_taken = match group.tag_size {
                256 => same(&keyed.mac(&[one, two]), &test.tag),
                128 => same(&keyed.mac16(&[one, two]), &test.tag),
                _ => {
                    tally.skip("a tag that has neither 32 nor 16 bytes", 1);
                    continue;
                }
            };
            tally.count(test.result, is_taken, &format!("vector {}", test.tc_id));
        }
    }
    tally
}

#[test]
fn hmac_sha256_marks_as_wycheproof_says_whole_and_cut_to_16_bytes() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let expected = Tally { valid: 66, refused: 108, skipped: BTreeMap::new() };
    marks(&set, Suite::Aes256Gcm).comes_to("HMAC-SHA-256", set.number_of_tests, &expected);
}

#[test]
fn hmac_sm3_marks_as_wycheproof_says_whole_and_cut_to_16_bytes() {
    let set = mac::TestSet::load(mac::TestName::HmacSm3).unwrap();
    let expected = Tally { valid: 66, refused: 108, skipped: BTreeMap::new() };
    marks(&set, Suite::Sm4Gcm).comes_to("HMAC-SM3", set.number_of_tests, &expected);
}
