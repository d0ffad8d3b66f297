//! What judges and what draws, for this process.

use std::sync::Arc;
use watchpost_core::{
    report::{Rendered, ReportData, ReportError, ReportFormat, ReportRenderer},
    service::Engines,
};
use watchpost_policy::{PolicyPack, RegoEngine, check::RegoChecks};

/// No reports.
struct NoReports;

impl ReportRenderer for NoReports {
    fn render(&self, _data: &ReportData, _format: ReportFormat) -> Result<Rendered, ReportError> {
        Err(ReportError::Unfit("this process writes no reports"))
    }
}

/// The engines over one loaded pack.
pub(crate) fn engines(pack: PolicyPack) -> Engines {
    Engines {
        checks: Arc::new(RegoChecks::new(pack.clone())),
        rules: Arc::new(RegoEngine::new(pack)),
        renderer: Arc::new(NoReports),
    }
}
