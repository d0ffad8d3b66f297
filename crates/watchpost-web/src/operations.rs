//! The list of all operations.
//!
//! # Adding an operation
//! Write it in the file of its resource in `v1`, with a type that implements `Endpoint` (the declaration, the parameters and
//! the answer), and add it to [`OPERATIONS`]. The router, the routes of the transport, the OpenAPI document and the page of the
//! API follow from the list. Accept the snapshot of the document, and run the tests once with `UPDATE_DOCS=1` to update the
//! page.

use crate::{
    compat,
    export::Format::{Csv, Json},
    operation::Operation,
    v1::{
        apps, checks, comparisons, files, finding_changes, findings, health, integrations, people, posture,
        reports, rules, scan_results, scans, syncs,
    },
};

/// All operations.
pub static OPERATIONS: &[Operation] = &[
    Operation::of::<posture::GetPostureSummary>(),
    Operation::of::<posture::GetRiskScore>(),
    Operation::of::<findings::ListFindings>(),
    Operation::of::<findings::GetFinding>(),
    Operation::of::<finding_changes::SnoozeFinding>(),
    Operation::of::<finding_changes::DismissFinding>(),
    Operation::of::<finding_changes::RemediateFinding>(),
    Operation::of::<people::LookupIdentity>(),
    Operation::of::<people::GetPerson>(),
    Operation::of::<apps::ListApps>(),
    Operation::of::<apps::GetApp>(),
    Operation::of::<apps::CheckAppPolicy>(),
    Operation::of::<apps::SetAppPolicy>(),
    Operation::of::<rules::ListRules>(),
    Operation::of::<rules::GetRule>(),
    Operation::of::<checks::ListChecks>(),
    Operation::of::<checks::GetCheck>(),
    Operation::of::<scan_results::ListCheckResults>(),
    Operation::of::<scans::ListScans>(),
    Operation::of::<scans::GetLatestScan>(),
    Operation::of::<scans::GetScan>(),
    Operation::of::<scan_results::ListScanResults>(),
    Operation::of::<scans::GetScoreTrend>(),
    Operation::of::<scans::StartScan>(),
    Operation::of::<comparisons::CompareScans>(),
    Operation::of::<reports::GenerateReport>(),
    Operation::of::<integrations::GetIntegrations>(),
    Operation::of::<integrations::GetIntegration>(),
    Operation::of::<syncs::TriggerSync>(),
    Operation::of::<health::GetHealth>(),
    Operation::file::<files::Findings>(Csv),
    Operation::file::<files::Findings>(Json),
    Operation::file::<files::Apps>(Csv),
    Operation::file::<files::Apps>(Json),
    Operation::file::<files::Rules>(Csv),
    Operation::file::<files::Rules>(Json),
    Operation::file::<files::Checks>(Csv),
    Operation::file::<files::Checks>(Json),
    Operation::file::<files::CheckResults>(Csv),
    Operation::file::<files::CheckResults>(Json),
    Operation::file::<files::Scans>(Csv),
    Operation::file::<files::Scans>(Json),
    Operation::file::<files::Integrations>(Csv),
    Operation::file::<files::Integrations>(Json),
    Operation::of::<compat::posture::RiskScore>(),
    Operation::of::<compat::reads::Findings>(),
    Operation::of::<compat::reads::Identity>(),
    Operation::of::<compat::reads::Integrations>(),
    Operation::of::<compat::posture::PostureSummary>(),
    Operation::of::<compat::reads::Rules>(),
    Operation::of::<compat::reads::AppPolicyOf>(),
    Operation::of::<compat::actions::Sync>(),
    Operation::of::<compat::actions::SetAppPolicy>(),
    Operation::of::<compat::actions::Snooze>(),
    Operation::of::<compat::actions::Dismiss>(),
    Operation::of::<compat::actions::Remediate>(),
    Operation::public::<health::ServerHealth>(health::SERVER_HEALTH, health::server_health),
    Operation::public::<health::Document>(health::OPENAPI, health::openapi),
];
