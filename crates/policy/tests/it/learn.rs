//! The learning pages.

use policy::learn::{LONGEST_PAGE, NotAPage, Page, contents, find, pages};
use policy::record::Language;
use proptest::prelude::*;
use std::collections::BTreeSet;

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

/// Pages of the site that are no learning pages.
const SITE: [&str; 3] = ["/my", "/my/choices", "/privacy"];

#[test]
fn every_page_exists_in_both_languages_with_a_title_and_something_to_read() {
    let ids = |language| pages(language).into_iter().map(|page| page.id).collect::<Vec<_>>();
    assert_eq!(ids(Language::En), ids(Language::Zh));
    let folder = |language: &str| -> BTreeSet<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/learn").join(language);
        let files = std::fs::read_dir(path).unwrap();
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    for language in LANGUAGES {
        let ids: BTreeSet<String> = ids(language).into_iter().collect();
        assert_eq!(ids, folder(language.as_str()));
        assert!(ids.len() >= 6);
    }
    for page in LANGUAGES.into_iter().flat_map(pages) {
        assert!(page.title.chars().count() > 4, "{}", page.id);
        let least = if page.language == Language::En { 60 } else { 30 };
        assert!(page.summary.chars().count() > least, "{}: {}", page.id, page.summary);
        assert!(page.to_html_fragment().matches("<h2>").count() >= 3, "{}", page.id);
        assert_eq!(find(&page.id, page.language, "").as_ref(), Some(&page));
    }
    assert!(find("nothing", Language::En, "").is_none());
}

#[test]
fn every_link_of_a_page_leads_to_another_or_to_a_page_of_the_site() {
    for page in LANGUAGES.into_iter().flat_map(pages) {
        assert!(page.links().count() > 0, "{}", page.id);
        for to in page.links() {
            assert!(SITE.contains(&to) || find(to, page.language, "").is_some(), "{}: {to}", page.id);
        }
    }
    let linked = |id: &str| pages(Language::Zh).iter().any(|page| page.links().any(|to| to == id));
    assert!(["rights", "trackers", "scams"].into_iter().all(linked));
}

#[test]
fn the_same_page_says_the_same_in_both_languages() {
    let shape = |page: &Page| {
        let html = page.to_html_fragment();
        (page.links().map(str::to_owned).collect::<BTreeSet<_>>(), html.matches("<h2>").count())
    };
    for (english, chinese) in pages(Language::En).iter().zip(&pages(Language::Zh)) {
        assert_eq!(shape(english), shape(chinese), "{}", english.id);
    }
}

#[test]
fn a_chinese_page_is_written_in_chinese() {
    for page in pages(Language::Zh) {
        let html = page.to_html_fragment();
        let han = html.chars().filter(|one| ('\u{4e00}'..='\u{9fff}').contains(one)).count();
        assert!(han > 400, "{}: {han}", page.id);
        let letters: Vec<char> = html.chars().collect();
        for pair in letters.windows(2) {
            let is_han = ('\u{4e00}'..='\u{9fff}').contains(&pair[0]);
            assert!(!is_han || !",;:?!()".contains(pair[1]), "{}: {pair:?}", page.id);
        }
    }
}

#[test]
fn what_tries_to_do_something_is_shown_as_text() {
    let text = r#"# A <b>title</b> & more

<script>alert(1)</script>

An <img src=x onerror=alert(1)> inline, and <a href="javascript:alert(1)" onclick="x">tag</a>.

[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,x) [d](//evil.example) [e](http://evil.example)
[f](<java	script:alert(1)>) [g](&#106;avascript:alert(1)) [h](vbscript:x) <javascript:alert(1)>

[ok](https://shop.example/?a="><script>) [quoted](/my "a title \" onload=x")

![picture <b>](https://evil.example/pixel.png) ![x](javascript:alert(1))

```html
<script>alert(2)</script>
```

<svg/onload=alert(1)>

<!-- comment --> <![CDATA[ x ]]> <?php x ?>
"#;
    let page = Page::read("hostile", Language::En, text).unwrap();
    let html = page.to_html_fragment();
    assert_eq!(page.title, "A <b>title</b> & more");
    for wrong in [
        "<script",
        "<img",
        "<svg",
        "<!--",
        "<?",
        "<b>",
        "onload=\"",
        "evil.example/pixel",
        "href=\"javascript",
        "href=\"//",
    ] {
        assert!(!html.contains(wrong), "{wrong} in {html}");
    }
    let links: Vec<&str> = page.links().collect();
    assert!(links.iter().all(|to| to.starts_with("https://shop.example/") || *to == "/my"), "{links:?}");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("picture &lt;b&gt;"));
}

#[test]
fn a_text_without_a_title_or_too_long_is_no_page() {
    let read = |id: &str, text: &str| Page::read(id, Language::En, text).map(|page| page.title);
    assert_eq!(read("a", "# Yes\n\ntext"), Ok("Yes".to_owned()));
    assert_eq!(read("a", "no title"), Err(NotAPage::NoTitle));
    assert_eq!(read("a", "# \n\ntext"), Err(NotAPage::NoTitle));
    assert_eq!(read("a", ""), Err(NotAPage::NoTitle));
    assert_eq!(read("a/b", "# Yes"), Err(NotAPage::BadId));
    assert_eq!(read("..", "# Yes"), Err(NotAPage::BadId));
    assert_eq!(read("a", &format!("# Yes\n{}", " ".repeat(LONGEST_PAGE))), Err(NotAPage::TooLong));
}

#[test]
fn the_list_of_pages_names_each_with_its_first_sentences() {
    for language in LANGUAGES {
        let pages = pages(language);
        let html = contents(&pages, language, "/privacy/learn/", "");
        for page in &pages {
            assert!(html.contains(&format!("<a href=\"/privacy/learn/{}\">", page.id)), "{}", page.id);
        }
        assert_eq!(html.matches("<section>").count(), pages.len());
    }
}

const TAGS: [&str; 19] = [
    "a",
    "article",
    "blockquote",
    "br",
    "code",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "header",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "ul",
    "section",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_only_tags_of_markdown_come_out_and_each_is_closed(
        text in "([#>*`_\\[\\]()!<>/a-z:&;\"' \\n-]|<script>|javascript:|\\]\\(|https://|\\n\\n|\\n- |\\n1\\. |\\n> ){0,60}",
    ) {
        let page = Page::read("p", Language::En, &format!("# T\n\n{text}")).unwrap();
        let html = page.to_html_fragment();
        let mut open: Vec<&str> = Vec::new();
        for part in html.split('<').skip(1) {
            let (tag, _) = part.split_once('>').unwrap();
            let name = tag.trim_start_matches('/').split(' ').next().unwrap();
            prop_assert!(TAGS.contains(&name), "{name} in {html}");
            if tag.starts_with('/') {
                prop_assert_eq!(open.pop(), Some(name), "{}", html);
            } else if !["br", "hr"].contains(&name) {
                open.push(name);
            }
        }
        prop_assert!(open.is_empty());
        for to in html.split("href=\"").skip(1) {
            prop_assert!(!to.to_lowercase().starts_with("javascript"), "{}", html);
        }
    }
}
