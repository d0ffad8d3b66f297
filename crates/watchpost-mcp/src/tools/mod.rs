//! The tools: one file each, and their list.
//!
//! # Adding a tool
//! Write `tools/<name>.rs` with a type that implements `Tool` (the declaration, the input struct and the output struct)
//! and `QueryTool` or `ActionTool`; a tool that needs a write key also implements `WriteTool`. The sentences of its
//! answers belong in `text`. Add it to [`TOOLS`], accept its snapshot, and run the tests once with `UPDATE_DOCS=1` to
//! regenerate `docs/tools.md`.

mod check_app_policy;
mod compare_scans;
mod dismiss_finding;
mod generate_report;
mod get_finding;
mod get_integrations;
mod get_posture_summary;
mod get_risk_score;
mod get_scan;
mod get_score_trend;
mod list_check_results;
mod list_findings;
mod list_rules;
mod list_scans;
mod lookup_identity;
mod remediate_finding;
mod set_app_policy;
mod snooze_finding;
mod start_scan;
mod trigger_sync;

pub use crate::tool::{Declaration, Hints, ToolEntry};

pub(crate) use list_rules::RuleOut;
pub(crate) use start_scan::answer as scan_answer;
pub(crate) use trigger_sync::ended as ended_syncs_answer;

use crate::{
    error::Failure,
    tool::{Answer, Caller, answer},
};
use serde_json::json;

/// All tools, sorted by name.
pub static TOOLS: &[ToolEntry] = &[
    ToolEntry::query::<check_app_policy::CheckAppPolicy>(),
    ToolEntry::query::<compare_scans::CompareScans>(),
    ToolEntry::write::<dismiss_finding::DismissFinding>(),
    ToolEntry::query::<generate_report::GenerateReport>(),
    ToolEntry::query::<get_finding::GetFinding>(),
    ToolEntry::query::<get_integrations::GetIntegrations>(),
    ToolEntry::query::<get_posture_summary::GetPostureSummary>(),
    ToolEntry::query::<get_risk_score::GetRiskScore>(),
    ToolEntry::query::<get_scan::GetScan>(),
    ToolEntry::query::<get_score_trend::GetScoreTrend>(),
    ToolEntry::query::<list_check_results::ListCheckResults>(),
    ToolEntry::query::<list_findings::ListFindings>(),
    ToolEntry::query::<list_rules::ListRules>(),
    ToolEntry::query::<list_scans::ListScans>(),
    ToolEntry::query::<lookup_identity::LookupIdentity>(),
    ToolEntry::write::<remediate_finding::RemediateFinding>(),
    ToolEntry::write::<set_app_policy::SetAppPolicy>(),
    ToolEntry::write::<snooze_finding::SnoozeFinding>(),
    ToolEntry::action::<start_scan::StartScan>(),
    ToolEntry::write::<trigger_sync::TriggerSync>(),
];

/// The tools that need a write key.
pub(crate) fn write_tools() -> impl Iterator<Item = &'static ToolEntry> {
    TOOLS.iter().filter(|tool| tool.takes_write_key())
}

/// The answer of `get_posture_summary`.
pub(crate) async fn posture(caller: Caller<'_>) -> Result<Answer, Failure> {
    answer::<get_posture_summary::GetPostureSummary>(caller, &json!({})).await
}

/// The answer of `get_integrations`.
pub(crate) async fn integrations(caller: Caller<'_>) -> Result<Answer, Failure> {
    answer::<get_integrations::GetIntegrations>(caller, &json!({})).await
}

/// The answer of `lookup_identity`.
pub(crate) async fn identity(caller: Caller<'_>, email: &str) -> Result<Answer, Failure> {
    answer::<lookup_identity::LookupIdentity>(caller, &json!({ "email": email })).await
}

/// The answer of `check_app_policy`.
pub(crate) async fn app(caller: Caller<'_>, id: &str) -> Result<Answer, Failure> {
    answer::<check_app_policy::CheckAppPolicy>(caller, &json!({ "app": id })).await
}

/// The answer of `get_scan`.
pub(crate) async fn scan(caller: Caller<'_>, id: &str) -> Result<Answer, Failure> {
    answer::<get_scan::GetScan>(caller, &json!({ "scan_id": id })).await
}
