//! Output of commands: tables for people, JSON for programs, notes on standard error.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;
use std::io::{self, IsTerminal, Write};
use watchpost_core::value::{text::ForeignText, time::Timestamp};

/// The output of a command. Everything that a program may read goes to standard output; everything else goes to
/// standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Whether `--json` was given.
    pub(crate) json: bool,
}

impl Output {
    /// Writes a JSON value or, without `--json`, a text.
    pub(crate) fn answer(self, json: &Value, text: &str) -> io::Result<()> {
        if self.json {
            self.line(&json.to_string())
        } else {
            self.line(text)
        }
    }

    /// Writes a JSON value or, without `--json`, a table with a header; `empty` if the table has no rows.
    pub(crate) fn table(
        self,
        json: &Value,
        titles: &[&str],
        rows: Vec<Vec<String>>,
        empty: &str,
    ) -> io::Result<()> {
        if self.json {
            return self.line(&json.to_string());
        }
        if rows.is_empty() {
            return self.line(empty);
        }
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic);
        if !io::stdout().is_terminal() {
            // A pipe has no width, so lines aren't wrapped.
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        table.set_header(titles.iter().copied());
        for row in rows {
            table.add_row(row);
        }
        self.line(&table.to_string())
    }

    /// Writes a line to standard error, in red on a terminal.
    pub(crate) fn alarm(self, text: &str) {
        let is_colored = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        if is_colored {
            self.note(&format!("\x1b[1;31m{text}\x1b[0m"));
        } else {
            self.note(text);
        }
    }

    /// Writes a line to standard output. If its reader has closed the pipe (`| head`), the process exits with code 0.
    pub(crate) fn line(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => other,
        }
    }

    /// Writes a line to standard error, for people.
    pub(crate) fn note(self, text: &str) {
        // There is no other place to report that standard error is closed.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// A progress line on standard error, shown only on a terminal.
pub(crate) struct Progress(Option<indicatif::ProgressBar>);

impl Progress {
    /// Shows the line with a first text.
    pub(crate) fn start(text: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = indicatif::ProgressBar::new_spinner();
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self(Some(bar))
    }
    /// Replaces the text.
    pub(crate) fn show(&self, text: String) {
        if let Some(bar) = &self.0 {
            bar.set_message(text);
        }
    }
    /// Removes the line.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Foreign text for a terminal. Its control characters are already removed.
pub(crate) fn foreign(text: &ForeignText) -> String {
    text.untrusted().to_owned()
}

/// A time in RFC 3339, or `never`.
pub(crate) fn time_or_never(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}
