//! The type that personal data lives in while it is plain.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::error::Error;
use crate::file::FileHead;
use crate::secret::same;

/// A plain personal datum. It cannot be printed, logged, compared with `==`, serialised or cloned, and its memory is
/// wiped when it goes.
///
/// It comes in by [`Personal::new`] at the edge, and goes out only with a permit.
///
/// ```compile_fail
/// let phone = seal::Personal::new(String::from("138 0000 0000"));
/// println!("{phone}");
/// ```
pub struct Personal<T: Zeroize>(T);

impl<T: Zeroize> Personal<T> {
    /// Takes a value in.
    pub fn new(value: T) -> Personal<T> {
        Personal(value)
    }

    /// Makes another personal value of it, for normalising and masking. The closure sees the plain value.
    pub fn map<U: Zeroize>(&self, change: impl FnOnce(&T) -> U) -> Personal<U> {
        Personal(change(&self.0))
    }

    /// The same, where it can fail. Faults must not carry the value: hence `E: Copy`, which holds no text.
    pub fn try_map<U: Zeroize, E: Copy>(
        &self,
        change: impl FnOnce(&T) -> Result<U, E>,
    ) -> Result<Personal<U>, E> {
        change(&self.0).map(Personal)
    }

    /// Answers one yes-or-no question about it.
    pub fn is(&self, question: impl FnOnce(&T) -> bool) -> bool {
        question(&self.0)
    }

    /// Shows the value to somebody who holds a permit that still stands.
    ///
    /// Fails: `SR-SEAL-005` when the permit's time is over.
    pub fn show<P: Permit>(&self, permit: &P) -> Result<&T, Error> {
        if permit.stands() { Ok(&self.0) } else { Err(Error::NotPermitted) }
    }

    pub(crate) fn plain(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Personal<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only which type: `Personal<Value>`.
        let name = std::any::type_name::<T>();
        write!(f, "Personal<{}>", name.rsplit("::").next().unwrap_or(name))
    }
}

/// What it takes to open: the yes of a gate in a committed transaction.
///
/// INVARIANT: the house implements this once, for a type that it makes of a commit alone (`cargo xtask arrows` checks).
pub trait Permit {
    /// Does the permit still stand? It ages within seconds.
    fn stands(&self) -> bool;
    /// Does it cover this field of this record?
    fn covers(&self, place: &Place, field: u8) -> bool;
}

/// Where a sealed record belongs. Bound into its key and into every field, so that it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of the shop.
    pub shop: u32,
    /// Number of the subject.
    pub subject: u64,
    /// Ordinal of the record's kind.
    pub kind: u8,
    /// Number of the record.
    pub record: u64,
    /// Version of the record, from 1.
    pub version: u32,
}

impl Place {
    /// `len ‖ bytes` of each part, in order. SOURCE: docs/spec/seal.md, "Place".
    pub(crate) fn encode(&self) -> [u8; 30] {
        let mut out = [0; 30];
        let parts: [&[u8]; 5] = [
            &self.shop.to_be_bytes(),
            &self.subject.to_be_bytes(),
            &[self.kind],
            &self.record.to_be_bytes(),
            &self.version.to_be_bytes(),
        ];
        let bytes = parts.into_iter().flat_map(|part| {
            std::iter::once(u8::try_from(part.len()).unwrap_or(u8::MAX)).chain(part.iter().copied())
        });
        for (slot, byte) in out.iter_mut().zip(bytes) {
            *slot = byte;
        }
        out
    }
}

/// One value of a field.
#[derive(PartialEq, Eq)]
pub enum Value {
    /// Text, normalised as the policy says.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A decimal number in canonical writing.
    Decimal(String),
    /// Yes or no.
    Boolean(bool),
    /// A civil date, `YYYY-MM-DD`.
    Date(String),
    /// What opening a file takes.
    File(Box<FileHead>),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(..)")
    }
}

impl Zeroize for Value {
    fn zeroize(&mut self) {
        match self {
            Value::Text(text) | Value::Decimal(text) | Value::Date(text) => text.zeroize(),
            Value::Integer(number) => number.zeroize(),
            Value::Boolean(yes) => yes.zeroize(),
            Value::File(head) => head.zeroize(),
        }
    }
}

/// A value's longest encoding in bytes. SOURCE: the house's limit of a field, 16 KiB.
pub const VALUE_LIMIT: usize = 16 << 10;

