//! Enums whose numbers are part of a format: what has no name yet keeps its number, and has one form only.

macro_rules! numbered {
    (
        $(#[$about:meta])* $name:ident, unknown $unknown:ident;
        $($(#[$what:meta])* $variant:ident = $number:literal, $text:literal;)*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$what])* $variant,)*
            /// A number from a later version of the format.
            Other($unknown),
        }

        /// A number that has no name here yet; only reading one makes it, so no number has two forms.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $unknown(u8);

        impl $name {
            /// All that have a name, by number.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Which one has this number?
            pub fn from_number(number: u8) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    _ => Self::Other($unknown(number)),
                }
            }

            /// Its number in the encoding.
            pub fn number(self) -> u8 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Other($unknown(number)) => number,
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($text),)*
                    Self::Other($unknown(number)) => write!(f, "other_{number}"),
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

pub(crate) use numbered;
