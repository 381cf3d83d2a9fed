//! PostgreSQL's messages, as far as the proxy reads them.
//!
//! SOURCE: PostgreSQL, Frontend/Backend Protocol, "Message Formats".

use std::collections::HashMap;
use std::io::{self, Read};

/// One message as it came: type, length, body. The first one of a client has no type.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) bytes: Vec<u8>,
}

/// Stands where the first message of a client has no type.
pub(crate) const STARTUP: u8 = 0;
/// What asks for an encryption in place of a first message: for TLS, for GSSAPI.
const ASKS: [u32; 2] = [80_877_103, 80_877_104];

impl Frame {
    /// Reads one. `None` at the end of the stream, or when it breaks off.
    pub(crate) fn read(from: &mut impl Read, first: bool) -> Option<Frame> {
        let mut bytes = Vec::new();
        let mut take = |count: usize, bytes: &mut Vec<u8>| -> io::Result<()> {
            let start = bytes.len();
            bytes.resize(start + count, 0);
            from.read_exact(&mut bytes[start..])
        };
        let kind = if first {
            STARTUP
        } else {
            take(1, &mut bytes).ok()?;
            bytes[0]
        };
        let head = bytes.len();
        take(4, &mut bytes).ok()?;
        let length = usize::try_from(u32::from_be_bytes(bytes[head..].try_into().ok()?)).ok()?;
        take(length.checked_sub(4)?, &mut bytes).ok()?;
        Some(Frame { kind, bytes })
    }

    /// Whether this first message asks for an encryption, and another first one follows.
    pub(crate) fn asks_for_encryption(&self) -> bool {
        let code = self.bytes.get(4..8).and_then(|code| code.try_into().ok()).map(u32::from_be_bytes);
        self.kind == STARTUP && self.bytes.len() == 8 && code.is_some_and(|code| ASKS.contains(&code))
    }

    /// Texts in its body that end with a zero byte, one after another.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let body = self.bytes.get(5..).unwrap_or_default();
        body.split(|byte| *byte == 0).map(|text| std::str::from_utf8(text).unwrap_or_default())
    }
}

/// What a client has prepared, so that it is known what it executes.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    statements: HashMap<String, String>,
    portals: HashMap<String, String>,
}

impl Prepared {
    /// The SQL that a message of a client brings or executes, after taking note of what it prepares.
    pub(crate) fn text(&mut self, frame: &Frame) -> String {
        let mut texts = frame.texts().map(str::to_owned);
        let mut next = || texts.next().unwrap_or_default();
        match frame.kind {
            b'Q' => next(),
            b'P' => {
                let (name, sql) = (next(), next());
                self.statements.insert(name, sql.clone());
                sql
            }
            b'B' => {
                let (portal, statement) = (next(), next());
                let sql = self.statements.get(&statement).cloned().unwrap_or_default();
                self.portals.insert(portal, sql.clone());
                sql
            }
            b'E' => self.portals.get(&next()).cloned().unwrap_or_default(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of a type with a body.
    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind], length.to_be_bytes().as_slice(), body].concat()
    }

    #[test]
    fn messages_are_read_one_by_one_and_half_a_message_is_none() {
        let stream = [message(b'Q', b"SELECT 1\0"), message(b'S', b"")].concat();
        let mut from = stream.as_slice();
        let query = Frame::read(&mut from, false).unwrap();
        assert_eq!((query.kind, Prepared::default().text(&query).as_str()), (b'Q', "SELECT 1"));
        let sync = Frame::read(&mut from, false).unwrap();
        assert_eq!((sync.kind, sync.bytes), (b'S', message(b'S', b"")));
        assert!(Frame::read(&mut from, false).is_none());
        assert!(Frame::read(&mut &stream[..7], false).is_none());
        assert!(
            Frame::read(&mut [b'Q', 0, 0, 0, 3].as_slice(), false).is_none(),
            "shorter than its own length"
        );
    }

    #[test]
    fn the_first_message_has_no_type_and_may_ask_for_encryption() {
        let asks = [8_u32.to_be_bytes(), 80_877_103_u32.to_be_bytes()].concat();
        assert!(Frame::read(&mut asks.as_slice(), true).unwrap().asks_for_encryption());
        let startup = [8_u32.to_be_bytes(), 196_608_u32.to_be_bytes()].concat();
        assert!(!Frame::read(&mut startup.as_slice(), true).unwrap().asks_for_encryption());
    }

    #[test]
    fn what_is_executed_is_known_by_what_was_prepared() {
        let mut prepared = Prepared::default();
        let mut text = |kind, body: &[u8]| {
            prepared.text(&Frame::read(&mut message(kind, body).as_slice(), false).unwrap())
        };
        assert_eq!(text(b'P', b"s1\0COMMIT\0\0\0"), "COMMIT");
        assert_eq!(text(b'P', b"s2\0SELECT $1\0\0\0"), "SELECT $1");
        assert_eq!(text(b'B', b"p\0s1\0\0\0\0\0\0\0"), "COMMIT");
        assert_eq!(text(b'B', b"\0s2\0\0\0\0\0\0\0"), "SELECT $1");
        assert_eq!(
            (text(b'E', b"p\0\0\0\0\0"), text(b'E', b"\0\0\0\0\0")),
            ("COMMIT".into(), "SELECT $1".into())
        );
    }
}
