//! Text within a notice: a line is made of pieces, and each piece knows whose words it is, so that a page can say in which
//! language they are.

use crate::record::Words;

/// Whose words a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Voice {
    /// The notice's own: headings, fixed sentences. In English or in Chinese.
    Notice,
    /// The shop's, out of its policy. In the language of the notice.
    Shop,
}

/// What a mark says of the datum that it stands beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// It is needed.
    Required,
    /// It may be left out.
    Optional,
    /// It needs special care.
    Sensitive,
    /// Staff see it masked.
    Masked,
    /// The shop has added it in its own words.
    Added,
}

impl Mark {
    /// Its name in programs and styles: `required`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Sensitive => "sensitive",
            Self::Masked => "masked",
            Self::Added => "added",
        }
    }

    /// What people read.
    pub const fn words(self) -> Words {
        match self {
            Self::Required => Words { en: "needed", zh: "必需" },
            Self::Optional => Words { en: "optional", zh: "可选" },
            Self::Sensitive => Words { en: "sensitive", zh: "敏感" },
            Self::Masked => Words { en: "masked for staff", zh: "对员工脱敏" },
            Self::Added => Words { en: "added by the shop", zh: "店铺补充" },
        }
    }
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Plain text.
    Text(String, Voice),
    /// Text of the notice that leads somewhere.
    Link {
        /// What people read.
        text: String,
        /// Whose words that is.
        voice: Voice,
        /// An address on this site, `#section`, `mailto:` or `https:`.
        to: String,
    },
    /// A mark.
    Mark(Mark, &'static str),
}

/// Text on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Line(Vec<Piece>);

impl Line {
    /// Words of the notice itself.
    pub(super) fn own(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(text.into(), Voice::Notice)])
    }

    /// Words of the shop.
    pub(super) fn shop(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(text.into(), Voice::Shop)])
    }

    pub(super) fn link(text: impl Into<String>, to: impl Into<String>) -> Self {
        Self(vec![Piece::Link { text: text.into(), voice: Voice::Notice, to: to.into() }])
    }

    /// How somebody is reached: an address that leads there where it is one, else as written.
    pub(super) fn contact(written: &str) -> Self {
        match address_of(written) {
            Some(to) => Self(vec![Piece::Link { text: written.to_owned(), voice: Voice::Shop, to }]),
            None => Self::shop(written),
        }
    }

    #[must_use]
    pub(super) fn then(mut self, further: Self) -> Self {
        self.0.extend(further.0);
        self
    }

    #[must_use]
    pub(super) fn marked(mut self, mark: Mark, words: &'static str) -> Self {
        self.0.push(Piece::Mark(mark, words));
        self
    }

    /// Several lines as one, with something between them.
    pub(super) fn joined(lines: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut all = Self::default();
        for line in lines {
            if !all.0.is_empty() {
                all = all.then(Self::own(between));
            }
            all = all.then(line);
        }
        all
    }

    /// A pattern with `{0}`, `{1}`, … replaced by lines. What a pattern does not have a line for is left out.
    pub(super) fn filled(pattern: &str, with: &[Self]) -> Self {
        let mut line = Self::default();
        let mut parts = pattern.split('{');
        line.push_own(parts.next().unwrap_or_default());
        for part in parts {
            let (number, rest) = part.split_once('}').unwrap_or(("", part));
            if let Some(filling) = number.parse().ok().and_then(|number: usize| with.get(number)) {
                line = line.then(filling.clone());
            }
            line.push_own(rest);
        }
        line
    }

    fn push_own(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.push(Piece::Text(text.to_owned(), Voice::Notice));
        }
    }

    /// Its pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The line as plain text; a mark stands in brackets.
    pub fn plain(&self) -> String {
        self.written(|_, _| None)
    }

    /// The same, where nobody can follow a link: its address stands behind it.
    pub(super) fn with_addresses(&self) -> String {
        let is_elsewhere = |to: &str| to.starts_with('/') || to.starts_with("https:");
        self.written(|text, to| (is_elsewhere(to) && text != to).then(|| format!(" <{to}>")))
    }

    /// The same, where nobody can follow a link and nothing but a whole address leads anywhere.
    pub(super) fn with_whole_addresses(&self) -> String {
        self.written(|text, to| (to.starts_with("https:") && text != to).then(|| format!(" <{to}>")))
    }

    fn written(&self, behind: impl Fn(&str, &str) -> Option<String>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(said, _) => text.push_str(said),
                Piece::Link { text: said, to, .. } => {
                    text.push_str(said);
                    text.extend(behind(said, to));
                }
                Piece::Mark(_, words) => {
                    text.push_str(" [");
                    text.push_str(words);
                    text.push(']');
                }
            }
        }
        text
    }
}

/// The address behind a contact: of an e-mail address (`mailto:`) or a page (`https:`). Whatever else was written leads nowhere.
pub fn address_of(written: &str) -> Option<String> {
    let is_plain =
        |text: &str, also: &str| text.chars().all(|one| one.is_ascii_alphanumeric() || also.contains(one));
    if written.starts_with("https://") && is_plain(written, ":/.-_~?=&%#+@") {
        return Some(written.to_owned());
    }
    let (local, domain) = written.split_once('@')?;
    let is_one = !local.is_empty()
        && domain.contains('.')
        && is_plain(local, ".-_+")
        && is_plain(domain, ".-")
        && written.len() <= 254;
    is_one.then(|| format!("mailto:{written}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_filled_with_lines_and_keeps_whose_words_they_are() {
        let line = Line::filled("{1} before {0}!{7}", &[Line::shop("a"), Line::own("b")]);
        assert_eq!(line.plain(), "b before a!");
        assert!(line.pieces().contains(&Piece::Text("a".to_owned(), Voice::Shop)));
    }

    #[test]
    fn only_addresses_and_safe_pages_lead_somewhere() {
        for good in ["privacy@shop.example", "https://shop.example/privacy?a=b"] {
            assert!(address_of(good).is_some(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "http://shop.example",
            "https://shop.example/\"x",
            "a@b",
            "a b@shop.example",
            "a@shop.example?subject=x",
            "+86 10 1234",
            "@shop.example",
        ] {
            assert!(address_of(bad).is_none(), "{bad}");
        }
    }
}
