//! A secret split among officers: any so many of them open it together, and fewer know nothing at all. SOURCE: Shamir, "How to
//! share a secret", 1979, over GF(2^8) with the polynomial of AES; docs/spec/seal.md, "Shares".
//!
//! ```text
//! share = 1 ‖ set(5) ‖ need(1) ‖ of(1) ‖ number(1) ‖ part(32) ‖ check(4)        45 bytes, as four rows of text
//! ```
//! Each byte of the secret is the value at 0 of a polynomial of its own, of degree `need - 1`, whose other coefficients are random;
//! a part is its values at `number`. What is checked on the way (`check`, and two letters in each row) is made of the share alone.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::{Random, Secret};
use crate::suite::Suite;

/// Officers at the most. More would never come together in one room.
pub const SHARES_MOST: u8 = 16;

const VERSION: u8 = 1;
const LENGTH: usize = 45;
const CHECK: usize = 4;
const ROWS: usize = 4;
/// Letters of a row that are the share's, and behind them letters that check the row.
const ROW: usize = 18;
const ROW_CHECK: usize = 2;

/// How a secret was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// Which splitting it was: random, and public. Shares of two sets never fit together.
    pub set: [u8; 5],
    /// So many open it.
    pub need: u8,
    /// So many there are.
    pub of: u8,
}

impl Split {
    /// The set's name, as people read it.
    pub fn name(&self) -> String {
        let name = LETTERS.encode(&self.set);
        let (one, two) = name.split_at_checked(4).unwrap_or((&name, ""));
        format!("{one}-{two}")
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        self.set.into_iter().chain([self.need, self.of]).collect()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Split> {
        let (set, rest) = bytes.split_first_chunk::<5>()?;
        let [need, of] = *rest else { return None };
        let split = Split { set: *set, need, of };
        split.is_possible().then_some(split)
    }

    fn is_possible(self) -> bool {
        (2..=self.of).contains(&self.need) && self.of <= SHARES_MOST
    }
}

/// What one officer keeps.
pub struct Share {
    /// Of which splitting.
    pub split: Split,
    /// Which share of it, from 1.
    pub number: u8,
    part: Secret<32>,
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("split", &self.split)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// Splits a secret into a new set of shares.
///
/// Takes: `need` of 2 or more, `of` of at most [`SHARES_MOST`]. Fails: `SR-SEAL-019` for other numbers.
pub fn split(secret: &Secret<32>, need: u8, of: u8, random: &mut impl Random) -> Result<Vec<Share>, Error> {
    let mut split = Split { set: [0; 5], need, of };
    if !split.is_possible() {
        return Err(Error::NoSplit { most: SHARES_MOST });
    }
    random.fill(&mut split.set)?;
    // One random number for each power of x, and each byte of the secret: every one of 256 is as likely, zero too.
    let coefficients: Vec<Secret<32>> =
        (1..need).map(|_| Secret::random(random)).collect::<Result<_, _>>()?;
    let share = |number: u8| {
        let mut part = Zeroizing::new([0; 32]);
        for (at, byte) in part.iter_mut().enumerate() {
            let of_power = |of: &Secret<32>| of.expose().get(at).copied().unwrap_or(0);
            // Horner: the highest power first, the secret last.
            let highest_first = coefficients.iter().rev().chain([secret]);
            *byte = highest_first.fold(0, |value, of| times(value, number) ^ of_power(of));
        }
        Share { split, number, part: Secret::new(*part) }
    };
    Ok((1..=of).map(share).collect())
}

/// Puts a secret together. More shares than are needed must fit the others.
///
/// Fails: `SR-SEAL-016` for shares of two sets, `SR-SEAL-017` when one stands there twice, `SR-SEAL-018` for too few, `SR-SEAL-020`
/// when one does not fit the others. Whether it is the secret is for whatever it opens to say.
pub fn join(shares: &[Share]) -> Result<(Secret<32>, Split), Error> {
    let Some(first) = shares.first() else { return Err(Error::TooFewShares { given: 0, need: 2 }) };
    let split = first.split;
    for (at, share) in shares.iter().enumerate() {
        if share.split != split {
            return Err(Error::OtherSet);
        }
        if shares.iter().take(at).any(|before| before.number == share.number) {
            return Err(Error::SharedTwice { number: share.number });
        }
    }
    let need = usize::from(split.need);
    let Some((enough, more)) = shares.split_at_checked(need) else {
        let given = u8::try_from(shares.len()).unwrap_or(u8::MAX);
        return Err(Error::TooFewShares { given, need: split.need });
    };
    for share in more {
        if !crate::secret::same(value_at(enough, share.number).expose(), share.part.expose()) {
            return Err(Error::ShareDoesNotFit { number: share.number });
        }
    }
    Ok((value_at(enough, 0), split))
}

/// The polynomials' values at a place, out of as many of their values as determine them (Lagrange).
fn value_at(shares: &[Share], place: u8) -> Secret<32> {
    let mut values = Zeroizing::new([0; 32]);
    for share in shares {
        // Numbers of shares are public; only parts are not.
        let others = shares.iter().filter(|other| other.number != share.number);
        let weight = others.fold(1, |weight, other| {
            let over = place ^ other.number;
            times(weight, times(over, inverse(share.number ^ other.number)))
        });
        for (value, part) in values.iter_mut().zip(share.part.expose()) {
            *value ^= times(weight, *part);
        }
    }
    Secret::new(*values)
}

/// Multiplies in GF(2^8), in a time that does not depend on the factors.
fn times(mut one: u8, other: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= one & 0_u8.wrapping_sub(other >> bit & 1);
        // Times x; what falls out at the top comes back as x^4 + x^3 + x + 1.
        one = one << 1 ^ 0x1b & 0_u8.wrapping_sub(one >> 7);
    }
    product
}

/// 1 / x, as x^254; 0 of 0, which never comes up: two shares have two numbers.
fn inverse(of: u8) -> u8 {
    let mut power = of;
    let mut result = 1;
    for _ in 1..8 {
        power = times(power, power);
        result = times(result, power);
    }
    result
}

/// Crockford's letters: none of them looks like another, and what people write instead is read as it was meant.
static LETTERS: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    specification.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    specification.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    // The specification is a constant, and valid: a test reads its first share back.
    specification.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
});

