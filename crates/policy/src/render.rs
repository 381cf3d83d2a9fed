//! The report as people read it in a terminal: the text itself, with marks under it.

use crate::code::Severity;
use crate::finding::{Finding, Report};
use crate::law::Citation;
use crate::lawful::Cited;
use crate::text::is_hidden;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};
use std::fmt;

/// Coloured or not?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// With ANSI colours.
    Ansi,
    /// Plain.
    None,
}

/// How the report is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Coloured or not.
    pub colour: Colour,
    /// The width of the terminal in columns. Below 60 the drawing gives way to lines of text.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { colour: Colour::None, width: 100 }
    }
}

/// Below this there is no room for the drawing.
const NARROW: usize = 60;

impl Report {
    /// The findings as text, and a line that counts them.
    ///
    /// The same report and options give the same text. Nothing hidden in the policy file reaches the terminal.
    pub fn render(&self, options: &Options) -> String {
        let source = Source { name: visible(&self.file_name), text: visible(&self.text) };
        let mut out = String::new();
        for finding in &self.findings {
            out.push_str(&Self::drawn(finding, &source, options).unwrap_or_else(|| self.written(finding)));
            out.push('\n');
        }
        out.push_str(&self.summary());
        out.push('\n');
        out
    }

    /// `shop.toml: 2 errors, 1 warning`
    pub fn summary(&self) -> String {
        let file = visible(&self.file_name);
        let mut counts: Vec<String> = Severity::ALL
            .into_iter()
            .map(|severity| (severity, self.count(severity)))
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| match severity {
                Severity::Advice if count > 1 => format!("{count} pieces of advice"),
                Severity::Advice => "1 piece of advice".to_owned(),
                Severity::Unlawful | Severity::Risky | Severity::Unverified => {
                    format!("{count} {}", severity.as_str())
                }
                _ => format!("{count} {}{}", severity.as_str(), if count == 1 { "" } else { "s" }),
            })
            .collect();
        if self.left_out > 0 {
            counts.push(format!("and {} more findings", self.left_out));
        }
        if counts.is_empty() {
            format!("{file}: nothing to find fault with")
        } else {
            format!("{file}: {}", counts.join(", "))
        }
    }

    fn drawn(finding: &Finding, source: &Source, options: &Options) -> Option<String> {
        if options.width < NARROW {
            return None;
        }
        let theme = match options.colour {
            Colour::Ansi => GraphicalTheme::unicode(),
            Colour::None => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_width(options.width)
            .with_context_lines(1);
        let mut out = String::new();
        handler.render_report(&mut out, &Drawing { finding, source }).ok()?;
        Some(without_trailing_blanks(&out))
    }

    fn written(&self, finding: &Finding) -> String {
        let mut lines = Vec::new();
        for (place, label) in finding.labels.iter().enumerate() {
            let (line, column) = self.line_and_column(label.at.start);
            let file = visible(&self.file_name);
            lines.push(match (place, label.text.as_str()) {
                (0, _) => format!(
                    "{}[{}] {file}:{line}:{column}\n  {}",
                    finding.severity().as_str(),
                    finding.code,
                    finding.message
                ),
                (_, text) => format!("  {text}: {file}:{line}:{column}"),
            });
        }
        lines.extend(help(finding).map(|help| format!("  help: {}", help.replace('\n', "\n  "))));
        lines.join("\n") + "\n"
    }
}

/// The help and, below it, the law.
fn help(finding: &Finding) -> Option<String> {
    let cited = finding.citations.iter().map(Citation::to_string);
    let laws: Vec<String> = cited.chain(finding.laws.iter().map(Cited::to_string)).collect();
    let law = (!laws.is_empty()).then(|| format!("law: {}", laws.join(", ")));
    match (&finding.help, law) {
        (Some(help), Some(law)) => Some(format!("{help}\n{law}")),
        (Some(help), None) => Some(help.clone()),
        (None, law) => law,
    }
}

/// What could move the cursor or hide text becomes a mark of the same length in bytes, so that every place stays.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let ends_line = character == '\r' && characters.peek() == Some(&'\n');
        shown.push(match character.len_utf8() {
            _ if ends_line || !is_hidden(character) || matches!(character, '\n' | '\t') => character,
            1 => '?',
            2 => '¿',
            _ => '\u{fffd}',
        });
    }
    shown
}

fn without_trailing_blanks(text: &str) -> String {
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The text as miette reads it.
struct Source {
    name: String,
    text: String,
}

impl SourceCode for Source {
    /// As miette's own for texts, but with the number of lines that are in the stretch: miette (7.6) gives the number up to
    /// its end, and then draws everything between two places that lie far apart.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.read_span(span, lines_before, lines_after)?;
        let lines = read.data().split(|byte| *byte == b'\n').count() - 1;
        let (line, column) = (read.line(), read.column());
        let contents =
            MietteSpanContents::new_named(self.name.clone(), read.data(), *read.span(), line, column, lines);
        Ok(Box::new(contents))
    }
}

/// A finding as miette draws it.
struct Drawing<'r> {
    finding: &'r Finding,
    source: &'r Source,
}

impl fmt::Debug for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.finding, f)
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Drawing<'_> {}

impl Diagnostic for Drawing<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("{} {}", self.finding.severity().as_str(), self.finding.code)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity() {
            Severity::Error | Severity::Unlawful => miette::Severity::Error,
            Severity::Risky | Severity::Warning | Severity::Unverified => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        help(self.finding).map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.finding.labels.iter().enumerate().map(|(place, label)| {
            let text = if label.text.is_empty() { None } else { Some(label.text.clone()) };
            let span = (label.at.start, label.at.end - label.at.start);
            if place == 0 {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })))
    }
}
