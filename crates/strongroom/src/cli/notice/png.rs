//! A code as a picture: black and white, one bit a pixel.
//!
//! SOURCE: ISO/IEC 15948 (PNG), 11.2 (the chunks), 7.2 (scanlines of one bit).

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use policy::notice::export::Code;

use crate::ground::Problem;

/// Pixels of a picture on each side of a module.
const MODULE: usize = 12;

/// What a PNG begins with.
pub(super) const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];

/// A code as a PNG, twelve pixels for each module.
pub(super) fn of_code(code: &Code) -> Result<Vec<u8>, Problem> {
    let side = code.side().saturating_mul(MODULE);
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::best());
    for row in code.rows() {
        let mut line = vec![0_u8]; // no filter
        let pixels: Vec<bool> = row.iter().flat_map(|dark| std::iter::repeat_n(*dark, MODULE)).collect();
        line.extend(pixels.chunks(8).map(packed));
        for _ in 0..MODULE {
            rows.write_all(&line)?;
        }
    }
    let side = u32::try_from(side).unwrap_or(u32::MAX).to_be_bytes();
    let mut head = [side, side].concat();
    head.extend([1, 0, 0, 0, 0]); // one bit, grey, deflate, five filters, not interlaced
    let mut png = SIGNATURE.to_vec();
    for (kind, body) in [(*b"IHDR", head), (*b"IDAT", rows.finish()?), (*b"IEND", Vec::new())] {
        chunk(&mut png, kind, &body);
    }
    Ok(png)
}

/// Eight pixels as a byte; a dark one is 0.
fn packed(pixels: &[bool]) -> u8 {
    pixels.iter().enumerate().fold(0, |byte, (at, dark)| if *dark { byte } else { byte | (0x80_u8 >> at) })
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let mut sum = flate2::Crc::new();
    sum.update(&kind);
    sum.update(body);
    png.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    png.extend(kind);
    png.extend(body);
    png.extend(sum.sum().to_be_bytes());
}

/// Width and height of a PNG; `None` if it is none.
pub(super) fn size_of(png: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(png.get(at..at.checked_add(4)?)?.try_into().ok()?));
    png.starts_with(&SIGNATURE).then_some(())?;
    Some((number(16)?, number(20)?))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    #[test]
    fn a_code_is_a_picture_of_its_modules() {
        let code = Code::of("https://shop.example/privacy").unwrap();
        let png = of_code(&code).unwrap();
        let side = code.side() * MODULE;
        assert_eq!(size_of(&png), Some((u32::try_from(side).unwrap(), u32::try_from(side).unwrap())));
        // SOURCE: ISO/IEC 15948: the checksum of an empty IEND is always this.
        assert!(png.ends_with(&[0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xAE, 0x42, 0x60, 0x82]));
        let length = u32::from_be_bytes(png[33..37].try_into().unwrap()) as usize;
        let mut rows = Vec::new();
        ZlibDecoder::new(&png[41..41 + length]).read_to_end(&mut rows).unwrap();
        let stride = side.div_ceil(8) + 1;
        assert_eq!(rows.len(), stride * side);
        for (y, row) in code.rows().enumerate() {
            for (x, dark) in row.iter().enumerate() {
                let (down, across) = (y * MODULE + 5, x * MODULE + 5);
                let byte = rows[down * stride + 1 + across / 8];
                assert_eq!(byte & (0x80 >> (across % 8)) == 0, *dark, "{x} {y}");
            }
        }
    }
}
