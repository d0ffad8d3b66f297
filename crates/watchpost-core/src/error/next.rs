//! The next steps that errors suggest to callers.

use crate::{check::ScanType, value::word::Platform};

/// A suggested next step, independent of the surface. Each surface names its own way to take it: a tool over MCP,
/// a command on the command line, or a link on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Connect a platform: none is connected.
    ConnectPlatform,
    /// Wait for the first sync, and make sure that one runs.
    AwaitFirstSync,
    /// Verify the connected platforms, fix the reported problems, and sync: no source can be read.
    RepairSources,
    /// Verify the connected platforms, which shows why some of them can't be read completely.
    VerifyIntegrations,
    /// Verify the connected platforms, and confirm that a list shrank if that is right.
    ConfirmShrink,
    /// Set a new credential for the integration of this platform.
    SetCredential(Platform),
    /// Resume an integration.
    ResumeIntegration,
    /// List the connected platforms and their ids.
    ListIntegrations,
    /// List the findings and their ids.
    ListFindings,
    /// List the scans and their ids.
    ListScans,
    /// List a scan's results and the ids of their checks.
    ListResults,
    /// List the checks of this version and their ids.
    ListChecks,
    /// Start a scan of this type.
    StartScan(ScanType),
    /// Import the result file of another scanner.
    ImportResults,
    /// List the imports and the ids of their batches.
    ListImports,
    /// Find an app by its name.
    FindApp,
    /// Find a person by an email address.
    FindIdentity,
    /// Check the spelling of an address, and whether the platform that would contain it is connected.
    CheckAddress,
    /// Give the whole name or an address of one of several people.
    ChoosePerson,
    /// List the keys and their ids.
    ListKeys,
    /// Revoke a key, or raise the limit of active keys.
    RevokeKey,
    /// List the remediations and their ids.
    ListRemediations,
    /// List the schedules and their ids.
    ListSchedules,
    /// List the exemptions and their ids.
    ListExemptions,
}

impl NextStep {
    /// All steps, each once. Used by the tests of the surfaces that render them.
    pub const ALL: [Self; 24] = [
        Self::ConnectPlatform,
        Self::AwaitFirstSync,
        Self::RepairSources,
        Self::VerifyIntegrations,
        Self::ConfirmShrink,
        Self::SetCredential(Platform::Okta),
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
        Self::ChoosePerson,
        Self::ListKeys,
        Self::RevokeKey,
        Self::ListRemediations,
        Self::ListSchedules,
        Self::ListExemptions,
    ];
}
