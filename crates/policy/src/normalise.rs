//! Bringing a text into the one form that is sealed and indexed, so that the same person typing the same thing
//! twice is found both times. Pure functions; a fault never carries the value.

use crate::region::Region;
use crate::value::{LONGEST_VALUE, ValueFault};
use crate::words::Normalise;
use unicode_normalization::UnicodeNormalization;

/// A normaliser with what it needs to know of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normaliser {
    how: Normalise,
    region: Region,
}

impl Normaliser {
    /// A normaliser for a shop of this region.
    pub const fn new(how: Normalise, region: Region) -> Self {
        Self { how, region }
    }

    /// Which of the normalisers is it?
    pub const fn how(&self) -> Normalise {
        self.how
    }

    /// The text in its one form.
    ///
    /// Applying it to its own result changes nothing. Fails: `empty`, `too_long`, `not_email`, `not_phone`,
    /// `phone_too_short`, `phone_too_long`, `not_digits`; never with the value in it.
    pub fn apply(&self, text: &str) -> Result<String, ValueFault> {
        if text.len() > LONGEST_VALUE {
            return Err(ValueFault::TooLong);
        }
        let normal = match self.how {
            Normalise::None => text.to_owned(),
            Normalise::Text => plain(text),
            Normalise::Lower => lower(text),
            Normalise::Upper => upper(text),
            Normalise::Email => email(text)?,
            Normalise::Phone => phone(text, self.region)?,
            Normalise::Digits => digits(text)?,
        };
        match normal.len() {
            0 => Err(ValueFault::Empty),
            length if length > LONGEST_VALUE => Err(ValueFault::TooLong),
            _ => Ok(normal),
        }
    }
}

/// NFKC, no blanks at the ends. Trimmed after composing, since NFKC turns some letters into blanks.
fn plain(text: &str) -> String {
    if text.is_ascii() {
        return text.trim().to_owned();
    }
    text.nfkc().collect::<String>().trim().to_owned()
}

/// Changing case can undo NFKC and composing can undo the case, so this goes round until nothing changes; twice is
/// enough for all of Unicode but a handful of letters, which the bound leaves as they are.
fn settled(text: &str, change: impl Fn(&str) -> String) -> String {
    let mut now = plain(text);
    if now.is_ascii() {
        return change(&now);
    }
    for _ in 0..4 {
        let next = plain(&change(&now));
        if next == now {
            break;
        }
        now = next;
    }
    now
}

fn lower(text: &str) -> String {
    settled(text, str::to_lowercase)
}

fn upper(text: &str) -> String {
    settled(text, str::to_uppercase)
}

/// SOURCE: RFC 5321 §4.5.3.1 for the lengths (in octets). Plausible, not proven: only a letter sent proves an address.
fn email(text: &str) -> Result<String, ValueFault> {
    let address = lower(text);
    let (local, domain) = address.split_once('@').ok_or(ValueFault::NotEmail)?;
    let local_good = (1..=64).contains(&local.len()) && !local.starts_with('.') && !local.ends_with('.');
    let labels_good = domain.contains('.') && domain.split('.').all(is_domain_label);
    let characters_good = address
        .chars()
        .all(|c| !c.is_whitespace() && !crate::text::is_hidden(c) && !"<>()[],;:\\\"".contains(c));
    let good = local_good && labels_good && characters_good && address.len() <= 254;
    if good { Ok(address) } else { Err(ValueFault::NotEmail) }
}

fn is_domain_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.contains('@')
}

/// E.164 from what people type: `138 0013 8000`, `+86-138-0013-8000`, `0086 13800138000`, `（０１０）12345678`.
fn phone(text: &str, region: Region) -> Result<String, ValueFault> {
    let written = plain(text);
    let at_number = written.trim_start_matches([' ', '(']);
    let international = at_number.starts_with('+');
    let rest = at_number.strip_prefix('+').unwrap_or(at_number);
    // `+44 (0)20 …`: the trunk 0 in brackets is for callers at home.
    let rest = if international { rest.replacen("(0)", "", 1) } else { rest.to_owned() };
    let mut number = String::with_capacity(rest.len());
    for character in rest.chars() {
        match character {
            '0'..='9' => number.push(character),
            ' ' | '-' | '.' | '(' | ')' | '/' | '·' | '\t' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
            _ => return Err(ValueFault::NotPhone),
        }
    }
    match (international, number.strip_prefix("00")) {
        (true, _) => e164(&number),
        (false, Some(number)) => e164(number),
        (false, None) => national(&number, region),
    }
}

