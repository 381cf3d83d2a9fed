//! What a field of kind `file` takes: media types, and a length.

use std::fmt;

/// The longest file that any field takes, bytes.
pub const LARGEST_KEPT: u64 = 10_000_000;

/// Media types of one field at the most.
pub const MOST_MEDIA: usize = 16;

/// The longest media type, bytes.
const LONGEST_MEDIA: usize = 100;

/// Which files a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRule {
    /// Of which media types.
    pub media: Vec<MediaType>,
    /// How long they may be, bytes.
    pub at_most: u64,
}

impl FileRule {
    /// The length as a policy writes it.
    pub fn shown(&self) -> String {
        match self.at_most {
            size if size.is_multiple_of(1_000_000) => format!("{} MB", size / 1_000_000),
            size if size.is_multiple_of(1_000) => format!("{} kB", size / 1_000),
            size => format!("{size} B"),
        }
    }

    /// The media type of this writing, if the field takes it. Parameters behind it say nothing here.
    pub fn find(&self, written: &str) -> Option<&MediaType> {
        let bare = written.split(';').next().unwrap_or_default().trim();
        self.media.iter().find(|media| media.as_str().eq_ignore_ascii_case(bare))
    }
}

/// A media type: `image/jpeg`. One writing for each: small letters, no parameters.
///
/// SOURCE: RFC 6838 section 4.2.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(String);

impl MediaType {
    /// The media type of this writing; `None` when it is none.
    pub fn parse(text: &str) -> Option<MediaType> {
        let (kind, subtype) = text.split_once('/')?;
        let part = |part: &str| {
            let mut bytes = part.bytes();
            let begins = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            begins
                && bytes.all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&-^_.+".contains(&byte)
                })
        };
        (text.len() <= LONGEST_MEDIA && part(kind) && part(subtype)).then(|| MediaType(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bytes of a size such as `500 kB`; `None` when it is none.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let digits = text.len().saturating_sub(text.trim_start_matches(|sign: char| sign.is_ascii_digit()).len());
    let (count, unit) = text.split_at_checked(digits)?;
    let unit = match unit.trim_start_matches(' ') {
        "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_three_units_and_no_other() {
        for (text, size) in
            [("10 MB", 10_000_000), ("500kB", 500_000), ("1 B", 1), ("007 kB", 7_000), ("0 MB", 0)]
        {
            assert_eq!(parse_size(text), Some(size), "{text}");
        }
        for none in ["", "MB", "10", "10 mb", "10 MiB", "1.5 MB", "-1 MB", "99999999999999999999 MB", "1 MB "]
        {
            assert_eq!(parse_size(none), None, "{none}");
        }
    }

    #[test]
    fn a_media_type_has_one_writing() {
        for media in ["image/jpeg", "application/pdf", "application/vnd.ms-excel", "image/svg+xml"] {
            assert_eq!(MediaType::parse(media).map(|media| media.to_string()).as_deref(), Some(media));
        }
        for none in [
            "",
            "image",
            "image/",
            "/jpeg",
            "image/*",
            "*/*",
            "Image/JPEG",
            "image/jpeg; q=1",
            "a/b/c",
            "图/像",
        ] {
            assert_eq!(MediaType::parse(none), None, "{none}");
        }
    }

    #[test]
    fn what_a_caller_writes_is_held_against_what_the_field_takes() {
        let rule = FileRule { media: vec![MediaType::parse("image/jpeg").unwrap()], at_most: 1 };
        for taken in ["image/jpeg", "IMAGE/JPEG", " image/jpeg ; charset=x"] {
            assert!(rule.find(taken).is_some(), "{taken}");
        }
        for refused in ["", "image/png", "image/jpegx", "text/html"] {
            assert!(rule.find(refused).is_none(), "{refused}");
        }
    }

    #[test]
    fn a_length_is_shown_as_a_policy_writes_it() {
        for (size, shown) in [(10_000_000, "10 MB"), (1_500_000, "1500 kB"), (1_001, "1001 B")] {
            let rule = FileRule { media: Vec::new(), at_most: size };
            assert_eq!(rule.shown(), shown);
            assert_eq!(parse_size(shown), Some(size));
        }
    }
}
