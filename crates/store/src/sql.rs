//! Statements, parameters and rows, written once for two engines.
//!
//! A statement is a `static` of its room. It is prepared once per connection and found again by its
//! address, so running it costs no hashing of its text.

use crate::error::Error;

/// One SQL text of the shared subset: `$1` placeholders in order, no functions in `SET`, no sequences.
#[derive(Debug)]
pub struct Sql {
    text: &'static str,
    rests_on: &'static [&'static str],
}

impl Sql {
    /// Wraps a text. Rooms use [`statements!`](crate::statements) instead, which also lists it for the test that prepares every one.
    pub const fn new(text: &'static str) -> Sql {
        Sql { text, rests_on: &[] }
    }

    /// Of a statement that only reads these tables: within a transaction its answer stays what it was until that transaction
    /// changes one of them, for nobody else does so under the pen. A server is asked once, and can be asked for many at once.
    #[must_use]
    pub const fn resting_on(self, tables: &'static [&'static str]) -> Sql {
        Sql { rests_on: tables, ..self }
    }

    /// The tables of which the answer is made, of a statement whose answers are remembered; none of any other.
    pub fn rests_on(&self) -> &'static [&'static str] {
        self.rests_on
    }

    /// Does it change rows of a table? Of a statement of an unusual form it is said too often, and never too rarely.
    pub(crate) fn may_change(&self, table: &str) -> bool {
        let changed =
            ["INSERT INTO ", "UPDATE ", "DELETE FROM "].iter().find_map(|verb| self.named_after(verb));
        match changed {
            Some(changed) => changed == table,
            None => !self.text.starts_with("SELECT") && self.text.contains(table),
        }
    }

    /// Does it meet a table at all? Said of some that do not, and of every one that does.
    pub(crate) fn may_meet(&self, table: &str) -> bool {
        if self.rests_on.is_empty() { self.text.contains(table) } else { self.rests_on.contains(&table) }
    }

    /// The table into which it adds rows, of an `INSERT`.
    pub(crate) fn adds_to(&self) -> Option<&'static str> {
        self.named_after("INSERT INTO ")
    }

    fn named_after(&self, verb: &str) -> Option<&'static str> {
        self.text.strip_prefix(verb)?.split_whitespace().next()
    }

    /// Does it rest on every table that its text names? For the test of each room's statements: an answer that is remembered too
    /// long would be a wrong one.
    pub fn says_what_it_rests_on(&self) -> bool {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let mut named = words.windows(2).filter_map(|pair| match pair {
            ["FROM" | "JOIN", table] => (!table.starts_with('(')).then(|| table.trim_end_matches(')')),
            _ => None,
        });
        self.text.starts_with("SELECT ") && named.all(|table| self.rests_on.contains(&table))
    }

    /// The text as the engine gets it.
    pub fn text(&self) -> &'static str {
        self.text
    }

    pub(crate) fn address(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// Declares the statements of a room and, for the test that prepares every one, a list `ALL` of them.
///
/// ```
/// store::statements! {
///     /// Finds a thing by its number.
///     FIND_THING = "SELECT name FROM thing WHERE number = $1";
/// }
/// assert!(FIND_THING.text().starts_with("SELECT"));
/// ```
#[macro_export]
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr $(, rests on $tables:expr)?;)*) => {
        $($(#[$doc])* pub(crate) static $name: $crate::Sql = $crate::Sql::new($text)$(.resting_on(&$tables))?;)*
        /// Every statement of this file, by name.
        #[cfg(test)]
        pub(crate) static ALL: &[(&str, &$crate::Sql)] = &[$((stringify!($name), &$name)),*];
    };
}

/// One bound parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A whole number; instants are microseconds UTC.
    Int(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text that is not personal data.
    Text(&'a str),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Value::Int(i64::from(value))
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Value::Int(i64::from(value))
    }
}

impl From<u16> for Value<'_> {
    fn from(value: u16) -> Self {
        Value::Int(i64::from(value))
    }
}

impl From<u8> for Value<'_> {
    fn from(value: u8) -> Self {
        Value::Int(i64::from(value))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Value::Bytes(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Value::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Value::Bytes(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// What a unit of work is going to ask: a statement that [rests on](Sql::resting_on) its tables, and its parameters.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(crate) sql: &'static Sql,
    pub(crate) params: Params,
}

impl Ask {
    /// A statement, and what it will be asked with.
    pub fn new(sql: &'static Sql, params: &[Value<'_>]) -> Ask {
        Ask { sql, params: Params::of(params) }
    }
}

/// Parameters that are kept: to be sent later, or because an answer to them is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Params(Box<[Owned]>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owned {
    Null,
    Int(i64),
    Bytes(Box<[u8]>),
    Text(Box<str>),
}

impl Params {
    pub(crate) fn of(values: &[Value<'_>]) -> Params {
        let owned = values.iter().map(|value| match *value {
            Value::Null => Owned::Null,
            Value::Int(value) => Owned::Int(value),
            Value::Bytes(value) => Owned::Bytes(value.into()),
            Value::Text(value) => Owned::Text(value.into()),
        });
        Params(owned.collect())
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = Value<'_>> {
        self.0.iter().map(|owned| match owned {
            Owned::Null => Value::Null,
            Owned::Int(value) => Value::Int(*value),
            Owned::Bytes(value) => Value::Bytes(value),
            Owned::Text(value) => Value::Text(value),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn begins_with(&self, first: &Params) -> bool {
        self.0.starts_with(&first.0)
    }

    /// Bytes that they take, without the numbers.
    pub(crate) fn bytes(&self) -> usize {
        let of = |owned: &Owned| match owned {
            Owned::Null | Owned::Int(_) => 8,
            Owned::Bytes(value) => value.len(),
            Owned::Text(value) => value.len(),
        };
        self.0.iter().map(of).sum()
    }
}

/// Builds the parameter list of a statement.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] as &[$crate::Value<'_>] };
}

/// The columns of one row, whichever engine gave it.
pub(crate) trait Columns {
    fn int(&self, column: usize) -> Result<Option<i64>, Error>;
    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, Error>;
    fn text(&self, column: usize) -> Result<Option<&str>, Error>;
}

/// One row of an answer. Columns count from 0.
pub struct Row<'r>(pub(crate) &'r dyn Columns);

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Row(..)")
    }
}

impl Row<'_> {
    /// A whole number. Fails: `SR-STORE-012` when the column is NULL or something else.
    pub fn int(&self, column: usize) -> Result<i64, Error> {
        self.0.int(column)?.ok_or(Error::WrongColumn { column })
    }

    /// A whole number or NULL.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, Error> {
        self.0.int(column)
    }

    /// A number that fits the type asked for.
    pub fn number<N: TryFrom<i64>>(&self, column: usize) -> Result<N, Error> {
        N::try_from(self.int(column)?).map_err(|_| Error::WrongColumn { column })
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Result<&[u8], Error> {
        self.0.bytes(column)?.ok_or(Error::WrongColumn { column })
    }

    /// Bytes or NULL.
    pub fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        self.0.bytes(column)
    }

    /// Bytes of a fixed length.
    pub fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], Error> {
        self.bytes(column)?.try_into().map_err(|_| Error::WrongColumn { column })
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<&str, Error> {
        self.0.text(column)?.ok_or(Error::WrongColumn { column })
    }

    /// Text or NULL.
    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>, Error> {
        self.0.text(column)
    }
}
