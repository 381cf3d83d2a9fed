//! Which version of a notice it is, and where its links lead.

use jiff::civil::Date;
use std::fmt;

/// What a notice has to be told besides the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    /// Its number; `None` for a draft.
    pub version: Option<u64>,
    /// The first day on which it holds; `None` for a draft.
    pub in_force: Option<Date>,
    /// Where its links lead.
    pub links: Links,
}

/// Where the links of a notice lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// What stands before every address: nothing on the shop's own site.
    pub site: Site,
    /// Where people see their data and use their rights.
    pub my: &'static str,
    /// Where they choose.
    pub choices: &'static str,
    /// Where the versions of the notice are.
    pub versions: &'static str,
    /// Where the learning pages are.
    pub learn: &'static str,
    /// What every address asks for, so that whoever follows it stays in one language and with one shop: `?lang=en`, or nothing.
    pub asks: String,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            site: Site::default(),
            my: "/my",
            choices: "/my/choices",
            versions: "/privacy/versions",
            learn: "/privacy/learn",
            asks: String::new(),
        }
    }
}

/// The site that links lead to: the one on which the notice is read, or another by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site(String);

/// Not the address of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a site: `https://` and a name, perhaps with a port, and nothing behind it")]
pub struct NotASite;

impl Site {
    /// A site by its address, for notices that are read elsewhere: `https://shop.example`.
    ///
    /// *Fails* with [`NotASite`] on anything but `https://`, a name, and perhaps a port.
    pub fn parse(address: &str) -> Result<Self, NotASite> {
        let host = address.strip_prefix("https://").ok_or(NotASite)?;
        let is_host = !host.is_empty()
            && host.starts_with(|one: char| one.is_ascii_alphanumeric())
            && host.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '-' | ':'));
        if is_host { Ok(Self(address.to_owned())) } else { Err(NotASite) }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Links {
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}{path}{}", self.site, self.asks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_https_and_a_name() {
        assert!(Site::parse("https://shop.example").is_ok());
        assert!(Site::parse("https://127.0.0.1:8443").is_ok());
        for bad in ["http://shop.example", "https://", "https://a/b", "https://\"x", "javascript:x", ""] {
            assert_eq!(Site::parse(bad), Err(NotASite), "{bad}");
        }
    }
}
