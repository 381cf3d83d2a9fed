//! A file's bytes as UTF-8. What it is written in is said, or told by its byte order mark, or it is UTF-8: nothing is guessed,
//! for a wrong guess makes other people's names of the bytes. What looks like another encoding is refused with the words that
//! mend it.

use std::io::{Read, Result as Outcome};

use encoding_rs::{Decoder, DecoderResult, GB18030, UTF_16BE, UTF_16LE};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::ground::Problem;

/// How a file's text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8.
    #[serde(rename = "utf-8", alias = "utf8")]
    Utf8,
    /// UTF-16, low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// GB 18030-2005, which has all of GBK and GB 2312 in it.
    #[serde(rename = "gb18030", alias = "gbk", alias = "gb2312")]
    Gb18030,
}

impl Encoding {
    /// From its name, as `--encoding` and the mapping write it.
    pub fn of_name(name: &str) -> Option<Encoding> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Encoding::Utf8),
            "utf-16le" => Some(Encoding::Utf16Le),
            "utf-16be" => Some(Encoding::Utf16Be),
            "gb18030" | "gbk" | "gb2312" => Some(Encoding::Gb18030),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16Le => "utf-16le",
            Encoding::Utf16Be => "utf-16be",
            Encoding::Gb18030 => "gb18030",
        }
    }

    fn decoder(self) -> Option<Decoder> {
        match self {
            Encoding::Utf8 => None,
            Encoding::Utf16Le => Some(UTF_16LE.new_decoder_without_bom_handling()),
            Encoding::Utf16Be => Some(UTF_16BE.new_decoder_without_bom_handling()),
            Encoding::Gb18030 => Some(GB18030.new_decoder_without_bom_handling()),
        }
    }
}

/// Stands for bytes that do not decode. It is in no UTF-8, so whoever reads the cell refuses it; a U+FFFD would be taken in.
const UNDECODED: u8 = 0xff;
/// How much of a file is looked at before it is read.
const LOOKED_AT: usize = 64 << 10;

/// A file, decoded while it is read.
pub(super) struct Decoding<R> {
    file: R,
    /// What was looked at and is not read yet, or what was read and is not decoded yet.
    raw: Zeroizing<Vec<u8>>,
    raw_at: usize,
    raw_ended: bool,
    decoder: Option<Decoder>,
    decoded: Zeroizing<Vec<u8>>,
    decoded_at: usize,
    decoded_ended: bool,
}

impl<R: Read> Decoding<R> {
    /// Looks at the file's beginning and says how it is read. A byte order mark is taken off; it wins over what was said.
    ///
    /// Fails: `SR-IMPORT-020` when the file is plainly not UTF-8 and nobody said what it is, `SR-IMPORT-021` when it is plainly
    /// not what was said, `SR-IMPORT-030` when it is a workbook.
    pub(super) fn begin(mut file: R, said: Option<Encoding>) -> Result<Decoding<R>, Problem> {
        let mut start = Zeroizing::new(Vec::new());
        file.by_ref()
            .take(LOOKED_AT as u64)
            .read_to_end(&mut start)
            .map_err(|_| super::rows::unreadable())?;
        let marked = [
            (&b"\xef\xbb\xbf"[..], Encoding::Utf8),
            (&b"\xff\xfe"[..], Encoding::Utf16Le),
            (&b"\xfe\xff"[..], Encoding::Utf16Be),
        ];
        let mark = marked.into_iter().find(|(mark, _)| start.starts_with(mark));
        let (skipped, encoding) = match (mark, said) {
            (Some((mark, encoding)), _) => (mark.len(), encoding),
            (None, Some(said)) => {
                if said != Encoding::Utf8 && is_chinese_utf8(&start) {
                    return Err(contradicted(said));
                }
                (0, said)
            }
            (None, None) => {
                looks_otherwise(&start)?;
                (0, Encoding::Utf8)
            }
        };
        Ok(Decoding {
            file,
            raw: start,
            raw_at: skipped,
            raw_ended: false,
            decoder: encoding.decoder(),
            decoded: Zeroizing::new(Vec::new()),
            decoded_at: 0,
            decoded_ended: false,
        })
    }

