//! Showing part of a value. What a mask leaves standing is enough to recognise a value one already knows, and never
//! more than half of it when it is short. How much is hidden does not show: the stars are always as many.
//!
//! | mask | a long value | shows |
//! |---|---|---|
//! | `phone` | `138****5678` | three digits and the last four; of fewer than 11 digits at most half; `+86` is left out, another calling code stays |
//! | `email` | `a***@shop.example` | the first letter and the domain |
//! | `name` | `陈**`, `A. M.` | the family name where it comes first (Chinese, Japanese, Korean), else initials |
//! | `card` | `**** 5678` | the last four |
//! | `id` | `110****15` | three at the front, two at the end |
//! | `last4` | `****5678` | the last four |
//! | `first` | `陈****` | the first character |
//! | `all` | `****` | nothing |

use crate::region::Region;
use crate::words::Mask;

const STARS: &str = "****";

impl Mask {
    /// The value as those see it who need not see it all.
    ///
    /// Takes any text, normalised or not. Gives: never the value itself, and never more than half of its characters
    /// where it has fewer than 11 (of an e-mail address: of its part before the `@`).
    pub fn apply(self, value: &str) -> String {
        let value = value.trim();
        match self {
            Self::Phone => phone(value),
            Self::Email => email(value),
            Self::Name => name(value),
            Self::Card => format!("{STARS} {}", last(&compact(value), 4)),
            Self::Id => id(&compact(value)),
            Self::Last4 => format!("{STARS}{}", last(&compact(value), 4)),
            Self::First => format!("{}{STARS}", first(value, 1)),
            Self::All => STARS.to_owned(),
        }
    }
}

fn phone(value: &str) -> String {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let (code, national) = match Region::of_international(&digits).filter(|_| value.starts_with('+')) {
        Some((region, national)) if region.calling_code() == "86" => (String::new(), national),
        Some((region, national)) => (format!("+{} ", region.calling_code()), national),
        None => (String::new(), digits.as_str()),
    };
    let count = national.len();
    let (front, back) = if count >= 11 {
        (3, 4)
    } else {
        let back = (count / 2).min(4);
        ((count / 2 - back).min(3), back)
    };
    let front = national.get(..front).unwrap_or_default();
    let back = national.get(count - back..).unwrap_or_default();
    format!("{code}{front}{STARS}{back}")
}

fn email(value: &str) -> String {
    match value.rsplit_once('@') {
        Some((local, domain)) => format!("{}***@{domain}", first(local, 1)),
        None => STARS.to_owned(),
    }
}

fn name(value: &str) -> String {
    if value.chars().next().is_some_and(is_east_asian) {
        let compact = compact(value);
        let compound = COMPOUND_SURNAMES.split(' ').any(|surname| compact.starts_with(surname));
        return format!("{}**", first(&compact, if compound { 2 } else { 1 }));
    }
    let initials: Vec<_> = value
        .split([' ', '\u{a0}', '-'])
        .filter(|word| !word.is_empty())
        .map(|word| match first(word, 1) {
            initial if initial.is_empty() => "*.".to_owned(),
            initial => format!("{}.", initial.to_uppercase()),
        })
        .collect();
    if initials.is_empty() { STARS.to_owned() } else { initials.join(" ") }
}

fn id(value: &str) -> String {
    if value.chars().count() < 11 {
        return format!("{STARS}{}", last(value, 2));
    }
    format!("{}{STARS}{}", first(value, 3), last(value, 2))
}

/// Without blanks and dashes.
fn compact(value: &str) -> String {
    value.chars().filter(|character| !character.is_whitespace() && *character != '-').collect()
}

/// The first `most` characters, but never more than half of them.
fn first(value: &str, most: usize) -> String {
    value.chars().take(most.min(value.chars().count() / 2)).collect()
}

/// The last `most` characters, but never more than half of them.
fn last(value: &str, most: usize) -> String {
    let count = value.chars().count();
    value.chars().skip(count - most.min(count / 2)).collect()
}

