//! Addresses as a browser writes them, without what may be personal: user names, queries and fragments are dropped.

/// The longest path that is kept.
const MAX_PATH_CHARS: usize = 256;

/// An address of HTTP or of a web socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host and port.
    pub(crate) origin: String,
    pub(crate) host: String,
    pub(crate) path: String,
}

impl Address {
    /// Reads one. `None` for what goes nowhere: `data:`, `blob:`, `about:`, the browser's own pages.
    pub(crate) fn parse(text: &str) -> Option<Address> {
        let (scheme, rest) = text.split_once("://")?;
        if !["http", "https", "ws", "wss"].contains(&scheme) {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at_checked(end)?;
        let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place).to_ascii_lowercase();
        let host = host_of(&place).to_owned();
        if host.is_empty() {
            return None;
        }
        let path = behind.split(['?', '#']).next().unwrap_or_default();
        let path = if path.is_empty() { "/" } else { path };
        let path = path.chars().take(MAX_PATH_CHARS).collect();
        Some(Address { origin: format!("{scheme}://{place}"), host, path })
    }

    /// Origin and path.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }
}

fn host_of(place: &str) -> &str {
    match place.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_neither_query_nor_fragment_nor_user() {
        let address = Address::parse("https://ann:secret@Shop.example:8443/a/b?email=ann@x#top").unwrap();
        assert_eq!(address.text(), "https://shop.example:8443/a/b");
        assert_eq!(address.host, "shop.example");
        assert_eq!(Address::parse("http://[::1]:80?x").unwrap().host, "[::1]");
        assert_eq!(Address::parse("http://[::1]/").unwrap().host, "[::1]");
        assert_eq!(
            Address::parse("https://shop.example?next=https://a@b").unwrap().text(),
            "https://shop.example/"
        );
    }

    #[test]
    fn what_goes_nowhere_is_no_address() {
        for text in
            ["data:image/gif;base64,AAAA", "blob:https://a/b", "about:blank", "chrome://newtab", "https://"]
        {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