    /// Decodes what there is, or reads more.
    fn decode_more(&mut self) -> Outcome<()> {
        if self.raw_at >= self.raw.len() && !self.raw_ended {
            self.raw.resize(LOOKED_AT, 0);
            let read = self.file.read(&mut self.raw)?;
            self.raw.truncate(read);
            self.raw_at = 0;
            self.raw_ended = read == 0;
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let raw = self.raw.get(self.raw_at..).unwrap_or_default();
        self.decoded.resize(LOOKED_AT, 0);
        self.decoded_at = 0;
        // One byte is kept free for what stands for bytes that do not decode.
        let space = self.decoded.len().saturating_sub(1);
        let space = self.decoded.get_mut(..space).unwrap_or_default();
        let (outcome, read, written) = decoder.decode_to_utf8_without_replacement(raw, space, self.raw_ended);
        self.raw_at = self.raw_at.saturating_add(read);
        self.decoded.truncate(written);
        match outcome {
            DecoderResult::Malformed(..) => self.decoded.push(UNDECODED),
            DecoderResult::InputEmpty => self.decoded_ended = self.raw_ended,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        if self.decoder.is_none() {
            // UTF-8 goes through as it is: first what was looked at, then the file.
            return match self.raw.get(self.raw_at..).filter(|left| !left.is_empty()) {
                Some(left) => Ok(copy(left, buffer, &mut self.raw_at)),
                None => self.file.read(buffer),
            };
        }
        while self.decoded_at >= self.decoded.len() {
            if self.decoded_ended {
                return Ok(0);
            }
            self.decode_more()?;
        }
        let left = self.decoded.get(self.decoded_at..).unwrap_or_default();
        Ok(copy(left, buffer, &mut self.decoded_at))
    }
}

fn copy(from: &[u8], to: &mut [u8], at: &mut usize) -> usize {
    let length = from.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
        to.copy_from_slice(from);
    }
    *at = at.saturating_add(length);
    length
}

/// Refuses what is plainly something else than UTF-8: a workbook, UTF-16 without its mark, Chinese text of a system that is not
/// set to UTF-8. A few bytes that are not UTF-8 are no proof; their cells are refused one by one.
fn looks_otherwise(start: &[u8]) -> Result<(), Problem> {
    if start.starts_with(b"PK\x03\x04") || start.starts_with(super::sheet::COMPOUND) {
        return Err(super::sheet::no_workbook(
            "the file is a workbook, and not the text that it is said to be",
        )
        .help("say `--format xlsx`; a workbook of before 2007 must be saved as .xlsx first"));
    }
    let zeros = |odd: usize| start.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let half = start.len() / 2;
    let likely = if half >= 4 && zeros(1) > half / 2 {
        Encoding::Utf16Le
    } else if half >= 4 && zeros(0) > half / 2 {
        Encoding::Utf16Be
    } else if is_likely_gb18030(start) {
        Encoding::Gb18030
    } else {
        return Ok(());
    };
    let title = format!("the file is not UTF-8; it looks like {}", likely.name());
    Err(Problem::new("SR-IMPORT-020", 422, title)
        .help("if that is what it is, say so with `--encoding`, or with `encoding = \"…\"` in the mapping"))
}

/// Is this Chinese text in GB 18030, as far as bytes can tell? All of it decodes; hardly anything in it is UTF-8; and nearly all
/// of its pairs have both bytes in the rows of GB 2312, where the common characters are. Letters of western code pages stand
/// alone between ASCII letters and fall through the last.
fn is_likely_gb18030(start: &[u8]) -> bool {
    let (mut broken, mut whole) = (0_usize, 0_usize);
    for chunk in start.utf8_chunks() {
        whole = whole.saturating_add(chunk.valid().chars().filter(|letter| !letter.is_ascii()).count());
        broken = broken.saturating_add(usize::from(!chunk.invalid().is_empty()));
    }
    if broken == 0 || whole.saturating_mul(2) >= broken || !decodes_as_gb18030(start) {
        return false;
    }
    let (mut common, mut rare) = (0_usize, 0_usize);
    let mut bytes = start.iter().copied();
    while let Some(lead) = bytes.next() {
        if lead < 0x80 {
            continue;
        }
        match bytes.next() {
            Some(0xa1..=0xfe) if (0xa1..=0xf7).contains(&lead) => common = common.saturating_add(1),
            Some(_) => rare = rare.saturating_add(1),
            None => {}
        }
    }
    common >= 2 && rare.saturating_mul(8) <= common
}

fn decodes_as_gb18030(start: &[u8]) -> bool {
    let mut decoder = GB18030.new_decoder_without_bom_handling();
    let mut space = Zeroizing::new(vec![0_u8; start.len().saturating_mul(4).saturating_add(16)]);
    // What was looked at may end within a character.
    let (outcome, ..) = decoder.decode_to_utf8_without_replacement(start, &mut space, false);
    outcome == DecoderResult::InputEmpty
}

/// Is this UTF-8, with Chinese characters in it? In GB 18030 no text of some length is that by chance.
fn is_chinese_utf8(start: &[u8]) -> bool {
    let valid = match std::str::from_utf8(start) {
        Ok(text) => Some(text),
        // It may end within a character.
        Err(error) if error.error_len().is_none() => {
            start.get(..error.valid_up_to()).and_then(|whole| std::str::from_utf8(whole).ok())
        }
        Err(_) => None,
    };
    let is_chinese = |letter: &char| matches!(letter, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}');
    valid.is_some_and(|text| text.chars().filter(is_chinese).nth(1).is_some())
}

fn contradicted(said: Encoding) -> Problem {
    let title = format!("the file is said to be {}, and it is UTF-8", said.name());
    Problem::new("SR-IMPORT-021", 422, title)
        .help("say `--encoding utf-8`, which goes before what the mapping says")
}

/// The problem of an encoding that is not known.
pub fn unknown_encoding() -> Problem {
    Problem::new("SR-IMPORT-022", 400, "there is no such encoding")
        .help("say `utf-8`, `utf-16le`, `utf-16be` or `gb18030` (which reads `gbk` and `gb2312`, too)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], said: Option<Encoding>) -> Result<Vec<u8>, &'static str> {
        let mut text = Vec::new();
        Decoding::begin(bytes, said).map_err(|problem| problem.code)?.read_to_end(&mut text).unwrap();
        Ok(text)
    }

    fn gb(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn what_is_marked_or_said_is_read_as_that() {
        let text = "订单号,收货人\n1,陈玉珍\u{20000}\n";
        let marked = |order| utf16(&format!("\u{feff}{text}"), order);
        for file in
            [marked(u16::to_le_bytes), marked(u16::to_be_bytes), [b"\xef\xbb\xbf", text.as_bytes()].concat()]
        {
            assert_eq!(read(&file, None).unwrap(), text.as_bytes());
            assert_eq!(read(&file, Some(Encoding::Gb18030)).unwrap(), text.as_bytes(), "a mark is sure");
        }
        assert_eq!(read(&gb(text), Some(Encoding::Gb18030)).unwrap(), text.as_bytes());
        assert_eq!(read(&utf16(text, u16::to_le_bytes), Some(Encoding::Utf16Le)).unwrap(), text.as_bytes());
        assert_eq!(read(text.as_bytes(), None).unwrap(), text.as_bytes());
        assert_eq!(read(b"", Some(Encoding::Gb18030)).unwrap(), b"");
    }

    #[test]
    fn a_long_file_is_decoded_piece_by_piece() {
        // No length of a line divides the pieces, so characters lie across their borders.
        let text = "收货人,手机,地址甲乙丙\n".repeat(20_000);
        for (file, said) in
            [(gb(&text), Encoding::Gb18030), (utf16(&text, u16::to_be_bytes), Encoding::Utf16Be)]
        {
            assert!(read(&file, Some(said)).unwrap() == text.as_bytes());
        }
        assert!(read(text.as_bytes(), None).unwrap() == text.as_bytes());
    }

    #[test]
    fn what_is_not_said_is_not_guessed_but_named() {
        let text = "order,name\n1,陈玉珍\n2,宋晨\n";
        assert_eq!(read(&gb(text), None), Err("SR-IMPORT-020"));
        assert_eq!(read(&utf16(text, u16::to_le_bytes), None), Err("SR-IMPORT-020"));
        assert_eq!(read(&utf16(text, u16::to_be_bytes), None), Err("SR-IMPORT-020"));
        let problem = Decoding::begin(&gb(text)[..], None).map(|_| ()).unwrap_err();
        assert!(problem.title.contains("gb18030") && problem.help.unwrap().contains("--encoding"));
        assert_eq!(read(text.as_bytes(), Some(Encoding::Gb18030)), Err("SR-IMPORT-021"));
        assert_eq!(read(b"PK\x03\x04rest", None), Err("SR-IMPORT-030"));
    }

    #[test]
    fn a_stray_byte_or_a_western_file_is_not_taken_for_chinese() {
        for file in [
            &b"id,name\n1,\xff\n"[..],
            b"id,name\n1,M\xfcller\n2,Ren\xe9e\n3,S\xf8ren\n",
            "安\u{fffd}".as_bytes(),
            b"\xe5\xae\x89,\xe5,",
        ] {
            assert_eq!(read(file, None).unwrap(), file);
        }
    }

    #[test]
    fn bytes_that_do_not_decode_are_no_text_and_take_nothing_with_them() {
        let file = [&gb("1,陈")[..], b"\xff\xff,", &gb("玉\n")].concat();
        let text = read(&file, Some(Encoding::Gb18030)).unwrap();
        assert_eq!(text, ["1,陈".as_bytes(), b"\xff\xff,", "玉\n".as_bytes()].concat());
        // A surrogate alone, and half a character at the end.
        assert_eq!(read(b"a\0\0\xd8b\0c", Some(Encoding::Utf16Le)).unwrap(), b"a\xffb\xff");
        assert_eq!(read(b"a\xb3", Some(Encoding::Gb18030)).unwrap(), b"a\xff");
    }

    #[test]
    fn names_tell_encodings() {
        assert_eq!(Encoding::of_name("GBK"), Some(Encoding::Gb18030));
        assert_eq!(Encoding::of_name("latin1"), None);
        for one in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Gb18030] {
            assert_eq!(Encoding::of_name(one.name()), Some(one));
        }
    }
}