impl Share {
    /// What an officer writes down or prints: lines that begin with `#` are for people, the rows are the share.
    pub fn to_text(&self) -> Zeroizing<String> {
        let letters = Zeroizing::new(LETTERS.encode(&self.encode()));
        let Split { need, of, .. } = self.split;
        // Room for all of it; and writing to memory cannot fail.
        let mut text = Zeroizing::new(String::with_capacity(512));
        let _ = writeln!(text, "# Strongroom: share {} of {of}, set {}", self.number, self.split.name());
        let _ =
            writeln!(text, "# Any {need} of the {of} open the keyring together; fewer tell nothing of it.");
        for (row, letters) in (1_u8..).zip(letters.as_bytes().chunks(ROW)) {
            let _ = write!(text, "{row}:");
            let check = row_check(row, letters);
            for (at, letter) in letters.iter().chain(&check).enumerate() {
                if at % 5 == 0 {
                    text.push(' ');
                }
                text.push(char::from(*letter));
            }
            text.push('\n');
        }
        text
    }

    /// Reads what [`Share::to_text`] wrote, or a person typed: large or small letters, blanks and hyphens where they like.
    ///
    /// Fails: `SR-SEAL-015` naming the first row that is not as it was written; `SR-SEAL-021` when all rows are and the whole is not.
    pub fn parse(text: &str) -> Result<Share, Error> {
        let mut rows = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut letters = Zeroizing::new(Vec::with_capacity(ROWS * ROW));
        for row in 1..=4_u8 {
            let wrong = Error::ShareMistyped { row };
            let (number, typed) = rows.next().and_then(|line| line.split_once(':')).ok_or(wrong)?;
            if number.trim().parse() != Ok(row) {
                return Err(wrong);
            }
            let typed: Zeroizing<Vec<u8>> = Zeroizing::new(
                typed
                    .bytes()
                    .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-')
                    .map(as_meant)
                    .collect(),
            );
            let (own, check) = typed.split_at_checked(ROW).ok_or(wrong)?;
            if check != row_check(row, own) {
                return Err(wrong);
            }
            letters.extend_from_slice(own);
        }
        if rows.next().is_some() {
            return Err(Error::NotAShare);
        }
        let bytes = Zeroizing::new(LETTERS.decode(&letters).map_err(|_| Error::NotAShare)?);
        Share::decode(&bytes).ok_or(Error::NotAShare)
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.split.encode());
        bytes.push(self.number);
        bytes.extend_from_slice(self.part.expose());
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Share> {
        let (said, checked) = bytes.split_last_chunk::<CHECK>()?;
        if bytes.len() != LENGTH || *checked != check(said) {
            return None;
        }
        let (head, part) = said.split_last_chunk::<32>()?;
        let (version, rest) = head.split_first()?;
        let (number, split) = rest.split_last()?;
        let split = Split::decode(split)?;
        let fits = *version == VERSION && (1..=split.of).contains(number);
        fits.then(|| Share { split, number: *number, part: Secret::new(*part) })
    }
}

