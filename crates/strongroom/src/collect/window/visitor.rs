//! What a visitor's browser says of them: the cookies, the signal, whether it is a robot, from where it asks.

use std::collections::BTreeMap;

use axum::http::HeaderMap;

use crate::ground::clock::SECOND;
use crate::ground::{Ids, Problem, Shop, SubjectId};

/// The cookie that scripts read: what stands, by names of purposes.
pub(super) const STANDING: &str = "sr";
/// The cookie that no script reads: who it is that chose.
const VISITOR: &str = "srv";
/// How long browsers keep both, seconds: a year.
const KEPT_FOR: u32 = 31_536_000;

/// The subject that a browser chose as, if it did.
pub(super) fn who(headers: &HeaderMap, shop: &Shop, ids: &Ids) -> Result<Option<SubjectId>, Problem> {
    let Some((id, mac)) = cookie(headers, VISITOR).and_then(|text| text.rsplit_once('.')) else {
        return Ok(None);
    };
    let Ok(subject) = ids.read::<SubjectId>(id) else { return Ok(None) };
    Ok(seal::same(mac_of(id, shop)?.as_bytes(), mac.as_bytes()).then_some(subject))
}

/// The header that sets the cookie by which a visitor is known again.
pub(super) fn known_by(subject: SubjectId, shop: &Shop, ids: &Ids) -> Result<String, Problem> {
    let id = ids.show(subject);
    let mac = mac_of(&id, shop)?;
    Ok(format!("{VISITOR}={id}.{mac}; Path=/w/; Max-Age={KEPT_FOR}; HttpOnly; SameSite=Lax; Secure"))
}

fn mac_of(id: &str, shop: &Shop) -> Result<String, Problem> {
    // Whoever knows an id of a subject, as the shop's own programs do, must not be able to choose in its place.
    Ok(seal::base32(&shop.keys.request_hash("visitor", &[id.as_bytes()])?))
}

/// What the cookie of scripts holds.
pub(super) fn standing(version: u32, choices: &BTreeMap<String, bool>) -> String {
    let names = |yes: bool| {
        let said = choices.iter().filter(|(_, said)| **said == yes).map(|(name, _)| name.as_str());
        said.collect::<Vec<_>>().join("+")
    };
    format!("1.{version}.{}.{}", names(true), names(false))
}

/// The header that sets it. Takes: how long the first yes of it stands, µs, if that has an end: then it is gone with it.
pub(super) fn stands(standing: &str, left: Option<i64>) -> String {
    let left = left.map(|left| u32::try_from(left.max(0) / SECOND).unwrap_or(u32::MAX));
    let age = left.map_or(KEPT_FOR, |left| left.min(KEPT_FOR));
    format!("{STANDING}={standing}; Path=/; Max-Age={age}; SameSite=Lax; Secure")
}

/// The headers that take cookies away which match one of these patterns and none of those.
///
/// Scripts cannot see all cookies; the server gets them with the request. One that was set for a part of the site is not reached.
pub(super) fn cleared(headers: &HeaderMap, gone: &[String], kept: &[String]) -> Vec<String> {
    let matches = |patterns: &[String], name: &str| patterns.iter().any(|pattern| is_like(name, pattern));
    let names = cookies(headers).map(|(name, _)| name).filter(|name| ![STANDING, VISITOR].contains(name));
    let names = names.filter(|name| matches(gone, name) && !matches(kept, name));
    names.map(|name| format!("{name}=; Path=/; Max-Age=0")).collect()
}

/// Is a name like a pattern in which `*` stands for any characters?
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return name == pattern };
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

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let all = headers.get_all(axum::http::header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    all.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// A cookie by its name; of two that are called so the first.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    cookies(headers).find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// Does the browser ask that data be neither sold nor shared?
///
/// SOURCE: W3C, Global Privacy Control, "The Sec-GPC Header Field": exactly `1`, and any other value counts for nothing; of several
/// fields one suffices.
pub(super) fn signals(headers: &HeaderMap) -> bool {
    headers.get_all("sec-gpc").iter().any(|value| value.as_bytes() == b"1")
}

/// Is it one of the robots that say so? What they would choose is nobody's choice.
pub(super) fn is_robot(headers: &HeaderMap) -> bool {
    let agent = headers.get(axum::http::header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let agent = agent.unwrap_or_default().to_ascii_lowercase();
    ["bot", "crawl", "spider", "slurp"].iter().any(|word| agent.contains(word))
}

/// Does a page of another site ask?
pub(super) fn is_from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"cross-site")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn with(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_signal_is_exactly_one() {
        for (values, heard) in [
            (&["1"][..], true),
            (&["0"], false),
            (&["true"], false),
            (&["1, 1"], false),
            (&["11"], false),
            (&["01"], false),
            (&[""], false),
            (&[], false),
            (&["0", "1"], true),
            (&["x", "y"], false),
        ] {
            assert_eq!(signals(&with("sec-gpc", values)), heard, "{values:?}");
        }
    }

    #[test]
    fn names_are_like_patterns() {
        for (name, pattern, is) in [
            ("_ga", "_ga", true),
            ("_ga_X", "_ga", false),
            ("_ga_X", "_ga*", true),
            ("_ga", "_ga*", true),
            ("x_ga", "_ga*", false),
            ("a1b2c", "a*b*c", true),
            ("a1c", "a*b*c", false),
            ("abc", "*c", true),
            ("abc", "*b", false),
            ("a", "a*a", false),
        ] {
            assert_eq!(is_like(name, pattern), is, "{name} {pattern}");
        }
    }

    #[test]
    fn what_another_purpose_needs_is_not_cleared() {
        let headers = with("cookie", &["_ga=1; _gid=2; sr=1.1..; basket=3; srv=x"]);
        let patterns = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let gone = cleared(&headers, &patterns(&["_g*", "s*"]), &patterns(&["_gid"]));
        assert_eq!(gone, ["_ga=; Path=/; Max-Age=0"]);
    }
}
