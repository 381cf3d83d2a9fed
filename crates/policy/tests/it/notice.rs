//! The notice. `tests/notices` holds those of the examples as approved: as pages without their style, one as text, one as
//! linked data, and what a change of the policy makes of one. After a change that is meant, look at the `.new` files and
//! move them over the others.

use crate::{SHOP, TODAY, policy_of};
use policy::notice::{
    Author, Block, Edition, Line, Links, NOTICE_STYLE, Notice, Piece, Place, Reader, Segment, Site, Voice,
    content_security_policy, differences,
};
use policy::{Language, Policy, SectionId};
use proptest::prelude::*;
use rulebook::Pack;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const IMPORTS: &str = include_str!("../../../../examples/zh-shop/shop.toml");
const ABROAD: &str = include_str!("../../../../examples/cross-border/shop.toml");
const BICYCLES: &str = include_str!("../../../../examples/adventureworks/shop.toml");

/// What the shops of the tests add.
const NOTES: &str = r#"
[note.packing]
title = { zh = "我们如何包装", en = "How we pack" }
body = { zh = """
包装盒上没有品名。

面单上的手机号码已经脱敏。""", en = """
No box says what is in it.

The label shows
your number masked.""" }
after = "recipients"

[note.visit]
title = { zh = "欢迎来店", en = "Come and see us" }
body = { zh = "周一休息。", en = "Closed on Mondays." }
"#;

fn packs() -> Vec<&'static Pack> {
    rulebook::built_in().packs.clone()
}

fn edition() -> Edition {
    Edition { version: Some(3), in_force: Some(jiff::civil::date(2026, 12, 1)), links: Links::default() }
}

fn notice_of(policy: &Policy, language: &str) -> Notice {
    let language = Language::parse(language).unwrap();
    Notice::of(policy, &language, &edition(), &packs(), TODAY).unwrap()
}

fn notice(text: &str, language: &str) -> Notice {
    notice_of(&policy_of(text), language)
}

/// Each example in each of its languages.
fn notices() -> Vec<(String, Notice)> {
    let with_notes = format!("{SHOP}{NOTES}");
    let texts = [
        ("harbour-hill", with_notes.as_str()),
        ("zh-shop", IMPORTS),
        ("cross-border", ABROAD),
        ("adventureworks", BICYCLES),
    ];
    let each = texts.iter().flat_map(|(name, text)| {
        ["zh", "en"].map(|language| (format!("{name}.{language}"), notice(text, language)))
    });
    each.collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/notices")
}

/// What a section says, without its heading.
fn said(notice: &Notice, id: SectionId) -> String {
    lines_of(&notice.find(id).unwrap().blocks).iter().map(|line| line.plain() + "\n").collect()
}

/// Every line of some blocks.
fn lines_of(blocks: &[Block]) -> Vec<&Line> {
    let mut lines = Vec::new();
    for block in blocks {
        match block {
            Block::Heading { title: line, .. } | Block::Paragraph(line) => lines.push(line),
            Block::List(all) => lines.extend(all),
            Block::Facts(facts) => {
                lines.extend(facts.iter().flat_map(|(name, said)| std::iter::once(name).chain(said)));
            }
            Block::Table(table) => {
                lines.push(&table.caption);
                lines.extend(&table.columns);
                lines.extend(table.rows.iter().flatten().flatten());
            }
        }
    }
    lines
}

/// Every line of a notice.
fn all_lines(notice: &Notice) -> Vec<&Line> {
    let sections = notice.sections.iter();
    let lines = sections.flat_map(|section| std::iter::once(&section.title).chain(lines_of(&section.blocks)));
    [&notice.title, &notice.lead].into_iter().chain(lines).collect()
}

fn ids(notice: &Notice) -> Vec<&str> {
    notice.sections.iter().map(|section| section.id.as_str()).collect()
}