fn e164(digits: &str) -> Result<String, ValueFault> {
    if digits.starts_with('0') {
        return Err(ValueFault::NotPhone);
    }
    match Region::of_international(digits) {
        Some((region, national)) => {
            // People write the trunk 0 after the calling code too: +86 0755 …; no number begins with it. Where the
            // trunk is another digit (1, 06) it may begin a number, so it is taken off only to make the length fit.
            let trunk = region.trunk();
            let national = match national.strip_prefix(trunk) {
                Some(_) if trunk == "0" => national.trim_start_matches('0'),
                Some(short) if !region.takes(national.len()) => short,
                _ => national,
            };
            if sharing_a_code(region).any(|region| region.takes(national.len())) {
                Ok(format!("+{}{national}", region.calling_code()))
            } else if sharing_a_code(region)
                .any(|region| (0..national.len()).any(|fewer| region.takes(fewer)))
            {
                Err(ValueFault::PhoneTooLong)
            } else {
                Err(ValueFault::PhoneTooShort)
            }
        }
        None if digits.len() < 7 => Err(ValueFault::PhoneTooShort),
        None if digits.len() > 15 => Err(ValueFault::PhoneTooLong),
        None => Ok(format!("+{digits}")),
    }
}

fn sharing_a_code(region: Region) -> impl Iterator<Item = Region> {
    Region::all().filter(move |other| other.calling_code() == region.calling_code())
}

fn national(digits: &str, region: Region) -> Result<String, ValueFault> {
    let trunk = region.trunk();
    let bare = digits.strip_prefix(trunk).unwrap_or(digits);
    if region.takes(bare.len()) {
        return Ok(format!("+{}{bare}", region.calling_code()));
    }
    // A calling code without `+`: 8613800138000.
    if let Some(rest) = digits.strip_prefix(region.calling_code()).filter(|rest| region.takes(rest.len())) {
        return Ok(format!("+{}{rest}", region.calling_code()));
    }
    match bare.len() {
        0 => Err(ValueFault::NotPhone),
        length if (0..length).any(|fewer| region.takes(fewer)) => Err(ValueFault::PhoneTooLong),
        _ => Err(ValueFault::PhoneTooShort),
    }
}

