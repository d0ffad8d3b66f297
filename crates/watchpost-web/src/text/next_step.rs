//! Next steps for a caller of the REST API: an operation or, where no operation does it, a command for the operator.

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
        NextStep::ListIntegrations => "GET /api/v1/integrations shows what is connected",
        NextStep::ListFindings => "take an id from GET /api/v1/findings",
        NextStep::ListScans => "GET /api/v1/scans shows the ids",
        NextStep::ListResults => "GET /api/v1/check-results shows the check ids",
        NextStep::ListChecks => "GET /api/v1/checks shows the available checks",
        NextStep::StartScan(scan_type) => {
            return format!("start one with POST /api/v1/scans and scan_type `{scan_type}`");
        }
        NextStep::ImportResults => "import its results with `watchpost import FILE`",
        NextStep::ListImports => "`watchpost imports list` shows the ids",
        NextStep::FindApp => {
            "no connected platform has an app with this name or id; GET /api/v1/apps lists the apps"
        }
        NextStep::FindIdentity => "GET /api/v1/people with `email` looks people up by any of their addresses",
        NextStep::CheckAddress => {
            "no connected platform has an account with this address; check the spelling, and whether the platform is connected"
        }
        NextStep::ChoosePerson => "give the first and last name or the whole address",
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
    use crate::operations::OPERATIONS;

    #[test]
    fn every_step_names_only_existing_operations() {
        for next in NextStep::ALL {
            let text = step(next);
            let words: Vec<&str> = text.split(' ').collect();
            for pair in words.windows(2) {
                let [method, path] = pair else { continue };
                if !["GET", "POST"].contains(method) {
                    continue;
                }
                let exists = OPERATIONS.iter().any(|operation| {
                    operation.declaration.path == path.trim_end_matches([',', ';'])
                        && operation.declaration.method.as_str() == *method
                });
                assert!(exists, "{next:?}: {method} {path}");
            }
        }
    }

    #[test]
    fn an_error_gives_its_next_step() {
        let error = Error::not_found("scan", NextStep::ListScans);
        assert_eq!(
            explained(&error),
            "scan not found: GET /api/v1/scans shows the ids"
        );
    }
}
