//! Reports of scans: what a scan found, written for a board, for who answers for a framework, or for an auditor.
//!
//! [`Reports`] implements the port [`ReportRenderer`]: report data in, bytes out, as HTML, Markdown, JSON, CSV or OCSF.
//! Pure: the same data gives the same bytes; times are those of the data, and UTC.
//!
//! Everything that a vendor, a tenant or a customer's pack wrote is escaped for the place it goes to: HTML by the
//! template engine, Markdown by [`mod@text`], a spreadsheet's cell so that it can't begin a formula. The HTML page loads
//! nothing, and its content security policy forbids scripts.
//!
//! Does not: read a store, take the time, judge or score anything (that is the domain's), know a file's place or an
//! address, make a PDF (print the page), or speak HTTP or MCP.

mod charts;
mod controls;
mod csv;
mod entry;
mod html;
mod json;
mod markdown;
mod ocsf;
mod text;
mod view;
mod words;

use std::error::Error;
use view::View;
use watchpost_core::report::{Rendered, ReportData, ReportError, ReportFormat, ReportRenderer};

/// Writes reports in every format. Has no state; every kind can be written in every format.
///
/// * HTML and Markdown tell what the kind is for: the executive summary a page or two, the framework report every
///   control, the evidence export everything.
/// * JSON has the same parts as data: the executive summary only the failed checks, the evidence export all evidence.
/// * CSV has one line for each check, OCSF one event: whatever the kind. For the difference of two scans, one for each
///   change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reports;

impl ReportRenderer for Reports {
    fn render(&self, data: &ReportData, format: ReportFormat) -> Result<Rendered, ReportError> {
        let view = View::new(data);
        let bytes = match format {
            ReportFormat::Html => html::page(&view).map_err(failed)?,
            ReportFormat::Markdown => markdown::document(&view).into_bytes(),
            ReportFormat::Json => json::object(&view).map_err(failed)?,
            ReportFormat::Csv => csv::table(&view).into_bytes(),
            ReportFormat::Ocsf => ocsf::lines(&view).map_err(failed)?,
        };
        Ok(Rendered { format, bytes })
    }
}

fn failed(error: impl Error + Send + Sync + 'static) -> ReportError {
    ReportError::Failed(Box::new(error))
}