/// The letter that somebody meant who wrote a small one, or one that looks like it.
fn as_meant(letter: u8) -> u8 {
    match letter.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        letter => letter,
    }
}

fn check(said: &[u8]) -> [u8; CHECK] {
    let digest = Suite::Aes256Gcm.digest(&[b"strongroom/share/1", said]);
    *digest.first_chunk().unwrap_or(&[0; CHECK])
}

/// Two letters that tell a mistyped row.
fn row_check(row: u8, letters: &[u8]) -> [u8; ROW_CHECK] {
    let digest = Suite::Aes256Gcm.digest(&[b"strongroom/share-row/1", &[row], letters]);
    let encoded = Zeroizing::new(LETTERS.encode(digest.first_chunk::<5>().unwrap_or(&[0; 5])));
    *encoded.as_bytes().first_chunk().unwrap_or(&[0; ROW_CHECK])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::counting::Counting;

    /// The same field by its definition: polynomials multiplied bit by bit, then divided by x^8 + x^4 + x^3 + x + 1.
    fn by_definition(one: u8, other: u8) -> u8 {
        let mut product: u16 = 0;
        for bit in 0..8 {
            if other & 1 << bit != 0 {
                product ^= u16::from(one) << bit;
            }
        }
        for bit in (8..16).rev() {
            if product & 1 << bit != 0 {
                product ^= 0x11b << (bit - 8);
            }
        }
        u8::try_from(product).unwrap()
    }

    #[test]
    fn the_field_is_the_one_that_is_named() {
        for one in 0..=255 {
            for other in 0..=255 {
                assert_eq!(times(one, other), by_definition(one, other), "{one} {other}");
            }
            assert_eq!(times(one, inverse(one)), u8::from(one != 0), "{one}");
        }
        // SOURCE: FIPS 197, 4.2: {57} · {83} = {c1}.
        assert_eq!(times(0x57, 0x83), 0xc1);
    }

    fn bytes_of(shares: &[&Share]) -> Vec<Share> {
        shares.iter().map(|share| Share::parse(&share.to_text()).unwrap()).collect()
    }

    #[test]
    fn every_choice_of_enough_officers_opens_and_none_of_fewer() {
        let secret = Secret::new(std::array::from_fn(|n| u8::try_from(n * 7 % 256).unwrap()));
        for (need, of) in [(2, 2), (2, 3), (3, 5), (5, 5), (4, 7)] {
            let shares = split(&secret, need, of, &mut Counting(9)).unwrap();
            for chosen in 1_u32..1 << of {
                let some: Vec<&Share> =
                    shares.iter().filter(|share| chosen & 1 << (share.number - 1) != 0).collect();
                let joined = join(&bytes_of(&some));
                if some.len() < usize::from(need) {
                    let given = u8::try_from(some.len()).unwrap();
                    assert_eq!(joined.unwrap_err(), Error::TooFewShares { given, need });
                } else {
                    assert_eq!(joined.unwrap().0.expose(), secret.expose(), "{need} of {of}: {chosen:b}");
                }
            }
        }
    }

    /// For every value of a secret byte, what fewer than `need` officers hold takes every value equally often.
    #[test]
    fn fewer_than_enough_shares_are_as_likely_for_one_secret_as_for_another() {
        struct Chosen<'a>(&'a [u8]);
        impl Random for Chosen<'_> {
            fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
                // The set's name, then coefficients: one each, the same for all 32 bytes.
                if buffer.len() == 32 {
                    let (first, rest) = self.0.split_first().unwrap();
                    buffer.fill(*first);
                    self.0 = rest;
                }
                Ok(())
            }
        }
        for secret in [0, 1, 0x53, 255] {
            let mut of_one = [0_u32; 256];
            for coefficient in 0..=255 {
                let shares = split(&Secret::new([secret; 32]), 2, 3, &mut Chosen(&[coefficient])).unwrap();
                of_one[usize::from(shares[1].part.expose()[0])] += 1;
            }
            assert!(of_one.iter().all(|seen| *seen == 1), "2 needed, 1 known: {secret}");
            let mut of_two = vec![0_u32; 1 << 16];
            for one in 0..=255 {
                for two in 0..=255 {
                    // The same as `split` does, at two places, for one byte.
                    let at = |x: u8| times(times(two, x) ^ one, x) ^ secret;
                    of_two[usize::from(at(1)) << 8 | usize::from(at(2))] += 1;
                }
            }
            assert!(of_two.iter().all(|seen| *seen == 1), "3 needed, 2 known: {secret}");
            let shares = split(&Secret::new([secret; 32]), 3, 3, &mut Chosen(&[7, 9])).unwrap();
            let at = |x: u8| times(times(9, x) ^ 7, x) ^ secret;
            assert_eq!(
                shares.iter().map(|share| share.part.expose()[5]).collect::<Vec<_>>(),
                [at(1), at(2), at(3)]
            );
        }
    }

    #[test]
    fn shares_of_two_sets_a_doubled_one_and_one_that_does_not_fit_are_told_apart() {
        let secret = Secret::new([5; 32]);
        let ours = split(&secret, 3, 5, &mut Counting(1)).unwrap();
        let theirs = split(&secret, 3, 5, &mut Counting(2)).unwrap();
        let joined = |shares: &[&Share]| join(&bytes_of(shares)).map(|_| ()).unwrap_err();
        assert_eq!(joined(&[&ours[0], &ours[1], &theirs[2]]), Error::OtherSet);
        assert_eq!(joined(&[&ours[0], &ours[1], &ours[0]]), Error::SharedTwice { number: 1 });
        assert_eq!(join(&[]).map(|_| ()).unwrap_err(), Error::TooFewShares { given: 0, need: 2 });
        // Whole by its own check, and yet not what was handed out.
        let mut edited = Share::parse(&ours[3].to_text()).unwrap();
        edited.part = Secret::new([1; 32]);
        assert_eq!(joined(&[&ours[0], &ours[1], &ours[2], &edited]), Error::ShareDoesNotFit { number: 4 });
    }

    #[test]
    fn only_numbers_that_make_sense_are_split_by() {
        for (need, of) in [(0, 0), (1, 1), (1, 5), (6, 5), (2, SHARES_MOST + 1), (255, 255)] {
            let refused = split(&Secret::new([1; 32]), need, of, &mut Counting(0)).map(|_| ()).unwrap_err();
            assert_eq!(refused, Error::NoSplit { most: SHARES_MOST }, "{need} of {of}");
        }
        assert_eq!(
            split(&Secret::new([1; 32]), SHARES_MOST, SHARES_MOST, &mut Counting(0)).unwrap().len(),
            16
        );
    }

    #[test]
    fn a_share_is_read_as_people_type_it() {
        let shares = split(&Secret::new([8; 32]), 2, 2, &mut Counting(0)).unwrap();
        let text = shares[0].to_text();
        let mut typed = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (row, letters) = line.split_once(':').unwrap();
            let letters = letters.to_lowercase().replace('0', "o").replace('1', "l");
            let _ = write!(typed, "  {row} :{letters}  \r\n\r\n");
        }
        assert_eq!(Share::parse(&typed).unwrap().part.expose(), shares[0].part.expose(), "{typed}");
        let hyphens = text.replace(' ', "-").replace("#-", "# ");
        assert!(Share::parse(&hyphens).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_split_joins_to_the_same(secret: [u8; 32], seed: u8, need in 2_u8..=6, more in 0_u8..=4, skip in 0_usize..=4) {
            let shares = split(&Secret::new(secret), need, need + more, &mut Counting(seed)).unwrap();
            let skip = skip.min(usize::from(more));
            let last: Vec<&Share> = shares.iter().skip(skip).collect();
            let (joined, split) = join(&bytes_of(&last)).unwrap();
            prop_assert_eq!((joined.expose(), split.need), (&secret, need));
        }

        #[test]
        fn one_wrong_letter_is_noticed_and_its_row_named(seed: u8, at in 0_usize..80, letter in 0_usize..32) {
            let share = split(&Secret::new([3; 32]), 2, 2, &mut Counting(seed)).unwrap().remove(1);
            let text = share.to_text();
            let (mut places, mut begin) = (Vec::new(), 0);
            for line in text.split_inclusive('\n') {
                if !line.starts_with('#') {
                    let letters = line.char_indices().filter(|(at, letter)| *at > 1 && letter.is_ascii_alphanumeric());
                    places.extend(letters.map(|(at, _)| begin + at));
                }
                begin += line.len();
            }
            prop_assert_eq!(places.len(), 80);
            let mut typed = text.as_bytes().to_vec();
            let wrong = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[letter];
            prop_assume!(typed[places[at]] != wrong);
            typed[places[at]] = wrong;
            let refused = Share::parse(std::str::from_utf8(&typed).unwrap()).map(|_| ()).unwrap_err();
            let row = u8::try_from(at / 20 + 1).unwrap();
            // One in 1,024 rows passes its own two letters; the whole is noticed then.
            let by_the_whole = Error::NotAShare;
            prop_assert!([Error::ShareMistyped { row }, by_the_whole].contains(&refused), "{}", refused);
        }

        #[test]
        fn no_text_is_a_share_by_chance(text in "\\PC{0,200}") {
            prop_assert!(Share::parse(&text).is_err());
        }
    }

    #[test]
    fn rows_that_are_missing_doubled_or_exchanged_are_named() {
        let share = split(&Secret::new([3; 32]), 2, 2, &mut Counting(4)).unwrap().remove(0);
        let text = share.to_text();
        let rows: Vec<&str> = text.lines().skip(2).collect();
        let parse = |rows: &[&str]| Share::parse(&rows.join("\n")).map(|_| ()).unwrap_err();
        assert_eq!(parse(&[]), Error::ShareMistyped { row: 1 });
        assert_eq!(parse(&[rows[0], rows[2], rows[3]]), Error::ShareMistyped { row: 2 });
        assert_eq!(parse(&[rows[0], rows[1], rows[2]]), Error::ShareMistyped { row: 4 });
        assert_eq!(parse(&[rows[0], rows[1], rows[2], rows[3], rows[3]]), Error::NotAShare);
        let exchanged = [rows[1].replace("2:", "1:"), rows[0].replace("1:", "2:")];
        assert_eq!(parse(&[&exchanged[0], &exchanged[1], rows[2], rows[3]]), Error::ShareMistyped { row: 1 });
        assert!(!format!("{share:?}").contains(rows[1]), "a share is not shown by accident");
    }
}
