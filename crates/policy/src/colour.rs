//! Colours, and how well one can be read on another.
//!
//! SOURCE: WCAG 2.2, "relative luminance" and "contrast ratio"; success criterion 1.4.3 asks for 4.5 to 1.

use std::fmt;

/// A colour of a screen: `#17604f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// The least contrast at which a text can be read.
pub const LEAST_CONTRAST: f64 = 4.5;

impl Colour {
    /// A colour of its three parts.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// A colour as `#rrggbb`, in letters of either case. *Gives* `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self { red, green, blue })
    }

    /// How light it is, from 0 (black) to 1 (white).
    pub fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// How well one can be told from the other, from 1 (not at all) to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs whose contrast is known: the ends of the scale; grey `#767676` is the lightest that passes on white and `#777777` the
    /// darkest that does not.
    #[test]
    fn known_pairs_have_their_contrast() {
        for (one, two, known) in [
            ("#000000", "#ffffff", 21.0),
            ("#ffffff", "#ffffff", 1.0),
            ("#767676", "#ffffff", 4.54),
            ("#777777", "#ffffff", 4.48),
            ("#0000ff", "#ffffff", 8.59),
            ("#ff0000", "#ffffff", 4.00),
            ("#00ff00", "#ffffff", 1.37),
            ("#ffff00", "#000000", 19.56),
        ] {
            let (one, two) = (Colour::parse(one).unwrap(), Colour::parse(two).unwrap());
            assert!((one.contrast(two) - known).abs() < 0.005, "{one} {two} {}", one.contrast(two));
            assert!((one.contrast(two) - two.contrast(one)).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn a_colour_is_six_digits_behind_a_hash() {
        assert_eq!(Colour::parse("#17604F"), Some(Colour::new(0x17, 0x60, 0x4f)));
        assert_eq!(Colour::parse("#17604F").unwrap().to_string(), "#17604f");
        for bad in ["17604f", "#17604", "#17604ff", "#fff", "green", "#+7604f", "#１7604", "", "#"] {
            assert_eq!(Colour::parse(bad), None, "{bad}");
        }
    }
}
