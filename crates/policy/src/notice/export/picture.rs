//! Sheets as pictures: the page that a browser shows, and where it is cut so that no line of text is.

use super::{Frame, Sheet};
use crate::notice::NOTICE_STYLE;
use crate::record::{Words, both, escaped};
use serde::Deserialize;

/// Lines of text on a page, as a browser measures them: tops and bottoms in pixels of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Span {
    /// Where it begins.
    pub top: u32,
    /// Where it ends.
    pub bottom: u32,
    /// Must what comes next stay with it? So it is with headings.
    pub keeps: bool,
}

/// A part of a page that becomes one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Where it begins.
    pub top: u32,
    /// How high it is.
    pub height: u32,
}

/// Where to cut a page.
///
/// *Takes* its height, the height of a slice at the most, and what must not be cut. *Gives* slices from the top to the bottom without
/// gaps, none higher than asked; a cut goes through something only where that is higher than a slice.
pub fn slices(height: u32, at_most: u32, spans: &[Span]) -> Vec<Slice> {
    let at_most = at_most.max(1);
    let gaps = gaps(height, spans);
    let (mut slices, mut top) = (Vec::new(), 0_u32);
    while top < height {
        let lowest = top.saturating_add(at_most);
        let bottom = if lowest >= height {
            height
        } else {
            let fits = gaps.iter().rev().find(|gap| **gap > top && **gap <= lowest);
            fits.copied().unwrap_or_else(|| above_what_is_at(lowest, top, spans))
        };
        slices.push(Slice { top, height: bottom.saturating_sub(top) });
        top = bottom;
    }
    slices
}

/// The top of whatever would be cut here, unless that is not below `top` either.
fn above_what_is_at(cut: u32, top: u32, spans: &[Span]) -> u32 {
    let is_cut = |span: &&Span| span.top > top && span.top < cut && cut < span.bottom;
    spans.iter().filter(is_cut).map(|span| span.top).min().unwrap_or(cut)
}

/// The middle of everything between two spans that need not stay together.
fn gaps(height: u32, spans: &[Span]) -> Vec<u32> {
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| (span.top, span.bottom));
    let (mut gaps, mut bottom, mut keeps) = (Vec::new(), 0, false);
    for span in spans {
        if span.top >= bottom && !keeps && bottom > 0 {
            gaps.push(bottom.midpoint(span.top));
        }
        // What a heading stands beside on one line does not end its hold.
        keeps = if span.top >= bottom { span.keeps } else { keeps || span.keeps };
        bottom = bottom.max(span.bottom);
    }
    gaps.retain(|gap| *gap < height);
    gaps
}

/// What a browser is asked about the page: its height and its spans, as JSON.
pub const MEASURE: &str = include_str!("measure.js");

/// Room for the foot of a picture, in pixels of the page.
const FOOT: u32 = 40;

/// Room above and below what a picture shows, in pixels of the page.
const EDGE: u32 = 12;

impl Sheet {
    /// The page that pictures are made of: [`Frame::width`] wide at [`Frame::SCALE`], no script, nothing fetched.
    pub fn picture_page(&self) -> String {
        let tag = self.words.tag();
        let (title, shown, end) = (escaped(&self.title), &self.shown, self.end());
        format!(
            "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>{NOTICE_STYLE}{STYLE}</style>\n</head>\n<body class=\"notice-page picture\">\n\
             <div id=\"frame\"><div id=\"sheet\">{shown}{end}</div></div>\n<p id=\"foot\"><span id=\"said\"></span><span id=\"part\"></span></p>\n</body>\n</html>\n"
        )
    }

    /// What stands below: which version it is, and the code.
    fn end(&self) -> String {
        let (edition, shop) = (escaped(&self.edition), escaped(&self.shop_name));
        let code = match (self.code(), &self.address) {
            (Some(code), Some(address)) => {
                let label = SCAN.of(self.words);
                format!("{}<p>{label}<br><span>{}</span></p>", code.to_svg(label), escaped(address))
            }
            _ => String::new(),
        };
        format!("<div class=\"notice end\"><p><strong>{shop}</strong><br>{edition}</p>{code}</div>")
    }

    /// What stands at the foot of each picture, as text: first what must not be cut off, the version.
    pub fn foot(&self) -> String {
        format!("{} · {} · {}", self.edition, self.shop_name, self.title)
    }

    /// Where its page is cut, by what a browser has measured.
    pub fn slices(&self, frame: Frame, height: u32, spans: &[Span]) -> Vec<Slice> {
        let at_most = frame.height.div_euclid(Frame::SCALE).saturating_sub(FOOT + 2 * EDGE);
        slices(height, at_most, spans)
    }

    /// What makes a slice the only thing that the page shows, as a script for a browser to evaluate; it gives the height that is
    /// shown. *Takes* which it is, from 1, and of how many.
    pub fn showing(&self, slice: Slice, number: usize, of: usize) -> String {
        let foot = serde_json::to_string(&self.foot()).unwrap_or_default();
        let Slice { top, height } = slice;
        format!(
            "(() => {{ const at = id => document.getElementById(id); at('frame').style.height = '{height}px'; \
             at('sheet').style.top = '-{top}px'; at('said').textContent = {foot}; at('part').textContent = '{number}/{of}'; at('foot').style.height = '{FOOT}px'; \
             return {height} + {FOOT} + 2 * {EDGE}; }})()"
        )
    }
}

const STYLE: &str = include_str!("picture.css");

const SCAN: Words = both("Scan for all of it, always up to date", "扫码查看完整的最新版本");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(top: u32, bottom: u32) -> Span {
        Span { top, bottom, keeps: false }
    }

    #[test]
    fn a_page_is_cut_between_lines_and_never_behind_a_heading() {
        let heading = Span { top: 110, bottom: 130, keeps: true };
        let spans = [line(0, 40), line(50, 90), heading, line(140, 180), line(190, 230)];
        let cut = slices(240, 150, &spans);
        assert_eq!(cut, [Slice { top: 0, height: 100 }, Slice { top: 100, height: 140 }]);
    }

    #[test]
    fn what_is_higher_than_a_slice_is_cut_all_the_same() {
        let heights: Vec<u32> = slices(250, 100, &[line(0, 250)]).iter().map(|slice| slice.height).collect();
        assert_eq!(heights, [100, 100, 50]);
    }

    proptest! {
        #[test]
        fn slices_cover_the_page_and_cut_nothing_that_fits(
            lines in prop::collection::vec((0_u32..40, 1_u32..60), 0..60), at_most in 60_u32..400,
        ) {
            let (mut spans, mut top) = (Vec::new(), 0);
            for (gap, height) in lines {
                spans.push(line(top + gap, top + gap + height));
                top += gap + height;
            }
            let cut = slices(top, at_most, &spans);
            prop_assert_eq!(cut.iter().map(|slice| slice.height).sum::<u32>(), top);
            for slice in &cut {
                prop_assert!(slice.height <= at_most && slice.height > 0);
                let end = slice.top + slice.height;
                prop_assert!(spans.iter().all(|span| !(span.top < end && end < span.bottom)), "{cut:?} {spans:?}");
            }
        }
    }
}
