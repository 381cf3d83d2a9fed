//! The notice for storefronts of marketplaces, which carry no page and no script of the shop's: HTML of a few plain tags, plain text,
//! and pages of a fixed width for whoever makes pictures of them. Learning pages go the same way, as cards.
//!
//! Every [`Sheet`] says which version it is, since when it holds, and, where the shop's own site is known, where the whole notice
//! is: as an address in texts and as a code in pictures. The [`Manifest`] names every file by its digest, so that anybody can see
//! whether what hangs in a storefront is what is in force.
//!
//! What a marketplace's editor keeps of HTML, and how large it takes pictures, was not verified for any of them. So the HTML holds
//! nothing but [`TAGS`] without attributes, and sizes of pictures are those of [`Frame`], which a shop can change.
//!
//! Making pictures needs a browser, and is no part of this: [`Sheet::picture_page`] is what the browser shows, [`slices`] says where
//! to cut it.

mod code;
mod manifest;
mod picture;
mod storefront;

pub use code::Code;
pub use manifest::{Exported, FORMAT, Form, Manifest, Standing};
pub use picture::{MEASURE, Slice, Span, slices};
pub use storefront::TAGS;

use super::{Line, Notice, Site};
use crate::learn::Page;
use crate::record::{self, Words, both};
use crate::text::Language;
use crate::words::{Channel, SectionId};
use jiff::civil::Date;

/// The marketplaces that a notice can be exported for.
pub const MARKETS: [Channel; 4] = [Channel::Tmall, Channel::Taobao, Channel::Jd, Channel::TiktokShop];

/// How large pictures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Their width in pixels: even, [`Frame::NARROWEST`] to [`Frame::WIDEST`].
    pub width: u32,
    /// Their height in pixels at the most: even, [`Frame::LOWEST`] to [`Frame::HIGHEST`].
    pub height: u32,
}

impl Frame {
    /// The narrowest picture.
    pub const NARROWEST: u32 = 600;
    /// The widest.
    pub const WIDEST: u32 = 1_600;
    /// The lowest that one may ask for.
    pub const LOWEST: u32 = 600;
    /// The highest.
    pub const HIGHEST: u32 = 8_000;
    /// What is made where nothing else is asked for. No marketplace's own size: that was not verified.
    pub const USUAL: Self = Self { width: 750, height: 1_800 };

    /// A frame. *Gives* `None` where a side is odd or out of its range.
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let is_even = width.is_multiple_of(2) && height.is_multiple_of(2);
        let fits = (Self::NARROWEST..=Self::WIDEST).contains(&width)
            && (Self::LOWEST..=Self::HIGHEST).contains(&height);
        (is_even && fits).then_some(Self { width, height })
    }

    /// Pixels of a picture for one of the page that it is made of: sharp on a telephone.
    pub const SCALE: u32 = 2;
}

/// What every sheet says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The version of the policy; `None` for a draft.
    pub version: Option<u64>,
    /// The first day on which it holds.
    pub in_force: Option<Date>,
    /// The shop's own site, if there is one that people can open.
    pub site: Option<Site>,
    /// What every address asks for besides the language, so that whoever follows it stays with the shop: `&shop=tea`, or nothing.
    pub asks: String,
}

/// One document for a storefront, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// What its files are called: `notice`, `summary`, `card-rights`.
    pub name: String,
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// The shop's name.
    pub shop_name: String,
    /// HTML of [`TAGS`].
    pub html: String,
    /// Plain text.
    pub text: String,
    /// Where the same stands on the shop's own site.
    pub address: Option<String>,
    /// The language of its fixed words.
    words: record::Language,
    /// What a picture shows, as HTML under the notice's style.
    shown: String,
    /// Which version it is, in words.
    edition: String,
}

