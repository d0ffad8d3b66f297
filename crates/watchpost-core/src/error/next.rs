//! What a caller can do next.

use crate::check::ScanType;

/// What a caller can do next, whatever they call from. Each surface names its own way to do it: a tool over MCP, a
/// command on the command line, a link on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Connect a platform: none is.
    ConnectPlatform,
    /// Wait for the first sync, and see to it that one runs.
    AwaitFirstSync,
    /// Verify the connected platforms, repair what that names, and sync: no source can be read.
    RepairSources,
    /// Verify the connected platforms, which says why some of them can't be read wholly.
    VerifyIntegrations,
    /// Resume or reconnect an integration.
    ResumeIntegration,
    /// Look at the connected platforms and their ids.
    ListIntegrations,
    /// Look at the findings and their ids.
    ListFindings,
    /// Look at the scans and their ids.
    ListScans,
    /// Look at a scan's results and the ids of their checks.
    ListResults,
    /// Look at the checks of this version and their ids.
    ListChecks,
    /// Start a scan of this type.
    StartScan(ScanType),
    /// Import the result file of another scanner.
    ImportResults,
    /// Look at the imports and the ids of their batches.
    ListImports,
    /// Look an app up by its name.
    FindApp,
    /// Look a person up by an address.
    FindIdentity,
    /// Check how an address is spelled, and whether the platform that would know it is connected.
    CheckAddress,
    /// Look at the keys and their ids.
    ListKeys,
    /// Revoke a key, or raise the limit of active ones.
    RevokeKey,
    /// Look at the remediations and their ids.
    ListRemediations,
    /// Look at the schedules and their ids.
    ListSchedules,
    /// Look at the exemptions and their ids.
    ListExemptions,
}

impl NextStep {
    /// All steps, each once, for the tests of what renders them.
    pub const ALL: [Self; 21] = [
        Self::ConnectPlatform,
        Self::AwaitFirstSync,
        Self::RepairSources,
        Self::VerifyIntegrations,
        Self::ResumeIntegration,
        Self::ListIntegrations,
        Self::ListFindings,
        Self::ListScans,
        Self::ListResults,
        Self::ListChecks,
        Self::StartScan(ScanType::Compliance),
        Self::ImportResults,
        Self::ListImports,
        Self::FindApp,
        Self::FindIdentity,
        Self::CheckAddress,
        Self::ListKeys,
        Self::RevokeKey,
        Self::ListRemediations,
        Self::ListSchedules,
        Self::ListExemptions,
    ];
}