/// The values of an attribute, in order.
fn attributes<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
    let mark = format!(" {name}=\"");
    html.split(mark.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn the_notices_of_the_examples_look_as_approved() {
    let pages =
        notices().into_iter().map(|(name, notice)| (format!("{name}.html"), notice.to_html_fragment()));
    let texts =
        ["zh", "en"].map(|language| (format!("zh-shop.{language}.txt"), notice(IMPORTS, language).to_text()));
    let twin = serde_json::to_string_pretty(&notice(IMPORTS, "zh").to_json_ld()).unwrap();
    let compared = ["zh", "en"].map(|language| {
        let made = differences(&notice(SHOP, language), &notice(&changed(), language));
        (format!("changed.{language}.html"), made.to_html_fragment())
    });
    let changed_text = differences(&notice(SHOP, "zh"), &notice(&changed(), "zh")).to_text();
    let others =
        [("zh-shop.zh.jsonld".to_owned(), format!("{twin}\n")), ("changed.zh.txt".to_owned(), changed_text)];
    crate::look_as_approved(&folder(), pages.chain(texts).chain(compared).chain(others));
}

/// The example with a longer time, one more field, a recipient that has moved, and notes.
fn changed() -> String {
    let text = SHOP
        .replace(
            "keep = \"90d after order.delivered\"\nat_most",
            "keep = \"180d after order.delivered\"\nat_most",
        )
        .replace("fields = [\"items\"]\nkeep", "fields = [\"items\", \"amount\"]\nkeep")
        .replace(
            "zh = \"海港支付\", en = \"Harbour Pay\" }\nin = \"cn\"",
            "zh = \"海港支付\", en = \"Harbour Pay\" }\nin = \"sg\"",
        );
    assert_eq!(text.lines().zip(SHOP.lines()).filter(|(a, b)| a != b).count(), 3);
    text + NOTES
}

#[test]
fn every_law_finds_what_it_demands_in_a_notice_that_has_something_to_say_of_it() {
    for pack in packs().into_iter().filter(|pack| pack.kind == rulebook::PackKind::Law) {
        let notice = notice(&demanding(&pack.id), "en");
        let its = notice.required.iter().filter(|required| required.pack == pack.id);
        let unsaid: Vec<&str> = its
            .clone()
            .filter(|required| required.place == Place::Nowhere)
            .map(|one| if one.en.is_empty() { one.act } else { one.en.as_str() })
            .collect();
        let expected: &[&str] = match pack.id.as_str() {
            "us-ca" => &["financial incentives for data, where there are some"],
            // It does not speak French, or Malay.
            "ca-qc" | "my" => &["language"],
            _ => &[],
        };
        assert_eq!(unsaid, expected, "{}", pack.id);
        for required in its {
            if let Place::Section(id) = required.place {
                assert!(said(&notice, id).len() > 20, "{}: {id}", pack.id);
            }
        }
    }
}

/// A policy under one law that makes every rule of the notice hold: sensitive data, somebody abroad who decides by himself and
/// pays, recommendations, children.
fn demanding(place: &str) -> String {
    let text = ABROAD
        .replace("serves = [\"cn\", \"eu\", \"us-ca\", \"sg\", \"vn\"]", &format!("serves = [\"{place}\"]"))
        .replace("minors = \"not_served\"", "minors = \"with_guardian\"")
        .replace(
            "in = \"cn\"\ncontact = \"privacy@broker.example\"",
            "in = \"ch\"\nconsideration = \"sale\"\ncontact = \"privacy@broker.example\"",
        )
        .replace("\"cn\"\nestablished_in = \"cn\"", "\"ch\"\nestablished_in = \"ch\"");
    assert!(
        text.contains("with_guardian")
            && text.contains("\"sale\"")
            && text.contains("established_in = \"ch\"")
    );
    text
}

#[test]
fn what_laws_demand_stands_in_the_notices_of_the_examples() {
    for (name, notice) in notices() {
        let unsaid: BTreeSet<&str> =
            notice.unsaid().map(|one| if one.en.is_empty() { one.act } else { one.en.as_str() }).collect();
        let expected: &[&str] = match name.split('.').next().unwrap() {
            "zh-shop" => &[],
            _ => &["financial incentives for data, where there are some"],
        };
        assert_eq!(unsaid.into_iter().collect::<Vec<_>>(), expected, "{name}");
    }
}

#[test]
fn that_nothing_is_sold_is_said_only_where_nothing_is() {
    let never = |notice: &Notice| said(notice, SectionId::Sale).contains("do not sell");
    assert!(never(&notice(BICYCLES, "en")));
    for consideration in ["sale", "exchange"] {
        let paid = BICYCLES.replace(
            "kind = \"marketing\"",
            &format!("kind = \"marketing\"\nconsideration = \"{consideration}\""),
        );
        let notice = notice(&paid, "en");
        assert!(!never(&notice) && !notice.to_text().contains("do not sell"), "{consideration}");
        assert!(said(&notice, SectionId::Sale).contains("Trail Magazine gives us"), "{consideration}");
    }
}

#[test]
fn how_soon_somebody_is_answered_is_what_each_law_says() {
    let english = said(&notice(ABROAD, "en"), SectionId::Rights);
    for term in ["China, Singapore: 30 days", "European Union: 1 month", "California: 45 days"] {
        assert!(english.contains(&format!("{term}\n")), "{term} in {english}");
    }
    // Vietnam has a number that nobody has read: none is said.
    assert!(!english.contains("Vietnam"));
    assert!(said(&notice(ABROAD, "zh"), SectionId::Rights).contains("欧盟：1个月\n"));
}

#[test]
fn of_a_payer_who_gets_nothing_neither_is_said() {
    let unused = BICYCLES
        .replace("kind = \"marketing\"", "kind = \"marketing\"\nconsideration = \"sale\"")
        .replace("recipients = [\"trail-magazine\"]", "");
    let sale = said(&notice(&unused, "en"), SectionId::Sale);
    assert!(
        sale.contains("gets any at present") && !sale.contains("do not sell") && !sale.contains("gives us")
    );
}

#[test]
fn a_shop_that_keeps_nothing_says_so_and_shows_no_empty_table() {
    let text = SHOP.split("# ── What is kept").next().unwrap();
    for language in ["en", "zh"] {
        let notice = notice(text, language);
        assert!(!notice.to_html_fragment().contains("<table"), "{language}");
        assert!(notice.find(SectionId::Retention).is_none() && notice.find(SectionId::Purposes).is_none());
        assert!(notice.sections.iter().all(|section| !section.blocks.is_empty()), "{language}");
        let summary = said(&notice, SectionId::Summary);
        assert!(summary.contains("keep no personal data") || summary.contains("不保存个人信息"));
    }
}

#[test]
fn advertising_for_similar_goods_says_that_it_has_a_way_out() {
    let similar = ABROAD.replace(
        "basis = \"consent\"\nsays = { zh = \"给您发送新品",
        "basis = \"legitimate_interest\"\nsimilar = true\nsays = { zh = \"给您发送新品",
    );
    let similar = similar.replacen(
        "fields = [\"email\"]\nkeep = \"until withdrawn\"",
        "fields = [\"email\"]\nkeep = \"1y after collected\"",
        1,
    );
    let english = said(&notice(&similar, "en"), SectionId::Purposes);
    assert!(english.contains("each message has a way out"));
    assert!(
        english
            .contains("Our legitimate interest, namely: To write to you about new things and good prices.")
    );
    assert!(!said(&notice(ABROAD, "en"), SectionId::Purposes).contains("a way out"));
}

#[test]
fn a_separate_consent_says_what_makes_it_one_and_every_consent_how_it_is_taken_back() {
    let english = said(&notice(ABROAD, "en"), SectionId::Choices);
    assert!(english.contains(
        "To clear your parcel through customs. Asked alone, because it uses sensitive data: Identity number; data goes to \
         somebody who decides by itself what it does with it: Customs broker; data goes abroad: Customs broker."
    ));
    let chinese = said(&notice(ABROAD, "zh"), SectionId::Choices);
    assert!(
        chinese
            .contains("涉及敏感个人信息：身份证号码；向其他个人信息处理者提供：报关行；向境外提供：报关行")
    );
    for notice in [notice(SHOP, "en"), notice(SHOP, "zh")] {
        let consents = notice.to_html_fragment();
        assert!(consents.contains("id=\"choices-withdraw\""));
        assert!(attributes(&consents, "href").contains(&"/my/choices"));
    }
    let without = BICYCLES
        .replace("basis = \"consent\"", "basis = \"contract\"")
        .replace("until withdrawn", "1y after collected");
    assert!(notice(&without, "en").find(SectionId::Choices).is_none());
}

#[test]
fn a_note_stands_behind_its_section_and_apart_from_what_the_policy_says() {
    let notice = notice(&format!("{SHOP}{NOTES}"), "en");
    let at = |id: &str| ids(&notice).iter().position(|one| *one == id).unwrap();
    assert_eq!(at("note-packing"), at("recipients") + 1);
    assert_eq!(at("note-visit"), notice.sections.len() - 1);
    let note = &notice.sections[at("note-packing")];
    assert_eq!(note.author, Author::Shop);
    assert!(note.title.plain().ends_with("[added by the shop]"));
    let paragraphs: Vec<String> = lines_of(&note.blocks).iter().map(|line| line.plain()).collect();
    assert_eq!(paragraphs, ["No box says what is in it.", "The label shows your number masked."]);
    assert!(notice.sections.iter().all(|one| (one.author == Author::Shop) == one.id.starts_with("note-")));
}

#[test]
fn a_note_behind_a_section_that_is_not_there_stands_where_it_would_have_been() {
    // Adventure Works uses no sensitive data but the end of a card; without it there is no such section.
    let text =
        IMPORTS.replace("minors = \"not_served\"", "") + &NOTES.replace("\"recipients\"", "\"minors\"");
    let notice = notice(&text, "zh");
    assert!(notice.find(SectionId::Minors).is_none());
    let at = ids(&notice).iter().position(|id| *id == "note-packing").unwrap();
    assert_eq!(ids(&notice)[at - 1], "rights");
}

#[test]
fn sections_stand_in_the_order_that_readers_of_their_law_expect() {
    let reader = |text: &str, language: &str| notice(text, language).reader;
    assert_eq!(reader(SHOP, "zh"), Reader::China);
    assert_eq!(reader(SHOP, "en"), Reader::Europe);
    assert_eq!(reader(IMPORTS, "en"), Reader::China);
    let serves =
        |places: &str| SHOP.replace("serves = [\"cn\", \"eu\", \"us-ca\"]", &format!("serves = [{places}]"));
    assert_eq!(reader(&serves("\"us-ca\", \"eu\""), "en"), Reader::California);
    assert_eq!(reader(&serves("\"us-ca\""), "zh"), Reader::China);
    for (name, notice) in notices() {
        let order: Vec<&str> = notice.reader.order().iter().map(|id| id.as_str()).collect();
        let places: Vec<usize> =
            ids(&notice).iter().filter_map(|id| order.iter().position(|known| known == id)).collect();
        assert!(places.is_sorted() && places.len() > 12, "{name}");
    }
}

#[test]
fn there_is_no_notice_in_a_language_that_the_shop_does_not_list() {
    let policy = policy_of(SHOP);
    let french = Language::parse("fr").unwrap();
    assert!(Notice::of(&policy, &french, &edition(), &packs(), TODAY).is_none());
}

#[test]
fn a_notice_in_another_language_has_the_texts_of_the_shop_in_it_and_says_so() {
    let french = SHOP.replace("en = \"", "fr = \"").replace("[\"zh\", \"en\"]", "[\"zh\", \"fr\"]");
    let html = notice(&french, "fr").to_html_fragment();
    assert!(html.contains("<article class=\"notice\" lang=\"en\" data-language=\"fr\">"));
    assert!(html.contains("<span lang=\"fr\" dir=\"auto\">Delivery address</span>"));
    assert!(html.contains("<h1>Privacy notice</h1>"));
}

#[test]
fn each_language_speaks_for_itself() {
    // What has no other name, and what is quoted as a law demands it.
    const NAMES: &[&str] = &[
        "GPC",
        "GDPR",
        "GB/T",
        "附录B",
        "TikTok Shop",
        "Asia/Shanghai",
        "America/Los_Angeles",
        "Do Not Sell or Share My Personal Information",
        "Limit the Use of My Sensitive Personal Information",
        "cn",
        "ico.org.uk",
        "cppa.ca.gov",
        "oag.ca.gov",
    ];
    for (name, notice) in notices() {
        for piece in all_lines(&notice).into_iter().flat_map(Line::pieces) {
            let (Piece::Text(text, Voice::Notice) | Piece::Link { text, voice: Voice::Notice, .. }) = piece
            else {
                continue;
            };
            let text = NAMES.iter().fold(text.clone(), |text, known| text.replace(known, ""));
            let is_foreign = |one: char| {
                if notice.language.as_str() == "zh" {
                    one.is_ascii_alphabetic()
                } else {
                    ('\u{2e80}'..='\u{9fff}').contains(&one)
                }
            };
            assert!(!text.contains(is_foreign), "{name}: {text}");
        }
    }
}

#[test]
fn how_long_is_said_in_words() {
    let english = said(&notice(SHOP, "en"), SectionId::Retention);
    for sentence in [
        "30 days after you close your account",
        "3 years after you were last active with us",
        "90 days after the order was delivered",
        "1 year after we last received it",
        "10 years after the order was completed (税收征收管理法实施细则 29 (Rules for the Tax Collection Law, Art. 29))",
        "Until you withdraw your consent",
    ] {
        assert!(english.contains(sentence), "{sentence}");
    }
    let chinese = said(&notice(SHOP, "zh"), SectionId::Retention);
    for sentence in ["您注销账户后30天", "订单送达后90天", "我们最近一次收集该信息后1年", "直至您撤回同意"]
    {
        assert!(chinese.contains(sentence), "{sentence}");
    }
}

#[test]
fn a_law_that_is_said_in_each_language_stands_in_each_notice_in_its_own() {
    let (english, chinese) = (notice(ABROAD, "en").to_text(), notice(ABROAD, "zh").to_text());
    assert!(english.contains("Implementing Rules of the Tax Collection Law, Article 29"));
    assert!(!english.contains("税收征收管理法"));
    assert!(chinese.contains("《税收征收管理法实施细则》第29条") && !chinese.contains("Implementing"));
    let policy = policy_of(ABROAD);
    let books = policy.find_purpose("bookkeeping").unwrap();
    assert_eq!(books.law.as_deref(), Some("《税收征收管理法实施细则》第29条"));
    let other = policy_of(&ABROAD.replace("Law, Article 29", "Law, Art. 29"));
    let changes = policy::diff(&policy, &other);
    assert_eq!(
        changes.iter().map(|change| change.code).collect::<Vec<_>>(),
        [policy::ChangeCode::PurposeLaw]
    );
}

#[test]
fn the_page_of_a_notice_holds_nothing_that_its_own_policy_would_stop() {
    for (name, notice) in notices() {
        let page = notice.to_html_page();
        let policy = content_security_policy();
        assert!(page.contains(&format!("<style>{NOTICE_STYLE}</style>")), "{name}");
        assert!(page.contains(&format!("content=\"{policy}\"")), "{name}");
        assert!(!policy.contains("unsafe") && policy.contains("'sha256-"));
        for word in ["<script", "style=\"", "javascript:", "<img", "<link", "<iframe", " onload"] {
            assert!(!page.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn every_id_is_there_once_and_every_link_leads_somewhere() {
    for (name, notice) in notices() {
        let html = notice.to_html_fragment();
        let ids = attributes(&html, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}");
        for to in attributes(&html, "href") {
            let leads = match to.strip_prefix('#') {
                Some(id) => ids.contains(&id),
                None => to.starts_with("/my") || to.starts_with("/privacy/") || to.starts_with("mailto:"),
            };
            assert!(leads, "{name}: {to}");
        }
        for labelled in attributes(&html, "aria-labelledby") {
            assert!(ids.contains(&labelled), "{name}: {labelled}");
        }
    }
}

#[test]
fn a_notice_that_is_read_elsewhere_links_back_to_the_shop() {
    let policy = policy_of(SHOP);
    let links = Links { site: Site::parse("https://shop.example").unwrap(), ..Links::default() };
    let edition = Edition { links, ..edition() };
    let notice = Notice::of(&policy, &policy.shop.languages[0], &edition, &packs(), TODAY).unwrap();
    let html = notice.to_html_fragment();
    let links = attributes(&html, "href");
    assert!(
        links
            .iter()
            .all(|to| ["#", "mailto:", "https://shop.example/"].iter().any(|good| to.starts_with(good)))
    );
    assert!(links.contains(&"https://shop.example/my"));
}

#[test]
fn every_term_of_the_twin_is_of_its_vocabulary() {
    let terms = include_str!("../../data/dpv/terms.tsv");
    let known: BTreeSet<&str> = terms.lines().filter_map(|line| line.split('\t').next()).collect();
    let twin = notice(SHOP, "en").to_json_ld();
    let notice = &twin["dpv:hasNotice"];
    let mut used = vec!["hasNotice".to_owned()];
    used.extend(
        notice["@type"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().replace("dpv:", "")),
    );
    for term in used {
        assert!(known.contains(format!("https://w3id.org/dpv#{term}").as_str()), "{term}");
    }
    let parts = notice["dct:hasPart"].as_array().unwrap();
    let rights = parts.iter().find(|part| part["@id"] == "#rights").unwrap();
    assert_eq!(rights["dct:source"]["@id"], "#policy");
    assert!(
        rights["dct:conformsTo"]
            .as_array()
            .unwrap()
            .iter()
            .any(|law| law.as_str().unwrap().starts_with("GDPR 13"))
    );
    assert_eq!(twin["@type"], "dpv:DataProcessingPolicy");
}

#[test]
fn a_notice_differs_from_itself_in_nothing() {
    for (name, notice) in notices() {
        let none = differences(&notice, &notice);
        assert!(none.is_empty() && none.to_text().is_empty(), "{name}");
        assert!(none.to_html_fragment().contains("<p>"), "{name}");
    }
}

#[test]
fn out_of_the_differences_both_notices_can_be_read() {
    let (old, new) = (notice(SHOP, "en"), notice(&changed(), "en"));
    let read = |leave: fn(&Segment) -> bool, id: &str| -> Vec<String> {
        let made = differences(&old, &new);
        let section = made.sections.into_iter().find(|section| section.id == id).unwrap();
        let text = |segment: Segment| match segment {
            Segment::Same(text) | Segment::Added(text) | Segment::Removed(text) => text,
        };
        let lines = section.lines.into_iter();
        let lines =
            lines.map(|line| line.into_iter().filter(|one| !leave(one)).map(text).collect::<String>());
        lines.filter(|line| !line.is_empty()).collect()
    };
    for (notice, leave) in [
        (&old, (|segment| matches!(segment, Segment::Added(_))) as fn(&Segment) -> bool),
        (&new, |segment| matches!(segment, Segment::Removed(_))),
    ] {
        let lines = read(leave, "retention");
        let text = notice.to_text();
        for line in &lines {
            assert!(text.contains(line.as_str()), "{line}");
        }
        assert_eq!(lines.len(), 1 + text_lines(notice, "retention"));
    }
}

/// How many lines a section has in plain text.
fn text_lines(notice: &Notice, id: &str) -> usize {
    let section = notice.sections.iter().find(|section| section.id == id).unwrap();
    let title = section.title.plain();
    let text = notice.to_text();
    let (_, rest) = text.split_once(&format!("\n{title}\n---")).unwrap();
    let (_, rest) = rest.split_once("\n\n").unwrap();
    rest.split("\n\n").next().unwrap().lines().count()
}

#[test]
fn a_difference_is_told_in_words_and_not_by_colour_alone() {
    let made = differences(&notice(SHOP, "zh"), &notice(&changed(), "zh")).to_html_page();
    assert!(made.contains(
        "<del><span class=\"heard\">删除：</span>90</del><ins><span class=\"heard\">新增：</span>180</ins>"
    ));
    assert!(
        NOTICE_STYLE.contains("text-decoration: line-through")
            && NOTICE_STYLE.contains("text-decoration: underline")
    );
}

#[test]
fn the_notice_of_a_very_large_policy_is_made_and_compared() {
    // What takes too long here, a run of the tests ends.
    let (large, larger) = (policy_of(&large(1)), policy_of(&large(2)));
    let (old, new) = (notice_of(&large, "en"), notice_of(&larger, "en"));
    assert!(old.to_html_page().len() > 1_000_000);
    assert!(!differences(&old, &new).to_html_fragment().is_empty());
}

/// A hundred and twenty purposes of sixty uses each, with thirty recipients each.
fn large(days: u32) -> String {
    let mut text = SHOP.split("[record.customer]").next().unwrap().to_owned();
    let names = |what: &str, count: usize, from: usize| {
        let names = (0..count).map(|number| format!("\"{what}{}\"", (from + number) % 255));
        names.collect::<Vec<_>>().join(", ")
    };
    let mut add = |more: String| text.push_str(&more);
    add(format!(
        "[record.order]\nlabel = {{ zh = \"订单\", en = \"Order\" }}\nfields = [{}]\nevents = [\"placed\"]\n",
        names("f", 255, 0)
    ));
    for number in 0..255 {
        add(format!(
            "[field.f{number}]\ncategory = \"user.name\"\nlabel = {{ zh = \"字段{number}\", en = \"Field {number}\" }}\nmask = \"name\"\n\
             [recipient.r{number}]\nkind = \"processor\"\nname = {{ zh = \"接收方{number}\", en = \"Recipient {number}\" }}\nin = \"us\"\n\
             route = \"standard_contract\"\nagreement = {{ signed = 2026-01-01 }}\n"
        ));
    }
    for number in 0..120 {
        add(format!(
            "[purpose.p{number}]\nuse = \"essential.service\"\nbasis = \"separate_consent\"\n\
             says = {{ zh = \"用途{number}\", en = \"Purpose {number}\" }}\nfields = [{}]\nkeep = \"{days}d after order.placed\"\nrecipients = [{}]\n",
            names("f", 60, number),
            names("r", 30, number)
        ));
    }
    text
}

/// Texts that people could write, and some that nobody should.
fn texts() -> impl Strategy<Value = String> {
    let hostile = prop_oneof![
        Just("<script>alert(1)</script>".to_owned()),
        Just("\" onload=\"x".to_owned()),
        Just("'><img src=x onerror=alert(1)>".to_owned()),
        Just("&lt;b&gt; & &amp;".to_owned()),
        Just("{0}{9}{".to_owned()),
        Just("]]>--><!--".to_owned()),
    ];
    prop_oneof![hostile, "[ -~一-龥é\u{2019}]{1,40}"].prop_filter("said", |text| !text.trim().is_empty())
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The texts between the tags, and the names of the tags.
fn taken_apart(html: &str) -> (String, BTreeSet<String>) {
    let (mut text, mut tags) = (String::new(), BTreeSet::new());
    for part in html.split('<').skip(1) {
        let (tag, rest) = part.split_once('>').unwrap();
        tags.insert(tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap().to_owned());
        text.push_str(rest);
    }
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    (pairs.iter().fold(text, |text, (from, to)| text.replace(from, to)), tags)
}

const TAGS: [&str; 24] = [
    "a", "article", "caption", "dd", "div", "dl", "dt", "h1", "h2", "h3", "header", "li", "nav", "p",
    "section", "span", "table", "tbody", "td", "th", "thead", "tr", "ul", "ins",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_text_a_policy_holds_stands_in_the_page_as_text(
        name in texts(), label in texts(), says in texts(), officer in texts(), contact in texts(), law in texts(),
        title in texts(), body in texts(), recipient in texts(),
    ) {
        let policy = SHOP
            .replace("\"Harbour & Hill\"", &quoted(&name))
            .replace("\"What was bought\"", &quoted(&label))
            .replace("\"To run your account\"", &quoted(&says))
            .replace("\"Lin Yue 林月\"", &quoted(&officer))
            .replace("\"privacy@harbour-hill.example\"", &quoted(&contact))
            .replace("\"税收征收管理法实施细则 29 (Rules for the Tax Collection Law, Art. 29)\"", &quoted(&law))
            .replace("\"Harbour Pay\"", &quoted(&recipient))
            + &format!(
                "\n[note.n]\ntitle = {{ zh = \"一\", en = {} }}\nbody = {{ zh = \"一\", en = {} }}\n",
                quoted(&title),
                quoted(&body)
            );
        let notice = notice(&policy, "en");
        let html = notice.to_html_fragment();
        let (text, tags) = taken_apart(&html);
        for tag in &tags {
            prop_assert!(TAGS.contains(&tag.as_str()), "{tag}");
        }
        for said in [&name, &label, &says, &officer, &contact, &law, &title, &recipient] {
            prop_assert!(text.contains(said.as_str()), "{said}");
        }
        prop_assert!(text.contains(body.trim()), "{body}");
        for to in attributes(&html, "href") {
            prop_assert!(["#", "/", "mailto:", "https:"].iter().any(|good| to.starts_with(good)), "{to}");
        }
        let page = differences(&notice_of(&policy_of(SHOP), "en"), &notice).to_html_fragment();
        let (_, tags) = taken_apart(&page);
        prop_assert!(tags.iter().all(|tag| TAGS.contains(&tag.as_str()) || tag == "del"), "{tags:?}");
    }
}