impl Value {
    /// Memory for the encoding of the longest of these. It does not move while they are written to its beginning one after
    /// another: what moves leaves a copy behind that nobody wipes.
    pub(crate) fn room_for<'v>(values: impl Iterator<Item = &'v Value>) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Vec::with_capacity(values.map(Value::encoded_len).max().unwrap_or(0)))
    }

    /// The encoding, in memory of its own.
    pub(crate) fn encoded(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut out = Value::room_for(std::iter::once(self));
        self.encode_into(&mut out)?;
        Ok(out)
    }

    /// Bytes of the encoding.
    fn encoded_len(&self) -> usize {
        let length = match self {
            Value::Text(text) | Value::Decimal(text) | Value::Date(text) => text.len(),
            Value::Integer(_) => size_of::<i64>(),
            Value::Boolean(_) => 1,
            Value::File(head) => head.encoded_len(),
        };
        length.saturating_add(1)
    }

    /// `tag ‖ bytes`, into memory that has room for them. SOURCE: docs/spec/seal.md, "Values".
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        match self {
            Value::Text(text) => {
                out.push(1);
                out.extend_from_slice(text.as_bytes());
            }
            Value::Integer(number) => {
                out.push(2);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Value::Decimal(text) => {
                out.push(3);
                out.extend_from_slice(text.as_bytes());
            }
            Value::Boolean(yes) => out.extend_from_slice(&[4, u8::from(*yes)]),
            Value::Date(text) => {
                out.push(5);
                out.extend_from_slice(text.as_bytes());
            }
            Value::File(head) => {
                out.push(6);
                head.encode_into(out);
            }
        }
        let length = out.len().saturating_sub(start);
        if length > VALUE_LIMIT.saturating_add(1) {
            Err(Error::TooLong { limit: VALUE_LIMIT })
        } else {
            Ok(())
        }
    }

    /// Is it the same value, in a time that depends on the lengths only?
    pub(crate) fn same_as(&self, other: &Value) -> Result<bool, Error> {
        Ok(same(&self.encoded()?, &other.encoded()?))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Value, Error> {
        let (tag, rest) = bytes.split_first().ok_or(Error::Malformed)?;
        let text = || std::str::from_utf8(rest).map(str::to_owned).map_err(|_| Error::Malformed);
        Ok(match (tag, rest) {
            (1, _) => Value::Text(text()?),
            (2, _) => Value::Integer(i64::from_be_bytes(rest.try_into().map_err(|_| Error::Malformed)?)),
            (3, _) => Value::Decimal(text()?),
            (4, [0]) => Value::Boolean(false),
            (4, [1]) => Value::Boolean(true),
            (5, _) => Value::Date(text()?),
            (6, _) => Value::File(Box::new(FileHead::decode(rest)?)),
            _ => return Err(Error::Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_type_and_nothing_else() {
        let phone = Personal::new(Value::Text("13812345678".into()));
        assert_eq!(format!("{phone:?}"), "Personal<Value>");
    }

    #[test]
    fn a_place_encodes_to_thirty_bytes_with_every_part_length_prefixed() {
        let place = Place { shop: 1, subject: 2, kind: 3, record: 4, version: 5 };
        let hex = data_encoding::HEXLOWER.encode(&place.encode());
        assert_eq!(hex, "040000000108000000000000000201030800000000000000040400000005");
    }

    /// One of each kind, and a long one.
    fn values() -> Vec<Value> {
        let head = [&[0, 1][..], &[7; 64], &1_u64.to_be_bytes(), b"image/jpeg"].concat();
        vec![
            Value::Text("安".into()),
            Value::Text(String::new()),
            Value::Text("x".repeat(VALUE_LIMIT)),
            Value::Integer(i64::MIN),
            Value::Decimal("12.50".into()),
            Value::Boolean(true),
            Value::Boolean(false),
            Value::Date("2026-11-22".into()),
            Value::File(Box::new(FileHead::decode(&head).unwrap())),
        ]
    }

    #[test]
    fn every_value_decodes_to_what_was_encoded() {
        for value in values() {
            assert!(Value::decode(&value.encoded().unwrap()).unwrap() == value);
        }
        for hostile in [&[][..], &[0], &[4, 2], &[2, 1, 2], &[1, 0xff], &[9, 1], &[6], &[6; 74]] {
            assert!(matches!(Value::decode(hostile), Err(Error::Malformed)));
        }
    }

    #[test]
    fn an_encoding_does_not_move_while_it_is_written() {
        let values = values();
        let mut room = Value::room_for(values.iter());
        let (place, size) = (room.as_ptr(), room.capacity());
        for value in &values {
            room.clear();
            value.encode_into(&mut room).unwrap();
            assert_eq!((room.as_ptr(), room.capacity()), (place, size));
            let own = value.encoded().unwrap();
            assert_eq!((own.len(), own.capacity()), (value.encoded_len(), value.encoded_len()));
        }
    }

    #[test]
    fn a_value_is_the_same_as_itself_and_as_no_other() {
        let (values, again) = (values(), values());
        for (at, one) in values.iter().enumerate() {
            for (place, other) in again.iter().enumerate() {
                assert_eq!(one.same_as(other).unwrap(), at == place);
            }
        }
    }

    #[test]
    fn a_value_longer_than_its_limit_is_refused() {
        let long = Value::Text("x".repeat(VALUE_LIMIT + 1));
        assert_eq!(long.encoded().err(), Some(Error::TooLong { limit: VALUE_LIMIT }));
    }
}
