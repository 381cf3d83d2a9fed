//! Markdown to HTML. The parser says what there is; which tags are written is decided here, and there are no others.

use crate::record::escaped;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::borrow::Cow;

/// A text as it was written out.
pub(super) struct Written {
    /// The first heading of the first level, as text.
    pub(super) title: Option<String>,
    /// The first paragraph, as text.
    pub(super) summary: String,
    /// Everything but the title, as HTML.
    pub(super) body: String,
    /// Where its links lead.
    pub(super) links: Vec<String>,
}

/// Writes a text. Whatever it holds, the HTML is well formed and does nothing. Links to this site ask for what `asks` says.
pub(super) fn write(text: &str, asks: &str) -> Written {
    let mut writer = Writer { asks, ..Writer::default() };
    for event in Parser::new_ext(text, Options::empty()) {
        writer.event(event);
    }
    Written { title: writer.title, summary: writer.summary, body: writer.out, links: writer.links }
}

#[derive(Default)]
struct Writer<'a> {
    asks: &'a str,
    out: String,
    title: Option<String>,
    summary: String,
    links: Vec<String>,
    /// What is being read that goes elsewhere than into the body, or into both.
    within: Within,
    /// Whether each link that is open was written as one.
    open_links: Vec<IsLink>,
    /// How many pictures are open: what stands in them is their description.
    pictures: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Body,
    Title,
    Summary,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IsLink {
    Yes,
    No,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(text) => {
                self.tag("<code>");
                self.text(&text);
                self.tag("</code>");
            }
            // Tags of HTML are shown as they were written.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => self.tag("<br>\n"),
            Event::Rule => self.tag("<hr>\n"),
            // Of extensions that are switched off.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.text(&text);
            }
            Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level: HeadingLevel::H1, .. } if self.title.is_none() => {
                self.within = Within::Title;
                self.title = Some(String::new());
            }
            Tag::Heading { level, .. } => self.tag(heading(level).0),
            Tag::Paragraph => {
                if self.summary.is_empty() && self.within == Within::Body {
                    self.within = Within::Summary;
                }
                self.tag("<p>");
            }
            Tag::HtmlBlock => self.tag("<p>"),
            Tag::BlockQuote(_) => self.tag("<blockquote>\n"),
            Tag::CodeBlock(_) => self.tag("<pre><code>"),
            Tag::List(None) => self.tag("<ul>\n"),
            Tag::List(Some(_)) => self.tag("<ol>\n"),
            Tag::Item => self.tag("<li>"),
            Tag::Emphasis => self.tag("<em>"),
            Tag::Strong => self.tag("<strong>"),
            Tag::Link { dest_url, .. } => self.link(&dest_url),
            Tag::Image { .. } => self.pictures = self.pictures.saturating_add(1),
            // Of extensions that are switched off.
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) if self.within == Within::Title => self.within = Within::Body,
            TagEnd::Heading(level) => self.tag(heading(level).1),
            TagEnd::Paragraph => {
                if self.within == Within::Summary {
                    self.within = Within::Body;
                }
                self.tag("</p>\n");
            }
            TagEnd::HtmlBlock => self.tag("</p>\n"),
            TagEnd::BlockQuote(_) => self.tag("</blockquote>\n"),
            TagEnd::CodeBlock => self.tag("</code></pre>\n"),
            TagEnd::List(false) => self.tag("</ul>\n"),
            TagEnd::List(true) => self.tag("</ol>\n"),
            TagEnd::Item => self.tag("</li>\n"),
            TagEnd::Emphasis => self.tag("</em>"),
            TagEnd::Strong => self.tag("</strong>"),
            TagEnd::Link => {
                let is_link = self.open_links.pop() == Some(IsLink::Yes);
                self.tag(if is_link { "</a>" } else { "" });
            }
            TagEnd::Image => self.pictures = self.pictures.saturating_sub(1),
            // Of extensions that are switched off.
            _ => {}
        }
    }

    /// A link where it leads somewhere safe; else its text stands alone.
    fn link(&mut self, to: &CowStr<'_>) {
        let is_link = self.within != Within::Title && self.pictures == 0 && is_safe(to);
        if is_link {
            let address = escaped(&asking(to, self.asks));
            self.tag(&format!("<a href=\"{address}\">"));
            self.links.push(to.to_string());
        }
        self.open_links.push(if is_link { IsLink::Yes } else { IsLink::No });
    }

    /// A tag of ours. A title has none, and neither has the description of a picture.
    fn tag(&mut self, tag: &str) {
        if self.within != Within::Title && self.pictures == 0 {
            self.out.push_str(tag);
        }
    }

    fn text(&mut self, text: &str) {
        match (self.within, &mut self.title) {
            (Within::Title, Some(title)) => return title.push_str(text),
            (Within::Summary, _) => self.summary.push_str(text),
            _ => {}
        }
        self.out.push_str(&escaped(text));
    }
}

/// The tags of a heading. The title alone is of the first level.
const fn heading(level: HeadingLevel) -> (&'static str, &'static str) {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => ("<h2>", "</h2>\n"),
        HeadingLevel::H3 => ("<h3>", "</h3>\n"),
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => ("<h4>", "</h4>\n"),
    }
}

/// HTML of this writer's, without its links: their texts stand alone.
///
/// Every `<` in it begins a tag of ours, since texts are escaped.
pub(super) fn without_links(html: &str) -> String {
    mapped(html, |tag| if is_tag(tag, "a") { String::new() } else { format!("<{tag}>") })
}