/// The digits, with blanks and dashes between them left out; anything else is a fault.
fn digits(text: &str) -> Result<String, ValueFault> {
    let mut found = String::with_capacity(text.len());
    for character in plain(text).chars() {
        match character {
            '0'..='9' => found.push(character),
            ' ' | '-' | '.' | '\u{2010}'..='\u{2015}' => {}
            _ => return Err(ValueFault::NotDigits),
        }
    }
    if found.is_empty() { Err(ValueFault::NotDigits) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(how: Normalise, region: &str, text: &str) -> Result<String, ValueFault> {
        Normaliser::new(how, Region::find(region).unwrap()).apply(text)
    }

    fn phone_in(region: &str, text: &str) -> Result<String, ValueFault> {
        normal(Normalise::Phone, region, text)
    }

    #[test]
    fn one_chinese_mobile_written_nine_ways_is_one_number() {
        for text in [
            "13800138000",
            "138 0013 8000",
            "138-0013-8000",
            "+86 138 0013 8000",
            "+8613800138000",
            "0086 13800138000",
            "8613800138000",
            "１３８００１３８０００",
            "（+86）13800138000",
        ] {
            assert_eq!(phone_in("cn", text).as_deref(), Ok("+8613800138000"), "{text}");
        }
    }

    #[test]
    fn trunk_prefixes_are_taken_off_where_they_are_used() {
        for (region, text, expected) in [
            ("cn", "（010）1234-5678", "+861012345678"),
            ("cn", "+86 0755 2345 6789", "+8675523456789"),
            ("gb", "020 7946 0018", "+442079460018"),
            ("gb", "+44 (0)20 7946 0018", "+442079460018"),
            ("us", "1 (212) 555-0123", "+12125550123"),
            ("us", "212.555.0123", "+12125550123"),
            ("it", "06 1234 5678", "+390612345678"),
            ("hu", "06 1 234 5678", "+3612345678"),
            ("sg", "9123 4567", "+6591234567"),
            ("jp", "090-1234-5678", "+819012345678"),
            ("cn", "+1 212 555 0123", "+12125550123"),
            ("cn", "+971 50 123 4567", "+971501234567"),
        ] {
            assert_eq!(phone_in(region, text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_without_its_value() {
        for (region, text, fault) in [
            ("cn", "12345678", ValueFault::PhoneTooShort),
            ("cn", "138001380001234", ValueFault::PhoneTooLong),
            ("sg", "912345678", ValueFault::PhoneTooLong),
            ("cn", "+86 138", ValueFault::PhoneTooShort),
            ("cn", "+86 138 0013 8000 99", ValueFault::PhoneTooLong),
            ("cn", "+0 138", ValueFault::NotPhone),
            ("cn", "call me", ValueFault::NotPhone),
            ("cn", "13800138000 ext 5", ValueFault::NotPhone),
            ("cn", "", ValueFault::NotPhone),
        ] {
            assert_eq!(phone_in(region, text), Err(fault), "{text}");
        }
    }

    #[test]
    fn addresses_lose_case_and_width_but_not_meaning() {
        let email = |text| normal(Normalise::Email, "cn", text);
        assert_eq!(email("  Ann@Shop.Example ").as_deref(), Ok("ann@shop.example"));
        assert_eq!(email("ａｎｎ＠shop.example").as_deref(), Ok("ann@shop.example"));
        assert_eq!(email("陈@商店.example").as_deref(), Ok("陈@商店.example"));
        for bad in [
            "",
            "ann",
            "ann@shop",
            "@shop.example",
            "ann@@shop.example",
            "a b@shop.example",
            "ann@.example",
            "ann@shop..example",
            "ann@-shop.example",
            ".ann@shop.example",
            "ann,bob@shop.example",
            "ann@shop.example\nbcc: x@y.example",
        ] {
            assert_eq!(email(bad), Err(ValueFault::NotEmail), "{bad}");
        }
        assert_eq!(email(&format!("{}@shop.example", "a".repeat(65))), Err(ValueFault::NotEmail));
    }

    #[test]
    fn the_plain_normalisers_do_what_they_say() {
        assert_eq!(normal(Normalise::None, "cn", " Ａ ").as_deref(), Ok(" Ａ "));
        assert_eq!(normal(Normalise::Text, "cn", " Ａ\u{3000}").as_deref(), Ok("A"));
        assert_eq!(normal(Normalise::Lower, "cn", "STRASSE ").as_deref(), Ok("strasse"));
        assert_eq!(normal(Normalise::Upper, "cn", "11010119900307421x").as_deref(), Ok("11010119900307421X"));
        assert_eq!(normal(Normalise::Digits, "cn", "6222 0202-0000").as_deref(), Ok("622202020000"));
        assert_eq!(normal(Normalise::Digits, "cn", "12a"), Err(ValueFault::NotDigits));
        assert_eq!(normal(Normalise::Text, "cn", " \u{3000} "), Err(ValueFault::Empty));
        assert_eq!(normal(Normalise::None, "cn", &"x".repeat(LONGEST_VALUE + 1)), Err(ValueFault::TooLong));
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(text in "\\PC{0,30}", how in proptest::sample::select(Normalise::ALL), region in proptest::sample::select(Region::all().collect::<Vec<_>>())) {
            let normaliser = Normaliser::new(how, region);
            if let Ok(once) = normaliser.apply(&text) {
                prop_assert_eq!(normaliser.apply(&once), Ok(once));
            }
        }

        #[test]
        fn every_number_that_is_read_is_e164_and_stays_itself(text in "[+0-9 ()-]{0,22}", region in proptest::sample::select(Region::all().collect::<Vec<_>>())) {
            let normaliser = Normaliser::new(Normalise::Phone, region);
            if let Ok(number) = normaliser.apply(&text) {
                prop_assert!(number.starts_with('+') && (5..=16).contains(&number.len()), "{}", number);
                prop_assert!(number.bytes().skip(1).all(|byte| byte.is_ascii_digit()));
                prop_assert_eq!(normaliser.apply(&number), Ok(number));
            }
        }
    }
}
