//! Patterns of names, hosts and paths, in which `*` stands for any characters.

use serde::{Deserialize, Serialize};

/// A pattern in which `*` stands for any characters, none included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern of this text. Every text is one.
    pub fn new(text: impl Into<String>) -> Pattern {
        Pattern(text.into())
    }

    /// Is this name like the pattern?
    pub fn fits(&self, name: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return name == self.0 };
        let Some(mut left) = name.strip_prefix(start) else { return false };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return left.ends_with(part);
            }
            let Some((_, behind)) = left.split_once(part) else { return false };
            left = behind;
        }
        true
    }

    /// Is a request to this host and path meant? A pattern without `/` is a host, and means all names below it too.
    pub fn fits_address(&self, host: &str, path: &str) -> bool {
        match self.0.split_once('/') {
            Some(_) => self.fits(&format!("{host}{path}")),
            None => self.fits_host(host),
        }
    }

    /// Is this host meant, or one above it in the tree of names?
    pub(crate) fn fits_host(&self, host: &str) -> bool {
        self.0.split_once('/').is_none() && (self.fits(host) || is_below(host, &self.0))
    }
}

/// Is a host below a domain, or the same?
pub(crate) fn is_in(host: &str, domain: &str) -> bool {
    host == domain || is_below(host, domain)
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let fits = |pattern: &str, name: &str| Pattern::new(pattern).fits(name);
        assert!(
            fits("_ga*", "_ga") && fits("_ga*", "_ga_X1") && fits("*id", "UM_id") && fits("a*b*c", "a--b--c")
        );
        assert!(
            !fits("_ga", "_ga_X1") && !fits("_ga*", "ga_") && !fits("a*b*c", "a--c") && !fits("ab*b", "ab")
        );
    }

    #[test]
    fn a_host_means_the_names_below_it_and_no_others() {
        let fits = |pattern: &str, host: &str| Pattern::new(pattern).fits_address(host, "/hm.js");
        assert!(fits("baidu.com", "baidu.com") && fits("baidu.com", "hm.baidu.com"));
        assert!(!fits("baidu.com", "notbaidu.com") && !fits("hm.baidu.com", "baidu.com"));
        assert!(fits("shop.example/hm*", "shop.example") && !fits("shop.example/collect", "shop.example"));
    }
}
