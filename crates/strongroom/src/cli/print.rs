//! Where words go: results to stdout, talk to stderr, progress where a person watches.

use std::io::{IsTerminal, Write};

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::Serialize;

use crate::ground::Problem;

/// How a command talks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Voice {
    /// Results as JSON.
    pub json: bool,
    /// No talk, no progress.
    pub quiet: bool,
}

impl Voice {
    /// A line of a result.
    pub fn print(self, line: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        // A reader that went away (`| head`) is no fault of the command's.
        let _ = writeln!(out, "{}", line.as_ref());
        let _ = out.flush();
    }

    /// A result as JSON.
    pub fn print_json<T: Serialize + ?Sized>(self, value: &T) {
        self.print(serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// A line of talk.
    pub fn say(self, line: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
        }
    }

    /// A problem, on stderr; as JSON where results are.
    pub fn problem(self, problem: &Problem) {
        let mut err = std::io::stderr().lock();
        if self.json {
            let _ = writeln!(err, "{}", serde_json::to_string(&problem.to_body()).unwrap_or_default());
            return;
        }
        let _ = writeln!(err, "error[{}]: {}", problem.code, problem.title);
        if let Some(pointer) = &problem.pointer {
            let _ = writeln!(err, "  at: {pointer}");
        }
        for reason in &problem.reasons {
            let fields = if reason.fields.is_empty() {
                String::new()
            } else {
                format!(" ({})", reason.fields.join(", "))
            };
            let law =
                if reason.law.is_empty() { String::new() } else { format!(" {}", reason.law.join(", ")) };
            let _ = writeln!(err, "  because: {}{law}{fields}", reason.text);
        }
        if let Some(help) = problem.help {
            let _ = writeln!(err, "  help: {help}");
        }
    }

    /// A table of a result.
    pub fn table(self, head: &[&str], rows: Vec<Vec<String>>) {
        let mut table = Table::new();
        table
            .load_style(UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(head);
        for row in rows {
            table.add_row(row);
        }
        self.print(table.to_string());
    }

    /// A progress bar for something of a known or unknown length, with its rate and the time that is left.
    pub fn bar(self, what: &str) -> Bar {
        let target = if self.quiet || !std::io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_message(what.to_owned());
        Bar { bar, shaped: None }
    }
}

/// So many a second, without the fractions.
fn whole_rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    let _ = write!(out, "{:.0}/s", state.per_sec());
}

/// A progress bar.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    shaped: Option<bool>,
}

impl Bar {
    /// So much is done, of so much; 0 when that is not known.
    pub fn set(&mut self, what: &str, done: u64, of: u64) {
        if self.shaped != Some(of > 0) {
            self.shaped = Some(of > 0);
            let template = if of > 0 {
                "{msg:>12} {wide_bar} {human_pos}/{human_len} · {rate} · {eta} left"
            } else {
                "{msg:>12} {spinner} {human_pos} · {rate} · {elapsed}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style.with_key("rate", whole_rate));
            }
        }
        self.bar.set_message(what.to_owned());
        if of > 0 {
            self.bar.set_length(of);
        }
        self.bar.set_position(done);
    }

    /// Says something without the bar in the way.
    pub fn hide(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    /// It is done.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}
