//! The notice and the learning pages for storefronts.

use crate::{SHOP, TODAY, policy_of};
use policy::notice::export::{Exported, Form, Frame, Manifest, Sheet, Stamp, Standing, TAGS};
use policy::notice::{Edition, Links, Notice, Site};
use policy::{Channel, Language, learn, record};

const IMPORTS: &str = include_str!("../../../../examples/zh-shop/shop.toml");
const ABROAD: &str = include_str!("../../../../examples/cross-border/shop.toml");

/// A shop whose name and note are after the reader.
const HOSTILE: &str = r#"
[note.bad]
title = { zh = "<img src=x onerror=alert(1)>", en = "<img src=x onerror=alert(1)>" }
body = { zh = "</p><script>alert(1)</script>", en = "</p><script>alert(1)</script>" }
"#;

fn stamp(site: Option<&str>) -> Stamp {
    Stamp {
        version: Some(3),
        in_force: Some(jiff::civil::date(2026, 12, 1)),
        site: site.map(|site| Site::parse(site).unwrap()),
        asks: String::new(),
    }
}

/// Every sheet of a policy in each of its languages.
fn sheets(text: &str, site: Option<&str>) -> Vec<Sheet> {
    let (policy, stamp) = (policy_of(text), stamp(site));
    let packs = &rulebook::built_in().packs;
    let mut sheets = Vec::new();
    for language in &policy.shop.languages {
        let links = Links {
            site: stamp.site.clone().unwrap_or_default(),
            asks: format!("?lang={language}"),
            ..Links::default()
        };
        let edition = Edition { version: stamp.version, in_force: stamp.in_force, links };
        let notice = Notice::of(&policy, language, &edition, packs, TODAY).unwrap();
        sheets.extend([Sheet::of_notice(&notice, &stamp), Sheet::of_summary(&notice, &stamp)]);
        let pages = learn::pages(record::Language::beside(language.as_str()));
        sheets.extend(pages.iter().map(|page| Sheet::of_card(page, language, &notice.shop_name, &stamp)));
    }
    sheets
}

fn sheet(text: &str, site: Option<&str>, name: &str, language: &str) -> Sheet {
    let is_it = |sheet: &Sheet| sheet.name == name && sheet.language == Language::parse(language).unwrap();
    sheets(text, site).into_iter().find(is_it).unwrap()
}

#[test]
fn a_storefront_gets_nothing_but_plain_tags_and_each_is_closed() {
    let hostile = format!("{SHOP}{HOSTILE}");
    for text in [hostile.as_str(), IMPORTS, ABROAD] {
        for sheet in sheets(text, Some("https://shop.example")) {
            let mut open = Vec::new();
            for part in sheet.html.split('<').skip(1) {
                let (tag, _) = part.split_once('>').unwrap();
                let name = tag.trim_start_matches('/');
                assert!(TAGS.contains(&name), "`<{tag}>` in {}", sheet.name);
                if tag.starts_with('/') {
                    assert_eq!(open.pop(), Some(name), "{}", sheet.name);
                } else if name != "br" {
                    open.push(name);
                }
            }
            assert!(open.is_empty(), "{open:?} in {}", sheet.name);
        }
    }
    let shown = sheet(&hostile, None, "notice", "zh");
    assert!(shown.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(shown.text.contains("<script>alert(1)</script>"), "plain text is no HTML");
    assert!(!shown.picture_page().contains("<script"));
}

#[test]
fn a_sheet_says_which_version_it_is_and_where_all_of_it_stands() {
    let notice = sheet(SHOP, Some("https://shop.example"), "notice", "zh");
    for text in [&notice.html, &notice.text, &notice.picture_page()] {
        assert!(text.contains("第3版，2026-12-01起生效"));
        assert!(text.contains("https://shop.example/privacy?lang=zh"));
    }
    assert_eq!(notice.foot(), "第3版，2026-12-01起生效 · 海港与山 · 隐私政策");
    let card = sheet(SHOP, Some("https://shop.example"), "card-rights", "en");
    assert_eq!(card.address.as_deref(), Some("https://shop.example/privacy/learn/rights?lang=en"));
    assert!(card.code().is_some() && card.picture_page().contains("<svg"));
}

#[test]
fn a_shop_without_a_known_site_has_no_code_and_no_address_that_leads_nowhere() {
    for sheet in sheets(SHOP, None) {
        assert!(sheet.address.is_none() && sheet.code().is_none());
        assert!(!sheet.picture_page().contains("<svg"));
        for nowhere in ["</my", "</privacy", "lang="] {
            assert!(!sheet.text.contains(nowhere), "{nowhere} in {}", sheet.name);
            let html = sheet.html.replace("</", "");
            assert!(!html.contains(nowhere), "{nowhere} in {}", sheet.name);
        }
    }
}

#[test]
fn the_short_notice_has_every_purpose_and_is_much_shorter() {
    let (all, short) = (sheet(SHOP, None, "notice", "en"), sheet(SHOP, None, "summary", "en"));
    for purpose in policy_of(SHOP).purposes {
        let said = purpose.label.as_ref().unwrap_or(&purpose.says).or_first("en");
        assert!(short.text.contains(said), "{said}");
    }
    assert!(short.text.contains("privacy@harbour-hill.example"));
    assert!(short.text.len() * 3 < all.text.len());
}

#[test]
fn a_picture_fetches_nothing() {
    for sheet in sheets(SHOP, Some("https://shop.example")) {
        let page = sheet.picture_page();
        assert!(page.contains("default-src 'none'"));
        for word in ["src=", "url(", "@import", "<script", "<link", "<iframe"] {
            assert!(!page.contains(word), "{word} in {}", sheet.name);
        }
    }
}

#[test]
fn a_frame_has_even_sides_within_its_range() {
    assert!(Frame::new(790, 1_500).is_some() && Frame::new(1_600, 8_000).is_some());
    for (width, height) in
        [(791, 1_500), (790, 1_501), (598, 1_500), (1_602, 1_500), (790, 598), (790, 8_002)]
    {
        assert_eq!(Frame::new(width, height), None, "{width} {height}");
    }
    assert_eq!(Frame::new(Frame::USUAL.width, Frame::USUAL.height), Some(Frame::USUAL));
}

#[test]
fn a_manifest_knows_its_policy_and_its_files() {
    let mut manifest = Manifest::of(Channel::TiktokShop, "harbour-hill", SHOP);
    manifest.files.push(Exported::of("en/notice.txt".to_owned(), "notice", "en", Form::Text, b"abc"));
    let written = serde_json::to_string(&manifest).unwrap();
    let read: Manifest = serde_json::from_str(&written).unwrap();
    assert_eq!(read, manifest);
    assert_eq!(read.marketplace, "tiktok-shop");
    assert_eq!(read.standing(SHOP), Standing::Current);
    assert_eq!(read.standing(&format!("{SHOP}\n# another\n")), Standing::Outdated);
    // SOURCE: FIPS 180-4, the example of `abc`.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(read.files[0].sha256, abc);
    assert!(read.files[0].is(b"abc") && !read.files[0].is(b"abd"));
}
