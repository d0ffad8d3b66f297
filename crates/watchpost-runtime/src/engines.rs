//! What judges and what draws, for this process.

use async_trait::async_trait;
use std::sync::Arc;
use watchpost_core::{
    check::{Check, CheckDocument, CheckEngine, Profile, Verdict},
    policy::{PolicyEngine, PolicyError},
    report::{Rendered, ReportData, ReportError, ReportFormat, ReportRenderer},
    service::Engines,
};

/// No checks, no reports: what a process has that only judges people and apps.
struct RulesOnly;

#[async_trait]
impl CheckEngine for RulesOnly {
    fn checks(&self) -> &[Check] {
        &[]
    }
    async fn evaluate_checks(
        &self,
        _document: Arc<CheckDocument>,
        _checks: Vec<usize>,
        _profile: Profile,
        _now_ms: i64,
    ) -> Result<Vec<Verdict>, PolicyError> {
        Ok(Vec::new())
    }
}

impl ReportRenderer for RulesOnly {
    fn render(&self, _data: &ReportData, _format: ReportFormat) -> Result<Rendered, ReportError> {
        Err(ReportError::Unfit("this process writes no reports"))
    }
}

/// Joins a rule engine with the rest.
pub(crate) fn engines(rules: Arc<dyn PolicyEngine>) -> Engines {
    let only = Arc::new(RulesOnly);
    Engines {
        rules,
        checks: Arc::clone(&only) as _,
        renderer: only,
    }
}
