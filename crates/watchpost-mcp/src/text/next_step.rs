//! Next steps for a caller who is an assistant: a tool to call or, where no tool does it, a command for the operator.

use watchpost_core::{
    error::{Error, NextStep},
    service::Warning,
};

pub(crate) fn step(step: NextStep) -> String {
    let text = match step {
        NextStep::ConnectPlatform => {
            "Connect a platform: run `watchpost integrations add okta` or `watchpost integrations add m365`"
        }
        NextStep::AwaitFirstSync => {
            "The first sync has not finished: wait a minute, or run `watchpost sync --wait`; a server or `watchpost sync` must be running"
        }
        NextStep::RepairSources => {
            "No integration can be read: run `watchpost integrations verify`, fix what it reports, then run `watchpost sync`"
        }
        NextStep::VerifyIntegrations => "`watchpost integrations verify` shows why",
        NextStep::ConfirmShrink => {
            "a person can check it with `watchpost integrations verify` and, if it is right, confirm it with `watchpost integrations confirm-shrink`"
        }
        NextStep::SetCredential(platform) => {
            return format!(
                "a person can set a new credential with `watchpost integrations set-credential {platform}`, which keeps \
                 all findings and decisions"
            );
        }
        NextStep::ResumeIntegration => "`watchpost integrations resume` resumes it",
        NextStep::ListIntegrations => "`get_integrations` shows what is connected",
        NextStep::ListFindings => "take an id from `list_findings`",
        NextStep::ListScans => "`list_scans` shows the ids",
        NextStep::ListResults => "`list_check_results` shows the check ids",
        NextStep::ListChecks => "`watchpost policy list` shows the available checks",
        NextStep::StartScan(scan_type) => {
            return format!("start one with `start_scan` and scan_type `{scan_type}`");
        }
        NextStep::ImportResults => "import its results with `watchpost import FILE`",
        NextStep::ListImports => "`watchpost imports list` shows the ids",
        NextStep::FindApp => {
            "no connected platform has an app with this name or id; `check_app_policy` looks apps up by name"
        }
        NextStep::FindIdentity => "`lookup_identity` looks people up by any of their addresses",
        NextStep::CheckAddress => {
            "no connected platform has an account with this address; check the spelling, and whether the platform is connected"
        }
        NextStep::ChoosePerson => {
            "give the first and last name or the whole address; `list_findings` with the name as text shows addresses of people with findings"
        }
        NextStep::ListKeys => "`watchpost keys list` shows the ids",
        NextStep::RevokeKey => {
            "revoke one with `watchpost keys revoke ID` (`watchpost keys list` shows them), or raise `[limits] active_keys`"
        }
        NextStep::ListRemediations => "`watchpost remediations list` shows the ids",
        NextStep::ListSchedules => "`watchpost schedule list` shows the ids",
        NextStep::ListExemptions => "`watchpost exemption list` shows the ids",
    };
    text.to_owned()
}

/// A use case's error, with its next step.
pub(crate) fn explained(error: &Error) -> String {
    match error.next_step() {
        Some(next) => format!("{error}: {}", step(next)),
        None => error.to_string(),
    }
}

/// A warning, with its next step.
pub(crate) fn warning(warning: Warning) -> String {
    match warning.next_step {
        Some(next) => format!("{}; {}", warning.text, step(next)),
        None => warning.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::TOOLS;

    #[test]
    fn every_step_names_only_existing_tools_and_commands() {
        for next in NextStep::ALL {
            let text = step(next);
            for quoted in text.split('`').skip(1).step_by(2) {
                let is_tool = TOOLS.iter().any(|tool| tool.declaration.name == quoted);
                let is_other = quoted.starts_with("watchpost ")
                    || quoted.starts_with('[')
                    || ["compliance", "exposure"].contains(&quoted);
                assert!(is_tool || is_other, "{next:?}: `{quoted}`");
            }
        }
    }

    #[test]
    fn an_error_gives_its_next_step() {
        let error = Error::not_found("scan", NextStep::ListScans);
        assert_eq!(explained(&error), "scan not found: `list_scans` shows the ids");
        let plain = Error::invalid("limit", "must be 1 to 100, not 0");
        assert_eq!(explained(&plain), "`limit`: must be 1 to 100, not 0");
    }
}
