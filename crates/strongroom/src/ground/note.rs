//! Logging that cannot leak: only values of types that are safe by their nature get in.

use std::fmt::Display;

/// A value that can stand in a log: a number, a word of ours, a stable code. Never a name, an address, an id of a person,
/// or text that came from outside.
pub trait LogSafe: Display {}

macro_rules! log_safe {
    ($($type:ty),* $(,)?) => { $(impl LogSafe for $type {})* };
}

// `&'static str` is text that stands in this program; `String` and `&str` of any other life are not.
log_safe!(u8, u16, u32, u64, usize, i32, i64, f64, bool, &'static str, std::io::ErrorKind);

/// An address that we listen on ourselves. Addresses of those who call are personal data and have no such type.
#[derive(Debug, Clone, Copy)]
pub struct OurAddress(pub std::net::SocketAddr);

impl Display for OurAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl LogSafe for OurAddress {}

/// A path that the operator configured.
#[derive(Debug, Clone, Copy)]
pub struct OurPath<'a>(pub &'a std::path::Path);

impl Display for OurPath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(f)
    }
}

impl LogSafe for OurPath<'_> {}

/// A name that the operator configured: of a witness.
#[derive(Debug, Clone, Copy)]
pub struct OurName<'a>(pub &'a str);

impl Display for OurName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl LogSafe for OurName<'_> {}

/// Lets a value through that is safe to log, and does not compile for any other.
///
/// ```compile_fail
/// strongroom::ground::note::safe(&String::from("ann@shop.example"));
/// ```
pub fn safe<T: LogSafe>(value: &T) -> &T {
    value
}

/// Writes one line to the log: a level, a sentence of ours, and named values that are [`LogSafe`].
///
/// ```
/// strongroom::note!(INFO, "serving", port = 8700_u16);
/// ```
#[macro_export]
macro_rules! note {
    ($level:ident, $message:literal $(, $name:ident = $value:expr)* $(,)?) => {
        ::tracing::event!(
            ::tracing::Level::$level,
            $($name = %$crate::ground::note::safe(&$value),)*
            $message
        )
    };
}
