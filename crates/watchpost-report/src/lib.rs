//! Reports on scans, for a board, for the owner of a framework, or for an auditor.
//!
//! [`Reports`] implements the port [`ReportRenderer`]: it renders report data as HTML, Markdown, JSON, CSV or OCSF.
//! Rendering is pure: the same data gives the same bytes, and all times are from the data, in UTC.
//!
//! Text from vendors, tenants and customers' packs is escaped for its destination: in HTML by the template engine, in
//! Markdown and CSV by the module `escape`. No cell of a spreadsheet can begin with a formula. The HTML page loads nothing, and its
//! content security policy forbids scripts.
//!
//! This crate does not read a store or the clock, judge or score anything (the domain does), handle files or addresses,
//! make PDFs (print the page instead), or use HTTP or MCP.

mod charts;
mod controls;
mod csv;
mod entry;
mod escape;
mod html;
mod json;
mod markdown;
mod ocsf;
mod text;
mod view;

use std::error::Error;
use view::View;
use watchpost_core::report::{Rendered, ReportData, ReportError, ReportFormat, ReportRenderer};

/// The renderer of reports. Every kind of report can be rendered in every format.
///
/// * HTML and Markdown are for reading: the executive summary has one or two pages, the framework report every control,
///   the evidence export everything.
/// * JSON has the same parts as data: only the failed checks in the executive summary, all evidence in the evidence export.
/// * CSV has one line and OCSF one event for each check, or for each change between two scans, whatever the kind.
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
