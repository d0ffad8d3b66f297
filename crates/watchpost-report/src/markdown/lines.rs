//! A Markdown document under construction.

use crate::{escape::markdown, text};

/// The maximum number of rows of a list in a summary.
pub(super) const ROWS_SHOWN: usize = 15;

/// A Markdown document.
pub(super) struct Document(pub(super) String);

impl Document {
    pub(super) fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }
    pub(super) fn blank(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }
    pub(super) fn heading(&mut self, level: usize, text: &str) {
        self.blank();
        self.line(&format!("{} {text}", "#".repeat(level)));
        self.blank();
    }
    pub(super) fn paragraph(&mut self, text: &str) {
        self.blank();
        self.line(text);
    }
    /// Appends a table, whose cells are Markdown.
    pub(super) fn table<const N: usize>(
        &mut self,
        head: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        self.blank();
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(N)));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
        }
    }
    /// Appends a numbered list of remediation steps.
    pub(super) fn steps(&mut self, steps: &[&str]) {
        self.paragraph(text::markdown::REMEDIATION);
        self.blank();
        for (at, step) in steps.iter().enumerate() {
            self.line(&format!("{}. {}", at.saturating_add(1), markdown(step)));
        }
    }
}