/// Han, kana, hangul: scripts in which the family name comes first and without a blank.
fn is_east_asian(character: char) -> bool {
    matches!(character,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The usual Chinese family names of two characters.
const COMPOUND_SURNAMES: &str = "欧阳 司马 上官 诸葛 夏侯 皇甫 尉迟 公孙 慕容 司徒 令狐 东方 独孤 南宫 西门 长孙 宇文 端木 呼延 申屠 太史 轩辕 \
    濮阳 淳于 单于 公冶 宗政 闻人 赫连 澹台 钟离 鲜于 闾丘 拓跋 完颜 百里 东郭 歐陽 司馬 諸葛 長孫 鍾離 慕容";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_values_show_what_the_table_says() {
        for (mask, value, shown) in [
            (Mask::Phone, "+8613812345678", "138****5678"),
            (Mask::Phone, "138-1234-5678", "138****5678"),
            (Mask::Phone, "+12125550123", "+1 2****0123"),
            (Mask::Phone, "+6591234567", "+65 ****4567"),
            (Mask::Email, "ann@shop.example", "a***@shop.example"),
            (Mask::Name, "陈小明", "陈**"),
            (Mask::Name, "陈 明", "陈**"),
            (Mask::Name, "欧阳娜娜", "欧阳**"),
            (Mask::Name, "欧阳锋", "欧**"),
            (Mask::Name, "김민준", "김**"),
            (Mask::Name, "Ann Marie Smith", "A. M. S."),
            (Mask::Name, "ålesund", "Å."),
            (Mask::Card, "6222 0202 0000 5678", "**** 5678"),
            (Mask::Id, "110101199003074215", "110****15"),
            (Mask::Last4, "DE89370400440532013000", "****3000"),
            (Mask::First, "陈小明", "陈****"),
            (Mask::All, "anything", "****"),
        ] {
            assert_eq!(mask.apply(value), shown, "{mask} of {value}");
        }
    }

    #[test]
    fn short_values_show_half_at_most() {
        for (mask, value, shown) in [
            (Mask::Phone, "12345", "****45"),
            (Mask::Phone, "1", "****"),
            (Mask::Phone, "none", "****"),
            (Mask::Email, "a@b.example", "***@b.example"),
            (Mask::Email, "no address", "****"),
            (Mask::Name, "陈", "**"),
            (Mask::Name, "X", "*."),
            (Mask::Name, "", "****"),
            (Mask::Card, "123", "**** 3"),
            (Mask::Id, "12345", "****45"),
            (Mask::Last4, "1", "****"),
            (Mask::First, "陈", "****"),
        ] {
            assert_eq!(mask.apply(value), shown, "{mask} of {value}");
        }
    }

    /// The longest stretches of the value that stand in what is shown, counted as a reader would.
    fn revealed(shown: &str, value: &str) -> usize {
        let pieces = shown.split('*').filter_map(|piece| piece.split('@').next());
        pieces
            .map(|piece| piece.trim().chars().filter(|c| value.contains(*c) && c.is_alphanumeric()).count())
            .sum()
    }

    proptest! {
        #[test]
        fn a_short_value_is_never_shown_by_more_than_half(value in "[0-9]{1,10}|[a-z]{1,10}|[一-龥]{1,10}", mask in proptest::sample::select(Mask::ALL)) {
            let shown = mask.apply(&value);
            prop_assert!(revealed(&shown, &value) <= value.chars().count() / 2, "{} shows {} of {}", mask, shown, value);
        }

        #[test]
        fn no_text_breaks_a_mask_and_none_is_shown_whole(value in "\\PC{1,40}", mask in proptest::sample::select(Mask::ALL)) {
            let shown = mask.apply(&value);
            prop_assert!(!value.trim().is_empty() || shown.contains('*'));
            prop_assert!(shown != value || value.contains('*') || value.contains('.'), "{} shows {}", mask, value);
        }
    }
}
