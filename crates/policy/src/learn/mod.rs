//! Learning pages: what somebody who buys things should know of personal data, in English and Chinese.
//!
//! A page is Markdown with one heading of the first level, its title. What becomes HTML is decided here: tags in the text
//! are shown as text, links lead to `https:`, `mailto:` or this site, pictures become their description. The pages that
//! come with the program are [`pages`]; a shop's own go through [`Page::read`] as well.

mod markdown;

use crate::notice::page as page_around;
use crate::record::{Language, Words, both, escaped};
use markdown::Written;
use std::fmt::Write as _;

/// The longest page, in bytes.
pub const LONGEST_PAGE: usize = 64 * 1024;

/// A learning page in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its id, the same in each language, and the end of its address: `rights`.
    pub id: String,
    /// The language that it is in.
    pub language: Language,
    /// Its title, as text.
    pub title: String,
    /// Its first paragraph, as text.
    pub summary: String,
    /// What stands below the title, as HTML.
    body: String,
    /// Where its links lead.
    links: Vec<String>,
}

/// Why a text is no learning page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPage {
    /// It is longer than [`LONGEST_PAGE`].
    #[error("the page is longer than {LONGEST_PAGE} bytes")]
    TooLong,
    /// It does not begin with a heading of the first level.
    #[error("the page has no title: begin it with a line `# …`")]
    NoTitle,
    /// Its id cannot end an address.
    #[error("the id of a page is `[a-z][a-z0-9-]*`, at most 40 characters")]
    BadId,
}

impl Page {
    /// A page from its Markdown.
    ///
    /// *Takes* its id, its language, its text. *Fails* with [`NotAPage`] where the id, the length or the title is not as it
    /// must be. Whatever the text holds, the page holds no tag, attribute or address but those that Markdown makes.
    pub fn read(id: &str, language: Language, text: &str) -> Result<Self, NotAPage> {
        Self::asking(id, language, text, "")
    }

    /// The same, where every link to this site asks for something: `?lang=en`.
    fn asking(id: &str, language: Language, text: &str, asks: &str) -> Result<Self, NotAPage> {
        let is_id = crate::text::Name::parse(id).is_some() && !id.contains('_');
        if !is_id {
            return Err(NotAPage::BadId);
        }
        if text.len() > LONGEST_PAGE {
            return Err(NotAPage::TooLong);
        }
        let Written { title, summary, body, links } = markdown::write(text, asks);
        let title = title.filter(|title| !title.trim().is_empty()).ok_or(NotAPage::NoTitle)?;
        Ok(Self { id: id.to_owned(), language, title, summary, body, links })
    }

    /// The page as part of another, under [`NOTICE_STYLE`](crate::notice::NOTICE_STYLE).
    pub fn to_html_fragment(&self) -> String {
        let (title, tag) = (escaped(&self.title), self.language.tag());
        let body = &self.body;
        format!(
            "<article class=\"notice learn\" lang=\"{tag}\">\n<header>\n<h1>{title}</h1>\n</header>\n{body}</article>\n"
        )
    }

    /// The page by itself.
    pub fn to_html_page(&self) -> String {
        page_around(self.language.tag(), &self.title, &self.to_html_fragment())
    }

    /// What stands below the title, as HTML without links: for where nobody can follow one.
    pub fn body_without_links(&self) -> String {
        markdown::without_links(&self.body)
    }

    /// What stands below the title, as plain text. A link to another site has its address behind it.
    pub fn body_as_text(&self) -> String {
        markdown::as_text(&self.body)
    }

    /// Where its links lead, in order.
    pub fn links(&self) -> impl Iterator<Item = &str> {
        self.links.iter().map(String::as_str)
    }
}

/// The pages that come with the program, in the order in which they are best read.
pub fn pages(language: Language) -> Vec<Page> {
    let read = |source: &Source| source.read(language, "");
    SOURCES.iter().filter_map(read).collect()
}

/// The page of that id that comes with the program.
///
/// *Takes* besides what every link to this site asks for, so that whoever follows it stays in one language: `?lang=en`, or nothing.
pub fn find(id: &str, language: Language, asks: &str) -> Option<Page> {
    SOURCES.iter().find(|source| source.id == id)?.read(language, asks)
}

/// A list of pages with what each is about, as part of a page. Its links begin with `base`, such as `/privacy/learn/`, and end with what
/// they ask for.
pub fn contents(pages: &[Page], language: Language, base: &str, asks: &str) -> String {
    let (title, tag) = (TITLE.of(language), language.tag());
    let mut html = format!(
        "<article class=\"notice learn\" lang=\"{tag}\">\n<header>\n<h1>{title}</h1>\n<p>{}</p>\n</header>\n",
        LEAD.of(language)
    );
    for page in pages {
        let (to, title, summary) =
            (escaped(&format!("{base}{}{asks}", page.id)), escaped(&page.title), escaped(&page.summary));
        // Writing into a string cannot fail.
        let _ =
            writeln!(html, "<section>\n<h2><a href=\"{to}\">{title}</a></h2>\n<p>{summary}</p>\n</section>");
    }
    html.push_str("</article>\n");
    html
}

const TITLE: Words = both("Good to know", "个人信息保护小知识");
const LEAD: Words = both(
    "Short pages on what happens with your data, and what you can do about it.",
    "几分钟读完一篇，了解个人信息去了哪里、您可以做什么。",
);

/// A page that comes with the program.
struct Source {
    id: &'static str,
    en: &'static str,
    zh: &'static str,
}

impl Source {
    fn read(&self, language: Language, asks: &str) -> Option<Page> {
        Page::asking(self.id, language, self.text(language), asks).ok()
    }

    const fn text(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }
}

macro_rules! sources {
    ($($id:literal),+ $(,)?) => {
        &[$(Source {
            id: $id,
            en: include_str!(concat!("en/", $id, ".md")),
            zh: include_str!(concat!("zh/", $id, ".md")),
        }),+]
    };
}

const SOURCES: &[Source] =
    sources!["rights", "consent", "recommendations", "trackers", "safety", "scams", "children"];
