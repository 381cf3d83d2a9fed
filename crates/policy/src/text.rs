//! Names, languages and texts for people, each parsed once into a type.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;

/// The longest name, in bytes (names are ASCII).
pub const LONGEST_NAME: usize = 40;
/// The longest text for people, in characters.
pub const LONGEST_TEXT: usize = 200;
/// The longest body of a note, in characters.
pub const LONGEST_BODY: usize = 4000;

/// The name of a kind, field, event, purpose, recipient or role: `[a-z][a-z0-9_-]*`, at most 40 characters.
///
/// Fields and purposes do without `-`; [`Name::is_plain`] tells.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(Box<str>);

impl Name {
    /// A name from text; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = bytes.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        (first && rest && text.len() <= LONGEST_NAME).then(|| Self(text.into()))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it without `-`, as the names of fields and purposes must be?
    pub fn is_plain(&self) -> bool {
        !self.0.contains('-')
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("not a name: `[a-z][a-z0-9_-]*`, at most 40 characters"))
    }
}

/// A language by its BCP 47 tag: `en`, `zh`, `zh-Hant`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(Box<str>);

impl Language {
    /// A language from its tag; `None` when it is not shaped like one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let primary = parts.next()?;
        let shaped =
            (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase());
        let rest = parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        (shaped && rest && text.len() <= 20).then(|| Self(text.into()))
    }

    /// The tag as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text for people, once in each language of the shop, in the shop's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Vec<(Language, String)>);

impl Text {
    pub(crate) fn new(by_language: Vec<(Language, String)>) -> Self {
        Self(by_language)
    }

    /// The text in this language, or `None` when the shop does not speak it.
    pub fn find(&self, language: &str) -> Option<&str> {
        self.0.iter().find(|(have, _)| have.as_str() == language).map(|(_, text)| text.as_str())
    }

    /// The text in this language, else in the shop's first.
    pub fn or_first(&self, language: &str) -> &str {
        self.find(language).or_else(|| self.0.first().map(|(_, text)| text.as_str())).unwrap_or_default()
    }

    /// Every language with its text.
    pub fn iter(&self) -> impl Iterator<Item = (&Language, &str)> {
        self.0.iter().map(|(language, text)| (language, text.as_str()))
    }
}

/// A country (ISO 3166-1 alpha-2, lower case), a state of one (`us-ca`), or `eu`, `uk`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Place(Box<str>);

impl Place {
    /// A place from its code; `None` when it is not a known one.
    pub fn parse(text: &str) -> Option<Self> {
        let (country, state) =
            text.split_once('-').map_or((text, None), |(country, state)| (country, Some(state)));
        let known = match state {
            None => country == "eu" || country == "uk" || COUNTRIES.split(' ').any(|code| code == country),
            Some(state) => {
                matches!(country, "us" | "ca")
                    && state.len() == 2
                    && state.bytes().all(|byte| byte.is_ascii_lowercase())
            }
        };
        known.then(|| Self(text.into()))
    }

    /// The code as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country's ISO code; `eu` for the Union as a whole.
    pub fn country(&self) -> &str {
        match self.0.split_once('-').map_or(&*self.0, |(country, _)| country) {
            "uk" => "gb",
            country => country,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SOURCE: ISO 3166-1 alpha-2, officially assigned codes.
const COUNTRIES: &str = "ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv \
    bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm \
    fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm \
    jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr \
    ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs \
    ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz \
    ua ug um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

/// Would this character be invisible, or move others about, when shown?
///
/// Control characters, line and paragraph separators, direction overrides and the byte order mark. Joiners and
/// the plain direction marks stay: Persian, Hindi and emoji need them.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// What was written, fit to stand in a message: short, and with nothing hidden in it.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text
        .chars()
        .take(MOST)
        .map(|character| if is_hidden(character) || character == '`' { '\u{fffd}' } else { character })
        .collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words() {
        for good in ["a", "recipient_name", "sf-express", "line2"] {
            assert!(Name::parse(good).is_some(), "{good}");
        }
        let long = "a".repeat(41);
        for bad in ["", "A", "2nd", "_x", "-x", "a b", "a.b", "名", long.as_str()] {
            assert!(Name::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn places_are_countries_states_and_unions() {
        for good in ["cn", "eu", "uk", "gb", "us-ca", "ca-qc", "hk"] {
            assert!(Place::parse(good).is_some(), "{good}");
        }
        for bad in ["", "CN", "xx", "us-california", "de-by", "cn-"] {
            assert!(Place::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(COUNTRIES.split(' ').count(), 249);
        assert_eq!(Place::parse("uk").unwrap().country(), "gb");
    }

    #[test]
    fn a_quotation_hides_nothing_and_stays_short() {
        assert_eq!(quoted("a\u{1b}[31mb\u{202e}c`"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 61);
    }
}
