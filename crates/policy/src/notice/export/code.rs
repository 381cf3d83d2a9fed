//! A code that a telephone reads: an address, as dark and light squares.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// An address as a QR code, with the light margin that readers need.
///
/// *Source*: ISO/IEC 18004, 4 light modules on each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Modules on a side, with the margin.
    side: usize,
    /// Row by row: is the module dark?
    dark: Vec<bool>,
}

/// Light modules around a code.
const MARGIN: usize = 4;

impl Code {
    /// The code of an address. *Gives* `None` where it is too long for one.
    pub fn of(address: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(address, EcLevel::M).ok()?;
        let (width, colours) = (code.width(), code.to_colors());
        let side = width.saturating_add(MARGIN.saturating_mul(2));
        let mut dark = Vec::with_capacity(side.saturating_mul(side));
        let light = |count: usize| std::iter::repeat_n(false, count);
        dark.extend(light(side.saturating_mul(MARGIN)));
        for row in colours.chunks(width) {
            dark.extend(light(MARGIN));
            dark.extend(row.iter().map(|module| *module == Color::Dark));
            dark.extend(light(MARGIN));
        }
        dark.extend(light(side.saturating_mul(MARGIN)));
        Some(Self { side, dark })
    }

    /// Modules on a side, with the margin.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Its rows, from the top: is a module dark?
    pub fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.dark.chunks(self.side)
    }

    /// The code as a drawing within a page. *Takes* what it is, in words, for whoever hears the page.
    pub fn to_svg(&self, label: &str) -> String {
        let mut path = String::new();
        for (y, row) in self.rows().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
                // Writing into a string cannot fail.
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        let (side, label) = (self.side, crate::record::escaped(label));
        format!(
            "<svg class=\"code\" role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {side} {side}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SOURCE: ISO/IEC 18004, finder pattern: a ring of seven modules, a light one, and three times three.
    #[test]
    fn a_code_has_its_margin_and_its_three_corners() {
        let code = Code::of("https://shop.example/privacy?lang=zh").unwrap();
        let rows: Vec<&[bool]> = code.rows().collect();
        assert_eq!(rows.len(), code.side());
        let last = code.side() - MARGIN - 7;
        for (top, left) in [(MARGIN, MARGIN), (MARGIN, last), (last, MARGIN)] {
            let ring: Vec<bool> = rows[top][left..left + 7].to_vec();
            let middle: Vec<bool> = rows[top + 3][left..left + 7].to_vec();
            assert_eq!(ring, [true; 7]);
            assert_eq!(middle, [true, false, true, true, true, false, true]);
        }
        for (at, row) in rows.iter().enumerate() {
            let is_margin = at < MARGIN || at >= code.side() - MARGIN;
            assert!(!is_margin || row.iter().all(|dark| !dark));
            assert!(row[..MARGIN].iter().all(|dark| !dark));
        }
    }

    #[test]
    fn an_address_that_is_too_long_has_no_code() {
        assert_eq!(Code::of(&format!("https://shop.example/{}", "a".repeat(3_000))), None);
    }
}