impl Sheet {
    /// The notice as a sheet.
    ///
    /// *Takes* the notice, made with an edition whose links lead to the same site as the stamp's.
    pub fn of_notice(notice: &Notice, stamp: &Stamp) -> Self {
        let (language, words) = (notice.language.clone(), notice.words);
        let address = stamp.address("/privacy", language.as_str());
        let edition = stamp.says(words);
        let said = Said { words, edition: &edition, address: address.as_deref() };
        Self {
            name: "notice".to_owned(),
            title: notice.title.plain(),
            shop_name: notice.shop_name.clone(),
            html: storefront::notice_html(notice, &said),
            text: storefront::notice_text(notice, &said),
            shown: notice.to_html_fragment(),
            language,
            words,
            address,
            edition,
        }
    }

    /// The notice in short, as a sheet: what a reader needs before following the code to all of it.
    pub fn of_summary(notice: &Notice, stamp: &Stamp) -> Self {
        let mut short = notice.clone();
        short.sections.retain(|section| SHORT.iter().any(|id| id.as_str() == section.id));
        short.title = Line::own(TITLE.of(notice.words));
        Self { name: "summary".to_owned(), ..Self::of_notice(&short, stamp) }
    }

    /// A learning page as a sheet. *Takes* the shop's name besides.
    pub fn of_card(page: &Page, language: &Language, shop_name: &str, stamp: &Stamp) -> Self {
        let words = page.language;
        let address = stamp.address(&format!("/privacy/learn/{}", page.id), language.as_str());
        let edition = stamp.says(words);
        let said = Said { words, edition: &edition, address: address.as_deref() };
        Self {
            name: format!("card-{}", page.id),
            title: page.title.clone(),
            shop_name: shop_name.to_owned(),
            html: storefront::card_html(page, shop_name, &said),
            text: storefront::card_text(page, shop_name, &said),
            shown: page.to_html_fragment(),
            language: language.clone(),
            words,
            address,
            edition,
        }
    }

    /// The code that leads to its address. *Gives* `None` where it has none.
    pub fn code(&self) -> Option<Code> {
        self.address.as_deref().and_then(Code::of)
    }
}

/// What stands at the head and the foot of a sheet.
struct Said<'s> {
    words: record::Language,
    edition: &'s str,
    address: Option<&'s str>,
}

impl Stamp {
    fn address(&self, path: &str, language: &str) -> Option<String> {
        let site = self.site.as_ref()?;
        Some(format!("{site}{path}?lang={language}{}", self.asks))
    }

    /// Which version it is: `Version 3, in force since 2026-12-01`.
    fn says(&self, words: record::Language) -> String {
        match (self.version, self.in_force) {
            (Some(version), Some(day)) => {
                filled(EDITION.of(words), &[&version.to_string(), &day.to_string()])
            }
            (Some(version), None) => filled(VERSION.of(words), &[&version.to_string()]),
            (None, _) => DRAFT.of(words).to_owned(),
        }
    }
}

/// A pattern with `{0}`, `{1}` replaced.
fn filled(pattern: &str, with: &[&str]) -> String {
    let fill = |text: String, (at, one): (usize, &&str)| text.replace(&format!("{{{at}}}"), one);
    with.iter().enumerate().fold(pattern.to_owned(), fill)
}

/// What the short notice has: what is used for what, who answers for it, whom one can turn to.
const SHORT: [SectionId; 3] = [SectionId::Summary, SectionId::Shop, SectionId::Complaints];

const TITLE: Words = both("Privacy notice in short", "隐私政策概要");
const EDITION: Words = both("Version {0}, in force since {1}", "第{0}版，{1}起生效");
const VERSION: Words = both("Version {0}", "第{0}版");
const DRAFT: Words = both("A draft, not published", "草稿，尚未发布");
const WHOLE: Words = both(
    "This is a copy for a storefront. Always up to date, with your data and your choices: {0}",
    "本页为店铺展示版。最新版本以及查看个人信息、管理授权，请访问：{0}",
);