/// HTML of this writer's as plain text.
pub(super) fn as_text(html: &str) -> String {
    let mut address = None;
    let text = mapped(html, |tag| match tag.trim_start_matches('/').split(' ').next().unwrap_or_default() {
        "a" if tag.starts_with('/') => {
            address.take().map(|to: String| format!(" <{to}>")).unwrap_or_default()
        }
        "a" => {
            address = tag.split('"').nth(1).filter(|to| to.starts_with("https:")).map(str::to_owned);
            String::new()
        }
        "li" if !tag.starts_with('/') => String::from("* "),
        "hr" => String::from("* * *"),
        "h2" | "h3" | "h4" if !tag.starts_with('/') => String::from("# "),
        "p" | "h2" | "h3" | "h4" => String::from("\n"),
        _ => String::new(),
    });
    // What the tags above leave is at most one empty line too many.
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|before| before.is_empty())) {
            lines.push(line);
        }
    }
    unescaped(lines.join("\n").trim_end())
}

fn is_tag(tag: &str, name: &str) -> bool {
    tag.trim_start_matches('/').split(' ').next() == Some(name)
}

/// HTML with something in the place of each tag, which is told without its brackets.
fn mapped(html: &str, mut tag: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(html.len());
    let mut parts = html.split('<');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, text) = part.split_once('>').unwrap_or((part, ""));
        out.push_str(&tag(name));
        out.push_str(text);
    }
    out
}

fn unescaped(text: &str) -> String {
    // ORDER: `&amp;` last, so that what was written as `&amp;lt;` is read as `&lt;`.
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    marks.iter().fold(text.to_owned(), |text, (mark, one)| text.replace(mark, one))
}

/// A link that asks for something, if it leads to this site, is no part of this page, and asks for nothing yet.
fn asking<'t>(to: &'t str, asks: &str) -> Cow<'t, str> {
    let (path, part) = to.split_at(to.find('#').unwrap_or(to.len()));
    let is_elsewhere = scheme(to).is_some() || path.is_empty() || path.contains('?');
    if is_elsewhere || asks.is_empty() {
        Cow::Borrowed(to)
    } else {
        Cow::Owned(format!("{path}{asks}{part}"))
    }
}

fn scheme(to: &str) -> Option<&str> {
    to.split(['/', '?', '#']).next().and_then(|first| first.split_once(':')).map(|(scheme, _)| scheme)
}

/// Does a link lead to a page by `https:`, to an address by `mailto:`, or to somewhere on this site?
fn is_safe(to: &str) -> bool {
    let is_plain = to.chars().all(|one| !one.is_whitespace() && !one.is_control() && one != '\\');
    let leads = match scheme(to) {
        Some(scheme) => {
            let rest = to.get(scheme.len()..).unwrap_or_default();
            (scheme == "https" && rest.starts_with("://")) || scheme == "mailto"
        }
        // Two strokes at the beginning lead to another site.
        None => !to.is_empty() && !to.starts_with("//"),
    };
    is_plain && leads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_pages_addresses_and_this_site() {
        for good in [
            "https://shop.example/a?b#c",
            "mailto:a@shop.example",
            "/my",
            "rights",
            "#part",
            "a/b:c",
            "?lang=zh",
        ] {
            assert!(is_safe(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "java\nscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,x",
            "http://shop.example",
            "HTTPS://shop.example",
            "https:/shop.example",
            "vbscript:x",
            "file:///etc/passwd",
            "//evil.example",
            "\\\\evil.example",
            "/\\evil.example",
            "",
        ] {
            assert!(!is_safe(bad), "{bad}");
        }
    }

    #[test]
    fn links_to_this_site_ask_for_what_they_are_told_to() {
        for (to, asked) in [
            ("/my", "/my?lang=en"),
            ("rights", "rights?lang=en"),
            ("/my#part", "/my?lang=en#part"),
            ("#part", "#part"),
            ("/a?b", "/a?b"),
            ("https://shop.example/", "https://shop.example/"),
            ("mailto:a@shop.example", "mailto:a@shop.example"),
        ] {
            assert_eq!(asking(to, "?lang=en"), asked);
            assert_eq!(asking(to, ""), to);
        }
    }

    #[test]
    fn a_text_can_be_read_where_nobody_can_follow_a_link() {
        let written =
            write("# T\n\nA [b](/my) & [c](https://c.example/?x=1&y=2) `<a>`.\n\n## D\n\n- e\n- f\n", "");
        assert_eq!(
            without_links(&written.body),
            "<p>A b &amp; c <code>&lt;a&gt;</code>.</p>\n<h2>D</h2>\n<ul>\n<li>e</li>\n<li>f</li>\n</ul>\n"
        );
        assert_eq!(as_text(&written.body), "A b & c <https://c.example/?x=1&y=2> <a>.\n\n# D\n\n* e\n* f");
    }

    #[test]
    fn a_text_becomes_the_tags_of_markdown() {
        let written =
            write("# A *title*\n\nFirst **one**.\n\n- a\n- [b](/my)\n\n> c\n\n1. d `e`\n\n## f\n\n# g\n", "");
        assert_eq!(written.title.as_deref(), Some("A title"));
        assert_eq!(written.summary, "First one.");
        assert_eq!(written.links, ["/my"]);
        assert_eq!(
            written.body,
            "<p>First <strong>one</strong>.</p>\n<ul>\n<li>a</li>\n<li><a href=\"/my\">b</a></li>\n</ul>\n\
             <blockquote>\n<p>c</p>\n</blockquote>\n<ol>\n<li>d <code>e</code></li>\n</ol>\n<h2>f</h2>\n<h2>g</h2>\n"
        );
    }
}
