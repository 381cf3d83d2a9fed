//! HTML as it is being written: what is not a constant of this program goes in as text, and nothing else compiles.

use policy::record::escaped;

/// A page, or a part of one.
#[derive(Default)]
pub(super) struct Html(String);

impl std::fmt::Debug for Html {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Html(..)")
    }
}

impl Html {
    /// Nothing yet.
    pub(super) fn new() -> Html {
        Html::default()
    }

    /// Adds what this program says as it stands.
    pub(super) fn raw(&mut self, html: &'static str) -> &mut Html {
        self.0.push_str(html);
        self
    }

    /// Adds a text: whatever it holds, it stays text. It may stand between tags, and in an attribute in double quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Html {
        self.0.push_str(&escaped(text));
        self
    }

    /// A paragraph.
    pub(super) fn p(&mut self, text: &str) -> &mut Html {
        self.raw("<p>").text(text).raw("</p>\n")
    }

    /// A heading of a section, which it opens.
    pub(super) fn section(&mut self, title: &str) -> &mut Html {
        self.raw("<section>\n<h2>").text(title).raw("</h2>\n")
    }

    /// A form's own field that nobody sees.
    pub(super) fn hidden(&mut self, name: &'static str, value: &str) -> &mut Html {
        self.raw("<input type=\"hidden\" name=\"").raw(name).raw("\" value=\"").text(value).raw("\">\n")
    }

    /// What was written.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_becomes_a_tag_or_leaves_its_attribute() {
        let mut html = Html::new();
        html.p("<script>alert('x')</script>").hidden("name", "\" onfocus=\"alert(1)");
        let written = html.as_str();
        assert!(!written.contains("<script>") && !written.contains("\" onfocus"), "{written}");
    }
}
